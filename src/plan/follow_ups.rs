//! What to do about that which is not carried over: `--follow-ups`.
//!
//! Purpose: one entry per object, in the order in which one would work on them, each with the reason,
//! the source text, and a proposal where the plan knows one. A proposal is printed from names and
//! types that the plan knows; no text of the source is in it.
//!
//! Known gaps: what an expression means is not proposed.

use crate::model::follow_up::{FollowUp, Proposal};
use crate::model::ident::{qualified, quoted, quoted_list};
use crate::model::orphans;
use crate::model::plan::{FinishStep, NotCarried, OptionalClause, Phase, TablePlan, TransferPlan};
use crate::model::source::{SourceSchema, Table, TableKind, Trigger};

/// Kinds of objects in the order in which one would work on them: rows first, then what keeps them
/// right, then what makes them fast, then what is made of them.
const ORDER: [&str; 13] = [
    "virtual table",
    "generated column",
    "automatic id",
    "default",
    "primary key",
    "check",
    "collation",
    "unique constraint",
    "index",
    "foreign key",
    "conflict clause",
    "view",
    "trigger",
];

/// Lists what the plan leaves out.
#[must_use]
pub fn of_plan(schema: &SourceSchema, plan: &TransferPlan) -> Vec<FollowUp> {
    let mut all: Vec<FollowUp> = plan
        .not_carried
        .iter()
        .map(|left| FollowUp {
            object: left.object.clone(),
            table: left.table.clone(),
            name: left.name.clone(),
            reason: left.reason.clone(),
            source_text: left.source_text.clone(),
            proposal: proposal(schema, plan, left),
        })
        .collect();
    sort(&mut all);
    all
}

/// Puts follow-ups into the order in which one would work on them.
pub fn sort(follow_ups: &mut [FollowUp]) {
    follow_ups.sort_by_key(|one| {
        let place = ORDER.iter().position(|object| *object == one.object);
        // Every kind of index stands together.
        let index =
            ORDER.iter().position(|object| *object == "index" && one.object.contains(object));
        place.or(index).unwrap_or(ORDER.len())
    });
}

/// What the server refused, with its message.
#[must_use]
pub fn of_refused(plan: &TransferPlan, step: &FinishStep, message: &str) -> FollowUp {
    FollowUp {
        object: step.object.clone(),
        table: plan.tables.get(step.table).map(|table| table.source.clone()),
        name: step.name.clone(),
        reason: format!("PostgreSQL refused it: {message}"),
        source_text: step.source_text.clone(),
        proposal: Proposal::to_edit(step.sql.clone()),
    }
}

/// A part of a table that the server refused when it was made, with its message.
#[must_use]
pub fn of_refused_clause(table: &TablePlan, clause: &OptionalClause, message: &str) -> FollowUp {
    FollowUp {
        object: clause.object.clone(),
        table: Some(table.source.clone()),
        name: clause.name.clone(),
        reason: format!("PostgreSQL refused it: {message}"),
        source_text: clause.source_text.clone(),
        proposal: Proposal::to_edit(clause.sql.clone()),
    }
}

/// A foreign key with rows that have no parent. `step` validates it.
#[must_use]
pub fn of_orphans(plan: &TransferPlan, step: &FinishStep, rows: u64, keys: &[String]) -> FollowUp {
    let such =
        if keys.is_empty() { String::new() } else { format!(", such as {}", keys.join(", ")) };
    FollowUp {
        object: step.object.clone(),
        table: plan.tables.get(step.table).map(|table| table.source.clone()),
        name: step.name.clone(),
        reason: format!("{}{such}, so it is NOT VALID: new rows are checked", orphans::told(rows)),
        source_text: step.source_text.clone(),
        proposal: Proposal::to_edit(step.sql.clone()),
    }
}

fn proposal(schema: &SourceSchema, plan: &TransferPlan, left: &NotCarried) -> Option<Proposal> {
    let source = left.table.as_deref().unwrap_or(&left.name);
    let table = plan.tables.iter().find(|table| table.source == source);
    match left.object.as_str() {
        "primary key" => primary_key(schema, plan, table?),
        "collation" => citext(plan, table?, &left.name),
        "full-text index" => full_text(plan, table?, None),
        "spatial index" => spatial(schema, plan, table?),
        "virtual table" => searched(schema, plan, &left.name),
        "trigger" => {
            let trigger = schema.triggers.iter().find(|trigger| trigger.name == left.name)?;
            trigger_skeleton(plan, table?, trigger)
        }
        _ => None,
    }
}

