//! From a text to what is said: a recording or the speech command's output, at most so long, kept by its hash. This is
//! the edge where the commands run; what they write is read bounded, and they are ended when they take too long. This
//! module must not know where the sound goes.

use std::sync::Arc;
use std::time::Duration;

use channel::command::Bounds;
use channel::{Failure, FailureClass, Variant};
use parking_lot::Mutex;
use ring::digest;

use crate::config::{ConfigError, Recording, Speech};
use crate::g711::RATE;
use crate::wav;

/// Samples at 8,000 a second.
pub type Sound = Arc<[i16]>;

/// No command writes more: a minute of 48,000 samples on two channels.
const WRITTEN: usize = 12 << 20;
/// Texts that are kept spoken. An alert has a few.
const KEPT: usize = 32;
/// How often a text is made shorter before its sound is cut.
const SHORTER: usize = 4;
/// A text of more letters is cut before it is spoken.
const LETTERS: usize = 1_000;

type Hash = [u8; 32];

/// A recording that was read.
struct Take {
    of: Recording,
    sound: Sound,
}

pub struct Studio {
    speech: Speech,
    takes: Vec<Take>,
    /// Oldest first.
    kept: Mutex<Vec<(Hash, Sound)>>,
    /// One command at a time: the second that asks for a text finds it.
    mouth: tokio::sync::Mutex<()>,
}

impl Studio {
    /// Reads the recordings.
    pub fn new(speech: Speech) -> Result<Self, ConfigError> {
        let read = |of: &Recording| {
            let wrong = |why: String| ConfigError::Recording {
                file: of.file.display().to_string(),
                why,
            };
            let bytes = std::fs::read(&of.file).map_err(|e| wrong(e.to_string()))?;
            let samples = wav::read(&bytes).map_err(|e| wrong(e.to_string()))?;
            if length(&samples) > speech.longest {
                return Err(wrong(format!(
                    "it is longer than {} seconds",
                    speech.longest.as_secs()
                )));
            }
            Ok(Take {
                of: of.clone(),
                sound: samples.into(),
            })
        };
        let takes = speech
            .recordings
            .iter()
            .map(read)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            speech,
            takes,
            kept: Mutex::default(),
            mouth: tokio::sync::Mutex::default(),
        })
    }

    /// What is said for a variant.
    pub async fn message(&self, variant: &Variant) -> Result<Sound, Failure> {
        if let Some(take) = self.takes.iter().find(|take| fits(&take.of, variant)) {
            return Ok(take.sound.clone());
        }
        marked(variant)?;
        let text = cut(&variant.text, LETTERS);
        self.spoken(text, primary(&variant.language)).await
    }

    /// One of our own sentences.
    pub async fn sentence(&self, text: &str) -> Result<Sound, Failure> {
        self.spoken(text, "zh").await
    }

    async fn spoken(&self, text: &str, language: &str) -> Result<Sound, Failure> {
        let command = self
            .speech
            .voices
            .get(language)
            .unwrap_or(&self.speech.command);
        let hash = hash(command, text);
        if let Some(sound) = self.find(&hash) {
            return Ok(sound);
        }
        let _mouth = self.mouth.lock().await;
        if let Some(sound) = self.find(&hash) {
            return Ok(sound);
        }
        let sound: Sound = self.fitting(command, text).await?.into();
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((hash, sound.clone()));
        Ok(sound)
    }

    fn find(&self, hash: &Hash) -> Option<Sound> {
        let kept = self.kept.lock();
        let found = kept.iter().find(|(other, _)| other == hash);
        found.map(|(_, sound)| sound.clone())
    }

    /// Whole sentences as long as they fit; a sentence that is too long by itself is cut.
    async fn fitting(&self, command: &[String], text: &str) -> Result<Vec<i16>, Failure> {
        let mut text = text;
        for _ in 0..SHORTER {
            let samples = self.say(command, text).await?;
            let shorter = fewer_sentences(text, length(&samples), self.speech.longest);
            if length(&samples) <= self.speech.longest || shorter.len() == text.len() {
                return Ok(self.cut(samples));
            }
            text = shorter;
        }
        Ok(self.cut(self.say(command, text).await?))
    }

    fn cut(&self, mut samples: Vec<i16>) -> Vec<i16> {
        let most = self.speech.longest.as_millis() * u128::from(RATE) / 1_000;
        samples.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        samples
    }

    async fn say(&self, command: &[String], text: &str) -> Result<Vec<i16>, Failure> {
        let written = run(command, text.as_bytes(), self.speech.timeout).await;
        let read = written.and_then(|bytes| wav::read(&bytes).map_err(|e| e.to_string()));
        read.map_err(|why| mute("speech.command", &why))
    }

    /// A sound as a WAV file.
    pub fn wav(sound: &Sound) -> Vec<u8> {
        wav::write(sound)
    }

    /// A sound as an MP3 file.
    pub async fn mp3(&self, sound: &Sound) -> Result<Vec<u8>, Failure> {
        let file = wav::write(sound);
        let written = run(&self.speech.mp3, &file, self.speech.timeout).await;
        written.map_err(|why| mute("speech.mp3", &why))
    }
}

