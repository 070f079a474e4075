//! Where documents and summaries go: standard output, or the file of `--output`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::names::plain;
use crate::error::{Error, Result};

/// The first bytes of every SQLite database.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Writes to standard output. A reader that went away, as `| head` does, is no failure.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::usage("could not write to standard output").caused_by(error))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. Whoever closed it does not want to know.
pub(super) fn tell(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a file whole or not at all: beside it first, then over it by a rename. Pipes and devices are
/// written directly. A SQLite database is never overwritten: it would be the source, by mistake.
/// `flag` is what the path was given with.
pub(super) fn save(flag: &str, path: &Path, text: &str) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::usage(format!("could not write {}", shown(path))).caused_by(error)
    };
    // The rename goes to what a link points to, and leaves the link alone.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&place) {
        Ok(found) if found.is_dir() => {
            return Err(Error::usage(format!("{flag} {} is a directory", shown(path))));
        }
        Ok(found) if !found.is_file() => {
            let mut file = OpenOptions::new().write(true).open(&place).map_err(failed)?;
            return file.write_all(text.as_bytes()).map_err(failed);
        }
        Ok(_) if is_sqlite(&place) => {
            return Err(Error::usage(format!("{flag} {} is a SQLite database", shown(path)))
                .hint("Give the name of a file for the report; the source is given with --from."));
        }
        _ => {}
    }
    let beside = beside(&place);
    let written = write_new(&beside, text).and_then(|()| fs::rename(&beside, &place));
    if written.is_err() {
        // Never ours to keep; when it cannot be removed, the error below names the folder.
        let _ = fs::remove_file(&beside);
    }
    written.map_err(failed)
}

fn shown(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn is_sqlite(path: &Path) -> bool {
    let mut head = [0; SQLITE_MAGIC.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == SQLITE_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        save("--output", &path, "one").unwrap();
        save("--output", &path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            save("--output", folder.path(), "x").unwrap_err().message().ends_with("is a directory")
        );
        let error = save("--output", &folder.path().join("no/such/report.csv"), "x").unwrap_err();
        assert!(error.message().starts_with("could not write"));
        let database = folder.path().join("dev.db");
        fs::write(&database, b"SQLite format 3\0rest").unwrap();
        assert!(
            save("--output", &database, "x")
                .unwrap_err()
                .message()
                .ends_with("is a SQLite database")
        );
        assert_eq!(fs::read(&database).unwrap(), b"SQLite format 3\0rest");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save("--output", &link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }
}
