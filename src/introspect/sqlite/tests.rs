//! Schemas written for one point each. The collected ones are in `collected_tests.rs`.

use rusqlite::Connection;

use super::*;
use crate::error::ErrorKind;
use crate::model::source::{
    Affinity, FkAction, ForeignKey, IndexTermOf, Key, SourceSchema, Table, TableKind,
};

fn database(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    connection
}

fn schema(sql: &str) -> SourceSchema {
    source_schema(&database(sql)).unwrap()
}

/// A schema about which PRAGMAs and texts agree.
fn clean(sql: &str) -> SourceSchema {
    let schema = schema(sql);
    assert_eq!(schema.remarks, Vec::<String>::new(), "{sql}");
    schema
}

/// The table `t` of such a schema.
fn table(sql: &str) -> Table {
    clean(sql).table("t").unwrap().clone()
}

fn key(name: Option<&str>, columns: &[usize], collations: &[&str]) -> Key {
    Key {
        name: name.map(str::to_owned),
        columns: columns.to_vec(),
        collations: collations.iter().map(|&collation| collation.to_owned()).collect(),
        descending: vec![false; columns.len()],
    }
}

fn names<T>(items: &[T], name: impl Fn(&T) -> &str) -> Vec<&str> {
    items.iter().map(name).collect()
}

/// Writes a text into `sqlite_schema` that SQLite itself would not store.
fn edit_schema(connection: &Connection, sql: &str) {
    connection
        .execute_batch(&format!(
            "PRAGMA writable_schema = on; {sql}; PRAGMA writable_schema = reset;"
        ))
        .unwrap();
}

#[test]
fn the_file_itself() {
    let schema = clean("PRAGMA user_version = -3; PRAGMA application_id = 1196444487;");
    assert_eq!(schema.encoding, "UTF-8");
    assert_eq!((schema.user_version, schema.application_id), (-3, 1_196_444_487));
    assert!(schema.tables.is_empty());
    let utf16 =
        clean("PRAGMA encoding = 'UTF-16le'; CREATE TABLE \"tä😀\"(\"ö\" TEXT DEFAULT 'ü')");
    assert_eq!(utf16.encoding, "UTF-16le");
    let table = utf16.table("tä😀").unwrap();
    assert_eq!(
        (table.columns[0].name.as_str(), table.columns[0].default.as_deref()),
        ("ö", Some("'ü'"))
    );
}

#[test]
fn the_rowid_alias_follows_the_exact_rule() {
    for (columns, alias) in [
        ("x INTEGER PRIMARY KEY", Some(0)),
        ("a, x integer primary key", Some(1)),
        ("x \"INTEGER\" PRIMARY KEY", Some(0)),
        ("x [Integer] NOT NULL PRIMARY KEY ASC", Some(0)),
        ("x INTEGER PRIMARY KEY AUTOINCREMENT", Some(0)),
        ("x INTEGER, PRIMARY KEY(x)", Some(0)),
        ("x INTEGER, PRIMARY KEY('x')", Some(0)),
        ("x INTEGER, PRIMARY KEY(x DESC)", Some(0)),
        ("x INTEGER, PRIMARY KEY(x AUTOINCREMENT)", Some(0)),
        ("x INTEGER PRIMARY KEY UNIQUE", Some(0)),
        ("x INTEGER UNIQUE PRIMARY KEY", Some(0)),
        ("x INTEGER /* c */ PRIMARY KEY -- d\n", Some(0)),
        ("x INTEGER PRIMARY KEY DESC", None),
        ("x INTEGER UNIQUE PRIMARY KEY DESC", None),
        ("x INT PRIMARY KEY", None),
        ("x BIGINT PRIMARY KEY", None),
        ("x INTEGER(8) PRIMARY KEY", None),
        ("x INTEGER, y INTEGER, PRIMARY KEY(x, y)", None),
        ("x INTEGER UNIQUE", None),
        ("x PRIMARY KEY", None),
    ] {
        let connection = database(&format!("CREATE TABLE t({columns})"));
        let schema = source_schema(&connection).unwrap();
        assert!(schema.remarks.is_empty(), "{columns}: {:?}", schema.remarks);
        assert_eq!(schema.tables[0].rowid_alias, alias, "{columns}");
        // SQLite gives the rowid the name of its alias.
        let rowid = connection.prepare("SELECT rowid FROM t").unwrap();
        let alias_name = alias.map(|position| schema.tables[0].columns[position].name.as_str());
        assert_eq!(
            rowid.columns_with_metadata().next().unwrap().origin_name(),
            alias_name.or(Some("rowid"))
        );
    }
    let without = table("CREATE TABLE t(x INTEGER PRIMARY KEY) WITHOUT ROWID");
    assert_eq!((without.rowid_alias, without.rowid_name), (None, None));
    assert_eq!(without.kind, TableKind::WithoutRowid);
}