/// A primary key takes the place of the UNIQUE constraint that stands for it.
fn primary_key(schema: &SourceSchema, plan: &TransferPlan, table: &TablePlan) -> Option<Proposal> {
    let key = schema.table(&table.source)?.primary_key.as_ref()?;
    let columns: Vec<&str> = key
        .columns
        .iter()
        .filter_map(|column| table.columns.get(*column))
        .map(|column| column.target.as_str())
        .collect();
    let relation = qualified(&plan.schema, &table.target);
    let nulls: Vec<String> =
        columns.iter().map(|column| format!("{} IS NULL", quoted(column))).collect();
    let list = quoted_list(columns);
    let position = plan.tables.iter().position(|other| other.source == table.source)?;
    let is_stand_in = |step: &&FinishStep| {
        step.phase == Phase::Keys
            && step.table == position
            && step.sql.ends_with(&format!("({list})"))
    };
    let stand_in = plan.finish.iter().find(is_stand_in)?;
    Proposal::to_edit(format!(
        "DELETE FROM {relation} WHERE {};\nALTER TABLE {relation} DROP CONSTRAINT {}, ADD PRIMARY KEY ({list})",
        nulls.join(" OR "),
        quoted(&stand_in.name),
    ))
}

/// Columns that compare without case in every query.
fn citext(plan: &TransferPlan, table: &TablePlan, column: &str) -> Option<Proposal> {
    let column = table.columns.iter().find(|other| other.source == column)?;
    column.pg_type.is_textual().then_some(())?;
    Proposal::to_edit(format!(
        "CREATE EXTENSION IF NOT EXISTS citext;\nALTER TABLE {} ALTER COLUMN {} TYPE citext",
        qualified(&plan.schema, &table.target),
        quoted(&column.target)
    ))
}

/// An index for to_tsquery over all text columns, or over those of the given source names.
fn full_text(
    plan: &TransferPlan,
    table: &TablePlan,
    columns: Option<&[String]>,
) -> Option<Proposal> {
    let is_wanted = |source: &str| {
        columns.is_none_or(|columns| columns.iter().any(|name| name.eq_ignore_ascii_case(source)))
    };
    let texts: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.pg_type.is_textual() && is_wanted(&column.source))
        .map(|column| format!("coalesce({}, '')", quoted(&column.target)))
        .collect();
    if texts.is_empty() {
        return None;
    }
    Proposal::ready(format!(
        "CREATE INDEX ON {} USING gin (to_tsvector('simple', {}))",
        qualified(&plan.schema, &table.target),
        texts.join(" || ' ' || ")
    ))
}

/// The index of a full-text table whose text is in another table.
fn searched(schema: &SourceSchema, plan: &TransferPlan, name: &str) -> Option<Proposal> {
    let unreadable = schema.unreadable.iter().find(|table| table.name == name)?;
    let searched = unreadable.searches.as_ref()?;
    let table = schema.table(&searched.table)?;
    let table = plan.tables.iter().find(|planned| planned.source == table.name)?;
    full_text(plan, table, Some(&searched.columns))
}

/// Boxes of an R*Tree over two dimensions: id, then least and most of each.
fn spatial(schema: &SourceSchema, plan: &TransferPlan, table: &TablePlan) -> Option<Proposal> {
    let source: &Table = schema.table(&table.source)?;
    matches!(&source.kind, TableKind::Virtual { .. }).then_some(())?;
    let [_, x0, x1, y0, y1] = table.columns.get(..5)? else { return None };
    let place = |x: &str, y: &str| format!("point({}, {})", quoted(x), quoted(y));
    Proposal::ready(format!(
        "CREATE INDEX ON {} USING gist (box({}, {}))",
        qualified(&plan.schema, &table.target),
        place(&x0.target, &y0.target),
        place(&x1.target, &y1.target)
    ))
}

fn trigger_skeleton(plan: &TransferPlan, table: &TablePlan, trigger: &Trigger) -> Option<Proposal> {
    let function = qualified(&plan.schema, &format!("{}_{}", table.target, trigger.name));
    Proposal::to_edit(format!(
        "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $body$\n\
         BEGIN\n    -- what the source says, in PL/pgSQL\n    RETURN NEW;\nEND\n$body$;\n\
         CREATE TRIGGER {} AFTER UPDATE ON {} -- or what the source says\n    \
         FOR EACH ROW EXECUTE FUNCTION {function}()",
        quoted(&trigger.name),
        qualified(&plan.schema, &table.target),
    ))
}
