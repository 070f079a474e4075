//! Numbers from text in any usual form, and narrow floats.

use crate::model::value::Value;

use super::row::Misfit;
use super::{decimal, plain};

/// Returns the number that a text is, as a plain decimal without blanks, plus and leading zeros, or
/// `None`. An exponent is written out, up to 400 digits.
fn canonical(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if exponent.unsigned_abs() > 400 {
        return None;
    }
    let (whole, fraction) = shifted(whole, fraction, exponent);
    let whole = whole.trim_start_matches('0');
    let mut plain = String::with_capacity(whole.len() + fraction.len() + 3);
    plain.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(&fraction);
    }
    let is_zero = plain.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    Some(if negative && !is_zero { format!("-{plain}") } else { plain })
}

/// Moves the point by the exponent.
fn shifted(whole: &str, fraction: &str, exponent: i32) -> (String, String) {
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).unwrap_or(0) + i64::from(exponent);
    if point <= 0 {
        let zeros = usize::try_from(-point).unwrap_or(0);
        return (String::new(), format!("{}{digits}", "0".repeat(zeros)));
    }
    let point = usize::try_from(point).unwrap_or(usize::MAX);
    if point >= digits.len() {
        return (format!("{digits}{}", "0".repeat(point - digits.len())), String::new());
    }
    (digits[..point].to_owned(), digits[point..].to_owned())
}

const NOT_A_NUMBER: Misfit = Misfit::new("not a number");

/// An integer, or with `from_text` also text or a real that is one exactly.
pub(super) fn integer(value: Value<'_>, from_text: bool) -> Result<i64, Misfit> {
    match value {
        Value::Text(text) if from_text => {
            let plain = canonical(text).ok_or(NOT_A_NUMBER)?;
            let whole = match plain.split_once('.') {
                Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
                Some(_) => return Err(Misfit::new("not a whole number")),
                None => plain.as_str(),
            };
            // "-0" cannot be: its sign went with its digits.
            whole.parse().map_err(|_| Misfit::new("out of range"))
        }
        Value::Real(real) if from_text => {
            let plain = decimal::plain_of_double(real).ok_or(NOT_A_NUMBER)?;
            integer(Value::Text(plain.as_bytes()), true)
        }
        other => plain::integer(other),
    }
}

/// A double, or with `from_text` also text that is a number (the nearest double).
pub(super) fn double(value: Value<'_>, from_text: bool) -> Result<f64, Misfit> {
    match value {
        Value::Text(text) if from_text => {
            // The form is checked, the text itself is read: the plain decimal has no -0.
            canonical(text).ok_or(NOT_A_NUMBER)?;
            let text = std::str::from_utf8(text).map_err(|_| NOT_A_NUMBER)?;
            text.trim_ascii().parse().map_err(|_| NOT_A_NUMBER)
        }
        other => plain::double(other),
    }
}

/// A value that a 32-bit float holds exactly, or with `as_printed` one that prints the same as its
/// nearest 32-bit float: 0.1 is another number in 64 bits, but the same decimal.
pub(super) fn single(value: Value<'_>, as_printed: bool) -> Result<f32, Misfit> {
    let double = plain::double(value)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked by the way back")]
    let single = double as f32;
    let prints_the_same = || single.is_finite() && format!("{single:e}") == format!("{double:e}");
    if f64::from(single).to_bits() == double.to_bits() || (as_printed && prints_the_same()) {
        Ok(single)
    } else {
        Err(Misfit::new("more digits than a real holds"))
    }
}

/// numeric from text that is a number in any usual form.
pub(super) fn put_numeric(
    value: Value<'_>,
    sizes: Option<(u16, u16)>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match value {
        Value::Text(text) => {
            let plain = canonical(text).ok_or(NOT_A_NUMBER)?;
            plain::put_sized(plain.as_bytes(), sizes, out)
        }
        other => plain::put_numeric(other, sizes, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms_become_plain_decimals() {
        for (text, plain) in [
            (" 12 ", "12"),
            ("+5", "5"),
            ("007", "7"),
            ("-0.50", "-0.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("1.5e-3", "0.0015"),
            ("12.345E1", "123.45"),
            ("-0", "0"),
            ("0e0", "0"),
        ] {
            assert_eq!(canonical(text.as_bytes()).as_deref(), Some(plain), "{text}");
        }
        for text in ["", ".", "e1", "1e", "0x1F", "1 2", "1e999", "inf", "--1", "1,5"] {
            assert_eq!(canonical(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn integers_must_be_whole_and_reals_exact() {
        assert_eq!(integer(Value::Text(b"1e3"), true), Ok(1000));
        assert_eq!(integer(Value::Text(b"1.0"), true), Ok(1));
        assert_eq!(integer(Value::Real(2.0), true), Ok(2));
        assert!(integer(Value::Real(2.5), true).is_err());
        assert!(integer(Value::Text(b"9223372036854775808"), true).is_err());
        assert!(integer(Value::Text(b"1"), false).is_err());
        assert_eq!(single(Value::Real(0.5), false), Ok(0.5));
        assert!(single(Value::Real(0.1), false).is_err());
        assert_eq!(single(Value::Real(0.1), true), Ok(0.1));
        assert_eq!(single(Value::Integer(14), true), Ok(14.0));
        assert!(single(Value::Real(1_700_000_000.123), true).is_err());
        assert!(single(Value::Real(1e300), true).is_err());
    }
}
