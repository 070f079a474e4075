//! The server crashes: what was committed is kept or was never claimed.
//!
//! Knobs: `LITELIFT_CRASHES`, how often; `LITELIFT_SEED`, to see a failure again.

#![allow(clippy::print_stderr, reason = "the seed and the figures of a run belong to its result")]

use std::time::Duration;

use litelift::scratch::{Binaries, Server, Settings};

use super::process::{Running, run, transfer};
use super::state;
use crate::support::generate::Random;
use crate::support::pg;

const CRASHES: u64 = 2;
/// Crashes during one transfer, before it may complete.
const CRASHES_PER_TRANSFER: u64 = 2;

#[test]
fn the_server_crashes() {
    let source = state::small();
    let from = &source.path;
    let seed = state::number("LITELIFT_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed);
    // What is written late is lost: ten seconds for what is not asked to be durable.
    let extra = vec![("wal_writer_delay".to_owned(), "10000".to_owned())];
    let settings = Settings { durable: true, extra };
    let mut server = Server::start(&Binaries::find(None).unwrap(), &settings).unwrap();
    let todo = state::number("LITELIFT_CRASHES", CRASHES);
    let (mut crashes, mut transfers) = (0, 0);
    while crashes < todo {
        pg::query_text(&server.url("postgres"), &format!("create database t{transfers}"));
        let url = server.url(&format!("t{transfers}"));
        pg::query_text(&url, state::SLOW_COPIES);
        for _ in 0..CRASHES_PER_TRANSFER {
            let left = state::ranges(&url) + 1;
            let running = Running::start(transfer(from, &url, &["--retry-for", "0"]))
                .until("a range more is there", || state::ranges(&url) >= left);
            std::thread::sleep(Duration::from_millis(u64::from(random.below(100))));
            server.stop_immediate().unwrap();
            let ended = running.end();
            if ended.code == Some(0) {
                // On a busy machine it may have been done before the crash: then it was one after exit 0.
                server.start_again().unwrap();
                break;
            }
            ended.expect(4).says(&["error: could not ", "Run the same command again"]);
            run(transfer(from, &url, &[])).expect(4).says(&["Is the server running there"]);
            server.start_again().unwrap();
            crashes += 1;
        }
        run(transfer(from, &url, &[])).expect(0);
        // Exit 0 means that it is there, whatever happens to the server a moment later.
        server.stop_immediate().unwrap();
        server.start_again().unwrap();
        crashes += 1;
        transfers += 1;
        state::expect_exact(from, &url);
    }
    eprintln!("seed {seed}: {crashes} crashes in {transfers} transfers, each exact at last");
}
