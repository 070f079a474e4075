//! Keys that the target wants unique, as far as the source can tell.

/// A key to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueCheck {
    /// Table in the source.
    pub source: String,
    /// Table in the target.
    pub target: String,
    /// Name of the key's index in the target.
    pub key: String,
    /// How the target defines it.
    pub definition: String,
    /// Its columns, by their names in the source.
    pub columns: Vec<UniqueColumn>,
    /// Whether two NULLs are the same.
    pub nulls_are_equal: bool,
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueColumn {
    /// Name in the source.
    pub name: String,
    /// Whether 1 and 1.0 are two values in the target, as they are where its type is a text.
    pub is_by_class: bool,
}

/// Rows that share keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// Keys that more than one row has.
    pub keys: u64,
    /// Rows that have one of them.
    pub rows: u64,
    /// The first keys, as literals in parentheses.
    pub examples: Vec<String>,
}
