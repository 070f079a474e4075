//! Exit codes and documents of runs that end by themselves.

use super::process::{litelift, run, transfer, verify};
use super::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg;

fn source() -> Fixture {
    fixture::from_sql(
        "app.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
         INSERT INTO users VALUES (1, 'ann', 40), (2, 'bob', 'unknown'), (3, 'eve', NULL);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'x');
         CREATE VIEW adults AS SELECT * FROM users WHERE age > 17;",
    )
}

#[test]
fn strict_writes_nothing_when_something_would_differ() {
    let source = source();
    let target = pg::database();
    for more in [&["--strict"][..], &["--strict", "--dry-run"]] {
        run(transfer(&source.path, &target.url, more)).expect(1).says(&[
            "error: --strict: 2 things would not arrive as they are; nothing was written",
            "Column \"users\".\"age\" would become ",
            "The view \"adults\" would not be carried over",
        ]);
        assert_eq!(state::everything(&target.url), ["public"]);
    }
    run(transfer(&source.path, &target.url, &["--only", "posts"])).expect(0);
}

#[test]
fn verify_tells_what_differs() {
    let source = source();
    let target = pg::database();
    let check = |more: &[&str]| {
        let mut command = verify(&source.path, &target.url);
        command.args(more);
        run(command)
    };
    run(transfer(&source.path, &target.url, &[])).expect(0);
    check(&[]).expect(0);
    target.execute("delete from users where id = 2");
    let document = check(&["--json"]).expect(1).json();
    assert_eq!(document["tables"][0]["source_rows"], 3);
    assert_eq!(document["tables"][0]["target_rows"], 2);
    check(&["--only", "posts"]).expect(0);
    target.execute("drop table posts");
    let document = check(&["--json"]).expect(1).json();
    assert!(document["tables"][1]["target_rows"].is_null());
    check(&["--only", "none"]).expect(2).says(&["error: --only \"none\" is the name of no table"]);
}

#[test]
fn a_run_whose_rows_differ_at_the_end_is_not_done() {
    let source = source();
    let target = pg::database();
    // As an application that is at work already: a row goes as soon as it comes.
    target.execute(
        "create function public.eat() returns trigger language plpgsql as
           $$ begin delete from public.users where id = 2; return null; end $$;
         create function public.hungry() returns event_trigger language plpgsql as $$ begin
           if to_regclass('public.users') is not null
               and not exists (select from pg_trigger where tgname = 'eat') then
             create trigger eat after insert on public.users execute function public.eat();
           end if; end $$;
         create event trigger hungry on ddl_command_end when tag in ('CREATE TABLE')
           execute function public.hungry()",
    );
    let eaten = |more: &[&str]| {
        let mut all = vec!["--only", "users", "--json"];
        all.extend(more);
        run(transfer(&source.path, &target.url, &all))
    };
    let document = eaten(&[]).expect(1).json();
    assert_eq!(document["verify"]["tables"][0]["target_rows"], 2);
    // Not "already transferred".
    let document = eaten(&[]).expect(1).json();
    assert_eq!(document["outcome"], "continued");
    target.execute("drop trigger eat on public.users");
    target.execute("insert into public.users values (2, 'bob', 'unknown')");
    assert_eq!(eaten(&[]).expect(0).json()["outcome"], "continued");
    assert_eq!(eaten(&[]).expect(0).json()["outcome"], "already_done");
}

#[test]
fn what_is_not_to_be_verified_is_not() {
    let source = source();
    let target = pg::database();
    let ended = run(transfer(&source.path, &target.url, &["--no-verify", "--json"])).expect(0);
    assert!(ended.json()["verify"].is_null());
    assert_eq!(state::one(&target.url, "select count(*) from users"), "3");
}

#[test]
fn every_document_has_a_version() {
    let source = source();
    let target = pg::database();
    let url = &target.url;
    for code_and_more in [
        (0, &["--dry-run", "--json"][..]),
        (1, &["--strict", "--json"]),
        (2, &["--only", "none", "--json"]),
        (2, &["--skip", "none", "--json"]),
        (0, &["--json"]),
        (7, &["--only", "users", "--json"]),
    ] {
        let document = run(transfer(&source.path, url, code_and_more.1)).expect(code_and_more.0);
        let document = document.json();
        let has_error = document.get("error").is_some();
        assert_eq!(has_error, code_and_more.0 != 0, "{document}");
        if has_error {
            assert_eq!(document["error"]["exit_code"], code_and_more.0);
        }
    }
    let mut inspect = litelift(&["inspect", "--format", "json", "--from"]);
    inspect.arg(&source.path);
    run(inspect).expect(0).json();
}
