//! An independent witness of what arrived: a second reading of every value, for `verify --level full`.
//!
//! Purpose: rows come back out of PostgreSQL by COPY BINARY and are held against the source's. A bug of
//! the encoder would be in both were it used again here, so this room shares nothing with `encode`: it
//! says once more, by other means, what docs/type-maps.md promises of each conversion ([`ColumnWitness`]),
//! and what a field of PostgreSQL's says (`received`). Both are brought into one neutral form per type,
//! in which nothing is equal that PostgreSQL tells apart: -0.0 and 0.0, 1.0 and 1.00, NULL and ''.
//! [`rows`] takes the rows out of the stream. Pure: no driver, no files.
//!
//! Known gaps: `interval` with a range of fields (`interval day to hour`) is read as plain interval; a
//! `varchar(n)[]` whose blanks the server cut is reported as different, for it is; enum, domain and
//! citext columns must be read by a cast to their base type.
//!
//! Knobs: none.

mod address;
mod document;
mod duration;
mod label;
mod list;
mod moment;
mod neutral;
mod number;
mod received;
pub mod rows;
mod source;
mod text;

use crate::model::convert::{Conversion, Convert};
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::plan::ColumnPlan;
use crate::model::value::Value;

pub use moment::SourceClock;
pub use rows::RowStream;

/// Why a value of the source does not fit its column, so that its row must not have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit(pub &'static str);

/// Why bytes of the target are not what COPY BINARY may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// What a value of the source and a field of the target have to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// The field is what the conversion makes of the value.
    Same,
    /// It is another value.
    Differs,
    /// The value does not fit: its row must have been rejected, and yet it is there.
    Unfit(Unfit),
    /// The field is not one of the column's type.
    Malformed(Malformed),
}

/// Memory for one comparison after the other; one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    expected: Vec<u8>,
    found: Vec<u8>,
}

/// Says of one column what must have become of each value.
#[derive(Debug, Clone)]
pub struct ColumnWitness {
    pg_type: PgType,
    named: Option<Conversion>,
    from: moment::From,
    clock: SourceClock,
    labels: label::Labels,
    /// Whether a value that does not fit is NULL.
    nulls: bool,
    /// Whether NULL does not fit.
    required: bool,
    /// What the column's type rounds to, when it keeps less than microseconds.
    step_us: Option<i64>,
}

impl ColumnWitness {
    /// Makes the witness of a column; `clock` is that of `--source-tz`.
    #[must_use]
    pub fn new(plan: &ColumnPlan, clock: &SourceClock) -> Self {
        let named = match plan.convert {
            Convert::Named(conversion) => Some(conversion),
            Convert::Plain | Convert::Enum(_) => None,
        };
        let required = plan.demands.required;
        Self {
            pg_type: plan.pg_type,
            named,
            from: moment::From::of(named),
            clock: clock.clone(),
            labels: label::Labels::new(plan),
            nulls: plan.on_misfit == OnMisfit::Null && !required,
            required,
            step_us: plan.demands.rounds_to_us(),
        }
    }

    fn stepped(&self, us: i64) -> i64 {
        self.step_us.map_or(us, |step_us| moment::stepped(us, step_us))
    }

    /// Compares a value of the source with a field of the target; `None` is NULL.
    #[inline]
    #[must_use]
    pub fn agrees(
        &self,
        value: Value<'_>,
        field: Option<&[u8]>,
        scratch: &mut Scratch,
    ) -> Agreement {
        if self.is_plainly_same(value, field) {
            return Agreement::Same;
        }
        self.agrees_by_form(value, field, scratch)
    }

    /// The commonest cases, in which nothing has to be written down. False says nothing.
    #[inline]
    fn is_plainly_same(&self, value: Value<'_>, field: Option<&[u8]>) -> bool {
        let Some(field) = field else { return value == Value::Null && !self.required };
        match (self.pg_type, value) {
            (PgType::BigInt, Value::Integer(value)) => field == value.to_be_bytes(),
            (PgType::Integer, Value::Integer(value)) => {
                i32::try_from(value).is_ok_and(|value| field == value.to_be_bytes())
            }
            (PgType::SmallInt, Value::Integer(value)) => {
                i16::try_from(value).is_ok_and(|value| field == value.to_be_bytes())
            }
            (PgType::Boolean, Value::Integer(value)) => match value {
                0 => field == [0],
                1 => field == [1],
                _ => false,
            },
            (PgType::Double, Value::Real(value)) => field == value.to_bits().to_be_bytes(),
            // No conversion changes a text that PostgreSQL holds as it is.
            (PgType::Text | PgType::Varchar(_) | PgType::Json, Value::Text(text)) => field == text,
            (PgType::Bytea, Value::Blob(bytes) | Value::Text(bytes)) => field == bytes,
            // A document in the form that jsonb itself prints.
            (PgType::Jsonb, Value::Text(text)) => field.split_first() == Some((&1, text)),
            _ => false,
        }
    }

    fn agrees_by_form(
        &self,
        value: Value<'_>,
        field: Option<&[u8]>,
        scratch: &mut Scratch,
    ) -> Agreement {
        scratch.expected.clear();
        scratch.found.clear();
        if let Err(malformed) = self.neutral_target(field, &mut scratch.found) {
            return Agreement::Malformed(malformed);
        }
        match self.neutral_source(value, &mut scratch.expected) {
            Err(unfit) => Agreement::Unfit(unfit),
            Ok(()) if scratch.expected == scratch.found => Agreement::Same,
            Ok(()) => Agreement::Differs,
        }
    }

    /// Appends the neutral form of what the conversion makes of a value. Of one column two values are
    /// equal exactly when their forms are; forms of several columns may stand behind one another.
    ///
    /// # Errors
    /// [`Unfit`] when the row must have been rejected; nothing is appended then.
    pub fn neutral_source(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
        if value == Value::Null {
            if self.required {
                return Err(Unfit("NULL in a NOT NULL column"));
            }
            neutral::put_null(out);
            return Ok(());
        }
        match neutral::put_by(out, |out| source::put(self, value, out)) {
            Err(_) if self.nulls => {
                neutral::put_null(out);
                Ok(())
            }
            put => put,
        }
    }

    /// Appends the neutral form of a field of COPY BINARY; `None` is NULL.
    ///
    /// # Errors
    /// [`Malformed`] when the field is not one of the column's type; nothing is appended then.
    pub fn neutral_target(&self, field: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let Some(field) = field else {
            neutral::put_null(out);
            return Ok(());
        };
        neutral::put_by(out, |out| received::put(self.pg_type, field, out))
    }

    /// Prints a field for a report: text in quotes, the others nearly as PostgreSQL does, instants in UTC;
    /// at most 80 characters, without control characters. The source's value is printed by [`Value::shown`].
    #[must_use]
    pub fn shown_target(&self, field: Option<&[u8]>) -> String {
        field.map_or_else(|| "NULL".to_owned(), |field| received::shown(self.pg_type, field))
    }
}
