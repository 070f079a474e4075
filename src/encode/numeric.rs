//! The binary form of numeric.
//!
//! Purpose: digits in base 10,000 with the weight of the first one, as `numeric_recv` in
//! PostgreSQL's `utils/adt/numeric.c` reads them: int16 ndigits, weight, sign, dscale, digits.

/// Sign word of a negative number.
const NEGATIVE: u16 = 0x4000;

/// Appends a field (length and bytes) for a plain decimal: optional minus, digits, optional point.
///
/// The display scale is the number of digits after the point. The caller has checked the form with
/// [`super::decimal::is_canonical_decimal`] or made the text itself.
pub fn put(text: &[u8], out: &mut Vec<u8>) {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let negative = digits.len() < text.len();
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or(&[]));

    let length_at = out.len();
    out.extend_from_slice(&[0; 12]);
    let first_at = out.len();
    // Groups of four run outwards from the point: the first one may be short on the left, the
    // last one is filled with zeros on the right.
    let groups_whole = whole.len().div_ceil(4);
    let mut weight = i32::try_from(groups_whole).unwrap_or(i32::MAX) - 1;
    let short = whole.len() % 4;
    let mut rest = whole;
    if short > 0 {
        let (head, tail) = whole.split_at(short);
        push_group(head, 4, out, first_at, &mut weight);
        rest = tail;
    }
    for group in rest.chunks(4) {
        push_group(group, 4, out, first_at, &mut weight);
    }
    for group in fraction.chunks(4) {
        push_group(group, group.len(), out, first_at, &mut weight);
    }
    while out.len() > first_at && out.ends_with(&[0, 0]) {
        out.truncate(out.len() - 2);
    }
    let count = (out.len() - first_at) / 2;
    if count == 0 {
        weight = 0;
    }
    let sign = if negative && count > 0 { NEGATIVE } else { 0 };
    let words = [short_word(count), word_of(weight), sign, short_word(fraction.len())];
    let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
    out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    for (position, word) in words.into_iter().enumerate() {
        let at = length_at + 4 + position * 2;
        out[at..at + 2].copy_from_slice(&word.to_be_bytes());
    }
}

/// As [`put`], but with the display scale of the column. The digits that count are not more than that.
pub fn put_scaled(text: &[u8], scale: u16, out: &mut Vec<u8>) {
    let begin = out.len();
    put(text, out);
    out[begin + 10..begin + 12].copy_from_slice(&scale.to_be_bytes());
}

/// Appends one base-10,000 digit; leading zero digits lower the weight instead.
fn push_group(group: &[u8], present: usize, out: &mut Vec<u8>, first_at: usize, weight: &mut i32) {
    let mut digit = group.iter().fold(0_u16, |sum, byte| sum * 10 + u16::from(byte - b'0'));
    for _ in present..4 {
        digit *= 10;
    }
    if digit == 0 && out.len() == first_at {
        *weight -= 1;
    } else {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}

fn short_word(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn word_of(weight: i32) -> u16 {
    let weight = i16::try_from(weight).unwrap_or(i16::MAX);
    u16::from_be_bytes(weight.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<i16> {
        let mut out = Vec::new();
        put(text.as_bytes(), &mut out);
        let length = u32::from_be_bytes(out[..4].try_into().unwrap()) as usize;
        assert_eq!(length, out.len() - 4);
        out[4..].chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn digits_weight_sign_and_scale() {
        assert_eq!(words("0"), [0, 0, 0, 0]);
        assert_eq!(words("0.00"), [0, 0, 0, 2]);
        assert_eq!(words("1"), [1, 0, 0, 0, 1]);
        assert_eq!(words("-12345.678"), [3, 1, 0x4000, 3, 1, 2345, 6780]);
        assert_eq!(words("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(words("0.0001"), [1, -1, 0, 4, 1]);
        assert_eq!(words("0.00001"), [1, -2, 0, 5, 1000]);
        assert_eq!(words("1.50"), [2, 0, 0, 2, 1, 5000]);
        assert_eq!(words("100.5"), [2, 0, 0, 1, 100, 5000]);
    }
}
