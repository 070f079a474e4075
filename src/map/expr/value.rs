//! A translated expression: its SQL and what is known of its values on both sides.

use crate::model::evidence::StampForm;
use crate::model::ident::literal;
use crate::model::source::Affinity;

/// SQL text, and whether it can stand beside an operator without parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    pub(super) text: String,
    is_tight: bool,
}

impl Sql {
    /// A name, a constant, a call.
    pub(super) fn tight(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_tight: true }
    }

    /// Anything else.
    pub(super) fn loose(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_tight: false }
    }

    /// The text as an operand.
    pub(super) fn operand(&self) -> String {
        if self.is_tight { self.text.clone() } else { format!("({})", self.text) }
    }

    /// `x::type`
    pub(super) fn cast(&self, pg_type: &str) -> Self {
        Self::tight(format!("{}::{pg_type}", self.operand()))
    }

    /// `x COLLATE "C"`: SQLite's BINARY, byte by byte.
    pub(super) fn bytewise(&self) -> Self {
        if self.text.ends_with(" COLLATE \"C\"") && !self.is_tight {
            return self.clone();
        }
        Self::loose(format!("{} COLLATE \"C\"", self.operand()))
    }

    /// Text that needs no parentheses before what comes next.
    pub(super) fn unparenthesized(self) -> Self {
        Self { is_tight: true, ..self }
    }

    /// `left op right`
    pub(super) fn infix(left: &Self, op: &str, right: &Self) -> Self {
        Self::loose(format!("{} {op} {}", left.operand(), right.operand()))
    }

    /// `name(args)`
    pub(super) fn call(name: &str, args: &[&Self]) -> Self {
        let args: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).collect();
        Self::tight(format!("{name}({})", args.join(", ")))
    }
}

/// Storage class of the values on SQLite's side, and with it the type on PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing but NULL.
    Null,
    /// Integer 0 or 1; boolean.
    Bool,
    /// Integer; bigint, or narrower where [`Value::narrow`] says so.
    Int,
    /// Real; double precision.
    Real,
    /// Integer or real, row by row; double precision, or numeric where [`Value::numeric`] says so.
    Number,
    /// Text; text.
    Text,
    /// Blob; bytea.
    Blob,
    /// Text of a date or time, in a column that became one; the form that all texts have.
    Moment(Moment, Option<StampForm>),
    /// Text of a JSON document; jsonb.
    Json,
    /// What stands in a JSON document, of any class; jsonb, JSON's null apart.
    JsonItem,
    /// Any class, row by row; its text.
    Mixed,
    /// A column of which only NULL or not can be told.
    Opaque,
}

/// Which type a date or time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Date,
    Timestamp,
}

impl Class {
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Bool | Self::Int | Self::Real | Self::Number)
    }

    /// What `typeof()` and a report call it.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "a boolean",
            Self::Int => "an integer",
            Self::Real => "a real",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Blob => "a blob",
            Self::Moment(Moment::Date, _) => "a date",
            Self::Moment(Moment::Timestamp, _) => "a timestamp",
            Self::Json => "JSON",
            Self::JsonItem => "a part of JSON",
            Self::Mixed => "of several kinds",
            Self::Opaque => "converted",
        }
    }
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Collation {
    /// Byte by byte.
    #[default]
    Binary,
    /// ASCII letters of either case are equal.
    NoCase,
    /// Blanks at the end do not count.
    RTrim,
}

impl Collation {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "" | "BINARY" => Some(Self::Binary),
            "NOCASE" => Some(Self::NoCase),
            "RTRIM" => Some(Self::RTrim),
            _ => None,
        }
    }
}

/// A constant of the source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// The same point in time as a PostgreSQL type, for what SQLite gives as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instant {
    /// timestamp without time zone, in UTC.
    pub(super) stamp: Sql,
    /// What of it the text shows.
    pub(super) part: Part,
    /// It is `'now'` and nothing else: `now()`.
    pub(super) is_now: bool,
}

/// What of a point in time a text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Date,
    Time,
    Seconds,
    /// With milliseconds or in another shape: `YYYY-MM-DDTHH:MM:SS.sssZ` and its like.
    Millis,
}

/// A translated expression.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) sql: Sql,
    pub(super) class: Class,
    /// Affinity that a comparison sees: that of a column or CAST.
    pub(super) affinity: Option<Affinity>,
    /// Collation that a comparison sees: that of a column, or one that is spelled out.
    pub(super) collation: Option<Collation>,
    /// COLLATE is spelled out.
    pub(super) is_collated: bool,
    /// It may be NULL.
    pub(super) nullable: bool,
    pub(super) constant: Option<Constant>,
    /// An integer that PostgreSQL has in less than 64 bits.
    pub(super) narrow: bool,
    /// A number that PostgreSQL has as numeric.
    pub(super) numeric: bool,
    /// An integer that may be beyond 2^53, where doubles have gaps.
    pub(super) is_wide: bool,
    /// A real that may be infinite.
    pub(super) is_infinite: bool,
    /// A number that is never below 0.
    pub(super) non_negative: bool,
    /// Text that is a point in time.
    pub(super) instant: Option<Box<Instant>>,
    /// It differs from call to call.
    pub(super) is_volatile: bool,
    /// Text made of random bytes.
    pub(super) is_random_text: bool,
    /// The integer that a text of digits is.
    pub(super) digits: Option<Box<Sql>>,
    /// A column of text in which every value is an ISO date or timestamp without zone.
    pub(super) is_stamp_text: bool,
    /// Text that shows digits of a real, of which versions of SQLite print more or fewer.
    pub(super) has_real_digits: bool,
    /// JSON that a function made, which another function takes for JSON and not for text.
    pub(super) is_json_value: bool,
    /// A chain of `||`.
    pub(super) is_concat: bool,
    /// A number that SQLite stores as an integer wherever it can: the value tells its class.
    pub(super) is_stored_number: bool,
}

