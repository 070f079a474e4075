//! SQL expressions of the source, as a tree of our own.
//!
//! Purpose: `introspect` makes it from SQLite's grammar, `map::expr` reads it. Names stand as they
//! were written, without their quotes; nothing is resolved yet. What the tree cannot hold never
//! becomes one: the maker says why instead, and the reason goes to the report.
//!
//! Known gaps: RAISE, parameters, window functions, WITHIN GROUP and table-valued functions after IN
//! are not held.

use serde::{Deserialize, Serialize};

use super::query::{Select, SortTerm};

/// A tree, or why there is none (a phrase without full stop).
pub type Parsed = Result<Expr, String>;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr {
    /// A constant.
    Literal(Literal),
    /// A name: a column, or a string where no column has that name and it stood in double quotes.
    Name(ColumnName),
    /// An operator before its operand.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between its operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// IS NULL; negated: IS NOT NULL.
    IsNull {
        /// What is tested.
        of: Box<Expr>,
        /// NOT.
        negated: bool,
    },
    /// BETWEEN.
    Between {
        /// What is tested.
        of: Box<Expr>,
        /// Lower bound.
        low: Box<Expr>,
        /// Upper bound.
        high: Box<Expr>,
        /// NOT.
        negated: bool,
    },
    /// IN with a list.
    InList {
        /// What is looked for.
        of: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// NOT.
        negated: bool,
    },
    /// IN with a query.
    InSelect {
        /// What is looked for.
        of: Box<Expr>,
        /// Where.
        query: Box<Select>,
        /// NOT.
        negated: bool,
    },
    /// LIKE, GLOB, REGEXP or MATCH.
    Like {
        /// Which.
        op: LikeOp,
        /// Text.
        of: Box<Expr>,
        /// Pattern.
        pattern: Box<Expr>,
        /// ESCAPE.
        escape: Option<Box<Expr>>,
        /// NOT.
        negated: bool,
    },
    /// CASE.
    Case {
        /// What is compared with each WHEN.
        base: Option<Box<Expr>>,
        /// WHEN and THEN.
        arms: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// CAST.
    Cast(Box<Expr>, String),
    /// COLLATE.
    Collate(Box<Expr>, String),
    /// A function.
    Call(Call),
    /// A row value: two expressions or more.
    Row(Vec<Expr>),
    /// A query that gives one value.
    Query(Box<Select>),
    /// EXISTS.
    Exists(Box<Select>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// NULL.
    Null,
    /// A number as written, such as `0x1F`, `1e3` or `1_000`.
    Number(String),
    /// Text, without quotes.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// CURRENT_DATE.
    CurrentDate,
    /// CURRENT_TIME.
    CurrentTime,
    /// CURRENT_TIMESTAMP.
    CurrentTimestamp,
}

/// A name where an expression stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnName {
    /// Table or alias before the dot.
    pub table: Option<String>,
    /// The name.
    pub name: String,
    /// It stood in double quotes: a string, if there is no such column.
    pub may_be_text: bool,
    /// It stood without any quotes: TRUE or FALSE, if there is no such column.
    pub is_bare: bool,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnaryOp {
    /// `-`
    Negative,
    /// `+`
    Positive,
    /// NOT
    Not,
    /// `~`
    BitNot,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinaryOp {
    /// AND
    And,
    /// OR
    Or,
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// IS
    Is,
    /// IS NOT
    IsNot,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `||`
    Concat,
    /// `->`
    Arrow,
    /// `->>`
    ArrowText,
}

/// Operators that match a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LikeOp {
    /// LIKE
    Like,
    /// GLOB
    Glob,
    /// REGEXP
    Regexp,
    /// MATCH
    Match,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Name in lower case.
    pub name: String,
    /// Arguments; `None` for `f(*)`.
    pub args: Option<Vec<Expr>>,
    /// DISTINCT.
    pub distinct: bool,
    /// ORDER BY among the arguments of an aggregate.
    pub order_by: Vec<SortTerm>,
    /// FILTER (WHERE ...).
    pub filter: Option<Box<Expr>>,
}

impl Expr {
    /// Returns whether a name stands anywhere in the expression, queries left out.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::Name(known) => known.name.eq_ignore_ascii_case(name),
            other => other.children().iter().any(|child| child.names(name)),
        }
    }

    /// Returns the expressions directly below, queries left out.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Query(_) | Self::Exists(_) => Vec::new(),
            Self::Unary(_, of)
            | Self::IsNull { of, .. }
            | Self::Cast(of, _)
            | Self::Collate(of, _)
            | Self::InSelect { of, .. } => vec![of],
            Self::Binary(_, left, right) => vec![left, right],
            Self::Between { of, low, high, .. } => vec![of, low, high],
            Self::InList { of, list, .. } => std::iter::once(&**of).chain(list).collect(),
            Self::Like { of, pattern, escape, .. } => [Some(of), Some(pattern), escape.as_ref()]
                .into_iter()
                .flatten()
                .map(|e| &**e)
                .collect(),
            Self::Case { base, arms, otherwise } => base
                .iter()
                .chain(otherwise)
                .map(|e| &**e)
                .chain(arms.iter().flat_map(|(when, then)| [when, then]))
                .collect(),
            Self::Call(call) => call
                .args
                .iter()
                .flatten()
                .chain(call.order_by.iter().map(|term| &term.of))
                .chain(call.filter.as_deref())
                .collect(),
            Self::Row(items) => items.iter().collect(),
        }
    }
}
