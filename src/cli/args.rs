//! The command line as typed. What it means is worked out in `commands`.
//!
//! `-h` and `--help` show the same options; `--help` adds examples and exit codes ([`description`]).
//! clap's own long form would spread each option over three lines, which no screen holds.

use std::ffi::OsString;
use std::path::PathBuf;

use super::data_only_args::DataOnlyArgs;
use super::sync_command::{self, SyncArgs};
use crate::checkpoint::lock;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(
    name = "litelift",
    version,
    about = "Move a SQLite database into PostgreSQL, and prove that it arrived",
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "`litelift COMMAND --help` shows a command's options, with examples."
)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show each column's type, and which values will not fit
    Inspect(InspectArgs),
    /// Move all rows, into new tables or (--data-only) the app's
    Transfer(Box<TransferArgs>),
    /// Compare a SQLite file with a target that it was moved to
    Verify(VerifyArgs),
    /// Bring over what changed in the source since its transfer
    Sync(SyncArgs),
    /// Move into a throwaway PostgreSQL, report, remove it again
    Rehearse(RehearseArgs),
    /// Bring back what an unfinished --data-only took away
    RestoreConstraints(RestoreConstraintsArgs),
    /// Print the statements that make tables, keys and indexes
    Schema(SchemaArgs),
    /// Show how far transfers have come, also while one is at work
    Status(StatusArgs),
    /// Remove what is kept in the target to continue a transfer
    Clean(CleanArgs),
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    pub(super) source: SourceArg,
    // Not from DATABASE_URL: without the flag nothing is connected to.
    /// Show the column types of this target beside
    #[arg(long, value_name = "URL", help_heading = "Source and target")]
    pub(super) to: Option<String>,
    #[command(flatten)]
    pub(super) into: IntoArg,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) type_maps: TypeMapArgs,
    #[command(flatten)]
    pub(super) names: NamesArg,
    #[command(flatten)]
    pub(super) jobs: JobsArg,
    #[command(flatten)]
    pub(super) check: CheckArg,
    /// table, json, csv, markdown or html
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Output",
        hide_possible_values = true
    )]
    pub(super) format: Format,
    /// Write the report to a file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// Write a type map with what other types would fit
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) suggest: Option<PathBuf>,
    /// List every column with its rule, every table and object
    #[arg(short, long, help_heading = "Output")]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct TransferArgs {
    #[command(flatten)]
    pub(super) source: SourceArg,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) type_maps: TypeMapArgs,
    #[command(flatten)]
    pub(super) data_only: DataOnlyArgs,
    #[command(flatten)]
    pub(super) names: NamesArg,
    #[command(flatten)]
    pub(super) comments: CommentsArg,
    /// Show types and statements; write nothing
    #[arg(long, help_heading = "Running")]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) jobs: JobsArg,
    #[command(flatten)]
    pub(super) check: CheckArg,
    /// Throw away what a stopped run left, and begin again
    #[arg(long, help_heading = "Running", conflicts_with = "dry_run")]
    pub(super) restart: bool,
    /// End another litelift at work there, and go on
    #[arg(long, help_heading = "Running", conflicts_with = "dry_run")]
    pub(super) takeover: bool,
    /// Keep checkpoints in a file, not in the target
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Running",
        conflicts_with_all = ["dry_run", "restart", "only_rejects"]
    )]
    pub(super) checkpoint: Option<PathBuf>,
    /// Keep none: a stopped run begins again by hand
    #[arg(
        long,
        help_heading = "Running",
        conflicts_with_all = ["checkpoint", "dry_run", "restart", "only_rejects"]
    )]
    pub(super) no_resume: bool,
    /// Wait so long for another litelift
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = lock::WAIT.as_secs(),
        value_parser = clap::value_parser!(u64).range(..=lock::WAIT_MAX.as_secs()),
        help_heading = "Running"
    )]
    pub(super) lock_wait: u64,
    /// Write nothing unless all fits and is carried over
    #[arg(long, help_heading = "Running")]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) bad_rows: BadRowArgs,
    /// Send the rows of such a folder again
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Running",
        conflicts_with_all = ["dry_run", "restart", "rejects", "on_bad_row", "strict"]
    )]
    pub(super) only_rejects: Option<PathBuf>,
    /// How deep to compare at the end: counts, hashes or full
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "hashes",
        help_heading = "Running",
        hide_possible_values = true
    )]
    pub(super) verify: Level,
    /// How long to wait for a lost server [default: 30]
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 30,
        hide_default_value = true,
        help_heading = "Running"
    )]
    pub(super) retry_for: u64,
    /// Do not compare at the end
    #[arg(long, help_heading = "Running", conflicts_with = "verify")]
    pub(super) no_verify: bool,
    /// Write what is not carried over to a file of SQL
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) follow_ups: Option<PathBuf>,
    /// Report of --dry-run: table, json, csv, markdown, html
    #[arg(
        long,
        value_name = "FORMAT",
        requires = "dry_run",
        conflicts_with = "json",
        help_heading = "Output",
        hide_possible_values = true
    )]
    pub(super) format: Option<Format>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct SchemaArgs {
    #[command(flatten)]
    pub(super) source: SourceArg,
    #[command(flatten)]
    pub(super) into: IntoArg,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) type_maps: TypeMapArgs,
    #[command(flatten)]
    pub(super) names: NamesArg,
    #[command(flatten)]
    pub(super) comments: CommentsArg,
    #[command(flatten)]
    pub(super) jobs: JobsArg,
    /// sql
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "sql",
        help_heading = "Output",
        hide_possible_values = true
    )]
    pub(super) format: SchemaFormat,
    /// Write the statements to a file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) source: SourceArg,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) type_maps: TypeMapArgs,
    /// Where a table went, if no run tells (repeatable)
    #[arg(long, value_name = "OLD=NEW", help_heading = "What to take, and as what")]
    pub(super) rename: Vec<String>,
    /// How deep to compare: counts, hashes or full
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "hashes",
        help_heading = "Running",
        hide_possible_values = true
    )]
    pub(super) level: Level,
    /// Delete, update and insert in the target what differs
    #[arg(long, help_heading = "Running")]
    pub(super) repair: bool,
    /// Rows that differ to show of each table and kind
    #[arg(long, value_name = "N", default_value = "10", help_heading = "Output")]
    pub(super) show: u64,
    /// Write all rows that differ, a JSON document a line
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) differences: Option<PathBuf>,
    /// Show and write no values
    #[arg(long, help_heading = "Output")]
    pub(super) redact: bool,
    #[command(flatten)]
    pub(super) jobs: JobsArg,
    #[command(flatten)]
    pub(super) check: CheckArg,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct RehearseArgs {
    #[command(flatten)]
    pub(super) source: SourceArg,
    // Not a doc comment: rustdoc takes the brackets for a link.
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Throwaway PostgreSQL",
        help = "Folder of initdb and postgres [default: looked for]"
    )]
    pub(super) pg_bin: Option<PathBuf>,
    /// Use a database of its own on this server instead
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "pg_bin",
        help_heading = "Throwaway PostgreSQL"
    )]
    pub(super) scratch_url: Option<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) type_maps: TypeMapArgs,
    #[command(flatten)]
    pub(super) names: NamesArg,
    #[command(flatten)]
    pub(super) jobs: JobsArg,
    #[command(flatten)]
    pub(super) check: CheckArg,
    /// Stop unless everything fits and is carried over
    #[arg(long, help_heading = "Running")]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) bad_rows: BadRowArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct RestoreConstraintsArgs {
    #[command(flatten)]
    pub(super) to: ToArg,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) to: ToArg,
    /// Only transfers into this schema
    #[arg(long, value_name = "SCHEMA", help_heading = "Source and target")]
    pub(super) into: Option<String>,
    /// Print the report as JSON
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct CleanArgs {
    #[command(flatten)]
    pub(super) to: ToArg,
    /// Forget this transfer alone; `status` has its number
    #[arg(long, value_name = "ID", help_heading = "Running")]
    pub(super) run: Option<i64>,
    /// Remove nothing; say what would be
    #[arg(long, help_heading = "Running")]
    pub(super) dry_run: bool,
    /// Remove also what is still needed
    #[arg(long, help_heading = "Running")]
    pub(super) force: bool,
    /// Print the report as JSON
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) help: HelpArg,
}

