//! Which tables of the two sides are compared: as the run has them, else by their names.

use crate::error::{Error, ErrorKind, Result};
use crate::inspect::Opened;
use crate::map::matching;
use crate::map::names::NameSpace;
use crate::map::renames;
use crate::map::tracking;
use crate::model::catalogue::Catalogue;
use crate::model::matching::{ColumnFate, Matching, Refusal};
use crate::model::name_style::NameStyle;
use crate::model::plan::TransferPlan;
use crate::model::source::{SourceSchema, Table};
use crate::report::{NotCompared, Unsound};

use super::counts::Pair;

/// Returns the tables that a run knows nothing of: of one that made its tables they are counted, for they should be
/// there; of one that filled the target's own they are left out.
pub(super) fn beside_run(
    tables: &[&Table],
    run: i64,
    plan: &TransferPlan,
) -> (Vec<Pair>, Vec<NotCompared>) {
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let by_rule = NameSpace::default().take_all(&names, NameStyle::Keep);
    let (mut counted, mut left) = (Vec::new(), Vec::new());
    for (source, by_rule) in names.into_iter().zip(by_rule) {
        if plan.tables.iter().any(|table| table.source == source) {
            continue;
        }
        if plan.fill.is_some() {
            left.push(left_out(source, format!("run {run} left it out")));
        } else {
            counted.push(pair(source, &by_rule));
        }
    }
    (counted, left)
}

fn pair(source: &str, target: &str) -> Pair {
    let (source, target) = (source.to_owned(), target.to_owned());
    Pair { source, target, rejected: 0, resent: 0, merged: None }
}

/// Pairs by names, as `--data-only` does: as they are, in another case, by letters and digits.
///
/// # Errors
/// [`ErrorKind::TargetState`] for a name that several tables could be, [`ErrorKind::Usage`] for a rename of
/// nothing.
pub(super) fn by_name(
    opened: &Opened,
    catalogue: &Catalogue,
    renamed: &[String],
) -> Result<(Matching, Vec<NotCompared>)> {
    let schema = &opened.schema;
    let renames = renames::resolve(renamed, schema, catalogue)?;
    let (mut wanted, mut left) = (Vec::new(), Vec::new());
    for at in &opened.selected {
        let table = &schema.tables[*at];
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let kept = match opened.presets.tracking(&table.name, &columns) {
            Some(kept) => Some(kept),
            None => tracking::tracking(&table.name, &columns)?,
        };
        match kept {
            Some(kept) => left.push(left_out(
                &table.name,
                format!("the migrations of {} keep it, on each side its own", kept.tool),
            )),
            None => wanted.push((*at, table)),
        }
    }
    let (matching, refusals) = matching::matching(&wanted, catalogue, &renames, |_, _| false);
    refuse(&refusals)?;
    Ok((matching, left))
}

/// Returns the tables that are only counted: one that the target does not have is paired with its own name, so that
/// it is a difference; with `all` the others too.
pub(super) fn counted(
    schema: &SourceSchema,
    catalogue: &Catalogue,
    matching: &Matching,
    all: bool,
) -> Vec<Pair> {
    let there = matching
        .tables
        .iter()
        .filter(|_| all)
        .map(|matched| (matched.source, catalogue.tables[matched.target].name.as_str()));
    let absent = matching.missing.iter().map(|at| (*at, schema.tables[*at].name.as_str()));
    let mut pairs: Vec<(usize, &str)> = there.chain(absent).collect();
    pairs.sort_by_key(|(source, _)| *source);
    pairs.into_iter().map(|(source, target)| pair(&schema.tables[source].name, target)).collect()
}

/// Returns the columns of the source that are in no column of the target.
pub(super) fn columns_lost(
    schema: &SourceSchema,
    catalogue: &Catalogue,
    matching: &Matching,
) -> Vec<Unsound> {
    let lost = matching.tables.iter().flat_map(|matched| {
        let fates = matched.columns.iter().enumerate();
        fates.filter_map(move |(position, fate)| {
            let how = match fate {
                ColumnFate::Missing => "is not there",
                ColumnFate::Unclear => "could be several columns; --rename says which",
                ColumnFate::Into(_) | ColumnFate::Skipped | ColumnFate::Generated => return None,
            };
            Some(Unsound {
                table: catalogue.tables[matched.target].name.clone(),
                object: "column".into(),
                name: schema.tables[matched.source].columns[position].name.clone(),
                how: how.into(),
                is_difference: true,
            })
        })
    });
    lost.collect()
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
