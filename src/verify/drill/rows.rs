//! The rows that differ, looked at: by which key they are known, and in which columns they differ.
//!
//! Purpose: columns are compared by their hashes, so that a value of a gigabyte is neither sent nor kept; what
//! is shown of it is cut on the server.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use crate::encode::RowEncoder;
use crate::encode::range_hash::RowHasher;
use crate::error::Result;
use crate::model::evidence::Span;
use crate::model::plan::ColumnPlan;
use crate::model::value::{SHOWN_CHARS_MAX, Value};
use crate::read::SourceRow;
use crate::report::{ColumnDifference, KeyValue, RowDifference, RowFault};

use super::super::rule;
use super::super::source_sums::Reading;
use super::super::target_sums::Place;
use super::Drill;
use super::spool::{Spool, TargetRow, Unmatched};

/// Rows of the target that are looked up at once.
const LOOKED_UP_MAX: usize = 500;

/// One row of one side: a hash and a text per column.
#[derive(Debug, Clone)]
struct Seen {
    rowid: Option<i64>,
    hashes: Vec<i64>,
    shown: Vec<String>,
}

/// Looks at rows.
pub(crate) struct Rows<'a> {
    drill: &'a Drill<'a>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(drill: &'a Drill<'a>) -> Self {
        Self { drill }
    }

    /// Returns up to `max` rows of each kind.
    pub(crate) async fn differences(&self, spool: &Spool, max: u64) -> Result<Vec<RowDifference>> {
        let unmatched = tokio::task::block_in_place(|| spool.unmatched(0, max))?;
        self.look_at(&unmatched).await
    }

    /// Says what is wrong with rows.
    pub(crate) async fn look_at(&self, unmatched: &[Unmatched]) -> Result<Vec<RowDifference>> {
        let ids: Vec<i64> = unmatched.iter().filter_map(Unmatched::id).collect();
        let places: Vec<&TargetRow> = unmatched.iter().filter_map(Unmatched::place).collect();
        let source = tokio::task::block_in_place(|| self.of_source(&ids))?;
        let target = self.of_target(&places).await?;
        let sides = unmatched.iter().map(|one| {
            let here = one.id().and_then(|id| source.get(&id));
            let there = one.place().and_then(|place| target.get(place));
            self.difference(one, here, there)
        });
        Ok(sides.collect())
    }

    fn difference(
        &self,
        one: &Unmatched,
        here: Option<&Seen>,
        there: Option<&Seen>,
    ) -> RowDifference {
        let subject = self.drill.subject;
        let shown =
            |side: Option<&Seen>, at: usize| side.and_then(|seen| seen.shown.get(at).cloned());
        let hash =
            |side: Option<&Seen>, at: usize| side.and_then(|seen| seen.hashes.get(at).copied());
        let known_by = here.or(there);
        let key = subject.identity.iter().map(|at| KeyValue {
            column: subject.columns[*at].source.clone(),
            value: shown(known_by, *at).unwrap_or_default(),
        });
        let differs = |at: &usize| hash(here, *at) != hash(there, *at);
        let columns = (0..subject.columns.len()).filter(differs).map(|at| ColumnDifference {
            column: subject.columns[at].source.clone(),
            target_column: subject.columns[at].target.clone(),
            source: shown(here, at),
            target: shown(there, at),
        });
        RowDifference {
            table: subject.pair.source.clone(),
            fault: match one {
                Unmatched::Missing(_) => RowFault::Missing,
                Unmatched::Extra(_) => RowFault::Extra,
                Unmatched::Different(..) => RowFault::Different,
            },
            key: key.collect(),
            rowid: here.and_then(|seen| seen.rowid),
            columns: columns.collect(),
        }
    }

    /// Reads rows of the source by rowid, or by their number in the scan.
    fn of_source(&self, ids: &[i64]) -> Result<HashMap<i64, Seen>> {
        let Drill { subject, zone, .. } = self.drill;
        let reading = Reading::new(subject, zone, self.drill.place.rule);
        let mut columns = Columns::new(&subject.columns, self.drill);
        let mut found = HashMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let mut read = |conn: &Connection, span: Span, is_wanted: &dyn Fn(i64) -> bool| {
            let mut ordinal = 0;
            reading.range(span).for_each_row(conn, |rowid, row| {
                ordinal += 1;
                let id = rowid.unwrap_or(ordinal);
                if is_wanted(id) {
                    found.insert(id, columns.seen(rowid, row)?);
                }
                self.drill.cancel.check()
            })
        };
        self.drill.snapshot.with(|conn| {
            if subject.rowid_name.is_some() {
                let one = |id: &i64| read(conn, Span::Rowids { lo: *id, hi: *id }, &|_| true);
                return ids.iter().try_for_each(one);
            }
            let wanted: std::collections::HashSet<i64> = ids.iter().copied().collect();
            read(conn, Span::Whole, &|id| wanted.contains(&id))
        })?;
        Ok(found)
    }

    async fn of_target(&self, places: &[&TargetRow]) -> Result<HashMap<TargetRow, Seen>> {
        let mut by_relation: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        for place in places {
            by_relation.entry(place.relid).or_default().push(&place.ctid);
        }
        let sql = self.sql();
        let mut found = HashMap::new();
        for (relid, ctids) in by_relation {
            for ctids in ctids.chunks(LOOKED_UP_MAX) {
                let rows = self.drill.transaction.query(&sql, &[&ctids, &relid]).await;
                for row in rows.map_err(|error| self.drill.place.failed(&error))? {
                    let place = TargetRow { relid, ctid: row.get(0) };
                    let texts: Vec<Option<String>> = row.get(2);
                    let columns = &self.drill.subject.columns;
                    let shown = texts.into_iter().zip(columns).map(|(text, column)| match text {
                        None => "NULL".to_owned(),
                        // Quoted: NULL is not 'NULL', and a blank at the end is seen.
                        Some(text) if column.pg_type.built_in_is_text() => {
                            Value::Text(text.as_bytes()).shown()
                        }
                        Some(text) => cut(text),
                    });
                    let seen = Seen { rowid: None, hashes: row.get(1), shown: shown.collect() };
                    found.insert(place, seen);
                }
            }
        }
        Ok(found)
    }

    fn sql(&self) -> String {
        let place = self.drill.place;
        let one = |column: &ColumnPlan| {
            let record = format!("record_send(ROW({}))", Place::column(column));
            rule::sql(&record, place.rule)[0].clone()
        };
        let text = |column: &ColumnPlan| {
            format!("left({}::pg_catalog.text, {})", Place::column(column), SHOWN_CHARS_MAX + 1)
        };
        let hashes: Vec<String> = place.columns.iter().map(one).collect();
        let texts: Vec<String> = place.columns.iter().map(text).collect();
        format!(
            "SELECT ctid::text, ARRAY[{}]::int8[], ARRAY[{}]::text[] {} \
             WHERE ctid = ANY ($1::text[]::tid[]) AND tableoid = $2",
            hashes.join(", "),
            texts.join(", "),
            place.from()
        )
    }
}

