//! One transfer at a time into one schema.
//!
//! Purpose: a session-level advisory lock, held by a session of its own for as long as the run
//! lives. After `kill -9` the old server process keeps it for a moment, so it is waited for; or its
//! sessions are ended (`--takeover`). The other sessions of the run hold a second lock, shared: so it
//! can be seen which they are, and a new run begins when the last of them is gone.
//!
//! Known gaps: a pooler in transaction mode gives each statement another session, and so keeps no lock.

use std::time::{Duration, Instant};

use deadpool_postgres::GenericClient;
use serde::Serialize;
use tokio_postgres::error::SqlState;

use crate::connect::{Guard, Session, Target, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener};
use crate::options::TransferOptions;

/// First half of the lock's key: "lite" as a number, so that no other program's locks are met.
pub const LOCK_CLASS: i32 = 0x6c69_7465;
/// The same of the lock that all sessions of a run share.
pub const SHARED_CLASS: i32 = LOCK_CLASS + 1;
/// How long a lock of another session is waited for. A killed run's sessions are seen to be gone
/// within seconds.
pub const WAIT: Duration = Duration::from_secs(30);
/// The longest that may be asked for: a day.
pub const WAIT_MAX: Duration = Duration::from_secs(86_400);
/// How long sessions that were ended may take to roll back, whatever else was asked for.
const END_WAIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(250);

/// How another run that holds the lock is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long it is waited for.
    pub wait: Duration,
    /// Whether its sessions are ended.
    pub takeover: bool,
}

impl Patience {
    /// Waits as long as commands do, and ends nobody.
    pub const DEFAULT: Self = Self { wait: WAIT, takeover: false };
}

/// A session that holds the lock of a schema, or one of the sessions beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Process of the server.
    pub pid: i32,
    /// Address of the client; `None`: this machine's own socket, or this role may not see it.
    pub client: Option<String>,
    /// When it connected, as the server prints it; `None`: this role may not see it.
    pub since: Option<String>,
    /// False: it works for a run whose lock is held by another session, or by none any more.
    #[serde(skip)]
    pub is_lock: bool,
}

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
    let patience = Patience { wait: options.lock_wait, takeover: options.takeover };
    take_for(target, &options.inspect.into, patience, listener, cancel).await
}

