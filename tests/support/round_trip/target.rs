//! PostgreSQL's catalogue, read for the comparison.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::support::pg;

/// One index of the target.
#[derive(Debug, Clone)]
pub(super) struct PgIndex {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) primary: bool,
    pub(super) partial: bool,
    /// The column of each term, or the expression's text; then whether it is descending.
    pub(super) terms: Vec<(String, bool)>,
}

/// One foreign key of the target.
#[derive(Debug, Clone)]
pub(super) struct PgForeignKey {
    pub(super) name: String,
    /// Child columns, parent, parent columns, ON UPDATE, ON DELETE.
    pub(super) says: (Vec<String>, String, Vec<String>, String, String),
    pub(super) deferrable: bool,
    pub(super) deferred: bool,
}

/// PostgreSQL's catalogue, by table.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// Name and NOT NULL.
    pub(super) columns: HashMap<String, Vec<(String, bool)>>,
    pub(super) indexes: HashMap<String, Vec<PgIndex>>,
    pub(super) foreign_keys: HashMap<String, Vec<PgForeignKey>>,
    /// Table and column.
    pub(super) identities: HashSet<(String, String)>,
}

impl Target {
    pub(super) fn read(url: &str, schema: &str) -> Self {
        let here = format!("'{}'", schema.replace('\'', "''"));
        let documents = |sql: &str| -> Vec<Value> {
            let rows = pg::query_text(url, sql).into_iter().flatten();
            rows.map(|row| serde_json::from_str(&row).unwrap()).collect()
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let texts =
            |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().map(text).collect() };
        let mut target = Self::default();
        for row in documents(&format!(
            "SELECT json_build_array(c.relname, (SELECT json_agg(json_build_array(a.attname, a.attnotnull, a.attidentity <> '') ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {here} AND c.relkind = 'r'"
        )) {
            let columns = row[1].as_array().map(Vec::as_slice).unwrap_or_default().iter();
            for column in columns.clone().filter(|column| column[2] == true) {
                target.identities.insert((text(&row[0]), text(&column[0])));
            }
            let columns = columns.map(|column| (text(&column[0]), column[1] == true)).collect();
            target.columns.insert(text(&row[0]), columns);
        }
        for row in documents(&format!(
            "SELECT json_build_array(c.relname, i.relname, x.indisunique, x.indisprimary, x.indpred IS NOT NULL,
               (SELECT json_agg(json_build_array(coalesce(a.attname::text, pg_get_indexdef(x.indexrelid, k.n::int, true)),
                                (x.indoption[k.n - 1] & 1) = 1) ORDER BY k.n)
                FROM unnest(x.indkey) WITH ORDINALITY AS k (attnum, n)
                LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0))
             FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {here}"
        )) {
            let terms = row[5].as_array().unwrap().iter();
            let index = PgIndex {
                name: text(&row[1]),
                unique: row[2] == true,
                primary: row[3] == true,
                partial: row[4] == true,
                terms: terms.map(|term| (text(&term[0]), term[1] == true)).collect(),
            };
            target.indexes.entry(text(&row[0])).or_default().push(index);
        }
        let columns = |of: &str, key: &str| {
            format!(
                "(SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(k.{key}) WITH ORDINALITY AS k (attnum, n)
                  JOIN pg_attribute a ON a.attrelid = {of} AND a.attnum = k.attnum)"
            )
        };
        for row in documents(&format!(
            "SELECT json_build_array(c.relname, k.conname, {}, p.relname, {}, k.confupdtype, k.confdeltype,
               k.condeferrable, k.condeferred)
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {here} AND k.contype = 'f'",
            columns("c.oid", "conkey"),
            columns("p.oid", "confkey")
        )) {
            let key = PgForeignKey {
                name: text(&row[1]),
                says: (texts(&row[2]), text(&row[3]), texts(&row[4]), text(&row[5]), text(&row[6])),
                deferrable: row[7] == true,
                deferred: row[8] == true,
            };
            target.foreign_keys.entry(text(&row[0])).or_default().push(key);
        }
        target
    }
}
