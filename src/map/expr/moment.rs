//! Dates and times.
//!
//! SQLite has no type for them: its functions read ISO text and make text. Here they read columns
//! that became date or timestamp, columns of text where every value is an ISO date or timestamp,
//! seconds since 1970 and `'now'`, and make the same text.
//!
//! Sources: <https://www.sqlite.org/lang_datefunc.html>; measured where it is silent: fractions of a
//! second are cut, not rounded; a month too short for the day runs over into the next one.
//!
//! Known gaps: modifiers that are not constant, `utc`, `auto`, `julianday`, `subsec`, `ceiling`,
//! `floor`, fractions of units; results beyond the years 0001-9999.

use crate::model::evidence::StampForm;
use crate::model::expression::{Expr, Literal};
use crate::model::ident::literal;

use super::arithmetic::null_of;
use super::text::integer_of;
use super::value::{Class, Instant, Moment, Part, Sql, Value};
use super::{Need, Translator};

type Outcome = Result<Value, String>;

/// What a function makes of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Date,
    Time,
    Seconds,
}

impl Written {
    const fn format(self) -> &'static str {
        match self {
            Self::Date => "%Y-%m-%d",
            Self::Time => "%H:%M:%S",
            Self::Seconds => "%Y-%m-%d %H:%M:%S",
        }
    }
}

/// A point in time while modifiers are applied to it.
#[derive(Clone)]
struct Point {
    /// timestamp without time zone.
    stamp: Sql,
    /// Of which value it is: NULL and volatile are taken over.
    of: Option<Value>,
    is_now: bool,
}

/// The first moment that a text such as `2024-02` stands for, with the form of the text.
pub(super) struct Boundary {
    pub(super) sql: Sql,
    pub(super) form: StampForm,
}

