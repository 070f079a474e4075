//! The whole schema as statements, for `litelift schema`.
//!
//! Purpose: the statements of a transfer as somebody would write them who has no rows: foreign keys
//! are valid at once, and nothing counts, sets or analyzes what is not there.

use crate::model::ident::quoted;
use crate::model::plan::{Phase, TransferPlan};

/// What a constraint ends in that is checked by a later statement.
const NOT_VALID: &str = " NOT VALID";

/// Returns the statements in the order in which they run, without semicolons.
#[must_use]
pub fn script(plan: &TransferPlan) -> Vec<String> {
    let schema = (plan.schema != "public")
        .then(|| format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&plan.schema)));
    let before = plan.types.iter().map(|made| &made.create);
    let before = before.chain(plan.tables.iter().map(|table| &table.create)).cloned();
    let after = plan
        .finish
        .iter()
        .filter(|step| !matches!(step.phase, Phase::Validate | Phase::Sequences | Phase::Analyze))
        .map(|step| step.sql.strip_suffix(NOT_VALID).unwrap_or(&step.sql).to_owned());
    schema.into_iter().chain(before).chain(after).collect()
}
