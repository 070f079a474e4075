//! The program as a child process that can be stopped in the middle.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longest time that a test waits for anything; `LITELIFT_TEST_LIMIT_S` for machines that have other
/// things to do.
fn limit() -> Duration {
    static LIMIT: OnceLock<Duration> = OnceLock::new();
    let seconds =
        || std::env::var("LITELIFT_TEST_LIMIT_S").map_or(60, |text| text.parse().unwrap());
    *LIMIT.get_or_init(|| Duration::from_secs(seconds()))
}

/// litelift with these arguments and no variable of the developer's own. `LITELIFT_TEST_BIN` is another
/// program to test: a long run goes on while this one is built again.
pub(crate) fn litelift(arguments: &[&str]) -> Command {
    let program = std::env::var_os("LITELIFT_TEST_BIN");
    let mut command =
        Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_litelift").into()));
    for variable in ["DATABASE_URL", "COLUMNS", "NO_COLOR", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command.args(arguments);
    command
}

/// `litelift transfer --from FILE --to URL` and more.
pub(crate) fn transfer(from: &Path, url: &str, more: &[&str]) -> Command {
    let mut command = litelift(&["transfer", "--from"]);
    command.arg(from).args(["--jobs", "2", "--to", url]).args(more);
    command
}

/// `litelift verify --from FILE --to URL`.
pub(crate) fn verify(from: &Path, url: &str) -> Command {
    let mut command = litelift(&["verify", "--from"]);
    command.arg(from).args(["--to", url]);
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Ended {
    Running::start(command).end()
}

/// A process that runs; killed when the test fails.
pub(crate) struct Running {
    process: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout = collect(process.stdout.take().unwrap());
        let stderr = collect(process.stderr.take().unwrap());
        Self { process, stdout: Some(stdout), stderr: Some(stderr) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits until something is true, which must come before the end.
    #[track_caller]
    pub(crate) fn until(mut self, what: &str, mut holds: impl FnMut() -> bool) -> Self {
        let begun = Instant::now();
        while !holds() {
            if !self.is_running() {
                panic!("it ended before this was true: {what}\n{:?}", self.end());
            }
            assert!(begun.elapsed() < limit(), "still not true: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// `kill -9`; false when it had ended before.
    pub(crate) fn kill(mut self) -> bool {
        self.process.kill().unwrap();
        self.end().code.is_none()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            match self.process.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > limit() => panic!("still running after {:?}", limit()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let text = |thread: Option<JoinHandle<String>>| thread.unwrap().join().unwrap();
        let (stdout, stderr) = (text(self.stdout.take()), text(self.stderr.take()));
        for word in ["panicked", "internal error"] {
            assert!(!stderr.contains(word), "{stderr}");
        }
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Ended {
    /// Fails the test unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stderr:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        self
    }

    /// Fails the test unless standard error has these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        }
        self
    }

    /// Fails the test unless standard output has these texts.
    #[track_caller]
    pub(crate) fn prints(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stdout.contains(text), "no {text:?} in:\n{}", self.stdout);
        }
    }

    /// The document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let document: serde_json::Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}", self.stdout));
        assert_eq!(document["version"], 1, "{document}");
        document
    }
}

/// Waits until something is true.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < limit(), "still not true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
