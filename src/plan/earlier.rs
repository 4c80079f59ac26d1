//! Everyone who was ever handed an alert that is now corrected. Whoever the correction itself does not speak to is told
//! that the warning is lifted, or is no longer for them. This module must not read a store: what the earlier alert was
//! called is handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use channel::Evidence;

use super::audience::{Outlets, PlannedBlock, PlannedDelivery};
use super::told::Told;
use super::wall;
use crate::ledger::event::{Audience, NO_HOUSEHOLD};
use crate::ledger::{Alert, Block};
use crate::model::{RegionCode, State};
use crate::registry::Registry;

#[derive(Default)]
pub struct Earlier {
    /// How the latest of them was headed.
    pub headline: Option<String>,
    /// Blocks in which somebody was handed something, by region.
    handed: BTreeMap<RegionCode, Vec<Arc<Block>>>,
}

/// It left the house, or may have: an attempt stands, or something came back.
fn was_handed(block: &Block, i: usize) -> bool {
    block.attempts(i) > 0 || block.evidence(i) > Evidence::None || block.state(i) == State::Handed
}

impl Earlier {
    /// Who was handed one of these alerts.
    pub fn of(alerts: &[Arc<Alert>]) -> Self {
        let mut earlier = Self::default();
        for old in alerts {
            for block in old.blocks() {
                if (0..block.len() as usize).any(|i| was_handed(&block, i)) {
                    earlier.handed.entry(block.region).or_default().push(block);
                }
            }
        }
        earlier
    }

    pub fn regions(&self) -> impl Iterator<Item = RegionCode> {
        let regions: BTreeSet<_> = self.handed.keys().copied().collect();
        regions.into_iter()
    }

    pub fn is_empty(&self) -> bool {
        self.handed.is_empty()
    }

    /// Whoever was handed an earlier alert in this region and is not told by the new one, here or elsewhere.
    pub fn blocks<'a>(
        &self,
        region: RegionCode,
        (status, registry): (cap::Status, &'a Registry),
        outlets: &Outlets,
        addressed: &Told,
        told: &mut Told,
    ) -> Vec<PlannedBlock<'a>> {
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
                .map(|i| PlannedDelivery {
                    endpoint: block.endpoint(i),
                    household: block.household(i).unwrap_or(NO_HOUSEHOLD),
                    language: language(registry, block, i),
                    infos: u64::MAX,
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
                    send: 0,
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
