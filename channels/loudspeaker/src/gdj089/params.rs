//! What a platform sets at adapters and terminals beside tasks, volume and clock: where and how often they report, who may
//! call by telephone, the amplifiers. What of it has no known layout is a name with its bytes. This module must not decide
//! what is set.

use std::fmt;
use std::net::SocketAddrV4;

use super::bytes::{Id, Malformed, Reader, count8, put8};
use super::task::Codes;

pub const REPORT_TO: u8 = 0x07;
pub const PERIOD: u8 = 0x0B;
pub const ALLOWED: u8 = 0x0C;
pub const RETURN: u8 = 0x0D;
pub const AMPLIFIER: u8 = 0x3F;

/// Special frames of transport streams, RDS and IP, resource codes, networks, certificates: their layout is in no source.
pub const NAMED: [u8; 7] = [0x01, 0x02, 0x03, 0x05, 0x0A, 0x40, 0x41];

/// A number for SMS, IPv4 and port, `domain:port`.
const NUMBER: u8 = 1;
const IP: u8 = 2;
const DOMAIN: u8 = 3;

/// Where reports shall go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reback {
    /// 1 a number for SMS, 2 IPv4 and port, 3 `domain:port`.
    pub kind: u8,
    pub address: Vec<u8>,
}

impl Reback {
    pub const NOWHERE: [u8; 6] = [0; 6];

    /// Of `10.1.0.9:9420` or `host:9420`.
    pub fn of(text: &str) -> Option<Self> {
        if let Ok(ip) = text.parse::<SocketAddrV4>() {
            let address = [&ip.ip().octets()[..], &ip.port().to_be_bytes()].concat();
            return Some(Self { kind: IP, address });
        }
        let (host, port) = text.rsplit_once(':')?;
        let named = !host.is_empty() && host.is_ascii() && !host.contains([':', ' ']);
        let port = port.parse::<u16>().is_ok_and(|port| port > 0);
        (named && port && text.len() <= 255).then(|| Self {
            kind: DOMAIN,
            address: text.as_bytes().to_vec(),
        })
    }

    /// The kind, and the address behind its length.
    pub fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            kind: bytes.u8("kind of report address")?,
            address: bytes.counted8("report address")?.to_vec(),
        })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        put8(out, &self.address);
    }
}

/// Who may speak by telephone or short message.
#[derive(Clone, PartialEq, Eq)]
pub struct Allowed {
    /// 1 add, 2 change, 3 delete.
    pub does: u8,
    pub phone: Vec<u8>,
    /// UTF-8.
    pub name: Vec<u8>,
    /// 1 SMS, 2 telephone, 3 both.
    pub by: u8,
    /// Of each area, in bytes.
    pub length: u8,
    pub areas: Vec<Id>,
}

impl fmt::Debug for Allowed {
    /// Without the number and the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            does, by, areas, ..
        } = self;
        write!(
            f,
            "Allowed {{ does: {does}, by: {by}, areas: {areas:?}, .. }}"
        )
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Set {
    /// Where terminals report.
    ReportTo {
        reback: Reback,
        codes: Codes,
    },
    /// How often terminals report.
    Period {
        seconds: u32,
        codes: Codes,
    },
    Allowed(Vec<Allowed>),
    /// Where and how often the adapter reports.
    Return {
        reback: Reback,
        seconds: u32,
        /// Whether the address has its length before it: assumed.
        counted: bool,
    },
    Amplifier {
        on: bool,
        codes: Codes,
    },
}

impl Set {
    /// `None` for an opcode that sets nothing.
    pub fn read(opcode: u8, bytes: &mut Reader<'_>) -> Option<Result<Self, Malformed>> {
        Some(match opcode {
            REPORT_TO => report_to(bytes),
            PERIOD => period(bytes),
            ALLOWED => allowed(bytes),
            RETURN => back(bytes),
            AMPLIFIER => amplifier(bytes),
            _ => return None,
        })
    }

