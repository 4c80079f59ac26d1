//! What no source tells of GD/J 089: each of these is a guess that one adapter's settings can change, and none of them is
//! used where it is not needed. This is the one place for such guesses; nothing else may assume.

use serde::Deserialize;

use super::bytes::{Id, Malformed, Reader, put8};
use super::task::{CODE, EBM};

/// The guesses for one adapter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assumed {
    /// How play records are asked for (0x10), whose body no source has.
    pub records: Records,
    /// What answers a status query (0x08).
    pub status: Status,
    /// What we answer when an adapter reports the end of a task (0x19), a fault (0x16) or records (0x15) of itself.
    pub report_answer: ReportAnswer,
    /// How inputs and outputs are asked for (0x0E, 0x0F).
    pub channels: Asked,
    /// How faults are asked for (0x11).
    pub faults: Asked,
    /// How the address ends the adapter's own report parameters (0x0D).
    pub return_address: ReturnAddress,
    /// How the id of "everything" is written when all is stopped: 18 bytes of 0, or `F` and 35 digits 0.
    pub everything: Everything,
    /// Which of the adapter's inputs is the platform, where it has not listed one of that name. One captured frame calls it 2.
    pub input_channel: u8,
}

impl Default for Assumed {
    fn default() -> Self {
        Self {
            records: Records::default(),
            status: Status::default(),
            report_answer: ReportAnswer::default(),
            channels: Asked::default(),
            faults: Asked::default(),
            return_address: ReturnAddress::default(),
            everything: Everything::default(),
            input_channel: 2,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Records {
    /// They are not asked for; an adapter may still bring them.
    Never,
    /// By an empty body: all that it has.
    #[default]
    All,
    /// By two times, from and until.
    Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is not asked.
    #[default]
    Never,
    /// A frame of the same opcode: front, count, and for each a query code, a length and the value.
    Listed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// They are not.
    #[default]
    Never,
    /// By an empty body.
    Empty,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnAddress {
    /// Behind its length, as that of the terminals (0x07).
    #[default]
    Counted,
    /// To the end of the body.
    Bare,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportAnswer {
    Never,
    /// The generic reply 0x12, with code 0.
    #[default]
    Generic,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Everything {
    #[default]
    Zeros,
    Padded,
}

impl Everything {
    pub fn id(self) -> Id {
        let padded = || {
            let mut bytes = [0; EBM];
            bytes[0] = 0xF0;
            Id::read(&bytes)
        };
        match self {
            Self::Zeros => Id::zero(EBM),
            Self::Padded => padded().unwrap_or_else(|| Id::zero(EBM)),
        }
    }
}

/// Of nobody in particular: what a fault report without a fault has.
pub const NO_FAULT: u8 = 0;

/// The body of 0x10.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordsQuery {
    All,
    Span { from: u32, until: u32 },
}

impl RecordsQuery {
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        if bytes.0.is_empty() {
            return Ok(Self::All);
        }
        let from = bytes.u32("begin of the span")?;
        let until = bytes.u32("end of the span")?;
        Ok(Self::Span { from, until })
    }

    pub fn write(self, out: &mut Vec<u8>) {
        if let Self::Span { from, until } = self {
            out.extend_from_slice(&from.to_be_bytes());
            out.extend_from_slice(&until.to_be_bytes());
        }
    }
}

/// What is asked by an empty body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    Outputs,
    Inputs,
    Faults,
}

impl Ask {
    pub const fn opcode(self) -> u8 {
        match self {
            Self::Outputs => 0x0E,
            Self::Inputs => 0x0F,
            Self::Faults => 0x11,
        }
    }

    pub fn of(opcode: u8) -> Option<Self> {
        let all = [Self::Outputs, Self::Inputs, Self::Faults];
        all.into_iter().find(|ask| ask.opcode() == opcode)
    }
}

/// What answers 0x08 where `status` is `listed`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameters {
    pub front: Id,
    pub values: Vec<(u8, Vec<u8>)>,
}

impl Parameters {
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let front = bytes.id(CODE, "front")?;
        let count = bytes.u8("count of values")?;
        let value = |_| Ok((bytes.u8("query code")?, bytes.counted8("value")?.to_vec()));
        let values = (0..count).map(value).collect::<Result<_, _>>()?;
        Ok(Self { front, values })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.front.bytes());
        out.push(super::bytes::count8(self.values.len()));
        for (code, value) in &self.values {
            out.push(*code);
            put8(out, value);
        }
    }

    /// The volume, where it is among them.
    pub fn volume(&self) -> Option<u8> {
        let of = |(code, value): &(u8, Vec<u8>)| (*code == 1).then(|| value.first().copied());
        self.values.iter().find_map(of).flatten()
    }
}
