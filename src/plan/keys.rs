//! Keys and indexes as finishing steps; `foreign_keys` come after them.
//!
//! Purpose: every name of a relation is taken from one name space, the application's own index
//! names first, so that a name PostgreSQL would make itself cannot be in their way.
//!
//! A key that compares text by NOCASE or RTRIM becomes a unique index over an expression
//! ([`super::collate`]); a primary key stays one besides, and so does what a foreign key points to.
//!
//! Known gaps: a collation of the application is
//! listed, and its key or index made with the column's own comparison.

use std::collections::BTreeSet;

use crate::map::names::{self, NameSpace};
use crate::model::decision::TableMapping;
use crate::model::evidence::{TableEvidence, ValueKind};
use crate::model::ident::quoted_list;
use crate::model::name_style::NameStyle;
use crate::model::plan::{FinishStep, NotCarried, Phase};
use crate::model::source::{Index, IndexTermOf, Key, Table};

use super::build::Inputs;
use super::collate::Compare;
use super::ddl;
use super::foreign_keys::{self, Family};

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
    pub(super) fn targets(&self, columns: &[usize]) -> Vec<&'a str> {
        columns.iter().map(|column| self.mapping.columns[*column].target.as_str()).collect()
    }

    fn unknown_collation(
        &self,
        object: &str,
        name: &str,
        collation: &str,
        text: String,
    ) -> NotCarried {
        let reason = format!("the {object} compares byte by byte instead of by {collation}");
        self.not_carried("collation", name, reason, text)
    }

    pub(super) fn not_carried(
        &self,
        object: &str,
        name: &str,
        reason: String,
        text: String,
    ) -> NotCarried {
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
    /// Names that had to change, and what else is to be known, a sentence each.
    pub notes: Vec<String>,
    /// Column sets that are unique in the target, per table: what a foreign key may point to.
    pub(super) unique: Vec<BTreeSet<BTreeSet<usize>>>,
    /// Column sets that foreign keys point to, per table.
    pointed_to: Vec<BTreeSet<BTreeSet<usize>>>,
    /// How names are written.
    pub(super) names: NameStyle,
}

impl Keys {
    /// A name of the source's own that PostgreSQL cannot have, or has in another place.
    pub(super) fn note_name(
        &mut self,
        part: &TableParts<'_>,
        object: &str,
        wanted: &str,
        name: &str,
    ) {
        let table = part.table.name.escape_debug();
        let shown = format!("The {object} \"{}\" of table \"{table}\"", wanted.escape_debug());
        self.notes.extend(names::changed(&shown, wanted, name, self.names));
    }
}

