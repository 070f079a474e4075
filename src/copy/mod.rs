//! Stage 6: bytes into PostgreSQL.
//!
//! Purpose: [`run()`] lets workers take ranges from one queue. A worker is a thread that reads and
//! encodes, a bounded channel, and a session that sends; each range is one transaction with its
//! checkpoint. While a session commits one range, its thread already reads the next.
//!
//! Known gaps: a value that does not fit stops the run (it cannot happen under decisions made from
//! all values); there is no text COPY yet.
//!
//! Knobs: `CHUNKS_QUEUED`, and `read::CHUNK_BYTES`.

mod run;
mod sink;
mod worker;

pub use run::{CopyJob, TableTimes, run};

/// Chunks that wait between a reading thread and its session: with `read::CHUNK_BYTES` 1 MiB.
const CHUNKS_QUEUED: usize = 4;
