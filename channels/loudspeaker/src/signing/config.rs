//! The words of one signer, which every kind that signs has. This module must not show a key: `Debug` masks it.

use std::sync::Arc;
use std::time::Duration;

use channel::{HttpClient, Secret};
use serde::Deserialize;

use super::signer::{Command, Device, Nobody, Order, PublicKey, Signer, SignerError, Software};
use super::value::Serial;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SignerConfig {
    None {},
    Sm2 {
        /// The private key, 64 hex digits.
        key: Secret,
        /// The far end's public key, 130 hex digits from 04.
        peer: Option<String>,
        /// Of the certificate, 12 hex digits.
        serial: String,
        #[serde(default = "user")]
        user: String,
        #[serde(default)]
        order: Order,
    },
    /// Either may carry a PIN.
    Command {
        argv: Vec<Secret>,
    },
    Http {
        url: Secret,
    },
}

impl Default for SignerConfig {
    fn default() -> Self {
        Self::None {}
    }
}

impl SignerConfig {
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None {})
    }

    /// It cannot tell a signature of the far end's from another.
    pub const fn is_blind(&self) -> bool {
        matches!(self, Self::None {} | Self::Sm2 { peer: None, .. })
    }

    /// A device that does not answer within `patience` is away.
    pub fn signer(
        &self,
        http: &HttpClient,
        patience: Duration,
    ) -> Result<Arc<dyn Signer>, SignerError> {
        Ok(match self {
            Self::None {} => Arc::new(Nobody),
            Self::Sm2 {
                key,
                peer,
                serial,
                user,
                order,
            } => {
                let serial = six(serial).ok_or(SignerError::Serial)?;
                Arc::new(Software::new(key, peer.as_deref(), user, serial, *order)?)
            }
            Self::Command { argv } if argv.is_empty() => return Err(SignerError::Command),
            Self::Command { argv } => Arc::new(Command {
                argv: argv.iter().map(|word| word.expose().to_owned()).collect(),
                patience,
            }),
            Self::Http { url } => Arc::new(Device {
                url: url.expose().to_owned(),
                http: http.clone(),
                patience,
            }),
        })
    }

    /// Of one of several far ends, each of which has its own key.
    pub fn public_key(&self, point: &str) -> Result<PublicKey, SignerError> {
        match self {
            Self::Sm2 { user, order, .. } => PublicKey::new(point, user, *order),
            _ => Err(SignerError::NotSm2),
        }
    }
}

/// Twelve hex digits.
pub fn six(text: &str) -> Option<Serial> {
    hex::decode(text).ok()?.try_into().ok()
}

fn user() -> String {
    "1234567812345678".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";

    fn read(json: &str) -> Result<SignerConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_is_read_and_a_word_that_is_not_its_own_is_refused() {
        let sm2 = format!(r#"{{"kind":"sm2","key":"{KEY}","serial":"000000003363"}}"#);
        let sm2 = read(&sm2).expect("it reads");
        assert!(sm2.is_blind() && !sm2.is_none());
        let command = read(r#"{"kind":"command","argv":["sign"]}"#).expect("it reads");
        assert!(!command.is_blind() && read(r#"{"kind":"none"}"#).expect("it reads").is_none());
        for (json, said) in [
            (r#"{"kind":"none","key":"1"}"#, "unknown field"),
            (r#"{"kind":"http","url":"u","user":"1"}"#, "unknown field"),
            (r#"{"kind":"sm3"}"#, "unknown variant"),
            (r#"{"kind":"sm2","key":"1"}"#, "serial"),
        ] {
            let why = read(json).expect_err(json);
            assert!(why.contains(said), "{why}");
        }
        assert!(!format!("{sm2:?}").contains(KEY), "{sm2:?}");
        let http = read(r#"{"kind":"http","url":"http://operator:pin@device.example/"}"#);
        let argv = read(r#"{"kind":"command","argv":["sign","--pin","pin"]}"#);
        let shown = format!("{http:?}{argv:?}");
        assert!(
            http.is_ok() && argv.is_ok() && !shown.contains("pin"),
            "{shown}"
        );
    }

    #[test]
    fn a_key_or_a_certificate_that_is_none_is_named() {
        let http = channel::testing::context("signer").0.http;
        let made = |json: &str| {
            let made = read(json).expect("it reads").signer(&http, Duration::ZERO);
            made.map(|_| ()).map_err(|error| error.to_string())
        };
        let sm2 = |key: &str, serial: &str, peer: &str| {
            let peer =
                format!(r#"{{"kind":"sm2","key":"{key}","serial":"{serial}","peer":"{peer}"}}"#);
            made(&peer).expect_err("it is wrong")
        };
        assert!(sm2("1", "000000003363", "04").contains("private key of SM2"));
        assert!(sm2(KEY, "3363", "04").contains("`serial` must be"));
        assert!(sm2(KEY, "000000003363", "04").contains("public key of SM2"));
        let none = made(r#"{"kind":"command","argv":[]}"#);
        assert!(none.is_err_and(|why| why.contains("`argv`")));
        let none = SignerConfig::default().public_key("04");
        assert_eq!(none.err(), Some(SignerError::NotSm2));
    }
}
