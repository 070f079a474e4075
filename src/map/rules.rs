//! Type maps: ordered rules, as rows of CSV.
//!
//! Purpose: `table,column,declared,evidence,pg_type,convert,note`; the first three are globs (`*`
//! any text, `?` one character, ASCII case ignored; the declared type is compared as written with
//! its sizes), evidence is a word of [`EVIDENCE`] or `*`. The first row that matches decides; the
//! user's files come before the built-in one, whose last row matches everything.
//!
//! Known gaps: a rule cannot yet refuse or truncate values.

use std::collections::BTreeMap;

use serde::Deserialize;
use wildmatch::WildMatch;

use super::fill::{self, ColumnTarget};
use super::names::fitted_name;
use crate::error::{Error, Result};
use crate::model::convert::{Convert, LabelTable, with_labels};
use crate::model::decision::RuleRef;
use crate::model::demands::Demands;
use crate::model::evidence::{Evidence, ValueKind};
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::{Element, EnumName, PgType, VARCHAR_CHARS_MAX, precision_and_scale};
use crate::model::source::{CheckSays, Column, Index, IndexTermOf, Table};

/// Type map that is always tried last.
pub const DEFAULT: &str = include_str!("../../type_maps/default.csv");

/// [`RuleRef::file`] of its rules.
const DEFAULT_NAME: &str = "default";

/// The words for what a column's values are. Each is true when there is a value that is not NULL and
/// every one is of its kinds; `empty` is true when there is none.
pub const EVIDENCE: [(&str, &str); 25] = [
    ("empty", "there is no value but NULL"),
    ("bool01", "integer 0 or 1"),
    ("flag", "integer 0 or 1, in a column of no key, foreign key or unique index"),
    (
        "flag_named",
        "flag, and the name says so: is_x, hasX, x_enabled, active and the like; letter case counts",
    ),
    ("check01", "integer 0 or 1, and a CHECK (x IN (0, 1)) says that there are no others"),
    ("bool_words", "0/1 or t f true false y n yes no on off"),
    ("integers", "integers"),
    ("doubles", "numbers that a double holds exactly"),
    ("numbers", "integers and finite reals"),
    ("texts", "text that PostgreSQL's text can hold"),
    ("blobs", "blobs"),
    ("blobs16", "blobs of 16 bytes"),
    ("dates", "ISO dates"),
    ("times", "ISO times"),
    ("timestamps", "ISO timestamps without zone, some of them perhaps dates alone"),
    ("timestamps_with_zone", "ISO timestamps with a zone"),
    ("uuids", "UUID text in the 8-4-4-4-12 form"),
    ("json", "JSON objects and arrays, as text"),
    ("check_json", "JSON text, and a CHECK (json_valid(x)) says that there is no other"),
    ("check_texts", "text, and a CHECK (x IN ('a', 'b')) lists all that it may be"),
    ("number_texts", "text that is a number as PostgreSQL prints it"),
    ("epoch_s", "integers that are seconds since 1970 of the years 1990 to 2100"),
    ("epoch_ms", "the same in milliseconds"),
    ("epoch_us", "the same in microseconds"),
    ("epoch_ns", "the same in nanoseconds"),
];

/// 1990-01-01 and 2100-01-01 in seconds since 1970.
const EPOCH_S: (i64, i64) = (631_152_000, 4_102_444_800);

