//! The vocabulary of the type maps' `convert`: how a value is turned into its column's type.

use serde::{Deserialize, Serialize};

use super::pg_type::{Element, PgType};

/// How a value is turned into the column's type. The vocabulary of the type maps' `convert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Convert {
    /// The value itself, in the form that the type has for it. Nothing is guessed and nothing
    /// rounded: a value that the type cannot hold exactly does not fit.
    Plain,
    /// One of [`NAMED`](Self::NAMED), by its name.
    Named(Conversion),
    /// Text to labels of an enum type, by the rule's table of labels and else by case.
    Enum(EnumCase),
}

/// What happens to the case of a label that the table does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnumCase {
    /// It stays as it is.
    Keep,
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
}

impl EnumCase {
    /// The cases with their names in a type map.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Keep, "enum:keep"), (Self::Upper, "enum:upper"), (Self::Lower, "enum:lower")];

    /// Returns the label of a text.
    #[must_use]
    pub fn label(self, text: &str) -> String {
        match self {
            Self::Keep => text.to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// Text of the source and its label in the target.
pub type LabelTable = Vec<(String, String)>;

/// The conversions that are no more than a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conversion {
    /// boolean from words.
    BoolWord,
    /// Dates and times from ISO text of any usual shape.
    Iso,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
    /// Microseconds since 1970.
    UnixMicros,
    /// Nanoseconds since 1970.
    UnixNanos,
    /// ISO text and milliseconds since 1970 in one column.
    IsoOrUnixMillis,
    /// Seconds since 2001.
    AppleSeconds,
    /// Microseconds since 1601.
    WebkitMicros,
    /// Julian day.
    JulianDay,
    /// interval from microseconds.
    IntervalMicros,
    /// interval from seconds.
    IntervalSeconds,
    /// interval from ISO 8601 text.
    IntervalIso,
    /// interval from .NET's text.
    IntervalDotnet,
    /// interval from a timestamp since 1970.
    Interval1970,
    /// uuid from any text form or 16 bytes.
    Uuid,
    /// uuid from 16 bytes in .NET's order.
    UuidDotnet,
    /// uuid from an integer that was text.
    UuidInteger,
    /// json and jsonb from text or from a blob that holds the text.
    JsonAny,
    /// Numbers from text.
    Number,
    /// Numbers from text or from a blob that holds the text.
    NumberBlob,
    /// Arrays from JSON arrays.
    ArrayJson,
    /// Arrays from lists with commas.
    ArrayComma,
    /// Text, with U+FFFD for what PostgreSQL cannot hold.
    Replace,
    /// Text, without what PostgreSQL cannot hold.
    Strip,
    /// Text, cut to the length of the type.
    Truncate,
    /// Numbers as they are printed.
    AsPrinted,
}

impl Convert {
    /// boolean from words, which the default rules use.
    pub const BOOL_WORD: Self = Self::Named(Conversion::BoolWord);

    /// Every conversion that is a name, with the types that it makes and a sentence for the
    /// documentation.
    pub const NAMED: [(Conversion, &'static str, &'static str, &'static str); 27] = [
        (
            Conversion::BoolWord,
            "bool_word",
            "boolean",
            "from 0/1 and the words t f true false y n yes no on off, in either case",
        ),
        (
            Conversion::Iso,
            "iso",
            "date time timestamp timestamptz",
            "from ISO 8601 text: a date, or date and time as in plain, with or without a zone; up to nine digits of fraction, rounded half up to microseconds; text without zone is in --source-tz; a timestamp of text with a zone shows the clock of --source-tz; a date is midnight of the clock that the text shows; a time may stand after the date 2000-01-01, 1970-01-01 or 1900-01-01",
        ),
        (
            Conversion::UnixSeconds,
            "unix_s",
            "date timestamp timestamptz",
            "from seconds since 1970, integers or reals; a real is rounded to the nearest microsecond; a timestamp shows the clock of --source-tz, a date must be midnight UTC; so for all epochs",
        ),
        (
            Conversion::UnixMillis,
            "unix_ms",
            "date timestamp timestamptz",
            "from milliseconds since 1970",
        ),
        (
            Conversion::UnixMicros,
            "unix_us",
            "date timestamp timestamptz",
            "from microseconds since 1970",
        ),
        (
            Conversion::UnixNanos,
            "unix_ns",
            "date timestamp timestamptz",
            "from nanoseconds since 1970, rounded to the nearest microsecond, half away from 1970",
        ),
        (
            Conversion::AppleSeconds,
            "apple_s",
            "date timestamp timestamptz",
            "from seconds since 2001 (Core Data)",
        ),
        (
            Conversion::WebkitMicros,
            "webkit_us",
            "date timestamp timestamptz",
            "from microseconds since 1601 (Chrome)",
        ),
        (
            Conversion::JulianDay,
            "julian",
            "date timestamp timestamptz",
            "from a Julian day, rounded to the nearest millisecond as SQLite does it",
        ),
        (
            Conversion::IntervalMicros,
            "interval_us",
            "interval",
            "from a number of microseconds (Django); a real is rounded to the nearest",
        ),
        (
            Conversion::IntervalSeconds,
            "interval_s",
            "interval",
            "from a number of seconds; a real is rounded to the nearest microsecond",
        ),
        (
            Conversion::IntervalIso,
            "interval_iso",
            "interval",
            "from ISO 8601 text such as P1DT2H or -P1Y2M3W4DT5H6M7.8S; every part may have a sign; hours, minutes and seconds may have up to nine digits of fraction, each part rounded to the nearest microsecond",
        ),
        (
            Conversion::IntervalDotnet,
            "interval_dotnet",
            "interval",
            "from .NET's [-][d.]hh:mm[:ss[.fffffff]]; up to nine digits of fraction, rounded half up to microseconds",
        ),
        (
            Conversion::Interval1970,
            "interval_1970",
            "interval",
            "from a date and time without zone, as the time since 1970-01-01 (SQLAlchemy)",
        ),
        (
            Conversion::Uuid,
            "uuid",
            "uuid",
            "from text of 32 hexadecimal digits or in the 8-4-4-4-12 form, in braces or not, with urn:uuid: before it or not, or from 16 bytes",
        ),
        (
            Conversion::UuidDotnet,
            "uuid_dotnet",
            "uuid",
            "from 16 bytes in the order of .NET's Guid, or from text",
        ),
        (
            Conversion::UuidInteger,
            "uuid_digits",
            "uuid",
            "as uuid, and from an integer whose decimal digits were the last of the 32 hexadecimal ones",
        ),
        (
            Conversion::JsonAny,
            "json",
            "json jsonb",
            "as plain, and from a blob that holds the text",
        ),
        (
            Conversion::Number,
            "number",
            "smallint integer bigint numeric double precision",
            "as plain, and from text that is a number, with blanks around, a sign, leading zeros or an exponent; an integer also from a whole real, double precision is the nearest double to the text",
        ),
        (
            Conversion::ArrayJson,
            "array_json",
            "text[] varchar[] smallint[] integer[] bigint[] double precision[] boolean[] uuid[]",
            "from a JSON array of strings, integers, numbers, or true and false; null is NULL; double precision is the nearest double",
        ),
        (
            Conversion::ArrayComma,
            "array_comma",
            "text[] varchar[] smallint[] integer[] bigint[] double precision[] boolean[] uuid[]",
            "from a list with commas; empty text is the empty array, blanks belong to their member; bigint as in plain, double precision as in number, boolean as in bool_word",
        ),
        (
            Conversion::Replace,
            "replace",
            "text varchar char",
            "bad UTF-8 and NUL become U+FFFD, one for each longest part of a character that is incomplete; else as plain",
        ),
        (
            Conversion::Strip,
            "strip",
            "text varchar char",
            "bad UTF-8 and NUL are left out; else as plain",
        ),
        (
            Conversion::Truncate,
            "truncate",
            "varchar char",
            "longer text is cut; bad UTF-8 and NUL do not fit",
        ),
        (
            Conversion::AsPrinted,
            "as_printed",
            "varchar char real",
            "numbers as they are printed: as text, or as the 32-bit float that prints the same; else as plain",
        ),
        (
            Conversion::IsoOrUnixMillis,
            "iso_or_unix_ms",
            "date timestamp timestamptz",
            "text as in iso, and numbers as in unix_ms, for columns that have both (Prisma)",
        ),
        (
            Conversion::NumberBlob,
            "number_blob",
            "smallint integer bigint numeric double precision",
            "as number, and from a blob that holds the text (Drizzle)",
        ),
    ];

    /// Reads what stands in a type map before the first `;`. Empty text is `plain`.
    ///
    /// # Errors
    /// A sentence without the full stop that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "plain" {
            return Ok(Self::Plain);
        }
        if let Some((case, _)) = EnumCase::ALL.iter().find(|(_, name)| *name == text) {
            return Ok(Self::Enum(*case));
        }
        let known = Self::NAMED.iter().find(|(_, name, ..)| *name == text);
        known.map(|(conversion, ..)| Self::Named(*conversion)).ok_or_else(|| {
            let names: Vec<&str> = Self::NAMED.iter().map(|(_, name, ..)| *name).collect();
            format!(
                "conversion \"{text}\" is not one of plain, enum:keep, enum:upper, enum:lower, {}",
                names.join(", ")
            )
        })
    }

    /// Returns what a type map has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Enum(case) => {
                let known = EnumCase::ALL.iter().find(|(known, _)| *known == case);
                known.map_or("enum:keep", |(_, name)| name)
            }
            Self::Named(conversion) => {
                let known = Self::NAMED.iter().find(|(named, ..)| *named == conversion);
                known.map_or("plain", |(_, name, ..)| name)
            }
        }
    }

    /// Returns whether the conversion can make the type.
    #[must_use]
    pub fn makes(self, pg_type: PgType) -> bool {
        match self {
            Self::Plain => {
                !matches!(pg_type, PgType::Interval | PgType::Array(_) | PgType::Enum(_))
            }
            Self::Enum(_) => matches!(pg_type, PgType::Enum(_)),
            Self::Named(conversion) => {
                let known = Self::NAMED.iter().find(|(named, ..)| *named == conversion);
                known.is_some_and(|(_, _, types, _)| has_type(types, pg_type))
            }
        }
    }
}

