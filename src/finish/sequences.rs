//! Would a sequence give out a value that a row has already?

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::model::ident::{literal, qualified, quoted};
use crate::model::plan::SequencePlan;

/// Holds a sequence against its column; returns its next value when a row has that, or one beyond, already.
/// Of a sequence that counts down, beyond is below.
///
/// # Errors
/// The server's.
pub async fn behind(
    client: &impl GenericClient,
    schema: &str,
    table: &str,
    sequence: &SequencePlan,
) -> Result<Option<String>, Error> {
    let name = qualified(&sequence.schema, &sequence.name);
    let column = quoted(&sequence.column);
    let sql = format!(
        "SELECT CASE WHEN q.seqincrement > 0 THEN s.next <= t.most ELSE s.next >= t.least END, \
         s.next::text \
         FROM (SELECT last_value::numeric + CASE WHEN is_called THEN (SELECT seqincrement \
         FROM pg_sequence WHERE seqrelid = {regclass}::regclass) ELSE 0 END AS next FROM {name}) s, \
         (SELECT max({column})::numeric AS most, min({column})::numeric AS least FROM {from}) t, \
         pg_sequence q WHERE q.seqrelid = {regclass}::regclass",
        regclass = literal(&name),
        from = qualified(schema, table),
    );
    let row = client.query_one(&sql, &[]).await?;
    let is_behind = row.get::<_, Option<bool>>(0).unwrap_or(false);
    Ok(is_behind.then(|| row.get(1)))
}
