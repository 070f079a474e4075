//! One finishing statement and its checkpoint.

use tokio_postgres::error::SqlState;

use crate::checkpoint::local::{Act, Local, Refused};
use crate::checkpoint::store::{self, StepOutcome};
use crate::connect::{Session, failure};
use crate::error::{Error, Result};
use crate::model::plan::{FinishStep, Phase};

/// Where it is written down how a step ended.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Id of the run in the target.
    pub run: i64,
    /// Position of the step in the plan.
    pub number: usize,
    /// Elsewhere than in the target.
    pub local: Option<&'a Local>,
}

/// Runs one step and writes down how it ended. `search_path` is for code of the target's own that the
/// statement runs.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`] when the connection or the server is in trouble; a statement
/// that the server refuses is an outcome, not an error.
pub async fn run(
    session: &mut Session,
    place: Place<'_>,
    step: &FinishStep,
    search_path: Option<&str>,
) -> Result<StepOutcome> {
    match attempt(session, place, step, search_path).await {
        Ok(outcome) => Ok(outcome),
        Err(Refused::Server(error)) if failure::is_refusal(&error) => {
            let outcome = refused(session, step, search_path, &error).await?;
            let recorded = record(session, place, &outcome).await;
            recorded.map_err(|error| error.into_error(&what(step)))?;
            Ok(outcome)
        }
        Err(error) => Err(error.into_error(&what(step))),
    }
}

async fn attempt(
    session: &mut Session,
    place: Place<'_>,
    step: &FinishStep,
    search_path: Option<&str>,
) -> std::result::Result<StepOutcome, Refused> {
    let transaction = session.transaction().await.map_err(Refused::Server)?;
    let done = carry_out(&transaction, step, search_path).await;
    let outcome = done.map_err(Refused::Server)?;
    commit(transaction, place, &outcome).await?;
    Ok(outcome)
}

async fn carry_out(
    transaction: &deadpool_postgres::Transaction<'_>,
    step: &FinishStep,
    search_path: Option<&str>,
) -> std::result::Result<StepOutcome, tokio_postgres::Error> {
    set_search_path(transaction, search_path).await?;
    Ok(match (step.phase, &step.orphans_sql) {
        (Phase::Sequences, _) => {
            StepOutcome::Done { value: Some(transaction.query_one(&step.sql, &[]).await?.get(0)) }
        }
        (Phase::Generated, Some(count)) => computed(transaction, step, count).await?,
        (Phase::Views, Some(oid)) => {
            transaction.batch_execute(&step.sql).await?;
            StepOutcome::Done { value: transaction.query_one(oid, &[]).await?.get(0) }
        }
        _ => {
            transaction.batch_execute(&step.sql).await?;
            StepOutcome::Done { value: None }
        }
    })
}

/// Commits a step with what it came to.
async fn commit(
    transaction: deadpool_postgres::Transaction<'_>,
    place: Place<'_>,
    outcome: &StepOutcome,
) -> std::result::Result<(), Refused> {
    if let Some(local) = place.local {
        return local.commit(transaction, Act::Step(place.number, outcome.clone())).await;
    }
    let inserted = insert(&transaction, place.run, place.number, outcome).await;
    inserted.map_err(Refused::Server)?;
    transaction.commit().await.map_err(Refused::Server)
}

/// Makes a column generated, when PostgreSQL computes in every row what SQLite did.
async fn computed(
    transaction: &deadpool_postgres::Transaction<'_>,
    step: &FinishStep,
    count: &str,
) -> std::result::Result<StepOutcome, tokio_postgres::Error> {
    let others: i64 = transaction.query_one(count, &[]).await?.get(0);
    if others > 0 {
        let message = format!(
            "PostgreSQL computes another value in {others} rows, so the column stays a plain one"
        );
        return Ok(StepOutcome::Refused { message });
    }
    transaction.batch_execute(&step.sql).await?;
    Ok(StepOutcome::Done { value: None })
}

/// A refusal, or for the validation of a foreign key the number of rows that break it.
async fn refused(
    session: &mut Session,
    step: &FinishStep,
    search_path: Option<&str>,
    error: &tokio_postgres::Error,
) -> Result<StepOutcome> {
    if let (Some(sql), Some(&SqlState::FOREIGN_KEY_VIOLATION)) = (&step.orphans_sql, error.code()) {
        let counted = async {
            let transaction = session.transaction().await?;
            set_search_path(&transaction, search_path).await?;
            let row = transaction.query_one(sql.as_str(), &[]).await?;
            transaction.rollback().await?;
            Ok(row)
        };
        let row = counted.await.map_err(|error| failed(step, &error))?;
        let keys: Vec<String> = row.get(1);
        let keys = serde_json::to_string(&keys).unwrap_or_default();
        return Ok(StepOutcome::Orphans { rows: row.get(0), keys });
    }
    if let (Some(sql), Some(&SqlState::CHECK_VIOLATION)) = (&step.orphans_sql, error.code()) {
        let row =
            session.query_one(sql.as_str(), &[]).await.map_err(|error| failed(step, &error))?;
        let rows: i64 = row.get(0);
        let rows = if rows == 1 { "1 row breaks".to_owned() } else { format!("{rows} rows break") };
        let message = format!("{rows} it, so it stays NOT VALID: only new rows are checked");
        return Ok(StepOutcome::Refused { message });
    }
    let message = error.as_db_error().map(failure::in_one_line).unwrap_or_default();
    Ok(StepOutcome::Refused { message })
}

async fn record(
    session: &mut Session,
    place: Place<'_>,
    outcome: &StepOutcome,
) -> std::result::Result<(), Refused> {
    let transaction = session.transaction().await.map_err(Refused::Server)?;
    commit(transaction, place, outcome).await
}

async fn insert(
    transaction: &deadpool_postgres::Transaction<'_>,
    run: i64,
    number: usize,
    outcome: &StepOutcome,
) -> std::result::Result<(), tokio_postgres::Error> {
    let statement = transaction.prepare_cached(store::INSERT_STEP).await?;
    let (word, message, value) = store::step_columns(outcome);
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    transaction.execute(&statement, &[&run, &number, &word, &message, &value]).await.map(|_| ())
}

fn failed(step: &FinishStep, error: &tokio_postgres::Error) -> Error {
    failure::failed(&what(step), error)
}

fn what(step: &FinishStep) -> String {
    format!("make {} \"{}\"", step.object, step.name.escape_debug())
}

/// Lets code of the target find what it names, until the transaction ends.
///
/// # Errors
/// What the server says.
pub async fn set_search_path(
    transaction: &deadpool_postgres::Transaction<'_>,
    search_path: Option<&str>,
) -> std::result::Result<(), tokio_postgres::Error> {
    match search_path {
        Some(path) => transaction.batch_execute(&format!("SET LOCAL search_path = {path}")).await,
        None => Ok(()),
    }
}
