//! The parser's expressions as our own tree.
//!
//! Known gaps: what [`crate::model::expression`] does not hold is refused with a reason.

use sqlite3_parser::ast::{
    Distinctness, Expr as Ast, FunctionCallOrder, FunctionTail, Id, LikeOperator,
    Literal as AstLiteral, Name, Operator, UnaryOperator,
};

use super::query::{self, Nested};
use super::{declared_type, unquoted};
use crate::model::expression::{
    BinaryOp, Call, ColumnName, Expr, LikeOp, Literal, Parsed, UnaryOp,
};
use crate::model::query::SortTerm;

/// Deepest nesting that is read: what is deeper is refused, for the sake of the stack of whoever
/// walks the tree. SQLite itself stops at 1,000.
const DEPTH_MAX: usize = 100;

/// Reads an expression that stands alone.
pub(super) fn read(expression: &Ast<'_>) -> Parsed {
    expr(expression, 0)
}

pub(super) fn expr(ast: &Ast<'_>, depth: usize) -> Parsed {
    if depth > DEPTH_MAX {
        return Err("it is nested too deeply".into());
    }
    let boxed = |inner: &Ast<'_>| expr(inner, depth + 1).map(Box::new);
    Ok(match ast {
        Ast::Literal(value) => Expr::Literal(literal(value)?),
        Ast::Id(Id(text)) | Ast::Name(Name(text)) => Expr::Name(name(None, text)),
        Ast::Qualified(table, column) | Ast::DoublyQualified(_, table, column) => {
            Expr::Name(name(Some(unquoted(table.0)), column.0))
        }
        Ast::Unary(op, of) => Expr::Unary(unary(*op), boxed(of)?),
        Ast::Binary(left, op, right) => Expr::Binary(binary(*op), boxed(left)?, boxed(right)?),
        Ast::IsNull(of) => Expr::IsNull { of: boxed(of)?, negated: false },
        Ast::NotNull(of) => Expr::IsNull { of: boxed(of)?, negated: true },
        Ast::Between { lhs, not, start, end } => {
            Expr::Between { of: boxed(lhs)?, low: boxed(start)?, high: boxed(end)?, negated: *not }
        }
        Ast::InList { lhs, not, rhs } => Expr::InList {
            of: boxed(lhs)?,
            list: exprs(rhs.unwrap_or_default(), depth)?,
            negated: *not,
        },
        Ast::InSelect { lhs, not, rhs } => Expr::InSelect {
            of: boxed(lhs)?,
            query: Box::new(query::select(rhs, Nested(depth + 1))?),
            negated: *not,
        },
        Ast::InTable { lhs, not, rhs, args: None } => Expr::InSelect {
            of: boxed(lhs)?,
            query: Box::new(query::whole_table(&unquoted(rhs.name.0))),
            negated: *not,
        },
        Ast::InTable { .. } => return Err("it looks into a function's rows".into()),
        Ast::Like { lhs, not, op, rhs, escape } => Expr::Like {
            op: like(*op),
            of: boxed(lhs)?,
            pattern: boxed(rhs)?,
            escape: escape.map(boxed).transpose()?,
            negated: *not,
        },
        Ast::Case { base, when_then_pairs, else_expr } => Expr::Case {
            base: base.map(boxed).transpose()?,
            arms: when_then_pairs
                .iter()
                .map(|(when, then)| Ok((expr(when, depth + 1)?, expr(then, depth + 1)?)))
                .collect::<Result<_, String>>()?,
            otherwise: else_expr.map(boxed).transpose()?,
        },
        Ast::Cast { expr: of, type_name } => {
            let declared = type_name.as_ref().map(declared_type).unwrap_or_default();
            Expr::Cast(boxed(of)?, declared)
        }
        Ast::Collate(of, collation) => Expr::Collate(boxed(of)?, unquoted(collation)),
        Ast::FunctionCall { name, distinctness, args, order_by, filter_over } => Expr::Call(Call {
            name: unquoted(name.0).to_ascii_lowercase(),
            args: Some(exprs(args.unwrap_or_default(), depth)?),
            distinct: matches!(distinctness, Some(Distinctness::Distinct)),
            order_by: ordered(order_by.as_ref(), depth)?,
            filter: filter(filter_over.as_ref(), depth)?,
        }),
        Ast::FunctionCallStar { name, filter_over } => Expr::Call(Call {
            name: unquoted(name.0).to_ascii_lowercase(),
            args: None,
            distinct: false,
            order_by: Vec::new(),
            filter: filter(filter_over.as_ref(), depth)?,
        }),
        Ast::Parenthesized(inner) if inner.len() == 1 => return expr(&inner[0], depth + 1),
        Ast::Parenthesized(inner) => Expr::Row(exprs(inner, depth)?),
        Ast::Subquery(select) => Expr::Query(Box::new(query::select(select, Nested(depth + 1))?)),
        Ast::Exists(select) => Expr::Exists(Box::new(query::select(select, Nested(depth + 1))?)),
        Ast::Raise(..) => return Err("RAISE belongs to triggers".into()),
        Ast::Variable(_) => return Err("it holds a parameter".into()),
    })
}