/// Returns whether a list of type names with blanks between holds a type, sizes aside.
fn has_type(types: &str, pg_type: PgType) -> bool {
    // Labels are made from texts.
    let shown = match pg_type {
        PgType::Array(Element::Enum(_)) => PgType::Array(Element::Text).to_string(),
        other => other.to_string(),
    };
    let name = shown.split('(').next().unwrap_or_default();
    let types = types.replace("double precision", "double_precision");
    let name = name.replace("double precision", "double_precision");
    types.split(' ').any(|known| known == name)
}

impl From<Convert> for String {
    fn from(convert: Convert) -> Self {
        convert.name().to_owned()
    }
}

impl TryFrom<String> for Convert {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

/// Reads `convert` as it stands in a type map: a conversion, and for `enum:` after it
/// `;TEXT=LABEL` as often as needed.
///
/// # Errors
/// A sentence without the full stop that says what is allowed.
pub fn with_labels(text: &str) -> Result<(Convert, LabelTable), String> {
    let mut parts = text.split(';');
    let convert = Convert::parse(parts.next().unwrap_or_default())?;
    let mut labels = Vec::new();
    for part in parts {
        let (from, to) =
            part.split_once('=').ok_or_else(|| format!("\"{part}\" is not TEXT=LABEL"))?;
        labels.push((from.to_owned(), to.to_owned()));
    }
    if !labels.is_empty() && !matches!(convert, Convert::Enum(_)) {
        return Err(format!("\"{}\" takes no labels", convert.name()));
    }
    Ok((convert, labels))
}
