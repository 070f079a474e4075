//! What is going on right now: the state behind the progress lines, as text.
//!
//! Purpose: takes events and the time, gives lines; draws nothing itself, so that all of it is
//! tested without a terminal or a clock. `progress` owns one behind a lock.
//!
//! Two ways to see it: on a terminal [`Board::drawn`] is redrawn in place; in a log [`Board::take`]
//! and [`Board::heartbeat`] give a line now and then, few enough for a thousand tables.

use std::time::{Duration, Instant};

use super::amount;
use super::names::{cut, plain, shorten, width};
use super::pace::Pace;
use crate::event::{Event, Stage};

/// Running tables and steps that are shown at once.
const RUNNING_SHOWN_MAX: usize = 8;
/// A table that took less is not worth a line in a log.
const LINE_WORTH: Duration = Duration::from_secs(1);
/// A log hears of a long stage this often.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(30);

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// `--quiet`: errors and the final sentence only.
    Quiet,
    /// Neither flag.
    Normal,
    /// `--verbose`: everything.
    Verbose,
}

/// Who reads the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody at a terminal where lines are redrawn.
    Terminal,
    /// A log.
    Log,
}

/// The state of all running stages.
#[derive(Debug)]
pub(super) struct Board {
    verbosity: Verbosity,
    reader: Reader,
    stages: Vec<Running>,
    items: Vec<Item>,
    last_line: Instant,
}

/// A stage that runs.
#[derive(Debug)]
struct Running {
    stage: Stage,
    began: Instant,
    work: u64,
    work_total: u64,
    rows: u64,
    rows_total: u64,
    pace: Pace,
}

/// A table or finishing step that runs.
#[derive(Debug)]
struct Item {
    name: String,
    rows: Option<u64>,
    began: Instant,
}

impl Board {
    /// Makes an empty board.
    pub(super) fn new(verbosity: Verbosity, reader: Reader, now: Instant) -> Self {
        Self { verbosity, reader, stages: Vec::new(), items: Vec::new(), last_line: now }
    }

    /// Takes an event and returns the lines that it is worth.
    pub(super) fn take(&mut self, event: Event, now: Instant) -> Option<String> {
        let line = match event {
            Event::StageStarted { stage, work, rows } => {
                // A stage that begins again was broken off, and with it what follows it.
                self.stages.retain(|running| running.stage < stage);
                if stage == Stage::Copy {
                    self.items.clear();
                }
                self.stages.push(Running::new(stage, work, rows, now));
                None
            }
            Event::Progress { stage, work, rows } => {
                if let Some(running) = self.stage_mut(stage) {
                    running.work = running.work.saturating_add(work);
                    running.rows = running.rows.saturating_add(rows);
                }
                None
            }
            Event::StageEnded { stage } => self.end(stage, now),
            Event::TableStarted { table, rows } => {
                self.items.push(Item { name: plain(&table), rows: Some(rows), began: now });
                None
            }
            Event::TableCopied { table, rows, seconds } => {
                let name = plain(&table);
                self.items.retain(|item| item.rows.is_none() || item.name != name);
                self.worth(seconds).then(|| {
                    let seconds = amount::seconds(seconds);
                    format!("copied table {name}: {} in {seconds}", amount::rows(rows))
                })
            }
            Event::StepStarted { object, name } => {
                self.items.push(Item { name: step(&object, &name), rows: None, began: now });
                None
            }
            Event::StepEnded { object, name, seconds, refused } => {
                let name = step(&object, &name);
                self.items.retain(|item| item.rows.is_some() || item.name != name);
                match refused {
                    Some(message) => Some(format!("refused {name}: {}", plain(&message))),
                    None => self
                        .worth(seconds)
                        .then(|| format!("made {name} in {}", amount::seconds(seconds))),
                }
            }
            Event::Note(text) => Some(format!("note: {}", plain(&text))),
            Event::Detail(text) => (self.verbosity == Verbosity::Verbose).then(|| plain(&text)),
        };
        let line = line.filter(|_| self.verbosity > Verbosity::Quiet);
        if line.is_some() {
            self.last_line = now;
        }
        line
    }

