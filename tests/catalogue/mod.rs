//! What the target's catalogue says after a transfer: keys, indexes, foreign keys, sequences.

mod round_trip;

use litelift::event::{Cancel, Listener, Silent};
use std::sync::Arc;

use crate::support::fixture;
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

/// Constraints and indexes of schema public, as PostgreSQL prints them.
const OBJECTS: &str = "
    select line from (
      select c.conrelid::regclass::text || ' ' || c.conname || ': ' ||
             pg_get_constraintdef(c.oid) as line,
             c.conrelid::regclass::text as t, 0 as o
      from pg_constraint c join pg_namespace n on n.oid = c.connamespace
      where n.nspname = 'public' and c.conrelid <> 0
      union all
      select i.indrelid::regclass::text || ' ' || pg_get_indexdef(i.indexrelid), i.indrelid::regclass::text, 1
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u'))
    ) x order by t, o, line";

fn lines(database: &TestDb, sql: &str) -> String {
    database.query_text(sql).into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn transferred(sql: &str) -> (TestDb, litelift::report::TransferReport) {
    let source = fixture::from_sql("case", sql);
    let database = pg::database();
    let report = transfer::run(&transfer::options(&source.path, &database.url))
        .unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    (database, report)
}

#[test]
fn keys_and_foreign_keys_are_those_of_the_source() {
    let (database, report) = transferred(
        "CREATE TABLE a (x INTEGER PRIMARY KEY, self INT REFERENCES a, u TEXT UNIQUE, UNIQUE (self, u));
         CREATE TABLE b (p INT, q TEXT, ax REFERENCES A (X) ON DELETE CASCADE ON UPDATE SET NULL, PRIMARY KEY (q, p));
         CREATE TABLE c (p INT, q TEXT, CONSTRAINT to_b FOREIGN KEY (q, p) REFERENCES b DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE gone (x REFERENCES nowhere (y), z REFERENCES a (self));
         CREATE INDEX b_ax ON b (ax DESC, p);
         CREATE UNIQUE INDEX c_u ON c (p);
         INSERT INTO a VALUES (1, NULL, 'a'), (5, 1, 'b');
         INSERT INTO b VALUES (1, 'x', 5), (2, 'x', NULL);
         INSERT INTO c VALUES (1, 'x');",
    );
    insta::assert_snapshot!(lines(&database, OBJECTS), @r"
    a a_pkey: PRIMARY KEY (x)
    a a_self_fkey: FOREIGN KEY (self) REFERENCES a(x)
    a a_self_u_key: UNIQUE (self, u)
    a a_u_key: UNIQUE (u)
    b b_ax_fkey: FOREIGN KEY (ax) REFERENCES a(x) ON UPDATE SET NULL ON DELETE CASCADE
    b b_pkey: PRIMARY KEY (q, p)
    b CREATE INDEX b_ax ON public.b USING btree (ax DESC, p)
    c to_b: FOREIGN KEY (q, p) REFERENCES b(q, p) DEFERRABLE INITIALLY DEFERRED
    c CREATE UNIQUE INDEX c_u ON public.c USING btree (p)
    ");
    let left: Vec<String> = report
        .not_carried
        .iter()
        .map(|left| format!("{} {:?} {}: {}", left.object, left.table, left.name, left.reason))
        .collect();
    insta::assert_snapshot!(left.join("\n"), @r#"
    foreign key Some("gone") gone_x_fkey: there is no table "nowhere"
    foreign key Some("gone") gone_z_fkey: the columns that it points to in "a" are not unique
    "#);
}

#[test]
fn orphans_are_kept_not_valid_and_counted() {
    let (database, report) = transferred(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER PRIMARY KEY, parent INT REFERENCES parent);
         INSERT INTO parent VALUES (1);
         INSERT INTO child VALUES (1, 1), (2, 7), (3, 8), (4, NULL);",
    );
    let orphans = &report.orphans[0];
    assert_eq!((orphans.table.as_str(), orphans.rows), ("child", 2));
    assert_eq!(
        lines(
            &database,
            "select convalidated::text from pg_constraint where contype = 'f' and conrelid = 'child'::regclass"
        ),
        "false"
    );
    // New rows are checked all the same.
    let refused = pg::blocking(async {
        let client = database.client().await;
        client.batch_execute("insert into child (parent) values (99)").await
    });
    assert!(refused.is_err());
}

#[test]
fn the_next_id_is_beyond_every_id_that_sqlite_gave_out() {
    let (database, report) = transferred(
        "CREATE TABLE plain (id INTEGER PRIMARY KEY, v);
         CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
         CREATE TABLE empty (id INTEGER PRIMARY KEY, v);
         CREATE TABLE negative (id INTEGER PRIMARY KEY, v);
         CREATE TABLE full (id INTEGER PRIMARY KEY, v);
         CREATE TABLE no_alias (id INT PRIMARY KEY, v);
         INSERT INTO plain VALUES (41, 1);
         INSERT INTO auto VALUES (70, 1), (7, 2); DELETE FROM auto WHERE id = 70;
         INSERT INTO negative VALUES (-5, 1);
         INSERT INTO full VALUES (9223372036854775807, 1);
         INSERT INTO no_alias VALUES (3, 1);",
    );
    let next: Vec<Option<i64>> = report.tables.iter().map(|table| table.identity_next).collect();
    assert_eq!(next, [Some(42), Some(71), Some(1), Some(1), Some(i64::MAX), None]);
    for (table, id) in [("plain", "42"), ("auto", "71"), ("empty", "1"), ("negative", "1")] {
        let sql = format!("insert into \"{table}\" (v) values (null) returning id");
        assert_eq!(database.query_one_text(&sql).as_deref(), Some(id), "{table}");
    }
}

#[test]
fn names_that_postgresql_makes_do_not_meet_those_of_the_source() {
    let (database, report) = transferred(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE);
         CREATE TABLE t_id_seq (x INT);
         CREATE TABLE t_a_key (x INT);
         CREATE INDEX t_pkey ON t (a);
         CREATE TABLE \"\"\"; DROP TABLE t; --\" (\"x\"\"y\" INTEGER PRIMARY KEY, \"select\" TEXT, \"\" INT, xmin INT);
         INSERT INTO t VALUES (1, 'a');
         INSERT INTO \"\"\"; DROP TABLE t; --\" VALUES (1, 's', 2, 3);",
    );
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    assert_eq!(database.query_one_text("select count(*) from t").as_deref(), Some("1"));
}

#[test]
fn a_null_in_a_primary_key_makes_it_unique() {
    let (database, report) = transferred(
        "CREATE TABLE t (k TEXT PRIMARY KEY, v INT);
         INSERT INTO t VALUES (NULL, 1), (NULL, 2), ('a', 3);",
    );
    assert!(lines(&database, OBJECTS).contains("UNIQUE (k)"));
    let left = &report.not_carried[0];
    assert_eq!(
        (left.object.as_str(), left.reason.as_str()),
        ("primary key", "2 of its values are NULL, so it becomes UNIQUE")
    );
}

#[test]
fn both_ends_of_a_foreign_key_have_one_type() {
    let (database, report) = transferred(
        "CREATE TABLE parent (id TEXT PRIMARY KEY);
         CREATE TABLE child (parent INTEGER REFERENCES parent (id));
         INSERT INTO parent VALUES ('1'), ('x');
         INSERT INTO child VALUES (1), ('x');",
    );
    assert!(report.refused.is_empty() && report.orphans.is_empty(), "{report:?}");
    assert_eq!(
        lines(
            &database,
            "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'child'::regclass and attnum > 0"
        ),
        "text"
    );
}

#[test]
fn what_sqlite_text_says_is_never_run() {
    // A canary that every hostile text tries to drop.
    let hostile = "'); DROP TABLE canary; --";
    let quoted = hostile.replace('\'', "''");
    let (database, _) = transferred(&format!(
        "CREATE TABLE canary (id INTEGER PRIMARY KEY);
         CREATE TABLE t (a TEXT DEFAULT '{quoted}', b INT DEFAULT (1 + 1), \"{hostile}\" TEXT CHECK (\"{hostile}\" <> '{quoted}'));
         CREATE INDEX \"i{hostile}\" ON t (a);
         CREATE VIEW v AS SELECT '{quoted}' AS x;
         INSERT INTO t (a) VALUES ('{quoted}');",
    ));
    assert_eq!(database.query_one_text("select count(*) from canary").as_deref(), Some("0"));
    assert_eq!(
        database.query_one_text("insert into t (b) values (1) returning a").as_deref(),
        Some(hostile)
    );
}

#[test]
fn a_dry_run_says_what_the_real_run_does_and_writes_nothing() {
    let shop = fixture::shop();
    let database = pg::database();
    let options = transfer::options(&shop.path, &database.url);
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dry = runtime
        .block_on(litelift::transfer::dry_run(&options, &listener, &Cancel::default()))
        .and_then(litelift::transfer::DryRun::accepted)
        .unwrap();
    let untouched = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'litelift')";
    assert_eq!(database.query_one_text(untouched).as_deref(), Some("0"));
    let report = transfer::run(&options).unwrap();
    assert_eq!(dry.not_carried, report.not_carried);
    let plan = database.query_one_text("select plan from litelift.run").unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let of = |list: &str, field: &str| -> Vec<String> {
        let items = plan[list].as_array().unwrap().iter();
        items.map(|item| item[field].as_str().unwrap().to_owned()).collect()
    };
    let ddl = dry.ddl.unwrap();
    assert_eq!(ddl.before, of("tables", "create"));
    assert_eq!(ddl.after, of("finish", "sql"));
}
