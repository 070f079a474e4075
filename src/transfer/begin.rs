//! Begin a transfer, or go on with one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::local::Local;
use crate::checkpoint::resume::{self, Earlier, Leftover, Touched};
use crate::checkpoint::store::{self, Run, StepOutcome};
use crate::checkpoint::tables::{self, RefusedClause};
use crate::checkpoint::{journal, made};
use crate::connect::{Session, Target, failure};
use crate::copy::reject;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::inspect::{self, Opened};
use crate::model::mark::Mark;
use crate::model::plan::TransferPlan;
use crate::options::{BadRows, FileCheck, TransferOptions};

use super::{changed, data_only, local, rejected};

/// A transfer that has begun, now or earlier.
pub(super) struct Begun {
    /// Id of the run; 0: the target knows of none.
    pub(super) run: i64,
    /// Where it is written down, when not in the target.
    pub(super) local: Option<Arc<Local>>,
    /// The plan, as it was when the run began.
    pub(super) plan: TransferPlan,
    /// What is copied already.
    pub(super) marks: Vec<Mark>,
    /// What of it earlier commands copied.
    pub(super) before: Vec<Mark>,
    /// What the server refused of the tables, by their position in the plan.
    pub(super) refused: Vec<(usize, RefusedClause)>,
    /// What earlier commands finished.
    pub(super) steps: Vec<(usize, StepOutcome)>,
    /// True when an earlier command began it.
    pub(super) is_continued: bool,
    /// True when there is nothing left to do.
    pub(super) is_done: bool,
    /// When it was done, as the server prints it.
    pub(super) finished_at: Option<String>,
    /// How long the scan took.
    pub(super) looked: Duration,
}

impl Begun {
    /// A run that has begun just now.
    pub(super) fn new(
        run: i64,
        plan: TransferPlan,
        refused: Vec<(usize, RefusedClause)>,
        looked: Duration,
    ) -> Self {
        let (marks, before, steps) = (Vec::new(), Vec::new(), Vec::new());
        let (is_continued, is_done, finished_at) = (false, false, None);
        Self {
            run,
            local: None,
            plan,
            marks,
            before,
            refused,
            steps,
            is_continued,
            is_done,
            finished_at,
            looked,
        }
    }
}

/// Finds what an earlier command left, or looks at the source, plans and makes the tables.
pub(super) async fn begin_or_continue(
    target: &Target,
    options: &TransferOptions,
    opened: &mut Opened,
    local: Option<&Arc<Local>>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Begun> {
    if let Some(local) = local {
        return local::begin_or_continue(target, options, opened, local, listener, cancel).await;
    }
    let mut session = target.session().await?;
    let source = opened.path.to_string_lossy().into_owned();
    let into = &options.inspect.into;
    let earlier =
        resume::look(&session, &source, into, &opened.fingerprint, options.restart).await?;
    let (run, touched, leftover) = match earlier {
        Earlier::Done(run) => return load(&session, *run).await,
        Earlier::Unfinished(run) => (Some(run), None, None),
        Earlier::Touched(run, touched) => (Some(run), Some(touched), None),
        Earlier::Replaced(leftover) => (None, None, Some(leftover)),
        Earlier::None => (None, None, None),
    };
    if let Some(run) = run {
        let run = load(&session, *run).await?;
        let touched = touched.as_ref();
        if let Some(run) =
            go_on(&mut session, options, opened, run, touched, listener, cancel).await?
        {
            return Ok(run);
        }
    }
    if let Some(data_only) = &options.inspect.data_only {
        return data_only::begin(
            &mut session,
            options,
            data_only,
            opened,
            leftover,
            None,
            listener,
            cancel,
        )
        .await;
    }
    let mut new = New { options, opened, source: &source, leftover };
    new.begin(&mut session, listener, cancel).await
}

/// Makes a run ready to go on; `None` when it is not one of this file.
async fn go_on(
    session: &mut Session,
    options: &TransferOptions,
    opened: &mut Opened,
    mut begun: Begun,
    touched: Option<&Touched>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Option<Begun>> {
    let told = listener.as_ref();
    // When the run began the file was checked, as far as anybody asked for that; it is looked at again when it
    // is not the same since.
    if touched.is_some() || matches!(opened.check, FileCheck::Quick | FileCheck::Full) {
        tokio::task::block_in_place(|| inspect::check_file(opened, listener, cancel))?;
    }
    if let Some(touched) = touched
        && !changed::settle(session, options, opened, &mut begun, touched, told, cancel).await?
    {
        return Ok(None);
    }
    if begun.is_done {
        return Ok(Some(begun));
    }
    let missing = tables::missing(session, begun.run, &begun.plan).await?;
    tables::make_missing(session, begun.run, &begun.plan, &missing, cancel).await?;
    begun.refused = tables::refused(session, begun.run).await?;
    rejected::refuse(&begun.plan, &options.bad_rows, "nothing more was written")?;
    changed::check_counts(session, &mut begun, told).await?;
    data_only::go_on(session, opened, &mut begun).await?;
    let (done, all) = (begun.marks.len(), begun.plan.ranges.len());
    listener.on(Event::Note(format!(
        "Continuing run {}: {done} of {all} ranges are there already.",
        begun.run
    )));
    Ok(Some(begun))
}

/// Reads what earlier commands did of a run.
pub(super) async fn load(session: &Session, run: Run) -> Result<Begun> {
    let marks = store::marks(session, run.id).await?;
    let refused = tables::refused(session, run.id).await?;
    let steps = store::steps(session, run.id).await?;
    Ok(Begun {
        run: run.id,
        local: None,
        plan: run.plan,
        before: marks.clone(),
        marks,
        refused,
        steps,
        is_continued: true,
        is_done: run.done,
        finished_at: run.finished_at,
        looked: Duration::ZERO,
    })
}

/// A transfer that is about to begin.
struct New<'a> {
    options: &'a TransferOptions,
    opened: &'a Opened,
    /// Path by which the run is known.
    source: &'a str,
    /// What an earlier run left and this one replaces.
    leftover: Option<Leftover>,
}

impl New<'_> {
    async fn begin(
        &mut self,
        session: &mut Session,
        listener: &Arc<dyn Listener>,
        cancel: &Cancel,
    ) -> Result<Begun> {
        let into = &self.options.inspect.into;
        if let Some(Leftover { run, .. }) = &self.leftover {
            // Forgetting the run would be forgetting how the tables that it filled were.
            let taken = journal::taken(session, Some(*run)).await?;
            if !taken.is_empty() {
                return Err(journal::not_restored(&taken));
            }
        }
        // Names follow from the schema alone: what stands in the way is told before the scan.
        let targets = self.opened.target_names();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let own = self.leftover.as_ref().map_or(&[][..], |leftover| &leftover.made);
        resume::refuse_existing(session, into, &targets, own).await?;
        store::try_rights(session, into, true).await?;
        let looked = tokio::task::block_in_place(|| {
            inspect::look(self.opened, self.options.inspect.jobs, listener, cancel)
        })?;
        let batch = tables::batch(session).await?;
        if let Some(Leftover { run, made }) = &mut self.leftover {
            made::discard_most(session, *run, into, made, batch).await?;
        }
        // One transaction, as far as the server has locks for all tables: whatever goes wrong, what
        // was there before is still there, and nothing else. What is replaced may be all that there is.
        let begin = |error| failure::failed("begin the transfer", &error);
        let mut transaction = session.transaction().await.map_err(begin)?;
        if let Some(Leftover { run, made }) = &self.leftover {
            made::discard(&transaction, *run, into, made).await?;
        }
        let taken = resume::taken_names(&transaction, into).await?;
        let plan = self.opened.plan(&looked, into, &taken)?;
        refuse_taken_types(&plan, &taken)?;
        super::refusal(&plan, self.options)?;
        if let BadRows::Reject { dir, .. } = &self.options.bad_rows {
            reject::prepare(dir, &plan)?;
        }
        store::prepare(&transaction).await?;
        let fingerprint = &self.opened.fingerprint;
        let run = store::begin(&transaction, self.source, fingerprint, &plan).await?;
        let positions: Vec<usize> = (0..plan.tables.len()).collect();
        let (first, rest) = positions.split_at(batch.min(positions.len()));
        tables::make(&mut transaction, run, &plan, first).await?;
        transaction.commit().await.map_err(begin)?;
        tables::make_missing(session, run, &plan, rest, cancel).await?;
        let refused = tables::refused(session, run).await?;
        Ok(Begun::new(run, plan, refused, looked.took))
    }
}

