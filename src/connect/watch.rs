//! Notices that a connection is dead although nobody said so.
//!
//! Purpose: what swallows packets (a firewall that forgot us, a machine without power behind a proxy that
//! still answers) leaves a client that waits for the server and a server that waits for the client, for
//! ever; keepalives do not see it when something between acknowledges them. So while work waits and
//! nothing comes, a short connection of its own asks whether the server is still at it. A statement that
//! runs, however long, or waits for a lock, is left alone; of the lock it is told who holds it.
//!
//! Known gaps: where the role may make no further connection (53300), or the server hides its sessions
//! (a pooler in transaction mode), nothing is known and the work goes on waiting.
//!
//! Knobs: the constants. At most 26 s go by from the last sign of life to the error.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_postgres::{NoTls, SimpleQueryMessage, SimpleQueryRow};

use crate::error::{Error, Result, Transient};
use crate::event::Event;

use super::failure;
use super::target::{Session, Target};

/// Work that moved in such a span of time is alive.
const SPAN: Duration = Duration::from_secs(4);
/// So many spans without anything, and the server is asked.
const QUIET_SPANS: u32 = 2;
/// How long the question may take, connecting included.
const ASK_LIMIT: Duration = Duration::from_secs(6);
/// Before the second question: an answer may be on its way, a refusal may have been chance.
const PAUSE: Duration = Duration::from_secs(2);

/// Whose turn it is in what is watched: the time that litelift itself takes (it reads the source) is
/// no silence of the server.
#[derive(Debug, Default)]
pub struct Turn {
    is_ours: AtomicBool,
    backend: AtomicI32,
}

impl Turn {
    /// Says which session the work waits for; before, any of the target's counts.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Target`].
    pub async fn with(&self, session: &Session) -> Result<()> {
        let row = session.query_one("SELECT pg_backend_pid()", &[]).await;
        let row = row.map_err(|error| failure::failed("ask for the server process", &error))?;
        self.backend.store(row.get(0), Ordering::Relaxed);
        Ok(())
    }

    /// Waits for something of our own.
    pub async fn ours<T>(&self, work: impl Future<Output = T>) -> T {
        self.is_ours.store(true, Ordering::Relaxed);
        let done = work.await;
        self.is_ours.store(false, Ordering::Relaxed);
        done
    }

    fn is_ours(&self) -> bool {
        self.is_ours.load(Ordering::Relaxed)
    }
}

/// What the server says of us.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It works, or cannot say.
    Working,
    /// It waits for a lock, of these holders.
    Waiting(String),
    /// It waits for us, or has no such session.
    Lost(String),
    /// It could not be asked.
    Unreachable(String),
}

