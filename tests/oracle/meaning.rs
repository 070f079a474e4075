//! What each conversion means, as SQL over the raw value.
//!
//! `i` is an integer, `r` a double, `b` the bytes of a text or blob, `s` the text that PostgreSQL makes of
//! them (an error when it is none). NULL, and an error of class 22 or 54, is a value that does not fit.

/// The SQL of every storage class; `None`: no value of it fits.
#[derive(Default)]
pub(super) struct Meaning {
    pub(super) integer: Option<String>,
    pub(super) real: Option<String>,
    pub(super) text: Option<String>,
    pub(super) blob: Option<String>,
}

/// Stands for the zone in an expression.
const ZONE: &str = "ZONE";

fn of(integer: &str, real: &str, text: &str, blob: &str) -> Meaning {
    let some = |sql: &str| (!sql.is_empty()).then(|| sql.to_owned());
    Meaning { integer: some(integer), real: some(real), text: some(text), blob: some(blob) }
}

/// Returns whether an expression needs the text of the bytes, which are then refused where they are
/// none.
pub(super) fn reads_text(sql: &str) -> bool {
    !sql.starts_with("mended(") && sql != "b"
}

/// Splits `numeric(12,2)` into name and sizes.
pub(super) fn sizes(pg_type: &str) -> (&str, Vec<u32>) {
    let Some((name, sizes)) = pg_type.trim_end_matches(')').split_once('(') else {
        return (pg_type, Vec::new());
    };
    (name, sizes.split(',').map(|size| size.parse().unwrap()).collect())
}

/// Returns the meaning of a conversion to a type, texts without zone and clocks in `zone`.
pub(super) fn of_conversion(pg_type: &str, convert: &str, zone: &str) -> Meaning {
    let meaning = match convert {
        "plain" => plain(pg_type),
        "bool_word" => of("i::int::boolean where i in (0, 1)", "", "boolean_word(s)", ""),
        "iso" => iso(pg_type),
        "unix_s" => epoch(pg_type, "1000000", "-946684800000000"),
        "unix_ms" => epoch(pg_type, "1000", "-946684800000000"),
        "iso_or_unix_ms" => {
            let millis = epoch(pg_type, "1000", "-946684800000000");
            Meaning { integer: millis.integer, real: millis.real, ..iso(pg_type) }
        }
        "unix_us" => epoch(pg_type, "1", "-946684800000000"),
        "unix_ns" => epoch(pg_type, "0.001", "-946684800000000"),
        "apple_s" => epoch(pg_type, "1000000", "31622400000000"),
        "webkit_us" => epoch(pg_type, "1", "-12591158400000000"),
        "julian" => julian(pg_type),
        "interval_us" => of("interval_us(i)", "interval_us(whole(exact(r)))", "", ""),
        "interval_s" => {
            of("interval_us(i * 1000000)", "interval_us(whole(exact(r) * 1000000))", "", "")
        }
        "interval_iso" => of("", "", "iso_interval(s)", ""),
        "interval_dotnet" => of("", "", "dotnet_interval(s)", ""),
        "interval_1970" => of(
            "",
            "",
            "interval_us((extract(epoch from iso_clock(s, false)) * 1000000)::bigint) \
             where (iso_parts(s))[5] is null",
            "",
        ),
        "uuid" => of("", "", "any_uuid(s)", "uuid_of_bytes(b)"),
        "uuid_dotnet" => of("", "", "any_uuid(s)", "uuid_of_dotnet(b)"),
        "uuid_digits" => {
            of("lpad(i::text, 32, '0')::uuid where i >= 0", "", "any_uuid(s)", "uuid_of_bytes(b)")
        }
        "json" => Meaning {
            blob: Some(format!("document(convert_from(b, 'UTF8'))::text::{pg_type}")),
            ..plain(pg_type)
        },
        "number" => number(pg_type),
        "number_blob" => {
            let number = number(pg_type);
            let text = number.text.as_deref().unwrap_or_default();
            // `s` is only of texts.
            let blob = ["(s)", "(s,"].iter().fold(text.to_owned(), |sql, of_text| {
                sql.replace(of_text, &of_text.replace('s', "convert_from(b, 'UTF8')"))
            });
            Meaning { blob: Some(blob), ..number }
        }
        "array_json" => array_json(pg_type),
        "array_comma" => array_comma(pg_type),
        "replace" => text_as(pg_type, "mended(b, 'efbfbd')"),
        "strip" => text_as(pg_type, "mended(b, '')"),
        "truncate" => of("", "", &format!("left(s, {})", sizes(pg_type).1[0]), ""),
        "as_printed" => as_printed(pg_type),
        label => enumeration(label),
    };
    // PostgreSQL counts the hours of a zone '+05:30' to the west; those of an interval to the east.
    let kind = if zone.starts_with(['+', '-']) { "interval " } else { "" };
    let placed = |sql: Option<String>| sql.map(|sql| sql.replace(ZONE, &format!("{kind}'{zone}'")));
    Meaning {
        integer: placed(meaning.integer),
        real: placed(meaning.real),
        text: placed(meaning.text),
        blob: placed(meaning.blob),
    }
}

