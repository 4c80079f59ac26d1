//! CMPP as the session speaks it, 2.0, 2.1 and 3.0. This module must not judge a result itself: the tables of `status`
//! and `receipt` do.

use std::time::Duration;

use channel::{Failure, Timestamp};

use super::{Ack, Dialect, Heard, LOGIN_SEQUENCE, Part, Proof, Says, Sheet, Words, digits, down};
use crate::codec::Malformed;
use crate::codec::cmpp::{
    self, Body, Connect, Deliver, Dests, Frame, Submit, authenticator, command,
    gateway_authenticator,
};
use crate::config::CmppConfig;
use crate::receipt::cmpp::{read, reference};
use crate::reply::Written;
use crate::status::cmpp as status;
use crate::text::read::Script;
use crate::text::{Alphabet, Coding};
use crate::validity;

const WORDS: Words = Words {
    protocol: "cmpp",
    submit: "CMPP_SUBMIT",
    enquire: "CMPP_ACTIVE_TEST",
    login: "CMPP_CONNECT",
    no_answer: "cmpp:no-answer",
    malformed: "cmpp:malformed",
    dead: "cmpp:dead",
    stopped: "cmpp:stopped",
    unbound: "cmpp:unbound",
    keys: "sp_id, secret and version, and that the carrier has this machine's address",
};

/// Beijing is so many quarters of an hour ahead of UTC. Far ends that read the zone and those that take every moment for
/// theirs understand the same.
const BEIJING: u8 = 32;

pub(crate) struct Cmpp(pub CmppConfig);

impl Cmpp {
    fn put(&self, sequence: u32, body: Body<'_>, out: &mut Vec<u8>) {
        cmpp::encode(&Frame { sequence, body }, self.0.version, out);
    }

    fn deliver(&self, deliver: &Deliver<'_>, sequence: u32, seen: Timestamp) -> Heard {
        let ack = |says| Ack { sequence, says };
        let kept = ack(Says::Kept(deliver.id));
        if deliver.registered_delivery == 1 {
            return match read(deliver.content, &self.0.stats, seen) {
                Ok(receipt) => Heard::Receipt(kept, receipt),
                // It would come again for ever; there is nothing that it could be matched to.
                Err(_) => Heard::Unreadable(Some(kept)),
            };
        }
        let written = Written {
            from: deliver.source,
            to: deliver.dest,
            text: deliver.content,
            script: script(deliver.format),
            header: deliver.tp_udhi == 1,
        };
        Heard::Uplink(kept, written.uplink(&self.0.acknowledge, seen))
    }

    /// Whether the far end knows our secret too. Some gateways send a digest that is wrong, so this is told and only
    /// refused where the account says so.
    fn proves_itself(&self, answer: &cmpp::ConnectResp, proof: Proof) -> Result<(), Failure> {
        let secret = self.0.secret.expose().as_bytes();
        if answer.authenticator
            == gateway_authenticator(answer.status, answer.wide, &proof.0, secret)
        {
            return Ok(());
        }
        if self.0.check_gateway {
            return Err(down(
                "cmpp:gateway",
                "the far end's digest in CMPP_CONNECT_RESP is wrong; check the secret, or set check_gateway to false",
            ));
        }
        tracing::warn!(
            "the far end's digest in CMPP_CONNECT_RESP is wrong; check_gateway = true would refuse it"
        );
        Ok(())
    }
}

/// `MMDDhhmmss` in Beijing, as a number.
fn timestamp(now: Timestamp) -> u32 {
    let (_, month, day, hour, minute, second) = now.plus(Duration::from_hours(8)).civil();
    (((month * 100 + day) * 100 + hour) * 100 + minute) * 100 + second
}

impl Dialect for Cmpp {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn coding(&self) -> Coding {
        Coding {
            gsm7: false,
            ascii: self.0.ascii,
            wide: self.0.part_reference.is_wide(),
            signature: self.0.signature,
        }
    }

