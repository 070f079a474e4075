//! The plan of a transfer that nobody wrote down: by names, as `--data-only` would make it today.
//!
//! Known gaps: a conversion that the loader of those days chose otherwise shows as differences; `--type-map`
//! tells which it was.

use std::sync::Arc;

use crate::error::Result;
use crate::event::{Cancel, Listener};
use crate::inspect::{self, Opened};
use crate::model::catalogue::Catalogue;
use crate::model::matching::Matching;
use crate::model::plan::TransferPlan;
use crate::plan::fill::{self, Inputs};

/// Plans the matched tables, whose values are scanned for it.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], interrupted.
pub(super) fn plan(
    opened: &mut Opened,
    catalogue: &Catalogue,
    matching: &Matching,
    jobs: usize,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<TransferPlan> {
    opened.selected = matching.tables.iter().map(|matched| matched.source).collect();
    let targets = fill::column_targets(&opened.schema.tables, catalogue, matching);
    opened.rules = std::mem::take(&mut opened.rules).with_targets(targets);
    let mut looked = inspect::look(opened, jobs, listener, cancel)?;
    fill::settle(catalogue, matching, &looked.evidence, &mut looked.mapping);
    Ok(fill::plan(&Inputs {
        schema: &opened.schema,
        catalogue,
        matching,
        evidence: &looked.evidence,
        mapping: &looked.mapping,
        emptied: &[],
        merges: &[],
        is_kept: &|_| true,
        earlier: &[],
        zone: opened.zone.name(),
        notes: &[],
    }))
}
