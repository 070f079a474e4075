//! Does a type hold the values of a column?
//!
//! Purpose: the same question that the encoders answer value by value, answered for a whole column
//! from its [`Evidence`]. A test in `tests/` holds the two against each other.

use crate::model::convert::Convert;
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::pg_type::PgType;

/// Returns whether values of a kind go into a type, sizes aside.
///
/// `bytea` answers for every kind, because as the last resort it takes anything; whether it is the
/// natural type of a column is asked with [`is_natural`].
#[must_use]
pub fn holds(pg_type: PgType, convert: Convert, kind: ValueKind) -> bool {
    use ValueKind as K;
    match pg_type {
        _ if kind == K::Null => true,
        PgType::Boolean => match kind {
            K::IntegerBool => true,
            K::TextBoolDigit | K::TextBoolWord => convert == Convert::BOOL_WORD,
            _ => false,
        },
        PgType::SmallInt => matches!(kind, K::IntegerBool | K::Integer16),
        PgType::Integer => matches!(kind, K::IntegerBool | K::Integer16 | K::Integer32),
        PgType::BigInt => kind.is_integer() || matches!(kind, K::TextBoolDigit | K::TextInteger),
        PgType::Double => kind.is_real() || (kind.is_integer() && kind != K::Integer64),
        PgType::Numeric(_) => {
            kind.is_integer()
                || matches!(
                    kind,
                    K::RealIntegral | K::Real | K::TextBoolDigit | K::TextInteger | K::TextDecimal
                )
        }
        PgType::Text => {
            kind.is_integer()
                || kind.is_real()
                || (kind.is_text() && !matches!(kind, K::TextNul | K::TextBadUtf8))
        }
        PgType::Varchar(_) => kind.is_text() && !matches!(kind, K::TextNul | K::TextBadUtf8),
        PgType::Bytea => true,
        PgType::Date => kind == K::TextDate,
        PgType::Time => kind == K::TextTime,
        PgType::Timestamp => matches!(kind, K::TextDate | K::TextTimestamp),
        PgType::TimestampTz => kind == K::TextTimestampTz,
        PgType::Jsonb => {
            kind.is_integer()
                || matches!(kind, K::RealIntegral | K::Real | K::TextJson | K::TextJsonScalar)
                || matches!(kind, K::TextBoolDigit | K::TextInteger | K::TextDecimal)
        }
        PgType::Uuid => matches!(kind, K::TextUuid | K::Blob16),
        // Not told by the kind: see `is_provable`.
        _ => true,
    }
}

/// Returns whether values of a kind keep their nature in a type: bytea takes only blobs.
#[must_use]
pub fn is_natural(pg_type: PgType, convert: Convert, kind: ValueKind) -> bool {
    match pg_type {
        PgType::Bytea => kind.is_blob() || kind == ValueKind::Null,
        _ => holds(pg_type, convert, kind),
    }
}

/// Returns whether the kinds tell which values fit. Where they do not, the values themselves are run
/// through the encoder before anything is decided (`introspect::check`).
#[must_use]
pub fn is_provable(pg_type: PgType, convert: Convert) -> bool {
    matches!(convert, Convert::Plain | Convert::BOOL_WORD)
        && !matches!(
            pg_type,
            PgType::Real
                | PgType::Char(_)
                | PgType::TimeTz
                | PgType::Interval
                | PgType::Json
                | PgType::Inet
                | PgType::Cidr
                | PgType::MacAddr
                | PgType::Array(_)
                | PgType::Enum(_)
        )
}

/// What of a column a type does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfits {
    /// How many values; for a length or a precision at least this many.
    pub count: u64,
    /// What they are, such as `text` or `longer than 80`.
    pub found: String,
}

/// Returns what of a column a type does not hold by its nature, or `None` when it holds everything as
/// far as the kinds tell.
#[must_use]
pub fn misfits(pg_type: PgType, convert: Convert, evidence: &Evidence) -> Option<Misfits> {
    if !is_provable(pg_type, convert) {
        return None;
    }
    let unfit = |kind: ValueKind| !is_natural(pg_type, convert, kind);
    let count = evidence.sum(unfit);
    if count > 0 {
        return Some(Misfits { count, found: kinds_in_words(evidence, unfit) });
    }
    match pg_type {
        PgType::Varchar(chars) if evidence.text_chars_max > u64::from(chars) => Some(Misfits {
            count: 1,
            found: format!("longest text has {} characters", evidence.text_chars_max),
        }),
        PgType::Numeric(Some((precision, scale)))
            if evidence.digits_before_point_max > u32::from(precision - scale)
                || evidence.digits_after_point_max > u32::from(scale) =>
        {
            Some(Misfits {
                count: 1,
                found: format!(
                    "up to {} digits before and {} after the point",
                    evidence.digits_before_point_max, evidence.digits_after_point_max
                ),
            })
        }
        _ => None,
    }
}

/// Returns whether every value is of a kind that the type holds, but some are too long or have too many
/// digits for its sizes. How many, only a look at each value can tell.
#[must_use]
pub fn exceeds_sizes(pg_type: PgType, convert: Convert, evidence: &Evidence) -> bool {
    is_provable(pg_type, convert)
        && evidence.sum(|kind| !is_natural(pg_type, convert, kind)) == 0
        && misfits(pg_type, convert, evidence).is_some()
}

/// Names the kinds that a predicate selects, most frequent first.
pub fn kinds_in_words(evidence: &Evidence, select: impl Fn(ValueKind) -> bool) -> String {
    let mut found: Vec<(&str, u64)> = Vec::new();
    for kind in ValueKind::ALL.into_iter().filter(|kind| select(*kind)) {
        let count = evidence.count(kind);
        match found.iter_mut().find(|(word, _)| *word == kind.shown()) {
            _ if count == 0 => {}
            Some((_, sum)) => *sum += count,
            None => found.push((kind.shown(), count)),
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.into_iter().map(|(word, _)| word).collect::<Vec<_>>().join(", ")
}
