//! The inputs and outputs of an adapter, as it lists them (0x13, 0x14). Which input is the platform is read from them, and
//! nothing else is decided by them.

use super::bytes::{Id, Malformed, Reader, count8, put16};
use super::task::{CODE, EBM};

/// The state of an output that sounds: its message follows.
const OCCUPIED: u8 = 2;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    pub id: u8,
    /// UTF-8, unlike the texts that are spoken.
    pub name: Vec<u8>,
    /// Of one group, one sounds at a time.
    pub group: u8,
    pub state: u8,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inputs {
    pub front: Id,
    pub list: Vec<Input>,
}

impl Inputs {
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let front = bytes.id(CODE, "front")?;
        let count = bytes.u8("count of inputs")?;
        let input = |_| {
            Ok(Input {
                id: bytes.u8("input")?,
                name: bytes.counted16("name")?.to_vec(),
                group: bytes.u8("group")?,
                state: bytes.u8("state")?,
            })
        };
        let list = (0..count).map(input).collect::<Result<_, _>>()?;
        Ok(Self { front, list })
    }

    /// The input that is the platform, where exactly one has that name.
    pub fn platform(&self) -> Option<u8> {
        let named = |input: &&Input| {
            let name = input.name.strip_suffix(&[0]).unwrap_or(&input.name);
            name == "平台".as_bytes()
        };
        let mut named = self.list.iter().filter(named);
        let found = named.next()?.id;
        named.next().is_none().then_some(found)
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.front.bytes());
        out.push(count8(self.list.len()));
        for input in &self.list {
            out.push(input.id);
            put16(out, &input.name);
            out.extend_from_slice(&[input.group, input.state]);
        }
    }
}

/// How one programme of an output is tuned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tuned {
    /// MHz, as six decimal digits with two behind the point.
    Fm([u8; 3]),
    /// Original network, transport stream, programme, clock; kind and number of each stream.
    Dvb([u16; 4], Vec<(u8, u16)>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programme {
    pub tuned: Tuned,
    /// 1 idle, 2 occupied, 3 fault.
    pub state: u8,
    pub ebm: Option<Id>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    pub id: u8,
    /// 1 FM, 2 DVB-C, 3 DTMB.
    pub kind: u8,
    pub programmes: Vec<Programme>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outputs {
    pub front: Id,
    pub list: Vec<Output>,
}

impl Outputs {
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let front = bytes.id(CODE, "front")?;
        let count = bytes.u8("count of outputs")?;
        let list = (0..count).map(|_| Output::read(bytes));
        let list = list.collect::<Result<_, _>>()?;
        Ok(Self { front, list })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.front.bytes());
        out.push(count8(self.list.len()));
        for output in &self.list {
            out.extend_from_slice(&[output.id, output.kind, count8(output.programmes.len())]);
            for programme in &output.programmes {
                programme.write(out);
            }
        }
    }
}

impl Output {
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = bytes.u8("output")?;
        let kind = match bytes.u8("kind of output")? {
            kind @ 1..=3 => kind,
            // How an IP output goes on is not known.
            other => return Err(Malformed::Value("kind of output", other)),
        };
        let count = bytes.u8("count of programmes")?;
        let programmes = (0..count).map(|_| Programme::read(kind, bytes));
        let programmes = programmes.collect::<Result<_, _>>()?;
        Ok(Self {
            id,
            kind,
            programmes,
        })
    }
}

impl Programme {
    fn read(kind: u8, bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let tuned = if kind == 1 {
            Tuned::Fm(bytes.array("frequency")?)
        } else {
            let mut ids = [0; 4];
            for id in &mut ids {
                *id = bytes.u16("programme")?;
            }
            let count = bytes.u8("count of streams")?;
            let stream = |_| Ok((bytes.u8("kind of stream")?, bytes.u16("stream")?));
            Tuned::Dvb(ids, (0..count).map(stream).collect::<Result<_, _>>()?)
        };
        let state = bytes.u8("state")?;
        let ebm = if state == OCCUPIED {
            Some(bytes.id(EBM, "EBMID")?)
        } else {
            None
        };
        Ok(Self { tuned, state, ebm })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match &self.tuned {
            Tuned::Fm(frequency) => out.extend_from_slice(frequency),
            Tuned::Dvb(ids, streams) => {
                out.extend(ids.iter().flat_map(|id| id.to_be_bytes()));
                out.push(count8(streams.len()));
                for (kind, pid) in streams {
                    out.push(*kind);
                    out.extend_from_slice(&pid.to_be_bytes());
                }
            }
        }
        out.push(self.state);
        if let Some(ebm) = &self.ebm {
            out.extend_from_slice(ebm.bytes());
        }
    }
}
