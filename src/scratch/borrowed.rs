//! A scratch database on a server that the user names (`--scratch-url`).
//!
//! Purpose: a rehearsal where no PostgreSQL is installed, or on the very kind of server that the
//! transfer will meet. The user of the URL must have the right CREATEDB.
//!
//! Known gaps: no TLS. `kill -9` leaves the database (`litelift_rehearse_...`) behind: nothing but
//! us may decide that a database on someone's server is garbage. So does giving up in the moment
//! in which the server makes it (about 50 ms), for it cannot be dropped before it is there.

use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use crate::error::{Error, Result};

use super::random_suffix;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// First server version that can drop a database in use.
const DROP_WITH_FORCE: u32 = 13;

/// A database that exists as long as this value: [`remove`](Self::remove) it to hear about
/// failures; dropping it, as when the work in it failed or was cancelled, removes it too.
#[derive(Debug)]
pub struct Borrowed {
    /// How to reach the database that the user named, from where ours is made and dropped.
    base: Config,
    url: String,
    name: String,
    exists: bool,
}

impl Borrowed {
    /// Makes the database `litelift_rehearse_<random>` on the server of `url`.
    ///
    /// # Errors
    /// A usage error when the URL cannot be read, a target error when the server cannot be reached
    /// or refuses.
    pub async fn create(url: &str) -> Result<Self> {
        let name = format!("litelift_rehearse_{}", random_suffix());
        Self::create_named(url, &name).await
    }

    /// Makes a database on the server of `url` under a name of the caller's choice, which must
    /// not exist yet.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_named(url: &str, name: &str) -> Result<Self> {
        let mut base: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            Error::usage("could not read the URL of the scratch server")
                .caused_by(error)
                .hint("It looks like postgresql://user:password@host:5432/database")
        })?;
        if base.get_connect_timeout().is_none() {
            base.connect_timeout(CONNECT_LIMIT);
        }
        let session = Session::open(&base).await?;
        // template0: a session in template1 would be in the way, and nothing local is copied.
        let sql = format!("CREATE DATABASE {} TEMPLATE template0", quoted(name));
        // From here on it may exist, even if the answer never arrives.
        let mut borrowed =
            Self { base, url: with_database(url, name), name: name.to_owned(), exists: true };
        if let Err(error) = session.client.batch_execute(&sql).await {
            // The server said no, so there is nothing of ours; the name may even be another's.
            borrowed.exists = error.as_db_error().is_none();
            return Err(Error::target("could not make a scratch database")
                .caused_by(error)
                .hint("The user of --scratch-url needs the right CREATEDB."));
        }
        Ok(borrowed)
    }

    /// Returns the URL of the database: that of the server with its database replaced.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops the database, ending the sessions in it.
    ///
    /// # Errors
    /// A target error; the hint says how to drop it by hand.
    pub async fn remove(mut self) -> Result<()> {
        let removed = remove(&self.base, &self.name).await;
        // Tried once; a second attempt in `drop` would fail alike and take as long.
        self.exists = false;
        removed
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if !self.exists {
            return;
        }
        let (base, name) = (self.base.clone(), self.name.clone());
        // A thread of its own, for we may be inside a runtime, which cannot be entered twice.
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // Nobody is left to hear about a failure.
            let _ = runtime.map(|runtime| runtime.block_on(remove(&base, &name)));
        });
        let _ = worker.join();
    }
}

/// A connection and the task that drives it.
struct Session {
    client: Client,
    version: u32,
    task: tokio::task::JoinHandle<()>,
}

impl Session {
    async fn open(config: &Config) -> Result<Self> {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| {
            Error::target("could not connect to the scratch server").caused_by(error)
        })?;
        let version = connection.parameter("server_version").map_or(0, major);
        let task = tokio::spawn(async move {
            // Its error reaches the client's caller as well.
            let _ = connection.await;
        });
        Ok(Self { client, version, task })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn remove(base: &Config, name: &str) -> Result<()> {
    let session = Session::open(base).await?;
    let quoted = quoted(name);
    let dropped = if session.version >= DROP_WITH_FORCE {
        let sql = format!("DROP DATABASE IF EXISTS {quoted} WITH (FORCE)");
        session.client.batch_execute(&sql).await
    } else {
        end_sessions(&session.client, name).await;
        session.client.batch_execute(&format!("DROP DATABASE IF EXISTS {quoted}")).await
    };
    dropped.map_err(|error| {
        Error::target(format!("could not drop scratch database {quoted}"))
            .caused_by(error)
            .hint(format!("Drop it by hand: DROP DATABASE {quoted};"))
    })
}

/// Ends the sessions in a database. DROP DATABASE itself waits five seconds for them to be gone.
async fn end_sessions(client: &Client, name: &str) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
    // Without the right to do so DROP DATABASE fails, and says why better than this would.
    let _ = client.execute(sql, &[&name]).await;
}

/// Returns the leading number of a version: 9.6.24 -> 9, 18beta1 -> 18.
fn major(version: &str) -> u32 {
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().unwrap_or(0)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Replaces the database in a connection string that the driver has accepted.
fn with_database(url: &str, name: &str) -> String {
    let Some(scheme) = ["postgresql://", "postgres://"].iter().find(|it| url.starts_with(**it))
    else {
        // key=value form: the last one wins.
        return format!("{url} dbname='{}'", name.replace('\\', "\\\\").replace('\'', "\\'"));
    };
    // As the driver reads it: the user ends at the first @, the hosts at the first / or ?.
    let hosts = url.find('@').map_or(scheme.len(), |at| at + 1);
    let end = url[hosts..].find(['/', '?']).map_or(url.len(), |end| hosts + end);
    let query = url[end..].split_once('?').map_or("", |(_, query)| query);
    // A parameter would win over the path.
    let kept: Vec<&str> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty() && !parameter.starts_with("dbname="))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{}/{name}{mark}{}", &url[..end], kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_replaced_in_every_form_of_url() {
        let cases = [
            ("postgres://ada:s%40t@db.example:5433/app?sslmode=disable", "db.example"),
            (
                "postgresql://ada:a/b?c@db.example:5433/app?dbname=other&sslmode=disable",
                "db.example",
            ),
            ("postgresql://ada@db.example:5433", "db.example"),
            ("postgresql://ada@db.example:5433?sslmode=disable", "db.example"),
            ("host=db.example port=5433 user=ada dbname=app", "db.example"),
            ("postgresql://ada@/app?host=%2Ftmp%2Fx&port=5433", ""),
        ];
        for (url, host) in cases {
            let before: Config = url.parse().unwrap();
            let after: Config = with_database(url, "scratch_1").parse().unwrap();
            assert_eq!(after.get_dbname(), Some("scratch_1"), "{url}");
            assert_eq!(after.get_user(), Some("ada"), "{url}");
            assert_eq!(after.get_ports(), [5433], "{url}");
            assert_eq!(after.get_password(), before.get_password(), "{url}");
            assert_eq!(after.get_ssl_mode(), before.get_ssl_mode(), "{url}");
            assert_eq!(after.get_hosts(), before.get_hosts(), "{url}");
            if !host.is_empty() {
                assert_eq!(
                    after.get_hosts(),
                    [tokio_postgres::config::Host::Tcp(host.to_owned())],
                    "{url}"
                );
            }
        }
    }

    #[test]
    fn versions_of_all_forms_have_a_major_number() {
        assert_eq!(
            [major("9.6.24"), major("18beta1"), major("15.14 (Debian)"), major("")],
            [9, 18, 15, 0]
        );
    }
}
