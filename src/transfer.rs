//! The recipe: a whole transfer, stage by stage.
//!
//! Purpose: [`run`] reads as what it does. What differs between a new transfer and one that goes on
//! is in `begin`; the report is put together in `account`.

mod account;
mod attempts;
mod begin;
mod changed;
mod data_only;
mod local;
mod only_rejects;
mod rejected;

pub use attempts::RETRY_FOR;
pub use data_only::restore_constraints;
pub use only_rejects::only_rejects;

use std::sync::Arc;
use std::time::Instant;

use crate::checkpoint::local::Local;
use crate::checkpoint::{resume, store};
use crate::connect::{Target, Turn};
use crate::copy::{self, CopyJob};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::finish::restore;
use crate::finish::run::{self as finish, FinishJob};
use crate::inspect::{self, Opened};
use crate::model::plan::{RangePlan, TransferPlan};
use crate::options::{self, TransferOptions};
use crate::report::{InspectReport, TransferReport};
use crate::verify::compare::{self, Comparison};

use account::Account;
use attempts::Attempts;
use begin::Begun;

/// Sessions beside those of the jobs: one holds the lock, one looks and writes down.
const SESSIONS_EXTRA: usize = 2;

/// `litelift transfer`.
///
/// # Errors
/// Of every kind of [`crate::error::ErrorKind`]; whatever was committed stays, and running the same
/// command again continues.
pub async fn run(
    options: &TransferOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    options::check_schema(&options.inspect.into)?;
    let target = Target::open(&options.to, options.inspect.jobs + SESSIONS_EXTRA, cancel).await?;
    let local = Local::open(&options.checkpoints)?.map(Arc::new);
    let work = Box::pin(transfer(&target, options, local.as_ref(), listener, cancel));
    let ended = target.until_cancelled(cancel, work).await;
    ended.map_err(|error| local.iter().fold(error, |error, local| local.left(error)))
}

async fn transfer(
    target: &Target,
    options: &TransferOptions,
    local: Option<&Arc<Local>>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    let mut opened =
        tokio::task::block_in_place(|| inspect::open(&options.inspect, listener, cancel))?;
    let mut attempts = Attempts::new(target, options, listener, cancel);
    loop {
        let turn = Turn::default();
        let attempt =
            Box::pin(attempt(target, &mut opened, &mut attempts, local, listener, cancel));
        // Watched in here, for a connection that is dead is a reason to try again.
        match target.watched(&turn, attempt).await {
            Err(error) => attempts.after(error).await?,
            ended => return ended,
        }
    }
}

/// From where the target says that the transfer is, to the end.
async fn attempt(
    target: &Target,
    opened: &mut Opened,
    attempts: &mut Attempts<'_>,
    local: Option<&Arc<Local>>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    attempts.lock().await?;
    let mut begun =
        begin::begin_or_continue(target, &attempts.options, opened, local, listener, cancel)
            .await?;
    let is_first = attempts.has_begun(&mut begun);
    let options = &attempts.options;
    let mut account = Account::new(target, opened, &begun);
    // What an earlier try of this command did is compared and told like all else.
    if begun.is_done && is_first {
        let bad_rows = &options.bad_rows;
        account.rejected(
            rejected::account(target, opened, &begun, bad_rows, listener.as_ref(), cancel).await?,
        );
        return Ok(account.already_done());
    }
    carry_out(target, options, opened, &begun, listener, cancel, &mut account)
        .await
        .map_err(|error| to_be_continued(error, &begun))?;
    Ok(account.report())
}

async fn carry_out(
    target: &Target,
    options: &TransferOptions,
    opened: &Opened,
    begun: &Begun,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
    account: &mut Account<'_>,
) -> Result<()> {
    copy_rows(target, options, opened, begun, listener, cancel, account).await?;
    finish_tables(target, options, begun, listener, cancel, account).await?;
    let rejected =
        rejected::account(target, opened, begun, &options.bad_rows, listener.as_ref(), cancel)
            .await?;
    account.rejected(rejected);
    let is_equal = compare(target, options, opened, begun, listener, cancel, account).await?;
    opened.snapshot.check_unchanged()?;
    account.remarks(opened.snapshot.remarks());
    let not_as_before = restore::differences(&target.session().await?, &begun.plan).await?;
    let is_as_before = not_as_before.is_empty();
    account.not_as_before(not_as_before);
    // What differs is not done: the next command must not say that all was well.
    if is_equal && is_as_before {
        match &begun.local {
            Some(local) => local.finish()?,
            None => store::finish(&mut target.session().await?, begun.run).await?,
        }
    }
    Ok(())
}

/// Compares both sides; returns whether they are equal.
async fn compare(
    target: &Target,
    options: &TransferOptions,
    opened: &Opened,
    begun: &Begun,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
    account: &mut Account<'_>,
) -> Result<bool> {
    let Some(level) = options.verify else { return Ok(true) };
    let session = target.session().await?;
    let outcome = match &begun.local {
        Some(local) => {
            let marks = local.progress()?.map(|progress| progress.marks).unwrap_or_default();
            compare::outcome_of(&begun.plan, marks)
        }
        None => {
            let marks = store::marks(&session, begun.run).await?;
            compare::outcome(&session, begun.run, &begun.plan, marks, true).await?
        }
    };
    drop(session);
    let comparison = Comparison {
        snapshot: &opened.snapshot,
        schema: &opened.schema,
        zone: &opened.zone,
        target,
        into: &begun.plan.schema,
        level,
        jobs: options.inspect.jobs,
        shown_max: compare::SHOWN_MAX,
        redact: false,
        lines: None,
        repair: false,
        listener,
        cancel,
    };
    let verified = comparison.run(Some((&begun.plan, &outcome)), &|_| true, Vec::new()).await?;
    let is_equal = verified.differing() == 0;
    account.verified(verified);
    Ok(is_equal)
}

