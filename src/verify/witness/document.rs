//! JSON: a reader of its own, and a canonical form of what jsonb keeps.
//!
//! Purpose: two documents have one canonical form when jsonb makes one value of them: of a key that
//! stands twice the last value counts, the order of keys and spaces count for nothing, numbers keep
//! their scale, strings are their characters. Nodes are tagged and lengths stand before what they
//! are of, so no two documents share a form by chance.
//!
//! Known gaps: nesting beyond [`DEPTH_MAX`] is refused on both sides.

use super::number::Decimal;
use super::text::FIELD_BYTES_MAX;

/// Deepest nesting that is documented to fit.
const DEPTH_MAX: usize = 1_000;
/// Most bytes of a jsonb value (28 bits of a `JEntry`), and most that a node takes beside its text.
const JSONB_BYTES_MAX: usize = (1 << 28) - 1;
const NODE_BYTES_MAX: usize = 16;

/// Reads one document.
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether what jsonb cannot hold is refused: `\u0000`, lone surrogates, numbers beyond numeric.
    for_jsonb: bool,
    depth: usize,
    nodes: usize,
}

/// Appends the canonical form of what jsonb makes of a text.
pub(super) fn put_jsonb(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(text, true)?;
    reader.document(out)?;
    let bytes_max = text.len().saturating_add(reader.nodes.saturating_mul(NODE_BYTES_MAX));
    (bytes_max <= JSONB_BYTES_MAX).then_some(())
}

/// Returns whether json takes a text. `scratch` is used and cut back.
pub(super) fn is_json(text: &[u8], scratch: &mut Vec<u8>) -> bool {
    let begin = scratch.len();
    let read = Reader::new(text, false).and_then(|mut reader| reader.document(scratch));
    scratch.truncate(begin);
    read.is_some() && text.len() <= FIELD_BYTES_MAX
}

/// A member of an object that is written: where its key and its value begin, and where it ends.
struct Member {
    key: usize,
    value: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8], for_jsonb: bool) -> Option<Self> {
        std::str::from_utf8(text).ok()?;
        Some(Self { text, at: 0, for_jsonb, depth: 0, nodes: 0 })
    }

    fn document(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.value(out)?;
        self.is_done().then_some(())
    }

    pub(super) fn is_done(&mut self) -> bool {
        self.blanks();
        self.at == self.text.len()
    }

    fn blanks(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
    }

    /// The next byte that is no blank.
    pub(super) fn next(&mut self) -> Option<u8> {
        self.blanks();
        self.text.get(self.at).copied()
    }

    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let is_there = self.next() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_there = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_there.then_some(())
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.nodes += 1;
        let first = self.next()?;
        match first {
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return None;
                }
                if first == b'{' {
                    self.object(out)?;
                } else {
                    self.array(out)?;
                }
                self.depth -= 1;
            }
            b'"' => {
                out.push(b's');
                self.measured(out, Self::string)?;
            }
            b't' => {
                out.push(b't');
                self.word(b"true")?;
            }
            b'f' => {
                out.push(b'f');
                self.word(b"false")?;
            }
            b'n' => {
                out.push(b'n');
                self.word(b"null")?;
            }
            _ => {
                let number = self.number()?;
                out.push(b'#');
                self.measured(out, |reader, out| {
                    let number = Decimal::read(number)?;
                    if reader.for_jsonb && !number.is_numeric() {
                        return None;
                    }
                    number.put(out);
                    Some(())
                })?;
            }
        }
        Some(())
    }

    /// Puts what `put` appends behind its length.
    fn measured(
        &mut self,
        out: &mut Vec<u8>,
        put: impl FnOnce(&mut Self, &mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        let begin = out.len();
        out.extend_from_slice(&[0; 4]);
        put(self, out)?;
        let length = u32::try_from(out.len() - begin - 4).ok()?;
        out.get_mut(begin..begin + 4)?.copy_from_slice(&length.to_be_bytes());
        Some(())
    }

    fn array(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at += 1;
        out.push(b'[');
        if !self.eat(b']') {
            loop {
                self.value(out)?;
                if self.eat(b']') {
                    break;
                }
                self.eat(b',').then_some(())?;
            }
        }
        out.push(b']');
        Some(())
    }

    fn object(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at += 1;
        out.push(b'{');
        let begin = out.len();
        let mut members = Vec::new();
        if !self.eat(b'}') {
            loop {
                self.nodes += 1;
                let key = out.len();
                out.push(b'k');
                (self.next()? == b'"').then_some(())?;
                self.measured(out, Self::string)?;
                self.eat(b':').then_some(())?;
                let value = out.len();
                self.value(out)?;
                members.push(Member { key, value, end: out.len() });
                if self.eat(b'}') {
                    break;
                }
                self.eat(b',').then_some(())?;
            }
        }
        in_order(begin, members, out);
        out.push(b'}');
        Some(())
    }

    /// Appends the characters of a string.
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..)?;
            let plain =
                rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F)).count();
            out.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            match rest.get(plain)? {
                b'"' => return Some(()),
                b'\\' => self.escaped(out)?,
                _ => return None,
            }
        }
    }

    fn escaped(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 12,
            b'r' => b'\r',
            b'u' => return self.unicode(out),
            _ => return None,
        });
        Some(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut unit = u32::from(self.unit()?);
        if (0xD800..0xDC00).contains(&unit) && self.text.get(self.at..)?.starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            match u32::from(self.unit()?) {
                low @ 0xDC00..=0xDFFF => unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00),
                _ => self.at = back,
            }
        }
        match char::from_u32(unit).filter(|c| *c != '\0') {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None if self.for_jsonb => return None,
            // Json keeps its text; what stands for this here is never compared.
            None => {}
        }
        Some(())
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// Returns the text of a number.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..)?;
        let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let number = &rest[..rest.iter().take_while(is_part).count()];
        self.at += number.len();
        is_number(number).then_some(number)
    }
}

