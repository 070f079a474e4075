//! Progress on standard error: a listener that keeps a [`Board`] and draws it.
//!
//! indicatif moves the cursor, keeps lines above the moving ones, and draws no more often than asked;
//! what the lines say comes from the board. Nothing moves in the first 250 ms, so that a small job
//! stays quiet, and never without a terminal.
//!
//! Known gaps: the `^C` that a terminal echoes moves the cursor, so that the topmost moving line stays
//! behind above the message about stopping.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Reader, Verbosity};
use super::style::{Look, stderr_moves};
use crate::event::{Event, Listener};

/// Nothing is drawn before this.
const FIRST_DRAW_AFTER: Duration = Duration::from_millis(250);
/// Time between two draws.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// Draws what a command does.
pub(super) struct Progress {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    board: Mutex<Board>,
    bar: ProgressBar,
    moving: bool,
    ended: Mutex<bool>,
    wake: Condvar,
}

impl Progress {
    /// Begins to draw, as far as standard error and the verbosity allow.
    pub(super) fn begin(verbosity: Verbosity) -> Arc<Self> {
        let moving = verbosity > Verbosity::Quiet && stderr_moves();
        let reader = if moving { Reader::Terminal } else { Reader::Log };
        let bar = if moving {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        } else {
            ProgressBar::hidden()
        };
        let shared = Arc::new(Shared {
            board: Mutex::new(Board::new(verbosity, reader, Instant::now())),
            bar,
            moving,
            ended: Mutex::new(false),
            wake: Condvar::new(),
        });
        let for_ticker = Arc::clone(&shared);
        // Without the thread (none to be had) there are no moving lines; the work goes on.
        let ticker = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || for_ticker.tick_until_ended())
            .ok();
        Arc::new(Self { shared, ticker: Mutex::new(ticker) })
    }

    /// Prints a line, above the moving ones if there are any.
    pub(super) fn say(&self, line: &str) {
        self.shared.say(line);
    }

    /// Leaves the moving lines as they are and goes below them, for a process that ends at once.
    pub(super) fn abandon(&self) {
        if self.shared.moving {
            let _ = writeln!(std::io::stderr());
        }
    }

    /// Clears the moving lines. Later events are not drawn.
    pub(super) fn end(&self) {
        *locked(&self.shared.ended) = true;
        self.shared.wake.notify_all();
        if let Some(ticker) = locked(&self.ticker).take() {
            // A panic there was reported by the hook already.
            let _ = ticker.join();
        }
        self.shared.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Listener for Progress {
    fn on(&self, event: Event) {
        let line = locked(&self.shared.board).take(event, Instant::now());
        if let Some(line) = line {
            self.shared.say(&line);
        }
    }
}

impl Shared {
    fn say(&self, line: &str) {
        self.bar.suspend(|| {
            // Standard error may be closed; that is no reason to stop a transfer.
            let _ = writeln!(std::io::stderr(), "{line}");
        });
    }

    fn tick_until_ended(&self) {
        let mut pause = FIRST_DRAW_AFTER;
        let mut ended = locked(&self.ended);
        while !*ended {
            let (guard, waited) =
                self.wake.wait_timeout(ended, pause).unwrap_or_else(PoisonError::into_inner);
            ended = guard;
            if *ended || !waited.timed_out() {
                continue;
            }
            pause = DRAW_EVERY;
            self.tick();
        }
    }

    fn tick(&self) {
        let now = Instant::now();
        if self.moving {
            // One column stays free: some terminals wrap when the last one is written.
            let lines = locked(&self.board).drawn(now, Look::stderr().width - 1);
            self.bar.set_message(lines.join("\n"));
        } else {
            let line = locked(&self.board).heartbeat(now);
            if let Some(line) = line {
                self.say(&line);
            }
        }
    }
}

/// A thread that panicked while it held the lock leaves a board that is good enough to draw.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
