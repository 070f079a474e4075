//! From a table that differs to its rows and columns.
//!
//! Purpose: where the rowid is a column of the target, parts whose sums agree are put aside first. Of the rest
//! each row of both sides is known by two hashes, of all its values and of its key; [`spool`] finds those
//! without a partner, and [`rows`] looks at the first of them.
//!
//! Known gaps: a rejected row that was sent later, perhaps mended, is not told from a row too many by its key,
//! only by their number.

pub(crate) mod rows;
pub(crate) mod spool;

use deadpool_postgres::Transaction;
use futures_util::TryStreamExt as _;

use crate::encode::Zone;
use crate::encode::record_hash::HashRule;
use crate::error::Result;
use crate::event::Cancel;
use crate::model::evidence::Span;
use crate::model::plan::ColumnPlan;
use crate::model::range_sums::Sums;
use crate::read::Snapshot;
use crate::report::{ComparedValues, RowDifference};

use super::difference_lines::DifferenceLines;
use super::read_back::{self, Neutral};
use super::rule::{self, How};
use super::source_sums::Reading;
use super::subject::Subject;
use super::target_sums::Place;
use rows::Rows;
use spool::{Hashes, Spool, TargetRow, Totals};

/// Rows of each kind that are looked at for the file of differences at once.
const LINES_BATCH: usize = 500;

/// Both sides of a table that differs.
pub(crate) struct Drill<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) subject: &'a Subject,
    pub(crate) place: &'a Place<'a>,
    pub(crate) zone: &'a Zone,
    pub(crate) cancel: &'a Cancel,
}

/// What was found.
pub(crate) struct Drilled {
    pub(crate) values: ComparedValues,
    /// The first rows of each kind.
    pub(crate) shown: Vec<RowDifference>,
}

impl Drill<'_> {
    /// Finds the rows that differ. `parts` are the sums of the source's spans.
    pub(crate) async fn down(
        &self,
        parts: &[Sums],
        shown_max: u64,
        redact: bool,
        lines: Option<&DifferenceLines>,
    ) -> Result<Drilled> {
        let spans = self.differing(parts).await?;
        let (spool, totals) = self.spool(&spans).await?;
        let rows = Rows::new(self, redact);
        let shown = rows.differences(&spool, 0, shown_max).await?;
        if let Some(lines) = lines {
            let most = totals.missing.max(totals.extra).max(totals.different);
            for from in (0..most).step_by(LINES_BATCH) {
                self.cancel.check()?;
                lines.write(&rows.differences(&spool, from, LINES_BATCH as u64).await?)?;
            }
        }
        let Totals { missing, extra, different } = totals;
        Ok(Drilled { values: ComparedValues { compared: 0, missing, extra, different }, shown })
    }

    /// Returns the spans whose sums differ; all, where the target does not know them.
    pub(crate) async fn differing(&self, parts: &[Sums]) -> Result<Vec<Span>> {
        let spans = &self.subject.spans;
        if self.subject.rowid_column.is_none() || spans.len() < 2 || parts.len() != spans.len() {
            return Ok(if spans.len() == 1 { spans.clone() } else { vec![self.everything()] });
        }
        let mut differing = Vec::new();
        for (span, part) in spans.iter().zip(parts) {
            self.cancel.check()?;
            let found =
                self.place.sums_where(self.transaction, &self.subject.filter(*span)).await?;
            if found != *part {
                differing.push(*span);
            }
        }
        Ok(differing)
    }

    fn everything(&self) -> Span {
        match self.subject.rowid_name {
            Some(_) => Span::Rowids { lo: i64::MIN, hi: i64::MAX },
            None => Span::Whole,
        }
    }

    /// Takes the rows of some spans from both sides.
    pub(crate) async fn spool(&self, spans: &[Span]) -> Result<(Spool, Totals)> {
        let spool = Spool::new(!self.subject.identity.is_empty())?;
        tokio::task::block_in_place(|| self.read_source(spans, &spool))?;
        for span in spans {
            self.read_target(*span, &spool).await?;
        }
        let totals = tokio::task::block_in_place(|| spool.pair())?;
        Ok((spool, totals))
    }

    fn read_source(&self, spans: &[Span], spool: &Spool) -> Result<()> {
        let reading = Reading::new(self.subject, self.zone, self.place.how);
        let mut ordinal = 0;
        spool.source(|take| {
            for span in spans {
                self.snapshot.with(|conn| {
                    reading.keyed_hashes(conn, *span, self.cancel, |rowid, hashes| {
                        ordinal += 1;
                        let Some((row, key)) = hashes else { return Ok(()) };
                        take(rowid.unwrap_or(ordinal), Hashes { row, key })
                    })
                })?;
            }
            Ok(())
        })
    }

    async fn read_target(&self, span: Span, spool: &Spool) -> Result<()> {
        match self.place.how {
            How::Hashed(rule) => self.read_hashes(rule, span, spool).await,
            How::ReadBack => self.read_values(span, spool).await,
        }
    }

    async fn read_values(&self, span: Span, spool: &Spool) -> Result<()> {
        let identity = &self.subject.identity;
        let mut neutral = Neutral::new(self.place.columns, self.zone.name())?;
        let filter = self.subject.filter(span);
        let before = ["tableoid", "ctid::text"];
        read_back::each_row(self.place, self.transaction, &before, &filter, |row| {
            self.cancel.check()?;
            neutral.target(row, before.len())?;
            let key = if identity.is_empty() { [0, 0] } else { neutral.key_hash(identity) };
            spool.target(&read_back::place_of(row)?, Hashes { row: neutral.hash(), key })
        })
        .await
    }

    async fn read_hashes(&self, rule: HashRule, span: Span, spool: &Spool) -> Result<()> {
        let [one, two] = rule::sql("b", rule);
        let key = self.key_record();
        let [key_one, key_two] = match &key {
            Some(_) => rule::sql("k", rule),
            None => ["0::int8".to_owned(), "0::int8".to_owned()],
        };
        let sql = format!(
            "SELECT o, c, {one}, {two}, {key_one}, {key_two} FROM (SELECT tableoid AS o, ctid::text AS c, \
             {} AS b, {} AS k {} {} OFFSET 0) x",
            self.place.record(),
            key.as_deref().unwrap_or("NULL"),
            self.place.from(),
            self.subject.filter(span)
        );
        let failed = |error: tokio_postgres::Error| self.place.failed(&error);
        let none: [&str; 0] = [];
        let rows = self.transaction.query_raw(sql.as_str(), none).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            self.cancel.check()?;
            let place = TargetRow { relid: row.get(0), ctid: row.get(1) };
            let hashes = Hashes { row: [row.get(2), row.get(3)], key: [row.get(4), row.get(5)] };
            spool.target(&place, hashes)?;
        }
        Ok(())
    }

    /// The record of what rows are known by.
    pub(crate) fn key_record(&self) -> Option<String> {
        let columns: Vec<ColumnPlan> = self.key_columns();
        let place = Place { columns: &columns, ..self.place.clone() };
        (!columns.is_empty()).then(|| place.record())
    }

    fn key_columns(&self) -> Vec<ColumnPlan> {
        let identity = self.subject.identity.iter();
        identity.filter_map(|at| self.subject.columns.get(*at)).cloned().collect()
    }
}
