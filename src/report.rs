//! What litelift tells when it is done: the documents of `--json`, and what the terminal's tables
//! are drawn from.
//!
//! Purpose: one struct per command, with a `version` that is raised when a field changes its meaning
//! or goes; new fields may come at any time, and readers must ignore those that they do not know.

use serde::Serialize;

use crate::error::Error;
use crate::model::catalogue::JournalEntry;
use crate::model::decision::{RuleRef, Unfit, Widening};
use crate::model::evidence::Example;
use crate::model::follow_up::FollowUp;
pub use crate::model::merge::Merged;
use crate::model::pg_type::PgType;
use crate::model::plan::NotCarried;
pub use crate::model::plan::{UnfitColumn, WidenedColumn};
pub use crate::model::suggestion::Suggestion;

/// Version of all documents of this module.
pub const REPORT_VERSION: u32 = 1;

/// A source file in a report.
#[derive(Debug, Clone, Serialize)]
pub struct SourceSummary {
    /// Path as the user gave it.
    pub path: String,
    /// Size of the file with its -wal, in bytes.
    pub bytes: u64,
    /// Tables with rows to carry, after `--only` and `--skip`.
    pub tables: usize,
    /// Rows in them.
    pub rows: u64,
    /// Text encoding of the file.
    pub encoding: String,
    /// Set when the file could not be read in place: how it was read instead.
    pub read_as: Option<String>,
}

/// The document of `inspect` and of `transfer --dry-run`.
#[derive(Debug, Clone, Serialize)]
pub struct InspectReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The file.
    pub source: SourceSummary,
    /// The target; only with `inspect --to`.
    pub target: Option<InspectTarget>,
    /// Tables in source order.
    pub tables: Vec<InspectTable>,
    /// Rules that the user may want, in source order, at most one per column.
    pub suggestions: Vec<Suggestion>,
    /// Objects that the target would not have.
    pub not_carried: Vec<NotCarried>,
    /// Names that had to change, a sentence each.
    pub renamed: Vec<String>,
    /// What else a reader should know, a sentence each; only with `--data-only`.
    pub notes: Vec<String>,
    /// User rules that decided nothing.
    pub unused_rules: Vec<RuleRef>,
    /// What is odd in the source's own schema, a sentence each.
    pub remarks: Vec<String>,
    /// Number of columns that need attention.
    pub attention: usize,
    /// The statements that a transfer would run; only with `--dry-run`.
    pub ddl: Option<DdlReport>,
    /// Why a transfer would write nothing; only with `--dry-run`.
    pub would_refuse: Option<WouldRefuse>,
    /// What is left to do by hand: the objects that are not carried over, with proposals. Not in the
    /// document; `--follow-ups` writes them.
    #[serde(skip)]
    pub follow_ups: Vec<FollowUp>,
}

/// The error that a transfer would end with before it writes anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WouldRefuse {
    /// What is wrong.
    pub message: String,
    /// What was found.
    pub detail: Option<String>,
    /// What helps.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit_code: u8,
}

impl WouldRefuse {
    /// Returns what stands in the way and what helps, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let detail = self.detail.iter().flat_map(|detail| detail.lines());
        let told = std::iter::once(self.message.as_str()).chain(detail).map(str::to_owned);
        told.chain(self.hints.iter().map(|hint| format!("Hint: {hint}"))).collect()
    }
}

impl From<&Error> for WouldRefuse {
    fn from(error: &Error) -> Self {
        Self {
            message: error.message().to_owned(),
            detail: error.full_detail(),
            hints: error.hints().to_vec(),
            exit_code: error.kind().exit_code(),
        }
    }
}

/// What `schema` found.
#[derive(Debug, Clone)]
pub struct SchemaReport {
    /// The file.
    pub source: SourceSummary,
    /// Statements in the order in which they run, without semicolons.
    pub statements: Vec<String>,
    /// What is left to do by hand.
    pub follow_ups: Vec<FollowUp>,
}

