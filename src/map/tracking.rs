//! Tables in which an application's migrations keep what they have done.
//!
//! Purpose: such a table says what the schema around it is, so it is never copied: the target's own was
//! written by the migrations that made the target. But it tells whether both schemas are of one
//! version, so it is compared. The list is `type_maps/tracking.csv`; a table is known by its name and
//! its columns, because names such as `migrations` may be anybody's.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The list.
const LIST: &str = include_str!("../../type_maps/tracking.csv");
/// Entries of one side that are shown.
const SHOWN_MAX: usize = 3;

/// How a tracking table must compare with the target's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparing {
    /// Both have the same entries.
    Same,
    /// The largest entry of both is the same: the lists differ between databases, or a new one is given
    /// only the newest.
    Latest,
    /// The source has every entry of the target: a new database does without what is obsolete.
    Covers,
}

/// A tracking table that litelift knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// Columns of the source whose values are compared; none: nothing is.
    pub head: Vec<String>,
    /// How.
    pub how: Comparing,
    /// Who keeps it.
    pub tool: String,
}

#[derive(Deserialize)]
struct Row {
    table: String,
    columns: String,
    head: String,
    tool: String,
}

/// Returns what a table of the source tracks, by its name and the names of its columns; `None` for a
/// table of data.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when the list is damaged, which a test rules out.
pub fn tracking(table: &str, columns: &[&str]) -> Result<Option<Tracking>> {
    let mut reader = csv::Reader::from_reader(LIST.as_bytes());
    let damaged = |error: csv::Error| Error::usage("tracking.csv is damaged").caused_by(error);
    for row in reader.deserialize() {
        let row: Row = row.map_err(damaged)?;
        let find = |name: &str| columns.iter().find(|known| known.eq_ignore_ascii_case(name));
        if row.table.eq_ignore_ascii_case(table)
            && row.columns.split('+').all(|name| find(name).is_some())
        {
            let head = row.head.split('+').filter_map(find).map(|name| (*name).to_owned());
            let (head, how) = (head.collect(), Comparing::Same);
            return Ok(Some(Tracking { head, how, tool: row.tool }));
        }
    }
    Ok(None)
}

/// Returns the tracking table that the user named with `--tracking TABLE=COLUMN+COLUMN`.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] for a text of another form, or a column that the table does not have.
pub fn named(texts: &[String], table: &str, columns: &[&str]) -> Result<Option<Tracking>> {
    for text in texts {
        let (name, how, head) = parts(text)?;
        if !name.eq_ignore_ascii_case(table) {
            continue;
        }
        let find = |name: &str| {
            let found = columns.iter().find(|known| known.eq_ignore_ascii_case(name));
            found.map(|known| (*known).to_owned()).ok_or_else(|| {
                let (shown, name) = (text.escape_debug(), name.escape_debug());
                Error::usage(format!("--tracking \"{shown}\": the table has no column \"{name}\""))
            })
        };
        let head: Result<Vec<String>> = head.split('+').map(find).collect();
        return Ok(Some(Tracking { head: head?, how, tool: "--tracking".to_owned() }));
    }
    Ok(None)
}

/// Splits `TABLE=COLUMN+COLUMN`, `TABLE=max(COLUMN)` and `TABLE=covers(COLUMN)`.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] for a text of another form.
pub fn parts(text: &str) -> Result<(&str, Comparing, &str)> {
    let unknown = || {
        Error::usage(format!("--tracking \"{}\" is not known", text.escape_debug()))
            .hint("Give it as TABLE=COLUMN, or as TABLE=COLUMN+COLUMN: their values tell the version. TABLE=max(COLUMN): the largest does.")
    };
    let (name, head) = text.rsplit_once('=').ok_or_else(unknown)?;
    let within = |word: &str| head.strip_prefix(word)?.strip_suffix(')');
    let (how, head) = match (within("max("), within("covers(")) {
        (Some(head), _) => (Comparing::Latest, head),
        (None, Some(head)) => (Comparing::Covers, head),
        (None, None) => (Comparing::Same, head),
    };
    if name.is_empty() || head.split('+').any(str::is_empty) {
        return Err(unknown());
    }
    Ok((name, how, head))
}

/// An entry: the values of the compared columns.
pub type Entry = Vec<Option<String>>;

