//! Random databases, transferred and compared value by value.
//!
//! Purpose: schemas and values that nobody thought of. A seed makes one database of some tables; it
//! is transferred, compared with the independent comparer, its schema is compared on both sides, and a
//! second transfer must find everything done. The server must have run what the dry run said and nothing
//! else, and a canary beside the tables must live. `planned` does without a server.
//!
//! Knobs: `LITELIFT_RANDOM_SECS`, the time to spend (5); `LITELIFT_RANDOM_SEED`, one seed to replay;
//! `LITELIFT_RANDOM_KEEP`, where to keep a copy of the last file.
//!
//! Known gaps: tables are small, so each is one range.

#![allow(clippy::print_stderr, reason = "the seed and the figures are the point of the test")]

mod defaults;
mod filled;
mod guard;
mod names;
mod objects;
mod planned;
mod samples;
mod schema;
mod values;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use litelift::event::{Cancel, Listener, Silent};
use litelift::model::name_style::NameStyle;
use litelift::options::TransferOptions;
use litelift::report::{InspectReport, Outcome};
use rusqlite::Connection;

use crate::support::generate::Random;
use crate::support::{pg, transfer};

use names::{Names, quoted};
use schema::Table;

/// Tables of a database: one CREATE DATABASE pays for all of them.
const TABLES: u32 = 25;

/// Random choices.
pub(crate) struct Dice(Random);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        // The first numbers of near seeds are alike.
        for _ in 0..8 {
            random.next();
        }
        Self(random)
    }

    fn next(&mut self) -> u64 {
        self.0.next()
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0.below(bound)
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn integer(&mut self) -> i64 {
        i64::from_be_bytes(self.next().to_be_bytes())
    }

    fn char(&mut self) -> char {
        let code = match self.below(12) {
            0 => 0x80 + self.below(0x700),
            1 => self.below(0x1_0FFF),
            2 => 0x1_F300 + self.below(0x300),
            _ => 0x20 + self.below(0x5F),
        };
        char::from_u32(code).unwrap_or('x')
    }

    fn pick_ref<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u32::try_from(items.len()).unwrap();
        &items[usize::try_from(self.below(count)).unwrap()]
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *self.pick_ref(items)
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn random_databases_arrive_whole() {
    if let Some(seed) = number("LITELIFT_RANDOM_SEED") {
        attempt(seed).unwrap();
        return;
    }
    search("random", attempt);
}

/// Attempts one seed after the other for the time that is to be spent, and names those that fail.
fn search(what: &str, attempt: fn(u64) -> Result<usize, String>) {
    let end = Instant::now() + Duration::from_secs(number("LITELIFT_RANDOM_SECS").unwrap_or(5));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let first = now.as_secs() % 1_000_000 * 1_000;
    let (mut seed, mut tables) = (first, 0);
    let mut failed = Vec::new();
    while Instant::now() < end && failed.len() < 20 {
        match std::panic::catch_unwind(|| attempt(seed)) {
            Ok(Ok(made)) => tables += made,
            Ok(Err(why)) => failed.push(format!("LITELIFT_RANDOM_SEED={seed}: {why}")),
            Err(_) => failed.push(format!("LITELIFT_RANDOM_SEED={seed}: it panicked")),
        }
        seed += 1;
    }
    eprintln!("{what}: {} databases from seed {first}, {tables} tables", seed - first);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Makes, transfers and checks the database of a seed; returns how many tables it has.
fn attempt(seed: u64) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.db");
    let tables = build(&path, seed, TABLES).map_err(|error| format!("build: {error}"))?;
    if let Ok(keep) = std::env::var("LITELIFT_RANDOM_KEEP") {
        std::fs::copy(&path, keep).unwrap();
    }
    let database = pg::database();
    guard::prepare(&database);
    let mut options = transfer::options(&path, &database.url);
    let mut dice = Dice::new(seed ^ 0x5eed);
    let keep = NameStyle::Keep;
    options.inspect.names = dice.pick(&[keep, keep, NameStyle::Lower, NameStyle::Snake]);
    options.inspect.comments = dice.one_in(3);
    let dry = dry_run(&options).map_err(|error| pg::explain(&error))?;
    let report = transfer::run(&options).map_err(|error| pg::explain(&error))?;
    let compared = transfer::compare_all(&path, &database.url, &report);
    if !compared.same() {
        return Err(compared.listed());
    }
    if report.verify.as_ref().is_none_or(|verify| verify.differing() > 0) {
        return Err("its own verify differs".to_owned());
    }
    objects::check(&path, &database.url, &report)?;
    let statements = dry.ddl.ok_or("the dry run shows no statements")?;
    guard::check(&database, &statements, &report)?;
    if dry.not_carried != report.not_carried {
        return Err("the dry run leaves other objects out".to_owned());
    }
    let again = transfer::run(&options).map_err(|error| pg::explain(&error))?;
    if again.outcome != Outcome::AlreadyDone || again.refused.len() != report.refused.len() {
        return Err(format!("the second run says {:?}", again.outcome));
    }
    Ok(tables)
}

/// `transfer --dry-run` in a runtime of its own.
fn dry_run(options: &TransferOptions) -> litelift::error::Result<InspectReport> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let found =
        runtime.block_on(litelift::transfer::dry_run(options, &listener, &Cancel::default()));
    found.and_then(litelift::transfer::DryRun::accepted)
}

