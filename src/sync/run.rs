//! `litelift sync`: look, bring over, write down; in this order, in one transaction.

use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::Transaction;
use tokio_postgres::IsolationLevel;

use crate::checkpoint::lock::{self, Patience};
use crate::checkpoint::store::{self, Run};
use crate::connect::{Session, Target, failure};
use crate::encode::record_hash::HashRule;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::inspect::{self, Opened};
use crate::introspect::postgres::catalogue;
use crate::model::catalogue::Catalogue;
use crate::model::evidence::Span;
use crate::options::{self, InspectOptions};
use crate::report::{NotCompared, REPORT_VERSION, SyncReport, SyncedTable};
use crate::verify::compare;
use crate::verify::drill::Drill;
use crate::verify::prepare;
use crate::verify::rule::{self, How};
use crate::verify::subject::Subject;
use crate::verify::target_sums::Place;

use super::apply::{Applied, Applying, TableChanges};
use super::changes::{self, Kept, Now};
use super::constraints::Suspended;
use super::{bookkeeping, order, sequences};

/// Sessions: one holds the lock, one works, one validates.
const SESSIONS: usize = 3;

/// `sync`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOptions {
    /// What to look at; the run says how.
    pub inspect: InspectOptions,
    /// URL of the target.
    pub to: String,
    /// Look, and write nothing.
    pub dry_run: bool,
    /// How long to wait for another litelift, and whether to end it.
    pub patience: Patience,
}

/// Brings over what changed since the transfer, or since the last time.
///
/// # Errors
/// [`ErrorKind::TargetState`] without a finished transfer, or when rows change meanwhile;
/// [`ErrorKind::Changed`] when the source's tables are not what they were; [`ErrorKind::Differences`] for values
/// that do not fit; [`ErrorKind::Source`], [`ErrorKind::Target`], [`ErrorKind::Locked`], interrupted. After
/// any of them the target is as it was.
pub async fn run(
    options: &SyncOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<SyncReport> {
    options::check_schema(&options.inspect.into)?;
    let opened = tokio::task::block_in_place(|| inspect::open(&options.inspect, listener, cancel))?;
    let target = Target::open(&options.to, SESSIONS, cancel).await?;
    let work = Box::pin(async {
        let into = &options.inspect.into;
        let patience = options.patience;
        let _lock = lock::take_for(&target, into, patience, listener.as_ref(), cancel).await?;
        let sync = Sync { options, opened: &opened, target: &target, listener, cancel };
        let report = sync.run().await?;
        opened.snapshot.check_unchanged()?;
        Ok(report)
    });
    target.until_cancelled(cancel, work).await
}

struct Sync<'a> {
    options: &'a SyncOptions,
    opened: &'a Opened,
    target: &'a Target,
    listener: &'a Arc<dyn Listener>,
    cancel: &'a Cancel,
}

/// A table on its way.
struct Table<'a> {
    subject: &'a Subject,
    /// Position in the plan.
    position: usize,
    kept: Vec<Kept>,
    now: Vec<Now>,
}

impl Table<'_> {
    fn changed(&self) -> Vec<Span> {
        let spans: Vec<Span> =
            self.now.iter().flat_map(|now| now.changed.iter().copied()).collect();
        // Without a key in the target its rows cannot be told by span.
        if spans.is_empty() || self.subject.rowid_column.is_some() {
            return spans;
        }
        match self.subject.rowid_name {
            Some(_) => vec![Span::Rowids { lo: i64::MIN, hi: i64::MAX }],
            None => vec![Span::Whole],
        }
    }
}

