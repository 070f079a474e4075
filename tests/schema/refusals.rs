//! Whatever the server refuses is told with its message, and nothing else is lost.
//!
//! Purpose: an event trigger plays the server that refuses: any statement that holds the word
//! `refuse_me`. So every phase is tried, without having to find what each version refuses by itself.

use super::refusal;
use crate::support::pg::{self, TestDb};
use crate::support::{fixture, transfer};

const SOURCE: &str = "
    CREATE TABLE refuse_me_parent (id INTEGER PRIMARY KEY, refuse_me_u TEXT UNIQUE, u TEXT UNIQUE);
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'refuse_me', b INT DEFAULT 7,
      c TEXT CONSTRAINT refuse_me_key UNIQUE, d TEXT UNIQUE, p INT,
      CONSTRAINT refuse_me_fk FOREIGN KEY (p) REFERENCES q (id),
      CONSTRAINT kept_fk FOREIGN KEY (p) REFERENCES q (id));
    CREATE TABLE q (id INTEGER PRIMARY KEY);
    CREATE INDEX refuse_me_index ON t (b);
    CREATE UNIQUE INDEX refuse_me_unique ON t (c, b);
    CREATE INDEX kept_index ON t (b DESC);
    INSERT INTO q VALUES (1); INSERT INTO t (a, p) VALUES ('x', 1), ('y', NULL);";

/// Makes the server refuse statements; tables themselves it makes.
fn refusing() -> TestDb {
    let database = pg::database();
    database.execute(
        "CREATE SCHEMA guard;
         CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN
           IF current_query() ~ 'refuse_me' AND current_query() !~ 'litelift\\.'
              AND current_query() !~ '^CREATE TABLE \"public\".\"refuse_me_parent\"' THEN
             RAISE EXCEPTION 'refused, as was to be tested' USING DETAIL = tg_tag;
           END IF;
         END $$;
         CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION guard.refuse();",
    );
    database
}

#[test]
fn refusals_of_every_phase_are_told_and_nothing_else_is_lost() {
    let source = fixture::from_sql("case.db", SOURCE);
    let database = refusing();
    let mut options = transfer::options(&source.path, &database.url);
    options.inspect.comments = true;
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    let told: Vec<String> = report
        .refused
        .iter()
        .map(|refused| {
            format!("{} {}.{}: {}", refused.object, refused.table, refused.name, refused.message)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    default t.a: refused, as was to be tested (ALTER TABLE)
    primary key refuse_me_parent.refuse_me_parent_pkey: refused, as was to be tested (ALTER TABLE)
    unique constraint refuse_me_parent.refuse_me_parent_refuse_me_u_key: refused, as was to be tested (ALTER TABLE)
    unique constraint refuse_me_parent.refuse_me_parent_u_key: refused, as was to be tested (ALTER TABLE)
    unique constraint t.refuse_me_key: refused, as was to be tested (ALTER TABLE)
    index t.refuse_me_index: refused, as was to be tested (CREATE INDEX)
    unique index t.refuse_me_unique: refused, as was to be tested (CREATE INDEX)
    foreign key t.refuse_me_fk: refused, as was to be tested (ALTER TABLE)
    comments refuse_me_parent.refuse_me_parent: refused, as was to be tested (COMMENT)
    comments t.t: refused, as was to be tested (COMMENT)
    ");
    assert!(report.refused.iter().all(|refused| refused.statement.contains("refuse_me")));
    assert_eq!(report.follow_ups.len(), report.refused.len() + report.not_carried.len());
    // The rest is there.
    let names = "SELECT string_agg(name, ' ' ORDER BY name COLLATE \"C\") FROM (SELECT conname::text AS name \
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' UNION ALL \
        SELECT indexrelid::regclass::text FROM pg_index x WHERE NOT EXISTS (SELECT FROM pg_constraint \
        WHERE conindid = indexrelid) AND indexrelid::regclass::text LIKE 'kept%') x";
    let names = database.query_one_text(names).unwrap();
    assert_eq!(names, "kept_fk kept_index q_pkey t_d_key t_pkey");
    assert_eq!(
        database.query_one_text("INSERT INTO t (d) VALUES ('z') RETURNING b").as_deref(),
        Some("7")
    );
    assert!(refusal(&database, "INSERT INTO t (p) VALUES (99)").is_some());
    // The second command tells the same.
    let again = transfer::run(&options).unwrap();
    assert_eq!(again.refused.len(), report.refused.len());
    assert_eq!(again.follow_ups.len(), report.follow_ups.len());
}

#[test]
fn a_table_that_the_server_refuses_stops_the_transfer_and_leaves_nothing() {
    let source = fixture::from_sql("case.db", "CREATE TABLE a (x); CREATE TABLE refuse_me (x);");
    let database = refusing();
    let error = transfer::run(&transfer::options(&source.path, &database.url)).unwrap_err();
    assert_eq!(error.kind().exit_code(), 4);
    assert!(error.to_string().contains("refuse_me"), "{error}");
    let count = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(database.query_one_text(count).as_deref(), Some("0"));
}
