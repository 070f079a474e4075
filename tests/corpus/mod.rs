//! Every database of the corpus, transferred with no flags: its values are compared, its schema, and the
//! script of `litelift schema` with what the transfer made.

#![allow(clippy::print_stderr, reason = "the figure is the point of the test")]

use std::path::PathBuf;

use crate::schema::commands;
use crate::support::round_trip::{self, Looked};
use crate::support::{corpus, pg, transfer};

#[test]
fn every_database_arrives_whole_with_no_flags() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut failed = Vec::new();
    let (mut rows, mut values) = (0, 0);
    let mut schemas = Looked::default();
    for file in &files {
        let copy = file.copy_into(folder.path()).unwrap();
        let database = pg::database();
        match transfer::run(&transfer::options(&copy, &database.url)) {
            Err(error) => failed.push(format!("{}: {}", file.name, pg::explain(&error))),
            Ok(report) => {
                let compared = transfer::compare_all(&copy, &database.url, &report);
                rows += compared.rows;
                values += compared.values;
                if !compared.same() {
                    failed.push(format!("{}: {}", file.name, compared.listed()));
                }
                if report.verify.as_ref().is_none_or(|verify| verify.differing() > 0) {
                    failed.push(format!("{}: its own verify differs", file.name));
                }
                let (looked, wrong) = round_trip::check(&copy, &database.url, &report);
                schemas += looked;
                failed.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", file.name)));
                let wrong = commands::script_differences(&copy, &[], &database, &report);
                failed.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", file.name)));
                for refused in &report.refused {
                    eprintln!(
                        "{}: refused {} {}: {}",
                        file.name, refused.object, refused.name, refused.message
                    );
                }
            }
        }
    }
    eprintln!(
        "corpus: {} of {} databases value-exact, {rows} rows, {values} values",
        files.len() - failed.len(),
        files.len()
    );
    eprintln!("corpus: schemas with {schemas:?}");
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    let Looked { columns, indexes, foreign_keys, .. } = schemas;
    assert!(columns > 1_000 && indexes > 100 && foreign_keys > 100, "{schemas:?}");
}

/// Any file, or every file of a folder: `LITELIFT_FILE=PATH cargo test one_file -- --ignored`.
#[test]
#[ignore = "takes the path from LITELIFT_FILE"]
fn one_file() {
    let path = PathBuf::from(std::env::var_os("LITELIFT_FILE").expect("LITELIFT_FILE"));
    let mut files = vec![path.clone()];
    if path.is_dir() {
        let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
        let beside = |path: &PathBuf| {
            ["-wal", "-shm", "-journal"].iter().any(|end| path.to_string_lossy().ends_with(end))
        };
        files = entries.filter(|path| path.is_file() && !beside(path)).collect();
        files.sort();
    }
    let mut failed = Vec::new();
    for file in files {
        let database = pg::database();
        match transfer::run(&transfer::options(&file, &database.url)) {
            Err(error) => failed.push(format!("{}: {}", file.display(), pg::explain(&error))),
            Ok(report) => {
                let compared = transfer::compare_all(&file, &database.url, &report);
                eprintln!(
                    "{}: {} tables, {} values, {} widened, {} left, {} refused, {} orphaned keys, {} notes",
                    file.display(),
                    report.tables.len(),
                    compared.values,
                    report.widened.len(),
                    report.not_carried.len(),
                    report.refused.len(),
                    report.orphans.len(),
                    report.notes.len(),
                );
                if !compared.same() || report.verify.is_none_or(|verify| verify.differing() > 0) {
                    failed.push(format!("{}: {}", file.display(), compared.listed()));
                }
                for refused in &report.refused {
                    eprintln!("  refused {} {}: {}", refused.object, refused.name, refused.message);
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