#[test]
fn the_rowid_name_is_one_that_no_column_hides() {
    for (columns, name) in [
        ("a", Some("rowid")),
        ("ROWID", Some("_rowid_")),
        ("rowid, _RowId_", Some("oid")),
        ("oid, rowid INTEGER PRIMARY KEY", Some("_rowid_")),
        ("rowid, _rowid_, OID", None),
    ] {
        let connection =
            database(&format!("CREATE TABLE t({columns}); INSERT INTO t DEFAULT VALUES"));
        let found = source_schema(&connection).unwrap().tables[0].rowid_name.clone();
        assert_eq!(found.as_deref(), name, "{columns}");
        if let Some(name) = name {
            let rowid =
                connection.query_row(&format!("SELECT {name} FROM t"), [], |row| row.get(0));
            assert_eq!(rowid, Ok(1), "{columns}");
        }
    }
}

#[test]
fn names_may_hold_anything() {
    let odd =
        ["select", "a b", "q\"uote", "it's", "new\nline", "😀", "", "[x", "`", "a;--", "%s", "\\"];
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = odd.iter().map(|name| quoted(name)).collect();
    for name in odd {
        let sql = format!(
            "CREATE TABLE {0}({1}, UNIQUE ({2})); CREATE INDEX {3} ON {0}({2})",
            quoted(name),
            columns.join(", "),
            quoted("it's"),
            quoted(&format!("{name} index")),
        );
        let schema = clean(&sql);
        let table = &schema.tables[0];
        assert_eq!(table.name, name);
        assert_eq!(names(&table.columns, |column| &column.name), odd);
        assert_eq!(table.uniques, [key(None, &[3], &["BINARY"])]);
        assert_eq!(table.indexes[0].name, format!("{name} index"));
        assert_eq!(table.indexes[0].terms[0].of, IndexTermOf::Column(3));
    }
    let table =
        table("CREATE TABLE [t]([a b] TEXT, `c` TEXT, 'd' TEXT /* e, */ -- f\n, \"g\" TEXT)");
    assert_eq!(names(&table.columns, |column| &column.name), ["a b", "c", "d", "g"]);
}

#[test]
fn declared_types_and_affinities() {
    let table = table(
        "CREATE TABLE t(a \"varchar\"(5), b [my type](10, 2), c text, d bOOlean, e, f UNSIGNED BIG INT,
         g ANY, h DOUBLE PRECISION, i decimal(10,2) DEFAULT 0)",
    );
    let found: Vec<_> =
        table.columns.iter().map(|column| (column.declared.as_str(), column.affinity)).collect();
    assert_eq!(
        found,
        [
            ("varchar(5)", Affinity::Text),
            ("my type(10,2)", Affinity::Numeric),
            ("text", Affinity::Text),
            ("bOOlean", Affinity::Numeric),
            ("", Affinity::Blob),
            ("UNSIGNED BIG INT", Affinity::Integer),
            ("ANY", Affinity::Numeric),
            ("DOUBLE PRECISION", Affinity::Real),
            ("decimal(10,2)", Affinity::Numeric),
        ]
    );
}

// SQLite takes the text between name and constraints as it stands, comment and all.
#[test]
fn a_comment_in_a_type_that_changes_the_affinity_is_remarked() {
    let schema = schema("CREATE TABLE t(a DOUBLE /* not INT */ PRECISION)");
    assert_eq!(schema.tables[0].columns[0].affinity, Affinity::Integer);
    assert_eq!(schema.remarks.len(), 1, "{:?}", schema.remarks);
}

#[test]
fn strict_and_without_rowid() {
    let table = table(
        "CREATE TABLE t(b TEXT COLLATE NOCASE, a INT, c ANY, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID",
    );
    assert!(table.strict);
    assert_eq!(table.kind, TableKind::WithoutRowid);
    assert_eq!(table.primary_key, Some(key(None, &[1, 0], &["BINARY", "NOCASE"])));
    assert_eq!(table.columns[2].affinity, Affinity::Blob);
    assert!(table.columns[0].not_null && table.columns[1].not_null && !table.columns[2].not_null);
}

