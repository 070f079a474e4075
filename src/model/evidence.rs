//! What the values of a column are, counted over every row.
//!
//! Purpose: each value has exactly one [`ValueKind`]; the counts per kind, with a few extremes, are
//! all that the decision needs. "Does type T hold the column, and how many values would not fit?"
//! is then a sum over kinds, so the report's numbers are exact, not sampled.
//!
//! Known gaps: numeric precision is only measured for columns of NUMERIC affinity, JSON only where
//! the declaration speaks of JSON (both cost more than the rest of the scan together).

use serde::{Deserialize, Serialize};

use super::value::Value;

/// The finest class of a value that any decision needs. A value has one kind: the first in this
/// order that fits its storage class and form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum ValueKind {
    /// SQL NULL.
    Null,
    /// Integer 0 or 1.
    IntegerBool,
    /// Integer within 16 bits.
    Integer16,
    /// Integer within 32 bits.
    Integer32,
    /// Integer within ±2^53: exact in a double.
    Integer53,
    /// Any other integer.
    Integer64,
    /// Real without a fraction, within ±2^53.
    RealIntegral,
    /// Any other finite real, but not -0.0.
    Real,
    /// Real -0.0, whose sign only a double keeps.
    RealMinusZero,
    /// Real infinity.
    RealInfinite,
    /// Empty text.
    TextEmpty,
    /// Text `0` or `1`.
    TextBoolDigit,
    /// Text t, f, true, false, y, n, yes, no, on or off in either case.
    TextBoolWord,
    /// Text that is a 64-bit integer as PostgreSQL prints it: no sign +, no leading zeros.
    TextInteger,
    /// Text that is a plain decimal as PostgreSQL's numeric prints it.
    TextDecimal,
    /// Text `YYYY-MM-DD`, a real day of the years 0001-9999.
    TextDate,
    /// Text `HH:MM[:SS[.ffffff]]`.
    TextTime,
    /// Text date and time without zone, at most six digits of fraction.
    TextTimestamp,
    /// Text date and time with Z or an offset.
    TextTimestampTz,
    /// Text UUID in the 8-4-4-4-12 form.
    TextUuid,
    /// Text that is a JSON object or array which jsonb can hold; only looked for where a rule asks.
    TextJson,
    /// Text that is another JSON document which jsonb can hold; only looked for where a rule asks.
    TextJsonScalar,
    /// Any other valid text without NUL.
    Text,
    /// Valid UTF-8 that holds a NUL byte, which PostgreSQL's text cannot.
    TextNul,
    /// Text that is not UTF-8.
    TextBadUtf8,
    /// Sixteen bytes.
    Blob16,
    /// Any other blob.
    Blob,
}

impl ValueKind {
    /// Number of kinds.
    pub const COUNT: usize = Self::Blob as usize + 1;

    /// All kinds, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Null,
        Self::IntegerBool,
        Self::Integer16,
        Self::Integer32,
        Self::Integer53,
        Self::Integer64,
        Self::RealIntegral,
        Self::Real,
        Self::RealMinusZero,
        Self::RealInfinite,
        Self::TextEmpty,
        Self::TextBoolDigit,
        Self::TextBoolWord,
        Self::TextInteger,
        Self::TextDecimal,
        Self::TextDate,
        Self::TextTime,
        Self::TextTimestamp,
        Self::TextTimestampTz,
        Self::TextUuid,
        Self::TextJson,
        Self::TextJsonScalar,
        Self::Text,
        Self::TextNul,
        Self::TextBadUtf8,
        Self::Blob16,
        Self::Blob,
    ];

    /// Returns true for the kinds of storage class INTEGER.
    #[must_use]
    pub fn is_integer(self) -> bool {
        (Self::IntegerBool..=Self::Integer64).contains(&self)
    }

    /// Returns true for the kinds of storage class REAL.
    #[must_use]
    pub fn is_real(self) -> bool {
        (Self::RealIntegral..=Self::RealInfinite).contains(&self)
    }

    /// Returns true for the kinds of storage class TEXT.
    #[must_use]
    pub fn is_text(self) -> bool {
        (Self::TextEmpty..=Self::TextBadUtf8).contains(&self)
    }

    /// Returns true for the kinds of storage class BLOB.
    #[must_use]
    pub fn is_blob(self) -> bool {
        matches!(self, Self::Blob16 | Self::Blob)
    }

    /// Returns the words that a report uses for the kind.
    #[must_use]
    pub fn shown(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::IntegerBool => "0/1",
            Self::Integer16 | Self::Integer32 | Self::Integer53 | Self::Integer64 => "integer",
            Self::RealIntegral | Self::Real => "real",
            Self::RealMinusZero => "-0.0",
            Self::RealInfinite => "infinity",
            Self::TextEmpty => "empty text",
            Self::TextBoolDigit => "text 0/1",
            Self::TextBoolWord => "text true/false",
            Self::TextInteger => "integer as text",
            Self::TextDecimal => "decimal as text",
            Self::TextDate => "ISO date",
            Self::TextTime => "ISO time",
            Self::TextTimestamp => "ISO timestamp",
            Self::TextTimestampTz => "ISO timestamp with zone",
            Self::TextUuid => "UUID text",
            Self::TextJson => "JSON",
            Self::TextJsonScalar => "JSON scalar",
            Self::Text => "text",
            Self::TextNul => "text with NUL",
            Self::TextBadUtf8 => "text, not UTF-8",
            Self::Blob16 | Self::Blob => "blob",
        }
    }
}

