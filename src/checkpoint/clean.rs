//! Removing the bookkeeping: `litelift clean`.
//!
//! Purpose: tables that hold nothing but what a transfer needs to go on are in the way once none is to.
//! What would be lost with them is refused, or (`--force`) printed: a transfer that is not done, and
//! definitions of objects that are not back. Tables with the user's rows are never touched.
//!
//! Known gaps: a run of `--checkpoint FILE` is forgotten by deleting the file.

use serde::Serialize;
use tokio_postgres::error::SqlState;

use crate::connect::{Session, Target, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Listener};
use crate::model::catalogue::JournalEntry;
use crate::model::ident::qualified;
use crate::report::REPORT_VERSION;

use super::lock::{self, Patience};
use super::{journal, store};

/// What is attempted here.
const REMOVE: &str = "remove the bookkeeping";
/// Sessions: one for each schema that is locked.
const SESSIONS_MAX: usize = 64;

/// What to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanOptions {
    /// URL of the target.
    pub to: String,
    /// One transfer; `None`: all, and the schema.
    pub run: Option<i64>,
    /// Remove nothing, say what would be.
    pub dry_run: bool,
    /// Also what is still needed.
    pub force: bool,
}

/// The document of `litelift clean`.
#[derive(Debug, Clone, Serialize)]
pub struct CleanReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Host, port, database, user: never the password.
    pub target: String,
    /// True when nothing was removed (`--dry-run`).
    pub dry_run: bool,
    /// Transfers that were forgotten.
    pub runs: Vec<CleanedRun>,
    /// Tables that were dropped, all of schema litelift.
    pub tables: Vec<String>,
    /// Whether schema litelift was dropped.
    pub schema_removed: bool,
    /// Why it was not, and what else is in it, as the server describes it.
    pub kept: Vec<String>,
    /// Objects of the target's own that are not back, with the statements that nobody has any more.
    pub lost: Vec<JournalEntry>,
}

/// A transfer that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanedRun {
    /// Id.
    pub run: i64,
    /// The file.
    pub source: String,
    /// Schema in the target.
    pub schema: String,
    /// Whether it was done.
    pub was_done: bool,
}

/// `litelift clean`.
///
/// # Errors
/// [`ErrorKind::TargetState`] when something of it is still needed, or others depend on it;
/// [`ErrorKind::Locked`] while a litelift is at work; [`ErrorKind::Usage`] when there is no such run;
/// [`ErrorKind::Target`]; interrupted.
pub async fn run(
    options: &CleanOptions,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<CleanReport> {
    let target = Target::open(&options.to, SESSIONS_MAX, cancel).await?;
    let work = Box::pin(clean(&target, options, listener, cancel));
    target.until_cancelled(cancel, work).await
}

async fn clean(
    target: &Target,
    options: &CleanOptions,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<CleanReport> {
    let mut report = CleanReport {
        version: REPORT_VERSION,
        target: target.shown.clone(),
        dry_run: options.dry_run,
        runs: Vec::new(),
        tables: Vec::new(),
        schema_removed: false,
        kept: Vec::new(),
        lost: Vec::new(),
    };
    let session = target.session().await?;
    let is_there = store::exists(&session).await?;
    if is_there {
        report.runs = runs(&session, options.run).await?;
    }
    if let Some(run) = options.run.filter(|_| report.runs.is_empty()) {
        return Err(Error::usage(format!("no transfer {run} is known there"))
            .hint("`litelift status` lists them."));
    }
    if !has_schema(&session).await? {
        return Ok(report);
    }
    let mut locks = Vec::new();
    let schemas: std::collections::BTreeSet<String> =
        report.runs.iter().map(|run| run.schema.clone()).collect();
    for schema in &schemas {
        let patience = Patience { wait: std::time::Duration::ZERO, takeover: false };
        locks.push(lock::take_for(target, schema, patience, listener, cancel).await?);
    }
    if is_there {
        // Under the locks: a run may have been done meanwhile.
        report.runs = runs(&session, options.run).await?;
    }
    report.lost =
        journal::taken(&session, options.run).await?.into_iter().map(|taken| taken.entry).collect();
    if !options.force {
        refuse_needed(&report)?;
    }
    let mut session = session;
    match options.run {
        Some(run) => forget(&mut session, run, options.dry_run).await?,
        None => remove(&mut session, &mut report).await?,
    }
    Ok(report)
}

async fn has_schema(session: &Session) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'litelift')";
    let row = session.query_one(sql, &[]).await;
    Ok(row.map_err(|error| failure::failed("look for schema litelift", &error))?.get(0))
}

