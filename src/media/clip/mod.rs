//! Whether some bytes are a sound that a controller can play, of which sort, and how long: told by their content and not
//! by their name. WAV, MP3 and M4A, as telephones record. Pure and bounded by its input; what a head claims is held against
//! the bytes that are there. This module must not decode a sample.

mod m4a;
mod mp3;
#[cfg(test)]
mod tests;

use std::time::Duration;

use channel::wav::{Wav, WavError};

use crate::ledger::recordings::Format;

/// No sound is larger, so that a whole village fetches it over a telephone's network.
pub const LARGEST: usize = 4 * 1024 * 1024;
/// Nobody listens longer to what is no warning's own text.
pub const LONGEST: Duration = Duration::from_mins(2);
const SHORTEST: Duration = Duration::from_millis(500);

/// Why some bytes are not taken. In both languages: an officer reads it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadSound {
    #[error("it is empty; record it again 文件为空，请重新录音")]
    Empty,
    #[error(
        "it has {0} bytes and at most {LARGEST} are taken; record it as MP3 or M4A, or in parts 文件过大"
    )]
    TooLarge(usize),
    #[error(
        "it is neither WAV, MP3 nor M4A by its content, whatever its name; record it in one of these 不是 WAV、MP3 或 M4A 录音"
    )]
    Unknown,
    #[error("as a WAV file: {0}; record it as PCM of 16 bits WAV 文件有误")]
    Wav(#[from] WavError),
    #[error("as an MP3 file: {0} MP3 文件有误")]
    Mp3(&'static str),
    #[error("as an M4A file: {0} M4A 文件有误")]
    M4a(&'static str),
    #[error("it lasts {0} s and at most {most} are taken; make it shorter 录音过长", most = LONGEST.as_secs())]
    TooLong(u64),
    #[error("it lasts less than half a second; record it again 录音过短")]
    TooShort,
}

/// What a file of sound is, and how many milliseconds it lasts.
pub fn examine(bytes: &[u8]) -> Result<(Format, u32), BadSound> {
    if bytes.is_empty() {
        return Err(BadSound::Empty);
    }
    if bytes.len() > LARGEST {
        return Err(BadSound::TooLarge(bytes.len()));
    }
    let (format, millis) = look(bytes)?;
    let length = Duration::from_millis(millis);
    if length > LONGEST {
        return Err(BadSound::TooLong(length.as_secs()));
    }
    if length < SHORTEST {
        return Err(BadSound::TooShort);
    }
    Ok((format, u32::try_from(millis).unwrap_or(u32::MAX)))
}

fn look(bytes: &[u8]) -> Result<(Format, u64), BadSound> {
    if bytes.starts_with(b"RIFF") {
        let wav = Wav::open(bytes)?;
        return Ok((Format::Wav, wav.millis()));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        let millis = m4a::millis(bytes).map_err(BadSound::M4a)?;
        return Ok((Format::M4a, millis));
    }
    if mp3::begins(bytes) {
        let millis = mp3::millis(bytes).map_err(BadSound::Mp3)?;
        return Ok((Format::Mp3, millis));
    }
    Err(BadSound::Unknown)
}
