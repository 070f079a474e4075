//! Classifies values and counts what it sees. Pure.
//!
//! Purpose: the inner loop of the scan. Each value gets one [`ValueKind`] by the parsers that the
//! encoders use, so that what counts as fitting here is encoded there.

use crate::encode::{DOUBLE_EXACT_MAX, decimal, iso, json, words};
use crate::map::rules::Wants;
use crate::model::evidence::{Evidence, Example, StampForm, ValueKind};
use crate::model::value::Value;

/// Counts the values of one column.
#[derive(Debug)]
pub struct ColumnObserver {
    wants: Wants,
    counts: [u64; ValueKind::COUNT],
    evidence: Evidence,
    keys: json::Keys,
}

impl ColumnObserver {
    /// Makes an observer that measures what is wanted.
    #[must_use]
    pub fn new(wants: Wants) -> Self {
        Self {
            wants,
            counts: [0; ValueKind::COUNT],
            evidence: Evidence::default(),
            keys: json::Keys::default(),
        }
    }

    /// Takes one value; `rowid` is for the example. Returns its size in COPY BINARY, about.
    #[inline]
    pub fn observe(&mut self, value: Value<'_>, rowid: Option<i64>) -> u64 {
        let (kind, bytes) = match value {
            Value::Null => (ValueKind::Null, 0),
            Value::Integer(integer) => {
                self.see_integer(integer);
                (integer_kind(integer), 8)
            }
            Value::Real(real) => {
                if self.wants.digits {
                    self.see_digits(
                        decimal::plain_of_double(real).as_ref().map(decimal::ShortText::as_bytes),
                    );
                }
                (real_kind(real), 8)
            }
            Value::Text(text) => {
                self.evidence.bytes_max = self.evidence.bytes_max.max(text.len() as u64);
                let kind = self.text_kind(text);
                self.see_what_a_type_drops(kind, text, rowid);
                (kind, text.len() as u64)
            }
            Value::Blob(blob) => {
                self.evidence.bytes_max = self.evidence.bytes_max.max(blob.len() as u64);
                let kind = if blob.len() == 16 { ValueKind::Blob16 } else { ValueKind::Blob };
                (kind, blob.len() as u64)
            }
        };
        let count = &mut self.counts[kind as usize];
        if *count == 0 && kind != ValueKind::Null {
            self.evidence.examples[kind as usize] = Some(Example { rowid, value: value.shown() });
        }
        *count += 1;
        bytes + 4
    }

    /// Returns what was seen.
    #[must_use]
    pub fn finish(mut self) -> Evidence {
        self.evidence.counts = self.counts.to_vec();
        self.evidence
    }

    #[inline]
    fn see_integer(&mut self, integer: i64) {
        let evidence = &mut self.evidence;
        evidence.integer_min = Some(evidence.integer_min.map_or(integer, |min| min.min(integer)));
        evidence.integer_max = Some(evidence.integer_max.map_or(integer, |max| max.max(integer)));
        if self.wants.digits {
            let digits = integer.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
            self.evidence.digits_before_point_max =
                self.evidence.digits_before_point_max.max(digits);
        }
    }

    /// What jsonb and timestamptz do not keep, though the value fits.
    #[inline]
    fn see_what_a_type_drops(&mut self, kind: ValueKind, text: &[u8], rowid: Option<i64>) {
        let tally = match kind {
            ValueKind::TextJson if self.keys.repeat(text) => &mut self.evidence.repeated_keys,
            ValueKind::TextTimestampTz if has_offset(text) => &mut self.evidence.offsets,
            _ => return,
        };
        tally.add(Value::Text(text), rowid);
    }

    fn see_digits(&mut self, plain: Option<&[u8]>) {
        let (before, after) = plain.map_or((0, 0), decimal::digits_needed);
        let evidence = &mut self.evidence;
        evidence.digits_before_point_max = evidence.digits_before_point_max.max(before);
        evidence.digits_after_point_max = evidence.digits_after_point_max.max(after);
    }

    /// Documents that have no form of their own. Numbers are JSON too, and keep their kind.
    fn json_kind(&self, text: &[u8]) -> Option<ValueKind> {
        let is_other = |kind| matches!(kind, ValueKind::Text | ValueKind::TextBoolWord);
        if !self.wants.json || !is_other(form(text)) || !json::is_jsonb(text) {
            return None;
        }
        Some(match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => ValueKind::TextJson,
            _ => ValueKind::TextJsonScalar,
        })
    }

    fn text_kind(&mut self, text: &[u8]) -> ValueKind {
        let ascii_chars = text.len() as u64;
        let kind = self.json_kind(text).unwrap_or_else(|| form(text));
        let is_plain =
            matches!(kind, ValueKind::Text | ValueKind::TextJson | ValueKind::TextJsonScalar);
        if !is_plain {
            self.evidence.text_chars_max = self.evidence.text_chars_max.max(ascii_chars);
            if matches!(kind, ValueKind::TextDate | ValueKind::TextTimestamp) {
                self.evidence.see_stamp(StampForm::of(text));
            }
            if self.wants.digits
                && matches!(
                    kind,
                    ValueKind::TextBoolDigit | ValueKind::TextInteger | ValueKind::TextDecimal
                )
            {
                self.see_digits(Some(text));
            }
            return kind;
        }
        match std::str::from_utf8(text) {
            Err(_) => ValueKind::TextBadUtf8,
            Ok(valid) => {
                // Never more characters than bytes: count only what could be the longest.
                if ascii_chars > self.evidence.text_chars_max {
                    let chars = valid.chars().count() as u64;
                    self.evidence.text_chars_max = self.evidence.text_chars_max.max(chars);
                }
                if text.contains(&0) { ValueKind::TextNul } else { kind }
            }
        }
    }
}

