//! The comparer's decoders against PostgreSQL's own: random values that PostgreSQL itself parses and
//! prints must be found the same.

use std::fmt::Write as _;

use crate::support::compare::rules::Reason;
use crate::support::compare::says::float_shown;
use crate::support::compare::{Difference, compare_allowing, compare_by_name, mapping_by_name};
use crate::support::fixture::from_sql;
use crate::support::generate::Random;
use crate::support::pg;

use super::loader::{execute, texts};

const ROWS: usize = 2_000;

/// Loads literals into both, with one declared type on each side.
fn both(url: &str, schema: &str, declared: &str, pg_type: &str, literals: &[String]) -> String {
    let (mut lite, mut post) = (String::new(), String::new());
    for (id, literal) in literals.iter().enumerate() {
        let comma = if id == 0 { "" } else { "," };
        write!(lite, "{comma}({id}, {literal})").unwrap();
        // Quoted for PostgreSQL: an unquoted number would be numeric first.
        write!(post, "{comma}({id}, '{}')", literal.trim_matches('\'')).unwrap();
    }
    execute(
        url,
        &format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             CREATE TABLE {schema}.t (id int, v {pg_type}); INSERT INTO {schema}.t VALUES {post}"
        ),
    )
    .unwrap();
    format!("CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared}); INSERT INTO t VALUES {lite}")
}

