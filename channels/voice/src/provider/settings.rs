//! What an operator writes for a provider. This module must not show a secret: `Debug` masks them.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{FailureClass, Secret};
use serde::Deserialize;
use serde_json::Value;

use super::template;
use crate::config::{ConfigError, seconds};
use crate::verdict::Miss;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    pub url: String,
    /// The account's key, for `{secret}`; ours for the ids that we give.
    pub secret: Secret,
    /// Header names and templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The request: every string in it is a template.
    pub body: Value,
    /// As a form instead of JSON.
    #[serde(default)]
    pub form: bool,
    /// What is put before a number.
    #[serde(default)]
    pub dial_prefix: String,
    /// How long an answer may take, in seconds.
    #[serde(default = "timeout", deserialize_with = "seconds")]
    pub timeout: Duration,
    /// The longest message, in seconds, at five letters a second.
    #[serde(default = "longest", deserialize_with = "seconds")]
    pub longest: Duration,
    pub answer: AnswerShape,
    pub callback: CallbackShape,
}

/// Where in the answer what stands, as JSON pointers: `/data/callId`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerShape {
    /// The call's id.
    pub call: String,
    /// The provider's own code, where it has one.
    pub code: Option<String>,
    /// The codes that mean taken; empty: any that has an id.
    #[serde(default)]
    pub ok: Vec<String>,
    /// What other codes mean; one that is not here is transient.
    #[serde(default)]
    pub classes: BTreeMap<String, FailureClass>,
}

/// Where in the provider's own call what stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackShape {
    /// The secret path below `/v1/channels/NAME/`.
    pub path: Secret,
    /// The call's id, as the answer gave it.
    pub call: Option<String>,
    /// Our own `{id}`, where the provider sends it back: proves that the call is ours.
    pub id: Option<String>,
    pub status: String,
    /// What the provider's statuses mean.
    pub statuses: BTreeMap<String, Word>,
    /// How long somebody listened, in seconds.
    pub seconds: Option<String>,
    /// The keys that were pressed.
    pub key: Option<String>,
    /// What the provider wants to read.
    #[serde(default)]
    pub reply: String,
}

/// What a status means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    Ringing,
    Answered,
    #[serde(untagged)]
    Missed(Miss),
}

impl ProviderConfig {
    /// Whether the request names this placeholder.
    pub(crate) fn wants(&self, name: &str) -> bool {
        template::names(&self.body).contains(&name)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !(self.url.starts_with("https://") || self.url.starts_with("http://127.0.0.1")) {
            return wrong("url", "is not https; numbers and texts go there");
        }
        if self.secret.expose().is_empty() {
            return wrong("secret", "is empty; set the account's key");
        }
        if self.callback.path.expose().len() < 16 {
            let why = "is shorter than 16 characters; set 16 random bytes in hex";
            return wrong("callback.path", why);
        }
        if self.timeout.is_zero() || self.longest.is_zero() {
            return wrong("timeout", "or `longest` is zero; set seconds");
        }
        self.check_places()?;
        self.check_pointers()
    }

    fn check_places(&self) -> Result<(), ConfigError> {
        if !self.body.is_object() {
            return wrong("body", "is no table; write the provider's fields");
        }
        let heads = self.headers.values();
        let unknown = template::names(&self.body)
            .into_iter()
            .chain(heads.flat_map(|text| template::names_in(text)))
            .find(|name| !template::NAMES.contains(name));
        if let Some(name) = unknown {
            let known = template::NAMES.join(", ");
            let why = format!("or `headers` name {{{name}}}; there are {known}");
            return wrong("body", &why);
        }
        if !self.wants("number") {
            return wrong("body", "does not name {number}");
        }
        if self.callback.id.is_some() && !self.wants("id") {
            let why = "does not name {id}, which the callback is to send back";
            return wrong("body", why);
        }
        Ok(())
    }

    fn check_pointers(&self) -> Result<(), ConfigError> {
        let callback = &self.callback;
        if callback.call.is_some() == callback.id.is_some() {
            return wrong("callback", "names not exactly one of `call` and `id`");
        }
        if callback.statuses.is_empty() {
            let why = "is empty; say what the provider's statuses mean";
            return wrong("callback.statuses", why);
        }
        let perhaps = [
            &self.answer.code,
            &callback.call,
            &callback.id,
            &callback.seconds,
            &callback.key,
        ];
        let mut pointers = [&self.answer.call, &callback.status]
            .into_iter()
            .chain(perhaps.into_iter().flatten());
        if pointers.any(|pointer| !pointer.starts_with('/')) {
            let why = "or `callback` has a pointer that does not begin with /";
            return wrong("answer", why);
        }
        Ok(())
    }
}

fn wrong(key: &'static str, why: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Provider {
        key,
        why: why.to_owned(),
    })
}

const fn timeout() -> Duration {
    Duration::from_secs(10)
}

const fn longest() -> Duration {
    Duration::from_secs(20)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape() -> Value {
        json!({
            "url": "https://calls.example.org/v1/call", "secret": "account-key",
            "headers": {"authorization": "Bearer {secret}"},
            "body": {"to": "{number}", "say": ["{text}"], "ref": "{id}"},
            "answer": {"call": "/id"},
            "callback": {"path": "0123456789abcdef", "id": "/ref", "status": "/s", "statuses":
                {"0": "answered", "1": "ringing", "2": "busy", "3": "no-answer"}},
        })
    }

    fn refused(pointer: &str, value: Value) -> String {
        let mut shape = shape();
        *shape.pointer_mut(pointer).unwrap() = value;
        let config: ProviderConfig = serde_json::from_value(shape).unwrap();
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn a_shape_is_read_and_never_shows_its_secrets() {
        let config: ProviderConfig = serde_json::from_value(shape()).unwrap();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.callback.statuses["0"], Word::Answered);
        assert_eq!(config.callback.statuses["3"], Word::Missed(Miss::NoAnswer));
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("account-key") && !shown.contains("0123456789"),
            "{shown}"
        );
        let mut wrong = shape();
        wrong["callback"]["statuses"]["4"] = json!("gone");
        assert!(serde_json::from_value::<ProviderConfig>(wrong).is_err());
    }

    #[test]
    fn every_wrong_setting_is_named() {
        for (pointer, value, named) in [
            ("/url", json!("http://calls.example.org"), "`provider.url`"),
            ("/secret", json!(""), "`provider.secret`"),
            ("/callback/path", json!("short"), "`provider.callback.path`"),
            ("/body", json!("x"), "`provider.body`"),
            ("/body/to", json!("x"), "{number}"),
            ("/body/ref", json!("x"), "{id}"),
            ("/body/say", json!("{name}"), "{name}"),
            ("/headers/authorization", json!("{key}"), "{key}"),
            (
                "/callback/statuses",
                json!({}),
                "`provider.callback.statuses`",
            ),
            ("/callback/id", json!(null), "`call` and `id`"),
            ("/callback/status", json!("s"), "begin with /"),
        ] {
            let message = refused(pointer, value);
            assert!(message.contains(named), "{pointer}: {message}");
        }
    }
}
