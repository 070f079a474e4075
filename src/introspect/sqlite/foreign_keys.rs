//! Foreign keys.

use super::catalogue::{Catalogue, ForeignKeyRow};
use crate::error::Result;
use crate::introspect::ddl::{ForeignKeyText, TableText};
use crate::model::source::{FkAction, ForeignKey, Table};

/// Foreign keys in declared order, with the names and the deferral that only the text has.
pub(super) fn describe(
    catalogue: &mut Catalogue<'_>,
    table: &Table,
    text: Option<&TableText>,
    remarks: &mut Vec<String>,
) -> Result<Vec<ForeignKey>> {
    let rows = catalogue.foreign_keys(&table.name)?;
    let mut found: Vec<ForeignKey> =
        rows.chunk_by(|left, right| left.id == right.id).map(|rows| of_rows(table, rows)).collect();
    let Some(text) = text else { return Ok(found) };
    let same = found.len() == text.foreign_keys.len()
        && found.iter().zip(&text.foreign_keys).all(|(key, text)| agrees(table, key, text));
    if !same {
        remarks.push(format!(
            "Table \"{}\": the foreign keys in the CREATE text are not those that SQLite has; their \
             names and DEFERRABLE are unknown.",
            table.name
        ));
        return Ok(found);
    }
    for (key, text) in found.iter_mut().zip(&text.foreign_keys) {
        key.name.clone_from(&text.name);
        key.deferrable = text.deferrable;
        key.initially_deferred = text.initially_deferred;
    }
    Ok(found)
}

fn of_rows(table: &Table, rows: &[ForeignKeyRow]) -> ForeignKey {
    let first = &rows[0];
    ForeignKey {
        name: None,
        columns: rows.iter().filter_map(|row| table.column(&row.from)).collect(),
        parent: first.parent.clone(),
        parent_columns: rows.iter().filter_map(|row| row.to.clone()).collect(),
        on_update: action(&first.on_update),
        on_delete: action(&first.on_delete),
        deferrable: false,
        initially_deferred: false,
    }
}

fn agrees(table: &Table, key: &ForeignKey, text: &ForeignKeyText) -> bool {
    key.parent.eq_ignore_ascii_case(&text.parent)
        && key.columns.len() == text.columns.len()
        && key.columns.iter().zip(&text.columns).all(|(&at, name)| table.column(name) == Some(at))
}

fn action(text: &str) -> FkAction {
    match text {
        "CASCADE" => FkAction::Cascade,
        "RESTRICT" => FkAction::Restrict,
        "SET NULL" => FkAction::SetNull,
        "SET DEFAULT" => FkAction::SetDefault,
        _ => FkAction::NoAction,
    }
}
