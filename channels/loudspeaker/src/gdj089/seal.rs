//! Who signs our frames and judges theirs, and the window in time that a signature may be used once in. In which order a
//! device joins body, time and certificate no source tells, so that belongs to the one who signs. This module must not
//! take a frame that somebody could have kept.

use std::collections::HashMap;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::frame::Seal;

#[async_trait]
pub trait Sealer: Send + Sync {
    /// The block of a frame, of whose bytes before the block it speaks.
    async fn seal(&self, covered: &[u8], time: u32) -> Result<Seal, String>;
    /// Whether the far end signed these bytes.
    async fn proves(&self, covered: &[u8], seal: &Seal) -> Result<bool, String>;
    /// Whether a frame without a signature is taken.
    fn takes_unsigned(&self) -> bool;
}

/// Signs nothing, and cannot tell a signature from another.
pub struct Unsigned;

#[async_trait]
impl Sealer for Unsigned {
    async fn seal(&self, _: &[u8], _: u32) -> Result<Seal, String> {
        Ok(Seal::NONE)
    }

    async fn proves(&self, _: &[u8], _: &Seal) -> Result<bool, String> {
        Ok(true)
    }

    fn takes_unsigned(&self) -> bool {
        true
    }
}

/// As many signatures are remembered; beyond them nothing signed is taken until some have aged out.
const MOST: usize = 100_000;

/// The signatures that were seen within the window.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<[u8; 64], u32>>);

impl Seen {
    /// Why a signature of this time is not taken now, before it is proved.
    fn stale(seal: &Seal, now: u32, window: u32) -> Option<&'static str> {
        (seal.time.abs_diff(now) > window).then_some("stale")
    }

    /// Takes a signature that is proved, once.
    fn take(&self, seal: &Seal, now: u32, window: u32) -> Result<(), &'static str> {
        let mut seen = self.0.lock();
        if seen.len() >= MOST {
            seen.retain(|_, time| time.abs_diff(now) <= window);
        }
        if seen.len() >= MOST || seen.insert(seal.signature, seal.time).is_some() {
            return Err("replayed");
        }
        Ok(())
    }

    /// Whether a frame is the far end's and new; why not, as it is counted.
    pub async fn judge(
        &self,
        sealer: &dyn Sealer,
        covered: impl FnOnce() -> Vec<u8>,
        seal: &Seal,
        now: u32,
        window: u32,
    ) -> Result<(), &'static str> {
        if seal.is_none() {
            return if sealer.takes_unsigned() {
                Ok(())
            } else {
                Err("unsigned")
            };
        }
        if let Some(stale) = Self::stale(seal, now, window) {
            return Err(stale);
        }
        match sealer.proves(&covered(), seal).await {
            Ok(true) => self.take(seal, now, window),
            Ok(false) => Err("forged"),
            Err(_) => Err("unproved"),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::bytes::crc;
    use super::super::frame::{Frame, Way};
    use super::*;

    /// No cryptography: a sum that only who knows it here can make.
    pub struct Toy;

    #[async_trait]
    impl Sealer for Toy {
        async fn seal(&self, covered: &[u8], time: u32) -> Result<Seal, String> {
            let mut seal = Seal { time, ..Seal::NONE };
            let sum = crc(&[covered, &time.to_be_bytes()].concat());
            seal.signature[..4].copy_from_slice(&sum.to_be_bytes());
            Ok(seal)
        }

        async fn proves(&self, covered: &[u8], seal: &Seal) -> Result<bool, String> {
            Ok(self.seal(covered, seal.time).await? == *seal)
        }

        fn takes_unsigned(&self) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn what_is_forged_kept_too_long_said_twice_or_not_signed_is_refused() {
        let (seen, now, window) = (Seen::default(), 1_783_990_800, 300);
        let mut frame = Frame::new(Way::Up, 0x20, vec![1, 2, 3]);
        let judge = async |frame: &Frame, now| {
            let covered = || frame.covered();
            seen.judge(&Toy, covered, &frame.seal, now, window).await
        };
        assert_eq!(judge(&frame, now).await, Err("unsigned"));
        frame.seal = Toy.seal(&frame.covered(), now).await.expect("it signs");
        assert_eq!(judge(&frame, now + 301).await, Err("stale"));
        assert_eq!(judge(&frame, now - 301).await, Err("stale"));
        let mut forged = frame.clone();
        forged.body[0] ^= 1;
        assert_eq!(judge(&forged, now).await, Err("forged"));
        assert_eq!(judge(&frame, now + 299).await, Ok(()));
        assert_eq!(judge(&frame, now).await, Err("replayed"));
        let nothing = seen.judge(&Unsigned, Vec::new, &Seal::NONE, now, window);
        assert!(nothing.await.is_ok());
    }
}
