//! `--create-missing`: tables that the target lacks are made beside those that it has.

use litelift::error::ErrorKind;
use litelift::options::OnExisting;
use litelift::report::TransferReport;

use super::refusals::Case;
use super::target;
use crate::resume::process::{Running, run, transfer as command, verify};
use crate::support::fixture;
use crate::support::{pg, transfer};

/// `users` is the application's; `notes`, `tags` and `empty` are an add-on's.
const SOURCE: &str = "
    CREATE TABLE Users (Id INTEGER PRIMARY KEY, Uid TEXT UNIQUE, Name TEXT);
    INSERT INTO Users VALUES (1, '00112233-4455-6677-8899-aabbccddeeff', 'red'),
      (2, '10112233-4455-6677-8899-aabbccddeeff', 'blue');
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, user INT NOT NULL REFERENCES Users ON DELETE CASCADE,
      author TEXT REFERENCES Users (Uid), up INT REFERENCES notes, is_open BOOLEAN DEFAULT 1,
      text TEXT CHECK (length(text) < 100), UNIQUE (user, text));
    CREATE INDEX notes_text ON notes (text);
    INSERT INTO notes VALUES (3, 1, '10112233-4455-6677-8899-aabbccddeeff', NULL, 1, 'a'), (9, 2, NULL, 3, 0, 'b');
    CREATE TABLE tags (note INT REFERENCES notes, tag TEXT, PRIMARY KEY (note, tag)) WITHOUT ROWID;
    INSERT INTO tags VALUES (3, 'x'), (9, 'y');
    CREATE TABLE empty (a INT, b BLOB);
    CREATE VIEW of_add_on AS SELECT * FROM notes;";

const APP: &str = "
    CREATE TABLE users (id int PRIMARY KEY, uid uuid UNIQUE, name varchar(20));
    CREATE TABLE unrelated (id int REFERENCES users); CREATE INDEX ON users (name);";

impl Case {
    fn creating(self) -> Self {
        self.with(|asked| asked.create_missing = true)
    }