fn build(path: &Path, seed: u64, tables_max: u32) -> rusqlite::Result<usize> {
    let mut dice = Dice::new(seed);
    let connection = Connection::open(path)?;
    let encoding = if dice.one_in(6) { "UTF-16le" } else { "UTF-8" };
    let page_size = dice.pick(&[512, 4096, 4096, 65536]);
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page_size};
         PRAGMA auto_vacuum = {}; PRAGMA synchronous = OFF; BEGIN",
        dice.below(3)
    ))?;
    let mut names = Names::default();
    let mut tables: Vec<Table> = Vec::new();
    for _ in 0..tables_max {
        let table = schema::table(&mut names, &tables, &mut dice);
        // The grammar also makes what SQLite refuses.
        if connection.execute_batch(&table.sql).is_ok() {
            fill(&connection, &table, &mut dice);
            if let Some(sql) = schema::late_column(&table, &mut dice) {
                let _ = connection.execute_batch(&sql);
            }
            tables.push(table);
        }
    }
    for sql in schema::virtual_tables(&mut names, &tables, &mut dice) {
        let _ = connection.execute_batch(&sql);
    }
    for sql in schema::extras(&mut names, &tables, &mut dice) {
        let _ = connection.execute_batch(&sql);
    }
    // Some errors end the transaction by themselves.
    let _ = connection.execute_batch("COMMIT");
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects == 0 {
        // SQLite writes nothing into a file without tables.
        connection.execute_batch("CREATE TABLE lonely (a)")?;
    }
    connection.close().map_err(|(_, error)| error)?;
    Ok(tables.len())
}

/// Rows that a constraint refuses are left out.
fn fill(connection: &Connection, table: &Table, dice: &mut Dice) {
    let count = dice.pick(&[0, 1, 5, 20, 60]);
    let columns: Vec<&schema::Column> =
        table.columns.iter().filter(|column| !column.generated).collect();
    for _ in 0..count {
        let mut listed: Vec<String> =
            columns.iter().map(|column| quoted(&column.name, dice)).collect();
        let mut cells: Vec<values::Cell> = columns
            .iter()
            .map(|column| values::cell(column.flavour, column.purity, dice))
            .collect();
        if let Some(rowid) = table.rowid.as_ref().filter(|_| dice.one_in(3)) {
            let sparse = dice.pick(&samples::INTEGERS);
            listed.push(rowid.clone());
            cells.push(values::Cell::Plain(rusqlite::types::Value::Integer(sparse)));
        }
        let places: Vec<&str> = cells.iter().map(values::Cell::place).collect();
        let name = format!("\"{}\"", table.name.replace('"', "\"\""));
        let sql = format!(
            "INSERT OR IGNORE INTO {name} ({}) VALUES ({})",
            listed.join(", "),
            places.join(", ")
        );
        let bound = cells.into_iter().map(values::Cell::bound);
        let _ = connection.execute(&sql, rusqlite::params_from_iter(bound));
    }
}