impl Translator<'_> {
    /// CURRENT_TIMESTAMP and its kin.
    pub(super) fn now_as(&mut self, written: Written) -> Value {
        let point = self.now();
        self.written(&point, written.format()).unwrap_or_else(|_| null_of(Class::Text, &[]))
    }

    pub(super) fn moment_function(
        &mut self,
        name: &str,
        args: &[Expr],
    ) -> Result<Option<Value>, String> {
        let (format, args) = match name {
            "date" => (Written::Date.format().to_owned(), args),
            "time" => (Written::Time.format().to_owned(), args),
            "datetime" => (Written::Seconds.format().to_owned(), args),
            "julianday" | "unixepoch" => (String::new(), args),
            "strftime" => match args {
                [format, rest @ ..] => match self.value(format)?.text_constant() {
                    Some(format) => (format.to_owned(), rest),
                    None => return Err("strftime with a format that is not constant".into()),
                },
                [] => return Err("strftime without a format".into()),
            },
            "timediff" => return Err("timediff is not translated".into()),
            _ => return Ok(None),
        };
        let point = match args {
            [] => self.now(),
            [of, modifiers @ ..] => match self.point(of, modifiers)? {
                Some(point) => point,
                None => return Ok(Some(null_of(Class::Text, &[]))),
            },
        };
        let stamp = point.stamp.operand();
        Ok(Some(match name {
            "unixepoch" => {
                let sql = format!("floor(extract(epoch from {stamp}))::bigint");
                made(&point, Sql::tight(sql), Class::Int)
            }
            "julianday" => {
                // Milliseconds since noon of 4714-11-24 BC.
                let sql = format!(
                    "(floor(extract(epoch from {stamp}) * 1000) + 210866760000000)::double precision / 86400000"
                );
                made(&point, Sql::loose(sql), Class::Real)
            }
            _ => self.written(&point, &format)?,
        }))
    }

    fn now(&mut self) -> Point {
        self.stable("now() is not");
        Point { stamp: Sql::loose("now() AT TIME ZONE 'UTC'"), of: None, is_now: true }
    }

    /// Reads a time value and applies modifiers; `None`: NULL.
    fn point(&mut self, of: &Expr, modifiers: &[Expr]) -> Result<Option<Point>, String> {
        let mut words = Vec::new();
        for modifier in modifiers {
            let Expr::Literal(Literal::Text(text)) = modifier else {
                return Err("a modifier of a date that is not constant".into());
            };
            words.push(text.trim().to_ascii_lowercase());
        }
        let mut words = words.as_slice();
        let value = self.value(of)?;
        let mut point = match value.class {
            Class::Null => return Ok(None),
            Class::Int => match words.split_first() {
                Some((word, rest)) if word == "unixepoch" => {
                    words = rest;
                    self.since_1970(&value)?
                }
                _ => return Err("a number is taken for a Julian day".into()),
            },
            _ => self.point_of(value)?,
        };
        for word in words {
            point = self.modified(point, word)?;
        }
        Ok(Some(point))
    }

    fn since_1970(&mut self, value: &Value) -> Result<Point, String> {
        let seconds = integer_of(value)?;
        let seconds = if value.constant.is_some() {
            seconds
        } else {
            if value.is_volatile {
                return Err("a date would compute its argument twice".into());
            }
            // What is beyond the year 9999 is NULL in SQLite.
            let seconds = seconds.operand();
            Sql::tight(format!(
                "CASE WHEN {seconds} BETWEEN -62135596800 AND 253402300799 THEN {seconds} END"
            ))
        };
        let stamp = Sql::loose(format!("to_timestamp({}) AT TIME ZONE 'UTC'", seconds.text));
        Ok(Point { stamp, of: Some(value.clone().maybe_null()), is_now: false })
    }

    fn point_of(&mut self, value: Value) -> Result<Point, String> {
        if let Some(text) = value.text_constant() {
            if text.eq_ignore_ascii_case("now") {
                return Ok(self.now());
            }
            let Some(stamp) = stamp_literal(text) else {
                return Err("a text is no ISO date or time, or one of another form".into());
            };
            return Ok(Point { stamp, of: Some(value), is_now: false });
        }
        let stamp = match (value.class, value.instant.as_deref()) {
            (_, Some(Instant { stamp, part: Part::Date, .. })) => {
                Sql::call("date_trunc", &[&Sql::tight("'day'"), stamp])
            }
            (_, Some(Instant { stamp, part: Part::Seconds, .. })) => {
                Sql::call("date_trunc", &[&Sql::tight("'second'"), stamp])
            }
            (Class::Moment(Moment::Date, _), _) => value.sql.cast("timestamp"),
            (Class::Moment(Moment::Timestamp, _), _) => value.sql.clone(),
            (Class::Text, _) if value.is_stamp_text => {
                self.stable("a cast of text to timestamp is not");
                value.sql.cast("timestamp")
            }
            (Class::Text, _) => {
                return Err("not every text of it is known to be an ISO date or timestamp".into());
            }
            (class, _) => return Err(format!("{} is taken for a date", class.shown())),
        };
        Ok(Point { stamp, of: Some(value), is_now: false })
    }

    fn modified(&mut self, point: Point, word: &str) -> Result<Point, String> {
        let unknown = || Err(format!("the modifier '{}' of a date", word.escape_debug()));
        let stamp = point.stamp.operand();
        let truncated =
            |unit: &str| Sql::call("date_trunc", &[&Sql::tight(format!("'{unit}'")), &point.stamp]);
        let changed = match word {
            "start of day" => truncated("day"),
            "start of month" => truncated("month"),
            "start of year" => truncated("year"),
            "localtime" if point.is_now => {
                self.notes.push(
                    "Local time is that of the session's TimeZone in PostgreSQL, not that of the machine."
                        .into(),
                );
                return Ok(Point { stamp: Sql::tight("LOCALTIMESTAMP"), is_now: false, ..point });
            }
            _ => {
                if let Some(day) = word.strip_prefix("weekday ") {
                    let Some(day) = day.trim().parse::<u8>().ok().filter(|day| *day < 7) else {
                        return unknown();
                    };
                    Sql::loose(format!(
                        "{stamp} + (({} - extract(dow from {stamp})::integer) % 7) * interval '1 day'",
                        day + 7
                    ))
                } else {
                    match moved(&point.stamp, word) {
                        Some(moved) => moved,
                        None => return unknown(),
                    }
                }
            }
        };
        Ok(Point { stamp: changed, is_now: false, ..point })
    }

    /// A point in time as `strftime` writes it.
    fn written(&mut self, point: &Point, format: &str) -> Outcome {
        let mut pieces: Vec<String> = Vec::new();
        let mut picture = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            let piece = if c == '%' {
                field(chars.next().ok_or("strftime with a format that ends in %")?)?
            } else {
                Field::Plain(c.to_string())
            };
            match piece {
                Field::Picture(code) if self.need == Need::Anything => picture.push_str(code),
                Field::Plain(text)
                    if self.need == Need::Anything && !text.contains(['"', '\\']) =>
                {
                    push_plain(&mut picture, &text);
                }
                other => {
                    self.end_picture(&mut picture, &mut pieces, &point.stamp);
                    pieces.push(other.sql(&point.stamp));
                }
            }
        }
        self.end_picture(&mut picture, &mut pieces, &point.stamp);
        let sql = match pieces.len() {
            0 => Sql::tight("''"),
            1 => Sql::tight(pieces.remove(0)),
            _ => Sql::loose(pieces.join(" || ")),
        };
        let mut value = made(point, sql, Class::Text);
        if format == "%s" {
            let sql = format!("floor(extract(epoch from {}))::bigint", point.stamp.operand());
            value.digits = Some(Box::new(Sql::tight(sql)));
        }
        let part = match format {
            "%Y-%m-%d" | "%F" => Some(Part::Date),
            "%H:%M:%S" | "%T" => Some(Part::Time),
            "%Y-%m-%d %H:%M:%S" | "%F %T" => Some(Part::Seconds),
            "%Y-%m-%dT%H:%M:%SZ" | "%Y-%m-%dT%H:%M:%S" | "%Y-%m-%dT%H:%M:%fZ"
            | "%Y-%m-%dT%H:%M:%f" | "%Y-%m-%d %H:%M:%f" | "%Y-%m-%d %H:%M:%fZ" => {
                Some(Part::Millis)
            }
            _ => None,
        };
        value.instant = part.map(|part| {
            Box::new(Instant { stamp: point.stamp.clone(), part, is_now: point.is_now })
        });
        Ok(value)
    }

    fn end_picture(&mut self, picture: &mut String, pieces: &mut Vec<String>, stamp: &Sql) {
        if !picture.is_empty() {
            self.stable("to_char() is not");
            pieces.push(format!("to_char({}, {})", stamp.text, literal(picture)));
            picture.clear();
        }
    }
}

