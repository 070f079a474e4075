//! The parser's queries as our own tree.

use sqlite3_parser::ast::{
    As, CompoundOperator, Distinctness, FromClause, JoinConstraint, JoinOperator, JoinType,
    NullsOrder, OneSelect, ResultColumn as AstColumn, Select as Ast, SelectTable, SortOrder,
    SortedColumn,
};

use super::expression::expr;
use super::unquoted;
use crate::model::expression::Expr;
use crate::model::query::{
    CommonTable, CompoundOp, Core, From, FromItem, FromSource, Join, JoinKind, ResultColumn,
    Select, SelectCore, SortTerm,
};

/// How deep a query stands.
#[derive(Clone, Copy)]
pub(super) struct Nested(pub(super) usize);

/// Reads a query. The parser does not tell `LIMIT skip, count` from `LIMIT count OFFSET skip`:
/// [`order_limits`] does, from the text.
pub(super) fn select(ast: &Ast<'_>, at: Nested) -> Result<Select, String> {
    let Nested(depth) = at;
    let with = match &ast.with {
        None => Vec::new(),
        Some(with) => with
            .ctes
            .iter()
            .map(|table| {
                let columns = table.columns.unwrap_or_default();
                Ok(CommonTable {
                    name: unquoted(table.tbl_name.0),
                    columns: columns.iter().map(|column| unquoted(column.col_name.0)).collect(),
                    query: select(table.select, Nested(depth + 1))?,
                })
            })
            .collect::<Result<_, String>>()?,
    };
    let compounds = ast.body.compounds.iter().flatten();
    Ok(Select {
        with,
        recursive: ast.with.as_ref().is_some_and(|with| with.recursive),
        first: core(&ast.body.select, depth)?,
        compounds: compounds
            .map(|compound| Ok((compound_op(compound.operator), core(&compound.select, depth)?)))
            .collect::<Result<_, String>>()?,
        order_by: sort_terms(ast.order_by.unwrap_or_default(), at)?,
        limit: ast.limit.map(|limit| expr(&limit.expr, depth + 1)).transpose()?,
        offset: ast
            .limit
            .and_then(|limit| limit.offset.as_ref())
            .map(|offset| expr(offset, depth + 1))
            .transpose()?,
    })
}

/// `SELECT * FROM table`, which `IN table` means.
pub(super) fn whole_table(name: &str) -> Select {
    let source = FromSource::Table(name.to_owned());
    let core = SelectCore {
        distinct: false,
        columns: vec![ResultColumn::Star],
        from: Some(From { first: FromItem { source, alias: None }, joins: Vec::new() }),
        filter: None,
        group_by: Vec::new(),
        having: None,
    };
    Select {
        with: Vec::new(),
        recursive: false,
        first: Core::Select(Box::new(core)),
        compounds: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        offset: None,
    }
}

