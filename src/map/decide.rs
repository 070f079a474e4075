//! One decision per column, from the rules and from all values.
//!
//! Purpose: the first matching rule names a type; when some values do not fit it, the narrowest
//! type of `WIDER` that holds every value takes its place, and the decision says so.
//!
//! Known gaps: no rule names a table or column; see [`super::names`].

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::model::convert::Convert;
use crate::model::decision::{Decision, Mapping, TableMapping, Unfit, Widening};
use crate::model::evidence::{Evidence, Example, TableEvidence, ValueKind};
use crate::model::name_style::NameStyle;
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::source::{CheckSays, Column, Table};

use super::fit::{self, is_natural};
use super::names::{self, NameSpace};
use super::rules::{Match, Rules};
use super::unify;

/// Types to widen to, narrowest first; the last one holds anything.
pub(super) const WIDER: [PgType; 5] =
    [PgType::BigInt, PgType::Double, PgType::Numeric(None), PgType::Text, PgType::Bytea];

/// Examples that a widening shows.
const EXAMPLES_MAX: usize = 3;

/// A column whose decision only its values can prove, by table and position.
pub type Unproven = (usize, usize);

/// Returns the columns of a proposal that must be checked value by value: those whose kinds do not
/// tell which values fit, or not how many.
#[must_use]
pub fn unproven(tables: &[(&Table, &TableEvidence)], mapping: &Mapping) -> Vec<Unproven> {
    let mut found = Vec::new();
    for (table, mapped) in mapping.tables.iter().enumerate() {
        for (column, decision) in mapped.columns.iter().enumerate() {
            let (pg_type, convert) = (decision.pg_type, decision.convert);
            let evidence = &tables[table].1.columns[column];
            // What was not widened in the proposal though it has misfits waits to be counted.
            let waits =
                decision.widened.is_none() && fit::misfits(pg_type, convert, evidence).is_some();
            // What the server would round can only be counted value by value.
            let rounds = decision.demands.rounds_to_us().is_some() && evidence.not_null() > 0;
            if waits || rounds || !fit::is_provable(pg_type, convert) {
                found.push((table, column));
            }
        }
    }
    found
}

/// Makes the proposal final: widens the columns that the check found misfits in (in the order of
/// [`unproven`]), then gives both ends of each foreign key one type. `attempt` checks a column for a
/// type that only then comes into question.
///
/// # Errors
/// Those of `attempt`.
pub fn settle(
    tables: &[(&Table, &TableEvidence)],
    mapping: &mut Mapping,
    checked: &[(Unproven, Checked)],
    attempt: &unify::Attempt<'_>,
) -> Result<()> {
    for (at, checked) in checked {
        let (table, column) = *at;
        let evidence = &tables[table].1.columns[column];
        let decision = &mut mapping.tables[table].columns[column];
        let is_fast = decision.on_misfit != OnMisfit::Widen && !checked.has_too_many_labels;
        if checked.misfits > 0 && !is_fast {
            widen_checked(decision, evidence, checked);
            continue;
        }
        if checked.misfits > 0 {
            hold_fast(decision, evidence, checked);
        }
        take(tables, mapping, *at, checked);
    }
    let taken_over = unify::foreign_key_types(tables, &mut mapping.tables, attempt)?;
    for (at, checked) in taken_over {
        take(tables, mapping, at, &checked);
    }
    Ok(())
}

/// Notes what a column's values lose, and adds their labels to their enum type.
fn take(
    tables: &[(&Table, &TableEvidence)],
    mapping: &mut Mapping,
    (table, column): Unproven,
    checked: &Checked,
) {
    let decision = &mut mapping.tables[table].columns[column];
    if checked.changed > 0 {
        let values = if checked.changed == 1 { "value is" } else { "values are" };
        let how = match decision.demands.seconds_digits.filter(|digits| *digits < 6) {
            Some(digits) => format!("rounded, for the target keeps {digits} digits of a second"),
            None => format!("not the same after the conversion {}", decision.convert.name()),
        };
        let (count, example) = (checked.changed, &checked.changed_example);
        decision.notes.push(format!("{count} {values} {how}, such as {example}."));
    }
    if let PgType::Enum(name) = decision.pg_type {
        let known = mapping.enums.entry(name).or_default();
        add_labels(tables[table].0, column, decision, &checked.labels, known);
    }
}

/// Widens a column that the check found misfits in.
fn widen_checked(decision: &mut Decision, evidence: &Evidence, checked: &Checked) {
    let by_kinds = fit::misfits(decision.pg_type, decision.convert, evidence);
    decision.widened = Some(Widening {
        from: decision.pg_type,
        misfits: checked.misfits,
        found: by_kinds.map_or_else(|| checked.reasons.join(", "), |misfits| misfits.found),
        examples: checked.examples.clone(),
    });
    decision.pg_type = narrowest(decision.pg_type, evidence);
    decision.convert = Convert::Plain;
}

