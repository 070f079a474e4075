//! `litelift sync`: after any changes of the source, the target is the source again.
//!
//! Knobs: `LITELIFT_SYNC_TRIALS`, the number of random trials (4); `LITELIFT_SYNC_SEED`.

#![allow(clippy::print_stderr, reason = "the figure is the point of a long run")]

mod changes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use litelift::checkpoint::lock::Patience;
use litelift::error::{ErrorKind, Result};
use litelift::event::{Cancel, Listener, Silent};
use litelift::options::DataOnly;
use litelift::report::{SyncReport, TransferReport, VerifyLevel};
use litelift::sync::SyncOptions;
use rusqlite::Connection;

use crate::support::fixture::{self, Fixture};
use crate::support::generate::Random;
use crate::support::{pg, transfer};
use crate::verify::{verify, wanted};

const SOURCE: &str = "
    CREATE TABLE owner (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, made DATETIME);
    CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owner ON DELETE CASCADE,
        mother INTEGER REFERENCES pet, weight REAL, tag TEXT UNIQUE, extra JSON);
    CREATE TABLE setting (k TEXT PRIMARY KEY, v TEXT);
    CREATE TABLE log (at INTEGER, what TEXT);
    CREATE TABLE place (x INTEGER, y TEXT, v BLOB, PRIMARY KEY (x, y DESC)) WITHOUT ROWID;
    CREATE TABLE never (id INTEGER PRIMARY KEY, t TEXT);
    CREATE TABLE empty (id INTEGER PRIMARY KEY, t TEXT);
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400)
    INSERT INTO owner SELECT x * 3, 'owner ' || x, '2026-01-01 00:00:00' FROM n;
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
    INSERT INTO pet SELECT x, 3 * (1 + x % 400), NULL, x / 4.0, 'tag ' || x, '{\"b\": ' || x || ', \"a\": null}' FROM n;
    INSERT INTO setting SELECT 'key ' || id, tag FROM pet WHERE id < 200;
    INSERT INTO log SELECT id % 7, 'line ' || (id % 50) FROM pet WHERE id < 500;
    INSERT INTO place SELECT id % 20, tag, CAST(tag AS BLOB) FROM pet WHERE id < 300;
    INSERT INTO never SELECT id, tag FROM pet;";

fn loaded(name: &str) -> (Fixture, pg::TestDb, TransferReport) {
    let (source, target) = (fixture::from_sql(name, SOURCE), pg::database());
    let options = transfer::options(&source.path, &target.url);
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    (source, target, report)
}

fn options(from: &Path, url: &str) -> SyncOptions {
    let mut inspect = transfer::options(from, url).inspect;
    inspect.data_only = Some(DataOnly::default());
    let patience = Patience { wait: Duration::from_secs(30), takeover: false };
    SyncOptions { inspect, to: url.to_owned(), dry_run: false, patience }
}

fn sync(options: &SyncOptions) -> Result<SyncReport> {
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(litelift::sync::run(options, &listener, &Cancel::default()))
}

#[track_caller]
fn synced(options: &SyncOptions) -> SyncReport {
    sync(options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)))
}

/// The comparer that shares no code with litelift, and litelift's own verification.
#[track_caller]
fn is_the_same(source: &Fixture, target: &pg::TestDb, report: &TransferReport) {
    let compared = transfer::compare_all(&source.path, &target.url, report);
    assert!(compared.differences.is_empty(), "{compared:#?}");
    let verified = verify(&wanted(&source.path, &target.url, VerifyLevel::Hashes));
    assert!(verified.is_equal(), "{verified:#?}");
}

#[test]
fn changes_of_every_kind_arrive() {
    let (source, target, report) = loaded("sync.db");
    let options = options(&source.path, &target.url);
    let nothing = synced(&options);
    assert_eq!((nothing.rows(), nothing.tables_looked_at, nothing.written_since), (0, 7, false));
    let conn = Connection::open(&source.path).unwrap();
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         -- The unique name goes to a row with another id.
         INSERT OR REPLACE INTO owner (name, made) VALUES ('owner 7', '2026-02-02 00:00:00');
         DELETE FROM owner WHERE id = 30;
         -- Two unique values change places.
         UPDATE pet SET tag = 'x' WHERE id = 1; UPDATE pet SET tag = 'tag 1' WHERE id = 2;
         UPDATE pet SET tag = 'tag 2' WHERE id = 1; UPDATE pet SET mother = 2999 WHERE id = 2;
         UPDATE setting SET v = NULL WHERE k = 'key 5'; DELETE FROM setting WHERE k = 'key 6';
         INSERT INTO setting VALUES ('new', ''); INSERT INTO log VALUES (1, 'line 1'), (NULL, NULL);
         DELETE FROM log WHERE rowid = 3; UPDATE place SET v = x'00' WHERE y = 'tag 9';
         INSERT INTO place VALUES (-1, 'ä', NULL); INSERT INTO empty VALUES (7, 'first');",
    )
    .unwrap();
    let mut look = options.clone();
    look.dry_run = true;
    let seen = synced(&look);
    let first = synced(&options);
    assert_eq!(seen.tables, first.tables);
    let names: Vec<&str> = first.tables.iter().map(|table| table.source.as_str()).collect();
    assert_eq!(names, ["owner", "pet", "setting", "log", "place", "empty"]);
    is_the_same(&source, &target, &report);
    assert_eq!(synced(&options).rows(), 0);
    // The application's next row gets an id that is free, and no constraint was lost.
    assert_eq!(
        target.query_one_text("INSERT INTO owner (name) VALUES ('next') RETURNING id").unwrap(),
        conn.query_row("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'owner'", [], |row| row
            .get::<_, i64>(
            0
        ))
        .unwrap()
        .to_string()
    );
    let valid = "SELECT count(*)::text FROM pg_constraint WHERE contype = 'f' AND convalidated AND NOT condeferrable AND connamespace = 'public'::regnamespace";
    assert_eq!(target.query_one_text(valid).unwrap(), "2");
    // What is in the target alone is not the source's.
    let unknown = verify(&wanted(&source.path, &target.url, VerifyLevel::Hashes));
    assert_eq!(unknown.differing(), 1);
}

