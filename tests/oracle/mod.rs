//! PostgreSQL as the oracle of the encoders.
//!
//! Purpose: random values of every storage class go through litelift's encoder into a column beside
//! the raw value; then PostgreSQL makes the value by its own means, from what docs/type-maps.md says
//! that the conversion means (`setup.sql`, `meaning`). Both must refuse the same values, and what
//! they take must be the same in every bit that the type has. Where the scan alone decides whether a
//! column fits, it must say of each value what the encoder does.
//!
//! Knobs: `LITELIFT_ORACLE_VALUES`, the number of values per case (150), 32,000 make five million; `LITELIFT_ORACLE_SEED`;
//! `LITELIFT_ORACLE_CASE`, a part of the name of the cases to run.
//!
//! Known gaps: values of a megabyte and more; enum types are compared by the text of their labels.

#![allow(clippy::print_stderr, reason = "the figure is the point of a long run")]

mod arrived;
mod cases;
mod checks;
mod hashes;
mod meaning;
mod parsers;
mod parsing;
mod planted;
mod texts;
mod values;
mod witness;

use bytes::Bytes;
use futures_util::SinkExt as _;
use litelift::encode::{RowEncoder, Zone, field};
use litelift::model::convert::Convert;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::pg_type::PgType;
use litelift::model::plan::ColumnPlan;
use tokio_postgres::Client;

use crate::support::generate::Random;
use crate::support::pg;

use cases::Case;
use values::Owned;

/// Of each session.
const SETTINGS: &str =
    "set timezone = 'UTC'; set intervalstyle = 'postgres'; set extra_float_digits = 1";
/// Differences that are shown of a case.
const SHOWN_MAX: usize = 4;

#[derive(Default)]
struct Figures {
    taken: u64,
    refused: u64,
    nulls: u64,
    differences: Vec<String>,
}

