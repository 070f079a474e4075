//! The tables of schema `litelift`.
//!
//! Purpose: what stands here is read by the next run, by `verify`, and by a curious user in psql. A
//! change of meaning raises [`FORMAT`]; a run of another format is refused, not guessed at.

use std::collections::BTreeMap;

use deadpool_postgres::{GenericClient, Transaction};
use serde::{Deserialize, Serialize};
use tokio_postgres::error::SqlState;

use crate::connect::{Session, failure};
use crate::encode::range_hash;
use crate::error::{Error, ErrorKind, Result};
use crate::model::evidence::Span;
use crate::model::ident::{qualified, quoted};
use crate::model::mark::Mark;
use crate::model::merge::Merged;
use crate::model::plan::{RangePlan, TransferPlan};
use crate::model::range_sums::Sums;

use super::fingerprint::Fingerprint;
use super::{journal, resent, rights, tables};

/// Version of these tables and of the plan that a run keeps.
pub const FORMAT: i32 = 2;

/// Makes the tables; under the lock of all litelifts of the database.
const CREATE: &str = include_str!("create.sql");

/// A run as it is kept.
#[derive(Debug, Clone)]
pub struct Run {
    /// Id.
    pub id: i64,
    /// True when everything was done.
    pub done: bool,
    /// When it ended, as the server prints it.
    pub finished_at: Option<String>,
    /// Version of litelift that began it.
    pub tool: String,
    /// What it began with.
    pub fingerprint: Fingerprint,
    /// The plan.
    pub plan: TransferPlan,
}

/// How a finishing step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepOutcome {
    /// Done.
    Done {
        /// The number that it returned: the next id of a sequence.
        value: Option<i64>,
    },
    /// The server refused it.
    Refused {
        /// The server's message.
        message: String,
    },
    /// A foreign key that stays NOT VALID.
    Orphans {
        /// Rows without a parent.
        rows: i64,
        /// The first keys that have none, as JSON: an array of strings.
        keys: String,
    },
}

/// Returns whether the tables of schema `litelift` are there.
///
/// # Errors
/// [`ErrorKind::Target`]; also when this role may not read them.
pub async fn exists(client: &impl GenericClient) -> Result<bool> {
    match bookkeeping(client).await? {
        Bookkeeping::Absent => Ok(false),
        Bookkeeping::Readable => Ok(true),
        Bookkeeping::Closed { owner, role } => Err(Error::target(
            "schema litelift, which holds the checkpoints, was made by another role",
        )
        .detail(format!(
            "It belongs to \"{}\", and this role may not use it.",
            owner.escape_debug()
        ))
        .hint("Connect as that role, or drop the schema: it is only needed to continue a transfer.")
        .hint(format!(
            "Or, as that role or a superuser: GRANT USAGE ON SCHEMA litelift TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA litelift TO {role};",
            role = quoted(&role)
        ))),
    }
}

/// Returns what lets a role look at transfers.
pub(super) fn grant_to_read(role: &str) -> String {
    let role = quoted(role);
    format!(
        "GRANT USAGE ON SCHEMA litelift TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA litelift TO {role};"
    )
}

/// Returns whether there is bookkeeping that this role may read.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn is_readable(client: &impl GenericClient) -> Result<bool> {
    Ok(matches!(bookkeeping(client).await?, Bookkeeping::Readable))
}

/// What this role can do with the bookkeeping.
pub(super) enum Bookkeeping {
    Absent,
    Readable,
    Closed { owner: String, role: String },
}

pub(super) async fn bookkeeping(client: &impl GenericClient) -> Result<Bookkeeping> {
    // The tables are made in one transaction, so one of them stands for all.
    let sql = "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), \
               pg_get_userbyid(n.nspowner)::text, current_user::text \
               FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid \
               WHERE n.nspname = 'litelift' AND c.relname = 'step'";
    let row = client
        .query_opt(sql, &[])
        .await
        .map_err(|error| failure::failed("look for schema litelift", &error))?;
    Ok(match row {
        None => Bookkeeping::Absent,
        Some(row) if row.get(0) => Bookkeeping::Readable,
        Some(row) => Bookkeeping::Closed { owner: row.get(1), role: row.get(2) },
    })
}

