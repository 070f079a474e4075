//! `litelift verify` by itself, of tables that an application made: with its run, and without.

use super::target::{self, Target};
use crate::resume::process::{litelift, run, transfer};
use crate::support::fixture::{self, Fixture};

fn source() -> Fixture {
    fixture::from_sql(
        "app.db",
        "CREATE TABLE \"DownloadClients\" (Id INTEGER PRIMARY KEY, Name TEXT);
         INSERT INTO DownloadClients VALUES (1, 'a'), (7, 'b');
         CREATE TABLE Regions (Id INTEGER PRIMARY KEY); INSERT INTO Regions VALUES (3);
         CREATE TABLE Cache (k TEXT); INSERT INTO Cache VALUES ('x');
         CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('2f');",
    )
}

fn app() -> Target {
    target::target(
        "CREATE TABLE download_clients (id serial PRIMARY KEY, name text);
         CREATE TABLE region (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
         CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('2f');
         CREATE TABLE alembic_version_2 (x int);",
    )
}

const LOAD: [&str; 6] = ["--data-only", "--quiet", "--skip", "Cache", "--rename", "Regions=region"];

#[test]
fn what_was_left_out_is_said_and_no_difference() {
    let (source, target) = (source(), app());
    run(transfer(&source.path, &target.url, &LOAD)).expect(0);
    let from = source.path.to_str().unwrap();
    let verify = |more: &[&str]| {
        let fixed = ["verify", "--from", from, "--to", &target.url];
        run(litelift(&[&fixed[..], more].concat()))
    };
    verify(&[])
        .expect(0)
        .prints(&["table Cache: run 1 left it out", "table alembic_version: run 1 left it out"]);
    // A run that nobody remembers, and the names of the two sides.
    target.execute("DROP SCHEMA litelift CASCADE");
    verify(&["--skip", "Cache", "--rename", "Regions=region"])
        .expect(0)
        .prints(&["Alembic keep it", "match in all 2 tables: 3 rows"]);
    verify(&["--skip", "Cache"]).expect(1).prints(&["Regions", "differ in 1 of 2 tables"]);
    verify(&["--rename", "Region=region"]).expect(2).says(&["names no table or column"]);
    target.execute("CREATE TABLE \"Download_Clients\" ()");
    verify(&[]).expect(8).says(&["\"DownloadClients\" could be", "--rename"]);
}

#[test]
fn a_sequence_that_would_give_out_an_id_twice_is_a_difference() {
    let (source, target) = (source(), app());
    run(transfer(&source.path, &target.url, &LOAD)).expect(0);
    let from = source.path.to_str().unwrap();
    let verify = || run(litelift(&["verify", "--from", from, "--to", &target.url]));
    verify().expect(0);
    target.execute("ALTER SEQUENCE download_clients_id_seq RESTART WITH 7");
    verify().expect(1).prints(&[
        "behind (1 sequence)",
        "\"public\".\"download_clients_id_seq\" would give 7 to download_clients.id",
        "Set what is behind with setval()",
    ]);
    // One that may not be read is said not to be compared.
    target::role("litelift_test_reader");
    target.execute(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO litelift_test_reader;
         GRANT USAGE ON SCHEMA litelift TO litelift_test_reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA litelift TO litelift_test_reader",
    );
    let reader = target::as_role(&target.url, "litelift_test_reader");
    run(litelift(&["verify", "--from", from, "--to", &reader]))
        .expect(0)
        .prints(&["not compared", "permission denied for sequence"]);
}
