//! Ctrl-C and SIGTERM: a quick end, nothing half-done, nothing left running, and a way to go on.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::process::{Ended, Running, eventually, litelift, run, transfer};
use super::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg;

/// A stop is to be felt at once.
const STOP_MAX: Duration = Duration::from_secs(2);

/// Sends a signal, and expects a quick end, and no statement left on the server.
#[track_caller]
fn stop(running: Running, signal: Signal, url: &str) -> Ended {
    let begun = Instant::now();
    running.signal(signal);
    let ended = running.end().expect(5);
    assert!(begun.elapsed() < STOP_MAX, "{:?}: {}", begun.elapsed(), ended.stderr);
    eventually("no session is left", || state::sessions(url, false) == 0);
    // The server sees an end of the connection only when it looks: a statement must be cancelled.
    assert!(begun.elapsed() < STOP_MAX, "a session lived {:?}", begun.elapsed());
    ended
}

/// A table whose every row takes 50 ms to read: its virtual column is computed each time.
pub(super) fn slow_to_read() -> Fixture {
    fixture::from_sql(
        "slow.db",
        "CREATE TABLE quick (id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO quick VALUES (1, 'a'), (2, 'b');
         CREATE TABLE slow (id INTEGER PRIMARY KEY, v INTEGER);
         WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 2000)
         INSERT INTO slow SELECT n, 3 FROM i;
         -- Last, for an INSERT computes it too.
         ALTER TABLE slow ADD COLUMN n AS (length(replace(hex(zeroblob(v * 1000000)), '0', '11')));",
    )
}

#[test]
fn while_it_looks_at_the_source() {
    let source = slow_to_read();
    for signal in [Signal::INT, Signal::TERM] {
        let target = pg::database();
        let before = state::everything(&target.url);
        let running = Running::start(transfer(&source.path, &target.url, &[]))
            .until("it is connected", || state::sessions(&target.url, false) > 0);
        std::thread::sleep(Duration::from_millis(300));
        let ended = stop(running, signal, &target.url);
        ended.says(&["error: interrupted", "Run the same command again to continue: litelift "]);
        assert_eq!(state::everything(&target.url), before);
    }
}

#[test]
fn while_it_only_inspects() {
    let source = slow_to_read();
    let mut command = litelift(&["inspect", "--from"]);
    command.arg(&source.path);
    let running = Running::start(command);
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    running.signal(Signal::INT);
    running.end().expect(5).says(&["stopping; nothing was written", "error: interrupted"]);
    assert!(begun.elapsed() < STOP_MAX, "{:?}", begun.elapsed());
}

#[test]
fn while_it_copies() {
    let source = state::small();
    let from = &source.path;
    for signal in [Signal::INT, Signal::TERM] {
        let target = pg::database();
        target.execute(state::SLOW_COPIES);
        let running = Running::start(transfer(from, &target.url, &[]))
            .until("a range is there", || state::ranges(&target.url) > 0);
        let ended = stop(running, signal, &target.url);
        ended.says(&["stopping; running ranges are rolled back", "to continue: litelift "]);
        run(transfer(from, &target.url, &[])).expect(0).says(&["Continuing run 1: "]);
        state::expect_exact(from, &target.url);
    }
}

#[test]
fn while_the_server_makes_an_index() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    target.execute(state::SLOW_INDEXES);
    let running = Running::start(transfer(from, &target.url, &[]))
        .until("an index is being made", || state::runs(&target.url, "CREATE INDEX"));
    stop(running, Signal::INT, &target.url);
    target.execute(state::QUICK_INDEXES);
    run(transfer(from, &target.url, &[])).expect(0);
    state::expect_exact(from, &target.url);
}

#[test]
fn while_it_waits_for_a_lock() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let holder = pg::while_connected(
        &target.url,
        "select pg_advisory_lock(x'6c697465'::int, hashtext('public'))",
        || {
            let running = Running::start(transfer(from, &target.url, &[]))
                .until("it waits", || state::sessions(&target.url, false) > 0);
            std::thread::sleep(Duration::from_millis(500));
            stop(running, Signal::INT, &target.url)
        },
    );
    holder.says(&["Waiting up to 30 s for another litelift"]);
}

#[test]
fn a_port_where_nothing_answers_does_not_keep_ctrl_c_waiting() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u:s3cret@{}/db", silent.local_addr().unwrap());
    let source = state::small();
    let running = Running::start(transfer(&source.path, &url, &[]));
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    running.signal(Signal::INT);
    running.end().expect(5);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
