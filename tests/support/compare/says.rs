//! What a value says: two decoders for each PostgreSQL type, which write the same bytes for the same
//! value. One reads SQLite's storage classes, the other PostgreSQL's text output.
//!
//! Purpose: equal bytes decide equality in the ordered merge, and their hashes in the multiset.
//!
//! Known gaps: as listed in [`super::rules`]; a text of the source in a float column must be the
//! spelling that Rust has for the float, which at a few powers of ten is not PostgreSQL's.

use rusqlite::types::ValueRef;

use super::rules::PgType;
use super::{decimal, instant, json};

/// What a SQLite value says in a column of a given type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Said {
    /// One value: its bytes were appended.
    Bytes,
    /// A float written as text: any text that reads back as exactly this one.
    TextOf(f64),
    /// Nothing, and why.
    Nothing(&'static str),
}

/// Appends what a SQLite value other than NULL says in a column of this type.
pub(crate) fn source_says(value: ValueRef<'_>, pg_type: &PgType, out: &mut Vec<u8>) -> Said {
    let done = match pg_type {
        PgType::Bool => bool_from(value).map(|value| out.push(value)),
        PgType::Int => int_from(value, out),
        PgType::Float8 => float8_from(value).map(|value| push_bits(value, out)),
        PgType::Float4 => float4_from(value, out),
        PgType::Numeric => numeric_from(value, out),
        PgType::Text | PgType::Bpchar | PgType::Bytea => match value {
            ValueRef::Real(real) => return Said::TextOf(real),
            ValueRef::Integer(integer) => {
                out.extend_from_slice(integer.to_string().as_bytes());
                Ok(())
            }
            ValueRef::Text(text) if *pg_type == PgType::Bpchar => {
                out.extend_from_slice(without_blanks(text));
                Ok(())
            }
            ValueRef::Text(text) => {
                out.extend_from_slice(text);
                Ok(())
            }
            ValueRef::Blob(blob) if *pg_type == PgType::Bytea => {
                out.extend_from_slice(blob);
                Ok(())
            }
            _ => Err("bytes are no text"),
        },
        PgType::Date | PgType::Time | PgType::Timestamp => moment_from(value, pg_type, out),
        PgType::Json => json_from(value, out),
        PgType::Uuid => uuid_from(value, out),
        PgType::Other(_) => Err("no rule for the type"),
    };
    match done {
        Ok(()) => Said::Bytes,
        Err(why) => Said::Nothing(why),
    }
}

/// Appends what PostgreSQL's text says; false when it is not what the type prints.
pub(crate) fn target_says(text: &[u8], pg_type: &PgType, out: &mut Vec<u8>) -> bool {
    match pg_type {
        PgType::Bpchar => out.extend_from_slice(without_blanks(text)),
        PgType::Text => out.extend_from_slice(text),
        PgType::Bytea => {
            return text.strip_prefix(b"\\x").is_some_and(|hex| push_hex(hex, out));
        }
        _ => return std::str::from_utf8(text).is_ok_and(|text| typed_says(text, pg_type, out)),
    }
    true
}

fn typed_says(text: &str, pg_type: &PgType, out: &mut Vec<u8>) -> bool {
    let moment = |wanted: fn(&instant::Moment) -> bool, out: &mut Vec<u8>| {
        if matches!(text, "infinity" | "-infinity") {
            out.extend_from_slice(text.as_bytes());
            return true;
        }
        let read = instant::parse(text).filter(wanted);
        read.is_some_and(|moment| push_micros(moment.micros, out))
    };
    match pg_type {
        PgType::Bool => match text {
            "t" => out.push(1),
            "f" => out.push(0),
            _ => return false,
        },
        PgType::Int => out.extend_from_slice(text.as_bytes()),
        PgType::Float8 => match text.parse::<f64>() {
            Ok(value) => push_bits(value, out),
            Err(_) => return false,
        },
        PgType::Float4 => match text.parse::<f32>() {
            Ok(value) => return push_float4(value, out),
            Err(_) => return false,
        },
        PgType::Numeric => return push_numeric(text, out),
        PgType::Date => return moment(|moment| moment.has_date && !moment.has_time, out),
        PgType::Time => return moment(|moment| !moment.has_date, out),
        PgType::Timestamp => return moment(|moment| moment.has_date && moment.has_time, out),
        PgType::Json => return json::write_canonical(text, out),
        PgType::Uuid => return push_uuid(text, out),
        PgType::Text | PgType::Bpchar | PgType::Bytea | PgType::Other(_) => return false,
    }
    true
}