#[track_caller]
fn expect_same(declared: &str, pg_type: &str, literals: &[String]) {
    let database = pg::database();
    let url = database.url.clone();
    let schema = format!("oracle_{}", pg_type.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let sql = both(&url, &schema, declared, pg_type, literals);
    let source = from_sql("oracle.db", &sql);
    let found = compare_by_name(&source.path, &url, &schema).unwrap();
    found.expect_same();
    assert_eq!(found.rows, literals.len() as u64);
}

fn floats() -> Vec<f64> {
    let mut random = Random::new(11);
    let mut floats: Vec<f64> = (0..ROWS).map(|_| f64::from_bits(random.next())).collect();
    floats.extend((0..ROWS).map(|_| f64::from(random.below(1_000_000)) / 1_000.0));
    floats.extend((-30..30).map(|exponent| 10_f64.powi(exponent)));
    floats.extend((-30..30).map(|exponent| -1.25 * 10_f64.powi(exponent)));
    floats.retain(|float| float.is_finite());
    floats
}

#[test]
fn floats_are_read_as_postgresql_prints_them() {
    let literals: Vec<String> = floats().iter().map(|float| format!("{float:e}")).collect();
    expect_same("REAL", "double precision", &literals);
    let moderate = |float: &f64| float.abs() < 1e100 && float.abs() > 1e-100;
    let literals: Vec<String> =
        floats().iter().filter(|float| moderate(float)).map(|float| format!("{float:e}")).collect();
    expect_same("REAL", "numeric", &literals);
}

/// What PostgreSQL prints of a float is the canonical text of it, and comes back from a text column.
#[test]
fn floats_as_postgresql_prints_them_are_canonical_text() {
    let database = pg::database();
    let url = database.url.clone();
    let schema = "oracle_float_text";
    let literals: Vec<String> = floats().iter().map(|float| format!("{float:e}")).collect();
    both(&url, schema, "TEXT", "double precision", &literals);
    let printed = texts(&url, &format!("SELECT v::text FROM {schema}.t ORDER BY id")).unwrap();
    // At a few powers of ten PostgreSQL does not print the shortest text: a gap of the comparer.
    let (usual, odd): (Vec<&String>, Vec<&String>) = printed.iter().partition(|text| {
        let shown = float_shown(text.parse().unwrap());
        shown.len() == text.len()
    });
    assert!(odd.len() <= 4, "{odd:?}");
    let rows: Vec<String> = usual.iter().map(|text| format!("('{text}')")).collect();
    let source = from_sql(
        "text.db",
        &format!("CREATE TABLE t (v TEXT); INSERT INTO t VALUES {}", rows.join(",")),
    );
    execute(
        &url,
        &format!(
            "DROP TABLE {schema}.t; CREATE TABLE {schema}.t (v float8);
             INSERT INTO {schema}.t VALUES {}",
            rows.join(",")
        ),
    )
    .unwrap();
    compare_by_name(&source.path, &url, schema).unwrap().expect_same();
}

/// Two decimals of 17 digits may be equally near to a float; either is right, in a bag of rows too.
#[test]
fn either_of_two_shortest_decimals_is_right() {
    let database = pg::database();
    let url = database.url.clone();
    let schema = "oracle_shortest";
    let source = from_sql(
        "shortest.db",
        "CREATE TABLE keyed (id INTEGER PRIMARY KEY, v); CREATE TABLE bag (id INT, v);
         INSERT INTO keyed VALUES (1, 124615759031518.125), (2, 124615759031518.125);
         INSERT INTO bag SELECT * FROM keyed;",
    );
    let fill = |first: &str, second: &str| {
        let sql = format!(
            "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
             CREATE TABLE {schema}.keyed (id int, v numeric);
             INSERT INTO {schema}.keyed VALUES (1, {first}), (2, {second});
             CREATE TABLE {schema}.bag AS SELECT * FROM {schema}.keyed"
        );
        execute(&url, &sql).unwrap();
        compare_by_name(&source.path, &url, schema).unwrap().total_differences
    };
    assert_eq!(fill("124615759031518.12", "124615759031518.13"), 0);
    assert_eq!(fill("124615759031518.12", "124615759031518.125"), 2);
    assert_eq!(fill("124615759031518.14", "124615759031518.12"), 2);
}

#[test]
fn integers_are_read_as_postgresql_prints_them() {
    let mut random = Random::new(12);
    let literals: Vec<String> =
        (0..ROWS).map(|_| random.next().cast_signed().to_string()).collect();
    for pg_type in ["bigint", "numeric", "text"] {
        expect_same("INTEGER", pg_type, &literals);
    }
}

#[test]
fn dates_are_read_as_postgresql_prints_them() {
    let mut random = Random::new(13);
    let mut date = |years: u32| {
        let (year, month) = (1 + random.below(years), 1 + random.below(12));
        let day = 1 + random.below(if month == 2 { 28 } else { 30 });
        let era = if year < 4_000 && random.below(10) == 0 { " BC" } else { "" };
        (format!("{year:04}-{month:02}-{day:02}"), era)
    };
    let dates: Vec<(String, &str)> =
        (0..ROWS).map(|nth| date(if nth % 2 == 0 { 2_500 } else { 200_000 })).collect();
    let literals: Vec<String> = dates.iter().map(|(date, era)| format!("'{date}{era}'")).collect();
    // PostgreSQL's era is no ISO 8601: it is the same only because it is PostgreSQL's own form.
    let near = |date: &str, era: &str| date.len() == 10 && era.is_empty();
    let leap = ["'2000-02-29'", "'2024-02-29'", "'1600-02-29'", "'0004-02-29'"].map(str::to_owned);
    expect_same("TEXT", "date", &[literals, leap.to_vec()].concat());
    let mut random = Random::new(14);
    let mut moments = Vec::new();
    for (date, _) in dates.iter().filter(|(date, era)| near(date, era)) {
        let time = format!("{:02}:{:02}", random.below(24), random.below(60));
        let second = format!("{:02}.{:06}", random.below(60), random.below(1_000_000));
        let zone = ["", "Z", "+00", "+02:00", "-09:30", "+0545"];
        let zone = zone[usize::try_from(random.below(6)).unwrap()];
        moments.push(format!("'{date}T{time}:{second}{zone}'"));
    }
    expect_same("TEXT", "timestamp with time zone", &moments);
}

#[test]
fn rounded_fractions_are_named_so_and_can_be_allowed() {
    let database = pg::database();
    let url = database.url.clone();
    let mut random = Random::new(15);
    let literals: Vec<String> = (0..200)
        .map(|_| format!("'2024-01-31 10:00:00.{:06}7'", random.below(1_000_000)))
        .collect();
    let schema = "oracle_rounded";
    let sql = both(&url, schema, "TEXT", "timestamp", &literals);
    let source = from_sql("oracle.db", &sql);
    let found = compare_by_name(&source.path, &url, schema).unwrap();
    assert_eq!(found.total_differences, 200);
    assert!(found.differences.iter().all(|difference| difference.reason == Reason::Rounded));
    let names = mapping_by_name(&source.path, &url, schema).unwrap();
    let rounded =
        |difference: &Difference| difference.column == "v" && difference.reason == Reason::Rounded;
    let found = compare_allowing(&source.path, &url, &names, rounded).unwrap();
    found.expect_same();
    assert_eq!(found.allowed, 200);
}