impl InspectReport {
    /// Returns the number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.tables.iter().map(|table| table.columns.len()).sum()
    }

    /// Returns whether a type of the target stands beside any column: with `--data-only` it does only where it
    /// is not the one that the column becomes.
    #[must_use]
    pub fn has_target_types(&self) -> bool {
        let mut columns = self.tables.iter().flat_map(|table| &table.columns);
        columns.any(|column| column.target_type.is_some())
    }

    /// Returns the columns that a user should look at, each with its table.
    #[must_use]
    pub fn needing_attention(&self) -> Vec<(&InspectTable, &InspectColumn)> {
        let all = self
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
        all.filter(|(_, column)| column.needs_attention()).collect()
    }

    /// Returns the suggestion for a column.
    #[must_use]
    pub fn suggestion(&self, table: &str, column: &str) -> Option<&Suggestion> {
        let is_for = |known: &&Suggestion| known.table == table && known.column == column;
        self.suggestions.iter().find(is_for)
    }
}

/// The target of an inspection.
#[derive(Debug, Clone, Serialize)]
pub struct InspectTarget {
    /// Host, port, database, user: never the password.
    pub shown: String,
    /// Version of the server, such as `15.18`.
    pub version: String,
    /// Schema in the target.
    pub schema: String,
    /// False when there is no such schema yet.
    pub schema_exists: bool,
    /// Tables of the source that have one of their name there.
    pub tables: usize,
    /// Columns whose type there is not what they would become.
    pub differing: usize,
}

/// The statements of a transfer.
#[derive(Debug, Clone, Serialize)]
pub struct DdlReport {
    /// Before the rows.
    pub before: Vec<String>,
    /// After the rows.
    pub after: Vec<String>,
}

impl DdlReport {
    /// Returns the number of statements.
    #[must_use]
    pub fn count(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

/// One table of an [`InspectReport`].
#[derive(Debug, Clone, Serialize)]
pub struct InspectTable {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// `table`, `without rowid`, or `virtual (fts5)`.
    pub kind: String,
    /// Rows.
    pub rows: u64,
    /// Columns in source order.
    pub columns: Vec<InspectColumn>,
}

/// One column of an [`InspectReport`].
#[derive(Debug, Clone, Serialize)]
pub struct InspectColumn {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// Declared type as written; empty when there is none.
    pub declared: String,
    /// What its values are, most frequent first, NULL last.
    pub found: Vec<Found>,
    /// Type in the target.
    pub becomes: PgType,
    /// Conversion.
    pub convert: String,
    /// NOT NULL in the target.
    pub not_null: bool,
    /// Type of the column of the same name in the target; `None` when there is none, or without
    /// `--to`.
    pub target_type: Option<String>,
    /// The rule that decided.
    pub rule: RuleRef,
    /// True when that rule stands in a type map that the user gave.
    pub rule_is_users: bool,
    /// Set when the rule's type was too narrow for some values.
    pub widened: Option<Widening>,
    /// Set when the rule holds the type fast though some values do not fit it.
    pub unfit: Option<Unfit>,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
}

impl InspectColumn {
    /// Returns true when the target has the column with another type than it would become.
    #[must_use]
    pub fn differs_from_target(&self) -> bool {
        self.target_type.as_ref().is_some_and(|there| *there != self.becomes.to_string())
    }

    /// Returns true when a user should look at the column before the transfer.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.widened.is_some() || !self.notes.is_empty()
    }
}

/// How many values of one kind a column holds.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// Kind in words, such as `integer` or `ISO timestamp`.
    pub kind: String,
    /// Values.
    pub count: u64,
    /// The first one; none for NULL.
    pub example: Option<Example>,
}

/// How a transfer ended, when it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All was done in this run.
    Transferred,
    /// An earlier run had begun; this one did the rest.
    Continued,
    /// An earlier run had done everything; nothing was touched.
    AlreadyDone,
    /// Rejected rows were sent again.
    RejectsSent,
}

