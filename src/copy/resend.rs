//! Sends rejected rows again, from their files.
//!
//! Purpose: a batch of rows and their marks go in one transaction, so that a row arrives once however
//! often the command is run. The tables have their keys by now: when the server refuses a batch, its
//! rows are sent one by one, and those that it refuses stay rejected with its message.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use bytes::Bytes;
use deadpool_postgres::Transaction;
use futures_util::SinkExt as _;
use tempfile::NamedTempFile;

use crate::checkpoint::resent::{self, RejectId};
use crate::checkpoint::store;
use crate::connect::{Session, failure};
use crate::encode::field::{HEADER, TRAILER};
use crate::encode::{RowEncoder, Zone};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Cancel;
use crate::model::literal::Literal;
use crate::model::plan::{TablePlan, TransferPlan};

use super::merging::Merging;
use super::reject::{self, HEAD};
use super::sink::copy_sql;

/// Rows of a transaction.
const BATCH_ROWS: usize = 500;
/// A batch ends when it has this many bytes, so that large rows do not gather in memory.
const BATCH_BYTES: usize = 1 << 20;

/// What is sent, to where.
pub struct ResendJob<'a> {
    /// Plan, with the conversions of now.
    pub plan: &'a TransferPlan,
    /// Id of the run that rejected the rows.
    pub run: i64,
    /// How many rows its ranges rejected, by table and range.
    pub rejected: &'a BTreeMap<(usize, u32), u64>,
    /// Columns that PostgreSQL computes by now, by table and name in the target: they are not sent.
    pub computed: &'a BTreeSet<(usize, String)>,
    /// Zone of texts that name none.
    pub zone: &'a Zone,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

/// What became of the rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resent {
    /// Rows that arrived now.
    pub sent: u64,
    /// Rows that had arrived before.
    pub before: u64,
    /// Rows that are still rejected.
    pub left: u64,
}

/// One line of a file.
struct Line {
    id: RejectId,
    cells: csv::StringRecord,
    /// The row for COPY.
    bytes: Vec<u8>,
}

