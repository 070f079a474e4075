//! One worker: a thread that reads and encodes, a session that sends and commits.
//!
//! A unit, nearly always one range, is one transaction.

use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use deadpool_postgres::Transaction;
use tokio::sync::mpsc;

use crate::checkpoint::local::{Act, Refused};
use crate::checkpoint::store;
use crate::connect::{Session, Turn, failure};
use crate::encode::RowEncoder;
use crate::encode::range_hash::{self, RangeHasher};
use crate::error::{Error, Result};
use crate::event::{Event, Stage};
use crate::model::evidence::Span;
use crate::model::mark::Mark;
use crate::model::plan::{ColumnPlan, RangePlan};
use crate::model::range_sums::Sums;
use crate::read::{Encoded, RangeSource};

use super::merging::Merging;
use super::queue::{Queue, Unit};
use super::refused::{self, Failed};
use super::run::{CopyJob, Progress};
use super::sink::{CopySink, copy_sql};

/// [`range_hash::VERSION`] as the server has it.
const HASH_VERSION: i32 = range_hash::VERSION.cast_signed();

/// What a reading thread hands to its session.
pub(super) enum Piece {
    /// A range begins, of the unit at this position.
    Begin(usize),
    /// Bytes of COPY, with the rows that end in them.
    Chunk(Bytes, u64),
    /// The range is complete: so many rows were read, and this is kept of their values.
    End(Encoded, Box<RangeHasher>),
    /// Reading failed.
    Failed(Error),
}

/// The pieces of one reading thread, as its session takes them.
pub(super) struct Pieces<'a> {
    pub(super) receiver: mpsc::Receiver<Piece>,
    pub(super) turn: &'a Turn,
}

impl Pieces<'_> {
    /// Waits for the thread; meanwhile the server owes us nothing.
    async fn next(&mut self) -> Option<Piece> {
        self.turn.ours(self.receiver.recv()).await
    }
}

