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
    assert!(report.widened.is_empty(), "{report:?}");
    insta::assert_snapshot!(report.notes.join("\n"), @"t.at_z: 1 value has an offset from UTC, such as '2024-01-02 03:04:05+02:00': timestamptz keeps the instant, not the offset.");
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

#[test]
fn what_a_conversion_drops_is_counted() {
    let source = fixture::from_sql(
        "drops",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, net TEXT, note TEXT, code VARCHAR(3));
         INSERT INTO t VALUES (1, '2024-01-02T03:04:05.1234567', CAST(x'61ff62' AS TEXT), 'abcd'),
                              (2, '2024-01-02T03:04:05.1234560', 'fine', 'abc');",
    );
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    std::fs::write(
        &map,
        "table,column,declared,evidence,pg_type,convert,note\n\
         t,net,*,*,timestamp,iso,\n\
         t,note,*,*,text,strip,\n\
         t,code,*,*,varchar(3),truncate,\n",
    )
    .unwrap();
    let (database, report) = transferred(&source.path, &[map.to_str().unwrap()], "UTC");
    assert_eq!(
        database
            .query_one_text("select concat_ws('|', net, note, code) from t where id = 1")
            .as_deref(),
        Some("2024-01-02 03:04:05.123457|ab|abc")
    );
    insta::assert_snapshot!(report.notes.join("\n"), @r"
    t.net: 1 value is not the same after the conversion iso, such as '2024-01-02T03:04:05.1234567'.
    t.note: 1 value is not the same after the conversion strip, such as 'a�b'.
    t.code: 1 value is not the same after the conversion truncate, such as 'abcd'.
    ");
}

