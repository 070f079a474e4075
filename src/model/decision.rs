//! Which PostgreSQL type each column becomes, by which conversion, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::convert::{Convert, LabelTable};
use super::demands::Demands;
use super::evidence::Example;
use super::name_style::NameStyle;
use super::on_misfit::OnMisfit;
use super::pg_type::{EnumName, PgType};

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// File of the type map; built-in ones by their bare name, such as `default`.
    pub file: String,
    /// Line in that file, from 1.
    pub line: u64,
    /// The rule's note.
    pub note: String,
}

/// A column that did not keep the type that its rule names, because some values do not fit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widening {
    /// The type that the rule names.
    pub from: PgType,
    /// How many values do not fit it.
    pub misfits: u64,
    /// What they are, such as `text`.
    pub found: String,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// Values that do not fit a column whose type a rule holds fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfit {
    /// What becomes of them.
    pub on_misfit: OnMisfit,
    /// How many there are.
    pub misfits: u64,
    /// The narrowest type that would hold every value of the column.
    pub would_fit: PgType,
    /// Why they do not fit, such as `out of range`.
    pub found: String,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// What one column becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Column in the source.
    pub source: String,
    /// Column in the target.
    pub target: String,
    /// Its type there.
    pub pg_type: PgType,
    /// How values get there.
    pub convert: Convert,
    /// Labels of an enum that its case alone does not give.
    pub labels: LabelTable,
    /// What becomes of values that do not fit.
    pub on_misfit: OnMisfit,
    /// What the target's own column demands beyond its type.
    pub demands: Demands,
    /// The rule that decided.
    pub rule: RuleRef,
    /// Set when the rule's type was too narrow.
    pub widened: Option<Widening>,
    /// Set when the rule holds the type fast and some values do not fit it.
    pub unfit: Option<Unfit>,
    /// NOT NULL in the target.
    pub not_null: bool,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// What one table becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMapping {
    /// Table in the source.
    pub source: String,
    /// Table in the target.
    pub target: String,
    /// One decision per column, in the order of `Table::columns`.
    pub columns: Vec<Decision>,
}

/// The decisions for every selected table, in the order of `SourceSchema::tables`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Tables.
    pub tables: Vec<TableMapping>,
    /// How names are written.
    pub names: NameStyle,
    /// Names that had to change, a sentence each.
    pub renamed: Vec<String>,
    /// Labels of each enum type, by its name, in their order.
    pub enums: BTreeMap<EnumName, Vec<String>>,
    /// Rules of the user's files that decided nothing: a typo must not pass in silence.
    pub unused_rules: Vec<RuleRef>,
}

impl Mapping {
    /// Finds a table by its source name; ASCII letters of either case are equal.
    #[must_use]
    pub fn table(&self, source: &str) -> Option<&TableMapping> {
        self.tables.iter().find(|table| table.source.eq_ignore_ascii_case(source))
    }
}
