//! What an operator writes for one channel of outlets. This module must not show the secret: `Debug` masks it.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::link::is_base;
use channel::{Secret, Style};
use serde::Deserialize;

use crate::outlet::Kind;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Every link is proved by it.
    pub secret: Secret,
    /// Where people reach the gateway from the open network: `https://` and its name. Short links begin with it.
    #[serde(default)]
    pub base: Option<String>,
    #[serde(default)]
    pub text: Text,
    /// How long after a warning's end its link still opens, in hours: for late entries.
    #[serde(default = "late_hours")]
    pub late_hours: u32,
    /// The largest attachment, in KiB; 0 takes none.
    #[serde(default = "attachment_kib")]
    pub attachment_kib: u32,
    /// Characters: of a whole text, and with LED of one screen.
    #[serde(default)]
    pub limits: BTreeMap<Kind, u32>,
}

/// How the texts for these outlets are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Text {
    /// What to do, under the bureau's signature: crawls and screens.
    #[default]
    Short,
    /// To be read out: all of it, without signature.
    Spoken,
    /// All of it, with times and signature: groups.
    Letter,
}

impl Text {
    pub(crate) const fn style(self) -> Style {
        match self {
            Self::Short => Style::Short,
            Self::Spoken => Style::Spoken,
            Self::Letter => Style::Letter,
        }
    }
}

/// Characters that stand by themselves where nothing is set.
const TV: u32 = 120;
const LED: u32 = 24;
/// No limit is lower: a drill's mark and a word of what to do must fit.
const LOWEST: u32 = 8;
/// Base64 of it, and the rest, must fit into what the gateway reads of one call.
const MOST_KIB: u32 = 2048;

impl Config {
    /// A configuration with every default.
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            base: None,
            text: Text::default(),
            late_hours: late_hours(),
            attachment_kib: attachment_kib(),
            limits: BTreeMap::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        // 16 bytes is the least that no one tries out.
        if self.secret.expose().len() < 16 {
            return Err(ConfigError::ShortSecret);
        }
        if !self.base.as_deref().is_none_or(is_base) {
            return Err(ConfigError::Base);
        }
        if self.attachment_kib > MOST_KIB {
            return Err(ConfigError::Attachment);
        }
        let low = self.limits.iter().find(|(_, limit)| **limit < LOWEST);
        low.map_or(Ok(()), |(kind, _)| Err(ConfigError::Limit(kind.word())))
    }

    /// How many characters an outlet of this kind takes; nothing where it takes any.
    pub(crate) fn limit(&self, kind: Kind) -> Option<usize> {
        let usual = match kind {
            Kind::Tv => Some(TV),
            Kind::Led => Some(LED),
            _ => None,
        };
        let limit = self.limits.get(&kind).copied().or(usual)?;
        usize::try_from(limit).ok()
    }

    pub(crate) fn late(&self) -> Duration {
        Duration::from_hours(u64::from(self.late_hours))
    }

    pub(crate) fn attachment(&self) -> usize {
        usize::try_from(self.attachment_kib).map_or(0, |kib| kib * 1024)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("manual: `secret` is shorter than 16 characters; set 32 random bytes in hex")]
    ShortSecret,
    #[error(
        "manual: `base` is https:// (or http://) and a name or address, at most 60 characters; https://w.example.cn"
    )]
    Base,
    #[error("manual: `attachment_kib` is more than 2048; a call carries no larger one")]
    Attachment,
    #[error("manual: `limits.{0}` is less than 8 characters; leave it out for the usual one")]
    Limit(&'static str),
}

const fn late_hours() -> u32 {
    24
}

const fn attachment_kib() -> u32 {
    512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_takes_defaults_and_never_shows_its_secret() {
        let config: Config = serde_json::from_str(r#"{"secret":"0123456789abcdef"}"#).expect("it");
        assert_eq!((config.late_hours, config.attachment_kib), (24, 512));
        assert_eq!(config.limit(Kind::Tv), Some(120));
        assert_eq!(
            (config.limit(Kind::Led), config.limit(Kind::Group)),
            (Some(24), None)
        );
        assert!(config.check().is_ok());
        assert!(!format!("{config:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let refused = |json: &str| {
            let config: Config = serde_json::from_str(json).expect("it reads");
            config.check().expect_err("refused").to_string()
        };
        assert!(refused(r#"{"secret":"short"}"#).contains("16 characters"));
        let long = |rest: &str| format!(r#"{{"secret":"0123456789abcdef",{rest}}}"#);
        assert!(refused(&long(r#""attachment_kib":2049"#)).contains("attachment_kib"));
        assert!(refused(&long(r#""limits":{"led":7}"#)).contains("limits.led"));
        for wrong in ["w.example.cn", "https://", "https://a b", "ftp://a"] {
            assert!(
                refused(&long(&format!(r#""base":"{wrong}""#))).contains("base"),
                "{wrong}"
            );
        }
        for wrong in [
            r#""limit":{}"#,
            r#""limits":{"fax":20}"#,
            r#""text":"long""#,
        ] {
            assert!(
                serde_json::from_str::<Config>(&long(wrong)).is_err(),
                "{wrong}"
            );
        }
    }
}
