//! What an operator writes for one platform. This module must not show a secret, nor the duty phone: `Debug` masks them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use channel::{Address, HttpClient, Secret};
use serde::Deserialize;

use super::defaults::{
    address_header, answer, ask_after, connections, drill, heartbeat, held_alarm, inventory,
    issuer, logs, lost_after, masked, most_areas, oldest, seconds, yes,
};
use super::mapped::Terms;
use super::names::{is_digits, is_village};
use super::profile::{Edition, Profile};
use super::signature::Variant;
use crate::signing::{Serial, Signer, SignerConfig, SignerError, six};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where packets are posted to.
    pub url: String,
    /// The gateway's own resource code.
    pub ebrid: String,
    /// The platform's.
    pub platform: String,
    /// Others that may call here: its adapters and deputies.
    #[serde(default)]
    pub callers: Vec<String>,
    #[serde(default)]
    pub edition: Edition,
    /// `SentTime`, where the edition alone would say `SendTime`.
    pub sent_time: Option<bool>,
    /// Declarations of namespaces on each root.
    #[serde(default)]
    pub namespaces: bool,
    pub sender_name: String,
    pub sender_code: String,
    /// The `MsgType` of drills: 3 by the platform, 4 by its front ends, 5 by its terminals.
    #[serde(default = "drill")]
    pub drill: u8,
    /// Where the platform is told to call, as `SRC/URL`.
    pub callback_url: Option<String>,
    /// The last part of the path that it calls.
    pub secret: Option<Secret>,
    /// From where it may call; empty: from anywhere.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// In which header the proxy tells who calls.
    #[serde(default = "address_header")]
    pub address_header: String,
    /// Whoever keeps the platform, for a message that it holds.
    #[serde(default, deserialize_with = "masked")]
    pub duty_phone: Option<Address>,
    /// Terminals whose own code does not tell their village.
    #[serde(default)]
    pub terminal_areas: BTreeMap<String, String>,
    /// Whether a terminal's code tells its village, as the coding of 2018 has it.
    #[serde(default = "yes")]
    pub codes_tell_areas: bool,
    /// Areas in one message.
    #[serde(default = "most_areas")]
    pub most_areas: usize,
    /// Packets under way at once.
    #[serde(default = "connections")]
    pub connections: usize,
    #[serde(default = "answer", deserialize_with = "seconds")]
    pub answer_timeout: Duration,
    /// How often a heartbeat goes out; 0: never.
    #[serde(default = "heartbeat", deserialize_with = "seconds")]
    pub heartbeat: Duration,
    /// Silence after which the link counts as lost.
    #[serde(default = "lost_after", deserialize_with = "seconds")]
    pub lost_after: Duration,
    /// Silence about a message after which the platform is asked; 0: never.
    #[serde(default = "ask_after", deserialize_with = "seconds")]
    pub ask_after: Duration,
    /// How long the platform may hold a message before somebody is told.
    #[serde(default = "held_alarm", deserialize_with = "seconds")]
    pub held_alarm: Duration,
    /// How often the terminals are asked for; 0: never.
    #[serde(default = "inventory", deserialize_with = "seconds")]
    pub inventory: Duration,
    /// How often the log is asked for while a message stands, and once after its end; 0: never.
    #[serde(default = "logs", deserialize_with = "seconds")]
    pub logs: Duration,
    /// What the platform is told of this gateway where it asks (`EBRPSInfo`).
    #[serde(default)]
    pub about: About,
    /// How old a packet may be.
    #[serde(default = "oldest", deserialize_with = "seconds")]
    pub oldest: Duration,
    #[serde(default)]
    pub signer: FileSigner,
    /// Refuses what comes unsigned, or signed by another; heartbeats are taken all the same.
    #[serde(default)]
    pub verify: bool,
}

/// Empty where it is not told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    pub address: String,
    #[serde(deserialize_with = "masked")]
    pub contact: Option<Address>,
    #[serde(deserialize_with = "masked")]
    pub phone: Option<Address>,
    pub longitude: String,
    pub latitude: String,
}

/// Who signs, and how the file beside a document says so. What is no word of either, the signer's kind refuses.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct FileSigner {
    #[serde(flatten)]
    pub who: SignerConfig,
    #[serde(default)]
    pub variant: Variant,
    /// Who issued the certificate, 12 hex digits.
    #[serde(default = "issuer")]
    pub issuer: String,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("loudspeaker-ebd: `{key}` {why}")]
    Wrong {
        key: &'static str,
        why: &'static str,
    },
    #[error("loudspeaker-ebd: `signer`: {0}")]
    Signer(#[from] SignerError),
}