    fn dialled<'a>(&self, address: &'a str) -> Option<&'a str> {
        let digits = digits(address)?;
        let home = digits.strip_prefix("86").filter(|rest| rest.len() == 11);
        Some(match home {
            Some(home) if !self.0.country_code => home,
            _ => digits,
        })
    }

    fn validity(&self, expires: Timestamp, now: Timestamp) -> String {
        validity::write(self.0.validity, expires, now, BEIJING)
    }

    fn check(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        cmpp::check(buffer)
    }

    fn login(&self, now: Timestamp, out: &mut Vec<u8>) -> Proof {
        let source = self.0.sp_id.as_bytes();
        let timestamp = timestamp(now);
        let authenticator = authenticator(source, self.0.secret.expose().as_bytes(), timestamp);
        let version = self.0.version.byte();
        let connect = Connect {
            source,
            authenticator,
            version,
            timestamp,
        };
        self.put(LOGIN_SEQUENCE, Body::Connect(connect), out);
        Proof(authenticator)
    }

    fn admitted(&self, frame: &[u8], proof: Proof) -> Result<(), Failure> {
        let frame = cmpp::parse(frame, self.0.version).map_err(|_| WORDS.no_protocol())?;
        match frame.body {
            Body::ConnectResp(answer) if answer.status == status::OK => {
                self.proves_itself(&answer, proof)
            }
            Body::ConnectResp(answer) => {
                Err(WORDS.refused_login(format!("cmpp:connect-{}", answer.status)))
            }
            _ => Err(WORDS.spoke_first()),
        }
    }

    fn needs_a_person(&self, why: &Failure) -> bool {
        // Source address, authentication, version; and whatever else it calls wrong, it will again.
        why.code.starts_with("cmpp:connect-") || why.code == "cmpp:gateway"
    }

    fn hear(&self, frame: &[u8], seen: Timestamp) -> Heard {
        let Ok(Frame { sequence, body }) = cmpp::parse(frame, self.0.version) else {
            let ack = match cmpp::head(frame) {
                Some((command::DELIVER, sequence)) => {
                    let id = frame.get(12..20).and_then(|id| id.try_into().ok());
                    let says = Says::Unreadable(id.map_or(0, u64::from_be_bytes));
                    Some(Ack { sequence, says })
                }
                _ => None,
            };
            return Heard::Unreadable(ack);
        };
        let ack = |says| Ack { sequence, says };
        match body {
            Body::SubmitResp { id, result } => {
                let result = match result {
                    status::OK => Ok(reference(id)),
                    _ => Err(status::refused(result)),
                };
                Heard::Answer {
                    sequence,
                    result,
                    ends: false,
                }
            }
            Body::ActiveTestResp => {
                let result = Ok(String::new());
                Heard::Answer {
                    sequence,
                    result,
                    ends: false,
                }
            }
            Body::Deliver(deliver) => self.deliver(&deliver, sequence, seen),
            Body::ActiveTest => Heard::Say(ack(Says::Alive)),
            Body::Terminate => Heard::Farewell(ack(Says::Farewell)),
            Body::TerminateResp => Heard::Parted,
            // CMPP has no answer for a request that is not known.
            Body::Connect(_)
            | Body::ConnectResp(_)
            | Body::Submit(_)
            | Body::DeliverResp { .. }
            | Body::Other(_) => Heard::Nothing,
        }
    }

    fn submit(&self, sheet: &Sheet, part: &Part<'_>, sequence: u32, out: &mut Vec<u8>) {
        let config = &self.0;
        let submit = Submit {
            parts: part.total,
            part: part.number,
            registered_delivery: 1,
            level: config.level,
            service_id: config.service_id.as_bytes(),
            fee_user_type: config.fee_user_type,
            tp_udhi: u8::from(part.total > 1),
            format: format(sheet),
            source: config.sp_id.as_bytes(),
            fee_type: config.fee_type.as_bytes(),
            fee_code: config.fee_code.as_bytes(),
            validity: sheet.validity.as_bytes(),
            src_id: config.source.as_bytes(),
            dests: Dests::One(part.dest.as_bytes()),
            header: part.header,
            content: part.text,
            ..Submit::default()
        };
        self.put(sequence, Body::Submit(submit), out);
    }

    fn enquire(&self, sequence: u32, out: &mut Vec<u8>) {
        self.put(sequence, Body::ActiveTest, out);
    }

    fn farewell(&self, sequence: u32, out: &mut Vec<u8>) {
        self.put(sequence, Body::Terminate, out);
    }

    fn answer(&self, ack: Ack, out: &mut Vec<u8>) {
        let body = match ack.says {
            Says::Kept(id) => Body::DeliverResp { id, result: 0 },
            Says::Unreadable(id) => Body::DeliverResp { id, result: 1 },
            Says::Alive => Body::ActiveTestResp,
            Says::Farewell => Body::TerminateResp,
            // There is no such answer, and nothing asks for one.
            Says::Unknown => return,
        };
        self.put(ack.sequence, body, out);
    }
}

