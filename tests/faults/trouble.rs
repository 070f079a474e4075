//! One trouble at a time: what litelift says and does about it, and that Ctrl-C is heard in it.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::proxy::{Fault, From, How, Proxy};
use crate::resume::process::{Ended, Running, eventually, run, transfer, verify};
use crate::resume::state;
use crate::support::pg;

/// A stop is to be felt at once.
const STOP_MAX: Duration = Duration::from_secs(2);
/// A wire without a fault, until it is dropped.
const SOUND: Fault = Fault::Bytes { from: From::Client, after: u64::MAX, how: How::Fin };
/// An application that has every table for itself.
const LOCK_ALL: &str = "begin; set application_name = 'shop'; lock table t0, t1, t2, t3, t4, t5, \
                        t6, t7, t8, t9, t10, t11 in access exclusive mode";

#[track_caller]
fn stop(running: Running) -> Ended {
    let begun = Instant::now();
    running.signal(Signal::INT);
    let ended = running.end().expect(5);
    assert!(begun.elapsed() < STOP_MAX, "{:?}: {}", begun.elapsed(), ended.stderr);
    ended.says(&["error: interrupted"])
}

/// Starts a transfer of small tables, slow enough to be met in the middle.
fn in_the_middle(
    url: &str,
    target: &pg::TestDb,
    more: &[&str],
) -> (Running, crate::support::fixture::Fixture) {
    let source = state::small();
    target.execute(state::SLOW_COPIES);
    let running = Running::start(transfer(&source.path, url, more))
        .until("a range is there", || state::ranges(&target.url) > 0);
    (running, source)
}

#[test]
fn who_holds_a_lock_is_told_and_it_is_waited_for() {
    let target = pg::database();
    let (running, source) = in_the_middle(&target.url, &target, &[]);
    let holds = pg::while_connected(&target.url, LOCK_ALL, || {
        let waits = "select count(*) from pg_stat_activity where datname = current_database()
            and application_name = 'litelift' and wait_event_type = 'Lock'";
        eventually("it waits", || state::one(&target.url, waits) != "0");
        std::thread::sleep(Duration::from_secs(14));
        state::one(
            &target.url,
            "select pid from pg_stat_activity where application_name = 'shop'
            and datname = current_database()",
        )
    });
    let ended = running.end().expect(0);
    ended.says(&[&format!(
        "note: The server waits for a lock that is held by process {holds} (application shop, user "
    )]);
    state::expect_exact(&source.path, &target.url);
}

#[test]
fn a_long_statement_is_no_dead_connection() {
    let source = state::small();
    let target = pg::database();
    target.execute(
        "create function public.wait() returns event_trigger language plpgsql as
           $$ begin if current_query() like '%t3_name%' then perform pg_sleep(17); end if; end $$;
         create event trigger wait on ddl_command_start when tag in ('CREATE INDEX')
           execute function public.wait()",
    );
    let ended = run(transfer(&source.path, &target.url, &[])).expect(0);
    assert!(!ended.stderr.contains("note:"), "{}", ended.stderr);
    state::expect_exact(&source.path, &target.url);
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let target = pg::database();
    let proxy = Proxy::start(&target.url, SOUND);
    let (running, source) = in_the_middle(&proxy.url, &target, &["--retry-for", "4"]);
    let begun = Instant::now();
    drop(proxy);
    running.end().expect(4).says(&[
        "; trying again in 1 s.",
        "; trying again in 2 s.",
        "error: could not connect to ",
        "It was tried 2 times more.",
        "hint: Is the server running there",
        "hint: What was committed is kept. Run the same command again to continue.",
    ]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    run(transfer(&source.path, &target.url, &[])).expect(0);
    state::expect_exact(&source.path, &target.url);
}

#[test]
fn ctrl_c_while_it_waits_to_try_again() {
    let target = pg::database();
    let proxy = Proxy::start(&target.url, SOUND);
    let (running, _source) = in_the_middle(&proxy.url, &target, &[]);
    drop(proxy);
    std::thread::sleep(Duration::from_millis(1800));
    stop(running).says(&["; trying again in ", "to continue: litelift transfer "]);
}

#[test]
fn ctrl_c_while_nothing_passes() {
    let target = pg::database();
    let fault = Fault::Bytes { from: From::Server, after: 9_000, how: How::SwallowAll };
    let proxy = Proxy::start(&target.url, fault);
    let source = state::small();
    target.execute(state::SLOW_COPIES);
    let running = Running::start(transfer(&source.path, &proxy.url, &[]))
        .until("nothing passes", || proxy.fired());
    std::thread::sleep(Duration::from_millis(300));
    stop(running).says(&["to continue: litelift transfer "]);
}

#[test]
fn ctrl_c_while_it_compares() {
    let target = pg::database();
    let source = state::small();
    run(transfer(&source.path, &target.url, &["--quiet"])).expect(0);
    pg::while_connected(&target.url, LOCK_ALL, || {
        let running = Running::start(verify(&source.path, &target.url))
            .until("it waits", || state::sessions(&target.url, true) > 0);
        std::thread::sleep(Duration::from_millis(300));
        stop(running);
    });
}
