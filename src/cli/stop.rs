//! Ctrl-C and SIGTERM.
//!
//! The first asks the command to stop, which rolls back what runs; the second ends the process. The
//! watch has a thread and a small runtime of its own, so that it is heard even when every thread of
//! the main runtime is busy with SQLite.

use std::sync::Arc;

use super::progress::Progress;
use crate::error::ErrorKind;
use crate::event::Cancel;

/// Watches for signals until the process ends. `meaning` says what stopping does.
pub(super) fn watch(progress: &Arc<Progress>, cancel: &Cancel, meaning: &'static str) {
    let progress = Arc::clone(progress);
    let cancel = cancel.clone();
    // Without the thread a signal ends the process at once, as it does for most programs.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::listen() else { return };
            signals.next().await;
            cancel.cancel();
            progress.say(&format!("stopping; {meaning} (press Ctrl-C again to stop at once)"));
            signals.next().await;
            progress.abandon();
            exit_at_once();
        });
    });
}

#[expect(clippy::exit, reason = "the second Ctrl-C means: now, whatever else runs")]
fn exit_at_once() {
    std::process::exit(i32::from(ErrorKind::Interrupted.exit_code()));
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        // An error means that there is no console to be interrupted from: wait for ever.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
