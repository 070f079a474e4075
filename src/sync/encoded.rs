//! Rows of the source by their ids, as bytes of COPY.

use std::collections::{HashMap, HashSet};

use crate::encode::Zone;
use crate::encode::field::{self, HEADER, TRAILER};
use crate::error::{Error, Result};
use crate::event::Cancel;
use crate::model::evidence::Span;
use crate::read::range::CHUNK_BYTES;
use crate::read::{Connection, Snapshot};
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
    /// Hands on a whole COPY of some rows, in chunks: a batch of rows may be as large as its values are.
    pub(super) fn copy(&self, ids: &[i64], send: impl FnMut(Vec<u8>) -> Result<()>) -> Result<()> {
        let mut chunks = Chunks { open: HEADER.to_vec(), send };
        self.each(ids, |_, row| chunks.put(&[row]))?;
        chunks.finish()
    }

    /// The same with the place of the row that each takes the place of as its first two columns.
    pub(super) fn copy_with_places(
        &self,
        pairs: &[(i64, TargetRow)],
        send: impl FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let mut chunks = Chunks { open: HEADER.to_vec(), send };
        let ids: Vec<i64> = pairs.iter().map(|(id, _)| *id).collect();
        let columns = u16::try_from(self.subject.columns.len() + 2)
            .map_err(|_| Error::target("too many columns"))?;
        let places: HashMap<i64, &TargetRow> =
            pairs.iter().map(|(id, place)| (*id, place)).collect();
        self.each(&ids, |id, row| {
            let Some(place) = places.get(&id) else { return Ok(()) };
            let mut head = columns.to_be_bytes().to_vec();
            field::bytes(&place.relid.to_be_bytes(), &mut head);
            field::bytes(place.ctid.as_bytes(), &mut head);
            chunks.put(&[&head, row.get(2..).unwrap_or_default()])
        })?;
        chunks.finish()
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

/// Bytes of COPY, handed on when there are enough.
struct Chunks<S> {
    open: Vec<u8>,
    send: S,
}

impl<S: FnMut(Vec<u8>) -> Result<()>> Chunks<S> {
    fn put(&mut self, parts: &[&[u8]]) -> Result<()> {
        parts.iter().for_each(|part| self.open.extend_from_slice(part));
        if self.open.len() >= CHUNK_BYTES {
            return (self.send)(std::mem::take(&mut self.open));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.open.extend_from_slice(&TRAILER);
        (self.send)(self.open)
    }
}
