//! What must be true of a target, found out with queries of the tests' own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::fixture::{self, Fixture};
use crate::support::{compare, generate, pg};

/// Bytes of the tables of many rows. `LITELIFT_SHOP_MB` sets another size for long runs.
const SHOP_MB: u64 = 6;
/// Rows and bytes of table `media`: three ranges of few rows, for the comparer takes its time.
const MEDIA: (u32, usize) = (280, 100 << 10);

/// A shop with a table of large values, built once and kept in the target folder. Never write to it.
pub(crate) fn shop() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        // Another generator, another file.
        let mut hasher = DefaultHasher::new();
        (include_str!("../support/generate.rs"), include_str!("state.rs")).hash(&mut hasher);
        let megabytes = number("LITELIFT_SHOP_MB", SHOP_MB);
        megabytes.hash(&mut hasher);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("shop-{:016x}.db", hasher.finish()));
        if !path.exists() {
            let new = folder.join(format!("shop-{}.new", std::process::id()));
            build_shop(&new, megabytes << 20).unwrap();
            std::fs::rename(&new, &path).unwrap();
        }
        path
    })
}

fn build_shop(path: &Path, bytes: u64) -> rusqlite::Result<()> {
    generate::sized(path, bytes)?;
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "DROP INDEX orders_new; PRAGMA synchronous = OFF; BEGIN;
         CREATE TABLE media (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body TEXT NOT NULL)",
    )?;
    let mut insert = connection.prepare("INSERT INTO media VALUES (?1, 'm' || ?1, ?2)")?;
    let mut random = generate::Random::new(6);
    for id in 1..=MEDIA.0 {
        let body: String = (0..MEDIA.1 / 16).map(|_| format!("{:016x}", random.next())).collect();
        insert.execute((id, body))?;
    }
    drop(insert);
    connection.execute_batch("COMMIT")
}

/// Twelve small tables, each of one range, with keys, indexes and foreign keys.
pub(crate) fn small() -> Fixture {
    let table = |n: u32| {
        format!(
            "CREATE TABLE t{n} (id INTEGER PRIMARY KEY AUTOINCREMENT, before INTEGER REFERENCES t{p},
               name TEXT NOT NULL, x REAL);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 100)
             INSERT INTO t{n} SELECT n, 1 + n * 7 % 100, 'name ' || n, n / 7.0 FROM i;
             CREATE INDEX t{n}_name ON t{n} (name);",
            p = n.saturating_sub(1)
        )
    };
    let sql: String = (0..12).map(table).collect();
    fixture::from_sql("small.db", &format!("PRAGMA synchronous = OFF; BEGIN; {sql} COMMIT;"))
}

/// Makes every COPY into a table that is made from now on take a moment longer.
pub(crate) const SLOW_COPIES: &str = "
    create function public.doze() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.1); return null; end $$;
    create function public.slow() returns event_trigger language plpgsql as $$
      declare made record;
      begin
        for made in select * from pg_event_trigger_ddl_commands() 
            where schema_name = 'public' and object_type = 'table' loop
          execute format('create trigger doze before insert on %s execute function public.doze()',
            made.object_identity);
        end loop;
      end $$;
    create event trigger slow on ddl_command_end when tag in ('CREATE TABLE')
      execute function public.slow()";
/// Undoes it, for tables that are made from now on and those that are there.
pub(crate) const QUICK_COPIES: &str = "
    drop event trigger slow; drop function public.slow(); drop function public.doze() cascade";
/// Makes every CREATE TABLE fail.
pub(crate) const NO_NEW_TABLES: &str = "
    create function public.refuse() returns event_trigger language plpgsql as
      $$ begin raise 'not today'; end $$;
    create event trigger refuse on ddl_command_start when tag in ('CREATE TABLE')
      execute function public.refuse()";
/// Makes every key, index and foreign key take a moment longer.
pub(crate) const SLOW_STEPS: &str = "
    create function public.tarry() returns event_trigger language plpgsql as
      $$ begin perform pg_sleep(0.05); end $$;
    create event trigger tarry on ddl_command_start when tag in ('CREATE INDEX', 'ALTER TABLE')
      execute function public.tarry()";
/// Makes every CREATE INDEX wait for a minute.
pub(crate) const SLOW_INDEXES: &str = "
    create function public.wait() returns event_trigger language plpgsql as
      $$ begin perform pg_sleep(60); end $$;
    create event trigger wait on ddl_command_start when tag in ('CREATE INDEX')
      execute function public.wait()";
/// Undoes it.
pub(crate) const QUICK_INDEXES: &str = "drop event trigger wait; drop function public.wait()";

