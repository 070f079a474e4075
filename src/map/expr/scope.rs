//! What names mean: the columns that an expression can see, with their types on both sides.

use crate::map::names::fitted_name;
use crate::model::convert::Convert;
use crate::model::decision::{Decision, TableMapping};
use crate::model::evidence::{Evidence, StampForm, TableEvidence, ValueKind};
use crate::model::expression::Parsed;
use crate::model::ident::{qualified, quoted};
use crate::model::pg_type::PgType;
use crate::model::source::{Affinity, Column, Table};

use super::value::{Class, Collation, Moment, Sql, Value};
use super::{Need, Translator};

/// A table, view or subquery that names can come from.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Name or alias in the source; empty when there is none.
    pub(super) name: String,
    /// The relation in FROM, such as `"public"."t"`; empty where none can be named.
    pub(super) target: String,
    /// What stands before the dot in the target; `None`: columns stand alone.
    pub(super) qualifier: Option<String>,
    /// Columns in order.
    pub(super) columns: Vec<ScopeColumn>,
    /// The column that the rowid is, by position.
    pub(super) rowid: Option<usize>,
}

/// A column as an expression sees it.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// Name in the source.
    pub(super) source: String,
    /// Name in the target.
    pub(super) target: String,
    /// What reading it gives; its SQL is made when it is read.
    pub(super) value: Value,
    /// Why it cannot be read, if so: NULL tests are all that is allowed.
    pub(super) opaque: Option<String>,
    /// Type in the target when it must be cast to be read, such as `double precision`.
    pub(super) cast: Option<&'static str>,
    /// Stands in for the column: the expression of a generated column, which PostgreSQL does not
    /// let another one refer to.
    pub(super) inlined: Option<Value>,
    /// Left out of `*`: it was joined by USING.
    pub(super) is_hidden: bool,
}

impl Relation {
    /// No columns at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            name: String::new(),
            target: String::new(),
            qualifier: None,
            columns: Vec::new(),
            rowid: None,
        }
    }

    /// Describes a table of the source whose columns stand alone, as in a CHECK.
    #[must_use]
    pub fn of_table(table: &Table, mapping: &TableMapping, evidence: &TableEvidence) -> Self {
        let columns = table.columns.iter().zip(&evidence.columns).zip(&mapping.columns);
        Self {
            name: table.name.clone(),
            target: String::new(),
            qualifier: None,
            columns: columns
                .enumerate()
                .map(|(position, ((column, evidence), decision))| {
                    let is_key = table.rowid_alias == Some(position);
                    column_of(column, evidence, decision, is_key)
                })
                .collect(),
            rowid: table.rowid_alias,
        }
    }

    /// Says where it is in the target: what FROM has to name.
    #[must_use]
    pub fn stored_as(mut self, schema: &str, table: &str) -> Self {
        self.target = qualified(schema, table);
        self
    }

    /// Returns its name in the source.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Replaces a column by what it is computed from, as PostgreSQL wants it in another generated
    /// column.
    ///
    /// # Errors
    /// Why it cannot be translated.
    pub fn inline(&mut self, position: usize, expr: &Parsed, encoding: &str) -> Result<(), String> {
        let mut translator = Translator::over(self, Need::Immutable, encoding);
        let mut value = translator.value(expr.as_ref().map_err(Clone::clone)?)?;
        let Some(column) = self.columns.get(position) else { return Ok(()) };
        // It is what the column stores: of the column's class, or it may not be read at all.
        if value.class != column.value.class || column.opaque.is_some() {
            return Err(
                "another generated column refers to it, whose values are of another kind".into()
            );
        }
        value.affinity = column.value.affinity;
        value.collation = column.value.collation;
        value.is_collated = false;
        self.set_inlined(position, value);
        Ok(())
    }

    /// Says that a column cannot be read, and why.
    pub fn hide(&mut self, position: usize, reason: &str) {
        if let Some(column) = self.columns.get_mut(position) {
            column.opaque = Some(reason.to_owned());
        }
    }

    fn set_inlined(&mut self, position: usize, value: Value) {
        if let Some(column) = self.columns.get_mut(position) {
            column.inlined = Some(value);
        }
    }

    /// The same relation under a name in FROM.
    pub(super) fn named(&self, name: &str) -> Self {
        let mut named = self.clone();
        name.clone_into(&mut named.name);
        named.qualifier = Some(quoted(&fitted_name(name)));
        named
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.source.eq_ignore_ascii_case(name))
    }

    pub(super) fn rowid(&self, name: &str) -> Option<usize> {
        let is_rowid =
            ["rowid", "_rowid_", "oid"].iter().any(|word| name.eq_ignore_ascii_case(word));
        if is_rowid { self.rowid } else { None }
    }

    /// Reads a column.
    pub(super) fn read(&self, position: usize) -> Result<Value, String> {
        let column = &self.columns[position];
        if let Some(reason) = &column.opaque {
            return Err(format!("\"{}\" {reason}", column.source.escape_debug()));
        }
        Ok(self.read_opaque(position))
    }

    /// Reads a column of which only NULL or not NULL matters.
    pub(super) fn read_opaque(&self, position: usize) -> Value {
        let column = &self.columns[position];
        if let Some(value) = &column.inlined {
            return value.clone();
        }
        let mut value = column.value.clone();
        let name = match &self.qualifier {
            Some(qualifier) => format!("{qualifier}.{}", quoted(&column.target)),
            None => quoted(&column.target),
        };
        value.sql = Sql::tight(name);
        if let Some(cast) = column.cast {
            value.sql = value.sql.cast(cast);
        }
        value
    }
}

