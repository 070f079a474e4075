//! Names that PostgreSQL takes.
//!
//! Purpose: names are written as `--names` says and then kept, unless PostgreSQL cannot have them:
//! longer than 63 bytes (the server would cut them in silence, and two may then be equal), empty,
//! a system column's, or taken. A new name is a function of the old one and of those around it, so
//! that every run finds the same.

use std::collections::BTreeSet;

use crate::model::name_style::NameStyle;

/// Longest identifier in bytes: `NAMEDATALEN` - 1.
pub const NAME_BYTES_MAX: usize = 63;
/// Bytes of the old name that a shortened one keeps: the rest is `_` and six hexadecimal digits.
const KEPT_BYTES: usize = NAME_BYTES_MAX - 7;
/// What is called so that had no name at all: PostgreSQL has no empty ones.
const UNNAMED: &str = "unnamed";

/// Columns that every PostgreSQL table has already; not even quotes make them free.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Names of one kind that must differ from each other: the relations of a schema (tables, indexes
/// and sequences share one space in PostgreSQL), or the columns of a table.
#[derive(Debug, Clone, Default)]
pub struct NameSpace {
    used: BTreeSet<String>,
    /// Names that nobody may have; a free one is made with an underscore at its end.
    system: &'static [&'static str],
}

impl NameSpace {
    /// Makes the name space of a table's columns.
    #[must_use]
    pub fn of_columns() -> Self {
        Self { used: BTreeSet::new(), system: &SYSTEM_COLUMNS }
    }

    /// Takes a name, or the nearest one that is free and that PostgreSQL can have.
    pub fn take(&mut self, wanted: &str) -> String {
        // Neither engine can have a NUL byte in a name; text of the schema may hold one.
        let wanted: String = wanted.chars().filter(|c| *c != '\0').collect();
        let wanted = if wanted.is_empty() { UNNAMED.to_owned() } else { wanted };
        let wanted = if self.system.contains(&wanted.as_str()) { wanted + "_" } else { wanted };
        let mut name = fitted(&wanted, 0);
        let mut attempt = 1;
        while self.used.contains(&name) {
            name = fitted(&wanted, attempt);
            attempt += 1;
        }
        self.used.insert(name.clone());
        name
    }

    /// Takes a name for each of several, in their order. A name that can stay as it is comes before
    /// one that is made, so that `user_name` is not driven out by an earlier `UserName`.
    pub fn take_all(&mut self, names: &[&str], style: NameStyle) -> Vec<String> {
        let stays = |name: &str| {
            style.write(name) == name
                && !name.is_empty()
                && name.len() <= NAME_BYTES_MAX
                && !self.system.contains(&name)
        };
        let (first, then): (Vec<usize>, Vec<usize>) =
            (0..names.len()).partition(|position| stays(names[*position]));
        let mut taken = vec![String::new(); names.len()];
        for position in first.into_iter().chain(then) {
            taken[position] = self.take(&style.write(names[position]));
        }
        taken
    }
}

/// Says that a name is not the one that the style alone makes of it; `None` when it is.
pub(crate) fn changed(what: &str, wanted: &str, name: &str, style: NameStyle) -> Option<String> {
    (style.write(wanted) != name).then(|| format!("{what} becomes \"{}\".", name.escape_debug()))
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
        assert_eq!(names.take(""), "unnamed");
        assert_eq!(names.take("xmin"), "xmin_");
        assert_ne!(names.take("xmin_"), "xmin_");
        assert_eq!(names.take("oid"), "oid");
        assert_eq!(names.take("a\0b"), "ab");
    }

    #[test]
    fn a_name_that_stays_comes_before_one_that_is_made() {
        let taken = |names: &[&str], style| NameSpace::of_columns().take_all(names, style);
        assert_eq!(taken(&["xmin", "xmin_"], NameStyle::Keep)[1], "xmin_");
        assert_eq!(taken(&["", "unnamed"], NameStyle::Keep)[1], "unnamed");
        let snake = taken(&["UserName", "user_name", "userName"], NameStyle::Snake);
        assert_eq!(snake[1], "user_name");
        assert!(snake[0].starts_with("user_name_") && snake[2].starts_with("user_name_"));
        assert_ne!(snake[0], snake[2]);
        assert_eq!(snake, taken(&["UserName", "user_name", "userName"], NameStyle::Snake));
        // A shortened name that somebody else has of his own.
        let long = "y".repeat(70);
        let short = fitted_name(&long);
        let both = taken(&[&long, &short], NameStyle::Keep);
        assert_eq!(both[1], short);
        assert_ne!(both[0], short);
    }

    #[test]
    fn what_the_style_does_is_no_news() {
        assert_eq!(changed("Table \"A\"", "A", "a", NameStyle::Lower), None);
        assert_eq!(
            changed("Table \"A\"", "A", "a_1", NameStyle::Lower).as_deref(),
            Some("Table \"A\" becomes \"a_1\".")
        );
    }
}
