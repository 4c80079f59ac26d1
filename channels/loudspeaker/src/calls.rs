//! The calls of controllers: enrolment, long polls, reports, heartbeats. Each is proved before its body is read, and each
//! refusal says what to do and is counted. This module must not sign or keep an order.

use std::time::Duration;

use channel::{HEARD, Obeyed, Of, PresenceState, PublicKey, Reply, Request, Sounded, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::call::Claim;
use crate::keys::Keys;
use crate::order::{QUAKE, Window};
use crate::refused::{
    BAD_POLL, CLOSING, NAMELESS, NO_CALL, NO_POST, NOT_ENROLLED, NOT_JSON, Refused, STALE, STRANGE,
    TOO_LONG, UNKEPT, UNPROVEN, refuse,
};
use crate::report::{Heartbeat, PlayState, Report, Source, plain};
use crate::sheet::answer;
use crate::speaker::Loudspeaker;

/// No call has a longer body.
pub(crate) const LONGEST_BODY: usize = 16 * 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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

impl Loudspeaker {
    pub(crate) async fn called(&self, request: &Request) -> Reply {
        self.precedence.passed().await;
        let path = request.path.as_str();
        let reply = match path {
            "enrol" | "orders" | "sounds" | "reports" | "heartbeats" | "rekey"
                if request.method != "POST" =>
            {
                Err(NO_POST)
            }
            "enrol" => self.enrol(request).await,
            "orders" => self.orders(request).await,
            "sounds" => self.sound(request).await,
            "reports" => self.reports(request).await,
            "heartbeats" => self.heartbeats(request),
            "rekey" => self.rekey(request).await,
            _ => Err(NO_CALL),
        };
        reply.unwrap_or_else(|refused| self.told(refused))
    }

    pub(crate) fn told(&self, refused: Refused) -> Reply {
        self.refusals.count(refused);
        let body = refused.body(self.context.clock.now());
        let mut reply = Reply::json(refused.status, &body);
        if let Some(after) = refused.after {
            let seconds = after.as_secs().max(1).to_string();
            reply.headers.push(("retry-after".into(), seconds));
        }
        reply
    }

    /// The device that makes this call, with its key.
    pub(crate) fn proved<'a>(&self, request: &'a Request) -> Result<(&'a str, PublicKey), Refused> {
        let claim = self.claimed(request)?;
        let key = self.context.inlet.key_of(claim.device);
        let key = key.ok_or(NOT_ENROLLED)?;
        if claim.holds(&request.path, &request.body, &key) {
            Ok((claim.device, key))
        } else {
            Err(UNPROVEN)
        }
    }

    pub(crate) fn claimed<'a>(&self, request: &'a Request) -> Result<Claim<'a>, Refused> {
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

    async fn orders(&self, request: &Request) -> Result<Reply, Refused> {
        let (device, key) = self.proved(request)?;
        let (window, wait) = polled(&request.body)?;
        self.heard(device);
        let bell = self.desk.lock().polled(device, window);
        let timer = tokio::time::sleep(wait.min(LONGEST_WAIT));
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
        self.reported(device, &request.body).await
    }

    /// What a device that has proved itself has to say of an order, or of who played without one.
    pub(crate) async fn reported(&self, device: &str, body: &[u8]) -> Result<Reply, Refused> {
        let report: Report = read(body)?;
        let seen = self.context.clock.now();
        self.heard(device);
        if report.source != Source::Network {
            self.sounded(device, &report, seen);
            self.present(device, PresenceState::Playing, HEARD.into());
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
                code: said(order, report),
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
        self.beaten(device, &request.body)
    }

    /// How a device that has proved itself does.
    pub(crate) fn beaten(&self, device: &str, body: &[u8]) -> Result<Reply, Refused> {
        let beat: Heartbeat = read(body)?;
        if let Some(why) = beat.fault() {
            return Err(refuse(422, "bad-heartbeat", why));
        }
        let now = self.context.clock.now();
        let word;
        {
            let mut desk = self.desk.lock();
            desk.heard(device, now, self.context.clock.tick());
            desk.says(device, |said| {
                said.state = Some(beat.state);
                said.clock_error = beat.clock_error(now);
                said.powered(beat.power, beat.battery);
                said.volume = beat.volume;
                (said.free_mb, said.celsius) = (beat.free_mb, beat.celsius);
            });
            let on_battery = desk.said(device).is_some_and(|said| said.on_battery);
            word = beat.word(now, on_battery);
            desk.worded(device, &word);
        }
        self.present(device, beat.state, word);
        Ok(Reply::json(200, &json!({ "time": now })))
    }

    pub(crate) fn heard(&self, device: &str) {
        let clock = &self.context.clock;
        let (now, tick) = (clock.now(), clock.tick());
        if self.desk.lock().heard(device, now, tick) {
            self.present(device, PresenceState::Idle, HEARD.into());
        }
    }
}

/// The device's own word. Of an earthquake it has none for the end, which is to be told from what it said at the beginning.
fn said(order: &str, report: &Report) -> String {
    let ends = match report.state {
        PlayState::Played => "played",
        PlayState::Stopped => "stopped",
        _ => "",
    };
    let code = plain(&report.code);
    if code.is_empty() && Keys::kind(order) == Some(QUAKE) {
        return ends.to_owned();
    }
    code
}

/// The window that a poll names, and how long it waits.
pub(crate) fn polled(body: &[u8]) -> Result<(Window, Duration), Refused> {
    let Poll { after, took, wait } = read(body)?;
    let window = Window::new(after, took).ok_or(BAD_POLL)?;
    Ok((window, Duration::from_secs(wait)))
}

/// serde's words may repeat the caller's text, so they are not given back.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| NOT_JSON)
}
