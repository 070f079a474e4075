//! Every object of a database is in the target, or named in the report. The corpus is looked at by
//! `tests/corpus/`, beside its values.

use crate::support::{fixture, pg, round_trip, transfer};

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