/// Whether it holds, of which key, and what it must be.
type Check = (bool, &'static str, &'static str);

const fn wrong(key: &'static str, why: &'static str) -> ConfigError {
    ConfigError::Wrong { key, why }
}

impl Config {
    pub fn profile(&self) -> Profile {
        let mut profile = Profile::of(self.edition);
        profile.sent_time = self.sent_time.unwrap_or(profile.sent_time);
        profile.namespaces = self.namespaces;
        profile
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            sender_name: self.sender_name.clone(),
            sender_code: self.sender_code.clone(),
            drill: self.drill,
            ebrid: self.profile().ebrid(),
        }
    }

    pub(super) fn may_call(&self, source: &str) -> bool {
        source == self.platform || self.callers.iter().any(|caller| caller == source)
    }

    fn is_ebrid(&self, id: &str) -> bool {
        id.len() == self.profile().ebrid() && is_digits(id)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let ids = [("ebrid", &self.ebrid), ("platform", &self.platform)];
        let callers = self.callers.iter().map(|id| ("callers", id));
        let mut ids = ids.into_iter().chain(callers);
        if let Some((key, _)) = ids.find(|(_, id)| !self.is_ebrid(id)) {
            let why = "must be digits: 23 of them, in the edition of 2016 18";
            return Err(wrong(key, why));
        }
        let mut checks = self.numbers().into_iter().chain(self.proofs());
        match checks.find(|(holds, ..)| !holds) {
            Some((_, key, why)) => Err(wrong(key, why)),
            None => Ok(()),
        }
    }

    fn numbers(&self) -> [Check; 11] {
        let url = self.url.starts_with("http://") || self.url.starts_with("https://");
        let some = |wait: Duration| !wait.is_zero();
        [
            (url, "url", "must begin with http:// or https://"),
            (
                self.ebrid != self.platform,
                "platform",
                "must not be the gateway's own code",
            ),
            (
                !self.sender_name.is_empty(),
                "sender_name",
                "must say who warns",
            ),
            (
                !self.sender_code.is_empty(),
                "sender_code",
                "must say who warns, by its code",
            ),
            ((3..=5).contains(&self.drill), "drill", "must be 3, 4 or 5"),
            (
                (1..=2_000).contains(&self.most_areas),
                "most_areas",
                "must be 1 to 2000",
            ),
            (
                (1..=64).contains(&self.connections),
                "connections",
                "must be 1 to 64",
            ),
            (
                some(self.answer_timeout),
                "answer_timeout",
                "must be more than nothing",
            ),
            (
                self.lost_after > self.heartbeat,
                "lost_after",
                "must be longer than `heartbeat`",
            ),
            (
                self.logs <= Duration::from_hours(1),
                "logs",
                "must be an hour at most: what has ended is forgotten after two",
            ),
            (
                some(self.held_alarm) && some(self.oldest),
                "held_alarm",
                "and `oldest` must be more than nothing",
            ),
        ]
    }

    /// By what a caller is believed.
    fn proofs(&self) -> [Check; 4] {
        let secret = self.secret.as_ref().map(Secret::expose);
        let fits = secret.is_none_or(|secret| secret.len() >= 16 && !secret.contains('/'));
        let proved = secret.is_some() || !self.addresses.is_empty() || self.verify;
        let blind = self.signer.who.is_blind();
        let areas = |(id, area): (&String, &String)| self.is_ebrid(id) && is_village(area);
        [
            (
                fits,
                "secret",
                "must be 16 characters or more, without a slash",
            ),
            (
                proved,
                "secret",
                "is missing: without it, `addresses` or `verify` anybody could report what was played",
            ),
            (
                !(self.verify && blind),
                "verify",
                "needs a signer that knows the platform's key",
            ),
            (
                self.terminal_areas.iter().all(areas),
                "terminal_areas",
                "must give each terminal the code of its village, 12 digits that do not end with 000",
            ),
        ]
    }

    pub(super) fn signer(&self, http: &HttpClient) -> Result<Arc<dyn Signer>, ConfigError> {
        Ok(self.signer.who.signer(http, self.answer_timeout)?)
    }

    /// How the signature's file is written, and who issued the certificate.
    pub(super) fn form(&self) -> Result<(Variant, Serial), ConfigError> {
        let FileSigner {
            who,
            variant,
            issuer,
        } = &self.signer;
        if who.is_none() {
            return Ok((Variant::B, [0; 6]));
        }
        let issuer = six(issuer).ok_or(wrong("signer.issuer", "must be 12 hex digits"))?;
        Ok((*variant, issuer))
    }
}
