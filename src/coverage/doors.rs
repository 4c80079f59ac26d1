//! The doors of some villages as they were frozen at release, each with the best answer of all deliveries to its people
//! and of the speakers that it can hear. Built for one question and dropped with it: county-wide it is one pass over the
//! blocks. This module must not say what an answer means: rows and lists do.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::event::{Audience, Ground, GroundHousehold};
use crate::ledger::{Alert, Block};
use crate::model::{Answer, EndpointId, HouseholdId, Missed, Ranks, RegionCode, RegionLevel};
use crate::registry::Registry;

pub(super) struct Village {
    pub code: RegionCode,
    pub ground: Arc<Ground>,
    /// Beside its households: the rank of each one's best answer, or `UNTOLD`.
    ranks: Vec<u8>,
    /// Its doors by these ranks, once all was told.
    tally: Tally,
    /// Its speakers that were called, each with its best answer.
    pub speakers: BTreeMap<EndpointId, Answer>,
}

/// No delivery and no heard speaker says anything: below every answer that a delivery can have.
const UNTOLD: u8 = 0;

/// A door: its village, and its place in that village's ground.
type Door = (u32, u32);

pub(super) struct Doors {
    /// By code.
    pub villages: Vec<Village>,
    /// Of a door that nothing speaks of.
    untold: Answer,
    /// Such a door waits for the end of the night.
    held: bool,
    /// Every door by its id, made when a block speaks of doors beyond its own village.
    by_id: OnceCell<Vec<(HouseholdId, Door)>>,
    /// The lowest and the highest id.
    span: OnceCell<Option<(HouseholdId, HouseholdId)>>,
}

/// How many doors of a village stand at each rank, and how many are away.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub at_home: [u32; Answer::RANKS],
    pub away: u32,
    /// Of those that are pending, who is held by the night rule.
    pub held: u32,
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

/// What the doors of a village have already that are not told again; the others have nothing yet.
fn kept(alert: &Alert, village: RegionCode, ground: &Ground) -> Vec<u8> {
    let mut ranks = vec![UNTOLD; ground.households.len()];
    let Some(kept) = alert.classes.kept(village) else {
        return ranks;
    };
    for (grade, doors) in &kept.doors {
        let answer = grade.map_or(Answer::Unknown, Answer::Reached);
        let mut near = 0;
        for door in doors {
            if let Some(at) = find(&ground.households, *door, near) {
                ranks[at] = ranks[at].max(answer.rank());
                near = at;
            }
        }
    }
    ranks
}

/// Whether a region lies in one of these.
pub(super) fn inside(scope: &[RegionCode], region: RegionCode) -> bool {
    scope.iter().any(|under| under.covers(region))
}

impl Village {
    fn told(&mut self, block: &Block, ranks: &Ranks) {
        if block.raise(&self.ground, &mut self.ranks, ranks) {
            return;
        }
        let households = &self.ground.households;
        for (id, rank) in block.answers(ranks) {
            if let Some(at) = households.iter().position(|h| h.id == id) {
                self.ranks[at] = self.ranks[at].max(rank);
            }
        }
    }

    fn count(&mut self) {
        for (household, rank) in self.ground.households.iter().zip(&self.ranks) {
            let at_home = u32::from(!household.away);
            self.tally.away += 1 - at_home;
            self.tally.at_home[usize::from(rank & 15)] += at_home;
        }
    }
}

/// Soon after the last one, or by halving: ids mostly rise with their place.
fn find(households: &[GroundHousehold], id: HouseholdId, near: usize) -> Option<usize> {
    const SOON: usize = 8;
    let soon = households.iter().skip(near).take(SOON);
    match soon.map(|h| h.id).position(|other| other == id) {
        Some(step) => Some(near + step),
        None => households.binary_search_by_key(&id, |h| h.id).ok(),
    }
}

