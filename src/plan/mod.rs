//! Stage 3: what exactly will be done. Pure.
//!
//! Purpose: [`build`] joins schema, decisions and the scan's cuts into a
//! [`crate::model::plan::TransferPlan`]; [`ddl`] prints statements; [`default`] fits DEFAULT
//! literals and expressions to the mapped type; [`keys`] makes constraints and indexes, [`collate`] their
//! terms, `indexes` those that are partial or over expressions; `checks`, `generated` and `views` make what
//! their names say; [`ranges`] orders the work; [`follow_ups`] proposes what to do about that which is not
//! carried over; [`script`] is the whole schema as statements.
//! Where the tables are there already, [`obstacles`] says what stands in the way (`rights`: of the role),
//! [`journal`] what is taken away for the time of the copying, [`unique`] and [`orphans`] which keys to look at
//! before, [`load_order`] what order the keys that stay want, [`merging`] how rows come to those that are
//! there, and [`fill`] makes the plan.
//!
//! Known gaps: triggers are listed, not carried.

pub mod build;
mod checks;
pub mod collate;
pub mod comments;
pub mod create_missing;
pub mod ddl;
pub mod default;
pub mod fill;
pub mod follow_ups;
mod foreign_keys;
mod generated;
mod indexes;
pub mod journal;
pub mod keys;
pub mod leftovers;
pub mod load_order;
pub mod merging;
pub mod obstacles;
pub mod orphans;
pub mod ranges;
mod rights;
pub mod script;
pub mod unique;
mod views;
