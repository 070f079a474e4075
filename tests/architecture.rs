//! The rules of ARCHITECTURE.md that a compiler does not check, read off the sources.
//!
//! Purpose: each rule is a function from files to complaints, so that it is shown to fail on a small
//! text before it is trusted on the whole. Unit tests are free to use what they like.

use crate::support::rust_source::{Named, SourceFile};

/// Who may name what. A room is a path below `src/` without `.rs`; it stands for all files in it,
/// and with `*` for all files that begin with it.
const MAY_NAME: &[(&[&str], &[&str])] = &[
    (
        &["rusqlite"],
        &["introspect/sqlite*", "introspect/check", "introspect/profile", "read", "verify"],
    ),
    (
        &["tokio_postgres", "deadpool_postgres", "deadpool"],
        &[
            "introspect/postgres",
            "connect",
            "copy",
            "checkpoint",
            "finish",
            "verify",
            "sync",
            "scratch",
        ],
    ),
    // Async only where a socket is, and in what calls those rooms.
    (
        &["tokio"],
        &[
            "introspect/postgres",
            "connect",
            "copy",
            "checkpoint",
            "finish",
            "verify",
            "sync",
            "scratch",
            "transfer",
            "rehearse",
            "event",
            "cli",
        ],
    ),
    (&["sqlite3_parser"], &["introspect/ddl"]),
    (&["rayon"], &["introspect/check", "introspect/profile", "verify"]),
    (&["indicatif"], &["cli/progress*"]),
    (&["clap"], &["cli"]),
    (&["crate::cli"], &["cli", "main"]),
    (&["litelift"], &["main"]),
    (&["std::process::exit"], &["cli"]),
];

/// Rooms that decide and convert: the same input gives the same output, on any machine.
const PURE: [&str; 5] = ["map", "plan", "encode", "model", "verify/witness"];
const NOT_PURE: [&str; 8] = [
    "rusqlite",
    "tokio_postgres",
    "deadpool_postgres",
    "tokio",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
];

const STAGES: [&str; 9] =
    ["introspect", "map", "plan", "read", "encode", "copy", "checkpoint", "finish", "verify"];

/// Names that say nothing about what is in a module.
const EMPTY_NAMES: [&str; 9] =
    ["utils", "util", "common", "helpers", "helper", "types", "misc", "lib_utils", "shared"];

const FILE_LINES_MAX: usize = 800;
const MAIN_LINES_MAX: usize = 30;

fn sources() -> Vec<SourceFile> {
    SourceFile::below(&["src"])
}

fn everything() -> Vec<SourceFile> {
    SourceFile::below(&["src", "tests", "fixtures", "benches"])
}

#[track_caller]
fn expect_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "ARCHITECTURE.md says otherwise:\n{}", complaints.join("\n"));
}

fn is_in_room(file: &SourceFile, room: &str) -> bool {
    let Some(stem) = file.stem().strip_prefix("src/") else { return false };
    match room.strip_suffix('*') {
        Some(begin) => stem.starts_with(begin),
        None => {
            stem.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}

fn complain(file: &SourceFile, named: &Named, why: &str) -> String {
    format!("{}:{}: names {}: {why}", file.path, named.line, named.path)
}

/// Code of files that are not only unit tests, with what it names.
fn code(files: &[SourceFile]) -> Vec<(&SourceFile, Vec<Named>)> {
    files.iter().filter(|file| !file.is_test()).map(|file| (file, file.names())).collect()
}

fn named_elsewhere(files: &[SourceFile], whats: &[&str], rooms: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, names) in code(files) {
        if rooms.iter().any(|room| is_in_room(file, room)) {
            continue;
        }
        for named in &names {
            if whats.iter().any(|what| named.is_in(what)) {
                let why = format!("only {} may", rooms.join(", "));
                complaints.push(complain(file, named, &why));
            }
        }
    }
    complaints
}

fn impure(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, names) in code(files) {
        let Some(room) = PURE.iter().find(|room| is_in_room(file, room)) else { continue };
        for named in names.iter().filter(|named| NOT_PURE.iter().any(|what| named.is_in(what))) {
            complaints.push(complain(file, named, &format!("{room} is pure")));
        }
    }
    complaints
}

fn printing(files: &[SourceFile]) -> Vec<String> {
    let prints = |named: &Named| {
        let last = named.path.rsplit("::").next().unwrap_or_default();
        let by_macro = ["print", "println", "eprint", "eprintln", "dbg"].contains(&last);
        let by_stream = named.path.ends_with("io::stdout") || named.path.ends_with("io::stderr");
        (named.is_macro && by_macro) || by_stream
    };
    let mut complaints = Vec::new();
    for (file, names) in code(files) {
        if !is_in_room(file, "cli") {
            let found = names.iter().filter(|named| prints(named));
            complaints.extend(found.map(|named| complain(file, named, "only cli prints")));
        }
    }
    complaints
}

