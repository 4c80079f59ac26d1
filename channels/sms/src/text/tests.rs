//! Tests of segment counts, cuts and headers.

use proptest::prelude::*;

use super::*;

const GSM7: Coding = Coding {
    gsm7: true,
    ascii: false,
    wide: false,
    signature: Signature::Front,
};
const UCS2: Coding = Coding {
    gsm7: false,
    ..GSM7
};

fn segments(text: &str) -> u32 {
    encode(text, GSM7).segments()
}

#[test]
fn chinese_fits_seventy_characters_and_then_sixty_seven_a_part() {
    assert_eq!(segments(&"雨".repeat(70)), 1);
    assert_eq!(segments(&"雨".repeat(71)), 2);
    assert_eq!(segments(&"雨".repeat(134)), 2);
    assert_eq!(segments(&"雨".repeat(135)), 3);
    let one = encode("暴雨", GSM7);
    assert_eq!(one.alphabet, Alphabet::Ucs2);
    assert_eq!(one.parts, [[0x66, 0xB4, 0x96, 0xE8]]);
}

#[test]
fn the_default_alphabet_fits_one_hundred_and_sixty_and_then_one_hundred_and_fifty_three() {
    assert_eq!(segments(&"a".repeat(160)), 1);
    assert_eq!(segments(&"a".repeat(161)), 2);
    assert_eq!(segments(&"a".repeat(306)), 2);
    assert_eq!(segments(&"a".repeat(307)), 3);
    assert_eq!(segments(&"€".repeat(80)), 1);
    assert_eq!(segments(&"€".repeat(81)), 2);
    let packed = encode("a@[$", GSM7);
    assert_eq!(packed.alphabet, Alphabet::Gsm7);
    assert_eq!(packed.parts, [[b'a', 0, 0x1B, 0x3C, 2]]);
    let plain = encode("a", UCS2);
    assert_eq!(
        (plain.alphabet, plain.parts),
        (Alphabet::Ucs2, vec![vec![0, b'a']])
    );
    assert_eq!(segments(""), 1);
}

#[test]
fn a_reference_of_sixteen_bits_costs_room_in_every_part() {
    let wide = |text: &str, gsm7| {
        encode(
            text,
            Coding {
                gsm7,
                wide: true,
                ..GSM7
            },
        )
    };
    assert_eq!(wide(&"雨".repeat(70), false).segments(), 1);
    assert_eq!(wide(&"雨".repeat(132), false).segments(), 2);
    assert_eq!(wide(&"雨".repeat(133), false).segments(), 3);
    assert_eq!(wide(&"a".repeat(304), true).segments(), 2);
    assert_eq!(wide(&"a".repeat(305), true).segments(), 3);
}

#[test]
fn headers_have_exactly_these_bytes() {
    let long = |wide| encode(&"雨".repeat(71), Coding { wide, ..UCS2 });
    assert_eq!(
        long(false).header(0x1234, 2).bytes(),
        [0x05, 0x00, 0x03, 0x34, 2, 2]
    );
    assert_eq!(
        long(true).header(0x1234, 1).bytes(),
        [0x06, 0x08, 0x04, 0x12, 0x34, 2, 1]
    );
    assert!(encode("x", UCS2).header(0x1234, 1).bytes().is_empty());
    assert_eq!(part(&[5, 0, 3, 7, 3, 2, 0xAA]), Some(((2, 3), &[0xAA][..])));
    assert_eq!(part(&[6, 8, 4, 7, 7, 3, 2]), Some(((2, 3), &[][..])));
    assert_eq!(part(&[0x66, 0xB4]), None);
}

#[test]
fn ascii_goes_as_ascii_where_it_is_one_part_and_allowed() {
    let ascii = Coding {
        ascii: true,
        ..UCS2
    };
    assert_eq!(encode(&"a".repeat(159), ascii).alphabet, Alphabet::Ascii);
    assert_eq!(encode(&"a".repeat(160), ascii).alphabet, Alphabet::Ucs2);
    assert_eq!(encode("é", ascii).alphabet, Alphabet::Ucs2);
    assert_eq!(encode("a", UCS2).alphabet, Alphabet::Ucs2);
}

#[test]
fn a_signature_is_counted_wherever_it_stands() {
    let back = Coding {
        signature: Signature::Back,
        ..UCS2
    };
    let text = format!("【平武】{}", "雨".repeat(66));
    assert_eq!(
        (
            encode(&text, UCS2).segments(),
            encode(&text, back).segments()
        ),
        (1, 1)
    );
    let text = format!("{text}雨");
    assert_eq!(
        (
            encode(&text, UCS2).segments(),
            encode(&text, back).segments()
        ),
        (2, 2)
    );
    let last = encode(&text, back).parts.pop().unwrap();
    assert_eq!(
        last[last.len() - 2..],
        [0x30, 0x11],
        "it ends with the bracket"
    );
}

#[test]
fn accounts_with_different_far_ends_share_a_variant_and_not_its_encoding() {
    let variant = Variant::new("en", "t", "Flood");
    assert_eq!(prepared(&variant, GSM7).alphabet, Alphabet::Gsm7);
    assert_eq!(prepared(&variant, UCS2).alphabet, Alphabet::Ucs2);
    assert!(Arc::ptr_eq(
        &prepared(&variant, GSM7),
        &prepared(&variant, GSM7)
    ));
}

#[test]
fn an_accent_grave_alone_is_not_in_the_default_alphabet() {
    assert_eq!(encode("`", GSM7).alphabet, Alphabet::Ucs2);
    assert_eq!(encode("'", GSM7).alphabet, Alphabet::Gsm7);
}

#[test]
fn a_surrogate_pair_is_never_torn() {
    let text = format!("{}😀", "雨".repeat(66));
    let encoded = encode(&format!("{text}{}", "雨".repeat(10)), GSM7);
    assert_eq!(encoded.parts[0].len(), 132);
    assert_eq!(encoded.parts[1][..4], [0xD8, 0x3D, 0xDE, 0x00]);
}

proptest! {
    #[test]
    fn parts_joined_are_the_text_and_each_part_stands_alone(
        text in "[a-z雨😀€é]{0,400}", gsm7 in any::<bool>(), wide in any::<bool>(),
    ) {
        let encoded = encode(&text, Coding { gsm7, wide, ..GSM7 });
        let limit = match (encoded.alphabet, encoded.is_long(), wide) {
            (Alphabet::Gsm7, false, _) => 160,
            (Alphabet::Gsm7, true, false) => 153,
            (Alphabet::Gsm7, true, true) => 152,
            (_, false, _) => 140,
            (_, true, false) => 134,
            (_, true, true) => 133,
        };
        let mut joined = String::new();
        for part in &encoded.parts {
            prop_assert!(part.len() <= limit);
            if encoded.alphabet == Alphabet::Ucs2 {
                let units: Vec<u16> =
                    part.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                joined.push_str(&String::from_utf16(&units).expect("no pair is torn"));
            } else {
                prop_assert_ne!(part.last(), Some(&0x1B));
            }
        }
        if encoded.alphabet == Alphabet::Ucs2 {
            prop_assert_eq!(&joined, &text);
        }
    }
}
