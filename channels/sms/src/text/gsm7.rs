//! The GSM 7-bit default alphabet, one octet a septet, as SMPP carries it: to the wire and back. This module must not
//! know parts.

use super::Unit;

/// One character, its escape before it where it needs one.
pub(super) fn unit(character: char) -> Option<Unit> {
    if let Some(code) = basic(character) {
        return Some(Unit::of(&[code]));
    }
    let found = EXTENDED.iter().find(|(known, _)| *known == character);
    found.map(|(_, code)| Unit::of(&[ESCAPE, *code]))
}

/// What stands in these septets. An escape that means nothing is read as a space, as handsets do.
pub(super) fn read(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut rest = septets.iter().copied();
    while let Some(code) = rest.next() {
        text.push(if code == ESCAPE {
            let escaped = rest.next();
            let found = EXTENDED.iter().find(|(_, code)| Some(*code) == escaped);
            found.map_or(' ', |(character, _)| *character)
        } else {
            character(code)
        });
    }
    text
}

const ESCAPE: u8 = 0x1B;

const EXTENDED: [(char, u8); 10] = [
    ('\u{c}', 0x0A),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2F),
    ('[', 0x3C),
    ('~', 0x3D),
    (']', 0x3E),
    ('|', 0x40),
    ('€', 0x65),
];

/// Those that do not stand where ASCII has them.
const MOVED: [(char, u8); 42] = [
    ('@', 0x00),
    ('£', 0x01),
    ('$', 0x02),
    ('¥', 0x03),
    ('è', 0x04),
    ('é', 0x05),
    ('ù', 0x06),
    ('ì', 0x07),
    ('ò', 0x08),
    ('Ç', 0x09),
    ('Ø', 0x0B),
    ('ø', 0x0C),
    ('Å', 0x0E),
    ('å', 0x0F),
    ('Δ', 0x10),
    ('_', 0x11),
    ('Φ', 0x12),
    ('Γ', 0x13),
    ('Λ', 0x14),
    ('Ω', 0x15),
    ('Π', 0x16),
    ('Ψ', 0x17),
    ('Σ', 0x18),
    ('Θ', 0x19),
    ('Ξ', 0x1A),
    ('Æ', 0x1C),
    ('æ', 0x1D),
    ('ß', 0x1E),
    ('É', 0x1F),
    ('¤', 0x24),
    ('¡', 0x40),
    ('Ä', 0x5B),
    ('Ö', 0x5C),
    ('Ñ', 0x5D),
    ('Ü', 0x5E),
    ('§', 0x5F),
    ('¿', 0x60),
    ('ä', 0x7B),
    ('ö', 0x7C),
    ('ñ', 0x7D),
    ('ü', 0x7E),
    ('à', 0x7F),
];

const fn stays(code: u8) -> bool {
    matches!(code, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b' ' | b'\n' | b'\r' | b'%'..=b'?' | b'!' | b'"' | b'#')
}

fn basic(character: char) -> Option<u8> {
    match u8::try_from(character) {
        Ok(code) if stays(code) => Some(code),
        _ => {
            let found = MOVED.iter().find(|(known, _)| *known == character);
            found.map(|(_, code)| *code)
        }
    }
}

fn character(code: u8) -> char {
    if stays(code) {
        return char::from(code);
    }
    let found = MOVED.iter().find(|(_, known)| *known == code);
    found.map_or('\u{FFFD}', |(character, _)| *character)
}
