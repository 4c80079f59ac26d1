//! What time alone brings is proposed from here: expiry and overdue receipts, sealing, and the witness of every stream's
//! head. This module sleeps and hands on; it must not decide what is due.

use std::sync::Arc;
use std::time::Duration;

use channel::{Stop, Timestamp};
use parking_lot::RwLock;

use crate::coord::Steady;
use crate::coverage;
use crate::dispatch::{Desk, TestCalls, tick};
use crate::ledger::{Alert, Proposal};
use crate::registry::Registry;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often alerts are looked at that may be over, where they are not sealed sooner.
const SEAL: Duration = Duration::from_mins(1);
/// How often tests of satellite terminals are looked at.
const TESTS: Duration = Duration::from_secs(1);
/// How often grown streams are witnessed: what is lost between two of these is what no witness speaks of.
const WITNESS: Duration = Duration::from_mins(10);

pub struct Ticks {
    pub desk: Arc<Desk>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub seal_after: Duration,
    pub time: Arc<Steady>,
    pub test_calls: Arc<TestCalls>,
}

/// What comes round once in a while, by the clock that never jumps.
struct Round(Duration);

impl Round {
    fn comes(&mut self, tick: Duration, every: Duration) -> bool {
        let comes = tick.saturating_sub(self.0) >= every;
        if comes {
            self.0 = tick;
        }
        comes
    }
}

impl Ticks {
    pub async fn run(self, stop: Stop) {
        let begun = self.desk.clock.tick();
        let every = self.seal_after.clamp(TICK, SEAL);
        let (mut seals, mut witnesses, mut tests) = (Round(begun), Round(begun), Round(begun));
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {},
                () = stop.cancelled() => return,
            }
            let (now, tick) = (self.desk.clock.now(), self.desk.clock.tick());
            if witnesses.comes(tick, WITNESS) {
                drop(self.desk.writer.witness());
            }
            // A wrong clock must not silence a warning: nothing ends before its time is believed.
            if self.time.jump().is_some() {
                continue;
            }
            self.expire(now).await;
            if tests.comes(tick, TESTS) {
                self.test(now).await;
            }
            if seals.comes(tick, every) {
                let orphans = self.desk.correlator.lock().let_go(now);
                if orphans > 0 {
                    tracing::warn!(
                        orphans,
                        "receipts have matched no delivery for a day; they stay in the store's inbox and are shown no more"
                    );
                }
                self.seal(now).await;
            }
        }
    }

    async fn expire(&self, now: Timestamp) {
        let events = tick(now, &self.desk.ledger);
        if events.is_empty() {
            return;
        }
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        if let Err(refused) = self.desk.writer.propose(proposal).await {
            tracing::warn!(%refused, "expiry waits for the journal");
        }
    }

    /// By a clock that is believed alone: a wrong one tests nobody at night.
    async fn test(&self, now: Timestamp) {
        if let Err(refused) = self.test_calls.tick(now).await {
            tracing::warn!(%refused, "tests of satellite terminals wait for the journal");
        }
    }

    async fn seal(&self, now: Timestamp) {
        for alert in coverage::over(&self.desk.ledger, now, self.seal_after) {
            let stream = alert.stream;
            if let Err(why) = self.seal_one(alert).await {
                tracing::warn!(alert = stream, %why, "an alert that is over is not sealed yet");
            }
        }
    }

    async fn seal_one(
        &self,
        alert: Arc<Alert>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let stream = alert.stream;
        let (ledger, registry) = (self.desk.ledger.clone(), self.registry.read().clone());
        // A county's figures take a moment: they are made beside the connections, not among them.
        let sealing =
            tokio::task::spawn_blocking(move || coverage::sealing(&ledger, &alert, &registry));
        let proposal = Proposal {
            seal: Some(Box::new(sealing.await?)),
            ..Proposal::default()
        };
        self.desk.writer.propose(proposal).await?;
        self.desk.correlator.lock().forget(stream);
        drop(self.desk.writer.witness());
        tracing::info!(alert = stream, "sealed");
        Ok(())
    }
}