/// An enum type that is there already is not ours to fill or to change.
pub(super) fn refuse_taken_types(plan: &TransferPlan, taken: &BTreeSet<String>) -> Result<()> {
    match plan.types.iter().find(|made| taken.contains(&made.name)) {
        None => Ok(()),
        Some(made) => Err(Error::new(
            ErrorKind::TargetState,
            format!(
                "type \"{}\" exists already in schema \"{}\"",
                made.name.escape_debug(),
                plan.schema.escape_debug()
            ),
        )
        .hint("Give the type map's rule another name, as enum(NAME), or drop the type yourself.")),
    }
}

/// `--strict`: nothing is written when anything would not arrive as it is.
pub(super) fn refuse_when_strict(plan: &TransferPlan) -> Result<()> {
    if plan.widened.is_empty() && plan.not_carried.is_empty() && plan.unfit.is_empty() {
        return Ok(());
    }
    const SHOWN_MAX: usize = 10;
    let widened = plan.widened.iter().map(|column| {
        format!(
            "Column \"{}\".\"{}\" would become {} instead of {}: {} ({} values).",
            column.table.escape_debug(),
            column.column.escape_debug(),
            column.becomes,
            column.widening.from,
            column.widening.found,
            column.widening.misfits
        )
    });
    let left = plan.not_carried.iter().map(|object| {
        let name = object.name.escape_debug();
        format!("The {} \"{name}\" would not be carried over: {}.", object.object, object.reason)
    });
    let unfit = plan.unfit.iter().map(|column| {
        format!(
            "{} values of column \"{}\".\"{}\" do not fit {}: {}.",
            column.unfit.misfits,
            column.table.escape_debug(),
            column.column.escape_debug(),
            column.pg_type,
            column.unfit.found
        )
    });
    let mut lines: Vec<String> = widened.chain(unfit).chain(left).collect();
    let count = lines.len();
    if count > SHOWN_MAX {
        lines.truncate(SHOWN_MAX);
        lines.push(format!("And {} more.", count - SHOWN_MAX));
    }
    Err(Error::new(
        ErrorKind::Differences,
        format!("--strict: {count} things would not arrive as they are; nothing was written"),
    )
    .detail(lines.join("\n"))
    .hint("`litelift inspect` shows all of them. Without --strict the transfer goes on and reports them."))
}
