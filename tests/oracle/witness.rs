//! The witness of `verify --level full`, between the encoder and the server: it must find every value
//! that arrived to be the same, and refuse every value that the encoder refuses.
//!
//! Purpose: random values of every case of `cases`, sent by the encoder, read back by COPY BINARY. A
//! failure is a bug of one of the two, and docs/type-maps.md says of which.
//!
//! Knobs: those of the oracle (`LITELIFT_ORACLE_VALUES`, `LITELIFT_ORACLE_SEED`, `LITELIFT_ORACLE_CASE`).

use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use litelift::encode::{RowEncoder, Zone, field};
use litelift::model::convert::Convert;
use litelift::model::demands::Demands;
use litelift::model::on_misfit::OnMisfit;
use litelift::model::pg_type::{Element, PgType};
use litelift::model::plan::ColumnPlan;
use litelift::model::value::Value;
use litelift::verify::witness::{Agreement, ColumnWitness, RowStream, Scratch, SourceClock};
use tokio_postgres::Client;

use crate::support::generate::Random;
use crate::support::pg;

use super::cases;
use super::meaning::LABELS;
use super::values::{self, Maker, Owned};
use super::{SETTINGS, SHOWN_MAX, texts};

/// A column, and the values that go through it.
pub(super) struct Trial {
    pub(super) name: String,
    pub(super) plan: ColumnPlan,
    pub(super) zone: &'static str,
    /// The type in SQL.
    pub(super) column: String,
    pub(super) makers: &'static [Maker],
}

pub(super) fn plan(pg_type: PgType, convert: Convert) -> ColumnPlan {
    let labels = match convert {
        Convert::Enum(_) => LABELS.as_slice(),
        _ => &[],
    };
    ColumnPlan {
        source: "v".to_owned(),
        readable: true,
        target: "v".to_owned(),
        pg_type,
        convert,
        labels: labels.iter().map(|(text, to)| ((*text).to_owned(), (*to).to_owned())).collect(),
        on_misfit: OnMisfit::Reject,
        demands: Demands::default(),
    }
}

/// Every case of the oracle, and columns that demand more than their type.
fn trials() -> Vec<Trial> {
    let of_case = |case: cases::Case| Trial {
        name: case.name(),
        plan: plan(case.pg_type, case.convert),
        zone: case.zone,
        column: match case.pg_type {
            PgType::Enum(_) => "text".to_owned(),
            other => other.to_string(),
        },
        makers: case.makers,
    };
    let mut trials: Vec<Trial> = cases::all().into_iter().map(of_case).collect();
    let makers: [(&str, &str, &'static [Maker]); 5] = [
        ("timestamp", "iso", &[texts::stamp, texts::stamp_zone]),
        ("timestamptz", "unix_s", &[values::real_seconds]),
        ("time", "iso", &[texts::clock]),
        ("timetz", "plain", &[texts::clock_zone]),
        ("interval", "interval_s", &[values::real_seconds, values::duration]),
    ];
    for (name, convert, makers) in makers {
        for digits in 0..7 {
            let mut plan = plan(name.parse().unwrap(), Convert::parse(convert).unwrap());
            plan.demands.seconds_digits = Some(digits);
            let column = format!("{name}({digits})");
            trials.push(Trial { name: column.clone(), plan, zone: "UTC", column, makers });
        }
    }
    for (pg_type, convert, column) in
        [("enum(mood)", "enum:keep", "mood"), ("text[]", "array_json", "mood[]")]
    {
        let mut plan = plan(pg_type.parse().unwrap(), Convert::parse(convert).unwrap());
        plan.demands.labels = Some(MOODS.map(str::to_owned).to_vec());
        plan.demands.required = true;
        let makers: &'static [Maker] = if column == "mood" { &[mood] } else { &[moods] };
        trials.push(Trial {
            name: column.to_owned(),
            plan,
            zone: "UTC",
            column: column.to_owned(),
            makers,
        });
    }
    trials
}

/// Two of them differ in case alone.
const MOODS: [&str; 5] = ["sad", "Sad", "ok", "PAUSED", "Ünder"];

fn mood_text(random: &mut Random) -> &'static str {
    const TEXTS: [&str; 10] =
        ["sad", "SAD", "ok", "Ok", "on hold", "ünder", "ÜNDER", "", "gone", "Σ"];
    let text: &&str = values::pick(random, TEXTS.as_slice());
    text
}

