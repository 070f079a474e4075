//! What stands in the way is told before anything is written, with its remedy; and the remedy works.

use litelift::error::ErrorKind;
use litelift::options::{BadRows, DataOnly, OnExisting, TransferOptions};
use litelift::report::TransferReport;

use super::target::{self, Target};
use crate::support::fixture::{self, Fixture};
use crate::support::{pg, transfer};

/// A source and a target, and what a user asks for.
pub(super) struct Case {
    pub(super) source: Fixture,
    pub(super) target: Target,
    pub(super) options: TransferOptions,
    folder: tempfile::TempDir,
}

impl Case {
    pub(super) fn new(source: &str, target: &str) -> Self {
        let source = fixture::from_sql("app.db", source);
        let target = target::target(target);
        let mut options = transfer::options(&source.path, &target.url);
        options.inspect.data_only = Some(DataOnly::default());
        Self { source, target, options, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut DataOnly)) -> Self {
        change(self.options.inspect.data_only.as_mut().unwrap());
        self
    }

    pub(super) fn skip(mut self, glob: &str) -> Self {
        self.options.inspect.selection.skip.push(glob.to_owned());
        self
    }

    pub(super) fn rules(mut self, rules: &str) -> Self {
        let path = self.folder.path().join("rules.csv");
        let head = "table,column,declared,evidence,pg_type,convert,note\n";
        std::fs::write(&path, head.to_owned() + rules).unwrap();
        self.options.inspect.type_maps.user = vec![path.display().to_string()];
        self
    }

    /// Expects a refusal that says these, and a target in which nothing has changed.
    #[track_caller]
    pub(super) fn refused(self, kind: ErrorKind, says: &[&str]) -> Self {
        let before = (self.target.objects(), self.rows());
        let error = transfer::run(&self.options).expect_err("it must be refused");
        let told = pg::explain(&error);
        assert_eq!(error.kind(), kind, "{told}");
        for text in says {
            assert!(told.contains(text), "no {text:?} in:\n{told}");
        }
        assert_eq!((self.target.objects(), self.rows()), before);
        let litelift =
            "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('litelift')";
        let begun = self.target.database.query_one_text(litelift);
        assert_eq!(begun.as_deref(), Some("0"), "the bookkeeping was begun");
        // A dry run says the same, and what the values stand in the way of.
        let dry = transfer::dry_run(&self.options).expect_err("the dry run must refuse too");
        let (is, dry) = (dry.kind(), pg::explain(&dry));
        assert_eq!(is, kind, "{dry}");
        assert!(says.iter().all(|text| dry.contains(text)), "{dry}");
        self
    }