impl ResendJob<'_> {
    /// Sends the rows of one table's file, and leaves in it those that are still rejected; a file of
    /// which nothing is left is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] naming the line that cannot be read; [`ErrorKind::Target`]; interrupted.
    /// Rows that were sent before the error are marked, and not sent again.
    pub async fn file(&self, session: &mut Session, table: usize, path: &Path) -> Result<Resent> {
        let unreadable = |error: csv::Error| {
            Error::usage(format!("could not read \"{}\"", path.display())).caused_by(error)
        };
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        self.check_header(reader.headers().map_err(unreadable)?, table, path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let mut left = Left::begin(folder, path, reader.headers().map_err(unreadable)?)?;
        let mut resent = Resent::default();
        loop {
            self.cancel.check()?;
            let batch = tokio::task::block_in_place(|| {
                self.batch(&mut reader, table, path, &mut left, &mut resent)
            })?;
            if batch.is_empty() {
                break;
            }
            if let Err(refusal) = self.send(session, table, &batch, &mut resent).await? {
                if let [line] = batch.as_slice() {
                    left.keep(line, &refusal)?;
                    resent.left += 1;
                    continue;
                }
                for line in batch.chunks(1) {
                    self.cancel.check()?;
                    if let Err(refusal) = self.send(session, table, line, &mut resent).await? {
                        left.keep(&line[0], &refusal)?;
                        resent.left += 1;
                    }
                }
            }
        }
        drop(reader);
        left.end(resent.left)?;
        Ok(resent)
    }

    fn check_header(&self, found: &csv::StringRecord, table: usize, path: &Path) -> Result<()> {
        let wanted = reject::header(&self.plan.tables[table]);
        if found.iter().eq(wanted.iter().map(String::as_str)) {
            return Ok(());
        }
        Err(Error::usage(format!("\"{}\" is no file of rejected rows", path.display()))
            .detail(format!("Its first line must be: {}", wanted.join(","))))
    }

    /// Reads the next rows that fit; those that do not are kept at once.
    fn batch(
        &self,
        reader: &mut csv::Reader<File>,
        table: usize,
        path: &Path,
        left: &mut Left<'_>,
        resent: &mut Resent,
    ) -> Result<Vec<Line>> {
        let encoder = RowEncoder::new(&self.sent(table).columns, self.zone);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut cells = csv::StringRecord::new();
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let line = reader.position().line();
            let wrong = |why: &str| {
                Error::usage(format!("\"{}\" line {line}: {why}", path.display()))
                    .hint("Rows before it were sent. Mend the line and run the command again.")
            };
            if !reader.read_record(&mut cells).map_err(|error| wrong(&error.to_string()))? {
                break;
            }
            let id = reject::id_in(&cells[0], table)
                .filter(|id| self.is_known(*id))
                .ok_or_else(|| wrong("its _reject names no rejected row of this table"))?;
            let mut row = Vec::new();
            encoder.begin(&mut row);
            let mut misfit = None;
            let mut field = 0;
            for (column, cell) in cells.iter().skip(HEAD.len()).enumerate() {
                if self.is_computed(table, column) {
                    continue;
                }
                let value = Literal::parse(cell).ok_or_else(|| {
                    let name = &self.plan.tables[table].columns[column].source;
                    wrong(&format!(
                        "column \"{}\" holds no literal; write NULL, 12, 1.5, 'text' or X'00ff'",
                        name.escape_debug()
                    ))
                })?;
                if let Err(error) = encoder.field(field, value.value(), &mut row) {
                    misfit = Some((column, error.reason));
                    break;
                }
                field += 1;
            }
            let line = Line { id, cells: cells.clone(), bytes: row };
            if let Some((column, reason)) = misfit {
                let column = &self.plan.tables[table].columns[column].source;
                left.keep_misfit(&line, column, reason)?;
                resent.left += 1;
                continue;
            }
            bytes += line.bytes.len() + line.cells.as_slice().len();
            batch.push(line);
        }
        Ok(batch)
    }

    fn is_computed(&self, table: usize, column: usize) -> bool {
        let column = self.plan.tables[table].columns.get(column);
        column.is_some_and(|column| self.computed.contains(&(table, column.target.clone())))
    }

    /// The table with the columns that are sent.
    fn sent(&self, table: usize) -> TablePlan {
        let mut plan = self.plan.tables[table].clone();
        plan.columns.retain(|column| !self.computed.contains(&(table, column.target.clone())));
        plan
    }

    fn is_known(&self, id: RejectId) -> bool {
        let rejected = self.rejected.get(&(id.table, id.range));
        rejected.is_some_and(|rejected| id.ordinal < *rejected)
    }

    /// Sends rows and their marks in one transaction. The inner error is the server's refusal.
    async fn send(
        &self,
        session: &mut Session,
        table: usize,
        batch: &[Line],
        resent: &mut Resent,
    ) -> Result<std::result::Result<(), String>> {
        let what = || {
            format!(
                "send rejected rows of table \"{}\"",
                self.plan.tables[table].source.escape_debug()
            )
        };
        let at = |error: tokio_postgres::Error| failure::failed(&what(), &error);
        let sent = self.sent(table);
        let copy = copy_sql(&self.plan.schema, &sent);
        let copy = session.prepare_cached(&copy).await.map_err(at)?;
        let mut transaction = session.transaction().await.map_err(at)?;
        if let Some(fill) = &self.plan.fill {
            // Triggers, checks and index expressions of the target's own.
            let sql = format!("SET LOCAL search_path = {}", fill.search_path);
            transaction.batch_execute(&sql).await.map_err(at)?;
        }
        let ids: Vec<RejectId> = batch.iter().map(|line| line.id).collect();
        let mut new = resent::mark(&transaction, self.run, &ids).await?;
        let marked = new.len() as u64;
        // A line that stands there twice is sent once.
        let lines: Vec<&Line> = batch.iter().filter(|line| new.remove(&line.id)).collect();
        if let Some(merging) = Merging::of(self.plan, table, &sent) {
            return match self.merge(&mut transaction, &merging, &lines).await {
                Ok(()) => {
                    transaction.commit().await.map_err(at)?;
                    resent.sent += marked;
                    resent.before += batch.len() as u64 - marked;
                    Ok(Ok(()))
                }
                Err(Unsent::Refused(refusal)) => Ok(Err(refusal)),
                Err(Unsent::Failed(error)) => Err(error),
            };
        }
        let bytes = copied(&lines);
        let sent = async {
            let sink = transaction.copy_in(&copy).await?;
            futures_util::pin_mut!(sink);
            sink.send(bytes).await?;
            let counted = sink.finish().await?;
            transaction.commit().await?;
            Ok::<u64, tokio_postgres::Error>(counted)
        };
        match sent.await {
            Ok(counted) if counted == marked => {
                resent.sent += marked;
                resent.before += batch.len() as u64 - marked;
                Ok(Ok(()))
            }
            Ok(counted) => Err(Error::new(
                ErrorKind::Differences,
                format!("could not {}: {marked} rows were sent, {counted} arrived", what()),
            )),
            Err(error) if failure::is_refusal(&error) => {
                Ok(Err(error.as_db_error().map(failure::in_one_line).unwrap_or_default()))
            }
            Err(error) => Err(at(error)),
        }
    }
}