#[test]
fn rows_that_break_a_key_or_do_not_fit_change_nothing() {
    let (source, target, report) = loaded("broken.db");
    let options = options(&source.path, &target.url);
    let conn = Connection::open(&source.path).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF; UPDATE pet SET mother = 999999 WHERE id = 5; UPDATE owner SET name = 'changed' WHERE id = 3").unwrap();
    let error = sync(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target, "{}", pg::explain(&error));
    assert!(pg::explain(&error).contains("foreign_key_check"), "{}", pg::explain(&error));
    assert_eq!(target.query_one_text("SELECT name FROM owner WHERE id = 3").unwrap(), "owner 1");
    conn.execute_batch("UPDATE pet SET mother = NULL WHERE id = 5").unwrap();
    conn.execute_batch("UPDATE pet SET owner = 'nobody' WHERE id = 5").unwrap();
    let error = sync(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Differences, "{}", pg::explain(&error));
    assert!(pg::explain(&error).contains("rowid 5"), "{}", pg::explain(&error));
    conn.execute_batch("UPDATE pet SET owner = 3 WHERE id = 5").unwrap();
    synced(&options);
    is_the_same(&source, &target, &report);
    conn.execute_batch("ALTER TABLE pet ADD COLUMN more TEXT").unwrap();
    let error = sync(&options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed, "{}", pg::explain(&error));
    assert!(pg::explain(&error).contains("\"pet\".\"more\" is new"), "{}", pg::explain(&error));
}

#[test]
fn what_is_not_there_is_said() {
    let (source, target) = (fixture::from_sql("none.db", "CREATE TABLE t (x)"), pg::database());
    let error = sync(&options(&source.path, &target.url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TargetState);
    assert!(pg::explain(&error).contains("litelift transfer"), "{}", pg::explain(&error));
}

#[test]
fn what_differs_is_repaired() {
    let (source, target, report) = loaded("repair.db");
    target.execute(
        "UPDATE owner SET name = name || ' ' WHERE id = 6; DELETE FROM pet WHERE id BETWEEN 100 AND 300;
         UPDATE pet SET tag = CASE id WHEN 1 THEN 'tag 2' ELSE 'tag 1' END || 'x' WHERE id IN (1, 2);
         INSERT INTO log VALUES (77, 'more'); DELETE FROM setting; UPDATE place SET v = NULL WHERE x = 1",
    );
    let mut options = wanted(&source.path, &target.url, VerifyLevel::Hashes);
    let found = verify(&options);
    assert_eq!(found.differing(), 5, "{found:#?}");
    let lines = source.folder.path().join("differences.jsonl");
    options.differences = Some(lines.clone());
    options.redact = true;
    verify(&options);
    let lines = std::fs::read_to_string(lines).unwrap();
    // 1 owner, 201 + 2 pets, 1 log, 199 settings, and the places of x = 1.
    let places: i64 = Connection::open(&source.path)
        .unwrap()
        .query_row("SELECT count(*) FROM place WHERE x = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(lines.lines().count(), usize::try_from(1 + 203 + 1 + 199 + places).unwrap());
    assert!(!lines.contains("tag ") && lines.contains("(hidden)"));
    options.differences = None;
    options.repair = true;
    let repaired = verify(&options);
    assert!(repaired.is_equal(), "{repaired:#?}");
    assert_eq!(repaired.repaired.len(), 5);
    is_the_same(&source, &target, &report);
}

#[test]
fn random_changes_arrive() {
    let number = |name: &str, default: u64| -> u64 {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let (trials, seed) =
        (number("LITELIFT_SYNC_TRIALS", 4), number("LITELIFT_SYNC_SEED", 20_261_121));
    let mut rows = 0;
    for trial in 0..trials {
        let mut random = Random::new(seed.wrapping_add(trial));
        for _ in 0..8 {
            random.next();
        }
        let (source, target, report) = loaded("random.db");
        let options = options(&source.path, &target.url);
        // From one change to a hundred thousand, several times in a row.
        for _ in 0..2 {
            let count = changes::how_many(&mut random, trials);
            changes::make(&source.path, &mut random, count);
            rows += synced(&options).rows();
            is_the_same(&source, &target, &report);
        }
    }
    eprintln!("sync: {trials} trials, seed {seed}: {rows} rows brought over, 0 differences");
}
