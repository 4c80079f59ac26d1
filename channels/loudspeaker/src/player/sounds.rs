//! Sounds that an order needs and that have to be fetched: which, and how long an order waits for them. It plays without
//! them when that time is over: a warning is never silent for want of a sound. This module must not fetch.

use std::time::Duration;

use channel::{Sound, Timestamp};

use super::{Player, Shelved};

/// What a player with a line to fetch by waits before the first reading of an order.
pub const PATIENCE: Duration = Duration::from_secs(8);

impl Player {
    /// Waits so long for the sounds of an order before it plays without them.
    #[must_use]
    pub fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The sounds of what lies here to be played, what goes first first.
    pub fn wanted(&self) -> Vec<Sound> {
        let mut lying: Vec<_> = self.shelf.iter().collect();
        lying.sort_by_key(|other| (other.order.not_before, other.order.rank()));
        let mut wanted: Vec<Sound> = Vec::new();
        for sound in lying.into_iter().flat_map(|other| other.order.sounds_of()) {
            if !wanted.iter().any(|other| other.sha256 == sound.sha256) {
                wanted.push(sound.clone());
            }
        }
        wanted
    }

    /// What is at hand, or will never be: an order that lacks nothing more waits no longer.
    pub fn settled(&mut self, is_settled: impl Fn(&Sound) -> bool) {
        for shelved in &mut self.shelf {
            if shelved.order.sounds_of().all(&is_settled) {
                shelved.waits = Timestamp(0);
            }
        }
    }

    /// Until when an order that has just come waits for its sounds.
    pub(super) fn patience_of(&self, order: &crate::order::Order, now: Timestamp) -> Timestamp {
        if self.patience.is_zero() || order.sounds_of().next().is_none() {
            return Timestamp(0);
        }
        now.max(order.not_before).plus(self.patience)
    }
}

impl Shelved {
    /// Whether its time has come, and its sounds or the end of the wait for them.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        if self.order.is_quake() {
            return self.is_quake_due();
        }
        self.order.not_before <= now && self.waits <= now
    }
}
