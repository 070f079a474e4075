//! What a command was asked to do, resolved and checked once.

use std::path::PathBuf;
use std::time::Duration;

use crate::checkpoint::local::Place;
use crate::error::{Error, Result};
use crate::model::merge;
use crate::model::name_style::NameStyle;
use crate::report::VerifyLevel;

/// Which tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Globs of tables to take; empty: all.
    pub only: Vec<String>,
    /// Globs of tables to leave out.
    pub skip: Vec<String>,
    /// Presets as given with `--app`, names or files: what they leave out, and the rest that they say.
    pub apps: Vec<String>,
}

/// How columns get their types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMaps {
    /// Files or built-in names as given with `--type-map`, tried in this order before the default.
    pub user: Vec<String>,
    /// Zone of texts that name none: `UTC`, an offset, or a name of the IANA database.
    pub source_tz: String,
}

impl Default for TypeMaps {
    fn default() -> Self {
        Self { user: Vec::new(), source_tz: "UTC".to_owned() }
    }
}

/// Whether the file is checked for damage before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileCheck {
    /// As `Quick`, for files that are not too large ([`crate::read::integrity::CHECKED_BYTES_MAX`]).
    #[default]
    Automatic,
    /// `PRAGMA quick_check`.
    Quick,
    /// `PRAGMA integrity_check`.
    Full,
    /// Not at all: damage is found when it is met.
    None,
}

/// `inspect`, and the part of `transfer` that looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectOptions {
    /// The SQLite file.
    pub from: PathBuf,
    /// Which tables.
    pub selection: Selection,
    /// Type maps.
    pub type_maps: TypeMaps,
    /// Schema in the target, for the DDL of a dry run.
    pub into: String,
    /// How names are written in the target.
    pub names: NameStyle,
    /// Whether columns get their declared type as a comment.
    pub comments: bool,
    /// Threads.
    pub jobs: usize,
    /// Whether to look for damage first.
    pub check: FileCheck,
    /// Set when the tables are there already (`--data-only`).
    pub data_only: Option<DataOnly>,
}

impl InspectOptions {
    /// Looks at all tables of a file as the run does that filled the target: for commands that go by it.
    #[must_use]
    pub fn by_run(from: PathBuf, into: String, jobs: usize, check: FileCheck) -> Self {
        Self {
            from,
            selection: Selection::default(),
            type_maps: TypeMaps::default(),
            into,
            names: NameStyle::Keep,
            comments: false,
            jobs,
            data_only: Some(DataOnly::default()),
            check,
        }
    }
}

/// What to do with rows that the target has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnExisting {
    /// Write nothing, and say where they are.
    Refuse,
    /// Remove them first.
    Truncate,
    /// Leave them, and insert rows whose key is not there. The columns of the key; none: the primary key.
    Keep(Vec<String>),
    /// Give those whose key the source has its values, and insert the others. The key as for `Keep`.
    Upsert(Vec<String>),
}

/// What to do with the rows of some tables, by a glob, or (without one) of all.
pub type OnExistingOf = (Option<String>, OnExisting);

impl OnExisting {
    /// Reads `WHAT` or `GLOB=WHAT`, where WHAT may name the columns of a key; `None` when it is neither.
    ///
    /// A table's name may hold anything, equals signs too. So the sign that counts is the one behind
    /// which a whole WHAT follows; and as a column in it stands in double quotes when its own name holds
    /// signs ([`merge::parse_key`]), there is never more than one such reading.
    #[must_use]
    pub fn parse(text: &str) -> Option<OnExistingOf> {
        if let Some(what) = Self::parse_what(text) {
            return Some((None, what));
        }
        let mut signs = text.match_indices('=');
        signs.find_map(|(at, _)| {
            Some((Some(text[..at].to_owned()), Self::parse_what(&text[at + 1..])?))
        })
    }

