//! The tables that a run made: whether they are still there, and how they are dropped.
//!
//! Purpose: only what the run made is ever dropped. A table is known by its oid, not by its name. More
//! tables than the server has locks for are dropped in several transactions; the run is marked before,
//! so that nobody continues what is half gone.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::Oid;

use super::journal;
use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ident::qualified;

/// What is attempted here.
const REMOVE: &str = "remove what the earlier run left";

/// A table that a run made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Name.
    pub target: String,
    /// Its oid when it was made.
    pub relid: Oid,
    /// The oid of the table of that name now.
    pub now: Option<Oid>,
    /// False for a table that the run only fills: it is never dropped.
    pub is_ours: bool,
}

impl Made {
    /// Returns true when the table is still the one that was made.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.now == Some(self.relid)
    }
}

/// Reads the tables that a run made, and what is there now.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn of(session: &Session, run: i64) -> Result<Vec<Made>> {
    let rows = session
        .query(
            // A schema of an earlier version has no column made.
            "SELECT r.target, r.relid, c.oid, coalesce((to_jsonb(r) ->> 'made')::boolean, true) \
             FROM litelift.relation r \
             JOIN litelift.run u ON u.id = r.run \
             LEFT JOIN pg_namespace n ON n.nspname = u.schema \
             LEFT JOIN pg_class c ON c.relname = r.target AND c.relnamespace = n.oid \
             WHERE r.run = $1 ORDER BY r.number",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read the tables of the run", &error))?;
    Ok(rows
        .iter()
        .map(|row| Made {
            target: row.get(0),
            relid: row.get(1),
            now: row.get(2),
            is_ours: row.get(3),
        })
        .collect())
}

