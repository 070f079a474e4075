//! Rejected rows that were sent later.
//!
//! Purpose: a rejected row is known by its range and its number among the rejected rows of that range,
//! which the same file and the same plan give again and again. Its mark is written in the transaction
//! of the row, so sending the files of rejected rows twice doubles nothing.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;

use crate::connect::{Session, failure};
use crate::error::Result;

/// Which rejected row: table (position in the plan), range, number among its rejected rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectId {
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// Number of the range.
    pub range: u32,
    /// Number among the rejected rows of the range, from 0.
    pub ordinal: u64,
}

/// Returns how many rejected rows of each table were sent later.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn counts(session: &Session, run: i64) -> Result<BTreeMap<usize, u64>> {
    let rows = session
        .query(
            "SELECT relation, count(*) FROM litelift.resent WHERE run = $1 GROUP BY relation",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read which rejected rows were sent", &error))?;
    Ok(rows
        .iter()
        .map(|row| {
            let table = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
            (table, u64::try_from(row.get::<_, i64>(1)).unwrap_or(0))
        })
        .collect())
}

/// Returns which rejected rows of a range were sent later.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn of_range(
    session: &Session,
    run: i64,
    table: usize,
    range: u32,
) -> Result<BTreeSet<u64>> {
    let rows = session
        .query(
            "SELECT ordinal FROM litelift.resent WHERE run = $1 AND relation = $2 AND range = $3",
            &[&run, &number(table), &number(range)],
        )
        .await
        .map_err(|error| failure::failed("read which rejected rows were sent", &error))?;
    Ok(rows.iter().filter_map(|row| u64::try_from(row.get::<_, i64>(0)).ok()).collect())
}

/// Marks rows as sent, in the transaction that sends them. Returns those that were not marked before:
/// the others must not be sent again.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn mark(
    transaction: &Transaction<'_>,
    run: i64,
    ids: &[RejectId],
) -> Result<BTreeSet<RejectId>> {
    let relations: Vec<i32> = ids.iter().map(|id| number(id.table)).collect();
    let ranges: Vec<i32> = ids.iter().map(|id| number(id.range)).collect();
    let ordinals: Vec<i64> =
        ids.iter().map(|id| i64::try_from(id.ordinal).unwrap_or(i64::MAX)).collect();
    let rows = transaction
        .query(
            "INSERT INTO litelift.resent (run, relation, range, ordinal) \
             SELECT $1, t.* FROM unnest($2::integer[], $3::integer[], $4::bigint[]) AS t \
             ON CONFLICT DO NOTHING RETURNING relation, range, ordinal",
            &[&run, &relations, &ranges, &ordinals],
        )
        .await
        .map_err(|error| failure::failed("mark rejected rows as sent", &error))?;
    Ok(rows
        .iter()
        .map(|row| RejectId {
            table: usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX),
            range: u32::try_from(row.get::<_, i32>(1)).unwrap_or(u32::MAX),
            ordinal: u64::try_from(row.get::<_, i64>(2)).unwrap_or(u64::MAX),
        })
        .collect())
}

fn number(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}
