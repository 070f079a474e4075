//! `inspect`: its suggestions hold, its target is looked at and not touched, its rules are named.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

use crate::support::fixture::{self, Fixture};
use crate::support::{corpus, pg, transfer};

/// A column for each suggestion, keys that would have one if they were none, and odd names.
const SAMPLE: &str = r##"
CREATE TABLE parents (code TEXT PRIMARY KEY, seen_at TEXT UNIQUE, is_open INTEGER);
CREATE TABLE samples (
  id INTEGER PRIMARY KEY,
  parent TEXT REFERENCES parents (code),
  fresh INTEGER, is_old INTEGER NOT NULL DEFAULT 0, word TEXT, has_word VARCHAR(5) DEFAULT 'no',
  token TEXT, day TEXT, hour VARCHAR(20), at TEXT DEFAULT CURRENT_TIMESTAMP, zoned TEXT,
  price TEXT, whole TEXT, name VARCHAR(20), untyped, "odd, ""name""" TEXT, "#hash" TEXT,
  "star*" TEXT, " blank " TEXT);
INSERT INTO parents VALUES ('7d444840-9dc0-11d1-b245-5ffdce74fad2', '2024-01-01', 1),
  ('7d444840-9dc0-11d1-b245-5ffdce74fad3', '2024-01-02', 0);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO samples SELECT i, '7d444840-9dc0-11d1-b245-5ffdce74fad' || (2 + i % 2),
  i % 2, 0, CASE i % 2 WHEN 1 THEN 'true' ELSE 'No' END, CASE i % 3 WHEN 0 THEN 'Y' ELSE 'n' END,
  printf('%08X-0000-4000-8000-%012x', i, i * i), date('2000-01-01', i || ' days'),
  time(i * 40, 'unixepoch'),
  CASE WHEN i % 5 = 0 THEN date('1969-12-01', i || ' hours')
       ELSE strftime('%Y-%m-%dT%H:%M:%f', '1969-12-01', i || ' hours') END,
  strftime('%Y-%m-%d %H:%M:%S', '2024-01-01', i || ' minutes') || CASE i % 2 WHEN 1 THEN 'Z' ELSE '+05:30' END,
  CASE i % 3 WHEN 0 THEN '-0.00' || i ELSE i || '.50' END, (i - 1000) || '',
  substr('abcdefghijklmnopqrs', 1, 1 + i % 19), date('2000-01-01', i || ' days'),
  date('2000-01-01', i || ' days'), date('2000-01-01', i || ' days'),
  date('2000-01-01', i || ' days'), date('2000-01-01', i || ' days')
FROM n;
UPDATE samples SET fresh = NULL, token = NULL, day = NULL, at = NULL, price = NULL WHERE id % 7 = 0;
"##;

fn sample() -> Fixture {
    fixture::from_sql("sample.db", SAMPLE)
}

/// Runs `litelift` with no variable of the developer's own.
fn litelift(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_litelift"));
    for variable in ["DATABASE_URL", "COLUMNS", "NO_COLOR", "CI"] {
        command.env_remove(variable);
    }
    command.args(arguments).output().unwrap()
}

/// Runs `litelift`, which must succeed, and returns what it prints.
fn printed(arguments: &[&str]) -> String {
    let output = litelift(arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn report(arguments: &[&str]) -> Value {
    let arguments = [&["inspect", "--format", "json"], arguments].concat();
    serde_json::from_str(&printed(&arguments)).unwrap()
}

/// Writes the suggestions for a file and returns the path of the type map.
fn suggested(from: &str, folder: &Path) -> String {
    let path = folder.join("suggested.csv");
    let path = path.to_str().unwrap().to_owned();
    printed(&["inspect", "--from", from, "--suggest", &path]);
    path
}

/// Takes the `#` before every rule away.
fn use_all(path: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let used = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rule) if !rule.is_empty() && !rule.starts_with(' ') => rule,
        _ => line,
    });
    std::fs::write(path, used.collect::<Vec<_>>().join("\n")).unwrap();
}

