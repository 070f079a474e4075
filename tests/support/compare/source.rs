//! The SQLite side: a private copy, its tables and columns, its rows.
//!
//! Purpose: read what the file says with PRAGMAs and plain SELECTs only.
//!
//! Known gaps: in a UTF-16 file the text is what SQLite's own conversion to UTF-8 makes of it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Fallible;

/// An open private copy; the folder goes when it is dropped.
pub(crate) struct Source {
    pub(crate) connection: Connection,
    _folder: tempfile::TempDir,
}

/// A table with the columns whose values can be read.
#[derive(Debug, Clone)]
pub(crate) struct SourceTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Name of the INTEGER PRIMARY KEY that is the rowid.
    pub(crate) rowid_alias: Option<String>,
    /// SQLite's message when the table cannot be read.
    pub(crate) unreadable: Option<String>,
}

impl Source {
    /// Copies the file with its -wal or -journal, so that opening it changes nothing of the user's.
    pub(crate) fn open(path: &Path) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("source.db");
        std::fs::copy(path, &copy)?;
        for suffix in ["-wal", "-journal"] {
            let beside = with_suffix(path, suffix);
            if beside.exists() {
                std::fs::copy(beside, with_suffix(&copy, suffix))?;
            }
        }
        let connection = Connection::open_with_flags(
            &copy,
            // Writing is needed to bring in the -wal; it happens to the copy only.
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        // Any order will do for a collation that only the application has: rows are read, never
        // looked up by it.
        connection
            .collation_needed(|connection, name| connection.create_collation(name, Ord::cmp))?;
        Ok(Self { connection, _folder: folder })
    }

    /// Lists ordinary and virtual tables; no shadow tables and none of SQLite's own.
    pub(crate) fn tables(&self) -> Fallible<Vec<SourceTable>> {
        let mut statement = self.connection.prepare(
            "SELECT s.name, l.type, l.wr FROM main.sqlite_schema s \
             LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name \
             WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY s.rowid",
        )?;
        let mut rows = statement.query([])?;
        let mut tables = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let kind: Option<String> = row.get(1)?;
            let without_rowid = row.get::<_, Option<i64>>(2)?.unwrap_or(0) != 0;
            if kind.as_deref() != Some("shadow") {
                let ordinary = kind.as_deref() == Some("table") && !without_rowid;
                tables.push(self.table(name, ordinary)?);
            }
        }
        Ok(tables)
    }

    fn table(&self, name: String, has_rowid: bool) -> Fallible<SourceTable> {
        let mut table =
            SourceTable { name, columns: Vec::new(), rowid_alias: None, unreadable: None };
        if let Err(error) = self.columns(&mut table, has_rowid) {
            table.unreadable = Some(error.to_string());
        } else if let Err(error) = self.connection.prepare(&select(&table, &table.columns, false)) {
            table.unreadable = Some(error.to_string());
        }
        Ok(table)
    }

    fn columns(&self, table: &mut SourceTable, has_rowid: bool) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1, 'main')")?;
        let mut rows = statement.query([&table.name])?;
        let mut keys = 0;
        let mut integer_key = None;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            // Of any bytes, in a damaged file.
            let declared = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
            let key: i64 = row.get(2)?;
            let hidden: i64 = row.get(3)?;
            if key > 0 {
                keys += 1;
                if declared.eq_ignore_ascii_case("INTEGER") {
                    integer_key = Some(name.clone());
                }
            }
            if hidden != 1 {
                table.columns.push(name);
            }
        }
        // A key column with an index of its own is not the rowid: INTEGER PRIMARY KEY DESC.
        let indexed: bool = self.connection.query_row(
            "SELECT count(*) > 0 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'",
            [&table.name],
            |row| row.get(0),
        )?;
        table.rowid_alias = integer_key.filter(|_| has_rowid && keys == 1 && !indexed);
        Ok(())
    }
}

/// The SELECT of these columns, in the order of the rowid where it is asked for.
pub(crate) fn select(table: &SourceTable, columns: &[String], by_rowid: bool) -> String {
    let name = quoted(&table.name);
    // Qualified by the table: a bare "name" that is no column would silently be a string.
    let terms: Vec<String> =
        columns.iter().map(|column| format!("{name}.{}", quoted(column))).collect();
    let order = match &table.rowid_alias {
        Some(alias) if by_rowid => format!(" ORDER BY {name}.{}", quoted(alias)),
        _ => String::new(),
    };
    format!("SELECT {} FROM main.{name}{order}", terms.join(", "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
