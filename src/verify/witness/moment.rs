//! Dates, times and instants: from text, from counts, and by the clock of a zone.
//!
//! Purpose: days that exist are asked of jiff, their numbers follow from Howard Hinnant's
//! `days_from_civil` (<https://howardhinnant.github.io/date_algorithms.html>), the rules of zones
//! from jiff's database. Instants are microseconds since 2000, as PostgreSQL counts them.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::model::convert::Conversion;
use crate::model::value::Value;

use super::{Unfit, number};

pub(super) const SECOND_US: i64 = 1_000_000;
pub(super) const DAY_US: i64 = 86_400 * SECOND_US;
/// Days from 1970-01-01 to 2000-01-01.
const DAYS_TO_2000: i64 = 10_957;
const UNIX_TO_2000_US: i64 = DAYS_TO_2000 * DAY_US;
/// The first microsecond of PostgreSQL's timestamps, 4714-11-24 BC, and the first after the last, of
/// the year 294277 (table 8.9 of <https://www.postgresql.org/docs/current/datatype-datetime.html>).
const FIRST_US: i64 = (days_from_civil(-4713, 11, 24) - DAYS_TO_2000) * DAY_US;
const END_US: i64 = (days_from_civil(294_277, 1, 1) - DAYS_TO_2000) * DAY_US;

/// Days since 1970-01-01 of the proleptic Gregorian calendar; the year before 1 is 0.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The way back: year, month, day.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + (if month <= 2 { 1 } else { 0 });
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The clock of a zone: what a text without zone shows.
#[derive(Debug, Clone)]
pub struct SourceClock {
    zone: Option<TimeZone>,
}

/// Zones repeat their rules with the calendar, after 400 years; jiff ends with the year 9999.
const CYCLE_US: i64 = 146_097 * DAY_US;
const LATE_US: i64 = (days_from_civil(9600, 1, 1) - DAYS_TO_2000) * DAY_US;

impl SourceClock {
    /// Takes what `--source-tz` takes: `UTC`, `+HH:MM`, a name of the IANA database. `None`: there is
    /// no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = if name.eq_ignore_ascii_case("utc") || name == "Z" {
            None
        } else if name.starts_with(['+', '-']) {
            let mut reader = Reader(name.as_bytes());
            let seconds = reader.zone()?;
            reader.is_done().then_some(())?;
            Some(TimeZone::fixed(Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?))
        } else {
            Some(TimeZone::get(name).ok()?)
        };
        Some(Self { zone })
    }

    fn near(us: i64) -> Option<jiff::Timestamp> {
        let near_us =
            if us < LATE_US { us } else { LATE_US - CYCLE_US + (us - LATE_US) % CYCLE_US };
        jiff::Timestamp::from_microsecond(near_us.checked_add(UNIX_TO_2000_US)?).ok()
    }

    /// What the clock shows at an instant.
    fn local_us(&self, utc_us: i64) -> Option<i64> {
        let Some(zone) = &self.zone else { return Some(utc_us) };
        let offset = zone.to_offset(Self::near(utc_us)?);
        utc_us.checked_add(i64::from(offset.seconds()) * SECOND_US)
    }

    /// The instant at which the clock shows this: the earlier of two; what is skipped moves on by as
    /// much as is skipped.
    fn utc_us(&self, local_us: i64) -> Option<i64> {
        let Some(zone) = &self.zone else { return Some(local_us) };
        let shown = Offset::UTC.to_datetime(Self::near(local_us)?);
        let offset = match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            // Before the change the clock ran by this offset. Where it showed a time twice, that was the
            // first time; where it skipped, this is what it would have shown had it not.
            AmbiguousOffset::Fold { before, .. } | AmbiguousOffset::Gap { before, .. } => before,
        };
        local_us.checked_sub(i64::from(offset.seconds()) * SECOND_US)
    }
}

