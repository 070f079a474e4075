//! A source that its application writes to while it is read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::process::{eventually, run, transfer};
use super::state;
use crate::support::fixture;
use crate::support::pg;

/// Transactions of the writer; each adds the same amount to both tables, and counts itself.
fn write(path: &Path, done: &AtomicU32, stop: &AtomicBool) {
    let mut connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    while !stop.load(Ordering::Relaxed) {
        let number = done.load(Ordering::Relaxed) + 1;
        let transaction = connection.transaction().unwrap();
        transaction.execute("INSERT INTO debit VALUES (NULL, ?1)", [number * 7 % 100]).unwrap();
        transaction.execute("INSERT INTO credit VALUES (NULL, ?1)", [number * 7 % 100]).unwrap();
        transaction.execute("UPDATE counter SET n = n + 1", []).unwrap();
        transaction.commit().unwrap();
        done.store(number, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_target_is_one_state_of_it() {
    let source = fixture::from_sql(
        "live.db",
        "PRAGMA journal_mode = WAL;
         CREATE TABLE debit (id INTEGER PRIMARY KEY, n INTEGER);
         CREATE TABLE a (v); CREATE TABLE counter (n INTEGER); CREATE TABLE b (v);
         CREATE TABLE credit (id INTEGER PRIMARY KEY, n INTEGER);
         INSERT INTO counter VALUES (0); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
    );
    let (done, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| write(&source.path, &done, &stop));
        eventually("it writes", || done.load(Ordering::Relaxed) > 20);
        let finally = Finally(&stop);
        for _ in 0..3 {
            let target = pg::database();
            let url = &target.url;
            // Each table is read at another moment.
            target.execute(state::SLOW_COPIES);
            let before = done.load(Ordering::Relaxed);
            let ended = run(transfer(&source.path, url, &["--json"])).expect(0);
            let commits = done.load(Ordering::Relaxed) - before;
            assert!(commits > 20, "only {commits} commits meanwhile");
            assert_eq!(ended.json()["outcome"], "transferred");
            let seen = "select array[(select count(*) from debit), (select count(*) from credit),
                (select n from counter), (select max(id) from debit)]::text";
            let counter = state::one(url, "select n from counter");
            assert_eq!(
                state::one(url, seen),
                format!("{{{counter},{counter},{counter},{counter}}}")
            );
            let sums = "select ((select sum(n) from debit) = (select sum(n) from credit))::text";
            assert_eq!(state::one(url, sums), "true");
            let counter: u32 = counter.parse().unwrap();
            assert!(counter >= before && counter <= before + commits);
            run(transfer(&source.path, url, &[])).expect(7).says(&["The -wal "]);
        }
        drop(finally);
    });
}

/// Ends the writer also when the test fails: the scope waits for it.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
