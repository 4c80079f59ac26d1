//! What the platform says: start and stop (0x04), volume, clock, queries, and the answers to an adapter's reports. This module
//! must not decide what is sent.

use super::assumed;
use super::bytes::{Id, Malformed, Reader, count8, put8, put16, put32};
use super::params::{NAMED, Reback, Set};

/// Of a resource code: `F` and 23 digits.
pub const CODE: usize = 12;
/// Of the id of a message: `F` and 35 digits.
pub const EBM: usize = 18;

pub const START_STOP: u8 = 0x04;
pub const VOLUME: u8 = 0x06;
pub const QUERY: u8 = 0x08;
pub const CLOCK: u8 = 0x09;
pub const QUERY_RECORDS: u8 = 0x10;
pub const GENERIC_REPLY: u8 = 0x12;
pub const HEARTBEAT_REPLY: u8 = 0x21;
pub const BEGUN_REPLY: u8 = 0x22;

pub const START: u8 = 1;
pub const STOP: u8 = 2;
/// The volume stays as it is.
pub const UNCHANGED: u8 = 0xFF;
/// Codes of the resource plan; 2 would be serial numbers of boxes.
pub const LOGICAL: u8 = 1;

/// Whom it is for. All codes of one list have one length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Codes {
    pub kind: u8,
    pub length: u8,
    pub list: Vec<Id>,
}

impl Codes {
    /// Logical codes of 23 digits.
    pub fn logical(list: Vec<Id>) -> Self {
        Self {
            kind: LOGICAL,
            length: count8(CODE),
            list,
        }
    }

    /// Without the kind, as reports have it.
    pub fn read_list(bytes: &mut Reader<'_>) -> Result<(u8, Vec<Id>), Malformed> {
        let count = bytes.u8("count of codes")?;
        let length = bytes.u8("length of codes")?;
        let list = (0..count).map(|_| bytes.id(length.into(), "resource code"));
        Ok((length, list.collect::<Result<_, _>>()?))
    }

    pub fn write_list(length: u8, list: &[Id], out: &mut Vec<u8>) {
        out.extend_from_slice(&[count8(list.len()), length]);
        for code in list {
            out.extend_from_slice(code.bytes());
        }
    }

    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = bytes.u8("kind of codes")?;
        let (length, list) = Self::read_list(bytes)?;
        Ok(Self { kind, length, list })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        Self::write_list(self.length, &self.list, out);
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Auxiliary {
    /// As in an EBM: 2 is MP3.
    pub kind: u8,
    pub data: Vec<u8>,
}

/// A text in one language, for the terminal to speak.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spoken {
    /// `zho`.
    pub language: [u8; 3],
    /// 0 is GB2312, 1 GB18030.
    pub charset: u8,
    pub text: Vec<u8>,
    /// Who warns.
    pub agency: Vec<u8>,
    pub auxiliary: Vec<Auxiliary>,
}

/// Start or stop of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    pub ebm: Id,
    pub switch: u8,
    /// 1 system drill, 2 simulated drill, 3 actual drill, 4 emergency, 5 daily.
    pub class: u8,
    pub event: [u8; 5],
    /// 0 none, 1 to 4 red to blue.
    pub level: u8,
    pub start: u32,
    pub end: u32,
    pub volume: u8,
    pub codes: Codes,
    pub spoken: Vec<Spoken>,
    pub input: u8,
    pub outputs: Vec<u8>,
    /// Some builds leave the block out, with its length.
    pub private: Option<Vec<u8>>,
}

impl Task {
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let ebm = bytes.id(EBM, "EBMID")?;
        let switch = match bytes.u8("power switch")? {
            switch @ (START | STOP) => switch,
            other => return Err(Malformed::Value("power switch", other)),
        };
        Ok(Self {
            ebm,
            switch,
            class: bytes.u8("class")?,
            event: bytes.array("event type")?,
            level: bytes.u8("level")?,
            start: bytes.u32("start")?,
            end: bytes.u32("end")?,
            volume: bytes.u8("volume")?,
            codes: Codes::read(bytes)?,
            spoken: {
                let count = bytes.u8("count of languages")?;
                let texts = (0..count).map(|_| Spoken::read(bytes));
                texts.collect::<Result<_, _>>()?
            },
            input: bytes.u8("input channel")?,
            outputs: bytes.counted8("output channels")?.to_vec(),
            private: match bytes.0 {
                [] => None,
                _ => Some(bytes.counted16("private block")?.to_vec()),
            },
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.ebm.bytes());
        out.extend_from_slice(&[self.switch, self.class]);
        out.extend_from_slice(&self.event);
        out.push(self.level);
        out.extend_from_slice(&self.start.to_be_bytes());
        out.extend_from_slice(&self.end.to_be_bytes());
        out.push(self.volume);
        self.codes.write(out);
        out.push(count8(self.spoken.len()));
        for spoken in &self.spoken {
            spoken.write(out);
        }
        out.push(self.input);
        put8(out, &self.outputs);
        if let Some(private) = &self.private {
            put16(out, private);
        }
    }
}

