//! Terminals in the hills: each a line of its own to the gateway and the player that a maker of controllers is given, with
//! somebody who writes down what is heard. This module must not know what should be heard.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, HttpClient, SystemClock};
use loudspeaker::machine::{self, Deed, Machine};
use loudspeaker::order::{Verifier, Window};
use loudspeaker::player::{Kept, Player, Say, Turn};
use loudspeaker::{DeviceKey, Line};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::feed::{EPICENTRE, Feed};
use crate::county::{self, VILLAGE_A1};
use crate::gateway::{Gateway, Setup};
use crate::peers;
use crate::setup::hours_from_now;

/// So long a voice takes over a sentence.
const SENTENCE: i64 = 1_500;
const LOOK: Duration = Duration::from_millis(50);

/// Where the terminals stand.
pub struct Field {
    feed: String,
    pub horns: Vec<(String, (f64, f64))>,
    pub machines: Vec<String>,
}

/// The key of a machine, which is pinned and not enrolled.
pub fn machine_key(device: &str) -> DeviceKey {
    loudspeaker::peer::device_key("machines of these tests", device)
}

impl Field {
    /// Loudspeakers at these kilometres due north of the epicentre, and machines at 30.
    pub fn new(feed: &Feed, horns: &[(&str, f64)], machines: &[&str]) -> Self {
        let north = |km: f64| (EPICENTRE.0 + km / 110.91, EPICENTRE.1);
        let horns = horns
            .iter()
            .map(|(name, km)| ((*name).to_owned(), north(*km)));
        Self::at(feed, horns.collect(), machines)
    }

