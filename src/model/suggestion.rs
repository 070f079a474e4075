//! A type that would serve a column better than the one that it gets.

use serde::{Deserialize, Serialize};

use super::pg_type::PgType;

/// A rule that the user may want. Every value of the column fits it; it is not applied unasked,
/// because what a value means cannot be seen from its form alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Table in the source.
    pub table: String,
    /// Column in the source.
    pub column: String,
    /// Type that it would have.
    pub pg_type: PgType,
    /// Type that it gets without the rule.
    pub instead_of: PgType,
    /// The rule, as a line of a type map.
    pub rule: String,
    /// Why, with counts.
    pub reason: String,
}
