//! Quotas that the far end keeps without a word: what is beyond them is dropped and still answered as taken. So it is
//! counted here before it is sent. This module must not wait, and keeps no address.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use channel::{Context, Timestamp};
use parking_lot::Mutex;

/// Sends that are remembered at most, over all addresses: 8 bytes each.
const MOST: usize = 1 << 20;
/// What was sent before this process began is that much earlier than its first tick at most.
const BEFORE: Duration = Duration::from_hours(2);
/// How long whoever cannot be counted waits.
const FULL: Duration = Duration::from_mins(1);

/// So many sends within so long; the longest window last.
pub(crate) type Limit = (usize, Duration);

pub(crate) struct Quota {
    limits: &'static [Limit],
    most: usize,
    hasher: RandomState,
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    /// By the hash of an address under this run's key: when it was sent to.
    by: HashMap<u64, VecDeque<Duration>>,
    total: usize,
    swept: Duration,
}

impl Quota {
    pub fn new(limits: &'static [Limit]) -> Self {
        Self {
            limits,
            most: MOST,
            hasher: RandomState::new(),
            sent: Mutex::default(),
        }
    }

    /// Counts what earlier processes sent, as far as it is not over, whatever it comes to. `name`: how an address is
    /// called here.
    pub fn resume(&self, context: &Context, name: impl Fn(&str) -> String) {
        let (now, tick) = (context.clock.now(), context.clock.tick() + BEFORE);
        let longest = i64::try_from(self.longest().as_millis()).unwrap_or(i64::MAX);
        let mut before = context.inlet.tried(Timestamp(now.0 - longest));
        before.sort_by_key(|(_, at)| *at);
        let mut sent = self.sent.lock();
        for (address, at) in before {
            let at = tick.saturating_sub(now.since(at));
            let who = self.hasher.hash_one(name(address.expose()));
            sent.by.entry(who).or_default().push_back(at);
            sent.total += 1;
        }
    }

    fn longest(&self) -> Duration {
        self.limits.last().map_or(Duration::ZERO, |limit| limit.1)
    }

    /// Counts one send, or says how long to wait until one more may go.
    pub fn take(&self, address: &str, tick: Duration) -> Result<(), Duration> {
        let (who, tick) = (self.hasher.hash_one(address), tick + BEFORE);
        let mut sent = self.sent.lock();
        if sent.total >= self.most {
            sent.sweep(tick, self.longest());
            if sent.total >= self.most {
                return Err(FULL);
            }
        }
        let mut gone = 0;
        let times = sent.by.entry(who).or_default();
        while times.front().is_some_and(|at| *at + self.longest() <= tick) {
            times.pop_front();
            gone += 1;
        }
        let waits = self.limits.iter().filter_map(|(most, window)| {
            let oldest = times
                .len()
                .checked_sub(*most)
                .and_then(|at| times.get(at))?;
            (*oldest + *window)
                .checked_sub(tick)
                .filter(|wait| !wait.is_zero())
        });
        let answer = waits.max().map_or(Ok(()), Err);
        if answer.is_ok() {
            times.push_back(tick);
        }
        sent.total = sent.total - gone + usize::from(answer.is_ok());
        answer
    }

    /// What was counted last for this address was not sent after all.
    pub fn give_back(&self, address: &str) {
        let who = self.hasher.hash_one(address);
        let mut sent = self.sent.lock();
        let Some(times) = sent.by.get_mut(&who) else {
            return;
        };
        let given = times.pop_back().is_some();
        if times.is_empty() {
            sent.by.remove(&who);
        }
        sent.total -= usize::from(given);
    }
}

