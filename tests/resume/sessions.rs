//! The server ends our sessions: litelift connects again and goes on; with `--retry-for 0` the next
//! command does.

use super::process::{Running, run, transfer};
use super::state;
use crate::support::pg;

const TERMINATE: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'litelift'";

#[test]
fn sessions_are_terminated_and_it_goes_on_by_itself() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let mut running = Running::start(transfer(&source.path, url, &["--json"]));
    for ranges in [1, 5] {
        running = running.until("ranges are there", || state::ranges(url) >= ranges);
        target.execute(TERMINATE);
    }
    let ended = running.end().expect(0);
    // One command, whatever happened in between.
    let document = ended.json();
    assert_eq!(document["outcome"], "transferred", "{document}");
    for table in document["tables"].as_array().unwrap() {
        assert_eq!((&table["rows"], &table["rows_before"]), (&100.into(), &0.into()), "{table}");
    }
    ended.says(&["; trying again in 1 s.", "Continuing run 1: "]);
    state::expect_exact(&source.path, url);
}

#[test]
fn sessions_are_terminated_while_it_copies() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    for ranges in [1, 5] {
        let running = Running::start(transfer(from, url, &["--retry-for", "0"]))
            .until("ranges are there", || state::ranges(url) >= ranges);
        target.execute(TERMINATE);
        let ended = running.end().expect(4);
        // A session that was just idle learns of it only by its end.
        let reasons = ["terminating connection due to administrator command", "Connection closed."];
        assert!(reasons.iter().any(|reason| ended.stderr.contains(reason)), "{}", ended.stderr);
        ended.says(&[
            "error: could not ",
            "hint: What was committed is kept. Run the same command again to continue.",
        ]);
    }
    run(transfer(from, url, &[])).expect(0);
    state::expect_exact(from, url);
}

#[test]
fn sessions_are_terminated_while_the_server_makes_an_index() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_INDEXES);
    let running = Running::start(transfer(from, url, &["--retry-for", "0"]))
        .until("an index is being made", || state::runs(url, "CREATE INDEX"));
    target.execute(TERMINATE);
    running.end().expect(4).says(&["could not make index", "Run the same command again"]);
    target.execute(state::QUICK_INDEXES);
    run(transfer(from, url, &[])).expect(0);
    state::expect_exact(from, url);
}

/// What the server cannot do now is not what it refuses: the index is made by the next command.
#[test]
fn trouble_of_the_server_is_no_refusal() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    for (code, what) in [("XX001", "damaged"), ("53100", "full"), ("57014", "cancelled")] {
        target.execute(&format!(
            "create function public.fail() returns event_trigger language plpgsql as
               $$ begin raise 'it is {what}' using errcode = '{code}'; end $$;
             create event trigger fail on ddl_command_start when tag in ('CREATE INDEX')
               execute function public.fail()"
        ));
        let ended = run(transfer(&source.path, url, &[])).expect(4);
        ended.says(&[": it is ", what, "Run the same command again to continue."]);
        target.execute("drop event trigger fail; drop function public.fail()");
    }
    run(transfer(&source.path, url, &[])).expect(0);
    state::expect_exact(&source.path, url);
}

/// Limits that stand for the application are lifted for our own sessions.
#[test]
fn limits_of_the_application_do_not_apply() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let version: u32 = state::one(url, "show server_version_num").parse().unwrap();
    let mut limits =
        vec!["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    limits.extend((version >= 140_000).then_some("idle_session_timeout"));
    limits.extend((version >= 170_000).then_some("transaction_timeout"));
    let options: Vec<String> = limits.iter().map(|limit| format!("-c%20{limit}=400")).collect();
    let limited = format!("{url}&options={}", options.join("%20"));
    let running = Running::start(transfer(&source.path, &limited, &[]))
        .until("most ranges are there", || state::ranges(url) >= 8);
    let locks = "select count(*) from pg_locks where classid = 1818850405 and locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(state::one(url, locks), "1", "the lock was lost");
    running.end().expect(0);
    state::expect_exact(&source.path, url);
}
