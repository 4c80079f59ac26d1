//! What an operator writes for one link: where adapters are listened for, who they are and what each serves. This module must
//! not open anything.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;

use super::assumed::Assumed;
use super::bytes::Id;
use super::params::Reback;
use crate::config::seconds;
use crate::signing::SignerConfig;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The resource code of this platform, 23 digits: every EBMID begins with it.
    pub platform: String,
    /// The same in the older dialect, 18 digits; wanted where an adapter speaks it.
    #[serde(default)]
    pub old_platform: Option<String>,
    /// Who warns, as a start carries it.
    #[serde(default)]
    pub agency: String,
    /// Where adapters come to: `0.0.0.0:9420`. Left out where all of them are dialled and none reports by itself.
    pub listen: Option<SocketAddr>,
    /// Within which an adapter answers a command, in seconds.
    #[serde(default = "answer_timeout", deserialize_with = "seconds")]
    pub answer_timeout: Duration,
    /// An adapter or terminal not heard for this long is reported silent, in seconds.
    #[serde(default = "silent_after", deserialize_with = "seconds")]
    pub silent_after: Duration,
    /// How far the time of a signature may be from ours, in seconds.
    #[serde(default = "time_window", deserialize_with = "seconds")]
    pub time_window: Duration,
    /// How often an adapter that has something of ours to play is asked for its records, in seconds.
    #[serde(default = "records_every", deserialize_with = "seconds")]
    pub records_every: Duration,
    /// A clock that is further off than this is set, in seconds; 0 sets none.
    #[serde(default = "set_clock", deserialize_with = "seconds")]
    pub set_clock_beyond: Duration,
    /// Who signs what goes out, and judges what comes in.
    #[serde(default)]
    pub signer: SignerConfig,
    /// Refuses what comes unsigned.
    #[serde(default)]
    pub verify: bool,
    /// Where adapters and terminals shall report, and how often; left out, they keep what they have.
    pub report: Option<Reports>,
    /// In hundredths; left out, each terminal keeps its own.
    pub volume: Option<u8>,
    #[serde(default)]
    pub adapter: Vec<Adapter>,
}

/// What adapters and terminals are told of their reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// `10.1.0.9:9420`, or a name with its port.
    pub to: String,
    /// In seconds.
    #[serde(deserialize_with = "seconds")]
    pub every: Duration,
}

/// One adapter and what it serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Its resource code: 23 digits, in the older dialect 18.
    pub code: String,
    #[serde(default)]
    pub dialect: Dialect,
    /// Where it takes commands: `10.1.0.5:5005`. Left out, they go by the connection that it has opened to us.
    pub dial: Option<String>,
    /// The addresses that it may come from; left out, any.
    #[serde(default)]
    pub from: Vec<IpAddr>,
    /// 12-digit codes of the areas that it serves; left out, the area in its own code.
    #[serde(default)]
    pub areas: Vec<String>,
    /// Terminals of other areas that it serves, and all that report by a connection of their own.
    #[serde(default)]
    pub terminals: Vec<String>,
    /// Its public key, 130 hex digits from 04, where it is not the signer's `peer`.
    pub peer: Option<String>,
    #[serde(default)]
    pub charset: Charset,
    /// The outputs that shall sound; left out, the adapter's own choice.
    #[serde(default)]
    pub outputs: Vec<u8>,
    /// Whether a start ends with its private block; some builds know none.
    #[serde(default = "yes")]
    pub private_block: bool,
    #[serde(default)]
    pub assumed: Assumed,
}

/// What an adapter speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    #[default]
    Gdj089,
    /// The older one, whose packets open with `FEFD`.
    Fefd,
}

impl Dialect {
    /// Digits of a resource code.
    const fn digits(self) -> usize {
        match self {
            Self::Gdj089 => 23,
            Self::Fefd => 18,
        }
    }
}

/// How texts are written for the terminals' voices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charset {
    Gb2312,
    #[default]
    Gb18030,
}

/// What is wrong with the keys, and with which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("loudspeaker-089: {key} {why}")]
pub struct ConfigError {
    pub key: &'static str,
    pub why: String,
}

/// So many digits and nothing else.
pub(super) fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.parse::<Id>().is_ok()
}

