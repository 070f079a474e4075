//! `--rename OLD=NEW` and `--rename TABLE.OLD=TABLE.NEW`.
//!
//! Names may hold points and equals signs, so what a text means is found by what there is.

use crate::error::{Error, Result};
use crate::model::catalogue::Catalogue;
use crate::model::matching::Renames;
use crate::model::source::SourceSchema;

/// Finds what each text renames.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] naming a text whose left side is nothing of the source.
pub fn resolve(texts: &[String], schema: &SourceSchema, catalogue: &Catalogue) -> Result<Renames> {
    let mut renames = Renames::default();
    for text in texts {
        let signs = text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let mut known = false;
        for (old, new) in signs.filter(|(_, new)| !new.is_empty()) {
            if let Some(table) = schema.table(old) {
                renames.tables.insert(table.name.clone(), new.to_owned());
                known = true;
                break;
            }
            if let Some((table, column)) = column(schema, old) {
                let new = without_table(new, &table, catalogue);
                renames.columns.insert((table, column), new.to_owned());
                known = true;
                break;
            }
        }
        if !known {
            return Err(Error::usage(format!(
                "--rename \"{}\" names no table or column of the source",
                text.escape_debug()
            ))
            .hint("Give it as OLD=NEW for a table, or as TABLE.OLD=TABLE.NEW for a column; TABLE and OLD as the source has them."));
        }
    }
    Ok(renames)
}

/// Splits `table.column` at the point where both are there.
fn column(schema: &SourceSchema, name: &str) -> Option<(String, String)> {
    name.match_indices('.').find_map(|(at, _)| {
        let table = schema.table(&name[..at])?;
        let column = table.column(&name[at + 1..])?;
        Some((table.name.clone(), table.columns[column].name.clone()))
    })
}

/// Takes the table's name, the source's or the target's, off the front.
fn without_table<'n>(new: &'n str, source: &str, catalogue: &Catalogue) -> &'n str {
    let names = catalogue.tables.iter().map(|table| table.name.as_str());
    let rests = names.chain([source]).filter_map(|name| new.strip_prefix(name)?.strip_prefix('.'));
    rests.min_by_key(|rest| rest.len()).unwrap_or(new)
}
