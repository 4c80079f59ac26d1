//! What comes after an outcome: a pure decision over policy, attempt, failure and time. Retry delay: min(first ×
//! factorⁿ⁻¹, cap) ± 10 %, seeded by delivery and attempt, never beyond `expires`. This module must not read a clock.

use std::time::Duration;

use channel::{Failure, FailureClass, Timestamp};

use crate::ledger::event::Next;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Policy {
    pub first: Duration,
    pub factor: u32,
    pub cap: Duration,
    pub attempts: u8,
}

impl Policy {
    /// How long the next attempt waits.
    pub fn delay(&self, attempt: u8, seed: u64) -> Duration {
        let steps = u32::from(attempt.saturating_sub(1));
        let grown = self
            .factor
            .checked_pow(steps)
            .and_then(|f| self.first.checked_mul(f));
        let wait = grown.unwrap_or(self.cap).min(self.cap);
        let jitter = fastrand::Rng::with_seed(seed ^ u64::from(attempt)).u32(0..=200);
        wait * (900 + jitter) / 1000
    }
}

/// Where one delivery stands when its outcome comes.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub attempt: u8,
    pub now: Timestamp,
    pub expires: Timestamp,
    pub seed: u64,
}

pub fn after_failure(policy: &Policy, failure: &Failure, at: Standing) -> Next {
    match failure.class {
        FailureClass::BadAddress | FailureClass::BadContent => Next::Failed,
        FailureClass::LinkDown => Next::Due {
            at: at.now,
            charged: false,
        },
        FailureClass::Throttled => {
            let wait = failure.retry_after.unwrap_or(Duration::from_secs(1));
            Next::Due {
                at: at.now.plus(wait),
                charged: false,
            }
        }
        FailureClass::Transient => again(policy, failure, at).unwrap_or(Next::Failed),
        // In doubt at the end is not failed: nobody knows.
        FailureClass::InDoubt => again(policy, failure, at).unwrap_or(Next::Done),
    }
}

fn again(policy: &Policy, failure: &Failure, at: Standing) -> Option<Next> {
    if at.attempt >= policy.attempts {
        return None;
    }
    let wait = policy
        .delay(at.attempt, at.seed)
        .max(failure.retry_after.unwrap_or_default());
    let due = at.now.plus(wait);
    (due < at.expires).then_some(Next::Due {
        at: due,
        charged: true,
    })
}

/// `told_more`: the channel may be told more than that it was taken. Where not, nothing is awaited.
pub fn after_acceptance(told_more: bool, window: u32, now: Timestamp) -> Next {
    if told_more {
        Next::Await {
            until: now.plus(Duration::from_millis(u64::from(window))),
        }
    } else {
        Next::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        first: Duration::from_secs(5),
        factor: 2,
        cap: Duration::from_mins(1),
        attempts: 4,
    };

    fn decide(class: FailureClass, attempt: u8, expires: i64) -> Next {
        let at = Standing {
            attempt,
            now: Timestamp(1_000_000),
            expires: Timestamp(expires),
            seed: 7,
        };
        after_failure(&POLICY, &Failure::new(class, "x", "y"), at)
    }

    #[test]
    fn every_class_has_its_own_next() {
        const LATE: i64 = i64::MAX;
        assert_eq!(decide(FailureClass::BadAddress, 1, LATE), Next::Failed);
        assert_eq!(decide(FailureClass::BadContent, 1, LATE), Next::Failed);
        assert!(matches!(
            decide(FailureClass::LinkDown, 9, LATE),
            Next::Due { charged: false, .. }
        ));
        assert!(matches!(
            decide(FailureClass::Throttled, 9, LATE),
            Next::Due { charged: false, .. }
        ));
        assert!(matches!(
            decide(FailureClass::Transient, 3, LATE),
            Next::Due { charged: true, .. }
        ));
        assert_eq!(decide(FailureClass::Transient, 4, LATE), Next::Failed);
        assert_eq!(decide(FailureClass::InDoubt, 4, LATE), Next::Done);
    }

    #[test]
    fn nothing_is_tried_beyond_its_expiry() {
        assert_eq!(decide(FailureClass::Transient, 1, 1_000_001), Next::Failed);
    }

    #[test]
    fn delays_grow_to_the_cap_and_are_repeatable() {
        let delay = |n| POLICY.delay(n, 42);
        assert_eq!(delay(1), delay(1));
        for (attempt, seconds) in [
            (1, 5.0),
            (2, 10.0),
            (3, 20.0),
            (4, 40.0),
            (5, 60.0),
            (200, 60.0),
        ] {
            let got = delay(attempt).as_secs_f64();
            assert!(
                (0.9 * seconds..=1.1 * seconds).contains(&got),
                "{attempt}: {got}"
            );
        }
    }
}
