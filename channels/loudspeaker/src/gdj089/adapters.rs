//! The channel itself: batches go out as starts, operators' orders as stops and volumes, and what adapters bring comes in. It
//! must not retry or pace.

use std::sync::Arc;

use async_trait::async_trait;
use channel::{
    Accepted, Action, Capability, Channel, Command, Context, DeviceState, EndpointKind, Evidence,
    Failure, Found, Health, Key, Message, Outcomes, PresenceState, Stop, Style,
};
use futures::stream::{FuturesUnordered, StreamExt};
use parking_lot::Mutex;
use ring::digest::{Context as Digest, SHA256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::bytes::Id;
use super::config::{Config, ConfigError, Dialect};
use super::desk::Desk;
use super::heard::reference;
use super::link::Wants;
use super::named::Named;
use super::plan::{self, Start};
use super::routes::BAD_CODE;
use super::task::Down;

/// A county's front-end adapters.
pub struct Adapters {
    desk: Arc<Desk>,
    orders: mpsc::UnboundedSender<Command>,
    given: tokio::sync::Mutex<mpsc::UnboundedReceiver<Command>>,
}

impl Adapters {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        let (orders, given) = mpsc::unbounded_channel();
        Ok(Self {
            desk: Arc::new(Desk::new(config, context)?),
            orders,
            given: tokio::sync::Mutex::new(given),
        })
    }

    /// Where it listens, once it does.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.desk.listening.lock().clone().ok().flatten()
    }

    async fn start(&self, batch: &[Message], start: Start, outcomes: &dyn Outcomes) {
        let keys = start.to.iter().map(|(at, _)| batch[*at].key).collect();
        let to = start.to.clone();
        let started = self.desk.joined(start, keys).await;
        for (index, code) in &to {
            let outcome = started.as_ref().map(|ebm| Accepted {
                references: vec![reference(ebm, code)],
            });
            outcomes.settle(*index, outcome.map_err(Clone::clone));
        }
    }
}

impl Desk {
    /// Gives a start to its adapter; the id that it has.
    pub async fn started(&self, start: &Start, keys: &[Key]) -> Result<Id, Failure> {
        let adapter = &self.config.adapter[start.adapter];
        let alert = keys.first().map_or(0, |key| key.alert);
        let named = Named {
            adapter: start.adapter,
            key: mark(keys, &adapter.code),
            alert,
            deliveries: keys.iter().map(|key| key.delivery).collect(),
            expires: start.expires,
        };
        let ebm = self.name(named).await?;
        let codes: Vec<_> = start.to.iter().map(|(_, code)| code.clone()).collect();
        let (at, end) = (start.adapter, start.expires);
        self.plays
            .lock()
            .started(at, alert, ebm.clone(), codes.clone(), end);
        if let (Dialect::Fefd, [code]) = (adapter.dialect, &codes[..]) {
            let said = self.old_start(start, ebm.clone(), at)?;
            self.ask_old(at, code, &said).await?;
        } else {
            let now = self.context.clock.now();
            let mut task = plan::task(start, ebm.clone(), &self.config, adapter, now)?;
            task.input = self.links[at].input().unwrap_or(task.input);
            let down = Down::Task(Box::new(task));
            self.exchange(at, &down, Wants::Start(ebm.clone())).await?;
        }
        Ok(ebm)
    }
}

/// The same for the same messages to the same adapter: tried again, they keep their EBMID.
fn mark(keys: &[Key], adapter: &str) -> u64 {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mut digest = Digest::new(&SHA256);
    digest.update(adapter.as_bytes());
    for key in keys {
        digest.update(key.to_string().as_bytes());
        digest.update(b"\n");
    }
    let digest = digest.finish();
    let first = digest.as_ref().first_chunk();
    u64::from_be_bytes(*first.expect("a digest has 32 bytes"))
}

#[async_trait]
impl Channel for Adapters {
    fn capability(&self) -> Capability {
        Capability {
            kind: "loudspeaker",
            speaks_to: EndpointKind::Speaker,
            style: Style::Spoken,
            best: Evidence::Acknowledged,
            // A county's terminals, so that one command is for all of them.
            batch: 4_000,
            window: 4_000,
            repeat_is_harmless: false,
        }
    }

    async fn send(&self, message: &Message) -> Result<Accepted, Failure> {
        let told = One(Mutex::new(None));
        self.send_all(std::slice::from_ref(message), &told).await;
        told.0.into_inner().expect("send_all settles each index")
    }

    async fn send_all(&self, batch: &[Message], outcomes: &dyn Outcomes) {
        let now = self.desk.context.clock.now();
        let (starts, failed) =
            plan::starts(batch, &self.desk.routes, &self.desk.config.adapter, now);
        for (index, failure) in failed {
            outcomes.settle(index, Err(failure));
        }
        let under_way = starts
            .into_iter()
            .map(|start| self.start(batch, start, outcomes));
        let under_way: FuturesUnordered<_> = under_way.collect();
        under_way.collect::<()>().await;
    }

    async fn run(&self, stop: Stop) {
        let mut given = self.given.lock().await;
        self.desk.recall();
        let mut beside = JoinSet::new();
        for at in 0..self.desk.links.len() {
            let (desk, stop) = (self.desk.clone(), stop.clone());
            beside.spawn(async move { desk.upkeep(at, &stop).await });
        }
        let mut sweep = interval((self.desk.config.silent_after / 4).max(SWEEP));
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let listen = self.desk.listen(&stop);
        tokio::pin!(listen);
        loop {
            tokio::select! {
                () = &mut listen => break,
                _ = sweep.tick() => self.desk.fallen(),
                Some(command) = given.recv() => {
                    let (desk, stop) = (self.desk.clone(), stop.clone());
                    beside.spawn(async move { desk.obey(command, &stop).await });
                }
                Some(_) = beside.join_next() => {}
            }
        }
        *self.desk.listening.lock() = Err("stopped".to_owned());
        beside.shutdown().await;
    }

    fn command(&self, command: &Command) -> bool {
        self.orders.send(command.clone()).is_ok()
    }

    fn finds(&self, device: &str) -> Found {
        match self.desk.routes.of(device) {
            Err(failure) if failure.code == BAD_CODE => Found::Never,
            Err(_) => Found::Unknown,
            Ok((_, code)) if self.desk.routes.named(&code).is_some() => Found::Named,
            Ok(_) => Found::Perhaps,
        }
    }

    /// Of tones and later ends the protocol knows nothing, and terminals do not look at themselves.
    fn obeys(&self, action: Action) -> bool {
        matches!(
            action,
            Action::Stop { .. } | Action::StopAll | Action::Volume { .. }
        )
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        self.desk.standing.lock().of(&device.parse().ok()?)
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.desk.refused()
    }

    fn health(&self) -> Health {
        self.desk.health()
    }
}

const SWEEP: std::time::Duration = std::time::Duration::from_millis(10);

impl Desk {
    fn fallen(&self) {
        let tick = self.context.clock.tick();
        let fallen = self.standing.lock().sweep(tick, self.config.silent_after);
        for front in fallen {
            self.present(&front, PresenceState::Silent, String::new());
        }
    }
}

struct One(Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
}
