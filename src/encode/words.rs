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

fn hex(digit: u8) -> Option<u8> {
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
    fn uuids_need_their_hyphens() {
        let bytes = uuid(b"00112233-4455-6677-8899-AABBccddeeff").unwrap();
        assert_eq!(bytes[0], 0);
        assert_eq!(bytes[15], 0xff);
        assert_eq!(uuid(b"00112233445566778899aabbccddeeff"), None);
        assert_eq!(uuid(b"0011223-34455-6677-8899-aabbccddeeff"), None);
        assert_eq!(uuid(b"g0112233-4455-6677-8899-aabbccddeeff"), None);
    }
}
