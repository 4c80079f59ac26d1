//! A controller's side of the calls: enrol, poll, report, heartbeat, each signed with its own key, over HTTP or over a
//! broker. For the peer and the reference controller; it must not decide what is played.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use channel::{Clock, HttpClient, Reply, Request, Sound, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::{Call, DeviceKey};
use crate::mqtt::{Envelope, Pipe};
use crate::order::{Orders, Signed, Window};
use crate::report::{Heartbeat, Report};

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    #[error("calling the gateway: {0}")]
    Unheard(String),
    #[error("the gateway answered {status} {code} to `{call}`")]
    Refused {
        call: &'static str,
        status: u16,
        code: String,
    },
    #[error("the gateway's answer to `{0}` is not what its protocol says")]
    Answer(&'static str),
}

/// What a new device is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Welcome {
    pub device: String,
    pub gateway: String,
    pub keys: Keys,
    /// Counters up to this one are past.
    pub counter: u64,
    /// The channel's address, behind the gateway's own.
    pub address: String,
    /// Seconds between two heartbeats.
    pub heartbeat: u64,
}

/// The gateway's public keys, in hex.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Keys {
    pub live: String,
    pub drill: String,
}

impl Welcome {
    /// As a `Verifier` takes them.
    pub fn public_keys(&self) -> String {
        format!("{}{}", self.keys.live, self.keys.drill)
    }
}

/// One controller's line to its gateway.
#[derive(Clone)]
pub struct Line {
    way: Way,
    device: String,
    key: Arc<DeviceKey>,
    clock: Arc<dyn Clock>,
    /// How far the gateway's clock is ahead of ours, in milliseconds.
    ahead: Arc<AtomicI64>,
    /// When the newest call was made: their times rise.
    newest: Arc<AtomicI64>,
}

/// How a call reaches the gateway.
#[derive(Clone)]
enum Way {
    Api {
        http: HttpClient,
        /// Up to and with the channel: `http://host/v1/channels/speakers`.
        base: String,
    },
    Mqtt(Arc<Pipe>),
}

impl Line {
    /// The client's timeout must be longer than the longest poll, and it must take an answer as large as a sound.
    pub fn new(
        http: HttpClient,
        base: &str,
        device: &str,
        key: DeviceKey,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self::by(Way::Api { http, base }, device, key, clock)
    }

    /// Of a device that has enrolled.
    pub fn over_mqtt(pipe: Arc<Pipe>, device: &str, key: DeviceKey, clock: Arc<dyn Clock>) -> Self {
        Self::by(Way::Mqtt(pipe), device, key, clock)
    }

    fn by(way: Way, device: &str, key: DeviceKey, clock: Arc<dyn Clock>) -> Self {
        Self {
            way,
            device: device.to_owned(),
            key: Arc::new(key),
            clock,
            ahead: Arc::default(),
            newest: Arc::default(),
        }
    }

    pub fn device(&self) -> &str {
        &self.device
    }

