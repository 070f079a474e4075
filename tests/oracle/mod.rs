//! PostgreSQL as the oracle of the encoders.
//!
//! Purpose: random values go through litelift's encoder into a column beside their own text; then
//! PostgreSQL makes the value from the text by its own means, and the two must be the same in every
//! bit that the type has. What the encoder refuses is counted and must be a part that the case names.
//!
//! Knobs: `LITELIFT_ORACLE_VALUES`, the number of values per case (2,000; a release run used 200,000).

#![allow(clippy::print_stderr, reason = "the figure is the point of a long run")]

mod cases;

use bytes::Bytes;
use futures_util::SinkExt as _;
use litelift::encode::{RowEncoder, Zone, field};
use litelift::model::convert::Convert;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::plan::ColumnPlan;
use litelift::model::value::Value;

use crate::support::generate::Random;
use crate::support::pg;

use cases::{CASES, Case, Owned, SINCE};

fn column(pg_type: &str, convert: &str) -> ColumnPlan {
    ColumnPlan {
        source: "v".to_owned(),
        readable: true,
        target: "v".to_owned(),
        pg_type: pg_type.parse().unwrap(),
        convert: Convert::parse(convert).unwrap(),
        labels: Vec::new(),
        on_misfit: OnMisfit::Widen,
        demands: litelift::model::demands::Demands::default(),
    }
}

/// Encodes the values that fit; returns the COPY and the number of values that do not.
fn encoded(case: &Case, count: u32) -> (Vec<u8>, u64, u64) {
    let zone = Zone::named(case.zone).unwrap();
    let columns = [column("text", "plain"), column(case.pg_type, case.convert)];
    let encoder = RowEncoder::new(&columns, &zone);
    let mut random = Random::new(u64::from(count) + case.oracle.len() as u64);
    let mut out = field::HEADER.to_vec();
    let (mut fitting, mut refused) = (0, 0);
    for _ in 0..count {
        let value = (case.value)(&mut random);
        let start = out.len();
        encoder.begin(&mut out);
        encoder.field(0, Value::Text(value.text().as_bytes()), &mut out).unwrap();
        if encoder.field(1, value.value(), &mut out).is_err() {
            out.truncate(start);
            refused += 1;
        } else {
            fitting += 1;
        }
    }
    out.extend_from_slice(&field::TRAILER);
    (out, fitting, refused)
}

#[test]
fn every_conversion_makes_what_postgresql_makes() {
    let count = std::env::var("LITELIFT_ORACLE_VALUES").ok().map_or(2_000, |n| n.parse().unwrap());
    let database = pg::database();
    pg::blocking(async {
        let client = database.client().await;
        client
            .batch_execute(
                "set timezone = 'UTC'; set intervalstyle = 'postgres'; set extra_float_digits = 1",
            )
            .await
            .unwrap();
        let (mut all, mut all_refused) = (0, 0);
        for (number, case) in CASES.iter().enumerate() {
            let (copy, fitting, refused) = encoded(case, count);
            let table = format!("t{number}");
            client
                .batch_execute(&format!("create table {table} (s text, v {})", case.pg_type))
                .await
                .unwrap();
            let sink =
                client.copy_in(&format!("copy {table} from stdin (format binary)")).await.unwrap();
            let mut sink = Box::pin(sink);
            sink.send(Bytes::from(copy)).await.unwrap();
            let counted = sink.as_mut().finish().await;
            let counted = counted.unwrap_or_else(|error| panic!("{}: {error:?}", case.name()));
            assert_eq!(counted, fitting);
            // record_send shows every bit that the type has: scale, -0.0, months against days.
            let oracle = case.oracle.replace(SINCE.0, SINCE.1);
            let differing = format!(
                "select s, v::text, ({0})::text from {table} \
                 where record_send(row(v)) is distinct from record_send(row(({0})::{1}))",
                oracle, case.pg_type
            );
            let rows = client.query(&format!("select count(*) from ({differing}) x"), &[]).await;
            let rows = rows.unwrap_or_else(|error| panic!("{}: {error:?}", case.name()));
            let wrong: i64 = rows[0].get(0);
            if wrong > 0 {
                let first = client.query_one(&format!("{differing} limit 1"), &[]).await.unwrap();
                let text = |at: usize| first.get::<_, Option<String>>(at);
                panic!(
                    "{}: {wrong} of {fitting} differ, first {:?}: ours {:?}, PostgreSQL's {:?}",
                    case.name(),
                    text(0),
                    text(1),
                    text(2)
                );
            }
            let share = refused * 100 / u64::from(count);
            assert!(
                (case.refused.0..=case.refused.1).contains(&share),
                "{}: {share} % are refused",
                case.name()
            );
            all += fitting;
            all_refused += refused;
            client.batch_execute(&format!("drop table {table}")).await.unwrap();
        }
        eprintln!(
            "oracle: {} cases, {all} values the same, {all_refused} refused by name",
            CASES.len()
        );
    });
}

#[test]
fn every_conversion_of_the_vocabulary_has_a_case() {
    for (_, name, ..) in Convert::NAMED {
        assert!(
            CASES.iter().any(|case| case.convert == name) || cases::ELSEWHERE.contains(&name),
            "{name}"
        );
    }
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

    /// The value as text for PostgreSQL: a double with all its digits, a blob as hexadecimal ones.
    fn text(&self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Real(value) => format!("{value:?}"),
            Self::Text(text) => text.clone(),
            Self::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}
