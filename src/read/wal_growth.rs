//! How large the `-wal` becomes while a snapshot is held.
//!
//! Purpose: SQLite cannot begin the `-wal` anew while somebody reads what is in it, so what the
//! application writes meanwhile adds up on its disk (measured: 458 MB for ten updates of a table of 45 MB).
//! A thread looks once a second, tells when it has become large, and at the end how large it was.
//!
//! Knobs: [`TOLD_FROM_BYTES`].

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::event::{Event, Listener};

/// Growth that is told, and then each doubling of it.
pub(super) const TOLD_FROM_BYTES: u64 = 256 << 20;
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Watches until it is dropped.
pub(super) struct WalGrowth {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    wal: PathBuf,
    bytes_begun: u64,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    is_over: bool,
    bytes_most: u64,
    told_at: u64,
}

impl WalGrowth {
    /// Begins to watch a `-wal`, which is told of from a growth of `told_from` bytes.
    pub(super) fn begin(wal: PathBuf, listener: Arc<dyn Listener>, told_from: u64) -> Self {
        let bytes_begun = size(&wal);
        let state = State { is_over: false, bytes_most: bytes_begun, told_at: told_from };
        let (state, wake) = (Mutex::new(state), Condvar::new());
        let shared = Arc::new(Shared { wal, bytes_begun, state, wake });
        let own = Arc::clone(&shared);
        // Without the thread (none to be had) nothing is told until the end; the work goes on.
        let thread = std::thread::Builder::new()
            .name("wal".to_owned())
            .spawn(move || own.look_until_over(listener.as_ref()))
            .ok();
        Self { shared, thread }
    }

    /// A sentence for the report when it has grown enough to be told.
    pub(super) fn told(&self, told_from: u64) -> Option<String> {
        let (begun, most) = (self.shared.bytes_begun, self.shared.look().0);
        (most.saturating_sub(begun) >= told_from).then(|| {
            format!(
                "The source's -wal grew from {} to {} MB while it was read. SQLite uses that room \
                 again from now on; `PRAGMA wal_checkpoint(TRUNCATE)` gives it back.",
                begun >> 20,
                most >> 20
            )
        })
    }
}

impl Drop for WalGrowth {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the hook already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Looks; returns the largest size so far, and whether that is worth a word.
    fn look(&self) -> (u64, bool) {
        let now = size(&self.wal);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes_most = state.bytes_most.max(now);
        let grown = state.bytes_most.saturating_sub(self.bytes_begun);
        let is_worth = grown >= state.told_at;
        while is_worth && state.told_at <= grown {
            state.told_at = state.told_at.saturating_mul(2).max(1);
        }
        (state.bytes_most, is_worth)
    }

    fn look_until_over(&self, listener: &dyn Listener) {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let over = self
                .wake
                .wait_timeout_while(state, LOOK_EVERY, |state| !state.is_over)
                .unwrap_or_else(PoisonError::into_inner)
                .0
                .is_over;
            if over {
                return;
            }
            let (most, is_worth) = self.look();
            if is_worth {
                listener.on(Event::Note(format!(
                    "The source's -wal has grown to {} MB: SQLite cannot use its room again while it is \
                     read.",
                    most >> 20
                )));
            }
        }
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}
