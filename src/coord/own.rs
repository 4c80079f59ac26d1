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
    /// How far the limiter's clock is behind: it stands while what was granted beyond a burst is paid back.
    behind: Duration,
    mark: Option<Mark>,
}

/// The limiter's clock: it goes by the ticks that are handed in, since time comes in through the door.
#[derive(Clone, Default)]
struct Tick(Arc<AtomicU64>);

impl Clock for Tick {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Relaxed))
    }
}

impl Tick {
    /// Goes on to this moment, never back; gives how long it still stands.
    fn go_on(&self, tick: Duration, behind: Duration) -> Duration {
        let now = self.now();
        let nanos = u64::try_from(tick.saturating_sub(behind).as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(nanos, Relaxed);
        (now + behind).saturating_sub(tick)
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
            behind: Duration::ZERO,
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
        let stands = self.tick.go_on(tick, self.behind);
        let wanted = NonZeroU32::new(permits.min(self.burst.get()))?;
        if !stands.is_zero() {
            return Some(stands + self.interval * wanted.get());
        }
        let taken = self.limiter.check_n(wanted);
        if let Err(until) = taken.expect("nobody takes more than a burst") {
            let wait = until.wait_time_from(self.tick.now());
            // What the clock cannot tell apart from nothing is still a wait.
            return Some(wait.max(Duration::from_nanos(1)));
        }
        self.behind += self.interval * (permits - wanted.get());
        None
    }
}