/// A value that stands for many of its kind in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Rowid of the row, where the table has one.
    pub rowid: Option<i64>,
    /// The value, cut at 80 characters.
    pub value: String,
}

/// How many values, and the first of them in rowid order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Values.
    pub count: u64,
    /// The first one.
    pub example: Option<Example>,
}

impl Tally {
    /// Counts a value.
    pub fn add(&mut self, value: Value<'_>, rowid: Option<i64>) {
        self.count += 1;
        if self.example.is_none() {
            self.example = Some(Example { rowid, value: value.shown() });
        }
    }

    fn merge(&mut self, later: &Self) {
        self.count += later.count;
        if self.example.is_none() {
            self.example.clone_from(&later.example);
        }
    }
}

/// How ISO dates and timestamps without zone are written. Those of one form sort as text as they do
/// as time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampForm {
    /// What stands between date and time: a blank or `T`; a blank for a date alone.
    pub separator: char,
    /// Length in characters.
    pub length: u8,
}

impl StampForm {
    /// `YYYY-MM-DD`
    pub const DATE: Self = Self { separator: ' ', length: 10 };
    /// `YYYY-MM-DD HH:MM:SS`
    pub const SECONDS: Self = Self { separator: ' ', length: 19 };

    /// Returns the form of a text that is a date or a timestamp.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let separator = if text.get(10) == Some(&b'T') { 'T' } else { ' ' };
        Self { separator, length: u8::try_from(text.len()).unwrap_or(u8::MAX) }
    }
}

/// What the values of one column are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Number of values per kind, indexed by `ValueKind as usize`.
    pub counts: Vec<u64>,
    /// The first value of each kind in rowid order; NULL has none.
    pub examples: Vec<Option<Example>>,
    /// Smallest integer.
    pub integer_min: Option<i64>,
    /// Largest integer.
    pub integer_max: Option<i64>,
    /// Longest text in characters, over texts that are valid UTF-8.
    pub text_chars_max: u64,
    /// Longest value in bytes, text or blob.
    pub bytes_max: u64,
    /// Most digits before the point of a number, measured on NUMERIC affinity only.
    pub digits_before_point_max: u32,
    /// Most digits after the point of a number, measured on NUMERIC affinity only.
    pub digits_after_point_max: u32,
    /// JSON documents with a key twice in one object; only looked for with [`ValueKind::TextJson`].
    pub repeated_keys: Tally,
    /// Timestamps with an offset from UTC that is not zero.
    pub offsets: Tally,
    /// The one form that all ISO dates and timestamps have; `None` when there are none, or several.
    pub stamp_form: Option<StampForm>,
    /// True when dates and timestamps of several forms were seen.
    pub has_stamp_forms: bool,
    /// SQLite's message when it cannot compute a generated column for some row: the column is then
    /// taken as NULL in every row.
    pub not_computable: Option<String>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            counts: vec![0; ValueKind::COUNT],
            examples: vec![None; ValueKind::COUNT],
            integer_min: None,
            integer_max: None,
            text_chars_max: 0,
            bytes_max: 0,
            digits_before_point_max: 0,
            digits_after_point_max: 0,
            repeated_keys: Tally::default(),
            offsets: Tally::default(),
            stamp_form: None,
            has_stamp_forms: false,
            not_computable: None,
        }
    }
}

impl Evidence {
    /// Takes the form of an ISO date or timestamp.
    pub fn see_stamp(&mut self, form: StampForm) {
        match self.stamp_form {
            _ if self.has_stamp_forms => {}
            None => self.stamp_form = Some(form),
            Some(known) if known == form => {}
            Some(_) => {
                self.stamp_form = None;
                self.has_stamp_forms = true;
            }
        }
    }

