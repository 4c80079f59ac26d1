//! An alert in as few bytes as it can be said in, what a village sends back, and a test: for links that carry some 70 bytes
//! a minute. Version 1, described in the crate's README. This module must not send anything, nor trust what it reads: whoever
//! reads asks for the proof.

mod alert;
mod area;
mod bits;
mod words;

use channel::{Level, Timestamp};
use encoding_rs::GB18030;
use ring::hmac;

pub use area::Area;
use bits::{Reader, Writer};

/// What stands in the first three bits.
pub const VERSION: u8 = 1;
/// Bytes of the proof at the end.
pub const PROOF: usize = 4;
/// The first minute that can be said: 2026-01-01 00:00 UTC.
const EPOCH: i64 = 1_767_225_600;
/// Bits of a moment in minutes.
const MOMENT: u32 = 24;

/// What is to be done: the response types of CAP 1.2, in its order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Instruction {
    #[default]
    None,
    Shelter,
    Evacuate,
    Prepare,
    Execute,
    Avoid,
    Monitor,
    Assess,
    AllClear,
}

impl Instruction {
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::Shelter,
        Self::Evacuate,
        Self::Prepare,
        Self::Execute,
        Self::Avoid,
        Self::Monitor,
        Self::Assess,
        Self::AllClear,
    ];

    /// By the word that CAP writes; nothing is asked by a word that it does not have.
    pub fn named(word: &str) -> Self {
        match word {
            "Shelter" => Self::Shelter,
            "Evacuate" => Self::Evacuate,
            "Prepare" => Self::Prepare,
            "Execute" => Self::Execute,
            "Avoid" => Self::Avoid,
            "Monitor" => Self::Monitor,
            "Assess" => Self::Assess,
            "AllClear" => Self::AllClear,
            _ => Self::None,
        }
    }
}

const LEVELS: [Level; 5] = [
    Level::Unknown,
    Level::Blue,
    Level::Yellow,
    Level::Orange,
    Level::Red,
];

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// What a village answers to.
    pub number: u16,
    /// The event's code, up to fifteen ASCII characters; `11B03` and its like cost least.
    pub event: String,
    pub level: Level,
    pub instruction: Instruction,
    pub sent: Timestamp,
    /// When it begins, where that is not at once.
    pub onset: Option<Timestamp>,
    pub expires: Timestamp,
    /// None: wherever the terminal is that it was sent to, and nowhere else.
    pub areas: Vec<Area>,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Alert(Alert),
    /// 拨测.
    Test {
        number: u16,
        sent: Timestamp,
    },
    /// What a village says to a message: a code of two digits, and of which place it speaks.
    Status {
        number: u16,
        code: u8,
        area: Option<Area>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compact {
    pub drill: bool,
    pub body: Body,
}

/// Why something cannot be said in this form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    #[error("a time is before 2026, after 2057, or too far from the one before it")]
    Time,
    #[error("the event's code is longer than fifteen characters or not ASCII")]
    Event,
    #[error("more than 63 areas, or one that is no region's code")]
    Areas,
    #[error("a status has two digits")]
    Status,
    #[error("it takes {0} bytes without any text")]
    Room(usize),
}

/// Why bytes say nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    #[error("it is cut off")]
    Short,
    #[error("it is of version {0}; this program reads version 1")]
    Version(u8),
    #[error("a field has a value that means nothing")]
    Value,
}

/// Proves messages, and finds whether one is proved.
pub struct Key(hmac::Key);

impl Key {
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    fn proof(&self, bytes: &[u8]) -> [u8; PROOF] {
        let whole = hmac::sign(&self.0, bytes);
        let mut proof = [0; PROOF];
        proof.copy_from_slice(&whole.as_ref()[..PROOF]);
        proof
    }

    /// Whether whoever has this key made the message.
    pub fn proves(&self, message: &[u8]) -> bool {
        let Some((bytes, proof)) = message.split_last_chunk::<PROOF>() else {
            return false;
        };
        let wrong = self
            .proof(bytes)
            .iter()
            .zip(proof)
            .fold(0, |wrong, (a, b)| wrong | (a ^ b));
        wrong == 0
    }
}

