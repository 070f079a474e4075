//! The last line of a command: a sentence that stands alone, in a log without the rest.

use std::time::Duration;

use super::amount::{counted, grouped, rows, seconds, tables};
use super::names::plain;
use crate::report::{
    InspectReport, InspectTarget, Merged, Outcome, RestoreReport, TransferReport, VerifyLevel,
    VerifyReport,
};

/// What a transfer was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To move.
    Transfer,
    /// To see whether it would work.
    Rehearsal,
}

/// Says how a transfer or a rehearsal ended.
pub(super) fn of_transfer(
    report: &TransferReport,
    elapsed: Duration,
    purpose: Purpose,
    strict_failed: bool,
) -> String {
    let mut sentences = vec![moved(report, elapsed, purpose)];
    sentences.extend(merged(report));
    let named_tables = report.outcome != Outcome::AlreadyDone;
    match &report.verify {
        Some(verify) => sentences.extend(counts(verify, named_tables)),
        None => sentences.push("Row counts were not compared.".to_owned()),
    }
    let remains = remains(report);
    if !remains.is_empty() {
        sentences.push(format!("{}.", remains.join("; ")));
    }
    if strict_failed {
        sentences.push("With --strict that is a failure.".to_owned());
    }
    if !report.not_as_before.is_empty() {
        sentences.push("Mend the rows, then run the same command again.".to_owned());
    }
    sentences.join(" ")
}

fn moved(report: &TransferReport, elapsed: Duration, purpose: Purpose) -> String {
    let all_rows = rows(report.rows());
    let all_tables = tables(report.tables.len());
    let time = seconds(elapsed.as_secs_f64());
    let source = plain(&report.source.path);
    // 0: the target does not know of it.
    let (by_run, the_run) = match report.run {
        0 => (String::new(), String::new()),
        run => (format!(" by run {run}"), format!(" run {run}")),
    };
    let run = report.run;
    match (purpose, report.outcome) {
        (Purpose::Rehearsal, _) => {
            let version = plain(&report.target_version);
            format!(
                "Rehearsed the move of {all_rows} in {all_tables} in {time}, on a throwaway PostgreSQL {version}."
            )
        }
        (Purpose::Transfer, Outcome::Transferred) => {
            format!("Moved {all_rows} in {all_tables} in {time}.")
        }
        (Purpose::Transfer, Outcome::Continued) => {
            let before: u64 = report.tables.iter().map(|table| table.rows_before).sum();
            let rest = grouped(report.rows().saturating_sub(before));
            format!(
                "Continued{the_run}: moved the remaining {rest} of {all_rows} in {all_tables} in {time}."
            )
        }
        (Purpose::Transfer, Outcome::RejectsSent) => {
            let sent = rows(report.resent.unwrap_or(0));
            format!("Sent {sent} that run {run} had rejected, in {time}.")
        }
        (Purpose::Transfer, Outcome::AlreadyDone) => {
            let target = plain(&report.target);
            format!("{source} was transferred already{by_run} to {target}; nothing was touched.")
        }
    }
}

/// Says what became of rows that came to tables which had some.
fn merged(report: &TransferReport) -> Option<String> {
    let all: Vec<Merged> =
        report.tables.iter().filter_map(|table| Some(table.merged?.merged)).collect();
    let sum = |part: fn(&Merged) -> u64| grouped(all.iter().map(part).sum());
    if all.is_empty() {
        return None;
    }
    let (inserted, updated) = (sum(|merged| merged.inserted), sum(|merged| merged.updated));
    let (kept, all) = (sum(|merged| merged.kept), tables(all.len()));
    Some(format!(
        "In {all} with rows of their own {inserted} were inserted, {updated} updated, {kept} kept."
    ))
}

/// Says what `restore-constraints` came to.
pub(super) fn of_restored(report: &RestoreReport) -> String {
    let target = plain(&report.target);
    match (report.restored.len(), report.not_as_before.len()) {
        (0, 0) => format!("Nothing was taken away in {target}."),
        (all, 0) => format!("{} as before.", which(all, &target)),
        (_, left) => format!(
            "{} not as before. Continue the transfer, or mend the rows and run this command again.",
            which(left, &target)
        ),
    }
}

fn which(count: usize, target: &str) -> String {
    let are = if count == 1 { "is" } else { "are" };
    format!("{} of {target} {are}", counted(count as u64, "object", "objects"))
}

/// Says whether the counts match; nothing when there was no table to compare.
fn counts(verify: &VerifyReport, tables_were_named: bool) -> Option<String> {
    let compared = compared(verify);
    let differing = verify.differing();
    let count = verify.tables.len();
    let all = tables(count);
    if differing == 0 && verify.rejected_rows() > 0 {
        return Some(format!("{compared} match but for the rejected rows."));
    }
    match (differing, count) {
        (0, 0) => None,
        (0, 1) => Some(format!("{compared} match.")),
        (0, _) if tables_were_named => Some(format!("{compared} match in all of them.")),
        (0, _) => Some(format!("{compared} match in all {all}.")),
        (_, 1) => Some(format!("{compared} differ.")),
        _ => Some(format!("{compared} differ in {} of {all}.", grouped(differing as u64))),
    }
}

