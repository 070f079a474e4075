//! Opening a SQLite file that is not ours, may be in use, and may be hostile.
//!
//! Purpose: [`Source::locate`] looks at the file once and finds the way in which it can be read
//! without writing to it; [`Source::connect`] opens as many connections as are wanted in that way.
//!
//! Three ways, tried in this order:
//! 1. direct: `mode=ro`. SQLite takes its locks, sees the WAL, and may make or touch a `-shm`;
//! 2. immutable: only when the first fails for want of write permission and neither a `-wal` nor a
//!    `-journal` holds anything. Beside either of them it would silently give wrong rows;
//! 3. private copy: the database with its `-wal` and `-journal` in a folder of our own, where SQLite
//!    recovers it.
//!
//! Hardening, after <https://www.sqlite.org/security.html>: schema not trusted (a function in a view,
//! index or generated column must be innocuous), views and triggers off, query_only, cell_size_check,
//! nothing can be attached, no memory map, extensions never loaded. Not "defensive": that protects
//! against SQL that writes, and refuses a schema with a trigger on an inner table of a virtual one,
//! such as sqlite-utils makes.
//!
//! Known gaps: a collation that the file's application registered is replaced by BINARY, so an index
//! or WITHOUT ROWID key that uses it must not be searched, only scanned. A value longer than SQLite's
//! limit of 1,000,000,000 bytes cannot be read.
//!
//! Knobs: [`super::LOCK_WAIT`].

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault;
use super::patience::{self, LOCK_WAIT, Patience};
use super::private_copy::{FileIdentity, PrivateCopy, beside};
use crate::error::{Error, Result};

/// Longest text of a statement in bytes, the CREATE texts of the file included.
const SQL_BYTES_MAX: i32 = 16 << 20;
/// Steps of a compiled statement. 2,000 columns, each computed, take some tens of thousands.
const STEPS_MAX: i32 = 1 << 20;
/// A computed value may be at least this long, however small the file is.
const COMPUTED_BYTES_MIN: u64 = 16 << 20;

/// A SQLite file and the way in which it can be read.
///
/// Keep it until the last connection is closed: it owns the private copy, if there is one.
#[derive(Debug)]
pub struct Source {
    /// As given, for messages.
    given: PathBuf,
    /// Without symbolic links: SQLite looks for `-wal` and `-journal` beside the real file.
    real: PathBuf,
    how: OpenedHow,
    patience: Patience,
}

/// The way in which a file is read.
#[derive(Debug)]
pub enum OpenedHow {
    /// In place, read-only, with SQLite's locks.
    Direct,
    /// In place, without locks: its folder cannot be written and there is nothing to recover. Holds
    /// what the file looked like when it was first opened.
    Immutable(FileIdentity),
    /// From a copy, because SQLite has to recover the database.
    PrivateCopy(PrivateCopy),
}

impl Source {
    /// Looks at the file and finds out how it can be read. Never creates or changes it.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`]: missing, a folder, not permitted, no database, damaged,
    /// or locked for longer than [`super::LOCK_WAIT`].
    pub fn locate(path: &Path) -> Result<Self> {
        Self::locate_with(path, Patience::silent(LOCK_WAIT))
    }

