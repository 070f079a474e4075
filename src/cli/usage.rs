//! Mistakes on the command line, in litelift's words.
//!
//! clap finds them; its texts are not printed, because they quote arguments, and an argument in the
//! wrong place may be a URL with a password.

use clap::error::{ContextKind, ContextValue, ErrorKind as Mistake};

use super::secret::{may_hold_password, quotable};
use crate::error::Error;

/// Returns the error for what clap found; `command` is the subcommand, if it got that far.
pub(super) fn error(found: &clap::Error, command: Option<&str>) -> Error {
    let argument = text(found, ContextKind::InvalidArg);
    let flag = quotable(&argument);
    let error = match found.kind() {
        Mistake::UnknownArgument => unknown_argument(found, &argument),
        Mistake::InvalidSubcommand => {
            let name = quotable(&text(found, ContextKind::InvalidSubcommand));
            let error = Error::usage(format!("there is no command \"{name}\""));
            did_you_mean(error, found, ContextKind::SuggestedSubcommand)
        }
        Mistake::MissingRequiredArgument => missing(&argument),
        Mistake::InvalidValue | Mistake::ValueValidation => invalid_value(found, &flag),
        Mistake::ArgumentConflict => {
            let other = quotable(&text(found, ContextKind::PriorArg));
            if other == flag || other.is_empty() {
                Error::usage(format!("{flag} can be given only once"))
            } else {
                Error::usage(format!("{flag} cannot be used together with {other}"))
            }
        }
        Mistake::TooManyValues => Error::usage(format!("{flag} takes no value")),
        Mistake::TooFewValues | Mistake::WrongNumberOfValues | Mistake::NoEquals => {
            Error::usage(format!("{flag} needs a value"))
        }
        Mistake::InvalidUtf8 => Error::usage("an argument is not valid UTF-8")
            .detail("Only the paths of files may be something else."),
        Mistake::MissingSubcommand => Error::usage("which command?"),
        _ => Error::usage("the command line could not be understood"),
    };
    let command = command.map_or_else(String::new, |command| format!(" {command}"));
    error.hint(format!("`litelift{command} --help` shows what it takes."))
}

fn unknown_argument(found: &clap::Error, argument: &str) -> Error {
    let error = Error::usage(format!("unexpected argument \"{}\"", quotable(argument)));
    if argument == "--json" {
        return error.hint("Here it is --format json.");
    }
    if argument.starts_with('-') {
        return did_you_mean(error, found, ContextKind::SuggestedArg);
    }
    if may_hold_password(argument) {
        error.hint("The target's URL is given with --to.")
    } else {
        error.hint("Files are given with a flag: --from FILE.")
    }
}

fn missing(arguments: &str) -> Error {
    let error = Error::usage(format!("missing {arguments}"));
    if arguments.contains("--to ") {
        error.hint("The target's URL comes from --to or the variable DATABASE_URL.")
    } else {
        error
    }
}

fn invalid_value(found: &clap::Error, flag: &str) -> Error {
    let value = text(found, ContextKind::InvalidValue);
    if value.is_empty() {
        return Error::usage(format!("{flag} needs a value"));
    }
    let error = Error::usage(format!("\"{}\" is not a value for {flag}", quotable(&value)));
    let valid = text(found, ContextKind::ValidValue);
    if valid.is_empty() { error } else { error.detail(format!("It must be one of: {valid}.")) }
}

fn did_you_mean(error: Error, found: &clap::Error, kind: ContextKind) -> Error {
    let suggested = text(found, kind);
    if suggested.is_empty() { error } else { error.hint(format!("Did you mean {suggested}?")) }
}

fn text(found: &clap::Error, kind: ContextKind) -> String {
    match found.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::description;
    use super::*;

    fn complaint(line: &str) -> String {
        let arguments = line.split(' ').filter(|word| !word.is_empty());
        let found = description(false).try_get_matches_from(arguments).unwrap_err();
        let error = error(&found, Some("transfer"));
        let detail = error.full_detail().unwrap_or_default();
        [error.message(), &detail, &error.hints().join(" | ")].join("\n")
    }

    #[test]
    fn mistakes_are_named_with_their_remedy() {
        // A DATABASE_URL of the developer's own would satisfy --to.
        insta::assert_snapshot!(complaint("litelift transfre --from a.db"), @r#"
        there is no command "transfre"

        Did you mean transfer? | `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect"), @r"
        missing --from <FILE>

        `litelift transfer --help` shows what it takes.
        ");
        insta::assert_snapshot!(complaint("litelift inspect --form a.db"), @r#"
        unexpected argument "--form"

        Did you mean --from? | `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect a.db"), @r#"
        unexpected argument "a.db"

        Files are given with a flag: --from FILE. | `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect --from a.db --json"), @r#"
        unexpected argument "--json"

        Here it is --format json. | `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect --from"), @r"
        --from <FILE> needs a value

        `litelift transfer --help` shows what it takes.
        ");
        insta::assert_snapshot!(complaint("litelift inspect --from a.db --format xml"), @r#"
        "xml" is not a value for --format <FORMAT>
        It must be one of: table, json, csv, markdown, html.
        `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect --from a.db --jobs many"), @r#"
        "many" is not a value for --jobs <N>

        `litelift transfer --help` shows what it takes.
        "#);
        insta::assert_snapshot!(complaint("litelift inspect --from a.db --from b.db"), @r"
        --from <FILE> can be given only once

        `litelift transfer --help` shows what it takes.
        ");
        insta::assert_snapshot!(complaint("litelift rehearse --from a.db --quiet --verbose"), @r"
        --quiet cannot be used together with --verbose

        `litelift transfer --help` shows what it takes.
        ");
        insta::assert_snapshot!(complaint("litelift rehearse --from a.db --quiet=yes"), @r"
        --quiet takes no value

        `litelift transfer --help` shows what it takes.
        ");
    }

    #[test]
    fn no_complaint_repeats_a_password() {
        let url = "postgres://u:s3cret@h/db";
        for line in [
            format!("litelift transfer --from a.db {url}"),
            format!("litelift {url}"),
            format!("litelift inspect --from a.db --jobs {url}"),
            format!("litelift inspect --from a.db --format={url}"),
            format!("litelift rehearse --from a.db --to {url}"),
            format!("litelift rehearse --from a.db --to={url}"),
            format!("litelift inspect --from a.db --verbose={url}"),
            format!("litelift inspect --from a.db -v{url}"),
            format!("litelift transfer --from a.db --to {url} --to {url}"),
            format!("litelift transfer --from a.db --to {url} s3cret:u@h"),
            "litelift transfer --from a.db host=h password=s3cret".to_owned(),
            "litelift transfer --from a.db --password=s3cret".to_owned(),
        ] {
            assert!(!complaint(&line).contains("s3cret"), "{line}: {}", complaint(&line));
        }
        let line = format!("litelift transfer --from a.db {url}");
        insta::assert_snapshot!(complaint(&line), @r#"
        unexpected argument "postgres://…"

        The target's URL is given with --to. | `litelift transfer --help` shows what it takes.
        "#);
    }
}
