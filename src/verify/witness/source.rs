//! What a conversion must have made of a value of the source, by docs/type-maps.md.

use crate::model::convert::Conversion;
use crate::model::pg_type::PgType;
use crate::model::value::Value;

use super::number::{self, Decimal, Short};
use super::text::{self, FIELD_BYTES_MAX, Mending};
use super::{ColumnWitness, Unfit, address, document, duration, list, moment};

/// Words that mean true and false.
const TRUE: [&str; 6] = ["1", "t", "y", "on", "yes", "true"];
const FALSE: [&str; 6] = ["0", "f", "n", "no", "off", "false"];

/// Reads a word of [`TRUE`] or [`FALSE`] in either case.
pub(super) fn word(text: &[u8]) -> Option<bool> {
    let is_in =
        |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if is_in(&TRUE) { Some(true) } else { is_in(&FALSE).then_some(false) }
}

/// Appends the canonical bytes of a value that is not NULL.
pub(super) fn put(
    column: &ColumnWitness,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let named = column.named;
    // The conversions that take a blob for the text that it holds.
    let value = match (value, named) {
        (Value::Blob(bytes), Some(Conversion::NumberBlob | Conversion::JsonAny)) => {
            Value::Text(bytes)
        }
        (value, _) => value,
    };
    match column.pg_type {
        PgType::Boolean => out.push(truth(value, named.is_some())?.into()),
        PgType::SmallInt => put_integer(integer::<i16>(value, named)?, out),
        PgType::Integer => put_integer(integer::<i32>(value, named)?, out),
        PgType::BigInt => put_integer(bigint(value, named)?, out),
        PgType::Real => put_bytes(&single(value, named)?.to_bits().to_be_bytes(), out),
        PgType::Double => put_bytes(&double(value, named)?.to_bits().to_be_bytes(), out),
        PgType::Numeric(sizes) => return numeric(value, sizes, named, out),
        PgType::Text => return characters(value, None, named, out),
        PgType::Varchar(chars) => return characters(value, Some(chars), named, out),
        PgType::Char(chars) => {
            let begin = out.len();
            characters(value, Some(chars), named, out)?;
            text::pad(begin, chars as usize, out);
        }
        PgType::Bytea => return binary(value, out),
        PgType::Date => put_integer(moment::date(value, column.from)?, out),
        PgType::Time => {
            let us = moment::time(value, column.from)?;
            put_integer(column.stepped(us), out);
        }
        PgType::TimeTz => {
            let (us, zone_s) = moment::time_with_zone(value)?;
            put_integer(column.stepped(us), out);
            put_integer(zone_s, out);
        }
        PgType::Timestamp => {
            let us = moment::timestamp(value, column.from, &column.clock)?;
            put_integer(in_time(us, column.stepped(us))?, out);
        }
        PgType::TimestampTz => {
            let us = moment::instant(value, column.from, &column.clock)?;
            put_integer(in_time(us, column.stepped(us))?, out);
        }
        PgType::Interval => {
            let conversion = named.unwrap_or(Conversion::IntervalIso);
            let span = duration::interpret(value, conversion)?;
            put_integer(span.months.into(), out);
            put_integer(span.days.into(), out);
            put_integer(column.stepped(span.us), out);
        }
        PgType::Json => return json(value, out),
        PgType::Jsonb => return jsonb(value, out),
        PgType::Uuid => put_bytes(&uuid(value, named)?, out),
        PgType::Inet | PgType::Cidr => {
            let unfit = Unfit("not an address");
            let address = address::Address::read(written(value, unfit)?).ok_or(unfit)?;
            if column.pg_type == PgType::Cidr && !address.is_network() {
                return Err(Unfit("bits to the right of the mask"));
            }
            out.push(address.bits);
            put_bytes(address.bytes(), out);
        }
        PgType::MacAddr => {
            let unfit = Unfit("not a hardware address");
            put_bytes(&address::hardware(written(value, unfit)?).ok_or(unfit)?, out);
        }
        PgType::Array(element) => {
            let list = written(value, Unfit("not a list"))?;
            let commas = named == Some(Conversion::ArrayComma);
            let put = if commas { list::put_commas } else { list::put_json };
            return put(list, element, &column.labels, out);
        }
        PgType::Enum(_) => return column.labels.put(written(value, Unfit("not text"))?, out),
    }
    Ok(())
}

