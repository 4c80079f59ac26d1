//! Which time is believed. The wall clock is held against the clock that never jumps: where the two part by more than half
//! a minute, time goes on as it went before, so that sending goes on and no warning ends or begins by a wrong clock, until
//! a person has looked or ten minutes are over (law 7). This module must not decide what waits meanwhile.

use std::sync::Arc;
use std::time::Duration;

use channel::{Clock, Timestamp};
use parking_lot::Mutex;

/// From here on a step is a jump.
const PART: i64 = 30_000;
/// After this long the new time is believed.
const BELIEVE: Duration = Duration::from_mins(10);

/// A clock that does not follow a jump of the one below it at once.
pub struct Steady {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// The wall clock less the steady one, as it is believed.
    base: i64,
    /// Since when they have parted.
    since: Option<Duration>,
}

/// A jump that nobody has looked at yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// How far the wall clock is ahead of the time that is believed; behind it where negative.
    pub seconds: i64,
    /// In how long it is believed.
    pub left: Duration,
}

impl Steady {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let base = parted(clock.now(), clock.tick());
        let state = Mutex::new(State { base, since: None });
        Self { clock, state }
    }

    /// The jump that stands, if one does.
    pub fn jump(&self) -> Option<Jump> {
        let (now, tick) = (self.clock.now(), self.clock.tick());
        let mut state = self.state.lock();
        state.look(now, tick);
        let since = state.since?;
        Some(Jump {
            seconds: (parted(now, tick) - state.base) / 1000,
            left: (since + BELIEVE).saturating_sub(tick),
        })
    }

    /// A person has looked: the wall clock is right. Gives the jump that this ended.
    pub fn believe(&self) -> Option<Jump> {
        let jump = self.jump()?;
        let mut state = self.state.lock();
        state.base = parted(self.clock.now(), self.clock.tick());
        state.since = None;
        Some(jump)
    }
}

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        let (now, tick) = (self.clock.now(), self.clock.tick());
        self.state.lock().look(now, tick)
    }

    fn tick(&self) -> Duration {
        self.clock.tick()
    }
}

impl State {
    /// The time that is believed.
    fn look(&mut self, now: Timestamp, tick: Duration) -> Timestamp {
        let part = parted(now, tick);
        let away = part - self.base;
        if away.abs() <= PART {
            if self.since.take().is_some() {
                tracing::info!("the wall clock is back where it was");
            }
            // Small steps of a time service are followed.
            self.base = part;
            return now;
        }
        let since = *self.since.get_or_insert_with(|| {
            tracing::error!(
                seconds = away / 1000,
                "the wall clock jumped; sending goes on, expiry waits ten minutes; check the time source"
            );
            tick
        });
        if tick.saturating_sub(since) >= BELIEVE {
            tracing::warn!(
                seconds = away / 1000,
                "the new time of the wall clock is believed"
            );
            (self.base, self.since) = (part, None);
            return now;
        }
        Timestamp(self.base.saturating_add(millis(tick)))
    }
}

fn parted(now: Timestamp, tick: Duration) -> i64 {
    now.0.saturating_sub(millis(tick))
}

fn millis(tick: Duration) -> i64 {
    i64::try_from(tick.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use channel::ManualClock;

    use super::*;

    const START: Timestamp = Timestamp(1_783_990_800_000);
    const MINUTE: Duration = Duration::from_mins(1);

    fn steady() -> (Arc<ManualClock>, Steady) {
        let clock = Arc::new(ManualClock::new(START));
        let steady = Steady::new(clock.clone());
        (clock, steady)
    }

    #[test]
    fn a_jump_is_not_followed_for_ten_minutes_whichever_way_it_goes() {
        for seconds in [3 * 3600, -3 * 3600, 31, -31] {
            let (clock, steady) = steady();
            clock.jump(seconds * 1000);
            assert_eq!(steady.now(), START, "{seconds}");
            assert_eq!(steady.jump().map(|jump| jump.seconds), Some(seconds));
            clock.advance(MINUTE * 9);
            assert_eq!(steady.now(), START.plus(MINUTE * 9), "time goes on");
            clock.advance(MINUTE);
            assert_eq!(steady.now(), clock.now(), "then it is believed");
            assert_eq!(steady.jump(), None);
        }
    }

    #[test]
    fn a_person_ends_the_waiting() {
        let (clock, steady) = steady();
        assert_eq!(steady.believe(), None, "there is nothing to end");
        clock.jump(3_600_000);
        assert_eq!(steady.believe().map(|jump| jump.seconds), Some(3600));
        assert_eq!(steady.now(), clock.now());
        assert_eq!(steady.jump(), None);
    }

    #[test]
    fn small_steps_are_followed_however_many() {
        let (clock, steady) = steady();
        for _ in 0..10 {
            clock.jump(29_000);
            assert_eq!(steady.now(), clock.now());
        }
        assert_eq!(steady.jump(), None);
    }

    #[test]
    fn a_jump_that_is_taken_back_is_over() {
        let (clock, steady) = steady();
        clock.jump(86_400_000);
        clock.advance(MINUTE);
        assert_eq!(steady.now(), START.plus(MINUTE));
        clock.jump(-86_400_000);
        assert_eq!(steady.now(), START.plus(MINUTE));
        assert_eq!(steady.jump(), None);
    }
}
