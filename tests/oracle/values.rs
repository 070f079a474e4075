//! Values of every storage class, near the edges of everything.

use litelift::model::value::Value;

use crate::support::generate::Random;

use super::texts;

/// A value of SQLite that owns its bytes.
#[derive(Clone, Debug)]
pub(super) enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Owned {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// Makes a value that a conversion is meant for.
pub(super) type Maker = fn(&mut Random) -> Owned;

/// Returns mostly a value of the makers, some of them with a change, and else any value.
pub(super) fn value(random: &mut Random, makers: &[Maker]) -> Owned {
    match random.below(16) {
        0 => Owned::Null,
        1 | 2 => any(random),
        3 | 4 => changed(random, makers),
        _ => made(random, makers),
    }
}

fn made(random: &mut Random, makers: &[Maker]) -> Owned {
    pick(random, makers)(random)
}

pub(super) fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.below(u32::try_from(from.len()).unwrap()) as usize]
}

/// Any storage class, any form.
fn any(random: &mut Random) -> Owned {
    match random.below(5) {
        0 => integer(random),
        1 => real(random),
        2 => Owned::Text(texts::odd(random)),
        3 => made(random, &texts::ALL),
        _ => blob(random),
    }
}

/// A value of the makers in which one place is not as it was, or that has another storage class.
fn changed(random: &mut Random, makers: &[Maker]) -> Owned {
    const PUT: [&[u8]; 26] = [
        b"0",
        b"9",
        b"-",
        b"+",
        b".",
        b":",
        b" ",
        b"e",
        b"E",
        b"T",
        b"Z",
        b",",
        b"\"",
        b"\\",
        b"[",
        b"}",
        b"/",
        b"\0",
        b"\xff",
        b"\n",
        b"\x0b",
        b"00",
        "\u{a0}".as_bytes(),
        "\u{0661}".as_bytes(),
        b"x",
        b"\xed\xa0\x80",
    ];
    match made(random, makers) {
        Owned::Null => Owned::Null,
        Owned::Integer(value) => match random.below(3) {
            0 => Owned::Text(value.to_string().into_bytes()),
            #[allow(clippy::cast_precision_loss, reason = "another value is what is wanted")]
            1 => Owned::Real(value as f64),
            _ => Owned::Integer(value.wrapping_neg()),
        },
        Owned::Real(value) => match random.below(3) {
            0 => Owned::Text(format!("{value:?}").into_bytes()),
            1 => not_nan(f64::from_bits(value.to_bits() ^ 1 << random.below(64))),
            _ => Owned::Real(-value),
        },
        Owned::Text(mut bytes) | Owned::Blob(mut bytes) => {
            let length = u32::try_from(bytes.len()).unwrap();
            let at = random.below(length + 1) as usize;
            let put = pick(random, &PUT);
            match random.below(6) {
                0 => return Owned::Blob(bytes),
                1 => drop(bytes.splice(at..at, put.iter().copied())),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 if at < bytes.len() => drop(bytes.splice(at..=at, put.iter().copied())),
                4 => bytes.truncate(at),
                _ => bytes.extend_from_slice(put),
            }
            Owned::Text(bytes)
        }
    }
}

fn near(random: &mut Random, edges: &[i64]) -> i64 {
    pick(random, edges).wrapping_add(i64::from(random.below(5)) - 2)
}

pub(super) fn integer(random: &mut Random) -> Owned {
    const EDGES: [i64; 14] = [
        0,
        127,
        255,
        -32_768,
        32_767,
        65_535,
        -2_147_483_648,
        2_147_483_647,
        4_294_967_295,
        -(1 << 53),
        1 << 53,
        1_000_000_000_000_000,
        i64::MIN,
        i64::MAX,
    ];
    // All sizes alike: as many one-byte numbers as eight-byte ones.
    Owned::Integer(match random.below(3) {
        0 => near(random, &EDGES),
        _ => random.next().cast_signed() >> random.below(64),
    })
}

pub(super) fn flag(random: &mut Random) -> Owned {
    Owned::Integer(i64::from(random.below(3)) - i64::from(random.below(8) == 0))
}

pub(super) fn not_nan(value: f64) -> Owned {
    Owned::Real(if value.is_nan() { -0.0 } else { value })
}

pub(super) fn real(random: &mut Random) -> Owned {
    const EDGES: [f64; 34] = [
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::MAX,
        f64::MIN,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        -9_007_199_254_740_992.0,
        9.223_372_036_854_776e18,
        1.844_674_407_370_955_2e19,
        0.1,
        0.5,
        1.5,
        2.5,
        -0.5,
        1e15,
        1e16,
        9.999_999_999_999_998e15,
        1e-4,
        9.999e-5,
        1e-5,
        1e300,
        3.402_823_466_385_288_6e38,
        3.402_823_669_209_385e38,
        1.401_298_464_324_817e-45,
        7.006_492_321_624_085e-46,
        1.175_494_350_822_287_5e-38,
        123_456.789,
        1e22,
        1e23,
    ];
    match random.below(6) {
        0 => Owned::Real(*pick(random, &EDGES)),
        1 => not_nan(f64::from_bits(
            pick(random, &EDGES).to_bits().wrapping_add(u64::from(random.below(3))).wrapping_sub(1),
        )),
        // Any bits: subnormals, huge ones.
        2 => not_nan(f64::from_bits(random.next())),
        // Few digits, as people write them.
        3 => {
            let digits = f64::from(random.below(1_000_000)) - 500_000.0;
            Owned::Real(digits / 10_f64.powi(random.below(7).cast_signed()))
        }
        4 => Owned::Real(f64::from(random.below(u32::MAX)) - 2_147_483_648.0),
        _ => Owned::Real((random.unit() - 0.5) * 10_f64.powi(random.below(40).cast_signed() - 20)),
    }
}

