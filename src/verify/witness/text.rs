//! Text that PostgreSQL holds, and what the conversions for other text leave of it.

use super::Unfit;

/// The longest field, in bytes: one under 1 GiB (`MaxAllocSize` of PostgreSQL's `memutils.h`).
pub(super) const FIELD_BYTES_MAX: usize = (1 << 30) - 1;

/// What becomes of bad UTF-8, NUL and too many characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mending {
    /// The text does not fit.
    None,
    /// U+FFFD takes the place of each longest part of a character that is incomplete, and of NUL.
    Replace,
    /// They are left out.
    Strip,
    /// Characters beyond the length are left out; bad UTF-8 and NUL do not fit.
    Cut,
}

/// Appends a text, mended, of at most `chars_max` characters.
pub(super) fn put(
    text: &[u8],
    mending: Mending,
    chars_max: Option<usize>,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let begin = out.len();
    let mut rest = text;
    while !rest.is_empty() {
        let piece = Piece::first(rest);
        let (taken, after) = rest.split_at(piece.bytes);
        rest = after;
        match (mending, piece.is_character && taken != [0]) {
            (_, true) => out.extend_from_slice(taken),
            (Mending::Replace, false) => out.extend_from_slice("\u{FFFD}".as_bytes()),
            (Mending::Strip, false) => {}
            (Mending::None | Mending::Cut, false) => {
                return Err(Unfit("bad UTF-8 or a NUL character"));
            }
        }
    }
    if let Some(max) = chars_max {
        // What was put is UTF-8: characters begin with any byte but those that continue one.
        let starts = out.iter().enumerate().skip(begin).filter(|(_, byte)| !continues(**byte));
        if let Some((at, _)) = starts.into_iter().nth(max) {
            if mending != Mending::Cut {
                return Err(Unfit("longer than the column"));
            }
            out.truncate(at);
        }
    }
    if out.len() - begin > FIELD_BYTES_MAX {
        return Err(Unfit("1 GiB or longer"));
    }
    Ok(())
}

/// Blanks up to so many characters, as char(n) has them.
pub(super) fn pad(begin: usize, chars: usize, out: &mut Vec<u8>) {
    let there = out.iter().skip(begin).filter(|byte| !continues(**byte)).count();
    out.extend(std::iter::repeat_n(b' ', chars.saturating_sub(there)));
}

const fn continues(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// A character, or the longest beginning of one that is there.
struct Piece {
    bytes: usize,
    is_character: bool,
}

impl Piece {
    /// By the table of well-formed sequences (Unicode 15, table 3-7): how long a character is follows
    /// from its first byte, and what its second may be too.
    fn first(text: &[u8]) -> Self {
        let lead = text[0];
        let (bytes, second) = match lead {
            0x00..=0x7F => (1, 0x80..=0xBF),
            0xC2..=0xDF => (2, 0x80..=0xBF),
            0xE0 => (3, 0xA0..=0xBF),
            0xED => (3, 0x80..=0x9F),
            0xE1..=0xEF => (3, 0x80..=0xBF),
            0xF0 => (4, 0x90..=0xBF),
            0xF4 => (4, 0x80..=0x8F),
            0xF1..=0xF3 => (4, 0x80..=0xBF),
            _ => return Self { bytes: 1, is_character: false },
        };
        for at in 1..bytes {
            let is_next = text
                .get(at)
                .is_some_and(|byte| if at == 1 { second.contains(byte) } else { continues(*byte) });
            if !is_next {
                return Self { bytes: at, is_character: false };
            }
        }
        Self { bytes, is_character: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &[u8], mending: Mending, chars_max: Option<usize>) -> Option<String> {
        let mut out = Vec::new();
        put(text, mending, chars_max, &mut out).ok()?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn replacing_is_what_the_standard_library_does() {
        for text in [
            &b"a\xffb"[..],
            b"\xe2\x82",
            b"\xe2\x28\xa1",
            b"\xed\xa0\x80",
            b"\xf0\x9f\x98\x80\xf4\x90\x80\x80",
            b"\xc0\x80\xf1\x80\x80x",
            "ÄÖ\u{10ffff}".as_bytes(),
        ] {
            let expected = String::from_utf8_lossy(text);
            assert_eq!(mended(text, Mending::Replace, None).as_deref(), Some(expected.as_ref()));
            assert_eq!(
                mended(text, Mending::None, None).is_some(),
                std::str::from_utf8(text).is_ok()
            );
        }
    }

    #[test]
    fn lengths_are_in_characters() {
        assert_eq!(mended("ÄÖÜ".as_bytes(), Mending::None, Some(2)), None);
        assert_eq!(mended("ÄÖÜ".as_bytes(), Mending::None, Some(3)).as_deref(), Some("ÄÖÜ"));
        assert_eq!(mended("ÄÖÜ".as_bytes(), Mending::Cut, Some(2)).as_deref(), Some("ÄÖ"));
        assert_eq!(mended(b"ab\0", Mending::Cut, Some(2)), None);
        assert_eq!(mended(b"a\0b", Mending::Strip, Some(2)).as_deref(), Some("ab"));
        let mut out = b"x".to_vec();
        out.extend_from_slice("Ä".as_bytes());
        pad(1, 3, &mut out);
        assert_eq!(out, "xÄ  ".as_bytes());
    }
}