/// Makes schema `litelift` where it is not there yet.
///
/// # Errors
/// [`ErrorKind::Target`]; for a role without the right to it, with the grant that it needs.
pub async fn prepare(transaction: &Transaction<'_>) -> Result<()> {
    if exists(transaction).await? && is_complete(transaction).await? {
        return Ok(());
    }
    let made = async {
        // Two first runs at once would both see no schema: the second waits here, then finds it.
        transaction.batch_execute("SELECT pg_advisory_xact_lock(1818850405, 0)").await?;
        let sql = "SELECT FROM pg_namespace WHERE nspname = 'litelift'";
        // Not IF NOT EXISTS: it would ask for the right to make the schema that somebody made for us.
        if transaction.query_opt(sql, &[]).await?.is_none() {
            transaction.batch_execute("CREATE SCHEMA litelift").await?;
        }
        transaction.batch_execute(CREATE).await
    };
    made.await.map_err(|error| {
        let is_right = error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE);
        let error = failure::failed("create schema litelift for the checkpoints", &error);
        if is_right { error.hint(rights::WITHOUT) } else { error }
    })
}

/// Returns the names of the tables that schema `litelift` has.
#[must_use]
pub(super) fn table_names() -> Vec<&'static str> {
    let made = CREATE.split("create table if not exists litelift.").skip(1);
    made.filter_map(|text| text.split_whitespace().next()).collect()
}

/// Returns whether schema `litelift` has every table and column: one of an earlier version lacks some.
async fn is_complete(transaction: &Transaction<'_>) -> Result<bool> {
    let sql = "SELECT count(*) = 5 FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid \
               LEFT JOIN pg_attribute a ON a.attrelid = c.oid \
               AND a.attname IN ('refused', 'inserted', 'hash_version') \
               WHERE n.nspname = 'litelift' AND (c.relname IN ('resent', 'journal') \
               OR (c.relname IN ('relation', 'range') AND a.attname IS NOT NULL))";
    let found = transaction.query_one(sql, &[]).await;
    found.map(|row| row.get(0)).map_err(|error| failure::failed("look for schema litelift", &error))
}

/// Returns whether somebody began to remove what a run made.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn is_discarding(session: &Session, run: i64) -> Result<bool> {
    let row = session
        .query_one("SELECT state = 'discarding' FROM litelift.run WHERE id = $1", &[&run])
        .await
        .map_err(|error| failure::failed("read an earlier run", &error))?;
    Ok(row.get(0))
}

/// Finds the newest run of a source file into a schema; of any file when none is given.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn find_id(session: &Session, source: Option<&str>, schema: &str) -> Result<Option<i64>> {
    if !exists(session).await? {
        return Ok(None);
    }
    let row = session
        .query_one(
            "SELECT max(id) FROM litelift.run \
             WHERE source = coalesce($1, source) AND schema = $2",
            &[&source, &schema],
        )
        .await
        .map_err(|error| failure::failed("look for earlier runs", &error))?;
    Ok(row.get(0))
}

/// Returns the path of the file that a run reads.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn source_of(session: &Session, run: i64) -> Result<String> {
    let row = session.query_one("SELECT source FROM litelift.run WHERE id = $1", &[&run]).await;
    Ok(row.map_err(|error| failure::failed("read an earlier run", &error))?.get(0))
}

/// Finds and reads the newest run as [`find_id`] does, but `None` when this role may not see it.
///
/// # Errors
/// As [`find_id`] and [`load`].
pub async fn find(session: &Session, source: Option<&str>, schema: &str) -> Result<Option<Run>> {
    if matches!(bookkeeping(session).await?, Bookkeeping::Closed { .. }) {
        return Ok(None);
    }
    match find_id(session, source, schema).await? {
        Some(run) => load(session, run).await.map(Some),
        None => Ok(None),
    }
}

