//! Stage 9: is it the same?
//!
//! Purpose: [`command`] is `litelift verify`, [`compare`] what it has in common with the end of a transfer.
//! `pairs` finds out what to compare with what, `prepare` by which columns. [`counts`] compares numbers of
//! rows; [`hashes`] values, by sums that `source_sums` and `target_sums` make, and `drill` goes from a table
//! that differs to its rows. [`witness`] says of single values whether they arrived, without the encoder.
//! `sequences` and `state` look at what is not rows.

pub mod command;
pub mod compare;
pub mod counts;
mod drill;
pub mod hashes;
mod pairs;
pub mod prepare;
mod rebuilt;
mod rule;
mod sequences;
mod source_sums;
mod state;
pub mod subject;
mod target_sums;
pub mod witness;

pub use command::run;
