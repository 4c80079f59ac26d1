//! From `Accepted` to blocks: `Released` and the variants first, then region by region, so that the first send goes out
//! while the last blocks are written. A correction withdraws what it corrects in the same commit. What a plan sends later
//! is a step of its own, by the moment that stands in the journal. Whatever a crash left half written is resumed at the
//! first region without a block. This room must not hand anything to a channel.

mod correction;
mod frozen;
mod region;
mod variants;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Clock, Stop, Timestamp};
use parking_lot::RwLock;

use crate::ledger::event::Born;
use crate::ledger::{Alert, Archive, Event, Ledger, Phase, Proposal, Refused, Writer};
use crate::model::StreamId;
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::trust::Bureaus;
use work::Work;

pub struct Release {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub archive: Arc<Archive>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub bureaus: Arc<Bureaus>,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("alert {0}: its stream cannot be read back: {1}; restore the journal from a backup")]
    Stream(StreamId, String),
    #[error("alert {0}: {1} cannot be read back; restore the journal from a backup")]
    Document(StreamId, &'static str),
}

/// How often the time is looked at while a step is to come: a clock may be set.
const LOOK: Duration = Duration::from_secs(1);

impl Release {
    /// Releases whatever is accepted or due, until `stop`.
    pub async fn run(self, stop: Stop) {
        let mut position = self.writer.position();
        loop {
            position.borrow_and_update();
            let mut again = false;
            for (alert, step) in due(self.clock.now(), &self.ledger) {
                if let Err(halt) = self.one(&alert, step).await {
                    tracing::error!(alert = alert.stream, %halt, "the release halts and is resumed");
                    tokio::time::sleep(LOOK).await;
                    again |= !matches!(halt, Halt::Document(..) | Halt::Stream(..));
                }
            }
            // A store that was away comes back without a commit to tell it.
            if again && !stop.is_cancelled() {
                continue;
            }
            let later = self.ledger.alerts().iter().any(|a| comes(a).is_some());
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK), if later => {},
                () = stop.cancelled() => return,
            }
        }
    }

    async fn one(&self, alert: &Arc<Alert>, step: u16) -> Result<(), Halt> {
        let mut work = self.read(alert, step).await?;
        let stream = alert.stream;
        self.unseal(alert).await?;
        if alert.phase() == Phase::Accepted {
            self.begin(&mut work).await?;
        }
        // Only now, when nothing more of the earlier alerts is handed, it is certain who has them.
        if step == 0 {
            work.earlier = self.earlier(alert).await?;
        }
        let (blocks, deliveries) = self.regions(&work).await?;
        if alert.withdrawn_by().is_none() {
            let planned = Event::Planned {
                step,
                blocks,
                deliveries,
            };
            self.writer.propose(Proposal::of(stream, planned)).await?;
        }
        tracing::info!(alert = stream, step, blocks, deliveries, "released");
        Ok(())
    }

    /// `Released`, with when each step is due, and with it the end of whatever this alert corrects.
    async fn begin(&self, work: &mut Work) -> Result<(), Halt> {
        let stream = work.alert.stream;
        let withdrawn = |old: StreamId| (old, Event::Withdrawn { by: stream });
        let standing = self.standing(&work.alert).into_iter();
        let mut events: Vec<_> = standing.map(withdrawn).collect();
        let generation = work.registry.generation();
        let by = "rule".into();
        events.push((stream, Event::Released { generation, by }));
        let steps = work.plan.steps(work.alert.handled(), self.clock.now());
        if steps.len() > 1 {
            let due = steps.iter().map(|step| step.due).collect();
            events.push((stream, Event::Steps { due }));
        }
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        self.writer.propose(proposal).await?;
        work.sends = work::sends(&work.alert, &work.plan, 0);
        Ok(())
    }
}

/// What is accepted or due and not planned to its end, with the step; the most urgent first.
fn due(now: Timestamp, ledger: &Ledger) -> Vec<(Arc<Alert>, u16)> {
    let open = |a: Arc<Alert>| match a.phase() {
        Phase::Accepted | Phase::Releasing => Some((a, 0)),
        // What is over in the meantime is dropped by the tick.
        Phase::Planned => {
            let (step, due) = comes(&a)?;
            (due <= now && now < a.expires()).then_some((a, step))
        }
        Phase::Withdrawn => None,
    };
    let live = ledger.alerts().into_iter();
    let live = live.filter(|a| a.meta.born == Born::Live);
    let mut due: Vec<_> = live.filter_map(open).collect();
    due.sort_by_key(|(alert, _)| alert.handled());
    due
}

/// The next step of a release that is written as far as it was due.
fn comes(alert: &Alert) -> Option<(u16, Timestamp)> {
    let planned = alert.phase() == Phase::Planned;
    alert.steps.next().filter(|_| planned)
}
