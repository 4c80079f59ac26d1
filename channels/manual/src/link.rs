//! Signed links: who has one may see one item, or one outlet's list, and enter what was done. A link names a delivery or a
//! place and never a person. It is proved before anything is looked up. This module must not know what lies behind it.

use channel::link::{Seal, put, take};
use channel::{Key, Secret, Timestamp};

/// Makes and proves the links of one channel.
pub struct Links {
    seal: Seal,
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
        let channel = channel.into();
        Self {
            seal: Seal::new(secret, format!("tocsin-manual-1\n{channel}")),
            channel,
        }
    }

    /// The path of one item, until then.
    pub fn item(&self, key: Key, until: Timestamp) -> String {
        let until = until.secs();
        let mac = self
            .seal
            .mac(&["item", &key.to_string(), &until.to_string()]);
        format!("/v1/channels/{}/i/{key}/{until}/{mac}", self.channel)
    }

    /// The path of an outlet's list; it does not expire.
    pub fn outlet(&self, address: &str) -> String {
        let mac = self.seal.mac(&["outlet", address]);
        format!("/v1/channels/{}/o/{address}/{mac}", self.channel)
    }

    /// The path of one item at an officer's desk, until then: the bureau's own, and proved with the rest.
    pub fn desk(&self, key: Key, until: Timestamp, operator: &str) -> String {
        let until = until.secs();
        let parts = ["desk", &key.to_string(), &until.to_string(), operator];
        let mac = self.seal.mac(&parts);
        format!(
            "/v1/channels/{}/d/{key}/{until}/{operator}/{mac}",
            self.channel
        )
    }

    pub(crate) fn open_desk(
        &self,
        (key, until, operator, mac): (&str, &str, &str, &str),
        now: Timestamp,
    ) -> Result<Key, Shut> {
        self.proves(&["desk", key, until, operator], mac)?;
        stands(key, until, now)
    }

    /// The path of one item for a text message, until then: its numbers as bytes, and a short proof.
    pub fn short(&self, key: Key, until: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(14);
        put(&mut bytes, key.alert);
        put(&mut bytes, key.delivery.into());
        put(
            &mut bytes,
            u64::try_from(until.secs()).unwrap_or(0).div_ceil(60),
        );
        format!("/v1/channels/{}/s/{}", self.channel, self.seal.code(&bytes))
    }

    /// What a short link is for, and until when.
    pub(crate) fn open_short(&self, code: &str, now: Timestamp) -> Result<(Key, Timestamp), Shut> {
        let payload = self.seal.open(code).ok_or(Shut::Forged)?;
        let mut payload = payload.as_slice();
        let mut next = || take(&mut payload).ok_or(Shut::Forged);
        let (alert, delivery, minutes) = (next()?, next()?, next()?);
        let until = i64::try_from(minutes).map_err(|_| Shut::Forged)?;
        let until = Timestamp::from_secs(until.saturating_mul(60));
        let key = Key {
            alert,
            delivery: u32::try_from(delivery).map_err(|_| Shut::Forged)?,
            generation: 0,
        };
        if now <= until {
            Ok((key, until))
        } else {
            Err(Shut::Expired)
        }
    }

    pub(crate) fn open_item(
        &self,
        (key, until, mac): (&str, &str, &str),
        now: Timestamp,
    ) -> Result<Key, Shut> {
        self.proves(&["item", key, until], mac)?;
        stands(key, until, now)
    }

    pub(crate) fn open_outlet(&self, address: &str, mac: &str) -> Result<(), Shut> {
        self.proves(&["outlet", address], mac)
    }

    fn proves(&self, parts: &[&str], mac: &str) -> Result<(), Shut> {
        if self.seal.proves(parts, mac) {
            Ok(())
        } else {
            Err(Shut::Forged)
        }
    }
}

/// What is proved was written here, so it can be read.
fn stands(key: &str, until: &str, now: Timestamp) -> Result<Key, Shut> {
    let key = key.parse().map_err(|()| Shut::Forged)?;
    let until: i64 = until.parse().map_err(|_| Shut::Forged)?;
    if now.secs() <= until {
        Ok(key)
    } else {
        Err(Shut::Expired)
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
    fn a_desks_link_is_that_bureaus_alone_and_no_link_of_the_outlet() {
        let links = links("tv");
        let path = links.desk(KEY, UNTIL, "duty");
        let rest = path.strip_prefix("/v1/channels/tv/d/").expect("a desk");
        let parts: Vec<_> = rest.split('/').collect();
        let [key, until, operator, mac] = parts[..] else {
            panic!("four parts: {rest}")
        };
        let open = |operator| links.open_desk((key, until, operator, mac), UNTIL);
        assert_eq!(open(operator), Ok(KEY));
        assert_eq!(open("other"), Err(Shut::Forged));
        let as_item = links.open_item((key, until, mac), UNTIL);
        assert_eq!(as_item, Err(Shut::Forged));
        let late = links.open_desk((key, until, operator, mac), Timestamp(UNTIL.0 + 1000));
        assert_eq!(late, Err(Shut::Expired));
    }

    #[test]
    fn a_short_link_is_short_opens_its_own_item_until_its_end_and_no_changed_byte_does() {
        let links = links("tv");
        let late = Key {
            alert: 2_000_000,
            delivery: 5_000_000,
            generation: 0,
        };
        for key in [KEY, late] {
            let path = links.short(key, UNTIL);
            let code = path.strip_prefix("/v1/channels/tv/s/").expect("a code");
            assert!(code.len() <= 32, "{code}");
            let (opened, until) = links.open_short(code, UNTIL).expect("it opens");
            assert_eq!(opened, key);
            assert!(until >= UNTIL && until < Timestamp(UNTIL.0 + 60_000));
            let after = Timestamp(UNTIL.0 + 60_000);
            assert_eq!(links.open_short(code, after), Err(Shut::Expired));
            for at in 0..code.len() {
                let mut changed = code.to_owned().into_bytes();
                // Not the last bits alone, which a reader may pass over.
                changed[at] = if changed[at] == b'A' { b'a' } else { b'A' };
                let changed = String::from_utf8(changed).expect("plain");
                let opened = links.open_short(&changed, UNTIL);
                assert!(opened == Err(Shut::Forged), "{changed}: {opened:?}");
            }
        }
        for wrong in ["", "AAAA", "信", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(links.open_short(wrong, UNTIL), Err(Shut::Forged));
        }
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
