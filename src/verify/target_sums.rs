//! The target's side: sums of the hashes of its rows, computed where they are.
//!
//! Purpose: every table, or every part of a large one, is one query of one of several sessions, all in the
//! moment of one exported snapshot. Parts are pages ([`PART_PAGES`]), so that each page is read once and in
//! order, whatever keys the table has.
//!
//! Known gaps: before PostgreSQL 14 a filter on pages reads the whole table, so that tables there are one part.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Transaction;
use tokio_postgres::IsolationLevel;

use crate::connect::{Session, Target, failure};
use crate::encode::record_hash::HashRule;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::ident::{literal, qualified, quoted};
use crate::model::plan::ColumnPlan;
use crate::model::range_sums::Sums;

use super::read_back::{self, Neutral};
use super::rule::{self, How};

/// Pages of a part: 64 MiB.
pub(crate) const PART_PAGES: i64 = 8192;

/// A moment of the target that several sessions look at.
pub(crate) struct Moment {
    id: String,
    /// Tables that one transaction reads at most: each is locked until its end.
    batch: usize,
}

impl Moment {
    /// Names the moment of an open transaction, which must stay open.
    pub(crate) async fn of(transaction: &Transaction<'_>, batch: usize) -> Result<Self> {
        let row = transaction.query_one("SELECT pg_export_snapshot()", &[]).await;
        let row = row.map_err(|error| failed(&error))?;
        Ok(Self { id: row.get(0), batch })
    }

    /// Begins a transaction that sees it.
    pub(crate) async fn enter<'a>(&self, session: &'a mut Session) -> Result<Transaction<'a>> {
        let transaction = begin(session).await?;
        let sql = format!("SET TRANSACTION SNAPSHOT {}", literal(&self.id));
        transaction.batch_execute(&sql).await.map_err(|error| failed(&error))?;
        Ok(transaction)
    }
}

/// Begins a transaction that sees one moment and writes nothing.
pub(crate) async fn begin(session: &mut Session) -> Result<Transaction<'_>> {
    let transaction =
        session.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    transaction.start().await.map_err(|error| failed(&error))
}

pub(crate) fn failed(error: &tokio_postgres::Error) -> crate::error::Error {
    failure::failed("compare the values", error)
}

/// What a query of the target is about.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    /// Schema.
    pub(crate) schema: &'a str,
    /// Table.
    pub(crate) table: &'a str,
    /// Declared PARTITION BY: its rows are those of its partitions.
    pub(crate) is_partitioned: bool,
    /// Columns, in the order in which they are hashed.
    pub(crate) columns: &'a [ColumnPlan],
    /// How it hashes.
    pub(crate) how: How,
}

impl Place<'_> {
    /// FROM, with its table: rows of a table that inherits are that table's own.
    pub(crate) fn from(&self) -> String {
        let only = if self.is_partitioned { "" } else { "ONLY " };
        format!("FROM {only}{}", qualified(self.schema, self.table))
    }

    /// A column in its built-in type.
    pub(crate) fn column(column: &ColumnPlan) -> String {
        format!("{}::pg_catalog.{}", quoted(&column.target), column.pg_type.built_in())
    }

    /// The record whose binary form is hashed.
    pub(crate) fn record(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(Self::column).collect();
        format!("record_send(ROW({}))", columns.join(", "))
    }

    /// Counts and sums up the rows of a part.
    fn sums(&self, rule: HashRule, filter: &str) -> String {
        let [one, two] = rule::sql("b", rule);
        // OFFSET 0: the record is put together once, not for each hash.
        format!(
            "SELECT count(*), coalesce(sum({one}), 0)::text, coalesce(sum({two}), 0)::text \
             FROM (SELECT {} AS b {} {filter} OFFSET 0) x",
            self.record(),
            self.from()
        )
    }

    /// Sums up the rows that a filter leaves.
    pub(crate) async fn sums_where(
        &self,
        transaction: &Transaction<'_>,
        filter: &str,
    ) -> Result<Sums> {
        let rule = match self.how {
            How::Hashed(rule) => rule,
            How::ReadBack => return self.sums_read_back(transaction, filter).await,
        };
        let row = transaction.query_one(&self.sums(rule, filter), &[]).await;
        let row = row.map_err(|error| self.failed(&error))?;
        let sum = |at: usize| row.get::<_, &str>(at).parse().unwrap_or(i128::MAX);
        Ok(Sums {
            rows: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
            one: sum(1),
            two: sum(2),
        })
    }

    async fn sums_read_back(&self, transaction: &Transaction<'_>, filter: &str) -> Result<Sums> {
        let mut sums = Sums::default();
        // What the target has does not depend on the zone of the source's texts.
        let mut neutral = Neutral::new(self.columns, "UTC")?;
        read_back::each_row(self, transaction, &[], filter, |row| {
            neutral.target(row, 0)?;
            sums.add(neutral.hash());
            Ok(())
        })
        .await?;
        Ok(sums)
    }

    /// Names the table in an error of the server.
    pub(crate) fn failed(&self, error: &tokio_postgres::Error) -> crate::error::Error {
        let what = format!("compare table \"{}\"", self.table.escape_debug());
        failure::failed(&what, error)
    }
}

/// A part of a table.
struct Part {
    /// Position of its place.
    of: usize,
    filter: String,
}

/// How large a table is in the target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Pages; 0 for a partitioned table.
    pub(crate) pages: i64,
}

/// Sums up each table. `sizes` belong to the places.
pub(crate) async fn of_tables(
    target: &Target,
    moment: &Moment,
    places: &[Place<'_>],
    sizes: &[Size],
    jobs: usize,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Vec<Sums>> {
    let has_tid_ranges = target.version_number >= 140_000;
    let mut parts: Vec<(i64, Part)> = Vec::new();
    for (of, size) in sizes.iter().enumerate() {
        if !has_tid_ranges || size.pages <= PART_PAGES {
            parts.push((size.pages, Part { of, filter: String::new() }));
            continue;
        }
        let mut begin = 0;
        while begin < size.pages {
            let end = begin + PART_PAGES;
            // What was added since the size was read is behind the last page.
            let below =
                if end < size.pages { format!(" AND ctid < '({end},0)'") } else { String::new() };
            parts.push((
                PART_PAGES,
                Part { of, filter: format!("WHERE ctid >= '({begin},0)'{below}") },
            ));
            begin = end;
        }
    }
    // The largest first: the last ones to end are small.
    parts.sort_by_key(|(pages, _)| std::cmp::Reverse(*pages));
    let workers = jobs.min(parts.len()).max(1);
    let queue: Mutex<VecDeque<Part>> =
        Mutex::new(parts.into_iter().map(|(_, part)| part).collect());
    let sums = Mutex::new(vec![Sums::default(); places.len()]);
    let work = (0..workers).map(|_| async {
        let mut session = target.session().await?;
        loop {
            let transaction = moment.enter(&mut session).await?;
            for _ in 0..moment.batch {
                cancel.check()?;
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(part) = next else {
                    return transaction.commit().await.map_err(|error| failed(&error));
                };
                let found = places[part.of].sums_where(&transaction, &part.filter).await?;
                listener.on(Event::Progress {
                    stage: Stage::Verify,
                    work: found.rows,
                    rows: found.rows,
                });
                let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
                sums[part.of] = sums[part.of] + found;
            }
            transaction.commit().await.map_err(|error| failed(&error))?;
        }
    });
    futures_util::future::try_join_all(work).await?;
    Ok(sums.into_inner().unwrap_or_else(PoisonError::into_inner))
}
