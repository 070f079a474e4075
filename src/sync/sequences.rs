//! The next ids, after rows came.

use deadpool_postgres::Transaction;

use crate::connect::failure;
use crate::error::Result;
use crate::finish::sequences;
use crate::model::catalogue::TargetTable;
use crate::model::ident::{literal, qualified, quoted};
use crate::model::plan::SequencePlan;

/// Sets the sequences of a table beyond its values where they are behind. `at_least` is what the source has given
/// out already (`sqlite_sequence`).
pub(super) async fn advance(
    transaction: &Transaction<'_>,
    schema: &str,
    table: &TargetTable,
    at_least: Option<i64>,
) -> Result<()> {
    for column in &table.columns {
        for sequence in column.sequences.iter().filter(|sequence| sequence.may_set) {
            let plan = SequencePlan {
                table: 0,
                column: column.name.clone(),
                schema: sequence.schema.clone(),
                name: sequence.name.clone(),
            };
            let at = |error: tokio_postgres::Error| {
                let what = format!("set sequence \"{}\"", sequence.name.escape_debug());
                failure::failed(&what, &error)
            };
            let name = qualified(&sequence.schema, &sequence.name);
            let (place, column) = (qualified(schema, &table.name), quoted(&column.name));
            let found = sequences::behind(transaction, schema, &table.name, &plan).await;
            if found.map_err(at)?.is_some() {
                let end = if sequence.increment > 0 { "max" } else { "min" };
                let sql =
                    format!("SELECT setval({}, {end}({column})) FROM {place}", literal(&name));
                transaction.batch_execute(&sql).await.map_err(at)?;
            }
            if let Some(given) = at_least.filter(|_| sequence.increment > 0) {
                let sql = format!(
                    "SELECT setval({}, {given}) FROM {name} WHERE last_value < {given}",
                    literal(&name)
                );
                transaction.batch_execute(&sql).await.map_err(at)?;
            }
        }
    }
    Ok(())
}
