//! Speech as files hold it: PCM in RIFF/WAVE, read into 8,000 mono samples a second and written so. Pure and bounded by
//! its input; this module must not read a file or run a command.

use crate::g711::RATE;

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

struct Format {
    channels: usize,
    rate: u32,
    bits: u16,
}

/// Mono samples at 8,000 a second. What a pipe could not know (the length in the head) is not believed.
pub fn read(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
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
            b"data" => return samples(chunk, &format.ok_or(WavError::NotWave)?),
            _ => {}
        }
        // Chunks lie on even places.
        rest = body.get(length.saturating_add(length % 2)..).unwrap_or(&[]);
    }
    Err(WavError::Empty)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn read_format(chunk: &[u8]) -> Result<Format, WavError> {
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
    Ok(Format {
        channels: channels.into(),
        rate,
        bits,
    })
}

fn samples(data: &[u8], format: &Format) -> Result<Vec<i16>, WavError> {
    let width = usize::from(format.bits / 8);
    let one = |bytes: &[u8]| match bytes {
        [low, high] => i32::from(i16::from_le_bytes([*low, *high])),
        [byte] => (i32::from(*byte) - 128) << 8,
        _ => 0,
    };
    let count = i32::try_from(format.channels).unwrap_or(1);
    let mono: Vec<i16> = data
        .chunks_exact(width * format.channels)
        .map(|frame| narrow(frame.chunks_exact(width).map(one).sum::<i32>() / count))
        .collect();
    // Fewer than make one of ours are none.
    let ours = resampled(&mono, format.rate);
    if ours.is_empty() {
        return Err(WavError::Empty);
    }
    Ok(ours)
}

fn narrow(value: i32) -> i16 {
    i16::try_from(value.clamp(i16::MIN.into(), i16::MAX.into())).expect("clamped to its range")
}

/// Each new sample is the mean of what it covers of the old ones: a low-pass and a change of rate in one.
fn resampled(mono: &[i16], from: u32) -> Vec<i16> {
    if from == RATE {
        return mono.to_vec();
    }
    // Both in units of one old sample over RATE: a new sample covers `from` units, an old one RATE.
    let (new, old) = (u64::from(from), u64::from(RATE));
    let total = mono.len() as u64 * old / new;
    let covered = |index: u64| {
        let (start, end) = (index * new, (index + 1) * new);
        let mut sum = 0_i64;
        let mut at = start;
        while at < end {
            let place = at / old;
            let until = ((place + 1) * old).min(end);
            let sample = usize::try_from(place).ok().and_then(|n| mono.get(n));
            let weight = i64::try_from(until - at).unwrap_or(0);
            sum += i64::from(sample.copied().unwrap_or(0)) * weight;
            at = until;
        }
        let mean = sum / i64::try_from(new).unwrap_or(1);
        narrow(i32::try_from(mean).unwrap_or(0))
    };
    (0..total).map(covered).collect()
}

/// 8,000 mono samples of 16 bits a second.
pub fn write(samples: &[i16]) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX - 36);
    let mut out = Vec::with_capacity(44 + samples.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(length + 36).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&RATE.to_le_bytes());
    out.extend_from_slice(&(RATE * 2).to_le_bytes());
    out.extend_from_slice(&[2, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&length.to_le_bytes());
    for sample in samples {
        out.extend_from_slice(&sample.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A head of another format before the same data.
    fn with_format(samples: &[u8], channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let mut out = write(&[]);
        out[22..24].copy_from_slice(&channels.to_le_bytes());
        out[24..28].copy_from_slice(&rate.to_le_bytes());
        out[34..36].copy_from_slice(&bits.to_le_bytes());
        // As a pipe writes it, that cannot go back to its head.
        out[40..44].copy_from_slice(&0x7FFF_F000_u32.to_le_bytes());
        out.extend_from_slice(samples);
        out
    }

    #[test]
    fn a_tone_keeps_its_length_and_its_pitch_when_the_rate_changes() {
        // A square wave of 441 Hz at 22,050: fifty samples a period, two crossings each.
        let wave: Vec<u8> = (0..22_050)
            .flat_map(|n| if n % 50 < 25 { 9_000_i16 } else { -9_000 }.to_le_bytes())
            .collect();
        let samples = read(&with_format(&wave, 1, 22_050, 16)).unwrap();
        assert_eq!(samples.len(), 8_000);
        let crossings = samples
            .windows(2)
            .filter(|pair| (pair[0] < 0) != (pair[1] < 0))
            .count();
        assert!((875..=885).contains(&crossings), "{crossings}");
        assert!(samples.iter().any(|s| *s > 8_900) && samples.iter().any(|s| *s < -8_900));
    }

    #[test]
    fn two_channels_become_their_mean_and_bytes_are_widened() {
        let both = [100_i16, 300, -500, -100].map(i16::to_le_bytes).concat();
        assert_eq!(read(&with_format(&both, 2, RATE, 16)).unwrap(), [200, -300]);
        assert_eq!(
            read(&with_format(&[128, 255, 0], 1, RATE, 8)).unwrap(),
            [0, 127 << 8, -32_768]
        );
    }

    #[test]
    fn what_is_no_speech_is_refused_with_its_reason() {
        assert_eq!(read(b""), Err(WavError::NotWave));
        assert_eq!(read(b"ID3\x04 an mp3 of sorts"), Err(WavError::NotWave));
        assert_eq!(read(&write(&[])), Err(WavError::Empty));
        let moment = with_format(&[128; 3], 1, 192_000, 8);
        assert_eq!(read(&moment), Err(WavError::Empty));
        assert_eq!(
            read(&with_format(&[0; 8], 1, RATE, 24)),
            Err(WavError::NotPcm)
        );
        assert_eq!(
            read(&with_format(&[0; 8], 9, RATE, 16)),
            Err(WavError::Unusual)
        );
        assert_eq!(
            read(&with_format(&[0; 8], 1, 1, 16)),
            Err(WavError::Unusual)
        );
    }

    proptest! {
        #[test]
        fn samples_survive_writing_and_reading(samples in prop::collection::vec(any::<i16>(), 1..500)) {
            prop_assert_eq!(read(&write(&samples)), Ok(samples));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..44) {
            let _ = read(&bytes);
            let mut file = write(&[1, 2, 3]);
            file.truncate(cut);
            file.extend_from_slice(&bytes);
            if let Ok(samples) = read(&file) {
                prop_assert!(samples.len() <= 2 * file.len());
            }
        }
    }
}
