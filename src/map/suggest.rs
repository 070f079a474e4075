//! Which other type would serve a column better?
//!
//! Purpose: what the default rules do not do unasked, because the form of a value does not prove its
//! meaning: 0/1 in an INTEGER may be a flag, text may hold timestamps. Each function of `ideas`
//! knows one such case, looks at one column and knows no other function; the first whose type holds
//! every value wins. Nothing is suggested that would change the type of a key or of either end of a
//! foreign key, nor for a column that a rule of the user decides.
//!
//! To add one: write a function in `ideas` and list it there. That the type holds every value, and
//! that the rule would be used, is checked for all of them in `suggestion`.

mod ideas;

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use crate::model::decision::Mapping;
use crate::model::evidence::TableEvidence;
use crate::model::source::{IndexTermOf, SourceSchema, Table};
use crate::model::suggestion::Suggestion;

use super::fit;
use super::rules::Rules;
use super::unify::parent_positions;

use ideas::{SUGGESTERS, Seen};

/// Returns the suggestions in source order, at most one per column. `tables` are those that were
/// decided in `mapping`, in the same order.
#[must_use]
pub fn suggestions(
    schema: &SourceSchema,
    tables: &[(&Table, &TableEvidence)],
    mapping: &Mapping,
    rules: &Rules,
) -> Vec<Suggestion> {
    let keys = key_columns(schema);
    let mut found = Vec::new();
    for ((table, evidence), mapped) in tables.iter().zip(&mapping.tables) {
        let columns = table.columns.iter().zip(&evidence.columns).zip(&mapped.columns);
        for (position, ((column, evidence), decision)) in columns.enumerate() {
            let is_key = keys.contains(&(table.name.as_str(), position));
            if is_key || !column.is_readable() || rules.is_of_user(&decision.rule) {
                continue;
            }
            let seen = Seen { table, position, column, evidence, decision };
            found.extend(suggestion(schema, table, &seen));
        }
    }
    found
}

/// Returns the first idea that holds what it must, as a rule for this column and no other.
fn suggestion(schema: &SourceSchema, table: &Table, seen: &Seen<'_>) -> Option<Suggestion> {
    if seen.evidence.not_null() == 0 {
        return None;
    }
    let idea = SUGGESTERS.iter().filter_map(|suggest| suggest(seen)).find(|idea| {
        idea.pg_type != seen.decision.pg_type
            && (idea.pg_type.is_textual() || !defaults_to_nothing(seen))
            && fit::misfits(idea.pg_type, idea.convert, seen.evidence).is_none()
            && seen.are(idea.evidence)
    })?;
    let (table_glob, column_glob) = (glob(&table.name), glob(&seen.column.name));
    if !names_only_one(schema, &table_glob, &column_glob) {
        return None;
    }
    let fields = [
        table_glob.as_str(),
        column_glob.as_str(),
        "*",
        idea.evidence,
        &idea.pg_type.to_string(),
        idea.convert.name(),
        &idea.reason,
    ];
    Some(Suggestion {
        table: table.name.clone(),
        column: seen.column.name.clone(),
        pg_type: idea.pg_type,
        instead_of: seen.decision.pg_type,
        rule: csv_line(&fields)?,
        reason: idea.reason,
    })
}

/// Returns true when `''` stands for "none": more of it will come, and only text can hold it.
fn defaults_to_nothing(seen: &Seen<'_>) -> bool {
    seen.column.default.as_deref().is_some_and(|default| default.trim() == "''")
}

/// Returns the columns of keys, of unique indexes and of both ends of foreign keys. Those of tables
/// that were not selected count too: they may be there already.
fn key_columns(schema: &SourceSchema) -> BTreeSet<(&str, usize)> {
    let mut keys = BTreeSet::new();
    for table in &schema.tables {
        let name = table.name.as_str();
        let of_keys = table.primary_key.iter().chain(&table.uniques).flat_map(|key| &key.columns);
        keys.extend(of_keys.chain(&table.rowid_alias).map(|column| (name, *column)));
        let unique = table.indexes.iter().filter(|index| index.unique);
        keys.extend(unique.flat_map(|index| &index.terms).filter_map(|term| match term.of {
            IndexTermOf::Column(column) => Some((name, column)),
            _ => None,
        }));
        for key in &table.foreign_keys {
            keys.extend(key.columns.iter().map(|column| (name, *column)));
            if let Some(parent) = schema.table(&key.parent) {
                let columns = parent_positions(parent, &key.parent_columns);
                keys.extend(columns.into_iter().flatten().map(|at| (parent.name.as_str(), at)));
            }
        }
    }
    keys
}

/// Returns a glob for a name. `?` stands for what a type map cannot hold as it is, or what a reader
/// of the file would not see: white space at the ends, control characters, marks of direction.
fn glob(name: &str) -> String {
    let inner = name.trim();
    let visible = |c: char| c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic();
    let blanks = |text: &str| "?".repeat(text.chars().count());
    let before = name.len() - name.trim_start().len();
    let mut out = blanks(&name[..before]);
    out.extend(inner.chars().map(|c| if c == '*' || !visible(c) { '?' } else { c }));
    out.push_str(&blanks(&name[before + inner.len()..]));
    out
}

/// Returns true when two globs match one column of the whole file: SQLite tells `é` from `É`, a type
/// map does not.
fn names_only_one(schema: &SourceSchema, table: &str, column: &str) -> bool {
    let table = WildMatch::new_case_insensitive(table);
    let column = WildMatch::new_case_insensitive(column);
    let tables = schema.tables.iter().filter(|known| table.matches(&known.name));
    let columns = tables.flat_map(|table| &table.columns);
    columns.filter(|known| column.matches(&known.name)).count() == 1
}

/// Returns a line of CSV without its line break; a field that begins like a comment is quoted.
fn csv_line(fields: &[&str]) -> Option<String> {
    let mut writer = csv::WriterBuilder::new().comment(Some(b'#')).from_writer(Vec::new());
    writer.write_record(fields).ok()?;
    let line = String::from_utf8(writer.into_inner().ok()?).ok()?;
    Some(line.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
#[path = "suggest/tests.rs"]
mod tests;
