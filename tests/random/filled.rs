//! Random databases into tables that are there already: those that a transfer made, emptied.
//!
//! Purpose: what one transfer makes, `--data-only` must fill with the same values, and leave every
//! constraint, index and trigger as it was. Names that changed are given with `--rename`.
//!
//! Knobs: as the module above.

use litelift::model::name_style::NameStyle;
use litelift::options::DataOnly;

use super::{Dice, build, number, search};
use crate::data_only::target::objects;
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

const TABLES: u32 = 10;

#[test]
fn random_tables_that_are_there_are_filled() {
    if let Some(seed) = number("LITELIFT_RANDOM_SEED") {
        attempt(seed).unwrap();
        return;
    }
    search("filled", attempt);
}

fn attempt(seed: u64) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.db");
    let tables = build(&path, seed, TABLES).map_err(|error| format!("build: {error}"))?;
    let database = pg::database();
    let mut options = transfer::options(&path, &database.url);
    let mut dice = Dice::new(seed ^ 0xf111);
    let keep = NameStyle::Keep;
    options.inspect.names = dice.pick(&[keep, keep, NameStyle::Lower, NameStyle::Snake]);
    let made = transfer::run(&options).map_err(|error| pg::explain(&error))?;
    let columns = columns(&database);
    database.execute("DROP SCHEMA litelift CASCADE");
    empty(&database);
    let before = objects(&database.url);
    options.inspect.names = keep;
    options.inspect.data_only =
        Some(DataOnly { renames: renames(&columns), ..DataOnly::default() });
    let filled = transfer::run(&options).map_err(|error| pg::explain(&error))?;
    if !filled.not_as_before.is_empty() {
        return Err(format!("not as before: {:?}", filled.not_as_before));
    }
    let after = objects(&database.url);
    if let Some(object) = before.iter().find(|object| !after.contains(object)) {
        return Err(format!("no longer there: {object}"));
    }
    if after.len() != before.len() {
        return Err("there are objects that were not there before".to_owned());
    }
    let mut left = generated(&database, &columns);
    left.extend(made.not_carried.iter().filter_map(|object| match &object.table {
        Some(table) if object.object == "generated column" => {
            Some(format!("{table}.{}", object.name))
        }
        None if object.object == "virtual table" => Some(object.name.clone()),
        _ => None,
    }));
    let left: Vec<&str> = left.iter().map(String::as_str).collect();
    let compared = transfer::compare_leaving(&path, &database.url, &filled, &left);
    if compared.same() { Ok(tables) } else { Err(compared.listed()) }
}

/// A column on both sides.
struct Column {
    source: (String, String),
    target: (String, String),
}

/// The columns of the first transfer.
fn columns(database: &TestDb) -> Vec<Column> {
    let plan = database.query_one_text("SELECT plan FROM litelift.run").unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let name = |of: &serde_json::Value, side: &str| of[side].as_str().unwrap().to_owned();
    let mut columns = Vec::new();
    for table in plan["tables"].as_array().unwrap() {
        for column in table["columns"].as_array().unwrap() {
            columns.push(Column {
                source: (name(table, "source"), name(column, "source")),
                target: (name(table, "target"), name(column, "target")),
            });
        }
    }
    columns
}

/// Names that the first transfer changed, as `--rename` takes them.
fn renames(columns: &[Column]) -> Vec<String> {
    let mut renames = Vec::new();
    for Column { source, target } in columns {
        if source.1 != target.1 {
            renames.push(format!("{}.{}={}.{}", source.0, source.1, target.0, target.1));
        }
        let table = format!("{}={}", source.0, target.0);
        if source.0 != target.0 && !renames.contains(&table) {
            renames.push(table);
        }
    }
    renames
}

fn empty(database: &TestDb) {
    let tables = pg::query_text(
        &database.url,
        "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    if let Some(tables) = tables.into_iter().flatten().next() {
        database.execute(&format!("TRUNCATE {tables} RESTART IDENTITY CASCADE"));
    }
}

/// Columns that the server computes, by their names in the source.
fn generated(database: &TestDb, columns: &[Column]) -> Vec<String> {
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns \
        WHERE table_schema = 'public' AND is_generated = 'ALWAYS'";
    let computed: Vec<String> = pg::query_text(&database.url, sql).into_iter().flatten().collect();
    let is_computed =
        |column: &&Column| computed.contains(&format!("{}.{}", column.target.0, column.target.1));
    let shown = |column: &Column| format!("{}.{}", column.source.0, column.source.1);
    columns.iter().filter(is_computed).map(shown).collect()
}
