//! Labels of enum types.

use std::collections::HashMap;

use crate::model::convert::{Convert, EnumCase};
use crate::model::plan::ColumnPlan;

use super::Unfit;

/// Longest label, in bytes (`NAMEDATALEN` - 1).
const LABEL_BYTES_MAX: usize = 63;

/// What text becomes which label.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    by_rule: HashMap<Vec<u8>, String>,
    case: EnumCase,
    /// Labels of a type that was there before, where there is one.
    of_type: Option<Vec<String>>,
}

impl Labels {
    pub(super) fn new(plan: &ColumnPlan) -> Self {
        let pair = |(text, label): &(String, String)| (text.clone().into_bytes(), label.clone());
        Self {
            by_rule: plan.labels.iter().map(pair).collect(),
            case: match plan.convert {
                Convert::Enum(case) => case,
                _ => EnumCase::Keep,
            },
            of_type: plan.demands.labels.clone(),
        }
    }

    /// Appends the label of a text.
    pub(super) fn put(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
        let named = self.by_rule.get(text);
        let label = match (named, std::str::from_utf8(text)) {
            (Some(label), _) => label.clone(),
            (None, Err(_)) => return Err(Unfit("not UTF-8")),
            (None, Ok(text)) => match self.case {
                EnumCase::Keep => text.to_owned(),
                EnumCase::Upper => text.chars().flat_map(char::to_uppercase).collect(),
                // A final sigma depends on its neighbours, so not by character.
                EnumCase::Lower => text.to_lowercase(),
            },
        };
        let label = match &self.of_type {
            None if named.is_none() && (label.len() > LABEL_BYTES_MAX || label.contains('\0')) => {
                return Err(Unfit("not a label of at most 63 bytes"));
            }
            None => label.as_str(),
            Some(labels) => find(labels, &label, named.is_some())
                .ok_or(Unfit("not a label of the enum type"))?,
        };
        out.extend_from_slice(label.as_bytes());
        Ok(())
    }
}

/// Finds a label as written, or else the only one that differs in case alone; a label that a rule names
/// must be as written.
fn find<'a>(labels: &'a [String], wanted: &str, exactly: bool) -> Option<&'a str> {
    if let Some(label) = labels.iter().find(|label| *label == wanted) {
        return Some(label);
    }
    if exactly {
        return None;
    }
    let lower = wanted.to_lowercase();
    let mut alike = labels.iter().filter(|label| label.to_lowercase() == lower);
    let first = alike.next()?;
    alike.next().is_none().then_some(first)
}