/// A text that the server cut one character too late, so that the cut is seen.
fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// The columns of the source's rows, each hashed by itself.
struct Columns {
    encoders: Vec<RowEncoder>,
    hashers: Vec<RowHasher>,
    field: Vec<u8>,
}

impl Columns {
    fn new(columns: &[ColumnPlan], drill: &Drill<'_>) -> Self {
        let each = || columns.iter().map(std::slice::from_ref);
        Self {
            encoders: each().map(|one| RowEncoder::new(one, drill.zone)).collect(),
            hashers: each().map(|one| RowHasher::new(one, drill.place.rule)).collect(),
            field: Vec::new(),
        }
    }

    fn seen(&mut self, rowid: Option<i64>, row: &SourceRow<'_, '_>) -> Result<Seen> {
        let mut seen = Seen { rowid, hashes: Vec::new(), shown: Vec::new() };
        for (at, (encoder, hasher)) in self.encoders.iter().zip(&mut self.hashers).enumerate() {
            let value: Value<'_> = row.value(at)?;
            self.field.clear();
            encoder.begin(&mut self.field);
            let is_encoded = encoder.field(0, value, &mut self.field).is_ok();
            let hashes = if is_encoded { hasher.hash(&self.field) } else { None };
            seen.hashes.push(hashes.map_or(0, |hashes| hashes[0]));
            seen.shown.push(value.shown());
        }
        Ok(seen)
    }
}

impl Unmatched {
    /// The source's row.
    pub(crate) fn id(&self) -> Option<i64> {
        match self {
            Self::Missing(id) | Self::Different(id, _) => Some(*id),
            Self::Extra(_) => None,
        }
    }

    /// The target's row.
    pub(crate) fn place(&self) -> Option<&TargetRow> {
        match self {
            Self::Extra(place) | Self::Different(_, place) => Some(place),
            Self::Missing(_) => None,
        }
    }
}