    /// The same, with a say in how long locks are waited for.
    ///
    /// # Errors
    /// As [`Self::locate`]; interrupted.
    pub fn locate_with(path: &Path, patience: Patience) -> Result<Self> {
        let real = readable_file(path)?;
        let how = match patience.wait(&real, || open_and_touch(&real, Access::ReadOnly))? {
            Ok(_) => OpenedHow::Direct,
            Err(cause) => {
                let pending = Pending::beside(&real).map_err(|e| unreadable_file(path, e))?;
                match way_round(&cause, pending) {
                    WayRound::Immutable => immutable(path, &real)?,
                    WayRound::PrivateCopy => private_copy(path, &real)?,
                    WayRound::None => return Err(refused(path, &real, cause)),
                }
            }
        };
        Ok(Self { given: path.to_owned(), real, how, patience })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// As [`Source::locate`]; also when a file that is read without locks was changed.
    pub fn connect(&self) -> Result<Connection> {
        self.check_unchanged()?;
        let (file, access) = match &self.how {
            OpenedHow::Direct => (self.real.as_path(), Access::ReadOnly),
            OpenedHow::Immutable(_) => (self.real.as_path(), Access::Immutable),
            OpenedHow::PrivateCopy(copy) => (copy.database(), Access::ReadOnly),
        };
        self.patience
            .wait(file, || open_and_touch(file, access))?
            .map_err(|cause| refused(&self.given, &self.real, cause))
    }

    /// Does something with a connection that may have to wait for a lock.
    ///
    /// # Errors
    /// As [`Source::locate`]; interrupted.
    pub(super) fn patiently<T>(&self, work: impl FnMut() -> rusqlite::Result<T>) -> Result<T> {
        self.patience
            .wait(&self.real, work)?
            .map_err(|cause| refused(&self.given, &self.real, cause))
    }

    /// Fails when a file that is read without locks is no longer what it was. Call it again after
    /// the last row: only then is it known that all rows came from one state of the file.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] when the file was changed or replaced.
    pub fn check_unchanged(&self) -> Result<()> {
        match &self.how {
            OpenedHow::Immutable(before) => unchanged(&self.given, &self.real, before),
            _ => Ok(()),
        }
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.given
    }

    /// Its path without symbolic links.
    pub(super) fn real_path(&self) -> &Path {
        &self.real
    }

    /// The way in which the file is read.
    #[must_use]
    pub fn how(&self) -> &OpenedHow {
        &self.how
    }

    /// A sentence for the report when there is something unusual about how the file is read.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        match &self.how {
            OpenedHow::Direct => None,
            OpenedHow::Immutable(_) => Some(
                "The folder of the file cannot be written, so it is read without locks; nobody may \
                 write to it meanwhile."
                    .to_owned(),
            ),
            OpenedHow::PrivateCopy(copy) => Some(format!(
                "The file holds a transaction that SQLite has to recover; that was done in a private \
                 copy in \"{}\", which is removed at the end. The file itself is untouched.",
                copy.folder().display()
            )),
        }
    }
}

/// Fails when a file that is read without locks is not what it was, or has got a `-wal` or `-journal`.
pub(super) fn unchanged(given: &Path, real: &Path, before: &FileIdentity) -> Result<()> {
    let now = FileIdentity::of(real).map_err(|e| unreadable_file(given, e))?;
    let pending = Pending::beside(real).map_err(|e| unreadable_file(given, e))?;
    if now.as_ref() == Some(before) && pending == Pending::default() {
        return Ok(());
    }
    Err(Error::source_file(format!("\"{}\" was changed while it was read", given.display()))
        .detail("Its folder cannot be written here, so it was read without locks.")
        .hint("Stop the application that writes to it, or copy the file, and run again."))
}

/// With which rights a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// `mode=ro`.
    ReadOnly,
    /// `mode=ro&immutable=1`: no locks, no look at `-wal` and `-journal`.
    Immutable,
    /// `mode=rw`, for a private copy only: SQLite recovers it.
    Recover,
}

/// Which of the files beside a database hold something that SQLite must take into account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pending {
    wal: bool,
    journal: bool,
}

impl Pending {
    fn beside(database: &Path) -> io::Result<Self> {
        let filled = |suffix| match fs::metadata(beside(database, suffix)) {
            Ok(found) => Ok(found.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        Ok(Self { wal: filled("-wal")?, journal: filled("-journal")? })
    }
}

/// What to do after a plain read-only open failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayRound {
    Immutable,
    PrivateCopy,
    None,
}

/// Decides it. Only failures for want of write permission have a way round: SQLite could not make or
/// recover one of the files beside the database.
fn way_round(cause: &rusqlite::Error, pending: Pending) -> WayRound {
    match cause.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
            if pending.wal || pending.journal {
                WayRound::PrivateCopy
            } else {
                WayRound::Immutable
            }
        }
        _ => WayRound::None,
    }
}

