//! A slow and simple loader, so that the comparer can be tested before and without the program.
//!
//! Purpose: puts each table of a SQLite file into PostgreSQL by INSERT statements of literals, each
//! column as the plainest type that holds all its values: bigint, double precision, text or bytea.
//!
//! Known gaps: no keys, no constraints, one connection, everything as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::{Client, NoTls};

use crate::support::compare::{Fallible, Mapping};

/// Bytes of literals that one INSERT statement gathers.
const STATEMENT_BYTES: usize = 1 << 20;

/// Runs SQL on a connection of its own.
pub(super) fn execute(url: &str, sql: &str) -> Fallible<()> {
    with_client(url, async |client| Ok(client.batch_execute(sql).await?))
}

/// Reads one column of text.
pub(super) fn texts(url: &str, sql: &str) -> Fallible<Vec<String>> {
    with_client(url, async |client| {
        let rows = client.query(sql, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    })
}

fn with_client<T>(url: &str, work: impl AsyncFnOnce(Client) -> Fallible<T>) -> Fallible<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let driver = tokio::spawn(connection);
        let result = work(client).await;
        driver.await??;
        result
    })
}

/// A loaded column: where it went and as which type.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) pg_type: &'static str,
}

/// A loaded table.
#[derive(Debug, Clone)]
pub(super) struct LoadedTable {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) columns: Vec<Loaded>,
    pub(super) rows: u64,
}

/// What was loaded, as the comparer wants to know it.
pub(super) fn mapping(schema: &str, tables: &[LoadedTable]) -> Mapping {
    let tables = tables.iter().map(|table| {
        let columns =
            table.columns.iter().map(|column| (column.source.clone(), column.target.clone()));
        (table.source.clone(), schema.to_owned(), table.target.clone(), columns.collect())
    });
    Mapping::from(tables.collect::<Vec<_>>())
}

/// Loads every table that can be read into a new schema.
pub(super) fn load(source: &Path, url: &str, schema: &str) -> Fallible<Vec<LoadedTable>> {
    let source = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.collation_needed(|source, name| source.create_collation(name, Ord::cmp))?;
    let mut names: Vec<String> = Vec::new();
    let mut statement = source.prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        names.push(row.get(0)?);
    }
    with_client(url, async |client| {
        client
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};"
            ))
            .await?;
        let mut taken = BTreeSet::new();
        let mut tables = Vec::new();
        for name in names {
            let target = usable(&name, &mut taken);
            if let Ok(mut table) = describe(&source, name, target) {
                load_table(&source, &client, schema, &mut table).await?;
                tables.push(table);
            }
        }
        Ok(tables)
    })
}

fn describe(source: &Connection, name: String, target: String) -> Fallible<LoadedTable> {
    let statement = source.prepare(&format!("SELECT * FROM {}", quoted(&name)))?;
    let mut taken = BTreeSet::new();
    let mut columns = Vec::new();
    for column in statement.column_names() {
        let target = usable(column, &mut taken);
        columns.push(Loaded { source: column.to_owned(), target, pg_type: "bytea" });
    }
    Ok(LoadedTable { source: name, target, columns, rows: 0 })
}

async fn load_table(
    source: &Connection,
    client: &Client,
    schema: &str,
    table: &mut LoadedTable,
) -> Fallible<()> {
    let mut statement = source.prepare(&format!("SELECT * FROM {}", quoted(&table.source)))?;
    let mut kinds = vec![Kind::default(); table.columns.len()];
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (index, kind) in kinds.iter_mut().enumerate() {
            kind.see(row.get_ref(index)?);
        }
    }
    drop(rows);
    let mut columns = Vec::new();
    for (column, kind) in table.columns.iter_mut().zip(&kinds) {
        column.pg_type = kind.pg_type();
        columns.push(format!("{} {}", quoted(&column.target), column.pg_type));
    }
    let target = format!("{schema}.{}", quoted(&table.target));
    client.batch_execute(&format!("CREATE TABLE {target} ({})", columns.join(", "))).await?;
    let mut sql = String::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if sql.is_empty() {
            write!(sql, "INSERT INTO {target} VALUES ")?;
        } else {
            sql.push(',');
        }
        for (index, column) in table.columns.iter().enumerate() {
            sql.push(if index == 0 { '(' } else { ',' });
            literal(row.get_ref(index)?, column.pg_type, &mut sql)?;
        }
        sql.push(')');
        table.rows += 1;
        if sql.len() > STATEMENT_BYTES {
            client.batch_execute(&sql).await?;
            sql.clear();
        }
    }
    if !sql.is_empty() {
        client.batch_execute(&sql).await?;
    }
    Ok(())
}

/// Which storage classes a column holds.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    integers: bool,
    inexact: bool,
    reals: bool,
    texts: bool,
    bytes: bool,
}

impl Kind {
    fn see(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(integer) => {
                self.integers = true;
                self.inexact |= integer.unsigned_abs() > 1 << 53;
            }
            ValueRef::Real(_) => self.reals = true,
            ValueRef::Text(text) => {
                let storable = std::str::from_utf8(text).is_ok_and(|text| !text.contains('\0'));
                self.texts |= storable;
                self.bytes |= !storable;
            }
            ValueRef::Blob(_) => self.bytes = true,
        }
    }

    fn pg_type(self) -> &'static str {
        match self {
            Self { bytes: true, .. } => "bytea",
            Self { texts: true, .. } => "text",
            Self { reals: true, integers: true, inexact: true, .. } => "text",
            Self { reals: true, .. } => "double precision",
            Self { integers: true, .. } => "bigint",
            _ => "text",
        }
    }
}

fn literal(value: ValueRef<'_>, pg_type: &str, sql: &mut String) -> std::fmt::Result {
    let bytes = match value {
        ValueRef::Null => return write!(sql, "NULL"),
        ValueRef::Integer(integer) => integer.to_string().into_bytes(),
        ValueRef::Real(f64::INFINITY) => b"Infinity".to_vec(),
        ValueRef::Real(f64::NEG_INFINITY) => b"-Infinity".to_vec(),
        ValueRef::Real(real) => format!("{real:?}").into_bytes(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
    };
    if pg_type == "bytea" {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return write!(sql, "'\\x{hex}'");
    }
    write!(sql, "'{}'", String::from_utf8_lossy(&bytes).replace('\'', "''"))
}

/// A name that PostgreSQL takes and that is not taken: the own one, or `renamed_N`.
fn usable(name: &str, taken: &mut BTreeSet<String>) -> String {
    let system = ["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid"].contains(&name);
    let fits = !name.is_empty() && name.len() <= 63 && !system && !taken.contains(name);
    let usable = if fits { name.to_owned() } else { format!("renamed_{}", taken.len()) };
    taken.insert(usable.clone());
    usable
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
