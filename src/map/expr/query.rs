//! Queries: the bodies of views, and subqueries.
//!
//! Known gaps: NATURAL and table-valued functions; columns beside aggregates that GROUP BY does not
//! name (SQLite takes them from any row); collations other than BINARY in GROUP BY, DISTINCT and
//! UNION; LIMIT that is not a constant.

use crate::model::expression::{Expr, UnaryOp};
use crate::model::ident::{quoted, quoted_list};
use crate::model::name_style::NameStyle;
use crate::model::query::{CompoundOp, Select, SortTerm};

use super::aggregate::sorts_plainly;
use super::scope::ScopeColumn;
use super::select::{result_position, whole_number};
use super::value::{Class, Sql, Value};
use super::{Need, Relation, Translator, check_length};

type Outcome = Result<Value, String>;

/// A translated view.
#[derive(Debug, Clone)]
pub struct View {
    /// CREATE VIEW, complete.
    pub sql: String,
    /// What a reader of the report should know, a sentence each.
    pub notes: Vec<String>,
    /// What the values of each column are in SQLite, such as `an integer`.
    pub kinds: Vec<&'static str>,
    /// The view as other views see it.
    pub relation: Relation,
}

/// Translates a view. `name` is its own in source and target, `columns` are the names that SQLite has
/// for its columns (none: those of the query), `relations` what FROM can name.
///
/// # Errors
/// Why it is not translated.
pub fn view(
    query: &Select,
    name: (&str, &str),
    columns: &[String],
    (into, style): (&str, NameStyle),
    relations: &[Relation],
    encoding: &str,
) -> Result<View, String> {
    let mut translator = Translator::over(&Relation::empty(), Need::Anything, encoding);
    translator.relations = relations;
    let selected = translator.select(query)?;
    let own;
    let columns = if columns.is_empty() {
        own = own_names(&selected.columns)?;
        &own
    } else {
        columns
    };
    if columns.len() != selected.columns.len() {
        return Err("SQLite has other columns for it than its query gives".into());
    }
    let mut space = crate::map::names::NameSpace::of_columns();
    let sources: Vec<&str> = columns.iter().map(String::as_str).collect();
    let targets: Vec<String> = space.take_all(&sources, style);
    let (source, target) = name;
    let kinds = selected.columns.iter().map(|(_, value)| value.class.shown()).collect();
    let columns = columns.iter().zip(&targets).zip(selected.columns);
    let relation = Relation {
        name: source.to_owned(),
        target: String::new(),
        qualifier: None,
        columns: columns
            .map(|((source, target), (_, value))| column(source, target, value))
            .collect(),
        rowid: None,
    }
    .stored_as(into, target);
    let sql = format!(
        "CREATE VIEW {} ({}) AS {}",
        relation.target,
        quoted_list(targets.iter().map(String::as_str)),
        selected.sql
    );
    check_length(&Sql::tight(sql.clone()))?;
    Ok(View { sql, notes: translator.notes, kinds, relation })
}

/// The names of a view's columns where SQLite was not asked: those that are given or those of columns,
/// a number behind one that is there already.
fn own_names(columns: &[(String, Value)]) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in columns {
        if name.is_empty() {
            return Err("it has an expression without a name over another view".into());
        }
        let mut free = name.clone();
        let mut count = 0;
        while names.iter().any(|known| known.eq_ignore_ascii_case(&free)) {
            count += 1;
            free = format!("{name}:{count}");
        }
        names.push(free);
    }
    Ok(names)
}

/// A column of a view or subquery, seen from outside.
fn column(source: &str, target: &str, value: Value) -> ScopeColumn {
    let opaque = match value.class {
        Class::Opaque => Some("is converted".to_owned()),
        Class::Null => Some("is always NULL".to_owned()),
        _ => None,
    };
    let class = match value.class {
        // Shown as text.
        Class::JsonItem => Class::Mixed,
        other => other,
    };
    let mut seen = value;
    seen.class = class;
    seen.constant = None;
    seen.instant = None;
    seen.digits = None;
    seen.is_collated = false;
    seen.collation = Some(seen.collation.unwrap_or_default());
    seen.is_json_value = false;
    seen.is_concat = false;
    seen.is_volatile = false;
    ScopeColumn {
        source: source.to_owned(),
        target: target.to_owned(),
        value: seen,
        opaque,
        cast: None,
        inlined: None,
        is_hidden: false,
    }
}

