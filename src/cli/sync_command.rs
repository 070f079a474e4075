//! `litelift sync`: from arguments to what is printed.

use std::time::Duration;

use clap::Args;

use super::amount::{counted, grouped, seconds, tables};
use super::args::{CheckArg, HelpArg, JobsArg, OutputArgs, SourceArg, TargetArgs};
use super::board::Verbosity;
use super::commands::{Run, file_check, source, target, verbosity};
use super::names::{plain, wrap_into};
use super::sections::Sections;
use super::style::Look;
use super::table::{Fit, Table};
use crate::checkpoint::lock::{self, Patience};
use crate::error::{ErrorKind, Result};
use crate::options::{self, InspectOptions};
use crate::report::SyncReport;
use crate::sync::{self, SyncOptions};

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    source: SourceArg,
    #[command(flatten)]
    target: TargetArgs,
    /// Show what changed; write nothing
    #[arg(long, help_heading = "Running")]
    dry_run: bool,
    /// Fail when the source was written meanwhile
    #[arg(long = "final", help_heading = "Running")]
    is_final: bool,
    /// End another litelift at work there, and go on
    #[arg(long, help_heading = "Running")]
    takeover: bool,
    /// Wait so long for another litelift [default: 30]
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = lock::WAIT.as_secs(),
        hide_default_value = true,
        help_heading = "Running"
    )]
    lock_wait: u64,
    #[command(flatten)]
    jobs: JobsArg,
    #[command(flatten)]
    check: CheckArg,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    help: HelpArg,
}

/// Shown by `--help`.
pub(super) const EXTRA: &str = "\
Examples:
  litelift sync --from app.db --to postgres://app@localhost/app
  litelift sync --from app.db --to URL --dry-run
  litelift sync --from app.db --to URL --final

After a transfer, brings over the rows that were inserted, changed or deleted
since, in one transaction, as often as you like. For a move with seconds of
downtime: transfer and sync while the application runs; stop it; sync --final;
switch. Nothing is ever written to the SQLite file.

Exit codes: 0 done; 1 values that do not fit, foreign keys that the rows break,
or (--final) the source was written meanwhile; 2 usage; 3 file unreadable; 4
PostgreSQL or the connection; 5 interrupted; 6 another litelift is at work; 7
the source's tables changed; 8 no finished transfer, or rows change meanwhile";

/// Runs `litelift sync`.
pub(super) fn run(args: SyncArgs) -> Result<u8> {
    let (verbosity, json, is_final) = (verbosity(&args.output), args.output.json, args.is_final);
    let (to, into) = target(args.target)?;
    let options = SyncOptions {
        inspect: InspectOptions::by_run(
            source(args.source)?,
            into,
            options::jobs(args.jobs.jobs)?,
            file_check(&args.check),
        ),
        to,
        dry_run: args.dry_run,
        patience: Patience { wait: Duration::from_secs(args.lock_wait), takeover: args.takeover },
    };
    let run = Run::begin(verbosity, "the target stays as it was");
    let report = run.wait(sync::run(&options, &run.listener(), &run.cancel))?;
    run.print(json, &report, |look| text(&report, is_final, verbosity, look))?;
    let failed = !report.orphans.is_empty() || (is_final && report.written_since);
    Ok(if failed { ErrorKind::Differences.exit_code() } else { 0 })
}

/// Returns the summary.
fn text(report: &SyncReport, is_final: bool, verbosity: Verbosity, look: Look) -> String {
    let mut out = String::new();
    if verbosity > Verbosity::Quiet && !report.tables.is_empty() {
        let mut drawn = Table::new(&[
            ("table", Fit::Middle(12)),
            ("inserted", Fit::Right),
            ("updated", Fit::Right),
            ("deleted", Fit::Right),
        ]);
        for table in &report.tables {
            let numbers = [table.inserted, table.updated, table.deleted].map(grouped);
            let [inserted, updated, deleted] = numbers;
            drawn.row(false, [plain(&table.source), inserted, updated, deleted]);
        }
        drawn.draw(&mut out, look);
    }
    if verbosity > Verbosity::Quiet {
        let mut sections = Sections { out: &mut out, look, verbosity, json_flag: "--json" };
        sections.sentences("foreign keys that stay NOT VALID", &report.orphans);
        sections.not_compared(&report.left_out);
        if !out.is_empty() {
            out.push('\n');
        }
    }
    let width = if look.terminal { look.width } else { usize::MAX };
    wrap_into(&mut out, "", "", &sentence(report, is_final), width);
    out
}

fn sentence(report: &SyncReport, is_final: bool) -> String {
    let rows = counted(report.rows(), "row", "rows");
    let looked = tables(report.tables_looked_at);
    let changed = tables(report.tables.len());
    let took = seconds(report.wall_s);
    let done = match (report.rows(), report.dry_run) {
        (0, _) => format!("Nothing changed in {looked} ({took})."),
        (_, true) => format!("{rows} of {changed} would be brought over ({took})."),
        (_, false) => format!("Brought over {rows} of {changed}, in one transaction ({took})."),
    };
    let now = match (report.written_since, report.dry_run, is_final) {
        (true, _, true) => {
            " The source was written meanwhile: stop the application, and sync again.".to_owned()
        }
        (true, _, false) => format!(
            " The source was written meanwhile; the next sync takes about {}.",
            seconds(report.look_s)
        ),
        (false, true, _) => String::new(),
        (false, false, _) => " Nobody wrote to the source meanwhile.".to_owned(),
    };
    format!("{done}{now}")
}
