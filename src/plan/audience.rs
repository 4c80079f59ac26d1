//! Who is told in one region, by which endpoints and accounts and in which order. Vulnerable households go first; a person with
//! several posts is told once. This module must not know the alert's words: a delivery names its language and the infos
//! that hit, and whoever writes the block knows the variant.

mod bound;
mod shared;

use std::collections::{BTreeMap, HashSet};

use cap::Status;
use channel::Capability;

use super::hit::Hit;
use super::routes::Outlets;
use super::rules::{Plan, Send};
use super::target::Targets;
use super::told::Told;
use super::wall;
use crate::ledger::event::{Audience, Class, Ground, GroundHousehold, NO_HOUSEHOLD};
use crate::model::RelationKind;
use crate::model::{
    EndpointId, EndpointKind, GroupCode, HouseholdId, PostPlace, PresenceAtHome, RecipientId,
    RegionCode, Tags,
};
use crate::registry::{HouseholdRef, Registry};
pub use shared::Unserved;
use shared::{by_account, by_class};

/// What is asked of the audience: by which of the plan's sends, over which channels, for an alert of which status.
pub struct Want<'a> {
    pub plan: &'a Plan,
    /// What each configured channel can do.
    pub outlets: &'a Outlets,
    pub status: Status,
    pub scope: cap::Scope,
}

pub struct PlannedDelivery<'a> {
    pub endpoint: EndpointId,
    pub household: HouseholdId,
    pub language: &'a str,
    /// The infos that hit, as a bit set.
    pub infos: u64,
    pub class: Class,
}

pub struct PlannedBlock<'a> {
    pub region: RegionCode,
    pub channel: String,
    pub outlet: Capability,
    pub audience: Audience,
    pub window: u32,
    /// Its send's place in the plan: what stands first goes first.
    pub send: usize,
    /// Of all its deliveries.
    pub class: Class,
    pub deliveries: Vec<PlannedDelivery<'a>>,
}

/// Every region that one release writes: where officers have posts, from above, then the villages.
pub fn regions(targets: &Targets) -> Vec<RegionCode> {
    let mut regions = above(targets.villages.keys().copied());
    regions.extend(targets.villages.keys());
    regions
}

/// Everybody of one region whom the plan names, each once a channel.
pub fn blocks<'a>(
    registry: &'a Registry,
    region: RegionCode,
    targets: &Targets,
    want: &Want<'a>,
    told: &mut Told,
) -> Vec<PlannedBlock<'a>> {
    let mut keep = |_: usize, way: &str, d: &mut PlannedDelivery<'a>| told.add(way, d.endpoint);
    chosen(registry, region, targets, want, &mut keep).0
}

/// Looks at one delivery of a send, gives it its class, and says whether it is told now by this way.
pub type Keep<'k, 'a> = dyn FnMut(usize, &str, &mut PlannedDelivery<'a>) -> bool + 'k;

/// The blocks of one region, in the plan's order, one for each account and class; none where the alert does not reach.
pub fn chosen<'a>(
    registry: &'a Registry,
    region: RegionCode,
    targets: &Targets,
    want: &Want<'a>,
    keep: &mut Keep<'_, 'a>,
) -> (Vec<PlannedBlock<'a>>, Unserved) {
    let (mut out, mut unserved) = (Vec::new(), Unserved::new());
    let infos = targets.infos_under(region);
    let village = targets.villages.get(&region);
    if infos == 0 {
        return (out, unserved);
    }
    for (at, send) in want.plan.send.iter().enumerate() {
        if !wall::admits(want.status, want.scope, send.audience) {
            continue;
        }
        for way in &send.channels {
            let Some(outlet) = want.outlets.get(way) else {
                continue;
            };
            let chosen = Chosen {
                registry,
                send,
                way,
                outlets: want.outlets,
                to: outlet.speaks_to,
                language: &want.plan.language,
            };
            let mut deliveries = chosen.of(region, infos, village);
            deliveries.retain_mut(|d| keep(at, way, d));
            let window = u32::try_from(send.receipt_window.0.as_millis()).unwrap_or(u32::MAX);
            for (channel, deliveries) in
                by_account(registry, want.outlets, way, deliveries, &mut unserved)
            {
                let outlet = want.outlets.get(channel).unwrap_or(outlet);
                let blocks = by_class(deliveries).into_iter();
                out.extend(blocks.map(|(class, deliveries)| PlannedBlock {
                    region,
                    channel: channel.to_owned(),
                    outlet,
                    audience: send.audience,
                    window,
                    send: at,
                    class,
                    deliveries,
                }));
            }
        }
    }
    (out, unserved)
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

/// The households of a village that are hit, each with its infos.
fn homes<'a>(
    registry: &'a Registry,
    village: RegionCode,
    hit: &Hit,
) -> impl Iterator<Item = (HouseholdRef<'a>, u64)> {
    let households = registry.households_under(village).iter();
    households.filter_map(move |id| {
        let household = registry.household(*id)?;
        let infos = hit.of(*id, household.group, household.point.is_some());
        (infos != 0).then_some((household, infos))
    })
}

