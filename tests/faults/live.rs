//! The source is written while it is read, two commands run at once: and connections are lost meanwhile.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::proxy::{Fault, From, How, Proxy};
use super::trial::{self, disturbed, run_all, settle, source, trials};
use crate::resume::process::{Running, transfer};
use crate::resume::state;
use crate::support::fixture;
use crate::support::generate::Random;
use crate::support::pg;

/// Each transaction adds the same to both tables, and counts itself.
fn write(path: &Path, stop: &AtomicBool, done: &AtomicU32) {
    let mut connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    while !stop.load(Ordering::Relaxed) {
        let transaction = connection.transaction().unwrap();
        transaction
            .execute_batch(
                "INSERT INTO debit SELECT NULL, n FROM counter;
                 DELETE FROM debit WHERE id % 5 = 0 AND n < (SELECT n FROM counter);
                 INSERT INTO credit SELECT NULL, n FROM counter;
                 DELETE FROM credit WHERE id % 5 = 0 AND n < (SELECT n FROM counter);
                 UPDATE counter SET n = n + 1",
            )
            .unwrap();
        transaction.commit().unwrap();
        done.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_source_in_use_over_a_wire_that_breaks() {
    run_all("source written, wire cut meanwhile", 2, 0..trials(1, 60), |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let source = fixture::from_sql(
            "live.db",
            "PRAGMA journal_mode = WAL;
             CREATE TABLE debit (id INTEGER PRIMARY KEY, n INTEGER);
             CREATE TABLE a (v BLOB); CREATE TABLE counter (n INTEGER); CREATE TABLE b (v BLOB);
             CREATE TABLE credit (id INTEGER PRIMARY KEY, n INTEGER);
             INSERT INTO counter VALUES (1);
             INSERT INTO a VALUES (zeroblob(900000)); INSERT INTO b VALUES (zeroblob(900000));",
        );
        let target = pg::database();
        let after = 8_000 + u64::from(random.below(1_700_000));
        let proxy =
            Proxy::start(&target.url, Fault::Bytes { from: From::Client, after, how: How::Reset });
        let (stop, done) = (AtomicBool::new(false), AtomicU32::new(0));
        std::thread::scope(|scope| {
            let stop = Finally(&stop);
            scope.spawn(|| write(&source.path, stop.0, &done));
            while done.load(Ordering::Relaxed) < 20 {
                std::thread::sleep(Duration::from_millis(1));
            }
            // What it began it ends, on the state that it saw at first.
            disturbed(transfer(&source.path, &proxy.url, &[]), &[0], tally);
            tally.faults += u64::from(proxy.fired());
        });
        let url = &target.url;
        let same = "select array_agg(x order by x)::text from
            (select id || ' ' || n as x from debit) as it";
        assert_eq!(state::one(url, same), state::one(url, &same.replace("debit", "credit")));
        let last = state::one(url, "select (select max(n) + 1 from debit) - n from counter");
        assert_eq!(last, "0");
        assert_eq!(state::one(url, "select count(*) from a, b"), "1");
    });
}

#[test]
fn two_commands_at_once() {
    run_all("two commands at once, one is killed", 2, 0..trials(1, 60), |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let target = pg::database();
        let first = Running::start(transfer(source(), &target.url, &["--quiet"]));
        std::thread::sleep(Duration::from_millis(u64::from(random.below(150))));
        let second = Running::start(transfer(source(), &target.url, &["--quiet"]));
        std::thread::sleep(Duration::from_millis(u64::from(random.below(300))));
        tally.faults += u64::from(first.kill());
        let second = second.end();
        assert!(matches!(second.code, Some(0 | 6)), "{second:?}");
        tally.ended(&second);
        settle(source(), &target.url);
    });
}

/// Ends the writer also when the trial fails: the scope waits for it.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
