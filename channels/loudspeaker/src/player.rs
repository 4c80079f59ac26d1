//! What a controller does with orders: which one sounds now, what is cut off and goes on later, what is over and what is
//! reported. The whole of it is a state that is handed the time, so that it outlives a power cut and plays without a
//! network. Pure: this module must not sound, sleep, read a clock or write a file; whoever drives it keeps `Kept` on disk
//! before the next poll names what was taken.

mod ending;
mod kept;
mod look;
mod quake;
mod refused;
mod sounds;
mod taking;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use channel::Timestamp;

pub(crate) use ending::report;
use ending::{prolong, seconds};
pub use kept::Kept;
use kept::{Ban, Closed, KeptOrder};
pub use quake::Say;
pub(crate) use refused::Refused;
pub use sounds::PATIENCE;

use crate::order::{
    Meeting, Order, Played, QUAKE, QUAKE_CANCEL, Rank, Signed, Verifier, Window, meet,
};
use crate::report::{PlayState, Report, Source};

/// Reports that wait for the network; the oldest go first.
const OUTBOX: usize = 256;
/// Stops that are remembered, so that what they were about does not sound when it comes later.
const BANS: usize = 32;

/// What should sound now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Turn<'a> {
    /// Nothing, until this time at the latest.
    Silence { until: Option<Timestamp> },
    /// So many-th reading of this order, from its start.
    Read { order: &'a Order, reading: u32 },
    /// An earthquake: the siren for as long as it says so, and over it what is said, each once. What is said is another
    /// at `until`, or nothing is.
    Quake {
        order: &'a Order,
        siren: bool,
        say: Say,
        until: Timestamp,
    },
    /// Somebody at the loudspeaker.
    Local(Source),
}

struct Shelved {
    /// With the end that it has now.
    order: Order,
    signed: Signed,
    /// What gave it that end, where that is a later one.
    prolonged: Option<Signed>,
    readings: u32,
    /// How long it has sounded, in milliseconds.
    millis: u64,
    /// The pause between two readings lasts until then.
    rests: Timestamp,
    /// So long it waits for its sounds.
    waits: Timestamp,
    /// That it plays was reported.
    told: bool,
    /// Of an earthquake: a report has asked for the siren, which no later report takes away.
    siren: bool,
}

#[derive(Clone, PartialEq)]
enum Voice {
    Order(String),
    Local(Source),
}

struct Sounding {
    voice: Voice,
    since: Timestamp,
}

pub struct Player {
    verifier: Verifier,
    window: Window,
    /// Heard whole, and stopped before that.
    over: Played,
    stopped: Played,
    bans: Vec<Ban>,
    /// Earthquakes that were called off, or are over.
    closed: Vec<Closed>,
    volume: u8,
    shelf: Vec<Shelved>,
    outbox: VecDeque<Report>,
    sounding: Option<Sounding>,
    /// Who holds the microphone, and for how long that has sounded.
    local: Option<(Source, u64)>,
    refused: Refused,
    /// A test of itself that was ordered and not done yet. It stands apart from what sounds: nothing turns it into sound.
    test: Option<Order>,
    patience: Duration,
    /// Whether seconds may be counted by this device's clock.
    trusted: bool,
}

impl Player {
    /// With what was kept. An order whose signature does not hold any more was changed on the disk, and is gone.
    pub fn new(verifier: Verifier, kept: Kept) -> Self {
        let open = |kept: KeptOrder| {
            let mut order = verifier.open(&kept.signed).ok()?;
            let prolonged = kept.prolonged.filter(|longer| {
                let longer = verifier.open(longer);
                longer.is_ok_and(|longer| prolong(&mut order, &longer))
            });
            Some(Shelved {
                order,
                signed: kept.signed,
                prolonged,
                readings: kept.readings,
                millis: kept.millis,
                rests: Timestamp(0),
                waits: Timestamp(0),
                told: kept.told,
                siren: kept.siren,
            })
        };
        Self {
            shelf: kept.shelf.into_iter().filter_map(open).collect(),
            verifier,
            window: kept.window,
            over: kept.over,
            stopped: kept.stopped,
            bans: kept.bans,
            closed: kept.closed,
            volume: kept.volume,
            outbox: kept.outbox,
            sounding: None,
            local: None,
            refused: Refused::default(),
            test: None,
            patience: Duration::ZERO,
            trusted: true,
        }
    }

