//! The finishing steps in their phases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::checkpoint::local::Local;
use crate::checkpoint::store::StepOutcome;
use crate::connect::{Target, Turn};
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::orphans;
use crate::model::plan::{FinishStep, Phase, TransferPlan};

use super::step;

/// What is finished, where.
pub struct FinishJob<'a> {
    /// Plan.
    pub plan: &'a TransferPlan,
    /// Id of the run.
    pub run: i64,
    /// Where steps are written down, when not in the target.
    pub local: Option<&'a Local>,
    /// Sessions with the target.
    pub target: &'a Target,
    /// Sessions at once.
    pub jobs: usize,
    /// Who is told.
    pub listener: &'a Arc<dyn Listener>,
    /// Whether to stop.
    pub cancel: &'a Cancel,
}

/// How a phase went.
#[derive(Debug, Clone, Copy)]
pub struct PhaseTimes {
    /// Which.
    pub phase: Phase,
    /// On the clock.
    pub wall: Duration,
    /// Over all sessions.
    pub work: Duration,
    /// Sessions at once.
    pub jobs: usize,
}

/// What the steps came to.
#[derive(Debug, Default)]
pub struct Finished {
    /// Outcome by the step's position in the plan, earlier runs included.
    pub outcomes: BTreeMap<usize, StepOutcome>,
    /// Seconds of work in this run by table.
    pub work_by_table: BTreeMap<usize, Duration>,
    /// The phases that had something to do.
    pub phases: Vec<PhaseTimes>,
}

/// Runs the steps that are not among those of earlier runs.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`]; interrupted.
pub async fn run(job: &FinishJob<'_>, before: Vec<(usize, StepOutcome)>) -> Result<Finished> {
    let mut finished = Finished { outcomes: before.into_iter().collect(), ..Finished::default() };
    for phase in [
        Phase::Generated,
        Phase::Keys,
        Phase::Indexes,
        Phase::Checks,
        Phase::ForeignKeys,
        Phase::Validate,
        Phase::Triggers,
        Phase::Sequences,
        Phase::Views,
        Phase::Comments,
        Phase::Analyze,
    ] {
        run_phase(job, phase, &mut finished).await?;
    }
    Ok(finished)
}

async fn run_phase(job: &FinishJob<'_>, phase: Phase, finished: &mut Finished) -> Result<()> {
    let groups = groups(job.plan, phase, &finished.outcomes);
    if groups.is_empty() {
        return Ok(());
    }
    let begun = Instant::now();
    let sessions = job.jobs.min(groups.len());
    let next = AtomicUsize::new(0);
    let turns: Vec<Turn> = (0..sessions).map(|_| Turn::default()).collect();
    let workers =
        turns.iter().map(|turn| job.target.watched(turn, take_groups(job, &groups, &next, turn)));
    let done = futures_util::future::try_join_all(workers).await?;
    let mut work = Duration::ZERO;
    for (number, outcome, took) in done.into_iter().flatten() {
        work += took;
        let table = job.plan.finish[number].table;
        *finished.work_by_table.entry(table).or_default() += took;
        finished.outcomes.insert(number, outcome);
    }
    finished.phases.push(PhaseTimes { phase, wall: begun.elapsed(), work, jobs: sessions });
    Ok(())
}

/// Groups of steps that must run one after the other, those of the largest table first.
///
/// ADD PRIMARY KEY locks its table for itself and VALIDATE locks out a second one, so those of one
/// table go together, as do other changes of its columns; adding a foreign key locks two tables and takes no time, so all of them do.
/// Indexes of one table can be built side by side.
fn groups(
    plan: &TransferPlan,
    phase: Phase,
    done: &BTreeMap<usize, StepOutcome>,
) -> Vec<Vec<usize>> {
    let todo = plan
        .finish
        .iter()
        .enumerate()
        .filter(|(number, step)| step.phase == phase && !done.contains_key(number));
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, step) in todo {
        let group = match phase {
            Phase::Generated | Phase::Keys | Phase::Checks | Phase::Validate | Phase::Triggers => {
                step.table
            }
            // Views select from each other.
            Phase::ForeignKeys | Phase::Views => 0,
            Phase::Indexes | Phase::Sequences | Phase::Comments | Phase::Analyze => number,
        };
        groups.entry(group).or_default().push(number);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    let bytes = |group: &Vec<usize>| {
        group.first().map_or(0, |number| plan.tables[plan.finish[*number].table].copy_bytes)
    };
    groups.sort_by_key(|group| std::cmp::Reverse(bytes(group)));
    groups
}

async fn take_groups(
    job: &FinishJob<'_>,
    groups: &[Vec<usize>],
    next: &AtomicUsize,
    turn: &Turn,
) -> Result<Vec<(usize, StepOutcome, Duration)>> {
    let mut session = job.target.session().await?;
    turn.with(&session).await?;
    let search_path = job.plan.fill.as_ref().map(|fill| fill.search_path.as_str());
    let mut done = Vec::new();
    while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
        for number in group {
            job.cancel.check()?;
            let step = &job.plan.finish[*number];
            tell_start(job, step);
            let begun = Instant::now();
            let outcome = {
                let place = step::Place { run: job.run, number: *number, local: job.local };
                step::run(&mut session, place, step, search_path).await?
            };
            let took = begun.elapsed();
            tell_end(job, step, &outcome, took);
            done.push((*number, outcome, took));
        }
    }
    Ok(done)
}

fn tell_start(job: &FinishJob<'_>, step: &FinishStep) {
    job.listener.on(Event::StepStarted { object: step.object.clone(), name: step.name.clone() });
}

fn tell_end(job: &FinishJob<'_>, step: &FinishStep, outcome: &StepOutcome, took: Duration) {
    let refused = match outcome {
        StepOutcome::Done { .. } => None,
        StepOutcome::Refused { message } => Some(message.clone()),
        StepOutcome::Orphans { rows, .. } => Some(orphans::told(rows.unsigned_abs())),
    };
    job.listener.on(Event::StepEnded {
        object: step.object.clone(),
        name: step.name.clone(),
        seconds: took.as_secs_f64(),
        refused,
    });
    job.listener.on(Event::Progress { stage: Stage::Finish, work: 1, rows: 0 });
}
