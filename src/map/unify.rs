//! One type for both ends of a foreign key.
//!
//! Purpose: columns that foreign keys connect form a component (union-find). Where their types
//! cannot be compared by a foreign key, the children take the type of the parent when it holds
//! their values, or all take the narrowest type that holds the values of every one. A key that
//! counts by itself stays an integer: an id that became text would cost more than a foreign key.
//! Where no type fits, the columns keep theirs, and the plan leaves the foreign key out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::Result;
use crate::model::convert::{Convert, LabelTable};
use crate::model::decision::{Decision, TableMapping};
use crate::model::evidence::{Evidence, TableEvidence};
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::source::{IndexTerm, IndexTermOf, Table};

use super::decide::{Checked, Unproven, WIDER};
use super::fit;

/// A column by table and position.
type ColumnAt = (usize, usize);

/// Runs a column's values through the encoder of a decision.
pub type Attempt<'a> = dyn Fn(Unproven, &Decision) -> Result<Checked> + 'a;

/// A type for a whole component.
#[derive(Clone)]
struct Candidate {
    pg_type: PgType,
    convert: Convert,
    labels: LabelTable,
}

/// Gives the columns of each component one type. Returns the labels that columns found for enum types
/// which they took over, by column.
///
/// # Errors
/// Those of `attempt`.
pub(super) fn foreign_key_types(
    tables: &[(&Table, &TableEvidence)],
    mapped: &mut [TableMapping],
    attempt: &Attempt<'_>,
) -> Result<Vec<(ColumnAt, Checked)>> {
    let (components, children) = components(tables);
    let mut taken_over = Vec::new();
    for component in components {
        let types: Vec<PgType> = component
            .iter()
            .map(|(table, column)| mapped[*table].columns[*column].pg_type)
            .collect();
        if types.windows(2).all(|pair| comparable(pair[0], pair[1])) {
            continue;
        }
        let counts = |(table, column): &ColumnAt| tables[*table].0.rowid_alias == Some(*column);
        if component.iter().any(counts) {
            let counting = Candidate::plain(PgType::BigInt);
            for (table, column) in component {
                let evidence = &tables[table].1.columns[column];
                if fit::misfits(PgType::BigInt, Convert::Plain, evidence).is_none() {
                    become_type(&mut mapped[table].columns[column], &counting);
                }
            }
            continue;
        }
        // A type that a rule holds fast stays, and is the first that the others try.
        let is_fast = |(table, column): &ColumnAt| {
            mapped[*table].columns[*column].on_misfit != OnMisfit::Widen
        };
        let parents =
            component.iter().filter(|at| is_fast(at) || !children.contains(at)).map(|at| {
                let parent = &mapped[at.0].columns[at.1];
                Candidate {
                    pg_type: parent.pg_type.unlimited(),
                    convert: parent.convert,
                    labels: parent.labels.clone(),
                }
            });
        let wider = WIDER.into_iter().map(Candidate::plain);
        let candidates: Vec<Candidate> = parents.chain(wider).collect();
        for candidate in candidates {
            let Some(checked) = holds_all(&candidate, &component, tables, mapped, attempt)? else {
                continue;
            };
            for (table, column) in component {
                let decision = &mut mapped[table].columns[column];
                if decision.pg_type.unlimited() != candidate.pg_type {
                    become_type(decision, &candidate);
                }
            }
            taken_over.extend(checked);
            break;
        }
    }
    Ok(taken_over)
}

impl Candidate {
    const fn plain(pg_type: PgType) -> Self {
        Self { pg_type, convert: Convert::Plain, labels: Vec::new() }
    }
}

/// Returns what the check of the columns that do not have the type yet found, or `None` when some value
/// does not fit. Where the kinds of the values tell, nothing has to be checked.
fn holds_all(
    candidate: &Candidate,
    component: &[ColumnAt],
    tables: &[(&Table, &TableEvidence)],
    mapped: &[TableMapping],
    attempt: &Attempt<'_>,
) -> Result<Option<Vec<(ColumnAt, Checked)>>> {
    let Candidate { pg_type, convert, .. } = *candidate;
    // What does not fit a type that a rule holds fast has no say.
    let is_fast =
        |(table, column): &ColumnAt| mapped[*table].columns[*column].on_misfit != OnMisfit::Widen;
    if fit::is_provable(pg_type, convert) {
        let mut all = Evidence::default();
        for (table, column) in component.iter().filter(|at| !is_fast(at)) {
            all.merge(&tables[*table].1.columns[*column]);
        }
        return Ok(fit::misfits(pg_type, convert, &all).is_none().then(Vec::new));
    }
    let mut found = Vec::new();
    for (table, column) in component {
        let decision = &mapped[*table].columns[*column];
        if decision.pg_type.unlimited() == pg_type || is_fast(&(*table, *column)) {
            continue;
        }
        let labels = candidate.labels.clone();
        let wanted = Decision { pg_type, convert, labels, ..decision.clone() };
        let checked = attempt((*table, *column), &wanted)?;
        if checked.misfits > 0 {
            return Ok(None);
        }
        found.push(((*table, *column), checked));
    }
    Ok(Some(found))
}

