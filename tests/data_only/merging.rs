//! Rows that come to rows: `--on-existing keep` and `upsert`, value for value and counted.

use litelift::error::ErrorKind;
use litelift::options::OnExisting;
use litelift::report::TransferReport;

use super::refusals::Case;
use super::target;
use crate::resume::process::{Running, run, transfer as command, verify};
use crate::support::fixture::{self, Fixture};
use crate::support::{pg, transfer};

fn key(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

fn keep(columns: &[&str]) -> OnExisting {
    OnExisting::Keep(key(columns))
}

fn upsert(columns: &[&str]) -> OnExisting {
    OnExisting::Upsert(key(columns))
}

impl Case {
    fn on_existing(self, what: OnExisting) -> Self {
        self.with(|asked| asked.on_existing = vec![(None, what)])
    }

    /// Runs it, expects that nothing but rows changed, and that a later `verify` says the same.
    #[track_caller]
    fn merges(&self) -> TransferReport {
        let before = self.target.objects();
        let shown = transfer::dry_run(&self.options);
        assert!(shown.is_ok(), "{}", pg::explain(&shown.unwrap_err()));
        let report =
            transfer::run(&self.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
        assert_eq!(report.not_as_before, []);
        assert_eq!(report.verify.as_ref().unwrap().differing(), 0, "{:?}", report.verify);
        assert_eq!(self.target.objects(), before);
        assert_eq!(self.target.sequences_behind(), [""; 0]);
        let mut verify = verify(&self.source.path, &self.target.url);
        verify.args(["--into", &self.options.inspect.into]);
        run(verify).expect(0);
        report
    }

    /// Expects that rows which differ stop it, and that none of them was written.
    #[track_caller]
    fn stops(&self, table: &str, says: &[&str]) {
        let rows = format!(
            "SELECT coalesce(string_agg(t::text, '|' ORDER BY t::text), '') FROM {table} t"
        );
        let before = self.target.one(&rows);
        let error = transfer::run(&self.options).expect_err("it must stop");
        let told = pg::explain(&error);
        assert_eq!(error.kind(), ErrorKind::Differences, "{told}");
        for text in says {
            assert!(told.contains(text), "no {text:?} in:\n{told}");
        }
        assert_eq!(self.target.one(&rows), before);
    }
}

/// Before, inserted, updated, kept.
fn counts(report: &TransferReport, table: &str) -> (u64, u64, u64, u64) {
    let table = report.tables.iter().find(|known| known.source == table).unwrap();
    let rows = table.merged.expect("it was merged");
    (rows.target_before, rows.merged.inserted, rows.merged.updated, rows.merged.kept)
}

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score INT);
    INSERT INTO users VALUES (1, 'red', 10), (7, 'blue', NULL), (8, 'grey', 30);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user INT); INSERT INTO posts VALUES (1, 8), (2, 5);";

