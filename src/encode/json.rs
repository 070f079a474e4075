//! Whether a text is a JSON document that json or jsonb can hold.
//!
//! Purpose: PostgreSQL refuses what it cannot store, and would do so in the middle of a COPY; so the
//! document is checked here first. json keeps the text and asks for the grammar alone; jsonb also
//! refuses `\u0000`, lone surrogates and numbers beyond numeric. One pass, no allocation, no recursion.
//!
//! Known gaps: a document with repeated keys is taken; jsonb keeps the last of them ([`Keys`] counts).
//!
//! Knobs: [`DEPTH_MAX`].

use super::{decimal, field};

/// Deepest nesting. PostgreSQL 15 takes 13,056 levels with its `max_stack_depth` of 2 MB, 3,230 with
/// 512 kB and 594 with the least possible of 100 kB (measured).
pub const DEPTH_MAX: usize = 1_000;

/// Largest jsonb value: `JENTRY_OFFLENMASK` in PostgreSQL's `jsonb.h`.
const JSONB_BYTES_MAX: usize = 0x0FFF_FFFF;
/// Most bytes that a string, number, array or object takes in jsonb beyond those of its text.
const JSONB_OVERHEAD_BYTES: usize = 16;

/// Returns true when the text is one JSON document that PostgreSQL's jsonb accepts.
#[must_use]
pub fn is_jsonb(text: &[u8]) -> bool {
    is_document(text, true)
}

/// Returns true when the text is one JSON document that PostgreSQL's json accepts.
#[must_use]
pub fn is_json(text: &[u8]) -> bool {
    text.len() <= field::FIELD_BYTES_MAX && is_document(text, false)
}

fn is_document(text: &[u8], for_jsonb: bool) -> bool {
    let mut reader = Reader { text, at: 0, for_jsonb, elements: 0 };
    let is_one = reader.document().is_some();
    let bytes_max = text.len().saturating_add(reader.elements * JSONB_OVERHEAD_BYTES);
    is_one && (!for_jsonb || bytes_max <= JSONB_BYTES_MAX) && std::str::from_utf8(text).is_ok()
}

/// Which of the open levels are objects, a bit for each.
struct Levels {
    are_objects: [u64; DEPTH_MAX.div_ceil(64)],
    depth: usize,
}

