//! The 79 cases of `tests/cases/ddl_cases.json`: made in SQLite, transferred, probed in PostgreSQL.
//!
//! Purpose: each case is a schema with the PostgreSQL schema that was expected of it when the cases
//! were collected, and statements that both sides must take or refuse. What the target has must be the
//! expected schema, or stand in [`DELIBERATE`] with the reason, or in [`WAITING`].

use litelift::model::name_style::NameStyle;
use rusqlite::Connection;

use crate::support::catalogue::{self, Names};
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

/// A case as it was collected.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    sqlite_ddl: Vec<String>,
    #[serde(default)]
    sqlite_accepts: Vec<String>,
    #[serde(default)]
    sqlite_rejects: Vec<String>,
    expect_pg_ddl: Vec<String>,
    #[serde(default)]
    pg_accepts: Vec<String>,
    #[serde(default)]
    pg_rejects: Vec<String>,
}

/// Cases with an expression that nothing translates yet: taken off the list when it is.
const WAITING: &[&str] = &[
    "default expr",
    "default timestamps",
    "default iso with millis",
    "default uuid expression",
    "default uuid v4 spelled out",
    "pocketbase id default",
    "blob default",
    "check simple",
    "check enum",
    "check functions",
    "check regexp",
    "check date",
    "partial index boolean",
    "partial index not null",
    "expression index",
    "expression index on date",
    "generated virtual",
    "generated from json",
    "generated referring to generated",
    "generated non-immutable",
    "view simple",
    "view with quirks",
    "multiple inline constraints",
    "check double-quoted string",
];

/// Cases in which the target is not what was expected, on purpose: name, reason, and exactly what
/// (`-` expected, `+` there).
const DELIBERATE: &[(&str, &str, &[&str])] = &[
    (
        "rowid alias",
        "an identity takes no NULL for a number of its own: INSERT without the column does it",
        &[
            "only SQLite takes INSERT INTO t VALUES(NULL,'x'): null value in column \"id\" of relation \"t\" violates not-null constraint",
        ],
    ),
    (
        "int pk is not a rowid alias",
        "a primary key takes no NULL; where the rows have one it becomes UNIQUE",
        &[
            "only SQLite takes INSERT INTO t(a) VALUES('x'): null value in column \"id\" of relation \"t\" violates not-null constraint",
        ],
    ),
    (
        "integer primary key desc",
        "a primary key takes no NULL; where the rows have one it becomes UNIQUE",
        &[
            "only SQLite takes INSERT INTO t(a) VALUES('x'): null value in column \"id\" of relation \"t\" violates not-null constraint",
        ],
    ),
    (
        "text primary key nullable",
        "a primary key takes no NULL; where the rows have one it becomes UNIQUE",
        &[
            "only SQLite takes INSERT INTO t(v) VALUES('a'): null value in column \"k\" of relation \"t\" violates not-null constraint",
            "only SQLite takes INSERT INTO t(v) VALUES('b'): null value in column \"k\" of relation \"t\" violates not-null constraint",
        ],
    ),
    (
        "63-byte names",
        "the hash in the expected names was for illustration",
        &[
            "- column t.1 a_very_long_column_name_that_goes_on_and_on_past_the_l_68b0a1 text",
            "- column t.2 a_very_long_column_name_that_goes_on_and_on_past_the_l_77c6f2 text",
            "+ column t.1 a_very_long_column_name_that_goes_on_and_on_past_the_lim_e43f05 text",
            "+ column t.2 a_very_long_column_name_that_goes_on_and_on_past_the_lim_3d256f text",
        ],
    ),
    (
        "defaults numeric",
        "the same value",
        &[
            "- column t.2 b double precision DEFAULT 0.0015",
            "+ column t.2 b double precision DEFAULT '0.0015'::double precision",
        ],
    ),
    (
        "nocase column",
        "citext folds by locale and is no part of the server itself; the index folds as SQLite does",
        &[
            "- column t.1 email citext",
            "- column t.2 name citext",
            "- constraint t UNIQUE (email)",
            "+ column t.1 email text",
            "+ column t.2 name text",
            "+ index t UNIQUE  USING btree (lower((email COLLATE \"C\")))",
        ],
    ),
    (
        "nocase icu collation",
        "a nondeterministic collation takes no LIKE before PostgreSQL 18",
        &[
            "- constraint t UNIQUE (email)",
            "+ index t UNIQUE  USING btree (lower((email COLLATE \"C\")))",
        ],
    ),
    (
        "create table as",
        "a column without a type is what its values are; this one has none",
        &["- column t.3 one bigint", "+ column t.3 one text"],
    ),
    (
        "weird type names",
        "every integer that SQLite can hold fits bigint, and smaller ones are for rules to ask for",
        &[
            "- column t.1 a numeric(20,0)",
            "- column t.6 f integer",
            "- column t.8 h smallint",
            "+ column t.1 a bigint",
            "+ column t.6 f bigint",
            "+ column t.8 h bigint",
        ],
    ),
    (
        "varchar length not enforced",
        "without rows nothing is too long; with the row below the column becomes text",
        &[
            "- column t.1 a text",
            "+ column t.1 a character varying(5)",
            "only SQLite takes INSERT INTO t VALUES('toolongvalue'): value too long for type character varying(5)",
            "refuses INSERT INTO t VALUES('toolongvalue'): value too long for type character varying(5)",
        ],
    ),
    (
        "datetime columns",
        "what the values are decides, and there are none",
        &[
            "- column t.2 b timestamp with time zone",
            "- column t.5 e bigint",
            "+ column t.2 b timestamp without time zone",
            "+ column t.5 e timestamp without time zone",
        ],
    ),
    (
        "fts5 and shadow tables",
        "a full-text index is proposed in the follow-ups, not made",
        &["- index doc  USING gin (to_tsvector('simple'::regconfig, COALESCE(body, ''::text)))"],
    ),
    (
        "comments in ddl",
        "comments of the text are not carried; --comments keeps the declared type",
        &[
            "- column t.1 id bigint NOT NULL IDENTITY d COMMENT the key, really",
            "+ column t.1 id bigint NOT NULL IDENTITY d",
        ],
    ),
    (
        "empty identifier",
        "a name of the same kind",
        &["- column t.1 col_1 text", "+ column t.1 unnamed text"],
    ),
];

