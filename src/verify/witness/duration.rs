//! Durations: months, days and microseconds.

use crate::model::convert::Conversion;
use crate::model::value::Value;

use super::{Unfit, moment, number};

/// What interval keeps apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Duration {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) us: i64,
}

const NOT_A_DURATION: Unfit = Unfit("not a duration of that form");

/// What a conversion makes of a value.
pub(super) fn interpret(value: Value<'_>, conversion: Conversion) -> Result<Duration, Unfit> {
    let of_us = |us: Option<i64>| us.map(|us| Duration { us, ..Duration::default() });
    let text = || match value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    match conversion {
        Conversion::IntervalMicros => of_us(count_us(value, 1)),
        Conversion::IntervalSeconds => of_us(count_us(value, 1_000_000)),
        Conversion::IntervalDotnet => of_us(text().and_then(|text| match text {
            [b'-', rest @ ..] => moment::span_us(rest)?.checked_neg(),
            _ => moment::span_us(text),
        })),
        Conversion::Interval1970 => of_us(text().and_then(moment::since_1970_us)),
        _ => text().and_then(iso),
    }
    .ok_or(NOT_A_DURATION)
}

fn count_us(value: Value<'_>, unit_us: u32) -> Option<i64> {
    match value {
        Value::Integer(count) => count.checked_mul(i64::from(unit_us)),
        Value::Real(count) => i64::try_from(number::times(count, unit_us)?).ok(),
        _ => None,
    }
}

/// Reads `[-]P` and parts `[+-]nY`, `M`, `W`, `D`, then `T` and parts `H`, `M`, `S` with fractions.
fn iso(text: &[u8]) -> Option<Duration> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut rest = text.strip_prefix(b"P")?;
    let mut found = Duration::default();
    let (mut of_time, mut parts) = (false, 0);
    while !rest.is_empty() {
        if !of_time && rest.first() == Some(&b'T') {
            // Something must follow it.
            (of_time, parts, rest) = (true, 0, &rest[1..]);
            continue;
        }
        let length = rest.iter().position(u8::is_ascii_uppercase)?;
        let (amount, unit) = (&rest[..length], rest[length]);
        rest = &rest[length + 1..];
        parts += 1;
        let is_whole = !amount.contains(&b'.');
        let count = || -> Option<i32> {
            let number =
                number::Decimal::read(amount).filter(|_| is_whole && no_exponent(amount))?;
            i32::try_from(number.whole().ok()?).ok()
        };
        match (of_time, unit) {
            (false, b'Y') => found.months = found.months.checked_add(count()?.checked_mul(12)?)?,
            (false, b'M') => found.months = found.months.checked_add(count()?)?,
            (false, b'W') => found.days = found.days.checked_add(count()?.checked_mul(7)?)?,
            (false, b'D') => found.days = found.days.checked_add(count()?)?,
            (true, b'H') => found.us = found.us.checked_add(part_us(amount, 3_600)?)?,
            (true, b'M') => found.us = found.us.checked_add(part_us(amount, 60)?)?,
            (true, b'S') => found.us = found.us.checked_add(part_us(amount, 1)?)?,
            _ => return None,
        }
    }
    if parts == 0 {
        return None;
    }
    if negative {
        found.months = found.months.checked_neg()?;
        found.days = found.days.checked_neg()?;
        found.us = found.us.checked_neg()?;
    }
    Some(found)
}

fn no_exponent(amount: &[u8]) -> bool {
    !amount.contains(&b'e')
}

/// An amount of units of so many seconds, to the nearest microsecond, half away from zero.
fn part_us(amount: &[u8], unit_s: i128) -> Option<i64> {
    let number = number::Decimal::read(amount).filter(|_| no_exponent(amount))?;
    // Nine places more make it whole, and nanoseconds of it.
    let billionths = number.shifted_whole(9)?;
    let ns = billionths.checked_mul(unit_s)?;
    let size = (ns.abs() + 500) / 1_000;
    i64::try_from(if ns < 0 { -size } else { size }).ok()
}

/// Prints it as PostgreSQL does by `intervalstyle = postgres`: a plus where the part before has a minus.
pub(super) fn shown(duration: Duration) -> String {
    let Duration { months, days, us } = duration;
    let mut parts = Vec::new();
    let mut after_minus = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let plus = if after_minus && count > 0 { "+" } else { "" };
            parts.push(format!("{plus}{count} {unit}{}", if count == 1 { "" } else { "s" }));
            after_minus = count < 0;
        }
    }
    if us != 0 || parts.is_empty() {
        let sign = match (us < 0, after_minus) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        parts.push(format!("{sign}{}", moment::shown_time(us.unsigned_abs())));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(i32, i32, i64)> {
        let value = Value::Text(text.as_bytes());
        let read = interpret(value, Conversion::IntervalIso).ok()?;
        Some((read.months, read.days, read.us))
    }

    #[test]
    fn iso_durations() {
        assert_eq!(read("P1Y2M3DT4H5M6.5S"), Some((14, 3, 14_706_500_000)));
        assert_eq!(read("-P1W"), Some((0, -7, 0)));
        assert_eq!(read("PT0.0000005S"), Some((0, 0, 1)));
        assert_eq!(read("PT-1.5H"), Some((0, 0, -5_400_000_000)));
        for wrong in ["P", "PT", "P1DT", "1D", "P1S", "PT1D", "P1.5D", "PT1", "P--1D", "", "PT.S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_print_every_part() {
        let duration = Duration { months: -13, days: 1, us: -1_500_000 };
        assert_eq!(shown(duration), "-1 years -1 mons +1 day -00:00:01.5");
        assert_eq!(shown(Duration::default()), "00:00:00");
    }
}
