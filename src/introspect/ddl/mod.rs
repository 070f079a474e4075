//! CREATE texts, parsed: what the PRAGMAs leave out.
//!
//! Purpose: the only module that knows the parser crate. It turns the text of a stored CREATE
//! statement into plain values: declared types with their sizes, CHECKs, expressions of generated
//! columns and of indexes, names of constraints, DEFERRABLE, partial WHERE, module arguments. Pure.
//!
//! Expressions come back as the parser prints them: the same tokens, spaces and comments normalised,
//! names with the quotes that they were written with. Names of objects come back without quotes.
//!
//! Known gaps: the parser crate may panic, which is caught and becomes an `Err`, but Rust's panic
//! message still goes to stderr. Comments are lost. A `CONSTRAINT name` with nothing after it is
//! dropped, as SQLite does.

pub mod conflicts;
mod expression;
mod query;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::model::expression::Parsed;
use crate::model::query::Select;
use crate::model::source::CheckSays;
use sqlite3_parser::ast::{
    Cmd, ColumnConstraint, ColumnDefinition, CreateTableBody, DeferSubclause, Expr,
    ForeignKeyClause, Id, IndexedColumn, InitDeferredPred, Literal, Name, Operator, SortedColumn,
    Stmt, TableConstraint, Type, TypeSize,
};
use sqlite3_parser::lexer::sql::Parser;
use sqlite3_parser::{Bump, FallibleIterator};

/// What a CREATE TABLE text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableText {
    /// Columns in order.
    pub columns: Vec<ColumnText>,
    /// PRIMARY KEY.
    pub primary_key: Option<KeyText>,
    /// AUTOINCREMENT.
    pub autoincrement: bool,
    /// UNIQUE constraints, in order.
    pub uniques: Vec<KeyText>,
    /// Foreign keys, in order.
    pub foreign_keys: Vec<ForeignKeyText>,
    /// CHECK constraints, in order.
    pub checks: Vec<CheckText>,
}

/// What the text says of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnText {
    /// Name.
    pub name: String,
    /// Declared type with its sizes, words separated by one space: `VARCHAR(80)`, `DECIMAL(10,2)`.
    pub declared: String,
    /// The default is an identifier, which SQLite takes as a string: `DEFAULT word`, `DEFAULT "w"`.
    pub default_is_word: bool,
    /// Expression of GENERATED ALWAYS AS, as text and as tree.
    pub generated: Option<(String, Parsed)>,
}

/// A PRIMARY KEY or UNIQUE constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyText {
    /// Name after CONSTRAINT.
    pub name: Option<String>,
    /// Names of its columns.
    pub columns: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignKeyText {
    /// Name after CONSTRAINT.
    pub name: Option<String>,
    /// Names of the child columns.
    pub columns: Vec<String>,
    /// Name of the parent table.
    pub parent: String,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub initially_deferred: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckText {
    /// Name after CONSTRAINT.
    pub name: Option<String>,
    /// Position of the column that it stands beside.
    pub column: Option<usize>,
    /// The expression.
    pub expression: String,
    /// The same as a tree.
    pub tree: Option<Parsed>,
    /// What it says, when it is of a form that tells a type: the column's name and its values.
    pub says: Option<(String, CheckSays)>,
}

/// What a CREATE INDEX text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexText {
    /// The terms, without COLLATE, ASC and DESC.
    pub terms: Vec<String>,
    /// The same as trees.
    pub trees: Vec<Parsed>,
    /// The WHERE expression, as text and as tree.
    pub predicate: Option<(String, Parsed)>,
}

/// What a CREATE VIEW text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewText {
    /// Names of its columns, where they are given.
    pub columns: Vec<String>,
    /// Its query, or why the tree cannot hold it.
    pub query: Result<Select, String>,
}

/// What a CREATE VIRTUAL TABLE text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VirtualTableText {
    /// Module after USING.
    pub module: String,
    /// Arguments of the module, trimmed.
    pub arguments: Vec<String>,
}

/// Why a text could not be parsed.
pub type Unparsable = String;

