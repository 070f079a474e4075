//! The 79 cases of `tests/cases/ddl_cases.json`: made in SQLite, transferred, probed in PostgreSQL.
//!
//! Purpose: each case is a schema with the PostgreSQL schema that was expected of it when the cases
//! were collected, and statements that both sides must take or refuse. What the target has must be the
//! expected schema, or stand in [`DELIBERATE`] with the reason.

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
    (
        "default expr",
        "the same value",
        &[
            "- column t.2 b bigint DEFAULT (1 + 2)",
            "+ column t.2 b bigint DEFAULT ((1)::bigint + 2)",
        ],
    ),
    (
        "default timestamps",
        "to the second, as SQLite has it",
        &[
            "- column t.1 a timestamp without time zone DEFAULT (now() AT TIME ZONE 'UTC'::text)",
            "- column t.4 d timestamp without time zone DEFAULT LOCALTIMESTAMP(0)",
            "- column t.5 e bigint DEFAULT (floor(EXTRACT(epoch FROM now())))::bigint",
            "- column t.6 f bigint DEFAULT (floor(EXTRACT(epoch FROM now())))::bigint",
            "+ column t.1 a timestamp without time zone DEFAULT date_trunc('second'::text, (now() AT TIME ZONE 'UTC'::text))",
            "+ column t.4 d timestamp without time zone DEFAULT date_trunc('second'::text, LOCALTIMESTAMP)",
            "+ column t.5 e bigint DEFAULT (floor(EXTRACT(epoch FROM (now() AT TIME ZONE 'UTC'::text))))::bigint",
            "+ column t.6 f bigint DEFAULT (floor(EXTRACT(epoch FROM (now() AT TIME ZONE 'UTC'::text))))::bigint",
        ],
    ),
    (
        "default iso with millis",
        "milliseconds are rounded as SQLite rounds them, where to_char cuts",
        &[
            "- column t.1 created text NOT NULL DEFAULT to_char((now() AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD HH24:MI:SS.MS\"Z\"'::text)",
            "- column t.2 updated text DEFAULT to_char((now() AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'::text)",
            "+ column t.1 created text NOT NULL DEFAULT ((to_char((now() AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD HH24:MI:'::text) ||\nCASE\n    WHEN (EXTRACT(second FROM (now() AT TIME ZONE 'UTC'::text)) >= 59.9995) THEN '59.999'::text\n    ELSE lpad((round(EXTRACT(second FROM (now() AT TIME ZONE 'UTC'::text)), 3))::text, 6, '0'::text)\nEND) || to_char((now() AT TIME ZONE 'UTC'::text), '\"Z\"'::text))",
            "+ column t.2 updated text DEFAULT ((to_char((now() AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD\"T\"HH24:MI:'::text) ||\nCASE\n    WHEN (EXTRACT(second FROM (now() AT TIME ZONE 'UTC'::text)) >= 59.9995) THEN '59.999'::text\n    ELSE lpad((round(EXTRACT(second FROM (now() AT TIME ZONE 'UTC'::text)), 3))::text, 6, '0'::text)\nEND) || to_char((now() AT TIME ZONE 'UTC'::text), '\"Z\"'::text))",
        ],
    ),
    (
        "default uuid expression",
        "as many random bytes as the source asks for, 6 bits of a UUID are none",
        &[
            "- column t.1 id text NOT NULL DEFAULT replace((gen_random_uuid())::text, '-'::text, ''::text)",
            "+ column t.1 id text NOT NULL DEFAULT lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 16), 'hex'::text)) COLLATE \"C\"))",
        ],
    ),
    (
        "default uuid v4 spelled out",
        "the column is text in the source and stays it; a rule can make it uuid",
        &[
            "- column t.1 id uuid NOT NULL DEFAULT gen_random_uuid()",
            "+ column t.1 id text NOT NULL DEFAULT (((((((((lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 4), 'hex'::text)) COLLATE \"C\")) || '-'::text) || lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 2), 'hex'::text)) COLLATE \"C\"))) || '-4'::text) || substr(lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 2), 'hex'::text)) COLLATE \"C\")), 2)) || '-'::text) || substr('89ab'::text, (((abs(((('x'::text || encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 8), 'hex'::text)))::bit(64))::bigint) % (4)::bigint) + 1))::integer, 1)) || substr(lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 2), 'hex'::text)) COLLATE \"C\")), 2)) || '-'::text) || lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 6), 'hex'::text)) COLLATE \"C\")))",
        ],
    ),
    (
        "pocketbase id default",
        "as many random bytes as the source asks for, 6 bits of a UUID are none",
        &[
            "- column t.1 id text NOT NULL DEFAULT ('r'::text || substr(replace((gen_random_uuid())::text, '-'::text, ''::text), 1, 14))",
            "+ column t.1 id text NOT NULL DEFAULT ('r'::text || lower((upper(encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 7), 'hex'::text)) COLLATE \"C\")))",
        ],
    ),
    (
        "check boolean",
        "true for every boolean, and kept rather than proved away",
        &["+ constraint t CHECK (((NOT b) OR b))"],
    ),
    (
        "check functions",
        "NOT NULL stands in the CHECK alone, and the pattern compares by the bytes of its characters",
        &[
            "- column t.4 d bigint NOT NULL",
            "- constraint t CHECK ((b ~ '^[0-9][0-9].*$'::text))",
            "- constraint t CHECK ((e ~~* 'x%'::text))",
            "+ column t.4 d bigint",
            "+ constraint t CHECK ((\nCASE\n    WHEN (d IS NULL) THEN 'null'::text\n    ELSE 'integer'::text\nEND = 'integer'::text))",
            "+ constraint t CHECK (((b COLLATE \"C\") ~ '^[00-9][00-9].*$'::text))",
            "+ constraint t CHECK (((e COLLATE \"C\") ~~* 'x%'::text))",
        ],
    ),
    (
        "check regexp",
        "REGEXP is a function of the application, of which the file says nothing; it is listed",
        &["- constraint t CHECK ((a ~ '^[a-z]+$'::text))", "takes INSERT INTO t VALUES('1')"],
    ),
    (
        "check date",
        "that a CHECK mentions date() makes no column a date; what cannot be translated is listed",
        &[
            "- column t.1 d date",
            "- constraint t CHECK (((d)::text <= (e COLLATE \"C\")))",
            "+ column t.1 d text",
            "+ constraint t CHECK (((d COLLATE \"C\") <= e))",
        ],
    ),
    (
        "expression index",
        "-> and ->> in SQLite give true and false as 1 and 0; the column is JSON only when a rule says so",
        &[
            "- column t.2 j jsonb",
            "- index t  USING btree (lower(a), ((j #>> '{x,y}'::text[])))",
            "+ column t.2 j text",
            "+ index t  USING btree (lower((a COLLATE \"C\")), (\nCASE (((j)::jsonb -> 'x'::text) -> 'y'::text)\n    WHEN 'true'::jsonb THEN '1'::text\n    WHEN 'false'::jsonb THEN '0'::text\n    ELSE ((((j)::jsonb -> 'x'::text) -> 'y'::text) #>> '{}'::text[])\nEND))",
        ],
    ),
    (
        "expression index on date",
        "date() makes text, and the index is over that text",
        &[
            "- index t  USING btree (((ts)::date))",
            "+ index t  USING btree ((((((lpad(((floor(EXTRACT(year FROM ts)))::integer)::text, 4, '0'::text) || '-'::text) || lpad(((floor(EXTRACT(month FROM ts)))::integer)::text, 2, '0'::text)) || '-'::text) || lpad(((floor(EXTRACT(day FROM ts)))::integer)::text, 2, '0'::text))))",
        ],
    ),
    (
        "generated virtual",
        "the same value",
        &[
            "- column t.3 c text GENERATED DEFAULT (a || '-x'::text)",
            "+ column t.3 c text GENERATED DEFAULT ((a)::text || '-x'::text)",
        ],
    ),
    (
        "generated from json",
        "the column is JSON only when a rule says so; ->> of a number into an integer column is not translated",
        &[
            "- column t.1 j jsonb",
            "- column t.2 name text GENERATED DEFAULT (j ->> 'name'::text)",
            "- column t.3 n bigint GENERATED DEFAULT ((j ->> 'n'::text))::bigint",
            "+ column t.1 j text",
            "+ column t.2 n bigint",
            "+ column t.3 name text GENERATED DEFAULT \nCASE ((j)::jsonb -> 'name'::text)\n    WHEN 'true'::jsonb THEN '1'::text\n    WHEN 'false'::jsonb THEN '0'::text\n    ELSE (((j)::jsonb -> 'name'::text) #>> '{}'::text[])\nEND",
        ],
    ),
    (
        "generated non-immutable",
        "a day beyond the month is another day in SQLite, so the text cannot be cut; its values arrive",
        &["- column t.2 m text GENERATED DEFAULT substr(d, 1, 7)", "+ column t.2 m text"],
    ),
    (
        "view simple",
        "NULLs come first and text compares by bytes; coalesce() gives no NULL",
        &[
            "- view v  SELECT COALESCE(t.name, 'none'::text) AS n, count(*) AS c FROM t WHERE t.is_active GROUP BY COALESCE(t.name, 'none'::text) ORDER BY COALESCE(t.name, 'none'::text) NULLS FIRST OFFSET 5 LIMIT 10;",
            "+ view v  SELECT COALESCE(t.name, 'none'::text) AS n, count(*) AS c FROM t t WHERE t.is_active GROUP BY COALESCE(t.name, 'none'::text) ORDER BY (COALESCE(t.name, 'none'::text) COLLATE \"C\") OFFSET 5 LIMIT 10;",
        ],
    ),
    (
        "view with quirks",
        "group_concat() goes on in the order of the rows",
        &[
            "- view v  SELECT t.g, string_agg((t.v)::text, ','::text) AS vs, (COALESCE(sum(t.v), (0)::numeric))::double precision AS tv, CASE WHEN (t.v IS NULL) THEN NULL::bigint ELSE GREATEST(t.v, (0)::bigint) END AS m0 FROM t GROUP BY t.g, t.v;",
            "+ view v  SELECT t.g, string_agg((t.v)::text, ','::text ORDER BY t.id) AS vs, (COALESCE(sum(t.v), (0)::numeric))::double precision AS tv, CASE WHEN (t.v IS NOT NULL) THEN GREATEST(t.v, (0)::bigint) ELSE NULL::bigint END AS m0 FROM t t GROUP BY t.g, t.v;",
        ],
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
        match deliberate {
            Some((_, _, listed)) if *listed == found => {}
            None if found.is_empty() => as_expected += 1,
            _ => wrong.push(format!("{name}:\n    {}", found.join("\n    "))),
        }
    }
    let known = |name: &str| cases.iter().any(|case| case.name == name);
    for (name, ..) in DELIBERATE {
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
