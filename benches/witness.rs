//! How long the witness of `verify --level full` takes for a value.
//!
//! Purpose: nanoseconds a value, by type, over values that are the same; and what 2 million rows of ten
//! columns would cost on one thread. No server: fields come from the encoder, which is not timed.
//!
//! Knobs: `WITNESS_VALUES`, how many per type (400,000).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers"
)]

use std::hint::black_box;
use std::time::Instant;

use litelift::encode::{RowEncoder, Zone};
use litelift::model::convert::Convert;
use litelift::model::demands::Demands;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::plan::ColumnPlan;
use litelift::model::value::Value;
use litelift::verify::witness::{Agreement, ColumnWitness, Scratch, SourceClock};

const DISTINCT: usize = 1_000;

enum Owned {
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Integer(value) => Value::Integer(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Text(text) => Value::Text(text.as_bytes()),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// Type, conversion, zone, and the value of a number.
type Column = (&'static str, &'static str, &'static str, fn(u32) -> Owned);

const COLUMNS: [Column; 16] = [
    ("bigint", "plain", "UTC", |n| Owned::Integer(i64::from(n) * 7_919)),
    ("boolean", "plain", "UTC", |n| Owned::Integer(i64::from(n % 2))),
    ("double precision", "plain", "UTC", |n| Owned::Real(f64::from(n) / 7.0)),
    ("text", "plain", "UTC", |n| Owned::Text(format!("text of a row, number {n}, of some forty"))),
    ("bytea", "plain", "UTC", |n| Owned::Blob(n.to_be_bytes().repeat(12))),
    ("numeric(12,2)", "plain", "UTC", |n| Owned::Text(format!("{}.{:02}", n * 31, n % 100))),
    ("numeric", "plain", "UTC", |n| Owned::Real(f64::from(n) / 8.0)),
    ("char(12)", "plain", "UTC", |n| Owned::Text(format!("{n}"))),
    ("date", "plain", "UTC", |n| {
        Owned::Text(format!("20{:02}-0{}-1{}", n % 100, n % 9 + 1, n % 10))
    }),
    ("timestamp", "plain", "UTC", |n| {
        Owned::Text(format!("2024-02-1{} 12:{:02}:00.25", n % 10, n % 60))
    }),
    ("timestamptz", "iso", "Europe/Paris", |n| {
        Owned::Text(format!("2024-02-1{} 12:{:02}:00", n % 10, n % 60))
    }),
    ("timestamptz", "unix_s", "UTC", |n| Owned::Real(1.7e9 + f64::from(n) / 1e3)),
    ("uuid", "plain", "UTC", |n| Owned::Text(format!("00112233-4455-6677-8899-{n:012x}"))),
    ("enum(mood)", "enum:lower", "UTC", |n| Owned::Text(format!("Mood{}", n % 7))),
    ("jsonb", "plain", "UTC", |n| {
        Owned::Text(format!(
            "{{\"name\":\"row {n}\",\"n\":{n},\"tags\":[\"a\",\"b\"],\"price\":{n}.50}}"
        ))
    }),
    ("text[]", "array_json", "UTC", |n| Owned::Text(format!("[\"a{n}\",\"b\",null]"))),
];

fn main() {
    let count = std::env::var("WITNESS_VALUES").map_or(400_000, |text| text.parse().unwrap());
    let mut all_ns = 0.0;
    for (pg_type, convert, zone, value) in COLUMNS {
        let plan = ColumnPlan {
            source: "v".to_owned(),
            readable: true,
            target: "v".to_owned(),
            pg_type: pg_type.parse().unwrap(),
            convert: Convert::parse(convert).unwrap(),
            labels: Vec::new(),
            on_misfit: OnMisfit::Reject,
            demands: Demands::default(),
        };
        let witness = ColumnWitness::new(&plan, &SourceClock::named(zone).unwrap());
        let encoder = RowEncoder::new(&[plan], &Zone::named(zone).unwrap());
        let pairs: Vec<(Owned, Vec<u8>)> = (0..u32::try_from(DISTINCT).unwrap())
            .map(|n| {
                let value = value(n);
                let mut field = Vec::new();
                encoder.field(0, value.value(), &mut field).unwrap();
                let mut field = field.split_off(4);
                // The server pads it.
                if pg_type == "char(12)" {
                    field.resize(12, b' ');
                }
                (value, field)
            })
            .collect();
        let mut scratch = Scratch::default();
        let begun = Instant::now();
        for at in 0..count {
            let (value, field) = &pairs[at % DISTINCT];
            let agreement = witness.agrees(black_box(value.value()), Some(field), &mut scratch);
            assert_eq!(agreement, Agreement::Same, "{pg_type} {:?}", value.value());
        }
        #[allow(clippy::cast_precision_loss, reason = "a figure to look at")]
        let ns = begun.elapsed().as_nanos() as f64 / count as f64;
        all_ns += ns;
        println!("{:28} {ns:7.1} ns", format!("{pg_type} by {convert}"));
    }
    #[allow(clippy::cast_precision_loss, reason = "a figure to look at")]
    let mean_ns = all_ns / COLUMNS.len() as f64;
    println!(
        "mean {mean_ns:.1} ns; 2,000,000 rows of ten such columns {:.1} s",
        mean_ns * 20e6 / 1e9
    );
}
