//! Planted differences: a value that arrived, and one that PostgreSQL has in its place.
//!
//! Purpose: a witness that always says "same" would pass every other test. Each row has a kind of
//! fault, a type by a conversion, a value of the source, SQL of what must be there, and SQL of what is
//! there wrongly. The first must be the same, by comparison and by form, and the second must not.

use litelift::model::convert::Convert;
use litelift::model::value::Value;
use litelift::verify::witness::{Agreement, ColumnWitness, RowStream, Scratch, SourceClock};

use futures_util::TryStreamExt as _;

use crate::support::pg;

use super::{SETTINGS, witness};

const NULL: Value<'static> = Value::Null;

const fn int(value: i64) -> Value<'static> {
    Value::Integer(value)
}

const fn real(value: f64) -> Value<'static> {
    Value::Real(value)
}

const fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

/// Kind, type, conversion, source, what must be there, what is there wrongly.
type Fault = (&'static str, &'static str, &'static str, Value<'static>, &'static str, &'static str);

const FAULTS: [Fault; 84] = [
    ("a bit of a double", "double precision", "plain", real(0.1), "0.1", "0.10000000000000002"),
    ("sign of zero", "double precision", "plain", real(-0.0), "'-0'", "0"),
    ("sign of zero", "double precision", "plain", real(0.0), "0", "'-0'"),
    ("sign of zero", "double precision", "plain", int(0), "0", "'-0'"),
    (
        "infinity",
        "double precision",
        "plain",
        real(f64::INFINITY),
        "'inf'",
        "1.7976931348623157e308",
    ),
    ("infinity", "double precision", "plain", real(f64::INFINITY), "'inf'", "'-inf'"),
    ("not a number", "double precision", "plain", real(1.0), "1", "'nan'"),
    ("half of the digits", "double precision", "plain", real(0.1), "0.1", "0.1::real"),
    ("least double", "double precision", "plain", real(5e-324), "5e-324", "1e-323"),
    ("2^53", "double precision", "plain", int(1 << 53), "9007199254740992", "9007199254740994"),
    ("a bit of a float", "real", "as_printed", real(0.1), "0.1", "0.10000001"),
    ("a bit of a float", "real", "plain", real(0.5), "0.5", "0.50000006"),
    ("one more", "bigint", "plain", int(i64::MAX), "9223372036854775807", "9223372036854775806"),
    ("sign", "integer", "plain", int(7), "7", "-7"),
    ("one more", "smallint", "plain", int(32_767), "32767", "32766"),
    ("0 for NULL", "bigint", "plain", NULL, "NULL", "0"),
    ("NULL for 0", "bigint", "plain", int(0), "0", "NULL"),
    ("number of text", "bigint", "number", text(" +07 "), "7", "8"),
    ("number of text", "bigint", "plain", text("7"), "7", "70"),
    ("turned", "boolean", "plain", int(1), "true", "false"),
    ("false for NULL", "boolean", "plain", NULL, "NULL", "false"),
    ("turned", "boolean", "bool_word", text("No"), "false", "true"),
    ("scale", "numeric", "plain", text("1.0"), "1.0", "1.00"),
    ("scale", "numeric", "plain", text("1.0"), "1.0", "1"),
    ("scale", "numeric", "number", text("1.0e1"), "10", "10.0"),
    ("scale of zero", "numeric", "plain", text("0.00"), "0.00", "0"),
    (
        "last digit",
        "numeric",
        "plain",
        text("12345678901234567890.123456789"),
        "12345678901234567890.123456789",
        "12345678901234567890.123456788",
    ),
    ("place of the point", "numeric", "plain", int(10_000), "10000", "1"),
    ("place of the point", "numeric", "plain", text("0.0001"), "0.0001", "1.0000"),
    ("sign", "numeric", "plain", int(-5), "-5", "5"),
    ("not a number", "numeric", "plain", int(5), "5", "'nan'"),
    ("rounded", "numeric(12,2)", "plain", real(1.25), "1.25", "1.26"),
    ("not what it rounds to", "numeric(12,2)", "plain", real(1.5), "1.5", "1.51"),
    ("digits of a real", "numeric", "plain", real(0.1), "0.1", "0.1000000000000000055"),
    ("empty for NULL", "text", "plain", NULL, "NULL", "''"),
    ("NULL for empty", "text", "plain", text(""), "''", "NULL"),
    ("blank behind", "text", "plain", text("a"), "'a'", "'a '"),
    ("blank before", "text", "plain", text("a"), "'a'", "' a'"),
    ("case", "text", "plain", text("a"), "'a'", "'A'"),
    ("form of Unicode", "text", "plain", text("\u{e9}"), "U&'\\00e9'", "U&'e\\0301'"),
    ("line end", "text", "plain", text("a\r\nb"), "E'a\\r\\nb'", "E'a\\nb'"),
    ("word for NULL", "text", "plain", NULL, "NULL", "'NULL'"),
    ("cut", "text", "plain", text("a\tb"), "E'a\\tb'", "'a'"),
    ("point of a real", "text", "plain", real(1.0), "'1.0'", "'1'"),
    ("NUL, replaced", "text", "replace", text("a\0b"), "U&'a\\fffdb'", "'ab'"),
    ("NUL, left out", "text", "strip", text("a\0b"), "'ab'", "U&'a\\fffdb'"),
    ("one too few", "varchar(3)", "truncate", text("abcd"), "'abc'", "'ab'"),
    ("other text, as long", "char(3)", "plain", text("ab"), "'ab'", "'ac'"),
    ("blank before", "char(3)", "plain", text("ab"), "'ab'", "' ab'"),
    (
        "hexadecimal twice",
        "bytea",
        "plain",
        Value::Blob(b"\x01\xff"),
        "'\\x01ff'",
        "'\\x5c78303166660a'",
    ),
    ("last byte", "bytea", "plain", Value::Blob(b"\x01\xff"), "'\\x01ff'", "'\\x01fe'"),
    ("empty for NULL", "bytea", "plain", NULL, "NULL", "''"),
    ("a day", "date", "plain", text("2024-02-29"), "'2024-02-29'", "'2024-03-01'"),
    ("month for day", "date", "plain", text("2024-02-03"), "'2024-02-03'", "'2024-03-02'"),
    ("infinity", "date", "plain", text("2024-02-29"), "'2024-02-29'", "'infinity'"),
    ("a microsecond", "time", "plain", text("12:00:00.5"), "'12:00:00.5'", "'12:00:00.500001'"),
    ("24 hours", "time", "plain", text("00:00"), "'00:00'", "'24:00'"),
    ("zone", "timetz", "plain", text("12:00+01"), "'12:00+01'", "'12:00+02'"),
    ("same instant, other zone", "timetz", "plain", text("12:00+01"), "'12:00+01'", "'11:00+00'"),
    (
        "a microsecond",
        "timestamp",
        "plain",
        text("2024-02-29 12:00:00"),
        "'2024-02-29 12:00:00'",
        "'2024-02-29 12:00:00.000001'",
    ),
    (
        "half up",
        "timestamp",
        "iso",
        text("2024-02-29 12:00:00.0000005"),
        "'2024-02-29 12:00:00.000001'",
        "'2024-02-29 12:00:00'",
    ),
    ("infinity", "timestamp", "plain", text("9999-12-31"), "'9999-12-31'", "'infinity'"),
    (
        "an hour",
        "timestamptz",
        "plain",
        text("2024-07-01T12:00:00Z"),
        "'2024-07-01 12:00+00'",
        "'2024-07-01 12:00+01'",
    ),
    (
        "zone left out",
        "timestamptz",
        "iso",
        text("2024-07-01T12:00:00+02:00"),
        "'2024-07-01 10:00+00'",
        "'2024-07-01 12:00+00'",
    ),
    (
        "unit",
        "timestamptz",
        "unix_ms",
        int(1_700_000_000_000),
        "'2023-11-14 22:13:20+00'",
        "'2023-11-14 22:13:21+00'",
    ),
    (
        "a microsecond of a real",
        "timestamptz",
        "unix_s",
        real(1_700_000_000.25),
        "'2023-11-14 22:13:20.25+00'",
        "'2023-11-14 22:13:20.250001+00'",
    ),
    ("a month is no 30 days", "interval", "interval_iso", text("P1M"), "'1 mon'", "'30 days'"),
    ("a day is no 24 hours", "interval", "interval_iso", text("P1D"), "'1 day'", "'24:00'"),
    ("a microsecond", "interval", "interval_us", int(5), "'5 us'", "'6 us'"),
    ("spaces", "json", "plain", text("{\"a\": 1}"), "'{\"a\": 1}'", "'{\"a\":1}'"),
    ("key twice", "json", "plain", text("{\"a\":1,\"a\":2}"), "'{\"a\":1,\"a\":2}'", "'{\"a\":2}'"),
    ("scale", "jsonb", "plain", text("[2.50]"), "'[2.50]'", "'[2.5]'"),
    (
        "first of a key that stands twice",
        "jsonb",
        "plain",
        text("{\"a\":1,\"a\":2}"),
        "'{\"a\":2}'",
        "'{\"a\":1}'",
    ),
    ("null for no key", "jsonb", "plain", text("{\"a\":null}"), "'{\"a\":null}'", "'{}'"),
    ("order of an array", "jsonb", "plain", text("[1,2]"), "'[1,2]'", "'[2,1]'"),
    (
        "text for number",
        "jsonb",
        "plain",
        text("{\"a\":[1]}"),
        "'{\"a\":[1]}'",
        "'{\"a\":[\"1\"]}'",
    ),
    ("JSON null for NULL", "jsonb", "plain", NULL, "NULL", "'null'"),
    (
        "escaped twice",
        "jsonb",
        "plain",
        text("\"\\u00e9\\n\""),
        "'\"\u{e9}\\n\"'",
        "'\"\\\\u00e9\\\\n\"'",
    ),
    (
        "last digit",
        "uuid",
        "plain",
        text("00112233-4455-6677-8899-AABBCCDDEEFF"),
        "'00112233-4455-6677-8899-aabbccddeeff'",
        "'00112233-4455-6677-8899-aabbccddeefe'",
    ),
    (
        "order of bytes",
        "uuid",
        "uuid_dotnet",
        Value::Blob(&[
            0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
            0xff,
        ]),
        "'00112233-4455-6677-8899-aabbccddeeff'",
        "'33221100-5544-7766-8899-aabbccddeeff'",
    ),
    ("mask", "inet", "plain", text("10.1.2.3/24"), "'10.1.2.3/24'", "'10.1.2.3'"),
    (
        "NULL and empty",
        "text[]",
        "array_json",
        text("[null,\"\"]"),
        "'{NULL,\"\"}'",
        "'{\"\",NULL}'",
    ),
    ("empty array for NULL", "bigint[]", "array_comma", NULL, "NULL", "'{}'"),
    ("lower bound", "bigint[]", "array_comma", text("1,2"), "'{1,2}'", "'[0:1]={1,2}'"),
];

