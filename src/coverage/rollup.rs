//! The roll-up: one row per region below a region, or per local group of a village, and their total. A region of the
//! alert without a row does not exist: what was not released yet has no ground and so no denominator. This module must
//! not name a figure that the ledger does not give.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::doors::{Doors, Tally, Village, inside};
use super::row::Row;
use super::words;
use crate::ledger::Alert;
use crate::ledger::event::{Accepted, Audience};
use crate::model::{Answer, EndpointId, RecipientId, RegionCode, RegionLevel};
use crate::registry::Registry;
use crate::trust::Caller;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Rollup {
    pub rows: Vec<Row>,
    /// Counts each household, speaker and officer once: an officer with posts in two rows is one here.
    pub total: Row,
}

/// One row per region directly below `under` that the alert touches; for a village one per local group.
pub fn rollup(alert: &Alert, registry: &Registry, under: RegionCode) -> Rollup {
    if under.level() == RegionLevel::Village {
        return groups(alert, registry, under);
    }
    let children = registry.children(under);
    let row_of = |region: RegionCode| child(&children, under, region);
    let doors = Doors::of(alert, registry, &[under]);
    table(alert, registry, &doors, &[under], under, row_of)
}

/// One row per given region, for who is responsible for several; `name` is the region that the total is called by.
pub fn rollup_of(
    alert: &Alert,
    registry: &Registry,
    regions: &[RegionCode],
    name: RegionCode,
) -> Rollup {
    let row_of = |region: RegionCode| regions.iter().find(|r| r.covers(region)).copied();
    let doors = Doors::of(alert, registry, regions);
    table(alert, registry, &doors, regions, name, row_of)
}

/// One row per village of the alert inside these regions, by code.
pub fn villages(alert: &Alert, registry: &Registry, scope: &[RegionCode]) -> Vec<Row> {
    let Some(name) = scope.first() else {
        return Vec::new();
    };
    let doors = Doors::of(alert, registry, scope);
    let village = |region: RegionCode| (region.level() == RegionLevel::Village).then_some(region);
    table(alert, registry, &doors, scope, *name, village).rows
}

/// The smallest region that holds all of these.
pub fn common(regions: &[RegionCode]) -> Option<RegionCode> {
    let mut all = *regions.first()?;
    while !regions.iter().all(|region| all.covers(*region)) {
        all = all.parent()?;
    }
    Some(all)
}

/// The parts of the alert's regions that lie inside `own`, each once, by code.
pub fn home(alert: &Alert, own: &[RegionCode]) -> Vec<RegionCode> {
    let mut parts = Vec::new();
    for region in &alert.meta.regions {
        for own in own {
            if own.covers(*region) {
                parts.push(*region);
            } else if region.covers(*own) {
                parts.push(*own);
            }
        }
    }
    parts.sort_unstable();
    parts.dedup();
    let all = parts.clone();
    parts.retain(|part| !all.iter().any(|other| other != part && other.covers(*part)));
    parts
}

/// Whether this caller may know of the alert: it touches their regions, or they brought it.
pub fn sees(caller: &Caller, alert: &Accepted) -> bool {
    caller.id == alert.caller || caller.regions.iter().any(|own| touches(alert, *own))
}

/// Whether the alert speaks of any part of this region.
pub fn touches(alert: &Accepted, region: RegionCode) -> bool {
    let meets = |other: &RegionCode| other.covers(region) || region.covers(*other);
    alert.regions.iter().any(meets)
}

/// The registry knows the tree (a city may have towns as children); digits stand in for what it does not know.
fn child(children: &[RegionCode], under: RegionCode, region: RegionCode) -> Option<RegionCode> {
    if region == under {
        return None;
    }
    let before = children.partition_point(|c| *c <= region).checked_sub(1);
    let known = before.map(|at| children[at]).filter(|c| c.covers(region));
    let mut digits = region;
    while let Some(parent) = digits.parent().filter(|p| *p != under && under.covers(*p)) {
        digits = parent;
    }
    Some(known.unwrap_or(digits))
}

/// Who was called, whatever their endpoints; an endpoint that the registry no longer knows stands for itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Officer {
    Known(RecipientId),
    Gone(EndpointId),
}

type Called = BTreeMap<Officer, Answer>;

fn officers(
    alert: &Alert,
    registry: &Registry,
    scope: &[RegionCode],
    mut each: impl FnMut(RegionCode, Officer, Answer),
) {
    for block in alert.blocks() {
        if block.audience != Audience::Officers || !inside(scope, block.region) {
            continue;
        }
        for i in 0..block.len() as usize {
            let endpoint = block.endpoint(i);
            let now = || registry.endpoint(endpoint)?.recipient;
            let person = alert.frozen.officer(endpoint).or_else(now);
            let officer = person.map_or(Officer::Gone(endpoint), Officer::Known);
            each(block.region, officer, block.answer(i));
        }
    }
}

fn call(called: &mut Called, officer: Officer, answer: Answer) {
    let known = called.entry(officer).or_insert(answer);
    *known = known.best(answer);
}

fn table(
    alert: &Alert,
    registry: &Registry,
    doors: &Doors,
    scope: &[RegionCode],
    name: RegionCode,
    row_of: impl Fn(RegionCode) -> Option<RegionCode>,
) -> Rollup {
    let empty = |region| Row::new(region, None, registry.full_name(region));
    let mut rows: BTreeMap<RegionCode, (Row, Called)> = BTreeMap::new();
    let mut total = (empty(name), Called::new());
    for village in &doors.villages {
        let region = row_of(village.code).unwrap_or(village.code);
        let (row, _) = rows
            .entry(region)
            .or_insert_with(|| (empty(region), Called::new()));
        let tally = doors.tally(village);
        add_village(row, village, &tally);
        add_village(&mut total.0, village, &tally);
    }
    officers(alert, registry, scope, |region, officer, answer| {
        call(&mut total.1, officer, answer);
        if let Some(region) = row_of(region) {
            let row = rows
                .entry(region)
                .or_insert_with(|| (empty(region), Called::new()));
            call(&mut row.1, officer, answer);
        }
    });
    Rollup {
        rows: rows.into_values().map(with_officers).collect(),
        total: with_officers(total),
    }
}

fn with_officers((mut row, called): (Row, Called)) -> Row {
    for answer in called.into_values() {
        row.officers.count(answer);
    }
    row
}

fn add_village(row: &mut Row, village: &Village, tally: &Tally) {
    row.add(tally);
    row.people = row.people.map(|people| people + village.ground.people);
    for answer in village.speakers.values() {
        row.speakers.count(*answer);
    }
    let called = u32::try_from(village.speakers.len()).unwrap_or(u32::MAX);
    row.speakers.silent(called, village.ground.speakers);
}

fn groups(alert: &Alert, registry: &Registry, village: RegionCode) -> Rollup {
    let doors = Doors::of(alert, registry, &[village]);
    let mut whole = table(alert, registry, &doors, &[village], village, |_| None);
    let mut rows: BTreeMap<u8, Row> = BTreeMap::new();
    if let Some(at) = doors.village(village) {
        for ((household, answer), held) in doors.each(at).zip(doors.held(at)) {
            let group = household.group;
            let empty = || {
                let name = format!("{}{}", registry.full_name(village), words::of_group(group));
                Row::new(village, Some(group), name)
            };
            rows.entry(group)
                .or_insert_with(empty)
                .count(household, answer, held);
        }
    }
    whole.rows = rows.into_values().collect();
    whole
}