    /// Runs it, and expects every value, the application's own objects as before, and verify to agree.
    #[track_caller]
    fn creates(&self, left: &[&str]) -> TransferReport {
        let before = self.target.objects();
        let shown =
            transfer::dry_run(&self.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        assert_eq!(self.target.objects(), before, "a dry run changes nothing");
        let report = transfer::run(&self.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
        let made = shown.ddl.unwrap().before;
        for table in report.tables.iter().filter(|table| !is_apps(&before, &table.target)) {
            let create = format!("CREATE TABLE \"public\".\"{}\" (", table.target);
            assert!(made.iter().any(|sql| sql.starts_with(&create)), "{create} in {made:?}");
        }
        let after = self.target.objects();
        for object in &before {
            assert!(after.contains(object), "{object} is not in {after:#?}");
        }
        assert_eq!(report.not_as_before, []);
        assert_eq!(self.target.sequences_behind(), [""; 0]);
        let url = &self.target.database.url;
        transfer::compare_leaving(&self.source.path, url, &report, left).expect_same();
        run(verify(&self.source.path, &self.target.url)).expect(0);
        report
    }
}

fn is_apps(objects: &[String], table: &str) -> bool {
    objects.iter().any(|object| object.starts_with(&format!("column {table} ")))
}

fn made(case: &Case) -> Vec<String> {
    let all = case.target.objects();
    let of = |object: &String| ["notes", "tags", "empty"].iter().any(|name| object.contains(name));
    all.into_iter().filter(of).collect()
}

#[test]
fn tables_that_the_target_lacks_are_made_with_all_that_hangs_on_them() {
    let case = Case::new(SOURCE, APP)
        .refused(ErrorKind::TargetState, &["\"notes\" has 2 rows", "\"tags\"", "--create-missing"])
        .creating();
    let report = case.creates(&[]);
    assert!(report.refused.is_empty() && report.orphans.is_empty(), "{report:?}");
    let objects = made(&case).join("\n");
    for expected in [
        "column notes is_open boolean false",
        "column notes author uuid false",
        "column notes user bigint true",
        "column empty b bytea false",
        "constraint notes notes_pkey PRIMARY KEY (id) true",
        "constraint notes notes_user_fkey FOREIGN KEY (\"user\") REFERENCES users(id) ON DELETE CASCADE true",
        "constraint notes notes_author_fkey FOREIGN KEY (author) REFERENCES users(uid) true",
        "constraint notes notes_up_fkey FOREIGN KEY (up) REFERENCES notes(id) true",
        "constraint notes notes_user_text_key UNIQUE (\"user\", text) true",
        "constraint tags tags_pkey PRIMARY KEY (note, tag) true",
        "constraint tags tags_note_fkey FOREIGN KEY (note) REFERENCES notes(id) true",
        "CREATE INDEX notes_text ON public.notes",
        "CHECK ((length(text) < 100)) true",
    ] {
        assert!(objects.contains(expected), "no {expected} in\n{objects}");
    }
    // Its own numbers go on, its default holds, and no other table's was touched.
    let next =
        "INSERT INTO notes (\"user\", text) VALUES (1, 'c') RETURNING id || ' ' || is_open::text";
    // The first one was taken by the look at the sequences.
    assert_eq!(case.target.one(next), "11 true");
    assert_eq!(case.target.one("SELECT to_regclass('of_add_on') IS NULL"), "t");
    let told = report.notes.join("\n");
    assert!(told.contains("Table \"notes\" is made: the target has no such table."), "{told}");
    let own = "SELECT string_agg(target, ' ' ORDER BY target) FROM litelift.relation WHERE made";
    assert_eq!(case.target.one(own), "empty notes tags");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let case = Case::new(SOURCE, APP).creating();
    case.target.execute("CREATE VIEW notes AS SELECT 1 AS one; CREATE TYPE tags AS ENUM ('x')");
    let case = case.refused(
        ErrorKind::TargetState,
        &[
            "Table \"notes\" cannot be made: what the target has of that name is a view.",
            "Table \"tags\" cannot be made: what the target has of that name is a type,",
        ],
    );
    case.target.execute("DROP VIEW notes; DROP TYPE tags");
    // An index may take another name.
    case.target.execute("CREATE SEQUENCE notes_text; CREATE INDEX notes_pkey ON unrelated (id)");
    let report = case.creates(&[]);
    assert!(report.refused.is_empty(), "{report:?}");
    assert_eq!(case.target.one("SELECT relkind FROM pg_class WHERE relname = 'notes_text'"), "S");
}

#[test]
fn a_role_that_may_not_make_tables_is_told_what_to_grant() {
    target::role("litelift_test_maker");
    let mut case = Case::new(SOURCE, APP).creating();
    let database = case.target.database.name.clone();
    case.target.database.execute(&format!(
        "GRANT CREATE ON DATABASE \"{database}\" TO litelift_test_maker; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO litelift_test_maker"
    ));
    case.options.to = target::as_role(&case.target.database.url, "litelift_test_maker");
    case.refused(
        ErrorKind::TargetState,
        &[
            "may not make tables in schema \"public\"",
            "GRANT CREATE ON SCHEMA \"public\" TO \"litelift_test_maker\";",
        ],
    );
}

#[test]
fn a_foreign_key_that_the_target_cannot_have_is_named() {
    // The parent's columns are not unique there; and of other types.
    let app = "CREATE TABLE users (id text, uid uuid UNIQUE DEFERRABLE, name varchar(20))";
    let case = Case::new(SOURCE, app).creating();
    let report = case.creates(&["Users.Id"]);
    let left: Vec<(&str, &str)> =
        report.not_carried.iter().map(|left| (left.object.as_str(), left.name.as_str())).collect();
    assert_eq!(left, [("foreign key", "notes_user_fkey"), ("foreign key", "notes_author_fkey")]);
    assert!(report.not_carried[0].reason.contains("not unique"), "{:?}", report.not_carried);
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace";
    assert_eq!(case.target.one(keys), "2");
}

#[test]
fn rows_that_stay_and_tables_that_are_made_in_one_run() {
    let case = Case::new(SOURCE, APP)
        .creating()
        .with(|asked| asked.on_existing = vec![(None, OnExisting::Upsert(Vec::new()))]);
    case.target.execute("INSERT INTO users VALUES (2, NULL, 'navy')");
    let report = case.creates(&[]);
    let merged = report.tables[0].merged.unwrap();
    assert_eq!((merged.target_before, merged.merged.inserted, merged.merged.updated), (1, 1, 1));
    assert!(report.tables[1].merged.is_none());
    // Again: they are litelift's own, and only they are dropped.
    let mut case = case.with(|asked| asked.create_missing = false);
    case.options.restart = true;
    let error = transfer::run(&case.options).unwrap_err();
    assert!(
        pg::explain(&error).contains("\"notes\" has 2 rows, and the target has no such table"),
        "{}",
        pg::explain(&error)
    );
    assert_eq!(case.target.one("SELECT count(*) FROM notes"), "2");
    let case = case.creating();
    case.target.execute(
        "INSERT INTO users VALUES (7, NULL, 'new'); INSERT INTO notes VALUES (77, 7, NULL)",
    );
    let report = transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(report.tables[0].merged.unwrap().target_before, 3);
    assert_eq!(case.target.one("SELECT count(*) || ' ' || max(id) FROM notes"), "2 9");
    assert_eq!(case.target.one("SELECT count(*) FROM users"), "3");
    assert_eq!(
        case.target.one("SELECT count(*) FROM pg_constraint WHERE conname = 'notes_pkey'"),
        "1"
    );
}

#[test]
fn types_that_rules_make_are_made_and_dropped_with_the_tables() {
    let source = "CREATE TABLE users (id INTEGER PRIMARY KEY, mood TEXT); INSERT INTO users VALUES (1, 'fine');
        CREATE TABLE logs (id INTEGER PRIMARY KEY, kind TEXT, mood TEXT); INSERT INTO logs VALUES (1, 'add', 'fine');
        CREATE TRIGGER t AFTER INSERT ON logs BEGIN SELECT 1; END; CREATE TRIGGER u AFTER INSERT ON users BEGIN SELECT 1; END;";
    let app = "CREATE TYPE mood AS ENUM ('fine', 'bad'); CREATE TABLE users (id int PRIMARY KEY, mood mood)";
    let rules = "logs,kind,*,*,enum(kind),enum:keep,\n";
    let mut case = Case::new(source, app).creating().rules(rules);
    let report = case.creates(&["logs.kind", "users.mood"]);
    let left: Vec<&str> = report.not_carried.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["t"], "{:?}", report.not_carried);
    let types = "SELECT string_agg(typname, ' ' ORDER BY typname) FROM pg_type WHERE typtype = 'e'";
    assert_eq!(case.target.one(types), "kind mood");
    // Begun again, it is made again, under the same names; what somebody else calls so stands in the way.
    case.options.restart = true;
    case = case.with(|asked| asked.on_existing = vec![(None, OnExisting::Truncate)]);
    let shown = transfer::dry_run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    let shown = shown.ddl.unwrap();
    assert!(shown.before.iter().any(|sql| sql.starts_with("CREATE TYPE \"public\".\"kind\"")));
    assert!(shown.after.iter().any(|sql| sql.contains("ADD CONSTRAINT \"logs_pkey\"")));
    transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert_eq!(case.target.one("SELECT count(*) || ' ' || max(kind::text) FROM logs"), "1 add");
    let case = Case::new(source, app).creating().rules(rules);
    case.target.execute("CREATE TYPE kind AS ENUM ('theirs')");
    case.refused(ErrorKind::TargetState, &["type \"kind\" exists already"]);
}

#[test]
fn what_depends_on_a_table_that_was_made_keeps_it() {
    let mut case = Case::new(SOURCE, APP).creating();
    case.creates(&[]);
    case.target.execute("CREATE VIEW theirs AS SELECT * FROM notes; TRUNCATE users CASCADE");
    case.options.restart = true;
    let error = transfer::run(&case.options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TargetState);
    assert!(pg::explain(&error).contains("theirs"), "{}", pg::explain(&error));
    assert_eq!(case.target.one("SELECT to_regclass('tags') IS NOT NULL"), "t");
}

#[test]
fn killed_in_the_middle_it_goes_on_or_begins_again() {
    let source = fixture::from_sql(
        "app.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
         WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 26000)
         INSERT INTO users SELECT n, hex(randomblob(500)) FROM i;
         CREATE TABLE logs (id INTEGER PRIMARY KEY, user INT REFERENCES users, text TEXT);
         INSERT INTO logs SELECT id, id, name FROM users;",
    );
    let slow = "CREATE FUNCTION public.doze() RETURNS event_trigger LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM pg_sleep(0.3); END $$; \
        CREATE EVENT TRIGGER doze ON ddl_command_end WHEN TAG IN ('CREATE INDEX', 'ALTER TABLE') \
        EXECUTE FUNCTION public.doze()";
    for (ranges, restart) in [(1, false), (2, true), (4, false)] {
        let target = target::target(
            "CREATE TABLE users (id int PRIMARY KEY, name text); CREATE INDEX ON users (id, name text_pattern_ops)",
        );
        target.execute("CREATE TABLE theirs (id int); INSERT INTO theirs VALUES (1)");
        target.database.execute(slow);
        let more = ["--data-only", "--create-missing", "--quiet"];
        let count = "SELECT count(*) FROM litelift.range";
        let running = Running::start(command(&source.path, &target.url, &more))
            .until("the run has begun", || {
                target.one("SELECT to_regclass('litelift.range') IS NOT NULL") == "t"
            })
            .until("some ranges are there", || target.one(count).parse::<u32>().unwrap() >= ranges);
        assert!(running.kill());
        std::thread::sleep(std::time::Duration::from_millis(400));
        if restart {
            let more = [&more[..], &["--restart", "--on-existing", "truncate"]].concat();
            run(command(&source.path, &target.url, &more)).expect(0);
        } else {
            run(command(&source.path, &target.url, &more)).expect(0);
        }
        run(verify(&source.path, &target.url)).expect(0);
        let sums = "SELECT count(*) || ' ' || count(DISTINCT l.id) || ' ' || count(u.id) || ' ' || bool_and(u.name = l.text)::text \
            FROM logs l FULL JOIN users u ON u.id = l.user";
        assert_eq!(target.one(&sums.replace("l.user", "l.\"user\"")), "26000 26000 26000 true");
        let keys = "SELECT string_agg(conname || convalidated, ' ' ORDER BY conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace";
        assert_eq!(target.one(keys), "logs_pkeytrue logs_user_fkeytrue users_pkeytrue");
        assert_eq!(target.one("SELECT count(*) FROM theirs"), "1");
        assert_eq!(target.one("SELECT count(*) FROM pg_indexes WHERE tablename = 'users'"), "2");
    }
}
