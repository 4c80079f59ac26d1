//! One signed order for all the speakers it names, and its check. The gateway signs the exact bytes of the body once; a
//! controller believes nothing in it before the signature holds. This module is pure: it must not do I/O nor read a
//! clock, so that a maker of controllers can take it as it stands.

mod addressed;
mod beside;
mod kind;
mod piece;
mod quake;
#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use channel::{Authority, Level, Timestamp};
use ring::digest;
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

pub use addressed::names;
pub(crate) use addressed::{Part, is_plain, parts};
pub use beside::AT_ONCE;
pub(crate) use kind::parts as parts_of;
pub use kind::{
    Class, LONGEST_TONE, Meeting, PLAY, PROLONG, Rank, SELF_TEST, STOP, STOP_ALL, TONE, Urgency,
    VOLUME, meet,
};
pub use piece::{PIECE_SOUND, PIECE_TEXT, PIECE_TONE, Piece};
pub(crate) use quake::level_of;
pub use quake::{COVER, HERE, LONGEST_WAY, QUAKE, QUAKE_CANCEL, QUAKE_EVENT, Tremor};
pub use window::{OVERLAP, Played, Window};

pub const VERSION: u32 = 3;
/// One of these stands in the text of every drill.
pub const DRILL_MARKS: [&str; 3] = ["演练", "DRILL", "Drill"];
/// What is to begin later than this is not taken yet.
pub const AHEAD: Duration = Duration::from_hours(7 * 24);

/// Whether a text says of itself that it is a drill.
pub fn marked_as_drill(text: &str) -> bool {
    DRILL_MARKS.iter().any(|mark| text.contains(mark))
}

/// The body of an order. The order of its fields is the canonical order of the JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Order {
    pub v: u32,
    pub gateway: String,
    /// Rises with each order of the gateway and is never used twice, to whomever the order goes.
    pub counter: u64,
    /// The same whenever the same text is ordered again for whoever may not have it: who has played it whole does not
    /// play it again. Named in every report.
    pub order: String,
    pub kind: String,
    pub drill: bool,
    pub class: Class,
    pub authority: Authority,
    pub level: Level,
    pub event: String,
    pub language: String,
    pub title: String,
    pub text: String,
    pub repeats: u32,
    /// Seconds between two plays; 0 where nothing was said.
    #[serde(default)]
    pub pause: u64,
    /// What is played in each reading, piece by piece; the text alone where this is empty, or not known to a controller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Piece>,
    pub regions_hash: String,
    /// What a stop or a longer time is about: an order's id, or the number of an alert.
    #[serde(default)]
    pub target: String,
    /// Seconds of a tone, hundredths of a volume.
    #[serde(default)]
    pub value: u32,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    /// Who may play it: device ids and runs of them (`names`).
    pub to: String,
    /// Of an earthquake, what is estimated for the one device that it is for; of no other order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quake: Option<Tremor>,
}

impl Order {
    /// SHA-256 of what would be heard and until when, in hex; neither of the counter nor of the addressed set, nor of how a
    /// voice has spoken the words this time.
    pub(crate) fn content(&self) -> String {
        let words = |piece: &Piece| Piece {
            sound: piece.sound.clone().filter(|_| !piece.is_text()),
            ..piece.clone()
        };
        let heard = Self {
            parts: self.parts.iter().map(words).collect(),
            counter: 0,
            order: String::new(),
            not_before: Timestamp(0),
            to: String::new(),
            ..self.clone()
        };
        hex::encode(digest::digest(&digest::SHA256, json(&heard).as_bytes()))
    }
}

fn json(order: &Order) -> String {
    serde_json::to_string(order).expect("an order has only text, numbers and known names")
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Signed {
    pub body: String,
    /// Ed25519 over the bytes of `body`, in hex; where others were signed at once with it, over the hashes of all.
    pub signature: String,
    /// SHA-256 of each body that was signed at once, in hex; none where the body was signed alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

impl Signed {
    /// A body whose signature is over its own bytes.
    pub const fn alone(body: String, signature: String) -> Self {
        Self {
            body,
            signature,
            beside: Vec::new(),
        }
    }
}

/// What a poll is answered with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Orders {
    pub orders: Vec<Signed>,
}

/// Drills have a key of their own, so that no drill can ever be given out as live.
pub struct Signer {
    live: Ed25519KeyPair,
    drill: Ed25519KeyPair,
}

impl Signer {
    /// `None` when the seed is not 32 bytes in hex.
    pub fn from_seed(seed: &str) -> Option<Self> {
        let seed = seed.trim();
        let live = hex::decode(seed).ok()?;
        let live = Ed25519KeyPair::from_seed_unchecked(&live).ok()?;
        let drill = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, seed.as_bytes()),
            b"drill",
        );
        let drill = Ed25519KeyPair::from_seed_unchecked(drill.as_ref()).ok()?;
        Some(Self { live, drill })
    }

    /// What controllers are given at their installation: the live key and the drill key, 32 bytes each, in hex.
    pub fn public_keys(&self) -> String {
        let hex = |pair: &Ed25519KeyPair| hex::encode(pair.public_key());
        hex(&self.live) + &hex(&self.drill)
    }

    fn pair(&self, drill: bool) -> &Ed25519KeyPair {
        if drill { &self.drill } else { &self.live }
    }

    pub fn sign(&self, order: &Order) -> Signed {
        let body = json(order);
        let signature = self.pair(order.drill).sign(body.as_bytes());
        Signed::alone(body, hex::encode(signature))
    }

    /// Some orders by one signature: all are drills, or none is.
    pub fn sign_together(&self, orders: &[Order]) -> Vec<Signed> {
        let [first, _, ..] = orders else {
            return orders.iter().map(|order| self.sign(order)).collect();
        };
        let bodies: Vec<_> = orders.iter().map(json).collect();
        let beside: Vec<_> = bodies.iter().map(|body| beside::hash(body)).collect();
        let text = beside::signed_text(&beside);
        let signature = hex::encode(self.pair(first.drill).sign(text.as_bytes()));
        let signed = |body| Signed {
            body,
            signature: signature.clone(),
            beside: beside.clone(),
        };
        bodies.into_iter().map(signed).collect()
    }

    /// Another text than an order, by the live key. It must not read as an order.
    pub(crate) fn seal(&self, body: String) -> Signed {
        let signature = self.live.sign(body.as_bytes());
        Signed::alone(body, hex::encode(signature))
    }

    /// As a gateway that mixed its keys up would.
    #[cfg(test)]
    pub(crate) fn mixed(&self, order: &Order) -> Signed {
        let body = json(order);
        let signature = self.pair(!order.drill).sign(body.as_bytes());
        Signed::alone(body, hex::encode(signature))
    }
}