/// Reads what is kept of a run.
///
/// # Errors
/// [`ErrorKind::Target`]; [`ErrorKind::Changed`] when another format wrote it.
pub async fn load(session: &Session, run: i64) -> Result<Run> {
    let row = session
        .query_one(
            "SELECT format, tool, state, fingerprint, plan, finished_at::text \
             FROM litelift.run WHERE id = $1",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read an earlier run", &error))?;
    let (format, tool): (i32, String) = (row.get(0), row.get(1));
    let unreadable = || {
        Error::new(ErrorKind::Changed, "an earlier run was begun by another version of litelift")
            .detail(format!("It was {tool}, this is {}.", env!("CARGO_PKG_VERSION")))
            .hint("Finish it with that version, or begin again with --restart.")
    };
    if format != FORMAT {
        return Err(unreadable());
    }
    let fingerprint = serde_json::from_str(row.get(3)).map_err(|_| unreadable())?;
    let plan = serde_json::from_str(row.get(4)).map_err(|_| unreadable())?;
    Ok(Run {
        id: run,
        done: row.get::<_, String>(2) == "done",
        finished_at: row.get(5),
        tool,
        fingerprint,
        plan,
    })
}

/// Writes the run and makes the types of its plan, in the transaction of its first tables
/// ([`super::tables::make`]): after a crash there is either nothing, or a run that can be continued.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn begin(
    transaction: &Transaction<'_>,
    source: &str,
    fingerprint: &Fingerprint,
    plan: &TransferPlan,
) -> Result<i64> {
    let json =
        |error: serde_json::Error| Error::target("could not write down the plan").caused_by(error);
    let fingerprint = serde_json::to_string(fingerprint).map_err(json)?;
    let plan_text = serde_json::to_string(plan).map_err(json)?;
    let write = |error: tokio_postgres::Error| failure::failed("begin the transfer", &error);
    make_types(transaction, plan).await?;
    let run: i64 = transaction
        .query_one(
            "INSERT INTO litelift.run (format, tool, source, schema, fingerprint, plan) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            &[&FORMAT, &env!("CARGO_PKG_VERSION"), &source, &plan.schema, &fingerprint, &plan_text],
        )
        .await
        .map_err(write)?
        .get(0);
    if let Some(fill) = &plan.fill {
        tables::note_filled(transaction, run, plan).await?;
        journal::write(transaction, run, &fill.journal).await?;
        // Together: one by one each would cost a way to the server and back.
        let prepared = transaction.batch_execute(&fill.before.join(";\n")).await;
        prepared.map_err(|error| failure::failed("prepare the target's tables", &error))?;
    }
    let types: Vec<&str> = plan.types.iter().map(|made| made.name.as_str()).collect();
    transaction
        .execute(
            "UPDATE litelift.run SET enum_types = ARRAY (SELECT t.oid FROM pg_type t \
             JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $2 AND t.typname = ANY ($3)) WHERE id = $1",
            &[&run, &plan.schema, &types],
        )
        .await
        .map_err(write)?;
    Ok(run)
}

/// Makes the schema, unless the tables are there, and the types of a plan.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn make_types(transaction: &Transaction<'_>, plan: &TransferPlan) -> Result<()> {
    if plan.fill.is_none() {
        make_schema(transaction, &plan.schema).await?;
    }
    for made in &plan.types {
        transaction.batch_execute(&made.create).await.map_err(|error| {
            let what = format!("create type \"{}\"", made.name.escape_debug());
            failure::failed(&what, &error)
        })?;
    }
    Ok(())
}

async fn make_schema(transaction: &Transaction<'_>, schema: &str) -> Result<()> {
    let made = async {
        let exists = transaction
            .query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&schema])
            .await?
            .is_some();
        // Not IF NOT EXISTS: it would ask for the right to make the schema that is there.
        if exists {
            return Ok(());
        }
        transaction.batch_execute(&format!("CREATE SCHEMA {}", quoted(schema))).await
    };
    made.await.map_err(|error| {
        failure::failed(&format!("create schema \"{}\"", schema.escape_debug()), &error)
    })
}

/// Tries whether this role may do what [`begin`] will do, and undoes it: so it is told at once, and
/// not after the scan of a large file.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn try_rights(session: &mut Session, schema: &str, with_bookkeeping: bool) -> Result<()> {
    let write = |error: tokio_postgres::Error| {
        let what = format!("create tables in schema \"{}\"", schema.escape_debug());
        failure::failed(&what, &error)
    };
    let transaction = session.transaction().await.map_err(write)?;
    if with_bookkeeping {
        prepare(&transaction).await?;
    }
    make_schema(&transaction, schema).await?;
    let trial = qualified(schema, "litelift: may this role create tables?");
    transaction.batch_execute(&format!("CREATE TABLE {trial} ()")).await.map_err(write)?;
    transaction.rollback().await.map_err(write)
}

/// Tries whether this role may make or use schema `litelift`, and undoes it.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn try_bookkeeping(session: &mut Session) -> Result<()> {
    let write = |error: tokio_postgres::Error| failure::failed("begin the transfer", &error);
    let transaction = session.transaction().await.map_err(write)?;
    prepare(&transaction).await?;
    transaction.rollback().await.map_err(write)
}

