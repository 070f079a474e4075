//! Checkpoints that are not in the target: in a file of this machine (`--checkpoint FILE`), or only in the
//! memory of this command (`--no-resume`).
//!
//! Purpose: for roles that may neither make schema `litelift` nor have it made. A mark cannot be in the
//! transaction of its rows then. So it is written, with the transaction's number, before the COMMIT, and the
//! file is on the disk before the COMMIT is sent; whether that took place is asked of the server later
//! (`txid_status`), and confirmed by counting rows. Commits wait for the server's disk, for else a crash could
//! take back what the file says, or give the number to somebody else.
//!
//! The file is lines of JSON, only ever appended to; a last line that is cut off was never acted on.
//!
//! Known gaps: a server that is restored from a backup, or has frozen the transaction since, cannot say what
//! became of it: then the run is refused. Objects of the application cannot be taken away, and rows not
//! merged (a file could be lost with what it takes to bring them back).

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Transaction;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Oid;

use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::mark::Mark;
use crate::model::plan::TransferPlan;

use super::fingerprint::Fingerprint;
use super::store::{FORMAT, StepOutcome};
use super::tables::RefusedClause;

/// Where the checkpoints of a run are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// In the target, in schema `litelift`.
    #[default]
    Target,
    /// In this file.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// How a run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalRun {
    /// [`FORMAT`].
    pub format: i32,
    /// Version of litelift.
    pub tool: String,
    /// Path of the source.
    pub source: String,
    /// `database at host:port as user`.
    pub target: String,
    /// What it began with.
    pub fingerprint: Fingerprint,
    /// The plan.
    pub plan: TransferPlan,
    /// Oids of the tables, by their position in the plan.
    pub relids: Vec<Oid>,
    /// What the server refused of the tables, by their position in the plan.
    pub refused: Vec<(usize, RefusedClause)>,
}

/// What a transaction does, written down before it is committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// The run begins: its tables are made, or emptied.
    Begin(Box<LocalRun>),
    /// Ranges are copied.
    Ranges(Vec<Mark>),
    /// A finishing step ends.
    Step(usize, StepOutcome),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Line {
    Intended { xid: i64, act: Act },
    Committed { xid: i64 },
    RolledBack { xid: i64 },
    Done,
}

/// The checkpoints of one run.
pub struct Local {
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    file: Option<File>,
    /// With the transaction's number, and whether it was committed, as far as that is known. After a crash
    /// of the server a number may come again: what is said of it is said of the last act that has it.
    acts: Vec<(i64, Act, Option<bool>)>,
    is_done: bool,
}

impl Known {
    fn take(&mut self, line: Line) {
        match line {
            Line::Intended { xid, act } => self.acts.push((xid, act, None)),
            Line::Committed { xid } => self.say(xid, true),
            Line::RolledBack { xid } => self.say(xid, false),
            Line::Done => self.is_done = true,
        }
    }

    fn say(&mut self, xid: i64, is_committed: bool) {
        let act = self.acts.iter_mut().rev().find(|act| act.0 == xid);
        if let Some((_, _, state)) = act {
            *state = Some(is_committed);
        }
    }
}

/// What is committed of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// How it began.
    pub run: LocalRun,
    /// Committed ranges.
    pub marks: Vec<Mark>,
    /// Finishing steps that have ended.
    pub steps: Vec<(usize, StepOutcome)>,
    /// True when everything was done.
    pub is_done: bool,
}

