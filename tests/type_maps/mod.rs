//! Type maps on real transfers: what a rule asks for is what arrives.

use std::path::Path;

use litelift::error::ErrorKind;
use litelift::report::TransferReport;

use crate::support::fixture;
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

mod presets;

/// Transfers with type maps and expects every value on the other side.
fn transferred(source: &Path, maps: &[&str], zone: &str) -> (TestDb, TransferReport) {
    let database = pg::database();
    let mut options = transfer::options(source, &database.url);
    options.inspect.type_maps.user = maps.iter().map(|map| (*map).to_owned()).collect();
    options.inspect.type_maps.source_tz = zone.to_owned();
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    (database, report)
}

fn types(database: &TestDb, table: &str) -> String {
    let sql = format!(
        "select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute \
         where attrelid = '{table}'::regclass and attnum > 0 order by attnum"
    );
    database.query_text(&sql).into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[test]
fn rich_takes_what_the_values_allow_and_leaves_keys_alone() {
    let source = fixture::from_sql(
        "rich",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, k INT UNIQUE, on_off INT, many INT, doc TEXT, half TEXT,
           at VARCHAR(40), at_z TEXT, day TEXT, u CHAR(36), guid BLOB, none TEXT, bytes BLOB);
         INSERT INTO t VALUES
           (0, 0, 1, 1, '{\"a\": 1}', '[1]', '2024-01-02 03:04:05', '2024-01-02T03:04:05Z', '2024-01-02',
            '00112233-4455-6677-8899-aabbccddeeff', x'00112233445566778899aabbccddeeff', NULL, x'00'),
           (1, 1, 0, 2, '[]', 'x', '2024-01-02T03:04:05.5', '2024-01-02 03:04:05+02:00', '2023-12-31',
            'ffffffff-4455-6677-8899-aabbccddeeff', x'ffffffffffffffffffffffffffffffff', NULL, x'0000');",
    );
    let (database, report) = transferred(&source.path, &["rich"], "UTC");
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    assert!(report.widened.is_empty() && report.notes.is_empty(), "{report:?}");
    insta::assert_snapshot!(types(&database, "t"), @r"
    id bigint
    k bigint
    on_off boolean
    many bigint
    doc jsonb
    half text
    at timestamp without time zone
    at_z timestamp with time zone
    day date
    u uuid
    guid uuid
    none text
    bytes bytea
    ");
}

#[test]
fn a_rule_converts_and_what_does_not_fit_widens_by_name() {
    let source = fixture::from_sql(
        "rules",
        "CREATE TABLE e (id INTEGER PRIMARY KEY, ms INT, bad_ms, local TEXT, took INT, tags TEXT);
         INSERT INTO e VALUES (1, 1613606400123, 1613606400123, '2024-07-01 12:00', 90061000000, 'a,b'),
                              (2, 0, 'yesterday', '2024-01-01 12:00:00.5', 5, '');",
    );
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    std::fs::write(
        &map,
        "table,column,declared,evidence,pg_type,convert,note\n\
         e,ms,*,*,timestamptz,unix_ms,\n\
         e,bad_ms,*,*,timestamptz,unix_ms,\n\
         e,local,*,*,timestamptz,iso,\n\
         e,took,*,*,interval,interval_us,\n\
         e,tags,*,*,text[],array_comma,\n\
         e,nosuch,*,*,text,,\n",
    )
    .unwrap();
    let (database, report) = transferred(&source.path, &[map.to_str().unwrap()], "Europe/Paris");
    let rows = database.query_text(
        "set timezone = 'UTC'; select concat_ws('|', ms, bad_ms, local, took, tags) from e order by id",
    );
    let rows: Vec<String> = rows.into_iter().flatten().collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    2021-02-18 00:00:00.123+00|1613606400123|2024-07-01 10:00:00+00|25:01:01|{a,b}
    1970-01-01 00:00:00+00|yesterday|2024-01-01 11:00:00.5+00|00:00:00.000005|{}
    ");
    let widened = &report.widened[0];
    assert_eq!((widened.column.as_str(), widened.widening.misfits), ("bad_ms", 1));
    assert_eq!(widened.widening.examples[0].value, "'yesterday'");
    assert!(report.notes.iter().any(|note| note.contains("Rule 7")), "{:?}", report.notes);
}

#[test]
fn a_rule_that_cannot_be_is_refused_with_its_line() {
    let source = fixture::from_sql("refused", "CREATE TABLE t (a)");
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    let database = pg::database();
    for (row, reason) in [
        ("t,a,*,*,uuid,unix_ms,", "cannot make uuid"),
        ("t,a,*,*,interval,plain,", "cannot make interval"),
        ("t,a,*,*,text[],,", "cannot make text[]"),
    ] {
        std::fs::write(
            &map,
            format!("table,column,declared,evidence,pg_type,convert,note\n{row}\n"),
        )
        .unwrap();
        let mut options = transfer::options(&source.path, &database.url);
        options.inspect.type_maps.user = vec![map.to_str().unwrap().to_owned()];
        let error = transfer::run(&options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let text = pg::explain(&error);
        assert!(text.contains("line 2") && text.contains(reason), "{text}");
    }
}
