//! Stale holders (仍持旧信息): who has a text that this alert corrects, and has not got the correction. By channel, and
//! by village with its households; whoever is spared by a prolonged warning is none of them. This module must not say who
//! should be told.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::classes::waits;
use super::doors::inside;
use crate::ledger::event::Fate;
use crate::ledger::{Alert, Block};
use crate::model::{Answer, HouseholdId, RegionCode};
use crate::registry::Registry;

/// Endpoints on one channel.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct StaleChannel {
    pub channel: String,
    /// They have, or may have, a text that is corrected.
    pub holders: u32,
    /// Of those, who is not proved to have got the correction.
    pub stale: u32,
    /// Of those, who is held by the night rule.
    pub held: u32,
}

/// One region: a village, or one above in which officers are told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StaleRow {
    pub region: RegionCode,
    pub name: String,
    /// Households with a person who has the earlier text and none who has got the correction.
    pub households: u32,
    pub channels: Vec<StaleChannel>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Stale {
    pub rows: Vec<StaleRow>,
    pub total: StaleRow,
}

#[derive(Default)]
struct Place {
    channels: BTreeMap<String, StaleChannel>,
    /// True where somebody of it has got the correction.
    doors: BTreeMap<HouseholdId, bool>,
}

/// Of a correction, inside these regions; `name` is the region that the total is called by.
pub fn stale(alert: &Alert, registry: &Registry, scope: &[RegionCode], name: RegionCode) -> Stale {
    let mut places: BTreeMap<RegionCode, Place> = BTreeMap::new();
    for block in alert.blocks() {
        if block.class().replaces() && inside(scope, block.region) {
            places.entry(block.region).or_default().add(&block);
        }
    }
    for (region, row) in alert.classes.rows() {
        let step = match row.fate {
            Fate::Held { step } | Fate::Later { step } => step,
            Fate::Told { .. } | Fate::Spared => continue,
        };
        if row.class.replaces() && waits(alert, step) && inside(scope, region) {
            let line = places.entry(region).or_default().line(&row.channel);
            line.holders += row.count;
            line.stale += row.count;
            line.held += row.count;
        }
    }
    let mut all = Place::default();
    for place in places.values() {
        all.join(place);
    }
    let row = |(region, place): (RegionCode, Place)| place.row(region, registry);
    Stale {
        total: all.row(name, registry),
        rows: places.into_iter().map(row).collect(),
    }
}

impl Place {
    fn line(&mut self, channel: &str) -> &mut StaleChannel {
        let line = self.channels.entry(channel.to_owned()).or_default();
        if line.channel.is_empty() {
            channel.clone_into(&mut line.channel);
        }
        line
    }

    fn add(&mut self, block: &Block) {
        let mut stale = 0;
        for i in 0..block.len() as usize {
            let got = matches!(block.answer(i), Answer::Reached(_));
            stale += u32::from(!got);
            if let Some(door) = block.household(i) {
                *self.doors.entry(door).or_default() |= got;
            }
        }
        let line = self.line(&block.channel);
        line.holders += block.len();
        line.stale += stale;
    }

    fn join(&mut self, other: &Self) {
        for of in other.channels.values() {
            let line = self.line(&of.channel);
            line.holders += of.holders;
            line.stale += of.stale;
            line.held += of.held;
        }
        for (door, got) in &other.doors {
            *self.doors.entry(*door).or_default() |= got;
        }
    }

    fn row(self, region: RegionCode, registry: &Registry) -> StaleRow {
        let households = self.doors.values().filter(|got| !**got).count();
        StaleRow {
            region,
            name: registry.full_name(region),
            households: u32::try_from(households).unwrap_or(u32::MAX),
            channels: self.channels.into_values().collect(),
        }
    }
}
