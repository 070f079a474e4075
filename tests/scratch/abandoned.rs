//! What remains of servers whose owner was killed: nothing.
//!
//! The owners are processes of this test binary, each pair in a `TMPDIR` of its own, so that the
//! sweeps of tests that run at the same time do not interfere.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use litelift::scratch::{Binaries, Server, Settings};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::pg::explain;

const ROLE: &str = "LITELIFT_TEST_OWNER";

/// The part that the child processes play. Ends when the test that started it ends.
#[test]
#[ignore = "only a part of other tests, which start it in a process of its own"]
fn owner() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let extra = match role.as_str() {
        "fail" => vec![("no_such_setting".to_owned(), "1".to_owned())],
        _ => Vec::new(),
    };
    let started =
        Server::start(&Binaries::find(None).unwrap(), &Settings { durable: false, extra });
    match started {
        Ok(server) => {
            println!("\nOWNS {}", server.folder().display());
            let _ = std::io::stdin().read(&mut [0]);
            // As a `static` would end: without a drop.
            std::mem::forget(server);
        }
        Err(error) => println!("\nFAILED {}", explain(&error).replace('\n', "|")),
    }
}

/// A place for scratch folders that nobody else sweeps.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("ll").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o1777)).unwrap();
        Self(dir)
    }

    fn owner(&self, role: &str) -> Owner {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["scratch::abandoned::owner", "--exact", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env("TMPDIR", self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Owner { process, output }
    }

    fn folders(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

struct Owner {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Owner {
    /// Waits for the line that begins with `word` and returns the rest of it.
    fn says(&mut self, word: &str) -> String {
        let mut seen = Vec::new();
        for line in self.output.by_ref().lines().map_while(Result::ok) {
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
            seen.push(line);
        }
        panic!("the owner did not say {word}: {seen:#?}");
    }

    /// Lets the process come to its end without being killed.
    fn end(&mut self) {
        drop(self.process.stdin.take());
        // The test harness in it fails when it cannot write its summary.
        self.output.read_to_end(&mut Vec::new()).unwrap();
        assert!(self.process.wait().unwrap().success());
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn number_after(path: &Path, word: &str) -> Pid {
    let text = std::fs::read_to_string(path).unwrap();
    let number = text.lines().find_map(|line| line.strip_prefix(word)).unwrap();
    Pid::from_raw(number.trim().parse().unwrap()).unwrap()
}

/// Whether a process runs. Where nobody reaps orphans a zombie counts as gone.
fn runs(pid: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok() && !state.is_ok_and(|text| text.contains(") Z "))
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "still not true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_janitor_cleans_up_after_kill_9() {
    let place = Place::new();
    let mut owner = place.owner("hold");
    let folder = PathBuf::from(owner.says("OWNS"));
    let server = number_after(&folder.join("data/postmaster.pid"), "");
    owner.kill();
    eventually("the folder is gone", || place.folders().is_empty());
    eventually("the server is gone", || !runs(server));
}

#[test]
fn the_janitor_cleans_up_after_a_static() {
    let place = Place::new();
    let mut owner = place.owner("hold");
    let folder = PathBuf::from(owner.says("OWNS"));
    let server = number_after(&folder.join("data/postmaster.pid"), "");
    owner.end();
    eventually("the folder is gone", || place.folders().is_empty());
    eventually("the server is gone", || !runs(server));
}

#[test]
fn the_janitor_cleans_up_after_kill_9_in_the_middle_of_initdb() {
    let place = Place::new();
    let mut owner = place.owner("hold");
    eventually("initdb runs", || {
        place.folders().first().is_some_and(|folder| folder.join("data/base").exists())
    });
    owner.kill();
    eventually("the folder is gone", || place.folders().is_empty());
}

#[test]
fn the_next_start_sweeps_what_a_killed_janitor_left_but_nothing_live() {
    let place = Place::new();
    let mut killed = place.owner("hold");
    let left = PathBuf::from(killed.says("OWNS"));
    let janitor = number_after(&left.join("owner"), "janitor ");
    let server = number_after(&left.join("data/postmaster.pid"), "");
    kill_process(janitor, Signal::KILL).unwrap();
    killed.kill();
    std::thread::sleep(Duration::from_millis(300));
    assert!(left.exists() && runs(server), "nobody was there to clean up");

    let mut live = place.owner("hold");
    let kept = PathBuf::from(live.says("OWNS"));
    assert!(!left.exists());
    assert!(!runs(server));

    let mut failing = place.owner("fail");
    let text = failing.says("FAILED");
    assert!(text.contains("error: the scratch PostgreSQL did not start"), "{text}");
    assert!(text.contains("unrecognized configuration parameter \"no_such_setting\""), "{text}");
    failing.end();
    assert_eq!(place.folders(), [kept], "the failed start left nothing, the live server stayed");
}
