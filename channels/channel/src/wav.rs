//! The head of a RIFF/WAVE file: what its samples are and where they lie. Pure, bounded by its input; what a pipe could
//! not know (the lengths in the head) is not believed. This module must not change a sample.

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WavError {
    #[error("it is no WAV file")]
    NotWave,
    #[error("its samples are not PCM of 8 or 16 bits")]
    NotPcm,
    #[error("its rate or its number of channels is outside 4,000 to 192,000 and 1 to 8")]
    Unusual,
    #[error("it holds no samples")]
    Empty,
}

/// PCM as it lies in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wav<'a> {
    pub channels: u16,
    pub rate: u32,
    /// 8 or 16.
    pub bits: u16,
    pub samples: &'a [u8],
}

const HEAD: u32 = 36;

impl<'a> Wav<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, WavError> {
        if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(WavError::NotWave);
        }
        let mut rest = &bytes[12..];
        let mut format = None;
        while let Some((head, body)) = rest.split_at_checked(8) {
            let length = usize::try_from(u32_at(head, 4)).unwrap_or(usize::MAX);
            let chunk = &body[..length.min(body.len())];
            match &head[..4] {
                b"fmt " => format = Some(read_format(chunk)?),
                b"data" => {
                    let (channels, rate, bits) = format.ok_or(WavError::NotWave)?;
                    return Ok(Self {
                        channels,
                        rate,
                        bits,
                        samples: chunk,
                    });
                }
                _ => {}
            }
            // Chunks lie on even places.
            rest = body.get(length.saturating_add(length % 2)..).unwrap_or(&[]);
        }
        Err(WavError::Empty)
    }

    /// Of one moment on all channels.
    fn frame(&self) -> u16 {
        self.channels * (self.bits / 8)
    }

    pub fn millis(&self) -> u64 {
        let frames = self.samples.len() as u64 / u64::from(self.frame().max(1));
        frames * 1000 / u64::from(self.rate.max(1))
    }

    /// The same samples under a head that tells their length.
    pub fn file(&self) -> Vec<u8> {
        let frame = u32::from(self.frame());
        let whole = self.samples.len() - self.samples.len() % usize::from(self.frame().max(1));
        let samples = &self.samples[..whole];
        let length = u32::try_from(samples.len()).unwrap_or(u32::MAX - HEAD);
        let mut out = Vec::with_capacity(samples.len() + 44);
        out.extend_from_slice(b"RIFF");
        out.extend_from_slice(&(length + HEAD).to_le_bytes());
        out.extend_from_slice(b"WAVEfmt ");
        out.extend_from_slice(&16_u32.to_le_bytes());
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&self.channels.to_le_bytes());
        out.extend_from_slice(&self.rate.to_le_bytes());
        out.extend_from_slice(&(self.rate * frame).to_le_bytes());
        out.extend_from_slice(&self.frame().to_le_bytes());
        out.extend_from_slice(&self.bits.to_le_bytes());
        out.extend_from_slice(b"data");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(samples);
        out
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn read_format(chunk: &[u8]) -> Result<(u16, u32, u16), WavError> {
    if chunk.len() < 16 {
        return Err(WavError::NotWave);
    }
    let (tag, channels, rate, bits) = (
        u16_at(chunk, 0),
        u16_at(chunk, 2),
        u32_at(chunk, 4),
        u16_at(chunk, 14),
    );
    // 0xFFFE keeps the true tag in its extension; PCM of 16 bits is by far the commonest there.
    if !(tag == 1 || tag == 0xFFFE) || !(bits == 8 || bits == 16) {
        return Err(WavError::NotPcm);
    }
    if !(1..=8).contains(&channels) || !(4_000..=192_000).contains(&rate) {
        return Err(WavError::Unusual);
    }
    Ok((channels, rate, bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_from_a_pipe_gets_the_length_that_it_has() {
        let samples = vec![1; 22_050 * 2];
        let wav = Wav {
            channels: 1,
            rate: 22_050,
            bits: 16,
            samples: &samples,
        };
        let mut piped = wav.file();
        piped[40..44].copy_from_slice(&0x7FFF_F000_u32.to_le_bytes());
        let read = Wav::open(&piped).expect("a file");
        assert_eq!((read, read.millis()), (wav, 1000));
        assert_eq!(read.file(), wav.file());
        assert_eq!(read.file().len(), 44 + samples.len());
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..60) {
            let wav = Wav { channels: 2, rate: 8_000, bits: 8, samples: &[1, 2, 3, 4, 5] };
            let mut file = wav.file();
            file.truncate(cut);
            file.extend_from_slice(&bytes);
            if let Ok(read) = Wav::open(&file) {
                prop_assert!(read.file().len() <= file.len() + 44);
                let _ = read.millis();
            }
            let _ = Wav::open(&bytes);
        }
    }
}
