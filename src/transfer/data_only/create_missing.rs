//! `--create-missing`: tables of the source that the target lacks are made, as a transfer without
//! `--data-only` makes them.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::inspect::{Looked, Opened};
use crate::map::names::NameSpace;
use crate::model::catalogue::Catalogue;
use crate::model::ident::quoted;
use crate::model::matching::{Matching, Refusal};
use crate::model::plan::TransferPlan;
use crate::plan::create_missing;

use super::prepare::Prepared;

/// Says what stands in the way of making the tables without a counterpart. `taken` are the names that
/// are not free.
pub(super) fn refusals(
    opened: &Opened,
    catalogue: &Catalogue,
    matching: &Matching,
    taken: &BTreeSet<String>,
) -> Vec<Refusal> {
    let mut found = Vec::new();
    let all = matching.tables.iter().map(|matched| matched.source).chain(matching.missing.clone());
    let sources: Vec<&str> = all.map(|at| opened.schema.tables[at].name.as_str()).collect();
    let targets = NameSpace::default().take_all(&sources, opened.names);
    let made = sources.iter().zip(targets).skip(matching.tables.len());
    for (source, target) in made {
        let source = source.escape_debug();
        if taken.contains(&target) {
            let others = catalogue.others.iter().find(|(other, _)| *other == target);
            let kind = match others {
                Some((_, kind)) => kind.as_str(),
                None if catalogue.table(&target).is_some() => "table into which others go",
                None => "type, an index or a sequence",
            };
            found.push(
                Refusal::new(format!(
                    "Table \"{source}\" cannot be made: what the target has of that name is a {kind}."
                ))
                .hint("Leave it out with --skip TABLE, or name its place with --rename TABLE=NAME."),
            );
        }
    }
    if !matching.missing.is_empty() && !catalogue.can_create {
        let schema = catalogue.schema.escape_debug();
        found.push(
            Refusal::new(format!("This role may not make tables in schema \"{schema}\".")).hint(
                format!(
                    "As the schema's owner or a superuser: GRANT CREATE ON SCHEMA {} TO {};",
                    quoted(&catalogue.schema),
                    quoted(&catalogue.role)
                ),
            ),
        );
    }
    found
}

/// A sentence for each table that is made.
pub(super) fn notes(opened: &Opened, matching: &Matching) -> Vec<String> {
    let name = |at: &usize| opened.schema.tables[*at].name.escape_debug().to_string();
    let note = |at| format!("Table \"{}\" is made: the target has no such table.", name(at));
    matching.missing.iter().map(note).collect()
}

/// Plans them, and adds them to the plan of the others.
///
/// # Errors
/// As [`Opened::plan`].
pub(super) fn add(
    plan: &mut TransferPlan,
    opened: &Opened,
    prepared: &Prepared,
    looked: &Looked,
) -> Result<()> {
    if opened.selected.len() > prepared.matching.tables.len() {
        let there = create_missing::unique_sets(&prepared.catalogue, &prepared.matching);
        let (into, taken) = (&prepared.catalogue.schema, &prepared.taken_names);
        let made = opened.plan_beside(looked, into, taken, &there)?;
        create_missing::join(plan, made);
    }
    Ok(())
}
