//! Finds the table and column of the target that a name of the source stands for.
//!
//! Purpose: applications name the same thing differently in their two schemas (`DownloadClients`,
//! `download_clients`). A name is looked for as it is, then without regard to case, then by its
//! letters and digits alone; each step looks only among what the steps before left over, and a step
//! that finds two candidates is an error, not a guess.
//!
//! Known gaps: a plural is another name (`Regions`, `region`): that is what `--rename` is for.

use std::collections::BTreeMap;

use crate::model::catalogue::{Catalogue, TargetTable};
use crate::model::matching::{ColumnFate, MatchedTable, Matching, Refusal, Renames};
use crate::model::source::Table;

use super::names::NAME_BYTES_MAX;

/// What the names of one kind came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pairs {
    /// For each source name the position of its target.
    found: Vec<Option<usize>>,
    /// Names that have several candidates, with these.
    ambiguous: Vec<(usize, Vec<usize>)>,
}

/// The steps, the strictest first.
const STEPS: [fn(&str) -> String; 3] = [in_postgres, lower, letters];

/// A name as PostgreSQL keeps it: it cuts longer ones off.
fn in_postgres(name: &str) -> String {
    let mut end = name.len().min(NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

fn lower(name: &str) -> String {
    in_postgres(name).to_lowercase()
}

fn letters(name: &str) -> String {
    lower(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Pairs names. `given` are those that the user paired.
fn pairs(sources: &[&str], targets: &[&str], given: &BTreeMap<usize, usize>) -> Pairs {
    let mut pairs = Pairs { found: vec![None; sources.len()], ambiguous: Vec::new() };
    let mut taken = vec![false; targets.len()];
    let mut settled = vec![false; sources.len()];
    for (source, target) in given {
        pairs.found[*source] = Some(*target);
        settled[*source] = true;
        taken[*target] = true;
    }
    for key in STEPS {
        let mut candidates: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (at, name) in sources.iter().enumerate().filter(|(at, _)| !settled[*at]) {
            candidates.entry(key(name)).or_default().0.push(at);
        }
        for (at, name) in targets.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            candidates.entry(key(name)).or_default().1.push(at);
        }
        candidates.remove("");
        for (from, to) in candidates.into_values() {
            match (from.as_slice(), to.as_slice()) {
                (_, []) | ([], _) => {}
                ([source], [target]) => {
                    pairs.found[*source] = Some(*target);
                    settled[*source] = true;
                    taken[*target] = true;
                }
                _ => {
                    for source in from {
                        settled[source] = true;
                        pairs.ambiguous.push((source, to.clone()));
                    }
                }
            }
        }
    }
    pairs
}

/// Pairs the selected tables and their columns with those of the target.
#[must_use]
pub fn matching(
    tables: &[(usize, &Table)],
    catalogue: &Catalogue,
    renames: &Renames,
    is_skipped: impl Fn(&Table, &str) -> bool,
) -> (Matching, Vec<Refusal>) {
    let mut refusals = Vec::new();
    let sources: Vec<&str> = tables.iter().map(|(_, table)| table.name.as_str()).collect();
    // Rows of a partition come in through its table.
    let positions: Vec<usize> =
        (0..catalogue.tables.len()).filter(|at| !catalogue.tables[*at].is_partition).collect();
    let targets: Vec<&str> =
        positions.iter().map(|at| catalogue.tables[*at].name.as_str()).collect();
    let given = given(&sources, &targets, &renames.tables, "", &mut refusals);
    let pairs = pairs(&sources, &targets, &given);
    for (source, candidates) in &pairs.ambiguous {
        let rename = format!("{}=NAME", sources[*source]);
        refusals.push(ambiguous("Table", sources[*source], &targets, candidates, &rename));
    }
    let mut matching = Matching::default();
    for (at, (position, table)) in tables.iter().enumerate() {
        let is_ambiguous = pairs.ambiguous.iter().any(|(source, _)| *source == at);
        match pairs.found[at] {
            Some(target) => {
                let target = positions[target];
                let there = &catalogue.tables[target];
                let columns = columns(table, there, renames, &is_skipped, &mut refusals);
                matching.tables.push(MatchedTable { source: *position, target, columns });
            }
            None if is_ambiguous => {}
            None => matching.missing.push(*position),
        }
    }
    (matching, refusals)
}

/// Finds the table of the target that one name alone stands for.
#[must_use]
pub fn target_of<'c>(name: &str, catalogue: &'c Catalogue) -> Option<&'c TargetTable> {
    let names: Vec<&str> = catalogue.tables.iter().map(|table| table.name.as_str()).collect();
    let found = pairs(&[name], &names, &BTreeMap::new());
    found.found[0].map(|at| &catalogue.tables[at])
}

/// Finds the column of a table that one name alone stands for.
#[must_use]
pub fn column_of<'c>(name: &str, table: &'c TargetTable) -> Option<&'c str> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    pairs(&[name], &names, &BTreeMap::new()).found[0].map(|at| names[at])
}

