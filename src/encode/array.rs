//! Arrays from JSON arrays or from lists with commas.

use super::{decimal, field};
use crate::model::pg_type::Element;

/// Appends the field of a JSON array whose members are of the element's JSON type or null. Returns
/// false when the text is none.
#[must_use]
pub fn put_json(text: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    let Ok(members) = serde_json::from_slice::<Vec<serde_json::Value>>(text) else { return false };
    let start = out.len();
    let has_null = members.iter().any(serde_json::Value::is_null);
    begin(members.len(), has_null, element, out);
    for member in &members {
        if !put_member(member, element, out) {
            out.truncate(start);
            return false;
        }
    }
    end(start, out)
}

fn put_member(member: &serde_json::Value, element: Element, out: &mut Vec<u8>) -> bool {
    match (member, element) {
        (serde_json::Value::Null, _) => field::null(out),
        (serde_json::Value::String(text), Element::Text | Element::Varchar)
            if !text.contains('\0') =>
        {
            field::bytes(text.as_bytes(), out);
        }
        (serde_json::Value::String(text), Element::Uuid) => {
            return super::words::any_uuid(text.as_bytes())
                .map(|uuid| field::bytes(&uuid, out))
                .is_some();
        }
        (serde_json::Value::Bool(value), Element::Boolean) => field::boolean(*value, out),
        (
            serde_json::Value::Number(number),
            Element::SmallInt | Element::Integer | Element::BigInt,
        ) => return number.as_i64().is_some_and(|value| put_integer(value, element, out)),
        (serde_json::Value::Number(number), Element::Double) => match number.as_f64() {
            Some(value) => field::float8(value, out),
            None => return false,
        },
        _ => return false,
    }
    true
}

/// Appends the field of a list with commas; empty text is the empty array. Blanks belong to their
/// member. Returns false when a member is not of the element's type.
#[must_use]
pub fn put_comma(text: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    if std::str::from_utf8(text).is_err() || text.contains(&0) {
        return false;
    }
    let start = out.len();
    let members: Vec<&[u8]> =
        if text.is_empty() { Vec::new() } else { text.split(|byte| *byte == b',').collect() };
    begin(members.len(), false, element, out);
    for member in members {
        let is_put = match element {
            Element::Text | Element::Varchar => {
                field::bytes(member, out);
                true
            }
            Element::SmallInt | Element::Integer | Element::BigInt => {
                decimal::canonical_integer(member).is_some_and(|v| put_integer(v, element, out))
            }
            Element::Uuid => {
                super::words::any_uuid(member).map(|uuid| field::bytes(&uuid, out)).is_some()
            }
            Element::Double => std::str::from_utf8(member)
                .ok()
                .and_then(|text| text.parse().ok())
                .filter(|value: &f64| !value.is_nan())
                .map(|value| field::float8(value, out))
                .is_some(),
            Element::Boolean => {
                super::words::boolean(member).map(|value| field::boolean(value, out)).is_some()
            }
        };
        if !is_put {
            out.truncate(start);
            return false;
        }
    }
    end(start, out)
}

/// Appends an integer of the element's size; false when it does not hold it.
fn put_integer(value: i64, element: Element, out: &mut Vec<u8>) -> bool {
    match element {
        Element::SmallInt => i16::try_from(value).map(|value| field::int2(value, out)).is_ok(),
        Element::Integer => i32::try_from(value).map(|value| field::int4(value, out)).is_ok(),
        _ => {
            field::int8(value, out);
            true
        }
    }
}

/// Length (filled in later), dimensions, flags, element type; then length and lower bound of the one
/// dimension (`array_recv`). An empty array has no dimension.
fn begin(members: usize, has_null: bool, element: Element, out: &mut Vec<u8>) {
    let dimensions = i32::from(members > 0);
    for word in [0, dimensions, i32::from(has_null), element.oid()] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    if members > 0 {
        let members = i32::try_from(members).unwrap_or(i32::MAX);
        out.extend_from_slice(&members.to_be_bytes());
        out.extend_from_slice(&1_i32.to_be_bytes());
    }
}

fn end(start: usize, out: &mut [u8]) -> bool {
    let Ok(length) = i32::try_from(out.len() - start - 4) else { return false };
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    true
}