/// Says how to go on when the server, or the way to it, failed in the middle.
fn to_be_continued(error: Error, begun: &Begun) -> Error {
    let is_kept = |hint: &String| error.kind() == ErrorKind::Target || hint != KEPT;
    let hints: Vec<String> = hints_to_continue(begun).into_iter().filter(is_kept).collect();
    hints.into_iter().fold(error, Error::hint)
}

/// What was committed, and what was taken away.
const KEPT: &str = "What was committed is kept. Run the same command again to continue.";

fn hints_to_continue(begun: &Begun) -> Vec<String> {
    let is_kept = begun.local.as_ref().is_none_or(|local| local.path().is_some());
    let mut hints: Vec<String> = is_kept.then(|| KEPT.to_owned()).into_iter().collect();
    if begun.plan.fill.as_ref().is_some_and(|fill| !fill.journal.is_empty()) {
        hints.push(
            "Until it is done the target lacks foreign keys, indexes or triggers. To give it up: `litelift restore-constraints --to URL`.".to_owned(),
        );
    }
    hints
}

async fn copy_rows(
    target: &Target,
    options: &TransferOptions,
    opened: &Opened,
    begun: &Begun,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
    account: &mut Account<'_>,
) -> Result<()> {
    let clock = Instant::now();
    let is_left = |range: &&RangePlan| {
        !begun.marks.iter().any(|mark| (mark.table, mark.number) == (range.table, range.number))
    };
    let left: Vec<&RangePlan> = begun.plan.ranges.iter().filter(is_left).collect();
    listener.on(Event::StageStarted {
        stage: Stage::Copy,
        work: left.iter().map(|range| range.copy_bytes).sum(),
        rows: left.iter().map(|range| range.rows).sum(),
    });
    let job = CopyJob {
        plan: &begun.plan,
        run: begun.run,
        local: begun.local.as_deref(),
        snapshot: &opened.snapshot,
        zone: &opened.zone,
        target,
        bad_rows: &options.bad_rows,
        rejected: begun.marks.iter().map(|mark| mark.rejected).sum::<u64>().into(),
        jobs: options.inspect.jobs,
        listener,
        cancel,
    };
    let (marks, times) = copy::run(&job, &begun.marks).await?;
    listener.on(Event::StageEnded { stage: Stage::Copy });
    account.copied(&marks, &times, clock.elapsed(), options.inspect.jobs.min(left.len()));
    Ok(())
}

async fn finish_tables(
    target: &Target,
    options: &TransferOptions,
    begun: &Begun,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
    account: &mut Account<'_>,
) -> Result<()> {
    let work = begun.plan.finish.len() - begun.steps.len().min(begun.plan.finish.len());
    listener.on(Event::StageStarted { stage: Stage::Finish, work: work as u64, rows: 0 });
    let job = FinishJob {
        plan: &begun.plan,
        run: begun.run,
        local: begun.local.as_deref(),
        target,
        jobs: options.inspect.jobs,
        listener,
        cancel,
    };
    let finished = finish::run(&job, begun.steps.clone()).await?;
    listener.on(Event::StageEnded { stage: Stage::Finish });
    account.finished(finished);
    Ok(())
}

/// What a dry run found.
#[derive(Debug)]
pub struct DryRun {
    /// What would become of everything.
    pub report: InspectReport,
    /// Why a transfer would write nothing.
    pub refused: Option<Error>,
}

impl DryRun {
    /// Puts together what was found.
    fn new(mut report: InspectReport, refused: Option<Error>) -> Self {
        report.would_refuse = refused.as_ref().map(Into::into);
        Self { report, refused }
    }

    /// Returns the report of a transfer that would not be refused.
    ///
    /// # Errors
    /// The refusal.
    pub fn accepted(self) -> Result<InspectReport> {
        self.refused.map_or(Ok(self.report), Err)
    }
}

/// `litelift transfer --dry-run`: looks at both sides and writes nothing.
///
/// # Errors
/// As [`run`], as far as nothing can be shown; a refusal of what can be shown is in [`DryRun::refused`].
pub async fn dry_run(
    options: &TransferOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<DryRun> {
    options::check_schema(&options.inspect.into)?;
    let target = Target::open(&options.to, SESSIONS_EXTRA, cancel).await?;
    let work = Box::pin(async {
        let mut opened =
            tokio::task::block_in_place(|| inspect::open(&options.inspect, listener, cancel))?;
        if let Some(data_only) = &options.inspect.data_only {
            return data_only::dry_run(&target, options, data_only, &mut opened, listener, cancel)
                .await;
        }
        let schema = &options.inspect.into;
        let targets = opened.target_names();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        resume::refuse_existing(&target.session().await?, schema, &targets, &[]).await?;
        let looked = tokio::task::block_in_place(|| {
            inspect::look(&opened, options.inspect.jobs, listener, cancel)
        })?;
        let taken = resume::taken_names(&target.session().await?, schema).await?;
        let plan = opened.plan(&looked, schema, &taken)?;
        let report = inspect::report(&opened, &looked, &plan, true);
        Ok(DryRun::new(report, refusal(&plan, options).err()))
    });
    target.until_cancelled(cancel, work).await
}

/// What the values stand in the way of.
fn refusal(plan: &TransferPlan, options: &TransferOptions) -> Result<()> {
    if options.strict {
        begin::refuse_when_strict(plan)?;
    }
    rejected::refuse(plan, &options.bad_rows, "nothing was written")
}
