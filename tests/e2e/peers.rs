//! The far ends, in this process, so that they outlive a killed gateway: an SMSC that remembers every text, a mail server
//! and the loudspeakers' controllers. A number's first four digits tell what becomes of a text to it. This module must
//! not know what the gateway thinks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use channel::testing::free_port;
use channel::{Clock, SystemClock};
use loudspeaker::peer::Manner;
use parking_lot::Mutex;
use sms::peer::{Peer, PeerConfig, Report, Submit, Verdict};

pub const ACCOUNT: &str = "bureau";
pub const PASSWORD: &str = "pass";
pub const SPEAKER_SECRET: &str = "no secret, these speakers do not exist";
pub const GATEWAY_SEED: &str = "7e57000000000000000000000000000000000000000000000000000000000002";

const ESME_RSYSERR: u32 = 0x08;
const ESME_RINVDSTADR: u32 = 0x0B;

/// What a text's number says.
fn fate(submit: &Submit<'_>) -> Verdict {
    match submit.dest.get(..4) {
        Some("0002") => Verdict::refused(ESME_RINVDSTADR),
        Some("0003") => Verdict::lost(),
        Some("0004") if submit.attempt <= 1 => Verdict::refused(ESME_RSYSERR),
        Some("0005") => Verdict::reported(Report {
            after: Duration::from_millis(100),
            stat: "EXPIRED",
            error: 27,
        }),
        _ => Verdict::delivered(Duration::from_millis(50)),
    }
}

/// One text that came in, its parts joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub to: String,
    pub attempt: u32,
    pub body: String,
    pub taken: bool,
}

/// Parts of one text: what each says, and whether it was taken.
type Parts = BTreeMap<u8, (String, bool)>;
type Texts = Mutex<BTreeMap<(String, u32), Parts>>;

#[derive(Default)]
struct Memory {
    texts: Texts,
    /// While it is set nothing is answered.
    mute: AtomicBool,
}

/// An SMSC whose memory outlives its stops.
pub struct Smsc {
    memory: Arc<Memory>,
    config: PeerConfig,
    peer: Option<Peer>,
}

impl Smsc {
    pub async fn start(rate: Option<u32>) -> Self {
        let memory = Arc::new(Memory::default());
        let kept = memory.clone();
        let script = move |submit: &Submit<'_>| {
            let verdict = if kept.mute.load(Ordering::SeqCst) {
                Verdict::silent()
            } else {
                fate(submit)
            };
            let place = (submit.dest.to_owned(), submit.attempt);
            let part = (decoded(submit), verdict.status == 0);
            kept.texts
                .lock()
                .entry(place)
                .or_default()
                .insert(submit.part.0, part);
            verdict
        };
        let config = PeerConfig {
            account: Some((ACCOUNT.into(), PASSWORD.into())),
            rate,
            script: Some(Arc::new(script)),
            resend: Duration::from_secs(1),
            port: free_port(),
            ..PeerConfig::default()
        };
        let mut smsc = Self {
            memory,
            config,
            peer: None,
        };
        smsc.up().await;
        smsc
    }

    /// Listens, on the port of the first time.
    pub async fn up(&mut self) {
        let peer = Peer::start(self.config.clone()).await.expect("a free port");
        self.peer = Some(peer);
    }

    /// Closes its port and every session.
    pub async fn down(&mut self) {
        if let Some(peer) = self.peer.take() {
            peer.stop().await;
        }
    }

    /// A person writes to the bureau's number.
    pub fn reply(&self, from: &str, text: &str) {
        let peer = self.peer.as_ref().expect("it is up");
        peer.reply(from, "10690000", text);
    }

    /// From now on another protocol, on the port of before.
    pub fn speak(&mut self, speaks: sms::peer::Speaks) {
        self.config.speaks = speaks;
    }

    pub fn mute(&self, mute: bool) {
        self.memory.mute.store(mute, Ordering::SeqCst);
    }

    pub fn port(&self) -> u16 {
        self.config.port
    }

    pub fn counters(&self) -> sms::peer::PeerCounters {
        self.peer.as_ref().map(Peer::counters).unwrap_or_default()
    }

    /// Everything that ever came in.
    pub fn texts(&self) -> Vec<Text> {
        let texts = self.memory.texts.lock();
        let joined = |((to, attempt), parts): (&(String, u32), &Parts)| Text {
            to: to.clone(),
            attempt: *attempt,
            body: parts.values().map(|(text, _)| text.as_str()).collect(),
            taken: parts.values().all(|(_, taken)| *taken),
        };
        texts.iter().map(joined).collect()
    }

    /// The texts to one number, in their order.
    pub fn to(&self, number: &str) -> Vec<String> {
        let texts = self.texts().into_iter();
        texts.filter(|t| t.to == number).map(|t| t.body).collect()
    }

    /// How many texts each number took.
    pub fn taken(&self) -> BTreeMap<String, usize> {
        let mut taken = BTreeMap::new();
        for text in self.texts().into_iter().filter(|text| text.taken) {
            *taken.entry(text.to).or_default() += 1;
        }
        taken
    }
}

fn decoded(submit: &Submit<'_>) -> String {
    if submit.data_coding == 8 {
        let units = submit.text.chunks_exact(2);
        let units: Vec<u16> = units.map(|u| u16::from_be_bytes([u[0], u[1]])).collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(submit.text).into_owned()
    }
}

/// What a speaker's id says.
fn manner(device: &str) -> Manner {
    match device.split('-').nth(1) {
        Some("FAILS") => Manner::Fails("no-power".into()),
        Some("LOST") => Manner::ReportLost,
        Some("DEAD") => Manner::Dead,
        _ => Manner::Plays,
    }
}

/// The controllers of these devices, calling the gateway at `base`.
pub fn controllers(
    base: &str,
    devices: Vec<String>,
    codes: HashMap<String, String>,
) -> loudspeaker::peer::Peer {
    let base = format!("{base}/v1/channels/horn");
    start(&loudspeaker::peer::Settings {
        codes,
        ..boxes(&base, devices)
    })
}

/// The same devices, enrolled already, behind a broker where the gateway's channel is called so.
pub fn behind(
    broker: loudspeaker::mqtt::Broker,
    channel: &str,
    devices: Vec<String>,
) -> loudspeaker::peer::Peer {
    start(&loudspeaker::peer::Settings {
        broker: Some((broker, channel.to_owned())),
        ..boxes("", devices)
    })
}

fn boxes(base: &str, devices: Vec<String>) -> loudspeaker::peer::Settings {
    let key = loudspeaker::order::Signer::from_seed(GATEWAY_SEED)
        .expect("a seed")
        .public_keys();
    loudspeaker::peer::Settings {
        script: Arc::new(manner),
        ..loudspeaker::peer::Settings::new(base, SPEAKER_SECRET, &key, devices)
    }
}

fn start(settings: &loudspeaker::peer::Settings) -> loudspeaker::peer::Peer {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    loudspeaker::peer::Peer::start(settings, &clock)
}