impl Value {
    pub(super) fn new(sql: Sql, class: Class) -> Self {
        Self {
            sql,
            class,
            affinity: None,
            collation: None,
            is_collated: false,
            nullable: true,
            constant: None,
            narrow: false,
            numeric: false,
            is_wide: false,
            is_infinite: false,
            non_negative: false,
            instant: None,
            is_volatile: false,
            is_random_text: false,
            digits: None,
            is_json_value: false,
            has_real_digits: false,
            is_stamp_text: false,
            is_concat: false,
            is_stored_number: false,
        }
    }

    /// An expression made of others: NULL if one of them is, volatile if one of them is, with the
    /// collation that one of them spells out.
    pub(super) fn of(sql: Sql, class: Class, from: &[&Self]) -> Self {
        let mut value = Self::new(sql, class);
        value.nullable = from.iter().any(|part| part.nullable);
        value.is_volatile = from.iter().any(|part| part.is_volatile);
        value.is_wide = from.iter().any(|part| part.is_wide);
        value.is_infinite = from.iter().any(|part| part.is_infinite);
        value.has_real_digits = matches!(class, Class::Text | Class::Mixed)
            && from.iter().any(|part| {
                part.has_real_digits
                    || (matches!(part.class, Class::Real | Class::Number)
                        && part.constant.is_none())
            });
        value.is_random_text = class == Class::Text && from.iter().any(|part| part.is_random_text);
        if let Some(collated) = from.iter().find(|part| part.is_collated) {
            value.collation = collated.collation;
            value.is_collated = true;
        }
        value
    }

    pub(super) fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    pub(super) fn maybe_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    pub(super) fn narrow(mut self) -> Self {
        self.narrow = true;
        self.is_wide = false;
        self
    }

    pub(super) fn non_negative(mut self) -> Self {
        self.non_negative = true;
        self
    }

    /// As what a function gives: neither affinity nor the collation of a column.
    pub(super) fn returned(mut self) -> Self {
        self.affinity = None;
        self.is_json_value = false;
        if !self.is_collated {
            self.collation = None;
        }
        self
    }

    /// Without what makes it a column: SQLite's unary plus.
    pub(super) fn without_affinity(mut self) -> Self {
        self.affinity = None;
        self
    }

    pub(super) fn constant(constant: Constant) -> Self {
        let (sql, class) = match &constant {
            Constant::Null => (Sql::tight("NULL"), Class::Null),
            Constant::Int(value) => (integer(*value), Class::Int),
            Constant::Real(value) => (real(*value), Class::Real),
            Constant::Text(text) => (Sql::tight(literal(text)), Class::Text),
            Constant::Blob(bytes) => (blob(bytes), Class::Blob),
        };
        let mut value = Self::new(sql, class);
        value.nullable = matches!(constant, Constant::Null);
        match constant {
            Constant::Int(integer) => {
                value.narrow = i32::try_from(integer).is_ok();
                value.is_wide = integer.unsigned_abs() > 1 << 53;
                value.non_negative = integer >= 0;
            }
            Constant::Real(real) => {
                value.is_infinite = real.is_infinite();
                value.non_negative = real >= 0.0;
            }
            _ => {}
        }
        value.constant = Some(constant);
        value
    }

    /// Text that is a chain of `||` and needs no parentheses in a longer one.
    pub(super) fn is_concatenation(&self) -> bool {
        self.is_concat && self.class == Class::Text
    }

    pub(super) fn is_null(&self) -> bool {
        self.class == Class::Null
    }

    pub(super) fn int_constant(&self) -> Option<i64> {
        match self.constant {
            Some(Constant::Int(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn text_constant(&self) -> Option<&str> {
        match &self.constant {
            Some(Constant::Text(text)) => Some(text),
            _ => None,
        }
    }
}

fn integer(value: i64) -> Sql {
    if value == i64::MIN {
        return Sql::tight("'-9223372036854775808'::bigint");
    }
    if value < 0 { Sql::loose(value.to_string()) } else { Sql::tight(value.to_string()) }
}

/// A double: PostgreSQL would take `1.5` for a numeric, which rounds in another way.
fn real(value: f64) -> Sql {
    if value.is_infinite() {
        let name = if value > 0.0 { "Infinity" } else { "-Infinity" };
        return Sql::tight(format!("'{name}'::double precision"));
    }
    Sql::tight(format!("'{value:?}'::double precision"))
}

pub(super) fn blob(bytes: &[u8]) -> Sql {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Sql::tight(format!("'\\x{digits}'::bytea"))
}
