//! One range of a table: borrowed rows, and rows as chunks of COPY BINARY.
//!
//! Purpose: values are handed on as SQLite gives them, without a copy. One statement per range, in
//! rowid order.
//!
//! Knobs: [`CHUNK_BYTES`].

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::encode::field::{HEADER, TRAILER};
use crate::encode::range_hash::RangeHasher;
use crate::encode::{Misfit, RowEncoder};
use crate::error::{Error, ErrorKind, Result};
use crate::model::evidence::Span;
use crate::model::ident::quoted;
use crate::model::value::Value;

use super::fault;

/// A chunk is sent when it has this many bytes. tokio-postgres passes pieces over 4 KiB on without
/// gathering them; from 64 KiB on the size made no difference.
pub const CHUNK_BYTES: usize = 256 << 10;
/// Room beyond [`CHUNK_BYTES`] so that a usual last row does not make the buffer grow.
const CHUNK_SLACK_BYTES: usize = 16 << 10;

/// What becomes of a row with a value that its column does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadRow {
    /// An error that names row, column and value.
    Stop,
    /// It is left out and counted.
    LeaveOut,
}

/// What became of the rows of a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Rows in the chunks.
    pub rows: u64,
    /// Rows that were left out.
    pub bad: u64,
}

/// A row with a value that does not fit.
pub struct BadRow<'a, 'r, 's> {
    /// Number among the bad rows of its range, from 0: with the range it names the row for good.
    pub ordinal: u64,
    /// Rowid, where the table has one.
    pub rowid: Option<i64>,
    /// Position of the first column whose value does not fit.
    pub column: usize,
    /// Why.
    pub misfit: Misfit,
    /// The row.
    pub row: &'a SourceRow<'r, 's>,
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct RangeSource<'a> {
    /// Table.
    pub table: &'a str,
    /// Columns, in the order in which they are wanted; `None` is read as NULL (a generated column
    /// that SQLite cannot compute here).
    pub columns: &'a [Option<&'a str>],
    /// The name that reaches the rowid, if the table has one.
    pub rowid_name: Option<&'a str>,
    /// Which rows.
    pub span: Span,
}

/// A row while the statement stands on it.
pub struct SourceRow<'r, 's> {
    row: &'r Row<'s>,
    first: usize,
}

impl SourceRow<'_, '_> {
    /// Returns the value of a column by its position in [`RangeSource::columns`].
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] when SQLite cannot give it.
    #[inline]
    pub fn value(&self, column: usize) -> Result<Value<'_>> {
        let value = self
            .row
            .get_ref(self.first + column)
            .map_err(|error| fault::explain("could not read a value", "FILE", error))?;
        Ok(value_of(value))
    }
}

/// Returns the driver's value as ours.
#[inline]
pub(super) fn value_of(value: ValueRef<'_>) -> Value<'_> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(text),
        ValueRef::Blob(blob) => Value::Blob(blob),
    }
}

