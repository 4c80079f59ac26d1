//! The channel itself: orders go out as answers to the devices' polls, reports and heartbeats come in. It must not
//! listen, retry or pace; what waits lies on the desk.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Context, EndpointKind, Evidence, Failure, FailureClass, Health,
    Message, Of, Outcomes, Presence, PresenceState, Reply, Request, Stop, Style,
};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Sleep;

use crate::desk::{Desk, Laid, Outcome, Waiter};
use crate::keys::Keys;
use crate::order::{Signer, Window, is_plain, marked_as_drill};
use crate::report::{Heartbeat, Report, Source};
use crate::sheet::{Maker, Sheet, answer};
use crate::{Config, ConfigError};

/// No report or heartbeat is longer.
const LONGEST_BODY: usize = 16 * 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

pub struct Loudspeaker {
    config: Config,
    context: Context,
    signer: Signer,
    keys: Keys,
    desk: Mutex<Desk>,
    closing: Stop,
}

impl Loudspeaker {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        let signer = Signer::from_seed(config.seed.expose()).ok_or(ConfigError::BadSeed)?;
        let keys = Keys::new(config.secret.expose());
        let desk = Mutex::new(Desk::new(config.queue));
        Ok(Self {
            config,
            context,
            signer,
            keys,
            desk,
            closing: Stop::new(),
        })
    }

    /// What controllers check our orders with, in hex: the live key, then the one for drills.
    pub fn public_keys(&self) -> String {
        self.signer.public_keys()
    }

    /// Which of a batch may be ordered at all; the others are settled.
    fn admit(&self, batch: &[Message], outcomes: &dyn Outcomes) -> Vec<bool> {
        let now = self.context.clock.now();
        let mut admit = |(index, message): (usize, &Message)| {
            let variant = &message.variant;
            let failure = if variant.drill && !marked_as_drill(&variant.text) {
                unmarked()
            } else if !is_plain(message.address.expose()) {
                no_id()
            } else if message.expires <= now {
                expired()
            } else {
                return true;
            };
            outcomes.settle(index, Err(failure));
            false
        };
        batch.iter().enumerate().map(&mut admit).collect()
    }

    /// Signs the orders of a batch, lays them down for their devices and rings.
    fn lay(
        &self,
        batch: &[Message],
        open: &[bool],
        tell: &UnboundedSender<(usize, Outcome)>,
    ) -> Vec<Option<Arc<Sheet>>> {
        let now = self.context.clock.now();
        let maker = Maker {
            config: &self.config,
            signer: &self.signer,
            keys: &self.keys,
            now,
        };
        let sheets = maker.sheets(batch, open);
        let mut bells = Vec::with_capacity(batch.len());
        let mut desk = self.desk.lock();
        for (index, (message, sheet)) in batch.iter().zip(&sheets).enumerate() {
            let Some(sheet) = sheet.clone() else { continue };
            let (device, key, outcomes) = (message.address.expose(), message.key, tell.clone());
            let waiter = Waiter { index, outcomes };
            let laid = Laid {
                device,
                key,
                sheet,
                waiter,
            };
            bells.extend(desk.put(laid, now));
        }
        // Whoever is woken asks the desk at once.
        drop(desk);
        for bell in bells {
            bell.notify_waiters();
        }
        sheets
    }

    fn heard(&self, device: &str) {
        if self.desk.lock().heard(device, self.context.clock.tick()) {
            self.present(device, PresenceState::Idle, String::new());
        }
    }

    fn present(&self, device: &str, state: PresenceState, code: String) {
        let seen = self.context.clock.now();
        self.context.inlet.presence(Presence {
            device: device.into(),
            state,
            code,
            seen,
        });
    }

    async fn orders(&self, request: &Request) -> Result<Reply, Reply> {
        let device = self.proved(request, request.query("device").unwrap_or_default())?;
        let (window, wait) = poll(request).ok_or_else(bad_poll)?;
        let (bell, back) = {
            let mut desk = self.desk.lock();
            let back = desk.heard(device, self.context.clock.tick());
            (desk.polled(device, window), back)
        };
        if back {
            self.present(device, PresenceState::Idle, String::new());
        }
        let timer = tokio::time::sleep(wait);
        tokio::pin!(timer);
        loop {
            // Enabled before the desk is looked at: an order laid down in between still rings.
            let ring = bell.notified();
            tokio::pin!(ring);
            ring.as_mut().enable();
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
                () = self.closing.cancelled() => return Err(refuse(503, "the gateway is closing; poll again")),
            }
        }
    }

    async fn reports(&self, request: &Request) -> Result<Reply, Reply> {
        let report: Report = read(request)?;
        let device = self.proved(request, &report.device)?;
        self.heard(device);
        if report.source != Source::Gateway {
            self.present(device, PresenceState::Playing, "local".into());
            return Ok(Reply::json(200, &serde_json::json!({})));
        }
        let Some(order) = report.order.as_deref() else {
            return Err(refuse(
                422,
                "a report on the gateway's play names its `order`",
            ));
        };
        if !self.keys.gave(order) {
            return Err(refuse(
                403,
                "this gateway gave no such order; echo the order's `order`",
            ));
        }
        let seen = self.context.clock.now();
        let keys = self.desk.lock().reported(device, order);
        let receipts = if keys.is_empty() {
            // Of a time before the last restart: the journal knows its reference.
            let reference = self.keys.reference(device, order);
            vec![report.receipt(Of::Reference(reference), seen)]
        } else {
            let receipt = |key| report.receipt(Of::Key(key), seen);
            keys.into_iter().map(receipt).collect()
        };
        if self.context.inlet.receipts(receipts).await.is_err() {
            return Err(refuse(503, "the report could not be kept; report again"));
        }
        if report.is_last() {
            self.desk.lock().done(device, order);
        }
        Ok(Reply::json(200, &serde_json::json!({})))
    }

    fn heartbeats(&self, request: &Request) -> Result<Reply, Reply> {
        let beat: Heartbeat = read(request)?;
        let device = self.proved(request, &beat.device)?;
        if beat.state == PresenceState::Silent {
            return Err(refuse(422, "`state` is idle, playing or fault"));
        }
        let now = self.context.clock.now();
        self.desk.lock().heard(device, self.context.clock.tick());
        self.present(device, beat.state, beat.code(now));
        Ok(Reply::json(200, &serde_json::json!({ "time": now })))
    }

    /// The device's id, when the call proves that it comes from it.
    fn proved<'a>(&self, request: &Request, device: &'a str) -> Result<&'a str, Reply> {
        if is_plain(device) && self.keys.proves(device, request.header("authorization")) {
            Ok(device)
        } else {
            Err(refuse(
                401,
                "not the key of this device; send `authorization: Bearer KEY`",
            ))
        }
    }
}

