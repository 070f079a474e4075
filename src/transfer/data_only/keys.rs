//! Rows that the target's keys would refuse, told before anything is written.

use crate::error::{Error, ErrorKind, Result};
use crate::inspect::Opened;
use crate::model::orphans::{OrphanCheck, Orphans};
use crate::model::unique::{Shared, UniqueCheck};
use crate::options::BadRows;
use crate::plan::fill::Inputs;
use crate::plan::{orphans, unique};
use crate::read;

/// Keys of the error that are shown.
const SHOWN_MAX: usize = 10;

/// Keys to look at in the source.
pub(super) struct Keys {
    unique: Vec<UniqueCheck>,
    foreign: Vec<OrphanCheck>,
}

impl Keys {
    /// Lists what the server would refuse for.
    pub(super) fn of(inputs: &Inputs<'_>, bad_rows: &BadRows) -> Self {
        let is_left_out = matches!(bad_rows, BadRows::Reject { .. });
        Self {
            unique: unique::to_check(inputs, is_left_out),
            foreign: orphans::to_check(inputs, is_left_out),
        }
    }

    /// Looks for rows that share a key which the target wants unique, and for rows without a parent
    /// where the foreign key stays. The error that is returned names the keys.
    ///
    /// # Errors
    /// [`ErrorKind::Source`]; interrupted.
    pub(super) fn broken(&self, opened: &Opened) -> Result<Option<Error>> {
        broken(opened, &self.unique, &self.foreign)
    }
}

fn broken(
    opened: &Opened,
    unique: &[UniqueCheck],
    foreign: &[OrphanCheck],
) -> Result<Option<Error>> {
    let (mut lines, mut rows, mut hints) = (Vec::new(), 0, Vec::new());
    for check in unique {
        let shared = tokio::task::block_in_place(|| {
            opened.snapshot.with(|conn| read::duplicates(conn, check))
        })?;
        if shared.keys > 0 {
            lines.push(shared_line(check, &shared));
            rows += shared.rows;
        }
    }
    if !lines.is_empty() {
        hints.push("The application may have been without the unique key when it wrote these rows: mend them in the source.");
    }
    let before = lines.len();
    for check in foreign {
        let orphans = tokio::task::block_in_place(|| {
            opened.snapshot.with(|conn| read::orphans(conn, check))
        })?;
        if orphans.rows > 0 {
            lines.push(orphan_line(check, &orphans));
            rows += orphans.rows;
        }
    }
    if lines.len() > before {
        hints.push("Remove or mend the rows without a parent; or connect as the owner of the table: then they arrive, and the foreign key comes back NOT VALID.");
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let more = lines.len().saturating_sub(SHOWN_MAX);
    lines.truncate(SHOWN_MAX);
    if more > 0 {
        lines.push(format!("And {more} keys more."));
    }
    let what = match rows {
        1 => "1 row breaks a key".to_owned(),
        rows => format!("{rows} rows break keys"),
    };
    let text = format!("{what} of the target; nothing was written");
    let error = Error::new(ErrorKind::Differences, text).detail(lines.join("\n"));
    let error = hints.into_iter().fold(error, Error::hint);
    Ok(Some(error.hint("Or leave a table out with --skip TABLE.")))
}

fn orphan_line(check: &OrphanCheck, orphans: &Orphans) -> String {
    let rows = if orphans.rows == 1 { "1 row".into() } else { format!("{} rows", orphans.rows) };
    format!(
        "Table \"{}\" has {rows} without a parent in \"{}\", which \"{}\" of the target ({}) wants: ({}) = {}{}",
        check.child.escape_debug(),
        check.parent.escape_debug(),
        check.key.escape_debug(),
        check.definition.escape_debug(),
        check.columns.join(", ").escape_debug(),
        orphans.examples.join(", "),
        if orphans.rows > orphans.examples.len() as u64 { ", ..." } else { "." },
    )
}

fn shared_line(check: &UniqueCheck, shared: &Shared) -> String {
    let columns: Vec<&str> = check.columns.iter().map(|column| column.name.as_str()).collect();
    let keys = if shared.keys == 1 { "1 key".into() } else { format!("{} keys", shared.keys) };
    format!(
        "Table \"{}\" has {keys} in {} rows that \"{}\" of the target ({}) allows once: ({}) = {}{}",
        check.source.escape_debug(),
        shared.rows,
        check.key.escape_debug(),
        check.definition.escape_debug(),
        columns.join(", ").escape_debug(),
        shared.examples.join(", "),
        if shared.keys > shared.examples.len() as u64 { ", ..." } else { "." },
    )
}
