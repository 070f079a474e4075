//! Servers and roles that will not do: exit 4 or 2, what is wrong and what to do, no password, and
//! nothing left in the target.

use std::io::{Read, Write};
use std::net::TcpListener;

use litelift::scratch::{Binaries, Server, Settings};

use super::process::{run, transfer};
use super::state;
use crate::support::fixture::{self, Fixture};
use crate::support::pg;

const SECRET: &str = "s3cret";

fn source() -> Fixture {
    fixture::from_sql("app.db", "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
}

/// Standard error of a transfer that ends with this code.
#[track_caller]
fn refused(source: &Fixture, url: &str, code: i32) -> String {
    let ended = run(transfer(&source.path, url, &["--verbose"])).expect(code);
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!all.contains(SECRET), "{all}");
    ended.stderr
}

#[test]
fn what_is_no_server() {
    let source = source();
    let refused = |url: &str, code| refused(&source, url, code);
    insta::assert_snapshot!(refused("postgres://app:s3cret@127.0.0.1:1/db", 4), @r"
    error: could not connect to db at 127.0.0.1:1 as app
    detail: Connection refused (os error 111).
    hint: Is the server running there, and does it accept connections from here?
    ");
    insta::assert_snapshot!(refused("postgres://app:s3cret@/db?host=/none", 4), @r"
    error: could not connect to db at /none as app
    detail: No such file or directory (os error 2).
    hint: Is the server running there, and does it accept connections from here?
    ");
    let unknown = refused("postgres://app:s3cret@no-such-host.invalid/db", 4);
    assert!(
        unknown.contains("error: could not connect to db at no-such-host.invalid:5432 as app\n")
    );
    insta::assert_snapshot!(refused("postgres://app:s3cret@h:99999/db", 2), @r#"
    error: the target URL cannot be read
    detail: Its parameter "port" is not one that this version knows, or its value is wrong.
    hint: Give it as postgresql://user:password@host:5432/database; write special characters of the password as % and two hexadecimal digits.
    "#);
    insta::assert_snapshot!(refused("postgres://app:s3cret%zz@h/db", 2), @r"
    error: the user or password of the target URL holds a character that must be escaped
    detail: In a URL, the characters @ : / ? # [ ] % of a user name or password are written as % and two hexadecimal digits.
    hint: Write @ as %40, / as %2F, # as %23, ? as %3F, % as %25.
    ");
    insta::assert_snapshot!(refused("mysql://app:s3cret@h/db", 2), @r"
    error: the target URL does not begin with postgresql://
    hint: Give it as postgresql://user:password@host:5432/database.
    ");
    insta::assert_snapshot!(refused("dev.db", 2), @r"
    error: the target URL cannot be read
    hint: Give it as postgresql://user:password@host:5432/database; write special characters of the password as % and two hexadecimal digits.
    ");
}

#[test]
fn what_listens_but_is_no_postgres() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://app:s3cret@{}/db", listener.local_addr().unwrap());
    let source = source();
    let server = std::thread::spawn(move || {
        for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
            let mut socket = listener.accept().unwrap().0;
            // All of it comes at once; a socket closed over unread bytes resets the connection.
            let _ = socket.read(&mut [0; 512]).unwrap();
            socket.write_all(answer).unwrap();
        }
    });
    for _ in 0..2 {
        let shown = refused(&source, &url, 4);
        assert!(shown.contains("hint: Is it PostgreSQL that listens there?\n"), "{shown}");
    }
    server.join().unwrap();
}

#[test]
fn passwords_and_databases() {
    let server = Server::start(&Binaries::find(None).unwrap(), &Settings::default()).unwrap();
    let admin = server.url("postgres");
    pg::query_text(&admin, "create role app login password 'right one'");
    let hba = server.folder().join("data/pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    // First match wins.
    let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(&hba).unwrap();
    write!(file, "local all app scram-sha-256\n{rules}").unwrap();
    pg::query_text(&admin, "select pg_reload_conf()");
    let source = source();
    let url = |user: &str, database: &str| {
        server.url(database).replace("postgresql://postgres@", &format!("postgresql://{user}@"))
    };
    let shown = |url: &str| {
        let folder = server.socket_dir().display().to_string();
        refused(&source, url, 4).replace(&folder, "FOLDER")
    };
    // The reload takes a moment.
    super::process::eventually("passwords are asked for", || {
        run(transfer(&source.path, &url("app", "postgres"), &["--dry-run"])).code == Some(4)
    });
    insta::assert_snapshot!(shown(&url("app", "postgres")), @r"
    error: could not connect to postgres at FOLDER as app
    detail: Password missing.
    hint: Give the password in the URL, if the server asks for one.
    ");
    insta::assert_snapshot!(shown(&url("app:s3cret", "postgres")), @r#"
    error: could not connect to postgres at FOLDER as app: password authentication failed for user "app"
    hint: Check user and password of the URL, and the server's pg_hba.conf.
    "#);
    insta::assert_snapshot!(shown(&url("postgres", "none")), @r#"
    error: could not connect to none at FOLDER as postgres: database "none" does not exist
    hint: Create the database first: createdb, or CREATE DATABASE in psql.
    "#);
    insta::assert_snapshot!(shown(&url("nobody", "postgres")), @r#"
    error: could not connect to postgres at FOLDER as nobody: role "nobody" does not exist
    hint: Check user and password of the URL, and the server's pg_hba.conf.
    "#);
    let right = url("app:right%20one", "postgres");
    pg::query_text(
        &admin,
        "grant create on database postgres to app; grant create on schema public to app",
    );
    run(transfer(&source.path, &right, &[])).expect(0);
}

#[test]
fn roles_without_rights() {
    let source = source();
    let target = pg::database();
    let name = &target.name;
    let (low, half, ro) = (format!("{name}_low"), format!("{name}_half"), format!("{name}_ro"));
    target.execute(&format!(
        "create role {low} login; create role {half} login; grant create on database {name} to {half};
         create role {ro} login superuser; alter role {ro} set default_transaction_read_only = on;
         revoke create on schema public from public"
    ));
    let url =
        |role: &str| target.url.replace("postgresql://postgres@", &format!("postgresql://{role}@"));
    let shown = |role: &str| refused(&source, &url(role), 4).replace(name, "NAME");
    insta::assert_snapshot!(shown(&low), @r#"
    error: could not create schema litelift for the checkpoints: permission denied for database NAME
    hint: The role needs CREATE on the database (for the schema "litelift", which holds the checkpoints) and on the target schema.
    hint: Or without it: `--checkpoint FILE` keeps the checkpoints in a file of this machine, `--no-resume` keeps none.
    "#);
    insta::assert_snapshot!(shown(&half), @r#"
    error: could not create tables in schema "public": permission denied for schema public
    hint: The role needs CREATE on the database (for the schema "litelift", which holds the checkpoints) and on the target schema.
    "#);
    insta::assert_snapshot!(shown(&ro), @r"
    error: could not create schema litelift for the checkpoints: cannot execute CREATE SCHEMA in a read-only transaction
    hint: The server is a read-only standby, or the role is set to read only: connect to the primary.
    ");
    assert_eq!(state::everything(&target.url), ["public"]);

    // The bookkeeping of somebody else.
    run(transfer(&source.path, &target.url, &["--into", "theirs"])).expect(0);
    insta::assert_snapshot!(shown(&half), @r#"
    error: schema litelift, which holds the checkpoints, was made by another role
    detail: It belongs to "postgres", and this role may not use it.
    hint: Connect as that role, or drop the schema: it is only needed to continue a transfer.
    hint: Or, as that role or a superuser: GRANT USAGE ON SCHEMA litelift TO "NAME_half"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA litelift TO "NAME_half";
    "#);
    target.execute(&format!(
        "grant usage on schema theirs to {half}; grant select on theirs.t to {half}"
    ));
    let mut verify = super::process::verify(&source.path, &url(&half));
    verify.args(["--into", "theirs"]);
    run(verify).expect(0);
    target.execute(&format!(
        "drop owned by {half}; drop role {low}; drop role {half}; drop role {ro}"
    ));
}

#[test]
fn databases_that_do_not_hold_unicode() {
    let source = source();
    let admin = pg::server_url();
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let target = pg::database();
        let name = format!("{}_{}", target.name, encoding.to_lowercase());
        pg::query_text(
            &admin,
            &format!(
                "create database {name} encoding '{encoding}' template template0
                   lc_collate 'C' lc_ctype 'C'"
            ),
        );
        let url = target.url.replace(&target.name, &name);
        let stderr = refused(&source, &url, 4);
        let text = format!("error: the target database has encoding {encoding}\n");
        assert!(stderr.starts_with(&text), "{stderr}");
        assert_eq!(state::everything(&url), ["public"]);
        pg::query_text(&admin, &format!("drop database {name}"));
    }
}
