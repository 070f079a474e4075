//! Keys, indexes and foreign keys.

use litelift::options::FileCheck;

use super::{left, transferred, transferred_after, types};

#[test]
fn a_foreign_key_took_the_counting_id_of_its_parent() {
    let (database, report) = transferred(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE digits (parent VARCHAR(20) REFERENCES parent (id));
         CREATE TABLE words (parent TEXT REFERENCES parent (id));
         CREATE TABLE bytes (parent REFERENCES parent (id));
         INSERT INTO parent VALUES (1, 'a'), (2, 'b');
         INSERT INTO digits VALUES ('1'), ('2'), (NULL);
         INSERT INTO words VALUES ('1'), ('one');
         INSERT INTO bytes VALUES (1), (x'00');",
    );
    assert_eq!(types(&database, "parent"), "bigint, text");
    assert_eq!(types(&database, "digits"), "bigint");
    assert_eq!(types(&database, "words"), "text");
    assert_eq!(
        left(&report),
        [
            "foreign key words_parent_fkey: \"parent\" is text and \"id\" is bigint, which PostgreSQL does not compare",
            "foreign key bytes_parent_fkey: \"parent\" is bytea and \"id\" is bigint, which PostgreSQL does not compare",
        ]
    );
    assert_eq!(report.tables[0].identity_next, Some(3));
    assert_eq!(report.tables[1].foreign_keys, 1);
}

#[test]
fn a_text_key_became_numeric_for_a_child_of_integers() {
    let (database, report) = transferred(
        "CREATE TABLE parent (code TEXT PRIMARY KEY);
         CREATE TABLE child (code INTEGER REFERENCES parent (code));
         INSERT INTO parent VALUES ('10'), ('20');
         INSERT INTO child VALUES (10), (20);",
    );
    assert_eq!(
        (types(&database, "parent"), types(&database, "child")),
        ("text".into(), "text".into())
    );
    assert!(report.refused.is_empty() && left(&report).is_empty(), "{report:?}");
}

#[test]
fn a_foreign_key_that_cannot_be_made_changed_a_type() {
    let (database, report) = transferred(
        "CREATE TABLE parent (a TEXT, b TEXT, PRIMARY KEY (a, b));
         CREATE TABLE child (a INTEGER REFERENCES parent (a));
         INSERT INTO child VALUES (1);",
    );
    assert_eq!(types(&database, "child"), "bigint");
    assert_eq!(report.not_carried.len(), 1);
}

#[test]
fn a_damaged_index_was_counted_instead_of_the_table() {
    // The index is that of another table, which is empty. The check would stop at pages that nobody uses.
    let (_, report) = transferred_after(
        FileCheck::None,
        "CREATE TABLE t (a INT, b TEXT);
         CREATE INDEX i ON t (a);
         INSERT INTO t VALUES (1, 'a'), (2, 'b');
         CREATE TABLE gone (a INT);
         CREATE INDEX gone_a ON gone (a);
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage =
           (SELECT rootpage FROM sqlite_schema WHERE name = 'gone_a') WHERE name = 'i';
         DELETE FROM sqlite_schema WHERE tbl_name = 'gone';
         PRAGMA writable_schema = RESET;",
    );
    assert_eq!(report.verify.unwrap().differing(), 0);
}

#[test]
fn names_of_indexes_and_constraints_changed_in_silence() {
    let long = "i".repeat(64);
    let (_, report) = transferred(&format!(
        "CREATE TABLE a (x INT CONSTRAINT same PRIMARY KEY);
         CREATE TABLE b (x INT CONSTRAINT same PRIMARY KEY, y INT);
         CREATE INDEX {long} ON b (y);"
    ));
    assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    assert!(report.notes[0].starts_with(&format!("The index \"{long}\" of table \"b\" becomes ")));
    assert!(report.notes[1].starts_with("The constraint \"same\" of table \"b\" becomes "));
}