    fn parse_what(text: &str) -> Option<Self> {
        let (word, key) = match text.split_once(':') {
            None => (text, Vec::new()),
            Some((word, key)) => (word, merge::parse_key(key)?),
        };
        match word {
            "refuse" if key.is_empty() => Some(Self::Refuse),
            "truncate" if key.is_empty() => Some(Self::Truncate),
            "keep" => Some(Self::Keep(key)),
            "upsert" => Some(Self::Upsert(key)),
            _ => None,
        }
    }
}

/// How tables that are there already are filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataOnly {
    /// `--on-existing WHAT` (no glob) and `--on-existing GLOB=WHAT`, as given.
    pub on_existing: Vec<OnExistingOf>,
    /// `--rename OLD=NEW`, as given.
    pub renames: Vec<String>,
    /// Globs of tables that are never touched.
    pub protect: Vec<String>,
    /// `--tracking TABLE=COLUMN+COLUMN`, as given.
    pub tracking: Vec<String>,
    /// Globs of triggers that stay on, as `trigger` or `table.trigger`.
    pub keep_triggers: Vec<String>,
    /// Go on when the two sides were migrated to different versions.
    pub allow_version_mismatch: bool,
    /// Make the tables that the target lacks.
    pub create_missing: bool,
}

impl DataOnly {
    /// Returns the flags that decide which rows go where, for the fingerprint of a run.
    #[must_use]
    pub fn choices(&self) -> Vec<String> {
        let renames = self.renames.iter().map(|rename| format!("--rename {rename}"));
        let protect = self.protect.iter().map(|glob| format!("--protect {glob}"));
        let triggers = self.keep_triggers.iter().map(|glob| format!("--keep-trigger {glob}"));
        let tracking = self.tracking.iter().map(|text| format!("--tracking {text}"));
        let create = self.create_missing.then(|| "--create-missing".to_owned());
        renames.chain(protect).chain(triggers).chain(tracking).chain(create).collect()
    }
}

/// What to do with rows that hold a value which a fixed type does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BadRows {
    /// Write nothing, and say which they are.
    #[default]
    Stop,
    /// Leave them out, and write them to files.
    Reject {
        /// Folder of the files.
        dir: PathBuf,
        /// Most rows to leave out; more than that is an error.
        rows_max: Option<u64>,
    },
}

/// `transfer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOptions {
    /// What to look at and how.
    pub inspect: InspectOptions,
    /// URL of the target.
    pub to: String,
    /// Throw away what an earlier run left and begin again.
    pub restart: bool,
    /// Refuse to write anything when a column would be widened or an object not carried.
    pub strict: bool,
    /// What to do with bad rows.
    pub bad_rows: BadRows,
    /// How deep to compare at the end; `None`: not at all.
    pub verify: Option<VerifyLevel>,
    /// How long to wait for another run that holds the lock on the target schema; commands use
    /// [`crate::checkpoint::lock::WAIT`].
    pub lock_wait: Duration,
    /// Where the checkpoints are kept.
    pub checkpoints: Place,
    /// End the sessions of another run that holds the lock, instead of waiting for it.
    pub takeover: bool,
    /// How long to try again when the connection is lost or the server is away; zero: not at all.
    /// Commands use [`crate::transfer::RETRY_FOR`] unless the user says otherwise.
    pub retry_for: Duration,
}

/// `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyOptions {
    /// What to look at; how only counts where the target knows of no run.
    pub inspect: InspectOptions,
    /// URL of the target.
    pub to: String,
    /// `--rename OLD=NEW`, as given; they count where the target knows of no run.
    pub renames: Vec<String>,
    /// How deep.
    pub level: VerifyLevel,
    /// Rows of each kind that are shown of a table.
    pub shown_max: u64,
    /// Whether values stay out of what is shown and written.
    pub redact: bool,
    /// File for every row that differs.
    pub differences: Option<PathBuf>,
    /// Whether what differs is made the same.
    pub repair: bool,
}

/// Where `rehearse` finds its PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScratchPlace {
    /// A server of our own, from the binaries in this folder or wherever they are found.
    Own {
        /// `--pg-bin`.
        pg_bin: Option<PathBuf>,
    },
    /// A database of our own on the server of this URL.
    Borrowed {
        /// `--scratch-url`.
        url: String,
    },
}

