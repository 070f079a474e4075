//! Words that mean true or false.

/// Reads t, f, true, false, y, n, yes, no, on, off in either case, and the digits 0 and 1.
#[must_use]
pub fn boolean(text: &[u8]) -> Option<bool> {
    const WORDS: [(&[u8], bool); 12] = [
        (b"0", false),
        (b"1", true),
        (b"t", true),
        (b"f", false),
        (b"y", true),
        (b"n", false),
        (b"true", true),
        (b"false", false),
        (b"yes", true),
        (b"no", false),
        (b"on", true),
        (b"off", false),
    ];
    if text.len() > 5 {
        return None;
    }
    WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

/// Reads a UUID in any usual form: with or without hyphens, in braces, with `urn:uuid:` before it.
#[must_use]
pub fn any_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text = text.strip_prefix(b"urn:uuid:").unwrap_or(text);
    let text = match text {
        [b'{', inner @ .., b'}'] => inner,
        plain => plain,
    };
    if text.len() == 36 { uuid(text) } else { hex32(text) }
}

/// Reads 32 hexadecimal digits.
fn hex32(text: &[u8]) -> Option<[u8; 16]> {
    let digits: &[u8; 32] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = hex(pair[0])? << 4 | hex(pair[1])?;
    }
    Some(bytes)
}

/// Turns the sixteen bytes of .NET's `Guid.ToByteArray()`, whose first three groups are
/// little-endian, into the order of the text.
#[must_use]
pub fn uuid_of_dotnet(bytes: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let mut turned = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
    turned[8..].copy_from_slice(&rest);
    turned
}

/// Reads an integer as the 32 hexadecimal digits that it was before SQLite took it for a number: its
/// decimal digits, zeros before them.
#[must_use]
pub fn uuid_of_digits(value: i64) -> Option<[u8; 16]> {
    hex32(format!("{:032}", u64::try_from(value).ok()?).as_bytes())
}

/// Reads a UUID in the form 8-4-4-4-12, hexadecimal digits in either case.
#[must_use]
pub fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0_u8; 16];
    let mut filled = 0;
    let mut position = 0;
    while position < 36 {
        if matches!(position, 8 | 13 | 18 | 23) {
            if text[position] != b'-' {
                return None;
            }
            position += 1;
            continue;
        }
        bytes[filled] = hex(text[position])? << 4 | hex(text[position + 1])?;
        filled += 1;
        position += 2;
    }
    Some(bytes)
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_either_case_and_nothing_else() {
        assert_eq!(boolean(b"T"), Some(true));
        assert_eq!(boolean(b"False"), Some(false));
        assert_eq!(boolean(b"oFF"), Some(false));
        for wrong in ["", "2", "tr", "truee", "ja", "01", " t"] {
            assert_eq!(boolean(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn uuids_are_read_in_every_usual_form() {
        let bytes = uuid(b"00112233-4455-6677-8899-aabbccddeeff");
        for text in [
            "00112233445566778899AABBCCDDEEFF",
            "{00112233-4455-6677-8899-aabbccddeeff}",
            "urn:uuid:00112233-4455-6677-8899-aabbccddeeff",
        ] {
            assert_eq!(any_uuid(text.as_bytes()), bytes, "{text}");
        }
        assert_eq!(any_uuid(b"{00112233"), None);
        let dotnet: [u8; 16] = *b"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        assert_eq!(Some(uuid_of_dotnet(dotnet)), bytes);
        assert_eq!(uuid_of_digits(1234).map(|bytes| bytes[14..].to_vec()), Some(vec![0x12, 0x34]));
        assert_eq!(uuid_of_digits(-1), None);
    }

    #[test]
    fn uuids_need_their_hyphens() {
        let bytes = uuid(b"00112233-4455-6677-8899-AABBccddeeff").unwrap();
        assert_eq!(bytes[0], 0);
        assert_eq!(bytes[15], 0xff);
        assert_eq!(uuid(b"00112233445566778899aabbccddeeff"), None);
        assert_eq!(uuid(b"0011223-34455-6677-8899-aabbccddeeff"), None);
        assert_eq!(uuid(b"g0112233-4455-6677-8899-aabbccddeeff"), None);
    }
}
