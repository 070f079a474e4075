//! What a field of COPY BINARY says: its canonical bytes, and its text for a report.
//!
//! Source of the forms: the `*_send` functions of PostgreSQL's `utils/adt`.

use std::fmt::Write as _;

use crate::model::pg_type::{Element, PgType};
use crate::model::value::{SHOWN_CHARS_MAX, Value};

use super::duration::Duration;
use super::{Malformed, address, document, duration, list, moment, neutral, number};

const MALFORMED: Malformed = Malformed("a field that is not of its column's type");

/// Appends the canonical bytes of a field that is not NULL.
pub(super) fn put(pg_type: PgType, field: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    match pg_type {
        PgType::Boolean => out.push(boolean(field)?.into()),
        PgType::SmallInt => put_integer(i16::from_be_bytes(fixed(field)?).into(), out),
        PgType::Integer | PgType::Date => {
            put_integer(i32::from_be_bytes(fixed(field)?).into(), out);
        }
        PgType::BigInt | PgType::Time | PgType::Timestamp | PgType::TimestampTz => {
            put_integer(i64::from_be_bytes(fixed(field)?), out);
        }
        PgType::Real => out.extend_from_slice(&fixed::<4>(field)?),
        PgType::Double => out.extend_from_slice(&fixed::<8>(field)?),
        PgType::Numeric(_) => number::put_field(field, out).ok_or(MALFORMED)?,
        PgType::Text | PgType::Varchar(_) | PgType::Char(_) | PgType::Json | PgType::Enum(_) => {
            out.extend_from_slice(std::str::from_utf8(field).map_err(|_| MALFORMED)?.as_bytes());
        }
        PgType::Bytea => out.extend_from_slice(field),
        PgType::TimeTz => {
            let (us, zone_s) = time_with_zone(field)?;
            put_integer(us, out);
            put_integer(zone_s, out);
        }
        PgType::Interval => {
            let Duration { months, days, us } = interval(field)?;
            put_integer(months.into(), out);
            put_integer(days.into(), out);
            put_integer(us, out);
        }
        PgType::Jsonb => document::put_jsonb(jsonb_text(field)?, out).ok_or(MALFORMED)?,
        PgType::Uuid => out.extend_from_slice(&fixed::<16>(field)?),
        PgType::Inet | PgType::Cidr => {
            let address = address::Address::of_field(field).ok_or(MALFORMED)?;
            out.push(address.bits);
            out.extend_from_slice(address.bytes());
        }
        PgType::MacAddr => out.extend_from_slice(&fixed::<6>(field)?),
        PgType::Array(element) => {
            let mut list = list::Received::read(field, element).ok_or(MALFORMED)?;
            list.put_dimensions(out);
            while let Some(element_field) = list.next().ok_or(MALFORMED)? {
                match element_field {
                    None => neutral::put_null(out),
                    Some(bytes) => {
                        neutral::put_by(out, |out| put(type_of(element), bytes, out))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn put_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn fixed<const N: usize>(field: &[u8]) -> Result<[u8; N], Malformed> {
    field.try_into().map_err(|_| MALFORMED)
}

fn boolean(field: &[u8]) -> Result<bool, Malformed> {
    match field {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(MALFORMED),
    }
}

/// Microseconds since midnight; PostgreSQL counts a zone's seconds to the west, here to the east.
fn time_with_zone(field: &[u8]) -> Result<(i64, i64), Malformed> {
    let (us, zone) = field.split_first_chunk::<8>().ok_or(MALFORMED)?;
    let west_s = i64::from(i32::from_be_bytes(fixed(zone)?));
    Ok((i64::from_be_bytes(*us), -west_s))
}

fn interval(field: &[u8]) -> Result<Duration, Malformed> {
    let (us, rest) = field.split_first_chunk::<8>().ok_or(MALFORMED)?;
    let (days, months) = rest.split_first_chunk::<4>().ok_or(MALFORMED)?;
    Ok(Duration {
        months: i32::from_be_bytes(fixed(months)?),
        days: i32::from_be_bytes(*days),
        us: i64::from_be_bytes(*us),
    })
}

fn jsonb_text(field: &[u8]) -> Result<&[u8], Malformed> {
    match field {
        [1, text @ ..] => Ok(text),
        _ => Err(MALFORMED),
    }
}

/// The type of an array's elements.
const fn type_of(element: Element) -> PgType {
    match element {
        Element::SmallInt => PgType::SmallInt,
        Element::Integer => PgType::Integer,
        Element::BigInt => PgType::BigInt,
        Element::Double => PgType::Double,
        Element::Boolean => PgType::Boolean,
        Element::Uuid => PgType::Uuid,
        Element::Text | Element::Varchar | Element::Enum(_) => PgType::Text,
    }
}

/// Prints a field nearly as PostgreSQL does, in UTC, cut at [`SHOWN_CHARS_MAX`] characters. Text is quoted, as
/// the source's is: 'NULL' is not NULL.
pub(super) fn shown(pg_type: PgType, field: &[u8]) -> String {
    if pg_type.is_textual() || matches!(pg_type, PgType::Enum(_)) {
        return Value::Text(field).shown();
    }
    let text =
        printed(pg_type, field).unwrap_or_else(|_| format!("{} malformed bytes", field.len()));
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    // What a terminal would act on.
    shown.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn printed(pg_type: PgType, field: &[u8]) -> Result<String, Malformed> {
    Ok(match pg_type {
        PgType::Boolean => boolean(field)?.to_string(),
        PgType::SmallInt => i16::from_be_bytes(fixed(field)?).to_string(),
        PgType::Integer => i32::from_be_bytes(fixed(field)?).to_string(),
        PgType::BigInt => i64::from_be_bytes(fixed(field)?).to_string(),
        PgType::Real => {
            let value = f32::from_be_bytes(fixed(field)?);
            float(value.into(), 1e6, format!("{value:e}"), value.to_string())
        }
        PgType::Double => {
            let value = f64::from_be_bytes(fixed(field)?);
            float(value, 1e15, format!("{value:e}"), value.to_string())
        }
        PgType::Numeric(_) => {
            let mut canonical = Vec::new();
            number::put_field(field, &mut canonical).ok_or(MALFORMED)?;
            number::shown(&canonical, SHOWN_CHARS_MAX)
        }
        PgType::Text | PgType::Varchar(_) | PgType::Char(_) | PgType::Json | PgType::Enum(_) => {
            beginning(field)
        }
        PgType::Jsonb => beginning(jsonb_text(field)?),
        PgType::Bytea => hex("\\x", field),
        PgType::Date => match i32::from_be_bytes(fixed(field)?) {
            i32::MAX => "infinity".to_owned(),
            i32::MIN => "-infinity".to_owned(),
            days => moment::shown_date(days.into()),
        },
        PgType::Time => moment::shown_time(u64::from_be_bytes(fixed(field)?)),
        PgType::TimeTz => {
            let (us, zone_s) = time_with_zone(field)?;
            moment::shown_time(us.unsigned_abs()) + &moment::shown_zone(zone_s)
        }
        PgType::Timestamp => moment::shown_timestamp(i64::from_be_bytes(fixed(field)?), ""),
        PgType::TimestampTz => moment::shown_timestamp(i64::from_be_bytes(fixed(field)?), "+00"),
        PgType::Interval => duration::shown(interval(field)?),
        PgType::Uuid => uuid(fixed(field)?),
        PgType::Inet | PgType::Cidr => network(field, pg_type == PgType::Cidr)?,
        PgType::MacAddr => {
            let pairs = fixed::<6>(field)?.map(|byte| format!("{byte:02x}"));
            pairs.join(":")
        }
        PgType::Array(element) => array(field, element)?,
    })
}

/// Shortest digits, with an exponent where PostgreSQL has one: below 1e-4, and from `end` on.
fn float(value: f64, end: f64, scientific: String, plain: String) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 || value.is_nan() || (1e-4..end).contains(&value.abs()) {
        return plain;
    }
    match scientific.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => match scientific.split_once('e') {
            Some((digits, exponent)) => format!("{digits}e+{exponent:0>2}"),
            None => scientific,
        },
    }
}

/// The beginning of a text that may be long.
fn beginning(bytes: &[u8]) -> String {
    // Four bytes a character at most, and one more than is shown.
    let head = bytes.get(..(SHOWN_CHARS_MAX + 1) * 4).unwrap_or(bytes);
    String::from_utf8_lossy(head).into_owned()
}

fn hex(prefix: &str, bytes: &[u8]) -> String {
    let mut shown = prefix.to_owned();
    for byte in bytes.iter().take(SHOWN_CHARS_MAX) {
        // Writing to a String cannot fail.
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

fn uuid(bytes: [u8; 16]) -> String {
    let digits = hex("", &bytes);
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    groups.map(|group| digits.get(group).unwrap_or_default().to_owned()).join("-")
}

fn network(field: &[u8], is_cidr: bool) -> Result<String, Malformed> {
    let address = address::Address::of_field(field).ok_or(MALFORMED)?;
    let (shown, max) = if let Ok(bytes) = <[u8; 4]>::try_from(address.bytes()) {
        (core::net::Ipv4Addr::from(bytes).to_string(), 32)
    } else {
        let bytes = <[u8; 16]>::try_from(address.bytes()).map_err(|_| MALFORMED)?;
        (core::net::Ipv6Addr::from(bytes).to_string(), 128)
    };
    let bits = address.bits;
    Ok(if bits == max && !is_cidr { shown } else { format!("{shown}/{bits}") })
}

/// `{a,NULL,"b c"}`; of more than one dimension without the inner braces.
fn array(field: &[u8], element: Element) -> Result<String, Malformed> {
    let mut list = list::Received::read(field, element).ok_or(MALFORMED)?;
    let mut shown = if list.is_plain() { "{".to_owned() } else { "[...]={".to_owned() };
    let mut first = true;
    while let Some(element_field) = list.next().ok_or(MALFORMED)? {
        if !std::mem::take(&mut first) {
            shown.push(',');
        }
        match element_field {
            None => shown.push_str("NULL"),
            Some(bytes) => {
                let mut text = printed(type_of(element), bytes)?;
                if element == Element::Boolean {
                    text.truncate(1);
                }
                shown.push_str(&quoted(&text));
            }
        }
        // What is cut anyway is not gathered.
        if shown.len() > SHOWN_CHARS_MAX * 4 {
            break;
        }
    }
    shown.push('}');
    Ok(shown)
}

fn quoted(text: &str) -> String {
    let special = |c: char| c.is_ascii_whitespace() || "{},\"\\\u{b}".contains(c);
    if text.is_empty() || text.eq_ignore_ascii_case("null") || text.contains(special) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}
