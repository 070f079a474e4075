//! The source or the options are no longer what a run began with; `--restart`.

use std::time::SystemTime;

use rusqlite::Connection;

use super::process::{Running, run, transfer};
use super::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg::{self, TestDb};

/// A run that was killed when some of its ranges were committed.
fn stopped(source: &Fixture) -> TestDb {
    let target = pg::database();
    target.execute(state::SLOW_COPIES);
    let running = Running::start(transfer(&source.path, &target.url, &[]))
        .until("ranges are there", || state::ranges(&target.url) >= 2);
    assert!(running.kill());
    target.execute(state::QUICK_COPIES);
    target
}

/// Expects the command to change nothing.
#[track_caller]
fn refused(source: &Fixture, target: &TestDb, more: &[&str], code: i32, texts: &[&str]) {
    let before = state::versions(&target.url);
    run(transfer(&source.path, &target.url, more)).expect(code).says(texts);
    assert_eq!(state::versions(&target.url), before, "{more:?}");
}

#[test]
fn what_changed_is_named_and_nothing_is_mixed() {
    let source = state::small();
    let target = stopped(&source);
    let touched = filetime_of(&source);
    let cannot = "error: cannot continue: this is not what the transfer began with";
    let hint = "hint: Use --restart to throw away what is there of it and begin again.";

    let only = "detail: --only was not given when the transfer began, now it is \"t1*\".";
    refused(&source, &target, &["--only", "t1*"], 7, &[cannot, only, hint]);
    let maps = "detail: The type maps are not those with which the transfer began.";
    let map = source.folder.path().join("map.csv");
    std::fs::write(&map, "table,column,declared,evidence,pg_type,convert,note\n*,x,*,*,text,,\n")
        .unwrap();
    refused(&source, &target, &["--type-map", map.to_str().unwrap()], 7, &[cannot, maps, hint]);

    set_filetime(&source, SystemTime::now());
    let text = "detail: The file was written, or touched, since the transfer began.";
    refused(&source, &target, &[], 7, &[cannot, text, hint]);
    // As it was: the run could go on.
    set_filetime(&source, touched);
    refused(&source, &target, &["--skip", "t1"], 7, &[cannot, "detail: --skip was not given"]);

    let connection = Connection::open(&source.path).unwrap();
    connection.execute_batch("INSERT INTO t1 VALUES (101, 1, 'new', 0)").unwrap();
    let text = "detail: The file's change counter was ";
    refused(&source, &target, &[], 7, &[cannot, text, hint]);
    connection.execute_batch("CREATE TABLE more (id INTEGER PRIMARY KEY)").unwrap();
    drop(connection);
    let text = "detail: The file had ";
    refused(&source, &target, &[], 7, &[cannot, text, hint]);

    run(transfer(&source.path, &target.url, &["--restart"])).expect(0);
    state::expect_exact(&source.path, &target.url);

    let cannot = "error: the source was transferred already, with other options";
    let hint = "hint: Use --restart to drop the tables of that transfer and do it again.";
    refused(&source, &target, &["--only", "t1"], 7, &[cannot, hint]);
    set_filetime(&source, touched);
    let cannot = "error: the source has changed since it was transferred";
    refused(&source, &target, &[], 7, &[cannot, hint]);
}

fn filetime_of(source: &Fixture) -> SystemTime {
    std::fs::metadata(&source.path).unwrap().modified().unwrap()
}

fn set_filetime(source: &Fixture, time: SystemTime) {
    // No connection of this process is open: closing the file takes no lock from anyone.
    std::fs::File::options().write(true).open(&source.path).unwrap().set_modified(time).unwrap();
}

/// Once it was checkpointed a WAL is written again from its begin: neither its size nor its header
/// nor the file tell of the commit.
#[test]
fn a_commit_into_the_same_wal_is_seen() {
    let source = fixture::from_sql("wal.db", &format!("PRAGMA journal_mode = WAL; {SMALL_WAL}"));
    let connection = Connection::open(&source.path).unwrap();
    let execute = |sql: &str| connection.execute_batch(sql).unwrap();
    execute("PRAGMA wal_autocheckpoint = 0; UPDATE t0 SET name = name || '!'");
    let _: i64 = connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |r| r.get(0)).unwrap();
    execute("UPDATE t0 SET name = 'first' WHERE id = 1");
    let target = stopped(&source);
    let wal = source.path.with_extension("db-wal");
    // SQLite keeps no locks on this file.
    let looks = || {
        let bytes = std::fs::read(&wal).unwrap();
        (bytes.len(), bytes[..32].to_vec())
    };
    let before = looks();
    execute("UPDATE t0 SET name = 'second' WHERE id = 1");
    assert_eq!(looks(), before, "size or header tell of it, so this test shows nothing");
    let text = "detail: The -wal was written since the transfer began.";
    refused(&source, &target, &[], 7, &[text]);
    execute("UPDATE t1 SET name = name || '!'");
    refused(&source, &target, &[], 7, &["detail: The -wal had ", " bytes when the transfer began"]);
    connection.close().unwrap();
    run(transfer(&source.path, &target.url, &["--restart"])).expect(0);
    state::expect_exact(&source.path, &target.url);
}