fn become_type(decision: &mut Decision, candidate: &Candidate) {
    let pg_type = candidate.pg_type;
    if decision.pg_type == pg_type || decision.on_misfit != OnMisfit::Widen {
        return;
    }
    decision.notes.push(format!(
        "{pg_type} instead of {}, so that its foreign key has one type on both sides.",
        decision.pg_type
    ));
    decision.pg_type = pg_type;
    decision.convert = candidate.convert;
    decision.labels.clone_from(&candidate.labels);
    if decision.widened.as_ref().is_some_and(|widened| widened.from == pg_type) {
        decision.widened = None;
    }
}

/// Returns whether a foreign key compares the two types.
#[must_use]
pub(crate) fn comparable(a: PgType, b: PgType) -> bool {
    a.unlimited() == b.unlimited() || (a.is_integer() && b.is_integer())
}

/// Returns the groups of two or more columns that foreign keys connect, each in source order, and
/// the columns that point to another one.
fn components(tables: &[(&Table, &TableEvidence)]) -> (Vec<Vec<ColumnAt>>, BTreeSet<ColumnAt>) {
    let positions: HashMap<String, usize> = tables
        .iter()
        .enumerate()
        .map(|(position, (table, _))| (table.name.to_ascii_lowercase(), position))
        .collect();
    let mut first_of = Vec::with_capacity(tables.len());
    let mut total = 0;
    for (table, _) in tables {
        first_of.push(total);
        total += table.columns.len();
    }
    let mut leader: Vec<usize> = (0..total).collect();
    let mut children = BTreeSet::new();
    for (child, (table, _)) in tables.iter().enumerate() {
        for (column, parent, parent_column) in edges(&positions, tables, table) {
            let (a, b) = (
                find(&mut leader, first_of[child] + column),
                find(&mut leader, first_of[parent] + parent_column),
            );
            leader[a.max(b)] = a.min(b);
            if (child, column) != (parent, parent_column) {
                children.insert((child, column));
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<ColumnAt>> = BTreeMap::new();
    for (table, first) in first_of.iter().enumerate() {
        for column in 0..tables[table].0.columns.len() {
            groups.entry(find(&mut leader, first + column)).or_default().push((table, column));
        }
    }
    (groups.into_values().filter(|group| group.len() > 1).collect(), children)
}

/// Returns (child column, parent table, parent column) of each foreign key of a table, as far as
/// they exist among the selected tables.
fn edges(
    positions: &HashMap<String, usize>,
    tables: &[(&Table, &TableEvidence)],
    table: &Table,
) -> Vec<(usize, usize, usize)> {
    let mut edges = Vec::new();
    for key in &table.foreign_keys {
        let position = positions.get(&key.parent.to_ascii_lowercase()).copied();
        let Some(position) = position else { continue };
        let parent = tables[position].0;
        let pointed: Option<Vec<usize>> =
            parent_positions(parent, &key.parent_columns).into_iter().collect();
        // A key that PostgreSQL cannot have must not change a type.
        let Some(pointed) = pointed.filter(|pointed| is_unique(parent, pointed)) else { continue };
        for (column, parent_column) in key.columns.iter().zip(pointed) {
            edges.push((*column, position, parent_column));
        }
    }
    edges
}

/// Returns whether the columns, in any order, are a key of the table.
fn is_unique(table: &Table, columns: &[usize]) -> bool {
    let wanted: BTreeSet<usize> = columns.iter().copied().collect();
    let keys = table.primary_key.iter().chain(&table.uniques).map(|key| key.columns.clone());
    let column_of = |term: &IndexTerm| match term.of {
        IndexTermOf::Column(column) => Some(column),
        _ => None,
    };
    let whole = table.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let indexes = whole.filter_map(|index| index.terms.iter().map(column_of).collect());
    wanted.len() == columns.len()
        && keys.chain(indexes).any(|key: Vec<usize>| BTreeSet::from_iter(key) == wanted)
}

/// Returns the positions of the named columns in the parent; of its primary key when none is named.
pub(crate) fn parent_positions(parent: &Table, named: &[String]) -> Vec<Option<usize>> {
    if named.is_empty() {
        let key = parent.primary_key.as_ref();
        return key.map(|key| key.columns.iter().copied().map(Some).collect()).unwrap_or_default();
    }
    named.iter().map(|name| parent.column(name)).collect()
}

fn find(leader: &mut [usize], mut node: usize) -> usize {
    while leader[node] != node {
        leader[node] = leader[leader[node]];
        node = leader[node];
    }
    node
}
