//! Which table and column of the source goes into which of the target.

use std::collections::BTreeMap;

/// Tables of the source with their counterparts, by positions in the source's schema and in the
/// target's catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// Tables that have one, in source order.
    pub tables: Vec<MatchedTable>,
    /// Tables that have none, by position in the source's schema.
    pub missing: Vec<usize>,
}

/// A table with its counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedTable {
    /// Position in `SourceSchema::tables`.
    pub source: usize,
    /// Position in `Catalogue::tables`.
    pub target: usize,
    /// What becomes of each column, in source order.
    pub columns: Vec<ColumnFate>,
}

/// What becomes of a column of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFate {
    /// It goes into the column at this position of the target's table.
    Into(usize),
    /// The user leaves it out.
    Skipped,
    /// The target computes the column itself.
    Generated,
    /// Several columns of the target could be it.
    Unclear,
    /// The target has no such column.
    Missing,
}

/// Names that the user gave with `--rename`, by the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    /// Tables: source to target.
    pub tables: BTreeMap<String, String>,
    /// Columns: table and column of the source to the column of the target.
    pub columns: BTreeMap<(String, String), String>,
}

/// Why the target cannot be filled as it is, and what the user can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A sentence.
    pub text: String,
    /// What helps, a sentence.
    pub hint: Option<String>,
}

impl Refusal {
    /// Makes one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// Adds what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
