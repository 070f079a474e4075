//! What a role may not do is told with the GRANT that gives it the right, and that GRANT is enough.

use litelift::error::ErrorKind;
use litelift::options::{BadRows, OnExisting};

use super::refusals::Case;
use super::target;
use crate::support::{pg, transfer};

/// A role that owns nothing.
pub(super) const WRITER: &str = "litelift_test_writer";

/// Lets a case be run by the writer, to whom the bookkeeping is given and nothing else.
pub(super) fn as_writer(case: &mut Case) {
    as_role(case, WRITER);
    let writer = format!("CREATE SCHEMA litelift AUTHORIZATION {WRITER}");
    case.target.database.execute(&writer);
}

/// Lets a case be run by a role, to whom nothing is given.
pub(super) fn as_role(case: &mut Case, role: &str) {
    target::role(role);
    case.options.to = target::as_role(&case.target.database.url, role);
}

/// The statements in the hints of an error.
pub(super) fn grants(told: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in told.lines().filter(|line| line.starts_with("hint:")) {
        let begins = line.match_indices("GRANT ").map(|(at, _)| at);
        for begin in begins {
            let end = line[begin..].find(';').map_or(line.len(), |end| begin + end + 1);
            found.push(line[begin..end].to_owned());
        }
    }
    found
}

