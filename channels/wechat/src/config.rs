//! What an operator writes for each of the three kinds. This module must not open anything: it only says whether the keys
//! make sense; and it must not show a secret: `Debug` masks them.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{Acknowledge, Secret};
use serde::Deserialize;

use crate::crypt::AesKey;
use crate::fields::Fields;

/// What is wrong with the keys, and with which.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("wechat: {key} {why}")]
pub struct ConfigError {
    pub key: &'static str,
    pub why: &'static str,
}

/// A service account (公众号) that sends template messages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    #[serde(default = "account_api")]
    pub api: String,
    pub appid: String,
    pub secret: Secret,
    /// The id of the template, from the account's page.
    pub template: String,
    /// The template's fields, as it names them, and what stands in each.
    pub fields: BTreeMap<String, String>,
    /// What opens when the message is touched; `{alert}` is the alert's number.
    pub url: Option<String>,
    #[serde(default = "twenty")]
    pub connections: usize,
    #[serde(default = "ten")]
    pub timeout_seconds: u64,
    pub callback: Option<Callback>,
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// The keys of menu entries that acknowledge.
    #[serde(default = "received")]
    pub acknowledge_keys: Vec<String>,
    /// The words by which a person undoes a binding.
    #[serde(default = "leave")]
    pub undo: Acknowledge,
}

/// An application of a WeCom corporation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkConfig {
    #[serde(default = "work_api")]
    pub api: String,
    pub corpid: String,
    pub secret: Secret,
    pub agent: u64,
    /// How many members one request names.
    #[serde(default = "thousand")]
    pub members: usize,
    /// A button below the message by which members acknowledge it; without one they write back.
    pub button: Option<String>,
    /// For so long the far end drops the same request again; 0: never.
    #[serde(default = "half_an_hour")]
    pub duplicate_check_seconds: u64,
    #[serde(default = "four")]
    pub connections: usize,
    #[serde(default = "ten")]
    pub timeout_seconds: u64,
    pub callback: Option<Callback>,
    #[serde(default)]
    pub acknowledge: Acknowledge,
    #[serde(default = "received")]
    pub acknowledge_keys: Vec<String>,
}

/// Robots of WeCom groups; officers only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RobotConfig {
    #[serde(default = "work_api")]
    pub api: String,
    /// Each group's name in the registry, and the key of its robot.
    pub robots: BTreeMap<String, Secret>,
    /// Everybody in the group is called by name (@所有人).
    #[serde(default)]
    pub mention_all: bool,
    #[serde(default = "ten")]
    pub timeout_seconds: u64,
}

/// What the far end's own calls are proved with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    pub token: Secret,
    /// The 43 characters of the safe mode (安全模式). Without it calls come in plain.
    pub aes_key: Option<Secret>,
    /// How far a call's time may be from ours.
    #[serde(default = "five_minutes")]
    pub window_seconds: u64,
}

fn account_api() -> String {
    "https://api.weixin.qq.com".to_owned()
}
fn work_api() -> String {
    "https://qyapi.weixin.qq.com".to_owned()
}
fn received() -> Vec<String> {
    vec!["received".to_owned()]
}
fn leave() -> Acknowledge {
    Acknowledge::new(["解绑", "退订"].map(str::to_owned))
}
const fn four() -> usize {
    4
}
const fn ten() -> u64 {
    10
}
const fn twenty() -> usize {
    20
}
const fn thousand() -> usize {
    1_000
}
const fn half_an_hour() -> u64 {
    1_800
}
const fn five_minutes() -> u64 {
    300
}

type Rule = (bool, &'static str, &'static str);

fn first<const N: usize>(rules: [Rule; N]) -> Result<(), ConfigError> {
    match rules.into_iter().find(|(holds, ..)| !holds) {
        Some((_, key, why)) => Err(ConfigError { key, why }),
        None => Ok(()),
    }
}

/// Over the network only with TLS: the token is in the address of every request.
fn is_safe(api: &str) -> bool {
    let here = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
    !api.ends_with('/') && (api.starts_with("https://") || here.iter().any(|h| api.starts_with(h)))
}

