use super::*;
use std::time::Duration;

use crate::error::ErrorKind;

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A database of one table `t(a)` with the given number of rows.
    fn database(&self, name: &str, rows: usize) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t(a)").unwrap();
        insert(&connection, rows);
        path
    }

    /// A database as a crash leaves it: 200 rows committed, a journal that must be rolled back.
    fn hot_journal(&self) -> PathBuf {
        let before = self.database("before.db", 200);
        let connection = Connection::open(&before).unwrap();
        connection
            .execute_batch("PRAGMA cache_size=1; BEGIN; UPDATE t SET a = zeroblob(3000)")
            .unwrap();
        insert(&connection, 500);
        copy_with_parts(&before, &self.path("hot.db"), &["", "-journal"]);
        self.path("hot.db")
    }

    /// A database with one committed row in its file and one more in its WAL, and no `-shm`.
    fn filled_wal(&self) -> PathBuf {
        let before = self.path("before.db");
        let connection = Connection::open(&before).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode=wal; CREATE TABLE t(a); INSERT INTO t VALUES (1);
                 PRAGMA wal_checkpoint(truncate); INSERT INTO t VALUES (2)",
            )
            .unwrap();
        copy_with_parts(&before, &self.path("wal.db"), &["", "-wal"]);
        self.path("wal.db")
    }
}

fn insert(connection: &Connection, rows: usize) {
    let mut insert = connection.prepare("INSERT INTO t VALUES (?1)").unwrap();
    for row in 0..rows {
        insert.execute([i64::try_from(row).unwrap()]).unwrap();
    }
}

fn copy_with_parts(from: &Path, to: &Path, parts: &[&str]) {
    for part in parts {
        fs::copy(beside(from, part), beside(to, part)).unwrap();
    }
}

