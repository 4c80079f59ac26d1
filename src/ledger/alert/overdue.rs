//! Whose receipts are overdue, without a look at everybody each time: a block that was looked at stays quiet until its
//! earliest wait ends or another begins. This module must not change a delivery.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use channel::Timestamp;

use super::{Alert, Block};
use crate::ledger::fold::offset;
use crate::model::{DeliveryNo, State};

/// What the last look at a block found.
#[derive(Default)]
pub struct Look {
    /// Waits that began.
    begun: AtomicU32,
    /// How many had begun before the look, and from when another is worth it.
    found: AtomicU64,
}

impl Look {
    /// Behind the delivery's own state and time, so that a look that counts this wait also sees it.
    pub fn entered(&self) {
        self.begun.fetch_add(1, Release);
    }
}

impl Alert {
    /// Whose receipt was awaited until now and no longer.
    pub fn overdue(&self, now: Timestamp) -> Vec<DeliveryNo> {
        let now = offset(self, now);
        let blocks = self.blocks.read();
        blocks.iter().flat_map(|b| b.overdue(now)).collect()
    }
}

impl Block {
    fn overdue(&self, now: u32) -> Vec<DeliveryNo> {
        let begun = self.look.begun.load(Acquire);
        if self.is_quiet(now) || self.tally(State::Awaiting) == 0 {
            return Vec::new();
        }
        let (mut overdue, mut next) = (Vec::new(), u32::MAX);
        for i in (0..self.len() as usize).filter(|i| self.state(*i) == State::Awaiting) {
            let due = self.due(i);
            next = next.min(due);
            if due <= now {
                overdue.push(self.number(i));
            }
        }
        // What is overdue is told again until it is journaled.
        let found = u64::from(begun) << 32 | u64::from(next);
        self.look.found.store(found, Relaxed);
        overdue
    }

    /// Whether the last look knows that nobody is overdue; in milliseconds since the alert was accepted.
    pub(in crate::ledger) fn is_quiet(&self, now: u32) -> bool {
        let begun = u64::from(self.look.begun.load(Acquire));
        let found = self.look.found.load(Relaxed);
        found >> 32 == begun && u64::from(now) < found & u64::from(u32::MAX)
    }
}
