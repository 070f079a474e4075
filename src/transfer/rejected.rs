//! Bad rows: refused before anything is written, or left out and written to files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::checkpoint::{resent, store};
use crate::connect::Target;
use crate::copy::reject::{self, Files};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::inspect::Opened;
use crate::map::rules::TARGET;
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::{Element, PgType};
use crate::model::plan::{RangePlan, TransferPlan, UnfitColumn};
use crate::options::BadRows;
use crate::report::RejectedRows;

use super::begin::Begun;

/// Columns of the error that are shown.
const SHOWN_MAX: usize = 10;

/// Refuses a plan whose bad rows the user did not ask to leave out, or more than allowed.
///
/// # Errors
/// [`ErrorKind::Differences`] naming the columns, values and rules.
pub(super) fn refuse(plan: &TransferPlan, bad_rows: &BadRows, so_far: &str) -> Result<()> {
    let bad: Vec<&UnfitColumn> =
        plan.unfit.iter().filter(|column| column.unfit.on_misfit == OnMisfit::Reject).collect();
    let values: u64 = bad.iter().map(|column| column.unfit.misfits).sum();
    match bad_rows {
        BadRows::Stop if !bad.is_empty() && plan.fill.is_some() => {
            Err(unfilled(&bad, values, so_far))
        }
        BadRows::Stop if !bad.is_empty() => Err(stopped(&bad, values, so_far)),
        // A row may hold several of them, so only a column alone tells a number of rows.
        BadRows::Reject { rows_max: Some(max), .. } if at_least(&bad) > *max => {
            let count = at_least(&bad);
            Err(Error::new(
                ErrorKind::Differences,
                format!("at least {count} rows do not fit, --max-rejects allows {max}; {so_far}"),
            )
            .detail(lines(&bad))
            .hint("Mend the rules or the data, or allow more."))
        }
        _ => Ok(()),
    }
}

/// The least number of bad rows that the counts per column tell of.
fn at_least(bad: &[&UnfitColumn]) -> u64 {
    let mut tables: BTreeMap<&str, u64> = BTreeMap::new();
    for column in bad {
        let most = tables.entry(&column.table).or_insert(0);
        *most = column.unfit.misfits.max(*most);
    }
    tables.into_values().sum()
}

fn stopped(bad: &[&UnfitColumn], values: u64, so_far: &str) -> Error {
    let do_not = if values == 1 { "value does" } else { "values do" };
    let mut error = Error::new(
        ErrorKind::Differences,
        format!("{values} {do_not} not fit a type that a rule holds fast; {so_far}"),
    )
    .detail(lines(bad));
    if let Some(column) = bad.first() {
        error = error.hint(format!(
            "A rule that holds every value: {},{},*,*,{},plain,",
            csv_cell(&column.table),
            csv_cell(&column.column),
            csv_cell(&column.unfit.would_fit.to_string()),
        ));
    }
    error
        .hint("With \"or null\" instead of \"or reject\" behind the rule's conversion the values become NULL.")
        .hint("With --on-bad-row reject --rejects DIR these rows are left out and written to DIR.")
}

/// The same where the types are the target's own.
fn unfilled(bad: &[&UnfitColumn], values: u64, so_far: &str) -> Error {
    let do_not = if values == 1 { "value does" } else { "values do" };
    let mut error = Error::new(
        ErrorKind::Differences,
        format!("{values} {do_not} not fit the target's columns; {so_far}"),
    )
    .detail(lines(bad))
    .hint("With --on-bad-row reject --rejects DIR these rows are left out and written to DIR.");
    let first = bad.iter().find(|column| !column.unfit.found.contains("NULL in"));
    if let Some((column, (pg_type, convert))) =
        first.and_then(|column| Some((column, rule_of(column.pg_type)?)))
    {
        error = error.hint(format!(
            "A line of a file for --type-map makes them NULL: {},{},*,*,{},{convert}or null,",
            csv_cell(&column.table),
            csv_cell(&column.column),
            csv_cell(&pg_type.to_string()),
        ));
    }
    if let Some(column) = bad.iter().find(|column| column.unfit.found.contains("NULL in")) {
        error = error.hint(format!(
            "--skip \"{}.{}\" leaves the column to the target's default, if it has one.",
            column.table.escape_debug(),
            column.column.escape_debug()
        ));
    }
    error
}

