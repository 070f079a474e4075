//! Which table and column of the source is which of the target.
//!
//! Purpose: the caller's mapping as plain names, or one derived from the two catalogs.
//!
//! Known gaps: renamed tables are not found by name; the caller must say where they went.

use std::path::Path;

use super::Fallible;
use super::source::Source;
use super::target::Target;

/// `(source_table, target_schema, target_table, [(source_column, target_column)])`.
pub(crate) type TableNames = (String, String, String, Vec<(String, String)>);

/// Where everything went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The tables that travelled.
    pub(crate) tables: Vec<TableNames>,
    /// What was left behind on purpose: `table` or `table.column`, as in the source. Anything else
    /// of the source that is in no table above is a difference.
    pub(crate) left_out: Vec<String>,
}

impl From<Vec<TableNames>> for Mapping {
    fn from(tables: Vec<TableNames>) -> Self {
        Self { tables, left_out: Vec::new() }
    }
}

impl Mapping {
    /// Names what was left behind on purpose.
    #[must_use]
    pub(crate) fn leaving_out(mut self, names: &[&str]) -> Self {
        self.left_out.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }
}

/// Derives the mapping: tables of the same name (else of the same name but for the case of ASCII
/// letters), columns by name when each has its own, else by position when there are as many.
/// A table that is not found is left unmapped, and therefore a difference.
pub(crate) fn mapping_by_name(source: &Path, url: &str, schema: &str) -> Fallible<Mapping> {
    by_name(&Source::open(source)?, &Target::connect(url)?, schema)
}

pub(crate) fn by_name(source: &Source, target: &Target, schema: &str) -> Fallible<Mapping> {
    let target_tables = target.tables(schema)?;
    let mut mapping = Mapping::default();
    for table in source.tables()? {
        let Some(found) = same_name(&table.name, &target_tables) else { continue };
        let target_columns: Vec<String> =
            target.columns(schema, found)?.into_iter().map(|(name, _)| name).collect();
        let named: Vec<(String, String)> = table
            .columns
            .iter()
            .filter_map(|column| {
                same_name(column, &target_columns).map(|found| (column.clone(), found.to_owned()))
            })
            .collect();
        let columns =
            if named.len() < table.columns.len() && table.columns.len() == target_columns.len() {
                table.columns.iter().cloned().zip(target_columns).collect()
            } else {
                named
            };
        mapping.tables.push((table.name, schema.to_owned(), found.to_owned(), columns));
    }
    Ok(mapping)
}

fn same_name<'a>(wanted: &str, names: &'a [String]) -> Option<&'a str> {
    if let Some(exact) = names.iter().find(|name| *name == wanted) {
        return Some(exact);
    }
    let mut loose = names.iter().filter(|name| name.eq_ignore_ascii_case(wanted));
    match (loose.next(), loose.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
