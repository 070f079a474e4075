//! What was taken away from the target's own tables, and is not back yet.
//!
//! Purpose: written in the transaction that takes it away, before it does. As long as a row here has no
//! `restored_at`, its object may be missing; `transfer` brings it back when it finishes,
//! `litelift restore-constraints` at any time.

use deadpool_postgres::{GenericClient, Transaction};

use crate::connect::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::model::catalogue::JournalEntry;

use super::store;

/// Objects that a run took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The run.
    pub run: i64,
    /// The object.
    pub entry: JournalEntry,
}

/// Writes down what a run is about to take away.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn write(
    transaction: &Transaction<'_>,
    run: i64,
    entries: &[JournalEntry],
) -> Result<()> {
    // One statement, however many there are.
    let texts = |of: fn(&JournalEntry) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
    let maybe = |of: fn(&JournalEntry) -> Option<&str>| entries.iter().map(of).collect::<Vec<_>>();
    let relids: Vec<u32> = entries.iter().map(|entry| entry.relid).collect();
    let parents: Vec<Option<u32>> = entries.iter().map(|entry| entry.parent_relid).collect();
    let written = transaction
        .execute(
            "INSERT INTO litelift.journal (run, number, object, schema, relation, relid, name, \
             parent_relid, definition, drop_sql, restore_sql, validate_sql, orphans_sql) \
             SELECT $1, e.number - 1, e.object, e.schema, e.relation, e.relid, e.name, e.parent, \
             e.definition, e.drop_sql, e.restore_sql, e.validate_sql, e.orphans_sql \
             FROM unnest($2::text[], $3::text[], $4::text[], $5::oid[], $6::text[], $7::oid[], \
             $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]) WITH ORDINALITY \
             AS e (object, schema, relation, relid, name, parent, definition, drop_sql, restore_sql, \
             validate_sql, orphans_sql, number)",
            &[
                &run,
                &texts(|entry| &entry.object),
                &texts(|entry| &entry.schema),
                &texts(|entry| &entry.table),
                &relids,
                &texts(|entry| &entry.name),
                &parents,
                &texts(|entry| &entry.definition),
                &texts(|entry| &entry.drop),
                &texts(|entry| &entry.restore),
                &maybe(|entry| entry.validate.as_deref()),
                &maybe(|entry| entry.orphans.as_deref()),
            ],
        )
        .await;
    written.map(|_| ()).map_err(|error| failure::failed("write the journal", &error))
}

/// Reads what is not back yet: of one run, or of all. What belonged to a table that is gone is history.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn taken(client: &impl GenericClient, run: Option<i64>) -> Result<Vec<Taken>> {
    let failed = |error| failure::failed("read the journal", &error);
    if !store::exists(client).await? || !has_journal(client).await.map_err(failed)? {
        return Ok(Vec::new());
    }
    let rows = client
        .query(
            "SELECT j.run, j.object, j.schema, j.relation, j.relid, j.name, j.parent_relid, \
             j.definition, j.drop_sql, j.restore_sql, j.validate_sql, j.orphans_sql FROM litelift.journal j \
             JOIN pg_class c ON c.oid = j.relid \
             WHERE j.restored_at IS NULL AND j.run = coalesce($1, j.run) ORDER BY j.run, j.number",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read the journal", &error))?;
    let taken = rows.iter().map(|row| Taken {
        run: row.get(0),
        entry: JournalEntry {
            object: row.get(1),
            schema: row.get(2),
            table: row.get(3),
            relid: row.get(4),
            name: row.get(5),
            parent_relid: row.get(6),
            definition: row.get(7),
            drop: row.get(8),
            restore: row.get(9),
            validate: row.get(10),
            orphans: row.get(11),
        },
    });
    Ok(taken.collect())
}

async fn has_journal(
    client: &impl GenericClient,
) -> std::result::Result<bool, tokio_postgres::Error> {
    let row = client.query_one("SELECT to_regclass('litelift.journal') IS NOT NULL", &[]).await?;
    Ok(row.get(0))
}

/// Marks everything of a run as brought back.
///
/// # Errors
/// What the server says.
pub(super) async fn close(
    client: &impl GenericClient,
    run: i64,
) -> std::result::Result<(), tokio_postgres::Error> {
    let sql = "UPDATE litelift.journal SET restored_at = now() \
               WHERE run = $1 AND restored_at IS NULL";
    // A run that began before there was a journal took nothing away.
    if has_journal(client).await? {
        client.execute(sql, &[&run]).await?;
    }
    Ok(())
}

/// Forgets a run that another one takes the place of, with its journal; the tables stay.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn forget(client: &impl GenericClient, run: i64) -> Result<()> {
    let forget = async {
        if has_journal(client).await? {
            client.execute("DELETE FROM litelift.journal WHERE run = $1", &[&run]).await?;
        }
        client.execute("DELETE FROM litelift.run WHERE id = $1", &[&run]).await
    };
    forget.await.map(|_| ()).map_err(|error| failure::failed("forget the earlier run", &error))
}

/// The error of a command that would lose what an earlier one wrote down.
#[must_use]
pub fn not_restored(taken: &[Taken]) -> Error {
    const SHOWN_MAX: usize = 8;
    let mut names: Vec<String> = taken
        .iter()
        .take(SHOWN_MAX)
        .map(|one| {
            let entry = &one.entry;
            format!(
                "{} \"{}\" of \"{}\"",
                entry.object,
                entry.name.escape_debug(),
                entry.table.escape_debug()
            )
        })
        .collect();
    if taken.len() > SHOWN_MAX {
        names.push(format!("and {} more", taken.len() - SHOWN_MAX));
    }
    Error::new(
        ErrorKind::TargetState,
        "an earlier transfer with --data-only took objects away that are not back yet",
    )
    .detail(format!("They are {}.", names.join(", ")))
    .hint("`litelift restore-constraints --to URL` brings them back; or continue that transfer by its own command.")
}
