//! The shape of a provider, as an operator writes it: how a request is built and signed, where in the answer the outcome
//! stands, how its callbacks look. This module must not open anything: it only says whether the keys make sense.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use channel::{FailureClass, Secret};
use serde::Deserialize;
use serde_json::Value;

use super::template;
use crate::config::{ConfigError, defaults, first};
use crate::receipt::Stats;
use crate::reply::Acknowledge;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    pub url: String,
    #[serde(default)]
    pub sign: Sign,
    /// Goes into the query.
    #[serde(default)]
    pub query: Value,
    /// Goes as JSON.
    #[serde(default)]
    pub body: Value,
    /// The JSON goes as base64, and not as itself.
    #[serde(default)]
    pub base64: bool,
    #[serde(default)]
    pub numbers: Numbers,
    pub answer: Answer,
    /// What the provider's codes mean, by their longest prefix.
    #[serde(default)]
    pub codes: BTreeMap<String, FailureClass>,
    pub callback: Option<Callback>,
    /// Characters in each of `{text.1}`, `{text.2}`, …
    #[serde(default = "defaults::slice")]
    pub slice: usize,
    /// Requests under way at once.
    #[serde(default = "defaults::eight")]
    pub connections: usize,
    #[serde(default = "defaults::ten")]
    pub answer_timeout_seconds: u64,
    #[serde(default = "defaults::ten_segments")]
    pub max_segments: u8,
    #[serde(default)]
    pub stats: Stats,
    #[serde(default)]
    pub acknowledge: Acknowledge,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "method", deny_unknown_fields)]
pub enum Sign {
    #[default]
    #[serde(rename = "none")]
    None,
    #[serde(rename = "acs3-hmac-sha256")]
    Acs3 {
        key: String,
        secret: Secret,
        action: String,
        version: String,
    },
    #[serde(rename = "tc3-hmac-sha256")]
    Tc3 {
        key: String,
        secret: Secret,
        service: String,
        action: String,
        version: String,
        region: String,
    },
    /// The fields of the body whose values are hashed, in order, with the secret behind the second; it goes as `mac`.
    #[serde(skip)]
    Mas {
        secret: Secret,
        fields: Vec<&'static str>,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// In one request.
    #[serde(default = "defaults::one_connection")]
    pub most: usize,
    #[serde(default)]
    pub country: Country,
    /// What stands between them; without it they are a list.
    #[serde(default)]
    pub joined: String,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            most: 1,
            country: Country::default(),
            joined: String::new(),
        }
    }
}

/// How a number of the country is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Country {
    /// Eleven digits.
    #[default]
    Without,
    /// `+86` before them.
    Plus,
}

/// Where the outcome stands, as JSON pointers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub code: String,
    /// The codes that mean taken.
    pub ok: Vec<String>,
    /// One id for all numbers of a request; a receipt names it and a number.
    #[serde(default)]
    pub group: Option<String>,
    /// Or a list with an outcome for each number.
    #[serde(default)]
    pub each: Option<Each>,
    /// Where a code stands when the whole request was refused, if elsewhere.
    #[serde(default)]
    pub error: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    pub list: String,
    pub number: String,
    pub code: String,
    pub id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The path that only the provider knows.
    pub secret: Secret,
    /// Who may call; empty is anybody who knows the path.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// The header in which the proxy before the gateway tells who calls.
    #[serde(default)]
    pub address_header: String,
    pub receipts: Receipts,
    #[serde(default)]
    pub uplinks: Option<Uplinks>,
    /// What is answered.
    pub answer: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// Where the list stands; one receipt alone is a list of one.
    #[serde(default)]
    pub list: String,
    pub id: String,
    pub number: String,
    pub state: String,
    /// What stands there for a text that arrived, and for one that never will; anything else is on its way. Where
    /// `failed` is empty, whatever has not arrived never will.
    pub delivered: Vec<String>,
    #[serde(default)]
    pub failed: Vec<String>,
    /// The code that says why.
    pub code: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uplinks {
    #[serde(default)]
    pub list: String,
    pub number: String,
    pub text: String,
    #[serde(default)]
    pub to: String,
}

impl HttpConfig {
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check_template()?;
        self.check_figures()?;
        self.callback.as_ref().map_or(Ok(()), Callback::validate)
    }

    fn check_template(&self) -> Result<(), ConfigError> {
        let mut names = Vec::new();
        template::names(&self.query, &mut names);
        template::names(&self.body, &mut names);
        let has = |one: &str| names.iter().any(|name| name == one);
        let texts =
            has("text") || has("signed") || has("title") || template::slices(&names).is_some();
        first([
            (
                self.url.starts_with("https://") || self.url.starts_with("http://"),
                "url",
                "must begin with https:// or http://",
            ),
            (
                !self.url.contains('?'),
                "url",
                "has a query; write it under query",
            ),
            (
                names.iter().all(|name| template::is_known(name)),
                "body",
                "or query has a name in braces that means nothing; there are {text}, {text.1} …, {signed}, {signature}, {title}, {template}, {numbers}",
            ),
            (
                has("numbers"),
                "body",
                "and query name no {numbers}: nobody would get it",
            ),
            (
                texts,
                "body",
                "and query name no {text}: nothing would be said",
            ),
        ])
    }

    fn check_figures(&self) -> Result<(), ConfigError> {
        first([
            (self.numbers.most > 0, "numbers.most", "must be at least 1"),
            (
                !self.answer.ok.is_empty(),
                "answer.ok",
                "is empty: nothing would ever be taken",
            ),
            (
                self.answer.group.is_some() != self.answer.each.is_some(),
                "answer",
                "needs group or each, and not both",
            ),
            (
                (1..=256).contains(&self.connections),
                "connections",
                "must be 1 to 256",
            ),
            (
                self.answer_timeout_seconds > 0,
                "answer_timeout_seconds",
                "must be at least 1",
            ),
            (self.slice > 0, "slice", "must be at least 1"),
            (self.max_segments > 0, "max_segments", "must be at least 1"),
            (
                self.stats.is_valid(),
                "stats",
                "has an empty prefix, which would be every code",
            ),
            (
                !self.codes.contains_key(""),
                "codes",
                "has an empty prefix, which would be every code",
            ),
            (
                self.acknowledge.is_valid(),
                "acknowledge",
                "has a word without a letter or digit, which every empty text would be",
            ),
        ])
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        Duration::from_secs(self.answer_timeout_seconds)
    }
}

impl Callback {
    fn validate(&self) -> Result<(), ConfigError> {
        let secret = self.secret.expose();
        let plain = secret
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        first([
            (
                secret.len() >= 32 && plain,
                "callback.secret",
                "must be at least 32 letters, digits, - and _: `openssl rand -hex 32`",
            ),
            (
                self.addresses.is_empty() || !self.address_header.is_empty(),
                "callback.address_header",
                "is missing: the proxy before the gateway tells in it who calls",
            ),
        ])
    }
}
