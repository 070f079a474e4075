//! `--comments`: what a column was declared as, kept where people look.

use crate::model::ident::literal;
use crate::model::plan::{FinishStep, Phase};
use crate::model::source::Column;

use super::ddl;
use super::keys::TableParts;

/// Makes one step of all comments of a table; `None` when it has no columns.
#[must_use]
pub fn step(into: &str, part: &TableParts<'_>) -> Option<FinishStep> {
    let columns = part.table.columns.iter().zip(&part.mapping.columns);
    let statements: Vec<String> = columns
        .map(|(column, decision)| {
            let text = text(column);
            ddl::comment_on_column(into, &part.mapping.target, &decision.target, &text)
        })
        .collect();
    (!statements.is_empty()).then(|| FinishStep {
        phase: Phase::Comments,
        table: part.position,
        object: "comments".into(),
        name: part.mapping.target.clone(),
        sql: statements.join(";\n"),
        source_text: part.table.sql.clone(),
        orphans_sql: None,
    })
}

/// `SQLite: VARCHAR(80) COLLATE NOCASE DEFAULT 'x'`, as it was declared.
fn text(column: &Column) -> String {
    let declared = column.declared.trim();
    let mut text =
        format!("SQLite: {}", if declared.is_empty() { "no declared type" } else { declared });
    if !column.collation.is_empty() && !column.collation.eq_ignore_ascii_case("BINARY") {
        text.push_str(&format!(" COLLATE {}", column.collation));
    }
    match &column.default {
        Some(default) if column.default_is_word => {
            text.push_str(&format!(" DEFAULT {}", literal(default)));
        }
        Some(default) => text.push_str(&format!(" DEFAULT {default}")),
        None => {}
    }
    text
}