#[test]
fn defaults() {
    let table = table(
        "CREATE TABLE t(a DEFAULT (1+2), b DEFAULT \"dq\", c DEFAULT bare, d DEFAULT NULL, e,
         f DEFAULT CURRENT_TIMESTAMP, g DEFAULT TRUE, h DEFAULT 'it''s')",
    );
    let found: Vec<_> = table
        .columns
        .iter()
        .map(|column| (column.default.as_deref(), column.default_is_word))
        .collect();
    assert_eq!(
        found,
        [
            (Some("1+2"), false),
            (Some("\"dq\""), true),
            (Some("bare"), true),
            (Some("NULL"), false),
            (None, false),
            (Some("CURRENT_TIMESTAMP"), false),
            (Some("TRUE"), false),
            (Some("'it''s'"), false),
        ]
    );
}

#[test]
fn collations_are_the_effective_ones() {
    let table = table(
        "CREATE TABLE t(a TEXT COLLATE nocase UNIQUE, b TEXT, c TEXT COLLATE RTRIM,
         UNIQUE (b COLLATE NOCASE, c), PRIMARY KEY (c, b COLLATE RTRIM))",
    );
    assert_eq!(names(&table.columns, |column| &column.collation), ["nocase", "BINARY", "RTRIM"]);
    assert_eq!(table.primary_key, Some(key(None, &[2, 1], &["RTRIM", "RTRIM"])));
    assert_eq!(
        table.uniques,
        [key(None, &[0], &["nocase"]), key(None, &[1, 2], &["NOCASE", "RTRIM"])]
    );
}

#[test]
fn generated_columns() {
    let table = table(
        "CREATE TABLE t(a, v INT AS (a + 1), s TEXT GENERATED ALWAYS AS (a || '-x') STORED, z);
         CREATE INDEX i ON t(z, v)",
    );
    let generated: Vec<_> = table
        .columns
        .iter()
        .map(|c| c.generated.as_ref().map(|g| (g.expression.as_str(), g.stored)))
        .collect();
    assert_eq!(generated, [None, Some(("a + 1", false)), Some(("a || '-x'", true)), None]);
    assert_eq!(table.columns[1].declared, "INT");
    let terms: Vec<_> = table.indexes[0].terms.iter().map(|term| &term.of).collect();
    assert_eq!(terms, [&IndexTermOf::Column(3), &IndexTermOf::Column(1)]);
}

#[test]
fn a_generated_column_of_a_foreign_function_is_marked() {
    let connection =
        database("CREATE TABLE t(a, v AS (upper(a)), s AS (lower(a)) STORED, w AS (a))");
    edit_schema(
        &connection,
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'upper', 'uuid5'), 'lower', 'slug')",
    );
    let schema = source_schema(&connection).unwrap();
    let unreadable: Vec<_> = schema.tables[0]
        .columns
        .iter()
        .map(|column| column.generated.as_ref().and_then(|g| g.unreadable.as_deref()))
        .collect();
    assert_eq!(unreadable[0], None);
    assert!(unreadable[1].unwrap().contains("uuid5"), "{unreadable:?}");
    assert_eq!(unreadable[2..], [None, None]);
    connection.prepare("SELECT a, s, w FROM t").unwrap();
}

#[test]
fn keys_have_names_and_order() {
    let table = table(
        "CREATE TABLE t(a INT, b INT CONSTRAINT bu UNIQUE ON CONFLICT REPLACE, c INT,
         CONSTRAINT \"the key\" PRIMARY KEY (c, a), CONSTRAINT u1 UNIQUE (c), UNIQUE (a, b),
         CONSTRAINT again UNIQUE (C), CONSTRAINT pk_again UNIQUE (c, a))",
    );
    assert_eq!(table.primary_key, Some(key(Some("the key"), &[2, 0], &["BINARY"; 2])));
    assert_eq!(
        table.uniques,
        [
            key(Some("bu"), &[1], &["BINARY"]),
            key(Some("u1"), &[2], &["BINARY"]),
            key(None, &[0, 1], &["BINARY"; 2])
        ]
    );
}

#[test]
fn autoincrement_and_its_sequence() {
    let schema = clean(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a);
         CREATE TABLE unused(id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE TABLE plain(id INTEGER PRIMARY KEY);
         INSERT INTO t VALUES (41, 'x'); DELETE FROM t; INSERT INTO plain VALUES (7)",
    );
    let found: Vec<_> = schema.tables.iter().map(|t| (t.autoincrement, t.sequence)).collect();
    assert_eq!(found, [(true, Some(41)), (true, None), (false, None)]);
    let odd = clean(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (5);
         UPDATE sqlite_sequence SET seq = 'many'; ",
    );
    assert_eq!(odd.tables[0].sequence, None);
}