fn put_integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes);
}

/// The text of a value that must be one.
fn written(value: Value<'_>, unfit: Unfit) -> Result<&[u8], Unfit> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(unfit),
    }
}

fn truth(value: Value<'_>, words: bool) -> Result<bool, Unfit> {
    let read = match value {
        Value::Integer(digit @ (0 | 1)) => Some(digit == 1),
        Value::Text(text) if words => word(text),
        _ => None,
    };
    read.ok_or(Unfit("neither true nor false"))
}

fn integer<N: TryFrom<i64> + Into<i64>>(
    value: Value<'_>,
    named: Option<Conversion>,
) -> Result<i64, Unfit> {
    let wide = match (value, named) {
        (Value::Integer(value), _) => value,
        (other, Some(_)) => counted(other)?,
        (_, None) => return Err(Unfit("not an integer")),
    };
    N::try_from(wide).map(Into::into).map_err(|_| Unfit("out of range"))
}

fn bigint(value: Value<'_>, named: Option<Conversion>) -> Result<i64, Unfit> {
    match (value, named) {
        (Value::Integer(value), _) => Ok(value),
        (Value::Text(text), None) => {
            number::printed_integer(text).ok_or(Unfit("not an integer as PostgreSQL prints it"))
        }
        (_, None) => Err(Unfit("not an integer")),
        (other, Some(_)) => counted(other),
    }
}

/// An integer from text in any form, or from a whole real.
fn counted(value: Value<'_>) -> Result<i64, Unfit> {
    match value {
        Value::Text(text) => {
            let number = Decimal::read(text.trim_ascii()).ok_or(Unfit("not a number"))?;
            number.whole()
        }
        Value::Real(real) if real.fract() == 0.0 => {
            let whole = number::times(real, 1).and_then(|whole| i64::try_from(whole).ok());
            whole.ok_or(Unfit("out of range"))
        }
        _ => Err(Unfit("not a whole number")),
    }
}

/// Integers up to here are exact in a double.
const EXACT_MAX: i64 = 1 << 53;
const EXACT_MIN: i64 = -EXACT_MAX;

fn double(value: Value<'_>, named: Option<Conversion>) -> Result<f64, Unfit> {
    match value {
        Value::Real(value) => Ok(value),
        #[expect(clippy::cast_precision_loss, reason = "exact in this range")]
        Value::Integer(value @ EXACT_MIN..=EXACT_MAX) => Ok(value as f64),
        Value::Text(text) if named.is_some() => {
            number::nearest_double(text.trim_ascii()).ok_or(Unfit("not a number of a double"))
        }
        _ => Err(Unfit("not a number that a double holds")),
    }
}

fn single(value: Value<'_>, named: Option<Conversion>) -> Result<f32, Unfit> {
    let wide = double(value, None)?;
    #[expect(clippy::cast_possible_truncation, reason = "the way back decides")]
    let narrow = wide as f32;
    let is_exact = f64::from(narrow).to_bits() == wide.to_bits();
    // Alike in print: the decimal of the one is the decimal of the other.
    let alike = || {
        let (short, long) =
            (Short::of(format_args!("{narrow:e}")), Short::of(format_args!("{wide:e}")));
        narrow.is_finite() && short.bytes() == long.bytes()
    };
    let fits = is_exact || (named == Some(Conversion::AsPrinted) && alike());
    fits.then_some(narrow).ok_or(Unfit("more digits than a real holds"))
}