impl Target {
    /// Runs `work`, and ends it with an error when the server has forgotten us.
    ///
    /// # Errors
    /// What `work` says; [`crate::error::ErrorKind::Target`] for a dead connection.
    pub async fn watched<T>(
        &self,
        turn: &Turn,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let polls = AtomicU64::new(0);
        let mut work = std::pin::pin!(work);
        let counted = std::future::poll_fn(|context| {
            polls.fetch_add(1, Ordering::Relaxed);
            work.as_mut().poll(context)
        });
        // Polled only when it was woken itself: a select would poll it whenever the clock ticks.
        let mut work = FuturesUnordered::from_iter([counted]);
        let mut quiet = 0;
        let mut unreachable = 0;
        loop {
            let before = polls.load(Ordering::Relaxed);
            let is_quiet = || polls.load(Ordering::Relaxed) == before && !turn.is_ours();
            tokio::select! {
                biased;
                () = tokio::time::sleep(if unreachable == 0 { SPAN } else { PAUSE }) => {}
                Some(done) = work.next() => return done,
            }
            quiet = if is_quiet() { quiet + 1 } else { 0 };
            if quiet < QUIET_SPANS {
                unreachable = 0;
                continue;
            }
            let seen = tokio::select! {
                Some(done) = work.next() => return done,
                seen = self.look_at(turn.backend.load(Ordering::Relaxed)) => seen,
            };
            let reason = match seen {
                Seen::Working => continue,
                Seen::Waiting(holders) => {
                    self.tell_holders(holders);
                    continue;
                }
                Seen::Lost(reason) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep(PAUSE) => {}
                        Some(done) = work.next() => return done,
                    }
                    reason
                }
                Seen::Unreachable(_) if unreachable == 0 => {
                    unreachable += 1;
                    continue;
                }
                Seen::Unreachable(reason) => reason,
            };
            if is_quiet() {
                return Err(Error::target(format!("lost the connection to {}", self.shown))
                    .detail(reason)
                    .transient(Transient::ConnectionLost));
            }
            quiet = 0;
        }
    }

    /// Asks, over a connection of its own, what a server process does; 0: all of ours.
    async fn look_at(&self, backend: i32) -> Seen {
        let Some(sql) = self.question(backend) else { return Seen::Working };
        match tokio::time::timeout(ASK_LIMIT, self.ask(&sql)).await {
            Ok(Ok(rows)) => judge(&rows),
            Ok(Err(error)) => match error.as_db_error() {
                Some(server)
                    if failure::transient(server.code()) == Some(Transient::Unavailable)
                        && server.code()
                            != &tokio_postgres::error::SqlState::TOO_MANY_CONNECTIONS =>
                {
                    Seen::Lost(format!("The server says: {}.", server.message()))
                }
                Some(_) => Seen::Working,
                None => Seen::Unreachable(
                    "Nothing came from the server, and a new connection to it failed twice."
                        .to_owned(),
                ),
            },
            Err(_) => Seen::Unreachable(format!(
                "Nothing came from the server, and a new connection got no answer within {} s, twice.",
                ASK_LIMIT.as_secs()
            )),
        }
    }

    /// The question, in the simple protocol: one round trip.
    fn question(&self, backend: i32) -> Option<String> {
        let which = self.backends_in_sql(|pid| backend == 0 || pid == backend)?;
        Some(format!(
            "SELECT a.pid, \
             coalesce(a.state LIKE 'idle%' OR a.wait_event_type = 'Client', false)::int, \
             (SELECT string_agg(format('process %s (%s)', h.pid, concat_ws(', ', \
             'application ' || quote_ident(nullif(h.application_name, '')), \
             'user ' || quote_ident(h.usename), h.state || ' since ' || \
             to_char(h.state_change, 'HH24:MI:SS'))), ', ') \
             FROM pg_stat_activity h WHERE a.wait_event_type = 'Lock' \
             AND h.pid = ANY (pg_blocking_pids(a.pid))) \
             FROM pg_stat_activity a WHERE {which}"
        ))
    }

    async fn ask(
        &self,
        sql: &str,
    ) -> std::result::Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
        let mut config = self.config().clone();
        config.connect_timeout(ASK_LIMIT);
        let (client, connection) = config.connect(NoTls).await?;
        let answer = async {
            let messages = client.simple_query(sql).await?;
            let rows = messages.into_iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            Ok(rows.collect())
        };
        tokio::select! {
            answer = answer => answer,
            // Ends first only when it is lost; the answer then says the same.
            ended = connection => { ended?; Ok(Vec::new()) }
        }
    }

    /// Tells once who holds a lock.
    fn tell_holders(&self, holders: String) {
        let mut told = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == Some(&holders) {
            return;
        }
        if let Some(listener) = self.listener.get() {
            listener
                .on(Event::Note(format!("The server waits for a lock that is held by {holders}.")));
        }
        *told = Some(holders);
    }
}

fn judge(rows: &[SimpleQueryRow]) -> Seen {
    if rows.is_empty() {
        return Seen::Lost("The server knows nothing of the session any more.".to_owned());
    }
    if let Some(holders) = rows.iter().find_map(|row| row.get(2)) {
        return Seen::Waiting(holders.escape_debug().to_string());
    }
    if rows.iter().any(|row| row.get(1) == Some("0")) {
        return Seen::Working;
    }
    let pid = rows.first().and_then(|row| row.get(0)).unwrap_or("?");
    Seen::Lost(format!(
        "Nothing comes from the server, whose process {pid} waits for litelift: something between them swallows what is sent."
    ))
}
