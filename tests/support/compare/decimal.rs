//! Exact decimals, compared as text and never through a binary float.
//!
//! Purpose: one spelling per value, so that `1.50`, `15e-1` and `1.5` become the same bytes.
//!
//! Known gaps: the sign of a zero is dropped here; rules that mind it look at it before.

/// Appends the one spelling of a decimal, such as `-15e-1`; zero is `0e0`.
///
/// Accepts an optional minus, digits with an optional point, and an optional exponent: what JSON,
/// PostgreSQL's numeric and Rust's float formatting write. Returns false for anything else.
pub(crate) fn write_canonical(text: &str, out: &mut Vec<u8>) -> bool {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match parse_exponent(exponent) {
            Some(exponent) => (mantissa, exponent),
            None => return false,
        },
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return false;
    }
    if mantissa.ends_with('.') {
        return false;
    }
    let Ok(fraction_len) = i64::try_from(fraction.len()) else { return false };
    let start = out.len();
    if negative {
        out.push(b'-');
    }
    let digits_start = out.len();
    for byte in whole.bytes().chain(fraction.bytes()) {
        if byte != b'0' || out.len() > digits_start {
            out.push(byte);
        }
    }
    if out.len() == digits_start {
        out.truncate(start);
        out.extend_from_slice(b"0e0");
        return true;
    }
    let mut last_exponent = exponent - fraction_len;
    while out.last() == Some(&b'0') {
        out.pop();
        last_exponent += 1;
    }
    out.extend_from_slice(format!("e{last_exponent}").as_bytes());
    true
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Longer exponents than this mean nothing to either side; refusing them keeps i64 safe.
    if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// Tells whether a text is how a person or a program writes an exact number without decoration:
/// no plus, no leading zeros, no exponent, and no minus before a zero.
pub(crate) fn is_plain(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return false;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return false;
    }
    let zero = rest.bytes().all(|byte| byte == b'0' || byte == b'.');
    !(zero && text.starts_with('-'))
}
