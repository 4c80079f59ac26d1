//! The pieces of an order that is played: tones, sounds to be fetched, and words. What a controller does not know it leaves
//! out, and the words are always there. This module must not fetch or sound anything.

use channel::{Part, Sound};
use serde::{Deserialize, Serialize};

use super::{Order, marked_as_drill};

/// A test tone and a tone before a text are one thing; no controller has to know a name.
pub const PIECE_TONE: &str = "tone";
pub const PIECE_SOUND: &str = "sound";
pub const PIECE_TEXT: &str = "text";

/// One piece, in the order in which they are played. The order of its fields is the canonical order of the JSON.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Piece {
    pub kind: String,
    /// Of a tone: which of the controller's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Of a tone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seconds: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// A recording, or the text as it was spoken by the gateway's voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(seconds: &u32) -> bool {
    *seconds == 0
}

impl Piece {
    /// With what the house's voice has made of it, where it is words.
    pub(crate) fn of(part: &Part, spoken: Option<Sound>) -> Self {
        match part {
            Part::Tone { name, seconds } => Self {
                kind: PIECE_TONE.into(),
                name: name.clone(),
                seconds: *seconds,
                ..Self::default()
            },
            Part::Sound { sound, language } => Self {
                kind: PIECE_SOUND.into(),
                language: language.clone(),
                sound: Some(sound.clone()),
                ..Self::default()
            },
            Part::Text { text, language } => Self {
                sound: spoken,
                ..Self::words(text, language)
            },
        }
    }

    fn words(text: &str, language: &str) -> Self {
        Self {
            kind: PIECE_TEXT.into(),
            language: language.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        }
    }

    pub fn is_text(&self) -> bool {
        self.kind == PIECE_TEXT
    }

    /// Whether there is anything that this controller can do with it.
    fn is_known(&self) -> bool {
        match self.kind.as_str() {
            PIECE_TONE => self.seconds > 0,
            PIECE_SOUND => self.sound.is_some(),
            PIECE_TEXT => !self.text.is_empty(),
            _ => false,
        }
    }
}

impl Order {
    /// What is played in one reading: its pieces as far as they are known, else the text.
    pub fn playlist(&self) -> Vec<Piece> {
        let known: Vec<_> = self.parts.iter().filter(|piece| piece.is_known()).collect();
        if known.iter().any(|piece| piece.is_text()) {
            return known.into_iter().cloned().collect();
        }
        vec![Piece::words(&self.text, &self.language)]
    }

    /// The sounds that it names.
    pub fn sounds_of(&self) -> impl Iterator<Item = &Sound> {
        self.parts.iter().filter_map(|piece| piece.sound.as_ref())
    }

    /// A drill says that it is one with its first word and with its last, whatever sounds between them.
    pub(super) fn is_marked(&self) -> bool {
        let ends = [self.parts.first(), self.parts.last()];
        let marked = |piece: &Piece| piece.is_text() && marked_as_drill(&piece.text);
        marked_as_drill(&self.text) && ends.into_iter().flatten().all(marked)
    }
}
