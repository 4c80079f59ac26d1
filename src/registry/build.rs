//! Rows that `check` found sound, as one generation: sorted once, then laid out in columns. This module must not refuse
//! anything: a row it cannot place would be a hole in `check`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    ClosedRow, EndpointRow, HearingRow, HouseholdRow, RegionCode, RegionLevel, Rows,
};

use super::bound::Bound;
use super::columns::{ById, Texts, narrow, starts};
use super::numbers::Numbers;
use super::places::Places;
use super::{Endpoints, Households, NONE, Recipients, Regions, Registry, Spot, names};

const CHECKED: &str = "check refuses rows that refer to nothing";

pub fn build(generation: u32, rows: &Rows) -> Registry {
    let mut regions = regions(rows);
    let mut households = households(rows, &mut regions);
    let mut recipients = recipients(rows, &mut households);
    let endpoints = endpoints(rows, &mut regions, &mut recipients);
    let mut posts = rows.posts.clone();
    posts.sort_unstable_by(|a, b| {
        (a.place, &a.role, a.recipient).cmp(&(b.place, &b.role, b.recipient))
    });
    posts.shrink_to_fit();
    let mut registry = Registry {
        generation,
        regions: Arc::new(regions),
        households: Arc::new(households),
        recipients: Arc::new(recipients),
        endpoints: Arc::new(endpoints),
        posts: Arc::new(posts),
        places: Arc::new(Places::of(rows)),
        numbers: Arc::new(Numbers::default()),
        bound: Bound::default(),
    };
    registry.index_numbers();
    registry
}

fn regions(rows: &Rows) -> Regions {
    let mut order: Vec<_> = rows.regions.iter().collect();
    order.sort_unstable_by_key(|region| region.code);
    let codes: Vec<_> = order.iter().map(|region| region.code).collect();
    let villages = codes
        .iter()
        .copied()
        .filter(|code| code.level() == RegionLevel::Village)
        .collect();
    Regions {
        ambiguous: ambiguous(rows),
        villages,
        names: Texts::collect(order.len(), order.iter().map(|region| region.name.as_str())),
        points: order
            .iter()
            .map(|region| region.lat.zip(region.lon).unwrap_or((f64::NAN, f64::NAN)))
            .collect(),
        codes,
        households_from: Vec::new(),
        speakers_from: Vec::new(),
    }
}

/// The towns whose short name another town of the same county has: 古城镇 beside 古城乡.
fn ambiguous(rows: &Rows) -> Vec<RegionCode> {
    let mut towns: Vec<_> = rows
        .regions
        .iter()
        .filter(|region| region.code.level() == RegionLevel::Town)
        .map(|region| {
            let county = region.code.at(RegionLevel::County);
            (county, names::town(&region.name), region.code)
        })
        .collect();
    towns.sort_unstable();
    let mut ambiguous: Vec<_> = towns
        .chunk_by(|left, right| (left.0, left.1) == (right.0, right.1))
        .filter(|same| same.len() > 1)
        .flatten()
        .map(|&(_, _, code)| code)
        .collect();
    ambiguous.sort_unstable();
    ambiguous
}

fn households(rows: &Rows, regions: &mut Regions) -> Households {
    let mut order: Vec<_> = rows.households.iter().collect();
    order.sort_unstable_by_key(|household| (household.village, household.group, household.id));
    regions.households_from = starts(
        regions.villages.len(),
        order
            .iter()
            .map(|household| village_position(&regions.villages, household.village)),
    );
    let ids: Vec<_> = order.iter().map(|household| household.id).collect();
    Households {
        by_id: ById::over(&ids),
        ids,
        groups: order.iter().map(|household| household.group).collect(),
        presence: order.iter().map(|household| household.presence).collect(),
        tags: order.iter().map(|household| household.tags).collect(),
        spots: spots(&order),
        names: Texts::collect(
            order.len(),
            order.iter().map(|household| household.name.as_str()),
        ),
        recipients_from: Vec::new(),
    }
}

/// None at all where no household has a point: most registries begin so.
fn spots(order: &[&HouseholdRow]) -> Vec<Spot> {
    if order.iter().all(|household| household.lat.is_none()) {
        return Vec::new();
    }
    let spot = |household: &&HouseholdRow| {
        let point = household.lat.zip(household.lon);
        point.map_or(Spot::NOWHERE, |(lat, lon)| Spot::at(lat, lon))
    };
    order.iter().map(spot).collect()
}

