//! What an adapter says: replies, heartbeats, reports of tasks, records and faults. This module must not judge whom to
//! believe.

use super::assumed::Parameters;
use super::bytes::{Id, Malformed, Reader, count8, put16, put32};
use super::channels::{Inputs, Outputs};
use super::task::{CODE, Codes, EBM, GENERIC_REPLY, Generic, QUERY};

pub const OUTPUTS: u8 = 0x13;
pub const INPUTS: u8 = 0x14;
pub const RECORDS: u8 = 0x15;
pub const FAULT: u8 = 0x16;
pub const START_STOP_REPLY: u8 = 0x17;
pub const BEGUN: u8 = 0x18;
pub const ENDED: u8 = 0x19;
pub const HEARTBEAT: u8 = 0x20;

/// What became of a task: the codes of a broadcast's state.
pub const PLAYED: u8 = 3;
pub const FAILED: u8 = 4;
pub const CANCELLED: u8 = 5;

/// Where a task came from; 3 and 4 are a telephone and a short message, whose number follows.
const BY_NUMBER: [u8; 2] = [3, 4];

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    pub front: Id,
    /// 1 idle, 2 working, 3 fault.
    pub state: u8,
    /// One build sends a byte here of which nothing is known.
    pub extra: Option<u8>,
    pub time: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub ebm: Id,
    /// 0 not processed, 1 waiting, 2 playing, 3 played, 4 failed, 5 cancelled.
    pub state: u8,
    /// 1 platform, 2 an input, 3 telephone, 4 short message, 5 radio or satellite.
    pub resource: u8,
    pub class: u8,
    pub level: u8,
    pub event: [u8; 5],
    pub start: u32,
    pub end: u32,
    pub volume: u8,
    pub input: u8,
    /// Kind and id.
    pub outputs: Vec<[u8; 2]>,
    pub number: Option<Vec<u8>>,
    pub length: u8,
    pub codes: Vec<Id>,
}

/// A task has begun to sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    pub front: Id,
    pub ebm: Id,
    pub resource: u8,
    pub class: u8,
    pub level: u8,
    pub event: [u8; 5],
    pub input: u8,
    pub outputs: Vec<[u8; 2]>,
    pub number: Option<Vec<u8>>,
    pub volume: u8,
    pub length: u8,
    pub codes: Vec<Id>,
}

/// What an adapter answers to 0x04.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartStopReply {
    pub front: Id,
    pub ebm: Id,
    /// 0 taken, 1 not.
    pub result: u8,
    pub text: Vec<u8>,
    /// Where it wants the sound.
    pub stream: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Up {
    Reply(Generic),
    Outputs(Outputs),
    Inputs(Inputs),
    Records {
        front: Id,
        records: Vec<Record>,
    },
    Fault {
        front: Id,
        kind: u8,
        text: Vec<u8>,
    },
    StartStopReply(Box<StartStopReply>),
    Begun(Box<Begun>),
    Ended {
        front: Id,
        ebm: Id,
    },
    Heartbeat(Heartbeat),
    /// What stands in it is assumed.
    Parameters(Parameters),
}

impl Up {
    /// `None` for an opcode that is not spoken here.
    pub fn read(opcode: u8, body: &[u8]) -> Option<Result<Self, Malformed>> {
        let mut bytes = Reader(body);
        let read = match opcode {
            GENERIC_REPLY => Generic::read(&mut bytes).map(Self::Reply),
            OUTPUTS => Outputs::read(&mut bytes).map(Self::Outputs),
            INPUTS => Inputs::read(&mut bytes).map(Self::Inputs),
            RECORDS => records(&mut bytes),
            FAULT => fault(&mut bytes),
            START_STOP_REPLY => start_stop_reply(&mut bytes),
            BEGUN => begun(&mut bytes),
            ENDED => ended(&mut bytes),
            HEARTBEAT => heartbeat(&mut bytes),
            QUERY => Parameters::read(&mut bytes).map(Self::Parameters),
            _ => return None,
        };
        Some(read.and_then(|up| bytes.end().map(|()| up)))
    }

