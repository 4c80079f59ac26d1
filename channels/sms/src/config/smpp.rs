//! The keys of one SMPP account. This module must not open anything: it only says whether the keys make sense.

use channel::Level;
use serde::Deserialize;

use super::{ConfigError, Line, Password, Reference, defaults, fits};
use crate::receipt::Stats;
use crate::reply::Acknowledge;
use crate::text::Signature;
use crate::validity::Validity;

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

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppConfig {
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
    #[serde(default = "defaults::one")]
    pub dest_ton: u8,
    #[serde(default = "defaults::one")]
    pub dest_npi: u8,
    #[serde(default = "defaults::hundred")]
    pub window: usize,
    #[serde(default = "defaults::one_connection")]
    pub connections: usize,
    #[serde(default = "defaults::thirty")]
    pub enquire_link_seconds: u64,
    #[serde(default = "defaults::ten")]
    pub answer_timeout_seconds: u64,
    #[serde(default = "defaults::five_hundred")]
    pub reconnect_min_millis: u64,
    #[serde(default = "defaults::thirty_thousand")]
    pub reconnect_max_millis: u64,
    #[serde(default)]
    pub receipt_id: ReceiptId,
    /// Minutes that the far end's receipts are ahead of UTC; without it a receipt's own time is not read.
    #[serde(default)]
    pub receipt_utc_offset_minutes: Option<i16>,
    #[serde(default)]
    pub validity: Validity,
    #[serde(default = "defaults::yes")]
    pub gsm7: bool,
    #[serde(default = "defaults::ten_segments")]
    pub max_segments: u8,
    #[serde(default)]
    pub part_reference: Reference,
    #[serde(default)]
    pub signature: Signature,
    #[serde(default)]
    pub flash: Vec<Level>,
    #[serde(default)]
    pub stats: Stats,
    #[serde(default)]
    pub acknowledge: Acknowledge,
}

impl SmppConfig {
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
            dest_ton: defaults::one(),
            dest_npi: defaults::one(),
            window: defaults::hundred(),
            connections: 1,
            enquire_link_seconds: defaults::thirty(),
            answer_timeout_seconds: defaults::ten(),
            reconnect_min_millis: defaults::five_hundred(),
            reconnect_max_millis: defaults::thirty_thousand(),
            receipt_id: ReceiptId::AsIs,
            receipt_utc_offset_minutes: None,
            validity: Validity::Absolute,
            gsm7: true,
            max_segments: defaults::ten_segments(),
            part_reference: Reference::default(),
            signature: Signature::default(),
            flash: Vec::new(),
            stats: Stats::default(),
            acknowledge: Acknowledge::default(),
        }
    }

    pub fn validate(&self) -> Result<(), ConfigError> {
        super::first([
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
        ])?;
        self.line().validate()
    }

    pub(crate) fn line(&self) -> Line {
        Line {
            host: self.host.clone(),
            port: self.port,
            window: self.window,
            connections: self.connections,
            quiet_key: "enquire_link_seconds",
            quiet_seconds: self.enquire_link_seconds,
            answer_timeout_seconds: self.answer_timeout_seconds,
            reconnect_min_millis: self.reconnect_min_millis,
            reconnect_max_millis: self.reconnect_max_millis,
            max_segments: self.max_segments,
            flash: self.flash.clone(),
            stats: self.stats.is_valid(),
            acknowledge: self.acknowledge.is_valid(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: &str = "host = \"smsc.example\"\nport = 2775\nsystem_id = \"bureau\"\npassword = \"secret\"\nsource = \"12379\"\n";

    #[test]
    fn the_shortest_account_has_the_defaults() {
        let config: SmppConfig = toml::from_str(SHORTEST).unwrap();
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
        let made = SmppConfig::new("smsc.example", 2775, "bureau", "secret", "12379");
        assert_eq!(format!("{config:?}"), format!("{made:?}"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = toml::from_str::<SmppConfig>(&format!("{SHORTEST}windows = 3\n")).unwrap_err();
        assert!(error.to_string().contains("windows"), "{error}");
    }

    #[test]
    fn the_password_is_never_shown() {
        let config: SmppConfig = toml::from_str(SHORTEST).unwrap();
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn a_window_below_the_longest_text_is_refused() {
        let config = SmppConfig {
            window: 9,
            ..toml::from_str(SHORTEST).unwrap()
        };
        assert_eq!(config.validate().unwrap_err().key, "window");
    }
}
