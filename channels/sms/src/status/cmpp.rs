//! What a `Result` of CMPP means for a message. This module must not decide what follows: the class does.

use channel::{Failure, FailureClass};

pub const OK: u32 = 0;
pub const TOO_LONG: u32 = 6;
pub const FLOW_CONTROL: u32 = 8;
pub const NOT_SERVED: u32 = 9;
pub const BAD_DESTINATION: u32 = 13;
/// The login's own status: the account is not proved.
pub const AUTHENTICATION: u32 = 3;

/// The class of an answer to a submit. An unknown result, a vendor's too, may pass: it is tried again.
pub const fn class(result: u32) -> FailureClass {
    match result {
        FLOW_CONTROL => FailureClass::Throttled,
        // This gateway does not serve the number; the number is wrong.
        NOT_SERVED | BAD_DESTINATION => FailureClass::BadAddress,
        // Structure, command, length, fee code, text too long, service code, Src_Id, Msg_src, Fee_terminal_Id
        1 | 2 | 4..=7 | 10..=12 => FailureClass::BadContent,
        // 3, a sequence number used twice, goes again with another; and the unknown
        _ => FailureClass::Transient,
    }
}

/// `cmpp:8`.
pub fn code(result: u32) -> String {
    format!("cmpp:{result}")
}

/// The failure of a part that the far end refused.
pub fn refused(result: u32) -> Failure {
    // CMPP has no word for how long to wait: a throttled lane takes its own breath.
    let failure = Failure::new(
        class(result),
        code(result),
        "CMPP_SUBMIT was refused; look the result up in the protocol, CMPP_SUBMIT_RESP",
    );
    if matches!(result, NOT_SERVED | BAD_DESTINATION) {
        failure.not_served()
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_of_the_facts_has_its_class() {
        use FailureClass::{BadAddress, BadContent, Throttled, Transient};
        let table = [
            (Throttled, &[8][..]),
            (Transient, &[3, 14, 255, 0x0100_0000]),
            (BadAddress, &[9, 13]),
            (BadContent, &[1, 2, 4, 5, 6, 7, 10, 11, 12]),
        ];
        for (wanted, results) in table {
            for result in results {
                assert_eq!(class(*result), wanted, "{result}");
            }
        }
        assert_eq!(refused(8).code, "cmpp:8");
        assert_eq!(refused(8).retry_after, None);
        // Only these say that another account may serve the number.
        let elsewhere = (0..300).filter(|result| refused(*result).not_served);
        assert_eq!(elsewhere.collect::<Vec<_>>(), [9, 13]);
    }
}
