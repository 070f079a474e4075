//! UUIDs, network addresses and hardware addresses from text.

use super::Unfit;

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// Sixteen bytes, of text `8-4-4-4-12`, or with `any_form` of every usual form.
pub(super) fn uuid(text: &[u8], any_form: bool) -> Result<[u8; 16], Unfit> {
    let mut form = text;
    if any_form {
        form = form.strip_prefix(b"urn:uuid:").unwrap_or(form);
        if let Some(inner) = form.strip_prefix(b"{") {
            form = inner.strip_suffix(b"}").unwrap_or_default();
        }
    }
    let groups: Vec<usize> = form.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    let is_form = groups == [8, 4, 4, 4, 12] || (any_form && groups == [32]);
    let number = form
        .iter()
        .filter(|byte| **byte != b'-')
        .try_fold(0_u128, |sum, digit| Some(sum << 4 | u128::from(hex(*digit)?)));
    number.filter(|_| is_form).map(u128::to_be_bytes).ok_or(Unfit("not a UUID"))
}

/// The bytes of .NET's Guid in the order of its text: its first three groups are little-endian.
pub(super) fn uuid_of_dotnet(bytes: &[u8]) -> Option<[u8; 16]> {
    let mut turned: [u8; 16] = bytes.try_into().ok()?;
    turned[..4].reverse();
    turned[4..6].reverse();
    turned[6..8].reverse();
    Some(turned)
}

/// The 32 hexadecimal digits that an integer was: its decimal digits.
pub(super) fn uuid_of_digits(value: i64) -> Option<[u8; 16]> {
    let mut rest = u64::try_from(value).ok()?;
    let (mut number, mut shift) = (0_u128, 0);
    while rest > 0 {
        number |= u128::from(rest % 10) << shift;
        rest /= 10;
        shift += 4;
    }
    Some(number.to_be_bytes())
}

/// An address: its bytes, 4 or 16, and how many bits its network has.
pub(super) struct Address {
    bytes: [u8; 16],
    length: usize,
    pub(super) bits: u8,
}

impl Address {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Reads `a.b.c.d` or IPv6, with `/bits` or without.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let slash = text.iter().position(|byte| *byte == b'/');
        let (address, bits) = match slash {
            Some(at) => (&text[..at], Some(small(&text[at + 1..])?)),
            None => (text, None),
        };
        let mut bytes = [0; 16];
        let length = if address.contains(&b':') {
            bytes = ipv6(address)?;
            16
        } else {
            bytes[..4].copy_from_slice(&ipv4(address)?);
            4
        };
        let max = if length == 4 { 32 } else { 128 };
        let bits = bits.unwrap_or(max);
        (bits <= max).then_some(Self { bytes, length, bits })
    }

    /// Reads `inet_send`'s bytes: family, bits, whether it is a cidr, length, address.
    pub(super) fn of_field(field: &[u8]) -> Option<Self> {
        let [family, bits, is_cidr, count, address @ ..] = field else { return None };
        let length = usize::from(*count);
        let is_known = matches!((family, length), (2, 4) | (3, 16)) && *is_cidr <= 1;
        if !is_known || address.len() != length || usize::from(*bits) > length * 8 {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[..length].copy_from_slice(address);
        Some(Self { bytes, length, bits: *bits })
    }

    /// Whether no bit is set to the right of the mask.
    pub(super) fn is_network(&self) -> bool {
        let bit = |at: usize| self.bytes[at / 8] >> (7 - at % 8) & 1;
        (usize::from(self.bits)..self.length * 8).all(|at| bit(at) == 0)
    }
}

/// A number of up to three digits without leading zeros.
fn small(digits: &[u8]) -> Option<u8> {
    let is_plain = matches!(digits, [b'0'..=b'9'] | [b'1'..=b'9', ..]) && digits.len() <= 3;
    is_plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut parts = text.split(|byte| *byte == b'.');
    let mut bytes = [0; 4];
    for byte in &mut bytes {
        *byte = small(parts.next()?)?;
    }
    parts.next().is_none().then_some(bytes)
}

/// Eight groups of up to four digits; one `::` stands for groups of zeros; the last two may be IPv4.
fn ipv6(text: &[u8]) -> Option<[u8; 16]> {
    let gap = text.windows(2).position(|two| two == b"::");
    let Some(at) = gap else {
        let (bytes, count) = groups(text)?;
        return (count == 16).then_some(bytes);
    };
    let (head, tail) = (&text[..at], &text[at + 2..]);
    // IPv4 stands at the end alone.
    let (head, head_count) = groups(head).filter(|_| !head.contains(&b'.'))?;
    let (tail, tail_count) = groups(tail)?;
    // The gap is of one group at least.
    if head_count + tail_count > 14 {
        return None;
    }
    let mut bytes = head;
    bytes[16 - tail_count..].copy_from_slice(&tail[..tail_count]);
    Some(bytes)
}

