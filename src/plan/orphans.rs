//! Which foreign keys have to be looked at in the source before a row is written.
//!
//! Purpose: a key that stays makes the server refuse a row without a parent, in the middle of the copying.
//! Where both sides are compared by the target as they are in the source, whole numbers or texts as they
//! are, such rows are told before. Others are left to the server.

use crate::model::convert::Convert;
use crate::model::decision::Decision;
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::matching::ColumnFate;
use crate::model::orphans::OrphanCheck;
use crate::model::pg_type::PgType;

use super::fill::Inputs;
use super::load_order;

/// Lists the keys to look at. `is_left_out` tells whether rows with a value that does not fit are left
/// out: those need no parent.
#[must_use]
pub fn to_check(inputs: &Inputs<'_>, is_left_out: bool) -> Vec<OrphanCheck> {
    let staying = load_order::staying(inputs.catalogue, inputs.matching);
    let mut found = Vec::new();
    for key in staying {
        // Parents may be among the rows that are there, and of the children some may stay behind.
        let is_merged = |table| inputs.merges.iter().any(|merge| merge.table == table);
        if is_merged(key.child) || is_merged(key.parent) {
            continue;
        }
        let decisions = &inputs.mapping.tables[key.child].columns;
        if is_left_out && decisions.iter().any(|decision| decision.unfit.is_some()) {
            continue;
        }
        let there = &inputs.catalogue.tables[inputs.matching.tables[key.child].target];
        let Some(known) = there.foreign_keys.iter().find(|known| known.name == key.name) else {
            continue;
        };
        let child = columns(inputs, key.child, &known.columns);
        let parent = columns(inputs, key.parent, &known.parent_columns);
        let (Some(child), Some(parent)) = (child, parent) else { continue };
        let is_same = |(child, parent): (&Side<'_>, &Side<'_>)| {
            child.are_integers() && parent.are_integers() || child.are_texts() && parent.are_texts()
        };
        if !child.iter().zip(&parent).all(is_same) {
            continue;
        }
        let names = |side: &[Side<'_>]| side.iter().map(|column| column.name.to_owned()).collect();
        let table =
            |at: usize| inputs.schema.tables[inputs.matching.tables[at].source].name.clone();
        found.push(OrphanCheck {
            key: known.name.clone(),
            definition: known.definition.clone(),
            child: table(key.child),
            columns: names(&child),
            parent: table(key.parent),
            parent_columns: names(&parent),
        });
    }
    found
}

/// A column of a key.
struct Side<'a> {
    name: &'a str,
    evidence: &'a Evidence,
    decision: &'a Decision,
    /// Whether the target compares its texts by their bytes.
    is_exact: bool,
}

impl Side<'_> {
    fn are_integers(&self) -> bool {
        let others = self.evidence.sum(|kind| !kind.is_integer() && kind != ValueKind::Null);
        others == 0 && self.decision.pg_type.is_integer()
    }

    fn are_texts(&self) -> bool {
        let others = self.evidence.sum(|kind| !kind.is_text() && kind != ValueKind::Null);
        let is_text = matches!(self.decision.pg_type, PgType::Text | PgType::Varchar(_));
        others == 0 && is_text && self.is_exact && self.decision.convert == Convert::Plain
    }
}

/// The columns of the source that fill those of a key; `None`: not all are filled as they are.
fn columns<'a>(inputs: &Inputs<'a>, table: usize, names: &[String]) -> Option<Vec<Side<'a>>> {
    let matched = &inputs.matching.tables[table];
    let source = &inputs.schema.tables[matched.source];
    let there = &inputs.catalogue.tables[matched.target];
    let column = |name: &String| {
        let at = there.column(name)?;
        let position = matched.columns.iter().position(|fate| *fate == ColumnFate::Into(at))?;
        let decision = &inputs.mapping.tables[table].columns[position];
        let evidence = &inputs.evidence[table].columns[position];
        let is_read = source.columns[position].is_readable() && evidence.not_computable.is_none();
        (is_read && decision.unfit.is_none()).then(|| Side {
            name: &source.columns[position].name,
            evidence,
            decision,
            is_exact: there.columns[at].is_compared_by_bytes,
        })
    };
    names.iter().map(column).collect()
}
