//! What the user and the presets (`--app`) want of the target's tables: the user wins.

use wildmatch::WildMatch;

use crate::error::Result;
use crate::map::renames;
use crate::map::tracking::{self, Tracking};
use crate::model::catalogue::{Catalogue, TargetTrigger};
use crate::model::matching::Renames;
use crate::model::source::{SourceSchema, Table};
use crate::options::{DataOnly, OnExisting, OnExistingOf};
use crate::presets::parse::{Row, Wish};
use crate::presets::{Preset, Presets, because};

/// Most rows of a table that a preset may have removed. A preset speaks of what a first start makes; that
/// the target is one in use nobody may have noticed.
pub(super) const SEEDED_ROWS_MAX: u64 = 10_000;

/// Both, as one.
pub(super) struct Wishes<'a> {
    /// The options.
    pub(super) user: &'a DataOnly,
    /// The presets.
    pub(super) presets: &'a Presets,
}

pub(super) fn matches(glob: &str, name: &str) -> bool {
    WildMatch::new_case_insensitive(glob).matches(name)
}

fn matches_any(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| matches(glob, name))
}

fn is_trigger(glob: &str, trigger: &TargetTrigger) -> bool {
    matches(glob, &trigger.name) || matches(glob, &format!("{}.{}", trigger.table, trigger.name))
}

/// What was asked for a table: what names it wins over what is for all, and of several the last.
fn asked<'o>(
    of: impl DoubleEndedIterator<Item = &'o OnExistingOf> + Clone,
    source: &str,
    target: &str,
) -> Option<&'o OnExistingOf> {
    let is_named = |(glob, _): &&OnExistingOf| {
        glob.as_ref().is_some_and(|glob| matches(glob, source) || matches(glob, target))
    };
    of.clone().rev().find(is_named).or_else(|| of.rev().find(|(glob, _)| glob.is_none()))
}

impl<'a> Wishes<'a> {
    /// What becomes of rows that a table has already, and why when a preset says it.
    pub(super) fn on_existing(&self, source: &str, target: &str) -> (OnExisting, Option<String>) {
        if let Some((_, what)) = asked(self.user.on_existing.iter(), source, target) {
            return (what.clone(), None);
        }
        let of_presets: Vec<_> = self
            .presets
            .rows()
            .filter_map(|(preset, row)| match &row.wish {
                Wish::OnExisting(what) => Some((preset, row, what)),
                _ => None,
            })
            .collect();
        let Some(found) = asked(of_presets.iter().map(|(_, _, what)| *what), source, target) else {
            return (OnExisting::Refuse, None);
        };
        let by = of_presets.iter().rev().find(|(_, _, what)| *what == found);
        (found.1.clone(), by.map(|(preset, row, _)| because(preset, row)))
    }

    /// Why a table is never touched: an empty text when the user says so; `None`: it may be.
    pub(super) fn protection(&self, name: &str) -> Option<String> {
        if matches_any(&self.user.protect, name) {
            return Some(String::new());
        }
        self.find(|wish| matches!(wish, Wish::Protect(glob) if matches(glob, name)))
            .map(|(preset, row)| because(preset, row))
    }

    /// How a table is compared that says of what version the schema is: as the user says, a preset, or the
    /// list. `None`: it is a table of data.
    pub(super) fn tracking(&self, table: &Table, columns: &[&str]) -> Result<Option<Tracking>> {
        if let Some(named) = tracking::named(&self.user.tracking, &table.name, columns)? {
            return Ok(Some(named));
        }
        match self.presets.tracking(&table.name, columns) {
            Some(found) => Ok(Some(found)),
            None => tracking::tracking(&table.name, columns),
        }
    }

    /// Returns whether a trigger stays on.
    pub(super) fn is_kept(&self, trigger: &TargetTrigger) -> bool {
        self.user.keep_triggers.iter().any(|glob| is_trigger(glob, trigger))
            || self
                .find(|wish| matches!(wish, Wish::KeepTrigger(glob) if is_trigger(glob, trigger)))
                .is_some()
    }

    /// Returns whether a preset leaves a column (`table.column`) out.
    pub(super) fn skips_column(&self, full: &str) -> bool {
        self.presets.skips().any(|(_, row, glob)| {
            matches!(&row.wish, Wish::Skip(text) if text.contains('.')) && glob.matches(full)
        })
    }

    /// Adds the presets' renames to the user's, where both sides have the names and the user says
    /// nothing of them.
    pub(super) fn add_renames(
        &self,
        renames: &mut Renames,
        schema: &SourceSchema,
        catalogue: &Catalogue,
    ) {
        for (_, row) in self.presets.rows().rev() {
            let Wish::Rename(text) = &row.wish else { continue };
            let Ok(found) = renames::resolve(std::slice::from_ref(text), schema, catalogue) else {
                continue;
            };
            let is_there = |name: &String| catalogue.tables.iter().any(|table| table.name == *name);
            for (from, to) in found.tables {
                if is_there(&to) {
                    renames.tables.entry(from).or_insert(to);
                }
            }
            for (from, to) in found.columns {
                let has_it = catalogue.tables.iter().any(|table| {
                    let mut columns = table.columns.iter();
                    columns.any(|column| column.name == to)
                });
                if has_it {
                    renames.columns.entry(from).or_insert(to);
                }
            }
        }
    }

    /// Says what else of the presets had an effect, a sentence each: renames, triggers and columns.
    pub(super) fn notes(
        &self,
        schema: &SourceSchema,
        catalogue: &Catalogue,
        renames: &Renames,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        for (preset, row) in self.presets.rows() {
            let has_effect = match &row.wish {
                Wish::Rename(text) => {
                    let text = std::slice::from_ref(text);
                    renames::resolve(text, schema, catalogue).is_ok_and(|found| {
                        let tables = found.tables.iter();
                        let columns = found.columns.iter();
                        tables.into_iter().any(|(from, to)| renames.tables.get(from) == Some(to))
                            || columns
                                .into_iter()
                                .any(|(from, to)| renames.columns.get(from) == Some(to))
                    })
                }
                Wish::KeepTrigger(glob) => {
                    let mut triggers = catalogue.tables.iter().flat_map(|table| &table.triggers);
                    triggers.any(|trigger| is_trigger(glob, trigger))
                }
                Wish::Skip(glob) if glob.contains('.') => schema.tables.iter().any(|table| {
                    let mut columns = table.columns.iter();
                    columns.any(|column| matches(glob, &format!("{}.{}", table.name, column.name)))
                }),
                _ => false,
            };
            if has_effect {
                let shown = row.shown.escape_debug();
                notes.push(format!("Option {shown} ({}).", because(preset, row)));
            }
        }
        notes
    }

    fn find(&self, is: impl Fn(&Wish) -> bool) -> Option<(&'a Preset, &'a Row)> {
        self.presets.rows().rev().find(|(_, row)| is(&row.wish))
    }
}
