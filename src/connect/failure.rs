//! The server's and the driver's errors as ours.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, ErrorKind};

/// Turns an error of PostgreSQL into ours. `what` completes "could not ...".
#[must_use]
pub fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    let Some(server) = error.as_db_error() else {
        return lost(what, error);
    };
    let mut ours = Error::new(ErrorKind::Target, format!("could not {what}: {}", server.message()));
    for line in [server.detail(), server.where_()].into_iter().flatten() {
        ours = ours.detail(line);
    }
    if let Some(hint) = server.hint() {
        ours = ours.hint(hint);
    }
    match hint_for(server) {
        Some(hint) => ours.hint(hint),
        None => ours,
    }
}

/// The same for errors of the pool.
#[must_use]
pub fn pool_failed(what: &str, error: deadpool_postgres::PoolError) -> Error {
    match error {
        deadpool_postgres::PoolError::Backend(error) => failed(what, &error),
        other => Error::target(format!("could not {what}")).caused_by(other),
    }
}

/// Returns the server's message with its detail in one line.
#[must_use]
pub fn in_one_line(server: &DbError) -> String {
    match server.detail() {
        Some(detail) => format!("{} ({})", server.message(), detail.trim_end_matches('.')),
        None => server.message().to_owned(),
    }
}

/// Returns true when the server refused the statement itself, so that leaving it out and going on
/// is possible; false when the connection, the session or the server is in trouble.
#[must_use]
pub fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let Some(server) = error.as_db_error() else { return false };
    // Classes: 08 connection, 25 transaction state, 40 rollback, 53 resources, 55 object in use,
    // 57 operator intervention, 58 system error, XX internal.
    let class = &server.code().code()[..2];
    !matches!(class, "08" | "25" | "40" | "53" | "55" | "57" | "58" | "XX")
}

fn lost(what: &str, error: &tokio_postgres::Error) -> Error {
    use std::error::Error as _;
    let cause = error.source().map(ToString::to_string);
    let text = cause.unwrap_or_else(|| error.to_string());
    Error::target(format!("could not {what}")).detail(sentence(&text))
}

fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn hint_for(server: &DbError) -> Option<&'static str> {
    let code = server.code();
    Some(match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "Check user and password of the URL, and the server's pg_hba.conf."
        }
        SqlState::INVALID_CATALOG_NAME => {
            "Create the database first: createdb, or CREATE DATABASE in psql."
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "The role needs CREATE on the database (for the schema \"litelift\", which holds the checkpoints) and on the target schema."
        }
        SqlState::TOO_MANY_CONNECTIONS => "Use fewer connections with --jobs 1.",
        SqlState::PROGRAM_LIMIT_EXCEEDED => {
            "A row must fit a page of 8 kB, where a number takes 8 bytes and a long text 18. Leave the table out with --skip, or split it in the source."
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "The server is a read-only standby, or the role is set to read only: connect to the primary."
        }
        SqlState::LOCK_NOT_AVAILABLE => {
            "Another session uses the table, such as that of the running application: stop it, and run the command again."
        }
        SqlState::CANNOT_CONNECT_NOW => {
            "The server is starting or stopping: try again in a moment."
        }
        _ => return None,
    })
}
