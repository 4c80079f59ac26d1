//! Feeds whose word is relayed as it is: a client kind of its own, known by the pinned key that signs each body. No token
//! opens this door, and what passes it opens no other. This module must not read what a body says.

use ring::signature::{ED25519, UnparsedPublicKey};

/// What is proved before a body is read.
pub struct Feeds(Vec<(String, [u8; 32])>);

/// The scheme of the `authorization` header: `Tocsin-Feed NAME SIGNATURE`.
const SCHEME: &str = "Tocsin-Feed";

/// Whose body it is. Which of the two was wrong is not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    pub feed: String,
    /// In hex, as it came.
    pub signature: String,
}

impl Feeds {
    pub fn new(feeds: impl IntoIterator<Item = (String, [u8; 32])>) -> Self {
        Self(feeds.into_iter().collect())
    }

    /// Whether any feed is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From the `authorization` header and the exact bytes of the body.
    pub fn prove(&self, header: Option<&str>, body: &[u8]) -> Option<Proven> {
        let mut words = header?.split_ascii_whitespace();
        let scheme = words.next()?;
        let (name, signature) = (words.next()?, words.next()?);
        if !scheme.eq_ignore_ascii_case(SCHEME) || words.next().is_some() {
            return None;
        }
        let (feed, key) = self.0.iter().find(|(feed, _)| feed == name)?;
        let bytes = hex::decode(signature).ok()?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(body, &bytes)
            .ok()?;
        Some(Proven {
            feed: feed.clone(),
            signature: signature.to_ascii_lowercase(),
        })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("32 bytes")
    }

    #[test]
    fn only_the_pinned_key_over_these_very_bytes_proves_a_feed() {
        let (own, other) = (pair(1), pair(2));
        let key = own.public_key().as_ref().try_into().expect("32 bytes");
        let feeds = Feeds::new([("province".to_owned(), key)]);
        let body = b"{\"v\":1}";
        let header = |scheme: &str, name: &str, pair: &Ed25519KeyPair, of: &[u8]| {
            format!("{scheme} {name} {}", hex::encode(pair.sign(of)))
        };
        let good = header("Tocsin-Feed", "province", &own, body);
        let proven = feeds.prove(Some(&good), body).expect("it is proved");
        assert_eq!(proven.feed, "province");
        for bad in [
            header("Bearer", "province", &own, body),
            header("Tocsin-Feed", "country", &own, body),
            header("Tocsin-Feed", "province", &other, body),
            header("Tocsin-Feed", "province", &own, b"{\"v\":2}"),
            format!("{good} more"),
            "Tocsin-Feed province zz".into(),
            "Tocsin-Feed".into(),
            String::new(),
        ] {
            assert_eq!(feeds.prove(Some(&bad), body), None, "{bad}");
        }
        assert_eq!(feeds.prove(None, body), None);
        assert!(Feeds::new([]).is_empty() && !feeds.is_empty());
    }
}
