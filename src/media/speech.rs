//! `[speech]`: a configured command reads a text and writes a WAV file, another may make it smaller. Each text is spoken
//! once for each voice and kept. Here is the edge where the commands run, bounded in time and in what they write. A voice
//! that fails is left alone for a while and never holds a warning up: the terminals speak then. This module must not know
//! a loudspeaker.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use channel::command::{Bounds, run};
use channel::wav::Wav;
use channel::{Clock, Sound, Sounds};
use parking_lot::Mutex;
use serde::Deserialize;

use super::Library;
use super::clip::LARGEST;
use super::shelf::{BadShelf, Shelf, hash, sound};
use crate::model::{Span, is_mandarin, same_tongue, tongue};

/// What a voice may write before it is made smaller: some minutes at 48,000 samples a second.
const WRITTEN: usize = 24 << 20;
/// After a failure so long nothing is asked of a voice: what hangs would hold up every batch.
const RESTS: Duration = Duration::from_secs(30);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How a text becomes speech.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// Reads a text in Mandarin and writes a WAV file.
    pub command: Vec<String>,
    /// The same for other languages, by their tag: `bod`, `eng`. A language without one is spoken by the terminals.
    pub voices: BTreeMap<String, Vec<String>>,
    /// Reads a WAV file and writes a smaller one; empty where the WAV file itself is sent.
    pub encode: Vec<String>,
    /// How long a command may take.
    pub timeout: Span,
}

impl Default for Speech {
    fn default() -> Self {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        Self {
            // This voice reads hanzi right; `-v cmn` spells them with English sounds.
            command: words("espeak-ng -v cmn-latn-pinyin -s 150 --stdin --stdout"),
            voices: BTreeMap::new(),
            encode: words("lame --quiet -b 32 - -"),
            timeout: Span(Duration::from_secs(5)),
        }
    }
}

impl Speech {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.command.is_empty() {
            problems.push(
                "speech.command is empty; leave [speech] out where no voice is meant 语音命令为空"
                    .into(),
            );
        }
        for (tag, command) in &self.voices {
            if tongue(tag).is_none() {
                problems.push(format!(
                    "speech.voices.{tag:?} is no language tag; write one as bod or eng 语言代码有误"
                ));
            }
            if command.is_empty() {
                problems.push(format!(
                    "speech.voices.{tag} is empty; name a command 语音命令为空"
                ));
            }
        }
        if self.timeout.0.is_zero() || self.timeout.0 > LONGEST_TIMEOUT {
            problems.push(format!(
                "speech.timeout is more than 0 and at most {} s: a warning does not wait for its sound 语音超时须在 {0} 秒以内",
                LONGEST_TIMEOUT.as_secs()
            ));
        }
        problems
    }

    fn voice(&self, language: &str) -> Option<&[String]> {
        let own = self.voices.iter();
        let own = own.into_iter().find(|(tag, _)| same_tongue(tag, language));
        let own = own.map(|(_, command)| command.as_slice());
        own.or_else(|| is_mandarin(language).then_some(self.command.as_slice()))
    }
}

/// Why a text was not spoken.
enum Unspoken {
    /// The voice or the encoder; it rests.
    Failed(String),
    /// This text alone.
    Unfit(String),
}

/// The house's sounds: what was recorded, and what is spoken where it has a voice.
pub struct Studio {
    speech: Option<Speech>,
    shelf: Shelf,
    library: Arc<Library>,
    clock: Arc<dyn Clock>,
    /// One command at a time: the second that asks for a text finds it.
    mouth: tokio::sync::Mutex<()>,
    /// By voice, when it may be asked again.
    rests: Mutex<BTreeMap<Vec<String>, Duration>>,
}

impl Studio {
    /// `folder` is where speech is kept; made with the first.
    pub fn open(
        speech: Option<Speech>,
        folder: &Path,
        library: Arc<Library>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadShelf> {
        Ok(Self {
            speech,
            shelf: Shelf::open(folder)?,
            library,
            clock,
            mouth: tokio::sync::Mutex::default(),
            rests: Mutex::default(),
        })
    }

    pub fn library(&self) -> Arc<Library> {
        self.library.clone()
    }

    async fn make(&self, speech: &Speech, voice: &[String], text: &str) -> Result<Bytes, Unspoken> {
        let bounds = |bytes| Bounds {
            time: speech.timeout.0,
            bytes,
        };
        let failed = |key: &str, why: String| Unspoken::Failed(format!("{key}: {why}"));
        let written = run(voice, text.as_bytes(), bounds(WRITTEN)).await;
        let written = written.map_err(|why| failed("speech.command", why))?;
        let wav = Wav::open(&written).map_err(|e| failed("speech.command", e.to_string()))?;
        let file = wav.file();
        let made = if speech.encode.is_empty() {
            file
        } else {
            let smaller = run(&speech.encode, &file, bounds(LARGEST)).await;
            smaller.map_err(|why| failed("speech.encode", why))?
        };
        Ok(made.into())
    }

    async fn spoken(
        &self,
        speech: &Speech,
        voice: &[String],
        text: &str,
    ) -> Result<Sound, Unspoken> {
        let of = key(voice, &speech.encode, text);
        if let Some(sound) = self.shelf.find(&of) {
            return Ok(sound);
        }
        let _mouth = self.mouth.lock().await;
        if let Some(sound) = self.shelf.find(&of) {
            return Ok(sound);
        }
        if self.is_resting(voice) {
            return Err(Unspoken::Unfit("its voice failed a moment ago".into()));
        }
        let bytes = self.make(speech, voice, text).await?;
        let sound = sound(&bytes).map_err(|bad| Unspoken::Unfit(bad.to_string()))?;
        let kept = self.shelf.put(&of, &sound, bytes).await;
        kept.map_err(|bad| Unspoken::Failed(bad.to_string()))?;
        Ok(sound)
    }

    fn is_resting(&self, voice: &[String]) -> bool {
        let rests = self.rests.lock();
        rests
            .get(voice)
            .is_some_and(|until| self.clock.tick() < *until)
    }
}

#[async_trait]
impl Sounds for Studio {
    async fn speak(&self, text: &str, language: &str) -> Option<Sound> {
        let speech = self.speech.as_ref()?;
        let voice = speech.voice(language)?;
        match self.spoken(speech, voice, text).await {
            Ok(sound) => Some(sound),
            Err(Unspoken::Failed(why)) => {
                let until = self.clock.tick() + RESTS;
                self.rests.lock().insert(voice.to_vec(), until);
                tracing::warn!(%why, "a text could not be spoken; the terminals speak it");
                None
            }
            Err(Unspoken::Unfit(why)) => {
                tracing::info!(%why, "a text is sent without its sound");
                None
            }
        }
    }

    async fn bytes(&self, sha256: &str) -> Option<Bytes> {
        if let Some(made) = self.shelf.bytes(sha256).await {
            return Some(made);
        }
        let bytes = self.library.bytes(sha256).await?;
        self.shelf.warm(sha256, &bytes);
        Some(bytes)
    }
}

/// What one text is in one voice.
fn key(voice: &[String], encode: &[String], text: &str) -> String {
    let mut all = Vec::new();
    let ends = [&String::new()];
    for part in voice.iter().chain(ends).chain(encode) {
        all.extend_from_slice(part.as_bytes());
        all.push(0);
    }
    all.extend_from_slice(text.as_bytes());
    hash(&all)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
