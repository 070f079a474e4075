//! The source or the options are no longer what a run began with; `--restart`.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::process::{Running, eventually, run, transfer};
use super::state;
use crate::support::compare;
use crate::support::fixture::{self, Fixture};
use crate::support::generate::Random;
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
    let cannot = "error: cannot continue: this is not what the transfer began with";
    let hint = "hint: Use --restart to throw away what is there of it and begin again.";

    let only = "detail: --only was not given when the transfer began, now it is \"t1*\".";
    refused(&source, &target, &["--only", "t1*"], 7, &[cannot, only, hint]);
    let maps = "detail: The type maps are not those with which the transfer began.";
    let map = source.folder.path().join("map.csv");
    std::fs::write(&map, "table,column,declared,evidence,pg_type,convert,note\n*,x,*,*,text,,\n")
        .unwrap();
    refused(&source, &target, &["--type-map", map.to_str().unwrap()], 7, &[cannot, maps, hint]);

    refused(&source, &target, &["--skip", "t1"], 7, &[cannot, "detail: --skip was not given"]);

    // Another schema: what the plan says of it is not true any more.
    let connection = Connection::open(&source.path).unwrap();
    let execute = |sql: &str| connection.execute_batch(sql).unwrap();
    execute("ALTER TABLE t1 ADD COLUMN more TEXT; CREATE INDEX mine ON t2 (x)");
    let index = "The index \"mine\" was not there when the transfer began, now it is `CREATE INDEX mine ON t2 (x)`.";
    let table = "The table \"t1\" was `CREATE TABLE t1 (id INTEGER PRIMARY KEY AUTOINCREMENT, ";
    refused(&source, &target, &[], 7, &[cannot, index, table, ", more TEXT)`.", hint]);
    execute("DROP INDEX mine; ALTER TABLE t1 DROP COLUMN more; ANALYZE; PRAGMA user_version = 7");
    drop(connection);
    // As it was, but for what only counts.
    let ended = run(transfer(&source.path, &target.url, &[])).expect(0);
    ended.says(&[
        "PRAGMA user_version was 0 when the transfer began, now it is 7.",
        "The rows that were copied are those of the file as it is now.",
    ]);
    state::expect_exact(&source.path, &target.url);

    let cannot = "error: the source was transferred already, with other options";
    let hint = "hint: Use --restart to drop the tables of that transfer and do it again.";
    refused(&source, &target, &["--only", "t1"], 7, &[cannot, hint]);
    let connection = Connection::open(&source.path).unwrap();
    let delete = "PRAGMA foreign_keys = OFF; DELETE FROM t3 WHERE id = 3";
    connection.execute_batch(delete).unwrap();
    drop(connection);
    let cannot = "error: the source has changed since it was transferred";
    refused(&source, &target, &[], 7, &[cannot, "Rows changed in \"t3\" since run 1", hint]);
}

#[test]
fn a_file_that_was_only_touched_goes_on_and_is_as_done_as_before() {
    let source = state::small();
    let target = stopped(&source);
    set_filetime(&source, SystemTime::UNIX_EPOCH);
    let same = "The rows that were copied are those of the file as it is now.";
    let text = "The file was written, or touched, since the transfer began.";
    let ended = run(transfer(&source.path, &target.url, &[])).expect(0);
    ended.says(&[text, same, "Continuing run 1: "]);
    state::expect_exact(&source.path, &target.url);
    set_filetime(&source, SystemTime::now());
    let ended = run(transfer(&source.path, &target.url, &["--json"])).expect(0);
    assert_eq!(ended.json()["outcome"], "already_done");
    ended.says(&[text, same]);
    // It was written down.
    let ended = run(transfer(&source.path, &target.url, &[])).expect(0);
    assert!(!ended.stderr.contains(text), "{}", ended.stderr);
    state::expect_exact(&source.path, &target.url);
}