/// `model` is what travels: it must not know where from or where to.
fn model_knows_others(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, names) in code(files).iter().filter(|(file, _)| is_in_room(file, "model")) {
        for named in names {
            if named.is_in("crate") && !named.is_in("crate::model") {
                complaints.push(complain(file, named, "model knows no other room"));
            }
        }
    }
    complaints
}

/// The witness must not make the encoder's mistakes: it takes the model's types and nothing else.
fn witness_knows_others(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, names) in code(files).iter().filter(|(file, _)| is_in_room(file, "verify/witness")) {
        let knows = |named: &&Named| {
            named.is_in("crate")
                && !named.is_in("crate::model")
                && !named.is_in("crate::verify::witness")
        };
        let found = names.iter().filter(knows);
        complaints.extend(found.map(|named| complain(file, named, "the witness stands alone")));
    }
    complaints
}

fn too_long(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let max = if file.path == "src/main.rs" { MAIN_LINES_MAX } else { FILE_LINES_MAX };
        let lines = file.text.lines().count();
        if lines > max {
            complaints.push(format!("{}: {lines} lines, and no more than {max} may be", file.path));
        }
    }
    complaints
}

fn empty_names(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let by_path = file.stem().split('/').filter(|part| EMPTY_NAMES.contains(part));
        complaints.extend(by_path.map(|part| format!("{}: what is in \"{part}\"?", file.path)));
        let by_mod = modules(file).into_iter().filter(|name| EMPTY_NAMES.contains(&name.as_str()));
        complaints.extend(by_mod.map(|name| format!("{}: what is in mod {name}?", file.path)));
    }
    complaints
}

/// The modules that a file declares, in its order, unit tests left out.
fn modules(file: &SourceFile) -> Vec<String> {
    let names = file.names();
    names.windows(2).filter(|two| two[0].path == "mod").map(|two| two[1].path.clone()).collect()
}

fn undocumented(files: &[SourceFile]) -> Vec<String> {
    let silent = |file: &&SourceFile| !file.is_test() && !file.text.starts_with("//! ");
    let say = |file: &SourceFile| format!("{}: does not begin with //! what it is for", file.path);
    files.iter().filter(silent).map(say).collect()
}

fn out_of_order(lib: &SourceFile) -> Vec<String> {
    let mut listed = modules(lib);
    listed.retain(|module| STAGES.contains(&module.as_str()));
    if listed == STAGES {
        return Vec::new();
    }
    vec![format!("{}: the stages stand as {listed:?}, not as {STAGES:?}", lib.path)]
}

#[test]
fn crates_stay_in_their_rooms() {
    let sources = sources();
    let of_one = |(whats, rooms): &(&[&str], &[&str])| named_elsewhere(&sources, whats, rooms);
    let complaints: Vec<String> = MAY_NAME.iter().flat_map(of_one).collect();
    expect_none(&complaints);
}

#[test]
fn rooms_that_decide_and_convert_are_pure() {
    expect_none(&impure(&sources()));
}

#[test]
fn only_cli_prints() {
    expect_none(&printing(&sources()));
}

#[test]
fn the_model_knows_no_other_room() {
    expect_none(&model_knows_others(&sources()));
}

#[test]
fn the_witness_shares_nothing_with_the_encoder() {
    expect_none(&witness_knows_others(&sources()));
}

#[test]
fn files_are_short() {
    expect_none(&too_long(&everything()));
}

#[test]
fn names_say_what_is_in_a_module() {
    expect_none(&empty_names(&everything()));
}

#[test]
fn every_file_says_what_it_is_for() {
    expect_none(&undocumented(&everything()));
}

#[test]
fn stages_stand_in_the_order_of_the_pipeline() {
    let sources = sources();
    let lib = sources.iter().find(|file| file.path == "src/lib.rs").unwrap();
    expect_none(&out_of_order(lib));
}

/// Rooms that no file is in would be rules about nothing.
#[test]
fn every_room_of_a_rule_exists_or_is_planned() {
    const PLANNED: [&str; 1] = ["introspect/postgres"];
    let sources = sources();
    let rooms = MAY_NAME.iter().flat_map(|(_, rooms)| *rooms).chain(&PURE);
    for room in rooms.filter(|room| !PLANNED.contains(room)) {
        assert!(sources.iter().any(|file| is_in_room(file, room)), "no file is in {room}");
    }
}

/// The rules, broken on purpose.
mod broken {
    use super::*;

    fn file(path: &str, text: &str) -> Vec<SourceFile> {
        vec![SourceFile { path: path.to_owned(), text: text.to_owned() }]
    }

