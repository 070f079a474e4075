//! Ranges that are sent again: their rows and their marks go in one transaction.
//!
//! Purpose: at every moment the marks say exactly which rows are there. So a range whose rows changed in the
//! source is not overwritten: its rows are deleted with its mark, together with the plan and the
//! fingerprint that say so, and then it is a range like any other that is not committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use deadpool_postgres::Transaction;

use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::evidence::Span;
use crate::model::ident::{qualified, quoted};
use crate::model::mark::Mark;
use crate::model::plan::{RangePlan, TransferPlan};

use super::fingerprint::Fingerprint;

/// What is attempted here.
const FORGET: &str = "remove rows that are sent again";
/// Tables that are counted by one statement.
const COUNTED_TOGETHER: usize = 200;

/// Rows of the target that are to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// All of a table, by its position in the plan.
    Table(usize),
    /// A range, found by the column of the target that holds the rowid.
    Range {
        /// The range.
        range: RangePlan,
        /// Column in the target.
        column: String,
    },
}

impl Again {
    /// Position of the table in the plan.
    #[must_use]
    pub const fn table(&self) -> usize {
        match self {
            Self::Table(table) => *table,
            Self::Range { range, .. } => range.table,
        }
    }
}

/// Removes rows with their marks, and writes down what the run goes by from now on. All or nothing.
///
/// # Errors
/// [`ErrorKind::TargetState`] when other rows are there than were sent, or other tables refer to them;
/// [`ErrorKind::Target`].
pub async fn forget(
    session: &mut Session,
    run: i64,
    source: &str,
    fingerprint: &Fingerprint,
    plan: &TransferPlan,
    marks: &[Mark],
    again: &[Again],
) -> Result<()> {
    let failed = |error| failure::failed(FORGET, &error);
    let transaction = session.transaction().await.map_err(failed)?;
    let tables: BTreeSet<usize> = again.iter().map(Again::table).collect();
    for table in &tables {
        refuse_referred(&transaction, plan, *table).await?;
    }
    for one in again {
        remove(&transaction, run, plan, marks, one).await?;
    }
    rewrite(&transaction, run, source, fingerprint, plan).await?;
    transaction.commit().await.map_err(failed)
}

/// Writes the fingerprint and the plan of a run anew, and the path by which it is found.
async fn rewrite(
    transaction: &Transaction<'_>,
    run: i64,
    source: &str,
    fingerprint: &Fingerprint,
    plan: &TransferPlan,
) -> Result<()> {
    let json =
        |error: serde_json::Error| Error::target("could not write down the plan").caused_by(error);
    let fingerprint = serde_json::to_string(fingerprint).map_err(json)?;
    let plan = serde_json::to_string(plan).map_err(json)?;
    let sql = "UPDATE litelift.run SET fingerprint = $2, plan = $3, source = $4 WHERE id = $1";
    let written = transaction.execute(sql, &[&run, &fingerprint, &plan, &source]).await;
    written.map(|_| ()).map_err(|error| failure::failed("write down the plan", &error))
}

/// A foreign key of another table might take its rows along, a trigger might do anything.
async fn refuse_referred(
    transaction: &Transaction<'_>,
    plan: &TransferPlan,
    table: usize,
) -> Result<()> {
    let name = &plan.tables[table].target;
    let sql = "SELECT format('foreign key %s of %s', conname, conrelid::regclass) FROM pg_constraint \
               WHERE contype = 'f' AND confrelid = to_regclass($1) UNION ALL \
               SELECT format('trigger %s', tgname) FROM pg_trigger WHERE tgrelid = to_regclass($1) \
               AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 8 <> 0 ORDER BY 1";
    let rows = transaction.query(sql, &[&qualified(&plan.schema, name)]).await;
    let rows = rows.map_err(|error| failure::failed(FORGET, &error))?;
    if rows.is_empty() {
        return Ok(());
    }
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    Err(Error::new(
        ErrorKind::TargetState,
        format!(
            "rows of table \"{}\" changed in the source and cannot be sent again",
            name.escape_debug()
        ),
    )
    .detail(format!("Deleting them could change others: {}.", found.join(", ")))
    .hint("Use --restart to begin again."))
}

