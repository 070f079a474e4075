//! Puts the report of a transfer together while it goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::checkpoint::store::StepOutcome;
use crate::connect::Target;
use crate::copy::TableTimes;
use crate::finish::run::Finished;
use crate::inspect::Opened;
use crate::model::mark::Mark;
use crate::model::plan::{FinishStep, Phase};
use crate::plan::follow_ups;
use crate::report::{
    NotAsBefore, Orphans, Outcome, REPORT_VERSION, Refused, RejectedRows, StepReport, TableReport,
    TransferReport, VerifyReport,
};
use crate::verify::counts;

use super::begin::Begun;

/// What is known so far.
pub(super) struct Account<'a> {
    begun: &'a Begun,
    report: TransferReport,
    /// Rows that the ranges of each table left out, those that were sent since included.
    left_out_at_first: BTreeMap<usize, u64>,
}

impl<'a> Account<'a> {
    pub(super) fn new(target: &Target, opened: &Opened, begun: &'a Begun) -> Self {
        let plan = &begun.plan;
        let mut report = TransferReport {
            version: REPORT_VERSION,
            outcome: if begun.is_continued { Outcome::Continued } else { Outcome::Transferred },
            source: opened.summary(plan.tables.iter().map(|table| table.rows).sum()),
            target: target.shown.clone(),
            target_version: target.version.clone(),
            schema: plan.schema.clone(),
            run: begun.run,
            finished_at: begun.finished_at.clone(),
            tables: plan
                .tables
                .iter()
                .map(|table| TableReport {
                    source: table.source.clone(),
                    target: table.target.clone(),
                    rows: 0,
                    rejected: 0,
                    rows_before: 0,
                    merged: None,
                    copy_bytes: 0,
                    copy_s: 0.0,
                    indexes: 0,
                    foreign_keys: 0,
                    identity_next: None,
                    finish_s: 0.0,
                })
                .collect(),
            steps: Vec::new(),
            widened: plan.widened.clone(),
            rejected: Vec::new(),
            resent: None,
            unfit: plan.unfit.clone(),
            notes: plan.notes.clone(),
            not_carried: plan.not_carried.clone(),
            refused: Vec::new(),
            orphans: Vec::new(),
            not_as_before: Vec::new(),
            verify: None,
            follow_ups: follow_ups::of_plan(&opened.schema, plan),
        };
        for (table, refused) in &begun.refused {
            let Some(table) = plan.tables.get(*table) else { continue };
            report.refused.push(Refused {
                object: refused.clause.object.clone(),
                table: table.target.clone(),
                name: refused.clause.name.clone(),
                statement: refused.clause.sql.clone(),
                message: refused.message.clone(),
                source_text: refused.clause.source_text.clone(),
            });
            report.follow_ups.push(follow_ups::of_refused_clause(
                table,
                &refused.clause,
                &refused.message,
            ));
        }
        for mark in &begun.marks {
            if let Some(table) = report.tables.get_mut(mark.table) {
                table.rows += mark.rows;
                table.copy_bytes += mark.copy_bytes;
            }
        }
        for mark in &begun.before {
            if let Some(table) = report.tables.get_mut(mark.table) {
                table.rows_before += mark.rows;
            }
        }
        if !begun.is_continued {
            report.steps.push(step("inspect", begun.looked, begun.looked, 1));
        }
        for (table, merged) in counts::merged_rows(plan, &begun.marks) {
            if let Some(table) = report.tables.get_mut(table) {
                table.merged = Some(merged);
            }
        }
        let mut account = Self { begun, report, left_out_at_first: BTreeMap::new() };
        account.leave_out(&begun.marks);
        account
    }

    /// What came up while the source was read.
    pub(super) fn remarks(&mut self, remarks: Vec<String>) {
        self.report.notes.extend(remarks);
    }

    /// The report of a command that found everything done.
    pub(super) fn already_done(mut self) -> TransferReport {
        self.report.outcome = Outcome::AlreadyDone;
        self.outcomes(&self.begun.steps.iter().cloned().collect());
        self.report
    }

    pub(super) fn copied(
        &mut self,
        marks: &[Mark],
        times: &BTreeMap<usize, TableTimes>,
        wall: Duration,
        jobs: usize,
    ) {
        for mark in marks {
            if let Some(table) = self.report.tables.get_mut(mark.table) {
                table.rows += mark.rows;
                table.copy_bytes += mark.copy_bytes;
                if let (Some(all), Some(merged)) = (&mut table.merged, mark.merged) {
                    all.merged += merged;
                }
            }
        }
        for (table, times) in times {
            if let Some(table) = self.report.tables.get_mut(*table) {
                table.copy_s = times.wall.as_secs_f64();
            }
        }
        self.leave_out(marks);
        let work = times.values().map(|times| times.work).sum();
        self.report.steps.push(step("copy", wall, work, jobs));
    }