#[test]
fn checks_keep_column_and_name() {
    let table = table(
        "CREATE TABLE t(a, b CONSTRAINT positive CHECK (b > 0), CHECK (json_valid(a)), CHECK (\"b\" <> 'x'))",
    );
    let checks: Vec<_> = table
        .checks
        .iter()
        .map(|check| (check.name.as_deref(), check.column, check.expression.as_str()))
        .collect();
    assert_eq!(
        checks,
        [
            (Some("positive"), Some(1), "b > 0"),
            (None, None, "json_valid (a)"),
            (None, None, "\"b\" <> 'x'")
        ]
    );
}

#[test]
fn foreign_keys_come_in_declared_order() {
    let table = table(
        "CREATE TABLE p(x INTEGER PRIMARY KEY, y, z, UNIQUE (y, z));
         CREATE TABLE t(a INT REFERENCES p, b INT CONSTRAINT bp REFERENCES P(X) ON DELETE CASCADE
           ON UPDATE SET NULL NOT NULL DEFERRABLE INITIALLY DEFERRED, c INT,
           CONSTRAINT two FOREIGN KEY (c, b) REFERENCES p(z, y) ON DELETE SET DEFAULT MATCH FULL,
           FOREIGN KEY (c) REFERENCES \"no such\"(q) ON UPDATE RESTRICT DEFERRABLE)",
    );
    let plain = ForeignKey {
        name: None,
        columns: vec![0],
        parent: "p".into(),
        parent_columns: vec![],
        on_update: FkAction::NoAction,
        on_delete: FkAction::NoAction,
        deferrable: false,
        initially_deferred: false,
    };
    assert_eq!(
        table.foreign_keys,
        [
            plain.clone(),
            ForeignKey {
                name: Some("bp".into()),
                columns: vec![1],
                parent: "P".into(),
                parent_columns: vec!["X".into()],
                on_update: FkAction::SetNull,
                on_delete: FkAction::Cascade,
                deferrable: true,
                initially_deferred: true,
            },
            ForeignKey {
                name: Some("two".into()),
                columns: vec![2, 1],
                parent_columns: vec!["z".into(), "y".into()],
                on_delete: FkAction::SetDefault,
                ..plain.clone()
            },
            ForeignKey {
                columns: vec![2],
                parent: "no such".into(),
                parent_columns: vec!["q".into()],
                on_update: FkAction::Restrict,
                deferrable: true,
                ..plain
            },
        ]
    );
}

#[test]
fn indexes_have_terms_and_predicates() {
    let table = table(
        "CREATE TABLE t(a TEXT COLLATE NOCASE, b);
         CREATE UNIQUE INDEX \"first one\" ON t(a DESC, lower(b) COLLATE RTRIM)
           WHERE b IS NOT NULL AND \"a\" <> '';
         CREATE INDEX second ON t('b')",
    );
    let first = &table.indexes[0];
    assert_eq!((first.name.as_str(), first.unique), ("first one", true));
    assert_eq!(first.predicate.as_deref(), Some("b IS NOT NULL AND \"a\" <> ''"));
    let terms: Vec<_> =
        first.terms.iter().map(|t| (&t.of, t.descending, t.collation.as_str())).collect();
    assert_eq!(
        terms,
        [
            (&IndexTermOf::Column(0), true, "NOCASE"),
            (&IndexTermOf::Expression("lower (b)".into()), false, "RTRIM"),
        ]
    );
    let second = &table.indexes[1];
    assert_eq!(
        (second.name.as_str(), second.unique, second.predicate.as_deref()),
        ("second", false, None)
    );
    assert_eq!(second.terms[0].of, IndexTermOf::Column(1));
}

#[test]
fn views_and_triggers_are_kept_as_text() {
    let schema = clean(
        "CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t;
         CREATE VIEW broken AS SELECT a FROM nowhere;
         CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t; END;
         CREATE TRIGGER tv INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
    );
    assert_eq!(names(&schema.views, |view| &view.name), ["v", "broken"]);
    assert_eq!(names(&schema.triggers, |trigger| &trigger.table), ["t", "v"]);
    assert!(schema.triggers[0].sql.starts_with("CREATE TRIGGER tr AFTER INSERT"));
    assert_eq!(schema.tables.len(), 1);
}

#[test]
fn internal_tables_are_left_out() {
    let schema = clean(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a); CREATE INDEX i ON t(a);
         INSERT INTO t(a) VALUES (1), (2); ANALYZE",
    );
    assert_eq!(names(&schema.tables, |table| &table.name), ["t"]);
}