    pub fn write(&self, out: &mut Vec<u8>) -> u8 {
        match self {
            Self::ReportTo { reback, codes } => {
                reback.write(out);
                codes.write(out);
                REPORT_TO
            }
            Self::Period { seconds, codes } => {
                out.extend_from_slice(&seconds.to_be_bytes());
                codes.write(out);
                PERIOD
            }
            Self::Allowed(list) => {
                out.push(count8(list.len()));
                for one in list {
                    one.write(out);
                }
                ALLOWED
            }
            Self::Return {
                reback,
                seconds,
                counted,
            } => {
                out.push(reback.kind);
                out.extend_from_slice(&seconds.to_be_bytes());
                if *counted {
                    put8(out, &reback.address);
                } else {
                    out.extend_from_slice(&reback.address);
                }
                RETURN
            }
            Self::Amplifier { on, codes } => {
                out.push(if *on { 2 } else { 1 });
                codes.write(out);
                AMPLIFIER
            }
        }
    }
}

impl Allowed {
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        let does = one_of(bytes.u8("operation")?, "operation")?;
        let phone = bytes.counted8("number")?.to_vec();
        let name = bytes.counted8("name")?.to_vec();
        let by = one_of(bytes.u8("permission")?, "permission")?;
        let (length, areas) = Codes::read_list(bytes)?;
        Ok(Self {
            does,
            phone,
            name,
            by,
            length,
            areas,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.does);
        put8(out, &self.phone);
        put8(out, &self.name);
        out.push(self.by);
        Codes::write_list(self.length, &self.areas, out);
    }
}

/// 1, 2 or 3.
const fn one_of(value: u8, what: &'static str) -> Result<u8, Malformed> {
    match value {
        1..=3 => Ok(value),
        other => Err(Malformed::Value(what, other)),
    }
}

fn report_to(bytes: &mut Reader<'_>) -> Result<Set, Malformed> {
    let reback = Reback::read(bytes)?;
    let codes = Codes::read(bytes)?;
    Ok(Set::ReportTo { reback, codes })
}

fn period(bytes: &mut Reader<'_>) -> Result<Set, Malformed> {
    let seconds = bytes.u32("period")?;
    let codes = Codes::read(bytes)?;
    Ok(Set::Period { seconds, codes })
}

fn allowed(bytes: &mut Reader<'_>) -> Result<Set, Malformed> {
    let count = bytes.u8("count of numbers")?;
    let list = (0..count).map(|_| Allowed::read(bytes));
    Ok(Set::Allowed(list.collect::<Result<_, _>>()?))
}

/// An address of known length without its length before it is taken for bare.
fn back(bytes: &mut Reader<'_>) -> Result<Set, Malformed> {
    let kind = one_of(
        bytes.u8("kind of report address")?,
        "kind of report address",
    )?;
    let seconds = bytes.u32("period")?;
    let rest = std::mem::take(&mut bytes.0);
    let counted = rest
        .split_first()
        .filter(|(first, text)| usize::from(**first) == text.len());
    let known = match kind {
        NUMBER => Some(11),
        IP => Some(6),
        _ => None,
    };
    let address = match (counted, known) {
        (_, Some(length)) if rest.len() == length => rest,
        (Some((_, text)), Some(length)) if text.len() == length => text,
        (Some((_, text)), None) => text,
        (None, None) if !rest.is_empty() => rest,
        _ => return Err(Malformed::Short("report address")),
    };
    Ok(Set::Return {
        reback: Reback {
            kind,
            address: address.to_vec(),
        },
        seconds,
        counted: address.len() < rest.len(),
    })
}

fn amplifier(bytes: &mut Reader<'_>) -> Result<Set, Malformed> {
    let on = match bytes.u8("switch")? {
        1 => false,
        2 => true,
        other => return Err(Malformed::Value("switch", other)),
    };
    let codes = Codes::read(bytes)?;
    Ok(Set::Amplifier { on, codes })
}

#[cfg(test)]
mod tests {
    use super::super::task::Down;
    use super::*;

    const GROUP: &str = "01 01 0c f03415230000000314010400";

    fn codes() -> Codes {
        Codes::logical(vec!["03415230000000314010400".parse().expect("digits")])
    }

    fn back(kind: u8, address: &[u8], counted: bool) -> Set {
        let address = address.to_vec();
        Set::Return {
            reback: Reback { kind, address },
            seconds: 60,
            counted,
        }
    }

