//! DEFAULT literals, fitted to the mapped type.
//!
//! Purpose: a literal means the value that SQLite would store for it (affinity applied), and that
//! value goes through the column's own encoder; only when it fits is it printed. What is no literal
//! and no CURRENT_... is an expression, which [`crate::map::expr`] translates or refuses.

use crate::encode::{RowEncoder, Zone, decimal, iso, words};
use crate::map::expr::{Translated, Translator};
use crate::model::convert::{Conversion, Convert};
use crate::model::ident::literal;
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::plan::ColumnPlan;
use crate::model::source::{Affinity, Column};
use crate::model::value::Value;

/// What a DEFAULT becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultPlan {
    /// No DEFAULT, or DEFAULT NULL.
    Absent,
    /// The text after DEFAULT.
    Sql(String),
    /// An expression, translated.
    Expression(Translated),
    /// It is left out, and why.
    NotCarried(String),
}

/// A literal's value.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Literal {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) => Value::Text(text.as_bytes()),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// Fits a column's DEFAULT to its type in the target.
#[must_use]
pub fn fitted(
    column: &Column,
    plan: &ColumnPlan,
    labels: &[String],
    encoding: &str,
) -> DefaultPlan {
    // A default that does not fit is left out and named, whatever becomes of values.
    let plan = &ColumnPlan { on_misfit: OnMisfit::Reject, ..plan.clone() };
    let Some(source) = column.default.as_deref().map(str::trim) else {
        return DefaultPlan::Absent;
    };
    if let Some(now) = current(source, plan.pg_type) {
        return now;
    }
    let parsed = if column.default_is_word {
        Some(Literal::Text(unquoted_word(source)))
    } else {
        parse(source)
    };
    let Some(parsed) = parsed else {
        return match expression(column, plan, encoding) {
            Ok(translated) => DefaultPlan::Expression(translated),
            Err(reason) => {
                DefaultPlan::NotCarried(format!("its expression is not translated: {reason}"))
            }
        };
    };
    let Some(stored) = with_affinity(parsed, column.affinity) else {
        return DefaultPlan::NotCarried(
            "versions of SQLite make different texts of this number".into(),
        );
    };
    if stored == Literal::Null {
        return DefaultPlan::Absent;
    }
    if matches!(plan.convert, Convert::Enum(_)) {
        return label(&stored, plan, labels);
    }
    if !matches!(plan.convert, Convert::Plain | Convert::BOOL_WORD) {
        return DefaultPlan::NotCarried(
            "the column's values are converted, which this version does not do to a default".into(),
        );
    }
    let encoder = RowEncoder::new(std::slice::from_ref(plan), &Zone::default());
    match encoder.field(0, stored.as_value(), &mut Vec::new()) {
        Ok(()) => DefaultPlan::Sql(printed(&stored, plan.pg_type)),
        Err(_) => {
            DefaultPlan::NotCarried("it does not fit the type that the column becomes".into())
        }
    }
}

/// Translates a DEFAULT that is no literal.
fn expression(column: &Column, plan: &ColumnPlan, encoding: &str) -> Result<Translated, String> {
    let tree = column.default_tree.clone().unwrap_or_else(|| Err("it is unknown".into()))?;
    let is_direct = matches!(
        plan.convert,
        Convert::Plain
            | Convert::BOOL_WORD
            | Convert::Named(Conversion::Iso | Conversion::IsoOrUnixMillis | Conversion::JsonAny)
    );
    if !is_direct {
        return Err("the column's values are converted".into());
    }
    Translator::alone(encoding).stored(&tree, column.affinity, plan.pg_type)
}

/// A default of an enum column is one of its labels.
fn label(stored: &Literal, plan: &ColumnPlan, labels: &[String]) -> DefaultPlan {
    let encoder = RowEncoder::new(std::slice::from_ref(plan), &Zone::default());
    let mut field = Vec::new();
    let encoded = encoder.field(0, stored.as_value(), &mut field);
    let text = field.get(4..).and_then(|label| std::str::from_utf8(label).ok());
    match (encoded, text) {
        (Ok(()), Some(text)) if labels.iter().any(|label| label == text) => {
            DefaultPlan::Sql(literal(text))
        }
        _ => DefaultPlan::NotCarried("it is no label of the type that the column becomes".into()),
    }
}

