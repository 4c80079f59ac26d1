//! Ids that need no table: an order's id and the reference of an order at a device are derived from the channel's secret,
//! so that a restart forgets none. This module must not compare secrets but in constant time.

use channel::Key;
use ring::hmac;

/// Hex digits of a proof: 64 bits, tried online only.
const PROOF: usize = 16;
/// Hex digits of a content hash within one alert.
const CONTENT: usize = 12;
/// No order's id is longer.
const LONGEST_ID: usize = 80;
/// Alerts count from 1.
const NO_ALERT: &str = "0-";

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

    /// The id of an order that belongs to no alert.
    pub(crate) fn command(&self, serial: u64, kind: &str) -> String {
        let plain = format!("{NO_ALERT}{serial}-{kind}");
        let proof = self.proof("order", &plain);
        format!("{plain}-{proof}")
    }

    /// The serial in an id that `command` made.
    pub(crate) fn serial(order: &str) -> Option<u64> {
        let (serial, _) = order.strip_prefix(NO_ALERT)?.split_once('-')?;
        serial.parse().ok()
    }

    /// The kind in an id that `command` made.
    pub(crate) fn kind(order: &str) -> Option<&str> {
        let (_, kind) = order.strip_prefix(NO_ALERT)?.split_once('-')?;
        kind.rsplit_once('-').map(|(kind, _)| kind)
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
        let mut tag = hex::encode(hmac::sign(&self.0, format!("{what}\n{of}").as_bytes()));
        tag.truncate(PROOF);
        tag
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
    fn the_id_of_an_order_without_an_alert_tells_its_serial_and_cannot_be_made_up() {
        let keys = Keys::new("s");
        let id = keys.command(412, "stop-all");
        assert!(id.starts_with("0-412-stop-all-") && keys.gave(&id), "{id}");
        assert_eq!(
            (Keys::serial(&id), Keys::kind(&id)),
            (Some(412), Some("stop-all"))
        );
        assert!(!keys.gave(&id.replace("412", "413")));
        let of_alert = keys.order(OF, "0123456789abcdef");
        assert_eq!(
            (Keys::serial(&of_alert), Keys::kind(&of_alert)),
            (None, None)
        );
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
