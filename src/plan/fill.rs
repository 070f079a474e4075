//! The plan of a transfer into tables that are there already.

use std::collections::BTreeMap;

use crate::map::fill::{self, ColumnTarget};
use crate::map::rules::TARGET;
use crate::model::catalogue::{
    Catalogue, JournalEntry, TargetSequence, TargetTable, TargetTrigger,
};
use crate::model::decision::{Decision, Mapping, Unfit};
use crate::model::demands::Demands;
use crate::model::evidence::{Evidence, TableEvidence, ValueKind};
use crate::model::ident::{literal, qualified, quoted};
use crate::model::matching::{ColumnFate, MatchedTable, Matching, Refusal};
use crate::model::merge::MergePlan;
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::plan::{
    ColumnPlan, FillPlan, FinishStep, Phase, SequencePlan, TablePlan, TransferPlan, UnfitColumn,
};
use crate::model::source::{SourceSchema, Table};

use super::{ddl, journal, leftovers, load_order, ranges};

/// What a plan is made from. `evidence` and `mapping` have an entry for each table of `matching`.
pub struct Inputs<'a> {
    /// The source's schema.
    pub schema: &'a SourceSchema,
    /// The target.
    pub catalogue: &'a Catalogue,
    /// Which goes where.
    pub matching: &'a Matching,
    /// What the scan found.
    pub evidence: &'a [TableEvidence],
    /// The decisions.
    pub mapping: &'a Mapping,
    /// Tables that are emptied, by position in the catalogue.
    pub emptied: &'a [usize],
    /// How rows come to tables that keep theirs.
    pub merges: &'a [MergePlan],
    /// Which triggers go on.
    pub is_kept: &'a dyn Fn(&TargetTrigger) -> bool,
    /// What an earlier run took away and did not bring back.
    pub earlier: &'a [JournalEntry],
    /// Zone of texts that name none.
    pub zone: &'a str,
    /// What a reader should know of the names, the tracking tables and what is left out.
    pub notes: &'a [String],
}

/// Returns what the target's columns are, for the rules.
#[must_use]
pub fn column_targets(
    tables: &[Table],
    catalogue: &Catalogue,
    matching: &Matching,
) -> crate::map::rules::ColumnTargets {
    let mut targets = BTreeMap::new();
    for matched in &matching.tables {
        let there = &catalogue.tables[matched.target].columns;
        for (position, fate) in matched.columns.iter().enumerate() {
            let ColumnFate::Into(at) = fate else { continue };
            let column = &there[*at];
            let target = ColumnTarget {
                pg_type: column.pg_type,
                type_name: column.type_name.clone(),
                demands: Demands {
                    required: column.not_null,
                    labels: column.labels.clone(),
                    seconds_digits: column.seconds_digits,
                },
            };
            targets.insert((tables[matched.source].name.clone(), position), target);
        }
    }
    targets
}

/// Gives the decisions the target's names, and counts NULLs that its columns do not take.
pub fn settle(
    catalogue: &Catalogue,
    matching: &Matching,
    evidence: &[TableEvidence],
    mapping: &mut Mapping,
) {
    // Names of tables that are there are theirs; of those that are made it is still told.
    let made: Vec<String> = mapping
        .tables
        .iter()
        .skip(matching.tables.len())
        .map(|table| format!("\"{}\"", table.source.escape_debug()))
        .collect();
    mapping.renamed.retain(|note| made.iter().any(|name| note.contains(name)));
    for ((matched, evidence), table) in
        matching.tables.iter().zip(evidence).zip(&mut mapping.tables)
    {
        let there = &catalogue.tables[matched.target];
        table.target.clone_from(&there.name);
        let columns = table.columns.iter_mut().zip(&matched.columns).zip(&evidence.columns);
        for ((decision, fate), evidence) in columns {
            let ColumnFate::Into(at) = fate else { continue };
            decision.target.clone_from(&there.columns[*at].name);
            decision.not_null = there.columns[*at].not_null;
            count_nulls(decision, evidence);
            note_bytes(decision, evidence);
        }
    }
}

fn count_nulls(decision: &mut Decision, evidence: &Evidence) {
    let nulls = evidence.count(ValueKind::Null);
    if !decision.demands.required || nulls == 0 {
        return;
    }
    let found = "NULL in a NOT NULL column";
    decision.notes.push(format!("{nulls} values are NULL, and the target's column is NOT NULL."));
    match &mut decision.unfit {
        Some(unfit) => {
            unfit.misfits += nulls;
            unfit.found = format!("{}, {found}", unfit.found);
        }
        None => {
            decision.unfit = Some(Unfit {
                on_misfit: OnMisfit::Reject,
                misfits: nulls,
                would_fit: decision.pg_type,
                found: found.to_owned(),
                examples: Vec::new(),
            });
        }
    }
}