/// `Msg_Fmt`; with bit 4 a message class follows, and class 0 is flash.
fn format(sheet: &Sheet) -> u8 {
    let alphabet = match sheet.text.alphabet {
        Alphabet::Ascii | Alphabet::Gsm7 => 0x00,
        Alphabet::Ucs2 => 0x08,
    };
    if sheet.flash {
        alphabet | 0x10
    } else {
        alphabet
    }
}

const fn script(format: u8) -> Script {
    match format {
        0x00 | 0x10 => Script::Ascii,
        0x08 | 0x18 => Script::Ucs2,
        15 => Script::Gbk,
        _ => Script::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::cmpp::Version;

    fn account(country_code: bool) -> Cmpp {
        Cmpp(CmppConfig {
            country_code,
            ..CmppConfig::new(
                "ismg.example",
                7890,
                Version::V20,
                "900001",
                "888888",
                "10690000",
            )
        })
    }

    #[test]
    fn numbers_of_the_country_go_without_its_code_unless_the_account_wants_it() {
        let home = account(false);
        assert_eq!(home.dialled("+8600000000001"), Some("00000000001"));
        assert_eq!(home.dialled("00000000001"), Some("00000000001"));
        assert_eq!(
            home.dialled("86123"),
            Some("86123"),
            "too short for a number of the country"
        );
        assert_eq!(home.dialled("nobody"), None);
        assert_eq!(
            account(true).dialled("+8600000000001"),
            Some("8600000000001")
        );
    }

    #[test]
    fn the_login_tells_beijings_time() {
        // 2026-07-14 01:02:03 UTC
        let now = Timestamp::from_secs(1_783_990_923);
        assert_eq!(timestamp(now), 714_090_203);
        let mut out = Vec::new();
        account(false).login(now, &mut out);
        assert_eq!(out.len(), 39);
        assert_eq!(out[35..], 714_090_203_u32.to_be_bytes());
    }

    #[test]
    fn assumed_a_gateway_that_does_not_prove_itself_is_told_of_and_refused_where_the_account_says_so()
     {
        let answer = |authenticator| {
            let mut out = Vec::new();
            let answer = cmpp::ConnectResp {
                status: 0,
                authenticator,
                version: 0x20,
                wide: false,
            };
            cmpp::encode(
                &Frame {
                    sequence: 1,
                    body: Body::ConnectResp(answer),
                },
                Version::V20,
                &mut out,
            );
            out
        };
        let proof = Proof([7; 16]);
        let right = gateway_authenticator(0, false, &proof.0, b"888888");
        let strict = Cmpp(CmppConfig {
            check_gateway: true,
            ..account(false).0
        });
        assert!(account(false).admitted(&answer([0; 16]), proof).is_ok());
        assert_eq!(
            strict.admitted(&answer([0; 16]), proof).unwrap_err().code,
            "cmpp:gateway"
        );
        assert!(strict.admitted(&answer(right), proof).is_ok());
    }
}
