//! PostgreSQL for the tests: one server for the whole run, one database per test.
//!
//! Purpose: a test asks for a [`database`] and gets an empty one that is dropped with the value.
//! The server is a [`litelift::scratch::Server`] in a `static`. Rust never drops those, but the
//! server's janitor notices the end of the test process, stops it and removes its folder.
//!
//! Knobs: `LITELIFT_TEST_PG`, the URL of a server to use instead; `LITELIFT_PG_BIN`, the folder of
//! the binaries, to choose a version; `TMPDIR=/dev/shm` for speed: the server makes some 300 files
//! per database, which took 300 ms on a slow disk and 15-30 ms in memory.

use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use litelift::error::Error;
use litelift::scratch::{Binaries, Borrowed, Server, Settings};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Returns the URL of the maintenance database of the server that all tests share.
///
/// # Panics
/// When there is no PostgreSQL: a test that silently skips proves nothing.
pub(crate) fn server_url() -> String {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    if let Ok(url) = std::env::var("LITELIFT_TEST_PG") {
        return url;
    }
    let server = SERVER.get_or_init(|| {
        let start = || Server::start(&Binaries::find(None)?, &Settings::default());
        // Kept as text, so that every test tells the reason and not only the first.
        start().map_err(|error| explain(&error))
    });
    match server {
        Ok(server) => server.url("postgres"),
        Err(text) => panic!("the tests need a PostgreSQL server\n{text}"),
    }
}

/// Makes an empty database for one test.
pub(crate) fn database() -> TestDb {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // Runs may share the server of LITELIFT_TEST_PG, from other machines too.
    let random = RandomState::new().build_hasher().finish() >> 32;
    let name = format!("t_{count}_{random:08x}");
    let server = server_url();
    let borrowed = blocking(Borrowed::create_named(&server, &name));
    let borrowed = borrowed.unwrap_or_else(|error| panic!("{}", explain(&error)));
    TestDb { url: borrowed.url().to_owned(), name, _borrowed: borrowed }
}

/// A database that is dropped with this value, sessions in it or not.
pub(crate) struct TestDb {
    /// How to reach it.
    pub(crate) url: String,
    /// Its name.
    pub(crate) name: String,
    _borrowed: Borrowed,
}

impl TestDb {
    /// Connects, with the connection running on the current tokio runtime.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(async move {
            // Ends with an error when a test crashes the server: that test's business.
            let _ = connection.await;
        });
        client
    }

    /// Runs statements.
    pub(crate) fn execute(&self, sql: &str) {
        self.query_text(sql);
    }

    /// Returns the first column of the only row, `NULL` as `None`.
    pub(crate) fn query_one_text(&self, sql: &str) -> Option<String> {
        let mut rows = self.query_text(sql);
        assert_eq!(rows.len(), 1, "rows of {sql}");
        rows.remove(0)
    }

    /// Returns the first column of every row.
    pub(crate) fn query_text(&self, sql: &str) -> Vec<Option<String>> {
        query_text(&self.url, sql)
    }
}

/// Returns the first column of every row of statements run on any server.
pub(crate) fn query_text(url: &str, sql: &str) -> Vec<Option<String>> {
    try_query_text(url, sql).unwrap_or_else(|error| panic!("{error:?}\nin {sql}"))
}

/// The same, of statements that the server may refuse.
pub(crate) fn try_query_text(
    url: &str,
    sql: &str,
) -> Result<Vec<Option<String>>, tokio_postgres::Error> {
    query(url.parse().unwrap(), sql)
}

/// Returns the first column of every row of statements run in another database of a server.
pub(crate) fn query_text_in(url: &str, database: &str, sql: &str) -> Vec<Option<String>> {
    let mut config: Config = url.parse().unwrap();
    config.dbname(database);
    query(config, sql).unwrap_or_else(|error| panic!("{error:?}\nin {sql}"))
}

fn query(config: Config, sql: &str) -> Result<Vec<Option<String>>, tokio_postgres::Error> {
    blocking(async {
        let (client, connection) = config.connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        // Close before returning: a session still open would show up in the next test's look.
        drop(client);
        let _ = connection.await;
        let rows = messages?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        Ok(rows.collect())
    })
}

/// Does something while a session that has run statements stays open.
pub(crate) fn while_connected<T: Send>(url: &str, sql: &str, work: impl FnOnce() -> T + Send) -> T {
    blocking(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\nin {sql}"));
        let done = work();
        drop(client);
        let _ = connection.await;
        done
    })
}

/// Waits for a future, inside or outside of a runtime.
pub(crate) fn blocking<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(future)
    };
    // A thread of its own, for a runtime cannot be entered twice.
    let outcome = std::thread::scope(|scope| scope.spawn(run).join());
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Writes an error with everything it knows.
pub(crate) fn explain(error: &Error) -> String {
    let detail = error.full_detail().map(|detail| format!("\ndetail: {detail}"));
    let hints = error.hints().iter().map(|hint| format!("\nhint: {hint}"));
    format!("error: {error}{}{}", detail.unwrap_or_default(), hints.collect::<String>())
}
