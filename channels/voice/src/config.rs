//! What an operator writes for one voice channel. This module must not show a secret: `Debug` masks them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use channel::Secret;
use channel::{EndpointKind, Level};
use serde::{Deserialize, Deserializer};

use crate::provider::ProviderConfig;
use crate::verdict::Rules;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How many calls the account may hold at once.
    pub lines: usize,
    /// Which of the registry's numbers it calls.
    #[serde(default)]
    pub calls: Calls,
    /// How long a call is reckoned at when lines are planned, in seconds.
    #[serde(default = "call", deserialize_with = "seconds")]
    pub call: Duration,
    /// Within which every first call should have begun, in seconds.
    #[serde(default = "within", deserialize_with = "seconds")]
    pub within: Duration,
    /// Who heard this much of the message has it, in seconds.
    #[serde(default = "heard", deserialize_with = "seconds")]
    pub heard: Duration,
    /// When a busy line is called again, in seconds.
    #[serde(default = "busy_again", deserialize_with = "seconds")]
    pub busy_again: Duration,
    /// When somebody who did not pick up, or not listen, is called again, in seconds.
    #[serde(default = "unanswered_again", deserialize_with = "seconds")]
    pub unanswered_again: Duration,
    #[serde(default)]
    pub speech: Speech,
    pub trunk: Option<Trunk>,
    pub provider: Option<ProviderConfig>,
}

/// Mobile telephones and landlines are endpoints of two kinds, and a channel speaks to one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Calls {
    #[default]
    Landline,
    Mobile,
}

impl From<Calls> for EndpointKind {
    fn from(calls: Calls) -> Self {
        match calls {
            Calls::Landline => Self::Landline,
            Calls::Mobile => Self::Mobile,
        }
    }
}

/// How a text becomes speech.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// Reads a text and writes a WAV file.
    pub command: Vec<String>,
    /// Other commands for other languages, by the first part of their tag: `en`.
    pub voices: BTreeMap<String, Vec<String>>,
    /// Reads a WAV file and writes an MP3.
    pub mp3: Vec<String>,
    /// How long a command may take, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub timeout: Duration,
    /// The longest message, in seconds; later sentences are left out.
    #[serde(deserialize_with = "seconds")]
    pub longest: Duration,
    /// What is said about the keys, and back.
    pub keys: String,
    pub received: String,
    pub done: String,
    /// Said instead of the text, where event and level fit. The first that fits counts.
    pub recordings: Vec<Recording>,
}

impl Default for Speech {
    fn default() -> Self {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect();
        Self {
            command: words("espeak-ng -v cmn-latn-pinyin -s 150 --stdin --stdout"),
            voices: BTreeMap::new(),
            mp3: words("lame --quiet -"),
            timeout: Duration::from_secs(10),
            longest: Duration::from_secs(20),
            keys: "收到请按1,已落实请按2,再听一遍请按9。".to_owned(),
            received: "已记录收到,谢谢。".to_owned(),
            done: "已记录落实,谢谢。".to_owned(),
            recordings: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The event's code, as alerts carry it.
    pub event: String,
    pub level: Option<Level>,
    /// The first part of a language tag.
    pub language: Option<String>,
    /// A drill needs a recording that says so.
    #[serde(default)]
    pub drill: bool,
    /// A WAV file, no longer than the longest message.
    pub file: PathBuf,
}

/// A SIP trunk over UDP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    pub host: String,
    #[serde(default = "sip_port")]
    pub port: u16,
    /// This machine's address on the way to the trunk. Sound comes in here.
    pub address: IpAddr,
    /// 0: any free one.
    #[serde(default)]
    pub local_port: u16,
    /// The lowest port for sound; a line has two. 0: any free ones.
    #[serde(default)]
    pub media_port: u16,
    /// The account, and the number that is shown.
    pub user: String,
    #[serde(default)]
    pub password: Option<Secret>,
    /// The domain of the account, where it is not the host.
    #[serde(default)]
    pub domain: Option<String>,
    /// Whether the account is logged in (REGISTER); otherwise the trunk is asked whether it is there (OPTIONS).
    #[serde(default)]
    pub register: bool,
    /// What is dialled before a number.
    #[serde(default)]
    pub dial_prefix: String,
    /// How long it may ring, in seconds.
    #[serde(default = "ring", deserialize_with = "seconds")]
    pub ring: Duration,
    /// How long the trunk may take for an answer, in seconds.
    #[serde(default = "timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// How often the trunk is asked whether it is there, in seconds; 0: never, it is taken to be.
    #[serde(default = "probe", deserialize_with = "seconds")]
    pub probe: Duration,
    /// So many seconds of speech without a pause are a machine; 0: nothing is.
    #[serde(default = "machine", deserialize_with = "seconds")]
    pub machine: Duration,
    /// How often the message is said to somebody who presses nothing.
    #[serde(default = "plays")]
    pub plays: u32,
    /// How long a key is awaited after the message, in seconds.
    #[serde(default = "wait", deserialize_with = "seconds")]
    pub wait: Duration,
}

impl Trunk {
    /// A trunk with every default.
    pub fn new(
        host: impl Into<String>,
        port: u16,
        address: IpAddr,
        user: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            address,
            local_port: 0,
            media_port: 0,
            user: user.into(),
            password: None,
            domain: None,
            register: false,
            dial_prefix: String::new(),
            ring: ring(),
            timeout: timeout(),
            probe: probe(),
            machine: machine(),
            plays: plays(),
            wait: wait(),
        }
    }

