//! Keys that need no table: a device's key and the ticket of an order are both derived from the channel's secret, so
//! that a restart forgets neither. This module must not compare secrets but in constant time.

use channel::Key;
use ring::hmac;

/// The bearer key of one device: HMAC-SHA256 of its id under the channel's secret, in hex.
pub fn device_key(secret: &str, device: &str) -> String {
    hex::encode(hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        device.as_bytes(),
    ))
}

/// What a report must echo: the proof that this order was given to this device, so that one stolen controller cannot
/// report for another.
pub fn ticket(secret: &str, device: &str, order: Key) -> String {
    let mut tag = Keys::new(secret).sign_ticket(device, order);
    tag.truncate(TICKET);
    tag
}

/// Hex digits of a ticket: 64 bits, tried online only.
const TICKET: usize = 16;

pub(crate) struct Keys(hmac::Key);

impl Keys {
    pub(crate) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    fn sign_ticket(&self, device: &str, order: Key) -> String {
        // The line feed stands in no device id, so a ticket is never a device key.
        hex::encode(hmac::sign(
            &self.0,
            format!("report\n{device}\n{order}").as_bytes(),
        ))
    }

    pub(crate) fn ticket(&self, device: &str, order: Key) -> String {
        let mut tag = self.sign_ticket(device, order);
        tag.truncate(TICKET);
        tag
    }

    /// Whether an `authorization` header proves this device.
    pub(crate) fn proves(&self, device: &str, authorization: Option<&str>) -> bool {
        authorization
            .and_then(|header| header.strip_prefix("Bearer "))
            .and_then(|key| hex::decode(key.trim()).ok())
            .is_some_and(|tag| hmac::verify(&self.0, device.as_bytes(), &tag).is_ok())
    }

    pub(crate) fn proves_ticket(&self, device: &str, order: Key, shown: &str) -> bool {
        // Two MACs of equal length under a fresh comparison: verify the MAC of the shown text, not the text.
        let right = hmac::sign(&self.0, self.ticket(device, order).as_bytes());
        hmac::verify(&self.0, shown.as_bytes(), right.as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Key = Key {
        alert: 1,
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
    fn a_ticket_holds_for_one_device_and_one_order() {
        let keys = Keys::new("s");
        let right = ticket("s", "a", ORDER);
        assert!(keys.proves_ticket("a", ORDER, &right));
        assert!(!keys.proves_ticket("b", ORDER, &right));
        assert!(!keys.proves_ticket(
            "a",
            Key {
                delivery: 3,
                ..ORDER
            },
            &right
        ));
        assert!(!keys.proves_ticket("a", ORDER, ""));
    }
}
