//! Where the demo's towns and villages lie: drawn inside the county's boundary, villages around their town. The points are
//! made up; only the boundary is real. This module must not know who lives there.

use fastrand::Rng;
use serde::Deserialize;

use crate::model::{RegionLevel, RegionRow};

pub const BOUNDARY: &str = include_str!("../../../../config/demo/pingwu/boundary.geojson");

/// Draws among which a town takes the one farthest from the towns before it.
const CANDIDATES: usize = 24;
/// How far a village lies from its town at most, in degrees; less wherever the boundary is nearer.
const SPREAD: f64 = 0.11;

#[derive(Deserialize)]
struct MultiPolygon {
    coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

/// The county's rings as (latitude, longitude); a ring within a ring is a hole.
pub fn boundary() -> Vec<Vec<(f64, f64)>> {
    let shape: MultiPolygon = serde_json::from_str(BOUNDARY)
        .expect("the embedded boundary is a MultiPolygon: a test reads it");
    let rings = shape.coordinates.into_iter().flatten();
    rings
        .map(|ring| ring.into_iter().map(|[lon, lat]| (lat, lon)).collect())
        .collect()
}

/// Gives the county, its towns and its villages their points; the county lies at its first town, its seat.
pub(super) fn place(regions: &mut [RegionRow], rng: &mut Rng) {
    let land = Land::new(boundary());
    let mut towns = Vec::new();
    let mut town = land.middle();
    for region in regions.iter_mut() {
        let point = match region.code.level() {
            RegionLevel::Town => {
                town = land.far_from(&towns, rng);
                towns.push(town);
                town
            }
            RegionLevel::Village => land.near(town, rng),
            _ => continue,
        };
        (region.lat, region.lon) = (Some(point.0), Some(point.1));
    }
    let seat = towns.first().copied();
    for region in regions {
        if region.code.level() == RegionLevel::County {
            (region.lat, region.lon) = seat.unzip();
        }
    }
}

struct Land {
    rings: Vec<Vec<(f64, f64)>>,
    south_west: (f64, f64),
    north_east: (f64, f64),
}

impl Land {
    fn new(rings: Vec<Vec<(f64, f64)>>) -> Self {
        let points = || rings.iter().flatten();
        let south_west = points().fold((f64::MAX, f64::MAX), |low, point| {
            (low.0.min(point.0), low.1.min(point.1))
        });
        let north_east = points().fold((f64::MIN, f64::MIN), |high, point| {
            (high.0.max(point.0), high.1.max(point.1))
        });
        Self {
            rings,
            south_west,
            north_east,
        }
    }

    fn middle(&self) -> (f64, f64) {
        let (low, high) = (self.south_west, self.north_east);
        (f64::midpoint(low.0, high.0), f64::midpoint(low.1, high.1))
    }

    /// Even-odd: a ray to the east crosses the edges of a point inside an odd number of times.
    fn contains(&self, (lat, lon): (f64, f64)) -> bool {
        let mut inside = false;
        for ring in &self.rings {
            let edges = ring.iter().zip(ring.iter().cycle().skip(1));
            for (&(lat1, lon1), &(lat2, lon2)) in edges {
                if (lat1 > lat) != (lat2 > lat)
                    && lon < lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1)
                {
                    inside = !inside;
                }
            }
        }
        inside
    }

    fn anywhere(&self, rng: &mut Rng) -> (f64, f64) {
        let (low, high) = (self.south_west, self.north_east);
        loop {
            let point = rounded((
                low.0 + rng.f64() * (high.0 - low.0),
                low.1 + rng.f64() * (high.1 - low.1),
            ));
            if self.contains(point) {
                return point;
            }
        }
    }

    fn far_from(&self, others: &[(f64, f64)], rng: &mut Rng) -> (f64, f64) {
        let nearest = |point: (f64, f64)| {
            let distances = others.iter().map(|&other| squared_distance(point, other));
            distances.fold(f64::MAX, f64::min)
        };
        let mut best = self.anywhere(rng);
        for _ in 1..CANDIDATES {
            let candidate = self.anywhere(rng);
            if nearest(candidate) > nearest(best) {
                best = candidate;
            }
        }
        best
    }

    /// Nearer and nearer until inside: the town itself is.
    fn near(&self, town: (f64, f64), rng: &mut Rng) -> (f64, f64) {
        let mut spread = SPREAD;
        loop {
            let mut off = || (rng.f64() + rng.f64() - 1.0) * spread;
            let point = rounded((town.0 + off(), town.1 + off()));
            if self.contains(point) {
                return point;
            }
            spread *= 0.95;
        }
    }
}

fn rounded(point: (f64, f64)) -> (f64, f64) {
    let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
    (round(point.0), round(point.1))
}

fn squared_distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    (one.0 - other.0).powi(2) + (one.1 - other.1).powi(2)
}