/// The document of `transfer` and `rehearse`.
#[derive(Debug, Clone, Serialize)]
pub struct TransferReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The file.
    pub source: SourceSummary,
    /// Host, port, database, user: never the password.
    pub target: String,
    /// Version of the server, such as `15.18`.
    pub target_version: String,
    /// Schema in the target.
    pub schema: String,
    /// Id of the run in `litelift.run`.
    pub run: i64,
    /// When an earlier command finished it, as the server prints it.
    pub finished_at: Option<String>,
    /// Tables in source order.
    pub tables: Vec<TableReport>,
    /// Stages in order.
    pub steps: Vec<StepReport>,
    /// Columns that did not keep their declared type.
    pub widened: Vec<WidenedColumn>,
    /// Columns with a note, a sentence each, and names that had to change.
    pub notes: Vec<String>,
    /// Tables with rows that were left out, because a value does not fit.
    pub rejected: Vec<RejectedRows>,
    /// Rejected rows that were sent now; only with `--only-rejects`.
    pub resent: Option<u64>,
    /// Columns whose type a rule holds fast, with values that do not fit.
    pub unfit: Vec<UnfitColumn>,
    /// Objects that the target does not have, by design of this version.
    pub not_carried: Vec<NotCarried>,
    /// Objects that PostgreSQL refused.
    pub refused: Vec<Refused>,
    /// Foreign keys with rows that have no parent: kept, NOT VALID.
    pub orphans: Vec<Orphans>,
    /// With `--data-only`: objects of the target that are not as they were before.
    pub not_as_before: Vec<NotAsBefore>,
    /// The check at the end; `None` with `--no-verify`.
    pub verify: Option<VerifyReport>,
    /// What is left to do by hand: objects that were not carried over or were refused, and foreign
    /// keys with orphans, with proposals. Not in the document; `--follow-ups` writes them.
    #[serde(skip)]
    pub follow_ups: Vec<FollowUp>,
}

impl TransferReport {
    /// Returns the number of rows in all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Returns the number of rows that were left out.
    #[must_use]
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.iter().map(|table| table.rows).sum()
    }

    /// Returns true when every schema object arrived as it was.
    #[must_use]
    pub fn all_objects_carried(&self) -> bool {
        self.not_carried.is_empty() && self.refused.is_empty() && self.orphans.is_empty()
    }
}

/// Rows of a table that were left out.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedRows {
    /// Name in the source.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// The file that holds them; `None` when this command wrote none.
    pub file: Option<String>,
}

/// One table of a [`TransferReport`].
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// Rows that arrived, earlier runs included.
    pub rows: u64,
    /// Rows that were left out and not sent since.
    pub rejected: u64,
    /// Rows that had arrived before this run.
    pub rows_before: u64,
    /// Set when the table had rows that stayed: what became of those that came.
    pub merged: Option<MergedRows>,
    /// Bytes of COPY that were sent, earlier runs included.
    pub copy_bytes: u64,
    /// Seconds from the first to the last byte of the table in this run.
    pub copy_s: f64,
    /// Number of indexes, keys included.
    pub indexes: usize,
    /// Number of foreign keys.
    pub foreign_keys: usize,
    /// Next value of the identity column, if there is one.
    pub identity_next: Option<i64>,
    /// Seconds of work on keys and indexes.
    pub finish_s: f64,
}

/// Rows that came to a table which had some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MergedRows {
    /// Rows that the target had when the run began.
    pub target_before: u64,
    /// What became of the source's, those that were rejected aside.
    #[serde(flatten)]
    pub merged: Merged,
}

/// One stage of a [`TransferReport`].
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Name: `inspect`, `plan`, `copy`, `keys and indexes`, `foreign keys`, `sequences`,
    /// `analyze`, `verify`.
    pub name: String,
    /// Seconds on the clock.
    pub wall_s: f64,
    /// Seconds of work over all jobs.
    pub work_s: f64,
    /// Jobs at once.
    pub jobs: usize,
}

/// An object that PostgreSQL refused to make.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// What it is.
    pub object: String,
    /// Table in the target; empty for a view.
    pub table: String,
    /// Name in the target.
    pub name: String,
    /// The statement that was refused.
    pub statement: String,
    /// The server's message, with its detail.
    pub message: String,
    /// How the source says it.
    pub source_text: String,
}