/// Plans the keys, indexes and foreign keys of all tables. `relations` holds the table names.
#[must_use]
pub fn plan(inputs: &Inputs<'_>, parts: &[TableParts<'_>], relations: &mut NameSpace) -> Keys {
    let Inputs { schema, mapping, into, there, .. } = *inputs;
    let made = &parts[there.len().min(parts.len())..];
    let family = Family::new(schema, parts);
    let mut keys = Keys {
        unique: there.iter().cloned().chain(made.iter().map(|_| BTreeSet::new())).collect(),
        pointed_to: family.pointed_to(),
        names: mapping.names,
        ..Keys::default()
    };
    for part in made {
        for index in &part.table.indexes {
            plan_index(part, index, into, &schema.encoding, relations, &mut keys);
        }
    }
    for part in made {
        plan_primary_key(part, into, relations, &mut keys);
        for unique in &part.table.uniques {
            plan_unique(part, unique, into, relations, &mut keys);
        }
    }
    let mut constraints = vec![NameSpace::default(); parts.len()];
    for step in &keys.steps {
        constraints[step.table].take(&step.name);
    }
    for (part, constraints) in parts.iter().zip(&mut constraints).skip(there.len()) {
        for key in &part.table.foreign_keys {
            foreign_keys::plan(&family, part, key, into, constraints, &mut keys);
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
    let wanted = wanted_name(key, keys.names, || format!("{}_pkey", part.mapping.target));
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
    let compares = compares(part, key);
    let name = push_key(part, key, kind, object, &wanted, into, relations, keys);
    note_unknown(part, object, &name, key, &compares, keys);
    if compares.iter().any(|compare| compare.folds()) {
        let columns = part.targets(&key.columns);
        let wanted = format!("{}_{}_key", part.mapping.target, columns.join("_"));
        let text = format!("PRIMARY KEY ({})", quoted_list(columns));
        let folded = Key { name: None, ..key.clone() };
        push_unique_index(part, &folded, &compares, &wanted, text, into, relations, keys);
    }
}

fn plan_unique(
    part: &TableParts<'_>,
    key: &Key,
    into: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) {
    let compares = compares(part, key);
    let folds = compares.iter().any(|compare| compare.folds());
    let is_primary = |primary: &&Key| primary.columns == key.columns;
    if !folds && part.table.primary_key.as_ref().filter(is_primary).is_some() {
        // PostgreSQL would keep two equal indexes; the primary key already says it.
        return;
    }
    let columns = part.targets(&key.columns);
    let wanted = wanted_name(key, keys.names, || {
        format!("{}_{}_key", part.mapping.target, columns.join("_"))
    });
    if !folds && !key.descending.contains(&true) {
        let object = "unique constraint";
        let name = push_key(part, key, "UNIQUE", object, &wanted, into, relations, keys);
        note_unknown(part, object, &name, key, &compares, keys);
        return;
    }
    // No constraint can say DESC or fold, but its index can.
    let text = format!("UNIQUE ({})", quoted_list(columns.iter().copied()));
    let name = push_unique_index(part, key, &compares, &wanted, text, into, relations, keys);
    note_unknown(part, "unique index", &name, key, &compares, keys);
    let set: BTreeSet<usize> = key.columns.iter().copied().collect();
    if !folds {
        keys.unique[part.position].insert(set);
    } else if keys.pointed_to[part.position].contains(&set) {
        // What is unique without case is unique with it, and a foreign key needs the columns.
        let plain = Key { name: None, ..key.clone() };
        let wanted = format!("{}_{}_key", part.mapping.target, columns.join("_"));
        push_key(part, &plain, "UNIQUE", "unique constraint", &wanted, into, relations, keys);
    }
}

/// The name that the source gives a key, in the target's style, or else one that we make.
fn wanted_name(key: &Key, style: NameStyle, made: impl FnOnce() -> String) -> String {
    key.name.as_ref().map_or_else(made, |name| style.write(name).into_owned())
}

/// How a key compares each of its columns.
fn compares(part: &TableParts<'_>, key: &Key) -> Vec<Compare> {
    let types = key.columns.iter().map(|column| part.mapping.columns[*column].pg_type);
    types.zip(&key.collations).map(|(pg_type, name)| Compare::of(pg_type, name)).collect()
}

#[expect(clippy::too_many_arguments, reason = "one statement's parts, named at both call sites")]
fn push_unique_index(
    part: &TableParts<'_>,
    key: &Key,
    compares: &[Compare],
    wanted: &str,
    source_text: String,
    into: &str,
    relations: &mut NameSpace,
    keys: &mut Keys,
) -> String {
    let name = relations.take(wanted);
    if let Some(own) = &key.name {
        keys.note_name(part, "constraint", own, &name);
    }
    let terms: Vec<String> = part
        .targets(&key.columns)
        .into_iter()
        .enumerate()
        .map(|(at, column)| {
            let compare = compares.get(at).copied().unwrap_or(Compare::Own);
            compare.term(column, key.descending.get(at).copied().unwrap_or(false))
        })
        .collect();
    let sql = ddl::create_index(into, &part.mapping.target, &name, true, &terms);
    keys.steps.push(FinishStep {
        phase: Phase::Indexes,
        table: part.position,
        object: "unique index".into(),
        name: name.clone(),
        sql,
        source_text,
        orphans_sql: None,
    });
    name
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
) -> String {
    let columns = part.targets(&key.columns);
    let name = relations.take(wanted);
    if let Some(own) = &key.name {
        keys.note_name(part, "constraint", own, &name);
    }
    let sql = ddl::add_key(into, &part.mapping.target, &name, kind, &columns);
    let source_text = format!("{kind} ({})", quoted_list(columns));
    keys.unique[part.position].insert(key.columns.iter().copied().collect());
    keys.steps.push(FinishStep {
        phase: Phase::Keys,
        table: part.position,
        object: object.into(),
        name: name.clone(),
        sql,
        source_text,
        orphans_sql: None,
    });
    name
}

/// Lists the first column that a key compares in a way that PostgreSQL cannot be told.
fn note_unknown(
    part: &TableParts<'_>,
    object: &str,
    name: &str,
    key: &Key,
    compares: &[Compare],
    keys: &mut Keys,
) {
    let unknown = compares.iter().position(|compare| *compare == Compare::Unknown);
    if let Some(collation) = unknown.and_then(|at| key.collations.get(at)) {
        let text = format!("COLLATE {collation} ({})", quoted_list(part.targets(&key.columns)));
        keys.not_carried.push(part.unknown_collation(object, name, collation, text));
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
    let (mut folds, mut unknown) = (false, None);
    let mut is_special = index.predicate.is_some();
    for term in &index.terms {
        match &term.of {
            IndexTermOf::Column(column) => {
                let decision = &part.mapping.columns[*column];
                let compare = Compare::of(decision.pg_type, &term.collation);
                terms.push(compare.term(&decision.target, term.descending));
                columns.insert(*column);
                folds |= compare.folds();
                if compare == Compare::Unknown && unknown.is_none() {
                    unknown = Some(term.collation.as_str());
                }
            }
            IndexTermOf::Expression(_) | IndexTermOf::Rowid => is_special = true,
        }
    }
    if is_special {
        plan_special_index(part, index, into, encoding, relations, keys);
        return;
    }
    let name = relations.take(&keys.names.write(&index.name));
    keys.note_name(part, "index", &index.name, &name);
    if let Some(collation) = unknown {
        let left = part.unknown_collation("index", &name, collation, index.sql.clone());
        keys.not_carried.push(left);
    }
    if folds && !index.unique {
        keys.notes.push(format!(
            "Index \"{}\" is over an expression that compares as the source does; a query must use \
             the same expression to profit from it.",
            name.escape_debug()
        ));
    }
    if index.unique && folds && keys.pointed_to[part.position].contains(&columns) {
        let key = Key {
            name: None,
            columns: columns.iter().copied().collect(),
            collations: Vec::new(),
            descending: Vec::new(),
        };
        let wanted = format!("{name}_key");
        push_key(part, &key, "UNIQUE", "unique constraint", &wanted, into, relations, keys);
    } else if index.unique && !folds {
        keys.unique[part.position].insert(columns);
    }
    let sql = ddl::create_index(into, &part.mapping.target, &name, index.unique, &terms);
    keys.steps.push(index_step(part, index, name, sql));
}

fn index_step(part: &TableParts<'_>, index: &Index, name: String, sql: String) -> FinishStep {
    FinishStep {
        phase: Phase::Indexes,
        table: part.position,
        object: if index.unique { "unique index" } else { "index" }.into(),
        name,
        sql,
        source_text: index.sql.clone(),
        orphans_sql: None,
    }
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
    let name = relations.take(&keys.names.write(&index.name));
    keys.note_name(part, "index", &index.name, &name);
    if let Ok(sql) = super::indexes::create(part, index, &name, into, encoding) {
        keys.steps.push(index_step(part, index, name, sql));
    }
}
