//! SQLite's own answers about a file: PRAGMAs and `sqlite_schema`, row by row.
//!
//! Purpose: the statements that ask, each prepared once, and the plain values that they give. Names
//! are bound as parameters, so they may hold anything.
//!
//! Known gaps: a name that is not UTF-8 is an error, because SQL text must be UTF-8 here.

use std::collections::HashMap;
use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};

use crate::error::{Error, Result};
use crate::read::fault;

/// What `sqlite_schema` says of one object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) name: String,
    /// The table that it belongs to.
    pub(super) table: String,
    /// The CREATE text; `Err` has what can be shown of one that is not UTF-8.
    pub(super) sql: std::result::Result<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Table,
    Index,
    View,
    Trigger,
    Unknown,
}

/// What `PRAGMA table_list` says of one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    pub(super) storage: Storage,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    Ordinary,
    Virtual,
    /// The inner table of a virtual one.
    Shadow,
}

/// A row of `PRAGMA table_xinfo`.
#[derive(Debug)]
pub(super) struct ColumnRow {
    pub(super) name: String,
    pub(super) declared: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Position in the primary key, from 1; 0 when it is not in it.
    pub(super) key_position: i64,
    /// 0 plain, 1 hidden column of a virtual table, 2 virtual and 3 stored generated column.
    pub(super) hidden: i64,
}

/// A row of `PRAGMA index_list`.
#[derive(Debug)]
pub(super) struct IndexRow {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) origin: IndexOrigin,
    pub(super) partial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexOrigin {
    CreateIndex,
    Unique,
    PrimaryKey,
}

/// A key row of `PRAGMA index_xinfo`.
#[derive(Debug)]
pub(super) struct IndexTermRow {
    /// Column, -1 for the rowid, -2 for an expression.
    pub(super) cid: i64,
    pub(super) descending: bool,
    pub(super) collation: String,
}

/// A row of `PRAGMA foreign_key_list`.
#[derive(Debug)]
pub(super) struct ForeignKeyRow {
    pub(super) id: i64,
    pub(super) parent: String,
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

/// The prepared questions.
pub(super) struct Catalogue<'c> {
    connection: &'c Connection,
    columns: Statement<'c>,
    indexes: Statement<'c>,
    index_terms: Statement<'c>,
    foreign_keys: Statement<'c>,
}

