//! Rows out of a stream of COPY BINARY that comes in pieces of any size.
//!
//! Purpose: header, rows and end as <https://www.postgresql.org/docs/current/sql-copy.html> ("Binary
//! Format") has them. Whatever the bytes are, there is no panic, and no more memory is taken than has
//! arrived and was not yet handed on.

use std::ops::Range;

use super::Malformed;

const SIGNATURE: [u8; 11] = *b"PGCOPY\n\xff\r\n\0";
/// Signature, flags and length of the extension.
const HEADER_BYTES: usize = 19;
/// The largest field: one byte under 1 GiB (`MaxAllocSize`).
const FIELD_BYTES_MAX: usize = (1 << 30) - 1;

/// Where in the stream the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    End,
}

/// Takes pieces and gives rows.
///
/// ```
/// # use litelift::verify::witness::RowStream;
/// let mut stream = RowStream::new(1);
/// stream.push(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x02hi");
/// assert_eq!(stream.row().unwrap().unwrap().field(0), Some(&b"hi"[..]));
/// stream.push(&[0xff, 0xff]);
/// assert!(stream.row().unwrap().is_none());
/// stream.finish().unwrap();
/// ```
#[derive(Debug)]
pub struct RowStream {
    buffer: Vec<u8>,
    /// What of the buffer was handed on.
    done: usize,
    columns: usize,
    fields: Vec<Option<Range<usize>>>,
    state: State,
}

/// A row: its fields, in the order of the columns.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    buffer: &'a [u8],
    fields: &'a [Option<Range<usize>>],
}

impl<'a> Fields<'a> {
    /// Returns a field; `None` is NULL, and so is a column that there is not.
    #[inline]
    #[must_use]
    pub fn field(&self, column: usize) -> Option<&'a [u8]> {
        let range = self.fields.get(column)?.clone()?;
        self.buffer.get(range)
    }

    /// Returns the number of fields.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns whether the table has no columns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl RowStream {
    /// Makes the reader of rows of so many columns.
    #[must_use]
    pub const fn new(columns: usize) -> Self {
        Self { buffer: Vec::new(), done: 0, columns, fields: Vec::new(), state: State::Header }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        if self.done == self.buffer.len() {
            self.buffer.clear();
            self.done = 0;
        } else if self.done > self.buffer.len() / 2 {
            // At most half is moved, so each byte is moved twice at most on average.
            self.buffer.drain(..self.done);
            self.done = 0;
        }
        self.buffer.extend_from_slice(piece);
    }

    /// Returns the next row, or `None` when its end has not arrived, or the end of all was reached.
    ///
    /// # Errors
    /// [`Malformed`]; the stream is of no more use then.
    pub fn row(&mut self) -> Result<Option<Fields<'_>>, Malformed> {
        if self.state == State::Header && !self.header()? {
            return Ok(None);
        }
        if self.state == State::End {
            let is_over = self.done == self.buffer.len();
            return if is_over { Ok(None) } else { Err(Malformed("bytes after the last row")) };
        }
        let Some(end) = self.split()? else { return Ok(None) };
        self.done = end;
        if self.state == State::End {
            return self.row();
        }
        Ok(Some(Fields { buffer: &self.buffer, fields: &self.fields }))
    }

    /// Says whether all has been read, when no more pieces come.
    ///
    /// # Errors
    /// [`Malformed`] when the stream ends before its end.
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.state == State::End && self.done == self.buffer.len() {
            Ok(())
        } else {
            Err(Malformed("the stream of rows ends before its end"))
        }
    }

    /// Reads the header once it is there whole.
    fn header(&mut self) -> Result<bool, Malformed> {
        let there = self.buffer.len().min(SIGNATURE.len());
        if self.buffer[..there] != SIGNATURE[..there] {
            return Err(Malformed("no header of COPY BINARY"));
        }
        let Some(head) = self.buffer.first_chunk::<HEADER_BYTES>() else { return Ok(false) };
        let [.., f0, f1, f2, f3, e0, e1, e2, e3] = *head;
        if [f0, f1, f2, f3] != [0; 4] {
            return Err(Malformed("flags of COPY BINARY that are not known"));
        }
        let extension = i32::from_be_bytes([e0, e1, e2, e3]);
        let extension = usize::try_from(extension)
            .ok()
            .filter(|bytes| *bytes <= FIELD_BYTES_MAX)
            .ok_or(Malformed("a header of COPY BINARY that is too long"))?;
        if self.buffer.len() < HEADER_BYTES + extension {
            return Ok(false);
        }
        self.done = HEADER_BYTES + extension;
        self.state = State::Rows;
        Ok(true)
    }

    /// Finds the fields of the next row and returns where it ends; `None`: it is not there whole.
    fn split(&mut self) -> Result<Option<usize>, Malformed> {
        let buffer = self.buffer.as_slice();
        let Some(count) = buffer.get(self.done..self.done + 2) else { return Ok(None) };
        let mut at = self.done + 2;
        if count == [0xFF, 0xFF] {
            self.state = State::End;
            return Ok(Some(at));
        }
        let count = usize::from(u16::from_be_bytes([count[0], count[1]]));
        if count != self.columns {
            return Err(Malformed("a row of another number of columns"));
        }
        self.fields.clear();
        for _ in 0..count {
            let Some(length) = buffer.get(at..).and_then(<[u8]>::first_chunk::<4>) else {
                return Ok(None);
            };
            at += 4;
            let length = i32::from_be_bytes(*length);
            if length == -1 {
                self.fields.push(None);
                continue;
            }
            let length = usize::try_from(length)
                .ok()
                .filter(|length| *length <= FIELD_BYTES_MAX)
                .ok_or(Malformed("a field of an impossible length"))?;
            if length > buffer.len() - at {
                return Ok(None);
            }
            self.fields.push(Some(at..at + length));
            at += length;
        }
        Ok(Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

    fn stream(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for row in rows {
            bytes.extend_from_slice(&i16::try_from(row.len()).unwrap().to_be_bytes());
            for field in *row {
                let length = field.map_or(-1, |field| i32::try_from(field.len()).unwrap());
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(field.unwrap_or_default());
            }
        }
        bytes.extend_from_slice(&[0xFF, 0xFF]);
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Vec<Option<Vec<u8>>>>, Malformed> {
        let mut stream = RowStream::new(2);
        let mut rows = Vec::new();
        for piece in bytes.chunks(piece) {
            stream.push(piece);
            while let Some(row) = stream.row()? {
                rows.push((0..row.len()).map(|at| row.field(at).map(<[u8]>::to_vec)).collect());
            }
        }
        stream.finish()?;
        Ok(rows)
    }

    #[test]
    fn rows_come_out_whatever_the_pieces_are() {
        let bytes = stream(&[&[Some(b"one"), None], &[Some(b""), Some(&[7; 300])]]);
        let expected =
            vec![vec![Some(b"one".to_vec()), None], vec![Some(Vec::new()), Some(vec![7; 300])]];
        for piece in 1..bytes.len() + 1 {
            assert_eq!(read(&bytes, piece).as_ref(), Ok(&expected), "{piece}");
        }
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_no_panic() {
        let bytes = stream(&[&[Some(b"one"), None], &[Some(b"two"), Some(b"")]]);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], 7).is_err(), "{end}");
        }
        for at in 0..bytes.len() {
            for change in [1, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                // A changed byte of a value is another value; of anything else an error, or a row that
                // never ends.
                let whole = read(&changed, 5);
                assert!(whole.is_err() || whole != read(&bytes, 5), "{at}");
            }
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(read(&longer, 7).is_err());
    }
}