/// CURRENT_TIMESTAMP and its kin are UTC text in SQLite; each type has its own way to say so.
fn current(source: &str, pg_type: PgType) -> Option<DefaultPlan> {
    const UTC: &str = "(now() AT TIME ZONE 'UTC')";
    let format = match source.to_ascii_uppercase().as_str() {
        "CURRENT_TIMESTAMP" => "YYYY-MM-DD HH24:MI:SS",
        "CURRENT_DATE" => "YYYY-MM-DD",
        "CURRENT_TIME" => "HH24:MI:SS",
        _ => return None,
    };
    let is = |word: &str| source.eq_ignore_ascii_case(word);
    Some(match pg_type {
        PgType::Text | PgType::Varchar(_) => {
            DefaultPlan::Sql(format!("to_char(now() AT TIME ZONE 'UTC', '{format}')"))
        }
        PgType::Timestamp if is("CURRENT_TIMESTAMP") => {
            DefaultPlan::Sql(format!("date_trunc('second', {UTC})"))
        }
        PgType::Timestamp | PgType::Date if is("CURRENT_DATE") => {
            DefaultPlan::Sql(format!("{UTC}::date"))
        }
        PgType::TimestampTz if is("CURRENT_TIMESTAMP") => DefaultPlan::Sql("now()".to_owned()),
        PgType::Time if is("CURRENT_TIME") => {
            DefaultPlan::Sql(format!("date_trunc('second', {UTC})::time"))
        }
        _ => DefaultPlan::NotCarried(
            "the time as text does not fit the type that the column becomes".into(),
        ),
    })
}

/// Reads a literal: NULL, TRUE, FALSE, a number with signs, `'text'`, `x'blob'`.
fn parse(source: &str) -> Option<Literal> {
    let upper = source.to_ascii_uppercase();
    match upper.as_str() {
        "NULL" => return Some(Literal::Null),
        "TRUE" => return Some(Literal::Integer(1)),
        "FALSE" => return Some(Literal::Integer(0)),
        _ => {}
    }
    if let Some(inner) = source.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return unescaped(inner).map(Literal::Text);
    }
    if let Some(inner) = upper.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\'')) {
        return bytes_of_hex(inner).map(Literal::Blob);
    }
    number(source)
}

/// Undoubles quotes; `None` when a single one shows that this is more than one literal.
fn unescaped(inner: &str) -> Option<String> {
    let undoubled = inner.replace("''", "\u{0}");
    (!undoubled.contains('\'') && !inner.contains('\u{0}')).then(|| undoubled.replace('\u{0}', "'"))
}

fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn number(source: &str) -> Option<Literal> {
    let mut negative = false;
    let mut digits = source.trim();
    while let Some(sign @ ('+' | '-')) = digits.chars().next() {
        negative ^= sign == '-';
        digits = digits[1..].trim_start();
    }
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        // SQLite reads hexadecimal as the 64 bits of a two's complement integer.
        let bits = u64::from_str_radix(hex, 16).ok()?;
        let value = i64::from_be_bytes(bits.to_be_bytes());
        return Some(Literal::Integer(if negative { value.checked_neg()? } else { value }));
    }
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain {
        return None;
    }
    let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
    if digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = signed.parse()
    {
        return Some(Literal::Integer(value));
    }
    signed.parse().ok().map(Literal::Real)
}

/// `"text"`, `[text]`, `` `text` `` or a bare word: SQLite takes all as a string here.
fn unquoted_word(source: &str) -> String {
    for (open, close) in [('"', '"'), ('`', '`'), ('[', ']')] {
        let inner = source.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner {
            let doubled: String = [close, close].iter().collect();
            return inner.replace(&doubled, &close.to_string());
        }
    }
    source.to_owned()
}

