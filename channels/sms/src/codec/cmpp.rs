//! CMPP 2.0, 2.1 and 3.0 on the wire. 3.0 has longer numbers and wider results than 2.x; answers are told apart by their
//! length, so that a far end which speaks the other version in its answers is understood. This module must not do I/O
//! and must not judge.

mod read;
mod write;

use md5::{Digest, Md5};
use serde::Deserialize;

use super::Malformed;
use read::{Fields, until_zero};
use write::{put, put_deliver, put_result, put_submit};

const HEADER: usize = 12;

/// The command ids that we speak; bit 31 marks an answer.
pub mod command {
    pub const CONNECT: u32 = 1;
    pub const TERMINATE: u32 = 2;
    pub const SUBMIT: u32 = 4;
    pub const DELIVER: u32 = 5;
    pub const ACTIVE_TEST: u32 = 8;
    pub const ANSWER: u32 = 0x8000_0000;
}

/// The byte that names a version: major in the high half, minor in the low one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Version {
    #[serde(rename = "2.0")]
    #[default]
    V20 = 0x20,
    #[serde(rename = "2.1")]
    V21 = 0x21,
    #[serde(rename = "3.0")]
    V30 = 0x30,
}

impl Version {
    pub fn of(byte: u8) -> Option<Self> {
        [Self::V20, Self::V21, Self::V30]
            .into_iter()
            .find(|version| version.byte() == byte)
    }

    pub const fn byte(self) -> u8 {
        self as u8
    }

    const fn is_3(self) -> bool {
        matches!(self, Self::V30)
    }

    /// Bytes of a number.
    const fn number(self) -> usize {
        if self.is_3() { 32 } else { 21 }
    }

