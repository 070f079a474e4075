//! What becomes of a value that does not fit its column's type.

use serde::{Deserialize, Serialize};

/// What becomes of a value that does not fit: the words after `or` in a type map's `convert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMisfit {
    /// The column takes the narrowest type that holds every value.
    #[default]
    Widen,
    /// The type stays; the value's row is a bad row, which `--on-bad-row` decides on.
    Reject,
    /// The type stays; the value becomes NULL, and is counted.
    Null,
}

impl OnMisfit {
    /// The choices with their words in a type map and a sentence for the documentation.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (
            Self::Widen,
            "widen",
            "the column becomes the narrowest type that holds every value; this is what happens without the words",
        ),
        (
            Self::Reject,
            "reject",
            "the type stays, and the row is a bad row: the transfer stops before it writes anything, or with `--on-bad-row reject --rejects DIR` goes on without the row and writes it to a file",
        ),
        (
            Self::Null,
            "null",
            "the type stays, and the value becomes NULL; how many did is in the report",
        ),
    ];

    /// Splits `convert` as it stands in a type map into the conversion and what follows ` or `.
    #[must_use]
    pub fn split(convert: &str) -> (&str, Self) {
        let convert = convert.trim();
        for (choice, word, _) in Self::ALL {
            let rest =
                convert.strip_suffix(word).and_then(|rest| rest.trim_end().strip_suffix("or"));
            // ` or ` is a word of its own: a label may end in these letters.
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.ends_with(' ')) {
                return (rest.trim_end(), choice);
            }
        }
        (convert, Self::Widen)
    }

    /// Returns the conversion with the words behind it, as a type map has it.
    #[must_use]
    pub fn join(self, convert: &str) -> String {
        match Self::ALL.iter().find(|(choice, ..)| *choice == self) {
            Some((choice, word, _)) if *choice != Self::Widen => format!("{convert} or {word}"),
            _ => convert.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_stand_behind_the_conversion() {
        for (text, convert, choice) in [
            ("plain", "plain", OnMisfit::Widen),
            ("", "", OnMisfit::Widen),
            ("plain or reject", "plain", OnMisfit::Reject),
            (" bool_word  or  null ", "bool_word", OnMisfit::Null),
            ("or reject", "", OnMisfit::Reject),
            ("iso or widen", "iso", OnMisfit::Widen),
            ("enum:keep;a=nor null", "enum:keep;a=nor null", OnMisfit::Widen),
            ("enum:keep;a=b or null", "enum:keep;a=b", OnMisfit::Null),
        ] {
            assert_eq!(OnMisfit::split(text), (convert, choice), "{text}");
        }
        assert_eq!(OnMisfit::Null.join("iso"), "iso or null");
        assert_eq!(OnMisfit::Widen.join("iso"), "iso");
    }
}
