//! Begin, continue, say that it is done, or refuse.

use std::collections::BTreeSet;

use deadpool_postgres::GenericClient;
use tokio_postgres::types::Oid;

use crate::connect::{Session, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::model::plan::{TablePlan, TransferPlan};

use super::fingerprint::{Differences, Fingerprint};
use super::made::{self, Made};
use super::store::{self, Run};

/// What an earlier run left.
#[derive(Debug)]
pub enum Earlier {
    /// Nothing: a new transfer.
    None,
    /// A run that is to be forgotten, with its tables, when the new one begins.
    Replaced(Leftover),
    /// A run that can go on.
    Unfinished(Box<Run>),
    /// A run that did everything.
    Done(Box<Run>),
    /// A run, done or not, whose rows may have changed in the source: only the content can tell.
    Touched(Box<Run>, Touched),
}

/// Why the rows of a source may not be those that a run copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// What says so, sentences.
    pub hints: Vec<String>,
    /// The file lay at another path: when its rows are others it is another file, not a changed one.
    pub is_elsewhere: bool,
}

/// A run of which only the tables matter, as far as they are still there.
#[derive(Debug)]
pub struct Leftover {
    /// Id of the run.
    pub run: i64,
    /// Its tables.
    pub made: Vec<Made>,
}

impl Leftover {
    /// Returns the oids of the tables that are dropped when the run is replaced.
    #[must_use]
    pub fn dropped(&self) -> Vec<Oid> {
        let own = self.made.iter().filter(|made| made.is_ours && made.is_there());
        own.map(|made| made.relid).collect()
    }
}

/// Looks for an earlier run of this source into this schema, and whether it can go on.
///
/// # Errors
/// [`ErrorKind::Changed`] when the source or the options are not the same; [`ErrorKind::TargetState`]
/// when its tables are not there as it left them; [`ErrorKind::Target`].
pub async fn look(
    session: &Session,
    source: &str,
    schema: &str,
    fingerprint: &Fingerprint,
    restart: bool,
) -> Result<Earlier> {
    let Some(run) = store::find_id(session, Some(source), schema).await? else {
        return moved(session, schema, fingerprint, restart).await;
    };
    let made = made::of(session, run).await?;
    let gone: Vec<&str> =
        made.iter().filter(|table| !table.is_there()).map(|table| table.target.as_str()).collect();
    // When all are gone the user dropped them, or the whole schema: the run is history.
    let is_history = !gone.is_empty() && gone.len() == made.len();
    // Half removed already: nothing is left to go on with.
    if restart || is_history || store::is_discarding(session, run).await? {
        return Ok(Earlier::Replaced(Leftover { run, made }));
    }
    if !gone.is_empty() {
        return Err(gone_error(run, &gone));
    }
    let run = store::load(session, run).await?;
    if let Some(differences) = fingerprint.differences(&run.fingerprint) {
        if !differences.are_hints() {
            return Err(changed_error(&run, &differences));
        }
        let touched = Touched { hints: differences.hints, is_elsewhere: false };
        return Ok(Earlier::Touched(Box::new(run), touched));
    }
    Ok(if run.done { Earlier::Done(Box::new(run)) } else { Earlier::Unfinished(Box::new(run)) })
}

/// Looks for a run of a file that has the same schema but lay elsewhere, and of which all tables are there:
/// perhaps it was moved.
async fn moved(
    session: &Session,
    schema: &str,
    fingerprint: &Fingerprint,
    restart: bool,
) -> Result<Earlier> {
    let Some(id) = store::find_id(session, None, schema).await?.filter(|_| !restart) else {
        return Ok(Earlier::None);
    };
    let made = made::of(session, id).await?;
    if store::is_discarding(session, id).await? || made.iter().any(|table| !table.is_there()) {
        return Ok(Earlier::None);
    }
    // A run of another version is refused where it is met by its path; here it is none of ours.
    let Ok(run) = store::load(session, id).await else { return Ok(Earlier::None) };
    let source = store::source_of(session, id).await?;
    // Without what earlier versions did not write down, nothing says that it is the same database.
    let can_tell = run.fingerprint.identity.is_some()
        && store::marks(session, id).await?.iter().any(|mark| mark.rows > 0);
    let differences = fingerprint.differences(&run.fingerprint).unwrap_or_default();
    if !can_tell || !differences.are_hints() {
        return Ok(Earlier::None);
    }
    let told = format!("The file lay at \"{}\" when the transfer began.", source.escape_debug());
    let touched = Touched { hints: vec![told], is_elsewhere: true };
    Ok(Earlier::Touched(Box::new(run), touched))
}

/// Returns the run that a transfer of this source into this schema would take the place of with
/// `--restart`.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn replaceable(
    session: &Session,
    source: &str,
    schema: &str,
) -> Result<Option<Leftover>> {
    match store::find_id(session, Some(source), schema).await? {
        Some(run) => Ok(Some(Leftover { run, made: made::of(session, run).await? })),
        None => Ok(None),
    }
}

fn gone_error(run: i64, gone: &[&str]) -> Error {
    Error::new(ErrorKind::TargetState, "tables of an earlier run are gone, others are still there")
        .detail(format!("Run {run} made {} and others.", named(gone)))
        .hint("Use --restart to drop the tables that are left of that run and begin again.")
}

