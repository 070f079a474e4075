//! Rows whose parent is not in the source.

use rusqlite::Connection;

use crate::error::Result;
use crate::model::ident::quoted;
use crate::model::orphans::{OrphanCheck, Orphans};

use super::{fault, range};

/// Keys that are shown.
const EXAMPLES_MAX: usize = 3;

/// Counts rows whose key is not NULL and in no row of the parent. SQLite keeps the parent's keys in a
/// temporary file, where they are not its rowids.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table; interrupted.
pub fn orphans(conn: &Connection, check: &OrphanCheck) -> Result<Orphans> {
    let failed = |error| {
        let what = format!("could not read table \"{}\"", check.child.escape_debug());
        fault::explain(what, conn.path().unwrap_or("FILE"), error)
    };
    let mut statement = conn.prepare(&sql(check)).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Orphans::default();
    while let Some(row) = rows.next().map_err(failed)? {
        found.rows += 1;
        if found.examples.len() < EXAMPLES_MAX {
            let mut shown = Vec::with_capacity(check.columns.len());
            for at in 0..check.columns.len() {
                shown.push(range::value_of(row.get_ref(at).map_err(failed)?).shown());
            }
            let shown = format!("({})", shown.join(", "));
            if !found.examples.contains(&shown) {
                found.examples.push(shown);
            }
        }
    }
    Ok(found)
}

/// Columns are reached through their table's alias, so that a name can never turn into a string literal.
fn sql(check: &OrphanCheck) -> String {
    let of = |alias: &str, names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("{alias}.{}", quoted(name))).collect()
    };
    let (columns, parents) = (of("c", &check.columns), of("p", &check.parent_columns));
    let not_null = |columns: &[String]| {
        columns.iter().map(|name| format!("{name} IS NOT NULL")).collect::<Vec<_>>().join(" AND ")
    };
    let row = |columns: &[String]| match columns {
        [one] => format!("{one} COLLATE BINARY"),
        more => {
            let terms: Vec<String> =
                more.iter().map(|name| format!("{name} COLLATE BINARY")).collect();
            format!("({})", terms.join(", "))
        }
    };
    format!(
        "SELECT {} FROM main.{} AS c NOT INDEXED WHERE {} \
         AND {} NOT IN (SELECT {} FROM main.{} AS p NOT INDEXED WHERE {})",
        columns.join(", "),
        quoted(&check.child),
        not_null(&columns),
        row(&columns),
        parents.join(", "),
        quoted(&check.parent),
        not_null(&parents),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str, columns: &[&str], parents: &[&str]) -> (u64, String) {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(sql).unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let check = OrphanCheck {
            key: String::new(),
            definition: String::new(),
            child: "c".into(),
            columns: names(columns),
            parent: "p".into(),
            parent_columns: names(parents),
        };
        let found = orphans(&conn, &check).unwrap();
        (found.rows, found.examples.join(" "))
    }

    #[test]
    fn rows_without_a_parent_are_counted_and_nulls_have_none() {
        let sql = "CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO p VALUES (1, 'x'), (2, NULL);
            CREATE TABLE c (p INT, a TEXT COLLATE NOCASE);
            INSERT INTO c VALUES (1, 'x'), (NULL, 'X'), (5, NULL), (5, 'x'), (6, NULL), (2, NULL)";
        assert_eq!(found(sql, &["p"], &["id"]), (3, "(5) (6)".into()));
        assert_eq!(found(sql, &["a"], &["a"]), (1, "('X')".into()));
        assert_eq!(found(sql, &["p", "a"], &["id", "a"]), (1, "(5, 'x')".into()));
    }
}
