//! Numbers, sizes and durations as a reader likes them.
//!
//! Sizes are decimal (1 kB is 1000 bytes), as disks and networks are sold.

use std::time::Duration;

pub(super) use crate::model::number::grouped;

/// Returns a signed number in groups of three digits.
pub(super) fn grouped_signed(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

/// Returns a number of things with the right form of the noun: `1 row`, `2 rows`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Returns `12 rows`.
pub(super) fn rows(number: u64) -> String {
    counted(number, "row", "rows")
}

/// Returns `12 tables`.
pub(super) fn tables(number: usize) -> String {
    counted(number as u64, "table", "tables")
}

/// Returns a size such as `812 B`, `1.2 GB` or `96 MB`.
pub(super) fn bytes(number: u64) -> String {
    scaled(number, &["B", "kB", "MB", "GB", "TB", "PB", "EB"], 1000)
}

/// Returns a number short enough for a moving line: `2.0 M`, `312 k`, `9 871`.
pub(super) fn short(number: u64) -> String {
    // Up to here the exact number is as short as the rounded one.
    const EXACT_BELOW: u64 = 10_000;
    scaled(number, &["", "k", "M", "G", "T", "P", "E"], EXACT_BELOW)
}

fn scaled(number: u64, units: &[&str], exact_below: u64) -> String {
    if number < exact_below {
        return format!("{} {}", grouped(number), units[0]).trim_end().to_owned();
    }
    // Rounded in integers, so that 9.96 becomes 10 and not 10.0, and 999.6 kB becomes 1.0 MB.
    let number = u128::from(number);
    let (mut unit, mut divisor) = (0, 1);
    while unit + 1 < units.len() && rounded(number, divisor) >= 1000 {
        unit += 1;
        divisor *= 1000;
    }
    let tenths = rounded(number * 10, divisor);
    if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
    } else {
        format!("{} {}", rounded(number, divisor), units[unit])
    }
}

fn rounded(number: u128, divisor: u128) -> u128 {
    (number + divisor / 2) / divisor
}

/// Returns a duration such as `35 ms`, `0.4 s`, `17.6 s`, `2 min 03 s` or `1 h 02 min`.
pub(super) fn seconds(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    if seconds < 0.0005 {
        return "0 s".to_owned();
    }
    if seconds < 0.0995 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    whole_seconds(Duration::from_secs_f64(seconds.min(1e15).round()).as_secs())
}

/// Returns a duration without fractions, for what is only an estimate: `8 s`, `2 min 03 s`.
pub(super) fn whole_seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", grouped(seconds / 3600), seconds % 3600 / 60),
    }
}

/// Returns how much is done, in percent; 100 only when all is done.
pub(super) fn percent(done: u64, total: u64) -> u64 {
    if total == 0 || done >= total {
        return 100;
    }
    u64::try_from(u128::from(done) * 100 / u128::from(total)).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let shown = [0, 999, 1000, 12_345_678, u64::MAX].map(grouped).join("|");
        assert_eq!(shown, "0|999|1 000|12 345 678|18 446 744 073 709 551 615");
        assert_eq!(grouped_signed(i64::MIN), "-9 223 372 036 854 775 808");
        assert_eq!(grouped_signed(-12), "-12");
        assert_eq!([rows(0), rows(1), rows(1234)].join("|"), "0 rows|1 row|1 234 rows");
        assert_eq!(tables(1), "1 table");
    }

    #[test]
    fn sizes_have_two_digits_or_three_and_never_a_thousand() {
        let shown = [0, 812, 999, 1000, 9_949, 9_960, 96_400_000, 999_600, 1_240_000_000, u64::MAX]
            .map(bytes)
            .join("|");
        assert_eq!(shown, "0 B|812 B|999 B|1.0 kB|9.9 kB|10 kB|96 MB|1.0 MB|1.2 GB|18 EB");
        let shown = [0, 9_871, 10_000, 312_400, 2_040_000].map(short).join("|");
        assert_eq!(shown, "0|9 871|10 k|312 k|2.0 M");
    }

    #[test]
    fn durations_are_no_finer_than_they_need_to_be() {
        let shown = [-1.0, f64::NAN, 0.0, 0.004, 0.0994, 0.0996, 0.44, 17.62, 59.96, 123.4, 3725.0]
            .map(seconds)
            .join("|");
        assert_eq!(
            shown,
            "0 s|0 s|0 s|4 ms|99 ms|0.1 s|0.4 s|17.6 s|1 min 00 s|2 min 03 s|1 h 02 min"
        );
    }

    #[test]
    fn a_hundred_percent_is_all() {
        assert_eq!(percent(999_999, 1_000_000), 99);
        assert_eq!(percent(5, 5), 100);
        assert_eq!(percent(0, 0), 100);
        assert_eq!(percent(u64::MAX - 1, u64::MAX), 99);
    }
}
