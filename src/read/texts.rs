//! A few columns of a small table as text.

use rusqlite::Connection;

use crate::error::Result;
use crate::model::ident::quoted;

use super::fault;

/// Reads columns of every row as text; a blob as the text that its bytes are.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table.
pub fn texts(
    conn: &Connection,
    table: &str,
    columns: &[String],
) -> Result<Vec<Vec<Option<String>>>> {
    let failed = |error| {
        let what = format!("could not read table \"{}\"", table.escape_debug());
        fault::explain(what, conn.path().unwrap_or("FILE"), error)
    };
    let terms: Vec<String> =
        columns.iter().map(|column| format!("CAST(t.{} AS TEXT)", quoted(column))).collect();
    let sql = format!("SELECT {} FROM main.{} AS t", terms.join(", "), quoted(table));
    let mut statement = conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let mut entry = Vec::with_capacity(columns.len());
        for at in 0..columns.len() {
            let value = row.get_ref(at).map_err(failed)?;
            // CAST AS TEXT gives text or NULL.
            entry.push(
                value.as_bytes().ok().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            );
        }
        found.push(entry);
    }
    Ok(found)
}
