//! What a SQLite file declares: tables, columns, keys, indexes, foreign keys, views, triggers.
//!
//! Purpose: one plain description for every later stage, made by `introspect`. PRAGMAs decide where
//! they and the CREATE text disagree; the disagreement is kept in [`SourceSchema::remarks`].
//!
//! Known gaps: comments in CREATE texts are not kept apart.

use serde::{Deserialize, Serialize};

use super::expression::Parsed;
use super::query::Select;

/// Everything that litelift knows about a source file except its values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceSchema {
    /// `PRAGMA encoding`: UTF-8, UTF-16le or UTF-16be.
    pub encoding: String,
    /// `PRAGMA user_version`.
    pub user_version: i64,
    /// `PRAGMA application_id`.
    pub application_id: i64,
    /// Tables whose rows can be read, in the order of `sqlite_schema`: ordinary and virtual ones.
    pub tables: Vec<Table>,
    /// Views.
    pub views: Vec<View>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Tables that hold the inner data of a virtual table; never copied, its rows are. Those of a
    /// virtual table that SQLite cannot read are not here but in `tables`.
    pub shadow_tables: Vec<String>,
    /// Tables that cannot be read here, such as virtual tables of a module that is not built in, or
    /// that have no rows of their own, such as a full-text index over another table.
    pub unreadable: Vec<UnreadableTable>,
    /// Places where PRAGMA and CREATE text disagree, or a text could not be parsed. A sentence each.
    pub remarks: Vec<String>,
}

impl SourceSchema {
    /// Finds a table by name as SQLite does: ASCII letters of either case are equal.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

/// A table whose rows can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Name as declared.
    pub name: String,
    /// Ordinary, WITHOUT ROWID or virtual.
    pub kind: TableKind,
    /// Declared STRICT.
    pub strict: bool,
    /// Columns in declared order. Hidden columns of virtual tables are left out; generated ones are
    /// in, because they have values.
    pub columns: Vec<Column>,
    /// The declared PRIMARY KEY, if there is one.
    pub primary_key: Option<Key>,
    /// Position in `columns` of the INTEGER PRIMARY KEY, which is another name of the rowid.
    pub rowid_alias: Option<usize>,
    /// Declared AUTOINCREMENT.
    pub autoincrement: bool,
    /// Largest rowid ever used, from `sqlite_sequence`; only AUTOINCREMENT tables have it.
    pub sequence: Option<i64>,
    /// The name that reaches the rowid: `rowid`, `_rowid_` or `oid`, whichever no column hides.
    /// `None`: WITHOUT ROWID, virtual, or all three names are columns.
    pub rowid_name: Option<String>,
    /// UNIQUE constraints (not CREATE UNIQUE INDEX), in declared order.
    pub uniques: Vec<Key>,
    /// Indexes made by CREATE INDEX.
    pub indexes: Vec<Index>,
    /// Foreign keys in declared order.
    pub foreign_keys: Vec<ForeignKey>,
    /// CHECK constraints, of columns and of the table.
    pub checks: Vec<Check>,
    /// ON CONFLICT clauses other than ABORT.
    pub conflicts: Vec<Conflict>,
    /// The CREATE text as `sqlite_schema` has it.
    pub sql: String,
}

impl Table {
    /// Finds the position of a column by name; ASCII letters of either case are equal.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Returns what the CHECKs say of a column.
    pub fn checks_of(&self, position: usize) -> impl Iterator<Item = &CheckSays> {
        let says = self.checks.iter().filter_map(|check| check.says.as_ref());
        says.filter(move |(column, _)| *column == position).map(|(_, says)| says)
    }
}

/// How a table stores its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    /// A table with a rowid.
    Ordinary,
    /// A table whose primary key is its storage order.
    WithoutRowid,
    /// A virtual table; the module's name, such as fts5 or rtree.
    Virtual {
        /// Module after USING, as written.
        module: String,
    },
}

/// The preference of a column for a storage class (<https://www.sqlite.org/datatype3.html> 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Affinity {
    /// Declared type contains INT.
    Integer,
    /// Contains CHAR, CLOB or TEXT.
    Text,
    /// Contains BLOB, or there is no declared type.
    Blob,
    /// Contains REAL, FLOA or DOUB.
    Real,
    /// Anything else.
    Numeric,
}

impl Affinity {
    /// Returns the affinity of a declared type by the five rules, in their order.
    #[must_use]
    pub fn of_declared(declared: &str) -> Self {
        let upper = declared.to_ascii_uppercase();
        let has = |part: &str| upper.contains(part);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if has("BLOB") || declared.trim().is_empty() {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name as declared.
    pub name: String,
    /// Declared type as written, with its sizes, such as `VARCHAR(80)`; empty when there is none.
    pub declared: String,
    /// Affinity that follows from the declared type (in STRICT tables from its six types).
    pub affinity: Affinity,
    /// Declared NOT NULL (a rowid alias, a WITHOUT ROWID key and a STRICT key are not null anyway).
    pub not_null: bool,
    /// Text after DEFAULT, as `PRAGMA table_xinfo` gives it (outer parentheses removed).
    pub default: Option<String>,
    /// The default as a tree, where it is no literal.
    pub default_tree: Option<Parsed>,
    /// True when the default is an identifier, which SQLite takes as a string: `DEFAULT bareword`.
    pub default_is_word: bool,
    /// GENERATED ALWAYS AS.
    pub generated: Option<Generated>,
    /// Name of the collation that comparisons of this column use; BINARY unless declared.
    pub collation: String,
}

impl Column {
    /// Returns false for a generated column that SQLite cannot compute here.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.generated.as_ref().is_none_or(|generated| generated.unreadable.is_none())
    }
}

/// A generated column's expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// Source text of the expression; empty when the CREATE text could not be parsed.
    pub expression: String,
    /// The same as a tree.
    pub tree: Parsed,
    /// STORED, or else VIRTUAL.
    pub stored: bool,
    /// SQLite's message when its values cannot be computed here, such as `unknown function: f()`: the
    /// column must then not be selected. `None`: it can be read.
    pub unreadable: Option<String>,
}