/// Why a controller does not play an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the signature is not the gateway's")]
    Forged,
    #[error("the signed body is no order of version 3")]
    Malformed,
    #[error("it is not addressed to this device")]
    NotAddressed,
    #[error("its counter was taken already, or is below the window")]
    Replayed,
    #[error("it is to begin in more than a week")]
    Early,
    #[error("its wave is to arrive in more than ten minutes")]
    FarAhead,
    #[error("it has expired")]
    Expired,
    #[error("it is a drill signed for live, or a live order signed as a drill")]
    DrillForLive,
    #[error("it is a drill whose text does not say so")]
    UnmarkedDrill,
    #[error("it prolongs what this device does not hold")]
    NotHeld,
}

impl Refusal {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Malformed => "malformed",
            Self::NotAddressed => "not-addressed",
            Self::Replayed => "replayed",
            Self::Early => "early",
            Self::FarAhead => "far-ahead",
            Self::Expired => "expired",
            Self::DrillForLive => "drill-for-live",
            Self::UnmarkedDrill => "unmarked-drill",
            Self::NotHeld => "not-held",
        }
    }
}

impl Refusal {
    /// Whether the gateway is told: what is forged names nothing that can be believed, and of what is replayed it knows.
    pub(crate) const fn is_told(self) -> bool {
        matches!(
            self,
            Self::Early
                | Self::FarAhead
                | Self::Expired
                | Self::DrillForLive
                | Self::UnmarkedDrill
                | Self::NotHeld
        )
    }
}

/// What a controller holds to check orders: its own id and the gateway's public keys.
#[derive(Clone, Debug)]
pub struct Verifier {
    device: String,
    live: Vec<u8>,
    drill: Vec<u8>,
}

impl Verifier {
    /// `None` when the public keys are not twice 32 bytes in hex.
    pub fn new(device: impl Into<String>, public_keys: &str) -> Option<Self> {
        let mut live = hex::decode(public_keys.trim())
            .ok()
            .filter(|keys| keys.len() == 64)?;
        let drill = live.split_off(32);
        Some(Self {
            device: device.into(),
            live,
            drill,
        })
    }

    /// The order, if this device may take it now; it is played from its `not_before` on. `window` is what it has taken so far.
    pub fn verify(
        &self,
        signed: &Signed,
        window: &Window,
        now: Timestamp,
    ) -> Result<Order, Refusal> {
        let order = self.open(signed)?;
        if !window.admits(order.counter) {
            return Err(Refusal::Replayed);
        }
        if order.not_before > now.plus(AHEAD) {
            return Err(Refusal::Early);
        }
        if order.quake.is_some_and(|quake| quake.is_far_ahead(now)) {
            return Err(Refusal::FarAhead);
        }
        if order.expires <= now {
            return Err(Refusal::Expired);
        }
        Ok(order)
    }

    /// Whether it is the gateway's and for this device, whenever that was: for what was taken before and lay on a disk.
    pub fn open(&self, signed: &Signed) -> Result<Order, Refusal> {
        let drill = self.signed_as_drill(signed).ok_or(Refusal::Forged)?;
        let order: Order = serde_json::from_str(&signed.body).map_err(|_| Refusal::Malformed)?;
        if order.v != VERSION || !order.is_whole() {
            return Err(Refusal::Malformed);
        }
        if order.drill != drill {
            return Err(Refusal::DrillForLive);
        }
        if !names(&order.to, &self.device) {
            return Err(Refusal::NotAddressed);
        }
        if order.drill && order.speaks() && !order.is_marked() {
            return Err(Refusal::UnmarkedDrill);
        }
        Ok(order)
    }

    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    /// What `Signer::seal` signed.
    pub(crate) fn unseal<'a>(&self, signed: &'a Signed) -> Option<&'a str> {
        let by_live = || self.signed_as_drill(signed) == Some(false);
        (signed.beside.is_empty() && by_live()).then_some(&*signed.body)
    }

    /// Whether the key that signed it is the one for drills; `None` when it is neither.
    fn signed_as_drill(&self, signed: &Signed) -> Option<bool> {
        let signature = hex::decode(&signed.signature).ok()?;
        let covered = beside::covered(&signed.body, &signed.beside)?;
        let by = |key: &[u8]| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(&covered, &signature)
                .is_ok()
        };
        if by(&self.live) {
            Some(false)
        } else {
            by(&self.drill).then_some(true)
        }
    }
}