#[test]
fn the_default_takes_flags_by_name_or_check_and_json_by_check() {
    let source = fixture::from_sql(
        "flags",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, is_admin INT, issues INT, hasPhone INTEGER, state INT,
           on_sale INT CHECK (on_sale IN (0, 1)), later INT CHECK (later IN (0, 1)), user_enabled INT,
           tags TEXT CHECK (json_valid(tags) OR tags IS NULL), loose TEXT, level INT CHECK (level IN (1, 2)));
         INSERT INTO t VALUES (1, 1, 1, 0, 1, 0, NULL, 1, '[1]', '[1]', 1),
                              (2, 0, 0, 1, 0, 1, NULL, 0, NULL, '{}', 2);",
    );
    let (database, report) = transferred(&source.path, &[], "UTC");
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    insta::assert_snapshot!(types(&database, "t"), @r"
    id bigint
    is_admin boolean
    issues bigint
    hasPhone boolean
    state bigint
    on_sale boolean
    later boolean
    user_enabled boolean
    tags jsonb
    loose text
    level bigint
    ");
    let reasons: Vec<String> = report
        .not_carried
        .iter()
        .map(|left| format!("{} {}: {}", left.object, left.name, left.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    check on_sale: the type boolean says it already
    check later: the type boolean says it already
    check tags: the type jsonb says it already
    ");
}

#[test]
fn enum_types_are_made_in_the_case_that_is_asked_for() {
    let source = fixture::from_sql(
        "enums",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT DEFAULT 'addition', mood TEXT, other TEXT,
           status TEXT DEFAULT 'new' CHECK (status IN ('new', 'paid')), n INT);
         INSERT INTO t VALUES (1, 'addition', 'happy', 'sad', 'new', 1), (2, 'removal', 'SAD', 'ok', 'paid', 2),
                              (3, NULL, 'happy', NULL, NULL, 3);",
    );
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    std::fs::write(
        &map,
        "table,column,declared,evidence,pg_type,convert,note\n\
         t,kind,*,*,enum(Kind),enum:keep;addition=ADD;removal=REMOVE,\n\
         t,mood,*,*,enum(mood),enum:upper,\n\
         t,other,*,*,enum(mood),enum:upper,\n\
         t,status,*,*,enum(*),enum:upper,\n\
         t,n,*,*,enum(n),enum:keep,\n",
    )
    .unwrap();
    let (database, report) = transferred(&source.path, &[map.to_str().unwrap()], "UTC");
    insta::assert_snapshot!(types(&database, "t"), @r#"
    id bigint
    kind "Kind"
    mood mood
    other mood
    status t_status
    n bigint
    "#);
    let labels = "select typname || ': ' || string_agg(enumlabel, ' ' order by enumsortorder) \
                  from pg_enum e join pg_type t on t.oid = enumtypid group by typname order by typname";
    let labels: Vec<String> = database.query_text(labels).into_iter().flatten().collect();
    insta::assert_snapshot!(labels.join("\n"), @r"
    Kind: ADD REMOVE
    mood: HAPPY SAD OK
    t_status: NEW PAID
    ");
    let rows = "select concat_ws('|', id, kind, mood, other, status) from t order by id";
    let rows: Vec<String> = database.query_text(rows).into_iter().flatten().collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    1|ADD|HAPPY|SAD|NEW
    2|REMOVE|SAD|OK|PAID
    3|HAPPY
    ");
    assert_eq!(
        database
            .query_one_text("insert into t (id) values (9) returning kind || ' ' || status")
            .as_deref(),
        Some("ADD NEW")
    );
    // Integers are no labels: that column is widened by name.
    assert_eq!(report.widened[0].column, "n");

    // A type that was there before is refused, and --restart drops those of the run.
    let mut options = transfer::options(&source.path, &database.url);
    options.inspect.type_maps.user = vec![map.to_str().unwrap().to_owned()];
    options.restart = true;
    transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let other = pg::database();
    other.execute("create type mood as enum ('x')");
    options.to.clone_from(&other.url);
    let error = transfer::run(&options).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::TargetState, "type \"mood\" exists already in schema \"public\"")
    );
}

#[test]
fn rich_makes_enums_of_checks() {
    let source = fixture::from_sql(
        "check",
        "CREATE TABLE \"Odd Name\" (id INTEGER PRIMARY KEY, \"the state\" VARCHAR(9) CHECK (\"the state\" IN ('b', 'a''s', 'c')));
         INSERT INTO \"Odd Name\" VALUES (1, 'a''s'), (2, NULL);",
    );
    let (database, report) = transferred(&source.path, &["rich"], "UTC");
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    assert_eq!(
        database.query_one_text("select enum_range(null::\"Odd Name_the state\")::text").as_deref(),
        Some("{b,a's,c}")
    );
    assert_eq!(report.not_carried[0].reason, "the type enum(Odd Name_the state) says it already");
}

#[test]
fn a_child_takes_a_converted_type_of_its_parent_only_when_its_values_convert() {
    let source = fixture::from_sql(
        "converted",
        "CREATE TABLE parent (id TEXT PRIMARY KEY, mood TEXT UNIQUE);
         CREATE TABLE good (p TEXT REFERENCES parent (id));
         CREATE TABLE other (id TEXT PRIMARY KEY);
         CREATE TABLE bad (p TEXT REFERENCES other (id));
         CREATE TABLE moods (m TEXT REFERENCES parent (mood));
         INSERT INTO parent VALUES ('00112233445566778899aabbccddeeff', 'happy');
         INSERT INTO good VALUES ('00112233445566778899AABBCCDDEEFF'), (NULL);
         INSERT INTO other VALUES ('00112233445566778899aabbccddeeff');
         INSERT INTO bad VALUES ('00112233445566778899aabbccddeeff'), ('no uuid');
         INSERT INTO moods VALUES ('happy'), ('sad');",
    );
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    std::fs::write(
        &map,
        "table,column,declared,evidence,pg_type,convert,note\n\
         parent,id,*,*,uuid,uuid,\n\
         other,id,*,*,uuid,uuid,\n\
         parent,mood,*,*,enum(mood),enum:upper,\n",
    )
    .unwrap();
    let (database, report) = transferred(&source.path, &[map.to_str().unwrap()], "UTC");
    let of = |table| types(&database, table);
    assert_eq!((of("parent").as_str(), of("good").as_str()), ("id uuid\nmood mood", "p uuid"));
    assert_eq!((of("other").as_str(), of("bad").as_str()), ("id text", "p text"));
    assert_eq!(of("moods"), "m mood");
    let labels = database.query_one_text("select enum_range(null::mood)::text");
    assert_eq!(labels.as_deref(), Some("{HAPPY,SAD}"));
    let arrived = database.query_one_text("select string_agg(p, ' ' order by p) from bad");
    assert_eq!(arrived.as_deref(), Some("00112233445566778899aabbccddeeff no uuid"));
    let orphans: Vec<(&str, u64)> =
        report.orphans.iter().map(|found| (found.table.as_str(), found.rows)).collect();
    assert_eq!(orphans, [("bad", 1), ("moods", 1)]);
}