/// Parses a CREATE TABLE text.
///
/// # Errors
/// The parser's message.
pub fn table(sql: &str) -> Result<TableText, Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateTable {
            body: CreateTableBody::ColumnsAndConstraints { columns, constraints, .. },
            ..
        } => {
            let mut table = TableText::default();
            for column in columns {
                take_column(&mut table, column);
            }
            for constraint in constraints.iter().copied().flatten() {
                let name = constraint.name.as_ref().map(name_of);
                take_table_constraint(&mut table, name, &constraint.constraint);
            }
            Ok(table)
        }
        _ => Err("it is not a CREATE TABLE with columns".to_owned()),
    })
}

/// Parses a CREATE INDEX text.
///
/// # Errors
/// The parser's message.
pub fn index(sql: &str) -> Result<IndexText, Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateIndex { columns, where_clause, .. } => Ok(IndexText {
            terms: columns.iter().map(|term| without_collation(&term.expr).to_string()).collect(),
            trees: (columns.iter())
                .map(|term| expression::read(without_collation(&term.expr)))
                .collect(),
            predicate: where_clause.as_ref().map(|of| (of.to_string(), expression::read(of))),
        }),
        _ => Err("it is not a CREATE INDEX".to_owned()),
    })
}

/// Parses a CREATE VIRTUAL TABLE text.
///
/// # Errors
/// The parser's message.
pub fn virtual_table(sql: &str) -> Result<VirtualTableText, Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateVirtualTable { module_name, args, .. } => Ok(VirtualTableText {
            module: name_of(module_name),
            arguments: args.iter().copied().flatten().map(|text| text.trim().to_owned()).collect(),
        }),
        _ => Err("it is not a CREATE VIRTUAL TABLE".to_owned()),
    })
}

/// Parses a CREATE VIEW text.
///
/// # Errors
/// The parser's message.
pub fn view(sql: &str) -> Result<ViewText, Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateView { select, columns, .. } => {
            let query = query::select(select, query::Nested(0)).and_then(|mut select| {
                query::order_limits(&mut select, sql)?;
                Ok(select)
            });
            let columns = columns.iter().copied().flatten().map(indexed_column).collect();
            Ok(ViewText { columns, query })
        }
        _ => Err("it is not a CREATE VIEW".to_owned()),
    })
}

/// Checks that a CREATE TRIGGER text can be parsed.
///
/// # Errors
/// The parser's message.
pub fn trigger(sql: &str) -> Result<(), Unparsable> {
    parsed(sql, |statement| match statement {
        Stmt::CreateTrigger { .. } => Ok(()),
        _ => Err("it is not a CREATE TRIGGER".to_owned()),
    })
}

/// Parses an expression that stands alone, such as a DEFAULT.
///
/// # Errors
/// The parser's message, or what of it the tree cannot hold.
pub fn expression(text: &str) -> Parsed {
    // In parentheses after DEFAULT, which takes an expression and no query around it.
    let statement = format!("CREATE TABLE t (c DEFAULT (\n{text}\n))");
    parsed(&statement, |statement| {
        let none = || Err("it is no expression".to_owned());
        let Stmt::CreateTable { body, .. } = statement else { return none() };
        let CreateTableBody::ColumnsAndConstraints { columns, constraints: None, .. } = body else {
            return none();
        };
        let [column] = &columns[..] else { return none() };
        match column.constraints {
            [only] => match &only.constraint {
                ColumnConstraint::Default(of) => expression::read(of),
                _ => none(),
            },
            _ => none(),
        }
    })
}

/// Removes the quotes of a name or string: `"a""b"`, `[a b]`, `` `a` ``, `'a'`.
#[must_use]
pub fn unquoted(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next_back()) {
        (Some('['), Some(']')) => chars.as_str().to_owned(),
        (Some(quote @ ('"' | '`' | '\'')), Some(last)) if quote == last => {
            chars.as_str().replace(&format!("{quote}{quote}"), &quote.to_string())
        }
        _ => text.to_owned(),
    }
}