/// Works out what SQLite would see in a column and what PostgreSQL has.
fn column_of(
    column: &Column,
    evidence: &Evidence,
    decision: &Decision,
    is_key: bool,
) -> ScopeColumn {
    let not_null = decision.not_null || is_key;
    let mut made = ScopeColumn {
        source: decision.source.clone(),
        target: decision.target.clone(),
        value: Value::new(Sql::tight(String::new()), Class::Null),
        opaque: None,
        cast: None,
        inlined: None,
        is_hidden: false,
    };
    made.value.nullable = !not_null;
    match class_of(column, evidence, decision) {
        Ok((class, cast)) => {
            made.value.class = class;
            made.cast = cast;
        }
        Err(reason) => {
            made.value.class = Class::Opaque;
            made.opaque = Some(reason);
        }
    }
    made.value.affinity = Some(column.affinity);
    let collation = Collation::named(&column.collation);
    if collation.is_none() && made.opaque.is_none() && made.value.class == Class::Text {
        made.opaque =
            Some(format!("compares by {}, which only its application knows", column.collation));
    }
    made.value.collation = Some(collation.unwrap_or_default());
    made.value.narrow = matches!(decision.pg_type, PgType::SmallInt | PgType::Integer);
    made.value.numeric = matches!(decision.pg_type, PgType::Numeric(_)) && made.cast.is_none();
    made.value.is_stored_number = made.value.class == Class::Number
        && matches!(column.affinity, Affinity::Integer | Affinity::Numeric);
    let stamps = evidence.count(ValueKind::TextDate) + evidence.count(ValueKind::TextTimestamp);
    made.value.is_stamp_text =
        made.value.class == Class::Text && stamps > 0 && stamps == evidence.sum(ValueKind::is_text);
    made.value.is_wide = evidence.count(ValueKind::Integer64) > 0;
    made.value.is_infinite = evidence.count(ValueKind::RealInfinite) > 0;
    made
}

