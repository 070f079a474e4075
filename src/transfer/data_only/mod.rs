//! `transfer --data-only`: rows into tables that the application's own migrations made.
//!
//! Purpose: the same pipeline as every transfer, but the tables are found instead of made, their types
//! decide the conversions, and what hangs on them is taken away and brought back. `prepare` says
//! what can be told without the values, `begin` begins a run, `dry_run` shows what it would do.

mod create_missing;
mod existing;
mod keys;
mod prepare;
mod wishes;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::checkpoint::local::{Local, Place};
use crate::checkpoint::resume::Leftover;
use crate::checkpoint::store::{self, StepOutcome};
use crate::checkpoint::{journal, lock, made, resume, tables};
use crate::connect::{Session, Target, failure};
use crate::copy::reject;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::finish::restore;
use crate::inspect::{self, Looked, Opened};
use crate::introspect::postgres::catalogue;
use crate::map::fill::ColumnTarget;
use crate::map::rules::ColumnTargets;
use crate::model::matching::ColumnFate;
use crate::model::plan::{FinishStep, Phase, TransferPlan};
use crate::options::{BadRows, DataOnly, TransferOptions};
use crate::plan::fill::{self, Inputs};
use crate::report::{DdlReport, InspectReport, InspectTarget, REPORT_VERSION, RestoreReport};

use super::DryRun;
use super::begin::{self, Begun};
use keys::Keys;
use prepare::{Prepared, prepare, raise};
use wishes::Wishes;

