//! A device looks at itself: when it was asked to, and what it tells. Nothing here sounds, and this module must not put
//! anything where it could.

use channel::Timestamp;

use super::ending::report;
use super::{Player, Report};
use crate::order::Order;
use crate::report::PlayState;

impl Player {
    /// Whether the device is to look at itself now: at its amplifier, storage, clock and volume, without a sound.
    pub fn is_to_test(&self, now: Timestamp) -> bool {
        let due = |test: &Order| test.not_before <= now && now < test.expires;
        self.test.as_ref().is_some_and(due)
    }

    /// What it found wrong, in a short word; nothing where all is well.
    pub fn tested(&mut self, wrong: Option<&str>, now: Timestamp) {
        let Some(test) = self.test.take() else { return };
        let state = wrong.map_or(PlayState::Done, |_| PlayState::Failed);
        self.post(Report {
            code: wrong.unwrap_or_default().to_owned(),
            ..report(&test.order, state, now)
        });
    }
}