/// The value that SQLite stores when it applies the column's affinity to the literal; `None` when
/// that depends on its version.
fn with_affinity(value: Literal, affinity: Affinity) -> Option<Literal> {
    Some(match (affinity, value) {
        (Affinity::Real, Literal::Integer(value)) => {
            #[expect(clippy::cast_precision_loss, reason = "as SQLite does it")]
            let real = value as f64;
            Literal::Real(real)
        }
        // Stored as the integer 0, where -0.0 loses its sign.
        (Affinity::Real, Literal::Real(0.0)) => Literal::Real(0.0),
        (Affinity::Text, Literal::Integer(value)) => Literal::Text(value.to_string()),
        (Affinity::Text, Literal::Real(value)) => Literal::Text(text_of_real(value)?),
        (Affinity::Integer | Affinity::Numeric | Affinity::Real, Literal::Text(text)) => {
            match number_in(&text) {
                Some(number) => with_affinity(number, affinity)?,
                None => Literal::Text(text),
            }
        }
        (Affinity::Integer | Affinity::Numeric, Literal::Real(value))
            if value.fract() == 0.0 && value.abs() < TWO_TO_63 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 64 bits")]
            let whole = value as i64;
            Literal::Integer(whole)
        }
        (_, value) => value,
    })
}

/// 2^63, beyond which a real is no 64-bit integer.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// The number that affinity makes of a text: blanks around it and one sign, but no hexadecimal.
fn number_in(text: &str) -> Option<Literal> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let is_hex = digits.starts_with("0x") || digits.starts_with("0X");
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (begins && !is_hex).then(|| number(trimmed)).flatten()
}

