//! The private folder of a scratch server, and what guards that it goes away.
//!
//! Purpose: a folder that cannot be left behind. Its janitor (see the [module](super)) removes it
//! and whatever runs in it once we let go of the janitor's pipe; the owner file, locked for as long
//! as we live, tells later runs whether a folder was abandoned all the same.
//!
//! A lock and not a process id decides that, for an id is given to another process sooner or later,
//! and means nothing to a process in another container that shares the folder.
//!
//! Known gaps: killed between making the folder and writing the owner file (microseconds), we leave
//! an empty folder that no sweep will touch.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::event::Cancel;

use super::account::Account;
use super::random_suffix;

const JANITOR: &str = include_str!("janitor.sh");

/// Start of every folder's name.
const PREFIX: &str = "litelift-";

/// Name and first line of the owner file: nothing without them is ever removed.
const OWNER_FILE: &str = "owner";
const OWNER_MARK: &str = "litelift scratch server\n";

/// Longest parent folder. A socket's path must stay under 104 bytes on macOS (108 on Linux), and
/// `/litelift-<pid>-<random>/.s.PGSQL.5432` takes up to 40.
const LONGEST_PARENT: usize = 60;

/// How long the janitor may take: a little more than all its own limits together.
const JANITOR_LIMIT: Duration = Duration::from_secs(30);

/// A private folder. Dropping it stops what runs in it and removes it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    account: Account,
    janitor: Option<Janitor>,
    /// Holds the lock that says that the owner lives.
    _owner: File,
}

#[derive(Debug)]
struct Janitor {
    process: Child,
    pipe: ChildStdin,
    /// What was told through the pipe, for a second janitor should this one have been killed.
    pids: Vec<u32>,
}

impl Folder {
    /// Makes the folder and starts its janitor. Sweeps abandoned ones first.
    pub(super) fn create(account: Account) -> Result<Self> {
        let parent = parent(&account);
        sweep(&parent, &account);
        let path = parent.join(format!("{PREFIX}{}-{}", std::process::id(), random_suffix()));
        let failed = |error: std::io::Error| {
            Error::target(format!("could not make folder \"{}\"", path.display())).caused_by(error)
        };
        DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        let prepared = prepare(&path, &account);
        let (owner, janitor) = prepared.map_err(|error| {
            // No janitor yet: nothing else would remove it.
            let _ = std::fs::remove_dir_all(&path);
            failed(error)
        })?;
        Ok(Self { path, account, janitor: Some(janitor), _owner: owner })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells the janitor about a process that must not outlive us.
    pub(super) fn guard(&mut self, process: &Child) {
        if let Some(janitor) = &mut self.janitor {
            janitor.pids.push(process.id());
            // A janitor that was killed is replaced in `remove`, which has the ids.
            let _ = writeln!(janitor.pipe, "{}", process.id());
        }
    }

    /// Stops what runs in the folder and removes it. A second call does nothing.
    pub(super) fn remove(&mut self) -> Result<()> {
        let Some(Janitor { mut process, pipe, pids }) = self.janitor.take() else {
            return Ok(());
        };
        drop(pipe);
        finish(&mut process);
        if self.path.exists() {
            // The janitor was killed, or may not remove entries of the parent folder.
            if let Ok(Janitor { mut process, pipe, .. }) = janitor(&self.path, &self.account, pids)
            {
                drop(pipe);
                finish(&mut process);
            }
        }
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let path = self.path.display();
                Err(Error::target(format!("could not remove folder \"{path}\""))
                    .caused_by(error)
                    .hint("Nothing in it is needed any more: remove it by hand."))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to hear about a failure; the next sweep tries again.
        let _ = self.remove();
    }
}

/// Writes the owner file and starts the janitor.
fn prepare(path: &Path, account: &Account) -> std::io::Result<(File, Janitor)> {
    let mut owner =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path.join(OWNER_FILE))?;
    // Lock before mark: a sweep that sees the mark and gets the lock can be sure.
    owner.lock()?;
    writeln!(owner, "{OWNER_MARK}pid {}", std::process::id())?;
    account.own(path)?;
    let janitor = janitor(path, account, Vec::new())?;
    writeln!(owner, "janitor {}", janitor.process.id())?;
    Ok((owner, janitor))
}

/// Starts a janitor, as the account of the server: it needs no more rights than that.
fn janitor(path: &Path, account: &Account, pids: Vec<u32>) -> std::io::Result<Janitor> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", JANITOR, "litelift-janitor"])
        .arg(path)
        // A shell asks for its working folder, which must be readable and should not be kept busy.
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    account.apply(&mut command);
    let mut process = command.spawn()?;
    let mut pipe = process.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
    for pid in &pids {
        writeln!(pipe, "{pid}")?;
    }
    Ok(Janitor { process, pipe, pids })
}

/// Waits for a janitor whose pipe is closed.
fn finish(janitor: &mut Child) {
    if !matches!(wait(janitor, JANITOR_LIMIT), Ok(Some(_))) {
        let _ = janitor.kill();
        let _ = janitor.wait();
    }
}

/// Waits for the end of a process, but not longer than `limit`.
pub(super) fn wait(process: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    wait_heeding(process, limit, &Cancel::default())
}

