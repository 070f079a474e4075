//! Which tables of the two sides are compared: as the run has them, else by their names.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::map::matching;
use crate::map::names::NameSpace;
use crate::map::renames;
use crate::map::tracking;
use crate::model::catalogue::Catalogue;
use crate::model::matching::Refusal;
use crate::model::name_style::NameStyle;
use crate::model::plan::TransferPlan;
use crate::model::source::{SourceSchema, Table};
use crate::presets::Presets;
use crate::report::{MergedRows, NotCompared};

use super::counts::Pair;

/// A run, as far as the comparison needs it.
pub(super) struct Known<'a> {
    /// Its number.
    pub(super) id: i64,
    /// Its plan.
    pub(super) plan: &'a TransferPlan,
    /// Rejected rows by table of the plan.
    pub(super) rejected: BTreeMap<usize, u64>,
    /// What became of rows that came to tables which had some, by table of the plan.
    pub(super) merged: BTreeMap<usize, MergedRows>,
}

/// Pairs by what the run did. Of tables that are the target's own only those that were filled are compared.
pub(super) fn by_run(tables: &[&Table], run: &Known<'_>) -> (Vec<Pair>, Vec<NotCompared>) {
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let by_rule = NameSpace::default().take_all(&names, NameStyle::Keep);
    let (mut pairs, mut left) = (Vec::new(), Vec::new());
    for (source, by_rule) in names.into_iter().zip(by_rule) {
        let mut planned = run.plan.tables.iter().enumerate();
        match planned.find(|(_, table)| table.source == source) {
            Some((position, table)) => pairs.push(Pair {
                source: source.to_owned(),
                target: table.target.clone(),
                rejected: run.rejected.get(&position).copied().unwrap_or(0),
                merged: run.merged.get(&position).copied(),
            }),
            None if run.plan.fill.is_some() => {
                left.push(left_out(source, format!("run {} left it out", run.id)));
            }
            None => pairs.push(Pair {
                source: source.to_owned(),
                target: by_rule,
                rejected: 0,
                merged: None,
            }),
        }
    }
    (pairs, left)
}

/// Pairs by names, as `--data-only` does: as they are, in another case, by letters and digits. A table that the
/// target does not have under any of them is paired with its own name, so that it is a difference.
///
/// # Errors
/// [`ErrorKind::TargetState`] for a name that several tables could be, [`ErrorKind::Usage`] for a rename of
/// nothing.
pub(super) fn by_name(
    schema: &SourceSchema,
    tables: &[&Table],
    catalogue: &Catalogue,
    renamed: &[String],
    presets: &Presets,
) -> Result<(Vec<Pair>, Vec<NotCompared>)> {
    let renames = renames::resolve(renamed, schema, catalogue)?;
    let (mut wanted, mut left) = (Vec::new(), Vec::new());
    for (at, table) in schema.tables.iter().enumerate() {
        if !tables.iter().any(|selected| selected.name == table.name) {
            continue;
        }
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let kept = match presets.tracking(&table.name, &columns) {
            Some(kept) => Some(kept),
            None => tracking::tracking(&table.name, &columns)?,
        };
        match kept {
            Some(kept) => left.push(left_out(
                &table.name,
                format!("the migrations of {} keep it, on each side its own", kept.tool),
            )),
            None => wanted.push((at, table)),
        }
    }
    // Names of columns do not matter to the number of rows.
    let (matching, refusals) = matching::matching(&wanted, catalogue, &renames, |_, _| true);
    refuse(&refusals)?;
    let pairs = wanted.iter().map(|(at, table)| {
        let matched = matching.tables.iter().find(|matched| matched.source == *at);
        let target = matched.map_or(&table.name, |matched| &catalogue.tables[matched.target].name);
        Pair { source: table.name.clone(), target: target.clone(), rejected: 0, merged: None }
    });
    Ok((pairs.collect(), left))
}

fn left_out(table: &str, reason: String) -> NotCompared {
    NotCompared { object: "table".into(), name: table.to_owned(), reason }
}

fn refuse(refusals: &[Refusal]) -> Result<()> {
    let Some(first) = refusals.first() else { return Ok(()) };
    let error = Error::new(ErrorKind::TargetState, first.text.trim_end_matches('.'));
    let others: Vec<&str> = refusals[1..].iter().map(|refusal| refusal.text.as_str()).collect();
    let error = if others.is_empty() { error } else { error.detail(others.join("\n")) };
    Err(refusals.iter().filter_map(|refusal| refusal.hint.clone()).fold(error, Error::hint))
}
