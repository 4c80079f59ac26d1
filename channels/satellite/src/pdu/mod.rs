//! Short messages as a modem in PDU mode takes and gives them (3GPP TS 23.040, 23.038): SMS-SUBMIT, SMS-DELIVER and
//! SMS-STATUS-REPORT, each with the centre's address before it (3GPP TS 27.005). This module must not send anything.

pub mod number;
pub mod septets;
pub mod status;
pub mod time;

use channel::Timestamp;
use sms::text::read::{Script, read};

pub use number::Number;

/// How the user data of a message is coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alphabet {
    /// The GSM default alphabet.
    Gsm7,
    Octets,
    Ucs2,
}

/// How long a centre is to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// As long as it likes.
    Open,
    /// One octet, as [`time::span`] gives it.
    Span(u8),
    /// A moment, and the zone it is written in, in quarters of an hour east.
    Moment(Timestamp, u8),
}

/// Header and data of one part. In the default alphabet an octet of `data` is a septet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserData {
    pub alphabet: Alphabet,
    /// With its own length octet in front; empty where the text is one part.
    pub header: Vec<u8>,
    pub data: Vec<u8>,
}

/// SMS-SUBMIT: from us to the centre.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submit {
    pub to: Number,
    pub until: Until,
    /// A status report is asked for.
    pub report: bool,
    /// Class 0: shown at once.
    pub flash: bool,
    pub user: UserData,
}

/// SMS-DELIVER: from a phone to us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deliver {
    pub from: Number,
    pub at: Option<Timestamp>,
    pub user: UserData,
}

/// SMS-STATUS-REPORT: what became of one part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The message reference (TP-MR) that the modem gave the part.
    pub reference: u8,
    pub of: Number,
    /// When the centre took the part, and when its state became what it is.
    pub taken: Option<Timestamp>,
    pub at: Option<Timestamp>,
    pub status: u8,
}

/// What a modem brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming {
    Deliver(Deliver),
    Report(Report),
}

/// Why bytes are no message of this kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it ends too soon")]
    Short,
    #[error("it is no message of this kind")]
    Kind,
}

const SUBMIT: u8 = 0b01;
const DELIVER: u8 = 0b00;
const REPORT: u8 = 0b10;
const KIND: u8 = 0b11;
const HEADER: u8 = 0x40;
const ASKS: u8 = 0x20;
const SPAN: u8 = 0x10;
const MOMENT: u8 = 0x18;
/// No more messages wait: said in both directions by leaving a bit set.
const NO_MORE: u8 = 0x04;

impl UserData {
    /// What was written; empty where it is no text.
    pub fn text(&self) -> String {
        let script = match self.alphabet {
            Alphabet::Gsm7 => Script::Gsm7,
            Alphabet::Ucs2 => Script::Ucs2,
            Alphabet::Octets => Script::Other,
        };
        read(&self.data, script, false)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (length, octets) = match self.alphabet {
            Alphabet::Gsm7 => {
                let length = if self.header.is_empty() {
                    self.data.len()
                } else {
                    septets::of_header(self.header.len()) + self.data.len()
                };
                (length, septets::pack(&self.header, &self.data))
            }
            Alphabet::Octets | Alphabet::Ucs2 => {
                let octets = [&self.header[..], &self.data].concat();
                (octets.len(), octets)
            }
        };
        out.push(u8::try_from(length).unwrap_or(u8::MAX));
        out.extend(octets);
    }

    fn read(coding: u8, has_header: bool, rest: &[u8]) -> Result<Self, Unreadable> {
        let (length, octets) = rest.split_first().ok_or(Unreadable::Short)?;
        let alphabet = alphabet(coding);
        let header = match octets.first().filter(|_| has_header) {
            Some(length) => octets
                .get(..=usize::from(*length))
                .ok_or(Unreadable::Short)?,
            None => &[],
        };
        let length = usize::from(*length);
        let data = if alphabet == Alphabet::Gsm7 {
            septets::unpack(octets, septets::of_header(header.len()), length)
        } else {
            let octets = octets.get(..length).ok_or(Unreadable::Short)?;
            octets.get(header.len()..).unwrap_or_default().to_vec()
        };
        Ok(Self {
            alphabet,
            header: header.to_vec(),
            data,
        })
    }
}

/// 3GPP TS 23.038 section 4.
const fn alphabet(coding: u8) -> Alphabet {
    match (coding >> 4, coding >> 2 & 0b11) {
        (0x0..=0x7, 0b01) => Alphabet::Octets,
        (0x0..=0x7, 0b10) | (0xE, _) => Alphabet::Ucs2,
        (0xF, bits) if bits & 1 == 1 => Alphabet::Octets,
        _ => Alphabet::Gsm7,
    }
}

impl Submit {
    pub fn write(&self) -> Vec<u8> {
        let format = match self.until {
            Until::Open => 0,
            Until::Span(_) => SPAN,
            Until::Moment(..) => MOMENT,
        };
        let header = if self.user.header.is_empty() {
            0
        } else {
            HEADER
        };
        let asks = if self.report { ASKS } else { 0 };
        // The modem fills the reference in.
        let mut out = vec![SUBMIT | format | header | asks, 0];
        self.to.write(&mut out);
        let class = if self.flash { 0x10 } else { 0 };
        let coding = match self.user.alphabet {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Octets => 0x04,
            Alphabet::Ucs2 => 0x08,
        };
        out.extend([0, coding | class]);
        match self.until {
            Until::Open => {}
            Until::Span(span) => out.push(span),
            Until::Moment(moment, quarters) => out.extend(time::write(moment, quarters)),
        }
        self.user.write(&mut out);
        out
    }

