//! What is in the target already stays as it is.

use super::process::{run, transfer};
use super::state;
use crate::support::fixture;
use crate::support::pg;

const SOURCE: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users, text TEXT);
    INSERT INTO posts VALUES (1, 1, 'hello');
    CREATE INDEX posts_user ON posts (user);";

#[test]
fn whatever_has_the_name_is_left_alone() {
    let source = fixture::from_sql("app.db", SOURCE);
    let target = pg::database();
    for (made, what, dropped) in [
        ("create table users (mine int)", "table", "drop table users"),
        ("create table users (mine int) partition by range (mine)", "table", "drop table users"),
        ("create view users as select 1 as mine", "view", "drop view users"),
        (
            "create materialized view users as select 1",
            "materialized view",
            "drop materialized view users",
        ),
        ("create sequence users", "sequence", "drop sequence users"),
        ("create table t (i int); create index users on t (i)", "index", "drop table t"),
        ("create type users as enum ('a')", "type", "drop type users"),
        ("create type users as (a int)", "type", "drop type users"),
        ("create domain users as int", "type", "drop domain users"),
    ] {
        target.execute(made);
        let before = state::everything(&target.url);
        for more in [&[][..], &["--restart"], &["--dry-run"]] {
            let ended = run(transfer(&source.path, &target.url, more)).expect(8);
            ended.says(&[
                &format!("error: {what} \"users\" exists already in schema \"public\""),
                "hint: Transfer into a schema of its own with --into NAME, or into an empty database.",
                "hint: Leave tables out with --skip TABLE, or drop them yourself.",
            ]);
            assert_eq!(state::everything(&target.url), before, "{made}");
        }
        target.execute(dropped);
    }
    assert_eq!(state::everything(&target.url), ["public"]);
}

#[test]
fn a_schema_of_its_own_is_made() {
    let source = fixture::from_sql("app.db", SOURCE);
    let target = pg::database();
    let url = &target.url;
    target.execute("create table users (mine int); insert into users values (1)");
    run(transfer(&source.path, url, &["--into", "New one"])).expect(0);
    assert_eq!(state::one(url, "select count(*) from \"New one\".users"), "2");
    assert_eq!(state::one(url, "select mine from public.users"), "1");
    // An index of ours steps aside for one that is there; a type does no harm to it.
    target.execute(
        "create schema busy; create table busy.t (i int); create index posts_user on busy.t (i)",
    );
    run(transfer(&source.path, url, &["--into", "busy"])).expect(0);
    let ours = "select count(*) from pg_indexes where schemaname = 'busy' and tablename = 'posts'
        and indexname like 'posts_user%'";
    assert_eq!(state::one(url, ours), "1");
}

#[test]
fn schemas_of_others_are_refused() {
    let source = fixture::from_sql("app.db", SOURCE);
    let target = pg::database();
    let long = "x".repeat(64);
    for (into, text) in [
        ("litelift", "error: --into \"litelift\" is a schema of litelift's own bookkeeping"),
        ("pg_catalog", "error: --into \"pg_catalog\" is a schema of PostgreSQL itself"),
        ("information_schema", "is a schema of PostgreSQL itself"),
        ("", "error: --into is empty"),
        (&long, "is too long"),
    ] {
        run(transfer(&source.path, &target.url, &["--into", into])).expect(2).says(&[text]);
    }
    assert_eq!(state::everything(&target.url), ["public"]);
}

#[test]
fn a_file_that_was_moved_is_known_by_its_rows_or_told_where_it_was() {
    let source = fixture::from_sql("app.db", SOURCE);
    let target = pg::database();
    run(transfer(&source.path, &target.url, &[])).expect(0);
    let moved = source.folder.path().join("moved.db");
    std::fs::rename(&source.path, &moved).unwrap();
    let text = format!("made by a transfer from \"{}\"", source.path.display());
    let lay = "The file lay at \"";
    let ended = run(transfer(&moved, &target.url, &["--json"])).expect(0).says(&[lay]);
    assert_eq!(ended.json()["outcome"], "already_done");
    std::fs::rename(&moved, &source.path).unwrap();
    run(transfer(&source.path, &target.url, &[])).expect(0).says(&[lay]);
    std::fs::rename(&source.path, &moved).unwrap();
    let connection = rusqlite::Connection::open(&moved).unwrap();
    let change = "PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id = 1";
    connection.execute_batch(change).unwrap();
    drop(connection);
    run(transfer(&moved, &target.url, &[])).expect(8).says(&[&text]);
    std::fs::remove_file(&moved).unwrap();
    let source = fixture::from_sql("app.db", SOURCE);
    let moved = &source.path;
    run(super::process::verify(moved, &target.url)).expect(0);
}
