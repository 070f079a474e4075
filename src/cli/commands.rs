//! From arguments to options, to the library's call, to what is printed.
//!
//! Each command is one function that returns the exit code of a run that ended well enough to have a
//! report; everything else is an [`Error`].

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::args::{
    BadRowArgs, Check, CheckArg, Command, Format, Level, Names, NamesArg, OnBadRow, OutputArgs,
    RehearseArgs, RestoreConstraintsArgs, SelectionArgs, SourceArg, TargetArgs, TransferArgs,
    TypeMapArgs, VerifyArgs,
};
use super::board::Verbosity;
use super::data_only_args::data_only;
use super::progress::Progress;
use super::sentence::Purpose;
use super::style::Look;
use super::summary::{self, Telling};
use super::{
    failure, follow_ups_file, inspect_command, output, runs_command, schema_command, source_path,
    stop, sync_command,
};
use crate::checkpoint::local::Place;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Listener};
use crate::model::name_style::NameStyle;
use crate::options::{
    self, BadRows, FileCheck, InspectOptions, RehearseOptions, ScratchPlace, Selection,
    TransferOptions, TypeMaps, VerifyOptions,
};
use crate::report::{TransferReport, VerifyLevel, VerifyReport};

/// What the target's URL is called in errors.
const TARGET_NAME: &str = "the target (--to or DATABASE_URL)";
/// Exit code of a run that ended, but with differences.
const DIFFERENCES: u8 = ErrorKind::Differences.exit_code();

/// Runs a command and returns its exit code.
pub(super) fn execute(command: Command) -> Result<u8> {
    match command {
        Command::Inspect(args) => inspect_command::run(args),
        Command::Transfer(args) if args.dry_run => dry_run(*args),
        Command::Transfer(args) => transfer(*args),
        Command::Verify(args) => verify(args),
        Command::Sync(args) => sync_command::run(args),
        Command::Rehearse(args) => rehearse(args),
        Command::RestoreConstraints(args) => restore_constraints(args),
        Command::Schema(args) => schema_command::run(args),
        Command::Status(args) => runs_command::status(args),
        Command::Clean(args) => runs_command::clean(args),
    }
}

impl Command {
    /// Returns true when a program reads the output, and must get a document also for an error.
    pub(super) fn wants_json(&self) -> bool {
        match self {
            Self::Inspect(args) => args.format == Format::Json && args.output.is_none(),
            Self::Transfer(args) => args.output.json || args.format == Some(Format::Json),
            Self::Verify(args) => args.output.json,
            Self::Sync(args) => args.output.json,
            Self::Rehearse(args) => args.output.json,
            Self::RestoreConstraints(args) => args.output.json,
            Self::Schema(_) => false,
            Self::Status(args) => args.json,
            Self::Clean(args) => args.json,
        }
    }

    /// Returns true when running the command again continues it.
    pub(super) fn continues(&self) -> bool {
        matches!(self, Self::Transfer(args) if !args.dry_run && !args.no_resume)
    }
}

fn dry_run(args: TransferArgs) -> Result<u8> {
    let default = if args.output.json { Format::Json } else { Format::Table };
    let format = args.format.unwrap_or(default);
    let verbosity = verbosity(&args.output);
    let strict = args.strict;
    let follow_ups = args.follow_ups.clone();
    let options = transfer_options(args)?;
    let run = Run::begin(verbosity, "nothing was written");
    let found = run.wait(crate::transfer::dry_run(&options, &run.listener(), &run.cancel))?;
    let (report, refused) = (found.report, found.refused);
    if let Some(path) = &follow_ups {
        follow_ups_file::write(path, &report.source.path, &report.follow_ups)?;
    }
    if verbosity > Verbosity::Quiet {
        inspect_command::warn(&report);
    }
    output::print(&inspect_command::render(&report, format, verbosity, Look::stdout())?)?;
    if let Some(refused) = refused {
        // The document on standard output has it too; there is one document.
        return Ok(failure::report(&refused, false));
    }
    let widened =
        report.tables.iter().flat_map(|table| &table.columns).any(|c| c.widened.is_some());
    Ok(if strict && (widened || !report.not_carried.is_empty()) { DIFFERENCES } else { 0 })
}

fn transfer(args: TransferArgs) -> Result<u8> {
    let (verbosity, json, strict) = (verbosity(&args.output), args.output.json, args.strict);
    let only_rejects = args.only_rejects.clone();
    let follow_ups = args.follow_ups.clone();
    let options = transfer_options(args)?;
    let run = Run::begin(verbosity, "running ranges are rolled back");
    let (listener, cancel) = (run.listener(), &run.cancel);
    let report = match only_rejects {
        Some(dir) => run.wait(crate::transfer::only_rejects(&options, &dir, &listener, cancel))?,
        None => run.wait(crate::transfer::run(&options, &listener, cancel))?,
    };
    if let Some(path) = &follow_ups {
        follow_ups_file::write(path, &report.source.path, &report.follow_ups)?;
    }
    run.tell_transfer(&report, Purpose::Transfer, strict, json)
}

