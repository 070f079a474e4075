//! What SQLite's errors mean to the owner of the file.
//!
//! Purpose: one place that turns a driver error into an [`Error`] with a detail and a hint, chosen
//! by SQLite's result code and never by the text of its message.
//!
//! Known gaps: an encrypted file and a file that is no database look the same to SQLite.

use rusqlite::ErrorCode;

use crate::error::Error;

/// Wraps a driver error: `what` is the primary line, such as `could not read the schema`; `file`
/// goes into the hints.
#[must_use]
pub fn explain(what: impl Into<String>, file: &str, cause: rusqlite::Error) -> Error {
    let error = Error::source_file(what);
    let explained = match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => error
            .detail("The file does not begin like a SQLite database, or it is encrypted.")
            .hint(
                "If SQLCipher encrypted it, write a plain copy in the sqlcipher shell: PRAGMA key = '...'; \
                 ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain');",
            ),
        Some(ErrorCode::DatabaseCorrupt) => damaged(
            error.detail(format!(
                "The file is damaged, or its schema was made by a SQLite newer than {}.",
                rusqlite::version()
            )),
            file,
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => error
            .detail("Another program holds a lock on it.")
            .hint("Stop the application that uses it, or let it finish its transaction, and run again."),
        Some(ErrorCode::PermissionDenied) => error.hint("Check the permissions of the file."),
        Some(ErrorCode::CannotOpen) => error
            .detail("SQLite could not open the file, or one of its -wal, -shm and -journal files.")
            .hint("Check the permissions of these files and of their folder."),
        Some(ErrorCode::SystemIoFailure) => error
            .detail("The operating system reported an error while the file was read.")
            .hint("Copy the file and its -wal to a local disk, and use the copy."),
        Some(ErrorCode::OutOfMemory) => error.hint("Free some memory and run it again."),
        Some(ErrorCode::OperationInterrupted) => return Error::interrupted(),
        _ => error,
    };
    explained.caused_by(cause)
}

/// Adds what to do about a damaged file.
#[must_use]
pub fn damaged(error: Error, file: &str) -> Error {
    error.hint("Restore a backup, if there is one.").hint(format!(
        "Salvage what can be read: sqlite3 '{}' .recover | sqlite3 recovered.db",
        file.replace('\'', r"'\''")
    ))
}

/// SQLite's own message, without the query that the driver adds.
#[must_use]
pub fn message(cause: &rusqlite::Error) -> String {
    match cause {
        rusqlite::Error::SqliteFailure(_, Some(text))
        | rusqlite::Error::SqlInputError { msg: text, .. } => text.clone(),
        other => other.to_string(),
    }
}

/// True when the error tells of the file or of this run, and not of one table: going on with the
/// next table would be wrong.
#[must_use]
pub fn concerns_whole_file(cause: &rusqlite::Error) -> bool {
    let Some(error) = cause.sqlite_error() else { return false };
    match error.code {
        // Virtual tables report damage of their own structures by this extended code.
        ErrorCode::DatabaseCorrupt => error.extended_code != rusqlite::ffi::SQLITE_CORRUPT_VTAB,
        ErrorCode::NotADatabase
        | ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted => true,
        _ => false,
    }
}