impl RangeSource<'_> {
    /// Returns the SELECT. Columns are reached through the table's alias, so that a name can never
    /// turn into a string literal, as SQLite allows for a bare double-quoted one.
    fn sql(&self) -> String {
        let mut sql = String::from("SELECT ");
        if let Some(rowid) = self.rowid_name {
            sql.push_str("t.");
            sql.push_str(rowid);
        }
        for (position, column) in self.columns.iter().enumerate() {
            if position > 0 || self.rowid_name.is_some() {
                sql.push_str(", ");
            }
            match column {
                Some(column) => {
                    sql.push_str("t.");
                    sql.push_str(&quoted(column));
                }
                None => sql.push_str("NULL"),
            }
        }
        sql.push_str(" FROM main.");
        sql.push_str(&quoted(self.table));
        // An index could answer a scan, but one that is damaged would answer with other rows.
        sql.push_str(" AS t NOT INDEXED");
        if let (Some(rowid), Span::Rowids { .. }) = (self.rowid_name, self.span) {
            sql.push_str(&format!(" WHERE t.{rowid} BETWEEN ?1 AND ?2 ORDER BY t.{rowid}"));
        }
        sql
    }

    /// Calls `each` with the rowid, where there is one, and the row.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] naming the table and the last good row; what `each` says.
    pub fn for_each_row(
        &self,
        conn: &Connection,
        mut each: impl FnMut(Option<i64>, &SourceRow<'_, '_>) -> Result<()>,
    ) -> Result<()> {
        let failed = |error, read| in_table(conn, self.table, Some((self.span, read)), error);
        let mut statement =
            conn.prepare_cached(&self.sql()).map_err(|error| failed(error, Good::default()))?;
        let mut rows = match self.span {
            Span::Rowids { lo, hi } if self.rowid_name.is_some() => statement.query([lo, hi]),
            _ => statement.query([]),
        }
        .map_err(|error| failed(error, Good::default()))?;
        let first = usize::from(self.rowid_name.is_some());
        // In a damaged tree a search may come to rows that another range has, or go past some.
        let is_ordered = matches!(self.span, Span::Rowids { .. });
        let mut good = Good::default();
        while let Some(row) = rows.next().map_err(|error| failed(error, good))? {
            let rowid = match first {
                0 => None,
                _ => Some(row.get::<_, i64>(0).map_err(|error| failed(error, good))?),
            };
            if is_ordered && good.last.zip(rowid).is_some_and(|(last, rowid)| rowid <= last) {
                let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                let error = rusqlite::Error::SqliteFailure(damage, None);
                return Err(failed(error, good).detail("Its rowids are not in order."));
            }
            good = Good { rows: good.rows + 1, last: rowid };
            each(rowid, &SourceRow { row, first })?;
        }
        Ok(())
    }

    /// Says why SQLite cannot compute a generated column for every row; `None` when it can, or when
    /// it is the whole file that cannot be read.
    #[must_use]
    pub fn why_not_computable(&self, conn: &Connection, column: &str) -> Option<String> {
        // count() has to compute each value; an index could answer for the rows, not for the column.
        let sql = format!(
            "SELECT count(t.{}) FROM main.{} AS t NOT INDEXED",
            quoted(column),
            quoted(self.table)
        );
        let error = conn.query_row(&sql, [], |_| Ok(())).err()?;
        (!fault::concerns_whole_file(&error)).then(|| fault::message(&error))
    }

    /// Encodes the rows and hands them on in chunks, header and trailer included, and the hasher sees each of
    /// them. Returns how many rows there were.
    ///
    /// # Errors
    /// As [`Self::for_each_row`]; a value that its column does not hold, with table, rowid, column
    /// and value named.
    pub fn for_each_chunk(
        &self,
        conn: &Connection,
        encoder: &RowEncoder,
        on_bad_row: OnBadRow,
        hasher: &mut RangeHasher,
        mut send: impl FnMut(Vec<u8>, u64) -> Result<()>,
    ) -> Result<Encoded> {
        let mut chunk = new_chunk();
        chunk.extend_from_slice(HEADER);
        let (mut rows, mut bad) = (0, 0);
        let mut rows_sent = 0;
        self.for_each_row(conn, |rowid, row| {
            let begin = chunk.len();
            if let Some((column, misfit)) = self.encode(encoder, row, &mut chunk)? {
                if on_bad_row == OnBadRow::Stop {
                    let name = self.columns.get(column).copied().flatten().unwrap_or_default();
                    return Err(misfit_error(self.table, rowid, name, row.value(column)?, misfit));
                }
                chunk.truncate(begin);
                bad += 1;
                return Ok(());
            }
            rows += 1;
            if hasher.add(rowid, &chunk[begin..]).is_none() {
                return Err(Error::source_file("a row was encoded in a wrong form"));
            }
            if chunk.len() >= CHUNK_BYTES {
                send(std::mem::replace(&mut chunk, new_chunk()), rows - rows_sent)?;
                rows_sent = rows;
            }
            Ok(())
        })?;
        chunk.extend_from_slice(&TRAILER);
        send(chunk, rows - rows_sent)?;
        Ok(Encoded { rows, bad })
    }

    /// Appends one row; returns the first column whose value does not fit, and why. What was appended
    /// is then a part of the row.
    #[inline]
    fn encode(
        &self,
        encoder: &RowEncoder,
        row: &SourceRow<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<(usize, Misfit)>> {
        encoder.begin(out);
        for column in 0..self.columns.len() {
            if let Err(misfit) = encoder.field(column, row.value(column)?, out) {
                return Ok(Some((column, misfit)));
            }
        }
        Ok(None)
    }

    /// Calls `each` with the rowid and the bytes of COPY of every row; `None`: a value of it does not fit.
    ///
    /// # Errors
    /// As [`Self::for_each_row`]; what `each` says.
    pub fn for_each_encoded(
        &self,
        conn: &Connection,
        encoder: &RowEncoder,
        mut each: impl FnMut(Option<i64>, Option<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        let mut encoded = Vec::new();
        self.for_each_row(conn, |rowid, row| {
            encoded.clear();
            let misfit = self.encode(encoder, row, &mut encoded)?;
            each(rowid, misfit.is_none().then_some(&encoded))
        })
    }

    /// Calls `each` with the rows that [`Self::for_each_chunk`] leaves out, in the same order.
    ///
    /// # Errors
    /// As [`Self::for_each_row`]; what `each` says.
    pub fn for_each_bad_row(
        &self,
        conn: &Connection,
        encoder: &RowEncoder,
        mut each: impl FnMut(&BadRow<'_, '_, '_>) -> Result<()>,
    ) -> Result<()> {
        let mut encoded = Vec::new();
        let mut ordinal = 0;
        self.for_each_row(conn, |rowid, row| {
            encoded.clear();
            let Some((column, misfit)) = self.encode(encoder, row, &mut encoded)? else {
                return Ok(());
            };
            each(&BadRow { ordinal, rowid, column, misfit, row })?;
            ordinal += 1;
            Ok(())
        })
    }
}

fn new_chunk() -> Vec<u8> {
    Vec::with_capacity(CHUNK_BYTES + CHUNK_SLACK_BYTES)
}

fn misfit_error(
    table: &str,
    rowid: Option<i64>,
    column: &str,
    value: Value<'_>,
    misfit: Misfit,
) -> Error {
    let row =
        rowid.map_or_else(|| "A row".to_owned(), |rowid| format!("The row with rowid {rowid}"));
    Error::new(
        ErrorKind::Differences,
        format!(
            "a value does not fit column \"{}\".\"{}\": {}",
            table.escape_debug(),
            column.escape_debug(),
            misfit.reason
        ),
    )
    .detail(format!("{row} holds {} {}.", value.storage_class(), value.shown()))
    .hint(
        "Nothing of this range was written. A rule in a type map can give the column another type.",
    )
}

/// Returns the smallest and the largest rowid, or `None` when the table is empty.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table.
pub fn rowid_bounds(conn: &Connection, table: &str, rowid: &str) -> Result<Option<(i64, i64)>> {
    let bound = |which: &str| -> Result<Option<i64>> {
        // min() and max() in one statement would scan the whole table; apart, each is one descent.
        let sql = format!("SELECT {which}(t.{rowid}) FROM main.{} AS t", quoted(table));
        conn.query_row(&sql, [], |row| row.get(0))
            .map_err(|error| in_table(conn, table, None, error))
    };
    Ok(bound("min")?.zip(bound("max")?))
}

/// Returns the rowid of the row at an offset, from 0, in the order in which a range is read.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table.
pub fn rowid_at(
    conn: &Connection,
    table: &str,
    rowid: &str,
    span: Span,
    offset: u64,
) -> Result<Option<i64>> {
    let (lo, hi) = match span {
        Span::Rowids { lo, hi } => (lo, hi),
        Span::Whole => (i64::MIN, i64::MAX),
    };
    let sql = format!(
        "SELECT t.{rowid} FROM main.{} AS t NOT INDEXED WHERE t.{rowid} BETWEEN ?1 AND ?2 \
         ORDER BY t.{rowid} LIMIT 1 OFFSET ?3",
        quoted(table)
    );
    let offset = i64::try_from(offset).unwrap_or(i64::MAX);
    let mut statement = conn.prepare(&sql).map_err(|error| in_table(conn, table, None, error))?;
    let mut rows =
        statement.query([lo, hi, offset]).map_err(|error| in_table(conn, table, None, error))?;
    let row = rows.next().map_err(|error| in_table(conn, table, None, error))?;
    row.map(|row| row.get(0)).transpose().map_err(|error| in_table(conn, table, None, error))
}

/// Counts the rows of a table.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table.
pub fn count_rows(conn: &Connection, table: &str) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM main.{} NOT INDEXED", quoted(table));
    let count: i64 = conn
        .query_row(&sql, [], |row| row.get(0))
        .map_err(|error| in_table(conn, table, None, error))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Counts the rows that a range has.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table.
pub fn count_span(conn: &Connection, source: &RangeSource<'_>) -> Result<u64> {
    let (Some(rowid), Span::Rowids { lo, hi }) = (source.rowid_name, source.span) else {
        return count_rows(conn, source.table);
    };
    let sql = format!(
        "SELECT count(*) FROM main.{} AS t NOT INDEXED WHERE t.{rowid} BETWEEN ?1 AND ?2",
        quoted(source.table)
    );
    let count: i64 = conn
        .query_row(&sql, [lo, hi], |row| row.get(0))
        .map_err(|error| in_table(conn, source.table, None, error))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Rows that were read before an error.
#[derive(Debug, Clone, Copy, Default)]
struct Good {
    rows: u64,
    last: Option<i64>,
}

/// An error of SQLite while it reads a table, with the rows of the span that were good.
fn in_table(
    conn: &Connection,
    table: &str,
    read: Option<(Span, Good)>,
    error: rusqlite::Error,
) -> Error {
    let what = format!("could not read table \"{}\"", table.escape_debug());
    let error = fault::explain(what, conn.path().unwrap_or("FILE"), error);
    let Some((span, good)) = read.filter(|_| error.kind() == ErrorKind::Source) else {
        return error;
    };
    let from = match span {
        Span::Rowids { lo, .. } if lo > i64::MIN => format!(" from rowid {lo} on"),
        _ => String::new(),
    };
    let rows = if good.rows == 1 { "row" } else { "rows" };
    let last = good.last.map_or(String::new(), |rowid| format!("; the last one has rowid {rowid}"));
    error.detail(format!("{} {rows} could be read{from}{last}.", good.rows))
}
