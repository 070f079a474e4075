//! Compares a table without an integer key: both sides are bags of rows.
//!
//! Purpose: the first pass counts a 128-bit hash of each row's meaning, up for the source and down
//! for the target; 16 bytes and a count a row are all that is kept. The second pass reads again the
//! rows whose counts are not zero and matches them one by one: floats that became text or
//! decimals can be spelled in several ways, and a report should name the column and not only the row.
//!
//! Known gaps: the second pass keeps at most [`KEPT_BYTES_MAX`] a side; rows beyond that stay
//! unmatched and count as differences.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use rusqlite::types::ValueRef;

use super::rules::{self, PgType, Reason, Scratch};
use super::says::{self, Said};
use super::source::{Source, select};
use super::target::Target;
use super::{Comparison, Difference, Fallible, Pair, shown_source, shown_target};

/// The most bytes of unmatched rows that the second pass keeps of one side.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// The most unmatched rows of a side that are paired by likeness, for the report only.
const PAIRED_ROWS_MAX: usize = 200;

type Counts = HashMap<u128, i64>;
type TargetRow = Vec<Option<Vec<u8>>>;

pub(crate) fn compare(
    pair: &Pair,
    source: &Source,
    target: &Target,
    comparison: &mut Comparison,
) -> Fallible<()> {
    let mut counts = Counts::new();
    let mut hasher = RowHasher::new(pair);
    let width = u64::try_from(pair.source_columns.len())?;
    let rows = each_source_row(pair, source, &mut hasher, |hash, _| {
        *counts.entry(hash).or_insert(0) += 1;
        Ok(())
    })?;
    comparison.rows += rows;
    comparison.values += rows * width;
    each_target_row(pair, target, &mut hasher, |hash, _| {
        let count = counts.entry(hash).or_insert(0);
        *count -= 1;
        if *count == 0 {
            counts.remove(&hash);
        }
        Ok(())
    })?;
    if counts.is_empty() {
        return Ok(());
    }
    let mut leftovers = Leftovers::collect(pair, source, target, &mut hasher, counts)?;
    leftovers.match_spellings(pair, &mut hasher);
    leftovers.report(pair, comparison);
    Ok(())
}

fn each_source_row(
    pair: &Pair,
    source: &Source,
    hasher: &mut RowHasher,
    mut visit: impl FnMut(u128, &rusqlite::Row<'_>) -> Fallible<()>,
) -> Fallible<u64> {
    let sql = select(&pair.table, &pair.source_columns, false);
    let mut statement = source.connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        hasher.start();
        for (index, pg_type) in pair.types.iter().enumerate() {
            hasher.add_source(row.get_ref(index)?, pg_type, Spelling::Exact);
        }
        visit(hasher.finish(), row)?;
        count += 1;
    }
    Ok(count)
}

fn each_target_row(
    pair: &Pair,
    target: &Target,
    hasher: &mut RowHasher,
    mut visit: impl FnMut(u128, TargetView<'_>) -> Fallible<()>,
) -> Fallible<()> {
    let mut rows = pair.target_rows(target, None)?;
    while rows.advance()? {
        hasher.start();
        for (index, pg_type) in pair.types.iter().enumerate() {
            hasher.add_target(rows.value(index), pg_type, Spelling::Exact);
        }
        visit(hasher.finish(), TargetView(&rows, pair.types.len()))?;
    }
    Ok(())
}

struct TargetView<'a>(&'a super::target::Rows<'a>, usize);

/// How the text of a number is hashed in a column of text or decimals.
#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    /// As it is; a float on the source side equals nothing.
    Exact,
    /// By its value: all spellings of a float are alike.
    Any,
}

struct RowHasher {
    bytes: Vec<u8>,
    value: Vec<u8>,
}

impl RowHasher {
    fn new(pair: &Pair) -> Self {
        Self { bytes: Vec::with_capacity(pair.types.len() * 16), value: Vec::new() }
    }

    fn start(&mut self) {
        self.bytes.clear();
    }

