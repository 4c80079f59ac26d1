//! What an operator writes for one Beidou terminal. This module must not open anything: it only says whether the keys make
//! sense.

use std::time::Duration;

use channel::Secret;
use serde::Deserialize;
use sms::Acknowledge;

use super::form::{Assumed, Form, Version};
use crate::config::{ConfigError, first, seconds};
use crate::port::Port;

/// What goes over the air.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Characters that a handset shows.
    #[default]
    Text,
    /// The compact form, for whoever reads it with `tocsin decode` or a program of its own.
    Compact,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RdssConfig {
    pub port: Port,
    #[serde(default)]
    pub version: Version,
    #[serde(default)]
    pub shape: Shape,
    /// Proves compact messages, in both directions.
    #[serde(default)]
    pub key: Option<Secret>,
    /// Seconds that the card rests between two messages, until the card itself tells.
    #[serde(default = "interval", deserialize_with = "seconds")]
    pub interval: Duration,
    /// Bytes of the longest message that the card may send.
    #[serde(default = "room")]
    pub room: usize,
    /// 2.1: ahead of ordinary messages.
    #[serde(default)]
    pub express: bool,
    /// Beidou-3: 1 to 5.
    #[serde(default = "frequency")]
    pub frequency: u8,
    /// Beidou-3: the far end confirms.
    #[serde(default)]
    pub confirm: bool,
    /// How long the terminal may take for an answer, in seconds.
    #[serde(default = "timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// Between two questions for the card, in seconds.
    #[serde(default = "probe", deserialize_with = "seconds")]
    pub probe: Duration,
    /// Until a lost port is opened again, in seconds.
    #[serde(default = "again", deserialize_with = "seconds")]
    pub again: Duration,
    #[serde(default)]
    pub acknowledge: Acknowledge,
    #[serde(default)]
    pub assumed: Assumed,
}

/// What the shortest compact alert takes, and more than one character.
const LEAST_ROOM: usize = 24;
/// 14,000 bits.
const MOST_ROOM: usize = 1_750;

impl RdssConfig {
    /// A terminal with every default.
    pub fn new(port: Port) -> Self {
        Self {
            port,
            version: Version::default(),
            shape: Shape::default(),
            key: None,
            interval: interval(),
            room: room(),
            express: false,
            frequency: frequency(),
            confirm: false,
            timeout: timeout(),
            probe: probe(),
            again: again(),
            acknowledge: Acknowledge::default(),
            assumed: Assumed::default(),
        }
    }

    pub(crate) const fn form(&self) -> Form {
        Form {
            version: self.version,
            assumed: self.assumed,
            express: self.express,
            frequency: self.frequency,
            confirm: self.confirm,
        }
    }

    /// Whether anything that comes in can be read.
    pub(crate) const fn hears(&self) -> bool {
        matches!(self.version, Version::Two) || self.assumed.tci_sender.is_some()
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let key = self.key.as_ref().map(Secret::expose);
        first([
            (
                self.port.is_one(),
                "port",
                "needs exactly one of `address` and `device`",
            ),
            (
                self.shape == Shape::Text || key.is_some(),
                "key",
                "is missing: compact messages are proved by it",
            ),
            (
                key.is_none_or(|key| key.len() >= 16),
                "key",
                "is shorter than 16 characters",
            ),
            (
                (LEAST_ROOM..=MOST_ROOM).contains(&self.room),
                "room",
                "is not within 24 to 1750",
            ),
            (
                (1..=5).contains(&self.frequency),
                "frequency",
                "is not within 1 to 5",
            ),
            (!self.timeout.is_zero(), "timeout", "must be above 0"),
            (!self.probe.is_zero(), "probe", "must be above 0"),
            (!self.again.is_zero(), "again", "must be above 0"),
            (
                self.acknowledge.is_valid(),
                "acknowledge",
                "has a word without a letter or digit, which every empty text would be",
            ),
            (
                self.assumed.is_valid(),
                "assumed",
                "counts fields from 1 to 20, and `tci_sender` and `tci_content` go together",
            ),
        ])
    }
}

const fn interval() -> Duration {
    Duration::from_mins(1)
}
/// A card of the third level.
const fn room() -> usize {
    78
}
const fn frequency() -> u8 {
    2
}
const fn timeout() -> Duration {
    Duration::from_secs(10)
}
const fn probe() -> Duration {
    Duration::from_mins(1)
}
const fn again() -> Duration {
    Duration::from_secs(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<RdssConfig, serde_json::Error> {
        serde_json::from_str(&format!(r#"{{"port":{{"device":"/dev/ttyS0"}}{more}}}"#))
    }

    #[test]
    fn a_terminal_takes_defaults_and_shows_no_key() {
        let config =
            read(r#","shape":"compact","key":"a key of the tests","version":"3""#).unwrap();
        assert_eq!(config.check(), Ok(()));
        assert!(
            !config.hears(),
            "the new form is read only where its layout is set"
        );
        assert!(!format!("{config:?}").contains("a key of"));
        assert!(read("").unwrap().hears());
    }

    #[test]
    fn every_wrong_setting_is_named() {
        for (more, key) in [
            (r#","shape":"compact""#, "key"),
            (r#","key":"short""#, "key"),
            (r#","room":10"#, "room"),
            (r#","frequency":6"#, "frequency"),
            (r#","timeout":0"#, "timeout"),
            (r#","probe":0"#, "probe"),
            (r#","again":0"#, "again"),
            (r#","acknowledge":[""]"#, "acknowledge"),
            (r#","assumed":{"tci_sender":1}"#, "assumed"),
        ] {
            assert_eq!(read(more).unwrap().check().unwrap_err().key, key, "{more}");
        }
        for misspelt in [
            r#","rooom":1"#,
            r#","version":"4""#,
            r#","assumed":{"tci":1}"#,
        ] {
            assert!(read(misspelt).is_err(), "{misspelt}");
        }
    }
}
