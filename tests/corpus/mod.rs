//! Every database of the corpus, transferred with no flags and compared value by value.

#![allow(clippy::print_stderr, reason = "the figure is the point of the test")]

use crate::support::{corpus, pg, transfer};

#[test]
fn every_database_arrives_whole_with_no_flags() {
    let Some(files) = corpus::files() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut failed = Vec::new();
    let (mut rows, mut values) = (0, 0);
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
                if report.verify.is_none_or(|verify| verify.differing() > 0) {
                    failed.push(format!("{}: its own verify differs", file.name));
                }
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
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
