//! The target server: a pool of sessions with our settings, and a way to stop them all.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, NoTls};

use crate::error::{Error, ErrorKind, Result};
use crate::event::Cancel;

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
/// out what the server does not know; the first of its settings fails on servers for Windows.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; \
     SET client_min_messages = warning; SET standard_conforming_strings = on; \
     SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
     SET lock_timeout = '30s'; SET synchronous_commit = off; \
     SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; \
     SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'; \
     SELECT set_config(name, CASE name WHEN 'client_connection_check_interval' THEN '1s' ELSE '0' END, \
     false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout') \
     OR (name = 'client_connection_check_interval' AND version() !~ 'Visual|mingw')";

/// Oldest server that is supported (`server_version_num`).
const VERSION_MIN: i32 = 120_000;
/// How long a stopped run waits for the server to roll back.
const STOP_WAIT: Duration = Duration::from_millis(1200);
/// How long a run that failed looks whether it still has its lock.
const WHY_WAIT: Duration = Duration::from_secs(2);
const WHY_TRIES: usize = 3;
const WHY_PAUSE: Duration = Duration::from_millis(100);
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
}

/// The target.
pub struct Target {
    pool: Pool,
    tokens: Arc<Mutex<Vec<CancelToken>>>,
    guards: Arc<Mutex<Vec<Guard>>>,
    has_password: bool,
    /// `database at host:port as user`.
    pub shown: String,
    /// Version as the server says it, such as `15.18`.
    pub version: String,
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
        let tokens: Arc<Mutex<Vec<CancelToken>>> = Arc::default();
        let registered = Arc::clone(&tokens);
        let guards: Arc<Mutex<Vec<Guard>>> = Arc::default();
        let guarded = Arc::clone(&guards);
        let manager = Manager::from_config(
            url.config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            registered.lock().unwrap_or_else(PoisonError::into_inner).push(client.cancel_token());
            let guards = guarded.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(async move {
                client.batch_execute(SETTINGS).await.map_err(HookError::Backend)?;
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
        let mut target =
            Self { pool, tokens, guards, has_password, shown: url.shown, version: String::new() };
        target.version = tokio::select! {
            version = target.look() => version?,
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
                }
                other => failure::pool_failed(&what, other),
            }
        })
    }

    /// Returns why a run failed: that its lock is gone says more than that its sessions were ended.
    pub async fn instead_of(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Target {
            return error;
        }
        // The session of the lock may be the last one to end.
        for _ in 0..WHY_TRIES {
            match tokio::time::timeout(WHY_WAIT, self.has_guards()).await {
                Ok(Err(why)) if why.kind() == ErrorKind::Locked => return why,
                Ok(Ok(_)) => tokio::time::sleep(WHY_PAUSE).await,
                _ => return error,
            }
        }
        error
    }

    /// An error when a lock is gone.
    async fn has_guards(&self) -> Result<()> {
        let session = self.session().await?;
        let guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for guard in guards {
            // A session that was ended too is replaced by the next one.
            if guard.enter(&session).await.is_ok_and(|is_held| !is_held) {
                return Err(lost(&guard.schema));
            }
        }
        Ok(())
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

    async fn look(&self) -> Result<String> {
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
        Ok(version.split_whitespace().next().unwrap_or(&version).to_owned())
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
        let mut work = std::pin::pin!(work);
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
            let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let requests = tokens.iter().map(|token| token.cancel_query(NoTls));
            // A request that fails leaves a statement that ends with its connection.
            futures_util::future::join_all(requests).await;
            tokio::time::sleep(STOP_AGAIN).await;
        }
    }
}
