//! Whether a text is a JSON document that jsonb can hold.
//!
//! Purpose: PostgreSQL refuses what it cannot store (`\u0000`, lone surrogates, numbers beyond
//! numeric, nesting beyond its stack), and would do so in the middle of a COPY; so the document is
//! checked here first, with serde_json for the grammar.
//!
//! Known gaps: nesting deeper than serde_json's 128 levels counts as not fitting, although
//! PostgreSQL takes some thousands.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest jsonb string or key: `JENTRY_OFFLENMASK` in PostgreSQL's `jsonb.h`.
const STRING_BYTES_MAX: usize = 0x0FFF_FFFF;

/// Most digits of a number on either side of its point, with room for an exponent of three digits.
const DIGITS_MAX: usize = 15_000;

/// Returns true when the text is one JSON document that PostgreSQL's jsonb accepts.
#[must_use]
pub fn is_jsonb(text: &[u8]) -> bool {
    // Cheap exits first: most texts are no JSON at all.
    let Some(first) = text.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) else {
        return false;
    };
    if !matches!(first, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
        return false;
    }
    text.len() <= STRING_BYTES_MAX
        && !text.contains(&0)
        && (!has_backslash_u(text) || strings_are_storable(text))
        && numbers_are_storable(text)
        && serde_json::from_slice::<IgnoredAny>(text).is_ok()
        && std::str::from_utf8(text).is_ok()
}

fn has_backslash_u(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"\\u")
}

/// Returns false when a number is so long, or its exponent so large, that numeric could not hold it
/// (131,072 digits before and 16,383 after the point); three digits of exponent are always fine.
fn numbers_are_storable(text: &[u8]) -> bool {
    let mut digits_after_e = 0;
    let mut in_exponent = false;
    let mut run = 0;
    for byte in text {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        if run > DIGITS_MAX {
            // Also in a string: so long a number there is not worth a second look.
            return false;
        }
        match byte {
            b'e' | b'E' => (in_exponent, digits_after_e) = (true, 0),
            b'+' | b'-' if in_exponent && digits_after_e == 0 => {}
            b'0'..=b'9' if in_exponent => {
                digits_after_e += 1;
                if digits_after_e > 3 && !exponent_is_text(text) {
                    return false;
                }
            }
            _ => in_exponent = false,
        }
    }
    true
}

/// The quick scan above also meets the letter e inside strings ("e2024"): look properly.
fn exponent_is_text(text: &[u8]) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    let mut exponent_digits: Option<u32> = None;
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (byte, exponent_digits) {
            (b'"', _) => (in_string, exponent_digits) = (true, None),
            // The e of `true` and `false` is not followed by a digit, so it does no harm here.
            (b'e' | b'E', _) => exponent_digits = Some(0),
            (b'+' | b'-', Some(0)) => {}
            (b'0'..=b'9', Some(3)) => return false,
            (b'0'..=b'9', Some(digits)) => exponent_digits = Some(digits + 1),
            _ => exponent_digits = None,
        }
    }
    true
}

/// Decodes every string, so that lone surrogates (refused by serde_json on decoding) and `\u0000`
/// show themselves. Slow, and needed only where `\u` occurs.
fn strings_are_storable(text: &[u8]) -> bool {
    serde_json::from_slice::<Storable>(text).is_ok()
}

struct Storable;

impl<'de> Deserialize<'de> for Storable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StorableVisitor)
    }
}

struct StorableVisitor;

impl<'de> Visitor<'de> for StorableVisitor {
    type Value = Storable;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON without NUL")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Storable, E> {
        if text.contains('\0') { Err(E::custom("NUL")) } else { Ok(Storable) }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Storable, E> {
        Ok(Storable)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Storable, E> {
        Ok(Storable)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Storable, E> {
        Ok(Storable)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Storable, E> {
        Ok(Storable)
    }

    fn visit_unit<E>(self) -> Result<Storable, E> {
        Ok(Storable)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Storable, A::Error> {
        while items.next_element::<Storable>()?.is_some() {}
        Ok(Storable)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Storable, A::Error> {
        while entries.next_entry::<Storable, Storable>()?.is_some() {}
        Ok(Storable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_postgresql_stores() {
        for good in [
            "{}",
            " [1, 2.50, -3e2, \"x\"] ",
            "null",
            "\"\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "1e300",
            "{\"e2024\": \"1e99999\"}",
            "true",
        ] {
            assert!(is_jsonb(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "  ",
            "{",
            "{a:1}",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "{\"a\\u0000\":1}",
            "NaN",
            "01",
            "1e99999",
            "[1,]",
            "'x'",
            "{} {}",
            "\"\\ud83d\"",
        ] {
            assert!(!is_jsonb(bad.as_bytes()), "{bad}");
        }
        assert!(!is_jsonb(b"\"\xff\""));
        assert!(is_jsonb("7".repeat(DIGITS_MAX).as_bytes()));
        assert!(!is_jsonb(format!("[0.{}]", "7".repeat(20_000)).as_bytes()));
    }
}
