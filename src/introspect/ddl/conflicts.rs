//! ON CONFLICT clauses of a CREATE TABLE text.
//!
//! Purpose: they say what an INSERT does that breaks the constraint. PostgreSQL says that in the INSERT
//! itself, so they are listed, and every program that relies on one has to be changed.
//!
//! Known gaps: the clause of a CHECK is left out, for SQLite reads and ignores all of them but ABORT's.

use sqlite3_parser::ast::{ColumnConstraint, CreateTableBody, ResolveType, Stmt, TableConstraint};

use super::{Unparsable, key_columns, name_of, parsed};

/// One clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictText {
    /// Name of the column or of the constraint, or its columns.
    pub name: String,
    /// The constraint with its clause, such as `UNIQUE ON CONFLICT REPLACE`.
    pub text: String,
}

/// Finds the clauses of a CREATE TABLE text. ABORT is what PostgreSQL does anyway.
///
/// # Errors
/// The parser's message.
pub fn conflicts(sql: &str) -> Result<Vec<ConflictText>, Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateTable {
            body: CreateTableBody::ColumnsAndConstraints { columns, constraints, .. },
            ..
        } => {
            let mut found = Vec::new();
            for column in columns.iter() {
                for constraint in column.constraints {
                    let clause = of_column(&constraint.constraint);
                    let name = name_of(&column.col_name);
                    found.extend(clause.map(|text| ConflictText { name, text }));
                }
            }
            for constraint in constraints.iter().copied().flatten() {
                let Some((columns, text)) = of_table(&constraint.constraint) else { continue };
                let name = constraint.name.as_ref().map_or(columns, name_of);
                found.push(ConflictText { name, text });
            }
            Ok(found)
        }
        _ => Err("it is not a CREATE TABLE with columns".to_owned()),
    })
}

fn of_column(constraint: &ColumnConstraint<'_>) -> Option<String> {
    let (kind, clause) = match constraint {
        ColumnConstraint::PrimaryKey { conflict_clause, .. } => ("PRIMARY KEY", conflict_clause),
        ColumnConstraint::NotNull { nullable: false, conflict_clause } => {
            ("NOT NULL", conflict_clause)
        }
        ColumnConstraint::Unique(conflict_clause) => ("UNIQUE", conflict_clause),
        _ => return None,
    };
    Some(format!("{kind} ON CONFLICT {}", word(clause.as_ref()?)?))
}

/// The columns of the constraint, and its text.
fn of_table(constraint: &TableConstraint<'_>) -> Option<(String, String)> {
    let (kind, columns, clause) = match constraint {
        TableConstraint::PrimaryKey { columns, conflict_clause, .. } => {
            ("PRIMARY KEY", columns, conflict_clause)
        }
        TableConstraint::Unique { columns, conflict_clause } => {
            ("UNIQUE", columns, conflict_clause)
        }
        TableConstraint::Check(..) | TableConstraint::ForeignKey { .. } => return None,
    };
    let word = word(clause.as_ref()?)?;
    let columns = key_columns(columns).join(", ");
    let text = format!("{kind} ({columns}) ON CONFLICT {word}");
    Some((columns, text))
}

const fn word(clause: &ResolveType) -> Option<&'static str> {
    match clause {
        ResolveType::Abort => None,
        ResolveType::Rollback => Some("ROLLBACK"),
        ResolveType::Fail => Some("FAIL"),
        ResolveType::Ignore => Some("IGNORE"),
        ResolveType::Replace => Some("REPLACE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_found_but_for_the_usual_one() {
        let found = conflicts(
            "CREATE TABLE t (a INT PRIMARY KEY ON CONFLICT REPLACE, b NOT NULL ON CONFLICT IGNORE
               UNIQUE ON CONFLICT ABORT, \"c\"\"c\" UNIQUE ON CONFLICT FAIL NULL CHECK (c > 1),
               CONSTRAINT u UNIQUE (a, [b]) ON CONFLICT ROLLBACK, UNIQUE (b, a) ON CONFLICT REPLACE)",
        );
        let shown: Vec<String> =
            found.unwrap().iter().map(|found| format!("{}: {}", found.name, found.text)).collect();
        assert_eq!(
            shown,
            [
                "a: PRIMARY KEY ON CONFLICT REPLACE",
                "b: NOT NULL ON CONFLICT IGNORE",
                "c\"c: UNIQUE ON CONFLICT FAIL",
                "u: UNIQUE (a, b) ON CONFLICT ROLLBACK",
                "b, a: UNIQUE (b, a) ON CONFLICT REPLACE",
            ]
        );
        assert!(conflicts("CREATE VIEW v AS SELECT 1").is_err());
    }
}
