//! Quoting of names and strings: the only place where text of the source enters SQL.
//!
//! Purpose: SQLite and PostgreSQL share the standard's rules, a doubled quote inside quotes, so one
//! function serves both. Everything is quoted always: no list of keywords can then be out of date.

/// Quotes an identifier. A NUL byte, which neither engine can have in a name, is dropped.
///
/// Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>.
#[must_use]
pub fn quoted(name: &str) -> String {
    surround(name, '"')
}

/// Quotes a string constant, for sessions with `standard_conforming_strings` on (all of ours).
#[must_use]
pub fn literal(text: &str) -> String {
    surround(text, '\'')
}

/// Quotes `schema.relation`.
#[must_use]
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

/// Quotes names and joins them with commas.
pub fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

fn surround(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars().filter(|c| *c != '\0') {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nothing_else_changes() {
        assert_eq!(quoted("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(literal("it's \\ \"x\""), "'it''s \\ \"x\"'");
        assert_eq!(quoted_list(["a", "b"]), "\"a\", \"b\"");
        assert_eq!(qualified("s", ""), "\"s\".\"\"");
    }
}
