//! Making the tables of a run, so many in one transaction as the server has locks for.
//!
//! Purpose: each table is written down in the transaction that makes it, so that a run that stopped in
//! between knows which are missing. A table whose defaults the server refuses is made without them, and
//! they are tried one by one.
//!
//! Every new table holds locks until the end of its transaction: its own, its sequence's, those of its
//! TOAST table and index. The server has `max_locks_per_transaction` times its sessions in all (6,400
//! by default): 20,000 tables in one transaction end in "out of shared memory".

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::types::Oid;

use crate::connect::{Session, failure};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::model::plan::{OptionalClause, TablePlan, TransferPlan};

/// Locks that one table may need, keys and indexes included when it is dropped.
const LOCKS_PER_TABLE: i64 = 16;
/// Bounds of what is done in one transaction: each costs a commit, and nobody profits beyond.
const BATCH_MIN: i64 = 4;
const BATCH_MAX: i64 = 1_000;

/// A part of a table that the server refused when it was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefusedClause {
    /// The clause.
    pub clause: OptionalClause,
    /// The server's message.
    pub message: String,
}

/// Returns how many tables may be made, dropped or read in one transaction.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn batch(session: &Session) -> Result<usize> {
    let row = session
        .query_one(
            "SELECT current_setting('max_locks_per_transaction')::bigint * \
             (current_setting('max_connections')::bigint \
              + current_setting('max_prepared_transactions')::bigint)",
            &[],
        )
        .await
        .map_err(|error| failure::failed("read the server's settings", &error))?;
    let tables = row.get::<_, i64>(0) / LOCKS_PER_TABLE;
    Ok(usize::try_from(tables.clamp(BATCH_MIN, BATCH_MAX)).unwrap_or(1))
}

/// Returns the positions of the plan's tables that the run has not made yet.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn missing(session: &Session, run: i64, plan: &TransferPlan) -> Result<Vec<usize>> {
    let rows = session
        .query("SELECT number FROM litelift.relation WHERE run = $1", &[&run])
        .await
        .map_err(|error| failure::failed("read the tables of the run", &error))?;
    let made: std::collections::HashSet<usize> =
        rows.iter().filter_map(|row| usize::try_from(row.get::<_, i32>(0)).ok()).collect();
    Ok((0..plan.tables.len()).filter(|position| !made.contains(position)).collect())
}

/// Makes tables of a plan, by their positions in it, and writes them down.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`] when the server refuses a table even without its defaults.
pub async fn make(
    transaction: &mut Transaction<'_>,
    run: i64,
    plan: &TransferPlan,
    positions: &[usize],
) -> Result<()> {
    let mut refused = Vec::with_capacity(positions.len());
    for position in positions {
        let clauses = make_one(transaction, &plan.tables[*position]).await?;
        let text = serde_json::to_string(&clauses)
            .map_err(|error| Error::target("could not write down a refusal").caused_by(error))?;
        refused.push(text);
    }
    let of = |name: fn(&TablePlan) -> &str| -> Vec<&str> {
        positions.iter().map(|position| name(&plan.tables[*position])).collect()
    };
    let numbers: Vec<i32> =
        positions.iter().map(|position| i32::try_from(*position).unwrap_or(i32::MAX)).collect();
    // The oid says later whether a table of that name is still the one that we made.
    transaction
        .execute(
            "INSERT INTO litelift.relation (run, number, source, target, refused, relid) \
             SELECT $1, t.number, t.source, t.target, t.refused, c.oid \
             FROM unnest($2::int[], $3::text[], $4::text[], $5::text[]) \
             AS t (number, source, target, refused) \
             JOIN pg_class c ON c.relname = t.target \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $6",
            &[
                &run,
                &numbers,
                &of(|table| &table.source),
                &of(|table| &table.target),
                &refused,
                &plan.schema,
            ],
        )
        .await
        .map_err(|error| failure::failed("write down the tables", &error))?;
    Ok(())
}

/// Makes tables of a plan, by their positions in it, without writing them down in the target. Returns
/// what the server refused of them.
///
/// # Errors
/// As [`make`].
pub async fn make_only(
    transaction: &mut Transaction<'_>,
    plan: &TransferPlan,
    positions: &[usize],
) -> Result<Vec<(usize, RefusedClause)>> {
    let mut refused = Vec::new();
    for position in positions {
        let clauses = make_one(transaction, &plan.tables[*position]).await?;
        refused.extend(clauses.into_iter().map(|clause| (*position, clause)));
    }
    Ok(refused)
}

