//! The comparison of a plan's tables, at any level: after a transfer, and for `litelift verify`.

use std::sync::Arc;

use crate::checkpoint::{resent, store};
use crate::connect::{Session, Target};
use crate::encode::Zone;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Cancel, Listener};
use crate::introspect::postgres::catalogue;
use crate::model::catalogue::Catalogue;
use crate::model::mark::Mark;
use crate::model::plan::TransferPlan;
use crate::model::source::SourceSchema;
use crate::read::Snapshot;
use crate::report::{SyncedTable, VerifyLevel, VerifyReport};
use crate::sync::repair::Repair;

use super::counts::{self, Pair};
use super::difference_lines::DifferenceLines;
use super::hashes;
use super::prepare::{self, Outcome};
use super::rule::{self, How};
use super::subject::Subject;
use super::{sequences, state};

/// Rows of each kind that are shown of a table, unless the user says otherwise.
pub const SHOWN_MAX: u64 = 10;

/// What is compared with what, and how deep.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// Connections to the source, on one state.
    pub snapshot: &'a Snapshot,
    /// Its schema.
    pub schema: &'a SourceSchema,
    /// Zone of texts that name none.
    pub zone: &'a Zone,
    /// Sessions with the target: two more than jobs.
    pub target: &'a Target,
    /// Schema in the target.
    pub into: &'a str,
    /// How deep.
    pub level: VerifyLevel,
    /// Threads, and sessions of the target.
    pub jobs: usize,
    /// Rows of each kind that are shown of a table.
    pub shown_max: u64,
    /// Whether values stay out of what is shown and written.
    pub redact: bool,
    /// Takes every row that differs, a JSON document a line.
    pub lines: Option<&'a DifferenceLines>,
    /// Whether what differs is made the same.
    pub repair: bool,
    /// Who is told.
    pub listener: &'a Arc<dyn Listener>,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

/// Reads what a run did with rows that are not simply there. `marks` are its ranges; with `is_same_source` what
/// they kept of the values takes the place of the source's.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub async fn outcome(
    session: &Session,
    run: i64,
    plan: &TransferPlan,
    marks: Vec<Mark>,
    is_same_source: bool,
) -> Result<Outcome> {
    let mut merged = counts::merged_rows(plan, &marks);
    if plan.fill.is_none() {
        merged.clear();
    }
    Ok(Outcome {
        rejected: store::rejected(session, run).await?,
        resent: resent::counts(session, run).await?.into_iter().collect(),
        merged,
        marks: is_same_source.then_some(marks),
    })
}

/// What became of the rows of a run that the target knows nothing of.
#[must_use]
pub fn outcome_of(plan: &TransferPlan, marks: Vec<Mark>) -> Outcome {
    let mut merged = counts::merged_rows(plan, &marks);
    if plan.fill.is_none() {
        merged.clear();
    }
    Outcome {
        rejected: store::rejected_of(&marks),
        resent: Default::default(),
        merged,
        marks: Some(marks),
    }
}

impl Comparison<'_> {
    /// Compares the tables of a plan, where there is one, that `is_wanted` takes by their names in the source;
    /// beside them `counted` ones, of which it knows nothing.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Source`], [`crate::error::ErrorKind::Target`], interrupted.
    pub async fn run(
        &self,
        planned: Option<(&TransferPlan, &Outcome)>,
        is_wanted: &dyn Fn(&str) -> bool,
        counted: Vec<Pair>,
    ) -> Result<VerifyReport> {
        let session = self.target.session().await?;
        let catalogue = catalogue::read(&session, self.into).await?;
        drop(session);
        let mut prepared = match planned {
            Some((plan, outcome)) => {
                prepare::of_plan(plan, self.schema, &catalogue, outcome, is_wanted)
            }
            None => prepare::Prepared::default(),
        };
        let counted = counted.into_iter().map(|pair| Subject::counted(pair, "no run planned it"));
        prepared.subjects.extend(counted);
        let mut report = self.of_subjects(&prepared.subjects).await?;
        if self.repair && report.differing() > 0 {
            let repaired = self.repair(&prepared.subjects, &report, &catalogue).await?;
            // The rows that differed are in the file already.
            report = Self { lines: None, ..*self }.of_subjects(&prepared.subjects).await?;
            report.repaired = repaired;
        }
        if self.level != VerifyLevel::Counts {
            report.explained = prepared.explained;
            report.not_compared.extend(prepared.not_compared);
            report.unsound.extend(prepared.unsound);
        }
        self.look_at_the_rest(&catalogue, &prepared.subjects, &mut report).await?;
        Ok(report)
    }

    /// Makes the tables that differ the same again, as far as their values are compared.
    async fn repair(
        &self,
        subjects: &[Subject],
        report: &VerifyReport,
        catalogue: &Catalogue,
    ) -> Result<Vec<SyncedTable>> {
        let session = self.target.session().await?;
        let how = rule::ask(&session).await.map_or(How::ReadBack, How::Hashed);
        drop(session);
        let differs = |subject: &&Subject| {
            let table = report.tables.iter().find(|table| table.source == subject.pair.source);
            table.is_some_and(|table| !table.equal())
        };
        let differing: Vec<&Subject> = subjects.iter().filter(differs).collect();
        if let Some(merged) = differing.iter().find(|subject| subject.pair.merged.is_some()) {
            let table = merged.pair.source.escape_debug();
            return Err(Error::new(
                ErrorKind::TargetState,
                format!("table \"{table}\" cannot be repaired: it had rows of its own before"),
            )
            .hint(format!("Leave it out with --skip \"{table}\".")));
        }
        let repair = Repair {
            snapshot: self.snapshot,
            zone: self.zone,
            target: self.target,
            catalogue,
            how,
            listener: self.listener.as_ref(),
            cancel: self.cancel,
        };
        let to_do: Vec<&Subject> =
            differing.into_iter().filter(|subject| subject.is_compared()).collect();
        repair.run(&to_do).await
    }

    async fn of_subjects(&self, subjects: &[Subject]) -> Result<VerifyReport> {
        if self.level == VerifyLevel::Counts {
            let pairs: Vec<Pair> = subjects.iter().map(|subject| subject.pair.clone()).collect();
            let Self { snapshot, target, into, listener, cancel, .. } = *self;
            return counts::compare(snapshot, target, into, &pairs, listener, cancel).await;
        }
        hashes::compare(self, subjects).await
    }

    /// Sequences, indexes and constraints of the tables that were compared.
    async fn look_at_the_rest(
        &self,
        catalogue: &Catalogue,
        subjects: &[Subject],
        report: &mut VerifyReport,
    ) -> Result<()> {
        let session = self.target.session().await?;
        let tables: Vec<_> =
            subjects.iter().filter_map(|subject| catalogue.table(&subject.pair.target)).collect();
        let (behind, unread) = sequences::check(&session, self.into, &tables).await?;
        report.sequences_behind = behind;
        report.not_compared.extend(unread);
        report.unsound.extend(state::check(&session, &tables).await?);
        Ok(())
    }
}
