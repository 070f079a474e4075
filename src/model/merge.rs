//! Rows that come into a table that has rows: which of them are the same, and what becomes of those.
//!
//! Purpose: part of the plan, so that a run that continues does what it began with. Only tables that
//! had rows when the run began are merged; all others are copied.

use serde::{Deserialize, Serialize};

/// What becomes of a row whose key the target has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeKind {
    /// The target's stays as it is, the source's is not written.
    Keep,
    /// The target's gets the source's values in the columns that are loaded.
    Upsert,
}

/// How the rows of one table are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergePlan {
    /// Position in `TransferPlan::tables`.
    pub table: usize,
    /// What becomes of rows that are there.
    pub kind: MergeKind,
    /// The columns by which a row is found.
    pub key: Vec<KeyColumn>,
    /// Whether two NULLs in the key are the same (NULLS NOT DISTINCT); usually NULL is found nowhere.
    pub nulls_equal: bool,
    /// Columns that an upsert sets.
    pub updated: Vec<String>,
    /// Whether a column of the table is GENERATED ALWAYS AS IDENTITY.
    pub overrides_identity: bool,
    /// Whether the table is partitioned; the rows of one that others inherit from are its own only.
    pub is_partitioned: bool,
    /// Rows that were there when the run began.
    pub rows_before: u64,
    /// The transaction that began the run, as PostgreSQL's 32-bit `xid`: a row that a later one wrote
    /// was not there before.
    pub since_xid: u32,
}

/// A column of a unique key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyColumn {
    /// Its name in the target.
    pub name: String,
    /// The operator by which the key's index compares, as `OPERATOR("schema".=)`.
    pub equals: String,
}

/// What became of rows that were merged. Together they are all that were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Rows whose key was not there.
    pub inserted: u64,
    /// Rows whose key was there and that got the source's values.
    pub updated: u64,
    /// Rows whose key was there and that stayed as they were.
    pub kept: u64,
}

impl Merged {
    /// Returns the rows that were sent.
    #[must_use]
    pub fn rows(self) -> u64 {
        self.inserted + self.updated + self.kept
    }
}

impl std::ops::AddAssign for Merged {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.kept += other.kept;
    }
}

/// Characters that a column's name in a key can only have inside double quotes.
const SPECIAL: [char; 4] = ['+', '=', ':', '"'];

/// Reads the columns of a key, as in `a+b`: a name that is empty or holds `+`, `=`, `:` or `"` stands in
/// double quotes, which are doubled inside. `None`: it is no such text.
#[must_use]
pub fn parse_key(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted_name(inside)?,
            None => {
                let end = rest.find('+').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if !rest.starts_with('"') && (name.is_empty() || name.contains(SPECIAL)) {
            return None;
        }
        names.push(name);
        match after.strip_prefix('+') {
            Some(more) => rest = more,
            None => return after.is_empty().then_some(names),
        }
    }
}

/// Reads up to the closing quote; returns the name and what follows.
fn quoted_name(inside: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = inside;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

/// Writes the columns of a key as [`parse_key`] reads them.
#[must_use]
pub fn key_text<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let written = names.into_iter().map(|name| {
        if name.is_empty() || name.contains(SPECIAL) {
            format!("\"{}\"", name.replace('"', "\"\""))
        } else {
            name.to_owned()
        }
    });
    written.collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for names in [&["email"][..], &["a", "b c"], &["a+b", "=", ":\"x\"", ""], &["ä.b"]] {
            let text = key_text(names.iter().copied());
            assert_eq!(parse_key(&text).unwrap(), names, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_columns_is_none() {
        for text in ["", "+", "a+", "+a", "a=b", "a:b", "a\"b", "\"a", "\"a\"b", "a++b"] {
            assert_eq!(parse_key(text), None, "{text}");
        }
    }
}