/// A translated query: its text and what its columns are.
pub(super) struct Selected {
    pub(super) sql: String,
    /// Name and value of each column.
    pub(super) columns: Vec<(String, Value)>,
    /// It gives one row, whatever the tables hold.
    pub(super) is_one_row: bool,
}

/// A SELECT or VALUES whose columns are not printed yet.
pub(super) struct Part {
    pub(super) distinct: bool,
    pub(super) columns: Vec<(String, Value)>,
    /// The columns as they are printed.
    pub(super) texts: Vec<Sql>,
    /// Everything from FROM on.
    pub(super) tail: String,
    /// Rows of VALUES; the first one is in `texts`.
    pub(super) rows: Vec<Vec<Sql>>,
    pub(super) order_by: Vec<String>,
    pub(super) is_one_row: bool,
}

impl Part {
    fn sql(&self) -> String {
        if !self.rows.is_empty() {
            let rows: Vec<String> =
                self.rows.iter().map(|row| format!("({})", texts(row))).collect();
            return format!("VALUES {}", rows.join(", "));
        }
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        format!("SELECT {distinct}{}{}", texts(&self.texts), self.tail)
    }
}

fn texts(row: &[Sql]) -> String {
    row.iter().map(|sql| sql.text.as_str()).collect::<Vec<_>>().join(", ")
}