/// Takes a lock again whose session was lost. Whoever has it by now keeps it: most likely it was taken over.
///
/// # Errors
/// As [`take`].
pub async fn retake(
    target: &Target,
    schema: &str,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Session> {
    let patience = Patience { wait: Duration::ZERO, takeover: false };
    take_for(target, schema, patience, listener, cancel).await.map_err(|error| match error.kind() {
        ErrorKind::Locked => Error::new(
            ErrorKind::Locked,
            format!("this run has lost its lock on schema \"{}\"", schema.escape_debug()),
        )
        .detail(format!(
            "Another litelift has it now. {}",
            error.full_detail().unwrap_or_default()
        ))
        .hint("What was committed is kept, and the other one goes on with it: `litelift status` shows how far it is."),
        _ => error,
    })
}

/// Takes the lock of a schema by its name. From then on each new session of `target` is known as one of
/// this run, and is refused once the lock is lost.
///
/// # Errors
/// As [`take`].
pub async fn take_for(
    target: &Target,
    schema: &str,
    patience: Patience,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Session> {
    let session = target.session().await?;
    let begun = Instant::now();
    let (mut is_held, mut is_told, mut ended) = (false, false, false);
    loop {
        is_held = is_held || try_lock(&session, schema).await?;
        let others = sessions(&session, schema).await?;
        if is_held && others.is_empty() {
            target.guard(Guard {
                schema: schema.to_owned(),
                pid: own_pid(&session).await?,
                class: LOCK_CLASS,
                shared_class: SHARED_CLASS,
            });
            return Ok(session);
        }
        // Beside a lock of ours there can only be what is left of a run that lost it.
        if patience.takeover && !others.is_empty() && (is_held || !ended) {
            end(&session, schema, &others, listener).await?;
            ended = true;
        }
        let wait = if ended { patience.wait.max(END_WAIT) } else { patience.wait };
        if begun.elapsed() > wait {
            return Err(locked(schema, &others, ended));
        }
        if !is_told && !patience.takeover {
            is_told = true;
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

async fn try_lock(session: &Session, schema: &str) -> Result<bool> {
    let row = session
        .query_one("SELECT pg_try_advisory_lock($1, hashtext($2))", &[&LOCK_CLASS, &schema])
        .await
        .map_err(|error| failure::failed("take the lock of the transfer", &error))?;
    Ok(row.get(0))
}

async fn own_pid(session: &Session) -> Result<i32> {
    let row = session.query_one("SELECT pg_backend_pid()", &[]).await;
    Ok(row.map_err(|error| failure::failed("take the lock of the transfer", &error))?.get(0))
}

/// Returns the sessions of other litelifts that work on a schema, the holder of the lock first.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn sessions(client: &impl GenericClient, schema: &str) -> Result<Vec<Holder>> {
    // Two-key locks have objsubid 2; the keys are classid and objid, as unsigned numbers.
    let sql = "SELECT l.pid, min(host(a.client_addr)), min(a.backend_start)::text, \
               bool_or(l.classid = $1::int::oid) \
               FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) \
               WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted \
               AND l.classid IN ($1::int::oid, $2::int::oid) AND l.objid = hashtext($3)::oid \
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
               AND l.pid <> pg_backend_pid() GROUP BY l.pid ORDER BY 4 DESC, 1";
    let rows = client
        .query(sql, &[&LOCK_CLASS, &SHARED_CLASS, &schema])
        .await
        .map_err(|error| failure::failed("see who holds the lock of the transfer", &error))?;
    Ok(rows
        .iter()
        .map(|row| Holder {
            pid: row.get(0),
            client: row.get(1),
            since: row.get(2),
            is_lock: row.get(3),
        })
        .collect())
}

/// Ends the sessions of another run.
async fn end(
    session: &Session,
    schema: &str,
    others: &[Holder],
    listener: &dyn Listener,
) -> Result<()> {
    for other in others {
        let ended = session.query_one("SELECT pg_terminate_backend($1)", &[&other.pid]).await;
        match ended {
            Ok(_) => {}
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                return Err(may_not_end(schema, others));
            }
            Err(error) => return Err(failure::failed("end the session of another run", &error)),
        }
    }
    let count = others.len();
    listener.on(Event::Note(format!(
        "--takeover: ended {count} session{} of another litelift at work on schema \"{}\".",
        if count == 1 { "" } else { "s" },
        schema.escape_debug()
    )));
    Ok(())
}

fn may_not_end(schema: &str, others: &[Holder]) -> Error {
    Error::new(
        ErrorKind::Locked,
        format!("--takeover may not end the litelift at work on schema \"{}\"", schema.escape_debug()),
    )
    .detail(told(others))
    .hint("Connect as the role of that session or as a superuser; or let a superuser GRANT pg_signal_backend to this role.")
}

fn locked(schema: &str, others: &[Holder], ended: bool) -> Error {
    let error = Error::new(
        ErrorKind::Locked,
        format!("another litelift is at work on schema \"{}\"", schema.escape_debug()),
    )
    .detail(told(others));
    if ended {
        return error
            .detail("Its sessions were told to end, and have not yet.")
            .hint("They may be rolling back much: run the same command again in a moment.");
    }
    error.hint("Wait for it (`transfer --lock-wait SECONDS`), or stop it; then run the same command again.").hint(
        "When nobody knows where it runs, `transfer --takeover` ends its sessions and goes on with its run.",
    )
}

fn told(others: &[Holder]) -> String {
    let Some(first) = others.first() else {
        return "Its session has ended just now.".to_owned();
    };
    let pid = first.pid;
    match &first.since {
        Some(since) => format!(
            "It is connected from {} since {since}; its server process is {pid}.",
            first.client.as_deref().unwrap_or("local"),
        ),
        None => format!("Its server process is {pid}; more of it cannot be seen by this role."),
    }
}
