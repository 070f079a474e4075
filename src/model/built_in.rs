//! The built-in type in whose binary form the values of a column are compared.
//!
//! Purpose: enum types, domains and citext have oids of the server's own, which a dump and restore changes; so both
//! sides speak of the type below. A cast to it changes no value. The oids never change (`pg_type.dat`).

use super::pg_type::{Element, PgType};

impl PgType {
    /// Returns the name of the built-in type, without length, precision or scale.
    #[must_use]
    pub const fn built_in(self) -> &'static str {
        self.built_in_with_oid().0
    }

    /// Returns the oid of the built-in type.
    #[must_use]
    pub const fn hashed_oid(self) -> u32 {
        self.built_in_with_oid().1
    }

    /// Returns whether that type is text, whose values are quoted where they are shown.
    #[must_use]
    pub const fn built_in_is_text(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Varchar(_)
                | Self::Char(_)
                | Self::Enum(_)
                | Self::Json
                | Self::Jsonb
        )
    }

    const fn built_in_with_oid(self) -> (&'static str, u32) {
        match self {
            Self::Boolean => ("bool", 16),
            Self::SmallInt => ("int2", 21),
            Self::Integer => ("int4", 23),
            Self::BigInt => ("int8", 20),
            Self::Real => ("float4", 700),
            Self::Double => ("float8", 701),
            Self::Numeric(_) => ("numeric", 1700),
            Self::Text | Self::Enum(_) => ("text", 25),
            Self::Varchar(_) => ("varchar", 1043),
            Self::Char(_) => ("bpchar", 1042),
            Self::Bytea => ("bytea", 17),
            Self::Date => ("date", 1082),
            Self::Time => ("time", 1083),
            Self::TimeTz => ("timetz", 1266),
            Self::Timestamp => ("timestamp", 1114),
            Self::TimestampTz => ("timestamptz", 1184),
            Self::Interval => ("interval", 1186),
            Self::Json => ("json", 114),
            Self::Jsonb => ("jsonb", 3802),
            Self::Uuid => ("uuid", 2950),
            Self::Inet => ("inet", 869),
            Self::Cidr => ("cidr", 650),
            Self::MacAddr => ("macaddr", 829),
            Self::Array(element) => match element {
                Element::Text | Element::Enum(_) => ("text[]", 1009),
                Element::Varchar => ("varchar[]", 1015),
                Element::SmallInt => ("int2[]", 1005),
                Element::Integer => ("int4[]", 1007),
                Element::BigInt => ("int8[]", 1016),
                Element::Double => ("float8[]", 1022),
                Element::Boolean => ("bool[]", 1000),
                Element::Uuid => ("uuid[]", 2951),
            },
        }
    }
}