fn recipients(rows: &Rows, households: &mut Households) -> Recipients {
    let mut order: Vec<_> = rows
        .recipients
        .iter()
        .map(|recipient| {
            let household = recipient.household.map_or(NONE, |id| {
                narrow(households.by_id.find(&households.ids, id).expect(CHECKED))
            });
            (household, recipient)
        })
        .collect();
    order.sort_unstable_by_key(|(household, recipient)| (*household, recipient.id));
    households.recipients_from = starts(
        households.ids.len(),
        order
            .iter()
            .take_while(|(household, _)| *household != NONE)
            .map(|(household, _)| *household as usize),
    );
    let mut spoken: Vec<Box<str>> = Vec::new();
    let mut languages = Vec::with_capacity(order.len());
    for (_, recipient) in &order {
        let known = spoken.iter().position(|tag| **tag == *recipient.language);
        let position = known.unwrap_or_else(|| {
            spoken.push(recipient.language.as_str().into());
            spoken.len() - 1
        });
        languages.push(u16::try_from(position).expect("check refuses a language per person"));
    }
    let ids: Vec<_> = order.iter().map(|(_, recipient)| recipient.id).collect();
    Recipients {
        by_id: ById::over(&ids),
        ids,
        households: order.iter().map(|(household, _)| *household).collect(),
        names: Texts::collect(
            order.len(),
            order.iter().map(|(_, recipient)| recipient.name.as_str()),
        ),
        languages,
        spoken,
        endpoints_from: Vec::new(),
    }
}

/// The endpoints of people, by whose they are.
fn owned<'a>(rows: &'a Rows, recipients: &Recipients) -> Vec<(u32, &'a EndpointRow)> {
    let of = |endpoint: &'a EndpointRow| {
        let whose = endpoint.recipient?;
        let at = recipients.by_id.find(&recipients.ids, whose);
        Some((narrow(at.expect(CHECKED)), endpoint))
    };
    let mut owned: Vec<_> = rows.endpoints.iter().filter_map(of).collect();
    owned.sort_unstable_by_key(|(recipient, endpoint)| (*recipient, endpoint.id));
    owned
}

fn endpoints(rows: &Rows, regions: &mut Regions, recipients: &mut Recipients) -> Endpoints {
    let owned = owned(rows, recipients);
    recipients.endpoints_from = starts(
        recipients.ids.len(),
        owned.iter().map(|(recipient, _)| *recipient as usize),
    );
    let mut speakers: Vec<_> = rows.speakers.iter().collect();
    speakers.sort_unstable_by_key(|speaker| (speaker.village, speaker.endpoint));
    let speaker_villages: Vec<u32> = speakers
        .iter()
        .map(|speaker| narrow(village_position(&regions.villages, speaker.village)))
        .collect();
    regions.speakers_from = starts(
        regions.villages.len(),
        speaker_villages.iter().map(|&village| village as usize),
    );
    let by_id: HashMap<u32, &EndpointRow> = rows
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.recipient.is_none())
        .map(|endpoint| (endpoint.id, endpoint))
        .collect();
    let order: Vec<&EndpointRow> = owned
        .iter()
        .map(|(_, endpoint)| *endpoint)
        .chain(speakers.iter().map(|speaker| by_id[&speaker.endpoint]))
        .collect();
    let ids: Vec<_> = order.iter().map(|endpoint| endpoint.id).collect();
    let (heard_from, hearing) = hearing(&ids[owned.len()..], &rows.hearing);
    Endpoints {
        by_id: ById::over(&ids),
        ids,
        kinds: order.iter().map(|endpoint| endpoint.kind).collect(),
        addresses: Texts::collect(
            order.len(),
            order.iter().map(|endpoint| endpoint.address.as_str()),
        ),
        recipients: owned.iter().map(|(recipient, _)| *recipient).collect(),
        first_speaker: owned.len(),
        speaker_villages,
        speaker_names: Texts::collect(
            speakers.len(),
            speakers.iter().map(|speaker| speaker.name.as_str()),
        ),
        care: speakers
            .iter()
            .map(|speaker| speaker.care.clone())
            .collect(),
        heard_from,
        hearing,
        closed: closed(rows),
    }
}

fn closed(rows: &Rows) -> Vec<ClosedRow> {
    let needed = rows.closed.iter().filter(|row| !row.address.is_empty());
    let mut closed: Vec<_> = needed.cloned().collect();
    closed.sort_unstable_by_key(|row| row.id);
    closed
}

fn hearing(speakers: &[u32], rows: &[HearingRow]) -> (Vec<u32>, Vec<u32>) {
    let by_id = ById::over(speakers);
    let mut pairs: Vec<(usize, u32)> = rows
        .iter()
        .map(|row| {
            let speaker = by_id.find(speakers, row.speaker).expect(CHECKED);
            (speaker, row.household)
        })
        .collect();
    pairs.sort_unstable();
    let from = starts(speakers.len(), pairs.iter().map(|(speaker, _)| *speaker));
    (
        from,
        pairs.into_iter().map(|(_, household)| household).collect(),
    )
}

fn village_position(villages: &[RegionCode], village: RegionCode) -> usize {
    villages.binary_search(&village).expect(CHECKED)
}