    pub(super) fn finished(&mut self, finished: Finished) {
        for (table, work) in &finished.work_by_table {
            if let Some(table) = self.report.tables.get_mut(*table) {
                table.finish_s = work.as_secs_f64();
            }
        }
        for (name, phases) in [
            ("generated columns", &[Phase::Generated][..]),
            ("keys and indexes", &[Phase::Keys, Phase::Indexes]),
            ("checks", &[Phase::Checks]),
            ("foreign keys", &[Phase::ForeignKeys, Phase::Validate]),
            ("triggers", &[Phase::Triggers]),
            ("sequences", &[Phase::Sequences]),
            ("views", &[Phase::Views]),
            ("comments", &[Phase::Comments]),
            ("analyze", &[Phase::Analyze]),
        ] {
            let of_name = || finished.phases.iter().filter(|times| phases.contains(&times.phase));
            if let Some(jobs) = of_name().map(|times| times.jobs).max() {
                let wall = of_name().map(|times| times.wall).sum();
                let work = of_name().map(|times| times.work).sum();
                self.report.steps.push(step(name, wall, work, jobs));
            }
        }
        self.outcomes(&finished.outcomes);
    }

    /// Takes in how many rejected rows were sent, and how long that took.
    pub(super) fn resent(&mut self, wall: Duration, rows: u64) {
        self.report.resent = Some(rows);
        self.report.steps.push(step("send rejected rows", wall, wall, 1));
    }

    fn leave_out(&mut self, marks: &[Mark]) {
        for mark in marks {
            *self.left_out_at_first.entry(mark.table).or_insert(0) += mark.rejected;
        }
    }

    /// Takes in what was left out, once: the rows that were sent since count as arrived.
    pub(super) fn rejected(&mut self, rejected: Vec<RejectedRows>) {
        for (number, table) in self.report.tables.iter_mut().enumerate() {
            let left = rejected.iter().find(|left| left.table == table.source);
            table.rejected = left.map_or(0, |left| left.rows);
            let at_first = self.left_out_at_first.get(&number).copied().unwrap_or(0);
            // What was sent since has arrived.
            table.rows += at_first.saturating_sub(table.rejected);
        }
        self.report.rejected = rejected;
    }

    pub(super) fn verified(&mut self, verified: VerifyReport) {
        let wall = Duration::from_secs_f64(verified.wall_s);
        self.report.steps.push(step("verify", wall, wall, 1));
        self.report.verify = Some(verified);
    }

    /// Takes in which of the target's own objects are not as they were.
    pub(super) fn not_as_before(&mut self, found: Vec<NotAsBefore>) {
        self.report.not_as_before = found;
    }

    pub(super) fn report(self) -> TransferReport {
        self.report
    }

    fn outcomes(&mut self, outcomes: &BTreeMap<usize, StepOutcome>) {
        for (number, outcome) in outcomes {
            let Some(step) = self.begun.plan.finish.get(*number) else { continue };
            match outcome {
                StepOutcome::Done { value } => self.done(step, *value),
                StepOutcome::Refused { message } => self.refused(step, message),
                StepOutcome::Orphans { rows, keys } => self.orphans(step, *rows, keys),
            }
        }
        follow_ups::sort(&mut self.report.follow_ups);
    }

    fn done(&mut self, step: &FinishStep, value: Option<i64>) {
        let Some(table) = self.report.tables.get_mut(step.table) else { return };
        match step.phase {
            Phase::Keys | Phase::Indexes => table.indexes += 1,
            Phase::ForeignKeys => table.foreign_keys += 1,
            Phase::Sequences => table.identity_next = value,
            Phase::Generated
            | Phase::Checks
            | Phase::Validate
            | Phase::Triggers
            | Phase::Views
            | Phase::Comments
            | Phase::Analyze => {}
        }
    }

    fn orphans(&mut self, step: &FinishStep, rows: i64, keys: &str) {
        let plan = &self.begun.plan;
        let rows = u64::try_from(rows).unwrap_or(0);
        let keys: Vec<String> = serde_json::from_str(keys).unwrap_or_default();
        self.report.follow_ups.push(follow_ups::of_orphans(plan, step, rows, &keys));
        self.report.orphans.push(Orphans {
            table: plan.tables[step.table].target.clone(),
            constraint: step.name.clone(),
            rows,
            keys,
        });
    }

    fn refused(&mut self, step: &FinishStep, message: &str) {
        // VALIDATE of a key that could not be added says nothing new.
        if step.phase == Phase::Validate
            && self.report.refused.iter().any(|refused| {
                refused.name == step.name
                    && refused.table == self.begun.plan.tables[step.table].target
            })
        {
            return;
        }
        let left = follow_ups::of_refused(&self.begun.plan, step, message);
        self.report.follow_ups.push(left);
        self.report.refused.push(Refused {
            object: step.object.clone(),
            table: if step.phase == Phase::Views {
                String::new()
            } else {
                self.begun.plan.tables[step.table].target.clone()
            },
            name: step.name.clone(),
            statement: step.sql.clone(),
            message: message.to_owned(),
            source_text: step.source_text.clone(),
        });
    }
}

fn step(name: &str, wall: Duration, work: Duration, jobs: usize) -> StepReport {
    StepReport {
        name: name.to_owned(),
        wall_s: wall.as_secs_f64(),
        work_s: work.as_secs_f64(),
        jobs,
    }
}
