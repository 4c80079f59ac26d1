//! What else an alert touches by whom it names: the zones of which anything is hit, and the tags of zones and regions by
//! which plans choose. This module must not add anybody to whom is named.

use std::collections::BTreeSet;

use super::target::Targets;
use crate::model::{RegionCode, Tags, ZoneMember};
use crate::registry::{Registry, ZoneRef};

pub fn mark(targets: &mut Targets, registry: &Registry) {
    let up = |village: &RegionCode| std::iter::successors(Some(*village), |r| r.parent());
    let regions: BTreeSet<_> = targets.villages.keys().flat_map(up).collect();
    let tags = regions.into_iter().map(|r| registry.region_tags(r));
    let mut tags = tags.fold(Tags::default(), Tags::with);
    let mut codes = Vec::new();
    for zone in registry.zones() {
        let Some((village, infos)) = first_hit(targets, registry, &zone) else {
            continue;
        };
        tags = tags.with(zone.row.tags);
        codes.push(zone.row.code.clone());
        if let Some(hit) = targets.villages.get_mut(&village) {
            hit.zones.insert(zone.row.id, infos);
        }
    }
    targets.tags = tags;
    targets.zones = codes;
}

/// The first village in which a member of the zone is hit, and by which infos any member is.
fn first_hit(
    targets: &Targets,
    registry: &Registry,
    zone: &ZoneRef<'_>,
) -> Option<(RegionCode, u64)> {
    let hits = zone.members.iter().filter_map(|member| {
        let (village, infos) = of_member(targets, registry, *member)?;
        (infos != 0).then_some((village, infos))
    });
    hits.reduce(|(first, all), (village, infos)| (first.min(village), all | infos))
}

fn of_member(
    targets: &Targets,
    registry: &Registry,
    member: ZoneMember,
) -> Option<(RegionCode, u64)> {
    match member {
        ZoneMember::Region(region) => {
            let mut under = targets.villages.range(region..);
            let first = under.find(|(village, _)| region.covers(**village))?;
            Some((*first.0, targets.infos_under(region)))
        }
        ZoneMember::Group(group) => {
            let hit = targets.villages.get(&group.village)?;
            let homes = registry.households_of_group(group).iter();
            let homes = homes.filter_map(|id| registry.household(*id));
            let infos = homes.map(|h| hit.of(h.id, h.group, h.point.is_some()));
            Some((group.village, infos.fold(0, |all, infos| all | infos)))
        }
        ZoneMember::Household(id) => {
            let home = registry.household(id)?;
            let hit = targets.villages.get(&home.village)?;
            Some((home.village, hit.of(id, home.group, home.point.is_some())))
        }
        ZoneMember::Unit(id) => {
            let unit = registry.unit(id)?;
            let hit = targets.villages.get(&unit.village)?;
            let placed = unit.lat.zip(unit.lon).is_some();
            Some((unit.village, hit.of_unit(id, placed)))
        }
    }
}
