//! Tries again when the server, or the way to it, failed in a way that may pass.
//!
//! Purpose: what was committed is written down in the target, so going on after a lost connection, a
//! restarted server, a deadlock or a lock that was held too long is what the next command would do; here
//! it is done in the same process, on the same snapshot of the source. Whether a COMMIT whose answer
//! was lost took place is read from the target like all else. What does not pass by itself (disk full, a
//! missing right, a bad row) is not tried again.
//!
//! Knobs: [`RETRY_FOR`], and the constants below.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::checkpoint::lock;
use crate::connect::{Session, Target};
use crate::error::{Error, ErrorKind, Result, Transient};
use crate::event::{Cancel, Event, Listener};
use crate::model::mark::Mark;
use crate::options::TransferOptions;

use super::begin::Begun;

/// How long a server that cannot be reached is waited for, unless the user says otherwise.
pub const RETRY_FOR: Duration = Duration::from_secs(30);
/// Before each try; there are no more tries without progress than waits.
const WAITS_S: [u64; 5] = [1, 2, 4, 8, 15];
/// What goes on failing for so long while nothing more is committed goes on failing.
const FAILING_MAX: Duration = Duration::from_secs(60);

/// The tries of one command.
pub(super) struct Attempts<'a> {
    /// The command's options; a new run is begun only once.
    pub(super) options: TransferOptions,
    /// Held from the first try to the last, unless its session is lost.
    lock: Option<Session>,
    target: &'a Target,
    listener: &'a Arc<dyn Listener>,
    cancel: &'a Cancel,
    first: Option<First>,
    /// Ranges and steps that were done when the last try began.
    done: usize,
    tries: usize,
    /// How to go on with what has begun.
    hints: Vec<String>,
    /// When the first of the tries without progress failed.
    failing_since: Option<Instant>,
}

/// What the command found when it began.
struct First {
    is_continued: bool,
    looked: Duration,
    before: Vec<Mark>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(
        target: &'a Target,
        options: &TransferOptions,
        listener: &'a Arc<dyn Listener>,
        cancel: &'a Cancel,
    ) -> Self {
        target.listen(listener);
        Self {
            options: options.clone(),
            lock: None,
            target,
            listener,
            cancel,
            first: None,
            done: 0,
            tries: 0,
            hints: Vec::new(),
            failing_since: None,
        }
    }

    /// Takes the lock of the transfer, where it is not held.
    pub(super) async fn lock(&mut self) -> Result<()> {
        if self.lock.is_none() {
            let listener = self.listener.as_ref();
            let first = lock::take(self.target, &self.options, listener, self.cancel);
            self.lock = Some(match &self.first {
                None => first.await?,
                Some(_) => {
                    lock::retake(self.target, &self.options.inspect.into, listener, self.cancel)
                        .await?
                }
            });
        }
        Ok(())
    }

    /// Takes note of where a try begins. Returns true when it is the first: later ones go on with
    /// what this command itself began, and report on it as one.
    pub(super) fn has_begun(&mut self, begun: &mut Begun) -> bool {
        self.options.restart = false;
        let done = begun.marks.len() + begun.steps.len();
        if done > self.done {
            self.tries = 0;
            self.failing_since = None;
        }
        self.done = done;
        self.hints = super::hints_to_continue(begun);
        if let Some(first) = &self.first {
            begun.is_continued = first.is_continued;
            begun.looked = first.looked;
            begun.before.clone_from(&first.before);
            return false;
        }
        self.first = Some(First {
            is_continued: begun.is_continued,
            looked: begun.looked,
            before: begun.before.clone(),
        });
        true
    }

    /// Waits until another try is worth it.
    ///
    /// # Errors
    /// `error`, when it does not pass by itself, or did not within the time and tries that it is given;
    /// interrupted.
    pub(super) async fn after(&mut self, error: Error) -> Result<()> {
        let Some(why) = error.may_pass() else { return Err(self.with_hints(error)) };
        let error = match (why, self.target.holders()) {
            (Transient::Locked, Some(holders)) => error.detail(format!("It is held by {holders}.")),
            _ => error,
        };
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let outage = Instant::now();
        let mut error = error;
        loop {
            let Some(seconds) = WAITS_S.get(self.tries) else { return Err(self.gave_up(error)) };
            let wait = Duration::from_secs(*seconds);
            if since.elapsed() + wait > FAILING_MAX
                || outage.elapsed() + wait > self.options.retry_for
            {
                return Err(self.gave_up(error));
            }
            self.tries += 1;
            self.listener.on(Event::Note(format!(
                "{}; trying again in {seconds} s.",
                capitalised(error.message())
            )));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.cancel.asked() => return Err(Error::interrupted()),
            }
            if matches!(why, Transient::Conflict | Transient::Locked) {
                return Ok(());
            }
            self.lock = None;
            let left = self.options.retry_for.saturating_sub(outage.elapsed());
            match tokio::time::timeout(left, self.target.reconnect()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refused)) if refused.may_pass().is_none() => {
                    return Err(self.with_hints(refused));
                }
                Ok(Err(refused)) => error = refused,
                // The error that is known says more than that there was no answer.
                Err(_) => {}
            }
        }
    }

    /// Adds how to go on, when a run has begun and the error does not say so.
    fn with_hints(&self, error: Error) -> Error {
        let is_told = |hint: &&String| !error.hints().contains(hint);
        let hints: Vec<String> = self.hints.iter().filter(is_told).cloned().collect();
        if error.kind() == ErrorKind::Target {
            return hints.into_iter().fold(error, Error::hint);
        }
        error
    }

    fn gave_up(&self, error: Error) -> Error {
        let error = self.with_hints(error);
        match self.tries {
            0 => error,
            1 => error.detail("It was tried once more."),
            more => error.detail(format!("It was tried {more} times more.")),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + chars.as_str()
}
