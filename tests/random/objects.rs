//! Every object of the source is in the target, or named in the report.

use std::path::Path;

use litelift::report::{Refused, TransferReport};
use rusqlite::Connection;

use crate::support::{pg, round_trip};

use super::defaults;

/// Counts the objects on both sides.
pub(super) fn check(path: &Path, url: &str, report: &TransferReport) -> Result<(), String> {
    let source = Connection::open(path).map_err(|error| error.to_string())?;
    let in_source = |sql: &str| -> usize {
        let count = source.query_row(sql, [], |row| row.get::<_, i64>(0));
        usize::try_from(count.unwrap_or_else(|error| panic!("{error}: {sql}"))).unwrap()
    };
    let in_target = |sql: &str| number_in(url, sql);
    let left = |objects: &[&str]| {
        report.not_carried.iter().filter(|left| objects.contains(&left.object.as_str())).count()
    };
    let refused = |objects: &[&str]| {
        report.refused.iter().filter(|left| objects.contains(&left.object.as_str())).count()
    };
    let tables = "FROM pragma_table_list s, ";
    let real =
        " AND s.schema = 'main' AND s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let here = "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
    let mut wrong = Vec::new();
    let mut same = |what: &str, source: usize, found: [usize; 3]| {
        if source != found.iter().sum::<usize>() {
            wrong.push(format!("{what}: {source} in the source; {found:?} made, left, refused"));
        }
    };
    // What stands for a constraint that folds or descends is the index of no CREATE INDEX.
    let own = |refused: &&Refused| {
        refused.object.ends_with("index") && refused.source_text.starts_with("CREATE")
    };
    same(
        "indexes",
        in_source("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"),
        [
            in_target(
                "SELECT count(*) FROM litelift.run r, jsonb_array_elements(plan::jsonb -> 'finish') \
                 WITH ORDINALITY AS f (step, n), litelift.step s WHERE s.number = f.n - 1 \
                 AND s.outcome = 'done' AND step ->> 'object' IN ('index', 'unique index') \
                 AND step ->> 'source_text' LIKE 'CREATE%'",
            ),
            left(&["partial index", "expression index"]),
            report.refused.iter().filter(own).count(),
        ],
    );
    same(
        "foreign keys",
        in_source(&format!(
            "SELECT count(DISTINCT s.name || ' ' || f.id) {tables} pragma_foreign_key_list(s.name) f WHERE 1 {real}"
        )),
        [
            in_target(&format!(
                "SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid {here} AND contype = 'f'"
            )),
            left(&["foreign key"]),
            refused(&["foreign key"]),
        ],
    );
    same(
        "primary keys",
        in_source(&format!(
            "SELECT count(DISTINCT s.name) {tables} pragma_table_info(s.name) t WHERE t.pk > 0 {real}"
        )),
        [
            in_target(&format!(
                "SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid {here} AND contype = 'p'"
            )),
            left(&["primary key"]),
            refused(&["primary key"]),
        ],
    );
    same("conflict clauses", conflict_clauses(&source), [0, left(&["conflict clause"]), 0]);
    computed(&mut same, &in_source, &in_target, &left, &refused);
    wrong.extend(round_trip::check(path, url, report).1);
    wrong.extend(defaults::check(&source, url, report));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Views, triggers and generated columns.
fn computed(
    same: &mut impl FnMut(&str, usize, [usize; 3]),
    in_source: &impl Fn(&str) -> usize,
    in_target: &impl Fn(&str) -> usize,
    left: &impl Fn(&[&str]) -> usize,
    refused: &impl Fn(&[&str]) -> usize,
) {
    let here = "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
    let tables = "FROM sqlite_schema s, ";
    let real = " AND s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let views = in_target(&format!("SELECT count(*) FROM pg_class c {here} AND c.relkind = 'v'"));
    for (kind, made) in [("view", views), ("trigger", 0)] {
        let count = in_source(&format!("SELECT count(*) FROM sqlite_schema WHERE type = '{kind}'"));
        same(kind, count, [made, left(&[kind]), refused(&[kind])]);
    }
    same(
        "generated columns",
        in_source(&format!(
            "SELECT count(*) {tables} pragma_table_xinfo(s.name) t WHERE t.hidden IN (2, 3) {real}"
        )),
        [
            in_target(&format!(
                "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid {here} \
                 AND a.attgenerated = 's' AND NOT a.attisdropped"
            )),
            left(&["generated column"]),
            refused(&["generated column"]),
        ],
    );
}

fn number_in(url: &str, sql: &str) -> usize {
    pg::query_text(url, sql)[0].as_deref().and_then(|text| text.parse().ok()).unwrap()
}

/// ON CONFLICT clauses of all tables.
fn conflict_clauses(source: &Connection) -> usize {
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%ON CONFLICT %'";
    let mut statement = source.prepare(sql).unwrap();
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    texts.map(|sql| count_clauses(&sql.unwrap())).sum()
}

/// ON CONFLICT clauses of a CREATE TABLE text but for ABORT, which is no news.
fn count_clauses(sql: &str) -> usize {
    let clauses = sql.split(" ON CONFLICT ").skip(1);
    clauses.filter(|rest| !rest.starts_with("ABORT")).count()
}