/// What a rule for a column of this type has as its type and conversion; `None` where no conversion goes
/// without saying.
fn rule_of(pg_type: PgType) -> Option<(PgType, &'static str)> {
    match pg_type {
        PgType::Interval => None,
        PgType::Enum(_) => Some((pg_type, "enum:keep ")),
        PgType::Array(Element::Enum(_)) => Some((PgType::Array(Element::Text), "array_json ")),
        PgType::Array(_) => Some((pg_type, "array_json ")),
        other => Some((other, "")),
    }
}

fn lines(bad: &[&UnfitColumn]) -> String {
    let mut lines: Vec<String> = bad
        .iter()
        .take(SHOWN_MAX)
        .map(|column| {
            let unfit = &column.unfit;
            let examples: Vec<String> = unfit
                .examples
                .iter()
                .map(|example| match example.rowid {
                    Some(rowid) => format!("{} (rowid {rowid})", example.value),
                    None => example.value.clone(),
                })
                .collect();
            let by = match column.rule.strip_prefix(TARGET) {
                Some(_) => "in the target".to_owned(),
                None => format!("by rule {}", column.rule.escape_debug()),
            };
            format!(
                "Column \"{}\".\"{}\" is {} {by}: {} of its values do not fit ({}){}{}{}",
                column.table.escape_debug(),
                column.column.escape_debug(),
                column.pg_type,
                unfit.misfits,
                unfit.found,
                if examples.is_empty() { "" } else { ": " },
                examples.join(", "),
                if unfit.misfits > unfit.examples.len() as u64 { ", ..." } else { "." },
            )
        })
        .collect();
    if bad.len() > SHOWN_MAX {
        lines.push(format!("And {} columns more.", bad.len() - SHOWN_MAX));
    }
    lines.join("\n")
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// What the report says of rows that were left out; writes their files when a folder is given.
///
/// # Errors
/// As [`Files::write`]; [`ErrorKind::Target`].
pub(super) async fn account(
    target: &Target,
    opened: &Opened,
    begun: &Begun,
    bad_rows: &BadRows,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Vec<RejectedRows>> {
    let session = target.session().await?;
    let (left, marks) = match &begun.local {
        Some(local) => {
            let marks = local.progress()?.map(|progress| progress.marks).unwrap_or_default();
            (store::rejected_of(&marks), marks)
        }
        None => {
            let left = store::rejected(&session, begun.run).await?;
            let is_none = left.is_empty();
            let marks =
                if is_none { Vec::new() } else { store::marks(&session, begun.run).await? };
            (left, marks)
        }
    };
    let names = reject::file_names(&begun.plan);
    let mut rejected = Vec::new();
    for (number, rows) in left {
        let (Some(table), Some(name)) = (begun.plan.tables.get(number), names.get(number)) else {
            continue;
        };
        let file = match bad_rows {
            BadRows::Stop => None,
            BadRows::Reject { dir, .. } if begun.is_done && dir.join(name).exists() => {
                // It may have been edited since.
                listener.on(Event::Note(format!("{} is left as it is.", dir.join(name).display())));
                Some(dir.join(name))
            }
            BadRows::Reject { dir, .. } => {
                let mut ranges: Vec<(RangePlan, BTreeSet<u64>)> = Vec::new();
                for mark in marks.iter().filter(|mark| mark.table == number && mark.rejected > 0) {
                    let is_it =
                        |range: &&RangePlan| (range.table, range.number) == (number, mark.number);
                    let Some(range) = begun.plan.ranges.iter().find(is_it) else { continue };
                    let sent = match begun.local {
                        // Only runs that the target knows can be sent rows later.
                        Some(_) => BTreeSet::new(),
                        None => resent::of_range(&session, begun.run, number, mark.number).await?,
                    };
                    ranges.push((*range, sent));
                }
                ranges.sort_by_key(|(range, _)| range.number);
                let files = files(opened, begun, dir, cancel);
                Some(tokio::task::block_in_place(|| files.write(number, name, &ranges))?)
            }
        };
        rejected.push(RejectedRows {
            table: table.source.clone(),
            rows,
            file: file.map(|path| path.display().to_string()),
        });
    }
    Ok(rejected)
}

fn files<'a>(opened: &'a Opened, begun: &'a Begun, dir: &'a Path, cancel: &'a Cancel) -> Files<'a> {
    Files { plan: &begun.plan, snapshot: &opened.snapshot, zone: &opened.zone, dir, cancel }
}
