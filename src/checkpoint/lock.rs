//! One transfer at a time into one schema.
//!
//! Purpose: a session-level advisory lock, held by a session of its own for as long as the run
//! lives. After `kill -9` the old server process keeps it for a moment, so it is waited for.

use std::time::{Duration, Instant};

use crate::connect::{Session, Target, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::options::TransferOptions;

/// First half of the lock's key: "lite" as a number, so that no other program's locks are met.
const LOCK_CLASS: i32 = 0x6c69_7465;
/// How long a lock of another session is waited for. A killed run's sessions are seen to be gone
/// within seconds.
pub const WAIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(250);

/// Takes the lock of a target schema; it is held until the session is closed.
///
/// # Errors
/// [`ErrorKind::Locked`] when another run keeps it; [`ErrorKind::Target`]; interrupted.
pub async fn take(
    target: &Target,
    options: &TransferOptions,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Session> {
    take_for(target, &options.inspect.into, options.lock_wait, listener, cancel).await
}

/// Takes the lock of a schema by its name.
///
/// # Errors
/// As [`take`].
pub async fn take_for(
    target: &Target,
    schema: &str,
    wait: Duration,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Session> {
    let session = target.session().await?;
    let begun = Instant::now();
    let mut told = false;
    loop {
        let row = session
            .query_one("SELECT pg_try_advisory_lock($1, hashtext($2))", &[&LOCK_CLASS, &schema])
            .await
            .map_err(|error| failure::failed("take the lock of the transfer", &error))?;
        if row.get(0) {
            return Ok(session);
        }
        if begun.elapsed() > wait {
            return Err(Error::new(
                ErrorKind::Locked,
                format!("another litelift is at work on schema \"{}\"", schema.escape_debug()),
            )
            .detail(holder(&session, schema).await)
            .hint("Wait for it, or stop it; then run the same command again."));
        }
        if !told {
            told = true;
            listener.on(Event::Note(format!(
                "Waiting up to {} s for another litelift that holds the lock on schema \"{}\".",
                wait.as_secs(),
                schema.escape_debug()
            )));
        }
        cancel.check()?;
        tokio::time::sleep(POLL).await;
    }
}

async fn holder(session: &Session, schema: &str) -> String {
    // Two-key locks have objsubid 2; the keys are classid and objid, as unsigned numbers.
    let sql = "SELECT a.pid, coalesce(a.client_addr::text, 'local'), a.backend_start::text \
               FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
               WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted \
               AND l.classid = $1::int::oid AND l.objid = hashtext($2)::oid \
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    match session.query_opt(sql, &[&LOCK_CLASS, &schema]).await {
        Ok(Some(row)) => format!(
            "It is connected from {} since {}; its server process is {}.",
            row.get::<_, String>(1),
            row.get::<_, String>(2),
            row.get::<_, i32>(0)
        ),
        _ => "Its server process cannot be seen by this role.".to_owned(),
    }
}
