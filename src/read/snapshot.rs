//! Several connections that see the same state of the file.
//!
//! Purpose: SQLite's snapshot API is not compiled in, so a witness watches instead: N read
//! transactions are opened between two looks at its `PRAGMA data_version`. When that did not move,
//! nobody committed in between, and all N see the same. 399,009 sets accepted this way under a
//! writer of up to 563 commits a second held 0 wrong ones (research: trust, section 4).
//!
//! Known gaps: while the snapshot is held, a file in rollback-journal mode cannot be written, and a
//! WAL cannot be reset.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};

use super::open::{Source, unreadable_file};
use super::private_copy::FileIdentity;
use super::wal_growth::{TOLD_FROM_BYTES, WalGrowth};
use super::watch::{Seen, Watch};

/// Sets of read transactions that are tried before giving up.
const TRIES_MAX: u32 = 1000;

/// Read transactions on one state of the file. Dropping it ends them.
pub struct Snapshot {
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
    witness: Mutex<Connection>,
    /// `data_version` of the witness when the snapshot was taken.
    seen: i64,
    watch: Watch,
    wal: Option<WalGrowth>,
    is_replaced: AtomicBool,
    remarks: Mutex<Vec<String>>,
    listener: Arc<dyn Listener>,
}

impl Snapshot {
    /// Opens `readers` transactions on one state. What they read is broken off when the command is
    /// asked to stop: one row, or a count of all, may take long.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`]: cannot be opened or read; locked for too long; written so
    /// often that no set of transactions saw one state. Interrupted.
    pub fn open(
        source: &Source,
        readers: usize,
        listener: &Arc<dyn Listener>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let path = source.real_path();
        let before = FileIdentity::of(path)
            .and_then(|found| found.ok_or_else(|| std::io::ErrorKind::NotFound.into()))
            .map_err(|cause| unreadable_file(source.path(), cause))?;
        let witness = source.connect()?;
        let mut connections = Vec::with_capacity(readers);
        for _ in 0..readers {
            connections.push(source.connect()?);
        }
        for conn in &connections {
            let handle = conn.get_interrupt_handle();
            cancel.when_asked(move || handle.interrupt());
        }
        for _ in 0..TRIES_MAX {
            cancel.check()?;
            if let Some(seen) = source.patiently(|| begin_all(&witness, &connections))? {
                let watch = Watch::begin(source, &before, connections.first().unwrap_or(&witness))?;
                let wal = watch.wal();
                let grows = |wal| WalGrowth::begin(wal, Arc::clone(listener), TOLD_FROM_BYTES);
                return Ok(Self {
                    free: Mutex::new(connections),
                    returned: Condvar::new(),
                    witness: Mutex::new(witness),
                    seen,
                    watch,
                    wal: wal.map(grows),
                    is_replaced: AtomicBool::new(false),
                    remarks: Mutex::default(),
                    listener: Arc::clone(listener),
                });
            }
        }
        Err(Error::source_file("the source is written too often to get one consistent snapshot")
            .detail(format!("{TRIES_MAX} tries saw a commit between them."))
            .hint("Stop the application for a moment, or copy the file with `.backup` and use the copy."))
    }

    /// Lends a connection to `work`, waiting until one is free.
    ///
    /// # Errors
    /// What `work` says.
    pub fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let lent = Lent { snapshot: self, conn: Some(self.take()) };
        let result = match &lent.conn {
            Some(conn) => work(conn),
            None => Err(Error::source_file("no connection to the source is left")),
        };
        match (result, self.check_unchanged()) {
            (Ok(value), unchanged) => unchanged.map(|()| value),
            // Why it failed is then no riddle.
            (Err(error), Err(changed)) if error.kind() == ErrorKind::Source => {
                Err(changed.detail(format!("Then: {}.", error.message())))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Calls `work` with a connection for each part from 0 on, on so many threads at once, and returns what it
    /// gives, in order of the parts. After an error, or when `stop` says so, no further part is begun.
    ///
    /// # Errors
    /// The first part's that failed; [`ErrorKind::Source`] when a thread does.
    pub fn each_part<T: Send>(
        &self,
        parts: usize,
        threads: usize,
        stop: impl Fn() -> bool + Sync,
        work: impl Fn(&Connection, usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let next = AtomicUsize::new(0);
        let found: Mutex<BTreeMap<usize, Result<T>>> = Mutex::default();
        let take = || {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts || stop() {
                    return;
                }
                let done = self.with(|conn| work(conn, part));
                if done.is_err() {
                    next.store(parts, Ordering::Relaxed);
                }
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(part, done);
            }
        };
        let panicked = std::thread::scope(|scope| {
            let all: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(take)).collect();
            all.into_iter().map(std::thread::ScopedJoinHandle::join).any(|joined| joined.is_err())
        });
        if panicked {
            return Err(Error::source_file("a thread that reads the source failed unexpectedly"));
        }
        found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    /// Fails when what was read so far cannot be said to be of one state of the file. Looked at after
    /// each piece of work, so that a range is never committed otherwise.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`]: written without locks, truncated, or its `-wal` removed.
    pub fn check_unchanged(&self) -> Result<()> {
        if self.watch.check()? == Seen::Replaced && !self.is_replaced.swap(true, Ordering::Relaxed)
        {
            let told = "The source was replaced by another file, or removed, while it was read. What is read \
                 is the file as it was when this command began.";
            self.listener.on(Event::Note(told.to_owned()));
            self.remark(told.to_owned());
        }
        Ok(())
    }

    /// Returns whether somebody committed to the file since the snapshot was taken.
    ///
    /// # Errors
    /// [`ErrorKind::Source`].
    pub fn is_written_since(&self) -> Result<bool> {
        let witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let now = data_version(&witness).map_err(|error| {
            super::fault::explain("could not look at the source again", "FILE", error)
        })?;
        Ok(now != self.seen)
    }

    /// Keeps something about the file for the report.
    pub(super) fn remark(&self, sentence: String) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).push(sentence);
    }

    /// What came up while the file was read, a sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let told = self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let grown = self.wal.as_ref().and_then(|wal| wal.told(TOLD_FROM_BYTES));
        told.into_iter().chain(grown).collect()
    }

    fn take(&self) -> Connection {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(conn) = free.pop() {
                return conn;
            }
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives the connection back also when the work panics.
struct Lent<'a> {
    snapshot: &'a Snapshot,
    conn: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.snapshot.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
            self.snapshot.returned.notify_one();
        }
    }
}

fn data_version(witness: &Connection) -> rusqlite::Result<i64> {
    witness.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// Begins to read on all connections, and returns the version that they see; none when somebody committed meanwhile, and then none reads.
///
/// When one has to wait for a lock, the others let theirs go: with a rollback journal a writer that has
/// begun to commit waits for them, and nobody else may begin to read until it is done.
fn begin_all(witness: &Connection, connections: &[Connection]) -> rusqlite::Result<Option<i64>> {
    let attempt = || -> rusqlite::Result<Option<i64>> {
        let seen = data_version(witness)?;
        for conn in connections {
            begin(conn)?;
        }
        Ok((data_version(witness)? == seen).then_some(seen))
    };
    let begun = attempt();
    if !matches!(begun, Ok(Some(_))) {
        for conn in connections.iter().filter(|conn| !conn.is_autocommit()) {
            conn.execute_batch("ROLLBACK")?;
        }
    }
    begun
}

/// BEGIN alone takes no snapshot: only the first read does.
fn begin(conn: &Connection) -> rusqlite::Result<()> {
    if conn.is_autocommit() {
        conn.execute_batch("BEGIN")?;
    }
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}