/// Storage class of a column's values, and the cast that reading them needs.
fn class_of(
    column: &Column,
    evidence: &Evidence,
    decision: &Decision,
) -> Result<(Class, Option<&'static str>), String> {
    let seen = Seen::of(evidence);
    let pg_type = decision.pg_type;
    let has_others = |allowed: Seen| {
        (seen.integers && !allowed.integers)
            || (seen.reals && !allowed.reals)
            || (seen.texts && !allowed.texts)
            || (seen.blobs && !allowed.blobs)
    };
    let only = |integers, reals, texts, blobs| Seen { integers, reals, texts, blobs };
    let mixed = || Err(format!("holds values of several kinds and becomes {pg_type}"));
    let converted =
        || Err(format!("is converted to {pg_type}, whose values SQLite compares in another way"));
    let plain = matches!(decision.convert, Convert::Plain | Convert::BOOL_WORD);
    if !plain && decision.convert != Convert::Named(crate::model::convert::Conversion::JsonAny) {
        return converted();
    }
    match pg_type {
        PgType::Boolean if has_others(only(true, false, false, false)) => {
            Err("holds words that became boolean".into())
        }
        PgType::Boolean if column.affinity == Affinity::Text => converted(),
        PgType::Boolean => Ok((Class::Bool, None)),
        PgType::SmallInt | PgType::Integer | PgType::BigInt => {
            if has_others(only(true, false, false, false))
                || matches!(column.affinity, Affinity::Text | Affinity::Real)
            {
                return converted();
            }
            Ok((Class::Int, None))
        }
        PgType::Double | PgType::Real | PgType::Numeric(_) => number_of(column, seen, pg_type),
        PgType::Text | PgType::Varchar(_) => {
            if has_others(only(false, false, true, false)) {
                return mixed();
            }
            if matches!(column.affinity, Affinity::Integer | Affinity::Real)
                || (column.affinity == Affinity::Numeric && !seen.texts)
            {
                return Err(format!("is declared {} and becomes {pg_type}", column.declared));
            }
            Ok((Class::Text, None))
        }
        PgType::Bytea if has_others(only(false, false, false, true)) => mixed(),
        PgType::Bytea => Ok((Class::Blob, None)),
        PgType::Date | PgType::Timestamp if has_others(only(false, false, true, false)) => {
            converted()
        }
        PgType::Date => Ok((Class::Moment(Moment::Date, Some(StampForm::DATE)), None)),
        PgType::Timestamp => Ok((Class::Moment(Moment::Timestamp, evidence.stamp_form), None)),
        PgType::Jsonb | PgType::Json if has_others(only(false, false, true, false)) => {
            Err("holds JSON that is not text".into())
        }
        PgType::Jsonb => Ok((Class::Json, None)),
        PgType::Json => Ok((Class::Json, Some("jsonb"))),
        PgType::Enum(_) if matches!(decision.convert, Convert::Plain) => converted(),
        _ => converted(),
    }
}

fn number_of(
    column: &Column,
    seen: Seen,
    pg_type: PgType,
) -> Result<(Class, Option<&'static str>), String> {
    if seen.texts || seen.blobs || column.affinity == Affinity::Text {
        return Err(format!("holds more than numbers and becomes {pg_type}"));
    }
    if column.affinity == Affinity::Real {
        return Ok((Class::Real, (pg_type != PgType::Double).then_some("double precision")));
    }
    let cast = (pg_type == PgType::Real).then_some("double precision");
    Ok((Class::Number, cast))
}

/// Storage classes that occur in a column.
#[derive(Clone, Copy)]
struct Seen {
    integers: bool,
    reals: bool,
    texts: bool,
    blobs: bool,
}

impl Seen {
    fn of(evidence: &Evidence) -> Self {
        Self {
            integers: evidence.sum(ValueKind::is_integer) > 0,
            reals: evidence.sum(ValueKind::is_real) > 0,
            texts: evidence.sum(ValueKind::is_text) > 0,
            blobs: evidence.sum(ValueKind::is_blob) > 0,
        }
    }
}
