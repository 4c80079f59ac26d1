//! How far an alert had come by which minute after its release: how many deliveries rose to each evidence, counted in
//! the moment in which the fold raises it (law 5). It grows with the minutes of an alert, never with its deliveries. This
//! module must not decide what is evidence; a sealed alert has its curve from its stream, by the same fold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use channel::{Evidence, Timestamp};
use parking_lot::Mutex;

use super::Alert;
use super::event::Audience;

/// Deliveries that rose to an evidence: each is counted once for each that it rose to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Risen {
    pub accepted: u32,
    /// A device has it.
    pub delivered: u32,
    /// A speaker proved that it was played: the second column, never added to the first.
    pub played: u32,
    /// A person answered.
    pub confirmed: u32,
}

impl Risen {
    /// Both together.
    pub const fn and(self, more: Self) -> Self {
        Self {
            accepted: self.accepted + more.accepted,
            delivered: self.delivered + more.delivered,
            played: self.played + more.played,
            confirmed: self.confirmed + more.confirmed,
        }
    }
}

/// What comes later than two days stands in the last minute: a curve is bounded, whatever the far ends say.
pub const LAST: u32 = 2 * 24 * 60;

const NOT_YET: u32 = u32::MAX;

pub struct Curve {
    /// The release, in milliseconds since the alert was accepted.
    begun: AtomicU32,
    minutes: Mutex<BTreeMap<u32, Risen>>,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            begun: AtomicU32::new(NOT_YET),
            minutes: Mutex::default(),
        }
    }
}

impl Curve {
    /// The first release is the zero of the curve.
    pub(super) fn begin(&self, at: u32) {
        let _ = self.begun.compare_exchange(NOT_YET, at, Relaxed, Relaxed);
    }

    pub(super) fn rose(&self, from: u8, to: Evidence, speaker: bool, at: u32) {
        let begun = self.begun.load(Relaxed);
        let minute = (at.saturating_sub(begun) / 60_000).min(LAST);
        let newly = |evidence: Evidence| u32::from(from < evidence as u8 && to >= evidence);
        let proven = newly(Evidence::Delivered);
        let mut minutes = self.minutes.lock();
        let risen = minutes.entry(minute).or_default();
        risen.accepted += newly(Evidence::Accepted);
        if speaker {
            risen.played += proven;
        } else {
            risen.delivered += proven;
            risen.confirmed += newly(Evidence::Acknowledged);
        }
    }

    /// What rose in each minute after the release, where anything did.
    pub fn minutes(&self) -> BTreeMap<u32, Risen> {
        self.minutes.lock().clone()
    }
}

impl Alert {
    /// When it was released first.
    pub fn released_at(&self) -> Option<Timestamp> {
        let begun = self.curve.begun.load(Relaxed);
        let after = std::time::Duration::from_millis(begun.into());
        (begun != NOT_YET).then(|| self.at.plus(after))
    }

    /// The curve is of people who are warned: whoever is called to an outlet has one that nobody looks at.
    pub(super) fn curve_of(&self, audience: Audience) -> Arc<Curve> {
        if audience.is_warned() {
            self.curve.clone()
        } else {
            Arc::default()
        }
    }
}
