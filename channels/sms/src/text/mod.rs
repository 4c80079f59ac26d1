//! From a text to the parts that travel: a single-byte alphabet where it suffices and the far end has it, UCS-2 otherwise,
//! cut so that no character is torn. This module must not know who gets the text: the part header's reference is put
//! in later.

mod gsm7;
pub mod read;
pub mod signature;

use std::sync::Arc;

use channel::Variant;
use parking_lot::Mutex;

pub use signature::Signature;

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alphabet {
    /// The GSM default alphabet, one octet a septet.
    Gsm7,
    Ascii,
    Ucs2,
}

/// What an account's far end can be given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Coding {
    /// Its default alphabet is GSM 7-bit and may be used.
    pub gsm7: bool,
    /// Texts of one part may go as plain ASCII.
    pub ascii: bool,
    /// Parts are joined by a 16-bit reference, not by one of 8 bits.
    pub wide: bool,
    pub signature: Signature,
}

/// Parts of one text, encoded once and shared by all its deliveries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    pub alphabet: Alphabet,
    /// The header has a 16-bit reference.
    pub wide: bool,
    /// User data without the concatenation header.
    pub parts: Vec<Vec<u8>>,
}

impl Encoded {
    pub fn segments(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    /// More than one part: each goes with a header, and the far end is told so.
    pub fn is_long(&self) -> bool {
        self.parts.len() > 1
    }

    /// The concatenation header of a part; empty where the text is one part.
    pub fn header(&self, reference: u16, number: u8) -> Header {
        let total = u8::try_from(self.parts.len()).unwrap_or(u8::MAX);
        let [high, low] = reference.to_be_bytes();
        match (self.is_long(), self.wide) {
            (false, _) => Header {
                bytes: [0; 7],
                length: 0,
            },
            (true, false) => Header {
                bytes: [0x05, 0x00, 0x03, low, total, number, 0],
                length: 6,
            },
            (true, true) => Header {
                bytes: [0x06, 0x08, 0x04, high, low, total, number],
                length: 7,
            },
        }
    }
}

/// `05 00 03 reference total number`, or `06 08 04 reference reference total number`.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; 7],
    length: u8,
}

impl Header {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Which part of how many the header at the start of user data says, and what stands behind it.
pub fn part(data: &[u8]) -> Option<((u8, u8), &[u8])> {
    match data {
        [0x05, 0x00, 0x03, _, total, number, text @ ..]
        | [0x06, 0x08, 0x04, _, _, total, number, text @ ..] => Some(((*number, *total), text)),
        _ => None,
    }
}

/// A text in each coding that its accounts asked for: accounts of one kind share a variant, and not their far ends.
type Shelf = Arc<Mutex<Vec<(Coding, Arc<Encoded>)>>>;

/// The variant's text in this coding, made once.
pub fn prepared(variant: &Variant, coding: Coding) -> Arc<Encoded> {
    let shelf: Shelf = variant.prepared(|_| Shelf::default());
    let mut shelf = shelf.lock();
    if let Some((_, made)) = shelf.iter().find(|(known, _)| *known == coding) {
        return made.clone();
    }
    let made = Arc::new(encode(&variant.text, coding));
    shelf.push((coding, made.clone()));
    made
}

/// The longest text that goes as ASCII: CMPP wants fewer than 160 octets, and says nothing of long ones.
const ASCII: usize = 159;

/// The parts of a text, its signature where the account wants it.
pub fn encode(text: &str, coding: Coding) -> Encoded {
    let text = coding.signature.place(text);
    let wide = coding.wide;
    if coding.gsm7
        && let Some(units) = text.chars().map(gsm7::unit).collect::<Option<Vec<_>>>()
    {
        let part = if wide { 152 } else { 153 };
        let parts = cut(&units, 160, part);
        return Encoded {
            alphabet: Alphabet::Gsm7,
            wide,
            parts,
        };
    }
    if coding.ascii
        && text.len() <= ASCII
        && text
            .bytes()
            .all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r'))
    {
        let parts = vec![text.as_bytes().to_vec()];
        return Encoded {
            alphabet: Alphabet::Ascii,
            wide,
            parts,
        };
    }
    let units: Vec<Unit> = text.chars().map(utf16).collect();
    // A header of seven octets leaves an odd number, of which the last is of no use.
    let part = if wide { 132 } else { 134 };
    Encoded {
        alphabet: Alphabet::Ucs2,
        wide,
        parts: cut(&units, 140, part),
    }
}

/// The bytes of one character, which stay together.
#[derive(Clone, Copy)]
struct Unit {
    bytes: [u8; 4],
    length: u8,
}

impl Unit {
    fn of(from: &[u8]) -> Self {
        let mut bytes = [0; 4];
        let length = from.len().min(bytes.len());
        bytes[..length].copy_from_slice(&from[..length]);
        Self {
            bytes,
            length: u8::try_from(length).unwrap_or(0),
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

fn cut(units: &[Unit], single: usize, part: usize) -> Vec<Vec<u8>> {
    let total: usize = units.iter().map(|unit| usize::from(unit.length)).sum();
    let limit = if total <= single { single } else { part };
    let mut parts = vec![Vec::with_capacity(total.min(limit))];
    for unit in units {
        let full = parts
            .last()
            .is_some_and(|last| last.len() + unit.bytes().len() > limit);
        if full {
            parts.push(Vec::with_capacity(limit));
        }
        if let Some(last) = parts.last_mut() {
            last.extend_from_slice(unit.bytes());
        }
    }
    parts
}

fn utf16(character: char) -> Unit {
    let mut buffer = [0; 2];
    let mut bytes = [0; 4];
    let codes = character.encode_utf16(&mut buffer);
    for (place, code) in bytes.chunks_exact_mut(2).zip(codes.iter()) {
        place.copy_from_slice(&code.to_be_bytes());
    }
    Unit::of(&bytes[..codes.len() * 2])
}

#[cfg(test)]
mod tests;
