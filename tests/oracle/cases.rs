//! The cases: random values, and how PostgreSQL makes the same from their text `s`.

use crate::support::generate::Random;

/// A value of SQLite that owns its bytes.
pub(super) enum Owned {
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

pub(super) struct Case {
    pub(super) pg_type: &'static str,
    pub(super) convert: &'static str,
    pub(super) zone: &'static str,
    pub(super) value: fn(&mut Random) -> Owned,
    /// Makes the value from the text `s`.
    pub(super) oracle: &'static str,
    /// Least and most percent that the encoder refuses.
    pub(super) refused: (u64, u64),
}

impl Case {
    pub(super) fn name(&self) -> String {
        format!("{} by {} in {}", self.pg_type, self.convert, self.zone)
    }
}

/// Conversions whose result PostgreSQL has no way of its own to make; they have unit tests.
pub(super) const ELSEWHERE: [&str; 8] = [
    "replace",
    "strip",
    "truncate",
    "julian",
    "interval_dotnet",
    "interval_1970",
    "uuid_dotnet",
    "uuid_digits",
];

const fn case(
    pg_type: &'static str,
    convert: &'static str,
    value: fn(&mut Random) -> Owned,
    oracle: &'static str,
    refused: (u64, u64),
) -> Case {
    Case { pg_type, convert, zone: "UTC", value, oracle, refused }
}

const fn in_zone(zone: &'static str, case: Case) -> Case {
    Case { zone, ..case }
}

const PARIS: &str = "Europe/Paris";
/// Stands in an oracle for the epoch: adding units to it is exact, unlike to_timestamp() of a double.
pub(super) const SINCE: (&str, &str) = ("SINCE", "timestamptz '1970-01-01 00:00:00+00'");

pub(super) const CASES: [Case; 48] = [
    case("smallint", "plain", integer, "s", (50, 100)),
    case("integer", "plain", integer, "s", (20, 90)),
    case("bigint", "plain", integer, "s", (0, 0)),
    case("bigint", "number", number_text, "s::numeric", (0, 70)),
    case("double precision", "plain", real, "s", (0, 0)),
    case("double precision", "number", number_text, "s", (0, 30)),
    case("real", "plain", single, "s", (0, 0)),
    case("real", "as_printed", six_digits, "s", (0, 0)),
    case("numeric", "plain", real, "trim_scale(s::numeric)", (0, 20)),
    case("numeric", "plain", integer, "s", (0, 0)),
    case("numeric", "plain", decimal_text, "s", (0, 20)),
    case("numeric", "number", number_text, "s", (0, 30)),
    case("numeric(12,2)", "plain", decimal_text, "s", (20, 95)),
    case("boolean", "plain", zero_or_one, "s", (0, 0)),
    case("boolean", "bool_word", word, "s", (0, 0)),
    case("text", "plain", any_text, "s", (0, 0)),
    case("varchar(10)", "plain", any_text, "s", (20, 95)),
    case("char(10)", "plain", any_text, "s", (20, 95)),
    case("bytea", "plain", blob, "decode(s, 'hex')", (0, 0)),
    case("date", "plain", iso_date, "s", (0, 10)),
    case("date", "iso", iso_date, "s", (0, 10)),
    case("time", "plain", iso_time, "s", (0, 0)),
    case("time", "iso", iso_time, "s", (0, 0)),
    case("timetz", "plain", iso_time_zone, "s", (0, 0)),
    case("timestamp", "plain", iso_plain, "s", (0, 10)),
    case("timestamptz", "plain", iso_zoned, "s", (0, 10)),
    case("timestamptz", "iso", iso_zoned, "s", (0, 10)),
    in_zone(
        PARIS,
        case("timestamptz", "iso", iso_plain, "s::timestamp at time zone 'Europe/Paris'", (0, 10)),
    ),
    in_zone(
        PARIS,
        case("timestamp", "iso", iso_zoned, "s::timestamptz at time zone 'Europe/Paris'", (0, 10)),
    ),
    case("timestamptz", "unix_s", seconds, "SINCE + s::bigint * interval '1 second'", (0, 0)),
    case(
        "timestamptz",
        "unix_ms",
        millis,
        "SINCE + (s::bigint / 1000) * interval '1 second' + (s::bigint % 1000) * interval '1 millisecond'",
        (0, 0),
    ),
    case(
        "timestamptz",
        "unix_us",
        micros,
        "SINCE + (s::bigint / 1000000) * interval '1 second' + (s::bigint % 1000000) * interval '1 microsecond'",
        (0, 0),
    ),
    case(
        "timestamptz",
        "unix_ns",
        nanos,
        "SINCE + (s::bigint / 1000000000) * interval '1 second' + (s::bigint % 1000000000 / 1000) * interval '1 microsecond'",
        (0, 0),
    ),
    case(
        "timestamptz",
        "apple_s",
        seconds,
        "timestamptz '2001-01-01 00:00:00+00' + s::bigint * interval '1 second'",
        (0, 0),
    ),
    case(
        "timestamptz",
        "webkit_us",
        webkit,
        "timestamptz '1601-01-01 00:00:00+00' + (s::bigint / 1000000) * interval '1 second' + (s::bigint % 1000000) * interval '1 microsecond'",
        (0, 0),
    ),
    case(
        "interval",
        "interval_us",
        micros,
        "(s::bigint / 1000000) * interval '1 second' + (s::bigint % 1000000) * interval '1 microsecond'",
        (0, 0),
    ),
    case("interval", "interval_s", small_seconds, "s::bigint * interval '1 second'", (0, 0)),
    case("interval", "interval_iso", iso_interval, "s", (0, 0)),
    case("uuid", "uuid", uuid_text, "s", (0, 0)),
    case("uuid", "uuid", uuid_blob, "s", (0, 0)),
    case("jsonb", "json", json, "s", (0, 0)),
    case("json", "json", json, "s", (0, 0)),
    case("inet", "plain", address, "s", (0, 0)),
    case("cidr", "plain", network, "s", (0, 0)),
    case("macaddr", "plain", hardware, "s", (0, 0)),
    case(
        "text[]",
        "array_json",
        json_list,
        "array(select jsonb_array_elements_text(s::jsonb))",
        (0, 0),
    ),
    case(
        "bigint[]",
        "array_json",
        json_numbers,
        "array(select jsonb_array_elements_text(s::jsonb)::bigint)",
        (0, 0),
    ),
    case("text[]", "array_comma", comma_list, "string_to_array(s, ',')", (0, 0)),
];

fn integer(random: &mut Random) -> Owned {
    // All sizes alike: as many one-byte numbers as eight-byte ones.
    let bits = random.next().to_be_bytes();
    Owned::Integer(i64::from_be_bytes(bits) >> random.below(64))
}

fn real(random: &mut Random) -> Owned {
    if random.below(2) == 0 {
        return Owned::Real(
            (random.unit() - 0.5) * 10_f64.powi(random.below(20).cast_signed() - 10),
        );
    }
    // Any bits: denormals, huge ones, -0.0, infinities.
    let value = f64::from_bits(random.next());
    Owned::Real(if value.is_nan() { -0.0 } else { value })
}

fn single(random: &mut Random) -> Owned {
    let value = f32::from_bits(u32::try_from(random.next() >> 32).unwrap());
    Owned::Real(f64::from(if value.is_nan() { 0.5 } else { value }))
}

fn digits(random: &mut Random, count: u32) -> String {
    (0..count).map(|_| char::from(b'0' + u8::try_from(random.below(10)).unwrap())).collect()
}

fn decimal_text(random: &mut Random) -> Owned {
    let whole = 1 + random.below(14);
    let scale = random.below(5);
    let sign = if random.below(3) == 0 { "-" } else { "" };
    let mut text = format!("{sign}{}{}", 1 + random.below(9), digits(random, whole - 1));
    if scale > 0 {
        text = format!("{text}.{}", digits(random, scale));
    }
    Owned::Text(text)
}

/// As many digits as every 32-bit float keeps (`FLT_DIG`).
fn six_digits(random: &mut Random) -> Owned {
    let scale = [1.0, 10.0, 100.0, 1e5][random.below(4) as usize];
    Owned::Real(f64::from(random.below(1_000_000)) / scale)
}

fn number_text(random: &mut Random) -> Owned {
    let sign = ["", "-", "+"][random.below(3) as usize];
    let blank = ["", " ", "  "][random.below(3) as usize];
    let (whole, scale) = (random.below(8), random.below(6));
    let mut text = format!("{blank}{sign}{}", digits(random, whole + 1));
    if random.below(2) == 0 {
        text = format!("{text}.{}", digits(random, scale));
    }
    if random.below(3) == 0 {
        text = format!("{text}e{}", i64::from(random.below(20)) - 8);
    }
    Owned::Text(format!("{text}{blank}"))
}

fn zero_or_one(random: &mut Random) -> Owned {
    Owned::Integer(i64::from(random.below(2)))
}

fn word(random: &mut Random) -> Owned {
    const WORDS: [&str; 12] =
        ["t", "F", "true", "FALSE", "y", "N", "Yes", "no", "on", "OFF", "0", "1"];
    Owned::Text(WORDS[random.below(12) as usize].to_owned())
}

fn any_text(random: &mut Random) -> Owned {
    let count = random.below(24);
    let char = |random: &mut Random| {
        let scalar = match random.below(4) {
            0 => 0x20 + random.below(0x5f),
            1 => 0xa0 + random.below(0x200),
            2 => 0x4e00 + random.below(0x4000),
            _ => 0x1f300 + random.below(0x300),
        };
        char::from_u32(scalar).unwrap()
    };
    Owned::Text((0..count).map(|_| char(random)).collect())
}

fn blob(random: &mut Random) -> Owned {
    Owned::Blob((0..random.below(40)).map(|_| random.next().to_be_bytes()[0]).collect())
}

fn day(random: &mut Random) -> String {
    // 29 to 31 exist in some months only: the encoder must know which.
    format!("{:04}-{:02}-{:02}", 1 + random.below(9999), 1 + random.below(12), 1 + random.below(31))
}

/// A day that exists in every month, so that PostgreSQL can say it too.
fn safe_day(random: &mut Random) -> String {
    format!("{:04}-{:02}-{:02}", 1 + random.below(9999), 1 + random.below(12), 1 + random.below(28))
}

fn clock(random: &mut Random) -> String {
    let mut text = format!("{:02}:{:02}", random.below(24), random.below(60));
    if random.below(5) > 0 {
        text = format!("{text}:{:02}", random.below(60));
        let fraction = random.below(7);
        if fraction > 0 {
            text = format!("{text}.{}", digits(random, fraction));
        }
    }
    text
}

fn zone(random: &mut Random) -> String {
    match random.below(4) {
        0 => "Z".to_owned(),
        1 => format!("+{:02}", random.below(14)),
        2 => format!("-{:02}{:02}", random.below(12), random.below(60)),
        _ => format!("+{:02}:{:02}", random.below(14), random.below(60)),
    }
}

fn iso_date(random: &mut Random) -> Owned {
    Owned::Text(day(random))
}

fn iso_time(random: &mut Random) -> Owned {
    Owned::Text(clock(random))
}

fn iso_time_zone(random: &mut Random) -> Owned {
    Owned::Text(format!("{}{}", clock(random), zone(random)))
}

fn iso_plain(random: &mut Random) -> Owned {
    let separator = ['T', ' '][random.below(2) as usize];
    Owned::Text(format!("{}{separator}{}", safe_day(random), clock(random)))
}

fn iso_zoned(random: &mut Random) -> Owned {
    let separator = ['T', ' '][random.below(2) as usize];
    // Not the first days of year 1: with an offset they would be before it, and PostgreSQL shows BC.
    Owned::Text(format!("{}{separator}{}{}", safe_day(random), clock(random), zone(random)))
}

fn around(random: &mut Random, unit: i64) -> Owned {
    // From year 1 to 9999, in seconds since 1970.
    let seconds = i64::from(random.below(u32::MAX)) * 73 - 62_000_000_000;
    Owned::Integer(
        seconds * unit + if unit > 1 { i64::from(random.below(1_000_000)) % unit } else { 0 },
    )
}

fn seconds(random: &mut Random) -> Owned {
    around(random, 1)
}

fn millis(random: &mut Random) -> Owned {
    around(random, 1_000)
}

fn micros(random: &mut Random) -> Owned {
    around(random, 1_000_000)
}

fn nanos(random: &mut Random) -> Owned {
    // Whole microseconds from 1970 on; the rounding has a test of its own.
    Owned::Integer(i64::from(random.below(u32::MAX)) * 2_000_000_000 / 1_000 * 1_000)
}

fn webkit(random: &mut Random) -> Owned {
    Owned::Integer(13_000_000_000_000_000 + i64::from(random.below(u32::MAX)) * 1_000)
}

fn small_seconds(random: &mut Random) -> Owned {
    Owned::Integer(i64::from(random.below(u32::MAX)) - 2_000_000_000)
}

fn iso_interval(random: &mut Random) -> Owned {
    let mut text = format!(
        "P{}Y{}M{}DT{}H{}M{}",
        random.below(100),
        random.below(40),
        random.below(400),
        random.below(100),
        random.below(100),
        random.below(100)
    );
    let fraction = random.below(7);
    if fraction > 0 {
        text = format!("{text}.{}", digits(random, fraction));
    }
    Owned::Text(format!("{text}S"))
}

fn hex(random: &mut Random, count: u32) -> String {
    (0..count).map(|_| char::from_digit(random.below(16), 16).unwrap()).collect()
}

fn uuid_text(random: &mut Random) -> Owned {
    let plain = hex(random, 32);
    let hyphened = format!(
        "{}-{}-{}-{}-{}",
        &plain[..8],
        &plain[8..12],
        &plain[12..16],
        &plain[16..20],
        &plain[20..]
    );
    Owned::Text(match random.below(4) {
        0 => plain,
        1 => hyphened.to_uppercase(),
        2 => format!("{{{hyphened}}}"),
        _ => hyphened,
    })
}

fn uuid_blob(random: &mut Random) -> Owned {
    Owned::Blob((0..16).map(|_| random.next().to_be_bytes()[0]).collect())
}

fn json(random: &mut Random) -> Owned {
    Owned::Text(document(random, 3))
}

fn document(random: &mut Random, depth: u32) -> String {
    let leaf = depth == 0 || random.below(3) == 0;
    match (leaf, random.below(4)) {
        (true, 0) => (i64::from(random.below(u32::MAX)) - 1000).to_string(),
        (true, 1) => format!("{}.{}0e{}", random.below(100), digits(random, 3), random.below(9)),
        (true, 2) => ["true", "false", "null"][random.below(3) as usize].to_owned(),
        (true, _) => string(random),
        (false, 0 | 1) => {
            let members: Vec<String> =
                (0..random.below(4)).map(|_| document(random, depth - 1)).collect();
            format!("[{}]", members.join(" , "))
        }
        (false, _) => {
            let members: Vec<String> = (0..random.below(4))
                .map(|_| format!("{}: {}", string(random), document(random, depth - 1)))
                .collect();
            format!("{{ {}}}", members.join(","))
        }
    }
}

fn string(random: &mut Random) -> String {
    const PIECES: [&str; 10] =
        ["a", "é", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\\"", "/", "\\/", "x y", "\\\\"];
    let count = random.below(4);
    let text: String = (0..count).map(|_| PIECES[random.below(10) as usize]).collect();
    format!("\"{text}\"")
}

fn json_list(random: &mut Random) -> Owned {
    let members: Vec<String> = (0..random.below(5))
        .map(|_| if random.below(6) == 0 { "null".to_owned() } else { string(random) })
        .collect();
    Owned::Text(format!("[{}]", members.join(", ")))
}

fn json_numbers(random: &mut Random) -> Owned {
    let members: Vec<String> = (0..random.below(5))
        .map(|_| (i64::from(random.below(u32::MAX)) - 99).to_string())
        .collect();
    Owned::Text(format!("[{}]", members.join(",")))
}

fn comma_list(random: &mut Random) -> Owned {
    const MEMBERS: [&str; 5] = ["Trailers", "Deleted Scenes", "", "a\"b", "ü"];
    let members: Vec<&str> =
        (0..random.below(5)).map(|_| MEMBERS[random.below(5) as usize]).collect();
    Owned::Text(members.join(","))
}

fn address(random: &mut Random) -> Owned {
    let byte = |random: &mut Random| random.below(256);
    if random.below(2) == 0 {
        let text = format!("{}.{}.{}.{}", byte(random), byte(random), byte(random), byte(random));
        let bits = random.below(33);
        return Owned::Text(if random.below(2) == 0 { text } else { format!("{text}/{bits}") });
    }
    let groups: Vec<String> = (0..8).map(|_| hex(random, 4)).collect();
    Owned::Text(format!("{}/{}", groups.join(":"), random.below(129)))
}

fn network(random: &mut Random) -> Owned {
    let bits = random.below(33);
    let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
    let address = std::net::Ipv4Addr::from((random.next() >> 32) as u32 & mask);
    Owned::Text(format!("{address}/{bits}"))
}

fn hardware(random: &mut Random) -> Owned {
    let groups: Vec<String> = (0..6).map(|_| hex(random, 2)).collect();
    Owned::Text(groups.join([":", "-"][random.below(2) as usize]))
}
