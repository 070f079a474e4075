//! Aggregates, and what may stand beside them.

use std::collections::BTreeSet;

use crate::model::expression::{Call, Expr};

use super::Translator;
use super::arithmetic::{as_number, double, wide};
use super::json;
use super::value::{Class, Collation, Sql, Value};

/// What is known of aggregates while one SELECT is translated.
#[derive(Debug, Clone, Default)]
pub(super) struct Aggregates {
    /// They may stand here.
    pub(super) allowed: bool,
    /// Here are the arguments of one.
    pub(super) inside: bool,
    /// One was seen.
    pub(super) used: bool,
    /// Columns outside of aggregates, by relation and position.
    pub(super) bare: BTreeSet<(usize, usize)>,
    /// By what lists are put in order: the rowid, where there is only one table.
    pub(super) order: Option<Sql>,
}

const NAMES: [&str; 9] = [
    "count",
    "sum",
    "total",
    "avg",
    "min",
    "max",
    "group_concat",
    "string_agg",
    "json_group_array",
];

impl Translator<'_> {
    /// Notes a column that is read.
    pub(super) fn saw_column(
        &mut self,
        level: usize,
        relation: usize,
        column: usize,
    ) -> Result<(), String> {
        if level + 1 == self.scopes.len() && !self.aggregates.inside {
            self.aggregates.bare.insert((relation, column));
        }
        Ok(())
    }

    pub(super) fn aggregate(&mut self, call: &Call) -> Result<Option<Value>, String> {
        let count = call.args.as_ref().map_or(0, Vec::len);
        let is_one = NAMES.contains(&call.name.as_str())
            && !(matches!(call.name.as_str(), "min" | "max") && count != 1);
        if !is_one {
            return Ok(None);
        }
        if !self.aggregates.allowed || self.aggregates.inside {
            return Err("an aggregate stands where none can".into());
        }
        self.aggregates.inside = true;
        let value = self.aggregated(call);
        self.aggregates.inside = false;
        self.aggregates.used = true;
        value.map(Some)
    }

    fn aggregated(&mut self, call: &Call) -> Result<Value, String> {
        let filter = match &call.filter {
            None => String::new(),
            Some(filter) => {
                let value = self.value(filter)?;
                format!(" FILTER (WHERE {})", self.truth(&value)?.text)
            }
        };
        let args = call.args.as_deref().unwrap_or_default();
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let name = call.name.as_str();
        if name == "count" {
            let of = match args {
                [] => "*".to_owned(),
                [of] => {
                    let value = self.counted(of, call.distinct)?;
                    format!("{distinct}{}", value.text)
                }
                _ => return Err("count of several values".into()),
            };
            let sql = Sql::tight(format!("count({of}){filter}"));
            return Ok(Value::new(sql, Class::Int).not_null().non_negative());
        }
        let Some(of) = args.first() else {
            return Err(format!("{name} without an argument"));
        };
        let value = self.value(of)?;
        if value.is_null() {
            return Err(format!("{name} of NULL"));
        }
        if call.distinct && !sorts_plainly(&value) {
            return Err("DISTINCT by a collation that PostgreSQL does not have".into());
        }
        self.check_argument(name, &value)?;
        match name {
            "sum" => {
                let number = as_number(&value)?;
                let (of, class, cast) = match number.class {
                    Class::Int => (wide(&number), Class::Int, "::bigint"),
                    Class::Real => (number.sql.clone(), Class::Real, ""),
                    // Decimals are summed exactly, which is nearer to SQLite's compensated sum.
                    Class::Number if number.numeric => {
                        (number.sql.clone(), Class::Number, "::double precision")
                    }
                    class => (double(&number), class, ""),
                };
                let sql = Sql::tight(format!("sum({distinct}{}){filter}{cast}", of.text));
                let mut sum = Value::of(sql, class, &[&number]).maybe_null();
                sum.is_wide |= class == Class::Int;
                Ok(sum)
            }
            "total" => {
                let number = as_number(&value)?;
                let of = if number.class == Class::Int { wide(&number) } else { double(&number) };
                let sql =
                    format!("coalesce(sum({distinct}{}){filter}, 0)::double precision", of.text);
                Ok(Value::of(Sql::tight(sql), Class::Real, &[&number]).not_null())
            }
            "avg" => {
                let number = as_number(&value)?;
                let of = if number.class == Class::Int { wide(&number) } else { double(&number) };
                let of = of.text;
                // Sum and count, as SQLite does it: numeric's own average has 16 digits.
                let sql = Sql::loose(format!(
                    "sum({distinct}{of}){filter}::double precision / NULLIF(count({distinct}{of}){filter}, 0)"
                ));
                Ok(Value::of(sql, Class::Real, &[&number]).maybe_null())
            }
            "min" | "max" => self.least(name, &value, &filter),
            "json_group_array" => {
                let element = json::element(&value)?;
                let order = self.order(call)?;
                let sql = format!(
                    "coalesce(jsonb_agg({distinct}{}{order}){filter}, '[]'::jsonb)",
                    element.text
                );
                let mut array = Value::of(Sql::tight(sql), Class::Json, &[&value]).not_null();
                array.is_json_value = true;
                Ok(array)
            }
            _ => self.list(call, &value, distinct, &filter),
        }
    }

    /// What a sum cannot be made of, and what it comes to.
    fn check_argument(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if !matches!(name, "sum" | "total" | "avg") {
            return Ok(());
        }
        match value.class {
            Class::Text => Err(format!("{name} of text")),
            Class::Real | Class::Number => {
                self.note(
                    "A sum or average of reals may differ in its last digit: SQLite carries the \
                     rounding errors along.",
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn counted(&mut self, of: &Expr, distinct: bool) -> Result<Sql, String> {
        let value = match of {
            Expr::Name(name) => match self.find(name)? {
                Some((level, relation, column)) if !distinct => {
                    self.scopes[level][relation].read_opaque(column)
                }
                _ => self.value(of)?,
            },
            _ => self.value(of)?,
        };
        if distinct && !sorts_plainly(&value) {
            return Err("DISTINCT by a collation that PostgreSQL does not have".into());
        }
        match value.class {
            Class::Null => Ok(Sql::tight("NULL::text")),
            Class::JsonItem => Ok(json::item_text(&value.sql)),
            Class::Moment(_, None) if distinct => {
                Err("dates are compared as texts of several forms".into())
            }
            _ => Ok(value.sql),
        }
    }

    fn least(&mut self, name: &str, value: &Value, filter: &str) -> Result<Value, String> {
        let (of, class) = match value.class {
            Class::Bool => (wide(value), Class::Int),
            Class::Int | Class::Real | Class::Number => (value.sql.clone(), value.class),
            Class::Text
                if value.collation.unwrap_or_default() == Collation::Binary && self.is_utf8 =>
            {
                (value.sql.bytewise(), Class::Text)
            }
            Class::Moment(_, Some(_)) => (value.sql.clone(), value.class),
            class => return Err(format!("{name} of {}", class.shown())),
        };
        let sql = Sql::tight(format!("{name}({}){filter}", of.text));
        let mut least = Value::of(sql, class, &[value]).maybe_null();
        least.narrow = class == Class::Int && value.narrow;
        least.numeric = value.numeric;
        least.is_stored_number = value.is_stored_number;
        Ok(least)
    }

    /// `group_concat(x, separator)`
    fn list(
        &mut self,
        call: &Call,
        value: &Value,
        distinct: &str,
        filter: &str,
    ) -> Result<Value, String> {
        let text = self.text_of(value)?;
        let separator = match call.args.as_deref() {
            Some([_, separator]) => {
                let separator = self.value(separator)?;
                self.text_of(&separator)?
            }
            Some([_]) => Sql::tight("','"),
            _ => return Err(format!("{} with that many arguments", call.name)),
        };
        let text = if value.constant.is_some() { text.cast("text") } else { text };
        let order = if call.distinct && call.order_by.is_empty() {
            String::new()
        } else {
            self.order(call)?
        };
        let sql = format!("string_agg({distinct}{}, {}{order}){filter}", text.text, separator.text);
        Ok(Value::of(Sql::tight(sql), Class::Text, &[value]).maybe_null())
    }

    /// ORDER BY of a list: as it is written, else in the order in which SQLite meets the rows.
    fn order(&mut self, call: &Call) -> Result<String, String> {
        if call.order_by.is_empty() {
            let order = self.aggregates.order.as_ref().filter(|_| !call.distinct);
            return Ok(order.map_or_else(String::new, |by| format!(" ORDER BY {}", by.text)));
        }
        let mut terms = Vec::new();
        for term in &call.order_by {
            terms.push(self.sort_term(term)?);
        }
        Ok(format!(" ORDER BY {}", terms.join(", ")))
    }
}

/// True where equal in SQLite is equal in PostgreSQL.
pub(super) fn sorts_plainly(value: &Value) -> bool {
    match value.class {
        Class::Text => value.collation.unwrap_or_default() == Collation::Binary,
        Class::Opaque | Class::Json | Class::JsonItem | Class::Mixed | Class::Moment(_, None) => {
            false
        }
        _ => true,
    }
}
