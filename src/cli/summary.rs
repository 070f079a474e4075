//! What `transfer`, `rehearse` and `verify` print when they are done.
//!
//! A table of the tables, one of the steps, lists of what is not as it was, and one last sentence.

use std::collections::HashMap;
use std::time::Duration;

use super::amount::{bytes, counted, grouped, grouped_signed, rows, seconds, tables};
use super::board::Verbosity;
use super::differences;
use super::names::{plain, wrap_into};
use super::sections::Sections;
use super::sentence::{self, Purpose};
use super::style::Look;
use super::table::{Fit, Table};
use crate::report::{
    MergedRows, Outcome, RestoreReport, TableReport, TransferReport, VerifiedTable, VerifyReport,
};

/// Tables that are shown without `--verbose`.
const TABLES_SHOWN_MAX: usize = 20;

/// Everything that decides how a transfer's summary reads, except the report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling {
    /// How much to say.
    pub(super) verbosity: Verbosity,
    /// For whom.
    pub(super) look: Look,
    /// How long the whole command took.
    pub(super) elapsed: Duration,
    /// What it was for.
    pub(super) purpose: Purpose,
    /// `--strict` was given and something is not as it was.
    pub(super) strict_failed: bool,
}

/// Returns the summary of a transfer or a rehearsal.
pub(super) fn transfer(report: &TransferReport, telling: Telling) -> String {
    let Telling { verbosity, look, elapsed, purpose, strict_failed } = telling;
    let mut out = String::new();
    let nothing_done = report.outcome == Outcome::AlreadyDone && verbosity < Verbosity::Verbose;
    if verbosity > Verbosity::Quiet && !nothing_done {
        wrap_into(&mut out, "", "  ", &headline(report), look.width);
        out.push('\n');
        draw_tables(&mut out, report, verbosity, look);
        draw_steps(&mut out, report, elapsed, look);
    } else if verbosity > Verbosity::Quiet
        && let Some(verify) = report.verify.as_ref().filter(|verify| verify.differing() > 0)
    {
        draw_verified(&mut out, verify, verbosity, look);
    }
    if verbosity > Verbosity::Quiet {
        let mut sections = Sections { out: &mut out, look, verbosity, json_flag: "--json" };
        sections.merged(&report.tables);
        sections.rejected(&report.rejected);
        sections.widened(&report.widened);
        sections.not_carried(&report.not_carried);
        sections.refused(&report.refused);
        sections.orphans(&report.orphans);
        sections.not_as_before(&report.not_as_before);
        if let Some(verify) = &report.verify {
            sections.compared_at_the_end(verify);
        }
        // What the run said it would do is not what this command did.
        if !nothing_done {
            sections.sentences("notes", &notes(report));
        }
        if !out.is_empty() {
            out.push('\n');
        }
    }
    let last = sentence::of_transfer(report, elapsed, purpose, strict_failed);
    close(&mut out, &last, look);
    out
}

/// Returns the summary of a comparison.
pub(super) fn verify(
    report: &VerifyReport,
    source: &str,
    verbosity: Verbosity,
    look: Look,
) -> String {
    let mut out = String::new();
    if verbosity > Verbosity::Quiet {
        if !report.tables.is_empty() {
            draw_verified(&mut out, report, verbosity, look);
        }
        let mut sections = Sections { out: &mut out, look, verbosity, json_flag: "--json" };
        sections.compared(report);
        if !out.is_empty() {
            out.push('\n');
        }
    }
    close(&mut out, &sentence::of_verify(report, source), look);
    out
}

/// Returns the summary of `restore-constraints`.
pub(super) fn restored(report: &RestoreReport, verbosity: Verbosity, look: Look) -> String {
    let mut out = String::new();
    if verbosity > Verbosity::Quiet {
        let mut sections = Sections { out: &mut out, look, verbosity, json_flag: "--json" };
        sections.list("as they were before", &report.restored, |sections, entry| {
            let (object, name) = (plain(&entry.object), plain(&entry.name));
            sections.sentence(&format!("{object} {name} of {}", plain(&entry.table)));
        });
        sections.not_as_before(&report.not_as_before);
        if !out.is_empty() {
            out.push('\n');
        }
    }
    close(&mut out, &sentence::of_restored(report), look);
    out
}

/// The last line: broken on a terminal, whole in a log.
fn close(out: &mut String, sentence: &str, look: Look) {
    let width = if look.terminal { look.width } else { usize::MAX };
    wrap_into(out, "", "", sentence, width);
}

fn headline(report: &TransferReport) -> String {
    format!(
        "{} ({}, {}) to {}, schema {}, PostgreSQL {}{}",
        plain(&report.source.path),
        bytes(report.source.bytes),
        plain(&report.source.encoding),
        plain(&report.target),
        plain(&report.schema),
        plain(&report.target_version),
        // 0: the target does not know of it.
        if report.run == 0 { String::new() } else { format!(", run {}", report.run) },
    )
}

fn notes(report: &TransferReport) -> Vec<String> {
    let read_as = report.source.read_as.iter();
    let read_as =
        read_as.map(|how| format!("{} was read in another way: {how}", report.source.path));
    read_as.chain(report.notes.iter().cloned()).collect()
}

