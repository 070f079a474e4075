//! One expression on both engines.

use std::sync::Arc;

use litelift::event::{Cancel, Listener, Silent};
use litelift::inspect;
use litelift::introspect::ddl;
use litelift::map::expr::{Need, Relation, Translator, view};
use rusqlite::types::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::support::fixture::{self, Fixture};
use crate::support::pg::{self, TestDb};
use crate::support::transfer;

/// A table `t` with a key `id`, transferred.
pub(super) struct Bench {
    source: rusqlite::Connection,
    _fixture: Fixture,
    client: tokio_postgres::Client,
    runtime: tokio::runtime::Runtime,
    _database: TestDb,
    relation: Relation,
}

/// How an expression came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    /// PostgreSQL says that a value is out of range, where SQLite goes on with a real or infinity.
    OutOfRange,
    Refused(String),
    Wrong(String),
    /// SQLite itself has no value.
    NoValue(String),
}

/// What a translation came to in PostgreSQL: values with their types.
type Rows = Vec<Option<(String, String)>>;

impl Bench {
    pub(super) fn new(sql: &str) -> Self {
        let fixture = fixture::from_sql("expressions.db", sql);
        let database = pg::database();
        let options = transfer::options(&fixture.path, &database.url);
        transfer::run(&options).unwrap_or_else(|error| panic!("{}", pg::explain(&error)));
        let listener: Arc<dyn Listener> = Arc::new(Silent);
        let opened = inspect::open(&options.inspect, &listener, &Cancel::default()).unwrap();
        let looked = inspect::look(&opened, 1, &listener, &Cancel::default()).unwrap();
        let table = opened.tables()[0];
        let mapping = &looked.mapping.tables[0];
        let relation = Relation::of_table(table, mapping, &looked.evidence[0])
            .stored_as("public", &mapping.target);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(database.client());
        let source = rusqlite::Connection::open(&fixture.path).unwrap();
        Self { source, _fixture: fixture, client, runtime, _database: database, relation }
    }

    /// Translates a value over the table.
    pub(super) fn translated(
        &self,
        text: &str,
        need: Need,
    ) -> Result<(String, &'static str), String> {
        let tree = ddl::expression(text)?;
        let made = Translator::over(&self.relation, need, "UTF-8").term(&tree)?;
        Ok((made.sql, made.kind))
    }

