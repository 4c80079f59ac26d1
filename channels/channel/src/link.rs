//! What proves a signed link: who has it may see one thing or do one thing, without a login. A link is proved before
//! anything is looked up, in constant time. This module must not know what lies behind one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::Secret;

/// Bytes of a short code's MAC: 2^80 tries, each of which is a call.
const SHORT: usize = 10;
/// No base of a link is longer: the link goes into a text message.
const LONGEST_BASE: usize = 60;

/// Makes and proves the links of one purpose: what one purpose gives, another does not take.
pub struct Seal {
    key: hmac::Key,
    purpose: String,
}

impl Seal {
    pub fn new(secret: &Secret, purpose: impl Into<String>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
            purpose: purpose.into(),
        }
    }

    /// The proof of these parts.
    pub fn mac(&self, parts: &[&str]) -> String {
        let mac = hmac::sign(&self.key, self.signed(parts).as_bytes());
        URL_SAFE_NO_PAD.encode(mac)
    }

    pub fn proves(&self, parts: &[&str], mac: &str) -> bool {
        let Ok(mac) = URL_SAFE_NO_PAD.decode(mac) else {
            return false;
        };
        hmac::verify(&self.key, self.signed(parts).as_bytes(), &mac).is_ok()
    }

    /// A code for a text message: the payload, and as much of its proof as nobody tries out one call after another.
    pub fn code(&self, payload: &[u8]) -> String {
        let mac = hmac::sign(&self.key, &self.shortly(payload));
        let bytes = [payload, &mac.as_ref()[..SHORT]].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The payload of a code that was made here.
    pub fn open(&self, code: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(code).ok()?;
        let mac = bytes.split_off(bytes.len().checked_sub(SHORT)?);
        let wanted = hmac::sign(&self.key, &self.shortly(&bytes));
        // Of a whole MAC only the beginning is sent, so the library's own comparison does not fit.
        let both = wanted.as_ref()[..SHORT].iter().zip(mac);
        let differs = both.fold(0, |differs, (a, b)| differs | (a ^ b));
        (differs == 0).then_some(bytes)
    }

    fn shortly(&self, payload: &[u8]) -> Vec<u8> {
        let mut text = self.signed(&["short", ""]).into_bytes();
        text.extend_from_slice(payload);
        text
    }

    fn signed(&self, parts: &[&str]) -> String {
        format!("{}\n{}", self.purpose, parts.join("\n"))
    }
}

/// Seven bits a byte, the lowest first.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

/// What `put` wrote, taken from the front.
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// What links begin with: a scheme, a host, perhaps a port and a path, and nothing that a handset would cut a link at.
pub fn is_base(base: &str) -> bool {
    let host = base
        .strip_prefix("https://")
        .or_else(|| base.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'/' | b'_');
    host.is_some_and(|host| {
        !host.is_empty() && base.len() <= LONGEST_BASE && host.bytes().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str, purpose: &str) -> Seal {
        Seal::new(&Secret::new(secret), purpose)
    }

    #[test]
    fn a_proof_holds_for_its_parts_its_purpose_and_its_secret_alone() {
        let own = seal("0123456789abcdef", "keeper");
        let mac = own.mac(&["a", "7"]);
        assert!(own.proves(&["a", "7"], &mac));
        assert!(!own.proves(&["a", "8"], &mac));
        assert!(!seal("0123456789abcdef", "other").proves(&["a", "7"], &mac));
        assert!(!seal("fedcba9876543210", "keeper").proves(&["a", "7"], &mac));
        assert!(!own.proves(&["a", "7"], "?"));
    }

    #[test]
    fn a_code_with_any_byte_changed_opens_nothing() {
        let own = seal("0123456789abcdef", "keeper");
        let code = own.code(b"SP-1");
        assert_eq!(own.open(&code).as_deref(), Some(&b"SP-1"[..]));
        assert_eq!(seal("0123456789abcdef", "other").open(&code), None);
        for at in 0..code.len() {
            let mut changed = code.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("letters");
            assert_ne!(own.open(&changed).as_deref(), Some(&b"SP-1"[..]), "{at}");
        }
        for short in ["", "AA", &code[..12]] {
            assert_eq!(own.open(short), None, "{short}");
        }
    }

    #[test]
    fn numbers_come_back_as_they_were_put() {
        for number in [0, 1, 127, 128, 29_733_180, u64::from(u32::MAX)] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(take(&mut bytes.as_slice()), Some(number));
        }
        assert_eq!(take(&mut [0x80_u8].as_slice()), None);
    }

    #[test]
    fn a_base_has_a_scheme_and_a_host_and_is_short() {
        assert!(is_base("https://w.example.cn"));
        assert!(is_base("http://127.0.0.1:8080/x"));
        for wrong in ["w.example.cn", "https://", "https://a b", "ftp://a"] {
            assert!(!is_base(wrong), "{wrong}");
        }
        assert!(!is_base(&format!("https://{}", "a".repeat(60))));
    }
}
