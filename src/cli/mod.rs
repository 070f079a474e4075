//! The command line: arguments, progress, summaries, errors. The only code that prints.
//!
//! Data go to standard output (the report of `inspect`, summaries, `--json` documents); progress,
//! notes and errors to standard error. Texts are made by functions that know no stream and no clock,
//! and are snapshots in the tests.
//!
//! ```text
//! args -> commands -> (library) -> summary | type_report | report_html ... -> output
//!                        | events                   | errors
//!                        v                          v
//!               progress (board, pace)           failure
//! ```

mod again;
mod amount;
mod args;
mod board;
mod commands;
mod crash;
mod data_only_args;
mod differences;
mod failure;
mod follow_ups_file;
mod inspect_command;
mod inspect_csv;
mod names;
mod output;
mod pace;
mod progress;
mod report_html;
mod report_markdown;
mod runs_command;
#[cfg(test)]
mod sample;
mod schema_command;
mod secret;
mod sections;
mod sentence;
mod source_path;
mod stop;
mod style;
mod suggest_file;
mod summary;
mod sync_command;
mod table;
mod type_report;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind as Mistake;

use self::args::{Arguments, Command};
use crate::error::{Error, ErrorKind};

/// Runs litelift with the arguments of the process and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    crash::install_hook();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(crash::guarded(|| exit_code(&arguments)))
}

fn exit_code(arguments: &[OsString]) -> u8 {
    let command = match parsed(arguments) {
        Ok(command) => command,
        Err(found) => return not_a_command(&found, arguments),
    };
    let (json, continues) = (command.wants_json(), command.continues());
    commands::execute(command).unwrap_or_else(|mut error| {
        if error.kind() == ErrorKind::Interrupted && continues {
            let again = again::command(arguments);
            error = error.hint(format!("Run the same command again to continue: {again}"));
        }
        failure::report(&error, json)
    })
}

fn parsed(arguments: &[OsString]) -> Result<Command, clap::Error> {
    let with_extras = has(arguments, "--help") || has(arguments, "help");
    let matches = args::description(with_extras).try_get_matches_from(arguments)?;
    Arguments::from_arg_matches(&matches).map(|arguments| arguments.command)
}

/// Help and version, which clap treats as errors too; everything else is a mistake.
fn not_a_command(found: &clap::Error, arguments: &[OsString]) -> u8 {
    let usage = ErrorKind::Usage.exit_code();
    match found.kind() {
        Mistake::DisplayHelp | Mistake::DisplayVersion => {
            match output::print(&found.render().to_string()) {
                Ok(()) => 0,
                Err(error) => failure::report(&error, false),
            }
        }
        Mistake::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::tell(&found.render().to_string());
            usage
        }
        _ => {
            let error: Error = usage::error(found, subcommand(arguments));
            failure::report(&error, asks_for_json(arguments))
        }
    }
}

/// The subcommand that the arguments name: the first word, as there are no global flags with values.
fn subcommand(arguments: &[OsString]) -> Option<&'static str> {
    let word = arguments.iter().skip(1).find_map(|argument| argument.to_str())?;
    [
        "inspect",
        "transfer",
        "verify",
        "rehearse",
        "restore-constraints",
        "schema",
        "status",
        "clean",
    ]
    .into_iter()
    .find(|name| *name == word)
}

/// Whether arguments that could not be parsed ask for JSON all the same.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let format_json = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    has(arguments, "--json") || has(arguments, "--format=json") || format_json
}

fn has(arguments: &[OsString], flag: &str) -> bool {
    arguments.iter().skip(1).any(|argument| argument == flag)
}