#[derive(Debug, Args)]
pub(super) struct SourceArg {
    /// SQLite file to read; never written to
    #[arg(long, value_name = "FILE", help_heading = "Source and target")]
    pub(super) from: OsString,
}

#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    #[command(flatten)]
    pub(super) to: ToArg,
    #[command(flatten)]
    pub(super) into: IntoArg,
}

#[derive(Debug, Args)]
pub(super) struct ToArg {
    // Neither the value of the variable nor that of the flag is ever printed: it holds a password.
    /// postgres://user:password@host/db
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        help_heading = "Source and target"
    )]
    pub(super) to: String,
}

#[derive(Debug, Args)]
pub(super) struct IntoArg {
    /// Schema in the target
    #[arg(
        long,
        value_name = "SCHEMA",
        default_value = "public",
        help_heading = "Source and target"
    )]
    pub(super) into: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to take, and as what")]
pub(super) struct SelectionArgs {
    /// Take only tables like 'app_*' (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<String>,
    /// Leave tables like 'log_*' out (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(super) skip: Vec<String>,
    /// What an app such as django needs (repeatable)
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) app: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to take, and as what")]
pub(super) struct TypeMapArgs {
    /// Rules tried before the built-in ones (repeatable)
    #[arg(long, value_name = "FILE|NAME")]
    pub(super) type_map: Vec<String>,
    /// Zone of times that name none, for rules with iso
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(super) source_tz: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(super) struct BadRowArgs {
    /// At rows that do not fit: stop, reject
    #[arg(long, value_name = "WHAT", default_value = "stop", hide_possible_values = true)]
    pub(super) on_bad_row: OnBadRow,
    /// Folder for rejected rows, a CSV file per table
    #[arg(long, value_name = "DIR")]
    pub(super) rejects: Option<PathBuf>,
    /// Stop when more rows than this do not fit
    #[arg(long, value_name = "N", requires = "rejects")]
    pub(super) max_rejects: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to take, and as what")]
pub(super) struct NamesArg {
    /// Style of names: lower or snake
    #[arg(long, value_name = "STYLE", default_value = "keep", hide_possible_values = true)]
    pub(super) names: Names,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to take, and as what")]
pub(super) struct CommentsArg {
    /// Keep declared types as comments on columns
    #[arg(long)]
    pub(super) comments: bool,
}

#[derive(Debug, Args)]
pub(super) struct JobsArg {
    // Not a doc comment: rustdoc takes the brackets for a link.
    #[arg(
        long,
        value_name = "N",
        help_heading = "Running",
        help = "Jobs at once [default: one per core, 2 to 8]"
    )]
    pub(super) jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArg {
    // Not a doc comment: rustdoc takes the brackets for a link.
    #[arg(
        long,
        value_name = "WHAT",
        help_heading = "Running",
        hide_possible_values = true,
        help = "Find damage: quick, full, none [quick up to 4 GiB]"
    )]
    pub(super) check: Option<Check>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Print the report as JSON instead of the summary
    #[arg(long)]
    pub(super) json: bool,
    /// Errors and the final sentence only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// List every table and object, and tell each step
    #[arg(short, long)]
    pub(super) verbose: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct HelpArg {
    /// Print help (--help adds examples and exit codes)
    #[arg(short, long, action = ArgAction::Help)]
    help: Option<bool>,
}

/// How to show a report of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Csv,
    Markdown,
    Html,
}

