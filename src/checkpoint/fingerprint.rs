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
use crate::model::name_style::NameStyle;

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
    /// Time of change of a -wal that is not empty. Once it was checkpointed it is written again from
    /// its begin: then neither size nor header tell of a commit (measured).
    pub wal_modified_ns: u128,
    /// Selection and type maps.
    pub options: Choices,
}

/// The options that decide what is copied, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// `--only`.
    pub only: Vec<String>,
    /// `--skip`.
    pub skip: Vec<String>,
    /// `--source-tz`.
    pub zone: String,
    /// All rules, the built-in ones included.
    pub rules: String,
    /// `--data-only` with what decides which rows go where; `None`: the tables are made.
    #[serde(default)]
    pub data_only: Option<Vec<String>>,
    /// `--names`.
    #[serde(default)]
    pub names: NameStyle,
    /// `--comments`.
    #[serde(default)]
    pub comments: bool,
    /// `--app`: names, and the rows that decide which rows go where.
    #[serde(default)]
    pub apps: Vec<(String, String)>,
}

impl Choices {
    /// Says what differs from earlier ones, a sentence each.
    fn differences(&self, earlier: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (flag, now, before) in
            [("--only", &self.only, &earlier.only), ("--skip", &self.skip, &earlier.skip)]
        {
            if now != before {
                let (now, before) = (shown(now), shown(before));
                found
                    .push(format!("{flag} was {before} when the transfer began, now it is {now}."));
            }
        }
        if self.zone != earlier.zone {
            found.push(format!(
                "--source-tz was {} when the transfer began, now it is {}.",
                earlier.zone, self.zone
            ));
        }
        let data_only = |choices: &Self| match &choices.data_only {
            None => "not given".to_owned(),
            Some(flags) if flags.is_empty() => "given alone".to_owned(),
            Some(flags) => format!("given with {}", flags.join(" ").escape_debug()),
        };
        if self.data_only != earlier.data_only {
            found.push(format!(
                "--data-only was {} when the transfer began, now it is {}.",
                data_only(earlier),
                data_only(self)
            ));
        }
        if self.names != earlier.names {
            found.push(format!(
                "--names was {} when the transfer began, now it is {}.",
                earlier.names, self.names
            ));
        }
        if self.comments != earlier.comments {
            let given = |is: bool| if is { "given" } else { "not given" };
            found.push(format!(
                "--comments was {} when the transfer began, now it is {}.",
                given(earlier.comments),
                given(self.comments)
            ));
        }
        let names = |apps: &[(String, String)]| -> Vec<String> {
            apps.iter().map(|(name, _)| name.clone()).collect()
        };
        let (apps, apps_before) = (names(&self.apps), names(&earlier.apps));
        if apps != apps_before {
            found.push(format!(
                "--app was {} when the transfer began, now it is {}.",
                shown(&apps_before),
                shown(&apps)
            ));
        } else if self.apps != earlier.apps {
            found.push("What --app stands for is not what the transfer began with.".to_owned());
        }
        if self.rules != earlier.rules {
            found.push("The type maps are not those with which the transfer began.".to_owned());
        }
        found
    }
}

fn shown(globs: &[String]) -> String {
    let quoted: Vec<String> =
        globs.iter().map(|glob| format!("\"{}\"", glob.escape_debug())).collect();
    if quoted.is_empty() { "not given".to_owned() } else { quoted.join(", ") }
}

/// What is not as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The source, a sentence each.
    pub source: Vec<String>,
    /// The options, a sentence each.
    pub options: Vec<String>,
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
    pub fn take(file: &Path, options: Choices) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::source_file(format!("could not read \"{}\"", file.display())).caused_by(error)
        };
        let now = Sizes::of(file).map_err(failed)?;
        let head = first_bytes(file, 100).map_err(failed)?;
        let part = |from: usize, to: usize| head.get(from..to).map(hex).unwrap_or_default();
        let wal_header = if now.wal_bytes == 0 {
            String::new()
        } else {
            hex(&first_bytes(&wal_of(file), 32).map_err(failed)?)
        };
        Ok(Self {
            bytes: now.bytes,
            modified_ns: now.modified_ns,
            header: format!("{}-{}", part(24, 28), part(92, 100)),
            wal_bytes: now.wal_bytes,
            wal_header,
            wal_modified_ns: now.wal_modified_ns,
            options,
        })
    }

    /// Returns the same options with the file as another fingerprint saw it.
    #[must_use]
    pub fn of_file(&self, now: &Self) -> Self {
        Self { options: self.options.clone(), ..now.clone() }
    }

    /// Returns whether the file looks as it did, as far as that can be seen without opening it.
    #[must_use]
    pub fn is_still(&self, file: &Path) -> bool {
        let before = Sizes {
            bytes: self.bytes,
            modified_ns: self.modified_ns,
            wal_bytes: self.wal_bytes,
            wal_modified_ns: self.wal_modified_ns,
        };
        Sizes::of(file).is_ok_and(|now| now == before)
    }

    /// Says what differs from an earlier fingerprint; `None` when nothing does.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Option<Differences> {
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
        if self.wal_bytes != earlier.wal_bytes {
            found.push(format!(
                "The -wal had {} bytes when the transfer began, now it has {}.",
                earlier.wal_bytes, self.wal_bytes
            ));
        } else if (&self.wal_header, self.wal_modified_ns)
            != (&earlier.wal_header, earlier.wal_modified_ns)
        {
            found.push("The -wal was written since the transfer began.".to_owned());
        }
        let options = self.options.differences(&earlier.options);
        let found = Differences { source: found, options };
        (found != Differences::default()).then_some(found)
    }
}

/// What the file system says of a database and its -wal.
#[derive(Debug, PartialEq, Eq)]
struct Sizes {
    bytes: u64,
    modified_ns: u128,
    wal_bytes: u64,
    wal_modified_ns: u128,
}

impl Sizes {
    fn of(file: &Path) -> std::io::Result<Self> {
        let modified_ns = |metadata: &fs::Metadata| {
            let modified = metadata.modified()?;
            Ok::<_, std::io::Error>(
                modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()),
            )
        };
        let main = fs::metadata(file)?;
        // An empty one is as good as none: opening the database makes one.
        let wal = fs::metadata(wal_of(file)).ok().filter(|wal| wal.len() > 0);
        Ok(Self {
            bytes: main.len(),
            modified_ns: modified_ns(&main)?,
            wal_bytes: wal.as_ref().map_or(0, fs::Metadata::len),
            wal_modified_ns: wal.as_ref().map_or(Ok(0), modified_ns)?,
        })
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
