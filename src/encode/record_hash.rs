//! The hash of a row that PostgreSQL computes of its binary form, computed of the bytes of COPY.
//!
//! Purpose: `hash_array_extended(ARRAY[record_send(ROW(...))], seed)` tells rows apart by every bit of their
//! binary form (NULL and '', 0.0 and -0.0, 1.0 and 1.00), and sums of it over a range do not depend on the order
//! of rows. `record_send` is the number of columns and, per column, the type's oid, the length and the bytes
//! that COPY has too, so the same bytes serve both sides. Two seeds make 128 bits.
//!
//! Source: `record_send` and `hash_array_extended` by their behaviour, which is no documented interface: whoever
//! uses it asks the server for test vectors first. The hash below them is Bob Jenkins' lookup3, which is in
//! the public domain; PostgreSQL begins it with the length and a constant of its own.
//!
//! Known gaps: servers on big-endian machines read the same bytes otherwise; the test vectors tell.

use sha2::{Digest as _, Sha256};

/// Begins the three words of the state, together with the length.
const START: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);
/// Bytes that are taken in at a time.
const BLOCK: usize = 12;

/// The seeds of the two halves.
pub const SEEDS: [u64; 2] = [0, 0x6c69_7465_6c69_6674];

/// One hash in the making.
#[derive(Debug, Clone, Copy)]
struct Lane {
    a: u32,
    b: u32,
    c: u32,
}

impl Lane {
    fn new(length: usize, seed: u64) -> Self {
        // The server's lengths have 32 bits too: a row is smaller than 1 GB.
        let begin = START.wrapping_add(u32::try_from(length).unwrap_or(u32::MAX));
        let mut lane = Self { a: begin, b: begin, c: begin };
        if seed != 0 {
            let bytes = seed.to_be_bytes();
            let word = |at: usize| {
                u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            };
            lane.a = lane.a.wrapping_add(word(0));
            lane.b = lane.b.wrapping_add(word(4));
            lane.mix();
        }
        lane
    }

    const fn add(&mut self, words: [u32; 3]) {
        self.a = self.a.wrapping_add(words[0]);
        self.b = self.b.wrapping_add(words[1]);
        self.c = self.c.wrapping_add(words[2]);
    }

    #[inline]
    const fn mix(&mut self) {
        let Self { mut a, mut b, mut c } = *self;
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        *self = Self { a, b, c };
    }

    const fn end(self) -> u64 {
        let Self { mut a, mut b, mut c } = self;
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        c = (c ^ b).wrapping_sub(b.rotate_left(24));
        ((b as u64) << 32) | c as u64
    }
}

/// Bytes that come in pieces, hashed with both seeds.
#[derive(Debug, Clone)]
struct Hasher {
    lanes: [Lane; 2],
    waiting: [u8; BLOCK],
    filled: usize,
}

impl Hasher {
    /// `length` is that of all pieces together.
    fn new(length: usize) -> Self {
        Self { lanes: SEEDS.map(|seed| Lane::new(length, seed)), waiting: [0; BLOCK], filled: 0 }
    }