impl Sent {
    /// Forgets what is over; at most once a second, for it looks at everything.
    fn sweep(&mut self, tick: Duration, longest: Duration) {
        if !self.swept.is_zero() && tick < self.swept + Duration::from_secs(1) {
            return;
        }
        self.swept = tick;
        self.by.retain(|_, times| {
            times.retain(|at| *at + longest > tick);
            !times.is_empty()
        });
        self.total = self.by.values().map(VecDeque::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MEMBER: &[Limit] = &[
        (30, Duration::from_mins(1)),
        (1_000, Duration::from_hours(1)),
    ];

    #[test]
    fn thirty_go_in_a_minute_and_the_next_waits_for_the_first_to_leave() {
        let quota = Quota::new(MEMBER);
        for n in 0..30 {
            assert_eq!(quota.take("u1", SECOND * n), Ok(()));
        }
        assert_eq!(quota.take("u1", SECOND * 30), Err(SECOND * 30));
        assert_eq!(quota.take("u2", SECOND * 30), Ok(()), "each has their own");
        assert_eq!(quota.take("u1", SECOND * 60), Ok(()));
        assert_eq!(quota.take("u1", SECOND * 60), Err(SECOND));
        quota.give_back("u1");
        assert_eq!(
            quota.take("u1", SECOND * 60),
            Ok(()),
            "it was not sent after all"
        );
    }

    #[test]
    fn what_was_sent_before_this_process_began_counts_until_it_is_over() {
        use std::sync::Arc;

        use channel::testing::context;
        use channel::{Address, Clock, ManualClock};

        let (context, inlet) = context("quota");
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_783_980_000)));
        let ago = |seconds: i64| Timestamp(clock.now().0 - seconds * 1_000);
        let member = |n: &str| Address::new(n);
        for n in 0..29 {
            inlet.tried.lock().push((member("U1"), ago(50 - n)));
        }
        inlet.tried.lock().push((member("u1"), ago(4_000)));
        let context = Context { clock, ..context };
        let quota = Quota::new(MEMBER);
        quota.resume(&context, str::to_ascii_lowercase);
        let tick = context.clock.tick();
        assert_eq!(quota.sent.lock().total, 29, "an hour counts and no more");
        assert_eq!(quota.take("u1", tick), Ok(()));
        assert_eq!(quota.take("u1", tick), Err(SECOND * 10));
        assert_eq!(quota.take("u2", tick), Ok(()));
        assert_eq!(quota.take("u1", tick + SECOND * 10), Ok(()));
    }

    #[test]
    fn a_thousand_go_in_an_hour() {
        let quota = Quota::new(MEMBER);
        let mut taken = 0;
        let mut tick = Duration::ZERO;
        while tick < Duration::from_hours(1) {
            taken += usize::from(quota.take("u1", tick).is_ok());
            tick += SECOND;
        }
        assert_eq!(taken, 1_000);
        let wait = quota.take("u1", Duration::from_secs(3_599)).unwrap_err();
        assert!(
            wait <= Duration::from_hours(1) && !wait.is_zero(),
            "{wait:?}"
        );
    }

    #[test]
    fn memory_is_bounded_and_what_is_over_makes_room() {
        let mut quota = Quota::new(MEMBER);
        quota.most = 100;
        for n in 0..100 {
            assert_eq!(quota.take(&format!("u{n}"), SECOND), Ok(()));
        }
        assert_eq!(quota.take("u100", SECOND * 5), Err(FULL));
        assert_eq!(quota.take("u100", Duration::from_hours(2)), Ok(()));
        assert_eq!(quota.sent.lock().total, 1);
        assert_eq!(quota.sent.lock().by.len(), 1);
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_limit(
            gaps in prop::collection::vec((0_u64..20, any::<bool>()), 1..400),
        ) {
            const FEW: &[Limit] = &[(3, Duration::from_secs(10)), (8, Duration::from_mins(1))];
            let quota = Quota::new(FEW);
            let (mut tick, mut sent) = (Duration::ZERO, Vec::new());
            for (gap, patient) in gaps {
                tick += SECOND * u32::try_from(gap).unwrap();
                match quota.take("u", tick) {
                    Ok(()) => sent.push(tick),
                    Err(wait) if patient => {
                        tick += wait;
                        prop_assert_eq!(quota.take("u", tick), Ok(()), "the wait is enough");
                        sent.push(tick);
                    }
                    Err(_) => {}
                }
            }
            for (most, window) in FEW {
                for at in &sent {
                    let within = sent.iter().filter(|t| **t <= *at && **t + *window > *at).count();
                    prop_assert!(within <= *most);
                }
            }
            prop_assert_eq!(quota.sent.lock().total, quota.sent.lock().by.values().map(VecDeque::len).sum::<usize>());
        }
    }
}
