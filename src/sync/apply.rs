//! Rows that differ, made the same: deleted, updated, inserted, all in one transaction.

use bytes::Bytes;
use deadpool_postgres::Transaction;
use futures_util::SinkExt as _;

use crate::connect::failure;
use crate::encode::Zone;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::catalogue::TargetTable;
use crate::model::ident::{qualified, quoted, quoted_list};
use crate::read::Snapshot;
use crate::verify::drill::spool::{Spool, TargetRow, Totals};
use crate::verify::subject::Subject;

use super::encoded::Rows;

/// Rows that are sent or named at once.
const BATCH: u64 = BATCH_ROWS as u64;
const BATCH_ROWS: usize = 1_000;

/// One table and what differs of it.
pub(super) struct TableChanges<'a> {
    pub(super) subject: &'a Subject,
    pub(super) there: &'a TargetTable,
    pub(super) spool: Spool,
    pub(super) totals: Totals,
}

/// What was done to a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
}

/// What the changes are made with.
pub(super) struct Applying<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) zone: &'a Zone,
    pub(super) schema: &'a str,
    pub(super) transaction: &'a Transaction<'a>,
    /// Whether rows that other rows refer to may go for a moment.
    pub(super) is_free: bool,
    pub(super) listener: &'a dyn Listener,
    pub(super) cancel: &'a Cancel,
}

