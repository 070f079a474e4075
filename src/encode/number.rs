//! Numbers from text in any usual form, and narrow floats.

use crate::model::value::Value;

use super::row::Misfit;
use super::{decimal, exact, plain};

/// A number in any usual form, in its parts.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: &'a str,
}

/// Splits sign, digits, point, digits, exponent; `None` when the text is not of that form.
fn parts(text: &[u8]) -> Option<Parts<'_>> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if unsigned.is_empty() || !all_digits(unsigned) {
                return None;
            }
            (mantissa, exponent)
        }
        None => (digits, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number =
        !(whole.is_empty() && fraction.is_empty()) && all_digits(whole) && all_digits(fraction);
    is_number.then_some(Parts { negative, whole, fraction, exponent })
}

/// Returns the number that a text is, as a plain decimal without blanks, plus and leading zeros, or
/// `None`, also when numeric could not hold it. An exponent is written out.
fn canonical(text: &[u8]) -> Option<String> {
    let text = text.trim_ascii();
    let Parts { negative, whole, fraction, exponent } = parts(text)?;
    if !decimal::fits_numeric(text) {
        return None;
    }
    let is_zero = whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0');
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = match exponent {
        // Zeros before the point would be all that it makes.
        1.. if is_zero => {
            let moved = usize::try_from(exponent).unwrap_or(usize::MAX);
            (String::new(), fraction.get(moved..).unwrap_or_default().to_owned())
        }
        _ => shifted(whole, fraction, exponent),
    };
    let whole = whole.trim_start_matches('0');
    let mut plain = String::with_capacity(whole.len() + fraction.len() + 3);
    if negative && !is_zero {
        plain.push('-');
    }
    plain.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(&fraction);
    }
    Some(plain)
}

/// Returns the double next to the number that a text without blanks is; `None` when it is none, or
/// so large that the next one would be infinite, or so small that it would be zero.
pub(super) fn double_of(text: &[u8]) -> Option<f64> {
    let Parts { whole, fraction, .. } = parts(text)?;
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let is_zero = whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0');
    (value.is_finite() && (is_zero || value != 0.0)).then_some(value)
}

/// Returns whether the text of a number, with blanks around or not, is not the shortest form of its
/// double but another number: the text has digits that a double does not hold.
pub(crate) fn rounds_as_double(text: &[u8]) -> bool {
    let exact = canonical(text);
    let double = double_of(text.trim_ascii()).and_then(decimal::plain_of_double);
    match (exact, double) {
        (Some(exact), Some(double)) => {
            let trimmed = |plain: &[u8]| -> Vec<u8> {
                let (_, after) = decimal::digits_needed(plain);
                let point = plain.iter().position(|byte| *byte == b'.').unwrap_or(plain.len());
                let end = if after == 0 { point } else { point + 1 + after as usize };
                plain.get(..end).unwrap_or(plain).to_vec()
            };
            let (exact, double) = (trimmed(exact.as_bytes()), trimmed(double.as_bytes()));
            exact != double && !(exact == b"0" && double == b"-0")
        }
        _ => false,
    }
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
        // As SQLite's CAST has it: the integer that the double is, not the one of its shortest digits.
        Value::Real(real) if from_text && real.trunc() == real => {
            let whole = exact::scaled(real, 1, 1).and_then(|whole| i64::try_from(whole).ok());
            whole.ok_or(Misfit::new("out of range"))
        }
        Value::Real(_) if from_text => Err(Misfit::new("not a whole number")),
        other => plain::integer(other),
    }
}

/// A double, or with `from_text` also text that is a number (the nearest double).
pub(super) fn double(value: Value<'_>, from_text: bool) -> Result<f64, Misfit> {
    match value {
        Value::Text(text) if from_text => double_of(text.trim_ascii()).ok_or(NOT_A_NUMBER),
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
            ("0e999", "0"),
            ("0.050e1", "0.50"),
            ("-0.00e1", "0.0"),
            ("0e-3", "0.000"),
        ] {
            assert_eq!(canonical(text.as_bytes()).as_deref(), Some(plain), "{text}");
        }
        for text in ["", ".", "e1", "1e", "0x1F", "1 2", "1e200000", "inf", "--1", "1,5"] {
            assert_eq!(canonical(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_double_is_never_infinite_or_zero_by_its_text_being_too_large_or_small() {
        assert_eq!(double_of(b"1e308"), Some(1e308));
        assert_eq!(double_of(b"5e-324"), Some(5e-324));
        assert_eq!(double_of(b"-0e999").map(f64::to_bits), Some((-0.0_f64).to_bits()));
        for text in ["1e309", "1e-400", "inf", "NaN", "", "1e", " 1"] {
            assert_eq!(double_of(text.as_bytes()), None, "{text}");
        }
        for (text, rounds) in [
            ("0.1", false),
            (" 1e3 ", false),
            ("-0.50", false),
            ("-0", false),
            ("9007199254740993", true),
            ("0.10000000000000001", true),
            ("1e300", false),
        ] {
            assert_eq!(rounds_as_double(text.as_bytes()), rounds, "{text}");
        }
    }

    #[test]
    fn integers_must_be_whole_and_reals_exact() {
        assert_eq!(integer(Value::Text(b"1e3"), true), Ok(1000));
        assert_eq!(integer(Value::Text(b"1.0"), true), Ok(1));
        assert_eq!(integer(Value::Real(2.0), true), Ok(2));
        assert_eq!(
            integer(Value::Real(-3.540424282788398e18), true),
            Ok(-3_540_424_282_788_398_080)
        );
        assert!(integer(Value::Real(9.3e18), true).is_err());
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
