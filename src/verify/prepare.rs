//! Which tables are compared by which columns: as a plan has them, and as the target has them now.

use std::collections::BTreeMap;

use crate::model::catalogue::{Catalogue, TargetColumn, TargetTable};
use crate::model::convert::Convert;
use crate::model::mark::Mark;
use crate::model::merge::{KeyColumn, MergePlan};
use crate::model::plan::{ColumnPlan, TransferPlan, rowid_column};
use crate::model::range_sums::Sums;
use crate::model::source::SourceSchema;
use crate::report::{Explained, MergedRows, NotCompared, Unsound};

use super::counts::Pair;
use super::subject::Subject;

/// What is known of a transfer beside its plan.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Rows that were left out and not sent since, by table of the plan.
    pub rejected: BTreeMap<usize, u64>,
    /// Rows that were left out and sent later.
    pub resent: BTreeMap<usize, u64>,
    /// What became of rows that came to tables which had some.
    pub merged: BTreeMap<usize, MergedRows>,
    /// What was kept of the values; `None`: the source need not be what it was.
    pub marks: Option<Vec<Mark>>,
}

/// What is compared, what is not, and what is right without being the same.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// Tables in the plan's order.
    pub subjects: Vec<Subject>,
    /// Columns that are left out.
    pub not_compared: Vec<NotCompared>,
    /// Columns whose values are changed on the way.
    pub explained: Vec<Explained>,
    /// Columns that the target does not have any more.
    pub unsound: Vec<Unsound>,
}

/// Prepares the tables of a plan that `is_wanted` takes by their names in the source.
#[must_use]
pub fn of_plan(
    plan: &TransferPlan,
    schema: &SourceSchema,
    catalogue: &Catalogue,
    outcome: &Outcome,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Prepared {
    let mut prepared = Prepared::default();
    let wanted = plan.tables.iter().enumerate().filter(|(_, table)| is_wanted(&table.source));
    for (position, table) in wanted {
        let count = |of: &BTreeMap<usize, u64>| of.get(&position).copied().unwrap_or(0);
        let pair = Pair {
            source: table.source.clone(),
            target: table.target.clone(),
            rejected: count(&outcome.rejected),
            resent: count(&outcome.resent),
            merged: outcome.merged.get(&position).copied(),
        };
        let Some(there) = catalogue.table(&table.target) else {
            prepared.subjects.push(Subject::counted(pair, "the target has no such table"));
            continue;
        };
        let merge = plan.merge_of(position);
        if let Some(why) = why_not(there).or_else(|| loose_key(merge?, there)) {
            prepared.not_compared.push(NotCompared {
                object: "values of table".into(),
                name: table.source.clone(),
                reason: why.into(),
            });
            prepared.subjects.push(Subject::counted(pair, why));
            continue;
        }
        let mut subject = Subject::of_plan(pair, table, &plan.ranges, position);
        subject.stored = outcome.marks.as_ref().and_then(|marks| stored(plan, position, marks));
        subject.rows_expected = table.rows;
        let planned = std::mem::take(&mut subject.columns);
        let is_whole = prepared.columns(&mut subject, planned, there);
        if !is_whole {
            // What was kept is of all the columns.
            subject.stored = None;
        }
        let source = schema.table(&table.source);
        subject.rowid_column = source.and_then(|source| rowid_column(&subject.columns, source));
        subject.identity = identity(&subject, there);
        prepared.subjects.push(subject);
    }
    prepared
}

/// Why the values of a table cannot be compared.
fn why_not(there: &TargetTable) -> Option<&'static str> {
    if there.is_row_secured {
        return Some("row level security hides rows from this role");
    }
    None
}

/// Rows that were found by a key that takes two spellings for one keep the target's.
fn loose_key(merge: &MergePlan, there: &TargetTable) -> Option<&'static str> {
    let mut key = merge.key.iter().filter_map(|part| there.column(&part.name));
    let is_loose = key.any(|at| !there.columns[at].is_compared_by_bytes);
    is_loose.then_some("its rows were merged by a key that is not compared byte by byte")
}