/// Returns the names that are free once the tables and types that a run made are dropped: theirs, and
/// those of the tables' indexes and sequences.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn names(session: &Session, run: i64, made: &[Made]) -> Result<BTreeSet<String>> {
    let ours = made.iter().filter(|table| table.is_ours && table.is_there());
    let oids: Vec<Oid> = ours.map(|table| table.relid).collect();
    let rows = session
        .query(
            "SELECT c.relname::text FROM pg_class c WHERE c.oid = ANY ($2) \
             OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($2)) \
             OR c.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass \
               AND refclassid = 'pg_class'::regclass AND refobjid = ANY ($2) \
               AND deptype IN ('a', 'i')) UNION \
             SELECT t.typname::text FROM litelift.run u \
             JOIN pg_type t ON t.oid = ANY (u.enum_types) WHERE u.id = $1",
            &[&run, &oids],
        )
        .await
        .map_err(|error| failure::failed("read the tables of the run", &error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Drops tables of a run until no more than `keep` are left, each batch in a transaction of its own.
///
/// # Errors
/// [`ErrorKind::TargetState`] naming what depends on them; [`ErrorKind::Target`].
pub async fn discard_most(
    session: &mut Session,
    run: i64,
    schema: &str,
    made: &mut Vec<Made>,
    keep: usize,
) -> Result<()> {
    if made.len() <= keep || keep == 0 {
        return Ok(());
    }
    let failed = |error: tokio_postgres::Error| failure::failed(REMOVE, &error);
    let sql = "UPDATE litelift.run SET state = 'discarding' WHERE id = $1";
    session.execute(sql, &[&run]).await.map_err(failed)?;
    drop_foreign_keys(session, made, keep).await.map_err(failed)?;
    while made.len() > keep {
        let batch = made.split_off(made.len() - keep.min(made.len() - keep));
        let names: Vec<&str> = batch.iter().map(|table| table.target.as_str()).collect();
        let transaction = session.transaction().await.map_err(failed)?;
        let dropped = async {
            drop_tables(&transaction, schema, &batch).await?;
            let sql = "DELETE FROM litelift.relation WHERE run = $1 AND target = ANY ($2)";
            transaction.execute(sql, &[&run, &names]).await?;
            transaction.commit().await
        };
        dropped
            .await
            .map_err(|error| refused_to_drop(&error, "Tables dropped before stay dropped."))?;
    }
    Ok(())
}

/// Foreign keys between two of the tables would stand in the way of dropping one before the other.
async fn drop_foreign_keys(
    session: &mut Session,
    made: &[Made],
    batch: usize,
) -> std::result::Result<(), tokio_postgres::Error> {
    let oids: Vec<Oid> =
        made.iter().filter(|table| table.is_there()).map(|table| table.relid).collect();
    let sql = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) \
               FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid \
               AND conrelid = ANY ($1) AND confrelid = ANY ($1)";
    let rows = session.query(sql, &[&oids]).await?;
    for rows in rows.chunks(batch) {
        let statements: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let transaction = session.transaction().await?;
        transaction.batch_execute(&statements.join("; ")).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn drop_tables(
    transaction: &Transaction<'_>,
    schema: &str,
    made: &[Made],
) -> std::result::Result<(), tokio_postgres::Error> {
    let there = made.iter().filter(|table| table.is_there() && table.is_ours);
    let drop: Vec<String> = there.map(|table| qualified(schema, &table.target)).collect();
    if drop.is_empty() {
        return Ok(());
    }
    // Together: foreign keys among them do not stand in the way.
    transaction.batch_execute(&format!("DROP TABLE {}", drop.join(", "))).await
}

/// Drops the views, tables and enum types that a run made, as far as they are still the same ones, and forgets the run.
/// Tables that others depend on are not dropped: the server then refuses.
///
/// # Errors
/// [`ErrorKind::TargetState`] naming what depends on them; [`ErrorKind::Target`].
pub async fn discard(
    transaction: &Transaction<'_>,
    run: i64,
    schema: &str,
    made: &[Made],
) -> Result<()> {
    let discarded = async {
        // By oid, the last one first, for it may select from the others.
        let views = "SELECT format('DROP VIEW %I.%I', n.nspname, c.relname) FROM litelift.step s \
                     JOIN litelift.run u ON u.id = s.run \
                     JOIN pg_class c ON c.oid::bigint = s.value AND c.relkind = 'v' \
                     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = u.schema \
                     WHERE s.run = $1 AND s.outcome = 'done' \
                     AND u.plan::json -> 'finish' -> s.number ->> 'phase' = 'views' \
                     ORDER BY s.number DESC";
        for row in transaction.query(views, &[&run]).await? {
            transaction.batch_execute(row.get(0)).await?;
        }
        drop_tables(transaction, schema, made).await?;
        // By oid: a type of that name that somebody made later is not ours.
        let types = "SELECT format('DROP TYPE %I.%I', n.nspname, t.typname) FROM litelift.run u \
                     JOIN pg_type t ON t.oid = ANY (u.enum_types) \
                     JOIN pg_namespace n ON n.oid = t.typnamespace WHERE u.id = $1";
        for row in transaction.query(types, &[&run]).await? {
            transaction.batch_execute(row.get(0)).await?;
        }
        Ok(())
    };
    let discarded: std::result::Result<(), tokio_postgres::Error> = discarded.await;
    discarded.map_err(|error| refused_to_drop(&error, "Nothing was changed."))?;
    journal::forget(transaction, run).await
}

fn refused_to_drop(error: &tokio_postgres::Error, state: &str) -> Error {
    match error.as_db_error() {
        Some(server) if *server.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST => {
            depended_on(server, state)
        }
        _ => failure::failed(REMOVE, error),
    }
}

/// Not the server's own hint: CASCADE would drop what is not ours.
fn depended_on(server: &DbError, state: &str) -> Error {
    Error::new(
        ErrorKind::TargetState,
        "--restart cannot drop the tables of the earlier run: other objects depend on them",
    )
    .detail(server.detail().unwrap_or_else(|| server.message()))
    .detail(state)
    .hint("Drop these objects yourself, or transfer into a schema of its own with --into NAME.")
}
