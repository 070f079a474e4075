//! CAST, and values for a column of the target.

use crate::model::expression::Expr;
use crate::model::pg_type::PgType;
use crate::model::source::Affinity;

use super::Translator;
use super::arithmetic::{as_number, double, null_of, whole, wide};
use super::operators::{affinity_of, number};
use super::value::{Class, Constant, Part, Sql, Value};

type Outcome = Result<Value, String>;

/// What SQLite skips before a number.
const BLANKS: &str = "[ \\t\\n\\v\\f\\r]*";

impl Translator<'_> {
    pub(super) fn cast(&mut self, of: &Expr, declared: &str) -> Outcome {
        let value = self.value(of)?;
        let affinity = affinity_of(declared);
        let mut cast = self.as_class(&value, affinity)?;
        cast.affinity = Some(affinity);
        cast.collation = value.collation;
        cast.is_collated = value.is_collated;
        Ok(cast)
    }

    fn as_class(&mut self, value: &Value, affinity: Affinity) -> Outcome {
        if value.is_null() {
            let class = match affinity {
                Affinity::Integer | Affinity::Numeric => Class::Int,
                Affinity::Real => Class::Real,
                Affinity::Text => Class::Text,
                Affinity::Blob => Class::Blob,
            };
            return Ok(null_of(class, &[value]));
        }
        match affinity {
            Affinity::Integer => self.as_integer(value),
            Affinity::Real => self.as_real(value),
            Affinity::Text if value.class == Class::Blob => {
                Err("bytes are taken for text, which may not be UTF-8".into())
            }
            Affinity::Text => self.as_text(value),
            Affinity::Blob => Ok(Value::of(self.bytes_of(value)?, Class::Blob, &[value])),
            Affinity::Numeric => match value.class {
                Class::Bool => as_number(value),
                class if class.is_number() => {
                    let mut number = value.clone();
                    number.is_stored_number = false;
                    Ok(number)
                }
                class => {
                    Err(format!("CAST of {} to a number, integer or real by row", class.shown()))
                }
            },
        }
    }

    fn as_integer(&mut self, value: &Value) -> Outcome {
        if let Some(text) = value.text_constant() {
            return Ok(Value::constant(Constant::Int(integer_prefix(text))));
        }
        if let Some(digits) = &value.digits {
            let mut integer = Value::of((**digits).clone(), Class::Int, &[value]);
            integer.digits = None;
            return Ok(integer);
        }
        match value.class {
            Class::Int => Ok(value.clone()),
            Class::Bool | Class::Real | Class::Number => {
                let mut cast = Value::of(whole(value)?, Class::Int, &[value]);
                cast.is_wide |= matches!(value.class, Class::Real | Class::Number);
                cast.non_negative = value.non_negative;
                Ok(cast)
            }
            Class::Text | Class::JsonItem | Class::Mixed => {
                if value.class != Class::Text {
                    return Err(format!("CAST of {} to INTEGER", value.class.shown()));
                }
                // The longest beginning that is an integer, else 0; what is beyond 64 bits is cut to
                // them.
                let digits = format!(
                    "regexp_replace({}, '^{BLANKS}(?:(-)|\\+)?([0-9]*).*$', '\\10\\2')::numeric",
                    value.sql.text
                );
                let sql = format!(
                    "least(greatest({digits}, -9223372036854775808), 9223372036854775807)::bigint"
                );
                let sql = guarded(value, sql);
                let mut cast = Value::of(sql, Class::Int, &[value]);
                cast.is_wide = true;
                Ok(cast)
            }
            class => Err(format!("CAST of {} to INTEGER", class.shown())),
        }
    }

    fn as_real(&mut self, value: &Value) -> Outcome {
        if let Some(text) = value.text_constant() {
            return Ok(Value::constant(Constant::Real(real_prefix(text))));
        }
        match value.class {
            Class::Bool | Class::Int | Class::Real | Class::Number => {
                let mut real = Value::of(double(value), Class::Real, &[value]);
                real.non_negative = value.non_negative;
                Ok(real)
            }
            Class::Text if value.is_volatile => Err("CAST would compute its operand twice".into()),
            Class::Text => {
                let text = value.sql.operand();
                let number = "([+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?)";
                let prefix = format!("substring({text} from '^{BLANKS}{number}')");
                let sql = if value.nullable {
                    format!("coalesce({prefix}, CASE WHEN {text} IS NOT NULL THEN '0' END)")
                } else {
                    format!("coalesce({prefix}, '0')")
                };
                Ok(Value::of(Sql::tight(sql).cast("double precision"), Class::Real, &[value]))
            }
            class => Err(format!("CAST of {} to REAL", class.shown())),
        }
    }

    /// Writes a value for a column: SQLite applies the column's affinity, and the result must be of
    /// the type that the column has in the target.
    pub(super) fn fitted(
        &mut self,
        value: &Value,
        affinity: Affinity,
        pg_type: PgType,
    ) -> Result<Sql, String> {
        if value.is_null() {
            return Ok(Sql::tight("NULL"));
        }
        if let Some(sql) = self.fitted_instant(value, pg_type) {
            return Ok(sql);
        }
        if let Some(digits) = &value.digits
            && matches!(affinity, Affinity::Integer | Affinity::Numeric)
            && matches!(pg_type, PgType::BigInt | PgType::Integer | PgType::Numeric(None))
        {
            return Ok(digits.cast(&pg_type.to_string()));
        }
        let unfit = |class: Class| {
            Err(format!("{} is stored in a column of type {pg_type}", class.shown()))
        };
        match pg_type {
            PgType::Boolean => match (value.class, value.int_constant()) {
                (Class::Bool, _) => Ok(value.sql.clone()),
                (Class::Int, Some(0)) => Ok(Sql::tight("false")),
                (Class::Int, Some(1)) => Ok(Sql::tight("true")),
                (class, _) => unfit(class),
            },
            PgType::SmallInt | PgType::Integer | PgType::BigInt => match value.class {
                Class::Int | Class::Bool if affinity != Affinity::Text => {
                    let sql = wide(value);
                    Ok(if pg_type == PgType::BigInt { sql } else { sql.cast(&pg_type.to_string()) })
                }
                class => unfit(class),
            },
            PgType::Double => match value.class {
                class if class.is_number() && affinity != Affinity::Text => Ok(double(value)),
                class => unfit(class),
            },
            PgType::Numeric(sizes) => match value.class {
                Class::Int | Class::Bool => Ok(wide(value).cast("numeric")),
                // Digits beyond the scale would be rounded off.
                _ if sizes.is_some() => unfit(value.class),
                Class::Number if value.numeric => Ok(value.sql.clone()),
                // Its shortest digits: a cast alone would keep 15 of them.
                Class::Real | Class::Number if !value.is_infinite => {
                    Ok(double(value).cast("text").cast("numeric"))
                }
                class => unfit(class),
            },
            PgType::Text | PgType::Varchar(_) => match (value.class, affinity) {
                (Class::Text, Affinity::Text | Affinity::Blob) => Ok(value.sql.clone()),
                (Class::Text, _) if value.is_random_text => Ok(value.sql.clone()),
                (Class::Text, Affinity::Numeric) if value.instant.is_some() => {
                    Ok(value.sql.clone())
                }
                (Class::Bool | Class::Int | Class::Real | Class::JsonItem, Affinity::Text) => {
                    self.text_of(value)
                }
                (class, _) => unfit(class),
            },
            PgType::Bytea if value.class == Class::Blob => Ok(value.sql.clone()),
            PgType::Jsonb if value.class == Class::Json => Ok(value.sql.clone()),
            PgType::Json if value.class == Class::Json => Ok(value.sql.cast("json")),
            PgType::Uuid
                if value.is_random_text || (value.class == Class::Blob && value.is_volatile) =>
            {
                self.notes.push("Its default makes random UUIDs of version 4.".into());
                Ok(Sql::tight("gen_random_uuid()"))
            }
            _ => unfit(value.class),
        }
    }

    /// A point in time for a column of that type.
    fn fitted_instant(&mut self, value: &Value, pg_type: PgType) -> Option<Sql> {
        let instant = value.instant.as_deref()?;
        let stamp = &instant.stamp;
        let seconds = || Sql::call("date_trunc", &[&Sql::tight("'second'"), stamp]);
        Some(match (pg_type, instant.part) {
            (PgType::Timestamp, Part::Seconds) => seconds(),
            (PgType::Timestamp, Part::Millis) => {
                Sql::call("date_trunc", &[&Sql::tight("'milliseconds'"), stamp])
            }
            (PgType::TimestampTz, Part::Seconds | Part::Millis) if instant.is_now => {
                Sql::tight("now()")
            }
            (PgType::TimestampTz, Part::Seconds) => {
                Sql::loose(format!("{} AT TIME ZONE 'UTC'", seconds().operand()))
            }
            (PgType::Timestamp | PgType::Date, Part::Date) => stamp.cast("date"),
            (PgType::Time, Part::Time) => seconds().cast("time"),
            _ => return None,
        })
    }
}