fn note_bytes(decision: &mut Decision, evidence: &Evidence) {
    let others = evidence.sum(|kind| kind != ValueKind::Null && !kind.is_blob());
    if decision.pg_type == PgType::Bytea && others > 0 {
        decision
            .notes
            .push(format!("{others} values that are no blobs become the bytes of their text."));
    }
}

/// Says what of the values still stands in the way.
#[must_use]
pub fn open_questions(inputs: &Inputs<'_>) -> Vec<Refusal> {
    let mut found = Vec::new();
    let targets = column_targets(&inputs.schema.tables, inputs.catalogue, inputs.matching);
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let table = &inputs.schema.tables[matched.source];
        for (position, fate) in matched.columns.iter().enumerate() {
            let evidence = &inputs.evidence[at].columns[position];
            let decision = &inputs.mapping.tables[at].columns[position];
            let name = &table.columns[position].name;
            let shown = format!("\"{}\".\"{}\"", table.name.escape_debug(), name.escape_debug());
            let skip = format!("--skip \"{}.{}\"", table.name.escape_debug(), name.escape_debug());
            if *fate == ColumnFate::Missing && evidence.not_null() > 0 {
                found.push(
                    Refusal::new(format!(
                        "Column {shown} has {} values that are not NULL, and the target has no such column.",
                        evidence.not_null()
                    ))
                    .hint(format!("Leave it out with {skip}, or name its place with --rename.")),
                );
            }
            let target = targets.get(&(table.name.clone(), position));
            let asked = target
                .filter(|_| decision.rule.file == TARGET)
                .and_then(|target| fill::question(target, evidence));
            if let Some(asked) = asked {
                let refusal =
                    Refusal::new(format!("Column {shown} cannot be filled: {}.", asked.text));
                found.push(match asked.rule {
                    Some((pg_type, convert)) => refusal.hint(format!(
                        "A line of a file for --type-map settles it: {},{},*,*,{},{convert},",
                        csv_cell(&table.name),
                        csv_cell(name),
                        csv_cell(&pg_type)
                    )),
                    None => refusal.hint(format!("Leave it out with {skip}.")),
                });
            }
        }
    }
    found
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// Builds the plan.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> TransferPlan {
    let catalogue = inputs.catalogue;
    let filled: Vec<usize> = inputs.matching.tables.iter().map(|matched| matched.target).collect();
    let emptied = load_order::truncated(catalogue, &filled, inputs.emptied);
    let entries = journal::entries(catalogue, &filled, &emptied, inputs.is_kept, inputs.earlier);
    // Cycles were refused before the values were looked at.
    let staying = load_order::staying(catalogue, inputs.matching);
    let order = load_order::order(filled.len(), &staying).unwrap_or_default();
    let sequences = sequences(inputs);
    let mut finish = restoring_steps(inputs, &entries);
    finish.extend(sequence_steps(inputs, &sequences));
    finish.extend(analyze_steps(inputs));
    finish.sort_by_key(|step| (step.phase, step.table));
    let evidence: Vec<&TableEvidence> = inputs.evidence.iter().collect();
    TransferPlan {
        schema: catalogue.schema.clone(),
        source_tz: inputs.zone.to_owned(),
        types: Vec::new(),
        tables: tables(inputs),
        ranges: load_order::arrange(ranges::in_order(&evidence), &order),
        finish,
        not_carried: leftovers::of_schema(inputs.schema, |_| true)
            .into_iter()
            .filter(|left| left.object == "virtual table")
            .collect(),
        widened: Vec::new(),
        unfit: unfit(inputs),
        notes: notes(inputs),
        fill: Some(FillPlan {
            before: before(catalogue, &entries, &emptied),
            journal: entries,
            search_path: search_path(&catalogue.schema),
            sequences: sequences.into_iter().flat_map(|(_, behind)| behind).collect(),
            order,
            merges: inputs.merges.to_vec(),
        }),
    }
}

fn search_path(schema: &str) -> String {
    // pg_catalog first: nothing of the database takes the place of what is built in.
    let public = if schema == "public" { String::new() } else { ", public".to_owned() };
    format!("pg_catalog, {}{public}", quoted(schema))
}