/// Everything that can be in the way: an identity that is always made, a generated column, one that the
/// source has not, a trigger, keys of both sides, an index.
const APP: &str = "CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
        name varchar(20) UNIQUE, score int, doubled int GENERATED ALWAYS AS (score * 2) STORED, \
        since text DEFAULT 'new', boss int REFERENCES users);
    CREATE TABLE posts (id int PRIMARY KEY, \"user\" int REFERENCES users);
    CREATE INDEX users_score ON users (score);
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
    CREATE TRIGGER t BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fail();
    ALTER TABLE users DISABLE TRIGGER t;
    INSERT INTO users (id, name, score, since, boss) OVERRIDING SYSTEM VALUE \
      VALUES (1, 'admin', 1, 'seed', 1), (5, 'old', 5, 'seed', 1), (7, 'navy', 7, 'seed', NULL);
    ALTER TABLE users ENABLE ALWAYS TRIGGER t;";

const ALL: &str = "SELECT string_agg(concat_ws(' ', id, name, score, doubled, since, boss), '; ' ORDER BY id) FROM users";

#[test]
fn upsert_gives_rows_of_the_same_key_the_values_of_the_source() {
    let case = Case::new(USERS, APP).on_existing(upsert(&[]));
    let report = case.merges();
    assert_eq!(
        case.target.one(ALL),
        "1 red 10 20 seed 1; 5 old 5 10 seed 1; 7 blue seed; 8 grey 30 60 new"
    );
    assert_eq!(counts(&report, "users"), (3, 1, 2, 0));
    // The table without rows was copied.
    assert!(report.tables[1].merged.is_none());
    assert_eq!(report.tables[0].rows, 3);
    assert_eq!(case.target.one("SELECT nextval('users_id_seq')"), "10");
    let told = report.notes.join("\n");
    assert!(told.contains("Table \"users\" keeps its rows, 3; those that the source has too, by (id), get the source's values."), "{told}");
}

#[test]
fn keep_leaves_rows_of_the_same_key_alone() {
    let case = Case::new(USERS, APP).on_existing(keep(&[]));
    let report = case.merges();
    assert_eq!(
        case.target.one(ALL),
        "1 admin 1 2 seed 1; 5 old 5 10 seed 1; 7 navy 7 14 seed; 8 grey 30 60 new"
    );
    assert_eq!(counts(&report, "users"), (3, 1, 0, 2));
    // What the same command says later.
    let again = transfer::run(&case.options).unwrap();
    assert_eq!(counts(&again, "users"), (3, 1, 0, 2));
    // And what verify says when rows are gone, or the source has others.
    case.target.execute("DELETE FROM posts; DELETE FROM users WHERE id = 8");
    let document = run({
        let mut verify = verify(&case.source.path, &case.target.url);
        verify.args(["--json", "--only", "users"]);
        verify
    });
    let document = document.expect(1).json();
    assert_eq!(document["tables"][0]["target_rows"], 3);
    assert_eq!(document["tables"][0]["merged"]["target_before"], 3);
    assert_eq!(document["tables"][0]["merged"]["inserted"], 1);
}

#[test]
fn a_unique_key_may_be_named() {
    let source = "CREATE TABLE T (Id INTEGER PRIMARY KEY, Email TEXT, Place TEXT, N INT);
        INSERT INTO T VALUES (1, 'A@x', 'p', 1), (2, 'b@x', 'q', 2), (3, NULL, 'r', 3), (4, NULL, NULL, 4);";
    // The type's own operators lie in a schema that is not searched.
    let tables = "CREATE SCHEMA kinds; CREATE EXTENSION citext SCHEMA kinds;
        CREATE TABLE t (id int PRIMARY KEY, email kinds.citext UNIQUE, place text, n int, UNIQUE (place, n));
        INSERT INTO t VALUES (11, 'a@X', NULL, 100), (12, NULL, 'none', 200);";
    let all = "SELECT string_agg(concat_ws(' ', id, email, place, n), '; ' ORDER BY n) FROM t";
    let case = Case::new(source, tables).skip("T.Id").on_existing(upsert(&["email"]));
    // Without an id nothing can be inserted.
    let case =
        case.refused(ErrorKind::TargetState, &["\"t\".\"id\" is NOT NULL without a default"]);
    case.target.execute("ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START 50)");
    let report = case.merges();
    assert_eq!(case.target.one(all), "11 a@X p 1; 51 b@x q 2; 52 r 3; 53 4; 12 none 200");
    assert_eq!(counts(&report, "T"), (2, 3, 1, 0));

    // Two columns, in another order than in the index; NULL is found nowhere.
    let tables = "CREATE TABLE t (id int PRIMARY KEY, email text, place text, n int);
        CREATE UNIQUE INDEX by_place ON t (place, n) INCLUDE (email);
        INSERT INTO t VALUES (91, 'kept', 'q', 2), (92, 'kept', NULL, 4);";
    let case = Case::new(source, tables).on_existing(keep(&["N", "Place"]));
    let report = case.merges();
    assert_eq!(
        case.target.one("SELECT string_agg(concat_ws(' ', id, email), '; ' ORDER BY n, id) FROM t"),
        "1 A@x; 91 kept; 3; 4; 92 kept"
    );
    assert_eq!(counts(&report, "T"), (2, 3, 0, 1));
}

#[test]
fn a_key_of_which_nulls_are_equal() {
    let source = "CREATE TABLE t (a INT, b INT, c TEXT); INSERT INTO t VALUES (1, NULL, 'x'), (2, NULL, 'y'), (NULL, NULL, 'z');";
    let target = "CREATE TABLE t (a int, b int, c text); CREATE TABLE u (id int)";
    let case = Case::new(source, target);
    if case.target.one("SELECT current_setting('server_version_num')::int < 150000") == "t" {
        return;
    }
    case.target.execute(
        "CREATE UNIQUE INDEX ON t (a, b) NULLS NOT DISTINCT; INSERT INTO t VALUES (1, NULL, 'was'), (9, NULL, 'was')",
    );
    let case = case.on_existing(upsert(&["a", "b"]));
    let report = case.merges();
    assert_eq!(
        case.target.one("SELECT string_agg(concat_ws(' ', a, c), '; ' ORDER BY a) FROM t"),
        "1 x; 2 y; 9 was; z"
    );
    assert_eq!(counts(&report, "t"), (2, 2, 1, 0));
}

#[test]
fn a_table_that_is_all_key_has_nothing_to_update() {
    let source = "CREATE TABLE tags (post INT, tag TEXT, PRIMARY KEY (post, tag)) WITHOUT ROWID;
        INSERT INTO tags VALUES (1, 'a'), (1, 'b'), (2, 'a');";
    let tables = "CREATE TABLE tags (post int, tag text, PRIMARY KEY (post, tag)); INSERT INTO tags VALUES (1, 'b'), (9, 'z')";
    let case = Case::new(source, tables).on_existing(upsert(&[]));
    assert_eq!(counts(&case.merges(), "tags"), (2, 2, 0, 1));
    assert_eq!(
        case.target.one("SELECT string_agg(post || tag, ' ' ORDER BY post, tag) FROM tags"),
        "1a 1b 2a 9z"
    );
}

#[test]
fn partitions_inheritance_and_hostile_names() {
    let name = |n: u32| format!("x{n}'; DROP TABLE victim; --\"\"\\");
    let (table, id, at, text) = (name(1), name(2), name(3), name(4));
    let source = format!(
        "CREATE TABLE \"{table}\" (\"{id}\" INT, \"{at}\" TEXT, \"{text}\" TEXT, PRIMARY KEY (\"{id}\", \"{at}\"));
         INSERT INTO \"{table}\" VALUES (1, '2024-01-05', 'new 1'), (1, '2024-02-05', 'new 2'), (2, '2023-01-01', 'new 3');
         CREATE TABLE payment (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO payment VALUES (1, 'a'), (5, 'b');"
    );
    let tables = format!(
        "CREATE TABLE victim (id int);
         CREATE TABLE \"{table}\" (\"{text}\" text, \"{id}\" int, \"{at}\" date, PRIMARY KEY (\"{at}\", \"{id}\")) \
           PARTITION BY RANGE (\"{at}\");
         CREATE TABLE \"{0}\" (\"{id}\" int NOT NULL, \"{at}\" date NOT NULL, \"{text}\" text);
         ALTER TABLE \"{table}\" ATTACH PARTITION \"{0}\" FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
         CREATE TABLE rest PARTITION OF \"{table}\" DEFAULT;
         INSERT INTO \"{table}\" VALUES ('old', 1, '2024-01-05'), ('old', 3, '2024-03-05');
         CREATE TABLE payment (id int PRIMARY KEY, t text); CREATE TABLE older () INHERITS (payment);
         INSERT INTO payment VALUES (1, 'own'); INSERT INTO older VALUES (5, 'child')",
        name(5)
    );
    for (what, expected) in [
        (
            upsert(&[]),
            (
                "2023-01-01 2 new 3; 2024-01-05 1 new 1; 2024-02-05 1 new 2; 2024-03-05 3 old",
                "1 a; 5 b; 5 child",
            ),
        ),
        (
            keep(&[]),
            (
                "2023-01-01 2 new 3; 2024-01-05 1 old; 2024-02-05 1 new 2; 2024-03-05 3 old",
                "1 own; 5 b; 5 child",
            ),
        ),
    ] {
        let is_keep = matches!(what, OnExisting::Keep(_));
        let case = Case::new(&source, &tables).on_existing(what);
        let report = case.merges();
        let rows = format!(
            "SELECT string_agg(concat_ws(' ', \"{at}\", \"{id}\", \"{text}\"), '; ' ORDER BY \"{at}\") FROM \"{table}\""
        );
        assert_eq!(case.target.one(&rows), expected.0);
        let rows = "SELECT string_agg(id || ' ' || t, '; ' ORDER BY id, t) FROM payment";
        assert_eq!(case.target.one(rows), expected.1);
        let (updated, kept) = if is_keep { (0, 1) } else { (1, 0) };
        assert_eq!(
            report.tables.iter().map(|table| counts(&report, &table.source)).collect::<Vec<_>>(),
            [(2, 2, updated, kept), (1, 1, updated, kept)]
        );
        assert_eq!(case.target.one("SELECT count(*) FROM victim"), "0");
    }
}

#[test]
fn a_table_without_a_key_that_can_be_used_is_refused() {
    let source =
        "CREATE TABLE t (id INT, mail TEXT, a INT, b INT); INSERT INTO t VALUES (1, 'x', 1, 1);";
    let made = "CREATE TABLE t (id int, mail text NOT NULL, a int, b int, c int UNIQUE);
        CREATE UNIQUE INDEX ON t (mail) WHERE a > 0; CREATE UNIQUE INDEX ON t (lower(mail));
        INSERT INTO t VALUES (9, 'z', 9, 9);";
    let case = Case::new(source, made).on_existing(upsert(&[])).refused(
        ErrorKind::TargetState,
        &[
            "Table \"t\" has 1 row already, and --on-existing upsert has no key",
            "it has no primary key",
            "no unique key that could be named",
        ],
    );
    let case = case.on_existing(keep(&["mail"])).refused(
        ErrorKind::TargetState,
        &["it has no unique constraint or index on (\"mail\") and nothing else"],
    );
    let case =
        case.on_existing(keep(&["post"])).refused(ErrorKind::TargetState, &["no column \"post\""]);
    let case = case
        .on_existing(keep(&["c"]))
        .refused(ErrorKind::TargetState, &["column \"c\" of \"t_c_key\" is not loaded"]);
    case.target
        .execute("ALTER TABLE t ADD UNIQUE (a, b); ALTER TABLE t ADD PRIMARY KEY (id) DEFERRABLE");
    let case = case.on_existing(upsert(&[])).refused(
        ErrorKind::TargetState,
        &["\"t_pkey\" is DEFERRABLE", "Keys that can be used: --on-existing 't=upsert:a+b'."],
    );
    // Another key on the same columns is in the way too: PostgreSQL takes both.
    case.target.execute("CREATE UNIQUE INDEX again ON t (id)");
    let case = case.on_existing(keep(&["id"])).refused(ErrorKind::TargetState, &["is DEFERRABLE"]);
    let case = case.on_existing(keep(&["b", "a"]));
    assert_eq!(counts(&case.merges(), "t"), (1, 1, 0, 0));
    // Named for one table, another has no rows and needs no key.
    let case = Case::new(source, "CREATE TABLE t (id int, mail text, a int, b int)");
    let case = case.on_existing(upsert(&[]));
    assert!(case.merges().tables[0].merged.is_none());
}

#[test]
fn an_identity_that_cannot_be_updated_is_refused() {
    let made = "CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, score int);
        INSERT INTO users (name, score) VALUES ('blue', 1); CREATE TABLE posts (id int, \"user\" int)";
    let case = Case::new(USERS, made).on_existing(upsert(&["name"])).refused(
        ErrorKind::TargetState,
        &[
            "Column \"id\" of table \"users\" is GENERATED ALWAYS AS IDENTITY",
            "--skip \"TABLE.id\"",
        ],
    );
    // Then new rows get new numbers.
    let case = case.skip("users.id");
    assert_eq!(counts(&case.merges(), "users"), (1, 2, 1, 0));
    let rows = "SELECT string_agg(concat_ws(' ', id, name, score), '; ' ORDER BY id) FROM users";
    assert_eq!(case.target.one(rows), "1 blue; 2 red 10; 4 grey 30");
    let case = Case::new(USERS, made).on_existing(keep(&["name"]));
    case.target.execute("UPDATE users SET id = DEFAULT");
    let report = case.merges();
    assert_eq!(counts(&report, "users"), (1, 2, 0, 1));
    assert_eq!(case.target.one(rows), "1 red 10; 2 blue 1; 8 grey 30");
}

#[test]
fn rights_that_are_missing_are_told_with_their_grant() {
    target::role("litelift_test_merger");
    let made = "CREATE TABLE users (id int PRIMARY KEY, name text, score int); INSERT INTO users VALUES (1, 'x', 1);
        CREATE TABLE posts (id int, \"user\" int)";
    let mut case = Case::new(USERS, made).on_existing(upsert(&[]));
    let database = case.target.database.name.clone();
    case.target.database.execute(&format!(
        "REVOKE TEMPORARY ON DATABASE \"{database}\" FROM PUBLIC; \
         GRANT CREATE ON DATABASE \"{database}\" TO litelift_test_merger; \
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO litelift_test_merger"
    ));
    case.options.to = target::as_role(&case.target.database.url, "litelift_test_merger");
    let case = case.refused(
        ErrorKind::TargetState,
        &[
            "This role may not UPDATE \"users\"",
            "GRANT UPDATE ON \"public\".\"users\" TO \"litelift_test_merger\";",
            "may not make temporary tables in database",
            &format!("GRANT TEMPORARY ON DATABASE \"{database}\" TO \"litelift_test_merger\";"),
        ],
    );
    case.target.database.execute(&format!(
        "GRANT TEMPORARY ON DATABASE \"{database}\" TO litelift_test_merger; \
         GRANT UPDATE ON users TO litelift_test_merger"
    ));
    case.target.execute(
        "REVOKE SELECT ON users FROM litelift_test_merger; GRANT SELECT (id) ON users TO litelift_test_merger",
    );
    let grant = "GRANT SELECT ON \"public\".\"users\" TO \"litelift_test_merger\";";
    let case = case.refused(ErrorKind::TargetState, &["may not SELECT \"users\"", grant]);
    case.target.execute("GRANT SELECT ON users TO litelift_test_merger");
    case.target.execute("CREATE RULE r AS ON INSERT TO users DO ALSO NOTHING");
    let case = case.refused(ErrorKind::TargetState, &["Table \"users\" has rules"]);
    case.target.execute("DROP RULE r ON users");
    assert_eq!(counts(&case.merges(), "users"), (1, 2, 1, 0));
}

#[test]
fn two_rows_of_one_key_stop_it() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, NULL), (5, NULL);";
    let made = "CREATE TABLE t (id int PRIMARY KEY, mail text); CREATE UNIQUE INDEX ON t (mail); INSERT INTO t VALUES (9, 'z')";
    for (what, there) in
        [(keep(&["mail"]), 'z'), (upsert(&["mail"]), 'z'), (upsert(&["mail"]), 'a')]
    {
        let case = Case::new(source, &made.replace('z', &there.to_string())).on_existing(what);
        case.stops(
            "t",
            &[
                "merge rows into table \"t\"",
                "Key (mail)=(a): two rows of the source have it",
                "--restart",
            ],
        );
        // By their own key they are two.
        case.target.execute("DROP INDEX t_mail_idx");
        let mut case = case.on_existing(upsert(&[]));
        case.options.restart = true;
        assert_eq!(counts(&case.merges(), "t"), (1, 5, 0, 0));
    }
    // The target's own row wins over both.
    let case = Case::new(source, &made.replace('z', "a")).on_existing(keep(&["mail"]));
    assert_eq!(counts(&case.merges(), "t"), (1, 3, 0, 2));
}

#[test]
fn another_constraint_that_rows_break_is_named() {
    let made = "CREATE TABLE users (id int PRIMARY KEY, name text CONSTRAINT one_name UNIQUE, score int CHECK (score < 20));
        INSERT INTO users VALUES (1, 'x', 1), (2, 'blue', 2); CREATE TABLE posts (id int PRIMARY KEY, \"user\" int)";
    let mut case = Case::new(USERS, made).on_existing(upsert(&[]));
    case.stops(
        "users",
        &[
            "table \"users\"",
            "\"one_name\"",
            "Key (name)=(blue) already exists",
            "Nothing of this range was written",
        ],
    );
    case.target.execute("UPDATE users SET name = 'was ' || name");
    // What was not there when the run began is not what was to be merged.
    case.stops("users", &["Key (id)=(1): its row was written since the run began"]);
    case.options.restart = true;
    case.stops("users", &["users_score_check", "grey"]);
    case.target.execute("ALTER TABLE users DROP CONSTRAINT users_score_check");
    let report = transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(counts(&report, "users"), (2, 2, 1, 0));
}

/// Some 26 MB in three ranges; the keys of the first and the last rows are there.
fn large(twice: &str) -> Fixture {
    fixture::from_sql(
        "app.db",
        &format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT, body TEXT);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 26000)
             INSERT INTO t SELECT n, 'code ' || n, hex(randomblob(500)) FROM i; {twice}
             CREATE TABLE empty (id INTEGER PRIMARY KEY, body TEXT);
             INSERT INTO empty SELECT id, body FROM t;"
        ),
    )
}