/// Within ±2^53 a double holds every integer.
const EXACT: &str = "i between -9007199254740992 and 9007199254740992";

fn plain(pg_type: &str) -> Meaning {
    let (name, sizes) = sizes(pg_type);
    match name {
        "boolean" => of("i::int::boolean where i in (0, 1)", "", "", ""),
        "smallint" | "integer" => of("i", "", "", ""),
        "bigint" => of("i", "", "canonical_integer(s)", ""),
        "real" => of(
            &format!("i::float8::float4 where {EXACT} and i::float8::float4::float8 = i"),
            "r::float4 where r::float4::float8 = r",
            "",
            "",
        ),
        "double precision" => of(&format!("i where {EXACT}"), "r", "", ""),
        "numeric" => {
            let sized = |sql: &str| match sizes.as_slice() {
                [digits, decimals] => format!("sized({sql}, {digits}, {decimals})"),
                _ => sql.to_owned(),
            };
            let finite = "r not in ('inf', '-inf') and r::text <> '-0'";
            of(
                &sized("i::numeric"),
                &format!("{} where {finite}", sized("shortest(r)::numeric")),
                &sized("canonical_number(s)"),
                "",
            )
        }
        "text" => of("i::text", "real_text(r)", "s", ""),
        "varchar" | "char" => of("", "", &format!("s where char_length(s) <= {}", sizes[0]), ""),
        "bytea" => of("convert_to(i::text, 'UTF8')", "convert_to(real_text(r), 'UTF8')", "b", "b"),
        "date" => of("", "", "day(s)", ""),
        "time" => of("", "", "clock_time(s, false)", ""),
        "timetz" => of("", "", "clock_time_zone(s)", ""),
        "timestamp" => of(
            "",
            "",
            "coalesce(day(s)::timestamp, case when (iso_parts(s))[5] is null then iso_clock(s, false) end)",
            "",
        ),
        "timestamptz" => of("", "", "iso_instant(s, false)", ""),
        "json" => of(
            "i::text::json",
            "real_text(r)::json where r not in ('inf', '-inf')",
            "document(s)",
            "",
        ),
        "jsonb" => of(
            "i::text::jsonb",
            "real_text(r)::jsonb where r not in ('inf', '-inf') and r::text <> '-0'",
            "document(s)::text::jsonb",
            "",
        ),
        "uuid" => of(
            "",
            "",
            "s::uuid where s ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'",
            "uuid_of_bytes(b)",
        ),
        "inet" | "cidr" => of("", "", &format!("s::{name} where {ADDRESS}"), ""),
        "macaddr" => of("", "", &format!("s::macaddr where {HARDWARE}"), ""),
        other => unreachable!("{other} by plain"),
    }
}

const ADDRESS: &str = "s ~ ('^' || dotted() || '(/(0|[1-9][0-9]?))?$') \
    or s ~ ('^[0-9a-fA-F:]*:([0-9a-fA-F]+|(?<=::)|' || dotted() || ')(/(0|[1-9][0-9]{0,2}))?$')";
const HARDWARE: &str = "s ~* '^[0-9a-f]{2}(:[0-9a-f]{2}){5}$' or s ~* '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$' \
    or s ~* '^[0-9a-f]{4}(\\.[0-9a-f]{4}){2}$' or s ~* '^[0-9a-f]{12}$'";

fn iso(pg_type: &str) -> Meaning {
    of(
        "",
        "",
        match pg_type {
            "date" => "coalesce(day(s), midnight(iso_clock(s, true)))",
            "time" => "clock_time(regexp_replace(s, '^(2000|1970|1900)-01-01[ T]', ''), true)",
            "timestamp" => {
                "coalesce(day(s)::timestamp, case when (iso_parts(s))[5] is null then iso_clock(s, true) \
                 else iso_instant(s, true) at time zone ZONE end)"
            }
            _ => {
                "coalesce(in_zone(day(s)::timestamp, ZONE), iso_instant(s, true), \
                 in_zone(iso_clock(s, true), ZONE))"
            }
        },
        "",
    )
}

/// The type from an instant.
fn of_instant(pg_type: &str, instant: &str) -> String {
    match pg_type {
        "date" => format!("midnight({instant} at time zone 'UTC')"),
        "timestamp" => format!("{instant} at time zone ZONE"),
        _ => instant.to_owned(),
    }
}