/// What was kept of each range, when that is so of all of them.
fn stored(plan: &TransferPlan, position: usize, marks: &[Mark]) -> Option<Vec<Sums>> {
    let mut own: Vec<&Mark> = marks.iter().filter(|mark| mark.table == position).collect();
    own.sort_by_key(|mark| mark.number);
    let planned = plan.ranges.iter().filter(|range| range.table == position).count();
    let sums: Vec<Sums> = own.iter().filter_map(|mark| mark.sums).collect();
    match planned {
        0 => Some(vec![Sums::default()]),
        _ => (sums.len() == planned).then_some(sums),
    }
}

impl Prepared {
    /// Takes the columns that both sides have. Returns whether these are all, each of its planned type.
    fn columns(
        &mut self,
        subject: &mut Subject,
        planned: Vec<ColumnPlan>,
        there: &TargetTable,
    ) -> bool {
        let mut is_whole = true;
        let table = subject.pair.source.clone();
        for mut column in planned {
            let found = there.column(&column.target).map(|at| &there.columns[at]);
            let Some(found) = found else {
                is_whole = false;
                self.unsound.push(Unsound {
                    table: there.name.clone(),
                    object: "column".into(),
                    name: column.target,
                    how: format!("is not there; it is for \"{}\" of the source", column.source),
                    is_difference: true,
                });
                continue;
            };
            let why = match found {
                found if !found.may_select => Some("this role may not read it".to_owned()),
                found => self.type_now(&table, &mut column, found, &mut is_whole),
            };
            if let Some(reason) = why {
                is_whole = false;
                let name = format!("{table}.{}", column.source);
                self.not_compared.push(NotCompared { object: "column".into(), name, reason });
                continue;
            }
            if let Some(how) = how_changed(&column) {
                let (table, column) = (table.clone(), column.source.clone());
                self.explained.push(Explained { table, column, how, values: None });
            }
            subject.columns.push(column);
        }
        is_whole
    }

    /// Gives a column the type that it has now; says why it cannot be compared then.
    fn type_now(
        &mut self,
        table: &str,
        column: &mut ColumnPlan,
        found: &TargetColumn,
        is_whole: &mut bool,
    ) -> Option<String> {
        let Some(now) = found.pg_type else {
            return Some(format!("litelift does not read type {}", found.type_name));
        };
        let same = now.built_in() == column.pg_type.built_in();
        if !same {
            *is_whole = false;
            if column.convert != Convert::Plain && !column.convert.makes(now) {
                return Some(format!(
                    "it is {} now, which its conversion {} does not make",
                    found.type_name,
                    column.convert.name()
                ));
            }
            self.explained.push(Explained {
                table: table.to_owned(),
                column: column.source.clone(),
                how: format!("{} now, {} when it was loaded", found.type_name, column.pg_type),
                values: None,
            });
        } else if now != column.pg_type || found.seconds_digits != column.demands.seconds_digits {
            // Another length or scale: the server may have changed what it stores.
            *is_whole = false;
        }
        if !matches!(column.pg_type, crate::model::pg_type::PgType::Enum(_)) || !same {
            column.pg_type = now;
        }
        column.demands.seconds_digits = found.seconds_digits;
        None
    }
}

/// What a conversion changes of values, in words; `None`: it keeps them.
fn how_changed(column: &ColumnPlan) -> Option<String> {
    match column.convert {
        Convert::Plain => column.demands.rounds_to_us().map(|_| {
            format!("rounded to {} digits of a second", column.demands.seconds_digits.unwrap_or(6))
        }),
        other => Some(format!("{} by conversion {}", column.pg_type, other.name())),
    }
}

/// What rows are known by: the primary key, another unique key, or the rowid.
fn identity(subject: &Subject, there: &TargetTable) -> Vec<usize> {
    let position =
        |part: &KeyColumn| subject.columns.iter().position(|column| column.target == part.name);
    let key = there
        .unique_keys
        .iter()
        .find_map(|key| key.columns.iter().map(position).collect::<Option<Vec<usize>>>());
    key.filter(|key| !key.is_empty())
        .or_else(|| subject.rowid_column.map(|at| vec![at]))
        .unwrap_or_default()
}
