//! The keys of one CMPP account. This module must not open anything: it only says whether the keys make sense.

use channel::Level;
use serde::Deserialize;

use super::{ConfigError, Line, Password, Reference, defaults, fits};
use crate::codec::cmpp::Version;
use crate::receipt::Stats;
use crate::reply::Acknowledge;
use crate::text::Signature;
use crate::validity::Validity;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmppConfig {
    pub host: String,
    #[serde(default = "defaults::cmpp_port")]
    pub port: u16,
    pub version: Version,
    /// The account, `SP_Id`.
    pub sp_id: String,
    pub secret: Password,
    /// The access number that the texts come from, `Src_Id`.
    pub source: String,
    #[serde(default)]
    pub service_id: String,
    /// Who pays: 2 is the sender.
    #[serde(default = "defaults::two")]
    pub fee_user_type: u8,
    #[serde(default = "defaults::free")]
    pub fee_type: String,
    #[serde(default = "defaults::no_fee")]
    pub fee_code: String,
    #[serde(default)]
    pub level: u8,
    /// Numbers go with the country's code, 86, where they have it.
    #[serde(default)]
    pub country_code: bool,
    /// A far end that does not prove itself is refused, and not only told of.
    #[serde(default)]
    pub check_gateway: bool,
    #[serde(default = "defaults::sixteen")]
    pub window: usize,
    #[serde(default = "defaults::one_connection")]
    pub connections: usize,
    #[serde(default = "defaults::thirty")]
    pub active_test_seconds: u64,
    #[serde(default = "defaults::twenty")]
    pub answer_timeout_seconds: u64,
    #[serde(default = "defaults::five_hundred")]
    pub reconnect_min_millis: u64,
    #[serde(default = "defaults::thirty_thousand")]
    pub reconnect_max_millis: u64,
    #[serde(default)]
    pub validity: Validity,
    #[serde(default)]
    pub ascii: bool,
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

impl CmppConfig {
    /// An account with every default.
    pub fn new(
        host: &str,
        port: u16,
        version: Version,
        sp_id: &str,
        secret: &str,
        source: &str,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            version,
            sp_id: sp_id.to_owned(),
            secret: Password::new(secret),
            source: source.to_owned(),
            service_id: String::new(),
            fee_user_type: defaults::two(),
            fee_type: defaults::free(),
            fee_code: defaults::no_fee(),
            level: 0,
            country_code: false,
            check_gateway: false,
            window: defaults::sixteen(),
            connections: 1,
            active_test_seconds: defaults::thirty(),
            answer_timeout_seconds: defaults::twenty(),
            reconnect_min_millis: defaults::five_hundred(),
            reconnect_max_millis: defaults::thirty_thousand(),
            validity: Validity::Absolute,
            ascii: false,
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
                fits(&self.sp_id, 6, 6),
                "sp_id",
                "must be the 6 ASCII characters that the carrier gave",
            ),
            (!self.secret.expose().is_empty(), "secret", "is empty"),
            (
                fits(&self.source, 1, 20),
                "source",
                "must be an access number of 1 to 20 digits",
            ),
            (
                fits(&self.service_id, 0, 10),
                "service_id",
                "must be at most 10 ASCII characters",
            ),
            (self.fee_user_type <= 3, "fee_user_type", "must be 0 to 3"),
            (
                fits(&self.fee_type, 2, 2),
                "fee_type",
                "must be 2 ASCII characters",
            ),
            (
                fits(&self.fee_code, 0, 6),
                "fee_code",
                "must be at most 6 ASCII characters",
            ),
            (self.level <= 9, "level", "must be 0 to 9"),
        ])?;
        self.line().validate()
    }

    pub(crate) fn line(&self) -> Line {
        Line {
            host: self.host.clone(),
            port: self.port,
            window: self.window,
            connections: self.connections,
            quiet_key: "active_test_seconds",
            quiet_seconds: self.active_test_seconds,
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

    const SHORTEST: &str = "host = \"ismg.example\"\nversion = \"3.0\"\nsp_id = \"900001\"\nsecret = \"secret\"\nsource = \"10690000\"\n";

    #[test]
    fn the_shortest_account_has_the_defaults() {
        let config: CmppConfig = toml::from_str(SHORTEST).unwrap();
        config.validate().unwrap();
        let made = CmppConfig::new(
            "ismg.example",
            7890,
            Version::V30,
            "900001",
            "secret",
            "10690000",
        );
        assert_eq!(format!("{config:?}"), format!("{made:?}"));
        assert_eq!((config.window, config.active_test_seconds), (16, 30));
        assert!(!format!("{config:?}").contains("\"secret\""));
    }

    #[test]
    fn tables_and_lists_are_read() {
        let more = "part_reference = 16\nsignature = \"back\"\nflash = [\"red\"]\nacknowledge = [\"Y\"]\n\
                    [stats]\n\"MK:0001\" = \"empty\"\n";
        let config: CmppConfig = toml::from_str(&format!("{SHORTEST}{more}")).unwrap();
        config.validate().unwrap();
        assert_eq!(
            (config.part_reference, config.signature),
            (Reference::Sixteen, Signature::Back)
        );
        assert_eq!(config.flash, [Level::Red]);
        assert!(config.acknowledge.accepts("y") && !config.acknowledge.accepts("1"));
    }

    #[test]
    fn keys_that_make_no_sense_are_named() {
        let wrong = |text: &str| {
            let config: CmppConfig = toml::from_str(&format!("{SHORTEST}{text}")).unwrap();
            config.validate().unwrap_err().key
        };
        assert_eq!(wrong("window = 9\n"), "window");
        assert_eq!(wrong("connections = 0\n"), "connections");
        assert_eq!(wrong("acknowledge = [\"!\"]\n"), "acknowledge");
        assert_eq!(wrong("[stats]\n\"\" = \"empty\"\n"), "stats");
        for (unread, told) in [
            (SHORTEST.replace("3.0", "4.0"), "4.0"),
            (format!("{SHORTEST}part_reference = 12"), "8 or 16 bits"),
            (format!("{SHORTEST}windows = 3"), "windows"),
        ] {
            let error = toml::from_str::<CmppConfig>(&unread)
                .unwrap_err()
                .to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
