//! What litelift keeps of a run's ranges: read before, written with the changes.

use deadpool_postgres::Transaction;

use crate::checkpoint::fingerprint::Fingerprint;
use crate::connect::{Session, failure};
use crate::encode::range_hash;
use crate::error::{Error, Result};
use crate::model::range_sums::{self, Sums};

use super::changes::{Kept, Now};

/// Reads what was kept of a table's ranges, by their number.
pub(super) async fn kept(session: &Session, run: i64, table: usize) -> Result<Vec<Kept>> {
    let version = range_hash::VERSION.cast_signed();
    let table = i32::try_from(table).unwrap_or(i32::MAX);
    let rows = session
        .query(
            "SELECT rows, hash_one::text, hash_two::text, leaves, hash_version = $3 FROM litelift.range \
             WHERE run = $1 AND relation = $2 ORDER BY number",
            &[&run, &table, &version],
        )
        .await
        .map_err(|error| failure::failed("read the checkpoints", &error))?;
    Ok(rows
        .iter()
        .map(|row| {
            if !row.get::<_, Option<bool>>(4).unwrap_or(false) {
                return Kept::default();
            }
            let sum = |at: usize| row.get::<_, Option<&str>>(at)?.parse().ok();
            let rows = u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
            let sums = sum(1).zip(sum(2)).map(|(one, two)| Sums { rows, one, two });
            let leaves = row.get::<_, Option<&[u8]>>(3).and_then(range_sums::leaves);
            Kept { sums, leaves }
        })
        .collect())
}

/// Writes down what a table's ranges are now.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    run: i64,
    table: usize,
    before: &[Kept],
    now: &[Now],
) -> Result<()> {
    let table = i32::try_from(table).unwrap_or(i32::MAX);
    let version = range_hash::VERSION.cast_signed();
    for (number, (_, now)) in
        before.iter().zip(now).enumerate().filter(|(_, (kept, now))| kept.sums != Some(now.sums))
    {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let rows = i64::try_from(now.sums.rows).unwrap_or(i64::MAX);
        let bad = i64::try_from(now.bad).unwrap_or(i64::MAX);
        let (one, two) = (now.sums.one.to_string(), now.sums.two.to_string());
        // A table that was empty has no range yet.
        let written = transaction
            .execute(
                "INSERT INTO litelift.range (run, relation, number, rows, rejected, copy_bytes, hash_one, \
                 hash_two, leaves, hash_version) \
                 VALUES ($1, $2, $3, $4, $5, 0, $6::text::numeric, $7::text::numeric, $8, $9) \
                 ON CONFLICT (run, relation, number) DO UPDATE SET rows = excluded.rows, \
                 rejected = excluded.rejected, hash_one = excluded.hash_one, hash_two = excluded.hash_two, \
                 leaves = excluded.leaves, hash_version = excluded.hash_version",
                &[&run, &table, &number, &rows, &bad, &one, &two, &now.leaves, &version],
            )
            .await;
        written.map_err(|error| failure::failed("write down what was brought over", &error))?;
    }
    Ok(())
}

/// Writes down from which state of the file the rows are now.
pub(super) async fn write_fingerprint(
    transaction: &Transaction<'_>,
    run: i64,
    fingerprint: &Fingerprint,
) -> Result<()> {
    let text = serde_json::to_string(fingerprint)
        .map_err(|error| Error::target("could not write down the fingerprint").caused_by(error))?;
    let sql = "UPDATE litelift.run SET fingerprint = $2, finished_at = now() WHERE id = $1";
    let written = transaction.execute(sql, &[&run, &text]).await;
    written.map(|_| ()).map_err(|error| failure::failed("write down what was brought over", &error))
}