fn made(point: &Point, sql: Sql, class: Class) -> Value {
    let from: Vec<&Value> = point.of.iter().collect();
    let mut value = Value::of(sql, class, &from);
    value.is_wide = false;
    if class == Class::Text {
        value.collation = None;
        value.is_collated = false;
    }
    value
}

/// `+N units`, `+HH:MM`; `None` when it is neither.
fn moved(stamp: &Sql, word: &str) -> Option<Sql> {
    let (sign, rest) = match word.as_bytes().first()? {
        b'+' => ("+", &word[1..]),
        b'-' => ("-", &word[1..]),
        _ => ("+", word),
    };
    let operand = stamp.operand();
    if rest.len() >= 5 && rest.as_bytes().get(2) == Some(&b':') && rest.len() <= 8 {
        let parts: Vec<&str> = rest.split(':').collect();
        let is_two_digits =
            |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !parts.iter().all(is_two_digits) {
            return None;
        }
        return Some(Sql::loose(format!("{operand} {sign} interval '{rest}'")));
    }
    let (count, unit) = rest.trim().split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count <= 1_000_000_000)?;
    let unit = unit.trim();
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    match unit {
        "second" | "minute" | "hour" | "day" => {
            let plural = if count == 1 { "" } else { "s" };
            Some(Sql::loose(format!("{operand} {sign} interval '{count} {unit}{plural}'")))
        }
        // From the first of the month on, so that the 31st of a shorter month runs over.
        "month" | "year" if count <= 100_000 => Some(Sql::loose(format!(
            "date_trunc('month', {text}) {sign} interval '{count} {unit}' \
             + ({operand} - date_trunc('month', {text}))",
            text = stamp.text
        ))),
        _ => None,
    }
}

