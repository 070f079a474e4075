//! Ways in which a file goes bad.

use super::bases::Base;
use crate::support::generate::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Damage {
    /// One to four bits, anywhere.
    Bits,
    /// A byte of the first hundred.
    Header,
    /// A byte of the page that holds the schema.
    Schema,
    ZeroedPage,
    SwappedPages,
    Truncated,
    /// 64 random bytes somewhere.
    Spliced,
    /// A page that is shifted by one byte.
    Shifted,
    /// A pointer of an interior page that leads back, to another table or out of the file.
    Pointer,
    /// A count or length that says far more than there is.
    Count,
    /// A byte of the -wal, or its end is missing.
    Wal,
}

pub(super) const ALL: [Damage; 11] = [
    Damage::Bits,
    Damage::Header,
    Damage::Schema,
    Damage::ZeroedPage,
    Damage::SwappedPages,
    Damage::Truncated,
    Damage::Spliced,
    Damage::Shifted,
    Damage::Pointer,
    Damage::Count,
    Damage::Wal,
];

impl Damage {
    /// Damages a base.
    pub(super) fn apply(self, base: &mut Base, random: &mut Random) {
        let length = base.database.len();
        let size = base.page_size;
        let mut below = |bound: usize| {
            usize::try_from(random.below(u32::try_from(bound.max(1)).unwrap())).unwrap()
        };
        match self {
            Self::Bits => {
                for _ in 0..=below(4) {
                    base.database[below(length)] ^= 1 << below(8);
                }
            }
            Self::Header => base.database[below(100)] = u8::try_from(below(256)).unwrap(),
            Self::Schema => {
                base.database[100 + below(size - 100)] ^= u8::try_from(1 + below(255)).unwrap();
            }
            Self::ZeroedPage => {
                let at = below(length / size) * size;
                base.database[at..at + size].fill(0);
            }
            Self::SwappedPages => {
                let (a, b) = (1 + below(length / size - 1), 1 + below(length / size - 1));
                let page = base.database[a * size..(a + 1) * size].to_vec();
                base.database.copy_within(b * size..(b + 1) * size, a * size);
                base.database[b * size..(b + 1) * size].copy_from_slice(&page);
            }
            Self::Truncated => base.database.truncate(below(length)),
            Self::Spliced => {
                let at = below(length - 64);
                for byte in &mut base.database[at..at + 64] {
                    *byte = u8::try_from(below(256)).unwrap();
                }
            }
            Self::Shifted => {
                let at = below(length / size) * size;
                base.database[at..at + size].rotate_right(1);
            }
            Self::Pointer => point(base, below),
            Self::Count => count(base, below),
            Self::Wal if base.wal.is_empty() => Self::Bits.apply(base, random),
            Self::Wal => {
                let length = base.wal.len();
                if below(4) == 0 {
                    base.wal.truncate(below(length));
                } else {
                    base.wal[below(length)] ^= 1 << below(8);
                }
            }
        }
    }
}

/// Where the b-tree header of a page begins.
fn header_of(base: &Base, page: usize) -> usize {
    page * base.page_size + if page == 0 { 100 } else { 0 }
}

fn point(base: &mut Base, mut below: impl FnMut(usize) -> usize) {
    let pages = base.database.len() / base.page_size;
    let is_interior = |page: &usize| matches!(base.database[header_of(base, *page)], 2 | 5);
    let interior: Vec<usize> = (0..pages).filter(is_interior).collect();
    let Some(page) = interior.get(below(interior.len())).copied() else { return };
    let to = match below(3) {
        0 => page + 1,
        1 => 1 + below(pages),
        _ => pages + 1 + below(1 << 30),
    };
    let header = header_of(base, page);
    let cells =
        usize::from(base.database[header + 3]) << 8 | usize::from(base.database[header + 4]);
    // The right-most child stands in the header, the others at the begin of their cells.
    let which = below(cells + 1);
    let at = if which == cells {
        header + 8
    } else {
        let pointer = header + 12 + which * 2;
        let offset =
            usize::from(base.database[pointer]) << 8 | usize::from(base.database[pointer + 1]);
        page * base.page_size + offset
    };
    if let Some(bytes) = base.database.get_mut(at..at + 4) {
        bytes.copy_from_slice(&u32::try_from(to).unwrap().to_be_bytes());
    }
}

fn count(base: &mut Base, mut below: impl FnMut(usize) -> usize) {
    let pages = base.database.len() / base.page_size;
    let page = below(pages);
    let header = header_of(base, page);
    match below(4) {
        // Pages, free pages, their first.
        0 => {
            let at = [28, 32, 36, 52][below(4)];
            base.database[at..at + 4].copy_from_slice(&[0x7f, 0xff, 0xff, 0xfe]);
        }
        // Cells of a page.
        1 => base.database[header + 3..header + 5].copy_from_slice(&[0xff, 0xff]),
        // Where the content begins, or the first free block.
        2 => base.database[header + 1..header + 3].copy_from_slice(&[0xff, 0xf0]),
        // The length of a row.
        _ => {
            let pointer = header + 8;
            let offset =
                usize::from(base.database[pointer]) << 8 | usize::from(base.database[pointer + 1]);
            let at = page * base.page_size + offset;
            if let Some(bytes) = base.database.get_mut(at..at + 5) {
                bytes.copy_from_slice(&[0x87, 0xff, 0xff, 0xff, 0x7f]);
            }
        }
    }
}
