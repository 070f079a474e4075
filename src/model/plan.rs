//! What exactly will be done: statements, ranges, finishing steps.
//!
//! Purpose: a plan is data. It is shown by the dry run, stored in the target when the transfer
//! starts, and read back when it continues, so that a continued run does what the first one meant.
//! What a table is ([`TablePlan`]), where it goes (`target`) and how its rows are cut and sent
//! ([`RangePlan`]) are kept apart, so that other targets can be added.

use serde::{Deserialize, Serialize};

use super::catalogue::JournalEntry;
use super::convert::{Convert, LabelTable};
use super::decision::{Unfit, Widening};
use super::demands::Demands;
use super::evidence::Span;
use super::merge::MergePlan;
use super::on_misfit::OnMisfit;
use super::pg_type::PgType;
use super::source::Table;

/// A whole transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferPlan {
    /// Schema in the target.
    pub schema: String,
    /// Zone of texts that name none.
    pub source_tz: String,
    /// Enum types, made before the tables.
    pub types: Vec<TypePlan>,
    /// Tables in source order.
    pub tables: Vec<TablePlan>,
    /// Parts of tables, those of the largest table first; where an order is wanted, by its levels.
    pub ranges: Vec<RangePlan>,
    /// What is done after the rows, in order of [`Phase`].
    pub finish: Vec<FinishStep>,
    /// Objects of the source that the target will not have.
    pub not_carried: Vec<NotCarried>,
    /// Columns that do not keep their declared type.
    pub widened: Vec<WidenedColumn>,
    /// Columns whose type a rule holds fast, with values that do not fit.
    pub unfit: Vec<UnfitColumn>,
    /// What else a reader of the report should know, a sentence each.
    pub notes: Vec<String>,
    /// Set when the tables are the target's own and only their rows are new (`--data-only`).
    #[serde(default)]
    pub fill: Option<FillPlan>,
}

impl TransferPlan {
    /// Returns how the rows of a table are merged; `None`: they are copied.
    #[must_use]
    pub fn merge_of(&self, table: usize) -> Option<&MergePlan> {
        let merges = self.fill.iter().flat_map(|fill| &fill.merges);
        merges.into_iter().find(|merge| merge.table == table)
    }
}

/// What filling tables that are there already needs beyond the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillPlan {
    /// What is run in the transaction that begins the run: nothing is taken away before its
    /// definition is written down.
    pub before: Vec<String>,
    /// The objects that these statements take away or switch off.
    pub journal: Vec<JournalEntry>,
    /// `search_path` for what runs code of the target: its triggers, checks and index expressions.
    pub search_path: String,
    /// Sequences that must end up beyond the values of a column.
    pub sequences: Vec<SequencePlan>,
    /// The order that foreign keys want which stay.
    #[serde(default)]
    pub order: LoadOrder,
    /// Tables that have rows, to which those of the source come.
    #[serde(default)]
    pub merges: Vec<MergePlan>,
}

/// In which order tables are filled. They are given by their positions in `TransferPlan::tables`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadOrder {
    /// Level of each table: all ranges of a level are committed before the first of the next begins.
    /// Empty: all are at level 0.
    pub levels: Vec<u32>,
    /// Tables whose ranges go into one transaction, with what is deferrable deferred: those that refer
    /// to each other, in the order in which they are copied, or one that refers to itself.
    pub together: Vec<Vec<usize>>,
}

impl LoadOrder {
    /// Returns the level of a table.
    #[must_use]
    pub fn level(&self, table: usize) -> u32 {
        self.levels.get(table).copied().unwrap_or(0)
    }
}

/// A sequence and the column that it makes values for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencePlan {
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// Column in the target.
    pub column: String,
    /// Schema of the sequence.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// A column that keeps its type though some values do not fit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfitColumn {
    /// Table in the source.
    pub table: String,
    /// Column in the source.
    pub column: String,
    /// Type in the target.
    pub pg_type: PgType,
    /// File and line of the rule.
    pub rule: String,
    /// The values.
    pub unfit: Unfit,
}

/// A column that was widened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WidenedColumn {
    /// Table in the source.
    pub table: String,
    /// Column in the source.
    pub column: String,
    /// Declared type as written.
    pub declared: String,
    /// Type in the target.
    pub becomes: PgType,
    /// Why.
    pub widening: Widening,
}

