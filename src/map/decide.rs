//! One decision per column, from the rules and from all values.
//!
//! Purpose: the first matching rule names a type; when some values do not fit it, the narrowest
//! type of [`WIDER`] that holds every value takes its place, and the decision says so.
//!
//! Known gaps: names are always kept (`--names` is not there yet); see [`super::names`].

use std::collections::BTreeSet;

use crate::model::decision::{Convert, Decision, Mapping, TableMapping, Widening};
use crate::model::evidence::{Evidence, TableEvidence, ValueKind};
use crate::model::pg_type::PgType;
use crate::model::source::{Column, SourceSchema, Table};

use super::fit::{self, is_natural};
use super::names::NameSpace;
use super::rules::{Match, Rules};
use super::unify;

/// Types to widen to, narrowest first; the last one holds anything.
pub(super) const WIDER: [PgType; 5] =
    [PgType::BigInt, PgType::Double, PgType::Numeric(None), PgType::Text, PgType::Bytea];

/// Examples that a widening shows.
const EXAMPLES_MAX: usize = 3;

/// Decides for every table. `tables` are those that were selected and scanned, in source order.
#[must_use]
pub fn mapping(
    schema: &SourceSchema,
    tables: &[(&Table, &TableEvidence)],
    rules: &Rules,
) -> Mapping {
    let mut relations = NameSpace::default();
    let mut renamed = Vec::new();
    let mut used = BTreeSet::new();
    let mut mapped: Vec<TableMapping> = tables
        .iter()
        .map(|(table, evidence)| {
            let target = relations.take(&table.name);
            if target != table.name {
                renamed
                    .push(format!("Table \"{}\" becomes \"{target}\".", table.name.escape_debug()));
            }
            let columns = columns(table, evidence, rules, &mut used, &mut renamed);
            TableMapping { source: table.name.clone(), target, columns }
        })
        .collect();
    unify::foreign_key_types(schema, tables, &mut mapped);
    Mapping { tables: mapped, renamed, unused_rules: rules.unused(&used) }
}

fn columns(
    table: &Table,
    evidence: &TableEvidence,
    rules: &Rules,
    used: &mut BTreeSet<usize>,
    renamed: &mut Vec<String>,
) -> Vec<Decision> {
    let mut names = NameSpace::of_columns();
    let pairs = table.columns.iter().zip(&evidence.columns).enumerate();
    pairs
        .map(|(position, (column, evidence))| {
            let matched = rules.first_match(table, column, evidence);
            used.insert(matched.rule);
            let target = names.take(&column.name);
            if target != column.name {
                renamed.push(format!(
                    "Column \"{}\".\"{}\" becomes \"{target}\".",
                    table.name.escape_debug(),
                    column.name.escape_debug()
                ));
            }
            decide(table, position, column, target, matched, evidence)
        })
        .collect()
}

fn decide(
    table: &Table,
    position: usize,
    column: &Column,
    target: String,
    matched: Match,
    evidence: &Evidence,
) -> Decision {
    let (pg_type, convert, widened) = widen(matched.pg_type, matched.convert, evidence);
    let nulls = evidence.count(ValueKind::Null);
    let wanted_not_null = column.not_null || table.rowid_alias == Some(position);
    let mut notes = Vec::new();
    if wanted_not_null && nulls > 0 {
        notes
            .push(format!("Declared NOT NULL, but {nulls} values are NULL: NOT NULL is left out."));
    }
    if widened.is_none() && pg_type.is_textual() {
        notes.extend(numbers_as_text(evidence));
    }
    Decision {
        source: column.name.clone(),
        target,
        pg_type,
        convert,
        rule: matched.at,
        widened,
        not_null: wanted_not_null && nulls == 0,
        notes,
    }
}

/// Numbers that become text though nothing was too narrow: a column of several kinds, or a rule.
fn numbers_as_text(evidence: &Evidence) -> Option<String> {
    let is_number = |kind: ValueKind| kind.is_integer() || kind.is_real();
    let example = evidence.examples_of(is_number).into_iter().next()?;
    let (count, be) = match evidence.sum(is_number) {
        1 => ("One number".to_owned(), "becomes"),
        count => (format!("{count} numbers"), "become"),
    };
    Some(format!("{count} {be} text, such as {}.", example.value))
}

