//! A stopped rehearsal leaves no folder and no process.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::process::{Running, eventually, litelift, run};
use super::state;

/// A place for scratch folders that nobody else sweeps.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("ll").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o1777)).unwrap();
        Self(dir)
    }

    fn rehearse(&self, from: &Path, more: &[&str]) -> std::process::Command {
        let mut command = litelift(&["rehearse", "--from"]);
        command.arg(from).args(more).env("TMPDIR", self.0.path());
        command
    }

    fn folders(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Whether a file is there in the folder of the server.
    fn has(&self, file: &str) -> bool {
        self.folders().first().is_some_and(|folder| folder.join(file).exists())
    }

    /// Command lines of the processes that have to do with a folder of this place.
    fn processes(&self) -> Vec<String> {
        let place = self.0.path().to_str().unwrap();
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(place)).collect()
    }

    #[track_caller]
    fn expect_clean(&self) {
        eventually("the folder is gone", || self.folders().is_empty());
        eventually("the processes are gone", || self.processes().is_empty());
    }
}

#[test]
fn stopped_or_killed_it_leaves_nothing() {
    let slow = super::signals::slow_to_read();
    // While it makes the cluster, while the server starts, while it looks at the source.
    for file in ["data/base", "data/postmaster.pid", ".s.PGSQL.5432"] {
        for signal in [Signal::INT, Signal::KILL] {
            let place = Place::new();
            let running =
                Running::start(place.rehearse(&slow.path, &[])).until(file, || place.has(file));
            let begun = Instant::now();
            running.signal(signal);
            let ended = running.end();
            let took = begun.elapsed();
            let expected = if signal == Signal::KILL { None } else { Some(5) };
            assert_eq!(ended.code, expected, "{file} {signal:?}: {}", ended.stderr);
            assert!(took < Duration::from_secs(2), "{file} {signal:?}: {took:?}");
            place.expect_clean();
        }
    }
}

#[test]
fn it_ends_clean_well_or_not() {
    let place = Place::new();
    let small = state::small();
    let ended = run(place.rehearse(&small.path, &["--json"])).expect(0);
    assert_eq!(ended.json()["outcome"], "transferred");
    place.expect_clean();
    run(place.rehearse(&small.path, &["--only", "none"])).expect(2);
    place.expect_clean();
}
