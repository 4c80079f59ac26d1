//! SMPP 3.4 on the wire. This module must not do I/O and must not judge: what a status or a receipt means is said
//! elsewhere.

use super::Malformed;

const HEADER: usize = 16;
/// Sequence numbers run from 1 to this and begin again.
pub const MAX_SEQUENCE: u32 = 0x7FFF_FFFF;

/// The command ids that we speak; bit 31 marks an answer.
pub mod command {
    pub const SUBMIT_SM: u32 = 0x04;
    pub const DELIVER_SM: u32 = 0x05;
    pub const UNBIND: u32 = 0x06;
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    pub const ENQUIRE_LINK: u32 = 0x15;
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    pub const ANSWER: u32 = 0x8000_0000;
}

/// Optional parameters that we read or write.
pub mod tag {
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// Optional parameters, checked to be whole when the PDU was parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tlvs<'a>(&'a [u8]);

impl<'a> Tlvs<'a> {
    /// From bytes that were written with [`put_tlv`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let [_, _, high, low, ..] = *rest else {
                return Err(Malformed::Tlv);
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            rest = rest.get(4 + length..).ok_or(Malformed::Tlv)?;
        }
        Ok(Self(bytes))
    }

    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let [a, b, c, d, ..] = *rest else { return None };
            let length = usize::from(u16::from_be_bytes([c, d]));
            let value = rest.get(4..4 + length)?;
            rest = &rest[4 + length..];
            Some((u16::from_be_bytes([a, b]), value))
        })
    }

    pub fn get(&self, tag: u16) -> Option<&'a [u8]> {
        self.iter().find(|(t, _)| *t == tag).map(|(_, value)| value)
    }
}

/// `bind_transceiver`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bind<'a> {
    pub system_id: &'a [u8],
    pub password: &'a [u8],
    pub system_type: &'a [u8],
    pub interface_version: u8,
    pub addr_ton: u8,
    pub addr_npi: u8,
    pub address_range: &'a [u8],
}

/// An address with its type of number and numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Party<'a> {
    pub ton: u8,
    pub npi: u8,
    pub address: &'a [u8],
}

/// `submit_sm` and `deliver_sm`: one layout for both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sm<'a> {
    pub service_type: &'a [u8],
    pub source: Party<'a>,
    pub dest: Party<'a>,
    pub esm_class: u8,
    pub protocol_id: u8,
    pub priority: u8,
    pub schedule: &'a [u8],
    pub validity: &'a [u8],
    pub registered_delivery: u8,
    pub replace_if_present: u8,
    pub data_coding: u8,
    pub default_message: u8,
    /// The user data in two pieces, so that a shared text needs no copy to get its own header. Parsing leaves the
    /// first one empty.
    pub header: &'a [u8],
    pub text: &'a [u8],
    pub tlvs: Tlvs<'a>,
}

