//! Tables that the target lacks, beside those that it has (`--create-missing`).
//!
//! Purpose: [`super::build`] plans them as it plans every table that litelift makes; here is what it has to
//! know of the others, and how both plans become one.

use std::collections::BTreeSet;

use crate::model::catalogue::Catalogue;
use crate::model::matching::{ColumnFate, MatchedTable, Matching};
use crate::model::plan::TransferPlan;

/// Column sets that are unique in the target, by position in the source's table.
pub type UniqueSets = BTreeSet<BTreeSet<usize>>;

/// Returns for each matched table what a foreign key may point to.
#[must_use]
pub fn unique_sets(catalogue: &Catalogue, matching: &Matching) -> Vec<UniqueSets> {
    let of = |matched: &MatchedTable| -> UniqueSets {
        let target = &catalogue.tables[matched.target];
        let source_of = |name: &str| {
            let at = target.column(name)?;
            matched.columns.iter().position(|fate| *fate == ColumnFate::Into(at))
        };
        let usable = target.unique_keys.iter().filter(|key| key.is_immediate);
        let sets = usable.map(|key| key.columns.iter().map(|column| source_of(&column.name)));
        sets.filter_map(Iterator::collect).collect()
    };
    matching.tables.iter().map(of).collect()
}

/// Adds the tables that are made to the plan of those that are filled; their positions follow those. The
/// ranges of all are in that plan already, in its order.
pub fn join(plan: &mut TransferPlan, made: TransferPlan) {
    plan.types.extend(made.types);
    plan.tables.extend(made.tables);
    plan.finish.extend(made.finish);
    plan.finish.sort_by_key(|step| (step.phase, step.table));
    let is_new = |left: &_| !plan.not_carried.contains(left);
    let not_carried: Vec<_> = made.not_carried.into_iter().filter(is_new).collect();
    plan.not_carried.extend(not_carried);
    plan.widened.extend(made.widened);
    let is_new = |unfit: &_| !plan.unfit.contains(unfit);
    let unfit: Vec<_> = made.unfit.into_iter().filter(is_new).collect();
    plan.unfit.extend(unfit);
    // Both say which rules were not used, and what is odd in the source.
    let is_new = |note: &String| !plan.notes.contains(note);
    let notes: Vec<String> = made.notes.into_iter().filter(is_new).collect();
    plan.notes.extend(notes);
}
