//! Panics: a bug in litelift must not look like a mistake of its user.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::output;

/// Exit code of a process that panicked, as Rust has it.
const PANICKED: u8 = 101;

/// Set by the hook, also for panics of other threads.
static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

/// After the usual message of a panic, says what it means and asks for a report.
pub(super) fn install_hook() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        HAS_PANICKED.store(true, Ordering::SeqCst);
        usual(info);
        output::tell(EXPLANATION);
    }));
}

const EXPLANATION: &str = concat!(
    "internal error: this is a bug in litelift ",
    env!("CARGO_PKG_VERSION"),
    ", not a mistake of yours\n",
    "detail: The source was not changed. What reached the target is consistent: a transfer continues\n",
    "        when it is run again.\n",
    "hint: Please report the lines above with the command that you ran, without passwords and data.\n",
);

/// Runs the program. A panic gives its own exit code, also when it was in another thread and came back
/// here as an ordinary error.
pub(super) fn guarded(program: impl FnOnce() -> u8) -> u8 {
    // Nothing of the program is used after a panic.
    match catch_unwind(AssertUnwindSafe(program)) {
        Ok(code) if code == 0 || !HAS_PANICKED.load(Ordering::SeqCst) => code,
        _ => PANICKED,
    }
}
