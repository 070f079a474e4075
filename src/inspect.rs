//! Looking: schema, values, decisions. What `inspect`, `--dry-run` and `transfer` have in common, so
//! that a dry run and a real run cannot decide differently.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wildmatch::WildMatch;

use crate::checkpoint::fingerprint::{Choices, Fingerprint};
use crate::encode::Zone;
use crate::error::{Error, Result};
use crate::event::{Cancel, Event, Listener, Stage};
use crate::introspect;
use crate::map::decide;
use crate::map::names::NameSpace;
use crate::map::rules::Rules;
use crate::map::suggest;
use crate::model::decision::{Decision, Mapping, TableMapping};
use crate::model::evidence::{Evidence, TableEvidence, ValueKind};
use crate::model::name_style::NameStyle;
use crate::model::plan::TransferPlan;
use crate::model::source::{SourceSchema, Table, TableKind};
use crate::model::target::{TargetSchema, find};
use crate::options::{DataOnly, FileCheck, InspectOptions, Selection};
use crate::plan::build::{self, Inputs};
use crate::plan::create_missing::UniqueSets;
use crate::plan::{follow_ups, script};
use crate::presets::{self, Presets};
use crate::read::{Patience, Snapshot, Source, integrity};
use crate::report::{
    DdlReport, Found, InspectColumn, InspectReport, InspectTable, InspectTarget, REPORT_VERSION,
    SchemaReport, SourceSummary,
};
use crate::type_maps;

/// A source that is open: one snapshot, its schema and what was selected of it.
pub struct Opened {
    /// The file.
    pub source: Source,
    /// Its path without symbolic links, by which runs are known.
    pub path: PathBuf,
    /// Connections, all on one state of it.
    pub snapshot: Snapshot,
    /// What the file and the options were when the snapshot was taken.
    pub fingerprint: Fingerprint,
    /// The schema.
    pub schema: SourceSchema,
    /// Positions of the selected tables in it.
    pub selected: Vec<usize>,
    /// The rules.
    pub rules: Rules,
    /// What was asked for with `--app`.
    pub presets: Presets,
    /// Zone of texts that name none.
    pub zone: Zone,
    /// How names are written in the target.
    pub names: NameStyle,
    /// Whether columns get their declared type as a comment.
    pub comments: bool,
    /// Whether to look for damage before the scan.
    pub check: FileCheck,
}

/// What was found in the values, and what was decided.
pub struct Looked {
    /// One per selected table.
    pub evidence: Vec<TableEvidence>,
    /// The decisions.
    pub mapping: Mapping,
    /// How long the scan took.
    pub took: Duration,
}

impl Opened {
    /// Returns the selected tables, in source order.
    #[must_use]
    pub fn tables(&self) -> Vec<&Table> {
        self.selected.iter().map(|position| &self.schema.tables[*position]).collect()
    }

    /// Returns the names that the selected tables get in the target: they follow from the schema
    /// alone, so what stands in their way is known before any row is read.
    #[must_use]
    pub fn target_names(&self) -> Vec<String> {
        let tables = self.tables();
        let sources: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        NameSpace::default().take_all(&sources, self.names)
    }

    /// Plans the transfer of what was looked at.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`] when PostgreSQL cannot have such a table.
    pub fn plan(
        &self,
        looked: &Looked,
        into: &str,
        taken: &BTreeSet<String>,
    ) -> Result<TransferPlan> {
        self.plan_beside(looked, into, taken, &[])
    }

    /// Plans the tables behind the first ones, which the target has, with what is unique in them.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_beside(
        &self,
        looked: &Looked,
        into: &str,
        taken: &BTreeSet<String>,
        there: &[UniqueSets],
    ) -> Result<TransferPlan> {
        let tables: Vec<(&Table, &TableEvidence)> =
            self.tables().into_iter().zip(&looked.evidence).collect();
        let inputs = Inputs {
            schema: &self.schema,
            tables: &tables,
            mapping: &looked.mapping,
            into,
            taken,
            zone: self.zone.name(),
            comments: self.comments,
            there,
        };
        build::plan(&inputs)
    }

    /// Says which application the source looks like, unless the user said so.
    #[must_use]
    pub fn looks_like(&self) -> Option<String> {
        if self.presets.all.is_empty() { presets::recognised(&self.schema) } else { None }
    }

    /// Returns the size of the file with its -wal.
    fn bytes(&self) -> u64 {
        self.fingerprint.bytes + self.fingerprint.wal_bytes
    }

    /// Describes the source for a report.
    #[must_use]
    pub fn summary(&self, rows: u64) -> SourceSummary {
        SourceSummary {
            path: self.source.path().display().to_string(),
            bytes: self.bytes(),
            tables: self.selected.len(),
            rows,
            encoding: self.schema.encoding.clone(),
            read_as: self.source.remark(),
        }
    }
}