/// Begins a run into tables that are there.
#[expect(clippy::too_many_arguments, reason = "what a run is begun with, and where it is kept")]
pub(super) async fn begin(
    session: &mut Session,
    options: &TransferOptions,
    data_only: &DataOnly,
    opened: &mut Opened,
    leftover: Option<Leftover>,
    local: Option<(&Arc<Local>, &str)>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Begun> {
    let looks_like = opened.looks_like();
    let begun =
        begin_new(session, options, data_only, opened, leftover, local, listener, cancel).await;
    begun.map_err(|error| recognised(error, looks_like))
}

/// An error that a preset may help against says so.
fn recognised(error: Error, looks_like: Option<String>) -> Error {
    match (error.kind(), looks_like) {
        (ErrorKind::TargetState | ErrorKind::Differences, Some(text)) => error.hint(text),
        _ => error,
    }
}

#[expect(clippy::too_many_arguments, reason = "what a run is begun with, and where it is kept")]
async fn begin_new(
    session: &mut Session,
    options: &TransferOptions,
    data_only: &DataOnly,
    opened: &mut Opened,
    leftover: Option<Leftover>,
    local: Option<(&Arc<Local>, &str)>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Begun> {
    let mut leftover = leftover;
    let replaced = leftover.as_ref();
    let place = &options.checkpoints;
    let prepared = prepare(session, opened, &options.inspect, data_only, replaced, place).await?;
    raise(&prepared.refusals)?;
    if local.is_none() {
        store::try_bookkeeping(session).await?;
    }
    let looked = look(opened, &prepared, options, listener, cancel)?;
    let begin = |error| failure::failed("begin the transfer", &error);
    let (mut plan, keys) = with_inputs(opened, &prepared, &looked, data_only, |inputs| {
        raise(&fill::open_questions(inputs))?;
        Ok::<_, Error>((fill::plan(inputs), Keys::of(inputs, &options.bad_rows)))
    })?;
    create_missing::add(&mut plan, opened, &prepared, &looked)?;
    begin::refuse_taken_types(&plan, &prepared.taken_names)?;
    if let Some((local, _)) = local {
        super::local::refuse(local, &plan)?;
    }
    let refused = [super::refusal(&plan, options).err(), keys.broken(opened)?];
    if let Some(error) = all_of(refused) {
        return Err(error);
    }
    let batch = tables::batch(session).await?;
    if let Some(Leftover { run, made }) = leftover.as_mut().filter(|it| !it.dropped().is_empty()) {
        made::discard_most(session, *run, &options.inspect.into, made, batch).await?;
    }
    // One transaction: nothing of the target is taken away unless it is written down with it.
    let mut transaction = session.transaction().await.map_err(begin)?;
    if local.is_none() {
        store::prepare(&transaction).await?;
    }
    if let Some(Leftover { run, made }) = &leftover {
        // Of the tables only those that the run made.
        made::discard(&transaction, *run, &options.inspect.into, made).await?;
    }
    let filled: Vec<usize> =
        prepared.matching.tables.iter().map(|matched| matched.target).collect();
    let (before, with_rows) = (&prepared.catalogue, with_rows(&prepared));
    refuse_changed(catalogue::is_unchanged(&transaction, before, &filled, &with_rows).await?)?;
    if let BadRows::Reject { dir, .. } = &options.bad_rows {
        reject::prepare(dir, &plan)?;
    }
    let since = store::current_xid(&transaction).await?;
    for merge in plan.fill.iter_mut().flat_map(|fill| &mut fill.merges) {
        merge.since_xid = since;
    }
    if let Some((local, target)) = local {
        let looked = looked.took;
        return super::local::begin(transaction, local, opened, target, plan, looked).await;
    }
    let source = opened.path.to_string_lossy();
    let run = store::begin(&transaction, &source, &opened.fingerprint, &plan).await?;
    let made = (0..plan.tables.len()).filter(|position| plan.tables[*position].is_made());
    let made: Vec<usize> = made.collect();
    let (first, rest) = made.split_at(batch.min(made.len()));
    tables::make(&mut transaction, run, &plan, first).await?;
    transaction.commit().await.map_err(begin)?;
    tables::make_missing(session, run, &plan, rest, cancel).await?;
    let refused = tables::refused(session, run).await?;
    Ok(Begun::new(run, plan, refused, looked.took))
}

/// Tables that have rows and are filled, with how many there must still be; `None`: they go.
fn with_rows(prepared: &Prepared) -> Vec<(usize, Option<u64>)> {
    let merged = prepared
        .merges
        .iter()
        .map(|merge| (prepared.matching.tables[merge.table].target, Some(merge.rows_before)));
    prepared.emptied.iter().map(|at| (*at, None)).chain(merged).collect()
}

/// Scans the values; the target's types decide.
fn look(
    opened: &mut Opened,
    prepared: &Prepared,
    options: &TransferOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Looked> {
    let targets =
        fill::column_targets(&opened.schema.tables, &prepared.catalogue, &prepared.matching);
    opened.rules = std::mem::take(&mut opened.rules).with_targets(targets);
    let mut looked = tokio::task::block_in_place(|| {
        inspect::look(opened, options.inspect.jobs, listener, cancel)
    })?;
    fill::settle(&prepared.catalogue, &prepared.matching, &looked.evidence, &mut looked.mapping);
    Ok(looked)
}

/// The scan may take minutes: what was decided from must still be so.
fn refuse_changed(is_unchanged: bool) -> Result<()> {
    if is_unchanged {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TargetState,
        "the target's tables were changed while the source was read; nothing was written",
    )
    .hint("Stop the application, then run the same command again."))
}

/// Several errors as one.
fn all_of(errors: impl IntoIterator<Item = Option<Error>>) -> Option<Error> {
    errors.into_iter().flatten().reduce(|first, next| first.also(&next))
}

/// Puts together what a plan is made from.
fn with_inputs<T>(
    opened: &Opened,
    prepared: &Prepared,
    looked: &Looked,
    data_only: &DataOnly,
    then: impl FnOnce(&Inputs<'_>) -> T,
) -> T {
    let earlier: Vec<_> = prepared.earlier.iter().map(|taken| taken.entry.clone()).collect();
    let wishes = Wishes { user: data_only, presets: &opened.presets };
    let mut notes = prepared.notes.clone();
    notes.extend(opened.presets.rules_used(&looked.mapping));
    then(&Inputs {
        schema: &opened.schema,
        catalogue: &prepared.catalogue,
        matching: &prepared.matching,
        evidence: &looked.evidence,
        mapping: &looked.mapping,
        emptied: &prepared.emptied,
        merges: &prepared.merges,
        is_kept: &|trigger| wishes.is_kept(trigger),
        earlier: &earlier,
        zone: opened.zone.name(),
        notes: &notes,
    })
}

/// Makes a run ready to go on: what was not brought back is taken away again, should somebody have
/// brought it back meanwhile, and what the server refused is tried again.
pub(super) async fn go_on(
    session: &mut Session,
    opened: &mut Opened,
    begun: &mut Begun,
) -> Result<()> {
    let Some(fill) = &begun.plan.fill else { return Ok(()) };
    let is_done = |number: usize| {
        let outcome = begun.steps.iter().find(|(done, _)| *done == number).map(|(_, how)| how);
        matches!(outcome, Some(StepOutcome::Done { .. }))
    };
    let is_open = |step: &FinishStep, number| {
        matches!(step.phase, Phase::Indexes | Phase::ForeignKeys | Phase::Triggers)
            && !is_done(number)
    };
    let open: Vec<&FinishStep> = begun
        .plan
        .finish
        .iter()
        .enumerate()
        .filter(|(number, step)| is_open(step, *number))
        .map(|(_, step)| step)
        .collect();
    let take = |error| failure::failed("prepare the target's tables", &error);
    let transaction = session.transaction().await.map_err(take)?;
    for entry in &fill.journal {
        if open.iter().any(|step| step.sql == entry.restore) {
            transaction.batch_execute(&entry.drop).await.map_err(take)?;
        }
    }
    transaction.commit().await.map_err(take)?;
    let again: Vec<usize> = begun
        .steps
        .iter()
        .filter(|(_, outcome)| !matches!(outcome, StepOutcome::Done { .. }))
        .map(|(number, _)| *number)
        .collect();
    if !again.is_empty() {
        begun.steps = store::reopen(session, begun.run, &again).await?;
    }
    select_planned(opened, &begun.plan);
    Ok(())
}

/// What is read is what the plan has, not what the command's globs select.
pub(super) fn select_planned(opened: &mut Opened, plan: &TransferPlan) {
    let is_planned = |at: &usize| {
        let name = &opened.schema.tables[*at].name;
        plan.tables.iter().any(|table| table.source == *name)
    };
    opened.selected = (0..opened.schema.tables.len()).filter(is_planned).collect();
}

/// The columns' targets as a plan has them, to decide again.
pub(super) fn targets_of(plan: &TransferPlan, opened: &Opened) -> ColumnTargets {
    let mut targets = ColumnTargets::new();
    for table in &plan.tables {
        let Some(source) = opened.schema.table(&table.source) else { continue };
        for column in &table.columns {
            let Some(position) = source.column(&column.source) else { continue };
            let target = ColumnTarget {
                pg_type: Some(column.pg_type),
                type_name: column.pg_type.to_string(),
                demands: column.demands.clone(),
            };
            targets.insert((source.name.clone(), position), target);
        }
    }
    targets
}

/// `transfer --data-only --dry-run`.
pub(super) async fn dry_run(
    target: &Target,
    options: &TransferOptions,
    data_only: &DataOnly,
    opened: &mut Opened,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<DryRun> {
    let looks_like = opened.looks_like();
    match show(target, options, data_only, opened, listener, cancel).await {
        Err(error) => Err(recognised(error, looks_like)),
        Ok(DryRun { report, refused }) => {
            Ok(DryRun::new(report, refused.map(|error| recognised(error, looks_like))))
        }
    }
}

async fn show(
    target: &Target,
    options: &TransferOptions,
    data_only: &DataOnly,
    opened: &mut Opened,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<DryRun> {
    let mut session = target.session().await?;
    let source = opened.path.to_string_lossy().into_owned();
    let into = &options.inspect.into;
    let place = &options.checkpoints;
    let replaced = match place {
        Place::Target => resume::replaceable(&session, &source, into).await?,
        Place::File(_) | Place::Nowhere => None,
    };
    let prepared =
        prepare(&session, opened, &options.inspect, data_only, replaced.as_ref(), place).await?;
    if opened.selected.is_empty() {
        // Nothing can be shown but what goes where.
        prepared.notes.iter().for_each(|note| listener.on(Event::Note(note.clone())));
        raise(&prepared.refusals)?;
    }
    if prepared.refusals.is_empty() && *place == Place::Target {
        store::try_bookkeeping(&mut session).await?;
    }
    let looked = look(opened, &prepared, options, listener, cancel)?;
    let (mut plan, questions, keys) =
        with_inputs(opened, &prepared, &looked, data_only, |inputs| {
            let keys = Keys::of(inputs, &options.bad_rows);
            (fill::plan(inputs), fill::open_questions(inputs), keys)
        });
    create_missing::add(&mut plan, opened, &prepared, &looked)?;
    let refusals = [prepared.refusals.clone(), questions].concat();
    let report = report(target, opened, &prepared, &looked, &plan);
    // Whoever looks wants to mend it all, not one thing after the other.
    let refused = all_of([
        raise(&refusals).err(),
        begin::refuse_taken_types(&plan, &prepared.taken_names).err(),
        super::refusal(&plan, options).err(),
        keys.broken(opened)?,
    ]);
    Ok(DryRun::new(report, refused))
}

fn report(
    target: &Target,
    opened: &Opened,
    prepared: &Prepared,
    looked: &Looked,
    plan: &TransferPlan,
) -> InspectReport {
    let mut report = inspect::report(opened, looked, plan, true);
    for (table, matched) in report.tables.iter_mut().zip(&prepared.matching.tables) {
        let there = &prepared.catalogue.tables[matched.target];
        let columns = std::mem::take(&mut table.columns);
        for (mut column, fate) in columns.into_iter().zip(&matched.columns) {
            if let ColumnFate::Into(at) = fate {
                let there = &there.columns[*at];
                let is_written_so = there.pg_type == Some(column.becomes);
                column.target_type = (!is_written_so).then(|| there.type_name.clone());
                table.columns.push(column);
            }
        }
    }
    report.suggestions.clear();
    report.not_carried.clone_from(&plan.not_carried);
    report.renamed.clear();
    // Who looks before he writes may want it; after a transfer that needed none it would puzzle.
    report.notes.extend(opened.looks_like());
    report.notes.extend(prepared.notes.iter().cloned());
    report.notes.extend(opened.presets.rules_used(&looked.mapping));
    report.attention = report.needing_attention().len();
    report.target = Some(InspectTarget {
        shown: target.shown.clone(),
        version: target.version.clone(),
        schema: plan.schema.clone(),
        schema_exists: true,
        tables: prepared.matching.tables.len(),
        differing: 0,
    });
    report.ddl = plan.fill.as_ref().map(|fill| DdlReport {
        before: {
            let types = plan.types.iter().map(|made| &made.create);
            let made = plan.tables.iter().filter(|table| table.is_made());
            let made = types.chain(made.map(|table| &table.create)).cloned();
            fill.before.iter().cloned().chain(made).collect()
        },
        after: plan.finish.iter().map(|step| step.sql.clone()).collect(),
    });
    report
}

/// `litelift restore-constraints`: brings back what runs took away that will not be continued.
///
/// # Errors
/// [`ErrorKind::Target`], [`ErrorKind::Usage`] for the URL, interrupted.
pub async fn restore_constraints(
    url: &str,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<RestoreReport> {
    const SESSIONS_MAX: usize = 64;
    let target = Target::open(url, SESSIONS_MAX, cancel).await?;
    let work = Box::pin(async {
        let taken = journal::taken(&target.session().await?, None).await?;
        let mut locks = Vec::new();
        let schemas: BTreeSet<&str> = taken.iter().map(|one| one.entry.schema.as_str()).collect();
        for schema in schemas {
            // A transfer that is at work brings them back itself.
            let patience = lock::Patience::DEFAULT;
            locks.push(lock::take_for(&target, schema, patience, listener.as_ref(), cancel).await?);
        }
        let (restored, not_as_before) = restore::restore(&target, &taken, listener, cancel).await?;
        Ok(RestoreReport {
            version: REPORT_VERSION,
            target: target.shown.clone(),
            restored,
            not_as_before,
        })
    });
    target.until_cancelled(cancel, work).await
}
