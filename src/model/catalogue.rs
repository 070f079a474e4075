//! What stands in the target already, as far as filling it needs to know: PostgreSQL's catalogue of
//! one schema as plain data.
//!
//! Purpose: made by `introspect/postgres`, read by `map/matching` and `plan/fill`, which are pure.
//! Definitions are the server's own texts (`pg_get_constraintdef`, `pg_get_indexdef`) with an empty
//! search path, so that every name in them is qualified.

use serde::{Deserialize, Serialize};

use super::merge::KeyColumn;
use super::pg_type::PgType;

/// One schema of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Its name.
    pub schema: String,
    /// The role that is connected.
    pub role: String,
    /// Whether the role may name anything in the schema: that needs USAGE on it.
    pub can_use: bool,
    /// Whether the role may make indexes in the schema: that needs CREATE on it.
    pub can_create: bool,
    /// The database.
    pub database: String,
    /// Whether the role may make temporary tables in it.
    pub may_make_temporary: bool,
    /// Ordinary and partitioned tables, by name.
    pub tables: Vec<TargetTable>,
    /// Everything else that has a name and columns: `(name, view)`, `(name, foreign table)` ...
    pub others: Vec<(String, String)>,
    /// Sequences that no column has, by identity, ownership or default.
    pub loose_sequences: Vec<String>,
}

impl Catalogue {
    /// Leaves tables out by their oid, with their foreign keys: they will be dropped.
    #[must_use]
    pub fn without(mut self, relids: &[u32]) -> Self {
        self.tables.retain(|table| !relids.contains(&table.relid));
        for table in &mut self.tables {
            table.foreign_keys_onto.retain(|key| !relids.contains(&key.relid));
        }
        self
    }

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
    /// Whether the role could become the owner with SET ROLE, of which it is a member that does not
    /// inherit.
    pub could_own: bool,
    /// Declared PARTITION BY.
    pub is_partitioned: bool,
    /// A partition of another table: its rows go into that one.
    pub is_partition: bool,
    /// Whether the role may INSERT and SELECT, at least single columns: COPY and the count need it.
    pub may_fill: bool,
    /// Whether the role may TRUNCATE.
    pub may_truncate: bool,
    /// Whether the role may UPDATE.
    pub may_update: bool,
    /// Whether rules (CREATE RULE) change its INSERT or UPDATE.
    pub has_rules: bool,
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
    /// Its primary key, unique constraints and unique indexes, as far as they hold for all rows and
    /// consist of columns; the primary key first.
    pub unique_keys: Vec<UniqueKey>,
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
    /// GENERATED ALWAYS AS IDENTITY: PostgreSQL lets nobody update it.
    pub is_identity_always: bool,
    /// GENERATED ALWAYS AS (...): it takes no values.
    pub is_generated: bool,
    /// Sequences that give it its next value: of its identity, or named in its default.
    pub sequences: Vec<TargetSequence>,
    /// Whether two values are equal only when their bytes are: not so for citext and for collations
    /// that are not deterministic.
    pub is_compared_by_bytes: bool,
    /// Whether the role may INSERT into it, by a right to the table or to the column.
    pub may_insert: bool,
    /// Whether the role may SELECT it.
    pub may_select: bool,
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
    /// Whether the role may take values from it.
    pub may_take: bool,
    /// Whether the role may name it: that needs USAGE on its schema.
    pub may_reach: bool,
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
    /// Whether that table has rows, as far as the role may know; of its own tables it must.
    pub has_rows: bool,
    /// Name of the constraint.
    pub name: String,
    /// DEFERRABLE.
    pub is_deferrable: bool,
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

impl TargetForeignKey {
    /// Returns whether the role can take it away and make it again; if not, it stays while rows come in.
    #[must_use]
    pub fn can_go(&self) -> bool {
        self.is_owned && self.may_reference
    }
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetIndex {
    /// Name, in the schema of its table.
    pub name: String,
    /// `pg_get_indexdef`.
    pub definition: String,
}

/// A primary key, unique constraint or unique index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniqueKey {
    /// Name of its index.
    pub name: String,
    /// Whether it is the primary key.
    pub is_primary: bool,
    /// False for a DEFERRABLE constraint.
    pub is_immediate: bool,
    /// NULLS NOT DISTINCT.
    pub nulls_equal: bool,
    /// `pg_get_constraintdef`, or `pg_get_indexdef` where no constraint stands on the index.
    pub definition: String,
    /// Its columns, in the order of the index.
    pub columns: Vec<KeyColumn>,
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
    /// Whether the role owns that table.
    pub is_owned: bool,
    /// Name.
    pub name: String,
    /// `tgenabled`: O on, D off, R only in replicas, A always.
    pub enabled: String,
    /// Whether it runs before each inserted row, and so can fill columns.
    pub fills_rows: bool,
    /// Whether it runs for INSERT.
    pub on_insert: bool,
    /// Whether it runs for UPDATE.
    pub on_update: bool,
    /// Whether it runs for TRUNCATE.
    pub on_truncate: bool,
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
