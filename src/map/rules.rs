//! Type maps: ordered rules, as rows of CSV.
//!
//! Purpose: `table,column,declared,evidence,pg_type,convert,note`; the first three are globs (`*`
//! any text, `?` one character, ASCII case ignored; the declared type is compared as written with
//! its sizes), evidence is a word of [`EVIDENCE`] or `*`. The first row that matches decides; the
//! user's files come before the built-in one, whose last row matches everything.
//!
//! Known gaps: a rule cannot yet refuse or truncate values.

use serde::Deserialize;
use wildmatch::WildMatch;

use crate::error::{Error, Result};
use crate::model::decision::{Convert, RuleRef};
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::pg_type::{PgType, VARCHAR_CHARS_MAX, precision_and_scale};
use crate::model::source::{Column, Table};

/// Type map that is always tried last.
pub const DEFAULT: &str = include_str!("../../type_maps/default.csv");

/// The words for what a column's values are. Each is true when every value that is not NULL is of
/// its kinds (so also when there is none, except for `empty`, which is true only then).
pub const EVIDENCE: [(&str, &str); 13] = [
    ("empty", "there is no value but NULL"),
    ("bool01", "integer 0 or 1"),
    ("bool_words", "0/1 or t f true false y n yes no on off"),
    ("integers", "integers"),
    ("doubles", "numbers that a double holds exactly"),
    ("numbers", "integers and finite reals"),
    ("texts", "text that PostgreSQL's text can hold"),
    ("blobs", "blobs"),
    ("dates", "ISO dates"),
    ("times", "ISO times"),
    ("timestamps", "ISO dates or timestamps without zone"),
    ("timestamps_with_zone", "ISO timestamps with a zone"),
    ("uuids", "UUID text in the 8-4-4-4-12 form"),
];

/// Returns whether a column's values satisfy a word of [`EVIDENCE`].
pub(super) fn satisfies(evidence: &Evidence, word: &str) -> bool {
    use ValueKind as K;
    let all = |select: fn(K) -> bool| evidence.sum(select) == evidence.not_null();
    match word {
        "empty" => evidence.not_null() == 0,
        "bool01" => all(|kind| kind == K::IntegerBool),
        "bool_words" => {
            all(|kind| matches!(kind, K::IntegerBool | K::TextBoolDigit | K::TextBoolWord))
        }
        "integers" => all(K::is_integer),
        "doubles" => all(|kind| kind.is_real() || (kind.is_integer() && kind != K::Integer64)),
        "numbers" => all(|kind| kind.is_integer() || matches!(kind, K::RealIntegral | K::Real)),
        "texts" => all(|kind| kind.is_text() && !matches!(kind, K::TextNul | K::TextBadUtf8)),
        "blobs" => all(K::is_blob),
        "dates" => all(|kind| kind == K::TextDate),
        "times" => all(|kind| kind == K::TextTime),
        "timestamps" => all(|kind| matches!(kind, K::TextDate | K::TextTimestamp)),
        "timestamps_with_zone" => {
            // An empty column has no zone to show.
            evidence.not_null() > 0 && all(|kind| kind == K::TextTimestampTz)
        }
        "uuids" => all(|kind| kind == K::TextUuid),
        _ => word == "*",
    }
}

/// The type that a rule names: fixed, or with the sizes of the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleType {
    Fixed(PgType),
    /// `varchar(*)`: varchar(n) with the declared n, text without.
    VarcharDeclared,
    /// `numeric(*)`: numeric(p,s) with the declared p and s, numeric without.
    NumericDeclared,
}

impl RuleType {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "varchar(*)" => Ok(Self::VarcharDeclared),
            "numeric(*)" => Ok(Self::NumericDeclared),
            other => other.parse().map(Self::Fixed),
        }
    }

    fn resolve(self, declared: &str) -> PgType {
        let sizes = declared
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(sizes, _)| sizes.trim());
        match (self, sizes) {
            (Self::Fixed(pg_type), _) => pg_type,
            (Self::VarcharDeclared, sizes) => sizes
                .and_then(|sizes| sizes.parse().ok())
                .filter(|chars| (1..=VARCHAR_CHARS_MAX).contains(chars))
                .map_or(PgType::Text, PgType::Varchar),
            (Self::NumericDeclared, sizes) => PgType::Numeric(sizes.and_then(precision_and_scale)),
        }
    }
}

