//! Readers that begin one after the other see one state, under a writer that commits as fast as it can.
//!
//! Knobs: `LITELIFT_SNAPSHOTS`, the number of sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use litelift::error::Error;
use litelift::event::{Cancel, Listener, Silent};
use litelift::read::{Snapshot, Source};
use rusqlite::Connection;

use super::Files;

const READERS: usize = 5;

#[test]
fn all_readers_of_a_snapshot_see_the_same() {
    let sets = std::env::var("LITELIFT_SNAPSHOTS").map_or(40, |text| text.parse().unwrap());
    for mode in ["WAL", "DELETE"] {
        let (accepted, commits) = stress(mode, sets);
        println!(
            "{mode}: {accepted} sets of {READERS} readers, {commits} commits meanwhile, 0 wrong"
        );
        assert!(commits > 0, "{mode}: the writer never came to it");
    }
}

fn stress(mode: &str, sets: u64) -> (u64, u64) {
    let files = Files::new();
    let path = files.database(
        "app.db",
        &format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE a (n); CREATE TABLE b (n);
             INSERT INTO a VALUES (0); INSERT INTO b VALUES (1000000)"
        ),
    );
    let (is_over, commits) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = Connection::open(&path).unwrap();
            writer.execute_batch("PRAGMA synchronous = OFF").unwrap();
            writer.busy_timeout(Duration::from_secs(10)).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                // The sum stays, the parts move.
                let moved = writer.execute_batch(
                    "BEGIN IMMEDIATE; UPDATE a SET n = n + 1; UPDATE b SET n = n - 1; COMMIT",
                );
                match moved {
                    Ok(()) => _ = commits.fetch_add(1, Ordering::Relaxed),
                    Err(_) if writer.is_autocommit() => {}
                    Err(_) => writer.execute_batch("ROLLBACK").unwrap(),
                }
            }
        });
        let accepted = (0..sets).filter(|_| expect_one_state(&path)).count() as u64;
        is_over.store(true, Ordering::Relaxed);
        (accepted, commits.load(Ordering::Relaxed))
    })
}

/// Opens a set and holds what its readers see against each other.
fn expect_one_state(path: &std::path::Path) -> bool {
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let source = Source::locate(path).unwrap();
    let snapshot = Snapshot::open(&source, READERS, &listener, &Cancel::default()).unwrap();
    let seen = read_by_all(&snapshot);
    let first = seen[0];
    assert!(seen.iter().all(|(a, b)| (*a, *b) == first && a + b == 1_000_000), "{seen:?}");
    // And again, when the writer had time.
    std::thread::sleep(Duration::from_millis(1));
    assert!(read_by_all(&snapshot).iter().all(|now| *now == first));
    true
}

/// Each thread holds its connection until all have one.
fn read_by_all(snapshot: &Snapshot) -> Vec<(i64, i64)> {
    let all_there = std::sync::Barrier::new(READERS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..READERS)
            .map(|_| {
                scope.spawn(|| {
                    let read = snapshot.with(|conn| {
                        all_there.wait();
                        let value = |sql| conn.query_row(sql, [], |row| row.get(0)).unwrap();
                        Ok::<_, Error>((value("SELECT n FROM a"), value("SELECT n FROM b")))
                    });
                    read.unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
