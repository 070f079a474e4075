//! Checkpoints in a file of this machine, or none: for roles that may not have schema litelift.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::process::{Running, eventually, run, transfer};
use super::state;
use crate::data_only::target as role;
use crate::support::generate::Random;
use crate::support::{compare, fixture, pg};

const SCHEMAS: &str = "select count(*) from pg_namespace where nspname = 'litelift'";

#[track_caller]
fn expect_same(from: &Path, url: &str, objects: &[String]) {
    compare::compare_by_name(from, url, "public").unwrap().expect_same();
    assert_eq!(state::objects(url), objects);
    assert_eq!(state::one(url, SCHEMAS), "0");
}

/// What a transfer makes beside the rows.
fn objects_of(from: &Path) -> Vec<String> {
    let clean = pg::database();
    run(transfer(from, &clean.url, &["--quiet"])).expect(0);
    state::objects(&clean.url)
}

#[test]
fn a_role_that_may_not_make_a_schema_is_told_both_ways_and_each_works() {
    let source = state::small();
    let from = &source.path;
    let objects = objects_of(from);
    role::role("litelift_test_local");
    for way in ["file", "none"] {
        let target = pg::database();
        target.execute("grant create on schema public to litelift_test_local");
        let url = &role::as_role(&target.url, "litelift_test_local");
        run(transfer(from, url, &[])).expect(4).says(&[
            "create schema litelift",
            "`--checkpoint FILE`",
            "`--no-resume`",
        ]);
        assert_eq!(state::everything(&target.url), ["public"]);
        let file = source.folder.path().join("run.checkpoint");
        let file = file.to_str().unwrap();
        if way == "file" {
            run(transfer(from, url, &["--checkpoint", file])).expect(0);
            expect_same(from, &target.url, &objects);
            let ended = run(transfer(from, url, &["--checkpoint", file, "--json"])).expect(0);
            assert_eq!(ended.json()["outcome"], "already_done");
            // Of another transfer it says nothing.
            run(transfer(from, url, &["--checkpoint", file, "--into", "other"]))
                .expect(7)
                .says(&["The schema was \"public\" when the transfer began, now it is \"other\"."]);
            run(transfer(from, &target.url, &["--checkpoint", file]))
                .expect(7)
                .says(&["The target was ", "hint: Give another --checkpoint FILE"]);
        } else {
            run(transfer(from, url, &["--no-resume"])).expect(0);
            expect_same(from, &target.url, &objects);
            run(transfer(from, url, &["--no-resume"])).expect(8).says(&["exist already"]);
        }
    }
}

#[test]
fn killed_at_random_moments_a_file_is_enough_to_arrive_exactly_once() {
    let source = state::small();
    let from = &source.path;
    let objects = objects_of(from);
    let seed = state::number("LITELIFT_SEED", u64::from(std::process::id()));
    let mut random = Random::new(seed);
    let kills = state::number("LITELIFT_KILLS", 6);
    let (mut killed, mut round) = (0, 0);
    while killed < kills {
        round += 1;
        let target = pg::database();
        let url = &target.url;
        target.execute(state::SLOW_COPIES);
        let path = source.folder.path().join(format!("run {round}.checkpoint"));
        let file = path.to_str().unwrap();
        for _ in 0..4 {
            let running = Running::start(transfer(from, url, &["--checkpoint", file, "--quiet"]));
            std::thread::sleep(Duration::from_millis(u64::from(random.below(900)) + 50));
            if !running.kill() {
                break;
            }
            killed += 1;
            forget_some_answers(&path, &mut random);
        }
        run(transfer(from, url, &["--checkpoint", file, "--quiet"])).expect(0);
        target.execute(state::QUICK_COPIES);
        expect_same(from, url, &objects);
    }
}

