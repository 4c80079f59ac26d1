//! What one protocol says where the session asks: its frames, its login, its words for taken and refused. Everything else
//! (window, timers, coming back, receipts) is the session's and the same for all. This module must not keep state: what
//! a connection remembers is handed in.

pub(crate) mod cmpp;
pub(crate) mod smpp;

use std::sync::Arc;

use channel::{Failure, FailureClass, Receipt, Timestamp, Uplink};

use crate::codec::Malformed;
use crate::text::{Coding, Encoded};

/// Sequence numbers run from 1 to this and begin again, in every protocol.
pub(crate) const MAX_SEQUENCE: u32 = 0x7FFF_FFFF;
/// The login's own sequence number; the session goes on from here.
pub(crate) const LOGIN_SEQUENCE: u32 = 1;

/// How a protocol calls what every protocol has; in codes and in words to people.
pub(crate) struct Words {
    /// `smpp`
    pub protocol: &'static str,
    /// The request that carries a text.
    pub submit: &'static str,
    /// The request that asks for a sign of life.
    pub enquire: &'static str,
    pub login: &'static str,
    pub no_answer: &'static str,
    pub malformed: &'static str,
    pub dead: &'static str,
    pub stopped: &'static str,
    pub unbound: &'static str,
    /// What to look at when the login is refused.
    pub keys: &'static str,
}

/// What a login leaves to be compared with its answer.
#[derive(Clone, Copy, Default)]
pub(crate) struct Proof(pub [u8; 16]);

/// Our answer to something that the far end sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ack {
    pub sequence: u32,
    pub says: Says,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Says {
    /// A receipt or a reply is kept; its own id, where the protocol repeats it.
    Kept(u64),
    /// A receipt or a reply that cannot be read, and never will be.
    Unreadable(u64),
    Alive,
    Farewell,
    /// A request that we do not serve.
    Unknown,
}

/// One frame of the far end, understood.
pub(crate) enum Heard {
    /// The answer to what we sent under this number: the far end's reference, or why not. `ends` when it says besides
    /// that there is no session.
    Answer {
        sequence: u32,
        result: Result<String, Failure>,
        ends: bool,
    },
    Receipt(Ack, Receipt),
    /// A person wrote.
    Uplink(Ack, Uplink),
    Unreadable(Option<Ack>),
    /// To be answered, and no more.
    Say(Ack),
    /// The far end ends the session.
    Farewell(Ack),
    /// It answers our farewell.
    Parted,
    Nothing,
}

/// What the messages of a run have in common.
pub(crate) struct Sheet {
    pub text: Arc<Encoded>,
    pub validity: String,
    /// To be shown at once, and not kept by the handset.
    pub flash: bool,
}

/// One part of one message.
pub(crate) struct Part<'a> {
    pub dest: &'a str,
    pub header: &'a [u8],
    pub text: &'a [u8],
    /// From 1, and how many there are.
    pub number: u8,
    pub total: u8,
}

pub(crate) trait Dialect: Send + Sync + 'static {
    fn words(&self) -> &'static Words;
    fn coding(&self) -> Coding;
    /// The number as the wire wants it; `None` where it is no number.
    fn dialled<'a>(&self, address: &'a str) -> Option<&'a str>;
    /// A message's expiry as the wire wants it.
    fn validity(&self, expires: Timestamp, now: Timestamp) -> String;

    /// The length of the frame at the start of the buffer, or `None` where more bytes must come first.
    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed>;
    fn login(&self, now: Timestamp, out: &mut Vec<u8>) -> Proof;
    fn admitted(&self, frame: &[u8], proof: Proof) -> Result<(), Failure>;
    /// Nothing but a person changes this refusal.
    fn needs_a_person(&self, why: &Failure) -> bool;
    fn hear(&self, frame: &[u8], seen: Timestamp) -> Heard;

    fn submit(&self, sheet: &Sheet, part: &Part<'_>, sequence: u32, out: &mut Vec<u8>);
    fn enquire(&self, sequence: u32, out: &mut Vec<u8>);
    fn farewell(&self, sequence: u32, out: &mut Vec<u8>);
    fn answer(&self, ack: Ack, out: &mut Vec<u8>);
}

pub(crate) fn down(
    code: impl Into<std::borrow::Cow<'static, str>>,
    detail: impl Into<std::borrow::Cow<'static, str>>,
) -> Failure {
    Failure::new(FailureClass::LinkDown, code, detail)
}

impl Words {
    pub fn no_protocol(&self) -> Failure {
        let detail = format!(
            "the far end sent bytes that are no {}; check host and port",
            self.protocol.to_uppercase()
        );
        down(self.malformed, detail)
    }

    /// It answered with something else than the login's answer.
    pub fn spoke_first(&self) -> Failure {
        down(
            self.malformed,
            format!("the far end spoke before it answered {}", self.login),
        )
    }

    pub fn refused_login(&self, code: String) -> Failure {
        down(
            code,
            format!("{} was refused; check {}", self.login, self.keys),
        )
    }
}

/// Digits only; an international plus is said otherwise.
pub(crate) fn digits(address: &str) -> Option<&str> {
    let digits = address.strip_prefix('+').unwrap_or(address);
    let plain =
        (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_dialled() {
        assert_eq!(digits("+8600000000001"), Some("8600000000001"));
        assert_eq!(digits("10086"), Some("10086"));
        for wrong in ["", "+", "86 000", "a@example", "123456789012345678901"] {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }
}