fn rehearse(args: RehearseArgs) -> Result<u8> {
    let (verbosity, json, strict) = (verbosity(&args.output), args.output.json, args.strict);
    let options = RehearseOptions {
        inspect: InspectOptions {
            from: source_path::resolve(&args.source.from)?,
            selection: selection(args.selection),
            type_maps: type_maps(args.type_maps),
            into: "public".to_owned(),
            names: names(&args.names),
            comments: false,
            jobs: options::jobs(args.jobs.jobs)?,
            check: file_check(&args.check),
            data_only: None,
        },
        scratch: match args.scratch_url {
            Some(url) => ScratchPlace::Borrowed { url: postgres_url(url, "--scratch-url")? },
            None => ScratchPlace::Own { pg_bin: args.pg_bin },
        },
        strict,
        bad_rows: bad_rows(args.bad_rows)?,
    };
    let run = Run::begin(verbosity, "the throwaway PostgreSQL is removed");
    let report = run.wait(crate::rehearse::run(&options, &run.listener(), &run.cancel))?;
    run.tell_transfer(&report, Purpose::Rehearsal, strict, json)
}

fn restore_constraints(args: RestoreConstraintsArgs) -> Result<u8> {
    let verbosity = verbosity(&args.output);
    let to = postgres_url(args.to.to, TARGET_NAME)?;
    let run = Run::begin(verbosity, "what is back stays");
    let (listener, cancel) = (run.listener(), &run.cancel);
    let report = run.wait(crate::transfer::restore_constraints(&to, &listener, cancel))?;
    run.print(args.output.json, &report, |look| summary::restored(&report, verbosity, look))?;
    Ok(if report.not_as_before.is_empty() { 0 } else { DIFFERENCES })
}

fn verify(args: VerifyArgs) -> Result<u8> {
    let verbosity = verbosity(&args.output);
    let from = source(args.source)?;
    let (to, into) = target(args.target)?;
    let source = from.to_string_lossy().into_owned();
    let options = VerifyOptions {
        inspect: InspectOptions {
            selection: selection(args.selection),
            type_maps: type_maps(args.type_maps),
            ..InspectOptions::by_run(
                from,
                into,
                options::jobs(args.jobs.jobs)?,
                file_check(&args.check),
            )
        },
        to,
        renames: args.rename,
        level: level(args.level),
        shown_max: args.show,
        redact: args.redact,
        differences: args.differences,
        repair: args.repair,
    };
    let run = Run::begin(verbosity, "nothing was written");
    let report = run.wait(crate::verify::run(&options, &run.listener(), &run.cancel))?;
    run.print(args.output.json, &report, |look| {
        summary::verify(&report, &source, verbosity, look)
    })?;
    Ok(differs(&report))
}

fn level(level: Level) -> VerifyLevel {
    match level {
        Level::Counts => VerifyLevel::Counts,
        Level::Hashes => VerifyLevel::Hashes,
        Level::Full => VerifyLevel::Full,
    }
}

fn differs(report: &VerifyReport) -> u8 {
    if !report.is_equal() || report.rejected_rows() > 0 { DIFFERENCES } else { 0 }
}

/// What every running command has.
pub(super) struct Run {
    pub(super) progress: Arc<Progress>,
    pub(super) cancel: Cancel,
    verbosity: Verbosity,
    began: Instant,
}

impl Run {
    pub(super) fn begin(verbosity: Verbosity, stopping: &'static str) -> Self {
        let progress = Progress::begin(verbosity);
        let cancel = Cancel::default();
        stop::watch(&progress, &cancel, stopping);
        Self { progress, cancel, verbosity, began: Instant::now() }
    }

    pub(super) fn listener(&self) -> Arc<dyn Listener> {
        let progress: Arc<Progress> = Arc::clone(&self.progress);
        progress
    }

