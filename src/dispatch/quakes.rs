//! The seconds path: a report that its feed has signed is estimated, journaled and given to every terminal at once. It goes
//! past approval, lanes and pacing, since all of them are slower than the ground; past the journal it does not go. This
//! module must not compose a report, and must not send a text to anybody.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channel::{AFTER_ARRIVAL, Channel, PublicKey, Shaking, Shock, Timestamp};
use parking_lot::{Mutex, RwLock};
use ring::digest::{SHA256, digest};

use super::Desk;
use crate::coverage::Machine;
use crate::ledger::quakes::{Quake, Quaked, Relayed, ShockRow};
use crate::ledger::{Event, Proposal, Refused};
use crate::model::StreamId;
use crate::plan::Hush;
use crate::plan::quake::{
    Earthquake, Kind, Report, Role, Terminal, called_off, estimate, news, words,
};
use crate::registry::Registry;
use crate::trust::Proven;

const HOUSE: StreamId = 0;
/// A report that comes later than this is old: whoever kept it would let the ground shake again.
const STALE: Duration = Duration::from_mins(1);
/// So far ahead a feed's clock may be.
const AHEAD: Duration = Duration::from_secs(5);
/// For so long a call-off is kept for whoever comes back.
const CALLED_OFF: Duration = Duration::from_mins(1);

/// Relays what the feeds say.
pub struct Relay {
    pub desk: Arc<Desk>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub earthquake: Option<Earthquake>,
    pub hush: Hush,
    /// One report after another, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    /// By why.
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

/// A report that is in the journal.
pub struct Taken {
    pub quaked: Quaked,
    pub position: u64,
    /// The very same had come before.
    pub repeated: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("the gateway relays no earthquake warnings: [earthquake] is not configured")]
    Off,
    #[error(
        "it was sent {0} s before it came; a report is relayed within 60 s, so nothing was changed"
    )]
    Stale(u64),
    #[error(
        "it was sent {0} s ahead of the gateway's clock; set the clocks right, nothing was changed"
    )]
    Ahead(u64),
    #[error(
        "report {1} of earthquake {0} came before with another content; nothing was changed, send what is new as the next report"
    )]
    Conflict(String, u32),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl NotTaken {
    const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Stale(_) => "stale",
            Self::Ahead(_) => "ahead",
            Self::Conflict(..) => "conflict",
            Self::Refused(_) => "store-away",
        }
    }
}

