//! Signed links: who has one may see one item, or one outlet's list, and enter what was done. A link names a delivery or a
//! place and never a person. It is proved before anything is looked up. This module must not know what lies behind it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel::{Key, Secret, Timestamp};
use ring::hmac;

/// Makes and proves the links of one channel.
pub struct Links {
    key: hmac::Key,
    channel: String,
}

/// Why a link is not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shut {
    /// Not made by this channel, or changed since.
    Forged,
    Expired,
}

impl Links {
    /// `channel` is the configured name: what one channel gives, another does not take.
    pub fn new(secret: &Secret, channel: impl Into<String>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
            channel: channel.into(),
        }
    }

    /// The path of one item, until then.
    pub fn item(&self, key: Key, until: Timestamp) -> String {
        let until = until.secs();
        let mac = self.mac(&["item", &key.to_string(), &until.to_string()]);
        format!("/v1/channels/{}/i/{key}/{until}/{mac}", self.channel)
    }

    /// The path of an outlet's list; it does not expire.
    pub fn outlet(&self, address: &str) -> String {
        let mac = self.mac(&["outlet", address]);
        format!("/v1/channels/{}/o/{address}/{mac}", self.channel)
    }

    pub(crate) fn open_item(
        &self,
        (key, until, mac): (&str, &str, &str),
        now: Timestamp,
    ) -> Result<Key, Shut> {
        self.proves(&["item", key, until], mac)?;
        // Proved, so it was written by `item`.
        let key = key.parse().map_err(|()| Shut::Forged)?;
        let until: i64 = until.parse().map_err(|_| Shut::Forged)?;
        if now.secs() <= until {
            Ok(key)
        } else {
            Err(Shut::Expired)
        }
    }

    pub(crate) fn open_outlet(&self, address: &str, mac: &str) -> Result<(), Shut> {
        self.proves(&["outlet", address], mac)
    }

    fn signed(&self, parts: &[&str]) -> String {
        format!("tocsin-manual-1\n{}\n{}", self.channel, parts.join("\n"))
    }

    fn mac(&self, parts: &[&str]) -> String {
        let mac = hmac::sign(&self.key, self.signed(parts).as_bytes());
        URL_SAFE_NO_PAD.encode(mac)
    }

    /// In constant time.
    fn proves(&self, parts: &[&str], mac: &str) -> Result<(), Shut> {
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| Shut::Forged)?;
        hmac::verify(&self.key, self.signed(parts).as_bytes(), &mac).map_err(|_| Shut::Forged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key {
        alert: 7,
        delivery: 2,
        generation: 0,
    };
    const UNTIL: Timestamp = Timestamp(1_784_041_080_000);

    fn links(channel: &str) -> Links {
        Links::new(&Secret::new("only for these tests"), channel)
    }

    fn parts(path: &str) -> [String; 3] {
        let rest = path.strip_prefix("/v1/channels/tv/i/").expect("an item");
        let parts: Vec<_> = rest.split('/').map(str::to_owned).collect();
        parts.try_into().expect("three parts")
    }

    #[test]
    fn a_link_opens_its_own_item_until_its_end() {
        let links = links("tv");
        let [key, until, mac] = parts(&links.item(KEY, UNTIL));
        let open = |now| links.open_item((&key, &until, &mac), now);
        assert_eq!(open(UNTIL), Ok(KEY));
        assert_eq!(open(Timestamp(UNTIL.0 + 1000)), Err(Shut::Expired));
    }

    #[test]
    fn no_changed_byte_and_no_other_channel_opens_it() {
        let own = links("tv");
        let [key, until, mac] = parts(&own.item(KEY, UNTIL));
        let now = Timestamp(0);
        let forged = |k: &str, u: &str, m: &str| {
            assert_eq!(
                own.open_item((k, u, m), now),
                Err(Shut::Forged),
                "{k} {u} {m}"
            );
        };
        forged("7-3-0", &until, &mac);
        forged("8-2-0", &until, &mac);
        forged(&key, "9999999999", &mac);
        forged(&key, &until, "");
        forged(&key, &until, &mac[1..]);
        forged(&key, &until, "信");
        for at in 0..mac.len() {
            let mut changed = mac.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            forged(&key, &until, &String::from_utf8(changed).expect("plain"));
        }
        let other = links("led").open_item((&key, &until, &mac), now);
        assert_eq!(other, Err(Shut::Forged));
        let secret = Links::new(&Secret::new("another secret!!"), "tv");
        assert_eq!(
            secret.open_item((&key, &until, &mac), now),
            Err(Shut::Forged)
        );
    }

    #[test]
    fn an_outlets_link_is_for_that_outlet() {
        let links = links("tv");
        let path = links.outlet("tv:pingwu");
        let mac = path.rsplit('/').next().expect("a mac");
        assert_eq!(links.open_outlet("tv:pingwu", mac), Ok(()));
        assert_eq!(links.open_outlet("tv:beichuan", mac), Err(Shut::Forged));
    }
}