/// Whether a text of digits and `+-.eE` is a number by JSON's grammar.
fn is_number(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let mantissa = &unsigned[..end.unwrap_or(unsigned.len())];
    let (first, second) = (mantissa.first(), mantissa.get(1));
    Decimal::read(text).is_some()
        && first.is_some_and(u8::is_ascii_digit)
        && !(first == Some(&b'0') && second.is_some_and(u8::is_ascii_digit))
        && mantissa.last() != Some(&b'.')
}

/// Sorts the members of an object by key, and keeps the last of those with one key.
fn in_order(begin: usize, mut members: Vec<Member>, out: &mut Vec<u8>) {
    fn key<'k>(out: &'k [u8], member: &Member) -> &'k [u8] {
        // With its length before it: short keys first, as jsonb has them, so that most are in order.
        &out[member.key..member.value]
    }
    if members.windows(2).all(|two| key(out, &two[0]) < key(out, &two[1])) {
        return;
    }
    members.sort_by(|a, b| key(out, a).cmp(key(out, b)));
    let mut ordered = Vec::with_capacity(out.len() - begin);
    for (at, member) in members.iter().enumerate() {
        let next = members.get(at + 1);
        if next.is_none_or(|next| key(out, next) != key(out, member)) {
            ordered.extend_from_slice(&out[member.key..member.end]);
        }
    }
    out.truncate(begin);
    out.extend_from_slice(&ordered);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        put_jsonb(text.as_bytes(), &mut out)?;
        Some(out)
    }

    #[test]
    fn what_jsonb_keeps_counts_and_nothing_else() {
        for (a, b) in [
            ("{\"b\":1,\"a\":2}", " { \"a\" : 2 , \"b\" : 1 } "),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
            ("{\"\\u0061\":{\"x\":[]},\"a\":[1e2]}", "{\"a\":[100]}"),
            ("\"\\ud83d\\ude00\\/\"", "\"\u{1f600}/\""),
            ("[-0, 1E-2]", "[0,0.01]"),
        ] {
            assert!(canonical(a).is_some() && canonical(a) == canonical(b), "{a} {b}");
        }
        for (a, b) in [
            ("[1.0]", "[1.00]"),
            ("[1,2]", "[2,1]"),
            ("{\"a\":null}", "{}"),
            ("[\"1\"]", "[1]"),
            ("[[],[]]", "[[[]]]"),
            ("{\"a\":1,\"a\":2}", "{\"a\":1}"),
            ("\"a\"", "\"A\""),
            ("[true]", "[\"t\"]"),
        ] {
            assert!(canonical(a).is_some() && canonical(a) != canonical(b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for bad in [
            "",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "'x'",
            "{} {}",
            "]",
            "[}",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "--1",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"",
            "tru",
            "truee",
            "[1 2]",
            "\u{feff}1",
            "\u{a0}1",
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
            assert!(!is_json(bad.as_bytes(), &mut Vec::new()), "{bad}");
        }
        for json_only in ["\"\\u0000\"", "\"\\ud800\"", "1e999999", "\"\\ud83d\\u0041\""] {
            assert_eq!(canonical(json_only), None, "{json_only}");
            assert!(is_json(json_only.as_bytes(), &mut Vec::new()), "{json_only}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(canonical(&nested(DEPTH_MAX)).is_some());
        assert!(canonical(&nested(1_000_000)).is_none());
    }
}