fn exprs(list: &[Ast<'_>], depth: usize) -> Result<Vec<Expr>, String> {
    list.iter().map(|item| expr(item, depth + 1)).collect()
}

fn ordered(order: Option<&FunctionCallOrder<'_>>, depth: usize) -> Result<Vec<SortTerm>, String> {
    match order {
        None => Ok(Vec::new()),
        Some(FunctionCallOrder::SortList(terms)) => query::sort_terms(terms, Nested(depth + 1)),
    }
}

fn filter(tail: Option<&FunctionTail<'_>>, depth: usize) -> Result<Option<Box<Expr>>, String> {
    let Some(tail) = tail else { return Ok(None) };
    if tail.over_clause.is_some() {
        return Err("window functions are not translated".into());
    }
    tail.filter_clause.map(|filter| expr(filter, depth + 1).map(Box::new)).transpose()
}

fn name(table: Option<String>, text: &str) -> ColumnName {
    ColumnName {
        may_be_text: table.is_none() && text.starts_with('"'),
        is_bare: table.is_none() && !text.starts_with(['"', '`', '[']),
        table,
        name: unquoted(text),
    }
}

fn literal(value: &AstLiteral<'_>) -> Result<Literal, String> {
    Ok(match value {
        AstLiteral::Null => Literal::Null,
        AstLiteral::Numeric(text) => Literal::Number((*text).to_owned()),
        AstLiteral::String(text) => Literal::Text(unquoted(text)),
        AstLiteral::Blob(text) => Literal::Blob(bytes(text)?),
        AstLiteral::CurrentDate => Literal::CurrentDate,
        AstLiteral::CurrentTime => Literal::CurrentTime,
        AstLiteral::CurrentTimestamp => Literal::CurrentTimestamp,
        AstLiteral::Keyword(word) => return Err(format!("{word} is no value")),
    })
}

/// Bytes of `x'00ff'`, with or without what stands around the digits.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.trim_start_matches(['x', 'X']).trim_matches('\'');
    let pairs = (0..digits.len()).step_by(2).map(|at| {
        let pair = digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        pair.ok_or_else(|| "a blob literal is malformed".to_owned())
    });
    pairs.collect()
}

const fn unary(op: UnaryOperator) -> UnaryOp {
    match op {
        UnaryOperator::BitwiseNot => UnaryOp::BitNot,
        UnaryOperator::Negative => UnaryOp::Negative,
        UnaryOperator::Not => UnaryOp::Not,
        UnaryOperator::Positive => UnaryOp::Positive,
    }
}

const fn binary(op: Operator) -> BinaryOp {
    match op {
        Operator::Add => BinaryOp::Add,
        Operator::And => BinaryOp::And,
        Operator::ArrowRight => BinaryOp::Arrow,
        Operator::ArrowRightShift => BinaryOp::ArrowText,
        Operator::BitwiseAnd => BinaryOp::BitAnd,
        Operator::BitwiseOr => BinaryOp::BitOr,
        Operator::Concat => BinaryOp::Concat,
        Operator::Equals => BinaryOp::Equal,
        Operator::Divide => BinaryOp::Divide,
        Operator::Greater => BinaryOp::Greater,
        Operator::GreaterEquals => BinaryOp::GreaterEqual,
        Operator::Is => BinaryOp::Is,
        Operator::IsNot => BinaryOp::IsNot,
        Operator::LeftShift => BinaryOp::ShiftLeft,
        Operator::Less => BinaryOp::Less,
        Operator::LessEquals => BinaryOp::LessEqual,
        Operator::Modulus => BinaryOp::Modulo,
        Operator::Multiply => BinaryOp::Multiply,
        Operator::NotEquals => BinaryOp::NotEqual,
        Operator::Or => BinaryOp::Or,
        Operator::RightShift => BinaryOp::ShiftRight,
        Operator::Subtract => BinaryOp::Subtract,
    }
}

const fn like(op: LikeOperator) -> LikeOp {
    match op {
        LikeOperator::Glob => LikeOp::Glob,
        LikeOperator::Like => LikeOp::Like,
        LikeOperator::Match => LikeOp::Match,
        LikeOperator::Regexp => LikeOp::Regexp,
    }
}
