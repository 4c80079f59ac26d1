//! A controller's side of the calls: poll, report, heartbeat. For the peer and the reference controller; it must not
//! decide what is played.

use std::time::Duration;

use channel::{HttpClient, Reply, Request, Timestamp};
use serde::{Deserialize, Serialize};

use crate::order::{Orders, Signed, Window};
use crate::report::{Heartbeat, Report};

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    #[error("calling the gateway: {0}")]
    Http(String),
    #[error("the gateway answered {0} to `{1}`")]
    Status(u16, &'static str),
    #[error("the gateway's answer to `{0}` is not what its protocol says")]
    Answer(&'static str),
}

/// One controller's line to its gateway.
#[derive(Clone)]
pub struct Line {
    http: HttpClient,
    /// Up to and with the channel: `http://host/v1/channels/speakers`.
    base: String,
    device: String,
    key: String,
}

impl Line {
    /// The client's timeout must be longer than the longest poll.
    pub fn new(http: HttpClient, base: &str, device: &str, key: &str) -> Self {
        Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            device: device.to_owned(),
            key: key.to_owned(),
        }
    }

    pub fn device(&self) -> &str {
        &self.device
    }

    /// Orders that `window` admits; empty when none came within `wait`.
    pub async fn poll(&self, window: &Window, wait: Duration) -> Result<Vec<Signed>, LineError> {
        let took: Vec<_> = window.took().iter().map(u64::to_string).collect();
        let query = vec![
            ("device".into(), self.device.clone()),
            ("after".into(), window.floor().to_string()),
            ("took".into(), took.join(",")),
            ("wait".into(), wait.as_secs().to_string()),
        ];
        let reply = self
            .call(
                "orders",
                Request {
                    method: "GET".into(),
                    query,
                    ..Request::default()
                },
            )
            .await?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body)
                .map(|orders: Orders| orders.orders)
                .map_err(|_| LineError::Answer("orders")),
            204 => Ok(Vec::new()),
            other => Err(LineError::Status(other, "orders")),
        }
    }

    pub async fn report(&self, report: &Report) -> Result<(), LineError> {
        self.post("reports", report).await.map(drop)
    }

    /// Gives the gateway's time.
    pub async fn heartbeat(&self, beat: &Heartbeat) -> Result<Timestamp, LineError> {
        #[derive(Deserialize)]
        struct Answer {
            time: Timestamp,
        }
        let reply = self.post("heartbeats", beat).await?;
        serde_json::from_slice(&reply.body)
            .map(|answer: Answer| answer.time)
            .map_err(|_| LineError::Answer("heartbeats"))
    }

    async fn post(&self, name: &'static str, body: &impl Serialize) -> Result<Reply, LineError> {
        let body = serde_json::to_vec(body)
            .map_err(|_| LineError::Answer(name))?
            .into();
        let headers = vec![("content-type".into(), "application/json".into())];
        let reply = self
            .call(
                name,
                Request {
                    method: "POST".into(),
                    headers,
                    body,
                    ..Request::default()
                },
            )
            .await?;
        if reply.status == 200 {
            Ok(reply)
        } else {
            Err(LineError::Status(reply.status, name))
        }
    }

    async fn call(&self, name: &'static str, mut request: Request) -> Result<Reply, LineError> {
        request
            .headers
            .push(("authorization".into(), format!("Bearer {}", self.key)));
        let url = format!("{}/{name}", self.base);
        self.http
            .call(&url, request)
            .await
            .map_err(|e| LineError::Http(e.to_string()))
    }
}
