//! A run whose checkpoints are not in the target: begin it, or go on with it.
//!
//! Purpose: for roles that may not have schema `litelift`. Everything that needs the target's bookkeeping
//! (taking an application's keys away, merging rows, sending rejected rows later, --restart) is refused here.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Transaction;

use crate::checkpoint::local::{Act, Local, LocalRun, Progress};
use crate::checkpoint::resume::{self, Touched};
use crate::checkpoint::store::FORMAT;
use crate::checkpoint::{store, tables};
use crate::connect::{Session, Target, failure};
use crate::copy::reject;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::inspect::{self, Opened};
use crate::model::plan::TransferPlan;
use crate::options::{BadRows, TransferOptions};

use super::begin::{Begun, refuse_taken_types};
use super::{changed, data_only, rejected};

/// Finds what an earlier command left, or looks at the source, plans and makes the tables.
pub(super) async fn begin_or_continue(
    target: &Target,
    options: &TransferOptions,
    opened: &mut Opened,
    local: &Arc<Local>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Begun> {
    let mut session = target.session().await?;
    if let Some(progress) = local.settle(&session).await? {
        return go_on(&mut session, target, options, opened, local, progress, listener, cancel)
            .await;
    }
    if let Some(data_only) = &options.inspect.data_only {
        let kept = Some((local, target.shown.as_str()));
        return data_only::begin(
            &mut session,
            options,
            data_only,
            opened,
            None,
            kept,
            listener,
            cancel,
        )
        .await;
    }
    let into = &options.inspect.into;
    let targets = opened.target_names();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    resume::refuse_existing(&session, into, &targets, &[]).await?;
    store::try_rights(&mut session, into, false).await?;
    let looked = tokio::task::block_in_place(|| {
        inspect::look(opened, options.inspect.jobs, listener, cancel)
    })?;
    let batch = tables::batch(&session).await?;
    let begin = |error| failure::failed("begin the transfer", &error);
    let transaction = session.transaction().await.map_err(begin)?;
    let taken = resume::taken_names(&transaction, into).await?;
    let plan = opened.plan(&looked, into, &taken)?;
    refuse_taken_types(&plan, &taken)?;
    super::refusal(&plan, options)?;
    if plan.tables.len() > batch {
        return Err(too_many(plan.tables.len(), batch));
    }
    if let BadRows::Reject { dir, .. } = &options.bad_rows {
        reject::prepare(dir, &plan)?;
    }
    self::begin(transaction, local, opened, &target.shown, plan, looked.took).await
}

fn too_many(tables: usize, batch: usize) -> Error {
    Error::new(
        ErrorKind::TargetState,
        format!("{tables} tables are more than the server has locks for in one transaction"),
    )
    .detail(format!(
        "It has room for about {batch}, and only schema litelift can keep what was made of more."
    ))
    .hint("Let max_locks_per_transaction be raised, or move the tables in parts with --only.")
}

/// Refuses what could not be undone without the target's bookkeeping.
pub(super) fn refuse(local: &Local, plan: &TransferPlan) -> Result<()> {
    let Some(fill) = &plan.fill else { return Ok(()) };
    let place = if local.path().is_some() { "--checkpoint" } else { "--no-resume" };
    let grant = "Or let somebody who can run CREATE SCHEMA litelift AUTHORIZATION this role.";
    if let Some(entry) = fill.journal.first() {
        return Err(Error::new(
            ErrorKind::TargetState,
            format!("{place} cannot take the application's keys, indexes or triggers away; nothing was written"),
        )
        .detail(format!(
            "{} objects would be, such as the {} \"{}\" of \"{}\". What brings them back must be kept in the target, where nobody can lose it.",
            fill.journal.len(),
            entry.object,
            entry.name.escape_debug(),
            entry.table.escape_debug()
        ))
        .hint("Connect as a role that does not own the tables: it fills them with their keys in place.")
        .hint(grant));
    }
    if let Some(merge) = fill.merges.first() {
        let name = &plan.tables[merge.table].target;
        return Err(Error::new(
            ErrorKind::TargetState,
            format!(
                "{place} cannot merge rows with those of table \"{}\"; nothing was written",
                name.escape_debug()
            ),
        )
        .detail("What became of each row must be written down with it.")
        .hint("Use --on-existing truncate for that table.")
        .hint(grant));
    }
    Ok(())
}

/// Makes the tables of a plan, or empties them, and writes down that the run has begun.
pub(super) async fn begin(
    mut transaction: Transaction<'_>,
    local: &Arc<Local>,
    opened: &Opened,
    target: &str,
    plan: TransferPlan,
    looked: Duration,
) -> Result<Begun> {
    store::make_types(&transaction, &plan).await?;
    if let Some(fill) = &plan.fill {
        let prepared = transaction.batch_execute(&fill.before.join(";\n")).await;
        prepared.map_err(|error| failure::failed("prepare the target's tables", &error))?;
    }
    let made: Vec<usize> =
        (0..plan.tables.len()).filter(|position| plan.tables[*position].is_made()).collect();
    let refused = tables::make_only(&mut transaction, &plan, &made).await?;
    let relids = tables::oids(&transaction, &plan).await?;
    let run = LocalRun {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        source: opened.path.to_string_lossy().into_owned(),
        target: target.to_owned(),
        fingerprint: opened.fingerprint.clone(),
        plan: plan.clone(),
        relids,
        refused: refused.clone(),
    };
    let committed = local.commit(transaction, Act::Begin(Box::new(run))).await;
    committed.map_err(|error| error.into_error("begin the transfer"))?;
    let begun = Begun::new(0, plan, refused, looked);
    Ok(Begun { local: Some(Arc::clone(local)), ..begun })
}

#[expect(
    clippy::too_many_arguments,
    reason = "a run that goes on needs all that one that begins does"
)]
async fn go_on(
    session: &mut Session,
    target: &Target,
    options: &TransferOptions,
    opened: &mut Opened,
    local: &Arc<Local>,
    progress: Progress,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Begun> {
    let Progress { run, marks, steps, is_done } = progress;
    let source = opened.path.to_string_lossy().into_owned();
    let mut hints = refuse_other(&run, options, &source, &target.shown, opened)?;
    let there = tables::oids(&*session, &run.plan).await?;
    let tables = run.plan.tables.iter().zip(run.relids.iter().zip(&there));
    let gone: Vec<&str> = tables
        .filter(|(_, (before, now))| before != now)
        .map(|(table, _)| table.target.as_str())
        .collect();
    if !gone.is_empty() {
        return Err(Error::new(ErrorKind::TargetState, "tables of the run are gone")
            .detail(format!("They are {}.", resume::named(&gone)))
            .hint("Drop those that are left, delete the checkpoint file, and begin again."));
    }
    let begun = Begun::new(0, run.plan, run.refused, Duration::ZERO);
    let before = marks.clone();
    let (is_continued, local) = (true, Some(Arc::clone(local)));
    let mut begun = Begun { local, marks, before, steps, is_continued, is_done, ..begun };
    let told = listener.as_ref();
    if !hints.is_empty() {
        let touched = Touched { hints: std::mem::take(&mut hints), is_elsewhere: false };
        changed::settle(session, options, opened, &mut begun, &touched, told, cancel).await?;
    }
    if begun.is_done {
        return Ok(begun);
    }
    rejected::refuse(&begun.plan, &options.bad_rows, "nothing more was written")?;
    changed::check_counts(session, &mut begun, told).await?;
    if begun.plan.fill.is_some() {
        data_only::select_planned(opened, &begun.plan);
    }
    let (done, all) = (begun.marks.len(), begun.plan.ranges.len());
    listener.on(Event::Note(format!("Continuing: {done} of {all} ranges are there already.")));
    Ok(begun)
}

/// Refuses to go on with something else; returns the signs that rows may have changed.
fn refuse_other(
    run: &LocalRun,
    options: &TransferOptions,
    source: &str,
    target: &str,
    opened: &Opened,
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (what, now, before) in [
        ("The source", source, run.source.as_str()),
        ("The target", target, run.target.as_str()),
        ("The schema", options.inspect.into.as_str(), run.plan.schema.as_str()),
    ] {
        if now != before {
            lines.push(format!(
                "{what} was \"{}\" when the transfer began, now it is \"{}\".",
                before.escape_debug(),
                now.escape_debug()
            ));
        }
    }
    let differences = opened.fingerprint.differences(&run.fingerprint).unwrap_or_default();
    lines.extend(differences.schema);
    lines.extend(differences.options);
    if lines.is_empty() {
        return Ok(differences.hints);
    }
    Err(Error::new(ErrorKind::Changed, "cannot continue: this is not what the transfer began with")
        .detail(lines.join("\n"))
        .hint("Give another --checkpoint FILE for another transfer."))
}
