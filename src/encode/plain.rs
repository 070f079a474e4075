//! Values in the form that a type has for them, exactly.

use crate::model::value::Value;

use super::row::Misfit;
use super::{decimal, field, iso, json, numeric, words};

#[inline]
pub(super) fn integer(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Integer(value) => Ok(value),
        _ => Err(Misfit::new("not an integer")),
    }
}

/// An integer, or text that is one and would be printed the same.
#[inline]
pub(super) fn bigint(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Text(text) => decimal::canonical_integer(text).ok_or(Misfit::new("not an integer")),
        _ => integer(value),
    }
}

/// 2^53: integers up to here are exact in a double.
pub const DOUBLE_EXACT_MAX: u64 = 1 << 53;

#[inline]
pub(super) fn double(value: Value<'_>) -> Result<f64, Misfit> {
    match value {
        Value::Real(value) => Ok(value),
        Value::Integer(value) if value.unsigned_abs() <= DOUBLE_EXACT_MAX => {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, checked above")]
            let double = value as f64;
            Ok(double)
        }
        Value::Integer(_) => Err(Misfit::new("an integer that a double cannot hold exactly")),
        _ => Err(Misfit::new("not a number")),
    }
}

pub(super) fn boolean(value: Value<'_>, from_words: bool) -> Result<bool, Misfit> {
    match (value, from_words) {
        (Value::Integer(0), _) => Ok(false),
        (Value::Integer(1), _) => Ok(true),
        (Value::Text(text), true) => {
            words::boolean(text).ok_or(Misfit::new("not a word for true or false"))
        }
        _ => Err(Misfit::new("not 0 or 1")),
    }
}

#[inline]
pub(super) fn text(value: Value<'_>) -> Result<&[u8], Misfit> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(Misfit::new("not text")),
    }
}

/// Blobs as they are, text as its bytes, numbers as the bytes of their decimal text.
pub(super) fn binary(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Blob(bytes) | Value::Text(bytes) => {
            if bytes.len() > field::FIELD_BYTES_MAX {
                return Err(Misfit::new("1 GiB or longer"));
            }
            field::bytes(bytes, out);
        }
        Value::Integer(value) => field::bytes(decimal::text_of_integer(value).as_bytes(), out),
        Value::Real(value) => field::bytes(decimal::text_of_double(value).as_bytes(), out),
        Value::Null => field::null(out),
    }
    Ok(())
}

pub(super) fn put_numeric(
    value: Value<'_>,
    sizes: Option<(u16, u16)>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match value {
        Value::Integer(value) => put_sized(decimal::text_of_integer(value).as_bytes(), sizes, out),
        Value::Real(value) if is_minus_zero(value) => {
            Err(Misfit::new("-0.0, whose sign numeric cannot hold"))
        }
        Value::Real(value) => {
            let plain = decimal::plain_of_double(value).ok_or(Misfit::new("infinite"))?;
            put_sized(plain.as_bytes(), sizes, out)
        }
        Value::Text(text) if decimal::is_canonical_decimal(text) => put_sized(text, sizes, out),
        _ => Err(Misfit::new("not a number")),
    }
}

pub(super) fn put_sized(
    plain: &[u8],
    sizes: Option<(u16, u16)>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    if let Some((precision, scale)) = sizes {
        let (before, after) = decimal::digits_needed(plain);
        if before > u32::from(precision - scale) || after > u32::from(scale) {
            return Err(Misfit::new("more digits than the column"));
        }
        // As it is stored: with the column's scale.
        numeric::put_scaled(plain, scale, out);
        return Ok(());
    }
    numeric::put(plain, out);
    Ok(())
}

/// A JSON document, for jsonb or for json. Numbers too: a JSON column has NUMERIC affinity, so SQLite
/// stores the document `123` as an integer.
pub(super) fn document(value: Value<'_>, binary: bool, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let put = |text: &[u8], out: &mut Vec<u8>| {
        if binary {
            return field::jsonb(text, out);
        }
        field::bytes(text, out);
        true
    };
    let is_put = match value {
        Value::Text(text) if binary => json::is_jsonb(text) && put(text, out),
        Value::Text(text) => json::is_json(text) && put(text, out),
        Value::Integer(value) => put(decimal::text_of_integer(value).as_bytes(), out),
        Value::Real(value) if value.is_finite() && !(binary && is_minus_zero(value)) => {
            put(decimal::text_of_double(value).as_bytes(), out)
        }
        _ => false,
    };
    match (is_put, binary) {
        (true, _) => Ok(()),
        (false, true) => Err(Misfit::new("not JSON that jsonb can hold")),
        (false, false) => Err(Misfit::new("not JSON")),
    }
}

/// numeric, and so JSON's numbers in jsonb, have no -0.
pub(super) fn is_minus_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

/// A timestamp without zone, or a date (midnight).
pub(super) fn timestamp(text: &[u8]) -> Result<i64, Misfit> {
    if let Some(days) = iso::date(text) {
        return Ok(i64::from(days) * iso::DAY_US);
    }
    match iso::timestamp(text) {
        Some(stamp) if stamp.offset_s.is_none() => Ok(stamp.local_us),
        Some(_) => Err(Misfit::new("a timestamp with a zone")),
        None => Err(Misfit::new("not a timestamp")),
    }
}

pub(super) fn timestamp_tz(text: &[u8]) -> Result<i64, Misfit> {
    let stamp = iso::timestamp(text).ok_or(Misfit::new("not a timestamp"))?;
    stamp.utc_us().ok_or(Misfit::new("a timestamp without a zone"))
}
