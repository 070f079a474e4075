//! `schema`: the statements of a transfer, for people who keep or edit them.

use super::amount::{counted, tables};
use super::args::{SchemaArgs, SchemaFormat};
use super::board::Verbosity;
use super::commands::{Run, names, selection, type_maps};
use super::names::plain;
use super::{follow_ups_file, output, source_path};
use crate::error::Result;
use crate::options::{self, FileCheck, InspectOptions};
use crate::report::SchemaReport;

/// Runs `schema` and returns its exit code.
pub(super) fn run(args: SchemaArgs) -> Result<u8> {
    let options = InspectOptions {
        from: source_path::resolve(&args.source.from)?,
        selection: selection(args.selection),
        type_maps: type_maps(args.type_maps),
        into: args.into.into,
        names: names(&args.names),
        comments: args.comments.comments,
        jobs: options::jobs(args.jobs.jobs)?,
        check: FileCheck::Automatic,
        data_only: None,
    };
    let run = Run::begin(Verbosity::Normal, "nothing was written");
    let report = crate::inspect::schema(&options, &run.listener(), &run.cancel);
    run.progress.end();
    let report = report?;
    let text = match args.format {
        SchemaFormat::Sql => sql(&report),
    };
    match &args.output {
        None => output::print(&text)?,
        Some(path) => {
            output::save("--output", path, &text)?;
            let statements = counted(report.statements.len() as u64, "statement", "statements");
            let (path, tables) = (plain(&path.to_string_lossy()), tables(report.source.tables));
            output::tell(&format!("wrote {path}: {statements} for {tables}\n"));
        }
    }
    Ok(0)
}

/// Returns the statements as psql runs them.
fn sql(report: &SchemaReport) -> String {
    let mut out = format!(
        "-- The schema of {} for PostgreSQL, made by litelift {}.\n\
         \n\
         SET client_encoding = 'UTF8';\n\
         SET standard_conforming_strings = on;\n",
        plain(&report.source.path),
        env!("CARGO_PKG_VERSION")
    );
    for statement in &report.statements {
        out.push_str(&format!("\n{statement};\n"));
    }
    if !report.follow_ups.is_empty() {
        let objects = counted(report.follow_ups.len() as u64, "object is", "objects are");
        out.push_str(&format!("\n-- {objects} not carried over.\n"));
        // Nothing but what a transfer makes is made by this script.
        let entries = follow_ups_file::entries(&report.follow_ups);
        for line in entries.lines() {
            let is_comment = line.is_empty() || line.starts_with("--");
            out.push_str(if is_comment { "" } else { "-- " });
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