/// A primary key or a UNIQUE constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Name after CONSTRAINT, if there is one.
    pub name: Option<String>,
    /// Positions in `Table::columns`, in the order of the key.
    pub columns: Vec<usize>,
    /// Collation that the key compares each column with, same order.
    pub collations: Vec<String>,
    /// Which columns are descending, same order; none for a key that is the rowid itself.
    pub descending: Vec<bool>,
}

/// An index made by CREATE INDEX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Name.
    pub name: String,
    /// CREATE UNIQUE INDEX.
    pub unique: bool,
    /// Terms in order.
    pub terms: Vec<IndexTerm>,
    /// Source text of the WHERE expression of a partial index; empty when the CREATE text could not
    /// be parsed. `None`: not partial.
    pub predicate: Option<String>,
    /// The same as a tree.
    pub predicate_tree: Option<Parsed>,
    /// The CREATE text as `sqlite_schema` has it.
    pub sql: String,
}

/// One term of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexTerm {
    /// What is indexed.
    pub of: IndexTermOf,
    /// The tree of an expression.
    pub tree: Option<Parsed>,
    /// Descending.
    pub descending: bool,
    /// Effective collation.
    pub collation: String,
}

/// What an index term is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexTermOf {
    /// A column, by position in `Table::columns`.
    Column(usize),
    /// The rowid of a table without an alias for it.
    Rowid,
    /// An expression, by its source text (empty when the CREATE text could not be parsed).
    Expression(String),
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Name after CONSTRAINT, if there is one.
    pub name: Option<String>,
    /// Positions of the child columns in `Table::columns`.
    pub columns: Vec<usize>,
    /// Parent table as written; resolve with [`SourceSchema::table`]. It may not exist.
    pub parent: String,
    /// Parent columns as written; empty: the parent's primary key is meant.
    pub parent_columns: Vec<String>,
    /// ON UPDATE.
    pub on_update: FkAction,
    /// ON DELETE.
    pub on_delete: FkAction,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub initially_deferred: bool,
}

/// What happens to the child when the parent goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FkAction {
    /// NO ACTION.
    #[default]
    NoAction,
    /// RESTRICT.
    Restrict,
    /// SET NULL.
    SetNull,
    /// SET DEFAULT.
    SetDefault,
    /// CASCADE.
    Cascade,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Name after CONSTRAINT, if there is one.
    pub name: Option<String>,
    /// The column that it stands beside; `None` for a table constraint.
    pub column: Option<usize>,
    /// Source text of the expression.
    pub expression: String,
    /// The same as a tree.
    pub tree: Parsed,
    /// What it says of one column, when it has a form that tells a type.
    pub says: Option<(usize, CheckSays)>,
}

/// An ON CONFLICT clause of a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Name of the column or of the constraint, or its columns.
    pub name: String,
    /// The constraint with its clause, such as `UNIQUE ON CONFLICT REPLACE`.
    pub text: String,
}

/// What a CHECK says of a column, NULL aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckSays {
    /// `column IN ('a', 'b')`.
    OneOfTexts(Vec<String>),
    /// `column IN (0, 1)`.
    OneOfIntegers(Vec<i64>),
    /// `json_valid(column)`.
    JsonValid,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Name.
    pub name: String,
    /// Names of its columns as SQLite has them, or as they are given; empty when neither is known.
    pub columns: Vec<String>,
    /// Its query as a tree.
    pub query: Result<Select, String>,
    /// The CREATE text.
    pub sql: String,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Name.
    pub name: String,
    /// The table or view that it belongs to.
    pub table: String,
    /// The CREATE text.
    pub sql: String,
}

/// A table that cannot be read here, or has no rows of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableTable {
    /// Name.
    pub name: String,
    /// SQLite's message, such as `no such module: VirtualSpatialIndex`, or another reason.
    pub reason: String,
    /// The CREATE text.
    pub sql: String,
    /// For a full-text index over another table: what it searches.
    pub searches: Option<Searched>,
}

/// What a full-text index over another table searches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The table, as written.
    pub table: String,
    /// Its columns, as written.
    pub columns: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinity_follows_the_order_of_the_rules() {
        for (declared, affinity) in [
            ("CHARINT", Affinity::Integer),
            ("FLOATING POINT", Affinity::Integer),
            ("varchar(80)", Affinity::Text),
            ("", Affinity::Blob),
            ("STRING", Affinity::Numeric),
            ("double precision", Affinity::Real),
            ("DATETIME", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of_declared(declared), affinity, "{declared}");
        }
    }
}