/// `rehearse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearseOptions {
    /// What to look at and how.
    pub inspect: InspectOptions,
    /// Where.
    pub scratch: ScratchPlace,
    /// What to do with bad rows.
    pub bad_rows: BadRows,
    /// Refuse when anything would not be carried over as it is.
    pub strict: bool,
}

/// Longest name of PostgreSQL in bytes; it cuts longer ones off.
const NAME_BYTES_MAX: usize = 63;

/// Refuses a target schema that a transfer must not fill.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`].
pub fn check_schema(into: &str) -> Result<()> {
    let shown = into.escape_debug();
    if into.is_empty() {
        return Err(Error::usage("--into is empty").hint("Leave it out for schema public."));
    }
    if into.len() > NAME_BYTES_MAX {
        return Err(Error::usage(format!("--into \"{shown}\" is too long")).detail(format!(
            "A name in PostgreSQL has up to {NAME_BYTES_MAX} bytes, this one has {}.",
            into.len()
        )));
    }
    let owner = if into == "litelift" {
        "litelift's own bookkeeping"
    } else if into == "information_schema" || into.starts_with("pg_") {
        "PostgreSQL itself"
    } else {
        return Ok(());
    };
    Err(Error::usage(format!("--into \"{shown}\" is a schema of {owner}"))
        .hint("Choose another name: the schema is made when it is not there."))
}

/// Largest number that `--jobs` takes: more connections only wait for each other's locks.
pub const JOBS_MAX: usize = 64;

/// Returns the number of jobs to use: as asked, else one per core, at least 2 (so that reading
/// overlaps with the server's work) and at most 8.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when 0 or more than [`JOBS_MAX`] are asked for.
pub fn jobs(asked: Option<usize>) -> Result<usize> {
    match asked {
        Some(jobs) if (1..=JOBS_MAX).contains(&jobs) => Ok(jobs),
        Some(jobs) => Err(Error::usage(format!("--jobs {jobs} is out of range"))
            .detail(format!("It must be from 1 to {JOBS_MAX}."))),
        None => {
            let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
            Ok(cores.clamp(2, 8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, OnExisting) {
        OnExisting::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn of(glob: &str, what: OnExisting) -> (Option<String>, OnExisting) {
        (Some(glob.to_owned()), what)
    }

    fn key(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_to_do_with_rows_may_be_said_for_some_tables() {
        assert_eq!(parsed("truncate"), (None, OnExisting::Truncate));
        assert_eq!(parsed("upsert"), (None, OnExisting::Upsert(Vec::new())));
        assert_eq!(parsed("a=b=refuse"), of("a=b", OnExisting::Refuse));
        for text in ["django_*", "delete", "=", "t=truncate:a", "t=keep:", "t=keep:a,b=c"] {
            assert_eq!(OnExisting::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_may_be_named() {
        assert_eq!(parsed("users=upsert:email"), of("users", OnExisting::Upsert(key(&["email"]))));
        assert_eq!(parsed("t=keep:a+b c"), of("t", OnExisting::Keep(key(&["a", "b c"]))));
        assert_eq!(parsed("keep:id"), (None, OnExisting::Keep(key(&["id"]))));
    }

    #[test]
    fn signs_in_names_have_one_reading() {
        // The name of a table, whatever it looks like.
        assert_eq!(parsed("a=keep:b=upsert"), of("a=keep:b", OnExisting::Upsert(Vec::new())));
        assert_eq!(parsed("upsert:a=keep"), of("upsert:a", OnExisting::Keep(Vec::new())));
        assert_eq!(parsed("a=b=upsert:c"), of("a=b", OnExisting::Upsert(key(&["c"]))));
        // The name of a column.
        let strange = OnExisting::Keep(key(&["b=upsert", "+\""]));
        assert_eq!(parsed("a=keep:\"b=upsert\"+\"+\"\"\""), of("a", strange));
        let inside = OnExisting::Upsert(key(&["x"]));
        assert_eq!(parsed("a=keep:\"b=upsert:\"x\""), of("a=keep:\"b", inside));
    }
}
