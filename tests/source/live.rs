//! Things happen to the file while its rows are copied: one state of it arrives, or an error says why not.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Files, beside, is_copying, one, quick_copies, rows, slow_copies};
use crate::resume::process::{Ended, Running, run, transfer};
use crate::support::compare;
use crate::support::pg::{self, TestDb};

/// Tables of a few pages, and one of some megabytes, so that its pages are not all in SQLite's cache.
const TABLES: &str = "CREATE TABLE first (id INTEGER PRIMARY KEY, v TEXT);
    CREATE TABLE large (id INTEGER PRIMARY KEY, v TEXT);
    CREATE TABLE small (id INTEGER PRIMARY KEY, v TEXT);";

struct Case {
    files: Files,
    path: PathBuf,
    target: TestDb,
}

impl Case {
    /// A database in this journal mode, and a target whose COPYs are slow.
    fn new(mode: &str) -> Self {
        let files = Files::new();
        let sql = format!(
            "PRAGMA journal_mode = {mode}; {TABLES} BEGIN; {}{}{} COMMIT;",
            rows("first", 1, 100),
            rows("large", 1, 30_000),
            rows("small", 1, 50)
        );
        let path = files.database("app.db", &sql);
        fs::copy(&path, files.path("before.db")).unwrap();
        let target = pg::database();
        slow_copies(&target, 0.7);
        Self { files, path, target }
    }

    /// Transfers, and does something while rows are copied.
    fn while_copying(&self, more: &[&str], happens: impl FnOnce(&Path)) -> Ended {
        let url = &self.target.url;
        let command = transfer(&self.path, url, more);
        let running = Running::start(command).until("a COPY runs", || is_copying(url));
        happens(&self.path);
        running.end()
    }

    /// What was in the file at first is in the target, row by row.
    #[track_caller]
    fn expect_before(&self) {
        let before = self.files.path("before.db");
        compare::compare_by_name(&before, &self.target.url, "public").unwrap().expect_same();
    }
}

fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

fn sql(path: &Path, sql: &str) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.execute_batch(sql)
}

#[test]
fn a_wal_database_that_its_application_changes_arrives_as_it_was() {
    for change in [
        "UPDATE large SET v = 'changed'; DELETE FROM small; INSERT INTO first VALUES (101, 'new')",
        "ALTER TABLE large ADD COLUMN w DEFAULT 1; ALTER TABLE small RENAME COLUMN v TO renamed",
        "DROP TABLE large; CREATE TABLE large (other); INSERT INTO large VALUES (1)",
        "DELETE FROM large WHERE id % 2; VACUUM",
        "UPDATE large SET v = 'changed'; PRAGMA wal_checkpoint(RESTART)",
    ] {
        let case = Case::new("WAL");
        case.while_copying(&[], |path| sql(path, change).unwrap()).expect(0);
        case.expect_before();
    }
}

#[test]
fn a_rollback_database_cannot_be_written_meanwhile() {
    let case = Case::new("DELETE");
    let ended = case.while_copying(&[], |path| {
        for change in ["DELETE FROM small", "DROP TABLE large", "VACUUM"] {
            let refused = sql(path, change).unwrap_err().sqlite_error_code();
            assert_eq!(refused, Some(rusqlite::ErrorCode::DatabaseBusy), "{change}");
        }
    });
    ended.expect(0);
    case.expect_before();
    sql(&case.path, "DELETE FROM small").unwrap();
}

#[test]
fn a_file_that_is_renamed_over_is_read_as_it_was() {
    for mode in ["WAL", "DELETE"] {
        let case = Case::new(mode);
        let other = case.files.database("other.db", &format!("{TABLES} {}", rows("large", 5, 9)));
        let ended = case.while_copying(&["--json"], |path| fs::rename(other, path).unwrap());
        let ended = ended.expect(0).says(&["note: The source was replaced by another file"]);
        let notes = ended.json()["notes"].to_string();
        assert!(notes.contains("was replaced by another file"), "{notes}");
        case.expect_before();
    }
}

