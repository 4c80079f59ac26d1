//! One signed order and its check. The gateway signs the exact bytes of the body; a controller believes nothing in it
//! before the signature holds. This module is pure: it must not do I/O nor read a clock, so that a maker of
//! controllers can take it as it stands.

use std::collections::VecDeque;

use channel::{Key, Level, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

pub const VERSION: u32 = 1;
pub const PLAY: &str = "play";
/// One of these stands in the text of every drill.
pub const DRILL_MARKS: [&str; 3] = ["演练", "DRILL", "Drill"];

/// Whether a text says of itself that it is a drill.
pub fn marked_as_drill(text: &str) -> bool {
    DRILL_MARKS.iter().any(|mark| text.contains(mark))
}

/// The body of an order. The order of its fields is the canonical order of the JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Order {
    pub v: u32,
    pub gateway: String,
    /// Rises with each order for this device; a controller never plays one twice nor an older one later.
    pub counter: u64,
    pub kind: String,
    /// What the controller names in its reports.
    pub key: Key,
    pub device: String,
    pub drill: bool,
    pub level: Level,
    pub event: String,
    pub language: String,
    pub title: String,
    pub text: String,
    pub repeats: u32,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    pub regions_hash: String,
    /// Echoed in every report on this order.
    pub ticket: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    pub body: String,
    /// Ed25519 over the bytes of `body`, in hex.
    pub signature: String,
}

/// What a poll is answered with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Orders {
    pub orders: Vec<Signed>,
}

pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// `None` when the seed is not 32 bytes in hex.
    pub fn from_seed(seed: &str) -> Option<Self> {
        let seed = hex::decode(seed.trim()).ok()?;
        Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self)
    }

    /// What controllers are given at their installation, in hex.
    pub fn public_key(&self) -> String {
        hex::encode(self.0.public_key())
    }

    pub fn sign(&self, order: &Order) -> Signed {
        let body =
            serde_json::to_string(order).expect("an order has only text, numbers and known names");
        let signature = hex::encode(self.0.sign(body.as_bytes()));
        Signed { body, signature }
    }
}

/// Why a controller does not play an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("the signature is not the gateway's")]
    Forged,
    #[error("the signed body is no order of version 1")]
    Malformed,
    #[error("it is meant for another device")]
    WrongDevice,
    #[error("its counter is not above the last one kept")]
    Replayed,
    #[error("it has expired")]
    Expired,
    #[error("it is a drill whose text does not say so")]
    UnmarkedDrill,
}

impl Refusal {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Malformed => "malformed",
            Self::WrongDevice => "wrong-device",
            Self::Replayed => "replayed",
            Self::Expired => "expired",
            Self::UnmarkedDrill => "unmarked-drill",
        }
    }
}

/// What a controller holds to check orders: its own id and the gateway's public key.
#[derive(Clone, Debug)]
pub struct Verifier {
    device: String,
    key: Vec<u8>,
}

impl Verifier {
    /// `None` when the public key is not 32 bytes in hex.
    pub fn new(device: impl Into<String>, public_key: &str) -> Option<Self> {
        let key = hex::decode(public_key.trim())
            .ok()
            .filter(|key| key.len() == 32)?;
        Some(Self {
            device: device.into(),
            key,
        })
    }

    /// The order, if this device may play it now. `last` is the highest counter played so far.
    pub fn verify(&self, signed: &Signed, last: u64, now: Timestamp) -> Result<Order, Refusal> {
        let signature = hex::decode(&signed.signature).map_err(|_| Refusal::Forged)?;
        UnparsedPublicKey::new(&ED25519, &self.key)
            .verify(signed.body.as_bytes(), &signature)
            .map_err(|_| Refusal::Forged)?;
        let order: Order = serde_json::from_str(&signed.body).map_err(|_| Refusal::Malformed)?;
        if order.v != VERSION || order.kind != PLAY {
            return Err(Refusal::Malformed);
        }
        if order.device != self.device {
            return Err(Refusal::WrongDevice);
        }
        if order.counter <= last {
            return Err(Refusal::Replayed);
        }
        if order.expires <= now {
            return Err(Refusal::Expired);
        }
        if order.drill && !marked_as_drill(&order.text) {
            return Err(Refusal::UnmarkedDrill);
        }
        Ok(order)
    }
}

/// The orders that a device has played whole, as far back as matters. The gateway hands an order again, under its key
/// and a new counter, when it does not know how the first one went; what was played is then reported, not repeated.
#[derive(Clone, Debug, Default)]
pub struct Played(VecDeque<Key>);

impl Played {
    /// More keys than may wait for one device.
    const KEPT: usize = 128;

    pub fn has(&self, key: Key) -> bool {
        self.0.contains(&key)
    }

    pub fn keep(&mut self, key: Key) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
    const NOW: Timestamp = Timestamp(1_784_044_800_000);