impl Applying<'_> {
    /// Makes all changes; `order` has the tables' positions, parents first. Returns what was done to each.
    pub(super) async fn all(
        &self,
        tables: &[TableChanges<'_>],
        order: &[usize],
    ) -> Result<Vec<Applied>> {
        let mut applied = vec![Applied::default(); tables.len()];
        for at in order.iter().rev() {
            self.delete(&tables[*at]).await?;
        }
        for at in order {
            if !self.replaces(&tables[*at]) {
                self.update(&tables[*at]).await?;
            }
            self.insert(&tables[*at]).await?;
            let Totals { missing, extra, different } = tables[*at].totals;
            applied[*at] = Applied { inserted: missing, updated: different, deleted: extra };
        }
        Ok(applied)
    }

    /// Whether rows with other values are deleted and inserted: so values that must be unique may change
    /// places. Not where the target has columns of its own, or where keys look at each statement.
    fn replaces(&self, table: &TableChanges<'_>) -> bool {
        let columns = &table.subject.columns;
        let is_ours = |name: &str| columns.iter().any(|column| column.target == name);
        let whole = table.there.columns.iter().all(|c| c.is_generated || is_ours(&c.name));
        let identity_is_fixed = table.there.columns.iter().any(|column| column.is_identity_always);
        self.is_free && whole && (table.there.unique_keys.len() > 1 || identity_is_fixed)
    }

    fn failed(&self, table: &TableChanges<'_>, error: &tokio_postgres::Error) -> Error {
        let what = format!("bring changes to table \"{}\"", table.there.name.escape_debug());
        failure::failed(&what, error)
    }

    fn place(&self, table: &TableChanges<'_>) -> String {
        let only = if table.there.is_partitioned { "" } else { "ONLY " };
        format!("{only}{}", qualified(self.schema, &table.there.name))
    }

    async fn delete(&self, table: &TableChanges<'_>) -> Result<()> {
        let sql = format!(
            "DELETE FROM {} WHERE ctid = ANY ($1::text[]::tid[]) AND tableoid = $2",
            self.place(table)
        );
        let Totals { extra, different, .. } = table.totals;
        let different = if self.replaces(table) { different } else { 0 };
        for from in (0..extra.max(different)).step_by(BATCH_ROWS) {
            self.cancel.check()?;
            let mut places = table.spool.extra_rows(from, BATCH)?;
            if different > 0 {
                let pairs = table.spool.different_rows(from, BATCH)?;
                places.extend(pairs.into_iter().map(|(_, place)| place));
            }
            places.sort();
            for places in places.chunk_by(|a, b| a.relid == b.relid) {
                let Some(TargetRow { relid, .. }) = places.first() else { continue };
                let ctids: Vec<&str> = places.iter().map(|place| place.ctid.as_str()).collect();
                let deleted = self.transaction.execute(&sql, &[&ctids, relid]).await;
                let deleted = deleted.map_err(|error| self.failed(table, &error))?;
                self.all_there(table, deleted, ctids.len() as u64)?;
            }
        }
        Ok(())
    }

    /// A row that is not there any more was changed by somebody, or by a trigger.
    fn all_there(&self, table: &TableChanges<'_>, done: u64, wanted: u64) -> Result<()> {
        if done == wanted {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TargetState,
            format!("rows of table \"{}\" changed meanwhile", table.there.name.escape_debug()),
        )
        .detail(format!("{wanted} rows were to be changed, {done} were. Nothing was changed."))
        .hint("A trigger or rule of the table, or another session? Run the same command again."))
    }

    async fn update(&self, table: &TableChanges<'_>) -> Result<()> {
        if table.totals.different == 0 {
            return Ok(());
        }
        let at = |error: tokio_postgres::Error| self.failed(table, &error);
        let columns = &table.subject.columns;
        let names = quoted_list(columns.iter().map(|column| column.target.as_str()));
        let is_fixed = |name: &str| {
            let found = table.there.column(name).map(|at| &table.there.columns[at]);
            found.is_some_and(|column| column.is_identity_always)
        };
        let set: Vec<String> = columns
            .iter()
            .filter(|column| !is_fixed(&column.target))
            .map(|column| format!("{0} = s.{0}", quoted(&column.target)))
            .collect();
        let stage = format!(
            "CREATE TEMPORARY TABLE litelift_changes ON COMMIT DROP AS \
             SELECT 0::oid AS litelift_relid, ''::text AS litelift_ctid, {names} FROM {} WITH NO DATA",
            self.place(table)
        );
        self.transaction.batch_execute(&stage).await.map_err(at)?;
        let copy = format!(
            "COPY pg_temp.litelift_changes (litelift_relid, litelift_ctid, {names}) FROM STDIN (FORMAT binary)"
        );
        // By its place each row is found at once; anything else would read the table.
        let update = format!(
            "UPDATE {} AS t SET {} FROM pg_temp.litelift_changes s \
             WHERE t.ctid = s.litelift_ctid::tid AND t.tableoid = s.litelift_relid",
            self.place(table),
            set.join(", ")
        );
        for from in (0..table.totals.different).step_by(BATCH_ROWS) {
            self.cancel.check()?;
            let pairs = table.spool.different_rows(from, BATCH)?;
            let rows = self.rows(table);
            let sent = self.send(table, &copy, |send| rows.copy_with_places(&pairs, send)).await?;
            self.all_there(table, sent, pairs.len() as u64)?;
            let updated = async {
                let quick = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
                self.transaction.batch_execute(quick).await?;
                let updated = self.transaction.execute(&update, &[]).await?;
                let clear = "TRUNCATE pg_temp.litelift_changes; RESET enable_hashjoin; RESET enable_mergejoin";
                self.transaction.batch_execute(clear).await.map(|()| updated)
            };
            let updated = updated.await.map_err(at)?;
            self.all_there(table, updated, pairs.len() as u64)?;
        }
        let drop = "DROP TABLE pg_temp.litelift_changes";
        self.transaction.batch_execute(drop).await.map_err(at)
    }

    async fn insert(&self, table: &TableChanges<'_>) -> Result<()> {
        let Totals { missing, different, .. } = table.totals;
        let different = if self.replaces(table) { different } else { 0 };
        let columns = table.subject.columns.iter().map(|column| column.target.as_str());
        let copy = format!(
            "COPY {} ({}) FROM STDIN (FORMAT binary)",
            qualified(self.schema, &table.there.name),
            quoted_list(columns)
        );
        for from in (0..missing.max(different)).step_by(BATCH_ROWS) {
            self.cancel.check()?;
            let mut ids = table.spool.missing_rows(from, BATCH)?;
            if different > 0 {
                let pairs = table.spool.different_rows(from, BATCH)?;
                ids.extend(pairs.into_iter().map(|(id, _)| id));
            }
            ids.sort_unstable();
            let rows = self.rows(table);
            let sent = self.send(table, &copy, |send| rows.copy(&ids, send)).await?;
            self.all_there(table, sent, ids.len() as u64)?;
        }
        Ok(())
    }

    fn rows<'t>(&'t self, table: &'t TableChanges<'_>) -> Rows<'t> {
        let Self { snapshot, zone, cancel, .. } = *self;
        Rows { snapshot, subject: table.subject, zone, cancel }
    }

    /// Sends what `read` hands on; returns the rows that PostgreSQL counted.
    async fn send(
        &self,
        table: &TableChanges<'_>,
        copy: &str,
        read: impl FnOnce(&mut dyn FnMut(Vec<u8>) -> Result<()>) -> Result<()>,
    ) -> Result<u64> {
        let at = |error: tokio_postgres::Error| self.failed(table, &error);
        // Dropped before it is finished, it is aborted.
        let mut sink = Box::pin(self.transaction.copy_in(copy).await.map_err(at)?);
        // Reading blocks, sending does not: each chunk waits until the one before it is on its way.
        tokio::task::block_in_place(|| {
            let runtime = tokio::runtime::Handle::current();
            read(&mut |chunk: Vec<u8>| {
                let work = chunk.len() as u64;
                runtime.block_on(sink.feed(Bytes::from(chunk))).map_err(at)?;
                self.listener.on(Event::Progress { stage: Stage::Copy, work, rows: 0 });
                Ok(())
            })
        })?;
        sink.as_mut().finish().await.map_err(at)
    }
}