/// A table that PostgreSQL cannot have.
const TOO_WIDE: &str = "more than 1600 columns";

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../cases/ddl_cases.json")).unwrap()
}

/// Makes the database of a case. SQLite makes no CHECK with a function that it does not have, but
/// reads one, as here the REGEXP of some application.
fn build(case: &Case, path: &std::path::Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let sql = case.sqlite_ddl.join(";\n");
    connection.execute_batch(&sql.replace(" REGEXP ", " LIKE ")).unwrap();
    if sql.contains(" REGEXP ") {
        connection
            .execute_batch(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = replace(sql, ' LIKE ', ' REGEXP ');
                 PRAGMA writable_schema = RESET;",
            )
            .unwrap();
    }
}

/// Transfers the database of a case into one of its own.
fn moved(case: &Case, path: &std::path::Path) -> Result<TestDb, String> {
    let database = pg::database();
    let mut options = transfer::options(path, &database.url);
    options.inspect.names = match case.name.as_str() {
        "mixed case lower" => NameStyle::Lower,
        "mixed case snake" => NameStyle::Snake,
        _ => NameStyle::Keep,
    };
    let report = transfer::run(&options).map_err(|error| pg::explain(&error))?;
    let refused = report.refused.iter().map(|refused| refused.message.as_str());
    if let Some(message) = refused.into_iter().next() {
        return Err(format!("refused: {message}"));
    }
    let compared = transfer::compare_all(path, &database.url, &report);
    if compared.same() { Ok(database) } else { Err(compared.listed()) }
}

