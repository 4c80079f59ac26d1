//! An area as somebody draws it: lines of `p`, `c` and `g` are its polygons, circles and codes. Whoever is warned lives in
//! it. This module must not draw: it asks the plain question for every village, edge by edge.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::sample::{TABLES, registry};
use crate::model::{RegionCode, RegionLevel};
use crate::plan::{codes, target};
use crate::registry::Registry;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| registry(TABLES));

/// Nearer to an edge than this, about a metre, either answer is right.
const EDGE: f64 = 1e-5;

pub fn area(bytes: &[u8]) {
    let written = document(&String::from_utf8_lossy(bytes));
    let Some(alert) = cap::read(written.as_bytes()).alert else {
        return;
    };
    let area = &alert.infos[0].areas[0];
    let targets = match target(&alert, &REGISTRY) {
        Ok(targets) => targets,
        Err(refusals) => {
            assert!(!refusals.is_empty(), "refused without a word");
            for refusal in refusals {
                assert!(refusal.path.starts_with("/alert") && refusal.what.len() < 500);
            }
            return;
        }
    };
    assert_eq!(area.dropped, 0, "a shape was lost and it would be sent");
    assert!(!targets.villages.is_empty() || !targets.regions.is_empty());
    let named = codes(area, &REGISTRY);
    let zones: Vec<RegionCode> = REGISTRY
        .villages_under(ZONED.parse().expect("a code"))
        .to_vec();
    for village in targets.villages.keys() {
        let by_code = named.iter().any(|code| code.covers(*village));
        let by_zone = !targets.zones.is_empty() && zones.contains(village);
        assert!(
            by_code || by_zone || holds_anybody(area, *village),
            "{village} is warned and was not named"
        );
    }
}

/// The region that the sample's one zone consists of.
const ZONED: &str = "510727217";

fn holds_anybody(area: &cap::Area, village: RegionCode) -> bool {
    assert_eq!(village.level(), RegionLevel::Village);
    let homes = REGISTRY.spots_under(village).iter();
    let homes = homes.filter_map(|spot| spot.point());
    let units = REGISTRY.units_under(village).iter();
    let units = units.filter_map(|unit| unit.lat.zip(unit.lon));
    let mut points = homes.chain(units).chain(REGISTRY.point(village));
    points.any(|point| {
        let circle = |circle: &cap::Circle| near(circle, point);
        area.circles.iter().any(circle) || area.polygons.iter().any(|p| encloses(&p.points, point))
    })
}

/// Within the radius on a sphere that is a little larger than the globe.
fn near(circle: &cap::Circle, (lat, lon): (f64, f64)) -> bool {
    let (a, b) = (circle.centre.lat.to_radians(), lat.to_radians());
    let turn = (lon - circle.centre.lon).to_radians();
    let chord = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * (turn / 2.0).sin().powi(2);
    let distance = 2.0 * 6335.0 * chord.sqrt().min(1.0).asin();
    distance <= circle.radius * 1.001 + 0.001
}

/// Even-odd over every edge, each the short way round; on an edge either answer is right.
fn encloses(ring: &[cap::Point], (lat, lon): (f64, f64)) -> bool {
    let mut unrolled: Vec<(f64, f64)> = Vec::with_capacity(ring.len());
    let mut turn = 0.0;
    for (point, before) in ring.iter().zip(ring.first().into_iter().chain(ring)) {
        let step = point.lon - before.lon;
        if step.abs() > 180.0 {
            turn -= 360_f64.copysign(step);
        }
        unrolled.push((point.lat, point.lon + turn));
    }
    let around = [lon - 360.0, lon, lon + 360.0];
    around.iter().any(|lon| holds(&unrolled, (lat, *lon)))
}

fn holds(ring: &[(f64, f64)], (lat, lon): (f64, f64)) -> bool {
    let mut inside = false;
    for edge in ring.windows(2) {
        let (a, b) = (edge[0], edge[1]);
        if on_edge(a, b, (lat, lon)) {
            return true;
        }
        let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        if low.0 <= lat && lat < high.0 {
            let crossing = low.1 + (lat - low.0) * (high.1 - low.1) / (high.0 - low.0);
            inside ^= lon < crossing;
        }
    }
    inside
}

fn on_edge(a: (f64, f64), b: (f64, f64), (lat, lon): (f64, f64)) -> bool {
    let (down, across) = (b.0 - a.0, b.1 - a.1);
    let long = down.hypot(across);
    let off = if long > 0.0 {
        (across * (lat - a.0) - down * (lon - a.1)).abs() / long
    } else {
        (lat - a.0).hypot(lon - a.1)
    };
    off < EDGE
}

fn document(lines: &str) -> String {
    let mut shapes = String::new();
    for line in lines.lines() {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
        let done = match kind {
            "p" => write!(shapes, "<polygon>{}</polygon>", escaped(text)),
            "c" => write!(shapes, "<circle>{}</circle>", escaped(text)),
            "g" => {
                let (name, value) = text.split_once('=').unwrap_or(("geocode", text));
                let (name, value) = (escaped(name), escaped(value));
                write!(
                    shapes,
                    "<geocode><valueName>{name}</valueName><value>{value}</value></geocode>"
                )
            }
            _ => Ok(()),
        };
        done.expect("a String takes every text");
    }
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>1</identifier><sender>a</sender>\
         <sent>2026-06-01T16:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>\
         <info><category>Met</category><event>暴雨</event><urgency>Immediate</urgency><severity>Extreme</severity>\
         <certainty>Observed</certainty><area><areaDesc>here</areaDesc>{shapes}</area></info></alert>"
    )
}