fn epoch(pg_type: &str, unit_us: &str, begins_us: &str) -> Meaning {
    let instant = |count: &str| {
        of_instant(pg_type, &format!("instant(round({count} * {unit_us}) + {begins_us})"))
    };
    of(&instant("i::numeric"), &instant("exact(r)"), "", "")
}

fn julian(pg_type: &str) -> Meaning {
    let instant = |days: &str| {
        of_instant(
            pg_type,
            &format!("instant((round({days} * 86400000) - 211813444800000) * 1000)"),
        )
    };
    of(&instant("i::numeric"), &instant("exact(r)"), "", "")
}

fn number(pg_type: &str) -> Meaning {
    let plain = plain(pg_type);
    let (name, sizes) = sizes(pg_type);
    match name {
        "double precision" => Meaning {
            text: Some("btrim(s, E' \\t\\n\\f\\r')::float8 where is_number(s)".into()),
            ..plain
        },
        "numeric" => {
            let text = match sizes.as_slice() {
                [digits, decimals] => format!("sized(number(s), {digits}, {decimals})"),
                _ => "number(s)".to_owned(),
            };
            Meaning { text: Some(text), ..plain }
        }
        _ => of(
            "i",
            "exact(r) where r = trunc(r)",
            "number(s) where number(s) = trunc(number(s))",
            "",
        ),
    }
}

/// Into real what is exact, or what both print alike; into text what is not too long.
fn as_printed(pg_type: &str) -> Meaning {
    let plain = plain(pg_type);
    if let [chars] = sizes(pg_type).1.as_slice() {
        let fitting = |sql: &str| Some(format!("{sql} where char_length({sql}) <= {chars}"));
        return Meaning { integer: fitting("i::text"), real: fitting("real_text(r)"), ..plain };
    }
    let alike = |double: &str| {
        format!(
            "{double}::float4::float8 = {double} or \
             {double}::float4::text::numeric = shortest({double})::numeric"
        )
    };
    of(
        &format!("i::float8::float4 where {EXACT} and ({})", alike("i::float8")),
        &format!("r::float4 where {}", alike("r")),
        "",
        "",
    )
}

const NUMBER: &str = "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$";

fn array_json(pg_type: &str) -> Meaning {
    of(
        "",
        "",
        &match pg_type {
            "text[]" | "varchar[]" => "members(s, 'string')".to_owned(),
            "smallint[]" | "integer[]" | "bigint[]" => {
                format!("all_match(members(s, 'number'), '^(0|-?[1-9][0-9]*)$')::{pg_type}")
            }
            "uuid[]" => uuids("members(s, 'string')"),
            "double precision[]" => "members(s, 'number')::float8[]".to_owned(),
            _ => "members(s, 'boolean')::boolean[]".to_owned(),
        },
        "",
    )
}

fn uuids(list: &str) -> String {
    format!(
        "array(select any_uuid(m) from unnest({list}) with ordinality t(m, n) order by n) \
         where {list} is not null and not exists \
         (select from unnest({list}) m where m is not null and any_uuid(m) is null)"
    )
}

fn array_comma(pg_type: &str) -> Meaning {
    let list = "string_to_array(s, ',')";
    of(
        "",
        "",
        &match pg_type {
            "text[]" | "varchar[]" => list.to_owned(),
            "smallint[]" | "integer[]" | "bigint[]" => {
                format!("all_match({list}, '^(0|-?[1-9][0-9]*)$')::{pg_type}")
            }
            "uuid[]" => uuids(list),
            "double precision[]" => format!("all_match({list}, '{NUMBER}')::float8[]"),
            _ => format!(
                "array(select boolean_word(m) from unnest({list}) with ordinality t(m, n) order by n) \
                 where not exists (select from unnest({list}) m where boolean_word(m) is null)"
            ),
        },
        "",
    )
}

/// `replace` and `strip`: numbers go into text as in `plain`.
fn text_as(pg_type: &str, text: &str) -> Meaning {
    let text = match sizes(pg_type).1.as_slice() {
        [chars] => format!("{text} where char_length({text}) <= {chars}"),
        _ => text.to_owned(),
    };
    Meaning { text: Some(text), ..plain(pg_type) }
}

/// The labels that the cases name beside the case.
pub(super) const LABELS: [(&str, &str); 3] = [("on hold", "PAUSED"), ("", "none"), ("Σ", "sum")];

/// A label is text of at most 63 bytes; litelift makes the type from them.
fn enumeration(convert: &str) -> Meaning {
    let case = match convert {
        "enum:upper" => "upper(s collate \"und-x-icu\")",
        "enum:lower" => "lower(s collate \"und-x-icu\")",
        _ => "s",
    };
    let named: String =
        LABELS.iter().map(|(text, label)| format!(" when '{text}' then '{label}'")).collect();
    let label = format!("case s{named} else {case} end");
    of("", "", &format!("{label} where octet_length({label}) <= 63"), "")
}
