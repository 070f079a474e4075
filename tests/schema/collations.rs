//! NOCASE and RTRIM: what is unique in SQLite is unique in PostgreSQL, and nothing else is.

use rusqlite::Connection;

use super::{refusal, transferred};
use crate::support::catalogue::{self, Names};
use crate::support::pg;

/// All characters but NUL and surrogates that have a case in some locale, and neighbours.
fn characters() -> impl Iterator<Item = char> {
    (1..0x2500)
        .chain(0xA640..0xA800)
        .chain(0xFF00..0xFF60)
        .chain(0x1_0400..0x1_0450)
        .filter_map(char::from_u32)
}

#[test]
fn lower_with_collation_c_folds_the_letters_that_nocase_folds() {
    let folded: String =
        characters().filter(char::is_ascii_uppercase).map(|c| c.to_ascii_lowercase()).collect();
    assert_eq!(folded, "abcdefghijklmnopqrstuvwxyz");
    // SQLite's own word on it.
    let sqlite = Connection::open_in_memory().unwrap();
    let mut equal = sqlite.prepare("SELECT ?1 = ?2 COLLATE NOCASE").unwrap();
    for c in characters() {
        let lower: String = c.to_lowercase().collect();
        let is_equal: bool =
            equal.query_row([c.to_string(), lower.clone()], |row| row.get(0)).unwrap();
        assert_eq!(is_equal, c.to_ascii_lowercase().to_string() == lower, "{c:?}");
    }
    // The server's, in a database with a locale of its own from each provider that it has.
    let all: String = characters().filter(|c| !matches!(c, '\'' | '\\')).collect();
    let expected = all.to_ascii_lowercase();
    let maintenance = pg::server_url();
    let providers = [
        "LOCALE_PROVIDER libc LOCALE 'C'",
        "LOCALE_PROVIDER libc LOCALE 'C.UTF-8'",
        "LOCALE_PROVIDER libc LOCALE 'en_US.UTF-8'",
        "LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
    ];
    let mut asked = 0;
    for (number, provider) in providers.iter().enumerate() {
        let name = format!("locale_{number}_{}", std::process::id());
        if pg::try_query_text(
            &maintenance,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING UTF8 {provider}"),
        )
        .is_err()
        {
            continue;
        }
        let found =
            pg::query_text_in(&maintenance, &name, &format!("SELECT lower('{all}' COLLATE \"C\")"));
        pg::query_text(&maintenance, &format!("DROP DATABASE {name}"));
        assert_eq!(found, [Some(expected.clone())], "{provider}");
        asked += 1;
    }
    assert!(asked > 0);
}