const LARGE_APP: &str =
    "CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, body text, n serial);
    CREATE TABLE empty (id int PRIMARY KEY, body text);
    INSERT INTO t SELECT i, 'code ' || i, 'was' FROM generate_series(-50, 100) i;
    INSERT INTO t SELECT i, 'code ' || i, 'was' FROM generate_series(25901, 26050) i;
    CREATE INDEX ON t (body text_pattern_ops)";

#[test]
fn two_rows_of_one_key_in_different_ranges_stop_it() {
    // Rows of which the last has the key of the first: each in its own range.
    let source = large("UPDATE t SET code = 'code 500' WHERE id = 25000;");
    for what in ["keep", "upsert"] {
        let target = target::target(LARGE_APP);
        let more = [
            "--data-only",
            "--skip",
            "t.id",
            "--on-existing",
            &format!("t={what}:code"),
            "--quiet",
        ];
        target.execute(
            "CREATE SEQUENCE ids START 100000; ALTER TABLE t ALTER id SET DEFAULT nextval('ids')",
        );
        let ended = run(command(&source.path, &target.url, &more)).expect(1);
        ended.says(&[
            "Key (code)=(code 500)",
            "was written since the run began: by another row of the source",
        ]);
        // Again the same.
        run(command(&source.path, &target.url, &more)).expect(1).says(&["Key (code)=(code 500)"]);
        assert_eq!(target.one("SELECT count(*) FROM t WHERE code = 'code 500'"), "1");
    }
}