/// As [`wait`], and not after the user asked to stop.
pub(super) fn wait_heeding(
    process: &mut Child,
    limit: Duration,
    cancel: &Cancel,
) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(Some(status));
        }
        if cancel.is_asked() || Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the folder in which scratch folders are made: `TMPDIR` if it will do, else /tmp.
fn parent(account: &Account) -> PathBuf {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from);
    let usable = named.filter(|dir| {
        // Plain characters only: the path goes into a setting that is a list, and into a URL.
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
        let bytes = dir.as_os_str().as_encoded_bytes();
        dir.is_absolute()
            && bytes.len() <= LONGEST_PARENT
            && bytes.iter().all(plain)
            && dir.is_dir()
            && (!account.switched || open_to_others(dir))
    });
    usable.unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// Whether another account can reach this folder, and remove its own folder from it.
fn open_to_others(dir: &Path) -> bool {
    let allows =
        |dir: &Path, bits: u32| dir.metadata().is_ok_and(|data| data.mode() & bits == bits);
    allows(dir, 0o003) && dir.ancestors().all(|ancestor| allows(ancestor, 0o001))
}

/// Removes the scratch folders in `parent` that their owners left behind, with what runs in them.
///
/// Errors are passed over: what others left must not keep anyone from working.
fn sweep(parent: &Path, account: &Account) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && path.symlink_metadata().is_ok_and(|data| data.is_dir() && data.uid() == account.uid);
        if !ours {
            continue;
        }
        // Held until the janitor is done, so that two sweeps do not meet in one folder.
        let Some(_lock) = abandoned(&path) else { continue };
        if let Ok(Janitor { mut process, pipe, .. }) = janitor(&path, account, Vec::new()) {
            drop(pipe);
            finish(&mut process);
        }
    }
}

/// Returns the locked owner file of a folder that we made and whose owner is gone.
fn abandoned(path: &Path) -> Option<File> {
    let path = path.join(OWNER_FILE);
    // As root the folder belongs to the server's account, which could put anything there; but it
    // cannot make a file that belongs to us.
    let uid = rustix::process::geteuid().as_raw();
    if !path.symlink_metadata().is_ok_and(|data| data.is_file() && data.uid() == uid) {
        return None;
    }
    let mut owner = File::open(path).ok()?;
    owner.try_lock().ok()?;
    let mut mark = vec![0; OWNER_MARK.len()];
    owner.read_exact(&mut mark).ok()?;
    (mark == OWNER_MARK.as_bytes()).then_some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> (tempfile::TempDir, Account) {
        let account = Account::choose().unwrap();
        let parent = tempfile::Builder::new().prefix("sweep-").tempdir_in("/tmp").unwrap();
        // Janitors run as the server's account, which must reach the folder.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(parent.path(), open).unwrap();
        (parent, account)
    }

    fn folder(parent: &Path, name: &str, owner: Option<&str>, account: &Account) -> PathBuf {
        let path = parent.join(name);
        std::fs::create_dir(&path).unwrap();
        if let Some(text) = owner {
            std::fs::write(path.join(OWNER_FILE), text).unwrap();
        }
        account.own(&path).unwrap();
        path
    }

    #[test]
    fn a_sweep_takes_abandoned_folders_and_nothing_else() {
        let (parent, account) = parent();
        let parent = parent.path();
        let mark = Some("litelift scratch server\npid 1\n");
        let left = folder(parent, "litelift-1-left", mark, &account);
        let live = folder(parent, "litelift-1-live", mark, &account);
        let lock = File::open(live.join(OWNER_FILE)).unwrap();
        lock.lock().unwrap();
        let others = [
            folder(parent, "litelift-unmarked", None, &account),
            folder(parent, "litelift-stranger", Some("something else, and longer"), &account),
            folder(parent, "litelift-empty", Some(""), &account),
            folder(parent, "other", mark, &account),
        ];
        let link = parent.join("litelift-link");
        std::os::unix::fs::symlink(&others[3], &link).unwrap();

        sweep(parent, &account);
        assert!(!left.exists());
        assert!(live.exists() && link.exists());
        assert!(others.iter().all(|path| path.exists()));

        // Not by closing: a child that another test is just starting may still share the file.
        lock.unlock().unwrap();
        sweep(parent, &account);
        assert!(!live.exists());
    }

    #[test]
    fn the_janitor_spares_a_process_whose_number_was_given_to_another() {
        let (parent, account) = parent();
        let path = folder(parent.path(), "litelift-1-reused", None, &account);
        let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
        let Janitor { mut process, pipe, .. } =
            janitor(&path, &account, vec![stranger.id()]).unwrap();
        drop(pipe);
        finish(&mut process);
        assert!(!path.exists());
        assert!(stranger.try_wait().unwrap().is_none());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn removing_works_when_the_janitor_was_killed() {
        let (_, account) = parent();
        let mut folder = Folder::create(account).unwrap();
        let path = folder.path().to_owned();
        let janitor = folder.janitor.as_mut().unwrap();
        janitor.process.kill().unwrap();
        janitor.process.wait().unwrap();
        folder.remove().unwrap();
        assert!(!path.exists());
        folder.remove().unwrap();
    }
}