impl Config {
    /// With every default; adapters are to be added.
    pub fn new(platform: impl Into<String>, listen: Option<SocketAddr>) -> Self {
        Self {
            platform: platform.into(),
            old_platform: None,
            agency: String::new(),
            listen,
            answer_timeout: answer_timeout(),
            silent_after: silent_after(),
            time_window: time_window(),
            records_every: records_every(),
            set_clock_beyond: set_clock(),
            signer: SignerConfig::default(),
            verify: false,
            report: None,
            volume: None,
            adapter: Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, why: &str| {
            Err(ConfigError {
                key,
                why: why.to_owned(),
            })
        };
        if !digits(&self.platform, 23) {
            return wrong("platform", "is no resource code: 23 digits are wanted");
        }
        if self.adapter.is_empty() {
            return wrong(
                "adapter",
                "is missing: name the adapters with `[[adapter]]`",
            );
        }
        self.check_platform()?;
        let waits = [
            ("answer_timeout", self.answer_timeout),
            ("silent_after", self.silent_after),
            ("time_window", self.time_window),
            ("records_every", self.records_every),
        ];
        if let Some((key, _)) = waits.into_iter().find(|(_, wait)| wait.is_zero()) {
            return wrong(key, "must be above 0");
        }
        if self.volume.is_some_and(|volume| volume > 100) {
            return wrong("volume", "must be 0 to 100");
        }
        for (at, adapter) in self.adapter.iter().enumerate() {
            adapter.check(self.listen.is_some())?;
            let named = |other: &Adapter| other.code == adapter.code;
            if self.adapter[..at].iter().any(named) {
                return wrong("adapter.code", "stands twice: each adapter is named once");
            }
        }
        Ok(())
    }

    /// Whether the older dialect has its words, and each signature its judge.
    fn check_platform(&self) -> Result<(), ConfigError> {
        let wrong = |key, why: String| Err(ConfigError { key, why });
        let old = self.adapter.iter().any(|a| a.dialect == Dialect::Fefd);
        match &self.old_platform {
            Some(code) if !digits(code, 18) => {
                let why = "is no resource code of the older dialect: 18 digits are wanted";
                return wrong("old_platform", why.into());
            }
            None if old => {
                let why = "is missing: an adapter speaks the older dialect";
                return wrong("old_platform", why.into());
            }
            _ => {}
        }
        if let Some(report) = &self.report {
            if Reback::of(&report.to).is_none() {
                return wrong(
                    "report.to",
                    "is no HOST:PORT; IPv4 or a name is wanted".into(),
                );
            }
            if report.every.as_secs() == 0 {
                return wrong("report.every", "must be a second or more".into());
            }
        }
        let unknown = |adapter: &&Adapter| adapter.peer.is_none() && self.signer.is_blind();
        match self.adapter.iter().find(unknown) {
            Some(adapter) if self.verify => wrong(
                "verify",
                format!(
                    "needs the key of {}: `signer.peer`, or its own `peer`",
                    adapter.code
                ),
            ),
            _ => Ok(()),
        }
    }
}

impl Adapter {
    /// With every default.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            dialect: Dialect::default(),
            dial: None,
            from: Vec::new(),
            areas: Vec::new(),
            terminals: Vec::new(),
            peer: None,
            charset: Charset::default(),
            outputs: Vec::new(),
            private_block: true,
            assumed: Assumed::default(),
        }
    }

    fn check(&self, listens: bool) -> Result<(), ConfigError> {
        let wrong = |key, why: String| Err(ConfigError { key, why });
        let code = &self.code;
        let count = self.dialect.digits();
        if !digits(code, count) {
            let why = format!("{code:?} is no resource code: {count} digits are wanted");
            return wrong("adapter.code", why);
        }
        if self.dialect == Dialect::Fefd && self.dial.is_some() {
            let why = format!("of {code} stands there: in the older dialect terminals come");
            return wrong("adapter.dial", why);
        }
        if let Some(area) = self.areas.iter().find(|area| !digits(area, 12)) {
            let why = format!("of {code} has {area:?}: 12 digits are wanted");
            return wrong("adapter.areas", why);
        }
        if let Some(terminal) = self.terminals.iter().find(|code| !digits(code, count)) {
            let why = format!("of {code} has {terminal:?}: {count} digits are wanted");
            return wrong("adapter.terminals", why);
        }
        if self.dial.is_none() && !listens {
            let why = format!("of {code} is missing: set it, or `listen`, so that it can come");
            return wrong("adapter.dial", why);
        }
        let named = |dial: &String| {
            dial.rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        };
        if self.dial.as_ref().is_some_and(|dial| !named(dial)) {
            return wrong("adapter.dial", format!("of {code} is no HOST:PORT"));
        }
        Ok(())
    }
}

