//! One table that is compared: what of it, by which columns, in which parts.

use crate::model::evidence::Span;
use crate::model::ident::quoted;
use crate::model::plan::{ColumnPlan, RangePlan, TablePlan};
use crate::model::range_sums::Sums;

use super::counts::Pair;

/// A table on both sides, and how its values get from one to the other.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Names, and what is known of left-out and merged rows.
    pub pair: Pair,
    /// Columns that both sides have, each with its conversion.
    pub columns: Vec<ColumnPlan>,
    /// The name that reaches the rowid in the source.
    pub rowid_name: Option<String>,
    /// Parts of the source. Together they are the whole table, whatever was added since.
    pub spans: Vec<Span>,
    /// What was kept of the values of each part when it was sent, as far as it still says something.
    pub stored: Option<Vec<Sums>>,
    /// Position in `columns` of the rowid under the name that the table gives it.
    pub rowid_column: Option<usize>,
    /// Positions in `columns` of what tells rows apart; none: only all of its values.
    pub identity: Vec<usize>,
    /// About how many rows there are, for the progress.
    pub rows_expected: u64,
    /// Why the values are not compared, without the full stop; `None`: they are.
    pub only_counted: Option<String>,
}

impl Subject {
    /// A table as a run planned it, with all of its columns.
    #[must_use]
    pub fn of_plan(pair: Pair, table: &TablePlan, ranges: &[RangePlan], position: usize) -> Self {
        let mut own: Vec<&RangePlan> =
            ranges.iter().filter(|range| range.table == position).collect();
        own.sort_by_key(|range| range.number);
        let spans: Vec<Span> = own.iter().map(|range| range.span).collect();
        Self {
            pair,
            columns: table.columns.clone(),
            rowid_name: table.rowid_name.clone(),
            spans: if spans.is_empty() && table.rowid_name.is_some() {
                // Rows that come now can be told by their rowid too.
                vec![Span::Rowids { lo: i64::MIN, hi: i64::MAX }]
            } else {
                whole(&spans)
            },
            stored: None,
            rowid_column: None,
            identity: Vec::new(),
            rows_expected: 0,
            only_counted: None,
        }
    }

    /// A table of which only the rows are counted.
    #[must_use]
    pub fn counted(pair: Pair, why: &str) -> Self {
        Self {
            pair,
            columns: Vec::new(),
            rowid_name: None,
            spans: Vec::new(),
            stored: None,
            rowid_column: None,
            identity: Vec::new(),
            rows_expected: 0,
            only_counted: Some(why.to_owned()),
        }
    }

    /// The rows of a span in the target. Where its rows cannot be told, all of them.
    #[must_use]
    pub(crate) fn filter(&self, span: Span) -> String {
        let column = self.rowid_column.and_then(|at| self.columns.get(at));
        let (Some(column), Span::Rowids { lo, hi }) = (column, span) else { return String::new() };
        if (lo, hi) == (i64::MIN, i64::MAX) {
            return String::new();
        }
        let name = quoted(&column.target);
        // A row without a key belongs to no span, and must be seen all the same.
        let or_null = if lo == i64::MIN { format!(" OR {name} IS NULL") } else { String::new() };
        format!("WHERE {name} BETWEEN {lo} AND {hi}{or_null}")
    }

    /// Returns whether its values are compared.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.only_counted.is_none() && !self.columns.is_empty()
    }
}

/// Stretches ranges so that they meet, and the outer ones have no end: rows that came since are in one of
/// them too.
fn whole(spans: &[Span]) -> Vec<Span> {
    let mut stretched = Vec::with_capacity(spans.len());
    let mut lo = i64::MIN;
    for (at, span) in spans.iter().enumerate() {
        let Span::Rowids { hi, .. } = span else { return vec![Span::Whole] };
        let is_last = at + 1 == spans.len();
        let hi = if is_last { i64::MAX } else { *hi };
        stretched.push(Span::Rowids { lo, hi });
        lo = hi.saturating_add(1);
    }
    if stretched.is_empty() { vec![Span::Whole] } else { stretched }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_meet_and_have_no_outer_end() {
        let span = |lo, hi| Span::Rowids { lo, hi };
        assert_eq!(whole(&[span(5, 10), span(20, 30)]), [span(i64::MIN, 10), span(11, i64::MAX)]);
        assert_eq!(whole(&[Span::Whole]), [Span::Whole]);
        assert_eq!(whole(&[]), [Span::Whole]);
    }
}
