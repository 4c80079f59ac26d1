//! Who is told in one region, by which endpoints and in which order. Vulnerable households go first; a person with
//! several posts is told once. This module must not know the alert's words: a delivery names its language, and whoever
//! writes the block knows the variant.

use std::collections::{BTreeMap, HashMap, HashSet};

use cap::Status;
use channel::Capability;

use super::rules::Plan;
use super::wall;
use crate::ledger::event::{Audience, Ground, GroundHousehold, NO_HOUSEHOLD};
use crate::model::{
    EndpointId, EndpointKind, HouseholdId, PresenceAtHome, RecipientId, RegionCode, RegionLevel,
    Tags,
};
use crate::registry::Registry;

/// What is asked of the audience: by which plan, over which channels, for an alert of which status.
pub struct Want<'a> {
    pub plan: &'a Plan,
    /// What each configured channel can do.
    pub outlets: &'a Outlets,
    pub status: Status,
}

pub type Outlets = BTreeMap<String, Capability>;

/// Who has been told already, by channel.
#[derive(Default)]
pub struct Told(HashMap<String, HashSet<EndpointId>>);

impl Told {
    pub fn has(&self, channel: &str, endpoint: EndpointId) -> bool {
        let told = self.0.get(channel);
        told.is_some_and(|told| told.contains(&endpoint))
    }

    /// True when this endpoint had not been told by this channel.
    pub fn add(&mut self, channel: &str, endpoint: EndpointId) -> bool {
        if let Some(told) = self.0.get_mut(channel) {
            return told.insert(endpoint);
        }
        self.0.insert(channel.to_owned(), HashSet::from([endpoint]));
        true
    }
}

pub struct PlannedDelivery<'a> {
    pub endpoint: EndpointId,
    pub household: HouseholdId,
    pub language: &'a str,
}

pub struct PlannedBlock<'a> {
    pub channel: String,
    pub outlet: Capability,
    pub audience: Audience,
    pub window: u32,
    pub deliveries: Vec<PlannedDelivery<'a>>,
}

/// The blocks of one region, in the plan's order.
pub fn blocks<'a>(
    registry: &'a Registry,
    region: RegionCode,
    want: &Want<'a>,
    told: &mut Told,
) -> Vec<PlannedBlock<'a>> {
    let mut out = Vec::new();
    for send in &want.plan.send {
        if !wall::lets_through(want.status, send.audience, wall::is_drill(want.status)) {
            continue;
        }
        for channel in &send.channels {
            let Some(outlet) = want.outlets.get(channel).copied() else {
                continue;
            };
            let to = outlet.speaks_to;
            let village = region.level() == RegionLevel::Village;
            let mut deliveries = match send.audience {
                Audience::Public if village => public(registry, region, to),
                Audience::Speakers if village => {
                    speakers(registry, region, to, &want.plan.language)
                }
                Audience::Officers => officers(registry, region, to),
                Audience::Public | Audience::Speakers => Vec::new(),
            };
            deliveries.retain(|d| told.add(channel, d.endpoint));
            if !deliveries.is_empty() {
                let window = u32::try_from(send.receipt_window.0.as_millis()).unwrap_or(u32::MAX);
                out.push(PlannedBlock {
                    channel: channel.clone(),
                    outlet,
                    audience: send.audience,
                    window,
                    deliveries,
                });
            }
        }
    }
    out
}

/// Smaller is told first.
fn vulnerability(tags: Tags) -> u8 {
    match () {
        () if tags.has(Tags::DANGER_ZONE) => 0,
        () if tags.has(Tags::DISABLED) => 1,
        () if tags.has(Tags::LIVES_ALONE) => 2,
        () => 3,
    }
}

fn public(registry: &Registry, village: RegionCode, to: EndpointKind) -> Vec<PlannedDelivery<'_>> {
    let mut households: Vec<_> = registry
        .households_under(village)
        .iter()
        .filter_map(|id| Some((*id, registry.household(*id)?)))
        .collect();
    households.sort_by_key(|(_, h)| vulnerability(h.tags));
    let mut out = Vec::new();
    for (id, _) in households {
        for recipient in registry.recipients_of(id) {
            reach(registry, *recipient, to, id, &mut out);
        }
    }
    out
}

fn reach<'a>(
    registry: &'a Registry,
    id: RecipientId,
    to: EndpointKind,
    household: HouseholdId,
    out: &mut Vec<PlannedDelivery<'a>>,
) {
    let Some(recipient) = registry.recipient(id) else {
        return;
    };
    for endpoint in registry.endpoints_of(id) {
        if registry.endpoint(endpoint).is_some_and(|e| e.kind == to) {
            out.push(PlannedDelivery {
                endpoint,
                household,
                language: recipient.language,
            });
        }
    }
}

fn speakers<'a>(
    registry: &'a Registry,
    village: RegionCode,
    to: EndpointKind,
    language: &'a str,
) -> Vec<PlannedDelivery<'a>> {
    if to != EndpointKind::Speaker {
        return Vec::new();
    }
    let planned = |id: &EndpointId| PlannedDelivery {
        endpoint: *id,
        household: NO_HOUSEHOLD,
        language,
    };
    registry
        .speakers_under(village)
        .iter()
        .map(planned)
        .collect()
}

fn officers(registry: &Registry, region: RegionCode, to: EndpointKind) -> Vec<PlannedDelivery<'_>> {
    let mut out = Vec::new();
    for post in registry.officers_at(region) {
        reach(registry, post.recipient, to, NO_HOUSEHOLD, &mut out);
    }
    out
}

/// A village as it stands now: the denominator of every figure of this alert.
pub fn ground(registry: &Registry, village: RegionCode) -> Ground {
    let mut people = 0;
    let mut households = Vec::new();
    for id in registry.households_under(village) {
        let Some(household) = registry.household(*id) else {
            continue;
        };
        people += u32::try_from(registry.recipients_of(*id).len()).unwrap_or(0);
        households.push(GroundHousehold {
            id: *id,
            group: household.group,
            away: household.presence == PresenceAtHome::Away,
            tags: household.tags,
        });
    }
    let speakers = u32::try_from(registry.speakers_under(village).len()).unwrap_or(0);
    Ground {
        region: village,
        households,
        people,
        speakers,
    }
}

/// The towns, counties and above of these villages: where officers have posts.
pub fn above(villages: impl Iterator<Item = RegionCode>) -> Vec<RegionCode> {
    let mut out: Vec<RegionCode> = villages
        .flat_map(|v| std::iter::successors(v.parent(), |r| r.parent()))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}