#[test]
fn what_changed_since_is_sent_again_and_nothing_else() {
    let source = state::small();
    let target = stopped(&source);
    let url = &target.url;
    let done = state::one(url, "select relation from litelift.range order by committed_at limit 1");
    let kept = state::one(url, "select max(relation) from litelift.range");
    assert_ne!(done, kept);
    let before = state::one(url, &format!("select min(xmin::text) from public.t{kept}"));
    let connection = Connection::open(&source.path).unwrap();
    let sql = format!(
        "UPDATE t{done} SET x = x + 1e-9 WHERE id = 7; DELETE FROM t{done} WHERE id = 8;
         INSERT INTO t{done} VALUES (-5, 1, 'in front', 0), (1000000, 1, 'behind', 0);
         INSERT INTO t11 VALUES (-5, 1, 'in front', 0); DELETE FROM t10 WHERE id < 50;"
    );
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    drop(connection);
    // What children refer to is not what this is about.
    let ended = run(transfer(&source.path, url, &[]));
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
    ended.says(&[&format!("Sent again, for the rows changed: \"t{done}\".")]);
    compare::compare_by_name(&source.path, url, "public").unwrap().expect_same();
    assert_eq!(state::one(url, &format!("select min(xmin::text) from public.t{kept}")), before);
}

/// Each time some more is copied, the file is changed, and the run killed; at last every value is there.
#[test]
fn changed_between_kills_it_arrives_as_it_is_at_last() {
    let folder = tempfile::tempdir().unwrap();
    let from = &folder.path().join("odd.db");
    odd(from);
    let seed = state::number("LITELIFT_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let all = state::number("LITELIFT_CHANGES", 3);
    let mut told = 0;
    for round in 1..=all {
        let before = state::ranges(url);
        let running = Running::start(transfer(from, url, &["--jobs", "3"]));
        std::thread::sleep(Duration::from_millis(u64::from(random.below(600)) + 100));
        if !running.kill()
            && before > 0
            && state::one(url, "select state from litelift.run") == "done"
        {
            break;
        }
        eventually("its sessions are gone", || state::sessions(url, false) == 0);
        change(from, &mut random, round);
        told += 1;
    }
    target.execute(state::QUICK_COPIES);
    let ended = run(transfer(from, url, &[]));
    if ended.code == Some(7) {
        // It was done, or its keys were being made.
        run(transfer(from, url, &["--restart"])).expect(0);
    } else {
        ended.expect(0);
    }
    assert!(told > 0);
    state::expect_exact(from, url);
}

/// Tables that cannot be cut by a key of the target: text keys with NULLs, WITHOUT ROWID with every storage
/// class, descending and NOCASE, every name of the rowid taken; and one that can.
fn odd(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE noted (name TEXT PRIMARY KEY, body TEXT);
             CREATE TABLE mixed (k, d TEXT COLLATE NOCASE, v BLOB, PRIMARY KEY (k DESC, d)) WITHOUT ROWID;
             CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT);
             CREATE TABLE plain (id INTEGER PRIMARY KEY, body TEXT);
             CREATE TABLE empty (id INTEGER PRIMARY KEY, body TEXT);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 300)
             INSERT INTO noted SELECT iif(n % 10, 'n' || n, NULL), hex(zeroblob(30000)) || n FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 300)
             INSERT INTO plain SELECT n * 3, hex(zeroblob(30000)) || n FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 400)
             INSERT INTO mixed SELECT CASE n % 4 WHEN 0 THEN n WHEN 1 THEN n + 0.5 WHEN 2 THEN '' || n
               ELSE CAST(n AS BLOB) END, 'D' || n, zeroblob(n) FROM i;
             INSERT INTO hidden SELECT 'r' || rowid, 'x', NULL FROM plain; COMMIT",
        )
        .unwrap();
}

