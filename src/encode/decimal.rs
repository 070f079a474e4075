//! Numbers in decimal text.
//!
//! Purpose: says whether a text is exactly what PostgreSQL would print for the number that it is
//! (so that turning it into a number and back changes nothing), and writes doubles as the shortest
//! decimal that reads back as the same double.

use std::fmt::Write as _;

/// Returns the integer when the text is the canonical form of a 64-bit integer: an optional minus,
/// no leading zeros, no `-0`.
#[must_use]
pub fn canonical_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits[0] == b'0' && (digits.len() > 1 || text.len() > 1) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Returns true when the text is a plain decimal as PostgreSQL's numeric prints it: an optional
/// minus, digits without leading zeros, an optional point with digits; no `-0`, no exponent, and
/// within numeric's 131,072 and 16,383 digits.
#[must_use]
pub fn is_canonical_decimal(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let negative = digits.len() < text.len();
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[digits.len()..]),
    };
    let all_digits =
        whole.iter().all(u8::is_ascii_digit) && fraction.iter().all(u8::is_ascii_digit);
    let zero = digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let padded = whole.len() > 1 && whole[0] == b'0';
    let dangling_point = point.is_some() && fraction.is_empty();
    all_digits
        && (1..=NUMERIC_DIGITS_MAX).contains(&whole.len())
        && !padded
        && !dangling_point
        && !(negative && zero)
        && fraction.len() <= NUMERIC_SCALE_MAX
}

/// Most digits of numeric before the point.
pub const NUMERIC_DIGITS_MAX: usize = 131_072;
/// Most digits of numeric after the point.
pub const NUMERIC_SCALE_MAX: usize = 16_383;

/// Returns whether numeric can hold a number: an optional sign, digits with an optional point, an
/// optional exponent. The form is not checked here.
#[must_use]
pub fn fits_numeric(number: &[u8]) -> bool {
    let unsigned = match number {
        [b'-' | b'+', rest @ ..] => rest,
        rest => rest,
    };
    let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(end.unwrap_or(unsigned.len()));
    let exponent: i64 = match exponent.get(1..) {
        None => 0,
        Some(digits) => {
            let read =
                std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i32>().ok());
            // numeric_in takes no exponent of INT_MAX / 2 or more, whatever it belongs to.
            match read {
                Some(read) if read.unsigned_abs() < i32::MAX.unsigned_abs() / 2 => i64::from(read),
                _ => return false,
            }
        }
    };
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX / 2);
    let scale = count(mantissa.len().saturating_sub(point + 1)) - exponent;
    let first = mantissa.iter().position(|byte| matches!(byte, b'1'..=b'9'));
    let before = first.map_or(0, |first| {
        // Digits from the first that counts to the point.
        let leading = count(first) - i64::from(first > point);
        count(point) - leading + exponent
    });
    before <= count(NUMERIC_DIGITS_MAX) && scale <= count(NUMERIC_SCALE_MAX)
}

/// Counts the digits before and after the point that a plain decimal needs: leading zeros and
/// trailing zeros of the fraction do not count.
#[must_use]
pub fn digits_needed(text: &[u8]) -> (u32, u32) {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let whole = &digits[..point];
    let leading = whole.iter().take_while(|byte| **byte == b'0').count();
    let fraction = digits.get(point + 1..).unwrap_or(&[]);
    let trailing = fraction.iter().rev().take_while(|byte| **byte == b'0').count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (count(whole.len() - leading), count(fraction.len() - trailing))
}

/// Longest text of a finite double without exponent: `-`, `0.`, 323 zeros and 17 digits, or 309
/// digits; 384 leaves room.
const PLAIN_BYTES_MAX: usize = 384;

/// A short text on the stack.
#[derive(Debug)]
pub struct ShortText {
    bytes: [u8; PLAIN_BYTES_MAX],
    len: usize,
}

