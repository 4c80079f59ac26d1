//! Septets in octets, as 3GPP TS 23.038 section 6.1.2.1 packs them: the first in the lowest bits. This module must not
//! know characters.

/// How many septets a header of so many octets takes up: text begins at the next whole one.
pub const fn of_header(octets: usize) -> usize {
    (octets * 8).div_ceil(7)
}

/// The header, then the septets behind it.
pub fn pack(header: &[u8], septets: &[u8]) -> Vec<u8> {
    let first = of_header(header.len());
    let mut out = vec![0; ((first + septets.len()) * 7).div_ceil(8)];
    out[..header.len()].copy_from_slice(header);
    for (place, septet) in (first..).zip(septets) {
        let (octet, shift) = (place * 7 / 8, place * 7 % 8);
        let bits = u16::from(septet & 0x7F) << shift;
        let [high, low] = bits.to_be_bytes();
        out[octet] |= low;
        if high != 0 {
            out[octet + 1] |= high;
        }
    }
    out
}

/// The septets from the `first` up to `count`; those that the octets do not hold are left out.
pub fn unpack(octets: &[u8], first: usize, count: usize) -> Vec<u8> {
    let at = |octet: usize| u16::from(octets.get(octet).copied().unwrap_or(0));
    let held = octets.len() * 8 / 7;
    let whole = first..count.min(held);
    let septet = |place: usize| {
        let (octet, shift) = (place * 7 / 8, place * 7 % 8);
        let pair = at(octet + 1) << 8 | at(octet);
        u8::try_from(pair >> shift & 0x7F).unwrap_or(0)
    };
    whole.map(septet).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_septet_lies_in_the_lowest_bits() {
        assert_eq!(
            pack(&[], b"hellohello"),
            [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37]
        );
        assert_eq!(pack(&[5, 0, 3, 7, 2, 1], b"A").len(), 7);
        assert_eq!(pack(&[5, 0, 3, 7, 2, 1], b"A")[6], b'A' << 1);
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            septets in proptest::collection::vec(0_u8..128, 0..160), header in proptest::collection::vec(any::<u8>(), 0..12),
        ) {
            let packed = pack(&header, &septets);
            let first = of_header(header.len());
            prop_assert_eq!(unpack(&packed, first, first + septets.len()), septets);
            prop_assert_eq!(&packed[..header.len()], &header[..]);
        }

        #[test]
        fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..40), first in 0_usize..300, count in 0_usize..300) {
            prop_assert!(unpack(&octets, first, count).len() <= octets.len() * 8 / 7);
        }
    }
}
