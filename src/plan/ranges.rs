//! The parts of tables in the order in which workers take them.

use crate::model::evidence::TableEvidence;
use crate::model::plan::RangePlan;

/// Turns the scan's cuts into ranges: those of the largest table first, so that a long table does
/// not begin when the others are done; within a table in key order, so that PostgreSQL's pages fill
/// about in that order.
#[must_use]
pub fn in_order(tables: &[&TableEvidence]) -> Vec<RangePlan> {
    let mut by_size: Vec<usize> = (0..tables.len()).collect();
    by_size.sort_by_key(|table| std::cmp::Reverse(tables[*table].copy_bytes));
    let mut ranges = Vec::new();
    for table in by_size {
        for (number, cut) in (0_u32..).zip(&tables[table].cuts) {
            ranges.push(RangePlan {
                table,
                number,
                span: cut.span,
                rows: cut.rows,
                copy_bytes: cut.copy_bytes,
            });
        }
    }
    ranges
}
