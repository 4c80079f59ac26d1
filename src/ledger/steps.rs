//! What a release decided beside its blocks: by which level it is handled, and which of its steps are still to come. Only
//! the fold writes here; this module must not know why a step is late.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use channel::{Level, Timestamp};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use super::barred::Bars;
use super::{Alert, Known};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Phase {
    Accepted = 0,
    Releasing = 1,
    /// All its blocks are written that were due with it.
    Planned = 2,
    Withdrawn = 3,
    /// A person refused it: nothing of it is ever sent.
    Refused = 4,
}

/// A release has few steps: each is one bit.
const MOST: usize = 64;

#[derive(Default)]
pub struct Steps {
    /// One more than the level; 0 for its own.
    raised: AtomicU8,
    due: RwLock<Vec<Timestamp>>,
    planned: AtomicU64,
    dropped: AtomicU64,
    pub(super) bars: Bars,
}

impl Alert {
    /// The level by which it is handled: its own, or the one that a plan raised it to.
    pub fn handled(&self) -> Level {
        self.steps.raised().unwrap_or(self.meta.level)
    }

    /// Whether what it says itself is over; what says nothing itself (a short Cancel) ends others and is never late.
    pub fn is_over(&self, now: Timestamp) -> bool {
        !self.meta.infos.is_empty() && self.expires() <= now
    }
}

impl Known {
    pub fn handled(&self) -> Level {
        match self {
            Self::Open(alert) => alert.handled(),
            Self::Sealed(card) => card.decided.raised.unwrap_or(card.meta.level),
        }
    }
}

const LEVELS: [Level; 5] = [
    Level::Red,
    Level::Orange,
    Level::Yellow,
    Level::Blue,
    Level::Unknown,
];

fn bit(step: u16) -> u64 {
    1_u64.checked_shl(step.into()).unwrap_or(0)
}

impl Steps {
    pub fn raised(&self) -> Option<Level> {
        let place = self.raised.load(Relaxed).checked_sub(1)?;
        LEVELS.get(usize::from(place)).copied()
    }

    /// When each step is due; empty where all of it is due at once.
    pub fn due(&self) -> Vec<Timestamp> {
        self.due.read().clone()
    }

    /// The earliest step that is neither planned nor dropped, of those after the first.
    pub fn next(&self) -> Option<(u16, Timestamp)> {
        let done = self.planned.load(Relaxed) | self.dropped.load(Relaxed);
        let due = self.due.read();
        let later = (0..).zip(due.iter().copied()).skip(1);
        later
            .filter(|(step, _)| done & bit(*step) == 0)
            .min_by_key(|(_, due)| *due)
    }

    pub fn is_planned(&self, step: u16) -> bool {
        self.planned.load(Relaxed) & bit(step) != 0
    }

    pub fn is_dropped(&self, step: u16) -> bool {
        self.dropped.load(Relaxed) & bit(step) != 0
    }

    /// Whether a step was over before it was due.
    pub fn any_dropped(&self) -> bool {
        self.dropped.load(Relaxed) != 0
    }

    pub(super) fn raise(&self, level: Level) {
        self.raised.store(level as u8 + 1, Relaxed);
    }

    pub(super) fn set(&self, due: &[Timestamp]) {
        let due = &due[..due.len().min(MOST)];
        due.clone_into(&mut self.due.write());
    }

    pub(super) fn plan(&self, step: u16) {
        self.planned.fetch_or(bit(step), Relaxed);
    }

    pub(super) fn drop(&self, step: u16) {
        self.dropped.fetch_or(bit(step), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_the_first_that_is_neither_planned_nor_dropped() {
        let steps = Steps::default();
        assert_eq!(steps.next(), None);
        let at = Timestamp::from_secs;
        steps.set(&[at(0), at(10), at(20)]);
        assert_eq!(steps.next(), Some((1, at(10))));
        steps.plan(0);
        steps.drop(1);
        assert!(steps.any_dropped());
        assert_eq!(steps.next(), Some((2, at(20))));
        steps.set(&[at(0), at(10), at(20), at(15)]);
        assert_eq!(steps.next(), Some((3, at(15))), "a late one may come first");
        steps.plan(2);
        steps.plan(3);
        assert_eq!(steps.next(), None);
    }

    #[test]
    fn a_raised_level_comes_back_as_it_was_put() {
        let steps = Steps::default();
        assert_eq!(steps.raised(), None);
        for level in LEVELS {
            steps.raise(level);
            assert_eq!(steps.raised(), Some(level));
        }
    }
}
