//! How far transfers have come: `litelift status`.
//!
//! Purpose: everything is read from schema `litelift` and the server's locks, so it can be asked from any
//! machine while a run is at work elsewhere, with no more than the right to read. Numbers that the plan
//! has are read from its JSON by the server, so that a run of another version can be shown too.
//!
//! Known gaps: what is on its way and not committed is not seen; a run of `--checkpoint FILE` or
//! `--no-resume` keeps nothing in the target and is only seen by its lock.

use serde::Serialize;

use crate::connect::{Session, Target, failure};
use crate::error::Result;
use crate::event::Cancel;
use crate::report::REPORT_VERSION;

use super::lock::{self, Holder};
use super::store::{self, Bookkeeping};

/// The rate is that of the commits of so many seconds.
const WINDOW_S: f64 = 60.0;

/// The document of `litelift status`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Host, port, database, user: never the password.
    pub target: String,
    /// What of the bookkeeping could be read.
    pub bookkeeping: Readable,
    /// Transfers, the newest last.
    pub transfers: Vec<TransferStatus>,
    /// Litelifts that hold a lock without a transfer that is under way: they look at their source, or keep
    /// their checkpoints elsewhere.
    pub others_at_work: Vec<OtherAtWork>,
}

/// What of the bookkeeping could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Readable {
    /// There is none.
    Absent,
    /// All.
    Yes,
    /// This role may not read it.
    No {
        /// Role that owns it.
        owner: String,
        /// What that role can grant.
        grant: String,
    },
}

/// A litelift that is not known by a transfer.
#[derive(Debug, Clone, Serialize)]
pub struct OtherAtWork {
    /// Schema; `None`: one that does not exist yet.
    pub schema: Option<String>,
    /// Who holds the lock.
    pub lock: Holder,
}

/// What a transfer is doing, or what is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferState {
    /// A litelift copies rows.
    Copying,
    /// A litelift makes keys, indexes and so on.
    Finishing,
    /// A litelift compares.
    Comparing,
    /// Nobody is at work on it, and it is not done.
    Stopped,
    /// It is done.
    Done,
    /// `--restart` began to remove it.
    Discarding,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Committed.
    pub done: u64,
    /// As planned.
    pub all: u64,
}

/// One transfer.
#[derive(Debug, Clone, Serialize)]
pub struct TransferStatus {
    /// Id of the run.
    pub run: i64,
    /// The file, by its path on the machine that began it.
    pub source: String,
    /// Schema in the target.
    pub schema: String,
    /// Version of litelift that began it.
    pub tool: String,
    /// What it is doing.
    pub state: TransferState,
    /// When it began, as the server prints it.
    pub started_at: String,
    /// When it was done.
    pub finished_at: Option<String>,
    /// When its last range or step was committed.
    pub last_commit_at: Option<String>,
    /// Seconds since then.
    pub last_commit_age_s: Option<f64>,
    /// Tables whose rows are all there.
    pub tables: Part,
    /// Ranges.
    pub ranges: Part,
    /// Rows.
    pub rows: Part,
    /// Bytes of COPY; those to come are estimated.
    pub copy_bytes: Part,
    /// Finishing steps.
    pub steps: Part,
    /// Finishing steps that the server refused, or that found rows without a parent.
    pub steps_not_as_meant: u64,
    /// Rows that were left out, those that were sent later not counted.
    pub rejected_rows: u64,
    /// Objects of the target's own that were taken away and are not back.
    pub not_restored: u64,
    /// Bytes a second, of the commits of the last minute; `None`: nobody copies, or nothing is known yet.
    pub bytes_per_s: Option<f64>,
    /// Seconds that the rest of the rows takes at that rate.
    pub copy_left_s: Option<f64>,
    /// Who holds the lock on the schema.
    pub lock: Option<Holder>,
    /// What to do next, sentences.
    pub next: Vec<String>,
}

/// `litelift status`: reads what is known of transfers into a target, or into one schema of it.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`], [`crate::error::ErrorKind::Usage`] for the URL, interrupted.
pub async fn run(url: &str, into: Option<&str>, cancel: &Cancel) -> Result<StatusReport> {
    let target = Target::open(url, 1, cancel).await?;
    let work = Box::pin(async {
        let session = target.session().await?;
        read(&session, &target.shown, into).await
    });
    target.until_cancelled(cancel, work).await
}

async fn read(session: &Session, shown: &str, into: Option<&str>) -> Result<StatusReport> {
    let bookkeeping = match store::bookkeeping(session).await? {
        Bookkeeping::Absent => Readable::Absent,
        Bookkeeping::Readable => Readable::Yes,
        Bookkeeping::Closed { owner, role } => {
            Readable::No { grant: store::grant_to_read(&role), owner }
        }
    };
    let transfers = match bookkeeping {
        Readable::Yes => transfers(session, into).await?,
        _ => Vec::new(),
    };
    let others_at_work = others_at_work(session, into, &transfers).await?;
    let version = REPORT_VERSION;
    Ok(StatusReport { version, target: shown.to_owned(), bookkeeping, transfers, others_at_work })
}

