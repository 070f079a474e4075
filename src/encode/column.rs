//! The encoder of one column, chosen once, and what each conversion takes.

use std::collections::{HashMap, HashSet};

use crate::model::convert::{Conversion, Convert, EnumCase};
use crate::model::pg_type::{Element, PgType};
use crate::model::plan::ColumnPlan;
use crate::model::value::Value;

use super::epoch::{self, Epoch};
use super::interval::{self, Interval};
use super::row::Misfit;
use super::stored::Change;
use super::zone::Zone;
use super::{array, field, iso, network, number, plain, text, words};

/// Writes the values of one column that are not NULL.
#[derive(Debug, Clone)]
pub(super) enum ColumnEncoder {
    Boolean { words: bool },
    SmallInt { from_text: bool },
    Integer { from_text: bool },
    BigInt { from_text: bool },
    Real { as_printed: bool },
    Double { from_text: bool },
    Numeric { sizes: Option<(u16, u16)>, from_text: bool },
    Text { chars_max: Option<u32>, policy: text::Policy },
    Bytea,
    Date(Clock),
    Time { iso: bool },
    TimeTz,
    Timestamp(Clock, Zone),
    TimestampTz(Clock, Zone),
    Interval(Conversion),
    Json { binary: bool, blobs: bool },
    Uuid(Option<Conversion>),
    Inet { cidr: bool },
    MacAddr,
    Array { element: Element, commas: bool },
    Labels { element: Element, commas: bool, labels: Labels },
    Enum(Labels),
    TextInBlob(Box<ColumnEncoder>),
    Changed(Box<ColumnEncoder>, Change),
}

/// Labels by text; what is not among them goes by case.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    by_text: HashMap<Box<[u8]>, Box<[u8]>>,
    case: EnumCase,
    known: Option<KnownLabels>,
}

/// The labels of a type that is there already.
#[derive(Debug, Clone)]
struct KnownLabels {
    exact: HashSet<Box<str>>,
    /// The label of a text in lower case; `None` when several labels differ in case only.
    in_lower_case: HashMap<Box<str>, Option<Box<str>>>,
}

/// Where a date or time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Text, exactly.
    Plain,
    /// Text of any shape.
    Iso,
    /// A number.
    Epoch(Epoch),
    /// Text of any shape, or a number.
    IsoOr(Epoch),
}

impl Clock {
    /// What one value comes from.
    fn of(self, value: Value<'_>) -> Self {
        match (self, value) {
            (Self::IsoOr(_), Value::Text(_)) => Self::Iso,
            (Self::IsoOr(epoch), _) => Self::Epoch(epoch),
            (other, _) => other,
        }
    }
}

impl ColumnEncoder {
    /// Chooses the encoder. A conversion that cannot make the type is refused when the type map is
    /// read; here it counts as plain.
    pub(super) fn new(plan: &ColumnPlan, zone: &Zone) -> Self {
        let encoder = Self::unchanged(plan, zone);
        match Change::of(plan) {
            Some(change) => Self::Changed(Box::new(encoder), change),
            None => encoder,
        }
    }

    /// As [`Self::new`], without what the server changes on the way in.
    pub(super) fn unchanged(plan: &ColumnPlan, zone: &Zone) -> Self {
        let (pg_type, convert) = (plan.pg_type, plan.convert);
        let named = match convert {
            Convert::Named(conversion) => Some(conversion),
            Convert::Plain | Convert::Enum(_) => None,
        };
        if named == Some(Conversion::NumberBlob) {
            let convert = Convert::Named(Conversion::Number);
            let plan = ColumnPlan { convert, ..plan.clone() };
            return Self::TextInBlob(Box::new(Self::new(&plan, zone)));
        }
        let from_text = named == Some(Conversion::Number);
        let text = |chars_max| Self::Text { chars_max, policy: text::Policy::of(named) };
        match pg_type {
            PgType::Boolean => Self::Boolean { words: named == Some(Conversion::BoolWord) },
            PgType::SmallInt => Self::SmallInt { from_text },
            PgType::Integer => Self::Integer { from_text },
            PgType::BigInt => Self::BigInt { from_text },
            PgType::Real => Self::Real { as_printed: named == Some(Conversion::AsPrinted) },
            PgType::Double => Self::Double { from_text },
            PgType::Numeric(sizes) => Self::Numeric { sizes, from_text },
            PgType::Text => text(None),
            PgType::Varchar(chars) | PgType::Char(chars) => text(Some(chars)),
            PgType::Bytea => Self::Bytea,
            PgType::Date => Self::Date(clock(named)),
            PgType::Time => Self::Time { iso: named == Some(Conversion::Iso) },
            PgType::TimeTz => Self::TimeTz,
            PgType::Timestamp => Self::Timestamp(clock(named), zone.clone()),
            PgType::TimestampTz => Self::TimestampTz(clock(named), zone.clone()),
            PgType::Interval => Self::Interval(named.unwrap_or(Conversion::IntervalIso)),
            PgType::Json => Self::Json { binary: false, blobs: named.is_some() },
            PgType::Jsonb => Self::Json { binary: true, blobs: named.is_some() },
            PgType::Uuid => Self::Uuid(named),
            PgType::Inet => Self::Inet { cidr: false },
            PgType::Cidr => Self::Inet { cidr: true },
            PgType::MacAddr => Self::MacAddr,
            PgType::Array(element @ Element::Enum(_)) => {
                let commas = named == Some(Conversion::ArrayComma);
                Self::Labels { element, commas, labels: Labels::new(plan) }
            }
            PgType::Array(element) => {
                Self::Array { element, commas: named == Some(Conversion::ArrayComma) }
            }
            PgType::Enum(_) => Self::Enum(Labels::new(plan)),
        }
    }

