//! Texts that mean something, and those that nearly do.

use crate::support::generate::Random;

use super::values::{Maker, Owned, pick};

/// Every maker of texts here.
pub(super) const ALL: [Maker; 17] = [
    decimal,
    number,
    word,
    plain,
    date,
    clock,
    clock_zone,
    stamp,
    stamp_zone,
    iso_interval,
    clock_interval,
    uuid,
    json,
    list,
    commas,
    address,
    hardware,
];

fn owned(text: impl Into<Vec<u8>>) -> Owned {
    Owned::Text(text.into())
}

pub(super) fn digits(random: &mut Random, count: u32) -> String {
    (0..count).map(|_| char::from(*pick(random, b"0123456789"))).collect()
}

fn hex(random: &mut Random, count: u32) -> String {
    (0..count).map(|_| char::from(*pick(random, b"0123456789abcdefABCDEF"))).collect()
}

/// What text may hold, and what it may not: NUL, bytes that are no UTF-8, digits of other scripts.
pub(super) fn odd(random: &mut Random) -> Vec<u8> {
    const ODD: [&[u8]; 40] = [
        b"",
        b" ",
        b"\t\n",
        b"NULL",
        b"a\0b",
        b"\0",
        b"\xff",
        b"a\xc3",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xed\xb0\x80x",
        b"\xf0\x82\x82\xac",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xe2\x28\xa1",
        b"\xf0\x9f\x98",
        b"\xef\xbb\xbf1",
        "\u{661}\u{662}".as_bytes(),
        "\u{ff11}".as_bytes(),
        "\u{b2}".as_bytes(),
        "\u{a0}1".as_bytes(),
        "\u{10ffff}".as_bytes(),
        "e\u{301}".as_bytes(),
        "\u{feff}".as_bytes(),
        b"today",
        b"now",
        b"infinity",
        b"NaN",
        b"-Infinity",
        b"epoch",
        b"0x1F",
        b"1_000",
        b"1,5",
        b"$1.00",
        b"-",
        b"+",
        b".",
        b"--1",
        b"1 2",
        b"\x0b1",
    ];
    match random.below(60) {
        0 => "\u{e9}".repeat(1 + random.below(12) as usize).into_bytes(),
        1 => vec![b'x'; 5_000],
        2 => (0..random.below(12)).map(|_| random.next().to_be_bytes()[0]).collect(),
        // UTF-8 in pieces: lead and continuation bytes in any order.
        3..=9 => (0..random.below(8))
            .flat_map(|_| {
                pick::<&[u8]>(
                    random,
                    &[
                        b"\xe2\x82",
                        b"\xac",
                        b"\xf0\x9f",
                        b"\x98\x80",
                        b"\xed",
                        b"\xa0",
                        b"\x80",
                        b"\xc3",
                        b"\xa9",
                        b"a",
                        b"\0",
                        b"\xf4\x8f",
                        b"\xbf\xbf",
                        b"\xe0\xa0",
                        b"\xf1\x80\x80",
                        b"\xc1",
                        b"\xf8",
                    ],
                )
                .to_vec()
            })
            .collect(),
        _ => pick(random, &ODD).to_vec(),
    }
}

pub(super) fn plain(random: &mut Random) -> Owned {
    if random.below(4) == 0 {
        return Owned::Text(odd(random));
    }
    let char = |random: &mut Random| {
        let scalar = match random.below(4) {
            0 => 0x20 + random.below(0x5f),
            1 => 0xa0 + random.below(0x200),
            2 => 0x4e00 + random.below(0x4000),
            _ => 0x1f300 + random.below(0x300),
        };
        // Two letters have an upper case only since Unicode 16, and so not in every server's ICU.
        char::from_u32(scalar).filter(|c| !matches!(c, '\u{19b}' | '\u{264}')).unwrap_or('x')
    };
    let count = random.below(24);
    owned((0..count).map(|_| char(random)).collect::<String>())
}

/// Numbers as PostgreSQL prints them, and nearly so.
pub(super) fn decimal(random: &mut Random) -> Owned {
    if random.below(60) == 0 {
        // Longer than numeric can be, or than anybody expects.
        let whole = *pick(random, &[1, 15_001, 131_072, 131_073]);
        let scale = *pick(random, &[0, 16_383, 16_384]);
        let point = if scale == 0 { "" } else { "." };
        return owned(format!("1{}{point}{}", digits(random, whole - 1), digits(random, scale)));
    }
    let sign = *pick(random, &["", "", "-"]);
    let (whole, scale) = (1 + random.below(22), random.below(6));
    let first = random.below(10);
    let text = format!("{sign}{first}{}", digits(random, whole - 1));
    owned(if scale > 0 { format!("{text}.{}", digits(random, scale)) } else { text })
}

