//! A private copy of a database that SQLite must recover before anybody can read it.
//!
//! Purpose: a hot journal, or a WAL in a folder that we may not write, makes a read-only open fail.
//! Recovery would write to the user's files; so it happens in a copy, in a folder of our own that
//! nobody else can enter and that is removed when the copy is dropped.
//!
//! Knobs: `TMPDIR` chooses where the folder is made.
//!
//! Known gaps: outside Unix the folder has the permissions that the temporary folder gives it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// How often a copy is begun again because the files changed under it.
const ATTEMPTS: u32 = 5;
/// Pause before the next attempt.
const PAUSE: Duration = Duration::from_millis(200);
/// The database's own file and the two that may hold a part of its content. Not `-shm`: it is only
/// an index over the WAL, and SQLite makes it anew.
const PARTS: [&str; 3] = ["", "-wal", "-journal"];

/// A temporary folder with a copy of the database; dropped, it is removed.
#[derive(Debug)]
pub struct PrivateCopy {
    folder: tempfile::TempDir,
    database: PathBuf,
}

impl PrivateCopy {
    /// Copies a database with its `-wal` and `-journal`, all from one moment.
    pub(super) fn take(source: &Path) -> Result<Self> {
        let folder = private_folder().map_err(|cause| copy_failed(source, cause))?;
        let database = folder.path().join("source.db");
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            if copy_parts(source, &database).map_err(|cause| copy_failed(source, cause))? {
                return Ok(Self { folder, database });
            }
        }
        Err(Error::source_file(format!("could not copy \"{}\"", source.display()))
            .detail("The file kept changing while it was copied.")
            .hint("Stop the application that writes to it, and run the same command again."))
    }

    /// Path of the copied database.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The folder that holds the copy.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Path of the file beside `database` whose name ends in `suffix`.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What tells that a file is still the same and unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    file: (u64, u64),
    size: u64,
    modified: Option<SystemTime>,
}

impl FileIdentity {
    /// Reads the identity; `None` when there is no such file.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(Self::from(&found))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl FileIdentity {
    /// Whether it is the same file, changed or not.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.file == other.file
    }

    /// Size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(found: &Metadata) -> Self {
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt;
            (found.dev(), found.ino())
        };
        #[cfg(not(unix))]
        let file = (0, 0);
        Self { file, size: found.len(), modified: found.modified().ok() }
    }
}

fn private_folder() -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("litelift-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

/// Copies all parts; `false` when one of them changed meanwhile.
fn copy_parts(source: &Path, target: &Path) -> io::Result<bool> {
    let identities = || -> io::Result<Vec<Option<FileIdentity>>> {
        PARTS.iter().map(|suffix| FileIdentity::of(&beside(source, suffix))).collect()
    };
    let before = identities()?;
    for (suffix, identity) in PARTS.iter().zip(&before) {
        let to = beside(target, suffix);
        remove_if_there(&to)?;
        if identity.is_some() {
            copy_part(&beside(source, suffix), &to)?;
        }
    }
    Ok(identities()? == before)
}

/// Removes what an earlier attempt left.
fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies one file. Not `fs::copy`: the copy must be ours to write even where the source is not.
fn copy_part(from: &Path, to: &Path) -> io::Result<()> {
    let mut reader = File::open(from)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    io::copy(&mut reader, &mut options.open(to)?)?;
    Ok(())
}

fn copy_failed(source: &Path, cause: io::Error) -> Error {
    let error = Error::source_file(format!("could not copy \"{}\"", source.display())).detail(
        "SQLite must recover the database before it can be read, which is done in a private copy.",
    );
    let hinted = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            error.hint("Set TMPDIR to a folder with more room than the database is large.")
        }
        io::ErrorKind::PermissionDenied => error.hint(
            "Check that the database, its -wal and its -journal can be read, and TMPDIR written.",
        ),
        _ => error.hint("Set TMPDIR to a folder that can be written."),
    };
    hinted.caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_copied_and_the_folder_goes_with_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("a.db");
        fs::write(&db, b"main").unwrap();
        fs::write(beside(&db, "-wal"), b"wal").unwrap();
        let copy = PrivateCopy::take(&db).unwrap();
        assert_eq!(fs::read(copy.database()).unwrap(), b"main");
        assert_eq!(fs::read(beside(copy.database(), "-wal")).unwrap(), b"wal");
        assert!(!beside(copy.database(), "-journal").exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(copy.folder()), 0o700);
            assert_eq!(mode(copy.database()), 0o600);
        }
        let place = copy.folder().to_owned();
        drop(copy);
        assert!(!place.exists());
    }

    #[test]
    fn a_read_only_source_gives_a_writable_copy() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("a.db");
        fs::write(&db, b"main").unwrap();
        let mut permissions = fs::metadata(&db).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&db, permissions).unwrap();
        let copy = PrivateCopy::take(&db).unwrap();
        assert!(!fs::metadata(copy.database()).unwrap().permissions().readonly());
    }
}