    #[test]
    fn a_driver_in_the_wrong_room_is_found_with_its_line() {
        let rooms = ["introspect/sqlite*", "read"];
        let found = |path: &str, text: &str| {
            named_elsewhere(&file(path, text), &["rusqlite"], &rooms).join("\n")
        };
        let complaint = found("src/map/rules.rs", "//! Rules.\nuse rusqlite::Connection;\n");
        assert_eq!(
            complaint,
            "src/map/rules.rs:2: names rusqlite::Connection: only introspect/sqlite*, read may"
        );
        assert_ne!(found("src/map/rules.rs", "fn f(c: &rusqlite::Connection) {}"), "");
        assert_ne!(found("src/reader.rs", "use rusqlite::Connection;"), "");
        assert_ne!(found("src/introspect/ddl.rs", "use rusqlite::Connection;"), "");
        assert_eq!(found("src/read/range.rs", "use rusqlite::Connection;"), "");
        assert_eq!(found("src/introspect/sqlite_keys.rs", "use rusqlite::Connection;"), "");
        assert_eq!(found("src/map/rules.rs", "// rusqlite::Connection"), "");
        assert_eq!(found("src/map/rules.rs", "#[cfg(test)]\nmod t { use rusqlite::X; }"), "");
        assert_eq!(found("src/map/rules_tests.rs", "use rusqlite::X;"), "");
        assert_eq!(found("src/map/rules.rs", "use crate::rusqlite_like;"), "");
    }

    #[test]
    fn input_and_output_in_a_pure_room_are_found() {
        for text in ["use std::{fs, fmt};", "fn f() { std::net::TcpStream::connect(x) }"] {
            assert_eq!(impure(&file("src/encode/row.rs", text)).len(), 1, "{text}");
            assert!(impure(&file("src/read/row.rs", text)).is_empty(), "{text}");
        }
        assert!(impure(&file("src/plan/ddl.rs", "use std::fmt;")).is_empty());
    }

    #[test]
    fn every_way_to_print_is_found() {
        for text in [
            "fn f() { println!() }",
            "fn f() { std::eprintln!(\"\") }",
            "use std::io::{self, stdout};",
            "fn f() { io::stderr().lock() }",
            "fn f() { dbg!(1) }",
        ] {
            assert_eq!(printing(&file("src/copy/run.rs", text)).len(), 1, "{text}");
            assert!(printing(&file("src/cli/output.rs", text)).is_empty(), "{text}");
        }
        let innocent = "fn f() { command.stdout(log); let println = 1; Look::stdout() }";
        assert!(printing(&file("src/scratch/server.rs", innocent)).is_empty());
    }

    #[test]
    fn a_model_that_knows_a_stage_is_found() {
        let text = "use crate::model::mark::Mark;\nuse crate::encode::field;";
        assert_eq!(model_knows_others(&file("src/model/plan.rs", text)).len(), 1);
        assert!(model_knows_others(&file("src/plan/build.rs", text)).is_empty());
    }

    #[test]
    fn a_witness_that_asks_the_encoder_is_found() {
        let text = "use crate::model::value::Value;\nuse crate::encode::iso;";
        let path = "src/verify/witness/moment.rs";
        assert_eq!(witness_knows_others(&file(path, text)).len(), 1);
        assert!(witness_knows_others(&file("src/verify/counts.rs", text)).is_empty());
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(too_long(&file("tests/x.rs", &"\n".repeat(FILE_LINES_MAX + 1))).len(), 1);
        assert!(too_long(&file("tests/x.rs", &"\n".repeat(FILE_LINES_MAX))).is_empty());
        assert_eq!(too_long(&file("src/main.rs", &"\n".repeat(MAIN_LINES_MAX + 1))).len(), 1);
    }

    #[test]
    fn empty_names_are_found() {
        assert_eq!(empty_names(&file("src/copy/utils.rs", "")).len(), 1);
        assert_eq!(empty_names(&file("src/helpers/mod.rs", "")).len(), 1);
        assert_eq!(empty_names(&file("src/lib.rs", "pub mod read;\npub mod types;")).len(), 1);
        assert!(empty_names(&file("src/lib.rs", "pub mod model;")).is_empty());
    }

    #[test]
    fn silent_files_are_found() {
        assert_eq!(undocumented(&file("src/read/mod.rs", "use std::fs;\n//! Late.")).len(), 1);
        assert!(undocumented(&file("src/read/mod.rs", "//! Reads.\n")).is_empty());
    }

    #[test]
    fn stages_in_another_order_are_found() {
        let in_order: String = STAGES.iter().map(|stage| format!("pub mod {stage};\n\n")).collect();
        let with_others = format!("pub mod cli;\n{in_order}\nmod error;");
        assert!(out_of_order(&file("src/lib.rs", &with_others)[0]).is_empty());
        let swapped = in_order.replace("map", "x").replace("plan", "map").replace('x', "plan");
        assert_eq!(out_of_order(&file("src/lib.rs", &swapped)[0]).len(), 1);
        assert_eq!(out_of_order(&file("src/lib.rs", "")[0]).len(), 1);
    }
}
