//! `litelift verify --repair`: what differs is made the same again.

use deadpool_postgres::Transaction;
use tokio_postgres::IsolationLevel;

use crate::connect::{Target, failure};
use crate::encode::Zone;
use crate::error::Result;
use crate::event::{Cancel, Listener};
use crate::model::catalogue::Catalogue;
use crate::model::evidence::Span;
use crate::read::Snapshot;
use crate::report::SyncedTable;
use crate::verify::drill::Drill;
use crate::verify::rule::How;
use crate::verify::subject::Subject;
use crate::verify::target_sums::Place;

use super::apply::{Applying, TableChanges};
use super::constraints::Suspended;
use super::order;

/// What is repaired, and with what.
pub(crate) struct Repair<'a> {
    /// The source.
    pub(crate) snapshot: &'a Snapshot,
    /// Zone of texts that name none.
    pub(crate) zone: &'a Zone,
    /// Sessions with the target.
    pub(crate) target: &'a Target,
    /// What the target has.
    pub(crate) catalogue: &'a Catalogue,
    /// How rows are told apart.
    pub(crate) how: How,
    /// Who is told.
    pub(crate) listener: &'a dyn Listener,
    /// Whether to stop.
    pub(crate) cancel: &'a Cancel,
}

impl Repair<'_> {
    /// Brings the tables that differ into line, all in one transaction; returns what was done to each.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Target`], [`crate::error::ErrorKind::TargetState`] when rows change meanwhile.
    /// Then nothing was changed.
    pub(crate) async fn run(&self, subjects: &[&Subject]) -> Result<Vec<SyncedTable>> {
        let at = |error: tokio_postgres::Error| failure::failed("repair what differs", &error);
        let mut session = self.target.session().await?;
        let transaction = session
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start()
            .await
            .map_err(at)?;
        let changes = self.changes(&transaction, subjects).await?;
        let theirs: Vec<_> = changes.iter().map(|table| table.there).collect();
        let schema = &self.catalogue.schema;
        let suspended = Suspended::plan(schema, &theirs);
        suspended.begin(&transaction).await?;
        let Self { snapshot, zone, listener, cancel, .. } = *self;
        let is_free = suspended.is_free;
        let applying = Applying {
            snapshot,
            zone,
            schema,
            transaction: &transaction,
            is_free,
            listener,
            cancel,
        };
        let applied = applying.all(&changes, &order::parents_first(&theirs)).await?;
        suspended.end(&transaction).await?;
        transaction.commit().await.map_err(at)?;
        // A key that the source's rows break stays NOT VALID; the comparison that follows names it.
        suspended.validate(&session, cancel).await?;
        let tables = changes.iter().zip(&applied).map(|(table, applied)| SyncedTable {
            source: table.subject.pair.source.clone(),
            target: table.subject.pair.target.clone(),
            inserted: applied.inserted,
            updated: applied.updated,
            deleted: applied.deleted,
        });
        Ok(tables.collect())
    }

    async fn changes<'t>(
        &'t self,
        transaction: &Transaction<'_>,
        subjects: &[&'t Subject],
    ) -> Result<Vec<TableChanges<'t>>> {
        let mut changes = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let Some(there) = self.catalogue.table(&subject.pair.target) else { continue };
            let place = Place {
                schema: &self.catalogue.schema,
                table: &subject.pair.target,
                is_partitioned: there.is_partitioned,
                columns: &subject.columns,
                how: self.how,
            };
            let drill = Drill {
                snapshot: self.snapshot,
                transaction,
                subject,
                place: &place,
                zone: self.zone,
                cancel: self.cancel,
            };
            let whole = match subject.rowid_name {
                Some(_) => Span::Rowids { lo: i64::MIN, hi: i64::MAX },
                None => Span::Whole,
            };
            let (spool, totals) = drill.spool(&[whole]).await?;
            changes.push(TableChanges { subject, there, spool, totals });
        }
        Ok(changes)
    }
}
