//! Compares a table that has an INTEGER PRIMARY KEY by merging both sides in the key's order.
//!
//! Purpose: one row of each side in memory, whatever the size of the table.
//!
//! Known gaps: none known.

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;

use super::rules::{self, Reason, Scratch};
use super::source::{Source, select};
use super::target::{Rows, Target};
use super::{Comparison, Difference, Fallible, Pair, shown_source, shown_target};

pub(crate) fn compare(
    pair: &Pair,
    key: usize,
    source: &Source,
    target: &Target,
    comparison: &mut Comparison,
) -> Fallible<()> {
    let sql = select(&pair.table, &pair.source_columns, true);
    let mut statement = source.connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut target_rows = pair.target_rows(target, Some(key))?;
    let mut target_left = target_rows.advance()?;
    let mut scratch = Scratch::default();
    let count = u64::try_from(pair.source_columns.len())?;
    loop {
        rows.advance()?;
        let Some(row) = rows.get() else { break };
        let source_key = row.get_ref(key)?.as_i64()?;
        comparison.rows += 1;
        comparison.values += count;
        // Rows below this key have no partner, and so has the second of two equal keys.
        while target_left && target_key(&target_rows, key).is_none_or(|found| found < source_key) {
            add_extra(pair, &target_rows, key, comparison);
            target_left = target_rows.advance()?;
        }
        if !target_left || target_key(&target_rows, key) != Some(source_key) {
            comparison.add(|| Difference {
                table: pair.table.name.clone(),
                key: source_key.to_string(),
                column: String::new(),
                source: "a row".to_owned(),
                target: "no row".to_owned(),
                reason: Reason::MissingRow,
            });
            continue;
        }
        for (index, pg_type) in pair.types.iter().enumerate() {
            let from = row.get_ref(index)?;
            let to = target_rows.value(index);
            if let Some(reason) = rules::difference(from, to, pg_type, &mut scratch) {
                comparison.add(|| Difference {
                    table: pair.table.name.clone(),
                    key: source_key.to_string(),
                    column: pair.source_columns[index].clone(),
                    source: shown_source(from),
                    target: shown_target(to),
                    reason,
                });
            }
        }
        target_left = target_rows.advance()?;
    }
    while target_left {
        add_extra(pair, &target_rows, key, comparison);
        target_left = target_rows.advance()?;
    }
    Ok(())
}

/// The key of the target's row; `None` when it is NULL or no 64-bit integer, such as 1.5. Those do
/// not disturb the order: NULLs come first, and any other is smaller than the next integer key or
/// after them all.
fn target_key(rows: &Rows<'_>, key: usize) -> Option<i64> {
    std::str::from_utf8(rows.value(key)?).ok()?.parse().ok()
}

fn add_extra(pair: &Pair, rows: &Rows<'_>, key: usize, comparison: &mut Comparison) {
    comparison.add(|| Difference {
        table: pair.table.name.clone(),
        key: shown_target(rows.value(key)),
        column: String::new(),
        source: "no row".to_owned(),
        target: "a row".to_owned(),
        reason: Reason::ExtraRow,
    });
}