impl<'c> Catalogue<'c> {
    pub(super) fn open(connection: &'c Connection) -> Result<Self> {
        let prepare = |sql| connection.prepare(sql).map_err(|e| failure(connection, e));
        Ok(Self {
            connection,
            columns: prepare(
                "SELECT name, type, \"notnull\", dflt_value, pk, hidden
                 FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
            )?,
            indexes: prepare(
                "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main')",
            )?,
            index_terms: prepare(
                "SELECT cid, \"desc\", coll FROM pragma_index_xinfo(?1, 'main')
                 WHERE \"key\" ORDER BY seqno",
            )?,
            foreign_keys: prepare(
                "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete
                 FROM pragma_foreign_key_list(?1, 'main') ORDER BY id DESC, seq",
            )?,
        })
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// A PRAGMA that gives one integer.
    pub(super) fn number(&self, pragma: &str) -> Result<i64> {
        self.connection
            .pragma_query_value(Some("main"), pragma, |row| row.get(0))
            .map_err(|e| failure(self.connection, e))
    }

    /// A PRAGMA that gives one text.
    pub(super) fn text(&self, pragma: &str) -> Result<String> {
        self.connection
            .pragma_query_value(Some("main"), pragma, |row| row.get(0))
            .map_err(|e| failure(self.connection, e))
    }

    /// All objects but SQLite's internal ones, in the order in which they were made.
    pub(super) fn objects(&self) -> Result<Vec<Object>> {
        let sql = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY rowid";
        let all = self.each(sql, |row| {
            Ok(Object {
                kind: object_kind(bytes(row, 0)?),
                name: name(row, 1, "a table, index, view or trigger")?,
                table: name(row, 2, "a table")?,
                sql: text_or_shown(bytes(row, 3)?),
            })
        })?;
        Ok(all.into_iter().filter(|object| !is_internal(&object.name)).collect())
    }

    /// `PRAGMA table_list`, by name. Asked once: SQLite looks at every view each time.
    pub(super) fn tables(&self) -> Result<HashMap<String, Listed>> {
        let sql = "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'";
        let all = self.each(sql, |row| {
            let storage = match bytes(row, 1)? {
                b"virtual" => Storage::Virtual,
                b"shadow" => Storage::Shadow,
                _ => Storage::Ordinary,
            };
            let listed = Listed { storage, without_rowid: flag(row, 2)?, strict: flag(row, 3)? };
            Ok((name(row, 0, "a table")?, listed))
        })?;
        Ok(all.into_iter().collect())
    }

    /// Largest rowid ever used, by table. Anybody may have written anything into `sqlite_sequence`:
    /// what is no integer is left out.
    pub(super) fn sequences(&self) -> Result<HashMap<String, i64>> {
        let there = "SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'";
        if self.each(there, |_| Ok(()))?.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = "SELECT name, seq FROM main.sqlite_sequence WHERE typeof(seq) = 'integer'
                   ORDER BY seq";
        let all = self.each(sql, |row| Ok((lossy(bytes(row, 0)?), number(row, 1)?)))?;
        Ok(all.into_iter().collect())
    }

    /// The columns of a table. The error of a virtual table that cannot be opened stays SQLite's.
    pub(super) fn columns(
        &mut self,
        table: &str,
    ) -> Result<std::result::Result<Vec<ColumnRow>, rusqlite::Error>> {
        let of = || format!("a column of table \"{table}\"");
        rows(&mut self.columns, table, |row| {
            Ok(ColumnRow {
                name: name(row, 0, &of())?,
                declared: lossy(bytes(row, 1)?),
                not_null: flag(row, 2)?,
                default: optional(row, 3)?.map(lossy),
                key_position: number(row, 4)?,
                hidden: number(row, 5)?,
            })
        })
    }

    /// The indexes of a table, in no useful order.
    pub(super) fn indexes(&mut self, table: &str) -> Result<Vec<IndexRow>> {
        let of = || format!("an index of table \"{table}\"");
        let found = rows(&mut self.indexes, table, |row| {
            let origin = match bytes(row, 2)? {
                b"u" => IndexOrigin::Unique,
                b"pk" => IndexOrigin::PrimaryKey,
                _ => IndexOrigin::CreateIndex,
            };
            let name = name(row, 0, &of())?;
            Ok(IndexRow { name, unique: flag(row, 1)?, origin, partial: flag(row, 3)? })
        })?;
        found.map_err(|e| failure(self.connection, e))
    }

    /// The key terms of an index, in order.
    pub(super) fn index_terms(&mut self, index: &str) -> Result<Vec<IndexTermRow>> {
        let found = rows(&mut self.index_terms, index, |row| {
            let collation = lossy(bytes(row, 2)?);
            Ok(IndexTermRow { cid: number(row, 0)?, descending: flag(row, 1)?, collation })
        })?;
        found.map_err(|e| failure(self.connection, e))
    }

    /// The foreign keys of a table: in declared order (SQLite lists the newest first), and the
    /// columns of each in order.
    pub(super) fn foreign_keys(&mut self, table: &str) -> Result<Vec<ForeignKeyRow>> {
        let of = || format!("a foreign key of table \"{table}\"");
        let found = rows(&mut self.foreign_keys, table, |row| {
            let to = optional(row, 3)?.map(|bytes| utf8(bytes, &of())).transpose()?;
            Ok(ForeignKeyRow {
                id: number(row, 0)?,
                parent: name(row, 1, &of())?,
                from: name(row, 2, &of())?,
                to,
                on_update: lossy(bytes(row, 4)?),
                on_delete: lossy(bytes(row, 5)?),
            })
        })?;
        found.map_err(|e| failure(self.connection, e))
    }

    /// Effective collation of a column, and whether it is AUTOINCREMENT.
    pub(super) fn collation(&self, table: &str, column: &str) -> Result<(String, bool)> {
        let (_, collation, _, _, autoincrement) = self
            .connection
            .column_metadata(Some("main"), table, column)
            .map_err(|e| failure(self.connection, e))?;
        let collation = collation.map_or_else(|| "BINARY".to_owned(), |c| lossy(c.to_bytes()));
        Ok((collation, autoincrement))
    }

    /// Lets SQLite compile a query of these columns.
    pub(super) fn can_prepare(&self, table: &str, columns: &[&str]) -> rusqlite::Result<()> {
        self.connection.prepare(&select(table, columns)).map(|_| ())
    }

    /// Lets SQLite read the first row.
    pub(super) fn can_read(&self, table: &str, columns: &[&str]) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(&select(table, columns))?;
        let mut rows = statement.query([])?;
        rows.next().map(|_| ())
    }

