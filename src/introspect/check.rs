//! Runs the values of chosen columns through their encoders, to know which do not fit.
//!
//! Purpose: a conversion such as `unix_ms` or `iso` says of a value whether it fits only by doing it.
//! So that the decision is made from every value and by the code that will copy them, each column
//! with such a conversion is read once more before anything is decided. Columns whose kinds tell
//! (all of the default rules') never come here.

use rayon::prelude::*;
use rusqlite::Connection;

use crate::encode::{RowEncoder, Zone};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::map::decide::{CHECKED_EXAMPLES_MAX, Checked, Unproven};
use crate::model::decision::{Decision, Mapping};
use crate::model::evidence::{Example, Span};
use crate::model::on_misfit::OnMisfit;
use crate::model::pg_type::PgType;
use crate::model::plan::ColumnPlan;
use crate::model::source::Table;
use crate::model::value::Value;
use crate::read::{self, Snapshot};

use super::losses::Losses;

/// Rows between two looks at the cancel flag.
const ROWS_PER_CHECK: u64 = 4096;

/// Most labels of an enum type; a column with more different texts is no enumeration.
const LABELS_MAX: usize = 1_000;

/// Checks the columns; one result for each, in their order.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table; interrupted.
pub fn check(
    snapshot: &Snapshot,
    tables: &[&Table],
    mapping: &Mapping,
    unproven: &[Unproven],
    zone: &Zone,
    jobs: usize,
    cancel: &Cancel,
) -> Result<Vec<(Unproven, Checked)>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(|error| {
        Error::source_file("could not start the threads that scan").caused_by(error)
    })?;
    pool.install(|| {
        unproven
            .par_iter()
            .map(|(table, column)| {
                let decision = &mapping.tables[*table].columns[*column];
                let checked =
                    self::column(snapshot, tables[*table], *column, decision, zone, cancel)?;
                Ok(((*table, *column), checked))
            })
            .collect()
    })
}

/// Checks the values of a table's column, given by its position, for one decision.
///
/// # Errors
/// [`crate::error::ErrorKind::Source`] naming the table; interrupted.
pub fn column(
    snapshot: &Snapshot,
    table: &Table,
    at: usize,
    decision: &Decision,
    zone: &Zone,
    cancel: &Cancel,
) -> Result<Checked> {
    let plan = ColumnPlan {
        source: decision.source.clone(),
        readable: table.columns[at].is_readable(),
        target: decision.target.clone(),
        pg_type: decision.pg_type,
        convert: decision.convert,
        labels: decision.labels.clone(),
        // A value that is to become NULL is counted here.
        on_misfit: OnMisfit::Reject,
        demands: decision.demands.clone(),
    };
    snapshot.with(|conn| column_of(conn, table, &plan, zone, cancel))
}

fn column_of(
    conn: &Connection,
    table: &Table,
    plan: &ColumnPlan,
    zone: &Zone,
    cancel: &Cancel,
) -> Result<Checked> {
    let encoder = RowEncoder::before_stored(std::slice::from_ref(plan), zone);
    let columns = [plan.read_as()];
    let source = read::RangeSource {
        table: &table.name,
        columns: &columns,
        rowid_name: table.rowid_name.as_deref(),
        span: match table.rowid_name {
            Some(_) => Span::Rowids { lo: i64::MIN, hi: i64::MAX },
            None => Span::Whole,
        },
    };
    let mut checked = Checked::default();
    let mut losses = Losses::new(plan, zone);
    let mut rows = 0;
    let mut field = Vec::new();
    source.for_each_row(conn, |rowid, row| {
        let value = row.value(0)?;
        field.clear();
        if value == Value::Null {
            return Ok(());
        }
        let encoded = encoder.field(0, value, &mut field);
        if matches!(plan.pg_type, PgType::Enum(_))
            && encoded.is_ok()
            && let Some(label) = field.get(4..).and_then(|label| std::str::from_utf8(label).ok())
            && plan.demands.labels.is_none()
            && checked.labels.len() <= LABELS_MAX
            && !checked.labels.contains(label)
        {
            checked.labels.insert(label.to_owned());
            if checked.labels.len() > LABELS_MAX {
                checked.misfits += 1;
                checked.has_too_many_labels = true;
                checked.reasons = vec![format!("more than {LABELS_MAX} labels")];
            }
        }
        if encoded.is_ok() && losses.loses(value, &field) {
            if checked.changed == 0 {
                checked.changed_example = value.shown();
            }
            checked.changed += 1;
        }
        if let Err(misfit) = encoded {
            checked.misfits += 1;
            let is_room = checked.unknown.len() < LABELS_MAX;
            if plan.demands.labels.is_some()
                && (is_room || checked.unknown.contains_key(&value.shown()))
            {
                *checked.unknown.entry(value.shown()).or_insert(0) += 1;
            }
            if !checked.reasons.iter().any(|reason| reason == misfit.reason) {
                checked.reasons.push(misfit.reason.to_owned());
            }
            if checked.examples.len() < CHECKED_EXAMPLES_MAX {
                checked.examples.push(Example { rowid, value: value.shown() });
            }
        }
        rows += 1;
        if rows % ROWS_PER_CHECK == 0 { cancel.check() } else { Ok(()) }
    })?;
    Ok(checked)
}
