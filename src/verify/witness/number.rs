//! Decimal numbers as digits, without a binary step between.
//!
//! Purpose: one canonical form for the numbers of a text, a double, a JSON document and a field of
//! numeric: sign, digits without zeros at either end, where the point stands, and how many digits
//! after the point are shown. Two are equal when PostgreSQL prints them alike. An exponent is never
//! written out, so a hostile `1e131071` takes no more room than it has.

use std::fmt::Write as _;

use super::Unfit;

/// Most digits of numeric before the point (table 8.2 of
/// <https://www.postgresql.org/docs/current/datatype-numeric.html>).
const DIGITS_BEFORE_MAX: i64 = 131_072;
/// Most digits of numeric after the point.
const DIGITS_AFTER_MAX: i64 = 16_383;
/// Exponents that `numeric_in` takes (`NUMERIC_MAX_RESULT_SCALE` apart: half of the largest int).
const EXPONENT_MAX: i64 = 1_073_741_822;

const NOT_A_NUMBER: Unfit = Unfit("not a number");

/// A short text on the stack: an integer or a double.
pub(super) struct Short {
    bytes: [u8; 32],
    len: usize,
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Short {
    pub(super) fn of(text: std::fmt::Arguments<'_>) -> Self {
        let mut short = Self { bytes: [0; 32], len: 0 };
        // Twenty characters hold an i64, twenty-four a double with an exponent.
        let written = short.write_fmt(text);
        debug_assert!(written.is_ok());
        short
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A number that stands in a text, in its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads `[+-]digits[.digits][e[+-]digits]`; one side of the point may be empty.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text.first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => digits(rest),
            _ => (&rest[..0], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => exponent(rest)?,
            Some(_) => return None,
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    /// Reads a number in the form that PostgreSQL prints.
    pub(super) fn read_printed(text: &'a [u8]) -> Option<Self> {
        let number = Self::read(text)?;
        let first = *text.first()?;
        let plain = first != b'+'
            && !text.iter().any(|byte| matches!(byte, b'e' | b'E'))
            && !number.whole.is_empty()
            && (number.whole.len() == 1 || number.whole[0] != b'0')
            && (number.fraction.is_empty() != text.contains(&b'.'))
            && !(number.negative && number.is_zero());
        plain.then_some(number)
    }

    fn significant(&self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        self.whole.iter().chain(self.fraction).copied()
    }

    pub(super) fn is_zero(&self) -> bool {
        self.significant().all(|digit| digit == b'0')
    }

    /// Zeros before the first digit that counts.
    fn leading(&self) -> usize {
        self.significant().take_while(|digit| *digit == b'0').count()
    }

    /// Zeros behind the last digit that counts.
    fn trailing(&self) -> usize {
        let of_fraction = self.fraction.iter().rev().take_while(|digit| **digit == b'0').count();
        if of_fraction < self.fraction.len() {
            return of_fraction;
        }
        of_fraction + self.whole.iter().rev().take_while(|digit| **digit == b'0').count()
    }

    /// How many digits stand before the point, from the first that counts; negative for zeros behind
    /// the point. 0 of zero.
    fn before(&self) -> i64 {
        if self.is_zero() {
            return 0;
        }
        length(self.whole.len()) - length(self.leading()) + self.exponent
    }

    /// How many digits after the point count.
    fn after(&self) -> i64 {
        if self.is_zero() {
            return 0;
        }
        (length(self.fraction.len()) - self.exponent - length(self.trailing())).max(0)
    }

    /// How many digits after the point are shown once the exponent is written out.
    fn scale(&self) -> i64 {
        (length(self.fraction.len()) - self.exponent).max(0)
    }

    /// Whether numeric holds it.
    pub(super) fn is_numeric(&self) -> bool {
        self.exponent.abs() <= EXPONENT_MAX
            && self.scale() <= DIGITS_AFTER_MAX
            && self.before() <= DIGITS_BEFORE_MAX
    }

    /// Appends the canonical form with its own scale.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        self.put_scaled(self.scale(), out);
    }

    /// Appends the canonical form for numeric with sizes, or without.
    pub(super) fn put_sized(
        &self,
        sizes: Option<(u16, u16)>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unfit> {
        if !self.is_numeric() {
            return Err(Unfit("beyond numeric"));
        }
        let Some((precision, scale)) = sizes else {
            self.put(out);
            return Ok(());
        };
        let (precision, scale) = (i64::from(precision), i64::from(scale));
        if self.before() > precision - scale || self.after() > scale {
            return Err(Unfit("more digits than the column"));
        }
        self.put_scaled(scale, out);
        Ok(())
    }

    fn put_scaled(&self, scale: i64, out: &mut Vec<u8>) {
        let is_zero = self.is_zero();
        let head = Head { negative: self.negative && !is_zero, scale, before: self.before() };
        head.put(out);
        if !is_zero {
            let count = self.whole.len() + self.fraction.len() - self.leading() - self.trailing();
            out.extend(self.significant().skip(self.leading()).take(count));
        }
    }

    /// Returns the integer that it is times ten to the power of `places`; `None` when that leaves digits
    /// after the point, or has more than 37.
    pub(super) fn shifted_whole(&self, places: usize) -> Option<i128> {
        if self.exponent != 0 || self.fraction.len() > places {
            return None;
        }
        let filled =
            self.significant().chain(std::iter::repeat_n(b'0', places - self.fraction.len()));
        let digits = filled.skip(self.leading());
        if digits.clone().count() > 37 {
            return None;
        }
        let size = digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        Some(if self.negative { -size } else { size })
    }

    /// Returns the integer that it is, when it is one of 64 bits.
    pub(super) fn whole(&self) -> Result<i64, Unfit> {
        if !self.is_numeric() {
            return Err(NOT_A_NUMBER);
        }
        if self.after() > 0 {
            return Err(Unfit("not a whole number"));
        }
        if self.before() > 19 {
            return Err(Unfit("out of range"));
        }
        let mut value = 0_i128;
        let mut left = self.before();
        let digits = self.significant().skip(self.leading()).chain(std::iter::repeat(b'0'));
        for digit in digits {
            if left <= 0 {
                break;
            }
            value = value * 10 + i128::from(digit - b'0');
            left -= 1;
        }
        let value = if self.negative { -value } else { value };
        i64::try_from(value).map_err(|_| Unfit("out of range"))
    }
}

/// What stands before the digits in the canonical form.
struct Head {
    negative: bool,
    scale: i64,
    before: i64,
}

/// Length of [`Head`] in bytes.
const HEAD_BYTES: usize = 9;

impl Head {
    fn put(&self, out: &mut Vec<u8>) {
        let word = |value: i64| i32::try_from(value).unwrap_or(i32::MAX).to_be_bytes();
        out.push(if self.negative { b'-' } else { b'+' });
        out.extend_from_slice(&word(self.scale));
        out.extend_from_slice(&word(self.before));
    }
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4)
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Reads an exponent; one with more digits than any number needs is a large one.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, rest) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, rest) = digits(rest);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let value = digits.iter().fold(0_i64, add).min(1 << 40);
    Some(if negative { -value } else { value })
}

