//! An account's permits on one node: the same rule as the cell that nodes share, over the node's own clock. This module
//! must not wait.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Ask, MARK, YIELD};
use crate::model::Rate;

/// What one node may take of an account.
pub struct Own {
    /// Between two permits.
    interval: Duration,
    burst: u32,
    /// When the permits that were taken have all come back: the theoretical arrival of GCRA.
    arrival: Duration,
    mark: Option<Mark>,
}

/// Somebody has work of this rank.
struct Mark {
    lane: String,
    rank: u64,
    until: Duration,
}

impl Own {
    pub fn new(rate: Rate, nodes: NonZeroU32) -> Self {
        Self {
            interval: Duration::from_secs(1) * nodes.get() / rate.per_second.get(),
            burst: (rate.burst.get() / nodes).max(1),
            arrival: Duration::ZERO,
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
        if wait.is_none() {
            self.arrival = self.arrival.max(tick) + self.interval * ask.permits;
        }
        wait
    }

    /// More than the burst is granted when all of the burst is there, and paid back before the next.
    fn wait(&self, permits: u32, tick: Duration) -> Option<Duration> {
        let needed = self.arrival.max(tick) + self.interval * permits.min(self.burst);
        let there = tick + self.interval * self.burst;
        Some(needed.saturating_sub(there)).filter(|wait| !wait.is_zero())
    }
}
