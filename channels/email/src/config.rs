//! What an operator writes for one mail channel. This module must not show the password: `Debug` masks it.

use std::path::PathBuf;
use std::time::Duration;

pub use channel::Secret;
use serde::{Deserialize, Deserializer};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Readable on the wire: for a server on the same machine or network only.
    None,
    /// Begins readable and must become TLS, or nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte, port 465.
    Implicit,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub host: String,
    #[serde(default = "port")]
    pub port: u16,
    #[serde(default)]
    pub tls: Tls,
    /// A further certificate authority to trust, PEM: for a server of the bureau's own.
    pub ca_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// The mailbox that the letters come from: `县预警中心 <warning@example.org>`.
    pub from: String,
    /// How we name ourselves to the server; the domain of `from` when left out.
    pub helo: Option<String>,
    /// How many sessions at once.
    #[serde(default = "connections")]
    pub connections: usize,
    /// How long one step of a session may take, in seconds.
    #[serde(default = "timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// How we learn what became of a letter after the server took it. Without it nobody is asked.
    pub bounces: Option<Bounces>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounces {
    /// Each letter has a return address of its own, `b+…@` this domain. Mail for it comes to the gateway.
    pub domain: String,
    /// What proves a return address. Changed, it makes those of letters under way worthless.
    pub secret: Secret,
    /// SHA-256, in hex, of the token that may post mails.
    pub token_sha256: String,
    /// A letter in its mailbox counts as one that a device has.
    #[serde(default)]
    pub mailbox_counts: bool,
}

impl Config {
    /// A readable session without login, with every other default.
    pub fn new(host: impl Into<String>, port: u16, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            tls: Tls::None,
            ca_file: None,
            user: None,
            password: None,
            from: from.into(),
            helo: None,
            connections: connections(),
            timeout: timeout(),
            bounces: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("email: `from` is no mailbox; write NAME <LOCAL@DOMAIN>")]
    From,
    #[error("email: `bounces.domain` makes no address; write a domain name")]
    BounceDomain,
    #[error("email: `bounces.secret` is shorter than 32 characters; set 32 random bytes in hex")]
    BounceSecret,
    #[error(
        "email: `bounces.token_sha256` is no SHA-256 in hex; `tocsin token` makes a token and this"
    )]
    BounceToken,
    #[error("email: the system gives no random bytes")]
    Random,
    #[error("email: `user` and `password` are given together or not at all")]
    Login,
    #[error(
        "email: `user` without TLS would show the password on the wire; set `tls`, or use a server of this machine"
    )]
    OpenLogin,
    #[error("email: `connections` is 0; set at least 1")]
    Connections,
    #[error("email: `ca_file` cannot be read as PEM: {0}")]
    Ca(String),
    #[error("email: TLS to `host` cannot be set up: {0}")]
    Tls(String),
}

fn port() -> u16 {
    587
}

fn connections() -> usize {
    4
}

fn timeout() -> Duration {
    Duration::from_mins(1)
}

fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(d)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_takes_safe_defaults_and_never_shows_its_password() {
        let text = r#"{"host":"mail.example.org","from":"a@example.org","user":"a","password":"hush-hush","timeout":2.5}"#;
        let config: Config = serde_json::from_str(text).expect("it reads");
        assert_eq!(
            (config.port, config.tls, config.connections),
            (587, Tls::Starttls, 4)
        );
        assert_eq!(config.timeout, Duration::from_millis(2500));
        assert!(!format!("{config:?}").contains("hush-hush"));
    }

    #[test]
    fn bounces_are_set_up_whole_or_not_at_all_and_never_show_their_secret() {
        let read = |bounces: &str| {
            let text = format!(
                r#"{{"host":"mail.example.org","from":"a@example.org","bounces":{bounces}}}"#
            );
            serde_json::from_str::<Config>(&text)
        };
        let config = read(r#"{"domain":"b.example.org","secret":"hush-hush","token_sha256":""}"#)
            .expect("it reads");
        assert!(!format!("{config:?}").contains("hush-hush"));
        assert!(
            config
                .bounces
                .is_some_and(|bounces| !bounces.mailbox_counts)
        );
        assert!(read(r#"{"domain":"b.example.org"}"#).is_err());
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = r#"{"host":"mail.example.org","from":"a@example.org","passwort":"x"}"#;
        assert!(serde_json::from_str::<Config>(text).is_err());
    }
}