    pub fn at(feed: &Feed, horns: Vec<(String, (f64, f64))>, machines: &[&str]) -> Self {
        Self {
            feed: feed.key(),
            horns,
            machines: machines.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    pub fn setup(&self) -> Setup {
        let mut files = county::small();
        let mut endpoints = files["endpoints"].clone();
        let mut speakers =
            files["speakers"].replace("endpoint,village,name", "endpoint,village,name,lat,lon");
        speakers = speakers
            .lines()
            .map(|line| {
                if line.starts_with("30") {
                    format!("{line},,\n")
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        for (n, (name, (lat, lon))) in (1000..).zip(&self.horns) {
            writeln!(endpoints, "{n},,speaker,{name}").expect("a String takes all");
            writeln!(speakers, "{n},{VILLAGE_A1},{name},{lat},{lon}").expect("a String takes all");
        }
        files.insert("endpoints", endpoints);
        files.insert("speakers", speakers);
        let mut more = format!(
            "\n[earthquake]\nspeed = 3.5\n[[earthquake.feed]]\nname = \"province\"\nkey = \"{}\"\n",
            self.feed
        );
        for name in &self.machines {
            let (lat, lon) = (EPICENTRE.0 + 30.0 / 110.91, EPICENTRE.1);
            let key = hex::encode(machine_key(name).public());
            writeln!(
                more,
                "[[earthquake.subscriber]]\ndevice = \"{name}\"\nname = \"{name}\"\nchannel = \"horn\"\nkey = \"{key}\"\nlat = {lat}\nlon = {lon}"
            )
            .expect("a String takes all");
        }
        Setup {
            files,
            more,
            // It was a quarter past two.
            night: Some(hours_from_now(-1, 3)),
            log: "warn",
            ..Setup::default()
        }
    }

    /// A one-time code for each loudspeaker.
    pub async fn codes(&self, gateway: &Gateway) -> HashMap<String, String> {
        let names: Vec<_> = self.horns.iter().map(|(name, _)| name.clone()).collect();
        gateway.codes(&names).await
    }

    pub async fn connect(&self, gateway: &Gateway, names: &[&str]) -> Vec<Box_> {
        let codes = self.codes(gateway).await;
        let mut boxes = Vec::new();
        for name in names {
            boxes.push(Box_::start(gateway, self, name, &codes).await);
        }
        boxes
    }
}

/// What somebody beside it has heard, and when.
#[derive(Default)]
pub struct Log {
    /// The siren, or a voice, from then until then.
    pub spans: Vec<(i64, Option<i64>)>,
    pub said: Vec<(i64, String)>,
    /// The first answer with an order had come.
    pub got: Vec<i64>,
}

/// A controller that has enrolled and is not in a poll yet.
pub struct Enrolled {
    line: Line,
    name: String,
}

/// A controller at work; it ends with this.
pub struct Box_ {
    pub name: String,
    pub log: Arc<Mutex<Log>>,
    work: JoinHandle<()>,
}

impl Drop for Box_ {
    fn drop(&mut self) {
        self.work.abort();
    }
}

pub fn line(gateway: &Gateway, name: &str, key: DeviceKey) -> Line {
    let http = HttpClient::of_the_house(Duration::from_secs(40));
    let base = format!("{}/v1/channels/horn", gateway.base);
    Line::new(http, &base, name, key, Arc::new(SystemClock::default()))
}

fn own_key(name: &str) -> DeviceKey {
    loudspeaker::peer::device_key(peers::SPEAKER_SECRET, name)
}

impl Box_ {
    pub async fn enrolled(
        gateway: &Gateway,
        _: &Field,
        name: &str,
        codes: &HashMap<String, String>,
    ) -> Enrolled {
        let line = line(gateway, name, own_key(name));
        line.enrol(&codes[name]).await.expect("it enrols");
        Enrolled {
            line,
            name: name.to_owned(),
        }
    }

    pub async fn start(
        gateway: &Gateway,
        field: &Field,
        name: &str,
        codes: &HashMap<String, String>,
    ) -> Self {
        Self::enrolled(gateway, field, name, codes)
            .await
            .go(gateway, field)
    }

    pub fn said(&self) -> Vec<String> {
        self.log
            .lock()
            .said
            .iter()
            .map(|(_, word)| word.clone())
            .collect()
    }

    pub fn sounds(&self) -> bool {
        self.log
            .lock()
            .spans
            .last()
            .is_some_and(|(_, end)| end.is_none())
    }
}

impl Enrolled {
    /// Begins to poll, at the gateway where it is now.
    pub fn go(self, gateway: &Gateway, _: &Field) -> Box_ {
        let line = line(gateway, &self.name, own_key(&self.name));
        let keys = loudspeaker::order::Signer::from_seed(peers::GATEWAY_SEED).expect("a seed");
        let verifier = Verifier::new(&*self.name, &keys.public_keys()).expect("two keys");
        drop(self.line);
        let log = Arc::<Mutex<Log>>::default();
        let work = tokio::spawn(live(line, Player::new(verifier, Kept::new(0)), log.clone()));
        Box_ {
            name: self.name,
            log,
            work,
        }
    }
}

async fn live(line: Line, mut player: Player, log: Arc<Mutex<Log>>) {
    let clock = SystemClock::default();
    let mut look = tokio::time::interval(LOOK);
    let mut until = 0;
    let fetch = async |window: Window| line.poll(&window, Duration::from_secs(30)).await;
    let poll = fetch(player.window().clone());
    tokio::pin!(poll);
    loop {
        tokio::select! {
            answer = &mut poll => {
                for signed in answer.unwrap_or_default() {
                    log.lock().got.push(clock.now().0);
                    // What it refuses it reports.
                    let _ = player.take(&signed, clock.now());
                }
                poll.set(fetch(player.window().clone()));
            }
            _ = look.tick() => {}
        }
        hear(&mut player, &mut log.lock(), &mut until, &clock);
        while let Some(report) = player.to_report().cloned() {
            if line.report(&report).await.is_err() {
                break;
            }
            player.reported();
        }
    }
}

/// Writes down what sounds now.
fn hear(player: &mut Player, log: &mut Log, until: &mut i64, clock: &SystemClock) {
    let now = clock.now();
    let spoken = *until != 0 && *until <= now.0;
    if spoken {
        *until = 0;
        player.finished(now);
    }
    let said = match player.turn(now) {
        Turn::Quake { order, say, .. } => {
            let text = say.text(order);
            Some((text, matches!(say, Say::Words)))
        }
        Turn::Read { order, .. } => Some((order.text.clone(), true)),
        Turn::Silence { .. } | Turn::Local(_) => None,
    };
    let open = log.spans.last().is_some_and(|(_, end)| end.is_none());
    match (&said, open) {
        (Some(_), false) => log.spans.push((now.0, None)),
        (None, true) => {
            *until = 0;
            if let Some(last) = log.spans.last_mut() {
                last.1 = Some(now.0);
            }
        }
        _ => {}
    }
    if let Some((text, sentence)) = said
        && (log.said.last().map(|(_, last)| last) != Some(&text) || *until == 0 && sentence)
    {
        log.said.push((now.0, text));
        if sentence {
            *until = now.0 + SENTENCE;
        }
    }
}

/// A machine at work, and how often it has acted and let go.
pub struct Attended {
    pub acted: Arc<Mutex<(u32, u32)>>,
    work: JoinHandle<()>,
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Attended {
    pub fn start(gateway: &Gateway, name: &str) -> Self {
        let line = line(gateway, name, machine_key(name));
        let keys = loudspeaker::order::Signer::from_seed(peers::GATEWAY_SEED).expect("a seed");
        let verifier = Verifier::new(name, &keys.public_keys()).expect("two keys");
        let acted = Arc::<Mutex<(u32, u32)>>::default();
        let machine = Machine::new(verifier, machine::Kept::new(0));
        let work = tokio::spawn(attend(line, machine, acted.clone()));
        Self { acted, work }
    }
}

async fn attend(line: Line, mut machine: Machine, acted: Arc<Mutex<(u32, u32)>>) {
    let clock = SystemClock::default();
    loop {
        let polled = line.poll(machine.window(), Duration::from_secs(30)).await;
        for signed in polled.unwrap_or_default() {
            match machine.take(&signed, clock.now()) {
                Ok(Deed::Act(_)) => acted.lock().0 += 1,
                Ok(Deed::Release) => acted.lock().1 += 1,
                Ok(Deed::Nothing) | Err(_) => {}
            }
        }
        while let Some(report) = machine.to_report().cloned() {
            if line.report(&report).await.is_err() {
                break;
            }
            machine.reported();
        }
    }
}
