//! Rust sources, read without a parser: enough to say which crates and modules a file names.
//!
//! Purpose: [`SourceFile::names`] lists the paths of a file's code, `use` groups spelt out, with
//! comments, string contents and what is only compiled for tests left out.
//!
//! Known gaps: a crate that was renamed by `use x as y` is seen at that line only; what a macro of
//! another crate expands to is not seen.

use std::path::Path;

/// One file, by its path from the package's folder with `/` between the parts.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A path such as `std::fs::File` where the code names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) path: String,
    /// True for `path!`.
    pub(crate) is_macro: bool,
}

impl Named {
    /// Returns true when the path begins with the segments of another.
    pub(crate) fn is_in(&self, prefix: &str) -> bool {
        let rest = self.path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

impl SourceFile {
    /// Reads every `.rs` file below some folders of this package, sorted by path.
    pub(crate) fn below(folders: &[&str]) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in folders {
            collect(&root.join(folder), folder, &mut files);
        }
        files.sort_by(|one: &Self, other| one.path.cmp(&other.path));
        files
    }

    /// Returns the path without `.rs`: `src/map/rules`.
    pub(crate) fn stem(&self) -> &str {
        self.path.strip_suffix(".rs").unwrap_or(&self.path)
    }

    /// Returns true for a file that holds nothing but unit tests.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.stem().rsplit('/').next().unwrap_or_default();
        name == "tests" || name.ends_with("_tests")
    }

    /// Lists what the code names.
    pub(crate) fn names(&self) -> Vec<Named> {
        let code = without_tests(&code(&self.text));
        let mut names = Vec::new();
        Reader { text: &code, at: 0, line: 1 }.paths("", &mut names);
        names
    }
}

fn collect(folder: &Path, shown: &str, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let shown = format!("{shown}/{name}");
        if entry.path().is_dir() {
            collect(&entry.path(), &shown, files);
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            files.push(SourceFile { path: shown, text });
        }
    }
}

/// Replaces comments and the contents of strings and characters by spaces; lines stay lines.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => find(bytes, at, b"\n"),
            [b'/', b'*', ..] => comment_end(bytes, at),
            [b'r', rest @ ..] if is_word_start(bytes, at) && opens_raw(rest) => raw_end(bytes, at),
            [b'b', b'r', rest @ ..] if is_word_start(bytes, at) && opens_raw(rest) => {
                raw_end(bytes, at + 1)
            }
            [b'"', ..] => quoted_end(bytes, at, b'"'),
            [b'\'', b'\\', ..] => quoted_end(bytes, at, b'\''),
            // One character between quotes; else it is a lifetime.
            [b'\'', ..] => match text[at + 1..].chars().next() {
                Some(c) if bytes.get(at + 1 + c.len_utf8()) == Some(&b'\'') => {
                    at + 2 + c.len_utf8()
                }
                _ => at,
            },
            _ => at,
        };
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            let blank = |byte: &u8| if *byte == b'\n' { b'\n' } else { b' ' };
            out.extend(bytes[at..end].iter().map(blank));
            at = end;
        }
    }
    String::from_utf8(out).unwrap()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_word_start(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_word(bytes[at - 1])
}

/// Whether what follows an `r` opens a raw string: `"` after any number of `#`.
fn opens_raw(rest: &[u8]) -> bool {
    rest.iter().find(|byte| **byte != b'#') == Some(&b'"')
}

fn raw_end(bytes: &[u8], r: usize) -> usize {
    let hashes = bytes[r + 1..].iter().take_while(|byte| **byte == b'#').count();
    let close: Vec<u8> = std::iter::once(b'"').chain(vec![b'#'; hashes]).collect();
    (find(bytes, r + hashes + 2, &close) + close.len()).min(bytes.len())
}

fn quoted_end(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn comment_end(bytes: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(bytes.len())
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(what.len()).position(|window| window == what).map_or(bytes.len(), |at| from + at)
}

/// Blanks each item under `#[cfg(test)]`, up to its `;` or its closing brace.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]").map(|at| at + from) {
        let mut depth = 0;
        let mut end = out.len();
        for (at, byte) in out.bytes().enumerate().skip(found) {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(byte, b'}' | b';') {
                end = at + 1;
                break;
            }
        }
        let blank: String =
            out[found..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out = format!("{}{blank}{}", &out[..found], &out[end..]);
        from = found + blank.len();
    }
    out
}

