//! What sentences mean in the two forms of the protocol, 2.1 and Beidou-3. Where public material does not say how a field is
//! laid out, the layout is a setting of its own ([`Assumed`]). This module must not wait for anything.

use std::time::Duration;

use channel::{Failure, FailureClass};
use serde::Deserialize;

use super::sentence;

/// Which form a terminal speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Version {
    #[default]
    #[serde(rename = "2.1")]
    Two,
    #[serde(rename = "3")]
    Three,
}

/// How Chinese characters come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hanzi {
    /// GBK in hexadecimal, as they go out.
    #[default]
    Hex,
    /// The bytes of GBK themselves.
    Raw,
}

/// What no public material says, and a terminal may do otherwise. Fields count from 1, behind the sentence's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assumed {
    /// Characters in `TXR` and `TCI`.
    pub hanzi: Hanzi,
    /// Where `BDICP` tells the interval in seconds. Without it `interval` holds.
    pub icp_interval: Option<usize>,
    /// Where `BDTCI` tells who sent it, and what. Without both it is counted and not read.
    pub tci_sender: Option<usize>,
    pub tci_content: Option<usize>,
    /// What stands before the data of mixed texts in Beidou-3, as `A4` does in 2.1.
    pub mixed_mark: Option<u8>,
}

impl Assumed {
    pub(super) fn is_valid(&self) -> bool {
        let fields = [self.icp_interval, self.tci_sender, self.tci_content];
        let counted = fields
            .iter()
            .flatten()
            .all(|field| (1..=20).contains(field));
        counted && self.tci_sender.is_some() == self.tci_content.is_some()
    }
}

/// How a terminal is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    pub version: Version,
    pub assumed: Assumed,
    /// 2.1: ahead of ordinary messages.
    pub express: bool,
    /// Beidou-3: 1 to 5.
    pub frequency: u8,
    /// Beidou-3: the far end confirms.
    pub confirm: bool,
}

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content<'a> {
    /// GBK, and whether all of it are Chinese characters.
    Text {
        gbk: &'a [u8],
        chinese: bool,
    },
    Code(&'a [u8]),
}

/// What a terminal says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// Its card, and how long that rests between two messages.
    Card {
        present: bool,
        interval: Option<Duration>,
    },
    /// Whether it sent a message, and if not why and for how long.
    Feedback {
        sent: bool,
        reason: Option<u8>,
        left: Duration,
    },
    Received {
        sender: String,
        content: Vec<u8>,
    },
    /// Whether it hears a satellite.
    Signal(bool),
    /// A message whose layout is not known.
    Unread,
    Other,
}

/// The longest rest that is believed of a card.
const LONGEST_REST: u64 = 3_600;
/// Marks mixed data in 2.1.
const MIXED: u8 = 0xA4;

