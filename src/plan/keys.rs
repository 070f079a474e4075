//! Keys, indexes and foreign keys as finishing steps.
//!
//! Purpose: every name of a relation is taken from one name space, the application's own index
//! names first, so that a name PostgreSQL would make itself cannot be in their way.
//!
//! Known gaps: a collation other than BINARY is
//! listed, and its key or index made with the column's own comparison.

use std::collections::BTreeSet;

use crate::map::names::NameSpace;
use crate::map::unify::{comparable, parent_positions};
use crate::model::decision::{Mapping, TableMapping};
use crate::model::evidence::{TableEvidence, ValueKind};
use crate::model::ident::quoted_list;
use crate::model::plan::{FinishStep, NotCarried, Phase};
use crate::model::source::{ForeignKey, Index, IndexTermOf, Key, SourceSchema, Table};

use super::ddl::{self, ForeignKeyDdl};

/// What the plan of one table's keys is made from.
#[derive(Clone, Copy)]
pub struct TableParts<'a> {
    /// Position in the plan.
    pub position: usize,
    /// The source table.
    pub table: &'a Table,
    /// Its decisions.
    pub mapping: &'a TableMapping,
    /// What its values are.
    pub evidence: &'a TableEvidence,
}

impl<'a> TableParts<'a> {
    fn targets(&self, columns: &[usize]) -> Vec<&'a str> {
        columns.iter().map(|column| self.mapping.columns[*column].target.as_str()).collect()
    }

    fn not_carried(&self, object: &str, name: &str, reason: String, text: String) -> NotCarried {
        NotCarried {
            object: object.into(),
            table: Some(self.table.name.clone()),
            name: name.into(),
            reason,
            source_text: text,
        }
    }
}

/// Steps and leftovers of all tables' keys.
#[derive(Debug, Default)]
pub struct Keys {
    /// Steps, in no order yet.
    pub steps: Vec<FinishStep>,
    /// What is not made.
    pub not_carried: Vec<NotCarried>,
    /// Names that had to change, a sentence each.
    pub renamed: Vec<String>,
    /// Column sets that are unique in the target, per table: what a foreign key may point to.
    unique: Vec<BTreeSet<BTreeSet<usize>>>,
}

impl Keys {
    /// A name of the source's own that PostgreSQL cannot have, or has in another place.
    fn note_name(&mut self, part: &TableParts<'_>, object: &str, wanted: &str, name: &str) {
        if wanted != name {
            self.renamed.push(format!(
                "The {object} \"{}\" of table \"{}\" becomes \"{name}\".",
                wanted.escape_debug(),
                part.table.name.escape_debug()
            ));
        }
    }
}