/// Returns whether a column's values satisfy a word of [`EVIDENCE`].
pub(super) fn satisfies(table: &Table, position: usize, evidence: &Evidence, word: &str) -> bool {
    use ValueKind as K;
    let all = |select: fn(K) -> bool| {
        evidence.not_null() > 0
            && evidence.sum(|kind| kind != K::Null && select(kind)) == evidence.not_null()
    };
    match word {
        "empty" => evidence.not_null() == 0,
        "bool01" => all(|kind| kind == K::IntegerBool),
        "flag" => all(|kind| kind == K::IntegerBool) && !is_key(table, position),
        "flag_named" => {
            all(|kind| kind == K::IntegerBool)
                && !is_key(table, position)
                && is_flag_name(&table.columns[position].name)
        }
        // What a CHECK says of a column without values is as good as values.
        "check01" => {
            (all(|kind| kind == K::IntegerBool) || evidence.not_null() == 0)
                && !is_key(table, position)
                && table.checks_of(position).any(|says| {
                    matches!(says, CheckSays::OneOfIntegers(values)
                        if !values.is_empty() && values.iter().all(|value| matches!(value, 0 | 1)))
                })
        }
        "check_json" => {
            (all(|kind| {
                matches!(kind, K::TextJson | K::TextJsonScalar)
                    || matches!(kind, K::TextBoolDigit | K::TextInteger | K::TextDecimal)
            }) || evidence.not_null() == 0)
                && table.checks_of(position).any(|says| *says == CheckSays::JsonValid)
        }
        "check_texts" => {
            (all(K::is_text) || evidence.not_null() == 0)
                && !is_key(table, position)
                && table.checks_of(position).any(|says| {
                    matches!(says, CheckSays::OneOfTexts(texts)
                        if texts.iter().all(|text| text.len() <= 63))
                })
        }
        "bool_words" => {
            all(|kind| matches!(kind, K::IntegerBool | K::TextBoolDigit | K::TextBoolWord))
        }
        "integers" => all(K::is_integer),
        "doubles" => all(|kind| kind.is_real() || (kind.is_integer() && kind != K::Integer64)),
        "numbers" => all(|kind| kind.is_integer() || matches!(kind, K::RealIntegral | K::Real)),
        "texts" => all(|kind| kind.is_text() && !matches!(kind, K::TextNul | K::TextBadUtf8)),
        "blobs" => all(K::is_blob),
        "blobs16" => all(|kind| kind == K::Blob16),
        "dates" => all(|kind| kind == K::TextDate),
        "times" => all(|kind| kind == K::TextTime),
        "timestamps" => all(|kind| matches!(kind, K::TextDate | K::TextTimestamp)),
        "timestamps_with_zone" => all(|kind| kind == K::TextTimestampTz),
        "uuids" => all(|kind| kind == K::TextUuid),
        "json" => all(|kind| kind == K::TextJson),
        "number_texts" => {
            all(|kind| matches!(kind, K::TextBoolDigit | K::TextInteger | K::TextDecimal))
        }
        "epoch_s" => is_epoch(evidence, 1),
        "epoch_ms" => is_epoch(evidence, 1_000),
        "epoch_us" => is_epoch(evidence, 1_000_000),
        "epoch_ns" => is_epoch(evidence, 1_000_000_000),
        _ => word == "*",
    }
}

fn is_epoch(evidence: &Evidence, per_second: i64) -> bool {
    let only_integers =
        evidence.not_null() > 0 && evidence.sum(ValueKind::is_integer) == evidence.not_null();
    let (first, last) = EPOCH_S;
    only_integers
        && evidence.integer_min.is_some_and(|min| min >= first.saturating_mul(per_second))
        && evidence.integer_max.is_some_and(|max| max <= last.saturating_mul(per_second))
}

/// Returns whether a name is that of a flag. Strict on purpose: of the corpus' 225 integer columns
/// with only 0 and 1, this takes 41, none evidently wrong (research: translation 5.4).
fn is_flag_name(name: &str) -> bool {
    const BEFORE: [&str; 11] =
        ["is", "has", "can", "should", "allow", "allows", "enable", "disable", "use", "was", "did"];
    const AFTER: [&str; 6] =
        ["_enabled", "_disabled", "_active", "_deleted", "_visible", "_hidden"];
    const WHOLE: [&str; 6] = ["active", "enabled", "deleted", "hidden", "archived", "visible"];
    let begins = |word: &str| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase()))
    };
    BEFORE.iter().any(|word| begins(word))
        || AFTER.iter().any(|word| name.ends_with(word))
        || WHOLE.contains(&name)
}

/// Returns whether a column is part of a key, a foreign key or a unique index.
fn is_key(table: &Table, position: usize) -> bool {
    let keys = table.primary_key.iter().chain(&table.uniques);
    let is_indexed = |index: &Index| {
        index.unique && index.terms.iter().any(|term| term.of == IndexTermOf::Column(position))
    };
    table.rowid_alias == Some(position)
        || keys.flat_map(|key| &key.columns).any(|column| *column == position)
        || table.foreign_keys.iter().any(|key| key.columns.contains(&position))
        || table.indexes.iter().any(is_indexed)
}

/// The type that a rule names: fixed, or with the sizes of the declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleType {
    Fixed(PgType),
    /// `varchar(*)`: varchar(n) with the declared n, text without.
    VarcharDeclared,
    /// `numeric(*)`: numeric(p,s) with the declared p and s, numeric without.
    NumericDeclared,
    /// `enum(*)`: an enum type of the column's own, named after table and column.
    EnumOwn,
}

