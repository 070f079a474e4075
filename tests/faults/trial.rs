//! What the kinds of faults have in common: sources, trials, and the table of figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::resume::process::{Ended, run, transfer};
use crate::resume::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg;

/// Nothing may hang for longer.
const HANG: Duration = Duration::from_secs(60);
/// A long run says how far it is after so many trials.
const SO_FAR: u64 = 20;
/// Commands without a fault that a transfer may need to end.
const TRIES: usize = 3;

/// Whether the campaign runs in full: `LITELIFT_FAULTS=long`.
pub(super) fn is_long() -> bool {
    std::env::var("LITELIFT_FAULTS").is_ok_and(|value| value == "long")
}

/// Trials of a kind: so many in every run, so many in the campaign.
pub(super) fn trials(short: u64, long: u64) -> u64 {
    if is_long() { long } else { short }
}

/// Trials at once of a kind whose trials mostly wait.
pub(super) fn threads() -> usize {
    if is_long() { 3 } else { 6 }
}

/// The seed of this run: `LITELIFT_SEED`, or one of its own.
pub(super) fn seed() -> u64 {
    state::number("LITELIFT_SEED", u64::from(std::process::id()))
}

/// Tables of every form, each of one range: with a key, without any, WITHOUT ROWID, and large ones.
pub(super) fn source() -> &'static Path {
    static SOURCE: OnceLock<Fixture> = OnceLock::new();
    &SOURCE.get_or_init(|| forms(50_000)).path
}

/// The same with few bytes.
pub(super) fn thin() -> &'static Path {
    static SOURCE: OnceLock<Fixture> = OnceLock::new();
    &SOURCE.get_or_init(|| forms(50)).path
}

fn forms(bytes: u32) -> Fixture {
    fixture::from_sql(
        "faults.db",
        &format!(
            "PRAGMA page_size = 1024; PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE owners (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
             CREATE TABLE notes (owner INTEGER REFERENCES owners, at REAL, body TEXT);
             CREATE TABLE tags (word TEXT, owner INTEGER REFERENCES owners, PRIMARY KEY (word, owner))
               WITHOUT ROWID;
             CREATE TABLE files (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owners, data BLOB);
             CREATE TABLE odd (\"a \"\"b\" TEXT, n NUMERIC);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 60)
             INSERT INTO owners SELECT n, 'owner ' || n FROM i;
             -- Rows that are the same stay two.
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 90)
             INSERT INTO notes SELECT 1 + n % 30, n % 30 / 7.0, 'note ' || n % 30 FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 80)
             INSERT INTO tags SELECT 'tag ' || n, 1 + n % 60 FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 8)
             INSERT INTO files SELECT n, n, zeroblob({bytes} * n) FROM i;
             INSERT INTO odd VALUES (NULL, 1), ('', 1.5), ('x', NULL);
             CREATE INDEX notes_at ON notes (at); CREATE INDEX files_owner ON files (owner);
             COMMIT;"
        ),
    )
}

/// A table of several ranges beside small ones.
pub(super) fn ranges() -> &'static Path {
    static SOURCE: OnceLock<Fixture> = OnceLock::new();
    let source = SOURCE.get_or_init(|| {
        fixture::from_sql(
            "ranges.db",
            "PRAGMA synchronous = OFF; BEGIN;
             CREATE TABLE album (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
             CREATE TABLE photo (id INTEGER PRIMARY KEY, album INTEGER REFERENCES album, data BLOB);
             CREATE TABLE word (text TEXT PRIMARY KEY, n INTEGER);
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 500)
             INSERT INTO album SELECT n, 'album ' || n FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 40)
             INSERT INTO photo SELECT n, n, zeroblob(1000000 + n) FROM i;
             WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
             INSERT INTO word SELECT 'word ' || n, n * 7919 FROM i;
             CREATE INDEX photo_album ON photo (album); CREATE INDEX word_n ON word (n); COMMIT;",
        )
    });
    &source.path
}

/// Keys, indexes and sequences of a source after an undisturbed transfer.
pub(super) fn objects(from: &'static Path) -> Vec<String> {
    static KNOWN: Mutex<BTreeMap<&Path, Vec<String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let made = known.entry(from).or_insert_with(|| {
        let clean = pg::database();
        run(transfer(from, &clean.url, &["--quiet"])).expect(0);
        state::objects(&clean.url)
    });
    made.clone()
}

/// Runs a command of a disturbed transfer: it may only end in one of these ways, and soon.
pub(super) fn disturbed(command: Command, codes: &[i32], tally: &mut Tally) -> Ended {
    let begun = Instant::now();
    let ended = run(command);
    let code = ended.code.unwrap_or_else(|| panic!("it was ended by a signal: {}", ended.stderr));
    assert!(codes.contains(&code), "exit code {code}: {}", ended.stderr);
    if begun.elapsed() > HANG {
        // Where every command takes a minute, a minute says nothing; the figures say so.
        assert!(is_starved(), "it hung for {:?}: {}", begun.elapsed(), ended.stderr);
        tally.note("longer than 60 s on a machine with more than 8 processes a core");
    }
    tally.ended(&ended);
    ended
}

