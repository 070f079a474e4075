//! Rows out of SQLite: opening the file, and what its errors mean.
//!
//! Purpose: the only way to a connection is [`Source`], so that no file is ever opened for writing,
//! created, or read while SQLite would have to recover it first.

mod duplicates;
pub mod fault;
pub mod integrity;
pub mod open;
mod orphans;
mod patience;
mod private_copy;
pub mod range;
pub mod snapshot;
mod texts;
mod wal_growth;
mod watch;

pub use duplicates::duplicates;
pub use open::{OpenedHow, Source};
pub use orphans::orphans;
pub use patience::{LOCK_WAIT, Patience};
pub use private_copy::{FileIdentity, PrivateCopy};
pub use range::{
    BadRow, Encoded, OnBadRow, RangeSource, SourceRow, count_rows, count_span, rowid_at,
    rowid_bounds,
};
pub use rusqlite::Connection;
pub use snapshot::Snapshot;
pub use texts::texts;
