//! A release as it would be written: every region of every step with its ground and its blocks, in order. The release
//! writes from it and the preview counts it, so what is shown is what happens. This module must not number deliveries.

use std::collections::BTreeSet;

use super::audience::{self, Outlets, PlannedBlock, Want};
use super::earlier::Earlier;
use super::rules::{Plan, Repeat};
use super::target::Targets;
use super::text::{Stock, Telling};
use super::told::Told;
use crate::ledger::event::Ground;
use crate::model::{RegionCode, RegionLevel};
use crate::registry::Registry;

/// What a draft is made of.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    pub alert: &'a cap::Alert,
    pub plan: &'a Plan,
    pub targets: &'a Targets,
    pub earlier: &'a Earlier,
    pub registry: &'a Registry,
    pub outlets: &'a Outlets,
}

/// A block, and the stock words where the alert's own do not fit.
pub type Drafted<'a> = (PlannedBlock<'a>, Option<Stock>);

impl<'a> Draft<'a> {
    fn want<'s>(&self, sends: &'s [usize]) -> Want<'s>
    where
        'a: 's,
    {
        Want {
            plan: self.plan,
            sends,
            outlets: self.outlets,
            status: self.alert.status,
            scope: self.alert.scope,
        }
    }

    /// From above, then the villages: the alert's own and those that have what it corrects.
    pub fn regions(&self) -> Vec<RegionCode> {
        let mut all: BTreeSet<_> = audience::regions(self.targets).into_iter().collect();
        for region in self.earlier.regions() {
            all.extend(std::iter::successors(Some(region), |r| r.parent()));
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|region| (region.level() == RegionLevel::Village, *region));
        all
    }

    /// The village as it stands now, where it is hit.
    pub fn ground(&self, region: RegionCode) -> Option<Ground> {
        let hit = self.targets.villages.get(&region)?;
        Some(audience::ground(self.registry, region, hit))
    }

    /// Everyone whom a correction itself speaks to, in whatever region and step: an officer may live where it no longer
    /// reaches.
    pub fn addressed(&self) -> Told {
        let mut addressed = Told::default();
        if !self.earlier.is_empty() {
            let all: Vec<usize> = (0..self.plan.send.len()).collect();
            let want = self.want(&all);
            for region in audience::regions(self.targets) {
                audience::blocks(self.registry, region, self.targets, &want, &mut addressed);
            }
        }
        addressed
    }

    /// One region of a step: what its sends say here, then who is told that it is over.
    pub fn blocks(
        &self,
        region: RegionCode,
        sends: &'a [usize],
        addressed: &Told,
        told: &mut Told,
    ) -> Vec<Drafted<'a>> {
        let want = self.want(sends);
        let own = audience::blocks(self.registry, region, self.targets, &want, told);
        let whose = (self.alert.status, self.registry);
        let over = self
            .earlier
            .blocks(region, whose, self.outlets, addressed, told);
        let stock = if self.alert.msg_type == cap::MsgType::Cancel {
            Stock::Lifted
        } else {
            Stock::Outside
        };
        let own = own.into_iter().map(|block| (block, None));
        own.chain(over.into_iter().map(|block| (block, Some(stock))))
            .collect()
    }

    /// How often a speaker plays what this block says.
    pub fn repeat(&self, (block, stock): &Drafted<'_>) -> Option<Repeat> {
        let send = self.plan.send.get(block.send);
        send.and_then(|send| send.repeat)
            .filter(|_| stock.is_none())
    }

    /// Which text one delivery of a block is.
    pub fn telling(&self, drafted: &Drafted<'_>, language: &str, infos: u64) -> Telling {
        let language = if language.is_empty() {
            self.plan.language.as_str()
        } else {
            language
        };
        Telling {
            kind: drafted.0.outlet.kind,
            style: drafted.0.outlet.style,
            language: language.to_owned(),
            infos,
            stock: drafted.1,
            repeat: self.repeat(drafted),
        }
    }
}