    /// Expects that the rows arrive, each value as it was, and that nothing else changed.
    #[track_caller]
    pub(super) fn arrives(&self, left: &[&str]) -> TransferReport {
        let before = self.target.objects();
        let shown =
            transfer::dry_run(&self.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        assert!(shown.ddl.is_some_and(|ddl| !ddl.after.is_empty()));
        assert_eq!(self.target.objects(), before, "a dry run changes nothing");
        let report =
            transfer::run(&self.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
        assert_eq!(report.not_as_before, []);
        assert_eq!(self.target.objects(), before);
        assert_eq!(self.target.sequences_behind(), [""; 0]);
        let url = &self.target.database.url;
        transfer::compare_leaving(&self.source.path, url, &report, left).expect_same();
        report
    }

    fn rows(&self) -> Vec<Option<String>> {
        pg::query_text(
            &self.target.database.url,
            "SELECT relname || ' ' || (xpath('/row/n/text()', query_to_xml(format( \
               'SELECT count(*) AS n FROM %s', oid::regclass), false, true, '')))[1]::text \
             FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
        )
    }
}

fn on_existing(glob: Option<&str>, what: OnExisting) -> (Option<String>, OnExisting) {
    (glob.map(str::to_owned), what)
}

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES (1, 'a'), (7, 'b');";

#[test]
fn a_table_with_rows_that_the_target_lacks() {
    let source = format!(
        "{USERS} CREATE TABLE logs (x); INSERT INTO logs VALUES (1); CREATE TABLE void (x);"
    );
    Case::new(&source, "CREATE TABLE users (id serial PRIMARY KEY, name text)")
        .refused(ErrorKind::TargetState, &["\"logs\" has 1 row", "--skip TABLE", "--rename"])
        .skip("logs")
        .arrives(&["logs", "void"]);
}

#[test]
fn names_that_differ_are_found_and_what_is_not_clear_is_asked() {
    let source =
        "CREATE TABLE DownloadClients (Id INTEGER PRIMARY KEY, UserName TEXT, [Order No] INT);
        INSERT INTO DownloadClients VALUES (1, 'x', 5);
        CREATE TABLE Regions (RegionID INTEGER PRIMARY KEY); INSERT INTO Regions VALUES (3);";
    let tables = "CREATE TABLE download_clients (id int PRIMARY KEY, user_name text, username_ text, \
        order_no int); CREATE TABLE region (region_id int PRIMARY KEY)";
    let case = Case::new(source, tables)
        .refused(
            ErrorKind::TargetState,
            &[
                "Column \"DownloadClients.UserName\" could be \"user_name\" or \"username_\"",
                "\"Regions\" has 1 row",
            ],
        )
        .with(|asked| {
            asked.renames = vec![
                "DownloadClients.UserName=download_clients.user_name".into(),
                "regions=region".into(),
            ];
        });
    let report = case.arrives(&[]);
    let told = report.notes.join("\n");
    assert!(told.contains("goes into \"download_clients\": Id -> id"), "{told}");
}

#[test]
fn a_rename_that_names_nothing_is_a_mistake() {
    let tables = "CREATE TABLE users (id int, name text)";
    Case::new(USERS, tables)
        .with(|asked| asked.renames = vec!["user=users".into()])
        .refused(ErrorKind::Usage, &["--rename \"user=users\" names no table"])
        .with(|asked| asked.renames = vec!["users=people".into()])
        .refused(ErrorKind::TargetState, &["the target has no \"people\""]);
}

#[test]
fn a_column_that_only_one_side_has() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, gone TEXT, empty TEXT);
        INSERT INTO t VALUES (1, 'x', NULL);";
    let tables = "CREATE TABLE t (id int PRIMARY KEY, made timestamptz NOT NULL, \
        at timestamptz NOT NULL DEFAULT now(), twice int GENERATED ALWAYS AS (id * 2) STORED)";
    let case = Case::new(source, tables).refused(
        ErrorKind::TargetState,
        &["\"t\".\"made\" is NOT NULL without a default", "--skip t"],
    );
    case.target.execute("ALTER TABLE t ALTER made SET DEFAULT '2024-01-01'");
    let case = case
        .refused(
            ErrorKind::TargetState,
            &["\"t\".\"gone\" has 1 values that are not NULL", "--skip \"t.gone\""],
        )
        .skip("t.gone");
    let report = case.arrives(&["t.gone", "t.empty"]);
    let told = report.notes.join("\n");
    assert!(told.contains("t.gone: left out by --skip (1 values)"), "{told}");
    assert!(told.contains("t.empty: the target has no such column"), "{told}");
}

#[test]
fn rows_that_are_there_already() {
    let tables = "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'seed'); \
        CREATE TABLE posts (id int, by_user int REFERENCES users)";
    let case = Case::new(USERS, tables).refused(
        ErrorKind::TargetState,
        &["Table \"users\" has 1 row already", "--on-existing truncate", "--protect"],
    );
    case.target.execute("INSERT INTO posts VALUES (1, 1)");
    let case = case
        .with(|asked| asked.on_existing = vec![on_existing(Some("user*"), OnExisting::Truncate)])
        .refused(
            ErrorKind::TargetState,
            &["\"users\" cannot be emptied", "\"public\".\"posts\" has rows"],
        );
    case.target.execute("DELETE FROM posts");
    case.arrives(&[]);
}

#[test]
fn a_pattern_that_matches_nothing_is_a_mistake() {
    let tables = "CREATE TABLE users (id int, name text)";
    Case::new(USERS, tables)
        .with(|asked| asked.on_existing = vec![on_existing(Some("usr"), OnExisting::Truncate)])
        .refused(ErrorKind::Usage, &["--on-existing \"usr\""])
        .with(|asked| {
            asked.on_existing.clear();
            asked.protect = vec!["usr".into()];
        })
        .refused(ErrorKind::Usage, &["--protect \"usr\""])
        .with(|asked| {
            asked.protect.clear();
            asked.keep_triggers = vec!["x".into()];
        })
        .refused(ErrorKind::Usage, &["--keep-trigger \"x\""]);
}

