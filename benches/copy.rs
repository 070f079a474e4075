//! The copy stage against the floor: one server-side `COPY ... FROM file (FORMAT binary)` of the same
//! rows, on one connection, into a bare table of the same shape, in the same interleaved run.
//!
//! `cargo bench --bench copy` runs all cases; `-- narrow app` some; `--rows N` and `--runs N` change
//! the size. Ratios are printed, never judged: a timed test would only measure the machine.
//!
//! The server writes its log (wal_level=replica) but does not sync, so that the disk's latency is not
//! what is measured. Both sides load a table made in an earlier transaction.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

mod child;
#[path = "../tests/support/generate.rs"]
mod generate;

use std::path::{Path, PathBuf};
use std::time::Instant;

use litelift::scratch::{Binaries, Server, Settings};
use tokio_postgres::{Client, NoTls};

struct Case {
    name: &'static str,
    rows: u64,
    build: fn(&Path, u32),
    table: &'static str,
}

const CASES: [Case; 2] = [
    Case { name: "narrow", rows: 5_000_000, build: build_narrow, table: "narrow" },
    Case { name: "app", rows: 1_000_000, build: build_app, table: "app" },
];

fn build_narrow(path: &Path, rows: u32) {
    generate::narrow(path, rows).unwrap();
}

fn build_app(path: &Path, rows: u32) {
    generate::app(path, rows).unwrap();
}

struct Run {
    copy_s: f64,
    inspect_s: f64,
    total_s: f64,
    private_kb: u64,
    floor_s: f64,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|text| text != "--bench").collect();
    let number = |flag: &str| -> Option<u64> {
        let at = arguments.iter().position(|text| text == flag)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let runs = number("--runs").unwrap_or(5);
    let jobs = number("--jobs").unwrap_or(2);
    let named = |case: &Case| {
        let names = CASES.iter().map(|case| case.name);
        !names.clone().any(|name| arguments.iter().any(|text| text == name))
            || arguments.iter().any(|text| text == case.name)
    };
    let settings = Settings {
        extra: [("wal_level", "replica"), ("max_wal_size", "8GB"), ("shared_buffers", "512MB")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        ..Settings::default()
    };
    let server = Server::start(&Binaries::find(None).unwrap(), &settings).unwrap();
    println!("PostgreSQL {}, {} jobs, {runs} interleaved runs", server.version(), jobs);
    println!(
        "| case | rows | floor s | copy s | copy / floor | inspect s | whole s | whole / floor | peak private MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| named(case)) {
        let rows = number("--rows").unwrap_or(case.rows);
        let file = source(case, rows);
        let runs: Vec<Run> = (0..runs).map(|_| measure(case, &file, rows, jobs, &server)).collect();
        print_row(case, rows, &runs);
    }
    server.stop().unwrap();
}

/// Builds the source once and keeps it in target/.
fn source(case: &Case, rows: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}-{rows}.db", case.name));
    if !file.exists() {
        let unfinished = folder.join("unfinished.db");
        let _ = std::fs::remove_file(&unfinished);
        (case.build)(&unfinished, u32::try_from(rows).unwrap());
        std::fs::rename(&unfinished, &file).unwrap();
    }
    file
}

fn measure(case: &Case, file: &Path, rows: u64, jobs: u64, server: &Server) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = connect(&server.url("postgres")).await;
        admin.batch_execute("DROP DATABASE IF EXISTS bench").await.unwrap();
        admin.batch_execute("CREATE DATABASE bench").await.unwrap();
        let url = server.url("bench");
        let client = connect(&url).await;
        client.batch_execute("CHECKPOINT").await.unwrap();
        let begun = Instant::now();
        let (jobs, from) = (jobs.to_string(), file.to_str().unwrap());
        let arguments = ["--no-verify", "--jobs", &jobs, "--from", from, "--to", &url];
        let (report, private_kb) = child::watched(child::transfer(&arguments));
        let total_s = begun.elapsed().as_secs_f64();
        let floor_s = floor(case, rows, server, &client).await;
        let step = |name: &str| -> f64 {
            let steps = report["steps"].as_array().unwrap();
            steps
                .iter()
                .find(|step| step["name"] == name)
                .map_or(0.0, |step| step["wall_s"].as_f64().unwrap())
        };
        Run { copy_s: step("copy"), inspect_s: step("inspect"), total_s, private_kb, floor_s }
    })
}

/// One server-side COPY of the rows that litelift has just brought.
async fn floor(case: &Case, rows: u64, server: &Server, client: &Client) -> f64 {
    let file = server.folder().join("floor.bin");
    let (table, file) = (case.table, file.display());
    client.batch_execute(&format!("COPY {table} TO '{file}' (FORMAT binary)")).await.unwrap();
    client.batch_execute(&format!("CREATE TABLE floor (LIKE {table})")).await.unwrap();
    client.batch_execute("CHECKPOINT").await.unwrap();
    let begun = Instant::now();
    client.batch_execute(&format!("COPY floor FROM '{file}' (FORMAT binary)")).await.unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    // Equal work: both tables hold every row.
    for table in ["floor", table] {
        let row = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap();
        assert_eq!(u64::try_from(row.get::<_, i64>(0)).unwrap(), rows);
    }
    seconds
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn print_row(case: &Case, rows: u64, runs: &[Run]) {
    let median = |of: fn(&Run) -> f64| -> f64 {
        let mut values: Vec<f64> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let floor = median(|run| run.floor_s);
    let peak = runs.iter().map(|run| run.private_kb).max().unwrap_or(0) as f64 / 1024.0;
    println!(
        "| {} | {rows} | {floor:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {peak:.0} |",
        case.name,
        median(|run| run.copy_s),
        median(|run| run.copy_s / run.floor_s),
        median(|run| run.inspect_s),
        median(|run| run.total_s),
        median(|run| run.total_s / run.floor_s),
    );
}
