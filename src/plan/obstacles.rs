//! What stands in the way of filling tables that are there already.
//!
//! Purpose: every refusal of `--data-only` that can be told before the values are looked at, all at
//! once, each with its remedy. The dry run tells the same by the same code.

use std::collections::BTreeSet;

use crate::model::catalogue::{Catalogue, TargetForeignKey, TargetTable};
use crate::model::ident::{qualified, quoted};
use crate::model::matching::{ColumnFate, MatchedTable, Matching, Refusal};
use crate::model::merge::MergePlan;
use crate::model::source::Table;

use super::journal;
use super::load_order::{self, Cycle};
use super::rights::{self, Rights};

/// What is looked at.
pub struct Obstacles<'a> {
    /// Tables of the source.
    pub tables: &'a [Table],
    /// The target.
    pub catalogue: &'a Catalogue,
    /// Which goes where.
    pub matching: &'a Matching,
    /// Which triggers go on.
    pub is_kept: &'a dyn Fn(&crate::model::catalogue::TargetTrigger) -> bool,
    /// Whether a table of the target must not be touched, by its name.
    pub is_protected: &'a dyn Fn(&str) -> bool,
    /// Tables that get rows and have some, by position in the catalogue, with how many.
    pub occupied: &'a [(usize, u64)],
    /// Those of them that are emptied.
    pub emptied: &'a [usize],
    /// Those of them whose rows need not be in the way: these, and where rows come to those that are
    /// there.
    pub settled: &'a [usize],
    /// How rows come to those that stay.
    pub merges: &'a [MergePlan],
}