/// The number in a variable of the environment, or another one.
pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Every row once, every range and step once, every object there: as the plan has it.
#[track_caller]
pub(crate) fn expect_exact(from: &Path, url: &str) {
    compare::compare_by_name(from, url, "public").unwrap().expect_same();
    let plan = pg::query_text(url, "select plan from litelift.run order by id desc limit 1");
    let plan: serde_json::Value = serde_json::from_str(plan[0].as_deref().unwrap()).unwrap();
    let count = |part: &str| plan[part].as_array().unwrap().len().to_string();
    assert_eq!(one(url, "select count(*) from litelift.run"), "1");
    assert_eq!(one(url, "select state from litelift.run"), "done");
    assert_eq!(one(url, "select count(*) from litelift.range"), count("ranges"));
    assert_eq!(one(url, "select count(*) from litelift.step"), count("finish"));
    assert_eq!(one(url, "select count(*) from litelift.step where outcome <> 'done'"), "0");
    for (number, table) in plan["tables"].as_array().unwrap().iter().enumerate() {
        let name = table["target"].as_str().unwrap().replace('"', "\"\"");
        let marked =
            format!("select coalesce(sum(rows), 0) from litelift.range where relation = {number}");
        let counted = format!("select count(*) from public.\"{name}\"");
        assert_eq!(one(url, &marked), one(url, &counted), "{name}");
    }
}

/// Indexes, constraints and sequences, a line each.
pub(crate) fn objects(url: &str) -> Vec<String> {
    let sql = "select indexdef from pg_indexes where schemaname = 'public' union all
        select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated
          from pg_constraint where connamespace = 'public'::regnamespace union all
        select sequencename || ' ' || coalesce(last_value, 0) from pg_sequences
          where schemaname = 'public' order by 1";
    pg::query_text(url, sql).into_iter().flatten().collect()
}

/// Everything that changes when somebody writes: files of relations, versions of rows.
pub(crate) fn versions(url: &str) -> Vec<String> {
    let relations = "select format('%s %s %s %s', c.oid, c.relname, c.relfilenode, c.xmin)
        from pg_class c where relnamespace::regnamespace::text in ('public', 'litelift') order by 1";
    let mut found: Vec<String> = pg::query_text(url, relations).into_iter().flatten().collect();
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname in ('public', 'litelift') order by 1";
    for table in pg::query_text(url, tables).into_iter().flatten() {
        let sql =
            format!("select count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) from {table}");
        found.push(format!("{table} {}", one(url, &sql)));
    }
    found
}

/// Schemas, relations and types that are not PostgreSQL's own.
pub(crate) fn everything(url: &str) -> Vec<String> {
    let sql = "select nspname::text from pg_namespace
          where nspname !~ '^pg_' and nspname <> 'information_schema' union all
        select format('%s.%s %s', relnamespace::regnamespace, relname, relkind) from pg_class
          where relnamespace::regnamespace::text !~ '^(pg_|information_schema)' order by 1";
    pg::query_text(url, sql).into_iter().flatten().collect()
}

/// Number of litelift's sessions, other than idle ones when `busy`.
pub(crate) fn sessions(url: &str, busy: bool) -> usize {
    let sql = "select count(*) from pg_stat_activity where datname = current_database()
        and application_name = 'litelift'";
    let busy = if busy { " and state <> 'idle'" } else { "" };
    one(url, &format!("{sql}{busy}")).parse().unwrap()
}

/// Whether a session of litelift runs a statement that begins like this.
pub(crate) fn runs(url: &str, statement: &str) -> bool {
    let sql = format!(
        "select exists (select from pg_stat_activity where datname = current_database()
           and application_name = 'litelift' and state <> 'idle' and query like '{statement}%')::text"
    );
    one(url, &sql) == "true"
}

/// Number of committed ranges.
pub(crate) fn ranges(url: &str) -> usize {
    rows_of(url, "range")
}

/// Number of finishing steps that have ended.
pub(crate) fn steps(url: &str) -> usize {
    rows_of(url, "step")
}

/// How far a transfer has come.
pub(crate) fn stage(url: &str) -> &'static str {
    match (rows_of(url, "run"), ranges(url), steps(url)) {
        (0, ..) => "1 before the first write",
        (_, 0, _) => "2 before the first range",
        (.., 0) => "3 between ranges and steps",
        _ => "4 between the steps",
    }
}

/// Rows of a table of the bookkeeping; 0 while there is none.
fn rows_of(url: &str, table: &str) -> usize {
    if one(url, "select to_regclass('litelift.step')") == "NULL" {
        return 0;
    }
    one(url, &format!("select count(*) from litelift.{table}")).parse().unwrap()
}

/// The only value of a query, as text.
#[track_caller]
pub(crate) fn one(url: &str, sql: &str) -> String {
    pg::query_text(url, sql).into_iter().next().flatten().unwrap_or_else(|| "NULL".to_owned())
}