    fn add_source(&mut self, value: ValueRef<'_>, pg_type: &PgType, spelling: Spelling) {
        if value == ValueRef::Null {
            self.bytes.push(0);
            return;
        }
        self.value.clear();
        match says::source_says(value, pg_type, &mut self.value) {
            Said::Bytes => self.push_value(pg_type, spelling),
            Said::TextOf(real) if spelling == Spelling::Any => self.push_number(real),
            // Tags that the target side never writes: these rows go to the second pass.
            Said::TextOf(_) => self.bytes.push(2),
            Said::Nothing(_) => self.bytes.push(3),
        }
    }

    fn add_target(&mut self, value: Option<&[u8]>, pg_type: &PgType, spelling: Spelling) {
        let Some(text) = value else {
            self.bytes.push(0);
            return;
        };
        self.value.clear();
        if says::target_says(text, pg_type, &mut self.value) {
            self.push_value(pg_type, spelling);
        } else {
            self.bytes.push(4);
        }
    }

    fn push_value(&mut self, pg_type: &PgType, spelling: Spelling) {
        let spelled =
            matches!(pg_type, PgType::Text | PgType::Bpchar | PgType::Bytea | PgType::Numeric);
        if spelled
            && spelling == Spelling::Any
            && let Some(real) = says::read_back(&self.value)
        {
            self.push_number(real);
            return;
        }
        self.bytes.push(1);
        self.bytes.extend_from_slice(&self.value.len().to_le_bytes());
        self.bytes.extend_from_slice(&self.value);
    }

    fn push_number(&mut self, real: f64) {
        self.bytes.push(5);
        self.bytes.extend_from_slice(&real.to_bits().to_le_bytes());
    }

    fn finish(&self) -> u128 {
        let half = |seed: u8| {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(seed);
            hasher.write(&self.bytes);
            u128::from(hasher.finish())
        };
        half(1) << 64 | half(2)
    }
}

/// The rows that found no equal, and how many did not fit in memory.
struct Leftovers {
    source: Vec<Vec<Kept>>,
    target: Vec<TargetRow>,
    source_beyond: u64,
    target_beyond: u64,
}

impl Leftovers {
    fn collect(
        pair: &Pair,
        source: &Source,
        target: &Target,
        hasher: &mut RowHasher,
        mut counts: Counts,
    ) -> Fallible<Self> {
        let width = pair.types.len();
        let mut left =
            Self { source: Vec::new(), target: Vec::new(), source_beyond: 0, target_beyond: 0 };
        let mut bytes = 0;
        each_source_row(pair, source, hasher, |hash, row| {
            let Some(count) = counts.get_mut(&hash).filter(|count| **count > 0) else {
                return Ok(());
            };
            *count -= 1;
            if bytes > KEPT_BYTES_MAX {
                left.source_beyond += 1;
                return Ok(());
            }
            let mut kept = Vec::with_capacity(width);
            for index in 0..width {
                let value = Kept::of(row.get_ref(index)?);
                bytes += 32 + value.len();
                kept.push(value);
            }
            left.source.push(kept);
            Ok(())
        })?;
        bytes = 0;
        each_target_row(pair, target, hasher, |hash, TargetView(rows, width)| {
            let Some(count) = counts.get_mut(&hash).filter(|count| **count < 0) else {
                return Ok(());
            };
            *count += 1;
            if bytes > KEPT_BYTES_MAX {
                left.target_beyond += 1;
                return Ok(());
            }
            let row: TargetRow =
                (0..width).map(|index| rows.value(index).map(<[u8]>::to_vec)).collect();
            bytes += row.iter().map(|value| 32 + value.as_ref().map_or(0, Vec::len)).sum::<usize>();
            left.target.push(row);
            Ok(())
        })?;
        Ok(left)
    }

    /// Takes out the pairs that are the same although their bytes are not: floats as text.
    fn match_spellings(&mut self, pair: &Pair, hasher: &mut RowHasher) {
        let mut by_meaning: HashMap<u128, Vec<usize>> = HashMap::new();
        for (position, row) in self.target.iter().enumerate() {
            hasher.start();
            for (value, pg_type) in row.iter().zip(&pair.types) {
                hasher.add_target(value.as_deref(), pg_type, Spelling::Any);
            }
            by_meaning.entry(hasher.finish()).or_default().push(position);
        }
        let mut taken = vec![false; self.target.len()];
        let target = &self.target;
        let mut scratch = Scratch::default();
        self.source.retain(|row| {
            hasher.start();
            for (value, pg_type) in row.iter().zip(&pair.types) {
                hasher.add_source(value.view(), pg_type, Spelling::Any);
            }
            let alike = by_meaning.get_mut(&hasher.finish());
            let found = alike.and_then(|positions| {
                let at = positions.iter().position(|position| {
                    unlike(row, &target[*position], &pair.types, &mut scratch) == 0
                })?;
                Some(positions.swap_remove(at))
            });
            if let Some(position) = found {
                taken[position] = true;
            }
            found.is_none()
        });
        let mut taken = taken.into_iter();
        self.target.retain(|_| !taken.next().unwrap_or(false));
    }

