//! The files of rejected rows: `DIR/<table>.csv`.
//!
//! Purpose: a range that leaves bad rows out keeps only their number. When the rows are there, those
//! ranges are read once more by the same code, and what does not fit is written down: the files are a
//! matter of the file and the plan alone, so a transfer that was killed writes the same ones again.
//! Nothing has to be held in memory, and nothing of the rows is stored in the target.
//!
//! A line is `_reject,_rowid,_column,_reason` and then the row as the source has it, each value as a
//! literal ([`crate::model::literal`]), so that nothing is lost and `--only-rejects` can send it.
//!
//! Known gaps: only the first value of a row that does not fit is named.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::checkpoint::resent::RejectId;
use crate::encode::{RowEncoder, Zone};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::model::literal;
use crate::model::plan::{ColumnPlan, RangePlan, TablePlan, TransferPlan};
use crate::read::{RangeSource, Snapshot};

/// The columns before those of the source.
pub const HEAD: [&str; 4] = ["_reject", "_rowid", "_column", "_reason"];

/// Longest name of a file without its ending, in bytes: file systems take 255.
const NAME_BYTES_MAX: usize = 200;

/// Returns the name of each table's file, in the order of the plan.
///
/// Names of tables may hold anything; what a file system or a shell could misread becomes `%` and two
/// digits, and names that would then be equal on one that ignores case get a number.
#[must_use]
pub fn file_names(plan: &TransferPlan) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let names = plan.tables.iter().map(|table| {
        let mut name = String::new();
        for (position, c) in table.source.chars().enumerate() {
            let is_plain =
                c.is_alphanumeric() || matches!(c, '_' | '-' | ' ') || (c == '.' && position > 0);
            if is_plain {
                name.push(c);
            } else {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    name.push_str(&format!("%{byte:02X}"));
                }
            }
            if name.len() > NAME_BYTES_MAX {
                break;
            }
        }
        let mut unique = name.clone();
        let mut number = 2;
        while !taken.insert(unique.to_lowercase()) {
            unique = format!("{name}~{number}");
            number += 1;
        }
        unique + ".csv"
    });
    names.collect()
}

/// Makes the folder and refuses one that holds such files already: they may be the only record of rows
/// that another run rejected, or edited by hand.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`].
pub fn prepare(dir: &Path, plan: &TransferPlan) -> Result<()> {
    make(dir)?;
    match file_names(plan).iter().find(|name| dir.join(name).exists()) {
        None => Ok(()),
        Some(name) => Err(Error::usage(format!(
            "--rejects \"{}\" holds \"{}\" already",
            dir.display(),
            name.escape_debug()
        ))
        .hint("Give an empty or a new folder: files of rejected rows are not written over.")),
    }
}

fn make(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|error| not_written(dir, error))?;
    // Whether files can be made there is better known now than after the copying.
    NamedTempFile::new_in(dir).map(drop).map_err(|error| not_written(dir, error))
}

fn not_written(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::usage(format!("could not write to \"{}\"", path.display())).caused_by(error)
}

/// What the files are made from.
pub struct Files<'a> {
    /// Plan.
    pub plan: &'a TransferPlan,
    /// Connections to the source.
    pub snapshot: &'a Snapshot,
    /// Zone of texts that name none.
    pub zone: &'a Zone,
    /// Folder.
    pub dir: &'a Path,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

impl Files<'_> {
    /// Writes the file of one table from the ranges that left rows out, each with the ordinals of the
    /// rows that were sent later. An existing file that says something else is kept beside.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`]; [`crate::error::ErrorKind::Usage`] when the file cannot be
    /// written; interrupted.
    pub fn write(
        &self,
        number: usize,
        name: &str,
        ranges: &[(RangePlan, BTreeSet<u64>)],
    ) -> Result<PathBuf> {
        make(self.dir)?;
        let table = &self.plan.tables[number];
        let path = self.dir.join(name);
        let file = NamedTempFile::new_in(self.dir).map_err(|error| not_written(&path, error))?;
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(header(table)).map_err(|error| not_written(&path, error))?;
        let columns: Vec<Option<&str>> = table.columns.iter().map(ColumnPlan::read_as).collect();
        let encoder = RowEncoder::new(&table.columns, self.zone);
        for (range, resent) in ranges {
            let source = RangeSource {
                table: &table.source,
                columns: &columns,
                rowid_name: table.rowid_name.as_deref(),
                span: range.span,
            };
            self.snapshot.with(|conn| {
                source.for_each_bad_row(conn, &encoder, |bad| {
                    self.cancel.check()?;
                    if resent.contains(&bad.ordinal) {
                        return Ok(());
                    }
                    let id = RejectId { table: number, range: range.number, ordinal: bad.ordinal };
                    let mut record = vec![
                        cell_of(id),
                        bad.rowid.map_or_else(String::new, |rowid| rowid.to_string()),
                        table.columns[bad.column].source.clone(),
                        bad.misfit.reason.to_owned(),
                    ];
                    for column in 0..columns.len() {
                        record.push(literal::written(bad.row.value(column)?));
                    }
                    csv.write_record(&record).map_err(|error| not_written(&path, error))
                })
            })?;
        }
        let file = csv.into_inner().map_err(|error| not_written(&path, error.into_error()))?;
        put(file, &path)?;
        Ok(path)
    }
}

/// Returns the header line of a table's file.
#[must_use]
pub fn header(table: &TablePlan) -> Vec<String> {
    let head = HEAD.iter().map(|name| (*name).to_owned());
    head.chain(table.columns.iter().map(|column| column.source.clone())).collect()
}

/// Writes the name of a rejected row, without its table: `range.ordinal`.
#[must_use]
pub fn cell_of(id: RejectId) -> String {
    format!("{}.{}", id.range, id.ordinal)
}

/// Reads the name of a rejected row of a table.
#[must_use]
pub fn id_in(cell: &str, table: usize) -> Option<RejectId> {
    let (range, ordinal) = cell.trim().split_once('.')?;
    Some(RejectId { table, range: range.parse().ok()?, ordinal: ordinal.parse().ok()? })
}

/// Puts a complete file in its place; what stood there and was another text is kept beside it.
fn put(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|error| not_written(path, error))?;
    if path.exists() && !is_same(file.path(), path) {
        let mut before: OsString = path.as_os_str().to_owned();
        before.push(".before");
        fs::rename(path, &before).map_err(|error| not_written(path, error))?;
    }
    file.persist(path).map(drop).map_err(|error| not_written(path, error.error))
}

/// Puts a complete file in the place of the one that it was made from.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`].
pub fn replace(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|error| not_written(path, error))?;
    file.persist(path).map(drop).map_err(|error| not_written(path, error.error))
}

fn is_same(a: &Path, b: &Path) -> bool {
    let open = |path: &Path| {
        let file = fs::File::open(path).ok()?;
        Some((file.metadata().ok()?.len(), BufReader::new(file).bytes()))
    };
    let (Some((a_len, a)), Some((b_len, b))) = (open(a), open(b)) else { return false };
    // Byte by byte: they may be as large as the source.
    a_len == b_len && a.zip(b).all(|pair| matches!(pair, (Ok(a), Ok(b)) if a == b))
}