    fn each<T>(&self, sql: &str, read: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let wrap = |e| failure(self.connection, e);
        let mut statement = self.connection.prepare(sql).map_err(wrap)?;
        let mut found = statement.query([]).map_err(wrap)?;
        let mut all = Vec::new();
        while let Some(row) = found.next().map_err(wrap)? {
            all.push(read(row)?);
        }
        Ok(all)
    }
}

/// Wraps an error of SQLite while the schema is read.
pub(super) fn failure(connection: &Connection, cause: rusqlite::Error) -> Error {
    let file = connection.path().unwrap_or_default().to_owned();
    fault::explain(format!("could not read the schema of \"{file}\""), &file, cause)
}

fn select(table: &str, columns: &[&str]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    format!("SELECT {} FROM main.{}", columns.join(", "), quoted(table))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// True for names that SQLite keeps for itself.
pub(super) fn is_internal(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// Asks a prepared question about one object.
fn rows<T>(
    statement: &mut Statement<'_>,
    about: &str,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<std::result::Result<Vec<T>, rusqlite::Error>> {
    let mut found = match statement.query([about]) {
        Ok(found) => found,
        Err(cause) => return Ok(Err(cause)),
    };
    let mut all = Vec::new();
    loop {
        match found.next() {
            Ok(Some(row)) => all.push(read(row)?),
            Ok(None) => return Ok(Ok(all)),
            Err(cause) => return Ok(Err(cause)),
        }
    }
}

fn object_kind(kind: &[u8]) -> ObjectKind {
    match kind {
        b"table" => ObjectKind::Table,
        b"index" => ObjectKind::Index,
        b"view" => ObjectKind::View,
        b"trigger" => ObjectKind::Trigger,
        _ => ObjectKind::Unknown,
    }
}

fn value<'r>(row: &'r Row<'_>, at: usize) -> Result<ValueRef<'r>> {
    row.get_ref(at)
        .map_err(|cause| Error::source_file("could not read the schema").caused_by(cause))
}

fn optional<'r>(row: &'r Row<'_>, at: usize) -> Result<Option<&'r [u8]>> {
    Ok(match value(row, at)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    })
}

fn bytes<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r [u8]> {
    Ok(optional(row, at)?.unwrap_or_default())
}

fn number(row: &Row<'_>, at: usize) -> Result<i64> {
    Ok(match value(row, at)? {
        ValueRef::Integer(number) => number,
        _ => 0,
    })
}

fn flag(row: &Row<'_>, at: usize) -> Result<bool> {
    Ok(number(row, at)? != 0)
}

fn name(row: &Row<'_>, at: usize, of: &str) -> Result<String> {
    utf8(bytes(row, at)?, of)
}

fn utf8(bytes: &[u8], of: &str) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        Error::source_file(format!("the name of {of} is not UTF-8"))
            .detail(format!("The name is \"{}\".", escaped(bytes)))
            .hint("Give it another name with ALTER TABLE ... RENAME, in a copy of the file.")
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text_or_shown(bytes: &[u8]) -> std::result::Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| escaped(bytes))
}

/// Shows bytes without losing any: what is no UTF-8 as `\xFF`, a backslash doubled.
fn escaped(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    shown
}
