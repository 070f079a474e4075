//! Virtual tables: which have rows of their own, and which cannot be read.
//!
//! Purpose: four ends. Rows that live in the virtual table are read from it (FTS with its own
//! content, R*Tree). Rows that live in another table, or can be computed again, are not copied twice.
//! Text that was never stored cannot be copied. And when SQLite cannot open the table at all, its
//! inner ("shadow") tables are carried over as ordinary ones, so that nothing is lost.
//!
//! Known gaps: the rowid of a full-text table is not carried over, only its columns.

use std::collections::{HashMap, HashSet};

use super::catalogue::{Catalogue, Object, ObjectKind, failure};
use super::{columns, not_parsed, shown, with_text};
use crate::error::Result;
use crate::introspect::ddl::{self, VirtualTableText};
use crate::model::source::{Searched, Table, TableKind};
use crate::read::fault;

/// What can be done with a virtual table.
#[derive(Debug)]
pub(super) enum VirtualTable {
    /// Its rows can be read through it.
    Readable(Box<Table>),
    /// Its rows cannot be read, or must not be.
    Unreadable {
        /// Why.
        reason: String,
        /// SQLite failed, so the inner tables have to be carried over.
        give_up_inner: bool,
        /// What it searches, when it is a full-text index over another table.
        searches: Option<Searched>,
    },
}

impl VirtualTable {
    fn without_own_rows(reason: impl Into<String>) -> Self {
        Self::Unreadable { reason: reason.into(), give_up_inner: false, searches: None }
    }
}

/// Finds out what a virtual table is. `shadows` are the names of all inner tables of the file.
pub(super) fn describe(
    catalogue: &mut Catalogue<'_>,
    object: &Object,
    objects: &[Object],
    shadows: &[&str],
    remarks: &mut Vec<String>,
) -> Result<VirtualTable> {
    let text = with_text(object, ddl::virtual_table).unwrap_or_else(|reason| {
        remarks.push(not_parsed("virtual table", &object.name, &reason));
        VirtualTableText::default()
    });
    if let Some(reason) = computed(&text) {
        return Ok(VirtualTable::without_own_rows(reason));
    }
    let unindexed_only = match content(&text) {
        Content::Own => false,
        Content::Of(table) => {
            let kind = objects.iter().find(|object| object.name.eq_ignore_ascii_case(&table));
            return Ok(VirtualTable::Unreadable {
                reason: index_over(&table, kind.map(|o| o.kind)),
                give_up_inner: false,
                searches: Some(Searched { table, columns: searched_columns(&text) }),
            });
        }
        // SQLite stores UNINDEXED columns of such a table, when told so, in an inner table.
        Content::Nothing if has_inner(&object.name, "_content", shadows) => true,
        Content::Nothing => {
            return Ok(VirtualTable::without_own_rows(
                "contentless full-text index: the text was never stored",
            ));
        }
    };
    read_through(catalogue, object, &text, unindexed_only, remarks)
}

/// Names the inner tables to be carried over, and says so in the reason of each virtual table.
pub(super) fn given_up(
    tables: &mut HashMap<String, VirtualTable>,
    shadows: &[&str],
) -> HashSet<String> {
    let names: Vec<String> = tables.keys().cloned().collect();
    let mut inner: HashMap<&str, Vec<&str>> = HashMap::new();
    for &shadow in shadows {
        if let Some(owner) = owner(shadow, &names) {
            inner.entry(owner).or_default().push(shadow);
        }
    }
    let mut given_up = HashSet::new();
    for (name, table) in tables.iter_mut() {
        let VirtualTable::Unreadable { reason, give_up_inner: true, .. } = table else { continue };
        let Some(inner) = inner.get(name.as_str()) else { continue };
        reason.push_str(&format!(
            "; its inner tables are carried over instead: {}",
            inner.join(", ")
        ));
        given_up.extend(inner.iter().map(|name| (*name).to_owned()));
    }
    given_up
}

/// The virtual table that an inner table belongs to: the longest name that it begins with.
fn owner<'n>(shadow: &str, names: &'n [String]) -> Option<&'n str> {
    let is_owner = |name: &&String| {
        shadow.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && shadow[name.len()..].starts_with('_')
    };
    names.iter().filter(is_owner).max_by_key(|name| name.len()).map(String::as_str)
}

fn has_inner(table: &str, suffix: &str, shadows: &[&str]) -> bool {
    let name = format!("{table}{suffix}");
    shadows.iter().any(|shadow| shadow.eq_ignore_ascii_case(&name))
}

/// Modules that show what another structure holds.
fn computed(text: &VirtualTableText) -> Option<&'static str> {
    let module = text.module.to_ascii_lowercase();
    match module.as_str() {
        "fts5vocab" | "fts4aux" => Some("shows the terms of a full-text index"),
        "fts3tokenize" => Some("shows how a tokenizer works; it holds no rows"),
        "dbstat" => Some("shows the pages of the SQLite file"),
        _ => None,
    }
}

/// Where the rows of a full-text table are.
#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// In its own inner tables. So it is also taken of modules that are not full-text.
    Own,
    /// Nowhere.
    Nothing,
    /// In another table or view.
    Of(String),
}

