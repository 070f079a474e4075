//! Foreign keys and triggers while rows are brought up to date.
//!
//! Purpose: what the source did in any order is done here table by table, so keys must wait until the end, and
//! nothing of the target's may act on its own (ON DELETE CASCADE, triggers): the source's rows say what came of
//! it. A key without actions is made deferred for the transaction, which the end checks for the rows that
//! changed; one with actions is taken away and added again NOT VALID, and validated afterwards. A key or
//! trigger of a table that this role does not own stays as it is; then the order of the tables has to do.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use tokio_postgres::error::SqlState;

use crate::connect::{Session, failure};
use crate::error::Result;
use crate::event::Cancel;
use crate::model::catalogue::{TargetForeignKey, TargetTable};
use crate::model::ident::{qualified, quoted};

/// What is done before and after, and what is left to validate.
#[derive(Debug, Default)]
pub(super) struct Suspended {
    before: Vec<String>,
    after: Vec<String>,
    /// Statements that validate keys, each by itself, after the transaction.
    validate: Vec<String>,
    /// False when a key stays as it is: then rows must come and go in the order of the tables.
    pub(super) is_free: bool,
}

impl Suspended {
    /// Plans it for tables that get changes.
    pub(super) fn plan(schema: &str, tables: &[&TargetTable]) -> Self {
        let mut all = Self { is_free: true, ..Self::default() };
        let keys = tables
            .iter()
            .flat_map(|table| table.foreign_keys.iter().chain(&table.foreign_keys_onto));
        let keys: BTreeMap<(u32, &str), &TargetForeignKey> =
            keys.map(|key| ((key.relid, key.name.as_str()), key)).collect();
        for key in keys.values() {
            all.key(key);
        }
        for table in tables.iter().filter(|table| table.is_owned) {
            for trigger in &table.triggers {
                let enable = match trigger.enabled.as_str() {
                    "O" => "ENABLE TRIGGER",
                    "A" => "ENABLE ALWAYS TRIGGER",
                    _ => continue,
                };
                if !trigger.is_owned {
                    continue;
                }
                let (place, name) =
                    (qualified(&trigger.schema, &trigger.table), quoted(&trigger.name));
                all.before.push(format!("ALTER TABLE {place} DISABLE TRIGGER {name}"));
                all.after.push(format!("ALTER TABLE {place} {enable} {name}"));
            }
        }
        let path = format!("pg_catalog, {}, public", quoted(schema));
        all.before.push(format!("SET LOCAL search_path = {path}"));
        all
    }

    fn key(&mut self, key: &TargetForeignKey) {
        let (table, name) = (qualified(&key.schema, &key.table), quoted(&key.name));
        let acts = key.definition.contains(" ON DELETE ") || key.definition.contains(" ON UPDATE ");
        if key.is_deferrable && !acts {
            return;
        }
        if !acts && key.is_owned && !key.is_partitioned {
            let alter = format!("ALTER TABLE {table} ALTER CONSTRAINT {name}");
            self.before.push(format!("{alter} DEFERRABLE INITIALLY DEFERRED"));
            self.after.push(format!("{alter} NOT DEFERRABLE"));
            return;
        }
        if !key.can_go() {
            self.is_free = false;
            return;
        }
        self.before.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
        let was_valid = !key.definition.ends_with(" NOT VALID");
        let not_valid = if was_valid && !key.is_partitioned { " NOT VALID" } else { "" };
        self.after.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {}{not_valid}",
            key.definition
        ));
        if let Some(comment) = &key.comment {
            let comment = crate::model::ident::literal(comment);
            self.after.push(format!("COMMENT ON CONSTRAINT {name} ON {table} IS {comment}"));
        }
        if !not_valid.is_empty() {
            self.validate.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"));
        }
    }

    /// Suspends them.
    pub(super) async fn begin(&self, transaction: &Transaction<'_>) -> Result<()> {
        let sql = format!("{}; SET CONSTRAINTS ALL DEFERRED", self.before.join("; "));
        let done = transaction.batch_execute(&sql).await;
        done.map_err(|error| failure::failed("prepare the target's tables", &error))
    }

    /// Checks what was deferred, and puts everything back.
    pub(super) async fn end(&self, transaction: &Transaction<'_>) -> Result<()> {
        let at = |error: tokio_postgres::Error| {
            failure::failed("bring the changes over", &error).hint(
                "Nothing was changed. Rows of the source break a foreign key: `PRAGMA foreign_key_check` there lists them.",
            )
        };
        transaction.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await.map_err(at)?;
        let done = transaction.batch_execute(&self.after.join("; ")).await;
        done.map_err(|error| failure::failed("put the target's constraints back", &error))
    }

    /// Validates the keys that were taken away. Returns what the rows break: such a key stays NOT VALID.
    pub(super) async fn validate(&self, session: &Session, cancel: &Cancel) -> Result<Vec<String>> {
        let mut broken = Vec::new();
        for sql in &self.validate {
            cancel.check()?;
            match session.batch_execute(sql).await {
                Ok(()) => {}
                Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                    let error = failure::failed("validate", &error);
                    broken.push(format!("{sql}: {}", error.full_detail().unwrap_or_default()));
                }
                Err(error) => return Err(failure::failed("validate a foreign key", &error)),
            }
        }
        Ok(broken)
    }
}