/// Reads groups with colons between them; returns their bytes and how many.
fn groups(text: &[u8]) -> Option<([u8; 16], usize)> {
    let (mut bytes, mut count) = ([0; 16], 0);
    if text.is_empty() {
        return Some((bytes, 0));
    }
    let last = text.iter().filter(|byte| **byte == b':').count();
    for (number, group) in text.split(|byte| *byte == b':').enumerate() {
        let mut put = |part: &[u8]| {
            bytes.get_mut(count..count + part.len())?.copy_from_slice(part);
            count += part.len();
            Some(())
        };
        if group.contains(&b'.') && number == last {
            put(&ipv4(group)?)?;
        } else {
            let size_fits = (1..=4).contains(&group.len());
            let add = |sum: u16, digit: &u8| Some(sum << 4 | u16::from(hex(*digit)?));
            let group = group.iter().try_fold(0, add).filter(|_| size_fits)?;
            put(&group.to_be_bytes())?;
        }
    }
    Some((bytes, count))
}

/// Six bytes of twelve digits, bare, in twos with `:` or `-`, or in fours with `.`.
pub(super) fn hardware(text: &[u8]) -> Option<[u8; 6]> {
    let by = |separator: u8, size: usize, count: usize| {
        let mut groups = text.split(move |byte| *byte == separator);
        groups.clone().count() == count && groups.all(|group| group.len() == size)
    };
    let is_form = by(b':', 2, 6) || by(b'-', 2, 6) || by(b'.', 4, 3) || text.len() == 12;
    let digits = text.iter().filter(|byte| !b":-.".contains(byte));
    let (number, count) = digits.clone().try_fold((0_u64, 0), |(sum, count), digit| {
        (count < 12).then_some(())?;
        Some((sum << 4 | u64::from(hex(*digit)?), count + 1))
    })?;
    let [_, _, bytes @ ..] = number.to_be_bytes();
    (is_form && count == 12).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in [
            "1.2.3.4",
            "::",
            "::1",
            "1::",
            "fe80::1",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:1.2.3.4",
            "1::2::3",
            ":::",
            ":1",
            "1:",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7::8",
            "1:2:3:4:5:6:7:1.2.3.4",
            "1.2.3.4::",
            "1.2.3.4:1::",
            "::1.2.3.4:1",
            "12345::",
            "01.2.3.4",
            "1.2.3",
            "256.1.1.1",
            "",
            "g::",
        ] {
            let ours = Address::read(text.as_bytes()).map(|address| address.bytes().to_vec());
            let theirs: Option<std::net::IpAddr> = text.parse().ok();
            let theirs = theirs.map(|address| match address {
                std::net::IpAddr::V4(address) => address.octets().to_vec(),
                std::net::IpAddr::V6(address) => address.octets().to_vec(),
            });
            assert_eq!(ours, theirs, "{text}");
        }
        assert!(Address::read(b"10.0.0.0/08").is_none() && Address::read(b"::/129").is_none());
        assert!(Address::read(b"10.1.0.0/16").unwrap().is_network());
        assert!(!Address::read(b"10.1.0.1/31").unwrap().is_network());
    }

    #[test]
    fn uuids_and_hardware() {
        let plain = uuid(b"00112233-4455-6677-8899-aabbccddeeff", false).unwrap();
        for text in
            ["{00112233445566778899AABBCCDDEEFF}", "urn:uuid:00112233-4455-6677-8899-aabbccddeeff"]
        {
            assert_eq!(uuid(text.as_bytes(), true), Ok(plain), "{text}");
            assert!(uuid(text.as_bytes(), false).is_err());
        }
        assert!(uuid(b"{00112233-4455-6677-8899-aabbccddeeff", true).is_err());
        assert!(uuid(b"0011-22334455-6677-8899-aabbccddeeff", true).is_err());
        assert_eq!(uuid_of_digits(1234).map(|bytes| [bytes[14], bytes[15]]), Some([0x12, 0x34]));
        assert_eq!(uuid_of_dotnet(&plain).map(|turned| turned[0]), Some(0x33));
        let bytes = Some([8, 0, 0x2b, 1, 2, 3]);
        for text in ["08:00:2b:01:02:03", "08-00-2B-01-02-03", "0800.2b01.0203", "08002b010203"] {
            assert_eq!(hardware(text.as_bytes()), bytes, "{text}");
        }
        for text in ["08:00-2b:01:02:03", "08:00:2b:01:02", "08:00:2b:01:02:0x", "0800.2b01-0203"] {
            assert_eq!(hardware(text.as_bytes()), None, "{text}");
        }
    }
}
