//! Dates and times from ISO 8601 text, strictly.
//!
//! Purpose: PostgreSQL's own parser takes far more than is meant (`'today'`, `'1/2/2024'` by
//! DateStyle) and drops an offset in silence when the column has no zone, so the text is read here.
//! Known gaps: years 0001-9999 only; week dates and ordinal dates are not read.

/// Days from 0001-01-01 to 2000-01-01, PostgreSQL's epoch.
const DAYS_TO_2000: i32 = 730_119;
/// Microseconds of a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400 * SECOND_US;

/// A date and time as it stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Microseconds since 2000-01-01 00:00:00 of the clock that the text shows.
    pub local_us: i64,
    /// Offset of that clock from UTC in seconds, when the text says it.
    pub offset_s: Option<i32>,
}

impl Stamp {
    /// Returns microseconds since 2000-01-01 00:00:00 UTC, when the text has a zone.
    #[must_use]
    pub fn utc_us(&self) -> Option<i64> {
        self.offset_s.map(|offset_s| self.local_us - i64::from(offset_s) * SECOND_US)
    }
}

/// Reads `YYYY-MM-DD`; returns days since 2000-01-01. Only days that exist.
#[must_use]
pub fn date(text: &[u8]) -> Option<i32> {
    let bytes: &[u8; 10] = text.try_into().ok()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *bytes else { return None };
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let month = two(m0, m1)?;
    let day = two(d0, d1)?;
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    Some(days_from_civil(year, month, day) - DAYS_TO_2000)
}

/// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f`; returns microseconds since midnight.
///
/// Up to six digits of fraction; more only when the rest are zeros, because PostgreSQL would round.
/// 24:00 and leap seconds are not read: PostgreSQL stores another value than the text shows.
#[must_use]
pub fn time(text: &[u8]) -> Option<i64> {
    let (us, rest) = time_prefix(text)?;
    rest.is_empty().then_some(us)
}

/// Reads a date and time with `T` or a blank between them, and an optional zone: `Z`, ` UTC`,
/// `+HH`, `+HHMM` or `+HH:MM`, with an optional blank before the sign.
#[must_use]
pub fn timestamp(text: &[u8]) -> Option<Stamp> {
    stamp(text, Digits::Exact)
}

fn stamp(text: &[u8], digits: Digits) -> Option<Stamp> {
    let days = date(text.get(..10)?)?;
    let (b' ' | b'T', rest) = text.get(10..)?.split_first()? else { return None };
    let (us, zone) = time_prefix_by(rest, digits)?;
    let offset_s = if zone.is_empty() { None } else { Some(offset(zone)?) };
    Some(Stamp { local_us: i64::from(days) * DAY_US + us, offset_s })
}

/// What happens to the seventh to ninth digit of a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    /// They must be zeros.
    Exact,
    /// They round to the nearest microsecond, half up.
    Rounded,
}

/// Reads `HH:MM[:SS[.f]]` with up to nine digits, rounded half up to microseconds. 23:59:59.9999999
/// becomes 24:00:00.
#[must_use]
pub fn clock_rounded(text: &[u8]) -> Option<i64> {
    let (us, rest) = time_prefix_by(text, Digits::Rounded)?;
    rest.is_empty().then_some(us)
}

/// As [`timestamp`], with up to nine digits of fraction, rounded half up to microseconds.
#[must_use]
pub fn timestamp_rounded(text: &[u8]) -> Option<Stamp> {
    stamp(text, Digits::Rounded)
}

/// Reads a time with a zone, as [`timestamp`] has it; returns microseconds since midnight and the
/// offset in seconds.
#[must_use]
pub fn time_with_zone(text: &[u8]) -> Option<(i64, i32)> {
    let (us, zone) = time_prefix_by(text, Digits::Exact)?;
    Some((us, offset(zone)?))
}

fn time_prefix(text: &[u8]) -> Option<(i64, &[u8])> {
    time_prefix_by(text, Digits::Exact)
}

