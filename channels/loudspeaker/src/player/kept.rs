//! What a controller keeps on its disk: small, and of nothing but texts and numbers. This module must not decide what
//! sounds.

use std::collections::VecDeque;

use channel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::order::{Order, Played, STOP_ALL, Signed, Window};
use crate::report::Report;

/// Written before the next poll names what was taken, so that nothing is lost with the power.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    pub window: Window,
    pub(super) over: Played,
    pub(super) stopped: Played,
    pub(super) bans: Vec<Ban>,
    #[serde(default)]
    pub(super) closed: Vec<Closed>,
    pub(super) volume: u8,
    pub(super) shelf: Vec<KeptOrder>,
    pub(super) outbox: VecDeque<Report>,
}

impl Kept {
    /// Of a controller that has just enrolled: `floor` is what the gateway said.
    pub fn new(floor: u64) -> Self {
        Self {
            window: Window::new(floor, Vec::new()).unwrap_or_default(),
            over: Played::default(),
            stopped: Played::default(),
            bans: Vec::new(),
            closed: Vec::new(),
            volume: 80,
            shelf: Vec::new(),
            outbox: VecDeque::new(),
        }
    }

    pub fn volume(&self) -> u8 {
        self.volume
    }
}

/// As it was signed, so that a disk that was tampered with gives nothing away to be played.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct KeptOrder {
    pub signed: Signed,
    /// As it was signed, too.
    #[serde(default)]
    pub prolonged: Option<Signed>,
    pub readings: u32,
    pub millis: u64,
    pub told: bool,
    #[serde(default)]
    pub siren: bool,
}

/// An earthquake of which no report up to this one sounds any more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Closed {
    pub event: String,
    pub drill: bool,
    pub report: u32,
    /// It was called off. Otherwise its time was over.
    pub called_off: bool,
}

impl Closed {
    pub fn is_about(&self, order: &Order) -> bool {
        (&self.event, self.drill) == (&order.target, order.drill)
    }
}

/// A stop, for what it is about and comes after it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Ban {
    kind: String,
    target: String,
    counter: u64,
    pub until: Timestamp,
}

impl Ban {
    pub fn of(stop: &Order) -> Self {
        Self {
            kind: stop.kind.clone(),
            target: stop.target.clone(),
            counter: stop.counter,
            until: stop.expires,
        }
    }

    /// A stop of all is about what was ordered before it; a stop of one, about that one whenever it comes.
    pub fn is_about(&self, order: &Order, now: Timestamp) -> bool {
        let stop = Order {
            kind: self.kind.clone(),
            target: self.target.clone(),
            ..order.clone()
        };
        let comes = self.kind != STOP_ALL || order.counter < self.counter;
        self.until > now && comes && stop.stops(&order.order)
    }
}