    fn check(&self, lines: usize) -> Result<(), ConfigError> {
        let word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-_.".contains(&b))
        };
        if !word(&self.user) {
            return Err(ConfigError::Word("trunk.user"));
        }
        if !word(&self.host) && self.host.parse::<IpAddr>().is_err() {
            return Err(ConfigError::Word("trunk.host"));
        }
        if self.domain.as_ref().is_some_and(|domain| !word(domain)) {
            return Err(ConfigError::Word("trunk.domain"));
        }
        if !self
            .dial_prefix
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'+')
        {
            return Err(ConfigError::Prefix);
        }
        if self.address.is_unspecified() {
            return Err(ConfigError::Unspecified);
        }
        if self.register && self.password.is_none() {
            return Err(ConfigError::NoPassword);
        }
        for (name, time) in [("trunk.ring", self.ring), ("trunk.timeout", self.timeout)] {
            if time.is_zero() {
                return Err(ConfigError::Empty(name));
            }
        }
        if self.register && self.probe.is_zero() {
            return Err(ConfigError::Empty("trunk.probe"));
        }
        if self.plays == 0 {
            return Err(ConfigError::Empty("trunk.plays"));
        }
        let last = usize::from(self.media_port) + 2 * lines;
        if self.media_port != 0 && last > usize::from(u16::MAX) {
            return Err(ConfigError::NoPorts { lines });
        }
        Ok(())
    }
}

impl Config {
    /// A configuration of a trunk with every default.
    pub fn with_trunk(lines: usize, trunk: Trunk) -> Self {
        Self {
            lines,
            calls: Calls::default(),
            call: call(),
            within: within(),
            heard: heard(),
            busy_again: busy_again(),
            unanswered_again: unanswered_again(),
            speech: Speech::default(),
            trunk: Some(trunk),
            provider: None,
        }
    }

    /// A configuration of a provider with every default.
    pub fn with_provider(lines: usize, provider: ProviderConfig) -> Self {
        Self {
            lines,
            calls: Calls::default(),
            call: call(),
            within: within(),
            heard: heard(),
            busy_again: busy_again(),
            unanswered_again: unanswered_again(),
            speech: Speech::default(),
            trunk: None,
            provider: Some(provider),
        }
    }

    pub(crate) const fn rules(&self) -> Rules {
        Rules {
            heard: self.heard,
            busy: self.busy_again,
            unanswered: self.unanswered_again,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=LINES).contains(&self.lines) {
            return Err(ConfigError::Lines);
        }
        for (name, time) in [("heard", self.heard), ("call", self.call)] {
            if time.is_zero() {
                return Err(ConfigError::Empty(name));
            }
        }
        if self.speech.command.is_empty() {
            return Err(ConfigError::Empty("speech.command"));
        }
        if let Some(empty) = self.speech.voices.iter().find(|(_, v)| v.is_empty()) {
            return Err(ConfigError::Voice(empty.0.clone()));
        }
        for (name, time) in [
            ("speech.timeout", self.speech.timeout),
            ("speech.longest", self.speech.longest),
        ] {
            if time.is_zero() {
                return Err(ConfigError::Empty(name));
            }
        }
        if self.speech.longest > LONGEST {
            return Err(ConfigError::Long);
        }
        match (&self.trunk, &self.provider) {
            (Some(trunk), None) => trunk.check(self.lines),
            (None, Some(provider)) => provider.check(),
            _ => Err(ConfigError::Which),
        }
    }
}