impl Relay {
    pub fn new(
        desk: Arc<Desk>,
        channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
        registry: Arc<RwLock<Arc<Registry>>>,
        (earthquake, hush): (Option<Earthquake>, Hush),
    ) -> Self {
        Self {
            desk,
            channels,
            registry,
            earthquake,
            hush,
            turn: tokio::sync::Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Reports that were refused since the start, by why.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let refused = self.refused.lock();
        refused.iter().map(|(why, count)| (*why, *count)).collect()
    }

    /// One more that was refused, by whoever saw why.
    pub fn refuse(&self, why: &'static str) {
        *self.refused.lock().entry(why).or_default() += 1;
    }

    /// Ready when it is journaled and given to every terminal.
    pub async fn take(
        &self,
        proven: &Proven,
        report: &Report,
        body: &Bytes,
    ) -> Result<Taken, NotTaken> {
        let taken = self.relay(proven, report, body).await;
        if let Err(why) = &taken {
            self.refuse(why.word());
            tracing::warn!(feed = proven.feed, %why, "a report on an earthquake was not relayed");
        }
        taken
    }

    async fn relay(
        &self,
        proven: &Proven,
        report: &Report,
        body: &Bytes,
    ) -> Result<Taken, NotTaken> {
        let earthquake = self.earthquake.as_ref().ok_or(NotTaken::Off)?;
        let _turn = self.turn.lock().await;
        let document = signed(proven, body);
        let id = digest(&SHA256, &document);
        let id: [u8; 32] = id.as_ref().try_into().expect("SHA-256 has 32 bytes");
        let of = (proven.feed.clone(), report.event.clone());
        let known = self.desk.ledger.quakes.get(&of);
        if let Some(before) = said_before(known.as_ref(), report, id)? {
            let position = *self.desk.writer.position().borrow();
            return Ok(Taken {
                quaked: before,
                position,
                repeated: true,
            });
        }
        let now = self.desk.clock.now();
        is_of_now(report, now)?;
        let relayed = self.serials(self.told(earthquake, report, known.as_ref(), now));
        let quaked = quaked(proven, report, id, relayed);
        let proposal = Proposal {
            documents: vec![(id, document)],
            ..Proposal::of(HOUSE, Event::Quaked(Box::new(quaked.clone())))
        };
        let commit = self.desk.writer.propose(proposal).await?;
        self.give(&quaked, now).await;
        Ok(Taken {
            quaked,
            position: commit.position,
            repeated: false,
        })
    }

    /// Whom this report has something new to tell, by channel, the first to be shaken first.
    fn told(
        &self,
        earthquake: &Earthquake,
        report: &Report,
        known: Option<&Quake>,
        now: Timestamp,
    ) -> BTreeMap<String, Vec<ShockRow>> {
        let mut told: BTreeMap<String, Vec<ShockRow>> = BTreeMap::new();
        if report.kind == Kind::Cancel {
            for (channel, row) in called_off(report.number, known, now) {
                told.entry(channel).or_default().push(row);
            }
            return told;
        }
        let terminals = self.terminals(earthquake);
        let night = self.hush.night.until(now).is_some();
        let shocks = estimate(earthquake, report, &terminals, night);
        for (terminal, row) in news(shocks, report.number, known, now) {
            told.entry(terminal.channel.clone()).or_default().push(row);
        }
        told
    }

    fn serials(&self, told: BTreeMap<String, Vec<ShockRow>>) -> Vec<Relayed> {
        let relayed = |(channel, rows): (String, Vec<ShockRow>)| Relayed {
            serial: self.desk.serials.take(&channel, rows.len()),
            channel,
            rows,
        };
        told.into_iter().map(relayed).collect()
    }

    /// Every enrolled loudspeaker that has a place, its own or its village's, and every machine.
    fn terminals(&self, earthquake: &Earthquake) -> Vec<Terminal> {
        let registry = self.registry.read().clone();
        let enrolled: HashMap<_, _> = self.desk.ledger.devices.all().into_iter().collect();
        let horn = |id: &u32| {
            let endpoint = registry.endpoint(*id)?;
            let device = enrolled.get(endpoint.address)?;
            device.key?;
            let village = endpoint.village?;
            let own = registry.care(*id).and_then(|care| care.lat.zip(care.lon));
            Some(Terminal {
                device: endpoint.address.to_owned(),
                channel: device.channel.clone(),
                at: own.or_else(|| registry.point(village))?,
                role: Role::Loudspeaker(village),
            })
        };
        let machines = earthquake.subscribers.iter().map(|machine| Terminal {
            device: machine.device.clone(),
            channel: machine.channel.clone(),
            at: (machine.lat, machine.lon),
            role: Role::Machine(machine.intensity),
        });
        registry
            .speakers()
            .iter()
            .filter_map(horn)
            .chain(machines)
            .collect()
    }

    /// Hands the channels what was journaled, off the threads that answer: an order for each terminal has to be signed. The
    /// same again changes nothing there.
    async fn give(&self, quaked: &Quaked, now: Timestamp) {
        let mut given = Vec::new();
        for relayed in &quaked.relayed {
            let Some(channel) = self
                .channels
                .get(&relayed.channel)
                .filter(|_| stands(quaked, relayed, now))
            else {
                continue;
            };
            let quake = channel::Quake {
                event: quaked.event.clone(),
                report: quaked.report,
                drill: quaked.status.is_drill(),
                what: shaking(quaked, relayed),
                text: words(quaked.status.is_drill(), quaked.cancel).to_owned(),
                since: quaked.sent,
            };
            let channel = channel.clone();
            let shake = tokio::task::spawn_blocking(move || channel.shake(&quake));
            given.push((&relayed.channel, shake));
        }
        for (channel, shake) in given {
            if !shake.await.unwrap_or(false) {
                tracing::error!(
                    channel,
                    "a channel that cannot warn of an earthquake was asked to"
                );
            }
        }
    }

    /// The machines that are told, for whoever shows them.
    pub fn machines(&self) -> impl Iterator<Item = Machine<'_>> {
        let machines = self.earthquake.iter().flat_map(|e| &e.subscribers);
        machines.map(|machine| Machine {
            device: &machine.device,
            name: &machine.name,
            point: (machine.lat, machine.lon),
        })
    }