impl RuleType {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "varchar(*)" => Ok(Self::VarcharDeclared),
            "numeric(*)" => Ok(Self::NumericDeclared),
            "enum(*)" => Ok(Self::EnumOwn),
            // As written: the name of an enum type keeps its case.
            _ => match text.parse()? {
                PgType::Array(Element::Enum(_)) => {
                    Err("arrays of an enum type are written only where they are already".to_owned())
                }
                pg_type => Ok(Self::Fixed(pg_type)),
            },
        }
    }

    fn takes(self, convert: Convert) -> bool {
        convert.makes(match self {
            Self::Fixed(pg_type) => pg_type,
            Self::VarcharDeclared => PgType::Varchar(1),
            Self::NumericDeclared => PgType::Numeric(None),
            Self::EnumOwn => EnumName::new("own").map_or(PgType::Text, PgType::Enum),
        })
    }

    fn resolve(self, table: &str, column: &Column) -> PgType {
        let declared = column.declared.as_str();
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
            (Self::EnumOwn, _) => {
                let name = fitted_name(&format!("{table}_{}", column.name));
                EnumName::new(&name).map_or(PgType::Text, PgType::Enum)
            }
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
    labels: LabelTable,
    on_misfit: OnMisfit,
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

/// The text of a type map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMapText {
    /// File or built-in name.
    pub name: String,
    /// CSV.
    pub text: String,
    /// The user's own file: rules of it that decide nothing are told, for a typo must not pass in
    /// silence. A built-in map is made for many databases, so there it says nothing.
    pub is_own: bool,
}

/// The rules in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    targets: ColumnTargets,
}

/// Columns that go into columns which are there already, by source table and position.
pub type ColumnTargets = BTreeMap<(String, usize), ColumnTarget>;

/// [`RuleRef::file`] of a decision that no rule made, but the type of the target's column.
pub const TARGET: &str = "target";

