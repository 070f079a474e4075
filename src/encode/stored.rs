//! The form in which PostgreSQL stores a value that it changes on its way in.
//!
//! Purpose: `char(n)` is padded with blanks, `timestamp(3)` is rounded to milliseconds. The server would do it;
//! it is done here, so that the bytes that are sent are the bytes that come back, and one hash serves both.
//!
//! Source: `bpchar_input` and `AdjustTimestampForTypmod` (away from zero at the half) by their behaviour.

use crate::model::pg_type::PgType;
use crate::model::plan::ColumnPlan;

use super::epoch;
use super::row::Misfit;

/// What the server changes of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Blanks up to so many characters.
    Pad(u32),
    /// Microseconds, in the first eight bytes, to a multiple of so many.
    Round(i64),
    /// The same, of an instant, which must stay in PostgreSQL's time.
    RoundInstant(i64),
}

impl Change {
    /// Returns what the server does; `None` when it takes values as they are.
    pub(super) fn of(plan: &ColumnPlan) -> Option<Self> {
        match plan.pg_type {
            PgType::Char(chars) => Some(Self::Pad(chars)),
            PgType::Time | PgType::TimeTz | PgType::Interval => {
                plan.demands.rounds_to_us().map(Self::Round)
            }
            PgType::Timestamp | PgType::TimestampTz => {
                plan.demands.rounds_to_us().map(Self::RoundInstant)
            }
            _ => None,
        }
    }

    /// Changes the field that begins at `begin` and ends where `out` does.
    ///
    /// # Errors
    /// A [`Misfit`] when the type does not hold what it is rounded to.
    pub(super) fn apply(self, begin: usize, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let (unit_us, is_instant) = match self {
            Self::Pad(chars) => {
                pad(chars, begin, out);
                return Ok(());
            }
            Self::Round(unit_us) => (unit_us, false),
            Self::RoundInstant(unit_us) => (unit_us, true),
        };
        if let Some(bytes) = out.get_mut(begin + 4..).and_then(<[u8]>::first_chunk_mut) {
            let before = i64::from_be_bytes(*bytes);
            let us = rounded(before, unit_us);
            if is_instant && us != before && !epoch::is_timestamp(us) {
                return Err(Misfit::new("rounded beyond the end of time"));
            }
            *bytes = us.to_be_bytes();
        }
        Ok(())
    }
}

fn pad(chars: u32, begin: usize, out: &mut Vec<u8>) {
    // Counted by the bytes that begin a character; the text was seen to be UTF-8.
    let is_first = |byte: &&u8| **byte & 0xC0 != 0x80;
    let present = out.get(begin + 4..).unwrap_or_default().iter().filter(is_first).count();
    let missing = (chars as usize).saturating_sub(present);
    out.resize(out.len() + missing, b' ');
    let length = i32::try_from(out.len() - begin - 4).unwrap_or(i32::MAX);
    out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
}

/// Infinity stays.
fn rounded(us: i64, unit_us: i64) -> i64 {
    if us == i64::MAX || us == i64::MIN {
        return us;
    }
    let half = unit_us / 2;
    let to_unit = |us: i64| us.checked_add(half).map(|us| us / unit_us * unit_us);
    if us >= 0 { to_unit(us).unwrap_or(us) } else { to_unit(-us).map_or(us, |us| -us) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (us, wanted) in [
            (1_499, 1_000),
            (1_500, 2_000),
            (-1_499, -1_000),
            (-1_500, -2_000),
            (i64::MAX, i64::MAX),
        ] {
            assert_eq!(rounded(us, 1_000), wanted, "{us}");
        }
    }

    #[test]
    fn blanks_are_counted_in_characters() {
        let mut out = vec![9, 0, 0, 0, 3, b'a', 0xC3, 0xA4];
        Change::Pad(4).apply(1, &mut out).unwrap();
        assert_eq!(out, [9, 0, 0, 0, 5, b'a', 0xC3, 0xA4, b' ', b' ']);
    }
}