/// Keeps the type of a column that the check found misfits in, because its rule says so.
fn hold_fast(decision: &mut Decision, evidence: &Evidence, checked: &Checked) {
    let becomes = match (decision.on_misfit, checked.misfits) {
        (OnMisfit::Null, 1) => "it becomes NULL",
        (OnMisfit::Null, _) => "they become NULL",
        (_, 1) => "--on-bad-row decides on its row",
        (_, _) => "--on-bad-row decides on their rows",
    };
    let (does, example) = (
        if checked.misfits == 1 { "value does" } else { "values do" },
        checked.examples.first().map_or_else(String::new, |example| {
            let place = example.rowid.map_or_else(String::new, |rowid| format!(" (rowid {rowid})"));
            format!(", such as {}{place}", example.value)
        }),
    );
    let mut reasons = checked.reasons.join(", ");
    if !checked.unknown.is_empty() {
        reasons.push_str(&format!(": {}", counted(&checked.unknown)));
    }
    decision.notes.push(format!(
        "{} {does} not fit {} ({reasons}){example}; {becomes}.",
        checked.misfits, decision.pg_type
    ));
    if decision.on_misfit == OnMisfit::Null && decision.not_null {
        decision.not_null = false;
        decision.notes.push("Declared NOT NULL, which is left out for them.".to_owned());
    }
    decision.unfit = Some(Unfit {
        on_misfit: decision.on_misfit,
        misfits: checked.misfits,
        would_fit: narrowest(decision.pg_type, evidence),
        found: reasons,
        examples: checked.examples.clone(),
    });
}

/// Lists values with their counts, the most frequent first.
fn counted(values: &BTreeMap<String, u64>) -> String {
    const SHOWN_MAX: usize = 8;
    let mut sorted: Vec<(&String, &u64)> = values.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut shown: Vec<String> =
        sorted.iter().take(SHOWN_MAX).map(|(value, count)| format!("{count} x {value}")).collect();
    if sorted.len() > SHOWN_MAX {
        shown.push(format!("and {} others", sorted.len() - SHOWN_MAX));
    }
    shown.join(", ")
}

/// Adds a column's labels to its enum type: those of its CHECK in their order, those of the rule's
/// table, then what else was found, sorted.
fn add_labels(
    table: &Table,
    column: usize,
    decision: &Decision,
    found: &BTreeSet<String>,
    known: &mut Vec<String>,
) {
    let label = |text: &str| {
        let named = decision.labels.iter().find(|(from, _)| from == text);
        match (named, decision.convert) {
            (Some((_, label)), _) => label.clone(),
            (None, Convert::Enum(case)) => case.label(text),
            (None, _) => text.to_owned(),
        }
    };
    let checked = table.checks_of(column).filter_map(|says| match says {
        CheckSays::OneOfTexts(texts) => Some(texts.iter().map(|text| label(text))),
        CheckSays::OneOfIntegers(_) | CheckSays::JsonValid => None,
    });
    let named = decision.labels.iter().map(|(_, label)| label.clone());
    for label in checked.flatten().chain(named).chain(found.iter().cloned()) {
        if !known.contains(&label) {
            known.push(label);
        }
    }
}

/// What running a column's values through its encoder found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Values that do not fit.
    pub misfits: u64,
    /// The encoder's reasons, each once.
    pub reasons: Vec<String>,
    /// The first of them.
    pub examples: Vec<Example>,
    /// True when an enum would have more labels than is sensible: it is no enumeration.
    pub has_too_many_labels: bool,
    /// Labels that the values of an enum column become.
    pub labels: BTreeSet<String>,
    /// Values that are no label of an enum type which is there already, with how many there are.
    pub unknown: BTreeMap<String, u64>,
    /// Values that fit but lose something on the way: cut, mended or rounded.
    pub changed: u64,
    /// The first of them.
    pub changed_example: String,
}

/// Examples of misfits that a check keeps.
pub const CHECKED_EXAMPLES_MAX: usize = EXAMPLES_MAX;

/// Proposes for every table. `tables` are those that were selected and scanned, in source order. The
/// proposal becomes final by [`settle`].
#[must_use]
pub fn propose(tables: &[(&Table, &TableEvidence)], rules: &Rules, style: NameStyle) -> Mapping {
    let sources: Vec<&str> = tables.iter().map(|(table, _)| table.name.as_str()).collect();
    let targets = NameSpace::default().take_all(&sources, style);
    let mut renamed = Vec::new();
    let mut used = BTreeSet::new();
    let mapped: Vec<TableMapping> = tables
        .iter()
        .zip(targets)
        .map(|((table, evidence), target)| {
            let shown = format!("Table \"{}\"", table.name.escape_debug());
            renamed.extend(names::changed(&shown, &table.name, &target, style));
            let columns = columns(table, evidence, rules, style, &mut used, &mut renamed);
            TableMapping { source: table.name.clone(), target, columns }
        })
        .collect();
    Mapping {
        tables: mapped,
        names: style,
        renamed,
        enums: BTreeMap::new(),
        unused_rules: rules.unused(&used),
    }
}

