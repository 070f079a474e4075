//! inet, cidr and macaddr: addresses in text, and their binary form.

use core::net::IpAddr;

/// PostgreSQL's own numbers of the address families (`PGSQL_AF_INET` and the next one).
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// Appends the field of an address with an optional `/bits`; with `cidr`, the bits to the right of
/// the mask must be zero. Returns false when the text is none.
#[must_use]
pub fn put_inet(text: &[u8], cidr: bool, out: &mut Vec<u8>) -> bool {
    let Some((address, bits)) = read(text) else { return false };
    if cidr && !is_network(address, bits) {
        return false;
    }
    let mut field = |family: u8, count: u8, bytes: &[u8]| {
        out.extend_from_slice(&(i32::from(count) + 4).to_be_bytes());
        out.extend_from_slice(&[family, bits, u8::from(cidr), count]);
        out.extend_from_slice(bytes);
    };
    match address {
        IpAddr::V4(address) => field(FAMILY_V4, 4, &address.octets()),
        IpAddr::V6(address) => field(FAMILY_V6, 16, &address.octets()),
    }
    true
}

fn read(text: &[u8]) -> Option<(IpAddr, u8)> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let max = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => max,
        Some(bits) => {
            let read = super::decimal::canonical_integer(bits.as_bytes())?;
            u8::try_from(read).ok()?
        }
    };
    (bits <= max).then_some((address, bits))
}

fn is_network(address: IpAddr, bits: u8) -> bool {
    let (value, width) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let host_bits = u32::from(width - bits);
    host_bits == 0 || value & (u128::MAX >> (128 - host_bits)) == 0
}

/// Reads `08:00:2b:01:02:03`, `08-00-2b-01-02-03`, `0800.2b01.0203` or twelve digits.
#[must_use]
pub fn mac(text: &[u8]) -> Option<[u8; 6]> {
    let separated = match text.len() {
        17 => {
            [b':', b'-'].iter().any(|separator| (2..17).step_by(3).all(|at| text[at] == *separator))
        }
        14 => text[4] == b'.' && text[9] == b'.',
        12 => true,
        _ => false,
    };
    if !separated {
        return None;
    }
    let mut digits = text.iter().filter(|byte| !matches!(byte, b':' | b'-' | b'.'));
    let mut bytes = [0; 6];
    for byte in &mut bytes {
        let (high, low) = (digits.next()?, digits.next()?);
        *byte = super::words::hex(*high)? << 4 | super::words::hex(*low)?;
    }
    digits.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inet(text: &str, cidr: bool) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        put_inet(text.as_bytes(), cidr, &mut out).then_some(out)
    }

    #[test]
    fn addresses_and_networks() {
        assert_eq!(inet("10.1.2.3", false), Some(vec![0, 0, 0, 8, 2, 32, 0, 4, 10, 1, 2, 3]));
        assert_eq!(inet("10.1.0.0/16", true), Some(vec![0, 0, 0, 8, 2, 16, 1, 4, 10, 1, 0, 0]));
        assert_eq!(inet("10.1.2.0/16", true), None);
        assert!(inet("::/0", true).is_some());
        assert!(inet("fe80::1/64", false).is_some());
        for wrong in ["10.1.2", "10.1.2.3/33", "10.1.2.3/", "x", "", "10.1.2.3/+8", "10.1.2.3/08"] {
            assert_eq!(inet(wrong, false), None, "{wrong}");
        }
    }

    #[test]
    fn hardware_addresses() {
        let bytes = Some([8, 0, 0x2b, 1, 2, 3]);
        for text in ["08:00:2b:01:02:03", "08-00-2B-01-02-03", "0800.2b01.0203", "08002b010203"] {
            assert_eq!(mac(text.as_bytes()), bytes, "{text}");
        }
        for text in ["08:00-2b:01:02:03", "08:00:2b:01:02", "08:00:2b:01:02:0x", "0800.2b01-0203"] {
            assert_eq!(mac(text.as_bytes()), None, "{text}");
        }
    }
}