#[test]
fn each_grant_that_is_printed_is_the_one_that_was_missing() {
    let source = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
        INSERT INTO users VALUES (3, 'a'), (7, 'b');
        CREATE TABLE posts (id INTEGER PRIMARY KEY, by_user INT); INSERT INTO posts VALUES (1, 7);
        CREATE TABLE logs (line TEXT); INSERT INTO logs VALUES ('x');";
    let mut case = Case::new(
        source,
        "CREATE SCHEMA \"The app\"; CREATE SCHEMA counters; CREATE SEQUENCE counters.\"of posts\"; \
         CREATE TABLE \"The app\".users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text); \
         INSERT INTO \"The app\".users (name) VALUES ('seed'); \
         CREATE TABLE \"The app\".posts (id int DEFAULT nextval('counters.\"of posts\"') PRIMARY KEY, \
           by_user int REFERENCES \"The app\".users); \
         CREATE TABLE \"The app\".logs (id serial PRIMARY KEY, line text)",
    )
    .with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    as_role(&mut case, WRITER);
    case.options.inspect.into = "The app".to_owned();
    let mut given: Vec<String> = Vec::new();
    // Rights of one kind are one GRANT.
    let report = loop {
        let ran = transfer::run(&case.options);
        let error = match ran {
            Ok(report) => break report,
            Err(error) => error,
        };
        let told = pg::explain(&error);
        assert_eq!(error.kind(), ErrorKind::TargetState, "{told}");
        let dry = pg::explain(&transfer::dry_run(&case.options).unwrap_err());
        let first = |told: &str| grants(told).into_iter().next();
        assert_eq!(first(&dry), first(&told), "the dry run says the same");
        let grant = first(&told).unwrap_or_else(|| panic!("no GRANT in {told}"));
        assert!(!given.contains(&grant), "{grant} was given, and is asked for again:\n{told}");
        case.target.database.execute(&grant);
        given.push(grant);
        assert!(given.len() < 30, "{given:?}");
    };
    let database = quoted(&case.target.database.name);
    let given = given.join("\n").replace(&database, "DB").replace("\"litelift_test_writer\"", "W");
    insta::assert_snapshot!(given, @r#"
    GRANT USAGE ON SCHEMA "The app" TO W;
    GRANT CREATE ON DATABASE DB TO W;
    GRANT SELECT, INSERT ON "The app"."users", "The app"."posts", "The app"."logs" TO W;
    GRANT TRUNCATE ON "The app"."users", "The app"."posts" TO W;
    GRANT SELECT, UPDATE ON SEQUENCE "The app"."users_id_seq", "counters"."of posts" TO W;
    GRANT USAGE ON SCHEMA "counters" TO W;
    GRANT USAGE ON SEQUENCE "The app"."logs_id_seq" TO W;
    "#);
    assert_eq!(report.not_as_before, []);
    assert_eq!(case.target.sequences_behind(), [""; 0]);
    let url = &case.target.database.url;
    transfer::compare_all(&case.source.path, url, &report).expect_same();
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES (1, 'a'), (7, 'b');";

#[test]
fn schema_litelift_may_be_made_by_somebody_who_can() {
    let tables = "CREATE TABLE users (id serial PRIMARY KEY, name text)";
    let mut case = Case::new(USERS, tables);
    as_role(&mut case, WRITER);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT ON users TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    let made = format!("CREATE SCHEMA litelift AUTHORIZATION \"{WRITER}\";");
    let case = case.refused(
        ErrorKind::TargetState,
        &["may not create schema litelift", &made, "GRANT CREATE ON DATABASE"],
    );
    case.target.database.execute(&made);
    case.arrives(&[]);
    // Nobody else's.
    let owner = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'litelift'";
    assert_eq!(case.target.database.query_one_text(owner).as_deref(), Some(WRITER));
}

#[test]
fn a_schema_litelift_of_somebody_else_is_told() {
    let mut case = Case::new(USERS, "CREATE TABLE users (id serial PRIMARY KEY, name text)");
    as_role(&mut case, WRITER);
    case.target.execute(&format!(
        "CREATE SCHEMA litelift; GRANT SELECT, INSERT ON users TO {WRITER}; \
         GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    let error = transfer::run(&case.options).unwrap_err();
    let told = pg::explain(&error);
    assert!(told.contains("may not write to schema litelift of \"litelift_test_owner\""), "{told}");
    let grants = grants(&told);
    assert_eq!(grants, [format!("GRANT USAGE, CREATE ON SCHEMA litelift TO \"{WRITER}\";")]);
    case.target.database.execute(&grants[0]);
    case.arrives(&[]);
}

#[test]
fn rights_to_single_columns_are_enough() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, secret TEXT);
        INSERT INTO t VALUES (1, 'a', 'x'), (7, 'b', 'y');";
    let tables =
        "CREATE TABLE t (id serial PRIMARY KEY, name text, secret text DEFAULT 'none', own int)";
    let mut case = Case::new(source, tables);
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT INSERT (name), SELECT (name) ON t TO {WRITER}; GRANT SELECT, UPDATE ON t_id_seq TO {WRITER}"
    ));
    let mut case = case.skip("t.secret");
    for (says, grant) in [
        ("may not INSERT into column \"id\" of \"t\"", "INSERT (\"id\")"),
        ("may not SELECT from column \"id\" of \"t\"", "SELECT (\"id\")"),
    ] {
        let grant = format!("GRANT {grant} ON \"public\".\"t\" TO \"{WRITER}\";");
        case = case.refused(ErrorKind::TargetState, &[says, &grant]);
        case.target.database.execute(&grant);
    }
    case.arrives(&["t.secret"]);
    assert_eq!(case.target.one("SELECT string_agg(secret, ',') FROM t"), "none,none");
}

#[test]
fn triggers_of_another_role_must_be_allowed_to_run() {
    let mut case = Case::new(
        USERS,
        "CREATE TABLE users (id serial PRIMARY KEY, name text); CREATE TABLE seen (id int);
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS \
           $$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$;
         CREATE TRIGGER \"on Insert\" AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER for_updates BEFORE UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION fail();
         CREATE TRIGGER emptying BEFORE TRUNCATE ON users EXECUTE FUNCTION fail();
         CREATE TRIGGER off BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         CREATE TRIGGER replica BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();
         ALTER TABLE users DISABLE TRIGGER off; ALTER TABLE users ENABLE REPLICA TRIGGER replica;",
    );
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT, TRUNCATE ON users TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    let case = case
        .refused(
            ErrorKind::TargetState,
            &[
                "only its owner can switch its triggers off: \"on Insert\".",
                "--keep-trigger \"users.on Insert\"",
                "Connect as \"litelift_test_owner\"",
            ],
        )
        .with(|asked| asked.keep_triggers = vec!["on insert".into()]);
    case.arrives(&[]);
    assert_eq!(case.target.one("SELECT string_agg(id::text, ',') FROM seen"), "1,7");
    // That of TRUNCATE counts when there is one.
    case.target.database.execute("DROP SCHEMA litelift CASCADE; DELETE FROM seen");
    let mut case = case.with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    as_writer(&mut case);
    case.refused(ErrorKind::TargetState, &["\"emptying\""]);
}