    /// Runs to the end, and clears the moving lines before anything is printed.
    pub(super) fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // On the heap: the future of a whole transfer is larger than a stack likes.
        let runtime = runtime()?;
        let ended = runtime.block_on(Box::pin(work));
        // Dropping it would wait for a name that is still being looked up.
        runtime.shutdown_background();
        self.progress.end();
        ended
    }

    fn tell_transfer(
        &self,
        report: &TransferReport,
        purpose: Purpose,
        strict: bool,
        json: bool,
    ) -> Result<u8> {
        let strict_failed = strict && !(report.all_objects_carried() && report.widened.is_empty());
        let elapsed = self.began.elapsed();
        self.print(json, report, |look| {
            let verbosity = self.verbosity;
            summary::transfer(report, Telling { verbosity, look, elapsed, purpose, strict_failed })
        })?;
        let is_whole =
            !strict_failed && report.rejected.is_empty() && report.not_as_before.is_empty();
        Ok(if is_whole { report.verify.as_ref().map_or(0, differs) } else { DIFFERENCES })
    }

    /// Prints the document or the text.
    pub(super) fn print<T: Serialize>(
        &self,
        as_json: bool,
        report: &T,
        text: impl FnOnce(Look) -> String,
    ) -> Result<()> {
        output::print(&if as_json { json(report)? } else { text(Look::stdout()) })
    }
}

fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Error::usage("could not start the threads for the connections").caused_by(error)
    })
}

pub(super) fn json<T: Serialize>(report: &T) -> Result<String> {
    let document = serde_json::to_string_pretty(report);
    document
        .map(|document| document + "\n")
        .map_err(|error| Error::usage("could not write the report as JSON").caused_by(error))
}

fn transfer_options(args: TransferArgs) -> Result<TransferOptions> {
    let from = source(args.source)?;
    let (to, into) = target(args.target)?;
    Ok(TransferOptions {
        inspect: InspectOptions {
            from,
            selection: selection(args.selection),
            type_maps: type_maps(args.type_maps),
            into,
            names: names(&args.names),
            comments: args.comments.comments,
            jobs: options::jobs(args.jobs.jobs)?,
            check: file_check(&args.check),
            data_only: data_only(args.data_only)?,
        },
        to,
        restart: args.restart,
        strict: args.strict,
        bad_rows: bad_rows(args.bad_rows)?,
        verify: (!args.no_verify).then(|| level(args.verify)),
        lock_wait: Duration::from_secs(args.lock_wait),
        checkpoints: match (args.checkpoint, args.no_resume) {
            (Some(file), _) => Place::File(file),
            (None, true) => Place::Nowhere,
            (None, false) => Place::Target,
        },
        takeover: args.takeover,
        retry_for: Duration::from_secs(args.retry_for),
    })
}

fn bad_rows(args: BadRowArgs) -> Result<BadRows> {
    let rows_max = args.max_rejects;
    match (args.on_bad_row, args.rejects) {
        (OnBadRow::Stop, None) => Ok(BadRows::Stop),
        (OnBadRow::Reject, Some(dir)) => Ok(BadRows::Reject { dir, rows_max }),
        (OnBadRow::Reject, None) => Err(Error::usage("--on-bad-row reject needs --rejects DIR")
            .hint("The rows that do not fit are written to that folder, and nowhere else.")),
        (OnBadRow::Stop, Some(_)) => Err(Error::usage("--rejects needs --on-bad-row reject")
            .hint("Without it the transfer stops at a row that does not fit.")),
    }
}

pub(super) fn source(args: SourceArg) -> Result<PathBuf> {
    source_path::resolve(&args.from)
}

pub(super) fn target(args: TargetArgs) -> Result<(String, String)> {
    Ok((postgres_url(args.to.to, TARGET_NAME)?, args.into.into))
}

/// Looks at what a URL obviously is; everything else about it is the library's.
pub(super) fn postgres_url(url: String, name: &str) -> Result<String> {
    if url.trim().is_empty() {
        return Err(Error::usage(format!("{name} is empty"))
            .hint("Give it as postgres://user:password@host:port/database."));
    }
    // Frameworks keep their development database in the same variable.
    let lower = url.to_ascii_lowercase();
    if ["sqlite:", "sqlite3:", "file:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Err(Error::usage(format!("{name} is a SQLite file, but must be PostgreSQL"))
            .hint("The SQLite file is given with --from."));
    }
    Ok(url)
}

pub(super) fn selection(args: SelectionArgs) -> Selection {
    Selection { only: args.only, skip: args.skip, apps: args.app }
}

pub(super) fn file_check(args: &CheckArg) -> FileCheck {
    match args.check {
        None => FileCheck::Automatic,
        Some(Check::Quick) => FileCheck::Quick,
        Some(Check::Full) => FileCheck::Full,
        Some(Check::None) => FileCheck::None,
    }
}

pub(super) fn names(args: &NamesArg) -> NameStyle {
    match args.names {
        Names::Keep => NameStyle::Keep,
        Names::Lower => NameStyle::Lower,
        Names::Snake => NameStyle::Snake,
    }
}

pub(super) fn type_maps(args: TypeMapArgs) -> TypeMaps {
    TypeMaps { user: args.type_map, source_tz: args.source_tz }
}

pub(super) fn verbosity(args: &OutputArgs) -> Verbosity {
    match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    }
}