/// Reads and encodes ranges until the queue is empty, the session is gone, or a read fails.
pub(super) fn read_ranges(job: &CopyJob<'_>, queue: &Queue<'_>, pieces: &mpsc::Sender<Piece>) {
    while let Some((position, unit)) = queue.take() {
        for range in &unit.ranges {
            if job.cancel.is_asked() || pieces.blocking_send(Piece::Begin(position)).is_err() {
                return;
            }
            match read_range(job, range, pieces) {
                Ok(Some((encoded, hasher))) => {
                    let end = Piece::End(encoded, Box::new(hasher));
                    if pieces.blocking_send(end).is_err() {
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
}

/// Reads one range; `None` when the session is gone.
fn read_range(
    job: &CopyJob<'_>,
    range: &RangePlan,
    pieces: &mpsc::Sender<Piece>,
) -> Result<Option<(Encoded, RangeHasher)>> {
    let table = &job.plan.tables[range.table];
    let columns: Vec<Option<&str>> = table.columns.iter().map(ColumnPlan::read_as).collect();
    let source = RangeSource {
        table: &table.source,
        columns: &columns,
        rowid_name: table.rowid_name.as_deref(),
        span: range.span,
    };
    let encoder = RowEncoder::new(&table.columns, job.zone);
    let has_leaves = table.rowid_name.is_some() && matches!(range.span, Span::Rowids { .. });
    let mut hasher = RangeHasher::new(&table.columns, has_leaves);
    let mut is_gone = false;
    let read = job.snapshot.with(|conn| {
        source.for_each_chunk(conn, &encoder, job.on_bad_row(), &mut hasher, |chunk, rows| {
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
    read.map(|encoded| Some((encoded, hasher)))
}

/// Sends units and commits each with its checkpoints.
pub(super) async fn send_ranges(
    job: &CopyJob<'_>,
    units: &[Unit],
    mut pieces: Pieces<'_>,
    session: &mut Session,
    progress: &Mutex<Progress>,
) -> Result<()> {
    pieces.turn.with(session).await?;
    loop {
        match pieces.next().await {
            Some(Piece::Begin(position)) => {
                let unit = &units[position];
                match send_unit(job, unit, &mut pieces, session, progress).await {
                    Ok(()) => {}
                    Err(Failed::Ours(error)) => return Err(error),
                    Err(Failed::Server { range, error }) => {
                        return Err(refused::explain(job, session, range, &error).await);
                    }
                }
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

/// One transaction: the rows of a unit's ranges, and for each the row that says so.
async fn send_unit(
    job: &CopyJob<'_>,
    unit: &Unit,
    pieces: &mut Pieces<'_>,
    session: &mut Session,
    progress: &Mutex<Progress>,
) -> std::result::Result<(), Failed> {
    let Some(last) = unit.ranges.last().copied() else { return Ok(()) };
    let at = |error: tokio_postgres::Error| not_copied(job, &last, &error);
    let mut transaction = session.transaction().await.map_err(at)?;
    if let Some(fill) = &job.plan.fill {
        // Triggers, checks and index expressions of the target's own.
        let sql = format!("SET LOCAL search_path = {}", fill.search_path);
        transaction.batch_execute(&sql).await.map_err(at)?;
    }
    if unit.is_deferred {
        transaction.batch_execute("SET CONSTRAINTS ALL DEFERRED").await.map_err(at)?;
    }
    let mut copied = Vec::with_capacity(unit.ranges.len());
    for (number, range) in unit.ranges.iter().enumerate() {
        if number > 0 && !matches!(pieces.next().await, Some(Piece::Begin(_))) {
            return Err(cut_short(job, range).into());
        }
        let begun = Instant::now();
        progress_of(progress).begin(job, range);
        let mark = send_range(job, unit, range, pieces, &mut transaction).await?;
        copied.push((mark, begun.elapsed()));
    }
    let begun = Instant::now();
    // What was deferred is checked here.
    let by_server = |error| Failed::Server { range: last, error };
    match job.local {
        None => transaction.commit().await.map_err(by_server)?,
        Some(local) => {
            let marks = copied.iter().map(|(mark, _)| *mark).collect();
            local.commit(transaction, Act::Ranges(marks)).await.map_err(
                |refused| match refused {
                    Refused::Server(error) => by_server(error),
                    Refused::Ours(error) => error.into(),
                },
            )?;
        }
    }
    if let Some((_, took)) = copied.last_mut() {
        *took += begun.elapsed();
    }
    for (mark, took) in copied {
        progress_of(progress).end(job, mark, took);
    }
    Ok(())
}

fn not_copied(job: &CopyJob<'_>, range: &RangePlan, error: &tokio_postgres::Error) -> Error {
    let table = &job.plan.tables[range.table].source;
    failure::failed(&format!("copy table \"{}\"", table.escape_debug()), error)
}

/// The reader stops between chunks only when it was asked to.
fn cut_short(job: &CopyJob<'_>, range: &RangePlan) -> Error {
    job.cancel.check().err().unwrap_or_else(|| {
        let table = &job.plan.tables[range.table].source;
        Error::source_file(format!(
            "reading table \"{}\" ended before its time",
            table.escape_debug()
        ))
    })
}

/// The rows of a range and the row that says so, in an open transaction.
async fn send_range(
    job: &CopyJob<'_>,
    unit: &Unit,
    range: &RangePlan,
    pieces: &mut Pieces<'_>,
    transaction: &mut Transaction<'_>,
) -> std::result::Result<Mark, Failed> {
    let table = &job.plan.tables[range.table];
    let at = |error: tokio_postgres::Error| not_copied(job, range, &error);
    let by_server = |error: tokio_postgres::Error| Failed::Server { range: *range, error };
    let merging = Merging::of(job.plan, range.table, table);
    let copy = match &merging {
        None => transaction.prepare_cached(&copy_sql(&job.plan.schema, table)).await.map_err(at)?,
        Some(merging) => merging.stage(transaction).await?,
    };
    let mut sink = CopySink::start(transaction, &copy).await.map_err(by_server)?;
    let mut copy_bytes = 0_u64;
    let (encoded, hasher) = loop {
        match pieces.next().await {
            Some(Piece::Chunk(chunk, rows)) => {
                let bytes = chunk.len() as u64;
                copy_bytes += bytes;
                sink.send(chunk).await.map_err(by_server)?;
                job.listener.on(Event::Progress { stage: Stage::Copy, work: bytes, rows });
            }
            Some(Piece::End(encoded, hasher)) => break (encoded, hasher),
            Some(Piece::Failed(error)) => return Err(error.into()),
            Some(Piece::Begin(_)) | None => return Err(cut_short(job, range).into()),
        }
    };
    let counted = sink.finish().await.map_err(by_server)?;
    // Read = written + rejected, in every range.
    if counted != encoded.rows || encoded.rows + encoded.bad != range.rows {
        return Err(miscounted(&table.source, range.rows, encoded, counted).into());
    }
    job.reject(encoded.bad)?;
    let merged = match &merging {
        None => None,
        Some(merging) => {
            let merged = merging.merge(transaction, counted).await?;
            if unit.ranges.len() > 1 {
                merging.unstage(transaction).await?;
            }
            Some(merged)
        }
    };
    let (sums, leaves) = hasher.finish();
    let mark = Mark {
        table: range.table,
        number: range.number,
        rows: encoded.rows,
        rejected: encoded.bad,
        copy_bytes,
        merged,
        sums: Some(sums),
    };
    if job.local.is_none() {
        write_down(job, range, &mark, sums, leaves, transaction).await?;
    }
    Ok(mark)
}

/// Writes down a range in the transaction of its rows.
async fn write_down(
    job: &CopyJob<'_>,
    range: &RangePlan,
    mark: &Mark,
    sums: Sums,
    leaves: Option<Vec<u8>>,
    transaction: &Transaction<'_>,
) -> std::result::Result<(), Failed> {
    let at = |error: tokio_postgres::Error| not_copied(job, range, &error);
    let insert = transaction.prepare_cached(store::INSERT_RANGE).await.map_err(at)?;
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
                &number(mark.rows),
                &number(mark.rejected),
                &number(mark.copy_bytes),
                &sums.one.to_string(),
                &sums.two.to_string(),
                &leaves,
                &HASH_VERSION,
            ],
        )
        .await
        .map_err(at)?;
    if let Some(merged) = mark.merged {
        store::add_merged(transaction, job.run, range.table, range.number, merged).await?;
    }
    Ok(())
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
