//! A house with a voice, for the tests: what it says of a text is told to it, and its bytes are kept.

use async_trait::async_trait;
use bytes::Bytes;
use channel::{Sound, Sounds};
use parking_lot::Mutex;

#[derive(Default)]
pub struct Voice {
    /// A text and what it sounds like.
    pub spoken: Mutex<Vec<(String, Sound)>>,
    pub kept: Mutex<Vec<(String, Bytes)>>,
}

pub fn sound(bytes: &'static [u8]) -> Sound {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    Sound {
        sha256: hex::encode(hash),
        mime: "audio/mpeg".into(),
        bytes: u32::try_from(bytes.len()).expect("small"),
        seconds: 1,
    }
}

impl Voice {
    /// Keeps a sound.
    pub fn keep(&self, bytes: &'static [u8]) -> Sound {
        let sound = sound(bytes);
        let kept = (sound.sha256.clone(), Bytes::from_static(bytes));
        self.kept.lock().push(kept);
        sound
    }

    /// From now on this text sounds so.
    pub fn says(&self, text: &str, bytes: &'static [u8]) -> Sound {
        let sound = self.keep(bytes);
        self.spoken
            .lock()
            .insert(0, (text.to_owned(), sound.clone()));
        sound
    }
}

#[async_trait]
impl Sounds for Voice {
    async fn speak(&self, text: &str, _language: &str) -> Option<Sound> {
        let spoken = self.spoken.lock();
        let found = spoken.iter().find(|(of, _)| of == text);
        found.map(|(_, sound)| sound.clone())
    }

    async fn bytes(&self, sha256: &str) -> Option<Bytes> {
        let kept = self.kept.lock();
        let found = kept.iter().find(|(of, _)| of == sha256);
        found.map(|(_, bytes)| bytes.clone())
    }
}
