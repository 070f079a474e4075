//! The tables of schema `litelift`.
//!
//! Purpose: what stands here is read by the next run, by `verify`, and by a curious user in psql. A
//! change of meaning raises [`FORMAT`]; a run of another format is refused, not guessed at.

use tokio_postgres::types::Oid;

use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::evidence::Span;
use crate::model::ident::quoted_list;
use crate::model::mark::Mark;
use crate::model::plan::{RangePlan, TransferPlan};

use super::fingerprint::Fingerprint;

/// Version of these tables and of the plan that a run keeps.
pub const FORMAT: i32 = 1;

/// Makes the schema; in a transaction of its own, under the lock of all litelifts of the database.
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    },
}

/// Returns whether the tables of schema `litelift` are there.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn exists(session: &Session) -> Result<bool> {
    // The tables are made in one transaction, so one of them stands for all.
    session
        .query_one("SELECT to_regclass('litelift.step') IS NOT NULL", &[])
        .await
        .map(|row| row.get(0))
        .map_err(|error| failure::failed("look for schema litelift", &error))
}

/// Makes schema `litelift` where it is not there yet.
///
/// # Errors
/// [`ErrorKind::Target`]; for a role without the right to it, with the grant that it needs.
pub async fn prepare(session: &mut Session) -> Result<()> {
    if exists(session).await? {
        return Ok(());
    }
    let made = async {
        let transaction = session.transaction().await?;
        // Two first runs at once would both see no schema: the second waits here, then finds it.
        transaction.batch_execute("SELECT pg_advisory_xact_lock(1818850405, 0)").await?;
        transaction.batch_execute(CREATE).await?;
        transaction.commit().await
    };
    made.await
        .map_err(|error| failure::failed("create schema litelift for the checkpoints", &error))
}

/// Finds the newest run of a source file into a schema; of any file when none is given.
///
/// # Errors
/// [`ErrorKind::Target`]; [`ErrorKind::Changed`] when another format wrote it.
pub async fn find(session: &Session, source: Option<&str>, schema: &str) -> Result<Option<Run>> {
    if !exists(session).await? {
        return Ok(None);
    }
    let row = session
        .query_opt(
            "SELECT id, format, tool, state, fingerprint, plan, finished_at::text \
             FROM litelift.run WHERE source = coalesce($1, source) AND schema = $2 \
             ORDER BY id DESC LIMIT 1",
            &[&source, &schema],
        )
        .await
        .map_err(|error| failure::failed("look for earlier runs", &error))?;
    let Some(row) = row else { return Ok(None) };
    let (format, tool): (i32, String) = (row.get(1), row.get(2));
    let unreadable = || {
        Error::new(ErrorKind::Changed, "an earlier run was begun by another version of litelift")
            .detail(format!("It was {tool}, this is {}.", env!("CARGO_PKG_VERSION")))
            .hint("Finish it with that version, or begin again with --restart.")
    };
    if format != FORMAT {
        return Err(unreadable());
    }
    let fingerprint = serde_json::from_str(row.get(4)).map_err(|_| unreadable())?;
    let plan = serde_json::from_str(row.get(5)).map_err(|_| unreadable())?;
    Ok(Some(Run {
        id: row.get(0),
        done: row.get::<_, String>(3) == "done",
        finished_at: row.get(6),
        tool,
        fingerprint,
        plan,
    }))
}