impl Sm<'_> {
    /// A delivery receipt or an intermediate notification, and not a text from a handset.
    pub fn is_receipt(&self) -> bool {
        matches!(self.esm_class & 0x3C, 0x04 | 0x20)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    BindTransceiver(Bind<'a>),
    BindTransceiverResp {
        system_id: &'a [u8],
    },
    SubmitSm(Sm<'a>),
    SubmitSmResp {
        message_id: &'a [u8],
    },
    DeliverSm(Sm<'a>),
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Unbind,
    UnbindResp,
    GenericNack,
    /// Something that we do not speak: its command id.
    Other(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pdu<'a> {
    pub status: u32,
    pub sequence: u32,
    pub body: Body<'a>,
}

/// The length of the PDU at the start of `buffer`, or `None` where more bytes must come first.
pub fn check(buffer: &[u8]) -> Result<Option<usize>, Malformed> {
    super::check(buffer, HEADER)
}

/// One whole frame, as long as [`check`] said.
pub fn parse(frame: &[u8]) -> Result<Pdu<'_>, Malformed> {
    let Some((head, rest)) = frame.split_first_chunk::<HEADER>() else {
        return Err(Malformed::Short("header"));
    };
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (id, status, sequence) = (word(4), word(8), word(12));
    let mut fields = Fields(rest);
    let body = match id {
        command::SUBMIT_SM => Body::SubmitSm(fields.sm()?),
        command::DELIVER_SM => Body::DeliverSm(fields.sm()?),
        command::UNBIND => Body::Unbind,
        command::BIND_TRANSCEIVER => Body::BindTransceiver(fields.bind()?),
        command::ENQUIRE_LINK => Body::EnquireLink,
        command::GENERIC_NACK => Body::GenericNack,
        // A refusal may come without its body.
        id if id == command::SUBMIT_SM | command::ANSWER => Body::SubmitSmResp {
            message_id: fields.lenient(),
        },
        id if id == command::BIND_TRANSCEIVER | command::ANSWER => Body::BindTransceiverResp {
            system_id: fields.lenient(),
        },
        id if id == command::DELIVER_SM | command::ANSWER => Body::DeliverSmResp,
        id if id == command::ENQUIRE_LINK | command::ANSWER => Body::EnquireLinkResp,
        id if id == command::UNBIND | command::ANSWER => Body::UnbindResp,
        other => Body::Other(other),
    };
    Ok(Pdu {
        status,
        sequence,
        body,
    })
}

/// Command id and sequence number of a frame whose inside may be wrong.
pub fn head(frame: &[u8]) -> Option<(u32, u32)> {
    let head = frame.first_chunk::<HEADER>()?;
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    Some((word(4), word(12)))
}

/// Appends one PDU.
pub fn encode(pdu: &Pdu<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    let id = match pdu.body {
        Body::BindTransceiver(_) => command::BIND_TRANSCEIVER,
        Body::BindTransceiverResp { .. } => command::BIND_TRANSCEIVER | command::ANSWER,
        Body::SubmitSm(_) => command::SUBMIT_SM,
        Body::SubmitSmResp { .. } => command::SUBMIT_SM | command::ANSWER,
        Body::DeliverSm(_) => command::DELIVER_SM,
        Body::DeliverSmResp => command::DELIVER_SM | command::ANSWER,
        Body::EnquireLink => command::ENQUIRE_LINK,
        Body::EnquireLinkResp => command::ENQUIRE_LINK | command::ANSWER,
        Body::Unbind => command::UNBIND,
        Body::UnbindResp => command::UNBIND | command::ANSWER,
        Body::GenericNack => command::GENERIC_NACK,
        Body::Other(id) => id,
    };
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&pdu.status.to_be_bytes());
    out.extend_from_slice(&pdu.sequence.to_be_bytes());
    match &pdu.body {
        Body::BindTransceiver(bind) => put_bind(bind, out),
        Body::BindTransceiverResp { system_id } => put_string(system_id, 15, out),
        // A refusal carries no id.
        Body::SubmitSmResp { message_id } if pdu.status == 0 => put_string(message_id, 64, out),
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => put_sm(sm, out),
        Body::DeliverSmResp => out.push(0),
        _ => {}
    }
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends one optional parameter; the caller gives the whole to [`Tlvs::parse`].
pub fn put_tlv(tag: u16, value: &[u8], out: &mut Vec<u8>) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value);
}

fn put_bind(bind: &Bind<'_>, out: &mut Vec<u8>) {
    put_string(bind.system_id, 15, out);
    put_string(bind.password, 8, out);
    put_string(bind.system_type, 12, out);
    out.extend_from_slice(&[bind.interface_version, bind.addr_ton, bind.addr_npi]);
    put_string(bind.address_range, 40, out);
}

fn put_sm(sm: &Sm<'_>, out: &mut Vec<u8>) {
    put_string(sm.service_type, 5, out);
    put_party(&sm.source, out);
    put_party(&sm.dest, out);
    out.extend_from_slice(&[sm.esm_class, sm.protocol_id, sm.priority]);
    put_string(sm.schedule, 16, out);
    put_string(sm.validity, 16, out);
    out.extend_from_slice(&[
        sm.registered_delivery,
        sm.replace_if_present,
        sm.data_coding,
        sm.default_message,
    ]);
    let header = &sm.header[..sm.header.len().min(255)];
    let text = &sm.text[..sm.text.len().min(255 - header.len())];
    out.push(u8::try_from(header.len() + text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(header);
    out.extend_from_slice(text);
    out.extend_from_slice(sm.tlvs.0);
}

fn put_party(party: &Party<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[party.ton, party.npi]);
    put_string(party.address, 20, out);
}

/// A C string, cut to what the protocol allows and at any zero within.
fn put_string(text: &[u8], most: usize, out: &mut Vec<u8>) {
    out.extend(
        text.iter()
            .copied()
            .take(most)
            .take_while(|byte| *byte != 0),
    );
    out.push(0);
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed::Short(what))?;
        self.0 = rest;
        Ok(*first)
    }

    fn string(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(Malformed::Short(what))?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Ok(text)
    }

    /// A string that may be missing or unterminated at the end of an answer.
    fn lenient(&mut self) -> &'a [u8] {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.0.len());
        &self.0[..end]
    }

    fn bind(&mut self) -> Result<Bind<'a>, Malformed> {
        Ok(Bind {
            system_id: self.string("system_id")?,
            password: self.string("password")?,
            system_type: self.string("system_type")?,
            interface_version: self.byte("interface_version")?,
            addr_ton: self.byte("addr_ton")?,
            addr_npi: self.byte("addr_npi")?,
            address_range: self.string("address_range")?,
        })
    }

    fn party(&mut self) -> Result<Party<'a>, Malformed> {
        Ok(Party {
            ton: self.byte("ton")?,
            npi: self.byte("npi")?,
            address: self.string("address")?,
        })
    }

    fn sm(&mut self) -> Result<Sm<'a>, Malformed> {
        let service_type = self.string("service_type")?;
        let (source, dest) = (self.party()?, self.party()?);
        let esm_class = self.byte("esm_class")?;
        let protocol_id = self.byte("protocol_id")?;
        let priority = self.byte("priority_flag")?;
        let schedule = self.string("schedule_delivery_time")?;
        let validity = self.string("validity_period")?;
        let registered_delivery = self.byte("registered_delivery")?;
        let replace_if_present = self.byte("replace_if_present_flag")?;
        let data_coding = self.byte("data_coding")?;
        let default_message = self.byte("sm_default_msg_id")?;
        let length = usize::from(self.byte("sm_length")?);
        let (text, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Malformed::Short("short_message"))?;
        self.0 = rest;
        let tlvs = Tlvs::parse(rest)?;
        Ok(Sm {
            service_type,
            source,
            dest,
            esm_class,
            protocol_id,
            priority,
            schedule,
            validity,
            registered_delivery,
            replace_if_present,
            data_coding,
            default_message,
            header: &[],
            text,
            tlvs,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(pdu: &Pdu<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(pdu, &mut out);
        out
    }

    fn text(most: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(1..=255u8, 0..=most)
    }

    #[test]
    fn a_submit_sm_has_exactly_these_bytes() {
        let sm = Sm {
            source: Party {
                ton: 5,
                npi: 0,
                address: b"12379",
            },
            dest: Party {
                ton: 1,
                npi: 1,
                address: b"8600000000001",
            },
            esm_class: 0x40,
            validity: b"260714023000000+",
            registered_delivery: 1,
            data_coding: 8,
            header: &[5, 0, 3, 7, 2, 1],
            text: &[0x96, 0x8E],
            ..Sm::default()
        };
        let out = bytes(&Pdu {
            status: 0,
            sequence: 9,
            body: Body::SubmitSm(sm),
        });
        let mut wanted = vec![0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9];
        wanted.extend_from_slice(
            b"\0\x05\x0012379\0\x01\x018600000000001\0\x40\0\0\x00260714023000000+\0\x01\0\x08\0\x08",
        );
        wanted.extend_from_slice(&[5, 0, 3, 7, 2, 1, 0x96, 0x8E]);
        let length = u8::try_from(wanted.len()).unwrap();
        wanted[3] = length;
        assert_eq!(out, wanted);
    }

    #[test]
    fn an_incomplete_pdu_is_a_value_and_an_absurd_length_an_error() {
        let whole = bytes(&Pdu {
            status: 0,
            sequence: 1,
            body: Body::EnquireLink,
        });
        for cut in 0..whole.len() {
            assert_eq!(check(&whole[..cut]), Ok(None));
        }
        assert_eq!(check(&whole), Ok(Some(16)));
        assert_eq!(check(&[0, 0, 0, 15]), Err(Malformed::Length(15)));
        assert_eq!(check(&[0xFF, 0, 0, 0]), Err(Malformed::Length(0xFF00_0000)));
    }

    #[test]
    fn a_refusal_without_a_body_is_read() {
        let frame = [0, 0, 0, 16, 0x80, 0, 0, 4, 0, 0, 0, 0x58, 0, 0, 0, 3];
        let pdu = parse(&frame).unwrap();
        assert_eq!(
            pdu,
            Pdu {
                status: 0x58,
                sequence: 3,
                body: Body::SubmitSmResp { message_id: b"" }
            }
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(noise in proptest::collection::vec(any::<u8>(), 0..300), id in 0..0x20u32) {
            let _ = check(&noise);
            let _ = parse(&noise);
            // And behind a header that is well formed.
            for id in [id, id | command::ANSWER] {
                let mut frame = bytes(&Pdu { status: 0, sequence: 1, body: Body::Other(id) });
                frame.extend_from_slice(&noise);
                if let Ok(Pdu { body: Body::DeliverSm(sm) | Body::SubmitSm(sm), .. }) = parse(&frame) {
                    let _ = sm.tlvs.iter().count();
                }
            }
        }

        #[test]
        fn what_is_encoded_is_parsed_again(
            (a, b, c, d) in (text(5), text(20), text(20), text(16)),
            short in proptest::collection::vec(any::<u8>(), 0..=254),
            flags in any::<[u8; 11]>(),
            (sequence, status) in (1..=MAX_SEQUENCE, any::<u32>()),
            tlvs in proptest::collection::vec((any::<u16>(), text(40)), 0..4),
            deliver in any::<bool>(),
        ) {
            let mut options = Vec::new();
            for (tag, value) in &tlvs {
                put_tlv(*tag, value, &mut options);
            }
            let sm = Sm {
                service_type: &a,
                source: Party { ton: flags[0], npi: flags[1], address: &b },
                dest: Party { ton: flags[2], npi: flags[3], address: &c },
                esm_class: flags[4], protocol_id: flags[5], priority: flags[6],
                schedule: b"", validity: &d,
                registered_delivery: flags[7], replace_if_present: flags[8],
                data_coding: flags[9], default_message: flags[10],
                header: &[], text: &short, tlvs: Tlvs::parse(&options).unwrap(),
            };
            let bind = Bind { system_id: &a, password: &a, system_type: &a, interface_version: 0x34,
                addr_ton: flags[0], addr_npi: flags[1], address_range: &d };
            let all = [
                if deliver { Body::DeliverSm(sm) } else { Body::SubmitSm(sm) },
                Body::BindTransceiver(bind),
                Body::BindTransceiverResp { system_id: &a },
                Body::DeliverSmResp, Body::EnquireLink, Body::EnquireLinkResp,
                Body::Unbind, Body::UnbindResp, Body::GenericNack, Body::Other(0x103),
            ];
            for body in all {
                let pdu = Pdu { status, sequence, body };
                let out = bytes(&pdu);
                prop_assert_eq!(check(&out), Ok(Some(out.len())));
                prop_assert_eq!(parse(&out), Ok(pdu));
            }
            let taken = Pdu { status: 0, sequence, body: Body::SubmitSmResp { message_id: &b } };
            let out = bytes(&taken);
            prop_assert_eq!(parse(&out), Ok(taken));
            let found: Vec<_> = sm.tlvs.iter().map(|(t, v)| (t, v.to_vec())).collect();
            prop_assert_eq!(found, tlvs);
        }
    }
}
