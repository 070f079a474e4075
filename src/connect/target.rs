//! The target server: a pool of sessions with our settings, and a way to stop them all.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Config, NoTls, SimpleQueryMessage};

use crate::error::{Error, ErrorKind, Result, Transient};
use crate::event::{Cancel, Listener};
use crate::model::ident::literal;

use super::watch::Turn;
use super::{failure, url};

/// A connection with our settings.
pub type Session = Object;

/// What every session begins with. Only our own sessions are touched.
///
/// `search_path` empty of user schemas: no function or operator of the database can take the place
/// of a built-in one. synchronous_commit=off is safe here: rows and checkpoint are lost together.
///
/// The rest lets the server notice that we are gone, and so roll back and free the lock, where its
/// own defaults are never (a long statement) and two hours (a machine that lost its power); and it
/// lifts the newer limits, for the session that holds the lock does nothing else. The SELECT leaves
/// out what the server does not know; the first of its settings fails on servers for Windows. The last
/// one says who we are there, in the same round trip.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; \
     SET client_min_messages = warning; SET standard_conforming_strings = on; \
     SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
     SET lock_timeout = '30s'; SET synchronous_commit = off; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; \
     SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'; \
     SELECT set_config(name, CASE name WHEN 'client_connection_check_interval' THEN '1s' ELSE '0' END, \
     false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout') \
     OR (name = 'client_connection_check_interval' AND version() !~ 'Visual|mingw'); \
     SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// Oldest server that is supported (`server_version_num`).
const VERSION_MIN: i32 = 120_000;
/// How long a stopped run waits for the server to roll back.
const STOP_WAIT: Duration = Duration::from_millis(1200);
/// How often it asks the server to stop meanwhile: the first time may be between two statements.
const STOP_AGAIN: Duration = Duration::from_millis(200);
/// How long a server may take until a session is ready. The timeout of the URL is for the socket
/// alone: what accepts connections and then says nothing need not be PostgreSQL.
const SESSION_LIMIT: Duration = Duration::from_secs(20);

const NO_POSTGRES: &str = "Is it PostgreSQL that listens there?";

/// An advisory lock that new sessions belong to.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Schema that is locked.
    pub schema: String,
    /// The server's process that holds the lock.
    pub pid: i32,
    /// First half of the lock's key.
    pub class: i32,
    /// First half of the key of the lock that the run's other sessions share.
    pub shared_class: i32,
}

impl Guard {
    /// Makes a session known as one of the run, and tells whether the run still holds its lock.
    async fn enter(
        &self,
        client: &deadpool_postgres::ClientWrapper,
    ) -> std::result::Result<bool, tokio_postgres::Error> {
        let sql = "SELECT pg_advisory_lock_shared($1, hashtext($2))::text, EXISTS (SELECT FROM pg_locks \
                   WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid = $3 \
                   AND classid = $4::int::oid AND objid = hashtext($2)::oid)";
        let values: [&(dyn ToSql + Sync); 4] =
            [&self.shared_class, &self.schema, &self.pid, &self.class];
        Ok(client.query_one(sql, &values).await?.get(1))
    }
}

/// The error of a run whose lock is gone.
fn lost(schema: &str) -> Error {
    Error::new(
        ErrorKind::Locked,
        format!("this run has lost its lock on schema \"{}\"", schema.escape_debug()),
    )
    .detail("Another litelift took it over, or the server ended the session that held it.")
    .hint("When no other litelift is at work there, run the same command again to continue.")
    .transient(Transient::ConnectionLost)
}

/// How long the server may take to end sessions that were given up.
const END_LIMIT: Duration = Duration::from_secs(10);
const END_POLL: Duration = Duration::from_millis(50);

/// A session as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Backend {
    pid: i32,
    /// When it began, as the server prints it: process ids come again.
    since: String,
}

/// What is known of the sessions that were opened.
#[derive(Default)]
struct Opened {
    tokens: Vec<CancelToken>,
    backends: Vec<Backend>,
}

/// The target.
pub struct Target {
    pool: Pool,
    config: Config,
    opened: Arc<Mutex<Opened>>,
    guards: Arc<Mutex<Vec<Guard>>>,
    has_password: bool,
    /// Who is told what the server waits for.
    pub(super) listener: OnceLock<Arc<dyn Listener>>,
    /// Who holds the lock that was last waited for.
    pub(super) holders: Mutex<Option<String>>,
    /// `database at host:port as user`.
    pub shown: String,
    /// Version as the server says it, such as `15.18`.
    pub version: String,
    /// `server_version_num`, such as 150018.
    pub version_number: i32,
}

