//! Rows of both sides by their hashes, to find those without a partner.
//!
//! Purpose: nothing of this is sorted or unique on either side, so rows are written to a private SQLite database,
//! which goes to a temporary file when it gets large: memory stays small whatever the table. Equal rows are
//! paired as often as they are there.

use rusqlite::{Connection, Statement, params};

use crate::error::{Error, Result};

/// Where a row of the target is: its table (a partition, perhaps) and its place in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TargetRow {
    /// `tableoid`.
    pub(crate) relid: u32,
    /// `ctid` as text.
    pub(crate) ctid: String,
}

/// Both hashes of a row, and of what it is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) row: [i64; 2],
    pub(crate) key: [i64; 2],
}

/// A row without a partner, or two of one key that differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unmatched {
    /// By its rowid, or its number in the scan.
    Missing(i64),
    Extra(TargetRow),
    Different(i64, TargetRow),
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) missing: u64,
    pub(crate) extra: u64,
    pub(crate) different: u64,
}

/// The rows.
pub(crate) struct Spool {
    conn: Connection,
    is_keyed: bool,
}

/// SQLite's own temporary database: in memory while it is small, and gone with its connection.
const CREATE: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; \
    CREATE TABLE s (h1 INTEGER, h2 INTEGER, k1 INTEGER, k2 INTEGER, id INTEGER); \
    CREATE TABLE t (h1 INTEGER, h2 INTEGER, k1 INTEGER, k2 INTEGER, relid INTEGER, ctid TEXT); BEGIN";

/// Numbered, so that two equal rows are not paired with one.
const MATCH: &str = "COMMIT; \
    CREATE TABLE sn AS SELECT *, row_number() OVER (PARTITION BY h1, h2 ORDER BY id) AS n FROM s; \
    CREATE TABLE tn AS SELECT *, row_number() OVER (PARTITION BY h1, h2) AS n FROM t; \
    CREATE INDEX sni ON sn (h1, h2, n); CREATE INDEX tni ON tn (h1, h2, n); \
    CREATE TABLE su AS SELECT k1, k2, id, row_number() OVER (PARTITION BY k1, k2 ORDER BY id) AS n FROM sn \
      WHERE NOT EXISTS (SELECT 1 FROM tn WHERE tn.h1 = sn.h1 AND tn.h2 = sn.h2 AND tn.n = sn.n); \
    CREATE TABLE tu AS SELECT k1, k2, relid, ctid, row_number() OVER (PARTITION BY k1, k2) AS n FROM tn \
      WHERE NOT EXISTS (SELECT 1 FROM sn WHERE sn.h1 = tn.h1 AND sn.h2 = tn.h2 AND sn.n = tn.n); \
    CREATE INDEX sui ON su (k1, k2, n); CREATE INDEX tui ON tu (k1, k2, n);";

/// The three lists, numbered from 0 so that a page of them is found at once.
const LISTS: &str = "\
    CREATE TABLE different AS SELECT row_number() OVER (ORDER BY su.id) - 1 AS at, su.id, tu.relid, tu.ctid \
      FROM su JOIN tu ON tu.k1 = su.k1 AND tu.k2 = su.k2 AND tu.n = su.n WHERE KEYED; \
    CREATE TABLE missing AS SELECT row_number() OVER (ORDER BY id) - 1 AS at, id FROM su WHERE NOT (KEYED AND \
      EXISTS (SELECT 1 FROM tu WHERE tu.k1 = su.k1 AND tu.k2 = su.k2 AND tu.n = su.n)); \
    CREATE TABLE extra AS SELECT row_number() OVER (ORDER BY rowid) - 1 AS at, relid, ctid FROM tu WHERE NOT (KEYED \
      AND EXISTS (SELECT 1 FROM su WHERE tu.k1 = su.k1 AND tu.k2 = su.k2 AND tu.n = su.n)); \
    CREATE INDEX different_at ON different (at); CREATE INDEX missing_at ON missing (at); \
    CREATE INDEX extra_at ON extra (at);";

impl Spool {
    /// `is_keyed`: rows are known by something; else one with other values is a row too many and one too few.
    pub(crate) fn new(is_keyed: bool) -> Result<Self> {
        let conn = Connection::open("").map_err(|error| failed(&error))?;
        conn.execute_batch(CREATE).map_err(|error| failed(&error))?;
        Ok(Self { conn, is_keyed })
    }

    /// Takes rows of the source; `each` is called with what takes one.
    pub(crate) fn source(
        &self,
        each: impl FnOnce(&mut dyn FnMut(i64, Hashes) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let mut insert = self.insert("INSERT INTO s VALUES (?1, ?2, ?3, ?4, ?5)")?;
        each(&mut |id, hashes| {
            let ([h1, h2], [k1, k2]) = (hashes.row, hashes.key);
            insert.execute(params![h1, h2, k1, k2, id]).map_err(|error| failed(&error)).map(|_| ())
        })
    }

    /// Takes a row of the target.
    pub(crate) fn target(&self, row: &TargetRow, hashes: Hashes) -> Result<()> {
        let sql = "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut insert = self.conn.prepare_cached(sql).map_err(|error| failed(&error))?;
        let ([h1, h2], [k1, k2]) = (hashes.row, hashes.key);
        let inserted = insert.execute(params![h1, h2, k1, k2, row.relid, row.ctid]);
        inserted.map_err(|error| failed(&error)).map(|_| ())
    }

    fn insert(&self, sql: &str) -> Result<Statement<'_>> {
        self.conn.prepare(sql).map_err(|error| failed(&error))
    }