fn immutable(given: &Path, real: &Path) -> Result<OpenedHow> {
    let identity = FileIdentity::of(real)
        .and_then(|found| found.ok_or_else(|| io::ErrorKind::NotFound.into()))
        .map_err(|cause| unreadable_file(given, cause))?;
    open_and_touch(real, Access::Immutable).map_err(|e| refused(given, real, e))?;
    Ok(OpenedHow::Immutable(identity))
}

fn private_copy(given: &Path, real: &Path) -> Result<OpenedHow> {
    let copy = PrivateCopy::take(real)?;
    // Recovers, and closes again, so that the connections for reading find nothing left to do.
    open_and_touch(copy.database(), Access::Recover)
        .map_err(|cause| refused(given, real, cause))?;
    Ok(OpenedHow::PrivateCopy(copy))
}

/// Opens, hardens, and reads once: SQLite looks at the file only when it must.
fn open_and_touch(file: &Path, access: Access) -> rusqlite::Result<Connection> {
    let flags = match access {
        Access::ReadOnly | Access::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Recover => OpenFlags::SQLITE_OPEN_READ_WRITE,
    } | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(file, access)?, flags)?;
    connection.busy_timeout(patience::SLICE)?;
    harden(&connection)?;
    limit(&connection, file)?;
    connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")?.exists([])?;
    Ok(connection)
}

/// Makes a connection safe for a file that somebody else made. Before the first read of the schema.
fn harden(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        // Tables are read, and nothing else. A view can be made to take for ever to prepare.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        // A misspelt column of ours must be an error and not a string. Does not touch expressions
        // of the stored schema: those are always read as SQLite read them when they were made.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.collation_needed(stand_in_collation)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)
}

/// Bounds what a schema can make SQLite do.
///
/// A stored value is never longer than the file, UTF-16 at most half as long again in UTF-8. So nothing
/// that is computed need be longer: `zeroblob(999999999)` in a generated column of a small file is an
/// error of that column, and no gigabyte per thread.
fn limit(connection: &Connection, file: &Path) -> rusqlite::Result<()> {
    let bytes = |file: &Path| fs::metadata(file).map_or(0, |found| found.len());
    let stored = bytes(file).saturating_add(bytes(&beside(file, "-wal"))).saturating_mul(2);
    let longest = i32::try_from(stored.max(COMPUTED_BYTES_MIN)).unwrap_or(i32::MAX);
    let longest = longest.min(connection.limit(Limit::SQLITE_LIMIT_LENGTH)?);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX),
        (Limit::SQLITE_LIMIT_VDBE_OP, STEPS_MAX),
        (Limit::SQLITE_LIMIT_LENGTH, longest),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// Lets statements be prepared that mention a collation of the file's application.
fn stand_in_collation(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.create_collation(name, |left: &str, right: &str| left.cmp(right))
}

/// Builds the URI of a file. Every byte outside the safe set is escaped, so a name may hold anything.
fn uri(file: &Path, access: Access) -> rusqlite::Result<String> {
    const SAFE: &[u8] = b"/-_.~";
    let mut uri = String::from("file:");
    for &byte in path_bytes(file)?.as_ref() {
        if byte.is_ascii_alphanumeric() || SAFE.contains(&byte) {
            uri.push(char::from(byte));
        } else {
            fmt::Write::write_fmt(&mut uri, format_args!("%{byte:02X}"))
                .map_err(|_| rusqlite::Error::InvalidPath(file.to_owned()))?;
        }
    }
    uri.push_str(match access {
        Access::ReadOnly => "?mode=ro",
        Access::Immutable => "?mode=ro&immutable=1",
        Access::Recover => "?mode=rw",
    });
    Ok(uri)
}

#[cfg(unix)]
fn path_bytes(file: &Path) -> rusqlite::Result<std::borrow::Cow<'_, [u8]>> {
    use std::os::unix::ffi::OsStrExt;
    Ok(file.as_os_str().as_bytes().into())
}