impl Translator<'_> {
    /// `(SELECT ...)` as a value: the first row's.
    pub(super) fn scalar_query(&mut self, query: &Select) -> Outcome {
        let mut selected = self.select(query)?;
        if selected.columns.len() != 1 {
            return Err("a query of several columns stands for one value".into());
        }
        let (_, value) = selected.columns.remove(0);
        let limit = if selected.is_one_row || query.limit.is_some() { "" } else { " LIMIT 1" };
        if value.class == Class::Null {
            return Err("a query of NULL stands for a value".into());
        }
        let mut made = value;
        if made.class == Class::JsonItem {
            made.class = Class::Mixed;
        }
        made.sql = Sql::tight(format!("({}{limit})", selected.sql));
        made.constant = None;
        made.instant = None;
        made.digits = None;
        made.is_concat = false;
        made.is_collated = false;
        made.collation = None;
        made.is_json_value = false;
        Ok(made.maybe_null())
    }

    pub(super) fn exists(&mut self, query: &Select) -> Outcome {
        let selected = self.select(query)?;
        Ok(Value::new(Sql::tight(format!("EXISTS ({})", selected.sql)), Class::Bool).not_null())
    }

    pub(super) fn in_select(&mut self, of: &Expr, query: &Select, negated: bool) -> Outcome {
        if matches!(of, Expr::Row(_)) {
            return Err("IN of row values is not translated".into());
        }
        let of = self.value(of)?;
        let mut selected = self.select(query)?;
        if selected.columns.len() != 1 || of.is_null() {
            return Err("IN looks into a query of several columns".into());
        }
        let (_, value) = selected.columns.remove(0);
        if value.is_null() {
            return Err("IN looks into a query of NULL".into());
        }
        let mut seen = value;
        seen.constant = None;
        seen.sql = Sql::tight("x");
        let (left, right) = self.sides_of_in(&of, &seen)?;
        if right.text != "x" {
            return Err("IN compares values of unlike kinds with those of a query".into());
        }
        let not = if negated { "NOT " } else { "" };
        let sql = format!("{} {not}IN ({})", left.operand(), selected.sql);
        Ok(Value::of(Sql::loose(sql), Class::Bool, &[&of, &seen]).maybe_null())
    }

    pub(super) fn select(&mut self, query: &Select) -> Result<Selected, String> {
        let known = self.common.len();
        let outer = std::mem::take(&mut self.aggregates);
        let selected = self.with(query).and_then(|with| {
            let mut selected = self.body(query)?;
            selected.sql = format!("{with}{}", selected.sql);
            Ok(selected)
        });
        self.aggregates = outer;
        self.common.truncate(known);
        let selected = selected?;
        check_length(&Sql::tight(selected.sql.clone()))?;
        Ok(selected)
    }

    /// The tables of WITH.
    fn with(&mut self, query: &Select) -> Result<String, String> {
        let mut tables = Vec::new();
        let mut is_recursive = false;
        for table in &query.with {
            let refers_to_itself = query.recursive && table.query.compounds.len() == 1;
            let selected = if refers_to_itself {
                is_recursive = true;
                self.recursive(&table.name, &table.columns, &table.query)?
            } else {
                self.select(&table.query)?
            };
            let names = column_names(&table.columns, &selected.columns)?;
            let relation =
                self.relation(&table.name, &names, &selected.columns, &quoted(&table.name));
            self.common.push(relation);
            let names = quoted_list(names.iter().map(String::as_str));
            tables.push(format!("{} ({names}) AS ({})", quoted(&table.name), selected.sql));
        }
        if tables.is_empty() {
            return Ok(String::new());
        }
        let word = if is_recursive { "WITH RECURSIVE" } else { "WITH" };
        Ok(format!("{word} {} ", tables.join(", ")))
    }

    /// A table of WITH RECURSIVE: its first part gives the types that the second one must have too.
    fn recursive(
        &mut self,
        name: &str,
        columns: &[String],
        query: &Select,
    ) -> Result<Selected, String> {
        let [(op @ (CompoundOp::Union | CompoundOp::UnionAll), second)] =
            query.compounds.as_slice()
        else {
            return Err("a recursive query of that form".into());
        };
        if !query.order_by.is_empty() || query.limit.is_some() || !query.with.is_empty() {
            return Err("a recursive query with ORDER BY or LIMIT".into());
        }
        let mut first = self.core(&query.first, &[])?;
        for (text, (_, value)) in first.texts.iter_mut().zip(&mut first.columns) {
            *text = in_full(text, value);
            value.narrow = false;
            value.nullable = true;
            value.constant = None;
        }
        let names = column_names(columns, &first.columns)?;
        let relation = self.relation(name, &names, &first.columns, &quoted(name));
        self.common.push(relation);
        let second = self.core(second, &[]);
        self.common.pop();
        let mut second = second?;
        if first.columns.len() != second.columns.len() {
            return Err("a recursive query whose parts have different columns".into());
        }
        for ((text, (_, value)), (_, known)) in
            second.texts.iter_mut().zip(&second.columns).zip(&first.columns)
        {
            if value.class != known.class || value.numeric != known.numeric {
                return Err("a recursive query whose parts have columns of different kinds".into());
            }
            *text = in_full(text, value);
        }
        let word = if *op == CompoundOp::UnionAll { "UNION ALL" } else { "UNION" };
        let sql = format!("{} {word} {}", first.sql(), second.sql());
        Ok(Selected { sql, columns: first.columns, is_one_row: false })
    }

    pub(super) fn relation(
        &self,
        name: &str,
        names: &[String],
        columns: &[(String, Value)],
        target: &str,
    ) -> Relation {
        Relation {
            name: name.to_owned(),
            target: target.to_owned(),
            qualifier: None,
            columns: names
                .iter()
                .zip(columns)
                .map(|(name, (_, value))| column(name, name, value.clone()))
                .collect(),
            rowid: None,
        }
    }

    /// Everything but WITH.
    fn body(&mut self, query: &Select) -> Result<Selected, String> {
        let limit = limits(query)?;
        if query.compounds.is_empty() {
            let part = self.core(&query.first, &query.order_by)?;
            let order = order_by(&part.order_by);
            let sql = format!("{}{order}{limit}", part.sql());
            return Ok(Selected { sql, columns: part.columns, is_one_row: part.is_one_row });
        }
        let mut parts = vec![self.core(&query.first, &[])?];
        for (_, core) in &query.compounds {
            parts.push(self.core(core, &[])?);
        }
        let width = parts[0].columns.len();
        if parts.iter().any(|part| part.columns.len() != width) {
            return Err("the parts of a compound query have different columns".into());
        }
        let keeps_all = query.compounds.iter().all(|(op, _)| *op == CompoundOp::UnionAll);
        for at in 0..width {
            self.unify_column(&mut parts, at, keeps_all)?;
        }
        let mut terms = Vec::new();
        for term in &query.order_by {
            let at = result_position(&term.of, &parts[0].columns)
                .ok_or("ORDER BY of a compound query names none of its columns")?;
            terms.push(self.sort_by_position(term, at, &mut parts)?);
        }
        let mut sql = parts[0].sql();
        for ((op, _), part) in query.compounds.iter().zip(&parts[1..]) {
            let word = match op {
                CompoundOp::Union => "UNION",
                CompoundOp::UnionAll => "UNION ALL",
                CompoundOp::Except => "EXCEPT",
                CompoundOp::Intersect => "INTERSECT",
            };
            // INTERSECT binds tighter in PostgreSQL; in SQLite all go from left to right.
            let left = if *op == CompoundOp::Intersect && sql.contains(" UNION") {
                format!("({sql})")
            } else {
                sql
            };
            sql = format!("{left} {word} {}", part.sql());
        }
        if query.compounds.iter().any(|(op, _)| *op == CompoundOp::Intersect)
            && query.compounds.len() > 1
        {
            return Err("INTERSECT among other compound operators".into());
        }
        let columns = std::mem::take(&mut parts[0].columns);
        let sql = format!("{sql}{}{limit}", order_by(&terms));
        Ok(Selected { sql, columns, is_one_row: false })
    }

    /// Gives one column of all parts of a compound query one type.
    fn unify_column(
        &mut self,
        parts: &mut [Part],
        at: usize,
        keeps_all: bool,
    ) -> Result<(), String> {
        let values: Vec<Value> = parts.iter().map(|part| part.columns[at].1.clone()).collect();
        if !keeps_all && values.iter().any(|value| !sorts_plainly(value)) {
            return Err("rows are compared by a collation that PostgreSQL does not have".into());
        }
        let same = values.iter().all(|value| value.class == values[0].class);
        if same && matches!(values[0].class, Class::Opaque | Class::Moment(..)) && keeps_all {
            return Ok(());
        }
        if parts.iter().any(|part| !part.rows.is_empty()) && !same {
            return Err("VALUES beside queries of other kinds".into());
        }
        let (class, texts) = self.unified(&values)?;
        if class == Class::Mixed && !keeps_all {
            return Err("rows of several kinds are compared".into());
        }
        let made = self.made(Sql::tight(""), class, &values);
        for (part, text) in parts.iter_mut().zip(texts) {
            if part.rows.is_empty() {
                part.texts[at] =
                    if class == Class::JsonItem { super::json::item_text(&text) } else { text };
            }
            let affinity = part.columns[at].1.affinity;
            part.columns[at].1 = Value { affinity, ..made.clone() };
        }
        if values.iter().any(|value| value.affinity != values[0].affinity) {
            parts[0].columns[at].1.affinity = None;
        }
        Ok(())
    }
}

