//! Numbers: operators, and one type for several values.

use crate::model::expression::BinaryOp;

use super::Translator;
use super::value::{Class, Constant, Sql, Value};

type Outcome = Result<Value, String>;

/// Largest double below which every whole number has a double of its own.
const DOUBLE_EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Translator<'_> {
    /// `+ - * / % & | << >>`
    pub(super) fn arithmetic(&mut self, op: BinaryOp, left: &Value, right: &Value) -> Outcome {
        if left.is_null() || right.is_null() {
            return Ok(null_of(Class::Int, &[left, right]));
        }
        let (left, right) = (&as_number(left)?, &as_number(right)?);
        match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply => sum(op, left, right),
            BinaryOp::Divide => divide(left, right),
            BinaryOp::Modulo => modulo(left, right),
            BinaryOp::BitAnd => bits("&", left, right),
            BinaryOp::BitOr => bits("|", left, right),
            BinaryOp::ShiftLeft => shift(left, right, true),
            BinaryOp::ShiftRight => shift(left, right, false),
            _ => Err("no such operator".into()),
        }
    }

    pub(super) fn negative(&mut self, value: &Value) -> Outcome {
        if value.is_null() {
            return Ok(null_of(Class::Int, &[value]));
        }
        let value = &as_number(value)?;
        let of = match value.class {
            Class::Int => wide(value),
            _ => double(value),
        };
        let class = value.class;
        let mut negated = Value::of(Sql::loose(format!("- {}", of.operand())), class, &[value]);
        negated.numeric = false;
        Ok(negated)
    }

    pub(super) fn bit_not(&mut self, value: &Value) -> Outcome {
        if value.is_null() {
            return Ok(null_of(Class::Int, &[value]));
        }
        let value = &as_number(value)?;
        let of = whole(value)?;
        Ok(Value::of(Sql::loose(format!("~ {}", of.operand())), Class::Int, &[value]))
    }

    /// Gives several values one type: that of their common class.
    pub(super) fn unified(&mut self, values: &[Value]) -> Result<(Class, Vec<Sql>), String> {
        let class = common_class(values)?;
        let all_numeric = values.iter().all(|value| value.numeric || value.is_null());
        let texts = values.iter().map(|value| {
            Ok(match class {
                _ if value.is_null() => Sql::tight("NULL"),
                Class::Bool => as_boolean(value),
                Class::Int if value.class == Class::Bool => boolean_as_integer(value),
                Class::Real | Class::Number => {
                    if class == Class::Number && all_numeric {
                        value.sql.clone()
                    } else {
                        double(value)
                    }
                }
                Class::Mixed => self.text_of(value)?,
                Class::Text if value.constant.is_some() => value.sql.cast("text"),
                _ => value.sql.clone(),
            })
        });
        Ok((class, texts.collect::<Result<_, String>>()?))
    }
}

/// The class that several values have in common, NULL aside.
fn common_class(values: &[Value]) -> Result<Class, String> {
    let mut common: Option<Class> = None;
    for value in values.iter().filter(|value| !value.is_null()) {
        let class = match (value.class, value.int_constant()) {
            // 0 and 1 beside a boolean are booleans; alone they are integers.
            (Class::Int, Some(0 | 1)) if values.iter().any(|v| v.class == Class::Bool) => {
                Class::Bool
            }
            (class, _) => class,
        };
        common = Some(match (common, class) {
            (None, class) => class,
            (Some(known), class) if known == class => known,
            (Some(Class::Bool), Class::Int) | (Some(Class::Int), Class::Bool) => Class::Int,
            (Some(known), class) if known.is_number() && class.is_number() => Class::Number,
            (Some(known), class) if has_text(known) && has_text(class) => Class::Mixed,
            (Some(known), class) => {
                return Err(format!("it is {} or {}, by row", known.shown(), class.shown()));
            }
        });
    }
    match common {
        Some(Class::Moment(..) | Class::Opaque) if values.len() > 1 => {
            Err("a converted column is one of several values".into())
        }
        Some(Class::Number) if values.iter().any(|value| value.is_wide) => {
            Err("it is a real or an integer beyond 2^53, by row".into())
        }
        Some(class) => Ok(class),
        None => Ok(Class::Null),
    }
}

const fn has_text(class: Class) -> bool {
    class.is_number() || matches!(class, Class::Text | Class::Mixed | Class::JsonItem)
}

/// NULL with the type of what it would be.
pub(super) fn null_of(class: Class, from: &[&Value]) -> Value {
    let pg_type = match class {
        Class::Int => "bigint",
        Class::Bool => "boolean",
        Class::Real | Class::Number => "double precision",
        Class::Blob => "bytea",
        _ => "text",
    };
    let mut value = Value::of(Sql::tight(format!("NULL::{pg_type}")), class, from).maybe_null();
    value.constant = Some(Constant::Null);
    value.class = Class::Null;
    value
}

