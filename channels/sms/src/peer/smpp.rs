//! The peer as an SMSC. This module must not decide what a receipt says.

use super::post::Letter;
use super::tongue::{Account, Ask, Codes, Login, Say, Scratch, Sent, Tongue};
use crate::codec::Malformed;
use crate::codec::cmpp::Dests;
use crate::codec::smpp::{self as pdu, Body, Party, Pdu, Sm, Tlvs, command, tag};
use crate::receipt::smpp as receipt;
use crate::status::smpp as status;

pub(super) struct Smpp;

impl Tongue for Smpp {
    fn codes(&self) -> Codes {
        Codes {
            login: status::INVALID_PASSWORD,
            unbound: status::INVALID_BIND_STATUS,
            throttled: status::THROTTLED,
            address: status::INVALID_DESTINATION,
            content: status::REJECTED,
        }
    }

    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        pdu::check(buffer)
    }

    fn read<'a>(
        &self,
        frame: &'a [u8],
        account: Option<&Account>,
    ) -> Result<(u32, Ask<'a>), Malformed> {
        let pdu = pdu::parse(frame)?;
        let ask = match pdu.body {
            Body::BindTransceiver(bind) => {
                let known = account.is_none_or(|(system_id, password)| {
                    bind.system_id == system_id.as_bytes() && bind.password == password.as_bytes()
                });
                let refused = (!known).then_some(status::INVALID_PASSWORD);
                Ask::Login(Login {
                    refused,
                    proof: [0; 16],
                })
            }
            Body::SubmitSm(sm) => Ask::Submit(Sent {
                source: sm.source.address,
                dests: Dests::One(sm.dest.address),
                header: sm.esm_class & 0x40 != 0,
                coding: sm.data_coding,
                data: sm.text,
                wants_receipt: sm.registered_delivery & 0x03 != 0,
            }),
            Body::DeliverSmResp => Ask::Answered(pdu.status == status::OK),
            Body::EnquireLink => Ask::Alive,
            Body::Unbind => Ask::Farewell,
            Body::Other(id) if id & command::ANSWER == 0 => Ask::Unknown,
            _ => Ask::Nothing,
        };
        Ok((pdu.sequence, ask))
    }

    fn say(&self, say: Say<'_>, sequence: u32, out: &mut Vec<u8>) {
        let mut digits = [0; 21];
        let (status, body) = match say {
            Say::LoggedIn { status, .. } => {
                (status, Body::BindTransceiverResp { system_id: b"peer" })
            }
            Say::Submitted {
                status: status::OK,
                id,
            } => {
                let start = decimal(id, &mut digits);
                let message_id = &digits[start..20];
                (status::OK, Body::SubmitSmResp { message_id })
            }
            Say::Submitted { status, .. } => (status, Body::SubmitSmResp { message_id: b"" }),
            Say::Reply(mo) => {
                let text: Vec<u8> = mo.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                let (source, dest) = (party(1, mo.from.as_bytes()), party(0, mo.to.as_bytes()));
                let sm = Sm {
                    source,
                    dest,
                    data_coding: 8,
                    text: &text,
                    ..Sm::default()
                };
                return put(status::OK, sequence, Body::DeliverSm(sm), out);
            }
            Say::Alive => (status::OK, Body::EnquireLinkResp),
            Say::Farewell => (status::OK, Body::UnbindResp),
            Say::Unknown => (status::INVALID_COMMAND, Body::GenericNack),
        };
        put(status, sequence, body, out);
    }

    fn receipt(
        &self,
        letter: &Letter,
        date: &str,
        sequence: u32,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let mut digits = [0; 21];
        let start = decimal(letter.id, &mut digits);
        let options = &mut scratch.options;
        options.clear();
        pdu::put_tlv(tag::RECEIPTED_MESSAGE_ID, &digits[start..], options);
        pdu::put_tlv(tag::MESSAGE_STATE, &[receipt::number(letter.stat)], options);
        if letter.error != 0 {
            let [high, low] = letter.error.to_be_bytes();
            pdu::put_tlv(tag::NETWORK_ERROR_CODE, &[3, high, low], options);
        }
        put_text(letter, &digits[start..20], date, &mut scratch.text);
        let sm = Sm {
            source: party(1, letter.source.bytes()),
            dest: party(0, letter.dest.bytes()),
            esm_class: 0x04,
            text: &scratch.text,
            tlvs: Tlvs::parse(&scratch.options).unwrap_or_default(),
            ..Sm::default()
        };
        put(status::OK, sequence, Body::DeliverSm(sm), out);
    }
}

fn party(plan: u8, address: &[u8]) -> Party<'_> {
    Party {
        ton: plan,
        npi: plan,
        address,
    }
}

fn put(status: u32, sequence: u32, body: Body<'_>, out: &mut Vec<u8>) {
    pdu::encode(
        &Pdu {
            status,
            sequence,
            body,
        },
        out,
    );
}

/// The text form of a receipt.
fn put_text(letter: &Letter, id: &[u8], date: &str, out: &mut Vec<u8>) {
    let delivered: &[u8] = if letter.stat == "DELIVRD" {
        b"001"
    } else {
        b"000"
    };
    // At least three digits.
    let mut error = [b'0'; 21];
    let from = decimal(letter.error.into(), &mut error).min(17);
    out.clear();
    let pieces: [&[u8]; 13] = [
        b"id:",
        id,
        b" sub:001 dlvrd:",
        delivered,
        b" submit date:",
        date.as_bytes(),
        b" done date:",
        date.as_bytes(),
        b" stat:",
        letter.stat.as_bytes(),
        b" err:",
        &error[from..20],
        b" text:",
    ];
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

/// Writes the digits of a number before a last zero; says where they begin.
fn decimal(mut number: u64, digits: &mut [u8; 21]) -> usize {
    let mut start = 20;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return start;
        }
    }
}