    fn block(&mut self, block: &[u8; BLOCK]) {
        let word = |at: usize| {
            u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
        };
        let words = [word(0), word(4), word(8)];
        for lane in &mut self.lanes {
            lane.add(words);
            lane.mix();
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        if self.filled > 0 {
            let wanted = (BLOCK - self.filled).min(bytes.len());
            let (now, rest) = bytes.split_at(wanted);
            self.waiting[self.filled..self.filled + wanted].copy_from_slice(now);
            self.filled += wanted;
            bytes = rest;
            if self.filled < BLOCK {
                return;
            }
            let block = self.waiting;
            self.block(&block);
            self.filled = 0;
        }
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for block in blocks {
            self.block(block);
        }
        self.waiting[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    fn end(mut self) -> [u64; 2] {
        // The last bytes; the lowest byte of the third word belongs to the length.
        let mut last = [0; BLOCK + 1];
        let (low, high) = (self.filled.min(8), self.filled.saturating_sub(8));
        last[..low].copy_from_slice(&self.waiting[..low]);
        last[9..9 + high].copy_from_slice(&self.waiting[8..8 + high]);
        let word =
            |at: usize| u32::from_le_bytes([last[at], last[at + 1], last[at + 2], last[at + 3]]);
        let words = [word(0), word(4), word(8)];
        self.lanes.each_mut().map(|lane| {
            lane.add(words);
            lane.end()
        })
    }
}

/// How two hashes are made of the bytes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashRule {
    /// `hash_array_extended(ARRAY[bytes], seed)`, with each of [`SEEDS`].
    Array,
    /// The first and the second eight bytes of SHA-256, as signed numbers.
    Sha256,
}

/// Hashes bytes.
#[must_use]
pub fn of_bytes(rule: HashRule, bytes: &[u8]) -> [i64; 2] {
    match rule {
        HashRule::Array => {
            let mut hasher = Hasher::new(bytes.len());
            hasher.feed(bytes);
            in_array(hasher.end())
        }
        HashRule::Sha256 => of_digest(Sha256::new_with_prefix(bytes)),
    }
}

fn of_digest(sha: Sha256) -> [i64; 2] {
    let digest = sha.finalize();
    let word = |from: usize| {
        let bytes = digest.get(from..).and_then(<[u8]>::first_chunk).copied();
        i64::from_be_bytes(bytes.unwrap_or_default())
    };
    [word(0), word(8)]
}

/// An array of one element: 31 times 1, and the element.
fn in_array(hashes: [u64; 2]) -> [i64; 2] {
    hashes.map(|hash| hash.wrapping_add(31).cast_signed())
}

/// Hashes a row of COPY BINARY (its number of columns in two bytes, then length and bytes of each) as the
/// server hashes `record_send` of it, where `oids` are the columns' types. `None`: the bytes are no such row.
#[must_use]
pub fn of_row(rule: HashRule, oids: &[u32], row: &[u8]) -> Option<[i64; 2]> {
    match rule {
        HashRule::Array => {
            // Four bytes more for each oid, and two for the longer count.
            let mut hasher = Hasher::new(row.len() + 2 + 4 * oids.len());
            as_record(oids, row, |bytes| hasher.feed(bytes))?;
            Some(in_array(hasher.end()))
        }
        HashRule::Sha256 => {
            let mut sha = Sha256::new();
            as_record(oids, row, |bytes| sha.update(bytes))?;
            Some(of_digest(sha))
        }
    }
}

/// Hands on what `record_send` makes of a row of COPY BINARY.
#[inline]
fn as_record(oids: &[u32], row: &[u8], mut feed: impl FnMut(&[u8])) -> Option<()> {
    let (count, fields) = row.split_first_chunk::<2>()?;
    if usize::from(u16::from_be_bytes(*count)) != oids.len() {
        return None;
    }
    feed(&u32::try_from(oids.len()).ok()?.to_be_bytes());
    let mut rest = fields;
    for oid in oids {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let bytes = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        feed(&oid.to_be_bytes());
        feed(rest.get(..4 + bytes)?);
        rest = after.get(bytes..)?;
    }
    rest.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        for length in 0..bytes.len() {
            let whole = of_bytes(HashRule::Array, &bytes[..length]);
            for cut in 0..length {
                let mut hasher = Hasher::new(length);
                hasher.feed(&bytes[..cut]);
                hasher.feed(&bytes[cut..length]);
                assert_eq!(in_array(hasher.end()), whole, "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_row_has_no_hash() {
        let row = [0, 1, 0, 0, 0, 1, 7];
        assert!(of_row(HashRule::Array, &[20], &row).is_some());
        assert!(of_row(HashRule::Array, &[20, 20], &row).is_none());
        assert!(of_row(HashRule::Array, &[20], &row[..6]).is_none());
        assert!(of_row(HashRule::Array, &[20], &[&row[..], &[0]].concat()).is_none());
        assert!(of_row(HashRule::Array, &[20], &[0]).is_none());
    }
}