/// Everything in which the target of a case is not as expected.
fn complaints(case: &Case, expected: &TestDb) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.db");
    build(case, &path);
    let database = match moved(case, &path) {
        Ok(database) => database,
        Err(why) => return vec![why],
    };
    let wanted = catalogue::lines_of(&expected.url, &case.expect_pg_ddl, Names::NotOfKeys);
    let found = catalogue::lines(&database.url, Names::NotOfKeys);
    let mut complaints = catalogue::difference(&wanted, &found);
    complaints.extend(probes(case, &database));
    complaints.extend(with_rows(case, &path));
    complaints
}

/// Runs the statements that PostgreSQL must take, then those that it must refuse, in one session.
fn probes(case: &Case, database: &TestDb) -> Vec<String> {
    pg::blocking(async {
        let client = database.client().await;
        let mut complaints = Vec::new();
        let said = |error: tokio_postgres::Error| {
            error.as_db_error().map_or_else(|| error.to_string(), |e| e.message().to_owned())
        };
        // What SQLite takes, each by itself.
        for sql in &case.sqlite_accepts {
            client.batch_execute("BEGIN").await.unwrap();
            if let Err(error) = client.batch_execute(sql).await {
                complaints.push(format!("only SQLite takes {sql}: {}", said(error)));
            }
            client.batch_execute("ROLLBACK").await.unwrap();
        }
        for sql in &case.pg_accepts {
            if let Err(error) = client.batch_execute(sql).await {
                complaints.push(format!("refuses {sql}: {}", said(error)));
            }
        }
        for sql in &case.pg_rejects {
            if client.batch_execute(sql).await.is_ok() {
                complaints.push(format!("takes {sql}"));
            }
        }
        complaints
    })
}

/// Makes the rows that SQLite takes, and transfers them too.
fn with_rows(case: &Case, path: &std::path::Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for sql in &case.sqlite_accepts {
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    }
    for sql in &case.sqlite_rejects {
        assert!(connection.execute_batch(sql).is_err(), "{}: SQLite takes {sql}", case.name);
    }
    drop(connection);
    if case.sqlite_accepts.is_empty() {
        return Vec::new();
    }
    moved(case, path).err().into_iter().map(|why| format!("with rows: {why}")).collect()
}

#[test]
fn every_case_has_the_expected_schema_or_a_reason() {
    let expected = pg::database();
    let cases = cases();
    assert_eq!(cases.len(), 79);
    let mut wrong = Vec::new();
    let mut as_expected = 0;
    for case in &cases {
        let name = case.name.as_str();
        if name == TOO_WIDE {
            continue;
        }
        let found = complaints(case, &expected);
        let deliberate = DELIBERATE.iter().find(|(known, ..)| *known == name);
        let is_waiting = WAITING.contains(&name);
        match deliberate {
            Some((_, _, listed)) if *listed == found => {}
            None if is_waiting && !found.is_empty() => {}
            None if is_waiting => {
                wrong.push(format!("{name}: is as expected, and so waits no more"));
            }
            None if found.is_empty() => as_expected += 1,
            _ => wrong.push(format!("{name}:\n    {}", found.join("\n    "))),
        }
    }
    let known = |name: &str| cases.iter().any(|case| case.name == name);
    for name in WAITING.iter().chain(DELIBERATE.iter().map(|(name, ..)| name)) {
        assert!(known(name), "there is no case {name}");
    }
    assert!(wrong.is_empty(), "{as_expected} as expected, but\n{}", wrong.join("\n"));
}

#[test]
fn a_table_that_postgresql_cannot_have_is_refused_before_anything_is_made() {
    let case = cases().into_iter().find(|case| case.name == TOO_WIDE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.db");
    build(&case, &path);
    let database = pg::database();
    let error = transfer::run(&transfer::options(&path, &database.url)).unwrap_err();
    assert_eq!(error.kind().exit_code(), 3);
    assert!(error.to_string().contains("too many columns"), "{error}");
    assert_eq!(catalogue::lines(&database.url, Names::All), Vec::<String>::new());
}
