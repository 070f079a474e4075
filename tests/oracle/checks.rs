//! What must hold of the encoders for any bytes: the fuzz targets of `fuzz/`, and a test.
//!
//! Purpose: PostgreSQL is too slow to be asked a million times a second. These checks know less than
//! it, and none of them only that nothing panics: what was read is printed again by other means, or
//! read by another parser.

#![allow(dead_code, reason = "each fuzz target uses one of them")]

use litelift::encode::{RowEncoder, Zone, array, decimal, interval, iso, json, numeric, words};
use litelift::introspect::observe::ColumnObserver;
use litelift::map::fit;
use litelift::map::rules::Wants;
use litelift::model::convert::Convert;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::pg_type::{Element, PgType};
use litelift::model::plan::ColumnPlan;
use litelift::model::value::Value;
use litelift::verify::witness::{Agreement, ColumnWitness, Scratch, SourceClock};

/// Dates and times: what is read is what stands there.
pub(crate) fn dates(text: &[u8]) {
    if let Some(days) = iso::date(text) {
        assert_eq!(civil(days).as_bytes(), text);
    }
    if let Some(us) = iso::time(text) {
        assert!((0..iso::DAY_US).contains(&us));
        assert_eq!(iso::clock_rounded(text), Some(us));
    }
    let Some(stamp) = iso::timestamp(text) else { return };
    assert_eq!(iso::timestamp_rounded(text), Some(stamp));
    let days = i32::try_from(stamp.local_us.div_euclid(iso::DAY_US)).unwrap();
    assert_eq!(civil(days).as_bytes(), &text[..10]);
    for zone in ["UTC", "Europe/Paris", "Australia/Lord_Howe", "-11:30"] {
        let zone = Zone::named(zone).unwrap();
        let utc_us = zone.utc_us(stamp.local_us).unwrap();
        // A skipped clock time moves on, by at most the two hours of the largest change.
        let moved_us = zone.local_us(utc_us).unwrap() - stamp.local_us;
        assert!((0..=2 * 3_600 * iso::SECOND_US).contains(&moved_us), "{moved_us}");
    }
}

/// The day of a number of days since 2000-01-01, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: i32) -> String {
    let z = i64::from(days) + 10_957 + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", doy - (153 * mp + 2) / 5 + 1)
}

/// Numbers: the digits of numeric are those of the text.
pub(crate) fn decimals(text: &[u8]) {
    if let Some(integer) = decimal::canonical_integer(text) {
        assert_eq!(integer.to_string().as_bytes(), text);
        assert!(decimal::is_canonical_decimal(text));
    }
    if decimal::is_canonical_decimal(text) {
        assert!(decimal::fits_numeric(text));
        let mut field = Vec::new();
        numeric::put(text, &mut field);
        assert_eq!(numeric_text(&field[4..]).as_bytes(), text);
    }
    for pg_type in [PgType::Numeric(None), PgType::Double, PgType::BigInt] {
        let Some(field) = encoded(pg_type, "number", Value::Text(text)) else { continue };
        let trimmed = std::str::from_utf8(text).unwrap().trim_ascii();
        let double: f64 = trimmed.parse().unwrap();
        let same = match pg_type {
            PgType::BigInt => {
                let integer = i64::from_be_bytes(field.try_into().unwrap());
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "what is compared is the nearest double"
                )]
                let near = integer as f64;
                near == double
            }
            PgType::Double => {
                f64::from_be_bytes(field.try_into().unwrap()).to_bits() == double.to_bits()
            }
            // Out of the range of doubles both are infinite, or both zero.
            _ => numeric_text(&field).parse::<f64>().unwrap() == double,
        };
        assert!(same, "{trimmed} {pg_type}");
    }
}

