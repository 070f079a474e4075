//! Foreign keys, indexes and triggers of tables, with the definitions that bring them back.
//!
//! Sources: `pg_constraint`, `pg_index`, `pg_trigger` in the manual's chapter on system catalogs.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::catalogue::{failed, have_rows};
use crate::error::Result;
use crate::model::catalogue::{TargetForeignKey, TargetIndex, TargetTable, TargetTrigger};
use crate::model::ident::qualified;

pub(super) async fn read(client: &impl GenericClient, tables: &mut [TargetTable]) -> Result<()> {
    let roots = roots(client, tables).await?;
    foreign_keys(client, tables, &roots).await?;
    indexes(client, tables).await?;
    triggers(client, tables, &roots).await
}

/// Oids of the tables and of all their partitions, with the position of the table that is filled.
type Roots = BTreeMap<u32, usize>;

async fn roots(client: &impl GenericClient, tables: &[TargetTable]) -> Result<Roots> {
    let mut roots = BTreeMap::new();
    let partitioned: Vec<u32> =
        tables.iter().filter(|table| table.is_partitioned).map(|table| table.relid).collect();
    let rows = client
        .query(
            "SELECT r.oid, p.relid::oid FROM unnest($1::oid[]) AS r (oid), \
             pg_partition_tree(r.oid) AS p",
            &[&partitioned],
        )
        .await
        .map_err(|error| failed(&error))?;
    for row in &rows {
        let root: u32 = row.get(0);
        if let Some(position) = tables.iter().position(|table| table.relid == root) {
            // Of a partition that is partitioned itself, the outermost table is the one that is filled.
            let is_outer = |other: &usize| !tables[*other].is_partition;
            let known = roots.get(&row.get::<_, u32>(1)).copied();
            if !known.as_ref().is_some_and(is_outer) {
                roots.insert(row.get(1), position);
            }
        }
    }
    for (position, table) in tables.iter().enumerate() {
        roots.entry(table.relid).or_insert(position);
    }
    Ok(roots)
}

/// `conparentid = 0`: a key of a partition that is its table's comes and goes with that.
const FOREIGN_KEYS: &str = "SELECT k.conrelid, k.confrelid, n.nspname::text, c.relname::text, \
       pg_has_role(c.relowner, 'USAGE'), pg_get_userbyid(c.relowner)::text, c.relkind = 'p', \
       k.conname::text, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint'), \
       ARRAY (SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place) \
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place), \
       pn.nspname::text, p.relname::text, \
       ARRAY (SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place) \
         JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place), \
       has_table_privilege(p.oid, 'REFERENCES') AND has_schema_privilege(pn.oid, 'USAGE'), \
       has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'), \
       k.condeferrable \
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class p ON p.oid = k.confrelid \
     JOIN pg_namespace pn ON pn.oid = p.relnamespace \
     WHERE k.contype = 'f' AND k.conparentid = 0 \
     AND (k.conrelid = ANY ($1) OR k.confrelid = ANY ($1)) ORDER BY 3, 4, 8";

async fn foreign_keys(
    client: &impl GenericClient,
    tables: &mut [TargetTable],
    roots: &Roots,
) -> Result<()> {
    let relids: Vec<u32> = roots.keys().copied().collect();
    let rows = client.query(FOREIGN_KEYS, &[&relids]).await.map_err(|error| failed(&error))?;
    // Only where the table that points may be left out of the load is it of interest.
    let may_look = |row: &&Row| row.get(15) && roots.contains_key(&row.get::<_, u32>(1));
    let looked: Vec<&Row> = rows.iter().filter(may_look).collect();
    let froms: Vec<String> = looked.iter().map(|row| qualified(row.get(2), row.get(3))).collect();
    let have_rows = have_rows(client, &froms).await?;
    let with: Vec<u32> = looked
        .iter()
        .zip(have_rows)
        .filter(|(_, has)| *has)
        .map(|(row, _)| row.get::<_, u32>(0))
        .collect();
    let unknown: Vec<u32> =
        rows.iter().filter(|row| !may_look(row)).map(|row| row.get::<_, u32>(0)).collect();
    for row in &rows {
        let mut key = foreign_key(row);
        let (child, parent) = (roots.get(&key.relid), roots.get(&key.parent_relid));
        if let Some(child) = child {
            tables[*child].foreign_keys.push(key.clone());
        }
        if let Some(parent) = parent {
            key.has_rows =
                with.contains(&key.relid) || key.is_owned && unknown.contains(&key.relid);
            tables[*parent].foreign_keys_onto.push(key);
        }
    }
    Ok(())
}

