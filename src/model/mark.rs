//! What is known to have arrived.

use serde::{Deserialize, Serialize};

use super::merge::Merged;
use super::range_sums::Sums;

/// A committed range: the row of `litelift.range` that was written in the transaction of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// Number of the range within the table.
    pub number: u32,
    /// Rows that PostgreSQL counted in.
    pub rows: u64,
    /// Rows that were left out as bad rows.
    pub rejected: u64,
    /// Bytes of COPY that were sent.
    pub copy_bytes: u64,
    /// What became of the rows where the table had some already, those that were sent later included.
    pub merged: Option<Merged>,
    /// Sums of the hashes of the rows that were sent; `None`: an earlier version of litelift sent them.
    pub sums: Option<Sums>,
}
