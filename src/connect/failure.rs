//! The server's and the driver's errors as ours.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, ErrorKind, Transient};

/// Turns an error of PostgreSQL into ours. `what` completes "could not ...".
#[must_use]
pub fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    let Some(server) = error.as_db_error() else {
        return lost(what, error);
    };
    let mut ours = Error::new(ErrorKind::Target, format!("could not {what}: {}", server.message()))
        .transient(transient(server.code()));
    for line in [server.detail(), server.where_()].into_iter().flatten() {
        ours = ours.detail(line);
    }
    if server.code() == &SqlState::DISK_FULL {
        ours = place_of_file(server.message()).into_iter().fold(ours, Error::detail);
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
        other => {
            let is_late = matches!(other, deadpool_postgres::PoolError::Timeout(_));
            let why = is_late.then_some(Transient::ConnectionLost);
            Error::target(format!("could not {what}")).caused_by(other).transient(why)
        }
    }
}

/// Says whether what the server reports may pass by itself; what it lacks (disk, memory), forbids, or
/// was told by its administrator does not.
#[must_use]
pub fn transient(code: &SqlState) -> Option<Transient> {
    match *code {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            Some(Transient::Conflict)
        }
        SqlState::LOCK_NOT_AVAILABLE => Some(Transient::Locked),
        SqlState::TOO_MANY_CONNECTIONS | SqlState::CANNOT_CONNECT_NOW => {
            Some(Transient::Unavailable)
        }
        // The last three: limits of a session that whoever stands between may set again.
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::IDLE_SESSION_TIMEOUT => Some(Transient::ConnectionLost),
        // 25P04: transaction_timeout, which the driver has no name for.
        ref other => {
            let is_lost = other.code().starts_with("08") || other.code() == "25P04";
            is_lost.then_some(Transient::ConnectionLost)
        }
    }
}

/// Says where a file of the server is that it could not write, from its path, whichever language the
/// message has.
fn place_of_file(message: &str) -> Option<String> {
    let path = message.split('"').nth(1)?;
    let mut parts = path.split('/');
    Some(match (parts.next()?, parts.next()) {
        ("pg_tblspc", Some(oid)) => format!(
            "The file is in a tablespace: SELECT spcname, pg_tablespace_location(oid) FROM pg_tablespace WHERE oid = {}.",
            oid.parse::<u32>().ok()?
        ),
        ("base" | "global", _) => "The file is in the server's data directory.".to_owned(),
        ("pg_wal", _) => "The file is of the server's write-ahead log (pg_wal).".to_owned(),
        _ => return None,
    })
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
    let why = is_lost(error).then_some(Transient::ConnectionLost);
    Error::target(format!("could not {what}")).detail(sentence(&text)).transient(why)
}

/// Whether the connection is gone; bytes that are not PostgreSQL's will be no better next time.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    use std::io::ErrorKind::{InvalidData, InvalidInput};
    let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match cause.map(std::io::Error::kind) {
        Some(kind) => !matches!(kind, InvalidData | InvalidInput),
        None => error.is_closed(),
    }
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
        SqlState::DISK_FULL => "Free space there, then run the same command again.",
        SqlState::OUT_OF_MEMORY => {
            "The server has no memory left: use fewer connections with --jobs 1, or lower its work_mem and maintenance_work_mem."
        }
        SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => {
            "Another session works on the same tables, such as that of the running application: stop it, and run the command again."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let of = |code: &str| transient(&SqlState::from_code(code));
        for code in ["57P01", "57P02", "08006", "08003", "57P05", "25P03", "25P04"] {
            assert_eq!(of(code), Some(Transient::ConnectionLost), "{code}");
        }
        assert_eq!(of("57P03"), Some(Transient::Unavailable));
        assert_eq!(of("53300"), Some(Transient::Unavailable));
        assert_eq!(of("40001"), Some(Transient::Conflict));
        assert_eq!(of("40P01"), Some(Transient::Conflict));
        assert_eq!(of("55P03"), Some(Transient::Locked));
        // Full disk, no memory, an administrator's cancel, no right, damage, a bad row.
        for code in ["53100", "53200", "57014", "57P04", "42501", "XX001", "23505", "22P02"] {
            assert_eq!(of(code), None, "{code}");
        }
    }

    #[test]
    fn where_the_disk_is_full() {
        let of = |path: &str| place_of_file(&format!("could not extend file \"{path}\": full"));
        assert!(of("pg_tblspc/16400/PG_15/5/6").unwrap().contains("WHERE oid = 16400"));
        assert!(of("base/5/16397").unwrap().contains("data directory"));
        assert!(of("pg_wal/xlogtemp.1").unwrap().contains("write-ahead log"));
        assert_eq!(of("pg_tblspc/x; drop/y"), None);
        assert_eq!(of("elsewhere"), None);
        assert_eq!(place_of_file("no room"), None);
    }
}
