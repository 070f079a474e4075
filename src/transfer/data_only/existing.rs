//! `--on-existing`: what becomes of tables that get rows and have some.

use crate::model::catalogue::Catalogue;
use crate::model::matching::{Matching, Refusal};
use crate::model::merge::{MergeKind, MergePlan};
use crate::model::source::SourceSchema;
use crate::options::OnExisting;
use crate::plan::merging::Merging;

use super::prepare::in_brackets;
use super::wishes::{self, Wishes};

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
    wishes: &Wishes<'_>,
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
        let source = &schema.tables[matched.source].name;
        let (what, because) = wishes.on_existing(source, target);
        if let (OnExisting::Truncate, Some(because)) = (&what, &because)
            && *rows > wishes::SEEDED_ROWS_MAX
        {
            found.refusals.push(
                Refusal::new(format!(
                    "Table \"{name}\" has more rows than a first start makes, {rows}, so no preset empties it ({because})."
                ))
                .hint(format!("When they may go: --on-existing '{name}=truncate'.")),
            );
            found.settled.push(*at);
            continue;
        }
        let because = in_brackets(because);
        let (kind, asked) = match what {
            OnExisting::Refuse => continue,
            OnExisting::Truncate => {
                found.notes.push(format!(
                    "Table \"{name}\" is emptied first; rows in it: {rows}{because}."
                ));
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
                found.notes.push(told(&name.to_string(), &merge, &because));
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

fn told(name: &str, merge: &MergePlan, because: &str) -> String {
    let key: Vec<String> =
        merge.key.iter().map(|key| key.name.escape_debug().to_string()).collect();
    let fate = match merge.kind {
        MergeKind::Keep => "stay as they are",
        MergeKind::Upsert => "get the source's values",
    };
    format!(
        "Table \"{name}\" keeps its rows, {}; those that the source has too, by ({}), {fate}{because}.",
        merge.rows_before,
        key.join(", ")
    )
}
