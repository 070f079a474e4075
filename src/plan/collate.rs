//! How a key or an index compares a column, and the term that makes PostgreSQL compare so.
//!
//! Purpose: SQLite's NOCASE folds the 26 ASCII letters and nothing else, RTRIM ignores spaces at the
//! end. PostgreSQL has no such collation, but a unique index over an expression says the same:
//! `lower(c COLLATE "C")` folds the same 26 letters whatever the locale and its provider
//! (`tests/schema/collations.rs` compares all characters), and `rtrim(c, ' ')` the same spaces.
//!
//! Known gaps: queries compare byte by byte; a collation of the application cannot be had.

use crate::model::ident::quoted;
use crate::model::pg_type::PgType;

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// As the column's own type does: byte by byte for text.
    Own,
    /// Without the case of ASCII letters.
    NoCase,
    /// Without spaces at the end.
    NoTrailingSpaces,
    /// In a way that PostgreSQL cannot be told.
    Unknown,
}

impl Compare {
    /// Says how a collation of the source compares a column of a type of the target.
    #[must_use]
    pub fn of(pg_type: PgType, collation: &str) -> Self {
        if collation.is_empty() || collation.eq_ignore_ascii_case("BINARY") {
            return Self::Own;
        }
        match pg_type {
            // SQLite's collations are for text alone, and an uuid has no case.
            PgType::Boolean
            | PgType::SmallInt
            | PgType::Integer
            | PgType::BigInt
            | PgType::Double
            | PgType::Numeric(_)
            | PgType::Date
            | PgType::Time
            | PgType::Timestamp
            | PgType::TimestampTz
            | PgType::Uuid => Self::Own,
            textual if !textual.is_textual() => Self::Unknown,
            _ if collation.eq_ignore_ascii_case("NOCASE") => Self::NoCase,
            _ if collation.eq_ignore_ascii_case("RTRIM") => Self::NoTrailingSpaces,
            _ => Self::Unknown,
        }
    }

    /// Returns true when an expression has to stand for the column.
    #[must_use]
    pub const fn folds(self) -> bool {
        matches!(self, Self::NoCase | Self::NoTrailingSpaces)
    }

    /// Prints the term of an index over a column.
    #[must_use]
    pub fn term(self, column: &str, descending: bool) -> String {
        let column = quoted(column);
        let term = match self {
            Self::Own | Self::Unknown => column,
            Self::NoCase => format!("lower({column} COLLATE \"C\")"),
            Self::NoTrailingSpaces => format!("rtrim({column}, ' ')"),
        };
        if descending { term + " DESC" } else { term }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collations_become_terms() {
        let term = |collation: &str| Compare::of(PgType::Text, collation).term("a\"b", true);
        assert_eq!(term("binary"), "\"a\"\"b\" DESC");
        assert_eq!(term("NoCase"), "lower(\"a\"\"b\" COLLATE \"C\") DESC");
        assert_eq!(term("RTRIM"), "rtrim(\"a\"\"b\", ' ') DESC");
        assert_eq!(Compare::of(PgType::Text, "german"), Compare::Unknown);
        assert_eq!(Compare::of(PgType::BigInt, "NOCASE"), Compare::Own);
        assert_eq!(Compare::of(PgType::Bytea, "NOCASE"), Compare::Unknown);
    }
}
