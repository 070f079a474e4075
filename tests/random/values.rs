//! Values of every storage class, at every boundary.

use rusqlite::types::Value;

use super::Dice;

/// A value for a statement: as it is, or bytes that become text.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Plain(Value),
    TextOf(Vec<u8>),
}

impl Cell {
    pub(super) fn place(&self) -> &'static str {
        match self {
            Self::Plain(_) => "?",
            Self::TextOf(_) => "CAST(? AS TEXT)",
        }
    }

    pub(super) fn bound(self) -> Value {
        match self {
            Self::Plain(value) => value,
            Self::TextOf(bytes) => Value::Blob(bytes),
        }
    }
}

/// What a column mostly holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    SmallIntegers,
    Integers,
    Bools,
    BoolWords,
    Reals,
    Decimals,
    Dates,
    Times,
    Timestamps,
    Zoned,
    Json,
    Uuids,
    Blobs,
    Words,
    Digits,
    Chaos,
    Nulls,
}

pub(super) const FLAVOURS: [Flavour; 17] = [
    Flavour::SmallIntegers,
    Flavour::Integers,
    Flavour::Bools,
    Flavour::BoolWords,
    Flavour::Reals,
    Flavour::Decimals,
    Flavour::Dates,
    Flavour::Times,
    Flavour::Timestamps,
    Flavour::Zoned,
    Flavour::Json,
    Flavour::Uuids,
    Flavour::Blobs,
    Flavour::Words,
    Flavour::Digits,
    Flavour::Chaos,
    Flavour::Nulls,
];

pub(super) const INTEGERS: [i64; 24] = [
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    32_767,
    32_768,
    -32_768,
    -32_769,
    65_536,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    -2_147_483_649,
    4_294_967_296,
    9_007_199_254_740_992,
    9_007_199_254_740_993,
    -9_007_199_254_740_993,
    999_999_999_999_999_999,
    i64::MAX - 1,
    i64::MAX,
    i64::MIN,
];

pub(super) const REALS: [f64; 32] = [
    0.0,
    -0.0,
    0.1,
    0.2,
    0.30000000000000004,
    1.0,
    -1.5,
    1e15,
    1e16,
    1e17,
    123456789012345680.0,
    1e21,
    1e22,
    1e23,
    9.5e-7,
    1e-5,
    1e-7,
    5e-324,
    2.2250738585072014e-308,
    2.225073858507201e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    1e308,
    f64::INFINITY,
    f64::NEG_INFINITY,
    9007199254740992.0,
    9007199254740994.0,
    9223372036854775808.0,
    124_615_759_031_518.13,
    5e-5,
    299792458.0,
    2.5,
];

const TEXTS: [&str; 40] = [
    "",
    " ",
    "a",
    "Hello, world",
    "it's",
    "\"q\"",
    "\\",
    "\\N",
    "\\.",
    "a\tb\nc\r",
    "NULL",
    "null",
    "NaN",
    "Infinity",
    "-Infinity",
    "infinity",
    "inf",
    "now",
    "today",
    "epoch",
    "0x1F",
    "1e5",
    "1E400",
    "+1",
    "-0",
    "00",
    "007",
    " 1",
    "1 ",
    "1.",
    ".5",
    "1_000",
    "٣",
    "ß",
    "名前",
    "👩‍👩‍👧",
    "\u{feff}bom",
    "\u{fffd}",
    "\u{10ffff}",
    "e\u{301}",
];

const DATES: [&str; 22] = [
    "2024-02-29",
    "2023-02-29",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "1969-12-31",
    "2024-13-01",
    "2024-1-1",
    "20240101",
    "2024/01/01",
    "01.02.2024",
    "2024-W01-1",
    "2024-001",
    "-0001-01-01",
    "2000-02-29",
    "1900-02-29",
    "1582-10-10",
    "2024-12-31",
    "0004-02-29",
    "1999-01-08",
    "2024-04-31",
];

