//! How names of the source are written in the target: `--names`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to write names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameStyle {
    /// As they are, in their own case: what Prisma, Entity Framework and others ask for.
    #[default]
    Keep,
    /// ASCII letters in lower case, as PostgreSQL folds a name without quotes.
    Lower,
    /// `HTTPStatus` becomes `http_status`; blanks, dots and dashes become underscores.
    Snake,
}

impl NameStyle {
    /// Writes a name in this style. Letters beyond ASCII stay: PostgreSQL folds none of them.
    #[must_use]
    pub fn write(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Keep => Cow::Borrowed(name),
            Self::Lower => Cow::Owned(name.to_ascii_lowercase()),
            Self::Snake => Cow::Owned(snake(name)),
        }
    }
}

impl fmt::Display for NameStyle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Keep => "keep",
            Self::Lower => "lower",
            Self::Snake => "snake",
        })
    }
}

/// An underscore goes before a capital that begins a word: after a small letter or a digit, or
/// before a small letter when another capital is before it.
fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, &c) in chars.iter().enumerate() {
        if matches!(c, ' ' | '-' | '.' | '_') {
            out.push('_');
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let begins_word = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase()
                        && chars.get(at + 1).is_some_and(char::is_ascii_lowercase)
            });
        if begins_word {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_each_style() {
        for (name, lower, snake) in [
            ("UserAccounts", "useraccounts", "user_accounts"),
            ("UserID", "userid", "user_id"),
            ("HTTPStatus2xx", "httpstatus2xx", "http_status2xx"),
            ("Address2Line", "address2line", "address2_line"),
            ("Order Details", "order details", "order_details"),
            ("already_snake", "already_snake", "already_snake"),
            ("_Private.x-y", "_private.x-y", "_private_x_y"),
            ("ÉtatCivil", "Étatcivil", "État_civil"),
            ("", "", ""),
        ] {
            assert_eq!(NameStyle::Keep.write(name), name);
            assert_eq!(NameStyle::Lower.write(name), lower);
            assert_eq!(NameStyle::Snake.write(name), snake);
        }
    }
}
