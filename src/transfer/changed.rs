//! A run goes on although the file is not what it was: what was sent is read again and compared.
//!
//! Purpose: size, time and counters say only that a file may have changed; in WAL mode they do not even
//! say that it did not. When they differ, every committed range is read again and its sums are compared
//! with those of its mark. What is equal stays, what differs is taken out of the target with its mark, and
//! the copy sends it like any other range. Ranges cover all rowids, so rows that came at either end or
//! between belong to one.
//!
//! Known gaps: types were decided by the values of before. A new value that does not fit ends the copy with
//! its row and column, and --restart decides anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::forget::{self, Again};
use crate::checkpoint::resent;
use crate::checkpoint::resume::{self, Touched};
use crate::connect::Session;
use crate::encode::RowEncoder;
use crate::encode::range_hash::RangeHasher;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::inspect::Opened;
use crate::model::evidence::Span;
use crate::model::mark::Mark;
use crate::model::plan::{ColumnPlan, RangePlan, rowid_column};
use crate::model::range_sums::Sums;
use crate::options::{BadRows, TransferOptions};
use crate::read::{Connection, Encoded, OnBadRow, RangeSource, count_rows, count_span};

use super::begin::Begun;

/// What is told when nothing is sent again.
const SAME: &str = "The rows that were copied are those of the file as it is now.";

/// What a range holds now.
#[derive(Debug, Clone, Copy)]
struct Now {
    rows: u64,
    /// Of a range that was committed.
    sums: Option<(Sums, u64)>,
}

/// Settles a run whose source may have changed: what is said of it from now on is true of the file as it is.
///
/// Returns false when it is a file from elsewhere with other rows: it has nothing to do with the run.
///
/// # Errors
/// [`ErrorKind::Changed`] when rows changed that cannot be sent again; as [`forget::forget`]; those of
/// reading the source.
pub(super) async fn settle(
    session: &mut Session,
    options: &TransferOptions,
    opened: &Opened,
    begun: &mut Begun,
    touched: &Touched,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<bool> {
    let hints = touched.hints.as_slice();
    listener.on(Event::Note(format!(
        "{} What was copied is read again and compared.",
        hints.join(" ")
    )));
    let now = tokio::task::block_in_place(|| read_again(options, opened, begun, cancel))
        .map_err(|error| unfit(error, hints))?;
    let added = tables_with_rows(opened, begun)?;
    let differing = differing(begun, &now);
    let tables: BTreeSet<usize> = differing.iter().map(|at| begun.plan.ranges[*at].table).collect();
    let names: Vec<String> =
        tables.iter().map(|table| begun.plan.tables[*table].source.clone()).collect();
    if touched.is_elsewhere && !names.is_empty() {
        return Ok(false);
    }
    let grown = added.iter().map(|(table, _)| begun.plan.tables[*table].source.clone());
    let changed: Vec<String> = names.iter().cloned().chain(grown).collect();
    if begun.is_done && !changed.is_empty() {
        return Err(resume::rows_changed(begun.run, &begun.plan, hints, &changed));
    }
    let again = again(opened, begun, &differing);
    if !again.is_empty() {
        refuse(begun, &again, hints)?;
    }
    recount(begun, &now, added);
    if begun.local.is_some() {
        // It is found out again each time: what the file of checkpoints says is not rewritten.
        listener.on(Event::Note(SAME.to_owned()));
        return Ok(true);
    }
    let source = opened.path.to_string_lossy();
    let (run, fingerprint) = (begun.run, &opened.fingerprint);
    forget::forget(session, run, &source, fingerprint, &begun.plan, &begun.marks, &again).await?;
    let is_forgotten = |mark: &Mark| {
        again.iter().any(|one| match one {
            Again::Table(table) => mark.table == *table,
            Again::Range { range, .. } => (mark.table, mark.number) == (range.table, range.number),
        })
    };
    begun.marks.retain(|mark| !is_forgotten(mark));
    begun.before.clone_from(&begun.marks);
    listener.on(Event::Note(if names.is_empty() {
        SAME.to_owned()
    } else {
        format!("Sent again, for the rows changed: {}.", resume::named(&names))
    }));
    Ok(true)
}

/// A value of a range that was sent no longer fits: no other type can be decided now.
fn unfit(error: Error, hints: &[String]) -> Error {
    if error.kind() != ErrorKind::Differences {
        return error;
    }
    error
        .detail(hints.join("\n"))
        .detail("The types were decided by the values of before.")
        .hint("Use --restart to throw away what is there and decide again.")
}

/// Reads every range, as many at once as there are jobs: sums of those that were sent, else the count.
fn read_again(
    options: &TransferOptions,
    opened: &Opened,
    begun: &Begun,
    cancel: &Cancel,
) -> Result<Vec<Now>> {
    let ranges = &begun.plan.ranges;
    opened.snapshot.each_part(
        ranges.len(),
        options.inspect.jobs,
        || false,
        |conn, at| {
            cancel.check()?;
            look(conn, options, opened, begun, &ranges[at], cancel)
        },
    )
}

fn look(
    conn: &Connection,
    options: &TransferOptions,
    opened: &Opened,
    begun: &Begun,
    range: &RangePlan,
    cancel: &Cancel,
) -> Result<Now> {
    let table = &begun.plan.tables[range.table];
    let columns: Vec<Option<&str>> = table.columns.iter().map(ColumnPlan::read_as).collect();
    let source = RangeSource {
        table: &table.source,
        columns: &columns,
        rowid_name: table.rowid_name.as_deref(),
        span: range.span,
    };
    if mark_of(&begun.marks, range).is_none() {
        let rows = count_span(conn, &source)?;
        return Ok(Now { rows, sums: None });
    }
    let on_bad_row = match options.bad_rows {
        BadRows::Stop => OnBadRow::Stop,
        BadRows::Reject { .. } => OnBadRow::LeaveOut,
    };
    let encoder = RowEncoder::new(&table.columns, &opened.zone);
    let mut hasher = RangeHasher::new(&table.columns, false);
    let read =
        source.for_each_chunk(conn, &encoder, on_bad_row, &mut hasher, |_, _| cancel.check());
    let Encoded { rows, bad } = read?;
    Ok(Now { rows: rows + bad, sums: Some((hasher.finish().0, bad)) })
}

fn mark_of<'a>(marks: &'a [Mark], range: &RangePlan) -> Option<&'a Mark> {
    marks.iter().find(|mark| (mark.table, mark.number) == (range.table, range.number))
}

