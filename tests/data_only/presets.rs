//! `--app`: a preset does what its rows say, says so, and gives way to what the user says.

use std::sync::Arc;

use litelift::error::ErrorKind;
use litelift::event::{Cancel, Listener, Silent};
use litelift::options::{OnExisting, VerifyOptions};
use litelift::report::VerifyLevel;

use super::refusals::Case;
use crate::support::{fixture, pg, transfer};

const SOURCE: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, took BIGINT); INSERT INTO users VALUES (1, 1500000);
    CREATE TABLE seeded (id INTEGER PRIMARY KEY); INSERT INTO seeded VALUES (5), (6);
    CREATE TABLE sessions (id INTEGER PRIMARY KEY, secret TEXT); INSERT INTO sessions VALUES (1, 'x');
    CREATE TABLE Regions (id INTEGER PRIMARY KEY); INSERT INTO Regions VALUES (3);
    CREATE TABLE own (id INTEGER PRIMARY KEY); INSERT INTO own VALUES (9);
    CREATE TABLE version (id INTEGER PRIMARY KEY, version INT);
    INSERT INTO version VALUES (1, 7), (2, 12);";
const TARGET: &str = "
    CREATE TABLE users (id serial PRIMARY KEY, took interval);
    CREATE TABLE seeded (id serial PRIMARY KEY); INSERT INTO seeded VALUES (1);
    CREATE TABLE sessions (id serial PRIMARY KEY, secret text);
    CREATE TABLE region (id serial PRIMARY KEY);
    CREATE TABLE own (id int PRIMARY KEY); INSERT INTO own VALUES (1);
    CREATE TABLE version (id int PRIMARY KEY, version int); INSERT INTO version VALUES (1, 12);
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER stamp BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION stamp();";
const PRESET: &str = "option,value,why
# An application of our own.
skip,sessions,users log in again
skip,nothing_*,a table of an older version
on-existing,seeded=truncate,the first start made them
on-existing,absent=truncate,a table of a newer version
rename,Regions=region,the two schemas differ
rename,Gone=region,a table of an older version
protect,own,it is the server's
protect,absent,a table of a newer version
keep-trigger,stamp,it sets nothing
keep-trigger,absent,a trigger of a newer version
tracking,version=max(version),the application
rule,\"*,took,*,integers,interval,interval_us,\",durations count microseconds
rule,\"*,absent,*,integers,interval,interval_us,\",a column of a newer version
detect,users+own,Something of our own
";

/// The case with a preset in a file; the folder must live as long.
fn with_preset(text: &str) -> (Case, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my_app.csv");
    std::fs::write(&path, text).unwrap();
    let mut case = Case::new(SOURCE, TARGET);
    case.options.inspect.selection.apps = vec![path.display().to_string()];
    (case, folder)
}

