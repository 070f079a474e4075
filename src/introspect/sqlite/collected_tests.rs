//! Schemas collected elsewhere: the cases that were executed on both engines, and real databases.

use std::path::{Path, PathBuf};

use super::*;
use crate::read::Source;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    sqlite_ddl: Vec<String>,
    expect_pg_ddl: Vec<String>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ddl_cases.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_case_is_understood_without_a_remark() {
    let cases = cases();
    assert_eq!(cases.len(), 79);
    for case in &cases {
        let connection = of_case(case);
        let schema = source_schema(&connection).unwrap();
        assert!(schema.remarks.is_empty(), "{}: {:?}", case.name, schema.remarks);
        assert!(!schema.tables.is_empty(), "{}", case.name);
        for table in &schema.tables {
            assert_alias_as_sqlite_has_it(&connection, table, &case.name);
        }
        // The expected PostgreSQL side has an identity exactly where the rowid has another name, in
        // the cases of one table.
        let identity = case.expect_pg_ddl.concat().contains("AS IDENTITY");
        if let [table] = schema.tables.as_slice() {
            assert_eq!(identity, table.rowid_alias.is_some(), "{}", case.name);
        }
    }
}

/// Makes the case's database. SQLite makes no CHECK with a function that it does not have, but reads
/// one, as here the REGEXP of some application.
fn of_case(case: &Case) -> Connection {
    let sql = case.sqlite_ddl.join(";\n");
    let connection = database(&sql.replace(" REGEXP ", " LIKE "));
    if sql.contains(" REGEXP ") {
        edit_schema(
            &connection,
            "UPDATE sqlite_schema SET sql = replace(sql, ' LIKE ', ' REGEXP ')",
        );
    }
    connection
}

/// SQLite reports the origin of `rowid` as the column that is its alias.
fn assert_alias_as_sqlite_has_it(connection: &Connection, table: &Table, of: &str) {
    let Some(rowid) = &table.rowid_name else { return };
    let sql = format!("SELECT {rowid} FROM \"{}\"", table.name.replace('"', "\"\""));
    let statement = connection.prepare(&sql).unwrap();
    let origin = statement.columns_with_metadata().next().unwrap().origin_name().map(str::to_owned);
    let alias = table.rowid_alias.map(|position| table.columns[position].name.clone());
    assert_eq!(origin, alias.or(Some("rowid".into())), "{of}: {}", table.name);
}

/// The databases of the corpus, if it is on this machine.
fn corpus() -> Vec<PathBuf> {
    let root = std::env::var_os("LITELIFT_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "db" || end == "sqlite") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_database_of_the_corpus_is_understood() {
    let databases = corpus();
    if databases.is_empty() {
        println!("SKIPPED: no corpus here; set LITELIFT_CORPUS to its folder");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for original in &databases {
        let copy = folder.path().join("copy.db");
        for part in ["", "-wal"] {
            let (mut from, mut to) =
                (original.clone().into_os_string(), copy.clone().into_os_string());
            from.push(part);
            to.push(part);
            if Path::new(&from).exists() {
                std::fs::copy(from, to).unwrap();
            }
        }
        assert_understood(&copy, original);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

fn assert_understood(copy: &Path, original: &Path) {
    let of = original.file_name().unwrap().to_string_lossy();
    let connection = Source::locate(copy).unwrap().connect().unwrap();
    let schema = source_schema(&connection).unwrap();
    println!(
        "{of}: {} tables, {} unreadable, {} shadows",
        schema.tables.len(),
        schema.unreadable.len(),
        schema.shadow_tables.len()
    );
    for table in &schema.unreadable {
        println!("    {}: {}", table.name, table.reason);
    }
    assert!(schema.remarks.is_empty(), "{of}: {:?}", schema.remarks);
    let named: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let found = schema.tables.len() + schema.unreadable.len() + schema.shadow_tables.len();
    assert_eq!(usize::try_from(named).unwrap(), found, "{of}");
    for table in &schema.tables {
        if !matches!(table.kind, TableKind::Virtual { .. }) {
            assert_alias_as_sqlite_has_it(&connection, table, &of);
        }
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name.replace('"', "\"\"")))
            .collect();
        let sql =
            format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name.replace('"', "\"\""));
        connection.prepare(&sql).unwrap_or_else(|error| panic!("{of}: {error}"));
    }
}
