//! text, varchar and char, and what to do with bytes that they cannot hold.

use std::borrow::Cow;

use crate::model::convert::Conversion;
use crate::model::value::Value;

use super::row::Misfit;
use super::{decimal, field};

/// What to do with a text that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// It does not fit.
    Exact,
    /// U+FFFD in the place of bad bytes and NUL.
    Replace,
    /// Bad bytes and NUL are left out.
    Strip,
    /// Characters beyond the length are left out.
    Truncate,
    /// It does not fit; numbers are as they are printed.
    AsPrinted,
}

impl Policy {
    pub(super) const fn of(named: Option<Conversion>) -> Self {
        match named {
            Some(Conversion::Replace) => Self::Replace,
            Some(Conversion::Strip) => Self::Strip,
            Some(Conversion::Truncate) => Self::Truncate,
            Some(Conversion::AsPrinted) => Self::AsPrinted,
            _ => Self::Exact,
        }
    }
}

/// Text as it is; numbers as decimal text where there is no length; blobs do not fit.
#[inline]
pub(super) fn put(
    value: Value<'_>,
    chars_max: Option<u32>,
    policy: Policy,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match value {
        Value::Text(bytes) if matches!(policy, Policy::Exact | Policy::AsPrinted) => {
            storable(bytes, chars_max)?;
            field::bytes(bytes, out);
        }
        Value::Text(bytes) => {
            let mended = mended(bytes, chars_max, policy);
            storable(mended.as_bytes(), chars_max)?;
            field::bytes(mended.as_bytes(), out);
        }
        Value::Integer(value) if chars_max.is_none() || policy == Policy::AsPrinted => {
            let shown = decimal::text_of_integer(value);
            storable(shown.as_bytes(), chars_max)?;
            field::bytes(shown.as_bytes(), out);
        }
        Value::Real(value) if chars_max.is_none() || policy == Policy::AsPrinted => {
            let shown = decimal::text_of_double(value);
            storable(shown.as_bytes(), chars_max)?;
            field::bytes(shown.as_bytes(), out);
        }
        _ => return Err(Misfit::new("not text")),
    }
    Ok(())
}

/// PostgreSQL would refuse these itself, but only by naming a line of the COPY.
#[inline]
fn storable(bytes: &[u8], chars_max: Option<u32>) -> Result<(), Misfit> {
    let text = std::str::from_utf8(bytes).map_err(|_| Misfit::new("not UTF-8"))?;
    if bytes.contains(&0) {
        return Err(Misfit::new("holds a NUL character"));
    }
    if bytes.len() > field::FIELD_BYTES_MAX {
        return Err(Misfit::new("1 GiB or longer"));
    }
    match chars_max {
        // A text has at least as many bytes as characters: count only when it could be too long.
        Some(max) if bytes.len() > max as usize && text.chars().count() > max as usize => {
            Err(Misfit::new("longer than the column"))
        }
        _ => Ok(()),
    }
}

fn mended(bytes: &[u8], chars_max: Option<u32>, policy: Policy) -> Cow<'_, str> {
    match policy {
        Policy::Exact | Policy::Truncate | Policy::AsPrinted => {
            let text = String::from_utf8_lossy(bytes);
            match (policy, &text, chars_max) {
                // Bad bytes and NUL are not what was asked about, also behind the cut: they are refused.
                (Policy::Truncate, Cow::Borrowed(text), Some(max)) if !bytes.contains(&0) => {
                    let end =
                        text.char_indices().nth(max as usize).map_or(text.len(), |(at, _)| at);
                    Cow::Borrowed(&text[..end])
                }
                _ => Cow::Owned("\0".to_owned()),
            }
        }
        Policy::Replace => Cow::Owned(String::from_utf8_lossy(bytes).replace('\0', "\u{FFFD}")),
        Policy::Strip => {
            let valid = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
            Cow::Owned(valid.filter(|c| *c != '\0').collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_text(
        bytes: &[u8],
        chars_max: Option<u32>,
        policy: Policy,
    ) -> Result<Vec<u8>, &'static str> {
        let mut out = Vec::new();
        put(Value::Text(bytes), chars_max, policy, &mut out).map_err(|misfit| misfit.reason)?;
        Ok(out[4..].to_vec())
    }

    #[test]
    fn what_text_cannot_hold_is_refused_replaced_or_left_out() {
        let bad = b"a\xffb\0c";
        assert_eq!(put_text(bad, None, Policy::Exact), Err("not UTF-8"));
        assert_eq!(put_text(b"a\0", None, Policy::Exact), Err("holds a NUL character"));
        assert_eq!(put_text(bad, None, Policy::Replace), Ok("a\u{FFFD}b\u{FFFD}c".into()));
        assert_eq!(put_text(bad, None, Policy::Strip), Ok(b"abc".to_vec()));
    }

    #[test]
    fn lengths_are_in_characters() {
        assert_eq!(put_text("ÄÖÜ".as_bytes(), Some(3), Policy::Exact), Ok("ÄÖÜ".into()));
        assert_eq!(
            put_text("ÄÖÜ".as_bytes(), Some(2), Policy::Exact),
            Err("longer than the column")
        );
        assert_eq!(put_text("ÄÖÜ".as_bytes(), Some(2), Policy::Truncate), Ok("ÄÖ".into()));
        assert!(put_text(b"\xff", Some(2), Policy::Truncate).is_err());
        assert!(put_text(b"abc\0", Some(2), Policy::Truncate).is_err());
    }
}
