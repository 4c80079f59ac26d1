//! Our ids on calls, which prove themselves, and the secret path. Nothing is kept: a restart forgets none. This module
//! must not compare secrets but in constant time.

use channel::Key;
use ring::hmac;

/// Hex digits of a proof: 48 bits, tried online only.
const PROOF: usize = 12;

pub struct Tickets {
    key: hmac::Key,
    path: hmac::Tag,
}

impl Tickets {
    pub fn new(secret: &str, path: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let path = hmac::sign(&key, path.as_bytes());
        Self { key, path }
    }

    pub fn is_path(&self, path: &str) -> bool {
        hmac::verify(&self.key, path.as_bytes(), self.path.as_ref()).is_ok()
    }

    /// The id under which a provider knows a call.
    pub fn give(&self, of: Key) -> String {
        format!("{of}-{}", self.proof(of))
    }

    /// Whose call it is, if we gave this id.
    pub fn read(&self, id: &str) -> Option<Key> {
        let (key, proof) = id.rsplit_once('-')?;
        let of: Key = key.parse().ok()?;
        // Tags of equal length under the key: the time says nothing of the text.
        let right = hmac::sign(&self.key, self.proof(of).as_bytes());
        hmac::verify(&self.key, proof.as_bytes(), right.as_ref()).ok()?;
        (self.give(of) == id).then_some(of)
    }

    fn proof(&self, of: Key) -> String {
        let mut tag = hex::encode(hmac::sign(&self.key, format!("call\n{of}").as_bytes()));
        tag.truncate(PROOF);
        tag
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ids_that_we_gave_are_ours() {
        let tickets = Tickets::new("secret", "0123456789abcdef");
        let of = Key {
            alert: 7,
            delivery: 2,
            generation: 1,
        };
        let id = tickets.give(of);
        assert_eq!(tickets.read(&id), Some(of));
        assert_eq!(Tickets::new("other", "").read(&id), None);
        for wrong in [
            "",
            "7-2-1",
            &id.replacen('7', "8", 1),
            &format!("0{id}"),
            &id[..id.len() - 1],
        ] {
            assert_eq!(tickets.read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_whole_path_is_the_path() {
        let tickets = Tickets::new("secret", "0123456789abcdef");
        assert!(tickets.is_path("0123456789abcdef"));
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789abcdef/",
            "0123456789ABCDEF",
        ] {
            assert!(!tickets.is_path(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,60}") {
            prop_assert_eq!(Tickets::new("secret", "x").read(&text), None);
        }
    }
}