impl Levels {
    fn open(&mut self, is_object: bool) -> Option<()> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        if is_object {
            self.are_objects[word] |= bit;
        } else {
            self.are_objects[word] &= !bit;
        }
        self.depth += 1;
        Some(())
    }

    /// Whether the innermost level is an object; `None` outside of all.
    fn is_object(&self) -> Option<bool> {
        let at = self.depth.checked_sub(1)?;
        Some(self.are_objects[at / 64] & 1 << (at % 64) != 0)
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    for_jsonb: bool,
    /// Strings, numbers, arrays and objects.
    elements: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Option<()> {
        let mut levels = Levels { are_objects: [0; DEPTH_MAX.div_ceil(64)], depth: 0 };
        loop {
            if self.value(&mut levels)? {
                continue;
            }
            if !self.goes_on(&mut levels)? {
                return (self.at == self.text.len()).then_some(());
            }
        }
    }

    /// Reads a scalar, an empty array or object, or the beginning of one. Returns whether a value must
    /// follow.
    fn value(&mut self, levels: &mut Levels) -> Option<bool> {
        self.skip_blanks();
        self.elements += 1;
        match self.peek()? {
            b'"' => self.string()?,
            b'{' => return self.opened(true, levels),
            b'[' => return self.opened(false, levels),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => return None,
        }
        Some(false)
    }

    fn opened(&mut self, is_object: bool, levels: &mut Levels) -> Option<bool> {
        self.at += 1;
        self.skip_blanks();
        if self.take(if is_object { b'}' } else { b']' }) {
            // It was open for a moment, and counts as a level.
            return (levels.depth < DEPTH_MAX).then_some(false);
        }
        levels.open(is_object)?;
        if is_object {
            self.key()?;
        }
        Some(true)
    }

    /// Reads what stands behind a value, closing what is closed. Returns whether another value follows.
    fn goes_on(&mut self, levels: &mut Levels) -> Option<bool> {
        loop {
            self.skip_blanks();
            let Some(is_object) = levels.is_object() else { return Some(false) };
            if self.take(b',') {
                if is_object {
                    self.skip_blanks();
                    self.key()?;
                }
                return Some(true);
            }
            if !self.take(if is_object { b'}' } else { b']' }) {
                return None;
            }
            levels.depth -= 1;
        }
    }

    fn key(&mut self) -> Option<()> {
        self.elements += 1;
        self.string()?;
        self.skip_blanks();
        self.take(b':').then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_there = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_there.then_some(())
    }

    fn string(&mut self) -> Option<()> {
        if !self.take(b'"') {
            return None;
        }
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = rest.iter().take_while(|byte| is_plain(**byte)).count();
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let kind = self.peek()?;
        self.at += 1;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => self.unicode(),
            _ => None,
        }
    }

    /// Reads the digits of `\u`, and for jsonb those of the second half of a surrogate pair.
    fn unicode(&mut self) -> Option<()> {
        let first = self.four_digits()?;
        if !self.for_jsonb {
            return Some(());
        }
        match first {
            0 | 0xDC00..=0xDFFF => None,
            0xD800..=0xDBFF => {
                let is_pair = self.take(b'\\')
                    && self.take(b'u')
                    && (0xDC00..=0xDFFF).contains(&self.four_digits()?);
                is_pair.then_some(())
            }
            _ => Some(()),
        }
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |sum, digit| Some(sum << 4 | u32::from(super::words::hex(*digit)?)))
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.take(b'-');
        let whole = self.digits();
        let has_padding = whole > 1 && self.text.get(self.at - whole) == Some(&b'0');
        if whole == 0 || has_padding {
            return None;
        }
        let mut is_short = true;
        if self.take(b'.') && self.digits() == 0 {
            return None;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_short = false;
            self.at += 1;
            if !self.take(b'-') {
                self.take(b'+');
            }
            if self.digits() == 0 {
                return None;
            }
        }
        let number = self.text.get(start..self.at)?;
        is_short &= number.len() <= decimal::NUMERIC_SCALE_MAX;
        (is_short || !self.for_jsonb || decimal::fits_numeric(number)).then_some(())
    }

    /// Skips digits and returns how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Skips a value of a document that is valid and returns it.
    fn whole_value(&mut self) -> Option<&'a [u8]> {
        self.skip_blanks();
        let start = self.at;
        let mut levels = Levels { are_objects: [0; DEPTH_MAX.div_ceil(64)], depth: 0 };
        loop {
            if self.value(&mut levels)? {
                continue;
            }
            if levels.depth == 0 || !self.goes_on(&mut levels)? {
                break;
            }
        }
        self.text.get(start..self.at).map(<[u8]>::trim_ascii_end)
    }
}

/// What stands in a string as itself.
#[inline]
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// The members of a JSON array, each as its text.
pub struct Members<'a> {
    reader: Reader<'a>,
}

/// Returns the members of a JSON array; `None` when the text is no such array.
#[must_use]
pub fn members(text: &[u8]) -> Option<Members<'_>> {
    if !is_json(text) {
        return None;
    }
    let mut reader = Reader { text, at: 0, for_jsonb: false, elements: 0 };
    reader.skip_blanks();
    reader.take(b'[').then_some(Members { reader })
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.reader.skip_blanks();
        self.reader.take(b',');
        self.reader.whole_value()
    }
}

/// Finds keys that stand twice in one object. Keeps its memory from document to document.
#[derive(Debug, Default)]
pub struct Keys {
    /// Where each key of the open objects begins and ends in the text, quotes left out.
    keys: Vec<(usize, usize)>,
    /// How many keys there were when each open object began.
    begun: Vec<usize>,
}

impl Keys {
    /// Returns whether an object of a document that is valid JSON has a key twice, escapes resolved.
    pub fn repeat(&mut self, text: &[u8]) -> bool {
        self.keys.clear();
        self.begun.clear();
        let mut reader = Reader { text, at: 0, for_jsonb: false, elements: 0 };
        while let Some(byte) = reader.peek() {
            match byte {
                b'"' => {
                    let start = reader.at + 1;
                    if reader.string().is_none() {
                        return false;
                    }
                    let end = reader.at - 1;
                    reader.skip_blanks();
                    if reader.take(b':') {
                        self.keys.push((start, end));
                    }
                    continue;
                }
                b'{' => self.begun.push(self.keys.len()),
                b'}' => {
                    let begun = self.begun.pop().unwrap_or(0);
                    if has_equals(text, &mut self.keys[begun..]) {
                        return true;
                    }
                    self.keys.truncate(begun);
                }
                _ => {}
            }
            reader.at += 1;
        }
        false
    }
}