/// NULL stays NULL through a function that is strict; the guard is for those that are not.
fn guarded(value: &Value, sql: String) -> Sql {
    if value.nullable {
        // least() and greatest() pass over NULL.
        return Sql::tight(format!("CASE WHEN {} IS NOT NULL THEN {sql} END", value.sql.operand()));
    }
    Sql::tight(sql)
}

/// The number that a text is as a whole, as SQLite's affinity takes it; `None`: it stays text.
pub(super) fn number_of(text: &str) -> Option<Constant> {
    let trimmed = text.trim_matches(is_blank);
    let (length, _) = prefix(trimmed);
    if length == 0 || length < trimmed.len() {
        return None;
    }
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    match number(digits).ok()? {
        Constant::Real(real) if is_integral(real) => {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            let whole = real as i64;
            Some(Constant::Int(whole))
        }
        other => Some(other),
    }
}

fn is_integral(real: f64) -> bool {
    real.trunc() == real && real.abs() < 9_007_199_254_740_992.0
}

/// The number that a text begins with, as arithmetic takes it; 0 when it begins with none.
pub(super) fn number_prefix(text: &str) -> Option<Constant> {
    let trimmed = text.trim_start_matches(is_blank);
    let (length, is_real) = prefix(trimmed);
    let digits = trimmed.get(..length)?;
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if digits.is_empty() || digits == "-" {
        return Some(Constant::Int(0));
    }
    if is_real { digits.parse().ok().map(Constant::Real) } else { number(digits).ok() }
}

/// The same as a real.
pub(super) fn real_prefix(text: &str) -> f64 {
    match number_prefix(text) {
        Some(Constant::Real(real)) => real,
        #[expect(clippy::cast_precision_loss, reason = "as SQLite does it")]
        Some(Constant::Int(integer)) => integer as f64,
        _ => 0.0,
    }
}

/// The same as an integer: digits only, cut to 64 bits.
fn integer_prefix(text: &str) -> i64 {
    let trimmed = text.trim_start_matches(is_blank);
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (-1_i128, digits),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let mut value: i128 = 0;
    for digit in digits.bytes().take_while(u8::is_ascii_digit) {
        value = (value * 10 + i128::from(digit - b'0')).min(i128::from(u64::MAX));
    }
    let value = (sign * value).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(value).unwrap_or(i64::MAX)
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// Bytes of the number that a text begins with, and whether it has a point or an exponent.
fn prefix(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let start = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = digits(start);
    let mut count = end - start;
    let mut is_real = false;
    if bytes.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        if count > 0 || after > end + 1 {
            count += after - end - 1;
            is_real = true;
            end = after;
        }
    }
    if count == 0 {
        return (0, false);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            is_real = true;
            end = after;
        }
    }
    (end, is_real)
}