fn before(catalogue: &Catalogue, entries: &[JournalEntry], emptied: &[usize]) -> Vec<String> {
    let mut statements: Vec<String> =
        entries.iter().filter(|entry| entry.object != "index").map(|e| e.drop.clone()).collect();
    if !emptied.is_empty() {
        let tables: Vec<String> = emptied
            .iter()
            .map(|at| {
                let table = &catalogue.tables[*at];
                let only = if table.is_partitioned { "" } else { "ONLY " };
                format!("{only}{}", qualified(&catalogue.schema, &table.name))
            })
            .collect();
        statements.push(format!("TRUNCATE TABLE {}", tables.join(", ")));
    }
    let indexes = entries.iter().filter(|entry| entry.object == "index");
    statements.extend(indexes.map(|entry| entry.drop.clone()));
    statements
}

fn tables(inputs: &Inputs<'_>) -> Vec<TablePlan> {
    let mut tables = Vec::new();
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let table = &inputs.schema.tables[matched.source];
        let (evidence, mapping) = (&inputs.evidence[at], &inputs.mapping.tables[at]);
        let columns = loaded(matched).map(|position| {
            let (column, decision) = (&table.columns[position], &mapping.columns[position]);
            ColumnPlan {
                source: decision.source.clone(),
                readable: column.is_readable()
                    && evidence.columns[position].not_computable.is_none(),
                target: decision.target.clone(),
                pg_type: decision.pg_type,
                convert: decision.convert,
                labels: decision.labels.clone(),
                on_misfit: decision.on_misfit,
                demands: decision.demands.clone(),
            }
        });
        tables.push(TablePlan {
            source: table.name.clone(),
            target: mapping.target.clone(),
            rowid_name: table.rowid_name.clone(),
            columns: columns.collect(),
            create: String::new(),
            bare: None,
            optional: Vec::new(),
            rows: evidence.rows,
            copy_bytes: evidence.copy_bytes,
        });
    }
    tables
}

/// Positions of the source's columns that are copied.
pub fn loaded(matched: &MatchedTable) -> impl Iterator<Item = usize> {
    let fates = matched.columns.iter().enumerate();
    fates.filter(|(_, fate)| matches!(fate, ColumnFate::Into(_))).map(|(position, _)| position)
}

fn unfit(inputs: &Inputs<'_>) -> Vec<UnfitColumn> {
    let mut found = Vec::new();
    for (matched, mapping) in inputs.matching.tables.iter().zip(&inputs.mapping.tables) {
        for decision in loaded(matched).map(|position| &mapping.columns[position]) {
            found.extend(decision.unfit.iter().map(|unfit| UnfitColumn {
                table: mapping.source.clone(),
                column: decision.source.clone(),
                pg_type: decision.pg_type,
                rule: format!("{}:{}", decision.rule.file, decision.rule.line),
                unfit: unfit.clone(),
            }));
        }
    }
    found
}

fn notes(inputs: &Inputs<'_>) -> Vec<String> {
    let mut notes = inputs.notes.to_vec();
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let table = &inputs.schema.tables[matched.source];
        let mapping = &inputs.mapping.tables[at];
        for (position, fate) in matched.columns.iter().enumerate() {
            let decision = &mapping.columns[position];
            let values = inputs.evidence[at].columns[position].not_null();
            let name = format!("{}.{}", table.name.escape_debug(), decision.source.escape_debug());
            match fate {
                ColumnFate::Into(_) => {
                    notes.extend(decision.notes.iter().map(|note| format!("{name}: {note}")));
                }
                ColumnFate::Skipped => {
                    notes.push(format!("{name}: left out by --skip ({values} values)."));
                }
                ColumnFate::Unclear => {}
                ColumnFate::Generated => {
                    notes.push(format!("{name}: left out, the target computes it."));
                }
                ColumnFate::Missing => {
                    notes.push(format!(
                        "{name}: the target has no such column; it holds only NULL."
                    ));
                }
            }
        }
    }
    notes.extend(
        inputs.mapping.unused_rules.iter().map(|rule| {
            format!("Rule {} of type map \"{}\" decided nothing.", rule.line, rule.file)
        }),
    );
    notes.extend(inputs.schema.remarks.iter().cloned());
    notes
}

/// The steps that bring back what was taken away.
fn restoring_steps(inputs: &Inputs<'_>, entries: &[JournalEntry]) -> Vec<FinishStep> {
    let mut steps = Vec::new();
    for entry in entries {
        let step = |phase, sql: &str| FinishStep {
            phase,
            table: position_of(inputs, entry.relid),
            object: entry.object.clone(),
            name: entry.name.clone(),
            sql: sql.to_owned(),
            source_text: entry.definition.clone(),
            orphans_sql: None,
        };
        let phase = match entry.object.as_str() {
            "index" => Phase::Indexes,
            "trigger" => Phase::Triggers,
            _ => Phase::ForeignKeys,
        };
        steps.push(step(phase, &entry.restore));
        if let Some(sql) = &entry.validate {
            let orphans_sql = entry.orphans.clone();
            steps.push(FinishStep { orphans_sql, ..step(Phase::Validate, sql) });
        }
    }
    steps
}