/// Makes the target tables and writes the run, in one transaction: after a crash there is either
/// nothing or a run that can be continued.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn begin(
    session: &mut Session,
    source: &str,
    fingerprint: &Fingerprint,
    plan: &TransferPlan,
) -> Result<i64> {
    let json =
        |error: serde_json::Error| Error::target("could not write down the plan").caused_by(error);
    let fingerprint = serde_json::to_string(fingerprint).map_err(json)?;
    let plan_text = serde_json::to_string(plan).map_err(json)?;
    let write = |error: tokio_postgres::Error| failure::failed("begin the transfer", &error);
    let transaction = session.transaction().await.map_err(write)?;
    let create_schema =
        format!("CREATE SCHEMA IF NOT EXISTS {}", quoted_list([plan.schema.as_str()]));
    let exists = transaction
        .query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&plan.schema])
        .await
        .map_err(write)?;
    if exists.is_none() {
        transaction.batch_execute(&create_schema).await.map_err(write)?;
    }
    for table in &plan.tables {
        transaction.batch_execute(&table.create).await.map_err(|error| {
            let what = format!("create table \"{}\"", table.target.escape_debug());
            failure::failed(&what, &error)
        })?;
    }
    let run: i64 = transaction
        .query_one(
            "INSERT INTO litelift.run (format, tool, source, schema, fingerprint, plan) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            &[&FORMAT, &env!("CARGO_PKG_VERSION"), &source, &plan.schema, &fingerprint, &plan_text],
        )
        .await
        .map_err(write)?
        .get(0);
    let targets: Vec<&str> = plan.tables.iter().map(|table| table.target.as_str()).collect();
    let sources: Vec<&str> = plan.tables.iter().map(|table| table.source.as_str()).collect();
    // The oid says later whether a table of that name is still the one that we made.
    transaction
        .execute(
            "INSERT INTO litelift.relation (run, number, source, target, relid) \
             SELECT $1, t.number - 1, t.source, t.target, c.oid \
             FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (source, target, number) \
             JOIN pg_class c ON c.relname = t.target \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $4",
            &[&run, &sources, &targets, &plan.schema],
        )
        .await
        .map_err(write)?;
    transaction.commit().await.map_err(write)?;
    Ok(run)
}

/// The statement that writes a range, in the transaction of its rows.
pub const INSERT_RANGE: &str = "INSERT INTO litelift.range (run, relation, number, lo, hi, rows, copy_bytes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Returns the parameters' bounds for [`INSERT_RANGE`]; a whole table has none.
#[must_use]
pub fn bounds(range: &RangePlan) -> (Option<i64>, Option<i64>) {
    match range.span {
        Span::Whole => (None, None),
        Span::Rowids { lo, hi } => (Some(lo), Some(hi)),
    }
}

/// Reads the committed ranges of a run.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn marks(session: &Session, run: i64) -> Result<Vec<Mark>> {
    let rows = session
        .query(
            "SELECT relation, number, rows, copy_bytes FROM litelift.range WHERE run = $1",
            &[&run],
        )
        .await
        .map_err(|error| failure::failed("read the checkpoints", &error))?;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    Ok(rows
        .iter()
        .map(|row| Mark {
            table: usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX),
            number: u32::try_from(row.get::<_, i32>(1)).unwrap_or(u32::MAX),
            rows: number(row.get(2)),
            copy_bytes: number(row.get(3)),
        })
        .collect())
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
        StepOutcome::Orphans { rows } => ("orphans", None, Some(*rows)),
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
            let outcome = match row.get::<_, &str>(1) {
                "refused" => {
                    let message: Option<String> = row.get(2);
                    StepOutcome::Refused { message: message.unwrap_or_default() }
                }
                "orphans" => StepOutcome::Orphans { rows: value.unwrap_or(0) },
                _ => StepOutcome::Done { value },
            };
            (number, outcome)
        })
        .collect())
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
        transaction.commit().await
    };
    done.await.map_err(|error| failure::failed("mark the transfer as done", &error))
}

/// A table that a run made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Name.
    pub target: String,
    /// Its oid when it was made.
    pub relid: Oid,
    /// The oid of the table of that name now.
    pub now: Option<Oid>,
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
pub async fn made(session: &Session, run: i64) -> Result<Vec<Made>> {
    let rows = session
        .query(
            "SELECT r.target, r.relid, c.oid FROM litelift.relation r \
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
        .map(|row| Made { target: row.get(0), relid: row.get(1), now: row.get(2) })
        .collect())
}

/// Drops the tables that a run made, as far as they are still the same ones, and forgets the run.
/// Tables that others depend on are not dropped: the server then refuses, and nothing changes.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn discard(session: &mut Session, run: i64, schema: &str, made: &[Made]) -> Result<()> {
    let write =
        |error: tokio_postgres::Error| failure::failed("remove what the earlier run left", &error);
    let drop: Vec<String> = made
        .iter()
        .filter(|table| table.is_there())
        .map(|table| crate::model::ident::qualified(schema, &table.target))
        .collect();
    let transaction = session.transaction().await.map_err(write)?;
    if !drop.is_empty() {
        // Together: foreign keys among them do not stand in the way.
        transaction
            .batch_execute(&format!("DROP TABLE {}", drop.join(", ")))
            .await
            .map_err(write)?;
    }
    transaction.execute("DELETE FROM litelift.run WHERE id = $1", &[&run]).await.map_err(write)?;
    transaction.commit().await.map_err(write)
}
