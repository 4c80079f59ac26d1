//! Frames: head, body, signature block and CRC, found in a stream of bytes that may be torn anywhere and hold anything.
//! What is no frame is named and stepped over, and the next frame is found behind it. This module must not read bodies.

use super::bytes::crc;
use crate::signing::{VALUE as BLOCK, Value};

/// The longest body taken: far above any report, far below what a broken adapter could make us keep.
pub const MAX_BODY: usize = 64 * 1024;
const HEAD: usize = 9;
const VERSION: [u8; 2] = [0, 1];
/// Beside its body a frame has these: head, length of the block, block, CRC.
const AROUND: usize = HEAD + 2 + BLOCK + 4;

/// Who speaks to whom, as a frame's first byte has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Platform to adapter.
    Down,
    /// Adapter to platform.
    Up,
}

impl Way {
    pub const fn head(self) -> u8 {
        match self {
            Self::Down => 0x49,
            Self::Up => 0x50,
        }
    }

    const fn source(self) -> u8 {
        match self {
            Self::Down => 1,
            Self::Up => 2,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub way: Way,
    pub opcode: u8,
    /// 1 platform, 2 device: kept as it came.
    pub source: u8,
    pub body: Vec<u8>,
    /// When it was signed, with whose certificate, and the signature. All zero is unsigned.
    pub seal: Value,
}

impl Frame {
    pub const fn new(way: Way, opcode: u8, body: Vec<u8>) -> Self {
        Self {
            way,
            opcode,
            source: way.source(),
            body,
            seal: Value::NONE,
        }
    }

    /// What a signature speaks of: all before the block. In which order a device joins it with time and certificate is not
    /// known, so that is the signer's.
    pub fn covered(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(AROUND + self.body.len());
        out.push(self.way.head());
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(&[self.opcode, self.source]);
        let length = u32::try_from(self.body.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.body);
        out
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = self.covered();
        out.extend_from_slice(&[0, 74]);
        out.extend_from_slice(&self.seal.write());
        let crc = crc(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }
}

/// Bytes that are no frame. The stream goes on behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    #[error("{0} bytes belong to no frame")]
    Noise(usize),
    #[error("a frame of version {0:#06x}; this link speaks version 0x0001")]
    Version(u16),
    #[error("a frame announces a body of {0} bytes; 65536 are taken")]
    Oversized(u32),
    #[error("a frame's signature block has {0} bytes instead of 74")]
    Block(u16),
    #[error("a frame's CRC is wrong")]
    Crc,
    #[error("a frame did not come to its end in time")]
    Unfinished,
}

impl Broken {
    /// As it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noise(_) => "noise",
            Self::Version(_) => "version",
            Self::Oversized(_) => "oversized",
            Self::Block(_) => "signature-block",
            Self::Crc => "crc",
            Self::Unfinished => "unfinished",
        }
    }
}

/// Takes bytes as they come and gives frames of one layout.
pub struct Frames<L = Way> {
    layout: L,
    buffer: Vec<u8>,
    /// Bytes at the start of the buffer that are done with.
    at: usize,
    /// Bytes stepped over that nothing was told of yet.
    lost: usize,
    /// A broken frame was told, and none has come since: what is stepped over belongs to it.
    told: bool,
}

/// What stands at the start of some bytes.
pub enum Look {
    /// More bytes must come.
    Wait,
    Whole(usize),
    Not(Broken),
}

/// How frames of one kind are told from whatever else comes.
pub trait Layout {
    type Frame;
    /// Of bytes that are not empty.
    fn look(&self, rest: &[u8]) -> Look;
    /// Reads what was found to be whole.
    fn read(&self, whole: &[u8]) -> Self::Frame;
}

