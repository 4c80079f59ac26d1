//! What adapters and terminals said of themselves last, and which of them have fallen silent. Pure bookkeeping; this module
//! must not journal a heartbeat.

use std::collections::HashMap;
use std::time::Duration;

use channel::{DeviceState, PresenceState, Timestamp};

use super::bytes::Id;

#[derive(Default)]
pub struct Standing(HashMap<Id, Known>);

#[derive(Default)]
struct Known {
    state: DeviceState,
    /// By `tick`.
    heard: Duration,
    silent: bool,
    /// By `tick`, when its clock was set last.
    set: Option<Duration>,
}

/// A clock is set at most this often: an adapter that does not obey is not told for ever.
const SET_EVERY: Duration = Duration::from_mins(10);

impl Standing {
    fn entry(&mut self, front: &Id, now: (Timestamp, Duration)) -> &mut Known {
        let known = self.0.entry(front.clone()).or_default();
        (known.state.heard, known.heard, known.silent) = (Some(now.0), now.1, false);
        known
    }

    /// A heartbeat: 1 idle, 2 working, 3 fault. How it stands.
    pub fn beat(
        &mut self,
        front: &Id,
        state: u8,
        time: Option<u32>,
        now: (Timestamp, Duration),
    ) -> PresenceState {
        let state = match state {
            2 => PresenceState::Playing,
            3 => PresenceState::Fault,
            _ => PresenceState::Idle,
        };
        let known = self.entry(front, now);
        known.state.state = Some(state);
        known.state.clock_error = time.map(|time| i64::from(time) * 1000 - now.0.0);
        state
    }

    pub fn fault(&mut self, front: &Id, now: (Timestamp, Duration)) {
        self.entry(front, now).state.state = Some(PresenceState::Fault);
    }

    pub fn volume(&mut self, front: &Id, volume: u8, now: (Timestamp, Duration)) {
        self.entry(front, now).state.volume = Some(volume);
    }

    /// Whether its clock should be set now; then it is taken as set.
    pub fn set_clock(&mut self, front: &Id, beyond: Duration, tick: Duration) -> bool {
        let Some(known) = self.0.get_mut(front) else {
            return false;
        };
        let beyond = i64::try_from(beyond.as_millis()).unwrap_or(i64::MAX);
        let off = known
            .state
            .clock_error
            .is_some_and(|error| error.saturating_abs() > beyond);
        let due = known.set.is_none_or(|set| tick >= set + SET_EVERY);
        if beyond == 0 || !off || !due {
            return false;
        }
        known.set = Some(tick);
        true
    }

    /// Who has not been heard for so long, once each.
    pub fn sweep(&mut self, tick: Duration, after: Duration) -> Vec<Id> {
        let mut fallen = Vec::new();
        for (front, known) in &mut self.0 {
            if !known.silent && tick >= known.heard + after {
                known.silent = true;
                known.state.state = Some(PresenceState::Silent);
                fallen.push(front.clone());
            }
        }
        fallen
    }

    pub fn of(&self, front: &Id) -> Option<DeviceState> {
        self.0.get(front).map(|known| known.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_falls_silent_once_and_a_wrong_clock_is_set_now_and_then() {
        let mut standing = Standing::default();
        let front: Id = "45107270000000314010201".parse().expect("digits");
        let now = |seconds: i64| {
            (
                Timestamp::from_secs(1_000 + seconds),
                Duration::from_secs(seconds.unsigned_abs()),
            )
        };
        assert_eq!(
            standing.beat(&front, 2, Some(1_040), now(0)),
            PresenceState::Playing
        );
        let state = standing.of(&front).expect("it was heard");
        assert_eq!(state.clock_error, Some(40_000));
        let (beyond, tick) = (Duration::from_secs(30), Duration::from_secs);
        assert!(!standing.set_clock(&front, Duration::ZERO, tick(0)));
        assert!(!standing.set_clock(&front, Duration::from_mins(1), tick(0)));
        assert!(standing.set_clock(&front, beyond, tick(0)));
        assert!(!standing.set_clock(&front, beyond, tick(599)));
        assert!(standing.set_clock(&front, beyond, tick(600)));
        assert_eq!(standing.sweep(tick(29), beyond), []);
        assert_eq!(
            standing.sweep(tick(30), beyond),
            std::slice::from_ref(&front)
        );
        assert_eq!(standing.sweep(tick(31), beyond), []);
        assert_eq!(
            standing.beat(&front, 3, None, now(32)),
            PresenceState::Fault
        );
        assert_eq!(standing.sweep(tick(62), beyond), [front]);
    }
}