fn time_prefix_by(text: &[u8], digits: Digits) -> Option<(i64, &[u8])> {
    let [h0, h1, b':', m0, m1, rest @ ..] = text else { return None };
    let (hour, minute) = (two(*h0, *h1)?, two(*m0, *m1)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let minutes_us = i64::from(hour * 60 + minute) * 60 * SECOND_US;
    let [b':', s0, s1, rest @ ..] = rest else { return Some((minutes_us, rest)) };
    let second = two(*s0, *s1)?;
    if second > 59 {
        return None;
    }
    let seconds_us = minutes_us + i64::from(second) * SECOND_US;
    let [b'.', fraction @ ..] = rest else { return Some((seconds_us, rest)) };
    let (fraction_us, rest) = fraction_us(fraction, digits)?;
    Some((seconds_us + fraction_us, rest))
}

/// Reads 1 to 9 digits after the point as microseconds.
fn fraction_us(text: &[u8], accuracy: Digits) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (fraction, rest) = text.split_at(digits);
    let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    let us = padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let is_exact = fraction.iter().skip(6).all(|digit| *digit == b'0');
    match accuracy {
        Digits::Exact => is_exact.then_some((us, rest)),
        Digits::Rounded => {
            let rounds_up = fraction.get(6).is_some_and(|digit| *digit >= b'5');
            Some((us + i64::from(rounds_up), rest))
        }
    }
}

fn offset(zone: &[u8]) -> Option<i32> {
    let zone = match zone {
        b"Z" | b"z" | b" UTC" => return Some(0),
        [b' ', rest @ ..] => rest,
        rest => rest,
    };
    let (sign, digits) = match zone {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h0, h1] => (two(*h0, *h1)?, 0),
        [h0, h1, m0, m1] | [h0, h1, b':', m0, m1] => (two(*h0, *h1)?, two(*m0, *m1)?),
        _ => return None,
    };
    // PostgreSQL's MAX_TZDISP_HOUR is 15.
    (hours <= 15 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn two(tens: u8, ones: u8) -> Option<i32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 0001-01-01 of the proleptic Gregorian calendar, which is PostgreSQL's.
const fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let years = year - 1;
    let mut days = years * 365 + years / 4 - years / 100 + years / 400 + day - 1;
    let mut before = 1;
    while before < month {
        days += days_in_month(year, before);
        before += 1;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_2000() {
        assert_eq!(date(b"2000-01-01"), Some(0));
        assert_eq!(date(b"1999-12-31"), Some(-1));
        assert_eq!(date(b"2024-02-29"), Some(8825));
        assert_eq!(date(b"0001-01-01"), Some(-DAYS_TO_2000));
        assert_eq!(date(b"9999-12-31"), Some(2_921_939));
        for wrong in [
            "0000-00-00",
            "2023-02-29",
            "2024-2-9",
            "2024-13-01",
            "20240101",
            "2024-01-0x",
            "",
            "0000-01-01",
        ] {
            assert_eq!(date(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn times_keep_six_digits_and_refuse_to_round() {
        assert_eq!(time(b"00:00"), Some(0));
        assert_eq!(time(b"23:59:59.999999"), Some(DAY_US - 1));
        assert_eq!(time(b"00:00:00.1"), Some(100_000));
        assert_eq!(time(b"00:00:01.123456000"), Some(1_123_456));
        for wrong in
            ["24:00", "12:60", "12:00:60", "12:00:00.", "12:00:00.1234567", "1:00", "12:00Z"]
        {
            assert_eq!(time(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps_keep_their_offset() {
        let stamp = timestamp(b"2000-01-01T02:00:00+02:00").unwrap();
        assert_eq!((stamp.local_us, stamp.offset_s), (7_200 * SECOND_US, Some(7_200)));
        assert_eq!(stamp.utc_us(), Some(0));
        assert_eq!(timestamp(b"2000-01-01 00:00").unwrap().offset_s, None);
        for zoned in ["Z", "+00", "-0130", "+05:30", " +0000", " UTC"] {
            let text = format!("2024-06-01 12:00:00.5{zoned}");
            assert!(timestamp(text.as_bytes()).unwrap().offset_s.is_some(), "{text}");
        }
        for wrong in [
            "2000-01-01",
            "2000-01-01T",
            "2000-01-01 00:00:00 CET",
            "2000-01-01 00:00:00+16",
            "2000-01-01x00:00",
        ] {
            assert_eq!(timestamp(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