/// The type that a rule gives a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Position of the rule, for [`Rules::unused`].
    pub rule: usize,
    /// The type.
    pub pg_type: PgType,
    /// The conversion.
    pub convert: Convert,
    /// Labels of an enum.
    pub labels: LabelTable,
    /// What becomes of values that do not fit.
    pub on_misfit: OnMisfit,
    /// What the target's own column demands beyond its type.
    pub demands: Demands,
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
    /// Reads type maps and puts the built-in default behind them.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Usage`] naming file and line of the first bad row.
    pub fn parse(chosen: &[TypeMapText]) -> Result<Self> {
        let mut rules = Vec::new();
        for map in chosen {
            read_into(&map.name, &map.text, map.is_own, &mut rules)?;
        }
        read_into(DEFAULT_NAME, DEFAULT, false, &mut rules)?;
        Ok(Self { rules, targets: ColumnTargets::new() })
    }

    /// Lets the types of columns that are there already decide, where there are any.
    #[must_use]
    pub fn with_targets(mut self, targets: ColumnTargets) -> Self {
        self.targets = targets;
        self
    }

    /// Returns what goes into a column of the target: as the first rule of a chosen type map says
    /// whose type is the target's, else as the target's type and the values say.
    fn match_for_target(
        &self,
        target: &ColumnTarget,
        table: &Table,
        at: usize,
        evidence: &Evidence,
    ) -> Match {
        let column = &table.columns[at];
        let pg_type = target.written();
        let is_meant = |rule: &Rule| {
            rule.at.file != DEFAULT_NAME
                && rule.is_for(&table.name, column)
                && satisfies(table, at, evidence, &rule.evidence)
                && fill::is_same_family(rule.rule_type.resolve(&table.name, column), pg_type)
                && rule.convert.makes(pg_type)
        };
        let found = self.rules.iter().enumerate().find(|(_, rule)| is_meant(rule));
        let demands = target.demands.clone();
        let Some((position, rule)) = found.filter(|_| target.pg_type.is_some()) else {
            return Match {
                rule: usize::MAX,
                pg_type,
                convert: fill::convert(pg_type, evidence),
                labels: Vec::new(),
                on_misfit: OnMisfit::Reject,
                demands,
                at: RuleRef {
                    file: TARGET.into(),
                    line: 0,
                    note: format!("the target has {}", target.type_name),
                },
            };
        };
        // "plain" there is no choice of the user, only what the type map says for a type of its own.
        let convert = match rule.convert {
            Convert::Plain => fill::convert(pg_type, evidence),
            chosen => chosen,
        };
        let on_misfit = match rule.on_misfit {
            OnMisfit::Null if !demands.required => OnMisfit::Null,
            _ => OnMisfit::Reject,
        };
        Match {
            rule: position,
            pg_type,
            convert,
            labels: rule.labels.clone(),
            on_misfit,
            demands,
            at: rule.at.clone(),
        }
    }

    /// Returns the first rule that matches a column, given by its position.
    #[must_use]
    pub fn first_match(&self, table: &Table, at: usize, evidence: &Evidence) -> Match {
        let column = &table.columns[at];
        if !self.targets.is_empty()
            && let Some(target) = self.targets.get(&(table.name.clone(), at))
        {
            return self.match_for_target(target, table, at, evidence);
        }
        let (position, rule) = self
            .rules
            .iter()
            .enumerate()
            .find(|(_, rule)| {
                rule.is_for(&table.name, column) && satisfies(table, at, evidence, &rule.evidence)
            })
            .unzip();
        match (position, rule) {
            (Some(position), Some(rule)) => Match {
                rule: position,
                pg_type: rule.rule_type.resolve(&table.name, column),
                convert: rule.convert,
                labels: rule.labels.clone(),
                on_misfit: rule.on_misfit,
                demands: Demands::default(),
                at: rule.at.clone(),
            },
            // The default's last row matches everything; a Rules without it still widens right.
            _ => Match {
                rule: usize::MAX,
                pg_type: PgType::Text,
                convert: Convert::Plain,
                labels: Vec::new(),
                on_misfit: OnMisfit::Widen,
                demands: Demands::default(),
                at: RuleRef { file: DEFAULT_NAME.into(), line: 0, note: String::new() },
            },
        }
    }

    /// Returns what the scan must measure so that every rule for a column, given by its position, can
    /// be judged.
    #[must_use]
    pub fn wants(&self, table: &Table, at: usize) -> Wants {
        let column = &table.columns[at];
        let mut wants = Wants::default();
        if let Some(target) = self.targets.get(&(table.name.clone(), at)) {
            wants.json = target.written() == PgType::Jsonb;
            wants.digits = matches!(target.written(), PgType::Numeric(Some(_)));
        }
        for rule in self.rules.iter().filter(|rule| rule.is_for(&table.name, column)) {
            if rule.evidence == "check_json"
                && !table.checks_of(at).any(|says| *says == CheckSays::JsonValid)
            {
                continue;
            }
            wants.json |= rule.evidence == "json";
            match rule.rule_type.resolve(&table.name, column) {
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
                    "{}|{}|{}|{}|{:?}|{}|{:?}\n",
                    rule.table,
                    rule.column,
                    rule.declared,
                    rule.evidence,
                    rule.rule_type,
                    rule.on_misfit.join(rule.convert.name()),
                    rule.labels
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
        let record = record
            .map_err(|error| bad_row(file, line_of(text, error.position()), &error.to_string()))?;
        let line = line_of(text, record.position());
        let row: Row = record
            .deserialize(Some(&headers))
            .map_err(|error| bad_row(file, line, &error.to_string()))?;
        rules.push(rule_of(file, line, from_user, row)?);
    }
    Ok(())
}

/// Returns the line on which a row of CSV begins. The reader's own position is before the comments and
/// empty lines in front of the row.
#[must_use]
pub fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let before = usize::try_from(position.line().saturating_sub(1)).unwrap_or(usize::MAX);
    let is_passed = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    position.line() + text.lines().skip(before).take_while(is_passed).count() as u64
}

fn rule_of(file: &str, line: u64, from_user: bool, row: Row) -> Result<Rule> {
    let rule_type = RuleType::parse(&row.pg_type).map_err(|reason| bad_row(file, line, &reason))?;
    let (convert, on_misfit) = OnMisfit::split(&row.convert);
    let (convert, labels) = with_labels(convert).map_err(|reason| bad_row(file, line, &reason))?;
    if !rule_type.takes(convert) {
        let reason = format!("conversion \"{}\" cannot make {}", convert.name(), row.pg_type);
        return Err(bad_row(file, line, &reason));
    }
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
        labels,
        on_misfit,
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
        parse(format!("{head}{text}"))
    }

    fn parse(text: String) -> Result<Rules> {
        Rules::parse(&[TypeMapText { name: "mine.csv".into(), text, is_own: true }])
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
        let error = rules("# said\n\n*,*,X,*,text,plain,fine\n# more\n*,*,*\n").unwrap_err();
        assert_eq!(error.message(), "type map \"mine.csv\" line 6 is not a rule");
        let error = parse("a,b\n".into()).unwrap_err();
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