#[test]
fn killed_in_the_middle_it_goes_on_and_counts_what_it_did() {
    let source = large("");
    for (what, ranges) in [("keep", 1), ("upsert", 2), ("upsert", 3)] {
        let target = target::target(LARGE_APP);
        let objects = target.objects();
        // Slow, so that it can be killed between two ranges.
        target.database.execute(
            "CREATE FUNCTION public.doze() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$; \
             CREATE TRIGGER doze AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION public.doze(); \
             CREATE TRIGGER doze AFTER INSERT ON empty FOR EACH STATEMENT EXECUTE FUNCTION public.doze()",
        );
        let on_existing = format!("t={what}");
        let more = ["--data-only", "--keep-trigger", "doze", "--on-existing", &on_existing];
        let count = "SELECT count(*) FROM litelift.range";
        let running = Running::start(command(&source.path, &target.url, &more))
            .until("the run has begun", || {
                target.one("SELECT to_regclass('litelift.range') IS NOT NULL") == "t"
            })
            .until("some ranges are there", || target.one(count).parse::<u32>().unwrap() >= ranges);
        assert!(running.kill());
        // Both tables have rows by now; what becomes of them was decided.
        let ended = run(command(&source.path, &target.url, &[&more[..], &["--json"]].concat()));
        let report = ended.expect(0).json();
        let merged = &report["tables"][0]["merged"];
        let (updated, kept) = if what == "keep" { (0, 200) } else { (200, 0) };
        assert_eq!(merged["target_before"], 301);
        assert_eq!(merged["inserted"], 25_800);
        assert_eq!((&merged["updated"], &merged["kept"]), (&updated.into(), &kept.into()));
        assert!(report["tables"][1]["merged"].is_null());
        run(verify(&source.path, &target.url)).expect(0).prints(&["301 before"]);
        target.database.execute(
            "DROP TRIGGER doze ON t; DROP TRIGGER doze ON empty; DROP FUNCTION public.doze",
        );
        assert_eq!(target.objects(), objects);
        assert_eq!(
            target.one("SELECT count(*) || ' ' || count(DISTINCT id) FROM empty"),
            "26000 26000"
        );
        let was = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t WHERE body = 'was' AND id BETWEEN 1 AND 26000";
        let is_kept = "SELECT count(*) || ' ' || count(*) FILTER (WHERE body = 'was') || ' ' || count(DISTINCT id) FROM t";
        let expected = if what == "keep" { "26101 301 26101" } else { "26101 101 26101" };
        assert_eq!(target.one(is_kept), expected);
        let there: Vec<String> = (1..=100).chain(25_901..=26_000).map(|n| n.to_string()).collect();
        let expected = if what == "keep" { there.join(" ") } else { "NULL".to_owned() };
        assert_eq!(target.one(was), expected);
        // Each other value is the source's.
        let source = rusqlite::Connection::open(&source.path).unwrap();
        let sum = "SELECT sum(length(body)) || ' ' || max(body) || ' ' || min(body) FROM";
        let of_source = if what == "keep" { "t WHERE id BETWEEN 101 AND 25900" } else { "t" };
        let of_source: String =
            source.query_row(&format!("{sum} {of_source}"), [], |row| row.get(0)).unwrap();
        let of_target = "SELECT sum(length(body)) || ' ' || max(body COLLATE \"C\") || ' ' || min(body COLLATE \"C\") FROM t WHERE body <> 'was'";
        assert_eq!(target.one(of_target), of_source);
    }
}

