//! Stage 9: is it the same?
//!
//! Purpose: [`counts`] compares row counts, each side in one snapshot; [`command`] is `litelift
//! verify`, which finds out what to compare with what.
//!
//! Known gaps: values are not compared yet (levels `hashes` and `full`).

pub mod command;
pub mod counts;

pub use command::run;