/// An object of the target that is not as it was before its tables were filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAsBefore {
    /// `foreign key`, `index`, `trigger` or `sequence`.
    pub object: String,
    /// Table in the target.
    pub table: String,
    /// Name in the target.
    pub name: String,
    /// How the server printed it before.
    pub before: String,
    /// How it prints it now; `None`: it is not there.
    pub now: Option<String>,
    /// Why, where it is known.
    pub reason: Option<String>,
}

/// The document of `restore-constraints`.
#[derive(Debug, Clone, Serialize)]
pub struct RestoreReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Host, port, database, user: never the password.
    pub target: String,
    /// Objects that are as they were, some of them because they never changed.
    pub restored: Vec<JournalEntry>,
    /// Objects that are not.
    pub not_as_before: Vec<NotAsBefore>,
}

/// A foreign key whose data break it.
#[derive(Debug, Clone, Serialize)]
pub struct Orphans {
    /// Child table in the target.
    pub table: String,
    /// Constraint in the target.
    pub constraint: String,
    /// Rows without a parent.
    pub rows: u64,
    /// The first keys that have none, as text.
    pub keys: Vec<String>,
}

/// How deep a comparison goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VerifyLevel {
    /// Row counts.
    Counts,
    /// Sums of hashes of all values, computed on both sides.
    Hashes,
    /// Every value, read back.
    Full,
}

/// The document of `verify`.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// How deep the comparison went.
    pub level: VerifyLevel,
    /// Tables in source order.
    pub tables: Vec<VerifiedTable>,
    /// Sequences that would give out a value that a row has already.
    pub sequences_behind: Vec<SequenceBehind>,
    /// What was not compared, and why that is no difference.
    pub not_compared: Vec<NotCompared>,
    /// Values that are not in the target as they are in the source, because a rule says so.
    pub explained: Vec<Explained>,
    /// Columns, indexes and constraints of the target that are not as they must be.
    pub unsound: Vec<Unsound>,
    /// The first rows that differ.
    pub differences: Vec<RowDifference>,
    /// Tables that were made the same (`--repair`), before the comparison that this document tells of.
    pub repaired: Vec<SyncedTable>,
    /// Seconds on the clock.
    pub wall_s: f64,
}

/// A column that is not there, an index that is not valid, a constraint that was never validated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsound {
    /// Table in the target.
    pub table: String,
    /// `column`, `index`, `foreign key` or `check`.
    pub object: String,
    /// Its name.
    pub name: String,
    /// What is the matter, without the full stop.
    pub how: String,
    /// Whether it counts as a difference. A key that stays NOT VALID over rows that the source has so too does not.
    pub is_difference: bool,
}

/// A conversion that changes values, so that what is there is right without being the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Table in the source.
    pub table: String,
    /// Column in the source.
    pub column: String,
    /// What becomes of its values.
    pub how: String,
    /// How many values of the source that changes; `None`: they were not looked at this time.
    pub values: Option<u64>,
}

/// The document of `sync`.
#[derive(Debug, Clone, Serialize)]
pub struct SyncReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Path of the source.
    pub source: String,
    /// Host, port, database, user: never the password.
    pub target: String,
    /// Id of the transfer's run.
    pub run: i64,
    /// True when nothing was written, only looked.
    pub dry_run: bool,
    /// Tables that had changes.
    pub tables: Vec<SyncedTable>,
    /// How many tables were looked at.
    pub tables_looked_at: usize,
    /// Tables that were left out, and why.
    pub left_out: Vec<NotCompared>,
    /// Foreign keys that the rows break: they stay NOT VALID.
    pub orphans: Vec<String>,
    /// Whether the source was written since its state that was brought over.
    pub written_since: bool,
    /// Seconds that looking at the source took: the next time takes about as long, and what there is to bring.
    pub look_s: f64,
    /// Seconds on the clock.
    pub wall_s: f64,
}

impl SyncReport {
    /// Returns the number of rows that were changed, or would be.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.inserted + table.updated + table.deleted).sum()
    }
}

