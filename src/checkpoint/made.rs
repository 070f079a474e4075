//! The tables that a run made: whether they are still there, and how they are dropped.
//!
//! Purpose: only what the run made is ever dropped. A table is known by its oid, not by its name.

use deadpool_postgres::Transaction;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::Oid;

use super::journal;
use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ident::qualified;

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

/// Drops the tables and enum types that a run made, as far as they are still the same ones, and forgets the run.
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
    let drop: Vec<String> = made
        .iter()
        .filter(|table| table.is_there() && table.is_ours)
        .map(|table| qualified(schema, &table.target))
        .collect();
    // Forgetting the run would be forgetting how its tables were.
    let taken = journal::taken(transaction, Some(run)).await?;
    if !taken.is_empty() {
        return Err(journal::not_restored(&taken));
    }
    let discarded = async {
        if !drop.is_empty() {
            // Together: foreign keys among them do not stand in the way.
            transaction.batch_execute(&format!("DROP TABLE {}", drop.join(", "))).await?;
        }
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
    discarded.map_err(|error| match error.as_db_error() {
        Some(server) if *server.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST => {
            depended_on(server)
        }
        _ => failure::failed("remove what the earlier run left", &error),
    })?;
    journal::forget(transaction, run).await
}

/// Not the server's own hint: CASCADE would drop what is not ours.
fn depended_on(server: &DbError) -> Error {
    Error::new(
        ErrorKind::TargetState,
        "--restart cannot drop the tables of the earlier run: other objects depend on them",
    )
    .detail(server.detail().unwrap_or_else(|| server.message()))
    .detail("Nothing was changed.")
    .hint("Drop these objects yourself, or transfer into a schema of its own with --into NAME.")
}
