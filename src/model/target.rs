//! What stands in the target already: tables and the types of their columns.

use std::collections::BTreeMap;

/// One schema of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSchema {
    /// Name of the schema.
    pub name: String,
    /// False when there is no such schema yet.
    pub exists: bool,
    /// `host:port/database as user`: never the password.
    pub shown: String,
    /// Version of the server, such as `15.18`.
    pub version: String,
    /// Tables and everything else that has columns, by name.
    pub tables: BTreeMap<String, TargetTable>,
}

/// A table of the target: its columns' types by their names.
pub type TargetTable = BTreeMap<String, String>;

impl TargetSchema {
    /// Finds a table by its name; see [`find`].
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TargetTable> {
        find(&self.tables, name)
    }
}

/// Finds what has a name; else the only one that has it in another case, because applications that
/// quote their names and those that do not share databases.
#[must_use]
pub fn find<'a, T>(named: &'a BTreeMap<String, T>, name: &str) -> Option<&'a T> {
    if let Some(exact) = named.get(name) {
        return Some(exact);
    }
    let mut alike = named.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match (alike.next(), alike.next()) {
        (Some((_, one)), None) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_case_is_found_only_when_it_is_the_only_one() {
        let named: BTreeMap<String, u8> =
            [("Users", 1), ("orders", 2), ("Orders", 3)].map(|(name, n)| (name.into(), n)).into();
        assert_eq!(find(&named, "users"), Some(&1));
        assert_eq!(find(&named, "Orders"), Some(&3));
        assert_eq!(find(&named, "ORDERS"), None);
        assert_eq!(find(&named, "none"), None);
    }
}
