//! Is the file still the one that is being read?
//!
//! Purpose: SQLite's locks keep programs out that use SQLite. A file can also be renamed over, cut off,
//! or written in place by a program that knows nothing of locks (`cp`, a sync client). What can be seen of
//! that is looked at after each piece of work on a [`Snapshot`](super::Snapshot): one or two `stat`s.
//!
//! What may change while a snapshot is held, by the way in which the file is read:
//! - rollback journal: nothing. Our shared lock keeps every writer from the file itself;
//! - WAL: the file may be written by a checkpoint, but neither become shorter than the snapshot needs,
//!   nor lose its `-wal`;
//! - without locks: nothing, and no `-wal` or `-journal` may appear;
//! - a private copy: everything, for it is not the file that is read.
//!
//! A file that was renamed over goes on being read as it was: the open connections hold the old one,
//! which has no name any more and which nobody writes. That is one state, so it is told and is no error.
//!
//! Known gaps: a WAL database that is overwritten in place, to the same or a larger size, cannot be told
//! from one that a checkpoint wrote. What is read then is most often damaged, but need not be.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::open::{OpenedHow, Source, unchanged, unreadable_file};
use super::private_copy::{FileIdentity, beside};
use crate::error::{Error, Result};

/// What the files were when the snapshot was taken, and what of it must stay.
#[derive(Debug)]
pub(super) struct Watch {
    given: PathBuf,
    real: PathBuf,
    begun: FileIdentity,
    how: How,
}

#[derive(Debug)]
enum How {
    /// Rollback journal: no byte may change.
    Locked,
    Wal {
        /// The file never needs to be shorter than this.
        bytes_min: u64,
        wal: Option<FileIdentity>,
    },
    Unlocked(FileIdentity),
    Copied,
}

/// What became of a file that is fit to be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is where it was.
    There,
    /// Another file has its name, or none.
    Replaced,
}

impl Watch {
    /// Begins to watch. `before` is what the file was before the first connection was opened; `conn` is
    /// one that has begun to read.
    pub(super) fn begin(source: &Source, before: &FileIdentity, conn: &Connection) -> Result<Self> {
        let (given, real) = (source.path().to_owned(), source.real_path().to_owned());
        let look = |path: &Path| FileIdentity::of(path).map_err(|e| unreadable_file(&given, e));
        let begun = look(&real)?.filter(|now| now.is_same_file(before));
        let Some(begun) = begun else {
            return Err(Error::source_file(format!(
                "\"{}\" was replaced while it was opened",
                given.display()
            ))
            .hint("Run the same command again."));
        };
        let how = match source.how() {
            OpenedHow::PrivateCopy(_) => How::Copied,
            OpenedHow::Immutable(before) => How::Unlocked(before.clone()),
            OpenedHow::Direct if is_wal(conn) => How::Wal {
                bytes_min: begun.size().min(bytes(conn)),
                wal: look(&beside(&real, "-wal"))?,
            },
            OpenedHow::Direct => How::Locked,
        };
        Ok(Self { given, real, begun, how })
    }

    /// The `-wal` that grows while the snapshot is held; `None` when there is none to grow.
    pub(super) fn wal(&self) -> Option<PathBuf> {
        matches!(self.how, How::Wal { .. }).then(|| beside(&self.real, "-wal"))
    }

    /// Looks whether what was read so far is of one state.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] when that cannot be said any more.
    pub(super) fn check(&self) -> Result<Seen> {
        let look = |path: &Path| -> Result<Option<FileIdentity>> {
            FileIdentity::of(path).map_err(|cause: io::Error| unreadable_file(&self.given, cause))
        };
        match &self.how {
            How::Copied => Ok(Seen::There),
            How::Unlocked(before) => {
                unchanged(&self.given, &self.real, before).map(|()| Seen::There)
            }
            How::Locked => match look(&self.real)? {
                Some(now) if now.is_same_file(&self.begun) => {
                    if now == self.begun {
                        Ok(Seen::There)
                    } else {
                        Err(self.written(&now))
                    }
                }
                _ => Ok(Seen::Replaced),
            },
            How::Wal { bytes_min, wal } => match look(&self.real)? {
                Some(now) if now.is_same_file(&self.begun) => {
                    if now.size() < *bytes_min {
                        return Err(self.written(&now));
                    }
                    let still = look(&beside(&self.real, "-wal"))?;
                    match (wal, still) {
                        (Some(wal), Some(now)) if now.is_same_file(wal) => Ok(Seen::There),
                        (None, _) => Ok(Seen::There),
                        _ => Err(self.without_wal()),
                    }
                }
                _ => Ok(Seen::Replaced),
            },
        }
    }

    fn written(&self, now: &FileIdentity) -> Error {
        let what = if now.size() < self.begun.size() {
            format!(
                "It had {} bytes, and now has {}: it was truncated.",
                self.begun.size(),
                now.size()
            )
        } else {
            "It was written without SQLite's locks, as cp, rsync or a sync client does.".to_owned()
        };
        self.changed().detail(what)
    }

    fn without_wal(&self) -> Error {
        self.changed()
            .detail("Its -wal was removed or replaced, which SQLite does not do meanwhile.")
    }

    fn changed(&self) -> Error {
        Error::source_file(format!("\"{}\" was changed while it was read", self.given.display()))
            .hint("See what writes to it, check it with `PRAGMA integrity_check`, and run again.")
    }
}

fn is_wal(conn: &Connection) -> bool {
    let mode = conn.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    mode.is_ok_and(|mode| mode.eq_ignore_ascii_case("wal"))
}

/// Bytes of all pages of the snapshot.
fn bytes(conn: &Connection) -> u64 {
    let number = |name: &str| {
        let number = conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        number.ok().and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
    };
    number("page_count").saturating_mul(number("page_size"))
}
