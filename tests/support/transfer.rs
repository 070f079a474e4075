//! Transfers for tests, and the mapping that the comparer needs afterwards.

use std::path::Path;
use std::sync::Arc;

use litelift::error::Result;
use litelift::event::{Cancel, Listener, Silent};
use litelift::model::name_style::NameStyle;
use litelift::options::{BadRows, InspectOptions, Selection, TransferOptions, TypeMaps};
use litelift::report::{InspectReport, TransferReport};

use super::compare::{self, Comparison, Mapping};
use super::pg;

/// The options of `litelift transfer --from FILE --to URL`.
pub(crate) fn options(from: &Path, url: &str) -> TransferOptions {
    TransferOptions {
        inspect: InspectOptions {
            from: from.to_owned(),
            selection: Selection::default(),
            type_maps: TypeMaps::default(),
            into: "public".to_owned(),
            names: NameStyle::Keep,
            comments: false,
            jobs: 2,
            check: litelift::options::FileCheck::Automatic,
            data_only: None,
        },
        to: url.to_owned(),
        restart: false,
        strict: false,
        bad_rows: BadRows::Stop,
        verify: Some(litelift::report::VerifyLevel::Hashes),
        lock_wait: litelift::checkpoint::lock::WAIT,
        checkpoints: litelift::checkpoint::local::Place::Target,
        takeover: false,
        retry_for: litelift::transfer::RETRY_FOR,
    }
}

/// Runs a transfer in a runtime of its own.
pub(crate) fn run(options: &TransferOptions) -> Result<TransferReport> {
    run_with(options, &(Arc::new(Silent) as Arc<dyn Listener>), &Cancel::default())
}

/// Runs a transfer that is listened to and can be stopped.
pub(crate) fn run_with(
    options: &TransferOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferReport> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(litelift::transfer::run(options, listener, cancel))
}

/// Runs a dry run.
pub(crate) fn dry_run(options: &TransferOptions) -> Result<InspectReport> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = Arc::new(Silent) as Arc<dyn Listener>;
    let found =
        runtime.block_on(litelift::transfer::dry_run(options, &listener, &Cancel::default()));
    found.and_then(litelift::transfer::DryRun::accepted)
}

/// Compares every value of a source with its target, along the mapping that the run wrote down.
/// What the report names as not readable is left out; everything else must be there.
pub(crate) fn compare_all(from: &Path, url: &str, report: &TransferReport) -> Comparison {
    compare_but(from, url, report, &[])
}

/// The same without the columns that a rule converts in a way that the comparer has no eyes for, as
/// `(table, column)`; those conversions have PostgreSQL as their oracle.
pub(crate) fn compare_but(
    from: &Path,
    url: &str,
    report: &TransferReport,
    converted: &[(String, String)],
) -> Comparison {
    let mut mapping = mapping(url, report);
    for (table, column) in converted {
        for (name, _, _, columns) in &mut mapping.tables {
            if name == table {
                columns.retain(|(source, _)| source != column);
            }
        }
        mapping = mapping.leaving_out(&[&format!("{table}.{column}")]);
    }
    compare::compare(from, url, &mapping).unwrap_or_else(|error| panic!("compare: {error}"))
}

/// The same without tables and columns (`table` or `table.column`) that were left behind on purpose.
pub(crate) fn compare_leaving(
    from: &Path,
    url: &str,
    report: &TransferReport,
    left: &[&str],
) -> Comparison {
    let mut mapping = mapping(url, report);
    for name in left {
        for (table, _, _, columns) in &mut mapping.tables {
            columns.retain(|(source, _)| format!("{table}.{source}") != *name);
        }
    }
    let mapping = mapping.leaving_out(left);
    compare::compare(from, url, &mapping).unwrap_or_else(|error| panic!("compare: {error}"))
}

fn mapping(url: &str, report: &TransferReport) -> Mapping {
    let plan =
        pg::query_text(url, &format!("select plan from litelift.run where id = {}", report.run));
    let plan: serde_json::Value = serde_json::from_str(plan[0].as_deref().unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut left_out = Vec::new();
    for object in &report.not_carried {
        match (object.object.as_str(), &object.table) {
            ("virtual table", _) => left_out.push(object.name.clone()),
            ("generated column", Some(table)) if object.reason.contains("cannot compute") => {
                left_out.push(format!("{table}.{}", object.name));
            }
            _ => {}
        }
    }
    let tables = plan["tables"].as_array().unwrap().iter().map(|table| {
        let columns = table["columns"].as_array().unwrap().iter();
        let columns = columns
            .filter(|column| column["readable"] == true)
            .map(|column| (text(&column["source"]), text(&column["target"])))
            .collect();
        (text(&table["source"]), report.schema.clone(), text(&table["target"]), columns)
    });
    let left_out: Vec<&str> = left_out.iter().map(String::as_str).collect();
    Mapping::from(tables.collect::<Vec<_>>()).leaving_out(&left_out)
}
