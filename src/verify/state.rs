//! Constraints and indexes: what is there must also hold.

use crate::connect::{Session, failure};
use crate::error::Result;
use crate::model::catalogue::TargetTable;
use crate::report::Unsound;

/// Finds constraints that are not validated and indexes that are not valid.
const SQL: &str = "SELECT c.relname::text, 'index', i.relname::text, 'is not valid: PostgreSQL does not use it' \
     FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
     WHERE x.indrelid = ANY ($1) AND NOT (x.indisvalid AND x.indisready) \
     UNION ALL \
     SELECT c.relname::text, CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'check' END, k.conname::text, \
     'is NOT VALID: rows that were there before may break it' \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     WHERE k.conrelid = ANY ($1) AND k.contype IN ('f', 'c') AND NOT k.convalidated ORDER BY 1, 2, 3";

/// Looks at the tables.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub(super) async fn check(session: &Session, tables: &[&TargetTable]) -> Result<Vec<Unsound>> {
    let relids: Vec<u32> = tables.iter().map(|table| table.relid).collect();
    let rows = session.query(SQL, &[&relids]).await;
    let rows = rows.map_err(|error| failure::failed("look at constraints and indexes", &error))?;
    let unsound = rows.iter().map(|row| Unsound {
        table: row.get(0),
        object: row.get(1),
        name: row.get(2),
        how: row.get(3),
        is_difference: row.get::<_, &str>(1) == "index",
    });
    Ok(unsound.collect())
}
