//! Values that are encoded and are not all there any more.
//!
//! Purpose: what a conversion rounds, cuts, moves or drops is asked for by a rule, and still has to be
//! counted and named. A spelling is no loss: case of a UUID, blanks of JSON, an exponent.
//!
//! Known gaps: a Julian day is not looked at; the milliseconds that SQLite keeps of it are all there.

use crate::encode::epoch::Epoch;
use crate::encode::{Zone, array, decimal, iso, json, number};
use crate::model::convert::{Conversion, Convert};
use crate::model::pg_type::{Element, PgType};
use crate::model::plan::ColumnPlan;
use crate::model::value::Value;

/// Judges the values of one column.
pub(super) struct Losses<'a> {
    pg_type: PgType,
    convert: Convert,
    zone: &'a Zone,
    keys: json::Keys,
    /// Microseconds that the server rounds to, in a column that is there already.
    rounds_to_us: Option<i64>,
}

impl<'a> Losses<'a> {
    pub(super) fn new(plan: &ColumnPlan, zone: &'a Zone) -> Self {
        Self {
            pg_type: plan.pg_type,
            convert: plan.convert,
            zone,
            keys: json::Keys::default(),
            rounds_to_us: plan.demands.rounds_to_us(),
        }
    }

    /// Returns whether something of a value is not in the field that it was encoded to.
    pub(super) fn loses(&mut self, value: Value<'_>, field: &[u8]) -> bool {
        use Conversion as C;
        if self.is_rounded(field) {
            return true;
        }
        let conversion = match self.convert {
            Convert::Named(conversion) => conversion,
            // Blanks at the end are no longer told from those that PostgreSQL pads with.
            Convert::Plain => {
                return matches!((self.pg_type, value), (PgType::Char(_), Value::Text([.., b' '])));
            }
            Convert::Enum(_) => return false,
        };
        match (conversion, value) {
            (C::Replace | C::Strip | C::Truncate, Value::Text(text)) => {
                field.get(4..) != Some(text)
            }
            (C::UnixNanos, Value::Integer(count)) => count % 1_000 != 0,
            (C::Iso | C::IsoOrUnixMillis, Value::Text(text)) => {
                has_seventh_digit(text) || self.moves(text)
            }
            (C::IntervalDotnet | C::IntervalIso, Value::Text(text)) => has_seventh_digit(text),
            (C::IntervalSeconds, Value::Real(count)) => has_more_decimals(count, 6),
            (C::IntervalMicros, Value::Real(count)) => has_more_decimals(count, 0),
            (_, Value::Real(count)) => Epoch::of(conversion)
                .and_then(Epoch::decimals_max)
                .is_some_and(|decimals| has_more_decimals(count, decimals)),
            (C::JsonAny, Value::Text(text) | Value::Blob(text)) => {
                self.pg_type == PgType::Jsonb && self.keys.repeat(text)
            }
            (C::Number | C::NumberBlob, Value::Text(text)) | (C::NumberBlob, Value::Blob(text)) => {
                self.pg_type == PgType::Double && number::rounds_as_double(text)
            }
            (C::ArrayJson | C::ArrayComma, Value::Text(text)) => {
                self.pg_type == PgType::Array(Element::Double)
                    && array::rounds(text, conversion == C::ArrayComma)
            }
            _ => false,
        }
    }

    /// Returns whether the server rounds an encoded date or time to what its column keeps. The field
    /// begins with its length, then 64 bits of microseconds: so do timestamps, times and intervals.
    fn is_rounded(&self, field: &[u8]) -> bool {
        let Some(unit_us) = self.rounds_to_us else { return false };
        let micros = field.get(4..12).and_then(|bytes| bytes.try_into().ok());
        micros.map(i64::from_be_bytes).is_some_and(|micros| micros % unit_us != 0)
    }

    /// Returns whether an ISO text has an offset that its column does not keep, or a clock time that
    /// summer time skipped in --source-tz.
    fn moves(&self, text: &[u8]) -> bool {
        let Some(stamp) = iso::timestamp_rounded(text) else { return false };
        match (self.pg_type, stamp.offset_s) {
            (PgType::Timestamp, Some(offset_s)) => {
                offset_s != 0 || self.zone.local_us(stamp.local_us) != Some(stamp.local_us)
            }
            (PgType::TimestampTz | PgType::Date, Some(offset_s)) => offset_s != 0,
            (PgType::TimestampTz, None) => {
                let utc_us = self.zone.utc_us(stamp.local_us);
                utc_us.and_then(|utc_us| self.zone.local_us(utc_us)) != Some(stamp.local_us)
            }
            _ => false,
        }
    }
}

