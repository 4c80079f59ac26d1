//! What the status of a report (TP-ST, 3GPP TS 23.040 section 9.2.3.15) says of a message. This module must not know which.

use channel::{Evidence, FailureClass, Verdict};

/// Only a phone that has the message proves anything: a centre that forwarded it and cannot tell says so by another code.
pub const fn verdict(status: u8) -> Verdict {
    match status {
        0x00 => Verdict::Reached(Evidence::Delivered),
        // Forwarded unconfirmed, replaced, its own codes; then: still trying.
        0x01..=0x3F => Verdict::Progress,
        // A destination that takes no texts.
        0x41 => Verdict::Refused(FailureClass::BadAddress),
        // Expired, deleted, out of reach, given up: of this try, not of the phone.
        _ => Verdict::Refused(FailureClass::Transient),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_that_the_phone_has_is_delivered() {
        assert_eq!(verdict(0), Verdict::Reached(Evidence::Delivered));
        for status in [0x01, 0x02, 0x1F, 0x20, 0x30, 0x3F] {
            assert_eq!(verdict(status), Verdict::Progress, "{status:#x}");
        }
        assert_eq!(verdict(0x41), Verdict::Refused(FailureClass::BadAddress));
        for status in [0x40, 0x46, 0x49, 0x5F, 0x60, 0x7F, 0x80, 0xFF] {
            assert_eq!(
                verdict(status),
                Verdict::Refused(FailureClass::Transient),
                "{status:#x}"
            );
        }
    }
}
