//! SQL expressions of SQLite as expressions of PostgreSQL that give the same values.
//!
//! Purpose: [`Translator`] walks the tree of an expression with the types that its columns have on
//! both sides, and prints new text; the source's text never gets through. For every part it knows the
//! storage class and affinity that SQLite has and the type that PostgreSQL has (`value`), so that
//! comparisons, arithmetic and functions can be written to mean the same. What has no rule is refused
//! with a reason: a guess could be silently wrong.
//!
//! Known gaps: where SQLite leaves the range of a type the server reports an error: an integer sum
//! beyond 64 bits (SQLite goes on with a real), a real sum beyond 1.8e308 (infinite in SQLite), CAST
//! of a real beyond 64 bits. Sums and averages of reals may differ in the last digit, for SQLite
//! compensates rounding errors and PostgreSQL does not (a note says so).
//! The text of subnormal reals (under 2.3e-308) has other digits. Dates are those of the years
//! 0000-9999. Text is that of SQLite 3.51 and later: earlier ones print 15 digits of a real.

mod aggregate;
mod arithmetic;
mod cast;
mod compare;
mod from;
mod function;
mod json;
mod moment;
mod operators;
mod pattern;
mod printf;
mod query;
mod scope;
mod select;
mod text;
mod value;

#[cfg(test)]
mod tests;

use crate::model::expression::Expr;
use crate::model::pg_type::PgType;
use crate::model::source::Affinity;

pub use query::{View, view};
pub use scope::Relation;

use value::{Class, Collation, Sql, Value};

/// Longest text that is made of one expression: some rules need an operand several times.
const SQL_BYTES_MAX: usize = 16 << 10;

/// What an expression must be able to do in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anything: a DEFAULT, a view.
    Anything,
    /// The same value for the same row for ever: a CHECK may be more, but should not.
    Immutable,
}

/// A translated expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// PostgreSQL's text.
    pub sql: String,
    /// What the values are in SQLite, such as `an integer`.
    pub kind: &'static str,
    /// What a reader of the report should know, a sentence each.
    pub notes: Vec<String>,
}

/// Walks one expression. `Err` is a reason, a phrase without full stop.
pub struct Translator<'a> {
    /// Where names are looked for, the innermost first.
    scopes: Vec<Vec<Relation>>,
    need: Need,
    /// The source keeps its text in UTF-8, so that its bytes sort as PostgreSQL's do.
    is_utf8: bool,
    notes: Vec<String>,
    /// Relations that FROM can name.
    relations: &'a [Relation],
    /// Tables of WITH, the innermost last.
    common: Vec<Relation>,
    /// Names that SELECT gives to its results, per scope.
    aliases: Vec<Vec<(String, Expr)>>,
    /// Why the last part is not immutable.
    stable: Option<&'static str>,
    /// Inside the arguments of an aggregate, or outside of where one may stand.
    aggregates: aggregate::Aggregates,
}

impl<'a> Translator<'a> {
    /// Makes a translator of expressions over one table. `encoding` is the source's.
    #[must_use]
    pub fn over(table: &Relation, need: Need, encoding: &str) -> Self {
        Self {
            scopes: vec![vec![table.clone()]],
            need,
            is_utf8: encoding.is_empty() || encoding.eq_ignore_ascii_case("UTF-8"),
            notes: Vec::new(),
            relations: &[],
            common: Vec::new(),
            aliases: vec![Vec::new()],
            stable: None,
            aggregates: aggregate::Aggregates::default(),
        }
    }

    /// Makes a translator of expressions that see no column, such as defaults.
    #[must_use]
    pub fn alone(encoding: &str) -> Self {
        Self::over(&Relation::empty(), Need::Anything, encoding)
    }

    /// Translates a condition: a CHECK, the WHERE of an index.
    ///
    /// # Errors
    /// Why it is not translated.
    pub fn condition(mut self, expr: &Expr) -> Result<Translated, String> {
        let value = self.value(expr)?;
        let sql = self.truth(&value)?;
        self.done(sql, Class::Bool)
    }

    /// Translates a value that is not stored: a term of an index.
    ///
    /// # Errors
    /// Why it is not translated.
    pub fn term(mut self, expr: &Expr) -> Result<Translated, String> {
        let value = self.value(expr)?;
        let sql = self.output(&value)?;
        self.done(sql, value.class)
    }

    /// The same, compared by a collation: a term of an index.
    ///
    /// # Errors
    /// Why it is not translated.
    pub fn folded_term(mut self, expr: &Expr, collation: &str) -> Result<Translated, String> {
        let value = self.value(expr)?;
        let sql = self.keyed(&value, collation)?;
        self.done(sql, value.class)
    }

    /// A column as a term of an index, compared by a collation.
    ///
    /// # Errors
    /// Why PostgreSQL cannot compare so.
    pub fn indexed(mut self, column: usize, collation: &str) -> Result<String, String> {
        let relation = self.scopes.first().and_then(|scope| scope.first());
        let value = relation.ok_or("there is no table")?.read_opaque(column);
        let sql = if value.class == Class::Text {
            self.keyed(&value, collation)?
        } else {
            value.sql.clone()
        };
        let is_column = sql == value.sql;
        let sql = self.done(sql, value.class)?.sql;
        Ok(if is_column { sql } else { format!("({sql})") })
    }

    /// What an index compares: the text as a collation sees it.
    fn keyed(&mut self, value: &Value, collation: &str) -> Result<Sql, String> {
        let collation = Collation::named(collation)
            .ok_or_else(|| format!("only its application knows collation {collation}"))?;
        if value.class == Class::Text && collation != Collation::Binary {
            return Ok(compare::folded(value, collation));
        }
        self.output(value)
    }

    /// Translates what a column of the source is computed from, or defaults to, for its type in the
    /// target.
    ///
    /// # Errors
    /// Why it is not translated.
    pub fn stored(
        mut self,
        expr: &Expr,
        affinity: Affinity,
        pg_type: PgType,
    ) -> Result<Translated, String> {
        let value = self.value(expr)?;
        let sql = self.fitted(&value, affinity, pg_type)?;
        self.done(sql, value.class)
    }

    fn done(self, sql: Sql, class: Class) -> Result<Translated, String> {
        if self.need == Need::Immutable
            && let Some(reason) = self.stable
        {
            return Err(format!("PostgreSQL needs an expression that is immutable, and {reason}"));
        }
        check_length(&sql)?;
        Ok(Translated { sql: sql.text, kind: class.shown(), notes: self.notes })
    }

    /// Tells the reader of the report something, once.
    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    /// Notes that the text is not immutable.
    fn stable(&mut self, reason: &'static str) {
        self.stable.get_or_insert(reason);
    }

    /// What the column of a view or a term of an index shows.
    fn output(&mut self, value: &Value) -> Result<Sql, String> {
        match value.class {
            Class::JsonItem => Ok(json::item_text(&value.sql)),
            Class::Null => Ok(Sql::tight("NULL::text")),
            Class::Text if value.constant.is_some() => Ok(value.sql.cast("text")),
            _ => Ok(value.sql.clone()),
        }
    }
}

fn check_length(sql: &Sql) -> Result<(), String> {
    if sql.text.len() > SQL_BYTES_MAX {
        return Err("its translation is too long".into());
    }
    Ok(())
}
