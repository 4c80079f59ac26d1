//! The peer as a gateway of CMPP, an ISMG. This module must not decide what a report says.

use super::post::Letter;
use super::tongue::{Account, Ask, Codes, Login, Say, Scratch, Sent, Tongue};
use crate::codec::Malformed;
use crate::codec::cmpp::{
    self, Body, Connect, ConnectResp, Deliver, Frame, Report, Version, authenticator,
    gateway_authenticator,
};
use crate::status::cmpp as status;

pub(super) struct Cmpp {
    pub version: Version,
    /// Proves the peer to whoever logs in.
    pub secret: String,
}

/// The status of a login whose version is not the peer's.
const VERSION_TOO_HIGH: u32 = 4;
const BAD_SOURCE: u32 = 2;

impl Cmpp {
    fn put(&self, sequence: u32, body: Body<'_>, out: &mut Vec<u8>) {
        cmpp::encode(&Frame { sequence, body }, self.version, out);
    }

    fn login(&self, connect: &Connect<'_>, account: Option<&Account>) -> Login {
        let refused = match account {
            // 2.0 and 2.1 have one layout.
            _ if connect.version >> 4 != self.version.byte() >> 4 => Some(VERSION_TOO_HIGH),
            Some((sp_id, _)) if connect.source != sp_id.as_bytes() => Some(BAD_SOURCE),
            Some((sp_id, secret)) => {
                let right = authenticator(sp_id.as_bytes(), secret.as_bytes(), connect.timestamp);
                (connect.authenticator != right).then_some(status::AUTHENTICATION)
            }
            None => None,
        };
        Login {
            refused,
            proof: connect.authenticator,
        }
    }
}

impl Tongue for Cmpp {
    fn codes(&self) -> Codes {
        Codes {
            login: status::AUTHENTICATION,
            unbound: status::AUTHENTICATION,
            throttled: status::FLOW_CONTROL,
            address: status::BAD_DESTINATION,
            content: status::TOO_LONG,
        }
    }

    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        cmpp::check(buffer)
    }

    fn read<'a>(
        &self,
        frame: &'a [u8],
        account: Option<&Account>,
    ) -> Result<(u32, Ask<'a>), Malformed> {
        let Frame { sequence, body } = cmpp::parse(frame, self.version)?;
        let ask = match body {
            Body::Connect(connect) => Ask::Login(self.login(&connect, account)),
            Body::Submit(submit) => Ask::Submit(Sent {
                source: submit.src_id,
                dests: submit.dests,
                header: submit.tp_udhi == 1,
                coding: submit.format,
                data: submit.content,
                wants_receipt: submit.registered_delivery == 1,
            }),
            Body::DeliverResp { result, .. } => Ask::Answered(result == status::OK),
            Body::ActiveTest => Ask::Alive,
            Body::Terminate => Ask::Farewell,
            _ => Ask::Nothing,
        };
        Ok((sequence, ask))
    }

    fn say(&self, say: Say<'_>, sequence: u32, out: &mut Vec<u8>) {
        let body = match say {
            Say::LoggedIn { status, login } => {
                let wide = self.version == Version::V30;
                let authenticator =
                    gateway_authenticator(status, wide, &login.proof, self.secret.as_bytes());
                let version = self.version.byte();
                Body::ConnectResp(ConnectResp {
                    status,
                    authenticator,
                    version,
                    wide,
                })
            }
            Say::Submitted { status, id } => Body::SubmitResp { id, result: status },
            Say::Reply(mo) => {
                let text: Vec<u8> = mo.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                let deliver = Deliver {
                    id: mo.id,
                    dest: mo.to.as_bytes(),
                    format: 8,
                    source: mo.from.as_bytes(),
                    content: &text,
                    ..Deliver::default()
                };
                return self.put(sequence, Body::Deliver(deliver), out);
            }
            Say::Alive => Body::ActiveTestResp,
            Say::Farewell => Body::TerminateResp,
            Say::Unknown => return,
        };
        self.put(sequence, body, out);
    }

    fn receipt(
        &self,
        letter: &Letter,
        date: &str,
        sequence: u32,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let report = Report {
            id: letter.id,
            stat: letter.stat.as_bytes(),
            submitted: date.as_bytes(),
            done: date.as_bytes(),
            dest: letter.source.bytes(),
            smsc_sequence: sequence,
        };
        scratch.text.clear();
        cmpp::put_report(&report, self.version, &mut scratch.text);
        let deliver = Deliver {
            // The report's own; what it speaks of stands inside.
            id: u64::from(sequence),
            dest: letter.dest.bytes(),
            source: letter.source.bytes(),
            registered_delivery: 1,
            content: &scratch.text,
            ..Deliver::default()
        };
        self.put(sequence, Body::Deliver(deliver), out);
    }
}
