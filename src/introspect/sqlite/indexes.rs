//! Indexes made by CREATE INDEX.

use super::catalogue::{Catalogue, IndexOrigin, IndexRow, IndexTermRow, Object};
use super::{Contents, not_parsed, shown, with_text};
use crate::error::Result;
use crate::introspect::ddl::{self, IndexText};
use crate::model::source::{Index, IndexTerm, IndexTermOf, Table};

/// `cid` of `PRAGMA index_xinfo` for the rowid.
const ROWID: i64 = -1;

/// The indexes of a table, in the order in which they were made.
pub(super) fn describe(
    catalogue: &mut Catalogue<'_>,
    contents: &Contents,
    table: &Table,
    rows: &[IndexRow],
    remarks: &mut Vec<String>,
) -> Result<Vec<Index>> {
    let mut indexes = Vec::new();
    for object in contents.indexes_of(&table.name) {
        let made =
            |row: &&IndexRow| row.origin == IndexOrigin::CreateIndex && row.name == object.name;
        let Some(row) = rows.iter().find(made) else {
            remarks.push(format!(
                "Index \"{}\" is in sqlite_schema, but SQLite does not list it for table \"{}\".",
                object.name, table.name
            ));
            continue;
        };
        let terms = catalogue.index_terms(&row.name)?;
        indexes.push(of_rows(table, object, row, &terms, remarks));
    }
    Ok(indexes)
}

fn of_rows(
    table: &Table,
    object: &Object,
    row: &IndexRow,
    terms: &[IndexTermRow],
    remarks: &mut Vec<String>,
) -> Index {
    let text = text_of(object, row, terms.len(), remarks);
    let expression = |at: usize| text.as_ref().map(|t| t.terms[at].clone()).unwrap_or_default();
    let term = |(at, term): (usize, &IndexTermRow)| IndexTerm {
        of: match usize::try_from(term.cid) {
            Ok(position) if position < table.columns.len() => IndexTermOf::Column(position),
            Err(_) if term.cid == ROWID => IndexTermOf::Rowid,
            _ => IndexTermOf::Expression(expression(at)),
        },
        tree: text.as_ref().and_then(|text| text.trees.get(at).cloned()),
        descending: term.descending,
        collation: term.collation.clone(),
    };
    let predicate = text.as_ref().and_then(|text| text.predicate.as_ref());
    Index {
        name: row.name.clone(),
        unique: row.unique,
        terms: terms.iter().enumerate().map(term).collect(),
        predicate: row.partial.then(|| predicate.map(|(text, _)| text.clone()).unwrap_or_default()),
        predicate_tree: predicate.map(|(_, tree)| tree.clone()),
        sql: shown(object),
    }
}

/// The CREATE text, parsed, when it agrees with what SQLite says. The texts of its expressions can be
/// had from nowhere else.
fn text_of(
    object: &Object,
    row: &IndexRow,
    terms: usize,
    remarks: &mut Vec<String>,
) -> Option<IndexText> {
    match with_text(object, ddl::index) {
        Ok(text) if text.terms.len() == terms && text.predicate.is_some() == row.partial => {
            return Some(text);
        }
        Ok(_) => remarks.push(format!(
            "The CREATE text of index \"{}\" is not what SQLite has; the text is not used.",
            object.name
        )),
        Err(reason) => remarks.push(not_parsed("index", &object.name, &reason)),
    }
    None
}
