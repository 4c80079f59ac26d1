//! What a packet of the older dialect says, by its business type. This module must not judge whom to believe.

use super::bytes::{Id, Malformed, Reader, put8, put16};
use super::fefd::{EBM, Packet, REPLY};

pub const START: u8 = 0x01;
pub const STOP: u8 = 0x02;
pub const HEARTBEAT: u8 = 0x10;
pub const FAULT: u8 = 0x13;
pub const SWITCH: u8 = 0x14;
pub const RESULT: u8 = 0x15;

/// The kind of an item that is a text.
const TEXT: u8 = 1;

/// What a packet says, by its business type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Start {
        ebm: Id,
        class: u8,
        /// 1 red to 4 blue.
        severity: u8,
        event: [u8; 5],
        volume: u8,
        start: u32,
        seconds: u32,
        /// For the terminal to speak. Sound, pictures and films are not sent.
        text: Vec<u8>,
    },
    Stop {
        ebm: Id,
    },
    Heartbeat {
        /// 1 idle, 2 playing, 3 fault.
        state: u8,
        first: u8,
        physical: Vec<u8>,
    },
    /// How it is laid out is not known.
    Fault(Vec<u8>),
    Switch {
        /// 1 a task begins, 2 it is left.
        into: u8,
        ebm: Id,
        time: u32,
    },
    Result {
        ebm: Id,
        /// 1 played, 0 failed.
        result: u8,
        text: Vec<u8>,
        start: u32,
        end: u32,
        times: u8,
        reported: u32,
    },
    Reply {
        business: u8,
        code: u8,
        text: Vec<u8>,
    },
}

impl Said {
    /// `None` for a business that is not spoken here.
    pub fn read(packet: &Packet) -> Option<Result<Self, Malformed>> {
        let mut bytes = Reader(&packet.content);
        let read = match (packet.kind, packet.business) {
            (REPLY, business) => reply(business, &mut bytes),
            (_, START) => start(&mut bytes),
            (_, STOP) => bytes.id(EBM, "id").map(|ebm| Self::Stop { ebm }),
            (_, HEARTBEAT) => heartbeat(&mut bytes),
            (_, FAULT) => return Some(Ok(Self::Fault(packet.content.clone()))),
            (_, SWITCH) => switch(&mut bytes),
            (_, RESULT) => result(&mut bytes),
            _ => return None,
        };
        Some(read.and_then(|said| bytes.end().map(|()| said)))
    }

    pub fn write(&self) -> (u8, Vec<u8>) {
        let mut out = Vec::new();
        let business = match self {
            Self::Start { .. } => {
                self.write_start(&mut out);
                START
            }
            Self::Stop { ebm } => {
                out.extend_from_slice(ebm.bytes());
                STOP
            }
            Self::Heartbeat {
                state,
                first,
                physical,
            } => {
                out.extend_from_slice(&[*state, *first]);
                put8(&mut out, physical);
                HEARTBEAT
            }
            Self::Fault(content) => {
                out.extend_from_slice(content);
                FAULT
            }
            Self::Switch { into, ebm, time } => {
                out.push(*into);
                out.extend_from_slice(ebm.bytes());
                out.extend_from_slice(&time.to_be_bytes());
                SWITCH
            }
            Self::Result { .. } => {
                self.write_result(&mut out);
                RESULT
            }
            Self::Reply {
                business,
                code,
                text,
            } => {
                out.push(*code);
                put16(&mut out, text);
                *business
            }
        };
        (business, out)
    }

    fn write_start(&self, out: &mut Vec<u8>) {
        let Self::Start {
            ebm,
            class,
            severity,
            event,
            volume,
            start,
            seconds,
            text,
        } = self
        else {
            return;
        };
        out.extend_from_slice(ebm.bytes());
        out.extend_from_slice(&[*class, *severity]);
        out.extend_from_slice(event);
        out.push(*volume);
        out.extend_from_slice(&start.to_be_bytes());
        out.extend_from_slice(&seconds.to_be_bytes());
        out.extend_from_slice(&[1, TEXT]);
        put16(out, text);
    }

    fn write_result(&self, out: &mut Vec<u8>) {
        let Self::Result {
            ebm,
            result,
            text,
            start,
            end,
            times,
            reported,
        } = self
        else {
            return;
        };
        out.extend_from_slice(ebm.bytes());
        out.push(*result);
        put16(out, text);
        out.extend_from_slice(&start.to_be_bytes());
        out.extend_from_slice(&end.to_be_bytes());
        out.push(*times);
        out.extend_from_slice(&reported.to_be_bytes());
    }
}

fn start(bytes: &mut Reader<'_>) -> Result<Said, Malformed> {
    let ebm = bytes.id(EBM, "id")?;
    let (class, severity) = (bytes.u8("class")?, bytes.u8("severity")?);
    let event = bytes.array("event type")?;
    let volume = bytes.u8("volume")?;
    let (start, seconds) = (bytes.u32("start")?, bytes.u32("duration")?);
    for (wanted, what) in [(1, "count of items"), (TEXT, "kind of item")] {
        let found = bytes.u8(what)?;
        if found != wanted {
            return Err(Malformed::Value(what, found));
        }
    }
    Ok(Said::Start {
        ebm,
        class,
        severity,
        event,
        volume,
        start,
        seconds,
        text: bytes.counted16("text")?.to_vec(),
    })
}

fn heartbeat(bytes: &mut Reader<'_>) -> Result<Said, Malformed> {
    let state = match bytes.u8("state")? {
        state @ 1..=3 => state,
        other => return Err(Malformed::Value("state", other)),
    };
    Ok(Said::Heartbeat {
        state,
        first: bytes.u8("first registration")?,
        physical: bytes.counted8("physical address")?.to_vec(),
    })
}

fn switch(bytes: &mut Reader<'_>) -> Result<Said, Malformed> {
    let into = match bytes.u8("switch")? {
        into @ 1..=2 => into,
        other => return Err(Malformed::Value("switch", other)),
    };
    let ebm = bytes.id(EBM, "id")?;
    let time = bytes.u32("time")?;
    Ok(Said::Switch { into, ebm, time })
}

fn result(bytes: &mut Reader<'_>) -> Result<Said, Malformed> {
    Ok(Said::Result {
        ebm: bytes.id(EBM, "id")?,
        result: match bytes.u8("result")? {
            result @ 0..=1 => result,
            other => return Err(Malformed::Value("result", other)),
        },
        text: bytes.counted16("text")?.to_vec(),
        start: bytes.u32("start")?,
        end: bytes.u32("end")?,
        times: bytes.u8("times")?,
        reported: bytes.u32("time of the report")?,
    })
}

fn reply(business: u8, bytes: &mut Reader<'_>) -> Result<Said, Malformed> {
    Ok(Said::Reply {
        business,
        code: bytes.u8("code")?,
        text: bytes.counted16("text")?.to_vec(),
    })
}