/// Returns the oids of a plan's tables, by their positions; 0: there is none of that name.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn oids(client: &impl GenericClient, plan: &TransferPlan) -> Result<Vec<Oid>> {
    let names: Vec<&str> = plan.tables.iter().map(|table| table.target.as_str()).collect();
    let rows = client
        .query(
            "SELECT coalesce(c.oid, 0::oid) FROM unnest($1::text[]) WITH ORDINALITY AS t (name, at) \
             LEFT JOIN pg_namespace n ON n.nspname = $2 \
             LEFT JOIN pg_class c ON c.relname = t.name AND c.relnamespace = n.oid ORDER BY t.at",
            &[&names, &plan.schema],
        )
        .await
        .map_err(|error| failure::failed("look at the tables of the run", &error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Writes down the tables that a run fills and did not make.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn note_filled(
    transaction: &Transaction<'_>,
    run: i64,
    plan: &TransferPlan,
) -> Result<()> {
    let filled = || plan.tables.iter().enumerate().filter(|(_, table)| !table.is_made());
    let of = |name: fn(&TablePlan) -> &str| -> Vec<&str> {
        filled().map(|(_, table)| name(table)).collect()
    };
    let numbers: Vec<i32> =
        filled().map(|(position, _)| i32::try_from(position).unwrap_or(i32::MAX)).collect();
    let noted = transaction
        .execute(
            "INSERT INTO litelift.relation (run, number, source, target, relid, made) \
             SELECT $1, t.number, t.source, t.target, c.oid, false \
             FROM unnest($2::text[], $3::text[], $5::int[]) AS t (source, target, number) \
             JOIN pg_class c ON c.relname = t.target \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $4",
            &[&run, &of(|table| &table.source), &of(|table| &table.target), &plan.schema, &numbers],
        )
        .await;
    noted.map(|_| ()).map_err(|error| failure::failed("write down the tables", &error))
}

/// Makes one table; returns what of it the server refused.
async fn make_one(
    transaction: &mut Transaction<'_>,
    table: &TablePlan,
) -> Result<Vec<RefusedClause>> {
    let failed = |error: &tokio_postgres::Error| {
        let what = format!("create table \"{}\"", table.target.escape_debug());
        failure::failed(&what, error)
    };
    let Some(bare) = &table.bare else {
        // Nothing can be left out.
        transaction.batch_execute(&table.create).await.map_err(|error| failed(&error))?;
        return Ok(Vec::new());
    };
    match attempt(transaction, &table.create).await {
        Ok(()) => return Ok(Vec::new()),
        Err(error) if failure::is_refusal(&error) => {}
        Err(error) => return Err(failed(&error)),
    }
    transaction.batch_execute(bare).await.map_err(|error| failed(&error))?;
    let mut refused = Vec::new();
    for clause in &table.optional {
        match attempt(transaction, &clause.sql).await {
            Ok(()) => {}
            Err(error) if failure::is_refusal(&error) => refused.push(RefusedClause {
                clause: clause.clone(),
                message: error.as_db_error().map(failure::in_one_line).unwrap_or_default(),
            }),
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(refused)
}

/// Runs a statement that may be refused without harm to the rest.
async fn attempt(
    transaction: &mut Transaction<'_>,
    sql: &str,
) -> std::result::Result<(), tokio_postgres::Error> {
    let savepoint = transaction.transaction().await?;
    match savepoint.batch_execute(sql).await {
        Ok(()) => savepoint.commit().await,
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    }
}

/// Makes the tables that are missing, in as many transactions as it takes.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`]; interrupted. What was made is written down.
pub async fn make_missing(
    session: &mut Session,
    run: i64,
    plan: &TransferPlan,
    missing: &[usize],
    cancel: &Cancel,
) -> Result<()> {
    let begin = |error| failure::failed("create the tables", &error);
    let batch = batch(session).await?;
    for positions in missing.chunks(batch) {
        cancel.check()?;
        let mut transaction = session.transaction().await.map_err(begin)?;
        make(&mut transaction, run, plan, positions).await?;
        transaction.commit().await.map_err(begin)?;
    }
    Ok(())
}

/// Reads what the server refused of the tables of a run, by the table's position in the plan.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn refused(session: &Session, run: i64) -> Result<Vec<(usize, RefusedClause)>> {
    let rows = session
        .query(
            "SELECT number, refused FROM litelift.relation WHERE run = $1 AND refused <> '[]' \
             ORDER BY number",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read the tables of the run", &error))?;
    let mut all = Vec::new();
    for row in rows {
        let table = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
        let clauses: Vec<RefusedClause> = serde_json::from_str(row.get(1))
            .map_err(|error| Error::target("could not read a refusal").caused_by(error))?;
        all.extend(clauses.into_iter().map(|clause| (table, clause)));
    }
    Ok(all)
}
