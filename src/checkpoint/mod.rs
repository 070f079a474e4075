//! Stage 7: what is done?
//!
//! Purpose: the state of a transfer is in the target, in schema `litelift`: a run, the relations that
//! it made, the ranges that were committed (each in the transaction of its rows) and the finishing
//! steps. The set of committed ranges is the state; there is no high-water mark, because workers
//! commit out of order.. A role that may not create the schema
//! keeps them elsewhere: `local`.

pub mod clean;
pub mod fingerprint;
pub mod forget;
pub mod journal;
pub mod local;
pub mod lock;
pub mod made;
pub mod resent;
pub mod resume;
pub mod rights;
pub mod status;
pub mod store;
pub mod tables;
