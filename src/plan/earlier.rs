//! Everyone who was ever handed an alert that is now corrected, and what each of them last got of it. This module must not
//! read a store, and it must not say who is told what: the draft does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use channel::Evidence;

use super::compare::{Gist, Said};
use super::past::Past;
use super::quiet::Quiet;
use super::routes::Routes;
use super::rules::Plan;
use crate::ledger::event::Audience;
use crate::ledger::silence::FIRST_LOOK;
use crate::ledger::{Block, IN_DOUBT};
use crate::model::{Answer, EndpointId, RegionCode, State};

#[derive(Default)]
pub struct Earlier {
    /// How the latest of them was headed.
    pub headline: Option<String>,
    /// By which plans they went, the newest first.
    plans: Vec<Plan>,
    said: Vec<Said>,
    /// Blocks in which somebody was handed something, by region.
    handed: BTreeMap<RegionCode, Vec<Arc<Block>>>,
    ways: Vec<String>,
    had: HashMap<(usize, EndpointId), Had>,
}

/// What one endpoint had, by one way.
#[derive(Clone, Copy)]
struct Had {
    /// Its place among what was said; nothing where all of it failed.
    said: Option<usize>,
    answer: Answer,
}

/// What somebody last got.
#[derive(Clone, Copy)]
pub enum Last<'a> {
    /// Nothing was ever handed.
    Nothing,
    /// It was tried and is known not to have come.
    Failed,
    /// That it is over for them.
    Over,
    Warned(&'a Gist, Answer),
}

/// It left the house, or may have: an attempt stands, or something came back.
fn was_handed(block: &Block, i: usize) -> bool {
    block.attempts(i) > 0 || block.evidence(i) > Evidence::None || block.state(i) == State::Handed
}

/// Whether what was handed has come, or may have. A speaker has nothing until it has proved that it played.
fn has_come(block: &Block, i: usize) -> bool {
    match block.answer(i) {
        Answer::Reached(_) => true,
        _ if block.speaker => false,
        Answer::Missed(_) => block.flag(i, IN_DOUBT),
        Answer::Pending | Answer::Unknown => true,
    }
}

impl Earlier {
    /// Who was handed one of these alerts, given in the order they came.
    pub fn of(past: &[Past], routes: &Routes) -> Self {
        let mut earlier = Self::default();
        for old in past.iter().rev() {
            earlier.add(old, routes);
        }
        earlier
    }

    fn add(&mut self, old: &Past, routes: &Routes) {
        if self.headline.is_none() {
            self.headline = old.headline().map(str::to_owned);
        }
        self.plans.push(old.plan.clone());
        let first = self.said.len();
        self.said.extend_from_slice(&old.said);
        // Who was called to an outlet was not warned by that, and whom a look asked again has it by the plan's own way.
        let warned = |block: &Arc<Block>| block.audience.is_warned() && block.step < FIRST_LOOK;
        for block in old.alert.blocks().into_iter().filter(warned) {
            let way = self.way(routes.way(&block.channel));
            let mut any = false;
            for i in (0..block.len() as usize).filter(|i| was_handed(&block, *i)) {
                any = true;
                let text = first + usize::from(block.variant(i));
                let come = has_come(&block, i) && text < self.said.len();
                let had = Had {
                    said: come.then_some(text),
                    answer: block.answer(i),
                };
                let place = (way, block.endpoint(i));
                let newest = self.had.entry(place).or_insert(had);
                if newest.said.is_none() && come {
                    *newest = had;
                }
            }
            if any {
                self.handed.entry(block.region).or_default().push(block);
            }
        }
    }

    fn way(&mut self, name: &str) -> usize {
        let known = self.ways.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.ways.push(name.to_owned());
            self.ways.len() - 1
        })
    }

    /// By one way: a channel, or a route whatever account of it.
    pub fn last(&self, way: &str, endpoint: EndpointId) -> Last<'_> {
        let way = self.ways.iter().position(|known| known == way);
        let had = way.and_then(|way| self.had.get(&(way, endpoint)));
        match had {
            None => Last::Nothing,
            Some(Had { said: None, .. }) => Last::Failed,
            Some(Had {
                said: Some(text),
                answer,
            }) => match &self.said[*text] {
                Said::Over => Last::Over,
                Said::Warned(gist) => Last::Warned(gist, *answer),
            },
        }
    }

    pub fn regions(&self) -> impl Iterator<Item = RegionCode> {
        let regions: BTreeSet<_> = self.handed.keys().copied().collect();
        regions.into_iter()
    }

    pub fn is_empty(&self) -> bool {
        self.handed.is_empty()
    }

    /// What was handed in a region, each with its place in its block; whoever had several alerts stands there for each.
    pub fn handed(&self, region: RegionCode) -> impl Iterator<Item = (&Block, usize)> {
        let blocks = self.handed.get(&region).into_iter().flatten();
        blocks.flat_map(|block| {
            let all = 0..block.len() as usize;
            all.filter(|i| was_handed(block, *i))
                .map(move |i| (&**block, i))
        })
    }

    /// The night of whoever is told that it is over: as this plan has it for them, else as the plan did by which they were
    /// warned.
    pub fn quiet(
        &self,
        plan: &Plan,
        audience: Audience,
        (way, routes): (&str, &Routes),
    ) -> Option<Quiet> {
        let plans = std::iter::once(plan).chain(&self.plans);
        let mut sends = plans.flat_map(|plan| &plan.send);
        let same = sends.find(|send| {
            send.audience == audience && send.channels.iter().any(|name| routes.way(name) == way)
        });
        same?.quiet
    }
}
