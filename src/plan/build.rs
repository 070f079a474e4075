//! The plan of a whole transfer.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::map::expr::Relation;
use crate::map::names::NameSpace;
use crate::model::decision::Mapping;
use crate::model::evidence::TableEvidence;
use crate::model::pg_type::{EnumName, PgType};
use crate::model::plan::{
    ColumnPlan, FinishStep, NotCarried, OptionalClause, Phase, TablePlan, TransferPlan, TypePlan,
    UnfitColumn, WidenedColumn,
};
use crate::model::source::{SourceSchema, Table};

use super::checks::{self, Checks};
use super::create_missing::UniqueSets;
use super::ddl::{self, ColumnDdl};
use super::default::{self, DefaultPlan};
use super::keys::{self, TableParts};
use super::{comments, generated, leftovers, ranges, views};

/// Most columns that a PostgreSQL table can have (`MaxHeapAttributeNumber`).
const COLUMNS_MAX: usize = 1600;

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The source's schema.
    pub schema: &'a SourceSchema,
    /// The selected tables with what the scan found, in source order.
    pub tables: &'a [(&'a Table, &'a TableEvidence)],
    /// The decisions, one per selected table.
    pub mapping: &'a Mapping,
    /// Schema in the target.
    pub into: &'a str,
    /// Names of relations and types that the target schema has already.
    pub taken: &'a BTreeSet<String>,
    /// Zone of texts that name none.
    pub zone: &'a str,
    /// Whether columns get their declared type as a comment.
    pub comments: bool,
    /// The first of the tables, so many, are the target's own, with what is unique in them: foreign keys
    /// may point there, and nothing else is planned for them. Views are then left out.
    pub there: &'a [UniqueSets],
}

/// Builds the plan.
///
/// # Errors
/// [`ErrorKind::Source`] when a table has more columns than PostgreSQL can have;
/// [`ErrorKind::Usage`] when an enum type is called as a table is.
pub fn plan(inputs: &Inputs<'_>) -> Result<TransferPlan> {
    let parts: Vec<TableParts<'_>> = inputs
        .tables
        .iter()
        .zip(&inputs.mapping.tables)
        .enumerate()
        .map(|(position, ((table, evidence), mapping))| TableParts {
            position,
            table,
            mapping,
            evidence,
        })
        .collect();
    let mut relations = NameSpace::default();
    for part in &parts {
        relations.take(&part.mapping.target);
    }
    for name in inputs.taken {
        relations.take(name);
    }
    let views = views::names(inputs.schema, &mut relations, inputs.mapping.names);
    let mut not_carried = Vec::new();
    let keys = keys::plan(inputs, &parts, &mut relations);
    let made = &parts[inputs.there.len().min(parts.len())..];
    let mut finish = keys.steps;
    let mut tables = Vec::with_capacity(made.len());
    let mut translated = Vec::new();
    for part in made {
        tables.push(table_plan(
            inputs,
            part,
            &mut relations,
            &mut finish,
            &mut not_carried,
            &mut translated,
        )?);
        not_carried.extend(leftovers::of_table(part.table));
        let mut others = expressions_of(inputs, part, &finish);
        finish.append(&mut others.steps);
        not_carried.append(&mut others.not_carried);
        translated.append(&mut others.notes);
    }
    not_carried.extend(keys.not_carried);
    if inputs.there.is_empty() {
        let mut views = views::plan(
            inputs.schema,
            relations_of(inputs, &parts),
            &views,
            (inputs.into, inputs.mapping.names),
        );
        finish.append(&mut views.steps);
        not_carried.append(&mut views.not_carried);
        translated.append(&mut views.notes);
    }
    let selected = |name: &str| made.iter().any(|part| part.table.name.eq_ignore_ascii_case(name));
    not_carried.extend(leftovers::of_schema(inputs.schema, |_| true).into_iter().filter(|left| {
        // A trigger of a table that was left out on purpose is left out with it.
        left.object != "trigger"
            || left.table.as_deref().is_none_or(|table| {
                let is_of_view = inputs.schema.table(table).is_none();
                selected(table) || is_of_view && inputs.there.is_empty()
            })
    }));
    finish.sort_by_key(|step| (step.phase, step.table));
    let types = types(inputs, made);
    refuse_enum_named_as_table(&types, &tables)?;
    let evidence: Vec<&TableEvidence> = parts.iter().map(|part| part.evidence).collect();
    Ok(TransferPlan {
        schema: inputs.into.to_owned(),
        source_tz: inputs.zone.to_owned(),
        types,
        tables,
        ranges: ranges::in_order(&evidence),
        finish,
        not_carried,
        widened: widened(made),
        unfit: unfit(made),
        notes: notes(inputs, made, keys.notes).into_iter().chain(translated).collect(),
        fill: None,
    })
}

/// The tables as expressions see them.
fn relations_of(inputs: &Inputs<'_>, parts: &[TableParts<'_>]) -> Vec<Relation> {
    let relation = |part: &TableParts<'_>| {
        Relation::of_table(part.table, part.mapping, part.evidence)
            .stored_as(inputs.into, &part.mapping.target)
    };
    parts.iter().map(relation).collect()
}

