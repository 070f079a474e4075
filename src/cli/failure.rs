//! Errors, as PostgreSQL prints them: a primary line, then `detail:` and `hint:`.
//!
//! With `--json` the same error is also a document on standard output, so that a program always gets
//! exactly one.

use serde::Serialize;

use super::names::{lines, plain, wrap_into};
use super::output;
use super::style::Look;
use crate::error::{Error, ErrorKind};
use crate::report::REPORT_VERSION;

/// Prints an error and returns the exit code.
pub(super) fn report(error: &Error, json: bool) -> u8 {
    output::tell(&text(error, Look::stderr()));
    if json {
        // A closed standard output leaves the text above.
        let _ = output::print(&document(error));
    }
    error.kind().exit_code()
}

/// Returns the error as text.
fn text(error: &Error, look: Look) -> String {
    let width = if look.terminal { look.width } else { usize::MAX };
    let mut out = String::new();
    wrap_into(&mut out, &look.alarm("error: "), "       ", &plain(error.message()), width);
    if let Some(detail) = error.full_detail() {
        let detail = lines(detail.trim_end());
        wrap_into(&mut out, &look.bold("detail: "), "        ", &detail, width);
    }
    for hint in error.hints() {
        // Not broken: the commands in hints are there to be copied.
        wrap_into(&mut out, &look.bold("hint: "), "      ", &lines(hint.trim_end()), usize::MAX);
    }
    out
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    error: Failure<'a>,
}

#[derive(Serialize)]
struct Failure<'a> {
    kind: &'static str,
    message: &'a str,
    detail: Option<String>,
    hints: &'a [String],
    exit_code: u8,
}

/// Returns the error as a JSON document.
fn document(error: &Error) -> String {
    let document = Document {
        version: REPORT_VERSION,
        error: Failure {
            kind: kind_name(error.kind()),
            message: error.message(),
            detail: error.full_detail(),
            hints: error.hints(),
            exit_code: error.kind().exit_code(),
        },
    };
    // Strings and numbers only: this cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Differences => "differences",
        ErrorKind::Usage => "usage",
        ErrorKind::Source => "source",
        ErrorKind::Target => "target",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::Locked => "locked",
        ErrorKind::Changed => "changed",
        ErrorKind::TargetState => "target_state",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Error {
        Error::new(ErrorKind::Changed, "cannot continue: table \"a\nb\" has changed")
            .detail("dev.db had change counter 5 113, now 5 120.\nTable \"events\" has 12 more rows.")
            .caused_by(std::io::Error::other("bell \u{7} rings"))
            .hint("Start again with `litelift transfer --restart`.")
            .hint("Or leave out what changed with --skip events; the rest of the tables is as it was, and continues.")
    }

    #[test]
    fn an_error_has_three_parts() {
        insta::assert_snapshot!(text(&example(), Look::plain(80)), @r#"
        error: cannot continue: table "a\nb" has changed
        detail: dev.db had change counter 5 113, now 5 120.
                Table "events" has 12 more rows.
                bell \u{7} rings
        hint: Start again with `litelift transfer --restart`.
        hint: Or leave out what changed with --skip events; the rest of the tables is as it was, and continues.
        "#);
        insta::assert_snapshot!(text(&example(), Look { terminal: true, ..Look::plain(60) }), @r#"
        error: cannot continue: table "a\nb" has changed
        detail: dev.db had change counter 5 113, now 5 120.
                Table "events" has 12 more rows.
                bell \u{7} rings
        hint: Start again with `litelift transfer --restart`.
        hint: Or leave out what changed with --skip events; the rest of the tables is as it was, and continues.
        "#);
        insta::assert_snapshot!(text(&Error::interrupted(), Look::plain(80)), @"error: interrupted");
    }

    #[test]
    fn colour_surrounds_the_words_and_replaces_none() {
        let look = Look { width: 80, ansi: true, terminal: true };
        let coloured = text(&example(), look);
        assert!(coloured.starts_with("\x1b[1;31merror: \x1b[0mcannot continue"));
        let bare = coloured.replace("\x1b[1;31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert_eq!(bare, text(&example(), Look { ansi: false, ..look }));
    }

    #[test]
    fn a_program_gets_one_document() {
        insta::assert_snapshot!(document(&example()), @r#"
        {
          "version": 1,
          "error": {
            "kind": "changed",
            "message": "cannot continue: table \"a\nb\" has changed",
            "detail": "dev.db had change counter 5 113, now 5 120.\nTable \"events\" has 12 more rows.\nbell \u0007 rings",
            "hints": [
              "Start again with `litelift transfer --restart`.",
              "Or leave out what changed with --skip events; the rest of the tables is as it was, and continues."
            ],
            "exit_code": 7
          }
        }
        "#);
    }
}
