//! What a `command_status` means for a message: the one table from SMPP codes to failure classes. This module must
//! not decide what follows: the class does.

use channel::{Failure, FailureClass};

pub const OK: u32 = 0x00;
pub const INVALID_COMMAND: u32 = 0x03;
pub const INVALID_BIND_STATUS: u32 = 0x04;
pub const INVALID_DESTINATION: u32 = 0x0B;
pub const INVALID_PASSWORD: u32 = 0x0E;
pub const THROTTLED: u32 = 0x58;
pub const PERMANENT: u32 = 0x65;
pub const REJECTED: u32 = 0x66;

/// The class of an answer to `submit_sm`. An unknown code, a vendor's too, may pass: it is tried again.
pub const fn class(status: u32) -> FailureClass {
    match status {
        // RMSGQFUL, RTHROTTLED
        0x14 | 0x58 => FailureClass::Throttled,
        // RINVBNDSTS, RALYBND; RBINDFAIL, RINVPASWD, RINVSYSID; RINVSYSTYP
        0x04 | 0x05 | 0x0D..=0x0F | 0x53 => FailureClass::LinkDown,
        // RINVDSTADR
        0x0B => FailureClass::BadAddress,
        // Lengths and ids; flags; RINVSRCADR; service type; destinations; submit flags; types of number and plans;
        // times; RX_P_APPN, RX_R_APPN; optional parameters
        0x01..=0x03
        | 0x06
        | 0x07
        | 0x0A
        | 0x15
        | 0x33
        | 0x34
        | 0x40..=0x44
        | 0x48..=0x51
        | 0x54
        | 0x61..=0x63
        | 0x65
        | 0x66
        | 0xC0..=0xC4 => FailureClass::BadContent,
        // RSYSERR, RSUBMITFAIL, RX_T_APPN, delivery failure and the unknown
        _ => FailureClass::Transient,
    }
}

/// `smpp:0x58`.
pub fn code(status: u32) -> String {
    format!("smpp:0x{status:02X}")
}

/// The failure of a part that the far end refused.
pub fn refused(status: u32) -> Failure {
    // SMPP has no word for how long to wait: a throttled lane takes its own breath.
    let failure = Failure::new(
        class(status),
        code(status),
        "submit_sm was refused; look the code up in SMPP 3.4, 5.1.3",
    );
    // The number is wrong, or not one that this far end reaches: it does not say which.
    if status == INVALID_DESTINATION {
        failure.not_served()
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_facts_has_its_class() {
        use FailureClass::{BadAddress, BadContent, LinkDown, Throttled, Transient};
        let table = [
            (Throttled, &[0x58, 0x14][..]),
            (
                Transient,
                &[0x08, 0x45, 0x64, 0xFE, 0xFF, 0x400, 0xFFFF_FFFF],
            ),
            (LinkDown, &[0x04, 0x05, 0x0D, 0x0E, 0x0F]),
            (BadAddress, &[0x0B]),
            (
                BadContent,
                &[
                    0x01, 0x02, 0x03, 0x0A, 0x33, 0x40, 0x43, 0x44, 0x48, 0x51, 0x61, 0x62, 0x65,
                    0x66, 0xC0, 0xC4,
                ],
            ),
        ];
        for (wanted, codes) in table {
            for status in codes {
                assert_eq!(class(*status), wanted, "0x{status:02X}");
            }
        }
        assert_eq!(refused(0x58).code, "smpp:0x58");
        let elsewhere = (0..0x500).filter(|status| refused(*status).not_served);
        assert_eq!(elsewhere.collect::<Vec<_>>(), [0x0B]);
        assert!(
            [0x58, 0x14, 0x0B]
                .map(refused)
                .iter()
                .all(|f| f.retry_after.is_none())
        );
    }
}