pub(super) fn number(random: &mut Random) -> Owned {
    const EDGES: [&str; 32] = [
        "1e309",
        "1e308",
        "-1e309",
        "1e-324",
        "4.9e-324",
        "2e-324",
        "1e-400",
        "1e400",
        "0e999",
        "0e-999",
        "0e99999",
        "1e131071",
        "1e131072",
        "1e-16383",
        "1e-16384",
        "1e2147483648",
        "0.0e5",
        "-0",
        "-0.00",
        "+0",
        "000",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "0.1000000000000000055511151231257827",
        "1e",
        "e1",
        "1.e5",
        ".e5",
        ".5e1",
        "100e-2",
    ];
    let blank = |random: &mut Random| *pick(random, &["", "", "", " ", "\t", "\n ", "\r", "\x0c"]);
    let text = if random.below(6) == 0 {
        (*pick(random, &EDGES)).to_owned()
    } else {
        let sign = *pick(random, &["", "-", "+"]);
        let (whole, scale) = (random.below(20), random.below(8));
        let mut text = format!("{sign}{}", digits(random, whole));
        if random.below(2) == 0 {
            text = format!("{text}.{}", digits(random, scale));
        }
        if random.below(3) == 0 {
            let bound = if random.below(8) == 0 { 900 } else { 30 };
            let exponent = random.below(bound);
            text = format!("{text}{}{}", pick(random, &["e", "E", "e+"]), exponent);
            if random.below(2) == 0 {
                text = text.replace("e+", "e").replace(['e', 'E'], "e-");
            }
        }
        text
    };
    let (before, after) = (blank(random), blank(random));
    owned(format!("{before}{text}{after}"))
}

pub(super) fn word(random: &mut Random) -> Owned {
    const WORDS: [&str; 17] = [
        "t", "F", "true", "FALSE", "y", "N", "Yes", "no", "on", "OFF", "0", "1", "tr", "of",
        "\u{17f}", "null", "2",
    ];
    owned(*pick(random, &WORDS))
}

fn day(random: &mut Random) -> String {
    const YEARS: [u32; 14] =
        [0, 1, 4, 100, 1582, 1600, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 9999];
    let year = if random.below(2) == 0 { *pick(random, &YEARS) } else { random.below(10_000) };
    // 29 to 31 exist in some months only.
    let (month, day) = match random.below(8) {
        0 => (random.below(14), random.below(33)),
        1 => (2, 27 + random.below(4)),
        2 => *pick(random, &[(1, 1), (12, 31)]),
        // Where summer time begins and ends.
        3 => (*pick(random, &[3, 10, 11, 4]), 1 + random.below(31)),
        _ => (1 + random.below(12), 1 + random.below(28)),
    };
    if random.below(4) == 0 {
        return format!("{:04}-{month:02}-{day:02}", 1970 + random.below(70));
    }
    format!("{year:04}-{month:02}-{day:02}")
}

fn fraction(random: &mut Random) -> String {
    match random.below(8) {
        0 => "9".repeat(1 + random.below(10) as usize),
        1 => format!("{}5", digits(random, 6)),
        2 => format!(
            "{}{}",
            digits(random, 6),
            pick(random, &["499", "500", "501", "5", "50", "000", "001"])
        ),
        3 => format!("{}0000", digits(random, 6)),
        _ => {
            let count = random.below(8);
            digits(random, count)
        }
    }
}

fn hours(random: &mut Random) -> String {
    match random.below(12) {
        0 => "24:00:00".to_owned(),
        1 => "23:59:60".to_owned(),
        2 => format!("23:59:59.{}", "9".repeat(1 + random.below(9) as usize)),
        3 => format!("{:02}:{:02}", random.below(26), random.below(61)),
        4 => "00:00:00".to_owned(),
        5 => format!("00:00:00.{}", fraction(random)),
        6 => format!("{:02}:{:02}:{:02}", 1 + random.below(3), random.below(60), random.below(60)),
        7 => format!("{:02}:{:02}:{:02}", random.below(25), random.below(60), random.below(61)),
        _ => format!(
            "{:02}:{:02}:{:02}.{}",
            random.below(24),
            random.below(60),
            random.below(60),
            fraction(random)
        ),
    }
}

