//! What a comparison of values found: rows that differ, objects that do not hold, changes by rule.

use super::amount::{counted, grouped, rows};
use super::board::Verbosity;
use super::names::{dotted, plain};
use super::sections::Sections;
use crate::report::{
    ColumnDifference, ComparedValues, Explained, RowDifference, RowFault, Unsound, VerifyReport,
};

/// Columns of a row that are shown; a row that one side lacks would show all of them.
const COLUMNS_SHOWN_MAX: usize = 6;

impl Sections<'_> {
    /// Everything that a comparison found beside the numbers of its tables.
    pub(super) fn compared(&mut self, report: &VerifyReport) {
        let title = counted(report.repaired.len() as u64, "table", "tables");
        self.list(&format!("repaired ({title})"), &report.repaired, |this, table| {
            this.sentence(&format!(
                "{}: {} inserted, {} updated, {} deleted",
                plain(&table.source),
                grouped(table.inserted),
                grouped(table.updated),
                grouped(table.deleted)
            ));
        });
        self.compared_at_the_end(report);
        let known: Vec<&Unsound> = report.unsound.iter().filter(|one| !one.is_difference).collect();
        self.unsound("told and no difference", &known);
        if self.verbosity == Verbosity::Verbose {
            self.explained(&report.explained);
        }
    }

    /// What a transfer's own account does not say already.
    pub(super) fn compared_at_the_end(&mut self, report: &VerifyReport) {
        self.differences(&report.differences);
        let wrong: Vec<&Unsound> = report.unsound.iter().filter(|one| one.is_difference).collect();
        self.unsound("not in order", &wrong);
        self.sequences_behind(&report.sequences_behind);
        self.not_compared(&report.not_compared);
    }

    /// Rows that differ, the first of each table.
    fn differences(&mut self, differences: &[RowDifference]) {
        let title = counted(differences.len() as u64, "row", "rows");
        self.list(&format!("differences ({title} shown)"), differences, |this, row| {
            let table = plain(&row.table);
            let named = named(row);
            let what = match row.fault {
                RowFault::Missing => "is missing in the target",
                RowFault::Extra => "is not in the source",
                RowFault::Different => "has other values",
            };
            this.sentence(&format!("{table} {named} {what}"));
            let columns = row.columns.iter().take(COLUMNS_SHOWN_MAX);
            columns.for_each(|column| this.column(row, column));
            let more = row.columns.len().saturating_sub(COLUMNS_SHOWN_MAX);
            if more > 0 {
                let more = counted(more as u64, "column", "columns");
                this.out.push_str(&format!("    and {more} more\n"));
            }
        });
    }

    fn column(&mut self, row: &RowDifference, column: &ColumnDifference) {
        let name = plain(&column.column);
        let value = |side: &Option<String>| plain(side.as_deref().unwrap_or("-"));
        let (source, target) = (value(&column.source), value(&column.target));
        let text = match row.fault {
            RowFault::Missing => format!("{name}: {source}"),
            RowFault::Extra => format!("{name}: {target}"),
            RowFault::Different => format!("{name}: source {source}, target {target}"),
        };
        super::names::wrap_into(self.out, "    ", "      ", &text, self.look.width);
    }

    /// Columns, indexes and constraints that are not as they must be.
    fn unsound(&mut self, what: &str, unsound: &[&Unsound]) {
        let title = counted(unsound.len() as u64, "object", "objects");
        self.list(&format!("{what} ({title})"), unsound, |this, one| {
            let (object, table) = (plain(&one.object), plain(&one.table));
            this.sentence(&format!("{object} {} of {table} {}", plain(&one.name), plain(&one.how)));
        });
    }

    /// Columns whose values are changed by rule.
    fn explained(&mut self, explained: &[Explained]) {
        let title = counted(explained.len() as u64, "column", "columns");
        self.list(&format!("compared as converted ({title})"), explained, |this, one| {
            let name = dotted(&one.table, &one.column);
            let changed = one.values.map_or_else(String::new, |values| {
                format!("; {} changed", counted(values, "value is", "values are"))
            });
            this.sentence(&format!("{name}: {}{changed}", plain(&one.how)));
        });
    }
}

/// By what a reader finds the row.
fn named(row: &RowDifference) -> String {
    let key: Vec<String> = row
        .key
        .iter()
        .map(|part| format!("{} {}", plain(&part.column), plain(&part.value)))
        .collect();
    match (key.is_empty(), row.rowid) {
        (false, _) => key.join(", "),
        (true, Some(rowid)) => format!("row with rowid {rowid}"),
        (true, None) => "a row".to_owned(),
    }
}

/// Says how many rows differ, and how.
pub(super) fn verdict(values: &ComparedValues) -> String {
    let parts = [
        (values.different > 0).then(|| {
            let differ = if values.different == 1 { "differs" } else { "differ" };
            format!("{} {differ}", rows(values.different))
        }),
        (values.missing > 0).then(|| format!("{} missing", grouped(values.missing))),
        (values.extra > 0).then(|| format!("{} too many", grouped(values.extra))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