#[test]
fn triggers_of_updates_count_where_rows_get_other_values() {
    let mut case = Case::new(
        USERS,
        "CREATE TABLE users (id serial PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'old');
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
         CREATE TRIGGER on_update BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fail();",
    )
    .with(|asked| asked.on_existing = vec![(None, OnExisting::Upsert(Vec::new()))]);
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT, UPDATE ON users TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    let case = case
        .refused(ErrorKind::TargetState, &["switch its triggers off: \"on_update\"."])
        .with(|asked| asked.on_existing = vec![(None, OnExisting::Keep(Vec::new()))]);
    transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(case.target.one("SELECT string_agg(name, ',' ORDER BY id) FROM users"), "old,b");
}

#[test]
fn a_member_of_the_owner_works_as_the_owner_or_is_told_how() {
    let tables = "CREATE TABLE users (id serial PRIMARY KEY, name text, boss int REFERENCES users);
        CREATE INDEX i ON users (name);
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
        CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail();";
    let mut case = Case::new(USERS, tables);
    as_role(&mut case, "litelift_test_heir");
    case.target.database.execute("GRANT litelift_test_owner TO litelift_test_heir");
    case.arrives(&[]);

    let mut case = Case::new(USERS, tables);
    as_role(&mut case, "litelift_test_guest");
    case.target.database.execute(
        "ALTER ROLE litelift_test_guest NOINHERIT; GRANT litelift_test_owner TO litelift_test_guest; \
         CREATE SCHEMA litelift AUTHORIZATION litelift_test_guest; \
         GRANT SELECT, INSERT ON users TO litelift_test_guest; \
         GRANT SELECT, UPDATE ON users_id_seq TO litelift_test_guest",
    );
    let options = "options=-c%20role%3Dlitelift_test_owner";
    let mut case = case.refused(
        ErrorKind::TargetState,
        &["is a member of \"litelift_test_owner\" but does not inherit", options],
    );
    case.target.database.execute("DROP SCHEMA litelift");
    let sign = if case.options.to.contains('?') { "&" } else { "?" };
    case.options.to.push_str(&format!("{sign}{options}"));
    case.arrives(&[]);
}

#[test]
fn row_level_security_of_another_role_is_told() {
    let mut case = Case::new(
        USERS,
        "CREATE TABLE users (id serial, name text); ALTER TABLE users ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY p ON users USING (true)",
    );
    let role = "litelift_test_secured";
    as_role(&mut case, role);
    case.target.execute(&format!(
        "CREATE SCHEMA litelift; ALTER SCHEMA litelift OWNER TO CURRENT_USER; \
         GRANT USAGE, CREATE ON SCHEMA litelift TO {role}; GRANT SELECT, INSERT ON users TO {role}; \
         GRANT SELECT, UPDATE ON users_id_seq TO {role}"
    ));
    let statement = format!("ALTER ROLE \"{role}\" BYPASSRLS;");
    let case = case.refused(
        ErrorKind::TargetState,
        &["Row level security of \"users\"", "its owner \"litelift_test_owner\"", &statement],
    );
    case.target.database.execute(&statement);
    case.arrives(&[]);
    case.target.database.execute(&format!("ALTER ROLE {role} NOBYPASSRLS"));
}

#[test]
fn partitions_and_identities_of_another_role_are_filled() {
    let source = "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (1), (2);
        CREATE TABLE log (id INTEGER PRIMARY KEY, at INT, user_id INT); INSERT INTO log VALUES (1, 5, 2), (2, 15, 1);";
    let mut case = Case::new(
        source,
        "CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
         CREATE TABLE log (id int, at int, user_id int REFERENCES users) PARTITION BY RANGE (at);
         CREATE TABLE log1 PARTITION OF log FOR VALUES FROM (0) TO (10);
         CREATE TABLE log2 PARTITION OF log FOR VALUES FROM (10) TO (20); CREATE INDEX i ON log (user_id);",
    );
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT ON users, log TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    case.arrives(&[]);
}

