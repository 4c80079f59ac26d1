//! The calls of controllers: enrolment, long polls, reports, heartbeats. Each is proved before its body is read, and each
//! refusal says what to do and is counted. This module must not sign or keep an order.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use channel::{
    Enrolment, NotEnrolled, Obeyed, Of, PresenceState, PublicKey, Reply, Request, Sounded,
    Timestamp,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;

use crate::call::Claim;
use crate::keys::Keys;
use crate::order::Window;
use crate::report::{Heartbeat, PlayState, Report, Source, plain};
use crate::sheet::answer;
use crate::speaker::Loudspeaker;

/// No call has a longer body.
pub(crate) const LONGEST_BODY: usize = 16 * 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What an installer types is no longer.
const LONGEST_CODE: usize = 64;

/// Why a call is not served: its status, a short code, and what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    pub status: u16,
    pub code: &'static str,
    pub why: &'static str,
    /// When to call again.
    after: Option<Duration>,
}

const fn refuse(status: u16, code: &'static str, why: &'static str) -> Refused {
    Refused {
        status,
        code,
        why,
        after: None,
    }
}

const UNPROVEN: Refused = refuse(
    401,
    "unproven",
    "the call is not signed by this device's key; send `authorization: Tocsin DEVICE TIME SIGNATURE`",
);
const STALE: Refused = refuse(
    401,
    "stale-time",
    "the time of the call is more than five minutes off; sign it with the `time` of this answer",
);
const NOT_ENROLLED: Refused = refuse(
    401,
    "not-enrolled",
    "no key stands for this device: it was never enrolled, or revoked; have a new code made and enrol",
);
const BAD_CODE: Refused = refuse(
    403,
    "bad-code",
    "this code does not stand for this device; it works once and not for ever: have a new one made",
);
const TOO_MANY: Refused = refuse(
    429,
    "too-many-codes",
    "too many wrong codes; wait as `retry-after` says",
);
const TOO_LONG: Refused = refuse(413, "too-long", "the body is longer than 16 KiB");
const NOT_JSON: Refused = refuse(400, "bad-body", "the body is not the JSON of this call");
const BAD_KEY: Refused = refuse(
    422,
    "bad-key",
    "`key` is an Ed25519 public key: 32 bytes in hex",
);
const BAD_POLL: Refused = refuse(
    400,
    "bad-poll",
    "`took` is at most 16 counters, each above `after`",
);
const NAMELESS: Refused = refuse(
    422,
    "no-order",
    "a report on the gateway's play names its `order`",
);
const STRANGE: Refused = refuse(
    403,
    "unknown-order",
    "this gateway gave no such order; echo the order's `order`",
);
const UNKEPT: Refused = refuse(503, "not-kept", "it could not be kept; send it again");
const CLOSING: Refused = refuse(503, "closing", "the gateway is closing; poll again");
const NO_CALL: Refused = refuse(
    404,
    "unknown-call",
    "the calls are enrol, orders, reports and heartbeats",
);
const NO_POST: Refused = refuse(405, "wrong-method", "every call is a POST");

/// How often each refusal was given.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock();
        counts.iter().map(|(why, count)| (*why, *count)).collect()
    }

    fn count(&self, refused: Refused) {
        *self.0.lock().entry(refused.code).or_default() += 1;
    }
}

/// What a controller says that it has, and how long it waits for more.
#[derive(Deserialize)]
struct Poll {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    took: Vec<u64>,
    #[serde(default = "usual_wait")]
    wait: u64,
}

const fn usual_wait() -> u64 {
    25
}

#[derive(Deserialize)]
struct Enrol {
    code: String,
    key: String,
}

impl Loudspeaker {
    pub(crate) async fn called(&self, request: &Request) -> Reply {
        let path = request.path.as_str();
        let reply = match path {
            "enrol" | "orders" | "reports" | "heartbeats" if request.method != "POST" => {
                Err(NO_POST)
            }
            "enrol" => self.enrol(request).await,
            "orders" => self.orders(request).await,
            "reports" => self.reports(request).await,
            "heartbeats" => self.heartbeats(request),
            _ => Err(NO_CALL),
        };
        reply.unwrap_or_else(|refused| self.told(refused))
    }

