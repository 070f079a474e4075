//! One pass over every value of the selected tables.
//!
//! Purpose: gives [`TableEvidence`]: counts per kind for the decisions, and cuts of about equal size
//! for the copying. Tables are scanned in segments on several threads, each thread with a connection
//! of the one snapshot. The result does not depend on the number of threads: segments follow from
//! the rowids alone.
//!
//! Knobs: `CUT_BYTES`, `SEGMENTS_MAX`.

use rayon::prelude::*;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::map::rules::{Rules, Wants};
use crate::model::evidence::{Cut, Evidence, Span, TableEvidence, ValueKind};
use crate::model::source::Table;
use crate::read::{self, Snapshot};

use super::observe::ColumnObserver;

/// COPY bytes of a part of a table. 8 to 16 MB a transaction costs nothing over one large COPY;
/// 1 MB costs 15 % (research: 190 MB in 16, 4 and 1 MB transactions).
const CUT_BYTES: u64 = 12 << 20;
/// Two neighbours are joined while they are not larger than this together.
const JOINED_BYTES_MAX: u64 = 16 << 20;
/// Parts of a table that are scanned at the same time.
const SEGMENTS_MAX: i128 = 16;
/// Fewest rowids that make a segment worth its own statement.
const SEGMENT_ROWIDS_MIN: i128 = 20_000;
/// Rows between two reports of progress.
const ROWS_PER_REPORT: u64 = 4096;

/// Scans the tables; the results are in the same order.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table; interrupted.
pub fn profile(
    snapshot: &Snapshot,
    tables: &[&Table],
    rules: &Rules,
    jobs: usize,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Vec<TableEvidence>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(|error| {
        Error::source_file("could not start the threads that scan").caused_by(error)
    })?;
    let segments = snapshot.with(|conn| {
        let mut segments = Vec::new();
        for (position, table) in tables.iter().enumerate() {
            segments.extend(segments_of(conn, table)?.into_iter().map(|span| (position, span)));
        }
        Ok(segments)
    })?;
    let wants: Vec<Vec<Wants>> = tables
        .iter()
        .map(|table| (0..table.columns.len()).map(|at| rules.wants(table, at)).collect())
        .collect();
    let scanned: Vec<TableEvidence> = pool.install(|| {
        segments
            .par_iter()
            .map(|(position, span)| {
                let scan = Scan { table: tables[*position], wants: &wants[*position], span: *span };
                snapshot.with(|conn| scan.run(conn, listener, cancel))
            })
            .collect::<Result<_>>()
    })?;
    Ok(joined(tables, &segments, scanned))
}

/// Cuts a table's rowids into segments of equal width, without looking at the rows between.
fn segments_of(conn: &Connection, table: &Table) -> Result<Vec<Span>> {
    let Some(rowid) = &table.rowid_name else { return Ok(vec![Span::Whole]) };
    let Some((min, max)) = read::rowid_bounds(conn, &table.name, rowid)? else {
        return Ok(vec![Span::Rowids { lo: i64::MIN, hi: i64::MAX }]);
    };
    let width = i128::from(max) - i128::from(min) + 1;
    let count = (width / SEGMENT_ROWIDS_MIN).clamp(1, SEGMENTS_MAX);
    let bound = |number: i128| -> i64 {
        let at = i128::from(min) + width * number / count;
        i64::try_from(at).unwrap_or(i64::MAX)
    };
    Ok((0..count)
        .map(|number| Span::Rowids {
            lo: if number == 0 { i64::MIN } else { bound(number) },
            hi: if number == count - 1 { i64::MAX } else { bound(number + 1) - 1 },
        })
        .collect())
}

/// One segment of one table.
struct Scan<'a> {
    table: &'a Table,
    wants: &'a [Wants],
    span: Span,
}

