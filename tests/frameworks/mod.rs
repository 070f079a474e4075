//! Real applications, made by the frameworks themselves, move to PostgreSQL and go on there.
//!
//! Purpose: that every value is the same is shown elsewhere; here a framework says so itself. Each
//! folder has a small application and a `run.sh`, which installs the framework, lets its migrations make
//! both databases, writes rows through its ORM, moves them with `litelift transfer --data-only --app`,
//! compares all objects as the ORM reads them, writes new rows into every table and migrates on.
//! `tests/data_only/frameworks.rs` loads what they made without a network.
//!
//! Knobs: `LITELIFT_FRAMEWORKS=all`, or names with commas, for they download some hundred megabytes into
//! the folder of `LITELIFT_FRAMEWORKS_DIR` (by default `target/tmp/frameworks`, where they stay).
//! `LITELIFT_CAPTURE=1` makes `fixtures/apps/NAME` anew instead.

#![allow(clippy::print_stderr, reason = "a test that is skipped must say so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::pg;

fn run(name: &str) {
    let asked = std::env::var("LITELIFT_FRAMEWORKS").unwrap_or_default();
    if asked != "all" && !asked.split(',').any(|one| one.trim() == name) {
        eprintln!(
            "SKIPPED: {name} is installed and run only with LITELIFT_FRAMEWORKS={name} (or all)"
        );
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frameworks").join(name);
    let work = std::env::var_os("LITELIFT_FRAMEWORKS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("frameworks"), PathBuf::from);
    let status = Command::new("sh")
        .arg(script.join("run.sh"))
        .arg(env!("CARGO_BIN_EXE_litelift"))
        .arg(work.join(name))
        .arg(pg::server_url())
        .env_remove("DATABASE_URL")
        .status()
        .unwrap();
    assert!(status.success(), "{name}: {status}");
}

#[test]
fn django_goes_on_in_postgresql() {
    run("django");
}

#[test]
fn sqlalchemy_goes_on_in_postgresql() {
    run("sqlalchemy");
}

#[test]
fn rails_goes_on_in_postgresql() {
    run("rails");
}

#[test]
fn prisma_goes_on_in_postgresql() {
    run("prisma");
}

#[test]
fn drizzle_goes_on_in_postgresql() {
    run("drizzle");
}

#[test]
fn typeorm_goes_on_in_postgresql() {
    run("typeorm");
}

#[test]
fn laravel_goes_on_in_postgresql() {
    run("laravel");
}
