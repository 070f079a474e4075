//! Reads the file of a preset.
//!
//! Purpose: `option,value,why` as CSV. An option is one of the command line without its dashes, or
//! one of three that only presets have: `rule` (a row of a type map), `compare` (a table that says of
//! what version the schema is) and `detect` (tables by which the application is recognised).

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::map::rules::line_of;
use crate::map::tracking;
use crate::options::{OnExisting, OnExistingOf};

/// What a row of a preset asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// `type-map`: a built-in name or a file.
    TypeMap(String),
    /// `rule`: a row of a type map, which counts with `--data-only`.
    Rule(String),
    /// `on-existing`.
    OnExisting(OnExistingOf),
    /// `skip`: a glob of tables or, with `--data-only`, of `table.column`.
    Skip(String),
    /// `protect`: a glob of tables.
    Protect(String),
    /// `rename`: `OLD=NEW`.
    Rename(String),
    /// `keep-trigger`: a glob of `trigger` or `table.trigger`.
    KeepTrigger(String),
    /// `tracking`: a table that says of what version the schema is.
    Tracking(String),
    /// `detect`: globs of tables that are all there.
    Detect(Vec<String>),
}

/// A row of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it asks for.
    pub wish: Wish,
    /// Option and value as written.
    pub shown: String,
    /// Why; for `detect` the application's name.
    pub why: String,
    /// Line of the file.
    pub line: u64,
}

#[derive(Deserialize)]
struct Fields {
    option: String,
    value: String,
    #[serde(default)]
    why: String,
}

/// Reads the rows of a preset. `name` is what errors call it.
///
/// # Errors
/// [`crate::error::ErrorKind::Usage`] naming file and line of the first bad row.
pub fn rows(name: &str, text: &str) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| bad(name, 1, &error.to_string()))?.clone();
    if headers.iter().collect::<Vec<_>>() != ["option", "value", "why"] {
        return Err(bad(name, 1, "The first line must be: option,value,why"));
    }
    let mut rows = Vec::new();
    for record in reader.into_records() {
        let record = record
            .map_err(|error| bad(name, line_of(text, error.position()), &error.to_string()))?;
        let line = line_of(text, record.position());
        let fields: Fields = record
            .deserialize(Some(&headers))
            .map_err(|error| bad(name, line, &error.to_string()))?;
        let wish =
            wish(&fields.option, &fields.value).map_err(|reason| bad(name, line, &reason))?;
        let shown = format!("{} {}", fields.option, fields.value);
        rows.push(Row { wish, shown, why: fields.why, line });
    }
    Ok(rows)
}

fn wish(option: &str, value: &str) -> std::result::Result<Wish, String> {
    const OPTIONS: &str =
        "type-map, rule, on-existing, skip, protect, rename, keep-trigger, tracking, detect";
    let text = value.to_owned();
    if value.is_empty() {
        return Err("The value is empty".to_owned());
    }
    match option {
        "type-map" => Ok(Wish::TypeMap(text)),
        "rule" => Ok(Wish::Rule(text)),
        "on-existing" => OnExisting::parse(value).map(Wish::OnExisting).ok_or_else(|| {
            format!("\"{value}\" is not refuse, truncate, keep or upsert, nor TABLE=truncate, TABLE=upsert:COLUMN+COLUMN and the like")
        }),
        "skip" => Ok(Wish::Skip(text)),
        "protect" => Ok(Wish::Protect(text)),
        "rename" if value.contains('=') => Ok(Wish::Rename(text)),
        "rename" => Err(format!("\"{value}\" is not OLD=NEW")),
        "keep-trigger" => Ok(Wish::KeepTrigger(text)),
        "tracking" if tracking::parts(value).is_ok() => Ok(Wish::Tracking(text)),
        "tracking" => Err(format!(
            "\"{value}\" is not TABLE=COLUMN+COLUMN, TABLE=max(COLUMN) or TABLE=covers(COLUMN)"
        )),
        "detect" => Ok(Wish::Detect(value.split('+').map(str::to_owned).collect())),
        _ => Err(format!("\"{option}\" is not one of {OPTIONS}")),
    }
}

fn bad(name: &str, line: u64, reason: &str) -> Error {
    Error::usage(format!("preset \"{}\" line {line} cannot be read", name.escape_debug()))
        .detail(format!("{}.", reason.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_row_names_file_line_and_reason() {
        for (row, reason) in [
            ("skipp,a,", "\"skipp\" is not one of type-map"),
            ("skip,,", "empty"),
            ("on-existing,a=delete,", "a=delete"),
            ("rename,a,", "OLD=NEW"),
            ("tracking,version,", "TABLE=COLUMN"),
            ("tracking,version=a+,", "TABLE=COLUMN"),
            ("skip,a", "fields"),
        ] {
            let text = format!("option,value,why\nskip,b,fine\n# said\n{row}\n");
            let error = rows("mine.csv", &text).unwrap_err();
            assert_eq!(error.message(), "preset \"mine.csv\" line 4 cannot be read");
            let detail = error.full_detail().unwrap();
            assert!(detail.contains(reason), "{detail}");
        }
        let error = rows("mine.csv", "table,column\n").unwrap_err();
        assert!(error.full_detail().unwrap().contains("option,value,why"));
    }

    #[test]
    fn rows_say_what_is_asked_for() {
        let text = "# what it is\noption,value,why\n\
            tracking,schema_changes=max(schema_version),\ndetect,a*+b,An app\n";
        let rows = rows("mine.csv", text).unwrap();
        assert_eq!(rows[0].wish, Wish::Tracking("schema_changes=max(schema_version)".into()));
        assert_eq!(rows[1].wish, Wish::Detect(vec!["a*".into(), "b".into()]));
        assert_eq!((rows[1].why.as_str(), rows[1].line), ("An app", 4));
    }
}
