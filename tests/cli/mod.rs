//! The program as a shell sees it: exit codes, streams, and what must never be printed.

use std::process::{Output, Stdio};

use assert_cmd::Command;

const SECRET: &str = "s3cr3t-hunter2";

/// litelift with no variable of the developer's own.
fn litelift() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_litelift"));
    for variable in ["DATABASE_URL", "COLUMNS", "NO_COLOR", "CI", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    litelift().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_arguments_show_the_short_help_as_a_mistake() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("Usage: litelift <COMMAND>"), "{}", stderr(&output));
}

#[test]
fn help_and_version_are_data() {
    for arguments in [&["--help"][..], &["transfer", "-h"], &["help", "inspect"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(stdout(&output).contains("Usage: litelift"), "{arguments:?}");
        assert_eq!(stderr(&output), "");
    }
    assert!(!stdout(&run(&["transfer", "-h"])).contains("Exit codes"));
    assert!(stdout(&run(&["transfer", "--help"])).contains("Exit codes"));
    let version = format!("litelift {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&run(&["--version"])), version);
}

#[test]
fn mistakes_are_usage_errors_in_one_style() {
    let output = run(&["transfer", "--from", "dev.db"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: missing --to <URL>
    hint: The target's URL comes from --to or the variable DATABASE_URL.
    hint: `litelift transfer --help` shows what it takes.
    ");
    let output = run(&["inspect", "--from", "dev.db", "--jobs", "0"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: --jobs 0 is out of range
    detail: It must be from 1 to 64.
    ");
    let output = litelift()
        .args(["transfer", "--from", "dev.db"])
        .env("DATABASE_URL", "sqlite:///dev.db")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: the target (--to or DATABASE_URL) is a SQLite file, but must be PostgreSQL
    hint: The SQLite file is given with --from.
    ");
}

#[test]
fn an_empty_variable_is_no_target() {
    let mut command = litelift();
    let output = command.args(["verify", "--from", "a.db"]).env("DATABASE_URL", "").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--to or DATABASE_URL"), "{}", stderr(&output));
}

#[test]
fn a_program_gets_a_document_also_for_an_error() {
    for arguments in [
        &["transfer", "--from", "dev.db", "--json"][..],
        &["inspect", "--form", "dev.db", "--format", "json"],
        &["inspect", "--form", "dev.db", "--format=json"],
        &["inspect", "--from", "", "--format=json"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["kind"], "usage");
        assert_eq!(document["error"]["exit_code"], 2);
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}");
    }
}

#[test]
fn a_password_is_printed_nowhere() {
    let url = format!("postgres://app:{SECRET}@no-such-host.invalid:port/db");
    let equals = format!("--to={url}");
    for arguments in [
        // A URL that cannot be parsed, and a source that is not there.
        &["transfer", "--from", "missing.db", "--to", &url][..],
        &["transfer", "--from", "missing.db", "--to", &url, "--json", "--verbose"],
        &["transfer", "--from", "missing.db", "--to", &url, "--dry-run"],
        &["verify", "--from", "missing.db", &equals],
        &["rehearse", "--from", "missing.db", "--scratch-url", &url],
        // In the wrong place.
        &["transfer", "--from", "missing.db", &url],
        &["transfer", "--from", &url],
        &["transfer", "--from", &url, "--to", &url],
        &["transfer", &url],
        &[&url],
        &["inspect", "--from", "missing.db", &equals],
        &["inspect", "--from", "missing.db", "--jobs", &url],
        &["inspect", "--from", "missing.db", "--format", &url, "--format=json"],
    ] {
        let output = run(arguments);
        let all = stdout(&output) + &stderr(&output);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(all.contains("error: "), "{arguments:?}: {all}");
        assert!(!all.contains(SECRET), "{arguments:?}: {all}");
    }
}

#[test]
fn help_does_not_show_the_value_of_the_variable() {
    let url = format!("postgres://app:{SECRET}@localhost/db");
    for arguments in [&["transfer", "--help"][..], &["verify", "-h"], &["transfer"], &[]] {
        let output = litelift().args(arguments).env("DATABASE_URL", &url).output().unwrap();
        let all = stdout(&output) + &stderr(&output);
        assert!(!all.contains(SECRET), "{arguments:?}: {all}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    for (arguments, code) in [(&["transfer", "--help"][..], 0), (&["--version"], 0), (&[], 2)] {
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_litelift"));
        command.args(arguments).stdin(Stdio::null());
        let output = command.stdout(closed()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
        let both = command.stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(both.code(), Some(code), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_litelift"));
    let output = command.arg("--version").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: could not write to standard output"));
}
