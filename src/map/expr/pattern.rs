//! LIKE and GLOB.
//!
//! SQLite's LIKE takes ASCII letters of either case for equal, and no others; PostgreSQL's ILIKE does
//! so under COLLATE "C". SQLite has no escape character unless ESCAPE names one, PostgreSQL's is the
//! backslash. GLOB without brackets is LIKE with other letters, with brackets a regular expression.

use crate::model::expression::Expr;
use crate::model::ident::literal;

use super::Translator;
use super::arithmetic::null_of;
use super::value::{Class, Sql, Value};

type Outcome = Result<Value, String>;

impl Translator<'_> {
    pub(super) fn like(
        &mut self,
        of: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        negated: bool,
    ) -> Outcome {
        let (of, pattern) = (self.value(of)?, self.value(pattern)?);
        if of.is_null() || pattern.is_null() {
            return Ok(null_of(Class::Bool, &[&of, &pattern]));
        }
        let text = self.characters_of(&of)?;
        let escape = match escape {
            None => None,
            Some(escape) => {
                let escape = self.value(escape)?;
                let mut chars = escape.text_constant().unwrap_or_default().chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => Some(only),
                    _ => return Err("ESCAPE is not one character".into()),
                }
            }
        };
        let written = match pattern.text_constant() {
            Some(pattern) => match like_pattern(pattern, escape) {
                Some(pattern) => Sql::tight(literal(&pattern)),
                None => return Ok(never(&of, negated)),
            },
            None if escape.is_some() => {
                return Err("LIKE with ESCAPE and a pattern that is not constant".into());
            }
            None => {
                let pattern = self.characters_of(&pattern)?;
                Sql::tight(format!("replace({}, '\\', '\\\\')", pattern.text))
            }
        };
        let not = if negated { "NOT ILIKE" } else { "ILIKE" };
        Ok(matched(Sql::infix(&text.bytewise().unparenthesized(), not, &written), &of, &pattern))
    }

    pub(super) fn glob(&mut self, of: &Expr, pattern: &Expr, negated: bool) -> Outcome {
        let (of, pattern) = (self.value(of)?, self.value(pattern)?);
        if of.is_null() || pattern.is_null() {
            return Ok(null_of(Class::Bool, &[&of, &pattern]));
        }
        let text = self.characters_of(&of)?;
        let Some(glob) = pattern.text_constant() else {
            return Err("GLOB with a pattern that is not constant".into());
        };
        if !glob.contains('[') {
            let not = if negated { "NOT LIKE" } else { "LIKE" };
            let written = Sql::tight(literal(&glob_as_like(glob)));
            return Ok(matched(Sql::infix(&text, not, &written), &of, &pattern));
        }
        match glob_as_regex(glob)? {
            None => Ok(never(&of, negated)),
            Some(regex) => {
                let not = if negated { "!~" } else { "~" };
                let written = Sql::tight(literal(&regex));
                let text = text.bytewise().unparenthesized();
                Ok(matched(Sql::infix(&text, not, &written), &of, &pattern))
            }
        }
    }
}

fn matched(sql: Sql, of: &Value, pattern: &Value) -> Value {
    let mut value = Value::of(sql, Class::Bool, &[of, pattern]);
    value.is_collated = false;
    value.collation = None;
    value
}

/// A pattern that nothing matches.
fn never(of: &Value, negated: bool) -> Value {
    let word = if negated { "true" } else { "false" };
    let sql = if of.nullable {
        Sql::tight(format!("CASE WHEN {} IS NOT NULL THEN {word} END", of.sql.operand()))
    } else {
        Sql::tight(word)
    };
    Value::of(sql, Class::Bool, &[of])
}

/// The pattern with a backslash as its escape character; `None` when it ends with its own, which
/// matches nothing in SQLite and is an error in PostgreSQL.
fn like_pattern(pattern: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let next = chars.next()?;
            if matches!(next, '%' | '_' | '\\') {
                out.push('\\');
            }
            out.push(next);
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    Some(out)
}

fn glob_as_like(glob: &str) -> String {
    let mut out = String::with_capacity(glob.len());
    for c in glob.chars() {
        match c {
            '*' => out.push('%'),
            '?' => out.push('_'),
            '%' | '_' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

/// GLOB as an advanced regular expression; `None` when nothing matches it.
fn glob_as_regex(glob: &str) -> Result<Option<String>, String> {
    // Not a director of embedded options, and no newline-sensitive matching: both are the default.
    let mut out = String::from("^");
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => match bracket(&mut chars) {
                Some(set) => out.push_str(&set?),
                None => return Ok(None),
            },
            other => push_char(&mut out, other),
        }
    }
    out.push('$');
    Ok(Some(out))
}

/// The set after `[`; `None` when it has no end, and then nothing matches.
fn bracket(chars: &mut std::str::Chars<'_>) -> Option<Result<String, String>> {
    let mut set = String::from("[");
    let mut is_empty = true;
    let mut next = chars.next()?;
    let inverted = next == '^';
    if inverted {
        set.push('^');
        next = chars.next()?;
    }
    if next == ']' {
        push_char(&mut set, ']');
        is_empty = false;
        next = chars.next()?;
    }
    let mut before: Option<char> = None;
    while next != ']' {
        let mut ahead = chars.clone();
        match (next, before, ahead.next()) {
            ('-', Some(from), Some(to)) if to != ']' => {
                *chars = ahead;
                if from <= to {
                    push_char(&mut set, from);
                    set.push('-');
                    push_char(&mut set, to);
                    is_empty = false;
                }
                before = None;
            }
            _ => {
                push_char(&mut set, next);
                is_empty = false;
                before = Some(next);
            }
        }
        next = chars.next()?;
    }
    if is_empty {
        return Some(Err("GLOB with an empty set".into()));
    }
    set.push(']');
    Some(Ok(set))
}

/// A character that stands for itself, inside and outside of brackets.
fn push_char(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || (!c.is_ascii() && u32::from(c) <= 0xFFFF) {
        out.push(c);
    } else if u32::from(c) <= 0xFFFF {
        out.push_str(&format!("\\u{:04X}", u32::from(c)));
    } else {
        out.push_str(&format!("\\U{:08X}", u32::from(c)));
    }
}