impl Obstacles<'_> {
    /// Returns what stands in the way.
    #[must_use]
    pub fn found(&self) -> Vec<Refusal> {
        let mut found = self.occupied_tables();
        found.extend(self.cycles());
        let truncated = load_order::truncated(self.catalogue, &self.filled(), self.emptied);
        let is_truncated: BTreeSet<usize> = truncated.iter().copied().collect();
        found.extend(self.kept_children(&truncated));
        for (position, matched) in self.matching.tables.iter().enumerate() {
            let (source, target) =
                (&self.tables[matched.source], &self.catalogue.tables[matched.target]);
            found.extend(self.unfilled_columns(matched, source, target));
            if !matched.columns.iter().any(|fate| matches!(fate, ColumnFate::Into(_))) {
                found.push(
                    Refusal::new(format!(
                        "No column of table {} is one of {}.",
                        shown(&source.name),
                        shown(&target.name)
                    ))
                    .hint(format!(
                        "Leave the table out with --skip {}.",
                        source.name.escape_debug()
                    )),
                );
            }
            let is_truncated = is_truncated.contains(&matched.target);
            let (catalogue, is_kept) = (self.catalogue, self.is_kept);
            let mut merges = self.merges.iter().filter(|merge| merge.table == position);
            let is_updated = merges.any(|merge| !merge.updated.is_empty());
            let rights = Rights { catalogue, matched, target, is_truncated, is_updated, is_kept };
            found.extend(rights.missing());
        }
        found.extend(truncated.into_iter().flat_map(|at| self.pointers(at)));
        found
    }

    fn filled(&self) -> Vec<usize> {
        self.matching.tables.iter().map(|matched| matched.target).collect()
    }

    fn occupied_tables(&self) -> Vec<Refusal> {
        let left = self.occupied.iter().filter(|(at, _)| !self.settled.contains(at));
        let told: Vec<Refusal> = left
            .map(|(at, rows)| {
                let name = &self.catalogue.tables[*at].name;
                let rows = if *rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
                Refusal::new(format!("Table {} has {rows} already.", shown(name))).hint(
                    "With --on-existing truncate, or --on-existing TABLE=truncate, rows that are there are removed first; with keep or upsert those of the source come to them, found by their key; --protect TABLE leaves them and the table as they are.",
                )
            })
            .collect();
        told
    }

    /// Columns of the target that nothing fills.
    fn unfilled_columns(
        &self,
        matched: &MatchedTable,
        source: &Table,
        target: &TargetTable,
    ) -> Vec<Refusal> {
        let is_filled = |at: usize| matched.columns.contains(&ColumnFate::Into(at));
        let fillers: Vec<_> = target
            .triggers
            .iter()
            .filter(|trigger| trigger.relid == target.relid && trigger.fills_rows)
            .collect();
        let has_filler = fillers.iter().any(|trigger| (self.is_kept)(trigger));
        let left = target.columns.iter().enumerate();
        left.filter(|(at, column)| !is_filled(*at) && !column.fills_itself() && !has_filler)
            .map(|(_, column)| {
                let name = format!("{}.{}", shown(&target.name), shown(&column.name));
                let refusal = Refusal::new(format!(
                    "Column {name} is NOT NULL without a default, and table {} of the source has no column for it.",
                    shown(&source.name)
                ));
                match fillers.first() {
                    Some(trigger) => refusal.hint(format!(
                        "A trigger may fill it: --keep-trigger {}.{} lets that one run.",
                        trigger.table.escape_debug(),
                        trigger.name.escape_debug()
                    )),
                    None => refusal.hint(format!(
                        "Name its source with --rename {}.COLUMN={}.COLUMN, give it a default in the target, or leave the table out with --skip {}.",
                        source.name.escape_debug(),
                        target.name.escape_debug(),
                        source.name.escape_debug()
                    )),
                }
            })
            .collect()
    }

    /// Tables whose rows were to stay, but whose foreign keys onto what is emptied cannot go.
    fn kept_children(&self, truncated: &[usize]) -> Vec<Refusal> {
        let has_rows = |at: &&usize| self.occupied.iter().any(|(known, _)| known == *at);
        let stays = |at: &&usize| !self.emptied.contains(at) && self.settled.contains(at);
        let told = |at: &usize| {
            let name = shown(&self.catalogue.tables[*at].name);
            Refusal::new(format!(
                "The rows of table {name} cannot stay: it points to a table that is emptied, by a foreign \
                 key that this role cannot take away."
            ))
            .hint("Empty both with --on-existing, or neither; or connect as the owner.")
        };
        truncated.iter().filter(has_rows).filter(stays).map(told).collect()
    }

    /// Tables of other roles that need each other's rows first.
    fn cycles(&self) -> Vec<Refusal> {
        let keys = load_order::staying(self.catalogue, self.matching);
        let cycles = load_order::order(self.matching.tables.len(), &keys).err();
        let name = |table: &usize| {
            let there = &self.catalogue.tables[self.matching.tables[*table].target];
            there.name.escape_debug().to_string()
        };
        let told = |cycle: Cycle| {
            let path: Vec<String> = cycle.path.iter().map(name).collect();
            let keys: Vec<String> = cycle.keys.iter().map(|key| shown(key)).collect();
            let first = cycle.path.first().map_or(0, |table| self.matching.tables[*table].target);
            let table = &self.catalogue.tables[first];
            let on_way = |at: &usize| &self.catalogue.tables[self.matching.tables[*at].target];
            let mut known = cycle.path.iter().map(on_way).flat_map(|table| &table.foreign_keys);
            let unmade = known.find(|key| key.is_owned && cycle.keys.contains(&key.name));
            let hint = match unmade {
                Some(key) => format!(
                    "So that it can be made again: GRANT REFERENCES ON {} TO {};",
                    qualified(&key.parent.0, &key.parent.1),
                    quoted(&self.catalogue.role)
                ),
                None => format!(
                    "{} Or leave a column of the circle NULL with --skip TABLE.COLUMN.",
                    rights::become_owner(self.catalogue, table)
                ),
            };
            Refusal::new(format!(
                "Foreign keys go in a circle, {} ({}), and this role can neither take them away nor \
                 defer them.",
                path.join(" -> "),
                keys.join(", ")
            ))
            .hint(hint)
        };
        cycles.into_iter().flatten().map(told).collect()
    }

    /// Tables that are not filled and point to one that is emptied.
    fn pointers(&self, emptied: usize) -> Vec<Refusal> {
        let table = &self.catalogue.tables[emptied];
        let relids = journal::relids(self.catalogue, &self.filled());
        let refuse = |key: &TargetForeignKey| {
            let from = qualified(&key.schema, &key.table);
            if key.has_rows {
                Some(Refusal::new(format!(
                    "Table {} cannot be emptied: {from} has rows and points to it ({}), and is not loaded.",
                    shown(&table.name),
                    shown(&key.name)
                )).hint("Load that table too, or empty it yourself."))
            } else if key.is_owned && !key.may_reference && !(self.is_protected)(&key.table) {
                let parent = qualified(&self.catalogue.schema, &table.name);
                Some(Refusal::new(format!(
                    "Table {} cannot be emptied: the foreign key {} of {from} points to it, and this role could not make it again.",
                    shown(&table.name),
                    shown(&key.name)
                )).hint(format!("As \"{}\" or a superuser: GRANT REFERENCES ON {parent} TO {};", table.owner.escape_debug(), quoted(&self.catalogue.role))))
            } else if (self.is_protected)(&key.table) || !key.is_owned {
                Some(Refusal::new(format!(
                    "Table {} cannot be emptied: the foreign key {} of {from}, which is {}, points to it.",
                    shown(&table.name),
                    shown(&key.name),
                    if key.is_owned { "protected" } else { "another role's" }
                )).hint(format!("Remove the rows yourself: DELETE FROM {};", qualified(&self.catalogue.schema, &table.name))))
            } else {
                None
            }
        };
        journal::onto(table, &relids).into_iter().filter_map(refuse).collect()
    }
}

fn shown(name: &str) -> String {
    format!("\"{}\"", name.escape_debug())
}