pub(super) fn sort_terms(terms: &[SortedColumn<'_>], at: Nested) -> Result<Vec<SortTerm>, String> {
    terms
        .iter()
        .map(|term| {
            Ok(SortTerm {
                of: expr(&term.expr, at.0 + 1)?,
                descending: matches!(term.order, Some(SortOrder::Desc)),
                nulls_first: term.nulls.map(|nulls| matches!(nulls, NullsOrder::First)),
            })
        })
        .collect()
}

fn core(ast: &OneSelect<'_>, depth: usize) -> Result<Core, String> {
    let one = |ast| expr(ast, depth + 1);
    match ast {
        OneSelect::Values(rows) => Ok(Core::Values(
            rows.iter().map(|row| row.iter().map(one).collect()).collect::<Result<_, String>>()?,
        )),
        OneSelect::Select { window_clause: Some(_), .. } => {
            Err("window functions are not translated".into())
        }
        OneSelect::Select {
            distinctness, columns, from, where_clause, group_by, having, ..
        } => Ok(Core::Select(Box::new(SelectCore {
            distinct: matches!(distinctness, Some(Distinctness::Distinct)),
            columns: columns
                .iter()
                .map(|column| result_column(column, depth))
                .collect::<Result<_, String>>()?,
            from: from.as_ref().map(|from| from_clause(from, depth)).transpose()?,
            filter: where_clause.map(one).transpose()?,
            group_by: group_by
                .unwrap_or_default()
                .iter()
                .map(one)
                .collect::<Result<_, String>>()?,
            having: having.map(one).transpose()?,
        }))),
    }
}

fn result_column(ast: &AstColumn<'_>, depth: usize) -> Result<ResultColumn, String> {
    Ok(match ast {
        AstColumn::Expr(of, alias) => {
            ResultColumn::Expr(expr(of, depth + 1)?, alias.as_ref().map(alias_name))
        }
        AstColumn::Star => ResultColumn::Star,
        AstColumn::TableStar(name) => ResultColumn::TableStar(unquoted(name.0)),
    })
}

fn alias_name(alias: &As<'_>) -> String {
    let (As::As(name) | As::Elided(name)) = alias;
    unquoted(name.0)
}

fn from_clause(ast: &FromClause<'_>, depth: usize) -> Result<From, String> {
    let first = ast.select.ok_or("FROM is empty")?;
    let joins = ast.joins.iter().flatten().map(|joined| {
        let (kind, natural) = join_kind(joined.operator);
        let (mut on, mut using) = (None, Vec::new());
        match &joined.constraint {
            None => {}
            Some(JoinConstraint::On(condition)) => on = Some(expr(condition, depth + 1)?),
            Some(JoinConstraint::Using(names)) => {
                using = names.iter().map(|name| unquoted(name.0)).collect();
            }
        }
        Ok(Join { kind, natural, item: from_item(&joined.table, depth)?, on, using })
    });
    Ok(From { first: from_item(first, depth)?, joins: joins.collect::<Result<_, String>>()? })
}

fn from_item(ast: &SelectTable<'_>, depth: usize) -> Result<FromItem, String> {
    Ok(match ast {
        SelectTable::Table(name, alias, _) => FromItem {
            source: FromSource::Table(unquoted(name.name.0)),
            alias: alias.as_ref().map(alias_name),
        },
        SelectTable::TableCall(name, args, alias) => {
            let args = args.unwrap_or_default().iter().map(|arg| expr(arg, depth + 1));
            FromItem {
                source: FromSource::Call(
                    unquoted(name.name.0).to_ascii_lowercase(),
                    args.collect::<Result<_, String>>()?,
                ),
                alias: alias.as_ref().map(alias_name),
            }
        }
        SelectTable::Select(query, alias) => FromItem {
            source: FromSource::Query(Box::new(select(query, Nested(depth + 1))?)),
            alias: alias.as_ref().map(alias_name),
        },
        SelectTable::Sub(from, alias) => FromItem {
            source: FromSource::Joined(Box::new(from_clause(from, depth + 1)?)),
            alias: alias.as_ref().map(alias_name),
        },
    })
}

fn join_kind(operator: JoinOperator) -> (JoinKind, bool) {
    let JoinOperator::TypedJoin(Some(kind)) = operator else { return (JoinKind::Inner, false) };
    let has = |part| kind.contains(part);
    let joined = match (has(JoinType::LEFT), has(JoinType::RIGHT)) {
        (true, true) => JoinKind::Full,
        (true, false) => JoinKind::Left,
        (false, true) => JoinKind::Right,
        (false, false) => JoinKind::Inner,
    };
    (joined, has(JoinType::NATURAL))
}

const fn compound_op(op: CompoundOperator) -> CompoundOp {
    match op {
        CompoundOperator::Union => CompoundOp::Union,
        CompoundOperator::UnionAll => CompoundOp::UnionAll,
        CompoundOperator::Except => CompoundOp::Except,
        CompoundOperator::Intersect => CompoundOp::Intersect,
    }
}

/// Puts the two numbers of each LIMIT in their places, or says that the text does not tell them.
///
/// In `LIMIT 5, 10` the first number is the offset, in `LIMIT 10 OFFSET 5` the second one is, and
/// the parser's tree is the same. Where no word OFFSET stands in the text all are of the first form;
/// where there are as many as there are LIMITs with two numbers, all are of the second.
pub(super) fn order_limits(query: &mut Select, text: &str) -> Result<(), String> {
    let mut both = 0;
    each_select(query, &mut |select| both += usize::from(select.offset.is_some()));
    if both == 0 {
        return Ok(());
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let words = text.split(|c| !is_word(c));
    let offsets = words.filter(|word| word.eq_ignore_ascii_case("offset")).count();
    if offsets == 0 {
        each_select(query, &mut |select| {
            if select.offset.is_some() {
                std::mem::swap(&mut select.limit, &mut select.offset);
            }
        });
        return Ok(());
    }
    if offsets == both {
        Ok(())
    } else {
        Err("it is not clear which number of LIMIT is the offset".into())
    }
}

/// Calls `each` for the query and every query below it.
fn each_select(query: &mut Select, each: &mut impl FnMut(&mut Select)) {
    each(query);
    for table in &mut query.with {
        each_select(&mut table.query, each);
    }
    for sort in &mut query.order_by {
        in_expr(&mut sort.of, each);
    }
    let cores =
        std::iter::once(&mut query.first).chain(query.compounds.iter_mut().map(|c| &mut c.1));
    for core in cores {
        match core {
            Core::Values(rows) => rows.iter_mut().flatten().for_each(|value| in_expr(value, each)),
            Core::Select(core) => {
                for column in &mut core.columns {
                    if let ResultColumn::Expr(of, _) = column {
                        in_expr(of, each);
                    }
                }
                if let Some(from) = &mut core.from {
                    in_from(from, each);
                }
                let rest = core.filter.iter_mut().chain(&mut core.group_by).chain(&mut core.having);
                rest.for_each(|of| in_expr(of, each));
            }
        }
    }
}

fn in_from(from: &mut From, each: &mut impl FnMut(&mut Select)) {
    let joined = from.joins.iter_mut().map(|join| (&mut join.item, join.on.as_mut()));
    for (item, on) in std::iter::once((&mut from.first, None)).chain(joined) {
        match &mut item.source {
            FromSource::Query(query) => each_select(query, each),
            FromSource::Joined(from) => in_from(from, each),
            FromSource::Call(_, args) => args.iter_mut().for_each(|arg| in_expr(arg, each)),
            FromSource::Table(_) => {}
        }
        if let Some(on) = on {
            in_expr(on, each);
        }
    }
}

fn in_expr(of: &mut Expr, each: &mut impl FnMut(&mut Select)) {
    match of {
        Expr::Query(query) | Expr::Exists(query) => each_select(query, each),
        Expr::InSelect { of, query, .. } => {
            in_expr(of, each);
            each_select(query, each);
        }
        Expr::Literal(_) | Expr::Name(_) => {}
        Expr::Unary(_, of) | Expr::IsNull { of, .. } | Expr::Cast(of, _) | Expr::Collate(of, _) => {
            in_expr(of, each);
        }
        Expr::Binary(_, left, right) => {
            in_expr(left, each);
            in_expr(right, each);
        }
        Expr::Between { of, low, high, .. } => {
            [of, low, high].into_iter().for_each(|of| in_expr(of, each));
        }
        Expr::InList { of, list, .. } => {
            in_expr(of, each);
            list.iter_mut().for_each(|of| in_expr(of, each));
        }
        Expr::Like { of, pattern, escape, .. } => {
            [Some(of), Some(pattern), escape.as_mut()]
                .into_iter()
                .flatten()
                .for_each(|of| in_expr(of, each));
        }
        Expr::Case { base, arms, otherwise } => {
            for (when, then) in arms {
                in_expr(when, each);
                in_expr(then, each);
            }
            base.iter_mut().chain(otherwise).for_each(|of| in_expr(of, each));
        }
        Expr::Call(call) => {
            call.args.iter_mut().flatten().for_each(|of| in_expr(of, each));
            call.order_by.iter_mut().for_each(|term| in_expr(&mut term.of, each));
            call.filter.iter_mut().for_each(|of| in_expr(of, each));
        }
        Expr::Row(items) => items.iter_mut().for_each(|of| in_expr(of, each)),
    }
}