    /// Each body by hand.
    fn sets() -> Vec<(Set, u8, String)> {
        let ip = || Reback::of("10.0.0.5:9420").expect("an address");
        let allowed = Allowed {
            does: 1,
            phone: b"00000000001".to_vec(),
            name: "甲".as_bytes().to_vec(),
            by: 3,
            length: 6,
            areas: vec!["510727102201".parse().expect("digits")],
        };
        let gone = Allowed {
            does: 3,
            phone: b"00000000002".to_vec(),
            name: Vec::new(),
            by: 1,
            length: 6,
            areas: Vec::new(),
        };
        let domain = b"a.b:1";
        vec![
            (
                Set::ReportTo {
                    reback: ip(),
                    codes: codes(),
                },
                0x07,
                format!("02 06 0a00000524cc {GROUP}"),
            ),
            (
                Set::Period {
                    seconds: 300,
                    codes: codes(),
                },
                0x0B,
                format!("0000012c {GROUP}"),
            ),
            (
                Set::Allowed(vec![allowed, gone]),
                0x0C,
                "02 01 0b 3030303030303030303031 03 e794b2 03 01 06 510727102201 \
                 03 0b 3030303030303030303032 00 01 00 06"
                    .into(),
            ),
            (
                Set::Amplifier {
                    on: true,
                    codes: codes(),
                },
                0x3F,
                format!("02 {GROUP}"),
            ),
            (
                Set::Amplifier {
                    on: false,
                    codes: codes(),
                },
                0x3F,
                format!("01 {GROUP}"),
            ),
            (
                back(2, &ip().address, true),
                0x0D,
                "02 0000003c 06 0a00000524cc".into(),
            ),
            (
                back(2, &ip().address, false),
                0x0D,
                "02 0000003c 0a00000524cc".into(),
            ),
            (
                back(3, domain, true),
                0x0D,
                "03 0000003c 05 612e623a31".into(),
            ),
            (
                back(3, domain, false),
                0x0D,
                "03 0000003c 612e623a31".into(),
            ),
            (
                back(1, b"00000000001", true),
                0x0D,
                "01 0000003c 0b 3030303030303030303031".into(),
            ),
        ]
    }

    fn plain(spaced: &str) -> Vec<u8> {
        hex::decode(spaced.replace(' ', "")).expect("hex")
    }

    #[test]
    fn each_known_setting_is_written_to_its_bytes_and_read_from_them_and_cut_short_it_is_refused() {
        for (set, opcode, body) in sets() {
            let (down, body) = (Down::Set(Box::new(set)), plain(&body));
            assert_eq!(down.write(), (opcode, body.clone()), "{down:?}");
            assert_eq!(Down::read(opcode, &body), Some(Ok(down.clone())));
            // A domain may end anywhere; how the address of 0x0D ends is assumed.
            for cut in (0..body.len()).filter(|_| opcode != RETURN) {
                let read = Down::read(opcode, &body[..cut]).expect("a known opcode");
                assert!(read.is_err(), "{down:?} {cut}");
            }
            let more = [&body[..], &[0; 7]].concat();
            let read = Down::read(opcode, &more).expect("a known opcode");
            assert!(read.is_err() || body[0] == DOMAIN, "{down:?}");
        }
        for (opcode, body) in [
            (0x3F, "03 01 00 0c"),
            (0x0C, "01 04 00 00 01 00 06"),
            (0x0C, "01 01 00 00 04 00 06"),
            (0x0D, "04 0000003c 06 0a00000524cc"),
            (0x0D, "02 0000003c"),
        ] {
            assert!(
                Down::read(opcode, &plain(body)).expect("known").is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn what_has_only_a_name_is_kept_with_its_bytes() {
        for opcode in NAMED {
            let body = vec![1, 2, 3];
            let down = Down::Named {
                opcode,
                body: body.clone(),
            };
            assert_eq!(Down::read(opcode, &body), Some(Ok(down.clone())));
            assert_eq!(down.write(), (opcode, body));
        }
    }

    #[test]
    fn a_place_for_reports_is_an_address_or_a_name_with_its_port() {
        let kind = |text| Reback::of(text).map(|reback| reback.kind);
        assert_eq!(kind("10.1.0.9:9420"), Some(2));
        assert_eq!(kind("warn.example:9420"), Some(3));
        for none in [
            "",
            "10.1.0.9",
            "host:",
            "host:0",
            ":1",
            "[::1]:9420",
            "a b:1",
        ] {
            assert_eq!(kind(none), None, "{none}");
        }
    }

    #[test]
    fn a_number_that_may_call_is_not_shown() {
        let (allowed, ..) = sets().swap_remove(2);
        let shown = format!("{allowed:?}");
        assert!(
            !shown.contains("48, 48") && shown.contains("510727102201"),
            "{shown}"
        );
    }
}