    /// Returns a line about the running stage when a log has heard nothing for long.
    pub(super) fn heartbeat(&mut self, now: Instant) -> Option<String> {
        self.sample(now);
        let silent = now.saturating_duration_since(self.last_line);
        if self.reader == Reader::Terminal
            || self.verbosity == Verbosity::Quiet
            || silent < HEARTBEAT_EVERY
        {
            return None;
        }
        let running = self.stages.last()?;
        self.last_line = now;
        Some(format!("{}: {}", running.doing(), running.facts(now).join(", ").trim_start()))
    }

    /// Returns the lines to redraw, none wider than `max`.
    pub(super) fn drawn(&mut self, now: Instant, max: usize) -> Vec<String> {
        self.sample(now);
        let mut lines: Vec<String> =
            self.stages.iter().map(|running| running.drawn(now, max)).collect();
        // When more run than are shown, the oldest are those that somebody waits for.
        for item in self.items.iter().take(RUNNING_SHOWN_MAX) {
            lines.push(item.drawn(now, max));
        }
        if let Some(more) = self.items.len().checked_sub(RUNNING_SHOWN_MAX).filter(|more| *more > 0)
        {
            lines.push(cut(&format!("   (and {more} more)"), max));
        }
        lines
    }

    fn sample(&mut self, now: Instant) {
        for running in &mut self.stages {
            running.pace.sample(now, running.work);
        }
    }

    fn stage_mut(&mut self, stage: Stage) -> Option<&mut Running> {
        self.stages.iter_mut().find(|running| running.stage == stage)
    }

    fn end(&mut self, stage: Stage, now: Instant) -> Option<String> {
        let position = self.stages.iter().position(|running| running.stage == stage)?;
        let ended = self.stages.remove(position);
        if self.stages.is_empty() {
            self.items.clear();
        }
        // On a terminal the summary says it better.
        (self.reader == Reader::Log || self.verbosity == Verbosity::Verbose)
            .then(|| ended.ended(now))
    }

    /// Whether a table or step gets its own line.
    fn worth(&self, seconds: f64) -> bool {
        self.verbosity == Verbosity::Verbose
            || self.reader == Reader::Log && seconds >= LINE_WORTH.as_secs_f64()
    }
}

fn step(object: &str, name: &str) -> String {
    format!("{} {}", plain(object), plain(name))
}

impl Item {
    fn drawn(&self, now: Instant, max: usize) -> String {
        let age = now.saturating_duration_since(self.began).as_secs();
        let rows = self.rows.map(|rows| match rows {
            1 => "1 row".to_owned(),
            many => format!("{} rows", amount::short(many)),
        });
        let facts = [rows, (age > 0).then(|| amount::whole_seconds(age))];
        let facts: String =
            facts.into_iter().flatten().map(|fact| format!("  {fact:>11}")).collect();
        let room = max.saturating_sub(3 + width(&facts)).clamp(8, 40);
        let name = shorten(&self.name, room);
        let padding = " ".repeat(room.min(28).saturating_sub(width(&name)));
        cut(format!("   {name}{padding}{facts}").trim_end(), max)
    }
}

impl Running {
    fn new(stage: Stage, work: u64, rows: u64, now: Instant) -> Self {
        Self {
            stage,
            began: now,
            work: 0,
            work_total: work,
            rows: 0,
            rows_total: rows,
            pace: Pace::new(now),
        }
    }