/// Walks over code that [`code`] has cleaned.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Reader<'_> {
    /// Collects paths up to the brace that closes the group, or the end; `prefix` stands before
    /// the group. Blocks are groups without a prefix.
    fn paths(&mut self, prefix: &str, names: &mut Vec<Named>) {
        while let Some(byte) = self.peek() {
            if is_word(byte) {
                self.path(prefix, names);
                continue;
            }
            self.step();
            match byte {
                b'{' => self.paths("", names),
                b'}' => return,
                _ => {}
            }
        }
    }

    /// Reads one path, and the group that it may end in.
    fn path(&mut self, prefix: &str, names: &mut Vec<Named>) {
        let line = self.line;
        let mut path = prefix.to_owned();
        loop {
            path.push_str(self.word());
            let after_word = (self.at, self.line);
            self.skip_space();
            if !self.text[self.at..].starts_with("::") {
                (self.at, self.line) = after_word;
                break;
            }
            path.push_str("::");
            self.at += 2;
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.step();
                    return self.paths(&path, names);
                }
                Some(byte) if is_word(byte) => {}
                // `*`, or the `<` of a generic argument, whose own paths come next.
                _ => break,
            }
        }
        let is_macro = self.peek() == Some(b'!') && !self.text[self.at..].starts_with("!=");
        let path = path.trim_end_matches("::").to_owned();
        names.push(Named { line, path, is_macro });
    }

    fn word(&mut self) -> &str {
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    fn step(&mut self) {
        if self.peek() == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(usize, String)> {
        let file = SourceFile { path: "src/x.rs".into(), text: text.into() };
        file.names().into_iter().map(|named| (named.line, named.path)).collect()
    }

    fn all(paths: &[(usize, &str)]) -> Vec<(usize, String)> {
        paths.iter().map(|(line, path)| (*line, (*path).to_owned())).collect()
    }

    #[test]
    fn groups_are_spelt_out() {
        let expected =
            [(1, "use"), (1, "std::fs"), (1, "std::io::Read"), (2, "std::net"), (3, "a")];
        assert_eq!(names("use std::{fs, io::{Read},\n net};\na"), all(&expected));
        assert_eq!(names("x::<std::fs::File>()"), all(&[(1, "x"), (1, "std::fs::File")]));
        assert_eq!(names("std\n::fs"), all(&[(1, "std::fs")]));
    }

    #[test]
    fn comments_strings_and_characters_name_nothing() {
        for text in [
            "// std::fs",
            "/* a /* std::fs */ b */",
            "\"std::fs\"",
            "\"a\\\"std::fs\"",
            "r#\"a\"std::fs\"#",
            "br\"std::fs\"",
            "'\"' '\\'' '\u{e9}'",
        ] {
            assert_eq!(names(text), [], "{text}");
        }
        assert_eq!(names("'\"' std::fs '\"'"), all(&[(1, "std::fs")]));
        assert_eq!(names("&'a str"), all(&[(1, "a"), (1, "str")]));
        assert_eq!(names("for\"x\"y"), all(&[(1, "for"), (1, "y")]));
    }

    #[test]
    fn what_is_only_for_tests_is_left_out() {
        let text = "a\n#[cfg(test)]\nmod tests {\n fn f() { std::fs }\n}\nb";
        assert_eq!(names(text), all(&[(1, "a"), (6, "b")]));
        assert_eq!(names("#[cfg(test)]\n#[path = \"x\"]\nmod t;\nb"), all(&[(4, "b")]));
        assert_eq!(names("#[cfg(test)]\nfn f(x: [u8; 3]) { a }\nb"), all(&[(3, "b")]));
    }

    #[test]
    fn macros_are_known_by_their_mark() {
        let file = SourceFile { path: "x.rs".into(), text: "a!(b) c != d".into() };
        let macros: Vec<bool> = file.names().iter().map(|named| named.is_macro).collect();
        assert_eq!(macros, [true, false, false, false]);
    }

    #[test]
    fn a_prefix_is_made_of_whole_segments() {
        let named = |path: &str| Named { line: 1, path: path.into(), is_macro: false };
        assert!(named("std::fs::File").is_in("std::fs"));
        assert!(named("tokio").is_in("tokio"));
        assert!(!named("tokio_postgres").is_in("tokio"));
    }
}