/// The planned table that something belongs to; the first where it belongs to none of them.
fn position_of(inputs: &Inputs<'_>, relid: u32) -> usize {
    let is_of = |table: &TargetTable| {
        table.relid == relid
            || table.foreign_keys.iter().any(|key| key.relid == relid)
            || table.triggers.iter().any(|trigger| trigger.relid == relid)
    };
    let tables = &inputs.matching.tables;
    tables.iter().position(|matched| is_of(&inputs.catalogue.tables[matched.target])).unwrap_or(0)
}

type Behind = (TargetSequence, Vec<SequencePlan>);

/// Each sequence with the columns that it makes values for: it may serve several.
fn sequences(inputs: &Inputs<'_>) -> Vec<Behind> {
    let mut found: BTreeMap<(String, String), Behind> = BTreeMap::new();
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let there = &inputs.catalogue.tables[matched.target].columns;
        for fate in &matched.columns {
            let ColumnFate::Into(column) = fate else { continue };
            let column = &there[*column];
            let counts =
                column.pg_type.is_some_and(|t| t.is_integer() || matches!(t, PgType::Numeric(_)));
            for sequence in column.sequences.iter().filter(|_| counts) {
                let name = (sequence.schema.clone(), sequence.name.clone());
                let one = found.entry(name).or_insert_with(|| (sequence.clone(), Vec::new()));
                one.1.push(SequencePlan {
                    table: at,
                    column: column.name.clone(),
                    schema: sequence.schema.clone(),
                    name: sequence.name.clone(),
                });
            }
        }
    }
    found.into_values().collect()
}

fn sequence_steps(inputs: &Inputs<'_>, sequences: &[Behind]) -> Vec<FinishStep> {
    let step = |(sequence, behind): &Behind| FinishStep {
        phase: Phase::Sequences,
        table: behind.first().map_or(0, |first| first.table),
        object: "sequence".into(),
        name: sequence.name.clone(),
        sql: set_beyond(inputs, sequence, behind),
        source_text: String::new(),
        orphans_sql: None,
    };
    sequences.iter().map(step).collect()
}

/// Sets a sequence beyond the values of its columns and what SQLite ever gave out; never back. One
/// statement for all columns, so that two cannot overwrite each other. Returns the next value.
fn set_beyond(inputs: &Inputs<'_>, sequence: &TargetSequence, behind: &[SequencePlan]) -> String {
    let is_up = sequence.increment > 0;
    let (most, furthest, behind_of) =
        if is_up { ("max", "greatest", "<=") } else { ("min", "least", ">=") };
    let mut reached: Vec<String> = Vec::new();
    for plan in behind {
        let matched = &inputs.matching.tables[plan.table];
        let target = &inputs.catalogue.tables[matched.target];
        reached.push(format!(
            "(SELECT {most}({}) FROM {})::numeric",
            quoted(&plan.column),
            qualified(&inputs.catalogue.schema, &target.name)
        ));
        let source = &inputs.schema.tables[matched.source];
        let alias = source.rowid_alias.and_then(|alias| matched.columns.get(alias));
        let is_alias = matches!(alias, Some(ColumnFate::Into(at))
            if target.columns[*at].name == plan.column);
        if let Some(ever) = source.sequence.filter(|_| is_alias && is_up) {
            reached.push(format!("{ever}::numeric"));
        }
    }
    let name = qualified(&sequence.schema, &sequence.name);
    let increment = sequence.increment;
    format!(
        "SELECT least(greatest(CASE WHEN s.next {behind_of} r.reached \
         THEN setval({}::regclass, r.reached::bigint, true)::numeric + {increment} \
         ELSE s.next END, -9223372036854775808), 9223372036854775807)::bigint \
         FROM (SELECT {furthest}({}) AS reached) r, \
         (SELECT last_value::numeric + CASE WHEN is_called THEN {increment} ELSE 0 END AS next \
         FROM {name}) s",
        literal(&name),
        reached.join(", ")
    )
}

fn analyze_steps(inputs: &Inputs<'_>) -> Vec<FinishStep> {
    let mut steps = Vec::new();
    for (at, matched) in inputs.matching.tables.iter().enumerate() {
        let target = &inputs.catalogue.tables[matched.target];
        // For others the server only warns, and does nothing.
        if target.is_owned {
            steps.push(FinishStep {
                phase: Phase::Analyze,
                table: at,
                object: "statistics".into(),
                name: target.name.clone(),
                sql: ddl::analyze(&inputs.catalogue.schema, &target.name),
                source_text: String::new(),
                orphans_sql: None,
            });
        }
    }
    steps
}
