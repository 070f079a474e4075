//! The check for damage before the file is read.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Files, one, rows};
use crate::resume::process::{Ended, litelift, run, transfer, verify};
use crate::support::{compare, pg};

/// Changes what stands in `sqlite_schema`.
fn edit_schema(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&format!("PRAGMA writable_schema = ON; {sql}")).unwrap();
    connection.close().unwrap();
}

fn query(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn inspect(path: &Path, more: &[&str]) -> Ended {
    let mut command = litelift(&["inspect", "--from"]);
    command.arg(path).args(more);
    run(command)
}

/// An index that lacks some rows of its table.
fn with_stale_index(files: &Files) -> PathBuf {
    let path = files.database(
        "index.db",
        &format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX i ON t (v); {}",
            rows("t", 1, 50)
        ),
    );
    let root = query(&path, "SELECT rootpage FROM sqlite_schema WHERE name = 'i'");
    edit_schema(&path, "DELETE FROM sqlite_schema WHERE name = 'i'");
    Connection::open(&path).unwrap().execute_batch(&rows("t", 51, 60)).unwrap();
    edit_schema(
        &path,
        &format!(
            "INSERT INTO sqlite_schema VALUES ('index', 'i', 't', {root}, 'CREATE INDEX i ON t (v)')"
        ),
    );
    path
}

#[test]
fn an_index_that_disagrees_with_its_table_stops_only_a_full_check() {
    let files = Files::new();
    let path = with_stale_index(&files);
    let target = pg::database();
    let url = &target.url;
    let ended = run(transfer(&path, url, &["--check", "full"])).expect(3);
    let ended = ended.says(&["indexes of the source do not agree", "row 51 missing from index i"]);
    ended.says(&["REINDEX mends the indexes", "--check quick goes on"]);
    assert_eq!(one(url, "select to_regclass('public.t')"), "NULL");
    let ended = run(transfer(&path, url, &["--json"])).expect(0);
    let notes = ended.json()["notes"].to_string();
    assert!(notes.contains("wrong # of entries in index i. REINDEX mends them"), "{notes}");
    compare::compare_by_name(&path, url, "public").unwrap().expect_same();
    run(verify(&path, url)).expect(0).says(&["note: Indexes of the source do not agree"]);
    inspect(&path, &[]).expect(0).prints(&["wrong # of entries in index i"]);
    let mut full = verify(&path, url);
    full.args(["--check", "full"]);
    run(full).expect(3);
    Connection::open(&path).unwrap().execute_batch("REINDEX").unwrap();
    inspect(&path, &["--check", "full"]).expect(0);
}

#[test]
fn rows_that_break_rules_are_no_damage() {
    let files = Files::new();
    let path =
        files.database("rows.db", "CREATE TABLE t (a, b, c); INSERT INTO t VALUES (1, NULL, -1)");
    edit_schema(
        &path,
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a, b NOT NULL, c CHECK (c > 0))'",
    );
    for check in ["quick", "full"] {
        let ended = inspect(&path, &["--check", check, "--format", "json"]).expect(0);
        let remarks = ended.json()["remarks"].to_string();
        assert!(remarks.contains("NULL value in t.b."), "{check}: {remarks}");
    }
}

#[test]
fn all_damaged_tables_are_named() {
    let files = Files::new();
    let tables: String = (0..4)
        .map(|n| {
            format!(
                "CREATE TABLE t{n} (id INTEGER PRIMARY KEY, v TEXT); {}",
                rows(&format!("t{n}"), 1, 500)
            )
        })
        .collect();
    let path = files.database("damaged.db", &format!("PRAGMA page_size = 1024; {tables}"));
    let mut bytes = fs::read(&path).unwrap();
    for name in ["t1", "t3"] {
        let root =
            query(&path, &format!("SELECT rootpage FROM sqlite_schema WHERE name = '{name}'"));
        // Some leaves behind the root: tables were filled one after the other.
        let at = (usize::try_from(root).unwrap() + 30) * 1024;
        bytes[at..at + 1024].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    let target = pg::database();
    let ended = run(transfer(&path, &target.url, &[])).expect(3);
    let ended =
        ended.says(&["error: 2 tables are damaged: \"t1\", \"t3\"", "rows of \"t1\" can be read"]);
    ended.says(&["rows of \"t3\" can be read", ".recover", "--skip"]);
    let ended =
        run(transfer(&path, &target.url, &["--skip", "t1", "--skip", "t3", "--json"])).expect(0);
    let notes = ended.json()["notes"].to_string();
    assert!(
        notes.contains("Tables that were not selected are damaged: \\\"t1\\\", \\\"t3\\\""),
        "{notes}"
    );
    assert_eq!(one(&target.url, "select count(*) from t2"), "500");
}

// They may be what is left of rows that nothing leads to any more.
#[test]
fn pages_that_belong_to_nothing_are_damage() {
    let files = Files::new();
    let sql = format!("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); {}", rows("t", 1, 100));
    let path = files.database("lost.db", &sql);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4096, 0);
    let pages = u32::try_from(bytes.len() / 4096).unwrap();
    bytes[28..32].copy_from_slice(&pages.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let target = pg::database();
    let never = format!("Page {pages}: never used");
    let ended = run(transfer(&path, &target.url, &[])).expect(3);
    ended.says(&["lost.db\" is damaged", &never, "Rows may be missing", "--check none"]);
    run(transfer(&path, &target.url, &["--check", "none"])).expect(0);
    compare::compare_by_name(&path, &target.url, "public").unwrap().expect_same();
}

#[test]
fn a_function_or_collation_of_the_application_does_not_stop_the_check() {
    let files = Files::new();
    let path = files.path("own.db");
    let connection = Connection::open(&path).unwrap();
    connection.create_collation("REVERSED", |a: &str, b: &str| b.cmp(a)).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE REVERSED);
             CREATE INDEX i ON t (v); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        )
        .unwrap();
    connection.close().unwrap();
    edit_schema(
        &path,
        "UPDATE sqlite_schema SET sql = replace(sql, 'REVERSED)', 'REVERSED CHECK (own(v)))')
         WHERE name = 't'",
    );
    inspect(&path, &[]).expect(0);
    let ended = inspect(&path, &["--check", "full"]).expect(3);
    ended.says(&["collation of the application's own"]);
}