async fn runs(session: &Session, run: Option<i64>) -> Result<Vec<CleanedRun>> {
    let sql = "SELECT id, source, schema, state = 'done' FROM litelift.run \
               WHERE id = coalesce($1, id) ORDER BY id";
    let rows = session.query(sql, &[&run]).await;
    let rows = rows.map_err(|error| failure::failed("read the transfers", &error))?;
    let run = |row: &tokio_postgres::Row| CleanedRun {
        run: row.get(0),
        source: row.get(1),
        schema: row.get(2),
        was_done: row.get(3),
    };
    Ok(rows.iter().map(run).collect())
}

/// Refuses what would lose something.
fn refuse_needed(report: &CleanReport) -> Result<()> {
    let open: Vec<String> = report
        .runs
        .iter()
        .filter(|run| !run.was_done)
        .map(|run| {
            format!("Transfer {} of \"{}\" is not done.", run.run, run.source.escape_debug())
        })
        .collect();
    let lost = report.lost.iter().map(|entry| {
        format!(
            "The {} \"{}\" of \"{}\" was taken away and is not back.",
            entry.object,
            entry.name.escape_debug(),
            entry.table.escape_debug()
        )
    });
    let (is_open, is_lost) = (!open.is_empty(), !report.lost.is_empty());
    if !is_open && !is_lost {
        return Ok(());
    }
    let mut error =
        Error::new(ErrorKind::TargetState, "the bookkeeping is still needed; nothing was removed");
    for line in open.into_iter().chain(lost) {
        error = error.detail(line);
    }
    if is_open {
        error = error.hint("Run the transfer's own command again to complete it.");
    }
    if is_lost {
        error = error.hint("`litelift restore-constraints` brings back what was taken away.");
    }
    Err(error.hint("To lose it all the same: --force. Tables that were not done stay as they are, and no later transfer will fill them."))
}

/// Forgets one transfer; the others stay.
async fn forget(session: &mut Session, run: i64, dry_run: bool) -> Result<()> {
    let failed = |error| failure::failed(REMOVE, &error);
    let transaction = session.transaction().await.map_err(failed)?;
    journal::forget(&transaction, run).await?;
    if dry_run { transaction.rollback().await } else { transaction.commit().await }.map_err(failed)
}

/// Drops the tables that [`store::prepare`] makes, and the schema when nothing else is in it.
async fn remove(session: &mut Session, report: &mut CleanReport) -> Result<()> {
    let failed = |error: tokio_postgres::Error| refused(&error);
    let transaction = session.transaction().await.map_err(failed)?;
    // As store::prepare: nobody makes the tables while they are dropped.
    transaction
        .batch_execute("SELECT pg_advisory_xact_lock(1818850405, 0)")
        .await
        .map_err(failed)?;
    let ours = store::table_names();
    let tables = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE n.nspname = 'litelift' AND c.relkind = 'r' AND c.relname = ANY ($1) ORDER BY 1";
    let rows = transaction.query(tables, &[&ours]).await.map_err(failed)?;
    report.tables = rows.iter().map(|row| row.get(0)).collect();
    if !report.tables.is_empty() {
        let names: Vec<String> =
            report.tables.iter().map(|table| qualified("litelift", table)).collect();
        // Not CASCADE: it would drop what is not ours.
        let drop = format!("DROP TABLE {}", names.join(", "));
        transaction.batch_execute(&drop).await.map_err(failed)?;
    }
    let left = "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d \
                WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n' AND d.refobjid = \
                (SELECT oid FROM pg_namespace WHERE nspname = 'litelift') ORDER BY 1";
    let rows = transaction.query(left, &[]).await.map_err(failed)?;
    report.kept = rows.iter().map(|row| row.get(0)).collect();
    let owned = "SELECT pg_has_role(nspowner, 'USAGE'), pg_get_userbyid(nspowner)::text \
                 FROM pg_namespace WHERE nspname = 'litelift'";
    let row = transaction.query_one(owned, &[]).await.map_err(failed)?;
    if !row.get::<_, bool>(0) {
        let owner: String = row.get(1);
        report.kept.push(format!("schema litelift itself: it belongs to {owner}"));
    }
    if report.kept.is_empty() {
        transaction.batch_execute("DROP SCHEMA litelift").await.map_err(failed)?;
        report.schema_removed = true;
    }
    let ended =
        if report.dry_run { transaction.rollback().await } else { transaction.commit().await };
    ended.map_err(failed)
}

fn refused(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(server) if *server.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST => Error::new(
            ErrorKind::TargetState,
            "other objects depend on the bookkeeping; nothing was removed",
        )
        .detail(server.detail().unwrap_or_else(|| server.message()))
        .hint("Drop these objects yourself, then run the same command again."),
        Some(server) if *server.code() == SqlState::INSUFFICIENT_PRIVILEGE => Error::target(
            format!("could not {REMOVE}: {}", server.message()),
        )
        .hint("Connect as the role that owns schema litelift and its tables, or as a superuser."),
        _ => failure::failed(REMOVE, error),
    }
}