#[test]
fn every_conversion_makes_what_postgresql_makes() {
    let number = |name: &str, default| -> u64 {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let count = number("LITELIFT_ORACLE_VALUES", 150);
    let seed = number("LITELIFT_ORACLE_SEED", 20_261_121);
    let wanted = std::env::var("LITELIFT_ORACLE_CASE").unwrap_or_default();
    let database = pg::database();
    let cases: Vec<(u64, Case)> =
        (0..).zip(cases::all()).filter(|(_, case)| case.name().contains(&wanted)).collect();
    let figures = pg::blocking(async {
        let setup = database.client().await;
        setup.batch_execute(include_str!("setup.sql")).await.unwrap();
        // Almost all of the time is the server's: it has a session for each of two cores.
        let session = async |odd: u64| {
            let client = database.client().await;
            client.batch_execute(SETTINGS).await.unwrap();
            let mut figures = Figures::default();
            for (number, case) in cases.iter().filter(|(number, _)| number % 2 == odd) {
                let mut random = Random::new(seed.wrapping_add(*number));
                // The first numbers of near seeds are alike.
                for _ in 0..8 {
                    random.next();
                }
                let values: Vec<Owned> =
                    (0..count).map(|_| values::value(&mut random, case.makers)).collect();
                run(&client, case, &values, &mut figures).await;
            }
            figures
        };
        let (mut figures, others) = futures_util::future::join(session(0), session(1)).await;
        figures.taken += others.taken;
        figures.refused += others.refused;
        figures.nulls += others.nulls;
        figures.differences.extend(others.differences);
        figures
    });
    eprintln!(
        "oracle: {} cases, seed {seed}: {} values the same, {} refused by both, {} NULL",
        cases.len(),
        figures.taken,
        figures.refused,
        figures.nulls
    );
    let found = figures.differences;
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_type_that_a_rule_can_name_has_a_case() {
    let cases = cases::all();
    let page = include_str!("../../docs/type-maps.md");
    let start = page.find("<!-- begin types -->").unwrap();
    let types = &page[start..page.find("<!-- end types -->").unwrap()];
    let conversions = ["plain", "enum:keep", "enum:upper", "enum:lower"].into_iter();
    let conversions = conversions.chain(Convert::NAMED.iter().map(|(_, name, ..)| *name));
    let conversions: Vec<Convert> = conversions.map(|name| Convert::parse(name).unwrap()).collect();
    let mut pairs = 0;
    for name in types.split('`').skip(1).step_by(2).filter(|name| !name.ends_with("(*)")) {
        let pg_type: PgType = name.parse().unwrap();
        let is_type = |case: &&Case| {
            std::mem::discriminant(&case.pg_type) == std::mem::discriminant(&pg_type)
                && (case.pg_type == pg_type || !matches!(pg_type, PgType::Array(_)))
        };
        for convert in conversions.iter().filter(|convert| convert.makes(pg_type)) {
            let has = cases.iter().filter(is_type).any(|case| case.convert == *convert);
            assert!(has, "no case for {name} by {}", convert.name());
            pairs += 1;
        }
    }
    assert!(pairs > 80, "{pairs}");
}

/// The fuzz targets, for a moment and without a fuzzer: from the texts of the cases.
#[test]
fn what_the_fuzzer_checks_holds() {
    const VALUES: u64 = 20_000;
    let mut random = Random::new(7);
    let mut column = Vec::new();
    for _ in 0..VALUES {
        let value = values::value(&mut random, &texts::ALL);
        column.clear();
        column.extend_from_slice(&random.next().to_be_bytes()[..2]);
        match &value {
            Owned::Null => continue,
            Owned::Integer(value) => {
                column.push(0);
                column.extend_from_slice(&value.to_be_bytes());
            }
            Owned::Real(value) => {
                column.push(1);
                column.extend_from_slice(&value.to_be_bytes());
            }
            Owned::Blob(bytes) | Owned::Text(bytes) => {
                column.push(if matches!(value, Owned::Blob(_)) { 2 } else { 3 });
                column.extend_from_slice(bytes);
            }
        }
        checks::columns(&column);
        let Owned::Text(text) = value else { continue };
        for check in [
            checks::dates,
            checks::decimals,
            checks::json,
            checks::intervals,
            checks::arrays,
            checks::uuids,
        ] {
            check(&text);
        }
    }
}

/// Runs one case: encodes, copies, lets PostgreSQL make the same, and compares.
async fn run(client: &Client, case: &Case, values: &[Owned], figures: &mut Figures) {
    let column = match case.pg_type {
        PgType::Enum(_) => "text".to_owned(),
        other => other.to_string(),
    };
    let (copy, taken) = encoded(case, values, figures);
    let (oracle, fits) = oracle(case, &column);
    let setup = format!(
        "drop table if exists t; \
         create temp table t (n int, c \"char\", i int8, r float8, b bytea, taken boolean, v {column}); {oracle}"
    );
    client.batch_execute(&setup).await.unwrap_or_else(|error| panic!("{setup}: {error:?}"));
    let sink = client.copy_in("copy t from stdin (format binary)").await.unwrap();
    let mut sink = Box::pin(sink);
    let sent = sink.send(Bytes::from(copy.clone())).await;
    if let Err(error) = sent.and(sink.as_mut().finish().await) {
        let at = error.as_db_error().and_then(|error| error.where_()).unwrap_or_default();
        let line = at.split("line ").nth(1).and_then(|rest| rest.split(',').next());
        let value = line.and_then(|line| values.get(line.parse::<usize>().ok()? - 1));
        figures.differences.push(format!(
            "{}: COPY fails at {}: {}",
            case.name(),
            value.map_or_else(String::new, |value| value.value().shown()),
            error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
        ));
        return;
    }
    if let Some(difference) = hashes::of_what_was_sent(client, &copy).await {
        figures.differences.push(format!("{}: {difference}", case.name()));
    }
    // record_send shows every bit that the type has: scale, -0.0, months against days.
    let differing = format!(
        "select n, left(v::text, 200), left(m::text, 200) from (select *, {fits} as m from t) x \
         where case when c = 'n' then v is not null or not taken \
         when taken then m is null or record_send(row(v)) is distinct from record_send(row(m)) {} \
         else m is not null end order by n",
        but_as_short(case.pg_type)
    );
    let rows = match client.query(&differing, &[]).await {
        Ok(rows) => rows,
        Err(error) => {
            figures.differences.push(format!("{}: {error:?}", case.name()));
            return;
        }
    };
    for row in rows.iter().take(SHOWN_MAX) {
        let number: i32 = row.get(0);
        let value = &values[usize::try_from(number).unwrap()];
        let text = |at: usize| row.get::<_, Option<String>>(at);
        figures.differences.push(format!(
            "{}: {}: {}, PostgreSQL {:?} ({} differ)",
            case.name(),
            value.value().shown(),
            if taken[usize::try_from(number).unwrap()] {
                format!("ours {:?}", text(1))
            } else {
                "refused".to_owned()
            },
            text(2),
            rows.len()
        ));
    }
    let nulls = values.iter().filter(|value| matches!(value, Owned::Null)).count();
    let refused = taken.iter().filter(|taken| !**taken).count();
    let taken = values.len() - nulls - refused;
    // A case that takes nothing, or refuses nothing, would prove nothing.
    if taken.min(refused) * 100 < values.len() && case.pg_type != PgType::Bytea {
        figures.differences.push(format!("{}: {taken} taken, {refused} refused", case.name()));
    }
    for (sum, count) in
        [(&mut figures.taken, taken), (&mut figures.refused, refused), (&mut figures.nulls, nulls)]
    {
        *sum += count as u64;
    }
}

/// A condition for the doubles that have two shortest decimals.
fn but_as_short(pg_type: PgType) -> &'static str {
    match pg_type {
        PgType::Numeric(_) | PgType::Text | PgType::Json | PgType::Jsonb => {
            "and not (c = 'r' and as_short(v::text, m::text, r))"
        }
        PgType::Bytea => {
            "and not (c = 'r' and as_short(encode(v, 'escape'), encode(m, 'escape'), r))"
        }
        _ => "",
    }
}

/// Makes the COPY of a case, and says which values the encoder took. The raw values are written
/// here, not by the encoder that is tested.
fn encoded(case: &Case, values: &[Owned], figures: &mut Figures) -> (Vec<u8>, Vec<bool>) {
    let labels = match case.convert {
        Convert::Enum(_) => meaning::LABELS.as_slice(),
        _ => &[],
    };
    let plan = ColumnPlan {
        source: "v".to_owned(),
        readable: true,
        target: "v".to_owned(),
        pg_type: case.pg_type,
        convert: case.convert,
        labels: labels.iter().map(|(text, to)| ((*text).to_owned(), (*to).to_owned())).collect(),
        on_misfit: OnMisfit::Reject,
        demands: litelift::model::demands::Demands::default(),
    };
    let encoder = RowEncoder::new(&[plan], &Zone::named(case.zone).unwrap());
    let mut out = field::HEADER.to_vec();
    let mut all_taken = Vec::with_capacity(values.len());
    let mut disagreements = 0;
    for (number, value) in values.iter().enumerate() {
        out.extend_from_slice(&7_i16.to_be_bytes());
        put(&i32::try_from(number).unwrap().to_be_bytes(), &mut out);
        put_raw(value, &mut out);
        let mut field = Vec::new();
        let encoded = encoder.field(0, value.value(), &mut field);
        let taken = encoded.is_ok();
        put(&[u8::from(taken)], &mut out);
        match encoded {
            Ok(()) => out.extend_from_slice(&field),
            Err(_) => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
        let scan = checks::scan_fits(case.pg_type, case.convert, value.value());
        if scan.is_some_and(|fits| fits != taken) {
            disagreements += 1;
            if disagreements <= SHOWN_MAX {
                let value = value.value().shown();
                figures.differences.push(format!(
                    "{}: {value}: the encoder takes it: {taken}, the scan says otherwise",
                    case.name()
                ));
            }
        }
        all_taken.push(taken);
    }
    out.extend_from_slice(&field::TRAILER);
    (out, all_taken)
}

/// Storage class, integer, double, bytes.
fn put_raw(value: &Owned, out: &mut Vec<u8>) {
    let class = match value {
        Owned::Null => b"n",
        Owned::Integer(_) => b"i",
        Owned::Real(_) => b"r",
        Owned::Text(_) => b"t",
        Owned::Blob(_) => b"b",
    };
    put(class, out);
    let null = |out: &mut Vec<u8>| out.extend_from_slice(&(-1_i32).to_be_bytes());
    match value {
        Owned::Integer(value) => put(&value.to_be_bytes(), out),
        _ => null(out),
    }
    match value {
        Owned::Real(value) => put(&value.to_be_bytes(), out),
        _ => null(out),
    }
    match value {
        Owned::Text(bytes) | Owned::Blob(bytes) => put(bytes, out),
        _ => null(out),
    }
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Returns the function that makes a case's value, and its call with the sizes of the type.
fn oracle(case: &Case, column: &str) -> (String, String) {
    let convert = case.convert.name();
    let pg_type = case.pg_type.to_string();
    let meaning = meaning::of_conversion(&pg_type, convert, case.zone);
    let branch = |class: &str, sql: &Option<String>| match sql {
        Some(sql) => format!("when '{class}' then v := (select {sql});"),
        None => String::new(),
    };
    let reads_text = meaning.text.as_deref().is_some_and(meaning::reads_text);
    let as_text =
        if reads_text { "if c = 't' then s := convert_from(b, 'UTF8'); end if;" } else { "" };
    // Errors of class 22 are about data, those of class 54 about limits; any other is a mistake here.
    let function = format!(
        "drop function if exists pg_temp.meaning; \
         create function pg_temp.meaning(c \"char\", i int8, r float8, b bytea) returns {column} \
         language plpgsql as $meaning$ declare s text; v {column}; begin {as_text} \
         case c::text {} {} {} {} else return null; end case; return v; \
         exception when data_exception or program_limit_exceeded then return null; end $meaning$;",
        branch("i", &meaning.integer),
        branch("r", &meaning.real),
        branch("t", &meaning.text),
        branch("b", &meaning.blob)
    );
    (function, format!("pg_temp.meaning(c, i, r, b)::{column}"))
}
