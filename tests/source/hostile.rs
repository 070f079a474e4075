//! Schemas that somebody made to hurt: they end soon, in little memory, and never in a panic.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Files;
use crate::resume::process::{Ended, litelift, run};

/// Address space of the program, the reserves of its threads included.
const MEMORY_KB_MAX: u32 = 1_500_000;

fn inspect(path: &Path, more: &[&str]) -> Ended {
    let plain = litelift(&["inspect", "--from"]);
    let mut bounded = Command::new("sh");
    bounded.arg("-c").arg(format!("ulimit -v {MEMORY_KB_MAX}; exec \"$@\"")).arg("sh");
    bounded.arg(plain.get_program()).args(plain.get_args()).arg(path).args(more);
    let begun = Instant::now();
    let ended = run(bounded);
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    ended
}

/// A database with a table of one row, and something put into its schema as nobody checked it.
fn with_object(files: &Files, name: &str, kind: &str, sql: &str) -> PathBuf {
    let path = files.database(name, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    let insert = "INSERT INTO sqlite_schema VALUES (?1, 'x', 'x', 0, ?2)";
    connection.execute(insert, (kind, sql)).unwrap();
    connection.close().unwrap();
    path
}

#[test]
fn deep_expressions_do_not_overflow_a_stack() {
    let files = Files::new();
    for depth in [90, 400, 900, 2_400, 10_000, 300_000] {
        let nested = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        let chained = format!("1{}", " + 1".repeat(depth));
        let negated = format!("{}1", "- ".repeat(depth));
        let calls = format!("{}1{}", "abs(".repeat(depth), ")".repeat(depth));
        let cases = format!("{}1{}", "CASE WHEN 1 THEN ".repeat(depth), " END".repeat(depth));
        let selects = format!("{}1{}", "(SELECT ".repeat(depth), ")".repeat(depth));
        for (at, expression) in [nested, chained, negated, calls, cases, selects].iter().enumerate()
        {
            let view = format!("CREATE VIEW x AS SELECT {expression} AS y FROM t");
            inspect(&with_object(&files, &format!("{depth}-{at}.db"), "view", &view), &[]);
        }
    }
}

#[test]
fn views_that_multiply_are_not_run() {
    let files = Files::new();
    let mut sql =
        "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); CREATE VIEW v0 AS SELECT a FROM t;"
            .to_owned();
    for n in 1..60 {
        let before = n - 1;
        sql.push_str(&format!("CREATE VIEW v{n} AS SELECT x.a FROM v{before} x, v{before} y;"));
    }
    inspect(&files.database("views.db", &sql), &["--check", "full"]).expect(0);
}

#[test]
fn computed_values_are_not_larger_than_the_file() {
    let files = Files::new();
    let path = files.database(
        "large.db",
        "CREATE TABLE t (a, g AS (hex(zeroblob(400000000))), h AS (printf('%.*c', 900000000, 'x')),
           i AS (replace(hex(zeroblob(5000)), '00', hex(zeroblob(5000)))));
         INSERT INTO t (a) VALUES (1), (2), (3);
         CREATE TABLE checked (a CHECK (length(hex(zeroblob(a))) > 0)); INSERT INTO checked VALUES (7);",
    );
    let ended = inspect(&path, &["--check", "full", "--format", "json"]).expect(0);
    assert!(ended.stdout.contains("string or blob too big"), "{}", ended.stdout);
}

#[test]
fn long_texts_of_a_schema_are_bounded() {
    let files = Files::new();
    let long = |bytes: usize| format!("CREATE VIEW x AS SELECT 1 /* {} */", "x".repeat(bytes));
    inspect(&with_object(&files, "long.db", "view", &long(10 << 20)), &[]).expect(0);
    inspect(&with_object(&files, "longer.db", "view", &long(40 << 20)), &[]).expect(3);
    let columns: Vec<String> = (0..1500).map(|n| format!("column_{n} DEFAULT {n}")).collect();
    let wide =
        format!("CREATE TABLE wide ({}); INSERT INTO wide DEFAULT VALUES", columns.join(", "));
    inspect(&files.database("wide.db", &wide), &["--check", "full"]).expect(0);
}
