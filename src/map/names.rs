//! Names that PostgreSQL takes.
//!
//! Purpose: names are kept as they are, in their own case, unless PostgreSQL cannot have them:
//! longer than 63 bytes (the server would cut them in silence, and two may then be equal), empty,
//! or a system column's. A new name is a function of the old one, so that every run finds the same.

use std::collections::BTreeSet;

/// Longest identifier in bytes: `NAMEDATALEN` - 1.
pub const NAME_BYTES_MAX: usize = 63;
/// Bytes of the old name that a shortened one keeps: the rest is `_` and six hexadecimal digits.
const KEPT_BYTES: usize = NAME_BYTES_MAX - 7;

/// Columns that every PostgreSQL table has already; not even quotes make them free.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Names of one kind that must differ from each other: the relations of a schema (tables, indexes
/// and sequences share one space in PostgreSQL), or the columns of a table.
#[derive(Debug, Clone, Default)]
pub struct NameSpace {
    used: BTreeSet<String>,
}

impl NameSpace {
    /// Makes the name space of a table's columns.
    #[must_use]
    pub fn of_columns() -> Self {
        Self { used: SYSTEM_COLUMNS.into_iter().map(str::to_owned).collect() }
    }

    /// Takes a name, or the nearest one that is free and that PostgreSQL can have.
    pub fn take(&mut self, wanted: &str) -> String {
        let mut name = fitted(wanted, 0);
        let mut attempt = 1;
        while self.used.contains(&name) {
            name = fitted(wanted, attempt);
            attempt += 1;
        }
        self.used.insert(name.clone());
        name
    }
}

/// Returns the name itself when PostgreSQL can have it, else a shortened one with a hash.
pub(crate) fn fitted_name(name: &str) -> String {
    fitted(name, 0)
}

/// Returns the name itself when it fits and no attempt failed before, else a shortened one with a
/// hash of the whole name and the attempt.
fn fitted(name: &str, attempt: u32) -> String {
    if attempt == 0 && !name.is_empty() && name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let mut end = name.len().min(KEPT_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:06x}", &name[..end], hash(name, attempt) & 0xFF_FFFF)
}

/// FNV-1a, 64 bits: any fixed function does, this one is five lines.
fn hash(name: &str, attempt: u32) -> u64 {
    let bytes = name.bytes().chain(attempt.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_are_kept() {
        let mut names = NameSpace::default();
        assert_eq!(names.take("Order Details"), "Order Details");
        assert_eq!(names.take("order details"), "order details");
        let exactly = "x".repeat(63);
        assert_eq!(names.take(&exactly), exactly);
    }

    #[test]
    fn long_equal_empty_and_system_names_become_free_ones() {
        let mut names = NameSpace::of_columns();
        let first = names.take(&format!("{}a", "é".repeat(40)));
        let second = names.take(&format!("{}b", "é".repeat(40)));
        assert_ne!(first, second);
        assert!(first.len() <= 63 && second.len() <= 63);
        assert!(!names.take("").is_empty());
        assert_ne!(names.take("xmin"), "xmin");
        assert_eq!(names.take("oid"), "oid");
    }
}
