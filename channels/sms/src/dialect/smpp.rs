//! SMPP 3.4 as the session speaks it. This module must not judge a status itself: the tables of `status` and `receipt`
//! do.

use channel::{Failure, Timestamp};

use super::{Ack, Dialect, Heard, LOGIN_SEQUENCE, Part, Proof, Says, Sheet, Words, digits};
use crate::codec::Malformed;
use crate::codec::smpp::{self, Bind, Body, Party, Pdu, Sm, command, tag};
use crate::config::SmppConfig;
use crate::receipt::smpp::{Reading, read, reference};
use crate::reply::Written;
use crate::status::smpp as status;
use crate::text::read::Script;
use crate::text::{Alphabet, Coding};
use crate::validity;

const WORDS: Words = Words {
    protocol: "smpp",
    submit: "submit_sm",
    enquire: "enquire_link",
    login: "bind_transceiver",
    no_answer: "smpp:no-answer",
    malformed: "smpp:malformed",
    dead: "smpp:dead",
    stopped: "smpp:stopped",
    unbound: "smpp:unbound",
    keys: "system_id, password and system_type",
};

pub(crate) struct Smpp(pub SmppConfig);

impl Smpp {
    fn deliver(&self, sm: &Sm<'_>, sequence: u32, seen: Timestamp) -> Heard {
        let ack = |says| Ack { sequence, says };
        let config = &self.0;
        if !sm.is_receipt() {
            let text = if sm.text.is_empty() {
                sm.tlvs.get(tag::MESSAGE_PAYLOAD).unwrap_or_default()
            } else {
                sm.text
            };
            let written = Written {
                from: sm.source.address,
                to: sm.dest.address,
                text,
                script: script(sm.data_coding),
                header: sm.esm_class & 0x40 != 0,
            };
            return Heard::Uplink(
                ack(Says::Kept(0)),
                written.uplink(&config.acknowledge, seen),
            );
        }
        let reading = Reading {
            id: config.receipt_id,
            utc_offset_minutes: config.receipt_utc_offset_minutes,
            stats: &config.stats,
        };
        match read(sm, reading, seen) {
            Some(receipt) => Heard::Receipt(ack(Says::Kept(0)), receipt),
            // It would come again for ever; there is nothing that it could be matched to.
            None => Heard::Unreadable(Some(ack(Says::Kept(0)))),
        }
    }

    fn submitted(&self, pdu: &Pdu<'_>, message_id: &[u8]) -> Heard {
        let result = match pdu.status {
            status::OK => Ok(reference(message_id, self.0.receipt_id)),
            _ => Err(status::refused(pdu.status)),
        };
        Heard::Answer {
            sequence: pdu.sequence,
            result,
            ends: pdu.status == status::INVALID_BIND_STATUS,
        }
    }
}

impl Dialect for Smpp {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn coding(&self) -> Coding {
        Coding {
            gsm7: self.0.gsm7,
            ascii: false,
            wide: self.0.part_reference.is_wide(),
            signature: self.0.signature,
        }
    }