    fn doing(&self) -> &'static str {
        match self.stage {
            Stage::Scratch => "starting PostgreSQL",
            Stage::Check => "checking",
            Stage::Inspect => "inspecting",
            Stage::Copy => "copying",
            Stage::Finish => "finishing",
            Stage::Verify => "verifying",
        }
    }

    /// Rows done and in all; where rows are the unit of work, that.
    fn rows(&self) -> (u64, u64) {
        match self.stage {
            Stage::Inspect | Stage::Verify => (self.work, self.work_total),
            Stage::Copy => (self.rows, self.rows_total),
            Stage::Scratch | Stage::Check | Stage::Finish => (0, 0),
        }
    }

    fn drawn(&self, now: Instant, max: usize) -> String {
        const BAR_MAX: usize = 24;
        // On a narrower line the facts say more than a bar.
        const BAR_FROM_WIDTH: usize = 60;
        let mut head = format!(" {:<10} ", self.doing());
        if self.work_total > 0 && max >= BAR_FROM_WIDTH {
            // Its width comes from the terminal alone: a bar that breathes with its facts is restless.
            head.push_str(&bar(self.work, self.work_total, (max / 6).min(BAR_MAX)));
            head.push(' ');
        }
        let mut facts = self.facts(now);
        // The facts stand in the order of their worth: the last ones go when the line is short.
        while facts.len() > 1 && width(&head) + width(&facts.join("  ")) > max {
            facts.pop();
        }
        cut(&format!("{head}{}", facts.join("  ")), max)
    }

    /// What is known, the most interesting first.
    fn facts(&self, now: Instant) -> Vec<String> {
        let mut facts = Vec::new();
        let (rows, rows_total) = self.rows();
        if self.work_total > 0 {
            facts.push(format!("{:>3}%", amount::percent(self.work, self.work_total)));
        }
        if let Some(left) = self.left() {
            facts.push(format!("{} left", amount::whole_seconds(left)));
        }
        if self.stage == Stage::Finish && self.work_total > 0 {
            let steps = amount::grouped(self.work);
            facts.push(format!("{steps} of {} steps", amount::grouped(self.work_total)));
        } else if rows_total > 0 {
            let total = amount::short(rows_total);
            facts.push(format!("{} of {total} rows", amount::short(rows)));
        } else if rows > 0 {
            facts.push(format!("{} rows", amount::short(rows)));
        }
        if let Some(rate) = self.pace.per_second() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown")]
            let rate = rate as u64;
            match self.stage {
                Stage::Copy => facts.push(format!("{}/s", amount::bytes(rate))),
                Stage::Inspect | Stage::Verify => {
                    facts.push(format!("{} rows/s", amount::short(rate)));
                }
                Stage::Scratch | Stage::Check | Stage::Finish => {}
            }
        }
        if self.left().is_none() {
            let age = now.saturating_duration_since(self.began).as_secs();
            facts.push(amount::whole_seconds(age));
        }
        facts
    }

    fn left(&self) -> Option<u64> {
        // Finishing steps differ by orders of magnitude: a forecast from their number would lie.
        let known = self.work_total > self.work && self.stage != Stage::Finish;
        if known { self.pace.seconds_left(self.work_total - self.work) } else { None }
    }

    fn ended(&self, now: Instant) -> String {
        let time = now.saturating_duration_since(self.began).as_secs_f64();
        let took = amount::seconds(time);
        match self.stage {
            Stage::Scratch => format!("started PostgreSQL in {took}"),
            Stage::Check => format!("checked the file in {took}"),
            Stage::Inspect => format!("inspected {} in {took}", amount::rows(self.work)),
            Stage::Copy => {
                let size = amount::bytes(self.work);
                format!("copied {}, {size}, in {took}", amount::rows(self.rows))
            }
            Stage::Finish => {
                let steps = amount::counted(self.work, "step", "steps");
                format!("finished {steps} (keys, indexes, sequences) in {took}")
            }
            Stage::Verify => format!("verified {} in {took}", amount::rows(self.work)),
        }
    }
}

fn bar(done: u64, total: u64, cells: usize) -> String {
    let share = u128::from(done.min(total)) * cells as u128 / u128::from(total.max(1));
    let full = usize::try_from(share).unwrap_or(cells);
    let head = if full < cells && done > 0 { ">" } else { "" };
    format!("[{:<cells$}]", format!("{}{head}", "=".repeat(full)))
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
