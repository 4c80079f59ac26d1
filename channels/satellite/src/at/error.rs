//! A modem's refusals (`+CMS ERROR`, `+CME ERROR`; 3GPP TS 27.005 section 3.2.5, 24.011 annex E) and what each means for a
//! message. This module must not retry anything.

use std::time::Duration;

use channel::{Failure, FailureClass};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Without a code.
    Plain,
    /// `+CMS ERROR`.
    Message(u16),
    /// `+CME ERROR`.
    Equipment(u16),
}

/// How long a congested network is left alone.
const CONGESTED: Duration = Duration::from_mins(1);

const fn of_message(code: u16) -> (FailureClass, &'static str) {
    use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
    match code {
        1 => (BadAddress, "the number is not assigned"),
        28 | 30 => (BadAddress, "the network does not know the number"),
        8 | 10 | 29 | 50 | 69 => (LinkDown, "the network bars this card from sending texts"),
        22 | 42 => (Throttled, "the network is congested"),
        81 | 95..=99 | 111 | 304 | 305 => (BadContent, "the message is malformed"),
        302 | 303 => (LinkDown, "the modem does not let texts be sent"),
        310 => (LinkDown, "there is no SIM card"),
        311 | 312 | 316..=318 => (LinkDown, "the SIM card wants a PIN or PUK"),
        313 | 315 => (LinkDown, "the SIM card is broken"),
        330 => (LinkDown, "no SMS centre is set; set `centre`"),
        331 => (LinkDown, "the modem has no network"),
        // The centre may have taken it.
        332 => (InDoubt, "the network did not answer in time"),
        322 => (Transient, "the modem's storage is full"),
        314 => (Transient, "the SIM card is busy"),
        _ => (Transient, "the modem or the network refused the text"),
    }
}

const fn of_equipment(code: u16) -> (FailureClass, &'static str) {
    use FailureClass::{LinkDown, Transient};
    match code {
        10 => (LinkDown, "there is no SIM card"),
        11 | 12 | 17 | 18 => (LinkDown, "the SIM card wants a PIN or PUK"),
        13 | 15 => (LinkDown, "the SIM card is broken"),
        16 => (LinkDown, "the PIN is wrong"),
        3 | 4 => (LinkDown, "the modem does not let texts be sent"),
        30 => (LinkDown, "the modem has no network"),
        _ => (Transient, "the modem is busy or refused the text"),
    }
}

impl Refusal {
    /// Short, as it is shown and counted.
    pub fn code(self) -> String {
        match self {
            Self::Plain => "modem:error".to_owned(),
            Self::Message(code) => format!("cms:{code}"),
            Self::Equipment(code) => format!("cme:{code}"),
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Plain => "the modem refused, and did not say why",
            Self::Message(code) => of_message(code).1,
            Self::Equipment(code) => of_equipment(code).1,
        }
    }

    /// What it means for the message that was being sent.
    pub fn failure(self) -> Failure {
        let (class, words) = match self {
            Self::Plain => (FailureClass::Transient, self.words()),
            Self::Message(code) => of_message(code),
            Self::Equipment(code) => of_equipment(code),
        };
        let failure = Failure::new(class, self.code(), words);
        if class == FailureClass::Throttled {
            failure.retry_after(CONGESTED)
        } else {
            failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class() {
        use FailureClass::{BadAddress, BadContent, InDoubt, LinkDown, Throttled, Transient};
        for (class, codes) in [
            (BadAddress, &[1, 28, 30][..]),
            (BadContent, &[96, 111, 304]),
            (LinkDown, &[10, 310, 311, 313, 330, 331]),
            (Throttled, &[22, 42]),
            (InDoubt, &[332]),
            (
                Transient,
                &[17, 21, 27, 38, 41, 47, 314, 322, 500, 512, 9_999],
            ),
        ] {
            for code in codes {
                assert_eq!(Refusal::Message(*code).failure().class, class, "{code}");
            }
        }
        assert_eq!(Refusal::Equipment(14).failure().class, Transient);
        assert_eq!(Refusal::Equipment(12).failure().class, LinkDown);
        assert_eq!(Refusal::Plain.failure().class, Transient);
        let failure = Refusal::Message(42).failure();
        assert_eq!(
            (failure.code.as_ref(), failure.retry_after),
            ("cms:42", Some(CONGESTED))
        );
    }
}