/// Returns whether a fraction of a second has a digit beyond microseconds that is not zero.
fn has_seventh_digit(text: &[u8]) -> bool {
    let Some(point) = text.iter().rposition(|byte| *byte == b'.') else { return false };
    let digits = text[point + 1..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.skip(6).any(|digit| *digit != b'0')
}

/// Returns whether the shortest form of a real has more digits after the point.
fn has_more_decimals(count: f64, decimals: u32) -> bool {
    let plain = decimal::plain_of_double(count);
    plain.is_some_and(|plain| decimal::digits_needed(plain.as_bytes()).1 > decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::RowEncoder;
    use crate::model::on_misfit::OnMisfit;

    /// Whether a value that must fit loses something.
    fn loses(pg_type: &str, convert: &str, zone: &str, value: Value<'_>) -> bool {
        let plan = ColumnPlan {
            source: String::new(),
            readable: true,
            target: String::new(),
            pg_type: pg_type.parse().unwrap(),
            convert: Convert::parse(convert).unwrap(),
            labels: Vec::new(),
            on_misfit: OnMisfit::Reject,
            demands: crate::model::demands::Demands::default(),
        };
        let zone = Zone::named(zone).unwrap();
        let mut field = Vec::new();
        RowEncoder::new(std::slice::from_ref(&plan), &zone).field(0, value, &mut field).unwrap();
        Losses::new(&plan, &zone).loses(value, &field)
    }

    #[test]
    fn what_is_rounded_cut_moved_or_dropped_is_a_loss() {
        for (pg_type, convert, text, kept) in [
            ("text", "strip", "a\0b", "ab"),
            ("varchar(2)", "truncate", "abc", "ab"),
            ("char(3)", "plain", "a ", "a"),
            ("time", "iso", "12:00:00.1234567", "12:00:00.1234560"),
            ("interval", "interval_iso", "PT0.1234567S", "PT0.123456S"),
            ("timestamptz", "iso", "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00Z"),
            ("timestamp", "iso", "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00Z"),
            ("date", "iso", "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00Z"),
            ("jsonb", "json", "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2}"),
            ("double precision", "number", "9007199254740993", "9007199254740992.0"),
            ("double precision[]", "array_json", "[1, 0.10000000000000001]", "[1, 1e-1]"),
            ("double precision[]", "array_comma", "9007199254740993", "5,0.1,1e3"),
        ] {
            assert!(loses(pg_type, convert, "UTC", Value::Text(text.as_bytes())), "{text}");
            assert!(!loses(pg_type, convert, "UTC", Value::Text(kept.as_bytes())), "{kept}");
        }
        for (pg_type, convert, count, kept) in [
            ("timestamptz", "unix_s", 1.123_456_7, 1.123_456),
            ("timestamptz", "unix_ms", 1.123_4, 1.123),
            ("date", "unix_us", 0.25, 0.0),
            ("interval", "interval_s", 0.000_000_1, 0.5),
            ("interval", "interval_us", 0.5, 5.0),
        ] {
            assert!(loses(pg_type, convert, "UTC", Value::Real(count)), "{count}");
            assert!(!loses(pg_type, convert, "UTC", Value::Real(kept)), "{kept}");
        }
        assert!(loses("timestamp", "unix_ns", "UTC", Value::Integer(1)));
        assert!(!loses("json", "json", "UTC", Value::Text(b"{\"a\":1,\"a\":2}")));
    }

    #[test]
    fn clock_times_that_a_zone_skips_are_moved() {
        let stamp = |text: &'static str| Value::Text(text.as_bytes());
        assert!(loses("timestamptz", "iso", "Europe/Paris", stamp("2024-03-31 02:30:00")));
        assert!(!loses("timestamptz", "iso", "Europe/Paris", stamp("2024-10-27 02:30:00")));
        assert!(loses("timestamp", "iso", "Europe/Paris", stamp("2024-10-27T02:30:00Z")));
    }
}