    /// Appends the field of a value that is not NULL.
    #[inline]
    pub(super) fn put(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        match self {
            Self::BigInt { from_text: false } => field::int8(plain::bigint(value)?, out),
            Self::Double { from_text: false } => field::float8(plain::double(value)?, out),
            Self::Text { chars_max, policy } => return text::put(value, *chars_max, *policy, out),
            Self::Boolean { words } => field::boolean(plain::boolean(value, *words)?, out),
            Self::Numeric { sizes, from_text: false } => {
                return plain::put_numeric(value, *sizes, out);
            }
            Self::Bytea => return plain::binary(value, out),
            Self::Timestamp(clock, zone) => field::int8(timestamp(value, *clock, zone)?, out),
            Self::TimestampTz(clock, zone) => field::int8(timestamp_tz(value, *clock, zone)?, out),
            other => return other.put_rare(value, out),
        }
        Ok(())
    }

    /// The types that are not in every table, out of the way of those that are.
    fn put_rare(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        match self {
            Self::SmallInt { from_text } => {
                let narrow = number::integer(value, *from_text)?.try_into();
                field::int2(narrow.map_err(|_| OUT_OF_RANGE)?, out);
            }
            Self::Integer { from_text } => {
                let narrow = number::integer(value, *from_text)?.try_into();
                field::int4(narrow.map_err(|_| OUT_OF_RANGE)?, out);
            }
            Self::BigInt { from_text } => field::int8(number::integer(value, *from_text)?, out),
            Self::Real { as_printed } => field::float4(number::single(value, *as_printed)?, out),
            Self::Double { from_text } => field::float8(number::double(value, *from_text)?, out),
            Self::Numeric { sizes, .. } => return number::put_numeric(value, *sizes, out),
            Self::Date(clock) => field::int4(date(value, *clock)?, out),
            Self::Time { iso } => field::int8(time(value, *iso)?, out),
            Self::TimeTz => {
                let (us, offset_s) = iso::time_with_zone(plain::text(value)?)
                    .ok_or(Misfit::new("not a time with a zone"))?;
                field::timetz(us, offset_s, out);
            }
            Self::Interval(conversion) => interval_of(value, *conversion)?.put(out),
            Self::Json { binary, blobs } => return document(value, *binary, *blobs, out),
            Self::Uuid(conversion) => field::bytes(&uuid(value, *conversion)?, out),
            Self::Inet { cidr } => {
                if !network::put_inet(plain::text(value)?, *cidr, out) {
                    return Err(Misfit::new("not an address"));
                }
            }
            Self::MacAddr => {
                let address = network::mac(plain::text(value)?);
                field::bytes(&address.ok_or(Misfit::new("not a hardware address"))?, out);
            }
            Self::Array { element, commas } => {
                let list = plain::text(value)?;
                let put = if *commas { array::put_comma } else { array::put_json };
                if !put(list, *element, out) {
                    return Err(Misfit::new("not a list of the element's type"));
                }
            }
            Self::Labels { element, commas, labels } => {
                let list = plain::text(value)?;
                let put =
                    |label: &[u8], out: &mut Vec<u8>| labels.put(Value::Text(label), out).is_ok();
                let is_put = if *commas {
                    array::put_comma_by(list, *element, out, put)
                } else {
                    array::put_json_labels(list, *element, out, put)
                };
                if !is_put {
                    return Err(Misfit::new("not a list of labels of the enum type"));
                }
            }
            Self::Enum(labels) => labels.put(value, out)?,
            Self::TextInBlob(encoder) => {
                let value = if let Value::Blob(text) = value { Value::Text(text) } else { value };
                return encoder.put(value, out);
            }
            Self::Changed(encoder, change) => {
                let begin = out.len();
                encoder.put(value, out)?;
                return change.apply(begin, out);
            }
            // The others are done in `put`.
            _ => return Err(Misfit::new("no encoder")),
        }
        Ok(())
    }
}

