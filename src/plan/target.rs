//! Which villages an alert's areas name. Geocodes hit by prefix, polygons and circles by the village's point. A missing
//! or unreadable area never widens: it is refused, with the element that is to be mended. This module must not know who
//! asks: the caller's wall is ingest's.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{RegionCode, RegionLevel};
use crate::registry::Registry;

/// Names under which CAP messages carry division codes of GB/T 2260 and GB/T 10114.
const CODE_NAMES: [&str; 5] = [
    "cpeas geographic code",
    "gb/t 2260",
    "gb/t 10114",
    "geocode",
    "areacode",
];

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Targets {
    /// The regions as named, each covered by no other: canonical, sorted.
    pub regions: Vec<RegionCode>,
    /// Every village that is hit, and the infos that hit it, as a bit set.
    pub villages: BTreeMap<RegionCode, u64>,
    /// Geocodes of other schemes, which are left aside.
    pub foreign: u32,
}

/// An area that cannot be sent to; the message names the element and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Unreachable {
    pub path: String,
    pub what: String,
}

pub fn target(alert: &cap::Alert, registry: &Registry) -> Result<Targets, Vec<Unreachable>> {
    let mut targets = Targets::default();
    let mut problems = Vec::new();
    let mut named = BTreeSet::new();
    for (n, info) in alert.infos.iter().enumerate().take(64) {
        let bit = 1_u64 << n;
        for (m, area) in info.areas.iter().enumerate() {
            let path = format!("/alert/info[{}]/area[{}]", n + 1, m + 1);
            match one(area, registry, &mut targets.foreign) {
                Ok(regions) => {
                    for region in regions {
                        named.insert(region);
                        for village in registry.villages_under(region) {
                            *targets.villages.entry(*village).or_default() |= bit;
                        }
                    }
                }
                Err(what) => problems.push(Unreachable { path, what }),
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if named.is_empty() {
        let what = "no area names a place; give a geocode, polygon or circle";
        return Err(vec![Unreachable {
            path: "/alert/info".into(),
            what: what.into(),
        }]);
    }
    targets.regions = canonical(&named);
    Ok(targets)
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

/// The division codes of an area that can be read, known to the registry or not.
pub fn codes(area: &cap::Area) -> impl Iterator<Item = RegionCode> + '_ {
    let ours = |pair: &&cap::Pair| CODE_NAMES.contains(&pair.name.to_lowercase().as_str());
    area.geocodes
        .iter()
        .filter(ours)
        .filter_map(|pair| pair.value.trim().parse().ok())
}

fn one(
    area: &cap::Area,
    registry: &Registry,
    foreign: &mut u32,
) -> Result<Vec<RegionCode>, String> {
    if area.dropped > 0 {
        return Err(format!(
            "{} of its shapes cannot be read; mend them and hand it in again",
            area.dropped
        ));
    }
    let mut regions = Vec::new();
    let mut codes = 0;
    for pair in &area.geocodes {
        if !CODE_NAMES.contains(&pair.name.to_lowercase().as_str()) {
            *foreign += 1;
            continue;
        }
        let code: RegionCode = pair
            .value
            .trim()
            .parse()
            .map_err(|e| format!("geocode: {e}"))?;
        codes += 1;
        if !registry.contains(code) {
            return Err(format!(
                "geocode {code}: the registry has no such region; correct the code or import it"
            ));
        }
        regions.push(code);
    }
    let shapes = area.polygons.len() + area.circles.len();
    if shapes == 0 && codes == 0 {
        return Err(
            "it names no division code, polygon or circle; a description alone is not sent".into(),
        );
    }
    if shapes > 0 {
        let before = regions.len();
        for village in registry
            .regions()
            .iter()
            .filter(|r| r.level() == RegionLevel::Village)
        {
            let hit = registry
                .point(*village)
                .is_some_and(|point| hits(area, point));
            if hit {
                regions.push(*village);
            }
        }
        if regions.len() == before && codes == 0 {
            return Err(
                "no village of the registry lies inside its shapes; correct the coordinates".into(),
            );
        }
    }
    Ok(regions)
}

fn hits(area: &cap::Area, point: (f64, f64)) -> bool {
    area.polygons.iter().any(|p| inside(&p.points, point))
        || area
            .circles
            .iter()
            .any(|c| distance_km((c.centre.lat, c.centre.lon), point) <= c.radius)
}

/// Ray casting; a point on an edge may fall either way.
fn inside(ring: &[cap::Point], (lat, lon): (f64, f64)) -> bool {
    let mut inside = false;
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let crosses = (a.lat > lat) != (b.lat > lat);
        if crosses && lon < (b.lon - a.lon) * (lat - a.lat) / (b.lat - a.lat) + a.lon {
            inside = !inside;
        }
    }
    inside
}

fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (la, lb) = (a.0.to_radians(), b.0.to_radians());
    let (dlat, dlon) = ((lb - la) / 2.0, (b.1 - a.1).to_radians() / 2.0);
    let h = dlat.sin().powi(2) + la.cos() * lb.cos() * dlon.sin().powi(2);
    2.0 * 6371.0088 * h.sqrt().asin()
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

    #[test]
    fn a_ring_holds_what_lies_inside_it() {
        let ring = [
            (0.0, 0.0),
            (0.0, 10.0),
            (10.0, 10.0),
            (10.0, 0.0),
            (0.0, 0.0),
        ]
        .map(|(lat, lon)| cap::Point { lat, lon });
        assert!(inside(&ring, (5.0, 5.0)));
        assert!(!inside(&ring, (5.0, 11.0)));
        assert!(!inside(&ring, (-1.0, 5.0)));
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let km = distance_km((32.0, 104.0), (33.0, 104.0));
        assert!((km - 111.19).abs() < 0.1, "{km}");
    }
}
