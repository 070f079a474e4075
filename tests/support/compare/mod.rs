//! The independent comparer: is every value of a SQLite file in PostgreSQL, and nothing else?
//!
//! Purpose: the tests' own judge of a transfer. It shares no code with the program: own reading of
//! both sides, own rules of when two values say the same ([`rules`]). Values are compared, not
//! counts: tables with an INTEGER PRIMARY KEY by an ordered merge, all others as multisets of rows,
//! so that memory stays bounded on both ways.
//!
//! Known gaps: constraints, indexes, sequences and types are not looked at; nor are rows in tables
//! of the target that no source table maps to. What has no rule is listed in [`rules`].

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;

mod decimal;
mod instant;
mod json;
mod keyed;
mod mapping;
mod multiset;
pub(crate) mod rules;
pub(crate) mod says;
mod source;
mod target;

pub(crate) use mapping::{Mapping, TableNames, mapping_by_name};
pub(crate) use rules::Reason;

use rules::PgType;
use source::{Source, SourceTable};
use target::Target;

/// Any error ends a comparison: it is no verdict.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The most differences that are kept of one table; all are counted.
pub(crate) const KEPT_PER_TABLE_MAX: usize = 20;
/// The longest text that a difference shows of one value, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// The verdict.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Tables whose rows were compared.
    pub(crate) tables: usize,
    /// Rows of the source that were read.
    pub(crate) rows: u64,
    /// Values of the source that were compared.
    pub(crate) values: u64,
    /// The first differences of each table.
    pub(crate) differences: Vec<Difference>,
    /// How many differences there are in all.
    pub(crate) total_differences: u64,
    /// How many more there are that the caller allows.
    pub(crate) allowed: u64,
    kept_of_table: usize,
    allow: Option<Allow>,
}

/// Tells whether a difference is one that the program named in its report.
pub(crate) type Allow = fn(&Difference) -> bool;

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Name of the source table.
    pub(crate) table: String,
    /// The row: its INTEGER PRIMARY KEY, or all its values when it has none.
    pub(crate) key: String,
    /// Name of the source column; empty when a whole row or table is meant.
    pub(crate) column: String,
    /// What SQLite has.
    pub(crate) source: String,
    /// What PostgreSQL prints.
    pub(crate) target: String,
    /// Why it is here.
    pub(crate) reason: Reason,
}

impl Comparison {
    /// True when there is no difference.
    pub(crate) fn same(&self) -> bool {
        self.total_differences == 0
    }

    /// The differences as lines for a failed test.
    pub(crate) fn listed(&self) -> String {
        let mut text = format!(
            "{} differences in {} tables, {} rows, {} values\n",
            self.total_differences, self.tables, self.rows, self.values
        );
        for Difference { table, key, column, source, target, reason } in &self.differences {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {table}[{key}].{column}: {source} | {target}: {reason}");
        }
        text
    }

    /// Fails the test when there is any difference.
    #[track_caller]
    pub(crate) fn expect_same(&self) {
        assert!(self.same(), "{}", self.listed());
    }

    fn start_table(&mut self) {
        self.tables += 1;
        self.kept_of_table = 0;
    }

    fn add(&mut self, make: impl FnOnce() -> Difference) {
        if let Some(allow) = self.allow {
            let difference = make();
            if allow(&difference) {
                self.allowed += 1;
            } else {
                self.keep(|| difference);
            }
        } else {
            self.keep(make);
        }
    }

    fn keep(&mut self, make: impl FnOnce() -> Difference) {
        self.total_differences += 1;
        self.kept_of_table += 1;
        if self.kept_of_table <= KEPT_PER_TABLE_MAX {
            self.differences.push(make());
        }
    }

    fn add_whole(&mut self, table: &str, column: &str, reason: Reason) {
        self.add(|| Difference {
            table: table.to_owned(),
            key: String::new(),
            column: column.to_owned(),
            source: String::new(),
            target: String::new(),
            reason,
        });
    }
}

/// Compares a SQLite file with the tables of a PostgreSQL database that the mapping names.
pub(crate) fn compare(source: &Path, url: &str, mapping: &Mapping) -> Fallible<Comparison> {
    run(&Source::open(source)?, &Target::connect(url)?, mapping, None)
}

/// Compares, but does not hold against the target what `allow` knows to be named in the report.
pub(crate) fn compare_allowing(
    source: &Path,
    url: &str,
    mapping: &Mapping,
    allow: Allow,
) -> Fallible<Comparison> {
    run(&Source::open(source)?, &Target::connect(url)?, mapping, Some(allow))
}

/// Compares with the tables of one schema that have the same names.
pub(crate) fn compare_by_name(source: &Path, url: &str, schema: &str) -> Fallible<Comparison> {
    let source = Source::open(source)?;
    let target = Target::connect(url)?;
    let mapping = mapping::by_name(&source, &target, schema)?;
    run(&source, &target, &mapping, None)
}

