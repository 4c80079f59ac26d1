//! One ring in bands of latitude. This module must not repair a ring: whoever reads CAP has closed and checked it.

use super::Point;

/// One edge from its lower end upwards; edges along a latitude are never crossed and are left out.
#[derive(Clone, Copy, Debug)]
struct Edge {
    low: f64,
    high: f64,
    /// The longitude at its lower end.
    lon: f64,
    /// Longitude by latitude.
    slope: f64,
}

#[derive(Debug)]
pub struct Ring {
    south: f64,
    north: f64,
    /// Unrolled: beyond 180 where it passes the antimeridian.
    west: f64,
    east: f64,
    bands_per_degree: f64,
    /// Where each band's edges begin, and one more.
    starts: Vec<u32>,
    edges: Vec<Edge>,
}

/// Bands of one ring at most, and copies of an edge on average: a zigzag must not fill the memory.
const BANDS: usize = 4096;
const COPIES: usize = 16;

impl Ring {
    pub fn of(points: &[cap::Point]) -> Result<Self, &'static str> {
        let unrolled = unroll(points)?;
        let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut west, mut east) = (f64::INFINITY, f64::NEG_INFINITY);
        for (lat, lon) in &unrolled {
            (south, north) = (south.min(*lat), north.max(*lat));
            (west, east) = (west.min(*lon), east.max(*lon));
        }
        let edges: Vec<Edge> = unrolled.windows(2).filter_map(edge).collect();
        let mut ring = Self {
            south,
            north,
            west,
            east,
            bands_per_degree: 0.0,
            starts: Vec::new(),
            edges: Vec::new(),
        };
        ring.lay(&edges);
        Ok(ring)
    }

    /// Each edge into every band that it meets. Halves the bands until the copies are few.
    fn lay(&mut self, edges: &[Edge]) {
        let mut bands = edges.len().clamp(1, BANDS);
        loop {
            self.bands_per_degree = bands_per_degree(bands, self.north - self.south);
            let met = |edge: &Edge| self.band(edge.low)..=self.band(edge.high);
            let mut starts = vec![0_u32; bands + 1];
            for edge in edges {
                for band in met(edge) {
                    starts[band + 1] += 1;
                }
            }
            let copies: usize = starts.iter().map(|n| *n as usize).sum();
            if copies > edges.len() * COPIES && bands > 1 {
                bands /= 2;
                continue;
            }
            for band in 0..bands {
                starts[band + 1] += starts[band];
            }
            let mut next = starts.clone();
            let empty = Edge {
                low: 0.0,
                high: 0.0,
                lon: 0.0,
                slope: 0.0,
            };
            let mut laid = vec![empty; copies];
            for edge in edges {
                for band in met(edge) {
                    laid[next[band] as usize] = *edge;
                    next[band] += 1;
                }
            }
            (self.starts, self.edges) = (starts, laid);
            return;
        }
    }

    /// The band of a latitude between south and north. It rises with the latitude, so a point's band is one of those of
    /// every edge that spans it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 4096 bands"
    )]
    fn band(&self, lat: f64) -> usize {
        ((lat - self.south) * self.bands_per_degree) as usize
    }

    pub fn holds(&self, (lat, lon): Point) -> bool {
        if !(self.south..=self.north).contains(&lat) {
            return false;
        }
        let lon = match lon {
            lon if lon < self.west => lon + 360.0,
            lon if lon > self.east => lon - 360.0,
            lon => lon,
        };
        if !(self.west..=self.east).contains(&lon) {
            return false;
        }
        let band = self.band(lat);
        let edges = &self.edges[self.starts[band] as usize..self.starts[band + 1] as usize];
        // Nearly every edge of a band is crossed or not by chance: counting costs less than guessing.
        let crossed = edges.iter().map(|edge| {
            u32::from(edge.low <= lat)
                & u32::from(lat < edge.high)
                & u32::from(lon < (lat - edge.low) * edge.slope + edge.lon)
        });
        crossed.sum::<u32>() & 1 == 1
    }
}

/// A little fewer than `bands` to the height, so that the northernmost latitude still falls into the last one.
fn bands_per_degree(bands: usize, height: f64) -> f64 {
    let bands = u32::try_from(bands).map_or(1.0, f64::from);
    if height > 0.0 {
        bands * (1.0 - 1e-9) / height
    } else {
        0.0
    }
}

fn edge(ends: &[Point]) -> Option<Edge> {
    let (a, b) = (ends[0], ends[1]);
    let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    (low.0 < high.0).then(|| Edge {
        low: low.0,
        high: high.0,
        lon: low.1,
        slope: (high.1 - low.1) / (high.0 - low.0),
    })
}

/// Every point as near to the one before as the globe allows; closed.
fn unroll(points: &[cap::Point]) -> Result<Vec<Point>, &'static str> {
    let first = points.first().ok_or("a polygon without points")?;
    let mut turn = 0.0;
    let mut before = first.lon;
    let mut out = Vec::with_capacity(points.len() + 1);
    for point in points {
        let step = point.lon - before;
        if step.abs() > 180.0 {
            turn -= 360_f64.copysign(step);
        }
        before = point.lon;
        out.push((point.lat, point.lon + turn));
    }
    if points.first() != points.last() {
        let step = first.lon - before;
        if step.abs() > 180.0 {
            turn -= 360_f64.copysign(step);
        }
        out.push((first.lat, first.lon + turn));
    }
    if turn.abs() > 0.0 {
        return Err("a polygon around a pole has no inside that is certain; draw it as two");
    }
    let lons = || out.iter().map(|point| point.1);
    let width = lons().fold(f64::NEG_INFINITY, f64::max) - lons().fold(f64::INFINITY, f64::min);
    if width >= 360.0 {
        return Err("a polygon reaches more than once around the globe");
    }
    Ok(out)
}