#[test]
fn migrations_are_compared_and_never_copied() {
    let source = format!(
        "{USERS} CREATE TABLE schema_migrations (version TEXT PRIMARY KEY);
         INSERT INTO schema_migrations VALUES ('20240101'), ('20240202');
         CREATE TABLE ar_internal_metadata (key TEXT, value TEXT);
         INSERT INTO ar_internal_metadata VALUES ('environment', 'development');
         CREATE TABLE migrations (id INTEGER PRIMARY KEY, species TEXT);
         INSERT INTO migrations VALUES (1, 'crane');"
    );
    let tables = "CREATE TABLE users (id int, name text); \
        CREATE TABLE schema_migrations (version varchar PRIMARY KEY); \
        CREATE TABLE ar_internal_metadata (key varchar, value varchar); \
        CREATE TABLE migrations (id int, species text); \
        INSERT INTO ar_internal_metadata VALUES ('environment', 'production'); \
        INSERT INTO schema_migrations VALUES ('20240101')";
    let case = Case::new(&source, tables).refused(
        ErrorKind::TargetState,
        &[
            "the source is at 20240202 (2 entries), the target at 20240101 (1 entry)",
            "--allow-version-mismatch",
        ],
    );
    case.target.execute("INSERT INTO schema_migrations VALUES ('20240202')");
    let report = case.arrives(&["schema_migrations", "ar_internal_metadata"]);
    let told = report.notes.join("\n");
    assert!(told.contains("both sides have the same entries, 2"), "{told}");
    assert_eq!(case.target.one("SELECT value FROM ar_internal_metadata"), "production");
    assert_eq!(case.target.one("SELECT species FROM migrations"), "crane");
}

#[test]
fn a_dry_run_tells_of_the_values_beside_what_else_stands_in_the_way() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT, at INTEGER, ab TEXT);
        INSERT INTO t VALUES (1, 'x', 17, 'y');
        CREATE TABLE gone (id INT); INSERT INTO gone VALUES (1);";
    let tables = "CREATE TABLE t (id int, n int, at timestamptz, a_b text, \"a b\" text)";
    let case = Case::new(source, tables);
    let told = pg::explain(&transfer::dry_run(&case.options).unwrap_err());
    for text in [
        "3 things stand in the way",
        "--rename \"t.ab=t.NAME\"",
        "\"gone\" has 1 row, and the target has no such table",
        "\"t.ab\" could be \"a_b\" or \"a b\"",
        "what the numbers count is not known",
        "And 2 values do not fit the target's columns",
        "--on-bad-row reject",
    ] {
        assert!(told.contains(text), "no {text:?} in {told}");
    }
}

#[test]
fn a_mismatch_of_versions_can_be_allowed() {
    let source = format!(
        "{USERS} CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('a1');"
    );
    let tables = "CREATE TABLE users (id int, name text); \
        CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('b2')";
    let case = Case::new(&source, tables)
        .refused(ErrorKind::TargetState, &["at a1 (1 entry), the target at b2 (1 entry)"])
        .with(|asked| asked.allow_version_mismatch = true);
    case.arrives(&["alembic_version"]);
    assert_eq!(case.target.one("SELECT version_num FROM alembic_version"), "b2");
}

#[test]
fn a_table_of_versions_that_only_the_user_knows() {
    let source = format!(
        "{USERS} CREATE TABLE version (Id INTEGER, Version INTEGER); INSERT INTO version VALUES (1, 299);"
    );
    let tables = "CREATE TABLE users (id int, name text); \
        CREATE TABLE version (id int, version int); INSERT INTO version VALUES (1, 305)";
    let tracking = |text: &str| {
        let text = text.to_owned();
        move |asked: &mut DataOnly| asked.tracking = vec![text]
    };
    let case = Case::new(&source, tables)
        .refused(ErrorKind::TargetState, &["\"version\" has 1 row already"])
        .with(tracking("versions=version"))
        .refused(ErrorKind::Usage, &["the source has no such table"])
        .with(tracking("version=number"))
        .refused(ErrorKind::Usage, &["the table has no column \"number\""])
        .with(tracking("version=version"))
        .refused(ErrorKind::TargetState, &["at 299 (1 entry), the target at 305 (1 entry)"]);
    case.target.execute("UPDATE version SET version = 299");
    case.arrives(&["version"]);
}

#[test]
fn an_epoch_or_a_duration_is_asked_for() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER, took INTEGER, void INTEGER);
        INSERT INTO t VALUES (1, 1700000000123, 1500000, NULL);";
    let tables = "CREATE TABLE t (id int, at timestamptz, took interval, void interval)";
    let case = Case::new(source, tables)
        .refused(
            ErrorKind::TargetState,
            &["t,at,*,*,timestamptz,unix_ms,", "t,took,*,*,interval,interval_us,"],
        )
        .rules("t,at,*,*,timestamptz,unix_ms,\nt,took,*,*,interval,interval_us,\n");
    case.arrives(&["t.at", "t.took"]);
    assert_eq!(case.target.one("SELECT at = '2023-11-14 22:13:20.123+00' FROM t"), "t");
    assert_eq!(case.target.one("SELECT took = interval '1.5 s' FROM t"), "t");
}

