//! The source's side: sums of the hashes that its rows must have in the target.
//!
//! Purpose: rows are read and encoded as a transfer does it, and hashed instead of sent, on threads that share
//! one snapshot.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::encode::range_hash::RowHasher;
use crate::encode::record_hash::HashRule;
use crate::encode::{RowEncoder, Zone};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::model::evidence::Span;
use crate::model::plan::ColumnPlan;
use crate::model::range_sums::Sums;
use crate::read::RangeSource;

use super::compare::Comparison;
use super::read_back::Neutral;
use super::rule::How;
use super::subject::Subject;

/// Rows between two looks at whether the user asked to stop.
const ROWS_BETWEEN_LOOKS: u64 = 4096;

/// What a part of the source comes to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SourcePart {
    /// Of the rows that the target must have.
    pub(crate) sums: Sums,
    /// Rows with a value that does not fit its column.
    pub(crate) bad: u64,
}

/// Reads parts of one table.
pub(crate) struct Reading<'a> {
    subject: &'a Subject,
    columns: Vec<Option<&'a str>>,
    encoder: RowEncoder,
    how: How,
    zone: String,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(subject: &'a Subject, zone: &Zone, how: How) -> Self {
        Self {
            subject,
            columns: subject.columns.iter().map(ColumnPlan::read_as).collect(),
            encoder: RowEncoder::new(&subject.columns, zone),
            how,
            zone: zone.name().to_owned(),
        }
    }

    /// Reads rows as a transfer does.
    pub(crate) fn of_load(subject: &'a Subject, zone: &Zone) -> Self {
        Self::new(subject, zone, How::Hashed(HashRule::Array))
    }

    /// Calls `each` with the rowid and the bytes of COPY of every row; none: it does not fit.
    pub(crate) fn encoded(
        &self,
        conn: &Connection,
        span: Span,
        cancel: &Cancel,
        mut each: impl FnMut(Option<i64>, Option<&[u8]>) -> Result<()>,
    ) -> Result<()> {
        self.range(span).for_each_encoded(conn, &self.encoder, |rowid, row| {
            cancel.check()?;
            each(rowid, row)
        })
    }

    /// Returns what reads a span of the table.
    pub(crate) fn range(&self, span: Span) -> RangeSource<'_> {
        RangeSource {
            table: &self.subject.pair.source,
            columns: &self.columns,
            rowid_name: self.subject.rowid_name.as_deref(),
            span,
        }
    }

    /// Calls `each` with the rowid and the hashes of every row; no hashes: it does not fit.
    pub(crate) fn hashes(
        &self,
        conn: &Connection,
        span: Span,
        cancel: &Cancel,
        mut each: impl FnMut(Option<i64>, Option<[i64; 2]>) -> Result<()>,
    ) -> Result<()> {
        let rule = match self.how {
            How::Hashed(rule) => rule,
            How::ReadBack => {
                return self.neutral(conn, span, cancel, |rowid, neutral| {
                    each(rowid, neutral.map(|neutral| neutral.hash()))
                });
            }
        };
        let mut hasher = RowHasher::new(&self.subject.columns, rule);
        let mut seen = 0_u64;
        self.range(span).for_each_encoded(conn, &self.encoder, |rowid, row| {
            seen += 1;
            if seen.is_multiple_of(ROWS_BETWEEN_LOOKS) {
                cancel.check()?;
            }
            let hashes = match row {
                Some(row) => Some(hasher.hash(row).ok_or_else(malformed)?),
                None => None,
            };
            each(rowid, hashes)
        })
    }

    /// As [`Self::hashes`], with the hashes of what each row is known by; zeros where that is nothing.
    pub(crate) fn keyed_hashes(
        &self,
        conn: &Connection,
        span: Span,
        cancel: &Cancel,
        mut each: impl FnMut(Option<i64>, Option<KeyedHashes>) -> Result<()>,
    ) -> Result<()> {
        let identity = &self.subject.identity;
        let columns: Vec<ColumnPlan> =
            identity.iter().filter_map(|at| self.subject.columns.get(*at)).cloned().collect();
        let rule = match self.how {
            How::Hashed(rule) => rule,
            How::ReadBack => {
                return self.neutral(conn, span, cancel, |rowid, neutral| {
                    let hashes = neutral.map(|neutral| {
                        let key =
                            if identity.is_empty() { [0, 0] } else { neutral.key_hash(identity) };
                        (neutral.hash(), key)
                    });
                    each(rowid, hashes)
                });
            }
        };
        let mut hasher = RowHasher::new(&self.subject.columns, rule);
        let mut key_hasher = RowHasher::new(&columns, rule);
        let mut key = Vec::new();
        let mut fields = Vec::new();
        self.range(span).for_each_encoded(conn, &self.encoder, |rowid, row| {
            cancel.check()?;
            let Some(row) = row else { return each(rowid, None) };
            let hashes = hasher.hash(row).ok_or_else(malformed)?;
            if identity.is_empty() {
                return each(rowid, Some((hashes, [0, 0])));
            }
            split(row, &mut fields).ok_or_else(malformed)?;
            key.clear();
            key.extend_from_slice(&u16::try_from(identity.len()).unwrap_or(u16::MAX).to_be_bytes());
            for at in identity {
                let (begin, end) = *fields.get(*at).ok_or_else(malformed)?;
                key.extend_from_slice(&row[begin..end]);
            }
            let key_hashes = key_hasher.hash(&key).ok_or_else(malformed)?;
            each(rowid, Some((hashes, key_hashes)))
        })
    }

    /// Calls `each` with the rowid of every row and its neutral forms; none: it does not fit.
    fn neutral(
        &self,
        conn: &Connection,
        span: Span,
        cancel: &Cancel,
        mut each: impl FnMut(Option<i64>, Option<&mut Neutral>) -> Result<()>,
    ) -> Result<()> {
        let mut neutral = Neutral::new(&self.subject.columns, &self.zone)?;
        self.range(span).for_each_row(conn, |rowid, row| {
            cancel.check()?;
            let fits = neutral.source(row)?;
            each(rowid, fits.then_some(&mut neutral))
        })
    }

    fn part(&self, conn: &Connection, span: Span, cancel: &Cancel) -> Result<SourcePart> {
        let mut part = SourcePart::default();
        self.hashes(conn, span, cancel, |_, hashes| {
            match hashes {
                Some(hashes) => part.sums.add(hashes),
                None => part.bad += 1,
            }
            Ok(())
        })?;
        Ok(part)
    }
}

