//! Partial indexes, and indexes over expressions.

use std::collections::BTreeSet;

use crate::map::expr::{Need, Relation, Translator};
use crate::model::ident::{qualified, quoted};
use crate::model::source::{Index, IndexTermOf};

use super::keys::TableParts;

/// Prints CREATE INDEX for an index that is more than a list of columns.
///
/// # Errors
/// Why it cannot be made, a phrase.
pub(super) fn create(
    part: &TableParts<'_>,
    index: &Index,
    name: &str,
    into: &str,
    encoding: &str,
) -> Result<String, String> {
    let relation = Relation::of_table(part.table, part.mapping, part.evidence);
    let translator = || Translator::over(&relation, Need::Immutable, encoding);
    let unparsed = || Err("its CREATE text could not be parsed".to_owned());
    let mut terms = Vec::new();
    let mut columns = BTreeSet::new();
    for term in &index.terms {
        let sql = match &term.of {
            IndexTermOf::Column(column) => {
                columns.insert(*column);
                translator().indexed(*column, &term.collation)?
            }
            IndexTermOf::Expression(_) => {
                let tree = term.tree.clone().unwrap_or_else(unparsed)?;
                let sql = translator().folded_term(&tree, &term.collation)?.sql;
                format!("({sql})")
            }
            IndexTermOf::Rowid => return Err("it is over the rowid, which has no column".into()),
        };
        terms.push(format!("{sql}{}", if term.descending { " DESC" } else { "" }));
    }
    let predicate = match &index.predicate {
        None => String::new(),
        Some(_) => {
            let tree = index.predicate_tree.clone().unwrap_or_else(unparsed)?;
            format!(" WHERE {}", translator().condition(&tree)?.sql)
        }
    };
    Ok(format!(
        "CREATE {}INDEX {} ON {} ({}){predicate}",
        if index.unique { "UNIQUE " } else { "" },
        quoted(name),
        qualified(into, &part.mapping.target),
        terms.join(", ")
    ))
}
