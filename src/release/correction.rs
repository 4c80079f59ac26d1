//! What a correction must know of the alerts that it corrects: which still stand, what they were called, and everyone
//! who was ever handed one. This module must not write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channel::Evidence;

use super::{Halt, Release};
use crate::ledger::event::{Audience, NO_HOUSEHOLD};
use crate::ledger::{Alert, Block, Event, Proposal, Unread};
use crate::model::{RegionCode, State, StreamId};
use crate::plan::{Outlets, PlannedBlock, Told, wall};
use crate::registry::Registry;

#[derive(Default)]
pub struct Earlier {
    pub headline: Option<String>,
    /// Blocks of the earlier alerts in which somebody was handed something, by region.
    handed: BTreeMap<RegionCode, Vec<Arc<Block>>>,
    status: Option<cap::Status>,
    registry: Option<Arc<Registry>>,
}

fn corrects(alert: &Alert) -> bool {
    matches!(
        alert.meta.msg_type,
        cap::MsgType::Update | cap::MsgType::Cancel
    )
}

impl Release {
    /// Brings back what this alert corrects and what is sealed, before anything is decided upon it.
    pub(super) async fn unseal(&self, alert: &Alert) -> Result<(), Halt> {
        for stream in &alert.meta.hits {
            if !corrects(alert) || !self.ledger.is_sealed(*stream) {
                continue;
            }
            let back = self.archive.read(*stream).await.map_err(|why| match why {
                Unread::Store(away) => Halt::Store(away),
                Unread::Damaged(why) => Halt::Stream(*stream, why),
            })?;
            let event = Event::Unsealed { by: alert.stream };
            let proposal = Proposal {
                back: Some(back),
                ..Proposal::of(*stream, event)
            };
            self.writer.propose(proposal).await?;
            self.archive.forget(*stream).await;
        }
        Ok(())
    }

    /// The alerts that this one corrects and that still stand.
    pub(super) fn standing(&self, alert: &Alert) -> Vec<StreamId> {
        let stands = |old: &StreamId| {
            let old = self.ledger.alert(*old);
            old.is_some_and(|old| old.withdrawn_by().is_none())
        };
        let hits = alert.meta.hits.iter().copied();
        hits.filter(|old| corrects(alert) && stands(old)).collect()
    }

    pub(super) async fn earlier(
        &self,
        alert: &Alert,
        registry: &Arc<Registry>,
    ) -> Result<Earlier, Halt> {
        let mut earlier = Earlier {
            status: Some(alert.meta.status),
            registry: Some(registry.clone()),
            ..Earlier::default()
        };
        if !corrects(alert) {
            return Ok(earlier);
        }
        for stream in &alert.meta.hits {
            let Some(old) = self.ledger.alert(*stream) else {
                continue;
            };
            for block in old.blocks() {
                if (0..block.len() as usize).any(|i| was_handed(&block, i)) {
                    earlier.handed.entry(block.region).or_default().push(block);
                }
            }
            let bytes = self
                .document(*stream, old.meta.document, "its document")
                .await?;
            let read = cap::read(&bytes).alert;
            earlier.headline = read
                .and_then(|a| a.infos.into_iter().find_map(|i| i.headline))
                .or(earlier.headline);
        }
        Ok(earlier)
    }
}

/// It left the house, or may have: an attempt stands, or something came back.
fn was_handed(block: &Block, i: usize) -> bool {
    block.attempts(i) > 0 || block.evidence(i) > Evidence::None || block.state(i) == State::Handed
}

impl Earlier {
    pub fn regions(&self) -> impl Iterator<Item = RegionCode> {
        let regions: BTreeSet<_> = self.handed.keys().copied().collect();
        regions.into_iter()
    }

    pub fn is_empty(&self) -> bool {
        self.handed.is_empty()
    }

    /// Whoever was handed an earlier alert in this region and is not told by the new one, here or elsewhere.
    pub fn blocks(
        &self,
        region: RegionCode,
        outlets: &Outlets,
        addressed: &Told,
        told: &mut Told,
    ) -> Vec<PlannedBlock<'_>> {
        let (Some(status), Some(registry)) = (self.status, &self.registry) else {
            return Vec::new();
        };
        let mut out: Vec<PlannedBlock<'_>> = Vec::new();
        for block in self.handed.get(&region).into_iter().flatten() {
            let Some(outlet) = outlets.get(&block.channel).copied() else {
                continue;
            };
            if !wall::lets_through(status, block.audience, wall::is_drill(status)) {
                continue;
            }
            let handed = (0..block.len() as usize).filter(|i| was_handed(block, *i));
            let mut deliveries: Vec<_> = handed
                .map(|i| crate::plan::PlannedDelivery {
                    endpoint: block.endpoint(i),
                    household: block.household(i).unwrap_or(NO_HOUSEHOLD),
                    language: language(registry, block, i),
                })
                .collect();
            deliveries.retain(|d| {
                !addressed.has(&block.channel, d.endpoint) && told.add(&block.channel, d.endpoint)
            });
            if !deliveries.is_empty() {
                out.push(PlannedBlock {
                    channel: block.channel.clone(),
                    outlet,
                    audience: block.audience,
                    window: block.window,
                    deliveries,
                });
            }
        }
        out
    }
}

fn language<'a>(registry: &'a Registry, block: &Block, i: usize) -> &'a str {
    if block.audience == Audience::Speakers {
        return "";
    }
    let recipient = registry
        .endpoint(block.endpoint(i))
        .and_then(|e| registry.recipient(e.recipient?));
    recipient.map_or("", |r| r.language)
}
