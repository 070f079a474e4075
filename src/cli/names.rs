//! Names, values and sentences on a terminal: escaped, shortened, wrapped.
//!
//! Names in a SQLite file are hostile until proven otherwise: they may hold newlines, escape
//! sequences that clear the screen, or marks that turn the direction of writing. What is printed for
//! a reader goes through [`plain`] or [`lines`]; the documents of `--json` and CSV have it untouched.
//!
//! Known gaps: widths are those of `unicode-width`; a terminal that draws emoji sequences otherwise
//! shifts a column by one.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns the text on one line, with everything that a terminal might obey escaped.
pub(super) fn plain(text: &str) -> String {
    escaped(text, |_| false)
}

/// Returns the text with its line breaks and tabs, everything else as in [`plain`].
pub(super) fn lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if (c.is_control() || is_invisible(c)) && !keep(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Marks that change what a reader sees of their neighbours: zero-width, direction, separators.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns `table.column` on one line.
pub(super) fn dotted(table: &str, column: &str) -> String {
    format!("{}.{}", plain(table), plain(column))
}

/// Returns how many columns of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Returns a text of at most `max` columns: the middle gives way to `…`, because names that are long
/// mostly differ at their ends.
pub(super) fn shorten(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(1);
    let tail = take_width(text.chars().rev(), room / 2);
    let head = take_width(text.chars(), room - room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// Returns a text of at most `max` columns: the end gives way to `…`.
pub(super) fn cut(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    format!("{}…", take_width(text.chars(), max.saturating_sub(1)))
}

fn take_width(chars: impl Iterator<Item = char>, max: usize) -> String {
    let mut out = String::new();
    let mut taken = 0;
    for c in chars {
        taken += c.width().unwrap_or(0);
        if taken > max {
            break;
        }
        out.push(c);
    }
    out
}

/// Returns one line of a SQL text: white space folded, cut at `max` columns.
pub(super) fn one_line(sql: &str, max: usize) -> String {
    // More than this cannot be seen anyway: a view of a megabyte need not be folded whole.
    let head: String = sql.chars().take(max.saturating_mul(8)).collect();
    let folded = head.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&plain(&folded), max)
}

/// Appends a text in lines of at most `max` columns: `first` before the first line, `rest` before the
/// others. Breaks at spaces; a word that is longer than a line is broken where the line ends.
pub(super) fn wrap_into(out: &mut String, first: &str, rest: &str, text: &str, max: usize) {
    // A terminal narrower than this gets long lines and wraps them itself.
    const ROOM_MIN: usize = 20;
    let room = max.saturating_sub(width(rest)).max(ROOM_MIN);
    let mut lead = first;
    for line in text.split('\n') {
        for part in wrapped(line, room) {
            out.push_str(lead);
            out.push_str(&part);
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            lead = rest;
        }
    }
}

/// Whether a text takes more columns than there are. One that is very long is not measured: a name of a
/// megabyte would be, for each of its lines, to its end.
fn is_wider(text: &str, room: usize) -> bool {
    const BYTES_PER_COLUMN_MAX: usize = 64;
    text.len() > room.saturating_mul(BYTES_PER_COLUMN_MAX) && !text.is_empty() || width(text) > room
}

fn wrapped(line: &str, room: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for word in line.split(' ') {
        let mut word = word;
        if !part.is_empty() && is_wider(word, room.saturating_sub(width(&part) + 1)) {
            parts.push(std::mem::take(&mut part));
        } else if !part.is_empty() {
            part.push(' ');
        }
        while is_wider(word, room.saturating_sub(width(&part))) {
            let head = take_width(word.chars(), room - width(&part));
            if head.is_empty() {
                break;
            }
            word = &word[head.len()..];
            part.push_str(&head);
            parts.push(std::mem::take(&mut part));
        }
        part.push_str(word);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(plain("a\nb\u{1b}[2Jc\u{202e}d\u{9b}é日"), r"a\nb\u{1b}[2Jc\u{202e}d\u{9b}é日");
        assert_eq!(lines("a\n\tb\r\u{7}"), "a\n\tb\\r\\u{7}");
    }

    #[test]
    fn long_names_lose_their_middle_and_long_texts_their_end() {
        assert_eq!(shorten("customer_addresses_history", 12), "custom…story");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(cut("customer_addresses_history", 12), "customer_ad…");
        assert_eq!(width(&shorten(&"日本".repeat(20), 12)), 11);
        assert_eq!(shorten("abc", 1), "…");
    }

    #[test]
    fn a_statement_is_shown_on_one_line() {
        assert_eq!(one_line("CREATE VIEW v AS\n  SELECT\t1\n", 80), "CREATE VIEW v AS SELECT 1");
        assert_eq!(one_line("CREATE VIEW v AS\n  SELECT\t1\n", 12), "CREATE VIEW…");
    }

    #[test]
    fn sentences_break_at_spaces_and_long_words_where_the_line_ends() {
        let mut out = String::new();
        wrap_into(&mut out, "- ", "  ", "the quick brown fox jumps\nover", 22);
        assert_eq!(out, "- the quick brown fox\n  jumps\n  over\n");
        out.clear();
        wrap_into(&mut out, "", "", &format!("see {}", "x".repeat(45)), 20);
        assert_eq!(out.lines().map(width).collect::<Vec<_>>(), [3, 20, 20, 5]);
    }
}