/// The hashes of a row, and of what it is known by.
pub(crate) type KeyedHashes = ([i64; 2], [i64; 2]);

/// Finds where each field of a row of COPY BINARY begins and ends, lengths included.
fn split(row: &[u8], fields: &mut Vec<(usize, usize)>) -> Option<()> {
    fields.clear();
    let mut begin = 2;
    while begin < row.len() {
        let length = row.get(begin..)?.first_chunk::<4>()?;
        let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        fields.push((begin, begin + 4 + bytes));
        begin += 4 + bytes;
    }
    (begin == row.len()).then_some(())
}

fn malformed() -> Error {
    Error::source_file("a row was encoded in a wrong form")
}

/// Reads the tables, each part by one of the job's threads. Returns what each part of each table comes to. Once
/// `is_over`, because the other side failed, nobody goes on, and what is returned means nothing.
pub(crate) fn of_tables(
    job: &Comparison<'_>,
    subjects: &[&Subject],
    how: How,
    is_over: &AtomicBool,
) -> Result<Vec<Vec<SourcePart>>> {
    let Comparison { snapshot, zone, jobs, cancel, .. } = *job;
    let readings: Vec<Reading<'_>> =
        subjects.iter().map(|subject| Reading::new(subject, zone, how)).collect();
    let parts = subjects.iter().enumerate();
    let parts = parts.flat_map(|(of, subject)| subject.spans.iter().map(move |span| (of, *span)));
    let parts: Vec<(usize, Span)> = parts.collect();
    let is_over = || is_over.load(Ordering::Relaxed);
    let found = snapshot.each_part(parts.len(), jobs, is_over, |conn, at| {
        let (of, span) = parts[at];
        readings[of].part(conn, span, cancel)
    })?;
    let mut found = found.into_iter();
    Ok(subjects.iter().map(|subject| found.by_ref().take(subject.spans.len()).collect()).collect())
}