fn columns(
    table: &Table,
    there: &TargetTable,
    renames: &Renames,
    is_skipped: impl Fn(&Table, &str) -> bool,
    refusals: &mut Vec<Refusal>,
) -> Vec<ColumnFate> {
    // What is left out takes nobody's place.
    let wanted: Vec<usize> = (0..table.columns.len())
        .filter(|at| !is_skipped(table, &table.columns[*at].name))
        .collect();
    let sources: Vec<&str> = wanted.iter().map(|at| table.columns[*at].name.as_str()).collect();
    let targets: Vec<&str> = there.columns.iter().map(|column| column.name.as_str()).collect();
    let of_table: BTreeMap<String, String> = renames
        .columns
        .iter()
        .filter(|((name, _), _)| *name == table.name)
        .map(|((_, from), to)| (from.clone(), to.clone()))
        .collect();
    let prefix = format!("{}.", table.name);
    let given = given(&sources, &targets, &of_table, &prefix, refusals);
    let pairs = pairs(&sources, &targets, &given);
    for (source, candidates) in &pairs.ambiguous {
        let name = format!("{prefix}{}", sources[*source]);
        let rename = format!("{name}={}.NAME", there.name);
        refusals.push(ambiguous("Column", &name, &targets, candidates, &rename));
    }
    let mut fates = vec![ColumnFate::Skipped; table.columns.len()];
    for (at, position) in wanted.iter().enumerate() {
        let is_unclear = pairs.ambiguous.iter().any(|(source, _)| *source == at);
        fates[*position] = match pairs.found[at] {
            None if is_unclear => ColumnFate::Unclear,
            Some(target) if there.columns[target].is_generated => ColumnFate::Generated,
            Some(target) => ColumnFate::Into(target),
            None => ColumnFate::Missing,
        };
    }
    fates
}

/// The pairs that the user named.
fn given(
    sources: &[&str],
    targets: &[&str],
    renames: &BTreeMap<String, String>,
    prefix: &str,
    refusals: &mut Vec<Refusal>,
) -> BTreeMap<usize, usize> {
    let mut given: BTreeMap<usize, usize> = BTreeMap::new();
    for (from, to) in renames {
        let Some(source) = sources.iter().position(|name| name == from) else { continue };
        let shown =
            format!("\"{}={}\"", (prefix.to_owned() + from).escape_debug(), to.escape_debug());
        match targets.iter().position(|name| name == to) {
            None => refusals.push(
                Refusal::new(format!(
                    "--rename {shown}: the target has no \"{}\".",
                    to.escape_debug()
                ))
                .hint("The right side of --rename is the name in the target, in its own case."),
            ),
            Some(target) if given.values().any(|known| *known == target) => {
                refusals.push(Refusal::new(format!("--rename {shown}: another one goes there.")));
            }
            Some(target) => {
                given.insert(source, target);
            }
        }
    }
    given
}

fn ambiguous(
    what: &str,
    name: &str,
    targets: &[&str],
    candidates: &[usize],
    rename: &str,
) -> Refusal {
    let candidates: Vec<String> =
        candidates.iter().map(|at| format!("\"{}\"", targets[*at].escape_debug())).collect();
    let shown = name.escape_debug();
    Refusal::new(format!("{what} \"{shown}\" could be {} in the target.", candidates.join(" or ")))
        .hint(format!("Say which with --rename \"{}\".", rename.escape_debug()))
}

/// Says how the names of the two sides differ, a sentence for each table that has any.
#[must_use]
pub fn notes(tables: &[Table], catalogue: &Catalogue, matching: &Matching) -> Vec<String> {
    let mut notes = Vec::new();
    for matched in &matching.tables {
        let (table, there) = (&tables[matched.source], &catalogue.tables[matched.target]);
        let renamed: Vec<String> = table
            .columns
            .iter()
            .zip(&matched.columns)
            .filter_map(|(column, fate)| {
                let ColumnFate::Into(at) = fate else { return None };
                let to = &there.columns[*at].name;
                (*to != column.name).then(|| format!("{} -> {to}", column.name))
            })
            .collect();
        let name = format!("Table \"{}\"", table.name.escape_debug());
        let into = format!("\"{}\"", there.name.escape_debug());
        match (table.name == there.name, renamed.is_empty()) {
            (true, true) => {}
            (false, true) => notes.push(format!("{name} goes into {into}.")),
            (_, false) => {
                let renamed = renamed.join(", ");
                notes.push(format!("{name} goes into {into}: {}.", renamed.escape_debug()));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sources: &[&str], targets: &[&str]) -> (Vec<Option<usize>>, usize) {
        let pairs = pairs(sources, targets, &BTreeMap::new());
        (pairs.found, pairs.ambiguous.len())
    }

    #[test]
    fn a_name_is_found_as_it_is_then_by_case_then_by_letters() {
        let (pairs, ambiguous) = found(
            &["Users", "users", "DownloadClients", "Order Details", "Regions"],
            &["users", "download_clients", "USERS", "order_details", "region"],
        );
        assert_eq!(pairs, [Some(2), Some(0), Some(1), Some(3), None]);
        assert_eq!(ambiguous, 0);
    }

    #[test]
    fn two_candidates_are_an_error_and_not_a_guess() {
        assert_eq!(found(&["UserName"], &["user_name", "username_"]), (vec![None], 1));
        assert_eq!(found(&["a_b", "ab"], &["A_B_"]), (vec![None, None], 2));
        // The exact one wins over others that are alike.
        assert_eq!(found(&["a"], &["A", "a", "_a"]), (vec![Some(1)], 0));
    }

    #[test]
    fn names_without_letters_and_long_ones_are_compared_as_postgresql_has_them() {
        assert_eq!(found(&["___"], &["--"]), (vec![None], 0));
        let long = "x".repeat(70);
        assert_eq!(found(&[&long], &[&long[..63]]), (vec![Some(0)], 0));
        assert_eq!(found(&["ÄÖ"], &["äö"]), (vec![Some(0)], 0));
    }
}
