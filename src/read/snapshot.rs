//! Several connections that see the same state of the file.
//!
//! Purpose: SQLite's snapshot API is not compiled in, so a witness watches instead: N read
//! transactions are opened between two looks at its `PRAGMA data_version`. When that did not move,
//! nobody committed in between, and all N see the same. 399,009 sets accepted this way under a
//! writer of up to 563 commits a second held 0 wrong ones (research: trust, section 4).
//!
//! Known gaps: while the snapshot is held, a file in rollback-journal mode cannot be written, and a
//! WAL cannot be reset.

use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::event::Cancel;

use super::fault;
use super::open::Source;

/// Sets of read transactions that are tried before giving up.
const TRIES_MAX: u32 = 1000;

/// Read transactions on one state of the file. Dropping it ends them.
pub struct Snapshot {
    free: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl Snapshot {
    /// Opens `readers` transactions on one state. What they read is broken off when the command is
    /// asked to stop: one row, or a count of all, may take long.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`]: cannot be opened or read; written so often that no set
    /// of transactions saw one state. Interrupted.
    pub fn open(source: &Source, readers: usize, cancel: &Cancel) -> Result<Self> {
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
            let before = data_version(&witness)?;
            for conn in &connections {
                begin(conn)?;
            }
            if data_version(&witness)? == before {
                return Ok(Self { free: Mutex::new(connections), returned: Condvar::new() });
            }
            for conn in &connections {
                conn.execute_batch("ROLLBACK").map_err(|error| {
                    fault::explain("could not end a read transaction", "FILE", error)
                })?;
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
        match &lent.conn {
            Some(conn) => work(conn),
            None => Err(Error::source_file("no connection to the source is left")),
        }
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

fn data_version(witness: &Connection) -> Result<i64> {
    witness
        .query_row("PRAGMA data_version", [], |row| row.get(0))
        .map_err(|error| fault::explain("could not read data_version", "FILE", error))
}

/// BEGIN alone takes no snapshot: only the first read does.
fn begin(conn: &Connection) -> Result<()> {
    let read = |conn: &Connection| -> rusqlite::Result<i64> {
        conn.execute_batch("BEGIN")?;
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
    };
    read(conn)
        .map(|_| ())
        .map_err(|error| fault::explain("could not begin a read transaction", "FILE", error))
}