/// The statement that writes a range, in the transaction of its rows.
pub const INSERT_RANGE: &str = "INSERT INTO litelift.range (run, relation, number, lo, hi, rows, rejected, copy_bytes, \
     hash_one, hash_two, leaves, hash_version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::numeric, $10::text::numeric, $11, $12)";

/// Returns the parameters' bounds for [`INSERT_RANGE`]; a whole table has none.
#[must_use]
pub fn bounds(range: &RangePlan) -> (Option<i64>, Option<i64>) {
    match range.span {
        Span::Whole => (None, None),
        Span::Rowids { lo, hi } => (Some(lo), Some(hi)),
    }
}

/// Writes down what became of rows that were merged, in their transaction: of the whole range, or of
/// rejected rows of it that are sent later.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn add_merged(
    transaction: &Transaction<'_>,
    run: i64,
    table: usize,
    range: u32,
    merged: Merged,
) -> Result<()> {
    let sql = "UPDATE litelift.range SET inserted = coalesce(inserted, 0) + $4, \
               updated = coalesce(updated, 0) + $5, kept = coalesce(kept, 0) + $6 \
               WHERE run = $1 AND relation = $2 AND number = $3";
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let written = transaction
        .execute(
            sql,
            &[
                &run,
                &i32::try_from(table).unwrap_or(i32::MAX),
                &i32::try_from(range).unwrap_or(i32::MAX),
                &number(merged.inserted),
                &number(merged.updated),
                &number(merged.kept),
            ],
        )
        .await;
    written.map(|_| ()).map_err(|error| failure::failed("write down what was merged", &error))
}

/// Sums up what became of merged rows, by table.
#[must_use]
pub fn merged(marks: &[Mark]) -> BTreeMap<usize, Merged> {
    let mut tables: BTreeMap<usize, Merged> = BTreeMap::new();
    for mark in marks {
        if let Some(merged) = mark.merged {
            *tables.entry(mark.table).or_default() += merged;
        }
    }
    tables
}

/// Returns the transaction that this is, as PostgreSQL's 32-bit `xid`.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn current_xid(transaction: &Transaction<'_>) -> Result<u32> {
    let row = transaction.query_one("SELECT txid_current() % 4294967296", &[]).await;
    let row = row.map_err(|error| failure::failed("begin the transfer", &error))?;
    Ok(u32::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// Reads the committed ranges of a run.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn marks(session: &Session, run: i64) -> Result<Vec<Mark>> {
    let at = |error: tokio_postgres::Error| failure::failed("read the checkpoints", &error);
    let is_current = "SELECT EXISTS (SELECT FROM pg_attribute \
                      WHERE attrelid = 'litelift.range'::regclass AND attname = 'hash_version')";
    // A schema of an earlier version has none of the last columns, and is perhaps only to be read.
    let last = if session.query_one(is_current, &[]).await.map_err(at)?.get(0) {
        "inserted, updated, kept, hash_one::text, hash_two::text, hash_version"
    } else {
        "(to_jsonb(r) ->> 'inserted')::bigint, (to_jsonb(r) ->> 'updated')::bigint, \
         (to_jsonb(r) ->> 'kept')::bigint, NULL::text, NULL::text, NULL::integer"
    };
    let rows = session
        .query(
            &format!(
                "SELECT relation, number, rows, rejected, copy_bytes, {last} \
                 FROM litelift.range r WHERE run = $1"
            ),
            &[&run],
        )
        .await
        .map_err(at)?;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok(rows
        .iter()
        .map(|row| Mark {
            table: usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX),
            number: u32::try_from(row.get::<_, i32>(1)).unwrap_or(u32::MAX),
            rows: number(row.get(2)),
            rejected: number(row.get(3)),
            copy_bytes: number(row.get(4)),
            merged: row.get::<_, Option<i64>>(5).map(|inserted| Merged {
                inserted: number(inserted),
                updated: number(row.get::<_, Option<i64>>(6).unwrap_or(0)),
                kept: number(row.get::<_, Option<i64>>(7).unwrap_or(0)),
            }),
            sums: sums(row),
        })
        .collect())
}

