//! What the tests of this crate share: a voice that needs no speech engine, and a channel that runs.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channel::testing::RecordingInlet;
use channel::{Address, Channel, Clock, Health, Key, Message, Stop, SystemClock, Variant, Verdict};
use voice::{Config, Speech, Trunk, Voice};

pub const USER: &str = "08160000000";

/// A tone of this many tenths of a second, 8,000 samples a second, as a WAV file; each tenth has another pitch.
pub fn tone(tenths: usize) -> Vec<u8> {
    let samples = (0..tenths * 800).flat_map(|n| {
        let half = 4 + n / 800 % 20;
        let sample: i16 = if n % (2 * half) < half { 6_000 } else { -6_000 };
        sample.to_le_bytes()
    });
    let data: Vec<u8> = samples.collect();
    let mut out =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0data"
            .to_vec();
    let length = u32::try_from(data.len()).unwrap();
    out[4..8].copy_from_slice(&(length + 36).to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend(data);
    out
}

/// Everything is said as this tone.
pub fn speech(folder: &Path, tenths: usize) -> Speech {
    let file = folder.join("tone.wav");
    std::fs::write(&file, tone(tenths)).unwrap();
    Speech {
        command: vec!["cat".to_owned(), file.display().to_string()],
        ..Speech::default()
    }
}

/// A trunk on this machine that gives up soon.
pub fn config(port: u16, folder: &Path) -> Config {
    let trunk = Trunk {
        ring: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        wait: Duration::from_millis(300),
        plays: 1,
        ..Trunk::new("127.0.0.1", port, IpAddr::V4(Ipv4Addr::LOCALHOST), USER)
    };
    Config {
        heard: Duration::from_millis(500),
        speech: speech(folder, 10),
        ..Config::with_trunk(4, trunk)
    }
}

pub fn message(number: u32) -> Message {
    let now = SystemClock::default().now();
    Message {
        key: Key {
            alert: 7,
            delivery: number,
            generation: 0,
        },
        serial: u64::from(number),
        variant: Arc::new(Variant::new("zh-CN", "t", "暴雨红色预警。")),
        address: Address::new(format!("0816-0{number:06}")),
        expires: now.plus(Duration::from_mins(30)),
        repeat: false,
    }
}

/// A channel whose `run` runs.
pub struct Running {
    pub voice: Arc<Voice>,
    pub inlet: Arc<RecordingInlet>,
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub fn start(config: Config) -> Self {
        let (context, inlet) = channel::testing::context("voice");
        let voice = Arc::new(Voice::new(config, context).unwrap());
        let stop = Stop::new();
        let task = tokio::spawn({
            let (voice, stop) = (voice.clone(), stop.clone());
            async move { voice.run(stop).await }
        });
        Self {
            voice,
            inlet,
            stop,
            task,
        }
    }

    /// The receipts' codes, with what they lift.
    pub fn told(&self) -> String {
        let mut out = String::new();
        for receipt in self.inlet.receipts.lock().iter() {
            let evidence = match receipt.verdict {
                Verdict::Reached(evidence) => format!("={evidence:?}"),
                Verdict::Refused(class) => format!("!{class:?}"),
                Verdict::Progress => String::new(),
            };
            write!(out, "{}{evidence}; ", receipt.code).unwrap();
        }
        out
    }

    pub async fn up(&self) {
        until("the trunk is up", || self.voice.health() == Health::Up).await;
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
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