    /// An expression in every row.
    pub(super) fn expression(&self, text: &str, mode: &str) -> Verdict {
        let (sql, kind) = match self.translated(text, Need::Anything) {
            Ok(made) => made,
            Err(reason) => return Verdict::Refused(reason),
        };
        let mut wrong = None;
        let mut is_out_of_range = false;
        let expected = match self.source_rows(&format!("SELECT {text} FROM t ORDER BY id")) {
            Ok(rows) => rows,
            Err(error) => return Verdict::NoValue(error),
        };
        let whole = format!(
            "SELECT x::text, pg_typeof(x)::text FROM (SELECT id, {sql} AS x FROM t) q ORDER BY id"
        );
        let rows = match self.target_rows(&whole) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            // One row may be out of range and the others not.
            Err(_) => (1..=expected.len())
                .map(|id| {
                    let one = format!("SELECT x::text, pg_typeof(x)::text FROM (SELECT {sql} AS x FROM t WHERE id = {id}) q");
                    self.target_rows(&one).map(|mut rows| rows.remove(0))
                })
                .collect::<Vec<_>>(),
        };
        for (at, (expected, got)) in expected.iter().zip(rows).enumerate() {
            match got {
                Ok(got) if is_same(expected, got.as_ref(), kind, mode) => {}
                Err(error) if is_range_error(&error, text) => is_out_of_range = true,
                other => {
                    wrong.get_or_insert(format!(
                        "row {}: {expected:?} became {other:?}\n  {text}\n  {sql}",
                        at + 1
                    ));
                }
            }
        }
        match wrong {
            Some(wrong) => Verdict::Wrong(wrong),
            None if is_out_of_range => Verdict::OutOfRange,
            None => Verdict::Right,
        }
    }

    /// A whole query, as the body of a view.
    pub(super) fn query(&self, text: &str, mode: &str) -> Verdict {
        let statement = match self.source.prepare(text) {
            Ok(statement) => statement,
            Err(error) => return Verdict::NoValue(error.to_string()),
        };
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        drop(statement);
        let tree = ddl::view(&format!("CREATE VIEW v AS {text}")).and_then(|text| text.query);
        let relations = std::slice::from_ref(&self.relation);
        let made = tree.and_then(|tree| {
            view(
                &tree,
                ("v", "v"),
                &columns,
                ("public", litelift::model::name_style::NameStyle::Keep),
                relations,
                "UTF-8",
            )
        });
        let made = match made {
            Ok(made) => made,
            Err(reason) => return Verdict::Refused(reason),
        };
        let wrong = |what: String| Verdict::Wrong(format!("{what}\n  {text}\n  {}", made.sql));
        if let Err(error) = self.execute(&format!("DROP VIEW IF EXISTS v; {}", made.sql)) {
            return wrong(error);
        }
        for (at, kind) in made.kinds.iter().enumerate() {
            let all = match self.source_columns(text, at) {
                Ok(all) => all,
                Err(error) => return Verdict::NoValue(error),
            };
            let name = format!("x{at}");
            let names: Vec<String> = (0..columns.len()).map(|at| format!("x{at}")).collect();
            let sql = format!(
                "SELECT {name}::text, pg_typeof({name})::text FROM v AS v ({})",
                names.join(", ")
            );
            let got = match self.target_rows(&sql) {
                Ok(got) => got,
                Err(error) if is_range_error(&error, text) => return Verdict::OutOfRange,
                Err(error) => return wrong(error),
            };
            // Of a sum of reals the last digit may differ.
            let is_sum = ["sum(", "total(", "avg("].iter().any(|name| text.contains(name));
            let same = all.len() == got.len()
                && all.iter().zip(&got).all(|(a, b)| {
                    is_same(a, b.as_ref(), kind, mode) || (is_sum && is_last_digit(a, b.as_ref()))
                });
            if !same {
                return wrong(format!("{all:?} became {got:?}"));
            }
        }
        Verdict::Right
    }

    fn source_rows(&self, sql: &str) -> Result<Vec<Value>, String> {
        self.source_columns(sql, 0)
    }

    fn source_columns(&self, sql: &str, at: usize) -> Result<Vec<Value>, String> {
        let mut statement = self.source.prepare(sql).map_err(|error| error.to_string())?;
        let mut rows = statement.query([]).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(|error| error.to_string())? {
            all.push(row.get(at).map_err(|error| error.to_string())?);
        }
        Ok(all)
    }

    pub(super) fn execute(&self, sql: &str) -> Result<(), String> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|error| told(&error))
    }

    fn target_rows(&self, sql: &str) -> Result<Rows, String> {
        let messages =
            self.runtime.block_on(self.client.simple_query(sql)).map_err(|error| told(&error))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some(row.get(0).map(|x| (x.to_owned(), row.get(1).unwrap_or_default().to_owned())))
            }
            _ => None,
        });
        Ok(rows.collect())
    }
}

fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} {}", error.code().code(), error.message()),
        None => error.to_string(),
    }
}

/// The situations that `map::expr` names: sums beyond 64 bits, reals beyond 1.8e308 or under
/// 2.3e-308, dates beyond the calendar; positions in a text beyond 32 bits.
fn is_range_error(error: &str, text: &str) -> bool {
    ["22003 bigint out of range", "22003 value out of range", "22008"]
        .iter()
        .any(|e| error.starts_with(e))
        || error.ends_with("is out of range for type double precision")
        || (error.starts_with("22003 integer out of range") && text.contains("substr"))
}