/// Everything that a transfer has, in one statement. A schema of an earlier version lacks some columns.
const TRANSFERS: &str = "
    SELECT u.id, u.source, u.schema, u.tool, u.state, u.started_at::text, u.finished_at::text,
      greatest(g.last, s.last)::text,
      extract(epoch FROM clock_timestamp() - greatest(g.last, s.last))::float8,
      jsonb_array_length(p.plan -> 'tables')::int8 - coalesce(t.open, 0),
      jsonb_array_length(p.plan -> 'tables')::int8,
      g.ranges, jsonb_array_length(p.plan -> 'ranges')::int8,
      g.rows, coalesce(t.rows, 0)::int8, g.copy_bytes, coalesce(t.copy_bytes, 0)::int8,
      s.steps, jsonb_array_length(p.plan -> 'finish')::int8, s.other, g.rejected
    FROM litelift.run u
    CROSS JOIN LATERAL (SELECT u.plan::jsonb AS plan OFFSET 0) p
    CROSS JOIN LATERAL (
      SELECT count(*) AS ranges, coalesce(sum(r.rows), 0)::int8 AS rows, max(committed_at) AS last,
        coalesce(sum(r.copy_bytes), 0)::int8 AS copy_bytes,
        coalesce(sum((to_jsonb(r) ->> 'rejected')::int8), 0)::int8 AS rejected
      FROM litelift.range r WHERE r.run = u.id) g
    CROSS JOIN LATERAL (
      SELECT count(*) AS steps, count(*) FILTER (WHERE outcome <> 'done') AS other, max(ended_at) AS last
      FROM litelift.step WHERE run = u.id) s
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE planned.ranges > coalesce(there.ranges, 0)) AS open,
        sum(planned.rows) AS rows, sum(planned.copy_bytes) AS copy_bytes
      FROM (SELECT (e ->> 'table')::int AS relation, count(*) AS ranges, sum((e ->> 'rows')::int8) AS rows,
          sum((e ->> 'copy_bytes')::int8) AS copy_bytes
        FROM jsonb_array_elements(p.plan -> 'ranges') e GROUP BY 1) planned
      LEFT JOIN (SELECT relation, count(*) AS ranges FROM litelift.range
        WHERE run = u.id GROUP BY 1) there USING (relation)) t
    WHERE u.schema = coalesce($1, u.schema) ORDER BY u.id";

async fn transfers(session: &Session, into: Option<&str>) -> Result<Vec<TransferStatus>> {
    let failed = |error| failure::failed("read the transfers", &error);
    let rows = session.query(TRANSFERS, &[&into]).await.map_err(failed)?;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    let mut transfers: Vec<TransferStatus> = Vec::with_capacity(rows.len());
    for row in &rows {
        let part = |at: usize| Part { done: number(row.get(at)), all: number(row.get(at + 1)) };
        transfers.push(TransferStatus {
            run: row.get(0),
            source: row.get(1),
            schema: row.get(2),
            tool: row.get(3),
            state: match row.get(4) {
                "done" => TransferState::Done,
                "discarding" => TransferState::Discarding,
                _ => TransferState::Stopped,
            },
            started_at: row.get(5),
            finished_at: row.get(6),
            last_commit_at: row.get(7),
            last_commit_age_s: row.get(8),
            tables: part(9),
            ranges: part(11),
            rows: part(13),
            copy_bytes: part(15),
            steps: part(17),
            steps_not_as_meant: number(row.get(19)),
            rejected_rows: number(row.get(20)),
            not_restored: 0,
            bytes_per_s: None,
            copy_left_s: None,
            lock: None,
            next: Vec::new(),
        });
    }
    add_counts(session, &mut transfers).await?;
    add_locks(session, &mut transfers).await?;
    for transfer in &mut transfers {
        transfer.next = next(transfer);
    }
    Ok(transfers)
}

/// What stands in tables that a schema of an earlier version does not have, or that this role may not read.
async fn add_counts(session: &Session, transfers: &mut [TransferStatus]) -> Result<()> {
    let failed = |error| failure::failed("read the transfers", &error);
    let counts = [
        ("litelift.resent", "SELECT run, count(*) FROM litelift.resent GROUP BY run"),
        (
            "litelift.journal",
            "SELECT j.run, count(*) FROM litelift.journal j JOIN pg_class c ON c.oid = j.relid \
             WHERE j.restored_at IS NULL GROUP BY j.run",
        ),
    ];
    for (table, sql) in counts {
        let readable = "SELECT coalesce(has_table_privilege(to_regclass($1), 'SELECT'), false)";
        if !session.query_one(readable, &[&table]).await.map_err(failed)?.get::<_, bool>(0) {
            continue;
        }
        for row in session.query(sql, &[]).await.map_err(failed)? {
            let (run, count): (i64, i64) = (row.get(0), row.get(1));
            let count = u64::try_from(count).unwrap_or(0);
            for transfer in transfers.iter_mut().filter(|transfer| transfer.run == run) {
                if table == "litelift.resent" {
                    transfer.rejected_rows = transfer.rejected_rows.saturating_sub(count);
                } else {
                    transfer.not_restored = count;
                }
            }
        }
    }
    Ok(())
}

