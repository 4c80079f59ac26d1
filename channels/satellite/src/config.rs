//! What an operator writes for one modem or one terminal. This module must not open anything: it only says whether the
//! keys make sense.

use std::time::Duration;

use channel::Level;
pub use channel::Secret;
use serde::{Deserialize, Deserializer};
use sms::text::Signature;
use sms::{Acknowledge, Reference, Validity};

use crate::modem::quirks::{Profile, Quirks, QuirksPatch};
use crate::pdu::Number;
use crate::port::Port;

/// What is wrong with the keys, and with which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("satellite: {key} {why}")]
pub struct ConfigError {
    pub key: &'static str,
    pub why: &'static str,
}

pub(crate) type Rule = (bool, &'static str, &'static str);

/// The first rule that does not hold.
pub(crate) fn first(rules: impl IntoIterator<Item = Rule>) -> Result<(), ConfigError> {
    match rules.into_iter().find(|(holds, ..)| !holds) {
        Some((_, key, why)) => Err(ConfigError { key, why }),
        None => Ok(()),
    }
}

/// Parts of the longest text, unless the settings say otherwise.
pub const MAX_SEGMENTS: u8 = 4;

/// A satellite phone, or any modem with a SIM card, that takes short messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModemConfig {
    pub port: Port,
    /// The SIM card's PIN, where it wants one.
    #[serde(default)]
    pub pin: Option<Secret>,
    /// The centre's number; the card's own unless said otherwise.
    #[serde(default)]
    pub centre: Option<String>,
    #[serde(default)]
    pub profile: Profile,
    /// What this phone does otherwise than its profile.
    #[serde(default)]
    pub quirks: QuirksPatch,
    /// Between two texts, in seconds.
    #[serde(default = "pause", deserialize_with = "seconds")]
    pub pause: Duration,
    /// How long the modem may take for an answer, in seconds.
    #[serde(default = "timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// How long the network may take for a text, in seconds.
    #[serde(default = "send_timeout", deserialize_with = "seconds")]
    pub send_timeout: Duration,
    /// Between two looks at network and signal, in seconds.
    #[serde(default = "probe", deserialize_with = "seconds")]
    pub probe: Duration,
    /// Until a lost port is opened again, in seconds.
    #[serde(default = "again", deserialize_with = "seconds")]
    pub again: Duration,
    /// A weaker signal (`+CSQ`, 0 to 31) is told by the channel's health.
    #[serde(default)]
    pub least_signal: u8,
    /// Whether status reports are asked for.
    #[serde(default = "yes")]
    pub reports: bool,
    #[serde(default = "relative")]
    pub validity: Validity,
    #[serde(default = "yes")]
    pub gsm7: bool,
    #[serde(default = "max_segments")]
    pub max_segments: u8,
    #[serde(default)]
    pub part_reference: Reference,
    #[serde(default)]
    pub signature: Signature,
    #[serde(default)]
    pub flash: Vec<Level>,
    #[serde(default)]
    pub acknowledge: Acknowledge,
}

impl ModemConfig {
    /// A modem with every default.
    pub fn new(port: Port) -> Self {
        Self {
            port,
            pin: None,
            centre: None,
            profile: Profile::default(),
            quirks: QuirksPatch::default(),
            pause: pause(),
            timeout: timeout(),
            send_timeout: send_timeout(),
            probe: probe(),
            again: again(),
            least_signal: 0,
            reports: true,
            validity: relative(),
            gsm7: true,
            max_segments: max_segments(),
            part_reference: Reference::default(),
            signature: Signature::default(),
            flash: Vec::new(),
            acknowledge: Acknowledge::default(),
        }
    }

    pub(crate) fn quirks(&self) -> Quirks {
        self.quirks.over(self.profile.quirks())
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let pin = self.pin.as_ref().map(Secret::expose);
        let digits =
            |pin: &str| (4..=8).contains(&pin.len()) && pin.bytes().all(|b| b.is_ascii_digit());
        let centre = self.centre.as_deref();
        first([
            (
                self.port.is_one(),
                "port",
                "needs exactly one of `address` and `device`",
            ),
            (pin.is_none_or(digits), "pin", "is not 4 to 8 digits"),
            (
                centre.is_none_or(|centre| Number::parse(centre).is_some()),
                "centre",
                "is no telephone number",
            ),
            (!self.timeout.is_zero(), "timeout", "must be above 0"),
            (
                !self.send_timeout.is_zero(),
                "send_timeout",
                "must be above 0",
            ),
            (!self.probe.is_zero(), "probe", "must be above 0"),
            (!self.again.is_zero(), "again", "must be above 0"),
            (self.least_signal <= 31, "least_signal", "is over 31"),
            (self.max_segments > 0, "max_segments", "must be at least 1"),
            (
                self.acknowledge.is_valid(),
                "acknowledge",
                "has a word without a letter or digit, which every empty text would be",
            ),
        ])?;
        self.quirks().check()
    }
}

const fn pause() -> Duration {
    Duration::from_secs(4)
}
const fn timeout() -> Duration {
    Duration::from_secs(10)
}
const fn send_timeout() -> Duration {
    Duration::from_mins(2)
}
const fn probe() -> Duration {
    Duration::from_secs(30)
}
const fn again() -> Duration {
    Duration::from_secs(5)
}
const fn yes() -> bool {
    true
}
/// A phone's clock may be wrong; the centre's is not asked.
const fn relative() -> Validity {
    Validity::Relative
}
const fn max_segments() -> u8 {
    MAX_SEGMENTS
}

pub(crate) fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(d)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<ModemConfig, serde_json::Error> {
        serde_json::from_str(&format!(
            r#"{{"port":{{"address":"192.0.2.7:4001"}}{more}}}"#
        ))
    }

    #[test]
    fn a_modem_takes_defaults_and_shows_no_pin() {
        let config = read(r#","pin":"4711""#).unwrap();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.pause.as_secs(), config.max_segments), (4, 4));
        assert!(!format!("{config:?}").contains("4711"));
    }

    #[test]
    fn every_wrong_setting_is_named() {
        for (more, key) in [
            (r#","pin":"12""#, "pin"),
            (r#","centre":"x""#, "centre"),
            (r#","timeout":0"#, "timeout"),
            (r#","send_timeout":0"#, "send_timeout"),
            (r#","probe":0"#, "probe"),
            (r#","again":0"#, "again"),
            (r#","least_signal":32"#, "least_signal"),
            (r#","max_segments":0"#, "max_segments"),
            (r#","acknowledge":["。"]"#, "acknowledge"),
            (r#","quirks":{"init":["CMGF=1"]}"#, "quirks.init"),
            (
                r#","quirks":{"registration":["CREG?"]}"#,
                "quirks.registration",
            ),
        ] {
            assert_eq!(read(more).unwrap().check().unwrap_err().key, key, "{more}");
        }
        for port in [
            r"{}",
            r#"{"address":"a:1","device":"/dev/ttyS0"}"#,
            r#"{"address":""}"#,
        ] {
            let config: ModemConfig =
                serde_json::from_str(&format!(r#"{{"port":{port}}}"#)).unwrap();
            assert_eq!(config.check().unwrap_err().key, "port", "{port}");
        }
        for misspelt in [
            r#","pauze":1"#,
            r#","quirks":{"inti":[]}"#,
            r#","profile":"nokia""#,
        ] {
            assert!(read(misspelt).is_err(), "{misspelt}");
        }
    }
}