/// Appends the canonical form of a field of numeric (`numeric_send`: count, weight, sign and scale
/// as 16 bits, then digits of base 10,000).
pub(super) fn put_field(field: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let word = |at: usize| Some(u16::from_be_bytes([*field.get(at)?, *field.get(at + 1)?]));
    let (count, weight, sign, scale) = (word(0)?, word(2)?, word(4)?, word(6)?);
    let groups = field.get(8..)?;
    if groups.len() != usize::from(count) * 2 {
        return None;
    }
    let negative = match sign {
        0 => false,
        0x4000 => true,
        // NaN and the infinities have no digits.
        0xC000 | 0xD000 | 0xF000 => {
            out.extend_from_slice(&sign.to_be_bytes());
            return Some(());
        }
        _ => return None,
    };
    let begin = out.len();
    out.resize(begin + HEAD_BYTES, 0);
    for pair in groups.chunks_exact(2) {
        let mut group = u16::from_be_bytes([pair[0], pair[1]]);
        if group > 9_999 {
            return None;
        }
        let mut four = [b'0'; 4];
        for place in four.iter_mut().rev() {
            *place = b'0' + u8::try_from(group % 10).unwrap_or(0);
            group /= 10;
        }
        out.extend_from_slice(&four);
    }
    while out.len() > begin + HEAD_BYTES && out.last() == Some(&b'0') {
        out.pop();
    }
    let digits = &out[begin + HEAD_BYTES..];
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    let is_zero = leading == digits.len();
    out.drain(begin + HEAD_BYTES..begin + HEAD_BYTES + leading);
    let weight = i64::from(i16::from_be_bytes(weight.to_be_bytes()));
    let before = if is_zero { 0 } else { (weight + 1) * 4 - length(leading) };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    Head { negative: negative && !is_zero, scale: i64::from(scale), before }.put(&mut head);
    out[begin..begin + HEAD_BYTES].copy_from_slice(&head);
    Some(())
}

