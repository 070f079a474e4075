//! One SELECT or VALUES: results, groups and what may stand beside aggregates, order.

use crate::model::expression::{ColumnName, Expr, Literal};
use crate::model::query::{Core, ResultColumn, SelectCore, SortTerm};

use super::Translator;
use super::aggregate::{Aggregates, sorts_plainly};
use super::compare::folded;
use super::query::{Part, direction, rowid_order};
use super::value::{Class, Sql, Value};

type Outcome = Result<Value, String>;

/// A term of GROUP BY.
struct Group {
    expr: Expr,
    sql: String,
    /// The column that it is, if it is one.
    column: Option<(usize, usize)>,
}

impl Translator<'_> {
    pub(super) fn core(&mut self, core: &Core, order: &[SortTerm]) -> Result<Part, String> {
        match core {
            Core::Values(rows) => self.values(rows, order),
            Core::Select(core) => {
                let (from, relations) = match &core.from {
                    None => (String::new(), Vec::new()),
                    Some(from) => {
                        let (sql, relations) = self.from(from)?;
                        (format!(" FROM {sql}"), relations)
                    }
                };
                let rowid_order = rowid_order(&relations);
                self.scopes.push(relations);
                let frame = Aggregates { order: rowid_order, ..Aggregates::default() };
                let outer = std::mem::replace(&mut self.aggregates, frame);
                let aliases = core.columns.iter().filter_map(|column| match column {
                    ResultColumn::Expr(of, Some(alias)) => Some((alias.clone(), of.clone())),
                    _ => None,
                });
                self.aliases.push(aliases.collect());
                let part = self.select_core(core, from, order);
                self.aliases.pop();
                self.aggregates = outer;
                self.scopes.pop();
                part
            }
        }
    }

    fn values(&mut self, rows: &[Vec<Expr>], order: &[SortTerm]) -> Result<Part, String> {
        if !order.is_empty() {
            return Err("VALUES with ORDER BY".into());
        }
        let mut values: Vec<Vec<Value>> = Vec::new();
        for row in rows {
            values.push(row.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?);
        }
        let width = values.first().map_or(0, Vec::len);
        let mut printed: Vec<Vec<Sql>> = vec![Vec::new(); values.len()];
        let mut columns = Vec::new();
        for at in 0..width {
            let column: Option<Vec<Value>> =
                values.iter().map(|row| row.get(at).cloned()).collect();
            let column = column.ok_or("VALUES with rows of different lengths")?;
            let (class, texts) = self.unified(&column)?;
            for (row, text) in printed.iter_mut().zip(texts) {
                row.push(text);
            }
            let made = self.made(Sql::tight(""), class, &column);
            columns.push((format!("column{}", at + 1), made));
        }
        Ok(Part {
            distinct: false,
            texts: printed.first().cloned().unwrap_or_default(),
            columns,
            tail: String::new(),
            is_one_row: printed.len() == 1,
            rows: printed,
            order_by: Vec::new(),
        })
    }

    fn select_core(
        &mut self,
        core: &SelectCore,
        from: String,
        order: &[SortTerm],
    ) -> Result<Part, String> {
        let mut tail = from;
        if let Some(filter) = &core.filter {
            let value = self.value(filter)?;
            tail.push_str(&format!(" WHERE {}", self.truth(&value)?.text));
        }
        let results = self.results(&core.columns)?;
        let groups = self.groups(core, &results)?;
        self.aggregates.allowed = true;
        let mut columns = Vec::new();
        let mut bare = Vec::new();
        for (expr, name) in &results {
            let value = self.beside_aggregates(expr, &groups, &mut bare, |translator| {
                translator.result(expr)
            })?;
            columns.push((name.clone(), value));
        }
        let having = match &core.having {
            None => None,
            Some(having) => {
                Some(self.beside_aggregates(having, &groups, &mut bare, |translator| {
                    let value = translator.value(having)?;
                    Ok(Value::new(translator.truth(&value)?, Class::Bool))
                })?)
            }
        };
        let mut texts = Vec::new();
        for (_, value) in &columns {
            if core.distinct && !sorts_plainly(value) {
                return Err("DISTINCT by a collation that PostgreSQL does not have".into());
            }
            texts.push(self.output(value)?);
        }
        let mut part = Part {
            distinct: core.distinct,
            columns,
            texts,
            tail: String::new(),
            rows: Vec::new(),
            order_by: Vec::new(),
            is_one_row: false,
        };
        for term in order {
            let term = self.order_term(term, &results, &groups, &mut bare, &mut part)?;
            part.order_by.push(term);
        }
        let is_grouped = !core.group_by.is_empty();
        if is_grouped {
            let by: Vec<&str> = groups.iter().map(|group| group.sql.as_str()).collect();
            tail.push_str(&format!(" GROUP BY {}", by.join(", ")));
        }
        if let Some(having) = having {
            tail.push_str(&format!(" HAVING {}", having.sql.text));
        }
        if (self.aggregates.used || is_grouped) && !bare.is_empty() {
            return Err("a column stands beside an aggregate that GROUP BY does not name: SQLite takes it from any row".into());
        }
        part.is_one_row =
            (self.aggregates.used && !is_grouped) || (core.from.is_none() && core.filter.is_none());
        part.tail = tail;
        Ok(part)
    }

    /// What a result column shows: a converted column as it is.
    fn result(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Name(_) => self.nullness(expr),
            _ => self.value(expr),
        }
    }

    /// Translates something that may stand beside aggregates, and collects the columns in it that
    /// GROUP BY does not name.
    fn beside_aggregates(
        &mut self,
        expr: &Expr,
        groups: &[Group],
        bare: &mut Vec<(usize, usize)>,
        translate: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        self.aggregates.bare.clear();
        let value = translate(self)?;
        let seen = std::mem::take(&mut self.aggregates.bare);
        if !groups.iter().any(|group| group.expr == *expr) {
            let is_named = |column: &(usize, usize)| {
                groups.iter().any(|g| g.column == Some(*column)) || self.has_key(groups, column.0)
            };
            bare.extend(seen.into_iter().filter(|column| !is_named(column)));
        }
        Ok(value)
    }

    /// Expressions and names of the results, `*` spelled out.
    fn results(&mut self, columns: &[ResultColumn]) -> Result<Vec<(Expr, String)>, String> {
        let mut results = Vec::new();
        for column in columns {
            let table = match column {
                ResultColumn::Expr(of, alias) => {
                    let name = match (alias, of) {
                        (Some(alias), _) => alias.clone(),
                        (None, Expr::Name(name)) => name.name.clone(),
                        _ => String::new(),
                    };
                    results.push((of.clone(), name));
                    continue;
                }
                ResultColumn::Star => None,
                ResultColumn::TableStar(table) => Some(table),
            };
            let relations = self.scopes.last().ok_or("* without tables")?;
            for relation in relations {
                if table.is_some_and(|table| !relation.name.eq_ignore_ascii_case(table)) {
                    continue;
                }
                for column in relation.columns.iter().filter(|c| table.is_some() || !c.is_hidden) {
                    let name = ColumnName {
                        table: Some(relation.name.clone()),
                        name: column.source.clone(),
                        may_be_text: false,
                        is_bare: false,
                    };
                    results.push((Expr::Name(name), column.source.clone()));
                }
            }
        }
        if results.is_empty() {
            return Err("it selects nothing".into());
        }
        Ok(results)
    }

    fn groups(
        &mut self,
        core: &SelectCore,
        results: &[(Expr, String)],
    ) -> Result<Vec<Group>, String> {
        let mut groups: Vec<Group> = Vec::new();
        let mut doubtful = Vec::new();
        for term in &core.group_by {
            let expr = match whole_number(term) {
                Some(at) => {
                    let at = usize::try_from(at - 1).map_err(|_| "GROUP BY of no column")?;
                    results.get(at).map(|(expr, _)| expr).ok_or("GROUP BY of no column")?
                }
                None => match term {
                    Expr::Name(name) if self.find(name)?.is_none() => {
                        let named = results
                            .iter()
                            .find(|(_, known)| known.eq_ignore_ascii_case(&name.name));
                        named.map_or(term, |(expr, _)| expr)
                    }
                    _ => term,
                },
            };
            let value = self.result(expr)?;
            if value.constant.is_some() {
                return Err("GROUP BY a constant".into());
            }
            let column = match expr {
                Expr::Name(name) => self
                    .find(name)?
                    .filter(|(level, ..)| level + 1 == self.scopes.len())
                    .map(|(_, relation, column)| (relation, column)),
                _ => None,
            };
            if !sorts_plainly(&value) {
                doubtful.push((column, value.class));
            }
            groups.push(Group {
                sql: not_constant(&self.output(&value)?),
                expr: expr.clone(),
                column,
            });
        }
        // Beside the key of its table a column makes no groups of its own.
        for (column, class) in doubtful {
            if !column.is_some_and(|(relation, _)| self.has_key(&groups, relation)) {
                return Err(format!(
                    "GROUP BY {}, of which PostgreSQL takes others for equal",
                    class.shown()
                ));
            }
        }
        Ok(groups)
    }

    /// Whether the rowid of a table is among the groups: all of its columns depend on it then, which
    /// PostgreSQL knows by the primary key.
    fn has_key(&self, groups: &[Group], relation: usize) -> bool {
        let rowid = self.scopes.last().and_then(|scope| scope.get(relation)).and_then(|r| r.rowid);
        rowid.is_some_and(|rowid| groups.iter().any(|g| g.column == Some((relation, rowid))))
    }

    /// A term of ORDER BY of a plain SELECT.
    fn order_term(
        &mut self,
        term: &SortTerm,
        results: &[(Expr, String)],
        groups: &[Group],
        bare: &mut Vec<(usize, usize)>,
        part: &mut Part,
    ) -> Result<String, String> {
        let at = result_position(&term.of, &part.columns)
            .or_else(|| results.iter().position(|(expr, _)| *expr == term.of));
        if part.distinct {
            let at = at.ok_or("DISTINCT is put in order by what it does not select")?;
            return self.sort_by_position(term, at, std::slice::from_mut(part));
        }
        let of = at.map_or(&term.of, |at| &results[at].0).clone();
        let resolved = SortTerm { of, descending: term.descending, nulls_first: term.nulls_first };
        let mut text = String::new();
        self.beside_aggregates(&resolved.of, groups, bare, |translator| {
            text = translator.sort_term(&resolved)?;
            Ok(Value::new(Sql::tight(""), Class::Null))
        })?;
        Ok(text)
    }

    /// A term of ORDER BY as an expression.
    pub(super) fn sort_term(&mut self, term: &SortTerm) -> Result<String, String> {
        let value = self.value(&term.of)?;
        let collation = value.collation.unwrap_or_default();
        let sql = match value.class {
            Class::Bool | Class::Int | Class::Real | Class::Number | Class::Blob => {
                value.sql.clone()
            }
            Class::Text if value.constant.is_none() && self.is_utf8 => {
                folded(&value, collation).bytewise()
            }
            Class::Moment(_, Some(_)) => value.sql.clone(),
            class => return Err(format!("ORDER BY {}", class.shown())),
        };
        if value.constant.is_some() {
            return Err("ORDER BY of a constant".into());
        }
        Ok(format!("{}{}", not_constant(&sql), direction(term, value.nullable)))
    }

    /// The same as the number of a result column, where only those may be named.
    pub(super) fn sort_by_position(
        &mut self,
        term: &SortTerm,
        at: usize,
        parts: &mut [Part],
    ) -> Result<String, String> {
        let value = &parts[0].columns[at].1;
        let nullable = parts.iter().any(|part| part.columns[at].1.nullable);
        if matches!(term.of, Expr::Collate(..)) || !sorts_plainly(value) {
            return Err("ORDER BY a collation of a column that must be named by number".into());
        }
        match value.class {
            Class::Bool | Class::Int | Class::Real | Class::Number | Class::Blob => {}
            Class::Moment(_, Some(_)) => {}
            Class::Text if self.is_utf8 => {
                for part in parts.iter_mut() {
                    if !part.rows.is_empty() {
                        return Err("ORDER BY the texts of VALUES".into());
                    }
                    part.texts[at] = part.texts[at].bytewise();
                }
            }
            class => return Err(format!("ORDER BY {}", class.shown())),
        }
        Ok(format!("{}{}", at + 1, direction(term, nullable)))
    }
}

/// The text as a term of GROUP BY or ORDER BY, where a bare constant is an error.
fn not_constant(sql: &Sql) -> String {
    match sql.text.as_str() {
        "true" | "false" => sql.cast("boolean").text,
        text if text.starts_with('\'') && text.ends_with('\'') => sql.cast("text").text,
        _ => sql.text.clone(),
    }
}

pub(super) fn result_position(of: &Expr, columns: &[(String, Value)]) -> Option<usize> {
    if let Some(number) = whole_number(of) {
        return usize::try_from(number - 1).ok().filter(|at| *at < columns.len());
    }
    match of {
        Expr::Name(name) if name.table.is_none() => {
            columns.iter().position(|(known, _)| known.eq_ignore_ascii_case(&name.name))
        }
        Expr::Collate(of, _) => result_position(of, columns),
        _ => None,
    }
}

pub(super) fn whole_number(of: &Expr) -> Option<i64> {
    match of {
        Expr::Literal(Literal::Number(text)) => text.parse().ok(),
        _ => None,
    }
}
