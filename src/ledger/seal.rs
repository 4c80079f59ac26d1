//! What stays of an alert that is over: its card in memory, and in the journal a `Sealed` with its totals and the digest
//! of the state that its stream makes. Whoever asks for more reads the stream back. This module must not decide when an
//! alert is over and must not count a household.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use channel::{Level, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::alert::{Alert, Phase};
use super::class::Class;
use super::event::{Accepted, HandedRange};
use super::fold::Misfit;
use super::proved::{self, Play};
use super::record::{self, Head};
use crate::model::{DeliveryNo, EndpointId, StreamId};
use crate::store::{Record, SealedHousehold};

/// The roll-up of the whole alert as it was when it was sealed. Households, people, speakers and officers stand apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    pub households: u32,
    pub away: u32,
    pub confirmed: u32,
    pub delivered: u32,
    pub played: u32,
    pub no_endpoint: u32,
    pub refused: u32,
    pub failed: u32,
    pub expired: u32,
    pub withdrawn: u32,
    pub unknown: u32,
    pub people: u32,
    pub speakers: u32,
    pub speakers_played: u32,
    pub officers: u32,
    pub officers_reached: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sealed {
    pub totals: Totals,
    pub deliveries: u32,
    /// How many records the stream has before this one.
    pub records: u32,
    pub digest: [u8; 32],
}

/// What stays in memory of a sealed alert, and in the store beside its stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Card {
    pub stream: StreamId,
    pub at: Timestamp,
    pub meta: Accepted,
    pub phase: Phase,
    pub withdrawn_by: Option<StreamId>,
    pub expires: Timestamp,
    /// The highest serial that each channel was handed: the next start gives none of them again.
    pub serials: BTreeMap<String, u64>,
    pub sealed: Sealed,
    /// Behind the rest of its bytes: cards of before have none.
    #[serde(skip)]
    pub decided: Decided,
    /// Which loudspeakers it proved, and when: behind that, and only until it is shelved.
    #[serde(skip)]
    pub plays: Vec<(EndpointId, Play)>,
}

/// What a release decided of the alert as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Decided {
    pub raised: Option<Level>,
    pub class: Option<Class>,
}

impl Card {
    pub fn of(alert: &Alert, sealed: Sealed) -> Self {
        Self {
            stream: alert.stream,
            at: alert.at,
            meta: alert.meta.clone(),
            phase: alert.phase(),
            withdrawn_by: alert.withdrawn_by(),
            expires: alert.expires(),
            serials: alert.trail.serials.read().clone(),
            sealed,
            decided: Decided {
                raised: alert.steps.raised(),
                class: alert.classes.whole(),
            },
            plays: proved::of(alert),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        const FITS: &str = "a Vec takes every card";
        let bytes = postcard::to_stdvec(self).expect(FITS);
        let bytes = postcard::to_extend(&self.decided, bytes).expect(FITS);
        postcard::to_extend(&self.plays, bytes).expect(FITS)
    }

    /// Nothing where the bytes are no card that this version wrote: then the stream is read.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (mut card, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if let Ok((decided, rest)) = postcard::take_from_bytes(rest) {
            card.decided = decided;
            card.plays = postcard::from_bytes(rest).unwrap_or_default();
        }
        Some(card)
    }
}

/// A `Sealed` to be written, with its rows: refused if anything has happened to the alert since it was looked at.
#[derive(Clone)]
pub struct Sealing {
    pub card: Card,
    /// `Trail::count` when the figures were made.
    pub count: u64,
    pub households: Vec<SealedHousehold>,
}

/// How far an alert's stream has come.
#[derive(Default)]
pub struct Trail {
    count: AtomicU64,
    last: AtomicI64,
    serials: RwLock<BTreeMap<String, u64>>,
}

impl Trail {
    pub(super) fn went_on(&self, time: Timestamp) {
        self.count.fetch_add(1, Relaxed);
        self.last.fetch_max(time.0, Relaxed);
    }

    pub(super) fn handed(&self, channel: &str, ranges: &[HandedRange]) {
        let mut serials = self.serials.write();
        let held = serials.entry(channel.to_owned()).or_default();
        *held = last_serial(ranges).max(*held);
    }

    /// How many events were folded.
    pub fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// When the last thing happened.
    pub fn last(&self) -> Timestamp {
        Timestamp(self.last.load(Relaxed))
    }
}

/// The highest serial of some ranges.
pub(super) fn last_serial(ranges: &[HandedRange]) -> u64 {
    let last = |r: &HandedRange| r.serial.saturating_add(u64::from(r.hi - r.lo - 1));
    let some = ranges.iter().filter(|r| r.lo < r.hi);
    some.map(last).max().unwrap_or(0)
}

/// An alert as far as everybody may know it, open or sealed.
#[derive(Clone)]
pub enum Known {
    Open(Arc<Alert>),
    Sealed(Arc<Card>),
}

