//! One worker: a thread that reads and encodes, a session that sends and commits.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::checkpoint::store;
use crate::connect::{Session, failure};
use crate::encode::RowEncoder;
use crate::error::{Error, Result};
use crate::event::{Event, Stage};
use crate::model::mark::Mark;
use crate::model::plan::{ColumnPlan, RangePlan};
use crate::read::{Encoded, RangeSource};

use super::merging::Merging;
use super::run::{CopyJob, Progress};
use super::sink::{CopySink, copy_sql};

/// What a reading thread hands to its session.
pub(super) enum Piece {
    /// A range begins.
    Begin(usize),
    /// Bytes of COPY, with the rows that end in them.
    Chunk(Bytes, u64),
    /// The range is complete; so many rows were read.
    End(Encoded),
    /// Reading failed.
    Failed(Error),
}

/// The ranges that are still to do.
pub(super) struct Queue<'a> {
    ranges: &'a [RangePlan],
    next: AtomicUsize,
}

impl<'a> Queue<'a> {
    pub(super) const fn new(ranges: &'a [RangePlan]) -> Self {
        Self { ranges, next: AtomicUsize::new(0) }
    }

    fn take(&self) -> Option<(usize, &'a RangePlan)> {
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        self.ranges.get(position).map(|range| (position, range))
    }
}

/// Reads and encodes ranges until the queue is empty, the session is gone, or a read fails.
pub(super) fn read_ranges(job: &CopyJob<'_>, queue: &Queue<'_>, pieces: &mpsc::Sender<Piece>) {
    while let Some((position, range)) = queue.take() {
        if job.cancel.is_asked() || pieces.blocking_send(Piece::Begin(position)).is_err() {
            return;
        }
        match read_range(job, range, pieces) {
            Ok(Some(encoded)) => {
                if pieces.blocking_send(Piece::End(encoded)).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                // When the session is gone, its own error is the one that is told.
                let _ = pieces.blocking_send(Piece::Failed(error));
                return;
            }
        }
    }
}

/// Reads one range; `None` when the session is gone.
fn read_range(
    job: &CopyJob<'_>,
    range: &RangePlan,
    pieces: &mpsc::Sender<Piece>,
) -> Result<Option<Encoded>> {
    let table = &job.plan.tables[range.table];
    let columns: Vec<Option<&str>> = table.columns.iter().map(ColumnPlan::read_as).collect();
    let source = RangeSource {
        table: &table.source,
        columns: &columns,
        rowid_name: table.rowid_name.as_deref(),
        span: range.span,
    };
    let encoder = RowEncoder::new(&table.columns, job.zone);
    let mut is_gone = false;
    let read = job.snapshot.with(|conn| {
        source.for_each_chunk(conn, &encoder, job.on_bad_row(), |chunk, rows| {
            job.cancel.check()?;
            if pieces.blocking_send(Piece::Chunk(Bytes::from(chunk), rows)).is_err() {
                is_gone = true;
                return Err(Error::interrupted());
            }
            Ok(())
        })
    });
    if is_gone {
        return Ok(None);
    }
    read.map(Some)
}

/// Sends ranges and commits each with its checkpoint.
pub(super) async fn send_ranges(
    job: &CopyJob<'_>,
    ranges: &[RangePlan],
    mut pieces: mpsc::Receiver<Piece>,
    session: &mut Session,
    progress: &Mutex<Progress>,
) -> Result<()> {
    loop {
        match pieces.recv().await {
            Some(Piece::Begin(position)) => {
                let range = &ranges[position];
                let begun = Instant::now();
                progress_of(progress).begin(job, range);
                let mark = send_range(job, range, &mut pieces, session).await?;
                progress_of(progress).end(job, mark, begun.elapsed());
            }
            Some(Piece::Failed(error)) => return Err(error),
            Some(_) => return Err(Error::target("a range ended that had not begun")),
            None => {
                // The queue is empty, or the user asked to stop.
                return job.cancel.check();
            }
        }
    }
}

