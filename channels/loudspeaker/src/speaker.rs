//! The channel itself: orders go out as answers to the devices' polls, reports and heartbeats come in. It must not
//! listen, retry or pace; what waits lies on the desk.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use channel::{
    Accepted, Capability, Channel, Command, Context, DeviceState, EndpointKind, Evidence, Failure,
    FailureClass, Health, Message, Outcomes, Presence, PresenceState, Quake, Reply, Request, Stop,
    Style, serial_floor,
};
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Interval, Sleep};

use crate::desk::{Desk, Laid, Outcome, Waiter};
use crate::keys::Keys;
use crate::mqtt::BrokerError;
use crate::order::{Signer, is_plain, marked_as_drill};
use crate::precedence::Precedence;
use crate::refused::Tally;
use crate::sheet::{Maker, Sheet, Standing};
use crate::sounds::Pieces;
use crate::{Config, ConfigError};

pub struct Loudspeaker {
    pub(crate) config: Config,
    pub(crate) context: Context,
    pub(crate) signer: Signer,
    pub(crate) keys: Keys,
    pub(crate) desk: Mutex<Desk>,
    pub(crate) closing: Stop,
    pub(crate) refusals: Tally,
    pub(crate) precedence: Precedence,
    /// By `tick`.
    began: Duration,
}

impl Loudspeaker {
    pub fn new(config: Config, context: Context) -> Result<Self, ConfigError> {
        if config.broker.is_some() {
            return Err(BrokerError::Unused.into());
        }
        Self::of_any_kind(config, context)
    }

    pub(crate) fn of_any_kind(config: Config, context: Context) -> Result<Self, ConfigError> {
        config.check()?;
        let signer = Signer::from_seed(config.seed.expose()).ok_or(ConfigError::BadSeed)?;
        let keys = Keys::new(config.secret.expose());
        // Whatever this gateway gave before it was started is below.
        let (floor, began) = (serial_floor(context.clock.now()), context.clock.tick());
        let desk = Mutex::new(Desk::new(config.queue, floor));
        Ok(Self {
            config,
            context,
            signer,
            keys,
            desk,
            closing: Stop::new(),
            refusals: Tally::default(),
            precedence: Precedence::default(),
            began,
        })
    }

    /// What controllers check our orders with, in hex: the live key, then the one for drills.
    pub fn public_keys(&self) -> String {
        self.signer.public_keys()
    }

    /// Which of a batch may be ordered at all; the others are settled.
    fn admit(
        &self,
        batch: &[Message],
        outcomes: &dyn Outcomes,
        is_id: fn(&str) -> bool,
    ) -> Vec<bool> {
        let now = self.context.clock.now();
        let mut admit = |(index, message): (usize, &Message)| {
            let variant = &message.variant;
            let failure = if variant.drill && !marked_as_drill(&variant.text) {
                unmarked()
            } else if !is_id(message.address.expose()) {
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

    /// How long an order may lie unfetched. A gateway that has just begun has nobody in a poll yet, and an attempt that
    /// ends before they are back says nothing about them.
    fn patience(&self) -> Duration {
        let age = self.context.clock.tick().saturating_sub(self.began);
        self.config.fetch_timeout + self.config.returning.saturating_sub(age)
    }

    pub(crate) fn maker<'a>(&'a self, pieces: &'a Pieces) -> Maker<'a> {
        Maker {
            config: &self.config,
            signer: &self.signer,
            keys: &self.keys,
            now: self.context.clock.now(),
            pieces,
        }
    }

    /// Signs the orders of a batch, lays them down for their devices and rings.
    fn lay(
        &self,
        batch: &[Message],
        (open, pieces): (&[bool], &Pieces),
        tell: &UnboundedSender<(usize, Outcome)>,
    ) -> Vec<Option<Arc<Sheet>>> {
        let maker = self.maker(pieces);
        let now = maker.now;
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

    /// Lays a batch down, has it pushed to whoever does not fetch, and tells each outcome as soon as it is known.
    pub(crate) async fn order<F: Future<Output = ()> + Send>(
        &self,
        batch: &[Message],
        outcomes: &dyn Outcomes,
        is_id: fn(&str) -> bool,
        push: impl FnOnce(Vec<Option<Arc<Sheet>>>) -> F,
    ) {
        let (tell, mut told) = unbounded_channel();
        let mut open = self.admit(batch, outcomes, is_id);
        let pieces = self.pieces(batch, &open).await;
        let sheets = self.lay(batch, (&open, &pieces), &tell);
        // Every waiter holds a clone; when the last is settled the queue ends.
        drop(tell);
        let pushing = push(sheets.clone());
        tokio::pin!(pushing);
        let mut pushed = false;
        let timer = tokio::time::sleep(self.patience());
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
                () = &mut pushing, if !pushed => pushed = true,
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

    /// Lays orders without a text down and rings for those who fetch.
    pub(crate) fn stand(&self, orders: Vec<Standing>) {
        let bells = self.desk.lock().stand(orders);
        for bell in bells {
            bell.notify_waiters();
        }
    }

    /// How often `sweep` is due.
    pub(crate) fn sweeps(&self) -> Interval {
        tokio::time::interval((self.config.silent_after / 4).max(Duration::from_millis(10)))
    }

    /// Forgets what has expired, and tells who has fallen silent.
    pub(crate) fn sweep(&self, silent_after: Duration) {
        let clock = &self.context.clock;
        let fallen = self
            .desk
            .lock()
            .sweep(clock.now(), clock.tick(), silent_after);
        for (device, word) in fallen {
            self.present(&device, PresenceState::Silent, word);
        }
    }

    pub(crate) fn present(&self, device: &str, state: PresenceState, code: String) {
        let seen = self.context.clock.now();
        self.context.inlet.presence(Presence {
            device: device.into(),
            state,
            code,
            seen,
        });
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
        self.order(batch, outcomes, is_plain, |_| std::future::ready(()))
            .await;
    }

    async fn run(&self, stop: Stop) {
        let mut sweep = self.sweeps();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweep.tick() => self.sweep(self.config.silent_after),
            }
        }
        self.closing.cancel();
    }

    fn command(&self, command: &Command) -> bool {
        self.stand(self.maker(&Pieces::default()).standing(command));
        true
    }

    fn shake(&self, quake: &Quake) -> bool {
        self.shaken(quake, is_plain, |_, _| {})
    }

    fn device(&self, device: &str) -> Option<DeviceState> {
        self.desk.lock().said(device)
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.refusals.all()
    }

    async fn serve(&self, request: Request) -> Reply {
        self.called(&request).await
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

pub(crate) struct One<'a>(pub &'a Mutex<Option<Result<Accepted, Failure>>>);

impl Outcomes for One<'_> {
    fn settle(&self, _index: usize, outcome: Result<Accepted, Failure>) {
        *self.0.lock() = Some(outcome);
    }
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