#[async_trait]
impl Channel for Loudspeaker {
    fn capability(&self) -> Capability {
        Capability {
            kind: "loudspeaker",
            speaks_to: EndpointKind::Speaker,
            style: Style::Spoken,
            best: Evidence::Acknowledged,
            // A county's speakers, so that one order is for all of them.
            batch: 4_000,
            // Devices wait side by side and cost nothing while they do.
            window: 20_000,
            repeat_is_harmless: true,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let told = Mutex::new(None);
        self.send_all(std::slice::from_ref(message), &One(&told))
            .await;
        told.into_inner().expect("send_all settles each index")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let (tell, mut told) = unbounded_channel();
        let mut open = self.admit(batch, outcomes);
        let sheets = self.lay(batch, &open, &tell);
        // Every waiter holds a clone; when the last is settled the queue ends.
        drop(tell);
        let timer = tokio::time::sleep(self.config.fetch_timeout);
        tokio::pin!(timer);
        let mut late = false;
        loop {
            tokio::select! {
                biased;
                next = told.recv() => match next {
                    Some((index, outcome)) => {
                        open[index] = false;
                        let (device, sheet) = (batch[index].address.expose(), &sheets[index]);
                        let reference = || sheet.iter().map(|sheet| self.keys.reference(device, &sheet.order)).collect();
                        outcomes.settle(index, outcome.map(|()| Accepted { references: reference() }));
                    }
                    None => return,
                },
                closing = overdue(&mut timer, &self.closing), if !late => {
                    late = true;
                    let mut desk = self.desk.lock();
                    for message in batch.iter().zip(&open).filter_map(|(message, open)| open.then_some(message)) {
                        desk.give_up(message.address.expose(), message.key, closing);
                    }
                }
            }
        }
    }

    async fn run(&self, stop: Stop) {
        let mut sweep =
            tokio::time::interval((self.config.silent_after / 4).max(Duration::from_millis(10)));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweep.tick() => {
                    let clock = &self.context.clock;
                    let fallen = self.desk.lock().sweep(clock.now(), clock.tick(), self.config.silent_after);
                    for device in fallen {
                        self.present(&device, PresenceState::Silent, String::new());
                    }
                }
            }
        }
        self.closing.cancel();
    }

    async fn serve(&self, request: Request) -> Reply {
        let reply = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "orders") => self.orders(&request).await,
            ("POST", "reports") => self.reports(&request).await,
            ("POST", "heartbeats") => self.heartbeats(&request),
            (_, "orders" | "reports" | "heartbeats") => Err(Reply::status(405)),
            _ => Err(Reply::status(404)),
        };
        reply.unwrap_or_else(|refused| refused)
    }

    /// Always up: it holds no session of its own. Whether a device is there is its presence.
    fn health(&self) -> Health {
        Health::Up
    }
}

