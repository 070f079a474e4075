//! The cases: what a column may be that its declaration does not say.

use crate::map::rules::satisfies;
use crate::model::convert::{Conversion, Convert};
use crate::model::decision::Decision;
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::number::grouped;
use crate::model::pg_type::PgType;
use crate::model::source::{Column, Table};

/// All that a suggestion may depend on.
pub(super) struct Seen<'a> {
    pub(super) table: &'a Table,
    pub(super) position: usize,
    pub(super) column: &'a Column,
    pub(super) evidence: &'a Evidence,
    pub(super) decision: &'a Decision,
}

impl Seen<'_> {
    /// Returns whether the values satisfy a word of [`crate::map::rules::EVIDENCE`].
    pub(super) fn are(&self, word: &str) -> bool {
        satisfies(self.table, self.position, self.evidence, word)
    }
}

/// A type, and why.
pub(super) struct Idea {
    /// Word of [`crate::map::rules::EVIDENCE`] on which the rule depends, so that values that come later
    /// and are something else bring back the default; `*` where there is no such word.
    pub(super) evidence: &'static str,
    pub(super) pg_type: PgType,
    pub(super) convert: Convert,
    pub(super) reason: String,
}

/// One function per case, tried in this order.
pub(super) const SUGGESTERS: [fn(&Seen<'_>) -> Option<Idea>; 12] = [
    boolean_from_integers,
    boolean_from_words,
    uuid_from_text,
    date_from_text,
    time_from_text,
    timestamp_from_text,
    timestamptz_from_text,
    json_from_text,
    uuid_from_blobs,
    instant_from_integers,
    number_from_text,
    text_without_a_limit,
];

/// Fewest values that say something when the name says nothing.
const VALUES_MIN: u64 = 3;

fn boolean_from_integers(seen: &Seen<'_>) -> Option<Idea> {
    let evidence = seen.evidence;
    let both = (evidence.integer_min, evidence.integer_max) == (Some(0), Some(1))
        && evidence.not_null() >= VALUES_MIN
        && !is_named(&seen.column.name, &[], &COUNTING_WORDS);
    let is_number = seen.decision.pg_type.is_integer()
        || matches!(seen.decision.pg_type, PgType::Double | PgType::Numeric(_));
    (is_number && seen.are("bool01") && (both || is_flag(&seen.column.name))).then(|| Idea {
        evidence: "bool01",
        pg_type: PgType::Boolean,
        convert: Convert::Plain,
        reason: every(evidence, "are 0 or 1"),
    })
}

/// Short words alone prove nothing: `no` may be Norway, `n` north, `on` Ontario.
fn boolean_from_words(seen: &Seen<'_>) -> Option<Idea> {
    let first = seen.evidence.examples.get(ValueKind::TextBoolWord as usize);
    let first = first.cloned().flatten().map(|example| example.value);
    let word = first.map(|shown| shown.trim_matches('\'').to_ascii_lowercase());
    let is_clear = word.is_some_and(|word| ["true", "false", "yes"].contains(&word.as_str()));
    let is_text = seen.decision.pg_type.is_textual();
    (is_text && (is_clear || is_flag(&seen.column.name))).then(|| Idea {
        evidence: "bool_words",
        pg_type: PgType::Boolean,
        convert: Convert::BOOL_WORD,
        reason: every(seen.evidence, "are words for true or false"),
    })
}

fn uuid_from_text(seen: &Seen<'_>) -> Option<Idea> {
    from_text(seen, "uuids", PgType::Uuid, "are UUIDs")
}

fn date_from_text(seen: &Seen<'_>) -> Option<Idea> {
    from_text(seen, "dates", PgType::Date, "are ISO dates")
}

fn time_from_text(seen: &Seen<'_>) -> Option<Idea> {
    from_text(seen, "times", PgType::Time, "are ISO times")
}

fn timestamp_from_text(seen: &Seen<'_>) -> Option<Idea> {
    from_text(seen, "timestamps", PgType::Timestamp, "are ISO timestamps without zone")
}

/// The moment is kept, the offset is not: PostgreSQL has no type that keeps it.
fn timestamptz_from_text(seen: &Seen<'_>) -> Option<Idea> {
    let are = "are ISO timestamps with a zone; the moment is kept and the offset is not";
    from_text(seen, "timestamps_with_zone", PgType::TimestampTz, are)
}

fn json_from_text(seen: &Seen<'_>) -> Option<Idea> {
    from_text(seen, "json", PgType::Jsonb, "are JSON objects or arrays")
}

/// Sixteen bytes are a hash as often: only the name tells.
fn uuid_from_blobs(seen: &Seen<'_>) -> Option<Idea> {
    let name = seen.column.name.to_ascii_lowercase();
    let is_named = name.contains("uuid") || name.contains("guid");
    (is_named && seen.are("blobs16")).then(|| Idea {
        evidence: "blobs16",
        pg_type: PgType::Uuid,
        convert: Convert::Named(Conversion::Uuid),
        reason: every(seen.evidence, "have 16 bytes"),
    })
}

/// An integer is an instant when its name says so and all values are of our time in one unit.
fn instant_from_integers(seen: &Seen<'_>) -> Option<Idea> {
    let name = &seen.column.name;
    let lower = name.to_ascii_lowercase();
    let is_named = lower.ends_with("_at")
        || name.ends_with("At")
        || ["time", "date"].iter().any(|word| lower.starts_with(word) || lower.ends_with(word));
    let units = [
        ("epoch_s", Conversion::UnixSeconds, "seconds"),
        ("epoch_ms", Conversion::UnixMillis, "milliseconds"),
        ("epoch_us", Conversion::UnixMicros, "microseconds"),
        ("epoch_ns", Conversion::UnixNanos, "nanoseconds"),
    ];
    let (evidence, conversion, unit) = units.into_iter().find(|(word, ..)| seen.are(word))?;
    is_named.then(|| Idea {
        evidence,
        pg_type: PgType::TimestampTz,
        convert: Convert::Named(conversion),
        reason: every(seen.evidence, &format!("are {unit} since 1970 of the years 1990 to 2100")),
    })
}

/// Digits may be a label: nobody adds postcodes. Where there is nothing but 0 and 1 they are more
/// likely a flag of which the name says nothing, and where the column is a `value` other rows will
/// hold other things.
fn number_from_text(seen: &Seen<'_>) -> Option<Idea> {
    use ValueKind as K;
    let is_number = |kind| matches!(kind, K::TextBoolDigit | K::TextInteger | K::TextDecimal);
    let values = seen.evidence.not_null();
    let all = seen.evidence.sum(is_number) == values
        && seen.evidence.count(K::TextBoolDigit) < values
        && values >= VALUES_MIN;
    let is_label = is_named(&seen.column.name, &[], &LABEL_WORDS);
    let is_text = seen.decision.pg_type.is_textual();
    (is_text && all && !is_label).then(|| Idea {
        evidence: "number_texts",
        pg_type: PgType::Numeric(None),
        convert: Convert::Plain,
        reason: every(seen.evidence, "are numbers"),
    })
}

/// SQLite never enforced the length. Where the longest text has exactly n characters something else
/// did, or all have the same; where it is a little shorter, that is luck.
fn text_without_a_limit(seen: &Seen<'_>) -> Option<Idea> {
    let PgType::Varchar(max) = seen.decision.pg_type else { return None };
    let (longest, max) = (seen.evidence.text_chars_max, u64::from(max));
    let is_near = longest < max && longest * 10 >= max * 9;
    is_near.then(|| Idea {
        evidence: "texts",
        pg_type: PgType::Text,
        convert: Convert::Plain,
        reason: format!(
            "the longest text has {} of {} characters; SQLite never enforced the limit",
            grouped(longest),
            grouped(max)
        ),
    })
}

fn from_text(seen: &Seen<'_>, evidence: &'static str, pg_type: PgType, are: &str) -> Option<Idea> {
    (seen.decision.pg_type.is_textual() && seen.are(evidence)).then(|| Idea {
        evidence,
        pg_type,
        convert: Convert::Plain,
        reason: every(seen.evidence, are),
    })
}

/// Returns `2 000 of 2 000 values are ...`.
fn every(evidence: &Evidence, are: &str) -> String {
    let count = grouped(evidence.not_null());
    format!("{count} of {count} values {are}")
}

/// First words of names of flags.
const FLAG_FIRST: [&str; 16] = [
    "is", "has", "can", "was", "did", "does", "should", "must", "allow", "allows", "enable",
    "needs", "use", "uses", "show", "hide",
];
/// Last words of names of flags.
const FLAG_LAST: [&str; 15] = [
    "flag",
    "bool",
    "enabled",
    "disabled",
    "active",
    "deleted",
    "archived",
    "hidden",
    "visible",
    "published",
    "verified",
    "locked",
    "admin",
    "default",
    "discontinued",
];
/// Last words of names of what is counted, ordered or listed: 0 and 1 happen to be the first.
const COUNTING_WORDS: [&str; 26] = [
    "id", "count", "number", "num", "position", "pos", "order", "ordering", "index", "idx", "seq",
    "version", "revision", "level", "depth", "type", "kind", "status", "state", "mode", "size",
    "total", "amount", "quantity", "priority", "weight",
];
/// Last words of names of what is written in digits and is no number.
const LABEL_WORDS: [&str; 18] = [
    "phone",
    "mobile",
    "fax",
    "number",
    "extension",
    "zip",
    "zipcode",
    "postcode",
    "code",
    "version",
    "sku",
    "isbn",
    "ean",
    "ssn",
    "pin",
    "id",
    "key",
    "value",
];

fn is_flag(name: &str) -> bool {
    is_named(name, &FLAG_FIRST, &FLAG_LAST)
}

/// Returns true when a name begins or ends with one of the words: `is_admin`, `isAdmin`, but not
/// `island`.
fn is_named(name: &str, first: &[&str], last: &[&str]) -> bool {
    let words = words(name);
    let among = |word: Option<&String>, known: &[&str]| {
        word.is_some_and(|word| known.contains(&word.as_str()))
    };
    (words.len() > 1 && among(words.first(), first)) || among(words.last(), last)
}

/// Returns the words of a name in lower case, from snake_case and camelCase alike.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