#[test]
fn a_preset_does_what_its_rows_say_and_tells_what_had_an_effect() {
    let (case, folder) = with_preset(PRESET);
    let options = case.options.clone();
    let report = case.arrives(&["sessions", "own", "version", "users.took"]);
    let path = folder.path().join("my_app.csv").display().to_string();
    let notes: Vec<String> =
        report.notes.iter().map(|note| note.replace(&path, "my_app.csv")).collect();
    insta::assert_snapshot!(notes.join("\n"), @r#"
    Table "own" is protected: nothing of it is copied (--app my_app.csv: it is the server's).
    Table "version" (--app my_app.csv: the application) is left as it is: both sides are at 12.
    Option rename Regions=region (--app my_app.csv: the two schemas differ).
    Option keep-trigger stamp (--app my_app.csv: it sets nothing).
    Table "Regions" goes into "region".
    Table "seeded" is emptied first; rows in it: 1 (--app my_app.csv: the first start made them).
    Column "users.took" goes by rule *,took,*,integers,interval,interval_us (--app my_app.csv: durations count microseconds).
    Table "sessions" is left out (--app my_app.csv: users log in again).
    "#);
    // The same again has nothing to do; another preset is another transfer.
    let again = transfer::run(&options).unwrap();
    assert_eq!(again.notes, report.notes);
    let mut other = options.clone();
    other.inspect.selection.apps.push("laravel".to_owned());
    let error = transfer::run(&other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(pg::explain(&error).contains("--app was"), "{}", pg::explain(&error));
    std::fs::write(&path, PRESET.replace("skip,sessions", "skip,session*")).unwrap();
    let error = transfer::run(&options).unwrap_err();
    assert!(pg::explain(&error).contains("What --app stands for"), "{}", pg::explain(&error));
}

#[test]
fn what_the_user_says_wins() {
    let (case, _folder) = with_preset(PRESET);
    case.with(|wanted| wanted.on_existing = vec![(Some("seeded".into()), OnExisting::Refuse)])
        .refused(ErrorKind::TargetState, &["\"seeded\" has 1 row"]);
    let (case, _folder) = with_preset(PRESET);
    case.with(|wanted| wanted.on_existing = vec![(None, OnExisting::Refuse)])
        .refused(ErrorKind::TargetState, &["\"seeded\" has 1 row"]);
    // His own patterns must match something, whatever the presets'.
    let (case, _folder) = with_preset(PRESET);
    case.with(|wanted| wanted.protect = vec!["absent".into()])
        .refused(ErrorKind::Usage, &["--protect \"absent\" is the name of no table"]);
    // His rules come first: here they are seconds.
    let (case, _folder) = with_preset(PRESET);
    let case = case.rules("users,took,*,*,interval,interval_s,\n");
    transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(case.target.one("SELECT extract(epoch FROM took)::int::text FROM users"), "1500000");
    // A table that he names is meant.
    let (mut case, _folder) = with_preset(PRESET);
    case.options.inspect.selection.only = vec!["sessions".into()];
    transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    assert_eq!(case.target.one("SELECT secret FROM sessions"), "x");
}

#[test]
fn of_two_presets_the_later_one_wins() {
    let (mut case, folder) = with_preset(PRESET);
    let second = folder.path().join("second.csv");
    let text = "option,value,why\non-existing,seeded=refuse,no\n\
        rule,\"users,took,*,*,interval,interval_s,\",seconds\n";
    std::fs::write(&second, text).unwrap();
    case.options.inspect.selection.apps.push(second.display().to_string());
    let mut case = case.refused(ErrorKind::TargetState, &["\"seeded\" has 1 row"]);
    case.target.execute("TRUNCATE seeded");
    case.options.inspect.selection.apps.reverse();
    case.target.execute("INSERT INTO seeded VALUES (1)");
    let report = transfer::run(&case.options).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("is emptied first")));
    assert_eq!(case.target.one("SELECT took::text FROM users"), "00:00:01.5");
}

#[test]
fn versions_that_a_preset_compares_must_be_the_same() {
    let (case, _folder) = with_preset(PRESET);
    case.target.execute("UPDATE version SET version = 11");
    case.refused(
        ErrorKind::TargetState,
        &["of different versions by \"version\"", "at 12", "at 11"],
    );
}

#[test]
fn a_new_database_may_lack_what_is_obsolete() {
    let text = PRESET.replace("version=max(version)", "version=covers(version)");
    let (case, _folder) = with_preset(&text);
    transfer::run(&case.options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    let (case, _folder) = with_preset(&text);
    case.target.execute("INSERT INTO version VALUES (2, 13)");
    case.refused(ErrorKind::TargetState, &["of different versions", "only in the target: 13"]);
}

#[test]
fn an_application_that_is_recognised_is_named() {
    let source = "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT);
        CREATE TABLE auth_permission (id INTEGER PRIMARY KEY); INSERT INTO auth_permission VALUES (1);";
    let target = "CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text);
        CREATE TABLE auth_permission (id serial PRIMARY KEY); INSERT INTO auth_permission VALUES (4);";
    let mut case = Case::new(source, target)
        .refused(ErrorKind::TargetState, &["This looks like Django: --app django"]);
    case.options.inspect.selection.apps = vec!["django".to_owned()];
    let report = case.arrives(&["django_migrations"]);
    assert!(!report.notes.iter().any(|note| note.contains("looks like")), "{:?}", report.notes);
}

#[test]
fn without_data_only_tables_are_left_out_and_rules_do_not_count() {
    let (mut case, _folder) = with_preset(PRESET);
    case.target.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    case.options.inspect.data_only = None;
    let report = transfer::run(&case.options).unwrap_or_else(|e| panic!("{}", pg::explain(&e)));
    assert!(report.notes.iter().any(|note| note.starts_with("Table \"sessions\" is left out (")));
    assert_eq!(case.target.one("SELECT to_regclass('sessions')::text"), "NULL");
    assert_eq!(case.target.one("SELECT took::text FROM users"), "1500000");
    // Verify knows what was left out.
    let mut asked = VerifyOptions {
        inspect: case.options.inspect.clone(),
        to: case.target.url.clone(),
        renames: Vec::new(),
        level: VerifyLevel::Hashes,
        shown_max: 10,
        redact: false,
        differences: None,
        repair: false,
    };
    assert_eq!(verify(&asked), (5, 0));
    asked.inspect.selection.apps.clear();
    assert_eq!(verify(&asked), (6, 1));
}

/// Tables compared, and those that differ.
fn verify(options: &VerifyOptions) -> (usize, usize) {
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(litelift::verify::run(options, &listener, &Cancel::default()));
    let report = report.unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
    (report.tables.len(), report.differing())
}

#[test]
fn a_preset_that_is_not_known_or_not_readable_is_a_mistake_of_the_user() {
    let (mut case, folder) = with_preset("option,value,why\nskip,sessions,\n\nrule,\"a,b\",no\n");
    let error = transfer::run(&case.options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let told = pg::explain(&error);
    let path = folder.path().join("my_app.csv");
    assert!(told.contains(&format!("{}\" line 4 is not a rule", path.display())), "{told}");
    std::fs::write(&path, "option,value,why\non-existing,seeded=drop,\n").unwrap();
    let told = pg::explain(&transfer::run(&case.options).unwrap_err());
    assert!(told.contains("line 2 cannot be read") && told.contains("seeded=drop"), "{told}");
    case.options.inspect.selection.apps = vec!["djangoo".to_owned()];
    let told = pg::explain(&transfer::run(&case.options).unwrap_err());
    assert!(told.contains("--app \"djangoo\"") && told.contains("django, drizzle"), "{told}");
}

#[test]
fn inspect_names_the_application_that_it_recognises() {
    let source = fixture::from_sql(
        "app.db",
        "CREATE TABLE ciphers (uuid TEXT); CREATE TABLE __diesel_schema_migrations (version TEXT)",
    );
    let mut options = transfer::options(&source.path, "").inspect;
    let listener: Arc<dyn Listener> = Arc::new(Silent);
    let report = litelift::inspect::run(&options, None, &listener, &Cancel::default()).unwrap();
    let says =
        ["This looks like Vaultwarden: --app vaultwarden sees to what such a database needs."];
    assert_eq!(report.remarks, says);
    options.selection.apps = vec!["vaultwarden".to_owned()];
    let report = litelift::inspect::run(&options, None, &listener, &Cancel::default()).unwrap();
    assert_eq!(report.remarks, [""; 0]);
}
