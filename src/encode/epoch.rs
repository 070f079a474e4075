//! Instants from numbers: Unix time in four units, Julian days, and two other epochs found in files.
//!
//! Purpose: exact in integers; a real is rounded to the nearest microsecond. What is outside of
//! PostgreSQL's range of timestamps (4714 BC to 294276) does not fit.

use super::exact;
use crate::model::convert::Conversion;
use crate::model::value::Value;

/// Microseconds from 1970-01-01 to 2000-01-01.
const UNIX_TO_2000_US: i128 = 946_684_800_000_000;
/// Milliseconds from the beginning of the Julian days to 2000-01-01 00:00.
const JULIAN_TO_2000_MS: i128 = 211_813_444_800_000;
/// Milliseconds of a day.
const DAY_MS: u32 = 86_400_000;
/// `MIN_TIMESTAMP` and `END_TIMESTAMP` of PostgreSQL's `datatype/timestamp.h`.
const TIMESTAMP_US_MIN: i64 = -211_813_488_000_000_000;
const TIMESTAMP_US_END: i64 = 9_223_371_331_200_000_000;

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
    /// Returns the epoch of a conversion; `None` for those that are not about one.
    #[must_use]
    pub const fn of(conversion: Conversion) -> Option<Self> {
        match conversion {
            Conversion::UnixSeconds => Some(Self::UnixSeconds),
            Conversion::UnixMillis | Conversion::IsoOrUnixMillis => Some(Self::UnixMillis),
            Conversion::UnixMicros => Some(Self::UnixMicros),
            Conversion::UnixNanos => Some(Self::UnixNanos),
            Conversion::AppleSeconds => Some(Self::AppleSeconds),
            Conversion::WebkitMicros => Some(Self::WebkitMicros),
            Conversion::JulianDay => Some(Self::JulianDay),
            _ => None,
        }
    }

    /// Microseconds of one unit as a fraction, and the microseconds from this epoch to 2000.
    const fn scale(self) -> (u32, u16, i128) {
        match self {
            Self::UnixSeconds => (1_000_000, 1, UNIX_TO_2000_US),
            Self::UnixMillis => (1_000, 1, UNIX_TO_2000_US),
            Self::UnixMicros => (1, 1, UNIX_TO_2000_US),
            Self::UnixNanos => (1, 1_000, UNIX_TO_2000_US),
            Self::AppleSeconds => (1_000_000, 1, -31_622_400_000_000),
            Self::WebkitMicros => (1, 1, UNIX_TO_2000_US + 11_644_473_600_000_000),
            // Not microseconds: see `timestamp`.
            Self::JulianDay => (DAY_MS, 1, JULIAN_TO_2000_MS),
        }
    }

    /// Returns how many digits after the point a count may have before it is rounded.
    #[must_use]
    pub const fn decimals_max(self) -> Option<u32> {
        match self {
            Self::UnixSeconds | Self::AppleSeconds => Some(6),
            Self::UnixMillis => Some(3),
            Self::UnixMicros | Self::WebkitMicros | Self::UnixNanos => Some(0),
            Self::JulianDay => None,
        }
    }
}

/// Returns microseconds since 2000-01-01 UTC.
///
/// SQLite keeps a Julian day in whole milliseconds; so do we, and a day reads back as it was.
#[must_use]
pub fn timestamp(value: Value<'_>, epoch: Epoch) -> Option<i64> {
    let (up, down, offset) = epoch.scale();
    let count = match value {
        Value::Integer(count) => rounded(i128::from(count) * i128::from(up), i128::from(down)),
        Value::Real(count) => exact::scaled(count, up, down)?,
        _ => return None,
    } - offset;
    let us_per_count = if epoch == Epoch::JulianDay { 1_000 } else { 1 };
    let us = i64::try_from(count).ok()?.checked_mul(us_per_count)?;
    is_timestamp(us).then_some(us)
}

/// Returns whether PostgreSQL has a timestamp of so many microseconds since 2000-01-01.
#[must_use]
pub fn is_timestamp(us: i64) -> bool {
    (TIMESTAMP_US_MIN..TIMESTAMP_US_END).contains(&us)
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
        assert_eq!(timestamp(Value::Integer(2_451_545), Epoch::JulianDay), Some(43_200_000_000));
        assert_eq!(timestamp(Value::Real(0.25), Epoch::UnixSeconds), Some(-946_684_799_750_000));
        assert_eq!(timestamp(Value::Integer(-1), Epoch::UnixNanos), Some(-946_684_800_000_000));
    }

    #[test]
    fn what_is_out_of_range_or_no_number_does_not_fit() {
        assert_eq!(timestamp(Value::Integer(i64::MAX), Epoch::UnixSeconds), None);
        assert_eq!(timestamp(Value::Integer(i64::MIN), Epoch::UnixMillis), None);
        assert_eq!(timestamp(Value::Real(f64::INFINITY), Epoch::UnixSeconds), None);
        for days in [1e300, 1e25, -1e28, 1e13] {
            assert_eq!(timestamp(Value::Real(days), Epoch::JulianDay), None, "{days}");
        }
        assert_eq!(timestamp(Value::Integer(i64::MAX), Epoch::JulianDay), None);
        assert_eq!(timestamp(Value::Text(b"0"), Epoch::UnixSeconds), None);
        // 294276-12-31 23:59:59 is the last second.
        assert!(timestamp(Value::Integer(9_224_318_015_999), Epoch::UnixSeconds).is_some());
        assert_eq!(timestamp(Value::Integer(9_224_318_016_000), Epoch::UnixSeconds), None);
    }
}