async fn remove(
    transaction: &Transaction<'_>,
    run: i64,
    plan: &TransferPlan,
    marks: &[Mark],
    again: &Again,
) -> Result<()> {
    let failed = |error| failure::failed(FORGET, &error);
    let position = again.table();
    let table = &plan.tables[position];
    let name = qualified(&plan.schema, &table.target);
    let number = match again {
        Again::Table(_) => None,
        Again::Range { range, .. } => Some(range.number),
    };
    let is_meant =
        |mark: &&Mark| mark.table == position && number.is_none_or(|number| number == mark.number);
    let sent: u64 = marks.iter().filter(is_meant).map(|mark| mark.rows).sum();
    let (relation, part) = (
        i32::try_from(position).unwrap_or(i32::MAX),
        number.map(|number| i32::try_from(number).unwrap_or(i32::MAX)),
    );
    let resent = "WITH gone AS (DELETE FROM litelift.resent WHERE run = $1 AND relation = $2 \
                  AND range = coalesce($3, range) RETURNING 1) SELECT count(*) FROM gone";
    let resent: i64 =
        transaction.query_one(resent, &[&run, &relation, &part]).await.map_err(failed)?.get(0);
    let marked = "DELETE FROM litelift.range WHERE run = $1 AND relation = $2 \
                  AND number = coalesce($3, number)";
    transaction.execute(marked, &[&run, &relation, &part]).await.map_err(failed)?;
    let delete = match again {
        Again::Range { range: RangePlan { span: Span::Rowids { lo, hi }, .. }, column } => {
            format!("DELETE FROM {name} WHERE {} BETWEEN {lo} AND {hi}", quoted(column))
        }
        _ => format!("DELETE FROM {name}"),
    };
    let deleted = transaction.execute(&delete, &[]).await.map_err(failed)?;
    let sent = sent + u64::try_from(resent).unwrap_or(0);
    if deleted == sent {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TargetState,
        format!("table \"{}\" does not hold the rows that were sent", table.target.escape_debug()),
    )
    .detail(format!(
        "{sent} of them are to be sent again, for the source changed, but {deleted} are there. Nothing was changed."
    ))
    .hint("Somebody changed the table meanwhile. Use --restart to begin again."))
}

/// Removes whatever is left in tables that the run made, with their marks: they are sent again.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn empty(
    session: &mut Session,
    run: i64,
    plan: &TransferPlan,
    positions: &[usize],
) -> Result<()> {
    let failed = |error| failure::failed(FORGET, &error);
    let transaction = session.transaction().await.map_err(failed)?;
    for position in positions {
        refuse_referred(&transaction, plan, *position).await?;
        let relation = i32::try_from(*position).unwrap_or(i32::MAX);
        for marks in ["resent", "range"] {
            let sql = format!("DELETE FROM litelift.{marks} WHERE run = $1 AND relation = $2");
            transaction.execute(&sql, &[&run, &relation]).await.map_err(failed)?;
        }
        let name = qualified(&plan.schema, &plan.tables[*position].target);
        transaction.batch_execute(&format!("TRUNCATE {name}")).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Counts the rows of tables of a plan, by their positions.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn count(
    session: &Session,
    plan: &TransferPlan,
    positions: &[usize],
) -> Result<BTreeMap<usize, u64>> {
    let mut counted = BTreeMap::new();
    for some in positions.chunks(COUNTED_TOGETHER) {
        let mut sql = String::new();
        for position in some {
            let name = qualified(&plan.schema, &plan.tables[*position].target);
            let lead = if sql.is_empty() { "" } else { " UNION ALL " };
            let _ = write!(sql, "{lead}SELECT {position}::bigint, count(*) FROM {name}");
        }
        let rows = session.query(&sql, &[]).await;
        for row in rows.map_err(|error| failure::failed("count the rows that are there", &error))? {
            let position = usize::try_from(row.get::<_, i64>(0)).unwrap_or(usize::MAX);
            counted.insert(position, u64::try_from(row.get::<_, i64>(1)).unwrap_or(0));
        }
    }
    Ok(counted)
}
