//! The report of `inspect` as CSV, a line per column: for a spreadsheet, or to begin a type map from.
//!
//! Names and values stand as they are, not escaped: CSV can quote anything.

use crate::error::{Error, Result};
use crate::model::evidence::Example;
use crate::report::{Found, InspectColumn, InspectReport, InspectTable};

const HEADER: [&str; 15] = [
    "table",
    "column",
    "declared",
    "found",
    "becomes",
    "target_type",
    "convert",
    "not_null",
    "rule",
    "rule_is_users",
    "widened_from",
    "misfits",
    "examples",
    "notes",
    "suggestion",
];

/// Returns the report as CSV.
pub(super) fn draw(report: &InspectReport) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(not_written)?;
    for table in &report.tables {
        for column in &table.columns {
            writer.write_record(record(report, table, column)).map_err(not_written)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| not_written(error.into_error().into()))?;
    String::from_utf8(bytes).map_err(|error| not_written(csv_error(error)))
}

fn csv_error(error: std::string::FromUtf8Error) -> csv::Error {
    std::io::Error::other(error).into()
}

fn not_written(error: csv::Error) -> Error {
    Error::usage("could not write the report as CSV").caused_by(error)
}

fn record(report: &InspectReport, table: &InspectTable, column: &InspectColumn) -> [String; 15] {
    let suggestion = report.suggestion(&table.source, &column.source);
    let widened = column.widened.as_ref();
    let unfit = column.unfit.as_ref().map(|unfit| (unfit.misfits, &unfit.examples));
    let misfits = widened.map(|widening| (widening.misfits, &widening.examples)).or(unfit);
    [
        table.source.clone(),
        column.source.clone(),
        column.declared.clone(),
        column.found.iter().map(found).collect::<Vec<_>>().join("; "),
        column.becomes.to_string(),
        column.target_type.clone().unwrap_or_default(),
        column.convert.clone(),
        column.not_null.to_string(),
        format!("{}:{}", column.rule.file, column.rule.line),
        column.rule_is_users.to_string(),
        widened.map_or_else(String::new, |widening| widening.from.to_string()),
        misfits.map_or_else(String::new, |(misfits, _)| misfits.to_string()),
        misfits
            .map(|(_, examples)| examples.iter().map(example).collect::<Vec<_>>().join("; "))
            .unwrap_or_default(),
        column.notes.join(" "),
        suggestion.map(|suggestion| suggestion.rule.clone()).unwrap_or_default(),
    ]
}

fn found(found: &Found) -> String {
    format!("{} {}", found.kind, found.count)
}

fn example(example: &Example) -> String {
    match example.rowid {
        Some(rowid) => format!("rowid {rowid}: {}", example.value),
        None => example.value.clone(),
    }
}
