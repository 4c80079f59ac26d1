//! Keys that need no table: a device's key, an order's id and the reference of an order at a device are all derived from
//! the channel's secret, so that a restart forgets none. This module must not compare secrets but in constant time.

use channel::Key;
use ring::hmac;

/// The bearer key of one device: HMAC-SHA256 of its id under the channel's secret, in hex.
pub fn device_key(secret: &str, device: &str) -> String {
    hex::encode(hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        device.as_bytes(),
    ))
}

/// Hex digits of a proof: 64 bits, tried online only.
const PROOF: usize = 16;
/// Hex digits of a content hash within one alert.
const CONTENT: usize = 12;
/// No order's id is longer.
const LONGEST_ID: usize = 80;

pub(crate) struct Keys(hmac::Key);

impl Keys {
    pub(crate) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The id of an order: alert, generation, content, and a proof that this gateway gave it.
    pub(crate) fn order(&self, of: Key, content: &str) -> String {
        let content = content.get(..CONTENT).unwrap_or(content);
        let plain = format!("{}-{}-{content}", of.alert, of.generation);
        let proof = self.proof("order", &plain);
        format!("{plain}-{proof}")
    }

    /// Whether this gateway gave an order this id.
    pub(crate) fn gave(&self, order: &str) -> bool {
        let Some((plain, proof)) = order.rsplit_once('-') else {
            return false;
        };
        if order.len() > LONGEST_ID {
            return false;
        }
        // Two MACs of equal length under a fresh comparison: verify the MAC of the shown text, not the text.
        let right = hmac::sign(&self.0, self.proof("order", plain).as_bytes());
        hmac::verify(&self.0, proof.as_bytes(), right.as_ref()).is_ok()
    }

    /// What the journal knows an order at one device by, so that a report finds its delivery after a restart too.
    pub(crate) fn reference(&self, device: &str, order: &str) -> String {
        self.proof("at", &format!("{device}\n{order}"))
    }

    fn proof(&self, what: &str, of: &str) -> String {
        // The line feed stands in no device id, so a proof is never a device key.
        let mut tag = hex::encode(hmac::sign(&self.0, format!("{what}\n{of}").as_bytes()));
        tag.truncate(PROOF);
        tag
    }

    /// Whether an `authorization` header proves this device.
    pub(crate) fn proves(&self, device: &str, authorization: Option<&str>) -> bool {
        authorization
            .and_then(|header| header.strip_prefix("Bearer "))
            .and_then(|key| hex::decode(key.trim()).ok())
            .is_some_and(|tag| hmac::verify(&self.0, device.as_bytes(), &tag).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Key = Key {
        alert: 7,
        delivery: 2,
        generation: 0,
    };

    #[test]
    fn only_the_right_key_proves_a_device() {
        let keys = Keys::new("a secret of the channel");
        let right = format!(
            "Bearer {}",
            device_key("a secret of the channel", "510727-1")
        );
        assert!(keys.proves("510727-1", Some(&right)));
        assert!(!keys.proves("510727-2", Some(&right)));
        assert!(!keys.proves("510727-1", Some(&right[..40])));
        assert!(!keys.proves("510727-1", Some("Bearer ")));
        assert!(!keys.proves("510727-1", None));
    }

    #[test]
    fn an_orders_id_is_one_for_all_deliveries_of_a_text_and_cannot_be_made_up() {
        let keys = Keys::new("s");
        let id = keys.order(OF, "0123456789abcdef");
        let other = Key { delivery: 3, ..OF };
        assert_eq!(id, keys.order(other, "0123456789abcdef"));
        assert!(
            id.starts_with("7-0-0123456789ab-") && keys.gave(&id),
            "{id}"
        );
        let repeat = Key {
            generation: 1,
            ..OF
        };
        assert_ne!(id, keys.order(repeat, "0123456789abcdef"));
        for wrong in [
            "",
            "7-0-0123456789ab",
            &id.replace("7-0", "8-0"),
            &id[..id.len() - 1],
        ] {
            assert!(!keys.gave(wrong), "{wrong}");
        }
        assert!(!Keys::new("t").gave(&id));
    }

    #[test]
    fn a_reference_holds_for_one_device_and_one_order() {
        let keys = Keys::new("s");
        assert_eq!(keys.reference("a", "7-0-x"), keys.reference("a", "7-0-x"));
        assert_ne!(keys.reference("a", "7-0-x"), keys.reference("b", "7-0-x"));
        assert_ne!(keys.reference("a", "7-0-x"), keys.reference("a", "7-0-y"));
    }
}
