//! Stage 9: is it the same?
//!
//! Purpose: [`counts`] compares row counts, each side in one snapshot; [`command`] is `litelift
//! verify`: `pairs` finds out what to compare with what, `sequences` looks whether the next ids are free.
//! [`witness`] says of single values whether they arrived.
//!
//! Known gaps: values are not compared yet (levels `hashes` and `full`).

pub mod command;
pub mod counts;
mod pairs;
mod sequences;
pub mod witness;

pub use command::run;