/// CHECKs and generated columns of a table; `finish` holds its keys.
fn expressions_of(inputs: &Inputs<'_>, part: &TableParts<'_>, finish: &[FinishStep]) -> Checks {
    let relation = Relation::of_table(part.table, part.mapping, part.evidence);
    let encoding = &inputs.schema.encoding;
    let mut constraints = NameSpace::default();
    let is_constraint = |step: &&FinishStep| {
        step.table == part.position && matches!(step.phase, Phase::Keys | Phase::ForeignKeys)
    };
    for step in finish.iter().filter(is_constraint) {
        constraints.take(&step.name);
    }
    let mut all = checks::plan(
        part,
        &relation,
        inputs.into,
        encoding,
        &mut constraints,
        inputs.mapping.names,
    );
    let generated = generated::plan(part, &relation, inputs.into, encoding);
    all.steps.extend(generated.steps);
    all.not_carried.extend(generated.not_carried);
    all.notes.extend(generated.notes);
    let of_table = |note| format!("{}: {note}", part.table.name.escape_debug());
    all.notes = all.notes.into_iter().map(of_table).collect();
    all
}

fn widened(parts: &[TableParts<'_>]) -> Vec<WidenedColumn> {
    let mut widened = Vec::new();
    for part in parts {
        for (column, decision) in part.table.columns.iter().zip(&part.mapping.columns) {
            if let Some(widening) = &decision.widened {
                widened.push(WidenedColumn {
                    table: part.table.name.clone(),
                    column: decision.source.clone(),
                    declared: column.declared.clone(),
                    becomes: decision.pg_type,
                    widening: widening.clone(),
                });
            }
        }
    }
    widened
}

fn unfit(parts: &[TableParts<'_>]) -> Vec<UnfitColumn> {
    let mut found = Vec::new();
    for part in parts {
        for decision in &part.mapping.columns {
            found.extend(decision.unfit.iter().map(|unfit| UnfitColumn {
                table: part.table.name.clone(),
                column: decision.source.clone(),
                pg_type: decision.pg_type,
                rule: format!("{}:{}", decision.rule.file, decision.rule.line),
                unfit: unfit.clone(),
            }));
        }
    }
    found
}

/// Notes of columns, changed names, unused rules and oddities of the source's schema.
fn notes(inputs: &Inputs<'_>, parts: &[TableParts<'_>], of_keys: Vec<String>) -> Vec<String> {
    let mut notes = inputs.mapping.renamed.clone();
    notes.extend(of_keys);
    for part in parts {
        for decision in &part.mapping.columns {
            let name =
                format!("{}.{}", part.table.name.escape_debug(), decision.source.escape_debug());
            notes.extend(decision.notes.iter().map(|note| format!("{name}: {note}")));
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

/// PostgreSQL makes a type of each table, so an enum type cannot have a table's name.
fn refuse_enum_named_as_table(types: &[TypePlan], tables: &[TablePlan]) -> Result<()> {
    let tables: BTreeSet<&str> = tables.iter().map(|table| table.target.as_str()).collect();
    match types.iter().find(|made| tables.contains(made.name.as_str())) {
        None => Ok(()),
        Some(made) => Err(Error::usage(format!(
            "the type map calls an enum type \"{}\", and so is a table called",
            made.name.escape_debug()
        ))
        .detail("PostgreSQL has a type of its own for each table.")
        .hint("Give the rule another name, as enum(NAME).")),
    }
}

/// The enum types that columns still have after all were decided.
fn types(inputs: &Inputs<'_>, parts: &[TableParts<'_>]) -> Vec<TypePlan> {
    let columns = parts.iter().flat_map(|part| &part.mapping.columns);
    let used: BTreeSet<EnumName> = columns
        .filter_map(|decision| match decision.pg_type {
            PgType::Enum(name) => Some(name),
            _ => None,
        })
        .collect();
    used.into_iter()
        .map(|name| {
            let labels = inputs.mapping.enums.get(&name).map_or(&[][..], Vec::as_slice);
            TypePlan {
                name: name.as_str().to_owned(),
                create: ddl::create_enum(inputs.into, name.as_str(), labels),
            }
        })
        .collect()
}

fn table_plan(
    inputs: &Inputs<'_>,
    part: &TableParts<'_>,
    relations: &mut NameSpace,
    finish: &mut Vec<FinishStep>,
    not_carried: &mut Vec<NotCarried>,
    notes: &mut Vec<String>,
) -> Result<TablePlan> {
    let (into, table) = (inputs.into, part.table);
    if table.columns.len() > COLUMNS_MAX {
        return Err(too_many_columns(table));
    }
    let columns = column_plans(part);
    let mut lines = Vec::with_capacity(columns.len());
    for (position, column) in columns.iter().enumerate() {
        let decision = &part.mapping.columns[position];
        let identity = identity(part, position, relations, not_carried);
        let labels = match decision.pg_type {
            PgType::Enum(name) => inputs.mapping.enums.get(&name).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let default = match default::fitted(
            &table.columns[position],
            column,
            labels,
            &inputs.schema.encoding,
        ) {
            // SQLite fills the rowid by itself, whatever DEFAULT says.
            _ if table.rowid_alias == Some(position) => None,
            DefaultPlan::Absent => None,
            DefaultPlan::Sql(sql) => Some(sql),
            DefaultPlan::Expression(made) => {
                let name =
                    format!("{}.{}", table.name.escape_debug(), decision.source.escape_debug());
                notes.extend(made.notes.iter().map(|note| format!("{name}: {note}")));
                Some(made.sql)
            }
            DefaultPlan::NotCarried(reason) => {
                not_carried.push(NotCarried {
                    object: "default".into(),
                    table: Some(table.name.clone()),
                    name: decision.source.clone(),
                    reason,
                    source_text: format!(
                        "DEFAULT {}",
                        table.columns[position].default.as_deref().unwrap_or_default()
                    ),
                });
                None
            }
        };
        if identity.is_some() {
            finish.push(sequence_step(into, part, &decision.target));
        }
        lines.push(ColumnDdl { decision, identity, default });
    }
    finish.extend(inputs.comments.then(|| comments::step(into, part)).flatten());
    finish.push(analyze_step(into, part));
    let create = ddl::create_table(into, &part.mapping.target, &lines);
    let (bare, optional) = without_optional(into, part, lines);
    Ok(TablePlan {
        source: table.name.clone(),
        target: part.mapping.target.clone(),
        rowid_name: table.rowid_name.clone(),
        create,
        bare,
        optional,
        columns,
        rows: part.evidence.rows,
        copy_bytes: part.evidence.copy_bytes,
    })
}

/// The table without its defaults, and what adds them, for a server that refuses one of them.
fn without_optional(
    into: &str,
    part: &TableParts<'_>,
    mut lines: Vec<ColumnDdl<'_>>,
) -> (Option<String>, Vec<OptionalClause>) {
    let mut optional = Vec::new();
    for (line, column) in lines.iter_mut().zip(&part.table.columns) {
        let Some(default) = line.default.take() else { continue };
        optional.push(OptionalClause {
            object: "default".into(),
            name: column.name.clone(),
            sql: ddl::set_default(into, &part.mapping.target, &line.decision.target, &default),
            source_text: format!("DEFAULT {}", column.default.as_deref().unwrap_or_default()),
        });
    }
    let bare =
        (!optional.is_empty()).then(|| ddl::create_table(into, &part.mapping.target, &lines));
    (bare, optional)
}

fn column_plans(part: &TableParts<'_>) -> Vec<ColumnPlan> {
    let columns = part.table.columns.iter().zip(&part.evidence.columns);
    columns
        .zip(&part.mapping.columns)
        .map(|((column, evidence), decision)| ColumnPlan {
            source: decision.source.clone(),
            readable: column.is_readable() && evidence.not_computable.is_none(),
            target: decision.target.clone(),
            pg_type: decision.pg_type,
            convert: decision.convert,
            labels: decision.labels.clone(),
            on_misfit: decision.on_misfit,
            demands: decision.demands.clone(),
        })
        .collect()
}

/// Takes a name for the sequence when the column is the rowid's alias.
fn identity(
    part: &TableParts<'_>,
    position: usize,
    relations: &mut NameSpace,
    not_carried: &mut Vec<NotCarried>,
) -> Option<String> {
    if part.table.rowid_alias != Some(position) {
        return None;
    }
    let decision = &part.mapping.columns[position];
    if decision.pg_type.is_integer() {
        return Some(relations.take(&format!("{}_{}_seq", part.mapping.target, decision.target)));
    }
    not_carried.push(NotCarried {
        object: "automatic id".into(),
        table: Some(part.table.name.clone()),
        name: decision.source.clone(),
        reason: format!("the column becomes {}, which cannot count", decision.pg_type),
        source_text: "INTEGER PRIMARY KEY".into(),
    });
    None
}

fn sequence_step(into: &str, part: &TableParts<'_>, column: &str) -> FinishStep {
    FinishStep {
        phase: Phase::Sequences,
        table: part.position,
        object: "sequence".into(),
        name: column.to_owned(),
        sql: ddl::set_sequence(into, &part.mapping.target, column, part.table.sequence),
        source_text: "INTEGER PRIMARY KEY".into(),
        orphans_sql: None,
    }
}

fn analyze_step(into: &str, part: &TableParts<'_>) -> FinishStep {
    FinishStep {
        phase: Phase::Analyze,
        table: part.position,
        object: "statistics".into(),
        name: part.mapping.target.clone(),
        sql: ddl::analyze(into, &part.mapping.target),
        source_text: String::new(),
        orphans_sql: None,
    }
}

fn too_many_columns(table: &Table) -> Error {
    Error::new(
        ErrorKind::Source,
        format!("table \"{}\" has too many columns", table.name.escape_debug()),
    )
    .detail(format!("It has {}; a PostgreSQL table can have {COLUMNS_MAX}.", table.columns.len()))
    .hint("Leave the table out with --skip, or split it in the source.")
}