/// The text that TEXT affinity makes of a real, where all versions of SQLite make the same: up to
/// 3.50 they print 15 digits, later ones 17.
fn text_of_real(value: f64) -> Option<String> {
    if value.is_infinite() {
        return Some(if value > 0.0 { "Inf" } else { "-Inf" }.to_owned());
    }
    if value == 0.0 {
        return Some("0.0".to_owned());
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if digits > 15 || (15..17).contains(&exponent) || value.is_subnormal() {
        return None;
    }
    let with_point =
        |digits: &str| if digits.contains('.') { digits.to_owned() } else { format!("{digits}.0") };
    if (-4..15).contains(&exponent) {
        return Some(with_point(&value.to_string()));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{}e{sign}{:02}", with_point(mantissa), exponent.abs()))
}

/// Prints a value that the type holds.
fn printed(value: &Literal, pg_type: PgType) -> String {
    let as_text = match value {
        Literal::Null => return "NULL".to_owned(),
        Literal::Integer(value) => value.to_string(),
        Literal::Real(value) => {
            String::from_utf8_lossy(decimal::text_of_double(*value).as_bytes()).into_owned()
        }
        Literal::Text(text) => text.clone(),
        Literal::Blob(_) => String::new(),
    };
    match pg_type {
        PgType::Boolean => match words::boolean(as_text.as_bytes()) {
            Some(true) => "true".to_owned(),
            _ => "false".to_owned(),
        },
        PgType::SmallInt | PgType::Integer | PgType::BigInt => as_text,
        PgType::Numeric(_) => match value {
            Literal::Real(value) => decimal::plain_of_double(*value)
                .map_or(as_text, |plain| String::from_utf8_lossy(plain.as_bytes()).into_owned()),
            _ => as_text,
        },
        PgType::Double => format!("{}::double precision", literal(&as_text)),
        PgType::Bytea => {
            let bytes = match value {
                Literal::Blob(bytes) => bytes.as_slice(),
                _ => as_text.as_bytes(),
            };
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{hex}'::bytea")
        }
        PgType::Date | PgType::Time | PgType::Timestamp | PgType::TimestampTz => {
            debug_assert!(
                iso::date(as_text.as_bytes()).is_some()
                    || iso::time(as_text.as_bytes()).is_some()
                    || iso::timestamp(as_text.as_bytes()).is_some()
            );
            format!("{}::{pg_type}", literal(&as_text))
        }
        PgType::Text | PgType::Varchar(_) | PgType::Char(_) => literal(&as_text),
        PgType::Real
        | PgType::TimeTz
        | PgType::Interval
        | PgType::Json
        | PgType::Jsonb
        | PgType::Uuid
        | PgType::Inet
        | PgType::Cidr
        | PgType::MacAddr
        | PgType::Array(_)
        | PgType::Enum(_) => format!("{}::{pg_type}", literal(&as_text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::convert::Convert;

    fn default(declared: &str, pg_type: PgType, source: &str) -> DefaultPlan {
        let word = source.starts_with('"') || source == "bareword";
        let column = Column {
            name: "c".into(),
            declared: declared.into(),
            affinity: Affinity::of_declared(declared),
            not_null: false,
            default: Some(source.into()),
            default_tree: None,
            default_is_word: word,
            generated: None,
            collation: "BINARY".into(),
        };
        let plan = ColumnPlan {
            source: "c".into(),
            readable: true,
            target: "c".into(),
            pg_type,
            convert: Convert::BOOL_WORD,
            labels: Vec::new(),
            on_misfit: OnMisfit::Widen,
            demands: crate::model::demands::Demands::default(),
        };
        fitted(&column, &plan, &[], "UTF-8")
    }

    #[test]
    fn literals_are_printed_in_the_type_of_the_column() {
        for (declared, pg_type, source, printed) in [
            ("INTEGER", PgType::BigInt, "'10'", "10"),
            ("INTEGER", PgType::BigInt, "- 5", "-5"),
            ("INTEGER", PgType::BigInt, "0x1F", "31"),
            ("INTEGER", PgType::BigInt, "TRUE", "1"),
            ("BOOLEAN", PgType::Boolean, "1", "true"),
            ("BOOLEAN", PgType::Boolean, "'f'", "false"),
            ("TEXT", PgType::Text, "'it''s'", "'it''s'"),
            ("TEXT", PgType::Text, "5", "'5'"),
            ("TEXT", PgType::Text, "1e300", "'1.0e+300'"),
            ("TEXT", PgType::Text, "123456789012345.0", "'123456789012345.0'"),
            ("REAL", PgType::Double, "-0.0", "'0.0'::double precision"),
            ("NUMERIC", PgType::Text, "1e16", "'10000000000000000'"),
            ("NUMERIC", PgType::Text, "'0x1F'", "'0x1F'"),
            ("NUMERIC", PgType::Text, "'- 5'", "'- 5'"),
            ("NUMERIC", PgType::Text, "' -5 '", "'-5'"),
            ("TEXT", PgType::Text, "\"hello\"", "'hello'"),
            ("TEXT", PgType::Text, "bareword", "'bareword'"),
            ("REAL", PgType::Double, "+1.5e3", "'1500.0'::double precision"),
            ("DECIMAL(5,2)", PgType::Numeric(Some((5, 2))), "0.1", "0.1"),
            ("BLOB", PgType::Bytea, "x'00ff'", "'\\x00ff'::bytea"),
            ("JSON", PgType::Jsonb, "'{}'", "'{}'::jsonb"),
            ("DATETIME", PgType::Timestamp, "'2024-01-02'", "'2024-01-02'::timestamp"),
            (
                "DATETIME",
                PgType::Timestamp,
                "CURRENT_TIMESTAMP",
                "date_trunc('second', (now() AT TIME ZONE 'UTC'))",
            ),
            (
                "TEXT",
                PgType::Text,
                "current_timestamp",
                "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
            ),
        ] {
            assert_eq!(
                default(declared, pg_type, source),
                DefaultPlan::Sql(printed.into()),
                "{source}"
            );
        }
    }

    #[test]
    fn what_is_no_literal_or_does_not_fit_is_not_guessed() {
        for (declared, pg_type, source) in [
            ("TEXT", PgType::Text, "'a' || 'b'"),
            ("TEXT", PgType::Text, "1e16"),
            ("TEXT", PgType::Text, "0.30000000000000004"),
            ("TEXT", PgType::Text, "datetime('now')"),
            ("INTEGER", PgType::BigInt, "1+2"),
            ("INTEGER", PgType::BigInt, "'abc'"),
            ("INTEGER", PgType::BigInt, "CURRENT_TIMESTAMP"),
            ("BOOLEAN", PgType::Boolean, "2"),
            ("DATETIME", PgType::Timestamp, "'0000-00-00'"),
            ("VARCHAR(2)", PgType::Varchar(2), "'abc'"),
            ("TEXT", PgType::Text, "'a'); DROP TABLE x; --'"),
        ] {
            let plan = default(declared, pg_type, source);
            assert!(matches!(plan, DefaultPlan::NotCarried(_)), "{source}: {plan:?}");
        }
        assert_eq!(default("TEXT", PgType::Text, "NULL"), DefaultPlan::Absent);
    }
}
