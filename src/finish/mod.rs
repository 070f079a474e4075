//! Stage 8: keys, indexes, foreign keys, sequences, ANALYZE.
//!
//! Purpose: [`run`] takes the plan's steps phase by phase, several at once where their locks allow
//! it; [`step`] runs one statement in a transaction with the row that says how it ended. What the
//! server refuses is kept with its message, and the rest goes on. [`restore`] sees to it that the target's
//! own objects are as they were, and [`sequences`] tells of one that would give out an id twice.
//!
//! Known gaps: no rights of a superuser are used, so nothing here is faster for one.

pub mod restore;
pub mod run;
pub mod sequences;
pub mod step;
