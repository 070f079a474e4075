//! Unit tests of what needs no table; `tests/expressions` runs translations on both engines.

use super::cast::{number_of, number_prefix};
use super::operators::number;
use super::value::Constant;
use super::{Need, Relation, Translator};
use crate::introspect::ddl;

fn alone(text: &str) -> Result<String, String> {
    let tree = ddl::expression(text)?;
    let translated = Translator::alone("UTF-8").term(&tree)?;
    Ok(translated.sql)
}

#[test]
fn numbers_are_read_as_sqlite_reads_them() {
    assert_eq!(number("0xFFFFFFFFFFFFFFFF"), Ok(Constant::Int(-1)));
    assert_eq!(number("9223372036854775808"), Ok(Constant::Real(9_223_372_036_854_775_808.0)));
    assert_eq!(number("-9223372036854775808"), Ok(Constant::Int(i64::MIN)));
    assert_eq!(number("1_000"), Ok(Constant::Int(1000)));
}

#[test]
fn only_whole_texts_become_numbers_by_affinity() {
    assert_eq!(number_of(" 10 "), Some(Constant::Int(10)));
    assert_eq!(number_of("1e3"), Some(Constant::Int(1000)));
    assert_eq!(number_of(".5"), Some(Constant::Real(0.5)));
    for text in ["", "0x10", "10a", "e3", ".", "+"] {
        assert_eq!(number_of(text), None, "{text}");
    }
    assert_eq!(number_prefix("12abc"), Some(Constant::Int(12)));
    assert_eq!(number_prefix("1.5e"), Some(Constant::Real(1.5)));
    assert_eq!(number_prefix("abc"), Some(Constant::Int(0)));
}

#[test]
fn constants_keep_their_meaning() {
    assert_eq!(alone("0x1F").as_deref(), Ok("31"));
    assert_eq!(alone("x'00ff'").as_deref(), Ok("'\\x00ff'::bytea"));
    assert_eq!(alone("1.5").as_deref(), Ok("'1.5'::double precision"));
    assert_eq!(alone("'a' || 'b'").as_deref(), Ok("'a' || 'b'"));
    assert_eq!(alone("2147483647 + 1").as_deref(), Ok("2147483647::bigint + 1"));
    assert_eq!(alone("char(233, 8364)").as_deref(), Ok("'é€'::text"));
}

#[test]
fn what_has_no_rule_is_refused() {
    for text in ["f(1)", "1 MATCH 'a'", "'a' + b", "(1, 2)", "sum(1)", "? + 1", "RAISE(IGNORE)"] {
        assert!(alone(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_not_immutable_is_refused_where_it_must_be() {
    let nothing = Relation::empty();
    let translated = |text: &str| {
        Translator::over(&nothing, Need::Immutable, "UTF-8").term(&ddl::expression(text).unwrap())
    };
    assert!(translated("1 + 1").is_ok());
    assert!(translated("random()").is_err());
    assert!(translated("datetime('now')").is_err());
    assert!(translated("strftime('%Y', '2024-01-31')").is_ok());
}

#[test]
fn deep_nesting_is_refused_and_does_not_end_the_stack() {
    let nested = |depth: usize| format!("{}1{}", "abs(".repeat(depth), ")".repeat(depth));
    assert!(alone(&nested(50)).is_ok());
    assert!(alone(&nested(500)).is_err());
    // As deep as is read, in every kind of nesting; a test's stack is that of a worker's.
    for (open, close) in [
        ("coalesce(", ", 1)"),
        ("CASE WHEN 1 THEN ", " ELSE 2 END"),
        ("NOT (", ")"),
        ("(1 IN (", "))"),
        ("(1 BETWEEN 0 AND ", ")"),
        ("CAST(", " AS TEXT)"),
        ("(SELECT ", ")"),
    ] {
        let _refused_or_not = alone(&format!("{}1{}", open.repeat(49), close.repeat(49)));
        let _refused_or_not = alone(&format!("{}1{}", open.repeat(99), close.repeat(99)));
    }
    let chain = vec!["1"; 90].join(" + ");
    assert!(alone(&chain).is_ok());
}
