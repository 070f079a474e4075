//! The life of a server within one process.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use litelift::error::ErrorKind;
use litelift::scratch::{Binaries, Server, Settings};
use rustix::process::{Pid, getpgid, getpgrp};

use crate::support::pg::{explain, query_text};

fn start(settings: &Settings) -> Server {
    let binaries = Binaries::find(None).unwrap_or_else(|error| panic!("{}", explain(&error)));
    Server::start(&binaries, settings).unwrap_or_else(|error| panic!("{}", explain(&error)))
}

fn one(server: &Server, sql: &str) -> String {
    query_text(&server.url("postgres"), sql).pop().flatten().unwrap()
}

fn postmaster(server: &Server) -> i32 {
    let text = std::fs::read_to_string(server.folder().join("data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

#[test]
fn a_server_starts_answers_and_leaves_nothing() {
    let server = start(&Settings::default());
    assert!(one(&server, "show server_version").starts_with(server.version()));
    assert_eq!(one(&server, "select current_user"), server.user());
    assert_eq!(one(&server, "show server_encoding"), "UTF8");
    assert_eq!(one(&server, "show listen_addresses"), "");
    assert_eq!(one(&server, "show fsync"), "off");
    assert_eq!(one(&server, "show data_directory"), format!("{}/data", server.folder().display()));

    let mode = server.folder().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(server.log_path().starts_with(server.folder()) && server.log_path().is_file());
    assert!(server.socket_dir().join(".s.PGSQL.5432").exists());

    // A Ctrl-C in the terminal goes to our process group only.
    let pid = postmaster(&server);
    assert_ne!(getpgid(Pid::from_raw(pid)).unwrap(), getpgrp());

    let folder = server.folder().to_owned();
    server.stop().unwrap();
    assert!(!folder.exists());
    assert!(getpgid(Pid::from_raw(pid)).is_err(), "the server is stopped and reaped");
}

#[test]
fn two_servers_run_at_once_and_a_crash_keeps_the_data() {
    let settings =
        Settings { durable: true, extra: vec![("work_mem".to_owned(), "5MB".to_owned())] };
    let mut one_server = start(&settings);
    let other = start(&Settings::default());
    assert_eq!(one(&one_server, "show fsync"), "on");
    assert_eq!(one(&one_server, "show work_mem"), "5MB");

    one(&one_server, "create table t as select 7 as n; select n::text from t");
    one_server.stop_immediate().unwrap();
    one_server.stop_immediate().unwrap();
    assert!(one_server.folder().exists());
    one_server.start_again().unwrap();
    let pid = postmaster(&one_server);
    one_server.start_again().unwrap();
    assert_eq!(postmaster(&one_server), pid, "it ran already");
    assert_eq!(one(&one_server, "select n::text from t"), "7");

    assert_eq!(one(&other, "select count(*)::text from pg_class where relname = 't'"), "0");
    let folders = [one_server.folder().to_owned(), other.folder().to_owned()];
    // A session that stays open must not hold up the end.
    let url = other.url("postgres");
    let (running, started) = std::sync::mpsc::channel();
    let session = std::thread::spawn(move || {
        running.send(()).unwrap();
        std::panic::catch_unwind(|| query_text(&url, "select pg_sleep(60)"))
    });
    started.recv().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    drop((one_server, other));
    assert!(folders.iter().all(|folder| !folder.exists()));
    assert!(session.join().unwrap().is_err());
}

#[test]
fn a_stopped_server_can_be_dropped() {
    let mut server = start(&Settings::default());
    let folder = server.folder().to_owned();
    server.stop_immediate().unwrap();
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn a_panic_cleans_up() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let outcome = std::panic::catch_unwind(|| {
        let server = start(&Settings::default());
        sender.send((server.folder().to_owned(), postmaster(&server))).unwrap();
        panic!("on purpose");
    });
    assert!(outcome.is_err());
    let (folder, pid) = receiver.recv().unwrap();
    assert!(!folder.exists());
    assert!(getpgid(Pid::from_raw(pid)).is_err());
}

#[test]
fn programs_that_cannot_do_it_are_named() {
    let dir = tempfile::Builder::new().prefix("ll").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = |name: &str, script: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    };
    program("initdb", "echo the disk is full >&2; exit 3");
    program("postgres", "echo 'postgres (PostgreSQL) 99.1'");
    let binaries = Binaries::find(Some(dir.path())).unwrap();
    let error = Server::start(&binaries, &Settings::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
    assert_eq!(error.full_detail().as_deref(), Some("the disk is full"));

    program("initdb", "kill -9 $$");
    let error = Server::start(&binaries, &Settings::default()).unwrap_err();
    let status = std::process::ExitStatus::from_raw(9);
    assert_eq!(error.full_detail(), Some(format!("It ended with {status}.")));

    program("postgres", "echo what >&2");
    let error = Server::start(&binaries, &Settings::default()).unwrap_err();
    assert!(error.message().ends_with("postgres\" does not tell its version"), "{error}");
}

#[test]
fn an_explicit_folder_without_programs_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = Binaries::find(Some(dir.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().ends_with("no program initdb and no program postgres"), "{error}");
}
