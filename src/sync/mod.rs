//! What changed in the source since the transfer, brought over.
//!
//! Purpose: [`run()`] is `litelift sync`. `changes` reads the source and holds it against the hashes that the
//! transfer kept for each 64 rows or so (the target is not read for what did not change); [`crate::verify`]'s
//! drill-down finds the rows; `apply` deletes, updates and inserts them. All of it, and the new hashes, is one
//! transaction: the target goes from one state of the source to a later one, or stays. Nothing is written to
//! the source. [`repair`] does the same with what `litelift verify` finds.
//!
//! Known gaps: tables that had rows of their own are left out (said so); a table whose rows have no integer key
//! in the target is compared whole when anything of it changed.

mod apply;
mod bookkeeping;
mod changes;
mod constraints;
mod encoded;
mod order;
pub mod repair;
mod run;
mod sequences;

pub use run::{SyncOptions, run};
