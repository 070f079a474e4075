//! Whole databases, transferred, and every row of them held against the target by the witness.
//!
//! Purpose: no false alarm on the values of real applications. Rows are paired by their neutral forms,
//! for many tables have no key; both sides must have the same rows as often.

use std::collections::HashMap;
use std::path::Path;

use futures_util::TryStreamExt as _;
use litelift::model::plan::{ColumnPlan, TablePlan, TransferPlan};
use litelift::model::value::Value;
use litelift::options::TransferOptions;
use litelift::report::TransferReport;
use litelift::verify::witness::{Agreement, ColumnWitness, RowStream, Scratch, SourceClock};
use rusqlite::types::ValueRef;

use crate::support::{corpus, fixture, pg, transfer};

use super::SHOWN_MAX;

/// What was looked at.
#[derive(Default)]
struct Witnessed {
    rows: u64,
    values: u64,
    wrong: Vec<String>,
}

/// A row of the target: its fields, and how many are not yet paired with one of the source.
struct TargetRow {
    fields: Vec<Option<Vec<u8>>>,
    left: u64,
}

/// Compares every table of a run's plan with the target.
fn witnessed(path: &Path, url: &str, run: i64, all: &mut Witnessed) {
    let plan = pg::query_text(url, &format!("select plan from litelift.run where id = {run}"));
    let plan: TransferPlan = serde_json::from_str(plan[0].as_deref().unwrap()).unwrap();
    let clock = SourceClock::named(&plan.source_tz).unwrap();
    let source = rusqlite::Connection::open(path).unwrap();
    for table in &plan.tables {
        let witnesses: Vec<ColumnWitness> =
            table.columns.iter().map(|column| ColumnWitness::new(column, &clock)).collect();
        let mut target = target_rows(url, &plan.schema, table, &witnesses, all);
        let count = all.wrong.len();
        source_rows(&source, table, &witnesses, &mut target, all);
        let left: u64 = target.values().map(|row| row.left).sum();
        if left > 0 {
            all.wrong.push(format!("{}: {left} rows more in the target", table.source));
        }
        all.wrong.truncate(count + SHOWN_MAX);
    }
}

fn target_rows(
    url: &str,
    schema: &str,
    table: &TablePlan,
    witnesses: &[ColumnWitness],
    all: &mut Witnessed,
) -> HashMap<Vec<u8>, TargetRow> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let names: Vec<String> = table.columns.iter().map(|column| quoted(&column.target)).collect();
    let sql = format!(
        "COPY (SELECT {} FROM {}.{}) TO STDOUT (FORMAT binary)",
        names.join(", "),
        quoted(schema),
        quoted(&table.target)
    );
    let bytes: Vec<bytes::Bytes> = pg::blocking(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.copy_out(&sql).await.unwrap().try_collect().await.unwrap()
    });
    let mut stream = RowStream::new(witnesses.len());
    let mut rows: HashMap<Vec<u8>, TargetRow> = HashMap::new();
    for piece in bytes {
        stream.push(&piece);
        while let Some(row) = stream.row().unwrap() {
            let mut form = Vec::new();
            for (at, witness) in witnesses.iter().enumerate() {
                if let Err(malformed) = witness.neutral_target(row.field(at), &mut form) {
                    all.wrong.push(format!("{}: {malformed:?}", table.source));
                }
            }
            let fields = || (0..row.len()).map(|at| row.field(at).map(<[u8]>::to_vec)).collect();
            rows.entry(form).or_insert_with(|| TargetRow { fields: fields(), left: 0 }).left += 1;
        }
    }
    stream.finish().unwrap();
    rows
}