    fn order() -> Order {
        Order {
            v: VERSION,
            gateway: "test".into(),
            counter: 7,
            kind: PLAY.into(),
            key: Key {
                alert: 1,
                delivery: 2,
                generation: 0,
            },
            device: "speaker-1".into(),
            drill: false,
            level: Level::Red,
            event: "11A51".into(),
            language: "zh-CN".into(),
            title: "山洪灾害红色预警".into(),
            text: "立即转移。\"快\"".into(),
            repeats: 2,
            not_before: NOW,
            expires: NOW.plus(std::time::Duration::from_mins(1)),
            regions_hash: "00".into(),
            ticket: "0011223344556677".into(),
        }
    }

    fn pair() -> (Signer, Verifier) {
        let signer = Signer::from_seed(SEED).expect("32 bytes");
        let verifier = Verifier::new("speaker-1", &signer.public_key()).expect("32 bytes");
        (signer, verifier)
    }

    #[test]
    fn a_good_order_is_taken_whole() {
        let (signer, verifier) = pair();
        assert_eq!(verifier.verify(&signer.sign(&order()), 6, NOW), Ok(order()));
    }

    #[test]
    fn the_body_is_canonical_so_a_second_signing_gives_the_same_bytes() {
        let (gateway, _) = pair();
        let signed = gateway.sign(&order());
        assert_eq!(signed, gateway.sign(&order()));
        let start = r#"{"v":1,"gateway":"test","counter":7,"kind":"play","key":"1-2-0","device":"speaker-1","drill":false,"level":"red","event":"11A51","language":"zh-CN""#;
        assert!(signed.body.starts_with(start), "{}", signed.body);
    }

    #[test]
    fn an_order_of_another_key_is_refused() {
        let (_, verifier) = pair();
        let thief = Signer::from_seed(&SEED.replace("07", "08")).expect("32 bytes");
        assert_eq!(
            verifier.verify(&thief.sign(&order()), 0, NOW),
            Err(Refusal::Forged)
        );
        let unsigned = Signed {
            signature: String::new(),
            ..thief.sign(&order())
        };
        assert_eq!(verifier.verify(&unsigned, 0, NOW), Err(Refusal::Forged));
    }

    #[test]
    fn a_replayed_order_is_refused() {
        let (signer, verifier) = pair();
        assert_eq!(
            verifier.verify(&signer.sign(&order()), 7, NOW),
            Err(Refusal::Replayed)
        );
        assert_eq!(
            verifier.verify(&signer.sign(&order()), 8, NOW),
            Err(Refusal::Replayed)
        );
    }

    #[test]
    fn an_expired_order_is_refused_from_its_very_moment_on() {
        let (signer, verifier) = pair();
        assert_eq!(
            verifier.verify(&signer.sign(&order()), 0, order().expires),
            Err(Refusal::Expired)
        );
    }

    #[test]
    fn an_order_for_another_device_is_refused() {
        let (signer, verifier) = pair();
        let other = Order {
            device: "speaker-2".into(),
            ..order()
        };
        assert_eq!(
            verifier.verify(&signer.sign(&other), 0, NOW),
            Err(Refusal::WrongDevice)
        );
    }

    #[test]
    fn an_order_of_an_unknown_version_or_kind_is_refused() {
        let (signer, verifier) = pair();
        let later = Order { v: 2, ..order() };
        assert_eq!(
            verifier.verify(&signer.sign(&later), 0, NOW),
            Err(Refusal::Malformed)
        );
        let strange = Order {
            kind: "format-disk".into(),
            ..order()
        };
        assert_eq!(
            verifier.verify(&signer.sign(&strange), 0, NOW),
            Err(Refusal::Malformed)
        );
    }

    #[test]
    fn a_drill_that_does_not_say_so_is_refused() {
        let (signer, verifier) = pair();
        let silent = Order {
            drill: true,
            ..order()
        };
        assert_eq!(
            verifier.verify(&signer.sign(&silent), 0, NOW),
            Err(Refusal::UnmarkedDrill)
        );
        let marked = Order {
            text: "演练:立即转移".into(),
            ..silent
        };
        assert_eq!(verifier.verify(&signer.sign(&marked), 0, NOW), Ok(marked));
    }

    #[test]
    fn what_was_played_is_known_for_a_while() {
        let key = |delivery| Key {
            alert: 1,
            delivery,
            generation: 0,
        };
        let mut played = Played::default();
        (0..200).for_each(|delivery| played.keep(key(delivery)));
        assert!(!played.has(key(0)) && played.has(key(100)) && played.has(key(199)));
        assert!(
            !played.has(Key {
                generation: 1,
                ..key(199)
            }),
            "a repeat that is meant has its own key"
        );
    }

    proptest! {
        #[test]
        fn no_changed_byte_passes(place in any::<prop::sample::Index>(), bit in 0_u8..7) {
            let (gateway, verifier) = pair();
            let signed = gateway.sign(&order());
            let mut bytes = signed.body.clone().into_bytes();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            // A change that is no text any more never reaches the check: JSON carries only text.
            if let Ok(body) = String::from_utf8(bytes) {
                let changed = Signed { body, ..signed };
                prop_assert_eq!(verifier.verify(&changed, 0, NOW), Err(Refusal::Forged));
            }
        }
    }
}
