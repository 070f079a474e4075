//! Durations: the forms that applications store, and the binary form of interval.
//!
//! Purpose: months, days and microseconds are kept apart as the text has them; a number or a clock
//! becomes microseconds alone. PostgreSQL's own reading of `1.02:03:04` is 1 day 03:32:48, silently
//! wrong (research: translation 5.3), so .NET's form is read here.

use super::{exact, iso};
use crate::model::value::Value;

/// A duration as PostgreSQL keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub us: i64,
}

impl Interval {
    /// Appends the field: int64 microseconds, int32 days, int32 months (`interval_recv`).
    pub fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&16_i32.to_be_bytes());
        out.extend_from_slice(&self.us.to_be_bytes());
        out.extend_from_slice(&self.days.to_be_bytes());
        out.extend_from_slice(&self.months.to_be_bytes());
    }
}

/// Reads a number of units of so many microseconds; a real is rounded to the microsecond.
#[must_use]
pub fn of_number(value: Value<'_>, unit_us: u32) -> Option<Interval> {
    let us = match value {
        Value::Integer(count) => count.checked_mul(i64::from(unit_us))?,
        Value::Real(count) => i64::try_from(exact::scaled(count, unit_us, 1)?).ok()?,
        _ => return None,
    };
    Some(Interval { us, ..Interval::default() })
}

/// Reads ISO 8601's `P1Y2M3W4DT5H6M7.8S`, every part optional and with a sign of its own.
#[must_use]
pub fn of_iso(text: &[u8]) -> Option<Interval> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let mut interval = Interval::default();
    for (amount, unit) in parts(date)? {
        let count: i32 = amount.parse().ok()?;
        match unit {
            'Y' => interval.months = interval.months.checked_add(count.checked_mul(12)?)?,
            'M' => interval.months = interval.months.checked_add(count)?,
            'W' => interval.days = interval.days.checked_add(count.checked_mul(7)?)?,
            'D' => interval.days = interval.days.checked_add(count)?,
            _ => return None,
        }
    }
    for (amount, unit) in parts(time)? {
        let unit_us = match unit {
            'H' => 3_600 * iso::SECOND_US,
            'M' => 60 * iso::SECOND_US,
            'S' => iso::SECOND_US,
            _ => return None,
        };
        interval.us = interval.us.checked_add(scaled(amount, unit_us)?)?;
    }
    if negative {
        interval = Interval {
            months: interval.months.checked_neg()?,
            days: interval.days.checked_neg()?,
            us: interval.us.checked_neg()?,
        };
    }
    Some(interval)
}

/// Splits `5H6M` into amounts and units.
fn parts(text: &str) -> Option<Vec<(&str, char)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find(|c: char| c.is_ascii_uppercase())?;
        let (amount, tail) = rest.split_at(at);
        let plain = amount.strip_prefix(['-', '+']).unwrap_or(amount);
        if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        found.push((amount, tail.chars().next()?));
        rest = &tail[1..];
    }
    Some(found)
}

/// Reads a decimal number of units without going through a double; up to six digits of fraction of
/// a second count, the seventh rounds.
fn scaled(amount: &str, unit_us: i64) -> Option<i64> {
    let (negative, plain) = match amount.strip_prefix('-') {
        Some(plain) => (true, plain),
        None => (false, amount.strip_prefix('+').unwrap_or(amount)),
    };
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part_us = (part * i128::from(unit_us) * 2 + denominator) / (denominator * 2);
    let us = whole.checked_mul(unit_us)?.checked_add(i64::try_from(part_us).ok()?)?;
    Some(if negative { -us } else { us })
}

/// Reads .NET's `[-][d.]hh:mm:ss[.fffffff]`; the seventh digit rounds.
#[must_use]
pub fn of_dotnet(text: &[u8]) -> Option<Interval> {
    let (negative, rest) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let (days, clock) = match rest[..colon].iter().position(|byte| *byte == b'.') {
        Some(point) => (digits(&rest[..point])?, &rest[point + 1..]),
        None => (0, rest),
    };
    let clock_us = iso::clock_rounded(clock)?;
    let us = days.checked_mul(iso::DAY_US)?.checked_add(clock_us)?;
    Some(Interval { us: if negative { -us } else { us }, ..Interval::default() })
}

fn digits(text: &[u8]) -> Option<i64> {
    let plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// Reads a timestamp as the time since 1970-01-01 (SQLAlchemy's Interval).
#[must_use]
pub fn since_1970(text: &[u8]) -> Option<Interval> {
    const DAYS_1970_TO_2000: i64 = 10_957;
    let stamp = iso::timestamp(text)?;
    if stamp.offset_s.is_some() {
        return None;
    }
    let us = stamp.local_us.checked_add(DAYS_1970_TO_2000 * iso::DAY_US)?;
    Some(Interval { us, ..Interval::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(months: i32, days: i32, us: i64) -> Option<Interval> {
        Some(Interval { months, days, us })
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(of_iso(b"P1Y2M3DT4H5M6.5S"), interval(14, 3, 14_706_500_000));
        assert_eq!(of_iso(b"-P1W"), interval(0, -7, 0));
        assert_eq!(of_iso(b"PT0.0000005S"), interval(0, 0, 1));
        assert_eq!(of_dotnet(b"1.02:03:04.1234567"), interval(0, 0, 93_784_123_457));
        assert_eq!(of_dotnet(b"-00:00:01"), interval(0, 0, -1_000_000));
        assert_eq!(since_1970(b"1970-01-02 00:00:02.000000"), interval(0, 0, 86_402_000_000));
        assert_eq!(of_number(Value::Integer(86_402_500_000), 1), interval(0, 0, 86_402_500_000));
        assert_eq!(of_number(Value::Real(1.5), 1_000_000), interval(0, 0, 1_500_000));
    }

    #[test]
    fn what_is_none_of_them_does_not_fit() {
        for text in ["P", "PT", "1D", "P1S", "PT1D", "P1.5D", "PT1", "P--1D", "", "PT.S", "PT-.H"] {
            assert_eq!(of_iso(text.as_bytes()), None, "{text}");
        }
        for text in ["1", "24:00:00", "1.24:00:00", "a.01:00:00", "01:60:00", ".01:00:00"] {
            assert_eq!(of_dotnet(text.as_bytes()), None, "{text}");
        }
        assert_eq!(of_number(Value::Integer(i64::MAX), 1_000_000), None);
        assert_eq!(of_number(Value::Text(b"1"), 1), None);
    }
}
