//! Faults planted in a good copy: each must be found, in a table with a key and in one without.

use crate::support::compare::{Mapping, Reason, compare, compare_by_name, mapping_by_name};
use crate::support::fixture::{Fixture, from_sql};
use crate::support::pg;

use super::loader::execute;

const COLUMNS: &str = "id, flag, n, r, d, t, b, day, at, j, u, w";

/// A fault: what it is, the SQL that plants it in `%T`, and the column in which it must be found
/// (empty: a row).
struct Fault(&'static str, &'static str, &'static str);

const FAULTS: [Fault; 46] = [
    Fault("a bit of a float", "UPDATE %T SET r = 1.1000000000000003 WHERE id = 1", "r"),
    Fault("zero instead of minus zero", "UPDATE %T SET r = 0 WHERE id = 3", "r"),
    Fault("minus zero instead of zero", "UPDATE %T SET r = '-0' WHERE id = 4", "r"),
    Fault(
        "the largest float for infinity",
        "UPDATE %T SET r = 1.7976931348623157e308 WHERE id = 5",
        "r",
    ),
    Fault("the sign of infinity", "UPDATE %T SET r = '-Infinity' WHERE id = 5", "r"),
    Fault("a float of 32 bits", "UPDATE %T SET r = r::float4 WHERE id = 6", "r"),
    Fault("'' became NULL", "UPDATE %T SET t = NULL WHERE id = 3", "t"),
    Fault("NULL became ''", "UPDATE %T SET t = '' WHERE id = 4", "t"),
    Fault("NULL became 0", "UPDATE %T SET n = 0 WHERE id = 4", "n"),
    Fault("NULL became false", "UPDATE %T SET flag = false WHERE id = 4", "flag"),
    Fault("NULL became JSON null", "UPDATE %T SET j = 'null' WHERE id = 4", "j"),
    Fault("JSON null became NULL", "UPDATE %T SET j = NULL WHERE id = 5", "j"),
    Fault("a boolean the other way", "UPDATE %T SET flag = NOT flag WHERE id = 1", "flag"),
    Fault("an integer off by one", "UPDATE %T SET n = n + 1 WHERE id = 2", "n"),
    Fault("an integer through a float", "UPDATE %T SET n = 9007199254740992 WHERE id = 1", "n"),
    Fault("the largest integer less one", "UPDATE %T SET n = n - 1 WHERE id = 5", "n"),
    Fault("the last digit of a numeric", "UPDATE %T SET d = 19.98 WHERE id = 1", "d"),
    Fault("the scale of a numeric", "UPDATE %T SET d = d * 10 WHERE id = 2", "d"),
    Fault("a blank at the end", "UPDATE %T SET t = t || ' ' WHERE id = 1", "t"),
    Fault("a blank at the end gone", "UPDATE %T SET t = rtrim(t) WHERE id = 2", "t"),
    Fault("the case of a letter", "UPDATE %T SET t = upper(t) WHERE id = 1", "t"),
    Fault("NFD for NFC", "UPDATE %T SET t = normalize(t, NFD) WHERE id = 5", "t"),
    Fault("CR LF for LF", "UPDATE %T SET t = replace(t, E'\\n', E'\\r\\n') WHERE id = 6", "t"),
    Fault("a backslash eaten", "UPDATE %T SET t = replace(t, E'\\\\', '') WHERE id = 6", "t"),
    Fault("a leading zero gone", "UPDATE %T SET t = '7' WHERE id = 7", "t"),
    Fault("a text cut", "UPDATE %T SET t = left(t, 255) WHERE id = 8", "t"),
    Fault("a byte of bad UTF-8 replaced", "UPDATE %T SET b = '\\xefbfbd' WHERE id = 1", "b"),
    Fault("bytes cut at NUL", "UPDATE %T SET b = '\\x61' WHERE id = 2", "b"),
    Fault("empty bytes became NULL", "UPDATE %T SET b = NULL WHERE id = 3", "b"),
    Fault(
        "the hex text of bytes",
        "UPDATE %T SET b = convert_to(b::text, 'UTF8') WHERE id = 1",
        "b",
    ),
    Fault("a day off", "UPDATE %T SET day = day + 1 WHERE id = 1", "day"),
    Fault("a date for no date", "UPDATE %T SET day = '1970-01-01' WHERE id = 4", "day"),
    Fault("a microsecond off", "UPDATE %T SET at = at + interval '1 us' WHERE id = 1", "at"),
    Fault(
        "milliseconds only",
        "UPDATE %T SET at = date_trunc('milliseconds', at) WHERE id = 1",
        "at",
    ),
    Fault("an offset dropped", "UPDATE %T SET at = '2024-01-31 10:00:00+00' WHERE id = 2", "at"),
    Fault("an hour of summer time", "UPDATE %T SET at = at - interval '1 hour' WHERE id = 3", "at"),
    Fault(
        "a JSON number through a float",
        "UPDATE %T SET j = '{\"big\": 12345678901234567000}' WHERE id = 1",
        "j",
    ),
    Fault("a JSON key more", "UPDATE %T SET j = j || '{\"more\": null}' WHERE id = 1", "j"),
    Fault("JSON array turned round", "UPDATE %T SET j = '[2, 1]' WHERE id = 2", "j"),
    Fault(
        "a digit of a UUID",
        "UPDATE %T SET u = '00112233-4455-6677-8899-aabbccddeefe' WHERE id = 1",
        "u",
    ),
    Fault(
        "a GUID's halves swapped",
        "UPDATE %T SET u = '33221100-5544-7766-8899-aabbccddeeff' WHERE id = 2",
        "u",
    ),
    Fault("a float as other text", "UPDATE %T SET w = '0.3' WHERE id = 1", "w"),
    Fault(
        "values swapped between two rows",
        "UPDATE %T a SET t = b.t FROM %T b WHERE (a.id, b.id) IN ((9, 10), (10, 9))",
        "t",
    ),
    Fault("a row twice", "INSERT INTO %T SELECT * FROM %T WHERE id = 7", ""),
    Fault("a row missing", "DELETE FROM %T WHERE id = 7", ""),
    Fault(
        "one row missing, another twice",
        "UPDATE %T a SET (id, flag, n, r, d, t, b, day, at, j, u, w) = \
         (SELECT * FROM %T WHERE id = 3) WHERE id = 8",
        "",
    ),
];

/// The same rows with a key and without.
fn source() -> Fixture {
    let columns = "flag BOOLEAN, n INTEGER, r REAL, d NUMERIC(12, 2), t TEXT, b BLOB, day DATE, \
                   at DATETIME, j JSON, u UUID, w NUMERIC";
    from_sql(
        "faults.db",
        &format!(
            r#"CREATE TABLE keyed (id INTEGER PRIMARY KEY, {columns});
            CREATE TABLE keyless (id INTEGER, {columns});
            INSERT INTO keyed VALUES
              (1, 1, 9007199254740993, 1.1, 19.99, 'abc', CAST(x'ff' AS TEXT), '2024-01-31',
               '2024-01-31 10:00:00.123456', '{{"big": 12345678901234567890, "x": 1.0}}',
               '00112233-4455-6677-8899-AABBCCDDEEFF', 0.1 + 0.2),
              (2, 'f', -5, 2, 7, 'blank ', CAST(x'610062' AS TEXT), '2024-02-29 00:00:00',
               '2024-01-31T10:00:00+02:00', '[1,2]', x'00112233445566778899aabbccddeeff', 'text'),
              (3, 'yes', 0, NULL, 0, '', x'', '0044-03-15 BC', '2024-07-01T12:00:00Z', '"é"', NULL, 1),
              (4, NULL, NULL, 0.0, NULL, NULL, 42, NULL, '2024-01-31', NULL, NULL, NULL),
              (5, 0, 9223372036854775807, 9e999, -0.01, 'é', 1.5, '12024-01-01', NULL, 'null', NULL, -1.5),
              (6, 'T', 3.0, 30.202252777776, 1e9, 'a' || char(10) || '\N', 'x', NULL, NULL, '7', NULL, '1');
            INSERT INTO keyed (id, t) VALUES (7, '007'), (8, replace(hex(zeroblob(200)), '0', 'x')),
              (9, 'nine'), (10, 'ten'), (-3, 'minus'), (9223372036854775807, 'max');
            INSERT INTO keyless SELECT * FROM keyed;
            -- REAL columns keep no minus zero: only one without affinity does.
            ALTER TABLE keyed RENAME COLUMN r TO r_old;
            ALTER TABLE keyed ADD COLUMN r;
            UPDATE keyed SET r = CASE id WHEN 3 THEN -0.0 ELSE r_old END;
            ALTER TABLE keyed DROP COLUMN r_old;
            ALTER TABLE keyless DROP COLUMN r;
            ALTER TABLE keyless ADD COLUMN r;
            UPDATE keyless SET r = (SELECT r FROM keyed WHERE keyed.id = keyless.id);"#
        ),
    )
}

fn target(schema: &str) -> String {
    format!(
        r#"DROP SCHEMA IF EXISTS {schema} CASCADE;
        CREATE SCHEMA {schema};
        CREATE DOMAIN {schema}.amount AS numeric(12, 2) CHECK (VALUE > -1000);
        CREATE TABLE {schema}.good (id bigint, flag boolean, n bigint, r double precision,
          d {schema}.amount, t text, b bytea, day date, at timestamptz, j jsonb, u uuid, w text);
        INSERT INTO {schema}.good VALUES
          (1, true, 9007199254740993, 1.1, 19.99, 'abc', '\xff', '2024-01-31',
           '2024-01-31 10:00:00.123456+00', '{{"x": 1.0, "big": 12345678901234567890}}',
           '00112233-4455-6677-8899-aabbccddeeff', '0.30000000000000004'),
          (2, false, -5, 2, 7, 'blank ', '\x610062', '2024-02-29', '2024-01-31 08:00:00+00',
           '[1, 2]', '00112233-4455-6677-8899-aabbccddeeff', 'text'),
          (3, true, 0, '-0', 0, '', '', '0044-03-15 BC', '2024-07-01 12:00:00+00', '"é"', NULL, '1'),
          (4, NULL, NULL, 0, NULL, NULL, '42', NULL, '2024-01-31 00:00:00+00', NULL, NULL, NULL),
          (5, false, 9223372036854775807, 'Infinity', -0.01, 'é', '1.5', '12024-01-01', NULL, 'null',
           NULL, '-15e-1'),
          (6, true, 3, 30.202252777776, 1000000000, E'a\n\\N', 'x', NULL, NULL, '7', NULL, '1');
        INSERT INTO {schema}.good (id, t) VALUES (7, '007'), (8, repeat('x', 400)),
          (9, 'nine'), (10, 'ten'), (-3, 'minus'), (9223372036854775807, 'max');
        CREATE TABLE {schema}.keyed AS SELECT {COLUMNS} FROM {schema}.good;
        CREATE TABLE {schema}.keyless AS SELECT {COLUMNS} FROM {schema}.good;"#
    )
}

fn names(schema: &str) -> Mapping {
    let columns: Vec<(String, String)> =
        COLUMNS.split(", ").map(|name| (name.to_owned(), name.to_owned())).collect();
    let table = |name: &str| (name.to_owned(), schema.to_owned(), name.to_owned(), columns.clone());
    Mapping::from(vec![table("keyed"), table("keyless")])
}

#[test]
fn each_planted_fault_is_found() {
    let database = pg::database();
    let url = database.url.clone();
    let schema = "comparer_faults";
    let source = source();
    execute(&url, &target(schema)).unwrap();
    let good = compare(&source.path, &url, &names(schema)).unwrap();
    good.expect_same();
    assert_eq!((good.tables, good.rows, good.values), (2, 24, 288));
    for Fault(what, sql, column) in &FAULTS {
        for table in ["keyed", "keyless"] {
            let full = format!("{schema}.{table}");
            execute(&url, &sql.replace("%T", &full)).unwrap();
            let found = compare(&source.path, &url, &names(schema)).unwrap();
            let listed = found.listed();
            assert!(!found.same(), "{what}, {table}: not found");
            let right = found
                .differences
                .iter()
                .all(|difference| difference.table == table && difference.column == *column);
            assert!(right, "{what}, {table}: found elsewhere\n{listed}");
            let repair =
                format!("TRUNCATE {full}; INSERT INTO {full} SELECT {COLUMNS} FROM {schema}.good");
            execute(&url, &repair).unwrap();
        }
    }
    compare(&source.path, &url, &names(schema)).unwrap().expect_same();
}

#[test]
fn tables_and_columns_that_are_not_there_are_differences() {
    let database = pg::database();
    let url = database.url.clone();
    let schema = "comparer_absent";
    let source = from_sql(
        "absent.db",
        "CREATE TABLE here (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO here VALUES (1, 'a', 'b');
         CREATE TABLE gone (a TEXT); CREATE TABLE skipped (a TEXT);
         CREATE TABLE \"Odd Name\" (\"x y\" INT, xmin INT); INSERT INTO \"Odd Name\" VALUES (1, 2);",
    );
    execute(
        &url,
        &format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             CREATE TABLE {schema}.\"Here\" (id int, \"A\" text); INSERT INTO {schema}.\"Here\" VALUES (1, 'a');
             CREATE TABLE {schema}.\"Odd Name\" (\"x y\" int, xmin_ int); INSERT INTO {schema}.\"Odd Name\" VALUES (1, 2);"
        ),
    )
    .unwrap();
    let found = compare_by_name(&source.path, &url, schema).unwrap();
    let reasons: Vec<(&str, &str, &Reason)> = found
        .differences
        .iter()
        .map(|difference| {
            (difference.table.as_str(), difference.column.as_str(), &difference.reason)
        })
        .collect();
    assert_eq!(
        reasons,
        [
            ("here", "b", &Reason::MissingColumn),
            ("gone", "", &Reason::MissingTable),
            ("skipped", "", &Reason::MissingTable),
        ]
    );
    let mapping = mapping_by_name(&source.path, &url, schema).unwrap();
    let mapping = mapping.leaving_out(&["here.b", "gone", "skipped"]);
    compare(&source.path, &url, &mapping).unwrap().expect_same();
}

