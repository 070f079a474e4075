//! Are the target's own objects as they were? And how they come back.
//!
//! Purpose: [`differences`] holds the catalogue against the journal after a transfer; [`restore`] brings
//! everything back after one that will not be continued.

use std::sync::Arc;

use deadpool_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use crate::checkpoint::journal::{self, Taken};
use crate::connect::{Session, Target, failure};
use crate::error::Result;
use crate::event::{Cancel, Event, Listener};
use crate::model::catalogue::JournalEntry;
use crate::model::orphans;
use crate::model::plan::TransferPlan;
use crate::report::NotAsBefore;

use super::sequences;

/// Reads how an object is now, in the form of its journal; `None`: it is not there.
async fn now(
    client: &impl GenericClient,
    entry: &JournalEntry,
) -> std::result::Result<Option<String>, tokio_postgres::Error> {
    let sql = match entry.object.as_str() {
        "foreign key" => {
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE conrelid = $1 AND conname = $2 AND contype = 'f'"
        }
        "index" => {
            "SELECT pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE i.indrelid = $1 AND c.relname = $2 AND i.indisvalid"
        }
        _ => {
            "SELECT tgenabled::text FROM pg_trigger \
             WHERE tgrelid = $1 AND tgname = $2 AND NOT tgisinternal"
        }
    };
    let row = client.query_opt(sql, &[&entry.relid, &entry.name]).await?;
    Ok(row.map(|row| row.get(0)))
}

fn failed(error: &tokio_postgres::Error) -> crate::error::Error {
    failure::failed("compare the target's objects with what they were", error)
}

fn not_as_before(entry: &JournalEntry, now: Option<String>, reason: Option<String>) -> NotAsBefore {
    NotAsBefore {
        object: entry.object.clone(),
        table: entry.table.clone(),
        name: entry.name.clone(),
        before: entry.definition.clone(),
        now,
        reason,
    }
}

/// Returns the objects of the journal that are not as they were, and the sequences that would give out
/// a value that a row has already.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn differences(session: &Session, plan: &TransferPlan) -> Result<Vec<NotAsBefore>> {
    let Some(fill) = &plan.fill else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in &fill.journal {
        let now = now(session, entry).await.map_err(|error| failed(&error))?;
        if now.as_ref() != Some(&entry.definition) {
            found.push(not_as_before(entry, now, None));
        }
    }
    for sequence in &fill.sequences {
        let Some(table) = plan.tables.get(sequence.table) else { continue };
        let next = sequences::behind(session, &plan.schema, &table.target, sequence).await;
        found.extend(next.map_err(|error| failed(&error))?.map(|next| NotAsBefore {
            object: "sequence".into(),
            table: table.target.clone(),
            name: sequence.name.clone(),
            before: String::new(),
            now: Some(next),
            reason: Some("its next value is one that a row has already".into()),
        }));
    }
    Ok(found)
}

/// Brings back what earlier runs took away, and forgets the runs of which all is back.
///
/// Rows that they copied stay where they are. Returns what was brought back, and what could not be.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`]; interrupted. What was done before the error stays done.
pub async fn restore(
    target: &Target,
    taken: &[Taken],
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<(Vec<JournalEntry>, Vec<NotAsBefore>)> {
    let mut session = target.session().await?;
    let (mut back, mut left, mut open_runs) = (Vec::new(), Vec::new(), Vec::new());
    for Taken { run, entry } in taken {
        cancel.check()?;
        listener.on(Event::StepStarted { object: entry.object.clone(), name: entry.name.clone() });
        match bring_back(&mut session, entry).await? {
            None => back.push(entry.clone()),
            Some(different) => {
                open_runs.push(*run);
                left.push(different);
            }
        }
    }
    let mut runs: Vec<i64> = taken.iter().map(|one| one.run).collect();
    runs.dedup();
    for run in runs.into_iter().filter(|run| !open_runs.contains(run)) {
        let write = |error| failure::failed("close the journal", &error);
        let transaction = session.transaction().await.map_err(write)?;
        journal::forget(&transaction, run).await?;
        transaction.commit().await.map_err(write)?;
    }
    Ok((back, left))
}

/// Makes one object as it was; returns how it differs when that is not possible.
async fn bring_back(session: &mut Session, entry: &JournalEntry) -> Result<Option<NotAsBefore>> {
    let before = now(session, entry).await.map_err(|error| failed(&error))?;
    if before.as_ref() == Some(&entry.definition) {
        return Ok(None);
    }
    let mut reason = None;
    // A key that is there but NOT VALID wants only its validation.
    if before.is_none() || entry.object == "trigger" {
        reason = attempt(session, entry, &entry.restore).await?;
    }
    if let (None, Some(validate)) = (&reason, &entry.validate) {
        reason = attempt(session, entry, validate).await?;
    }
    let after = now(session, entry).await.map_err(|error| failed(&error))?;
    if after.as_ref() == Some(&entry.definition) {
        return Ok(None);
    }
    Ok(Some(not_as_before(entry, after, reason)))
}

/// Runs a statement in a transaction of its own; returns the server's refusal.
async fn attempt(session: &mut Session, entry: &JournalEntry, sql: &str) -> Result<Option<String>> {
    let what = || format!("bring {} \"{}\" back", entry.object, entry.name.escape_debug());
    let done = async {
        let transaction = session.transaction().await?;
        transaction.batch_execute(sql).await?;
        transaction.commit().await
    };
    let Err(error) = done.await else { return Ok(None) };
    if !failure::is_refusal(&error) {
        return Err(failure::failed(&what(), &error));
    }
    let mut reason = error.as_db_error().map(failure::in_one_line).unwrap_or_default();
    if let (Some(orphans), Some(&SqlState::FOREIGN_KEY_VIOLATION)) = (&entry.orphans, error.code())
    {
        let row = session.query_one(orphans.as_str(), &[]).await;
        if let Ok(row) = row {
            let rows = row.get::<_, i64>(0).unsigned_abs();
            reason = format!("{}; {reason}", orphans::told(rows));
        }
    }
    Ok(Some(reason))
}