fn columns(
    table: &Table,
    evidence: &TableEvidence,
    rules: &Rules,
    style: NameStyle,
    used: &mut BTreeSet<usize>,
    renamed: &mut Vec<String>,
) -> Vec<Decision> {
    let sources: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let targets = NameSpace::of_columns().take_all(&sources, style);
    let pairs = table.columns.iter().zip(&evidence.columns).zip(targets).enumerate();
    pairs
        .map(|(position, ((column, evidence), target))| {
            let matched = rules.first_match(table, position, evidence);
            used.insert(matched.rule);
            let shown = format!(
                "Column \"{}\".\"{}\"",
                table.name.escape_debug(),
                column.name.escape_debug()
            );
            renamed.extend(names::changed(&shown, &column.name, &target, style));
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
    let waits = matched.on_misfit != OnMisfit::Widen
        || fit::exceeds_sizes(matched.pg_type, matched.convert, evidence);
    let (pg_type, convert, widened) = if waits {
        (matched.pg_type, matched.convert, None)
    } else {
        widen(matched.pg_type, matched.convert, evidence)
    };
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
    if convert == Convert::Plain {
        notes.extend(dropped(pg_type, evidence));
    }
    Decision {
        source: column.name.clone(),
        target,
        pg_type,
        convert,
        labels: matched.labels,
        on_misfit: matched.on_misfit,
        demands: matched.demands,
        rule: matched.at,
        widened,
        unfit: None,
        not_null: wanted_not_null && nulls == 0,
        notes,
    }
}

/// Returns the first type that is wider than `from` and holds every value.
///
/// Digits that were stored as text are text; only a rule or a foreign key makes numbers of them.
fn narrowest(from: PgType, evidence: &Evidence) -> PgType {
    let has_text = evidence.sum(ValueKind::is_text) > 0;
    let is_number = |pg_type: &PgType| {
        pg_type.is_integer() || matches!(pg_type, PgType::Double | PgType::Numeric(_))
    };
    let wider = WIDER.into_iter().filter(|pg_type| !(has_text && is_number(pg_type)));
    std::iter::once(from.unlimited())
        .chain(wider)
        .filter(|candidate| *candidate != from && fit::is_provable(*candidate, Convert::Plain))
        .find(|candidate| fit::misfits(*candidate, Convert::Plain, evidence).is_none())
        .unwrap_or(PgType::Bytea)
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

/// What a type does not keep of values that fit it.
fn dropped(pg_type: PgType, evidence: &Evidence) -> Option<String> {
    let (tally, one, many, then) = match pg_type {
        PgType::Jsonb => (
            &evidence.repeated_keys,
            "document has a key twice",
            "documents have a key twice",
            "jsonb keeps the last of its values",
        ),
        PgType::TimestampTz => (
            &evidence.offsets,
            "value has an offset from UTC",
            "values have an offset from UTC",
            "timestamptz keeps the instant, not the offset",
        ),
        _ => return None,
    };
    let example = tally.example.as_ref()?;
    let have = if tally.count == 1 { one } else { many };
    Some(format!("{} {have}, such as {}: {then}.", tally.count, example.value))
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
    let pg_type = narrowest(from, evidence);
    let unfit = |kind: ValueKind| !is_natural(from, convert, kind);
    let mut examples = evidence.examples_of(unfit);
    examples.truncate(EXAMPLES_MAX);
    let widening = Widening { from, misfits: misfits.count, found: misfits.found, examples };
    (pg_type, Convert::Plain, Some(widening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::Value;

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
    fn what_a_type_drops_is_told() {
        let mut found = Evidence::default();
        assert_eq!(dropped(PgType::Jsonb, &found), None);
        found.repeated_keys.add(Value::Text(b"{}"), Some(1));
        found.offsets.add(Value::Text(b"x"), Some(1));
        found.offsets.add(Value::Text(b"y"), Some(2));
        for (pg_type, note) in [
            (PgType::Json, None),
            (
                PgType::Jsonb,
                Some(
                    "1 document has a key twice, such as '{}': jsonb keeps the last of its values.",
                ),
            ),
            (
                PgType::TimestampTz,
                Some(
                    "2 values have an offset from UTC, such as 'x': timestamptz keeps the instant, not the offset.",
                ),
            ),
        ] {
            assert_eq!(dropped(pg_type, &found).as_deref(), note);
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