    /// What must outlive a power cut.
    pub fn kept(&self) -> Kept {
        let of = |shelved: &Shelved| KeptOrder {
            signed: shelved.signed.clone(),
            prolonged: shelved.prolonged.clone(),
            readings: shelved.readings,
            millis: shelved.millis,
            told: shelved.told,
            siren: shelved.siren,
        };
        // That one is called off is said at once or not at all.
        let stays = |shelved: &&Shelved| shelved.order.kind != QUAKE_CANCEL;
        Kept {
            window: self.window.clone(),
            over: self.over.clone(),
            stopped: self.stopped.clone(),
            bans: self.bans.clone(),
            closed: self.closed.clone(),
            volume: self.volume,
            shelf: self.shelf.iter().filter(stays).map(of).collect(),
            outbox: self.outbox.clone(),
        }
    }

    pub fn window(&self) -> &Window {
        &self.window
    }

    pub fn volume(&self) -> u8 {
        self.volume
    }

    /// Somebody at the loudspeaker begins, or ends.
    pub fn local(&mut self, source: Option<Source>, now: Timestamp) {
        if matches!(self.sounds(), Some(Voice::Local(_))) {
            self.hush(now);
        }
        let before = std::mem::replace(&mut self.local, source.map(|source| (source, 0)));
        if let Some((source, millis)) = before {
            self.post(Report {
                order: None,
                source,
                seconds: seconds(millis),
                ..report("", PlayState::Played, now)
            });
        }
    }

    /// What should sound now. Whoever drives this stops what it sounds when the answer is another than the last.
    pub fn turn(&mut self, now: Timestamp) -> Turn<'_> {
        self.expire(now);
        let next = self.next(now);
        if next != self.sounds() {
            self.hush(now);
            if let Some(Voice::Order(id)) = &next {
                self.begins(&id.clone(), now);
            }
            self.sounding = next.map(|voice| Sounding { voice, since: now });
        }
        match self.sounds() {
            Some(Voice::Local(source)) => Turn::Local(source),
            Some(Voice::Order(id)) => {
                let shelved = self.shelf.iter().find(|other| other.order.order == id);
                shelved.map_or(Turn::Silence { until: None }, |shelved| {
                    shelved.turn(now, self.trusted)
                })
            }
            None => Turn::Silence {
                until: self.wakes(now),
            },
        }
    }

    /// The reading under way has come to its end.
    pub fn finished(&mut self, now: Timestamp) {
        let Some(Voice::Order(id)) = self.sounds() else {
            return;
        };
        if self.known(&id).is_some_and(|it| it.order.kind == QUAKE) {
            return self.said(&id, now);
        }
        self.add(now);
        self.sounding = None;
        let Some(shelved) = self.known(&id) else {
            return;
        };
        shelved.readings += 1;
        let pause = Duration::from_secs(shelved.order.pause);
        shelved.rests = now.plus(pause);
        if shelved.readings >= shelved.order.repeats {
            self.end(&id, PlayState::Played, now);
        }
    }

    /// The oldest report that was not taken yet.
    pub fn to_report(&self) -> Option<&Report> {
        self.outbox.front()
    }

    /// The gateway has taken the oldest report.
    pub fn reported(&mut self) {
        self.outbox.pop_front();
    }

    fn sounds(&self) -> Option<Voice> {
        self.sounding.as_ref().map(|now| now.voice.clone())
    }

    /// Whose turn it is: by rank, among equals whoever sounds already, then by counter. A pause between two readings
    /// belongs to its order: nothing of less weight starts in it.
    fn next(&self, now: Timestamp) -> Option<Voice> {
        let sounds = self.sounds();
        let is_on = |shelved: &&Shelved| match &sounds {
            Some(Voice::Order(id)) => *id == shelved.order.order,
            _ => shelved.readings > 0,
        };
        let first = self
            .shelf
            .iter()
            .filter(|shelved| shelved.is_due(now))
            .min_by_key(|shelved| {
                let Order { counter, .. } = shelved.order;
                (shelved.order.rank(), !is_on(shelved), counter)
            });
        let local = self.local.map(|(source, _)| Voice::Local(source));
        let Some(first) = first else { return local };
        let held = local.as_ref().map(|_| Rank::LOCAL);
        if local.is_some() && meet(held, first.order.rank()) == Meeting::Wait {
            return local;
        }
        (first.rests <= now).then(|| Voice::Order(first.order.order.clone()))
    }

    /// When something may be due of itself.
    fn wakes(&self, now: Timestamp) -> Option<Timestamp> {
        let of = |shelved: &Shelved| {
            let Order {
                not_before,
                expires,
                ..
            } = shelved.order;
            [not_before, shelved.rests, shelved.waits, expires]
        };
        let times = self.shelf.iter().flat_map(of);
        times.filter(|time| *time > now).min()
    }
}