/// What one machine may hold at once.
const LINES: usize = 500;
/// Nobody listens longer.
const LONGEST: Duration = Duration::from_mins(1);

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("voice: `{0}` is empty or zero; set it")]
    Empty(&'static str),
    #[error(
        "voice: `lines` is not within 1 to 500; set how many calls the account may hold at once"
    )]
    Lines,
    #[error("voice: set exactly one of `trunk` and `provider`")]
    Which,
    #[error("voice: `{0}` is not made of letters, digits and + - _ . only")]
    Word(&'static str),
    #[error("voice: `trunk.dial_prefix` is not made of digits and + only")]
    Prefix,
    #[error(
        "voice: `trunk.address` is no address of this machine; set the one on the way to the trunk"
    )]
    Unspecified,
    #[error("voice: `trunk.register` needs `trunk.password`")]
    NoPassword,
    #[error(
        "voice: above `trunk.media_port` are fewer than two ports for each of {lines} lines; set a lower one"
    )]
    NoPorts { lines: usize },
    #[error("voice: `speech.longest` is over 60 seconds; nobody listens that long")]
    Long,
    #[error("voice: `speech.voices.{0}` is empty; name its command or leave it out")]
    Voice(String),
    #[error("voice: recording {file}: {why}")]
    Recording { file: String, why: String },
    #[error("voice: `provider.{key}` {why}")]
    Provider { key: &'static str, why: String },
}

const fn call() -> Duration {
    Duration::from_secs(45)
}

const fn within() -> Duration {
    Duration::from_mins(3)
}

const fn heard() -> Duration {
    Duration::from_secs(8)
}
const fn busy_again() -> Duration {
    Duration::from_mins(1)
}
const fn unanswered_again() -> Duration {
    Duration::from_mins(2)
}
const fn sip_port() -> u16 {
    5060
}
const fn ring() -> Duration {
    Duration::from_secs(35)
}
const fn timeout() -> Duration {
    Duration::from_secs(10)
}
const fn probe() -> Duration {
    Duration::from_secs(30)
}
const fn machine() -> Duration {
    Duration::from_secs(4)
}
const fn plays() -> u32 {
    2
}
const fn wait() -> Duration {
    Duration::from_secs(6)
}

pub(crate) fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(d)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUNK: &str = r#"{"host":"sip.example.org","address":"192.0.2.4","user":"08160000000","password":"pw-secret"}"#;

    fn read(lines: usize, trunk: &str) -> Config {
        serde_json::from_str(&format!(r#"{{"lines":{lines},"trunk":{trunk}}}"#)).expect("it reads")
    }

    fn refused(change: impl FnOnce(&mut Config, &mut Trunk)) -> String {
        let mut config = read(30, TRUNK);
        let mut trunk = config.trunk.take().unwrap();
        change(&mut config, &mut trunk);
        config.trunk = Some(trunk);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn a_configuration_takes_defaults_and_never_shows_its_secrets() {
        let config = read(30, TRUNK);
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.calls, config.heard.as_secs()), (Calls::Landline, 8));
        let trunk = config.trunk.as_ref().unwrap();
        assert_eq!(
            (trunk.port, trunk.ring.as_secs(), trunk.plays),
            (5060, 35, 2)
        );
        assert!(!format!("{config:?}").contains("pw-secret"));
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        for text in [
            r#"{"lines":1,"truk":{}}"#,
            r#"{"lines":1,"speech":{"comand":["x"]}}"#,
            r#"{"lines":1,"trunk":{"host":"h","address":"192.0.2.4","user":"u","rings":3}}"#,
        ] {
            assert!(serde_json::from_str::<Config>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_wrong_setting_is_named() {
        for (message, named) in [
            (refused(|c, _| c.lines = 0), "`lines`"),
            (refused(|c, _| c.lines = 501), "`lines`"),
            (refused(|c, _| c.heard = Duration::ZERO), "`heard`"),
            (refused(|c, _| c.speech.command.clear()), "`speech.command`"),
            (
                refused(|c, _| c.speech.longest = Duration::from_secs(61)),
                "`speech.longest`",
            ),
            (
                refused(|c, _| drop(c.speech.voices.insert("en".into(), Vec::new()))),
                "`speech.voices.en`",
            ),
            (refused(|_, t| t.user = "x@y".into()), "`trunk.user`"),
            (refused(|_, t| t.host = "a b".into()), "`trunk.host`"),
            (
                refused(|_, t| t.domain = Some(String::new())),
                "`trunk.domain`",
            ),
            (
                refused(|_, t| t.dial_prefix = "0a".into()),
                "`trunk.dial_prefix`",
            ),
            (
                refused(|_, t| t.address = "0.0.0.0".parse().unwrap()),
                "`trunk.address`",
            ),
            (
                refused(|_, t| (t.register, t.password) = (true, None)),
                "`trunk.password`",
            ),
            (refused(|_, t| t.ring = Duration::ZERO), "`trunk.ring`"),
            (
                refused(|_, t| (t.register, t.probe) = (true, Duration::ZERO)),
                "`trunk.probe`",
            ),
            (refused(|_, t| t.plays = 0), "`trunk.plays`"),
            (refused(|_, t| t.media_port = 65_500), "`trunk.media_port`"),
        ] {
            assert!(message.contains(named), "{message}");
        }
        let neither = Config {
            trunk: None,
            ..read(1, TRUNK)
        };
        assert_eq!(neither.check(), Err(ConfigError::Which));
    }
}
