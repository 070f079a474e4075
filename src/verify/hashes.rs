//! Values compared, without moving them where the server can hash.
//!
//! Purpose: the recipe of `verify --level hashes`, and of `full`, where the target's rows are read back and held
//! against the source by the witness instead (`read_back`). Both sides sum up hashes of their rows, each in one moment and
//! at the same time; tables whose sums agree are equal in every bit that their types have (64 bits by each of
//! two seeds), the others are looked at row by row (`drill`). What a transfer kept of what it sent
//! takes the place of a second look at the source.
//!
//! Known gaps: the hash is no cryptographic one: it finds faults, not forgeries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use deadpool_postgres::Transaction;

use crate::checkpoint::tables;
use crate::error::{Error, Result};
use crate::event::{Event, Stage};
use crate::model::range_sums::Sums;
use crate::report::{
    ComparedValues, REPORT_VERSION, RowDifference, VerifiedTable, VerifyLevel, VerifyReport,
};

use super::compare::Comparison;
use super::counts;
use super::drill::Drill;
use super::rule::{self, How};
use super::source_sums::{self, SourcePart};
use super::subject::Subject;
use super::target_sums::{self, Moment, Place, Size, begin};

/// Compares tables.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Target`], interrupted. Differences are no
/// error.
pub(super) async fn compare(job: &Comparison<'_>, subjects: &[Subject]) -> Result<VerifyReport> {
    let begun = Instant::now();
    let mut holder = job.target.session().await?;
    let batch = tables::batch(&holder).await?;
    let how = match (job.level, rule::ask(&holder).await) {
        (VerifyLevel::Full, _) => How::ReadBack,
        (_, Some(rule)) => How::Hashed(rule),
        (_, None) => {
            let told = "The server hashes in no way that litelift knows; the values are read back instead.";
            job.listener.on(Event::Note(told.to_owned()));
            How::ReadBack
        }
    };
    let transaction = begin(&mut holder).await?;
    let moment = Moment::of(&transaction, batch).await?;
    let found = there(&transaction, job.into, subjects).await?;
    let compared: Vec<usize> = (0..subjects.len())
        .filter(|at| subjects[*at].is_compared() && found[*at].is_some())
        .collect();
    let places: Vec<Place<'_>> = compared
        .iter()
        .map(|at| Place {
            schema: job.into,
            table: &subjects[*at].pair.target,
            is_partitioned: found[*at].is_some_and(|there| there.is_partitioned),
            columns: &subjects[*at].columns,
            how,
        })
        .collect();
    let sizes: Vec<Size> = compared
        .iter()
        .map(|at| Size { pages: found[*at].map_or(0, |there| there.pages) })
        .collect();
    let (source, target) = both_sides(job, how, subjects, &compared, &moment, &places, &sizes)?;
    let mut report = VerifyReport {
        version: REPORT_VERSION,
        level: job.level,
        tables: Vec::with_capacity(subjects.len()),
        sequences_behind: Vec::new(),
        not_compared: Vec::new(),
        explained: Vec::new(),
        unsound: Vec::new(),
        differences: Vec::new(),
        repaired: Vec::new(),
        wall_s: 0.0,
    };
    // In the order of the subjects, as `compared` is.
    let mut next = compared.iter().copied().enumerate().peekable();
    for (at, subject) in subjects.iter().enumerate() {
        let Some((position, _)) = next.next_if(|(_, compared)| *compared == at) else {
            let (snapshot, pair) = (job.snapshot, &subject.pair);
            let table =
                counts::count(snapshot, &transaction, job.into, pair, job.listener, job.cancel);
            report.tables.push(table.await?);
            continue;
        };
        let one = One { job, subject, place: &places[position], transaction: &transaction };
        let (table, rows) = one.verdict(&source[position], target[position]).await?;
        report.tables.push(table);
        report.differences.extend(rows);
    }
    transaction.commit().await.map_err(|error| target_sums::failed(&error))?;
    job.listener.on(Event::StageEnded { stage: Stage::Verify });
    report.wall_s = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// A table of the target.
#[derive(Debug, Clone, Copy)]
struct There {
    is_partitioned: bool,
    pages: i64,
}

async fn there(
    transaction: &Transaction<'_>,
    schema: &str,
    subjects: &[Subject],
) -> Result<Vec<Option<There>>> {
    let names: Vec<&str> = subjects.iter().map(|subject| subject.pair.target.as_str()).collect();
    let rows = transaction
        .query(
            "SELECT c.relname::text, c.relkind = 'p', \
             CASE c.relkind WHEN 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint ELSE 0 END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname = ANY ($2)",
            &[&schema, &names],
        )
        .await
        .map_err(|error| target_sums::failed(&error))?;
    let known: std::collections::HashMap<String, There> = rows
        .iter()
        .map(|row| (row.get(0), There { is_partitioned: row.get(1), pages: row.get(2) }))
        .collect();
    Ok(names.iter().map(|name| known.get(*name).copied()).collect())
}

/// Sums up both sides at once: the source on threads, the target by its own processes.
fn both_sides(
    job: &Comparison<'_>,
    how: How,
    subjects: &[Subject],
    compared: &[usize],
    moment: &Moment,
    places: &[Place<'_>],
    sizes: &[Size],
) -> Result<(Vec<Vec<SourcePart>>, Vec<Sums>)> {
    let is_kept = |subject: &Subject| how.is_kept() && subject.stored.is_some();
    let to_read: Vec<&Subject> =
        compared.iter().map(|at| &subjects[*at]).filter(|subject| !is_kept(subject)).collect();
    let rows: u64 = compared.iter().map(|at| subjects[*at].rows_expected).sum();
    // Both sides go on at the same time: the target's rows tell how far it is.
    job.listener.on(Event::StageStarted { stage: Stage::Verify, work: rows, rows });
    let listener = job.listener.as_ref();
    let is_over = AtomicBool::new(false);
    let (source, target) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| source_sums::of_tables(job, &to_read, how, &is_over));
        let target = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(target_sums::of_tables(
                job.target, moment, places, sizes, job.jobs, listener, job.cancel,
            ))
        });
        if target.is_err() {
            // Nobody waits for the source any more.
            is_over.store(true, Ordering::Relaxed);
        }
        (reader.join(), target)
    });
    let target = target?;
    let read = source
        .map_err(|_| Error::source_file("a thread that reads the source failed unexpectedly"))??;
    let mut read = read.into_iter();
    let source = compared.iter().map(|at| match &subjects[*at].stored {
        Some(stored) if how.is_kept() => {
            stored.iter().map(|sums| SourcePart { sums: *sums, bad: 0 }).collect()
        }
        _ => read.next().unwrap_or_default(),
    });
    Ok((source.collect(), target))
}