fn answer_timeout() -> Duration {
    Duration::from_secs(5)
}

/// Heartbeats come every few seconds.
fn silent_after() -> Duration {
    Duration::from_secs(30)
}

fn time_window() -> Duration {
    Duration::from_mins(5)
}

fn records_every() -> Duration {
    Duration::from_secs(15)
}

fn set_clock() -> Duration {
    Duration::from_secs(30)
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTER: &str = r#"{"code":"45107270000000314010201"}"#;

    fn read(more: &str, adapter: &str) -> Result<Config, String> {
        let text = format!(
            r#"{{"platform":"45107270000000103010101","listen":"127.0.0.1:0"{more},"adapter":[{adapter}]}}"#
        );
        let config: Config = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        config.check().map_err(|e| e.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_configuration_takes_defaults() {
        let config = read("", ADAPTER).expect("it reads");
        assert_eq!(config.answer_timeout, Duration::from_secs(5));
        assert_eq!(config.adapter[0].charset, Charset::Gb18030);
        assert_eq!(config.adapter[0].assumed.input_channel, 2);
    }

    #[test]
    fn each_wrong_key_is_named() {
        let cases = [
            (r#","volum":1"#, ADAPTER, "volum"),
            (r#","volume":101"#, ADAPTER, "volume must be"),
            (r#","silent_after":0"#, ADAPTER, "silent_after must be"),
            ("", "", "adapter is missing"),
            ("", r#"{"code":"4510727"}"#, "adapter.code"),
            (
                "",
                r#"{"code":"45107270000000314010201","areas":["510727"]}"#,
                "adapter.areas",
            ),
            (
                "",
                r#"{"code":"45107270000000314010201","terminals":["1"]}"#,
                "adapter.terminals",
            ),
            (
                "",
                r#"{"code":"45107270000000314010201","dial":"host"}"#,
                "no HOST:PORT",
            ),
            (
                "",
                r#"{"code":"45107270000000314010201","assumed":{"tone":1}}"#,
                "tone",
            ),
        ];
        for (more, adapter, wanted) in cases {
            let why = read(more, adapter).expect_err(wanted);
            assert!(why.contains(wanted), "{why}");
        }
        let older = r#"{"code":"031451072710120101","dialect":"fefd"}"#;
        assert!(read("", older).is_err_and(|why| why.contains("old_platform is missing")));
        let named = r#","old_platform":"010351072700000001""#;
        assert!(read(named, older).is_ok());
        let dialled = r#"{"code":"031451072710120101","dialect":"fefd","dial":"h:1"}"#;
        assert!(read(named, dialled).is_err_and(|why| why.contains("adapter.dial")));
        let twice = format!("{ADAPTER},{ADAPTER}");
        assert!(read("", &twice).is_err_and(|why| why.contains("twice")));
        let nowhere = Config {
            adapter: vec![Adapter::new("45107270000000314010201")],
            ..Config::new("45107270000000103010101", None)
        };
        assert_eq!(nowhere.check().map_err(|e| e.key), Err("adapter.dial"));
        for (report, wanted) in [
            (r#"{"to":"nowhere","every":60}"#, "report.to"),
            (r#"{"to":"10.1.0.9:9420","every":0.5}"#, "report.every"),
            (r#"{"to":"10.1.0.9:9420"}"#, "every"),
        ] {
            let wrong = read(&format!(r#","report":{report}"#), ADAPTER);
            assert!(wrong.is_err_and(|why| why.contains(wanted)), "{wanted}");
        }
        let verify = read(r#","verify":true"#, ADAPTER);
        assert!(verify.is_err_and(|why| why.contains("verify needs the key of 4510727")));
        let signed = r#","signer":{"kind":"http","url":"http://127.0.0.1:9"},"verify":true"#;
        assert!(read(signed, ADAPTER).is_ok());
        let no_platform = Config::new("4510727", None);
        assert_eq!(no_platform.check().map_err(|e| e.key), Err("platform"));
    }
}
