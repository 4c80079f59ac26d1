//! What a modem of ours says to each command, as a state without a port: the same for every connection to it. This module
//! must not wait.

use std::collections::BTreeMap;

use channel::Timestamp;
use channel::testing::Behaviour;

use super::modem::Reports;
use crate::pdu::{Deliver, Report, Submit, behind_centre};

/// The zone that its network tells times in: eight hours in quarters.
const BEIJING: u8 = 32;
/// Messages that its card holds.
const ROOM: u32 = 50;
const STORAGE: &str = "SM";

/// A modem's memory, and what became of what it was told.
pub struct Handset {
    pub behaviour: Behaviour,
    pub reports: Reports,
    /// What stands behind `+CREG:` and `+CSQ:`.
    pub registration: String,
    pub signal: String,
    /// The PIN that it wants before anything else.
    pub pin: Option<String>,
    /// The texts that it was given.
    pub texts: Vec<Submit>,
    /// How often each that came by itself was acknowledged.
    pub acknowledged: u32,
    /// It was given a text and said nothing.
    pub stalled: bool,
    /// The status that its reports bear.
    pub status: u8,
    stored: BTreeMap<u32, Vec<u8>>,
    octet: u8,
    echo: bool,
    direct: bool,
}

/// What the modem does with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    /// These lines, the last of them the end of the answer.
    Lines(Vec<String>),
    Prompt,
    Nothing,
    HangUp,
}