fn numeric(
    value: Value<'_>,
    sizes: Option<(u16, u16)>,
    named: Option<Conversion>,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let unfit = Unfit("not a number");
    match value {
        Value::Integer(value) => {
            let digits = Short::of(format_args!("{value}"));
            Decimal::read(digits.bytes()).ok_or(unfit)?.put_sized(sizes, out)
        }
        Value::Real(value) if value == 0.0 && value.is_sign_negative() => {
            Err(Unfit("-0.0, whose sign numeric does not have"))
        }
        Value::Real(value) => {
            number::with_shortest(value, |number| number.put_sized(sizes, out)).ok_or(unfit)?
        }
        Value::Text(text) => {
            let number = match named {
                None => Decimal::read_printed(text),
                Some(_) => Decimal::read(text.trim_ascii()),
            };
            number.ok_or(unfit)?.put_sized(sizes, out)
        }
        _ => Err(unfit),
    }
}

/// Text; numbers where there is no length, or as they are printed.
fn characters(
    value: Value<'_>,
    chars_max: Option<u32>,
    named: Option<Conversion>,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let mending = match named {
        Some(Conversion::Replace) => Mending::Replace,
        Some(Conversion::Strip) => Mending::Strip,
        Some(Conversion::Truncate) => Mending::Cut,
        _ => Mending::None,
    };
    let numbers = chars_max.is_none() || named == Some(Conversion::AsPrinted);
    let begin = out.len();
    match value {
        Value::Text(text) => {
            return text::put(text, mending, chars_max.map(|chars| chars as usize), out);
        }
        Value::Integer(value) if numbers => {
            put_bytes(Short::of(format_args!("{value}")).bytes(), out);
        }
        Value::Real(value) if numbers => number::put_real_text(value, out),
        _ => return Err(Unfit("not text")),
    }
    // Digits are one byte each.
    match chars_max {
        Some(max) if out.len() - begin > max as usize => Err(Unfit("longer than the column")),
        _ => Ok(()),
    }
}

fn binary(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    match value {
        Value::Blob(bytes) | Value::Text(bytes) => {
            if bytes.len() > FIELD_BYTES_MAX {
                return Err(Unfit("1 GiB or longer"));
            }
            put_bytes(bytes, out);
        }
        Value::Integer(value) => put_bytes(Short::of(format_args!("{value}")).bytes(), out),
        Value::Real(value) => number::put_real_text(value, out),
        Value::Null => return Err(Unfit("NULL")),
    }
    Ok(())
}

/// The text of a document: numbers are one too.
fn json(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    match value {
        Value::Text(text) => {
            if !document::is_json(text, out) {
                return Err(Unfit("not JSON"));
            }
            put_bytes(text, out);
        }
        Value::Integer(value) => put_bytes(Short::of(format_args!("{value}")).bytes(), out),
        Value::Real(value) if value.is_finite() => number::put_real_text(value, out),
        _ => return Err(Unfit("not JSON")),
    }
    Ok(())
}

fn jsonb(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    let unfit = Unfit("not JSON that jsonb holds");
    let has_sign_of_zero =
        matches!(value, Value::Real(real) if real == 0.0 && real.is_sign_negative());
    if let Value::Text(text) = value {
        return document::put_jsonb(text, out).ok_or(unfit);
    }
    let mut digits = Vec::with_capacity(24);
    json(value, &mut digits)?;
    if has_sign_of_zero {
        return Err(unfit);
    }
    document::put_jsonb(&digits, out).ok_or(unfit)
}

fn uuid(value: Value<'_>, named: Option<Conversion>) -> Result<[u8; 16], Unfit> {
    let read = match (value, named) {
        (Value::Text(text), _) => return address::uuid(text, named.is_some()),
        (Value::Blob(bytes), Some(Conversion::UuidDotnet)) => address::uuid_of_dotnet(bytes),
        (Value::Blob(bytes), _) => bytes.try_into().ok(),
        (Value::Integer(digits), Some(Conversion::UuidInteger)) => address::uuid_of_digits(digits),
        _ => None,
    };
    read.ok_or(Unfit("not a UUID"))
}
/// PostgreSQL's time ends with the year 294276: what would be rounded to the next does not fit.
fn in_time(us: i64, stepped: i64) -> Result<i64, Unfit> {
    const END_US: i64 = 9_223_371_331_200_000_000;
    if stepped == us || stepped < END_US {
        return Ok(stepped);
    }
    Err(Unfit("rounded beyond the end of time"))
}
