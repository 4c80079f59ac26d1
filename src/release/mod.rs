//! From `Accepted` to blocks: `Released` and the variants first, then region by region, so that the first send goes out
//! while the last blocks are written. A correction withdraws what it corrects in the same commit. What a plan sends later
//! is a step of its own, by the moment that stands in the journal. Whatever a crash left half written is resumed at the
//! first region without a block. Whoever is responsible for an outlet that is served by hand is called to it from here, since
//! that is one more block. This room must not hand anything to a channel.

mod correction;
mod decision;
mod frozen;
mod order;
mod owed;
mod prompt;
mod region;
mod silence;
mod variants;
mod work;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Clock, Stop};
use parking_lot::{Mutex, RwLock};

use crate::coord::Steady;
use crate::ledger::{
    Alert, Archive, Correlator, Event, Known, Ledger, Phase, Proposal, Refused, Writer,
};
use crate::model::StreamId;
use crate::plan::preview::Means;
use crate::plan::{self, Earlier, Past, Routes};
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::trust::Bureaus;
use work::Work;

pub use decision::{Decisions, Denied, Spoken};
pub use owed::Prompters;

pub struct Release {
    pub ledger: Arc<Ledger>,
    pub writer: Writer,
    pub archive: Arc<Archive>,
    pub correlator: Arc<Mutex<Correlator>>,
    pub store: Arc<dyn Store>,
    pub registry: Arc<RwLock<Arc<Registry>>>,
    pub channels: Arc<BTreeMap<String, Arc<dyn Channel>>>,
    pub routes: Arc<Routes>,
    pub bureaus: Arc<Bureaus>,
    pub means: Arc<Means>,
    /// Who is called to which outlets.
    pub prompters: Prompters,
    pub clock: Arc<dyn Clock>,
    /// Whether that clock is believed.
    pub time: Arc<Steady>,
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
            // A store that was away comes back without a commit to tell it.
            let again = self.pass().await;
            let looked = self.look().await;
            if (self.prompt().await || looked || again) && !stop.is_cancelled() {
                continue;
            }
            let later = |a: &Arc<Alert>| order::comes(a).is_some() || order::looks(a).is_some();
            let later = self.ledger.alerts().iter().any(later)
                || self.time.jump().is_some()
                || owed::any_waits(&self.ledger, &self.prompters);
            tokio::select! {
                changed = position.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK), if later => {},
                () = stop.cancelled() => return,
            }
        }
    }

    /// Whatever is due, the most urgent first. True when something is left that may be done at once.
    async fn pass(&self) -> bool {
        let mut again = false;
        for (by, standing) in order::late(&self.ledger) {
            let stream = by.stream();
            if let Err(halt) = self.late(&by, standing).await {
                again |= halted(stream, &halt).await;
            }
        }
        let (mut tried, jumped) = (HashSet::new(), self.time.jump().is_some());
        for (alert, step) in order::due(self.clock.now(), &self.ledger) {
            // Nobody knows whether it is night: what is no warning waits for somebody who does, and keeps silent.
            if jumped && plan::wall::is_drill(alert.meta.status) {
                tried.insert(alert.stream);
                continue;
            }
            match self.one(&alert, step, &tried).await {
                Ok(true) => {}
                // Something more urgent has come.
                Ok(false) => return true,
                Err(halt) => again |= halted(alert.stream, &halt).await,
            }
            tried.insert(alert.stream);
        }
        again
    }

    /// False when it has made way and is to be gone on with.
    async fn one(
        &self,
        alert: &Arc<Alert>,
        step: u16,
        tried: &HashSet<StreamId>,
    ) -> Result<bool, Halt> {
        let mut work = self.read(alert, step).await?;
        let stream = alert.stream;
        let accepted = alert.phase() == Phase::Accepted;
        let standing = if accepted {
            self.standing(alert).await?
        } else {
            Vec::new()
        };
        let past = self.past(alert).await?;
        if accepted {
            self.begin(&mut work, &past, &standing).await?;
        }
        // Only now, when nothing more of the earlier alerts is handed, it is certain who has them.
        work.earlier = Earlier::of(&past, &self.routes);
        let makes_way = || order::is_overtaken(alert, tried, self.clock.now(), &self.ledger);
        let Some((blocks, deliveries)) = self.regions(&work, makes_way).await? else {
            tracing::info!(alert = stream, step, "makes way for a more urgent release");
            return Ok(false);
        };
        if alert.withdrawn_by().is_none() {
            let proposal = Proposal {
                events: planned(alert, step, (blocks, deliveries)),
                ..Proposal::default()
            };
            self.writer.propose(proposal).await?;
        }
        tracing::info!(alert = stream, step, blocks, deliveries, "released");
        Ok(true)
    }

    /// `Released`, with when each step is due and how it stands to what it corrects, and with it the end of that.
    async fn begin(
        &self,
        work: &mut Work,
        past: &[Past],
        standing: &[StreamId],
    ) -> Result<(), Halt> {
        let stream = work.alert.stream;
        let withdrawn = |old: &StreamId| (*old, Event::Withdrawn { by: stream });
        let mut events: Vec<_> = standing.iter().map(withdrawn).collect();
        let generation = work.registry.generation();
        let by = "rule".into();
        events.push((stream, Event::Released { generation, by }));
        let standing = &[&self.ended_before(&work.alert), standing].concat();
        let now = self.clock.now();
        if work.alert.meta.corrects() {
            let lifetime = work.alert.at.plus(work.plan.lifetime.0);
            let said = (&work.cap, work.alert.meta.regions.as_slice());
            let usual = (work.plan.language.as_str(), lifetime);
            let (class, with) = plan::compared(said, usual, (past, standing), now);
            events.push((stream, Event::Compared { class, with }));
        }
        let raised = plan::raised(&work.cap, work.alert.handled(), past, standing);
        events.extend(raised.map(|level| (stream, Event::Raised { level })));
        let handled = raised.unwrap_or_else(|| work.alert.handled());
        let how = (handled, work.alert.meta.corrects());
        let schedule = plan::moments(&work.plan, past, how, work.silence(self), now);
        if schedule.due.len() > 1 {
            events.push((stream, Event::Steps { due: schedule.due }));
        }
        events.extend(silence::watched(work, now).map(|event| (stream, event)));
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        self.writer.propose(proposal).await?;
        work.schedule = Work::schedule(&work.alert);
        Ok(())
    }

    /// What a released correction did not know of: it ends that too, and whoever has it is told in a step of its own.
    async fn late(&self, by: &Known, standing: Vec<StreamId>) -> Result<(), Halt> {
        let stream = by.stream();
        self.unseal(stream, stream).await?;
        let mut events = Vec::new();
        for old in standing {
            self.unseal(old, stream).await?;
            events.push((old, Event::Withdrawn { by: stream }));
        }
        if let Some(alert) = self.ledger.alert(stream) {
            let work = self.read(&alert, 0).await?;
            let past = self.past(&alert).await?;
            let (mut due, now) = (work.schedule.due.clone(), self.clock.now());
            // A later step that is written by now had nobody to wait for it: whoever does so from now on has another.
            for (step, at) in (1..).zip(&mut due[1..]) {
                if alert.steps.is_planned(step) && *at > now {
                    *at = work.schedule.base();
                }
            }
            due.push(now);
            // Of whoever has it some may be left to sleep.
            let how = (alert.handled(), true);
            let (silence, base) = (work.silence(self), work.schedule.base());
            let later = plan::moments(&work.plan, &past, how, silence, base);
            let missing: Vec<_> = later
                .due
                .into_iter()
                .filter(|at| *at > now && !due.contains(at))
                .collect();
            due.extend(missing);
            events.push((stream, Event::Steps { due }));
        }
        let proposal = Proposal {
            events,
            ..Proposal::default()
        };
        self.writer.propose(proposal).await?;
        Ok(())
    }
}

/// The end of a step, and with the first of them the end of every later one that nobody waits for.
fn planned(alert: &Alert, step: u16, (blocks, deliveries): (u32, u32)) -> Vec<(StreamId, Event)> {
    let steps = u16::try_from(alert.steps.due().len()).unwrap_or(u16::MAX);
    // Only a correction has counted all who wait: its release began with the comparison.
    let counted = step == 0 && alert.classes.whole().is_some();
    let later = if counted { 1..steps } else { 0..0 };
    let empty = later.filter(|later| alert.classes.waiting(*later) == 0);
    let event = |step| Event::Planned {
        step,
        blocks,
        deliveries,
    };
    let steps = std::iter::once(step).chain(empty);
    steps.map(|step| (alert.stream, event(step))).collect()
}

/// Says so and waits; true where trying again may help.
async fn halted(stream: StreamId, halt: &Halt) -> bool {
    tracing::error!(alert = stream, %halt, "the release halts and is resumed");
    tokio::time::sleep(LOOK).await;
    !matches!(halt, Halt::Document(..) | Halt::Stream(..))
}

#[cfg(test)]
mod tests;
