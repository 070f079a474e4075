//! The n-th call of PostgreSQL fails, for n = 1, 2, 3 ... until a transfer meets no fault.

use super::proxy::{Fault, Proxy};
use super::trial::{self, Quiet, disturbed, run_all, settle_after, thin};
use crate::resume::process::transfer;
use crate::support::generate::Random;
use crate::support::pg;

/// What a server may say that is no answer to the statement: it is out of disk or memory, was asked to
/// cancel, met a deadlock or a lock, lost its mind.
const CODES: [&str; 8] = ["53100", "53200", "57014", "40001", "40P01", "55P03", "08006", "XX000"];
/// Those that are tried again by the command itself.
const PASSING: [&str; 4] = ["40001", "40P01", "55P03", "08006"];
/// More calls than a transfer of the source makes.
const CALLS_MAX: u32 = 160;

#[test]
fn each_in_turn() {
    // Every call with two codes, so that each is met by what passes and by what does not.
    let numbers: Vec<u64> = if trial::is_long() { (2..1000).collect() } else { (0..8).collect() };
    let quiet = Quiet::new();
    run_all("call n of PostgreSQL fails", trial::threads(), numbers, |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let code = CODES[random.below(8) as usize];
        let call =
            if trial::is_long() { number / 2 } else { u64::from(1 + random.below(CALLS_MAX)) };
        if trial::is_long() && quiet.is_at(call) {
            return tally.skip();
        }
        let target = pg::database();
        let proxy = Proxy::start(&target.url, Fault::Call { number: call, code });
        let ended = disturbed(transfer(thin(), &proxy.url, &["--retry-for", "5"]), &[0, 4], tally);
        if proxy.fired() {
            tally.faults += 1;
            let says = ended.stderr.contains("a planted fault");
            assert!(says || ended.code == Some(0), "call {call}, {code}: {}", ended.stderr);
            if ended.stderr.contains("; trying again in ") {
                tally.note("went on by themselves");
                assert!(PASSING.contains(&code), "call {call}, {code}: {}", ended.stderr);
                assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            }
        } else {
            quiet.from(call);
            tally.note("without a fault");
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        drop(proxy);
        settle_after(&ended, thin(), &target.url, tally);
    });
}
