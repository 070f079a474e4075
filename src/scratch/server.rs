//! One throwaway PostgreSQL server: made, started, watched, stopped, removed.
//!
//! Purpose: a private server that only we can reach (a Unix socket in a folder of mode 0700) and
//! that is gone without a trace afterwards.
//!
//! `postgres` is our own child, not one of `pg_ctl`, so an early end is seen at once. Its output
//! goes to a file: a pipe that nobody reads stops the server after 64 KiB of messages. Children are
//! in process groups of their own, so that a Ctrl-C in the terminal reaches us alone and a running
//! transfer can be rolled back before the server goes.
//!
//! Known gaps: see the [module](super).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::event::Cancel;

use super::account::Account;
use super::folder::{Folder, wait, wait_heeding};
use super::{Binaries, Settings};

/// The superuser: the name that dumps and application schemas expect.
const USER: &str = "postgres";

/// Only part of the socket's name, for the server does not listen on TCP.
const PORT: u16 = 5432;

/// Limit for `initdb`: about a second on an idle machine.
const INITDB_LIMIT: Duration = Duration::from_secs(300);

/// Limit until the server accepts connections, crash recovery included.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Limit for an immediate stop.
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(20);

/// How much of a log goes into an error.
const TAIL_LINES: usize = 20;
const TAIL_BYTES: u64 = 8 * 1024;

/// A running throwaway server. Dropping it stops it and removes everything.
#[derive(Debug)]
pub struct Server {
    binaries: Binaries,
    account: Account,
    arguments: Vec<String>,
    version: String,
    log: PathBuf,
    process: Option<Child>,
    folder: Folder,
}

impl Server {
    /// Makes a database cluster and starts a server on it.
    ///
    /// # Errors
    /// A target error when the server cannot be made or does not come up; its detail carries the
    /// last lines of the log. Nothing is left behind.
    pub fn start(binaries: &Binaries, settings: &Settings) -> Result<Self> {
        Self::start_heeding(binaries, settings, &Cancel::default())
    }

    /// As [`start`](Self::start), but gives up when it is asked to: `initdb` takes a second or more.
    ///
    /// # Errors
    /// As [`start`](Self::start); interrupted.
    pub fn start_heeding(
        binaries: &Binaries,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Result<Self> {
        let account = Account::choose()?;
        let folder = Folder::create(account.clone())?;
        let mut server = Self {
            binaries: binaries.clone(),
            account,
            arguments: settings.arguments(),
            version: String::new(),
            log: folder.path().join("server.log"),
            process: None,
            folder,
        };
        server.version = server.ask_version()?;
        server.make_cluster(cancel)?;
        server.start_postgres(cancel)?;
        Ok(server)
    }

    /// Returns the URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let folder = percent_encoded(self.socket_dir().as_os_str().as_encoded_bytes());
        let database = percent_encoded(database.as_bytes());
        // The port is written out for clients that would take another from PGPORT.
        format!("postgresql://{USER}@/{database}?host={folder}&port={PORT}")
    }

    /// Returns the private folder that holds everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the file with the server's messages.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Returns the name of the superuser. It needs no password.
    #[must_use]
    pub fn user(&self) -> &str {
        USER
    }

