//! Arrays from JSON arrays or from lists with commas.

use super::{decimal, field, json, number};
use crate::model::pg_type::Element;

/// Appends the field of a JSON array whose members are of the element's JSON type or null. Returns
/// false when the text is none.
#[must_use]
pub fn put_json(text: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    put_json_by(text, element, out, |member, out| put_member(member, element, out))
}

/// The same for labels: `put` appends the field of a text, or returns false.
pub(super) fn put_json_labels(
    text: &[u8],
    element: Element,
    out: &mut Vec<u8>,
    put: impl Fn(&[u8], &mut Vec<u8>) -> bool,
) -> bool {
    put_json_by(text, element, out, |member, out| match member {
        [b'"', inner @ .., b'"'] if inner.contains(&b'\\') => {
            json::unescaped(inner).is_some_and(|text| put(text.as_bytes(), out))
        }
        [b'"', inner @ .., b'"'] => put(inner, out),
        _ => false,
    })
}

fn put_json_by(
    text: &[u8],
    element: Element,
    out: &mut Vec<u8>,
    put: impl Fn(&[u8], &mut Vec<u8>) -> bool,
) -> bool {
    let Some(members) = json::members(text) else { return false };
    let start = out.len();
    begin(element, out);
    let (mut count, mut has_null) = (0, false);
    for member in members {
        count += 1;
        if member == b"null" {
            has_null = true;
            field::null(out);
        } else if !put(member, out) {
            out.truncate(start);
            return false;
        }
    }
    end(start, count, has_null, out)
}

fn put_member(member: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    match (member, element) {
        ([b'"', inner @ .., b'"'], Element::Text | Element::Varchar) => {
            return put_string(inner, out);
        }
        ([b'"', inner @ .., b'"'], Element::Uuid) => {
            return put_uuid(inner, out);
        }
        (b"true", Element::Boolean) => field::boolean(true, out),
        (b"false", Element::Boolean) => field::boolean(false, out),
        ([b'-' | b'0'..=b'9', ..], Element::SmallInt | Element::Integer | Element::BigInt) => {
            return decimal::canonical_integer(member)
                .is_some_and(|value| put_integer(value, element, out));
        }
        ([b'-' | b'0'..=b'9', ..], Element::Double) => match number::double_of(member) {
            Some(value) => field::float8(value, out),
            None => return false,
        },
        _ => return false,
    }
    true
}

fn put_uuid(inner: &[u8], out: &mut Vec<u8>) -> bool {
    let uuid = if inner.contains(&b'\\') {
        json::unescaped(inner).and_then(|text| super::words::any_uuid(text.as_bytes()))
    } else {
        super::words::any_uuid(inner)
    };
    uuid.map(|uuid| field::bytes(&uuid, out)).is_some()
}

fn put_string(inner: &[u8], out: &mut Vec<u8>) -> bool {
    if !inner.contains(&b'\\') {
        field::bytes(inner, out);
        return true;
    }
    match json::unescaped(inner) {
        Some(text) if !text.contains('\0') => field::bytes(text.as_bytes(), out),
        _ => return false,
    }
    true
}

/// Appends the field of a list with commas; empty text is the empty array. Blanks belong to their
/// member. Returns false when a member is not of the element's type.
#[must_use]
pub fn put_comma(text: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    put_comma_by(text, element, out, |member, out| put_item(member, element, out))
}

/// The same with what appends the field of a member, or returns false.
pub(super) fn put_comma_by(
    text: &[u8],
    element: Element,
    out: &mut Vec<u8>,
    put: impl Fn(&[u8], &mut Vec<u8>) -> bool,
) -> bool {
    if std::str::from_utf8(text).is_err() || text.contains(&0) {
        return false;
    }
    let start = out.len();
    begin(element, out);
    let mut count = 0;
    for member in text.split(|byte| *byte == b',').filter(|_| !text.is_empty()) {
        count += 1;
        if !put(member, out) {
            out.truncate(start);
            return false;
        }
    }
    end(start, count, false, out)
}

/// Appends a member of a list with commas; false when it is not of the element's type.
fn put_item(member: &[u8], element: Element, out: &mut Vec<u8>) -> bool {
    match element {
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
        Element::Double => {
            number::double_of(member).map(|value| field::float8(value, out)).is_some()
        }
        Element::Boolean => {
            super::words::boolean(member).map(|value| field::boolean(value, out)).is_some()
        }
        // Only its labels tell.
        Element::Enum(_) => false,
    }
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

/// Returns whether a member of a list of doubles has digits that its double does not hold.
#[must_use]
pub fn rounds(text: &[u8], commas: bool) -> bool {
    if commas {
        return text.split(|byte| *byte == b',').any(number::rounds_as_double);
    }
    json::members(text).is_some_and(|mut members| members.any(number::rounds_as_double))
}

/// Length, dimensions, flags, element type; then length and lower bound of the one dimension
/// (`array_recv`). What is not known yet is filled in by [`end`].
fn begin(element: Element, out: &mut Vec<u8>) {
    for word in [0, 1, 0, element.oid(), 0, 1] {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn end(start: usize, count: usize, has_null: bool, out: &mut Vec<u8>) -> bool {
    if count == 0 {
        // An empty array has no dimension.
        out.truncate(start + 16);
        out[start + 4..start + 8].copy_from_slice(&0_i32.to_be_bytes());
    }
    let length = out.len() - start - 4;
    let (Ok(bytes), Ok(count)) = (i32::try_from(length), i32::try_from(count)) else {
        return false;
    };
    out[start..start + 4].copy_from_slice(&bytes.to_be_bytes());
    out[start + 8..start + 12].copy_from_slice(&i32::from(has_null).to_be_bytes());
    if count > 0 {
        out[start + 16..start + 20].copy_from_slice(&count.to_be_bytes());
    }
    length <= field::FIELD_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_in_a_json_array_may_be_escaped() {
        let fields = [
            "[\"00112233445566778899aabbccddeeff\"]",
            "[\"\\u00300112233445566778899aabbccddeeff\"]",
        ]
        .map(|text| {
            let mut out = Vec::new();
            assert!(put_json(text.as_bytes(), Element::Uuid, &mut out), "{text}");
            out
        });
        assert_eq!(fields[0], fields[1]);
        assert!(!put_json(b"[\"\\ud800\"]", Element::Uuid, &mut Vec::new()));
    }
}
