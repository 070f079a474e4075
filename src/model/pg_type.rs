//! PostgreSQL types that a column can become.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A PostgreSQL column type (<https://www.postgresql.org/docs/current/datatype.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PgType {
    /// boolean.
    Boolean,
    /// smallint.
    SmallInt,
    /// integer.
    Integer,
    /// bigint.
    BigInt,
    /// double precision. There is no `real`: it would lose half of the digits.
    Double,
    /// numeric, with precision and scale when they are declared.
    Numeric(Option<(u16, u16)>),
    /// text.
    Text,
    /// varchar(n), n in characters.
    Varchar(u32),
    /// bytea.
    Bytea,
    /// date.
    Date,
    /// time without time zone.
    Time,
    /// timestamp without time zone.
    Timestamp,
    /// timestamp with time zone.
    TimestampTz,
    /// jsonb.
    Jsonb,
    /// uuid.
    Uuid,
}

/// Largest n of varchar(n): `MaxAttrSize` in PostgreSQL's `htup_details.h`.
pub const VARCHAR_CHARS_MAX: u32 = 10_485_760;
/// Largest declared precision of numeric (`NUMERIC_MAX_PRECISION`).
pub const NUMERIC_PRECISION_MAX: u16 = 1000;

impl PgType {
    /// Returns true for text and varchar.
    #[must_use]
    pub const fn is_textual(self) -> bool {
        matches!(self, Self::Text | Self::Varchar(_))
    }

    /// Returns true for the integer types.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::SmallInt | Self::Integer | Self::BigInt)
    }

    /// Returns the type without its length, precision and scale.
    #[must_use]
    pub const fn unlimited(self) -> Self {
        match self {
            Self::Varchar(_) => Self::Text,
            Self::Numeric(_) => Self::Numeric(None),
            other => other,
        }
    }
}

impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Integer => f.write_str("integer"),
            Self::BigInt => f.write_str("bigint"),
            Self::Double => f.write_str("double precision"),
            Self::Numeric(None) => f.write_str("numeric"),
            Self::Numeric(Some((precision, scale))) => write!(f, "numeric({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Varchar(chars) => write!(f, "varchar({chars})"),
            Self::Bytea => f.write_str("bytea"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampTz => f.write_str("timestamptz"),
            Self::Jsonb => f.write_str("jsonb"),
            Self::Uuid => f.write_str("uuid"),
        }
    }
}

impl From<PgType> for String {
    fn from(pg_type: PgType) -> Self {
        pg_type.to_string()
    }
}

impl TryFrom<String> for PgType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for PgType {
    type Err = String;

    /// Reads a type name as a type map has it, such as `numeric(12,2)`. Errors say what is allowed.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (name, arguments) = match lower.split_once('(') {
            Some((name, rest)) => {
                let inner = rest
                    .strip_suffix(')')
                    .ok_or_else(|| format!("type \"{text}\" has no closing parenthesis"))?;
                (name.trim(), Some(inner))
            }
            None => (lower.as_str(), None),
        };
        let plain = |pg_type: Self| match arguments {
            None => Ok(pg_type),
            Some(_) => Err(format!("type \"{name}\" takes no size")),
        };
        match name {
            "boolean" | "bool" => plain(Self::Boolean),
            "smallint" | "int2" => plain(Self::SmallInt),
            "integer" | "int" | "int4" => plain(Self::Integer),
            "bigint" | "int8" => plain(Self::BigInt),
            "double precision" | "float8" => plain(Self::Double),
            "text" => plain(Self::Text),
            "bytea" => plain(Self::Bytea),
            "date" => plain(Self::Date),
            "time" => plain(Self::Time),
            "timestamp" => plain(Self::Timestamp),
            "timestamptz" | "timestamp with time zone" => plain(Self::TimestampTz),
            "jsonb" => plain(Self::Jsonb),
            "uuid" => plain(Self::Uuid),
            "numeric" | "decimal" => match arguments {
                None => Ok(Self::Numeric(None)),
                Some(sizes) => precision_and_scale(sizes)
                    .map(|sizes| Self::Numeric(Some(sizes)))
                    .ok_or_else(|| format!("\"{text}\" is not numeric(precision,scale)")),
            },
            "varchar" | "character varying" => match arguments {
                None => Ok(Self::Text),
                Some(chars) => chars
                    .trim()
                    .parse()
                    .ok()
                    .filter(|chars| (1..=VARCHAR_CHARS_MAX).contains(chars))
                    .map(Self::Varchar)
                    .ok_or_else(|| format!("\"{text}\" is not varchar(1..{VARCHAR_CHARS_MAX})")),
            },
            _ => Err(format!("type \"{text}\" is not one that litelift can write")),
        }
    }
}

/// Reads `p` or `p,s` within PostgreSQL's limits.
#[must_use]
pub fn precision_and_scale(sizes: &str) -> Option<(u16, u16)> {
    let (precision, scale) = sizes.split_once(',').unwrap_or((sizes, "0"));
    let precision: u16 = precision.trim().parse().ok()?;
    let scale: u16 = scale.trim().parse().ok()?;
    ((1..=NUMERIC_PRECISION_MAX).contains(&precision) && scale <= precision)
        .then_some((precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_from_what_it_prints() {
        for pg_type in [
            PgType::Boolean,
            PgType::SmallInt,
            PgType::Integer,
            PgType::BigInt,
            PgType::Double,
            PgType::Numeric(None),
            PgType::Numeric(Some((12, 2))),
            PgType::Text,
            PgType::Varchar(80),
            PgType::Bytea,
            PgType::Date,
            PgType::Time,
            PgType::Timestamp,
            PgType::TimestampTz,
            PgType::Jsonb,
            PgType::Uuid,
        ] {
            assert_eq!(pg_type.to_string().parse(), Ok(pg_type));
        }
    }

    #[test]
    fn sizes_out_of_range_are_refused() {
        for text in [
            "varchar(0)",
            "varchar(10485761)",
            "numeric(1001,0)",
            "numeric(3,4)",
            "text(3)",
            "real",
            "int(",
        ] {
            assert!(text.parse::<PgType>().is_err(), "{text}");
        }
    }
}
