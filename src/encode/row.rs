//! Rows of COPY BINARY, value by value.

use crate::model::decision::Convert;
use crate::model::pg_type::PgType;
use crate::model::plan::ColumnPlan;
use crate::model::value::Value;

use super::{decimal, field, iso, json, numeric, words};

/// A value that its column cannot hold. With decisions made from all values of the same snapshot
/// this does not happen; under a fixed rule it is what a rejected row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// Why, such as `not 0 or 1`.
    pub reason: &'static str,
}

const fn misfit(reason: &'static str) -> Misfit {
    Misfit { reason }
}

/// Encodes the rows of one table. The encoder of each column is chosen once.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    columns: Vec<(PgType, Convert)>,
    field_count: [u8; 2],
}

impl RowEncoder {
    /// Makes the encoder of a table's columns, at most 1,600 (PostgreSQL's limit; the plan checks).
    #[must_use]
    pub fn new(columns: &[ColumnPlan]) -> Self {
        let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
        Self {
            columns: columns.iter().map(|column| (column.pg_type, column.convert)).collect(),
            field_count: count.to_be_bytes(),
        }
    }

    /// Begins a row. [`Self::field`] must follow once per column, in order.
    #[inline]
    pub fn begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.field_count);
    }

    /// Appends the field of one column.
    ///
    /// # Errors
    /// A [`Misfit`]; `out` may then end in a part of the row and must be cut back by the caller.
    #[inline]
    pub fn field(&self, column: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        if value == Value::Null {
            field::null(out);
            return Ok(());
        }
        let Some((pg_type, convert)) = self.columns.get(column) else {
            return Err(misfit("no such column"));
        };
        encode(*pg_type, *convert, value, out)
    }
}

/// Appends one value that is not NULL.
#[inline]
fn encode(
    pg_type: PgType,
    convert: Convert,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match pg_type {
        PgType::BigInt => field::int8(bigint(value)?, out),
        PgType::Integer => {
            field::int4(integer(value)?.try_into().map_err(|_| misfit("out of range"))?, out);
        }
        PgType::SmallInt => {
            field::int2(integer(value)?.try_into().map_err(|_| misfit("out of range"))?, out);
        }
        PgType::Double => field::float8(double(value)?, out),
        PgType::Boolean => field::boolean(boolean(value, convert)?, out),
        PgType::Text => textual(value, None, out)?,
        PgType::Varchar(chars) => textual(value, Some(chars), out)?,
        PgType::Bytea => binary(value, out)?,
        PgType::Numeric(sizes) => put_numeric(value, sizes, out)?,
        PgType::Date => field::int4(iso::date(text(value)?).ok_or(misfit("not a date"))?, out),
        PgType::Time => field::int8(iso::time(text(value)?).ok_or(misfit("not a time"))?, out),
        PgType::Timestamp => field::int8(timestamp(text(value)?)?, out),
        PgType::TimestampTz => field::int8(timestamp_tz(text(value)?)?, out),
        PgType::Jsonb => document(value, out)?,
        PgType::Uuid => {
            field::bytes(&uuid(value)?, out);
        }
    }
    Ok(())
}

#[inline]
fn integer(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Integer(value) => Ok(value),
        _ => Err(misfit("not an integer")),
    }
}

/// An integer, or text that is one and would be printed the same.
#[inline]
fn bigint(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Text(text) => decimal::canonical_integer(text).ok_or(misfit("not an integer")),
        _ => integer(value),
    }
}

/// 2^53: integers up to here are exact in a double.
pub const DOUBLE_EXACT_MAX: u64 = 1 << 53;

#[inline]
fn double(value: Value<'_>) -> Result<f64, Misfit> {
    match value {
        Value::Real(value) => Ok(value),
        Value::Integer(value) if value.unsigned_abs() <= DOUBLE_EXACT_MAX => {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, checked above")]
            let double = value as f64;
            Ok(double)
        }
        Value::Integer(_) => Err(misfit("an integer that a double cannot hold exactly")),
        _ => Err(misfit("not a number")),
    }
}

fn boolean(value: Value<'_>, convert: Convert) -> Result<bool, Misfit> {
    match (value, convert) {
        (Value::Integer(0), _) => Ok(false),
        (Value::Integer(1), _) => Ok(true),
        (Value::Text(text), Convert::BoolWord) => {
            words::boolean(text).ok_or(misfit("not a word for true or false"))
        }
        _ => Err(misfit("not 0 or 1")),
    }
}

#[inline]
fn text(value: Value<'_>) -> Result<&[u8], Misfit> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(misfit("not text")),
    }
}

