//! The project's own databases, built from `fixtures/*.sql` into temporary folders.
//!
//! Purpose: `shop` is a small realistic application, `quirks` has everything odd at once. What SQL
//! text cannot make (a thousand columns, large values, an unknown collation, rows that are only in
//! the -wal) is added here.
//!
//! Known gaps: `quirks` has one table that only its application can read; tools that check a whole
//! file report it.

#![allow(clippy::expect_used, reason = "a fixture that cannot be built is a failed test")]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::generate::Random;

/// A database file; its folder goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

/// Columns of the table `wide` of `quirks`.
pub(crate) const WIDE_COLUMNS: usize = 1_000;
/// Bytes of each value of the table `large_values` of `quirks`.
pub(crate) const LARGE_BYTES: usize = 5 << 20;
/// A table of `quirks` whose module is not there, as in a SpatiaLite file.
pub(crate) const UNREADABLE_TABLE: &str = "unreadable_module";

/// Builds the demo shop.
pub(crate) fn shop() -> Fixture {
    from_sql("shop.db", include_str!("../../fixtures/shop.sql"))
}

/// Builds the database of oddities.
pub(crate) fn quirks() -> Fixture {
    let fixture = from_sql("quirks.db", include_str!("../../fixtures/quirks.sql"));
    let connection = Connection::open(&fixture.path).expect("open");
    add_wide(&connection).expect("wide");
    add_large_values(&connection).expect("large values");
    add_unknown_collation(&connection).expect("collation");
    add_unreadable(&connection).expect("unreadable");
    close(connection);
    fixture
}

/// Builds a database whose text is UTF-16.
pub(crate) fn quirks_utf16() -> Fixture {
    from_sql("quirks_utf16.db", include_str!("../../fixtures/quirks_utf16.sql"))
}

/// Builds a database in WAL mode: row 1 is in the file, rows 2 to 1,000 and the change of row 1 are
/// only in the -wal, as when its application was killed.
pub(crate) fn with_wal() -> Fixture {
    let fixture = from_sql(
        "wal.db",
        "PRAGMA journal_mode = WAL;
         CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO t VALUES (1, 'in the file');",
    );
    let connection = Connection::open(&fixture.path).expect("open");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("keep -wal");
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0;
             WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO t SELECT i, 'only in the -wal ' || i FROM n;
             UPDATE t SET v = 'changed in the -wal' WHERE id = 1;",
        )
        .expect("rows in the -wal");
    close(connection);
    let mut wal = fixture.path.clone().into_os_string();
    wal.push("-wal");
    assert!(Path::new(&wal).exists(), "the -wal was checkpointed away");
    fixture
}

/// Builds a database from SQL text in a temporary folder.
pub(crate) fn from_sql(name: &str, sql: &str) -> Fixture {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(name);
    let connection = Connection::open(&path).expect("create");
    // SQLite's own default; the bundled one checks, and orphans could not be made.
    connection.execute_batch("PRAGMA foreign_keys = OFF").expect("pragma");
    connection.execute_batch(sql).expect("fixture SQL");
    close(connection);
    Fixture { path, folder }
}

fn add_wide(connection: &Connection) -> rusqlite::Result<()> {
    let columns: Vec<String> = (1..WIDE_COLUMNS).map(|n| format!("c{n} INTEGER")).collect();
    connection.execute_batch(&format!(
        "CREATE TABLE wide (id INTEGER PRIMARY KEY, {})",
        columns.join(", ")
    ))?;
    for id in 1..=3 {
        let values: Vec<String> = (1..WIDE_COLUMNS)
            .map(|n| if n % 7 == 0 { "NULL".to_owned() } else { (n * id).to_string() })
            .collect();
        connection
            .execute_batch(&format!("INSERT INTO wide VALUES ({id}, {})", values.join(", ")))?;
    }
    Ok(())
}

fn add_large_values(connection: &Connection) -> rusqlite::Result<()> {
    let mut random = Random::new(5);
    let blob: Vec<u8> = (0..LARGE_BYTES / 8).flat_map(|_| random.next().to_le_bytes()).collect();
    let text: String = (0..LARGE_BYTES / 16).map(|_| format!("{:016x}", random.next())).collect();
    connection.execute_batch(
        "CREATE TABLE large_values (id INTEGER PRIMARY KEY, t TEXT, b BLOB);
         INSERT INTO large_values VALUES (1, 'small', x'00'), (3, NULL, NULL);",
    )?;
    connection.execute("INSERT INTO large_values VALUES (2, ?1, ?2)", (&text, &blob))?;
    Ok(())
}

fn add_unknown_collation(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation("app_order", |a, b| a.len().cmp(&b.len()).then(a.cmp(b)))?;
    connection.execute_batch(
        "CREATE TABLE unknown_collation (
           id INTEGER PRIMARY KEY, name TEXT COLLATE app_order UNIQUE, other TEXT);
         INSERT INTO unknown_collation VALUES (1, 'bb', 'x'), (2, 'a', 'y'), (3, 'ccc', NULL);
         CREATE INDEX unknown_collation_other ON unknown_collation (other COLLATE app_order);
         CREATE TABLE unknown_collation_key (
           name TEXT COLLATE app_order PRIMARY KEY, v INT) WITHOUT ROWID;
         INSERT INTO unknown_collation_key VALUES ('zz', 1), ('a', 2), ('mmm', 3);",
    )
}

fn add_unreadable(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    connection.execute(
        "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES \
         ('table', ?1, ?1, 0, 'CREATE VIRTUAL TABLE ' || ?1 || ' USING VirtualSpatialIndex()')",
        [UNREADABLE_TABLE],
    )?;
    connection.execute_batch("PRAGMA writable_schema = RESET")
}

fn close(connection: Connection) {
    connection.close().map_err(|(_, error)| error).expect("close");
}
