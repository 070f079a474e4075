//! What stands in the target already: the columns of one schema and their types.
//!
//! Purpose: `inspect --to` shows them beside what the columns of the source would become. Reads
//! pg_catalog and writes nothing. [`catalogue`] reads all that `--data-only` has to know.

pub mod catalogue;
mod objects;
mod pg_types;
mod unique_keys;

use crate::connect::{Target, failure};
use crate::error::Result;
use crate::event::Cancel;
use crate::model::target::TargetSchema;

/// Connects, reads the schema and disconnects: nothing is held open while the source is scanned.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] for the URL; [`crate::error::ErrorKind::Target`]; interrupted.
pub async fn target_schema(url: &str, schema: &str, cancel: &Cancel) -> Result<TargetSchema> {
    let target = Target::open(url, 1, cancel).await?;
    target.until_cancelled(cancel, read(&target, schema)).await
}

async fn read(target: &Target, schema: &str) -> Result<TargetSchema> {
    let session = target.session().await?;
    let failed = |error| failure::failed("look at the target schema", &error);
    // Tables, partitioned tables, views, materialized views, foreign tables: what has columns that
    // a table of the source may stand for.
    let rows = session
        .query(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) \
             AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped",
            &[&schema],
        )
        .await
        .map_err(failed)?;
    let there = session
        .query_one("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", &[&schema])
        .await
        .map_err(failed)?;
    let mut found = TargetSchema {
        name: schema.to_owned(),
        exists: there.get(0),
        shown: target.shown.clone(),
        version: target.version.clone(),
        ..TargetSchema::default()
    };
    for row in rows {
        let (table, column, type_name) = (row.get(0), row.get(1), row.get::<_, &str>(2));
        let columns = found.tables.entry(table).or_default();
        columns.insert(column, short_name(type_name));
    }
    Ok(found)
}

/// Returns a type's name as litelift writes it: `varchar(80)` for `character varying(80)`.
fn short_name(name: &str) -> String {
    let (base, array) = match name.strip_suffix("[]") {
        Some(base) => (base, "[]"),
        None => (name, ""),
    };
    let short = if let Some(size) = base.strip_prefix("character varying") {
        format!("varchar{size}")
    } else if let Some(size) = base.strip_prefix("character(") {
        format!("char({size}")
    } else if let Some(rest) = base.strip_suffix(" without time zone") {
        rest.to_owned()
    } else if let Some(rest) = base.strip_suffix(" with time zone") {
        match rest.split_once('(') {
            Some((name, precision)) => format!("{name}tz({precision}"),
            None => format!("{rest}tz"),
        }
    } else {
        base.to_owned()
    };
    short + array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_that_litelift_writes() {
        for (long, short) in [
            ("bigint", "bigint"),
            ("character varying(80)", "varchar(80)"),
            ("character varying", "varchar"),
            ("character varying(3)[]", "varchar(3)[]"),
            ("character(2)", "char(2)"),
            ("\"char\"", "\"char\""),
            ("numeric(12,2)", "numeric(12,2)"),
            ("timestamp without time zone", "timestamp"),
            ("timestamp(3) with time zone", "timestamptz(3)"),
            ("time with time zone", "timetz"),
            ("public.mood", "public.mood"),
        ] {
            assert_eq!(short_name(long), short);
        }
    }
}
