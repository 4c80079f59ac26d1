//! A channel at a modem that runs, and messages for it.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Address, Channel, Clock, Health, Key, Message, Stop, SystemClock, Variant};
use satellite::pdu::{Alphabet, Deliver, Number, UserData};
use satellite::peer::ModemPeer;
use satellite::{Modem, ModemConfig, Port};

/// A modem on this machine that is given up soon and is hurried.
pub fn config(peer: &ModemPeer) -> ModemConfig {
    ModemConfig {
        pause: Duration::from_millis(10),
        timeout: Duration::from_secs(1),
        send_timeout: Duration::from_secs(1),
        probe: Duration::from_millis(200),
        again: Duration::from_millis(200),
        ..ModemConfig::new(Port::tcp(peer.address().to_string()))
    }
}

pub fn message(number: u32, text: &str) -> Message {
    let now = SystemClock::default().now();
    Message {
        key: Key {
            alert: 7,
            delivery: number,
            generation: 0,
        },
        serial: u64::from(number),
        variant: Arc::new(Variant::new("zh-CN", "t", text)),
        address: Address::new(format!("174{number:08}")),
        expires: now.plus(Duration::from_mins(30)),
        repeat: false,
    }
}

/// What the first phone writes.
pub fn reply(text: &str) -> Deliver {
    Deliver {
        from: Number::parse("+8617400000001").unwrap(),
        at: Some(channel::Timestamp::from_secs(1_783_990_800)),
        user: UserData {
            alphabet: Alphabet::Ucs2,
            header: Vec::new(),
            data: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        },
    }
}

/// A channel whose `run` runs.
pub struct Running {
    pub modem: Arc<Modem>,
    pub inlet: Arc<RecordingInlet>,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start(config: ModemConfig) -> Self {
        let (context, inlet) = channel::testing::context("tiantong");
        let modem = Arc::new(Modem::new(config, context).unwrap());
        let stop = Stop::new();
        let task = tokio::spawn({
            let (modem, stop) = (modem.clone(), stop.clone());
            async move { modem.run(stop).await }
        });
        Self {
            modem,
            inlet,
            stop,
            task,
        }
    }

    pub async fn up(&self) {
        until("the modem is up", || self.modem.health() == Health::Up).await;
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Why it is down; empty where it is up.
pub fn said(running: &Running) -> String {
    match running.modem.health() {
        Health::Up => String::new(),
        Health::Failing(why) | Health::Down(why) => why,
    }
}

pub async fn until(what: &str, is: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come about in ten seconds: {what}");
}
