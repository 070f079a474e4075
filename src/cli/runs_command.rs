//! `litelift status` and `litelift clean`: what is known of transfers, and forgetting it.

use super::amount::{bytes, counted, grouped, percent, rows, seconds, tables, whole_seconds};
use super::args::{CleanArgs, StatusArgs};
use super::board::Verbosity;
use super::commands::{Run, postgres_url};
use super::names::{plain, wrap_into};
use super::style::Look;
use crate::checkpoint::clean::{self, CleanOptions, CleanReport};
use crate::checkpoint::lock::Holder;
use crate::checkpoint::status::{
    self, OtherAtWork, Part, Readable, StatusReport, TransferState, TransferStatus,
};
use crate::error::Result;

/// What the target's URL is called in errors.
const TARGET_NAME: &str = "the target (--to or DATABASE_URL)";

/// Runs `litelift status`.
pub(super) fn status(args: StatusArgs) -> Result<u8> {
    let to = postgres_url(args.to.to, TARGET_NAME)?;
    let run = Run::begin(Verbosity::Normal, "nothing was written");
    let report = run.wait(status::run(&to, args.into.as_deref(), &run.cancel))?;
    run.print(args.json, &report, |look| status_text(&report, look))?;
    Ok(0)
}

/// Runs `litelift clean`.
pub(super) fn clean(args: CleanArgs) -> Result<u8> {
    let options = CleanOptions {
        to: postgres_url(args.to.to, TARGET_NAME)?,
        run: args.run,
        dry_run: args.dry_run,
        force: args.force,
    };
    let run = Run::begin(Verbosity::Normal, "nothing is removed");
    let listener = run.listener();
    let report = run.wait(clean::run(&options, listener.as_ref(), &run.cancel))?;
    run.print(args.json, &report, |look| clean_text(&report, look))?;
    Ok(0)
}

/// Returns what is known of transfers, for a reader.
pub(super) fn status_text(report: &StatusReport, look: Look) -> String {
    let mut out = String::new();
    for transfer in &report.transfers {
        draw(&mut out, transfer, look);
        out.push('\n');
    }
    for other in &report.others_at_work {
        wrap_into(&mut out, "", "  ", &at_work(other), look.width);
        out.push('\n');
    }
    let width = if look.terminal { look.width } else { usize::MAX };
    wrap_into(&mut out, "", "", &summary(report), width);
    out
}

fn summary(report: &StatusReport) -> String {
    let target = plain(&report.target);
    match &report.bookkeeping {
        Readable::No { owner, grant } => format!(
            "Schema litelift of {target} belongs to {}, and this role may not read it. As that role or a superuser: {}",
            plain(owner),
            plain(grant)
        ),
        Readable::Absent => format!("No transfer is known in {target}: it has no schema litelift."),
        Readable::Yes if report.transfers.is_empty() => {
            format!("No transfer is known in {target}.")
        }
        Readable::Yes => {
            let count = |wanted: &[TransferState]| {
                report.transfers.iter().filter(|it| wanted.contains(&it.state)).count() as u64
            };
            let done = count(&[TransferState::Done]);
            let stopped = count(&[TransferState::Stopped, TransferState::Discarding]);
            let working = report.transfers.len() as u64 - done - stopped;
            let parts = [(working, "under way"), (stopped, "stopped"), (done, "done")];
            let parts: Vec<String> = parts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{} {what}", grouped(*count)))
                .collect();
            let all = counted(report.transfers.len() as u64, "transfer is", "transfers are");
            format!("{all} known in {target}: {}.", parts.join(", "))
        }
    }
}

fn at_work(other: &OtherAtWork) -> String {
    let schema = match &other.schema {
        Some(schema) => format!("schema {}", plain(schema)),
        None => "a schema that does not exist yet".to_owned(),
    };
    format!(
        "A litelift is at work on {schema} and has committed nothing here yet ({}).",
        holder(&other.lock)
    )
}

fn holder(lock: &Holder) -> String {
    let pid = lock.pid;
    match &lock.since {
        Some(since) => {
            let client = lock.client.as_deref().unwrap_or("local");
            format!("server process {pid}, connected from {} since {}", plain(client), plain(since))
        }
        None => format!("server process {pid}, of which this role may see no more"),
    }
}

fn state(transfer: &TransferStatus) -> &'static str {
    match transfer.state {
        TransferState::Copying => "copying rows",
        TransferState::Finishing => "making keys, indexes and foreign keys",
        TransferState::Comparing => "comparing",
        TransferState::Stopped => "stopped",
        TransferState::Done => "done",
        TransferState::Discarding => "half removed by --restart",
    }
}

