//! One field of COPY BINARY: a 32-bit length and the bytes, big-endian.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format", and the
//! `*_recv` functions of PostgreSQL's `utils/adt`.

/// What stands before the first row: signature, flags, length of the header extension.
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands after the last row.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// The largest field that PostgreSQL takes: one byte under 1 GiB (`MaxAllocSize`).
pub const FIELD_BYTES_MAX: usize = 0x3FFF_FFFF;

/// NULL.
#[inline]
pub fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// boolean.
#[inline]
pub fn boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, 0, 0, 1, u8::from(value)]);
}

/// smallint.
#[inline]
pub fn int2(value: i16, out: &mut Vec<u8>) {
    let [a, b] = value.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 2, a, b]);
}

/// integer, and date (days since 2000-01-01).
#[inline]
pub fn int4(value: i32, out: &mut Vec<u8>) {
    let [a, b, c, d] = value.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 4, a, b, c, d]);
}

/// bigint, time (microseconds since midnight), timestamp and timestamptz (microseconds since
/// 2000-01-01, of the local clock or UTC).
#[inline]
pub fn int8(value: i64, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 8, a, b, c, d, e, f, g, h]);
}

/// double precision: the bits of the double, -0.0 and infinities included.
#[inline]
pub fn float8(value: f64, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 8, a, b, c, d, e, f, g, h]);
}

/// real: the bits of the float.
#[inline]
pub fn float4(value: f32, out: &mut Vec<u8>) {
    let [a, b, c, d] = value.to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 4, a, b, c, d]);
}

/// timetz: microseconds since midnight, and the zone as seconds to the west of UTC.
#[inline]
pub fn timetz(us: i64, offset_s: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&12_i32.to_be_bytes());
    out.extend_from_slice(&us.to_be_bytes());
    out.extend_from_slice(&(-offset_s).to_be_bytes());
}

/// text, varchar, bytea, uuid: the bytes as they are. The caller has checked the length against
/// [`FIELD_BYTES_MAX`].
#[inline]
pub fn bytes(value: &[u8], out: &mut Vec<u8>) {
    put_length(value.len(), out);
    out.extend_from_slice(value);
}

/// jsonb: a version byte 1 and the document's text in the form that is stored ([`super::jsonb`]). Returns false,
/// with a part of a field written, when the text is no document.
#[inline]
pub fn jsonb(text: &[u8], out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, 1]);
    let is_document = super::jsonb::put(text, out);
    let length = i32::try_from(out.len() - begin - 4).unwrap_or(i32::MAX);
    out[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
    is_document
}

#[inline]
fn put_length(length: usize, out: &mut Vec<u8>) {
    // FIELD_BYTES_MAX is under i32::MAX; a longer value never gets here.
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
}