/// When a batch is waited for no longer; true when that is because the gateway closes.
async fn overdue(timer: &mut Pin<&mut Sleep>, closing: &Stop) -> bool {
    tokio::select! {
        () = timer => false,
        () = closing.cancelled() => true,
    }
}

struct One<'a>(&'a Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One<'_> {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
}

/// What a poll names: the window of its device, and how long it waits.
fn poll(request: &Request) -> Option<(Window, Duration)> {
    let number = |name, default| match request.query(name) {
        None => Some(default),
        Some(text) => text.parse::<u64>().ok(),
    };
    let took = match request.query("took") {
        None | Some("") => Vec::new(),
        Some(text) => text
            .split(',')
            .map(|counter| counter.parse().ok())
            .collect::<Option<_>>()?,
    };
    let window = Window::new(number("after", 0)?, took)?;
    let wait = Duration::from_secs(number("wait", 25)?).min(LONGEST_WAIT);
    Some((window, wait))
}

fn bad_poll() -> Reply {
    refuse(
        400,
        "`after` and `wait` are whole numbers, `took` is up to 16 of them above `after` with commas between",
    )
}

fn no_id() -> Failure {
    Failure::new(
        FailureClass::BadAddress,
        "speaker:bad-id",
        "no controller can have this id: 1 to 64 visible ASCII characters without two dots in a row are wanted",
    )
}

fn expired() -> Failure {
    Failure::new(
        FailureClass::Transient,
        "speaker:expired",
        "the order had expired when it was handed",
    )
}

fn unmarked() -> Failure {
    Failure::new(
        FailureClass::BadContent,
        "speaker:unmarked-drill",
        "the text of a drill does not say that it is one; put 演练 or DRILL into it",
    )
}

fn refuse(status: u16, why: &str) -> Reply {
    Reply::json(status, &serde_json::json!({ "error": why }))
}

fn read<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, Reply> {
    if request.body.len() > LONGEST_BODY {
        return Err(refuse(413, "the body is longer than 16 KiB"));
    }
    // serde's words may repeat the caller's text, so they are not given back.
    serde_json::from_slice(&request.body)
        .map_err(|_| refuse(400, "the body is not the JSON of this call"))
}