/// A drill that does not say so never goes out.
pub fn marked(variant: &Variant) -> Result<(), Failure> {
    if variant.drill && !(variant.text.contains("演练") || variant.text.contains("DRILL")) {
        return Err(Failure::new(
            FailureClass::BadContent,
            "voice:unmarked-drill",
            "a drill's text has neither 演练 nor DRILL; put the mark into it",
        ));
    }
    Ok(())
}

/// How fast a text is read aloud, in letters a second: Mandarin, unhurried.
const PACE: u32 = 5;

/// What of a text somebody else speaks within so long; whole sentences where it can be.
pub fn within(text: &str, longest: Duration) -> &str {
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let took = Duration::from_secs(1) * letters / PACE;
    let most = usize::try_from(longest.as_secs() * u64::from(PACE)).unwrap_or(usize::MAX);
    if took <= longest {
        text
    } else {
        cut(fewer_sentences(text, took, longest), most)
    }
}

/// Without a voice no message goes out: the whole channel stands still and alarms.
fn mute(key: &'static str, why: &str) -> Failure {
    Failure::new(
        FailureClass::LinkDown,
        "voice:no-speech",
        format!("running `{key}`: {why}; install what it names or set another"),
    )
}

fn fits(of: &Recording, variant: &Variant) -> bool {
    of.event == variant.event
        && of.drill == variant.drill
        && of.level.is_none_or(|level| level == variant.level)
        && of
            .language
            .as_ref()
            .is_none_or(|language| primary(language) == primary(&variant.language))
}

fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

fn hash(command: &[String], text: &str) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in command.iter().map(String::as_str).chain([text]) {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

pub fn length(samples: &[i16]) -> Duration {
    Duration::from_secs(samples.len() as u64) / RATE
}

/// At most so many letters.
fn cut(text: &str, letters: usize) -> &str {
    text.char_indices()
        .nth(letters)
        .map_or(text, |(at, _)| &text[..at])
}

/// The sentences that should fit into `longest` when all of them took `took`; at least the first.
fn fewer_sentences(text: &str, took: Duration, longest: Duration) -> &str {
    let letters = text.chars().count() as u128;
    let fit = letters * longest.as_millis() / took.as_millis().max(1);
    let mut best = 0;
    let mut ends = text
        .char_indices()
        .enumerate()
        .filter(|(_, (_, letter))| "。!?!?;;\n".contains(*letter))
        .map(|(n, (at, letter))| (n as u128 + 1, at + letter.len_utf8()))
        .filter(|(_, end)| *end < text.len());
    for (count, end) in ends.by_ref() {
        if best > 0 && count > fit {
            break;
        }
        best = end;
    }
    if best == 0 { text } else { &text[..best] }
}

/// What a command wrote.
async fn run(command: &[String], input: &[u8], time: Duration) -> Result<Vec<u8>, String> {
    let bounds = Bounds {
        time,
        bytes: WRITTEN,
    };
    channel::command::run(command, input, bounds).await
}

#[cfg(test)]
mod tests;
