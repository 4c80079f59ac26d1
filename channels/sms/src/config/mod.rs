//! What an operator writes for one account, one module a kind, and what all kinds share. These modules must not open
//! anything: they only say whether the keys make sense.

mod cmpp;
mod smpp;

use std::time::Duration;

use channel::Level;
pub use channel::Secret as Password;
use serde::Deserialize;

pub use cmpp::CmppConfig;
pub use smpp::{ReceiptId, SmppConfig};

/// Segments of the longest text, unless the settings say otherwise.
pub const MAX_SEGMENTS: u8 = 10;

/// What is wrong with the keys, and with which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("sms: {key} {why}")]
pub struct ConfigError {
    pub key: &'static str,
    pub why: &'static str,
}

/// How many bits join the parts of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "u8")]
pub enum Reference {
    #[default]
    Eight,
    Sixteen,
}

impl Reference {
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Sixteen)
    }
}

impl TryFrom<u8> for Reference {
    type Error = &'static str;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        match bits {
            8 => Ok(Self::Eight),
            16 => Ok(Self::Sixteen),
            _ => Err("a part reference has 8 or 16 bits"),
        }
    }
}

/// What a session needs to know of its account, whatever it speaks.
pub(crate) struct Line {
    pub host: String,
    pub port: u16,
    pub window: usize,
    pub connections: usize,
    /// How its keys call `quiet_seconds`.
    pub quiet_key: &'static str,
    pub quiet_seconds: u64,
    pub answer_timeout_seconds: u64,
    pub reconnect_min_millis: u64,
    pub reconnect_max_millis: u64,
    pub max_segments: u8,
    pub flash: Vec<Level>,
    /// Whether these tables make sense.
    pub stats: bool,
    pub acknowledge: bool,
}

type Rule = (bool, &'static str, &'static str);

impl Line {
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fits_window = (usize::from(self.max_segments)..=100_000).contains(&self.window);
        first([
            (!self.host.is_empty(), "host", "is empty: name the far end"),
            (self.port != 0, "port", "is 0: ask the carrier for its port"),
            (self.max_segments > 0, "max_segments", "must be at least 1"),
            (
                fits_window,
                "window",
                "must be at least max_segments, so that a long text fits it, and at most 100000",
            ),
            (
                (1..=64).contains(&self.connections),
                "connections",
                "must be 1 to 64",
            ),
            (self.quiet_seconds > 0, self.quiet_key, "must be at least 1"),
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
            (
                self.stats,
                "stats",
                "has an empty prefix, which would be every code",
            ),
            (
                self.acknowledge,
                "acknowledge",
                "has a word without a letter or digit, which every empty text would be",
            ),
        ])
    }

    pub fn answer_timeout(&self) -> Duration {
        Duration::from_secs(self.answer_timeout_seconds)
    }
}

/// The first rule that does not hold.
pub(crate) fn first<const N: usize>(rules: [Rule; N]) -> Result<(), ConfigError> {
    match rules.into_iter().find(|(holds, ..)| !holds) {
        Some((_, key, why)) => Err(ConfigError { key, why }),
        None => Ok(()),
    }
}

fn fits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

/// What stands where a key is left out.
pub(crate) mod defaults {
    pub const fn one() -> u8 {
        1
    }
    pub const fn one_connection() -> usize {
        1
    }
    pub const fn sixteen() -> usize {
        16
    }
    pub const fn hundred() -> usize {
        100
    }
    pub const fn thirty() -> u64 {
        30
    }
    pub const fn twenty() -> u64 {
        20
    }
    pub const fn ten() -> u64 {
        10
    }
    pub const fn five_hundred() -> u64 {
        500
    }
    pub const fn thirty_thousand() -> u64 {
        30_000
    }
    pub const fn yes() -> bool {
        true
    }
    pub const fn ten_segments() -> u8 {
        super::MAX_SEGMENTS
    }
    pub const fn eight() -> usize {
        8
    }
    /// Characters that a template's parameter holds at providers that limit them.
    pub const fn slice() -> usize {
        35
    }
    pub const fn mas_numbers() -> usize {
        1_000
    }
    pub const fn two() -> u8 {
        2
    }
    pub const fn cmpp_port() -> u16 {
        7890
    }
    pub fn free() -> String {
        "01".to_owned()
    }
    pub fn no_fee() -> String {
        "000000".to_owned()
    }
}