/// One table, both sides summed up.
struct One<'a> {
    job: &'a Comparison<'a>,
    subject: &'a Subject,
    place: &'a Place<'a>,
    transaction: &'a Transaction<'a>,
}

impl One<'_> {
    async fn verdict(
        &self,
        parts: &[SourcePart],
        target: Sums,
    ) -> Result<(VerifiedTable, Vec<RowDifference>)> {
        let pair = &self.subject.pair;
        let source: Sums = parts.iter().map(|part| part.sums).sum();
        // Rows whose values do not fit are not among those that the target must have.
        let bad = match &self.subject.stored {
            Some(_) => pair.rejected + pair.resent,
            None => parts.iter().map(|part| part.bad).sum(),
        };
        let columns = self.subject.columns.len() as u64;
        let mut values =
            ComparedValues { compared: source.rows * columns, ..ComparedValues::default() };
        let mut shown = Vec::new();
        if source != target {
            let drill = Drill {
                snapshot: self.job.snapshot,
                transaction: self.transaction,
                subject: self.subject,
                place: self.place,
                zone: self.job.zone,
                cancel: self.job.cancel,
            };
            let sums: Vec<Sums> = parts.iter().map(|part| part.sums).collect();
            let drilled =
                drill.down(&sums, self.job.shown_max, self.job.redact, self.job.lines).await?;
            let compared = values.compared;
            values = ComparedValues { compared, ..drilled.values };
            shown = drilled.shown;
        }
        self.allow_for(&mut values, &mut shown, bad);
        let table = VerifiedTable {
            source: pair.source.clone(),
            target: pair.target.clone(),
            source_rows: source.rows + bad,
            target_rows: Some(target.rows),
            rejected: pair.rejected,
            merged: pair.merged,
            values: Some(values),
        };
        Ok((table, shown))
    }

    /// Takes away what is no difference: rows that the target had before, or that were kept there by wish; rows
    /// that were rejected and sent later. Adds rows of the source that do not fit and that nobody rejected.
    fn allow_for(&self, values: &mut ComparedValues, shown: &mut Vec<RowDifference>, bad: u64) {
        use crate::report::RowFault::{Different, Extra, Missing};
        let pair = &self.subject.pair;
        let mut forgive = |fault, count: &mut u64, allowed: u64| {
            if *count <= allowed {
                *count = 0;
                shown.retain(|row| row.fault != fault);
            }
        };
        if let Some(merged) = pair.merged {
            forgive(Extra, &mut values.extra, merged.target_before);
            forgive(Different, &mut values.different, merged.merged.kept);
            forgive(Missing, &mut values.missing, merged.merged.kept);
        }
        forgive(Extra, &mut values.extra, pair.resent);
        values.missing += bad.saturating_sub(pair.rejected + pair.resent);
    }
}