/// One row of a type map.
#[derive(Debug, Clone)]
struct Rule {
    table: WildMatch,
    column: WildMatch,
    declared: WildMatch,
    evidence: String,
    rule_type: RuleType,
    convert: Convert,
    from_user: bool,
    at: RuleRef,
}

impl Rule {
    /// Everything but the evidence.
    fn is_for(&self, table: &str, column: &Column) -> bool {
        self.table.matches(table)
            && self.column.matches(&column.name)
            && self.declared.matches(column.declared.trim())
    }
}

#[derive(Deserialize)]
struct Row {
    table: String,
    column: String,
    declared: String,
    evidence: String,
    pg_type: String,
    convert: String,
    #[serde(default)]
    note: String,
}

/// The rules in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// The type that a rule gives a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Position of the rule, for [`Rules::unused`].
    pub rule: usize,
    /// The type.
    pub pg_type: PgType,
    /// The conversion.
    pub convert: Convert,
    /// Where the rule stands.
    pub at: RuleRef,
}

/// What the scan has to measure for a column beyond the kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// Digits before and after the point.
    pub digits: bool,
    /// Whether text is JSON.
    pub json: bool,
}

impl Rules {
    /// Reads type maps, each a name and its text, and puts the built-in default behind them.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] naming file and line of the first bad row.
    pub fn parse(user: &[(String, String)]) -> Result<Self> {
        let mut rules = Vec::new();
        for (file, text) in user {
            read_into(file, text, true, &mut rules)?;
        }
        read_into("default", DEFAULT, false, &mut rules)?;
        Ok(Self { rules })
    }

    /// Returns the first rule that matches a column.
    #[must_use]
    pub fn first_match(&self, table: &Table, column: &Column, evidence: &Evidence) -> Match {
        let (position, rule) = self
            .rules
            .iter()
            .enumerate()
            .find(|(_, rule)| {
                rule.is_for(&table.name, column) && satisfies(evidence, &rule.evidence)
            })
            .unzip();
        match (position, rule) {
            (Some(position), Some(rule)) => Match {
                rule: position,
                pg_type: rule.rule_type.resolve(&column.declared),
                convert: rule.convert,
                at: rule.at.clone(),
            },
            // The default's last row matches everything; a Rules without it still widens right.
            _ => Match {
                rule: usize::MAX,
                pg_type: PgType::Text,
                convert: Convert::Plain,
                at: RuleRef { file: "default".into(), line: 0, note: String::new() },
            },
        }
    }

    /// Returns what the scan must measure so that every rule for a column can be judged.
    #[must_use]
    pub fn wants(&self, table: &Table, column: &Column) -> Wants {
        let mut wants = Wants::default();
        for rule in self.rules.iter().filter(|rule| rule.is_for(&table.name, column)) {
            match rule.rule_type.resolve(&column.declared) {
                PgType::Numeric(Some(_)) => wants.digits = true,
                PgType::Jsonb => wants.json = true,
                _ => {}
            }
        }
        wants
    }

    /// Returns the user's rules that are not among the used positions.
    #[must_use]
    pub fn unused(&self, used: &std::collections::BTreeSet<usize>) -> Vec<RuleRef> {
        self.rules
            .iter()
            .enumerate()
            .filter(|(position, rule)| rule.from_user && !used.contains(position))
            .map(|(_, rule)| rule.at.clone())
            .collect()
    }

    /// Returns true when a rule stands in a type map that the user gave.
    #[must_use]
    pub fn is_of_user(&self, at: &RuleRef) -> bool {
        self.rules.iter().any(|rule| rule.from_user && rule.at == *at)
    }

