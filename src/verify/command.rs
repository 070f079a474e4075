//! `litelift verify`: what to compare with what, then the comparison.

use std::sync::Arc;

use crate::checkpoint::store;
use crate::connect::Target;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener};
use crate::inspect;
use crate::introspect::postgres::catalogue;
use crate::options::{self, VerifyOptions};
use crate::presets;
use crate::read::{Patience, Snapshot, Source, integrity};
use crate::report::VerifyReport;

use super::pairs::{self, Known};
use super::{counts, sequences};

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
    let source = Source::locate_with(&options.from, Patience::new(listener, cancel))?;
    inspect::refuse_empty(&options.from)?;
    let target = Target::open(&options.to, 2, cancel).await?;
    let work = async {
        let snapshot =
            tokio::task::block_in_place(|| Snapshot::open(&source, 1, listener, cancel))?;
        let schema =
            tokio::task::block_in_place(|| snapshot.with(crate::introspect::source_schema))?;
        let presets = presets::load(&options.selection.apps)?;
        let tables = inspect::selected(&schema, &options.selection, &presets, true)?;
        let shown = options.from.to_string_lossy();
        let bytes = inspect::real_path(&options.from).metadata().map_or(0, |found| found.len());
        tokio::task::block_in_place(|| {
            let asked = options.check;
            integrity::check(&snapshot, asked, &shown, bytes, &tables, listener, cancel)
        })?;
        let session = target.session().await?;
        let path = inspect::real_path(&options.from);
        let path = path.to_string_lossy();
        let run = match store::find(&session, Some(&path), &options.into).await? {
            Some(run) => Some(run),
            // After the cutover the file may lie elsewhere.
            None => store::find(&session, None, &options.into).await?,
        };
        let there = catalogue::read(&session, &options.into).await?;
        let (pairs, left) = match &run {
            Some(run) => {
                let rejected = store::rejected(&session, run.id).await?;
                let marks = store::marks(&session, run.id).await?;
                let merged = counts::merged_rows(&run.plan, &marks);
                pairs::by_run(&tables, &Known { id: run.id, plan: &run.plan, rejected, merged })
            }
            None => pairs::by_name(&schema, &tables, &there, &options.renames, &presets)?,
        };
        // The comparison may need all sessions that there are.
        drop(session);
        let into = &options.into;
        let mut report =
            counts::compare(&snapshot, &target, into, &pairs, listener, cancel).await?;
        let session = target.session().await?;
        let compared: Vec<_> = pairs.iter().filter_map(|pair| there.table(&pair.target)).collect();
        let (behind, unread) = sequences::check(&session, into, &compared).await?;
        report.sequences_behind = behind;
        report.not_compared = left;
        report.not_compared.extend(unread);
        snapshot.check_unchanged()?;
        for remark in snapshot.remarks() {
            listener.on(Event::Note(remark));
        }
        Ok(report)
    };
    target.until_cancelled(cancel, work).await
}
