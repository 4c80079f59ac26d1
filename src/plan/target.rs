//! Whom an alert's areas name. Division codes hit by prefix, zones by their members, shapes by the point of a household or
//! of its village. A missing or unreadable area never widens: it is refused, with the element that is to be mended. What
//! is left aside is noted. This module must not know who asks: the caller's wall is ingest's.

use std::collections::{BTreeMap, BTreeSet};

use super::geometry::Drawing;
use super::hit::Hit;
use super::note::Note;
use super::touched;
use crate::model::{AreaCode, GroupCode, RegionCode, RegionLevel, Tags, ZoneMember};
use crate::registry::{Registry, Resolved};

/// Names under which CAP messages carry division codes of GB/T 2260 and GB/T 10114, wholly or in part.
const CODE_NAMES: [&str; 2] = ["geocode", "areacode"];
const CODE_MARKS: [&str; 6] = [
    "cpeas",
    "gb/t 2260",
    "gb/t2260",
    "gb/t 10114",
    "adcode",
    "行政区划",
];

/// Names under which they carry codes of named zones.
const ZONE_NAMES: [&str; 3] = ["zone", "zone code", "区域编码"];

/// One bit of a `u64` for each info.
const INFOS: usize = 64;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Targets {
    /// The regions as named, each covered by no other: canonical, sorted.
    pub regions: Vec<RegionCode>,
    /// Every village that is hit, wholly or in part.
    pub villages: BTreeMap<RegionCode, Hit>,
    /// Codes of the zones of which anything is hit.
    pub zones: Vec<String>,
    /// Of those zones, of the regions that are hit and of those above them.
    pub tags: Tags,
    pub notes: Vec<Note>,
}

impl Targets {
    /// The infos that touch any village of a region, as a bit set.
    pub fn infos_under(&self, region: RegionCode) -> u64 {
        let under = self.villages.range(region..);
        under
            .take_while(|(village, _)| region.covers(**village))
            .fold(0, |all, (_, hit)| all | hit.any())
    }
}

/// An area that cannot be sent to; the message names the element and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Unreachable {
    pub path: String,
    pub what: String,
}

pub fn target(alert: &cap::Alert, registry: &Registry) -> Result<Targets, Vec<Unreachable>> {
    let mut problems = Vec::new();
    if alert.infos.len() > INFOS {
        problems.push(unreachable(
            "/alert",
            format!("it has more than {INFOS} infos; send it as several alerts"),
        ));
    }
    let mut reading = Reading {
        registry,
        named: BTreeSet::new(),
        targets: Targets::default(),
    };
    for (n, info) in alert.infos.iter().enumerate().take(INFOS) {
        for (m, area) in info.areas.iter().enumerate() {
            let path = format!("/alert/info[{}]/area[{}]", n + 1, m + 1);
            if let Err(what) = reading.area(area, 1 << n, &path) {
                problems.push(unreachable(&path, what));
            }
        }
    }
    if problems.is_empty() && reading.named.is_empty() {
        let what = "no area names a place; give a geocode, polygon or circle";
        problems.push(unreachable("/alert/info", what.into()));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut targets = reading.targets;
    targets.regions = canonical(&reading.named);
    touched::mark(&mut targets, registry);
    Ok(targets)
}

fn unreachable(path: &str, what: String) -> Unreachable {
    Unreachable {
        path: path.to_owned(),
        what,
    }
}

/// Without what another covers, in the order of their codes.
fn canonical(named: &BTreeSet<RegionCode>) -> Vec<RegionCode> {
    let mut out: Vec<RegionCode> = Vec::new();
    // A region sorts before everything that it covers.
    for region in named {
        if !out.last().is_some_and(|last| last.covers(*region)) {
            out.push(*region);
        }
    }
    out
}

/// The regions of an area's division codes that can be read, known to the registry or not; an old code as what took its
/// place.
pub fn codes(area: &cap::Area, registry: &Registry) -> Vec<RegionCode> {
    let named = area.geocodes.iter().filter(|pair| names_codes(&pair.name));
    let codes = named.flat_map(|pair| values(&pair.value));
    let codes = codes.filter_map(|value| value.parse::<AreaCode>().ok());
    let regions = codes.map(|code| match registry.resolve(code.region()) {
        Resolved::Old(now) => now.to_vec(),
        Resolved::Current | Resolved::Unknown => vec![code.region()],
    });
    regions.flatten().collect()
}

fn names_codes(name: &str) -> bool {
    let name = name.to_lowercase();
    CODE_NAMES.contains(&name.as_str()) || CODE_MARKS.iter().any(|mark| name.contains(mark))
}

fn names_zones(name: &str) -> bool {
    ZONE_NAMES.contains(&name.to_lowercase().as_str())
}

/// Several codes may stand in one value.
fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\t', '\r', '\n', ',', '、', ';'])
        .filter(|value| !value.is_empty())
}

struct Reading<'a> {
    registry: &'a Registry,
    named: BTreeSet<RegionCode>,
    targets: Targets,
}

