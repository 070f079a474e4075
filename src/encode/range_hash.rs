//! The values of a range in a few numbers, made of its bytes of COPY while they are encoded.
//!
//! Purpose: what the server will compute of the stored rows ([`super::record_hash`]), summed up, and a hash per
//! leaf by which a later look at the source finds what changed.

use crate::model::pg_type::{Element, PgType};
use crate::model::plan::ColumnPlan;
use crate::model::range_sums::{LeafWriter, Sums};

use super::record_hash::{self, HashRule};

/// Raised when the same value becomes other bytes, or they another hash: what was kept then says nothing.
pub const VERSION: u32 = 1;

/// The hashes of the rows of one table.
#[derive(Debug, Clone)]
pub struct RowHasher {
    rule: HashRule,
    oids: Vec<u32>,
    /// Positions of arrays of enum types: inside them stands the oid of the enum type.
    enum_arrays: Vec<usize>,
    /// A row whose arrays have been seen to.
    plain: Vec<u8>,
}

impl RowHasher {
    /// `columns` are those of the encoder that makes the rows.
    #[must_use]
    pub fn new(columns: &[ColumnPlan], rule: HashRule) -> Self {
        let is_enum_array =
            |column: &ColumnPlan| matches!(column.pg_type, PgType::Array(Element::Enum(_)));
        let enum_arrays = columns.iter().enumerate().filter(|(_, column)| is_enum_array(column));
        Self {
            rule,
            oids: columns.iter().map(|column| column.pg_type.hashed_oid()).collect(),
            enum_arrays: enum_arrays.map(|(at, _)| at).collect(),
            plain: Vec::new(),
        }
    }

    /// Returns the hashes of a row of COPY BINARY; `None` when the bytes are no such row.
    #[inline]
    pub fn hash(&mut self, row: &[u8]) -> Option<[i64; 2]> {
        if self.enum_arrays.is_empty() {
            return record_hash::of_row(self.rule, &self.oids, row);
        }
        self.plain.clear();
        self.plain.extend_from_slice(row);
        let mut begin = 2;
        for at in 0..self.oids.len() {
            let length = self.plain.get(begin..)?.first_chunk::<4>()?;
            let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
            // Number of dimensions, whether there are NULLs, the oid of the elements.
            if bytes >= 12 && self.enum_arrays.contains(&at) {
                let oid = Element::Text.oid().to_be_bytes();
                self.plain.get_mut(begin + 12..begin + 16)?.copy_from_slice(&oid);
            }
            begin += 4 + bytes;
        }
        record_hash::of_row(self.rule, &self.oids, &self.plain)
    }
}

/// Takes the rows of a range in.
#[derive(Debug, Clone)]
pub struct RangeHasher {
    row: RowHasher,
    sums: Sums,
    leaves: Option<LeafWriter>,
}

impl RangeHasher {
    /// `has_leaves`: the rows come in order of a rowid.
    #[must_use]
    pub fn new(columns: &[ColumnPlan], has_leaves: bool) -> Self {
        Self {
            row: RowHasher::new(columns, HashRule::Array),
            sums: Sums::default(),
            leaves: has_leaves.then(LeafWriter::default),
        }
    }

    /// Takes a row in. Returns its hashes; `None` when the bytes are no row of these columns.
    #[inline]
    pub fn add(&mut self, rowid: Option<i64>, row: &[u8]) -> Option<[i64; 2]> {
        let hashes = self.row.hash(row)?;
        self.sums.add(hashes);
        if let (Some(leaves), Some(rowid)) = (&mut self.leaves, rowid) {
            leaves.add(rowid, hashes[0]);
        }
        Some(hashes)
    }

    /// Returns the sums and, where there are any, the leaves.
    #[must_use]
    pub fn finish(self) -> (Sums, Option<Vec<u8>>) {
        (self.sums, self.leaves.map(LeafWriter::finish))
    }
}