#[test]
fn a_view_in_the_place_of_a_table_is_told() {
    let source = format!("{USERS} CREATE TABLE posts (id INT); INSERT INTO posts VALUES (1);");
    let mut case = Case::new(
        &source,
        "CREATE TABLE users (id serial, name text); CREATE VIEW posts AS SELECT id FROM users",
    );
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT ON users, posts TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    case.refused(
        ErrorKind::TargetState,
        &["Table \"posts\" has 1 row, and what the target has of that name is a view"],
    );
}

/// Expects that the server refuses a row while it copies.
#[track_caller]
fn refused_while_copying(source: &str, target: &str, says: &[&str]) -> Case {
    let case = Case::new(source, target);
    transfer::dry_run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let error = transfer::run(&case.options).expect_err("the server must refuse a row");
    let told = pg::explain(&error);
    assert_eq!(error.kind(), ErrorKind::Differences, "{told}");
    let always = ["Nothing of this range of rows arrived", "--restart"];
    for text in says.iter().chain(&always) {
        assert!(told.contains(text), "no {text:?} in:\n{told}");
    }
    case
}

#[test]
fn a_row_that_breaks_a_check_is_named_and_the_run_goes_on_when_it_is_mended() {
    // Long before the end of the range, so that the server refuses while rows still come.
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, age INT, body TEXT);
        WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 20000)
        INSERT INTO t SELECT n * 3, n, hex(randomblob(200)) FROM i; UPDATE t SET age = -5 WHERE id = 30;
        CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (1);";
    let case = refused_while_copying(
        source,
        "CREATE TABLE t (id serial PRIMARY KEY, age int CONSTRAINT \"of age\" CHECK (age >= 0), body text); \
         CREATE TABLE other (id int PRIMARY KEY REFERENCES t); CREATE INDEX i ON t (age)",
        &[
            "table \"t\" refuses a row",
            "of age is: CHECK ((age >= 0))",
            "Failing row contains (30, -5,",
            "the row with rowid 30",
            "--skip \"t\"",
            "litelift restore-constraints",
        ],
    );
    case.target.execute("ALTER TABLE t DROP CONSTRAINT \"of age\"");
    let report = transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    let url = &case.target.database.url;
    transfer::compare_all(&case.source.path, url, &report).expect_same();
}

#[test]
fn what_else_only_the_server_can_tell_is_named() {
    let uuid = "550e8400-e29b-41d4-a716-44665544000";
    refused_while_copying(
        &format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT); INSERT INTO t VALUES (4, '{uuid}A'), (5, '{uuid}b'), (6, '{uuid}a')"
        ),
        "CREATE TABLE t (id serial PRIMARY KEY, u uuid); CREATE UNIQUE INDEX \"one u\" ON t (u)",
        &[
            "\"one u\"",
            &format!("Key (u)=({uuid}a) already exists."),
            "one u is: CREATE UNIQUE INDEX \"one u\" ON public.t USING btree (u)",
            "the row with rowid 6",
        ],
    );
    refused_while_copying(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, room INT, d INT); INSERT INTO t VALUES (1, 5, 6), (2, 5, 6)",
        "CREATE TABLE t (id serial PRIMARY KEY, room int, d int, EXCLUDE USING btree (room WITH =))",
        &[
            "t_room_excl is: EXCLUDE USING btree (room WITH =)",
            "Key (room)=(5) conflicts",
            "rowid 2",
        ],
    );
    refused_while_copying(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, y INT); INSERT INTO t VALUES (1, 1999), (2, 1800)",
        "CREATE DOMAIN year AS int CONSTRAINT recent CHECK (VALUE > 1900); CREATE TABLE t (id serial PRIMARY KEY, y year)",
        &["recent is: CHECK ((VALUE > 1900))", "the row with rowid 2"],
    );
    refused_while_copying(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at INT); INSERT INTO t VALUES (1, 5), (2, 25)",
        "CREATE TABLE t (id serial, at int) PARTITION BY RANGE (at); \
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
        &["no partition of relation", "the row with rowid 2"],
    );
    // What a constraint that waits finds out, it finds out at the end.
    refused_while_copying(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT); INSERT INTO t VALUES (4, '0001'), (5, '1')",
        "CREATE TABLE t (id serial PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
        &["Key (u)=(1) already exists.", "t_u_key is: UNIQUE (u) DEFERRABLE INITIALLY DEFERRED"],
    );
}