/// Text as it is; numbers as decimal text; blobs do not fit.
fn textual(value: Value<'_>, chars_max: Option<u32>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Text(bytes) => {
            storable(bytes, chars_max)?;
            field::bytes(bytes, out);
            Ok(())
        }
        Value::Integer(value) if chars_max.is_none() => {
            field::bytes(decimal::text_of_integer(value).as_bytes(), out);
            Ok(())
        }
        Value::Real(value) if chars_max.is_none() => {
            field::bytes(decimal::text_of_double(value).as_bytes(), out);
            Ok(())
        }
        _ => Err(misfit("not text")),
    }
}

#[inline]
fn storable(bytes: &[u8], chars_max: Option<u32>) -> Result<(), Misfit> {
    // PostgreSQL would refuse all three itself, but only by naming a line of the COPY.
    let text = std::str::from_utf8(bytes).map_err(|_| misfit("not UTF-8"))?;
    if bytes.contains(&0) {
        return Err(misfit("holds a NUL character"));
    }
    if bytes.len() > field::FIELD_BYTES_MAX {
        return Err(misfit("1 GiB or longer"));
    }
    match chars_max {
        // A text has at least as many bytes as characters: count only when it could be too long.
        Some(max) if bytes.len() > max as usize && text.chars().count() > max as usize => {
            Err(misfit("longer than the column"))
        }
        _ => Ok(()),
    }
}

/// Blobs as they are, text as its bytes, numbers as the bytes of their decimal text.
fn binary(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Blob(bytes) | Value::Text(bytes) => {
            if bytes.len() > field::FIELD_BYTES_MAX {
                return Err(misfit("1 GiB or longer"));
            }
            field::bytes(bytes, out);
        }
        Value::Integer(value) => field::bytes(decimal::text_of_integer(value).as_bytes(), out),
        Value::Real(value) => field::bytes(decimal::text_of_double(value).as_bytes(), out),
        Value::Null => field::null(out),
    }
    Ok(())
}

/// The text form, or the 16 bytes themselves.
fn uuid(value: Value<'_>) -> Result<[u8; 16], Misfit> {
    match value {
        Value::Blob(bytes) => bytes.try_into().map_err(|_| misfit("not 16 bytes")),
        _ => words::uuid(text(value)?).ok_or(misfit("not a UUID")),
    }
}

fn put_numeric(
    value: Value<'_>,
    sizes: Option<(u16, u16)>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match value {
        Value::Integer(value) => put_sized(decimal::text_of_integer(value).as_bytes(), sizes, out),
        Value::Real(value) if is_minus_zero(value) => {
            Err(misfit("-0.0, whose sign numeric cannot hold"))
        }
        Value::Real(value) => {
            let plain = decimal::plain_of_double(value).ok_or(misfit("infinite"))?;
            put_sized(plain.as_bytes(), sizes, out)
        }
        Value::Text(text) if decimal::is_canonical_decimal(text) => put_sized(text, sizes, out),
        _ => Err(misfit("not a number")),
    }
}

fn put_sized(plain: &[u8], sizes: Option<(u16, u16)>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    if let Some((precision, scale)) = sizes {
        let (before, after) = decimal::digits_needed(plain);
        if before > u32::from(precision - scale) || after > u32::from(scale) {
            return Err(misfit("more digits than the column"));
        }
    }
    numeric::put(plain, out);
    Ok(())
}

/// A JSON document. Numbers too: a JSON column has NUMERIC affinity, so SQLite stores the document
/// `123` as an integer.
fn document(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Text(text) if json::is_jsonb(text) => field::jsonb(text, out),
        Value::Integer(value) => field::jsonb(decimal::text_of_integer(value).as_bytes(), out),
        Value::Real(value) if value.is_finite() && !is_minus_zero(value) => {
            field::jsonb(decimal::text_of_double(value).as_bytes(), out);
        }
        _ => return Err(misfit("not JSON that jsonb can hold")),
    }
    Ok(())
}

/// numeric, and so JSON's numbers in jsonb, have no -0.
fn is_minus_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

/// A timestamp without zone, or a date (midnight).
fn timestamp(text: &[u8]) -> Result<i64, Misfit> {
    if let Some(days) = iso::date(text) {
        return Ok(i64::from(days) * iso::DAY_US);
    }
    match iso::timestamp(text) {
        Some(stamp) if stamp.offset_s.is_none() => Ok(stamp.local_us),
        Some(_) => Err(misfit("a timestamp with a zone")),
        None => Err(misfit("not a timestamp")),
    }
}

fn timestamp_tz(text: &[u8]) -> Result<i64, Misfit> {
    let stamp = iso::timestamp(text).ok_or(misfit("not a timestamp"))?;
    stamp.utc_us().ok_or(misfit("a timestamp without a zone"))
}
