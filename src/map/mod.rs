//! Stages 2 of the pipeline: which type, which conversion, why. Pure.
//!
//! Purpose: [`rules`] are rows of the type maps, the first that matches a column names its type;
//! [`fit`] says whether a type holds what the scan found; [`decide`] joins both and widens where it
//! must; [`unify`] gives the two ends of a foreign key one type; [`names`] makes names that
//! PostgreSQL takes; [`expr`] translates SQL expressions; [`suggest`] says which other types would serve better.
//! Where the tables are there already, [`matching`] finds them and [`fill`] goes by their types.

pub mod decide;
pub mod expr;
pub mod fill;
pub mod fit;
pub mod matching;
pub mod names;
pub mod renames;
pub mod rules;
pub mod suggest;
pub mod tracking;
pub mod unify;