const SMALL_WAL: &str = "
    CREATE TABLE t0 (id INTEGER PRIMARY KEY, name TEXT);
    WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 5000)
    INSERT INTO t0 SELECT n, 'name ' || n FROM i;
    CREATE TABLE t1 AS SELECT * FROM t0; CREATE TABLE t2 AS SELECT * FROM t0;
    CREATE TABLE t3 AS SELECT * FROM t0; CREATE TABLE t4 AS SELECT * FROM t0;
    CREATE TABLE t5 AS SELECT * FROM t0; CREATE TABLE t6 AS SELECT * FROM t0;";

#[test]
fn restart_never_drops_what_litelift_did_not_make() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    run(transfer(&source.path, url, &[])).expect(0);

    let cannot = "error: --restart cannot drop the tables of the earlier run: other objects depend";
    target.execute("create view mine as select count(*) from public.t3");
    let detail =
        "detail: view public.mine depends on table public.t3\n        Nothing was changed.\n";
    refused(&source, &target, &["--restart"], 8, &[cannot, detail, "hint: Drop these objects"]);
    target.execute("drop view mine; create table mine (t int references public.t4)");
    let detail = "detail: constraint mine_t_fkey on table public.mine depends on table public.t4\n";
    refused(&source, &target, &["--restart"], 8, &[cannot, detail]);
    target.execute("drop table mine");

    // A table of the same name, made by the user.
    target
        .execute("drop table t5 cascade; create table t5 (mine text); insert into t5 values ('!')");
    let text = "error: tables of an earlier run are gone, others are still there";
    refused(&source, &target, &[], 8, &[text, "\"t5\""]);
    let text = "error: table \"t5\" exists already in schema \"public\"";
    refused(&source, &target, &["--restart"], 8, &[text]);
    target.execute("drop table t5");
    run(transfer(&source.path, url, &["--restart"])).expect(0);
    state::expect_exact(&source.path, url);

    // All of ours are gone, and one of the user's is in the way.
    let tables: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    target.execute(&format!("drop table {}; create table t0 (mine text)", tables.join(", ")));
    refused(&source, &target, &[], 8, &["error: table \"t0\" exists already"]);
    target.execute("drop table t0");
    run(transfer(&source.path, url, &[])).expect(0);
    state::expect_exact(&source.path, url);
}

#[test]
fn restart_keeps_what_is_there_until_there_is_something_new() {
    let source = state::small();
    let target = pg::database();
    let url = &target.url;
    run(transfer(&source.path, url, &[])).expect(0);
    let connection = Connection::open(&source.path).unwrap();
    connection.execute_batch("INSERT INTO t1 (id, name) VALUES (999, x'00ff')").unwrap();
    drop(connection);
    let text = "error: --strict: 1 things would not arrive as they are; nothing was written";
    refused(&source, &target, &["--restart", "--strict"], 1, &[text]);
    target.execute(state::NO_NEW_TABLES);
    refused(&source, &target, &["--restart"], 4, &["could not create table"]);
    target.execute("drop event trigger refuse");
    run(transfer(&source.path, url, &["--restart"])).expect(0);
    state::expect_exact(&source.path, url);
}

#[test]
fn a_run_of_another_version_is_refused_and_can_be_replaced() {
    let source = state::small();
    let target = pg::database();
    run(transfer(&source.path, &target.url, &[])).expect(0);
    target.execute("update litelift.run set format = 99, tool = '9.9'");
    let text = "error: an earlier run was begun by another version of litelift";
    refused(&source, &target, &[], 7, &[text, "detail: It was 9.9, this is ", "--restart"]);
    run(transfer(&source.path, &target.url, &["--restart"])).expect(0);
    state::expect_exact(&source.path, &target.url);
}
