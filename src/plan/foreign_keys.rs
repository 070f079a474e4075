//! Foreign keys as finishing steps.
//!
//! Purpose: the parent is found as SQLite finds it; what PostgreSQL cannot have (no such table, columns
//! that are not unique, types that do not compare) is listed with the reason. A key is added NOT VALID
//! and validated afterwards, so that orphans do not cost the key.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::map::names::NameSpace;
use crate::map::unify::{comparable, parent_positions};
use crate::model::ident::quoted_list;
use crate::model::plan::{FinishStep, Phase};
use crate::model::source::{ForeignKey, SourceSchema, Table};

use super::ddl::ForeignKeyDdl;
use super::keys::{Keys, TableParts};

/// The tables by name, as SQLite finds them.
pub(super) struct Family<'a> {
    parts: &'a [TableParts<'a>],
    /// Position in `parts` by the lower-case name.
    positions: HashMap<String, usize>,
    /// Lower-case names of all tables of the file.
    all: HashSet<String>,
}

impl<'a> Family<'a> {
    pub(super) fn new(schema: &SourceSchema, parts: &'a [TableParts<'a>]) -> Self {
        let name = |table: &Table| table.name.to_ascii_lowercase();
        let positions = parts.iter().map(|part| (name(part.table), part.position)).collect();
        Self { parts, positions, all: schema.tables.iter().map(name).collect() }
    }

    fn find(&self, name: &str) -> Option<&'a TableParts<'a>> {
        let position = self.positions.get(&name.to_ascii_lowercase())?;
        self.parts.get(*position)
    }

    /// Returns the column sets that foreign keys point to, per table.
    pub(super) fn pointed_to(&self) -> Vec<BTreeSet<BTreeSet<usize>>> {
        let mut pointed_to = vec![BTreeSet::new(); self.parts.len()];
        for key in self.parts.iter().flat_map(|part| &part.table.foreign_keys) {
            let Some(parent) = self.find(&key.parent) else { continue };
            let columns = parent_positions(parent.table, &key.parent_columns);
            if let Some(columns) = columns.into_iter().collect::<Option<BTreeSet<usize>>>() {
                pointed_to[parent.position].insert(columns);
            }
        }
        pointed_to
    }
}

/// Plans one foreign key: added without a look at the rows, then validated.
pub(super) fn plan(
    family: &Family<'_>,
    part: &TableParts<'_>,
    key: &ForeignKey,
    into: &str,
    constraints: &mut NameSpace,
    keys: &mut Keys,
) {
    let columns = part.targets(&key.columns);
    let wanted = key.name.as_ref().map_or_else(
        || format!("{}_{}_fkey", part.mapping.target, columns.join("_")),
        |name| keys.names.write(name).into_owned(),
    );
    let source_text = source_text(part.table, key);
    let resolved = resolve_parent(family, key, keys).and_then(|(parent, columns)| {
        same_types(part, key, parent, &columns).map(|()| (parent, columns))
    });
    let (parent, parent_columns) = match resolved {
        Ok(resolved) => resolved,
        Err(reason) => {
            let left = part.not_carried("foreign key", &wanted, reason, source_text);
            keys.not_carried.push(left);
            return;
        }
    };
    let name = constraints.take(&wanted);
    if let Some(own) = &key.name {
        keys.note_name(part, "constraint", own, &name);
    }
    let ddl = ForeignKeyDdl {
        name: &name,
        table: &part.mapping.target,
        columns: &columns,
        parent: &parent.mapping.target,
        parent_columns: &parent.targets(&parent_columns),
        on_update: key.on_update,
        on_delete: key.on_delete,
        deferrable: key.deferrable,
        initially_deferred: key.initially_deferred,
    };
    let step = |phase, sql, orphans_sql| FinishStep {
        phase,
        table: part.position,
        object: "foreign key".into(),
        name: name.clone(),
        sql,
        source_text: source_text.clone(),
        orphans_sql,
    };
    keys.steps.push(step(Phase::ForeignKeys, ddl.add_not_valid(into), None));
    let orphans = Some(ddl.count_orphans(into));
    keys.steps.push(step(Phase::Validate, ddl.validate(into), orphans));
}

/// Finds the parent and its columns, or says why PostgreSQL cannot have the key.
fn resolve_parent<'p>(
    family: &Family<'p>,
    key: &ForeignKey,
    keys: &Keys,
) -> Result<(&'p TableParts<'p>, Vec<usize>), String> {
    let shown = key.parent.escape_debug();
    let Some(part) = family.find(&key.parent) else {
        return Err(if family.all.contains(&key.parent.to_ascii_lowercase()) {
            format!("table \"{shown}\" is not part of this transfer")
        } else {
            format!("there is no table \"{shown}\"")
        });
    };
    let parent = part.table;
    let positions = parent_positions(parent, &key.parent_columns);
    let found: Option<Vec<usize>> = positions.into_iter().collect();
    let Some(found) = found.filter(|found| found.len() == key.columns.len()) else {
        return Err(format!("table \"{shown}\" does not have the columns that it points to"));
    };
    let set: BTreeSet<usize> = found.iter().copied().collect();
    if set.len() != found.len() || !keys.unique[part.position].contains(&set) {
        return Err(format!("the columns that it points to in \"{shown}\" are not unique"));
    }
    Ok((part, found))
}

/// Says which columns of a key PostgreSQL could not compare.
fn same_types(
    part: &TableParts<'_>,
    key: &ForeignKey,
    parent: &TableParts<'_>,
    parent_columns: &[usize],
) -> Result<(), String> {
    for (column, parent_column) in key.columns.iter().zip(parent_columns) {
        let child = &part.mapping.columns[*column];
        let parent = &parent.mapping.columns[*parent_column];
        if !comparable(child.pg_type, parent.pg_type) {
            return Err(format!(
                "\"{}\" is {} and \"{}\" is {}, which PostgreSQL does not compare",
                child.source.escape_debug(),
                child.pg_type,
                parent.source.escape_debug(),
                parent.pg_type
            ));
        }
    }
    Ok(())
}

/// The key as SQLite's grammar has it, for the report.
fn source_text(table: &Table, key: &ForeignKey) -> String {
    let columns = key.columns.iter().map(|column| table.columns[*column].name.as_str());
    let mut text = format!(
        "FOREIGN KEY ({}) REFERENCES {}",
        quoted_list(columns),
        quoted_list([key.parent.as_str()])
    );
    if !key.parent_columns.is_empty() {
        let parents = key.parent_columns.iter().map(String::as_str);
        text.push_str(&format!(" ({})", quoted_list(parents)));
    }
    text
}