fn draw(out: &mut String, transfer: &TransferStatus, look: Look) {
    let mut line = |lead: &str, text: &str| {
        wrap_into(out, lead, &format!("{lead}  "), text, look.width);
    };
    let (run, source, schema) = (transfer.run, plain(&transfer.source), plain(&transfer.schema));
    line("", &format!("run {run}: {source} into schema {schema}: {}", state(transfer)));
    line("  ", &times(transfer));
    let Part { done, all } = transfer.tables;
    line(
        "  ",
        &format!(
            "{} of {}, {} of {} ranges, {} of {}",
            grouped(done),
            tables_of(all),
            grouped(transfer.ranges.done),
            grouped(transfer.ranges.all),
            grouped(transfer.rows.done),
            rows(transfer.rows.all)
        ),
    );
    line("  ", &amount(transfer));
    line("  ", &steps(transfer));
    if transfer.rejected_rows > 0 {
        line("  ", &format!("! {} rejected", rows(transfer.rejected_rows)));
    }
    if transfer.not_restored > 0 {
        let count = counted(transfer.not_restored, "object is", "objects are");
        line("  ", &format!("! {count} taken away and not back"));
    }
    if let Some(lock) = &transfer.lock {
        line("  ", &format!("lock: {}", holder(lock)));
    }
    for next in &transfer.next {
        line("  ", &format!("next: {}", plain(next)));
    }
}

fn tables_of(all: u64) -> String {
    tables(usize::try_from(all).unwrap_or(usize::MAX))
}

fn times(transfer: &TransferStatus) -> String {
    let mut text =
        format!("begun {} by litelift {}", plain(&transfer.started_at), plain(&transfer.tool));
    match (&transfer.finished_at, &transfer.last_commit_at, transfer.last_commit_age_s) {
        (Some(at), _, _) => text.push_str(&format!(", done {}", plain(at))),
        (None, Some(at), Some(age)) => {
            text.push_str(&format!(", last commit {} ({} ago)", plain(at), seconds(age)));
        }
        _ => text.push_str(", nothing committed yet"),
    }
    text
}

fn amount(transfer: &TransferStatus) -> String {
    let Part { done, all } = transfer.copy_bytes;
    // Bytes to come are estimates; that all is there is known from the ranges.
    let is_copied = transfer.ranges.done >= transfer.ranges.all;
    if is_copied {
        return format!("{} copied", bytes(done));
    }
    let part = percent(done.min(all), all.max(1)).min(99);
    let mut text = format!("{} of about {} copied ({part} %)", bytes(done), bytes(all));
    if let Some(rate) = transfer.bytes_per_s {
        text.push_str(&format!(", {}/s", bytes(whole(rate))));
    }
    if let Some(left) = transfer.copy_left_s {
        text.push_str(&format!(", about {} left", whole_seconds(whole(left.ceil()))));
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn whole(number: f64) -> u64 {
    number as u64
}

fn steps(transfer: &TransferStatus) -> String {
    let Part { done, all } = transfer.steps;
    let mut text = format!("{} of {} finishing steps", grouped(done), grouped(all));
    if transfer.steps_not_as_meant > 0 {
        let count = grouped(transfer.steps_not_as_meant);
        text.push_str(&format!(", {count} of them refused or with orphan rows"));
    }
    text
}

/// Returns what was removed, for a reader.
pub(super) fn clean_text(report: &CleanReport, look: Look) -> String {
    let mut out = String::new();
    let mut line = |lead: &str, text: &str| {
        wrap_into(&mut out, lead, &format!("{lead}  "), text, look.width);
    };
    for run in &report.runs {
        let state = if run.was_done { "done" } else { "not done" };
        let (source, schema) = (plain(&run.source), plain(&run.schema));
        line("  ", &format!("run {}: {source} into schema {schema}, {state}", run.run));
    }
    for entry in &report.lost {
        let (object, name) = (plain(&entry.object), plain(&entry.name));
        line("  ", &format!("! {object} {name} of {} is not back:", plain(&entry.table)));
        for sql in std::iter::once(&entry.restore).chain(&entry.validate) {
            line("    ", &format!("{};", plain(sql)));
        }
    }
    for kept in &report.kept {
        line("  ", &format!("kept: {}", plain(kept)));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let width = if look.terminal { look.width } else { usize::MAX };
    wrap_into(&mut out, "", "", &cleaned(report), width);
    out
}

fn cleaned(report: &CleanReport) -> String {
    let target = plain(&report.target);
    if report.runs.is_empty() && report.tables.is_empty() && !report.schema_removed {
        return format!("There is no bookkeeping in {target}: nothing to remove.");
    }
    let verb = if report.dry_run { "Would remove" } else { "Removed" };
    let runs = counted(report.runs.len() as u64, "transfer", "transfers");
    let what = match (report.schema_removed, report.tables.len()) {
        (true, count) => format!(", schema litelift with its {}", tables(count)),
        (false, 0) => String::new(),
        (false, count) => format!(", {} of schema litelift", tables(count)),
    };
    format!(
        "{verb} what was kept of {runs} in {target}{what}. The tables with the rows are as they were; `verify` will pair them by name, and nothing of those transfers can be continued, synchronised or sent again."
    )
}

#[cfg(test)]
#[path = "runs_command_tests.rs"]
mod tests;
