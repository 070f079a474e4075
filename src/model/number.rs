//! Numbers as a reader likes them, in every text that litelift writes.

/// Returns a number in groups of three digits.
///
/// Groups are separated by an ordinary space (`12 345 678`): every terminal, font and log viewer has
/// it, and no country reads it as a decimal point.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
