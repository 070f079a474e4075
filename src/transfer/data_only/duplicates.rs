//! Rows that the target's unique keys would refuse, told before anything is written.

use crate::error::{Error, ErrorKind, Result};
use crate::inspect::Opened;
use crate::model::unique::{Shared, UniqueCheck};
use crate::read;

/// Keys of the error that are shown.
const SHOWN_MAX: usize = 10;

/// Refuses rows that share a key which the target wants unique.
///
/// # Errors
/// [`ErrorKind::Differences`] naming the keys; [`ErrorKind::Source`]; interrupted.
pub(super) fn refuse(opened: &Opened, checks: &[UniqueCheck]) -> Result<()> {
    let mut broken: Vec<(&UniqueCheck, Shared)> = Vec::new();
    for check in checks {
        let shared = tokio::task::block_in_place(|| {
            opened.snapshot.with(|conn| read::duplicates(conn, check))
        })?;
        if shared.keys > 0 {
            broken.push((check, shared));
        }
    }
    let Some((first, _)) = broken.first() else { return Ok(()) };
    let mut lines: Vec<String> =
        broken.iter().take(SHOWN_MAX).map(|(check, shared)| line(check, shared)).collect();
    if broken.len() > SHOWN_MAX {
        lines.push(format!("And {} keys more.", broken.len() - SHOWN_MAX));
    }
    let rows: u64 = broken.iter().map(|(_, shared)| shared.rows).sum();
    Err(Error::new(
        ErrorKind::Differences,
        format!("{rows} rows share what is unique in the target; nothing was written"),
    )
    .detail(lines.join("\n"))
    .hint("Mend these rows in the source. The application may have been without the key when it wrote them.")
    .hint(format!("Or leave a table out with --skip \"{}\".", first.source.escape_debug())))
}

fn line(check: &UniqueCheck, shared: &Shared) -> String {
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
