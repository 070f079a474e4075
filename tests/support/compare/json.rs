//! JSON by meaning: key order, white space, escapes and the spelling of numbers do not count.
//!
//! Purpose: one spelling per JSON value. Own parser because numbers must stay exact decimals of any
//! length, and the last of two equal keys wins as in jsonb.
//!
//! Known gaps: deeper nesting than [`DEPTH_MAX`] is refused; the sign of -0 does not count.

use std::collections::BTreeMap;

use super::decimal;

/// The deepest nesting that is read: an array in an array counts two.
pub(crate) const DEPTH_MAX: usize = 256;

/// Appends the one spelling of a JSON text; false when it is not RFC 8259 JSON.
pub(crate) fn write_canonical(text: &str, out: &mut Vec<u8>) -> bool {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.skip_blank();
    if reader.value(out).is_none() {
        return false;
    }
    reader.skip_blank();
    reader.at == text.len()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek() == Some(wanted)).then(|| self.at += 1)
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Option<()> {
        match self.peek()? {
            b'{' => self.nested(out, Self::object),
            b'[' => self.nested(out, Self::array),
            b'"' => {
                let text = self.string()?;
                write_string(&text, out);
                Some(())
            }
            b't' => self.word("true", out),
            b'f' => self.word("false", out),
            b'n' => self.word("null", out),
            _ => self.number(out),
        }
    }

    fn nested(
        &mut self,
        out: &mut Vec<u8>,
        read: impl FnOnce(&mut Self, &mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.skip_blank();
        read(self, out)?;
        self.depth -= 1;
        Some(())
    }

    fn object(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        if self.take(b'}').is_none() {
            loop {
                let key = self.string()?;
                self.skip_blank();
                self.take(b':')?;
                self.skip_blank();
                let mut value = Vec::new();
                self.value(&mut value)?;
                members.insert(key, value);
                self.skip_blank();
                if self.take(b'}').is_some() {
                    break;
                }
                self.take(b',')?;
                self.skip_blank();
            }
        }
        out.push(b'{');
        for (key, value) in members {
            write_string(&key, out);
            out.push(b':');
            out.extend_from_slice(&value);
            out.push(b',');
        }
        out.push(b'}');
        Some(())
    }

    fn array(&mut self, out: &mut Vec<u8>) -> Option<()> {
        out.push(b'[');
        if self.take(b']').is_none() {
            loop {
                self.value(out)?;
                out.push(b',');
                self.skip_blank();
                if self.take(b']').is_some() {
                    break;
                }
                self.take(b',')?;
                self.skip_blank();
            }
        }
        out.push(b']');
        Some(())
    }

    fn word(&mut self, word: &str, out: &mut Vec<u8>) -> Option<()> {
        let rest: &'a str = &self.text[self.at..];
        rest.starts_with(word).then(|| {
            self.at += word.len();
            out.extend_from_slice(word.as_bytes());
        })
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let rest: &'a str = &self.text[self.at..];
        let len = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number = &rest[..len];
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit() {
            return None;
        }
        self.at += len;
        decimal::write_canonical(number, out).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut value = String::new();
        loop {
            let rest: &'a str = &self.text[self.at..];
            let plain = rest.find(['"', '\\'])?;
            if rest[..plain].bytes().any(|byte| byte < 0x20) {
                return None;
            }
            value.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                return Some(value);
            }
            value.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let kind = self.peek()?;
        self.at += 1;
        Some(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                if (0xD800..0xDC00).contains(&first) {
                    self.take(b'\\')?;
                    self.take(b'u')?;
                    let second = self.hex4()?;
                    if !(0xDC00..0xE000).contains(&second) {
                        return None;
                    }
                    char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?
                } else {
                    char::from_u32(first)?
                }
            }
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // Length first: no escaping is needed for the spelling to be the only one.
    out.extend_from_slice(format!("\"{}:", text.len()).as_bytes());
    out.extend_from_slice(text.as_bytes());
}