/// A child that points to a parent, run by the writer.
fn parent_and_child(source: &str, parent: &str, child: &str) -> Case {
    let tables = format!(
        "CREATE TABLE p (id {parent} PRIMARY KEY); CREATE TABLE c (id serial PRIMARY KEY, p {child} REFERENCES p)"
    );
    let mut case = Case::new(source, &tables);
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT ON p, c TO {WRITER}; GRANT SELECT, UPDATE ON c_id_seq TO {WRITER}"
    ));
    case
}

#[test]
fn a_parent_that_is_missing_is_told_where_the_key_stays() {
    let source = "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1);
         CREATE TABLE c (id INTEGER PRIMARY KEY, p INT); INSERT INTO c VALUES (5, 1), (6, 77), (7, NULL), (8, 77);";
    let case = parent_and_child(source, "int", "bigint").refused(
        ErrorKind::Differences,
        &[
            "2 rows break keys of the target; nothing was written",
            "Table \"c\" has 2 rows without a parent in \"p\", which \"c_p_fkey\" of the target \
             (FOREIGN KEY (p) REFERENCES public.p(id)) wants: (p) = (77), ...",
            "connect as the owner",
        ],
    );
    transfer::run(&case.skip("c").options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    // Texts that differ only by their case have the same parent where the target says so.
    let source = "CREATE TABLE p (id TEXT PRIMARY KEY); INSERT INTO p VALUES ('a');
         CREATE TABLE c (id INTEGER PRIMARY KEY, p TEXT); INSERT INTO c VALUES (5, 'A'), (6, 'a');";
    parent_and_child(source, "text", "text")
        .refused(ErrorKind::Differences, &["1 row without a parent", "('A')."]);
    let case = parent_and_child(source, "text", "text");
    case.target.database.execute(
        "CREATE EXTENSION citext; ALTER TABLE c DROP CONSTRAINT c_p_fkey; ALTER TABLE p ALTER id TYPE citext; \
         ALTER TABLE c ALTER p TYPE citext, ADD FOREIGN KEY (p) REFERENCES p",
    );
    case.arrives(&[]);
}

#[test]
fn a_parent_that_only_the_server_can_miss_is_named_by_it() {
    let source = "CREATE TABLE p (id TEXT PRIMARY KEY); INSERT INTO p VALUES ('550e8400-e29b-41d4-a716-446655440000');
         CREATE TABLE c (id INTEGER PRIMARY KEY, p TEXT); INSERT INTO c VALUES (5, '650e8400-e29b-41d4-a716-446655440000');";
    let case = parent_and_child(source, "uuid", "uuid");
    let error = transfer::run(&case.options).unwrap_err();
    let told = pg::explain(&error);
    assert_eq!(error.kind(), ErrorKind::Differences, "{told}");
    for text in [
        "table \"c\" refuses a row",
        "Key (p)=(650e8400-e29b-41d4-a716-446655440000) is not present in table \"p\"",
        "c_p_fkey is: FOREIGN KEY (p) REFERENCES public.p(id)",
        "the source lacks it too",
    ] {
        assert!(told.contains(text), "no {text:?} in:\n{told}");
    }
}

#[test]
fn code_that_a_role_may_not_run_is_told() {
    let mut case = Case::new(
        USERS,
        "CREATE FUNCTION fine(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
         CREATE TABLE users (id serial PRIMARY KEY, name text CHECK (fine(name)));
         REVOKE EXECUTE ON FUNCTION fine(text) FROM PUBLIC",
    );
    as_writer(&mut case);
    case.target.execute(&format!(
        "GRANT SELECT, INSERT ON users TO {WRITER}; GRANT SELECT, UPDATE ON users_id_seq TO {WRITER}"
    ));
    let error = transfer::run(&case.options).unwrap_err();
    let told = pg::explain(&error);
    assert_eq!(error.kind(), ErrorKind::Target, "{told}");
    assert!(told.contains("permission denied for function fine"), "{told}");
    assert!(told.contains("no right to") && !told.contains("needs CREATE"), "{told}");
    case.target.execute(&format!("GRANT EXECUTE ON FUNCTION fine(text) TO {WRITER}"));
    // The run goes on.
    transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
}

#[test]
fn rows_that_share_a_key_are_told_before_anything_is_written() {
    let source = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, nick TEXT COLLATE NOCASE UNIQUE, a, b);
        INSERT INTO users VALUES (1, 'x@y', 'n', 1, 'p'), (2, 'x@y', 'N2', 1.0, 'p'), (3, 'X@y', NULL, 1, 'q'),
          (4, NULL, NULL, NULL, 'p'), (5, NULL, 'o', NULL, 'p'), (6, 'x@y', 'r', 3, 's');
        CREATE TABLE tags (t TEXT, k INT); INSERT INTO tags VALUES ('a', 1), ('a', 1), ('b', 2), ('b', 2), ('A', 1);";
    let tables = "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, nick text UNIQUE, a numeric, b text); \
        CREATE UNIQUE INDEX \"a and b\" ON users (a, b) INCLUDE (nick); \
        CREATE TABLE tags (t text, k int, PRIMARY KEY (t, k))";
    let case = Case::new(source, tables).refused(
        ErrorKind::Differences,
        &[
            "9 rows break keys of the target; nothing was written",
            "Table \"users\" has 1 key in 3 rows that \"users_email_key\" of the target (UNIQUE (email)) allows once: (email) = ('x@y').",
            "Table \"users\" has 1 key in 2 rows that \"a and b\"",
            "(a, b) = (1, 'p').",
            "Table \"tags\" has 2 keys in 4 rows",
            "('a', 1), ('b', 2).",
        ],
    );
    // To a text 1 and 1.0 are two; without the keys all arrives.
    case.target.execute(
        "ALTER TABLE users ALTER a TYPE text, DROP CONSTRAINT users_email_key; ALTER TABLE tags DROP CONSTRAINT tags_pkey",
    );
    case.arrives(&[]);
}