/// As if the process had ended between a COMMIT and its answer; and a line that was not written whole.
fn forget_some_answers(path: &Path, random: &mut Random) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("{\"Committed") || random.below(2) == 0)
        .collect();
    let mut text = kept.join("\n");
    if !text.is_empty() {
        text.push_str("\n{\"Intended\":{\"xid\":7");
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_server_that_crashes_leaves_both_sides_agreeing() {
    let source = state::small();
    let from = &source.path;
    let objects = objects_of(from);
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let path = source.folder.path().join("run.checkpoint");
    let file = path.to_str().unwrap();
    let running = Running::start(transfer(from, url, &["--checkpoint", file, "--retry-for", "0"]))
        .until("ranges are there", || {
            std::fs::read_to_string(&path).is_ok_and(|text| text.matches("Committed").count() > 3)
        });
    target.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name = 'litelift'",
    );
    running.end().expect(4);
    // A table that lost its rows is told, and nothing is sent twice.
    let one =
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and pg_relation_size(oid) > 0 order by 1 limit 1";
    let one = state::one(url, one);
    target.execute(&format!(
        "create table public.kept as table public.{one}; delete from public.{one} where id = 7"
    ));
    let holds = "error: tables do not hold the rows that were committed";
    run(transfer(from, url, &["--checkpoint", file]))
        .expect(8)
        .says(&[holds, &format!("\"{one}\" has 99 rows, but 100")]);
    target.execute(&format!(
        "insert into public.{one} select * from public.kept where id = 7; drop table public.kept"
    ));
    run(transfer(from, url, &["--checkpoint", file])).expect(0).says(&["Continuing: "]);
    target.execute(state::QUICK_COPIES);
    expect_same(from, url, &objects);
}

#[test]
fn without_resume_what_is_not_complete_is_named() {
    let source = state::small();
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(state::SLOW_COPIES);
    let count = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and pg_relation_size(oid) > 0";
    let running = Running::start(transfer(from, url, &["--no-resume"]))
        .until("rows are there", || state::one(url, count) != "0");
    running.signal(Signal::INT);
    let ended = running
        .end()
        .expect(5)
        .says(&["Not complete are \"t", "hint: With --no-resume nothing is kept"]);
    assert!(!ended.stderr.contains("Run the same command again"), "{}", ended.stderr);
    eventually("its sessions are gone", || state::sessions(url, false) == 0);
    run(transfer(from, url, &["--no-resume"])).expect(8).says(&["exist already"]);
    assert_eq!(state::one(url, SCHEMAS), "0");
}

#[test]
fn a_writer_fills_an_applications_tables_and_what_needs_the_journal_is_refused() {
    let source = fixture::from_sql(
        "app.db",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE child (id INTEGER PRIMARY KEY, parent INT REFERENCES parent);
         INSERT INTO parent VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (1, 1), (2, 2);",
    );
    let from = &source.path;
    let target = pg::database();
    let url = &target.url;
    target.execute(
        "create table parent (id int primary key, name text);
         create table child (id int primary key, parent int constraint child_of references parent);
         create index child_parent on child (parent)",
    );
    let path = source.folder.path().join("run.checkpoint");
    let file = path.to_str().unwrap();
    let before = state::objects(url);
    run(transfer(from, url, &["--data-only", "--checkpoint", file])).expect(8).says(&[
        "error: --checkpoint cannot take the application's keys, indexes or triggers away",
        "CREATE SCHEMA litelift",
    ]);
    run(transfer(from, url, &["--data-only", "--no-resume"]))
        .expect(8)
        .says(&["error: --no-resume cannot take"]);
    assert_eq!(state::objects(url), before);

    role::role("litelift_test_local");
    target.execute("grant select, insert, update on parent, child to litelift_test_local");
    let writer = &role::as_role(url, "litelift_test_local");
    run(transfer(from, writer, &["--data-only"]))
        .expect(8)
        .says(&["`--checkpoint FILE`", "`--no-resume`"]);
    run(transfer(from, writer, &["--data-only", "--checkpoint", file])).expect(0);
    expect_same(from, url, &before);
    target.execute("truncate parent, child");
    run(transfer(from, writer, &["--data-only", "--no-resume"])).expect(0);
    expect_same(from, url, &before);
}

#[test]
fn a_file_that_is_none_of_ours_is_left_alone() {
    let source = state::small();
    let target = pg::database();
    let other = source.folder.path().join("notes.txt");
    for text in ["my notes", "my notes\n", "{\"a\": 1}\n"] {
        std::fs::write(&other, text).unwrap();
        run(transfer(&source.path, &target.url, &["--checkpoint", other.to_str().unwrap()]))
            .expect(2)
            .says(&["error: --checkpoint \"", "cannot be used"]);
        assert_eq!(std::fs::read_to_string(&other).unwrap(), text);
    }
    let folder = source.folder.path().to_str().unwrap();
    run(transfer(&source.path, &target.url, &["--checkpoint", folder])).expect(2);
    let both = ["--checkpoint", folder, "--no-resume"];
    run(transfer(&source.path, &target.url, &both)).expect(2);
    assert_eq!(state::everything(&target.url), ["public"]);
}
