//! Where the source is not what it was: leaf by leaf, without a look at the target.

use crate::encode::Zone;
use crate::encode::range_hash::RangeHasher;
use crate::error::Result;
use crate::event::{Cancel, Event, Listener, Stage};
use crate::model::evidence::Span;
use crate::model::range_sums::{Leaf, Sums};
use crate::read::{Connection, Snapshot};
use crate::verify::source_sums::Reading;
use crate::verify::subject::Subject;

/// Changed spans of one range that are looked at by themselves; beyond that the whole range is.
const SPANS_MAX: usize = 500;

/// A range as it was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) sums: Option<Sums>,
    pub(super) leaves: Option<Vec<Leaf>>,
}

/// A range as it is now.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) sums: Sums,
    pub(super) leaves: Option<Vec<u8>>,
    /// Rows with a value that does not fit, and the rowid of the first.
    pub(super) bad: u64,
    pub(super) first_bad: Option<i64>,
    /// Spans that are not what they were; together they hold every row that changed.
    pub(super) changed: Vec<Span>,
}

/// Reads every range of the tables. `kept` has an entry per span of each subject.
pub(super) fn look(
    snapshot: &Snapshot,
    subjects: &[&Subject],
    kept: &[Vec<Kept>],
    zone: &Zone,
    jobs: usize,
    listener: &dyn Listener,
    cancel: &Cancel,
) -> Result<Vec<Vec<Now>>> {
    let todo: Vec<(usize, usize)> = (0..subjects.len())
        .flat_map(|of| (0..subjects[of].spans.len()).map(move |part| (of, part)))
        .collect();
    let found = snapshot.each_part(
        todo.len(),
        jobs,
        || false,
        |conn, at| {
            let (of, part) = todo[at];
            let now =
                range(conn, subjects[of], subjects[of].spans[part], &kept[of][part], zone, cancel)?;
            let rows = now.sums.rows + now.bad;
            listener.on(Event::Progress { stage: Stage::Verify, work: rows, rows });
            Ok(now)
        },
    )?;
    let mut found = found.into_iter();
    Ok(subjects.iter().map(|subject| found.by_ref().take(subject.spans.len()).collect()).collect())
}

/// Reads one range.
fn range(
    conn: &Connection,
    subject: &Subject,
    span: Span,
    kept: &Kept,
    zone: &Zone,
    cancel: &Cancel,
) -> Result<Now> {
    let reading = Reading::of_load(subject, zone);
    let has_rowids = matches!(span, Span::Rowids { .. }) && subject.rowid_name.is_some();
    let mut hasher = RangeHasher::new(&subject.columns, has_rowids);
    let mut walk = Walk::new(span, kept.leaves.as_deref().unwrap_or_default());
    let (mut bad, mut first_bad) = (0, None);
    reading.encoded(conn, span, cancel, |rowid, row| {
        match row.and_then(|row| hasher.add(rowid, row)) {
            Some(hashes) => walk.row(rowid.unwrap_or_default(), hashes[0]),
            None => {
                bad += 1;
                first_bad = first_bad.or(rowid);
            }
        }
        Ok(())
    })?;
    let (sums, leaves) = hasher.finish();
    let is_same = kept.sums == Some(sums);
    let changed = if is_same {
        Vec::new()
    } else if has_rowids && kept.leaves.is_some() && kept.sums.is_some() {
        let spans = walk.finish();
        // Nothing to go by: the sums say that something changed.
        if spans.is_empty() || spans.len() > SPANS_MAX { vec![span] } else { spans }
    } else {
        vec![span]
    };
    Ok(Now { sums, leaves, bad, first_bad, changed })
}

/// Holds rows against the leaves of their range.
struct Walk<'a> {
    leaves: &'a [Leaf],
    /// The leaf that the next row belongs to, unless it lies behind it.
    at: usize,
    /// What the rows of that leaf come to so far.
    seen: Leaf,
    /// Where that leaf begins.
    begin: i64,
    end: i64,
    changed: Vec<(i64, i64)>,
}

const NO_ROWS: Leaf = Leaf { last_rowid: 0, rows: 0, hash: 0 };

impl<'a> Walk<'a> {
    fn new(span: Span, leaves: &'a [Leaf]) -> Self {
        let (begin, end) = match span {
            Span::Rowids { lo, hi } => (lo, hi),
            Span::Whole => (i64::MIN, i64::MAX),
        };
        Self { leaves, at: 0, seen: NO_ROWS, begin, end, changed: Vec::new() }
    }

    fn row(&mut self, rowid: i64, hash: i64) {
        while self.leaves.get(self.at).is_some_and(|leaf| rowid > leaf.last_rowid) {
            self.close();
        }
        self.seen.take(rowid, hash);
    }

    /// Ends the leaf that rows go to.
    fn close(&mut self) {
        let Some(leaf) = self.leaves.get(self.at) else { return };
        if (self.seen.rows, self.seen.hash) != (leaf.rows, leaf.hash) {
            self.push(self.begin, leaf.last_rowid);
        }
        self.begin = leaf.last_rowid.saturating_add(1);
        self.at += 1;
        self.seen = NO_ROWS;
    }

    fn push(&mut self, lo: i64, hi: i64) {
        match self.changed.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(lo) => *end = hi,
            _ => self.changed.push((lo, hi)),
        }
    }

    fn finish(mut self) -> Vec<Span> {
        while self.at < self.leaves.len() {
            self.close();
        }
        if self.seen.rows > 0 {
            // Rows behind all that there were.
            self.push(self.begin, self.end);
        }
        self.changed.into_iter().map(|(lo, hi)| Span::Rowids { lo, hi }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::range_sums::{LeafWriter, leaves};

    fn kept(rows: &[(i64, i64)]) -> Vec<Leaf> {
        let mut writer = LeafWriter::default();
        rows.iter().for_each(|(rowid, hash)| writer.add(*rowid, *hash));
        leaves(&writer.finish()).unwrap()
    }

    fn changed(before: &[(i64, i64)], now: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let kept = kept(before);
        let mut walk = Walk::new(Span::Rowids { lo: 1, hi: i64::MAX }, &kept);
        now.iter().for_each(|(rowid, hash)| walk.row(*rowid, *hash));
        walk.finish()
            .into_iter()
            .map(|span| match span {
                Span::Rowids { lo, hi } => (lo, hi),
                Span::Whole => (0, 0),
            })
            .collect()
    }

    #[test]
    fn only_leaves_with_changes_are_named() {
        let before: Vec<(i64, i64)> = (1..=200).map(|at| (at * 10, at)).collect();
        assert_eq!(changed(&before, &before), []);
        let mut now = before.clone();
        now[70].1 = -1;
        assert_eq!(changed(&before, &now), [(641, 1280)]);
        // One row more in the first leaf, one less in the second: one span.
        let mut now = before.clone();
        now.remove(100);
        now.insert(1, (15, 7));
        assert_eq!(changed(&before, &now), [(1, 1280)]);
        let mut now = before.clone();
        now.push((5000, 1));
        assert_eq!(changed(&before, &now), [(2001, i64::MAX)]);
        assert_eq!(changed(&before, &before[..64]), [(641, 2000)]);
        assert_eq!(changed(&before, &[]), [(1, 2000)]);
    }
}
