//! One ordinary table: its parts put together.

use super::catalogue::{Catalogue, ColumnRow, Listed, Object, failure};
use super::{Contents, columns, foreign_keys, indexes, keys, not_parsed, shown, with_text};
use crate::error::Result;
use crate::introspect::ddl::{self, TableText};
use crate::model::source::{Conflict, Table, TableKind};

/// The names by which SQLite reaches the rowid, unless a column has that name.
const ROWID_NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Describes an ordinary table, or an inner table of a virtual one that cannot be read.
pub(super) fn describe(
    catalogue: &mut Catalogue<'_>,
    contents: &Contents,
    object: &Object,
    listed: Listed,
    remarks: &mut Vec<String>,
) -> Result<Table> {
    let name = object.name.as_str();
    let connection = catalogue.connection();
    let rows = catalogue.columns(name)?.map_err(|cause| failure(connection, cause))?;
    let text = text_of(object, &rows, remarks);
    let text = text.as_ref();
    let (columns, autoincrement) =
        columns::describe(catalogue, name, listed.strict, &rows, text, remarks)?;
    let index_rows = catalogue.indexes(name)?;
    let mut table = Table {
        name: name.to_owned(),
        kind: if listed.without_rowid { TableKind::WithoutRowid } else { TableKind::Ordinary },
        strict: listed.strict,
        rowid_name: (!listed.without_rowid).then(|| rowid_name(&rows)).flatten(),
        rowid_alias: keys::rowid_alias(listed.without_rowid, &rows, &index_rows),
        columns,
        primary_key: None,
        autoincrement,
        sequence: autoincrement.then(|| contents.sequences.get(name).copied()).flatten(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        conflicts: conflicts(object),
        sql: shown(object),
    };
    table.checks = text.map(|text| columns::checks(text, &table.columns)).unwrap_or_default();
    table.primary_key = keys::primary_key(catalogue, &table, &rows, &index_rows, text, remarks)?;
    table.uniques = keys::uniques(catalogue, &table, &index_rows, text, remarks)?;
    table.indexes = indexes::describe(catalogue, contents, &table, &index_rows, remarks)?;
    table.foreign_keys = foreign_keys::describe(catalogue, &table, text, remarks)?;
    Ok(table)
}

/// ON CONFLICT clauses are in the text only. A text that cannot be parsed is told by [`text_of`].
fn conflicts(object: &Object) -> Vec<Conflict> {
    let found = with_text(object, ddl::conflicts::conflicts).unwrap_or_default();
    found.into_iter().map(|found| Conflict { name: found.name, text: found.text }).collect()
}

/// The CREATE text, parsed, when it can be parsed and has the columns that SQLite has.
fn text_of(object: &Object, rows: &[ColumnRow], remarks: &mut Vec<String>) -> Option<TableText> {
    let text = match with_text(object, ddl::table) {
        Ok(text) => text,
        Err(reason) => {
            let remark = not_parsed("table", &object.name, &reason);
            remarks.push(format!(
                "{remark} So its CHECKs, its generated expressions and the names of its constraints \
                 are unknown."
            ));
            return None;
        }
    };
    if rows.iter().map(|row| &row.name).eq(text.columns.iter().map(|column| &column.name)) {
        return Some(text);
    }
    remarks.push(format!(
        "The CREATE text of table \"{}\" names other columns than SQLite has; the text is not used.",
        object.name
    ));
    None
}

fn rowid_name(rows: &[ColumnRow]) -> Option<String> {
    ROWID_NAMES
        .into_iter()
        .find(|name| !rows.iter().any(|row| row.name.eq_ignore_ascii_case(name)))
        .map(str::to_owned)
}
