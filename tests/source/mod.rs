//! Reading a SQLite file that is in use, odd, damaged or hostile.
//!
//! Purpose: the program runs as a child process on a file to which something happens; what arrived is
//! held against what the file held, found out without litelift.

mod check;
mod hostile;
mod live;
mod locked;
mod situations;
mod stress;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::pg::{self, TestDb};

/// A folder with databases.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A database made by these statements, closed.
    fn database(&self, name: &str, sql: &str) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&format!("PRAGMA synchronous = OFF; {sql}")).unwrap();
        connection.close().unwrap();
        path
    }
}

/// Rows `first` to `last` of a table `(id, v)`, each with some bytes.
fn rows(table: &str, first: u32, last: u32) -> String {
    format!(
        "WITH RECURSIVE i (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM i WHERE n < {last})
         INSERT INTO {table} SELECT n, 'row ' || n || hex(zeroblob(100)) FROM i;"
    )
}

/// The path with something at its end.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes every COPY into a table that is made from now on wait so many seconds before it begins.
fn slow_copies(target: &TestDb, seconds: f64) {
    target.execute(&format!(
        "create function public.doze() returns trigger language plpgsql as
           $$ begin perform pg_sleep({seconds}); return null; end $$;
         create function public.slow() returns event_trigger language plpgsql as $$
           declare made record;
           begin
             for made in select * from pg_event_trigger_ddl_commands()
                 where schema_name = 'public' and object_type = 'table' loop
               execute format('create trigger doze before insert on %s execute function
                 public.doze()', made.object_identity);
             end loop;
           end $$;
         create event trigger slow on ddl_command_end when tag in ('CREATE TABLE')
           execute function public.slow()"
    ));
}

/// Undoes it.
fn quick_copies(target: &TestDb) {
    target.execute(
        "drop event trigger slow; drop function public.slow(); drop function public.doze() cascade",
    );
}

/// Whether litelift has begun to copy.
fn is_copying(url: &str) -> bool {
    let sql = "select exists (select from pg_stat_activity where datname = current_database()
        and application_name = 'litelift' and state <> 'idle' and query like 'COPY%')::text";
    one(url, sql) == "true"
}

/// The only value of a query, as text.
fn one(url: &str, sql: &str) -> String {
    pg::query_text(url, sql).into_iter().next().flatten().unwrap_or_else(|| "NULL".to_owned())
}
