//! Every way in which a database and the files beside it may lie there, with exact contents: by a user who
//! is not root, for root may write everywhere.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use tokio_postgres::config::Host;

use super::{Files, beside, one};
use crate::resume::process::{self, Ended, transfer};
use crate::support::pg;

/// How the program says that it read the file; `None`: in place.
const COPIED: Option<&str> = Some("private copy");
const UNLOCKED: Option<&str> = Some("read without locks");

struct Situation {
    what: &'static str,
    make: fn(&Path) -> Option<Connection>,
    folder_is_writable: bool,
    read_as: Option<&'static str>,
    /// Rows, and what they hold.
    holds: &'static str,
}

#[test]
fn every_situation_gives_exactly_what_the_file_holds() {
    let Some(user) = ordinary_user() else { return };
    let (both, first) = ("2 rows: in the file, only in the -wal", "1 rows: in the file");
    let situations = [
        ("a -wal and its -shm, in use", wal_in_use as fn(&Path) -> _, true, None, both),
        ("a -wal without -shm", wal_alone, true, None, both),
        ("WAL mode, no -wal", no_wal, true, None, first),
        ("read-only folder, -wal and -shm in use", wal_in_use, false, None, both),
        ("read-only folder, -wal without -shm", wal_alone, false, COPIED, both),
        ("read-only folder, WAL mode, no -wal", no_wal, false, UNLOCKED, first),
        ("read-only folder, rollback journal mode", plain, false, None, first),
        ("hot journal", hot_journal, true, COPIED, "200 rows: 19900"),
        ("read-only folder, hot journal", hot_journal, false, COPIED, "200 rows: 19900"),
    ];
    for (what, make, folder_is_writable, read_as, holds) in situations {
        Situation { what, make, folder_is_writable, read_as, holds }.check(user);
    }
}

impl Situation {
    fn check(&self, user: (u32, u32)) {
        let files = Files::new();
        let (folder, scratch) = (files.path("data"), files.path("scratch"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&scratch).unwrap();
        let path = folder.join("app.db");
        let _in_use = (self.make)(&path);
        give(files.0.path(), user);
        let mode = if self.folder_is_writable { 0o755 } else { 0o555 };
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let before = contents(&folder);
        let target = pg::database();
        let ended = run_as(user, &scratch, transfer(&path, &target.url, &["--json"]));
        assert_eq!(ended.code, Some(0), "{}: {ended:?}", self.what);
        let holds = "select count(*) || ' rows: ' ||
            case when count(*) < 3 then string_agg(v, ', ' order by id)
            else sum(case when v ~ '^[0-9]+$' then v::bigint end)::text end from t";
        assert_eq!(one(&target.url, holds), self.holds, "{}", self.what);
        let read_as = ended.json()["source"]["read_as"].as_str().map(str::to_owned);
        assert_eq!(read_as.is_some(), self.read_as.is_some(), "{}: {read_as:?}", self.what);
        let said = read_as.unwrap_or_default();
        assert!(said.contains(self.read_as.unwrap_or_default()), "{}: {said}", self.what);
        assert_eq!(contents(&folder), before, "{}: the source was written", self.what);
        // Also when it ends with an error.
        let nowhere = transfer(&path, "postgres://127.0.0.1:1/none", &[]);
        assert_eq!(run_as(user, &scratch, nowhere).code, Some(4), "{}", self.what);
        let strict = transfer(&path, &target.url, &["--into", "other", "--only", "nothing"]);
        assert_eq!(run_as(user, &scratch, strict).code, Some(2), "{}", self.what);
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{}: a copy stayed", self.what);
        // So that it can be removed.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Writes the table with a row in the file, and leaves it open with one only in the -wal.
fn begin_wal(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             INSERT INTO t VALUES (1, 'in the file'); PRAGMA wal_checkpoint(TRUNCATE);
             INSERT INTO t VALUES (2, 'only in the -wal')",
        )
        .unwrap();
    connection
}

fn wal_in_use(path: &Path) -> Option<Connection> {
    Some(begin_wal(path))
}

fn wal_alone(path: &Path) -> Option<Connection> {
    copied(path, begin_wal, &["", "-wal"])
}

fn no_wal(path: &Path) -> Option<Connection> {
    copied(path, begin_wal, &[""])
}

fn plain(path: &Path) -> Option<Connection> {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'in the file')",
        )
        .unwrap();
    connection.close().unwrap();
    None
}

/// 200 rows committed, and a transaction that a crash left in the middle.
fn hot_journal(path: &Path) -> Option<Connection> {
    let begin = |path: &Path| {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
                 WITH RECURSIVE i (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 199)
                 INSERT INTO t SELECT n, n FROM i;
                 PRAGMA cache_size = 1; BEGIN; UPDATE t SET v = -1; DELETE FROM t WHERE id % 50 = 0;
                 CREATE TABLE u AS SELECT zeroblob(2000) FROM t;",
            )
            .unwrap();
        connection
    };
    copied(path, begin, &["", "-journal"])
}

/// Copies files of a database while it is open: as its application's death would leave them.
fn copied(path: &Path, begin: impl Fn(&Path) -> Connection, parts: &[&str]) -> Option<Connection> {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("app.db");
    let connection = begin(&original);
    for part in parts {
        fs::copy(beside(&original, part), beside(path, part)).unwrap();
    }
    drop(connection);
    None
}

/// Every file but the -shm, which SQLite may make and touch.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| !path.to_string_lossy().ends_with("-shm"));
    // An empty -wal is as good as none.
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .filter(|(_, b)| !b.is_empty())
        .collect()
}

fn give(path: &Path, (user, group): (u32, u32)) {
    chown(path, Some(user), Some(group)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), (user, group));
        }
    }
}

fn run_as((user, group): (u32, u32), scratch: &Path, mut command: Command) -> Ended {
    command.env("TMPDIR", scratch);
    if rustix::process::geteuid().is_root() {
        command.uid(user).gid(group);
    }
    process::run(command)
}

/// Who may reach the server, and write only where he is let: ourselves, or for root the server's own user.
fn ordinary_user() -> Option<(u32, u32)> {
    let us = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    if us.0 != 0 {
        return Some(us);
    }
    let config: tokio_postgres::Config = pg::server_url().parse().unwrap();
    let socket = config.get_hosts().iter().find_map(|host| match host {
        Host::Unix(folder) => fs::metadata(folder).ok(),
        Host::Tcp(_) => None,
    });
    let user = socket.map_or((65534, 65534), |found| (found.uid(), found.gid()));
    let mut version = process::litelift(&["--version"]);
    let can_run = version.uid(user.0).gid(user.1).output().is_ok_and(|ran| ran.status.success());
    if user.0 == 0 || !can_run {
        eprintln!("skipped: the tests run as root, and no other user can run the program");
        return None;
    }
    Some(user)
}