    /// Bytes at the end of a text: reserved in 2.x, a `LinkID` in 3.0.
    const fn tail(self) -> usize {
        if self.is_3() { 20 } else { 8 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Connect<'a> {
    /// The account: six characters.
    pub source: &'a [u8],
    pub authenticator: [u8; 16],
    pub version: u8,
    /// `MMDDhhmmss` as a number.
    pub timestamp: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConnectResp {
    pub status: u32,
    pub authenticator: [u8; 16],
    pub version: u8,
    /// The status has four bytes, as in 3.0; the far end's digest covers them as they are.
    pub wide: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Submit<'a> {
    pub parts: u8,
    pub part: u8,
    pub registered_delivery: u8,
    pub level: u8,
    pub service_id: &'a [u8],
    pub fee_user_type: u8,
    pub fee_terminal: &'a [u8],
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub format: u8,
    pub source: &'a [u8],
    pub fee_type: &'a [u8],
    pub fee_code: &'a [u8],
    pub validity: &'a [u8],
    pub at: &'a [u8],
    pub src_id: &'a [u8],
    pub dests: Dests<'a>,
    /// The content in two pieces, so that a shared text needs no copy to get its own header. Parsing leaves the first
    /// one empty.
    pub header: &'a [u8],
    pub content: &'a [u8],
}

/// The numbers of one submit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dests<'a> {
    One(&'a [u8]),
    /// As they lie on the wire, each padded to this many bytes.
    Padded(&'a [u8], usize),
}

impl Default for Dests<'_> {
    fn default() -> Self {
        Self::One(b"")
    }
}

impl<'a> Dests<'a> {
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let (one, padded) = match self {
            Self::One(one) => (Some(one), None),
            Self::Padded(bytes, each) => (None, Some(bytes.chunks_exact(each).map(until_zero))),
        };
        one.into_iter().chain(padded.into_iter().flatten())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Deliver<'a> {
    pub id: u64,
    pub dest: &'a [u8],
    pub service_id: &'a [u8],
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub format: u8,
    pub source: &'a [u8],
    /// 1: the content is a report.
    pub registered_delivery: u8,
    pub content: &'a [u8],
}

/// A report on a text that was taken, as it lies in a deliver's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report<'a> {
    /// Of the text that it speaks of; the deliver around it has its own.
    pub id: u64,
    pub stat: &'a [u8],
    /// `YYMMDDhhmm`
    pub submitted: &'a [u8],
    pub done: &'a [u8],
    pub dest: &'a [u8],
    pub smsc_sequence: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    Connect(Connect<'a>),
    ConnectResp(ConnectResp),
    Submit(Submit<'a>),
    SubmitResp {
        id: u64,
        result: u32,
    },
    Deliver(Deliver<'a>),
    DeliverResp {
        id: u64,
        result: u32,
    },
    ActiveTest,
    ActiveTestResp,
    Terminate,
    TerminateResp,
    /// Something that we do not speak: its command id.
    Other(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    pub sequence: u32,
    pub body: Body<'a>,
}

/// The length of the frame at the start of `buffer`, or `None` where more bytes must come first.
pub fn check(buffer: &[u8]) -> Result<Option<usize>, Malformed> {
    super::check(buffer, HEADER)
}

/// Command id and sequence number of a frame whose inside may be wrong.
pub fn head(frame: &[u8]) -> Option<(u32, u32)> {
    let head = frame.first_chunk::<HEADER>()?;
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    Some((word(4), word(8)))
}

/// One whole frame, as long as [`check`] said.
pub fn parse(frame: &[u8], version: Version) -> Result<Frame<'_>, Malformed> {
    let (id, sequence) = head(frame).ok_or(Malformed::Short("header"))?;
    let mut fields = Fields(&frame[HEADER..]);
    // Whether a result of four bytes fits beside the rest of the answer.
    let long = |least: usize| frame.len() >= HEADER + least + 4;
    let body = match id {
        command::CONNECT => Body::Connect(fields.connect()?),
        command::TERMINATE => Body::Terminate,
        command::SUBMIT => Body::Submit(fields.submit(version)?),
        command::DELIVER => Body::Deliver(fields.deliver(version)?),
        command::ACTIVE_TEST => Body::ActiveTest,
        id if id == command::CONNECT | command::ANSWER => {
            let wide = long(17);
            let status = fields.result(wide)?;
            let (authenticator, version) = (fields.digest()?, fields.byte("Version")?);
            Body::ConnectResp(ConnectResp {
                status,
                authenticator,
                version,
                wide,
            })
        }
        id if id == command::SUBMIT | command::ANSWER => {
            let (id, result) = (fields.id()?, fields.result(long(8))?);
            Body::SubmitResp { id, result }
        }
        id if id == command::DELIVER | command::ANSWER => {
            let (id, result) = (fields.id()?, fields.result(long(8))?);
            Body::DeliverResp { id, result }
        }
        id if id == command::ACTIVE_TEST | command::ANSWER => Body::ActiveTestResp,
        id if id == command::TERMINATE | command::ANSWER => Body::TerminateResp,
        other => Body::Other(other),
    };
    Ok(Frame { sequence, body })
}

/// A report out of a deliver's content. 2.x has 60 bytes and 3.0 has 71, and some of either send the other.
pub fn parse_report(content: &[u8]) -> Result<Report<'_>, Malformed> {
    let number = match content.len() {
        60 => 21,
        71 => 32,
        _ => return Err(Malformed::Short("report")),
    };
    let mut fields = Fields(content);
    Ok(Report {
        id: fields.id()?,
        stat: fields.text(7, "Stat")?,
        submitted: fields.text(10, "Submit_time")?,
        done: fields.text(10, "Done_time")?,
        dest: fields.text(number, "Dest_terminal_Id")?,
        smsc_sequence: fields.word("SMSC_sequence")?,
    })
}

/// Appends a report's bytes.
pub fn put_report(report: &Report<'_>, version: Version, out: &mut Vec<u8>) {
    out.extend_from_slice(&report.id.to_be_bytes());
    put(report.stat, 7, out);
    put(report.submitted, 10, out);
    put(report.done, 10, out);
    put(report.dest, version.number(), out);
    out.extend_from_slice(&report.smsc_sequence.to_be_bytes());
}

/// Appends one frame.
pub fn encode(frame: &Frame<'_>, version: Version, out: &mut Vec<u8>) {
    let start = out.len();
    let id = match frame.body {
        Body::Connect(_) => command::CONNECT,
        Body::ConnectResp(_) => command::CONNECT | command::ANSWER,
        Body::Submit(_) => command::SUBMIT,
        Body::SubmitResp { .. } => command::SUBMIT | command::ANSWER,
        Body::Deliver(_) => command::DELIVER,
        Body::DeliverResp { .. } => command::DELIVER | command::ANSWER,
        Body::ActiveTest => command::ACTIVE_TEST,
        Body::ActiveTestResp => command::ACTIVE_TEST | command::ANSWER,
        Body::Terminate => command::TERMINATE,
        Body::TerminateResp => command::TERMINATE | command::ANSWER,
        Body::Other(id) => id,
    };
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&frame.sequence.to_be_bytes());
    match &frame.body {
        Body::Connect(connect) => {
            put(connect.source, 6, out);
            out.extend_from_slice(&connect.authenticator);
            out.push(connect.version);
            out.extend_from_slice(&connect.timestamp.to_be_bytes());
        }
        Body::ConnectResp(answer) => {
            put_result(answer.status, answer.wide, out);
            out.extend_from_slice(&answer.authenticator);
            out.push(answer.version);
        }
        Body::Submit(submit) => put_submit(submit, version, out),
        Body::SubmitResp { id, result } | Body::DeliverResp { id, result } => {
            out.extend_from_slice(&id.to_be_bytes());
            put_result(*result, version.is_3(), out);
        }
        Body::Deliver(deliver) => put_deliver(deliver, version, out),
        Body::ActiveTestResp => out.push(0),
        Body::ActiveTest | Body::Terminate | Body::TerminateResp | Body::Other(_) => {}
    }
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// What proves an account: the timestamp is hashed as ten digits, its leading zero too, though it travels as a number.
pub fn authenticator(source: &[u8], secret: &[u8], timestamp: u32) -> [u8; 16] {
    let mut padded = Vec::with_capacity(6);
    put(source, 6, &mut padded);
    let mut hash = Md5::new();
    hash.update(&padded);
    hash.update([0; 9]);
    hash.update(secret);
    hash.update(format!("{timestamp:010}"));
    hash.finalize().into()
}

/// What proves the far end, over the status as wide as it travels.
pub fn gateway_authenticator(
    status: u32,
    wide: bool,
    authenticator: &[u8; 16],
    secret: &[u8],
) -> [u8; 16] {
    let mut bytes = Vec::with_capacity(4);
    put_result(status, wide, &mut bytes);
    let mut hash = Md5::new();
    hash.update(&bytes);
    hash.update(authenticator);
    hash.update(secret);
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
