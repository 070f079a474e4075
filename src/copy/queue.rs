//! The ranges that are still to do, as workers take them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::plan::{LoadOrder, RangePlan, TransferPlan};

/// Ranges that are committed together; nearly always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// The ranges, in the order in which they are copied.
    pub(super) ranges: Vec<RangePlan>,
    /// Whether constraints wait for the commit.
    pub(super) is_deferred: bool,
}

/// Cuts ranges into units, and these by levels: all of a level are committed before the next begins.
pub(super) fn levels(plan: &TransferPlan, ranges: &[RangePlan]) -> Vec<Vec<Unit>> {
    let none = LoadOrder::default();
    let order = plan.fill.as_ref().map_or(&none, |fill| &fill.order);
    let groups = order.together.iter().enumerate();
    let groups: BTreeMap<usize, usize> = groups
        .flat_map(|(number, group)| group.iter().map(move |table| (*table, number)))
        .collect();
    let mut levels: BTreeMap<u32, Vec<Unit>> = BTreeMap::new();
    let mut last = None;
    for range in ranges {
        let group = groups.get(&range.table);
        let units = levels.entry(order.level(range.table)).or_default();
        match units.last_mut() {
            Some(unit) if group.is_some() && last == group => unit.ranges.push(*range),
            _ => units.push(Unit { ranges: vec![*range], is_deferred: group.is_some() }),
        }
        last = group;
    }
    levels.into_values().collect()
}

/// Units of one level.
pub(super) struct Queue<'a> {
    units: &'a [Unit],
    next: AtomicUsize,
}

impl<'a> Queue<'a> {
    pub(super) const fn new(units: &'a [Unit]) -> Self {
        Self { units, next: AtomicUsize::new(0) }
    }

    pub(super) fn take(&self) -> Option<(usize, &'a Unit)> {
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        self.units.get(position).map(|unit| (position, unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::Span;
    use crate::model::plan::FillPlan;

    fn plan(order: Option<LoadOrder>) -> TransferPlan {
        TransferPlan {
            schema: String::new(),
            source_tz: String::new(),
            types: Vec::new(),
            tables: Vec::new(),
            ranges: Vec::new(),
            finish: Vec::new(),
            not_carried: Vec::new(),
            widened: Vec::new(),
            unfit: Vec::new(),
            notes: Vec::new(),
            fill: order.map(|order| FillPlan { order, ..FillPlan::default() }),
        }
    }

    fn shown(plan: &TransferPlan, ranges: &[(usize, u32)]) -> String {
        let ranges: Vec<RangePlan> = ranges
            .iter()
            .map(|(table, number)| RangePlan {
                table: *table,
                number: *number,
                span: Span::Whole,
                rows: 1,
                copy_bytes: 1,
            })
            .collect();
        let unit = |unit: &Unit| {
            let ranges =
                unit.ranges.iter().map(|range| format!("{}.{}", range.table, range.number));
            ranges.collect::<Vec<_>>().join("+") + if unit.is_deferred { "!" } else { "" }
        };
        let level = |units: &Vec<Unit>| units.iter().map(unit).collect::<Vec<_>>().join(" ");
        levels(plan, &ranges).iter().map(level).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn units_are_ranges_by_level_and_groups_stay_together() {
        let ranges = [(1, 0), (1, 1), (0, 0), (2, 0)];
        assert_eq!(shown(&plan(None), &ranges), "1.0 1.1 0.0 2.0");
        let order = LoadOrder { levels: vec![1, 0, 1], together: Vec::new() };
        assert_eq!(shown(&plan(Some(order)), &ranges), "1.0 1.1 | 0.0 2.0");
        let order =
            LoadOrder { levels: vec![0, 0, 1, 1, 1], together: vec![vec![1, 0], vec![2], vec![4]] };
        let ranges = [(1, 0), (0, 0), (2, 0), (4, 0), (3, 0), (3, 1)];
        assert_eq!(shown(&plan(Some(order)), &ranges), "1.0+0.0! | 2.0! 4.0! 3.0 3.1");
    }
}
