//! How the far end proves and encrypts its calls: SHA-1 over sorted words, and AES-256-CBC in an envelope that carries its
//! owner's id. Both are the far end's own, and no choice of ours. This module must not decide what is answered.

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use ring::digest;

/// Base64 as the far end writes it: the padding may be missing, and a key's last bits may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Padding goes to this length, though the cipher's blocks are of 16.
const BLOCK: usize = 32;
const RANDOM: usize = 16;
const LENGTH: usize = 4;

/// SHA-1 of the sorted words in hex, as the far end signs.
pub fn signature(words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, words.concat().as_bytes());
    hex::encode(hash)
}

/// The key of the encrypted mode.
#[derive(Clone)]
pub struct AesKey([u8; 32]);

/// Why an envelope was not opened; it names nothing of what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the envelope is not encrypted with this key, or is not addressed to this account")]
pub struct NotOurs;

impl AesKey {
    /// From the 43 characters that the far end's page shows.
    pub fn new(encoding: &str) -> Option<Self> {
        if encoding.len() != 43 {
            return None;
        }
        let bytes = LENIENT.decode(encoding).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    fn halves(&self) -> (&[u8; 32], &[u8; 16]) {
        let (iv, _) = self.0.split_first_chunk().expect("a key has 32 bytes");
        (&self.0, iv)
    }

    /// What an envelope holds, if it is addressed to `owner`.
    pub fn open(&self, envelope: &str, owner: &str) -> Result<Vec<u8>, NotOurs> {
        let mut bytes = LENIENT.decode(envelope.trim()).map_err(|_| NotOurs)?;
        let (key, iv) = self.halves();
        let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
        let plain = cipher
            .decrypt_padded::<NoPadding>(&mut bytes)
            .map_err(|_| NotOurs)?;
        let padding = usize::from(*plain.last().ok_or(NotOurs)?);
        let end = plain.len().checked_sub(padding).ok_or(NotOurs)?;
        let padded = (1..=BLOCK).contains(&padding)
            && plain[end..]
                .iter()
                .all(|byte| usize::from(*byte) == padding);
        let body = plain.get(RANDOM..end).filter(|_| padded).ok_or(NotOurs)?;
        let (length, rest) = body.split_first_chunk::<LENGTH>().ok_or(NotOurs)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| NotOurs)?;
        let (message, to) = rest.split_at_checked(length).ok_or(NotOurs)?;
        if to == owner.as_bytes() {
            Ok(message.to_vec())
        } else {
            Err(NotOurs)
        }
    }

    /// An envelope as the far end makes it.
    pub fn seal(&self, message: &[u8], owner: &str) -> String {
        let mut plain = fastrand::u128(..).to_be_bytes().to_vec();
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        plain.extend(length.to_be_bytes());
        plain.extend(message);
        plain.extend(owner.as_bytes());
        let padding = BLOCK - plain.len() % BLOCK;
        plain.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(0));
        let (key, iv) = self.halves();
        let cipher = cbc::Encryptor::<Aes256>::new(key.into(), iv.into());
        let length = plain.len();
        let sealed = cipher.encrypt_padded::<NoPadding>(&mut plain, length);
        LENIENT.encode(sealed.expect("it was filled up to whole blocks"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    #[test]
    fn words_are_signed_sorted() {
        let right = "339924888b57a3785a9ba5f18bba707a516793cd";
        assert_eq!(signature(&["tok", "1409735669", "nonce123"]), right);
        assert_eq!(signature(&["nonce123", "tok", "1409735669"]), right);
    }

    #[test]
    fn a_key_has_43_characters() {
        assert!(AesKey::new(KEY).is_some());
        for bad in [
            "",
            &KEY[1..],
            &format!("{KEY}="),
            "!bcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        ] {
            assert!(AesKey::new(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_by_its_owner_alone(
            message in prop::collection::vec(any::<u8>(), 0..200), owner in "[a-z0-9]{1,20}", at in any::<prop::sample::Index>(),
        ) {
            let key = AesKey::new(KEY).unwrap();
            let sealed = key.seal(&message, &owner);
            prop_assert_eq!(key.open(&sealed, &owner), Ok(message));
            prop_assert_eq!(key.open(&sealed, "other-owner-of-it"), Err(NotOurs));
            prop_assert_ne!(key.open(&sealed, &owner[1..]), key.open(&sealed, &owner));
            let bare = sealed.trim_end_matches('=');
            let cut = &bare[..at.index(bare.len())];
            prop_assert!(key.open(cut, &owner).is_err());
        }

        #[test]
        fn bytes_that_nobody_sealed_are_refused(envelope in "[A-Za-z0-9+/=]{0,400}") {
            let key = AesKey::new(KEY).unwrap();
            prop_assert_eq!(key.open(&envelope, "wx0"), Err(NotOurs));
        }
    }
}
