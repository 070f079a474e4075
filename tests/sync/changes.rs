//! Random changes of the source, as an application makes them.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::support::generate::Random;

/// From 1 to 100,000, small numbers as often as large ones; a short run has only small ones.
pub(super) fn how_many(random: &mut Random, trials: u64) -> u64 {
    let most = if trials < 20 { 3 } else { 5 };
    let power = u32::try_from(random.next() % (most + 1)).unwrap();
    1 + random.next() % 10_u64.pow(power).max(1)
}

/// Makes so many changes, in one transaction.
pub(super) fn make(file: &Path, random: &mut Random, count: u64) {
    let mut conn = Connection::open(file).unwrap();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    let transaction = conn.transaction().unwrap();
    for _ in 0..count {
        one(&transaction, random);
    }
    transaction.commit().unwrap();
}

fn one(conn: &Connection, random: &mut Random) {
    let pick = |random: &mut Random, most: u64| i64::try_from(random.next() % most).unwrap();
    let (id, other, text) =
        (pick(random, 3_200), pick(random, 1_300), format!("r{}", random.next() % 100_000));
    // What a constraint of the source refuses is no change.
    let done = match random.next() % 16 {
        0 => conn.execute("INSERT OR IGNORE INTO owner (name) VALUES (?1)", [&text]),
        1 => conn.execute("DELETE FROM owner WHERE id = ?1", [other]),
        2 => conn.execute("UPDATE OR IGNORE owner SET name = ?1 WHERE id = ?2", params![text, other]),
        3 => conn.execute("INSERT OR REPLACE INTO owner (name, made) SELECT name, '2027-01-01 00:00:00' FROM owner WHERE id = ?1", [other]),
        4 => conn.execute("INSERT OR IGNORE INTO pet (owner, tag, weight) SELECT id, ?1, ?2 FROM owner WHERE id >= ?3 LIMIT 1", params![text, other as f64 / 7.0, other]),
        5 => conn.execute("DELETE FROM pet WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM pet p WHERE p.mother = pet.id)", [id]),
        6 => conn.execute("UPDATE pet SET weight = ?1, extra = ?2 WHERE id = ?3", params![other as f64 * 0.1, format!("{{\"z\":[{other}],\"a\":\"{text}\"}}"), id]),
        7 => conn.execute("UPDATE OR IGNORE pet SET id = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM pet p WHERE p.mother = pet.id)", params![id + 10_000, id]),
        8 => conn.execute("UPDATE OR IGNORE pet SET mother = (SELECT min(id) FROM pet WHERE id > ?1) WHERE id = ?2", params![other, id]),
        9 => conn.execute("INSERT OR REPLACE INTO setting VALUES (?1, ?2)", params![format!("key {other}"), text]),
        10 => conn.execute("DELETE FROM setting WHERE k = ?1", [format!("key {other}")]),
        11 => conn.execute("INSERT INTO log VALUES (?1, ?2)", params![other % 9, format!("line {}", other % 50)]),
        12 => conn.execute("DELETE FROM log WHERE rowid = ?1", [other % 600]),
        13 => conn.execute("INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3)", params![other % 20, format!("tag {id}"), text.as_bytes()]),
        14 => conn.execute("DELETE FROM place WHERE x = ?1 AND y = ?2", params![other % 20, format!("tag {id}")]),
        _ => conn.execute("UPDATE log SET what = NULL WHERE rowid = ?1", [other % 600]),
    };
    if let Err(error) = done {
        let refused = error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation);
        assert!(refused, "{error}");
    }
}
