//! The n-th look at the source (open, read, fstat) fails, for n = 1, 2, 3 ... until none does.
//!
//! Known gaps: Linux with a C compiler only; elsewhere the test says that it is skipped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::trial::{self, Quiet, disturbed, run_all, settle, thin};
use crate::resume::process::transfer;
use crate::support::generate::Random;
use crate::support::pg;

/// More looks than a transfer of the source takes, by far.
const LOOKS_MAX: u32 = 3000;

/// The library that makes calls fail; `None` where it cannot be made.
fn shim() -> Option<&'static Path> {
    static SHIM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/fail_read.c");
        let made = folder.join(format!("fail_read-{}.so", std::process::id()));
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(code).arg("-ldl");
        let done = cfg!(target_os = "linux") && cc.status().is_ok_and(|status| status.success());
        done.then_some(made)
    });
    made.as_deref()
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that does nothing must say so")]
fn each_in_turn() {
    let Some(shim) = shim() else {
        eprintln!("skipped: there is no C compiler, or this is not Linux");
        return;
    };
    let path = thin().canonicalize().unwrap();
    let quiet = Quiet::new();
    let numbers = if trial::is_long() { 1..=LOOKS_MAX } else { 1..=8 };
    run_all(
        "look n at the source fails (EIO)",
        trial::threads(),
        numbers.map(u64::from),
        |number, tally| {
            let mut random = Random::new(trial::seed() + number);
            let look = if trial::is_long() { number } else { u64::from(1 + random.below(40)) };
            if trial::is_long() && quiet.is_at(look) {
                return tally.skip();
            }
            let folder = tempfile::tempdir().unwrap();
            let fired = folder.path().join("fired");
            let target = pg::database();
            let mut command = transfer(&path, &target.url, &[]);
            command.env("LD_PRELOAD", shim).env("FAULT_FILE", &path).env("FAULT_FIRED", &fired);
            command.env("FAULT_NUMBER", look.to_string());
            let ended = disturbed(command, &[0, 3], tally);
            if fired.exists() {
                tally.faults += 1;
                settle(thin(), &target.url);
            } else {
                quiet.from(look);
                tally.note("without a fault");
                ended.expect(0);
            }
        },
    );
}
