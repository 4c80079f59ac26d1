//! A channel at a terminal that runs, and messages for it.

use std::sync::Arc;
use std::time::Duration;

use channel::testing::{Behaviour, RecordingInlet};
use channel::{Address, Channel, Clock, Health, Key, Message, Secret, Stop, SystemClock, Variant};
use satellite::peer::{Scene, TerminalPeer};
use satellite::rdss::{Shape, Version};
use satellite::{Port, Rdss, RdssConfig};

use super::modem::until;

pub const KEY: &str = "a key of the tests";

pub fn scene(behaviour: Behaviour, version: Version) -> Scene {
    Scene {
        behaviour,
        version,
        interval: 0,
        key: KEY.to_owned(),
        status: 3,
    }
}

/// A terminal on this machine that is given up soon, in the compact form.
pub fn config(peer: &TerminalPeer, version: Version) -> RdssConfig {
    RdssConfig {
        version,
        shape: Shape::Compact,
        key: Some(Secret::new(KEY)),
        interval: Duration::ZERO,
        timeout: Duration::from_secs(1),
        probe: Duration::from_millis(200),
        again: Duration::from_millis(200),
        ..RdssConfig::new(Port::tcp(peer.address().to_string()))
    }
}

pub fn message(number: u32, text: &str) -> Message {
    let now = SystemClock::default().now();
    let mut variant = Variant::new("zh-CN", "t", text);
    "11A51".clone_into(&mut variant.event);
    variant.level = channel::Level::Red;
    Message {
        key: Key {
            alert: 7,
            delivery: number,
            generation: 0,
        },
        serial: 0x0005_1000 + u64::from(number),
        variant: Arc::new(variant),
        address: Address::new(format!("{:07}", 242_286 + number)),
        expires: now.plus(Duration::from_mins(30)),
        repeat: false,
    }
}

/// A channel whose `run` runs.
pub struct Running {
    pub rdss: Arc<Rdss>,
    pub inlet: Arc<RecordingInlet>,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub async fn start(config: RdssConfig) -> Self {
        let (context, inlet) = channel::testing::context("beidou");
        let rdss = Arc::new(Rdss::new(config, context).unwrap());
        let stop = Stop::new();
        let task = tokio::spawn({
            let (rdss, stop) = (rdss.clone(), stop.clone());
            async move { rdss.run(stop).await }
        });
        let running = Self {
            rdss,
            inlet,
            stop,
            task,
        };
        until("the terminal is up", || running.rdss.health() == Health::Up).await;
        running
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