/// Reads a text from its beginning.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// So many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(count)?;
        let mut value = 0;
        for byte in head {
            value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        self.0 = rest;
        Some(value)
    }

    fn eat(&mut self, wanted: &[u8]) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// `YYYY-MM-DD`, a day that exists, as days since 2000.
    fn day(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        let month = self.eat(b"-").then(|| self.digits(2))??;
        let day = self.eat(b"-").then(|| self.digits(2))??;
        let exists = year >= 1
            && jiff::civil::Date::new(
                i16::try_from(year).ok()?,
                i8::try_from(month).ok()?,
                i8::try_from(day).ok()?,
            )
            .is_ok();
        exists.then(|| days_from_civil(year, month, day) - DAYS_TO_2000)
    }

    /// `HH:MM[:SS[.f]]` with one to nine digits, as nanoseconds since midnight.
    fn clock_ns(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        let minute = self.eat(b":").then(|| self.digits(2))??;
        let (mut second, mut ns) = (0, 0);
        if self.eat(b":") {
            second = self.digits(2)?;
            if self.eat(b".") {
                let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let places = u32::try_from(count).ok().filter(|count| (1..=9).contains(count))?;
                ns = self.digits(count)? * 10_i64.pow(9 - places);
            }
        }
        let exists = hour < 24 && minute < 60 && second < 60;
        exists.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + ns)
    }

    /// `Z`, `z`, ` UTC`, or `±HH`, `±HHMM`, `±HH:MM` with a blank before it or not: seconds to the east.
    fn zone(&mut self) -> Option<i64> {
        if self.eat(b"Z") || self.eat(b"z") || self.eat(b" UTC") {
            return Some(0);
        }
        self.eat(b" ");
        let sign = if self.eat(b"+") { 1 } else { self.eat(b"-").then_some(-1)? };
        let hours = self.digits(2)?;
        let minutes = match (self.eat(b":"), self.is_done()) {
            (false, true) => 0,
            _ => self.digits(2)?,
        };
        (hours <= 15 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    }
}

/// What a text shows: a day, a time of it, and how far the clock is to the east.
struct Shown {
    day: i64,
    /// `None`: there is a day alone.
    clock_ns: Option<i64>,
    zone_s: Option<i64>,
}

impl Shown {
    fn read(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text);
        let day = reader.day()?;
        if reader.is_done() {
            return Some(Self { day, clock_ns: None, zone_s: None });
        }
        if !reader.eat(b"T") && !reader.eat(b" ") {
            return None;
        }
        let clock_ns = Some(reader.clock_ns()?);
        let zone_s = if reader.is_done() { None } else { Some(reader.zone()?) };
        reader.is_done().then_some(Self { day, clock_ns, zone_s })
    }

    fn local_us(&self, rounds: bool) -> Option<i64> {
        Some(self.day * DAY_US + micros(self.clock_ns.unwrap_or(0), rounds)?)
    }
}

/// Microseconds of nanoseconds that are not negative: half up, or only without a rest.
fn micros(ns: i64, rounds: bool) -> Option<i64> {
    (rounds || ns % 1_000 == 0).then_some((ns + 500) / 1_000)
}

const NOT_A_DATE: Unfit = Unfit("not a date");
const NOT_A_TIME: Unfit = Unfit("not a time");
const NOT_A_MOMENT: Unfit = Unfit("not a timestamp");

/// What a column of dates or times is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Text as the type has it.
    Plain,
    /// ISO text of any shape.
    Iso,
    /// A count of units.
    Count(Conversion),
    /// ISO text, or a count.
    Both(Conversion),
}

impl From {
    pub(super) const fn of(named: Option<Conversion>) -> Self {
        match named {
            None => Self::Plain,
            Some(Conversion::Iso) => Self::Iso,
            Some(Conversion::IsoOrUnixMillis) => Self::Both(Conversion::UnixMillis),
            Some(other) => Self::Count(other),
        }
    }

    fn text<'a>(self, value: Value<'a>, unfit: Unfit) -> Result<&'a [u8], Unfit> {
        match value {
            Value::Text(text) => Ok(text),
            _ => Err(unfit),
        }
    }

    /// The unit, when the value is a count.
    fn unit(self, value: Value<'_>) -> Option<Conversion> {
        match self {
            Self::Count(unit) => Some(unit),
            Self::Both(unit) if !matches!(value, Value::Text(_)) => Some(unit),
            _ => None,
        }
    }
}

/// Days since 2000.
pub(super) fn date(value: Value<'_>, from: From) -> Result<i64, Unfit> {
    let us = if let Some(unit) = from.unit(value) {
        count_us(value, unit).ok_or(NOT_A_DATE)?
    } else {
        let shown = Shown::read(from.text(value, NOT_A_DATE)?).ok_or(NOT_A_DATE)?;
        if from == From::Plain && shown.clock_ns.is_some() {
            return Err(NOT_A_DATE);
        }
        shown.local_us(true).ok_or(NOT_A_DATE)?
    };
    if us % DAY_US == 0 { Ok(us / DAY_US) } else { Err(Unfit("more than a date")) }
}