impl ShortText {
    const fn new() -> Self {
        Self { bytes: [0; PLAIN_BYTES_MAX], len: 0 }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl std::fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes a finite double as the shortest plain decimal that reads back as the same double, such as
/// `10.1`, `100000` or `0.00001`. Returns `None` for infinities and NaN.
#[must_use]
pub fn plain_of_double(value: f64) -> Option<ShortText> {
    let mut text = ShortText::new();
    (value.is_finite() && write!(text, "{value}").is_ok()).then_some(text)
}

/// Writes a double as text the way SQLite's users see it, with a point: `1.0`, `1e300`, `Inf`. It
/// reads back as the same double. (SQLite's own CAST keeps 15 digits only, and so loses bits.)
#[must_use]
pub fn text_of_double(value: f64) -> ShortText {
    let mut text = ShortText::new();
    let written = if value.is_infinite() {
        text.write_str(if value > 0.0 { "Inf" } else { "-Inf" })
    } else {
        write!(text, "{value:?}")
    };
    // A double never needs more than the buffer holds: see PLAIN_BYTES_MAX.
    debug_assert!(written.is_ok());
    text
}

/// Writes an integer as text.
#[must_use]
pub fn text_of_integer(value: i64) -> ShortText {
    let mut text = ShortText::new();
    let written = write!(text, "{value}");
    debug_assert!(written.is_ok());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_forms() {
        for (text, integer, decimal) in [
            ("0", Some(0), true),
            ("-1", Some(-1), true),
            ("9223372036854775807", Some(i64::MAX), true),
            ("-9223372036854775808", Some(i64::MIN), true),
            ("9223372036854775808", None, true),
            ("007", None, false),
            ("-0", None, false),
            ("+1", None, false),
            ("", None, false),
            ("-", None, false),
            ("1.50", None, true),
            ("-0.00", None, false),
            (".5", None, false),
            ("5.", None, false),
            ("1e5", None, false),
            ("1.2.3", None, false),
            (" 1", None, false),
        ] {
            assert_eq!(canonical_integer(text.as_bytes()), integer, "{text}");
            assert_eq!(is_canonical_decimal(text.as_bytes()), decimal, "{text}");
        }
    }

    #[test]
    fn canonical_decimals_are_as_long_as_numeric() {
        let long = |whole: usize, scale: usize| {
            format!("1{}.{}", "0".repeat(whole - 1), "5".repeat(scale))
        };
        assert!(is_canonical_decimal(long(131_072, 16_383).as_bytes()));
        assert!(!is_canonical_decimal(long(131_073, 1).as_bytes()));
        assert!(!is_canonical_decimal(long(1, 16_384).as_bytes()));
    }

    #[test]
    fn digits_are_counted_without_padding() {
        assert_eq!(digits_needed(b"-12.3400"), (2, 2));
        assert_eq!(digits_needed(b"0.05"), (0, 2));
        assert_eq!(digits_needed(b"0"), (0, 0));
    }

    #[test]
    fn numeric_has_its_limits() {
        for (number, fits) in [
            ("1e131071", true),
            ("1e131072", false),
            ("0.1e131072", true),
            ("0.01e131073", true),
            ("10e131071", false),
            ("00.1e131073", false),
            ("-1e-16383", true),
            ("1e-16384", false),
            ("0.1e-16383", false),
            ("0e99999", true),
            ("0e-16384", false),
            ("+1.50", true),
            ("1e99999999999", false),
            ("0e1073741823", false),
        ] {
            assert_eq!(fits_numeric(number.as_bytes()), fits, "{number}");
        }
    }

    proptest! {
        #[test]
        fn doubles_read_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            let shown = text_of_double(value);
            let text = std::str::from_utf8(shown.as_bytes()).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            if value.is_finite() {
                let plain = plain_of_double(value).unwrap();
                let text = std::str::from_utf8(plain.as_bytes()).unwrap();
                prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            }
        }

        #[test]
        fn integers_are_canonical(value: i64) {
            prop_assert_eq!(canonical_integer(text_of_integer(value).as_bytes()), Some(value));
        }
    }
}
