//! What time alone brings is proposed from here: expiry and overdue receipts, sealing, and the witness of every stream's
//! head. This module sleeps and hands on; it must not decide what is due.

use std::sync::Arc;
use std::time::Duration;

use channel::{Stop, Timestamp};
use parking_lot::RwLock;

use crate::coord::Steady;
use crate::coverage;
use crate::dispatch::{Desk, Orders, TestCalls, tick};
use crate::ledger::{Alert, Proposal};
use crate::plan::Quiet;
use crate::registry::Registry;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often alerts are looked at that may be over, where they are not sealed sooner.
const SEAL: Duration = Duration::from_mins(1);
/// How often tests of satellite terminals are looked at.
const TESTS: Duration = Duration::from_secs(1);
/// How often it is looked whether a self-test is due.
const LOOK: Duration = Duration::from_secs(20);
/// How often grown streams are witnessed: what is lost between two of these is what no witness speaks of.
const WITNESS: Duration = Duration::from_mins(10);

pub struct Ticks {
    pub desk: Arc<Desk>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub seal_after: Duration,
    pub time: Arc<Steady>,
    pub test_calls: Arc<TestCalls>,
    /// Asks the loudspeakers' controllers to look at themselves, and in which hours.
    pub orders: Arc<Orders>,
    pub self_test: Option<Quiet>,
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

struct Rounds {
    seals: Round,
    witnesses: Round,
    nights: Round,
    tests: Round,
}

impl Rounds {
    const fn since(begun: Duration) -> Self {
        Self {
            seals: Round(begun),
            witnesses: Round(begun),
            nights: Round(begun),
            tests: Round(begun),
        }
    }
}

impl Ticks {
    pub async fn run(self, stop: Stop) {
        let mut rounds = Rounds::since(self.desk.clock.tick());
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {},
                () = stop.cancelled() => return,
            }
            self.look(&mut rounds).await;
        }
    }

    async fn look(&self, rounds: &mut Rounds) {
        let (now, tick) = (self.desk.clock.now(), self.desk.clock.tick());
        if rounds.witnesses.comes(tick, WITNESS) {
            drop(self.desk.writer.witness());
        }
        // A wrong clock must not silence a warning: nothing ends before its time is believed. Nor does it begin what
        // stands on a schedule.
        if self.time.jump().is_some() {
            return;
        }
        self.expire(now).await;
        if rounds.tests.comes(tick, TESTS) {
            self.test(now).await;
        }
        if rounds.nights.comes(tick, LOOK) {
            self.night(now).await;
        }
        if rounds.seals.comes(tick, self.seal_after.clamp(TICK, SEAL)) {
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

    async fn night(&self, now: Timestamp) {
        if let Err(refused) = self.orders.night(self.self_test, now).await {
            tracing::warn!(%refused, "the nightly self-test waits for the journal");
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use channel::{Clock, ManualClock};

    use super::*;
    use crate::coverage::fixture::{START, registry};
    use crate::ledger::devices::Enrolled;
    use crate::ledger::{Correlator, Event, Writer, replay};
    use crate::store::{Sqlite, Store};

    /// A house with one enrolled device, at 02:50 of a night in Beijing; the clock below it is the test's.
    async fn night() -> (Ticks, Arc<ManualClock>, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Sqlite::open(&dir.path().join("journal.sqlite")).expect("opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let wall = Arc::new(ManualClock::new(
            START.plus(Duration::from_mins(17 * 60 + 50)),
        ));
        let time = Arc::new(Steady::new(wall.clone()));
        let clock: Arc<dyn Clock> = time.clone();
        let begin = replay(&*store).await.expect("reads");
        let ledger = begin.ledger.clone();
        let writer = Writer::start(store, ledger.clone(), clock.clone(), begin.history);
        let desk = Desk::new(
            (ledger, writer),
            clock,
            Correlator::default(),
            HashMap::new(),
        );
        let desk = Arc::new(desk);
        let enrolled = Event::Enrolled(Enrolled {
            device: "speaker-0".into(),
            channel: "horn".into(),
            key: [1; 32],
        });
        let committed = desk.writer.propose(Proposal::of(0, enrolled)).await;
        committed.expect("commits");
        let registry = Arc::new(RwLock::new(Arc::new(registry())));
        let orders = Arc::new(Orders {
            desk: desk.clone(),
            channels: Arc::default(),
            registry: registry.clone(),
        });
        let lines = std::collections::BTreeMap::new();
        let ticks = Ticks {
            test_calls: Arc::new(TestCalls::new(desk.clone(), registry.clone(), lines)),
            desk,
            registry,
            seal_after: Duration::from_hours(24),
            time,
            orders,
            self_test: "02:40-04:40".parse().ok(),
        };
        (ticks, wall, dir)
    }

    #[tokio::test]
    async fn nothing_of_a_schedule_begins_while_the_clocks_have_parted_and_it_does_when_they_agree()
    {
        let (ticks, wall, _dir) = night().await;
        let asked = || ticks.desk.ledger.devices.orders().len();
        let mut rounds = Rounds::since(wall.tick());
        // Half a minute and more, either way.
        for seconds in [31, -62] {
            wall.jump(seconds * 1000);
            wall.advance(LOOK);
            ticks.look(&mut rounds).await;
            assert!(ticks.time.jump().is_some(), "it alarms");
            assert_eq!(asked(), 0, "{seconds}");
        }
        wall.jump(31_000);
        wall.advance(LOOK);
        ticks.look(&mut rounds).await;
        assert!(ticks.time.jump().is_none());
        assert_eq!(asked(), 1);
        wall.advance(LOOK);
        ticks.look(&mut rounds).await;
        assert_eq!(asked(), 1, "once a night");
    }

    #[tokio::test]
    async fn by_day_and_without_hours_nobody_is_asked() {
        let (mut ticks, wall, _dir) = night().await;
        let mut rounds = Rounds::since(wall.tick());
        ticks.self_test = None;
        wall.advance(LOOK);
        ticks.look(&mut rounds).await;
        ticks.self_test = "02:40-04:40".parse().ok();
        wall.advance(Duration::from_hours(6));
        ticks.look(&mut rounds).await;
        assert_eq!(ticks.desk.ledger.devices.orders().len(), 0);
    }
}