/// Returns whether a timestamp with a zone has another offset than zero.
fn has_offset(text: &[u8]) -> bool {
    !matches!(text, [.., b'Z' | b'z' | b'C'])
        && iso::timestamp(text).and_then(|stamp| stamp.offset_s).is_some_and(|offset| offset != 0)
}

fn integer_kind(integer: i64) -> ValueKind {
    if integer == 0 || integer == 1 {
        ValueKind::IntegerBool
    } else if i16::try_from(integer).is_ok() {
        ValueKind::Integer16
    } else if i32::try_from(integer).is_ok() {
        ValueKind::Integer32
    } else if integer.unsigned_abs() <= DOUBLE_EXACT_MAX {
        ValueKind::Integer53
    } else {
        ValueKind::Integer64
    }
}

fn real_kind(real: f64) -> ValueKind {
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact in a double")]
    const EXACT_MAX: f64 = DOUBLE_EXACT_MAX as f64;
    if real.is_infinite() {
        ValueKind::RealInfinite
    } else if real == 0.0 && real.is_sign_negative() {
        ValueKind::RealMinusZero
    } else if real.trunc() == real && real.abs() <= EXACT_MAX {
        ValueKind::RealIntegral
    } else {
        ValueKind::Real
    }
}

/// Returns the form of a text; [`ValueKind::Text`] when it has none of the forms. Every form but
/// that one is ASCII, so its characters are its bytes.
///
/// Most texts are told apart by their first byte alone.
fn form(text: &[u8]) -> ValueKind {
    match text {
        [] => ValueKind::TextEmpty,
        [b'0' | b'1'] => ValueKind::TextBoolDigit,
        [b'0'..=b'9', ..] => digit_form(text),
        [b'-', ..] if decimal::canonical_integer(text).is_some() => ValueKind::TextInteger,
        [b'-', ..] if decimal::is_canonical_decimal(text) => ValueKind::TextDecimal,
        [b't' | b'T' | b'y' | b'Y' | b'n' | b'N' | b'o' | b'O' | b'f' | b'F', ..]
            if words::boolean(text).is_some() =>
        {
            ValueKind::TextBoolWord
        }
        [b'a'..=b'f' | b'A'..=b'F', ..] if words::uuid(text).is_some() => ValueKind::TextUuid,
        _ => ValueKind::Text,
    }
}