/// Says how the two sides differ; `None` when they have the same entries.
#[must_use]
pub fn difference(source: &[Entry], target: &[Entry]) -> Option<String> {
    let (here, there) = (BTreeSet::from_iter(source), BTreeSet::from_iter(target));
    if here == there {
        return None;
    }
    let mut text = format!("the source is at {}, the target at {}", head(source), head(target));
    for (side, only) in [("source", &here - &there), ("target", &there - &here)] {
        if only.is_empty() {
            continue;
        }
        let mut shown: Vec<String> =
            only.iter().rev().take(SHOWN_MAX).map(|entry| joined(entry)).collect();
        if only.len() > SHOWN_MAX {
            shown.push(format!("and {} more", only.len() - SHOWN_MAX));
        }
        text.push_str(&format!("; only in the {side}: {}", shown.join(", ")));
    }
    Some(text)
}

/// Returns whether the source has every entry of the target.
#[must_use]
pub fn covers(source: &[Entry], target: &[Entry]) -> bool {
    BTreeSet::from_iter(target).is_subset(&BTreeSet::from_iter(source))
}

/// Names the last entry.
#[must_use]
pub fn last(entries: &[Entry]) -> String {
    let last = entries.iter().max_by(|a, b| later(&joined(a), &joined(b)));
    last.map_or_else(|| "nothing".to_owned(), |entry| joined(entry))
}

/// The last entry and how many there are.
fn head(entries: &[Entry]) -> String {
    match entries.iter().max_by(|a, b| later(&joined(a), &joined(b))) {
        None => "nothing (0 entries)".to_owned(),
        Some(last) if entries.len() == 1 => format!("{} (1 entry)", joined(last)),
        Some(last) => format!("{} ({} entries)", joined(last), entries.len()),
    }
}

/// Versions that are numbers go by their size.
fn later(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<i128>().ok();
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn joined(entry: &[Option<String>]) -> String {
    let parts: Vec<String> = entry
        .iter()
        .map(|part| {
            part.as_ref().map_or_else(|| "NULL".to_owned(), |text| text.escape_debug().to_string())
        })
        .collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracking_table_is_known_by_its_name_and_its_columns() {
        let rails = tracking("schema_migrations", &["version"]).unwrap().unwrap();
        assert_eq!(rails.head, ["version"]);
        let laravel = tracking("MIGRATIONS", &["id", "Migration", "batch"]).unwrap().unwrap();
        assert_eq!(
            (laravel.head.as_slice(), laravel.tool.as_str()),
            (&["Migration".to_owned()][..], "Laravel")
        );
        // Somebody's table about birds.
        assert_eq!(tracking("migrations", &["id", "species", "route"]).unwrap(), None);
        assert_eq!(
            tracking("ar_internal_metadata", &["key", "value"]).unwrap().unwrap().head,
            [""; 0]
        );
        assert_eq!(tracking("users", &["version"]).unwrap(), None);
    }

    #[test]
    fn the_user_names_others() {
        let texts = ["my=app=id+Version".to_owned()];
        let found = named(&texts, "MY=APP", &["Id", "version", "x"]).unwrap().unwrap();
        assert_eq!(found.head, ["Id", "version"]);
        assert_eq!(named(&texts, "my", &["id", "version"]).unwrap(), None);
        assert!(named(&texts, "my=app", &["id"]).is_err());
        assert!(parts("version").is_err());
        assert!(parts("version=a+").is_err());
        assert_eq!(parts("version=max(a)").unwrap(), ("version", Comparing::Latest, "a"));
        assert_eq!(parts("log=covers(a+b)").unwrap(), ("log", Comparing::Covers, "a+b"));
        assert!(parts("=x").is_err());
    }

    #[test]
    fn both_heads_are_named_when_they_differ() {
        let entries = |names: &[&str]| -> Vec<Entry> {
            names.iter().map(|name| vec![Some((*name).to_owned())]).collect()
        };
        assert_eq!(difference(&entries(&["1", "2"]), &entries(&["2", "1"])), None);
        assert_eq!(
            difference(&entries(&["9", "10"]), &entries(&["9"])).unwrap(),
            "the source is at 10 (2 entries), the target at 9 (1 entry); only in the source: 10"
        );
    }
}
