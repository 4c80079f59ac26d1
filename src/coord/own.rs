//! An account's permits on one node: governor's GCRA over the node's own clock, and beside it the mark of whoever has more
//! urgent work. This module must not wait.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::{Ask, MARK, YIELD};
use crate::model::Rate;

/// What one node may take of an account.
pub struct Own {
    limiter: RateLimiter<NotKeyed, InMemoryState, Tick, NoOpMiddleware<Duration>>,
    tick: Tick,
    /// Between two permits.
    interval: Duration,
    burst: NonZeroU32,
    /// Granted beyond a burst, and taken from the limiter before anything else.
    owed: u32,
    mark: Option<Mark>,
}

/// The limiter's clock: the tick of the last ask, since time comes in through the door.
#[derive(Clone, Default)]
struct Tick(Arc<AtomicU64>);

impl Clock for Tick {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Relaxed))
    }
}

impl Tick {
    fn set(&self, tick: Duration) {
        let nanos = u64::try_from(tick.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Relaxed);
    }
}

/// Somebody has work of this rank.
struct Mark {
    lane: String,
    rank: u64,
    until: Duration,
}

impl Own {
    pub fn new(rate: Rate, nodes: NonZeroU32) -> Self {
        let interval = Duration::from_secs(1) * nodes.get() / rate.per_second.get();
        let interval = interval.max(Duration::from_nanos(1));
        let burst = NonZeroU32::new(rate.burst.get() / nodes).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval).expect("an interval is never zero");
        let tick = Tick::default();
        Self {
            limiter: RateLimiter::direct_with_clock(quota.allow_burst(burst), tick.clone()),
            tick,
            interval,
            burst,
            owed: 0,
            mark: None,
        }
    }

    pub fn ask(&mut self, ask: Ask<'_>, tick: Duration) -> Option<Duration> {
        if let Some(mark) = &self.mark
            && mark.until > tick
            && mark.lane != ask.lane
            && mark.rank < ask.rank
        {
            return Some(mark.until.saturating_sub(tick).min(YIELD));
        }
        let wait = self.wait(ask.permits, tick);
        if wait.is_some() || ask.more {
            self.mark = Some(Mark {
                lane: ask.lane.to_owned(),
                rank: ask.rank,
                until: tick + MARK,
            });
        } else if self.mark.as_ref().is_some_and(|m| m.lane == ask.lane) {
            self.mark = None;
        }
        wait
    }

    /// More than the burst is granted when all of the burst is there, and paid back before the next.
    fn wait(&mut self, permits: u32, tick: Duration) -> Option<Duration> {
        self.tick.set(tick);
        let now = permits.min(self.burst.get());
        while let Some(owed) = NonZeroU32::new(self.owed.min(self.burst.get())) {
            if let Some(wait) = self.take(owed) {
                return Some(wait + self.interval * (self.owed - owed.get() + now));
            }
            self.owed -= owed.get();
        }
        let wait = NonZeroU32::new(now).and_then(|now| self.take(now));
        if wait.is_none() {
            self.owed = permits - now;
        }
        wait
    }

    /// Takes so many, at most a burst, or says how long until they are there.
    fn take(&self, permits: NonZeroU32) -> Option<Duration> {
        let taken = self.limiter.check_n(permits);
        let until = taken.expect("nobody takes more than a burst").err()?;
        let wait = until.wait_time_from(self.tick.now());
        // What the clock cannot tell apart from nothing is still a wait.
        Some(wait.max(Duration::from_nanos(1)))
    }
}