    /// Every refusal carries the time, by which a device with a wrong clock can sign its next call.
    fn told(&self, refused: Refused) -> Reply {
        self.refusals.count(refused);
        let Refused {
            status,
            code,
            why,
            after,
        } = refused;
        let body = json!({ "error": why, "code": code, "time": self.context.clock.now() });
        let mut reply = Reply::json(status, &body);
        if let Some(after) = after {
            let seconds = after.as_secs().max(1).to_string();
            reply.headers.push(("retry-after".into(), seconds));
        }
        reply
    }

    /// The device that makes this call, with its key.
    fn proved<'a>(&self, request: &'a Request) -> Result<(&'a str, PublicKey), Refused> {
        let claim = self.claimed(request)?;
        let key = self.context.inlet.key_of(claim.device);
        let key = key.ok_or(NOT_ENROLLED)?;
        if claim.holds(&request.path, &request.body, &key) {
            Ok((claim.device, key))
        } else {
            Err(UNPROVEN)
        }
    }

    fn claimed<'a>(&self, request: &'a Request) -> Result<Claim<'a>, Refused> {
        if request.body.len() > LONGEST_BODY {
            return Err(TOO_LONG);
        }
        let header = request.header("authorization");
        let claim = header.and_then(Claim::read).ok_or(UNPROVEN)?;
        if claim.is_fresh(self.context.clock.now()) {
            Ok(claim)
        } else {
            Err(STALE)
        }
    }

    /// A device shows its code and its key; the call is signed by that key, so that nobody enrols another's.
    async fn enrol(&self, request: &Request) -> Result<Reply, Refused> {
        let claim = self.claimed(request)?;
        let Enrol { code, key } = read(&request.body)?;
        let key: PublicKey = hex::decode(key)
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or(BAD_KEY)?;
        if !claim.holds(&request.path, &request.body, &key) {
            return Err(UNPROVEN);
        }
        if code.len() > LONGEST_CODE {
            return Err(BAD_CODE);
        }
        let device = claim.device;
        let enrolment = Enrolment {
            device: device.to_owned(),
            code,
            key,
        };
        let enrolled = self.context.inlet.enrol(enrolment).await;
        enrolled.map_err(|not| match not {
            NotEnrolled::BadCode => BAD_CODE,
            NotEnrolled::TooMany(wait) => Refused {
                after: Some(wait),
                ..TOO_MANY
            },
            NotEnrolled::Unavailable => UNKEPT,
        })?;
        let counter = {
            let mut desk = self.desk.lock();
            desk.forget(device);
            desk.floor(device)
        };
        Ok(Reply::json(200, &self.welcome(device, counter)))
    }

    /// All that a new device needs.
    fn welcome(&self, device: &str, counter: u64) -> serde_json::Value {
        let keys = self.public_keys();
        let (live, drill) = keys.split_at(keys.len() / 2);
        json!({
            "device": device,
            "gateway": self.config.gateway,
            "keys": { "live": live, "drill": drill },
            "counter": counter,
            "address": format!("/v1/channels/{}", self.context.name),
            "heartbeat": (self.config.silent_after / 3).as_secs().max(1),
            "time": self.context.clock.now(),
        })
    }

    async fn orders(&self, request: &Request) -> Result<Reply, Refused> {
        let (device, key) = self.proved(request)?;
        let Poll { after, took, wait } = read(&request.body)?;
        let window = Window::new(after, took).ok_or(BAD_POLL)?;
        self.heard(device);
        let bell = self.desk.lock().polled(device, window);
        let timer = tokio::time::sleep(Duration::from_secs(wait).min(LONGEST_WAIT));
        tokio::pin!(timer);
        loop {
            // Enabled before the desk is looked at: an order laid down in between still rings.
            let ring = bell.notified();
            tokio::pin!(ring);
            ring.as_mut().enable();
            // Revoked, or another box has enrolled: whoever waits here is nobody any more.
            if self.context.inlet.key_of(device) != Some(key) {
                return Err(NOT_ENROLLED);
            }
            let due = self.desk.lock().due(device, self.context.clock.now());
            if !due.is_empty() {
                return Ok(Reply {
                    status: 200,
                    headers: vec![("content-type".into(), "application/json".into())],
                    body: answer(&due),
                });
            }
            tokio::select! {
                () = ring => {}
                () = &mut timer => return Ok(Reply::status(204)),
                () = self.closing.cancelled() => return Err(CLOSING),
            }
        }
    }

    async fn reports(&self, request: &Request) -> Result<Reply, Refused> {
        let (device, _) = self.proved(request)?;
        let report: Report = read(&request.body)?;
        let seen = self.context.clock.now();
        self.heard(device);
        if report.source != Source::Network {
            self.sounded(device, &report, seen);
            self.present(device, PresenceState::Playing, "local".into());
            return Ok(Reply::json(200, &json!({})));
        }
        let order = report.order.as_deref().ok_or(NAMELESS)?;
        if !self.keys.gave(order) {
            return Err(STRANGE);
        }
        self.kept(device, order, &report, seen).await?;
        if report.is_last() {
            self.desk.lock().done(device, order);
            self.sounded(device, &report, seen);
        }
        Ok(Reply::json(200, &json!({})))
    }

    /// In the journal before it is answered.
    async fn kept(
        &self,
        device: &str,
        order: &str,
        report: &Report,
        seen: Timestamp,
    ) -> Result<(), Refused> {
        let inlet = &self.context.inlet;
        if let Some(serial) = Keys::serial(order) {
            if !report.is_last() {
                return Ok(());
            }
            let obeyed = Obeyed {
                serial,
                device: device.to_owned(),
                done: report.state != PlayState::Failed,
                code: plain(&report.code),
                seconds: report.seconds,
                far: report.at,
            };
            return inlet.obeyed(vec![obeyed]).await.map_err(|_| UNKEPT);
        }
        let keys = self.desk.lock().reported(device, order);
        let receipts = if keys.is_empty() {
            // Of a time before the last restart: the journal knows its reference.
            let reference = self.keys.reference(device, order);
            vec![report.receipt(Of::Reference(reference), seen)]
        } else {
            let receipt = |key| report.receipt(Of::Key(key), seen);
            keys.into_iter().map(receipt).collect()
        };
        inlet.receipts(receipts).await.map_err(|_| UNKEPT)
    }

    fn sounded(&self, device: &str, report: &Report, seen: Timestamp) {
        if report.seconds == 0 && report.source == Source::Network {
            return;
        }
        let sounded = Sounded {
            source: report.source.name(),
            seconds: report.seconds,
            at: report.at.unwrap_or(seen),
        };
        let mut desk = self.desk.lock();
        desk.says(device, |said| said.sounded = Some(sounded));
    }

    fn heartbeats(&self, request: &Request) -> Result<Reply, Refused> {
        let (device, _) = self.proved(request)?;
        let beat: Heartbeat = read(&request.body)?;
        if let Some(why) = beat.fault() {
            return Err(refuse(422, "bad-heartbeat", why));
        }
        let now = self.context.clock.now();
        {
            let mut desk = self.desk.lock();
            desk.heard(device, now, self.context.clock.tick());
            desk.says(device, |said| {
                said.state = Some(beat.state);
                said.clock_error = beat.clock_error(now);
                (said.volume, said.power, said.battery) = (beat.volume, beat.power, beat.battery);
                (said.free_mb, said.celsius) = (beat.free_mb, beat.celsius);
            });
        }
        self.present(device, beat.state, beat.code(now));
        Ok(Reply::json(200, &json!({ "time": now })))
    }

    fn heard(&self, device: &str) {
        let clock = &self.context.clock;
        let (now, tick) = (clock.now(), clock.tick());
        if self.desk.lock().heard(device, now, tick) {
            self.present(device, PresenceState::Idle, String::new());
        }
    }
}

/// serde's words may repeat the caller's text, so they are not given back.
fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| NOT_JSON)
}
