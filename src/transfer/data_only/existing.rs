//! `--on-existing`: what becomes of tables that get rows and have some.

use wildmatch::WildMatch;

use crate::model::catalogue::Catalogue;
use crate::model::matching::{Matching, Refusal};
use crate::model::merge::{MergeKind, MergePlan};
use crate::model::source::SourceSchema;
use crate::options::{DataOnly, OnExisting};
use crate::plan::merging::Merging;

/// What becomes of them.
#[derive(Debug, Default)]
pub(super) struct Existing {
    /// Tables that are emptied, by position in the catalogue.
    pub(super) emptied: Vec<usize>,
    /// Tables whose rows stay, with how others come to them.
    pub(super) merges: Vec<MergePlan>,
    /// Tables for which one of both was asked, by position in the catalogue; the rest is refused.
    pub(super) settled: Vec<usize>,
    /// A sentence for each.
    pub(super) notes: Vec<String>,
    /// What stands in the way.
    pub(super) refusals: Vec<Refusal>,
}

/// Decides for each occupied table, by position in the catalogue and with its rows.
pub(super) fn decide(
    data_only: &DataOnly,
    schema: &SourceSchema,
    catalogue: &Catalogue,
    matching: &Matching,
    occupied: &[(usize, u64)],
) -> Existing {
    let mut found = Existing::default();
    for (at, rows) in occupied {
        let Some(table) = matching.tables.iter().position(|matched| matched.target == *at) else {
            continue;
        };
        let matched = &matching.tables[table];
        let target = &catalogue.tables[*at].name;
        let name = target.escape_debug();
        let (kind, asked) = match asked(data_only, &schema.tables[matched.source].name, target) {
            OnExisting::Refuse => continue,
            OnExisting::Truncate => {
                found.notes.push(format!("Table \"{name}\" is emptied first; rows in it: {rows}."));
                found.emptied.push(*at);
                found.settled.push(*at);
                continue;
            }
            OnExisting::Keep(key) => (MergeKind::Keep, key),
            OnExisting::Upsert(key) => (MergeKind::Upsert, key),
        };
        found.settled.push(*at);
        let merging =
            Merging { catalogue, matched, table, rows_before: *rows, kind, asked: &asked };
        match merging.plan() {
            Ok(merge) => {
                found.notes.push(told(&name.to_string(), &merge));
                found.merges.push(merge);
            }
            Err(refusals) => {
                for refusal in refusals {
                    // What is so of the database is told once.
                    if !found.refusals.contains(&refusal) {
                        found.refusals.push(refusal);
                    }
                }
            }
        }
    }
    found
}

fn told(name: &str, merge: &MergePlan) -> String {
    let key: Vec<String> =
        merge.key.iter().map(|key| key.name.escape_debug().to_string()).collect();
    let fate = match merge.kind {
        MergeKind::Keep => "stay as they are",
        MergeKind::Upsert => "get the source's values",
    };
    format!(
        "Table \"{name}\" keeps its rows, {}; those that the source has too, by ({}), {fate}.",
        merge.rows_before,
        key.join(", ")
    )
}

/// What was asked for a table: what names it wins over what is for all, and of several the last.
fn asked(data_only: &DataOnly, source: &str, target: &str) -> OnExisting {
    let named = data_only.on_existing.iter().rev().find(|(glob, _)| {
        let glob = glob.as_ref().map(|glob| WildMatch::new_case_insensitive(glob));
        glob.is_some_and(|glob| glob.matches(source) || glob.matches(target))
    });
    let for_all = || data_only.on_existing.iter().rev().find(|(glob, _)| glob.is_none());
    named.or_else(for_all).map_or(OnExisting::Refuse, |(_, what)| what.clone())
}