/// Positions of the committed ranges whose rows are not those that were sent.
fn differing(begun: &Begun, now: &[Now]) -> Vec<usize> {
    let is_other = |(at, range): &(usize, &RangePlan)| {
        let Some(mark) = mark_of(&begun.marks, range) else { return false };
        let Some((sums, bad)) = now.get(*at).and_then(|now| now.sums) else { return true };
        mark.sums != Some(sums) || mark.rejected != bad
    };
    begun.plan.ranges.iter().enumerate().filter(is_other).map(|(at, _)| at).collect()
}

/// Tables that were empty when the run began, and have rows now.
fn tables_with_rows(opened: &Opened, begun: &Begun) -> Result<Vec<(usize, u64)>> {
    let with_ranges: BTreeSet<usize> = begun.plan.ranges.iter().map(|range| range.table).collect();
    let mut found = Vec::new();
    for (position, table) in begun.plan.tables.iter().enumerate() {
        if with_ranges.contains(&position) {
            continue;
        }
        let rows = opened.snapshot.with(|conn| count_rows(conn, &table.source))?;
        if rows > 0 {
            found.push((position, rows));
        }
    }
    Ok(found)
}

/// What has to leave the target.
fn again(opened: &Opened, begun: &Begun, differing: &[usize]) -> Vec<Again> {
    let mut again: Vec<Again> = Vec::new();
    for at in differing {
        let range = begun.plan.ranges[*at];
        let table = &begun.plan.tables[range.table];
        let source = opened.schema.table(&table.source);
        let column = source.and_then(|source| rowid_column(&table.columns, source));
        let column = column.map(|at| table.columns[at].target.clone());
        let one = match (range.span, column) {
            (Span::Rowids { .. }, Some(column)) => Again::Range { range, column },
            // The rows of one range cannot be told from those of another.
            _ => Again::Table(range.table),
        };
        if !again.contains(&one) {
            again.push(one);
        }
    }
    again
}

/// Refuses where deleting and sending again would not do.
fn refuse(begun: &Begun, again: &[Again], hints: &[String]) -> Result<()> {
    let plan = &begun.plan;
    let name = |table: usize| plan.tables[table].source.escape_debug().to_string();
    let merged = again.iter().map(Again::table).find(|table| plan.merge_of(*table).is_some());
    let why = if let Some(one) = again.first().filter(|_| begun.local.is_some()) {
        format!(
            "Rows of table \"{}\" changed, and only checkpoints in the target can be taken back.",
            name(one.table())
        )
    } else if let Some(table) = merged {
        format!(
            "Rows of table \"{}\" changed, and what came to the rows that the target had cannot be told from them.",
            name(table)
        )
    } else if let Some(one) = again.first().filter(|_| !begun.steps.is_empty()) {
        format!(
            "Rows of table \"{}\" changed, and keys or indexes are being made already.",
            name(one.table())
        )
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Changed, "cannot continue: rows that were copied have changed")
        .detail(hints.join("\n"))
        .detail(why)
        .hint(again_by(begun)))
}

