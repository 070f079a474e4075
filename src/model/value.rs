//! One value on its way from SQLite to PostgreSQL, borrowed from the row that holds it.

/// A value in one of SQLite's five storage classes (<https://www.sqlite.org/datatype3.html> 2).
///
/// Text is bytes: SQLite does not promise that it is UTF-8 or free of NUL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// An IEEE 754 double; never NaN (SQLite stores NaN as NULL).
    Real(f64),
    /// Text in UTF-8, unless the file holds something else.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Value<'_> {
    /// Returns the name that SQLite's `typeof()` has for the storage class.
    #[must_use]
    pub const fn storage_class(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }

    /// Returns the value as a reader sees it in a report, cut at [`SHOWN_CHARS_MAX`] characters.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Integer(value) => value.to_string(),
            Self::Real(value) => format!("{value:?}"),
            Self::Text(bytes) => format!("'{}'", shown_text(bytes)),
            Self::Blob(bytes) => shown_blob(bytes),
        }
    }
}

/// The longest text, in characters, that a report or an error shows of one value.
pub const SHOWN_CHARS_MAX: usize = 80;

fn shown_text(bytes: &[u8]) -> String {
    // Four bytes a character at most: no need to look at more of a long value.
    let head = &bytes[..bytes.len().min(SHOWN_CHARS_MAX * 4)];
    let text = String::from_utf8_lossy(head);
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(|c| {
            let escaped = c.is_control();
            let plain = (!escaped).then_some(c);
            let escape = escaped.then(|| c.escape_default());
            plain.into_iter().chain(escape.into_iter().flatten())
        })
        .collect();
    if head.len() < bytes.len() || text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn shown_blob(bytes: &[u8]) -> String {
    let mut shown = String::from("x'");
    for byte in bytes.iter().take(SHOWN_CHARS_MAX / 2) {
        shown.push_str(&format!("{byte:02x}"));
    }
    if bytes.len() > SHOWN_CHARS_MAX / 2 {
        shown.push('…');
    }
    shown.push('\'');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_control_characters_escaped() {
        assert_eq!(Value::Text(b"a\x00b\n").shown(), r"'a\u{0}b\n'");
        let long = "é".repeat(200);
        assert_eq!(Value::Text(long.as_bytes()).shown().chars().count(), 80 + 3);
        assert_eq!(Value::Blob(&[0, 255]).shown(), "x'00ff'");
        assert_eq!(Value::Real(1.0).shown(), "1.0");
    }
}
