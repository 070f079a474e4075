//! `litelift verify`: what to compare with what, then the comparison.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::checkpoint::store;
use crate::connect::Target;
use crate::error::Result;
use crate::event::{Cancel, Listener};
use crate::inspect;
use crate::map::names::NameSpace;
use crate::model::name_style::NameStyle;
use crate::model::plan::TransferPlan;
use crate::model::source::Table;
use crate::options::{self, VerifyOptions};
use crate::presets;
use crate::read::{Snapshot, Source};
use crate::report::VerifyReport;

use super::counts::{self, Pair};

/// Compares a source with a target, whenever and by whomever it was filled.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Target`],
/// [`crate::error::ErrorKind::Usage`], interrupted. Differences are no error: see the report.
pub async fn run(
    options: &VerifyOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<VerifyReport> {
    options::check_schema(&options.into)?;
    let source = Source::locate(&options.from)?;
    inspect::refuse_empty(&options.from)?;
    let target = Target::open(&options.to, 2, cancel).await?;
    let work = async {
        let snapshot = tokio::task::block_in_place(|| Snapshot::open(&source, 1, cancel))?;
        let schema =
            tokio::task::block_in_place(|| snapshot.with(crate::introspect::source_schema))?;
        let presets = presets::load(&options.selection.apps)?;
        let tables = inspect::selected(&schema, &options.selection, &presets, false)?;
        let session = target.session().await?;
        let path = inspect::real_path(&options.from);
        let path = path.to_string_lossy();
        let run = match store::find(&session, Some(&path), &options.into).await? {
            Some(run) => Some(run),
            // After the cutover the file may lie elsewhere.
            None => store::find(&session, None, &options.into).await?,
        };
        let rejected = match &run {
            Some(run) => store::rejected(&session, run.id).await?,
            None => BTreeMap::new(),
        };
        drop(session);
        let pairs = pairs(&tables, run.as_ref().map(|run| &run.plan), &rejected);
        counts::compare(&snapshot, &target, &options.into, &pairs, listener, cancel).await
    };
    target.until_cancelled(cancel, work).await
}

/// Pairs each source table with its target: as the run has it, else by the rules for names.
fn pairs(
    tables: &[&Table],
    plan: Option<&TransferPlan>,
    rejected: &BTreeMap<usize, u64>,
) -> Vec<Pair> {
    // Of tables that are the target's own only those that were filled are to be compared.
    let filled = plan.filter(|plan| plan.fill.is_some());
    let is_planned = |name: &&str| {
        filled.is_none_or(|plan| plan.tables.iter().any(|planned| planned.source == *name))
    };
    let names = tables.iter().map(|table| table.name.as_str());
    let sources: Vec<&str> = names.filter(is_planned).collect();
    let by_rule = NameSpace::default().take_all(&sources, NameStyle::Keep);
    let planned: HashMap<&str, (usize, &str)> = plan
        .iter()
        .flat_map(|plan| plan.tables.iter().enumerate())
        .map(|(position, table)| (table.source.as_str(), (position, table.target.as_str())))
        .collect();
    let pair = |(source, by_rule): (&str, String)| match planned.get(source) {
        None => Pair { source: source.to_owned(), target: by_rule, rejected: 0 },
        Some((position, target)) => Pair {
            source: source.to_owned(),
            target: (*target).to_owned(),
            rejected: rejected.get(position).copied().unwrap_or(0),
        },
    };
    sources.into_iter().zip(by_rule).map(pair).collect()
}