#[test]
fn a_file_that_is_removed_is_read_as_it_was() {
    let case = Case::new("DELETE");
    let ended = case.while_copying(&[], |path| fs::remove_file(path).unwrap());
    ended.expect(0).says(&["was replaced by another file, or removed"]);
    case.expect_before();
}

#[test]
fn a_file_that_is_truncated_is_an_error() {
    for mode in ["WAL", "DELETE"] {
        let case = Case::new(mode);
        let ended = case.while_copying(&[], |path| {
            OpenOptions::new().write(true).open(path).unwrap().set_len(3 << 20).unwrap();
        });
        ended.expect(3).says(&["app.db\" was changed while it was read", "it was truncated"]);
        assert_ne!(one(&case.target.url, "select state from litelift.run"), "done");
    }
}

#[test]
fn a_file_that_is_written_without_locks_is_an_error() {
    let case = Case::new("DELETE");
    // One byte of a text that stays a text: nothing but the time of writing tells.
    let ended = case.while_copying(&[], |path| {
        let bytes = fs::read(path).unwrap();
        let at = bytes.windows(9).rposition(|bytes| bytes == b"row 29000").unwrap();
        write_at(path, at as u64, b"R");
    });
    ended.expect(3).says(&["was changed while it was read", "without SQLite's locks"]);
    assert_ne!(one(&case.target.url, "select state from litelift.run"), "done");
}

#[test]
fn a_wal_that_is_removed_is_an_error() {
    let case = Case::new("WAL");
    let writer = Connection::open(&case.path).unwrap();
    writer.execute_batch("INSERT INTO small VALUES (51, 'only in the -wal')").unwrap();
    let ended = case.while_copying(&[], |path| fs::remove_file(beside(path, "-wal")).unwrap());
    ended.expect(3).says(&["was changed while it was read", "Its -wal was removed or replaced"]);
}

// A WAL database may be written by checkpoints: what shows is only the damage.
#[test]
fn damage_in_the_middle_of_a_copy_names_the_table_and_keeps_the_others() {
    let case = Case::new("WAL");
    let page = 900 * 4096;
    let good = fs::read(&case.path).unwrap()[page..page + 4096].to_vec();
    let written = fs::metadata(&case.path).unwrap().modified().unwrap();
    let url = case.target.url.clone();
    // The largest table comes first; wait for the next one's turn to be sure of a committed range.
    let command = transfer(&case.path, &url, &["--check", "none"]);
    let running = Running::start(command).until("a COPY runs", || is_copying(&url));
    write_at(&case.path, page as u64, &[0; 4096]);
    let ended = running.end().expect(3);
    let ended =
        ended.says(&["could not read table \"large\"", "the last one has rowid", ".recover"]);
    assert!(ended.stderr.contains("Restore a backup"), "{}", ended.stderr);
    assert_eq!(one(&url, "select count(*) from large"), "0");
    // Mended, it goes on.
    write_at(&case.path, page as u64, &good);
    OpenOptions::new().write(true).open(&case.path).unwrap().set_modified(written).unwrap();
    quick_copies(&case.target);
    run(transfer(&case.path, &url, &[])).expect(0);
    case.expect_before();
}

#[test]
fn a_wal_that_grows_is_told() {
    let case = Case::new("WAL");
    let writer = Connection::open(&case.path).unwrap();
    writer.execute_batch("UPDATE small SET v = v").unwrap();
    let ended = case.while_copying(&["--json"], |path| {
        // A hole that SQLite takes for the end of the log.
        let wal = OpenOptions::new().write(true).open(beside(path, "-wal")).unwrap();
        wal.set_len(300 << 20).unwrap();
    });
    let ended = ended.expect(0).says(&["note: The source's -wal has grown to 300 MB"]);
    let notes = ended.json()["notes"].to_string();
    assert!(notes.contains("-wal grew from 0 to 300 MB while it was read"), "{notes}");
    case.expect_before();
}
