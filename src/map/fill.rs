//! The conversion of a column into a column that the target has already.
//!
//! Purpose: there the target's type is the truth, and what the values are chooses the way into it.
//! A rule of a type map that the user chose comes first, when its type is the target's; it is needed
//! only where the type leaves a choice: the unit of an epoch, an interval from a number, the labels of
//! an enum. [`question`] says what is still open.

use crate::model::convert::{Conversion, Convert, EnumCase};
use crate::model::demands::Demands;
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::pg_type::{Element, PgType};

use super::fit;

/// What a column of the target is, for the column of the source that goes into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnTarget {
    /// The type that litelift writes; `None`: it has no encoder for it.
    pub pg_type: Option<PgType>,
    /// The type as the server prints it.
    pub type_name: String,
    /// NOT NULL, labels, digits.
    pub demands: Demands,
}

impl ColumnTarget {
    /// The type to write. A type without an encoder takes NULL alone, and that is the same in all.
    #[must_use]
    pub fn written(&self) -> PgType {
        self.pg_type.unwrap_or(PgType::Text)
    }
}

/// Returns whether a rule for one type is meant for another: the same but for its sizes, its range or
/// its zone. The target's own decides there.
#[must_use]
pub fn is_same_family(rule: PgType, target: PgType) -> bool {
    use PgType as T;
    let is_stamp = |pg_type| matches!(pg_type, T::Timestamp | T::TimestampTz);
    let is_json = |pg_type| matches!(pg_type, T::Json | T::Jsonb);
    let is_float = |pg_type| matches!(pg_type, T::Real | T::Double);
    let is_enum = |pg_type| matches!(pg_type, T::Enum(_));
    let is_texts =
        |pg_type| matches!(pg_type, T::Array(Element::Text | Element::Varchar | Element::Enum(_)));
    rule.unlimited() == target.unlimited()
        || (rule.is_integer() && target.is_integer())
        || [is_stamp, is_json, is_float, is_enum, is_texts]
            .iter()
            .any(|is_one: &fn(T) -> bool| is_one(rule) && is_one(target))
}

/// Chooses the conversion into a type from what the values are: the strictest that takes them all, so
/// that the scan alone can prove most columns.
#[must_use]
pub fn convert(pg_type: PgType, evidence: &Evidence) -> Convert {
    use ValueKind as K;
    let has = |select: fn(K) -> bool| evidence.sum(|kind| kind != K::Null && select(kind)) > 0;
    let all_plain = fit::misfits(pg_type, Convert::Plain, evidence).is_none()
        && fit::is_provable(pg_type, Convert::Plain);
    let named = |conversion| if all_plain { Convert::Plain } else { Convert::Named(conversion) };
    match pg_type {
        PgType::Boolean => Convert::BOOL_WORD,
        PgType::SmallInt | PgType::Integer | PgType::BigInt => named(Conversion::Number),
        PgType::Double | PgType::Numeric(_) if has(K::is_text) => named(Conversion::Number),
        PgType::Double | PgType::Numeric(_) => Convert::Plain,
        PgType::Real => Convert::Named(Conversion::AsPrinted),
        PgType::Varchar(_) | PgType::Char(_) if has(|kind| kind.is_integer() || kind.is_real()) => {
            Convert::Named(Conversion::AsPrinted)
        }
        PgType::Date | PgType::Time | PgType::Timestamp | PgType::TimestampTz => {
            named(Conversion::Iso)
        }
        PgType::Interval => Convert::Named(Conversion::IntervalIso),
        PgType::Json => Convert::Named(Conversion::JsonAny),
        PgType::Jsonb if has(K::is_blob) => Convert::Named(Conversion::JsonAny),
        PgType::Uuid => named(Conversion::Uuid),
        PgType::Array(_) => Convert::Named(Conversion::ArrayJson),
        PgType::Enum(_) => Convert::Enum(EnumCase::Keep),
        _ => Convert::Plain,
    }
}

/// A choice that neither the type nor the values make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is open, without the full stop.
    pub text: String,
    /// `pg_type,convert` of a rule that would settle it; `None`: no rule can.
    pub rule: Option<(String, &'static str)>,
}

