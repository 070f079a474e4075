//! The target server: a pool of sessions with our settings, and a way to stop them all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::{CancelToken, NoTls};

use crate::error::{Error, Result};
use crate::event::Cancel;

use super::{failure, url};

/// A connection with our settings.
pub type Session = Object;

/// What every session begins with. Only our own sessions are touched.
///
/// `search_path` empty of user schemas: no function or operator of the database can take the place
/// of a built-in one. synchronous_commit=off is safe here: rows and checkpoint are lost together.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; \
     SET client_min_messages = warning; SET standard_conforming_strings = on; \
     SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
     SET lock_timeout = '30s'; SET synchronous_commit = off";

/// Oldest server that is supported (`server_version_num`).
const VERSION_MIN: i32 = 120_000;
/// How long a stopped run waits for the server to roll back.
const STOP_WAIT: Duration = Duration::from_millis(1500);

/// The target.
pub struct Target {
    pool: Pool,
    tokens: Arc<Mutex<Vec<CancelToken>>>,
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
    /// server cannot be reached, refuses, is too old, or has another encoding than UTF8.
    pub async fn open(text: &str, sessions_max: usize) -> Result<Self> {
        let url = url::parse(text)?;
        let tokens: Arc<Mutex<Vec<CancelToken>>> = Arc::default();
        let registered = Arc::clone(&tokens);
        let manager = Manager::from_config(
            url.config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            registered.lock().unwrap_or_else(PoisonError::into_inner).push(client.cancel_token());
            Box::pin(
                async move { client.batch_execute(SETTINGS).await.map_err(HookError::Backend) },
            )
        });
        let pool =
            Pool::builder(manager).max_size(sessions_max).post_create(hook).build().map_err(
                |error| Error::target("could not set up the connections").caused_by(error),
            )?;
        let mut target = Self { pool, tokens, shown: url.shown, version: String::new() };
        target.version = target.look().await?;
        Ok(target)
    }

    /// Takes a session of the pool, connecting when none is free.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Target`].
    pub async fn session(&self) -> Result<Session> {
        self.pool.get().await.map_err(|error| {
            let what = format!("connect to {}", self.shown);
            match error {
                deadpool_postgres::PoolError::PostCreateHook(HookError::Backend(error)) => {
                    failure::failed(&what, &error)
                }
                other => failure::pool_failed(&what, other),
            }
        })
    }

    async fn look(&self) -> Result<String> {
        let session = self.session().await.map_err(|error| {
            let no_server = error.hints().is_empty();
            if no_server {
                error.hint("Is the server running there, and does it accept connections from here?")
            } else {
                error
            }
        })?;
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
            None => {
                self.cancel_statements().await;
                match tokio::time::timeout(STOP_WAIT, work).await {
                    Ok(ended) => ended,
                    Err(_) => Err(Error::interrupted()),
                }
            }
        };
        match ended {
            // Work that was done before it saw the request is done.
            Ok(value) => Ok(value),
            Err(_) if cancel.is_asked() => Err(Error::interrupted()),
            Err(error) => Err(error),
        }
    }

    async fn cancel_statements(&self) {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let requests = tokens.iter().map(|token| token.cancel_query(NoTls));
        // A request that fails leaves a statement that ends with its connection.
        let all = futures_util::future::join_all(requests);
        let _ = tokio::time::timeout(STOP_WAIT / 3, all).await;
    }
}
