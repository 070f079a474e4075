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

/// A tracking table that litelift knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// Columns of the source whose values are compared; none: nothing is.
    pub head: Vec<String>,
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
            return Ok(Some(Tracking { head: head.collect(), tool: row.tool }));
        }
    }
    Ok(None)
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

/// Leaves only the last of the entries.
pub fn keep_latest(entries: &mut Vec<Entry>) {
    let last = entries.iter().max_by(|a, b| later(&joined(a), &joined(b))).cloned();
    *entries = Vec::from_iter(last);
}

/// The last entry and how many there are.
fn head(entries: &[Entry]) -> String {
    match entries.iter().max_by(|a, b| later(&joined(a), &joined(b))) {
        None => "nothing (0 entries)".to_owned(),
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
    fn both_heads_are_named_when_they_differ() {
        let entries = |names: &[&str]| -> Vec<Entry> {
            names.iter().map(|name| vec![Some((*name).to_owned())]).collect()
        };
        assert_eq!(difference(&entries(&["1", "2"]), &entries(&["2", "1"])), None);
        assert_eq!(
            difference(&entries(&["9", "10"]), &entries(&["9"])).unwrap(),
            "the source is at 10 (2 entries), the target at 9 (1 entries); only in the source: 10"
        );
    }
}