/// Microseconds since 2000 of the clock.
pub(super) fn timestamp(value: Value<'_>, from: From, clock: &SourceClock) -> Result<i64, Unfit> {
    if let Some(unit) = from.unit(value) {
        let local_us = count_us(value, unit).and_then(|us| clock.local_us(us));
        return local_us.filter(|us| (FIRST_US..END_US).contains(us)).ok_or(NOT_A_MOMENT);
    }
    let rounds = from != From::Plain;
    let shown = Shown::read(from.text(value, NOT_A_MOMENT)?).ok_or(NOT_A_MOMENT)?;
    let local_us = shown.local_us(rounds).ok_or(NOT_A_MOMENT)?;
    match shown.zone_s {
        None => Ok(local_us),
        Some(_) if !rounds => Err(Unfit("a timestamp with a zone")),
        Some(zone_s) => clock.local_us(local_us - zone_s * SECOND_US).ok_or(NOT_A_MOMENT),
    }
}

/// Microseconds since 2000 UTC.
pub(super) fn instant(value: Value<'_>, from: From, clock: &SourceClock) -> Result<i64, Unfit> {
    if let Some(unit) = from.unit(value) {
        return count_us(value, unit).ok_or(NOT_A_MOMENT);
    }
    let rounds = from != From::Plain;
    let shown = Shown::read(from.text(value, NOT_A_MOMENT)?).ok_or(NOT_A_MOMENT)?;
    let local_us = shown.local_us(rounds).ok_or(NOT_A_MOMENT)?;
    match shown.zone_s {
        Some(zone_s) => Ok(local_us - zone_s * SECOND_US),
        None if rounds => clock.utc_us(local_us).ok_or(NOT_A_MOMENT),
        None => Err(Unfit("a timestamp without a zone")),
    }
}

/// Days that stand before a time that has none.
const DAYS_OF_NONE: [&[u8]; 3] = [b"1900-01-01", b"1970-01-01", b"2000-01-01"];

/// Microseconds since midnight.
pub(super) fn time(value: Value<'_>, from: From) -> Result<i64, Unfit> {
    let mut text = from.text(value, NOT_A_TIME)?;
    let any_shape = from == From::Iso;
    if any_shape {
        let after = DAYS_OF_NONE.iter().find_map(|day| text.strip_prefix(*day));
        text = match after {
            Some([b' ' | b'T', clock @ ..]) => clock,
            _ => text,
        };
    }
    let mut reader = Reader(text);
    let us = reader.clock_ns().and_then(|ns| micros(ns, any_shape));
    us.filter(|us| reader.is_done() && *us < DAY_US).ok_or(NOT_A_TIME)
}

/// Microseconds since midnight, and seconds to the east of UTC.
pub(super) fn time_with_zone(value: Value<'_>) -> Result<(i64, i64), Unfit> {
    let mut reader = Reader(From::Plain.text(value, NOT_A_TIME)?);
    let us = reader.clock_ns().and_then(|ns| micros(ns, false)).ok_or(NOT_A_TIME)?;
    let zone_s = reader.zone().ok_or(NOT_A_TIME)?;
    if reader.is_done() { Ok((us, zone_s)) } else { Err(NOT_A_TIME) }
}

/// The clock of a text `[d.]hh:mm[:ss[.f]]`, rounded to microseconds; more than a day may be.
pub(super) fn span_us(text: &[u8]) -> Option<i64> {
    let point = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (days, clock) = match text.get(point)? {
        b'.' => (number::Decimal::read(&text[..point])?.whole().ok()?, &text[point + 1..]),
        _ => (0, text),
    };
    let mut reader = Reader(clock);
    let us = micros(reader.clock_ns()?, true)?;
    reader.is_done().then(|| days.checked_mul(DAY_US)?.checked_add(us))?
}

/// Microseconds from 1970 to a date and time without zone.
pub(super) fn since_1970_us(text: &[u8]) -> Option<i64> {
    let shown = Shown::read(text)?;
    shown.clock_ns?;
    match shown.zone_s {
        Some(_) => None,
        None => shown.local_us(false)?.checked_add(UNIX_TO_2000_US),
    }
}

