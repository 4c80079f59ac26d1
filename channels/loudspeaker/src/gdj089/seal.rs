//! Who signs our frames, whose key judges theirs, and the window in time that a signature may be used once in. In which
//! order a device joins body, time and certificate no source tells, so that is the signer's setting. This module must not
//! take a frame that somebody could have kept.

use std::collections::HashMap;
use std::sync::Arc;

use channel::Context;
use parking_lot::Mutex;

use super::config::{Config, ConfigError};
use crate::signing::{PublicKey, Signer, SignerError, Value};

/// The signatures of one link.
pub struct Seals {
    signer: Arc<dyn Signer>,
    /// Of each adapter whose settings name its key.
    keys: Vec<Option<PublicKey>>,
    /// Refuses what is not signed.
    verify: bool,
    /// Seconds.
    window: u32,
    seen: Seen,
}

impl Seals {
    pub fn new(config: &Config, context: &Context) -> Result<Self, ConfigError> {
        let wrong = |key, why: String| ConfigError { key, why };
        let signer = config
            .signer
            .signer(&context.http, config.answer_timeout)
            .map_err(|error| wrong("signer", error.to_string()))?;
        let key = |adapter: &super::config::Adapter| {
            let point = adapter.peer.as_ref()?;
            let key = config.signer.public_key(point);
            Some(
                key.map_err(|error| wrong("adapter.peer", format!("of {}: {error}", adapter.code))),
            )
        };
        let keys = config
            .adapter
            .iter()
            .map(|adapter| key(adapter).transpose());
        Ok(Self {
            signer,
            keys: keys.collect::<Result<_, _>>()?,
            verify: config.verify,
            window: u32::try_from(config.time_window.as_secs()).unwrap_or(u32::MAX),
            seen: Seen::default(),
        })
    }

    /// The block of a frame, of whose bytes before the block it speaks; nothing from who signs nothing.
    pub async fn seal(&self, covered: &[u8], now: u32) -> Result<Option<Value>, SignerError> {
        self.signer.sign(covered, now).await
    }

    /// Whether a frame is new, and of the adapter at this place of the settings where that one's key is known; why not, as
    /// it is counted.
    pub async fn judge(
        &self,
        at: Option<usize>,
        covered: impl FnOnce() -> Vec<u8>,
        seal: &Value,
        now: u32,
    ) -> Result<(), &'static str> {
        if seal.is_none() {
            return if self.verify { Err("unsigned") } else { Ok(()) };
        }
        if seal.time.abs_diff(now) > self.window {
            return Err("stale");
        }
        let own = at.and_then(|at| self.keys[at].as_ref());
        let proved = match own {
            Some(key) => Ok(key.signed(&covered(), seal)),
            None if self.signer.knows_peer() => self.signer.verify(&covered(), seal).await,
            None if self.verify => Err(SignerError::PeerKey),
            // Nobody said whose key it is.
            None => Ok(true),
        };
        match proved {
            Ok(true) => self.seen.take(seal, now, self.window),
            Ok(false) => Err("forged"),
            Err(_) => Err("unproved"),
        }
    }
}

/// As many signatures are remembered; beyond them nothing signed is taken until some have aged out.
const MOST: usize = 100_000;

/// The signatures that were seen within the window.
#[derive(Default)]
struct Seen(Mutex<HashMap<[u8; 64], u32>>);

impl Seen {
    /// Takes a signature that is proved, once.
    fn take(&self, seal: &Value, now: u32, window: u32) -> Result<(), &'static str> {
        let mut seen = self.0.lock();
        if seen.len() >= MOST {
            seen.retain(|_, time| time.abs_diff(now) <= window);
        }
        if seen.len() >= MOST || seen.insert(seal.signed, seal.time).is_some() {
            return Err("replayed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use channel::Secret;

    use super::super::config::Adapter;
    use super::super::frame::{Frame, Way};
    use super::*;
    use crate::signing::{Order, SignerConfig, Software};

    const NOW: u32 = 1_783_990_800;
    const USER: &str = "1234567812345678";

    fn software(digit: &str) -> Software {
        let key = Secret::new(digit.repeat(64));
        let made = Software::new(&key, None, USER, [7; 6], Order::default());
        made.expect("a key")
    }

    /// Two adapters: one has a key of its own, the other the link's, where there is one.
    fn seals(verify: bool, peer: Option<String>) -> Seals {
        let mut config = Config::new("45107270000000103010101", None);
        config.signer = SignerConfig::Sm2 {
            key: Secret::new("1".repeat(64)),
            peer,
            serial: "000000003363".into(),
            user: USER.into(),
            order: Order::default(),
        };
        config.verify = verify;
        let mut own = Adapter::new("45107270000000314010201");
        own.peer = Some(software("2").public_key());
        config.adapter = vec![own, Adapter::new("55107271010000314010201")];
        let context = channel::testing::context("seals").0;
        Seals::new(&config, &context).expect("good settings")
    }

    async fn signed(frame: &Frame, digit: &str, time: u32) -> Frame {
        let seal = software(digit).sign(&frame.covered(), time).await;
        Frame {
            seal: seal.expect("it signs").expect("a value"),
            ..frame.clone()
        }
    }

    #[tokio::test]
    async fn what_is_forged_kept_too_long_said_twice_or_not_signed_is_refused() {
        let seals = seals(true, Some(software("3").public_key()));
        let plain = Frame::new(Way::Up, 0x20, vec![1, 2, 3]);
        let judge = async |at: usize, frame: &Frame, now| {
            let covered = || frame.covered();
            seals.judge(Some(at), covered, &frame.seal, now).await
        };
        assert_eq!(judge(0, &plain, NOW).await, Err("unsigned"));
        let good = signed(&plain, "2", NOW).await;
        assert_eq!(judge(0, &good, NOW + 301).await, Err("stale"));
        assert_eq!(judge(0, &good, NOW - 301).await, Err("stale"));
        let mut forged = good.clone();
        forged.body[0] ^= 1;
        assert_eq!(judge(0, &forged, NOW).await, Err("forged"));
        // Of another's key, in either direction.
        assert_eq!(judge(1, &good, NOW).await, Err("forged"));
        let other = signed(&plain, "3", NOW).await;
        assert_eq!(judge(0, &other, NOW).await, Err("forged"));
        assert_eq!(judge(1, &other, NOW).await, Ok(()));
        assert_eq!(judge(0, &good, NOW + 299).await, Ok(()));
        assert_eq!(judge(0, &good, NOW).await, Err("replayed"));
    }

    #[tokio::test]
    async fn where_no_key_is_given_a_signature_is_judged_by_its_time_alone() {
        let seals = seals(false, None);
        let plain = Frame::new(Way::Up, 0x20, vec![1, 2, 3]);
        let judge = async |at: usize, frame: &Frame| {
            let covered = || frame.covered();
            seals.judge(Some(at), covered, &frame.seal, NOW).await
        };
        assert_eq!(judge(0, &plain).await, Ok(()));
        let strange = signed(&plain, "5", NOW).await;
        assert_eq!(judge(1, &strange).await, Ok(()));
        assert_eq!(judge(1, &strange).await, Err("replayed"));
        assert_eq!(
            judge(0, &signed(&plain, "6", NOW).await).await,
            Err("forged")
        );
        let old = signed(&plain, "5", NOW - 301).await;
        assert_eq!(judge(1, &old).await, Err("stale"));
    }
}