/// `litelift inspect`; with `--to`, `target` is what [`introspect::postgres::target_schema`] found.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Usage`], interrupted.
pub fn run(
    options: &InspectOptions,
    target: Option<&TargetSchema>,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<InspectReport> {
    let opened = open(options, listener, cancel)?;
    let looked = look(&opened, options.jobs, listener, cancel)?;
    let plan = opened.plan(&looked, &options.into, &BTreeSet::new())?;
    let mut report = report(&opened, &looked, &plan, false);
    report.remarks.extend(opened.looks_like());
    if let Some(target) = target {
        set_beside(&mut report, target);
    }
    Ok(report)
}

/// `litelift schema`.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Usage`], interrupted.
pub fn schema(
    options: &InspectOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<SchemaReport> {
    crate::options::check_schema(&options.into)?;
    let opened = open(options, listener, cancel)?;
    let looked = look(&opened, options.jobs, listener, cancel)?;
    let plan = opened.plan(&looked, &options.into, &BTreeSet::new())?;
    Ok(SchemaReport {
        source: opened.summary(plan.tables.iter().map(|table| table.rows).sum()),
        statements: script::script(&plan),
        follow_ups: follow_ups::of_plan(&opened.schema, &plan),
    })
}

/// Opens the source: snapshot, schema, selection, rules. Reads no rows.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Usage`].
pub fn open(
    options: &InspectOptions,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Opened> {
    let presets = presets::load(&options.selection.apps)?;
    let rules = type_maps::load(&options.type_maps, &presets, options.data_only.is_some())?;
    let zone = zone(&options.type_maps.source_tz)?;
    let choices = Choices {
        only: options.selection.only.clone(),
        skip: options.selection.skip.clone(),
        zone: zone.name().to_owned(),
        rules: rules.canonical(),
        data_only: options.data_only.as_ref().map(DataOnly::choices),
        names: options.names,
        comments: options.comments,
        apps: presets.choices(),
    };
    // The fingerprint first: it must not open a file that SQLite has locked.
    let path = real_path(&options.from);
    let fingerprint = path.is_file().then(|| Fingerprint::take(&path, choices)).transpose();
    let source = Source::locate_with(&options.from, Patience::new(listener, cancel))?;
    refuse_empty(&options.from)?;
    // One more than there are jobs: reading the schema or counting is never in the way.
    let snapshot = Snapshot::open(&source, options.jobs + 1, listener, cancel)?;
    let mut fingerprint = settled(fingerprint?.unwrap_or_default(), &path);
    fingerprint.identity = Some(snapshot.with(introspect::sqlite::identity)?);
    let mut schema = snapshot.with(introspect::source_schema)?;
    let chosen: BTreeSet<String> =
        selected(&schema, &options.selection, &presets, options.data_only.is_some())?
            .iter()
            .map(|table| table.name.clone())
            .collect();
    let positions = (0..schema.tables.len())
        .filter(|position| chosen.contains(&schema.tables[*position].name))
        .collect();
    schema.remarks.extend(presets.left_out(&schema, &options.selection.only));
    Ok(Opened {
        source,
        path,
        snapshot,
        fingerprint,
        schema,
        selected: positions,
        rules,
        presets,
        zone,
        names: options.names,
        comments: options.comments,
        check: options.check,
    })
}

/// Reads `--source-tz`.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] when there is no such zone.
pub fn zone(name: &str) -> Result<Zone> {
    Zone::named(name).ok_or_else(|| {
        Error::usage(format!("--source-tz \"{}\" is no time zone", name.escape_debug()))
            .hint("Give UTC, an offset such as +02:00, or a name such as Europe/Paris.")
    })
}

/// Refuses a file of 0 bytes. SQLite takes it for a database without tables, but nobody means to move
/// one: the path is wrong, or the program that made it never wrote to it.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`].
pub fn refuse_empty(file: &Path) -> Result<()> {
    if std::fs::metadata(file).is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    Err(Error::source_file(format!("\"{}\" has 0 bytes", file.display()))
        .detail("Programs make such a file when they are given a wrong path.")
        .hint("Check the path."))
}

/// Returns the path without symbolic links and `..`; as given when there is no such file.
#[must_use]
pub fn real_path(file: &Path) -> PathBuf {
    std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

/// Marks the fingerprint of a file that was written while it was opened: it then compares equal to
/// no other, and a stopped transfer begins again rather than mixing two states.
fn settled(mut fingerprint: Fingerprint, file: &Path) -> Fingerprint {
    if !fingerprint.is_still(file) {
        fingerprint.header = format!("written while it was opened ({:?})", Instant::now());
    }
    fingerprint
}

/// Returns the selected tables. A pattern that selects nothing is an error: a typo must not pass. With
/// `with_columns` a pattern of `--skip` may also be one of `table.column`. Presets leave out what
/// they name, except what the user names himself.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`].
pub fn selected<'a>(
    schema: &'a SourceSchema,
    selection: &Selection,
    presets: &Presets,
    with_columns: bool,
) -> Result<Vec<&'a Table>> {
    let globs = |patterns: &[String]| -> Vec<WildMatch> {
        patterns.iter().map(|pattern| WildMatch::new_case_insensitive(pattern)).collect()
    };
    let (only, skip) = (globs(&selection.only), globs(&selection.skip));
    for (flag, patterns, globs) in
        [("--only", &selection.only, &only), ("--skip", &selection.skip, &skip)]
    {
        for (pattern, glob) in patterns.iter().zip(globs) {
            let names = schema.tables.iter().map(|table| &table.name);
            let unreadable = schema.unreadable.iter().map(|table| &table.name);
            let is_column = || flag == "--skip" && with_columns && is_column(schema, glob);
            if !names.chain(unreadable).any(|name| glob.matches(name)) && !is_column() {
                return Err(Error::usage(format!(
                    "{flag} \"{}\" is the name of no table",
                    pattern.escape_debug()
                ))
                .hint("`litelift inspect` lists the tables."));
            }
        }
    }
    Ok(schema
        .tables
        .iter()
        .filter(|table| only.is_empty() || only.iter().any(|glob| glob.matches(&table.name)))
        .filter(|table| !skip.iter().any(|glob| glob.matches(&table.name)))
        .filter(|table| !presets::is_left_out(presets, table, &selection.only))
        .collect())
}

fn is_column(schema: &SourceSchema, glob: &WildMatch) -> bool {
    let is_in = |table: &Table| {
        let mut columns = table.columns.iter();
        columns.any(|column| glob.matches(&format!("{}.{}", table.name, column.name)))
    };
    schema.tables.iter().any(is_in)
}

/// Looks for damage, as far as that was asked for.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the damaged tables; interrupted.
pub fn check_file(opened: &Opened, listener: &Arc<dyn Listener>, cancel: &Cancel) -> Result<()> {
    let (path, bytes) = (opened.source.path().to_string_lossy(), opened.bytes());
    let (snapshot, tables) = (&opened.snapshot, opened.tables());
    integrity::check(snapshot, opened.check, &path, bytes, &tables, listener, cancel)
}

/// Scans every value of the selected tables and decides.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`], interrupted.
pub fn look(
    opened: &Opened,
    jobs: usize,
    listener: &Arc<dyn Listener>,
    cancel: &Cancel,
) -> Result<Looked> {
    let begun = Instant::now();
    check_file(opened, listener, cancel)?;
    let tables = opened.tables();
    listener.on(Event::StageStarted { stage: Stage::Inspect, work: 0, rows: 0 });
    let evidence = introspect::profile::profile(
        &opened.snapshot,
        &tables,
        &opened.rules,
        jobs,
        listener.as_ref(),
        cancel,
    )?;
    let pairs: Vec<(&Table, &TableEvidence)> = tables.into_iter().zip(&evidence).collect();
    let mut mapping = decide::propose(&pairs, &opened.rules, opened.names);
    let unproven = decide::unproven(&pairs, &mapping);
    let checked = introspect::check::check(
        &opened.snapshot,
        &opened.tables(),
        &mapping,
        &unproven,
        &opened.zone,
        jobs,
        cancel,
    )?;
    let attempt = |at: decide::Unproven, decision: &Decision| {
        let (table, column) = at;
        let (snapshot, table) = (&opened.snapshot, pairs[table].0);
        introspect::check::column(snapshot, table, column, decision, &opened.zone, cancel)
    };
    decide::settle(&pairs, &mut mapping, &checked, &attempt)?;
    listener.on(Event::StageEnded { stage: Stage::Inspect });
    Ok(Looked { evidence, mapping, took: begun.elapsed() })
}

/// Puts the type report together.
#[must_use]
pub fn report(
    opened: &Opened,
    looked: &Looked,
    plan: &TransferPlan,
    with_ddl: bool,
) -> InspectReport {
    let tables: Vec<InspectTable> = opened
        .tables()
        .into_iter()
        .zip(looked.evidence.iter().zip(&looked.mapping.tables))
        .map(|(table, (evidence, mapping))| table_report(table, evidence, mapping, &opened.rules))
        .collect();
    let rows = tables.iter().map(|table| table.rows).sum();
    let pairs: Vec<(&Table, &TableEvidence)> =
        opened.tables().into_iter().zip(&looked.evidence).collect();
    let mut report = InspectReport {
        would_refuse: None,
        notes: Vec::new(),
        version: REPORT_VERSION,
        source: opened.summary(rows),
        target: None,
        tables,
        suggestions: suggest::suggestions(&opened.schema, &pairs, &looked.mapping, &opened.rules),
        not_carried: plan.not_carried.clone(),
        renamed: looked.mapping.renamed.clone(),
        unused_rules: looked.mapping.unused_rules.clone(),
        remarks: {
            let of_schema = opened.schema.remarks.iter().cloned();
            of_schema.chain(opened.snapshot.remarks()).collect()
        },
        attention: 0,
        ddl: with_ddl.then(|| DdlReport {
            before: {
                let types = plan.types.iter().map(|made| &made.create);
                types.chain(plan.tables.iter().map(|table| &table.create)).cloned().collect()
            },
            after: plan.finish.iter().map(|step| step.sql.clone()).collect(),
        }),
        follow_ups: follow_ups::of_plan(&opened.schema, plan),
    };
    report.attention = report.needing_attention().len();
    report
}

/// Sets the target's types beside those that the columns would get.
fn set_beside(report: &mut InspectReport, target: &TargetSchema) {
    let mut tables = 0;
    for table in &mut report.tables {
        let Some(there) = target.table(&table.target) else { continue };
        tables += 1;
        for column in &mut table.columns {
            column.target_type = find(there, &column.target).cloned();
        }
    }
    let columns = report.tables.iter().flat_map(|table| &table.columns);
    report.target = Some(InspectTarget {
        shown: target.shown.clone(),
        version: target.version.clone(),
        schema: target.name.clone(),
        schema_exists: target.exists,
        tables,
        differing: columns.filter(|column| column.differs_from_target()).count(),
    });
}

fn table_report(
    table: &Table,
    evidence: &TableEvidence,
    mapping: &TableMapping,
    rules: &Rules,
) -> InspectTable {
    let columns = table.columns.iter().zip(&evidence.columns).zip(&mapping.columns);
    InspectTable {
        source: table.name.clone(),
        target: mapping.target.clone(),
        kind: match &table.kind {
            TableKind::Ordinary => "table".to_owned(),
            TableKind::WithoutRowid => "without rowid".to_owned(),
            TableKind::Virtual { module } => format!("virtual ({module})"),
        },
        rows: evidence.rows,
        columns: columns
            .map(|((column, evidence), decision)| InspectColumn {
                source: decision.source.clone(),
                target: decision.target.clone(),
                declared: column.declared.clone(),
                found: found(evidence),
                becomes: decision.pg_type,
                convert: decision.on_misfit.join(decision.convert.name()),
                not_null: decision.not_null,
                target_type: None,
                rule: decision.rule.clone(),
                rule_is_users: rules.is_of_user(&decision.rule),
                widened: decision.widened.clone(),
                unfit: decision.unfit.clone(),
                notes: decision.notes.clone(),
            })
            .collect(),
    }
}

/// Sums the kinds that have the same word, most frequent first, NULL last. 0 and 1 are integers like
/// any others where there are others.
fn found(evidence: &Evidence) -> Vec<Found> {
    let is_other = |kind: ValueKind| kind.is_integer() && kind != ValueKind::IntegerBool;
    let has_others = evidence.sum(is_other) > 0;
    let mut found: Vec<Found> = Vec::new();
    for kind in ValueKind::ALL {
        let count = evidence.count(kind);
        if count == 0 {
            continue;
        }
        let shown = match kind {
            ValueKind::IntegerBool if has_others => ValueKind::Integer16.shown(),
            other => other.shown(),
        };
        let example = evidence.examples.get(kind as usize).cloned().flatten();
        match found.iter_mut().find(|other| other.kind == shown) {
            Some(other) => other.count += count,
            None => found.push(Found { kind: shown.to_owned(), count, example }),
        }
    }
    found.sort_by_key(|found| {
        (found.kind == ValueKind::Null.shown(), std::cmp::Reverse(found.count))
    });
    found
}