/// A value as an operand of arithmetic: booleans are integers; a text is a number only when it is a
/// constant.
pub(super) fn as_number(value: &Value) -> Outcome {
    match (value.class, &value.constant) {
        (Class::Bool, Some(Constant::Int(number))) => Ok(Value::constant(Constant::Int(*number))),
        (Class::Bool, _) => {
            let mut number = Value::of(boolean_as_integer(value), Class::Int, &[value]);
            number.non_negative = true;
            Ok(number)
        }
        (Class::Int | Class::Real | Class::Number, _) => Ok(value.clone()),
        (Class::Text, Some(Constant::Text(text))) => super::cast::number_prefix(text)
            .map(Value::constant)
            .ok_or_else(|| "a text is taken for a number".into()),
        (class, _) => Err(format!("{} is taken for a number", class.shown())),
    }
}

/// 0 or 1 for a boolean.
pub(super) fn boolean_as_integer(value: &Value) -> Sql {
    match value.int_constant() {
        Some(number) => Sql::tight(number.to_string()),
        None => value.sql.cast("integer").cast("bigint"),
    }
}

/// A boolean for a value that is 0 or 1.
fn as_boolean(value: &Value) -> Sql {
    match value.int_constant() {
        Some(0) => Sql::tight("false"),
        Some(_) => Sql::tight("true"),
        None => value.sql.clone(),
    }
}

/// An integer with 64 bits.
pub(super) fn wide(value: &Value) -> Sql {
    match value.class {
        Class::Bool => boolean_as_integer(value),
        _ if value.narrow => value.sql.cast("bigint"),
        _ => value.sql.clone(),
    }
}

/// A number as a double.
pub(super) fn double(value: &Value) -> Sql {
    match (value.class, &value.constant) {
        (Class::Real, _) => value.sql.clone(),
        #[expect(clippy::cast_precision_loss, reason = "as SQLite does it")]
        (Class::Int | Class::Bool, Some(Constant::Int(number))) => {
            Value::constant(Constant::Real(*number as f64)).sql
        }
        (Class::Bool, _) => boolean_as_integer(value).cast("double precision"),
        (Class::Number, _) if !value.numeric => value.sql.clone(),
        _ => value.sql.cast("double precision"),
    }
}

/// Two integers for an operator: 64 bits unless one of them has them anyway.
fn pair(left: &Value, right: &Value) -> (Sql, Sql) {
    if left.narrow && right.narrow {
        (wide(left), right.sql.clone())
    } else {
        (left.sql.clone(), right.sql.clone())
    }
}

fn are_integers(left: &Value, right: &Value) -> bool {
    left.class == Class::Int && right.class == Class::Int
}

fn sum(op: BinaryOp, left: &Value, right: &Value) -> Outcome {
    let sign = match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        _ => "*",
    };
    let both = [left, right];
    let grows = left.non_negative && right.non_negative && op != BinaryOp::Subtract;
    if are_integers(left, right) {
        let (a, b) = pair(left, right);
        let mut value = Value::of(Sql::infix(&a, sign, &b), Class::Int, &both);
        value.non_negative = grows;
        // A product of two integers under 2^53 may be beyond it.
        value.is_wide |= op == BinaryOp::Multiply && !(left.narrow && right.narrow);
        return Ok(value);
    }
    let class =
        if both.iter().any(|v| v.class == Class::Real) { Class::Real } else { Class::Number };
    if class == Class::Number && both.iter().any(|value| value.is_wide) {
        return Err("it is a real or an integer beyond 2^53, by row".into());
    }
    let sql = Sql::infix(&double(left), sign, &double(right));
    let mut value = Value::of(not_nan(sql, &both), class, &both);
    value.non_negative = grows;
    Ok(value)
}

/// Infinity minus infinity is NULL in SQLite and NaN in PostgreSQL.
fn not_nan(sql: Sql, from: &[&Value]) -> Sql {
    if from.iter().any(|value| value.is_infinite) {
        return Sql::tight(format!("NULLIF({}, 'NaN'::double precision)", sql.text));
    }
    sql
}

fn divide(left: &Value, right: &Value) -> Outcome {
    let both = [left, right];
    let is_zero = |value: &Value| {
        matches!(value.constant, Some(Constant::Int(0)))
            || matches!(value.constant, Some(Constant::Real(real)) if real == 0.0)
    };
    if are_integers(left, right) {
        if is_zero(right) {
            return Ok(null_of(Class::Int, &both));
        }
        let (a, b) = pair(left, right);
        let b = if right.constant.is_some() { b } else { nullif_zero(&b) };
        let mut value = Value::of(Sql::infix(&a, "/", &b), Class::Int, &both);
        value.nullable |= right.constant.is_none();
        value.non_negative = left.non_negative && right.non_negative;
        return Ok(value);
    }
    if !both.iter().any(|value| value.class == Class::Real) {
        return Err("a number that is an integer or a real, by row, is divided: SQLite cuts the result of integers off".into());
    }
    if is_zero(right) {
        return Ok(null_of(Class::Real, &both));
    }
    let b = if right.constant.is_some() { double(right) } else { nullif_zero(&double(right)) };
    let sql = not_nan(Sql::infix(&double(left), "/", &b), &both);
    let mut value = Value::of(sql, Class::Real, &both);
    value.nullable |= right.constant.is_none();
    value.non_negative = left.non_negative && right.non_negative;
    Ok(value)
}

