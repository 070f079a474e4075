//! CHECKs, defaults, generated columns, partial and expression indexes, and views, as they arrive.

use litelift::report::TransferReport;

use crate::support::fixture;
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

fn transferred(sql: &str) -> (TestDb, TransferReport) {
    let source = fixture::from_sql("carried.db", sql);
    let database = pg::database();
    let report = transfer::run(&transfer::options(&source.path, &database.url))
        .unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    transfer::compare_all(&source.path, &database.url, &report).expect_same();
    (database, report)
}

fn lines(database: &TestDb, sql: &str) -> String {
    database.query_text(sql).into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn left(report: &TransferReport) -> String {
    let left = report
        .not_carried
        .iter()
        .map(|left| format!("{} {:?} {}: {}", left.object, left.table, left.name, left.reason));
    let refused = report.refused.iter().map(|refused| {
        format!(
            "refused: {} {} {}: {}",
            refused.object, refused.table, refused.name, refused.message
        )
    });
    left.chain(refused).collect::<Vec<_>>().join("\n")
}

const CHECKS: &str = "select conname || ': ' || pg_get_constraintdef(oid) from pg_constraint \
    where contype = 'c' and connamespace = 'public'::regnamespace order by conname";

#[test]
fn checks_arrive_with_their_names_and_new_rows_are_checked() {
    let (database, report) = transferred(
        "CREATE TABLE t (
           id INTEGER PRIMARY KEY, n INT CHECK (n > 0), is_on INT CHECK (is_on IN (0, 1)),
           flag BOOLEAN, s TEXT CONSTRAINT short CHECK (length(s) <= 5),
           kind TEXT CHECK (kind IN ('a', \"b\")), j TEXT CHECK (json_valid(j)),
           CHECK (flag = 1 OR n < 10), CONSTRAINT \"short\"\"er\" CHECK (s LIKE 'A%' OR s IS NULL),
           CHECK (typeof(n) = 'integer'), CHECK (printf('%e', n) <> ''));
         INSERT INTO t VALUES (1, 5, 1, 1, 'abc', 'a', '{}');",
    );
    insta::assert_snapshot!(lines(&database, CHECKS), @r##"
    short: CHECK ((length(s) <= 5))
    short"er: CHECK ((((s COLLATE "C") ~~* 'A%'::text) OR (s IS NULL)))
    t_check: CHECK ((flag OR (n < 10)))
    t_check_9afd2f: CHECK ((
    CASE
        WHEN (n IS NULL) THEN 'null'::text
        ELSE 'integer'::text
    END = 'integer'::text))
    t_kind_check: CHECK ((kind = ANY (ARRAY['a'::text, 'b'::text])))
    t_n_check: CHECK ((n > 0))
    "##);
    insta::assert_snapshot!(left(&report), @r##"
    check Some("t") is_on: the type boolean says it already
    check Some("t") j: the type jsonb says it already
    check Some("t") (unnamed): it is not translated: printf with %e
    "##);
    for (row, is_taken) in [
        ("(2, 5, true, true, 'Axy', 'b', '[]')", true),
        ("(3, 0, true, true, 'Axy', 'b', '[]')", false),
        ("(4, 50, true, false, 'Axy', 'b', '[]')", false),
        ("(5, 5, true, true, 'Axyzzz', 'b', '[]')", false),
        ("(6, 5, true, true, 'xA', 'b', '[]')", false),
        ("(7, 5, NULL, NULL, NULL, NULL, NULL)", true),
    ] {
        assert_eq!(accepts(&database, &format!("insert into t values {row}")), is_taken, "{row}");
    }
}

fn accepts(database: &TestDb, sql: &str) -> bool {
    pg::blocking(async {
        let client = database.client().await;
        client.batch_execute(sql).await.is_ok()
    })
}

#[test]
fn rows_that_break_a_check_stay_and_are_counted() {
    let (database, report) = transferred(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT CONSTRAINT positive CHECK (n > 0));
         PRAGMA ignore_check_constraints = ON;
         INSERT INTO t VALUES (1, 5), (2, -1), (3, NULL), (4, 0);",
    );
    assert_eq!(
        left(&report),
        "refused: check t positive: 2 rows break it, so it stays NOT VALID: only new rows are checked"
    );
    assert_eq!(lines(&database, CHECKS), "positive: CHECK ((n > 0)) NOT VALID");
    assert!(!accepts(&database, "insert into t values (9, -1)"));
}

#[test]
fn expressions_of_defaults_are_fitted_to_their_types() {
    let (database, report) = transferred(
        "CREATE TABLE t (
           id INTEGER PRIMARY KEY, made TIMESTAMP DEFAULT (datetime('now')),
           day DATE DEFAULT (date('now')), made_text TEXT DEFAULT (datetime('now')),
           iso TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
           epoch INTEGER DEFAULT (strftime('%s', 'now')), epoch2 INTEGER DEFAULT (unixepoch()),
           cast_epoch INT DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)),
           ms INTEGER DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
           token TEXT DEFAULT (lower(hex(randomblob(16)))), u UUID DEFAULT (lower(hex(randomblob(16)))),
           sum INTEGER DEFAULT (1 + 2 * 3), real REAL DEFAULT (1 / 2), flag BOOLEAN DEFAULT (1 = 1),
           text TEXT DEFAULT ('a' || 'b'), price DECIMAL(10, 2) DEFAULT (1.5 + 1), nope TEXT DEFAULT (printf('%e', 1)),
           b BLOB DEFAULT (x'00' ), local TEXT DEFAULT (datetime('now', 'localtime')),
           r INTEGER DEFAULT (random()));",
    );
    insta::assert_snapshot!(left(&report), @r##"
    default Some("t") price: its expression is not translated: a real is stored in a column of type numeric(10,2)
    default Some("t") nope: its expression is not translated: printf with %e
    "##);
    insta::assert_snapshot!(report.notes.join("\n"), @r##"
    t.u: Its default makes random UUIDs of version 4.
    t.local: Local time is that of the session's TimeZone in PostgreSQL, not that of the machine.
    "##);
    database.execute("insert into t (id) values (1)");
    let row = "select concat_ws('|', \
        abs(extract(epoch from made - (now() at time zone 'UTC'))) < 60, \
        day = (now() at time zone 'UTC')::date, length(made_text), iso ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[.]\\d{3}Z$', \
        abs(epoch - extract(epoch from now())) < 60, abs(epoch2 - epoch) < 2, abs(cast_epoch - epoch) < 2, \
        abs(ms / 1000 - epoch) < 2, length(token), u is not null, sum, \"real\", flag, \"text\", price, b, \
        length(local), r is not null, nope is null) from t";
    insta::assert_snapshot!(lines(&database, row), @r##"t|t|19|t|t|t|t|t|32|t|7|0|t|ab|\x00|19|t|t"##);
}

#[test]
fn generated_columns_are_generated_when_postgresql_computes_the_same() {
    let (database, report) = transferred(
        "CREATE TABLE t (
           id INTEGER PRIMARY KEY, a INT, b INT, s TEXT, j JSON, d TIMESTAMP,
           sum INT AS (a + b), twice INT GENERATED ALWAYS AS (sum * 2) STORED,
           low TEXT AS (lower(s)) STORED, is_big BOOLEAN AS (a > 5),
           label TEXT AS (s || '-' || a), name TEXT AS (json_extract(j, '$.name')),
           year TEXT AS (strftime('%Y', d)), ratio REAL AS (a * 1.0 / b), nope TEXT AS (printf('%e', a)),
           over INT AS (a * 4611686018427387904));
         INSERT INTO t (id, a, b, s, j, d) VALUES
           (1, 3, 4, 'Abc', '{\"name\": \"x\"}', '2024-01-31 10:00:00'),
           (2, 7, 0, 'É', '{\"name\": 5}', '2023-12-31 23:59:59'), (3, NULL, 1, NULL, NULL, NULL);
         CREATE INDEX t_low ON t (low); CREATE UNIQUE INDEX t_sum ON t (sum, id);",
    );
    insta::assert_snapshot!(left(&report), @r##"
    generated column Some("t") nope: its values are carried over, as a plain column, for it is not translated: printf with %e
    refused: generated column t over: bigint out of range
    "##);
    let columns = "select attname || ': ' || pg_get_expr(adbin, adrelid) from pg_attribute a \
        join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
        where attrelid = 't'::regclass and attgenerated = 's' order by attnum";
    insta::assert_snapshot!(lines(&database, columns), @r##"
    sum: (a + b)
    twice: ((a + b) * 2)
    low: lower((s COLLATE "C"))
    is_big: (a > 5)
    label: ((s || '-'::text) || (a)::text)
    name: 
    CASE (j -> 'name'::text)
        WHEN 'true'::jsonb THEN '1'::text
        WHEN 'false'::jsonb THEN '0'::text
        ELSE ((j -> 'name'::text) #>> '{}'::text[])
    END
    year: lpad(((floor(EXTRACT(year FROM d)))::integer)::text, 4, '0'::text)
    ratio: (((a)::double precision * '1'::double precision) / NULLIF((b)::double precision, (0)::double precision))
    "##);
    database.execute("insert into t (id, a, b, s) values (9, 6, 3, 'ÉX')");
    assert_eq!(
        lines(
            &database,
            "select concat_ws('|', sum, twice, low, is_big, label, ratio) from t where id = 9"
        ),
        "9|18|Éx|t|ÉX-6|2"
    );
}

#[test]
fn partial_and_expression_indexes_are_made() {
    let (database, report) = transferred(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT, is_active INTEGER NOT NULL, d TIMESTAMP, j JSON, n INT);
         INSERT INTO t VALUES (1, 'a@b', 1, '2024-01-31 00:00:00', '{}', 1), (2, 'A@b', 0, '2024-01-31 00:00:01', '{}', 2);
         CREATE UNIQUE INDEX one_active ON t (email) WHERE is_active = 1;
         CREATE INDEX lower_email ON t (lower(email), n DESC);
         CREATE INDEX not_null ON t (n) WHERE email IS NOT NULL AND email <> \"\";
         CREATE INDEX name ON t (json_extract(j, '$.name'));
         CREATE INDEX day ON t (date(d)) WHERE n > 0;
         CREATE INDEX nocase ON t (email COLLATE NOCASE) WHERE n IS NOT NULL;
         CREATE INDEX nope ON t (n) WHERE printf('%e', n) <> '';",
    );
    insta::assert_snapshot!(left(&report), @r##"partial index Some("t") nope: it is not translated: printf with %e"##);
    insta::assert_snapshot!(
        lines(&database, "select indexdef from pg_indexes where schemaname = 'public' order by indexname"), @r##"
    CREATE INDEX day ON public.t USING btree ((((((lpad(((floor(EXTRACT(year FROM d)))::integer)::text, 4, '0'::text) || '-'::text) || lpad(((floor(EXTRACT(month FROM d)))::integer)::text, 2, '0'::text)) || '-'::text) || lpad(((floor(EXTRACT(day FROM d)))::integer)::text, 2, '0'::text)))) WHERE (n > 0)
    CREATE INDEX lower_email ON public.t USING btree (lower((email COLLATE "C")), n DESC)
    CREATE INDEX name ON public.t USING btree ((
    CASE (j -> 'name'::text)
        WHEN 'true'::jsonb THEN '1'::text
        WHEN 'false'::jsonb THEN '0'::text
        ELSE ((j -> 'name'::text) #>> '{}'::text[])
    END))
    CREATE INDEX nocase ON public.t USING btree (lower((email COLLATE "C"))) WHERE (n IS NOT NULL)
    CREATE INDEX not_null ON public.t USING btree (n) WHERE ((email IS NOT NULL) AND (email <> ''::text))
    CREATE UNIQUE INDEX one_active ON public.t USING btree (email) WHERE is_active
    CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)
    "##);
    assert!(!accepts(&database, "insert into t values (3, 'a@b', true, null, null, 3)"));
    assert!(accepts(&database, "insert into t values (4, 'a@b', false, null, null, 3)"));
}

#[test]
fn views_come_in_the_order_of_their_use() {
    let sql = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, is_admin INTEGER NOT NULL);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT, total REAL, at TIMESTAMP);
         CREATE VIEW top AS SELECT * FROM per_user WHERE orders > 1;
         CREATE VIEW per_user (name, orders, total) AS
           SELECT u.name, count(*), round(sum(o.total), 2) FROM users u JOIN orders o ON o.user_id = u.id
           GROUP BY u.id, u.name HAVING count(*) > 0 ORDER BY 3 DESC;
         CREATE VIEW admins AS SELECT id, upper(name) AS \"Name\" FROM users WHERE is_admin AND name LIKE 'a%';
         CREATE VIEW per_month AS SELECT strftime('%Y-%m', at) AS month, sum(total) total, group_concat(id) ids
           FROM orders GROUP BY month;
         CREATE VIEW by_name AS SELECT name, count(*) FROM users GROUP BY name;
         CREATE VIEW none AS SELECT u.* FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL;
         CREATE VIEW nums AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n, n * 2 FROM c;
         CREATE VIEW broken AS SELECT * FROM gone;
         CREATE VIEW odd AS SELECT name, max(total) FROM users, orders;
         INSERT INTO users VALUES (1, 'Ann', 1), (2, 'bob', 0), (3, 'Cy', 1);
         INSERT INTO orders VALUES (1, 1, 10.005, '2024-01-31 10:00:00'), (2, 1, 2.5, '2024-02-01 00:00:00'), (3, 2, 7, NULL);";
    let (database, report) = transferred(sql);
    insta::assert_snapshot!(left(&report), @r##"
    collation Some("users") name: the column compares byte by byte instead of by NOCASE
    view None by_name: it is not translated: GROUP BY text, of which PostgreSQL takes others for equal
    view None broken: it is not translated: "gone" is not there, or was not translated
    view None odd: it is not translated: a column stands beside an aggregate that GROUP BY does not name: SQLite takes it from any row
    "##);
    let source = fixture::from_sql("views.db", sql);
    let connection = rusqlite::Connection::open(&source.path).unwrap();
    for view in ["top", "per_user", "admins", "per_month", "none", "nums"] {
        let all = format!("SELECT * FROM \"{view}\"");
        let mut statement = connection.prepare(&all).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows = statement.query_map([], |row| {
            let values: rusqlite::Result<Vec<String>> = (0..columns.len())
                .map(|at| {
                    Ok(match row.get_ref(at)? {
                        rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                        rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                        rusqlite::types::ValueRef::Real(n) => n.to_string(),
                        other => other.as_str().unwrap().to_owned(),
                    })
                })
                .collect();
            Ok(values?.join("|"))
        });
        let mut expected: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        let texts: Vec<String> = columns
            .iter()
            .map(|column| {
                let column = column.replace('"', "\"\"");
                // Flags are 0 and 1 in SQLite.
                format!("coalesce(case \"{column}\"::text when 'true' then '1' when 'false' then '0' else \"{column}\"::text end, 'NULL')")
            })
            .collect();
        let got = lines(
            &database,
            &format!("select concat_ws('|', {}) from \"{view}\"", texts.join(", ")),
        );
        let mut got: Vec<String> = got.lines().map(str::to_owned).collect();
        expected.sort();
        got.sort();
        assert_eq!(got, expected, "{view}");
    }
}

#[test]
fn a_restart_drops_the_views_of_the_run_and_no_others() {
    let source = fixture::from_sql(
        "again.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW a AS SELECT id FROM t;
         CREATE VIEW b AS SELECT id FROM a; INSERT INTO t VALUES (1);",
    );
    let database = pg::database();
    let mut options = transfer::options(&source.path, &database.url);
    transfer::run(&options).unwrap();
    options.restart = true;
    let report = transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(left(&report), "");
    database.execute("create view mine as select id from b");
    assert!(transfer::run(&options).is_err(), "a view of somebody else is in the way");
    assert_eq!(lines(&database, "select id::text from mine"), "1");
}