/// Plans the keys, indexes and foreign keys of all tables. `relations` holds the table names.
#[must_use]
pub fn plan(
    schema: &SourceSchema,
    mapping: &Mapping,
    parts: &[TableParts<'_>],
    into: &str,
    relations: &mut NameSpace,
) -> Keys {
    let mut keys = Keys { unique: vec![BTreeSet::new(); parts.len()], ..Keys::default() };
    for part in parts {
        for index in &part.table.indexes {
            plan_index(part, index, into, &schema.encoding, relations, &mut keys);
        }
    }
    for part in parts {
        plan_primary_key(part, into, relations, &mut keys);
        for unique in &part.table.uniques {
            plan_unique(part, unique, into, relations, &mut keys);
        }
    }
    for part in parts {
        let mut constraints = NameSpace::default();
        for step in keys.steps.iter().filter(|step| step.table == part.position) {
            constraints.take(&step.name);
        }
        for key in &part.table.foreign_keys {
            plan_foreign_key(schema, mapping, parts, part, key, into, &mut constraints, &mut keys);
        }
    }
    keys
}

fn plan_primary_key(part: &TableParts<'_>, into: &str, relations: &mut NameSpace, keys: &mut Keys) {
    let Some(key) = &part.table.primary_key else { return };
    let nulls: u64 = key
        .columns
        .iter()
        .map(|column| part.evidence.columns[*column].count(ValueKind::Null))
        .sum();
    let wanted = key.name.clone().unwrap_or_else(|| format!("{}_pkey", part.mapping.target));
    let (kind, object) = if nulls == 0 {
        ("PRIMARY KEY", "primary key")
    } else {
        // SQLite lets a declared key be NULL; PostgreSQL does not, but UNIQUE says the rest.
        let text = format!("PRIMARY KEY ({})", quoted_list(part.targets(&key.columns)));
        keys.not_carried.push(part.not_carried(
            "primary key",
            &wanted,
            if nulls == 1 {
                "one of its values is NULL, so it becomes UNIQUE".to_owned()
            } else {
                format!("{nulls} of its values are NULL, so it becomes UNIQUE")
            },
            text,
        ));
        ("UNIQUE", "unique constraint")
    };
    push_key(part, key, kind, object, &wanted, into, relations, keys);
}

fn plan_unique(
    part: &TableParts<'_>,
    key: &Key,
    into: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) {
    let same_as_primary =
        part.table.primary_key.as_ref().is_some_and(|primary| primary.columns == key.columns);
    let columns = part.targets(&key.columns);
    let wanted = key
        .name
        .clone()
        .unwrap_or_else(|| format!("{}_{}_key", part.mapping.target, columns.join("_")));
    if same_as_primary {
        // PostgreSQL would keep two equal indexes; the primary key already says it.
        return;
    }
    push_key(part, key, "UNIQUE", "unique constraint", &wanted, into, relations, keys);
}

#[expect(clippy::too_many_arguments, reason = "one statement's parts, named at both call sites")]
fn push_key(
    part: &TableParts<'_>,
    key: &Key,
    kind: &str,
    object: &str,
    wanted: &str,
    into: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) {
    let columns = part.targets(&key.columns);
    let name = relations.take(wanted);
    if key.name.is_some() {
        keys.note_name(part, "constraint", wanted, &name);
    }
    let sql = ddl::add_key(into, &part.mapping.target, &name, kind, &columns);
    let source_text = format!("{kind} ({})", quoted_list(columns));
    note_collations(part, object, &name, &key.collations, &source_text, keys);
    keys.unique[part.position].insert(key.columns.iter().copied().collect());
    keys.steps.push(FinishStep {
        phase: Phase::Keys,
        table: part.position,
        object: object.into(),
        name,
        sql,
        source_text,
        orphans_sql: None,
    });
}

fn note_collations(
    part: &TableParts<'_>,
    object: &str,
    name: &str,
    collations: &[String],
    source_text: &str,
    keys: &mut Keys,
) {
    for collation in collations {
        if !collation.is_empty() && !collation.eq_ignore_ascii_case("BINARY") {
            keys.not_carried.push(part.not_carried(
                "collation",
                name,
                format!("the {object} compares byte by byte instead of by {collation}"),
                source_text.to_owned(),
            ));
            return;
        }
    }
}

fn plan_index(
    part: &TableParts<'_>,
    index: &Index,
    into: &str,
    encoding: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) {
    let mut terms = Vec::new();
    let mut columns = BTreeSet::new();
    let mut is_special = index.predicate.is_some();
    for term in &index.terms {
        match &term.of {
            IndexTermOf::Column(column) => {
                terms.push((part.mapping.columns[*column].target.as_str(), term.descending));
                columns.insert(*column);
            }
            IndexTermOf::Expression(_) | IndexTermOf::Rowid => is_special = true,
        }
    }
    if is_special {
        plan_special_index(part, index, into, encoding, relations, keys);
        return;
    }
    let name = relations.take(&index.name);
    keys.note_name(part, "index", &index.name, &name);
    let collations: Vec<String> = index.terms.iter().map(|term| term.collation.clone()).collect();
    note_collations(part, "index", &name, &collations, &index.sql, keys);
    if index.unique {
        keys.unique[part.position].insert(columns);
    }
    let sql = ddl::create_index(into, &part.mapping.target, &name, index.unique, &terms);
    keys.steps.push(FinishStep {
        phase: Phase::Indexes,
        table: part.position,
        object: if index.unique { "unique index" } else { "index" }.into(),
        name,
        sql,
        source_text: index.sql.clone(),
        orphans_sql: None,
    });
}

/// An index that is partial or over expressions.
fn plan_special_index(
    part: &TableParts<'_>,
    index: &Index,
    into: &str,
    encoding: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) {
    let object = if index.predicate.is_some() { "partial index" } else { "expression index" };
    // The name is taken only when the index is made.
    if let Err(reason) = super::indexes::create(part, index, &index.name, into, encoding) {
        let reason = format!("it is not translated: {reason}");
        keys.not_carried.push(part.not_carried(object, &index.name, reason, index.sql.clone()));
        return;
    }
    let name = relations.take(&index.name);
    keys.note_name(part, "index", &index.name, &name);
    if let Ok(sql) = super::indexes::create(part, index, &name, into, encoding) {
        keys.steps.push(FinishStep {
            phase: Phase::Indexes,
            table: part.position,
            object: if index.unique { "unique index" } else { "index" }.into(),
            name,
            sql,
            source_text: index.sql.clone(),
            orphans_sql: None,
        });
    }
}

#[expect(clippy::too_many_arguments, reason = "a foreign key sees two tables and both name spaces")]
fn plan_foreign_key(
    schema: &SourceSchema,
    mapping: &Mapping,
    parts: &[TableParts<'_>],
    part: &TableParts<'_>,
    key: &ForeignKey,
    into: &str,
    constraints: &mut NameSpace,
    keys: &mut Keys,
) {
    let columns = part.targets(&key.columns);
    let wanted = key
        .name
        .clone()
        .unwrap_or_else(|| format!("{}_{}_fkey", part.mapping.target, columns.join("_")));
    let source_text = source_text(part.table, key);
    let resolved =
        resolve_parent(schema, mapping, parts, key, keys).and_then(|(parent, columns)| {
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
    if key.name.is_some() {
        keys.note_name(part, "constraint", &wanted, &name);
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
    schema: &SourceSchema,
    mapping: &Mapping,
    parts: &'p [TableParts<'p>],
    key: &ForeignKey,
    keys: &Keys,
) -> Result<(&'p TableParts<'p>, Vec<usize>), String> {
    let shown = key.parent.escape_debug();
    let Some(parent) = schema.table(&key.parent) else {
        return Err(format!("there is no table \"{shown}\""));
    };
    if mapping.table(&parent.name).is_none() {
        return Err(format!("table \"{shown}\" is not part of this transfer"));
    }
    let Some(part) = parts.iter().find(|part| part.table.name == parent.name) else {
        return Err(format!("table \"{shown}\" is not part of this transfer"));
    };
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