/// Makes the plan say what the file holds now.
fn recount(begun: &mut Begun, now: &[Now], added: Vec<(usize, u64)>) {
    for (range, now) in begun.plan.ranges.iter_mut().zip(now) {
        if range.rows > 0 {
            let bytes =
                u128::from(range.copy_bytes) * u128::from(now.rows) / u128::from(range.rows);
            range.copy_bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        }
        range.rows = now.rows;
    }
    for (table, rows) in added {
        let span = match begun.plan.tables[table].rowid_name {
            Some(_) => Span::Rowids { lo: i64::MIN, hi: i64::MAX },
            None => Span::Whole,
        };
        begun.plan.ranges.push(RangePlan { table, number: 0, span, rows, copy_bytes: 0 });
    }
    let mut sums: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for range in &begun.plan.ranges {
        let (rows, bytes) = sums.entry(range.table).or_default();
        *rows += range.rows;
        *bytes += range.copy_bytes;
    }
    for (position, table) in begun.plan.tables.iter_mut().enumerate() {
        (table.rows, table.copy_bytes) = sums.get(&position).copied().unwrap_or_default();
    }
}

/// Compares how many rows are there with the marks: a table that lost its rows since (unlogged and a crash,
/// or emptied by hand) is sent again when the run made it, and told when not.
///
/// # Errors
/// [`ErrorKind::TargetState`] naming the tables; [`ErrorKind::Target`].
pub(super) async fn check_counts(
    session: &mut Session,
    begun: &mut Begun,
    listener: &dyn Listener,
) -> Result<()> {
    let plan = &begun.plan;
    if begun.marks.len() >= plan.ranges.len() && begun.steps.len() >= plan.finish.len() {
        // Nothing is left but to compare, which says more.
        return Ok(());
    }
    let mut marked: BTreeMap<usize, u64> = BTreeMap::new();
    if begun.local.is_some() {
        // That nothing is written down of a table need not be true of it.
        marked.extend((0..plan.tables.len()).map(|table| (table, 0)));
        marked.retain(|table, _| plan.merge_of(*table).is_none());
    }
    for mark in &begun.marks {
        if begun.plan.merge_of(mark.table).is_none() {
            *marked.entry(mark.table).or_default() += mark.rows;
        }
    }
    let resent = match begun.local {
        Some(_) => BTreeMap::new(),
        None => resent::counts(session, begun.run).await?,
    };
    for (table, rows) in resent {
        marked.entry(table).and_modify(|marked| *marked += rows);
    }
    let positions: Vec<usize> = marked.keys().copied().collect();
    let there = forget::count(&*session, &begun.plan, &positions).await?;
    let wrong: Vec<usize> =
        positions.into_iter().filter(|at| there.get(at) != marked.get(at)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = wrong
        .iter()
        .map(|at| {
            format!(
                "Table \"{}\" has {} rows, but {} were committed.",
                begun.plan.tables[*at].target.escape_debug(),
                there.get(at).copied().unwrap_or(0),
                marked.get(at).copied().unwrap_or(0)
            )
        })
        .collect();
    let is_lost = |at: &usize| {
        begun.plan.tables[*at].is_made() && there.get(at).copied().unwrap_or(0) < marked[at]
    };
    if begun.steps.is_empty() && begun.local.is_none() && wrong.iter().all(is_lost) {
        forget::empty(session, begun.run, &begun.plan, &wrong).await?;
        begun.marks.retain(|mark| !wrong.contains(&mark.table));
        begun.before.clone_from(&begun.marks);
        let told = told.join(" ");
        listener.on(Event::Note(format!(
            "{told} What is missing was lost since; the table is sent again."
        )));
        return Ok(());
    }
    Err(Error::new(ErrorKind::TargetState, "tables do not hold the rows that were committed")
        .detail(told.join("\n"))
        .hint("Rows were lost or added since the transfer stopped: by somebody else, or, in an UNLOGGED table, by a crash of the server.")
        .hint(again_by(begun)))
}

/// How to give up what is there.
fn again_by(begun: &Begun) -> &'static str {
    match begun.local {
        None => "Use --restart to begin again.",
        Some(_) => {
            "To begin again, drop the tables (or empty those of the application) and give another --checkpoint FILE."
        }
    }
}
