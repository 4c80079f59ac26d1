//! What one release needs, read once: the alert and its plan as they stand in the journal, the registry as it stands now.
//! This module must not write.

use std::collections::HashSet;
use std::sync::Arc;

use channel::Timestamp;

use super::{Halt, Release};
use crate::ledger::silence::FIRST_LOOK;
use crate::ledger::{Alert, Block};
use crate::model::{RegionCode, StreamId};
use crate::plan::{self, Draft, Earlier, Outlets, Plan, Schedule, Silence, Targets, Told, homes};
use crate::registry::Registry;

pub struct Work {
    pub alert: Arc<Alert>,
    pub step: u16,
    /// When each step is due.
    pub schedule: Schedule,
    pub cap: cap::Alert,
    pub plan: Plan,
    pub targets: Targets,
    pub earlier: Earlier,
    pub registry: Arc<Registry>,
    pub outlets: Outlets,
}

impl Work {
    pub fn draft<'a>(&'a self, release: &'a Release) -> Draft<'a> {
        let signature = release.bureaus.signature_of(&self.alert.meta.caller);
        Draft {
            alert: &self.cap,
            plan: &self.plan,
            targets: &self.targets,
            earlier: &self.earlier,
            registry: &self.registry,
            outlets: &self.outlets,
            handled: self.alert.handled(),
            schedule: &self.schedule,
            filed: release.means.filed(signature),
            hush: &release.means.hush,
            languages: &release.means.sounds.languages,
        }
    }

    /// Where loudspeakers may keep silent for it.
    pub fn silence<'a>(&'a self, release: &'a Release) -> Silence<'a> {
        let regions = &self.alert.meta.regions;
        release.means.hush.silence(self.cap.status, regions)
    }

    /// As it stands in the journal; all at once where nothing is due later.
    pub fn schedule(alert: &Alert) -> Schedule {
        let due = alert.steps.due();
        Schedule {
            due: if due.is_empty() { vec![alert.at] } else { due },
        }
    }

    /// The moment from which a text without an end of its own stands.
    pub fn from(&self) -> Timestamp {
        let due = self.alert.steps.due().get(usize::from(self.step)).copied();
        due.map_or(self.alert.at, |due| due.max(self.alert.at))
    }

    /// Regions of this step whose commit is in the journal: a region is written whole or not at all.
    pub fn done(&self) -> HashSet<RegionCode> {
        let blocks = self.alert.blocks();
        let of_step = blocks.iter().filter(|b| b.step == self.step);
        let mut done: HashSet<_> = of_step.map(|b| b.region).collect();
        if self.step == 0 {
            done.extend(self.alert.grounds().into_keys());
            done.extend(self.alert.classes.regions());
        }
        done
    }

    /// Who stands in a block already.
    pub fn told(&self) -> Told {
        let mut told = Told::default();
        let looks = self.step >= FIRST_LOOK;
        // Who was called to an outlet was told nothing by that; a look tells again whoever has not been heard from.
        let warned = |block: &Arc<Block>| {
            if looks {
                block.step == self.step
            } else {
                block.audience.is_warned()
            }
        };
        for block in self.alert.blocks().into_iter().filter(warned) {
            for i in 0..block.len() as usize {
                told.add(self.outlets.routes.way(&block.channel), block.endpoint(i));
            }
        }
        told
    }
}

impl Release {
    pub(super) async fn document(
        &self,
        stream: StreamId,
        id: [u8; 32],
        what: &'static str,
    ) -> Result<Vec<u8>, Halt> {
        self.store
            .document(id)
            .await?
            .ok_or(Halt::Document(stream, what))
    }

    pub(super) async fn read(&self, alert: &Arc<Alert>, step: u16) -> Result<Work, Halt> {
        let stream = alert.stream;
        let bytes = self
            .document(stream, alert.meta.document, "its document")
            .await?;
        let cap = cap::read(&bytes)
            .alert
            .ok_or(Halt::Document(stream, "its document"))?;
        let plan = self.document(stream, alert.meta.plan, "its plan").await?;
        let plan = Plan::parse(&plan).map_err(|_| Halt::Document(stream, "its plan"))?;
        let registry = self.registry.read().clone();
        // A Cancel adds nobody: it speaks to those who have the warning.
        let mut targets = match alert.meta.msg_type {
            cap::MsgType::Cancel => Targets::default(),
            _ => plan::target(&cap, &registry).map_err(|_| Halt::Document(stream, "its area"))?,
        };
        if step > 0 {
            // Who moved in since has no place among this alert's figures.
            let grounds = alert.grounds();
            targets.villages.retain(|v, _| grounds.contains_key(v));
        }
        let can = self.channels.iter();
        let can = can.map(|(name, channel)| (name.clone(), channel.capability()));
        let outlets = Outlets::new(can, self.routes.clone(), self.ledger.ported.clone());
        let outlets = outlets.knowing(homes(self.channels.clone(), self.ledger.clone()));
        Ok(Work {
            schedule: Work::schedule(alert),
            alert: alert.clone(),
            step,
            cap,
            plan,
            targets,
            earlier: Earlier::default(),
            registry,
            outlets,
        })
    }
}
