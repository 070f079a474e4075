//! litelift is killed, its sessions are ended, the server crashes: at random moments.

use std::time::Duration;

use litelift::scratch::{Binaries, Server, Settings};

use super::trial::{self, objects, ranges, run_all, settle, source, trials};
use crate::resume::process::{Running, run, transfer};
use crate::resume::state;
use crate::support::generate::Random;
use crate::support::pg;

/// Faults of one transfer, before it may complete.
const FAULTS_PER_TRANSFER: u32 = 5;

/// How long an undisturbed transfer takes here and now.
fn whole(from: &'static std::path::Path) -> Duration {
    objects(from);
    let clean = pg::database();
    let begun = std::time::Instant::now();
    run(transfer(from, &clean.url, &["--quiet"])).expect(0);
    begun.elapsed()
}

/// One source of many ranges in a table, one of many tables.
fn either(number: u64) -> &'static std::path::Path {
    if number.is_multiple_of(2) { source() } else { ranges() }
}

#[test]
fn of_litelift() {
    let times = [whole(either(0)), whole(either(1))];
    run_all("`kill -9` of litelift at a random time", 2, 0..trials(2, 150), |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let (from, target) = (either(number), pg::database());
        for _ in 0..FAULTS_PER_TRANSFER {
            let running = Running::start(transfer(from, &target.url, &["--quiet"]));
            std::thread::sleep(times[(number % 2) as usize].mul_f64(0.1 + random.unit() * 0.7));
            if running.kill() {
                tally.faults += 1;
                tally.note(&state::stage(&target.url)[2..]);
            } else {
                break;
            }
        }
        settle(from, &target.url);
    });
}

#[test]
fn of_a_session() {
    let times = [whole(either(0)), whole(either(1))];
    run_all("a session is ended at a random time", 2, 0..trials(2, 60), |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let (from, target) = (either(number), pg::database());
        let running = Running::start(transfer(from, &target.url, &[]));
        for _ in 0..2 {
            std::thread::sleep(times[(number % 2) as usize].mul_f64(random.unit() * 0.6));
            let ended = target.query_text(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and application_name = 'litelift'
                 order by random() limit 1",
            );
            tally.faults += ended.len() as u64;
        }
        let ended = running.end();
        // 4: before a run was there to be continued.
        assert!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
        tally.ended(&ended);
        if ended.stderr.contains("; trying again in ") {
            tally.note("went on by themselves");
        }
        settle(from, &target.url);
    });
}

/// A crash, not a clean stop: what was not on its disk is gone.
#[test]
fn of_the_server() {
    // What is written late is lost: ten seconds for what is not asked to be durable.
    let extra = vec![("wal_writer_delay".to_owned(), "10000".to_owned())];
    let settings = Settings { durable: true, extra };
    let times = [whole(either(0)), whole(either(1))];
    run_all("the server crashes and is started again", 2, 0..trials(1, 40), |number, tally| {
        let mut random = Random::new(trial::seed() + number);
        let mut server = Server::start(&Binaries::find(None).unwrap(), &settings).unwrap();
        let (from, url) = (either(number), server.url("t"));
        pg::query_text(&server.url("postgres"), "create database t");
        for crash in 0..FAULTS_PER_TRANSFER {
            let running = Running::start(transfer(from, &url, &[]));
            std::thread::sleep(times[(number % 2) as usize].mul_f64(0.1 + random.unit()));
            server.stop_immediate().unwrap();
            tally.faults += 1;
            std::thread::sleep(Duration::from_millis(u64::from(random.below(1500))));
            server.start_again().unwrap();
            let ended = running.end();
            assert!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
            tally.ended(&ended);
            if ended.stderr.contains("; trying again in ") {
                tally.note("went on by themselves");
            }
            if ended.code == Some(0) && crash > 0 {
                break;
            }
        }
        settle(from, &url);
        // Exit 0 means that it is there, whatever happens to the server a moment later.
        server.stop_immediate().unwrap();
        server.start_again().unwrap();
        tally.faults += 1;
        state::expect_exact(from, &url);
    });
}
