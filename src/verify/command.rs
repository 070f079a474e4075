//! `litelift verify`: what to compare with what, then the comparison.

use std::sync::Arc;

use crate::checkpoint::lock::{self, Patience};
use crate::checkpoint::store::{self, Run};
use crate::connect::{Session, Target};
use crate::encode::Zone;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener};
use crate::inspect::{self, Opened};
use crate::introspect::postgres::catalogue;
use crate::model::catalogue::Catalogue;
use crate::options::{self, FileCheck, VerifyOptions};
use crate::report::{NotCompared, VerifyLevel, VerifyReport};

use super::compare::{self, Comparison};
use super::difference_lines::DifferenceLines;
use super::pairs;
use super::prepare::Outcome;
use super::rebuilt;

/// Sessions beside those of the jobs: one holds the moment, one looks, one may hold the lock.
const SESSIONS_EXTRA: usize = 3;

/// Compares a source with a target, whenever and by whomever it was filled.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Target`],
/// [`crate::error::ErrorKind::Usage`], interrupted. Differences are no error: see the report.
pub async fn run(
    options: &VerifyOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifyReport> {
    options::check_schema(&options.inspect.into)?;
    let jobs = options.inspect.jobs;
    let mut opened =
        tokio::task::block_in_place(|| inspect::open(&options.inspect, listener, cancel))?;
    let target = Target::open(&options.to, jobs + SESSIONS_EXTRA, cancel).await?;
    tokio::task::block_in_place(|| inspect::check_file(&opened, listener, cancel))?;
    // Once is enough.
    opened.check = FileCheck::None;
    let lines = options.differences.as_deref().map(DifferenceLines::create).transpose()?;
    let work = Box::pin(async {
        // What writes must be alone with what a transfer writes.
        let _lock = match options.repair {
            true => {
                let into = &options.inspect.into;
                let patience = Patience::DEFAULT;
                Some(lock::take_for(&target, into, patience, listener.as_ref(), cancel).await?)
            }
            false => None,
        };
        let report =
            verify(options, &mut opened, &target, lines.as_ref(), listener, cancel).await?;
        lines.as_ref().map_or(Ok(()), DifferenceLines::finish)?;
        opened.snapshot.check_unchanged()?;
        let remarks = opened.snapshot.remarks();
        remarks.into_iter().for_each(|remark| listener.on(Event::Note(remark)));
        Ok(report)
    });
    target.until_cancelled(cancel, work).await
}

async fn verify(
    options: &VerifyOptions,
    opened: &mut Opened,
    target: &Target,
    lines: Option<&DifferenceLines>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifyReport> {
    let session = target.session().await?;
    let into = &options.inspect.into;
    match find(&session, opened, into).await? {
        Some(run) => {
            let marks = store::marks(&session, run.id).await?;
            // The source may have changed since: its values are looked at, whatever was kept of them.
            let outcome = compare::outcome(&session, run.id, &run.plan, marks, false).await?;
            drop(session);
            // Tables that the run knows nothing of; when it made its tables, they should be there.
            let (counted, left) = pairs::beside_run(&opened.tables(), run.id, &run.plan);
            let zone = inspect::zone(&run.plan.source_tz)?;
            let selected = opened.tables();
            let is_wanted = |name: &str| selected.iter().any(|table| table.name == name);
            let comparison = comparison(options, opened, &zone, target, lines, listener, cancel);
            let planned = Some((&run.plan, &outcome));
            let report = comparison.run(planned, &is_wanted, counted).await?;
            Ok(with_left(report, left))
        }
        None => {
            let there = catalogue::read(&session, into).await?;
            drop(session);
            by_name(options, opened, target, &there, lines, listener, cancel).await
        }
    }
}

/// Nobody remembers what was done: tables and columns are found by their names.
async fn by_name(
    options: &VerifyOptions,
    opened: &mut Opened,
    target: &Target,
    there: &Catalogue,
    lines: Option<&DifferenceLines>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifyReport> {
    let (matching, left) = pairs::by_name(opened, there, &options.renames)?;
    let counts_only = options.level == VerifyLevel::Counts;
    let counted = pairs::counted(&opened.schema, there, &matching, counts_only);
    let lost = pairs::columns_lost(&opened.schema, there, &matching);
    let outcome = Outcome::default();
    let plan = if counts_only {
        None
    } else {
        let jobs = options.inspect.jobs;
        Some(tokio::task::block_in_place(|| {
            rebuilt::plan(opened, there, &matching, jobs, listener, cancel)
        })?)
    };
    let zone = opened.zone.clone();
    let comparison = comparison(options, opened, &zone, target, lines, listener, cancel);
    let planned = plan.as_ref().map(|plan| (plan, &outcome));
    let mut report = comparison.run(planned, &|_| true, counted).await?;
    if !counts_only {
        report.unsound.splice(0..0, lost);
    }
    Ok(with_left(report, left))
}

fn comparison<'a>(
    options: &'a VerifyOptions,
    opened: &'a Opened,
    zone: &'a Zone,
    target: &'a Target,
    lines: Option<&'a DifferenceLines>,
    listener: &'a Arc<dyn Listener>,
    cancel: &'a Cancel,
) -> Comparison<'a> {
    Comparison {
        snapshot: &opened.snapshot,
        schema: &opened.schema,
        zone,
        target,
        into: &options.inspect.into,
        level: options.level,
        jobs: options.inspect.jobs,
        shown_max: options.shown_max,
        redact: options.redact,
        lines,
        repair: options.repair,
        listener,
        cancel,
    }
}

fn with_left(mut report: VerifyReport, left: Vec<NotCompared>) -> VerifyReport {
    report.not_compared.splice(0..0, left);
    report
}

async fn find(session: &Session, opened: &Opened, into: &str) -> Result<Option<Run>> {
    let path = opened.path.to_string_lossy();
    match store::find(session, Some(&path), into).await? {
        Some(run) => Ok(Some(run)),
        // After the cutover the file may lie elsewhere.
        None => store::find(session, None, into).await,
    }
}