    /// Reports what is left: columns where two rows are alike for the most part, else whole rows.
    fn report(self, pair: &Pair, comparison: &mut Comparison) {
        let Self { source, mut target, source_beyond, target_beyond } = self;
        let mut scratch = Scratch::default();
        let by_likeness = source.len() <= PAIRED_ROWS_MAX && target.len() <= PAIRED_ROWS_MAX;
        for row in source {
            let likest = target
                .iter()
                .enumerate()
                .filter(|_| by_likeness)
                .map(|(at, other)| (unlike(&row, other, &pair.types, &mut scratch), at))
                .min()
                .filter(|(unlike, _)| unlike * 2 <= pair.types.len());
            match likest {
                Some((_, at)) => {
                    let other = target.swap_remove(at);
                    report_columns(pair, &row, &other, comparison);
                }
                None => comparison.add(|| missing(pair, &row)),
            }
        }
        for row in &target {
            comparison.add(|| extra(pair, row));
        }
        for (count, reason) in
            [(source_beyond, Reason::MissingRow), (target_beyond, Reason::ExtraRow)]
        {
            for _ in 0..count {
                comparison.add_whole(&pair.table.name, "", reason.clone());
            }
        }
    }
}

/// In how many columns two rows differ.
fn unlike(
    row: &[Kept],
    other: &[Option<Vec<u8>>],
    types: &[PgType],
    scratch: &mut Scratch,
) -> usize {
    row.iter()
        .zip(other)
        .zip(types)
        .filter(|((from, to), pg_type)| {
            rules::difference(from.view(), to.as_deref(), pg_type, scratch).is_some()
        })
        .count()
}

fn report_columns(
    pair: &Pair,
    row: &[Kept],
    other: &[Option<Vec<u8>>],
    comparison: &mut Comparison,
) {
    let mut scratch = Scratch::default();
    for (index, (from, to)) in row.iter().zip(other).enumerate() {
        let reason =
            rules::difference(from.view(), to.as_deref(), &pair.types[index], &mut scratch);
        if let Some(reason) = reason {
            comparison.add(|| Difference {
                table: pair.table.name.clone(),
                key: shown_row(row),
                column: pair.source_columns[index].clone(),
                source: shown_source(from.view()),
                target: shown_target(to.as_deref()),
                reason,
            });
        }
    }
}

fn missing(pair: &Pair, row: &[Kept]) -> Difference {
    Difference {
        table: pair.table.name.clone(),
        key: shown_row(row),
        column: String::new(),
        source: "a row".to_owned(),
        target: "no row".to_owned(),
        reason: Reason::MissingRow,
    }
}

fn extra(pair: &Pair, row: &[Option<Vec<u8>>]) -> Difference {
    let values: Vec<String> =
        row.iter().take(12).map(|value| shown_target(value.as_deref())).collect();
    Difference {
        table: pair.table.name.clone(),
        key: values.join(", "),
        column: String::new(),
        source: "no row".to_owned(),
        target: "a row".to_owned(),
        reason: Reason::ExtraRow,
    }
}

fn shown_row(row: &[Kept]) -> String {
    let values: Vec<String> = row.iter().take(12).map(|value| shown_source(value.view())).collect();
    values.join(", ")
}

/// A SQLite value that outlives its row. Not rusqlite's `Value`, whose text must be UTF-8.
enum Kept {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Kept {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(integer) => Self::Integer(integer),
            ValueRef::Real(real) => Self::Real(real),
            ValueRef::Text(text) => Self::Text(text.to_vec()),
            ValueRef::Blob(blob) => Self::Blob(blob.to_vec()),
        }
    }

    fn view(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len(),
            _ => 0,
        }
    }
}
