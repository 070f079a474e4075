//! Which unique keys of the target have to be looked at in the source before a row is written.
//!
//! Purpose: the server finds rows that share a key only while it copies. Two values that are the same in
//! the source become the same in the target, whatever the conversion, so they can be told before; those
//! that only a conversion makes the same, such as two spellings of a UUID, are left to the server. A
//! key that the source itself holds unique costs nothing.

use crate::model::catalogue::{TargetTable, TargetTrigger, UniqueKey};
use crate::model::evidence::{TableEvidence, ValueKind};
use crate::model::matching::{ColumnFate, MatchedTable};
use crate::model::merge::KeyColumn;
use crate::model::pg_type::PgType;
use crate::model::source::{IndexTermOf, Table};
use crate::model::unique::{UniqueCheck, UniqueColumn};

use super::fill::Inputs;

/// Lists the keys to look at. `is_left_out` tells whether rows with a value that does not fit are left
/// out: which of two rows arrives is then not known here.
#[must_use]
pub fn to_check(inputs: &Inputs<'_>, is_left_out: bool) -> Vec<UniqueCheck> {
    let mut found = Vec::new();
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let source = &inputs.schema.tables[matched.source];
        let target = &inputs.catalogue.tables[matched.target];
        let decisions = &inputs.mapping.tables[at].columns;
        let has_unfit = decisions.iter().any(|decision| decision.unfit.is_some());
        // Which of the rows come to others is seen when they do.
        let is_merged = inputs.merges.iter().any(|merge| merge.table == at);
        if is_merged || is_left_out && has_unfit || is_changed(target, inputs.is_kept) {
            continue;
        }
        for key in &target.unique_keys {
            let Some(positions) = positions(key, matched, target) else { continue };
            let evidence = &inputs.evidence[at];
            if is_unique_already(source, evidence, &positions, key) {
                continue;
            }
            let can_tell = |position: &usize| {
                let decision = &decisions[*position];
                let values = &evidence.columns[*position];
                // A value that does not fit may become NULL, and of -0.0 the sign may count.
                decision.unfit.is_none()
                    && source.columns[*position].is_readable()
                    && values.not_computable.is_none()
                    && (is_number(decision.pg_type) || values.count(ValueKind::RealMinusZero) == 0)
            };
            if positions.iter().all(can_tell) {
                let column = |position: &usize| UniqueColumn {
                    name: source.columns[*position].name.clone(),
                    is_by_class: !is_number(decisions[*position].pg_type),
                };
                found.push(UniqueCheck {
                    source: source.name.clone(),
                    target: target.name.clone(),
                    key: key.name.clone(),
                    definition: key.definition.clone(),
                    columns: positions.iter().map(column).collect(),
                    nulls_are_equal: key.nulls_equal,
                });
            }
        }
    }
    found
}

fn is_number(pg_type: PgType) -> bool {
    pg_type.is_integer() || matches!(pg_type, PgType::Numeric(_) | PgType::Real | PgType::Double)
}

/// Whether a trigger that stays on may change the rows.
fn is_changed(target: &TargetTable, is_kept: &dyn Fn(&TargetTrigger) -> bool) -> bool {
    let mut triggers = target.triggers.iter();
    triggers.any(|trigger| trigger.fills_rows && trigger.enabled != "D" && is_kept(trigger))
}

/// The columns of the source that fill a key; `None`: not all are filled.
fn positions(key: &UniqueKey, matched: &MatchedTable, target: &TargetTable) -> Option<Vec<usize>> {
    let position = |column: &KeyColumn| {
        let at = target.column(&column.name)?;
        matched.columns.iter().position(|fate| *fate == ColumnFate::Into(at))
    };
    key.columns.iter().map(position).collect()
}

/// Whether the source holds columns unique that are all among the key's. A collation only makes more
/// values equal.
fn is_unique_already(
    source: &Table,
    evidence: &TableEvidence,
    key: &[usize],
    target: &UniqueKey,
) -> bool {
    let plain = |term: &IndexTermOf| match term {
        IndexTermOf::Column(position) => Some(*position),
        _ => None,
    };
    let indexes = source.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let of_indexes = indexes.filter_map(|index| {
        index.terms.iter().map(|term| plain(&term.of)).collect::<Option<Vec<usize>>>()
    });
    let keys = source.primary_key.iter().chain(&source.uniques).map(|key| key.columns.clone());
    let has_null = |position: &usize| evidence.columns[*position].count(ValueKind::Null) > 0;
    keys.chain(of_indexes).any(|columns| {
        !columns.is_empty()
            && columns.iter().all(|column| key.contains(column))
            && !(target.nulls_equal && columns.iter().any(has_null))
    })
}
