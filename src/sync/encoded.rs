//! Rows of the source by their ids, as bytes of COPY.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::encode::Zone;
use crate::encode::field::{HEADER, TRAILER};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::model::evidence::Span;
use crate::read::Snapshot;
use crate::verify::drill::spool::TargetRow;
use crate::verify::source_sums::Reading;
use crate::verify::subject::Subject;

/// Reads rows of one table.
pub(super) struct Rows<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) subject: &'a Subject,
    pub(super) zone: &'a Zone,
    pub(super) cancel: &'a Cancel,
}

impl Rows<'_> {
    /// Returns a whole COPY of some rows.
    pub(super) fn copy(&self, ids: &[i64]) -> Result<Vec<u8>> {
        let mut out = HEADER.to_vec();
        self.each(ids, |_, row| {
            out.extend_from_slice(row);
            Ok(())
        })?;
        out.extend_from_slice(&TRAILER);
        Ok(out)
    }

    /// The same with the place of the row that each takes the place of as its first two columns.
    pub(super) fn copy_with_places(&self, pairs: &[(i64, TargetRow)]) -> Result<Vec<u8>> {
        let mut out = HEADER.to_vec();
        let ids: Vec<i64> = pairs.iter().map(|(id, _)| *id).collect();
        let columns = u16::try_from(self.subject.columns.len() + 2)
            .map_err(|_| Error::target("too many columns"))?;
        let places: std::collections::HashMap<i64, &TargetRow> =
            pairs.iter().map(|(id, place)| (*id, place)).collect();
        self.each(&ids, |id, row| {
            let Some(place) = places.get(&id) else { return Ok(()) };
            out.extend_from_slice(&columns.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 4]);
            out.extend_from_slice(&place.relid.to_be_bytes());
            let length = u32::try_from(place.ctid.len()).unwrap_or(0);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(place.ctid.as_bytes());
            out.extend_from_slice(row.get(2..).unwrap_or_default());
            Ok(())
        })?;
        out.extend_from_slice(&TRAILER);
        Ok(out)
    }

    fn each(&self, ids: &[i64], mut each: impl FnMut(i64, &[u8]) -> Result<()>) -> Result<()> {
        let reading = Reading::of_load(self.subject, self.zone);
        let mut read = |conn: &Connection, span: Span, is_wanted: &dyn Fn(i64) -> bool| {
            let mut ordinal = 0;
            reading.encoded(conn, span, self.cancel, |rowid, row| {
                ordinal += 1;
                let id = rowid.unwrap_or(ordinal);
                match row {
                    Some(row) if is_wanted(id) => each(id, row),
                    _ => Ok(()),
                }
            })
        };
        self.snapshot.with(|conn| {
            if self.subject.rowid_name.is_some() {
                let one = |id: &i64| read(conn, Span::Rowids { lo: *id, hi: *id }, &|_| true);
                return ids.iter().try_for_each(one);
            }
            let wanted: HashSet<i64> = ids.iter().copied().collect();
            read(conn, Span::Whole, &|id| wanted.contains(&id))
        })
    }
}
