//! FROM: tables, views, subqueries, and how they are joined.

use crate::map::names::fitted_name;
use crate::model::ident::{quoted, quoted_list};
use crate::model::query::{From, FromItem, FromSource, Join, JoinKind};

use super::compare::Comparison;
use super::query::column_names;
use super::{Relation, Translator};

impl Translator<'_> {
    /// FROM: its text and what names it gives.
    pub(super) fn from(&mut self, from: &From) -> Result<(String, Vec<Relation>), String> {
        let (mut sql, mut relations) = self.item(&from.first)?;
        for join in &from.joins {
            sql = self.join(&sql, &mut relations, join)?;
        }
        Ok((sql, relations))
    }

    fn join(
        &mut self,
        left: &str,
        relations: &mut Vec<Relation>,
        join: &Join,
    ) -> Result<String, String> {
        if join.natural {
            return Err("NATURAL JOIN is not translated".into());
        }
        let (item, mut added) = self.item(&join.item)?;
        let on = if join.using.is_empty() {
            None
        } else {
            Some(self.using(relations, &mut added, join)?)
        };
        let count = relations.len();
        relations.append(&mut added);
        let on = match (&join.on, on) {
            (Some(condition), _) => {
                self.scopes.push(relations.clone());
                self.aliases.push(Vec::new());
                let value = self.value(condition).and_then(|value| self.truth(&value));
                self.aliases.pop();
                self.scopes.pop();
                Some(value?.text)
            }
            (None, on) => on,
        };
        let (outer_left, outer_right) = match join.kind {
            JoinKind::Inner => (false, false),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
        };
        for (at, relation) in relations.iter_mut().enumerate() {
            if if at < count { outer_left } else { outer_right } {
                relation.columns.iter_mut().for_each(|column| column.value.nullable = true);
            }
        }
        let word = match join.kind {
            JoinKind::Inner if on.is_none() => return Ok(format!("{left} CROSS JOIN {item}")),
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
        };
        let on = on.unwrap_or_else(|| "true".into());
        Ok(format!("{left} {word} {item} ON {on}"))
    }

    /// USING as ON; the columns of the right side are hidden behind those of the left one.
    fn using(
        &mut self,
        left: &[Relation],
        right: &mut [Relation],
        join: &Join,
    ) -> Result<String, String> {
        if matches!(join.kind, JoinKind::Right | JoinKind::Full) {
            return Err("USING of a RIGHT or FULL JOIN".into());
        }
        let mut conditions = Vec::new();
        for name in &join.using {
            let find = |relations: &[Relation]| {
                relations
                    .iter()
                    .enumerate()
                    .find_map(|(at, relation)| relation.position(name).map(|column| (at, column)))
            };
            let missing = || format!("USING names no column {}", name.escape_debug());
            let (at, column) = find(left).ok_or_else(missing)?;
            let a = left[at].read(column)?;
            let (at, column) = find(right).ok_or_else(missing)?;
            let b = right[at].read(column)?;
            right[at].columns[column].is_hidden = true;
            conditions.push(self.compare(Comparison::Equal, &a, &b)?.sql.operand());
        }
        Ok(conditions.join(" AND "))
    }

    fn item(&mut self, item: &FromItem) -> Result<(String, Vec<Relation>), String> {
        match &item.source {
            FromSource::Table(name) => {
                let known = self.common.iter().rev().chain(self.relations);
                let relation = known
                    .into_iter()
                    .find(|relation| relation.name.eq_ignore_ascii_case(name))
                    .ok_or_else(|| {
                        format!("\"{}\" is not there, or was not translated", name.escape_debug())
                    })?;
                let alias = item.alias.as_ref().unwrap_or(&relation.name);
                let named = relation.named(alias);
                let alias = quoted(&fitted_name(alias));
                Ok((format!("{} AS {alias}", relation.target), vec![named]))
            }
            FromSource::Query(query) => {
                let selected = self.select(query)?;
                let alias =
                    item.alias.clone().unwrap_or_else(|| format!("query_{}", self.scopes.len()));
                let names = column_names(&[], &selected.columns)?;
                let mut relation = self.relation(&alias, &names, &selected.columns, "");
                let shown = quoted(&fitted_name(&alias));
                relation.qualifier = Some(shown.clone());
                if item.alias.is_none() {
                    relation.name = String::new();
                }
                let names = quoted_list(names.iter().map(String::as_str));
                Ok((format!("({}) AS {shown} ({names})", selected.sql), vec![relation]))
            }
            FromSource::Joined(from) if item.alias.is_none() => {
                let (sql, relations) = self.from(from)?;
                Ok((format!("({sql})"), relations))
            }
            FromSource::Joined(_) => Err("joined tables with one name".into()),
            FromSource::Call(name, _) => {
                Err(format!("the rows of function {}", name.escape_debug()))
            }
        }
    }
}
