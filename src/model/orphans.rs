//! Rows without a parent, as far as the source can tell.

/// A foreign key that stays while rows come in, to look at before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanCheck {
    /// Name of the constraint.
    pub key: String,
    /// How the target defines it.
    pub definition: String,
    /// Table of the source that points.
    pub child: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Table of the source that is pointed to.
    pub parent: String,
    /// Its columns, in the order of `columns`.
    pub parent_columns: Vec<String>,
}

/// Rows without a parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// How many.
    pub rows: u64,
    /// The first keys, as literals in parentheses.
    pub examples: Vec<String>,
}

/// Says how many rows have no parent, without the full stop.
#[must_use]
pub fn told(rows: u64) -> String {
    if rows == 1 { "1 row has no parent".to_owned() } else { format!("{rows} rows have no parent") }
}