const OUT_OF_RANGE: Misfit = Misfit::new("out of range");

const fn clock(named: Option<Conversion>) -> Clock {
    let Some(conversion) = named else { return Clock::Plain };
    match (conversion, Epoch::of(conversion)) {
        (Conversion::Iso, _) => Clock::Iso,
        (Conversion::IsoOrUnixMillis, Some(epoch)) => Clock::IsoOr(epoch),
        (_, Some(epoch)) => Clock::Epoch(epoch),
        (_, None) => Clock::Plain,
    }
}

fn date(value: Value<'_>, clock: Clock) -> Result<i32, Misfit> {
    let not_a_date = Misfit::new("not a date");
    let midnight_us = match clock.of(value) {
        Clock::Plain => return iso::date(plain::text(value)?).ok_or(not_a_date),
        Clock::Iso => {
            let text = plain::text(value)?;
            if let Some(days) = iso::date(text) {
                return Ok(days);
            }
            iso::timestamp_rounded(text).ok_or(not_a_date)?.local_us
        }
        Clock::Epoch(epoch) | Clock::IsoOr(epoch) => {
            epoch::timestamp(value, epoch).ok_or(not_a_date)?
        }
    };
    if midnight_us.rem_euclid(iso::DAY_US) != 0 {
        return Err(Misfit::new("not midnight, so more than a date"));
    }
    i32::try_from(midnight_us / iso::DAY_US).map_err(|_| not_a_date)
}

/// Dates that frameworks put before a time that has none.
const NO_DATES: [&[u8]; 3] = [b"2000-01-01", b"1970-01-01", b"1900-01-01"];

fn time(value: Value<'_>, any_shape: bool) -> Result<i64, Misfit> {
    let text = plain::text(value)?;
    let not_a_time = Misfit::new("not a time");
    if !any_shape {
        return iso::time(text).ok_or(not_a_time);
    }
    let clock = match text.split_at_checked(10) {
        Some((day, [b' ' | b'T', clock @ ..])) if NO_DATES.contains(&day) => clock,
        _ => text,
    };
    // 23:59:59.9999999 rounds to 24:00:00, which is another day: it stays the last microsecond's
    // neighbour only in a timestamp.
    iso::clock_rounded(clock).filter(|us| *us < iso::DAY_US).ok_or(not_a_time)
}

fn timestamp(value: Value<'_>, clock: Clock, zone: &Zone) -> Result<i64, Misfit> {
    let none = Misfit::new("not a timestamp");
    match clock.of(value) {
        Clock::Plain => plain::timestamp(plain::text(value)?),
        Clock::Iso => {
            let text = plain::text(value)?;
            if let Some(days) = iso::date(text) {
                return Ok(i64::from(days) * iso::DAY_US);
            }
            let stamp = iso::timestamp_rounded(text).ok_or(none)?;
            match stamp.utc_us() {
                // A text with a zone shows the clock of --source-tz at that instant.
                Some(utc_us) => zone.local_us(utc_us).ok_or(none),
                None => Ok(stamp.local_us),
            }
        }
        Clock::Epoch(epoch) | Clock::IsoOr(epoch) => {
            let utc_us = epoch::timestamp(value, epoch).ok_or(none)?;
            // At the ends of PostgreSQL's time the clock of the zone may be beyond them.
            zone.local_us(utc_us).filter(|us| epoch::is_timestamp(*us)).ok_or(none)
        }
    }
}

