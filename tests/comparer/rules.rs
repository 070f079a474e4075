//! One value against one value: what is the same and what is not, by PostgreSQL type.

use rusqlite::types::ValueRef;

use crate::support::compare::rules::{PgType, Reason, Scratch, difference};

use ValueRef::{Blob, Integer, Null, Real};

fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

#[track_caller]
fn same(pg_type: &PgType, pairs: &[(ValueRef<'_>, &str)]) {
    for (source, target) in pairs {
        let found = difference(*source, Some(target.as_bytes()), pg_type, &mut Scratch::default());
        assert_eq!(found, None, "{source:?} and {target:?} in {pg_type:?}");
    }
}

#[track_caller]
fn different(pg_type: &PgType, pairs: &[(ValueRef<'_>, &str)]) {
    for (source, target) in pairs {
        let found = difference(*source, Some(target.as_bytes()), pg_type, &mut Scratch::default());
        assert!(found.is_some(), "{source:?} and {target:?} in {pg_type:?}");
    }
}

#[test]
fn null_is_only_null() {
    let mut scratch = Scratch::default();
    for pg_type in [PgType::Text, PgType::Int, PgType::Json, PgType::Other("box".to_owned())] {
        assert_eq!(difference(Null, None, &pg_type, &mut scratch), None);
        let in_source = difference(Null, Some(b""), &pg_type, &mut scratch);
        assert_eq!(in_source, Some(Reason::NullInSource));
        let in_target = difference(text(""), None, &pg_type, &mut scratch);
        assert_eq!(in_target, Some(Reason::NullInTarget));
    }
}

#[test]
fn booleans() {
    let pg_type = PgType::Bool;
    same(&pg_type, &[(Integer(1), "t"), (Integer(0), "f"), (Real(1.0), "t"), (Real(0.0), "f")]);
    for word in ["t", "TRUE", "Yes", "y", "on", "1"] {
        same(&pg_type, &[(text(word), "t")]);
        different(&pg_type, &[(text(word), "f")]);
    }
    for word in ["f", "false", "NO", "n", "off", "0"] {
        same(&pg_type, &[(text(word), "f")]);
        different(&pg_type, &[(text(word), "t")]);
    }
    different(
        &pg_type,
        &[
            (Integer(2), "t"),
            (Integer(-1), "t"),
            (Real(0.5), "t"),
            (Real(-0.0), "f"),
            (text(""), "f"),
            (text(" t"), "t"),
            (Blob(b"1"), "t"),
        ],
    );
}

#[test]
fn integers() {
    let pg_type = PgType::Int;
    same(
        &pg_type,
        &[
            (Integer(i64::MIN), "-9223372036854775808"),
            (Integer(9_007_199_254_740_993), "9007199254740993"),
            (Real(3.0), "3"),
            (Real(9_007_199_254_740_992.0), "9007199254740992"),
            (text("-17"), "-17"),
            (text("0"), "0"),
        ],
    );
    different(
        &pg_type,
        &[
            (Integer(9_007_199_254_740_993), "9007199254740992"),
            (Integer(1), "-1"),
            (Real(1.5), "1"),
            (Real(1.5), "2"),
            (Real(-0.0), "0"),
            (Real(f64::INFINITY), "9223372036854775807"),
            (text("01"), "1"),
            (text("+1"), "1"),
            (text("-0"), "0"),
            (text(" 1"), "1"),
            (text("1.0"), "1"),
            (text("1e3"), "1000"),
            (text(""), "0"),
            (Blob(b"1"), "1"),
        ],
    );
}

#[test]
fn floats_of_64_bits() {
    let pg_type = PgType::Float8;
    same(
        &pg_type,
        &[
            (Real(0.1 + 0.2), "0.30000000000000004"),
            (Real(-0.0), "-0"),
            (Real(f64::INFINITY), "Infinity"),
            (Real(f64::NEG_INFINITY), "-Infinity"),
            (Real(5e-324), "5e-324"),
            (Integer(9_007_199_254_740_992), "9007199254740992"),
            (Integer(i64::MIN), "-9.223372036854776e+18"),
            (Integer(0), "0"),
            (text("1.5"), "1.5"),
            (text("1"), "1"),
            (text("1.0"), "1"),
            (text("1.0e+20"), "1e+20"),
            (text("NaN"), "NaN"),
            (text("Infinity"), "Infinity"),
        ],
    );
    different(
        &pg_type,
        &[
            // One bit.
            (Real(0.1 + 0.2), "0.3"),
            (Real(30.202_252_777_776), "30.202253"),
            (Real(-0.0), "0"),
            (Real(0.0), "-0"),
            (Integer(9_007_199_254_740_993), "9007199254740992"),
            (Integer(i64::MAX), "9.223372036854776e+18"),
            (Real(f64::INFINITY), "1.7976931348623157e+308"),
            (text("1.50"), "1.5"),
            (text("01"), "1"),
            (text("1e2"), "100"),
            (text("inf"), "Infinity"),
            (text("0.1000000000000000055511151231257827"), "0.1"),
            (text(""), "0"),
        ],
    );
}

#[test]
fn floats_of_32_bits() {
    let pg_type = PgType::Float4;
    same(
        &pg_type,
        &[
            (Real(0.1), "0.1"),
            (Real(f64::from(0.1_f32)), "0.1"),
            (Real(16_777_216.0), "1.6777216e+07"),
            (Integer(3), "3"),
            (Real(-0.0), "-0"),
        ],
    );
    different(
        &pg_type,
        &[
            (Real(30.202_252_777_776), "30.202253"),
            (Integer(16_777_217), "1.6777216e+07"),
            (Real(0.0), "-0"),
            (Real(1e300), "Infinity"),
        ],
    );
}

#[test]
fn numerics() {
    let pg_type = PgType::Numeric;
    same(
        &pg_type,
        &[
            (Integer(i64::MAX), "9223372036854775807"),
            (Integer(10), "10.00"),
            (Real(1.5), "1.50"),
            (Real(0.1), "0.1"),
            (Real(1e22), "10000000000000000000000"),
            (Real(1e-7), "0.0000001"),
            (Real(f64::INFINITY), "Infinity"),
            (text("1.50"), "1.5"),
            (text("12345678901234567890.123456789"), "12345678901234567890.123456789"),
            (Integer(0), "0.00"),
        ],
    );
    different(
        &pg_type,
        &[
            // The exact value of the float, which is not what anybody wrote.
            (Real(0.1), "0.1000000000000000055511151231257827021181583404541015625"),
            (Real(1.005), "1.01"),
            (Real(999.995), "1000.00"),
            (text("12345678901234567890.123456789"), "12345678901234567890.123456788"),
            (Integer(9_007_199_254_740_993), "9007199254740992"),
            (Real(-0.0), "0"),
            (text("007"), "7"),
            (text("1e3"), "1000"),
            (text(".5"), "0.5"),
            (text("-0.0"), "0.0"),
            (text(""), "0"),
        ],
    );
}

#[test]
fn texts() {
    let pg_type = PgType::Text;
    same(
        &pg_type,
        &[
            (text(""), ""),
            (text("größe\n\t\\"), "größe\n\t\\"),
            (Integer(1), "1"),
            (Integer(-5), "-5"),
            (Real(1.5), "1.5"),
            (Real(1e20), "1e20"),
            (Real(1e20), "100000000000000000000"),
            (Real(1.0), "1.0"),
            (Real(-0.0), "-0.0"),
            (Real(f64::INFINITY), "Infinity"),
            (Real(f64::NEG_INFINITY), "-Inf"),
        ],
    );
    different(
        &pg_type,
        &[
            (text("a"), "A"),
            (text("a"), "a "),
            (text("a "), "a"),
            // NFC against NFD.
            (text("\u{e9}"), "e\u{301}"),
            (Integer(1), "01"),
            (text("01"), "1"),
            (Real(0.1 + 0.2), "0.3"),
            (Real(-0.0), "0.0"),
            (Real(1.5), "1.5x"),
            (Real(1.5), " 1.5"),
            (text("a\0b"), "ab"),
            (text("a\0b"), "a"),
            (ValueRef::Text(b"\xff"), "\u{fffd}"),
            (ValueRef::Text(b"\xff"), ""),
            (Blob(b"abc"), "abc"),
            (text("1.50"), "1.5"),
        ],
    );
    same(&PgType::Bpchar, &[(text("ab"), "ab   "), (text("ab  "), "ab   "), (text(""), "  ")]);
    different(&PgType::Bpchar, &[(text("ab"), " ab"), (text("a"), "b")]);
}

#[test]
fn bytes() {
    let pg_type = PgType::Bytea;
    same(
        &pg_type,
        &[
            (Blob(b""), "\\x"),
            (Blob(b"\x00\xff"), "\\x00ff"),
            (ValueRef::Text(b"a\xff\x00"), "\\x61ff00"),
            (Integer(-12), "\\x2d3132"),
            (Real(1.5), "\\x312e35"),
        ],
    );
    different(
        &pg_type,
        &[
            (Blob(b"\x00\xff"), "\\x00fe"),
            (Blob(b"\x00\xff"), "\\x00"),
            (Blob(b"a"), "a"),
            (ValueRef::Text(b"\xff"), "\\xefbfbd"),
            (Real(1.5), "\\x312e36"),
            (text("A"), "\\x61"),
        ],
    );
}

#[test]
fn dates_and_times() {
    let pg_type = PgType::Timestamp;
    same(
        &pg_type,
        &[
            (text("2024-01-31 10:00:00"), "2024-01-31 10:00:00"),
            (text("2024-01-31T10:00:00.000001Z"), "2024-01-31 10:00:00.000001+00"),
            (text("2024-01-31T10:00:00+02:00"), "2024-01-31 08:00:00+00"),
            (text("2024-01-31T10:00:00+0530"), "2024-01-31 04:30:00"),
            (text("2024-03-01T00:30:00+01"), "2024-02-29 23:30:00+00"),
            (text("2024-01-31 10:00"), "2024-01-31 10:00:00"),
            (text("2024-01-31"), "2024-01-31 00:00:00"),
            (text("2024-01-31 10:00:00.123456000"), "2024-01-31 10:00:00.123456"),
            (text("0044-03-15 00:00:00 BC"), "0044-03-15 00:00:00 BC"),
            (text("-0043-03-15 00:00:00"), "0044-03-15 00:00:00 BC"),
            (text("12024-01-01 00:00:00"), "12024-01-01 00:00:00"),
            (text("infinity"), "infinity"),
        ],
    );
    different(
        &pg_type,
        &[
            (text("2024-01-31 10:00:00.000001"), "2024-01-31 10:00:00.000002"),
            (text("2024-01-31T10:00:00+02:00"), "2024-01-31 10:00:00"),
            (text("2024-01-31 10:00:00.1234567"), "2024-01-31 10:00:00.123457"),
            (text("2024-02-30"), "2024-03-01 00:00:00"),
            (text("0000-00-00"), "0001-01-01 00:00:00 BC"),
            (text("2024-01-31 24:00:00"), "2024-02-01 00:00:00"),
            (text("10:00:00"), "2000-01-01 10:00:00"),
            (text("now"), "2024-01-31 10:00:00"),
            (Integer(1_706_695_200), "2024-01-31 10:00:00"),
            (text("0044-03-15 00:00:00"), "0044-03-15 00:00:00 BC"),
            (text(""), "1970-01-01 00:00:00"),
        ],
    );
    same(
        &PgType::Date,
        &[(text("2024-02-29"), "2024-02-29"), (text("2024-02-29 00:00:00"), "2024-02-29")],
    );
    different(
        &PgType::Date,
        &[
            (text("2024-02-29"), "2024-02-28"),
            (text("2024-02-29 00:00:01"), "2024-02-29"),
            (text("2023-02-29"), "2023-03-01"),
        ],
    );
    same(&PgType::Time, &[(text("10:00"), "10:00:00"), (text("24:00:00"), "24:00:00")]);
    different(
        &PgType::Time,
        &[(text("10:00:00"), "10:00:01"), (text("2024-01-31 10:00:00"), "10:00:00")],
    );
}

#[test]
fn rounding_has_its_own_reason_and_only_rounding() {
    let reason = |source: &str, target: &str| {
        let target = Some(target.as_bytes());
        difference(text(source), target, &PgType::Timestamp, &mut Scratch::default())
    };
    let source = "2024-01-31 10:00:00.1234567";
    assert_eq!(reason(source, "2024-01-31 10:00:00.123457"), Some(Reason::Rounded));
    for target in ["2024-01-31 10:00:00.123456", "2024-01-31 10:00:00.123458", "1970-01-01"] {
        assert!(matches!(reason(source, target), Some(Reason::NoRule(_))), "{target}");
    }
}

#[test]
fn json_by_meaning() {
    let pg_type = PgType::Json;
    same(
        &pg_type,
        &[
            (text(r#"{"b":1, "a":[1.0,1e2]}"#), r#"{"a": [1.0, 100], "b": 1}"#),
            (text("1.0"), "1"),
            (text(r#"{"a":1,"a":2}"#), r#"{"a": 2}"#),
            (text(r#""\u00e9\ud83e\udd8a\/""#), "\"é🦊/\""),
            (text("12345678901234567890.5"), "12345678901234567890.5"),
            (text(" [ ] "), "[]"),
            (Integer(5), "5"),
            (Real(1.5), "1.50"),
            (text("null"), "null"),
        ],
    );
    different(
        &pg_type,
        &[
            (text("12345678901234567890.5"), "12345678901234567000"),
            (text("9007199254740993"), "9007199254740992"),
            (text(r#"{"a":1,"a":2}"#), r#"{"a": 1}"#),
            (text("[1,2]"), "[2, 1]"),
            (text("[1]"), "[1, null]"),
            (text("1"), "\"1\""),
            (text("true"), "1"),
            (text(r#""\u00e9""#), r#""e\u0301""#),
            (text("NaN"), "null"),
            (text("[1"), "[1]"),
            (text("[01]"), "[1]"),
            (text("[1,]"), "[1]"),
            (text("'a'"), "\"a\""),
            (text(r#""\ud800""#), "\"?\""),
            (text(r#"{"a": {}}"#), r#"{"a": []}"#),
            (Blob(b"{}"), "{}"),
        ],
    );
}

#[test]
fn uuids() {
    const SHOWN: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
    let blob = b"\x6f\x96\x19\xff\x8b\x86\xd0\x11\xb4\x2d\x00\xc0\x4f\xc9\x64\xff";
    let pg_type = PgType::Uuid;
    same(
        &pg_type,
        &[
            (text(SHOWN), SHOWN),
            (text("{6F9619FF-8B86-D011-B42D-00C04FC964FF}"), SHOWN),
            (text("6f9619ff8b86d011b42d00c04fc964ff"), SHOWN),
            (Blob(blob), SHOWN),
        ],
    );
    different(
        &pg_type,
        &[
            (text("6f9619ff-8b86-d011-b42d-00c04fc964fe"), SHOWN),
            (text("6f9619ff8b86d011b42d00c04fc964f"), SHOWN),
            (Blob(&blob[..15]), SHOWN),
            (text(""), SHOWN),
        ],
    );
}

#[test]
fn what_has_no_rule_is_a_difference() {
    for pg_type in ["interval", "_text", "tsvector", "point"] {
        different(&PgType::of(pg_type, "b"), &[(text("x"), "x"), (Integer(1), "1")]);
    }
    same(&PgType::of("mood", "e"), &[(text("happy"), "happy")]);
}