fn mood(random: &mut Random) -> Owned {
    Owned::Text(mood_text(random).as_bytes().to_vec())
}

fn moods(random: &mut Random) -> Owned {
    let count = random.below(4);
    let members: Vec<String> = (0..count)
        .map(|_| match random.below(5) {
            0 => "null".to_owned(),
            1 => "\"\\u006fk\"".to_owned(),
            _ => format!("\"{}\"", mood_text(random)),
        })
        .collect();
    Owned::Text(format!("[{}]", members.join(", ")).into_bytes())
}

#[derive(Default)]
struct Figures {
    same: u64,
    refused: u64,
    wrong: Vec<String>,
}

#[test]
fn the_witness_agrees_with_encoder_and_server() {
    let number = |name: &str, default| -> u64 {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let count = number("LITELIFT_ORACLE_VALUES", 150);
    let seed = number("LITELIFT_ORACLE_SEED", 20_261_122);
    let wanted = std::env::var("LITELIFT_ORACLE_CASE").unwrap_or_default();
    let database = pg::database();
    let figures = pg::blocking(async {
        let client = database.client().await;
        client.batch_execute(SETTINGS).await.unwrap();
        let labels = MOODS.map(|label| format!("'{label}'")).join(", ");
        client.batch_execute(&format!("CREATE TYPE mood AS ENUM ({labels})")).await.unwrap();
        let mood: u32 = client.query_one("SELECT 'mood'::regtype::oid", &[]).await.unwrap().get(0);
        let mut figures = Figures::default();
        for (number, mut trial) in (0..).zip(trials()) {
            if !trial.name.contains(&wanted) {
                continue;
            }
            if trial.column == "mood[]" {
                trial.plan.pg_type = format!("enum#{mood}[]").parse().unwrap();
            }
            let mut random = Random::new(seed.wrapping_add(number));
            for _ in 0..8 {
                random.next();
            }
            let values: Vec<Owned> =
                (0..count).map(|_| values::value(&mut random, trial.makers)).collect();
            run(&client, &trial, &values, &mut figures).await;
        }
        figures
    });
    eprintln!(
        "witness: seed {seed}: {} values the same, {} refused by both",
        figures.same, figures.refused
    );
    let wrong = figures.wrong;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(figures.same > 0);
}

async fn run(client: &Client, trial: &Trial, values: &[Owned], figures: &mut Figures) {
    let mut wrong = Vec::new();
    let plan = trial.plan.clone();
    let clock = SourceClock::named(trial.zone).unwrap();
    let witness = ColumnWitness::new(&plan, &clock);
    let nulling =
        ColumnWitness::new(&ColumnPlan { on_misfit: OnMisfit::Null, ..plan.clone() }, &clock);
    let encoder = RowEncoder::new(&[plan], &Zone::named(trial.zone).unwrap());
    let mut scratch = Scratch::default();
    let mut copy = field::HEADER.to_vec();
    let mut sent = Vec::new();
    for value in values {
        let mut field = Vec::new();
        match encoder.field(0, value.value(), &mut field) {
            Ok(()) => {
                copy.extend_from_slice(&2_i16.to_be_bytes());
                field::int4(i32::try_from(sent.len()).unwrap(), &mut copy);
                copy.extend_from_slice(&field);
                sent.push(value);
            }
            Err(misfit) => {
                let mut form = Vec::new();
                let fits = witness.neutral_source(value.value(), &mut form).is_ok();
                if fits || !form.is_empty() {
                    wrong.push(format!(
                        "{}: the encoder refuses it ({})",
                        value.value().shown(),
                        misfit.reason
                    ));
                }
                let null = nulling.agrees(value.value(), None, &mut scratch);
                if null != Agreement::Same && !trial.plan.demands.required {
                    wrong.push(format!("{}: {null:?} as NULL", value.value().shown()));
                }
                figures.refused += 1;
            }
        }
    }
    copy.extend_from_slice(&field::TRAILER);
    let fields = match back(client, &trial.column, copy).await {
        Ok(fields) => fields,
        Err(error) => {
            figures.wrong.push(format!("{}: {error:?}", trial.name));
            return;
        }
    };
    assert_eq!(fields.len(), sent.len(), "{}", trial.name);
    for (value, (found, printed)) in sent.iter().zip(&fields) {
        let found = found.as_deref();
        match witness.agrees(value.value(), found, &mut scratch) {
            Agreement::Same => figures.same += 1,
            other => wrong.push(format!(
                "{}: {other:?}: {}",
                value.value().shown(),
                witness.shown_target(found)
            )),
        }
        // By its form too, which the fast way may have spared.
        let (mut expected, mut form) = (Vec::new(), Vec::new());
        let _ = witness.neutral_source(value.value(), &mut expected);
        let _ = witness.neutral_target(found, &mut form);
        if expected != form || expected.is_empty() {
            wrong.push(format!("{}: forms differ", value.value().shown()));
        }
        let shown = witness.shown_target(found);
        wrong.extend(shown_otherwise(trial.plan.pg_type, &shown, printed.as_deref()));
    }
    let count = wrong.len();
    for wrong in wrong.into_iter().take(SHOWN_MAX) {
        figures.wrong.push(format!("{}: {wrong} ({count} wrong)", trial.name));
    }
}

/// Says so when the witness shows a value otherwise than PostgreSQL prints it.
fn shown_otherwise(pg_type: PgType, shown: &str, printed: Option<&str>) -> Option<String> {
    let text = printed.unwrap_or("NULL");
    let is_whole = text.chars().count() <= 80 && !text.contains(char::is_control);
    // Of two decimals that are as near to a double either may be shown.
    let is_near = match pg_type {
        PgType::Real => shown.parse::<f32>() == text.parse::<f32>(),
        // `::1.2.3.4` and `::102:304`.
        PgType::Inet | PgType::Cidr => text.starts_with("::"),
        PgType::Double => shown.parse::<f64>() == text.parse::<f64>(),
        PgType::Array(Element::Double) => shown.contains('e'),
        _ => false,
    };
    let is_text = pg_type.is_textual() || matches!(pg_type, PgType::Enum(_));
    let quoted = if is_text && printed.is_some() {
        Value::Text(text.as_bytes()).shown()
    } else {
        text.to_owned()
    };
    let is_other = is_whole && shown != quoted && !is_near;
    is_other.then(|| format!("shown {shown:?}, PostgreSQL prints {text:?}"))
}

/// A field and what PostgreSQL prints.
type Back = (Option<Vec<u8>>, Option<String>);

/// Sends numbered rows into a column and reads them back.
async fn back(
    client: &Client,
    column: &str,
    copy: Vec<u8>,
) -> Result<Vec<Back>, tokio_postgres::Error> {
    let table = format!("DROP TABLE IF EXISTS w; CREATE TEMP TABLE w (n int, v {column})");
    client.batch_execute(&table).await?;
    let mut sink = Box::pin(client.copy_in("COPY w FROM STDIN (FORMAT binary)").await?);
    sink.send(Bytes::from(copy)).await?;
    sink.as_mut().finish().await?;
    // Casts of char and inet are not what is printed: blanks are cut, masks are added.
    let printed = if column.starts_with("char") || column == "inet" {
        "CASE WHEN v IS NOT NULL THEN format('%s', v) END"
    } else {
        "v::text"
    };
    let sql = format!("COPY (SELECT v, {printed} FROM w ORDER BY n) TO STDOUT (FORMAT binary)");
    let pieces: Vec<Bytes> = client.copy_out(&sql).await?.try_collect().await?;
    let mut stream = RowStream::new(2);
    let mut fields = Vec::new();
    for piece in pieces {
        stream.push(&piece);
        while let Some(row) = stream.row().unwrap() {
            let printed = row.field(1).map(|text| String::from_utf8_lossy(text).into_owned());
            fields.push((row.field(0).map(<[u8]>::to_vec), printed));
        }
    }
    stream.finish().unwrap();
    Ok(fields)
}
