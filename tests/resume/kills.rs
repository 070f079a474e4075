//! `kill -9` at random moments: nothing is lost, nothing is doubled.
//!
//! Knobs: `LITELIFT_KILLS`, how often to kill; `LITELIFT_SEED`, to see a failure again.

#![allow(clippy::print_stderr, reason = "the seed and the figures of a run belong to its result")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::process::{Running, run, transfer};
use super::state;
use crate::support::generate::Random;
use crate::support::pg;

const KILLS: u64 = 6;
/// Kills of one transfer, before it may complete.
const KILLS_PER_TRANSFER: u32 = 6;

#[test]
fn killed_at_random_moments_it_arrives_exactly_once() {
    let from = state::shop();
    let seed = state::number("LITELIFT_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let clean = pg::database();
    let begun = Instant::now();
    run(transfer(from, &clean.url, &["--quiet"])).expect(0);
    let whole = begun.elapsed();
    let objects = state::objects(&clean.url);
    let todo = state::number("LITELIFT_KILLS", KILLS);
    let (mut kills, mut transfers) = (BTreeMap::new(), 0);
    while kills.values().sum::<u64>() < todo {
        let target = pg::database();
        for _ in 0..KILLS_PER_TRANSFER {
            let running = Running::start(transfer(from, &target.url, &["--quiet"]));
            // Later starts have less to do.
            std::thread::sleep(whole.mul_f64(random.unit() * 0.7));
            if !running.kill() {
                break;
            }
            *kills.entry(state::stage(&target.url)).or_default() += 1;
        }
        run(transfer(from, &target.url, &["--quiet"])).expect(0);
        transfers += 1;
        state::expect_exact(from, &target.url);
        assert_eq!(state::objects(&target.url), objects, "seed {seed}");
    }
    eprintln!("seed {seed}: {transfers} transfers, each exact at last; kills by stage: {kills:?}");
}

#[test]
fn killed_while_it_finishes_it_goes_on_and_then_touches_nothing() {
    let source = state::small();
    let from = &source.path;
    let seed = state::number("LITELIFT_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed + 1);
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_STEPS);
    for steps in [1, 12, 30] {
        let running = Running::start(transfer(from, url, &["--quiet"]))
            .until("some steps are done", || state::steps(url) >= steps);
        std::thread::sleep(Duration::from_millis(u64::from(random.below(100))));
        assert!(running.kill(), "seed {seed}");
    }
    let ended = run(transfer(from, url, &["--json"])).expect(0);
    assert_eq!(ended.json()["outcome"], "continued", "seed {seed}");
    state::expect_exact(from, url);

    let before = state::versions(url);
    let ended = run(transfer(from, url, &["--json"])).expect(0);
    assert_eq!(ended.json()["outcome"], "already_done");
    let ended = run(transfer(from, url, &[])).expect(0);
    assert!(ended.stdout.contains("nothing was touched"), "{}", ended.stdout);
    assert_eq!(state::versions(url), before);
    assert_eq!(state::sessions(url, false), 0);
}