/// Returns (table, column, type) of each suggestion of a report.
fn suggestions(report: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = report["suggestions"].as_array().unwrap();
    all.iter()
        .map(|one| (text(&one["table"]), text(&one["column"]), text(&one["pg_type"])))
        .collect()
}

/// Returns the type that a report gives a column.
fn becomes<'a>(report: &'a Value, table: &str, column: &str) -> &'a Value {
    let tables = report["tables"].as_array().unwrap();
    let table = tables.iter().find(|known| known["source"] == table).unwrap();
    let columns = table["columns"].as_array().unwrap();
    &columns.iter().find(|known| known["source"] == column).unwrap()["becomes"]
}

/// Uses every suggestion for a file: nothing is widened by it, and every value arrives. Returns how
/// many there were.
fn all_hold(path: &Path) -> usize {
    let from = path.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let before = report(&["--from", from]);
    let map = suggested(from, folder.path());
    let as_written = report(&["--from", from, "--type-map", &map]);
    assert_eq!(as_written["tables"], before["tables"], "{from}: the file as written changes types");
    assert_eq!(as_written["suggestions"], before["suggestions"], "{from}");
    use_all(&map);
    let after = report(&["--from", from, "--type-map", &map]);
    assert_eq!(after["suggestions"], Value::Array(Vec::new()), "{from}: what is used is suggested");
    assert_eq!(after["unused_rules"], Value::Array(Vec::new()), "{from}");
    for (table, column, pg_type) in suggestions(&before) {
        assert_eq!(becomes(&after, &table, &column), &Value::String(pg_type), "{table}.{column}");
    }
    let database = pg::database();
    let mut options = transfer::options(path, &database.url);
    options.inspect.type_maps.user = vec![map];
    let moved = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let suggested = suggestions(&before);
    for widened in &moved.widened {
        let is_same = |(table, column, _): &(String, String, String)| {
            (table, column) == (&widened.table, &widened.column)
        };
        assert!(!suggested.iter().any(is_same), "{from}: {widened:?}");
    }
    let rules = before["suggestions"].as_array().unwrap();
    let epochs: Vec<(String, String)> = rules
        .iter()
        .filter(|suggestion| suggestion["rule"].as_str().unwrap().contains(",unix_"))
        .map(|suggestion| {
            let name = |of: &str| suggestion[of].as_str().unwrap().to_owned();
            (name("table"), name("column"))
        })
        .collect();
    transfer::compare_but(path, &database.url, &moved, &epochs).expect_same();
    suggested.len()
}

#[test]
fn every_suggestion_holds_every_value() {
    let sample = sample();
    let found = suggestions(&report(&["--from", sample.path.to_str().unwrap()]));
    let found: Vec<String> =
        found.iter().map(|(table, column, to)| format!("{table}.{column} {to}")).collect();
    insta::assert_snapshot!(found.join("\n"), @r#"
    samples.fresh boolean
    samples.word boolean
    samples.has_word boolean
    samples.token uuid
    samples.day date
    samples.hour time
    samples.at timestamp
    samples.zoned timestamptz
    samples.price numeric
    samples.whole numeric
    samples.name text
    samples.untyped date
    samples.odd, "name" date
    samples.#hash date
    samples.star* date
    samples. blank  date
    "#);
    assert_eq!(all_hold(&sample.path), found.len());
}

#[test]
fn every_suggestion_for_our_own_databases_holds() {
    for fixture in [fixture::shop(), fixture::quirks(), fixture::quirks_utf16()] {
        all_hold(&fixture.path);
    }
}

#[test]
fn every_suggestion_for_the_corpus_holds() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let count: usize = files
        .iter()
        .map(|file| file.copy_into(folder.path()).unwrap())
        .filter(|copy| !suggestions(&report(&["--from", copy.to_str().unwrap()])).is_empty())
        .map(|copy| all_hold(&copy))
        .sum();
    assert!(count > 0);
}

