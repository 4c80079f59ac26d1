//! Speech as files hold it: PCM in RIFF/WAVE, read into 8,000 mono samples a second and written so. Pure and bounded by
//! its input; this module must not read a file or run a command.

use channel::wav::Wav;

use crate::g711::RATE;

pub use channel::wav::WavError;

/// Mono samples at 8,000 a second. What a pipe could not know (the length in the head) is not believed.
pub fn read(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
    samples(Wav::open(bytes)?)
}

fn samples(wav: Wav<'_>) -> Result<Vec<i16>, WavError> {
    let (width, channels) = (usize::from(wav.bits / 8), usize::from(wav.channels));
    let one = |bytes: &[u8]| match bytes {
        [low, high] => i32::from(i16::from_le_bytes([*low, *high])),
        [byte] => (i32::from(*byte) - 128) << 8,
        _ => 0,
    };
    let count = i32::from(wav.channels);
    let mono: Vec<i16> = wav
        .samples
        .chunks_exact(width * channels)
        .map(|frame| narrow(frame.chunks_exact(width).map(one).sum::<i32>() / count))
        .collect();
    // Fewer than make one of ours are none.
    let ours = resampled(&mono, wav.rate);
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
    let samples: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let wav = Wav {
        channels: 1,
        rate: RATE,
        bits: 16,
        samples: &samples,
    };
    wav.file()
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