    /// Returns how many values have a kind.
    #[must_use]
    pub fn count(&self, kind: ValueKind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// Returns the number of rows seen.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the number of values that are not NULL.
    #[must_use]
    pub fn not_null(&self) -> u64 {
        self.rows() - self.count(ValueKind::Null)
    }

    /// Sums the counts of the kinds that a predicate selects.
    pub fn sum(&self, select: impl Fn(ValueKind) -> bool) -> u64 {
        ValueKind::ALL.iter().filter(|kind| select(**kind)).map(|kind| self.count(*kind)).sum()
    }

    /// Returns the examples of the kinds that a predicate selects, in kind order.
    pub fn examples_of(&self, select: impl Fn(ValueKind) -> bool) -> Vec<Example> {
        ValueKind::ALL
            .iter()
            .filter(|kind| select(**kind))
            .filter_map(|kind| self.examples.get(*kind as usize).cloned().flatten())
            .collect()
    }

    /// Joins what was found in another part of the same column. The other part must come later in
    /// rowid order, so that the example kept is the first of the column.
    pub fn merge(&mut self, later: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&later.counts) {
            *mine += theirs;
        }
        for (mine, theirs) in self.examples.iter_mut().zip(&later.examples) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        self.integer_min = min_of(self.integer_min, later.integer_min);
        self.integer_max = later.integer_max.max(self.integer_max);
        self.text_chars_max = self.text_chars_max.max(later.text_chars_max);
        self.bytes_max = self.bytes_max.max(later.bytes_max);
        self.digits_before_point_max =
            self.digits_before_point_max.max(later.digits_before_point_max);
        self.digits_after_point_max = self.digits_after_point_max.max(later.digits_after_point_max);
        self.repeated_keys.merge(&later.repeated_keys);
        self.offsets.merge(&later.offsets);
        if let Some(form) = later.stamp_form {
            self.see_stamp(form);
        }
        if later.has_stamp_forms {
            self.has_stamp_forms = true;
            self.stamp_form = None;
        }
        if self.not_computable.is_none() {
            self.not_computable.clone_from(&later.not_computable);
        }
    }
}

fn min_of(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What one pass over a table found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableEvidence {
    /// Number of rows.
    pub rows: u64,
    /// About how many bytes the rows make as COPY BINARY.
    pub copy_bytes: u64,
    /// Per column, in the order of `Table::columns`.
    pub columns: Vec<Evidence>,
    /// The table cut into parts of about equal COPY bytes, in key order, covering every row.
    pub cuts: Vec<Cut>,
}

/// A part of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Which rows.
    pub span: Span,
    /// How many rows.
    pub rows: u64,
    /// About how many bytes of COPY BINARY.
    pub copy_bytes: u64,
}

/// Which rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Span {
    /// Every row, read in one statement: tables that cannot be paged by rowid.
    Whole,
    /// Rows with `lo <= rowid <= hi`. The first span of a table starts at `i64::MIN` and the last
    /// ends at `i64::MAX`, so that together they miss nothing.
    Rowids {
        /// First rowid.
        lo: i64,
        /// Last rowid.
        hi: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed_in_order_and_once() {
        for (position, kind) in ValueKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, position);
        }
    }

    #[test]
    fn merge_keeps_the_first_example_and_the_extremes() {
        let mut first = Evidence { integer_min: Some(3), ..Evidence::default() };
        let example = |rowid| Some(Example { rowid: Some(rowid), value: String::new() });
        let mut second =
            Evidence { integer_min: Some(-1), integer_max: Some(9), ..Evidence::default() };
        second.examples[ValueKind::Text as usize] = example(7);
        second.counts[ValueKind::Text as usize] = 2;
        second.offsets.add(Value::Integer(1), Some(7));
        first.merge(&second);
        let mut third = Evidence::default();
        third.offsets.add(Value::Integer(2), Some(8));
        third.examples[ValueKind::Text as usize] = example(8);
        first.merge(&third);
        let offset = Example { rowid: Some(7), value: "1".to_owned() };
        assert_eq!(first.offsets, Tally { count: 2, example: Some(offset) });
        assert_eq!(first.integer_min, Some(-1));
        assert_eq!(first.integer_max, Some(9));
        assert_eq!(first.count(ValueKind::Text), 2);
        assert_eq!(first.examples_of(ValueKind::is_text), vec![example(7).unwrap()]);
    }
}
