//! A large transfer that is killed again and again, and must end right.
//!
//! `cargo bench --bench endurance` builds a source of about 1 GB, kills the transfer with SIGKILL five
//! times at random moments, lets the sixth command end, and compares every value with the comparer of
//! the tests, which shares no code with litelift. `--bytes N` and `--kills N` change the size.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

mod child;
#[path = "../tests/support/compare/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the tests use the rest of it")]
mod compare;
#[path = "../tests/support/generate.rs"]
mod generate;

use std::path::Path;
use std::time::{Duration, Instant};

use litelift::scratch::{Binaries, Server, Settings};

/// What the checkpoints say.
fn state(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql =
            "SELECT (SELECT count(*) FROM litelift.range), (SELECT count(*) FROM litelift.step)";
        match client.query_one(sql, &[]).await {
            Ok(row) => format!(
                "{} ranges and {} steps are committed",
                row.get::<_, i64>(0),
                row.get::<_, i64>(1)
            ),
            Err(_) => "nothing is committed".to_owned(),
        }
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |flag: &str| -> Option<u64> {
        let at = arguments.iter().position(|text| text == flag)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let bytes = number("--bytes").unwrap_or(1_000_000_000);
    let kills = number("--kills").unwrap_or(5);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("sized-{bytes}.db"));
    if !file.exists() {
        let unfinished = folder.join("unfinished.db");
        let _ = std::fs::remove_file(&unfinished);
        generate::sized(&unfinished, bytes).unwrap();
        std::fs::rename(&unfinished, &file).unwrap();
    }
    let server = Server::start(&Binaries::find(None).unwrap(), &Settings::default()).unwrap();
    let url = server.url("postgres");
    let arguments = ["--from", file.to_str().unwrap(), "--to", &url];
    let mut random = generate::Random::new(u64::from(std::process::id()));
    let mut peak_kb = 0;
    for number in 1..=kills {
        let mut child = child::transfer(&arguments);
        let wait = Duration::from_millis(u64::from(1_000 + random.below(4_000)));
        let begun = Instant::now();
        while begun.elapsed() < wait && child.try_wait().unwrap().is_none() {
            peak_kb = peak_kb.max(child::resident_kb_max(child.id()));
            std::thread::sleep(Duration::from_millis(20));
        }
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        println!(
            "kill {number} after {:.1} s{}: {}",
            begun.elapsed().as_secs_f64(),
            if ended.is_some() { " (it had ended)" } else { "" },
            state(&url)
        );
    }
    let begun = Instant::now();
    let (report, private_kb) = child::watched(child::transfer(&arguments));
    println!("last command: {:.1} s, outcome {}", begun.elapsed().as_secs_f64(), report["outcome"]);
    println!(
        "peak resident {} MB before the last, peak private {} MB in it",
        peak_kb / 1024,
        private_kb / 1024
    );
    for object in report["refused"].as_array().unwrap() {
        println!("refused: {object}");
    }
    let comparison = compare::compare_by_name(&file, &url, "public").unwrap();
    println!(
        "{} tables, {} rows, {} values, {} differences",
        comparison.tables, comparison.rows, comparison.values, comparison.total_differences
    );
    comparison.expect_same();
    server.stop().unwrap();
}