impl Form {
    /// Asks for the card.
    pub const fn identify(&self) -> &'static [u8] {
        match self.version {
            Version::Two => b"CCICA,0,00",
            Version::Three => b"CCICR,0,00",
        }
    }

    /// Asks for the beams every two seconds. In Beidou-3 they come by themselves.
    pub const fn ask_signal(&self) -> Option<&'static [u8]> {
        match self.version {
            Version::Two => Some(b"CCRMO,BSI,2,0"),
            Version::Three => None,
        }
    }

    /// A card's number.
    pub fn is_card(text: &str) -> bool {
        text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit())
    }

    /// The sentence that sends a message.
    pub fn send(&self, to: &str, content: Content<'_>) -> Vec<u8> {
        let (kind, mark, data) = match (self.version, content) {
            (Version::Two, Content::Text { gbk, chinese: true }) => (0, None, gbk),
            (Version::Two, Content::Code(code)) => (1, None, code),
            (Version::Two, Content::Text { gbk, .. }) => (2, Some(MIXED), gbk),
            (Version::Three, Content::Text { gbk, chinese: true }) => (1, None, gbk),
            (Version::Three, Content::Code(code)) => (2, None, code),
            (Version::Three, Content::Text { gbk, .. }) => (3, self.assumed.mixed_mark, gbk),
        };
        let mark = mark.map_or_else(String::new, |mark| hex::encode_upper([mark]));
        let data = hex::encode_upper(data);
        let body = match self.version {
            Version::Two => {
                let class = u8::from(!self.express);
                format!("CCTXA,{to},{class},{kind},{mark}{data}")
            }
            Version::Three => {
                let confirm = if self.confirm { 2 } else { 1 };
                format!(
                    "CCTCQ,{to},{},{confirm},{kind},{mark}{data},0",
                    self.frequency
                )
            }
        };
        sentence::frame(body.as_bytes())
    }

    pub fn said(&self, body: &[u8]) -> Said {
        let fields: Vec<&[u8]> = body.split(|byte| *byte == b',').collect();
        let Some((name, fields)) = fields.split_first() else {
            return Said::Other;
        };
        match *name {
            b"BDICI" => card(fields, Some(5)),
            b"BDICP" => card(fields, self.assumed.icp_interval),
            b"BDFKI" => self.feedback(fields),
            b"BDTXR" => self.received(fields, Some(2), Some(5)),
            b"BDTCI" => self.received(fields, self.assumed.tci_sender, self.assumed.tci_content),
            // Each field behind the first two is a beam's strength.
            b"BDBSI" => Said::Signal(fields.iter().skip(2).any(|beam| number(beam) > Some(0))),
            b"BDPWI" => Said::Signal(
                fields
                    .first()
                    .is_some_and(|time| !time.starts_with(b"000000"))
                    && fields.get(2).is_some_and(|beams| number(beams) != Some(0)),
            ),
            _ => Said::Other,
        }
    }

    /// Beidou-3: time, command, Y or N, reason, seconds left. 2.1: the first Y or N, and the last field.
    fn feedback(&self, fields: &[&[u8]]) -> Said {
        let answer = |field: &&[u8]| matches!(*field, b"Y" | b"N");
        let (at, reason, left) = match self.version {
            Version::Three => (Some(2), fields.get(3), fields.get(4)),
            Version::Two => (fields.iter().position(answer), None, fields.last()),
        };
        let sent = at
            .and_then(|at| fields.get(at))
            .filter(|field| answer(field));
        let Some(sent) = sent else { return Said::Other };
        let reason = reason.and_then(|reason| number(reason));
        let left = left.and_then(|left| number(left)).unwrap_or(0);
        Said::Feedback {
            sent: *sent == b"Y",
            reason: reason.and_then(|reason| u8::try_from(reason).ok()),
            left: Duration::from_secs(left.min(LONGEST_REST)),
        }
    }

    fn received(&self, fields: &[&[u8]], sender: Option<usize>, content: Option<usize>) -> Said {
        let (Some(sender), Some(content)) = (sender, content) else {
            return Said::Unread;
        };
        let field = |at: usize| fields.get(at - 1).copied();
        let (Some(sender), Some(content)) = (field(sender), field(content)) else {
            return Said::Unread;
        };
        let sender = String::from_utf8_lossy(sender).into_owned();
        let content = match (self.assumed.hanzi, hex::decode(content)) {
            (Hanzi::Raw, Err(_)) => content.to_vec(),
            (_, Ok(decoded)) => decoded,
            (Hanzi::Hex, Err(_)) => return Said::Unread,
        };
        if !sender.bytes().all(|b| b.is_ascii_digit()) {
            return Said::Unread;
        }
        Said::Received { sender, content }
    }
}

fn card(fields: &[&[u8]], interval: Option<usize>) -> Said {
    let interval = interval
        .and_then(|at| fields.get(at - 1))
        .and_then(|field| number(field));
    let number = fields.first().copied().unwrap_or_default();
    Said::Card {
        // A terminal without a card gives an empty number, or noughts.
        present: number.iter().any(|byte| matches!(byte, b'1'..=b'9')),
        interval: interval
            .filter(|seconds| *seconds <= LONGEST_REST)
            .map(Duration::from_secs),
    }
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

/// What it means that a terminal did not send. The reasons are those of Beidou-3.
pub fn refusal(reason: Option<u8>, left: Duration) -> Failure {
    use FailureClass::{LinkDown, Throttled, Transient};
    let (class, words) = match reason {
        Some(1) => (Throttled, "the card rests between two messages"),
        None if !left.is_zero() => (Throttled, "the card rests between two messages"),
        Some(2) => (LinkDown, "the system suppresses sending"),
        Some(3) => (LinkDown, "the terminal is ordered to be silent"),
        Some(4) => (LinkDown, "the terminal hears no satellite well enough"),
        Some(5) => (LinkDown, "there is no card in the terminal"),
        Some(6) => (LinkDown, "the card may not send this"),
        _ => (Transient, "the terminal did not send, and did not say why"),
    };
    let code = match (class, reason) {
        (_, Some(reason)) => format!("fki:{reason}"),
        (Throttled, None) => "fki:rest".to_owned(),
        (_, None) => "fki:N".to_owned(),
    };
    let failure = Failure::new(class, code, words);
    if class == Throttled {
        failure.retry_after(left.max(Duration::from_secs(1)))
    } else {
        failure
    }
}

#[cfg(test)]
mod tests;
