//! By what a state of a file is known from inside, without reading its rows.

use rusqlite::Connection;

use super::catalogue;
use crate::error::Result;
use crate::model::source_identity::{SourceIdentity, SourceObject};

/// Reads the counters, sizes and CREATE texts of the main database of a connection. Texts that are not
/// UTF-8 are read with replacement characters: they serve to be compared.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`].
pub fn identity(connection: &Connection) -> Result<SourceIdentity> {
    let failed = |cause| catalogue::failure(connection, cause);
    let number = |pragma: &str| -> Result<i64> {
        connection.query_row(&format!("PRAGMA main.{pragma}"), [], |row| row.get(0)).map_err(failed)
    };
    let encoding =
        connection.query_row("PRAGMA main.encoding", [], |row| row.get(0)).map_err(failed)?;
    // Without what SQLite keeps for itself: ANALYZE makes sqlite_stat1, AUTOINCREMENT sqlite_sequence.
    let mut statement = connection
        .prepare("SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let text = |at: usize| -> Result<String> {
            let value = row.get_ref(at).map_err(failed)?;
            let bytes = value.as_bytes_or_null().ok().flatten().unwrap_or_default();
            Ok(String::from_utf8_lossy(bytes).into_owned())
        };
        let object = SourceObject { kind: text(0)?, name: text(1)?, sql: text(2)? };
        if !object.name.to_ascii_lowercase().starts_with("sqlite_") {
            objects.push(object);
        }
    }
    objects.sort();
    Ok(SourceIdentity {
        encoding,
        user_version: number("user_version")?,
        application_id: number("application_id")?,
        schema_version: number("schema_version")?,
        page_bytes: number("page_size")?,
        pages: number("page_count")?,
        objects,
    })
}
