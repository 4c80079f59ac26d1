//! Controllers that do not exist: up to some thousand of them, one task each, over real HTTP. They check each order
//! as a good controller does, and then behave as their script says. For tests and the demo; never a part of the
//! gateway.

mod memory;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, PresenceState, Stop};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;

use crate::Line;
use crate::order::{Order, Played, Refusal, Signed, Verifier, Window};
use crate::report::{Heartbeat, PlayState, Report, Source};
use memory::{Kept, Memory};

/// How one controller behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Plays the whole text and says so.
    Plays,
    /// Never calls: no power, no network.
    Dead,
    /// Fetches, and reports a failure with this code.
    Fails(String),
    /// Is cut off after this share of the text, in hundredths.
    PlaysPart(u32),
    /// Plays, and no report of it ever arrives.
    ReportLost,
    /// Takes four times as long for everything.
    Slow,
    /// Fetches once and never polls again, though its heart beats.
    Stalls,
    /// Fetches once and is gone.
    Vanishes,
}

type Script = dyn Fn(&str) -> Manner + Send + Sync;

#[derive(Clone)]
pub struct Settings {
    /// Up to and with the channel: `http://127.0.0.1:PORT/v1/channels/NAME`.
    pub base: String,
    /// The channel's secret, from which each device's key comes.
    pub secret: String,
    /// The gateway's Ed25519 keys, in hex.
    pub public_keys: String,
    pub devices: Vec<String>,
    /// How long a play takes, give or take a tenth by seed and device.
    pub play: Duration,
    /// How long a poll waits at most; whole seconds.
    pub wait: Duration,
    pub heartbeat: Duration,
    pub seed: u64,
    pub script: Arc<Script>,
    /// What the controllers took and have not reported is kept here over a restart.
    pub memory: Option<PathBuf>,
}

impl Settings {
    /// Controllers that all play, quickly.
    pub fn new(base: &str, secret: &str, public_keys: &str, devices: Vec<String>) -> Self {
        Self {
            base: base.to_owned(),
            secret: secret.to_owned(),
            public_keys: public_keys.to_owned(),
            devices,
            play: Duration::from_millis(50),
            wait: Duration::from_secs(25),
            heartbeat: Duration::from_secs(30),
            seed: 1,
            script: Arc::new(|_| Manner::Plays),
            memory: None,
        }
    }
}

/// What a controller heard and did with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    pub device: String,
    pub order: String,
    pub counter: u64,
    pub drill: bool,
    pub played: bool,
}

#[derive(Default)]
struct Log {
    heard: Mutex<Vec<Heard>>,
    refused: Mutex<Vec<(String, Refusal)>>,
}

/// Running controllers; they stop when this is dropped.
pub struct Peer {
    log: Arc<Log>,
    stop: Stop,
}

impl Peer {
    /// Must be called in a tokio runtime.
    ///
    /// # Panics
    /// When the public keys are no keys, or the memory cannot be read.
    pub fn start(settings: &Settings, clock: &Arc<dyn Clock>) -> Self {
        let http = HttpClient::new(settings.wait + Duration::from_secs(20));
        let peer = Self {
            log: Arc::default(),
            stop: Stop::new(),
        };
        let opened = settings.memory.as_deref().map(Memory::open).transpose();
        let (memory, mut kept) = opened
            .expect("the controllers' memory can be read and written")
            .unwrap_or_default();
        let memory = Arc::new(memory);
        for device in &settings.devices {
            let manner = (settings.script)(device);
            if manner == Manner::Dead {
                continue;
            }
            let mut random = fastrand::Rng::with_seed(settings.seed ^ number(device));
            let slow = if manner == Manner::Slow { 4 } else { 1 };
            let controller = Controller {
                line: Line::new(
                    http.clone(),
                    &settings.base,
                    device,
                    &crate::device_key(&settings.secret, device),
                ),
                verifier: Verifier::new(device, &settings.public_keys)
                    .expect("the public keys are 64 bytes in hex"),
                play: settings.play * random.u32(90..=110) / 100 * slow,
                pause: Duration::from_millis(random.u64(500..1500)),
                first_beat: settings.heartbeat * random.u32(1..=100) / 100,
                wait: settings.wait,
                heartbeat: settings.heartbeat,
                manner,
                clock: clock.clone(),
                log: peer.log.clone(),
                memory: memory.clone(),
            };
            let kept = kept.remove(device).unwrap_or_default();
            let stop = peer.stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = controller.live(kept) => {}
                }
            });
        }
        peer
    }

    /// Every order that some controller took, in the order in which it was over.
    pub fn heard(&self) -> Vec<Heard> {
        self.log.heard.lock().clone()
    }

    /// Every order that some controller refused, and why.
    pub fn refused(&self) -> Vec<(String, Refusal)> {
        self.log.refused.lock().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// FNV-1a: the same number for the same device on every machine.
fn number(device: &str) -> u64 {
    device.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

struct Controller {
    line: Line,
    verifier: Verifier,
    manner: Manner,
    play: Duration,
    pause: Duration,
    first_beat: Duration,
    wait: Duration,
    heartbeat: Duration,
    clock: Arc<dyn Clock>,
    log: Arc<Log>,
    memory: Arc<Memory>,
}

type Play<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Controller {
    async fn live(&self, kept: Kept) {
        let mut window = kept.window;
        let mut played = Played::default();
        let mut plays: FuturesUnordered<Play<'_>> = FuturesUnordered::new();
        if self.share() >= 100 {
            kept.taken.iter().for_each(|order| played.keep(order));
        }
        for order in kept.open {
            plays.push(Box::pin(self.play(order)));
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
                        plays.push(Box::pin(self.play(order)));
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

    /// One long poll. After a failure, or when all it brings is refused, the next one waits.
    async fn fetch(&self, window: Window) -> Vec<Signed> {
        match self.line.poll(&window, self.wait).await {
            Ok(orders)
                if orders.iter().any(|order| {
                    self.verifier
                        .verify(order, &window, self.clock.now())
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
        match self.verifier.verify(signed, window, self.clock.now()) {
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
        tokio::time::sleep(self.play * part / 100).await;
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
        if matches!(
            self.manner,
            Manner::ReportLost | Manner::Stalls | Manner::Vanishes
        ) {
            return;
        }
        let code = match (&self.manner, state) {
            (Manner::Fails(code), PlayState::Failed) => code.clone(),
            _ => String::new(),
        };
        let report = Report {
            device: self.line.device().to_owned(),
            order: Some(order.order.clone()),
            state,
            whole,
            source: Source::Gateway,
            seconds: u32::try_from(self.play.as_secs()).unwrap_or(u32::MAX),
            code,
            at: Some(self.clock.now()),
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
            device: self.line.device().to_owned(),
            state,
            clock: Some(self.clock.now()),
            volume: Some(80),
        };
        // A lost heartbeat is not made good: the next one comes.
        let _ = self.line.heartbeat(&beat).await;
    }
}