/// One send over one channel.
struct Chosen<'a, 'p> {
    registry: &'a Registry,
    send: &'p Send,
    way: &'p str,
    outlets: &'p Outlets,
    to: EndpointKind,
    language: &'a str,
}

impl<'a> Chosen<'a, '_> {
    fn of(
        &self,
        region: RegionCode,
        infos: u64,
        village: Option<&Hit>,
    ) -> Vec<PlannedDelivery<'a>> {
        match (self.send.audience, village) {
            (Audience::Public, Some(hit)) => self.public(region, hit),
            (Audience::Speakers, Some(hit)) => self.speakers(region, hit),
            (Audience::Officers | Audience::Seekers, hit) => self.officers(region, infos, hit),
            (Audience::Relatives, Some(hit)) => self.related(region, hit, RelationKind::Relative),
            (Audience::Neighbours, Some(hit)) => self.related(region, hit, RelationKind::Neighbour),
            (Audience::Keepers, _) | (_, None) => Vec::new(),
        }
    }

    /// The tags that one of must be there; `None` where any will do.
    fn tags(&self) -> Option<Tags> {
        let known = self.registry.tag_names();
        let all = self.send.tags.iter();
        let all = all.map(|name| known.named(name).unwrap_or_default());
        (!self.send.tags.is_empty()).then(|| all.fold(Tags::default(), Tags::with))
    }

    fn public(&self, village: RegionCode, hit: &Hit) -> Vec<PlannedDelivery<'a>> {
        let tags = self.tags();
        let mut households: Vec<_> = homes(self.registry, village, hit)
            .filter(|(h, _)| tags.is_none_or(|tags| h.tags.has(tags)))
            .map(|(h, infos)| (vulnerability(h.tags), h.id, infos))
            .collect();
        households.sort_by_key(|(vulnerability, ..)| *vulnerability);
        let mut out = Vec::new();
        for (_, household, infos) in households {
            let first = out.len();
            for recipient in self.registry.recipients_of(household) {
                self.reach(*recipient, household, infos, &mut out);
            }
            self.bound_to(household, infos, first, &mut out);
        }
        self.bound_in(village, hit, &mut out);
        out
    }

    fn reach(
        &self,
        id: RecipientId,
        household: HouseholdId,
        infos: u64,
        out: &mut Vec<PlannedDelivery<'a>>,
    ) {
        let registry = self.registry;
        let Some(recipient) = registry.recipient(id) else {
            return;
        };
        for endpoint in registry.endpoints_of(id) {
            if registry
                .endpoint(endpoint)
                .is_some_and(|e| e.kind == self.to)
            {
                out.push(PlannedDelivery {
                    endpoint,
                    household,
                    language: recipient.language,
                    infos,
                    class: Class::Original,
                });
            }
        }
    }

    /// Who can tell a household what it has not heard. It is not their door: their answer is not the household's.
    fn related(
        &self,
        village: RegionCode,
        hit: &Hit,
        kind: RelationKind,
    ) -> Vec<PlannedDelivery<'a>> {
        let tags = self.tags();
        let mut out = Vec::new();
        for (home, infos) in homes(self.registry, village, hit) {
            if tags.is_none_or(|tags| home.tags.has(tags)) {
                let related = self.registry.relations_of(home.id).iter();
                for row in related.filter(|row| row.kind == kind) {
                    self.reach(row.recipient, NO_HOUSEHOLD, infos, &mut out);
                }
            }
        }
        out
    }

    /// With tags: the speakers that such a household hears, or all of a village that has one and no hearing lists.
    fn speakers(&self, village: RegionCode, hit: &Hit) -> Vec<PlannedDelivery<'a>> {
        if self.to != EndpointKind::Speaker {
            return Vec::new();
        }
        let tagged: Option<HashSet<HouseholdId>> = self.tags().map(|tags| {
            let homes = homes(self.registry, village, hit).filter(|(h, _)| h.tags.has(tags));
            homes.map(|(h, _)| h.id).collect()
        });
        let heard = |speaker: &EndpointId| {
            let Some(tagged) = &tagged else { return true };
            let hearing = self.registry.hearing(*speaker);
            !tagged.is_empty() && (hearing.is_empty() || hearing.iter().any(|h| tagged.contains(h)))
        };
        let known = |speaker: &EndpointId| {
            let endpoint = self.registry.endpoint(*speaker);
            endpoint.is_some_and(|e| self.outlets.takes(self.way, &self.send.channels, e.address))
        };
        let speakers = self.registry.speakers_under(village).iter();
        speakers
            .filter(|speaker| heard(speaker) && known(speaker))
            .map(|endpoint| PlannedDelivery {
                endpoint: *endpoint,
                household: NO_HOUSEHOLD,
                language: self.language,
                infos: hit.any(),
                class: Class::Original,
            })
            .collect()
    }

    /// Of a village also those of its groups, key units and zones that are hit.
    fn officers(
        &self,
        region: RegionCode,
        infos: u64,
        hit: Option<&Hit>,
    ) -> Vec<PlannedDelivery<'a>> {
        let mut out = Vec::new();
        let (roles, at) = (&self.send.roles, &self.send.at);
        if !at.is_empty() && !at.contains(&region.level()) {
            return out;
        }
        let mut places = vec![(PostPlace::Region(region), infos)];
        if let Some(hit) = hit {
            self.below(region, hit, &mut places);
        }
        for (place, infos) in places {
            for post in self.registry.posts_at(place) {
                if roles.is_empty() || roles.contains(&post.role) {
                    self.reach(post.recipient, NO_HOUSEHOLD, infos, &mut out);
                }
            }
        }
        out
    }

    fn below(&self, village: RegionCode, hit: &Hit, places: &mut Vec<(PostPlace, u64)>) {
        let mut groups: BTreeMap<u8, u64> = BTreeMap::new();
        for (home, infos) in homes(self.registry, village, hit) {
            *groups.entry(home.group).or_default() |= infos;
        }
        let group = |(group, infos)| (PostPlace::Group(GroupCode { village, group }), infos);
        places.extend(groups.into_iter().map(group));
        let units = self.registry.units_under(village).iter();
        let unit = |u: &crate::model::UnitRow| {
            let infos = hit.of_unit(u.id, u.lat.zip(u.lon).is_some());
            (infos != 0).then_some((PostPlace::Unit(u.id), infos))
        };
        places.extend(units.filter_map(unit));
        let zones = hit.zones.iter();
        places.extend(zones.map(|(zone, infos)| (PostPlace::Zone(*zone), *infos)));
    }
}

/// What is hit of a village as it stands now: the denominator of every figure of this alert.
pub fn ground(registry: &Registry, village: RegionCode, hit: &Hit) -> Ground {
    let mut people = 0;
    let mut households = Vec::new();
    for (household, _) in homes(registry, village, hit) {
        people += u32::try_from(registry.recipients_of(household.id).len()).unwrap_or(0);
        households.push(GroundHousehold {
            id: household.id,
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
