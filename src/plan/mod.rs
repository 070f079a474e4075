//! Stage 3: what exactly will be done. Pure.
//!
//! Purpose: [`build`] joins schema, decisions and the scan's cuts into a
//! [`crate::model::plan::TransferPlan`]; [`ddl`] prints statements; [`default`] fits DEFAULT
//! literals and expressions to the mapped type; [`keys`] makes constraints and indexes, `indexes` those
//! that are partial or over expressions; `checks`, `generated` and `views` make what their names say;
//! [`ranges`] orders the work. What cannot be made is listed with its reason.
//!
//! Known gaps: triggers are listed, not carried.

pub mod build;
mod checks;
pub mod ddl;
pub mod default;
mod generated;
mod indexes;
pub mod keys;
pub mod leftovers;
pub mod ranges;
mod views;
