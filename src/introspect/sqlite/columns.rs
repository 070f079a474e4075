//! Columns of a table, and its CHECKs.

use super::catalogue::{Catalogue, ColumnRow};
use crate::error::Result;
use crate::introspect::ddl::{self, ColumnText, TableText};
use crate::model::source::{Affinity, Check, Column, Generated};
use crate::read::fault;

/// `hidden` of `PRAGMA table_xinfo` for GENERATED ... VIRTUAL.
const VIRTUAL: i64 = 2;
/// The same for STORED.
const STORED: i64 = 3;

/// Describes the columns; the flag tells whether one of them is AUTOINCREMENT. `text` must have the
/// columns of `rows`.
pub(super) fn describe(
    catalogue: &Catalogue<'_>,
    table: &str,
    strict: bool,
    rows: &[ColumnRow],
    text: Option<&TableText>,
    remarks: &mut Vec<String>,
) -> Result<(Vec<Column>, bool)> {
    let mut columns = Vec::with_capacity(rows.len());
    let mut autoincrement = false;
    for (position, row) in rows.iter().enumerate() {
        let text = text.and_then(|text| text.columns.get(position));
        let (collation, counts) = catalogue.collation(table, &row.name)?;
        autoincrement |= counts;
        columns.push(Column {
            name: row.name.clone(),
            declared: declared(table, row, text, remarks),
            affinity: affinity(&row.declared, strict),
            not_null: row.not_null,
            default: row.default.clone(),
            default_tree: row.default.as_deref().map(ddl::expression),
            default_is_word: default_is_word(row, text),
            generated: generated(catalogue, table, row, text, remarks)?,
            collation,
        });
    }
    if let Some(text) = text.filter(|text| text.autoincrement != autoincrement) {
        remarks.push(format!(
            "Table \"{table}\": AUTOINCREMENT is {} in the CREATE text, but not for SQLite.",
            if text.autoincrement { "present" } else { "absent" }
        ));
    }
    Ok((columns, autoincrement))
}

/// CHECKs are in the text only.
pub(super) fn checks(text: &TableText, columns: &[Column]) -> Vec<Check> {
    let checks = text.checks.iter();
    let position =
        |name: &str| columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    checks
        .map(|check| Check {
            name: check.name.clone(),
            column: check.column,
            expression: check.expression.clone(),
            tree: check.tree.clone().unwrap_or_else(|| Err("its text is unknown".into())),
            says: check
                .says
                .as_ref()
                .and_then(|(column, says)| Some((position(column)?, says.clone()))),
        })
        .collect()
}

/// A column of a virtual table: nothing but a name and a type.
pub(super) fn plain(row: &ColumnRow) -> Column {
    Column {
        name: row.name.clone(),
        declared: row.declared.clone(),
        affinity: affinity(&row.declared, false),
        not_null: false,
        default: None,
        default_tree: None,
        default_is_word: false,
        generated: None,
        collation: "BINARY".to_owned(),
    }
}

/// The PRAGMA loses the sizes of a quoted type and turns some names to upper case, so the text is
/// better, as long as both mean the same affinity.
fn declared(
    table: &str,
    row: &ColumnRow,
    text: Option<&ColumnText>,
    remarks: &mut Vec<String>,
) -> String {
    let Some(text) = text else { return row.declared.clone() };
    if Affinity::of_declared(&text.declared) == Affinity::of_declared(&row.declared) {
        return text.declared.clone();
    }
    remarks.push(format!(
        "Column \"{table}\".\"{}\" is declared {} in the CREATE text, which SQLite takes as {}.",
        row.name, text.declared, row.declared
    ));
    row.declared.clone()
}

/// In a STRICT table ANY keeps every value as it is; elsewhere it is a word like any other.
fn affinity(declared: &str, strict: bool) -> Affinity {
    if strict && declared.eq_ignore_ascii_case("any") {
        Affinity::Blob
    } else {
        Affinity::of_declared(declared)
    }
}

fn default_is_word(row: &ColumnRow, text: Option<&ColumnText>) -> bool {
    match (&row.default, text) {
        (None, _) => false,
        (Some(_), Some(text)) => text.default_is_word,
        (Some(default), None) => looks_like_word(default),
    }
}

/// Without a parsed text only the form is left to go by.
fn looks_like_word(default: &str) -> bool {
    const VALUES: [&str; 6] =
        ["true", "false", "null", "current_date", "current_time", "current_timestamp"];
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
    match default.chars().next() {
        Some('"' | '[' | '`') => true,
        Some(first) if first.is_ascii_digit() => false,
        Some(_) => {
            default.chars().all(word) && !VALUES.iter().any(|v| default.eq_ignore_ascii_case(v))
        }
        None => false,
    }
}

fn generated(
    catalogue: &Catalogue<'_>,
    table: &str,
    row: &ColumnRow,
    text: Option<&ColumnText>,
    remarks: &mut Vec<String>,
) -> Result<Option<Generated>> {
    let is_generated = matches!(row.hidden, VIRTUAL | STORED);
    let expression = text.and_then(|text| text.generated.clone());
    if text.is_some() && expression.is_some() != is_generated {
        remarks.push(format!(
            "Column \"{table}\".\"{}\" is {} for SQLite, but not in the CREATE text.",
            row.name,
            if is_generated { "generated" } else { "not generated" }
        ));
    }
    if !is_generated {
        return Ok(None);
    }
    Ok(Some(Generated {
        expression: expression.as_ref().map(|(text, _)| text.clone()).unwrap_or_default(),
        tree: expression.map_or_else(|| Err("its text is unknown".into()), |(_, tree)| tree),
        stored: row.hidden == STORED,
        unreadable: why_unreadable(catalogue, table, &row.name)?,
    }))
}

/// A generated column may call a function that only the file's application has, or one that SQLite
/// does not run for a schema that is not trusted.
fn why_unreadable(catalogue: &Catalogue<'_>, table: &str, column: &str) -> Result<Option<String>> {
    match catalogue.can_prepare(table, &[column]) {
        Ok(()) => Ok(None),
        Err(cause) if fault::concerns_whole_file(&cause) => {
            Err(super::catalogue::failure(catalogue.connection(), cause))
        }
        Err(cause) => Ok(Some(fault::message(&cause))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_text_the_form_tells_a_word() {
        for word in ["word", "\"w\"", "[w]", "`w`", "_x", "é"] {
            assert!(looks_like_word(word), "{word}");
        }
        for value in ["1", "'w'", "NULL", "true", "Current_Timestamp", "-1", "a()", "x'00'", ""] {
            assert!(!looks_like_word(value), "{value}");
        }
    }
}