#[test]
fn every_planted_difference_is_seen() {
    let database = pg::database();
    let clock = SourceClock::named("UTC").unwrap();
    let mut wrong = Vec::new();
    let mut scratch = Scratch::default();
    for (kind, pg_type, convert, value, right, planted) in FAULTS {
        let convert = Convert::parse(convert).unwrap();
        assert!(convert.makes(pg_type.parse().unwrap()));
        let witness = ColumnWitness::new(&witness::plan(pg_type.parse().unwrap(), convert), &clock);
        let fields = fields(&database, pg_type, right, planted);
        let fields = fields.iter().map(Option::as_deref).collect::<Vec<_>>();
        let mut forms = [Vec::new(), Vec::new(), Vec::new()];
        witness.neutral_source(value, &mut forms[0]).unwrap();
        witness.neutral_target(fields[0], &mut forms[1]).unwrap();
        witness.neutral_target(fields[1], &mut forms[2]).unwrap();
        let seen = [
            witness.agrees(value, fields[0], &mut scratch),
            witness.agrees(value, fields[1], &mut scratch),
        ];
        let by_form = forms[0] == forms[1] && forms[0] != forms[2];
        if seen != [Agreement::Same, Agreement::Differs] || !by_form {
            wrong.push(format!("{kind}, {pg_type}: {seen:?}, forms as they must be: {by_form}"));
        }
        if witness.shown_target(fields[0]) == witness.shown_target(fields[1]) {
            wrong.push(format!("{kind}, {pg_type}: both are shown alike"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn fields(
    database: &pg::TestDb,
    pg_type: &str,
    right: &str,
    planted: &str,
) -> Vec<Option<Vec<u8>>> {
    pg::blocking(async {
        let client = database.client().await;
        client.batch_execute(SETTINGS).await.unwrap();
        let values = [right, planted].map(|value| format!("({value})::{pg_type}"));
        let sql = format!("COPY (SELECT {}) TO STDOUT (FORMAT binary)", values.join(", "));
        let stream = client.copy_out(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let pieces: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
        let mut stream = RowStream::new(2);
        pieces.iter().for_each(|piece| stream.push(piece));
        let row = stream.row().unwrap().unwrap();
        [0, 1].map(|column| row.field(column).map(<[u8]>::to_vec)).to_vec()
    })
}

/// A field of another length than its type has, or of another form, is no value at all.
#[test]
fn fields_that_are_none_of_their_type_are_told_apart() {
    let clock = SourceClock::named("UTC").unwrap();
    let mut scratch = Scratch::default();
    for (pg_type, field) in [
        ("boolean", &b"\x02"[..]),
        ("smallint", b"\0\0\0"),
        ("integer", b""),
        ("bigint", b"\0\0\0\0"),
        ("double precision", b"\0\0\0\0"),
        ("numeric", b"\0\x01\0\0\0\0\0\0"),
        ("numeric", b"\0\x01\0\0\0\0\0\0\x27\x10"),
        ("text", b"\xff"),
        ("timetz", b"\0\0\0\0\0\0\0\0"),
        ("interval", b"\0\0\0\0\0\0\0\0\0\0\0\0"),
        ("jsonb", b"\x02{}"),
        ("jsonb", b"\x01{"),
        ("uuid", b"\0"),
        ("inet", b"\x02\x21\0\x04\x0a\0\0\x01"),
        ("bigint[]", b"\0\0\0\x01\0\0\0\0\0\0\0\x14\x7f\xff\xff\xff\0\0\0\x01"),
        ("bigint[]", b"\0\0\0\0\0\0\0\0\0\0\0\x19"),
    ] {
        let parsed = pg_type.parse().unwrap();
        let witness = ColumnWitness::new(&witness::plan(parsed, Convert::Plain), &clock);
        let agreement = witness.agrees(int(1), Some(field), &mut scratch);
        assert!(matches!(agreement, Agreement::Malformed(_)), "{pg_type} {field:?} {agreement:?}");
    }
}