/// The error of a transfer that is done, and whose source has other rows by now.
#[must_use]
pub fn rows_changed(run: i64, plan: &TransferPlan, hints: &[String], tables: &[String]) -> Error {
    let error = Error::new(ErrorKind::Changed, "the source has changed since it was transferred")
        .detail(hints.join("\n"))
        .detail(format!("Rows changed in {} since run {run} copied them.", named(tables)));
    error.hint(if plan.fill.is_some() {
        "Use --restart to forget that run and begin again: rows that are there are subject to --on-existing."
    } else {
        "Use --restart to drop the tables of that transfer and do it again."
    })
}

fn changed_error(run: &Run, differences: &Differences) -> Error {
    let what = match (run.done, differences.schema.is_empty()) {
        (false, _) => "cannot continue: this is not what the transfer began with",
        (true, false) => "the source has changed since it was transferred",
        (true, true) => "the source was transferred already, with other options",
    };
    let Differences { hints, schema, options } = differences;
    let lines: Vec<&str> = schema.iter().chain(options).chain(hints).map(String::as_str).collect();
    let error = Error::new(ErrorKind::Changed, what).detail(lines.join("\n"));
    if run.plan.fill.is_some() {
        return error.hint(
            if run.plan.tables.iter().any(TablePlan::is_made) {
                "Use --restart to forget that run and begin again: only tables that it made (--create-missing) are dropped, and rows that are there are subject to --on-existing."
            } else {
                "Use --restart to forget that run and begin again: no table is dropped, and rows that are there are subject to --on-existing."
            },
        );
    }
    if run.done {
        error.hint("Use --restart to drop the tables of that transfer and do it again.")
    } else {
        error.hint("Use --restart to throw away what is there of it and begin again.")
    }
}

/// Refuses when one of the tables that would be made is there already, unless it is one of `own`,
/// which are dropped before.
///
/// # Errors
/// [`ErrorKind::TargetState`] naming the tables and the choices; [`ErrorKind::Target`].
pub async fn refuse_existing(
    session: &Session,
    schema: &str,
    targets: &[&str],
    own: &[Made],
) -> Result<()> {
    let own: Vec<Oid> = own.iter().filter(|made| made.is_ours).map(|made| made.relid).collect();
    let rows = session
        .query(
            // A type stands in the way too: a table makes one of its name. Those of arrays do not.
            "SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
             WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'S' THEN 'sequence' \
             WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.oid <> ALL ($3) UNION ALL \
             SELECT t.typname, 'type' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $1 AND t.typname = ANY ($2) AND t.typrelid = 0 \
             AND t.typcategory <> 'A' ORDER BY 1",
            &[&schema, &targets, &own],
        )
        .await
        .map_err(|error| failure::failed("look at the target schema", &error))?;
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = rows
        .iter()
        .map(|row| {
            format!("{} \"{}\"", row.get::<_, &str>(1), row.get::<_, &str>(0).escape_debug())
        })
        .collect();
    let error = Error::new(
        ErrorKind::TargetState,
        match names.as_slice() {
            [one] => format!("{one} exists already in schema \"{}\"", schema.escape_debug()),
            more => format!(
                "{} relations exist already in schema \"{}\"",
                more.len(),
                schema.escape_debug()
            ),
        },
    )
    .detail(format!("litelift never drops or fills what it did not make: {}.", shortened(&names)))
    .hint("To fill tables that an application's own migrations made: --data-only.")
    .hint("Transfer into a schema of its own with --into NAME, or into an empty database.")
    .hint("Leave tables out with --skip TABLE, or drop them yourself.");
    Err(match made_elsewhere(session, schema, targets).await? {
        Some(source) => error.hint(format!(
            "Some of them were made by a transfer from \"{}\": give that path to continue it, or add --restart to it.",
            source.escape_debug()
        )),
        None => error,
    })
}

/// Finds the source of another run that made one of the tables.
async fn made_elsewhere(
    session: &Session,
    schema: &str,
    targets: &[&str],
) -> Result<Option<String>> {
    if !store::exists(session).await? {
        return Ok(None);
    }
    let row = session
        .query_opt(
            "SELECT u.source FROM litelift.run u JOIN litelift.relation r ON r.run = u.id \
             WHERE u.schema = $1 AND r.target = ANY ($2) ORDER BY u.id DESC LIMIT 1",
            &[&schema, &targets],
        )
        .await
        .map_err(|error| failure::failed("look for earlier runs", &error))?;
    Ok(row.map(|row| row.get(0)))
}

/// Returns the names of relations and types of a schema, which new ones must not take.
///
/// # Errors
/// [`ErrorKind::Target`].
pub async fn taken_names(client: &impl GenericClient, schema: &str) -> Result<BTreeSet<String>> {
    let rows = client
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 UNION \
             SELECT t.typname::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $1",
            &[&schema],
        )
        .await
        .map_err(|error| failure::failed("look at the target schema", &error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Returns names in quotes, the first of them.
#[must_use]
pub fn named(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> =
        names.iter().map(|name| format!("\"{}\"", name.as_ref().escape_debug())).collect();
    shortened(&quoted)
}

fn shortened(names: &[String]) -> String {
    const SHOWN_MAX: usize = 8;
    let mut text = names.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", names.len() - SHOWN_MAX));
    }
    text
}
