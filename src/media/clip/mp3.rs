//! MP3: frames of layer III one behind the other, with a tag before or behind them. Its length is the sum of its frames,
//! not what a head says. This module must not decode one.

/// A file that is mostly something else is no MP3.
const LEAST_FRAMES: u32 = 4;
const ID3: &[u8] = b"ID3";

/// Kilobits a second of layer III, by the head's four bits: MPEG 1, then 2 and 2.5.
const RATES: [[u32; 15]; 2] = [
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const SAMPLES: [u32; 3] = [44_100, 48_000, 32_000];

struct Frame {
    bytes: usize,
    samples: u32,
    rate: u32,
}

pub fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(ID3) || frame(bytes).is_some()
}

pub fn millis(bytes: &[u8]) -> Result<u64, &'static str> {
    let mut rest = behind_tag(bytes)?;
    let (mut frames, mut micros, mut rate) = (0_u32, 0_u64, None);
    while let Some(frame) = frame(rest) {
        if *rate.get_or_insert(frame.rate) != frame.rate {
            return Err("its rate changes in the midst of it; record it again");
        }
        let Some(next) = rest.get(frame.bytes..) else {
            // The last one may be cut off.
            rest = &[];
            break;
        };
        frames += 1;
        micros += u64::from(frame.samples) * 1_000_000 / u64::from(frame.rate);
        rest = next;
    }
    if frames < LEAST_FRAMES {
        return Err("it holds no frames of sound; record it again");
    }
    // A tag at the end has 128 bytes, or says what it is.
    let tag = rest.starts_with(b"TAG") && rest.len() == 128 || rest.starts_with(b"APETAGEX");
    if !tag && rest.iter().any(|byte| *byte != 0) {
        return Err("something else follows its frames; record it again");
    }
    Ok(micros / 1000)
}

/// Behind an `ID3v2` tag, whose length is told in seven bits a byte.
fn behind_tag(bytes: &[u8]) -> Result<&[u8], &'static str> {
    if !bytes.starts_with(ID3) {
        return Ok(bytes);
    }
    let head = bytes.get(6..10).ok_or("its tag is torn; record it again")?;
    let length = head
        .iter()
        .fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
    let rest = bytes.get(10 + length..);
    rest.ok_or("its tag is longer than the file; record it again")
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    let head = bytes.get(..4)?;
    let (version, layer) = (head[1] >> 3 & 3, head[1] >> 1 & 3);
    // Eleven bits of sync, a known version, layer III.
    if head[0] != 0xFF || head[1] & 0xE0 != 0xE0 || version == 1 || layer != 1 {
        return None;
    }
    let first = version == 3;
    let rates = &RATES[usize::from(!first)];
    let kilobits = *rates
        .get(usize::from(head[2] >> 4))
        .filter(|rate| **rate > 0)?;
    let rate = *SAMPLES.get(usize::from(head[2] >> 2 & 3))?;
    let rate = match version {
        3 => rate,
        2 => rate / 2,
        _ => rate / 4,
    };
    let samples = if first { 1152 } else { 576 };
    let padding = u32::from(head[2] >> 1 & 1);
    let bytes = samples / 8 * kilobits * 1000 / rate + padding;
    Some(Frame {
        bytes: usize::try_from(bytes).ok()?,
        samples,
        rate,
    })
}