impl Sync<'_> {
    async fn run(&self) -> Result<SyncReport> {
        let begun = Instant::now();
        let mut session = self.target.session().await?;
        let run = self.finished_run(&session).await?;
        self.refuse_other_schema(&run)?;
        if rule::ask(&session).await != Some(HashRule::Array) {
            return Err(Error::target(
                "this server hashes rows in another way than PostgreSQL does",
            )
            .hint("sync needs it; transfer again with --restart instead."));
        }
        let catalogue = catalogue::read(&session, &run.plan.schema).await?;
        let marks = store::marks(&session, run.id).await?;
        let outcome = compare::outcome(&session, run.id, &run.plan, marks, false).await?;
        let prepared =
            prepare::of_plan(&run.plan, &self.opened.schema, &catalogue, &outcome, &|_| true);
        let zone = inspect::zone(&run.plan.source_tz)?;
        let mut left = self.not_transferred(&run);
        let mut tables = Vec::new();
        for (position, subject) in prepared.subjects.iter().enumerate() {
            if let Some(why) = why_not(subject, run.plan.tables[position].columns.len()) {
                left.push(NotCompared {
                    object: "table".into(),
                    name: subject.pair.source.clone(),
                    reason: why,
                });
                continue;
            }
            let mut kept = bookkeeping::kept(&session, run.id, position).await?;
            // A table that was empty has no range, and one part.
            kept.resize(subject.spans.len(), Kept::default());
            tables.push(Table { subject, position, kept, now: Vec::new() });
        }
        let rows = tables.iter().map(|table| table.subject.rows_expected).sum();
        self.listener.on(Event::StageStarted { stage: Stage::Verify, work: rows, rows });
        self.look(&mut tables, &zone)?;
        self.listener.on(Event::StageEnded { stage: Stage::Verify });
        let looked = begun.elapsed();
        let changed: Vec<&Table<'_>> =
            tables.iter().filter(|table| !table.changed().is_empty()).collect();
        let mut report = SyncReport {
            version: REPORT_VERSION,
            source: self.opened.source.path().display().to_string(),
            target: self.target.shown.clone(),
            run: run.id,
            dry_run: self.options.dry_run,
            tables: Vec::new(),
            tables_looked_at: tables.len(),
            left_out: left,
            orphans: Vec::new(),
            written_since: false,
            look_s: looked.as_secs_f64(),
            wall_s: 0.0,
        };
        if !changed.is_empty() {
            let synced = self.bring(&mut session, &run, &catalogue, &zone, &changed).await?;
            report.tables = synced.tables;
            report.orphans = synced.suspended.validate(&session, self.cancel).await?;
        }
        report.written_since = self.opened.snapshot.is_written_since()?;
        report.wall_s = begun.elapsed().as_secs_f64();
        Ok(report)
    }

    async fn finished_run(&self, session: &Session) -> Result<Run> {
        let path = self.opened.path.to_string_lossy();
        let into = &self.options.inspect.into;
        let run = store::find(session, Some(&path), into).await?;
        let run = match run {
            Some(run) => run,
            None => store::find(session, None, into).await?.ok_or_else(|| {
                Error::new(ErrorKind::TargetState, "there was no transfer into this target")
                    .detail("sync goes by what a transfer wrote down in schema litelift.")
                    .hint("Run `litelift transfer` first; after it, sync brings over what changed.")
            })?,
        };
        if run.done {
            return Ok(run);
        }
        Err(Error::new(
            ErrorKind::TargetState,
            format!("the transfer (run {}) is not done", run.id),
        )
        .hint("Run the command of the transfer again: it continues. Then sync."))
    }

    /// Tables that the transfer left out, by wish: they are left out here too.
    fn not_transferred(&self, run: &Run) -> Vec<NotCompared> {
        let is_planned = |name: &str| run.plan.tables.iter().any(|table| table.source == name);
        let tables = self.opened.schema.tables.iter().filter(|table| !is_planned(&table.name));
        let left = tables.map(|table| NotCompared {
            object: "table".into(),
            name: table.name.clone(),
            reason: "the transfer left it out".into(),
        });
        left.collect()
    }

    /// Columns and tables must be those of the transfer.
    fn refuse_other_schema(&self, run: &Run) -> Result<()> {
        let mut differences = Vec::new();
        for table in &run.plan.tables {
            let Some(now) = self.opened.schema.table(&table.source) else {
                differences.push(format!("Table \"{}\" is gone.", table.source.escape_debug()));
                continue;
            };
            for column in table.columns.iter().filter(|c| now.column(&c.source).is_none()) {
                differences.push(format!(
                    "Column \"{}\".\"{}\" is gone.",
                    table.source.escape_debug(),
                    column.source.escape_debug()
                ));
            }
        }
        if let Some(before) = &run.fingerprint.identity {
            let was_there =
                |name: &str| before.objects.iter().any(|it| it.kind == "table" && it.name == name);
            for table in self.opened.schema.tables.iter().filter(|table| !was_there(&table.name)) {
                differences.push(format!("Table \"{}\" is new.", table.name.escape_debug()));
            }
        }
        if run.plan.fill.is_none() {
            let is_known = |name: &str| run.plan.tables.iter().any(|table| table.source == name);
            for table in self.opened.schema.tables.iter().filter(|table| is_known(&table.name)) {
                let planned = run.plan.tables.iter().find(|planned| planned.source == table.name);
                let has = |name: &str| {
                    planned.is_some_and(|planned| planned.columns.iter().any(|c| c.source == name))
                };
                for column in table.columns.iter().filter(|column| !has(&column.name)) {
                    differences.push(format!(
                        "Column \"{}\".\"{}\" is new.",
                        table.name.escape_debug(),
                        column.name.escape_debug()
                    ));
                }
            }
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Changed,
            "the tables of the source are not those of the transfer",
        )
        .detail(differences.join("\n"))
        .hint("Transfer again with --restart, or into another schema."))
    }

    /// Reads the source, all tables at once.
    fn look(&self, tables: &mut [Table<'_>], zone: &crate::encode::Zone) -> Result<()> {
        let subjects: Vec<&Subject> = tables.iter().map(|table| table.subject).collect();
        let kept: Vec<Vec<Kept>> =
            tables.iter_mut().map(|table| std::mem::take(&mut table.kept)).collect();
        let (jobs, listener) = (self.options.inspect.jobs, self.listener.as_ref());
        let snapshot = &self.opened.snapshot;
        let now = tokio::task::block_in_place(|| {
            changes::look(snapshot, &subjects, &kept, zone, jobs, listener, self.cancel)
        })?;
        for ((table, kept), now) in tables.iter_mut().zip(kept).zip(now) {
            (table.kept, table.now) = (kept, now);
        }
        tables.iter().try_for_each(refuse_bad_rows)
    }

    /// Brings the changed tables over.
    async fn bring(
        &self,
        session: &mut Session,
        run: &Run,
        catalogue: &Catalogue,
        zone: &crate::encode::Zone,
        changed: &[&Table<'_>],
    ) -> Result<Synced> {
        let begin =
            |error: tokio_postgres::Error| failure::failed("bring the changes over", &error);
        let transaction = session
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start()
            .await
            .map_err(begin)?;
        let mut changes = Vec::with_capacity(changed.len());
        for table in changed {
            let subject = table.subject;
            let Some(there) = catalogue.table(&subject.pair.target) else { continue };
            let place = place(&run.plan.schema, subject, there.is_partitioned);
            let drill = Drill {
                snapshot: &self.opened.snapshot,
                transaction: &transaction,
                subject,
                place: &place,
                zone,
                cancel: self.cancel,
            };
            let (spool, totals) = drill.spool(&table.changed()).await?;
            changes.push(TableChanges { subject, there, spool, totals });
        }
        let theirs: Vec<_> = changes.iter().map(|table| table.there).collect();
        let suspended = Suspended::plan(&run.plan.schema, &theirs);
        let mut applied = vec![Applied::default(); changes.len()];
        if !self.options.dry_run {
            suspended.begin(&transaction).await?;
            let applying = Applying {
                snapshot: &self.opened.snapshot,
                zone,
                schema: &run.plan.schema,
                transaction: &transaction,
                is_free: suspended.is_free,
                listener: self.listener.as_ref(),
                cancel: self.cancel,
            };
            let order = order::parents_first(&theirs);
            applied = applying.all(&changes, &order).await?;
            suspended.end(&transaction).await?;
            transaction.batch_execute("SET LOCAL search_path = pg_catalog").await.map_err(begin)?;
            self.write_down(&transaction, run, changed, &changes).await?;
            transaction.commit().await.map_err(begin)?;
        }
        let tables = changes.iter().zip(&applied).map(|(table, applied)| {
            let totals = table.totals;
            let dry = self.options.dry_run;
            let number = |done: u64, todo: u64| if dry { todo } else { done };
            SyncedTable {
                source: table.subject.pair.source.clone(),
                target: table.subject.pair.target.clone(),
                inserted: number(applied.inserted, totals.missing),
                updated: number(applied.updated, totals.different),
                deleted: number(applied.deleted, totals.extra),
            }
        });
        let tables = tables.collect();
        let suspended = if self.options.dry_run { Suspended::default() } else { suspended };
        Ok(Synced { tables, suspended })
    }

    /// Compares what was brought, moves the sequences on, and keeps the new hashes.
    async fn write_down(
        &self,
        transaction: &Transaction<'_>,
        run: &Run,
        changed: &[&Table<'_>],
        changes: &[TableChanges<'_>],
    ) -> Result<()> {
        for (table, change) in changed.iter().zip(changes) {
            compare_again(transaction, &run.plan.schema, table, change).await?;
            let source = self.opened.schema.table(&table.subject.pair.source);
            let given = source.and_then(|source| source.sequence);
            sequences::advance(transaction, &run.plan.schema, change.there, given).await?;
            bookkeeping::write(transaction, run.id, table.position, &table.kept, &table.now)
                .await?;
        }
        let fingerprint = run.fingerprint.of_file(&self.opened.fingerprint);
        bookkeeping::write_fingerprint(transaction, run.id, &fingerprint).await
    }
}

/// What was brought, and what is left to validate.
struct Synced {
    tables: Vec<SyncedTable>,
    suspended: Suspended,
}

fn place<'a>(schema: &'a str, subject: &'a Subject, is_partitioned: bool) -> Place<'a> {
    Place {
        schema,
        table: &subject.pair.target,
        is_partitioned,
        columns: &subject.columns,
        how: How::Hashed(HashRule::Array),
    }
}

/// Why a table is left out.
fn why_not(subject: &Subject, planned: usize) -> Option<String> {
    if let Some(why) = &subject.only_counted {
        return Some(why.clone());
    }
    if subject.pair.merged.is_some() {
        return Some(
            "it had rows of its own before the transfer, which are not the source's".into(),
        );
    }
    if subject.columns.is_empty() {
        return Some("it has no columns".into());
    }
    if subject.columns.len() < planned {
        return Some("columns of it are missing in the target, or may not be read".into());
    }
    (subject.pair.resent > 0).then(|| "rejected rows of it were mended and sent later".into())
}

/// Values that do not fit stop everything, unless rows of the table were rejected before.
fn refuse_bad_rows(table: &Table<'_>) -> Result<()> {
    let bad: u64 = table.now.iter().map(|now| now.bad).sum();
    if bad <= table.subject.pair.rejected {
        return Ok(());
    }
    let first = table.now.iter().find_map(|now| now.first_bad);
    let first = first.map_or_else(String::new, |rowid| format!(" The first has rowid {rowid}."));
    let name = table.subject.pair.source.escape_debug();
    Err(Error::new(
        ErrorKind::Differences,
        format!("{bad} rows of table \"{name}\" hold values that do not fit the target's columns"),
    )
    .detail(format!("Nothing was changed.{first}"))
    .hint("Change the column's type in the target, or the values. `litelift inspect` shows what is in the columns."))
}

/// The target must now have what the source has: a trigger may have thought otherwise.
async fn compare_again(
    transaction: &Transaction<'_>,
    schema: &str,
    table: &Table<'_>,
    change: &TableChanges<'_>,
) -> Result<()> {
    let subject = table.subject;
    let place = place(schema, subject, change.there.is_partitioned);
    let parts: Vec<(Span, &[Now])> = if subject.rowid_column.is_some() {
        let ranges = subject.spans.iter().copied().zip(table.now.chunks(1));
        ranges.filter(|(_, now)| now.iter().any(|now| !now.changed.is_empty())).collect()
    } else {
        vec![(Span::Whole, table.now.as_slice())]
    };
    for (span, now) in parts {
        let wanted = now.iter().map(|now| now.sums).sum();
        let found = place.sums_where(transaction, &subject.filter(span)).await?;
        if found != wanted {
            return Err(Error::new(
                ErrorKind::TargetState,
                format!(
                    "table \"{}\" is not as the source after the changes",
                    change.there.name.escape_debug()
                ),
            )
            .detail("Nothing was changed.")
            .hint("A trigger, rule or default of the table changes rows as they come in. `litelift verify` shows which; or the source holds duplicates of a key."));
        }
    }
    Ok(())
}
