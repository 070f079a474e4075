//! `transfer --only-rejects`: sends rejected rows again, after their files or the rules were mended.
//!
//! Purpose: what a line of a file holds is what is sent, by the conversions that the type maps name
//! now; the types are those that the target has. Afterwards sequences and statistics are set again,
//! and foreign keys that had orphans are tried again, by the same code that finished the transfer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::checkpoint::{lock, made, store};
use crate::connect::{Session, Target};
use crate::copy::reject;
use crate::copy::resend::{ResendJob, Resent};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::inspect::{self, Opened};
use crate::model::decision::Decision;
use crate::model::plan::{ColumnPlan, Phase, TransferPlan};
use crate::options::{self, BadRows, TransferOptions};
use crate::report::{Outcome, TransferReport};

use super::account::Account;
use super::begin::{self, Begun};
use super::{SESSIONS_EXTRA, compare, data_only, finish_tables, rejected};

/// Sends the files of rejected rows in `dir`.
///
/// # Errors
/// Of every kind of [`ErrorKind`]; rows that were sent are marked, and the same command goes on.
pub async fn only_rejects(
    options: &TransferOptions,
    dir: &Path,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    options::check_schema(&options.inspect.into)?;
    let target = Target::open(&options.to, options.inspect.jobs + SESSIONS_EXTRA, cancel).await?;
    let work = Box::pin(send(&target, options, dir, listener, cancel));
    target.until_cancelled(cancel, work).await
}

async fn send(
    target: &Target,
    options: &TransferOptions,
    dir: &Path,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    let mut opened =
        tokio::task::block_in_place(|| inspect::open(&options.inspect, listener, cancel))?;
    let _lock = lock::take(target, options, listener.as_ref(), cancel).await?;
    let mut session = target.session().await?;
    let mut begun = find(&session, &opened, options).await?;
    let files = files(&begun.plan, dir, listener.as_ref())?;
    mend(&mut begun.plan, &mut opened, &files, options, listener, cancel)?;
    let clock = Instant::now();
    let per_range: BTreeMap<(usize, u32), u64> =
        begun.marks.iter().map(|mark| ((mark.table, mark.number), mark.rejected)).collect();
    let computed = computed(&begun);
    let job = ResendJob {
        computed: &computed,
        plan: &begun.plan,
        run: begun.run,
        rejected: &per_range,
        zone: &opened.zone,
        cancel,
    };
    let mut all = Resent::default();
    let mut touched = Vec::new();
    for (table, path) in &files {
        let resent = job.file(&mut session, *table, path).await?;
        if resent.sent > 0 {
            touched.push(*table);
        }
        listener.on(Event::Note(told(&begun.plan.tables[*table].source, path, resent)));
        all.sent += resent.sent;
    }
    let took = clock.elapsed();
    begun.marks = store::marks(&session, begun.run).await?;
    begun.steps = store::reopen(&mut session, begun.run, &again(&begun, &touched)).await?;
    drop(session);
    let mut account = Account::new(target, &opened, &begun);
    account.resent(took, all.sent);
    finish_tables(target, options, &begun, listener, cancel, &mut account).await?;
    let rejects = BadRows::Stop;
    let rejected =
        rejected::account(target, &opened, &begun, &rejects, listener.as_ref(), cancel).await?;
    account.rejected(rejected);
    let is_equal =
        compare(target, options, &opened, &begun, listener, cancel, &mut account).await?;
    if is_equal {
        store::finish(&mut target.session().await?, begun.run).await?;
    }
    let mut report = account.report();
    report.outcome = Outcome::RejectsSent;
    for left in &mut report.rejected {
        let position = begun.plan.tables.iter().position(|table| table.source == left.table);
        let file = files.iter().find(|(table, _)| Some(*table) == position);
        left.file = file.map(|(_, path)| path.display().to_string());
    }
    Ok(report)
}

/// Finds the transfer that rejected the rows.
async fn find(session: &Session, opened: &Opened, options: &TransferOptions) -> Result<Begun> {
    let source = opened.path.to_string_lossy();
    let into = &options.inspect.into;
    let Some(run) = store::find_id(session, Some(&source), into).await? else {
        return Err(Error::new(
            ErrorKind::TargetState,
            format!("no transfer of \"{source}\" into schema \"{}\" is known", into.escape_debug()),
        )
        .hint("--only-rejects sends what an earlier transfer with --on-bad-row reject left out."));
    };
    let run = store::load(session, run).await?;
    let gone: Vec<String> = made::of(session, run.id)
        .await?
        .iter()
        .filter(|table| !table.is_there())
        .map(|table| format!("\"{}\"", table.target.escape_debug()))
        .collect();
    if !gone.is_empty() {
        return Err(Error::new(ErrorKind::TargetState, "tables of the transfer are gone")
            .detail(format!("Run {} made {}.", run.id, gone.join(", ")))
            .hint("Transfer again with --restart."));
    }
    let begun = begin::load(session, run).await?;
    if begun.marks.len() < begun.plan.ranges.len() {
        return Err(Error::new(
            ErrorKind::TargetState,
            format!("run {} is not finished: its other rows come first", begun.run),
        )
        .hint("Run the transfer again without --only-rejects, then this command."));
    }
    Ok(begun)
}

