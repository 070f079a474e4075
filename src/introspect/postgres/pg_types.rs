//! Which of our types a column of the catalogue is.
//!
//! Known gaps: types without an encoder of ours (geometry, ranges, `hstore`, `tsvector`, bit strings,
//! intervals of single fields, arrays of other elements) are `None`; a column of such a type can only
//! be filled with NULL.

use crate::model::pg_type::{Element, EnumName, PgType};

/// A base type as `pg_type` and `pg_attribute` describe it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeRow<'a> {
    /// `typname`.
    pub(super) name: &'a str,
    /// Whether it is one of PostgreSQL's own (`pg_catalog`).
    pub(super) is_built_in: bool,
    /// Whether it is an enum.
    pub(super) is_enum: bool,
    /// `typname` of the element, for arrays of built-in types.
    pub(super) element: Option<&'a str>,
    /// oid of the element, for arrays of enums.
    pub(super) enum_element: Option<u32>,
    /// `atttypmod`, -1 for none.
    pub(super) typmod: i32,
}

/// Bytes that `atttypmod` has before a length (`VARHDRSZ`).
const HEADER_BYTES: i32 = 4;

/// Returns the type that litelift writes for it, and how many digits of a second it keeps.
pub(super) fn pg_type(row: TypeRow<'_>) -> (Option<PgType>, Option<u8>) {
    if row.is_enum {
        return (EnumName::new(row.name).map(PgType::Enum), None);
    }
    // citext is text to COPY: citextrecv is textrecv.
    if row.name == "citext" && !row.is_built_in {
        return (Some(PgType::Text), None);
    }
    if let Some(oid) = row.enum_element {
        return (Some(PgType::Array(Element::Enum(oid))), None);
    }
    if let Some(element) = row.element {
        return (element_of(element).map(PgType::Array), None);
    }
    if !row.is_built_in {
        return (None, None);
    }
    let digits = u8::try_from(row.typmod).ok().filter(|digits| *digits <= 6);
    match row.name {
        "timestamp" => (Some(PgType::Timestamp), digits),
        "timestamptz" => (Some(PgType::TimestampTz), digits),
        "time" => (Some(PgType::Time), digits),
        "timetz" => (Some(PgType::TimeTz), digits),
        "interval" => interval(row.typmod),
        name => (plain(name, row.typmod), None),
    }
}

fn plain(name: &str, typmod: i32) -> Option<PgType> {
    let chars = u32::try_from(typmod - HEADER_BYTES).ok();
    Some(match name {
        "bool" => PgType::Boolean,
        "int2" => PgType::SmallInt,
        "int4" => PgType::Integer,
        "int8" => PgType::BigInt,
        "float4" => PgType::Real,
        "float8" => PgType::Double,
        "numeric" => return numeric(typmod),
        "text" => PgType::Text,
        "varchar" => chars.map_or(PgType::Text, PgType::Varchar),
        "bpchar" => chars.map_or(PgType::Text, PgType::Char),
        "bytea" => PgType::Bytea,
        "date" => PgType::Date,
        "json" => PgType::Json,
        "jsonb" => PgType::Jsonb,
        "uuid" => PgType::Uuid,
        "inet" => PgType::Inet,
        "cidr" => PgType::Cidr,
        "macaddr" => PgType::MacAddr,
        _ => return None,
    })
}

/// The scale has 11 bits with a sign since PostgreSQL 15 (`numeric.c`). One that is negative, or larger
/// than the precision, is none that we check, and the server would round without a word.
fn numeric(typmod: i32) -> Option<PgType> {
    if typmod < HEADER_BYTES {
        return Some(PgType::Numeric(None));
    }
    let sizes = typmod - HEADER_BYTES;
    let precision = u16::try_from((sizes >> 16) & 0xFFFF).ok()?;
    let scale = ((sizes & 0x7FF) ^ 1024) - 1024;
    let scale = u16::try_from(scale).ok().filter(|scale| *scale <= precision)?;
    Some(PgType::Numeric(Some((precision, scale))))
}

/// The lower half has the digits, the upper the fields (`INTERVAL_FULL_RANGE` is 0x7FFF).
fn interval(typmod: i32) -> (Option<PgType>, Option<u8>) {
    if typmod < 0 {
        return (Some(PgType::Interval), None);
    }
    if (typmod >> 16) & 0x7FFF != 0x7FFF {
        return (None, None);
    }
    let digits = u8::try_from(typmod & 0xFFFF).ok().filter(|digits| *digits <= 6);
    (Some(PgType::Interval), digits)
}

fn element_of(name: &str) -> Option<Element> {
    Some(match name {
        "text" => Element::Text,
        "varchar" => Element::Varchar,
        "int2" => Element::SmallInt,
        "int4" => Element::Integer,
        "int8" => Element::BigInt,
        "float8" => Element::Double,
        "bool" => Element::Boolean,
        "uuid" => Element::Uuid,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(name: &str, typmod: i32) -> (Option<PgType>, Option<u8>) {
        pg_type(TypeRow {
            name,
            is_built_in: true,
            is_enum: false,
            element: None,
            enum_element: None,
            typmod,
        })
    }

    #[test]
    fn sizes_are_read_from_the_typmod() {
        assert_eq!(built_in("varchar", 84), (Some(PgType::Varchar(80)), None));
        assert_eq!(built_in("varchar", -1), (Some(PgType::Text), None));
        assert_eq!(built_in("bpchar", 5), (Some(PgType::Char(1)), None));
        // numeric(12,4), numeric(3,-2), numeric(2,5)
        assert_eq!(built_in("numeric", 786_440), (Some(PgType::Numeric(Some((12, 4)))), None));
        assert_eq!(built_in("numeric", (3 << 16 | (-2 & 0x7FF)) + 4), (None, None));
        assert_eq!(built_in("numeric", (2 << 16 | 5) + 4), (None, None));
        assert_eq!(built_in("timestamptz", 3), (Some(PgType::TimestampTz), Some(3)));
        assert_eq!(built_in("timestamp", -1), (Some(PgType::Timestamp), None));
        assert_eq!(built_in("interval", 0x7FFF_0002), (Some(PgType::Interval), Some(2)));
        assert_eq!(built_in("interval", 0x0004_FFFF), (None, None));
        assert_eq!(built_in("tsvector", -1), (None, None));
    }
}
