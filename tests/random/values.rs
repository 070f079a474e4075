//! Values of every storage class, at every boundary.

use rusqlite::types::Value;

use super::Dice;
use super::samples::{DATES, INTEGERS, JSONS, REALS, TEXTS, TIMES, ZONES};

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