fn timestamp_tz(value: Value<'_>, clock: Clock, zone: &Zone) -> Result<i64, Misfit> {
    let none = Misfit::new("not a timestamp");
    match clock.of(value) {
        Clock::Plain => plain::timestamp_tz(plain::text(value)?),
        Clock::Iso => {
            let text = plain::text(value)?;
            if let Some(days) = iso::date(text) {
                return zone.utc_us(i64::from(days) * iso::DAY_US).ok_or(none);
            }
            let stamp = iso::timestamp_rounded(text).ok_or(none)?;
            stamp.utc_us().or_else(|| zone.utc_us(stamp.local_us)).ok_or(none)
        }
        Clock::Epoch(epoch) | Clock::IsoOr(epoch) => epoch::timestamp(value, epoch).ok_or(none),
    }
}

fn interval_of(value: Value<'_>, conversion: Conversion) -> Result<Interval, Misfit> {
    let read = match conversion {
        Conversion::IntervalMicros => interval::of_number(value, 1),
        Conversion::IntervalSeconds => interval::of_number(value, 1_000_000),
        Conversion::IntervalDotnet => interval::of_dotnet(plain::text(value)?),
        Conversion::Interval1970 => interval::since_1970(plain::text(value)?),
        _ => interval::of_iso(plain::text(value)?),
    };
    read.ok_or(Misfit::new("not a duration of that form"))
}

fn document(value: Value<'_>, binary: bool, blobs: bool, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match value {
        Value::Blob(text) if blobs => plain::document(Value::Text(text), binary, out),
        other => plain::document(other, binary, out),
    }
}

fn uuid(value: Value<'_>, conversion: Option<Conversion>) -> Result<[u8; 16], Misfit> {
    let none = Misfit::new("not a UUID");
    match (value, conversion) {
        (Value::Text(text), None) => words::uuid(text).ok_or(none),
        (Value::Text(text), Some(_)) => words::any_uuid(text).ok_or(none),
        (Value::Blob(bytes), Some(Conversion::UuidDotnet)) => {
            bytes.try_into().map(words::uuid_of_dotnet).map_err(|_| none)
        }
        (Value::Blob(bytes), _) => bytes.try_into().map_err(|_| Misfit::new("not 16 bytes")),
        (Value::Integer(digits), Some(Conversion::UuidInteger)) => {
            words::uuid_of_digits(digits).ok_or(none)
        }
        _ => Err(none),
    }
}

impl Labels {
    fn new(plan: &ColumnPlan) -> Self {
        let labels = plan.labels.iter();
        Self {
            by_text: labels
                .map(|(from, to)| (from.as_bytes().into(), to.as_bytes().into()))
                .collect(),
            case: match plan.convert {
                Convert::Enum(case) => case,
                Convert::Plain | Convert::Named(_) => EnumCase::Keep,
            },
            known: plan.demands.labels.as_deref().map(KnownLabels::new),
        }
    }

    fn put(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let text = plain::text(value)?;
        if let Some(label) = self.by_text.get(text) {
            let is_known = |known: &KnownLabels| {
                std::str::from_utf8(label).is_ok_and(|label| known.exact.contains(label))
            };
            if !self.known.as_ref().is_none_or(is_known) {
                return Err(Misfit::new("its label by the rule is not one of the enum type"));
            }
            field::bytes(label, out);
            return Ok(());
        }
        let text = std::str::from_utf8(text).map_err(|_| Misfit::new("not UTF-8"))?;
        let label = self.case.label(text);
        if let Some(known) = &self.known {
            let label = known.find(&label).ok_or(Misfit::new("not a label of the enum type"))?;
            field::bytes(label.as_bytes(), out);
            return Ok(());
        }
        // enum_in refuses longer ones; NUL cannot be in any text.
        if label.len() > 63 || label.contains('\0') {
            return Err(Misfit::new("not a label of at most 63 bytes"));
        }
        field::bytes(label.as_bytes(), out);
        Ok(())
    }
}

impl KnownLabels {
    fn new(labels: &[String]) -> Self {
        let mut in_lower_case: HashMap<Box<str>, Option<Box<str>>> = HashMap::new();
        for label in labels {
            let one = in_lower_case.entry(label.to_lowercase().into());
            one.and_modify(|one| *one = None).or_insert_with(|| Some(label.as_str().into()));
        }
        Self { exact: labels.iter().map(|label| label.as_str().into()).collect(), in_lower_case }
    }

    /// Finds the label as written, else the only one that differs in case alone.
    fn find(&self, text: &str) -> Option<&str> {
        if let Some(label) = self.exact.get(text) {
            return Some(label);
        }
        self.in_lower_case.get(text.to_lowercase().as_str())?.as_deref()
    }
}