    pub fn read(tpdu: &[u8]) -> Result<Self, Unreadable> {
        let [first, _reference, rest @ ..] = tpdu else {
            return Err(Unreadable::Short);
        };
        if first & KIND != SUBMIT {
            return Err(Unreadable::Kind);
        }
        let (to, rest) = Number::read(rest).ok_or(Unreadable::Short)?;
        let [_protocol, coding, rest @ ..] = rest else {
            return Err(Unreadable::Short);
        };
        let (until, rest) = match first & MOMENT {
            0 => (Until::Open, rest),
            SPAN => {
                let (span, rest) = rest.split_first().ok_or(Unreadable::Short)?;
                (Until::Span(*span), rest)
            }
            MOMENT => {
                let (moment, rest) = rest.split_first_chunk::<7>().ok_or(Unreadable::Short)?;
                let quarters = (moment[6] & 0x7) * 10 + (moment[6] >> 4);
                let until = time::read(*moment).map(|moment| Until::Moment(moment, quarters));
                (until.unwrap_or(Until::Open), rest)
            }
            _ => (Until::Open, rest.get(7..).ok_or(Unreadable::Short)?),
        };
        Ok(Self {
            to,
            until,
            report: first & ASKS != 0,
            flash: coding & 0xF3 == 0x10,
            user: UserData::read(*coding, first & HEADER != 0, rest)?,
        })
    }
}

/// The line that a modem takes after its prompt, and the length that it is told before: of all but the centre.
pub fn line(centre: Option<&Number>, tpdu: &[u8]) -> (String, usize) {
    let mut bytes = Vec::with_capacity(tpdu.len() + 12);
    match centre {
        Some(centre) => centre.write_centre(&mut bytes),
        None => bytes.push(0),
    }
    bytes.extend_from_slice(tpdu);
    (hex::encode_upper(bytes), tpdu.len())
}

/// What stands behind the centre's address.
pub fn behind_centre(bytes: &[u8]) -> Result<&[u8], Unreadable> {
    let (length, rest) = bytes.split_first().ok_or(Unreadable::Short)?;
    rest.get(usize::from(*length)..).ok_or(Unreadable::Short)
}

impl Incoming {
    /// From a modem's line; some leave the centre's address out of reports.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        Self::read_tpdu(behind_centre(bytes)?)
    }

    pub fn read_tpdu(tpdu: &[u8]) -> Result<Self, Unreadable> {
        let (first, rest) = tpdu.split_first().ok_or(Unreadable::Short)?;
        match first & KIND {
            DELIVER => Deliver::read(*first, rest).map(Self::Deliver),
            REPORT => Report::read(rest).map(Self::Report),
            _ => Err(Unreadable::Kind),
        }
    }
}

impl Deliver {
    fn read(first: u8, rest: &[u8]) -> Result<Self, Unreadable> {
        let (from, rest) = Number::read(rest).ok_or(Unreadable::Short)?;
        let [_protocol, coding, rest @ ..] = rest else {
            return Err(Unreadable::Short);
        };
        let (at, rest) = rest.split_first_chunk::<7>().ok_or(Unreadable::Short)?;
        Ok(Self {
            from,
            at: time::read(*at),
            user: UserData::read(*coding, first & HEADER != 0, rest)?,
        })
    }

    pub fn write(&self, quarters: u8) -> Vec<u8> {
        let header = if self.user.header.is_empty() {
            0
        } else {
            HEADER
        };
        let mut out = vec![DELIVER | NO_MORE | header];
        self.from.write(&mut out);
        let coding = match self.user.alphabet {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Octets => 0x04,
            Alphabet::Ucs2 => 0x08,
        };
        out.extend([0, coding]);
        out.extend(time::write(self.at.unwrap_or_default(), quarters));
        self.user.write(&mut out);
        out
    }
}

impl Report {
    fn read(rest: &[u8]) -> Result<Self, Unreadable> {
        let (reference, rest) = rest.split_first().ok_or(Unreadable::Short)?;
        let (of, rest) = Number::read(rest).ok_or(Unreadable::Short)?;
        let (taken, rest) = rest.split_first_chunk::<7>().ok_or(Unreadable::Short)?;
        let (at, rest) = rest.split_first_chunk::<7>().ok_or(Unreadable::Short)?;
        Ok(Self {
            reference: *reference,
            of,
            taken: time::read(*taken),
            at: time::read(*at),
            status: *rest.first().ok_or(Unreadable::Short)?,
        })
    }

    pub fn write(&self, quarters: u8) -> Vec<u8> {
        let mut out = vec![REPORT | NO_MORE, self.reference];
        self.of.write(&mut out);
        out.extend(time::write(self.taken.unwrap_or_default(), quarters));
        out.extend(time::write(self.at.unwrap_or_default(), quarters));
        out.push(self.status);
        out
    }
}

#[cfg(test)]
mod tests;
