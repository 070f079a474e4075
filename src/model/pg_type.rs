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
    /// real: only where a rule asks for it, and only values that it holds exactly.
    Real,
    /// double precision.
    Double,
    /// numeric, with precision and scale when they are declared.
    Numeric(Option<(u16, u16)>),
    /// text.
    Text,
    /// varchar(n), n in characters.
    Varchar(u32),
    /// char(n), n in characters; PostgreSQL pads it with blanks.
    Char(u32),
    /// bytea.
    Bytea,
    /// date.
    Date,
    /// time without time zone.
    Time,
    /// time with time zone.
    TimeTz,
    /// timestamp without time zone.
    Timestamp,
    /// timestamp with time zone.
    TimestampTz,
    /// interval.
    Interval,
    /// json: the text as it is.
    Json,
    /// jsonb.
    Jsonb,
    /// uuid.
    Uuid,
    /// inet.
    Inet,
    /// cidr.
    Cidr,
    /// macaddr.
    MacAddr,
    /// A one-dimensional array.
    Array(Element),
    /// An enum type that litelift makes in the target schema.
    Enum(EnumName),
}

/// The name of an enum type: at most 63 bytes, kept in place so that a type stays a plain value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnumName {
    bytes: [u8; ENUM_NAME_BYTES_MAX],
    length: u8,
}

/// Longest identifier of PostgreSQL (`NAMEDATALEN` - 1).
const ENUM_NAME_BYTES_MAX: usize = 63;

impl EnumName {
    /// Takes a name of 1 to 63 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let length = u8::try_from(name.len()).ok().filter(|length| *length > 0)?;
        let mut bytes = [0; ENUM_NAME_BYTES_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self { bytes, length })
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only `new` makes one, from a str of that length.
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Debug for EnumName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// text.
    Text,
    /// varchar without a length of ours: the server checks the column's.
    Varchar,
    /// smallint.
    SmallInt,
    /// integer.
    Integer,
    /// bigint.
    BigInt,
    /// double precision.
    Double,
    /// boolean.
    Boolean,
    /// uuid.
    Uuid,
    /// An enum type that is there already, by its oid; the column's demands have its labels.
    Enum(u32),
}

/// What stands before the oid of an enum type in the name of its array.
const ENUM_OID: &str = "enum#";

impl Element {
    const ALL: [(Self, &'static str, i32); 8] = [
        (Self::Text, "text", 25),
        (Self::Varchar, "varchar", 1043),
        (Self::SmallInt, "smallint", 21),
        (Self::Integer, "integer", 23),
        (Self::BigInt, "bigint", 20),
        (Self::Double, "double precision", 701),
        (Self::Boolean, "boolean", 16),
        (Self::Uuid, "uuid", 2950),
    ];

    /// Returns the oid of the type, which PostgreSQL never changes (`pg_type.dat`) but for enums.
    #[must_use]
    pub const fn oid(self) -> i32 {
        match self {
            Self::Text => 25,
            Self::Varchar => 1043,
            Self::SmallInt => 21,
            Self::Integer => 23,
            Self::BigInt => 20,
            Self::Double => 701,
            Self::Boolean => 16,
            Self::Uuid => 2950,
            Self::Enum(oid) => oid.cast_signed(),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enum(_) => f.write_str("enum"),
            known => {
                let found = Self::ALL.iter().find(|(element, ..)| element == known);
                f.write_str(found.map_or("text", |(_, name, _)| name))
            }
        }
    }
}

/// Largest n of varchar(n): `MaxAttrSize` in PostgreSQL's `htup_details.h`.
pub const VARCHAR_CHARS_MAX: u32 = 10_485_760;
/// Largest declared precision of numeric (`NUMERIC_MAX_PRECISION`).
pub const NUMERIC_PRECISION_MAX: u16 = 1000;

impl PgType {
    /// Returns the type as SQL has it; an enum type with its schema.
    #[must_use]
    pub fn sql(self, schema: &str) -> String {
        match self {
            Self::Enum(name) => super::ident::qualified(schema, name.as_str()),
            other => other.to_string(),
        }
    }

