//! The older dialect, whose packets open with `FEFD`: the terminal or adapter comes, and a reply repeats its request's session.
//! Resource codes have 18 digits, ids of messages 30. This module must not do I/O.

use super::bytes::{Id, Malformed, Reader, crc, put16};
use super::frame::{Broken, Layout, Look, proved};
use super::said::Said;
use crate::signing::{VALUE as BLOCK, Value};

const MARK: [u8; 2] = [0xFE, 0xFD];
const VERSION: [u8; 2] = [1, 0];
const HEAD: usize = 12;
/// Of a resource code, and of the id of a message.
pub const CODE: usize = 9;
pub const EBM: usize = 15;
/// The longest packet taken; its length is told in two bytes.
const LONGEST: usize = 0xFFFF;

pub const REQUEST: u8 = 1;
pub const REPLY: u8 = 2;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    pub session: u32,
    /// 1 request, 2 reply.
    pub kind: u8,
    pub source: Id,
    pub targets: Vec<Id>,
    pub business: u8,
    pub content: Vec<u8>,
    pub seal: Option<Value>,
}

impl Packet {
    /// All before the signature. That the length told is that of the whole packet is assumed.
    pub fn covered(&self) -> Vec<u8> {
        let sealed = if self.seal.is_some() { 2 + BLOCK } else { 0 };
        let targets = u16::try_from(self.targets.len()).unwrap_or(u16::MAX);
        let length =
            HEAD + CODE + 2 + CODE * usize::from(targets) + 3 + self.content.len() + sealed + 4;
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&MARK);
        out.extend_from_slice(&VERSION);
        out.extend_from_slice(&self.session.to_be_bytes());
        out.extend_from_slice(&[self.kind, u8::from(self.seal.is_some())]);
        out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(self.source.bytes());
        out.extend_from_slice(&targets.to_be_bytes());
        for target in &self.targets {
            out.extend_from_slice(target.bytes());
        }
        out.push(self.business);
        put16(&mut out, &self.content);
        out
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = self.covered();
        if let Some(seal) = &self.seal {
            out.extend_from_slice(&[0, 74]);
            out.extend_from_slice(&seal.write());
        }
        let crc = crc(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// The answer to this one, from whoever it was sent to.
    #[must_use]
    pub fn reply(&self, own: Id, said: &Said) -> Self {
        let (business, content) = (self.business, said.write().1);
        Self {
            session: self.session,
            kind: REPLY,
            source: own,
            targets: vec![self.source.clone()],
            business,
            content,
            seal: None,
        }
    }
}

/// Packets of this dialect in a stream.
pub struct Old;

impl Layout for Old {
    type Frame = Packet;

    fn look(&self, rest: &[u8]) -> Look {
        let begins = rest.len().min(2);
        if rest[..begins] != MARK[..begins] {
            return Look::Not(Broken::Noise(1));
        }
        let Some(head) = rest.first_chunk::<HEAD>() else {
            return Look::Wait;
        };
        if head[2..4] != VERSION {
            return Look::Not(Broken::Version(u16::from_be_bytes([head[2], head[3]])));
        }
        if !matches!(head[8], REQUEST | REPLY) || head[9] > 1 {
            return Look::Not(Broken::Noise(1));
        }
        // What the length told counts no source says; the packet's own counts and its CRC do.
        let two = |at: usize| {
            let pair = rest.get(at..at + 2)?;
            Some(usize::from(u16::from_be_bytes([pair[0], pair[1]])))
        };
        let Some(targets) = two(HEAD + CODE) else {
            return Look::Wait;
        };
        let content_at = HEAD + CODE + 2 + CODE * targets + 1;
        if content_at > LONGEST {
            return oversized(content_at);
        }
        let Some(content) = two(content_at) else {
            return Look::Wait;
        };
        let end = content_at + 2 + content;
        let sealed = head[9] == 1;
        if sealed
            && let Some(length) = two(end)
            && length != BLOCK
        {
            return Look::Not(Broken::Block(u16::try_from(length).unwrap_or(u16::MAX)));
        }
        let length = end + if sealed { 2 + BLOCK } else { 0 } + 4;
        if length > LONGEST {
            return oversized(length);
        }
        let ids = &rest[HEAD..HEAD + CODE];
        if Id::read(ids).is_none() {
            return Look::Not(Broken::Noise(1));
        }
        if rest.len() >= length {
            let targets = rest[HEAD + CODE + 2..content_at - 1].chunks(CODE);
            if targets.into_iter().any(|target| Id::read(target).is_none()) {
                return Look::Not(Broken::Noise(1));
            }
        }
        proved(rest, length)
    }

    fn read(&self, whole: &[u8]) -> Packet {
        let mut bytes = Reader(&whole[..whole.len() - 4]);
        // Each was there when the packet was looked at.
        read(&mut bytes).unwrap_or_else(|_| Packet {
            session: 0,
            kind: REQUEST,
            source: Id::zero(CODE),
            targets: Vec::new(),
            business: 0,
            content: Vec::new(),
            seal: None,
        })
    }
}

fn oversized(length: usize) -> Look {
    Look::Not(Broken::Oversized(u32::try_from(length).unwrap_or(u32::MAX)))
}

fn read(bytes: &mut Reader<'_>) -> Result<Packet, Malformed> {
    bytes.take(4, "mark")?;
    let session = bytes.u32("session")?;
    let (kind, sealed) = (bytes.u8("kind")?, bytes.u8("signature flag")?);
    bytes.u16("length")?;
    let source = bytes.id(CODE, "source")?;
    let count = bytes.u16("count of targets")?;
    let targets = (0..count).map(|_| bytes.id(CODE, "target"));
    let targets = targets.collect::<Result<_, _>>()?;
    let business = bytes.u8("business type")?;
    let content = bytes.counted16("content")?.to_vec();
    let seal = if sealed == 1 {
        bytes.u16("length of the block")?;
        Value::read(bytes.take(BLOCK, "signature")?)
    } else {
        None
    };
    Ok(Packet {
        session,
        kind,
        source,
        targets,
        business,
        content,
        seal,
    })
}
