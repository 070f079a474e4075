//! What a neutral value is: NULL, or a length and the canonical bytes of the column's type.
//!
//! Purpose: values of one column are equal when these bytes are, and a row's values can stand behind
//! one another without one being taken for a part of the next.

/// Appends NULL.
pub(super) fn put_null(out: &mut Vec<u8>) {
    out.push(0);
}

/// Appends a value whose canonical bytes `put` appends; nothing when it fails.
pub(super) fn put_by<E>(
    out: &mut Vec<u8>,
    put: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let begin = out.len();
    out.push(1);
    out.extend_from_slice(&[0; 8]);
    if let Err(error) = put(out) {
        out.truncate(begin);
        return Err(error);
    }
    let length = (out.len() - begin - 9) as u64;
    out[begin + 1..begin + 9].copy_from_slice(&length.to_be_bytes());
    Ok(())
}
