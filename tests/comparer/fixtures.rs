//! The fixtures and generators build, hold what they claim, and are compared right.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::support::compare::{Reason, compare};
use crate::support::fixture::{self, LARGE_BYTES, UNREADABLE_TABLE, WIDE_COLUMNS};
use crate::support::{corpus, generate, pg};

use super::loader;
use super::loader::{LoadedTable, execute, load, mapping, quoted};

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn shop_has_its_rows_and_its_one_orphan() {
    let shop = fixture::shop();
    let connection = open(&shop.path);
    assert_eq!(one::<String>(&connection, "PRAGMA integrity_check"), "ok");
    for (table, rows) in [
        ("users", 400),
        ("products", 120),
        ("orders", 899),
        ("order_items", 2_997),
        ("returns", 60),
        ("settings", 5),
        ("sessions", 250),
        ("audit_log", 1_504),
        ("files", 41),
        ("product_search", 120),
    ] {
        let count: i64 = one(&connection, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(count, rows, "{table}");
    }
    assert_eq!(one::<i64>(&connection, "SELECT count(*) FROM pragma_foreign_key_check"), 1);
    let ahead =
        "SELECT seq - (SELECT max(id) FROM orders) FROM sqlite_sequence WHERE name = 'orders'";
    assert_eq!(one::<i64>(&connection, ahead), 1);
    assert!(one::<f64>(&connection, "SELECT sum(total) FROM order_totals") > 0.0);
}

#[test]
fn quirks_hold_what_they_are_for() {
    let quirks = fixture::quirks();
    let connection = open(&quirks.path);
    for (what, sql) in [
        ("NUL", "SELECT count(*) = 2 FROM nul_in_text WHERE instr(t, char(0)) > 0"),
        ("bad UTF-8", "SELECT hex(t) = 'EDA080' FROM bad_utf8 WHERE id = 3"),
        ("infinities", "SELECT untyped = 9e999 AND typeof(untyped) = 'real' FROM infinities"),
        ("NULL key", "SELECT count(*) = 2 FROM null_in_text_key WHERE id IS NULL"),
        (
            "GUID",
            "SELECT count(*) = 2 FROM guid_blob WHERE typeof(id) = 'blob' AND length(id) = 16",
        ),
        ("UUID in INTEGER", "SELECT typeof(in_integer) = 'text' FROM uuid_forms WHERE id = 1"),
        ("1 and '1'", "SELECT count(DISTINCT typeof(value)) = 5 FROM one_and_text_one"),
        ("2 in BOOL", "SELECT count(*) = 1 FROM bool_with_two WHERE scanned = 2"),
        ("hidden rowid", "SELECT rowid = 'c' AND oid = 'a' FROM rowid_hidden"),
        ("rowids", "SELECT min(id) < -9e18 AND max(id) > 9e18 FROM rowid_extremes"),
        ("large rowids without a key", "SELECT min(rowid) < -9e18 FROM no_key_sparse"),
        ("long key", "SELECT max(length(k)) > 8192 FROM long_key"),
        ("no name", "SELECT a = 'the table has no name' FROM \"\""),
        ("no column name", "SELECT \"\" = 'no name' FROM empty_column_name"),
        ("generated", "SELECT v_sum = 2 AND s_len = 10 AND v_json = 'é' FROM generated"),
        ("strict", "SELECT count(DISTINCT typeof(a)) = 5 FROM strict_any"),
        ("orphans", "SELECT count(*) > 50 FROM pragma_foreign_key_check('fk_orphans')"),
        ("sequence", "SELECT seq = 5000000000 FROM sqlite_sequence WHERE name = 'auto_ahead'"),
        ("contentless", "SELECT title IS NULL FROM notes5_contentless"),
        ("external", "SELECT count(*) = 2 FROM notes5_external"),
        ("epochs", "SELECT typeof(s) || typeof(apple) = 'integerreal' FROM date_epochs"),
        ("collation", "SELECT other = 'x' FROM unknown_collation WHERE id = 1"),
        ("user_version", "SELECT user_version = 42 FROM pragma_user_version"),
    ] {
        assert!(one::<bool>(&connection, sql), "{what}");
    }
    let zero = one::<f64>(&connection, "SELECT untyped FROM negative_zero WHERE id = 1");
    assert!(zero == 0.0 && zero.is_sign_negative(), "minus zero");
    let columns: isize = one(&connection, "SELECT count(*) FROM pragma_table_info('wide')");
    assert_eq!(columns.cast_unsigned(), WIDE_COLUMNS);
    let large = "SELECT min(length(t), length(b)) FROM large_values WHERE id = 2";
    assert_eq!(one::<isize>(&connection, large).cast_unsigned(), LARGE_BYTES);
    let unreadable = connection.prepare(&format!("SELECT * FROM {UNREADABLE_TABLE}"));
    assert!(unreadable.unwrap_err().to_string().contains("no such module"));
    let unknown = connection.prepare("SELECT * FROM unknown_collation ORDER BY name");
    assert!(unknown.unwrap_err().to_string().contains("no such collation"));
}

#[test]
fn utf16_and_wal_are_what_they_say() {
    let utf16 = fixture::quirks_utf16();
    let connection = open(&utf16.path);
    assert_eq!(one::<String>(&connection, "PRAGMA encoding"), "UTF-16le");
    assert_eq!(one::<String>(&connection, "SELECT t FROM texts WHERE id = 4"), "🦊");

    let wal = fixture::with_wal();
    let alone = wal.folder.path().join("alone.db");
    std::fs::copy(&wal.path, &alone).unwrap();
    let without = one::<i64>(&open(&alone), "SELECT count(*) FROM t");
    assert_eq!(without, 1, "the rows must be in the -wal only");
}

/// Loads everything, expects it to be the same, then changes one value in each table and expects
/// each of these to be found and nothing else.
fn compare_and_plant(path: &Path, url: &str, schema: &str) -> (usize, u64) {
    let tables = load(path, url, schema).unwrap();
    let names = mapping(schema, &tables).leaving_out(&[UNREADABLE_TABLE]);
    let good = compare(path, url, &names).unwrap();
    assert!(good.same(), "{}: {}", path.display(), good.listed());
    let loaded: u64 = tables.iter().map(|table| table.rows).sum();
    assert_eq!(good.rows, loaded, "{}: rows were not read", path.display());

    let mut planted: Vec<&str> = Vec::new();
    let mut changes = String::new();
    for (nth, table) in tables.iter().enumerate() {
        if table.rows > 0 {
            changes.push_str(&change_one_value(schema, table, nth));
            planted.push(&table.source);
        }
    }
    execute(url, &changes).unwrap();
    planted.sort_unstable();
    let found = compare(path, url, &names).unwrap();
    let mut blamed: Vec<&str> =
        found.differences.iter().map(|difference| difference.table.as_str()).collect();
    blamed.sort_unstable();
    blamed.dedup();
    assert_eq!(blamed, planted, "{}: {}", path.display(), found.listed());
    execute(url, &format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    (good.tables, good.rows)
}

fn change_one_value(schema: &str, table: &LoadedTable, nth: usize) -> String {
    let row = nth as u64 * 7_919 % table.rows;
    let loader::Loaded { target, pg_type, .. } = &table.columns[nth % table.columns.len()];
    let column = quoted(target);
    let changed = match *pg_type {
        "bigint" => format!("CASE WHEN {column} IS NULL THEN 0 ELSE {column} # 1 END"),
        "double precision" => format!("CASE WHEN {column} IS NULL THEN 0 ELSE -{column} END"),
        "text" => format!("coalesce({column} || 'x', '')"),
        _ => format!("coalesce({column} || '\\x00', '')"),
    };
    let target = format!("{schema}.{}", quoted(&table.target));
    format!(
        "UPDATE {target} SET {column} = {changed} \
         WHERE ctid = (SELECT ctid FROM {target} OFFSET {row} LIMIT 1);"
    )
}

#[test]
fn fixtures_compare_and_every_change_is_found() {
    let database = pg::database();
    let url = database.url.clone();
    for (fixture, schema) in [
        (fixture::shop(), "comparer_shop"),
        (fixture::quirks(), "comparer_quirks"),
        (fixture::quirks_utf16(), "comparer_utf16"),
        (fixture::with_wal(), "comparer_wal"),
    ] {
        compare_and_plant(&fixture.path, &url, schema);
    }
}

#[test]
fn corpus_compares_and_every_change_is_found() {
    let Some(files) = corpus::files() else { return };
    let database = pg::database();
    let url = database.url.clone();
    assert!(!files.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let (mut tables, mut rows) = (0, 0);
    for file in &files {
        let copy = file.copy_into(folder.path()).unwrap();
        let (more_tables, more_rows) = compare_and_plant(&copy, &url, "comparer_corpus");
        tables += more_tables;
        rows += more_rows;
    }
    let pairs = files.iter().filter(|file| file.postgres_schema.is_some()).count();
    eprintln!("{} databases, {pairs} pairs, {tables} tables, {rows} rows", files.len());
}

#[test]
fn unreadable_tables_are_differences() {
    let database = pg::database();
    let url = database.url.clone();
    let quirks = fixture::quirks();
    let schema = "comparer_unreadable";
    let mut names = mapping(schema, &load(&quirks.path, &url, schema).unwrap());
    let place = (UNREADABLE_TABLE.to_owned(), schema.to_owned(), "x".to_owned(), Vec::new());
    names.tables.push(place);
    let found = compare(&quirks.path, &url, &names).unwrap();
    assert_eq!(found.total_differences, 1, "{}", found.listed());
    assert!(matches!(&found.differences[0].reason, Reason::Unreadable(message)
        if message.contains("no such module")));
}

#[test]
fn generated_databases_have_their_size_and_are_always_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("generated.db");
    let again = folder.path().join("again.db");
    generate::narrow(&path, 1_000).unwrap();
    generate::narrow(&again, 1_000).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    generate::app(&path, 1_000).unwrap();
    let connection = open(&path);
    assert_eq!(
        one::<i64>(&connection, "SELECT count(*) FROM app WHERE json_valid(settings)"),
        1_000
    );
    assert!(one::<bool>(&connection, "SELECT avg(length(settings)) BETWEEN 60 AND 140 FROM app"));
    assert_eq!(one::<i64>(&connection, "SELECT count(DISTINCT typeof(price)) FROM app"), 2);
    drop(connection);
    generate::many(&path, 300, 5).unwrap();
    let connection = open(&path);
    assert_eq!(one::<i64>(&connection, "SELECT count(*) FROM sqlite_schema"), 300);
    drop(connection);
    generate::sized(&path, 20 << 20).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!((18 << 20..22 << 20).contains(&size), "{size}");
    let connection = open(&path);
    assert_eq!(one::<String>(&connection, "PRAGMA integrity_check"), "ok");
    assert_eq!(one::<i64>(&connection, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/// A million rows: run by hand, in release, and look at the memory.
#[test]
#[ignore = "takes a minute"]
fn a_million_rows_of_ten_columns() {
    let database = pg::database();
    let url = database.url.clone();
    let rows = 1_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    generate::app(&path, rows).unwrap();
    let connection = open(&path);
    connection.execute_batch("CREATE TABLE bag AS SELECT * FROM app").unwrap();
    drop(connection);
    let names = mapping("comparer_large", &load(&path, &url, "comparer_large").unwrap());
    let start = std::time::Instant::now();
    let found = compare(&path, &url, &names).unwrap();
    found.expect_same();
    eprintln!("{} rows, {} values in {:?}", found.rows, found.values, start.elapsed());
    execute(&url, "DELETE FROM comparer_large.bag WHERE id % 1000 < 500").unwrap();
    let start = std::time::Instant::now();
    let found = compare(&path, &url, &names).unwrap();
    assert_eq!(found.total_differences, u64::from(rows / 2));
    eprintln!("half of the bag missing: {:?}", start.elapsed());
    execute(&url, "DROP SCHEMA comparer_large CASCADE").unwrap();
}