#[test]
fn rows_that_do_not_fit_are_left_out_and_sent_later() {
    let source = fixture::from_sql(
        "app.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n, s TEXT);
         INSERT INTO t VALUES (1, 10, 'a'), (2, 'two', 'b'), (3, 'three', 'c'), (4, 'four', 'd'), (5, 5, 'e'), (6, 'six', 'f');",
    );
    let target = target::target(
        "CREATE TABLE t (id int PRIMARY KEY, n int, s text UNIQUE); INSERT INTO t VALUES (1, 0, 'x'), (2, 0, 'y'), (7, 0, 'f')",
    );
    let rejects = source.folder.path().join("rejects").display().to_string();
    let data_only = ["--data-only", "--on-existing", "upsert"];
    let first =
        [&data_only[..], &["--on-bad-row", "reject", "--rejects", &rejects, "--json"]].concat();
    let report = run(command(&source.path, &target.url, &first)).expect(1).json();
    let merged = |inserted, updated| serde_json::json!({ "target_before": 3, "inserted": inserted, "updated": updated, "kept": 0 });
    assert_eq!(report["tables"][0]["merged"], merged(1, 1));
    assert_eq!(report["tables"][0]["rejected"], 4);
    run(verify(&source.path, &target.url)).expect(1).prints(&["4 rows rejected"]);
    // One is mended and updates, one is inserted, one has a name that is another row's by now, one stays.
    let file = std::path::Path::new(&rejects).join("t.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("'two'", "22").replace("'three'", "33").replace("'six'", "66");
    std::fs::write(&file, text).unwrap();
    let again = [&data_only[..1], &["--only-rejects", &rejects, "--json"]].concat();
    let report = run(command(&source.path, &target.url, &again)).expect(1).json();
    assert_eq!(report["tables"][0]["merged"], merged(2, 2));
    assert_eq!(report["resent"], 2);
    let left = std::fs::read_to_string(&file).unwrap();
    assert_eq!(left.lines().count(), 3, "{left}");
    assert!(left.contains("Key (s)=(f) already exists"), "{left}");
    let rows = "SELECT string_agg(concat_ws(' ', id, n, s), '; ' ORDER BY id) FROM t";
    assert_eq!(target.one(rows), "1 10 a; 2 22 b; 3 33 c; 5 5 e; 7 0 f");
    run(verify(&source.path, &target.url)).expect(1).prints(&["2 rows rejected"]);
}

#[test]
fn bookkeeping_of_an_earlier_version_is_read_and_gets_the_columns() {
    let case = Case::new(
        USERS,
        "CREATE TABLE users (id int PRIMARY KEY, name text, score int); CREATE TABLE posts (id int PRIMARY KEY, \"user\" int)",
    );
    transfer::run(&case.options).unwrap();
    case.target.execute(
        "ALTER TABLE litelift.range DROP inserted, DROP updated, DROP kept, DROP hash_one, DROP hash_two, \
         DROP leaves, DROP hash_version",
    );
    run(verify(&case.source.path, &case.target.url)).expect(0);
    assert!(transfer::run(&case.options).unwrap().tables[0].merged.is_none());
    case.target.execute("DELETE FROM users WHERE id = 7");
    let mut case = case.on_existing(keep(&[]));
    case.options.restart = true;
    let report = case.merges();
    assert_eq!((counts(&report, "users"), counts(&report, "posts")), ((2, 1, 0, 2), (2, 0, 0, 2)));
}
