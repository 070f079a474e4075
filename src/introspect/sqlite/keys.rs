//! Primary keys, the rowid alias, and UNIQUE constraints.

use super::catalogue::{Catalogue, ColumnRow, IndexOrigin, IndexRow, IndexTermRow};
use crate::error::Result;
use crate::introspect::ddl::{KeyText, TableText};
use crate::model::source::{Key, Table};

/// Collation of a key that is the rowid itself.
const BINARY: &str = "BINARY";

/// The exact rule for "INTEGER PRIMARY KEY is the rowid": one key column, of a type that is INTEGER
/// and nothing else, in a table with a rowid, and SQLite made no index for the key. The last part is
/// what tells `x INTEGER PRIMARY KEY DESC`, which is no alias, from `PRIMARY KEY(x DESC)`, which is.
pub(super) fn rowid_alias(
    without_rowid: bool,
    rows: &[ColumnRow],
    indexes: &[IndexRow],
) -> Option<usize> {
    let mut in_key = rows.iter().enumerate().filter(|(_, row)| row.key_position > 0);
    let (position, column) = in_key.next()?;
    let alias = !without_rowid
        && in_key.next().is_none()
        && column.declared.eq_ignore_ascii_case("INTEGER")
        && !indexes.iter().any(|index| index.origin == IndexOrigin::PrimaryKey);
    alias.then_some(position)
}

/// The PRIMARY KEY in the order of its columns.
pub(super) fn primary_key(
    catalogue: &mut Catalogue<'_>,
    table: &Table,
    rows: &[ColumnRow],
    indexes: &[IndexRow],
    text: Option<&TableText>,
    remarks: &mut Vec<String>,
) -> Result<Option<Key>> {
    let mut in_key: Vec<(i64, usize)> = (rows.iter().enumerate())
        .filter(|(_, row)| row.key_position > 0)
        .map(|(position, row)| (row.key_position, position))
        .collect();
    in_key.sort_unstable();
    let columns: Vec<usize> = in_key.into_iter().map(|(_, position)| position).collect();
    let declared = text.and_then(|text| text.primary_key.as_ref());
    if text.is_some() && !declared.map_or(columns.is_empty(), |key| matches(table, &columns, key)) {
        remarks.push(format!(
            "Table \"{}\": the primary key in the CREATE text is not the one that SQLite has.",
            table.name
        ));
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let index = indexes.iter().find(|index| index.origin == IndexOrigin::PrimaryKey);
    let terms = match index {
        Some(index) => catalogue.index_terms(&index.name)?,
        None => Vec::new(),
    };
    let collations = columns.iter().map(|&position| collation(&terms, position)).collect();
    let descending = columns.iter().map(|&position| descending(&terms, position)).collect();
    let name = declared.and_then(|key| key.name.clone());
    Ok(Some(Key { name, columns, collations, descending }))
}

/// UNIQUE constraints in declared order. One that repeats another is missing: SQLite makes no index
/// for it.
pub(super) fn uniques(
    catalogue: &mut Catalogue<'_>,
    table: &Table,
    indexes: &[IndexRow],
    text: Option<&TableText>,
    remarks: &mut Vec<String>,
) -> Result<Vec<Key>> {
    let mut found: Vec<&IndexRow> =
        indexes.iter().filter(|index| index.origin == IndexOrigin::Unique).collect();
    found.sort_by_key(|index| declared_place(&index.name));
    let mut declared: Vec<&KeyText> = text.iter().flat_map(|text| &text.uniques).collect();
    let mut uniques = Vec::with_capacity(found.len());
    for index in found {
        let terms = catalogue.index_terms(&index.name)?;
        let columns = columns_of(table, &terms);
        let same = declared.iter().position(|key| matches(table, &columns, key));
        if text.is_some() && same.is_none() {
            remarks.push(format!(
                "Table \"{}\": a UNIQUE constraint on ({}) is not in the CREATE text.",
                table.name,
                names(table, &columns)
            ));
        }
        let name = same.and_then(|at| declared.remove(at).name.clone());
        let collations = columns.iter().map(|&position| collation(&terms, position)).collect();
        let descending = columns.iter().map(|&position| descending(&terms, position)).collect();
        uniques.push(Key { name, columns, collations, descending });
    }
    let known = |key: &KeyText| {
        uniques.iter().chain(&table.primary_key).any(|known| matches(table, &known.columns, key))
    };
    for key in declared.into_iter().filter(|key| !known(key)) {
        remarks.push(format!(
            "Table \"{}\": UNIQUE ({}) is in the CREATE text, but SQLite has no such constraint.",
            table.name,
            key.columns.join(", ")
        ));
    }
    Ok(uniques)
}

/// SQLite numbers the indexes of constraints as it meets them: `sqlite_autoindex_TABLE_n`. Its list
/// is no guide: those with ON CONFLICT REPLACE are moved to the end.
fn declared_place(index: &str) -> u64 {
    index.rsplit('_').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

/// The columns of a key, each once.
fn columns_of(table: &Table, terms: &[IndexTermRow]) -> Vec<usize> {
    let mut columns = Vec::with_capacity(terms.len());
    for term in terms {
        match usize::try_from(term.cid) {
            Ok(position) if position < table.columns.len() && !columns.contains(&position) => {
                columns.push(position);
            }
            _ => {}
        }
    }
    columns
}

/// The collation of a column in a key. A column that is there twice, by different ones, is equal only
/// when both say so; byte by byte is never stricter than that.
fn collation(terms: &[IndexTermRow], position: usize) -> String {
    let mut of_column = terms.iter().filter(|term| usize::try_from(term.cid) == Ok(position));
    let first = of_column.next().map_or(BINARY, |term| term.collation.as_str());
    let same = of_column.all(|term| term.collation.eq_ignore_ascii_case(first));
    if same { first.to_owned() } else { BINARY.to_owned() }
}

fn descending(terms: &[IndexTermRow], position: usize) -> bool {
    terms.iter().any(|term| usize::try_from(term.cid) == Ok(position) && term.descending)
}

/// True when the text names these columns, in this order, each counted once.
fn matches(table: &Table, columns: &[usize], text: &KeyText) -> bool {
    let mut positions = Vec::with_capacity(text.columns.len());
    for name in &text.columns {
        match table.column(name) {
            Some(position) if !positions.contains(&position) => positions.push(position),
            Some(_) => {}
            None => return false,
        }
    }
    positions == columns
}

fn names(table: &Table, columns: &[usize]) -> String {
    let names: Vec<&str> = columns.iter().map(|&at| table.columns[at].name.as_str()).collect();
    names.join(", ")
}