fn rows(source: &Source) -> i64 {
    let connection = source.connect().unwrap();
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

fn refusal(path: &Path) -> Error {
    let error = Source::locate_with(path, Patience::silent(Duration::from_millis(20))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert!(!error.hints().is_empty(), "no hint: {error:?}");
    assert!(error.full_detail().is_some() || path.is_dir(), "no detail: {error:?}");
    error
}

#[test]
fn an_ordinary_file_is_read_in_place() {
    let case = Case::new();
    let source = Source::locate(&case.database("a.db", 3)).unwrap();
    assert!(matches!(source.how(), OpenedHow::Direct));
    assert_eq!(source.remark(), None);
    assert_eq!(rows(&source), 3);
}

#[test]
fn a_path_may_hold_anything() {
    let case = Case::new();
    for name in ["a b?mode=rw#x%41.db", "ü€😀.db", "quote'\".db", "new\nline.db", "file:x.db"]
    {
        let source = Source::locate(&case.database("plain.db", 1)).unwrap();
        drop(source);
        fs::rename(case.path("plain.db"), case.path(name)).unwrap();
        assert_eq!(rows(&Source::locate(&case.path(name)).unwrap()), 1, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let case = Case::new();
    let path = case.folder.path().join(std::ffi::OsStr::from_bytes(b"a\xFF.db"));
    fs::rename(case.database("plain.db", 1), &path).unwrap();
    assert_eq!(rows(&Source::locate(&path).unwrap()), 1);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_finds_the_wal_beside_the_real_file() {
    let case = Case::new();
    let wal = case.filled_wal();
    let other = Case::new();
    std::os::unix::fs::symlink(&wal, other.path("link.db")).unwrap();
    let source = Source::locate(&other.path("link.db")).unwrap();
    assert_eq!(rows(&source), 2);
}

#[test]
fn a_missing_file_is_not_created() {
    let case = Case::new();
    let error = refusal(&case.path("no.db"));
    assert!(error.message().contains("does not exist"), "{error}");
    assert_eq!(fs::read_dir(case.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_is_refused() {
    let case = Case::new();
    assert!(refusal(case.folder.path()).message().ends_with("is a folder"));
}

#[cfg(unix)]
#[test]
fn a_device_is_refused() {
    assert!(refusal(Path::new("/dev/null")).message().contains("not a regular file"));
}

#[test]
fn an_empty_file_is_a_database_without_tables() {
    let case = Case::new();
    let path = case.path("empty.db");
    fs::write(&path, b"").unwrap();
    let source = Source::locate(&path).unwrap();
    let tables: i64 = source
        .connect()
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 0);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn what_is_no_database_is_named() {
    let case = Case::new();
    for (content, hint) in [
        (b"\x8f\x01\x9a".repeat(500), "SQLCipher"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n".repeat(50), "sqlite3 new.db < FILE"),
        (b"\x1f\x8b\x08\x00".repeat(500), "gzip"),
        (b"PK\x03\x04".repeat(500), "zip"),
    ] {
        fs::write(case.path("x.db"), content).unwrap();
        let error = refusal(&case.path("x.db"));
        assert!(error.message().contains("is encrypted"), "{error}");
        assert!(error.hints().iter().any(|h| h.contains(hint)), "{hint}: {:?}", error.hints());
    }
}

#[test]
fn a_damaged_file_is_pointed_to_recover() {
    let case = Case::new();
    let path = case.database("a.db", 3);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    let error = refusal(&path);
    assert!(error.hints().iter().any(|hint| hint.contains(".recover")), "{error:?}");
}

#[test]
fn a_locked_file_says_so() {
    let case = Case::new();
    let path = case.database("a.db", 3);
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = refusal(&path);
    assert!(error.full_detail().unwrap().contains("holds a lock"), "{error:?}");
}

#[test]
fn a_hot_journal_is_recovered_in_a_private_copy() {
    let case = Case::new();
    let path = case.hot_journal();
    let before = (fs::read(&path).unwrap(), fs::read(beside(&path, "-journal")).unwrap());
    let source = Source::locate(&path).unwrap();
    let OpenedHow::PrivateCopy(copy) = source.how() else { panic!("{:?}", source.how()) };
    let folder = copy.folder().to_owned();
    assert!(source.remark().unwrap().contains("private copy"));
    let connection = source.connect().unwrap();
    let sum: i64 = connection.query_row("SELECT sum(a) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!((rows(&source), sum), (200, 199 * 200 / 2));
    let after = (fs::read(&path).unwrap(), fs::read(beside(&path, "-journal")).unwrap());
    assert!(before == after, "the source was written");
    drop((connection, source));
    assert!(!folder.exists());
}

#[test]
fn a_wal_without_its_index_is_read_in_place() {
    let case = Case::new();
    let source = Source::locate(&case.filled_wal()).unwrap();
    assert!(matches!(source.how(), OpenedHow::Direct));
    assert_eq!(rows(&source), 2);
}

/// Makes SQLite fail to make the `-shm` as a folder without write permission does, also for root.
#[cfg(unix)]
fn forbid_shm(database: &Path) {
    std::os::unix::fs::symlink("/no/such/folder/shm", beside(database, "-shm")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_wal_whose_index_cannot_be_made_is_read_from_a_copy() {
    let case = Case::new();
    let path = case.filled_wal();
    forbid_shm(&path);
    let source = Source::locate(&path).unwrap();
    assert!(matches!(source.how(), OpenedHow::PrivateCopy(_)), "{:?}", source.how());
    assert_eq!(rows(&source), 2);
}

#[cfg(unix)]
#[test]
fn without_wal_the_same_file_is_read_without_locks_and_watched() {
    let case = Case::new();
    let path = case.filled_wal();
    fs::remove_file(beside(&path, "-wal")).unwrap();
    forbid_shm(&path);
    let source = Source::locate(&path).unwrap();
    assert!(matches!(source.how(), OpenedHow::Immutable(_)), "{:?}", source.how());
    assert_eq!(rows(&source), 1);
    source.check_unchanged().unwrap();
    fs::write(beside(&path, "-wal"), b"something").unwrap();
    assert!(source.connect().is_err());
    assert!(source.check_unchanged().unwrap_err().message().contains("was changed"));
}

#[test]
fn only_want_of_write_permission_has_a_way_round() {
    let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    let nothing = Pending::default();
    let wal = Pending { wal: true, journal: false };
    let journal = Pending { wal: false, journal: true };
    for (code, pending, expected) in [
        (rusqlite::ffi::SQLITE_CANTOPEN, nothing, WayRound::Immutable),
        (rusqlite::ffi::SQLITE_READONLY_DIRECTORY, nothing, WayRound::Immutable),
        (rusqlite::ffi::SQLITE_READONLY_CANTINIT, nothing, WayRound::Immutable),
        (rusqlite::ffi::SQLITE_CANTOPEN, wal, WayRound::PrivateCopy),
        (rusqlite::ffi::SQLITE_READONLY_RECOVERY, wal, WayRound::PrivateCopy),
        (rusqlite::ffi::SQLITE_READONLY_ROLLBACK, journal, WayRound::PrivateCopy),
        (rusqlite::ffi::SQLITE_NOTADB, nothing, WayRound::None),
        (rusqlite::ffi::SQLITE_CORRUPT, journal, WayRound::None),
        (rusqlite::ffi::SQLITE_BUSY, wal, WayRound::None),
        (rusqlite::ffi::SQLITE_IOERR_READ, nothing, WayRound::None),
    ] {
        assert_eq!(way_round(&failure(code), pending), expected, "{code} {pending:?}");
    }
}

// Closing any handle of a file drops the POSIX locks of the whole process on it. SQLite knows the
// locks of its own process, so the writer that must be kept out has to be another one: this test
// again, with the file's name in its environment.
#[test]
fn locating_again_keeps_the_locks_of_open_connections() {
    const FILE: &str = "LITELIFT_TEST_WRITE_TO";
    if let Some(path) = std::env::var_os(FILE) {
        let writer = Connection::open(path).unwrap();
        writer.busy_timeout(Duration::ZERO).unwrap();
        writer.execute_batch("DELETE FROM t").unwrap();
        return;
    }
    let case = Case::new();
    let path = case.database("a.db", 3);
    let reader = Source::locate(&path).unwrap().connect().unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    drop(Source::locate(&path).unwrap());
    let mut writer = std::process::Command::new(std::env::current_exe().unwrap());
    writer.arg("locating_again_keeps_the_locks_of_open_connections").env(FILE, &path);
    let locked_out = |writer: &mut std::process::Command| {
        let output = writer.output().unwrap();
        !output.status.success() && String::from_utf8_lossy(&output.stdout).contains("is locked")
    };
    assert!(locked_out(&mut writer), "a writer got in");
    reader.execute_batch("COMMIT").unwrap();
    assert!(writer.output().unwrap().status.success());
}

#[test]
fn a_connection_cannot_write_or_attach() {
    let case = Case::new();
    let path = case.database("a.db", 1);
    let connection = Source::locate(&path).unwrap().connect().unwrap();
    assert!(connection.execute_batch("DELETE FROM t").is_err());
    assert!(connection.execute_batch("CREATE TABLE u(a)").is_err());
    assert!(connection.execute_batch("ATTACH ':memory:' AS other").is_err());
    assert!(connection.query_row("SELECT load_extension('x')", [], |_| Ok(())).is_err());
    assert!(connection.prepare("SELECT \"no such column\" FROM t").is_err());
    let mapped = connection.query_row("PRAGMA mmap_size", [], |row| row.get::<_, i64>(0));
    assert_eq!(mapped, Ok(0));
}

#[test]
fn an_unknown_collation_does_not_stop_reading() {
    let case = Case::new();
    let path = case.path("a.db");
    let connection = Connection::open(&path).unwrap();
    connection.create_collation("LOCALIZED", |a: &str, b: &str| a.cmp(b)).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t(a TEXT COLLATE LOCALIZED UNIQUE);
             CREATE INDEX i ON t(a DESC); INSERT INTO t VALUES ('x'), ('y')",
        )
        .unwrap();
    drop(connection);
    let source = Source::locate(&path).unwrap();
    assert_eq!(rows(&source), 2);
    let connection = source.connect().unwrap();
    assert!(connection.prepare("SELECT a FROM t ORDER BY a").is_ok());
}

// SQLite reads stored expressions with the rules of their time, whatever the connection says.
#[test]
fn quoted_strings_in_stored_expressions_still_work() {
    let case = Case::new();
    let path = case.path("a.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t(a TEXT DEFAULT \"x\", g TEXT AS (a || \"-suffix\") VIRTUAL);
             CREATE INDEX i ON t(a || \"z\") WHERE a <> \"\"; INSERT INTO t VALUES ('v')",
        )
        .unwrap();
    drop(connection);
    let connection = Source::locate(&path).unwrap().connect().unwrap();
    let value = connection.query_row("SELECT g FROM t", [], |row| row.get::<_, String>(0));
    assert_eq!(value.as_deref(), Ok("v-suffix"));
}
