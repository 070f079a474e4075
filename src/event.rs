//! What happens while a command runs, for whoever draws it.
//!
//! Purpose: the library never prints. It tells a [`Listener`] what it does; `cli` draws that, tests
//! record it. Events carry no values of the user's rows.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A stage of the work, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Starting a throwaway PostgreSQL.
    Scratch,
    /// Checking the source for damage.
    Check,
    /// Reading the source's schema and scanning its values.
    Inspect,
    /// Copying rows.
    Copy,
    /// Keys, indexes, foreign keys, sequences, ANALYZE.
    Finish,
    /// Comparing.
    Verify,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A stage begins; the amount of work is in rows (inspect, verify), bytes (copy) or statements
    /// (finish), 0 when it is not known.
    StageStarted {
        /// Which.
        stage: Stage,
        /// Units of work.
        work: u64,
        /// Rows in that work, where rows are not the unit.
        rows: u64,
    },
    /// Work was done.
    Progress {
        /// Which stage.
        stage: Stage,
        /// Units of work since the last event.
        work: u64,
        /// Rows since the last event.
        rows: u64,
    },
    /// A stage ended.
    StageEnded {
        /// Which.
        stage: Stage,
    },
    /// The first range of a table is on its way.
    TableStarted {
        /// Name in the source.
        table: String,
        /// Rows to copy in this run.
        rows: u64,
    },
    /// The last range of a table was committed.
    TableCopied {
        /// Name in the source.
        table: String,
        /// Rows, earlier runs included.
        rows: u64,
        /// Seconds since its start.
        seconds: f64,
    },
    /// A finishing statement begins.
    StepStarted {
        /// What it makes, such as `index`.
        object: String,
        /// Its name.
        name: String,
    },
    /// A finishing statement ended.
    StepEnded {
        /// What it makes.
        object: String,
        /// Its name.
        name: String,
        /// Seconds.
        seconds: f64,
        /// The server's refusal, if it refused.
        refused: Option<String>,
    },
    /// Something that the user should know at once, a sentence.
    Note(String),
    /// More detail, for `--verbose`, a sentence.
    Detail(String),
}

/// Receives events, from any thread.
pub trait Listener: Send + Sync {
    /// Takes one event. Must be quick: it is called from the copying threads.
    fn on(&self, event: Event);
}

/// A listener that ignores everything.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _: Event) {}
}

/// Tells a running command to stop. Clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    asked: AtomicBool,
    wake: tokio::sync::Notify,
    stops: Mutex<Vec<Stop>>,
}

/// Stops something that cannot look whether it should.
type Stop = Box<dyn Fn() + Send>;

impl fmt::Debug for CancelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelState").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Cancel {
    /// Asks the command to stop: running ranges are rolled back.
    pub fn cancel(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.wake.notify_waiters();
        for stop in self.0.stops.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            stop();
        }
    }

    /// Calls `stop`, from another thread, when the command is asked to stop; at once when it was.
    pub fn when_asked(&self, stop: impl Fn() + Send + 'static) {
        let mut stops = self.0.stops.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_asked() {
            stop();
        }
        stops.push(Box::new(stop));
    }

    /// Returns true once [`Self::cancel`] was called.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Returns an error once [`Self::cancel`] was called.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Interrupted`].
    pub fn check(&self) -> crate::error::Result<()> {
        if self.is_asked() { Err(crate::error::Error::interrupted()) } else { Ok(()) }
    }

    /// Waits until [`Self::cancel`] is called.
    pub async fn asked(&self) {
        loop {
            let woken = self.0.wake.notified();
            if self.is_asked() {
                return;
            }
            woken.await;
        }
    }
}
