//! Villages that nobody is heard from (失联): when the plan says so, which they are is written down, and then whoever is to be
//! told of it gets blocks under a step of the look's own, region by region as in a release. A crash in between goes on with
//! the villages that were written. This module must not say what counts as being heard from.

use std::collections::BTreeSet;
use std::sync::Arc;

use channel::Timestamp;

use super::work::Work;
use super::{Halt, Release, order};
use crate::coverage;
use crate::ledger::event::Silent;
use crate::ledger::silence::FIRST_LOOK;
use crate::ledger::{Alert, Event, Proposal};
use crate::model::RegionCode;
use crate::plan;

/// When the villages of a release are looked at. What is called off needs no answer.
pub fn watched(work: &Work, released: Timestamp) -> Option<Event> {
    let due = work.plan.looks(released);
    let asks = work.alert.meta.msg_type != cap::MsgType::Cancel;
    (asks && !due.is_empty()).then_some(Event::Watched { due })
}

impl Release {
    /// Every look that is due. True when something is left that may be done at once.
    pub(super) async fn look(&self) -> bool {
        let (now, jumped) = (self.clock.now(), self.time.jump().is_some());
        let mut again = false;
        for alert in self.ledger.alerts() {
            let look = order::looks(&alert).filter(|(_, due)| *due <= now);
            let Some((look, _)) = look.filter(|_| !alert.is_over(now)) else {
                continue;
            };
            // As its steps, an exercise waits for somebody who knows the time.
            if jumped && plan::wall::is_drill(alert.meta.status) {
                continue;
            }
            match self.look_at(&alert, look).await {
                // After a night without the gateway more than one is due.
                Ok(()) => again |= order::looks(&alert).is_some_and(|(_, due)| due <= now),
                Err(halt) => again |= super::halted(alert.stream, &halt).await,
            }
        }
        again
    }

    async fn look_at(&self, alert: &Arc<Alert>, look: u16) -> Result<(), Halt> {
        let (stream, step) = (alert.stream, FIRST_LOOK + look);
        let mut work = self.read(alert, step).await?;
        let silent = match alert.silence.taken(look) {
            Some(taken) => taken.villages,
            None => self.take(alert, &work, look).await?,
        };
        let plan = work.plan.of_look(look);
        work.plan = plan.ok_or(Halt::Document(stream, "its plan's [[silent]]"))?;
        let silent: BTreeSet<RegionCode> = silent.into_iter().collect();
        work.targets.villages.retain(|v, _| silent.contains(v));
        // A few texts: it makes way for nobody.
        let Some((blocks, deliveries)) = self.regions(&work, || false).await? else {
            return Ok(());
        };
        if alert.withdrawn_by().is_none() {
            let event = Event::Planned {
                step,
                blocks,
                deliveries,
            };
            self.writer.propose(Proposal::of(stream, event)).await?;
        }
        Ok(())
    }

    async fn take(&self, alert: &Alert, work: &Work, look: u16) -> Result<Vec<RegionCode>, Halt> {
        let villages = coverage::unheard(alert, &work.registry);
        let silent = Silent {
            look,
            villages: villages.clone(),
        };
        let proposal = Proposal::of(alert.stream, Event::Silent(silent));
        self.writer.propose(proposal).await?;
        if !villages.is_empty() {
            let (of, villages) = (alert.grounds().len(), villages.len());
            tracing::warn!(
                alert = alert.stream,
                look,
                villages,
                of,
                "villages have not been heard from"
            );
        }
        Ok(villages)
    }
}
