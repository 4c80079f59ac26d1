//! What an operator writes for one loudspeaker channel. This module must not show a secret: `Debug` masks both.

use std::time::Duration;

pub use channel::Secret;
use serde::{Deserialize, Deserializer};

use crate::mqtt::{Broker, BrokerError};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The gateway's name as controllers know it; stands in every order.
    pub gateway: String,
    /// The ids of orders are proved by this.
    pub secret: Secret,
    /// Seed of the Ed25519 key that signs the orders, 32 bytes in hex.
    pub seed: Secret,
    /// How long an order may lie unfetched before the attempt is given up, in seconds.
    #[serde(default = "fetch_timeout", deserialize_with = "seconds")]
    pub fetch_timeout: Duration,
    /// How long after the gateway's start devices are given to come back, in seconds: no order is given up before.
    #[serde(default = "returning", deserialize_with = "seconds")]
    pub returning: Duration,
    /// A device not heard for this long is reported silent, in seconds.
    #[serde(default = "silent_after", deserialize_with = "seconds")]
    pub silent_after: Duration,
    /// How often a controller plays the text.
    #[serde(default = "repeats")]
    pub repeats: u32,
    /// How many orders may wait for one device.
    #[serde(default = "queue")]
    pub queue: usize,
    /// Of the kind that speaks MQTT: where its broker is.
    pub broker: Option<Broker>,
}

impl Config {
    /// A configuration with every default.
    pub fn new(gateway: impl Into<String>, secret: Secret, seed: Secret) -> Self {
        Self {
            gateway: gateway.into(),
            secret,
            seed,
            fetch_timeout: fetch_timeout(),
            returning: returning(),
            silent_after: silent_after(),
            repeats: repeats(),
            queue: queue(),
            broker: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.gateway.is_empty() {
            return Err(ConfigError::Empty("gateway"));
        }
        // 16 bytes is the least that no one tries out.
        if self.secret.expose().len() < 16 {
            return Err(ConfigError::ShortSecret);
        }
        if self.repeats == 0 {
            return Err(ConfigError::Empty("repeats"));
        }
        if self.queue == 0 {
            return Err(ConfigError::Empty("queue"));
        }
        if self.silent_after.is_zero() {
            return Err(ConfigError::Empty("silent_after"));
        }
        Ok(())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("loudspeaker: `{0}` is empty or zero; set it")]
    Empty(&'static str),
    #[error("loudspeaker: `secret` is shorter than 16 characters; set 32 random bytes in hex")]
    ShortSecret,
    #[error("loudspeaker: `seed` is not 32 bytes in hex; set 32 random bytes in hex")]
    BadSeed,
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

fn fetch_timeout() -> Duration {
    Duration::from_secs(20)
}

fn returning() -> Duration {
    Duration::from_secs(10)
}

fn silent_after() -> Duration {
    Duration::from_secs(90)
}

fn repeats() -> u32 {
    2
}

fn queue() -> usize {
    64
}

pub(crate) fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(d)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_takes_defaults_and_never_shows_its_secrets() {
        let text =
            r#"{"gateway":"g","secret":"0123456789abcdef","seed":"5eed","fetch_timeout":1.5}"#;
        let config: Config = serde_json::from_str(text).expect("it reads");
        assert_eq!(config.fetch_timeout, Duration::from_millis(1500));
        assert_eq!((config.repeats, config.queue), (2, 64));
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("0123456789abcdef") && !shown.contains("5eed"),
            "{shown}"
        );
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = r#"{"gateway":"g","secret":"0123456789abcdef","seed":"","fetch_time":1}"#;
        assert!(serde_json::from_str::<Config>(text).is_err());
    }
}
