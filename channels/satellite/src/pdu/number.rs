//! Telephone numbers as semi-octets (3GPP TS 23.040 section 9.1.2.5). This module must not show one: `Debug` masks it.

use std::fmt;

use super::septets;

/// International where the far end or the registry says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Number {
    digits: String,
    international: bool,
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(masked)")
    }
}

const INTERNATIONAL: u8 = 0x91;
const UNKNOWN: u8 = 0x81;
/// The most digits that an address field holds.
const MOST: usize = 20;

impl Number {
    /// Three to twenty digits, `+` in front where it is international; spaces and hyphens are left out.
    pub fn parse(text: &str) -> Option<Self> {
        let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let (digits, international) = match bare.strip_prefix('+') {
            Some(digits) => (digits, true),
            None => (bare.as_str(), false),
        };
        let fits = (3..=MOST).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self {
            digits: digits.to_owned(),
            international,
        })
    }

    /// As it is dialled.
    pub fn text(&self) -> String {
        let plus = if self.international { "+" } else { "" };
        format!("{plus}{}", self.digits)
    }

    /// What two spellings of one number share: the last ten digits.
    pub fn tail(&self) -> &str {
        let from = self.digits.len().saturating_sub(10);
        self.digits.get(from..).unwrap_or(&self.digits)
    }

    const fn kind(&self) -> u8 {
        if self.international {
            INTERNATIONAL
        } else {
            UNKNOWN
        }
    }

    /// An address field of a TPDU: its length counts digits.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Of a name, what can be dialled of it.
        let digits: String = self.digits.chars().filter(char::is_ascii_digit).collect();
        out.push(u8::try_from(digits.len()).unwrap_or(0));
        out.push(self.kind());
        semi(&digits, out);
    }

    /// A centre's address: its length counts octets.
    pub fn write_centre(&self, out: &mut Vec<u8>) {
        let octets = 1 + self.digits.len().div_ceil(2);
        out.push(u8::try_from(octets).unwrap_or(0));
        out.push(self.kind());
        semi(&self.digits, out);
    }

    /// An address field and what stands behind it. One of letters is none that could be answered, and is empty.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let [length, kind, rest @ ..] = bytes else {
            return None;
        };
        let octets = usize::from(*length).div_ceil(2);
        let (field, rest) = rest.split_at_checked(octets)?;
        let mut digits = if *kind & 0x70 == 0x50 {
            letters(field, usize::from(*length))
        } else {
            unsemi(field)
        };
        digits.truncate(usize::from(*length));
        let international = *kind & 0x70 == 0x10;
        Some((
            Self {
                digits,
                international,
            },
            rest,
        ))
    }
}

/// A name instead of a number; letters and digits alone are kept of it.
fn letters(field: &[u8], semi_octets: usize) -> String {
    let septets = septets::unpack(field, 0, semi_octets * 4 / 7);
    let kept = septets.into_iter().filter(u8::is_ascii_alphanumeric);
    kept.map(char::from).collect()
}

/// Digits in pairs, the first in the lower half; an odd number is filled up.
pub fn semi(digits: &str, out: &mut Vec<u8>) {
    for pair in digits.as_bytes().chunks(2) {
        let low = pair[0] - b'0';
        let high = pair.get(1).map_or(0xF, |digit| digit - b'0');
        out.push(high << 4 | low);
    }
}

/// Up to the filling; `*` and `#` and their like are left out.
fn unsemi(field: &[u8]) -> String {
    let halves = field.iter().flat_map(|octet| [octet & 0xF, octet >> 4]);
    let digits = halves
        .take_while(|half| *half != 0xF)
        .filter(|half| *half < 10);
    digits.map(|half| char::from(b'0' + half)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Number::parse(text).unwrap().write(&mut out);
        out
    }

    #[test]
    fn a_number_is_written_in_pairs_and_read_back() {
        let bytes = written("+86138-0000 0000");
        assert_eq!(hex::encode(&bytes), "0d91683108000000f0");
        let (number, rest) = Number::read(&bytes).unwrap();
        assert_eq!((number.text().as_str(), rest), ("+8613800000000", &[][..]));
        assert_eq!(hex::encode(written("17400000001")), "0b817104000000f1");
        let mut centre = Vec::new();
        Number::parse("+8613800816500")
            .unwrap()
            .write_centre(&mut centre);
        assert_eq!(hex::encode(centre), "0891683108806105f0");
    }

    #[test]
    fn what_is_no_number_is_refused_and_none_is_shown() {
        for text in ["", "12", "+", "1234x", "123456789012345678901", "一二三"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert!(!format!("{:?}", Number::parse("17400000001")).contains("1740"));
        assert_eq!(Number::read(&[11, 0x81, 0x71]), None);
    }

    #[test]
    fn two_spellings_share_their_tail_and_a_name_is_read_as_one() {
        let tail = |text| Number::parse(text).unwrap().tail().to_owned();
        assert_eq!(tail("+8617400000001"), tail("17400000001"));
        // "SMS" in septets.
        let mut field = vec![6, 0xD0];
        field.extend(septets::pack(&[], b"SMS"));
        assert_eq!(Number::read(&field).unwrap().0.text(), "SMS");
    }
}
