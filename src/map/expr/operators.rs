//! The walk: names, constants, conditions, CASE; everything else is handed on.

use crate::model::expression::{BinaryOp, ColumnName, Expr, LikeOp, Literal, UnaryOp};
use crate::model::source::Affinity;

use super::compare::Comparison;
use super::moment::Written;
use super::value::{Class, Collation, Constant, Sql, Value};
use super::{Translator, check_length};

type Outcome = Result<Value, String>;

impl Translator<'_> {
    /// Translates an expression.
    pub(super) fn value(&mut self, expr: &Expr) -> Outcome {
        let value = self.any(expr)?;
        check_length(&value.sql)?;
        Ok(value)
    }

    fn any(&mut self, expr: &Expr) -> Outcome {
        match expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Name(name) => self.name(name),
            Expr::Unary(op, of) => self.unary(*op, of),
            Expr::Binary(op, left, right) => self.binary(*op, left, right),
            Expr::IsNull { of, negated } => self.is_null(of, *negated),
            Expr::Between { of, low, high, negated } => self.between(of, low, high, *negated),
            Expr::InList { of, list, negated } => self.in_list(of, list, *negated),
            Expr::InSelect { of, query, negated } => self.in_select(of, query, *negated),
            Expr::Like { op: LikeOp::Like, of, pattern, escape, negated } => {
                self.like(of, pattern, escape.as_deref(), *negated)
            }
            Expr::Like { op: LikeOp::Glob, of, pattern, escape: None, negated } => {
                self.glob(of, pattern, *negated)
            }
            Expr::Like { op: LikeOp::Regexp, .. } => {
                Err("REGEXP is a function of the application, with its own syntax".into())
            }
            Expr::Like { .. } => Err("MATCH is a function of the application".into()),
            Expr::Case { base, arms, otherwise } => {
                self.case(base.as_deref(), arms, otherwise.as_deref())
            }
            Expr::Cast(of, declared) => self.cast(of, declared),
            Expr::Collate(of, name) => self.collate(of, name),
            Expr::Call(call) => self.call(call),
            Expr::Row(_) => Err("a row value stands where only one value is known".into()),
            Expr::Query(query) => self.scalar_query(query),
            Expr::Exists(query) => self.exists(query),
        }
    }

    fn literal(&mut self, literal: &Literal) -> Outcome {
        Ok(Value::constant(match literal {
            Literal::Null => Constant::Null,
            Literal::Number(text) => number(text)?,
            Literal::Text(text) if text.contains('\0') => {
                return Err("it holds a text with a NUL".into());
            }
            Literal::Text(text) => Constant::Text(text.clone()),
            Literal::Blob(bytes) => Constant::Blob(bytes.clone()),
            Literal::CurrentDate => return Ok(self.now_as(Written::Date)),
            Literal::CurrentTime => return Ok(self.now_as(Written::Time)),
            Literal::CurrentTimestamp => return Ok(self.now_as(Written::Seconds)),
        }))
    }

    fn name(&mut self, name: &ColumnName) -> Outcome {
        if let Some((level, relation, column)) = self.find(name)? {
            self.saw_column(level, relation, column)?;
            return self.scopes[level][relation].read(column);
        }
        if let Some(value) = self.alias(name)? {
            return Ok(value);
        }
        if name.may_be_text {
            return Ok(Value::constant(Constant::Text(name.name.clone())));
        }
        if name.is_bare {
            for (word, value) in [("true", 1), ("false", 0)] {
                if name.name.eq_ignore_ascii_case(word) {
                    return Ok(truth_constant(value));
                }
            }
        }
        Err(format!("there is no column \"{}\"", name.name.escape_debug()))
    }

    /// A name that SELECT gives to one of its results, which SQLite knows in WHERE, GROUP BY and HAVING
    /// too.
    fn alias(&mut self, name: &ColumnName) -> Result<Option<Value>, String> {
        let Some(aliases) = self.aliases.last().filter(|_| name.table.is_none()) else {
            return Ok(None);
        };
        let found = aliases.iter().position(|(alias, _)| alias.eq_ignore_ascii_case(&name.name));
        let (Some(at), Some(aliases)) = (found, self.aliases.last_mut()) else { return Ok(None) };
        // Not while it is looked into: it would find itself.
        let (alias, expr) = aliases.remove(at);
        let value = self.value(&expr);
        if let Some(aliases) = self.aliases.last_mut() {
            aliases.insert(at, (alias, expr));
        }
        value.map(Some)
    }

    /// Finds a column: scope, relation and position. The innermost scope that has it wins; within one
    /// scope two of them are ambiguous, as they are for SQLite.
    pub(super) fn find(&self, name: &ColumnName) -> Result<Option<(usize, usize, usize)>, String> {
        for level in (0..self.scopes.len()).rev() {
            let named = self.scopes[level].iter().enumerate().filter(|(_, relation)| {
                name.table.as_ref().is_none_or(|table| relation.name.eq_ignore_ascii_case(table))
            });
            let mut found = None;
            let mut rowid = None;
            for (at, relation) in named {
                if let Some(position) = relation.position(&name.name) {
                    if name.table.is_none() && relation.columns[position].is_hidden {
                        continue;
                    }
                    if found.is_some() {
                        return Err(format!(
                            "column \"{}\" is ambiguous",
                            name.name.escape_debug()
                        ));
                    }
                    found = Some((level, at, position));
                } else if let Some(position) = relation.rowid(&name.name) {
                    rowid = Some((level, at, position));
                }
            }
            if let Some(found) = found.or(rowid) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn unary(&mut self, op: UnaryOp, of: &Expr) -> Outcome {
        if let (UnaryOp::Negative, Expr::Literal(Literal::Number(text))) = (op, of) {
            // -9223372036854775808 is an integer, although its digits alone are not.
            return Ok(Value::constant(number(&format!("-{text}"))?));
        }
        let value = self.value(of)?;
        match op {
            UnaryOp::Positive => Ok(value.without_affinity()),
            UnaryOp::Not => {
                let condition = self.truth(&value)?;
                let sql = Sql::loose(format!("NOT {}", condition.operand()));
                Ok(Value::of(sql, Class::Bool, &[&value]))
            }
            UnaryOp::Negative => self.negative(&value),
            UnaryOp::BitNot => self.bit_not(&value),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Outcome {
        let comparison = match op {
            BinaryOp::And | BinaryOp::Or => return self.logic(op, left, right),
            BinaryOp::Arrow | BinaryOp::ArrowText => {
                return self.arrow(left, right, op == BinaryOp::ArrowText);
            }
            BinaryOp::Equal => Comparison::Equal,
            BinaryOp::NotEqual => Comparison::NotEqual,
            BinaryOp::Less => Comparison::Less,
            BinaryOp::LessEqual => Comparison::LessEqual,
            BinaryOp::Greater => Comparison::Greater,
            BinaryOp::GreaterEqual => Comparison::GreaterEqual,
            BinaryOp::Is | BinaryOp::IsNot => return self.is(left, right, op == BinaryOp::IsNot),
            BinaryOp::Concat => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                return self.concat(&left, &right);
            }
            _ => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                return self.arithmetic(op, &left, &right);
            }
        };
        if let (Expr::Row(left), Expr::Row(right)) = (left, right) {
            return self.compare_rows(comparison, left, right);
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        self.compare(comparison, &left, &right)
    }

    /// AND and OR. Chains of one of them stay flat.
    fn logic(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Outcome {
        let word = if op == BinaryOp::And { "AND" } else { "OR" };
        let mut values = Vec::new();
        let mut texts = Vec::new();
        for side in [left, right] {
            let value = self.value(side)?;
            let condition = self.truth(&value)?;
            let is_same = matches!(side, Expr::Binary(inner, ..) if *inner == op);
            texts.push(if is_same { condition.text } else { condition.operand() });
            values.push(value);
        }
        let sql = Sql::loose(texts.join(&format!(" {word} ")));
        Ok(Value::of(sql, Class::Bool, &values.iter().collect::<Vec<_>>()))
    }

    /// `x IS y`, with its special forms for NULL and for TRUE and FALSE.
    fn is(&mut self, left: &Expr, right: &Expr, negated: bool) -> Outcome {
        if matches!(right, Expr::Literal(Literal::Null)) {
            return self.is_null(left, negated);
        }
        if matches!(left, Expr::Literal(Literal::Null)) {
            return self.is_null(right, negated);
        }
        if let Some(word) = self.truth_word(right)? {
            let value = self.value(left)?;
            let condition = self.truth(&value)?;
            let not = if negated { " NOT" } else { "" };
            let sql = Sql::loose(format!("{} IS{not} {word}", condition.operand()));
            return Ok(Value::of(sql, Class::Bool, &[&value]).not_null());
        }
        let comparison = if negated { Comparison::Distinct } else { Comparison::NotDistinct };
        if let (Expr::Row(left), Expr::Row(right)) = (left, right) {
            return self.compare_rows(comparison, left, right);
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        self.compare(comparison, &left, &right)
    }

    /// TRUE or FALSE behind IS, which then asks for truth and not for a value. SQLite takes `IN ()` for
    /// one of them too.
    fn truth_word(&self, expr: &Expr) -> Result<Option<&'static str>, String> {
        match expr {
            Expr::InList { list, negated, .. } if list.is_empty() => {
                Ok(Some(if *negated { "TRUE" } else { "FALSE" }))
            }
            Expr::Name(name) if name.is_bare && self.find(name)?.is_none() => {
                let words = ["TRUE", "FALSE"].into_iter();
                Ok(words.into_iter().find(|word| name.name.eq_ignore_ascii_case(word)))
            }
            _ => Ok(None),
        }
    }

    fn is_null(&mut self, of: &Expr, negated: bool) -> Outcome {
        let value = self.nullness(of)?;
        let not = if negated { " NOT" } else { "" };
        let sql = match value.class {
            Class::Null => Sql::tight(if negated { "false" } else { "true" }),
            // JSON's null is NULL.
            Class::JsonItem => {
                Sql::loose(format!("({} #>> '{{}}') IS{not} NULL", value.sql.operand()))
            }
            _ => Sql::loose(format!("{} IS{not} NULL", value.sql.operand())),
        };
        let mut tested = Value::new(sql, Class::Bool).not_null();
        tested.is_volatile = value.is_volatile;
        Ok(tested)
    }

    /// A value of which only NULL or not matters: converted columns too.
    pub(super) fn nullness(&mut self, of: &Expr) -> Outcome {
        if let Expr::Name(name) = of
            && let Some((level, relation, column)) = self.find(name)?
        {
            self.saw_column(level, relation, column)?;
            return Ok(self.scopes[level][relation].read_opaque(column));
        }
        self.value(of)
    }

    fn collate(&mut self, of: &Expr, name: &str) -> Outcome {
        let mut value = self.value(of)?;
        let collation = Collation::named(name).ok_or_else(|| {
            format!("only its application knows collation {}", name.escape_debug())
        })?;
        value.collation = Some(collation);
        value.is_collated = true;
        Ok(value)
    }

    fn case(
        &mut self,
        base: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Outcome {
        let base = base.map(|base| self.value(base)).transpose()?;
        if base.as_ref().is_some_and(|base| base.is_volatile) {
            return Err(
                "CASE would compute its operand several times, each time differently".into()
            );
        }
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in arms {
            let when = self.value(when)?;
            let condition = match &base {
                Some(base) => self.compare(Comparison::Equal, base, &when)?,
                None => when,
            };
            conditions.push(self.truth(&condition)?);
            results.push(self.value(then)?);
        }
        results.push(match otherwise {
            Some(otherwise) => self.value(otherwise)?,
            None => Value::constant(Constant::Null),
        });
        let has_else = otherwise.is_some();
        let (class, texts) = self.unified(&results)?;
        let mut sql = String::from("CASE");
        for (condition, result) in conditions.iter().zip(&texts) {
            sql.push_str(&format!(" WHEN {} THEN {}", condition.text, result.text));
        }
        if let (true, Some(last)) = (has_else, texts.last()) {
            sql.push_str(&format!(" ELSE {}", last.text));
        }
        sql.push_str(" END");
        Ok(self.made(Sql::tight(sql), class, &results))
    }

    /// A value that is one of several.
    pub(super) fn made(&self, sql: Sql, class: Class, of: &[Value]) -> Value {
        let mut value = Value::of(sql, class, &of.iter().collect::<Vec<_>>());
        let known = || of.iter().filter(|part| !part.is_null());
        value.narrow = class == Class::Int && known().all(|part| part.narrow);
        value.numeric = class == Class::Number && known().all(|part| part.numeric);
        value.non_negative = known().all(|part| part.non_negative);
        value
    }

    /// Turns a value into a condition: what SQLite takes for true.
    pub(super) fn truth(&mut self, value: &Value) -> Result<Sql, String> {
        match (value.class, &value.constant) {
            (Class::Null, _) => Ok(Sql::tight("NULL::boolean")),
            (_, Some(Constant::Int(number))) => {
                Ok(Sql::tight(if *number == 0 { "false" } else { "true" }))
            }
            (Class::Bool, _) => Ok(value.sql.clone()),
            (Class::Int | Class::Real | Class::Number, _) => {
                Ok(Sql::loose(format!("{} <> 0", value.sql.operand())))
            }
            (Class::Text, Some(Constant::Text(text))) => {
                let is_true = super::cast::real_prefix(text) != 0.0;
                Ok(Sql::tight(if is_true { "true" } else { "false" }))
            }
            (class, _) => Err(format!("{} is taken for true or false", class.shown())),
        }
    }
}

/// TRUE and FALSE: integers, but PostgreSQL's booleans.
fn truth_constant(value: i64) -> Value {
    let mut truth = Value::constant(Constant::Int(value));
    truth.sql = Sql::tight(if value == 1 { "true" } else { "false" });
    truth.class = Class::Bool;
    truth
}

/// Reads a number as SQLite does: hexadecimal is the 64 bits of an integer, an integer beyond 64 bits
/// is a real.
pub(super) fn number(text: &str) -> Result<Constant, String> {
    let text = text.replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let malformed = || format!("{text} is no number");
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let bits = u64::from_str_radix(hex, 16).map_err(|_| malformed())?;
        let value = i64::from_be_bytes(bits.to_be_bytes());
        let value = if sign.is_empty() { Some(value) } else { value.checked_neg() };
        return value.map(Constant::Int).ok_or_else(malformed);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = format!("{sign}{digits}").parse()
    {
        return Ok(Constant::Int(value));
    }
    let value: f64 = format!("{sign}{digits}").parse().map_err(|_| malformed())?;
    Ok(Constant::Real(value))
}

/// Affinity of a type name in CAST: as that of a column.
pub(super) fn affinity_of(declared: &str) -> Affinity {
    Affinity::of_declared(declared)
}
