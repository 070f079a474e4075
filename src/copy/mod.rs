//! Stage 6: bytes into PostgreSQL.
//!
//! Purpose: [`run()`] lets workers take ranges from one queue. A worker is a thread that reads and
//! encodes, a bounded channel, and a session that sends; each range is one transaction with its
//! checkpoint. While a session commits one range, its thread already reads the next. Where foreign keys
//! stay, there is a queue per level, and ranges that need each other share a transaction.
//!
//! A value that does not fit can only come where a rule holds a type fast: it stops the run, or its row
//! is left out, counted with its range, and written to a file ([`reject`]).
//!
//! Where the table has rows already, a range goes through a temporary table (`merging`).
//!
//! Known gaps: there is no text COPY yet.
//!
//! Knobs: `CHUNKS_QUEUED`, and `read::CHUNK_BYTES`.

mod merging;
mod queue;
mod refused;
pub mod reject;
pub mod resend;
mod run;
mod sink;
mod worker;

pub use run::{CopyJob, TableTimes, run};

/// Chunks that wait between a reading thread and its session: with `read::CHUNK_BYTES` 1 MiB.
const CHUNKS_QUEUED: usize = 4;
