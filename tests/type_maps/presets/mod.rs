//! The presets of frameworks, each on a database of that framework's shape.
//!
//! Purpose: the types that come out, and that no value is lost. The independent comparer judges
//! every value it has a rule for; the columns that it has none for (a number that becomes a time, a
//! 32-digit UUID that SQLite made a number, a rounded digit) are named, and SQL checks them.

use std::collections::BTreeSet;

use litelift::report::TransferReport;

use crate::support::fixture;
use crate::support::pg::TestDb;
use crate::support::transfer;

use super::{transferred, types};

mod documented;
mod node;
mod python;

struct Moved {
    database: TestDb,
    report: TransferReport,
}

impl Moved {
    fn types(&self, table: &str) -> String {
        types(&self.database, table)
    }

    fn rows(&self, sql: &str) -> String {
        let rows = self.database.query_text(&format!("set timezone = 'UTC'; {sql}"));
        rows.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("\n")
    }

    fn widened(&self) -> Vec<String> {
        let columns = self.report.widened.iter();
        columns.map(|widened| format!("{}.{}", widened.table, widened.column)).collect()
    }
}

/// Transfers with type maps and compares all values but those of the columns named.
fn moved(name: &str, sql: &str, maps: &[&str], no_rule: &[&str]) -> Moved {
    let source = fixture::from_sql(name, sql);
    let (database, report) = transferred(&source.path, maps, "UTC");
    let comparison = transfer::compare_all(&source.path, &database.url, &report);
    let kept = u64::try_from(comparison.differences.len()).unwrap();
    assert_eq!(kept, comparison.total_differences, "{}", comparison.listed());
    let differing: BTreeSet<String> = comparison
        .differences
        .iter()
        .map(|difference| format!("{}.{}", difference.table, difference.column))
        .collect();
    let named: BTreeSet<String> = no_rule.iter().map(|column| (*column).to_owned()).collect();
    assert_eq!(differing, named, "{}", comparison.listed());
    Moved { database, report }
}

/// A preset with a user's own map before it.
fn moved_with(name: &str, sql: &str, own: &str, no_rule: &[&str]) -> Moved {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("mine.csv");
    std::fs::write(&map, format!("table,column,declared,evidence,pg_type,convert,note\n{own}"))
        .unwrap();
    moved(name, sql, &[map.to_str().unwrap(), name], no_rule)
}
