//! `inspect`, and how its report and that of a dry run are shown.

use std::path::Path;

use super::amount::{counted, tables};
use super::args::{Format, InspectArgs};
use super::board::Verbosity;
use super::commands::{Run, file_check, json, names, postgres_url, selection, type_maps};
use super::names::{plain, wrap_into};
use super::style::Look;
use super::{
    inspect_csv, output, report_html, report_markdown, source_path, suggest_file, type_report,
};
use crate::error::{Error, Result};
use crate::introspect::postgres;
use crate::options::{self, InspectOptions};
use crate::report::InspectReport;

/// Runs `inspect` and returns its exit code.
pub(super) fn run(args: InspectArgs) -> Result<u8> {
    let to = args.to.map(|url| postgres_url(url, "the target (--to)")).transpose()?;
    let options = InspectOptions {
        from: source_path::resolve(&args.source.from)?,
        selection: selection(args.selection),
        type_maps: type_maps(args.type_maps),
        into: args.into.into,
        names: names(&args.names),
        comments: false,
        jobs: options::jobs(args.jobs.jobs)?,
        check: file_check(&args.check),
        data_only: None,
    };
    if let Some(path) = &args.suggest {
        refuse_to_replace(path)?;
    }
    let verbosity = if args.verbose { Verbosity::Verbose } else { Verbosity::Normal };
    let run = Run::begin(verbosity, "nothing was written");
    // First: a wrong URL is told before a scan that may take minutes.
    let target = match to {
        Some(url) => Some(run.wait(postgres::target_schema(&url, &options.into, &run.cancel))?),
        None => None,
    };
    let report = crate::inspect::run(&options, target.as_ref(), &run.listener(), &run.cancel);
    run.progress.end();
    let report = report?;
    warn(&report);
    if let Some(path) = &args.suggest {
        output::save("--suggest", path, &suggest_file::draw(&report))?;
        let rules = counted(report.suggestions.len() as u64, "rule", "rules");
        output::tell(&format!("wrote {}: {rules}, none in use yet\n", shown(path)));
    }
    match &args.output {
        None => output::print(&render(&report, args.format, verbosity, Look::stdout())?)?,
        Some(path) => {
            let text = render(&report, args.format, verbosity, Look::file())?;
            output::save("--output", path, &text)?;
            let columns = counted(report.columns() as u64, "column", "columns");
            let tables = tables(report.tables.len());
            output::tell(&format!("wrote {}: {columns} in {tables}\n", shown(path)));
        }
    }
    Ok(0)
}

fn shown(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

/// A type map is edited by hand, and may be the one of `--type-map`: it is never written over.
fn refuse_to_replace(path: &Path) -> Result<()> {
    if path.is_file() {
        return Err(Error::usage(format!("--suggest {} exists already", shown(path)))
            .hint("Give another name, or remove the file: what was edited in it would be lost."));
    }
    Ok(())
}

/// Warns of rules of the user that decided nothing: a typo must not pass in silence, and standard
/// output may be a document that nobody reads.
pub(super) fn warn(report: &InspectReport) {
    let look = Look::stderr();
    let width = if look.terminal { look.width } else { usize::MAX };
    let mut out = String::new();
    for rule in &report.unused_rules {
        let note = if rule.note.is_empty() { String::new() } else { format!(" ({})", rule.note) };
        let text = plain(&format!("rule {}:{}{note} decided nothing", rule.file, rule.line));
        wrap_into(&mut out, &look.bold("warning: "), "         ", &text, width);
    }
    output::tell(&out);
}

/// Returns the report in a format.
pub(super) fn render(
    report: &InspectReport,
    format: Format,
    verbosity: Verbosity,
    look: Look,
) -> Result<String> {
    match format {
        Format::Table => Ok(type_report::draw(report, verbosity, look)),
        Format::Csv => inspect_csv::draw(report),
        Format::Json => json(report),
        Format::Markdown => Ok(report_markdown::draw(report)),
        Format::Html => Ok(report_html::draw(report)),
    }
}
