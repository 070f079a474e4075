//! Row counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::Transaction;
use tokio_postgres::IsolationLevel;

use crate::checkpoint::{store, tables};
use crate::connect::{Session, Target, failure};
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::ident::{literal, qualified};
use crate::model::mark::Mark;
use crate::model::merge::MergePlan;
use crate::model::plan::TransferPlan;
use crate::read::{self, Snapshot};
use crate::report::{MergedRows, REPORT_VERSION, VerifiedTable, VerifyLevel, VerifyReport};

/// A table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// Rows that the transfer left out as bad rows.
    pub rejected: u64,
    /// Of those, rows that were sent later (`--only-rejects`), perhaps mended.
    pub resent: u64,
    /// Set when the target had rows before the transfer, and they stayed.
    pub merged: Option<MergedRows>,
}

/// Says what became of the rows of each table that had some when the run began.
#[must_use]
pub fn merged_rows(plan: &TransferPlan, marks: &[Mark]) -> BTreeMap<usize, MergedRows> {
    let mut sums = store::merged(marks);
    let merges = plan.fill.iter().flat_map(|fill| &fill.merges);
    let of = |merge: &MergePlan| {
        let merged = sums.remove(&merge.table).unwrap_or_default();
        (merge.table, MergedRows { target_before: merge.rows_before, merged })
    };
    merges.map(of).collect()
}

/// Counts the rows of each table, in the source's snapshot and in one transaction of the target.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Target`], interrupted.
pub async fn compare(
    snapshot: &Snapshot,
    target: &Target,
    schema: &str,
    pairs: &[Pair],
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifyReport> {
    let begun = Instant::now();
    listener.on(Event::StageStarted { stage: Stage::Verify, work: 0, rows: 0 });
    let failed = |error: tokio_postgres::Error| failure::failed("count the rows", &error);
    let mut session = target.session().await?;
    let batch = tables::batch(&session).await?;
    let transaction = reading(&mut session).await.map_err(failed)?;
    let mut counted = Vec::with_capacity(pairs.len());
    if pairs.len() <= batch {
        for pair in pairs {
            counted.push(count(snapshot, &transaction, schema, pair, listener, cancel).await?);
        }
    } else {
        // Every table that is read is locked until the end of the transaction. This one holds the
        // moment, others read what it sees, and none of them too much.
        let row =
            transaction.query_one("SELECT pg_export_snapshot()", &[]).await.map_err(failed)?;
        let moment = format!("SET TRANSACTION SNAPSHOT {}", literal(row.get(0)));
        let mut other = target.session().await?;
        for pairs in pairs.chunks(batch) {
            let part = reading(&mut other).await.map_err(failed)?;
            part.batch_execute(&moment).await.map_err(failed)?;
            for pair in pairs {
                counted.push(count(snapshot, &part, schema, pair, listener, cancel).await?);
            }
            part.commit().await.map_err(failed)?;
        }
    }
    transaction.commit().await.map_err(failed)?;
    listener.on(Event::StageEnded { stage: Stage::Verify });
    Ok(VerifyReport {
        version: REPORT_VERSION,
        level: VerifyLevel::Counts,
        tables: counted,
        sequences_behind: Vec::new(),
        not_compared: Vec::new(),
        explained: Vec::new(),
        unsound: Vec::new(),
        differences: Vec::new(),
        repaired: Vec::new(),
        wall_s: begun.elapsed().as_secs_f64(),
    })
}

async fn reading(
    session: &mut Session,
) -> std::result::Result<Transaction<'_>, tokio_postgres::Error> {
    let transaction = session.build_transaction();
    transaction.isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await
}

/// Counts one table on both sides.
pub(super) async fn count(
    snapshot: &Snapshot,
    transaction: &Transaction<'_>,
    schema: &str,
    pair: &Pair,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifiedTable> {
    let failed = |error: tokio_postgres::Error| failure::failed("count the rows", &error);
    cancel.check()?;
    let there = transaction
        .query_opt(
            "SELECT c.relkind = 'p' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
            &[&schema, &pair.target],
        )
        .await
        .map_err(failed)?;
    let target_rows = if let Some(row) = there {
        // Rows of a table that inherits are that table's own.
        let only = if row.get(0) { "" } else { "ONLY " };
        let sql = format!("SELECT count(*) FROM {only}{}", qualified(schema, &pair.target));
        let row = transaction.query_one(&sql, &[]).await.map_err(failed)?;
        Some(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
    } else {
        None
    };
    let source_rows =
        tokio::task::block_in_place(|| snapshot.with(|conn| read::count_rows(conn, &pair.source)))?;
    listener.on(Event::Progress { stage: Stage::Verify, work: source_rows, rows: source_rows });
    Ok(VerifiedTable {
        source: pair.source.clone(),
        target: pair.target.clone(),
        source_rows,
        target_rows,
        rejected: pair.rejected,
        merged: pair.merged,
        values: None,
    })
}