    /// Pairs the rows; all of them have been taken.
    pub(crate) fn pair(&self) -> Result<Totals> {
        self.conn.execute_batch(MATCH).map_err(|error| failed(&error))?;
        let lists = LISTS.replace("KEYED", if self.is_keyed { "1" } else { "0" });
        self.conn.execute_batch(&lists).map_err(|error| failed(&error))?;
        let count = |table: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = self.conn.query_row(&sql, [], |row| row.get::<_, i64>(0));
            Ok(u64::try_from(count.map_err(|error| failed(&error))?).unwrap_or(0))
        };
        Ok(Totals {
            missing: count("missing")?,
            extra: count("extra")?,
            different: count("different")?,
        })
    }

    /// Returns up to `max` of each kind of what [`Self::pair`] found, from the `from`-th on.
    pub(crate) fn unmatched(&self, from: u64, max: u64) -> Result<Vec<Unmatched>> {
        let missing = self.missing_rows(from, max)?.into_iter().map(Unmatched::Missing);
        let extra = self.extra_rows(from, max)?.into_iter().map(Unmatched::Extra);
        let different = self.different_rows(from, max)?.into_iter();
        let different = different.map(|(id, place)| Unmatched::Different(id, place));
        Ok(missing.chain(extra).chain(different).collect())
    }

    /// Rows of the source, by rowid or number, that the target lacks.
    pub(crate) fn missing_rows(&self, from: u64, max: u64) -> Result<Vec<i64>> {
        self.listed("SELECT id FROM missing", from, max, |row| row.get(0))
    }

    /// Rows that only the target has.
    pub(crate) fn extra_rows(&self, from: u64, max: u64) -> Result<Vec<TargetRow>> {
        self.listed("SELECT relid, ctid FROM extra", from, max, |row| target_row(row, 0))
    }

    /// Rows of both with other values.
    pub(crate) fn different_rows(&self, from: u64, max: u64) -> Result<Vec<(i64, TargetRow)>> {
        let sql = "SELECT id, relid, ctid FROM different";
        self.listed(sql, from, max, |row| Ok((row.get(0)?, target_row(row, 1)?)))
    }

    fn listed<T>(
        &self,
        sql: &str,
        from: u64,
        max: u64,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let sql = format!("{sql} WHERE at >= ?1 AND at < ?2 ORDER BY at");
        let bound = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let page = [bound(from), bound(from.saturating_add(max))];
        let listed = || -> rusqlite::Result<Vec<T>> {
            self.conn.prepare_cached(&sql)?.query_map(page, |row| read(row))?.collect()
        };
        listed().map_err(|error| failed(&error))
    }
}

fn target_row(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<TargetRow> {
    Ok(TargetRow { relid: row.get(at)?, ctid: row.get(at + 1)? })
}

/// The temporary file, not the source.
fn failed(error: &rusqlite::Error) -> Error {
    Error::target("could not keep the rows to compare in a temporary file")
        .detail(error.to_string())
        .hint("Is there room in the folder for temporary files? SQLITE_TMPDIR names another.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(row: i64, key: i64) -> Hashes {
        Hashes { row: [row, -row], key: [key, key] }
    }

    fn place(number: i64) -> TargetRow {
        TargetRow { relid: 1, ctid: format!("(0,{number})") }
    }

    fn paired(
        is_keyed: bool,
        source: &[(i64, i64)],
        target: &[(i64, i64)],
    ) -> (Totals, Vec<Unmatched>) {
        let spool = Spool::new(is_keyed).unwrap();
        spool
            .source(|take| {
                (1..).zip(source).try_for_each(|(id, (row, key))| take(id, hashes(*row, *key)))
            })
            .unwrap();
        for (at, (row, key)) in (1..).zip(target) {
            spool.target(&place(at), hashes(*row, *key)).unwrap();
        }
        (spool.pair().unwrap(), spool.unmatched(0, 10).unwrap())
    }

    #[test]
    fn rows_are_paired_by_value_then_by_key() {
        let (totals, found) =
            paired(true, &[(10, 1), (20, 2), (30, 3)], &[(30, 3), (21, 2), (40, 4)]);
        assert_eq!(totals, Totals { missing: 1, extra: 1, different: 1 });
        assert_eq!(
            found,
            [Unmatched::Missing(1), Unmatched::Extra(place(3)), Unmatched::Different(2, place(2))]
        );
    }

    #[test]
    fn equal_rows_count_as_often_as_they_are_there() {
        let (totals, found) = paired(false, &[(7, 0), (7, 0), (8, 0)], &[(7, 0), (8, 0), (8, 0)]);
        assert_eq!(totals, Totals { missing: 1, extra: 1, different: 0 });
        assert_eq!(found, [Unmatched::Missing(2), Unmatched::Extra(place(3))]);
    }

    #[test]
    fn a_row_twice_in_the_target_is_one_too_many() {
        let (totals, _) = paired(true, &[(7, 1)], &[(7, 1), (7, 1)]);
        assert_eq!(totals, Totals { missing: 0, extra: 1, different: 0 });
    }
}
