//! One request to the far end and what its answer says. This module must not keep a word of an answer but its codes and
//! ids.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use channel::http::HttpError;
use channel::{Context, Failure, FailureClass, Request};
use parking_lot::Mutex;
use serde_json::Value;

use crate::errcode::{self, House, Meaning, meaning};

/// Unknown codes that are told once each.
const TOLD: usize = 64;

pub(crate) struct Far {
    pub house: House,
    base: String,
    timeout: Duration,
    pub context: Context,
    unknown: Mutex<BTreeSet<i64>>,
}

/// An answer: its code, and what stands beside it.
pub(crate) struct Answer {
    pub code: i64,
    pub json: Value,
}

impl Answer {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.json
            .get(name)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// An id, whether it came as a number or as a text.
    pub fn id(&self, name: &str) -> Option<String> {
        let id = match self.json.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        ((1..=128).contains(&id.len()) && id.bytes().all(good)).then_some(id)
    }
}

impl Far {
    pub fn new(house: House, base: &str, timeout_seconds: u64, context: Context) -> Self {
        Self {
            house,
            base: base.to_owned(),
            timeout: Duration::from_secs(timeout_seconds),
            context,
            unknown: Mutex::default(),
        }
    }

    fn word(&self, what: &str) -> String {
        format!("{}:{what}", self.house.prefix())
    }

    pub async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer, Failure> {
        let request = Request {
            method: "POST".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
            ..Request::default()
        };
        self.ask(path, query, request).await
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let request = Request {
            method: "GET".to_owned(),
            ..Request::default()
        };
        self.ask(path, query, request).await
    }

    async fn ask(
        &self,
        path: &str,
        query: &[(&str, &str)],
        request: Request,
    ) -> Result<Answer, Failure> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let request = Request {
            query: query.iter().map(owned).collect(),
            ..request
        };
        let url = format!("{}{path}", self.base);
        let call = self.context.http.call(&url, request);
        let reply = match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(HttpError::Connect(_))) => {
                let detail = "no connection to the far end; check api, route and certificates";
                return Err(Failure::new(
                    FailureClass::LinkDown,
                    self.word("connect"),
                    detail,
                ));
            }
            Ok(Err(HttpError::Lost(_))) | Err(_) => {
                let detail = "the far end did not answer in time, or not whole; it may have taken the message";
                return Err(Failure::new(
                    FailureClass::InDoubt,
                    self.word("no-answer"),
                    detail,
                ));
            }
        };
        let json = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .filter(Value::is_object);
        match (reply.status, json) {
            (200, Some(json)) => {
                let code = json.get("errcode").map_or(Some(0), Value::as_i64);
                let code = code.ok_or_else(|| self.garbled())?;
                self.tell_unknown(code);
                Ok(Answer { code, json })
            }
            (200, None) => Err(self.garbled()),
            (status, _) => {
                let class = match status {
                    429 => FailureClass::Throttled,
                    400..=499 => FailureClass::LinkDown,
                    _ => FailureClass::Transient,
                };
                let detail = "the far end, or something before it, refused the request as a whole";
                Err(Failure::new(
                    class,
                    self.word(&format!("http-{status}")),
                    detail,
                ))
            }
        }
    }

    fn garbled(&self) -> Failure {
        let detail = "the far end's answer cannot be read; it may have taken the message";
        Failure::new(FailureClass::InDoubt, self.word("garbled"), detail)
    }

    /// What an answer's code means for a message; `None`: it was taken.
    pub fn failure(&self, answer: &Answer) -> Option<Failure> {
        errcode::failure(self.house, answer.code)
    }

    /// The codes in no table that were met so far.
    pub fn unknown(&self) -> Vec<i64> {
        self.unknown.lock().iter().copied().collect()
    }

    fn tell_unknown(&self, code: i64) {
        if meaning(self.house, code) != Meaning::Unknown {
            return;
        }
        let mut unknown = self.unknown.lock();
        if unknown.len() < TOLD && unknown.insert(code) {
            tracing::error!(
                channel = self.context.name,
                code,
                "the far end answers with an errcode that is in no table"
            );
        }
    }
}
