//! Every type by every conversion that makes it, with the values that each is meant for.

use litelift::model::convert::Convert;
use litelift::model::pg_type::PgType;

use super::texts as t;
use super::values::{self as v, Maker};

/// Every type that a rule can name; those with sizes more than once.
pub(super) const TYPES: [&str; 40] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "numeric(12,2)",
    "numeric(5,5)",
    "numeric(1000,0)",
    "text",
    "varchar(10)",
    "varchar(1)",
    "char(10)",
    "char(1)",
    "bytea",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "json",
    "jsonb",
    "uuid",
    "inet",
    "cidr",
    "macaddr",
    "text[]",
    "varchar[]",
    "smallint[]",
    "integer[]",
    "bigint[]",
    "double precision[]",
    "boolean[]",
    "uuid[]",
    "enum(mood)",
    "decimal(3,1)",
    "varchar(3)",
    "float8",
];

/// Zones beside UTC for what depends on --source-tz: summer time, half an hour of it, odd offsets.
const ZONES: [&str; 5] =
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "+05:30"];

pub(super) struct Case {
    pub(super) pg_type: PgType,
    pub(super) convert: Convert,
    pub(super) zone: &'static str,
    pub(super) makers: &'static [Maker],
}

impl Case {
    pub(super) fn name(&self) -> String {
        format!("{} by {} in {}", self.pg_type, self.convert.name(), self.zone)
    }
}

/// Returns all of them.
pub(super) fn all() -> Vec<Case> {
    let mut conversions = vec!["plain", "enum:keep", "enum:upper", "enum:lower"];
    conversions.extend(Convert::NAMED.iter().map(|(_, name, ..)| *name));
    let mut cases: Vec<Case> = Vec::new();
    for convert in conversions {
        let read = Convert::parse(convert).unwrap();
        for name in TYPES {
            let pg_type: PgType = name.parse().unwrap();
            let known = |case: &Case| (case.pg_type, case.convert) == (pg_type, read);
            if !read.makes(pg_type) || cases.iter().any(known) {
                continue;
            }
            let zoned = matches!(pg_type, PgType::Timestamp | PgType::TimestampTz | PgType::Date)
                && !matches!(convert, "plain" | "unix_ms" | "unix_us" | "unix_ns" | "webkit_us");
            for zone in std::iter::once("UTC").chain(ZONES).take(if zoned { 6 } else { 1 }) {
                let makers = makers(convert, pg_type);
                cases.push(Case { pg_type, convert: read, zone, makers });
            }
        }
    }
    cases
}

fn makers(convert: &str, pg_type: PgType) -> &'static [Maker] {
    match convert {
        "plain" => plain(pg_type),
        "bool_word" => &[v::flag, t::word],
        "iso" => match pg_type {
            PgType::Time => &[t::clock, t::dated_clock],
            PgType::Date => &[t::date, t::stamp, t::stamp_zone],
            _ => &[t::date, t::stamp, t::stamp, t::stamp_zone],
        },
        "unix_s" => &[v::seconds, v::real_seconds],
        "unix_ms" => &[v::millis, v::real_millis],
        "iso_or_unix_ms" => &[t::date, t::stamp, t::stamp_zone, v::millis, v::real_millis],
        "unix_us" => &[v::micros, v::real_micros],
        "unix_ns" => &[v::nanos, v::real_nanos],
        "apple_s" => &[v::apple, v::real_apple],
        "webkit_us" => &[v::webkit, v::real_webkit],
        "julian" => &[v::julian],
        "interval_us" => &[v::micros, v::duration, v::real_micros, v::integer],
        "interval_s" => &[v::duration, v::real_seconds],
        "interval_iso" => &[t::iso_interval],
        "interval_dotnet" => &[t::clock_interval],
        "interval_1970" => &[t::stamp, t::stamp, t::stamp_zone],
        "uuid" | "uuid_dotnet" => &[t::uuid, v::blob16],
        "uuid_digits" => &[t::uuid, v::blob16, v::integer],
        "json" => &[t::json, t::json_blob, v::integer, v::real],
        "number" => &[t::number, t::number, t::decimal, v::real, v::integer],
        "number_blob" => &[t::number, t::number_blob, t::number_blob, v::real, v::integer],
        "array_json" => &[t::list],
        "array_comma" => &[t::commas],
        "as_printed" => &[v::single, v::real, v::integer, t::decimal, t::label],
        "replace" | "strip" | "truncate" => &[t::plain, t::plain, t::label],
        _ => &[t::label],
    }
}

fn plain(pg_type: PgType) -> &'static [Maker] {
    match pg_type {
        PgType::Boolean => &[v::flag, t::word],
        PgType::SmallInt | PgType::Integer => &[v::integer],
        PgType::BigInt => &[v::integer, t::decimal],
        PgType::Real => &[v::single, v::real, v::integer],
        PgType::Double => &[v::real, v::integer],
        PgType::Numeric(_) => &[v::integer, v::real, t::decimal],
        PgType::Text | PgType::Bytea => &[t::plain, v::real, v::integer, v::blob],
        PgType::Varchar(_) | PgType::Char(_) => &[t::plain, t::label],
        PgType::Date => &[t::date],
        PgType::Time => &[t::clock],
        PgType::TimeTz => &[t::clock_zone],
        PgType::Timestamp => &[t::stamp, t::date],
        PgType::TimestampTz => &[t::stamp_zone],
        PgType::Json | PgType::Jsonb => &[t::json, t::json, v::integer, v::real],
        PgType::Uuid => &[t::uuid, v::blob16],
        PgType::Inet | PgType::Cidr => &[t::address],
        PgType::MacAddr => &[t::hardware],
        PgType::Interval | PgType::Array(_) | PgType::Enum(_) => &[],
    }
}