impl Target {
    /// Connects once, to know that it works, and looks at the server.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] for the URL; [`crate::error::ErrorKind::Target`] when the
    /// server cannot be reached, refuses, is too old, or has another encoding than UTF8;
    /// interrupted.
    pub async fn open(text: &str, sessions_max: usize, cancel: &Cancel) -> Result<Self> {
        let url = url::parse(text)?;
        let opened: Arc<Mutex<Opened>> = Arc::default();
        let registered = Arc::clone(&opened);
        let guards: Arc<Mutex<Vec<Guard>>> = Arc::default();
        let guarded = Arc::clone(&guards);
        let manager = Manager::from_config(
            url.config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let registered = Arc::clone(&registered);
            let guards = guarded.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(async move {
                let token = client.cancel_token();
                registered.lock().unwrap_or_else(PoisonError::into_inner).tokens.push(token);
                let told = client.simple_query(SETTINGS).await.map_err(HookError::Backend)?;
                let backend = told.iter().rev().find_map(backend);
                registered.lock().unwrap_or_else(PoisonError::into_inner).backends.extend(backend);
                for guard in guards {
                    if !guard.enter(client).await.map_err(HookError::Backend)? {
                        return Err(HookError::message(guard.schema));
                    }
                }
                Ok(())
            })
        });
        let pool = Pool::builder(manager)
            .max_size(sessions_max)
            .post_create(hook)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(SESSION_LIMIT))
            .build()
            .map_err(|error| Error::target("could not set up the connections").caused_by(error))?;
        let has_password = url.config.get_password().is_some();
        let mut target = Self {
            pool,
            config: url.config,
            opened,
            guards,
            has_password,
            listener: OnceLock::new(),
            holders: Mutex::default(),
            shown: url.shown,
            version: String::new(),
            version_number: 0,
        };
        let turn = Turn::default();
        (target.version_number, target.version) = tokio::select! {
            version = target.watched(&turn, target.look()) => version?,
            () = cancel.asked() => return Err(Error::interrupted()),
        };
        Ok(target)
    }

    /// Makes every session that is opened from now on one of the run that holds this lock; it is refused
    /// when the lock is gone. Of two calls for one schema the later counts.
    pub fn guard(&self, guard: Guard) {
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        guards.retain(|before| before.schema != guard.schema);
        guards.push(guard);
    }

    /// Takes a session of the pool, connecting when none is free.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Target`]; [`crate::error::ErrorKind::Locked`] when the lock of the run is
    /// gone ([`Self::guard`]).
    pub async fn session(&self) -> Result<Session> {
        self.pool.get().await.map_err(|error| {
            let what = format!("connect to {}", self.shown);
            match error {
                PoolError::PostCreateHook(HookError::Backend(error))
                | PoolError::Backend(error) => self.unreachable(&what, &error),
                PoolError::PostCreateHook(HookError::Message(schema)) => lost(&schema),
                PoolError::Timeout(TimeoutType::Create) => {
                    Error::target(format!("could not {what}"))
                        .detail(format!(
                            "The connection was accepted, but nothing answered within {} s.",
                            SESSION_LIMIT.as_secs()
                        ))
                        .hint(NO_POSTGRES)
                        .transient(Transient::ConnectionLost)
                }
                other => failure::pool_failed(&what, other),
            }
        })
    }

    fn unreachable(&self, what: &str, error: &tokio_postgres::Error) -> Error {
        let ours = failure::failed(what, error);
        if error.as_db_error().is_some() {
            return ours;
        }
        use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
        ours.hint(match cause.map(std::io::Error::kind) {
            // Bytes that are not PostgreSQL's.
            Some(InvalidData | InvalidInput | Other | UnexpectedEof) => NO_POSTGRES,
            Some(_) => "Is the server running there, and does it accept connections from here?",
            None if self.has_password => NO_POSTGRES,
            None => "Give the password in the URL, if the server asks for one.",
        })
    }

    async fn look(&self) -> Result<(i32, String)> {
        let session = self.session().await?;
        let row = session
            .query_one(
                "SELECT current_setting('server_version_num')::int, \
                 current_setting('server_version'), current_setting('server_encoding'), \
                 pg_is_in_recovery()",
                &[],
            )
            .await
            .map_err(|error| failure::failed("ask the server for its version", &error))?;
        let number: i32 = row.get(0);
        let version: String = row.get(1);
        let encoding: String = row.get(2);
        if number < VERSION_MIN {
            return Err(Error::target(format!("PostgreSQL {version} is too old"))
                .hint("litelift needs PostgreSQL 12 or later."));
        }
        if encoding != "UTF8" {
            return Err(Error::target(format!("the target database has encoding {encoding}"))
                .detail("SQLite's text is Unicode, and would not all fit.")
                .hint("Create the database with ENCODING 'UTF8' TEMPLATE template0."));
        }
        if row.get(3) {
            return Err(Error::target("the target is a read-only standby")
                .hint("Connect to the primary server."));
        }
        // "15.18 (Debian 15.18-0+deb12u1)": the first word is the version.
        Ok((number, version.split_whitespace().next().unwrap_or(&version).to_owned()))
    }

    /// Says who is told what the server waits for.
    pub fn listen(&self, listener: &Arc<dyn Listener>) {
        // A second one would hear of the same.
        let _ = self.listener.set(Arc::clone(listener));
    }

    /// Returns who held the lock that was last waited for.
    #[must_use]
    pub fn holders(&self) -> Option<String> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a condition on `pg_stat_activity` for sessions of ours; `None` when there are none.
    pub(super) fn backends_in_sql(&self, is_meant: impl Fn(i32) -> bool) -> Option<String> {
        in_sql(self.opened().backends.iter().filter(|backend| is_meant(backend.pid)))
    }

    /// Connects anew after a failure: sessions that are no more used are closed, and what the server
    /// still does for them is ended, for it would hold locks. Callers give theirs back before.
    ///
    /// # Errors
    /// As [`Self::session`].
    pub async fn reconnect(&self) -> Result<()> {
        self.pool.retain(|_, _| false);
        // With them goes the lock; whoever goes on takes it again.
        self.guards.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.opened().tokens.clear();
        // Known until they are ended: this call may fail, or be given up, and come again.
        let earlier = self.opened().backends.clone();
        let session = self.session().await?;
        let Some(meant) = in_sql(earlier.iter()) else { return Ok(()) };
        let sql =
            format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {meant}");
        let begun = std::time::Instant::now();
        loop {
            let row = session.query_one(&sql, &[]).await;
            let row = row.map_err(|error| failure::failed("end earlier sessions", &error))?;
            if row.get::<_, i64>(0) == 0 || begun.elapsed() > END_LIMIT {
                self.opened().backends.retain(|backend| !earlier.contains(backend));
                return Ok(());
            }
            tokio::time::sleep(END_POLL).await;
        }
    }

    /// Runs `work`; when the user asks to stop, cancels what the server does for us and waits a
    /// moment for `work` to see it.
    ///
    /// # Errors
    /// What `work` says; [`crate::error::ErrorKind::Interrupted`] whenever a stop was asked for.
    pub async fn until_cancelled<T>(
        &self,
        cancel: &Cancel,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let turn = Turn::default();
        let mut work = std::pin::pin!(self.watched(&turn, work));
        let ended = tokio::select! {
            ended = &mut work => Some(ended),
            () = cancel.asked() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => tokio::select! {
                ended = tokio::time::timeout(STOP_WAIT, work) => {
                    ended.unwrap_or_else(|_| Err(Error::interrupted()))
                }
                never = self.keep_cancelling() => match never {},
            },
        };
        match ended {
            // Work that was done before it saw the request is done.
            Ok(value) => Ok(value),
            Err(_) if cancel.is_asked() => Err(Error::interrupted()),
            Err(error) => Err(error),
        }
    }

    async fn keep_cancelling(&self) -> Infallible {
        loop {
            let tokens = self.opened().tokens.clone();
            let requests = tokens.iter().map(|token| token.cancel_query(NoTls));
            // A request that fails leaves a statement that ends with its connection.
            futures_util::future::join_all(requests).await;
            tokio::time::sleep(STOP_AGAIN).await;
        }
    }
}

/// A condition on `pg_stat_activity`; `None` when there are none.
fn in_sql<'a>(backends: impl Iterator<Item = &'a Backend>) -> Option<String> {
    let one = |one: &Backend| format!("({}, {}::timestamptz)", one.pid, literal(&one.since));
    let all: Vec<String> = backends.map(one).collect();
    (!all.is_empty()).then(|| format!("(pid, backend_start) IN ({})", all.join(", ")))
}

/// Reads the last row of [`SETTINGS`].
fn backend(message: &SimpleQueryMessage) -> Option<Backend> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let pid = row.try_get("pid").ok()??.parse().ok()?;
    Some(Backend { pid, since: row.try_get("backend_start").ok()??.to_owned() })
}