fn foreign_key(row: &Row) -> TargetForeignKey {
    TargetForeignKey {
        relid: row.get(0),
        parent_relid: row.get(1),
        schema: row.get(2),
        table: row.get(3),
        is_owned: row.get(4),
        owner: row.get(5),
        is_partitioned: row.get(6),
        has_rows: false,
        name: row.get(7),
        definition: row.get(8),
        comment: row.get(9),
        columns: row.get(10),
        parent: (row.get(11), row.get(12)),
        parent_columns: row.get(13),
        may_reference: row.get(14),
        is_deferrable: row.get(16),
    }
}

/// Only what `pg_get_indexdef` brings back whole: no constraint stands on the index, it is no partition's
/// and no replica identity, nothing was set on it, nothing was said about it. One whose expressions
/// call functions in SQL or PL/pgSQL stays too: whether these run depends on settings.
const INDEXES: &str = "SELECT i.indrelid, c.relname::text, pg_get_indexdef(c.oid) \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     JOIN pg_class t ON t.oid = i.indrelid AND t.relkind = 'r' \
     WHERE i.indrelid = ANY ($1) AND c.relkind = 'i' AND NOT i.indisunique AND NOT i.indisprimary \
     AND NOT i.indisexclusion AND i.indisvalid AND i.indisready AND i.indislive \
     AND NOT i.indisclustered AND NOT i.indisreplident AND c.reltablespace = 0 \
     AND NOT t.relispartition AND obj_description(c.oid, 'pg_class') IS NULL \
     AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid) \
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) \
     AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid \
       AND coalesce(a.attstattarget, -1) >= 0) \
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass \
       AND d.objid = c.oid AND d.deptype IN ('x', 'e')) \
     AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_proc f ON f.oid = d.refobjid \
       JOIN pg_language l ON l.oid = f.prolang WHERE d.classid = 'pg_class'::regclass \
       AND d.objid = c.oid AND d.refclassid = 'pg_proc'::regclass \
       AND l.lanname NOT IN ('internal', 'c')) \
     ORDER BY 1, 2";

async fn indexes(client: &impl GenericClient, tables: &mut [TargetTable]) -> Result<()> {
    let relids: Vec<u32> = tables.iter().map(|table| table.relid).collect();
    let rows = client.query(INDEXES, &[&relids]).await.map_err(|error| failed(&error))?;
    for row in &rows {
        let relid: u32 = row.get(0);
        let index = TargetIndex { name: row.get(1), definition: row.get(2) };
        if let Some(table) = tables.iter_mut().find(|table| table.relid == relid) {
            table.plain_indexes.push(index);
        }
    }
    Ok(())
}

/// `tgtype` has 1 for FOR EACH ROW, 2 for BEFORE, 4 for INSERT, 16 for UPDATE, 32 for TRUNCATE.
const TRIGGERS: &str = "SELECT t.tgrelid, n.nspname::text, c.relname::text, t.tgname::text, \
       t.tgenabled::text, t.tgtype & 7 = 7, t.tgtype & 4 = 4, t.tgtype & 32 = 32, \
       pg_has_role(c.relowner, 'USAGE'), t.tgtype & 16 = 16 \
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE NOT t.tgisinternal AND t.tgrelid = ANY ($1) ORDER BY 2, 3, 4";

async fn triggers(
    client: &impl GenericClient,
    tables: &mut [TargetTable],
    roots: &Roots,
) -> Result<()> {
    let relids: Vec<u32> = roots.keys().copied().collect();
    let rows = client.query(TRIGGERS, &[&relids]).await.map_err(|error| failed(&error))?;
    for row in &rows {
        let relid: u32 = row.get(0);
        if let Some(position) = roots.get(&relid) {
            tables[*position].triggers.push(TargetTrigger {
                relid,
                schema: row.get(1),
                table: row.get(2),
                name: row.get(3),
                enabled: row.get(4),
                fills_rows: row.get(5),
                on_insert: row.get(6),
                on_truncate: row.get(7),
                is_owned: row.get(8),
                on_update: row.get(9),
            });
        }
    }
    Ok(())
}