    /// The gateway's time, as far as it has said.
    pub fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Relaxed);
        Timestamp(self.clock.now().0.saturating_add(ahead))
    }

    /// Whether the device's own clock agrees with the gateway's to two seconds, as far as it has said.
    pub fn is_clock_right(&self) -> bool {
        self.ahead.load(Relaxed) == 0
    }

    /// Shows the one-time code; from then on this line's key is the device's.
    pub async fn enrol(&self, code: &str) -> Result<Welcome, LineError> {
        let key = hex::encode(self.key.public());
        let reply = self
            .post("enrol", &json!({ "code": code, "key": key }))
            .await?;
        answer("enrol", &reply)
    }

    /// Gives this line's key up for another. The line that it gives back speaks by the new one; keep that key on the disk
    /// before: where the answer is lost, one of the two holds.
    pub async fn rekey(&self, new: DeviceKey) -> Result<Self, LineError> {
        let proof = new.proof(&self.device, &self.key.public());
        let key = hex::encode(new.public());
        self.post("rekey", &json!({ "key": key, "proof": proof }))
            .await?;
        Ok(Self {
            key: Arc::new(new),
            ..self.clone()
        })
    }

    /// Orders that `window` admits; empty when none came within `wait`.
    pub async fn poll(&self, window: &Window, wait: Duration) -> Result<Vec<Signed>, LineError> {
        let body =
            json!({ "after": window.floor(), "took": window.took(), "wait": wait.as_secs() });
        if let Way::Mqtt(pipe) = &self.way {
            if let Some(times) = pipe.asks() {
                self.post("orders", &body).await?;
                pipe.has_asked(times, window);
            } else if pipe.tells(window) {
                let took = self.envelope("took", body.to_string());
                pipe.tell(&took).await.map_err(LineError::Unheard)?;
                pipe.has_told(window);
            }
            return Ok(pipe.orders(wait).await);
        }
        let reply = self.post("orders", &body).await?;
        if reply.status == 204 {
            return Ok(Vec::new());
        }
        answer("orders", &reply).map(|orders: Orders| orders.orders)
    }

    /// A sound that an order names, whole and as it was promised; no other bytes are given back.
    pub async fn sound(&self, sound: &Sound) -> Result<Bytes, LineError> {
        let body = json!({ "sha256": sound.sha256 });
        let bytes = self.post("sounds", &body).await?.body;
        let hash = digest::digest(&digest::SHA256, &bytes);
        if hex::encode(hash) == sound.sha256 {
            Ok(bytes)
        } else {
            Err(LineError::Answer("sounds"))
        }
    }

    pub async fn report(&self, report: &Report) -> Result<(), LineError> {
        self.post("reports", report).await.map(drop)
    }

    /// Gives how far the gateway's clock is ahead, in milliseconds.
    pub async fn heartbeat(&self, beat: &Heartbeat) -> Result<i64, LineError> {
        #[derive(Deserialize)]
        struct Answer {
            time: Timestamp,
        }
        let reply = self.post("heartbeats", beat).await?;
        let Answer { time } = answer("heartbeats", &reply)?;
        Ok(self.believe(time))
    }

    fn believe(&self, time: Timestamp) -> i64 {
        let ahead = time.0.saturating_sub(self.clock.now().0);
        // What the way took is no fault of the clock.
        let ahead = if ahead.abs() < 2_000 { 0 } else { ahead };
        if self.ahead.swap(ahead, Relaxed) != ahead {
            self.newest.store(0, Relaxed);
        }
        ahead
    }

    /// A call whose time was refused is made once more by the time of the refusal.
    async fn post(&self, name: &'static str, body: &impl Serialize) -> Result<Reply, LineError> {
        let body = serde_json::to_string(body).map_err(|_| LineError::Answer(name))?;
        let mut reply = self.call(name, body.clone()).await?;
        if reply.status == 401
            && let Ok(Refusal {
                code,
                time: Some(time),
            }) = serde_json::from_slice(&reply.body)
            && code == "stale-time"
        {
            self.believe(time);
            reply = self.call(name, body).await?;
        }
        if [200, 204].contains(&reply.status) {
            return Ok(reply);
        }
        let said: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
        Err(LineError::Refused {
            call: name,
            status: reply.status,
            code: said.code,
        })
    }

    async fn call(&self, name: &'static str, body: String) -> Result<Reply, LineError> {
        let envelope = self.envelope(name, body);
        match &self.way {
            Way::Api { http, base } => {
                let request = Request {
                    method: "POST".into(),
                    headers: vec![
                        ("content-type".into(), "application/json".into()),
                        ("authorization".into(), envelope.authorization),
                    ],
                    body: envelope.body.into(),
                    ..Request::default()
                };
                let reply = http.call(&format!("{base}/{name}"), request).await;
                reply.map_err(|e| LineError::Unheard(e.to_string()))
            }
            Way::Mqtt(pipe) => pipe.call(&envelope).await.map_err(LineError::Unheard),
        }
    }

    fn envelope(&self, name: &str, body: String) -> Envelope {
        let now = self.now().0;
        let newest = self.newest.fetch_max(now, Relaxed);
        let time = if now > newest {
            now
        } else {
            self.newest.fetch_add(1, Relaxed) + 1
        };
        let call = Call {
            path: name,
            device: &self.device,
            time: Timestamp(time),
            body: body.as_bytes(),
        };
        let authorization = self.key.authorization(&call);
        Envelope {
            call: name.to_owned(),
            body,
            authorization,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: String,
    time: Option<Timestamp>,
}

fn answer<T: for<'de> Deserialize<'de>>(call: &'static str, reply: &Reply) -> Result<T, LineError> {
    serde_json::from_slice(&reply.body).map_err(|_| LineError::Answer(call))
}
