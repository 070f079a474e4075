//! The catalogue of one schema: tables, columns, and what hangs on them.
//!
//! Purpose: everything that `--data-only` decides from. A dozen queries, however many tables there are.
//!
//! Known gaps: a sequence whose name a default computes is not found.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::pg_types::{self, TypeRow};
use super::{objects, unique_keys};
use crate::connect::failure;
use crate::error::{Error, Result};
use crate::model::catalogue::{
    Catalogue, JournalEntry, TargetColumn, TargetForeignKey, TargetSequence, TargetTable,
};
use crate::model::ident::qualified;

pub(super) fn failed(error: &tokio_postgres::Error) -> Error {
    failure::failed("look at the target schema", error)
}

/// Reads a schema. An absent one has no tables.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn read(client: &impl GenericClient, schema: &str) -> Result<Catalogue> {
    let row = client
        .query_one(
            "SELECT current_user::text, \
             coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1), false), \
             coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1), true), \
             current_database()::text, has_database_privilege(current_database(), 'TEMPORARY')",
            &[&schema],
        )
        .await
        .map_err(|error| failed(&error))?;
    let mut catalogue = Catalogue {
        schema: schema.to_owned(),
        role: row.get(0),
        can_create: row.get(1),
        can_use: row.get(2),
        database: row.get(3),
        may_make_temporary: row.get(4),
        tables: tables(client, schema).await?,
        others: others(client, schema).await?,
        loose_sequences: Vec::new(),
    };
    if !catalogue.can_use {
        // Names in it cannot be looked up.
        return Ok(catalogue);
    }
    columns(client, &mut catalogue.tables).await?;
    sequences(client, &mut catalogue.tables).await?;
    catalogue.loose_sequences = loose_sequences(client, schema, &catalogue.tables).await?;
    objects::read(client, &mut catalogue.tables).await?;
    unique_keys::read(client, &mut catalogue.tables).await?;
    Ok(catalogue)
}

async fn tables(client: &impl GenericClient, schema: &str) -> Result<Vec<TargetTable>> {
    let rows = client
        .query(
            "SELECT c.oid, c.relname::text, c.relkind = 'p', c.relispartition, \
             pg_get_userbyid(c.relowner)::text, pg_has_role(c.relowner, 'USAGE'), \
             has_any_column_privilege(c.oid, 'INSERT') AND has_any_column_privilege(c.oid, 'SELECT'), \
             has_table_privilege(c.oid, 'TRUNCATE'), row_security_active(c.oid), \
             pg_has_role(c.relowner, 'MEMBER') AND NOT pg_has_role(c.relowner, 'USAGE'), \
             has_table_privilege(c.oid, 'UPDATE'), \
             EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type IN ('2', '3')) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname",
            &[&schema],
        )
        .await
        .map_err(|error| failed(&error))?;
    let table = |row: &Row| TargetTable {
        relid: row.get(0),
        name: row.get(1),
        is_partitioned: row.get(2),
        is_partition: row.get(3),
        owner: row.get(4),
        is_owned: row.get(5),
        may_fill: row.get(6),
        may_truncate: row.get(7),
        is_row_secured: row.get(8),
        could_own: row.get(9),
        may_update: row.get(10),
        has_rules: row.get(11),
        ..TargetTable::default()
    };
    Ok(rows.iter().map(table).collect())
}