/// What to do with a row that holds a value which a fixed type does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnBadRow {
    Stop,
    Reject,
}

/// How thoroughly the file is checked before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Check {
    Quick,
    Full,
    None,
}

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Names {
    Keep,
    Lower,
    Snake,
}

/// What `schema` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    Sql,
}

/// How deep a comparison goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    Counts,
    Hashes,
    Full,
}

const INSPECT_EXTRA: &str = "\
Examples:
  litelift inspect --from dev.db
  litelift inspect --from dev.db --only 'auth_*' --verbose
  litelift inspect --from dev.db --format html --output report.html
  litelift inspect --from dev.db --suggest types.csv

Every value is looked at, none is sampled. Columns marked ! should be looked at
before a transfer: a value does not fit what was declared.

Exit codes: 0 done; 2 usage; 3 file unreadable or damaged; 4 PostgreSQL or the
connection (with --to); 5 interrupted";

const TRANSFER_EXTRA: &str = "\
Examples:
  litelift transfer --from dev.db --to postgres://app@localhost/app --dry-run
  DATABASE_URL=postgres://app:secret@db/app litelift transfer --from dev.db
  litelift transfer --data-only --from app.db --on-existing truncate --to URL

A stopped transfer continues when the same command is run again.

Exit codes: 0 every row arrived; 1 differences, rejected rows, or with --strict
anything not carried over; 2 usage; 3 file unreadable or damaged; 4 PostgreSQL
or connection; 5 interrupted, run it again; 6 another run holds the lock;
7 source or options changed since the run began; 8 target not as expected";