impl Reading<'_> {
    /// One area, or why it cannot be sent to.
    fn area(&mut self, area: &cap::Area, bit: u64, path: &str) -> Result<(), String> {
        if area.dropped > 0 {
            return Err(format!(
                "{} of its shapes cannot be read; mend them and hand it in again",
                area.dropped
            ));
        }
        let codes = self.geocodes(area, bit, path)?;
        let drawing = Drawing::of(area)?;
        if drawing.places > 0 {
            self.note(path, Note::place);
        }
        if area.altitude.is_some() || area.ceiling.is_some() {
            self.note(path, Note::heights);
        }
        if drawing.is_empty() && codes == 0 {
            return Err(match drawing.places {
                0 => "it names no division code, polygon or circle; a description alone is not sent",
                _ => {
                    "a circle of radius 0 names a place and not an area; give a radius, a polygon or a geocode"
                }
            }
            .into());
        }
        if !drawing.is_empty() && !self.drawn(&drawing, bit) && codes == 0 {
            return Err(
                "no village of the registry lies inside its shapes; correct the coordinates".into(),
            );
        }
        Ok(())
    }

    fn note(&mut self, path: &str, note: fn(&str) -> Note) {
        self.targets.notes.push(note(path));
    }

    /// How many codes it names; every one is known.
    fn geocodes(&mut self, area: &cap::Area, bit: u64, path: &str) -> Result<usize, String> {
        let mut codes = 0;
        for pair in &area.geocodes {
            if names_zones(&pair.name) {
                for code in values(&pair.value) {
                    self.zone(code, bit)?;
                    codes += 1;
                }
                continue;
            }
            if !names_codes(&pair.name) {
                let note = Note::foreign(path, &pair.name);
                if !self.targets.notes.contains(&note) {
                    self.targets.notes.push(note);
                }
                continue;
            }
            for value in values(&pair.value) {
                self.code(value, bit, path)?;
                codes += 1;
            }
        }
        Ok(codes)
    }

    fn code(&mut self, value: &str, bit: u64, path: &str) -> Result<(), String> {
        let area: AreaCode = value.parse().map_err(|e| format!("geocode: {e}"))?;
        let unknown = || {
            format!(
                "geocode {area}: the registry has no such region; correct the code or import it"
            )
        };
        match (self.registry.resolve(area.region()), area) {
            (Resolved::Current, AreaCode::Region(region)) => self.region(region, bit),
            (Resolved::Current, AreaCode::Group(group)) => {
                if !self.registry.has_group(group) {
                    return Err(unknown());
                }
                self.group(group, bit);
            }
            (Resolved::Old(now), AreaCode::Region(_)) => {
                for region in now {
                    self.region(*region, bit);
                }
                self.targets.notes.push(Note::old(path, value));
            }
            // Nobody says which of its groups moved where.
            (Resolved::Old(_), AreaCode::Group(_)) | (Resolved::Unknown, _) => {
                return Err(unknown());
            }
        }
        Ok(())
    }

    fn hit(&mut self, village: RegionCode) -> &mut Hit {
        self.named.insert(village);
        self.targets.villages.entry(village).or_default()
    }

    fn region(&mut self, region: RegionCode, bit: u64) {
        self.named.insert(region);
        for village in self.registry.villages_under(region) {
            self.targets.villages.entry(*village).or_default().whole |= bit;
        }
    }

    fn group(&mut self, code: GroupCode, bit: u64) {
        *self.hit(code.village).groups.entry(code.group).or_default() |= bit;
    }

    /// A named zone is the set of its members, wherever its outline runs.
    fn zone(&mut self, code: &str, bit: u64) -> Result<(), String> {
        let zone = self.registry.zone_of_code(code).ok_or_else(|| {
            let code: String = code.chars().take(32).collect();
            format!("zone {code:?}: the registry has no such zone; correct the code or import it")
        })?;
        if zone.members.is_empty() {
            return Err(format!(
                "zone {code}: it has no members, so nobody would be warned; import them"
            ));
        }
        for member in zone.members {
            match *member {
                ZoneMember::Region(region) => self.region(region, bit),
                ZoneMember::Group(group) => self.group(group, bit),
                ZoneMember::Household(id) => {
                    if let Some(household) = self.registry.household(id) {
                        let village = household.village;
                        *self.hit(village).homes.entry(id).or_default() |= bit;
                    }
                }
                ZoneMember::Unit(id) => {
                    if let Some(unit) = self.registry.unit(id) {
                        let village = unit.village;
                        *self.hit(village).units.entry(id).or_default() |= bit;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether anybody lives inside.
    fn drawn(&mut self, drawing: &Drawing, bit: u64) -> bool {
        let registry = self.registry;
        let mut any = false;
        let villages = registry.regions().iter();
        for village in villages.filter(|r| r.level() == RegionLevel::Village) {
            let inside = |point: Option<(f64, f64)>| point.is_some_and(|p| drawing.holds(p));
            let own = inside(registry.point(*village));
            let spots = registry.spots_under(*village).iter();
            let homes = registry.households_under(*village).iter().zip(spots);
            let homes: Vec<_> = homes.filter(|(_, spot)| inside(spot.point())).collect();
            let units = registry.units_under(*village).iter();
            let units: Vec<_> = units.filter(|u| inside(u.lat.zip(u.lon))).collect();
            if !own && homes.is_empty() && units.is_empty() {
                continue;
            }
            any = true;
            let hit = self.hit(*village);
            hit.unplaced |= if own { bit } else { 0 };
            for (home, _) in homes {
                *hit.homes.entry(*home).or_default() |= bit;
            }
            for unit in units {
                *hit.units.entry(unit.id).or_default() |= bit;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covered_region_is_named_once() {
        let code = |t: &str| t.parse::<RegionCode>().expect("a code");
        let named = BTreeSet::from([
            code("510727217201"),
            code("510727217"),
            code("510727216001"),
            code("510727217202"),
        ]);
        assert_eq!(canonical(&named), [code("510727216001"), code("510727217")]);
    }
}