/// The instant of a count, in microseconds since 2000 UTC.
fn count_us(value: Value<'_>, unit: Conversion) -> Option<i64> {
    let scaled = |up: u32| match value {
        Value::Integer(count) => Some(i128::from(count) * i128::from(up)),
        Value::Real(count) => number::times(count, up),
        _ => None,
    };
    let unix = i128::from(UNIX_TO_2000_US);
    let us = match unit {
        Conversion::UnixSeconds => scaled(1_000_000)? - unix,
        Conversion::UnixMillis => scaled(1_000)? - unix,
        Conversion::UnixMicros => scaled(1)? - unix,
        Conversion::UnixNanos => thousandth(value)? - unix,
        // 2001 and 1601.
        Conversion::AppleSeconds => scaled(1_000_000)? + i128::from(366 * DAY_US),
        Conversion::WebkitMicros => {
            scaled(1)? + i128::from((days_from_civil(1601, 1, 1) - DAYS_TO_2000) * DAY_US)
        }
        // Day 2,451,544.5 is 2000-01-01; a Julian day has whole milliseconds.
        Conversion::JulianDay => {
            (scaled(86_400_000)? - 2_451_544 * 86_400_000 - 43_200_000) * 1_000
        }
        _ => return None,
    };
    i64::try_from(us).ok().filter(|us| (FIRST_US..END_US).contains(us))
}

/// A thousandth of a count, half away from zero.
fn thousandth(value: Value<'_>) -> Option<i128> {
    let whole = match value {
        Value::Integer(count) => i128::from(count),
        // What is behind the point cannot lift a rest over the half: the half itself goes up already.
        #[expect(clippy::cast_possible_truncation, reason = "under 1e25")]
        Value::Real(count) if count.abs() < 1e25 => count.trunc() as i128,
        _ => return None,
    };
    let size = (whole.abs() + 500) / 1_000;
    Some(if whole < 0 { -size } else { size })
}

/// Rounds to a step, half away from zero, as the server does for `timestamp(3)`.
pub(super) const fn stepped(us: i64, step_us: i64) -> i64 {
    let size = (us.unsigned_abs() + step_us.unsigned_abs() / 2) / step_us.unsigned_abs();
    let size = (size * step_us.unsigned_abs()).cast_signed();
    if us < 0 { -size } else { size }
}

/// Prints days since 2000 as PostgreSQL does.
pub(super) fn shown_date(days: i64) -> String {
    let (year, month, day) = civil_from_days(days + DAYS_TO_2000);
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{:04}-{month:02}-{day:02} BC", 1 - year)
    }
}

/// Prints microseconds since midnight.
pub(super) fn shown_time(us: u64) -> String {
    let (seconds, part) = (us / 1_000_000, us % 1_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let shown = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if part == 0 {
        return shown;
    }
    format!("{shown}.{part:06}").trim_end_matches('0').to_owned()
}

/// Prints microseconds since 2000, with a zone behind them.
pub(super) fn shown_timestamp(us: i64, zone: &str) -> String {
    match us {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => {
            let date = shown_date(us.div_euclid(DAY_US));
            let (date, era) =
                date.split_once(" BC").map_or((date.as_str(), ""), |(date, _)| (date, " BC"));
            format!("{date} {}{zone}{era}", shown_time(us.rem_euclid(DAY_US).unsigned_abs()))
        }
    }
}

/// Prints seconds to the east of UTC.
pub(super) fn shown_zone(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let size = seconds.unsigned_abs();
    let minutes = size / 60 % 60;
    let shown = format!("{sign}{:02}", size / 3_600);
    if minutes == 0 { shown } else { format!("{shown}:{minutes:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_are_postgresqls() {
        // MIN_TIMESTAMP and END_TIMESTAMP of its datatype/timestamp.h.
        assert_eq!((FIRST_US, END_US), (-211_813_488_000_000_000, 9_223_371_331_200_000_000));
    }

    #[test]
    fn days_go_there_and_back() {
        for days in (-2_500_000..110_000_000).step_by(997) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(shown_date(0), "2000-01-01");
        assert_eq!(shown_timestamp(-1, "+00"), "1999-12-31 23:59:59.999999+00");
        assert_eq!(shown_timestamp(FIRST_US, ""), "4714-11-24 00:00:00 BC");
    }

    #[test]
    fn clocks_that_show_a_time_twice_or_not_at_all() {
        let paris = SourceClock::named("Europe/Paris").unwrap();
        let utc = |text: &str| {
            let us = instant(Value::Text(text.as_bytes()), From::Iso, &paris).unwrap();
            shown_timestamp(us, "")
        };
        assert_eq!(utc("2024-07-01 12:00"), "2024-07-01 10:00:00");
        assert_eq!(utc("2024-10-27 02:30"), "2024-10-27 00:30:00");
        assert_eq!(utc("2024-03-31 02:30"), "2024-03-31 01:30:00");
        assert_eq!(utc("9999-07-01 12:00"), "9999-07-01 10:00:00");
        assert!(SourceClock::named("Mars/Olympus").is_none());
        assert!(SourceClock::named("+05:30x").is_none());
    }
}
