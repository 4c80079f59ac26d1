//! What one phone does otherwise than another, as data: a profile, and keys that change it. This module must not speak to
//! any phone.

use serde::Deserialize;

use crate::config::{ConfigError, first};

/// A phone's habits by name. None of them was measured on a real phone: `standard` is what the standard says, the others
/// are what phones are said to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// 3GPP TS 27.005 phase 2+: reports come by themselves and are acknowledged; texts are stored and announced (`+CMTI`).
    #[default]
    Standard,
    /// Reports and texts are stored and announced (`+CDSI`, `+CMTI`); nothing is acknowledged.
    Stored,
    /// Texts are stored and announced, and status reports are not known.
    Reportless,
    /// Nothing is announced: what is stored is looked for at each probe.
    Silent,
}

#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit by itself")]
pub struct Quirks {
    /// Sent after the port is opened, before ours; each must be answered, and may be refused.
    pub init: Vec<String>,
    /// What follows `AT+CNMI=`: how texts and reports come. Empty: the phone does not know the command.
    pub new_messages: String,
    /// `+CSMS=1`, and `+CNMA` for each that comes by itself.
    pub acknowledges: bool,
    /// A status report is asked for.
    pub reports: bool,
    /// `+CPMS` goes before a stored message is read.
    pub selects_storage: bool,
    /// Whether stored messages are looked for at each probe.
    pub polls: bool,
    /// The commands that tell of the network; the first that says *registered* counts. None: it is taken to be there.
    pub registration: Vec<String>,
    /// Whether `+CSQ` is known.
    pub signal: bool,
    /// Whether `+CPIN?` is known.
    pub card: bool,
}

/// Keys that change a profile.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuirksPatch {
    pub init: Option<Vec<String>>,
    pub new_messages: Option<String>,
    pub acknowledges: Option<bool>,
    pub reports: Option<bool>,
    pub selects_storage: Option<bool>,
    pub polls: Option<bool>,
    pub registration: Option<Vec<String>>,
    pub signal: Option<bool>,
    pub card: Option<bool>,
}

impl Profile {
    pub fn quirks(self) -> Quirks {
        let standard = Quirks {
            init: Vec::new(),
            new_messages: "2,1,0,1,0".to_owned(),
            acknowledges: true,
            reports: true,
            selects_storage: true,
            polls: false,
            registration: vec!["CREG".to_owned(), "CEREG".to_owned()],
            signal: true,
            card: true,
        };
        match self {
            Self::Standard => standard,
            Self::Stored => Quirks {
                new_messages: "2,1,0,2,0".to_owned(),
                acknowledges: false,
                ..standard
            },
            Self::Reportless => Quirks {
                new_messages: "2,1,0,0,0".to_owned(),
                acknowledges: false,
                reports: false,
                ..standard
            },
            Self::Silent => Quirks {
                new_messages: String::new(),
                acknowledges: false,
                polls: true,
                ..standard
            },
        }
    }
}

impl QuirksPatch {
    pub fn over(&self, under: Quirks) -> Quirks {
        let patch = self.clone();
        Quirks {
            init: patch.init.unwrap_or(under.init),
            new_messages: patch.new_messages.unwrap_or(under.new_messages),
            acknowledges: patch.acknowledges.unwrap_or(under.acknowledges),
            reports: patch.reports.unwrap_or(under.reports),
            selects_storage: patch.selects_storage.unwrap_or(under.selects_storage),
            polls: patch.polls.unwrap_or(under.polls),
            registration: patch.registration.unwrap_or(under.registration),
            signal: patch.signal.unwrap_or(under.signal),
            card: patch.card.unwrap_or(under.card),
        }
    }
}

impl Quirks {
    pub fn check(&self) -> Result<(), ConfigError> {
        let printable = |text: &String| text.bytes().all(|b| (0x20..0x7F).contains(&b));
        let command = |text: &String| text.starts_with("AT") && printable(text);
        let name = |text: &String| {
            (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
        };
        let digits = |text: &String| text.bytes().all(|b| b.is_ascii_digit() || b == b',');
        first([
            (
                self.init.iter().all(command),
                "quirks.init",
                "has a line that does not begin with AT",
            ),
            (
                digits(&self.new_messages),
                "quirks.new_messages",
                "is not made of digits and commas",
            ),
            (
                self.registration.iter().all(name),
                "quirks.registration",
                "has a word that is no command; write CREG, CEREG or CGREG",
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_a_profile_and_leaves_the_rest_of_it() {
        let patch = QuirksPatch {
            registration: Some(vec!["CGREG".to_owned()]),
            ..QuirksPatch::default()
        };
        let quirks = patch.over(Profile::Stored.quirks());
        assert_eq!(quirks.registration, ["CGREG"]);
        assert_eq!(quirks.new_messages, "2,1,0,2,0");
        assert_eq!(quirks.check(), Ok(()));
    }

    #[test]
    fn what_could_leave_its_line_is_refused() {
        for init in ["AT\r+CMGD=1", "CMGF=0", "AT\u{1a}"] {
            let patch = QuirksPatch {
                init: Some(vec![init.to_owned()]),
                ..QuirksPatch::default()
            };
            assert!(
                patch.over(Profile::Standard.quirks()).check().is_err(),
                "{init:?}"
            );
        }
    }
}