impl Scan<'_> {
    /// Scans the segment. When SQLite fails, it may be at a generated column (malformed JSON, an
    /// overflow): a second scan then leaves out those that it cannot compute.
    fn run(
        &self,
        conn: &Connection,
        listener: &dyn Listener,
        cancel: &Cancel,
    ) -> Result<TableEvidence> {
        let mut columns: Vec<Option<&str>> = self
            .table
            .columns
            .iter()
            .map(|column| column.is_readable().then_some(column.name.as_str()))
            .collect();
        let first = self.attempt(&columns, conn, listener, cancel);
        let Err(error) = first else { return first };
        cancel.check()?;
        let source = self.source(&columns);
        let generated = |position: usize| self.table.columns[position].generated.is_some();
        let broken: Vec<(usize, String)> = (columns.iter().enumerate())
            .filter(|(position, _)| generated(*position))
            .filter_map(|(position, name)| {
                Some((position, source.why_not_computable(conn, (*name)?)?))
            })
            .collect();
        if broken.is_empty() {
            return Err(error);
        }
        for (position, _) in &broken {
            columns[*position] = None;
        }
        let mut evidence = self.attempt(&columns, conn, listener, cancel)?;
        for (position, reason) in broken {
            evidence.columns[position].not_computable = Some(reason);
        }
        Ok(evidence)
    }

    fn source<'a>(&'a self, columns: &'a [Option<&'a str>]) -> read::RangeSource<'a> {
        read::RangeSource {
            table: &self.table.name,
            columns,
            rowid_name: self.table.rowid_name.as_deref(),
            span: self.span,
        }
    }

    fn attempt(
        &self,
        columns: &[Option<&str>],
        conn: &Connection,
        listener: &dyn Listener,
        cancel: &Cancel,
    ) -> Result<TableEvidence> {
        let mut observers: Vec<ColumnObserver> =
            self.wants.iter().map(|wants| ColumnObserver::new(*wants)).collect();
        let mut cutter = Cutter::new(self.span);
        let mut unreported = 0;
        self.source(columns).for_each_row(conn, |rowid, row| {
            let mut bytes = 2;
            for (position, observer) in observers.iter_mut().enumerate() {
                bytes += observer.observe(row.value(position)?, rowid);
            }
            cutter.add(rowid, bytes);
            // Each time: a row may hold a gigabyte.
            cancel.check()?;
            unreported += 1;
            if unreported == ROWS_PER_REPORT {
                report(listener, unreported);
                unreported = 0;
            }
            Ok(())
        })?;
        report(listener, unreported);
        let cuts = cutter.finish();
        Ok(TableEvidence {
            rows: cuts.iter().map(|cut| cut.rows).sum(),
            copy_bytes: cuts.iter().map(|cut| cut.copy_bytes).sum(),
            columns: observers.into_iter().map(ColumnObserver::finish).collect(),
            cuts,
        })
    }
}

fn report(listener: &dyn Listener, rows: u64) {
    if rows > 0 {
        listener.on(Event::Progress { stage: Stage::Inspect, work: rows, rows });
    }
}

/// Cuts a segment while its rows go by.
struct Cutter {
    segment: Span,
    done: Vec<Cut>,
    next_lo: i64,
    rows: u64,
    copy_bytes: u64,
}

impl Cutter {
    fn new(segment: Span) -> Self {
        let next_lo = match segment {
            Span::Whole => i64::MIN,
            Span::Rowids { lo, .. } => lo,
        };
        Self { segment, done: Vec::new(), next_lo, rows: 0, copy_bytes: 0 }
    }

    #[inline]
    fn add(&mut self, rowid: Option<i64>, bytes: u64) {
        self.rows += 1;
        self.copy_bytes += bytes;
        if self.copy_bytes >= CUT_BYTES
            && let (Span::Rowids { hi, .. }, Some(rowid)) = (self.segment, rowid)
            && rowid < hi
        {
            self.push(Span::Rowids { lo: self.next_lo, hi: rowid });
            self.next_lo = rowid + 1;
        }
    }

