//! Files that cannot be read: exit 3, what is wrong and what to do, nothing in the target.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::process::{Ended, litelift, run, transfer, verify};
use super::state;
use crate::support::pg;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// 5,000 rows in some 150 pages; the bytes of the file.
    fn database(&self) -> Vec<u8> {
        let path = self.0.path().join("good.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA page_size = 4096; CREATE TABLE quick (v); INSERT INTO quick VALUES (1);
                 CREATE TABLE events (id INTEGER PRIMARY KEY, v TEXT);
                 WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 5000)
                 INSERT INTO events SELECT n, hex(zeroblob(50)) FROM i;
                 CREATE TABLE later (v); INSERT INTO later VALUES (1);",
            )
            .unwrap();
        connection.close().unwrap();
        std::fs::read(&path).unwrap()
    }

    /// Standard error, without the folder.
    fn shown(&self, ended: &Ended) -> String {
        let folder = self.0.path().display().to_string();
        let text = ended.stderr.replace(&format!("{folder}/"), "").replace(&folder, "FOLDER");
        text.replace(rusqlite::version(), "VERSION")
    }
}

fn refused(files: &Files, url: &str, path: &Path) -> String {
    let ended = run(transfer(path, url, &[])).expect(3);
    assert_eq!(state::everything(url), ["public"], "{}", path.display());
    let mut inspect = litelift(&["inspect", "--from"]);
    inspect.arg(path);
    let inspected = run(inspect).expect(3);
    assert_eq!(inspected.stderr, ended.stderr);
    run(verify(path, url)).expect(3);
    files.shown(&ended)
}

#[test]
fn what_is_no_database() {
    let files = Files::new();
    let target = pg::database();
    let refused = |path: &Path| refused(&files, &target.url, path);
    insta::assert_snapshot!(refused(&files.0.path().join("none.db")), @r#"
    error: SQLite file "none.db" does not exist
    detail: Nothing was created.
            No such file or directory (os error 2)
    hint: Check the path.
    "#);
    insta::assert_snapshot!(refused(files.0.path()), @r#"
    error: "FOLDER" is a folder
    hint: Give the path of the SQLite file itself.
    "#);
    insta::assert_snapshot!(refused(&files.write("empty.db", b"")), @r#"
    error: "empty.db" has 0 bytes
    detail: Programs make such a file when they are given a wrong path.
    hint: Check the path.
    "#);
    insta::assert_snapshot!(refused(&files.write("text.db", b"create table t (a int);\n")), @r#"
    error: "text.db" is not a SQLite database, or is encrypted
    detail: The file does not begin like a SQLite database, or it is encrypted.
            file is not a database
    hint: If SQLCipher encrypted it, write a plain copy in the sqlcipher shell: PRAGMA key = '...'; ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain');
    hint: It looks like SQL text. Make a database of it: sqlite3 new.db < FILE
    "#);
    let noise: Vec<u8> = (0..8192_u32).map(|n| (n * n % 251).to_le_bytes()[0]).collect();
    insta::assert_snapshot!(refused(&files.write("encrypted.db", &noise)), @r#"
    error: "encrypted.db" is not a SQLite database, or is encrypted
    detail: The file does not begin like a SQLite database, or it is encrypted.
            file is not a database
    hint: If SQLCipher encrypted it, write a plain copy in the sqlcipher shell: PRAGMA key = '...'; ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain');
    "#);
}

#[test]
fn what_is_damaged() {
    let files = Files::new();
    let target = pg::database();
    let refused = |path: &Path| refused(&files, &target.url, path);
    let good = files.database();
    insta::assert_snapshot!(refused(&files.write("head.db", &good[..100])), @r#"
    error: could not open SQLite file "head.db"
    detail: The file is damaged, or its schema was made by a SQLite newer than VERSION.
            database disk image is malformed
    hint: Restore a backup, if there is one.
    hint: Salvage what can be read: sqlite3 'head.db' .recover | sqlite3 recovered.db
    "#);
    insta::assert_snapshot!(refused(&files.write("half.db", &good[..good.len() / 2])), @r#"
    error: could not open SQLite file "half.db"
    detail: The file is damaged, or its schema was made by a SQLite newer than VERSION.
            database disk image is malformed
    hint: Restore a backup, if there is one.
    hint: Salvage what can be read: sqlite3 'half.db' .recover | sqlite3 recovered.db
    "#);
    let mut bytes = good.clone();
    let middle = good.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    insta::assert_snapshot!(refused(&files.write("page.db", &bytes)), @r#"
    error: 1 table is damaged: "events"
    detail: Tree 3 page 71: btreeInitPage() returns error code 11
            The check broke off: database disk image is malformed
            2479 rows of "events" can be read; the last one has rowid 2479.
    hint: Restore a backup, if there is one.
    hint: Salvage what can be read: sqlite3 'page.db' .recover | sqlite3 recovered.db
    hint: To move the other tables, leave these out with --skip. --check none goes on until SQLite fails to read.
    "#);
    bytes[middle..middle + 4096].fill(0);
    insta::assert_snapshot!(refused(&files.write("zeros.db", &bytes)), @r#"
    error: 1 table is damaged: "events"
    detail: Tree 3 page 71: btreeInitPage() returns error code 11
            The check broke off: database disk image is malformed
            2479 rows of "events" can be read; the last one has rowid 2479.
    hint: Restore a backup, if there is one.
    hint: Salvage what can be read: sqlite3 'zeros.db' .recover | sqlite3 recovered.db
    hint: To move the other tables, leave these out with --skip. --check none goes on until SQLite fails to read.
    "#);
    // Without the check it is met when it is read.
    let ended = run(transfer(&files.write("zeros.db", &bytes), &target.url, &["--check", "none"]));
    insta::assert_snapshot!(files.shown(&ended.expect(3)), @r#"
    error: could not read table "events"
    detail: The file is damaged, or its schema was made by a SQLite newer than VERSION.
            2479 rows could be read; the last one has rowid 2479.
            database disk image is malformed
    hint: Restore a backup, if there is one.
    hint: Salvage what can be read: sqlite3 'zeros.db' .recover | sqlite3 recovered.db
    "#);
    assert_eq!(state::everything(&target.url), ["public"]);
    // What can be read can still be moved.
    let path = files.write("zeros.db", &bytes);
    run(transfer(&path, &target.url, &["--skip", "events"])).expect(0);
    assert_eq!(state::one(&target.url, "select count(*) from later"), "1");
}