fn has_equals(text: &[u8], keys: &mut [(usize, usize)]) -> bool {
    let key = |(start, end): (usize, usize)| &text[start..end];
    if keys.iter().any(|at| key(*at).contains(&b'\\')) {
        let mut read: Vec<String> = keys.iter().filter_map(|at| unescaped(key(*at))).collect();
        read.sort_unstable();
        return read.windows(2).any(|pair| pair[0] == pair[1]);
    }
    keys.sort_unstable_by(|a, b| key(*a).cmp(key(*b)));
    keys.windows(2).any(|pair| key(pair[0]) == key(pair[1]))
}

/// Reads what stands between the quotes of a JSON string. `None`: it has a lone surrogate.
#[must_use]
pub fn unescaped(inner: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", inner, b"\""].concat()).ok()
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
            "-0",
            "0e99999",
            "[[],{},[{}]]\n",
            "{\"a\" : {\"b\":[ ]} , \"\":1}",
        ] {
            assert!(is_jsonb(good.as_bytes()), "{good}");
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "  ",
            "{",
            "{a:1}",
            "NaN",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":1,}",
            "'x'",
            "{} {}",
            "]",
            "[}",
            "{]",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"",
            "tru",
            "truee",
            "[1 2]",
            "\u{feff}1",
        ] {
            assert!(!is_jsonb(bad.as_bytes()), "{bad}");
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
        assert!(!is_jsonb(b"\"\xff\"") && !is_json(b"\"\xff\""));
        assert!(!is_jsonb(b"\"\0\"") && !is_json(b"{\0}"));
    }

    #[test]
    fn json_keeps_what_jsonb_cannot() {
        for text in [
            "\"\\u0000\"",
            "\"\\ud800\"",
            "{\"a\\u0000\":1}",
            "1e999999",
            "1e-16384",
            "\"\\ud83d\"",
            "\"\\ude00\\ud83d\"",
            "\"\\ud83d\\u0041\"",
        ] {
            assert!(is_json(text.as_bytes()) && !is_jsonb(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn numbers_are_as_long_as_numeric_and_strings_longer() {
        assert!(is_jsonb("7".repeat(131_072).as_bytes()));
        assert!(!is_jsonb("7".repeat(131_073).as_bytes()));
        assert!(is_jsonb(format!("[0.{}]", "7".repeat(16_383)).as_bytes()));
        assert!(!is_jsonb(format!("[0.{}]", "7".repeat(16_384)).as_bytes()));
        assert!(is_jsonb(format!("\"{}\"", "7".repeat(200_000)).as_bytes()));
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_jsonb(nested(DEPTH_MAX).as_bytes()));
        assert!(!is_jsonb(nested(DEPTH_MAX + 1).as_bytes()));
        assert!(!is_json(nested(1_000_000).as_bytes()));
    }

    #[test]
    fn members_are_the_texts_of_an_array() {
        let all = |text: &'static str| {
            let all = members(text.as_bytes())?;
            Some(all.map(|member| std::str::from_utf8(member).unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(
            all(" [ 1 , \"a,]\", [2,{\"b\":3}] ,null ]"),
            Some(vec!["1", "\"a,]\"", "[2,{\"b\":3}]", "null"])
        );
        assert_eq!(all("[]"), Some(vec![]));
        assert_eq!(all("[ ]"), Some(vec![]));
        assert_eq!(all("{}"), None);
        assert_eq!(all("[1"), None);
    }

    #[test]
    fn keys_that_stand_twice_in_one_object_are_found() {
        let mut keys = Keys::default();
        for text in
            ["{\"a\":1,\"a\":1}", "[{\"b\":{\"a\":{},\"c\":2,\"a\":3}}]", "{\"a\":1,\"\\u0061\":2}"]
        {
            assert!(keys.repeat(text.as_bytes()), "{text}");
        }
        for text in [
            "{\"a\":1,\"b\":{\"a\":1}}",
            "[{\"a\":1},{\"a\":2}]",
            "{\"a\":\"a\",\"b\":\"a\"}",
            "[\"a\",\"a\"]",
            "1",
        ] {
            assert!(!keys.repeat(text.as_bytes()), "{text}");
        }
    }
}