fn digit_form(text: &[u8]) -> ValueKind {
    match text.iter().position(|byte| !byte.is_ascii_digit()).map(|at| (at, text[at])) {
        None if decimal::canonical_integer(text).is_some() => ValueKind::TextInteger,
        None | Some((_, b'.')) if decimal::is_canonical_decimal(text) => ValueKind::TextDecimal,
        Some((4, b'-')) if text.len() == 10 && iso::date(text).is_some() => ValueKind::TextDate,
        Some((4, b'-')) => match iso::timestamp(text) {
            Some(stamp) if stamp.offset_s.is_some() => ValueKind::TextTimestampTz,
            Some(_) => ValueKind::TextTimestamp,
            None => ValueKind::Text,
        },
        Some((2, b':')) if iso::time(text).is_some() => ValueKind::TextTime,
        _ if words::uuid(text).is_some() => ValueKind::TextUuid,
        _ => ValueKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::fit::holds;
    use crate::model::convert::Convert;
    use crate::model::evidence::Tally;
    use crate::model::on_misfit::OnMisfit;
    use crate::model::pg_type::PgType;
    use crate::model::plan::ColumnPlan;
    use proptest::prelude::*;

    fn kind(value: Value<'_>, wants: Wants) -> ValueKind {
        let mut observer = ColumnObserver::new(wants);
        observer.observe(value, None);
        let evidence = observer.finish();
        ValueKind::ALL.into_iter().find(|kind| evidence.count(*kind) == 1).unwrap()
    }

    #[test]
    fn texts_have_the_kind_of_their_form() {
        use ValueKind as K;
        for (text, expected) in [
            (&b""[..], K::TextEmpty),
            (b"1", K::TextBoolDigit),
            (b"T", K::TextBoolWord),
            (b"off", K::TextBoolWord),
            (b"12", K::TextInteger),
            (b"-12.5", K::TextDecimal),
            (b"99999999999999999999", K::TextDecimal),
            (b"007", K::Text),
            (b"2024-02-29", K::TextDate),
            (b"2024-02-30", K::Text),
            (b"0000-00-00", K::Text),
            (b"12:30", K::TextTime),
            (b"2024-02-29 12:30:00.123456", K::TextTimestamp),
            (b"2024-02-29 12:30:00.1234567", K::Text),
            (b"2024-02-29T12:30:00Z", K::TextTimestampTz),
            (b"a0112233-4455-6677-8899-aabbccddeeff", K::TextUuid),
            (b"00112233-4455-6677-8899-aabbccddeeff", K::TextUuid),
            (b"{}", K::Text),
            (b"a\0b", K::TextNul),
            (b"\xff", K::TextBadUtf8),
            ("Ä".as_bytes(), K::Text),
        ] {
            assert_eq!(kind(Value::Text(text), Wants::default()), expected, "{text:?}");
        }
        let json = Wants { json: true, ..Wants::default() };
        assert_eq!(kind(Value::Text(b"{}"), json), K::TextJson);
        assert_eq!(kind(Value::Text(b"{\"a\":\"\\u0000\"}"), json), K::Text);
    }

    #[test]
    fn repeated_keys_and_offsets_are_counted() {
        let mut observer = ColumnObserver::new(Wants { json: true, ..Wants::default() });
        for (rowid, text) in [
            "{\"a\":1}",
            "[{\"a\":1,\"\\u0061\":2}]",
            "{\"a\":{},\"a\":2}",
            "2024-01-01T00:00:00Z",
            "2024-01-01 00:00:00 UTC",
            "2024-01-01T00:00:00+00:00",
            "2024-01-01T00:00:00-03",
        ]
        .iter()
        .enumerate()
        {
            observer.observe(Value::Text(text.as_bytes()), i64::try_from(rowid).ok());
        }
        let evidence = observer.finish();
        let example = |tally: Tally| (tally.count, tally.example.unwrap().rowid.unwrap());
        assert_eq!(example(evidence.repeated_keys), (2, 1));
        assert_eq!(example(evidence.offsets), (1, 6));
    }

    #[test]
    fn the_longest_text_is_counted_in_characters() {
        let mut observer = ColumnObserver::new(Wants::default());
        observer.observe(Value::Text("ÄÖÜ".as_bytes()), Some(1));
        observer.observe(Value::Text(b"12345"), Some(2));
        let evidence = observer.finish();
        assert_eq!((evidence.text_chars_max, evidence.bytes_max), (5, 6));
    }

    const TYPES: [PgType; 15] = [
        PgType::Boolean,
        PgType::SmallInt,
        PgType::Integer,
        PgType::BigInt,
        PgType::Double,
        PgType::Numeric(None),
        PgType::Text,
        PgType::Varchar(1000),
        PgType::Bytea,
        PgType::Date,
        PgType::Time,
        PgType::Timestamp,
        PgType::TimestampTz,
        PgType::Jsonb,
        PgType::Uuid,
    ];

    /// The promise between scan and encoder: what counts as fitting is encoded, what does not is
    /// refused. (A kind may hold values of both sorts only where the table says so: none.)
    fn agree(value: Value<'_>) {
        for convert in [Convert::Plain, Convert::BOOL_WORD] {
            for pg_type in TYPES {
                if !convert.makes(pg_type) {
                    continue;
                }
                let wants = Wants { json: pg_type == PgType::Jsonb, digits: true };
                let kind = kind(value, wants);
                let plan = ColumnPlan {
                    source: String::new(),
                    readable: true,
                    target: String::new(),
                    pg_type,
                    convert,
                    labels: Vec::new(),
                    on_misfit: OnMisfit::Widen,
                    demands: crate::model::demands::Demands::default(),
                };
                let encoder =
                    crate::encode::RowEncoder::new(&[plan], &crate::encode::Zone::default());
                let encoded = encoder.field(0, value, &mut Vec::new());
                assert_eq!(
                    holds(pg_type, convert, kind),
                    encoded.is_ok(),
                    "{value:?} {kind:?} {pg_type} {convert:?} {encoded:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn scan_and_encoder_agree_on_integers(value: i64) {
            agree(Value::Integer(value));
        }

        #[test]
        fn scan_and_encoder_agree_on_reals(bits: u64) {
            let value = f64::from_bits(bits);
            if !value.is_nan() {
                agree(Value::Real(value));
            }
        }

        #[test]
        fn scan_and_encoder_agree_on_text(text in prop_oneof![
            ".{0,12}",
            "-?[0-9]{1,21}(\\.[0-9]{0,7})?",
            "[0-9]{4}-[0-9]{2}-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,7})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?",
            "[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,7})?)?",
            "(?i)(t|f|y|n|yes|no|on|off|true|false|0|1)",
            "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[\\[\\]{}\":,0-9a-z\\\\u ]{0,20}",
        ]) {
            agree(Value::Text(text.as_bytes()));
        }

        #[test]
        fn scan_and_encoder_agree_on_bytes(bytes: Vec<u8>) {
            agree(Value::Text(&bytes));
            agree(Value::Blob(&bytes));
        }
    }
}