impl Known {
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Open(alert) => alert.stream,
            Self::Sealed(card) => card.stream,
        }
    }

    pub fn at(&self) -> Timestamp {
        match self {
            Self::Open(alert) => alert.at,
            Self::Sealed(card) => card.at,
        }
    }

    pub fn meta(&self) -> &Accepted {
        match self {
            Self::Open(alert) => &alert.meta,
            Self::Sealed(card) => &card.meta,
        }
    }

    pub fn phase(&self) -> Phase {
        match self {
            Self::Open(alert) => alert.phase(),
            Self::Sealed(card) => card.phase,
        }
    }

    pub fn withdrawn_by(&self) -> Option<StreamId> {
        match self {
            Self::Open(alert) => alert.withdrawn_by(),
            Self::Sealed(card) => card.withdrawn_by,
        }
    }

    pub fn expires(&self) -> Timestamp {
        match self {
            Self::Open(alert) => alert.expires(),
            Self::Sealed(card) => card.expires,
        }
    }

    pub fn deliveries(&self) -> DeliveryNo {
        match self {
            Self::Open(alert) => alert.next_delivery(),
            Self::Sealed(card) => card.sealed.deliveries,
        }
    }

    /// How it stands to what it corrects; nothing where it corrects nothing or is not released.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Open(alert) => alert.classes.whole(),
            Self::Sealed(card) => card.decided.class,
        }
    }

    pub const fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

/// A sealed alert's place in memory.
pub(super) struct Shelved {
    card: Arc<Card>,
    /// Only until it is shed, and between its being read back and its `Unsealed`.
    whole: Option<Arc<Alert>>,
}

impl Ledger {
    pub fn is_sealed(&self, stream: StreamId) -> bool {
        self.shelf.read().contains_key(&stream)
    }

    /// An alert that was accepted, whether open or sealed.
    pub fn known(&self, stream: StreamId) -> Option<Known> {
        // Whoever moves an alert between the two holds the shelf.
        let cards = self.shelf.read();
        let sealed = cards.get(&stream).map(|s| Known::Sealed(s.card.clone()));
        sealed
            .or_else(|| self.alert(stream).map(Known::Open))
            .or_else(|| {
                self.hurt
                    .read()
                    .get(&stream)?
                    .alert
                    .clone()
                    .map(Known::Open)
            })
    }

    /// Every alert that was accepted, in order.
    pub fn every(&self) -> Vec<Known> {
        let cards = self.shelf.read();
        let mut every: Vec<_> = self.alerts().into_iter().map(Known::Open).collect();
        every.extend(cards.values().map(|s| Known::Sealed(s.card.clone())));
        let hurt = self.hurt.read();
        every.extend(
            hurt.values()
                .filter_map(|h| h.alert.clone())
                .map(Known::Open),
        );
        every.sort_by_key(Known::stream);
        every
    }

    /// A card as the store held it.
    pub(super) fn shelve(&self, mut card: Card) {
        self.proved.add(std::mem::take(&mut card.plays));
        let (stream, identity) = (card.stream, card.meta.identity.clone());
        self.by_identity.write().insert(identity, stream);
        let card = Arc::new(card);
        let whole = None;
        self.shelf.write().insert(stream, Shelved { card, whole });
    }

    pub(super) fn seal(&self, stream: StreamId, sealed: Sealed) -> Result<(), Misfit> {
        let misfit = |what: &str| Misfit {
            stream,
            what: what.to_owned(),
        };
        let mut cards = self.shelf.write();
        let alert = self
            .alert(stream)
            .ok_or_else(|| misfit("seals an alert that is not open"))?;
        if sealed.deliveries != alert.next_delivery() {
            return Err(misfit("seals another number of deliveries than it has"));
        }
        let mut card = Card::of(&alert, sealed);
        card.plays.clear();
        let card = Arc::new(card);
        let whole = Some(alert);
        cards.insert(stream, Shelved { card, whole });
        self.alerts.write().remove(&stream);
        self.fresh.write().list.retain(|_, b| b.stream != stream);
        self.left.fetch_add(1, Relaxed);
        Ok(())
    }

    pub(super) fn unseal(&self, stream: StreamId, time: Timestamp) -> Result<(), Misfit> {
        let what = "unseals an alert that is not sealed, or was not read back before".to_owned();
        let mut cards = self.shelf.write();
        let whole = cards.get(&stream).and_then(|s| s.whole.clone());
        let whole = whole.ok_or(Misfit { stream, what })?;
        whole.trail.went_on(time);
        self.alerts.write().insert(stream, whole);
        cards.remove(&stream);
        Ok(())
    }

    /// Rises whenever an alert leaves those that are worked on: sealed, or damaged.
    pub fn left(&self) -> u64 {
        self.left.load(Relaxed)
    }

    /// The state of what is sealed leaves memory.
    pub(super) fn shed(&self) {
        for shelved in self.shelf.write().values_mut() {
            shelved.whole = None;
        }
    }

    /// The state of a sealed alert as it was read back, for the `Unsealed` that is proposed next.
    pub fn bring_back(&self, alert: Arc<Alert>) {
        if let Some(shelved) = self.shelf.write().get_mut(&alert.stream) {
            shelved.whole = Some(alert);
        }
    }

    /// Reads a stream by itself, without a trace in this ledger but the codes that it speaks of.
    pub fn read_back(&self, stream: StreamId, records: &[Record]) -> Result<Arc<Alert>, String> {
        let scratch = Self {
            codes: self.codes.clone(),
            ..Self::default()
        };
        let mut head = Head::default();
        for record in records {
            head = record::follow(head, record).map_err(|e| e.to_string())?;
            let events = record::unpack(record).map_err(|e| e.to_string())?;
            scratch
                .take(stream, record.time, &events)
                .map_err(|misfit| misfit.to_string())?;
        }
        let cards = scratch.shelf.read();
        let whole = cards.get(&stream).and_then(|s| s.whole.clone());
        whole
            .or_else(|| scratch.alert(stream))
            .ok_or_else(|| format!("stream {stream} has no alert"))
    }
}