/// One `%x` of strftime, or what stands between.
enum Field {
    /// A template pattern of to_char().
    Picture(&'static str),
    /// Itself.
    Plain(String),
    /// An expression over the timestamp, which stands at each `$`.
    Expression(&'static str),
}

impl Field {
    /// The field as an expression of its own, which is immutable.
    fn sql(&self, stamp: &Sql) -> String {
        let stamp = stamp.operand();
        let padded = |field: &str, width: u8| {
            format!("lpad(floor(extract({field} from {stamp}))::integer::text, {width}, '0')")
        };
        match self {
            Self::Plain(text) => literal(text),
            Self::Expression(text) => text.replace('$', &stamp),
            Self::Picture(code) => match *code {
                "YYYY" => padded("year", 4),
                "MM" => padded("month", 2),
                "DD" => padded("day", 2),
                "HH24" => padded("hour", 2),
                "MI" => padded("minute", 2),
                "SS" => padded("second", 2),
                "DDD" => padded("doy", 3),
                "IYYY" => padded("isoyear", 4),
                "IW" => padded("week", 2),
                "YYYY-MM-DD" => {
                    format!(
                        "{} || '-' || {} || '-' || {}",
                        padded("year", 4),
                        padded("month", 2),
                        padded("day", 2)
                    )
                }
                "HH24:MI:SS" => {
                    format!(
                        "{} || ':' || {} || ':' || {}",
                        padded("hour", 2),
                        padded("minute", 2),
                        padded("second", 2)
                    )
                }
                _ => format!("{} || ':' || {}", padded("hour", 2), padded("minute", 2)),
            },
        }
    }
}

fn field(letter: char) -> Result<Field, String> {
    Ok(match letter {
        'Y' => Field::Picture("YYYY"),
        'm' => Field::Picture("MM"),
        'd' => Field::Picture("DD"),
        'H' => Field::Picture("HH24"),
        'M' => Field::Picture("MI"),
        'S' => Field::Picture("SS"),
        'j' => Field::Picture("DDD"),
        'F' => Field::Picture("YYYY-MM-DD"),
        'T' => Field::Picture("HH24:MI:SS"),
        'R' => Field::Picture("HH24:MI"),
        'G' => Field::Picture("IYYY"),
        'V' => Field::Picture("IW"),
        'w' => Field::Expression("extract(dow from $)::integer::text"),
        'u' => Field::Expression("extract(isodow from $)::integer::text"),
        's' => Field::Expression("floor(extract(epoch from $))::bigint::text"),
        // SQLite rounds to milliseconds, but never up to the next minute.
        'f' => Field::Expression(
            "CASE WHEN extract(second from $) >= 59.9995 THEN '59.999' \
             ELSE lpad(round(extract(second from $)::numeric, 3)::text, 6, '0') END",
        ),
        'W' => Field::Expression(
            "lpad(((extract(doy from $)::integer + 6 - (extract(dow from $)::integer + 6) % 7) / 7)::text, 2, '0')",
        ),
        'U' => Field::Expression(
            "lpad(((extract(doy from $)::integer + 6 - extract(dow from $)::integer) / 7)::text, 2, '0')",
        ),
        'e' => Field::Expression("lpad(extract(day from $)::integer::text, 2, ' ')"),
        'k' => Field::Expression("lpad(extract(hour from $)::integer::text, 2, ' ')"),
        '%' => Field::Plain("%".into()),
        other => return Err(format!("strftime with %{}", other.escape_debug())),
    })
}

/// Letters and digits would be read as patterns, so they are quoted.
fn push_plain(picture: &mut String, text: &str) {
    let is_safe = text.chars().all(|c| matches!(c, '-' | ':' | ' ' | '/' | '.' | ',' | '_'));
    if is_safe {
        picture.push_str(text);
        return;
    }
    if picture.ends_with('"') && picture.len() > 1 {
        picture.pop();
    } else {
        picture.push('"');
    }
    picture.push_str(text);
    picture.push('"');
}

/// `timestamp '...'` for ISO text, `None` for any other.
fn stamp_literal(text: &str) -> Option<Sql> {
    let found = boundary(text, Moment::Timestamp, StampForm::SECONDS)?;
    (found.form.length >= 10).then_some(found.sql)
}

/// Reads the beginning of an ISO timestamp: a year, a month, a day, or a time of a day.
pub(super) fn boundary(text: &str, kind: Moment, _form: StampForm) -> Option<Boundary> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = bytes.get(from..to)?;
        digits.iter().all(u8::is_ascii_digit).then(|| text.get(from..to)?.parse().ok())?
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let year = number(0, 4).filter(|year| *year > 0)?;
    let month = match bytes.len() {
        4 => 1,
        _ if is(4, b'-') => number(5, 7).filter(|month| (1..=12).contains(month))?,
        _ => return None,
    };
    let day = match bytes.len() {
        4 | 7 => 1,
        _ if is(7, b'-') => number(8, 10).filter(|day| (1..=days(year, month)).contains(day))?,
        _ => return None,
    };
    let form = StampForm::of(bytes);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if bytes.len() <= 10 {
        let sql = match kind {
            Moment::Date => format!("date '{date}'"),
            Moment::Timestamp => format!("timestamp '{date} 00:00:00'"),
        };
        return Some(Boundary { sql: Sql::tight(sql), form });
    }
    if kind == Moment::Date || !(is(10, b' ') || is(10, b'T')) {
        return None;
    }
    let below = |from: usize, limit: u32| number(from, from + 2).filter(|value| *value < limit);
    below(11, 24)?;
    if !is(13, b':') {
        return None;
    }
    below(14, 60)?;
    match bytes.len() {
        16 => {}
        _ if !is(16, b':') => return None,
        _ => {
            below(17, 60)?;
            let fraction = bytes.get(19..)?;
            let is_fraction = fraction.is_empty()
                || (fraction[0] == b'.'
                    && (2..=7).contains(&fraction.len())
                    && fraction[1..].iter().all(u8::is_ascii_digit));
            if !is_fraction {
                return None;
            }
        }
    }
    let clock = text.get(11..)?;
    Some(Boundary { sql: Sql::tight(format!("timestamp '{date} {clock}'")), form })
}

const fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
