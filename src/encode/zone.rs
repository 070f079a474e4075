//! The zone of texts that name none (`--source-tz`).

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::iso::{DAY_US, SECOND_US};

/// A zone: UTC, a fixed offset such as +02:00, or a name of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Default for Zone {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }
}

impl Zone {
    /// Reads `UTC`, `+HH:MM`, `-HH`, or a name such as `Europe/Paris`. `None`: there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = match name {
            "UTC" | "utc" | "Z" => TimeZone::UTC,
            offset if offset.starts_with(['+', '-']) => {
                // The offset's own parser is the one of timestamps.
                let stamp = super::iso::timestamp(format!("2000-01-01T00:00{offset}").as_bytes())?;
                TimeZone::fixed(Offset::from_seconds(stamp.offset_s?).ok()?)
            }
            name => TimeZone::get(name).ok()?,
        };
        Some(Self { name: name.to_owned(), zone })
    }

    /// Returns the name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the instant, in microseconds since 2000-01-01 UTC, at which the zone's clock shows
    /// `local_us`. A clock time that occurs twice is the earlier (PostgreSQL's `AT TIME ZONE` takes the
    /// later); one that is skipped moves on, as PostgreSQL does it.
    #[must_use]
    pub fn utc_us(&self, local_us: i64) -> Option<i64> {
        if self.zone == TimeZone::UTC {
            return Some(local_us);
        }
        let (near_us, cycles_us) = within_reach(local_us);
        let asked = civil(near_us)?;
        let zoned = self.zone.to_ambiguous_zoned(asked).compatible().ok()?;
        let offset_us = i64::from(zoned.offset().seconds()) * SECOND_US;
        // In a gap the clock that jiff shows is not the one that was asked for.
        let moved = zoned.datetime().duration_since(asked).as_micros();
        Some(near_us + i64::try_from(moved).ok()? - offset_us + cycles_us)
    }

    /// Returns what the zone's clock shows at an instant, both in microseconds since 2000-01-01.
    #[must_use]
    pub fn local_us(&self, utc_us: i64) -> Option<i64> {
        if self.zone == TimeZone::UTC {
            return Some(utc_us);
        }
        const UNIX_TO_2000_US: i64 = 946_684_800_000_000;
        let (near_us, _) = within_reach(utc_us);
        let instant =
            jiff::Timestamp::from_microsecond(near_us.checked_add(UNIX_TO_2000_US)?).ok()?;
        utc_us.checked_add(i64::from(self.zone.to_offset(instant).seconds()) * SECOND_US)
    }
}

/// The Gregorian calendar, week days included, repeats itself after so long; so do the rules of zones.
const CYCLE_US: i64 = 146_097 * DAY_US;
/// Cycles after 2000 that jiff reaches, whose last year is 9999.
const CYCLES_MAX: i64 = 17;

/// Returns a time that jiff reaches and that zones treat alike, and how much earlier it is.
fn within_reach(us: i64) -> (i64, i64) {
    let cycles_us = (us.div_euclid(CYCLE_US) - CYCLES_MAX).max(0) * CYCLE_US;
    (us - cycles_us, cycles_us)
}

fn civil(local_us: i64) -> Option<DateTime> {
    let days = i32::try_from(local_us.div_euclid(DAY_US)).ok()?;
    let midnight = jiff::civil::date(2000, 1, 1)
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()?
        .to_datetime(jiff::civil::Time::midnight());
    midnight.checked_add(jiff::SignedDuration::from_micros(local_us.rem_euclid(DAY_US))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_zone_is_an_instant() {
        let noon = crate::encode::iso::timestamp(b"2024-07-01 12:00:00").unwrap().local_us;
        let hour = 3_600 * SECOND_US;
        for (name, hours) in [("UTC", 0), ("+02:00", 2), ("-0330", -3), ("Europe/Paris", 2)] {
            let zone = Zone::named(name).unwrap();
            let utc = zone.utc_us(noon).unwrap();
            let expected = if name == "-0330" { noon + hour * 7 / 2 } else { noon - hour * hours };
            assert_eq!(utc, expected, "{name}");
            assert_eq!(zone.local_us(utc), Some(noon), "{name}");
        }
        assert!(Zone::named("Europe/Atlantis").is_none());
        assert!(Zone::named("+99").is_none());
    }

    #[test]
    fn summer_time_goes_on_for_ever() {
        let paris = Zone::named("Europe/Paris").unwrap();
        let us = |text: &str| crate::encode::iso::timestamp(text.as_bytes()).unwrap().local_us;
        for (clock, utc) in [
            ("9999-12-31 23:30:00", us("9999-12-31 22:30:00")),
            ("2024-07-01 12:00:00", us("2024-07-01 10:00:00")),
        ] {
            for cycles in [0, 1, 17, 18, 700] {
                let later = cycles * CYCLE_US;
                assert_eq!(paris.utc_us(us(clock) + later), Some(utc + later), "{clock} {cycles}");
                assert_eq!(
                    paris.local_us(utc + later),
                    Some(us(clock) + later),
                    "{clock} {cycles}"
                );
            }
        }
    }

    #[test]
    fn skipped_and_doubled_clock_times_are_instants_too() {
        let paris = Zone::named("Europe/Paris").unwrap();
        let us = |text: &str| crate::encode::iso::timestamp(text.as_bytes()).unwrap().local_us;
        assert_eq!(paris.utc_us(us("2024-03-31 02:30:00")), Some(us("2024-03-31 01:30:00")));
        assert_eq!(paris.utc_us(us("2024-10-27 02:30:00")), Some(us("2024-10-27 00:30:00")));
    }
}