const VERIFY_EXTRA: &str = "\
Examples:
  litelift verify --from dev.db --to postgres://app@localhost/app
  litelift verify --from dev.db --only orders --json

Exit codes: 0 equal; 1 differences; 2 usage; 3 file unreadable or damaged;
4 PostgreSQL or the connection; 5 interrupted; 8 target not as expected";

const REHEARSE_EXTRA: &str = "\
Examples:
  litelift rehearse --from dev.db
  litelift rehearse --from dev.db --pg-bin /usr/lib/postgresql/16/bin --strict

Exit codes: 0 every row arrived; 1 differences, rejected rows, or with --strict
anything not carried over; 2 usage; 3 file unreadable or damaged; 4 PostgreSQL;
5 interrupted";

const RESTORE_EXTRA: &str = "\
Examples:
  litelift restore-constraints --to postgres://app@localhost/app

transfer --data-only takes foreign keys, indexes and triggers away while it
copies, and brings them back. This is for one that stopped and will not go on.
Rows that it copied stay where they are.

Exit codes: 0 all is as it was; 1 something is not, and is named; 2 usage;
4 PostgreSQL or the connection; 5 interrupted; 6 a transfer is at work";
const SCHEMA_EXTRA: &str = "\
Examples:
  litelift schema --from dev.db --output schema.sql
  litelift schema --from dev.db --names snake --into app | psql app

Every value is looked at, for types depend on them. What is not carried over is
listed in comments at the end.

Exit codes: 0 done; 2 usage; 3 file unreadable or damaged; 5 interrupted";

const STATUS_EXTRA: &str = "\
Examples:
  litelift status --to postgres://app@localhost/app
  litelift status --into app --json

Asked from any machine, also while a transfer is at work; nothing is written.
What a transfer has not committed yet is not seen.

Exit codes: 0 shown, also when there is nothing; 2 usage; 4 PostgreSQL or the
connection; 5 interrupted";

const CLEAN_EXTRA: &str = "\
Examples:
  litelift clean --to postgres://app@localhost/app --dry-run
  litelift clean --run 3

Tables with rows stay as they are. Refused while a transfer is not done, or
while something that --data-only took away is not back.

Exit codes: 0 removed; 2 usage; 4 PostgreSQL or the connection; 5 interrupted;
6 a litelift is at work; 8 still needed, or other objects depend on it";

/// Returns the command line's description, with examples and exit codes in the help or without.
pub(super) fn description(with_extras: bool) -> clap::Command {
    let command = Arguments::command();
    if !with_extras {
        return command;
    }
    [
        ("inspect", INSPECT_EXTRA),
        ("transfer", TRANSFER_EXTRA),
        ("verify", VERIFY_EXTRA),
        ("sync", sync_command::EXTRA),
        ("rehearse", REHEARSE_EXTRA),
        ("restore-constraints", RESTORE_EXTRA),
        ("schema", SCHEMA_EXTRA),
        ("status", STATUS_EXTRA),
        ("clean", CLEAN_EXTRA),
    ]
    .into_iter()
    .fold(command, |command, (name, extra)| {
        command.mut_subcommand(name, |subcommand| subcommand.after_help(extra))
    })
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
