//! Applications with a preset: a source and a target in the shape of theirs, as `fixtures/apps/` has them,
//! with the rows that a first start makes. They are written for this; the applications were not run.

use std::path::{Path, PathBuf};

use litelift::options::{DataOnly, OnExisting, TransferOptions};
use litelift::report::TransferReport;

use super::target::{self, Target};
use crate::support::compare::Reason;
use crate::support::fixture::{self, Fixture};
use crate::support::{pg, transfer};

/// A folder of `fixtures/apps/`, loaded.
struct App {
    source: Fixture,
    target: Target,
    options: TransferOptions,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/apps").join(name)
}

fn load(name: &str) -> App {
    let read = |file: &str| {
        let path = folder(name).join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let source = fixture::from_sql("app.db", &read("source.sql"));
    let target = target::empty();
    target.load_dump(&read("target.sql"));
    let mut options = transfer::options(&source.path, &target.url);
    options.inspect.data_only = Some(DataOnly::default());
    App { source, target, options }
}

impl App {
    fn with(mut self, app: &str) -> Self {
        self.options.inspect.selection.apps = vec![app.to_owned()];
        self
    }

    /// Expects a refusal that says these.
    #[track_caller]
    fn refused(&self, says: &[&str]) {
        let before = self.target.objects();
        let error = transfer::run(&self.options).expect_err("it must be refused");
        let told = pg::explain(&error);
        for text in says {
            assert!(told.contains(text), "no {text:?} in:\n{told}");
        }
        assert_eq!(self.target.objects(), before);
    }

    /// Expects that every row arrives but those of `left`, each value as it was, and that the target's
    /// own things are as before. It takes a value of each sequence. So many times have more digits than PostgreSQL keeps: `rounded`.
    #[track_caller]
    fn arrives(&self, left: &[&str], rounded: u64, says: &[&str]) -> TransferReport {
        let before = self.target.objects();
        let report =
            transfer::run(&self.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
        assert_eq!(report.not_as_before, []);
        assert!(report.rejected.is_empty());
        assert!(report.verify.as_ref().is_some_and(|verify| verify.differing() == 0));
        assert_eq!(self.target.objects(), before);
        let url = &self.target.database.url;
        let compared = transfer::compare_leaving(&self.source.path, url, &report, left);
        let is_rounded = |reason: &Reason| matches!(reason, Reason::Rounded);
        assert!(
            compared.differences.iter().all(|difference| is_rounded(&difference.reason))
                && compared.total_differences == rounded,
            "{}",
            compared.listed()
        );
        assert!(compared.values > 0);
        assert_eq!(self.target.sequences_behind(), [""; 0]);
        let notes = report.notes.join("\n");
        for text in says {
            assert!(notes.contains(text), "no {text:?} in:\n{notes}");
        }
        report
    }

    /// Expects that both sides answer the same, for what the comparer has no eyes for.
    #[track_caller]
    fn same(&self, of_source: &str, of_target: &str) {
        let source = rusqlite::Connection::open(&self.source.path).unwrap();
        let there: String = source.query_row(of_source, [], |row| row.get(0)).unwrap();
        assert_eq!(self.target.one(of_target), there);
    }
}

#[test]
fn servarr_keeps_its_profiles_and_its_sequences() {
    let app = load("servarr");
    app.refused(&[
        "This looks like Radarr, Sonarr or one of their kin: --app servarr",
        "\"QualityProfiles\" has 3 rows",
    ]);
    let app = app.with("radarr");
    app.arrives(
        &["VersionInfo"],
        4,
        &["\"QualityProfiles\" is emptied first", "both sides are at 242", "--app radarr: "],
    );
    // Ids that SQLite gave out once are not given out again.
    assert_eq!(app.target.one("SELECT nextval('\"History_Id_seq\"')::text"), "252");
    assert_eq!(app.target.one("SELECT nextval('\"Profiles_Id_seq\"')::text"), "9");
    let app = load("servarr-log");
    app.refused(&["the log database of Radarr", "\"Logs\" has 1 row"]);
    app.with("servarr").arrives(&["VersionInfo"], 1, &["\"Logs\" is emptied first"]);
}

#[test]
fn servarr_of_another_version_or_with_films_of_its_own_is_refused() {
    let app = load("servarr").with("radarr");
    app.target.execute("DELETE FROM \"VersionInfo\" WHERE \"Version\" = 242");
    app.refused(&["of different versions", "242", "207"]);
    let app = load("servarr").with("radarr");
    app.target.execute(
        "INSERT INTO \"Movies\" VALUES (1, 'x', true, 1, NULL, '[]', NULL, 0, 1, 1, NULL)",
    );
    app.refused(&["\"Movies\" has 1 row"]);
}

#[test]
fn vaultwarden_keeps_its_integers_and_only_the_newest_migration_counts() {
    let app = load("vaultwarden");
    app.refused(&["of different versions", "This looks like Vaultwarden: --app vaultwarden"]);
    let app = app.with("vaultwarden");
    let left = ["__diesel_schema_migrations"];
    app.arrives(
        &left,
        1,
        &["(--app vaultwarden: Diesel) is left as it is: both sides are at 20260505120000"],
    );
    let app = load("vaultwarden").with("vaultwarden");
    app.target.execute("DELETE FROM __diesel_schema_migrations WHERE version > '2026'");
    app.refused(&["of different versions", "at 20260505120000, the target at 20191011172039"]);
}

#[test]
fn grafana_leaves_what_it_makes_again_and_brings_its_own_administrator() {
    let app = load("grafana");
    app.refused(&[
        "This looks like Grafana: --app grafana",
        "only in the source: create alert table v1",
    ]);
    let app = app.with("grafana");
    let left = ["migration_log", "cache_data", "server_lock", "session", "login_attempt"];
    let says = [
        "Table \"cache_data\" is left out (--app grafana: cached values are made again)",
        "Table \"role\" is emptied first",
        "the source has every entry of the target, 3",
    ];
    app.arrives(&left, 0, &says);
    // The locks are the new server's own, and so are the ids from now on.
    assert_eq!(app.target.one("SELECT version::text FROM server_lock"), "1");
    assert_eq!(app.target.one("SELECT nextval('user_id_seq')::text"), "14");
    let app = load("grafana").with("grafana");
    app.target.execute(
        "INSERT INTO migration_log (migration_id, sql, success, error, timestamp) \
         VALUES ('of a newer version', '', true, '', now())",
    );
    app.refused(&["of different versions", "only in the target: of a newer version"]);
}

#[test]
fn home_assistant_keeps_its_history_and_the_next_upgrade_finds_its_version() {
    let app = load("homeassistant");
    app.refused(&["This looks like Home Assistant: --app homeassistant", "\"states\" has 2 rows"]);
    let app = app.with("homeassistant");
    app.arrives(&["schema_changes"], 0, &["both sides are at 48", "\"states\" is emptied first"]);
    // The next upgrade writes an entry here.
    app.target.execute("INSERT INTO schema_changes (schema_version, changed) VALUES (49, now())");
    assert_eq!(app.target.one("SELECT max(change_id)::text FROM schema_changes"), "3");
    let app = load("homeassistant").with("homeassistant");
    app.target.execute("UPDATE schema_changes SET schema_version = 50");
    app.refused(&["of different versions by \"schema_changes\"", "at 48, the target at 50"]);
}

#[test]
fn a_database_in_use_is_not_emptied_by_a_preset() {
    let app = load("homeassistant").with("homeassistant");
    app.target.execute("INSERT INTO states (state) SELECT 'x' FROM generate_series(1, 10000)");
    app.refused(&[
        "Table \"states\" has more rows than a first start makes, 10002, so no preset empties it",
        "--on-existing 'states=truncate'",
    ]);
    let mut app = app;
    let truncate = (Some("states".to_owned()), OnExisting::Truncate);
    app.options.inspect.data_only.as_mut().unwrap().on_existing = vec![truncate];
    app.arrives(&["schema_changes"], 0, &["\"states\" is emptied first; rows in it: 10002."]);
}

#[test]
fn gitea_keeps_its_seconds_and_its_sessions_are_left() {
    let app = load("gitea");
    app.refused(&["This looks like Gitea or Forgejo: --app gitea", "\"system_setting\" has 1 row"]);
    let app = app.with("forgejo");
    app.arrives(&["version", "session"], 0, &["Table \"session\" is left out"]);
    assert_eq!(
        app.target.one("SELECT deadline_unix::text FROM issue WHERE id = 77"),
        "253402300799"
    );
    assert_eq!(app.target.one("SELECT key FROM session"), "fedcba9876543210");
    let app = load("gitea").with("gitea");
    app.target.execute("INSERT INTO \"user\" VALUES (1, 'a', 'a', 'a', false, 'a')");
    app.refused(&["\"user\" has 1 row"]);
}

#[test]
fn ef_core_durations_and_identifiers_arrive() {
    let app = load("efcore");
    app.refused(&[
        "This looks like an application with EF Core: --app efcore",
        "\"AspNetRoles\" has 1 row",
    ]);
    let mut app = app.with("efcore");
    let data_only = app.options.inspect.data_only.as_mut().unwrap();
    data_only.on_existing = vec![(Some("AspNetRoles".to_owned()), OnExisting::Truncate)];
    let left = ["__EFMigrationsHistory", "__EFMigrationsLock", "Orders.Took", "OrderLines.Old"];
    app.arrives(
        &left,
        2,
        &["Column \"Orders.Took\" goes by rule", "Column \"OrderLines.Old\" goes by rule"],
    );
    let took = "SELECT string_agg(coalesce(\"Took\"::text, '-'), ' | ' ORDER BY \"Number\") FROM \"Orders\"";
    assert_eq!(app.target.one(took), "26:03:04.5 | -00:00:01 | -");
    // The first three groups of the old form are turned around.
    let old = "SELECT \"Old\"::text FROM \"OrderLines\" WHERE \"Id\" = 1";
    assert_eq!(app.target.one(old), "3f2504e0-4f89-11d3-9a0c-0305e82c3301");
    app.same(
        "SELECT group_concat(Id, ' ') FROM (SELECT lower(Id) AS Id FROM Orders ORDER BY Number)",
        "SELECT string_agg(\"Id\"::text, ' ' ORDER BY \"Number\") FROM \"Orders\"",
    );
}

#[test]
fn laravel_leaves_its_cache_and_its_sessions_and_takes_its_jobs() {
    let app = load("laravel");
    app.refused(&["This looks like Laravel: --app laravel", "\"cache\" has 1 row"]);
    let app = app.with("laravel");
    app.arrives(
        &["migrations", "cache", "cache_locks", "sessions", "posts.ip"],
        0,
        &["Table \"sessions\" is left out (--app laravel: users log in again)"],
    );
    assert_eq!(app.target.one("SELECT nextval('posts_id_seq')::text"), "92");
    app.same("SELECT group_concat(ip) FROM posts", "SELECT string_agg(host(ip), ',') FROM posts");
    assert_eq!(app.target.one("SELECT id::text FROM jobs"), "9");
    assert_eq!(app.target.one("SELECT value FROM cache"), "s:1:\"b\";");
}

#[test]
fn what_laravel_itself_made_arrives() {
    // Captured by tests/frameworks/laravel.
    let app = load("laravel-8").with("laravel");
    let left = ["migrations", "cache", "cache_locks", "sessions", "posts.ip", "posts.mac"];
    app.arrives(&left, 0, &["Table \"cache\" is left out", "Table \"sessions\" is left out"]);
    app.same(
        "SELECT group_concat(c, ';') FROM (SELECT id || ' ' || coalesce(ip, '-') || ' ' \
         || coalesce(mac, '-') AS c FROM posts ORDER BY id)",
        "SELECT string_agg(id || ' ' || coalesce(host(ip), '-') || ' ' || coalesce(mac::text, '-'), ';' \
         ORDER BY id) FROM posts",
    );
}