impl Spoken {
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            language: bytes.array("language")?,
            charset: bytes.u8("charset")?,
            text: bytes.counted16("text")?.to_vec(),
            agency: bytes.counted8("agency")?.to_vec(),
            auxiliary: {
                let count = bytes.u8("count of auxiliary data")?;
                let one = |_| {
                    Ok(Auxiliary {
                        kind: bytes.u8("kind of auxiliary data")?,
                        data: bytes.counted32("auxiliary data")?.to_vec(),
                    })
                };
                (0..count).map(one).collect::<Result<_, _>>()?
            },
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.language);
        out.push(self.charset);
        put16(out, &self.text);
        put8(out, &self.agency);
        out.push(count8(self.auxiliary.len()));
        for auxiliary in &self.auxiliary {
            out.push(auxiliary.kind);
            put32(out, &auxiliary.data);
        }
    }
}

/// What a platform says, by its opcode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Down {
    Task(Box<Task>),
    Volume {
        volume: u8,
        codes: Codes,
    },
    /// 1 volume, 2 local address, 3 report address, 4 resource code, 5 physical address, 6 work state, 7 fault code.
    Query {
        reback: Reback,
        codes: Codes,
        wanted: Vec<u8>,
    },
    Clock(u32),
    /// What stands in it is assumed.
    QueryRecords(assumed::RecordsQuery),
    /// The same: nothing.
    Ask(assumed::Ask),
    Set(Box<Set>),
    /// Of which only the name is known: it is read, and never sent.
    Named {
        opcode: u8,
        body: Vec<u8>,
    },
    Reply(Generic),
    HeartbeatReply,
    /// Where the sound that is on the air shall be sent for monitoring; all zero is nowhere.
    BegunReply {
        result: u8,
        monitor: [u8; 4],
        port: u16,
    },
}

/// The generic reply 0x12, of either side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generic {
    /// 0 taken, -1 unknown, 1 wrong length, 2 wrong version, 3 conflict.
    pub code: i32,
    pub text: Vec<u8>,
}

impl Generic {
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            code: i32::from_be_bytes(bytes.array("return code")?),
            text: bytes.counted32("text")?.to_vec(),
        })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.code.to_be_bytes());
        put32(out, &self.text);
    }
}

impl Down {
    /// `None` for an opcode that is not spoken here.
    pub fn read(opcode: u8, body: &[u8]) -> Option<Result<Self, Malformed>> {
        let mut bytes = Reader(body);
        let read = match opcode {
            START_STOP => Task::read(&mut bytes).map(Box::new).map(Self::Task),
            VOLUME => volume(&mut bytes),
            QUERY => query(&mut bytes),
            CLOCK => bytes.u32("time").map(Self::Clock),
            QUERY_RECORDS => assumed::RecordsQuery::read(&mut bytes).map(Self::QueryRecords),
            GENERIC_REPLY => Generic::read(&mut bytes).map(Self::Reply),
            HEARTBEAT_REPLY => Ok(Self::HeartbeatReply),
            BEGUN_REPLY => begun_reply(&mut bytes),
            _ if NAMED.contains(&opcode) => {
                let body = body.to_vec();
                return Some(Ok(Self::Named { opcode, body }));
            }
            _ => match assumed::Ask::of(opcode) {
                Some(ask) => Ok(Self::Ask(ask)),
                None => Set::read(opcode, &mut bytes)?.map(Box::new).map(Self::Set),
            },
        };
        Some(read.and_then(|down| bytes.end().map(|()| down)))
    }

    pub fn write(&self) -> (u8, Vec<u8>) {
        let mut out = Vec::new();
        let opcode = match self {
            Self::Task(task) => {
                task.write(&mut out);
                START_STOP
            }
            Self::Volume { volume, codes } => {
                out.push(*volume);
                codes.write(&mut out);
                VOLUME
            }
            Self::Query {
                reback,
                codes,
                wanted,
            } => {
                reback.write(&mut out);
                codes.write(&mut out);
                put8(&mut out, wanted);
                QUERY
            }
            Self::Clock(time) => {
                out.extend_from_slice(&time.to_be_bytes());
                CLOCK
            }
            Self::QueryRecords(query) => {
                query.write(&mut out);
                QUERY_RECORDS
            }
            Self::Ask(ask) => ask.opcode(),
            Self::Set(set) => set.write(&mut out),
            Self::Named { opcode, body } => {
                out.extend_from_slice(body);
                *opcode
            }
            Self::Reply(reply) => {
                reply.write(&mut out);
                GENERIC_REPLY
            }
            Self::HeartbeatReply => HEARTBEAT_REPLY,
            Self::BegunReply {
                result,
                monitor,
                port,
            } => {
                out.push(*result);
                out.extend_from_slice(monitor);
                out.extend_from_slice(&port.to_be_bytes());
                BEGUN_REPLY
            }
        };
        (opcode, out)
    }
}

fn volume(bytes: &mut Reader<'_>) -> Result<Down, Malformed> {
    let volume = match bytes.u8("volume")? {
        volume @ (0..=100 | UNCHANGED) => volume,
        other => return Err(Malformed::Value("volume", other)),
    };
    let codes = Codes::read(bytes)?;
    Ok(Down::Volume { volume, codes })
}

fn query(bytes: &mut Reader<'_>) -> Result<Down, Malformed> {
    let reback = Reback::read(bytes)?;
    let codes = Codes::read(bytes)?;
    let wanted = bytes.counted8("query codes")?.to_vec();
    Ok(Down::Query {
        reback,
        codes,
        wanted,
    })
}

fn begun_reply(bytes: &mut Reader<'_>) -> Result<Down, Malformed> {
    Ok(Down::BegunReply {
        result: bytes.u8("result")?,
        monitor: bytes.array("monitor address")?,
        port: bytes.u16("monitor port")?,
    })
}
