//! The one error type of litelift.
//!
//! Purpose: every failure that a user can meet carries a primary line, an optional detail, hints,
//! and a [`ErrorKind`] that decides the exit code. Texts follow PostgreSQL's style: the primary line
//! starts in lower case without a full stop, detail and hint are sentences.
//!
//! Known gaps: one error is reported per run; when several workers fail at once the others are only
//! counted in the detail.

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, as far as the exit code is concerned (`../shared` contract: exit codes 1-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Source and target differ, rows were rejected, or `--strict` found something not carried over.
    Differences,
    /// The command line, the environment or a configuration file is wrong.
    Usage,
    /// The SQLite file cannot be read, or is damaged.
    Source,
    /// PostgreSQL cannot be reached, refused something, or the connection was lost.
    Target,
    /// The user stopped the run; running the same command again continues it.
    Interrupted,
    /// Another run holds the lock on this target schema.
    Locked,
    /// Source, options or type map changed since the checkpoint was written.
    Changed,
    /// The target does not look as it must: tables exist already, or are missing.
    TargetState,
}

impl ErrorKind {
    /// Returns the process exit code for this kind.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Differences => 1,
            Self::Usage => 2,
            Self::Source => 3,
            Self::Target => 4,
            Self::Interrupted => 5,
            Self::Locked => 6,
            Self::Changed => 7,
            Self::TargetState => 8,
        }
    }
}

/// Why an error may pass by itself, so that the same work is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transient {
    /// The connection was lost, or the server ended it.
    ConnectionLost,
    /// The server takes no more connections now: it starts, stops, or has too many.
    Unavailable,
    /// Another transaction was in the way: a deadlock, or a serialization failure.
    Conflict,
    /// Somebody else held a lock for too long.
    Locked,
}

type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An error with a kind, a primary line, and what a user needs to go on.
#[derive(Debug)]
pub struct Error(Box<Repr>);

#[derive(Debug)]
struct Repr {
    kind: ErrorKind,
    message: String,
    detail: Option<String>,
    hints: Vec<String>,
    cause: Option<Cause>,
    transient: Option<Transient>,
}

impl Error {
    /// Makes an error from its kind and primary line.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Repr {
            kind,
            message: message.into(),
            detail: None,
            hints: Vec::new(),
            cause: None,
            transient: None,
        }))
    }

    /// Makes an [`ErrorKind::Usage`] error.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Makes an [`ErrorKind::Source`] error.
    #[must_use]
    pub fn source_file(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Source, message)
    }

    /// Makes an [`ErrorKind::Target`] error.
    #[must_use]
    pub fn target(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Target, message)
    }

    /// Makes the error of a run that the user stopped.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
    }

    /// Adds a detail; a second call appends a line.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.0.detail = Some(match self.0.detail.take() {
            Some(before) => format!("{before}\n{detail}"),
            None => detail,
        });
        self
    }

    /// Adds what another error says, for whoever wants to know everything at once.
    #[must_use]
    pub fn also(self, other: &Self) -> Self {
        let told = std::iter::once(format!("And {}", other.message())).chain(other.full_detail());
        let this = told.fold(self, Self::detail);
        other.hints().iter().cloned().fold(this, Self::hint)
    }

    /// Adds a hint: what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says that the error may pass by itself.
    #[must_use]
    pub fn transient(mut self, why: impl Into<Option<Transient>>) -> Self {
        self.0.transient = why.into();
        self
    }

    /// Returns why the error may pass by itself, if it may.
    #[must_use]
    pub fn may_pass(&self) -> Option<Transient> {
        self.0.transient
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the primary line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the detail: own detail first, then the chain of causes, a line each.
    #[must_use]
    pub fn full_detail(&self) -> Option<String> {
        let mut lines: Vec<String> = self.0.detail.iter().cloned().collect();
        let mut cause: Option<&(dyn std::error::Error + 'static)> =
            self.0.cause.as_deref().map(|cause| cause as _);
        while let Some(error) = cause {
            let text = error.to_string();
            // Drivers repeat the text of their own cause: print each sentence once.
            let is_new = |line: &String| !line.contains(&text) && !text.ends_with(line.as_str());
            if !text.is_empty() && lines.iter().all(is_new) {
                lines.push(text);
            }
            cause = error.source();
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Returns the hints, most useful first.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_exit_code() {
        let codes: Vec<u8> = [
            ErrorKind::Differences,
            ErrorKind::Usage,
            ErrorKind::Source,
            ErrorKind::Target,
            ErrorKind::Interrupted,
            ErrorKind::Locked,
            ErrorKind::Changed,
            ErrorKind::TargetState,
        ]
        .map(ErrorKind::exit_code)
        .to_vec();
        assert_eq!(codes, (1..=8).collect::<Vec<u8>>());
    }

    #[test]
    fn detail_holds_own_text_and_causes_once() {
        let cause = std::io::Error::other("disk on fire");
        let error = Error::source_file("could not read").detail("Page 3.").caused_by(cause);
        assert_eq!(error.full_detail().as_deref(), Some("Page 3.\ndisk on fire"));
    }
}