#[test]
fn a_type_map_is_never_written_over() {
    let sample = sample();
    let from = sample.path.to_str().unwrap();
    let map = suggested(from, sample.folder.path());
    use_all(&map);
    let edited = std::fs::read(&map).unwrap();
    let output = litelift(&["inspect", "--from", from, "--suggest", &map]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists already"));
    assert_eq!(std::fs::read(&map).unwrap(), edited);
}

#[test]
fn the_target_is_looked_at_and_not_touched() {
    let sample = sample();
    let from = sample.path.to_str().unwrap();
    let database = pg::database();
    database.execute(
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('a'); CREATE TABLE app.\"Samples\" (\
         id integer, at timestamp, name varchar(20), word app.mood, day date[], gone text); \
         ALTER TABLE app.\"Samples\" DROP COLUMN gone",
    );
    let everything = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class";
    let before = database.query_one_text(everything);
    let found = report(&["--from", from, "--to", &database.url, "--into", "app"]);
    assert_eq!(database.query_one_text(everything), before);
    assert_eq!(found["target"]["schema"], "app");
    assert_eq!(found["target"]["tables"], 1);
    assert_eq!(found["target"]["differing"], 4);
    let columns = found["tables"][1]["columns"].as_array().unwrap();
    let there: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            Some(format!("{} {}", column["source"], column["target_type"].as_str()?))
        })
        .collect();
    let expected = [
        "\"id\" integer",
        "\"word\" app.mood",
        "\"day\" date[]",
        "\"at\" timestamp",
        "\"name\" varchar(20)",
    ];
    assert_eq!(there, expected);
    let text = printed(&["inspect", "--from", from, "--to", &database.url, "--into", "app"]);
    assert!(text.contains("≠ integer") && text.contains("4 columns have another type"), "{text}");
    let none = report(&["--from", from, "--to", &database.url, "--into", "nowhere"]);
    assert_eq!(none["target"]["schema_exists"], false);
}

#[test]
fn without_the_flag_no_target_is_looked_at() {
    let sample = sample();
    let mut command = Command::new(env!("CARGO_BIN_EXE_litelift"));
    command.env("DATABASE_URL", "postgres://nobody@no-such-host.invalid/db");
    let output = command.args(["inspect", "--from"]).arg(&sample.path).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn rules_of_the_user_are_named_and_the_idle_ones_warned_of() {
    let sample = sample();
    let from = sample.path.to_str().unwrap();
    let map = sample.folder.path().join("mine.csv");
    let map = map.to_str().unwrap();
    let head = "table,column,declared,evidence,pg_type,convert,note";
    let rules = "samples,day,*,dates,date,plain,days\nsampels,at,*,*,timestamp,plain,a typo";
    std::fs::write(map, format!("{head}\n{rules}\n")).unwrap();
    let output = litelift(&["inspect", "--from", from, "--type-map", map, "--format", "csv"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&format!("warning: rule {map}:3 (a typo) decided nothing\n")), "{told}");
    let csv = String::from_utf8(output.stdout).unwrap();
    let day = csv.lines().find(|line| line.starts_with("samples,day,")).unwrap();
    assert!(day.contains(&format!(",date,,plain,false,{map}:2,true,")), "{day}");
    let text = printed(&["inspect", "--from", from, "--type-map", map, "--verbose"]);
    assert!(text.contains("your rule: days"), "{text}");
    assert!(text.contains("default:"), "{text}");
}

#[test]
fn a_dry_run_has_the_formats_of_inspect() {
    let sample = sample();
    let from = sample.path.to_str().unwrap();
    let database = pg::database();
    let dry = |format| {
        printed(&[
            "transfer",
            "--from",
            from,
            "--to",
            &database.url,
            "--dry-run",
            "--format",
            format,
        ])
    };
    assert!(dry("html").contains("<h3>Before the rows</h3>"));
    assert!(dry("markdown").contains("## After the rows\n\n```sql\n"));
}