const TIMES: [&str; 14] = [
    "00:00",
    "00:00:00",
    "23:59:59",
    "23:59:59.999999",
    "23:59:59.9999999",
    "24:00:00",
    "12:60:00",
    "12:00:60",
    "1:00",
    "12:34:56.7",
    "12:34:56.",
    "12:34:56Z",
    "12:34:56+02",
    "-01:00",
];

const ZONES: [&str; 14] = [
    "Z", "z", "+00", "+00:00", "-00:00", "+02:00", "-1200", "+14:00", "+15:59", "+16:00", " UTC",
    " +0530", " CET", "+5",
];

const JSONS: [&str; 36] = [
    "{}",
    "[]",
    "null",
    "true",
    "1",
    "-0",
    "-0.0",
    "1.0",
    "1e5",
    "1E+400",
    "1e-400",
    "1e99999",
    "\"\"",
    "\"\\u0000\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "{\"a\":1,\"b\":[1,2,{\"c\":null}]}",
    "{\"b\":1,\"a\":2}",
    " { \"a\" : 1 } ",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "[1,2",
    "NaN",
    "Infinity",
    "{\"\":0}",
    "[[[[[[[[[[]]]]]]]]]]",
    "123456789012345678901234567890.123456789",
    "0.1",
    "01",
    "{\"a\\u0000\":1}",
    "\"a\\/b\"",
    "{\"x\":\"\\\\u0000\"}",
    "[1.10]",
    "{\"k\":\"é\"}",
];

/// One value, mostly of the flavour; a stranger or NULL now and then.
pub(super) fn cell(flavour: Flavour, purity: u32, dice: &mut Dice) -> Cell {
    if dice.one_in(9) {
        return Cell::Plain(Value::Null);
    }
    let flavour = if purity > 0 && dice.one_in(purity) { Flavour::Chaos } else { flavour };
    match flavour {
        Flavour::SmallIntegers => integer(i64::from(dice.below(200)) - 20),
        Flavour::Integers => integer(any_integer(dice)),
        Flavour::Bools => integer(i64::from(dice.below(2))),
        Flavour::BoolWords => text(
            dice.pick(&["t", "F", "true", "False", "yes", "no", "on", "OFF", "0", "1", "y", "N"]),
        ),
        Flavour::Reals => real(any_real(dice)),
        Flavour::Decimals => real(f64::from(dice.below(2_000_000)) / 100.0 - 10_000.0),
        Flavour::Dates => text(&date(dice)),
        Flavour::Times => text(&time(dice)),
        Flavour::Timestamps => text(&timestamp(dice)),
        Flavour::Zoned => {
            let zone = if dice.one_in(4) { dice.pick(&ZONES) } else { dice.pick(&ZONES[..8]) };
            text(&format!("{}{zone}", timestamp(dice)))
        }
        Flavour::Json => text(dice.pick(&JSONS)),
        Flavour::Uuids => text(&uuid(dice)),
        Flavour::Blobs => Cell::Plain(Value::Blob(bytes(dice))),
        Flavour::Words => text(&word(dice)),
        Flavour::Digits => text(&digits(dice)),
        Flavour::Chaos => chaos(dice),
        Flavour::Nulls => Cell::Plain(Value::Null),
    }
}

fn chaos(dice: &mut Dice) -> Cell {
    match dice.below(14) {
        0 => integer(any_integer(dice)),
        1 => real(any_real(dice)),
        2..=4 => text(dice.pick(&TEXTS)),
        5 => Cell::Plain(Value::Blob(bytes(dice))),
        6 => text(&digits(dice)),
        7 => text("a\0b"),
        // Bad UTF-8: a lone byte, a surrogate, an overlong form, a cut sequence.
        8 => Cell::TextOf(
            dice.pick::<&[u8]>(&[
                b"\xff",
                b"a\xed\xa0\x80",
                b"\xc0\x80",
                b"\xf0\x9f\x98",
                b"caf\xe9",
            ])
            .to_vec(),
        ),
        9 => text(&uuid(dice)),
        10 => text(&timestamp(dice)),
        11 => text(dice.pick(&JSONS)),
        12 if dice.one_in(6) => text(&"lang ".repeat(2_000)),
        12 => text(&word(dice)),
        _ => Cell::Plain(Value::Blob(vec![dice.byte(); 16])),
    }
}

fn integer(value: i64) -> Cell {
    Cell::Plain(Value::Integer(value))
}

fn real(value: f64) -> Cell {
    Cell::Plain(Value::Real(value))
}

fn text(value: &str) -> Cell {
    Cell::Plain(Value::Text(value.to_owned()))
}

fn any_integer(dice: &mut Dice) -> i64 {
    match dice.below(3) {
        0 => dice.pick(&INTEGERS),
        1 => i64::from(dice.below(1_000_000)),
        _ => dice.integer() >> dice.below(63),
    }
}

fn any_real(dice: &mut Dice) -> f64 {
    let value = match dice.below(4) {
        0 => dice.pick(&REALS),
        1 => f64::from(dice.below(100_000)) / 1_000.0,
        2 => f64::from(dice.below(1_000)),
        _ => f64::from_bits(dice.next()),
    };
    // SQLite stores NaN as NULL.
    if value.is_nan() { 0.5 } else { value }
}

fn date(dice: &mut Dice) -> String {
    if dice.one_in(12) {
        return dice.pick(&DATES).to_owned();
    }
    format!("{:04}-{:02}-{:02}", 1900 + dice.below(200), 1 + dice.below(12), 1 + dice.below(28))
}

fn time(dice: &mut Dice) -> String {
    if dice.one_in(12) {
        return dice.pick(&TIMES).to_owned();
    }
    let mut time = format!("{:02}:{:02}", dice.below(24), dice.below(60));
    if !dice.one_in(6) {
        time.push_str(&format!(":{:02}", dice.below(60)));
        if dice.one_in(3) {
            let most = if dice.one_in(20) { 9 } else { 6 };
            let digits = 1 + dice.below(most);
            time.push('.');
            time.extend((0..digits).map(|_| char::from(b'0' + dice.byte() % 10)));
        }
    }
    time
}

fn timestamp(dice: &mut Dice) -> String {
    let separator = if dice.one_in(30) { "  " } else { dice.pick(&[" ", "T"]) };
    format!("{}{separator}{}", date(dice), time(dice))
}

fn uuid(dice: &mut Dice) -> String {
    let hex = format!("{:016x}{:016x}", dice.next(), dice.next());
    let uuid =
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    match dice.below(30) {
        0 => hex,
        1 => format!("{{{uuid}}}"),
        2..=4 => uuid.to_uppercase(),
        _ => uuid,
    }
}

fn bytes(dice: &mut Dice) -> Vec<u8> {
    let length = dice.pick(&[0, 1, 2, 15, 16, 17, 100]);
    (0..length).map(|_| dice.byte()).collect()
}

fn word(dice: &mut Dice) -> String {
    let length = dice.pick(&[1, 3, 5, 10, 20, 80, 255, 256]);
    (0..length).map(|_| dice.char()).filter(|c| *c != '\0').collect()
}

/// Text of a number, in PostgreSQL's own form or in another.
fn digits(dice: &mut Dice) -> String {
    let mut text = String::from(dice.pick(&["", "", "-", "", "+", " ", "0"]));
    let most = if dice.one_in(5) { 40 } else { 8 };
    for _ in 0..=dice.below(most) {
        text.push(char::from(b'0' + dice.byte() % 10));
    }
    match dice.below(6) {
        0 => text.push_str(&format!(".{}", dice.below(10_000))),
        1 => text.push_str(dice.pick(&["e3", "E-2", ".", ".0", ".00", " "])),
        _ => {}
    }
    text
}