fn api(url: &str) -> Rule {
    (
        is_safe(url),
        "api",
        "must begin with https:// and end without a slash",
    )
}

fn timeout(seconds: u64) -> Rule {
    (
        (1..=60).contains(&seconds),
        "timeout_seconds",
        "must be 1 to 60",
    )
}

fn connections(number: usize) -> Rule {
    (
        (1..=100).contains(&number),
        "connections",
        "must be 1 to 100",
    )
}

fn acknowledge(words: &Acknowledge) -> Rule {
    (
        words.is_valid(),
        "acknowledge",
        "has a word without a letter or digit, which every empty text would be",
    )
}

impl AccountConfig {
    pub fn validate(&self) -> Result<(), ConfigError> {
        Fields::new(&self.fields)?;
        self.callback.as_ref().map_or(Ok(()), Callback::validate)?;
        first([
            api(&self.api),
            timeout(self.timeout_seconds),
            connections(self.connections),
            acknowledge(&self.acknowledge),
            (
                !self.appid.is_empty(),
                "appid",
                "is empty: the account's page shows it",
            ),
            (
                !self.secret.expose().is_empty(),
                "secret",
                "is empty: the account's page makes it",
            ),
            (
                !self.template.is_empty(),
                "template",
                "is empty: the account's page shows the template's id",
            ),
            (
                self.undo.is_valid(),
                "undo",
                "has a word without a letter or digit, which every empty text would be",
            ),
            (
                self.url
                    .as_ref()
                    .is_none_or(|url| url.starts_with("https://")),
                "url",
                "must begin with https://",
            ),
        ])
    }
}

impl WorkConfig {
    pub fn validate(&self) -> Result<(), ConfigError> {
        let called = self.callback.as_ref();
        called.map_or(Ok(()), Callback::validate)?;
        first([
            api(&self.api),
            timeout(self.timeout_seconds),
            connections(self.connections),
            acknowledge(&self.acknowledge),
            (
                !self.corpid.is_empty(),
                "corpid",
                "is empty: the corporation's page shows it",
            ),
            (
                !self.secret.expose().is_empty(),
                "secret",
                "is empty: the application's page shows it",
            ),
            (
                (1..=1_000).contains(&self.members),
                "members",
                "must be 1 to 1000",
            ),
            (
                self.duplicate_check_seconds <= 14_400,
                "duplicate_check_seconds",
                "must be at most 14400, four hours",
            ),
            (
                called.is_none_or(|callback| callback.aes_key.is_some()),
                "callback.aes_key",
                "is missing: WeCom always encrypts its calls",
            ),
            (
                self.button.is_none() || called.is_some(),
                "button",
                "needs a callback: nobody would be told who pressed it",
            ),
            (
                self.button
                    .as_ref()
                    .is_none_or(|b| (1..=10).contains(&b.chars().count())),
                "button",
                "must have 1 to 10 characters",
            ),
        ])
    }
}

impl RobotConfig {
    pub fn validate(&self) -> Result<(), ConfigError> {
        let names = self.robots.keys();
        first([
            api(&self.api),
            timeout(self.timeout_seconds),
            (
                !self.robots.is_empty(),
                "robots",
                "is empty: give a name and a key for each group",
            ),
            (
                names.clone().all(|name| (1..=64).contains(&name.len())),
                "robots",
                "has a name that is empty or longer than 64 bytes",
            ),
            (
                self.robots.values().all(|key| !key.expose().is_empty()),
                "robots",
                "has an empty key: it stands behind key= in the robot's address",
            ),
        ])
    }
}

impl Callback {
    fn validate(&self) -> Result<(), ConfigError> {
        let key = self.aes_key.as_ref();
        first([
            (
                !self.token.expose().is_empty(),
                "callback.token",
                "is empty: choose one on the far end's page",
            ),
            (
                key.is_none_or(|key| AesKey::new(key.expose()).is_some()),
                "callback.aes_key",
                "must be the 43 letters and digits that the far end's page shows",
            ),
            (
                (30..=3_600).contains(&self.window_seconds),
                "callback.window_seconds",
                "must be 30 to 3600",
            ),
        ])
    }

    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.window_seconds)
    }
}