/// Whether far more wants to run than there are cores.
fn is_starved() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
    load > 8.0 * std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// Looks whether everything is there exactly once, running the same command again until it is done. A
/// command that wrote nothing left nothing behind.
pub(super) fn settle_after(ended: &Ended, from: &'static Path, url: &str, tally: &mut Tally) {
    match ended.code {
        Some(0) => expect_all(from, url),
        _ if state::everything(url) == ["public"] => tally.note("before the first write"),
        _ => settle(from, url),
    }
}

fn expect_all(from: &'static Path, url: &str) {
    state::expect_exact(from, url);
    assert_eq!(state::objects(url), objects(from));
}

/// Runs the same command until it is done, and looks whether everything is there exactly once.
pub(super) fn settle(from: &'static Path, url: &str) {
    let mut last = None;
    for _ in 0..TRIES {
        let ended = run(transfer(from, url, &[]));
        if ended.code == Some(0) {
            return expect_all(from, url);
        }
        last = Some(ended);
    }
    panic!("not done after {TRIES} commands without a fault: {last:?}");
}

/// The number from which on no fault takes place any more.
#[derive(Debug)]
pub(super) struct Quiet(AtomicU64);

impl Quiet {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// A trial of this number met no fault.
    pub(super) fn from(&self, number: u64) {
        self.0.fetch_min(number, Ordering::Relaxed);
    }

    /// Whether one of this number would not either. Threads make the numbers vary a little.
    pub(super) fn is_at(&self, number: u64) -> bool {
        number > self.0.load(Ordering::Relaxed).saturating_add(20)
    }
}

/// What came of the trials of a kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Trials that ended as they must.
    pub(super) trials: u64,
    /// Faults that took place in them.
    pub(super) faults: u64,
    /// Exit codes of the disturbed commands.
    codes: BTreeMap<i32, u64>,
    /// Whatever else is worth counting.
    notes: BTreeMap<String, u64>,
    longest: Duration,
    failures: Vec<String>,
    is_skipped: bool,
}

impl Tally {
    pub(super) fn ended(&mut self, ended: &Ended) {
        *self.codes.entry(ended.code.unwrap_or(-1)).or_default() += 1;
    }

    pub(super) fn note(&mut self, what: &str) {
        *self.notes.entry(what.to_owned()).or_default() += 1;
    }

    /// The trial was not worth it, and does not count.
    pub(super) fn skip(&mut self) {
        self.is_skipped = true;
    }

    fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.faults += other.faults;
        self.longest = self.longest.max(other.longest);
        self.failures.extend(other.failures);
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (note, count) in other.notes {
            *self.notes.entry(note).or_default() += count;
        }
    }
}

/// Runs trials by their numbers on several threads, and prints a row of the table of figures.
///
/// # Panics
/// At the end, when any failed.
#[track_caller]
pub(super) fn run_all(
    kind: &str,
    threads: usize,
    numbers: impl IntoIterator<Item = u64>,
    trial: impl Fn(u64, &mut Tally) + Sync,
) -> Tally {
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let (next, begun_all) = (AtomicUsize::new(0), Instant::now());
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(numbers.len()) {
            scope.spawn(|| {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (mut tally, begun) = (Tally::default(), Instant::now());
                    let done = catch_unwind(AssertUnwindSafe(|| trial(*number, &mut tally)));
                    tally.longest = begun.elapsed();
                    tally.trials += u64::from(!tally.is_skipped);
                    if done.is_err() {
                        tally.failures.push(format!("{kind}, trial {number}, seed {}", seed()));
                    }
                    let mut all = all.lock().unwrap();
                    all.add(tally);
                    if all.trials.is_multiple_of(SO_FAR) {
                        tell(&format!("{kind}, so far"), &all, begun_all.elapsed());
                    }
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    tell(kind, &all, begun_all.elapsed());
    assert!(all.failures.is_empty(), "failed: {:#?}", all.failures);
    all
}

/// A row of the table in docs/reliability.md.
#[allow(clippy::print_stderr, reason = "the figures of a run are its result")]
fn tell(kind: &str, tally: &Tally, took: Duration) {
    let mut codes = String::new();
    for (code, count) in &tally.codes {
        let _ = write!(codes, "{}{count} x {code}", if codes.is_empty() { "" } else { ", " });
    }
    for (note, count) in &tally.notes {
        let _ = write!(codes, "{}{count} {note}", if codes.is_empty() { "" } else { ", " });
    }
    eprintln!(
        "| {kind} | {} | {} | {codes} | {} failed; longest trial {:.0} s, all {:.0} s, seed {} |",
        tally.trials,
        tally.faults,
        tally.failures.len(),
        tally.longest.as_secs_f64(),
        took.as_secs_f64(),
        seed()
    );
}