impl<L: Layout> Frames<L> {
    pub const fn new(layout: L) -> Self {
        Self {
            layout,
            buffer: Vec::new(),
            at: 0,
            lost: 0,
            told: false,
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// A frame has begun and waits for its end.
    pub fn is_waiting(&self) -> bool {
        self.at < self.buffer.len()
    }

    /// The frame that has begun does not come to its end: what follows its first byte is looked at again.
    pub fn give_up(&mut self) -> Option<Broken> {
        if !self.is_waiting() {
            return None;
        }
        self.at += 1;
        self.told = true;
        Some(Broken::Unfinished)
    }

    /// The next frame, or what stands in its place; nothing where more bytes must come.
    pub fn take(&mut self) -> Option<Result<L::Frame, Broken>> {
        loop {
            let rest = &self.buffer[self.at..];
            let look = if rest.is_empty() {
                Look::Wait
            } else {
                self.layout.look(rest)
            };
            match look {
                Look::Wait if self.is_waiting() => return None,
                Look::Wait => return self.noise().map(Err),
                Look::Whole(_) if self.lost > 0 => return self.noise().map(Err),
                Look::Whole(length) => {
                    let frame = self.layout.read(&rest[..length]);
                    self.at += length;
                    self.told = false;
                    return Some(Ok(frame));
                }
                Look::Not(why) => {
                    // Where a frame should stand its fault is named; behind one, most of what looks like a frame is none.
                    let stands = self.lost == 0 && !self.told;
                    let named =
                        matches!(why, Broken::Crc) || (stands && !matches!(why, Broken::Noise(_)));
                    self.at += 1;
                    if named {
                        self.told = true;
                        return Some(Err(why));
                    }
                    self.lost += usize::from(!self.told);
                }
            }
        }
    }

    fn noise(&mut self) -> Option<Broken> {
        let lost = std::mem::take(&mut self.lost);
        (lost > 0).then_some(Broken::Noise(lost))
    }
}

impl Layout for Way {
    type Frame = Frame;

    fn look(&self, rest: &[u8]) -> Look {
        if rest.first() != Some(&self.head()) {
            return Look::Not(Broken::Noise(1));
        }
        let Some(head) = rest.first_chunk::<HEAD>() else {
            return Look::Wait;
        };
        let [_, high, low, _, source, length @ ..] = *head;
        if [high, low] != VERSION {
            return Look::Not(Broken::Version(u16::from_be_bytes([high, low])));
        }
        if !matches!(source, 1 | 2) {
            return Look::Not(Broken::Noise(1));
        }
        let announced = u32::from_be_bytes(length);
        let body = usize::try_from(announced).unwrap_or(usize::MAX);
        if body > MAX_BODY {
            return Look::Not(Broken::Oversized(announced));
        }
        // Known as soon as it is there, so that a wrong length does not hold up what is behind.
        if let Some([high, low]) = rest.get(HEAD + body..HEAD + body + 2)
            && [*high, *low] != [0, 74]
        {
            return Look::Not(Broken::Block(u16::from_be_bytes([*high, *low])));
        }
        proved(rest, AROUND + body)
    }

    fn read(&self, whole: &[u8]) -> Frame {
        let length = whole.len();
        let block = Value::read(&whole[length - 4 - BLOCK..length - 4]);
        Frame {
            way: *self,
            opcode: whole[3],
            source: whole[4],
            body: whole[HEAD..length - 4 - BLOCK - 2].to_vec(),
            seal: block.unwrap_or(Value::NONE),
        }
    }
}

/// Whether a frame of this length is there with its CRC, which ends it.
pub fn proved(rest: &[u8], length: usize) -> Look {
    let Some(whole) = rest.get(..length) else {
        return Look::Wait;
    };
    let (covered, told) = whole.split_at(length - 4);
    if crc(covered).to_be_bytes() == *told {
        Look::Whole(length)
    } else {
        Look::Not(Broken::Crc)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(frames: &mut Frames) -> Vec<Result<Frame, Broken>> {
        std::iter::from_fn(|| frames.take()).collect()
    }

    fn of(bytes: &[u8]) -> Vec<Result<Frame, Broken>> {
        let mut frames = Frames::new(Way::Up);
        frames.push(bytes);
        all(&mut frames)
    }

    fn heartbeat() -> Frame {
        Frame::new(Way::Up, 0x20, b"\x0c heart".to_vec())
    }

    /// Whatever stands before a good frame, in one piece or byte by byte: the fault is told once and the frame is found.
    #[test]
    fn a_good_frame_is_found_behind_every_broken_one() {
        let good = heartbeat().write();
        let mut crc = good.clone();
        *crc.last_mut().unwrap() ^= 1;
        let mut version = good.clone();
        version[2] = 2;
        let mut block = good.clone();
        block[9 + 7 + 1] = 75;
        let mut oversized = good.clone();
        oversized[5..9].copy_from_slice(&0x0001_0001_u32.to_be_bytes());
        let cases = [
            (b"noise".to_vec(), Broken::Noise(5)),
            (crc, Broken::Crc),
            (version, Broken::Version(2)),
            (block, Broken::Block(75)),
            (oversized, Broken::Oversized(0x0001_0001)),
        ];
        for (broken, why) in cases {
            let stream = [&broken[..], &good, &good].concat();
            let wanted = [Err(why), Ok(heartbeat()), Ok(heartbeat())];
            assert_eq!(of(&stream), wanted, "{why}");
            let mut frames = Frames::new(Way::Up);
            let mut heard = Vec::new();
            for byte in stream {
                frames.push(&[byte]);
                heard.extend(all(&mut frames));
            }
            heard.retain(|one| !matches!(one, Err(Broken::Noise(_))));
            let kept = wanted
                .iter()
                .filter(|one| !matches!(one, Err(Broken::Noise(_))));
            assert_eq!(heard, kept.cloned().collect::<Vec<_>>(), "{why}");
        }
    }

    #[test]
    fn a_length_that_lies_holds_nothing_up_for_ever() {
        let good = heartbeat().write();
        let mut lies = good.clone();
        lies[5..9].copy_from_slice(&60_000_u32.to_be_bytes());
        let mut frames = Frames::new(Way::Up);
        frames.push(&[lies, good].concat());
        assert_eq!(frames.take(), None);
        assert_eq!(frames.give_up(), Some(Broken::Unfinished));
        assert_eq!(all(&mut frames), [Ok(heartbeat())]);
        assert_eq!(frames.give_up(), None);
    }

    #[test]
    fn the_other_ways_frames_are_noise() {
        let down = Frame::new(Way::Down, 0x04, vec![1]).write();
        assert_eq!(of(&down), [Err(Broken::Noise(down.len()))]);
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written_however_it_is_torn(
            opcode: u8, body in prop::collection::vec(any::<u8>(), 0..300), time: u32, mark: u8, cut in 1_usize..40,
        ) {
            let seal = Value { time, serial: [mark; 6], signed: [mark; 64] };
            let frame = Frame { seal, ..Frame::new(Way::Up, opcode, body) };
            let mut frames = Frames::new(Way::Up);
            let mut heard = Vec::new();
            for piece in frame.write().chunks(cut) {
                frames.push(piece);
                heard.extend(all(&mut frames));
            }
            prop_assert_eq!(heard, [Ok(frame)]);
        }

        #[test]
        fn whatever_comes_is_read_to_its_end_and_a_frame_is_written_as_it_came(
            bytes in prop::collection::vec(prop_oneof![Just(0x50), Just(0), Just(1), any::<u8>()], 0..400),
        ) {
            let mut frames = Frames::new(Way::Up);
            frames.push(&bytes);
            for frame in all(&mut frames).into_iter().flatten() {
                let written = frame.write();
                prop_assert!(bytes.windows(written.len()).any(|window| window == written));
            }
            while frames.give_up().is_some() {
                let _ = all(&mut frames);
            }
            prop_assert!(!frames.is_waiting());
        }

        #[test]
        fn no_changed_bit_passes(at in 0_usize..96, bit in 0_u8..8) {
            let mut bytes = heartbeat().write();
            bytes[at] ^= 1 << bit;
            prop_assert!(of(&bytes).iter().all(Result::is_err));
        }
    }
}
