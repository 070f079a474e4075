//! Files that went bad: no panic, bounded memory and time, and never a silent loss.
//!
//! Purpose: the program runs on files made by [`damage`] from [`bases`]. When it says that all arrived,
//! the comparer must find in the target what SQLite reads from the same bytes. Otherwise it must say what
//! is wrong with the file. It runs with [`MEMORY_KB_MAX`] of address space and up to 60 s.
//!
//! Known gaps: a value that was changed and is still a value is read by SQLite like any other; such files
//! are counted.
//!
//! Knobs: `LITELIFT_DAMAGED`, the number of files of the long run; `LITELIFT_SEED`.

mod bases;
mod damage;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bases::Base;
use damage::Damage;

use crate::resume::process::{Ended, litelift, run};
use crate::support::compare::{self, Mapping};
use crate::support::generate::Random;
use crate::support::pg;

/// Address space of the program, threads' stacks and the allocator's reserves included.
const MEMORY_KB_MAX: u32 = 1_500_000;
/// Files of the run that is a part of all tests.
const FILES: u64 = 33;
/// Programs at once.
const THREADS: u64 = 3;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All rows arrived, and they are those of the sound file.
    Same,
    /// All rows that SQLite reads arrived; some are not those of the sound file.
    Changed,
    /// Refused, without a row in the target.
    Refused,
    /// Stopped by an error of the source while it was copied.
    Stopped,
    /// Ended with differences that are named.
    Differences,
}

#[test]
fn damaged_files_are_read_right_or_refused() {
    campaign(FILES, seed());
}

#[test]
fn long() {
    let Ok(files) = std::env::var("LITELIFT_DAMAGED") else {
        println!("skipped: LITELIFT_DAMAGED is not set");
        return;
    };
    campaign(files.parse().unwrap(), seed());
}

fn seed() -> u64 {
    std::env::var("LITELIFT_SEED").map_or(1, |text| text.parse().unwrap())
}

fn campaign(files: u64, seed: u64) {
    let begun = Instant::now();
    let bases = bases::all();
    let (next, outcomes) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let failed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let target = pg::database();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= files {
                        return;
                    }
                    let kind = damage::ALL[usize::try_from(number).unwrap() % damage::ALL.len()];
                    let base = usize::try_from(number).unwrap() / damage::ALL.len();
                    let sound = &bases[if kind == Damage::Wal { 3 } else { base % bases.len() }];
                    let mut file = sound.clone();
                    kind.apply(&mut file, &mut Random::new(seed << 32 | number));
                    let attempt = || attempt(&file, sound, &target.url, seed, number, kind);
                    // All failures are wanted, not the first.
                    match catch_unwind(AssertUnwindSafe(attempt)) {
                        Ok(outcome) => {
                            *outcomes.lock().unwrap().entry((kind, outcome)).or_insert(0) += 1;
                        }
                        Err(_) => _ = failed.fetch_add(1, Ordering::Relaxed),
                    }
                }
            });
        }
    });
    print(&outcomes.into_inner().unwrap());
    eprintln!("{files} files with seed {seed} in {:.0} s", begun.elapsed().as_secs_f64());
    assert_eq!(failed.into_inner(), 0, "files that failed; they are told above");
}

fn print(outcomes: &BTreeMap<(Damage, Outcome), u64>) {
    use Outcome::{Changed, Differences, Refused, Same, Stopped};
    let columns = [Same, Changed, Refused, Stopped, Differences];
    eprintln!("| damage | files | {} |", columns.map(|column| format!("{column:?}")).join(" | "));
    let of = |kinds: &[Damage], outcome: Outcome| -> u64 {
        kinds.iter().filter_map(|kind| outcomes.get(&(*kind, outcome))).sum()
    };
    let line = |name: &str, kinds: &[Damage]| {
        let counts = columns.map(|column| of(kinds, column));
        let cells = counts.map(|count| count.to_string()).join(" | ");
        eprintln!("| {name} | {} | {cells} |", counts.iter().sum::<u64>());
    };
    for kind in damage::ALL {
        line(&format!("{kind:?}"), &[kind]);
    }
    line("all", &damage::ALL);
}

