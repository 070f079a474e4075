//! What it means that the server refuses a row.
//!
//! Purpose: a CHECK, a unique index or a key that stays belongs to the target, and only the server can
//! tell whether a row keeps it. The error names table, constraint, its definition and the row, as far as
//! the server says which, and how to go on.

use tokio_postgres::error::{DbError, SqlState};

use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind};
use crate::model::plan::{RangePlan, TablePlan};
use crate::options::BadRows;
use crate::read;

use super::run::CopyJob;

/// Why a unit was not committed.
pub(super) enum Failed {
    /// Told already.
    Ours(Error),
    /// What the server, or the way to it, said while a range was sent.
    Server {
        /// The range.
        range: RangePlan,
        /// Its error.
        error: tokio_postgres::Error,
    },
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// Makes the server's error ours; for a row that breaks a constraint of a target that is not litelift's
/// own, with what there is to know.
pub(super) async fn explain(
    job: &CopyJob<'_>,
    session: &Session,
    range: RangePlan,
    error: &tokio_postgres::Error,
) -> Error {
    let table = &job.plan.tables[range.table];
    if let Some(server) = error.as_db_error().filter(|_| job.plan.fill.is_some())
        && server.code() == &SqlState::INSUFFICIENT_PRIVILEGE
    {
        return may_not(table, server);
    }
    let server = error.as_db_error().filter(|server| is_about_a_row(server));
    let Some(server) = server.filter(|_| job.plan.fill.is_some()) else {
        let what = format!("copy rows into table \"{}\"", table.target.escape_debug());
        return failure::failed(&what, error);
    };
    let mut ours = Error::new(
        ErrorKind::Differences,
        format!(
            "table \"{}\" refuses a row: {}",
            server.table().unwrap_or(&table.target).escape_debug(),
            server.message()
        ),
    );
    if let Some(detail) = server.detail() {
        ours = ours.detail(detail);
    }
    if let Some(row) = source_row(job, &range, table, server) {
        ours = ours.detail(row);
    }
    // The error that matters is known: what cannot be asked for is left out.
    if let (Some(name), Some(definition)) =
        (server.constraint(), definition(session, server).await.ok().flatten())
    {
        ours = ours.detail(format!("{} is: {definition}", name.escape_debug()));
    }
    ours = ours.detail("Nothing of this range of rows arrived. What was committed is kept.");
    if server.code() == &SqlState::FOREIGN_KEY_VIOLATION {
        ours = ours.hint(
            "The row that it points to is not in the target: the source lacks it too, or it was left out.",
        );
    }
    ours.hint("Mend the row in the source and begin again with --restart --on-existing truncate; or change the constraint in the target and run the same command again, which continues.")
        .hint(format!("Or leave the table out: --restart --skip \"{}\".", table.source.escape_debug()))
}

/// The rights to the table were looked at before: what is left is what its own code calls.
fn may_not(table: &TablePlan, server: &DbError) -> Error {
    let text = format!(
        "could not copy rows into table \"{}\": {}",
        table.target.escape_debug(),
        server.message()
    );
    let error = server.where_().into_iter().fold(Error::target(text), Error::detail);
    error.hint("A CHECK, a default, a trigger or an index of the table runs code that this role has no right to: give it that right, or connect as the owner.")
}

/// Class 23, except what concerns no row.
fn is_about_a_row(server: &DbError) -> bool {
    [
        SqlState::NOT_NULL_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
        SqlState::UNIQUE_VIOLATION,
        SqlState::CHECK_VIOLATION,
        SqlState::EXCLUSION_VIOLATION,
    ]
    .contains(server.code())
}

/// Reads how the target defines what the row breaks: a constraint of a table or of a domain, or an index.
async fn definition(
    session: &Session,
    server: &DbError,
) -> Result<Option<String>, tokio_postgres::Error> {
    let sql = "SELECT coalesce( \
         (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
          WHERE c.relnamespace = n.oid AND c.relname = $2 AND k.conname = $4), \
         (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid \
          WHERE t.typnamespace = n.oid AND t.typname = $3 AND k.conname = $4), \
         (SELECT pg_get_indexdef(c.oid) FROM pg_class c \
          WHERE c.relnamespace = n.oid AND c.relname = $4 AND c.relkind IN ('i', 'I'))) \
         FROM pg_namespace n WHERE n.nspname = $1";
    let (table, domain) = (server.table(), server.datatype());
    let row =
        session.query_opt(sql, &[&server.schema(), &table, &domain, &server.constraint()]).await?;
    Ok(row.and_then(|row| row.get(0)))
}

/// Says which row of the source it is: the server counts the rows of a COPY.
fn source_row(
    job: &CopyJob<'_>,
    range: &RangePlan,
    table: &TablePlan,
    server: &DbError,
) -> Option<String> {
    let rowid_name = table.rowid_name.as_deref()?;
    // With rows left out the server's count is not ours.
    if !matches!(job.bad_rows, BadRows::Stop) {
        return None;
    }
    let number = line(server.where_()?, &table.target)?;
    let offset = number.checked_sub(1)?;
    let rowid = tokio::task::block_in_place(|| {
        let rowid = |conn: &_| read::rowid_at(conn, &table.source, rowid_name, range.span, offset);
        job.snapshot.with(rowid)
    });
    let rowid = rowid.ok().flatten()?;
    Some(format!(
        "In table \"{}\" of the source it is the row with rowid {rowid}.",
        table.source.escape_debug()
    ))
}

/// Reads the number out of `COPY table, line 5`, whichever language the server speaks.
fn line(context: &str, table: &str) -> Option<u64> {
    let copy = context.lines().rev().find_map(|line| line.strip_prefix("COPY "))?;
    let rest = copy.strip_prefix(table)?;
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_row_is_found_in_the_context() {
        assert_eq!(line("COPY t2, line 17", "t2"), Some(17));
        assert_eq!(line("COPY t2, line 17, column a3: \"x\"", "t2"), Some(17));
        assert_eq!(line("PL/pgSQL function f(9) line 3\nCOPY a, b, Zeile 8", "a, b"), Some(8));
        assert_eq!(line("SQL statement \"COPY\"", "t2"), None);
        assert_eq!(line("COPY t3, line 1", "t2"), None);
        assert_eq!(line("COPY t2", "t2"), None);
    }
}