fn run(
    source: &Source,
    target: &Target,
    mapping: &Mapping,
    allow: Option<Allow>,
) -> Fallible<Comparison> {
    let mut comparison = Comparison { allow, ..Comparison::default() };
    let tables = source.tables()?;
    for names in &mapping.tables {
        if !tables.iter().any(|table| table.name == names.0) {
            return Err(
                format!("the mapping names a table that is not there: {:?}", names.0).into()
            );
        }
    }
    for table in tables {
        if mapping.left_out.contains(&table.name) {
            continue;
        }
        comparison.kept_of_table = 0;
        let mut found = mapping.tables.iter().filter(|names| names.0 == table.name);
        match (found.next(), found.next(), &table.unreadable) {
            (None, ..) => comparison.add_whole(&table.name, "", Reason::MissingTable),
            (.., Some(message)) => {
                comparison.add_whole(&table.name, "", Reason::Unreadable(message.clone()));
            }
            (Some(_), Some(_), None) => {
                return Err(format!("the mapping names {:?} twice", table.name).into());
            }
            (Some(names), None, None) => {
                let pair = Pair::resolve(target, table, names, mapping, &mut comparison)?;
                if let Some(pair) = pair {
                    pair.compare(source, target, &mut comparison)?;
                }
            }
        }
    }
    Ok(comparison)
}

/// A source table, its target, and the columns of both in the same order.
struct Pair {
    table: SourceTable,
    target_schema: String,
    target_table: String,
    source_columns: Vec<String>,
    target_columns: Vec<String>,
    types: Vec<PgType>,
}

impl Pair {
    /// Looks the names up; what is not there becomes a difference.
    fn resolve(
        target: &Target,
        table: SourceTable,
        (_, schema, target_table, columns): &TableNames,
        mapping: &Mapping,
        comparison: &mut Comparison,
    ) -> Fallible<Option<Self>> {
        comparison.start_table();
        let in_target = target.columns(schema, target_table)?;
        if in_target.is_empty() && !target.tables(schema)?.contains(target_table) {
            comparison.add_whole(&table.name, "", Reason::MissingTable);
            return Ok(None);
        }
        let mut pair = Self {
            target_schema: schema.clone(),
            target_table: target_table.clone(),
            source_columns: Vec::new(),
            target_columns: Vec::new(),
            types: Vec::new(),
            table,
        };
        for column in &pair.table.columns {
            if mapping.left_out.contains(&format!("{}.{column}", pair.table.name)) {
                continue;
            }
            let target_column = columns.iter().find(|(from, _)| from == column).map(|(_, to)| to);
            let found =
                target_column.and_then(|wanted| in_target.iter().find(|(name, _)| name == wanted));
            match found {
                Some((name, pg_type)) => {
                    pair.source_columns.push(column.clone());
                    pair.target_columns.push(name.clone());
                    pair.types.push(pg_type.clone());
                }
                None => comparison.add_whole(&pair.table.name, column, Reason::MissingColumn),
            }
        }
        Ok((!pair.types.is_empty()).then_some(pair))
    }

    fn compare(
        &self,
        source: &Source,
        target: &Target,
        comparison: &mut Comparison,
    ) -> Fallible<()> {
        // Only where both sides sort by number: an ordered merge needs one order.
        let key = self.table.rowid_alias.as_ref().and_then(|alias| {
            let index = self.source_columns.iter().position(|column| column == alias)?;
            matches!(self.types[index], PgType::Int | PgType::Numeric).then_some(index)
        });
        match key {
            Some(key) => keyed::compare(self, key, source, target, comparison),
            None => multiset::compare(self, source, target, comparison),
        }
    }

    fn target_rows<'a>(
        &self,
        target: &'a Target,
        order_by: Option<usize>,
    ) -> Fallible<target::Rows<'a>> {
        let columns: Vec<&str> = self.target_columns.iter().map(String::as_str).collect();
        let order_by = order_by.map(|index| columns[index]);
        target.rows(&self.target_schema, &self.target_table, &columns, order_by)
    }
}

/// A SQLite value as a reader sees it, cut where it is long.
fn shown_source(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{real:?}"),
        ValueRef::Text(text) => shown_text(text),
        ValueRef::Blob(blob) => {
            let head: String =
                blob.iter().take(SHOWN_CHARS_MAX / 2).map(|byte| format!("{byte:02x}")).collect();
            format!("x'{head}' ({} bytes)", blob.len())
        }
    }
}

/// A PostgreSQL value as it prints, cut where it is long.
fn shown_target(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "NULL".to_owned(), shown_text)
}

fn shown_text(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(SHOWN_CHARS_MAX * 4)];
    let text: String = String::from_utf8_lossy(head).chars().take(SHOWN_CHARS_MAX).collect();
    let bad = if std::str::from_utf8(bytes).is_ok() { "" } else { " (bad UTF-8)" };
    format!("{text:?}{bad}")
}
