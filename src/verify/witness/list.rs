//! Arrays: from JSON arrays and from lists with commas, and out of their binary form.
//!
//! The canonical form: how many dimensions, their lengths and lower bounds, then the elements.

use crate::model::pg_type::Element;

use super::document::Reader;
use super::label::Labels;
use super::{Unfit, address, neutral, number, source};

const NOT_A_LIST: Unfit = Unfit("not a list of the element's type");

/// Appends the canonical array of a JSON array.
pub(super) fn put_json(
    text: &[u8],
    element: Element,
    labels: &Labels,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let count_at = begin(out);
    let count = members(text, element, labels, out).ok_or(NOT_A_LIST)?;
    end(count_at, count, out)
}

fn members(text: &[u8], element: Element, labels: &Labels, out: &mut Vec<u8>) -> Option<usize> {
    let mut reader = Reader::new(text, true)?;
    reader.eat(b'[').then_some(())?;
    let mut count = 0;
    if !reader.eat(b']') {
        loop {
            count += 1;
            if reader.next()? == b'n' {
                reader.word(b"null")?;
                neutral::put_null(out);
            } else {
                let mut put = |out: &mut Vec<u8>| member(&mut reader, element, labels, out);
                neutral::put_by(out, |out| put(out).ok_or(NOT_A_LIST)).ok()?;
            }
            if reader.eat(b']') {
                break;
            }
            reader.eat(b',').then_some(())?;
        }
    }
    reader.is_done().then_some(count)
}

fn member(
    reader: &mut Reader<'_>,
    element: Element,
    labels: &Labels,
    out: &mut Vec<u8>,
) -> Option<()> {
    match (element, reader.next()?) {
        (Element::Text | Element::Varchar, b'"') => reader.string(out)?,
        (Element::Uuid | Element::Enum(_), b'"') => {
            let mut text = Vec::new();
            reader.string(&mut text)?;
            item(&text, element, labels, out)?;
        }
        (Element::Boolean, b't') => {
            reader.word(b"true")?;
            out.push(1);
        }
        (Element::Boolean, b'f') => {
            reader.word(b"false")?;
            out.push(0);
        }
        (
            Element::SmallInt | Element::Integer | Element::BigInt | Element::Double,
            b'-' | b'0'..=b'9',
        ) => {
            item(reader.number()?, element, labels, out)?;
        }
        _ => return None,
    }
    Some(())
}

/// Appends the canonical array of a list with commas. Empty text is the empty array.
pub(super) fn put_commas(
    text: &[u8],
    element: Element,
    labels: &Labels,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    if text.contains(&0) || std::str::from_utf8(text).is_err() {
        return Err(NOT_A_LIST);
    }
    let count_at = begin(out);
    let mut count = 0;
    if !text.is_empty() {
        for part in text.split(|byte| *byte == b',') {
            count += 1;
            neutral::put_by(out, |out| item(part, element, labels, out).ok_or(NOT_A_LIST))?;
        }
    }
    end(count_at, count, out)
}

/// Appends the value of a member that is text.
fn item(text: &[u8], element: Element, labels: &Labels, out: &mut Vec<u8>) -> Option<()> {
    let integer = || number::printed_integer(text);
    match element {
        Element::Text | Element::Varchar => out.extend_from_slice(text),
        Element::SmallInt => put_integer(i16::try_from(integer()?).ok()?.into(), out),
        Element::Integer => put_integer(i32::try_from(integer()?).ok()?.into(), out),
        Element::BigInt => put_integer(integer()?, out),
        Element::Double => {
            out.extend_from_slice(&number::nearest_double(text)?.to_bits().to_be_bytes());
        }
        Element::Boolean => out.push(source::word(text)?.into()),
        Element::Uuid => out.extend_from_slice(&address::uuid(text, true).ok()?),
        Element::Enum(_) => labels.put(text, out).ok()?,
    }
    Some(())
}

fn put_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn begin(out: &mut Vec<u8>) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; 9]);
    at
}

/// One dimension that begins with 1, or none when it is empty.
fn end(at: usize, count: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
    if count == 0 {
        out.truncate(at + 1);
        return Ok(());
    }
    let count = i32::try_from(count).map_err(|_| NOT_A_LIST)?;
    out[at] = 1;
    out[at + 1..at + 5].copy_from_slice(&count.to_be_bytes());
    out[at + 5..at + 9].copy_from_slice(&1_i32.to_be_bytes());
    Ok(())
}

/// Most dimensions of an array (`MAXDIM` of PostgreSQL's `c.h`).
const DIMENSIONS_MAX: u8 = 6;

/// A field of an array: its dimensions as bytes, and its elements.
pub(super) struct Received<'a> {
    dimensions: &'a [u8],
    rest: &'a [u8],
    left: usize,
}

impl<'a> Received<'a> {
    /// Reads what stands before the elements: dimensions, flags, type, then length and lower bound of
    /// each (`array_send`).
    pub(super) fn read(field: &'a [u8], element: Element) -> Option<Self> {
        let word = |at: usize| Some(i32::from_be_bytes(field.get(at..at + 4)?.try_into().ok()?));
        let count = u8::try_from(word(0)?).ok().filter(|count| *count <= DIMENSIONS_MAX)?;
        let (has_nulls, oid) = (word(4)?, word(8)?);
        if !(0..=1).contains(&has_nulls) || !is_of(element, oid) {
            return None;
        }
        let dimensions = field.get(12..12 + usize::from(count) * 8)?;
        let rest = &field[12 + dimensions.len()..];
        let mut left = usize::from(count > 0);
        for dimension in 0..usize::from(count) {
            left = left.checked_mul(usize::try_from(word(12 + dimension * 8)?).ok()?)?;
        }
        // Each element has four bytes at least; so hostile numbers make no work.
        (left <= rest.len() / 4).then_some(Self { dimensions, rest, left })
    }

    /// Appends the canonical form of the dimensions.
    pub(super) fn put_dimensions(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.dimensions.len() / 8).unwrap_or(u8::MAX));
        out.extend_from_slice(self.dimensions);
    }

    /// Returns whether it is what litelift makes: one dimension from 1, or empty.
    pub(super) fn is_plain(&self) -> bool {
        self.dimensions.is_empty() || self.dimensions.get(4..) == Some(&[0, 0, 0, 1])
    }

    /// Returns the next element; `Some(None)` is NULL. After the last the field must be at its end.
    pub(super) fn next(&mut self) -> Option<Option<Option<&'a [u8]>>> {
        if self.left == 0 {
            return self.rest.is_empty().then_some(None);
        }
        self.left -= 1;
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.rest = rest;
            return Some(Some(None));
        }
        let (element, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(Some(Some(element)))
    }
}

/// Whether elements of a type are those of another: text for text of any kind, and for labels.
fn is_of(element: Element, oid: i32) -> bool {
    match element {
        Element::Text | Element::Varchar => [25, 1_043].contains(&oid),
        Element::Enum(own) => [25, own.cast_signed()].contains(&oid),
        other => other.oid() == oid,
    }
}