#[test]
fn keys_that_fold_are_unique_as_in_the_source() {
    let (source, database, report) = transferred(
        "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, r TEXT COLLATE RTRIM UNIQUE,
           n TEXT, b TEXT, i INT COLLATE NOCASE UNIQUE, UNIQUE (n COLLATE NOCASE, b DESC));
         CREATE UNIQUE INDEX folded ON t (b COLLATE NOCASE DESC, i);
         CREATE INDEX plain ON t (n COLLATE RTRIM);
         INSERT INTO t VALUES ('a', 'x', 'n', 'b', 1), ('É', 'y ', 'É', 'c', 2), ('é', 'Y', 'é', 'd', 3);",
    );
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    insta::assert_snapshot!(catalogue::lines(&database.url, Names::All).join("\n"), @r#"
    column t.1 k text NOT NULL
    column t.2 r text
    column t.3 n text
    column t.4 b text
    column t.5 i bigint
    constraint t t_i_key UNIQUE (i)
    constraint t t_pkey PRIMARY KEY (k)
    index t folded UNIQUE  USING btree (lower((b COLLATE "C")) DESC, i)
    index t plain  USING btree (rtrim(n, ' '::text))
    index t t_k_key UNIQUE  USING btree (lower((k COLLATE "C")))
    index t t_n_b_key UNIQUE  USING btree (lower((n COLLATE "C")), b DESC)
    index t t_r_key UNIQUE  USING btree (rtrim(r, ' '::text))
    table t r
    "#);
    let upsert =
        "INSERT INTO t (k, r) VALUES ('A', 'n') ON CONFLICT (lower(k COLLATE \"C\")) DO NOTHING";
    assert_eq!(refusal(&database, upsert), None);
    // Whatever SQLite says of a row, PostgreSQL says too.
    let sqlite = Connection::open(&source.path).unwrap();
    for (values, wanted) in [
        ("('A', 'q', 'q', 'q', 9)", false),
        ("('É', 'q', 'q', 'q', 9)", false),
        ("('b', 'x  ', 'q', 'q', 9)", false),
        ("('b', 'X', 'N', 'q', 9)", true),
        ("('b', 'X', 'N', 'b', 9)", false),
        ("('b', ' x', 'É', 'B', 1)", false),
        ("('ÉÉ', 'x\t', 'n', 'B', 4)", true),
        ("('c', 'z', NULL, NULL, NULL)", true),
    ] {
        let insert = format!("INSERT INTO t VALUES {values}");
        sqlite.execute_batch("BEGIN").unwrap();
        assert_eq!(sqlite.execute_batch(&insert).is_ok(), wanted, "SQLite: {values}");
        sqlite.execute_batch("ROLLBACK").unwrap();
        assert_eq!(refusal(&database, &insert).is_none(), wanted, "PostgreSQL: {values}");
    }
}

#[test]
fn a_column_twice_in_a_key_is_no_stricter_than_in_sqlite() {
    let (_, database, report) = transferred(
        "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a COLLATE NOCASE, a), UNIQUE (b COLLATE NOCASE, b COLLATE NOCASE));
         INSERT INTO t VALUES ('x', 'p'), ('X', 'q');",
    );
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    assert!(refusal(&database, "INSERT INTO t VALUES ('x', 'r')").is_some());
    assert!(refusal(&database, "INSERT INTO t VALUES ('y', 'P')").is_some());
}

#[test]
fn a_foreign_key_may_point_to_columns_that_fold() {
    let (_, database, report) = transferred(
        "CREATE TABLE p (k TEXT COLLATE NOCASE UNIQUE, l TEXT);
         CREATE UNIQUE INDEX p_l ON p (l COLLATE NOCASE);
         CREATE TABLE c (k TEXT REFERENCES p (k), l TEXT REFERENCES p (l));
         INSERT INTO p VALUES ('a', 'x'), ('b', 'y'); INSERT INTO c VALUES ('a', 'x'), ('A', 'y');",
    );
    // SQLite finds 'a' for 'A', for it compares as the parent does; PostgreSQL does not.
    let orphans: Vec<_> =
        report.orphans.iter().map(|o| (o.constraint.as_str(), o.rows, o.keys.join(" "))).collect();
    assert_eq!(orphans, [("c_k_fkey", 1, "A".to_owned())]);
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    assert!(refusal(&database, "INSERT INTO p VALUES ('B', 'z')").is_some());
    assert!(refusal(&database, "INSERT INTO c VALUES ('zz', NULL)").is_some());
}

#[test]
fn collations_that_cannot_be_had_are_named() {
    let (_, _, report) = transferred(
        "CREATE TABLE t (a BLOB COLLATE NOCASE UNIQUE, b TEXT COLLATE NOCASE);
         INSERT INTO t VALUES (x'00', 'b'), ('a', 'c');",
    );
    let left: Vec<String> = report
        .not_carried
        .iter()
        .map(|left| format!("{} {}: {}", left.object, left.name, left.reason))
        .collect();
    insta::assert_snapshot!(left.join("\n"), @r"
    collation a: the column compares byte by byte instead of by NOCASE
    collation b: the column compares byte by byte instead of by NOCASE
    collation t_a_key: the unique constraint compares byte by byte instead of by NOCASE
    ");
}
