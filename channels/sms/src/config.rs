//! The keys of one SMS account. This module must not open anything: it only says whether the keys make sense.

use std::time::Duration;

pub use channel::Secret as Password;
use serde::Deserialize;

/// What is wrong with the keys, and with which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("sms: {key} {why}")]
pub struct ConfigError {
    pub key: &'static str,
    pub why: &'static str,
}

/// How the text of a receipt writes the message id, against how `submit_sm_resp` wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptId {
    /// The same in both.
    #[default]
    AsIs,
    /// Hexadecimal in the receipt, decimal in the answer.
    Hex,
    /// Decimal in the receipt, hexadecimal in the answer.
    Decimal,
}

/// How a message's expiry is told to the far end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// As a moment in UTC: needs a far end whose clock is right.
    #[default]
    Absolute,
    /// As a span from now: for a far end whose clock is not.
    Relative,
    /// Not at all: for a far end that refuses the field.
    None,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub host: String,
    pub port: u16,
    pub system_id: String,
    pub password: Password,
    #[serde(default)]
    pub system_type: String,
    /// The number or name that the texts come from.
    pub source: String,
    #[serde(default)]
    pub source_ton: u8,
    #[serde(default)]
    pub source_npi: u8,
    #[serde(default = "one")]
    pub dest_ton: u8,
    #[serde(default = "one")]
    pub dest_npi: u8,
    #[serde(default = "hundred")]
    pub window: usize,
    #[serde(default = "thirty")]
    pub enquire_link_seconds: u64,
    #[serde(default = "ten")]
    pub answer_timeout_seconds: u64,
    #[serde(default = "five_hundred")]
    pub reconnect_min_millis: u64,
    #[serde(default = "thirty_thousand")]
    pub reconnect_max_millis: u64,
    #[serde(default)]
    pub receipt_id: ReceiptId,
    /// Minutes that the far end's receipts are ahead of UTC; without it a receipt's own time is not read.
    #[serde(default)]
    pub receipt_utc_offset_minutes: Option<i16>,
    #[serde(default)]
    pub validity: Validity,
    #[serde(default = "yes")]
    pub gsm7: bool,
    #[serde(default = "ten_segments")]
    pub max_segments: u8,
}

const fn one() -> u8 {
    1
}
const fn hundred() -> usize {
    100
}
const fn thirty() -> u64 {
    30
}
const fn ten() -> u64 {
    10
}
const fn five_hundred() -> u64 {
    500
}
const fn thirty_thousand() -> u64 {
    30_000
}
const fn yes() -> bool {
    true
}
const fn ten_segments() -> u8 {
    MAX_SEGMENTS
}

/// Segments of the longest text, unless the settings say otherwise.
pub const MAX_SEGMENTS: u8 = 10;

impl Config {
    /// An account with every default.
    pub fn new(host: &str, port: u16, system_id: &str, password: &str, source: &str) -> Self {
        Self {
            host: host.to_owned(),
            port,
            system_id: system_id.to_owned(),
            password: Password::new(password),
            system_type: String::new(),
            source: source.to_owned(),
            source_ton: 0,
            source_npi: 0,
            dest_ton: one(),
            dest_npi: one(),
            window: hundred(),
            enquire_link_seconds: thirty(),
            answer_timeout_seconds: ten(),
            reconnect_min_millis: five_hundred(),
            reconnect_max_millis: thirty_thousand(),
            receipt_id: ReceiptId::AsIs,
            receipt_utc_offset_minutes: None,
            validity: Validity::Absolute,
            gsm7: true,
            max_segments: ten_segments(),
        }
    }

    pub fn validate(&self) -> Result<(), ConfigError> {
        let rules = [
            (!self.host.is_empty(), "host", "is empty: name the far end"),
            (
                self.port != 0,
                "port",
                "is 0: SMPP has no fixed port, ask the carrier",
            ),
            (
                fits(&self.system_id, 1, 15),
                "system_id",
                "must be 1 to 15 ASCII characters",
            ),
            (
                fits(self.password.expose(), 0, 8),
                "password",
                "must be at most 8 ASCII characters in SMPP 3.4",
            ),
            (
                fits(&self.system_type, 0, 12),
                "system_type",
                "must be at most 12 ASCII characters",
            ),
            (
                fits(&self.source, 0, 20),
                "source",
                "must be at most 20 ASCII characters",
            ),
            (self.max_segments > 0, "max_segments", "must be at least 1"),
            (
                (usize::from(self.max_segments)..=100_000).contains(&self.window),
                "window",
                "must be at least max_segments, so that a long text fits it, and at most 100000",
            ),
            (
                self.enquire_link_seconds > 0,
                "enquire_link_seconds",
                "must be at least 1",
            ),
            (
                self.answer_timeout_seconds > 0,
                "answer_timeout_seconds",
                "must be at least 1",
            ),
            (
                self.reconnect_min_millis > 0,
                "reconnect_min_millis",
                "must be at least 1",
            ),
            (
                self.reconnect_max_millis >= self.reconnect_min_millis,
                "reconnect_max_millis",
                "must not be below reconnect_min_millis",
            ),
        ];
        match rules.iter().find(|(holds, ..)| !holds) {
            Some(&(_, key, why)) => Err(ConfigError { key, why }),
            None => Ok(()),
        }
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        Duration::from_secs(self.answer_timeout_seconds)
    }
}

fn fits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: &str = "host = \"smsc.example\"\nport = 2775\nsystem_id = \"bureau\"\npassword = \"secret\"\nsource = \"12379\"\n";

    #[test]
    fn the_shortest_account_has_the_defaults() {
        let config: Config = toml::from_str(SHORTEST).unwrap();
        config.validate().unwrap();
        assert_eq!(
            (
                config.window,
                config.enquire_link_seconds,
                config.answer_timeout_seconds
            ),
            (100, 30, 10)
        );
        assert_eq!(
            (config.gsm7, config.max_segments, config.receipt_id),
            (true, 10, ReceiptId::AsIs)
        );
        let made = Config::new("smsc.example", 2775, "bureau", "secret", "12379");
        assert_eq!(format!("{config:?}"), format!("{made:?}"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<Config>(&format!("{SHORTEST}windows = 3\n")).unwrap_err();
        assert!(error.to_string().contains("windows"), "{error}");
    }

    #[test]
    fn the_password_is_never_shown() {
        let config: Config = toml::from_str(SHORTEST).unwrap();
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn a_window_below_the_longest_text_is_refused() {
        let config = Config {
            window: 9,
            ..toml::from_str(SHORTEST).unwrap()
        };
        assert_eq!(config.validate().unwrap_err().key, "window");
    }
}
