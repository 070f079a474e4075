//! Rows that share a key which the target wants unique.
//!
//! Purpose: SQLite sorts, spilling to a temporary file, so memory stays bounded however many rows there
//! are; what comes back is counted and only the first keys are kept.

use rusqlite::Connection;

use crate::error::Result;
use crate::model::ident::quoted;
use crate::model::unique::{Shared, UniqueCheck};

use super::{fault, range};

/// Keys that are shown.
const EXAMPLES_MAX: usize = 3;

/// Looks for keys that more than one row has. Values are compared by their bytes, whatever the column's
/// collation; 1 and 1.0 are the same where the check says so.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table; interrupted.
pub fn duplicates(conn: &Connection, check: &UniqueCheck) -> Result<Shared> {
    let failed = |error| {
        let what = format!("could not read table \"{}\"", check.source.escape_debug());
        fault::explain(what, conn.path().unwrap_or("FILE"), error)
    };
    let mut statement = conn.prepare(&sql(check)).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Shared::default();
    while let Some(row) = rows.next().map_err(failed)? {
        found.keys += 1;
        found.rows += u64::try_from(row.get::<_, i64>(0).map_err(failed)?).unwrap_or(0);
        if found.examples.len() < EXAMPLES_MAX {
            let mut shown = Vec::with_capacity(check.columns.len());
            for at in 0..check.columns.len() {
                shown.push(range::value_of(row.get_ref(at + 1).map_err(failed)?).shown());
            }
            found.examples.push(format!("({})", shown.join(", ")));
        }
    }
    Ok(found)
}

/// Columns are reached through the table's alias, so that a name can never turn into a string literal.
fn sql(check: &UniqueCheck) -> String {
    let columns: Vec<String> =
        check.columns.iter().map(|column| format!("t.{}", quoted(&column.name))).collect();
    let mut terms = Vec::new();
    for (column, name) in check.columns.iter().zip(&columns) {
        if column.is_by_class {
            terms.push(format!("typeof({name})"));
        }
        terms.push(format!("{name} COLLATE BINARY"));
    }
    let mut condition = String::new();
    if !check.nulls_are_equal {
        let not_null: Vec<String> =
            columns.iter().map(|name| format!("{name} IS NOT NULL")).collect();
        condition = format!(" WHERE {}", not_null.join(" AND "));
    }
    format!(
        "SELECT count(*), {} FROM main.{} AS t NOT INDEXED{condition} GROUP BY {} HAVING count(*) > 1",
        columns.join(", "),
        quoted(&check.source),
        terms.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::unique::UniqueColumn;

    fn shared(rows: &str, is_by_class: bool, nulls_are_equal: bool) -> (u64, u64, String) {
        let conn = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE \"a b\" (\"x\"\"y\" COLLATE NOCASE, z TEXT);";
        conn.execute_batch(&format!("{table} INSERT INTO \"a b\" VALUES {rows};")).unwrap();
        let column = |name: &str| UniqueColumn { name: name.to_owned(), is_by_class };
        let check = UniqueCheck {
            source: "a b".into(),
            target: String::new(),
            key: String::new(),
            definition: String::new(),
            columns: vec![column("x\"y"), column("z")],
            nulls_are_equal,
        };
        let found = duplicates(&conn, &check).unwrap();
        (found.keys, found.rows, found.examples.join(" "))
    }

    #[test]
    fn keys_are_compared_by_their_bytes() {
        assert_eq!(shared("('a', 'b'), ('A', 'b'), ('a', 'B')", true, false).0, 0);
        assert_eq!(
            shared("('a', 'b'), ('a', 'b'), ('a', 'b'), (1, 2), (1, 2)", true, false),
            (2, 5, "(1, '2') ('a', 'b')".into())
        );
    }

    #[test]
    fn numbers_of_two_classes_are_the_same_only_where_the_target_says_so() {
        assert_eq!(shared("(1, 'b'), (1.0, 'b')", true, false).0, 0);
        assert_eq!(shared("(1, 'b'), (1.0, 'b')", false, false).0, 1);
        // Text that looks like the number, and a blob that looks like the text, are others.
        assert_eq!(shared("(1, 'b'), ('1', 'b'), (x'31', 'b')", true, false).0, 0);
    }

    #[test]
    fn nulls_are_distinct_unless_the_target_says_otherwise() {
        assert_eq!(shared("(NULL, 'b'), (NULL, 'b')", true, false).0, 0);
        assert_eq!(shared("(NULL, 'b'), (NULL, 'b')", true, true), (1, 2, "(NULL, 'b')".into()));
    }
}
