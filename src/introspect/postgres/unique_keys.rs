//! Keys by which a row can be found that is there: primary keys, unique constraints, unique indexes.
//!
//! Source: `pg_index` in the manual's chapter on system catalogs, and what INSERT says of ON CONFLICT:
//! <https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT>.

use deadpool_postgres::GenericClient;

use super::catalogue::failed;
use crate::error::Result;
use crate::model::catalogue::{TargetTable, UniqueKey};
use crate::model::merge::KeyColumn;

/// Whole and of columns only. With the operator that the index itself compares by, for `=` of a type
/// that an extension made may lie in a schema that is not searched. Servers before 15 know no NULLS NOT
/// DISTINCT.
const KEYS: &str = "SELECT i.indrelid, c.relname::text, i.indisprimary, i.indimmediate, \
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), \
       ARRAY (SELECT a.attname::text FROM generate_series(0, i.indnkeyatts - 1) AS p (place) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.place] \
         ORDER BY p.place), \
       ARRAY (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname) \
         FROM generate_series(0, i.indnkeyatts - 1) AS p (place) \
         JOIN pg_opclass k ON k.oid = i.indclass[p.place] \
         JOIN pg_amop m ON m.amopfamily = k.opcfamily AND m.amopstrategy = 3 \
           AND m.amoplefttype = k.opcintype AND m.amoprighttype = k.opcintype \
         JOIN pg_operator o ON o.oid = m.amopopr \
         JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY p.place), \
       coalesce((SELECT pg_get_constraintdef(u.oid) FROM pg_constraint u WHERE u.conindid = c.oid \
         AND u.conrelid = i.indrelid AND u.contype IN ('p', 'u')), pg_get_indexdef(c.oid)) \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     JOIN pg_am am ON am.oid = c.relam AND am.amname = 'btree' \
     WHERE i.indrelid = ANY ($1) AND i.indisunique AND i.indisvalid AND i.indisready \
     AND i.indislive AND i.indpred IS NULL AND i.indexprs IS NULL \
     ORDER BY i.indrelid, NOT i.indisprimary, c.relname";

pub(super) async fn read(client: &impl GenericClient, tables: &mut [TargetTable]) -> Result<()> {
    let relids: Vec<u32> = tables.iter().map(|table| table.relid).collect();
    let rows = client.query(KEYS, &[&relids]).await.map_err(|error| failed(&error))?;
    for row in &rows {
        let relid: u32 = row.get(0);
        let (names, operators): (Vec<String>, Vec<String>) = (row.get(5), row.get(6));
        // Both have one entry per column, or else the index is of a kind that is not known here.
        let is_known = names.len() == operators.len() && !names.is_empty();
        let table = tables.iter_mut().find(|table| table.relid == relid && is_known);
        if let Some(table) = table {
            let columns = names.into_iter().zip(operators);
            table.unique_keys.push(UniqueKey {
                name: row.get(1),
                is_primary: row.get(2),
                is_immediate: row.get(3),
                nulls_equal: row.get(4),
                definition: row.get(7),
                columns: columns.map(|(name, equals)| KeyColumn { name, equals }).collect(),
            });
        }
    }
    Ok(())
}