/// Returns the files of a folder with the position of their tables; names what is no such file.
fn files(
    plan: &TransferPlan,
    dir: &Path,
    listener: &dyn Listener,
) -> Result<Vec<(usize, PathBuf)>> {
    let names = reject::file_names(plan);
    let found: Vec<(usize, PathBuf)> = names
        .iter()
        .enumerate()
        .map(|(table, name)| (table, dir.join(name)))
        .filter(|(_, path)| path.is_file())
        .collect();
    let entries = std::fs::read_dir(dir).map_err(|error| {
        Error::usage(format!("could not read folder \"{}\"", dir.display())).caused_by(error)
    })?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv") && !names.contains(&name) {
            let path = entry.path();
            listener.on(Event::Note(format!("{} is of no table of the run.", path.display())));
        }
    }
    if found.is_empty() {
        return Err(Error::usage(format!("\"{}\" holds no rejected rows", dir.display()))
            .hint("Give the folder that the transfer had with --rejects."));
    }
    Ok(found)
}

/// Takes over the conversions that the rules name now, where they make the type that the target has.
fn mend(
    plan: &mut TransferPlan,
    opened: &mut Opened,
    files: &[(usize, PathBuf)],
    options: &TransferOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<()> {
    let tables: Vec<&str> =
        files.iter().map(|(table, _)| plan.tables[*table].source.as_str()).collect();
    // Rules may ask for evidence, so the tables are looked at; of the source no row is sent.
    if plan.fill.is_some() {
        let targets = data_only::targets_of(plan, opened);
        opened.rules = std::mem::take(&mut opened.rules).with_targets(targets);
    }
    let all = opened.selected.clone();
    opened.selected.retain(|at| tables.contains(&opened.schema.tables[*at].name.as_str()));
    let looked = tokio::task::block_in_place(|| {
        inspect::look(opened, options.inspect.jobs, listener, cancel)
    })?;
    opened.selected = all;
    for (table, _) in files {
        let planned = &mut plan.tables[*table];
        let Some(mapping) = looked.mapping.table(&planned.source) else { continue };
        for column in &mut planned.columns {
            let decided = mapping.columns.iter().find(|decision| decision.source == column.source);
            if let Some(decision) = decided {
                take_over(column, decision);
            }
        }
    }
    Ok(())
}

fn take_over(column: &mut ColumnPlan, decision: &Decision) {
    if decision.widened.is_none() && decision.pg_type == column.pg_type {
        column.convert = decision.convert;
        column.labels.clone_from(&decision.labels);
        column.on_misfit = decision.on_misfit;
    }
}

/// The steps to do again: what depends on the rows of a table, and the keys that had orphans.
fn again(begun: &Begun, touched: &[usize]) -> Vec<usize> {
    let is_again = |number: &usize| {
        let step = &begun.plan.finish[*number];
        let outcome = begun.steps.iter().find(|(done, _)| done == number).map(|(_, how)| how);
        let has_orphans = matches!(outcome, Some(store::StepOutcome::Orphans { .. }));
        !touched.is_empty() && has_orphans
            || touched.contains(&step.table)
                && matches!(step.phase, Phase::Sequences | Phase::Analyze)
    };
    (0..begun.plan.finish.len()).filter(is_again).collect()
}

/// The columns that became generated when the run was finished.
fn computed(begun: &Begun) -> BTreeSet<(usize, String)> {
    let done = |number: usize| {
        begun.steps.iter().any(|(step, outcome)| {
            *step == number && matches!(outcome, store::StepOutcome::Done { .. })
        })
    };
    let steps = begun.plan.finish.iter().enumerate();
    steps
        .filter(|(number, step)| step.phase == Phase::Generated && done(*number))
        .map(|(_, step)| (step.table, step.name.clone()))
        .collect()
}

fn told(table: &str, path: &Path, resent: Resent) -> String {
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let mut text = format!("{}: sent {} again", table.escape_debug(), rows(resent.sent));
    if resent.before > 0 {
        text.push_str(&format!(", {} had been sent before", rows(resent.before)));
    }
    match resent.left {
        0 => text.push_str(&format!("; {} is done with and removed.", path.display())),
        left => {
            text.push_str(&format!("; still rejected: {}, see {}.", rows(left), path.display()));
        }
    }
    text
}