/// Windows: `C:\x` is `/C:/x` in a URI, and the prefix that `canonicalize` adds must go.
#[cfg(not(unix))]
fn path_bytes(file: &Path) -> rusqlite::Result<std::borrow::Cow<'_, [u8]>> {
    let text = file.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(file.to_owned()))?;
    let text = text.strip_prefix(r"\\?\").unwrap_or(text);
    Ok(format!("/{}", text.replace('\\', "/")).into_bytes().into())
}

/// Makes sure that there is a plain file which may be read, and follows symbolic links.
fn readable_file(given: &Path) -> Result<PathBuf> {
    let real = fs::canonicalize(given).map_err(|cause| unreadable_file(given, cause))?;
    let found = fs::metadata(&real).map_err(|cause| unreadable_file(given, cause))?;
    if found.is_dir() {
        return Err(Error::source_file(format!("\"{}\" is a folder", given.display()))
            .hint("Give the path of the SQLite file itself."));
    }
    if !found.is_file() {
        return Err(Error::source_file(format!("\"{}\" is not a regular file", given.display()))
            .detail("SQLite reads a file in any order; a pipe or a device will not do.")
            .hint("Write the database to a file first."));
    }
    may_be_read(&real).map_err(|cause| unreadable_file(given, cause))?;
    Ok(real)
}

/// Not by opening it: closing it again would drop the POSIX locks that other connections of this
/// process hold on the file (<https://www.sqlite.org/howtocorrupt.html> 2.2).
#[cfg(unix)]
fn may_be_read(file: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(file, rustix::fs::Access::READ_OK)?)
}

#[cfg(not(unix))]
fn may_be_read(file: &Path) -> io::Result<()> {
    File::open(file).map(|_| ())
}

pub(super) fn unreadable_file(given: &Path, cause: io::Error) -> Error {
    let shown = given.display();
    match cause.kind() {
        io::ErrorKind::NotFound => {
            Error::source_file(format!("SQLite file \"{shown}\" does not exist"))
                .detail("Nothing was created.")
                .hint("Check the path.")
        }
        io::ErrorKind::PermissionDenied => {
            Error::source_file(format!("SQLite file \"{shown}\" may not be read"))
                .hint("Check the permissions of the file and of the folders above it.")
        }
        _ => Error::source_file(format!("could not open SQLite file \"{shown}\""))
            .hint("Check the path."),
    }
    .caused_by(cause)
}

/// Turns SQLite's refusal into an error, with a look at the first bytes when it is no database.
fn refused(given: &Path, real: &Path, cause: rusqlite::Error) -> Error {
    let shown = given.display().to_string();
    let code = cause.sqlite_error_code();
    let not_a_database = code == Some(ErrorCode::NotADatabase);
    let what = match code {
        Some(ErrorCode::NotADatabase) => {
            format!("\"{shown}\" is not a SQLite database, or is encrypted")
        }
        Some(ErrorCode::DatabaseBusy) => format!("SQLite file \"{shown}\" is locked"),
        _ => format!("could not open SQLite file \"{shown}\""),
    };
    let mut error = fault::explain(what, &shown, cause);
    if code == Some(ErrorCode::DatabaseBusy)
        && let Some(holder) = patience::holder(real)
    {
        error = error.detail(holder);
    }
    match first_bytes(real).filter(|_| not_a_database).and_then(|bytes| other_format(&bytes)) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn first_bytes(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Recognises what people give by mistake.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let starts = |start: &str| {
        bytes.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    };
    if ["PRAGMA ", "BEGIN", "CREATE ", "INSERT ", "--"].iter().any(|start| starts(start)) {
        Some("It looks like SQL text. Make a database of it: sqlite3 new.db < FILE")
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        Some("It is compressed with gzip. Unpack it first.")
    } else if bytes.starts_with(b"PK\x03\x04") {
        Some("It is a zip archive. Unpack it first.")
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Some("It is compressed with zstd. Unpack it first.")
    } else if bytes.starts_with(b"** This file contains an SQLite 2") {
        Some("It was made by SQLite 2. Convert it: sqlite OLD .dump | sqlite3 NEW")
    } else {
        None
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
