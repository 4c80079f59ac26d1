//! What a controller does with orders: which one sounds now, what is cut off and goes on later, what is over and what is
//! reported. The whole of it is a state that is handed the time, so that it outlives a power cut and plays without a
//! network. Pure: this module must not sound, sleep, read a clock or write a file; whoever drives it keeps `Kept` on disk
//! before the next poll names what was taken.

mod ending;
mod kept;
mod look;
mod sounds;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use channel::Timestamp;

use ending::{prolong, report, seconds};
pub use kept::Kept;
use kept::{Ban, KeptOrder};
pub use sounds::PATIENCE;

use crate::order::{
    Meeting, Order, PROLONG, Played, Rank, Refusal, SELF_TEST, STOP, STOP_ALL, Signed, VOLUME,
    Verifier, Window, meet,
};
use crate::report::{PlayState, Report, Source};

/// Reports that wait for the network; the oldest go first.
const OUTBOX: usize = 256;
/// Stops that are remembered, so that what they were about does not sound when it comes later.
const BANS: usize = 32;
/// Refusals that were reported already.
const REFUSED: usize = 32;

/// What should sound now.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Turn<'a> {
    /// Nothing, until this time at the latest.
    Silence { until: Option<Timestamp> },
    /// So many-th reading of this order, from its start.
    Read { order: &'a Order, reading: u32 },
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
    volume: u8,
    shelf: Vec<Shelved>,
    outbox: VecDeque<Report>,
    sounding: Option<Sounding>,
    /// Who holds the microphone, and for how long that has sounded.
    local: Option<(Source, u64)>,
    refused: VecDeque<(String, Refusal)>,
    /// A test of itself that was ordered and not done yet. It stands apart from what sounds: nothing turns it into sound.
    test: Option<Order>,
    patience: Duration,
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
            })
        };
        Self {
            shelf: kept.shelf.into_iter().filter_map(open).collect(),
            verifier,
            window: kept.window,
            over: kept.over,
            stopped: kept.stopped,
            bans: kept.bans,
            volume: kept.volume,
            outbox: kept.outbox,
            sounding: None,
            local: None,
            refused: VecDeque::new(),
            test: None,
            patience: Duration::ZERO,
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
        };
        Kept {
            window: self.window.clone(),
            over: self.over.clone(),
            stopped: self.stopped.clone(),
            bans: self.bans.clone(),
            volume: self.volume,
            shelf: self.shelf.iter().map(of).collect(),
            outbox: self.outbox.clone(),
        }
    }

    pub fn window(&self) -> &Window {
        &self.window
    }

    pub fn volume(&self) -> u8 {
        self.volume
    }

    /// Takes an order, or says why not.
    pub fn take(&mut self, signed: &Signed, now: Timestamp) -> Result<(), Refusal> {
        match self.verifier.verify(signed, &self.window, now) {
            Ok(order) => {
                self.window.take(order.counter);
                if order.kind == PROLONG {
                    return self.prolong(&order, signed, now);
                }
                self.obey(order, signed, now);
                Ok(())
            }
            Err(refusal) => {
                self.refuse(signed, refusal, now);
                Err(refusal)
            }
        }
    }

    /// What is held stands longer, and nothing sounds by it: what was heard whole is not played again.
    fn prolong(&mut self, longer: &Order, signed: &Signed, now: Timestamp) -> Result<(), Refusal> {
        let mut held = self.over.any(|id| longer.prolongs(id));
        let same = |other: &&mut Shelved| {
            longer.prolongs(&other.order.order) && longer.drill == other.order.drill
        };
        for shelved in self.shelf.iter_mut().filter(same) {
            held = true;
            if prolong(&mut shelved.order, longer) {
                shelved.prolonged = Some(signed.clone());
            }
        }
        if held {
            self.tell(longer, PlayState::Done, false, 0, now);
            return Ok(());
        }
        self.refuse(signed, Refusal::NotHeld, now);
        Err(Refusal::NotHeld)
    }

    fn obey(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        match order.kind.as_str() {
            VOLUME => {
                self.volume = u8::try_from(order.value).unwrap_or(100);
                self.tell(&order, PlayState::Done, false, 0, now);
            }
            STOP | STOP_ALL => self.stop(&order, now),
            SELF_TEST => self.test = Some(order),
            _ => self.shelve(order, signed, now),
        }
    }

    fn shelve(&mut self, order: Order, signed: &Signed, now: Timestamp) {
        if self.over.has(&order.order) {
            // Given again because the first report was lost: it was heard, and is not played twice.
            self.tell(&order, PlayState::Played, true, 0, now);
        } else if self.stopped.has(&order.order)
            || self.bans.iter().any(|ban| ban.is_about(&order, now))
        {
            self.tell(&order, PlayState::Stopped, false, 0, now);
        } else if let Some(known) = self.known(&order.order) {
            // The same under a new counter: it goes on where it is, as long as it was to stand.
            let expires = order.expires.max(known.order.expires);
            (known.order, known.signed) = (Order { expires, ..order }, signed.clone());
        } else {
            let waits = self.patience_of(&order, now);
            self.shelf.push(Shelved {
                order,
                signed: signed.clone(),
                prolonged: None,
                readings: 0,
                millis: 0,
                rests: Timestamp(0),
                waits,
                told: false,
            });
        }
    }

    fn known(&mut self, id: &str) -> Option<&mut Shelved> {
        self.shelf.iter_mut().find(|other| other.order.order == id)
    }

    fn stop(&mut self, stop: &Order, now: Timestamp) {
        let about = |other: &Shelved| stop.stops(&other.order.order);
        let ids: Vec<_> = self.shelf.iter().filter(|other| about(other)).collect();
        let ids: Vec<_> = ids.iter().map(|other| other.order.order.clone()).collect();
        for id in ids {
            self.end(&id, PlayState::Stopped, now);
        }
        if stop.kind == STOP_ALL && self.sounds() == Some(Voice::Local(Source::Usb)) {
            // A person at the microphone is not cut off; a stick that plays by itself is.
            self.local(None, now);
        }
        self.bans.retain(|ban| ban.until > now);
        if self.bans.len() == BANS {
            self.bans.remove(0);
        }
        self.bans.push(Ban::of(stop));
        self.tell(stop, PlayState::Done, false, 0, now);
    }

    /// A refusal is reported once, and only where the signature holds: what is forged names nothing that can be believed.
    fn refuse(&mut self, signed: &Signed, refusal: Refusal, now: Timestamp) {
        let believed = matches!(
            refusal,
            Refusal::Early
                | Refusal::Expired
                | Refusal::DrillForLive
                | Refusal::UnmarkedDrill
                | Refusal::NotHeld
        );
        let order: Option<Order> = serde_json::from_str(&signed.body).ok();
        let Some(order) = order.filter(|_| believed) else {
            return;
        };
        let said = (order.order.clone(), refusal);
        if self.refused.contains(&said) {
            return;
        }
        if self.refused.len() == REFUSED {
            self.refused.pop_front();
        }
        self.refused.push_back(said);
        self.post(Report {
            code: refusal.code().into(),
            ..report(&order.order, PlayState::Failed, now)
        });
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
    pub fn turn<'a>(&'a mut self, now: Timestamp) -> Turn<'a> {
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
                let read = |shelved: &'a Shelved| Turn::Read {
                    order: &shelved.order,
                    reading: shelved.readings + 1,
                };
                shelved.map_or(Turn::Silence { until: None }, read)
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
