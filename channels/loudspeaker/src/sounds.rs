//! Sounds of orders: the pieces of a text with what the house's voice makes of its words, and the call by which a controller
//! fetches a sound. This module must not choose a piece, and a voice that takes its time holds no order up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel::{Message, Part, Reply, Request, Variant};
use serde::Deserialize;

use crate::calls::read;
use crate::order::Piece;
use crate::refused::{Refused, refuse};
use crate::speaker::Loudspeaker;

/// How long a batch waits for the voice. What is not spoken by then is spoken by the controllers.
const PATIENCE: Duration = Duration::from_secs(6);

const BAD_SOUND: Refused = refuse(
    422,
    "bad-sound",
    "`sha256` is the SHA-256 of a sound that an order names, in hex",
);
const NO_SOUND: Refused = refuse(
    404,
    "no-sound",
    "this sound is not here any more; play the text of its order",
);

/// The pieces of texts, by the place of the text in memory: a batch shares its variants.
#[derive(Default)]
pub(crate) struct Pieces(HashMap<usize, Vec<Piece>>);

impl Pieces {
    pub fn of(&self, variant: &Arc<Variant>) -> Vec<Piece> {
        let found = self.0.get(&Arc::as_ptr(variant).addr());
        found.cloned().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Asked {
    sha256: String,
}

impl Loudspeaker {
    /// The pieces of every text of a batch that has any.
    pub(crate) async fn pieces(&self, batch: &[Message], open: &[bool]) -> Pieces {
        let mut pieces = Pieces::default();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        for (message, _) in batch.iter().zip(open).filter(|(_, open)| **open) {
            let place = Arc::as_ptr(&message.variant).addr();
            if pieces.0.contains_key(&place) {
                continue;
            }
            let made = self.of_variant(&message.variant, deadline).await;
            pieces.0.insert(place, made);
        }
        pieces
    }

    async fn of_variant(&self, variant: &Variant, deadline: tokio::time::Instant) -> Vec<Piece> {
        let alone = [Part::Text {
            text: variant.text.clone(),
            language: variant.language.clone(),
        }];
        let parts = if variant.parts.is_empty() {
            &alone[..]
        } else {
            &variant.parts
        };
        let mut made = Vec::new();
        for part in parts {
            let spoken = match part {
                Part::Text { text, language } => {
                    let spoken = self.context.sounds.speak(text, language);
                    let spoken = tokio::time::timeout_at(deadline, spoken).await;
                    spoken.ok().flatten()
                }
                Part::Tone { .. } | Part::Sound { .. } => None,
            };
            made.push(Piece::of(part, spoken));
        }
        // A text alone that nobody speaks is what the order says anyway.
        match &made[..] {
            [piece] if piece.is_text() && piece.sound.is_none() => Vec::new(),
            _ => made,
        }
    }

    /// The bytes of a sound, for a device that has proved itself. Whoever knows the hash was given it in an order.
    pub(crate) async fn sound(&self, request: &Request) -> Result<Reply, Refused> {
        self.proved(request)?;
        let Asked { sha256 } = read(&request.body)?;
        if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BAD_SOUND);
        }
        let sha256 = sha256.to_ascii_lowercase();
        let bytes: Option<Bytes> = self.context.sounds.bytes(&sha256).await;
        let body = bytes.ok_or(NO_SOUND)?;
        Ok(Reply {
            status: 200,
            headers: vec![("content-type".into(), "application/octet-stream".into())],
            body,
        })
    }
}