/// Says what is open for a column that no rule of the user settles.
#[must_use]
pub fn question(target: &ColumnTarget, evidence: &Evidence) -> Option<Question> {
    let values = evidence.not_null();
    if values == 0 {
        return None;
    }
    let found = fit::kinds_in_words(evidence, |kind| kind != ValueKind::Null);
    let Some(pg_type) = target.pg_type else {
        return Some(Question {
            text: format!(
                "its type {} cannot be written, and {values} values are not NULL ({found})",
                target.type_name
            ),
            rule: None,
        });
    };
    let numbers = evidence.sum(|kind| kind.is_integer() || kind.is_real());
    let text = format!("it holds {found}, and its type in the target is {}", target.type_name);
    match pg_type {
        PgType::Date | PgType::Timestamp | PgType::TimestampTz if numbers == values => {
            Some(Question {
                text: format!("{text}: what the numbers count is not known"),
                rule: Some((pg_type.to_string(), unit(evidence))),
            })
        }
        PgType::Interval => {
            let convert = if numbers == values { "interval_us" } else { "interval_iso" };
            Some(Question {
                text: format!("{text}: how they say a duration is not known"),
                rule: Some((pg_type.to_string(), convert)),
            })
        }
        _ => None,
    }
}

/// The unit that puts every integer into the years 1990 to 2100.
fn unit(evidence: &Evidence) -> &'static str {
    const FIRST_S: i64 = 631_152_000;
    const LAST_S: i64 = 4_102_444_800;
    let (min, max) = (evidence.integer_min, evidence.integer_max);
    let is = |per_second: i64| {
        min.is_some_and(|min| min >= FIRST_S.saturating_mul(per_second))
            && max.is_some_and(|max| max <= LAST_S.saturating_mul(per_second))
    };
    let units =
        [(1, "unix_s"), (1_000, "unix_ms"), (1_000_000, "unix_us"), (1_000_000_000, "unix_ns")];
    units.iter().find(|(per_second, _)| is(*per_second)).map_or("unix_s", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(kinds: &[(ValueKind, u64)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (kind, count) in kinds {
            evidence.counts[*kind as usize] = *count;
        }
        evidence
    }

    #[test]
    fn the_type_and_the_values_choose_the_conversion() {
        use ValueKind as K;
        for (pg_type, kinds, name) in [
            (PgType::Integer, vec![(K::Integer16, 2)], "plain"),
            (PgType::Integer, vec![(K::Integer16, 2), (K::TextBoolDigit, 1)], "number"),
            (PgType::Timestamp, vec![(K::TextTimestamp, 1), (K::TextDate, 1)], "plain"),
            (PgType::TimestampTz, vec![(K::TextTimestamp, 1)], "iso"),
            (PgType::Date, vec![(K::TextTimestamp, 1)], "iso"),
            (PgType::Uuid, vec![(K::TextUuid, 1)], "plain"),
            (PgType::Uuid, vec![(K::Text, 1)], "uuid"),
            (PgType::Varchar(9), vec![(K::Integer16, 1)], "as_printed"),
            (PgType::Text, vec![(K::Integer16, 1)], "plain"),
            (PgType::Jsonb, vec![(K::TextJson, 1)], "plain"),
            (PgType::Jsonb, vec![(K::Blob, 1)], "json"),
            (PgType::Boolean, vec![], "bool_word"),
        ] {
            assert_eq!(convert(pg_type, &evidence(&kinds)).name(), name, "{pg_type} {kinds:?}");
        }
    }

    #[test]
    fn an_epoch_is_asked_for_and_never_guessed() {
        let target = ColumnTarget {
            pg_type: Some(PgType::TimestampTz),
            type_name: "timestamp with time zone".into(),
            demands: Demands::default(),
        };
        let mut found = evidence(&[(ValueKind::Integer53, 3)]);
        found.integer_min = Some(1_700_000_000_000);
        found.integer_max = Some(1_700_000_100_000);
        let asked = question(&target, &found).unwrap();
        assert_eq!(asked.rule, Some(("timestamptz".into(), "unix_ms")));
        assert_eq!(question(&target, &evidence(&[(ValueKind::Null, 3)])), None);
        assert_eq!(question(&target, &evidence(&[(ValueKind::Text, 3)])), None);
    }
}