impl Compact {
    /// At most `room` bytes, proof included. Of an alert's text as many whole sentences are taken along as fit.
    pub fn write(&self, key: &Key, room: usize) -> Result<Vec<u8>, Unfit> {
        let mut out = Writer::default();
        out.put(VERSION.into(), 3);
        let kind = match &self.body {
            Body::Alert(_) => 0,
            Body::Test { .. } => 1,
            Body::Status { .. } => 2,
        };
        out.put(kind, 2);
        out.put(self.drill.into(), 1);
        let mut text = "";
        match &self.body {
            Body::Alert(alert) => {
                alert.write(&mut out)?;
                text = &alert.text;
            }
            Body::Test { number, sent } => {
                out.put((*number).into(), 16);
                out.put(minutes(*sent)?, MOMENT);
            }
            Body::Status { number, code, area } => {
                (*code <= 99).then_some(()).ok_or(Unfit::Status)?;
                out.put((*number).into(), 16);
                out.put((*code).into(), 7);
                area::write(area.as_slice(), &mut out);
            }
        }
        let mut bytes = out.bytes();
        let left = room.checked_sub(bytes.len() + PROOF);
        let left = left.ok_or(Unfit::Room(bytes.len() + PROOF))?;
        bytes.extend_from_slice(&GB18030.encode(fitting(text, left)).0);
        let proof = key.proof(&bytes);
        bytes.extend_from_slice(&proof);
        Ok(bytes)
    }

    /// What a message says, proved or not.
    pub fn read(message: &[u8]) -> Result<Self, Malformed> {
        let (bytes, _) = message
            .split_last_chunk::<PROOF>()
            .ok_or(Malformed::Short)?;
        let mut from = Reader::new(bytes);
        let version = from.take(3).and_then(|version| u8::try_from(version).ok());
        match version.ok_or(Malformed::Short)? {
            VERSION => {}
            other => return Err(Malformed::Version(other)),
        }
        let kind = from.take(2).ok_or(Malformed::Short)?;
        let drill = from.take(1).ok_or(Malformed::Short)? == 1;
        let body = match kind {
            0 => {
                return Alert::read(from).map(|alert| Self {
                    drill,
                    body: Body::Alert(alert),
                });
            }
            1 => Body::Test {
                number: number(&mut from)?,
                sent: moment(&mut from)?,
            },
            2 => status(&mut from)?,
            _ => return Err(Malformed::Value),
        };
        let rest = from.rest().ok_or(Malformed::Value)?;
        rest.is_empty().then_some(()).ok_or(Malformed::Value)?;
        Ok(Self { drill, body })
    }
}

fn number(from: &mut Reader<'_>) -> Result<u16, Malformed> {
    let number = from.take(16).and_then(|number| u16::try_from(number).ok());
    number.ok_or(Malformed::Short)
}

fn status(from: &mut Reader<'_>) -> Result<Body, Malformed> {
    let number = number(from)?;
    let code = from
        .take(7)
        .and_then(|code| u8::try_from(code).ok())
        .ok_or(Malformed::Short)?;
    let mut areas = area::read(from).ok_or(Malformed::Short)?;
    if code > 99 || areas.len() > 1 {
        return Err(Malformed::Value);
    }
    Ok(Body::Status {
        number,
        code,
        area: areas.pop(),
    })
}

/// Whole minutes since the epoch; what is begun is left out.
fn minutes(time: Timestamp) -> Result<u64, Unfit> {
    let minutes = (time.secs() - EPOCH).div_euclid(60);
    let fits = u64::try_from(minutes)
        .ok()
        .filter(|minutes| minutes >> MOMENT == 0);
    fits.ok_or(Unfit::Time)
}

fn moment(from: &mut Reader<'_>) -> Result<Timestamp, Malformed> {
    let minutes = from
        .take(MOMENT)
        .and_then(|minutes| i64::try_from(minutes).ok());
    Ok(Timestamp::from_secs(
        EPOCH + minutes.ok_or(Malformed::Short)? * 60,
    ))
}

/// As many whole sentences from the front as fit into so many bytes of GB 18030; the text whole, if it does.
pub fn fitting(text: &str, room: usize) -> &str {
    let takes = |text: &str| GB18030.encode(text).0.len();
    if takes(text) <= room {
        return text;
    }
    let ends = text
        .char_indices()
        .filter(|(_, c)| matches!(c, '。' | '!' | '！' | ';' | '；' | '\n'));
    let ends = ends.map(|(at, c)| at + c.len_utf8());
    let whole = ends.take_while(|end| takes(&text[..*end]) <= room).last();
    whole.map_or("", |end| &text[..end])
}

#[cfg(test)]
mod tests;