#[test]
fn values_and_keys_that_do_not_fit_are_told_together() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, n, u TEXT); INSERT INTO t VALUES (1, 'no', 'a'), (2, 5, 'a');";
    Case::new(source, "CREATE TABLE t (id serial PRIMARY KEY, n int, u text UNIQUE)").refused(
        ErrorKind::Differences,
        &["\"t\".\"n\" is integer in the target", "And 2 rows break keys", "(u) = ('a')."],
    );
}

#[test]
fn two_nulls_are_the_same_where_the_target_says_so() {
    if pg::query_text(
        &pg::server_url(),
        "SELECT current_setting('server_version_num')::int < 150000",
    ) == [Some("t".to_owned())]
    {
        // NULLS NOT DISTINCT came with PostgreSQL 15.
        return;
    }
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE); INSERT INTO t VALUES (1, NULL), (2, NULL);";
    Case::new(source, "CREATE TABLE t (id serial PRIMARY KEY, u text UNIQUE NULLS NOT DISTINCT)")
        .refused(ErrorKind::Differences, &["(u) = (NULL)"]);
    Case::new(source, "CREATE TABLE t (id serial PRIMARY KEY, u text UNIQUE)").arrives(&[]);
}

#[test]
fn keys_of_rows_that_are_left_out_do_not_count() {
    let source = "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, n); INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 'no number');";
    let case = Case::new(source, "CREATE TABLE t (id serial PRIMARY KEY, u text UNIQUE, n int)");
    let mut options = case.options.clone();
    let dir = tempfile::tempdir().unwrap();
    options.bad_rows = BadRows::Reject { dir: dir.path().join("rejects"), rows_max: None };
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(report.rejected_rows(), 1);
    assert_eq!(case.target.one("SELECT string_agg(id || u, ',') FROM t"), "1a");
}
