//! Stopped, cut off, refused, run twice: what must hold whatever happens.
//!
//! Purpose: the program runs as a child process, as a user runs it; what became of the target is
//! found out with queries of the tests' own and with the comparer, never with litelift itself.

mod bad_rows;
mod changed;
mod crash;
mod existing;
mod exits;
mod kills;
mod local;
mod locks;
pub(crate) mod process;
mod rehearsal;
mod sessions;
mod signals;
pub(crate) mod state;
mod status;
mod written;
mod wrong_source;
mod wrong_target;