#[test]
fn after_alter_and_create_as() {
    let schema = clean(
        "CREATE TABLE p(a TEXT); CREATE TABLE t(a INT, b INT CHECK (b > 0) REFERENCES p);
         ALTER TABLE p RENAME TO \"new p\"; ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT 'x';
         ALTER TABLE t RENAME COLUMN b TO \"b 2\"; ALTER TABLE t DROP COLUMN a;
         CREATE TABLE copy AS SELECT *, 1 AS n, 2.5 AS r, x'' AS blob FROM t",
    );
    let table = schema.table("t").unwrap();
    assert_eq!(names(&table.columns, |column| &column.name), ["b 2", "c"]);
    assert_eq!(table.checks[0].expression, "\"b 2\" > 0");
    assert_eq!(table.foreign_keys[0].parent, "new p");
    let copy = schema.table("copy").unwrap();
    assert_eq!(copy.columns[0].affinity, Affinity::Integer);
}

#[test]
fn a_name_that_is_not_utf8_is_an_error_that_shows_it() {
    let connection = database("CREATE TABLE [tXé](a)");
    edit_schema(
        &connection,
        "UPDATE sqlite_schema SET name = CAST(x'74FFC3A9' AS TEXT),
           tbl_name = CAST(x'74FFC3A9' AS TEXT),
           sql = CAST(x'435245415445205441424C45205B74FFC3A95D286129' AS TEXT)",
    );
    let error = source_schema(&connection).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert_eq!(error.full_detail().as_deref(), Some("The name is \"t\\xFFé\"."));
}

#[test]
fn a_text_that_is_not_utf8_is_remarked_and_the_table_kept() {
    let connection =
        database("CREATE TABLE t(a TEXT DEFAULT 'QQ' CHECK (a <> ''), b INTEGER PRIMARY KEY)");
    edit_schema(
        &connection,
        "UPDATE sqlite_schema SET sql = CAST(replace(sql, 'QQ', CAST(x'E9' AS TEXT)) AS TEXT)",
    );
    let schema = source_schema(&connection).unwrap();
    let table = &schema.tables[0];
    assert_eq!((table.rowid_alias, table.columns[0].declared.as_str()), (Some(1), "TEXT"));
    assert!(table.sql.contains("'\\xE9'"), "{}", table.sql);
    assert!(table.checks.is_empty());
    assert!(schema.remarks[0].contains("it is not UTF-8"), "{:?}", schema.remarks);
}

#[test]
fn a_damaged_schema_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let broken = Connection::open(&path).unwrap();
    broken
        .execute_batch(
            "CREATE TABLE t(a); PRAGMA writable_schema = on;
             UPDATE sqlite_schema SET sql = 'CREATE TABLE t('",
        )
        .unwrap();
    drop(broken);
    let error = source_schema(&Connection::open(&path).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert!(error.hints().iter().any(|hint| hint.contains(".recover")), "{error:?}");
}

#[test]
fn the_call_leaves_no_transaction_behind() {
    let connection = database("CREATE TABLE t(a)");
    source_schema(&connection).unwrap();
    assert!(connection.is_autocommit());
    connection.execute_batch("BEGIN").unwrap();
    source_schema(&connection).unwrap();
    assert!(!connection.is_autocommit());
}

#[test]
fn a_thousand_tables_take_a_moment() {
    let mut sql = String::from("BEGIN;");
    for number in 0..1000 {
        sql.push_str(&format!(
            "CREATE TABLE t{number}(id INTEGER PRIMARY KEY, a TEXT NOT NULL UNIQUE, b INT CHECK (b > 0),
               c REFERENCES t0, d REAL DEFAULT 1.5, e, f, g, h, i);
             CREATE INDEX i{number} ON t{number}(b, lower(a)) WHERE c IS NOT NULL;
             CREATE VIEW v{number} AS SELECT * FROM t{number};"
        ));
    }
    sql.push_str("COMMIT");
    let connection = database(&sql);
    let begin = std::time::Instant::now();
    let schema = source_schema(&connection).unwrap();
    let taken = begin.elapsed();
    println!("1,000 tables, indexes and views: {taken:?}");
    assert_eq!((schema.tables.len(), schema.remarks.len()), (1000, 0));
    // Many times what it takes, so that a busy machine does not fail the test.
    assert!(taken.as_secs() < 5, "{taken:?}");
}

#[path = "virtual_tests.rs"]
mod of_virtual_tables;

#[path = "collected_tests.rs"]
mod collected;
