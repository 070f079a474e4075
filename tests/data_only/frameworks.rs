//! What the frameworks of `tests/frameworks` made, without the frameworks: the rows of their SQLite files
//! into the schemas of their migrations, by an ordinary owner with `--app`.

#![allow(clippy::print_stderr, reason = "the figure is the point of the test")]

use std::path::Path;

use litelift::options::DataOnly;

use super::target;
use crate::support::{pg, transfer};

/// A column whose conversion the comparer has no eyes for, as text of both databases.
struct Converted {
    table: &'static str,
    column: &'static str,
    /// What tells its rows apart, as SQL of both.
    key: &'static str,
    /// SQL of the source; `COLUMN` stands for the column.
    source: &'static str,
    /// SQL of the target.
    target: &'static str,
}

const fn converted(
    [table, column, key]: [&'static str; 3],
    [source, target]: [&'static str; 2],
) -> Converted {
    Converted { table, column, key, source, target }
}

const MICROSECONDS: [&str; 2] = ["COLUMN", "(extract(epoch FROM COLUMN) * 1000000)::bigint::text"];
const SINCE_1970: [&str; 2] =
    ["COLUMN", "to_char(timestamp '1970-01-01' + COLUMN, 'YYYY-MM-DD HH24:MI:SS.US')"];
const ADDRESS: [&str; 2] = ["COLUMN", "host(COLUMN)"];
const AFTER_A_DATE: [&str; 2] = ["substr(COLUMN, 12)", "COLUMN::text"];
const LIST: [&str; 2] = [
    "(SELECT group_concat(value, '|') FROM json_each(COLUMN))",
    "nullif(array_to_string(COLUMN, '|'), '')",
];
const SECONDS: [&str; 2] = ["COLUMN", "extract(epoch FROM COLUMN)::bigint::text"];
const MILLISECONDS: [&str; 2] = ["COLUMN", "(extract(epoch FROM COLUMN) * 1000)::bigint::text"];
const DIGITS: [&str; 2] = ["CAST(COLUMN AS TEXT)", "COLUMN::text"];
const JSON_IN_BLOB: [&str; 2] =
    ["CAST(COLUMN AS TEXT)", "replace(replace(COLUMN::text, ': ', ':'), ', ', ',')"];
const ISO_OR_MILLISECONDS: [&str; 2] = [
    "CASE typeof(COLUMN) WHEN 'integer' \
     THEN strftime('%Y-%m-%d %H:%M:%f', COLUMN / 1000.0, 'unixepoch') \
     ELSE strftime('%Y-%m-%d %H:%M:%f', COLUMN) END",
    "to_char(COLUMN, 'YYYY-MM-DD HH24:MI:SS.MS')",
];

/// Moves `fixtures/apps/NAME`; `left` are tables that stay behind on purpose.
fn moves(name: &str, left: &[&str], converted: &[Converted]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/apps").join(name);
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("app.db");
    let source = rusqlite::Connection::open(&file).unwrap();
    source.execute_batch(&text("source.sql")).unwrap();
    let target = target::empty();
    target.load_dump(&text("target.sql"));
    let before = target.objects();

    let mut options = transfer::options(&file, &target.url);
    options.inspect.data_only = Some(DataOnly::default());
    options.inspect.selection.apps = vec![name.to_owned()];
    let report =
        transfer::run(&options).unwrap_or_else(|error| panic!("{name}: {}", pg::explain(&error)));

    assert!(report.verify.as_ref().is_some_and(|verify| verify.differing() == 0), "{name}");
    assert_eq!(report.not_as_before, [], "{name}");
    assert_eq!(target.objects(), before, "{name}");
    assert_eq!(target.sequences_behind(), [""; 0], "{name}");
    let columns: Vec<String> =
        converted.iter().map(|one| format!("{}.{}", one.table, one.column)).collect();
    let left: Vec<&str> = left.iter().copied().chain(columns.iter().map(String::as_str)).collect();
    let compared = transfer::compare_leaving(&file, &target.database.url, &report, &left);
    assert!(compared.same(), "{name}: {}", compared.listed());
    for one in converted {
        let sql = |expression: &str| {
            let shown = expression.replace("COLUMN", &format!("\"{}\"", one.column));
            format!("SELECT {} || ':' || coalesce({shown}, 'NULL') FROM \"{}\"", one.key, one.table)
        };
        let mut there = source.prepare(&sql(one.source)).unwrap();
        let mut there: Vec<String> =
            there.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut here: Vec<String> =
            pg::query_text(&target.url, &sql(one.target)).into_iter().flatten().collect();
        there.sort();
        here.sort();
        assert_eq!(here, there, "{name}: {}.{}", one.table, one.column);
        assert!(there.iter().any(|text| !text.ends_with(":NULL")), "{name}: {}", one.column);
    }
    eprintln!("{name}: {} rows, {} values the same", compared.rows, compared.values);
}

#[test]
fn what_django_made_arrives_whole() {
    let book = |column| ["library_book", column, "id"];
    let own =
        [converted(book("reading_time"), MICROSECONDS), converted(book("seen_from"), ADDRESS)];
    moves("django", &["django_migrations", "library_book.double"], &own);
}

#[test]
fn what_sqlalchemy_made_arrives_whole() {
    let part = |column| ["part", column, "id"];
    let own = [
        converted(part("took"), SINCE_1970),
        converted(part("names"), LIST),
        converted(part("shades"), LIST),
    ];
    moves("sqlalchemy", &["alembic_version", "part.doubled"], &own);
}

#[test]
fn what_rails_made_arrives_whole() {
    let own = [converted(["books", "opens", "id"], AFTER_A_DATE)];
    moves("rails", &["schema_migrations", "ar_internal_metadata"], &own);
}

#[test]
fn what_prisma_made_arrives_whole() {
    let book = |column| ["Book Copy", column, "id"];
    let own = [
        converted(["Author", "born", "id"], ISO_OR_MILLISECONDS),
        converted(book("seenAt"), ISO_OR_MILLISECONDS),
        converted(book("createdAt"), ISO_OR_MILLISECONDS),
        converted(book("updatedAt"), ISO_OR_MILLISECONDS),
        converted(["Loan", "until", "\"bookId\" || reader"], ISO_OR_MILLISECONDS),
    ];
    moves("prisma", &["_prisma_migrations"], &own);
}

#[test]
fn what_drizzle_made_arrives_whole() {
    let book = |column| ["books", column, "id"];
    let own = [
        converted(book("seen"), MILLISECONDS),
        converted(book("created_at"), SECONDS),
        converted(book("visits"), DIGITS),
        converted(book("more"), JSON_IN_BLOB),
        converted(book("words"), LIST),
    ];
    moves("drizzle", &["__drizzle_migrations"], &own);
}

#[test]
fn what_typeorm_made_arrives_whole() {
    moves("typeorm", &["migrations"], &[]);
}