/// Reads the option `content=`, as the module does: FTS5 takes any beginning of an option's name.
fn content(text: &VirtualTableText) -> Content {
    let module = text.module.to_ascii_lowercase();
    let fts5 = module == "fts5";
    if !fts5 && module != "fts4" {
        return Content::Own;
    }
    let is_content = |key: &str| {
        let key = key.to_ascii_lowercase();
        key == "content" || fts5 && !key.is_empty() && "content".starts_with(&key)
    };
    text.arguments
        .iter()
        .filter_map(|argument| argument.split_once('='))
        .find(|(key, _)| is_content(key.trim()))
        .map_or(Content::Own, |(_, value)| match ddl::unquoted(value.trim()) {
            empty if empty.is_empty() => Content::Nothing,
            table => Content::Of(table),
        })
}

fn index_over(content: &str, kind: Option<ObjectKind>) -> String {
    match kind {
        Some(ObjectKind::Table) => {
            format!("full-text index over table \"{content}\", whose rows are carried over")
        }
        Some(_) => format!("full-text index over view \"{content}\""),
        None => format!("full-text index over table \"{content}\", which does not exist"),
    }
}

/// Describes the table by its columns, and tries to read a row of it.
fn read_through(
    catalogue: &mut Catalogue<'_>,
    object: &Object,
    text: &VirtualTableText,
    unindexed_only: bool,
    remarks: &mut Vec<String>,
) -> Result<VirtualTable> {
    let connection = catalogue.connection();
    let unreadable = |cause: rusqlite::Error| {
        if fault::concerns_whole_file(&cause) {
            return Err(failure(connection, cause));
        }
        Ok(VirtualTable::Unreadable {
            reason: fault::message(&cause),
            give_up_inner: true,
            searches: None,
        })
    };
    let rows = match catalogue.columns(&object.name)? {
        Ok(rows) => rows,
        Err(cause) => return unreadable(cause),
    };
    let stored = |name: &str| !unindexed_only || is_unindexed(text, name);
    let columns: Vec<_> = rows
        .iter()
        .filter(|row| row.hidden == 0 && stored(&row.name))
        .map(columns::plain)
        .collect();
    if columns.is_empty() {
        return Ok(VirtualTable::Unreadable {
            reason: "SQLite finds no columns in it".to_owned(),
            give_up_inner: true,
            searches: None,
        });
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if let Err(cause) = catalogue.can_read(&object.name, &names) {
        return unreadable(cause);
    }
    if unindexed_only {
        remarks.push(format!(
            "Contentless full-text table \"{}\": only its UNINDEXED columns were stored; the others \
             are left out.",
            object.name
        ));
    }
    Ok(VirtualTable::Readable(Box::new(Table {
        name: object.name.clone(),
        kind: TableKind::Virtual { module: text.module.clone() },
        strict: false,
        columns,
        primary_key: None,
        rowid_alias: None,
        autoincrement: false,
        sequence: None,
        rowid_name: None,
        uniques: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        conflicts: Vec::new(),
        sql: shown(object),
    })))
}

/// The columns that a full-text table names: arguments that are no options.
fn searched_columns(text: &VirtualTableText) -> Vec<String> {
    let is_column = |argument: &&String| !argument.contains('=') && !argument.is_empty();
    let columns = text.arguments.iter().filter(is_column);
    let name = |argument: &String| match argument.rsplit_once(char::is_whitespace) {
        Some((_, option)) if option.eq_ignore_ascii_case("unindexed") => None,
        _ => Some(ddl::unquoted(argument)),
    };
    columns.filter_map(name).collect()
}

/// FTS5: `name UNINDEXED`.
fn is_unindexed(text: &VirtualTableText, column: &str) -> bool {
    text.arguments.iter().any(|argument| {
        argument.rsplit_once(char::is_whitespace).is_some_and(|(name, option)| {
            option.eq_ignore_ascii_case("unindexed") && ddl::unquoted(name.trim()) == column
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> Content {
        content(&ddl::virtual_table(sql).unwrap())
    }

    #[test]
    fn content_is_found_as_the_modules_find_it() {
        let fts5 = |arguments: &str| of(&format!("CREATE VIRTUAL TABLE f USING fts5({arguments})"));
        let fts4 = |arguments: &str| of(&format!("CREATE VIRTUAL TABLE f USING FTS4({arguments})"));
        assert_eq!(fts5("a, b"), Content::Own);
        assert_eq!(fts5("a, content=''"), Content::Nothing);
        assert_eq!(fts5("a, content = \"\", contentless_delete=1"), Content::Nothing);
        assert_eq!(fts5("a, contentless_delete=1, c=docs"), Content::Of("docs".into()));
        assert_eq!(fts5("a, content_rowid=x, content='it''s'"), Content::Of("it's".into()));
        assert_eq!(fts5("a, tokenize=porter, prefix='2 3'"), Content::Own);
        assert_eq!(fts4("a, content=\"t 1\""), Content::Of("t 1".into()));
        assert_eq!(fts4("content=\"\", a"), Content::Nothing);
        assert_eq!(fts4("content, a"), Content::Own);
        assert_eq!(of("CREATE VIRTUAL TABLE f USING other(content='')"), Content::Own);
    }

    #[test]
    fn an_inner_table_belongs_to_the_longest_name() {
        let names = ["a".to_owned(), "a_b".to_owned()];
        assert_eq!(owner("a_b_content", &names), Some("a_b"));
        assert_eq!(owner("A_content", &names), Some("a"));
        assert_eq!(owner("ab_content", &names), None);
    }
}
