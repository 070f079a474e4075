//! All ranges of a transfer, over several workers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::checkpoint::local::Local;
use crate::connect::{Target, Turn};
use crate::encode::Zone;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::model::mark::Mark;
use crate::model::plan::{RangePlan, TransferPlan};
use crate::options::BadRows;
use crate::read::{OnBadRow, Snapshot};

use super::CHUNKS_QUEUED;
use super::queue::{self, Queue, Unit};
use super::worker::{Pieces, read_ranges, send_ranges};

/// What is copied, from where to where.
pub struct CopyJob<'a> {
    /// Plan.
    pub plan: &'a TransferPlan,
    /// Id of the run.
    pub run: i64,
    /// Where ranges are written down, when not in the target.
    pub local: Option<&'a Local>,
    /// Connections to the source, on one state.
    pub snapshot: &'a Snapshot,
    /// Zone of texts that name none.
    pub zone: &'a Zone,
    /// Sessions with the target.
    pub target: &'a Target,
    /// What to do with bad rows.
    pub bad_rows: &'a BadRows,
    /// Rows that were left out so far, those of earlier commands included.
    pub rejected: AtomicU64,
    /// Workers.
    pub jobs: usize,
    /// Who is told.
    pub listener: &'a Arc<dyn Listener>,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

impl CopyJob<'_> {
    pub(super) fn on_bad_row(&self) -> OnBadRow {
        match self.bad_rows {
            BadRows::Stop => OnBadRow::Stop,
            BadRows::Reject { .. } => OnBadRow::LeaveOut,
        }
    }

    /// Counts rows that are left out; an error when they are more than the user allows.
    pub(super) fn reject(&self, rows: u64) -> Result<()> {
        let all = self.rejected.fetch_add(rows, Ordering::Relaxed) + rows;
        match self.bad_rows {
            BadRows::Reject { rows_max: Some(max), .. } if all > *max => Err(too_many_bad(*max)),
            _ => Ok(()),
        }
    }
}

/// The error of `--max-rejects`.
pub(crate) fn too_many_bad(max: u64) -> Error {
    Error::new(ErrorKind::Differences, format!("more than {max} rows do not fit"))
        .detail("--max-rejects allows no more. What was committed is kept.")
        .hint("`litelift inspect` shows the columns. Run the same command with a higher --max-rejects to continue, or mend the type map and begin again with --restart.")
}

/// How long a table took in this run.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableTimes {
    /// From the begin of its first range to the commit of its last.
    pub wall: Duration,
    /// Sum over its ranges.
    pub work: Duration,
}

/// What is known of the tables on their way.
pub(super) struct Progress {
    marks: Vec<Mark>,
    tables: BTreeMap<usize, TableProgress>,
    ranges_left: BTreeMap<usize, usize>,
    rows_before: BTreeMap<usize, u64>,
}

struct TableProgress {
    begun: Instant,
    ended: Instant,
    work: Duration,
    rows: u64,
}

impl Progress {
    fn new(todo: &[RangePlan], before: &[Mark]) -> Self {
        let mut ranges_left = BTreeMap::new();
        for range in todo {
            *ranges_left.entry(range.table).or_insert(0) += 1;
        }
        let mut rows_before = BTreeMap::new();
        for mark in before {
            *rows_before.entry(mark.table).or_insert(0) += mark.rows;
        }
        Self { marks: Vec::new(), tables: BTreeMap::new(), ranges_left, rows_before }
    }

    pub(super) fn begin(&mut self, job: &CopyJob<'_>, range: &RangePlan) {
        let now = Instant::now();
        if self.tables.contains_key(&range.table) {
            return;
        }
        let fresh = TableProgress { begun: now, ended: now, work: Duration::ZERO, rows: 0 };
        self.tables.insert(range.table, fresh);
        let table = &job.plan.tables[range.table];
        let before = self.rows_before.get(&range.table).copied().unwrap_or(0);
        job.listener.on(Event::TableStarted {
            table: table.source.clone(),
            rows: table.rows.saturating_sub(before),
        });
    }

    pub(super) fn end(&mut self, job: &CopyJob<'_>, mark: Mark, took: Duration) {
        self.marks.push(mark);
        let left = self.ranges_left.entry(mark.table).or_insert(1);
        *left -= 1;
        let is_last = *left == 0;
        if let Some(table) = self.tables.get_mut(&mark.table) {
            table.ended = Instant::now();
            table.work += took;
            table.rows += mark.rows;
            if is_last {
                let before = self.rows_before.get(&mark.table).copied().unwrap_or(0);
                job.listener.on(Event::TableCopied {
                    table: job.plan.tables[mark.table].source.clone(),
                    rows: table.rows + before,
                    seconds: table.ended.duration_since(table.begun).as_secs_f64(),
                });
            }
        }
    }
}

/// Copies the ranges that are not among the marks of earlier runs. Returns the marks of this run and
/// how long each table took.
///
/// The first failure stops the others: their open transactions roll back.
///
/// # Errors
/// What reading, encoding or sending says.
pub async fn run(
    job: &CopyJob<'_>,
    before: &[Mark],
) -> Result<(Vec<Mark>, BTreeMap<usize, TableTimes>)> {
    let done: std::collections::BTreeSet<(usize, u32)> =
        before.iter().map(|mark| (mark.table, mark.number)).collect();
    let todo: Vec<RangePlan> = job
        .plan
        .ranges
        .iter()
        .filter(|range| !done.contains(&(range.table, range.number)))
        .copied()
        .collect();
    let progress = Mutex::new(Progress::new(&todo, before));
    for units in queue::levels(job.plan, &todo) {
        run_level(job, &units, &progress).await?;
    }
    let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    let times = progress
        .tables
        .iter()
        .map(|(table, seen)| {
            let wall = seen.ended.duration_since(seen.begun);
            (*table, TableTimes { wall, work: seen.work })
        })
        .collect();
    Ok((progress.marks, times))
}

/// Copies what has no order among itself.
async fn run_level(job: &CopyJob<'_>, units: &[Unit], progress: &Mutex<Progress>) -> Result<()> {
    let workers = job.jobs.min(units.len());
    let mut sessions = Vec::with_capacity(workers);
    for _ in 0..workers {
        sessions.push(job.target.session().await?);
    }
    let queue = Queue::new(units);
    let turns: Vec<Turn> = sessions.iter().map(|_| Turn::default()).collect();
    let (result, is_panicked) = std::thread::scope(|scope| {
        let mut readers = Vec::with_capacity(workers);
        let mut senders = Vec::with_capacity(workers);
        for (session, turn) in sessions.iter_mut().zip(&turns) {
            let (to_session, from_reader) = mpsc::channel(CHUNKS_QUEUED);
            let queue = &queue;
            readers.push(scope.spawn(move || read_ranges(job, queue, &to_session)));
            let pieces = Pieces { receiver: from_reader, turn };
            let work = send_ranges(job, units, pieces, session, progress);
            senders.push(job.target.watched(turn, work));
        }
        // The futures own the receiving ends: when the first fails, all are dropped here, every
        // reader sees its channel closed and returns, and the scope can end.
        let result = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                tokio::select! {
                    all = futures_util::future::try_join_all(senders) => all,
                    () = job.cancel.asked() => Err(Error::interrupted()),
                }
            })
        });
        let joined: Vec<_> = readers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        (result, joined.iter().any(std::result::Result::is_err))
    });
    if is_panicked {
        return Err(Error::source_file("a thread that reads the source failed unexpectedly"));
    }
    result.map(|_| ())
}