impl Doors {
    /// The doors of every village of the alert in `scope`, answered.
    pub fn of(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Self {
        let mut doors = Self::at_release(alert, scope);
        let ranks = Ranks::of(false);
        let mut own = vec![Vec::new(); doors.villages.len()];
        for block in alert.blocks() {
            let home = doors.village(block.region);
            // A village's public block holds that village's doors and no others.
            if block.audience == Audience::Public && block.region.level() == RegionLevel::Village {
                if let Some(at) = home {
                    own[at].push(block);
                }
            } else if block.speaker {
                doors.heard(&block, home, |speaker| hearing(alert, registry, speaker));
            } else {
                for (id, rank) in block.answers(&ranks) {
                    doors.raise(id, rank);
                }
            }
        }
        doors.told(&own, &ranks);
        doors
    }

    /// Each village's own blocks. No two villages meet here, so a large alert is halved between two threads.
    fn told(&mut self, own: &[Vec<Arc<Block>>], ranks: &Ranks) {
        // Tests have few deliveries and prove both ways.
        const LARGE: u32 = if cfg!(test) { 20 } else { 100_000 };
        let tell = |villages: &mut [Village], own: &[Vec<Arc<Block>>]| {
            for (village, blocks) in villages.iter_mut().zip(own) {
                for block in blocks {
                    village.told(block, ranks);
                }
                village.count();
            }
        };
        let size = |blocks: &Vec<Arc<Block>>| blocks.iter().map(|b| b.len()).sum::<u32>();
        let all: u32 = own.iter().map(size).sum();
        if all < LARGE {
            return tell(&mut self.villages, own);
        }
        let mut seen = 0;
        let mut before = |blocks: &&Vec<Arc<Block>>| {
            seen += size(blocks);
            seen < all / 2
        };
        let half = own.iter().take_while(&mut before).count();
        let ((first, second), (near, far)) = (self.villages.split_at_mut(half), own.split_at(half));
        std::thread::scope(|scope| {
            scope.spawn(|| tell(second, far));
            tell(first, near);
        });
    }

    fn at_release(alert: &Alert, scope: &[RegionCode]) -> Self {
        let grounds = alert.grounds().into_iter();
        let villages = grounds.filter(|(code, _)| inside(scope, *code));
        let villages = villages.map(|(code, ground)| Village {
            code,
            ranks: kept(alert, code, &ground),
            tally: Tally::default(),
            ground,
            speakers: BTreeMap::new(),
        });
        let night = |(step, _)| alert.classes.is_held(step);
        Self {
            villages: villages.collect(),
            held: alert.withdrawn_by().is_none() && alert.steps.next().is_some_and(night),
            untold: untold(alert),
            by_id: OnceCell::new(),
            span: OnceCell::new(),
        }
    }

    pub fn village(&self, code: RegionCode) -> Option<usize> {
        self.villages.binary_search_by_key(&code, |v| v.code).ok()
    }

    /// The doors of a village in the order of its ground, each with its answer.
    pub fn each(&self, village: usize) -> impl Iterator<Item = (&GroundHousehold, Answer)> {
        let village = &self.villages[village];
        let answer = |rank: &u8| match *rank {
            UNTOLD => self.untold,
            rank => Answer::of_rank(rank),
        };
        let answers = village.ranks.iter().map(answer);
        village.ground.households.iter().zip(answers)
    }

    /// Beside `each`: whether the night rule holds it.
    pub fn held(&self, village: usize) -> impl Iterator<Item = bool> {
        let ranks = self.villages[village].ranks.iter();
        ranks.map(|rank| self.held && *rank == UNTOLD)
    }

    /// The doors of a village, counted.
    pub fn tally(&self, village: &Village) -> Tally {
        let mut tally = village.tally;
        let untold = std::mem::take(&mut tally.at_home[usize::from(UNTOLD)]);
        tally.at_home[usize::from(self.untold.rank())] += untold;
        tally.held = if self.held { untold } else { 0 };
        tally
    }

    fn heard(
        &mut self,
        block: &Block,
        home: Option<usize>,
        hearing: impl Fn(EndpointId) -> Arc<[HouseholdId]>,
    ) {
        for i in 0..block.len() as usize {
            let (speaker, answer) = (block.endpoint(i), block.answer(i));
            if let Some(village) = home {
                let speakers = &mut self.villages[village].speakers;
                let known = speakers.entry(speaker).or_insert(answer);
                *known = known.best(answer);
            }
            // A speaker that failed says nothing about a door.
            if matches!(answer, Answer::Missed(_)) {
                continue;
            }
            let hearing = hearing(speaker);
            if self.are_elsewhere(&hearing) {
                continue;
            }
            let mut near = 0;
            for id in &*hearing {
                let own = home.map(|at| &mut self.villages[at]);
                let own = own.and_then(|v| Some((find(&v.ground.households, *id, near)?, v)));
                match own {
                    Some((at, village)) => {
                        village.ranks[at] = village.ranks[at].max(answer.rank());
                        near = at;
                    }
                    None => self.raise(*id, answer.rank()),
                }
            }
        }
    }

    /// Whether these ids lie wholly before or behind these doors: nearly all do for one village.
    fn are_elsewhere(&self, sorted: &[HouseholdId]) -> bool {
        let span = self.span.get_or_init(|| {
            let ids = || self.villages.iter().flat_map(|v| &v.ground.households);
            let ids = || ids().map(|h| h.id);
            ids().min().zip(ids().max())
        });
        match (sorted, span) {
            ([low, .., high], Some((first, last))) => high < first || last < low,
            _ => false,
        }
    }

    /// Wherever this door stands, if it stands here at all.
    fn raise(&mut self, id: HouseholdId, rank: u8) {
        let by_id = self.by_id.get_or_init(|| by_id(&self.villages));
        if let Ok(found) = by_id.binary_search_by_key(&id, |(id, _)| *id) {
            let (village, at) = by_id[found].1;
            let ranks = &mut self.villages[village as usize].ranks;
            ranks[at as usize] = ranks[at as usize].max(rank);
        }
    }
}

fn by_id(villages: &[Village]) -> Vec<(HouseholdId, Door)> {
    let doors = |(at, village): (u32, &Village)| {
        let ids = village.ground.households.iter().map(|h| h.id);
        (0..)
            .zip(ids)
            .map(move |(door, id)| (id, (at, door)))
            .collect::<Vec<_>>()
    };
    let mut by_id: Vec<_> = (0..).zip(villages).flat_map(doors).collect();
    // Ids are mostly given village by village: this is nearly one look at each.
    by_id.sort_unstable();
    by_id
}
