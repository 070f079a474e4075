//! A writer that holds the file exclusively.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::Signal;

use super::{Files, rows};
use crate::resume::process::{Running, transfer};
use crate::support::{compare, pg};

fn database(files: &Files, mode: &str) -> std::path::PathBuf {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);";
    files.database("app.db", &format!("PRAGMA journal_mode = {mode}; {table} {}", rows("t", 1, 20)))
}

#[test]
fn a_lock_is_waited_for_and_its_holder_named() {
    for (mode, lock) in [
        ("DELETE", "BEGIN EXCLUSIVE"),
        ("WAL", "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM t WHERE id = 0"),
    ] {
        let files = Files::new();
        let path = database(&files, mode);
        let target = pg::database();
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch(lock).unwrap();
        let running = Running::start(transfer(&path, &target.url, &[]));
        std::thread::sleep(Duration::from_millis(2500));
        writer.execute_batch("COMMIT").unwrap();
        drop(writer);
        let ended = running.end().expect(0).says(&["note: Waiting up to 30 s for the source: "]);
        if cfg!(target_os = "linux") {
            let holder = format!("process {} (", std::process::id());
            assert!(ended.stderr.contains(&holder), "{mode}: {}", ended.stderr);
        }
        compare::compare_by_name(&path, &target.url, "public").unwrap().expect_same();
    }
}

#[test]
fn waiting_can_be_interrupted() {
    let files = Files::new();
    let path = database(&files, "DELETE");
    let target = pg::database();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let running = Running::start(transfer(&path, &target.url, &[]));
    std::thread::sleep(Duration::from_millis(700));
    let asked = Instant::now();
    running.signal(Signal::INT);
    running.end().expect(5);
    assert!(asked.elapsed() < Duration::from_secs(2));
}