async fn others(client: &impl GenericClient, schema: &str) -> Result<Vec<(String, String)>> {
    let rows = client
        .query(
            "SELECT c.relname::text, CASE c.relkind WHEN 'v' THEN 'view' \
             WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('v', 'm', 'f')",
            &[&schema],
        )
        .await
        .map_err(|error| failed(&error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// A domain is the type that it is over, with its own NOT NULL and the nearest sizes.
const COLUMNS: &str = "WITH RECURSIVE base (relid, number, type, typmod, not_null) AS ( \
       SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod, a.attnotnull FROM pg_attribute a \
       WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped \
     UNION ALL SELECT b.relid, b.number, t.typbasetype, \
       CASE WHEN b.typmod >= 0 THEN b.typmod ELSE t.typtypmod END, b.not_null OR t.typnotnull \
       FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd') \
     SELECT b.relid, a.attname::text, format_type(a.atttypid, a.atttypmod), b.not_null, \
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END, \
       a.attidentity <> '', a.attgenerated <> '', \
       t.typname::text, t.typnamespace = 'pg_catalog'::regnamespace, t.typtype = 'e', \
       CASE WHEN t.typcategory = 'A' THEN (SELECT e.typname::text FROM pg_type e \
         WHERE e.oid = t.typelem AND e.typnamespace = 'pg_catalog'::regnamespace) END, \
       b.typmod, \
       CASE WHEN t.typtype = 'e' OR i.oid IS NOT NULL THEN ARRAY (SELECT l.enumlabel::text \
         FROM pg_enum l WHERE l.enumtypid = coalesce(i.oid, t.oid) ORDER BY l.enumsortorder) END, \
       has_column_privilege(b.relid, b.number, 'INSERT'), \
       has_column_privilege(b.relid, b.number, 'SELECT'), \
       t.typnamespace = 'pg_catalog'::regnamespace AND coalesce((SELECT l.collisdeterministic \
         FROM pg_collation l WHERE l.oid = a.attcollation), true), \
       a.attidentity = 'a', i.oid \
     FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd' \
     JOIN pg_attribute a ON a.attrelid = b.relid AND a.attnum = b.number \
     LEFT JOIN pg_type i ON i.oid = t.typelem AND t.typcategory = 'A' AND i.typtype = 'e' \
     LEFT JOIN pg_attrdef d ON d.adrelid = b.relid AND d.adnum = b.number \
     ORDER BY b.relid, b.number";

async fn columns(client: &impl GenericClient, tables: &mut [TargetTable]) -> Result<()> {
    let relids: Vec<u32> = tables.iter().map(|table| table.relid).collect();
    let rows = client.query(COLUMNS, &[&relids]).await.map_err(|error| failed(&error))?;
    let mut by_table: BTreeMap<u32, Vec<TargetColumn>> = BTreeMap::new();
    for row in &rows {
        by_table.entry(row.get(0)).or_default().push(column(row));
    }
    for table in tables {
        table.columns = by_table.remove(&table.relid).unwrap_or_default();
    }
    Ok(())
}

fn column(row: &Row) -> TargetColumn {
    let (pg_type, seconds_digits) = pg_types::pg_type(TypeRow {
        name: row.get(7),
        is_built_in: row.get(8),
        is_enum: row.get(9),
        element: row.get(10),
        enum_element: row.get(17),
        typmod: row.get(11),
    });
    TargetColumn {
        name: row.get(1),
        type_name: row.get(2),
        pg_type,
        labels: row.get(12),
        seconds_digits,
        not_null: row.get(3),
        default: row.get(4),
        is_identity: row.get(5),
        is_identity_always: row.get(16),
        is_generated: row.get(6),
        sequences: Vec::new(),
        may_insert: row.get(13),
        may_select: row.get(14),
        is_compared_by_bytes: row.get(15),
    }
}

/// Sequences of identities, and those that a default names, owned or not. PostgreSQL keeps a dependency
/// for a name that is a `regclass`; one that is text is read off the default.
const SEQUENCES: &str = "WITH behind (relid, number, sequence) AS ( \
       SELECT d.refobjid, d.refobjsubid, d.objid FROM pg_depend d \
       WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
       AND d.deptype = 'i' AND d.refobjid = ANY ($1) \
     UNION SELECT f.adrelid, f.adnum, d.refobjid FROM pg_attrdef f JOIN pg_depend d \
       ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid \
       AND d.refclassid = 'pg_class'::regclass WHERE f.adrelid = ANY ($1) \
     UNION SELECT f.adrelid, f.adnum, coalesce(to_regclass(x.name), \
       to_regclass(quote_ident(n.nspname) || '.' || x.name))::oid \
       FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid \
       JOIN pg_namespace n ON n.oid = c.relnamespace, \
       LATERAL (SELECT replace(substring(pg_get_expr(f.adbin, f.adrelid) \
         FROM $re$nextval\\(+'((?:[^']|'')+)'::text$re$), '''''', '''') AS name) x \
       WHERE f.adrelid = ANY ($1) AND x.name IS NOT NULL) \
     SELECT b.relid, a.attname::text, n.nspname::text, s.relname::text, q.seqincrement, \
       has_sequence_privilege(s.oid, 'UPDATE') AND has_sequence_privilege(s.oid, 'SELECT'), \
       pg_get_userbyid(s.relowner)::text, \
       has_sequence_privilege(s.oid, 'USAGE') OR has_sequence_privilege(s.oid, 'UPDATE'), \
       has_schema_privilege(n.oid, 'USAGE') \
     FROM behind b JOIN pg_class s ON s.oid = b.sequence AND s.relkind = 'S' \
     JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid \
     JOIN pg_attribute a ON a.attrelid = b.relid AND a.attnum = b.number ORDER BY 3, 4";

async fn sequences(client: &impl GenericClient, tables: &mut [TargetTable]) -> Result<()> {
    let relids: Vec<u32> = tables.iter().map(|table| table.relid).collect();
    let rows = client.query(SEQUENCES, &[&relids]).await.map_err(|error| failed(&error))?;
    for row in &rows {
        let (relid, name): (u32, &str) = (row.get(0), row.get(1));
        let table = tables.iter_mut().find(|table| table.relid == relid);
        let columns = table.into_iter().flat_map(|table| &mut table.columns);
        for column in columns.filter(|column| column.name == name) {
            column.sequences.push(TargetSequence {
                schema: row.get(2),
                name: row.get(3),
                increment: row.get(4),
                may_set: row.get(5),
                owner: row.get(6),
                may_take: row.get(7),
                may_reach: row.get(8),
            });
        }
    }
    Ok(())
}

/// Returns the sequences of the schema that none of its columns was found to count with.
async fn loose_sequences(
    client: &impl GenericClient,
    schema: &str,
    tables: &[TargetTable],
) -> Result<Vec<String>> {
    let rows = client
        .query(
            "SELECT s.relname::text FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace \
             WHERE n.nspname = $1 AND s.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend d \
             WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')) \
             ORDER BY 1",
            &[&schema],
        )
        .await
        .map_err(|error| failed(&error))?;
    let columns = || tables.iter().flat_map(|table| &table.columns);
    let is_loose = |name: &String| {
        let mut sequences = columns().flat_map(|column| &column.sequences);
        !sequences.any(|sequence| sequence.schema == schema && sequence.name == *name)
    };
    Ok(rows.iter().map(|row| row.get(0)).filter(is_loose).collect())
}

/// Returns those of the tables that have rows, with how many.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn filled<'t>(
    client: &impl GenericClient,
    schema: &str,
    tables: impl IntoIterator<Item = &'t TargetTable>,
) -> Result<Vec<(String, u64)>> {
    let tables: Vec<&TargetTable> = tables.into_iter().collect();
    // Rows of a table that inherits are that table's own.
    let from = |table: &TargetTable| {
        let only = if table.is_partitioned { "" } else { "ONLY " };
        format!("{only}{}", qualified(schema, &table.name))
    };
    let froms: Vec<String> = tables.iter().map(|table| from(table)).collect();
    let have_rows = have_rows(client, &froms).await?;
    let mut filled = Vec::new();
    for (table, from) in
        tables.iter().zip(&froms).zip(have_rows).filter(|(_, has)| *has).map(|(t, _)| t)
    {
        let sql = format!("SELECT count(*) FROM {from}");
        let row = client.query_one(&sql, &[]).await.map_err(|error| failed(&error))?;
        filled.push((table.name.clone(), u64::try_from(row.get::<_, i64>(0)).unwrap_or(0)));
    }
    Ok(filled)
}

/// Relations that one statement looks into: each holds a lock until it ends.
const LOOKED_INTO_AT_ONCE: usize = 50;

/// Returns for each relation, as it stands after FROM, whether it has rows.
pub(super) async fn have_rows(client: &impl GenericClient, froms: &[String]) -> Result<Vec<bool>> {
    let mut found = Vec::with_capacity(froms.len());
    for some in froms.chunks(LOOKED_INTO_AT_ONCE) {
        let terms: Vec<String> =
            some.iter().map(|from| format!("EXISTS (SELECT FROM {from})")).collect();
        let sql = format!("SELECT ARRAY[{}]", terms.join(", "));
        let row = client.query_one(&sql, &[]).await.map_err(|error| failed(&error))?;
        found.extend(row.get::<_, Vec<bool>>(0));
    }
    Ok(found)
}

/// Returns the catalogue with the foreign keys that an earlier run took away: they still say which
/// rows need which.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn with_taken(
    client: &impl GenericClient,
    catalogue: &Catalogue,
    taken: &[JournalEntry],
) -> Result<Catalogue> {
    let mut whole = catalogue.clone();
    for entry in taken {
        let mut key = TargetForeignKey {
            schema: entry.schema.clone(),
            table: entry.table.clone(),
            relid: entry.relid,
            is_owned: true,
            may_reference: true,
            name: entry.name.clone(),
            definition: entry.definition.clone(),
            ..TargetForeignKey::default()
        };
        let is_parent = |table: &&mut TargetTable| Some(table.relid) == entry.parent_relid;
        let Some(parent) = whole.tables.iter_mut().find(is_parent) else { continue };
        let mut known = parent.foreign_keys_onto.iter();
        if !known.any(|known| (known.relid, &known.name) == (key.relid, &key.name)) {
            let from = [qualified(&key.schema, &key.table)];
            key.has_rows = have_rows(client, &from).await?.contains(&true);
            parent.foreign_keys_onto.push(key);
        }
    }
    Ok(whole)
}

/// Returns whether the tables that are filled are as they were, with as many rows. `with_rows` are those
/// that may have some: so many, or any number.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn is_unchanged(
    client: &impl GenericClient,
    before: &Catalogue,
    filled_at: &[usize],
    with_rows: &[(usize, Option<u64>)],
) -> Result<bool> {
    let now = read(client, &before.schema).await?;
    let mut tables = filled_at.iter().map(|at| &before.tables[*at]);
    if !tables.all(|table| now.table(&table.name) == Some(table)) {
        return Ok(false);
    }
    let wanted = |at: usize| match with_rows.iter().find(|(known, _)| *known == at) {
        None => Some(0),
        Some((_, rows)) => *rows,
    };
    let counted: Vec<(&TargetTable, u64)> = filled_at
        .iter()
        .filter_map(|at| Some((&before.tables[*at], wanted(*at)?)))
        .filter(|(table, _)| table.may_fill)
        .collect();
    let tables = counted.iter().map(|(table, _)| *table);
    let found: BTreeMap<String, u64> =
        filled(client, &before.schema, tables).await?.into_iter().collect();
    Ok(counted.iter().all(|(table, rows)| found.get(&table.name).copied().unwrap_or(0) == *rows))
}

/// Reads columns of a table as text, row by row.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn texts(
    client: &impl GenericClient,
    schema: &str,
    table: &str,
    columns: &[String],
) -> Result<Vec<Vec<Option<String>>>> {
    let terms: Vec<String> = columns
        .iter()
        .map(|column| format!("t.{}::text", crate::model::ident::quoted(column)))
        .collect();
    let sql = format!("SELECT {} FROM {} t", terms.join(", "), qualified(schema, table));
    let rows = client.query(&sql, &[]).await.map_err(|error| failed(&error))?;
    Ok(rows.iter().map(|row| (0..columns.len()).map(|at| row.get(at)).collect()).collect())
}