    /// Who says it, where it says so.
    pub fn front(&self) -> Option<&Id> {
        match self {
            Self::Reply(_) => None,
            Self::Outputs(outputs) => Some(&outputs.front),
            Self::Inputs(inputs) => Some(&inputs.front),
            Self::StartStopReply(reply) => Some(&reply.front),
            Self::Begun(begun) => Some(&begun.front),
            Self::Heartbeat(heartbeat) => Some(&heartbeat.front),
            Self::Parameters(parameters) => Some(&parameters.front),
            Self::Records { front, .. } | Self::Fault { front, .. } | Self::Ended { front, .. } => {
                Some(front)
            }
        }
    }

    pub fn write(&self) -> (u8, Vec<u8>) {
        let mut out = Vec::new();
        let opcode = match self {
            Self::Reply(reply) => {
                reply.write(&mut out);
                GENERIC_REPLY
            }
            Self::Outputs(outputs) => {
                outputs.write(&mut out);
                OUTPUTS
            }
            Self::Inputs(inputs) => {
                inputs.write(&mut out);
                INPUTS
            }
            Self::Records { front, records } => {
                out.extend_from_slice(front.bytes());
                let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&count.to_be_bytes());
                for record in records {
                    record.write(&mut out);
                }
                RECORDS
            }
            Self::Fault { front, kind, text } => {
                out.extend_from_slice(front.bytes());
                out.push(*kind);
                put16(&mut out, text);
                FAULT
            }
            Self::StartStopReply(reply) => {
                reply.write(&mut out);
                START_STOP_REPLY
            }
            Self::Begun(begun) => {
                begun.write(&mut out);
                BEGUN
            }
            Self::Ended { front, ebm } => {
                out.extend_from_slice(front.bytes());
                out.extend_from_slice(ebm.bytes());
                ENDED
            }
            Self::Heartbeat(heartbeat) => {
                heartbeat.write(&mut out);
                HEARTBEAT
            }
            Self::Parameters(parameters) => {
                parameters.write(&mut out);
                QUERY
            }
        };
        (opcode, out)
    }
}

fn front(bytes: &mut Reader<'_>) -> Result<Id, Malformed> {
    bytes.id(CODE, "front")
}

fn records(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    let front = front(bytes)?;
    let count = bytes.u32("count of records")?;
    // Each is far longer than a byte, so what is kept is bounded by what came.
    let records = (0..count).map(|_| Record::read(bytes));
    let records = records.collect::<Result<_, _>>()?;
    Ok(Up::Records { front, records })
}

fn fault(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    Ok(Up::Fault {
        front: front(bytes)?,
        kind: bytes.u8("kind of fault")?,
        text: bytes.counted16("text")?.to_vec(),
    })
}

fn start_stop_reply(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    Ok(Up::StartStopReply(Box::new(StartStopReply {
        front: front(bytes)?,
        ebm: bytes.id(EBM, "EBMID")?,
        result: bytes.u8("result")?,
        text: bytes.counted32("text")?.to_vec(),
        stream: bytes.counted16("stream address")?.to_vec(),
    })))
}

fn begun(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    let (front, ebm) = (front(bytes)?, bytes.id(EBM, "EBMID")?);
    let resource = bytes.u8("program resource")?;
    let (class, level) = (bytes.u8("class")?, bytes.u8("level")?);
    let event = bytes.array("event type")?;
    let input = bytes.u8("input channel")?;
    let outputs = outputs(bytes)?;
    let number = number(resource, bytes)?;
    let volume = bytes.u8("volume")?;
    let (length, codes) = Codes::read_list(bytes)?;
    Ok(Up::Begun(Box::new(Begun {
        front,
        ebm,
        resource,
        class,
        level,
        event,
        input,
        outputs,
        number,
        volume,
        length,
        codes,
    })))
}