/// One table of a [`SyncReport`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncedTable {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// Rows that came.
    pub inserted: u64,
    /// Rows with other values.
    pub updated: u64,
    /// Rows that went.
    pub deleted: u64,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    /// The source has it, the target does not.
    Missing,
    /// The target has it, the source does not.
    Extra,
    /// Both have it, with other values.
    Different,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowDifference {
    /// Table in the source.
    pub table: String,
    /// What is wrong.
    pub fault: RowFault,
    /// What the row is known by: columns of the source, and their values on the side that has the row.
    pub key: Vec<KeyValue>,
    /// Rowid in the source, where the row has one.
    pub rowid: Option<i64>,
    /// Columns with other values; of a row that one side lacks, all of them.
    pub columns: Vec<ColumnDifference>,
}

/// A part of a row's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyValue {
    /// Column in the source.
    pub column: String,
    /// Value, as the side prints it that has the row.
    pub value: String,
}

/// A column with other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDifference {
    /// Column in the source.
    pub column: String,
    /// Column in the target.
    pub target_column: String,
    /// The source's value as SQLite writes it, cut at 80 characters; `None`: the source has no such row.
    pub source: Option<String>,
    /// The target's as PostgreSQL prints it, cut at 80 characters; `None`: the target has no such row.
    pub target: Option<String>,
}

/// A sequence that the next insert would fail with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SequenceBehind {
    /// Its name, with the schema.
    pub sequence: String,
    /// Table in the target.
    pub table: String,
    /// Column that it makes values for.
    pub column: String,
    /// The value that it would give out.
    pub next: String,
}

/// Something that `verify` leaves out of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    /// What it is, such as `table` or `sequence`.
    pub object: String,
    /// Its name.
    pub name: String,
    /// Why, without the full stop.
    pub reason: String,
}

impl VerifyReport {
    /// Returns true when nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differing() == 0
            && self.sequences_behind.is_empty()
            && !self.unsound.iter().any(|one| one.is_difference)
    }

    /// Returns the number of rows that the transfer left out as bad rows.
    #[must_use]
    pub fn rejected_rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rejected).sum()
    }

    /// Returns the number of tables that differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.tables.iter().filter(|table| !table.equal()).count()
    }
}

/// One table of a [`VerifyReport`].
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedTable {
    /// Name in the source.
    pub source: String,
    /// Name in the target.
    pub target: String,
    /// Rows in the source.
    pub source_rows: u64,
    /// Rows in the target; `None`: there is no such table.
    pub target_rows: Option<u64>,
    /// Rows that the transfer left out as bad rows, so that the target must lack them.
    pub rejected: u64,
    /// Set when the target had rows before the transfer, and they stayed.
    pub merged: Option<MergedRows>,
    /// What came out where values were compared; `None`: its rows were counted.
    pub values: Option<ComparedValues>,
}

/// What the comparison of values came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ComparedValues {
    /// Values that were compared.
    pub compared: u64,
    /// Rows that only the source has.
    pub missing: u64,
    /// Rows that only the target has.
    pub extra: u64,
    /// Rows with other values.
    pub different: u64,
}

impl ComparedValues {
    /// Returns the number of rows that differ.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.missing + self.extra + self.different
    }
}

impl VerifiedTable {
    /// Returns true when both sides have the same number of rows, rejected ones aside; where the target
    /// had rows before: when these and the inserted ones are there, and it is known of each row of the
    /// source what became of it.
    #[must_use]
    pub fn equal(&self) -> bool {
        self.has_all_rows() && self.values.is_none_or(|values| values.differing() == 0)
    }

    fn has_all_rows(&self) -> bool {
        if let Some(MergedRows { target_before, merged }) = self.merged {
            return self.target_rows == target_before.checked_add(merged.inserted)
                && merged.rows().checked_add(self.rejected) == Some(self.source_rows);
        }
        self.target_rows.and_then(|rows| rows.checked_add(self.rejected)) == Some(self.source_rows)
    }

    /// Returns how many rows the target must have, were none rejected.
    #[must_use]
    pub fn wanted_rows(&self) -> u64 {
        match self.merged {
            None => self.source_rows,
            Some(MergedRows { target_before, merged }) => {
                target_before.saturating_add(merged.inserted)
            }
        }
    }
}
