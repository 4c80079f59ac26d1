//! Numbers of any width, the highest bit first. This module must not know what they mean.

#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    /// Bits of the last byte that are taken.
    taken: u32,
}

impl Writer {
    /// The lowest `width` bits of a value.
    pub fn put(&mut self, value: u64, width: u32) {
        for place in (0..width).rev() {
            if self.taken.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> place & 1 == 1) << (7 - self.taken % 8);
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit;
            }
            self.taken = (self.taken + 1) % 8;
        }
    }

    /// Whole bytes; what is left of the last is zero.
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next value, where there are so many bits.
    pub fn take(&mut self, width: u32) -> Option<u64> {
        let mut value = 0;
        for _ in 0..width {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// The bytes behind the one that was read last; the bits between must be zero.
    pub fn rest(mut self) -> Option<&'a [u8]> {
        let left = u32::try_from(self.at.wrapping_neg() % 8).unwrap_or(0);
        (self.take(left)? == 0).then_some(())?;
        self.bytes.get(self.at / 8..)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_is_taken(values in proptest::collection::vec((any::<u64>(), 1_u32..64), 0..20)) {
            let mut writer = Writer::default();
            for (value, width) in &values {
                writer.put(*value, *width);
            }
            let bytes = writer.bytes();
            let mut reader = Reader::new(&bytes);
            for (value, width) in &values {
                prop_assert_eq!(reader.take(*width), Some(value & ((1 << width) - 1)));
            }
            prop_assert_eq!(reader.rest(), Some(&[][..]));
        }
    }
}
