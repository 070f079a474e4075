//! Two runs at once into one schema, and the lock of a run that is gone.

use std::time::{Duration, Instant};

use litelift::error::ErrorKind;
use rustix::process::Signal;

use super::process::{Running, eventually, run, transfer as command};
use super::state;
use crate::data_only::target as role;
use crate::support::{pg, transfer};

#[test]
fn the_second_of_two_runs_waits_and_gives_up() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let first = Running::start(command(&source.path, url, &[]))
        .until("a range is there", || state::ranges(url) > 0);
    // Stopped in its tracks, but alive.
    first.signal(Signal::STOP);
    let mut options = transfer::options(&source.path, url);
    options.lock_wait = Duration::from_millis(500);
    let error = transfer::run(&options).unwrap_err();
    let text = pg::explain(&error);
    assert_eq!(error.kind(), ErrorKind::Locked, "{text}");
    assert!(
        text.starts_with("error: another litelift is at work on schema \"public\"\n"),
        "{text}"
    );
    assert!(text.contains("its server process is "), "{text}");
    assert_eq!(state::one(url, "select count(*) from litelift.run"), "1");

    // Another schema is nobody's business.
    options.inspect.into = "other".to_owned();
    transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    target.execute("drop schema other cascade; delete from litelift.run where schema = 'other'");

    let begun = Instant::now();
    assert!(first.kill());
    run(command(&source.path, url, &[])).expect(0).says(&["Continuing run 1"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    state::expect_exact(&source.path, url);
}

#[test]
fn the_second_of_two_runs_goes_on_when_the_first_is_done() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let first = Running::start(command(&source.path, url, &[]))
        .until("a range is there", || state::ranges(url) > 0);
    let second = run(command(&source.path, url, &["--json"])).expect(0);
    first.end().expect(0);
    assert_eq!(second.json()["outcome"], "already_done");
    let second = second.says(&["Waiting up to 30 s for another litelift"]);
    drop(second);
    state::expect_exact(&source.path, url);
}

/// Ends the session that holds the lock; of this database alone, for other tests hold locks too.
const END_HOLDER: &str = "select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and classid = 1818850405 and granted
    and database = (select oid from pg_database where datname = current_database())";

/// Only the session that holds the lock is lost: the second run waits for what is left of the first.
#[test]
fn without_its_lock_a_run_is_still_exact() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let first = Running::start(command(from, url, &["--quiet"]))
        .until("ranges are there", || state::ranges(url) >= 1);
    target.execute(END_HOLDER);
    let second = run(command(from, url, &["--quiet"]));
    let first = first.end();
    let codes = [first.code, second.code];
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4 | 6))), "{first:?} {second:?}");
    run(command(from, url, &["--quiet"])).expect(0);
    state::expect_exact(from, url);
}

#[test]
fn a_takeover_in_the_middle_of_a_copy_is_exact() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    target.execute(
        "create or replace function public.doze() returns trigger language plpgsql as
           $$ begin perform pg_sleep(0.6); return null; end $$",
    );
    let first = Running::start(command(from, url, &[]))
        .until("ranges are there", || state::ranges(url) >= 2);
    let begun = Instant::now();
    let second = run(command(from, url, &["--takeover"])).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    second.says(&[
        "--takeover: ended ",
        "of another litelift at work on schema",
        "Continuing run 1",
    ]);
    // It looks again after a second: the other has the lock, or is done.
    let first = first.end();
    if first.code != Some(0) {
        first.expect(6).says(&["error: this run has lost its lock on schema \"public\""]);
    }
    state::expect_exact(from, url);
    // Nobody is there any more.
    let ended = run(command(from, url, &["--takeover"])).expect(0);
    assert!(!ended.stderr.contains("--takeover"), "{}", ended.stderr);
}

/// The first cannot go on before the second is done.
#[test]
fn a_run_that_was_taken_over_leaves_it_to_the_other() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let first = Running::start(command(from, url, &["--takeover"]))
        .until("ranges are there", || state::ranges(url) >= 2);
    first.signal(Signal::STOP);
    let before = state::ranges(url);
    let second = Running::start(command(from, url, &["--takeover"]))
        .until("a further range is there", || state::ranges(url) > before + 1);
    second.signal(Signal::STOP);
    first.signal(Signal::CONT);
    let lost = "error: this run has lost its lock on schema \"public\"";
    first.end().expect(6).says(&[
        lost,
        "detail: Another litelift has it now.",
        "`litelift status`",
    ]);
    second.signal(Signal::CONT);
    second.end().expect(0);
    state::expect_exact(from, url);
}

/// A run that hangs holds its lock as long as its machine lives.
#[test]
fn a_run_that_hangs_is_taken_over_again_and_again() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let mut hanging = Vec::new();
    for ranges in [1, 4, 8] {
        let running = Running::start(command(from, url, &["--takeover"]))
            .until("more ranges are there", || state::ranges(url) >= ranges);
        running.signal(Signal::STOP);
        hanging.push(running);
    }
    run(command(from, url, &["--takeover"])).expect(0);
    state::expect_exact(from, url);
    for running in hanging {
        running.signal(Signal::CONT);
        // It looks again, and finds the lock free and all done.
        running.end().expect(0);
    }
    state::expect_exact(from, url);
}

#[test]
fn a_takeover_needs_the_right_to_end_the_other_session() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let first = Running::start(command(from, url, &[]))
        .until("a range is there", || state::ranges(url) >= 1);
    first.signal(Signal::STOP);
    role::role("litelift_test_stranger");
    let stranger = role::as_role(url, "litelift_test_stranger");
    run(command(from, &stranger, &["--takeover"]))
        .expect(6)
        .says(&["error: --takeover may not end the litelift", "pg_signal_backend"]);
    let ended = run(command(from, &stranger, &["--lock-wait", "1"])).expect(6);
    ended.says(&["Waiting up to 1 s", "error: another litelift is at work", "--takeover"]);
    first.signal(Signal::CONT);
    first.end().expect(0);
    state::expect_exact(from, url);
}

#[test]
fn a_killed_run_frees_its_lock_even_in_a_long_statement() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_INDEXES);
    let running = Running::start(command(from, url, &[]))
        .until("an index is being made", || state::runs(url, "CREATE INDEX"));
    assert!(running.kill());
    let begun = Instant::now();
    eventually("the server has noticed", || state::sessions(url, false) == 0);
    assert!(begun.elapsed() < Duration::from_secs(10), "after {:?}", begun.elapsed());
    target.execute(state::QUICK_INDEXES);
    run(command(from, url, &[])).expect(0);
    state::expect_exact(from, url);
}
