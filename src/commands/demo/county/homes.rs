//! The demo's households, their people and phones. Shares are per mille and drawn, except that villages hold exactly the
//! households asked for and households exactly three people on average.

use std::ops::Range;

use fastrand::Rng;

use crate::model::{HouseholdRow, PresenceAtHome, RegionCode, RegionLevel, Tags};

use super::Draft;

const HOUSEHOLDS_PER_GROUP: usize = 40;
const GROUPS_AT_MOST: usize = 30;

/// Fills the villages; says where each one's households stand in the rows.
pub(super) fn settle(draft: &mut Draft, households: u32) -> Vec<(RegionCode, Range<usize>)> {
    let codes = draft.codes(RegionLevel::Village);
    let sizes = village_sizes(households as usize, codes.len(), &mut draft.rng);
    let mut people = family_sizes(households as usize, &mut draft.rng).into_iter();
    let mut villages = Vec::with_capacity(codes.len());
    for (code, size) in codes.into_iter().zip(sizes) {
        let start = draft.rows.households.len();
        let groups = (size / HOUSEHOLDS_PER_GROUP + 1).min(GROUPS_AT_MOST);
        let sizes = shares(size, groups, 500, &mut draft.rng);
        for (group, size) in (1_u8..).zip(sizes) {
            let danger = draft.chance(150);
            for family in people.by_ref().take(size) {
                household(draft, code, group, danger, family);
            }
        }
        villages.push((code, start..draft.rows.households.len()));
    }
    villages
}

/// One household each, the rest in shares a dozen times apart.
fn village_sizes(households: usize, villages: usize, rng: &mut Rng) -> Vec<usize> {
    let Some(spare) = households.checked_sub(villages) else {
        return (0..villages)
            .map(|village| usize::from(village < households))
            .collect();
    };
    let mut sizes = shares(spare, villages, 70, rng);
    for size in &mut sizes {
        *size += 1;
    }
    sizes
}

/// `total` in `parts` unequal parts. Weights are 1 / (evenness + up to 1,000): the smaller the evenness, the heavier the
/// tail.
fn shares(total: usize, parts: usize, evenness: usize, rng: &mut Rng) -> Vec<usize> {
    let weights: Vec<usize> = (0..parts)
        .map(|_| 1_000_000 / (evenness + rng.usize(0..1_000)))
        .collect();
    let sum: usize = weights.iter().sum();
    let mut before = 0;
    let mut given = 0;
    weights
        .into_iter()
        .map(|weight| {
            before += weight;
            let until = total * before / sum;
            let share = until - given;
            given = until;
            share
        })
        .collect()
}

/// 10 % of one, 22 % of two, as many of five and of four, the rest of three: three on average to the last person.
fn family_sizes(households: usize, rng: &mut Rng) -> Vec<u8> {
    let (outer, inner) = (households / 10, households * 22 / 100);
    let mut sizes = vec![3; households];
    for (size, range) in [
        (1, 0..outer),
        (5, outer..2 * outer),
        (2, 2 * outer..2 * outer + inner),
        (4, 2 * outer + inner..2 * (outer + inner)),
    ] {
        sizes[range].fill(size);
    }
    rng.shuffle(&mut sizes);
    sizes
}

fn household(draft: &mut Draft, village: RegionCode, group: u8, danger: bool, family: u8) {
    let id = draft.rows.households.last().map_or(1, |last| last.id + 1);
    let mut tags = Tags::default();
    if family == 1 && draft.chance(800) {
        tags = tags.with(Tags::LIVES_ALONE);
    }
    if draft.chance(30) {
        tags = tags.with(Tags::DISABLED);
    }
    if danger && draft.chance(800) {
        tags = tags.with(Tags::DANGER_ZONE);
    }
    let presence = match draft.rng.u32(0..1_000) {
        0..250 => PresenceAtHome::Away,
        250..280 => PresenceAtHome::Returned,
        280..300 => PresenceAtHome::Resident,
        _ => PresenceAtHome::Home,
    };
    draft.rows.households.push(HouseholdRow {
        id,
        village,
        group,
        name: format!("合成户{id:05}"),
        presence,
        tags,
        lat: None,
        lon: None,
    });
    let people: Vec<_> = (1..=family)
        .map(|person| draft.recipient(Some(id), format!("合成-{id}-{person}")))
        .collect();
    match draft.rng.u32(0..1_000) {
        0..60 => {}
        60..100 => draft.landline(people[0]),
        _ => {
            draft.mobile(people[0]);
            if family > 1 && draft.chance(600) {
                draft.mobile(people[1]);
            }
        }
    }
}
