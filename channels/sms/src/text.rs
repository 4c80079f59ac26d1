//! From a text to the parts that travel: the GSM 7-bit default alphabet where it suffices, UCS-2 otherwise, cut so that
//! no character is torn. This module must not know who gets the text: the part header's reference is put in later.

/// Parts of one text, encoded once and shared by all its deliveries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// 0x00 for the default alphabet, 0x08 for UCS-2.
    pub data_coding: u8,
    /// User data without the concatenation header.
    pub parts: Vec<Vec<u8>>,
}

impl Encoded {
    pub fn segments(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    /// More than one part: each goes with a header, and `esm_class` says so.
    pub fn is_long(&self) -> bool {
        self.parts.len() > 1
    }
}

/// The concatenation header: `05 00 03 reference total number`.
pub const fn part_header(reference: u8, total: u8, number: u8) -> [u8; 6] {
    [0x05, 0x00, 0x03, reference, total, number]
}

/// How many SMS this text costs where the default alphabet may be used.
pub fn segments(text: &str) -> u32 {
    encode(text, true).segments()
}

/// `gsm7` says whether the far end's default alphabet is GSM 7-bit and may be used.
pub fn encode(text: &str, gsm7: bool) -> Encoded {
    if gsm7 && let Some(units) = text.chars().map(septets).collect::<Option<Vec<_>>>() {
        return Encoded {
            data_coding: 0x00,
            parts: cut(&units, 160, 153),
        };
    }
    let units: Vec<Unit> = text.chars().map(utf16).collect();
    Encoded {
        data_coding: 0x08,
        parts: cut(&units, 140, 134),
    }
}

/// The bytes of one character, which stay together.
#[derive(Clone, Copy)]
struct Unit {
    bytes: [u8; 4],
    length: u8,
}

impl Unit {
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
    let mut unit = Unit {
        bytes: [0; 4],
        length: 0,
    };
    for code in character.encode_utf16(&mut buffer) {
        let at = usize::from(unit.length);
        unit.bytes[at..at + 2].copy_from_slice(&code.to_be_bytes());
        unit.length += 2;
    }
    unit
}

/// One octet a septet, as SMPP carries the default alphabet.
fn septets(character: char) -> Option<Unit> {
    if let Some(code) = basic(character) {
        return Some(Unit {
            bytes: [code, 0, 0, 0],
            length: 1,
        });
    }
    let code = match character {
        '\u{c}' => 0x0A,
        '^' => 0x14,
        '{' => 0x28,
        '}' => 0x29,
        '\\' => 0x2F,
        '[' => 0x3C,
        '~' => 0x3D,
        ']' => 0x3E,
        '|' => 0x40,
        '€' => 0x65,
        _ => return None,
    };
    Some(Unit {
        bytes: [0x1B, code, 0, 0],
        length: 2,
    })
}

fn basic(character: char) -> Option<u8> {
    Some(match character {
        // These stand where ASCII has them.
        'A'..='Z' | 'a'..='z' | '0'..='9' | ' ' | '\n' | '\r' | '%'..='?' | '!' | '"' | '#' => {
            u8::try_from(u32::from(character)).ok()?
        }
        '@' => 0x00,
        '£' => 0x01,
        '$' => 0x02,
        '¥' => 0x03,
        'è' => 0x04,
        'é' => 0x05,
        'ù' => 0x06,
        'ì' => 0x07,
        'ò' => 0x08,
        'Ç' => 0x09,
        'Ø' => 0x0B,
        'ø' => 0x0C,
        'Å' => 0x0E,
        'å' => 0x0F,
        'Δ' => 0x10,
        '_' => 0x11,
        'Φ' => 0x12,
        'Γ' => 0x13,
        'Λ' => 0x14,
        'Ω' => 0x15,
        'Π' => 0x16,
        'Ψ' => 0x17,
        'Σ' => 0x18,
        'Θ' => 0x19,
        'Ξ' => 0x1A,
        'Æ' => 0x1C,
        'æ' => 0x1D,
        'ß' => 0x1E,
        'É' => 0x1F,
        '¤' => 0x24,
        '¡' => 0x40,
        'Ä' => 0x5B,
        'Ö' => 0x5C,
        'Ñ' => 0x5D,
        'Ü' => 0x5E,
        '§' => 0x5F,
        '¿' => 0x60,
        'ä' => 0x7B,
        'ö' => 0x7C,
        'ñ' => 0x7D,
        'ü' => 0x7E,
        'à' => 0x7F,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn chinese_fits_seventy_characters_and_then_sixty_seven_a_part() {
        assert_eq!(segments(&"雨".repeat(70)), 1);
        assert_eq!(segments(&"雨".repeat(71)), 2);
        assert_eq!(segments(&"雨".repeat(134)), 2);
        assert_eq!(segments(&"雨".repeat(135)), 3);
        assert_eq!(
            encode("暴雨", true),
            Encoded {
                data_coding: 8,
                parts: vec![vec![0x66, 0xB4, 0x96, 0xE8]]
            }
        );
    }

    #[test]
    fn the_default_alphabet_fits_one_hundred_and_sixty_and_then_one_hundred_and_fifty_three() {
        assert_eq!(segments(&"a".repeat(160)), 1);
        assert_eq!(segments(&"a".repeat(161)), 2);
        assert_eq!(segments(&"a".repeat(306)), 2);
        assert_eq!(segments(&"a".repeat(307)), 3);
        assert_eq!(segments(&"€".repeat(80)), 1);
        assert_eq!(segments(&"€".repeat(81)), 2);
        assert_eq!(
            encode("a@[$", true),
            Encoded {
                data_coding: 0,
                parts: vec![vec![b'a', 0, 0x1B, 0x3C, 2]]
            }
        );
        assert_eq!(
            encode("a", false),
            Encoded {
                data_coding: 8,
                parts: vec![vec![0, b'a']]
            }
        );
        assert_eq!(segments(""), 1);
    }

    #[test]
    fn an_accent_grave_alone_is_not_in_the_default_alphabet() {
        assert_eq!(encode("`", true).data_coding, 8);
        assert_eq!(encode("'", true).data_coding, 0);
    }

    #[test]
    fn a_surrogate_pair_is_never_torn() {
        let text = format!("{}😀", "雨".repeat(66));
        let encoded = encode(&format!("{text}{}", "雨".repeat(10)), true);
        assert_eq!(encoded.parts[0].len(), 132);
        assert_eq!(encoded.parts[1][..4], [0xD8, 0x3D, 0xDE, 0x00]);
    }

    proptest! {
        #[test]
        fn parts_joined_are_the_text_and_each_part_stands_alone(text in "[a-z雨😀€é]{0,400}") {
            for gsm7 in [true, false] {
                let encoded = encode(&text, gsm7);
                let limit = match (encoded.data_coding, encoded.is_long()) {
                    (0, false) => 160,
                    (0, true) => 153,
                    (_, false) => 140,
                    (_, true) => 134,
                };
                let mut joined = String::new();
                for part in &encoded.parts {
                    prop_assert!(part.len() <= limit);
                    if encoded.data_coding == 8 {
                        let units: Vec<u16> =
                            part.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                        joined.push_str(&String::from_utf16(&units).expect("no pair is torn"));
                    } else {
                        prop_assert_ne!(part.last(), Some(&0x1B));
                    }
                }
                if encoded.data_coding == 8 {
                    prop_assert_eq!(&joined, &text);
                }
            }
        }
    }
}
