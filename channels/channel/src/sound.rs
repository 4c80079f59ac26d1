//! What a loudspeaker plays: pieces in their order, decided where a text is rendered, and the door to the house's sounds.
//! A channel that is not loud leaves the pieces alone: the whole text stands beside them. This module must not make a
//! sound nor choose one.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One file of sound, known by its bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Sound {
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// `audio/wav`, `audio/mpeg` or `audio/mp4`.
    pub mime: String,
    pub bytes: u32,
    /// Rounded up.
    pub seconds: u32,
}

/// One piece of what is played.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Part {
    /// One of the terminal's own, by its name.
    Tone { name: String, seconds: u32 },
    /// What a person has recorded.
    Sound { sound: Sound, language: String },
    /// Spoken by the house where it has a voice, else by the terminal.
    Text { text: String, language: String },
}

/// The house's sounds.
#[async_trait]
pub trait Sounds: Send + Sync + 'static {
    /// This text as speech; nothing where the house has no voice for it or the voice fails: the terminal speaks it then.
    /// Bounded in time, and the same text is spoken once.
    async fn speak(&self, text: &str, language: &str) -> Option<Sound>;
    /// The bytes of a sound that this house made or keeps, by their SHA-256 in hex.
    async fn bytes(&self, sha256: &str) -> Option<Bytes>;
}

/// A house without a sound.
#[derive(Clone, Copy, Default, Debug)]
pub struct Mute;

#[async_trait]
impl Sounds for Mute {
    async fn speak(&self, _text: &str, _language: &str) -> Option<Sound> {
        None
    }

    async fn bytes(&self, _sha256: &str) -> Option<Bytes> {
        None
    }
}
