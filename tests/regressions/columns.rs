//! Columns, their types and values.

use super::{left, transferred, types};

#[test]
fn digits_in_a_blob_column_became_numbers() {
    let (database, _) = transferred(
        "CREATE TABLE t (a BLOB, b BLOB);
         INSERT INTO t VALUES ('12', '1.5'), ('7', '2');",
    );
    assert_eq!(types(&database, "t"), "text, text");
}

#[test]
fn one_generated_value_that_cannot_be_computed_ended_the_transfer() {
    let (database, report) = transferred(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT);
         INSERT INTO t VALUES (1, '{\"a\": 5}'), (2, '{bad'), (-9223372036854775808, NULL);
         ALTER TABLE t ADD COLUMN a INT AS (json_extract(j, '$.a'));
         ALTER TABLE t ADD COLUMN size INT AS (abs(id));
         ALTER TABLE t ADD COLUMN shown TEXT AS ('#' || id);",
    );
    assert_eq!(
        left(&report),
        [
            "generated column a: SQLite cannot compute it here (malformed JSON), so the column is empty",
            "generated column size: SQLite cannot compute it here (integer overflow), so the column is empty",
        ]
    );
    assert_eq!(
        database.query_text("SELECT shown FROM t WHERE a IS NULL AND size IS NULL ORDER BY id")
            [1..],
        [Some("#1".to_owned()), Some("#2".to_owned())]
    );
}

#[test]
fn a_trigger_on_an_inner_table_made_the_whole_file_unreadable() {
    let (_, report) = transferred(
        "CREATE TABLE counts (n INT);
         CREATE VIRTUAL TABLE notes USING fts5 (body);
         CREATE TRIGGER counted AFTER INSERT ON notes_data BEGIN INSERT INTO counts VALUES (1); END;
         INSERT INTO notes VALUES ('a'), ('b');",
    );
    assert_eq!(
        left(&report),
        [
            "full-text index notes: its rows become a plain table, of which MATCH knows nothing",
            "trigger counted: this version does not translate it"
        ]
    );
}

#[test]
fn the_id_that_counts_by_itself_had_a_default_of_its_own() {
    let (_, report) = transferred(
        "CREATE TABLE t (id INTEGER PRIMARY KEY DEFAULT (1 + 1), v TEXT);
         INSERT INTO t (v) VALUES ('a');",
    );
    assert!(left(&report).is_empty(), "{report:?}");
}

#[test]
fn a_json_number_beyond_numeric_ended_the_copy() {
    let digits = "7".repeat(17_000);
    let (database, _) = transferred(&format!(
        "CREATE TABLE t (j JSON);
         INSERT INTO t VALUES ('{{\"a\": 0.{digits}}}'), ('{{}}');"
    ));
    assert_eq!(types(&database, "t"), "text");
}

#[test]
fn sixteen_bytes_in_a_uuid_column_were_no_uuid() {
    let (database, report) = transferred(
        "CREATE TABLE t (id UUID PRIMARY KEY, other GUID);
         INSERT INTO t VALUES (x'00112233445566778899aabbccddeeff', x'00112233445566778899aabbccddeeff'),
           ('10112233-4455-6677-8899-aabbccddeeff', NULL);",
    );
    // A GUID's bytes may be in another order.
    assert_eq!(types(&database, "t"), "uuid, bytea");
    assert!(report.widened.is_empty(), "{:?}", report.widened);
}

#[test]
fn a_collation_that_no_key_uses_was_lost_in_silence() {
    let (_, report) = transferred(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b INT COLLATE NOCASE, c TEXT COLLATE BINARY);",
    );
    assert_eq!(
        left(&report),
        ["collation a: the column compares byte by byte instead of by NOCASE"]
    );
}

#[test]
fn numbers_became_text_in_silence() {
    let (_, report) = transferred(
        "CREATE TABLE t (v, w TEXT);
         INSERT INTO t VALUES (5, 'a'), ('x', 'b');",
    );
    assert_eq!(report.notes, ["t.v: One number becomes text, such as 5."]);
}

#[test]
fn json_that_was_nested_too_deep_for_the_server_broke_the_copy() {
    let (database, report) = transferred(
        "CREATE TABLE t (deep JSON, twice JSON, long JSON);
         INSERT INTO t VALUES ('{}', '{\"a\": 1, \"b\": 2, \"\\u0061\": 3}', '{}'),
                              (NULL, '{\"a\": {\"a\": 1}}', '[]');
         UPDATE t SET deep = replace(hex(zeroblob(20000)), '00', '[')
                          || replace(hex(zeroblob(20000)), '00', ']'),
                      long = '\"' || replace(hex(zeroblob(9000)), '00', '12') || '\"' WHERE deep = '{}';",
    );
    assert_eq!(types(&database, "t"), "text, jsonb, jsonb");
    assert_eq!(report.widened.len(), 1);
    assert_eq!(
        report.notes,
        ["t.twice: 1 document has a key twice, such as '{\"a\": 1, \"b\": 2, \"\\u0061\": 3}': \
             jsonb keeps the last of its values."]
    );
    assert_eq!(
        database.query_one_text("SELECT max(twice ->> 'a') FROM t WHERE twice ? 'b'").as_deref(),
        Some("3")
    );
}
