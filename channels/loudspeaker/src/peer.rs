//! Controllers that do not exist: up to some thousand of them, one task each, over real HTTP or a real broker. They check each order
//! as a good controller does, and then behave as their script says. For tests and the demo; never a part of the
//! gateway.

mod controller;
mod memory;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, Stop, Timestamp};
use parking_lot::Mutex;

use crate::mqtt::{Broker, Pipe};
use crate::order::{Refusal, Tremor, Verifier};
use crate::{DeviceKey, Line};
use controller::Controller;
use memory::Memory;

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
    /// From this each device's own key is made, so that a restart finds it again.
    pub secret: String,
    /// Who has to enrol first, with which code.
    pub codes: HashMap<String, String>,
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
    /// The broker and the channel's name there, for controllers that make their calls over one; each is its own user.
    pub broker: Option<(Broker, String)>,
    /// What the controllers took and have not reported is kept here over a restart.
    pub memory: Option<PathBuf>,
}

impl Settings {
    /// Controllers that all play, quickly.
    pub fn new(base: &str, secret: &str, public_keys: &str, devices: Vec<String>) -> Self {
        Self {
            base: base.to_owned(),
            secret: secret.to_owned(),
            codes: HashMap::new(),
            public_keys: public_keys.to_owned(),
            devices,
            play: Duration::from_millis(50),
            wait: Duration::from_secs(25),
            heartbeat: Duration::from_secs(30),
            seed: 1,
            script: Arc::new(|_| Manner::Plays),
            broker: None,
            memory: None,
        }
    }
}

/// The key that a device of this peer has.
///
/// # Panics
/// Never: a digest is a seed.
pub fn device_key(secret: &str, device: &str) -> DeviceKey {
    let text = format!("{secret}\n{device}");
    let seed = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    DeviceKey::from_seed(&hex::encode(seed)).expect("a digest has 32 bytes")
}

fn line(settings: &Settings, http: &HttpClient, device: &str, clock: &Arc<dyn Clock>) -> Line {
    let key = device_key(&settings.secret, device);
    let Some((broker, channel)) = &settings.broker else {
        return Line::new(http.clone(), &settings.base, device, key, clock.clone());
    };
    let verifier = Verifier::new(device, &settings.public_keys).expect("the gateway's keys");
    let broker = Broker {
        user: broker.password.as_ref().map(|_| device.to_owned()),
        ..broker.clone()
    };
    let pipe = Pipe::open(&broker, channel, verifier).expect("a broker's settings");
    Line::over_mqtt(Arc::new(pipe), device, key, clock.clone())
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

/// A report on an earthquake that a controller took, or a cancel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shaken {
    pub device: String,
    pub event: String,
    pub report: u32,
    pub drill: bool,
    /// None of a cancel.
    pub tremor: Option<Tremor>,
    pub at: Timestamp,
}

#[derive(Default)]
struct Log {
    heard: Mutex<Vec<Heard>>,
    obeyed: Mutex<Vec<(String, String)>>,
    shaken: Mutex<Vec<Shaken>>,
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
            let line = line(settings, &http, device, clock);
            let controller = Controller::new(settings, line, manner, &peer.log, &memory);
            let code = settings.codes.get(device).cloned();
            let kept = kept.remove(device).unwrap_or_default();
            let stop = peer.stop.clone();
            tokio::spawn(async move {
                let living = async {
                    controller.enrol(code).await;
                    controller.live(kept).await;
                };
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = living => {}
                }
            });
        }
        peer
    }

    /// Every order that some controller took, in the order in which it was over.
    pub fn heard(&self) -> Vec<Heard> {
        self.log.heard.lock().clone()
    }

    /// Every order without a text that some controller carried out: device and kind.
    pub fn obeyed(&self) -> Vec<(String, String)> {
        self.log.obeyed.lock().clone()
    }

    /// Every word on an earthquake that some controller took, in the order in which they came.
    pub fn shaken(&self) -> Vec<Shaken> {
        self.log.shaken.lock().clone()
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
