//! The rows of a range into a table that has rows.
//!
//! Purpose: the COPY goes into a temporary table, and one INSERT ... ON CONFLICT brings the rows from there
//! into the table, all in the range's transaction ([`crate::plan::merging`] has the statements, and why the
//! counts must agree).
//!
//! Known gaps: the temporary table is made anew for each range, which leaves dead rows in `pg_class` and
//! `pg_attribute`; a range has some 10 MB, so they are few.

use deadpool_postgres::Transaction;
use tokio_postgres::Statement;
use tokio_postgres::error::{DbError, SqlState};

use crate::connect::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::model::merge::Merged;
use crate::model::plan::{TablePlan, TransferPlan};
use crate::plan::merging::Statements;

/// Longest value of a key that an error shows, in characters.
const VALUE_MAX: usize = 80;

/// Rows on their way into a table that has rows.
pub(super) struct Merging<'a> {
    statements: Statements<'a>,
    what: String,
}

impl<'a> Merging<'a> {
    /// `table` is the planned one at `position`, perhaps with fewer columns; `None` where its rows are
    /// copied into it.
    pub(super) fn of(
        plan: &'a TransferPlan,
        position: usize,
        table: &'a TablePlan,
    ) -> Option<Self> {
        let merge = plan.merge_of(position)?;
        let statements = Statements { schema: &plan.schema, table, merge };
        let what = format!("merge rows into table \"{}\"", table.target.escape_debug());
        Some(Self { statements, what })
    }

    /// Makes an error of the server ours.
    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> Error {
        failure::failed(&self.what, error)
    }

    /// Makes the temporary table, and prepares the COPY into it.
    pub(super) async fn stage(&self, transaction: &Transaction<'_>) -> Result<Statement> {
        let at = |error: tokio_postgres::Error| self.failed(&error);
        transaction.batch_execute(&self.statements.stage()).await.map_err(at)?;
        transaction.prepare_cached(&self.statements.copy()).await.map_err(at)
    }

    /// Empties the temporary table.
    pub(super) async fn clear(&self, transaction: &Transaction<'_>) -> Result<()> {
        let cleared = transaction.batch_execute(&self.statements.clear()).await;
        cleared.map_err(|error| self.failed(&error))
    }

    /// Drops the temporary table before its time, for another table of the same transaction.
    pub(super) async fn unstage(&self, transaction: &Transaction<'_>) -> Result<()> {
        let dropped = transaction.batch_execute(&self.statements.unstage()).await;
        dropped.map_err(|error| self.failed(&error))
    }

    /// Brings the `staged` rows of the temporary table into the table.
    ///
    /// # Errors
    /// [`ErrorKind::Differences`] naming the key when the rows break a constraint, or two have one key;
    /// the transaction can then only be rolled back. [`ErrorKind::Target`].
    pub(super) async fn merge(
        &self,
        transaction: &mut Transaction<'_>,
        staged: u64,
    ) -> Result<Merged> {
        let at = |error: tokio_postgres::Error| self.failed(&error);
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let row = transaction.query_one(&self.statements.there(), &[]).await.map_err(at)?;
        let (there, ours) = (number(row.get(0)), number(row.get(1)));
        if ours > 0 {
            return Err(self.doubled(transaction).await);
        }
        // What a refusal does not tell, which row it was, is looked for afterwards.
        let savepoint = transaction.transaction().await.map_err(at)?;
        let written = savepoint.execute(&self.statements.merge(), &[]).await;
        let merged = written.as_ref().ok().map(|written| self.counted(there, *written));
        if let Some(merged) = merged.filter(|merged| merged.rows() == staged) {
            savepoint.commit().await.map_err(at)?;
            return Ok(merged);
        }
        savepoint.rollback().await.map_err(at)?;
        Err(match written {
            Ok(written) => self.doubled(transaction).await.detail(format!(
                "Of {staged} rows {there} have a key that is there, and {written} were written."
            )),
            Err(error) => match error.as_db_error() {
                Some(server) if *server.code() == SqlState::CARDINALITY_VIOLATION => {
                    self.doubled(transaction).await
                }
                Some(server) if server.code().code().starts_with("23") => self.broken(server),
                _ => at(error),
            },
        })
    }

    /// What became of the rows when `there` of them have a key that is there.
    fn counted(&self, there: u64, written: u64) -> Merged {
        if self.statements.merge.updated.is_empty() {
            Merged { inserted: written, updated: 0, kept: there }
        } else {
            Merged { inserted: written.saturating_sub(there), updated: there, kept: 0 }
        }
    }

    /// Two rows with one key, or what looks like it.
    async fn doubled(&self, transaction: &Transaction<'_>) -> Error {
        let key = match self.find(transaction, &self.statements.twice()).await {
            Ok(Some(key)) => Ok(Some((key, "two rows of the source have it"))),
            Ok(None) => {
                let found = self.find(transaction, &self.statements.ours()).await;
                let why = "its row was written since the run began: by another row of the source that has it, by the application, or by a trigger";
                found.map(|key| key.map(|key| (key, why)))
            }
            Err(error) => Err(error),
        };
        let detail = match key {
            Ok(Some((key, why))) => format!("{key}: {why}."),
            Ok(None) => {
                "The counts do not agree: a trigger, or the application, writes into the table."
                    .to_owned()
            }
            Err(error) => return error,
        };
        Error::new(
            ErrorKind::Differences,
            format!("could not {}: it is not clear which of two rows should stay", self.what),
        )
        .detail(detail)
        .detail("Nothing of this range was written.")
        .hint("Mend the source, or find the rows by another key: --on-existing 'TABLE=upsert:COLUMN+COLUMN'. Then begin again with --restart: no table is dropped, and what is there by then is merged.")
    }

    async fn find(&self, transaction: &Transaction<'_>, sql: &str) -> Result<Option<String>> {
        let row = transaction.query_opt(sql, &[]).await;
        let row = row.map_err(|error| self.failed(&error))?;
        Ok(row.map(|row| self.key_shown(&row.get::<_, Vec<Option<String>>>(0))))
    }

    /// A key as the server writes it: `Key (a, b)=(1, x)`.
    fn key_shown(&self, values: &[Option<String>]) -> String {
        let names = self.statements.merge.key.iter().map(|key| key.name.escape_debug().to_string());
        let values = values.iter().map(|value| match value {
            None => "null".to_owned(),
            Some(value) => {
                let cut: String = value.chars().take(VALUE_MAX).collect();
                let more = if cut.len() < value.len() { "..." } else { "" };
                format!("{}{more}", cut.escape_debug())
            }
        });
        let list = |texts: Vec<String>| texts.join(", ");
        format!("Key ({})=({})", list(names.collect()), list(values.collect()))
    }

    /// A constraint of the table that the rows break.
    fn broken(&self, server: &DbError) -> Error {
        let mut error = Error::new(
            ErrorKind::Differences,
            format!("could not {}: {}", self.what, server.message()),
        );
        if let Some(detail) = server.detail() {
            error = error.detail(detail);
        }
        error
            .detail("Nothing of this range was written.")
            .hint("Mend the rows on either side, then begin again with --restart: no table is dropped, and what is there by then is merged.")
    }
}
