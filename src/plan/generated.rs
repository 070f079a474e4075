//! Generated columns as finishing steps.
//!
//! Purpose: a generated column is loaded as a plain one, with the values that SQLite computed. Then
//! PostgreSQL computes them too; only when all are the same does the column become GENERATED. An
//! expression that the server refuses, or that comes out otherwise in one row, so costs no row and is
//! never silent.
//!
//! The price is that the table is written twice, and that the column stands behind the others, for
//! PostgreSQL cannot make a column generated that is there already.

use crate::map::expr::{Need, Relation, Translator};
use crate::model::convert::Convert;
use crate::model::ident::{qualified, quoted};
use crate::model::plan::{FinishStep, NotCarried, Phase};
use crate::model::source::{Column, Generated};

use super::keys::TableParts;

/// What becomes of the generated columns of one table.
#[derive(Debug, Default)]
pub(super) struct GeneratedColumns {
    pub(super) steps: Vec<FinishStep>,
    pub(super) not_carried: Vec<NotCarried>,
    pub(super) notes: Vec<String>,
}

/// Plans the generated columns of a table.
pub(super) fn plan(
    part: &TableParts<'_>,
    relation: &Relation,
    into: &str,
    encoding: &str,
) -> GeneratedColumns {
    let mut made = GeneratedColumns::default();
    // A column that refers to another generated one gets that one's expression instead.
    let mut seen = relation.clone();
    let mut moved = Vec::new();
    for position in in_order(part) {
        let column = &part.table.columns[position];
        let Some(generated) = &column.generated else { continue };
        let evidence = &part.evidence.columns[position];
        if let Some(reason) = generated.unreadable.as_ref().or(evidence.not_computable.as_ref()) {
            let reason =
                format!("SQLite cannot compute it here ({reason}), so the column is empty");
            made.not_carried.push(left_out(part, column, generated, reason));
            seen.hide(position, "cannot be computed here");
            continue;
        }
        match translated(part, position, column, generated, &seen, encoding) {
            Ok((sql, notes)) => {
                made.notes.extend(notes);
                made.steps.push(step(part, position, generated, &sql, into));
                moved.push(position);
                if let Err(reason) = seen.inline(position, &generated.tree, encoding) {
                    seen.hide(position, &reason);
                }
            }
            Err(reason) => {
                let reason = format!(
                    "its values are carried over, as a plain column, for it is not translated: {reason}"
                );
                made.not_carried.push(left_out(part, column, generated, reason));
            }
        }
    }
    let stay = (0..part.table.columns.len()).filter(|position| !moved.contains(position));
    let order: Vec<usize> = stay.chain(moved.iter().copied()).collect();
    if !order.is_sorted() {
        made.notes.push(BEHIND.to_owned());
    }
    made
}

/// What a reader of `SELECT *` should know.
const BEHIND: &str = "Its generated columns stand behind the others, for PostgreSQL cannot make a column generated that is there already.";

/// Generated columns, those first that others refer to.
fn in_order(part: &TableParts<'_>) -> Vec<usize> {
    let mut left: Vec<usize> = (0..part.table.columns.len())
        .filter(|position| part.table.columns[*position].generated.is_some())
        .collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let refers = |position: usize, other: usize| {
            let tree = part.table.columns[position].generated.as_ref().map(|g| &g.tree);
            matches!(tree, Some(Ok(tree)) if tree.names(&part.table.columns[other].name))
        };
        let free = left.iter().position(|position| {
            !left.iter().any(|other| other != position && refers(*position, *other))
        });
        // SQLite allows no circle; where there seems to be one, any order is as good.
        ordered.push(left.remove(free.unwrap_or(0)));
    }
    ordered
}

fn translated(
    part: &TableParts<'_>,
    position: usize,
    column: &Column,
    generated: &Generated,
    relation: &Relation,
    encoding: &str,
) -> Result<(String, Vec<String>), String> {
    let decision = &part.mapping.columns[position];
    if !matches!(decision.convert, Convert::Plain | Convert::BOOL_WORD) {
        return Err("the column's values are converted".into());
    }
    let tree = generated.tree.clone()?;
    let made = Translator::over(relation, Need::Immutable, encoding).stored(
        &tree,
        column.affinity,
        decision.pg_type,
    )?;
    Ok((made.sql, made.notes))
}

fn step(
    part: &TableParts<'_>,
    position: usize,
    generated: &Generated,
    expression: &str,
    into: &str,
) -> FinishStep {
    let decision = &part.mapping.columns[position];
    let table = qualified(into, &part.mapping.target);
    let column = quoted(&decision.target);
    let pg_type = decision.pg_type.sql(into);
    let not_null = if decision.not_null { " NOT NULL" } else { "" };
    FinishStep {
        phase: Phase::Generated,
        table: part.position,
        object: "generated column".into(),
        name: decision.target.clone(),
        sql: format!(
            "ALTER TABLE {table} DROP COLUMN {column}, ADD COLUMN {column} {pg_type} \
             GENERATED ALWAYS AS ({expression}) STORED{not_null}"
        ),
        source_text: source_text(generated),
        orphans_sql: Some(format!(
            "SELECT count(*) FROM {table} WHERE {column} IS DISTINCT FROM ({expression})"
        )),
    }
}

fn left_out(
    part: &TableParts<'_>,
    column: &Column,
    generated: &Generated,
    reason: String,
) -> NotCarried {
    NotCarried {
        object: "generated column".into(),
        table: Some(part.table.name.clone()),
        name: column.name.clone(),
        reason,
        source_text: source_text(generated),
    }
}

fn source_text(generated: &Generated) -> String {
    format!(
        "GENERATED ALWAYS AS ({}) {}",
        generated.expression,
        if generated.stored { "STORED" } else { "VIRTUAL" }
    )
}