fn change(path: &Path, random: &mut Random, round: u64) {
    let connection = Connection::open(path).unwrap();
    let mut one = || random.below(300) + 1;
    let statements = [
        format!("UPDATE noted SET body = body || 'x' WHERE rowid = {}", one()),
        format!("DELETE FROM noted WHERE rowid = {}", one()),
        format!("INSERT INTO noted VALUES (NULL, 'new {round}')"),
        format!("UPDATE mixed SET v = x'{:04x}' WHERE d = 'D{}'", one(), one()),
        format!("DELETE FROM mixed WHERE d = 'D{}'", one()),
        format!("INSERT INTO mixed VALUES ({round}.25, 'new', NULL)"),
        format!("INSERT INTO hidden VALUES ('new', NULL, '{round}')"),
        format!("UPDATE plain SET body = '' WHERE id = {}", one() * 3),
        format!("DELETE FROM plain WHERE id = {}", one() * 3),
        format!("INSERT OR IGNORE INTO plain VALUES ({}, 'between')", one() * 3 + 1),
        format!("INSERT INTO plain VALUES ({}, 'behind')", 10_000 + round),
        format!("INSERT INTO empty VALUES ({round}, NULL)"),
        "VACUUM".to_owned(),
    ];
    for statement in &statements {
        if one() % 3 == 0 {
            connection.execute_batch(statement).unwrap();
        }
    }
}

#[test]
fn a_file_that_lies_elsewhere_goes_on_when_its_rows_are_those_that_were_copied() {
    let source = state::small();
    let target = stopped(&source);
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("copied.db");
    // Another file of the same schema, with other rows.
    let other = folder.path().join("other.db");
    std::fs::copy(&source.path, &copied).unwrap();
    std::fs::copy(&source.path, &other).unwrap();
    let connection = Connection::open(&other).unwrap();
    for table in 0..12 {
        connection.execute_batch(&format!("UPDATE t{table} SET name = name || '!'")).unwrap();
    }
    drop(connection);
    let made = "Some of them were made by a transfer from";
    let before = state::versions(&target.url);
    run(transfer(&other, &target.url, &[])).expect(8).says(&[made]);
    assert_eq!(state::versions(&target.url), before);

    let ended = run(transfer(&copied, &target.url, &[])).expect(0);
    ended.says(&["The file lay at \"", "\" when the transfer began.", "Continuing run 1: "]);
    state::expect_exact(&copied, &target.url);
    let name = copied.canonicalize().unwrap();
    assert_eq!(state::one(&target.url, "select source from litelift.run"), name.to_string_lossy());
    // Done, and moved back.
    let ended = run(transfer(&source.path, &target.url, &["--json"])).expect(0);
    assert_eq!(ended.json()["outcome"], "already_done");
    run(transfer(&other, &target.url, &[])).expect(8).says(&[made]);
    state::expect_exact(&source.path, &target.url);
}

#[test]
fn rows_that_the_target_lost_are_sent_again_and_others_are_told() {
    let source = state::small();
    let target = stopped(&source);
    let url = &target.url;
    let first = state::one(url, "select min(relation) from litelift.range");
    // As a crash of the server does to an unlogged table.
    target.execute(&format!("truncate public.t{first}"));
    target.execute("create table kept as table litelift.range");
    let mine = format!("insert into public.t{first} values (-1, 1, 'mine', 0)");
    let holds = "error: tables do not hold the rows that were committed";
    target.execute(&format!(
        "{mine}; insert into public.t{first} select n, 1, '', 0 from generate_series(1, 100) n"
    ));
    let told = format!("Table \"t{first}\" has 101 rows, but 100 were committed.");
    refused(&source, &target, &[], 8, &[holds, &told, "UNLOGGED", "--restart"]);
    target.execute(&format!("truncate public.t{first}; drop table public.kept"));
    let told = format!("Table \"t{first}\" has 0 rows, but 100 were committed.");
    let ended = run(transfer(&source.path, url, &[])).expect(0);
    ended.says(&[&told, "the table is sent again."]);
    state::expect_exact(&source.path, url);
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
    run(transfer(&source.path, &target.url, &[]))
        .expect(0)
        .says(&["The -wal was written since the transfer began."]);
    state::expect_exact(&source.path, &target.url);
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
