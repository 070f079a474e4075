//! CHECK constraints as finishing steps: added NOT VALID, then validated, so that rows that break
//! them (SQLite has `PRAGMA ignore_check_constraints`) are counted and stay.

use crate::map::expr::{Need, Relation, Translator};
use crate::map::names::NameSpace;
use crate::model::ident::{qualified, quoted};
use crate::model::name_style::NameStyle;
use crate::model::plan::{FinishStep, NotCarried, Phase};
use crate::model::source::Check;

use super::keys::TableParts;
use super::leftovers;

/// What becomes of the CHECKs of one table.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) steps: Vec<FinishStep>,
    pub(super) not_carried: Vec<NotCarried>,
    pub(super) notes: Vec<String>,
}

/// Plans the CHECKs of a table; `constraints` holds the names of its other constraints.
pub(super) fn plan(
    part: &TableParts<'_>,
    relation: &Relation,
    into: &str,
    encoding: &str,
    constraints: &mut NameSpace,
    style: NameStyle,
) -> Checks {
    let mut checks = Checks::default();
    // Names that are given come first, so that a made-up one cannot be in their way.
    let (named, unnamed): (Vec<&Check>, Vec<&Check>) =
        part.table.checks.iter().partition(|check| check.name.is_some());
    for check in named.into_iter().chain(unnamed) {
        if let Some(reason) = leftovers::said_by_type(check, part.mapping) {
            checks.not_carried.push(left_out(part, check, reason));
            continue;
        }
        let condition = check
            .tree
            .clone()
            .and_then(|tree| Translator::over(relation, Need::Anything, encoding).condition(&tree));
        match condition {
            Err(reason) => checks.not_carried.push(left_out(
                part,
                check,
                format!("it is not translated: {reason}"),
            )),
            Ok(condition) => {
                let name = constraints.take(&style.write(&wanted(part, check)));
                checks.notes.extend(condition.notes);
                checks.steps.extend(steps(part, check, &name, &condition.sql, into));
            }
        }
    }
    checks
}

fn wanted(part: &TableParts<'_>, check: &Check) -> String {
    let table = &part.mapping.target;
    match (&check.name, check.column.and_then(|column| part.mapping.columns.get(column))) {
        (Some(name), _) => name.clone(),
        (None, Some(column)) => format!("{table}_{}_check", column.target),
        (None, None) => format!("{table}_check"),
    }
}

fn left_out(part: &TableParts<'_>, check: &Check, reason: String) -> NotCarried {
    let column = check.column.and_then(|column| part.table.columns.get(column));
    NotCarried {
        object: "check".into(),
        table: Some(part.table.name.clone()),
        name: check
            .name
            .clone()
            .or_else(|| column.map(|column| column.name.clone()))
            .unwrap_or_else(|| "(unnamed)".into()),
        reason,
        source_text: format!("CHECK ({})", check.expression),
    }
}

fn steps(
    part: &TableParts<'_>,
    check: &Check,
    name: &str,
    condition: &str,
    into: &str,
) -> [FinishStep; 2] {
    let table = qualified(into, &part.mapping.target);
    let constraint = quoted(name);
    let step = |phase, sql, orphans_sql| FinishStep {
        phase,
        table: part.position,
        object: "check".into(),
        name: name.to_owned(),
        sql,
        source_text: format!("CHECK ({})", check.expression),
        orphans_sql,
    };
    let broken = format!("SELECT count(*) FROM {table} WHERE NOT ({condition})");
    [
        step(
            Phase::Checks,
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID"
            ),
            None,
        ),
        step(
            Phase::Validate,
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}"),
            Some(broken),
        ),
    ]
}