fn compared(verify: &VerifyReport) -> &'static str {
    match (verify.level, verify.differing()) {
        (VerifyLevel::Counts, _) => "Row counts",
        (VerifyLevel::Hashes | VerifyLevel::Full, 0) => "All values",
        (VerifyLevel::Hashes | VerifyLevel::Full, _) => "Values",
    }
}

fn remains(report: &TransferReport) -> Vec<String> {
    let part =
        |count: usize, one: &str, many: &str| (count > 0).then(|| counted(count as u64, one, many));
    let rejected = report.rejected_rows();
    [
        (rejected > 0).then(|| counted(rejected, "row was rejected", "rows were rejected")),
        part(report.widened.len(), "column was widened", "columns were widened"),
        part(
            report.not_carried.len(),
            "object was not carried over",
            "objects were not carried over",
        ),
        part(report.refused.len(), "object was refused", "objects were refused"),
        part(report.orphans.len(), "foreign key has orphan rows", "foreign keys have orphan rows"),
        part(
            report.not_as_before.len(),
            "object of the target is not as before",
            "objects of the target are not as before",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Says how a comparison ended.
pub(super) fn of_verify(report: &VerifyReport, source: &str) -> String {
    let compared = compared(report);
    let all = tables(report.tables.len());
    let all_rows = rows(report.tables.iter().map(|table| table.source_rows).sum());
    let time = seconds(report.wall_s);
    let source = plain(source);
    if report.differing() == 0 && !report.sequences_behind.is_empty() {
        let count = report.sequences_behind.len() as u64;
        return format!(
            "{compared} of {source} and the target match, but {} would give out a value that a row has already. Set what is behind with setval() before anything is inserted.",
            counted(count, "sequence", "sequences")
        );
    }
    let unsound = report.unsound.iter().filter(|one| one.is_difference).count() as u64;
    if report.differing() == 0 && unsound > 0 {
        return format!(
            "{compared} of {source} and the target match, but {} of the target {} not in order.",
            counted(unsound, "object", "objects"),
            if unsound == 1 { "is" } else { "are" }
        );
    }
    if report.differing() == 0 && report.rejected_rows() > 0 {
        return format!(
            "{compared} of {source} and the target differ by the {} that the transfer rejected, and by nothing else; compared {all_rows} in {time}.",
            rows(report.rejected_rows())
        );
    }
    match (report.differing(), report.tables.len()) {
        (_, 0) => format!("There was nothing to compare: no table of {source} is selected."),
        (0, 1) => format!(
            "{compared} of {source} and the target match: {all_rows} in {all}, compared in {time}."
        ),
        (0, _) => format!(
            "{compared} of {source} and the target match in all {all}: {all_rows}, compared in {time}."
        ),
        (differing, _) => format!(
            "{compared} of {source} and the target differ in {} of {all}; compared {all_rows} in {time}.",
            grouped(differing as u64)
        ),
    }
}

/// Says how an inspection ended.
pub(super) fn of_inspect(report: &InspectReport) -> String {
    let columns = counted(report.columns() as u64, "column", "columns");
    let attention = match report.attention {
        0 => "none needs attention".to_owned(),
        1 => "1 needs attention".to_owned(),
        many => format!("{} need attention", grouped(many as u64)),
    };
    let not_carried = match report.not_carried.len() {
        0 => String::new(),
        many => {
            let objects = counted(many as u64, "object", "objects");
            format!(" {objects} would not be carried over.")
        }
    };
    let dry = if report.ddl.is_some() { "Dry run, nothing was written: " } else { "" };
    let tables = tables(report.tables.len());
    let suggestions = match report.suggestions.len() {
        0 => String::new(),
        some => format!(" {}.", counted(some as u64, "suggestion", "suggestions")),
    };
    format!("{dry}{columns} in {tables}, {attention}.{not_carried}{suggestions}")
}

/// Says what the target of an inspection has.
pub(super) fn of_target(target: &InspectTarget, of_tables: usize) -> String {
    let (shown, version) = (plain(&target.shown), plain(&target.version));
    let schema = plain(&target.schema);
    let server = format!("{shown}, PostgreSQL {version}");
    if !target.schema_exists {
        return format!("{server}; there is no schema {schema} yet.");
    }
    let (some, all) = (grouped(target.tables as u64), tables(of_tables));
    let differing = match target.differing {
        0 => "no column has another type there".to_owned(),
        count => counted(count as u64, "column has", "columns have") + " another type there",
    };
    format!("{server}; schema {schema} has {some} of {all}, {differing}.")
}
