//! Queries of the source, as a tree of our own: the bodies of views, and subqueries.
//!
//! Known gaps: window clauses and `INDEXED BY` (which says nothing of the result) are not held;
//! NATURAL is held, but nobody translates it yet.

use serde::{Deserialize, Serialize};

use super::expression::Expr;

/// A whole query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Select {
    /// WITH.
    pub with: Vec<CommonTable>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// The first SELECT or VALUES.
    pub first: Core,
    /// Those after UNION and its kin, in order: SQLite takes all from left to right.
    pub compounds: Vec<(CompoundOp, Core)>,
    /// ORDER BY.
    pub order_by: Vec<SortTerm>,
    /// LIMIT.
    pub limit: Option<Expr>,
    /// OFFSET.
    pub offset: Option<Expr>,
}

/// One table of WITH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommonTable {
    /// Name.
    pub name: String,
    /// Names of its columns, where they are given.
    pub columns: Vec<String>,
    /// Its query.
    pub query: Select,
}

/// SELECT or VALUES.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Core {
    /// SELECT.
    Select(Box<SelectCore>),
    /// VALUES.
    Values(Vec<Vec<Expr>>),
}

/// SELECT without what may stand behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectCore {
    /// DISTINCT.
    pub distinct: bool,
    /// What is selected.
    pub columns: Vec<ResultColumn>,
    /// FROM.
    pub from: Option<From>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Vec<Expr>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultColumn {
    /// An expression, and its name after AS.
    Expr(Expr, Option<String>),
    /// `*`
    Star,
    /// `t.*`
    TableStar(String),
}

/// FROM: a table and what is joined to it, from left to right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// The first one.
    pub first: FromItem,
    /// The others.
    pub joins: Vec<Join>,
}

/// A table in FROM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromItem {
    /// What it is.
    pub source: FromSource,
    /// Its alias.
    pub alias: Option<String>,
}

/// What stands in FROM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSource {
    /// A table, a view, or a table of WITH.
    Table(String),
    /// A query.
    Query(Box<Select>),
    /// Tables joined in parentheses.
    Joined(Box<From>),
    /// A function that gives rows, such as `json_each`.
    Call(String, Vec<Expr>),
}

/// A table that is joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// How.
    pub kind: JoinKind,
    /// NATURAL.
    pub natural: bool,
    /// What.
    pub item: FromItem,
    /// ON.
    pub on: Option<Expr>,
    /// USING.
    pub using: Vec<String>,
}

/// How a table is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinKind {
    /// Comma, CROSS JOIN, JOIN, INNER JOIN.
    Inner,
    /// LEFT JOIN.
    Left,
    /// RIGHT JOIN.
    Right,
    /// FULL JOIN.
    Full,
}

/// UNION and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompoundOp {
    /// UNION
    Union,
    /// UNION ALL
    UnionAll,
    /// EXCEPT
    Except,
    /// INTERSECT
    Intersect,
}

/// A term of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortTerm {
    /// By what.
    pub of: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST or LAST, where it is said.
    pub nulls_first: Option<bool>,
}