/// An enum type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypePlan {
    /// Name in the target schema.
    pub name: String,
    /// CREATE TYPE, complete.
    pub create: String,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlan {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// The name that reaches the rowid in the source; `None`: read in one statement.
    pub rowid_name: Option<String>,
    /// Columns in source order.
    pub columns: Vec<ColumnPlan>,
    /// CREATE TABLE, complete.
    pub create: String,
    /// The same without what is optional, for a server that refuses it; `None`: nothing is optional.
    #[serde(default)]
    pub bare: Option<String>,
    /// What is added to the bare table then, each by itself.
    #[serde(default)]
    pub optional: Vec<OptionalClause>,
    /// Rows that the source has.
    pub rows: u64,
    /// About how many bytes of COPY they make.
    pub copy_bytes: u64,
}

impl TablePlan {
    /// Returns whether the run makes the table; with `--data-only` most are there.
    #[must_use]
    pub fn is_made(&self) -> bool {
        !self.create.is_empty()
    }
}

/// A part of CREATE TABLE that rows do not need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionalClause {
    /// What it is, such as `default`.
    pub object: String,
    /// Column in the source.
    pub name: String,
    /// The statement that adds it.
    pub sql: String,
    /// How the source says it; shown when the target refuses.
    pub source_text: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnPlan {
    /// Name in the source.
    pub source: String,
    /// False for a generated column that SQLite cannot compute here: it is read as NULL.
    pub readable: bool,
    /// Name in the target.
    pub target: String,
    /// Type in the target.
    pub pg_type: PgType,
    /// Conversion.
    pub convert: Convert,
    /// Labels of an enum that its case alone does not give.
    pub labels: LabelTable,
    /// What becomes of a value that does not fit.
    pub on_misfit: OnMisfit,
    /// What the target's own column demands beyond its type.
    #[serde(default)]
    pub demands: Demands,
}

impl ColumnPlan {
    /// Returns the name to read, if the column can be read.
    #[must_use]
    pub fn read_as(&self) -> Option<&str> {
        self.readable.then_some(self.source.as_str())
    }
}

/// Returns the position of the column that has the rowid of its row, as it is: by it the rows of a range are found
/// in the target.
#[must_use]
pub fn rowid_column(columns: &[ColumnPlan], source: &Table) -> Option<usize> {
    let alias = &source.columns.get(source.rowid_alias?)?.name;
    let is_it = |column: &ColumnPlan| {
        column.source == *alias
            && column.readable
            && column.convert == Convert::Plain
            && column.pg_type.is_integer()
    };
    columns.iter().position(is_it)
}

/// A part of a table that is copied in one transaction together with its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangePlan {
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// Number within the table, from 0.
    pub number: u32,
    /// Which rows.
    pub span: Span,
    /// How many rows the scan found there.
    pub rows: u64,
    /// About how many bytes of COPY they make.
    pub copy_bytes: u64,
}

/// When a finishing step runs: all of one phase before the first of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Columns that become GENERATED.
    Generated,
    /// PRIMARY KEY and UNIQUE.
    Keys,
    /// Other indexes.
    Indexes,
    /// CHECK ... NOT VALID.
    Checks,
    /// FOREIGN KEY ... NOT VALID.
    ForeignKeys,
    /// VALIDATE CONSTRAINT.
    Validate,
    /// Triggers as they were; only where the tables are the target's own.
    Triggers,
    /// `setval`.
    Sequences,
    /// CREATE VIEW.
    Views,
    /// COMMENT ON, where it was asked for.
    Comments,
    /// ANALYZE.
    Analyze,
}

/// One statement after the rows are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishStep {
    /// When.
    pub phase: Phase,
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// What it makes, such as `primary key`, `unique constraint`, `index`, `foreign key`.
    pub object: String,
    /// Name of that object in the target.
    pub name: String,
    /// The statement.
    pub sql: String,
    /// How the source says it; shown when the target refuses.
    pub source_text: String,
    /// Returns the number of rows that break a foreign key or CHECK and an array of the first keys, as text
    /// ([`Phase::Validate`]), or in which PostgreSQL computes another value than SQLite did
    /// ([`Phase::Generated`]); gives the oid of what was made ([`Phase::Views`]).
    pub orphans_sql: Option<String>,
}

/// An object, or a part of one, that the target will not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// What it is, such as `view`, `trigger`, `check`, `partial index`, `default`.
    pub object: String,
    /// Table that it belongs to, if any.
    pub table: Option<String>,
    /// Its name, or the column's for a default or a generated column.
    pub name: String,
    /// Why, a sentence without the full stop.
    pub reason: String,
    /// The source text.
    pub source_text: String,
}