pub(super) fn single(random: &mut Random) -> Owned {
    let value = f32::from_bits(u32::try_from(random.next() >> 32).unwrap());
    Owned::Real(f64::from(if value.is_nan() { 0.5 } else { value }))
}

pub(super) fn blob(random: &mut Random) -> Owned {
    let length = [0, 1, 15, 16, 16, 17, 40][random.below(7) as usize];
    Owned::Blob((0..length).map(|_| random.next().to_be_bytes()[0]).collect())
}

pub(super) fn blob16(random: &mut Random) -> Owned {
    Owned::Blob((0..16).map(|_| random.next().to_be_bytes()[0]).collect())
}

/// Seconds since 1970 at which something changes: years 1, 1970, 2000, 10000, the first and the last of
/// PostgreSQL's, and changes of summer time of Paris and New York.
const SECONDS: [i64; 14] = [
    -62_135_596_800,
    0,
    946_684_800,
    253_402_300_800,
    -210_866_803_200,
    9_224_318_016_000,
    1_711_846_800,
    1_729_990_800,
    1_710_054_000,
    1_730_613_600,
    -86_400,
    951_782_400,
    4_102_444_800,
    978_307_200,
];

/// A count of units since an epoch that begins so many seconds after 1970.
fn count(random: &mut Random, per_second: i64, epoch_s: i64) -> Owned {
    let seconds = match random.below(4) {
        0 => near(random, &SECONDS),
        1 => *pick(random, &SECONDS),
        // Years 1 to 9999.
        2 => i64::from(random.below(u32::MAX)) * 73 - 62_000_000_000,
        _ => i64::from(random.below(u32::MAX)) - 1_000_000_000,
    };
    // Midnights are dates.
    let seconds = if random.below(4) == 0 { seconds.div_euclid(86_400) * 86_400 } else { seconds };
    let count = (seconds - epoch_s).saturating_mul(per_second);
    let part = match random.below(4) {
        0 => 0,
        1 => *pick(random, &[1, -1, 499, 500, 501, -499, -500, -501]),
        _ => i64::from(random.below(u32::MAX)) % per_second,
    };
    Owned::Integer(if per_second == 1 { count } else { count.saturating_add(part) })
}

/// The same as a real, with a part of a unit.
fn real_count(random: &mut Random, per_second: i64, epoch_s: i64) -> Owned {
    let Owned::Integer(whole) = count(random, per_second, epoch_s) else { return Owned::Null };
    #[allow(clippy::cast_precision_loss, reason = "any real near it will do")]
    let whole = whole as f64;
    let part = match random.below(5) {
        0 => 0.0,
        1 => f64::from(random.below(1_000_000)) / 1e6,
        // Halves of a microsecond, and of a millisecond.
        2 => (f64::from(random.below(1_000_000)) + 0.5) / 1e6,
        3 => f64::from(random.below(1 << 22)) / f64::from(1 << 21),
        _ => random.unit(),
    };
    Owned::Real(whole + part)
}

pub(super) fn seconds(random: &mut Random) -> Owned {
    count(random, 1, 0)
}

pub(super) fn millis(random: &mut Random) -> Owned {
    count(random, 1_000, 0)
}

pub(super) fn micros(random: &mut Random) -> Owned {
    count(random, 1_000_000, 0)
}

pub(super) fn nanos(random: &mut Random) -> Owned {
    count(random, 1_000_000_000, 0)
}

pub(super) fn apple(random: &mut Random) -> Owned {
    count(random, 1, 978_307_200)
}

pub(super) fn webkit(random: &mut Random) -> Owned {
    count(random, 1_000_000, -11_644_473_600)
}

pub(super) fn real_seconds(random: &mut Random) -> Owned {
    real_count(random, 1, 0)
}

pub(super) fn real_apple(random: &mut Random) -> Owned {
    real_count(random, 1, 978_307_200)
}

pub(super) fn real_millis(random: &mut Random) -> Owned {
    real_count(random, 1_000, 0)
}

pub(super) fn real_micros(random: &mut Random) -> Owned {
    real_count(random, 1_000_000, 0)
}

pub(super) fn real_nanos(random: &mut Random) -> Owned {
    real_count(random, 1_000_000_000, 0)
}

pub(super) fn real_webkit(random: &mut Random) -> Owned {
    real_count(random, 1_000_000, -11_644_473_600)
}

pub(super) fn julian(random: &mut Random) -> Owned {
    let days = match random.below(5) {
        0 => f64::from(random.below(5_400_000)),
        1 => f64::from(random.below(5_400_000)) + 0.5,
        // Halves of a millisecond are multiples of this.
        2 => 2_451_544.5 + f64::from(random.below(100_000)) / 2048.0,
        3 => 2_400_000.0 + random.unit() * 200_000.0,
        _ => f64::from(random.below(120_000_000)) - 10.0,
    };
    if random.below(4) == 0 {
        #[allow(clippy::cast_possible_truncation, reason = "in range")]
        return Owned::Integer(days as i64);
    }
    Owned::Real(days)
}

/// Small counts: seconds or microseconds of a duration.
pub(super) fn duration(random: &mut Random) -> Owned {
    const EDGES: [i64; 6] = [0, 86_400, 9_223_372_036_854, -9_223_372_036_854, i64::MAX, i64::MIN];
    match random.below(4) {
        0 => Owned::Integer(near(random, &EDGES)),
        1 => Owned::Integer(i64::from(random.below(u32::MAX)) - 2_000_000_000),
        _ => real_count(random, 1, 0),
    }
}
