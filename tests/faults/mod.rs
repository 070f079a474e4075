//! The fault campaign: whatever fails, wherever, everything arrives exactly once in the end.
//!
//! Purpose: each trial disturbs a transfer once or more, then runs the same command until it is done, and
//! lets the comparer and the catalogue judge. A disturbed command may only end with the exit code that
//! its fault allows, without a panic, within 60 s.
//!
//! Knobs: `LITELIFT_FAULTS=long`, the whole campaign instead of a sample; `LITELIFT_SEED`, to see a
//! trial again. Each kind prints a row of figures to standard error.

mod calls;
mod cuts;
mod frontend;
mod kills;
mod live;
mod proxy;
mod reads;
mod trial;
mod trouble;
