//! What is taken away from tables that are there already while rows come in, and how it comes back.
//!
//! Purpose: foreign keys are checked row by row, indexes grow row by row, triggers do things of their
//! own. All of that is made again, or switched on again, from what the server printed before. Measured
//! on a million rows: 3.5 times as fast with three indexes, 2.7 times with one foreign key.

use crate::model::catalogue::{
    Catalogue, JournalEntry, TargetForeignKey, TargetTable, TargetTrigger,
};
use crate::model::ident::{literal, qualified, quoted};

use super::ddl::ORPHAN_KEYS_MAX;

const NOT_VALID: &str = " NOT VALID";

/// A foreign key: dropped, made again NOT VALID, then validated when it was valid.
#[must_use]
pub fn foreign_key(key: &TargetForeignKey) -> JournalEntry {
    let (table, name) = (qualified(&key.schema, &key.table), quoted(&key.name));
    let was_valid = !key.definition.ends_with(NOT_VALID);
    // A partitioned table cannot have a key that is NOT VALID: there it is checked as it is made.
    let later = was_valid && !key.is_partitioned;
    let not_valid = if later { NOT_VALID } else { "" };
    let mut restore =
        format!("ALTER TABLE {table} ADD CONSTRAINT {name} {}{not_valid}", key.definition);
    if let Some(comment) = &key.comment {
        restore.push_str(&format!(
            "; COMMENT ON CONSTRAINT {name} ON {table} IS {}",
            literal(comment)
        ));
    }
    JournalEntry {
        object: "foreign key".into(),
        schema: key.schema.clone(),
        table: key.table.clone(),
        relid: key.relid,
        name: key.name.clone(),
        parent_relid: Some(key.parent_relid),
        definition: key.definition.clone(),
        drop: format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"),
        restore,
        validate: later.then(|| format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")),
        orphans: Some(count_orphans(key)),
    }
}

fn count_orphans(key: &TargetForeignKey) -> String {
    let not_null: Vec<String> =
        key.columns.iter().map(|column| format!("c.{} IS NOT NULL", quoted(column))).collect();
    let equal: Vec<String> = key
        .columns
        .iter()
        .zip(&key.parent_columns)
        .map(|(column, parent)| format!("p.{} = c.{}", quoted(parent), quoted(column)))
        .collect();
    let orphans = format!(
        "FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})",
        qualified(&key.schema, &key.table),
        not_null.join(" AND "),
        qualified(&key.parent.0, &key.parent.1),
        equal.join(" AND "),
    );
    let columns: Vec<String> =
        key.columns.iter().map(|column| format!("c.{}", quoted(column))).collect();
    let shown = match columns.as_slice() {
        [one] => format!("{one}::text"),
        more => format!("row({})::text", more.join(", ")),
    };
    format!(
        "SELECT (SELECT count(*) {orphans}), \
         ARRAY(SELECT DISTINCT {shown} {orphans} ORDER BY 1 LIMIT {ORPHAN_KEYS_MAX})"
    )
}

fn index(schema: &str, table: &TargetTable, at: usize) -> JournalEntry {
    let index = &table.plain_indexes[at];
    JournalEntry {
        object: "index".into(),
        schema: schema.to_owned(),
        table: table.name.clone(),
        relid: table.relid,
        name: index.name.clone(),
        parent_relid: None,
        definition: index.definition.clone(),
        drop: format!("DROP INDEX IF EXISTS {}", qualified(schema, &index.name)),
        restore: index.definition.clone(),
        validate: None,
        orphans: None,
    }
}

fn trigger(trigger: &TargetTrigger) -> JournalEntry {
    let table = qualified(&trigger.schema, &trigger.table);
    let name = quoted(&trigger.name);
    let enable = match trigger.enabled.as_str() {
        "R" => "ENABLE REPLICA TRIGGER",
        "A" => "ENABLE ALWAYS TRIGGER",
        _ => "ENABLE TRIGGER",
    };
    // ONLY: each partition has its own, which may be switched otherwise.
    JournalEntry {
        object: "trigger".into(),
        schema: trigger.schema.clone(),
        table: trigger.table.clone(),
        relid: trigger.relid,
        name: trigger.name.clone(),
        parent_relid: None,
        definition: trigger.enabled.clone(),
        drop: format!("ALTER TABLE ONLY {table} DISABLE TRIGGER {name}"),
        restore: format!("ALTER TABLE ONLY {table} {enable} {name}"),
        validate: None,
        orphans: None,
    }
}

/// Returns the foreign keys of tables that are not filled which must go for a TRUNCATE.
#[must_use]
pub fn onto<'c>(table: &'c TargetTable, filled: &[u32]) -> Vec<&'c TargetForeignKey> {
    let is_of_others = |key: &&TargetForeignKey| !filled.contains(&key.relid);
    table.foreign_keys_onto.iter().filter(is_of_others).collect()
}

/// Lists what is taken away, in the order in which it goes. What an earlier run took away and did not
/// bring back is among it, with the definition of then.
///
/// `filled` are the positions of the tables in the catalogue that get rows, `emptied` those of them
/// that lose theirs. What belongs to another role stays.
#[must_use]
pub fn entries(
    catalogue: &Catalogue,
    filled: &[usize],
    emptied: &[usize],
    is_kept: &dyn Fn(&TargetTrigger) -> bool,
    earlier: &[JournalEntry],
) -> Vec<JournalEntry> {
    let relids = relids(catalogue, filled);
    let tables: Vec<&TargetTable> = filled.iter().map(|at| &catalogue.tables[*at]).collect();
    let mut found: Vec<JournalEntry> = Vec::new();
    for table in &tables {
        let on = |known: &&TargetTrigger| known.enabled != "D" && known.is_owned && !is_kept(known);
        found.extend(table.triggers.iter().filter(on).map(trigger));
    }
    for table in &tables {
        found.extend(table.foreign_keys.iter().filter(|key| key.can_go()).map(foreign_key));
    }
    for at in emptied {
        found.extend(onto(&catalogue.tables[*at], &relids).into_iter().map(foreign_key));
    }
    for table in tables.iter().filter(|table| table.is_owned && catalogue.can_create) {
        let indexes = 0..table.plain_indexes.len();
        found.extend(indexes.map(|at| index(&catalogue.schema, table, at)));
    }
    let mut entries: Vec<JournalEntry> = earlier.to_vec();
    for entry in found {
        if !entries.iter().any(|known| known.key() == entry.key()) {
            entries.push(entry);
        }
    }
    // A stable sort: triggers first, so that none sees the TRUNCATE; indexes last.
    entries.sort_by_key(|entry| match entry.object.as_str() {
        "trigger" => 0,
        "foreign key" => 1,
        _ => 2,
    });
    entries
}

/// Oids of the tables and of those of their partitions that have something of their own.
pub(super) fn relids(catalogue: &Catalogue, filled: &[usize]) -> Vec<u32> {
    let mut relids = Vec::new();
    for at in filled {
        let table = &catalogue.tables[*at];
        relids.push(table.relid);
        relids.extend(table.foreign_keys.iter().map(|key| key.relid));
        relids.extend(table.triggers.iter().map(|trigger| trigger.relid));
    }
    relids
}