    /// Returns a text that is equal for equal rules, for the fingerprint of a run.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.rules
            .iter()
            .map(|rule| {
                format!(
                    "{}|{}|{}|{}|{:?}|{}\n",
                    rule.table,
                    rule.column,
                    rule.declared,
                    rule.evidence,
                    rule.rule_type,
                    rule.convert.name()
                )
            })
            .collect()
    }
}

fn read_into(file: &str, text: &str, from_user: bool, rules: &mut Vec<Rule>) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| bad_row(file, 1, &error.to_string()))?.clone();
    for wanted in ["table", "column", "declared", "evidence", "pg_type", "convert"] {
        if !headers.iter().any(|name| name == wanted) {
            return Err(bad_row(file, 1, &format!("there is no column \"{wanted}\"")).hint(
                "The first line must be: table,column,declared,evidence,pg_type,convert,note",
            ));
        }
    }
    for record in reader.into_records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            bad_row(file, line, &error.to_string())
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = record
            .deserialize(Some(&headers))
            .map_err(|error| bad_row(file, line, &error.to_string()))?;
        rules.push(rule_of(file, line, from_user, row)?);
    }
    Ok(())
}

fn rule_of(file: &str, line: u64, from_user: bool, row: Row) -> Result<Rule> {
    let rule_type = RuleType::parse(&row.pg_type).map_err(|reason| bad_row(file, line, &reason))?;
    let convert = Convert::from_name(&row.convert).ok_or_else(|| {
        let known: Vec<&str> = Convert::ALL.iter().map(|(_, name, _)| *name).collect();
        bad_row(
            file,
            line,
            &format!("conversion \"{}\" is not one of {}", row.convert, known.join(", ")),
        )
    })?;
    if row.evidence != "*" && !EVIDENCE.iter().any(|(word, _)| *word == row.evidence) {
        let known: Vec<&str> = EVIDENCE.iter().map(|(word, _)| *word).collect();
        return Err(bad_row(
            file,
            line,
            &format!("evidence \"{}\" is not one of *, {}", row.evidence, known.join(", ")),
        ));
    }
    Ok(Rule {
        table: WildMatch::new_case_insensitive(&row.table),
        column: WildMatch::new_case_insensitive(&row.column),
        declared: WildMatch::new_case_insensitive(&row.declared),
        evidence: row.evidence,
        rule_type,
        convert,
        from_user,
        at: RuleRef { file: file.to_owned(), line, note: row.note },
    })
}

fn bad_row(file: &str, line: u64, reason: &str) -> Error {
    Error::usage(format!("type map \"{file}\" line {line} is not a rule"))
        .detail(format!("{}.", reason.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules> {
        let head = "table,column,declared,evidence,pg_type,convert,note\n";
        Rules::parse(&[("mine.csv".into(), format!("{head}{text}"))])
    }

    #[test]
    fn a_bad_row_names_file_and_line() {
        for (row, reason) in [
            ("*,*,*,*,reel,plain,", "type \"reel\""),
            ("*,*,*,*,text,plane,", "conversion \"plane\""),
            ("*,*,*,sometimes,text,plain,", "evidence \"sometimes\""),
            ("*,*,*", "fields"),
        ] {
            let error = rules(&format!("*,*,X,*,text,plain,fine\n{row}\n")).unwrap_err();
            assert_eq!(error.message(), "type map \"mine.csv\" line 3 is not a rule");
            let detail = error.full_detail().unwrap();
            assert!(detail.contains(reason), "{detail}");
        }
        let error = Rules::parse(&[("mine.csv".into(), "a,b\n".into())]).unwrap_err();
        assert!(error.full_detail().unwrap().contains("\"table\""));
    }

    #[test]
    fn every_built_in_rule_reads_and_the_last_matches_everything() {
        let rules = Rules::parse(&[]).unwrap();
        let last = rules.rules.last().unwrap();
        assert_eq!(last.evidence, "*");
        assert_eq!(last.declared.to_string(), "*");
    }
}