fn zone(random: &mut Random) -> String {
    const ODD: [&str; 14] = [
        "Z",
        "z",
        " UTC",
        "+15:59",
        "-15:59",
        "+16",
        "-00:00",
        "+00:60",
        " +02",
        " Z",
        "UTC",
        "+2",
        " -0330",
        "+05:30:00",
    ];
    match random.below(4) {
        0 => (*pick(random, &ODD)).to_owned(),
        1 => format!("+{:02}", random.below(17)),
        2 => format!("-{:02}{:02}", random.below(16), random.below(60)),
        _ => format!("+{:02}:{:02}", random.below(16), random.below(60)),
    }
}

pub(super) fn date(random: &mut Random) -> Owned {
    owned(day(random))
}

pub(super) fn clock(random: &mut Random) -> Owned {
    owned(hours(random))
}

/// A clock behind a date that means none.
pub(super) fn dated_clock(random: &mut Random) -> Owned {
    let date = *pick(random, &["2000-01-01", "1970-01-01", "1900-01-01", "2000-01-02"]);
    owned(format!("{date}{}{}", pick(random, &["T", " "]), hours(random)))
}

pub(super) fn clock_zone(random: &mut Random) -> Owned {
    owned(format!("{}{}", hours(random), zone(random)))
}

/// Clock times that occur twice or never in one of the zones of the cases.
fn odd_clock(random: &mut Random) -> String {
    const DAYS: [&str; 7] = [
        "2024-03-31",
        "2024-10-27",
        "2024-03-10",
        "2024-11-03",
        "2024-04-07",
        "2024-10-06",
        "1986-01-01",
    ];
    let hours = hours(random);
    let rest = hours.get(2..).unwrap_or_default();
    format!("{}{}{:02}{rest}", pick(random, &DAYS), pick(random, &["T", " "]), random.below(4))
}

pub(super) fn stamp(random: &mut Random) -> Owned {
    if random.below(5) == 0 {
        return owned(odd_clock(random));
    }
    owned(format!("{}{}{}", day(random), pick(random, &["T", " "]), hours(random)))
}

pub(super) fn stamp_zone(random: &mut Random) -> Owned {
    owned(format!("{}{}{}{}", day(random), pick(random, &["T", " "]), hours(random), zone(random)))
}

pub(super) fn iso_interval(random: &mut Random) -> Owned {
    let amount = |random: &mut Random| match random.below(12) {
        0 => *pick(
            random,
            &[2_147_483_647, 2_147_483_648, 178_956_970, 178_956_971, 306_783_378, 306_783_379],
        ),
        1 => 0,
        _ => i64::from(random.below(1000)),
    };
    let mut text = (*pick(random, &["P", "P", "P", "-P"])).to_owned();
    for unit in ["Y", "M", "W", "D"] {
        if random.below(2) == 0 {
            text = format!("{text}{}{}{unit}", pick(random, &["", "", "-", "+"]), amount(random));
        }
    }
    if random.below(3) > 0 {
        text.push('T');
        for unit in ["H", "M", "S"] {
            if random.below(2) == 0 {
                let count = match random.below(16) {
                    0 => *pick(
                        random,
                        &[2_562_047_788, 2_562_047_789, 9_223_372_036_854, 153_722_867_280],
                    ),
                    _ => amount(random),
                };
                text = format!("{text}{}{count}", pick(random, &["", "", "-", "+"]));
                if random.below(3) == 0 {
                    text = format!("{text}.{}", fraction(random));
                }
                text.push_str(unit);
            }
        }
    }
    owned(text)
}

/// .NET's TimeSpan.
pub(super) fn clock_interval(random: &mut Random) -> Owned {
    let days = match random.below(4) {
        0 => format!("{}.", random.below(10_675_200)),
        1 => format!("{}.", pick(random, &["106751991", "106751992", "0", "00", ""])),
        _ => String::new(),
    };
    owned(format!("{}{days}{}", pick(random, &["", "", "-"]), hours(random)))
}

pub(super) fn uuid(random: &mut Random) -> Owned {
    let plain = hex(random, 32);
    let hyphened = format!(
        "{}-{}-{}-{}-{}",
        &plain[..8],
        &plain[8..12],
        &plain[12..16],
        &plain[16..20],
        &plain[20..]
    );
    owned(match random.below(8) {
        0 => plain,
        1 => format!("{{{plain}}}"),
        2 => format!("{{{hyphened}}}"),
        3 => format!("urn:uuid:{hyphened}"),
        4 => format!("{}-{}", &plain[..16], &plain[16..]),
        _ => hyphened,
    })
}