    fn push(&mut self, span: Span) {
        let (rows, copy_bytes) = (self.rows, self.copy_bytes);
        self.done.push(Cut { span, rows, copy_bytes });
        (self.rows, self.copy_bytes) = (0, 0);
    }

    fn finish(mut self) -> Vec<Cut> {
        match self.segment {
            Span::Whole => self.push(Span::Whole),
            Span::Rowids { hi, .. } => self.push(Span::Rowids { lo: self.next_lo, hi }),
        }
        self.done
    }
}

/// Joins the segments of each table, which come in rowid order.
fn joined(
    tables: &[&Table],
    segments: &[(usize, Span)],
    scanned: Vec<TableEvidence>,
) -> Vec<TableEvidence> {
    let mut whole: Vec<TableEvidence> = tables
        .iter()
        .map(|table| TableEvidence {
            rows: 0,
            copy_bytes: 0,
            columns: vec![Evidence::default(); table.columns.len()],
            cuts: Vec::new(),
        })
        .collect();
    for ((position, _), part) in segments.iter().zip(scanned) {
        let table = &mut whole[*position];
        table.rows += part.rows;
        table.copy_bytes += part.copy_bytes;
        for (mine, theirs) in table.columns.iter_mut().zip(&part.columns) {
            mine.merge(theirs);
        }
        for cut in part.cuts {
            push_or_join(&mut table.cuts, cut);
        }
    }
    for table in &mut whole {
        // An empty table has nothing to copy; a part without rows was joined with its neighbour
        // unless it is alone.
        table.cuts.retain(|cut| cut.rows > 0 || table.rows > 0);
        if table.rows == 0 {
            table.cuts.clear();
        }
        // Other segments may have values of a column that is read as NULL now.
        for column in table.columns.iter_mut().filter(|column| column.not_computable.is_some()) {
            let mut empty = Evidence::default();
            empty.counts[ValueKind::Null as usize] = table.rows;
            empty.not_computable = column.not_computable.take();
            *column = empty;
        }
    }
    whole
}

fn push_or_join(cuts: &mut Vec<Cut>, cut: Cut) {
    if let Some(last) = cuts.last_mut()
        && let (Span::Rowids { lo, .. }, Span::Rowids { hi, .. }) = (last.span, cut.span)
        && (last.copy_bytes + cut.copy_bytes <= JOINED_BYTES_MAX || cut.rows == 0)
    {
        last.span = Span::Rowids { lo, hi };
        last.rows += cut.rows;
        last.copy_bytes += cut.copy_bytes;
        return;
    }
    cuts.push(cut);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_cover_the_segment_without_gap_or_overlap() {
        let mut cutter = Cutter::new(Span::Rowids { lo: i64::MIN, hi: 100 });
        for rowid in 1..=100 {
            cutter.add(Some(rowid), CUT_BYTES / 10);
        }
        let cuts = cutter.finish();
        assert!(cuts.len() >= 9);
        assert_eq!(cuts.iter().map(|cut| cut.rows).sum::<u64>(), 100);
        let mut next = i64::MIN;
        for cut in &cuts {
            let Span::Rowids { lo, hi } = cut.span else { panic!() };
            assert_eq!(lo, next);
            next = hi + 1;
        }
        assert_eq!(next, 101);
    }

    #[test]
    fn small_neighbours_are_joined() {
        let cut = |lo, hi, copy_bytes| Cut { span: Span::Rowids { lo, hi }, rows: 1, copy_bytes };
        let mut cuts = Vec::new();
        push_or_join(&mut cuts, cut(i64::MIN, 9, 100));
        push_or_join(&mut cuts, cut(10, 19, 100));
        push_or_join(&mut cuts, cut(20, i64::MAX, JOINED_BYTES_MAX));
        assert_eq!(cuts.len(), 2);
        assert_eq!(cuts[0].span, Span::Rowids { lo: i64::MIN, hi: 19 });
        assert_eq!(cuts[0].rows, 2);
    }
}