/// Transfers a damaged file and judges what became of it.
fn attempt(file: &Base, sound: &Base, url: &str, seed: u64, number: u64, kind: Damage) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (path, intact) = (folder.path().join("damaged.db"), folder.path().join("sound.db"));
    for (base, path) in [(file, &path), (sound, &intact)] {
        std::fs::write(path, &base.database).unwrap();
        if !base.wal.is_empty() {
            std::fs::write(bases::with_wal(path), &base.wal).unwrap();
        }
    }
    let what = format!("{kind:?} of {} (seed {seed}, file {number})", sound.name);
    let schema = format!("s{number}");
    // Both ways: what the check finds, and what is met without it.
    let check = if number % 3 == 2 { "none" } else { "quick" };
    let arguments = ["--into", &schema, "--jobs", "2", "--check", check, "--json", "--to", url];
    let moved = bounded("transfer", &path, &arguments);
    if number.is_multiple_of(5) {
        let inspected = bounded("inspect", &path, &["--check", check]);
        assert!(matches!(inspected.code, Some(0 | 3)), "{what}: inspect {inspected:?}");
    }
    let outcome = judge(&moved, &path, &intact, url, &schema, &what);
    pg::query_text(url, &format!("drop schema if exists {schema} cascade"));
    outcome
}

fn judge(
    moved: &Ended,
    path: &Path,
    intact: &Path,
    url: &str,
    schema: &str,
    what: &str,
) -> Outcome {
    let is_there = format!("select count(*) from pg_tables where schemaname = '{schema}'");
    match moved.code {
        Some(0) => {
            let mapping = mapping(&moved.json(), url);
            let arrived = compare::compare(path, url, &mapping)
                .unwrap_or_else(|error| panic!("{what}: the comparer cannot read it: {error}"));
            assert!(arrived.same(), "{what}: exit 0, but\n{}", arrived.listed());
            let as_before = compare::compare_by_name(intact, url, schema);
            if as_before.is_ok_and(|compared| compared.same()) {
                Outcome::Same
            } else {
                Outcome::Changed
            }
        }
        Some(1) => {
            assert!(moved.stdout.contains("\"version\""), "{what}: {moved:?}");
            Outcome::Differences
        }
        Some(3) => {
            assert!(moved.stderr.contains("error: "), "{what}: {moved:?}");
            let tables = pg::query_text(url, &is_there);
            if tables[0].as_deref() == Some("0") { Outcome::Refused } else { Outcome::Stopped }
        }
        _ => panic!("{what}: {moved:?}"),
    }
}

/// Runs a command on a file with bounded memory; [`run`] bounds the time, and knows a panic.
fn bounded(command: &str, path: &Path, arguments: &[&str]) -> Ended {
    let plain = litelift(&[command, "--from"]);
    let mut bounded = Command::new("sh");
    bounded.arg("-c").arg(format!("ulimit -v {MEMORY_KB_MAX}; exec \"$@\"")).arg("sh");
    bounded.arg(plain.get_program()).args(plain.get_args()).arg(path).args(arguments);
    bounded.env_remove("DATABASE_URL").env_remove("RUST_BACKTRACE").env("NO_COLOR", "1");
    run(bounded)
}

/// What the run says became of tables and columns.
fn mapping(report: &serde_json::Value, url: &str) -> Mapping {
    let sql = format!("select plan from litelift.run where id = {}", report["run"]);
    let plan = pg::query_text(url, &sql).remove(0).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let array = |value: &serde_json::Value| value.as_array().unwrap().clone();
    let tables = array(&plan["tables"]).into_iter().map(|table| {
        let columns = array(&table["columns"]).into_iter();
        let columns = columns
            .filter(|column| column["readable"] == true)
            .map(|column| (text(&column["source"]), text(&column["target"])))
            .collect();
        (text(&table["source"]), text(&report["schema"]), text(&table["target"]), columns)
    });
    let mapping = Mapping::from(tables.collect::<Vec<_>>());
    let not_carried = array(&report["not_carried"]);
    let tables = not_carried.iter().filter(|object| {
        ["table", "virtual table"].contains(&object["object"].as_str().unwrap_or_default())
    });
    let left: Vec<String> = tables.map(|object| text(&object["name"])).collect();
    mapping.leaving_out(&left.iter().map(String::as_str).collect::<Vec<_>>())
}
