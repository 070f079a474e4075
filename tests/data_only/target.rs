//! A target that an application's migrations made: a database of an ordinary role, its objects, and
//! queries of the tests' own for how they are.

use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::SinkExt as _;

use crate::support::pg::{self, TestDb};

/// The role that owns the databases: no superuser, as an application's is not.
const OWNER: &str = "litelift_test_owner";

/// A database that belongs to an ordinary role.
pub(crate) struct Target {
    /// How its owner reaches it.
    pub(crate) url: String,
    /// How the superuser of the tests does.
    pub(crate) database: TestDb,
}

/// Makes an empty database of the owner, and runs statements in it as the owner.
pub(crate) fn target(sql: &str) -> Target {
    let target = empty();
    target.execute(sql);
    target
}

/// Makes an empty database of the owner.
pub(crate) fn empty() -> Target {
    make_role();
    let database = pg::database();
    database.execute(&format!("ALTER DATABASE \"{}\" OWNER TO {OWNER}", database.name));
    let url = as_role(&database.url, OWNER);
    Target { url, database }
}

fn make_role() {
    static ROLE: OnceLock<()> = OnceLock::new();
    ROLE.get_or_init(|| role(OWNER));
}

/// Makes an ordinary role that may log in, unless it is there.
pub(crate) fn role(name: &str) {
    pg::query_text(
        &pg::server_url(),
        &format!(
            "DO $$ BEGIN CREATE ROLE {name} LOGIN PASSWORD '{name}'; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        ),
    );
}

/// Puts another user into a URL.
pub(crate) fn as_role(url: &str, role: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{role}:{role}@{place}")
}

impl Target {
    /// Runs statements as the owner.
    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        pg::query_text(&self.url, sql);
    }

    /// The first column of the only row.
    #[track_caller]
    pub(crate) fn one(&self, sql: &str) -> String {
        let mut rows = pg::query_text(&self.url, sql);
        assert_eq!(rows.len(), 1, "rows of {sql}");
        rows.remove(0).unwrap_or_else(|| "NULL".to_owned())
    }

    /// Runs a dump of an application's schema, with its rows, as the owner. What only a superuser may
    /// do, and what only psql understands, is left out.
    pub(crate) fn load_dump(&self, dump: &str) {
        pg::blocking(async {
            let (client, connection) =
                tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            let mut sql = String::new();
            let mut lines = dump.lines();
            while let Some(line) = lines.next() {
                let is_foreign = line.starts_with('\\')
                    || (line.starts_with("ALTER ") && line.contains(" OWNER TO "))
                    || line.contains("default_with_oids")
                    || line.starts_with("COMMENT ON SCHEMA");
                if is_foreign {
                    continue;
                }
                if line.starts_with("COPY ") && line.ends_with("FROM stdin;") {
                    client.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
                    sql.clear();
                    let mut rows = String::new();
                    for row in lines.by_ref().take_while(|row| *row != "\\.") {
                        rows.push_str(row);
                        rows.push('\n');
                    }
                    let sink = client.copy_in(line.trim_end_matches(';')).await.unwrap();
                    futures_util::pin_mut!(sink);
                    sink.send(Bytes::from(rows)).await.unwrap();
                    sink.close().await.unwrap();
                    continue;
                }
                sql.push_str(line);
                sql.push('\n');
            }
            client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}"));
            drop(client);
            let _ = connection.await;
        });
    }

    /// Constraints, indexes, triggers and columns of everything but litelift's own schema, as the
    /// server prints them.
    pub(crate) fn objects(&self) -> Vec<String> {
        objects(&self.database.url)
    }

    /// Sequences whose next value is one that a row of their column has already.
    pub(crate) fn sequences_behind(&self) -> Vec<String> {
        let columns = pg::query_text(
            &self.database.url,
            "SELECT format('SELECT %L WHERE nextval(%L) <= (SELECT max(%I) FROM %s)', s.oid::regclass, \
               s.oid::regclass, a.attname, a.attrelid::regclass) \
             FROM (SELECT d.objid AS oid, d.refobjid AS relid, d.refobjsubid AS number FROM pg_depend d \
               JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' \
               WHERE d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') \
             UNION SELECT d.refobjid, f.adrelid, f.adnum FROM pg_attrdef f JOIN pg_depend d \
               ON d.objid = f.oid AND d.classid = 'pg_attrdef'::regclass \
               JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'S') s \
             JOIN pg_attribute a ON a.attrelid = s.relid AND a.attnum = s.number",
        );
        let behind =
            columns.iter().flatten().flat_map(|sql| pg::query_text(&self.database.url, sql));
        behind.flatten().collect()
    }
}

/// Constraints, indexes, triggers and columns of everything but litelift's own schema, as the server
/// prints them.
pub(crate) fn objects(url: &str) -> Vec<String> {
    let rows = pg::query_text(
        url,
        "SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' \
               || pg_get_constraintdef(oid) || ' ' || convalidated \
               || coalesce(' -- ' || obj_description(oid, 'pg_constraint'), '') \
             FROM pg_constraint WHERE conrelid <> 0 AND connamespace \
               IS DISTINCT FROM to_regnamespace('litelift')::oid \
             UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) || ' ' || indisvalid \
               || coalesce(' -- ' || obj_description(indexrelid, 'pg_class'), '') \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
             WHERE c.relnamespace IS DISTINCT FROM to_regnamespace('litelift')::oid \
               AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace) \
             UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid) \
               || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal \
             UNION ALL SELECT 'column ' || a.attrelid::regclass || ' ' || a.attname || ' ' \
               || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND c.relnamespace \
               IS DISTINCT FROM to_regnamespace('litelift')::oid \
               AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, \
               'information_schema'::regnamespace, 'pg_toast'::regnamespace) ORDER BY 1",
    );
    rows.into_iter().flatten().collect()
}