#[test]
fn a_type_that_cannot_be_written_takes_only_null() {
    let tables = "CREATE TABLE t (id int, shape polygon, other polygon)";
    let source = |value: &str| {
        format!(
            "CREATE TABLE t (id INTEGER, shape TEXT, other TEXT); INSERT INTO t VALUES (1, NULL, {value});"
        )
    };
    Case::new(&source("'((0,0),(1,1))'"), tables)
        .refused(
            ErrorKind::TargetState,
            &["\"t\".\"other\" cannot be filled: its type polygon", "--skip \"t.other\""],
        )
        .skip("t.other")
        .arrives(&["t.other"]);
    Case::new(&source("NULL"), tables).arrives(&[]);
}

#[test]
fn values_that_do_not_fit_are_all_told_at_once() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, flag, name TEXT, at TEXT, mood TEXT, n);
        INSERT INTO t VALUES (1, 1, 'short', '2024-01-02', 'HAPPY', 5), (2, 'maybe', 'much too long', 'soon', 'grim', 99999), \
        (3, 0, NULL, NULL, 'sad', NULL);";
    let tables = "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TABLE t (id int PRIMARY KEY, flag boolean, \
        name varchar(5) NOT NULL, at timestamptz, mood mood, n smallint)";
    let case = Case::new(source, tables).refused(
        ErrorKind::Differences,
        &[
            "\"t\".\"flag\" is boolean in the target: 1 of its values do not fit",
            "\"t\".\"name\" is varchar(5) in the target: 2 of its values do not fit (longer than the column, NULL in a NOT NULL column)",
            "\"t\".\"at\" is timestamptz",
            "\"t\".\"mood\" is enum(mood) in the target: 1 of its values do not fit (not a label of the enum type: 1 x 'grim')",
            "\"t\".\"n\" is smallint",
            "--on-bad-row reject",
        ],
    );
    let dir = case.folder.path().join("rejects");
    let mut options = case.options.clone();
    options.bad_rows = BadRows::Reject { dir: dir.clone(), rows_max: None };
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(report.rejected_rows(), 2);
    assert_eq!(case.target.one("SELECT string_agg(id || name || mood, ',') FROM t"), "1shorthappy");
    let file = std::fs::read_to_string(dir.join("t.csv")).unwrap();
    assert!(
        file.contains("'much too long'") && file.contains("NULL in a NOT NULL column"),
        "{file}"
    );
}

#[test]
fn a_role_that_may_not_is_told_what_to_grant() {
    target::role("litelift_test_writer");
    let tables = "CREATE TABLE users (id serial PRIMARY KEY, name text); \
        CREATE TABLE posts (id int, by_user int REFERENCES users)";
    let source = format!(
        "{USERS} CREATE TABLE posts (id INT, by_user INT); INSERT INTO posts VALUES (1, 7);"
    );
    let mut case = Case::new(&source, tables);
    let database = &case.target.database;
    database.execute(&format!(
        "GRANT CREATE ON DATABASE \"{}\" TO litelift_test_writer",
        database.name
    ));
    case.options.to = target::as_role(&database.url, "litelift_test_writer");
    let case = case.refused(
        ErrorKind::TargetState,
        &[
            "may not INSERT into and SELECT from \"users\"",
            "GRANT SELECT, INSERT ON \"public\".\"users\", \"public\".\"posts\" TO \"litelift_test_writer\";",
            "GRANT SELECT, UPDATE ON SEQUENCE \"public\".\"users_id_seq\"",
        ],
    );
    case.target.execute(
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO litelift_test_writer; \
         GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO litelift_test_writer",
    );
    // The rights of writing are enough.
    case.arrives(&[]);
}

#[test]
fn row_level_security_that_is_forced_is_told() {
    let tables = "CREATE TABLE users (id int, name text); ALTER TABLE users ENABLE ROW LEVEL SECURITY, \
        FORCE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (true)";
    let case = Case::new(USERS, tables).refused(
        ErrorKind::TargetState,
        &["Row level security of \"users\"", "NO FORCE ROW LEVEL SECURITY"],
    );
    // Its owner passes.
    case.target.execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY");
    case.arrives(&[]);
}

#[test]
fn an_empty_target_is_told_that_the_application_comes_first() {
    Case::new(USERS, "SELECT 1")
        .refused(ErrorKind::TargetState, &["has no tables", "run its migrations"]);
}

#[test]
fn a_protected_table_is_not_touched() {
    let source = format!("{USERS} CREATE TABLE cache (k TEXT); INSERT INTO cache VALUES ('new');");
    let tables = "CREATE TABLE users (id int, name text); CREATE TABLE cache (k text); INSERT INTO cache VALUES ('old')";
    let case = Case::new(&source, tables)
        .refused(ErrorKind::TargetState, &["Table \"cache\" has 1 row already"])
        .with(|asked| asked.protect = vec!["cache".into()]);
    let report = case.arrives(&["cache"]);
    assert!(report.notes.iter().any(|note| note.contains("\"cache\" is protected")));
    assert_eq!(case.target.one("SELECT k FROM cache"), "old");
}