fn progress_of(progress: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One transaction: the rows of a range and the row that says so.
async fn send_range(
    job: &CopyJob<'_>,
    range: &RangePlan,
    pieces: &mut mpsc::Receiver<Piece>,
    session: &mut Session,
) -> Result<Mark> {
    let table = &job.plan.tables[range.table];
    let at = |error: tokio_postgres::Error| {
        failure::failed(&format!("copy table \"{}\"", table.source.escape_debug()), &error)
    };
    let merging = Merging::of(job.plan, range.table, table);
    let insert = session.prepare_cached(store::INSERT_RANGE).await.map_err(at)?;
    let mut transaction = session.transaction().await.map_err(at)?;
    if let Some(fill) = &job.plan.fill {
        // Triggers, checks and index expressions of the target's own.
        let sql = format!("SET LOCAL search_path = {}", fill.search_path);
        transaction.batch_execute(&sql).await.map_err(at)?;
    }
    let copy = match &merging {
        None => transaction.prepare_cached(&copy_sql(&job.plan.schema, table)).await.map_err(at)?,
        Some(merging) => merging.stage(&transaction).await?,
    };
    let mut sink = CopySink::start(&transaction, &copy, table).await?;
    let mut copy_bytes = 0_u64;
    let encoded = loop {
        match pieces.recv().await {
            Some(Piece::Chunk(chunk, rows)) => {
                let bytes = chunk.len() as u64;
                copy_bytes += bytes;
                sink.send(chunk).await?;
                job.listener.on(Event::Progress { stage: Stage::Copy, work: bytes, rows });
            }
            Some(Piece::End(encoded)) => break encoded,
            Some(Piece::Failed(error)) => return Err(error),
            Some(Piece::Begin(_)) | None => {
                // The reader stops between chunks only when it was asked to.
                job.cancel.check()?;
                return Err(Error::source_file(format!(
                    "reading table \"{}\" ended before its time",
                    table.source.escape_debug()
                )));
            }
        }
    };
    let counted = sink.finish().await?;
    // Read = written + rejected, in every range.
    if counted != encoded.rows || encoded.rows + encoded.bad != range.rows {
        return Err(miscounted(&table.source, range.rows, encoded, counted));
    }
    job.reject(encoded.bad)?;
    let merged = match &merging {
        None => None,
        Some(merging) => Some(merging.merge(&mut transaction, counted).await?),
    };
    let (lo, hi) = store::bounds(range);
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let position = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
    transaction
        .execute(
            &insert,
            &[
                &job.run,
                &position(range.table),
                &i32::try_from(range.number).unwrap_or(i32::MAX),
                &lo,
                &hi,
                &number(encoded.rows),
                &number(encoded.bad),
                &number(copy_bytes),
            ],
        )
        .await
        .map_err(at)?;
    if let Some(merged) = merged {
        store::add_merged(&transaction, job.run, range.table, range.number, merged).await?;
    }
    transaction.commit().await.map_err(at)?;
    Ok(Mark {
        table: range.table,
        number: range.number,
        rows: encoded.rows,
        rejected: encoded.bad,
        copy_bytes,
        merged,
    })
}

/// The three counts of a range must agree: what the scan found, what was read now, what PostgreSQL
/// says came in.
fn miscounted(table: &str, scanned: u64, encoded: Encoded, counted: u64) -> Error {
    Error::new(
        crate::error::ErrorKind::Differences,
        format!("the row counts of a range of table \"{}\" differ", table.escape_debug()),
    )
    .detail(format!(
        "The scan found {scanned} rows, reading gave {}, of them {} bad rows, PostgreSQL counted {counted}. Nothing of the range was kept.",
        encoded.rows + encoded.bad,
        encoded.bad
    ))
    .hint("Run `sqlite3 FILE 'pragma integrity_check'` on the source; the file may be damaged, or was changed while it was read.")
}