fn ended(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    let front = front(bytes)?;
    let ebm = bytes.id(EBM, "EBMID")?;
    Ok(Up::Ended { front, ebm })
}

fn heartbeat(bytes: &mut Reader<'_>) -> Result<Up, Malformed> {
    let length = bytes.u8("length of the front")?;
    let front = bytes.id(length.into(), "front")?;
    let state = match bytes.u8("state")? {
        state @ 1..=3 => state,
        other => return Err(Malformed::Value("state", other)),
    };
    let extra = if bytes.0.len() == 5 {
        Some(bytes.u8("extra byte")?)
    } else {
        None
    };
    let time = bytes.u32("time")?;
    Ok(Up::Heartbeat(Heartbeat {
        front,
        state,
        extra,
        time,
    }))
}

fn outputs(bytes: &mut Reader<'_>) -> Result<Vec<[u8; 2]>, Malformed> {
    let count = bytes.u8("count of output channels")?;
    (0..count).map(|_| bytes.array("output channel")).collect()
}

fn put_outputs(out: &mut Vec<u8>, outputs: &[[u8; 2]]) {
    out.push(count8(outputs.len()));
    out.extend(outputs.iter().flatten());
}

fn number(resource: u8, bytes: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    let follows = BY_NUMBER.contains(&resource);
    follows
        .then(|| bytes.counted8("number").map(<[u8]>::to_vec))
        .transpose()
}

fn put_number(out: &mut Vec<u8>, number: Option<&Vec<u8>>) {
    if let Some(number) = number {
        super::bytes::put8(out, number);
    }
}

impl Record {
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let ebm = bytes.id(EBM, "EBMID")?;
        let state = bytes.u8("task state")?;
        let resource = bytes.u8("program resource")?;
        let (class, level) = (bytes.u8("class")?, bytes.u8("level")?);
        let event = bytes.array("event type")?;
        let (start, end) = (bytes.u32("start")?, bytes.u32("end")?);
        let (volume, input) = (bytes.u8("volume")?, bytes.u8("input channel")?);
        let outputs = outputs(bytes)?;
        let number = number(resource, bytes)?;
        let (length, codes) = Codes::read_list(bytes)?;
        Ok(Self {
            ebm,
            state,
            resource,
            class,
            level,
            event,
            start,
            end,
            volume,
            input,
            outputs,
            number,
            length,
            codes,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.ebm.bytes());
        out.extend_from_slice(&[self.state, self.resource, self.class, self.level]);
        out.extend_from_slice(&self.event);
        out.extend_from_slice(&self.start.to_be_bytes());
        out.extend_from_slice(&self.end.to_be_bytes());
        out.extend_from_slice(&[self.volume, self.input]);
        put_outputs(out, &self.outputs);
        put_number(out, self.number.as_ref());
        Codes::write_list(self.length, &self.codes, out);
    }
}

impl Begun {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.front.bytes());
        out.extend_from_slice(self.ebm.bytes());
        out.extend_from_slice(&[self.resource, self.class, self.level]);
        out.extend_from_slice(&self.event);
        out.push(self.input);
        put_outputs(out, &self.outputs);
        put_number(out, self.number.as_ref());
        out.push(self.volume);
        Codes::write_list(self.length, &self.codes, out);
    }
}

impl StartStopReply {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.front.bytes());
        out.extend_from_slice(self.ebm.bytes());
        out.push(self.result);
        put32(out, &self.text);
        put16(out, &self.stream);
    }
}

impl Heartbeat {
    fn write(&self, out: &mut Vec<u8>) {
        super::bytes::put8(out, self.front.bytes());
        out.push(self.state);
        out.extend(self.extra);
        out.extend_from_slice(&self.time.to_be_bytes());
    }
}