fn source_rows(
    source: &rusqlite::Connection,
    table: &TablePlan,
    witnesses: &[ColumnWitness],
    target: &mut HashMap<Vec<u8>, TargetRow>,
    all: &mut Witnessed,
) {
    let name = |column: &ColumnPlan| match column.read_as() {
        Some(name) => format!("t.\"{}\"", name.replace('"', "\"\"")),
        None => "NULL".to_owned(),
    };
    let names: Vec<String> = table.columns.iter().map(name).collect();
    let from = table.source.replace('"', "\"\"");
    let sql = format!("SELECT {} FROM main.\"{from}\" AS t", names.join(", "));
    let mut statement = source.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut rows = statement.query([]).unwrap();
    let mut scratch = Scratch::default();
    while let Some(row) = rows.next().unwrap() {
        all.rows += 1;
        let mut form = Vec::new();
        let mut values = Vec::new();
        for (at, witness) in witnesses.iter().enumerate() {
            all.values += 1;
            let value = match row.get_ref(at).unwrap() {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(value) => Value::Integer(value),
                ValueRef::Real(value) => Value::Real(value),
                ValueRef::Text(text) => Value::Text(text),
                ValueRef::Blob(blob) => Value::Blob(blob),
            };
            values.push(value);
            if let Err(unfit) = witness.neutral_source(value, &mut form) {
                let column = &table.columns[at];
                all.wrong.push(format!(
                    "{}.{}: {} is {unfit:?} for {}",
                    table.source,
                    column.source,
                    value.shown(),
                    column.pg_type
                ));
            }
        }
        match target.get_mut(&form).filter(|row| row.left > 0) {
            None => {
                let shown: Vec<String> = values.iter().map(Value::shown).collect();
                all.wrong.push(format!(
                    "{}: not in the target: {}",
                    table.source,
                    shown.join(" | ")
                ));
            }
            Some(pair) => {
                pair.left -= 1;
                for ((value, field), witness) in values.iter().zip(&pair.fields).zip(witnesses) {
                    let agreement = witness.agrees(*value, field.as_deref(), &mut scratch);
                    if agreement != Agreement::Same {
                        all.wrong.push(format!(
                            "{}: {} {agreement:?}",
                            table.source,
                            value.shown()
                        ));
                    }
                }
            }
        }
    }
}

fn transferred(path: &Path, options: &TransferOptions) -> TransferReport {
    transfer::run(options).unwrap_or_else(|error| panic!("{path:?}: {}", pg::explain(&error)))
}

#[test]
fn the_fixtures_are_the_same_by_default_and_by_rich() {
    for fixture in
        [fixture::shop(), fixture::quirks(), fixture::quirks_utf16(), fixture::with_wal()]
    {
        for map in [None, Some("rich")] {
            let database = pg::database();
            let mut options = transfer::options(&fixture.path, &database.url);
            options.inspect.type_maps.user.extend(map.map(str::to_owned));
            let report = transferred(&fixture.path, &options);
            let mut all = Witnessed::default();
            witnessed(&fixture.path, &database.url, report.run, &mut all);
            assert!(all.wrong.is_empty(), "{:?} {map:?}:\n{}", fixture.path, all.wrong.join("\n"));
            assert!(all.values > 0);
        }
    }
}

#[test]
fn the_corpus_is_the_same() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut all = Witnessed::default();
    for file in &files {
        let copy = file.copy_into(folder.path()).unwrap();
        let database = pg::database();
        let mut options = transfer::options(&copy, &database.url);
        // More types than by default, where a database has the values for them.
        options.inspect.type_maps.user.push("rich".to_owned());
        let report = transferred(&copy, &options);
        let before = all.wrong.len();
        witnessed(&copy, &database.url, report.run, &mut all);
        for wrong in &mut all.wrong[before..] {
            *wrong = format!("{}: {wrong}", file.name);
        }
    }
    eprintln!(
        "witness: {} databases, {} rows, {} values, {} wrong",
        files.len(),
        all.rows,
        all.values,
        all.wrong.len()
    );
    assert!(all.wrong.is_empty(), "{}", all.wrong.join("\n"));
}
