//! When does a PostgreSQL value say the same as a SQLite value?
//!
//! Purpose: one rule per PostgreSQL type, made of two decoders that write the same bytes for the
//! same value: one from SQLite's five storage classes, one from PostgreSQL's text output. Written
//! from the two manuals alone, not from what the transfer does.
//!
//! Known gaps: a number in a date column says nothing here (its epoch is a choice, not a fact); a
//! BLOB in a text column says nothing; intervals, arrays, ranges, geometry and full text have no
//! rule. `json` is compared by meaning as `jsonb` is, so its white space is not.

use std::fmt;

use rusqlite::types::ValueRef;

use super::instant;
use super::says::{Said, is_shortest, read_back, read_moment, source_says, target_says, text_in};

/// What a PostgreSQL column holds, as far as there is a rule for it. Domains are what they are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PgType {
    Bool,
    /// int2, int4, int8.
    Int,
    Float4,
    Float8,
    Numeric,
    /// text, varchar, citext, name and enums.
    Text,
    /// char(n): PostgreSQL fills it with blanks that mean nothing.
    Bpchar,
    Bytea,
    Date,
    Time,
    /// timestamp and timestamptz, both taken as UTC.
    Timestamp,
    /// json and jsonb.
    Json,
    Uuid,
    /// No rule: every value in it is a difference.
    Other(String),
}

impl PgType {
    /// Finds the rule from `pg_type.typname` and `typtype`.
    pub(crate) fn of(name: &str, kind: &str) -> Self {
        match (name, kind) {
            (_, "e") => Self::Text,
            ("bool", _) => Self::Bool,
            ("int2" | "int4" | "int8", _) => Self::Int,
            ("float4", _) => Self::Float4,
            ("float8", _) => Self::Float8,
            ("numeric", _) => Self::Numeric,
            ("text" | "varchar" | "citext" | "name", _) => Self::Text,
            ("bpchar", _) => Self::Bpchar,
            ("bytea", _) => Self::Bytea,
            ("date", _) => Self::Date,
            ("time", _) => Self::Time,
            ("timestamp" | "timestamptz", _) => Self::Timestamp,
            ("json" | "jsonb", _) => Self::Json,
            ("uuid", _) => Self::Uuid,
            _ => Self::Other(name.to_owned()),
        }
    }
}

/// Why a pair of values, or a row, is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Both say something, and not the same.
    Value,
    /// NULL in SQLite only.
    NullInSource,
    /// NULL in PostgreSQL only.
    NullInTarget,
    /// No rule lets a value of this kind be said by this type, with the words why.
    NoRule(String),
    /// The source is finer than a microsecond, and the target is the source rounded.
    Rounded,
    /// The row is only in SQLite.
    MissingRow,
    /// The row is only in PostgreSQL, or once more there.
    ExtraRow,
    /// The table has no counterpart.
    MissingTable,
    /// The column has no counterpart.
    MissingColumn,
    /// SQLite cannot read the table, with its message.
    Unreadable(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => f.write_str("values differ"),
            Self::NullInSource => f.write_str("NULL in the source only"),
            Self::NullInTarget => f.write_str("NULL in the target only"),
            Self::NoRule(why) => write!(f, "no rule: {why}"),
            Self::Rounded => f.write_str("rounded to a microsecond"),
            Self::MissingRow => f.write_str("row missing in the target"),
            Self::ExtraRow => f.write_str("row only in the target"),
            Self::MissingTable => f.write_str("table missing in the target"),
            Self::MissingColumn => f.write_str("column missing in the target"),
            Self::Unreadable(message) => write!(f, "the source table is unreadable: {message}"),
        }
    }
}

/// Tells whether the two say the same; `None` when they do.
pub(crate) fn difference(
    source: ValueRef<'_>,
    target: Option<&[u8]>,
    pg_type: &PgType,
    scratch: &mut Scratch,
) -> Option<Reason> {
    let target = match (source, target) {
        (ValueRef::Null, None) => return None,
        (ValueRef::Null, Some(_)) => return Some(Reason::NullInSource),
        (_, None) => return Some(Reason::NullInTarget),
        (_, Some(target)) => target,
    };
    scratch.source.clear();
    scratch.target.clear();
    match source_says(source, pg_type, &mut scratch.source) {
        Said::Nothing(why) => {
            if is_rounded(source, target, pg_type) {
                return Some(Reason::Rounded);
            }
            Some(Reason::NoRule(format!("{why}, {} in {pg_type:?}", source.data_type())))
        }
        Said::TextOf(real) => {
            let target = text_in(target, pg_type);
            let same = target.as_deref().and_then(read_back).map(f64::to_bits);
            (same != Some(real.to_bits())).then_some(Reason::Value)
        }
        Said::Bytes => {
            if !target_says(target, pg_type, &mut scratch.target) {
                return Some(Reason::NoRule(format!("cannot read the target's {pg_type:?}")));
            }
            let same =
                scratch.source == scratch.target || is_other_shortest(source, target, pg_type);
            (!same).then_some(Reason::Value)
        }
    }
}

/// Two buffers that are used again for each pair.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    source: Vec<u8>,
    target: Vec<u8>,
}

/// True when the target has the other one of two shortest decimals of the source's float.
fn is_other_shortest(source: ValueRef<'_>, target: &[u8], pg_type: &PgType) -> bool {
    let ValueRef::Real(real) = source else { return false };
    *pg_type == PgType::Numeric && is_shortest(real, target)
}

/// True when only digits below the microsecond are gone, and the last one is rounded.
fn is_rounded(source: ValueRef<'_>, target: &[u8], pg_type: &PgType) -> bool {
    let Some(moment) = read_moment(source) else { return false };
    let kind = match pg_type {
        PgType::Timestamp => moment.has_date,
        PgType::Time => !moment.has_date,
        _ => false,
    };
    let shown = std::str::from_utf8(target).ok().and_then(instant::parse);
    kind && moment.nanos != 0
        && shown.is_some_and(|shown| instant::rounds_to(&moment, shown.micros))
}