/// Whether two values are the same, by type and value.
fn is_same(source: &Value, target: Option<&(String, String)>, kind: &str, mode: &str) -> bool {
    let Some((text, pg_type)) = target else { return *source == Value::Null };
    let is_integer = matches!(pg_type.as_str(), "smallint" | "integer" | "bigint");
    let number = || text.parse::<f64>().ok();
    match mode {
        "now" => return is_near(source, text),
        "int" => return is_integer,
        "int10" => return is_integer && text.parse::<i64>().is_ok_and(|n| (0..10).contains(&n)),
        "hex32" => {
            return text.len() == 32
                && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        }
        "blob16" => return pg_type == "bytea" && text.len() == 2 + 32,
        "set" => {
            let sorted = |text: &str| {
                let mut parts: Vec<String> = text.split(',').map(str::to_owned).collect();
                parts.sort();
                parts
            };
            return matches!(source, Value::Text(source) if sorted(source) == sorted(text));
        }
        _ => {}
    }
    match (source, pg_type.as_str()) {
        (Value::Integer(0), "boolean") => text == "false",
        (Value::Integer(1), "boolean") => text == "true",
        (Value::Integer(value), _) if is_integer => text.parse() == Ok(*value),
        #[allow(clippy::cast_precision_loss)]
        (Value::Integer(value), "double precision" | "numeric") if kind == "a number" => {
            number() == Some(*value as f64)
        }
        (Value::Real(value), "double precision") => number() == Some(*value),
        (Value::Real(value), "numeric") if kind == "a number" => number() == Some(*value),
        // Several kinds in one column: PostgreSQL has their texts.
        (Value::Integer(value), "text" | "character varying") if is_mixed(kind) => {
            *text == value.to_string()
        }
        (Value::Real(value), "text" | "character varying") if is_mixed(kind) => {
            number() == Some(*value)
        }
        (Value::Text(value), "text" | "character varying") if !is_json(kind) || is_mixed(kind) => {
            value == text
                || (is_mixed(kind) && same_json(value, text))
                || with_short_reals(value) == with_short_reals(text)
        }
        (Value::Text(value), "jsonb") => same_json(value, text),
        (Value::Text(value), "timestamp without time zone" | "date") => {
            let plain =
                |text: &str| text.replace('T', " ").trim_end_matches(" 00:00:00").to_owned();
            plain(value) == plain(text)
        }
        (Value::Blob(value), "bytea") => {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            *text == format!("\\x{hex}")
        }
        _ => false,
    }
}

fn is_last_digit(source: &Value, target: Option<&(String, String)>) -> bool {
    match (source, target.and_then(|(text, _)| text.parse::<f64>().ok())) {
        (Value::Real(a), Some(b)) => (a - b).abs() <= a.abs().max(1e-6) * 1e-12,
        _ => false,
    }
}

/// The same text with 14 digits of each number that has more: versions of SQLite differ in them.
fn with_short_reals(text: &str) -> String {
    let mut digits = 0;
    text.chars()
        .filter(|c| {
            match c {
                '0'..='9' => digits += 1,
                '.' => {}
                _ => digits = 0,
            }
            digits <= 14
        })
        .collect()
}

fn is_mixed(kind: &str) -> bool {
    matches!(kind, "of several kinds" | "a part of JSON")
}

fn is_json(kind: &str) -> bool {
    kind == "JSON"
}

fn same_json(a: &str, b: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (parsed(a), parsed(b)) {
        (Some(a), Some(b)) => alike(&a, &b),
        _ => false,
    }
}

/// Equal documents: jsonb writes 1.0 as 1.
fn alike(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (a, b) {
        // The parser is not exact to the last digit.
        (Json::Number(a), Json::Number(b)) => {
            matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if (a - b).abs() <= a.abs() * 1e-15)
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Points in time that are a few seconds apart.
fn is_near(source: &Value, target: &str) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    match source {
        Value::Text(source) if source.len() > 10 && source.contains('-') => {
            source.len() == target.len() && digits(source)[..10] == digits(target)[..10]
        }
        Value::Text(source) if source.contains('-') => source == target,
        Value::Text(source) => near(source.parse().ok(), target.parse().ok()),
        #[allow(clippy::cast_precision_loss)]
        Value::Integer(source) => near(Some(*source as f64), target.parse().ok()),
        Value::Real(source) => near(Some(*source), target.parse().ok()),
        _ => false,
    }
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if (a - b).abs() <= (a.abs() * 1e-8).max(5.0))
}