    /// Returns the version as PostgreSQL writes it, `15.14` for example.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Stops the server as a crash would: no checkpoint, every session cut. The data stays, and
    /// [`start_again`](Self::start_again) recovers it.
    ///
    /// # Errors
    /// A target error when the server does not end.
    pub fn stop_immediate(&mut self) -> Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        let failed = |error: std::io::Error| {
            Error::target("could not stop the scratch PostgreSQL").caused_by(error)
        };
        if process.try_wait().map_err(failed)?.is_none() {
            let pid = rustix::process::Pid::from_child(process);
            rustix::process::kill_process(pid, rustix::process::Signal::QUIT)
                .map_err(|error| failed(error.into()))?;
            if wait(process, IMMEDIATE_LIMIT).map_err(failed)?.is_none() {
                process.kill().map_err(failed)?;
                process.wait().map_err(failed)?;
            }
        }
        self.process = None;
        Ok(())
    }

    /// Starts the server again on its data after [`stop_immediate`](Self::stop_immediate), or
    /// after it ended by itself. Does nothing when it runs.
    ///
    /// # Errors
    /// A target error when the server does not come up.
    pub fn start_again(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process
            && matches!(process.try_wait(), Ok(None))
        {
            return Ok(());
        }
        self.start_postgres(&Cancel::default())
    }

    fn start_postgres(&mut self, cancel: &Cancel) -> Result<()> {
        let mut command = self.command("postgres");
        // Absolute, not ".": the janitor knows its processes by the folder in their command line.
        command.arg("-D").arg(self.data()).arg("-k").arg(self.socket_dir()).args(["-p", "5432"]);
        command.args(&self.arguments);
        let process = self.spawn(command, &self.log.clone())?;
        self.process = Some(process);
        self.wait_until_ready(cancel)
    }

    /// Stops the server and removes everything.
    ///
    /// # Errors
    /// A target error when the folder could not be removed.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let removed = self.folder.remove();
        if let Some(mut process) = self.process.take() {
            // The janitor stopped it; this takes it off the process table. Killing what has ended
            // does nothing, and keeps us from waiting for what could not be stopped.
            let _ = process.kill();
            let _ = process.wait();
        }
        removed
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Prepares a program of PostgreSQL.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.program(program));
        // The programs look at their working folder, and the account may not read ours.
        command.current_dir(self.folder()).stdin(Stdio::null()).process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
        self.account.apply(&mut command);
        command
    }

    /// Starts a program with its output in a log file, under the eyes of the janitor.
    fn spawn(&mut self, mut command: Command, log: &Path) -> Result<Child> {
        let spawned = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(log)
            .and_then(|out| Ok((out.try_clone()?, out)))
            .and_then(|(out, err)| command.stdout(out).stderr(err).spawn());
        let process = spawned.map_err(|error| self.not_run(&command, error))?;
        self.folder.guard(&process);
        Ok(process)
    }

    fn not_run(&self, command: &Command, error: std::io::Error) -> Error {
        let program = Path::new(command.get_program()).display();
        let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
        let error = Error::target(format!("could not run \"{program}\"")).caused_by(error);
        if denied { self.account.explain_denied(error) } else { error }
    }

    fn ask_version(&self) -> Result<String> {
        let mut command = self.command("postgres");
        let output = command.arg("--version").output();
        let output = output.map_err(|error| self.not_run(&command, error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
        let number =
            text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        number.map(str::to_owned).ok_or_else(|| {
            let program = self.binaries.program("postgres");
            Error::target(format!("\"{}\" does not tell its version", program.display()))
                .detail(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        })
    }

    fn make_cluster(&mut self, cancel: &Cancel) -> Result<()> {
        let mut command = self.command("initdb");
        // Without --no-instructions, which 12 and 13 do not know: its output is a log anyway.
        command.arg("-D").arg(self.data()).args(["-N", "--no-locale", "-E", "UTF8"]);
        command.args(["-A", "trust", "-U", USER]);
        let log = self.folder().join("initdb.log");
        let mut process = self.spawn(command, &log)?;
        match wait_heeding(&mut process, INITDB_LIMIT, cancel) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(self.account.explain_refused(failed(
                "could not make a scratch PostgreSQL",
                &log,
                status,
            ))),
            outcome => {
                // Reap it: the folder's janitor stops only what still runs.
                let _ = process.kill();
                let _ = process.wait();
                cancel.check()?;
                let error = Error::target("could not make a scratch PostgreSQL")
                    .detail(format!("initdb did not end within {INITDB_LIMIT:?}."))
                    .detail(tail(&log));
                Err(match outcome {
                    Err(cause) => error.caused_by(cause),
                    Ok(_) => error,
                })
            }
        }
    }

    fn wait_until_ready(&mut self, cancel: &Cancel) -> Result<()> {
        let end = Instant::now() + READY_LIMIT;
        loop {
            cancel.check()?;
            if let Some(process) = &mut self.process {
                let ended = process.try_wait().map_err(|error| {
                    Error::target("could not watch the scratch PostgreSQL").caused_by(error)
                })?;
                if let Some(status) = ended {
                    self.process = None;
                    return Err(failed("the scratch PostgreSQL did not start", &self.log, status));
                }
                if self.is_ready() {
                    return Ok(());
                }
            }
            if Instant::now() >= end {
                return Err(Error::target("the scratch PostgreSQL did not start")
                    .detail(format!("It was not ready after {READY_LIMIT:?}."))
                    .detail(tail(&self.log))
                    .hint("Try again when the machine is less busy, or use --scratch-url."));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether this very process says that it is ready, and its socket answers.
    fn is_ready(&self) -> bool {
        let Some(process) = &self.process else { return false };
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        // After a crash the file may still be that of the server before.
        let own = text.lines().next() == Some(process.id().to_string().as_str());
        let ready = text.lines().last().is_some_and(|line| line.trim() == "ready");
        let socket = self.socket_dir().join(format!(".s.PGSQL.{PORT}"));
        own && ready && UnixStream::connect(socket).is_ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to hear about a failure; the next sweep tries again.
        let _ = self.end();
    }
}

/// Makes the error of a program that ended and should not have.
fn failed(message: &str, log: &Path, status: ExitStatus) -> Error {
    let tail = tail(log);
    let detail = if tail.is_empty() { format!("It ended with {status}.") } else { tail };
    Error::target(message).detail(detail)
}

/// Returns the last lines of a log, or nothing when it cannot be read.
fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
        text
    })
}