pub(super) fn number_blob(random: &mut Random) -> Owned {
    let Owned::Text(text) = number(random) else { return Owned::Null };
    Owned::Blob(text)
}

pub(super) fn json_blob(random: &mut Random) -> Owned {
    let Owned::Text(text) = json(random) else { return Owned::Null };
    Owned::Blob(text)
}

pub(super) fn json(random: &mut Random) -> Owned {
    if random.below(150) == 0 {
        return owned(large_json(random));
    }
    let blank = |random: &mut Random| *pick(random, &["", "", " ", "\n\t", "\r\n"]);
    let (before, after) = (blank(random), blank(random));
    owned(format!("{before}{}{after}", document(random, 4)))
}

/// Deep ones, long numbers, long strings.
fn large_json(random: &mut Random) -> String {
    let depth = *pick(random, &[127, 128, 129, 500, 999, 1000, 1001, 3000]);
    match random.below(6) {
        0 => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        1 => format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        2 => format!("{}\"\\u00e9[[\"{}", "[".repeat(depth), "]".repeat(depth)),
        3 => format!("[{}]", digits(random, 15_001).replacen('0', "1", 1)),
        4 => format!("{{\"n\": \"{}\"}}", digits(random, 20_000)),
        _ => {
            let count = *pick(random, &[16_383, 16_384, 200]);
            format!("[-0.{}]", digits(random, count))
        }
    }
}

fn document(random: &mut Random, depth: u32) -> String {
    let leaf = depth == 0 || random.below(3) == 0;
    let blank = |random: &mut Random| *pick(random, &["", "", "", " "]);
    match (leaf, random.below(4)) {
        (true, 0 | 1) => json_number(random),
        (true, 2) => (*pick(random, &["true", "false", "null", "null", "True", "nul"])).to_owned(),
        (true, _) => string(random),
        (false, 0 | 1) => {
            let members: Vec<String> =
                (0..random.below(4)).map(|_| document(random, depth - 1)).collect();
            format!("[{}{}{}]", blank(random), members.join(" , "), blank(random))
        }
        (false, _) => {
            let members: Vec<String> = (0..random.below(4))
                .map(|_| {
                    format!("{}{}:{}", string(random), blank(random), document(random, depth - 1))
                })
                .collect();
            format!("{{{}{}}}", members.join(","), blank(random))
        }
    }
}

fn json_number(random: &mut Random) -> String {
    const EDGES: [&str; 22] = [
        "-0",
        "-0.0",
        "1e400",
        "1e-400",
        "1e131071",
        "1e131072",
        "1E-16383",
        "1e-16384",
        "0e99999",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "9007199254740993",
        "9223372036854775808",
        "-9223372036854775808",
        "1.7976931348623157e308",
        "1e309",
        "5e-324",
        "1e2147483648",
    ];
    match random.below(4) {
        0 => (*pick(random, &EDGES)).to_owned(),
        1 => (random.next().cast_signed() >> random.below(64)).to_string(),
        2 => format!("{:e}", f64::from_bits(random.next())).replace("NaN", "0").replace("inf", "0"),
        _ => {
            let scale = 1 + random.below(18);
            format!("{}.{}e{}", random.below(100), digits(random, scale), random.below(30))
        }
    }
}

fn string(random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "a",
        "a",
        "a",
        "b",
        "\u{e9}",
        "\\n",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\\"",
        "/",
        "\\/",
        "x y",
        "\\\\",
        "[{",
        "1e99999",
        "\\u0061",
        "\\uD83D\\uDE00",
        "2024",
        "",
        "\u{1f600}",
        "\\b\\f\\r\\t",
        "}",
        ",",
        ":",
    ];
    const BAD: [&str; 12] = [
        "\\u0000",
        "\\ud800",
        "\\udc00",
        "\\ude00\\ud83d",
        "\\ud83d\\u0041",
        "\\ud83d\\n",
        "\\x41",
        "\\u00g0",
        "\\u12",
        "\n",
        "\\",
        "\\ud83dx",
    ];
    let text: String = (0..random.below(3)).map(|_| *pick(random, &PIECES)).collect();
    let bad = if random.below(10) == 0 { *pick(random, &BAD) } else { "" };
    format!("\"{text}{bad}\"")
}

