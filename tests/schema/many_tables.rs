//! More tables than one transaction has locks for.
//!
//! Knobs: `LITELIFT_MANY_TABLES`, how many the large test makes (none by default); the small one has a
//! server with few locks.

#![allow(clippy::print_stderr, reason = "the figure is the point of the large test")]

use std::time::Instant;

use litelift::report::Outcome;
use litelift::scratch::{Binaries, Server, Settings};
use rusqlite::Connection;

use crate::support::fixture::{self, Fixture};
use crate::support::{pg, transfer};

/// Tables with an identity, a key, a foreign key to the one before, and a row.
fn many(count: usize) -> Fixture {
    let fixture = fixture::from_sql("many.db", "PRAGMA user_version = 1");
    let connection = Connection::open(&fixture.path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
    for number in 0..count {
        let parent = number.saturating_sub(1);
        connection
            .execute_batch(&format!(
                "CREATE TABLE t{number} (id INTEGER PRIMARY KEY, p INT REFERENCES t{parent}, v TEXT DEFAULT 'x');
                 INSERT INTO t{number} VALUES (1, 1, 'a');"
            ))
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
    fixture
}

/// 640 locks in all: 40 tables at once.
fn few_locks() -> Server {
    let extra = [("max_locks_per_transaction", "10"), ("max_connections", "64")];
    let extra = extra.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Server::start(&Binaries::find(None).unwrap(), &Settings { durable: false, extra }).unwrap()
}

#[test]
fn more_tables_than_locks_are_made_continued_and_dropped() {
    let source = many(600);
    let server = few_locks();
    let url = server.url("postgres");
    let options = transfer::options(&source.path, &url);
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!((report.tables.len(), report.rows()), (600, 600));
    assert!(report.refused.is_empty() && report.orphans.is_empty());
    assert_eq!(report.verify.unwrap().differing(), 0);

    // As after a crash between two transactions that make tables: some are not there yet.
    let session = "DELETE FROM litelift.range WHERE relation >= 300; DELETE FROM litelift.step; \
        UPDATE litelift.run SET state = 'running'; DELETE FROM litelift.relation WHERE number >= 300";
    pg::query_text(&url, session);
    for number in 300..600 {
        pg::query_text(&url, &format!("DROP TABLE t{number} CASCADE"));
    }
    for number in 0..300 {
        let drop = format!("ALTER TABLE t{number} DROP CONSTRAINT IF EXISTS t{number}_p_fkey");
        pg::query_text(&url, &drop);
    }
    for number in 0..300 {
        let drop = format!("ALTER TABLE t{number} DROP CONSTRAINT IF EXISTS t{number}_pkey");
        pg::query_text(&url, &drop);
    }
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(report.outcome, Outcome::Continued);
    assert_eq!((report.rows(), report.refused.len()), (600, 0));
    assert_eq!(report.tables.iter().map(|table| table.foreign_keys).sum::<usize>(), 600);

    let restart = litelift::options::TransferOptions { restart: true, ..options };
    let report = transfer::run(&restart).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!((report.outcome, report.rows()), (Outcome::Transferred, 600));
    server.stop().unwrap();
}

#[test]
fn a_run_that_is_half_removed_begins_again() {
    let source = many(100);
    let server = few_locks();
    let url = server.url("postgres");
    let options = transfer::options(&source.path, &url);
    transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    // A view of somebody else stands in the way of one of the tables.
    pg::query_text(&url, "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT * FROM public.t3");
    let restart = litelift::options::TransferOptions { restart: true, ..options.clone() };
    let error = transfer::run(&restart).unwrap_err();
    assert_eq!(error.kind().exit_code(), 8, "{}", pg::explain(&error));
    // Without the flag too: what is half gone cannot go on.
    let error = transfer::run(&options).unwrap_err();
    assert_eq!(error.kind().exit_code(), 8, "{}", pg::explain(&error));
    pg::query_text(&url, "DROP SCHEMA other CASCADE");
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!((report.outcome, report.rows()), (Outcome::Transferred, 100));
    server.stop().unwrap();
}

#[test]
fn as_many_tables_as_are_asked_for() {
    let count = std::env::var("LITELIFT_MANY_TABLES").ok().and_then(|text| text.parse().ok());
    let Some(count) = count else { return };
    let source = many(count);
    let database = pg::database();
    let begun = Instant::now();
    let options = transfer::options(&source.path, &database.url);
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let wall = begun.elapsed();
    eprintln!("{count} tables: {wall:.1?}, {:.2?} each", wall / u32::try_from(count).unwrap());
    for step in &report.steps {
        eprintln!("  {} {:.1} s", step.name, step.wall_s);
    }
    assert_eq!((report.tables.len(), report.refused.len()), (count, 0));
    assert_eq!(report.verify.unwrap().differing(), 0);
}
