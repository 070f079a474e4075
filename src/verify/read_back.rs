//! Rows read back out of the target, for what is not left to the server's hashes.
//!
//! Purpose: COPY BINARY out, split into fields, each brought into the neutral form of the [`super::witness`],
//! which knows nothing of the encoder. A row's forms behind one another are hashed, so that tables without
//! keys can be compared too.

use deadpool_postgres::Transaction;
use futures_util::TryStreamExt as _;

use crate::encode::record_hash::{self, HashRule};
use crate::error::{Error, Result};
use crate::model::plan::ColumnPlan;
use crate::read::SourceRow;

use super::target_sums::Place;
use super::witness::rows::Fields;
use super::witness::{ColumnWitness, Malformed, RowStream, SourceClock};

/// The witnesses of some columns, and memory for a row.
#[derive(Debug)]
pub(crate) struct Neutral {
    witnesses: Vec<ColumnWitness>,
    bytes: Vec<u8>,
    /// Where the form of each column ends.
    ends: Vec<usize>,
    key: Vec<u8>,
}

impl Neutral {
    /// `zone` is the name of the zone of texts that name none.
    pub(crate) fn new(columns: &[ColumnPlan], zone: &str) -> Result<Self> {
        let clock = SourceClock::named(zone).ok_or_else(|| {
            Error::usage(format!("zone \"{}\" is not known", zone.escape_debug()))
        })?;
        let witnesses = columns.iter().map(|column| ColumnWitness::new(column, &clock)).collect();
        Ok(Self { witnesses, bytes: Vec::new(), ends: Vec::new(), key: Vec::new() })
    }

    /// Takes a row of the source in; false when a value does not fit.
    pub(crate) fn source(&mut self, row: &SourceRow<'_, '_>) -> Result<bool> {
        self.bytes.clear();
        self.ends.clear();
        for (at, witness) in self.witnesses.iter().enumerate() {
            if witness.neutral_source(row.value(at)?, &mut self.bytes).is_err() {
                return Ok(false);
            }
            self.ends.push(self.bytes.len());
        }
        Ok(true)
    }

    /// Takes a row of the target in, whose columns begin behind `first` others.
    pub(crate) fn target(&mut self, row: &Fields<'_>, first: usize) -> Result<()> {
        self.bytes.clear();
        self.ends.clear();
        for (at, witness) in self.witnesses.iter().enumerate() {
            witness.neutral_target(row.field(first + at), &mut self.bytes).map_err(malformed)?;
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }

    /// Hashes the row that was taken in.
    pub(crate) fn hash(&self) -> [i64; 2] {
        record_hash::of_bytes(HashRule::Array, &self.bytes)
    }

    /// Hashes some of its columns.
    pub(crate) fn key_hash(&mut self, columns: &[usize]) -> [i64; 2] {
        self.key.clear();
        for at in columns {
            let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
            let end = self.ends.get(*at).copied().unwrap_or(self.bytes.len());
            self.key.extend_from_slice(&self.bytes[begin.unwrap_or(0)..end]);
        }
        record_hash::of_bytes(HashRule::Array, &self.key)
    }

    /// Hashes each column by itself.
    pub(crate) fn column_hashes(&mut self) -> Vec<i64> {
        (0..self.ends.len()).map(|at| self.key_hash(&[at])[0]).collect()
    }

    /// Prints the columns of a row of the target.
    pub(crate) fn shown(&self, row: &Fields<'_>, first: usize) -> Vec<String> {
        let witnesses = self.witnesses.iter().enumerate();
        witnesses.map(|(at, witness)| witness.shown_target(row.field(first + at))).collect()
    }
}

/// Reads rows of the target; `before` are expressions that stand before the columns.
pub(crate) async fn each_row(
    place: &Place<'_>,
    transaction: &Transaction<'_>,
    before: &[&str],
    filter: &str,
    mut each: impl FnMut(&Fields<'_>) -> Result<()>,
) -> Result<()> {
    let columns = place.columns.iter().map(Place::column);
    let all: Vec<String> = before.iter().map(|text| (*text).to_owned()).chain(columns).collect();
    let sql = format!(
        "COPY (SELECT {} {} {filter}) TO STDOUT (FORMAT binary)",
        all.join(", "),
        place.from()
    );
    let failed = |error: tokio_postgres::Error| place.failed(&error);
    let pieces = transaction.copy_out(sql.as_str()).await.map_err(failed)?;
    let mut pieces = std::pin::pin!(pieces);
    let mut stream = RowStream::new(all.len());
    while let Some(piece) = pieces.try_next().await.map_err(failed)? {
        stream.push(&piece);
        while let Some(row) = stream.row().map_err(malformed)? {
            each(&row)?;
        }
    }
    stream.finish().map_err(malformed)
}

fn malformed(Malformed(why): Malformed) -> Error {
    Error::target("the server sent rows that cannot be read").detail(format!("It is {why}."))
}

/// The place of a row that was read with `tableoid, ctid::text` before its columns.
pub(crate) fn place_of(row: &Fields<'_>) -> Result<super::drill::spool::TargetRow> {
    let relid = row.field(0).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    let ctid = row.field(1).and_then(|bytes| std::str::from_utf8(bytes).ok());
    match (relid, ctid) {
        (Some(relid), Some(ctid)) => {
            Ok(super::drill::spool::TargetRow { relid, ctid: ctid.to_owned() })
        }
        _ => Err(malformed(Malformed("a row without its place"))),
    }
}