#[test]
fn floats_in_text_columns_match_in_any_spelling_but_only_once() {
    let database = pg::database();
    let url = database.url.clone();
    let schema = "comparer_spellings";
    let source = from_sql(
        "spellings.db",
        "CREATE TABLE bag (v, note TEXT);
         INSERT INTO bag VALUES (1.5, 'a'), (1.5, 'a'), ('1.50', 'a'), (1e20, 'b'), ('x', 'c'), (0.1, NULL);",
    );
    let fill = |values: &str| {
        let sql = format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             CREATE TABLE {schema}.bag (v text, note text); INSERT INTO {schema}.bag VALUES {values}"
        );
        execute(&url, &sql).unwrap();
        compare_by_name(&source.path, &url, schema).unwrap()
    };
    let rest = "('100000000000000000000', 'b'), ('x', 'c'), ('0.1', NULL)";
    fill(&format!("('1.50', 'a'), ('1.5', 'a'), ('15e-1', 'a'), {rest}")).expect_same();
    // The text '1.50' of the source is gone: three floats cannot stand for it.
    let found = fill(&format!("('1.5', 'a'), ('1.5', 'a'), ('1.5', 'a'), {rest}"));
    assert_eq!(found.total_differences, 1, "{}", found.listed());
    let found = fill(&format!("('1.50', 'a'), ('1.5', 'a'), {rest}"));
    assert_eq!(found.total_differences, 1, "{}", found.listed());
}