/// The float that a text in the target reads as, when it is the text of a number.
pub(crate) fn read_back(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let numeric = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let infinite = matches!(magnitude, "Infinity" | "infinity" | "Inf" | "inf");
    (infinite || text.bytes().all(numeric)).then(|| text.parse().ok()).flatten()
}

/// The bytes that a text-like column shows, for a float that was written as text.
pub(crate) fn text_in(target: &[u8], pg_type: &PgType) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    target_says(target, pg_type, &mut bytes).then_some(bytes)
}

type Done = Result<(), &'static str>;

fn bool_from(value: ValueRef<'_>) -> Result<u8, &'static str> {
    match value {
        ValueRef::Integer(0) => Ok(0),
        ValueRef::Integer(1) => Ok(1),
        ValueRef::Real(real) if real.to_bits() == 0 => Ok(0),
        ValueRef::Real(1.0) => Ok(1),
        ValueRef::Text(text) => match text.to_ascii_lowercase().as_slice() {
            b"t" | b"true" | b"y" | b"yes" | b"on" | b"1" => Ok(1),
            b"f" | b"false" | b"n" | b"no" | b"off" | b"0" => Ok(0),
            _ => Err("not a boolean word"),
        },
        _ => Err("neither 0 nor 1"),
    }
}

fn int_from(value: ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let text = match value {
        ValueRef::Integer(integer) => integer.to_string(),
        // The sign of -0.0 would be lost.
        ValueRef::Real(real) if is_negative_zero(real) => return Err("negative zero"),
        // All digits of a float without a fraction are exact in this form.
        ValueRef::Real(real) if real.is_finite() && real.fract() == 0.0 => format!("{real:.0}"),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) if decimal::is_plain(text) && !text.contains('.') => text.to_owned(),
            _ => return Err("not the decimal form of an integer"),
        },
        _ => return Err("not an integer"),
    };
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn float8_from(value: ValueRef<'_>) -> Result<f64, &'static str> {
    match value {
        ValueRef::Real(real) => Ok(real),
        ValueRef::Integer(integer) => exact_float(integer).ok_or("no float is this integer"),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| "not a number")?;
            let real: f64 = text.parse().map_err(|_| "not a number")?;
            // Another spelling of the number cannot be had back from a float.
            let shown = float_shown(real);
            let with_point = match shown.split_once('e') {
                Some((mantissa, exponent)) => format!("{mantissa}.0e{exponent}"),
                None => format!("{shown}.0"),
            };
            let canonical = shape(text).eq(shape(&shown))
                || (!shown.contains('.') && shape(text).eq(shape(&with_point)));
            if canonical { Ok(real) } else { Err("not the canonical form of a float") }
        }
        _ => Err("not a number"),
    }
}

fn float4_from(value: ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let real = float8_from(value)?;
    if is_negative_zero(real) || !real.is_finite() {
        push_bits(real, out);
        return Ok(());
    }
    // Either the float is one of 24 bits, or its decimal is what the float of 24 bits prints.
    let shortest = format!("{real:e}");
    let single: f32 = shortest.parse().map_err(|_| "not a number")?;
    let text = if f64::from(single).to_bits() == real.to_bits() {
        format!("{single:e}")
    } else {
        shortest
    };
    if decimal::write_canonical(&text, out) { Ok(()) } else { Err("not a number") }
}

fn push_float4(value: f32, out: &mut Vec<u8>) -> bool {
    let wide = f64::from(value);
    if is_negative_zero(wide) || !wide.is_finite() {
        push_bits(wide, out);
        return true;
    }
    decimal::write_canonical(&format!("{value:e}"), out)
}

fn numeric_from(value: ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let text = match value {
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) if is_negative_zero(real) => return Err("negative zero"),
        ValueRef::Real(real) if real.is_finite() => format!("{real:e}"),
        ValueRef::Real(real) => float_shown(real),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) if decimal::is_plain(text) => text.to_owned(),
            Ok(text @ ("NaN" | "Infinity" | "-Infinity")) => text.to_owned(),
            _ => return Err("not the plain form of a decimal"),
        },
        _ => return Err("not a number"),
    };
    if push_numeric(&text, out) { Ok(()) } else { Err("not a number") }
}

fn push_numeric(text: &str, out: &mut Vec<u8>) -> bool {
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        out.extend_from_slice(text.as_bytes());
        return true;
    }
    decimal::write_canonical(text, out)
}