/// Returns the rule's type when it holds every value, else the first of [`WIDER`] that does.
fn widen(
    from: PgType,
    convert: Convert,
    evidence: &Evidence,
) -> (PgType, Convert, Option<Widening>) {
    let Some(misfits) = fit::misfits(from, convert, evidence) else {
        return (from, convert, None);
    };
    // Digits that were stored as text are text; only a rule or a foreign key makes numbers of them.
    let has_text = evidence.sum(ValueKind::is_text) > 0;
    let is_number = |pg_type: &PgType| {
        pg_type.is_integer() || matches!(pg_type, PgType::Double | PgType::Numeric(_))
    };
    let wider = WIDER.into_iter().filter(|pg_type| !(has_text && is_number(pg_type)));
    let pg_type = std::iter::once(from.unlimited())
        .chain(wider)
        .filter(|candidate| *candidate != from)
        .find(|candidate| fit::misfits(*candidate, Convert::Plain, evidence).is_none())
        .unwrap_or(PgType::Bytea);
    let unfit = |kind: ValueKind| !is_natural(from, convert, kind);
    let mut examples = evidence.examples_of(unfit);
    examples.truncate(EXAMPLES_MAX);
    let widening = Widening { from, misfits: misfits.count, found: misfits.found, examples };
    (pg_type, Convert::Plain, Some(widening))
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
    fn a_type_that_holds_everything_is_kept() {
        let found = evidence(&[(ValueKind::Integer64, 3), (ValueKind::Null, 1)]);
        assert_eq!(
            widen(PgType::BigInt, Convert::Plain, &found),
            (PgType::BigInt, Convert::Plain, None)
        );
    }

    #[test]
    fn the_narrowest_type_that_holds_everything_is_taken() {
        use ValueKind as K;
        for (from, kinds, to) in [
            (PgType::Boolean, vec![(K::IntegerBool, 5), (K::Integer16, 1)], PgType::BigInt),
            (PgType::BigInt, vec![(K::Integer53, 5), (K::Real, 1)], PgType::Double),
            (PgType::BigInt, vec![(K::Integer64, 5), (K::Real, 1)], PgType::Numeric(None)),
            (PgType::BigInt, vec![(K::Integer64, 5), (K::RealInfinite, 1)], PgType::Text),
            (PgType::BigInt, vec![(K::Integer16, 5), (K::TextEmpty, 1)], PgType::Text),
            (PgType::Text, vec![(K::Text, 5), (K::TextNul, 1)], PgType::Bytea),
            (PgType::Bytea, vec![(K::Text, 5)], PgType::Text),
            (PgType::Bytea, vec![(K::TextInteger, 5)], PgType::Text),
            (PgType::Bytea, vec![(K::Text, 5), (K::Blob, 1)], PgType::Bytea),
            (PgType::Timestamp, vec![(K::Integer53, 5)], PgType::BigInt),
            (PgType::Timestamp, vec![(K::TextTimestamp, 5), (K::TextTimestampTz, 1)], PgType::Text),
            (PgType::Numeric(None), vec![(K::Integer64, 1), (K::RealMinusZero, 1)], PgType::Text),
        ] {
            let (pg_type, _, widened) = widen(from, Convert::Plain, &evidence(&kinds));
            assert_eq!(pg_type, to, "{kinds:?}");
            assert_eq!(widened.unwrap().from, from);
        }
    }

    #[test]
    fn lengths_and_precisions_are_dropped_when_they_do_not_hold() {
        let mut found = evidence(&[(ValueKind::Text, 1)]);
        found.text_chars_max = 81;
        let (pg_type, _, widened) = widen(PgType::Varchar(80), Convert::Plain, &found);
        assert_eq!(pg_type, PgType::Text);
        assert_eq!(widened.unwrap().found, "longest text has 81 characters");
        let mut found = evidence(&[(ValueKind::Real, 1)]);
        found.digits_after_point_max = 3;
        let (pg_type, ..) = widen(PgType::Numeric(Some((10, 2))), Convert::Plain, &found);
        assert_eq!(pg_type, PgType::Numeric(None));
    }
}
