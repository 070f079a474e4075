//! How fast work goes, and how long the rest will take.
//!
//! The rate is that of the last seconds, not of the whole stage: a transfer begins slowly (first
//! connections) and its tables differ, so an average since the start misleads for minutes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Length of the window.
const WINDOW: Duration = Duration::from_secs(10);
/// Samples closer together than this are one.
const SAMPLE_EVERY: Duration = Duration::from_millis(200);
/// Nothing is said about the future before this much of the past is known.
const KNOWN_MIN: Duration = Duration::from_millis(800);

/// Work done over a sliding window.
#[derive(Debug)]
pub(super) struct Pace {
    samples: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// Starts with nothing done.
    pub(super) fn new(now: Instant) -> Self {
        Self { samples: VecDeque::from([(now, 0)]) }
    }

    /// Takes note of how much is done by now.
    pub(super) fn sample(&mut self, now: Instant, done: u64) {
        let newest = self.samples.back().map(|(at, _)| *at);
        if newest.is_some_and(|at| now.saturating_duration_since(at) < SAMPLE_EVERY) {
            return;
        }
        self.samples.push_back((now, done));
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Returns units a second, once there is enough to say so.
    pub(super) fn per_second(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let time = last.0.saturating_duration_since(first.0);
        let done = last.1.saturating_sub(first.1);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = done as f64 / time.as_secs_f64();
        (time >= KNOWN_MIN && done > 0).then_some(rate)
    }

    /// Returns the seconds that the rest will take at this pace.
    pub(super) fn seconds_left(&self, rest: u64) -> Option<u64> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = rest as f64 / self.per_second()?;
        Some(Duration::try_from_secs_f64(seconds.ceil()).ok()?.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.per_second(), None);
        // 20 s at 10 a second, then 20 s at 100 a second.
        let mut done = 0;
        for tenth in 1..=400_u32 {
            done += if tenth <= 200 { 1 } else { 10 };
            pace.sample(start + Duration::from_millis(100) * tenth, done);
            if tenth == 200 {
                assert_eq!(pace.per_second().map(f64::round), Some(10.0));
            }
        }
        assert_eq!(pace.per_second().map(f64::round), Some(100.0));
        assert_eq!(pace.seconds_left(250), Some(3));
        assert!(pace.samples.len() < 60);
    }

    #[test]
    fn nothing_is_promised_without_progress() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.sample(start + Duration::from_secs(5), 0);
        assert_eq!(pace.seconds_left(1), None);
    }
}