    /// Gives again what stood when the last process ended.
    pub async fn resume(&self) {
        let now = self.desk.clock.now();
        for (_, quake) in self.desk.ledger.quakes.all() {
            for (quaked, _) in quake.reports.values() {
                self.give(quaked, now).await;
            }
        }
    }
}

/// Which machines are known by a pinned key, of one channel.
pub fn pinned(earthquake: Option<&Earthquake>, channel: &str) -> HashMap<String, PublicKey> {
    let machines = earthquake.into_iter().flat_map(|e| &e.subscribers);
    let own = machines.filter(|machine| machine.channel == channel);
    own.filter_map(|machine| Some((machine.device.clone(), machine.public_key()?)))
        .collect()
}

/// What was signed, with the signature, so that it can be proved for as long as the document is kept.
fn signed(proven: &Proven, body: &[u8]) -> Vec<u8> {
    let head = format!("{} {}\n", proven.feed, proven.signature);
    [head.as_bytes(), body].concat()
}

/// The first answer, where this very report has come before.
fn said_before(
    known: Option<&Quake>,
    report: &Report,
    document: [u8; 32],
) -> Result<Option<Quaked>, NotTaken> {
    match known.and_then(|quake| quake.reports.get(&report.number)) {
        None => Ok(None),
        Some((before, _)) if before.document == document => Ok(Some(before.clone())),
        Some(_) => Err(NotTaken::Conflict(report.event.clone(), report.number)),
    }
}

/// An old report that somebody kept, or one under a wrong clock, would count wrong seconds.
fn is_of_now(report: &Report, now: Timestamp) -> Result<(), NotTaken> {
    let (late, ahead) = (now.since(report.sent), report.sent.since(now));
    if late > STALE {
        return Err(NotTaken::Stale(late.as_secs()));
    }
    if ahead > AHEAD {
        return Err(NotTaken::Ahead(ahead.as_secs()));
    }
    Ok(())
}

fn quaked(proven: &Proven, report: &Report, document: [u8; 32], relayed: Vec<Relayed>) -> Quaked {
    Quaked {
        feed: proven.feed.clone(),
        event: report.event.clone(),
        report: report.number,
        status: report.status,
        cancel: report.kind == Kind::Cancel,
        sent: report.sent,
        origin: report.origin,
        north: whole(report.latitude * 1e4),
        east: whole(report.longitude * 1e4),
        depth: u32::try_from(whole(report.depth * 1e3)).unwrap_or(0),
        magnitude: u16::try_from(whole(report.magnitude * 10.0)).unwrap_or(0),
        document,
        relayed,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a report's numbers are bounded where it is read: none is near 2^31"
)]
fn whole(number: f64) -> i32 {
    number.round() as i32
}

fn shaking(quaked: &Quaked, relayed: &Relayed) -> Shaking {
    if quaked.cancel {
        return Shaking::CalledOff {
            serial: relayed.serial,
            devices: relayed.rows.iter().map(|row| row.device.clone()).collect(),
            until: quaked.sent.plus(CALLED_OFF),
        };
    }
    let shock = |(serial, row): (u64, &ShockRow)| Shock {
        serial,
        device: row.device.clone(),
        intensity: row.intensity,
        arrival: row.arrival,
        alarm: row.shown.alarm(),
    };
    Shaking::Comes {
        origin: quaked.origin,
        magnitude: quaked.magnitude,
        shocks: (relayed.serial..).zip(&relayed.rows).map(shock).collect(),
    }
}

/// Whether anybody could still do something by it.
fn stands(quaked: &Quaked, relayed: &Relayed, now: Timestamp) -> bool {
    if quaked.cancel {
        return quaked.sent.plus(CALLED_OFF) > now;
    }
    let mut ends = relayed
        .rows
        .iter()
        .map(|row| row.arrival.plus(AFTER_ARRIVAL));
    ends.any(|ends| ends > now)
}
