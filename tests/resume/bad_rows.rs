//! Rows that do not fit a type which a rule holds fast: stopped before anything is written, left out
//! and written to files, or sent again.

use std::fs;
use std::path::Path;

use super::process::{Ended, Running, litelift, run, transfer, verify};
use super::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg;

/// A parent whose third row does not fit, a child that points to it, and a table without rowid with
/// every storage class in its bad rows.
const SQL: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY, n INT NOT NULL, code TEXT UNIQUE);
    INSERT INTO parent VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 70000, 'c'), (9, 'nine', 'd');
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent INT REFERENCES parent);
    INSERT INTO child VALUES (1, 1), (2, 3);
    CREATE TABLE \"odd/../name\" (k TEXT PRIMARY KEY, at TEXT, r REAL, b BLOB, t TEXT) WITHOUT ROWID;
    INSERT INTO \"odd/../name\" VALUES
      ('good', '2024-01-02', 1.5, x'00', 'plain'),
      ('it''s', 'yesterday', 9e999, x'00ff', 'with, comma \"and\" quotes
and a second line'),
      ('nul', 'soon', -0.0, NULL, CAST(x'61006200ff' AS TEXT));";

const MAP: &str = "table,column,declared,evidence,pg_type,convert,note
parent,n,*,*,smallint,plain or reject,it is one everywhere else
odd*,at,*,*,date,plain or reject,
";

struct Setting {
    source: Fixture,
    map: String,
    rejects: String,
}

fn setting(sql: &str, map: &str) -> Setting {
    let source = fixture::from_sql("bad.db", sql);
    let file = source.folder.path().join("mine.csv");
    fs::write(&file, map).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let rejects = path(&source.folder.path().join("rejects"));
    Setting { map: path(&file), rejects, source }
}

impl Setting {
    fn with_map(&self, url: &str, more: &[&str]) -> Ended {
        let mut all = vec!["--type-map", self.map.as_str()];
        all.extend(more);
        run(transfer(&self.source.path, url, &all))
    }

    fn reject(&self, url: &str, more: &[&str]) -> Ended {
        let mut all = vec!["--on-bad-row", "reject", "--rejects", self.rejects.as_str()];
        all.extend(more);
        self.with_map(url, &all)
    }

    fn resend(&self, url: &str) -> Ended {
        self.with_map(url, &["--only-rejects", self.rejects.as_str()])
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(Path::new(&self.rejects).join(name)).unwrap()
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.file(name);
        assert!(text.contains(from), "{text}");
        fs::write(Path::new(&self.rejects).join(name), text.replace(from, to)).unwrap();
    }
}

#[test]
fn nothing_is_written_unless_it_is_said_what_becomes_of_them() {
    let setting = setting(SQL, MAP);
    let target = pg::database();
    let ended = setting.with_map(&target.url, &[]).expect(1);
    ended.says(&[
        "error: 4 values do not fit a type that a rule holds fast; nothing was written",
        "\"parent\".\"n\" is smallint by rule",
        "mine.csv:2: 2 of its values do not fit",
        "70000 (rowid 3), 'nine' (rowid 9)",
        "A rule that holds every value: parent,n,*,*,text,plain,",
        "--on-bad-row reject --rejects DIR",
    ]);
    assert_eq!(
        state::one(
            &target.url,
            "select count(*) from pg_tables where schemaname in ('public', 'litelift')"
        ),
        "0"
    );
    let dry = setting.with_map(&target.url, &["--dry-run"]).expect(1);
    dry.says(&["4 values do not fit a type that a rule holds fast"]);
    setting
        .with_map(&target.url, &["--on-bad-row", "reject"])
        .expect(2)
        .says(&["needs --rejects DIR"]);
    setting
        .with_map(&target.url, &["--rejects", "x"])
        .expect(2)
        .says(&["needs --on-bad-row reject"]);
    setting
        .reject(&target.url, &["--max-rejects", "3"])
        .expect(1)
        .says(&["at least 4 rows do not fit, --max-rejects allows 3; nothing was written"]);
    assert_eq!(
        state::one(
            &target.url,
            "select count(*) from pg_tables where schemaname in ('public', 'litelift')"
        ),
        "0"
    );
}

#[test]
fn they_are_left_out_counted_and_written_down_without_loss() {
    let setting = setting(SQL, MAP);
    let target = pg::database();
    let url = &target.url;
    let ended = setting.reject(url, &["--json"]).expect(1);
    let report = ended.json();
    assert_eq!(report["tables"][0]["rows"], 2);
    assert_eq!(report["tables"][0]["rejected"], 2);
    assert_eq!(report["rejected"][0]["rows"], 2);
    assert_eq!(report["unfit"][0]["unfit"]["misfits"], 2);
    assert_eq!(report["orphans"][0]["rows"], 1);
    insta::assert_snapshot!(setting.file("parent.csv"), @r"
    _reject,_rowid,_column,_reason,id,n,code
    0.0,3,n,out of range,3,70000,'c'
    0.1,9,n,not an integer,9,'nine','d'
    ");
    insta::assert_snapshot!(setting.file("odd%2F..%2Fname.csv"), @r#"
    _reject,_rowid,_column,_reason,k,at,r,b,t
    0.0,,at,not a date,'it''s','yesterday',9e999,X'00ff',"'with, comma ""and"" quotes
    and a second line'"
    0.1,,at,not a date,'nul','soon',0.0,NULL,CAST(X'61006200ff' AS TEXT)
    "#);
    assert_eq!(state::one(url, "select string_agg(n::text, ' ' order by id) from parent"), "10 20");
    // The rows are still missing, whoever asks.
    let again = setting.reject(url, &[]).expect(1);
    let again = again.says(&["parent.csv is left as it is"]);
    again.prints(&["4 rows were rejected", "nothing was touched"]);
    run(verify(&setting.source.path, url)).expect(1).prints(&[
        "2 rows rejected",
        "differ by the 4 rows that the transfer rejected, and by nothing else",
    ]);
    setting.with_map(url, &[]).expect(1).prints(&["4 rows were rejected"]);
    // Files of rejected rows are not written over by another run.
    setting.reject(&pg::database().url, &[]).expect(2).says(&["holds \"parent.csv\" already"]);
}

#[test]
fn they_become_null_where_the_rule_says_so() {
    let map = MAP.replace("or reject", "or null");
    let setting = setting(SQL, &map);
    let target = pg::database();
    let ended = setting.with_map(&target.url, &["--json"]).expect(0);
    let notes = ended.json()["notes"].to_string();
    assert!(
        notes.contains("2 values do not fit smallint (out of range, not an integer)"),
        "{notes}"
    );
    assert!(
        notes.contains("; they become NULL.") && notes.contains("Declared NOT NULL"),
        "{notes}"
    );
    assert_eq!(
        state::one(
            &target.url,
            "select string_agg(coalesce(n::text, '-'), ' ' order by id) from parent"
        ),
        "10 20 - -"
    );
    setting.with_map(&pg::database().url, &["--strict"]).expect(1).says(&["do not fit smallint"]);
}

#[test]
fn they_are_sent_again_when_they_were_mended() {
    let setting = setting(SQL, MAP);
    let target = pg::database();
    let url = &target.url;
    setting.reject(url, &[]).expect(1);
    // One line is mended, one breaks a key that is there by now, one is no literal.
    setting.edit("parent.csv", "3,70000,'c'", "3,7000,'c'");
    setting.edit("parent.csv", "9,'nine','d'", "9,9,'a'");
    setting.edit("odd%2F..%2Fname.csv", "'yesterday'", "yesterday");
    let ended = setting.resend(url).expect(2);
    ended.says(&[
        "odd%2F..%2Fname.csv\" line 2: column \"at\" holds no literal",
        "Rows before it were sent.",
    ]);
    assert_eq!(
        state::one(url, "select string_agg(n::text, ' ' order by id) from parent"),
        "10 20 7000"
    );
    insta::assert_snapshot!(setting.file("parent.csv"), @r#"
    _reject,_rowid,_column,_reason,id,n,code
    0.1,9,,"duplicate key value violates unique constraint ""parent_code_key"" (Key (code)=(a) already exists)",9,9,'a'
    "#);
    setting.edit("odd%2F..%2Fname.csv", ",yesterday,", ",'2024-05-06',");
    setting.edit("odd%2F..%2Fname.csv", "CAST(X'61006200ff' AS TEXT)", "X'61006200ff'");
    let ended = setting.resend(url).expect(1);
    ended.prints(&["2 rows were rejected"]);
    // The foreign key had an orphan, whose parent has come.
    let validated = "select bool_and(convalidated)::text from pg_constraint where contype = 'f'";
    assert_eq!(state::one(url, validated), "true");
    setting.edit("parent.csv", "'a'", "'z'");
    setting.edit("odd%2F..%2Fname.csv", "'soon'", "NULL");
    let ended = setting.resend(url).expect(0);
    ended.prints(&["Sent 2 rows that run 1 had rejected"]);
    assert_eq!(fs::read_dir(&setting.rejects).unwrap().count(), 0);
    assert_eq!(
        state::one(url, "select string_agg(n::text, ' ' order by id) from parent"),
        "10 20 7000 9"
    );
    assert_eq!(
        state::one(url, "insert into parent (n, code) values (0, 'new') returning id::text"),
        "10"
    );
    state::one(url, "delete from parent where id = 10 returning 'gone'");
    assert_eq!(
        state::one(
            url,
            "select string_agg(k || ' ' || coalesce(at::text, '-') || ' ' || r || ' ' || b::text, ', ' order by k) from \"odd/../name\""
        ),
        "good 2024-01-02 1.5 \\x00, it's 2024-05-06 Infinity \\x00ff"
    );
    assert_eq!(
        state::one(url, "select t::text from \"odd/../name\" where k = 'nul'"),
        "\\x61006200ff"
    );
    run(verify(&setting.source.path, url)).expect(0);
    setting.reject(url, &[]).expect(0).prints(&["nothing was touched"]);
    let done = setting.reject(url, &["--json"]).expect(0);
    assert_eq!(done.json()["tables"][0]["rows"], 4);
    setting.resend(url).expect(2).says(&["holds no rejected rows"]);
}

/// However often it is killed: read = written + rejected, and the files are those of a quiet run.
#[test]
fn killed_while_it_leaves_rows_out_it_loses_and_doubles_none() {
    let setting = setting(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n, pad TEXT);
         WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 60000)
         INSERT INTO t SELECT i, CASE WHEN i % 7 = 0 THEN 'x' || i ELSE i END, hex(zeroblob(300)) FROM c;",
        "table,column,declared,evidence,pg_type,convert,note\nt,n,*,*,integer,plain or reject,\n",
    );
    let quiet = pg::database();
    setting.reject(&quiet.url, &["--quiet"]).expect(1);
    let expected = setting.file("t.csv");
    assert_eq!(expected.lines().count(), 1 + 60000 / 7);
    fs::remove_dir_all(&setting.rejects).unwrap();
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let arguments = [
        "--type-map",
        &setting.map,
        "--on-bad-row",
        "reject",
        "--rejects",
        &setting.rejects,
        "--quiet",
    ];
    for ranges in [1, 2] {
        let running = Running::start(transfer(&setting.source.path, url, &arguments))
            .until("a range is there", || state::ranges(url) >= ranges);
        assert!(running.kill());
    }
    target.execute(state::QUICK_COPIES);
    run(transfer(&setting.source.path, url, &arguments)).expect(1);
    assert_eq!(setting.file("t.csv"), expected);
    let sums = "select sum(rows) || ' ' || sum(rejected) from litelift.range";
    assert_eq!(state::one(url, sums), "51429 8571");
    assert_eq!(
        state::one(url, "select count(*) || ' ' || count(distinct id) from t"),
        "51429 51429"
    );
    // Killed while they are sent again, each arrives once.
    let text = expected.replace("'x", "").replace("','", ",'").replace("',", ",");
    fs::write(Path::new(&setting.rejects).join("t.csv"), text).unwrap();
    target.execute(
        "create function public.doze() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.0001); return new; end $$;
        create trigger doze before insert on t for each row execute function public.doze()",
    );
    let arguments = ["--type-map", &setting.map, "--only-rejects", &setting.rejects, "--quiet"];
    let running = Running::start(transfer(&setting.source.path, url, &arguments))
        .until("some are sent", || {
            state::one(url, "select (count(*) > 900)::text from litelift.resent") == "true"
        });
    assert!(running.kill());
    run(transfer(&setting.source.path, url, &arguments)).expect(0);
    assert_eq!(
        state::one(url, "select count(*) || ' ' || sum(n) from t"),
        format!("60000 {}", 60000_u64 * 60001 / 2)
    );
}

/// A row counts once, however many of its values do not fit; more than allowed stops the run, which
/// a higher number continues.
#[test]
fn more_than_allowed_stop_the_run() {
    let setting = setting(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'x', 2), (2, 1, 'y'), (3, 3, 3);",
        "table,column,declared,evidence,pg_type,convert,note\nt,*,*,*,integer,plain or reject,\n",
    );
    let target = pg::database();
    let ended = setting.reject(&target.url, &["--max-rejects", "1"]).expect(1);
    ended.says(&["error: more than 1 rows do not fit", "higher --max-rejects"]);
    setting
        .reject(&target.url, &["--max-rejects", "2"])
        .expect(1)
        .prints(&["2 rows were rejected"]);
    assert_eq!(state::one(&target.url, "select count(*) from t"), "1");
}

#[test]
fn a_rehearsal_leaves_them_out_too() {
    let setting = setting(SQL, MAP);
    let rehearse = |more: &[&str]| {
        let mut command = litelift(&["rehearse", "--type-map", &setting.map, "--from"]);
        command.arg(&setting.source.path).args(["--scratch-url", &pg::server_url()]).args(more);
        run(command)
    };
    rehearse(&[]).expect(1).says(&["nothing was written", "--on-bad-row reject --rejects DIR"]);
    let ended = rehearse(&["--on-bad-row", "reject", "--rejects", &setting.rejects]).expect(1);
    ended.prints(&["4 rows were rejected", "parent.csv"]);
    assert_eq!(setting.file("parent.csv").lines().count(), 3);
}

#[test]
fn they_are_sent_again_without_the_columns_that_postgresql_computes_now() {
    let setting = setting(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, twice INT AS (n * 2) STORED, s TEXT);
         INSERT INTO t (id, n, s) VALUES (1, 10, 'a'), (2, 70000, 'b');",
        "table,column,declared,evidence,pg_type,convert,note\nt,n,*,*,smallint,plain or reject,\n",
    );
    let database = pg::database();
    setting.reject(&database.url, &[]);
    setting.edit("t.csv", ",70000,", ",7,");
    let ended = setting.resend(&database.url);
    let rows = "select string_agg(concat_ws(' ', id, n, twice, s), ', ' order by id) from t";
    let generated = "select count(*)::text from pg_attribute where attrelid = 't'::regclass and attgenerated = 's'";
    assert_eq!(database.query_one_text(generated).as_deref(), Some("1"));
    assert_eq!(database.query_one_text(rows).as_deref(), Some("1 10 20 a, 2 7 14 b"), "{ended:?}");
}
