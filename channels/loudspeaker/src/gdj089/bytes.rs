//! What bodies are made of: big-endian numbers, counted texts, and ids as packed decimal digits. These must not judge what
//! a value means.

use std::fmt;
use std::str::FromStr;

/// What a body lacks or has too much of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    #[error("ends before its {0}")]
    Short(&'static str),
    #[error("goes on for {0} bytes after its end")]
    Rest(usize),
    #[error("its {0} is not made of decimal digits")]
    Digits(&'static str),
    #[error("its {0} has the value {1}, which there is not")]
    Value(&'static str, u8),
}

pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// An id of so many bytes.
    pub fn id(&mut self, length: usize, what: &'static str) -> Result<Id, Malformed> {
        Id::read(self.take(length, what)?).ok_or(Malformed::Digits(what))
    }

    /// Bytes with their count in one byte before them.
    pub fn counted8(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.u8(what)?;
        self.take(length.into(), what)
    }

    pub fn counted16(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.u16(what)?;
        self.take(length.into(), what)
    }

    pub fn counted32(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.u32(what)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), what)
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), Malformed> {
        match self.0.len() {
            0 => Ok(()),
            more => Err(Malformed::Rest(more)),
        }
    }
}

/// A count as one byte; who writes has bounded it.
pub fn count8(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

pub fn put8(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = count8(bytes.len());
    out.push(length);
    out.extend_from_slice(&bytes[..length.into()]);
}

pub fn put16(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&bytes[..length.into()]);
}

pub fn put32(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Decimal digits, two a byte; an odd count is filled up with a leading `F`. A resource code of 23 digits takes 12 bytes
/// so, an id of a message of 35 takes 18.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Box<[u8]>);

impl Id {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let digit = |nibble: u8| nibble <= 9;
        let whole = bytes.iter().enumerate().all(|(at, byte)| {
            let high = byte >> 4;
            (digit(high) || (at == 0 && high == 0xF)) && digit(byte & 0xF)
        });
        whole.then(|| Self(bytes.into()))
    }

    /// So many bytes of nothing but 0.
    pub fn zero(length: usize) -> Self {
        Self(vec![0; length].into())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let odd = (text.len() % 2 == 1).then_some(0xF);
        let digits = text.bytes().map(|byte| byte.wrapping_sub(b'0'));
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let nibbles: Vec<u8> = odd.into_iter().chain(digits).collect();
        let bytes = nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
        Ok(Self(bytes.collect()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        for nibble in nibbles.filter(|nibble| *nibble <= 9) {
            write!(f, "{nibble}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// CRC-32/MPEG-2: both dialects end with it.
pub fn crc(bytes: &[u8]) -> u32 {
    let shift = |crc: u32, byte: &u8| {
        let at = (crc >> 24) ^ u32::from(*byte);
        (crc << 8) ^ TABLE[at as usize]
    };
    bytes.iter().fold(u32::MAX, shift)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at: u32 = 0;
    while at < 256 {
        let mut crc = at << 24;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 0x8000_0000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x04C1_1DB7;
            }
            bit += 1;
        }
        table[at as usize] = crc;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_crc_is_the_one_of_mpeg_2() {
        assert_eq!(crc(b"123456789"), 0x0376_E6E7);
    }

    #[test]
    fn an_id_of_an_odd_count_begins_with_f_and_no_letter_is_one() {
        let id: Id = "43415230000000314010201".parse().unwrap();
        assert_eq!(hex::encode(id.bytes()), "f43415230000000314010201");
        let old: Id = "010333112400000001".parse().unwrap();
        assert_eq!(old.bytes().len(), 9);
        assert!("4A".parse::<Id>().is_err() && "４".parse::<Id>().is_err());
        assert_eq!(Id::read(&[0x1F]), None);
        assert_eq!(Id::read(&[0x12, 0xF3]), None);
    }

    proptest! {
        #[test]
        fn an_id_is_read_as_it_was_written(digits in "[0-9]{1,40}") {
            let id: Id = digits.parse().unwrap();
            prop_assert_eq!(id.to_string(), digits);
            prop_assert_eq!(Id::read(id.bytes()), Some(id));
        }

        #[test]
        fn whatever_is_an_id_is_written_as_it_was_read(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Some(id) = Id::read(&bytes) {
                prop_assert_eq!(id.bytes(), &bytes[..]);
            }
        }
    }
}