impl Local {
    /// Opens the file, or begins without; `None` when the target keeps the checkpoints.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] when the file cannot be read, or holds something else.
    pub fn open(place: &Place) -> Result<Option<Self>> {
        let path = match place {
            Place::Target => return Ok(None),
            Place::Nowhere => return Ok(Some(Self { path: None, known: Mutex::default() })),
            Place::File(path) => path,
        };
        let failed = |error: std::io::Error| unusable(path).caused_by(error);
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(mut file) => drop(file.read_to_end(&mut bytes).map_err(failed)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut known = Known::default();
        // What stands behind the last end of a line was never acted on.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = serde_json::from_slice(line).map_err(|error| {
                unusable(path)
                    .caused_by(error)
                    .hint("It must be a file that `transfer --checkpoint` wrote, or not be there.")
            })?;
            known.take(line);
        }
        if whole == 0 && !bytes.is_empty() && !bytes.starts_with(b"{\"Intended\"") {
            return Err(unusable(path)
                .detail("It holds something else.")
                .hint("Give the path of a file that is not there yet."));
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(failed)?;
        file.set_len(whole as u64).map_err(failed)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(failed)?;
        // The entry in the folder must be there after a crash, too.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        known.file = Some(file);
        Ok(Some(Self { path: Some(path.clone()), known: Mutex::new(known) }))
    }

    /// Returns the file; `None`: nothing is kept.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: Line, is_sure: bool) -> Result<()> {
        let mut known = self.known();
        if let (Some(file), Some(path)) = (&mut known.file, &self.path) {
            let failed = |error: std::io::Error| {
                Error::target(format!("could not write the checkpoint file \"{}\"", path.display()))
                    .caused_by(error)
                    .hint("Nothing is committed that it does not hold. Make room, then run the same command again.")
            };
            let mut text = serde_json::to_vec(&line).map_err(|error| {
                Error::target("could not write down a checkpoint").caused_by(error)
            })?;
            text.push(b'\n');
            file.write_all(&text).map_err(failed)?;
            if is_sure {
                file.sync_data().map_err(failed)?;
            }
        }
        known.take(line);
        Ok(())
    }

    /// Commits a transaction, with what it does written down before.
    ///
    /// # Errors
    /// [`Refused::Ours`] when it cannot be written down; then nothing is committed.
    pub async fn commit(
        &self,
        transaction: Transaction<'_>,
        act: Act,
    ) -> std::result::Result<(), Refused> {
        let sql = "SELECT set_config('synchronous_commit', 'on', true), txid_current()";
        let row = transaction.query_one(sql, &[]).await.map_err(Refused::Server)?;
        let xid: i64 = row.get(1);
        self.write(Line::Intended { xid, act }, true).map_err(Refused::Ours)?;
        transaction.commit().await.map_err(Refused::Server)?;
        // Without it the server is asked; it need not be on the disk.
        self.write(Line::Committed { xid }, false).map_err(Refused::Ours)
    }

    /// Writes down that everything is done.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] when it cannot be written.
    pub fn finish(&self) -> Result<()> {
        self.write(Line::Done, true)
    }

    /// Returns what is committed, after asking the server about what is not known; `None`: nothing has begun.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] when another version wrote the file; [`ErrorKind::TargetState`] when the server
    /// cannot say; [`ErrorKind::Target`].
    pub async fn settle(&self, session: &Session) -> Result<Option<Progress>> {
        let open: Vec<i64> = {
            let known = self.known();
            let open = known.acts.iter().filter(|(_, _, state)| state.is_none());
            open.map(|(xid, _, _)| *xid).collect()
        };
        for xid in open {
            let line = match status(session, xid).await?.as_deref() {
                Some("committed") => Line::Committed { xid },
                Some("aborted") => Line::RolledBack { xid },
                other => return Err(self.not_known(other.unwrap_or("no longer known"))),
            };
            self.write(line, false)?;
        }
        self.progress()
    }

    fn not_known(&self, status: &str) -> Error {
        let error = Error::new(
            ErrorKind::TargetState,
            "the server cannot say whether a transaction was committed",
        )
        .detail(format!("Its state is: {status}. Nothing was changed."));
        match &self.path {
            None => error.hint("Empty the tables and begin again."),
            Some(path) => error.hint(format!(
                "Empty or drop the tables of the transfer, delete \"{}\", and begin again.",
                path.display()
            )),
        }
    }

    /// Returns what is known to be committed.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] when another version wrote the file.
    pub fn progress(&self) -> Result<Option<Progress>> {
        let known = self.known();
        let mut progress: Option<Progress> = None;
        for (_, act, _) in known.acts.iter().filter(|(_, _, state)| *state == Some(true)) {
            match (act, &mut progress) {
                (Act::Begin(run), _) if run.format != FORMAT => {
                    return Err(Error::new(
                        ErrorKind::Changed,
                        "the checkpoint file was written by another version of litelift",
                    )
                    .detail(format!("It was {}, this is {}.", run.tool, env!("CARGO_PKG_VERSION")))
                    .hint("Finish the transfer with that version."));
                }
                (Act::Begin(run), _) => {
                    let (marks, steps) = (Vec::new(), Vec::new());
                    let run = LocalRun::clone(run);
                    progress = Some(Progress { run, marks, steps, is_done: known.is_done });
                }
                (Act::Ranges(marks), Some(progress)) => progress.marks.extend(marks),
                (Act::Step(number, outcome), Some(progress)) => {
                    progress.steps.push((*number, outcome.clone()));
                }
                (Act::Ranges(_) | Act::Step(..), None) => {}
            }
        }
        Ok(progress)
    }

    /// Adds to an error what it leaves, when nothing is kept to go on with.
    #[must_use]
    pub fn left(&self, error: Error) -> Error {
        if self.path.is_some() {
            return error;
        }
        let Ok(Some(progress)) = self.progress() else { return error };
        let plan = &progress.run.plan;
        let (mut whole, mut part) = (Vec::new(), Vec::new());
        for (position, table) in plan.tables.iter().enumerate() {
            let planned = plan.ranges.iter().filter(|range| range.table == position).count();
            let there = progress.marks.iter().filter(|mark| mark.table == position).count();
            let names = if there < planned { &mut part } else { &mut whole };
            names.push(table.target.as_str());
        }
        let error = match part.as_slice() {
            [] => error.detail("All rows are there; what is made after them is not complete."),
            part => error.detail(format!("Not complete are {}.", super::resume::named(part))),
        };
        let error = if whole.is_empty() || part.is_empty() {
            error
        } else {
            error.detail(format!("All rows are there of {}.", super::resume::named(&whole)))
        };
        error.hint(if plan.fill.is_some() {
            "With --no-resume nothing is kept to go on with: empty these tables before the next try, or let it do so with --on-existing truncate."
        } else {
            "With --no-resume nothing is kept to go on with: drop these tables before the next try."
        })
    }
}

/// Why a commit did not take place, or is not known to have.
#[derive(Debug)]
pub enum Refused {
    /// By the server, or the way to it.
    Server(tokio_postgres::Error),
    /// It could not be written down.
    Ours(Error),
}

impl Refused {
    /// Returns the error; `what` completes "could not ...".
    #[must_use]
    pub fn into_error(self, what: &str) -> Error {
        match self {
            Self::Server(error) => failure::failed(what, &error),
            Self::Ours(error) => error,
        }
    }
}

fn unusable(path: &Path) -> Error {
    Error::usage(format!("--checkpoint \"{}\" cannot be used", path.display()))
}

async fn status(session: &Session, xid: i64) -> Result<Option<String>> {
    match session.query_one("SELECT txid_status($1)", &[&xid]).await {
        Ok(row) => Ok(row.get(0)),
        // "transaction ID is in the future": it is not the server, or not the state of it, that it was.
        Err(error)
            if error.code() == Some(&tokio_postgres::error::SqlState::INVALID_PARAMETER_VALUE) =>
        {
            Ok(None)
        }
        Err(error) => Err(failure::failed("ask what became of a transaction", &error)),
    }
}
