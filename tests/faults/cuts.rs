//! The wire is cut: at every byte, before every answer, by every kind of end.
//!
//! Knobs: `LITELIFT_FAULTS_STEP`, only one of so many bytes of the begin.

use super::proxy::{Fault, From, How, Proxy};
use super::trial::{self, Tally, disturbed, run_all, settle_after, source, trials};
use crate::resume::process::transfer;
use crate::resume::state;
use crate::support::generate::Random;
use crate::support::pg;

/// The begin of a conversation, of which the long run cuts at every byte.
const BEGIN_BYTES: u64 = 4096;
/// Calls of a transfer of the source, or a few more: what is counted beyond is no fault.
const CALLS_MAX: u32 = 160;

/// One transfer over a wire with a fault, and what the next command makes of it.
pub(super) fn cut(fault: Fault, more: &[&str], tally: &mut Tally) {
    let target = pg::database();
    let proxy = Proxy::start(&target.url, fault.clone());
    let mut command = transfer(source(), &proxy.url, &["--retry-for", "5"]);
    command.args(more);
    // Before anything was begun there is nothing to go on with: 4 at once.
    let ended = disturbed(command, &[0, 4], tally);
    if proxy.fired() {
        tally.faults += 1;
        if ended.stderr.contains("; trying again in ") {
            tally.note("went on by themselves");
        }
    } else {
        assert_eq!(ended.code, Some(0), "{fault:?} did not take place: {}", ended.stderr);
    }
    drop(proxy);
    settle_after(&ended, source(), &target.url, tally);
}

fn random_side(random: &mut Random) -> From {
    if random.below(2) == 0 { From::Client } else { From::Server }
}

fn random_how(random: &mut Random) -> How {
    if random.below(2) == 0 { How::Fin } else { How::Reset }
}

#[test]
fn at_every_byte_of_the_begin() {
    let step = state::number("LITELIFT_FAULTS_STEP", if trial::is_long() { 1 } else { 512 });
    let places = (trial::seed() % step..2 * BEGIN_BYTES).step_by(usize::try_from(step).unwrap());
    run_all(
        "wire cut at a byte of the first 4 KiB of each side",
        trial::threads(),
        places,
        |number, tally| {
            let from = if number < BEGIN_BYTES { From::Client } else { From::Server };
            let how = if number.is_multiple_of(2) { How::Fin } else { How::Reset };
            cut(Fault::Bytes { from, after: number % BEGIN_BYTES, how }, &[], tally);
        },
    );
}

#[test]
fn at_a_random_byte_later() {
    run_all(
        "wire cut at a random byte later",
        trial::threads(),
        0..trials(6, 600),
        |number, tally| {
            let mut random = Random::new(trial::seed() + number);
            let from = random_side(&mut random);
            let most = if from == From::Client { 1_850_000 } else { 16_000 };
            let after = BEGIN_BYTES + u64::from(random.below(most));
            cut(Fault::Bytes { from, after, how: random_how(&mut random) }, &[], tally);
        },
    );
}

/// The server has done it, and nobody heard: also the COMMIT of a range, of a step, of the end.
#[test]
fn before_an_answer() {
    let numbers = if trial::is_long() { 1..=CALLS_MAX } else { 1..=8 };
    run_all(
        "wire cut before the answer of call n",
        trial::threads(),
        numbers.map(u64::from),
        |number, tally| {
            let mut random = Random::new(trial::seed() + number);
            let number =
                if trial::is_long() { number } else { u64::from(1 + random.below(CALLS_MAX)) };
            cut(Fault::Answer { number, how: random_how(&mut random) }, &[], tally);
        },
    );
}

/// Nothing passes any more, and nobody is told.
#[test]
fn by_a_black_hole() {
    run_all(
        "black hole, then new connections work",
        trial::threads(),
        0..trials(2, 60),
        |number, tally| {
            let mut random = Random::new(trial::seed() + number);
            let fault = if random.below(2) == 0 {
                let number = u64::from(1 + random.below(CALLS_MAX));
                Fault::Answer { number, how: How::Swallow }
            } else {
                let after = u64::from(random.below(1_000_000));
                Fault::Bytes { from: From::Client, after, how: How::Swallow }
            };
            cut(fault, &[], tally);
        },
    );
}

#[test]
fn by_a_black_hole_for_everything() {
    run_all(
        "black hole for new connections too",
        trial::threads(),
        0..trials(1, 30),
        |number, tally| {
            let mut random = Random::new(trial::seed() + number);
            let after = u64::from(random.below(1_000_000));
            let fault = Fault::Bytes { from: From::Client, after, how: How::SwallowAll };
            cut(fault, &[], tally);
        },
    );
}