/// What is kept of the values of a range; `None` when another version of the rule made it.
fn sums(row: &tokio_postgres::Row) -> Option<Sums> {
    let sum = |at: usize| row.get::<_, Option<String>>(at)?.parse().ok();
    let version = row.get::<_, Option<i32>>(10).and_then(|version| u32::try_from(version).ok());
    let rows = u64::try_from(row.get::<_, i64>(2)).ok()?;
    let sums = Sums { rows, one: sum(8)?, two: sum(9)? };
    (version == Some(range_hash::VERSION)).then_some(sums)
}

/// Returns how many rows of each table ranges left out.
#[must_use]
pub fn rejected_of(marks: &[Mark]) -> BTreeMap<usize, u64> {
    let mut rejected = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.rejected > 0) {
        *rejected.entry(mark.table).or_insert(0) += mark.rejected;
    }
    rejected
}

/// Returns how many rows of each table were left out and not sent since.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn rejected(session: &Session, run: i64) -> Result<BTreeMap<usize, u64>> {
    let mut rejected = BTreeMap::new();
    for mark in marks(session, run).await? {
        *rejected.entry(mark.table).or_insert(0) += mark.rejected;
    }
    for (table, sent) in resent::counts(session, run).await? {
        let left = rejected.entry(table).or_insert(0);
        *left = left.saturating_sub(sent);
    }
    rejected.retain(|_, rows| *rows > 0);
    Ok(rejected)
}

/// The statement that writes a finishing step.
pub const INSERT_STEP: &str = "INSERT INTO litelift.step (run, number, outcome, message, value) \
     VALUES ($1, $2, $3, $4, $5)";

/// Returns outcome, message and value for [`INSERT_STEP`].
#[must_use]
pub fn step_columns(outcome: &StepOutcome) -> (&'static str, Option<&str>, Option<i64>) {
    match outcome {
        StepOutcome::Done { value } => ("done", None, *value),
        StepOutcome::Refused { message } => ("refused", Some(message), None),
        StepOutcome::Orphans { rows, keys } => ("orphans", Some(keys), Some(*rows)),
    }
}

/// Reads the finishing steps of a run that have ended, by their number in the plan.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn steps(session: &Session, run: i64) -> Result<Vec<(usize, StepOutcome)>> {
    let rows = session
        .query("SELECT number, outcome, message, value FROM litelift.step WHERE run = $1", &[&run])
        .await
        .map_err(|error| failure::failed("read the finished steps", &error))?;
    Ok(rows
        .iter()
        .map(|row| {
            let number = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
            let value: Option<i64> = row.get(3);
            let message = row.get::<_, Option<String>>(2).unwrap_or_default();
            let outcome = match row.get::<_, &str>(1) {
                "refused" => StepOutcome::Refused { message },
                "orphans" => StepOutcome::Orphans { rows: value.unwrap_or(0), keys: message },
                _ => StepOutcome::Done { value },
            };
            (number, outcome)
        })
        .collect())
}

/// Forgets finishing steps that are to be done again, so that the run is not done until they are.
/// Returns the steps that stay.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn reopen(
    session: &mut Session,
    run: i64,
    again: &[usize],
) -> Result<Vec<(usize, StepOutcome)>> {
    let numbers: Vec<i32> =
        again.iter().map(|number| i32::try_from(*number).unwrap_or(i32::MAX)).collect();
    let forget = async {
        let transaction = session.transaction().await?;
        let sql = "DELETE FROM litelift.step WHERE run = $1 AND number = ANY ($2)";
        transaction.execute(sql, &[&run, &numbers]).await?;
        let sql = "UPDATE litelift.run SET state = 'running' WHERE id = $1 AND state = 'done'";
        transaction.execute(sql, &[&run]).await?;
        transaction.commit().await
    };
    forget.await.map_err(|error| failure::failed("begin the finishing steps again", &error))?;
    steps(session, run).await
}

/// Marks a run as done, and makes it durable with all that was committed before: the commits of the
/// other sessions did not wait for the disk, and the server's log is written in order.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn finish(session: &mut Session, run: i64) -> Result<()> {
    let done = async {
        let transaction = session.transaction().await?;
        transaction.batch_execute("SET LOCAL synchronous_commit = on").await?;
        let sql = "UPDATE litelift.run SET state = 'done', finished_at = now() WHERE id = $1";
        transaction.execute(sql, &[&run]).await?;
        journal::close(&transaction, run).await?;
        transaction.commit().await
    };
    done.await.map_err(|error| failure::failed("mark the transfer as done", &error))
}
