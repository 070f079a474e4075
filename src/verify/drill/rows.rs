//! The rows that differ, looked at: by which key they are known, and in which columns they differ.
//!
//! Purpose: columns are compared by their hashes, so that a value of a gigabyte is neither sent nor kept; what
//! is shown of it is cut on the server.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use crate::encode::RowEncoder;
use crate::encode::range_hash::RowHasher;
use crate::encode::record_hash::HashRule;
use crate::error::Result;
use crate::model::evidence::Span;
use crate::model::plan::ColumnPlan;
use crate::model::value::{SHOWN_CHARS_MAX, Value};
use crate::read::SourceRow;
use crate::report::{ColumnDifference, KeyValue, RowDifference, RowFault};

use super::super::read_back::{self, Neutral};
use super::super::rule::{self, How};
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
    redact: bool,
}

/// Takes the place of a value that must not be seen.
const REDACTED: &str = "(hidden)";

impl<'a> Rows<'a> {
    /// `redact`: values are not shown, except numbers in keys.
    pub(crate) fn new(drill: &'a Drill<'a>, redact: bool) -> Self {
        Self { drill, redact }
    }

    /// Returns up to `max` rows of each kind, from the `from`-th on.
    pub(crate) async fn differences(
        &self,
        spool: &Spool,
        from: u64,
        max: u64,
    ) -> Result<Vec<RowDifference>> {
        let unmatched = tokio::task::block_in_place(|| spool.unmatched(from, max))?;
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
        let key = subject.identity.iter().map(|at| {
            let column = &subject.columns[*at];
            let is_seen = !self.redact || column.pg_type.is_integer();
            let value = shown(known_by, *at).unwrap_or_default();
            KeyValue {
                column: column.source.clone(),
                value: if is_seen { value } else { REDACTED.to_owned() },
            }
        });
        let differs = |at: &usize| hash(here, *at) != hash(there, *at);
        let columns = (0..subject.columns.len()).filter(differs).map(|at| ColumnDifference {
            column: subject.columns[at].source.clone(),
            target_column: subject.columns[at].target.clone(),
            source: shown(here, at).map(|value| self.hidden(value)),
            target: shown(there, at).map(|value| self.hidden(value)),
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

    fn hidden(&self, value: String) -> String {
        if self.redact { REDACTED.to_owned() } else { value }
    }

    /// Reads rows of the source by rowid, or by their number in the scan.
    fn of_source(&self, ids: &[i64]) -> Result<HashMap<i64, Seen>> {
        let Drill { subject, zone, .. } = self.drill;
        let reading = Reading::new(subject, zone, self.drill.place.how);
        let mut columns = Columns::new(&subject.columns, self.drill)?;
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
                    found.insert(id, columns.seen(rowid, row, subject.columns.len())?);
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
        let mut found = HashMap::new();
        for (relid, ctids) in by_relation {
            for ctids in ctids.chunks(LOOKED_UP_MAX) {
                match self.drill.place.how {
                    How::Hashed(rule) => self.look_up(rule, relid, ctids, &mut found).await?,
                    How::ReadBack => self.read_back(relid, ctids, &mut found).await?,
                }
            }
        }
        Ok(found)
    }

    async fn look_up(
        &self,
        rule: HashRule,
        relid: u32,
        ctids: &[&str],
        found: &mut HashMap<TargetRow, Seen>,
    ) -> Result<()> {
        let rows = self.drill.transaction.query(&self.sql(rule), &[&ctids, &relid]).await;
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
        Ok(())
    }

    async fn read_back(
        &self,
        relid: u32,
        ctids: &[&str],
        found: &mut HashMap<TargetRow, Seen>,
    ) -> Result<()> {
        let Drill { place, transaction, zone, .. } = *self.drill;
        let mut neutral = Neutral::new(place.columns, zone.name())?;
        // Places as the server printed them: digits, a comma, parentheses.
        let filter = format!(
            "WHERE ctid = ANY (ARRAY['{}']::tid[]) AND tableoid = {relid}",
            ctids.join("', '")
        );
        read_back::each_row(place, transaction, &["tableoid", "ctid::text"], &filter, |row| {
            neutral.target(row, 2)?;
            let (hashes, shown) = (neutral.column_hashes(), neutral.shown(row, 2));
            found.insert(read_back::place_of(row)?, Seen { rowid: None, hashes, shown });
            Ok(())
        })
        .await
    }

    fn sql(&self, rule: HashRule) -> String {
        let place = self.drill.place;
        let one = |column: &ColumnPlan| {
            let record = format!("record_send(ROW({}))", Place::column(column));
            rule::sql(&record, rule)[0].clone()
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
enum Columns {
    Encoded(Vec<(RowEncoder, RowHasher)>, Vec<u8>),
    Neutral(Neutral),
}

impl Columns {
    fn new(columns: &[ColumnPlan], drill: &Drill<'_>) -> Result<Self> {
        let rule = match drill.place.how {
            How::Hashed(rule) => rule,
            How::ReadBack => return Neutral::new(columns, drill.zone.name()).map(Self::Neutral),
        };
        let each = columns.iter().map(std::slice::from_ref);
        let each = each.map(|one| (RowEncoder::new(one, drill.zone), RowHasher::new(one, rule)));
        Ok(Self::Encoded(each.collect(), Vec::new()))
    }

    fn seen(&mut self, rowid: Option<i64>, row: &SourceRow<'_, '_>, count: usize) -> Result<Seen> {
        let shown = (0..count).map(|at| row.value(at).map(|value| value.shown()));
        let shown: Vec<String> = shown.collect::<Result<_>>()?;
        let hashes = match self {
            Self::Encoded(columns, field) => {
                let mut hashes = Vec::with_capacity(columns.len());
                for (at, (encoder, hasher)) in columns.iter_mut().enumerate() {
                    field.clear();
                    encoder.begin(field);
                    let is_encoded = encoder.field(0, row.value(at)?, field).is_ok();
                    let found = if is_encoded { hasher.hash(field) } else { None };
                    hashes.push(found.map_or(0, |hashes| hashes[0]));
                }
                hashes
            }
            Self::Neutral(neutral) => {
                neutral.source(row)?;
                neutral.column_hashes()
            }
        };
        Ok(Seen { rowid, hashes, shown })
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
