//! Small sound databases that have between them what a file can have: tables of several levels, overflow
//! pages, WITHOUT ROWID, indexes, free pages, pointer maps, two encodings, a -wal.

use std::path::Path;

use rusqlite::Connection;

/// A database as bytes, with its `-wal`.
#[derive(Clone)]
pub(super) struct Base {
    pub(super) name: &'static str,
    pub(super) database: Vec<u8>,
    pub(super) wal: Vec<u8>,
    pub(super) page_size: usize,
}

pub(super) fn all() -> Vec<Base> {
    vec![
        base("rowids", 1024, &(items(400) + DOCUMENTS + FREE_PAGES), ""),
        base("without rowids", 4096, &(WITHOUT_ROWID.to_owned() + &items(60)), ""),
        base(
            "deep",
            512,
            &("PRAGMA auto_vacuum = FULL; PRAGMA encoding = 'UTF-16le'; ".to_owned()
                + &items(900)
                + DOCUMENTS),
            "",
        ),
        base(
            "wal",
            1024,
            &("PRAGMA journal_mode = WAL; ".to_owned() + &items(200)),
            "UPDATE items SET name = name || ' again' WHERE id % 3 = 0;
             INSERT INTO items SELECT id + 1000, name, price, made FROM items;",
        ),
    ]
}

fn items(rows: u32) -> String {
    format!(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, made TEXT);
         CREATE TABLE events (at TEXT, kind INTEGER, item INTEGER REFERENCES items (id));
         WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < {rows})
         INSERT INTO items SELECT n, 'item ' || n, n / 7.0, date(1600000000 + n * 86400, 'unixepoch') FROM i;
         INSERT INTO events SELECT made || ' 10:00:00', id % 5, id FROM items;
         CREATE INDEX items_name ON items (name);
         CREATE INDEX events_item ON events (item, kind);"
    )
}

const DOCUMENTS: &str = "
    CREATE TABLE documents (id INTEGER PRIMARY KEY, title TEXT UNIQUE, body TEXT, raw BLOB);
    WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 12)
    INSERT INTO documents SELECT n, 'document ' || n, hex(zeroblob(n * 400)), zeroblob(n * 300) FROM i;";

const FREE_PAGES: &str = "DELETE FROM events WHERE item BETWEEN 50 AND 250;
    DELETE FROM items WHERE id BETWEEN 50 AND 250;";

const WITHOUT_ROWID: &str = "
    CREATE TABLE words (word TEXT, place INTEGER, weight REAL, PRIMARY KEY (word, place DESC)) WITHOUT ROWID;
    WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 900)
    INSERT INTO words SELECT 'word ' || n % 70, n, n * 0.5 FROM i;
    CREATE TABLE pairs (a INTEGER, b BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO pairs SELECT place % 40, CAST(word || place AS BLOB) FROM words;
    CREATE INDEX words_weight ON words (weight);";

fn base(name: &'static str, page_size: usize, sql: &str, in_wal: &str) -> Base {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA page_size = {page_size}; {sql}"))
        .unwrap();
    if in_wal.is_empty() {
        connection.close().unwrap();
        return Base { name, database: std::fs::read(&path).unwrap(), wal: Vec::new(), page_size };
    }
    connection.execute_batch(&format!("PRAGMA wal_checkpoint(TRUNCATE); {in_wal}")).unwrap();
    // Read before the connection is closed, which would empty the -wal.
    let (database, wal) = (std::fs::read(&path).unwrap(), std::fs::read(with_wal(&path)).unwrap());
    assert!(!wal.is_empty());
    Base { name, database, wal, page_size }
}

pub(super) fn with_wal(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