fn moment_from(value: ValueRef<'_>, pg_type: &PgType, out: &mut Vec<u8>) -> Done {
    if let ValueRef::Text(text @ (b"infinity" | b"-infinity")) = value
        && *pg_type != PgType::Time
    {
        out.extend_from_slice(text);
        return Ok(());
    }
    let moment = read_moment(value).ok_or("not a date or time")?;
    if moment.nanos != 0 {
        return Err("finer than a microsecond");
    }
    let midnight = moment.micros.rem_euclid(instant::MICROS_PER_DAY) == 0;
    match pg_type {
        PgType::Date if !moment.has_date => return Err("no date"),
        PgType::Date if moment.has_zone || !midnight => return Err("the time of day is lost"),
        PgType::Time if moment.has_date => return Err("the date is lost"),
        PgType::Timestamp if !moment.has_date => return Err("no date"),
        _ => {}
    }
    push_micros(moment.micros, out);
    Ok(())
}

/// The moment that a text of the source is.
pub(crate) fn read_moment(value: ValueRef<'_>) -> Option<instant::Moment> {
    let ValueRef::Text(bytes) = value else { return None };
    instant::parse(std::str::from_utf8(bytes).ok()?)
}

fn json_from(value: ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let done = match value {
        // NUMERIC affinity makes numbers of JSON texts that are numbers.
        ValueRef::Integer(integer) => decimal::write_canonical(&integer.to_string(), out),
        ValueRef::Real(real) => decimal::write_canonical(&format!("{real:e}"), out),
        ValueRef::Text(text) => {
            std::str::from_utf8(text).is_ok_and(|text| json::write_canonical(text, out))
        }
        _ => false,
    };
    if done { Ok(()) } else { Err("not JSON") }
}

fn uuid_from(value: ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    match value {
        ValueRef::Blob(blob) if blob.len() == 16 => {
            out.extend_from_slice(blob);
            Ok(())
        }
        ValueRef::Text(text)
            if std::str::from_utf8(text).is_ok_and(|text| push_uuid(text, out)) =>
        {
            Ok(())
        }
        _ => Err("not a UUID"),
    }
}

fn push_uuid(text: &str, out: &mut Vec<u8>) -> bool {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let hex: Vec<u8> = inner.bytes().filter(|byte| *byte != b'-').collect();
    hex.len() == 32 && push_hex(&hex, out)
}

fn push_hex(hex: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for pair in hex.chunks(2) {
        match (digit(pair[0]), pair.get(1).and_then(|low| digit(*low))) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => {
                out.truncate(start);
                return false;
            }
        }
    }
    true
}

fn push_bits(value: f64, out: &mut Vec<u8>) {
    // One NaN is like another: SQL has no names for them.
    let value = if value.is_nan() { f64::NAN } else { value };
    out.extend_from_slice(&value.to_bits().to_be_bytes());
}

fn push_micros(micros: i128, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&micros.to_be_bytes());
    true
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    &text[..kept]
}

fn is_negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

/// The float that is exactly this integer, when there is one.
fn exact_float(integer: i64) -> Option<f64> {
    let magnitude = integer.unsigned_abs();
    let significant = magnitude >> magnitude.trailing_zeros().min(63);
    (significant < 1 << 53).then_some(integer as f64)
}

/// Where digits stand in a number. Two shortest spellings of one float may differ in the last digit
/// (124615759031518.125 is .12 for PostgreSQL and .13 for Rust), but not in this.
fn shape(number: &str) -> impl Iterator<Item = u8> {
    number.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte })
}

/// Tells whether a decimal is a shortest spelling of a float: reads back as it, with no more digits.
pub(crate) fn is_shortest(real: f64, decimal: &[u8]) -> bool {
    let (mut shortest, mut found) = (Vec::new(), Vec::new());
    let text = std::str::from_utf8(decimal).unwrap_or("");
    let read = decimal::write_canonical(&format!("{real:e}"), &mut shortest)
        && decimal::write_canonical(text, &mut found);
    let digits = |spelling: &[u8]| spelling.iter().position(|byte| *byte == b'e');
    read && text.parse::<f64>().is_ok_and(|value| value.to_bits() == real.to_bits())
        && digits(&shortest) == digits(&found)
}

/// A float as PostgreSQL prints it with `extra_float_digits` above 0, but for the choice between
/// two spellings that are equally near, and at 1e23, which PostgreSQL spells 9.999999999999999e+22.
pub(crate) fn float_shown(value: f64) -> String {
    if !value.is_finite() {
        let sign = if value.is_sign_negative() && !value.is_nan() { "-" } else { "" };
        return format!("{sign}{}", if value.is_nan() { "NaN" } else { "Infinity" });
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
