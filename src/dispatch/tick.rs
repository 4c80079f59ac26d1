//! What time alone brings: texts expire, receipts are overdue. Pure over the ledger and now. While the two faces of the
//! clock part by more than half a minute, expiry waits, because a wrong clock must not silence a warning. This module
//! must not write or sleep.

use std::time::Duration;

use channel::Timestamp;

use crate::ledger::{Alert, Block, Event, Ledger};
use crate::model::{State, StreamId};

/// What is due now.
pub fn tick(now: Timestamp, ledger: &Ledger) -> Vec<(StreamId, Event)> {
    let mut events = Vec::new();
    for alert in ledger.alerts() {
        let overdue: Vec<_> = alert
            .blocks()
            .iter()
            .flat_map(|b| overdue(&alert, b, now))
            .collect();
        if !overdue.is_empty() {
            events.push((
                alert.stream,
                Event::Overdue {
                    deliveries: overdue,
                },
            ));
        }
        if let Some((step, _)) = alert.steps.next()
            && alert.withdrawn_by().is_none()
            && alert.is_over(now)
        {
            events.push((alert.stream, Event::Dropped { step }));
        }
        let over =
            |n: &u16| alert.variant(*n).is_some_and(|v| v.expires <= now) && !alert.is_expired(*n);
        let count = u16::try_from(alert.variants().len()).unwrap_or(u16::MAX);
        let variants: Vec<u16> = (0..count).filter(over).collect();
        if !variants.is_empty() {
            events.push((alert.stream, Event::Expired { variants }));
        }
    }
    events
}

fn overdue(alert: &Alert, block: &Block, now: Timestamp) -> Vec<u32> {
    if block.tally(State::Awaiting) == 0 {
        return Vec::new();
    }
    let passed = |i: &usize| {
        let until = alert
            .at
            .plus(Duration::from_millis(u64::from(block.due(*i))));
        block.state(*i) == State::Awaiting && until <= now
    };
    (0..block.len() as usize)
        .filter(passed)
        .map(|i| block.number(i))
        .collect()
}

/// Watches `now` against `tick`.
#[derive(Default)]
pub struct Drift {
    base: Option<i128>,
    since: Option<Duration>,
}

const PART: i128 = 30_000;
/// After this long the new time is believed.
const BELIEVE: Duration = Duration::from_mins(10);

impl Drift {
    /// Whether expiry may be decided now.
    pub fn trusts(&mut self, now: Timestamp, tick: Duration) -> bool {
        let part = i128::from(now.0) - i128::try_from(tick.as_millis()).unwrap_or(i128::MAX);
        let base = *self.base.get_or_insert(part);
        if (part - base).abs() <= PART {
            self.since = None;
            return true;
        }
        let since = *self.since.get_or_insert_with(|| {
            tracing::error!(
                seconds = i64::try_from((part - base) / 1000).unwrap_or(i64::MAX),
                "the wall clock jumped; sending goes on, expiry waits ten minutes; check the time source"
            );
            tick
        });
        if tick.saturating_sub(since) >= BELIEVE {
            (self.base, self.since) = (Some(part), None);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_clock_stops_expiry_for_ten_minutes() {
        let mut drift = Drift::default();
        let s = Duration::from_secs;
        assert!(drift.trusts(Timestamp::from_secs(1000), s(0)));
        assert!(
            drift.trusts(Timestamp::from_secs(1020), s(5)),
            "a small step is no jump"
        );
        assert!(!drift.trusts(Timestamp::from_secs(9000), s(10)));
        assert!(!drift.trusts(Timestamp::from_secs(9300), s(310)));
        assert!(drift.trusts(Timestamp::from_secs(9601), s(611)));
        assert!(drift.trusts(Timestamp::from_secs(9602), s(612)));
    }
}