/// Who is at work, and how fast. The lock is one of the schema: it belongs to the newest transfer there that
/// is not done.
async fn add_locks(session: &Session, transfers: &mut [TransferStatus]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for transfer in transfers.iter_mut().rev() {
        if transfer.state != TransferState::Stopped || !seen.insert(transfer.schema.clone()) {
            continue;
        }
        let holders = lock::sessions(session, &transfer.schema).await?;
        let Some(holder) = holders.into_iter().find(|holder| holder.is_lock) else { continue };
        transfer.state = if transfer.ranges.done < transfer.ranges.all {
            TransferState::Copying
        } else if transfer.steps.done < transfer.steps.all {
            TransferState::Finishing
        } else {
            TransferState::Comparing
        };
        if transfer.state == TransferState::Copying {
            add_rate(session, transfer, holder.since.as_deref()).await?;
        }
        transfer.lock = Some(holder);
    }
    Ok(())
}

async fn add_rate(
    session: &Session,
    transfer: &mut TransferStatus,
    since: Option<&str>,
) -> Result<()> {
    // From the time on at which this litelift came: before it nobody may have copied.
    let sql = "WITH w AS (SELECT greatest(clock_timestamp() - make_interval(secs => $2), \
               u.started_at, $3::text::timestamptz) AS since FROM litelift.run u WHERE u.id = $1) \
               SELECT coalesce(sum(g.copy_bytes), 0)::int8, \
               extract(epoch FROM clock_timestamp() - (SELECT since FROM w))::float8 \
               FROM litelift.range g WHERE g.run = $1 AND g.committed_at >= (SELECT since FROM w)";
    let row = session
        .query_one(sql, &[&transfer.run, &WINDOW_S, &since])
        .await
        .map_err(|error| failure::failed("read the transfers", &error))?;
    let (bytes, seconds): (i64, f64) = (row.get(0), row.get(1));
    if bytes > 0 && seconds > 0.0 {
        let part = transfer.copy_bytes;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let (rate, left) = (bytes as f64 / seconds, part.all.saturating_sub(part.done) as f64);
        transfer.bytes_per_s = Some(rate);
        transfer.copy_left_s = Some(left / rate);
    }
    Ok(())
}

fn next(transfer: &TransferStatus) -> Vec<String> {
    let source = transfer.source.escape_debug();
    let into = match transfer.schema.as_str() {
        "public" => String::new(),
        schema => format!(" --into \"{}\"", schema.escape_debug()),
    };
    let mut next = Vec::new();
    match transfer.state {
        TransferState::Copying | TransferState::Finishing | TransferState::Comparing => {
            next.push("A litelift is at work: wait for it. If nobody knows where it runs, `transfer --takeover` goes on in its place.".to_owned());
        }
        TransferState::Stopped => {
            next.push(format!("Run the command that began it again to continue: litelift transfer --from \"{source}\"{into}, with its other options."));
            if transfer.not_restored > 0 {
                next.push("Until it is done the target lacks foreign keys, indexes or triggers. To give it up: `litelift restore-constraints`.".to_owned());
            }
        }
        TransferState::Discarding => {
            next.push("It is half removed: run the command with --restart again.".to_owned());
        }
        TransferState::Done => {
            next.push(format!("`litelift verify --from \"{source}\"{into}` compares both sides; `litelift clean` removes the bookkeeping when nothing more is to come."));
            if transfer.rejected_rows > 0 {
                next.push("`litelift transfer --only-rejects DIR` sends rejected rows once they are mended.".to_owned());
            }
        }
    }
    next
}

/// Locks on schemas in which no transfer is under way.
async fn others_at_work(
    session: &Session,
    into: Option<&str>,
    transfers: &[TransferStatus],
) -> Result<Vec<OtherAtWork>> {
    let rows = session
        .query(
            "SELECT l.pid, host(a.client_addr), a.backend_start::text, \
             coalesce(n.nspname::text, CASE WHEN hashtext($2)::oid = l.objid THEN $2 END) \
             FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) \
             LEFT JOIN pg_namespace n ON hashtext(n.nspname::text)::oid = l.objid \
             WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted \
             AND l.classid = $1::int::oid AND l.objid <> 0 \
             AND ($2::text IS NULL OR hashtext($2)::oid = l.objid) \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             ORDER BY 4, 1",
            &[&lock::LOCK_CLASS, &into],
        )
        .await
        .map_err(|error| failure::failed("see who holds the lock of the transfer", &error))?;
    let known = |pid: i32| {
        transfers.iter().any(|transfer| transfer.lock.as_ref().is_some_and(|it| it.pid == pid))
    };
    let others = rows.iter().filter(|row| !known(row.get(0))).map(|row| OtherAtWork {
        schema: row.get(3),
        lock: Holder { pid: row.get(0), client: row.get(1), since: row.get(2), is_lock: true },
    });
    Ok(others.collect())
}
