//! One controller that does not exist: its polls, plays and reports, as its manner says. This module must not be better
//! than a real box: what it forgets, a real one forgets.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use channel::{Alarm, Power, PresenceState};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::memory::{Kept, Memory};
use super::{Heard, Log, Manner, Settings, Shaken};
use crate::order::{Order, Played, SELF_TEST, Signed, Verifier, Window};
use crate::report::{Heartbeat, PlayState, Report, Source};
use crate::{Line, LineError};

/// FNV-1a: the same number for the same device on every machine.
fn number(device: &str) -> u64 {
    device.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub(super) struct Controller {
    line: Line,
    verifier: Verifier,
    manner: Manner,
    play: Duration,
    pause: Duration,
    first_beat: Duration,
    wait: Duration,
    heartbeat: Duration,
    log: Arc<Log>,
    memory: Arc<Memory>,
    stops: Mutex<Vec<Order>>,
    /// The earthquakes that have begun here.
    quakes: Mutex<Vec<String>>,
    stopped: Notify,
}

type Play<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Controller {
    pub fn new(
        settings: &Settings,
        line: Line,
        manner: Manner,
        log: &Arc<Log>,
        memory: &Arc<Memory>,
    ) -> Self {
        let device = line.device();
        let mut random = fastrand::Rng::with_seed(settings.seed ^ number(device));
        let slow = if manner == Manner::Slow { 4 } else { 1 };
        Self {
            verifier: Verifier::new(device, &settings.public_keys)
                .expect("the public keys are 64 bytes in hex"),
            play: settings.play * random.u32(90..=110) / 100 * slow,
            pause: Duration::from_millis(random.u64(500..1500)),
            first_beat: settings.heartbeat * random.u32(1..=100) / 100,
            wait: settings.wait,
            heartbeat: settings.heartbeat,
            manner,
            line,
            log: log.clone(),
            memory: memory.clone(),
            stops: Mutex::default(),
            quakes: Mutex::default(),
            stopped: Notify::new(),
        }
    }

    /// Until the gateway has said yes or no.
    pub async fn enrol(&self, code: Option<String>) {
        let Some(code) = code else { return };
        loop {
            match self.line.enrol(&code).await {
                Ok(_) | Err(LineError::Refused { status: 403, .. }) => return,
                Err(_) => tokio::time::sleep(self.pause).await,
            }
        }
    }

    pub async fn live(&self, kept: Kept) {
        let mut window = kept.window;
        let mut played = Played::default();
        let mut plays: FuturesUnordered<Play<'_>> = FuturesUnordered::new();
        if self.share() >= 100 {
            kept.taken.iter().for_each(|order| played.keep(order));
        }
        for order in kept.open {
            plays.push(self.meet(order));
        }
        let mut beat = tokio::time::interval(self.heartbeat);
        beat.reset_after(self.first_beat);
        let (mut polls, mut fetched) = (true, window != Window::default());
        let poll = self.fetch(window.clone());
        tokio::pin!(poll);
        loop {
            tokio::select! {
                orders = &mut poll, if polls => {
                    for signed in orders {
                        let Some(order) = self.check(&signed, &window) else { continue };
                        window.take(order.counter);
                        fetched = true;
                        self.memory.took(self.line.device(), &order);
                        if played.has(&order.order) {
                            plays.push(Box::pin(self.report_again(order)));
                            continue;
                        }
                        if self.share() >= 100 {
                            played.keep(&order.order);
                        }
                        plays.push(self.meet(order));
                    }
                    match self.manner {
                        Manner::Vanishes if fetched => return,
                        Manner::Stalls if fetched => polls = false,
                        _ => poll.set(self.fetch(window.clone())),
                    }
                }
                Some(()) = plays.next(), if !plays.is_empty() => {}
                _ = beat.tick() => self.beat(!plays.is_empty()).await,
            }
        }
    }

    fn meet(&self, order: Order) -> Play<'_> {
        if order.is_quake() {
            Box::pin(self.shake(order))
        } else if order.sounds() {
            Box::pin(self.play(order))
        } else {
            Box::pin(self.obey(order))
        }
    }

    /// Takes note of it, and says what a good box would make of it.
    async fn shake(&self, order: Order) {
        self.log.shaken.lock().push(Shaken {
            device: self.line.device().to_owned(),
            event: order.target.clone(),
            report: order.value,
            drill: order.drill,
            tremor: order.quake,
            at: self.line.now(),
        });
        let begun = self.quakes.lock().contains(&order.target);
        if order.quake.is_some() && !begun {
            self.quakes.lock().push(order.target.clone());
        }
        let code = match (order.quake.map(|tremor| tremor.alarm), order.drill) {
            (None, _) if begun => "stopped",
            (None, _) => "not-begun",
            (Some(Alarm::Red | Alarm::Orange), _) => "sounds",
            (Some(Alarm::Notice), _) => "notice",
            (Some(Alarm::Machine), false) => "acts",
            (Some(Alarm::Machine), true) => "held",
        };
        self.told(&order, PlayState::Done, false, code).await;
    }

    async fn obey(&self, order: Order) {
        self.log
            .obeyed
            .lock()
            .push((self.line.device().to_owned(), order.kind.clone()));
        self.stops.lock().push(order.clone());
        self.stopped.notify_waiters();
        // A box whose amplifier is broken finds that without a sound.
        let broken = order.kind == SELF_TEST && matches!(self.manner, Manner::Fails(_));
        let state = if broken {
            PlayState::Failed
        } else {
            PlayState::Done
        };
        self.report(&order, state, false).await;
    }

    /// Ready when an order has ended this one.
    async fn is_stopped(&self, order: &Order) {
        loop {
            let bell = self.stopped.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            let stops = |stop: &Order| stop.stops(&order.order) && order.counter < stop.counter;
            if self.stops.lock().iter().any(stops) {
                return;
            }
            bell.await;
        }
    }

    /// One long poll. After a failure, or when all it brings is refused, the next one waits.
    async fn fetch(&self, window: Window) -> Vec<Signed> {
        match self.line.poll(&window, self.wait).await {
            Ok(orders)
                if orders.iter().any(|order| {
                    self.verifier
                        .verify(order, &window, self.line.now())
                        .is_ok()
                }) =>
            {
                orders
            }
            Ok(orders) if orders.is_empty() => orders,
            Ok(orders) => {
                tokio::time::sleep(self.pause).await;
                orders
            }
            Err(_) => {
                tokio::time::sleep(self.pause).await;
                Vec::new()
            }
        }
    }

    fn check(&self, signed: &Signed, window: &Window) -> Option<Order> {
        match self.verifier.verify(signed, window, self.line.now()) {
            Ok(order) => Some(order),
            Err(refusal) => {
                self.log
                    .refused
                    .lock()
                    .push((self.line.device().to_owned(), refusal));
                None
            }
        }
    }

    /// How much of a text it plays, in hundredths.
    fn share(&self) -> u32 {
        match &self.manner {
            Manner::PlaysPart(hundredths) => *hundredths,
            Manner::Stalls | Manner::Vanishes | Manner::Fails(_) => 0,
            _ => 100,
        }
    }

    async fn report_again(&self, order: Order) {
        self.report(&order, PlayState::Played, true).await;
    }

    async fn play(&self, order: Order) {
        let part = self.share();
        self.report(&order, PlayState::Playing, false).await;
        tokio::select! {
            () = tokio::time::sleep(self.play * part / 100) => {}
            () = self.is_stopped(&order) => {
                self.report(&order, PlayState::Stopped, false).await;
                return;
            }
        }
        self.log.heard.lock().push(Heard {
            device: self.line.device().to_owned(),
            order: order.order.clone(),
            counter: order.counter,
            drill: order.drill,
            played: part >= 100,
        });
        let state = if matches!(self.manner, Manner::Fails(_)) {
            PlayState::Failed
        } else {
            PlayState::Played
        };
        self.report(&order, state, part >= 100).await;
    }

    /// Reports until the gateway has taken it, as long as it is worth it.
    async fn report(&self, order: &Order, state: PlayState, whole: bool) {
        let code = match (&self.manner, state) {
            (Manner::Fails(code), PlayState::Failed) => code,
            _ => "",
        };
        self.told(order, state, whole, code).await;
    }

    async fn told(&self, order: &Order, state: PlayState, whole: bool, code: &str) {
        if matches!(
            self.manner,
            Manner::ReportLost | Manner::Stalls | Manner::Vanishes
        ) {
            return;
        }
        let report = Report {
            order: Some(order.order.clone()),
            state,
            whole,
            source: Source::Network,
            seconds: u32::try_from(self.play.as_secs()).unwrap_or(u32::MAX),
            code: code.to_owned(),
            at: Some(self.line.now()),
        };
        let tries = if state == PlayState::Playing { 1 } else { 100 };
        for _ in 0..tries {
            if self.line.report(&report).await.is_ok() {
                if state != PlayState::Playing {
                    self.memory.told(self.line.device(), &order.order);
                }
                return;
            }
            tokio::time::sleep(self.pause).await;
        }
    }

    async fn beat(&self, playing: bool) {
        let state = if playing {
            PresenceState::Playing
        } else {
            PresenceState::Idle
        };
        let beat = Heartbeat {
            state,
            clock: Some(self.line.now()),
            volume: Some(80),
            power: Some(Power::Mains),
            ..Heartbeat::idle()
        };
        // A lost heartbeat is not made good: the next one comes.
        let _ = self.line.heartbeat(&beat).await;
    }
}
