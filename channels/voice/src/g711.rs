//! The two codecs that every telephone speaks: one byte a sample, 8,000 samples a second (ITU-T G.711). Pure; this
//! module must not know where samples come from.

use std::ops::Neg;

/// Samples in a second.
pub const RATE: u32 = 8_000;
/// Samples of one packet: 20 ms.
pub const FRAME: usize = 160;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// Europe and China.
    Alaw,
    /// North America and Japan.
    Ulaw,
}

impl Codec {
    /// Its number in RTP, fixed by RFC 3551.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Ulaw => 0,
            Self::Alaw => 8,
        }
    }

    pub const fn of(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Ulaw),
            8 => Some(Self::Alaw),
            _ => None,
        }
    }

    /// A sample of nothing.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Ulaw => 0xFF,
            Self::Alaw => 0xD5,
        }
    }

    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Alaw => alaw(sample),
            Self::Ulaw => ulaw(sample),
        }
    }

    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Alaw => from_alaw(byte),
            Self::Ulaw => from_ulaw(byte),
        }
    }
}

/// The lowest byte of what fits in it.
fn byte(value: u32) -> u8 {
    u8::try_from(value & 0xFF).expect("masked to a byte")
}

fn alaw(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 {
        (0x55, !sample)
    } else {
        (0xD5, sample)
    };
    let magnitude = u32::from(magnitude.unsigned_abs()) >> 3;
    let segment = magnitude.checked_ilog2().map_or(0, |n| n.saturating_sub(4));
    let low = (magnitude >> segment.max(1)) & 0xF;
    byte(segment << 4 | low) ^ sign
}

fn from_alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, low) = ((code >> 4) & 7, i16::from(code & 0xF) << 4);
    let magnitude = match segment {
        0 => low + 8,
        _ => (low + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 {
        magnitude.neg()
    } else {
        magnitude
    }
}

/// What is added before a magnitude's segment is looked for.
const BIAS: u16 = 132;

fn ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = u32::from(sample.unsigned_abs().min(32_635) + BIAS);
    let segment = magnitude.ilog2() - 7;
    let low = (magnitude >> (segment + 3)) & 0xF;
    !byte(sign | segment << 4 | low)
}

fn from_ulaw(code: u8) -> i16 {
    let code = !code;
    let (segment, low) = ((code >> 4) & 7, u16::from(code & 0xF) << 3);
    let magnitude = i16::try_from(((low + BIAS) << segment) - BIAS).unwrap_or(i16::MAX);
    if code & 0x80 == 0 {
        magnitude
    } else {
        magnitude.neg()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_samples_have_the_standards_bytes() {
        // From the tables of G.711: zero, the smallest steps, and both ends.
        for (sample, a, u) in [
            (0, 0xD5, 0xFF),
            (-8, 0x55, 0x7E),
            (8, 0xD5, 0xFE),
            (1_000, 0xFA, 0xCE),
            (-1_000, 0x7A, 0x4E),
            (i16::MAX, 0xAA, 0x80),
            (i16::MIN, 0x2A, 0x00),
        ] {
            assert_eq!(
                (Codec::Alaw.encode(sample), Codec::Ulaw.encode(sample)),
                (a, u),
                "{sample}"
            );
        }
    }

    #[test]
    fn silence_is_the_code_of_zero() {
        for codec in [Codec::Alaw, Codec::Ulaw] {
            assert_eq!(codec.encode(0), codec.silence());
            assert!(codec.decode(codec.silence()).abs() <= 8);
        }
    }

    proptest! {
        #[test]
        fn a_byte_survives_decoding_and_encoding(code: u8) {
            prop_assert_eq!(Codec::Alaw.encode(Codec::Alaw.decode(code)), code);
            // µ-law has two zeros; the negative one becomes the other.
            let expected = if code == 0x7F { 0xFF } else { code };
            prop_assert_eq!(Codec::Ulaw.encode(Codec::Ulaw.decode(code)), expected);
        }

        #[test]
        fn a_sample_comes_back_within_a_sixteenth(sample: i16) {
            for codec in [Codec::Alaw, Codec::Ulaw] {
                let back = i32::from(codec.decode(codec.encode(sample)));
                let off = (back - i32::from(sample)).abs();
                prop_assert!(off <= 16 + i32::from(sample).abs() / 16, "{codec:?} {sample} {back}");
            }
        }
    }
}