/// Reads `numeric_send`'s bytes.
fn numeric_text(field: &[u8]) -> String {
    let words: Vec<i16> =
        field.chunks(2).map(|pair| i16::from_be_bytes(pair.try_into().unwrap())).collect();
    let [count, weight, sign, scale, digits @ ..] = words.as_slice() else { panic!("{words:?}") };
    // More groups than an i16 counts fit before and after the point together.
    assert_eq!(usize::from(count.cast_unsigned()), digits.len());
    assert!(digits.iter().all(|digit| (0..10_000).contains(digit)), "{digits:?}");
    let group = |at: i32| {
        let position = usize::try_from(i32::from(*weight) - at).ok();
        position.and_then(|position| digits.get(position)).copied().unwrap_or(0)
    };
    let whole: String =
        (0..=i32::from(*weight).max(0)).rev().map(|at| format!("{:04}", group(at))).collect();
    let whole = whole.trim_start_matches('0');
    let scale = usize::try_from(*scale).unwrap();
    let groups = i32::try_from(scale.div_ceil(4)).unwrap();
    let fraction: String = (1..=groups).map(|at| format!("{:04}", group(-at))).collect();
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if scale > 0 { "." } else { "" };
    let sign = if *sign == 0 { "" } else { "-" };
    format!("{sign}{whole}{point}{}", &fraction[..scale])
}

/// JSON: the grammar is that of serde_json, up to a depth.
pub(crate) fn json(text: &[u8]) {
    let is_json = json::is_json(text);
    assert!(is_json || !json::is_jsonb(text));
    let ignored = serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    let grammatical = ignored && std::str::from_utf8(text).is_ok();
    let (depth, colons) = if grammatical { depth_and_colons(text) } else { (0, 0) };
    assert_eq!(is_json, grammatical && depth <= json::DEPTH_MAX);
    if !is_json {
        return;
    }
    if let Some(members) = json::members(text) {
        for member in members {
            assert!(json::is_json(member));
        }
    }
    if let Ok(read) = serde_json::from_slice::<serde_json::Value>(text) {
        assert_eq!(json::Keys::default().repeat(text), colons > entries(&read));
    }
}

/// Levels, and keys, of a text that is JSON.
fn depth_and_colons(text: &[u8]) -> (usize, usize) {
    let (mut depth, mut deepest, mut colons) = (0, 0, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth -= 1,
            b':' => colons += 1,
            _ => {}
        }
    }
    (deepest, colons)
}

/// Keys of a document that knows each only once.
fn entries(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(members) => members.iter().map(entries).sum(),
        serde_json::Value::Object(members) => {
            members.values().map(|member| 1 + entries(member)).sum()
        }
        _ => 0,
    }
}

/// Durations: a minus before all turns everything round.
pub(crate) fn intervals(text: &[u8]) {
    let turned = |read: Option<interval::Interval>| {
        let read = read?;
        Some((read.months.checked_neg()?, read.days.checked_neg()?, read.us.checked_neg()?))
    };
    let with_minus = [b"-", text].concat();
    if text.first() != Some(&b'-') {
        for read in [interval::of_iso, interval::of_dotnet] {
            let negative = read(&with_minus).map(|read| (read.months, read.days, read.us));
            assert_eq!(negative, turned(read(text)));
        }
    }
    if let (Some(since), Some(stamp)) = (interval::since_1970(text), iso::timestamp(text)) {
        assert_eq!(since.us - stamp.local_us, 10_957 * iso::DAY_US);
    }
}

/// Arrays: the field is what `array_recv` reads, to its last byte.
pub(crate) fn arrays(text: &[u8]) {
    for element in [Element::Text, Element::BigInt, Element::Double, Element::Boolean] {
        for put in [array::put_json, array::put_comma] {
            let mut field = b"before".to_vec();
            if !put(text, element, &mut field) {
                assert_eq!(field, b"before");
                continue;
            }
            let words: Vec<i32> = field[6..]
                .chunks_exact(4)
                .map(|word| i32::from_be_bytes(word.try_into().unwrap()))
                .take(6)
                .collect();
            let length = usize::try_from(words[0]).unwrap();
            assert_eq!(length + 4, field.len() - 6);
            assert_eq!(words[3], element.oid());
            if words[1] == 0 {
                assert_eq!((length, words[2]), (12, 0));
                continue;
            }
            assert_eq!((words[1], words[5]), (1, 1));
            let (mut rest, mut nulls) = (&field[6 + 24..], 0);
            for _ in 0..words[4] {
                let (length, tail) = rest.split_first_chunk::<4>().unwrap();
                let length = i32::from_be_bytes(*length);
                nulls += i32::from(length == -1);
                rest = &tail[usize::try_from(length.max(0)).unwrap()..];
            }
            assert!(rest.is_empty() && (nulls > 0) == (words[2] == 1));
        }
    }
}

