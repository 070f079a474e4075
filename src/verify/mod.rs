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
pub mod difference_lines;
pub(crate) mod drill;
pub mod hashes;
mod pairs;
pub mod prepare;
pub(crate) mod read_back;
mod rebuilt;
pub(crate) mod rule;
mod sequences;
pub(crate) mod source_sums;
mod state;
pub mod subject;
pub(crate) mod target_sums;
pub mod witness;

pub use command::run;