fn nullif_zero(sql: &Sql) -> Sql {
    Sql::tight(format!("NULLIF({}, 0)", sql.text))
}

/// Both sides become integers; the result is a real when one of them was one.
fn modulo(left: &Value, right: &Value) -> Outcome {
    let both = [left, right];
    if both.iter().any(|value| value.class == Class::Number) {
        return Err("% of a number that is an integer or a real, by row".into());
    }
    let (a, b) =
        if are_integers(left, right) { pair(left, right) } else { (whole(left)?, whole(right)?) };
    let divisor = match right.constant {
        Some(Constant::Int(0)) => return Ok(null_of(Class::Int, &both)),
        Some(Constant::Int(_)) => b,
        _ => nullif_zero(&b),
    };
    let sql = Sql::infix(&a, "%", &divisor);
    let is_real = !are_integers(left, right);
    let sql = if is_real { sql.cast("double precision") } else { sql };
    let mut value = Value::of(sql, if is_real { Class::Real } else { Class::Int }, &both);
    value.nullable |= !matches!(right.constant, Some(Constant::Int(_)));
    value.non_negative = left.non_negative;
    value.is_wide = left.is_wide && !is_real;
    Ok(value)
}

/// The integer that SQLite casts a number to: towards zero.
pub(super) fn whole(value: &Value) -> Result<Sql, String> {
    match value.class {
        Class::Int => Ok(wide(value)),
        Class::Bool => Ok(boolean_as_integer(value)),
        Class::Real | Class::Number => {
            if let Some(Constant::Real(real)) = value.constant {
                #[expect(clippy::cast_possible_truncation, reason = "SQLite clamps as Rust does")]
                return Ok(wide(&Value::constant(Constant::Int(real as i64))));
            }
            Ok(Sql::call("trunc", &[&value.sql]).cast("bigint"))
        }
        class => Err(format!("{} is taken for an integer", class.shown())),
    }
}

fn bits(op: &str, left: &Value, right: &Value) -> Outcome {
    let sql = Sql::infix(&whole(left)?, op, &whole(right)?);
    let mut value = Value::of(sql, Class::Int, &[left, right]);
    value.is_wide = true;
    value.non_negative = left.non_negative && right.non_negative;
    Ok(value)
}

/// PostgreSQL counts shifts modulo 64; in SQLite those of 64 and more leave nothing but the sign, and
/// negative ones go the other way.
fn shift(left: &Value, right: &Value, to_left: bool) -> Outcome {
    let of = whole(left)?;
    let zero = "0::bigint";
    let negative_one = "(-1)::bigint";
    let sign_only =
        |of: &Sql| format!("CASE WHEN {} < 0 THEN {negative_one} ELSE {zero} END", of.operand());
    let sql = if let Some(count) = right.int_constant() {
        let leftwards = if to_left { count } else { count.saturating_neg() };
        match leftwards {
            0..=63 => Sql::loose(format!("{} << {leftwards}", of.operand())),
            -63..=-1 => Sql::loose(format!("{} >> {}", of.operand(), -leftwards)),
            64.. if left.nullable => {
                Sql::tight(format!("CASE WHEN {} IS NOT NULL THEN {zero} END", of.operand()))
            }
            64.. => Sql::tight(zero),
            _ if left.nullable => Sql::tight(format!(
                "CASE WHEN {} < 0 THEN {negative_one} WHEN {} >= 0 THEN {zero} END",
                of.operand(),
                of.operand()
            )),
            _ => Sql::tight(sign_only(&of)),
        }
    } else {
        if left.is_volatile || right.is_volatile {
            return Err("a shift would compute its operands several times".into());
        }
        let count = whole(right)?;
        let (of, count) = (of.operand(), count.operand());
        let (forth, back) = if to_left { ("<<", ">>") } else { (">>", "<<") };
        let sign = format!("CASE WHEN {of} < 0 THEN {negative_one} ELSE {zero} END");
        let (far_forth, far_back) =
            if to_left { (zero.to_owned(), sign) } else { (sign, zero.to_owned()) };
        Sql::tight(format!(
            "CASE WHEN {of} IS NULL OR {count} IS NULL THEN NULL WHEN {count} >= 64 THEN {far_forth} \
             WHEN {count} >= 0 THEN {of} {forth} {count}::integer \
             WHEN {count} > -64 THEN {of} {back} (- {count})::integer ELSE {far_back} END"
        ))
    };
    let mut value = Value::of(sql, Class::Int, &[left, right]);
    value.is_wide = true;
    Ok(value)
}

/// A real constant as PostgreSQL's numeric, for a comparison with an integer: exact, since digits
/// after the point decide only where the integer is small.
pub(super) fn decimal(real: f64) -> String {
    if real.abs() < DOUBLE_EXACT_MAX { format!("{real:?}") } else { format!("{real}") }
}
