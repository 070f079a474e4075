//! Is this the source, and are these the options, that the run began with?
//!
//! Purpose: a stopped transfer may only go on when the rest of the rows comes from the same state of
//! the file, with the same decisions. In WAL mode the header's change counter does not move
//! (measured), so size, time of change and the header of the -wal are compared too.
//!
//! Known gaps: these are hints that err on the safe side: a file that was only touched counts as
//! changed. Comparing the content itself is a later step.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What must be equal for a run to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Time of change, nanoseconds since 1970.
    pub modified_ns: u128,
    /// Header bytes 24-27 and 92-99: change counter, version-valid-for, SQLite version.
    pub header: String,
    /// Size of the -wal in bytes; an absent one has 0.
    pub wal_bytes: u64,
    /// Header of the -wal, with its salts, as hexadecimal digits.
    pub wal_header: String,
    /// Selection and type maps, in one text.
    pub options: String,
}

impl Fingerprint {
    /// Takes the fingerprint of a file as it is now.
    ///
    /// Call it before SQLite has opened the file in this process: closing any descriptor of a file
    /// drops the locks that the process holds on it (POSIX), SQLite's included. Afterwards use
    /// [`Self::is_still`], which opens nothing but the -wal, on which SQLite keeps no locks.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] when the file cannot be read.
    pub fn take(file: &Path, options: String) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::source_file(format!("could not read \"{}\"", file.display())).caused_by(error)
        };
        let metadata = fs::metadata(file).map_err(failed)?;
        let modified = metadata.modified().map_err(failed)?;
        let head = first_bytes(file, 100).map_err(failed)?;
        let part = |from: usize, to: usize| head.get(from..to).map(hex).unwrap_or_default();
        let wal = wal_of(file);
        let wal_bytes = fs::metadata(&wal).map_or(0, |metadata| metadata.len());
        let wal_header = if wal_bytes == 0 {
            String::new()
        } else {
            hex(&first_bytes(&wal, 32).map_err(failed)?)
        };
        Ok(Self {
            bytes: metadata.len(),
            modified_ns: modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()),
            header: format!("{}-{}", part(24, 28), part(92, 100)),
            wal_bytes,
            wal_header,
            options,
        })
    }

    /// Returns whether the file looks as it did, as far as that can be seen without opening it.
    #[must_use]
    pub fn is_still(&self, file: &Path) -> bool {
        let modified_ns = |metadata: &fs::Metadata| {
            let modified = metadata.modified().ok()?;
            modified.duration_since(UNIX_EPOCH).ok().map(|since| since.as_nanos())
        };
        let main = fs::metadata(file).is_ok_and(|metadata| {
            metadata.len() == self.bytes && modified_ns(&metadata) == Some(self.modified_ns)
        });
        let wal_bytes = fs::metadata(wal_of(file)).map_or(0, |metadata| metadata.len());
        main && wal_bytes == self.wal_bytes
    }

    /// Says what differs from an earlier fingerprint, a sentence each; empty when nothing does.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.bytes != earlier.bytes {
            found.push(format!(
                "The file had {} bytes when the transfer began, now it has {}.",
                earlier.bytes, self.bytes
            ));
        } else if self.header != earlier.header {
            found.push(format!(
                "The file's change counter was {} when the transfer began, now it is {}.",
                counter(&earlier.header),
                counter(&self.header)
            ));
        } else if self.modified_ns != earlier.modified_ns {
            found.push("The file was written, or touched, since the transfer began.".to_owned());
        }
        if (self.wal_bytes, &self.wal_header) != (earlier.wal_bytes, &earlier.wal_header) {
            found.push(format!(
                "The -wal had {} bytes when the transfer began, now it has {}{}.",
                earlier.wal_bytes,
                self.wal_bytes,
                if self.wal_bytes == earlier.wal_bytes { " others" } else { "" }
            ));
        }
        if self.options != earlier.options {
            found.push("Options or type maps are not those of the first command.".to_owned());
        }
        found
    }
}

/// The path with `-wal` at its end.
fn wal_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn first_bytes(file: &Path, count: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn counter(header: &str) -> u32 {
    header.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0)
}
