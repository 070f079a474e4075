//! What `litelift status` shows of a run, and what `litelift clean` leaves of it.

use rustix::process::Signal;

use super::process::{Ended, Running, litelift, run, transfer as command};
use super::state;
use crate::data_only::target as role;
use crate::support::pg;

fn status(url: &str) -> serde_json::Value {
    run(litelift(&["status", "--json", "--to", url])).expect(0).json()
}

fn clean(url: &str, more: &[&str]) -> Ended {
    let mut arguments = vec!["clean", "--to", url];
    arguments.extend(more);
    run(litelift(&arguments))
}

#[test]
fn a_run_is_seen_from_elsewhere_at_every_stage() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    let found = status(url);
    assert_eq!(found["bookkeeping"], "absent");
    assert_eq!(found["transfers"], serde_json::json!([]));
    let ended = run(litelift(&["status", "--to", url])).expect(0);
    ended.prints(&["No transfer is known in ", ": it has no schema litelift."]);

    target.execute(state::SLOW_COPIES);
    let running = Running::start(command(&source.path, url, &[]))
        .until("ranges are there", || state::ranges(url) >= 2);
    running.signal(Signal::STOP);
    let found = &status(url)["transfers"][0];
    let committed = u64::try_from(state::ranges(url)).unwrap();
    assert_eq!(found["state"], "copying", "{found}");
    assert_eq!(found["ranges"], serde_json::json!({"done": committed, "all": 12}));
    assert_eq!(found["tables"], serde_json::json!({"done": committed, "all": 12}));
    assert_eq!(found["rows"], serde_json::json!({"done": committed * 100, "all": 1200}));
    assert!(found["bytes_per_s"].as_f64().unwrap() > 0.0, "{found}");
    assert!(found["lock"]["pid"].as_i64().unwrap() > 0, "{found}");
    let text = run(litelift(&["status", "--to", url])).expect(0);
    text.prints(&[
        "run 1: ",
        "into schema public: copying rows",
        " of 12 tables",
        "lock: server process ",
    ]);
    text.prints(&["1 transfer is known in ", ": 1 under way."]);
    // It is not what is asked for.
    let other = run(litelift(&["status", "--into", "other", "--json", "--to", url])).expect(0);
    assert_eq!(other.json()["transfers"], serde_json::json!([]));
    assert_eq!(other.json()["others_at_work"], serde_json::json!([]));
    // As long as it is at work nothing is removed.
    clean(url, &["--force"]).expect(6).says(&["error: another litelift is at work"]);

    assert!(running.kill());
    super::process::eventually("its sessions are gone", || state::sessions(url, false) == 0);
    let found = &status(url)["transfers"][0];
    assert_eq!((&found["state"], &found["lock"]), (&"stopped".into(), &serde_json::Value::Null));
    assert!(found["next"][0].as_str().unwrap().contains("litelift transfer --from "), "{found}");
    let still = "error: the bookkeeping is still needed; nothing was removed";
    clean(url, &[]).expect(8).says(&[
        still,
        "detail: Transfer 1 of ",
        "hint: To lose it all the same",
    ]);

    run(command(&source.path, url, &[])).expect(0);
    let found = &status(url)["transfers"][0];
    assert_eq!(found["state"], "done", "{found}");
    assert_eq!(found["steps"]["done"], found["steps"]["all"]);
    state::expect_exact(&source.path, url);
}

#[test]
fn a_role_that_may_only_read_sees_it_and_others_are_told_who_can_help() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    run(command(&source.path, url, &["--quiet"])).expect(0);
    role::role("litelift_test_reader");
    let reader = role::as_role(url, "litelift_test_reader");
    let ended = run(litelift(&["status", "--to", &reader])).expect(0);
    ended.prints(&["and this role may not read it.", "GRANT USAGE ON SCHEMA litelift TO"]);
    let grant = status(&reader)["bookkeeping"]["no"]["grant"].as_str().unwrap().to_owned();
    target.execute(&grant);
    assert_eq!(status(&reader)["transfers"][0]["state"], "done");
    clean(&reader, &[])
        .expect(4)
        .says(&["could not remove the bookkeeping", "hint: Connect as the role"]);
}

#[test]
fn clean_removes_the_bookkeeping_and_nothing_else() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    clean(url, &[]).expect(0).prints(&["nothing to remove"]);
    run(command(&source.path, url, &["--quiet"])).expect(0);
    run(command(&source.path, url, &["--quiet", "--into", "other"])).expect(0);
    let before = state::versions(url);

    clean(url, &["--dry-run"]).expect(0).prints(&["Would remove what was kept of 2 transfers in "]);
    assert_eq!(state::versions(url), before);
    clean(url, &["--run", "7"]).expect(2).says(&["error: no transfer 7 is known there"]);
    clean(url, &["--run", "2"]).expect(0).prints(&["Removed what was kept of 1 transfer in "]);
    assert_eq!(state::one(url, "select string_agg(id::text, ' ') from litelift.run"), "1");

    // What others put there, or made of it, is theirs.
    target.execute(
        "create table litelift.mine (x int); create view public.mine as table litelift.run",
    );
    let depends = "error: other objects depend on the bookkeeping; nothing was removed";
    clean(url, &[]).expect(8).says(&[depends, "view public.mine depends on table litelift.run"]);
    target.execute("drop view public.mine");
    let ended = clean(url, &["--json"]).expect(0);
    let document = ended.json();
    assert_eq!(document["kept"], serde_json::json!(["table litelift.mine"]), "{document}");
    assert_eq!(document["schema_removed"], false);
    let left = "select string_agg(relname, ' ') from pg_class where relkind = 'r'
        and relnamespace = 'litelift'::regnamespace";
    assert_eq!(state::one(url, left), "mine");
    target.execute("drop table litelift.mine");
    clean(url, &[]).expect(0).prints(&["schema litelift with its 0 tables"]);
    assert_eq!(
        state::one(url, "select count(*) from pg_namespace where nspname = 'litelift'"),
        "0"
    );
    crate::support::compare::compare_by_name(&source.path, url, "public").unwrap().expect_same();
}

/// What --data-only took away is lost with the journal: refused, or printed for whoever insists.
#[test]
fn clean_prints_what_would_be_lost_with_the_journal() {
    let source = crate::support::fixture::from_sql(
        "child.db",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER PRIMARY KEY, parent INT REFERENCES parent);
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1);",
    );
    let target = pg::database();
    let url = &target.url;
    target.execute(
        "create table parent (id int primary key); create table child (id int primary key,
         parent int constraint child_of references parent); create index child_parent on child (parent);",
    );
    target.execute(state::SLOW_INDEXES);
    let running = Running::start(command(&source.path, url, &["--data-only"]))
        .until("an index is being made", || state::runs(url, "CREATE INDEX"));
    assert!(running.kill());
    target.execute(state::QUICK_INDEXES);
    super::process::eventually("its sessions are gone", || state::sessions(url, false) == 0);
    let found = &status(url)["transfers"][0];
    assert!(found["not_restored"].as_u64().unwrap() >= 1, "{found}");
    clean(url, &[])
        .expect(8)
        .says(&["was taken away and is not back.", "litelift restore-constraints"]);
    let ended = clean(url, &["--force"]).expect(0);
    ended.prints(&["! index child_parent of child is not back:", "CREATE INDEX child_parent ON"]);
}