    /// The type of number says what a plus says.
    fn dialled<'a>(&self, address: &'a str) -> Option<&'a str> {
        digits(address)
    }

    fn validity(&self, expires: Timestamp, now: Timestamp) -> String {
        validity::write(self.0.validity, expires, now, 0)
    }

    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        smpp::check(buffer)
    }

    fn login(&self, _now: Timestamp, out: &mut Vec<u8>) -> Proof {
        let request = Bind {
            system_id: self.0.system_id.as_bytes(),
            password: self.0.password.expose().as_bytes(),
            system_type: self.0.system_type.as_bytes(),
            interface_version: 0x34,
            ..Bind::default()
        };
        put(
            LOGIN_SEQUENCE,
            status::OK,
            Body::BindTransceiver(request),
            out,
        );
        Proof::default()
    }

    fn admitted(&self, frame: &[u8], _proof: Proof) -> Result<(), Failure> {
        let pdu = smpp::parse(frame).map_err(|_| WORDS.no_protocol())?;
        match pdu.body {
            Body::BindTransceiverResp { .. } | Body::GenericNack if pdu.status != status::OK => {
                Err(WORDS.refused_login(status::code(pdu.status)))
            }
            Body::BindTransceiverResp { .. } => Ok(()),
            _ => Err(WORDS.spoke_first()),
        }
    }

    fn needs_a_person(&self, why: &Failure) -> bool {
        matches!(&*why.code, "smpp:0x0D" | "smpp:0x0E" | "smpp:0x0F")
    }

    fn hear(&self, frame: &[u8], seen: Timestamp) -> Heard {
        let Ok(pdu) = smpp::parse(frame) else {
            let ack = match smpp::head(frame) {
                Some((command::DELIVER_SM, sequence)) => {
                    let says = Says::Unreadable(0);
                    Some(Ack { sequence, says })
                }
                _ => None,
            };
            return Heard::Unreadable(ack);
        };
        let sequence = pdu.sequence;
        let ack = |says| Ack { sequence, says };
        match pdu.body {
            Body::SubmitSmResp { message_id } => self.submitted(&pdu, message_id),
            Body::GenericNack => {
                let result = Err(status::refused(pdu.status));
                Heard::Answer {
                    sequence,
                    result,
                    ends: false,
                }
            }
            Body::EnquireLinkResp => {
                let result = Ok(String::new());
                Heard::Answer {
                    sequence,
                    result,
                    ends: false,
                }
            }
            Body::DeliverSm(sm) => self.deliver(&sm, sequence, seen),
            Body::EnquireLink => Heard::Say(ack(Says::Alive)),
            Body::Unbind => Heard::Farewell(ack(Says::Farewell)),
            Body::UnbindResp => Heard::Parted,
            // The one request that has no answer.
            Body::Other(command::ALERT_NOTIFICATION) => Heard::Nothing,
            Body::Other(id) if id & command::ANSWER == 0 => Heard::Say(ack(Says::Unknown)),
            Body::SubmitSm(_) | Body::BindTransceiver(_) => Heard::Say(ack(Says::Unknown)),
            Body::Other(_) | Body::BindTransceiverResp { .. } | Body::DeliverSmResp => {
                Heard::Nothing
            }
        }
    }

    fn submit(&self, sheet: &Sheet, part: &Part<'_>, sequence: u32, out: &mut Vec<u8>) {
        let config = &self.0;
        let sm = Sm {
            source: Party {
                ton: config.source_ton,
                npi: config.source_npi,
                address: config.source.as_bytes(),
            },
            dest: Party {
                ton: config.dest_ton,
                npi: config.dest_npi,
                address: part.dest.as_bytes(),
            },
            esm_class: if part.total > 1 { 0x40 } else { 0 },
            validity: sheet.validity.as_bytes(),
            registered_delivery: 1,
            data_coding: data_coding(sheet),
            header: part.header,
            text: part.text,
            ..Sm::default()
        };
        put(sequence, status::OK, Body::SubmitSm(sm), out);
    }

    fn enquire(&self, sequence: u32, out: &mut Vec<u8>) {
        put(sequence, status::OK, Body::EnquireLink, out);
    }

    fn farewell(&self, sequence: u32, out: &mut Vec<u8>) {
        put(sequence, status::OK, Body::Unbind, out);
    }

    fn answer(&self, ack: Ack, out: &mut Vec<u8>) {
        let (status, body) = match ack.says {
            Says::Kept(_) => (status::OK, Body::DeliverSmResp),
            Says::Unreadable(_) => (status::PERMANENT, Body::DeliverSmResp),
            Says::Alive => (status::OK, Body::EnquireLinkResp),
            Says::Farewell => (status::OK, Body::UnbindResp),
            Says::Unknown => (status::INVALID_COMMAND, Body::GenericNack),
        };
        put(ack.sequence, status, body, out);
    }
}

fn put(sequence: u32, status: u32, body: Body<'_>, out: &mut Vec<u8>) {
    smpp::encode(
        &Pdu {
            status,
            sequence,
            body,
        },
        out,
    );
}

/// Bit 4 says that a message class follows, and class 0 is flash.
fn data_coding(sheet: &Sheet) -> u8 {
    let alphabet = match sheet.text.alphabet {
        Alphabet::Gsm7 | Alphabet::Ascii => 0x00,
        Alphabet::Ucs2 => 0x08,
    };
    if sheet.flash {
        alphabet | 0x10
    } else {
        alphabet
    }
}

const fn script(data_coding: u8) -> Script {
    match data_coding {
        0x00 | 0x10 => Script::Gsm7,
        0x01 => Script::Ascii,
        0x03 => Script::Latin1,
        0x08 | 0x18 => Script::Ucs2,
        _ => Script::Other,
    }
}
