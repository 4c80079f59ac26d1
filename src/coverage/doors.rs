//! The doors of some villages as they were frozen at release, each with the best answer of all deliveries to its people
//! and of the speakers that it can hear. Built for one question and dropped with it: county-wide it is one pass over the
//! blocks. This module must not count: rows and lists do.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::ledger::event::{Audience, Ground, GroundHousehold};
use crate::ledger::{Alert, Block};
use crate::model::{Answer, EndpointId, HouseholdId, Missed, RegionCode, RegionLevel};
use crate::registry::Registry;

pub(super) struct Village {
    pub code: RegionCode,
    pub ground: Arc<Ground>,
    /// Its doors in the flat columns.
    doors: Range<usize>,
    /// Their ids rise, so that one is found by halving.
    sorted: bool,
    /// Its speakers that were called, each with its best answer.
    pub speakers: BTreeMap<EndpointId, Answer>,
}

pub(super) struct Doors {
    /// By code.
    pub villages: Vec<Village>,
    ids: Vec<HouseholdId>,
    /// Nothing where no delivery and no heard speaker says anything.
    answers: Vec<Option<Answer>>,
    /// Of a door that nothing speaks of.
    untold: Answer,
    /// The lowest and the highest id.
    span: Option<(HouseholdId, HouseholdId)>,
    /// Every door by its id, made when a block speaks of doors beyond its own village.
    by_id: OnceCell<Vec<(HouseholdId, u32)>>,
}

/// Whom a speaker is heard by: as it was at release, or as it is where the journal is older than such lists.
pub(super) fn hearing(
    alert: &Alert,
    registry: &Registry,
    speaker: EndpointId,
) -> Arc<[HouseholdId]> {
    let frozen = alert.frozen.hearing(speaker);
    frozen.unwrap_or_else(|| registry.hearing(speaker).into())
}

/// While a step of the release is to come nobody can say that a door has no means; what was dropped missed it.
fn untold(alert: &Alert) -> Answer {
    let to_come = alert.steps.next().is_some();
    match alert.withdrawn_by() {
        Some(_) if to_come => Answer::Missed(Missed::Withdrawn),
        None if to_come => Answer::Pending,
        _ if alert.steps.any_dropped() => Answer::Missed(Missed::Expired),
        _ => Answer::Missed(Missed::NoEndpoint),
    }
}

/// Whether a region lies in one of these.
pub(super) fn inside(scope: &[RegionCode], region: RegionCode) -> bool {
    scope.iter().any(|under| under.covers(region))
}

impl Doors {
    /// The doors of every village of the alert in `scope`, answered.
    pub fn of(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Self {
        let mut doors = Self::at_release(alert, scope);
        for block in alert.blocks() {
            doors.told(alert, &block, registry);
        }
        doors
    }

    fn at_release(alert: &Alert, scope: &[RegionCode]) -> Self {
        let mut doors = Self {
            villages: Vec::new(),
            ids: Vec::new(),
            answers: Vec::new(),
            untold: untold(alert),
            span: None,
            by_id: OnceCell::new(),
        };
        for (code, ground) in alert.grounds() {
            if !inside(scope, code) {
                continue;
            }
            let start = doors.ids.len();
            doors.ids.extend(ground.households.iter().map(|h| h.id));
            doors.villages.push(Village {
                code,
                sorted: doors.ids[start..].is_sorted(),
                doors: start..doors.ids.len(),
                ground,
                speakers: BTreeMap::new(),
            });
        }
        doors.answers = vec![None; doors.ids.len()];
        let span = (doors.ids.iter().min(), doors.ids.iter().max());
        doors.span = span.0.copied().zip(span.1.copied());
        doors
    }

    pub fn village(&self, code: RegionCode) -> Option<usize> {
        self.villages.binary_search_by_key(&code, |v| v.code).ok()
    }

    /// The doors of a village in the order of its ground, each with its answer.
    pub fn each(&self, village: usize) -> impl Iterator<Item = (&GroundHousehold, Answer)> {
        let village = &self.villages[village];
        let answers = &self.answers[village.doors.clone()];
        let answer = |a: &Option<Answer>| a.unwrap_or(self.untold);
        village
            .ground
            .households
            .iter()
            .zip(answers.iter().map(answer))
    }

    fn told(&mut self, alert: &Alert, block: &Block, registry: &Registry) {
        let home = self.village(block.region);
        // A village's public block holds that village's doors and no others.
        let bound =
            block.audience == Audience::Public && block.region.level() == RegionLevel::Village;
        let own = match home {
            Some(village) if bound => self.villages[village].doors.clone(),
            None if bound => return,
            _ => 0..self.ids.len(),
        };
        // A block follows its village's doors: the next household is nearly always this one or the one after it.
        let mut near = own.start;
        for i in 0..block.len() as usize {
            if block.speaker {
                let hearing = hearing(alert, registry, block.endpoint(i));
                self.heard(block, i, home, &hearing);
                continue;
            }
            let found = block.household(i).and_then(|id| self.find(id, near, home));
            if let Some(at) = found.filter(|at| own.contains(at)) {
                self.answer(at, block.answer(i));
                near = at;
            }
        }
    }

    fn heard(&mut self, block: &Block, i: usize, home: Option<usize>, hearing: &[HouseholdId]) {
        let (speaker, answer) = (block.endpoint(i), block.answer(i));
        if let Some(village) = home {
            let speakers = &mut self.villages[village].speakers;
            let known = speakers.entry(speaker).or_insert(answer);
            *known = known.best(answer);
        }
        // A speaker that failed says nothing about a door.
        if matches!(answer, Answer::Missed(_)) {
            return;
        }
        if self.are_elsewhere(hearing) {
            return;
        }
        let mut near = home.map_or(0, |at| self.villages[at].doors.start);
        for household in hearing {
            if let Some(at) = self.find(*household, near, home) {
                self.answer(at, answer);
                near = at;
            }
        }
    }

    /// Whether these ids lie wholly before or behind these doors: nearly all do for one village.
    fn are_elsewhere(&self, sorted: &[HouseholdId]) -> bool {
        match (sorted, &self.span) {
            ([low, .., high], Some((first, last))) => high < first || last < low,
            _ => false,
        }
    }

    fn by_id(&self) -> &Vec<(HouseholdId, u32)> {
        self.by_id.get_or_init(|| {
            let mut by_id: Vec<_> = (0..).zip(&self.ids).map(|(at, id)| (*id, at)).collect();
            // Ids are mostly given village by village: this is nearly one look at each.
            by_id.sort_unstable();
            by_id
        })
    }

    fn answer(&mut self, at: usize, answer: Answer) {
        let best = self.answers[at].map_or(answer, |known| known.best(answer));
        self.answers[at] = Some(best);
    }

    /// Where a door stands: near the last one, else in the block's own village, else anywhere.
    fn find(&self, id: HouseholdId, near: usize, home: Option<usize>) -> Option<usize> {
        for at in [near, near + 1] {
            if self.ids.get(at) == Some(&id) {
                return Some(at);
            }
        }
        if let Some(village) = home.map(|at| &self.villages[at]).filter(|v| v.sorted)
            && let Ok(at) = self.ids[village.doors.clone()].binary_search(&id)
        {
            return Some(village.doors.start + at);
        }
        let by_id = self.by_id();
        let found = by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(by_id[found].1 as usize)
    }
}