    /// Returns true for text and varchar.
    #[must_use]
    pub const fn is_textual(self) -> bool {
        matches!(self, Self::Text | Self::Varchar(_) | Self::Char(_))
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
            Self::Varchar(_) | Self::Char(_) => Self::Text,
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
            Self::Real => f.write_str("real"),
            Self::Double => f.write_str("double precision"),
            Self::Numeric(None) => f.write_str("numeric"),
            Self::Numeric(Some((precision, scale))) => write!(f, "numeric({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Varchar(chars) => write!(f, "varchar({chars})"),
            Self::Char(chars) => write!(f, "char({chars})"),
            Self::Bytea => f.write_str("bytea"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::TimeTz => f.write_str("timetz"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampTz => f.write_str("timestamptz"),
            Self::Interval => f.write_str("interval"),
            Self::Json => f.write_str("json"),
            Self::Jsonb => f.write_str("jsonb"),
            Self::Uuid => f.write_str("uuid"),
            Self::Inet => f.write_str("inet"),
            Self::Cidr => f.write_str("cidr"),
            Self::MacAddr => f.write_str("macaddr"),
            Self::Array(element) => write!(f, "{element}[]"),
            Self::Enum(name) => write!(f, "enum({})", name.as_str()),
        }
    }
}

impl From<PgType> for String {
    /// What is read back; people are shown no oid.
    fn from(pg_type: PgType) -> Self {
        match pg_type {
            PgType::Array(Element::Enum(oid)) => format!("{ENUM_OID}{oid}[]"),
            other => other.to_string(),
        }
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
        if let Some(element) = lower.strip_suffix("[]") {
            if let Some(Ok(oid)) = element.strip_prefix(ENUM_OID).map(str::parse) {
                return Ok(Self::Array(Element::Enum(oid)));
            }
            let found = Element::ALL.iter().find(|(_, name, _)| *name == element.trim());
            return found.map(|(element, ..)| Self::Array(*element)).ok_or_else(|| {
                format!(
                    "array \"{text}\" is not one of text[], varchar[], smallint[], integer[], bigint[], double precision[], boolean[], uuid[]"
                )
            });
        }
        if lower.starts_with("enum(") {
            // The name keeps its case.
            let name = text.trim()["enum(".len()..].strip_suffix(')').unwrap_or_default().trim();
            return EnumName::new(name).map(Self::Enum).ok_or_else(|| {
                format!("\"{text}\" is not enum(NAME) with a name of 1 to 63 bytes")
            });
        }
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
            "real" | "float4" => plain(Self::Real),
            "double precision" | "float8" => plain(Self::Double),
            "text" => plain(Self::Text),
            "bytea" => plain(Self::Bytea),
            "date" => plain(Self::Date),
            "time" => plain(Self::Time),
            "timetz" | "time with time zone" => plain(Self::TimeTz),
            "timestamp" => plain(Self::Timestamp),
            "timestamptz" | "timestamp with time zone" => plain(Self::TimestampTz),
            "interval" => plain(Self::Interval),
            "json" => plain(Self::Json),
            "inet" => plain(Self::Inet),
            "cidr" => plain(Self::Cidr),
            "macaddr" => plain(Self::MacAddr),
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
                Some(chars) => length(name, chars).map(Self::Varchar),
            },
            "char" | "character" => length(name, arguments.unwrap_or("1")).map(Self::Char),
            _ => Err(format!("type \"{text}\" is not one that litelift can write")),
        }
    }
}

fn length(name: &str, chars: &str) -> Result<u32, String> {
    let read = chars.trim().parse().ok();
    read.filter(|chars| (1..=VARCHAR_CHARS_MAX).contains(chars))
        .ok_or_else(|| format!("\"{name}({chars})\" is not {name}(1..{VARCHAR_CHARS_MAX})"))
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
            PgType::Real,
            PgType::Char(3),
            PgType::TimeTz,
            PgType::Interval,
            PgType::Json,
            PgType::Inet,
            PgType::Cidr,
            PgType::MacAddr,
            PgType::Array(Element::Text),
            PgType::Array(Element::Double),
            PgType::Array(Element::Enum(16_385)),
            PgType::Enum(EnumName::new("Mood of é").unwrap()),
        ] {
            assert_eq!(String::from(pg_type).parse(), Ok(pg_type));
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
            "reel",
            "int(",
        ] {
            assert!(text.parse::<PgType>().is_err(), "{text}");
        }
    }
}