/// Why rows did not arrive.
enum Unsent {
    /// The server refused them, or they differ from what is there.
    Refused(String),
    /// Something else.
    Failed(Error),
}

impl ResendJob<'_> {
    /// Merges rows into a table that had some when the run began, range by range.
    async fn merge(
        &self,
        transaction: &mut Transaction<'_>,
        merging: &Merging<'_>,
        lines: &[&Line],
    ) -> std::result::Result<(), Unsent> {
        let copy = merging.stage(transaction).await.map_err(Unsent::Failed)?;
        for lines in lines.chunk_by(|a, b| a.id.range == b.id.range) {
            let Some(RejectId { table, range, .. }) = lines.first().map(|line| line.id) else {
                continue;
            };
            merging.clear(transaction).await.map_err(Unsent::Failed)?;
            let staged = async {
                let sink = transaction.copy_in(&copy).await?;
                futures_util::pin_mut!(sink);
                sink.send(copied(lines)).await?;
                sink.finish().await
            };
            let staged = staged.await.map_err(|error| unsent(merging.failed(&error), &error))?;
            let merged =
                merging.merge(transaction, staged).await.map_err(|error| match error.kind() {
                    ErrorKind::Differences => Unsent::Refused(in_one_line(&error)),
                    _ => Unsent::Failed(error),
                })?;
            store::add_merged(transaction, self.run, table, range, merged)
                .await
                .map_err(Unsent::Failed)?;
        }
        Ok(())
    }
}

fn unsent(error: Error, cause: &tokio_postgres::Error) -> Unsent {
    if failure::is_refusal(cause) {
        return Unsent::Refused(in_one_line(&error));
    }
    Unsent::Failed(error)
}

fn in_one_line(error: &Error) -> String {
    match error.full_detail() {
        None => error.message().to_owned(),
        Some(detail) => format!("{} ({})", error.message(), detail.replace('\n', " ")),
    }
}

/// The rows as a whole COPY.
fn copied(lines: &[&Line]) -> Bytes {
    let mut bytes = HEADER.to_vec();
    for line in lines {
        bytes.extend_from_slice(&line.bytes);
    }
    bytes.extend_from_slice(&TRAILER);
    Bytes::from(bytes)
}

/// The file of the rows that are still rejected.
struct Left<'a> {
    csv: csv::Writer<NamedTempFile>,
    path: &'a Path,
}

impl<'a> Left<'a> {
    fn begin(folder: &Path, path: &'a Path, header: &csv::StringRecord) -> Result<Self> {
        let file = NamedTempFile::new_in(folder).map_err(|error| not_written(path, error))?;
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(header).map_err(|error| not_written(path, error))?;
        Ok(Self { csv, path })
    }

    fn keep(&mut self, line: &Line, refusal: &str) -> Result<()> {
        self.keep_misfit(line, "", refusal)
    }

    fn keep_misfit(&mut self, line: &Line, column: &str, reason: &str) -> Result<()> {
        let cells = line.cells.iter();
        let head = cells.clone().take(2).chain([column, reason]);
        self.csv
            .write_record(head.chain(cells.skip(HEAD.len())))
            .map_err(|error| not_written(self.path, error))
    }

    fn end(self, left: u64) -> Result<()> {
        let path = self.path;
        if left == 0 {
            return std::fs::remove_file(path).map_err(|error| not_written(path, error));
        }
        let file = self.csv.into_inner().map_err(|error| not_written(path, error.into_error()))?;
        reject::replace(file, path)
    }
}

fn not_written(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::usage(format!("could not write to \"{}\"", path.display())).caused_by(error)
}
