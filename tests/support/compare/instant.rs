//! Dates and times as text, turned into microseconds.
//!
//! Purpose: one reader for ISO 8601 text as apps write it into SQLite and for what PostgreSQL
//! prints with `DateStyle = ISO` and `TimeZone = UTC`. Text without a zone is taken as UTC.
//!
//! Known gaps: week dates, ordinal dates, basic format (20240131) and leap seconds are refused, as
//! is `24:00:00` except in a column of type time.

/// A moment read from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Microseconds since 1970-01-01 00:00:00 UTC, or since midnight when there is no date.
    pub(crate) micros: i128,
    /// What is left below a microsecond, in nanoseconds: 0 to 999.
    pub(crate) nanos: u32,
    /// The text has a date.
    pub(crate) has_date: bool,
    /// The text has a time of day.
    pub(crate) has_time: bool,
    /// The text has a zone or an offset.
    pub(crate) has_zone: bool,
}

const MICROS_PER_SECOND: i128 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i128 = 86_400 * MICROS_PER_SECOND;

/// Reads a text; `None` when it is no date, time or both, or one that no calendar has.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let (text, before_christ) = match text.strip_suffix(" BC") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let mut reader = Reader { bytes: text.as_bytes() };
    if reader.looks_like_time() {
        let (micros, nanos) = reader.time_of_day()?;
        let done = reader.bytes.is_empty() && !before_christ;
        return done.then_some(Moment {
            micros,
            nanos,
            has_date: false,
            has_time: true,
            has_zone: false,
        });
    }
    let days = reader.date(before_christ)?;
    let mut moment = Moment {
        micros: i128::from(days) * MICROS_PER_DAY,
        nanos: 0,
        has_date: true,
        has_time: false,
        has_zone: false,
    };
    if reader.bytes.is_empty() {
        return Some(moment);
    }
    if !reader.take(b' ') && !reader.take(b'T') {
        return None;
    }
    let (of_day, nanos) = reader.time_of_day()?;
    if of_day >= MICROS_PER_DAY {
        return None;
    }
    moment.has_time = true;
    moment.micros += of_day;
    moment.nanos = nanos;
    if !reader.bytes.is_empty() {
        moment.has_zone = true;
        moment.micros -= i128::from(reader.offset_seconds()?) * MICROS_PER_SECOND;
    }
    reader.bytes.is_empty().then_some(moment)
}

/// A moment given to less than a microsecond, rounded either way where it is just between.
pub(crate) fn rounds_to(moment: &Moment, micros: i128) -> bool {
    match micros - moment.micros {
        0 => moment.nanos <= 500,
        1 => moment.nanos >= 500,
        _ => false,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self, wanted: u8) -> bool {
        let found = self.bytes.first() == Some(&wanted);
        if found {
            self.bytes = &self.bytes[1..];
        }
        found
    }

    fn looks_like_time(&self) -> bool {
        self.bytes.get(2) == Some(&b':')
    }

    /// Takes all digits that come next, at least `min` and at most `max`.
    fn digits(&mut self, min: usize, max: usize) -> Option<(i64, usize)> {
        let len = self.bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len < min || len > max {
            return None;
        }
        let value = self.bytes[..len]
            .iter()
            .fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.bytes = &self.bytes[len..];
        Some((value, len))
    }

    fn two_digits(&mut self, max: i64) -> Option<i64> {
        // Exactly two, also when a third follows without a separator, as in the offset +0530.
        let pair = self.bytes.get(..2)?;
        if !pair.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.bytes = &self.bytes[2..];
        let value = i64::from(pair[0] - b'0') * 10 + i64::from(pair[1] - b'0');
        (value <= max).then_some(value)
    }

    /// Days since 1970-01-01.
    fn date(&mut self, before_christ: bool) -> Option<i64> {
        let negative = self.take(b'-');
        let (year, _) = self.digits(4, 7)?;
        // Astronomical years: 1 BC is 0. A text cannot say both.
        let year = match (before_christ, negative) {
            (true, true) => return None,
            (true, false) if year == 0 => return None,
            (true, false) => 1 - year,
            (false, true) => -year,
            (false, false) => year,
        };
        if !self.take(b'-') {
            return None;
        }
        let month = self.two_digits(12)?;
        if !self.take(b'-') {
            return None;
        }
        let day = self.two_digits(31)?;
        if month == 0 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        Some(days_from_civil(year, month, day))
    }

    /// Microseconds since midnight, and nanoseconds below that.
    fn time_of_day(&mut self) -> Option<(i128, u32)> {
        let hour = self.two_digits(24)?;
        if !self.take(b':') {
            return None;
        }
        let minute = self.two_digits(59)?;
        let mut second = 0;
        let mut fraction = 0;
        if self.take(b':') {
            second = self.two_digits(59)?;
            if self.take(b'.') {
                let (digits, len) = self.digits(1, 9)?;
                fraction = (len..9).fold(digits, |value, _| value * 10);
            }
        }
        let seconds = hour * 3_600 + minute * 60 + second;
        if seconds > 86_400 || (seconds == 86_400 && fraction > 0) {
            return None;
        }
        let micros = i128::from(seconds) * MICROS_PER_SECOND + i128::from(fraction / 1_000);
        Some((micros, u32::try_from(fraction % 1_000).ok()?))
    }

    /// Seconds east of UTC.
    fn offset_seconds(&mut self) -> Option<i64> {
        if self.take(b'Z') || self.take(b'z') {
            return Some(0);
        }
        // As Ruby prints it: 2024-01-02 03:04:05 +0000, or UTC.
        if self.take(b' ') && self.bytes == b"UTC" {
            self.bytes = &[];
            return Some(0);
        }
        let west = match self.bytes.first()? {
            b'-' => true,
            b'+' => false,
            _ => return None,
        };
        self.bytes = &self.bytes[1..];
        let mut seconds = self.two_digits(23)? * 3_600;
        if !self.bytes.is_empty() {
            self.take(b':');
            seconds += self.two_digits(59)? * 60;
        }
        if self.take(b':') {
            seconds += self.two_digits(59)?;
        }
        Some(if west { -seconds } else { seconds })
    }
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counted year by 400-year cycle.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before_year = |year: i64| {
        let last = year - 1;
        365 * year + last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let index = usize::try_from(month - 1).unwrap_or(0);
    let leap_day = i64::from(month > 2 && is_leap(year));
    before_year(year) - before_year(1970) + DAYS_BEFORE[index] + leap_day + day - 1
}
