//! A value as a SQL literal, as `litelift` writes it into the files of rejected rows.
//!
//! Purpose: a CSV cell has no storage class, a literal has: `1`, `1.0`, `'1'`, `X'31'`. What is written
//! is read back as the same value, bit by bit, and SQLite reads it as the same too
//! (<https://www.sqlite.org/lang_expr.html#literal_values_constants_>).

use super::value::Value;

/// A value of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `12`.
    Integer(i64),
    /// `1.5`, `1e300`, `9e999` (infinity).
    Real(f64),
    /// `'text'`, or `CAST(X'...' AS TEXT)` when it is no UTF-8 or holds NUL.
    Text(Vec<u8>),
    /// `X'00ff'`.
    Blob(Vec<u8>),
}

impl Literal {
    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }

    /// Reads what [`written`] wrote, or what a person put in its place.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("NULL") {
            return Some(Self::Null);
        }
        if let Some(inner) = within(text, "'", "'") {
            return undoubled(inner).map(|text| Self::Text(text.into_bytes()));
        }
        if let Some(digits) = within(text, "X'", "'") {
            return bytes(digits).map(Self::Blob);
        }
        if let Some(digits) = within(text, "CAST(X'", "' AS TEXT)") {
            return bytes(digits).map(Self::Text);
        }
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        let is_number = text.starts_with(|c: char| matches!(c, '0'..='9' | '.' | '-' | '+'))
            && text.bytes().any(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).map(Self::Real)
    }
}

/// Writes a value as a literal.
#[must_use]
pub fn written(value: Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) if value == f64::INFINITY => "9e999".to_owned(),
        Value::Real(value) if value == f64::NEG_INFINITY => "-9e999".to_owned(),
        // The shortest text that is read back as the same bits, always with a point or an exponent.
        Value::Real(value) => format!("{value:?}"),
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) if !text.contains('\0') => format!("'{}'", text.replace('\'', "''")),
            _ => format!("CAST(X'{}' AS TEXT)", hex(text)),
        },
        Value::Blob(bytes) => format!("X'{}'", hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    digits.chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

/// Undoubles quotes; `None` when a single one shows that this is more than one literal.
fn undoubled(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\'' && chars.next() != Some('\'') {
            return None;
        }
        out.push(c);
    }
    Some(out)
}

/// Returns what stands between two marks, which may be of either case.
fn within<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let end = text.len().checked_sub(after.len())?;
    let (head, inner) = (text.get(..before.len())?, text.get(before.len()..end)?);
    let tail = text.get(end..)?;
    (head.eq_ignore_ascii_case(before) && tail.eq_ignore_ascii_case(after)).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(value: &Literal) -> Literal {
        match value {
            // -0.0 equals 0.0, but is another value.
            Literal::Real(value) => Literal::Integer(i64::from_be_bytes(value.to_be_bytes())),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            integer: i64,
            real in any::<f64>().prop_filter("SQLite has no NaN", |real| !real.is_nan()),
            text: String,
            odd in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            for literal in [
                Literal::Integer(integer),
                Literal::Real(real),
                Literal::Text(text.into_bytes()),
                Literal::Text(odd.clone()),
                Literal::Blob(odd),
            ] {
                let read = Literal::parse(&written(literal.value())).unwrap();
                prop_assert_eq!(bits(&read), bits(&literal));
            }
        }

        #[test]
        fn whatever_a_cell_holds_is_no_panic(text: String) {
            let _ = Literal::parse(&text);
        }
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "hello",
            "'a' || 'b'",
            "x'0'",
            "X'zz'",
            "inf",
            "NaN",
            "e5",
            "'",
            "CAST(X'' AS BLOB)",
            "1 2",
        ] {
            assert_eq!(Literal::parse(text), None, "{text}");
        }
        assert_eq!(Literal::parse(" null "), Some(Literal::Null));
        assert_eq!(Literal::parse("9e999"), Some(Literal::Real(f64::INFINITY)));
        assert_eq!(Literal::parse("-0.0").map(|zero| written(zero.value())), Some("-0.0".into()));
    }
}
