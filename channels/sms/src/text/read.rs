//! What a handset wrote, from the bytes and the number that says how they are coded. This module must not fail: what
//! cannot be read is empty, and what is half readable is read by half.

use super::gsm7;

/// How the user data of a far end's text is coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// The GSM default alphabet, one octet a septet.
    Gsm7,
    Ascii,
    Latin1,
    Ucs2,
    Gbk,
    /// Binary, a picture, something reserved.
    Other,
}

/// The text, and nothing of a concatenation header before it where `header` says that there is one.
pub fn read(bytes: &[u8], script: Script, header: bool) -> String {
    let skip = if header {
        bytes.first().map_or(0, |length| usize::from(*length) + 1)
    } else {
        0
    };
    let bytes = bytes.get(skip..).unwrap_or_default();
    match script {
        Script::Gsm7 => gsm7::read(bytes),
        Script::Ascii | Script::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Script::Ucs2 => {
            let units = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units)
                .map(|read| read.unwrap_or('\u{FFFD}'))
                .collect()
        }
        Script::Gbk => encoding_rs::GBK
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
        Script::Other => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Alphabet, Coding, encode};

    #[test]
    fn every_script_is_read_and_a_header_is_left_out() {
        assert_eq!(read(&[b'a', 0, 0x1B, 0x65], Script::Gsm7, false), "a@€");
        assert_eq!(read(b"1", Script::Ascii, false), "1");
        assert_eq!(read(&[0xE9], Script::Latin1, false), "é");
        assert_eq!(read(&[0x65, 0x36, 0x52, 0x30], Script::Ucs2, false), "收到");
        assert_eq!(read(&[0xCA, 0xD5, 0xB5, 0xBD], Script::Gbk, false), "收到");
        let parted = [5, 0, 3, 9, 2, 1, 0x65, 0x36];
        assert_eq!(read(&parted, Script::Ucs2, true), "收");
        assert_eq!(read(&[200, 1], Script::Ucs2, true), "");
        assert_eq!(read(&[1, 2, 3], Script::Other, false), "");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_again(text in "[a-z雨😀€é\\[]{0,60}", gsm7 in any::<bool>()) {
            let coding = Coding { gsm7, ..Coding::default() };
            let encoded = encode(&text, coding);
            let script = match encoded.alphabet {
                Alphabet::Gsm7 => Script::Gsm7,
                Alphabet::Ascii => Script::Ascii,
                Alphabet::Ucs2 => Script::Ucs2,
            };
            let back: String = encoded.parts.iter().map(|part| read(part, script, false)).collect();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
            for script in [Script::Gsm7, Script::Latin1, Script::Ucs2, Script::Gbk, Script::Other] {
                let _ = read(&bytes, script, header);
            }
        }
    }
}