/// Names of the columns of a subquery: given ones, its own, or made-up ones that nobody can use.
pub(super) fn column_names(
    given: &[String],
    columns: &[(String, Value)],
) -> Result<Vec<String>, String> {
    if !given.is_empty() {
        if given.len() != columns.len() {
            return Err("a query has other columns than are named".into());
        }
        return Ok(given.to_vec());
    }
    let mut names: Vec<String> = Vec::new();
    for (at, (name, _)) in columns.iter().enumerate() {
        let is_taken = names.iter().any(|known| known.eq_ignore_ascii_case(name));
        names.push(if name.is_empty() || is_taken {
            format!("?column{}", at + 1)
        } else {
            name.clone()
        });
    }
    Ok(names)
}

/// The order in which SQLite meets the rows of a single table.
pub(super) fn rowid_order(relations: &[Relation]) -> Option<Sql> {
    let [only] = relations else { return None };
    only.rowid.map(|column| only.read_opaque(column).sql)
}

/// A column in the type that a recursive query keeps.
fn in_full(text: &Sql, value: &Value) -> Sql {
    match value.class {
        Class::Int if value.narrow => text.cast("bigint"),
        Class::Text => text.cast("text"),
        _ => text.clone(),
    }
}

/// ASC or DESC, and where NULL goes: before everything else in SQLite.
pub(super) fn direction(term: &SortTerm, nullable: bool) -> String {
    let word = if term.descending { " DESC" } else { "" };
    let nulls_first = term.nulls_first.unwrap_or(!term.descending);
    let nulls = match (nullable, nulls_first, term.descending) {
        (true, true, false) => " NULLS FIRST",
        (true, false, true) => " NULLS LAST",
        _ => "",
    };
    format!("{word}{nulls}")
}

fn order_by(terms: &[String]) -> String {
    if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) }
}

/// LIMIT and OFFSET; a negative limit is none.
fn limits(query: &Select) -> Result<String, String> {
    let number = |of: &Expr| -> Result<i64, String> {
        let (of, sign) = match of {
            Expr::Unary(UnaryOp::Negative, of) => (&**of, -1),
            other => (other, 1),
        };
        whole_number(of).map(|number| sign * number).ok_or_else(|| "LIMIT is not constant".into())
    };
    let mut sql = String::new();
    if let Some(limit) = &query.limit {
        let limit = number(limit)?;
        if limit >= 0 {
            sql.push_str(&format!(" LIMIT {limit}"));
        }
    }
    if let Some(offset) = &query.offset {
        let offset = number(offset)?;
        if offset > 0 {
            sql.push_str(&format!(" OFFSET {offset}"));
        }
    }
    Ok(sql)
}
