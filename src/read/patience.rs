//! Waiting for a lock of another program.
//!
//! Purpose: a writer that holds the file exclusively is waited for, with a word about it, and only so
//! long as the user lets us. SQLite's own busy timeout knows neither, so it is kept short and the attempt
//! is made again. When the time is over, the error says which process holds the lock, where the system
//! tells (Linux: `/proc/locks`).
//!
//! Knobs: [`LOCK_WAIT`].

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use super::private_copy::beside;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Silent};

/// How long a lock of another program is waited for. Applications hold the exclusive lock for the
/// milliseconds of a commit; a `VACUUM` or a migration takes longer.
pub const LOCK_WAIT: Duration = Duration::from_secs(30);
/// SQLite's own timeout, and so the longest time until a wish to stop is heard.
pub(super) const SLICE: Duration = Duration::from_millis(100);
/// A wait that is longer is told.
const TOLD_AFTER: Duration = Duration::from_secs(1);

/// How long to wait, who is told, and who may stop it.
#[derive(Clone)]
pub struct Patience {
    limit: Duration,
    listener: Arc<dyn Listener>,
    cancel: Cancel,
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Patience {
    /// Waits for [`LOCK_WAIT`].
    #[must_use]
    pub fn new(listener: &Arc<dyn Listener>, cancel: &Cancel) -> Self {
        Self { limit: LOCK_WAIT, listener: Arc::clone(listener), cancel: cancel.clone() }
    }

    /// Waits for so long, and tells nobody.
    #[must_use]
    pub fn silent(limit: Duration) -> Self {
        Self { limit, listener: Arc::new(Silent), cancel: Cancel::default() }
    }

    /// Tries until it succeeds, fails for another reason than a lock, or the time is over.
    ///
    /// # Errors
    /// Interrupted; what the last attempt said is in the value.
    pub(super) fn wait<T>(
        &self,
        file: &Path,
        mut attempt: impl FnMut() -> rusqlite::Result<T>,
    ) -> Result<rusqlite::Result<T>> {
        let begun = Instant::now();
        let mut is_told = false;
        loop {
            self.cancel.check()?;
            let result = attempt();
            let is_busy = result.as_ref().err().and_then(rusqlite::Error::sqlite_error_code)
                == Some(ErrorCode::DatabaseBusy);
            let waited = begun.elapsed();
            if !is_busy || waited >= self.limit {
                return Ok(result);
            }
            if waited >= TOLD_AFTER && !is_told {
                is_told = true;
                self.listener.on(Event::Note(format!(
                    "Waiting up to {} s for the source: {}",
                    self.limit.as_secs(),
                    holder(file)
                        .unwrap_or_else(|| "another program holds a lock on it.".to_owned())
                )));
            }
            // Some refusals come at once, whatever the timeout.
            std::thread::sleep(SLICE.min(self.limit).min(Duration::from_millis(20)));
        }
    }
}

/// Says which other processes hold a lock on a database, a sentence; `None` when it cannot be known.
pub(super) fn holder(database: &Path) -> Option<String> {
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    let files = ["", "-shm"].map(|suffix| beside(database, suffix));
    let files: Vec<String> = files.iter().filter_map(|file| name_in_table(file)).collect();
    let own = std::process::id();
    let mut processes: Vec<u32> =
        holders(&table, &files).into_iter().filter(|process| *process != own).collect();
    processes.sort_unstable();
    processes.dedup();
    let mut told = String::new();
    for process in processes.iter().take(3) {
        let program = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        let joint = if told.is_empty() { "process" } else { "," };
        let program: String = program.trim().escape_debug().collect();
        let shown = if program.is_empty() { String::new() } else { format!(" ({program})") };
        write!(told, "{joint} {process}{shown}").ok()?;
    }
    (!told.is_empty()).then(|| format!("{told} holds a lock on it."))
}

/// The processes that hold a write lock on one of the files.
fn holders(table: &str, files: &[String]) -> Vec<u32> {
    let of_line = |line: &str| -> Option<u32> {
        // 1: POSIX  ADVISORY  WRITE 708 08:01:2490397 1073741824 1073742335
        let mut words = line.split_whitespace().skip(3);
        let is_write = words.next()? == "WRITE";
        let process = words.next()?.parse().ok()?;
        let file = words.next()?;
        (is_write && files.iter().any(|known| known == file)).then_some(process)
    };
    table.lines().filter_map(of_line).collect()
}

/// A file as `/proc/locks` writes it: device and inode.
#[cfg(unix)]
fn name_in_table(file: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(file).ok()?;
    let (device, inode) = (found.dev(), found.ino());
    Some(format!("{:02x}:{:02x}:{inode}", rustix::fs::major(device), rustix::fs::minor(device)))
}

#[cfg(not(unix))]
fn name_in_table(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_are_found_in_the_table_of_locks() {
        let table = "1: POSIX  ADVISORY  WRITE 708 08:01:24 1073741824 1073742335\n\
                     1: -> POSIX  ADVISORY  WRITE 709 08:01:24 0 EOF\n\
                     2: POSIX  ADVISORY  READ 710 08:01:24 1073741826 1073742335\n\
                     3: FLOCK  ADVISORY  WRITE 711 08:01:25 0 EOF\n\
                     nonsense\n";
        assert_eq!(holders(table, &["08:01:24".to_owned()]), [708]);
        assert_eq!(holders(table, &["08:01:25".to_owned(), "x".to_owned()]), [711]);
        assert_eq!(holders(table, &[]), [0_u32; 0]);
    }
}