/// Prints a canonical form as PostgreSQL does, up to about `chars_max` characters.
pub(super) fn shown(canonical: &[u8], chars_max: usize) -> String {
    let word = |at: usize| {
        let bytes = canonical.get(at..at + 4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (Some(scale), Some(before), Some(digits)) = (word(1), word(5), canonical.get(HEAD_BYTES..))
    else {
        return match canonical {
            [0xD0, _] => "Infinity".to_owned(),
            [0xF0, _] => "-Infinity".to_owned(),
            _ => "NaN".to_owned(),
        };
    };
    let mut shown = String::new();
    if canonical.first() == Some(&b'-') {
        shown.push('-');
    }
    // The digit so many places before the point, or behind it.
    let digit = |place: i32| {
        let at = usize::try_from(before - 1 - place).ok();
        char::from(at.and_then(|at| digits.get(at)).copied().unwrap_or(b'0'))
    };
    for place in (0..before.max(1)).rev().take(chars_max + 1) {
        shown.push(digit(place));
    }
    if scale > 0 && shown.len() <= chars_max {
        shown.push('.');
        for place in (1..=scale).take(chars_max + 1) {
            shown.push(digit(-place));
        }
    }
    shown
}

/// Reads the digits of a finite double: the fewest that read back as the same one.
pub(super) fn with_shortest<T>(value: f64, then: impl FnOnce(Decimal<'_>) -> T) -> Option<T> {
    let short = Short::of(format_args!("{value:e}"));
    value.is_finite().then(|| Decimal::read(short.bytes()).map(then)).flatten()
}

/// Appends a double as SQLite's users see it, with a point or an exponent: `1.0`, `1e16`, `-Inf`.
pub(super) fn put_real_text(value: f64, out: &mut Vec<u8>) {
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let size = value.abs();
    if size.is_infinite() {
        out.extend_from_slice(b"Inf");
        return;
    }
    if size == 0.0 {
        out.extend_from_slice(b"0.0");
        return;
    }
    let short = Short::of(format_args!("{size:e}"));
    if !(1e-4..1e16).contains(&size) {
        out.extend_from_slice(short.bytes());
        return;
    }
    let Some(number) = Decimal::read(short.bytes()) else { return };
    let digits: usize = number.whole.len() + number.fraction.len();
    // One digit stands before the point of the short form.
    let before = usize::try_from(number.exponent + 1).unwrap_or(0);
    let zeros = usize::try_from(-number.exponent - 1).unwrap_or(0);
    if before == 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', zeros));
        out.extend(number.significant());
        return;
    }
    out.extend(number.significant().take(before));
    out.extend(std::iter::repeat_n(b'0', before.saturating_sub(digits)));
    out.push(b'.');
    if digits > before {
        out.extend(number.significant().skip(before));
    } else {
        out.push(b'0');
    }
}

/// Returns the double nearest to a number in a text; `None` when it is none, when the nearest is
/// infinite, or when it is zero though the number is not.
pub(super) fn nearest_double(text: &[u8]) -> Option<f64> {
    let number = Decimal::read(text)?;
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.is_finite() && (value != 0.0 || number.is_zero())).then_some(value)
}

/// Returns the integer in a text in the form that PostgreSQL prints.
pub(super) fn printed_integer(text: &[u8]) -> Option<i64> {
    if text.len() > 20 || text.contains(&b'.') {
        return None;
    }
    Decimal::read_printed(text)?.whole().ok()
}

/// Bits behind the point in [`times`].
const POINT_BITS: u32 = 96;

/// Returns `value * up`, exactly, rounded to the nearest integer, half away from zero. `None` for what
/// is beyond 1e25 and for no number. `up` is under 2^27.
pub(super) fn times(value: f64, up: u32) -> Option<i128> {
    let size = value.abs();
    if !(0.0..1e25).contains(&size) {
        return None;
    }
    // Both casts and the power of two are exact, but for bits that are worth less than 2^-96: those
    // are there only below 2^-43, where all of it rounds to nothing.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1e25")]
    let whole = size.trunc() as u128;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2^96")]
    let part = (size.fract() * 2_f64.powi(POINT_BITS.cast_signed())) as u128;
    let part = part * u128::from(up);
    let rounds_up = u128::from(part >> (POINT_BITS - 1) & 1 == 1);
    let size = whole * u128::from(up) + (part >> POINT_BITS) + rounds_up;
    let size = i128::try_from(size).ok()?;
    Some(if value.is_sign_negative() { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Decimal::read(text.as_bytes()).unwrap().put(&mut out);
        out
    }

    #[test]
    fn what_prints_alike_is_equal_and_nothing_else() {
        for (a, b) in [("1e2", "100"), ("-0", "0"), ("1.50e1", "15.0"), ("+01.5", "1.5")] {
            assert_eq!(canonical(a), canonical(b), "{a} {b}");
        }
        for (a, b) in [("1.0", "1.00"), ("1", "-1"), ("10", "1"), ("0.1", "0.01"), ("0", "0.0")] {
            assert_ne!(canonical(a), canonical(b), "{a} {b}");
        }
    }

    #[test]
    fn canonical_forms_print_as_postgresql_does() {
        for (text, printed) in [
            ("1e2", "100"),
            ("-12.3400", "-12.3400"),
            ("1e-5", "0.00001"),
            ("0.00", "0.00"),
            ("-120e-1", "-12.0"),
        ] {
            assert_eq!(shown(&canonical(text), 80), printed);
        }
        assert!(shown(&canonical("1e131071"), 80).len() < 100);
    }

    #[test]
    fn reals_as_text_have_a_point_or_an_exponent() {
        for value in [
            1.0,
            0.0,
            -0.0,
            0.1,
            1e15,
            9_999_999_999_999_998.0,
            1e16,
            1.5e300,
            1e-4,
            9.9e-5,
            123_456.789,
            1e22,
        ] {
            let mut out = Vec::new();
            put_real_text(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{value:?}"));
        }
    }

    #[test]
    fn products_are_rounded_once() {
        for (value, up, expected) in [
            (1.5, 1, 2),
            (-1.5, 1, -2),
            (0.562_600_5, 1_000_000, 562_600),
            (-253_402_300_801.964_45, 1_000_000, -253_402_300_801_964_447),
            (2_459_263.5, 86_400_000, 212_480_366_400_000),
            (5e-324, 86_400_000, 0),
            (-0.0, 1, 0),
        ] {
            assert_eq!(times(value, up), Some(expected), "{value}");
        }
        assert_eq!(times(f64::INFINITY, 1), None);
        assert_eq!(times(1e30, 1), None);
    }
}
