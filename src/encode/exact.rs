//! Counts of units from doubles, exactly.
//!
//! Purpose: `1.9 * 1e6` in doubles rounds twice, and is a microsecond off for one real in some thousand
//! (measured); a double is an integer times a power of two, so integers can say what is nearest.

/// Bits of the fraction of a double.
const FRACTION_BITS: u32 = 52;
/// What the exponent of a double is beyond that of its last bit.
const EXPONENT_BIAS: i32 = 1_075;
/// From here on the product is out of every range that is asked for.
const SHIFT_UP_MAX: i32 = 40;
/// From here on the product is less than a half.
const SHIFT_DOWN_MAX: u32 = 90;

/// Returns `value * up / down` as the nearest integer, half away from zero. `up` is at most 2^27 and
/// `down` at most 2^10. `None` for NaN, infinities and what is beyond 2^93.
#[must_use]
pub fn scaled(value: f64, up: u32, down: u16) -> Option<i128> {
    let bits = value.to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let biased = i32::try_from(bits >> FRACTION_BITS & 0x7FF).ok()?;
    let (mantissa, exponent) = match biased {
        0x7FF => return None,
        0 => (fraction, 1 - EXPONENT_BIAS),
        _ => (fraction | 1 << FRACTION_BITS, biased - EXPONENT_BIAS),
    };
    let (mut above, mut below) = (u128::from(mantissa) * u128::from(up), u128::from(down));
    if exponent > SHIFT_UP_MAX && mantissa > 0 {
        return None;
    }
    match exponent.unsigned_abs() {
        shift if exponent >= 0 => above <<= shift,
        shift if shift >= SHIFT_DOWN_MAX => return Some(0),
        shift => below <<= shift,
    }
    let rounded = i128::try_from((above * 2 + below) / (below * 2)).ok()?;
    Some(if value < 0.0 { -rounded } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_integer_is_of_the_exact_product() {
        for (value, up, down, expected) in [
            (1.5, 1, 1, 2),
            (-1.5, 1, 1, -2),
            (0.25, 1_000_000, 1, 250_000),
            // The double is a little less than these digits.
            (0.562_600_5, 1_000_000, 1, 562_600),
            (-253_402_300_801.964_45, 1_000_000, 1, -253_402_300_801_964_447),
            (2_459_263.5, 86_400_000, 1, 212_480_366_400_000),
            (1499.0, 1, 1000, 1),
            (1500.0, 1, 1000, 2),
            (5e-324, 86_400_000, 1, 0),
            (0.0, 1, 1, 0),
            (9.0e18, 1, 1, 9_000_000_000_000_000_000),
        ] {
            assert_eq!(scaled(value, up, down), Some(expected), "{value}");
        }
        for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e30, -1e300] {
            assert_eq!(scaled(value, 1, 1), None, "{value}");
        }
    }
}
