//! Is this the source, and are these the options, that the run began with?
//!
//! Purpose: a stopped transfer may only go on when the rest of the rows comes from the same state of
//! the file, with the same decisions. Another schema, other options or another encoder: the run cannot go
//! on. Everything else about the file (size, times, counters, where it lies) is a hint: when it is equal
//! the rows are taken to be, when not they are read again and compared (`transfer/changed`). In WAL mode
//! the header's change counter does not move (measured), so size, time of change and the header of the
//! -wal are compared too.
//!
//! Known gaps: who sets back the time of change of a file of the same size, in WAL mode, is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::encode::range_hash;
use crate::error::{Error, Result};
use crate::model::name_style::NameStyle;
use crate::model::source_identity::SourceIdentity;

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
    /// Device and inode of the file, where the system has them.
    #[serde(default)]
    pub inode: Option<(u64, u64)>,
    /// What SQLite says of the file; `None`: an earlier version of litelift did not ask.
    #[serde(default)]
    pub identity: Option<SourceIdentity>,
    /// By which rule values become bytes ([`range_hash::VERSION`]); `None`: an earlier version of litelift.
    #[serde(default)]
    pub encoder: Option<u32>,
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
    /// Signs that rows may have changed, a sentence each.
    pub hints: Vec<String>,
    /// The schema of the source, and how litelift encodes it, a sentence each: a run cannot go on.
    pub schema: Vec<String>,
    /// The options, a sentence each: a run cannot go on.
    pub options: Vec<String>,
}

impl Differences {
    /// Returns true when there are only signs, which the rows themselves may refute.
    #[must_use]
    pub fn are_hints(&self) -> bool {
        self.schema.is_empty() && self.options.is_empty()
    }
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
            inode: inode(file),
            identity: None,
            encoder: Some(range_hash::VERSION),
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
        if let (Some(now), Some(before)) = (self.inode, earlier.inode)
            && now != before
        {
            found.push("It is another file than the transfer began with: it was copied, restored or replaced.".to_owned());
        }
        let mut schema = Vec::new();
        if let (Some(now), Some(before)) = (&self.identity, &earlier.identity) {
            counters(now, before, &mut found);
            schema = other_objects(now, before);
        }
        if let Some(before) = earlier.encoder.filter(|_| self.encoder != earlier.encoder) {
            let now = self.encoder.unwrap_or_default();
            schema.push(format!(
                "The version of litelift that began it encodes values by rule {before}, this one by rule {now}."
            ));
        }
        let options = self.options.differences(&earlier.options);
        let found = Differences { hints: found, schema, options };
        (found != Differences::default()).then_some(found)
    }
}

/// What SQLite counts: signs only, for VACUUM and an application's own versions move them too.
fn counters(now: &SourceIdentity, before: &SourceIdentity, found: &mut Vec<String>) {
    for (what, now, before) in [
        ("user_version", now.user_version, before.user_version),
        ("application_id", now.application_id, before.application_id),
        ("schema_version", now.schema_version, before.schema_version),
        ("page_size", now.page_bytes, before.page_bytes),
        ("page_count", now.pages, before.pages),
    ] {
        if now != before {
            found.push(format!(
                "PRAGMA {what} was {before} when the transfer began, now it is {now}."
            ));
        }
    }
}

/// Objects that are not what they were, with both texts.
fn other_objects(now: &SourceIdentity, before: &SourceIdentity) -> Vec<String> {
    const SHOWN_MAX: usize = 8;
    let mut found = Vec::new();
    if now.encoding != before.encoding {
        found.push(format!(
            "The file's encoding was {} when the transfer began, now it is {}.",
            before.encoding.escape_debug(),
            now.encoding.escape_debug()
        ));
    }
    let by_name = |identity: &'_ SourceIdentity| -> BTreeMap<(String, String), String> {
        let objects = identity.objects.iter();
        objects.map(|it| ((it.kind.clone(), it.name.clone()), it.sql.clone())).collect()
    };
    let (now, before) = (by_name(now), by_name(before));
    let names: BTreeSet<_> = now.keys().chain(before.keys()).collect();
    let others: Vec<_> =
        names.into_iter().filter(|name| now.get(*name) != before.get(*name)).collect();
    for name in others.iter().take(SHOWN_MAX) {
        let text = |objects: &BTreeMap<_, String>| {
            objects.get(*name).map_or_else(|| "not there".to_owned(), |sql| cut(sql))
        };
        found.push(format!(
            "The {} \"{}\" was {} when the transfer began, now it is {}.",
            name.0.escape_debug(),
            name.1.escape_debug(),
            text(&before),
            text(&now)
        ));
    }
    if others.len() > SHOWN_MAX {
        found.push(format!("And {} more objects.", others.len() - SHOWN_MAX));
    }
    found
}

/// A CREATE text on one line, of a length that can be read.
fn cut(sql: &str) -> String {
    const SHOWN_CHARS: usize = 200;
    let folded = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = folded.chars();
    let head: String = chars.by_ref().take(SHOWN_CHARS).collect();
    let more = if chars.next().is_some() { "..." } else { "" };
    format!("`{}{more}`", head.escape_debug())
}

#[cfg(unix)]
fn inode(file: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<(u64, u64)> {
    None
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