/// A JSON array of one kind of members.
pub(super) fn list(random: &mut Random) -> Owned {
    let kind = random.below(4);
    let count = random.below(5);
    let members: Vec<String> = (0..count)
        .map(|_| match (random.below(12), kind) {
            (0, _) => "null".to_owned(),
            (1, _) => document(random, 1),
            (_, 0) => string(random),
            (_, 1) => (*pick(random, &["true", "false"])).to_owned(),
            (_, 2) => (random.next().cast_signed() >> random.below(64)).to_string(),
            _ => json_number(random),
        })
        .collect();
    let between: &str = pick::<&str>(random, &[",", ", ", " ,\n"]);
    owned(format!("[{}]", members.join(between)))
}

pub(super) fn commas(random: &mut Random) -> Owned {
    const MEMBERS: [&str; 8] =
        ["Trailers", "Deleted Scenes", "", "a\"b", "\u{fc}", " x", "NULL", "{}"];
    let kind = random.below(4);
    let count = random.below(5);
    let members: Vec<String> = (0..count)
        .map(|_| match kind {
            0 => (*pick(random, &MEMBERS)).to_owned(),
            1 => (random.next().cast_signed() >> random.below(64)).to_string(),
            2 => (*pick(random, &["t", "No", "1", "0", "true", "off", "x"])).to_owned(),
            _ => match number(random) {
                Owned::Text(text) => String::from_utf8(text).unwrap().trim().to_owned(),
                _ => String::new(),
            },
        })
        .collect();
    owned(members.join(","))
}

pub(super) fn address(random: &mut Random) -> Owned {
    const V6: [&str; 16] = [
        "::",
        "::1",
        "fe80::1",
        "1::",
        "::ffff:1.2.3.4",
        "::1.2.3.4",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:1.2.3.4",
        "2001:DB8::a",
        "1::2::3",
        "fe80::1%eth0",
        ":1",
        "1:",
        "12345::",
        "1:2:3:4:5:6:7:8:9",
    ];
    let bits = |random: &mut Random, max: u32| match random.below(6) {
        0 | 1 => String::new(),
        2 => (*pick(
            random,
            &["/0", "/032", "/33", "/129", "/128", "/", "/-1", "/+8", "/08", "/00", "/256"],
        ))
        .to_owned(),
        _ => format!("/{}", random.below(max + 1)),
    };
    let byte = |random: &mut Random| match random.below(20) {
        0 => (*pick(random, &["0", "255", "256", "00", "010", "", "1000"])).to_owned(),
        _ => random.below(256).to_string(),
    };
    match random.below(4) {
        0 => {
            let address =
                format!("{}.{}.{}.{}", byte(random), byte(random), byte(random), byte(random));
            owned(format!("{address}{}", bits(random, 32)))
        }
        1 => {
            let mask = random.below(33);
            let kept = if mask == 0 { 0 } else { u32::MAX << (32 - mask) };
            let address = std::net::Ipv4Addr::from((random.next() >> 32) as u32 & kept);
            owned(format!("{address}/{mask}"))
        }
        2 => owned(format!("{}{}", pick(random, &V6), bits(random, 128))),
        _ => {
            let groups: Vec<String> = (0..8).map(|_| hex(random, 4)).collect();
            owned(format!("{}{}", groups.join(":"), bits(random, 128)))
        }
    }
}

pub(super) fn hardware(random: &mut Random) -> Owned {
    let plain = hex(random, 12);
    let pairs: Vec<&str> = (0..6).map(|at| &plain[at * 2..at * 2 + 2]).collect();
    owned(match random.below(6) {
        0 => plain,
        1 => pairs.join("-"),
        2 => format!("{}.{}.{}", &plain[..4], &plain[4..8], &plain[8..]),
        3 => format!("{}:{}", &plain[..6], &plain[6..]),
        4 => format!("{}-{}-{}", &plain[..4], &plain[4..8], &plain[8..]),
        _ => pairs.join(":"),
    })
}

pub(super) fn label(random: &mut Random) -> Owned {
    const LABELS: [&str; 14] = [
        "open",
        "Closed",
        "",
        "on hold",
        "\u{3a3}",
        "stra\u{df}e",
        "\u{130}",
        "\u{1c5}",
        "O'Brien",
        "a\"b",
        "\u{39f}\u{394}\u{3a3}",
        "PAUSED",
        "x y",
        "\u{fb01}",
    ];
    match random.below(6) {
        0 => owned("x".repeat(62 + random.below(3) as usize)),
        1 => owned(format!(
            "{}{}",
            "\u{e9}".repeat(31),
            ["", "x", "\u{df}"][random.below(3) as usize]
        )),
        _ => owned(*pick(random, &LABELS)),
    }
}