/// Parses one statement and hands it to `read`. The parser's tree lives in an arena that is gone
/// afterwards, and the parser may panic: neither leaves this function.
fn parsed<T>(
    sql: &str,
    read: impl FnOnce(&Stmt<'_>) -> Result<T, Unparsable>,
) -> Result<T, Unparsable> {
    catch_unwind(AssertUnwindSafe(|| {
        let arena = Bump::new();
        let mut parser = Parser::new(&arena, sql.as_bytes());
        match parser.next() {
            Ok(Some(Cmd::Stmt(statement))) => read(&statement),
            Ok(_) => Err("it holds no statement".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }))
    .unwrap_or_else(|_| Err("the parser failed".to_owned()))
}

fn take_column(table: &mut TableText, definition: &ColumnDefinition<'_>) {
    let mut column = ColumnText {
        name: name_of(&definition.col_name),
        declared: definition.col_type.as_ref().map(declared_type).unwrap_or_default(),
        ..ColumnText::default()
    };
    let position = table.columns.len();
    for constraint in definition.constraints {
        let name = constraint.name.as_ref().map(name_of);
        let own_key = || KeyText { name: name.clone(), columns: vec![column.name.clone()] };
        match &constraint.constraint {
            ColumnConstraint::PrimaryKey { auto_increment, .. } => {
                table.autoincrement |= auto_increment;
                table.primary_key = Some(own_key());
            }
            ColumnConstraint::Unique(_) => table.uniques.push(own_key()),
            ColumnConstraint::Check(expression) => {
                table.checks.push(check(name, Some(position), expression));
            }
            ColumnConstraint::ForeignKey { clause, defer_clause } => {
                let columns = vec![column.name.clone()];
                table.foreign_keys.push(foreign_key(name, columns, clause, defer_clause.as_ref()));
            }
            // SQLite gives it to the foreign key declared last, even after other constraints.
            ColumnConstraint::Defer(clause) => {
                if let Some(foreign_key) = table.foreign_keys.last_mut() {
                    (foreign_key.deferrable, foreign_key.initially_deferred) = deferral(clause);
                }
            }
            ColumnConstraint::Default(value) => column.default_is_word = is_word(value),
            ColumnConstraint::Generated { expr, .. } => {
                column.generated = Some((expr.to_string(), expression::read(expr)));
            }
            ColumnConstraint::NotNull { .. } | ColumnConstraint::Collate { .. } => {}
        }
    }
    table.columns.push(column);
}

fn take_table_constraint(
    table: &mut TableText,
    name: Option<String>,
    constraint: &TableConstraint<'_>,
) {
    match constraint {
        TableConstraint::PrimaryKey { columns, auto_increment, .. } => {
            table.autoincrement |= auto_increment;
            table.primary_key = Some(KeyText { name, columns: key_columns(columns) });
        }
        TableConstraint::Unique { columns, .. } => {
            table.uniques.push(KeyText { name, columns: key_columns(columns) });
        }
        TableConstraint::Check(expression, _) => {
            table.checks.push(check(name, None, expression));
        }
        TableConstraint::ForeignKey { columns, clause, defer_clause } => {
            let columns = columns.iter().map(indexed_column).collect();
            table.foreign_keys.push(foreign_key(name, columns, clause, defer_clause.as_ref()));
        }
    }
}

fn check(name: Option<String>, column: Option<usize>, expression: &Expr<'_>) -> CheckText {
    CheckText {
        name,
        column,
        expression: expression.to_string(),
        tree: Some(expression::read(expression)),
        says: says(expression),
    }
}

/// Reads `column IN (literal, ...)`, `json_valid(column)`, and either of them `OR column IS NULL`.
fn says(expression: &Expr<'_>) -> Option<(String, CheckSays)> {
    match expression {
        Expr::Parenthesized(inner) if inner.len() == 1 => says(&inner[0]),
        Expr::Binary(left, Operator::Or, right) => {
            let (told, other) = match says(left) {
                Some(told) => (told, right),
                None => (says(right)?, left),
            };
            is_null_test(other, &told.0).then_some(told)
        }
        Expr::InList { lhs, not: false, rhs: Some(values) } => {
            let column = named_column(lhs)?;
            let texts: Option<Vec<String>> = values.iter().map(text_literal).collect();
            let says = match texts {
                Some(texts) => CheckSays::OneOfTexts(texts),
                None => {
                    let numbers: Option<Vec<i64>> = values.iter().map(Expr::is_integer).collect();
                    CheckSays::OneOfIntegers(numbers?)
                }
            };
            Some((column, says))
        }
        Expr::FunctionCall { name, args: Some([argument]), .. }
            if name.0.eq_ignore_ascii_case("json_valid") =>
        {
            Some((named_column(argument)?, CheckSays::JsonValid))
        }
        _ => None,
    }
}

fn named_column(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Id(Id(text)) | Expr::Name(Name(text)) => Some(unquoted(text)),
        Expr::Parenthesized(inner) if inner.len() == 1 => named_column(&inner[0]),
        _ => None,
    }
}

fn text_literal(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Literal(Literal::String(text)) => Some(unquoted(text)),
        _ => None,
    }
}

fn is_null_test(expression: &Expr<'_>, column: &str) -> bool {
    match expression {
        Expr::Parenthesized(inner) if inner.len() == 1 => is_null_test(&inner[0], column),
        Expr::IsNull(tested) => {
            named_column(tested).is_some_and(|name| name.eq_ignore_ascii_case(column))
        }
        Expr::Binary(tested, Operator::Is, null) => {
            matches!(**null, Expr::Literal(Literal::Null))
                && named_column(tested).is_some_and(|name| name.eq_ignore_ascii_case(column))
        }
        _ => false,
    }
}

fn foreign_key(
    name: Option<String>,
    columns: Vec<String>,
    clause: &ForeignKeyClause<'_>,
    defer_clause: Option<&DeferSubclause>,
) -> ForeignKeyText {
    let (deferrable, initially_deferred) = defer_clause.map(deferral).unwrap_or_default();
    let parent = name_of(&clause.tbl_name);
    ForeignKeyText { name, columns, parent, deferrable, initially_deferred }
}

/// NOT DEFERRABLE INITIALLY DEFERRED is accepted by SQLite, and not deferred.
fn deferral(clause: &DeferSubclause) -> (bool, bool) {
    let deferred = clause.init_deferred == Some(InitDeferredPred::InitiallyDeferred);
    (clause.deferrable, clause.deferrable && deferred)
}

fn key_columns(columns: &[SortedColumn<'_>]) -> Vec<String> {
    columns.iter().map(|column| column_name(without_collation(&column.expr))).collect()
}

/// The name of a key column; SQLite takes a string there for a name.
fn column_name(expression: &Expr<'_>) -> String {
    match expression {
        Expr::Id(Id(text)) | Expr::Name(Name(text)) | Expr::Literal(Literal::String(text)) => {
            unquoted(text)
        }
        Expr::Parenthesized(inner) if inner.len() == 1 => column_name(without_collation(&inner[0])),
        other => other.to_string(),
    }
}

fn without_collation<'e, 'b>(expression: &'e Expr<'b>) -> &'e Expr<'b> {
    match expression {
        Expr::Collate(inner, _) => without_collation(inner),
        other => other,
    }
}

fn indexed_column(column: &IndexedColumn<'_>) -> String {
    name_of(&column.col_name)
}

fn name_of(name: &Name<'_>) -> String {
    unquoted(name.0)
}

/// An identifier, but for the two words that SQLite reads as values.
fn is_word(default: &Expr<'_>) -> bool {
    let (Expr::Id(Id(text)) | Expr::Name(Name(text))) = default else { return false };
    !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false")
}

fn declared_type(declared: &Type<'_>) -> String {
    let name = unquoted_words(declared.name);
    let compact = |size: &Expr<'_>| size.to_string().replace(' ', "");
    let name = name.trim_end();
    match &declared.size {
        None => name.to_owned(),
        Some(TypeSize::MaxSize(size)) => format!("{name}({})", compact(size)),
        Some(TypeSize::TypeSize(precision, scale)) => {
            format!("{name}({},{})", compact(precision), compact(scale))
        }
    }
}

/// Removes the quotes of each word of a type name: `"varchar"`, `[my type]`, `'long' "text"`.
fn unquoted_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '[' => ']',
            '"' | '`' | '\'' => first,
            _ => {
                words.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        let length = quoted_length(rest, close);
        words.push_str(&unquoted(&rest[..length]));
        rest = &rest[length..];
    }
    words
}

/// Bytes of the quoted word that `text` begins with; a doubled quote does not end it.
fn quoted_length(text: &str, close: char) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if char::from(bytes[at]) != close {
            at += 1;
        } else if close != ']' && bytes.get(at + 1).copied().map(char::from) == Some(close) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