impl Handset {
    pub fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            reports: Reports::Direct,
            registration: "0,1".to_owned(),
            signal: "17,99".to_owned(),
            pin: None,
            texts: Vec::new(),
            acknowledged: 0,
            stalled: false,
            status: 0,
            stored: BTreeMap::new(),
            octet: 0,
            echo: true,
            direct: true,
        }
    }

    pub const fn echoes(&self) -> bool {
        self.echo
    }

    /// How many messages lie in its storage.
    pub fn stored(&self) -> usize {
        self.stored.len()
    }

    /// Its answer to one command, without `AT`.
    pub fn command(&mut self, command: &str) -> Says {
        let ok = |lines: &[String]| {
            let end = std::iter::once("OK".to_owned());
            Says::Lines(lines.iter().cloned().chain(end).collect())
        };
        let upper = command.to_ascii_uppercase();
        if let Some(answer) = self.card(&upper) {
            return answer;
        }
        match upper.as_str() {
            "" | "Z" | "&F" | "H" | "+CFUN=1" | "+CSCS=\"GSM\"" | "+CSMP=17,167,0,0"
            | "+CMGF=0" | "+CMEE=1" | "+CREG=0" => ok(&[]),
            "E0" => {
                self.echo = false;
                ok(&[])
            }
            "E1" => {
                self.echo = true;
                ok(&[])
            }
            "I" | "+CGMI" | "+GMI" => ok(&["Tocsin".to_owned()]),
            "+CGMM" | "+GMM" => ok(&["Peer".to_owned()]),
            "+CGMR" | "+GMR" => ok(&["1".to_owned()]),
            "+CGSN" | "+GSN" => ok(&["000000000000000".to_owned()]),
            "+CIMI" => ok(&["460000000000000".to_owned()]),
            "+CSQ" => ok(&[format!("+CSQ: {}", self.signal)]),
            "+CREG?" => ok(&[format!("+CREG: {}", self.registration)]),
            "+CSCA?" => ok(&["+CSCA: \"+8613800816500\",145".to_owned()]),
            "+CMGF?" => ok(&["+CMGF: 0".to_owned()]),
            "+CSMS?" => ok(&["+CSMS: 0,1,1,1".to_owned()]),
            "+CPMS=?" => ok(&[format!(
                "+CPMS: (\"{STORAGE}\"),(\"{STORAGE}\"),(\"{STORAGE}\")"
            )]),
            "+CPMS?" => ok(&[format!("+CPMS: {0},{0},{0}", self.filled())]),
            "+CNMI=?" => ok(&["+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)".to_owned()]),
            "+CNMA" => {
                self.acknowledged += 1;
                ok(&[])
            }
            other => self.with_values(other).unwrap_or_else(refuse),
        }
    }

    fn filled(&self) -> String {
        format!("\"{STORAGE}\",{},{ROOM}", self.stored.len())
    }

    fn card(&mut self, command: &str) -> Option<Says> {
        if let Some(given) = command.strip_prefix("+CPIN=") {
            let right = self.pin.as_deref() == Some(given.trim_matches('"'));
            if right {
                self.pin = None;
            }
            let end = if right { "OK" } else { "+CME ERROR: 16" };
            return Some(Says::Lines(vec![end.to_owned()]));
        }
        if command == "+CPIN?" {
            let state = match (self.behaviour, &self.pin) {
                (Behaviour::RefuseLogin, _) => "SIM PUK",
                (_, Some(_)) => "SIM PIN",
                (_, None) => "READY",
            };
            return Some(Says::Lines(vec![
                format!("+CPIN: {state}"),
                "OK".to_owned(),
            ]));
        }
        None
    }

    fn with_values(&mut self, command: &str) -> Option<Says> {
        let (name, values) = command.split_once('=')?;
        let mut lines = Vec::new();
        match name {
            "+CSMS" => lines.push("+CSMS: 1,1,1".to_owned()),
            "+CNMI" => self.direct = values.split(',').nth(3)? == "1",
            "+CPMS" => {
                values.contains(STORAGE).then_some(())?;
                let one = format!("{},{ROOM}", self.stored.len());
                lines.push(format!("+CPMS: {one},{one},{one}"));
            }
            "+CMGL" => lines.extend(self.stored.iter().flat_map(|(index, pdu)| {
                let length = pdu.len() - 1;
                [
                    format!("+CMGL: {index},1,,{length}"),
                    hex::encode_upper(pdu),
                ]
            })),
            "+CMGR" => {
                let Some(pdu) = self.stored.get(&values.parse().ok()?) else {
                    return Some(Says::Lines(vec!["+CMS ERROR: 321".to_owned()]));
                };
                lines.push(format!("+CMGR: 1,,{}", pdu.len() - 1));
                lines.push(hex::encode_upper(pdu));
            }
            "+CMGD" => {
                self.stored.remove(&values.split(',').next()?.parse().ok()?);
            }
            "+CMGS" => return Some(Says::Prompt),
            "+CSCA" | "+CREG" => {}
            _ => return None,
        }
        lines.push("OK".to_owned());
        Some(Says::Lines(lines))
    }

    /// A message after the prompt, in hexadecimal. What it says, and the report that is to follow.
    pub fn text(&mut self, line: &str, now: Timestamp) -> (Says, Option<Report>) {
        let bytes = hex::decode(line.trim()).unwrap_or_default();
        let Ok(submit) = behind_centre(&bytes).and_then(Submit::read) else {
            return (error(304), None);
        };
        match self.behaviour {
            Behaviour::Throttle => return (error(42), None),
            Behaviour::RefuseAddress => return (error(28), None),
            Behaviour::RefuseContent => return (error(304), None),
            Behaviour::Stall => {
                self.stalled = true;
                return (Says::Nothing, None);
            }
            Behaviour::HangUp | Behaviour::HangUpAfterWrite => return (Says::HangUp, None),
            Behaviour::Accept | Behaviour::Confirm | Behaviour::RefuseLogin => {}
        }
        self.octet = self.octet.wrapping_add(1);
        let report = submit.report && self.behaviour == Behaviour::Confirm;
        let report = report.then(|| Report {
            reference: self.octet,
            of: submit.to.clone(),
            taken: Some(Timestamp::from_secs(now.secs())),
            at: Some(Timestamp::from_secs(now.secs())),
            status: self.status,
        });
        self.texts.push(submit);
        let taken = vec![format!("+CMGS: {}", self.octet), "OK".to_owned()];
        (Says::Lines(taken), report)
    }

    /// How a report comes: by itself, or stored and announced.
    pub fn bring_report(&mut self, report: &Report) -> Vec<String> {
        let pdu = with_centre(&report.write(BEIJING));
        match self.reports {
            Reports::Never => Vec::new(),
            Reports::AsAsked if self.direct => by_itself("+CDS", &pdu),
            Reports::Direct => by_itself("+CDS", &pdu),
            Reports::AsAsked | Reports::Stored => self.store("+CDSI", pdu),
        }
    }

    /// A text from a phone: stored and announced.
    pub fn bring_text(&mut self, text: &Deliver) -> Vec<String> {
        self.store("+CMTI", with_centre(&text.write(BEIJING)))
    }

    /// A text from a phone that comes by itself.
    pub fn bring_text_itself(&self, text: &Deliver) -> Vec<String> {
        let pdu = with_centre(&text.write(BEIJING));
        let length = pdu.len() - 1;
        vec![format!("+CMT: ,{length}"), hex::encode_upper(pdu)]
    }

    fn store(&mut self, name: &str, pdu: Vec<u8>) -> Vec<String> {
        let free = (1..=ROOM).find(|index| !self.stored.contains_key(index));
        let Some(index) = free else { return Vec::new() };
        self.stored.insert(index, pdu);
        vec![format!("{name}: \"{STORAGE}\",{index}")]
    }
}

fn by_itself(name: &str, pdu: &[u8]) -> Vec<String> {
    vec![format!("{name}: {}", pdu.len() - 1), hex::encode_upper(pdu)]
}

/// A centre's address of no length.
fn with_centre(tpdu: &[u8]) -> Vec<u8> {
    [&[0][..], tpdu].concat()
}

fn error(code: u16) -> Says {
    Says::Lines(vec![format!("+CMS ERROR: {code}")])
}

fn refuse() -> Says {
    Says::Lines(vec!["ERROR".to_owned()])
}
