//! Instants from numbers: Unix time in four units, Julian days, and two other epochs found in files.
//!
//! Purpose: exact in integers; a real is rounded to the nearest microsecond. What is outside of
//! PostgreSQL's range of timestamps (4714 BC to 294276) does not fit.

use crate::model::value::Value;

/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_TO_2000_US: i128 = 946_684_800_000_000;
/// Julian day of 2000-01-01 00:00.
const JULIAN_2000: f64 = 2_451_544.5;
/// `MIN_TIMESTAMP` and `END_TIMESTAMP` of PostgreSQL's `datatype/timestamp.h`.
const TIMESTAMP_US_MIN: i128 = -211_813_488_000_000_000;
const TIMESTAMP_US_END: i128 = 9_223_371_331_200_000_000;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
    /// Microseconds since 1970.
    UnixMicros,
    /// Nanoseconds since 1970, rounded to microseconds.
    UnixNanos,
    /// Seconds since 2001: Apple's Core Data.
    AppleSeconds,
    /// Microseconds since 1601: Chrome.
    WebkitMicros,
    /// Days since noon of 24 November 4714 BC, as SQLite's julianday().
    JulianDay,
}

impl Epoch {
    /// Microseconds of one unit as a fraction, and the microseconds from this epoch to 2000.
    const fn scale(self) -> (i128, i128, i128) {
        match self {
            Self::UnixSeconds => (1_000_000, 1, UNIX_TO_2000_US),
            Self::UnixMillis => (1_000, 1, UNIX_TO_2000_US),
            Self::UnixMicros => (1, 1, UNIX_TO_2000_US),
            Self::UnixNanos => (1, 1_000, UNIX_TO_2000_US),
            Self::AppleSeconds => (1_000_000, 1, -31_622_400_000_000),
            Self::WebkitMicros => (1, 1, UNIX_TO_2000_US + 11_644_473_600_000_000),
            Self::JulianDay => (86_400_000_000, 1, 0),
        }
    }
}

/// Returns microseconds since 2000-01-01 UTC.
#[must_use]
pub fn timestamp(value: Value<'_>, epoch: Epoch) -> Option<i64> {
    let (up, down, offset) = epoch.scale();
    let us = match value {
        Value::Integer(count) if epoch != Epoch::JulianDay => {
            rounded(i128::from(count) * up, down) - offset
        }
        Value::Integer(days) => julian(i32::try_from(days).ok().map(f64::from)?)?,
        Value::Real(days) if epoch == Epoch::JulianDay => julian(days)?,
        Value::Real(count) => rounded(real_us(count, up)?, down) - offset,
        _ => return None,
    };
    ((TIMESTAMP_US_MIN..TIMESTAMP_US_END).contains(&us)).then(|| i64::try_from(us).ok())?
}

/// SQLite keeps a Julian day in whole milliseconds; so do we, and a day reads back as it was.
fn julian(days: f64) -> Option<i128> {
    let ms = ((days - JULIAN_2000) * 86_400_000.0).round();
    whole(ms).map(|ms| ms * 1_000)
}

/// Whole and fraction apart: a double has 15 digits, of which the seconds already take 10.
fn real_us(count: f64, up: i128) -> Option<i128> {
    let seconds = count.trunc();
    #[expect(clippy::cast_precision_loss, reason = "at most 86,400,000,000")]
    let fraction = ((count - seconds) * up as f64).round();
    Some(whole(seconds)?.checked_mul(up)? + whole(fraction)?)
}

fn whole(value: f64) -> Option<i128> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the bounds checked here")]
    (value.is_finite() && value.abs() < 1e30).then_some(value as i128)
}

/// Divides, rounding half away from zero.
const fn rounded(value: i128, by: i128) -> i128 {
    let half = if value < 0 { -(by / 2) } else { by / 2 };
    (value + half) / by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_meet_at_the_same_instant() {
        // 2021-02-18 00:00:00 UTC.
        let us = Some(666_921_600_000_000);
        for (value, epoch) in [
            (Value::Integer(1_613_606_400), Epoch::UnixSeconds),
            (Value::Real(1_613_606_400.0), Epoch::UnixSeconds),
            (Value::Integer(1_613_606_400_000), Epoch::UnixMillis),
            (Value::Integer(1_613_606_400_000_000), Epoch::UnixMicros),
            (Value::Integer(1_613_606_400_000_000_499), Epoch::UnixNanos),
            (Value::Integer(635_299_200), Epoch::AppleSeconds),
            (Value::Integer(13_258_080_000_000_000), Epoch::WebkitMicros),
            (Value::Real(2_459_263.5), Epoch::JulianDay),
        ] {
            assert_eq!(timestamp(value, epoch), us, "{value:?} {epoch:?}");
        }
        assert_eq!(timestamp(Value::Real(0.25), Epoch::UnixSeconds), Some(-946_684_799_750_000));
        assert_eq!(timestamp(Value::Integer(-1), Epoch::UnixNanos), Some(-946_684_800_000_000));
    }

    #[test]
    fn what_is_out_of_range_or_no_number_does_not_fit() {
        assert_eq!(timestamp(Value::Integer(i64::MAX), Epoch::UnixSeconds), None);
        assert_eq!(timestamp(Value::Integer(i64::MIN), Epoch::UnixMillis), None);
        assert_eq!(timestamp(Value::Real(f64::INFINITY), Epoch::UnixSeconds), None);
        assert_eq!(timestamp(Value::Real(1e300), Epoch::JulianDay), None);
        assert_eq!(timestamp(Value::Text(b"0"), Epoch::UnixSeconds), None);
        // 294276-12-31 23:59:59 is the last second.
        assert!(timestamp(Value::Integer(9_224_318_015_999), Epoch::UnixSeconds).is_some());
        assert_eq!(timestamp(Value::Integer(9_224_318_016_000), Epoch::UnixSeconds), None);
    }
}
