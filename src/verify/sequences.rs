//! Sequences: what the application inserts next must not meet a row that is there.

use crate::connect::{Session, failure};
use crate::error::Result;
use crate::finish::sequences;
use crate::model::catalogue::TargetTable;
use crate::model::ident::qualified;
use crate::model::pg_type::PgType;
use crate::model::plan::SequencePlan;
use crate::report::{NotCompared, SequenceBehind};

/// Looks at every sequence behind the number columns of the tables. Returns those that are behind, and those
/// that this role may not read.
///
/// # Errors
/// [`crate::error::ErrorKind::Target`].
pub(super) async fn check(
    session: &Session,
    schema: &str,
    tables: &[&TargetTable],
) -> Result<(Vec<SequenceBehind>, Vec<NotCompared>)> {
    let (mut behind, mut unread) = (Vec::new(), Vec::new());
    for table in tables {
        let counting = table.columns.iter().filter(|column| {
            column.pg_type.is_some_and(|t| t.is_integer() || matches!(t, PgType::Numeric(_)))
        });
        for (column, sequence) in
            counting.flat_map(|column| column.sequences.iter().map(move |one| (column, one)))
        {
            let name = qualified(&sequence.schema, &sequence.name);
            let plan = SequencePlan {
                table: 0,
                column: column.name.clone(),
                schema: sequence.schema.clone(),
                name: sequence.name.clone(),
            };
            match sequences::behind(session, schema, &table.name, &plan).await {
                Ok(None) => {}
                Ok(Some(next)) => behind.push(SequenceBehind {
                    sequence: name,
                    table: table.name.clone(),
                    column: column.name.clone(),
                    next,
                }),
                Err(error) if failure::is_refusal(&error) => unread.push(NotCompared {
                    object: "sequence".into(),
                    name,
                    reason: error
                        .as_db_error()
                        .map_or_else(|| "it cannot be read".into(), failure::in_one_line),
                }),
                Err(error) => return Err(failure::failed("look at the sequences", &error)),
            }
        }
    }
    Ok((behind, unread))
}