fn draw_tables(out: &mut String, report: &TransferReport, verbosity: Verbosity, look: Look) {
    let verified: HashMap<&str, &VerifiedTable> = report
        .verify
        .iter()
        .flat_map(|verify| &verify.tables)
        .map(|table| (table.source.as_str(), table))
        .collect();
    let differs = |table: &TableReport| {
        verified.get(table.source.as_str()).is_some_and(|table| !table.equal())
    };
    let mut order: Vec<&TableReport> = report.tables.iter().collect();
    order.sort_by_key(|table| (!differs(table), std::cmp::Reverse((table.copy_bytes, table.rows))));

    let mut drawn = Table::new(&[
        ("table", Fit::Middle(12)),
        ("rows", Fit::Right),
        ("size", Fit::Right),
        ("copy", Fit::Right),
        ("finish", Fit::End(12)),
        (if report.verify.is_some() { "verified" } else { "" }, Fit::Left),
    ]);
    let shown = shown(order.len(), verbosity);
    for table in order.iter().take(shown) {
        let verified = verified.get(table.source.as_str());
        drawn.row(
            differs(table),
            [
                plain(&table.source),
                grouped(table.rows),
                bytes(table.copy_bytes),
                seconds(table.copy_s),
                made(table),
                verified.map_or_else(String::new, |table| verdict(table)),
            ],
        );
    }
    drawn.draw(out, look);
    more_tables(out, order.len() - shown);
}

fn shown(count: usize, verbosity: Verbosity) -> usize {
    // One line that says "1 more" is no shorter than that table's own.
    let all = verbosity == Verbosity::Verbose || count <= TABLES_SHOWN_MAX + 1;
    if all { count } else { TABLES_SHOWN_MAX }
}

fn more_tables(out: &mut String, more: usize) {
    if more > 0 {
        let more = counted(more as u64, "more table", "more tables");
        out.push_str(&format!("  ({more}; --verbose lists them)\n"));
    }
}

/// What was made after the rows: `2 indexes, 1 foreign key, next id 41 003, 4.1 s`.
fn made(table: &TableReport) -> String {
    let part =
        |count: usize, one: &str, many: &str| (count > 0).then(|| counted(count as u64, one, many));
    let parts = [
        part(table.indexes, "index", "indexes"),
        part(table.foreign_keys, "foreign key", "foreign keys"),
        table.identity_next.map(|next| format!("next id {}", grouped_signed(next))),
        (table.finish_s > 0.0).then(|| seconds(table.finish_s)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn verdict(table: &VerifiedTable) -> String {
    match table.target_rows {
        None => "no such table".to_owned(),
        Some(_) if table.values.is_some_and(|values| values.differing() > 0) => {
            table.values.as_ref().map(differences::verdict).unwrap_or_default()
        }
        Some(_) if table.equal() && table.rejected > 0 => {
            format!("{} rejected", rows(table.rejected))
        }
        Some(target) if target < table.wanted_rows() => {
            format!("{} missing", rows(table.wanted_rows() - target))
        }
        Some(target) if target > table.wanted_rows() => {
            format!("{} too many", rows(target - table.wanted_rows()))
        }
        // As many as after the transfer, but not of these rows.
        Some(_) if !table.equal() => "other rows in the source".to_owned(),
        Some(_) => match table.merged {
            None => "ok".to_owned(),
            Some(MergedRows { target_before, merged }) => {
                let (before, inserted) = (grouped(target_before), grouped(merged.inserted));
                format!("ok: {before} before, {inserted} inserted")
            }
        },
    }
}

fn draw_steps(out: &mut String, report: &TransferReport, elapsed: Duration, look: Look) {
    let mut drawn = Table::new(&[
        ("step", Fit::Left),
        ("wall", Fit::Right),
        ("work", Fit::Right),
        ("jobs", Fit::Right),
    ]);
    for step in &report.steps {
        let (wall, work) = (seconds(step.wall_s), seconds(step.work_s));
        drawn.row(false, [plain(&step.name), wall, work, grouped(step.jobs as u64)]);
    }
    drawn.row(false, ["total".to_owned(), seconds(elapsed.as_secs_f64())]);
    out.push('\n');
    drawn.draw(out, look);
}

fn draw_verified(out: &mut String, report: &VerifyReport, verbosity: Verbosity, look: Look) {
    let mut order: Vec<&VerifiedTable> = report.tables.iter().collect();
    order.sort_by_key(|table| (table.equal(), std::cmp::Reverse(table.source_rows)));
    let mut drawn = Table::new(&[
        ("table", Fit::Middle(12)),
        ("source", Fit::Right),
        ("target", Fit::Right),
        ("", Fit::Left),
    ]);
    let shown = shown(order.len(), verbosity);
    for table in order.iter().take(shown) {
        let target = table.target_rows.map_or_else(|| "-".to_owned(), grouped);
        let name = plain(&table.source);
        drawn.row(!table.equal(), [name, grouped(table.source_rows), target, verdict(table)]);
    }
    drawn.draw(out, look);
    let hidden = &order[shown..];
    more_tables(out, hidden.len());
    // The cut must not hide that there is more to worry about.
    let hidden_differing = hidden.iter().filter(|table| !table.equal()).count();
    if hidden_differing > 0 {
        out.push_str(&format!("! {} of them differ too\n", tables(hidden_differing)));
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
