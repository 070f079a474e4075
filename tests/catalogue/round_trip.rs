//! Every object of a real database is in the target, or named in the report.

#![allow(clippy::print_stderr, reason = "the figure is the point of the test")]

use crate::support::round_trip::{self, Looked};
use crate::support::{corpus, fixture, pg, transfer};

#[test]
fn the_schema_of_every_corpus_file_arrives() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut total = Looked::default();
    for file in &files {
        let copy = file.copy_into(folder.path()).unwrap();
        let database = pg::database();
        let mut options = transfer::options(&copy, &database.url);
        options.verify = false;
        let report = transfer::run(&options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        let (looked, complaints) = round_trip::check(&copy, &database.url, &report);
        total += looked;
        wrong.extend(complaints.into_iter().map(|complaint| format!("{}: {complaint}", file.name)));
    }
    eprintln!("corpus: {} files, {total:?}", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(total.columns > 1_000 && total.indexes > 100 && total.foreign_keys > 100, "{total:?}");
}

#[test]
fn the_schema_of_our_own_databases_arrives() {
    for fixture in [fixture::shop(), fixture::quirks(), fixture::quirks_utf16()] {
        let database = pg::database();
        let options = transfer::options(&fixture.path, &database.url);
        let report = transfer::run(&options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        let (looked, wrong) = round_trip::check(&fixture.path, &database.url, &report);
        assert!(wrong.is_empty() && looked.columns > 0, "{}", wrong.join("\n"));
    }
}

#[test]
fn what_is_missing_and_not_named_is_noticed() {
    let source = fixture::from_sql(
        "case.db",
        "CREATE TABLE p (a INT NOT NULL, b TEXT COLLATE NOCASE UNIQUE, PRIMARY KEY (b, a));
         CREATE TABLE c (x INT, y TEXT, FOREIGN KEY (y, x) REFERENCES p ON DELETE CASCADE DEFERRABLE);
         CREATE INDEX i ON c (x DESC, y);",
    );
    let database = pg::database();
    let options = transfer::options(&source.path, &database.url);
    let report = transfer::run(&options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    let check = || round_trip::check(&source.path, &database.url, &report).1;
    assert_eq!(check(), Vec::<String>::new());
    for (harm, repair) in [
        ("ALTER TABLE c ALTER x SET NOT NULL", "ALTER TABLE c ALTER x DROP NOT NULL"),
        (
            "DROP INDEX i; CREATE INDEX i ON c (x, y)",
            "DROP INDEX i; CREATE INDEX i ON c (x DESC, y)",
        ),
        (
            "DROP INDEX i; CREATE INDEX i ON c (y, x DESC)",
            "DROP INDEX i; CREATE INDEX i ON c (x DESC, y)",
        ),
        ("DROP INDEX i", "CREATE INDEX i ON c (x DESC, y)"),
        ("DROP INDEX p_b_key", "CREATE UNIQUE INDEX p_b_key ON p (lower(b COLLATE \"C\"))"),
        (
            "ALTER TABLE c DROP CONSTRAINT c_y_x_fkey, ADD CONSTRAINT c_y_x_fkey FOREIGN KEY (y, x) REFERENCES p (b, a) ON DELETE CASCADE",
            "ALTER TABLE c DROP CONSTRAINT c_y_x_fkey, ADD CONSTRAINT c_y_x_fkey FOREIGN KEY (y, x) REFERENCES p (b, a) ON DELETE CASCADE DEFERRABLE",
        ),
        (
            "ALTER TABLE c DROP CONSTRAINT c_y_x_fkey, ADD CONSTRAINT c_y_x_fkey FOREIGN KEY (y, x) REFERENCES p (b, a) DEFERRABLE",
            "ALTER TABLE c DROP CONSTRAINT c_y_x_fkey, ADD CONSTRAINT c_y_x_fkey FOREIGN KEY (y, x) REFERENCES p (b, a) ON DELETE CASCADE DEFERRABLE",
        ),
    ] {
        database.execute(harm);
        assert!(!check().is_empty(), "{harm}");
        database.execute(repair);
        assert_eq!(check(), Vec::<String>::new(), "{repair}");
    }
}
