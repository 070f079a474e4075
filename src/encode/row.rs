//! Rows of COPY BINARY, value by value.

use crate::model::on_misfit::OnMisfit;
use crate::model::plan::ColumnPlan;
use crate::model::value::Value;

use super::column::ColumnEncoder;
use super::field;
use super::zone::Zone;

/// A value that its column cannot hold. With decisions made from all values of the same snapshot
/// this does not happen; under a fixed rule it is what a rejected row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// Why, such as `not 0 or 1`.
    pub reason: &'static str,
}

impl Misfit {
    /// Makes one.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

/// The misfit of a NULL where the target has NOT NULL.
const NULL_IN_NOT_NULL: Misfit = Misfit::new("NULL in a NOT NULL column");

/// Encodes the rows of one table. The encoder of each column is chosen once.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    columns: Vec<ColumnEncoder>,
    /// Whether a value that does not fit becomes NULL, per column.
    nulls: Vec<bool>,
    /// Whether a NULL does not fit, per column.
    required: Vec<bool>,
    field_count: [u8; 2],
}

impl RowEncoder {
    /// Makes the encoder of a table's columns, at most 1,600 (PostgreSQL's limit; the plan checks).
    #[must_use]
    pub fn new(columns: &[ColumnPlan], zone: &Zone) -> Self {
        Self::of(columns, columns.iter().map(|column| ColumnEncoder::new(column, zone)).collect())
    }

    /// Makes one whose fields are as the conversion makes them, before the server rounds or pads them: by it
    /// is seen what that changes.
    #[must_use]
    pub fn before_stored(columns: &[ColumnPlan], zone: &Zone) -> Self {
        let encoders = columns.iter().map(|column| ColumnEncoder::unchanged(column, zone));
        Self::of(columns, encoders.collect())
    }

    fn of(columns: &[ColumnPlan], encoders: Vec<ColumnEncoder>) -> Self {
        let count = i16::try_from(columns.len()).unwrap_or(i16::MAX);
        Self {
            columns: encoders,
            nulls: columns
                .iter()
                .map(|column| column.on_misfit == OnMisfit::Null && !column.demands.required)
                .collect(),
            required: columns.iter().map(|column| column.demands.required).collect(),
            field_count: count.to_be_bytes(),
        }
    }

    /// Begins a row. [`Self::field`] must follow once per column, in order.
    #[inline]
    pub fn begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.field_count);
    }

    /// Appends the field of one column. A value that does not fit is NULL where the rule says so.
    ///
    /// # Errors
    /// A [`Misfit`]; `out` may then end in a part of the row and must be cut back by the caller.
    #[inline]
    pub fn field(&self, column: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        if value == Value::Null {
            if self.required.get(column).copied().unwrap_or(false) {
                return Err(NULL_IN_NOT_NULL);
            }
            field::null(out);
            return Ok(());
        }
        let Some(encoder) = self.columns.get(column) else {
            return Err(Misfit::new("no such column"));
        };
        let begin = out.len();
        match encoder.put(value, out) {
            Err(_) if self.nulls[column] => {
                out.truncate(begin);
                field::null(out);
                Ok(())
            }
            put => put,
        }
    }
}
