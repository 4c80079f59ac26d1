//! What an owner knows of its lease without asking: until which tick it may act, and whether another node has taken the
//! journal since. It counts from before the question was sent, by the tick, so that neither a slow answer nor a clock
//! that is set makes it longer. This module must not talk to the database.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use channel::Clock;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::store::StoreError;

pub struct Lease {
    pub epoch: u32,
    pub length: Duration,
    clock: Arc<dyn Clock>,
    /// The tick before the question that renewed it last.
    asked: Mutex<Duration>,
    by: OnceLock<String>,
    lost: CancellationToken,
}

impl Lease {
    pub fn new(epoch: u32, length: Duration, clock: Arc<dyn Clock>, asked: Duration) -> Self {
        Self {
            epoch,
            length,
            clock,
            asked: Mutex::new(asked),
            by: OnceLock::new(),
            lost: CancellationToken::new(),
        }
    }

    pub fn tick(&self) -> Duration {
        self.clock.tick()
    }

    pub fn renewed(&self, asked: Duration) {
        let mut last = self.asked.lock();
        *last = asked.max(*last);
    }

    fn age(&self) -> Duration {
        self.tick().saturating_sub(*self.asked.lock())
    }

    /// Whether an idle owner should renew it now.
    pub fn is_due(&self) -> bool {
        self.age() >= self.length / 3
    }

    /// Nobody else can own the journal for at least another third of the lease.
    pub fn stands(&self) -> bool {
        !self.lost.is_cancelled() && self.age() < self.length / 3 * 2
    }

    /// Another node has it, for good.
    pub fn lose(&self, owner: String) -> StoreError {
        let owner = self.by.get_or_init(|| owner).clone();
        self.lost.cancel();
        StoreError::Fenced(owner)
    }

    pub fn is_lost(&self) -> Result<(), StoreError> {
        match self.by.get() {
            Some(owner) => Err(StoreError::Fenced(owner.clone())),
            None => Ok(()),
        }
    }

    /// Ready when another node has it.
    pub async fn lost(&self) -> StoreError {
        self.lost.cancelled().await;
        StoreError::Fenced(self.by.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use channel::{ManualClock, Timestamp};

    use super::*;

    const LENGTH: Duration = Duration::from_secs(9);

    #[test]
    fn an_owner_renews_at_one_third_and_stops_at_two_thirds_of_its_lease() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let second = Duration::from_secs(1);
        let lease = Lease::new(1, LENGTH, clock.clone(), clock.tick());
        clock.advance(2 * second);
        assert!(lease.stands() && !lease.is_due());
        clock.advance(second);
        assert!(lease.stands() && lease.is_due());
        clock.advance(3 * second);
        assert!(!lease.stands());
        lease.renewed(clock.tick().saturating_sub(second));
        assert!(lease.stands() && !lease.is_due());
        // An answer that comes late is about an older question: it takes nothing back.
        lease.renewed(Duration::ZERO);
        assert!(lease.stands());
    }

    #[tokio::test]
    async fn a_lease_that_was_taken_over_never_stands_again() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let lease = Lease::new(1, LENGTH, clock.clone(), clock.tick());
        assert!(lease.is_lost().is_ok());
        lease.lose("b".into());
        lease.lose("c".into());
        lease.renewed(clock.tick());
        assert!(!lease.stands());
        assert_eq!(lease.is_lost(), Err(StoreError::Fenced("b".into())));
        assert_eq!(lease.lost().await, StoreError::Fenced("b".into()));
    }
}