/// UUIDs: the digits are those of the text.
pub(crate) fn uuids(text: &[u8]) {
    let Some(bytes) = words::any_uuid(text) else {
        assert!(words::uuid(text).is_none());
        return;
    };
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let there = std::str::from_utf8(text).unwrap().trim_start_matches("urn:uuid:").to_lowercase();
    assert_eq!(there.replace(['-', '{', '}'], ""), digits);
}

/// A type and a conversion, then a value: the field has the length that it says, the scan says of the
/// value what the encoder does, and so does the witness, which reads the field back.
pub(crate) fn columns(data: &[u8]) {
    const TYPES: [&str; 32] = [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "numeric",
        "numeric(12,2)",
        "text",
        "varchar(3)",
        "char(3)",
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
        "bigint[]",
        "double precision[]",
        "boolean[]",
        "enum(mood)",
        "varchar[]",
        "integer[]",
        "uuid[]",
    ];
    let [pg_type, convert, class, rest @ ..] = data else { return };
    let pg_type: PgType = TYPES[usize::from(*pg_type) % TYPES.len()].parse().unwrap();
    let named = Convert::NAMED.iter().map(|(_, name, ..)| *name);
    let names: Vec<&str> = ["plain", "enum:keep", "enum:upper", "enum:lower"]
        .into_iter()
        .chain(named)
        .filter(|name| Convert::parse(name).unwrap().makes(pg_type))
        .collect();
    let convert = names[usize::from(*convert) % names.len()];
    let eight = rest.first_chunk::<8>().copied();
    let value = match (class % 4, eight) {
        (0, Some(bytes)) => Value::Integer(i64::from_be_bytes(bytes)),
        (1, Some(bytes)) if !f64::from_be_bytes(bytes).is_nan() => {
            Value::Real(f64::from_be_bytes(bytes))
        }
        (2, _) => Value::Blob(rest),
        _ => Value::Text(rest),
    };
    let field = encoded(pg_type, convert, value);
    let taken = field.is_some();
    let witness = ColumnWitness::new(&plan(pg_type, convert), &SourceClock::named("UTC").unwrap());
    let witnessed = witness.neutral_source(value, &mut Vec::new()).is_ok();
    assert_eq!(witnessed, taken, "{value:?} {pg_type} {convert}: the witness says otherwise");
    // The server pads these two.
    if let Some(field) =
        field.filter(|_| !matches!(pg_type, PgType::Char(_) | PgType::Numeric(Some(_))))
    {
        let agreement = witness.agrees(value, Some(&field), &mut Scratch::default());
        assert_eq!(agreement, Agreement::Same, "{value:?} {pg_type} {convert}");
    }
    if let Some(fits) = scan_fits(pg_type, Convert::parse(convert).unwrap(), value) {
        assert_eq!(fits, taken, "{value:?} {pg_type} {convert}");
    }
}

fn plan(pg_type: PgType, convert: &str) -> ColumnPlan {
    ColumnPlan {
        source: String::new(),
        readable: true,
        target: String::new(),
        pg_type,
        convert: Convert::parse(convert).unwrap(),
        labels: Vec::new(),
        on_misfit: OnMisfit::Reject,
        demands: litelift::model::demands::Demands::default(),
    }
}

/// Returns the bytes of a field, without their length.
fn encoded(pg_type: PgType, convert: &str, value: Value<'_>) -> Option<Vec<u8>> {
    let mut field = Vec::new();
    RowEncoder::new(&[plan(pg_type, convert)], &Zone::default())
        .field(0, value, &mut field)
        .ok()?;
    let (length, bytes) = field.split_first_chunk::<4>().unwrap();
    assert_eq!(usize::try_from(i32::from_be_bytes(*length)).unwrap(), bytes.len());
    Some(bytes.to_vec())
}

/// What the scan says of a column that holds this value alone; `None` where it says nothing, and each
/// value is run through the encoder before anything is decided.
pub(crate) fn scan_fits(pg_type: PgType, convert: Convert, value: Value<'_>) -> Option<bool> {
    if !fit::is_provable(pg_type, convert) {
        return None;
    }
    let mut observer = ColumnObserver::new(Wants { json: pg_type == PgType::Jsonb, digits: true });
    observer.observe(value, None);
    let evidence = observer.finish();
    // Values that are no blobs go into bytea too, but only as the last resort.
    let fits = fit::misfits(pg_type, convert, &evidence).is_none();
    Some(fits || pg_type == PgType::Bytea)
}
