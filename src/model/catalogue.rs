//! What stands in the target already, as far as filling it needs to know: PostgreSQL's catalogue of
//! one schema as plain data.
//!
//! Purpose: made by `introspect/postgres`, read by `map/matching` and `plan/fill`, which are pure.
//! Definitions are the server's own texts (`pg_get_constraintdef`, `pg_get_indexdef`) with an empty
//! search path, so that every name in them is qualified.

use serde::{Deserialize, Serialize};

use super::pg_type::PgType;

/// One schema of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Its name.
    pub schema: String,
    /// The role that is connected.
    pub role: String,
    /// Whether the role may make indexes in the schema: that needs CREATE on it.
    pub can_create: bool,
    /// Ordinary and partitioned tables, by name.
    pub tables: Vec<TargetTable>,
    /// Everything else that has a name and columns: `(name, view)`, `(name, foreign table)` ...
    pub others: Vec<(String, String)>,
    /// Sequences that no column has, by identity, ownership or default.
    pub loose_sequences: Vec<String>,
}

impl Catalogue {
    /// Finds a table by its exact name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TargetTable> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTable {
    /// Name.
    pub name: String,
    /// Its oid.
    pub relid: u32,
    /// The role that owns it.
    pub owner: String,
    /// Whether the connected role owns it, itself or as a member.
    pub is_owned: bool,
    /// Declared PARTITION BY.
    pub is_partitioned: bool,
    /// A partition of another table: its rows go into that one.
    pub is_partition: bool,
    /// Whether the role may INSERT and SELECT, which COPY and the count need.
    pub may_fill: bool,
    /// Whether the role may TRUNCATE.
    pub may_truncate: bool,
    /// Whether row level security keeps this role from COPY.
    pub is_row_secured: bool,
    /// Columns in their order.
    pub columns: Vec<TargetColumn>,
    /// Foreign keys of it, and of its partitions.
    pub foreign_keys: Vec<TargetForeignKey>,
    /// Foreign keys of other tables that point to it.
    pub foreign_keys_onto: Vec<TargetForeignKey>,
    /// Indexes that only make reading faster, and can be made again from their definition.
    pub plain_indexes: Vec<TargetIndex>,
    /// Triggers that are not the server's own, of it and of its partitions.
    pub triggers: Vec<TargetTrigger>,
}

impl TargetTable {
    /// Finds the position of a column by its exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetColumn {
    /// Name.
    pub name: String,
    /// Type as the server prints it, such as `character varying(80)` or `public.year`.
    pub type_name: String,
    /// The type that litelift writes for it, that of the base type of a domain; `None`: none fits.
    pub pg_type: Option<PgType>,
    /// Labels of an enum type, in their order.
    pub labels: Option<Vec<String>>,
    /// Digits of a second that the type keeps, where it says so.
    pub seconds_digits: Option<u8>,
    /// NOT NULL, its domain's included.
    pub not_null: bool,
    /// DEFAULT as the server prints it.
    pub default: Option<String>,
    /// GENERATED ... AS IDENTITY.
    pub is_identity: bool,
    /// GENERATED ALWAYS AS (...): it takes no values.
    pub is_generated: bool,
    /// Sequences that give it its next value: of its identity, or named in its default.
    pub sequences: Vec<TargetSequence>,
}

impl TargetColumn {
    /// Returns whether a row can be made without naming the column.
    #[must_use]
    pub fn fills_itself(&self) -> bool {
        !self.not_null || self.default.is_some() || self.is_identity || self.is_generated
    }
}

/// A sequence behind a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSequence {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// INCREMENT BY.
    pub increment: i64,
    /// Whether the role may set it.
    pub may_set: bool,
    /// The role that owns it.
    pub owner: String,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetForeignKey {
    /// Schema of the table that has it.
    pub schema: String,
    /// That table.
    pub table: String,
    /// Its oid.
    pub relid: u32,
    /// Whether the role owns that table.
    pub is_owned: bool,
    /// The role that owns it.
    pub owner: String,
    /// Whether that table is partitioned: there a key cannot be NOT VALID.
    pub is_partitioned: bool,
    /// Whether that table has rows.
    pub has_rows: bool,
    /// Name of the constraint.
    pub name: String,
    /// `pg_get_constraintdef`.
    pub definition: String,
    /// COMMENT ON CONSTRAINT.
    pub comment: Option<String>,
    /// Columns that point.
    pub columns: Vec<String>,
    /// Schema and name of the table that is pointed to.
    pub parent: (String, String),
    /// Its oid.
    pub parent_relid: u32,
    /// Columns that are pointed to, in the order of `columns`.
    pub parent_columns: Vec<String>,
    /// Whether the role may make a key onto that table (REFERENCES).
    pub may_reference: bool,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetIndex {
    /// Name, in the schema of its table.
    pub name: String,
    /// `pg_get_indexdef`.
    pub definition: String,
}

/// A trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTrigger {
    /// Schema of the table that has it: a partition may lie elsewhere.
    pub schema: String,
    /// That table.
    pub table: String,
    /// Its oid.
    pub relid: u32,
    /// Name.
    pub name: String,
    /// `tgenabled`: O on, D off, R only in replicas, A always.
    pub enabled: String,
    /// Whether it runs before each inserted row, and so can fill columns.
    pub fills_rows: bool,
}

/// An object of the target that is taken away, or changed, while its table is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// `foreign key`, `index` or `trigger`.
    pub object: String,
    /// Schema of its table.
    pub schema: String,
    /// Its table.
    pub table: String,
    /// Oid of that table: one of the same name made later is another one.
    pub relid: u32,
    /// Its name.
    pub name: String,
    /// Oid of the table that a foreign key points to.
    pub parent_relid: Option<u32>,
    /// How the server printed it before: a definition, or the `tgenabled` of a trigger.
    pub definition: String,
    /// What takes it away, or switches it off.
    pub drop: String,
    /// What brings it back.
    pub restore: String,
    /// What makes it as good as it was, once it is back: the validation of a foreign key.
    pub validate: Option<String>,
    /// Counts the rows that break a foreign key.
    pub orphans: Option<String>,
}

impl JournalEntry {
    /// Returns what tells it from all others.
    #[must_use]
    pub fn key(&self) -> (u32, &str, &str) {
        (self.relid, &self.object, &self.name)
    }
}
